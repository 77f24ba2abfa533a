"""Fees, as `RoundedFee` charges them: the remainder it keeps makes the sum of the postings the rounding of the sum.

`exact` stands for notional x rate in millionths of a quantum, any whole number: no lemma needs to know the factors
unless it names them. `excess` is how far the posted fee is above the exact one.
"""

from __future__ import annotations

from z3 import And, If, Int, Ints

from tests.lemmas.lemma import Claim, Formula, Lemma

MILLION = 1_000_000

CHARGE = "crates/types/src/fee.rs RoundedFee::charge"
CHARGE_WIDE = "crates/types/src/fee.rs RoundedFee::charge_wide"
ROUNDED_UP = "crates/types/src/fee.rs FeeRate::rounded_up"
MILLIONTHS = "crates/types/src/fee.rs MILLION"
COVERS_REBATES = "crates/risk/src/fees.rs FeeSchedules::covers_rebates"
PAYABLE = "crates/engine/src/matching.rs Floor::payable"


def ceiling(exact: Formula) -> Formula:
    return (exact + MILLION - 1) / MILLION


def floor(exact: Formula) -> Formula:
    return exact / MILLION


def charged(exact: Formula, excess: Formula) -> tuple[Formula, Formula]:
    """Return the fee of a rate that is not negative, and the excess behind it."""
    fee = (exact + (MILLION - 1 - excess)) / MILLION
    return fee, fee * MILLION + excess - exact


def rebated(exact: Formula, excess: Formula) -> tuple[Formula, Formula]:
    """Return the rebate of a negative rate as a positive number, and the excess behind it."""
    rebate = (exact + excess) / MILLION
    return rebate, exact + excess - rebate * MILLION


def remainder(excess: Formula) -> Formula:
    return And(excess >= 0, excess < MILLION)


exact, more, excess, cumulative, posted = Ints("exact more excess cumulative posted")
notional, less, rate, rebate_rate = Ints("notional less rate rebate_rate")
fee, excess_after_fee = charged(exact, excess)
rebate, excess_after_rebate = rebated(exact, excess)
is_rebate = Int("is_rebate") == 1
START = [exact >= 0, remainder(excess)]

# What one posting does to the cumulative exact fee, to what was posted, and to the excess.
next_posted = posted + If(is_rebate, -rebate, fee)
next_cumulative = cumulative + If(is_rebate, -exact, exact)
next_excess = If(is_rebate, excess_after_rebate, excess_after_fee)

whole, part = Ints("whole part")
wide_fee = whole + (If(part > excess, part - excess, 0) + MILLION - 1) / MILLION
wide_rebate = whole + (part + excess) / MILLION

first, then_excess = charged(exact, excess)
second, _ = charged(more, then_excess)
together, _ = charged(exact + more, excess)

crossed = [[Int(f"crossed_{taker}_{maker}") for maker in range(2)] for taker in range(2)]
takers = [sum(row[1:], row[0]) for row in crossed]
makers = [crossed[0][maker] + crossed[1][maker] for maker in range(2)]
income = sum(ceiling(each * rate) for each in takers) - sum(floor(each * rebate_rate) for each in makers)
ALL_CROSSED = [each >= 0 for row in crossed for each in row]

taker_before, maker_before = Ints("taker_before maker_before")
one_fill_fee, _ = charged(notional * rate, taker_before)
one_fill_rebate, _ = rebated(notional * rebate_rate, maker_before)
ONE_FILL = [notional >= 0, remainder(taker_before), remainder(maker_before), rebate_rate >= 0, rebate_rate <= rate]


def cost_with_rebate(amount: Formula) -> Formula:
    return amount - rebated(amount * rebate_rate, excess)[0]


LEMMAS = [
    Lemma(
        name="a charge leaves a remainder",
        says="A charge is not negative, and what it posts too much is again below a quantum.",
        functions=(CHARGE, MILLIONTHS),
        claim=Claim(given=START, then=And(fee >= 0, remainder(excess_after_fee))),
        control=Claim(given=START, then=remainder((exact + (MILLION - excess)) / MILLION * MILLION + excess - exact)),
        control_says="with a million instead of a million less one, a whole quantum is left over",
    ),
    Lemma(
        name="a rebate leaves a remainder",
        says="A rebate is not negative, and what it posts too little is again below a quantum.",
        functions=(CHARGE, MILLIONTHS),
        claim=Claim(given=START, then=And(rebate >= 0, remainder(excess_after_rebate))),
        control=Claim(given=START, then=remainder(exact + excess - (rebate + 1) * MILLION)),
        control_says="rounded up, the venue would have paid before it is due",
    ),
    Lemma(
        name="cumulative rounding",
        says="After each posting, of a charge or a rebate, what was posted is the ceiling of the signed exact sum: by"
        " induction after any sequence of them.",
        functions=(CHARGE, MILLIONTHS),
        claim=Claim(
            given=[*START, posted * MILLION == cumulative + excess],
            then=And(
                next_posted * MILLION == next_cumulative + next_excess,
                next_posted * MILLION >= next_cumulative,
                (next_posted - 1) * MILLION < next_cumulative,
            ),
        ),
        control=Claim(given=[exact >= 0, more >= 0], then=ceiling(exact) + ceiling(more) == ceiling(exact + more)),
        control_says="each fill rounded for itself posts more than the rounding of the sum",
    ),
    Lemma(
        name="a split costs nothing",
        says="Two fills are charged together what one fill of both would be.",
        functions=(CHARGE, MILLIONTHS),
        claim=Claim(given=[*START, more >= 0], then=first + second == together),
        control=Claim(given=[*START, more >= 0], then=first + ceiling(more) == together),
        control_says="without the remainder of the first fill, the second is charged too much",
    ),
    Lemma(
        name="the wide charge is the charge",
        says="Whole millions apart, the fee and the rebate of a large notional are those of the fast path.",
        functions=(CHARGE, CHARGE_WIDE, MILLIONTHS),
        claim=Claim(
            given=[whole >= 0, part >= 0, exact == whole * MILLION + part, remainder(excess)],
            then=And(wide_fee == fee, wide_rebate == rebate),
        ),
        control=Claim(
            given=[whole >= 0, part >= 0, exact == whole * MILLION + part, remainder(excess)],
            then=whole + part / MILLION == fee,
        ),
        control_says="rounded down and without the remainder it is another fee",
    ),
    Lemma(
        name="a fee is at most the notional",
        says="At rates up to a million parts per million nobody pays a larger fee than the notional: a seller's net"
        " proceeds are not negative.",
        functions=(CHARGE, ROUNDED_UP, "crates/types/src/fee.rs FeeRate::PPM_MAX"),
        claim=Claim(
            given=[notional >= 0, rate >= 0, rate <= MILLION],
            then=And(ceiling(notional * rate) >= 0, ceiling(notional * rate) <= notional),
        ),
        control=Claim(given=[notional >= 0, rate >= 0, rate <= MILLION + 1], then=ceiling(notional * rate) <= notional),
        control_says="one part per million above the bound it is larger",
    ),
    Lemma(
        name="more costs no less",
        says="Notional with fee, or less rebate, never falls with the notional: halving finds the most that an amount"
        " pays for.",
        functions=(CHARGE, PAYABLE),
        claim=Claim(
            given=[less >= 0, less <= notional, rate >= 0, rebate_rate >= 0, rebate_rate <= MILLION, remainder(excess)],
            then=And(
                less + charged(less * rate, excess)[0] <= notional + charged(notional * rate, excess)[0],
                cost_with_rebate(less) <= cost_with_rebate(notional),
            ),
        ),
        control=Claim(
            given=[less >= 0, less <= notional, rebate_rate == MILLION + 1, remainder(excess)],
            then=cost_with_rebate(less) <= cost_with_rebate(notional),
        ),
        control_says="a rebate above the notional makes more cost less",
    ),
    Lemma(
        name="a taker pays its maker's rebate",
        says="The ceiling of a taker's fee is at least the floor of its maker's rebate when the rates add up to zero or"
        " more.",
        functions=(CHARGE, COVERS_REBATES),
        claim=Claim(
            given=[notional >= 0, rebate_rate >= 0, rebate_rate <= rate],
            then=ceiling(notional * rate) >= floor(notional * rebate_rate),
        ),
        control=Claim(
            given=[notional >= 0, rate >= 0, rebate_rate == rate + 1],
            then=ceiling(notional * rate) >= floor(notional * rebate_rate),
        ),
        control_says="with a rebate one part per million above the fee it is not",
    ),
    Lemma(
        name="fee income is not negative",
        says="However takers and makers are crossed, the sum of the takers' ceilings is at least the sum of the makers'"
        " floors: the fee account never falls below zero by trades.",
        functions=(CHARGE, COVERS_REBATES),
        claim=Claim(given=[*ALL_CROSSED, rebate_rate >= 0, rebate_rate <= rate], then=income >= 0),
        control=Claim(given=[*ALL_CROSSED, rate >= 0, rebate_rate == rate + 1], then=income >= 0),
        control_says="with a rebate one part per million above the fee it falls",
    ),
    Lemma(
        name="a single fill may cost the venue one quantum",
        says="A fill's fee less its rebate is at least minus one: what earlier fills were rounded up is given back.",
        functions=(CHARGE, COVERS_REBATES),
        claim=Claim(given=ONE_FILL, then=one_fill_fee - one_fill_rebate >= -1),
        control=Claim(given=ONE_FILL, then=one_fill_fee - one_fill_rebate >= 0),
        control_says="a payout between two fills can leave the fee account below zero, as the rulebook says",
    ),
]
