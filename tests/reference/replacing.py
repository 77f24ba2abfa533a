"""Replacements: one order goes and another comes, whole or in two halves; and how a refusal is told."""

from tests.reference import approvals, closing, line, protections
from tests.reference.checks import check_new_order, check_standing, found_before_cancel, leaving_order
from tests.reference.codes import ANY, ORDER_ENTRY_KINDS, CloseReason, EventKind, OrderFlags
from tests.reference.decoding import Replace, read_header
from tests.reference.event import Event
from tests.reference.orders import Order
from tests.reference.records import ORDER, with_header
from tests.reference.reject import Refused
from tests.reference.reject import RejectReason as Reason
from tests.reference.venue import Venue


def replace(venue: Venue, command: Replace, records: bytes) -> None:
    """Replace an order. Without modes that let its halves part, a refusal is raised before anything changed."""
    new = command.new_order
    allows_failure = command.has(OrderFlags.ALLOW_FAILURE)
    gone: Order | None = None
    why_not_gone: Reason | None = None
    if not allows_failure:
        check_standing(venue, new)
        gone = leaving_order(venue, command)
    else:
        try:
            gone = leaving_order(venue, command)
        except Refused as refused:
            why_not_gone = refused.reason
    try:
        checked = check_new_order(venue, new, gone)
    except Refused as refused:
        is_one_too_many = refused.reason is Reason.ORDER_RATE_EXCEEDED and command.has(OrderFlags.CANCEL_ONLY)
        parts = allows_failure and not found_before_cancel(refused.reason)
        if not (parts or is_one_too_many):
            raise
        if gone is not None:
            closing.cancel(venue, gone, CloseReason.NOT_REPLACED)
        if why_not_gone is not None:
            venue.emit(rejected(records, why_not_gone))
        venue.emit(_half_rejected(records, command.order_record, refused.reason))
        return
    if gone is not None:
        closing.cancel(venue, gone, CloseReason.REPLACED)
    approvals.let_in(venue, new, checked)
    line.work_off(venue)
    protections.finish(venue)
    if why_not_gone is not None:
        venue.emit(rejected(records, why_not_gone))


def _half_rejected(records: bytes, order_record: bytes, reason: Reason) -> Event:
    """The new order alone is refused: its record is repeated, under what names the command."""
    first = read_header(records)
    return rejected(with_header(order_record, session=first.session, client_sequence=first.client_sequence), reason)


def rejected(command: bytes, reason: Reason, leg: int = 0) -> Event:
    """The event of a refused command: it repeats the first record."""
    header = read_header(command)
    event = Event(
        EventKind.REJECTED,
        instrument=ANY,
        account=header.account,
        reason=reason,
        amount=leg,
        open_lots=header.kind,
        counter_account=header.session,
        counter_order_id=header.client_sequence,
    )
    if header.kind in ORDER_ENTRY_KINDS:
        fields = ORDER.unpack_from(command)
        event.instrument, event.side, event.order_type = fields[7:10]
        event.time_in_force, event.self_trade_prevention, event.order_flags = fields[10:13]
        event.price_ticks, event.quantity_lots, event.reference = fields[14:17]
    return event
