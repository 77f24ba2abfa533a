"""Circuit breakers: a window never spans more than its limit, and a fall reaches the levels that it should."""

from __future__ import annotations

from z3 import And, If, Implies, Ints

from tests.lemmas.lemma import Claim, Formula, Lemma

BAND = "crates/risk/src/breaker.rs MoveLimit::band"
NEWLY_REACHED = "crates/risk/src/breaker.rs MarketWideLevel::newly_reached"
PERCENT = "crates/risk/src/breaker.rs MarketWideLevel::fall_percent"

low, high, limit, price = Ints("low high limit price")
WINDOW = [limit > 0, low <= high, high - low <= limit]
IN_BAND = [*WINDOW, high - limit <= price, price <= low + limit]
new_low, new_high = If(price < low, price, low), If(price > high, price, high)

index, close, deeper = Ints("index close deeper")


def level(at: Formula) -> Formula:
    """Return the level that an index has reached, 0 for none."""

    def fallen(percent: int) -> Formula:
        return (close - at) * 100 >= close * percent

    return If(fallen(20), 3, If(fallen(13), 2, If(fallen(7), 1, 0)))


LEMMAS = [
    Lemma(
        name="a window never spans more than its limit",
        says="When a price that does not trip joins the window, its highest and its lowest are again no more than the"
        " limit"
        " apart: by induction always.",
        functions=(BAND,),
        claim=Claim(given=IN_BAND, then=new_high - new_low <= limit),
        control=Claim(given=[*WINDOW, low - limit <= price, price <= high + limit], then=new_high - new_low <= limit),
        control_says="a band around both ends outwards would let it grow",
    ),
    Lemma(
        name="a breaker leaves room to trade",
        says="The band of a window is not empty and holds every price of the window.",
        functions=(BAND,),
        claim=Claim(
            given=[*WINDOW, low <= price, price <= high],
            then=And(high - limit <= low + limit, high - limit <= price, price <= low + limit),
        ),
        control=Claim(given=[*WINDOW, low <= price, price <= high], then=high - limit < price),
        control_says="a lowest price as far as the limit below the highest is the band's end",
    ),
    Lemma(
        name="a deeper fall reaches no lower level",
        says="When the index stands lower, the level that it has reached is the same or a higher one; at the close"
        " itself there"
        " is none.",
        functions=(NEWLY_REACHED, PERCENT),
        claim=Claim(
            given=[close > 0, deeper <= index, index <= close],
            then=And(level(deeper) >= level(index), level(close) == 0),
        ),
        control=Claim(given=[deeper <= index, index <= close], then=level(close) == 0),
        control_says="without a positive close the close itself would be a fall of everything",
    ),
    Lemma(
        name="a level is reached exactly at its percent",
        says="An index of whole percents below a close of a hundred parts has reached a level from that percent on,"
        " not a part"
        " earlier.",
        functions=(NEWLY_REACHED, PERCENT),
        claim=Claim(
            given=[close > 0, index <= close],
            then=And(
                Implies(100 * index == 93 * close, level(index) == 1),
                Implies(100 * index > 93 * close, level(index) == 0),
                Implies(100 * index == 80 * close, level(index) == 3),
            ),
        ),
        control=Claim(given=[close > 0, index <= close], then=Implies(100 * index == 80 * close, level(index) == 2)),
        control_says="at twenty percent it is the third",
    ),
]
