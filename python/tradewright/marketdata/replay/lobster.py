"""LOBSTER recordings through a venue.

The book before row 1 is row 1 with message 1 undone, one anonymous order a level. A new order (type 1) rests;
cancellations (2, 3) reduce the named order, or the anonymous one at that price; a visible execution (4) sends an IOC
of the opposite side, same price and size; hidden executions, crosses and halts (5, 6, 7) send nothing.

Rows are counted from 1, as lines of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from tradewright.errors import DataError
from tradewright.marketdata.importers._table import Int64Array
from tradewright.marketdata.importers.lobster import BOOK_TYPES, LobsterBook, LobsterMessages, MessageType
from tradewright.marketdata.replay._window import RecordedRows, WindowedBook
from tradewright.marketdata.replay.venue import (
    BUY,
    CONDITIONS,
    PROGRESS_ROWS,
    SELL,
    Levels,
    Progress,
    RecordedInstrument,
    VenueFactory,
    no_progress,
)

CENT = 100
"""A cent in the unit of the files, 0.0001."""

TICKS = {CENT: "0.01", 1: "0.0001"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LobsterReport:
    """What the replay of a message file with its order book file came to.

    `seconds` is the time of the replay itself, without parsing.
    """

    rows: int
    rows_right: int
    first_mismatches: list[int]
    revealed: int
    realigned: int
    executions: int
    executions_checked: int
    priority_right: int
    priority_wrong_rows: list[int]
    rows_per_s: int
    seconds: float
    conditions: str = CONDITIONS

    @property
    def is_right(self) -> bool:
        """Every row of the recorded book was reached; wrong makers are counted, not judged."""
        return self.rows_right == self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededLobsterReport(LobsterReport):
    """What the replay of a message file on a fully seeded book came to.

    `rows` are the rows of the seed book, which are compared over all their levels; `best_rows` are the rows of the
    check files whose message was met, of which `best_right` had the recorded best bid and offer with their sizes.
    `messages` were replayed; `unmatched` of them took off quantity that the book does not have. `rows_per_s` counts
    messages.
    """

    best_rows: int
    best_right: int
    messages: int
    unmatched: int

    @property
    def is_right(self) -> bool:
        """Every row compared in full was right; at the best prices, what the seed could not know may be missing."""
        return self.rows_right == self.rows and self.best_rows - self.best_right <= self.unmatched


def replay_lobster(
    messages: LobsterMessages,
    book: LobsterBook,
    open_venue: VenueFactory,
    *,
    levels: int | None = None,
    progress: Progress = no_progress,
) -> LobsterReport:
    """Replay a message file and compare every row with its order book file, at its best `levels` (default: all).

    Raises `DataError` when the two files do not have the same number of rows.
    """
    if len(messages) != len(book):
        raise DataError(
            f"{len(book)} rows, but {messages.file} has {len(messages)}", file=Path(book.file), line=len(book)
        )
    replay = _Replay(messages, book, open_venue, is_limited=True)
    compared = min(levels or book.levels, book.levels)
    started = perf_counter()
    for row in range(len(messages)):
        replay.apply(row)
        replay.window.check(replay.rows, row, compared)
        if not row % PROGRESS_ROWS:
            progress(row, len(messages))
    seconds = perf_counter() - started
    progress(len(messages), len(messages))
    return LobsterReport(rows=len(book), **replay.window.reported(seconds, len(messages)))


def replay_lobster_seeded(
    messages: LobsterMessages,
    seed: LobsterBook,
    check_messages: LobsterMessages,
    check_book: LobsterBook,
    open_venue: VenueFactory,
    *,
    progress: Progress = no_progress,
) -> SeededLobsterReport:
    """Replay a message file on the deep book `seed`, and compare the best bid and offer with another pair of files.

    The check files show fewer messages; the next of them is compared after the message that equals it. The first rows
    are also compared with all rows of `seed`.

    Raises `DataError` when the check files do not have the same number of rows.
    """
    if len(check_messages) != len(check_book):
        raise DataError(
            f"{len(check_book)} rows, not {len(check_messages)}", file=Path(check_book.file), line=len(check_book)
        )
    replay = _Replay(messages, seed, open_venue, is_limited=False)
    venue = replay.window.venue
    keys, check_keys = _keys(messages), _keys(check_messages)
    check_rows = _recorded_rows(check_book, replay.unit, levels=1)
    met = best_right = 0
    started = perf_counter()
    for row in range(len(messages)):
        replay.apply(row)
        if row < len(seed):
            replay.window.check(replay.rows, row, seed.levels)
        if met < len(check_keys) and check_keys[met] == keys[row]:
            best_right += venue.depth_bytes(1) == check_rows.packed(met)
            met += 1
        replay.window.settle()
        if not row % PROGRESS_ROWS:
            progress(row, len(messages))
    seconds = perf_counter() - started
    progress(len(messages), len(messages))
    return SeededLobsterReport(
        rows=min(len(seed), len(messages)),
        best_rows=met,
        best_right=best_right,
        messages=len(messages),
        unmatched=replay.window.executed.unmatched,
        **replay.window.reported(seconds, len(messages)),
    )


class _Replay:
    """Messages as columns of Python integers, and the window they are applied to."""

    def __init__(
        self, messages: LobsterMessages, book: LobsterBook, open_venue: VenueFactory, *, is_limited: bool
    ) -> None:
        sent = messages.price[np.isin(messages.message_type, BOOK_TYPES)]
        self.unit = price_unit(sent, book.rows[:, 0::2])
        self.rows = _recorded_rows(book, self.unit, levels=book.levels)
        venue = open_venue(RecordedInstrument(symbol="RECORDED", tick=TICKS[self.unit], lot="1"))
        self.window = WindowedBook(venue, levels=book.levels, is_limited=is_limited)
        self._time_ns = np.maximum.accumulate(messages.time_ns).tolist()
        self._type = messages.message_type.tolist()
        self._order_id = messages.order_id.tolist()
        self._size = messages.size.tolist()
        self._price = (messages.price // self.unit).tolist()
        self._side = np.where(messages.direction == 1, BUY, SELL).tolist()
        venue.set_time(self._time_ns[0])
        self.window.seed(*self._book_before_first())

    def apply(self, row: int) -> None:
        """Send what one message stands for."""
        message_type, side, price, size = self._type[row], self._side[row], self._price[row], self._size[row]
        self.window.venue.set_time(self._time_ns[row])
        if message_type == MessageType.NEW:
            self.window.rest(self._order_id[row], side, price, size)
        elif message_type in (MessageType.PARTIAL_CANCEL, MessageType.DELETE):
            self.window.reduce(self._order_id[row], side, price, size)
        elif message_type == MessageType.VISIBLE_EXECUTION:
            self.window.execute(row, self._order_id[row], side, price, size)

    def _book_before_first(self) -> tuple[Levels, Levels]:
        return undo(
            (self.rows.side(0, BUY), self.rows.side(0, SELL)),
            self._side[0],
            self._price[0],
            _change(self._type[0], self._size[0]),
        )


def undo(book: tuple[Levels, Levels], side: int, price: int, change: int) -> tuple[Levels, Levels]:
    """The book before `change` lots were added (or, when negative, taken off) at one price of one side."""
    levels = dict(book[side])
    levels[price] = levels.get(price, 0) - change
    before = sorted(((at, total) for at, total in levels.items() if total > 0), reverse=side == BUY)
    return (before, book[SELL]) if side == BUY else (book[BUY], before)


def _change(message_type: int, size: int) -> int:
    if message_type not in BOOK_TYPES:
        return 0
    return size if message_type == MessageType.NEW else -size


def price_unit(*prices: Int64Array) -> int:
    """The tick in 0.0001 of the currency: a cent, unless some price that rests is no whole cent."""
    return 1 if any((array % CENT).any() for array in prices) else CENT


def _recorded_rows(book: LobsterBook, unit: int, *, levels: int) -> RecordedRows:
    four = book.rows.reshape(len(book), book.levels, 4)[:, :levels]
    asks, bids = four[:, :, 0:2].copy(), four[:, :, 2:4].copy()
    for side in (asks, bids):
        side[:, :, 0] //= unit
    return RecordedRows(bids, asks)


def _keys(messages: LobsterMessages) -> list[tuple[int, ...]]:
    columns = (
        messages.time_ns,
        messages.message_type,
        messages.order_id,
        messages.size,
        messages.price,
        messages.direction,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))
