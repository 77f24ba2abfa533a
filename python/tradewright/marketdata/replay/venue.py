"""What a replay needs of a venue: two funded accounts on one instrument, and a book to look at.

The maker account rests orders, the aggressor account takes; self-trade prevention is off, fees are 0, and no price
band applies. Prices are ticks and quantities lots, both integers; sides are `BUY` and `SELL`. A replay never looks
behind this Protocol, so the naive venue of the tests and the engine answer the same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias, runtime_checkable

BUY: Final = 0
SELL: Final = 1

CONDITIONS: Final = "two funded house accounts (maker, aggressor); self-trade prevention NONE; fees 0; price band off"

Fill: TypeAlias = tuple[int, int, int]
"""(maker order id, price in ticks, quantity in lots)"""

Levels: TypeAlias = list[tuple[int, int]]
"""(price in ticks, total quantity in lots), best first"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInstrument:
    """What the recorded market traded. `tick` and `lot` are exact decimals, such as "0.01"."""

    symbol: str
    tick: str
    lot: str


class ReplayVenue(Protocol):
    """A matching engine with one instrument, driven one command at a time."""

    def rest(self, side: int, price: int, quantity: int) -> tuple[int, list[Fill]]:
        """Send a GTC limit of the maker account: its order id, chosen by the venue, and what it traded on arrival."""
        ...

    def take(self, side: int, price: int, quantity: int) -> list[Fill]:
        """Send an IOC limit of the aggressor account: its fills in the order they matched."""
        ...

    def reduce(self, order_id: int, by: int) -> int:
        """Reduce what is open and keep the priority: what is left open. `by` of all that is open, or more, removes."""
        ...

    def cancel(self, order_id: int) -> int:
        """Remove an order: what was open, 0 when it was not."""
        ...

    def open_quantity(self, order_id: int) -> int:
        """What is open of an order, 0 when it is not open."""
        ...

    def depth(self, levels: int) -> tuple[Levels, Levels]:
        """At most `levels` levels of the bids and of the asks."""
        ...

    def depth_bytes(self, levels: int) -> bytes:
        """The same as little-endian int64: `levels` pairs (price, quantity) of bids, then of asks, zeros where none.

        It is compared with the recording on every row and must cost little.
        """
        ...

    def level_quantity(self, side: int, price: int) -> int:
        """The total open at one price, 0 when none."""
        ...

    def set_time(self, time_ns: int) -> None:
        """Set the time of the commands that follow; it never goes backwards."""
        ...


@runtime_checkable
class EventSource(Protocol):
    """A venue that kept its engine's events and can write them."""

    def write_events(self, path: Path) -> int:
        """Write every event so far as Parquet: the number of events."""
        ...


VenueFactory: TypeAlias = Callable[[RecordedInstrument], ReplayVenue]

Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then with (rows done, rows in all)."""

PROGRESS_ROWS: Final = 4096


def no_progress(done: int, total: int) -> None:
    """Show nothing."""
