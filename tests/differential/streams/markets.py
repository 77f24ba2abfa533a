"""The small, crowded venue of the streams: who trades there, and on which markets."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.reference import records
from tests.reference.instruments import Units

SECOND_NS = 1_000_000_000
CLIENTS = range(2, 8)
HOUSES = range(8, 10)
TRADERS = range(2, 10)
SESSIONS = [0, 1, 2, 2**32 - 1]
"""By which commands come; 0 is none."""
ASSETS = 5
HUGE_BASE, HUGE_QUOTE = 3, 4
RICH = (2, 3, 4, 8)
"""Those who have the huge assets."""
HUGE_INSTRUMENTS = (2, 3)
"""One of huge prices, one of tiny units: amounts come to more lots there than any quantity may have."""
FEE_SCHEDULE_WITH_REBATES = 1


@dataclass(frozen=True, slots=True)
class Market:
    """An instrument of the venue, and the range in which its orders are drawn."""

    name: bytes
    units: Units
    fee_schedule: int
    price_middle: int
    price_increment: int
    quantity_increment: int
    quantity_max: int
    notional_min: int
    notional_max: int
    band_down_ppm: int
    band_up_ppm: int

    def limits_record(self, random: Random | None = None) -> bytes:
        """The limits of the listing; with `random` another set that the venue may change to."""
        price_increment, quantity_increment = self.price_increment, self.quantity_increment
        down, up = self.band_down_ppm, self.band_up_ppm
        if random is not None:
            price_increment = random.choice([price_increment, price_increment, 1])
            quantity_increment = random.choice([quantity_increment, quantity_increment, 1, 3])
            down, up = random.choice([(down, up), (1_000_000, 2**32 - 1), (20_000, 30_000)])
        return records.limits_record(
            price_increment_ticks=price_increment,
            quantity_increment_lots=quantity_increment,
            quantity_min_lots=2 * quantity_increment,
            quantity_max_lots=self.quantity_max,
            notional_min_quanta=self.notional_min,
            notional_max_quanta=self.notional_max,
            band_down_ppm=down,
            band_up_ppm=up,
        )


MARKETS = [
    Market(b"ONE/CASH", Units(0, 2, 7, 3), 0, 100, 1, 1, 40, 2_000, 25_000, 80_000, 100_000),
    Market(b"TWO/CASH", Units(1, 2, 2, 100), FEE_SCHEDULE_WITH_REBATES, 400, 5, 10, 300, 0, 2**100, 100_000, 100_000),
    Market(
        b"HUGE/VAST", Units(HUGE_BASE, HUGE_QUOTE, 2**18, 2**40), 2, 2**61, 1, 1, 2**40, 0, 2**119, 10**6, 2**32 - 1
    ),
    Market(b"TINY/VAST", Units(HUGE_BASE, HUGE_QUOTE, 1, 1), 2, 9, 1, 1, 2**40, 0, 2**119, 10**6, 2**32 - 1),
]
