"""Circuit breakers: the exchange's own numbers. `crates/risk/tests/breaker.rs` has the same."""

import pytest

from tests.reference.breaker import (
    MINUTE_NS,
    SECOND_NS,
    MoveLimit,
    market_wide_level,
    pause_ns,
    variant_ticks,
)
from tests.reference.codes import Side

HOUR_NS = 60 * MINUTE_NS


def over_an_hour(move_max_ticks: int) -> MoveLimit:
    return MoveLimit(move_max_ticks=move_max_ticks, slot_ns=10 * SECOND_NS, slots=360)


@pytest.mark.parametrize(
    ("settlement", "increment", "expected"),
    [(11_160, 1, 390), (279_000, 25, 9_750), (279_000, 1, 9_765), (-279_000, 25, 9_750), (28, 1, 0), (29, 1, 1)],
)
def test_a_settlement_of_2790_at_3_5_percent_moves_97_50(settlement: int, increment: int, expected: int) -> None:
    assert variant_ticks(settlement, 35_000, increment) == expected


def test_the_band_hangs_between_high_and_low() -> None:
    dynamic = over_an_hour(390)
    assert dynamic.band(0) is None
    dynamic.observe(0, 11_160)
    assert dynamic.band(0) == (10_770, 11_550)
    dynamic.observe(10 * MINUTE_NS, 11_260)
    dynamic.observe(20 * MINUTE_NS, 11_060)
    assert dynamic.band(20 * MINUTE_NS) == (10_870, 11_450)
    assert dynamic.band(70 * MINUTE_NS) == (10_870, 11_450)
    assert dynamic.band(70 * MINUTE_NS + 10 * SECOND_NS) == (10_670, 11_450)
    assert dynamic.band(81 * MINUTE_NS) is None
    dynamic.restart()
    assert dynamic.band(20 * MINUTE_NS) is None


def test_a_trade_trips_outside_the_band_and_an_order_only_towards_the_market() -> None:
    dynamic = over_an_hour(10)
    assert not dynamic.trips(0, 10**9)
    dynamic.observe(0, 100)
    assert [dynamic.trips(0, ticks) for ticks in (89, 90, 110, 111)] == [True, False, False, True]
    assert [dynamic.order_trips(0, Side.BUY, ticks) for ticks in (1, 110, 111)] == [False, False, True]
    assert [dynamic.order_trips(0, Side.SELL, ticks) for ticks in (999, 90, 89)] == [False, False, True]


def test_velocity_is_too_many_ticks_within_a_moment() -> None:
    velocity = MoveLimit(move_max_ticks=6, slot_ns=SECOND_NS // 10, slots=10)
    for now_ns, ticks in ((0, 1_000), (SECOND_NS // 2, 1_003), (SECOND_NS, 1_006)):
        assert not velocity.trips(now_ns, ticks)
        velocity.observe(now_ns, ticks)
    assert velocity.trips(SECOND_NS, 1_007)
    later_ns = SECOND_NS + SECOND_NS // 10
    assert [velocity.trips(later_ns, ticks) for ticks in (1_009, 1_010)] == [False, True]


def test_a_pause_is_short_near_the_close() -> None:
    closes_in = (None, 5 * MINUTE_NS + 1, 5 * MINUTE_NS, 0)
    given = [pause_ns(HOUR_NS, None if left is None else HOUR_NS + left) // SECOND_NS for left in closes_in]
    assert given == [120, 120, 5, 5]


@pytest.mark.parametrize(
    ("index", "close", "reached", "level"),
    [
        *((9_301, 10_000, 0, 0), (9_300, 10_000, 0, 1), (8_701, 10_000, 0, 1), (8_700, 10_000, 0, 2)),
        *((8_001, 10_000, 0, 2), (8_000, 10_000, 0, 3), (-50, 10_000, 0, 3)),
        *(
            (9_000, 10_000, 1, 0),
            (8_600, 10_000, 1, 2),
            (7_000, 10_000, 1, 3),
            (9_000, 10_000, 2, 0),
            (1, 10_000, 3, 0),
        ),
        *((94, 101, 0, 0), (93, 101, 0, 1), (5, 0, 0, 0), (-5, -4, 0, 0)),
    ],
)
def test_the_market_wide_levels_are_7_13_and_20_percent(index: int, close: int, reached: int, level: int) -> None:
    assert market_wide_level(index, close, reached) == level
