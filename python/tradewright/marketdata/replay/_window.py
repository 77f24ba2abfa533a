"""The book of a recording that shows only its best levels, kept by a venue.

Shared by the formats that publish the book after each event (LOBSTER, ITCH). Owns the comparison with the recorded row
and the corrections that a limited window makes necessary. The comparison always comes first; the only corrections are:

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
from tradewright.marketdata.replay._orders import ANONYMOUS, RecordedOrders
from tradewright.marketdata.replay.venue import BUY, SELL, Levels, ReplayVenue

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
class WindowCounts:
    """What the comparisons and the corrections of the window came to. Rows are counted from 0."""

    rows_right: int = 0
    first_mismatches: list[int] = field(default_factory=list)
    revealed: int = 0


class WindowedBook(RecordedOrders):
    """Recorded orders of which only the best levels are shown. Rows are counted from 0."""

    def __init__(self, venue: ReplayVenue, *, levels: int, is_limited: bool = True) -> None:
        """`levels` is the size of the window; `is_limited` False keeps every level the venue has."""
        super().__init__(venue)
        self.counts = WindowCounts()
        self._levels_max = levels
        self._is_limited = is_limited
        self._horizon: list[int | None] = [None, None]  # the last price the window showed, when it was full

    def seed(self, bids: Levels, asks: Levels) -> None:
        """Enter the book before the first event: one anonymous order a level, as many levels as the window has."""
        for side, levels in ((BUY, bids), (SELL, asks)):
            shown = levels[: self._levels_max]
            for price, quantity in shown:
                self._rest(ANONYMOUS, side, price, quantity)
            self._horizon[side] = shown[-1][0] if len(shown) == self._levels_max else None

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

    def reported(self, seconds: float, events: int) -> dict[str, Any]:
        """The fields that the reports of all windowed formats share; rows counted from 1."""
        executed = self.executed
        return {
            "rows_right": self.counts.rows_right,
            "first_mismatches": [row + 1 for row in self.counts.first_mismatches],
            "revealed": self.counts.revealed,
            "realigned": executed.realigned,
            "executions": executed.executions,
            "executions_checked": executed.executions_checked,
            "priority_right": executed.priority_right,
            "priority_wrong_rows": [row + 1 for row in executed.priority_wrong_rows],
            "rows_per_s": round(events / seconds) if seconds else 0,
            "seconds": round(seconds, 3),
        }

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
            if len(want) == self._levels_max and len(revealed) == 1 and _reaching(side, have, horizon) == known:
                reveals.append((side, *revealed[0]))
            elif have[:levels] != want[:levels]:
                is_right = False
        return is_right, reveals

    def _worst(self, side: int) -> int:
        return min(self._queues[side]) if side == BUY else max(self._queues[side])

    def _drop_beyond(self, side: int, horizon: int | None) -> None:
        if horizon is not None:
            for price in [price for price in self._queues[side] if not _reaches(side, price, horizon)]:
                self._drop_level(side, price)


def _reaches(side: int, price: int, horizon: int) -> bool:
    return price >= horizon if side == BUY else price <= horizon


def _reaching(side: int, levels: Levels, horizon: int | None) -> Levels:
    """The levels at the horizon or better: what the window showed before this row."""
    if horizon is None:
        return levels
    return [level for level in levels if _reaches(side, level[0], horizon)]
