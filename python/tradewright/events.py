"""Events as arrays and frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from tradewright._core import dtypes
from tradewright._decimal import decimals
from tradewright._wide import decimal_array
from tradewright.enums import (
    CloseReason,
    EventFlags,
    EventKind,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

EVENT: Final[np.dtype[np.void]] = dtypes()["event"]
"""The dtype of an event; `EventKind` tells what the fields mean for each kind."""

_TEXT_EVENT: Final = dtypes()["text_event"]
_APPROVAL_KINDS: Final = (EventKind.APPROVAL_REQUIRED, EventKind.ORDER_APPROVED, EventKind.APPROVAL_DECLINED)
_ORDER_KINDS: Final = (
    *_APPROVAL_KINDS,
    EventKind.ORDER_RELEASED,
    EventKind.ORDER_ACCEPTED,
    EventKind.TRADE,
    EventKind.MATCH_PREVENTED,
    EventKind.ORDER_CANCELLED,
    EventKind.ORDER_EXPIRED,
    EventKind.ORDER_AMENDED,
    EventKind.ORDER_CONDITIONS,
    EventKind.ORDER_TRIGGERED,
    EventKind.BREAKER_TRIPPED,
    EventKind.ORDER_DISPLAY,
    EventKind.ORDER_REFRESHED,
    EventKind.ORDER_REPRICED,
    EventKind.LIST_UPDATED,
)
_TEXT_KINDS: Final = (EventKind.CLIENT_ORDER_ID_TEXT, EventKind.CLIENT_LIST_ID_TEXT)
_LABEL_KINDS: Final = (EventKind.SESSION_NAME_TEXT, EventKind.KEY_ID_TEXT)
"""Texts that name no order."""
_LIST_KINDS: Final = (EventKind.LIST_ACCEPTED, EventKind.LIST_DONE)
_MATCH_KINDS: Final = (EventKind.TRADE, EventKind.MATCH_PREVENTED)
_AUCTION_KINDS: Final = (EventKind.AUCTION_INDICATION, EventKind.AUCTION_UNCROSSED)
_STATE_KINDS: Final = (*_AUCTION_KINDS, EventKind.INSTRUMENT_STATE_CHANGED, EventKind.MARKET_WIDE_LEVEL_REACHED)
_LEFT_KINDS: Final = (EventKind.ORDER_AMENDED, EventKind.ORDER_DISPLAY, EventKind.ORDER_REFRESHED)
"""Besides matches: those in which `open_lots` is a quantity."""
_WITHOUT_AMOUNT: Final = (
    EventKind.ORDER_CONDITIONS,
    EventKind.ORDER_TRIGGERED,
    EventKind.ORDER_REPRICED,
    EventKind.ORDER_RELEASED,
    EventKind.BREAKER_TRIPPED,
    *_APPROVAL_KINDS,
    *_LEFT_KINDS,
)
"""In steps of an approval the hash stands there."""
_QUOTE_KINDS: Final = (EventKind.QUOTE_ACCEPTED, EventKind.QUOTE_PROTECTION_TRIGGERED)
"""In the first, what is the order's is the bid's, and the other side has the counter order and the open quantity."""
_MONEY_KINDS: Final = (
    EventKind.DEPOSITED,
    EventKind.WITHDRAWAL_REQUESTED,
    EventKind.WITHDRAWAL_CONFIRMED,
    EventKind.WITHDRAWAL_CANCELLED,
    EventKind.TRANSFERRED,
    EventKind.TRANSFER_SENT,
    EventKind.TRANSFER_RECEIVED,
    EventKind.TRANSFER_CONFIRMED,
)


def text_of(row: np.void) -> str:
    """Return the text of a `ClientOrderIdText`."""
    content: bytes = np.frombuffer(row.tobytes(), _TEXT_EVENT)["bytes"][0]
    return content.decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What ids stood for when the events were taken, with the units of each instrument and asset."""

    assets: tuple[tuple[str, int], ...]
    """(name, decimal places)"""
    instruments: tuple[tuple[str, Decimal, Decimal, int], ...]
    """(name, tick, lot, quote asset)"""
    accounts: tuple[str, ...]


class Events:
    """A run of events: a numpy structured array, and frames made of it.

    Iterating gives rows of the array; `frame = events.to_polars()` is the form for people.
    """

    __slots__ = ("_names", "array")

    def __init__(self, array: npt.NDArray[np.void], names: Names) -> None:
        self.array = array
        self._names = names

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[np.void]:
        return iter(self.array)

    def __getitem__(self, rows: slice) -> Events:
        return Events(self.array[rows], self._names)

    def of_kind(self, *kinds: EventKind) -> Events:
        """Return the events of these kinds."""
        return Events(self.array[np.isin(self.array["kind"], kinds)], self._names)

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table: names instead of codes, exact decimals, null where a kind has no such field.

        Prices, quantities and amounts are decimal128 with the most decimal places that any instrument or asset here
        needs; a column with a value beyond 38 digits is text instead. Times are nanoseconds since 1970, UTC.
        """
        import pyarrow as pa

        return pa.table(self._columns())

    def to_polars(self) -> pl.DataFrame:
        """Return a polars frame with the columns of `to_arrow`; names are categories, decimals are `pl.Decimal`."""
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame), "Invariant: a table becomes a frame"
        return frame

    def __repr__(self) -> str:
        counts = np.bincount(self.array["kind"], minlength=1)
        kinds = ", ".join(f"{EventKind(kind).label}={count}" for kind, count in enumerate(counts) if count)
        return f"Events({len(self)}: {kinds})" if kinds else "Events(0)"

    def _columns(self) -> dict[str, Any]:
        import pyarrow as pa

        rows, names = self.array, self._names
        kind = rows["kind"]
        is_order = np.isin(kind, _ORDER_KINDS)
        is_match = np.isin(kind, _MATCH_KINDS)
        is_money = np.isin(kind, _MONEY_KINDS)
        is_rejected = kind == EventKind.REJECTED
        is_text = np.isin(kind, _TEXT_KINDS)
        is_label = np.isin(kind, _LABEL_KINDS)
        is_list = np.isin(kind, _LIST_KINDS)
        is_repeated = kind == EventKind.COMMAND_REPEATED
        is_accepted = kind == EventKind.ORDER_ACCEPTED
        is_auction = np.isin(kind, _AUCTION_KINDS)
        is_state = np.isin(kind, _STATE_KINDS)
        is_trip = kind == EventKind.BREAKER_TRIPPED
        is_quoted = kind == EventKind.QUOTE_ACCEPTED
        is_about_quotes = np.isin(kind, _QUOTE_KINDS)
        has_instrument = (is_order | is_state | is_rejected | is_text | is_list | is_about_quotes) & (
            rows["instrument"] < len(names.instruments)
        )
        place = np.where(has_instrument, rows["instrument"], 0)
        price_unit = _Unit.of([tick for _, tick, _, _ in names.instruments], place)
        lot_unit = _Unit.of([lot for _, _, lot, _ in names.instruments], place)
        quotes = np.array([quote for *_, quote in names.instruments] or [0])[place]
        asset = np.where(is_money, rows["instrument"], quotes)
        money_unit = _Unit.of([Decimal(1).scaleb(-scale) for _, scale in names.assets], asset)
        has_counter = is_match | np.isin(
            kind, (EventKind.TRANSFERRED, EventKind.ORDER_APPROVED, EventKind.APPROVAL_DECLINED)
        )
        is_condition = kind == EventKind.ORDER_CONDITIONS
        has_lots = (
            is_auction
            | (np.isin(kind, _QUOTE_KINDS) & has_instrument)
            | is_order & ~is_trip & ~is_condition & ~(is_accepted & (rows["quantity_lots"] == 0))
        )
        has_left = is_match | is_quoted | np.isin(kind, _LEFT_KINDS)
        has_price = is_auction | is_quoted | is_order & (kind != EventKind.ORDER_DISPLAY)
        without_amount = np.isin(kind, _WITHOUT_AMOUNT)
        has_amount = (is_order & ~without_amount) | is_money
        has_reason = {
            RejectReason: is_rejected | is_repeated,
            CloseReason: np.isin(kind, (EventKind.ORDER_CANCELLED, EventKind.ORDER_EXPIRED)),
        }
        reason = np.where(has_reason[CloseReason], rows["reason"].astype(np.int32) + _CLOSE, rows["reason"])
        reasons = {code.value: code.label for code in RejectReason}
        reasons |= {code.value + _CLOSE: code.label for code in CloseReason}
        everyone = np.ones(len(rows), dtype=bool)
        # Settings about other things than an account have 0 there, which is also the fee account's id.
        has_account = ~is_text & ~is_label & ~is_state & ((kind != EventKind.SETTING_APPLIED) | (rows["account"] != 0))
        return {
            "sequence": rows["sequence"],
            "k": rows["k"],
            "time": pa.array(rows["time_ns"].astype(np.int64)).cast(pa.timestamp("ns", "UTC")),
            "kind": _named(kind, {code.value: code.label for code in EventKind}, everyone),
            "instrument": _named(
                rows["instrument"], dict(enumerate(name for name, *_ in names.instruments)), has_instrument
            ),
            "asset": _named(rows["instrument"], dict(enumerate(name for name, _ in names.assets)), is_money),
            "account": _named(rows["account"], dict(enumerate(names.accounts)), has_account),
            "counter_account": _named(rows["counter_account"], dict(enumerate(names.accounts)), has_counter),
            "order_id": _numbers(rows["order_id"], rows["order_id"] != 0),
            "counter_order_id": _numbers(
                rows["counter_order_id"], is_match | (is_quoted & (rows["counter_order_id"] != 0))
            ),
            "side": _named(rows["side"], {code.value: code.name for code in Side}, is_order),
            "order_type": _named(rows["order_type"], {code.value: code.name for code in OrderType}, is_accepted),
            "time_in_force": _named(
                rows["time_in_force"], {code.value: code.name for code in TimeInForce}, is_accepted
            ),
            "self_trade_prevention": _named(
                rows["self_trade_prevention"],
                {code.value: code.name for code in SelfTradePrevention},
                is_accepted | (kind == EventKind.MATCH_PREVENTED),
            ),
            "reason": _named(reason, reasons, has_reason[RejectReason] | has_reason[CloseReason]),
            "price": decimal_array(rows["price_ticks"], None, price_unit.factors, price_unit.scale, has_price),
            "quantity": decimal_array(rows["quantity_lots"], None, lot_unit.factors, lot_unit.scale, has_lots),
            "open_quantity": decimal_array(rows["open_lots"], None, lot_unit.factors, lot_unit.scale, has_left),
            "amount": decimal_array(
                rows["amount_low"], rows["amount_high"], money_unit.factors, money_unit.scale, has_amount
            ),
            "counter_amount": decimal_array(
                rows["counter_amount_low"],
                rows["counter_amount_high"],
                money_unit.factors,
                money_unit.scale,
                kind == EventKind.TRADE,
            ),
            "reference": np.where(is_label, 0, rows["reference"]),
            "client_order_id": _texts(rows, is_text),
            "is_last": (rows["flags"] & EventFlags.LAST) != 0,
            "taker_done": (rows["flags"] & EventFlags.TAKER_DONE) != 0,
            "maker_done": (rows["flags"] & EventFlags.MAKER_DONE) != 0,
        }


_CLOSE: Final = 1 << 16
"""Keeps close reasons apart from reject reasons while both are codes of one column."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """Units of different sizes as whole multiples of the smallest decimal place among them."""

    factors: npt.NDArray[Any]
    """64 bits each, or Python's own ints where that is too small."""
    scale: int

    @classmethod
    def of(cls, sizes: list[Decimal], place: npt.NDArray[Any]) -> _Unit:
        scale = max((decimals(size) for size in sizes), default=0)
        wholes = [int(size.scaleb(scale)) for size in sizes] or [1]
        factors = np.array(wholes, dtype=np.uint64 if max(wholes) < 1 << 64 else object)
        return cls(factors[np.minimum(place, len(factors) - 1)], scale)


def _named(codes: npt.NDArray[Any], names: dict[int, str], known: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401 - pyarrow
    """Return names as an Arrow dictionary; null where a code is not to be shown or has no name."""
    import pyarrow as pa

    keys = np.array(sorted(names), dtype=np.int64)
    codes = codes.astype(np.int64)
    places = np.searchsorted(keys, codes)
    found = known & (places < len(keys))
    found &= keys[np.minimum(places, len(keys) - 1)] == codes if len(keys) else False
    indices = pa.array(np.where(found, places, 0).astype(np.int32), mask=~found)
    return pa.DictionaryArray.from_arrays(indices, pa.array([names[key] for key in keys.tolist()], pa.string()))


def _numbers(values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401 - pyarrow
    import pyarrow as pa

    return pa.array(values, mask=~known)


def _texts(rows: npt.NDArray[np.void], is_text: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401 - pyarrow
    """Return client order ids: a number where the order's event has one, the text where it is text."""
    import pyarrow as pa

    shows = np.isin(rows["kind"], (*_ORDER_KINDS, EventKind.REJECTED)) & ~np.isin(rows["kind"], _MATCH_KINDS)
    # The reference of conditions and of a breaker is a time, and a seed of how an order shows itself.
    other_references = (
        EventKind.ORDER_CONDITIONS,
        EventKind.ORDER_DISPLAY,
        EventKind.BREAKER_TRIPPED,
        EventKind.LIST_UPDATED,
    )
    is_else = np.isin(rows["kind"], (EventKind.REJECTED, *other_references, *_APPROVAL_KINDS))
    placed = shows & (rows["reference"] != 0) & ~is_else
    texts: list[str | None] = [None] * len(rows)
    for row in np.flatnonzero(placed).tolist():
        texts[row] = str(rows["reference"][row])
    if is_text.any():
        views = np.ascontiguousarray(rows[is_text]).view(_TEXT_EVENT)
        for row, content in zip(np.flatnonzero(is_text).tolist(), views["bytes"].tolist(), strict=True):
            texts[row] = content.decode("ascii")
    return pa.array(texts, pa.string())
