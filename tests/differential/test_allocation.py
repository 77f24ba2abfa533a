"""The allocation rules of the engine against those of the reference, over random queues of one price."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.reference.allocation import PriceTime, ProRata, Resting, Rule, Steps, TimeProRata, allocate
from tests.reference.codes import PPM
from tradewright import _core

CASES = 20_000
LEADS_MAX = 8
LOTS_MAX = 1 << 40


def engine(rule: Rule, quantity: int, resting: list[Resting]) -> list[int]:
    orders = [(order.open_lots, order.is_top, order.lead) for order in resting]
    match rule:
        case PriceTime():
            return _core.allocate("price_time", quantity, orders)
        case ProRata(minimum):
            return _core.allocate("pro_rata", quantity, orders, minimum_lots=minimum)
        case TimeProRata(weight):
            return _core.allocate("time_pro_rata", quantity, orders, weight=weight)
        case Steps(top_maximum, leads, fifo, minimum, leveling):
            return _core.allocate(
                "steps",
                quantity,
                orders,
                minimum_lots=minimum,
                top_maximum_lots=top_maximum,
                leads_ppm=list(leads),
                fifo_ppm=fifo,
                leveling=leveling,
            )


def scale(random: Random) -> int:
    """A bound for quantities: as often small as large."""
    return 1 << random.randint(1, 40)


def minimum(random: Random) -> int:
    return random.choice([0, 1, 2, 2, 3, random.randint(0, scale(random))])


def steps(random: Random) -> Steps:
    shares = [random.choice([0, 100_000, 250_000, random.randint(0, PPM)]) for _ in range(random.randint(0, LEADS_MAX))]
    # No more is promised than there is.
    leads = tuple(share for n, share in enumerate(shares) if sum(shares[: n + 1]) <= PPM)
    return Steps(
        top_maximum_lots=random.choice([None, LOTS_MAX, random.randint(1, scale(random))]),
        leads_ppm=leads,
        fifo_ppm=random.choice([0, 0, 400_000, random.randint(0, PPM), PPM]),
        minimum_lots=minimum(random),
        leveling=random.random() < 0.5,
    )


def rule(random: Random) -> Rule:
    match random.randrange(8):
        case 0:
            return PriceTime()
        case 1:
            return ProRata(minimum(random))
        case 2 | 3 | 4:
            return TimeProRata(random.choice([0, 1, 3, 3]))
        case _:
            return steps(random)


def queue(random: Random) -> list[Resting]:
    bound = scale(random)
    count = random.randint(50, 300) if random.random() < 0.01 else random.randint(0, 10)
    top = random.randrange(2 * count + 1)
    return [
        Resting(
            # Some queues of equals, and sizes of all scales side by side.
            open_lots=random.choice([bound, random.randint(1, bound), random.randint(1, scale(random))]),
            is_top=n == top,
            lead=random.randrange(LEADS_MAX) if random.random() < 0.4 else None,
        )
        for n in range(count)
    ]


def incoming(random: Random, total: int) -> int:
    near = total - random.randint(-1, 3)
    return random.choice([max(0, near), random.randint(0, total), random.randint(0, min(total, scale(random)))])


def test_the_engine_shares_as_the_reference_does() -> None:
    reached: Counter[str] = Counter()
    for seed in range(CASES):
        random = Random(seed)  # noqa: S311 - cases that can be had again, not secrets
        by, resting = rule(random), queue(random)
        total = sum(order.open_lots for order in resting)
        quantity = incoming(random, total)
        expected = allocate(by, quantity, resting)
        assert engine(by, quantity, resting) == expected, f"{seed=} {by=} {quantity=} {resting=}"
        assert sum(expected) == min(quantity, total)
        reached[type(by).__name__] += 1
        reached["exception"] += quantity >= total
        reached["redistribution"] += (
            isinstance(by, TimeProRata) and quantity < total and bool(resting) and expected[0] == resting[0].open_lots
        )
    assert min(reached.values()) > 500, reached


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        ("fifo", {}, "rule="),
        ("time_pro_rata", {"weight": 2}, "weight=2"),
        ("steps", {"leads_ppm": [0] * 9}, "9 entries"),
        ("steps", {"leads_ppm": [PPM, 1]}, "LeadsAboveWhole"),
        ("steps", {"fifo_ppm": PPM + 1}, "SplitAboveWhole"),
        ("steps", {"top_maximum_lots": 0}, "TopMaximumIsZero"),
        ("pro_rata", {"minimum_lots": LOTS_MAX + 1}, "MinimumOutOfRange"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.allocate(rule, 1, [(5, False, None)], **arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_a_lead_that_cannot_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="lead=8"):
        _core.allocate("steps", 1, [(5, False, LEADS_MAX)])
