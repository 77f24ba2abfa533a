"""Settlement: each posting has two sides, so a trade makes no money and loses none.

The postings are written down as `settlement.rs` makes them, for two fills of one taker, and summed by asset.
"""

from __future__ import annotations

from z3 import And, If, Int, Ints, Or

from tests.lemmas.lemma import Claim, Formula, Lemma

SETTLE_MAKER = "crates/ledger/src/settlement.rs Ledger::settle_maker"
SETTLE_TAKER = "crates/ledger/src/settlement.rs Ledger::settle_taker"
SETTLE_PREVENTED = "crates/ledger/src/settlement.rs Ledger::settle_prevented"
PAID = "crates/ledger/src/settlement.rs TakerSettlement::paid"

buys = Int("buys") == 1
hold, keep = Ints("hold keep")
FILLS = [Ints(f"base_{n} notional_{n} taker_fee_{n} maker_fee_{n}") for n in range(2)]
base, notional, taker_fees, maker_fees = (FILLS[0][n] + FILLS[1][n] for n in range(4))
Posting = tuple[Formula, Formula]
"""What is added to the base and to the quote of an account, available and held together."""


def maker_posting(fill: list[Formula]) -> Posting:
    fill_base, fill_notional, _, maker_fee = fill
    return (
        If(buys, -fill_base, fill_base),
        # A maker that sells gets the notional less its fee; one that buys pays both, a rebate comes in free.
        If(buys, fill_notional - maker_fee, -fill_notional - maker_fee),
    )


paid = If(buys, notional + taker_fees, base)
back = hold - paid - keep
taker_posting = (If(buys, base, -(hold - keep) + back), If(buys, -(hold - keep) + back, notional - taker_fees))
fee_posting = (0, taker_fees + maker_fees)
POSTINGS = [*(maker_posting(fill) for fill in FILLS), taker_posting, fee_posting]


def total(asset: int, postings: list[Posting]) -> Formula:
    return sum((posting[asset] for posting in postings[1:]), postings[0][asset])


maker_fee = Int("maker_fee")
maker_notional, maker_held = Ints("maker_notional maker_held")
held_after = If(maker_fee > 0, maker_held - (maker_notional + maker_fee), maker_held - maker_notional)
available_after = If(maker_fee > 0, 0, -maker_fee)
moved_base, moved_notional = Ints("moved_base moved_notional")

LEMMAS = [
    Lemma(
        name="a trade conserves every asset",
        says="Base and quote of the makers, the taker and the fee account add up to what they were, for any fills,"
        " fees and holds.",
        functions=(SETTLE_MAKER, SETTLE_TAKER),
        claim=Claim(then=And(total(0, POSTINGS) == 0, total(1, POSTINGS) == 0)),
        control=Claim(then=total(1, [*POSTINGS[:-1], (0, taker_fees)]) == 0),
        control_says="if the fee account got the takers' fees alone, the makers' would be lost",
    ),
    Lemma(
        name="what a covered taker gets back is not negative",
        says="With a hold that covers what was paid and what goes on being held, the taker's held falls by exactly what"
        " it held for this order less what it keeps, and nothing that is available goes below zero.",
        functions=(SETTLE_TAKER, PAID),
        claim=Claim(given=[keep >= 0, hold >= paid + keep], then=And(back >= 0, hold - keep - back == paid)),
        control=Claim(given=[keep >= 0, hold >= paid], then=back >= 0),
        control_says="a hold that covers what was paid and not what rests is not enough",
    ),
    Lemma(
        name="a maker's bid is paid out of its hold alone",
        says="What a buying maker's balance loses in all is notional and fee, its available never falls, and its held"
        " falls by no more than both.",
        functions=(SETTLE_MAKER,),
        claim=Claim(
            given=[maker_notional >= 0],
            then=And(
                held_after + available_after == maker_held - maker_notional - maker_fee,
                available_after >= 0,
                Or(held_after == maker_held - maker_notional - maker_fee, maker_fee <= 0),
            ),
        ),
        control=Claim(given=[maker_notional >= 0], then=held_after == maker_held - maker_notional - maker_fee),
        control_says="a rebate is not held: it comes in free",
    ),
    Lemma(
        name="a transfer conserves every asset",
        says="When prevention moves base and notional between two accounts, both sides add up to nothing.",
        functions=(SETTLE_PREVENTED,),
        claim=Claim(
            then=And(-moved_base + moved_base == 0, total(1, [(0, -moved_notional), (0, moved_notional)]) == 0)
        ),
        control=Claim(then=total(1, [(0, -moved_notional), (0, moved_notional + maker_fee)]) == 0),
        control_says="with a fee it would not, unless the fee account got it",
    ),
]
