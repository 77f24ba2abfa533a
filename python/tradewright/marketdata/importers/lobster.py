"""LOBSTER message and order book files.

Prices are in 0.0001 of the currency as the files have them, sizes in shares, times in nanoseconds after midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from tradewright.errors import DataError
from tradewright.marketdata.importers._files import FilePath, read_bytes
from tradewright.marketdata.importers._table import Int64Array, Table

PRICE_DIGITS = 4
TIME_DIGITS = 9
NO_PRICE = 9_999_999_999


class MessageType(IntEnum):
    """What a message did to the book."""

    NEW = 1
    PARTIAL_CANCEL = 2
    DELETE = 3
    VISIBLE_EXECUTION = 4
    HIDDEN_EXECUTION = 5
    CROSS = 6
    HALT = 7


BOOK_TYPES = (MessageType.NEW, MessageType.PARTIAL_CANCEL, MessageType.DELETE, MessageType.VISIBLE_EXECUTION)


@dataclass(frozen=True, slots=True, eq=False)
class LobsterMessages:
    """One message a row, as columns. `direction` is 1 when the resting order buys, -1 when it sells."""

    file: str
    time_ns: Int64Array
    message_type: Int64Array
    order_id: Int64Array
    size: Int64Array
    price: Int64Array
    direction: Int64Array

    def __len__(self) -> int:
        return int(self.time_ns.size)


@dataclass(frozen=True, slots=True, eq=False)
class LobsterBook:
    """The book after each message: `rows` x 4 `levels` of ask price, ask size, bid price, bid size, best level first.

    A level that does not exist has price 0 and size 0; the dummies of the file are gone.
    """

    file: str
    levels: int
    rows: Int64Array

    def __len__(self) -> int:
        return len(self.rows)

    def sides(self, row: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks of one row, best first, as (price, size); levels that do not exist are left out."""
        flat: list[int] = self.rows[row].tolist()
        bids = [(flat[at + 2], flat[at + 3]) for at in range(0, len(flat), 4) if flat[at + 3]]
        asks = [(flat[at], flat[at + 1]) for at in range(0, len(flat), 4) if flat[at + 1]]
        return bids, asks


def read_messages(path: FilePath) -> LobsterMessages:
    """Parse a message file. Raises `DataError` with the line for whatever is not the format."""
    name = str(path)
    table = Table(name, read_bytes(path), columns=6)
    messages = LobsterMessages(
        file=name,
        # One published file has a time with float residue (35821.088778456004): the nearest nanosecond is meant.
        time_ns=table.decimals(0, TIME_DIGITS, round_surplus=True),
        message_type=table.integers(1),
        order_id=table.integers(2),
        size=table.integers(3),
        price=table.integers(4),
        direction=table.integers(5),
    )
    unknown = ~np.isin(messages.message_type, list(MessageType))
    _refuse(table, unknown, 1, "is no message type (1 to 7)")
    changes_book = np.isin(messages.message_type, BOOK_TYPES)
    _refuse(table, changes_book & (messages.size <= 0), 3, "must be above zero")
    _refuse(table, changes_book & (messages.price <= 0), 4, "must be above zero")
    _refuse(table, changes_book & ~np.isin(messages.direction, (1, -1)), 5, "must be 1 or -1")
    return messages


def read_book(path: FilePath) -> LobsterBook:
    """Parse an order book file; the number of levels follows from its columns.

    Raises `DataError` for a number of columns that is no multiple of four, and with the line for anything else.
    """
    name = str(path)
    table = Table(name, read_bytes(path))
    if table.columns % 4:
        raise DataError(f"{table.columns} columns, expected four for each level", file=Path(name), line=1)
    rows = table.all_integers()
    prices, sizes = rows[:, 0::2], rows[:, 1::2]
    dummy = (np.abs(prices) == NO_PRICE) & (sizes == 0)
    bad = ~dummy & ((prices <= 0) | (sizes <= 0))
    if bad.any():
        row, pair = (int(at) for at in np.unravel_index(int(bad.argmax()), bad.shape))
        raise table.problem_at(row, 2 * pair + int(prices[row, pair] > 0), "must be above zero or the dummy level")
    prices[dummy] = 0
    return LobsterBook(file=name, levels=table.columns // 4, rows=rows)


def _refuse(table: Table, bad: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], column: int, rule: str) -> None:
    if bad.any():
        raise table.problem_at(int(bad.argmax()), column, rule)
