"""Events: what happened, and the 128 bytes that say so."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.reference.codes import SCHEMA_VERSION, EventFlags, EventKind

EVENT_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("schema_version", "u1"),
        ("shard", "u1"),
        ("flags", "u1"),
        ("k", "<u4"),
        ("sequence", "<u8"),
        ("time_ns", "<u8"),
        ("epoch", "<u4"),
        ("instrument", "<u4"),
        ("order_id", "<u8"),
        ("counter_order_id", "<u8"),
        ("account", "<u4"),
        ("counter_account", "<u4"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade_prevention", "u1"),
        ("reason", "<u2"),
        ("order_flags", "<u2"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<u8"),
        ("open_lots", "<u8"),
        ("amount_low", "<u8"),
        ("amount_high", "<i8"),
        ("counter_amount_low", "<u8"),
        ("counter_amount_high", "<i8"),
        ("reference", "<u8"),
    ]
)
"""The row of an event; a `ClientOrderIdText` is read as [`TEXT_EVENT_DTYPE`] instead."""

TEXT_EVENT_DTYPE = np.dtype([("head", "V40"), ("length", "<u8"), ("bytes", "V80")])

TEXT_KINDS = (
    EventKind.CLIENT_ORDER_ID_TEXT,
    EventKind.CLIENT_LIST_ID_TEXT,
    EventKind.SESSION_NAME_TEXT,
    EventKind.KEY_ID_TEXT,
)
_LAYOUT = struct.Struct("<4BI2Q2I2Q2I4B2HqQQQqQqQ")
_HEAD = struct.Struct("<4BI2Q2IQ")
_TEXT = struct.Struct("<Q80s")
_LOW = 2**64 - 1


@dataclass(slots=True)
class Event:
    """An event. `EventKind` says what the fields mean for each kind; those a kind does not name are zero."""

    kind: EventKind
    schema_version: int = SCHEMA_VERSION
    shard: int = 0
    flags: int = 0
    k: int = 0
    sequence: int = 0
    time_ns: int = 0
    epoch: int = 0
    instrument: int = 0
    order_id: int = 0
    counter_order_id: int = 0
    account: int = 0
    counter_account: int = 0
    side: int = 0
    order_type: int = 0
    time_in_force: int = 0
    self_trade_prevention: int = 0
    reason: int = 0
    order_flags: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    open_lots: int = 0
    amount: int = 0
    counter_amount: int = 0
    reference: int = 0
    text: bytes = b""
    """Only of `TEXT_KINDS`, which have nothing else behind `order_id`."""

    def has(self, flag: EventFlags) -> bool:
        return bool(self.flags & flag)

    def pack(self) -> bytes:
        """The event's 128 bytes."""
        head = (self.kind, self.schema_version, self.shard, self.flags, self.k, self.sequence, self.time_ns)
        place = (self.epoch, self.instrument, self.order_id)
        if self.kind in TEXT_KINDS:
            return _HEAD.pack(*head, *place) + _TEXT.pack(len(self.text), self.text)
        return _LAYOUT.pack(
            *head,
            *place,
            self.counter_order_id,
            self.account,
            self.counter_account,
            self.side,
            self.order_type,
            self.time_in_force,
            self.self_trade_prevention,
            self.reason,
            self.order_flags,
            self.price_ticks,
            self.quantity_lots,
            self.open_lots,
            self.amount & _LOW,
            self.amount >> 64,
            self.counter_amount & _LOW,
            self.counter_amount >> 64,
            self.reference,
        )

    @classmethod
    def unpack(cls, data: bytes) -> "Event":
        """Read an event from its 128 bytes."""
        event = cls(EventKind(data[0]))
        if event.kind in TEXT_KINDS:
            values = _HEAD.unpack_from(data)
            length, text = _TEXT.unpack_from(data, _HEAD.size)
            event.text = text[:length]
        else:
            values = _LAYOUT.unpack(data)
            event.amount = values[22] | values[23] << 64
            event.counter_amount = values[24] | values[25] << 64
            event.reference = values[26]
        for name, value in zip(_PLAIN_FIELDS, values[1:22], strict=False):
            setattr(event, name, value)
        return event

    def words(self) -> str:
        """The event as a line of text: its kind and whatever is not zero."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self)[2:])
        return f"{self.kind.name} " + " ".join(f"{name}={value}" for name, value in named if value)


_PLAIN_FIELDS = [field.name for field in fields(Event)][1:22]


def pack_events(events: Iterable[Event]) -> npt.NDArray[Any]:
    """Events as rows of [`EVENT_DTYPE`]."""
    return np.frombuffer(b"".join(event.pack() for event in events), dtype=EVENT_DTYPE)


def unpack_events(rows: npt.NDArray[Any]) -> list[Event]:
    """Rows of 128 bytes, of whatever dtype, as events."""
    data = rows.tobytes()
    return [Event.unpack(data[start : start + 128]) for start in range(0, len(data), 128)]
