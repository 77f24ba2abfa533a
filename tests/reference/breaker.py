"""Circuit breakers as they are written: the list of all prices, looked through each time."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.codes import PPM, Side

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
MARKET_WIDE_PERCENT = (7, 13, 20)
"""The falls of an index below its reference close that stop the whole market: levels 1, 2 and 3."""


def variant_ticks(settlement_ticks: int, share_ppm: int, increment_ticks: int) -> int:
    """How far a price may move: a share of the settlement price, rounded down to the increment."""
    return abs(settlement_ticks) * share_ppm // (PPM * increment_ticks) * increment_ticks


@dataclass(slots=True, kw_only=True)
class MoveLimit:
    """A price may be so far from the lowest and the highest of the last `slots` slots and the present one."""

    move_max_ticks: int
    slot_ns: int
    slots: int
    seen: list[tuple[int, int]] = field(default_factory=list)
    """Time and price of every trade since the restart."""

    def prices(self, now_ns: int) -> list[int]:
        return [ticks for seen_ns, ticks in self.seen if now_ns // self.slot_ns - seen_ns // self.slot_ns <= self.slots]

    def band(self, now_ns: int) -> tuple[int, int] | None:
        """The lowest and the highest price that do not trip; None while any price may be the first."""
        prices = self.prices(now_ns)
        if not prices:
            return None
        return max(prices) - self.move_max_ticks, min(prices) + self.move_max_ticks

    def trips(self, now_ns: int, ticks: int) -> bool:
        """Whether a trade at this price would be further than that from any price of the window."""
        return any(abs(ticks - other) > self.move_max_ticks for other in self.prices(now_ns))

    def order_trips(self, now_ns: int, side: Side, ticks: int) -> bool:
        """Whether an order is so far through the market. Away from it no order is too far."""
        distances = [ticks - other if side is Side.BUY else other - ticks for other in self.prices(now_ns)]
        return any(distance > self.move_max_ticks for distance in distances)

    def observe(self, now_ns: int, ticks: int) -> None:
        self.seen.append((now_ns, ticks))

    def restart(self) -> None:
        self.seen.clear()


def pause_ns(now_ns: int, close_ns: int | None) -> int:
    """How long the dynamic circuit breaker pauses trading: two minutes, five seconds in the last five minutes."""
    near_close = close_ns is not None and close_ns - now_ns <= 5 * MINUTE_NS
    return 5 * SECOND_NS if near_close else 2 * MINUTE_NS


def market_wide_level(index_ticks: int, reference_close_ticks: int, reached: int = 0) -> int:
    """The level that an index newly reaches, above the one `reached` before; 0 is none."""
    if reference_close_ticks <= 0:
        return 0
    fall = reference_close_ticks - index_ticks
    level = sum(fall * 100 >= reference_close_ticks * percent for percent in MARKET_WIDE_PERCENT)
    return level if level > reached else 0
