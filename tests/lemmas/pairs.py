"""What a pair holds, of which one leg cancels the other: once, for the leg that needs more."""

from __future__ import annotations

from z3 import And, If, Ints

from tests.lemmas.lemma import Claim, Formula, Lemma

HOLD_PAIR = "crates/risk/src/gate/legs.rs Gate::hold_pair"
UNTIE = "crates/engine/src/legs.rs Floor::untie_because"
END_LIST = "crates/engine/src/legs.rs Floor::end_list"

kept, other = Ints("kept other")
BOTH = [kept >= 0, other >= 0]


def larger(one: Formula, two: Formula) -> Formula:
    return If(one > two, one, two)


held = larger(kept, other)
given_back = If(other - kept > 0, other - kept, 0)

LEMMAS = [
    Lemma(
        name="a pair holds for either leg",
        says="What a pair holds is enough for each of its legs, and no more than both would hold apart.",
        functions=(HOLD_PAIR, END_LIST),
        claim=Claim(given=BOTH, then=And(held >= kept, held >= other, held <= kept + other)),
        control=Claim(given=BOTH, then=held < kept + other),
        control_says="when one leg needs nothing it holds what both would",
    ),
    Lemma(
        name="who goes on alone holds what it needs",
        says="When one leg of a pair goes, what is given back leaves exactly what the other one holds by itself, and is"
        " neither less than nothing nor more than was held.",
        functions=(HOLD_PAIR, UNTIE),
        claim=Claim(given=BOTH, then=And(held - given_back == kept, given_back >= 0, given_back <= held)),
        control=Claim(given=BOTH, then=held - other == kept),
        control_says="giving back what the other one holds leaves too little",
    ),
]
