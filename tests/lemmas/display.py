"""Peaks and pegs: what an iceberg shows next, and where a peg may stand."""

from __future__ import annotations

from z3 import And, ArithRef, BoolRef, Implies, Ints, Or

from tests.lemmas.lemma import Claim, Lemma

DRAW = "crates/types/src/conditions.rs Iceberg::draw"
TOO_MANY = "crates/types/src/conditions.rs Iceberg::has_too_many_peaks"
SHOW = "crates/engine/src/icebergs.rs Floor::show_peak"
PEG = "crates/types/src/conditions.rs Peg::price"

# A peak: `draw` is what the generator gave, `steps` how many increments fit into the range.
opened, peak, span, increment, steps, draw = Ints("opened peak span increment steps draw")
grown = peak + draw * increment
shown, kept = Ints("shown kept")
DRAWN = [
    And(opened > 0, peak > 0, span >= 0, increment > 0, steps >= 0),
    And(steps * increment <= span, span < steps * increment + increment),
    And(draw >= 0, draw <= steps),
    # What follows from the three lines above, said for the solver: products of variables are hard for it.
    draw * increment <= steps * increment,
]
SHOWN = [*DRAWN, Or(shown == grown, shown == opened), shown <= grown, shown <= opened, kept == opened - shown]

# A bid's peg in half ticks, in which there is a middle: the multiple of the increment at or below what it wants.
own, opposite, offset, limit, barrier, step = Ints("own opposite offset limit barrier step")
bid, ask, wanted_bid, wanted_ask = Ints("bid ask wanted_bid wanted_ask")
BOOK = [own > 0, opposite > own, offset >= 0, step > 0]
ROUNDED = [bid <= wanted_bid, wanted_bid < bid + step, wanted_ask <= ask, ask < wanted_ask + step]


def at_most(*parts: ArithRef) -> BoolRef:
    """`wanted_bid` is the least of these."""
    return And(*(wanted_bid <= part for part in parts), Or(*(wanted_bid == part for part in parts)))


MIDDLE = [2 * wanted_bid <= own + opposite - 2 * offset, 2 * wanted_ask >= own + opposite + 2 * offset]

LEMMAS = [
    Lemma(
        name="a peak is between its bounds",
        says="An iceberg shows at least its smallest peak and at most its largest, but never more than is open; what it"
        " shows and its reserve are what is open, and something shows as long as anything is open.",
        functions=(DRAW, SHOW),
        claim=Claim(
            given=SHOWN,
            then=And(
                shown >= 1,
                Or(shown >= peak, shown == opened),
                shown <= peak + span,
                kept >= 0,
                shown + kept == opened,
            ),
        ),
        control=Claim(given=DRAWN, then=And(grown <= peak + span, grown <= opened)),
        control_says="a drawn peak may be more than what is open",
    ),
    Lemma(
        name="a peak takes a bounded part",
        says="What is open behind a peak that has traded is less by the smallest peak, or nothing: so an order that is"
        " let in by the bound on peaks shows no more of them than that.",
        functions=(DRAW, SHOW, TOO_MANY),
        claim=Claim(given=SHOWN, then=Or(kept == 0, kept <= opened - peak)),
        control=Claim(given=SHOWN, then=Or(kept == 0, kept <= opened - peak - 1)),
        control_says="it need not be less by more",
    ),
    Lemma(
        name="a peg is never better than its limit",
        says="A pegged bid stands at or below its limit and what it wants, an increment below whatever it must not"
        " reach, and less than an increment below the least of them.",
        functions=(PEG,),
        claim=Claim(
            given=[*BOOK, *ROUNDED, at_most(own - offset, limit, barrier - step)],
            then=And(
                bid <= limit,
                bid + step <= barrier,
                bid <= own - offset,
                Or(bid + step > limit, bid + 2 * step > barrier, bid + step > own - offset),
            ),
        ),
        control=Claim(
            given=[*BOOK, wanted_bid <= bid, bid < wanted_bid + step, at_most(own - offset, limit, barrier - step)],
            then=And(bid <= limit, bid + step <= barrier),
        ),
        control_says="rounded up, it could stand above its limit or meet somebody",
    ),
    Lemma(
        name="a market peg leaves an increment",
        says="Between a bid that is pegged to the market and the best displayed ask there is an increment at least,"
        " whatever its offset.",
        functions=(PEG,),
        claim=Claim(
            given=[*BOOK, *ROUNDED, wanted_bid <= opposite - offset, wanted_bid <= opposite - step],
            then=bid + step <= opposite,
        ),
        control=Claim(given=[*BOOK, *ROUNDED, wanted_bid <= opposite - offset], then=bid + step <= opposite),
        control_says="with no offset it would stand at the ask",
    ),
    Lemma(
        name="midpoint pegs of both sides do not cross",
        says="A midpoint bid is below every ask and no higher than a midpoint ask: both are rounded away from the"
        " middle.",
        functions=(PEG,),
        claim=Claim(
            given=[*BOOK, *ROUNDED, *MIDDLE],
            then=And(bid < opposite, own < ask, bid <= ask),
        ),
        control=Claim(
            given=[
                *BOOK,
                *MIDDLE,
                wanted_bid <= bid,
                bid < wanted_bid + step,
                wanted_ask <= ask,
                ask < wanted_ask + step,
            ],
            then=Implies(offset == 0, bid <= ask),
        ),
        control_says="rounded the same way, the bid could stand above the ask",
    ),
]
