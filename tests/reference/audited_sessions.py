"""Sessions and keys as the auditor knows them: from events alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.reference.codes import EventKind
from tests.reference.event import Event
from tests.reference.reject import RejectReason

NOT_NUMBERED = (
    RejectReason.UNKNOWN_COMMAND,
    RejectReason.UNKNOWN_SCHEMA_VERSION,
    RejectReason.MALFORMED_RECORDS,
    RejectReason.STALE,
)
"""Refusals that may have come before the number was looked at."""
OUT_OF_SEQUENCE = (RejectReason.CLIENT_SEQUENCE_GAP, RejectReason.CLIENT_SEQUENCE_TOO_OLD)
WINDOW = 1_024

Number = tuple[int, int]
"""Session and client sequence."""


@dataclass(slots=True)
class AuditedSessions:
    require: Callable[[bool, str, Event], None]
    names: dict[tuple[int, bytes], int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    """At least so far a session has counted, as far as events tell."""
    _opening: Event | None = None
    """A session, or a key, whose text is still to come."""
    _refused: dict[Number, tuple[int, int]] = field(default_factory=dict)
    """Sequence and reason of the first refusal."""
    _first_orders: dict[int, int] = field(default_factory=dict)
    """By sequence, of commands that gave orders."""
    _answers: dict[Number, tuple[int, int, int]] = field(default_factory=dict)
    """What retries were told."""
    _keys: dict[bytes, Event] = field(default_factory=dict)

    def before(self, event: Event) -> None:
        texts = {
            EventKind.SESSION_OPENED: EventKind.SESSION_NAME_TEXT,
            EventKind.KEY_REGISTERED: EventKind.KEY_ID_TEXT,
            EventKind.KEY_REVOKED: EventKind.KEY_ID_TEXT,
        }
        due = None if self._opening is None else texts[self._opening.kind]
        is_text = event.kind in (EventKind.SESSION_NAME_TEXT, EventKind.KEY_ID_TEXT)
        self.require(
            event.kind is due or (due is None and not is_text), "a session or a key is followed by its text", event
        )
        if event.kind is EventKind.ORDER_ACCEPTED:
            first = self._first_orders.setdefault(event.sequence, event.order_id)
            self._first_orders[event.sequence] = min(first, event.order_id)
        if event.kind is EventKind.REJECTED:
            self._see_refusal(event)

    def _see_refusal(self, event: Event) -> None:
        number = (event.counter_account, event.counter_order_id)
        if event.counter_order_id == 0 or event.counter_account not in self.last:
            self.require(event.reason not in OUT_OF_SEQUENCE, "only opened sessions count", event)
            return
        last = self.last[event.counter_account]
        if event.reason in OUT_OF_SEQUENCE:
            too_old = event.reason == RejectReason.CLIENT_SEQUENCE_TOO_OLD
            fits = number[1] < event.amount - WINDOW if too_old else number[1] > event.amount
            self.require(fits, "a gap is above the number that is due, and what is too old below the window", event)
            self._counts(number[0], event.amount - 1, event)
        elif event.reason not in NOT_NUMBERED and self._refused.get(number, (event.sequence, 0))[0] == event.sequence:
            self._refused.setdefault(number, (event.sequence, event.reason))
            self.require(number[1] >= last, "a number is used once", event)
            self._counts(number[0], number[1], event)
        elif event.reason not in NOT_NUMBERED:
            self.require(number not in self._refused, "a number is used once", event)

    def _counts(self, session: int, last: int, event: Event) -> None:
        self.require(last >= self.last[session], "a session never counts back", event)
        self.last[session] = last

    def tell(self, event: Event) -> None:
        match event.kind:
            case EventKind.COMMAND_REPEATED:
                self._repeated(event)
            case EventKind.SESSION_NAME_TEXT:
                self._named(event)
            case EventKind.KEY_ID_TEXT:
                self._key(event)
            case _:
                self._opening = event

    def _repeated(self, event: Event) -> None:
        number = (event.counter_account, event.counter_order_id)
        self.require(number[0] in self.last and number[1] > 0, "only opened sessions count", event)
        self.require(0 < event.reference < event.sequence, "a retry comes behind the original", event)
        answer = (event.reference, event.order_id, event.reason)
        self.require(self._answers.setdefault(number, answer) == answer, "every retry gets the same answer", event)
        refused = self._refused.get(number, (event.reference, 0))
        # Records that are found wrong while they are read are refused as an envelope is; these are not kept.
        is_original = refused == (event.reference, event.reason) or event.reason == RejectReason.MALFORMED_RECORDS
        self.require(is_original, "a retry gets the original answer", event)
        first = self._first_orders.get(event.reference, 0)
        self.require(event.order_id == first, "a retry names the first order of the original", event)
        self.last[number[0]] = max(self.last[number[0]], number[1])

    def _named(self, event: Event) -> None:
        opened, self._opening = self._opening, None
        assert opened is not None, "Invariant: it was checked that a session is opened"
        number = self.names.setdefault((opened.account, event.text), len(self.names) + 1)
        self.require(opened.counter_account == number, "sessions are numbered by first use", opened)
        if number not in self.last:
            self.require(opened.counter_order_id == 0, "a new session begins with nothing", opened)
        self.last.setdefault(number, 0)
        self._counts(number, opened.counter_order_id, opened)

    def _key(self, event: Event) -> None:
        told, self._opening = self._opening, None
        assert told is not None, "Invariant: it was checked that a key is told of"
        if told.kind is EventKind.KEY_REGISTERED:
            self.require(event.text not in self._keys, "a key's id is its own", told)
            self._keys[event.text] = told
            return
        known = self._keys.pop(event.text, None)
        self.require(known is not None, "what is revoked was registered", told)
        assert known is not None
        same = replace(known, kind=told.kind, k=told.k, sequence=told.sequence, time_ns=told.time_ns, flags=told.flags)
        self.require(same == told, "a revoked key is told as it was registered", told)
