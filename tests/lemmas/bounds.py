"""What fits where: machine words as bit-vectors where the word is the point, else as integers within its bounds."""

from __future__ import annotations

from z3 import (
    ULE,
    ULT,
    And,
    BitVec,
    BitVecVal,
    BVAddNoOverflow,
    BVMulNoOverflow,
    Ints,
    ZeroExt,
)

from tests.lemmas.fees import CHARGE, CHARGE_WIDE, MILLION, MILLIONTHS
from tests.lemmas.holds import BASE_AMOUNT, NOTIONAL, RAW_NOTIONAL, VALUE
from tests.lemmas.lemma import Claim, Lemma

AROUND = "crates/risk/src/band.rs Band::around"
VALUE_AT_WORST = "crates/risk/src/instrument.rs Instrument::value_at_worst"
COMPARE_NOTIONAL = "crates/risk/src/instrument.rs Instrument::set_limits"
AMOUNT_MAX = "crates/types/src/amount.rs Amount::MAX"
QUANTITY_MAX = "crates/types/src/quantity.rs Quantity::MAX"
ORDERS_MAX = "crates/risk/src/gate.rs ORDERS_MAX"

U64, U128, I128 = 2**64 - 1, 2**128 - 1, 2**127 - 1

left, right = BitVec("left", 64), BitVec("right", 64)
quanta, magnitude, excess = BitVec("quanta", 64), BitVec("magnitude", 64), BitVec("excess", 64)
exact = quanta * magnitude
FAST = [ULT(quanta, 1 << 40), ULE(magnitude, 1 << 20), ULT(excess, MILLION)]
slack = BitVecVal(MILLION - 1, 64) - excess


def fast_path(limit: int) -> Claim:
    """The product and the sums of both branches, for notionals below a limit."""
    return Claim(
        given=[ULT(quanta, limit), *FAST[1:]],
        then=And(
            BVMulNoOverflow(quanta, magnitude, False),
            BVAddNoOverflow(exact, slack, False),
            BVAddNoOverflow(exact, excess, False),
        ),
    )


product, fee, left_over, rest = Ints("product fee left_over rest")
n, ppm, part, times = Ints("n ppm part times")
price, lots, unit, open_orders = Ints("price lots unit open_orders")
reference, parts = Ints("reference parts")

LEMMAS = [
    Lemma(
        name="a product of two words fits two words",
        says="u64 x u64 never overflows u128.",
        functions=(RAW_NOTIONAL, AROUND),
        claim=Claim(then=BVMulNoOverflow(ZeroExt(64, left), ZeroExt(64, right), False)),
        control=Claim(then=BVMulNoOverflow(ZeroExt(63, left), ZeroExt(63, right), False)),
        control_says="127 bits are too few",
    ),
    Lemma(
        name="price times quantity fits",
        says="i64 x u64 never overflows i128, in either direction: a raw notional needs no check.",
        functions=(RAW_NOTIONAL,),
        claim=Claim(
            given=[price >= -(2**63), price < 2**63, lots >= 0, lots <= U64],
            then=And(price * lots >= -(2**127), price * lots <= I128),
        ),
        control=Claim(given=[price >= -(2**63), price < 2**63, lots >= 0, lots <= 2**65], then=price * lots <= I128),
        control_says="with a quantity of one bit more it would",
    ),
    Lemma(
        name="the fast path of a fee does not overflow",
        says="Below 2^40 quanta of notional, at rates up to 2^20 parts per million, product and sums fit 64 bits.",
        functions=(CHARGE, MILLIONTHS),
        claim=fast_path(1 << 40),
        control=fast_path(1 << 45),
        control_says="at 2^45 quanta the product does not",
    ),
    Lemma(
        name="the fast path's fee and remainder fit",
        says="The fee is an i64, the fee in millionths with the excess a u64, and what is left a u32.",
        functions=(CHARGE, MILLIONTHS),
        claim=Claim(
            given=[
                product >= 0,
                product < 2**60,
                left_over >= 0,
                left_over < MILLION,
                fee == (product + (MILLION - 1 - left_over)) / MILLION,
                rest == fee * MILLION + left_over - product,
            ],
            then=And(fee < 2**63, fee * MILLION + left_over <= U64, rest >= 0, rest < 2**32),
        ),
        control=Claim(
            given=[
                product >= 0,
                product <= U64,
                left_over >= 0,
                left_over < MILLION,
                fee == (product + (MILLION - 1 - left_over)) / MILLION,
            ],
            then=fee * MILLION + left_over <= U64,
        ),
        control_says="for any 64-bit product the sum would not fit",
    ),
    Lemma(
        name="the wide charge does not overflow",
        says="For up to the most of an asset a venue may hold, twice, the whole and the part fit, and so does the fee.",
        functions=(CHARGE_WIDE, MILLIONTHS, AMOUNT_MAX),
        claim=Claim(
            given=[
                n >= 0,
                n <= 2**121,
                ppm >= 0,
                ppm <= MILLION,
                n == times * MILLION + part,
                part >= 0,
                part < MILLION,
                left_over >= 0,
                left_over < MILLION,
            ],
            then=And(times * ppm + part * ppm + left_over <= I128, (part * ppm + MILLION) + left_over <= U128),
        ),
        control=Claim(given=[n >= 0, n <= 2**121, ppm >= 0, ppm <= MILLION], then=n * ppm <= U128),
        control_says="the plain product would not fit",
    ),
    Lemma(
        name="a notional within the limit fits",
        says="Where price x quantity is at most the largest amount divided by the unit, money is at most that amount.",
        functions=(VALUE, NOTIONAL, VALUE_AT_WORST, COMPARE_NOTIONAL, AMOUNT_MAX),
        claim=Claim(
            given=[unit > 0, unit <= U64, price >= 0, lots >= 0, price * lots <= 2**120 / unit],
            then=price * lots * unit <= 2**120,
        ),
        control=Claim(
            given=[unit > 0, unit <= U64, price >= 0, lots >= 0, price * lots <= 2**120 / unit + 1],
            then=price * lots * unit <= 2**120,
        ),
        control_says="one more is too much",
    ),
    Lemma(
        name="an order's base fits",
        says="The base quanta of the largest order stay within the largest amount.",
        functions=(BASE_AMOUNT, QUANTITY_MAX, AMOUNT_MAX),
        claim=Claim(given=[lots >= 0, lots <= 2**40, unit > 0, unit <= U64], then=lots * unit <= 2**120),
        control=Claim(given=[lots >= 0, lots <= U64, unit > 0, unit <= U64], then=lots * unit <= I128),
        control_says="any 64-bit number of lots would not even fit i128",
    ),
    Lemma(
        name="a level's sum fits",
        says="Fewer than 2^24 orders of at most 2^40 lots add up to a 64-bit number.",
        functions=(QUANTITY_MAX, ORDERS_MAX),
        claim=Claim(
            given=[open_orders >= 0, open_orders < 2**24, lots >= 0, lots <= 2**40], then=open_orders * lots <= U64
        ),
        control=Claim(
            given=[open_orders >= 0, open_orders <= 2**24, lots >= 0, lots <= 2**40], then=open_orders * lots <= U64
        ),
        control_says="2^24 of them, each the largest, come to exactly 2^64",
    ),
    Lemma(
        name="the band's arithmetic fits",
        says="The highest reference with the widest parts stays far below 128 bits, rounding included.",
        functions=(AROUND,),
        claim=Claim(
            given=[reference > 0, reference <= 2**63, parts >= 0, parts <= MILLION + 2**32],
            then=reference * parts + MILLION <= 2**97,
        ),
        control=Claim(
            given=[reference > 0, reference <= 2**63, parts >= 0, parts <= MILLION + 2**32],
            then=reference * parts <= 2**64,
        ),
        control_says="64 bits are too few",
    ),
]
