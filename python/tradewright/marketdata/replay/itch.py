"""ITCH event recordings through a venue.

The book before the first event is the first row with its event undone, one anonymous order a level. A and F rest; X
and D reduce the named order, or the anonymous one at that price; U reduces the old order so and rests the new one;
E and C send an IOC of the opposite side at the *resting* price (the execution price of C is reported by the market,
not matched). Events deeper than the window are sent as well; what they leave outside of it is cancelled at once.

Rows are events, counted from 1: row n stands on line n + 1 of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from tradewright.marketdata.importers._table import Int64Array
from tradewright.marketdata.importers.itch_csv import ItchEvents
from tradewright.marketdata.replay._window import RecordedRows, WindowedBook
from tradewright.marketdata.replay.lobster import TICKS, LobsterReport, price_unit, undo
from tradewright.marketdata.replay.venue import (
    BUY,
    PROGRESS_ROWS,
    SELL,
    Levels,
    Progress,
    RecordedInstrument,
    VenueFactory,
    no_progress,
)

ADDS = (ord("A"), ord("F"))
EXECUTIONS = (ord("E"), ord("C"))
REPLACE = ord("U")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItchReport(LobsterReport):
    """What the replay of an event file came to; the fields are those of LOBSTER."""


def replay_itch(
    events: ItchEvents, open_venue: VenueFactory, *, levels: int | None = None, progress: Progress = no_progress
) -> ItchReport:
    """Replay an event file and compare the book after every event, at its best `levels` (default: all)."""
    unit = price_unit(events.price, events.old_price, events.bids[:, :, 0], events.asks[:, :, 0])
    rows = RecordedRows(_in_ticks(events.bids, unit), _in_ticks(events.asks, unit))
    venue = open_venue(RecordedInstrument(symbol="RECORDED", tick=TICKS[unit], lot="1"))
    window = WindowedBook(venue, levels=events.levels)
    compared = min(levels or events.levels, events.levels)

    times_ns = np.maximum.accumulate(events.time_ns).tolist()
    types, order_ids, sizes = events.message_type.tolist(), events.order_id.tolist(), events.size.tolist()
    prices = (events.price // unit).tolist()
    sides = np.where(events.direction == 1, BUY, SELL).tolist()
    old_order_ids, old_sizes = events.old_order_id.tolist(), events.old_size.tolist()
    old_prices = (events.old_price // unit).tolist()

    def book_before_first() -> tuple[Levels, Levels]:
        book = (rows.side(0, BUY), rows.side(0, SELL))
        adds = types[0] in ADDS or types[0] == REPLACE
        book = undo(book, sides[0], prices[0], sizes[0] if adds else -sizes[0])
        return undo(book, sides[0], old_prices[0], -old_sizes[0]) if types[0] == REPLACE else book

    venue.set_time(times_ns[0])
    window.seed(*book_before_first())
    started = perf_counter()
    for row, (kind, order_id, side, price, size) in enumerate(zip(types, order_ids, sides, prices, sizes, strict=True)):
        venue.set_time(times_ns[row])
        if kind in ADDS:
            window.rest(order_id, side, price, size)
        elif kind in EXECUTIONS:
            window.execute(row, order_id, side, price, size)
        elif kind == REPLACE:
            window.reduce(old_order_ids[row], side, old_prices[row], old_sizes[row])
            window.rest(order_id, side, price, size)
        else:
            window.reduce(order_id, side, price, size)
        window.check(rows, row, compared)
        if not row % PROGRESS_ROWS:
            progress(row, len(events))
    seconds = perf_counter() - started
    progress(len(events), len(events))
    return ItchReport(rows=len(events), **window.reported(seconds, len(events)))


def _in_ticks(levels: Int64Array, unit: int) -> Int64Array:
    ticks = levels.copy()
    ticks[:, :, 0] //= unit
    return ticks
