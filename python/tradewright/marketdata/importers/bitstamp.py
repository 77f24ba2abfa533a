"""Bitstamp live order logs: one line an event, `local_ms event json`.

Prices are in 0.01 of the quote asset, quantities in 1e-8 of the base asset, times in milliseconds as received.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from tradewright.errors import DataError
from tradewright.marketdata.importers._files import FilePath, read_bytes

PRICE_DIGITS = 2
QUANTITY_DIGITS = 8


class OrderEvent(Enum):
    """What happened to an order."""

    CREATED = "order_created"
    CHANGED = "order_changed"
    DELETED = "order_deleted"


@dataclass(frozen=True, slots=True)
class BitstampOrder:
    """An event of one order. `quantity` is what is left of it; `side` is 0 for a bid, 1 for an ask."""

    line: int
    time_ms: int
    event: OrderEvent
    order_id: int
    side: int
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class BitstampBook:
    """The best levels as the venue published them: (price, quantity), best first."""

    line: int
    time_ms: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class BitstampTrade:
    """A trade as the venue published it. The feed prints floats here: the nearest unit is meant."""

    line: int
    time_ms: int
    trade_id: int
    price: int
    quantity: int


BitstampEvent: TypeAlias = BitstampOrder | BitstampBook | BitstampTrade


def read_log(path: FilePath) -> list[BitstampEvent]:
    """Parse a log. Raises `DataError` with the line for whatever is not the format."""
    name = str(path)
    lines = read_bytes(path).split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [_event(name, number, line) for number, line in enumerate(lines, start=1)]


def _event(file: str, number: int, line: bytes) -> BitstampEvent:
    parts = line.split(b" ", 2)
    if len(parts) != 3:
        raise DataError(f"{len(parts)} parts, expected time, event and JSON", file=Path(file), line=number)
    if not parts[0].isdigit():
        raise DataError(
            f"time is not an integer: {parts[0].decode('utf-8', 'replace')!r}", file=Path(file), line=number
        )
    time_ms, kind = int(parts[0]), parts[1].decode("utf-8", "replace")
    try:
        message = json.loads(parts[2], parse_float=str)
    except ValueError as error:
        raise DataError(f"JSON is damaged: {error}", file=Path(file), line=number) from error
    if not isinstance(message, dict):
        raise DataError("JSON is no object", file=Path(file), line=number)
    try:
        if kind == "order_book":
            return BitstampBook(number, time_ms, _levels(message["bids"]), _levels(message["asks"]))
        if kind == "trade":
            price, quantity = nearest(message["price"], PRICE_DIGITS), nearest(message["amount"], QUANTITY_DIGITS)
            return BitstampTrade(number, time_ms, _whole(message["id"]), price, quantity)
        side = _whole(message["order_type"])
        if side not in (0, 1):
            raise ValueError(f"order_type must be 0 or 1: {side}")
        price, quantity = scaled(message["price"], PRICE_DIGITS), scaled(message["amount"], QUANTITY_DIGITS)
        order_id = _whole(message["id"])
    except KeyError as error:
        raise DataError(f"field {error.args[0]!r} is missing", file=Path(file), line=number) from error
    except (TypeError, ValueError) as error:
        raise DataError(str(error), file=Path(file), line=number) from error
    try:
        event = OrderEvent(kind)
    except ValueError:
        raise DataError(f"event is unknown: {kind!r}", file=Path(file), line=number) from None
    return BitstampOrder(number, time_ms, event, order_id, side, price, quantity)


def scaled(value: object, digits: int) -> int:
    """A plain decimal, zero or above, in units of 10**-digits, exactly. Raises `ValueError` for anything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise ValueError(f"is not a decimal: {value!r}")
    whole, dot, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (dot and not (fraction.isascii() and fraction.isdigit())):
        raise ValueError(f"is not a decimal: {value!r}")
    if fraction[digits:].strip("0"):
        raise ValueError(f"has more than {digits} decimals: {value!r}")
    return int(whole + fraction[:digits].ljust(digits, "0"))


def nearest(value: object, digits: int) -> int:
    """The text of a float, zero or above, in the nearest unit of 10**-digits. Raises `ValueError` for anything else."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"is not a number: {value!r}") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"is not a number above zero: {value!r}")
    return int(number.scaleb(digits).to_integral_value(ROUND_HALF_UP))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"is not an integer: {value!r}")
    return value


def _levels(pairs: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - JSON
    return [(scaled(price, PRICE_DIGITS), scaled(quantity, QUANTITY_DIGITS)) for price, quantity in pairs]
