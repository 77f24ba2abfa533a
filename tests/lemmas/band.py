"""The price band: its ends are the outermost prices that its parts per million allow."""

from __future__ import annotations

from z3 import And, If, Implies, Ints

from tests.lemmas.fees import MILLION
from tests.lemmas.lemma import Claim, Lemma

AROUND = "crates/risk/src/band.rs Band::around"
CONTAINS = "crates/risk/src/band.rs Band::contains"
I64_MAX = 2**63 - 1

reference, down, up, price = Ints("reference down up price")
kept = MILLION - If(down < MILLION, down, MILLION)
low = (reference * kept + MILLION - 1) / MILLION
high = reference * (MILLION + up) / MILLION
capped_high = If(high > I64_MAX, I64_MAX, high)
GIVEN = [reference > 0, reference <= I64_MAX, down >= 0, up >= 0, up < 2**32]

LEMMAS = [
    Lemma(
        name="the band is never wider than it says",
        says="A price lies in the band exactly when it is at least the reference less its parts and at most the"
        " reference with its parts: both ends are rounded inwards, and by less than a tick.",
        functions=(AROUND, CONTAINS),
        claim=Claim(
            given=GIVEN,
            then=And(
                (low <= price) == (reference * kept <= price * MILLION),
                (price <= high) == (price * MILLION <= reference * (MILLION + up)),
            ),
        ),
        control=Claim(given=GIVEN, then=(reference * kept / MILLION <= price) == (reference * kept <= price * MILLION)),
        control_says="a lower end that is rounded down lets a price in from outside",
    ),
    Lemma(
        name="the band holds its reference",
        says="The reference itself lies in its band, and the ends are not negative and not above the highest price.",
        functions=(AROUND, CONTAINS),
        claim=Claim(
            given=GIVEN,
            then=And(low >= 0, low <= reference, reference <= capped_high, capped_high <= I64_MAX),
        ),
        control=Claim(given=GIVEN, then=And(low <= reference, reference < capped_high)),
        control_says="with no room above, the reference is the upper end",
    ),
    Lemma(
        name="the cap at the highest price changes nothing",
        says="For a price that can be written, the capped end decides as the exact one.",
        functions=(AROUND, CONTAINS),
        claim=Claim(given=[*GIVEN, price <= I64_MAX], then=(price <= capped_high) == (price <= high)),
        control=Claim(given=GIVEN, then=(price <= capped_high) == (price <= high)),
        control_says="for one that cannot be written, it would",
    ),
    Lemma(
        name="the widest lower band ends at nothing",
        says="All of the reference below, or more, is a lower end of zero, and only that is.",
        functions=(AROUND,),
        claim=Claim(given=GIVEN, then=(low == 0) == (down >= MILLION)),
        control=Claim(given=GIVEN, then=Implies(down >= MILLION - 1, low == 0)),
        control_says="one part per million less leaves a tick",
    ),
]
