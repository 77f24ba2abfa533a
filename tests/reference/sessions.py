"""Sessions that were opened, what they were answered, and keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from tests.reference.checks import known_account
from tests.reference.codes import ANY, CommandKind, EventKind, KeyKind
from tests.reference.decoding import Header, Key, Labelled
from tests.reference.event import Event
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.venue import Venue

WINDOW = 1_024
"""How many of its last client sequences a session recognises."""
SESSIONS_OF_ACCOUNT_MAX = 256


@dataclass(frozen=True, slots=True)
class Answer:
    sequence: int
    order_id: int
    """The first that the command gave; 0 when it gave none."""
    reason: int
    """Why it was refused; 0 when it was not."""


@dataclass(slots=True)
class ClientSession:
    account: int
    name: bytes
    answers: list[Answer] = field(default_factory=list)
    """One for each client sequence, from 1. It remembers all of them, and tells of the last ones."""


class Stopped(Exception):
    """Raised for a command that its session's window stops, with the event that says so."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.words())
        self.event = event


class OutOfSequence(Refused):
    """Raised for a command whose number its session does not know any more, or not yet."""

    def __init__(self, reason: Reason, due: int) -> None:
        # The number that is due stands where the leg of a list would.
        super().__init__(reason, due)


def numbered_by(venue: Venue, header: Header) -> ClientSession | None:
    """The session that numbers the command; none for any other command."""
    if header.client_sequence == 0 or not 1 <= header.session <= len(venue.sessions):
        return None
    session = venue.sessions[header.session - 1]
    assert isinstance(session, ClientSession)
    return session


def look_up(session: ClientSession, header: Header) -> None:
    """Stop a command that is not the session's next one."""
    number, last = header.client_sequence, len(session.answers)
    if number > last + 1:
        raise OutOfSequence(Reason.CLIENT_SEQUENCE_GAP, last + 1)
    if number <= last - WINDOW:
        raise OutOfSequence(Reason.CLIENT_SEQUENCE_TOO_OLD, last + 1)
    if number <= last:
        answer = session.answers[number - 1]
        raise Stopped(
            Event(
                EventKind.COMMAND_REPEATED,
                instrument=ANY,
                order_id=answer.order_id,
                account=header.account,
                counter_account=header.session,
                counter_order_id=number,
                reason=answer.reason,
                open_lots=header.kind,
                reference=answer.sequence,
            )
        )


def note(venue: Venue, session: ClientSession, orders_before: int) -> None:
    """Remember what came of the session's next command, which is done."""
    refusals = [event.reason for event in venue.events if event.kind is EventKind.REJECTED]
    order_id = orders_before + 1 if venue.orders_accepted > orders_before else 0
    session.answers.append(Answer(venue.sequence, order_id, refusals[0] if refusals else 0))


def apply_labelled(venue: Venue, command: Labelled) -> None:
    if command.kind is CommandKind.REVOKE_KEY:
        _revoke(venue, command.label)
        return
    if command.account != ANY:
        known_account(venue, command.account)
    if command.key is None:
        _open(venue, command.account, command.label)
    else:
        _register(venue, command.account, command.label, command.key)


def _open(venue: Venue, account: int, name: bytes) -> None:
    known = [session for session in venue.sessions if isinstance(session, ClientSession)]
    names = [(session.account, session.name) for session in known]
    if (account, name) not in names:
        own = [owner for owner, _ in names if owner == account]
        require(len(own) < SESSIONS_OF_ACCOUNT_MAX, Reason.TOO_MANY_SESSIONS)
        known.append(ClientSession(account, name))
        names.append((account, name))
        venue.sessions = list(known)
    place = names.index((account, name))
    opened = Event(EventKind.SESSION_OPENED, instrument=ANY, account=account, counter_account=place + 1)
    opened.counter_order_id = len(known[place].answers)
    venue.emit(opened)
    venue.emit(Event(EventKind.SESSION_NAME_TEXT, instrument=ANY, text=name))


def _register(venue: Venue, account: int, key_id: bytes, key: Key) -> None:
    require(key_id not in venue.keys, Reason.NAME_TAKEN)
    venue.keys[key_id] = (account, key)
    _tell(venue, EventKind.KEY_REGISTERED, key_id, account, key)


def _revoke(venue: Venue, key_id: bytes) -> None:
    require(key_id in venue.keys, Reason.UNKNOWN_KEY)
    account, key = venue.keys.pop(key_id)
    assert isinstance(key, Key)
    _tell(venue, EventKind.KEY_REVOKED, key_id, account, key)


def _tell(venue: Venue, kind: EventKind, key_id: bytes, account: int, key: Key) -> None:
    shown = key.material if key.kind is KeyKind.ED25519 else hashlib.sha256(key.material).digest()
    halves = [int.from_bytes(half, "little", signed=True) for half in (shown[:16], shown[16:])]
    venue.emit(
        Event(
            kind,
            instrument=ANY,
            account=account,
            order_type=key.kind,
            quantity_lots=key.permissions,
            open_lots=len(key.material),
            amount=halves[0],
            counter_amount=halves[1],
        )
    )
    venue.emit(Event(EventKind.KEY_ID_TEXT, instrument=ANY, text=key_id))
