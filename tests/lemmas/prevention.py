"""Self-trade prevention: `original - executed - prevented = open` holds for both orders in every mode."""

from __future__ import annotations

from z3 import And, If, Implies, Ints, Or

from tests.lemmas.lemma import Claim, Formula, Lemma

PREVENT = "crates/engine/src/prevention.rs Floor::prevent"

NONE, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT, TRANSFER = range(6)

mode = Ints("mode")[0]
taker_original, taker_executed, taker_prevented, taker_open = Ints(
    "taker_original taker_executed taker_prevented taker_open"
)
maker_original, maker_executed, maker_prevented, maker_open = Ints(
    "maker_original maker_executed maker_prevented maker_open"
)
smaller = If(taker_open < maker_open, taker_open, maker_open)
moves_both = Or(mode == DECREMENT, mode == TRANSFER)
from_taker = If(moves_both, smaller, If(Or(mode == EXPIRE_TAKER, mode == EXPIRE_BOTH), taker_open, 0))
from_maker = If(moves_both, smaller, If(mode == EXPIRE_TAKER, 0, maker_open))
closes_taker = If(moves_both, from_taker == taker_open, Or(mode == EXPIRE_TAKER, mode == EXPIRE_BOTH))
closes_maker = from_maker == maker_open


def identity(original: Formula, executed: Formula, prevented: Formula, open_lots: Formula) -> Formula:
    return original - executed - prevented == open_lots


MEET = [mode >= EXPIRE_TAKER, mode <= TRANSFER, taker_open > 0, maker_open > 0]
HOLDS = [
    *MEET,
    identity(taker_original, taker_executed, taker_prevented, taker_open),
    identity(maker_original, maker_executed, maker_prevented, maker_open),
]
taker_after, maker_after = taker_open - from_taker, maker_open - from_maker


def after(taken: Formula, made: Formula) -> Formula:
    """Return the identity of both orders with these prevented quantities added."""
    return And(
        identity(taker_original, taker_executed, taker_prevented + taken, taker_after),
        identity(maker_original, maker_executed, maker_prevented + made, maker_after),
    )


LEMMAS = [
    Lemma(
        name="prevention keeps the identity",
        says="What an order had, less what traded, less what was prevented, is what is open: for taker and maker, in"
        " every mode, after every prevented match. A trade keeps it too.",
        functions=(PREVENT,),
        claim=Claim(
            given=HOLDS,
            then=And(
                after(from_taker, from_maker),
                identity(taker_original, taker_executed + smaller, taker_prevented, taker_open - smaller),
            ),
        ),
        control=Claim(given=HOLDS, then=after(from_taker, from_taker)),
        control_says="noting for the maker what the taker loses breaks it",
    ),
    Lemma(
        name="prevention takes no more than is open",
        says="Neither order falls below nothing, and one that is at nothing is closed, and no other.",
        functions=(PREVENT,),
        claim=Claim(
            given=MEET,
            then=And(
                taker_after >= 0,
                maker_after >= 0,
                closes_taker == (taker_after == 0),
                closes_maker == (maker_after == 0),
            ),
        ),
        control=Claim(given=MEET, then=closes_taker == (maker_after > 0)),
        control_says="both may be closed at once",
    ),
    Lemma(
        name="prevention ends",
        says="When the taker goes on, the maker it met is gone: no pair meets twice.",
        functions=(PREVENT,),
        claim=Claim(given=MEET, then=Or(closes_taker, closes_maker)),
        control=Claim(given=MEET, then=Implies(closes_taker, closes_maker)),
        control_says="a taker that expires leaves the maker where it is",
    ),
]
