"""Instruments: their units, their limits, their price band, and the book of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reference.allocation import PriceTime, Rule
from tests.reference.book import Book
from tests.reference.codes import PPM, TICKS_MAX, PriceSource, Side
from tests.reference.fees import ceil_div

if TYPE_CHECKING:
    from tests.reference.orders import Order


@dataclass(frozen=True, slots=True)
class Units:
    """How ticks and lots turn into money."""

    base: int
    quote: int
    quote_quanta_per_tick_lot: int
    base_quanta_per_lot: int

    def notional(self, price_ticks: int, quantity_lots: int) -> int:
        """The quote quanta that a quantity is worth at a price."""
        return price_ticks * quantity_lots * self.quote_quanta_per_tick_lot

    def base_quanta(self, quantity_lots: int) -> int:
        return quantity_lots * self.base_quanta_per_lot


@dataclass(frozen=True, slots=True)
class Limits:
    """What an instrument accepts. Bounds are inclusive."""

    price_increment_ticks: int
    band_down_ppm: int
    band_up_ppm: int
    quantity_increment_lots: int
    quantity_min_lots: int
    quantity_max_lots: int
    notional_min_quanta: int
    notional_max_quanta: int

    def whole_increments(self, quantity_lots: int) -> int:
        """The quantity rounded down to the quantity increment."""
        return quantity_lots - quantity_lots % self.quantity_increment_lots


@dataclass(slots=True)
class Instrument:
    id: int
    name: bytes
    units: Units
    limits: Limits
    fee_schedule: int
    halted: bool = False
    set_price_ticks: int | None = None
    """The reference price that a command set."""
    last_price_ticks: int | None = None
    mark_price_ticks: int | None = None
    index_price_ticks: int | None = None
    allocation: Rule = field(default_factory=PriceTime)
    top_lots: tuple[int, int] | None = None
    """What an order must have to become TOP, and what it gets of each taker; None without TOP."""
    tops: dict[Side, Order | None] = field(default_factory=lambda: dict.fromkeys(Side))
    """The TOP order of each side."""
    leads: dict[int, int] = field(default_factory=dict)
    """What each lead market maker gets, in parts per million."""
    trades: int = 0
    prevented_matches: int = 0
    book: Book = field(default_factory=Book)
    waiting: list[Order] = field(default_factory=list)
    """Orders that wait for their triggers; of two with one trigger price, the one that came there first is in front."""

    @property
    def reference_price_ticks(self) -> int | None:
        """The centre of the band: set by command, else the last trade."""
        return self.last_price_ticks if self.set_price_ticks is None else self.set_price_ticks

    def price_of(self, source: PriceSource) -> int | None:
        """The price that triggers look at."""
        return {
            PriceSource.LAST: self.last_price_ticks,
            PriceSource.MARK: self.mark_price_ticks,
            PriceSource.INDEX: self.index_price_ticks,
        }[source]

    def band(self, reference_ticks: int) -> tuple[int, int]:
        """The lowest and the highest price that an order may have."""
        low = ceil_div(reference_ticks * (PPM - self.limits.band_down_ppm), PPM)
        high = reference_ticks * (PPM + self.limits.band_up_ppm) // PPM
        return low, min(high, TICKS_MAX)

    def worst_price(self, side: Side, reference_ticks: int) -> int:
        """The limit of a market order: the band's edge."""
        low, high = self.band(reference_ticks)
        return high if side is Side.BUY else max(low, 1)
