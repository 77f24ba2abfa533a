"""Book events decoded from Nasdaq ITCH 5.0 to CSV, with the best levels after each event.

Prices are in 0.0001 of the currency, sizes in shares, times in nanoseconds after midnight. The files print sizes and
old order ids as floats ("185.0"); they are whole numbers and are read as such, digit by digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tradewright.errors import DataError
from tradewright.marketdata.importers._files import FilePath, read_bytes
from tradewright.marketdata.importers._table import BoolArray, ByteArray, Int64Array, Table

PRICE_DIGITS = 4
MESSAGE_TYPES = "AFECXDU"

EVENT_COLUMNS = [
    "event_index",
    "source_message_sequence",
    "source_file_offset",
    "timestamp_ns",
    "time_seconds",
    "message_type",
    "event_type",
    "order_id",
    "old_order_id",
    "size",
    "old_size",
    "price",
    "old_price",
    "execution_price",
    "direction",
    "stock_locate",
    "stock",
]
LEVEL_COLUMNS = ("ask_price", "ask_size", "bid_price", "bid_size")


@dataclass(frozen=True, slots=True, eq=False)
class ItchEvents:
    """One event a row, as columns, and the book after it; 0 stands for what a message type does not carry.

    `message_type` is one of the bytes of "AFECXDU". `direction` is 1 when the resting order buys, -1 when it sells.
    `bids` and `asks` are `rows` x `levels` x (price, size), best first, zeros where there is no level. The first event
    stands on line 2 of the file.
    """

    file: str
    levels: int
    time_ns: Int64Array
    message_type: ByteArray
    order_id: Int64Array
    old_order_id: Int64Array
    size: Int64Array
    old_size: Int64Array
    price: Int64Array
    old_price: Int64Array
    execution_price: Int64Array
    direction: Int64Array
    bids: Int64Array
    asks: Int64Array

    def __len__(self) -> int:
        return int(self.time_ns.size)


def read_events(path: FilePath) -> ItchEvents:
    """Parse an event file; the number of levels follows from its header.

    Raises `DataError` with the line for whatever is not the format.
    """
    name = str(path)
    data = read_bytes(path)
    header = data.partition(b"\n")[0].rstrip(b"\r").decode("utf-8", "replace")
    levels = (header.count(",") + 1 - len(EVENT_COLUMNS)) // len(LEVEL_COLUMNS)
    expected = EVENT_COLUMNS + [f"{column}_{level}" for level in range(1, levels + 1) for column in LEVEL_COLUMNS]
    if levels < 1 or header != ",".join(expected):
        raise DataError("is not the header of an ITCH event file with levels", file=Path(name), line=1)
    table = Table(name, data, columns=len(expected), header=header)
    at = {column: index for index, column in enumerate(expected)}

    def integers(column: str) -> Int64Array:
        return table.integers(at[column], empty=0)

    def prices(column: str) -> Int64Array:
        return table.decimals(at[column], PRICE_DIGITS, empty=0)

    def whole_floats(column: str) -> Int64Array:
        return table.decimals(at[column], 0, empty=0)

    def side(name_of_side: str) -> Int64Array:
        pairs = [
            np.stack((prices(f"{name_of_side}_price_{level}"), whole_floats(f"{name_of_side}_size_{level}")), axis=1)
            for level in range(1, levels + 1)
        ]
        values = np.stack(pairs, axis=1)
        values[values[:, :, 1] == 0] = 0
        return values

    events = ItchEvents(
        file=name,
        levels=levels,
        time_ns=table.integers(at["timestamp_ns"]),
        message_type=table.letters(at["message_type"], MESSAGE_TYPES),
        order_id=table.integers(at["order_id"]),
        old_order_id=whole_floats("old_order_id"),
        size=whole_floats("size"),
        old_size=whole_floats("old_size"),
        price=prices("price"),
        old_price=prices("old_price"),
        execution_price=prices("execution_price"),
        direction=integers("direction"),
        bids=side("bid"),
        asks=side("ask"),
    )
    is_replace = events.message_type == ord("U")
    rules: tuple[tuple[BoolArray, str, str], ...] = (
        (~np.isin(events.direction, (1, -1)), "direction", "must be 1 or -1"),
        (events.size <= 0, "size", "must be above zero"),
        (events.price <= 0, "price", "must be above zero"),
        (is_replace & (events.old_order_id <= 0), "old_order_id", "must be given for U"),
        (is_replace & (events.old_size <= 0), "old_size", "must be above zero for U"),
        (is_replace & (events.old_price <= 0), "old_price", "must be above zero for U"),
    )
    for bad, column, rule in rules:
        if bad.any():
            raise table.problem_at(int(bad.argmax()), at[column], rule)
    return events
