"""Allocations by hand: the published examples and the edges."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.reference.allocation import (
    PriceTime,
    ProRata,
    Resting,
    Rule,
    Steps,
    TimeProRata,
    allocate,
    time_fractions,
)

A = Steps(top_maximum_lots=1 << 40, minimum_lots=2)


def queue(text: str) -> list[Resting]:
    """A queue as it is written on paper: `10 top, 5, 20 lead0`."""
    orders = []
    for order in text.split(","):
        lots, *words = order.split()
        lead = next((int(word.removeprefix("lead")) for word in words if word.startswith("lead")), None)
        orders.append(Resting(int(lots), is_top="top" in words, lead=lead))
    return orders


@pytest.mark.parametrize(
    ("rule", "quantity", "resting", "shares"),
    [
        # CME's advisory of 2005-02-07 and its page on complex matches.
        (A, 60, "10 top, 5, 20, 50, 75", [10, 3, 6, 16, 25]),
        (A, 501, "100 top, 900, 200, 300, 400, 100", [100, 191, 42, 63, 84, 21]),
        (Steps(top_maximum_lots=100, minimum_lots=2), 501, "1000 top, 200, 300, 400, 100", [291, 42, 63, 84, 21]),
        # Time-pro-rata.
        (TimeProRata(0), 200, "100, 200, 300, 400", [20, 40, 60, 80]),
        (TimeProRata(1), 200, "100, 200, 300, 400", [38, 64, 66, 32]),
        (TimeProRata(3), 200, "100, 200, 300, 400", [70, 83, 42, 5]),
        (TimeProRata(3), 500, "100, 200, 300, 400", [100, 200, 179, 21]),
        (TimeProRata(1), 110, "10, 190", [10, 100]),
        # Everything, nothing, one order.
        (PriceTime(), 12, "5, 5, 5, 5", [5, 5, 2, 0]),
        (A, 0, "5, 5 top", [0, 0]),
        (A, 11, "5, 5 top", [5, 5]),
        (TimeProRata(3), 3, "5", [3]),
        # Rounding and the minimum.
        (ProRata(), 10, "1, 1, 1, 9, 9, 9", [1, 0, 0, 3, 3, 3]),
        (ProRata(4), 10, "5, 5, 5", [5, 5, 0]),
        # Lead market makers.
        (Steps(leads_ppm=(400_000,), fifo_ppm=1_000_000), 11, "100, 100 lead0", [7, 4]),
        (
            Steps(leads_ppm=(400_000, 100_000), fifo_ppm=1_000_000),
            100,
            "20, 30 lead0, 30 lead0, 30 lead1, 30 lead0",
            [20, 30, 30, 20, 0],
        ),
        (Steps(10, (500_000,), 1_000_000), 30, "100, 100 top lead0, 100 lead0", [10, 10, 10]),
        (Steps(leads_ppm=(800_000, 800_000), fifo_ppm=1_000_000), 10, "50, 50 lead1, 50 lead0", [0, 8, 2]),
        # Split and leveling.
        (Steps(fifo_ppm=400_000, minimum_lots=2), 100, "30, 30, 50, 100", [30, 18, 17, 35]),
        (Steps(minimum_lots=2, leveling=True), 10, "4, 4, 4, 34", [1, 1, 1, 7]),
        (Steps(minimum_lots=2, leveling=True), 6, "4, 4, 4, 34", [1, 1, 0, 4]),
        (Steps(2, (500_000,), 500_000, 2, leveling=True), 40, "1, 30 top, 4, 119 lead0", [1, 11, 1, 27]),
    ],
)
def test_by_hand(rule: Rule, quantity: int, resting: str, shares: list[int]) -> None:
    assert allocate(rule, quantity, queue(resting)) == shares


@pytest.mark.parametrize(
    ("weight", "thousandths"),
    [(0, ["100", "200", "300", "400"]), (1, ["190", "320", "330", "160"]), (3, ["343.9", "416", "214.5", "25.6"])],
)
def test_the_fractions_of_the_patent(weight: int, thousandths: list[str]) -> None:
    assert time_fractions([100, 200, 300, 400], weight) == [Fraction(part) / 1_000 for part in thousandths]


def test_nobody_rests() -> None:
    assert allocate(A, 5, []) == []
