"""Conditions of an order: the trigger it waits for, the time at which it expires, and what must trade at once."""

from dataclasses import dataclass

from tests.reference.codes import BASIS_POINTS, PEAKS_MAX, PRICE_MAX, PegKind, PriceSource, Side, TrailUnit, TriggerKind


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
class Iceberg:
    """An order that shows one peak of itself at a time."""

    peak_lots: int
    range_lots: int
    seed: int

    def has_too_many_peaks(self, quantity_lots: int) -> bool:
        """Whether even more peaks of the smallest size than are allowed leave some of the quantity over."""
        return quantity_lots > PEAKS_MAX * self.peak_lots

    def peaks(self, lots_at_a_time: int, drawn: int) -> int:
        """The size of the peak that follows so many drawn ones."""
        choices = self.range_lots // lots_at_a_time + 1
        return self.peak_lots + split_mix(self.seed, drawn) % choices * lots_at_a_time


def split_mix(seed: int, number: int) -> int:
    """The number-th word, from 0, that SplitMix64 gives after a seed."""
    word = (seed + (number + 1) * 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


@dataclass(frozen=True, slots=True)
class Peg:
    """A price that is tied to the best displayed ones."""

    kind: PegKind
    is_fixed: bool
    offset: int
    """In price levels when it is fixed, in ticks when it follows."""


@dataclass(frozen=True, slots=True)
class Conditions:
    trigger: Trigger | None = None
    expire_time_ns: int = 0
    """0 is never."""
    minimum_lots: int = 0
    """0 is no minimum."""
    iceberg: Iceberg | None = None
    hidden: bool = False
    peg: Peg | None = None

    @property
    def follows(self) -> bool:
        """Whether the price follows others as long as the order is open."""
        return self.peg is not None and not self.peg.is_fixed


UNCONDITIONAL = Conditions()
