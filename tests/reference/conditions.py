"""Conditions of an order: the trigger it waits for, the time at which it expires, and what must trade at once."""

from dataclasses import dataclass

from tests.reference.codes import BASIS_POINTS, PRICE_MAX, PriceSource, Side, TrailUnit, TriggerKind


@dataclass(frozen=True, slots=True)
class Trail:
    """How far a trigger stays behind the price that it follows."""

    unit: TrailUnit
    size: int

    def trigger_ticks(self, side: Side, price_ticks: int) -> int:
        """The trigger price that belongs to a price: above it for a bid, below it for an ask."""
        distance = self.size
        if self.unit is TrailUnit.BASIS_POINTS:
            distance = max(price_ticks * self.size // BASIS_POINTS, 1)
        trigger = price_ticks + distance if side is Side.BUY else price_ticks - distance
        return min(max(trigger, 1), PRICE_MAX)


@dataclass(frozen=True, slots=True)
class Trigger:
    kind: TriggerKind
    source: PriceSource
    price_ticks: int | None
    """None for a trail that starts from the price there is."""
    trail: Trail | None

    def rises(self, side: Side) -> bool:
        """Whether it fires when the price comes up to it; otherwise it fires when the price comes down to it."""
        return (self.kind is TriggerKind.STOP_LOSS) == (side is Side.BUY)

    def is_reached(self, side: Side, trigger_ticks: int, price_ticks: int) -> bool:
        """Whether a price of its source lets it fire."""
        return price_ticks >= trigger_ticks if self.rises(side) else price_ticks <= trigger_ticks


@dataclass(frozen=True, slots=True)
class Conditions:
    trigger: Trigger | None = None
    expire_time_ns: int = 0
    """0 is never."""
    minimum_lots: int = 0
    """0 is no minimum."""


UNCONDITIONAL = Conditions()
