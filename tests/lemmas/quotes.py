"""What a mass quote must be covered with: all that enters, before anything does."""

from __future__ import annotations

from z3 import And, If, Int, Ints

from tests.lemmas.fees import CHARGE, MILLION, ceiling, remainder
from tests.lemmas.holds import BID_HOLD, ENTRY_HOLD, RESTING_HOLD, bid_hold
from tests.lemmas.lemma import Claim, Formula, Lemma

QUOTE_COVER = "crates/risk/src/gate.rs Gate::quote_cover"
HOLD_COVER = "crates/risk/src/gate.rs Gate::hold_quote_cover"
HOLD_QUOTE = "crates/risk/src/gate.rs Gate::hold_quote"
TOGETHER = "crates/engine/src/quotes.rs Engine::check_quotes_together"
SHRINK = "crates/engine/src/quotes.rs Floor::shrink_quote"

notional, taker, maker = Ints("notional taker maker")
may_take = Int("may_take") == 1
counted_taker, counted_maker = If(taker > 0, taker, 0), If(maker > 0, maker, 0)
counted_taker = If(may_take, counted_taker, 0)
RATES = [notional >= 0, taker >= -MILLION, taker <= MILLION, maker >= -MILLION, maker <= MILLION]


def cover(taker: Formula, maker: Formula) -> Formula:
    """Return what a bid must be covered with at the rates that count."""
    both = If(taker > 0, If(maker > 0, 1, 0), 0)
    return notional + ceiling(notional * If(taker > maker, taker, maker)) + both


available, freed, first, second, holds_first, holds_second = Ints("available freed first second held_1 held_2")
left = available + freed
# Each check looks at what those before it leave.
TOGETHER_COVERED = [left >= first, left - first >= second]
# A quote whose turn it is holds no more than it was covered with.
TURNS = [holds_first >= 0, holds_first <= first, holds_second >= 0, holds_second <= second]

rests, less, rate, excess = Ints("rests less rate excess")
SHRINKS = [rests >= 0, less >= 0, rate >= -MILLION, rate <= MILLION, remainder(excess)]
given_back = bid_hold(rests + less, rate, excess) - bid_hold(rests, rate, excess)

LEMMAS = [
    Lemma(
        name="a quote is covered for resting",
        says="What a bid of a mass quote was covered with is at least what it holds when it meets nobody: in its turn"
        " it takes nothing that is available.",
        functions=(QUOTE_COVER, HOLD_QUOTE, ENTRY_HOLD, BID_HOLD, RESTING_HOLD, CHARGE),
        claim=Claim(
            given=RATES,
            then=And(
                cover(counted_taker, counted_maker) >= bid_hold(notional, maker, 0),
                cover(counted_taker, counted_maker) >= notional,
            ),
        ),
        control=Claim(given=RATES, then=cover(counted_taker, 0) >= bid_hold(notional, maker, 0)),
        control_says="covered for taking alone it could rest and need more",
    ),
    Lemma(
        name="quotes are covered one beside the other",
        says="When each quote that enters finds its cover in what those before it leave, all covers together are there,"
        " with what leaves; and so is every step from the covers to what is held.",
        functions=(TOGETHER, HOLD_COVER, HOLD_QUOTE),
        claim=Claim(
            given=[*TOGETHER_COVERED, *TURNS],
            then=And(
                left - first - second >= 0,
                left - holds_first - second >= 0,
                left - holds_first - holds_second >= 0,
            ),
        ),
        control=Claim(
            given=[left >= first, left >= second, first >= 0, second >= 0],
            then=left - first - second >= 0,
        ),
        control_says="each covered by all that is there, both are not",
    ),
    Lemma(
        name="a quote that shrinks gives back its part",
        says="A bid that keeps its place with less open gives back at least the notional of what it lost: what the"
        " check counted as there is there.",
        functions=(SHRINK, TOGETHER, BID_HOLD, RESTING_HOLD, CHARGE),
        claim=Claim(given=SHRINKS, then=given_back >= less),
        control=Claim(given=SHRINKS, then=given_back == less),
        control_says="at a fee it is more",
    ),
]
