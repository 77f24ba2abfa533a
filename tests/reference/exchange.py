"""The reference exchange: commands in, events out."""

from typing import Any

import numpy.typing as npt

from tests.reference import (
    approvals,
    calls,
    closing,
    line,
    lists,
    matching,
    pegs,
    protections,
    quotes,
    replacing,
    sessions,
    timers,
)
from tests.reference.checks import check_amend, check_new_order, known_account, known_instrument, known_order
from tests.reference.codes import (
    LIVING_SESSION_KINDS,
    NEW_ORDER_KINDS,
    ORDER_ENTRY_KINDS,
    CloseReason,
    CommandKind,
    EventFlags,
    Side,
)
from tests.reference.decoding import (
    Amend,
    Approval,
    Cancel,
    CancelAll,
    CancelList,
    CancelQuotes,
    Header,
    Labelled,
    MassQuote,
    Money,
    Named,
    NewList,
    NewOrder,
    Replace,
    Setting,
    check_envelope,
    count_quotes,
    decode,
    read_header,
)
from tests.reference.event import Event
from tests.reference.ledger import Place
from tests.reference.orders import Order
from tests.reference.records import RECORD_BYTES, split_commands
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.replacing import rejected
from tests.reference.settings import add_named, apply_setting, move_money
from tests.reference.venue import Venue


class InvariantError(AssertionError):
    """The exchange is in a state that must not be."""


class Exchange:
    """A whole venue, as the rulebook describes it."""

    def __init__(self) -> None:
        self.venue = Venue()
        self._numbered_by: sessions.ClientSession | None = None
        """The session whose next command is at hand."""

    def apply(self, records: npt.NDArray[Any] | bytes) -> list[Event]:
        """Apply a stream of whole commands and return their events in order."""
        stream = records if isinstance(records, bytes) else records.tobytes()
        return [event for command in split_commands(stream) for event in self.apply_command(command)]

    def apply_command(self, command: bytes) -> list[Event]:
        """Apply one command and return its events."""
        venue = self.venue
        venue.sequence += 1
        venue.events = []
        self._begin()
        orders_before = venue.orders_accepted
        try:
            self._apply(command)
        except sessions.Stopped as stopped:
            venue.emit(stopped.event)
        except Refused as refused:
            # Checks come before changes: if there are events by now, they are those of timers.
            venue.emit(rejected(command, refused.reason, refused.leg))
        calls.tell_indications(venue)
        if self._numbered_by is not None:
            sessions.note(venue, self._numbered_by, orders_before)
        for k, event in enumerate(venue.events):
            event.k, event.sequence, event.time_ns = k, venue.sequence, venue.time_ns
        if venue.events:
            venue.events[-1].flags |= EventFlags.LAST
        return venue.events

    def _begin(self) -> None:
        self._numbered_by = None

    def _apply(self, command: bytes) -> None:
        header = read_header(command)
        check_envelope(header, command)
        require(header.time_ns >= self.venue.time_ns, Reason.STALE)
        self.venue.time_ns = header.time_ns
        timers.fire(self.venue)
        pegs.move_all(self.venue)
        session = sessions.numbered_by(self.venue, header)
        if session is not None:
            sessions.look_up(session, header)
            self._numbered_by = session
        self._count(header, command)
        self.venue.session = header.session
        killed = header.kind in LIVING_SESSION_KINDS and self.venue.controls.is_session_killed(header.session)
        require(not killed, Reason.SESSION_KILLED)
        decoded = decode(command)
        match decoded:
            case NewOrder():
                checked = check_new_order(self.venue, decoded)
                approvals.let_in(self.venue, decoded, checked)
            case Cancel():
                order = known_order(known_account(self.venue, decoded.account), decoded.target)
                closing.cancel(self.venue, order, CloseReason.CANCELLED_BY_OWNER)
            case CancelAll():
                self._cancel_all(decoded)
            case Amend():
                matching.amend(self.venue, check_amend(self.venue, decoded))
            case Replace():
                replacing.replace(self.venue, decoded, command)
            case NewList():
                lists.place(self.venue, decoded)
            case CancelList():
                closing.cancel_list(self.venue, lists.find(self.venue, decoded))
            case MassQuote():
                quotes.mass_quote(self.venue, decoded)
            case CancelQuotes():
                quotes.cancel_quotes(self.venue, decoded)
            case Approval():
                approvals.decide(self.venue, decoded)
            case Labelled():
                sessions.apply_labelled(self.venue, decoded)
            case Named():
                add_named(self.venue, decoded)
            case Setting():
                apply_setting(self.venue, decoded)
            case Money():
                move_money(self.venue, decoded)
        line.work_off(self.venue)
        protections.finish(self.venue)
        pegs.move_all(self.venue)

    def _count(self, header: Header, command: bytes) -> None:
        """Count a message about orders for its account, whatever becomes of it."""
        account = self.venue.account(header.account)
        if header.kind in ORDER_ENTRY_KINDS and account is not None:
            orders = int(header.kind in NEW_ORDER_KINDS)
            if header.kind == CommandKind.PLACE_LIST:
                kinds = command[RECORD_BYTES::RECORD_BYTES]
                orders = kinds.count(CommandKind.PLACE_ORDER)
            elif header.kind == CommandKind.MASS_QUOTE:
                orders = count_quotes(command)
            account.count_message(self.venue.time_ns, orders=orders)

    def _cancel_all(self, command: CancelAll) -> None:
        if command.instrument is not None:
            known_instrument(self.venue, command.instrument)
        account = known_account(self.venue, command.account)
        for order in sorted(account.open_orders.values(), key=lambda order: order.order_id):
            on_instrument = command.instrument is None or order.instrument == command.instrument
            # One may have gone with its list.
            is_open = order.order_id in account.open_orders
            if is_open and on_instrument and (command.side is None or order.side == command.side):
                closing.cancel(self.venue, order, CloseReason.CANCELLED_ALL)

    # What there is, to compare with the engine.

    def balances(self) -> dict[Place, tuple[int, int]]:
        """Available and held of every (account, asset) where either is not zero."""
        return self.venue.ledger.balances()

    def open_orders(self) -> list[Order]:
        """Every open order, by id."""
        return self.venue.open_orders()

    def book(self, instrument: int) -> dict[Side, list[tuple[int, int]]]:
        """Price and displayed quantity of each level of each side, best first."""
        return {side: self.venue.instruments[instrument].book.depth(side) for side in Side}

    def check_invariants(self) -> None:
        """Raise [`InvariantError`] unless money is conserved, holds are exact and the books are in order."""
        broken = self.venue.broken_rules()
        if broken:
            raise InvariantError("; ".join(broken))
