"""The book of a recording that shows only its best levels, kept by a venue.

Shared by the formats that publish the book after each event (LOBSTER, ITCH). Owns which venue order stands for which
recorded one, the comparison with the recorded row, and the corrections that a limited window makes necessary. The
comparison always comes first; the only corrections are:

- a level newly visible at the bottom of a full window enters as one anonymous order (`revealed`);
- levels that leave the window are cancelled;
- when the venue's maker is not the recorded one, the makers are put right (`realigned`); the totals never are.

Whatever else differs stays as the venue has it, and so keeps differing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tradewright.marketdata.importers._table import Int64Array
from tradewright.marketdata.replay.venue import BUY, SELL, Fill, Levels, ReplayVenue

ANONYMOUS = -1
"""The recorded id of quantity whose orders the recording never named."""

FIRST_MISMATCHES_MAX = 10


class RecordedRows:
    """The recorded book after each event, in ticks and lots."""

    def __init__(self, bids: Int64Array, asks: Int64Array) -> None:
        """Take `rows` x `levels` x (price, quantity) of either side, best first, zeros where there is no level."""
        self.count, self.levels = bids.shape[:2]
        self._sides = (bids, asks)
        both = np.concatenate((bids, asks), axis=1)
        self._packed = both.astype("<i8", order="C").tobytes()
        self._stride = len(self._packed) // self.count

    def packed(self, row: int) -> bytes:
        """One row as `ReplayVenue.depth_bytes` gives it."""
        return self._packed[row * self._stride : (row + 1) * self._stride]

    def side(self, row: int, side: int) -> Levels:
        """One side of one row, best first, without the levels that do not exist."""
        return [(price, quantity) for price, quantity in self._sides[side][row].tolist() if quantity]


@dataclass(slots=True)
class _Misallocation:
    """An execution whose maker the venue and the recording name differently; waits for the comparison of its row."""

    maker: int
    side: int
    price: int
    quantity: int
    fills: list[Fill]


@dataclass(slots=True)
class WindowCounts:
    """What the corrections and comparisons came to."""

    rows_right: int = 0
    first_mismatches: list[int] = field(default_factory=list)
    revealed: int = 0
    realigned: int = 0
    executions: int = 0
    executions_checked: int = 0
    priority_right: int = 0
    priority_wrong_rows: list[int] = field(default_factory=list)
    unmatched: int = 0

    def reported(self, seconds: float, events: int) -> dict[str, Any]:
        """The fields that the reports of all windowed formats share; rows counted from 1."""
        return {
            "rows_right": self.rows_right,
            "first_mismatches": [row + 1 for row in self.first_mismatches],
            "revealed": self.revealed,
            "realigned": self.realigned,
            "executions": self.executions,
            "executions_checked": self.executions_checked,
            "priority_right": self.priority_right,
            "priority_wrong_rows": [row + 1 for row in self.priority_wrong_rows],
            "rows_per_s": round(events / seconds) if seconds else 0,
            "seconds": round(seconds, 3),
        }


class WindowedBook:
    """The venue's orders by recorded id and by level, and the corrections. Rows are counted from 0 here."""

    def __init__(self, venue: ReplayVenue, *, levels: int, is_limited: bool = True) -> None:
        """`levels` is the size of the window; `is_limited` False keeps every level the venue has."""
        self.venue = venue
        self.counts = WindowCounts()
        self._levels_max = levels
        self._is_limited = is_limited
        self._named: dict[int, tuple[int, int, int]] = {}  # recorded id -> (venue id, side, price)
        self._queues: tuple[dict[int, dict[int, int]], ...] = ({}, {})  # side -> price -> venue id -> recorded id
        self._horizon: list[int | None] = [None, None]  # the last price the window showed, when it was full
        self._misallocation: _Misallocation | None = None

    def seed(self, bids: Levels, asks: Levels) -> None:
        """Enter the book before the first event: one anonymous order a level, as many levels as the window has."""
        for side, levels in ((BUY, bids), (SELL, asks)):
            shown = levels[: self._levels_max]
            for price, quantity in shown:
                self._rest(ANONYMOUS, side, price, quantity)
            self._horizon[side] = shown[-1][0] if len(shown) == self._levels_max else None

    # -- commands ------------------------------------------------------------------------------------------------

    def rest(self, recorded_id: int, side: int, price: int, quantity: int) -> int:
        """Send a new order: the venue's id of it."""
        return self._rest(recorded_id, side, price, quantity)

    def reduce(self, recorded_id: int, side: int, price: int, quantity: int) -> None:
        """Reduce the named order, or the anonymous one at that price; count `unmatched` where there is less."""
        named = self._named.get(recorded_id)
        order_id = named[0] if named is not None else self._anonymous_at(side, price)
        if order_id == 0:
            self.counts.unmatched += 1
            return
        if named is None and self.venue.open_quantity(order_id) < quantity:
            self.counts.unmatched += 1
        if self.venue.reduce(order_id, quantity) == 0:
            self._forget(order_id, side, price)

    def execute(self, row: int, recorded_id: int, side: int, price: int, quantity: int) -> None:
        """Send the aggressor of a recorded execution and judge the maker that the venue picks."""
        counts = self.counts
        counts.executions += 1
        anonymous = self._anonymous_at(side, price)
        named = self._named.get(recorded_id)
        maker = named[0] if named is not None else anonymous
        fills = self.venue.take(SELL if side == BUY else BUY, price, quantity)
        is_right = fills == [(maker, price, quantity)]
        if price in self._queues[side] and anonymous == 0:
            counts.executions_checked += 1
            if is_right:
                counts.priority_right += 1
            else:
                counts.priority_wrong_rows.append(row)
        if is_right:
            if self.venue.open_quantity(maker) == 0:
                self._forget(maker, side, price)
        else:
            self._misallocation = _Misallocation(maker, side, price, quantity, fills)

    # -- comparison, then correction -----------------------------------------------------------------------------

    def check(self, rows: RecordedRows, row: int, levels: int) -> bool:
        """Compare the best `levels` with the recorded row, then correct what the window allows."""
        packed = rows.packed(row)
        reveals: list[tuple[int, int, int]] = []
        is_right = self.venue.depth_bytes(self._levels_max) == packed
        if not is_right:
            is_right, reveals = self._compare_levels(rows, row, levels)
        counts = self.counts
        if is_right:
            counts.rows_right += 1
        elif len(counts.first_mismatches) < FIRST_MISMATCHES_MAX:
            counts.first_mismatches.append(row)
        # From here on the row is judged.
        self.settle()
        if self._is_limited:
            for side, price, quantity in reveals:
                self._drop_beyond(side, self._horizon[side])
                self._rest(ANONYMOUS, side, price, quantity)
                counts.revealed += 1
            for side in (BUY, SELL):
                while len(self._queues[side]) > self._levels_max:
                    self._drop_level(side, self._worst(side))
                self._horizon[side] = self._worst(side) if len(self._queues[side]) == self._levels_max else None
        return is_right

    def settle(self) -> None:
        """Put the makers right after an execution that the venue gave to another order."""
        wrong, self._misallocation = self._misallocation, None
        if wrong is None:
            return
        self.counts.realigned += 1
        filled: dict[int, int] = {}
        for maker, _, quantity in wrong.fills:
            filled[maker] = filled.get(maker, 0) + quantity
        filled[wrong.maker] = filled.get(wrong.maker, 0) - wrong.quantity
        for price in {wrong.price, *(fill[1] for fill in wrong.fills)}:
            self._restore_queue(wrong.side, price, filled)

    def _compare_levels(self, rows: RecordedRows, row: int, levels: int) -> tuple[bool, list[tuple[int, int, int]]]:
        """Compare side by side; a difference that a limited window explains is no mismatch but a revealed level."""
        reveals: list[tuple[int, int, int]] = []
        is_right = True
        for side, have in zip((BUY, SELL), self.venue.depth(self._levels_max), strict=True):
            want = rows.side(row, side)
            if have == want:
                continue
            horizon = self._horizon[side]
            known = _reaching(side, want, horizon)
            revealed = want[len(known) :]
            if _reaching(side, have, horizon) == known and len(revealed) == 1:
                reveals.append((side, *revealed[0]))
            elif have[:levels] != want[:levels]:
                is_right = False
        return is_right, reveals

    def _restore_queue(self, side: int, price: int, filled: dict[int, int]) -> None:
        """Give every order of a level the quantity it should have, in the order of the queue."""
        queue = self._queues[side].get(price)
        if queue is None:
            return
        open_now = {order_id: self.venue.open_quantity(order_id) for order_id in queue}
        wanted = {order_id: max(0, left + filled.get(order_id, 0)) for order_id, left in open_now.items()}
        if all(wanted[order_id] <= left for order_id, left in open_now.items()):
            for order_id, left in open_now.items():
                if wanted[order_id] < left:
                    self.venue.reduce(order_id, left - wanted[order_id])
                if wanted[order_id] == 0:
                    self._forget(order_id, side, price)
            return
        # An order cannot grow without losing its place, so the whole level is entered again in its order.
        recorded = list(queue.items())
        self._drop_level(side, price)
        for order_id, recorded_id in recorded:
            if wanted[order_id]:
                self._rest(recorded_id, side, price, wanted[order_id])

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _rest(self, recorded_id: int, side: int, price: int, quantity: int) -> int:
        order_id, fills = self.venue.rest(side, price, quantity)
        if fills:
            for maker, at, _ in fills:
                if self.venue.open_quantity(maker) == 0:
                    self._forget(maker, SELL if side == BUY else BUY, at)
            if self.venue.open_quantity(order_id) == 0:
                return order_id
        queue = self._queues[side].get(price)
        if queue is None:
            queue = self._queues[side][price] = {}
        queue[order_id] = recorded_id
        if recorded_id != ANONYMOUS:
            self._named[recorded_id] = (order_id, side, price)
        return order_id

    def _forget(self, order_id: int, side: int, price: int) -> None:
        """Drop an order that is no longer open from the bookkeeping."""
        queue = self._queues[side].get(price, {})
        recorded_id = queue.pop(order_id, ANONYMOUS)
        if recorded_id != ANONYMOUS:
            del self._named[recorded_id]
        if not queue:
            self._queues[side].pop(price, None)

    def _anonymous_at(self, side: int, price: int) -> int:
        queue = self._queues[side].get(price)
        if queue is not None:
            for order_id, recorded_id in queue.items():
                if recorded_id == ANONYMOUS:
                    return order_id
        return 0

    def _worst(self, side: int) -> int:
        return min(self._queues[side]) if side == BUY else max(self._queues[side])

    def _drop_beyond(self, side: int, horizon: int | None) -> None:
        if horizon is not None:
            for price in [price for price in self._queues[side] if not _reaches(side, price, horizon)]:
                self._drop_level(side, price)

    def _drop_level(self, side: int, price: int) -> None:
        for order_id, recorded_id in self._queues[side].pop(price).items():
            self.venue.cancel(order_id)
            if recorded_id != ANONYMOUS:
                del self._named[recorded_id]


def _reaches(side: int, price: int, horizon: int) -> bool:
    return price >= horizon if side == BUY else price <= horizon


def _reaching(side: int, levels: Levels, horizon: int | None) -> Levels:
    """The levels at the horizon or better: what the window showed before this row."""
    if horizon is None:
        return levels
    return [level for level in levels if _reaches(side, level[0], horizon)]
