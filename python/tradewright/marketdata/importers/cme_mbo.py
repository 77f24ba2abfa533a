"""CME market-by-order recordings, decoded from DBN to CSV.

Prices are in 1e-9 of the currency, sizes in contracts, times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tradewright.marketdata.importers._files import FilePath, read_bytes
from tradewright.marketdata.importers._table import ByteArray, Int64Array, Table

HEADER = "ts_recv,ts_event,sequence,action,side,price_1e9,size,order_id,flags"
ACTIONS = "AMCFTR"
SIDES = "BAN"
UNDEFINED_PRICE = 2**63 - 1

FLAG_LAST = 128
"""The last record of an event."""
FLAG_SNAPSHOT = 32


@dataclass(frozen=True, slots=True, eq=False)
class CmeRecords:
    """One record a row, as columns. `action` and `side` are bytes of "AMCFTR" and "BAN".

    A adds, M modifies, C cancels, F fills a resting order, T trades (the order id is the aggressor's), R clears. The
    first record stands on line 2 of the file.
    """

    file: str
    received_ns: Int64Array
    event_ns: Int64Array
    sequence: Int64Array
    action: ByteArray
    side: ByteArray
    price: Int64Array
    size: Int64Array
    order_id: Int64Array
    flags: Int64Array

    def __len__(self) -> int:
        return int(self.event_ns.size)


def read_records(path: FilePath) -> CmeRecords:
    """Parse a record file. Raises `DataError` with the line for whatever is not the format."""
    name = str(path)
    table = Table(name, read_bytes(path), columns=HEADER.count(",") + 1, header=HEADER)
    records = CmeRecords(
        file=name,
        received_ns=table.integers(0),
        event_ns=table.integers(1),
        sequence=table.integers(2),
        action=table.letters(3, ACTIONS),
        side=table.letters(4, SIDES),
        price=table.integers(5),
        size=table.integers(6),
        order_id=table.integers(7),
        flags=table.integers(8),
    )
    of_order = np.isin(records.action, np.frombuffer(b"AMC", np.uint8))
    no_price = (records.price <= 0) | (records.price == UNDEFINED_PRICE)
    for bad, column, rule in (
        (of_order & (records.side == ord("N")), 4, "must be B or A for an order"),
        (of_order & no_price, 5, "must be a price above zero"),
        (of_order & (records.size <= 0), 6, "must be above zero"),
    ):
        if bad.any():
            raise table.problem_at(int(bad.argmax()), column, rule)
    return records
