"""Market data of a running node, order by order: from its ring in shared memory, or from its two lines of multicast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tradewright._core import MarketDataReader
from tradewright.enums import Side
from tradewright.errors import ArgumentError, DataError

MESSAGE: Final = np.dtype(
    [
        ("sequence", "<u8"),
        ("index", "<u8"),
        ("time_ns", "<u8"),
        ("order_id", "<u8"),
        ("trade_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<u8"),
        ("remaining_lots", "<u8"),
        ("surplus_lots", "<i8"),
        ("until_ns", "<u8"),
        ("instrument", "<u4"),
        ("kind", "<u2"),
        ("side", "u1"),
        ("state", "u1"),
        ("phase", "u1"),
        ("cause", "u1"),
        ("is_over", "u1"),
        ("reserved", "V5"),
    ]
)
"""The dtype of a message; `MessageKind` tells which fields have a meaning, the others are 0."""


class MessageKind(IntEnum):
    """What a message says; the codes are the templates of the feed."""

    ADD = 1
    EXECUTE = 2
    REDUCE = 3
    DELETE = 4
    REPLACE = 5
    TRADE = 6
    STATE = 7
    AUCTION = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLevel:
    """A price with what is shown there, in ticks and lots."""

    price_ticks: int
    lots: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOrder:
    """An order that is shown."""

    order_id: int
    price_ticks: int
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The best prices of an instrument, as they stood behind the message `sequence`."""

    instrument: int
    bid: PriceLevel | None
    ask: PriceLevel | None
    last_price_ticks: int | None
    sequence: int


_Level = tuple[int, int, int]


def _level(level: _Level) -> PriceLevel:
    price_ticks, lots, orders = level
    return PriceLevel(price_ticks=price_ticks, lots=lots, orders=orders)


def _top(top: tuple[int, _Level | None, _Level | None, int | None, int]) -> Top:
    instrument, bid, ask, last_price_ticks, sequence = top
    return Top(
        instrument=instrument,
        bid=None if bid is None else _level(bid),
        ask=None if ask is None else _level(ask),
        last_price_ticks=last_price_ticks,
        sequence=sequence,
    )


class MarketData:
    """A channel of market data: its messages, and the books that they make.

    What is lost on the way is asked for again at the node's service, and who comes late or is too slow takes a snapshot
    there. Without a service a reader has to be there from the first message on.
    """

    def __init__(self, reader: MarketDataReader) -> None:
        self._reader = reader

    @classmethod
    def over_ring(cls, path: Path | str, *, service: str | None = None, channel: int = 1) -> MarketData:
        """Attach to the ring `path` of a node on this machine; `service` is the address of its service.

        Raises `DataError` when the file is no ring of market data, or closed, and `OSError` when it cannot be had.
        """
        try:
            return cls(MarketDataReader.over_ring(path, channel=channel, service=service))
        except ValueError as error:
            raise DataError(str(error), file=Path(path)) from error

    @classmethod
    def over_lines(
        cls, lines: Sequence[str], *, interface: str, service: str | None = None, channel: int = 1
    ) -> MarketData:
        """Join one or two lines, such as "239.192.0.1:14310", over the interface with an address.

        Raises `ArgumentError` when an address is none, and `OSError` when the system refuses.
        """
        try:
            reader = MarketDataReader.over_lines(list(lines), interface=interface, channel=channel, service=service)
        except ValueError as error:
            rule = f"must be addresses: {error}"
            raise ArgumentError("lines", value=(*lines, interface, service), rule=rule) from error
        return cls(reader)

    def read(self, *, timeout_s: float = 0.0) -> npt.NDArray[np.void]:
        """Return the messages that are new in their order, waiting up to `timeout_s` for one; the dtype is `MESSAGE`.

        What a snapshot stands for is in the books and not among the messages.
        """
        return np.frombuffer(self._reader.poll(timeout_s=timeout_s), dtype=MESSAGE)

    def tops(self) -> list[Top]:
        """Return the tops of the instruments that changed since this was called last.

        Each comes once, as it is now: who calls rarely gets the latest and no backlog.
        """
        return [_top(top) for top in self._reader.take_tops()]

    def top(self, instrument: int) -> Top:
        """Return the best prices of an instrument."""
        return _top(self._reader.top(instrument))

    def levels(self, instrument: int, side: Side, *, depth: int = 10) -> list[PriceLevel]:
        """Return the best levels of a side, the best first."""
        return [_level(level) for level in self._reader.levels(instrument, side, depth)]

    def orders(self, instrument: int, side: Side) -> list[BookOrder]:
        """Return the orders of a side, in the order in which they would trade."""
        orders = self._reader.orders(instrument, side)
        return [BookOrder(order_id=order, price_ticks=price, lots=lots) for order, price, lots in orders]

    @property
    def next_sequence(self) -> int | None:
        """The sequence of the next message; None before it is known where the channel stands."""
        return self._reader.next_sequence

    @property
    def is_current(self) -> bool:
        """Whether nothing is missing of what was heard of."""
        return self._reader.is_current

    @property
    def counts(self) -> dict[str, int]:
        """How it does: messages `applied`, datagrams `broken`, gaps `asked_again`, `snapshots`, messages `overrun`."""
        return dict(self._reader.counts())
