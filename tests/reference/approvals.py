"""Approvals: which orders wait for somebody else's word, what they say, and what happens when they have it.

Naive on purpose: what an owner has open is added up anew for each order.
"""

from __future__ import annotations

import hashlib
import struct

from tests.reference import closing, matching
from tests.reference.checks import Checked, check_released, check_state, known_account
from tests.reference.codes import CloseReason, EventKind, OrderFlags, Permissions
from tests.reference.conditions import Conditions
from tests.reference.decoding import Approval, NewOrder
from tests.reference.event import Event
from tests.reference.orders import Order
from tests.reference.records import conditions_record, text_record
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.venue import Venue


def order_hash(order_id: int, new: NewOrder) -> bytes:
    """SHA-256 of the order: its id, its record from the account on, and the records behind that."""
    number = new.client_order_id if isinstance(new.client_order_id, int) else 0
    codes = (new.side, new.order_type, new.time_in_force, new.prevention, new.flags, 0)
    size = (new.price_ticks, new.quantity_lots, number)
    content = struct.pack("<QII4BHHqQQ", order_id, new.account, new.instrument, *codes, *size)
    if isinstance(new.client_order_id, bytes):
        content += text_record(new.client_order_id)
    if new.flags & OrderFlags.CONDITIONS:
        content += _conditions_as_sent(new.conditions)
    return hashlib.sha256(content).digest()


def _conditions_as_sent(conditions: Conditions) -> bytes:
    values: dict[str, int] = {"minimum_lots": conditions.minimum_lots, "expire_time_ns": conditions.expire_time_ns}
    trigger, iceberg = conditions.trigger, conditions.iceberg
    if trigger is not None:
        values |= {"trigger": trigger.kind, "source": trigger.source, "trigger_price_ticks": trigger.price_ticks or 0}
        if trigger.trail is not None:
            values |= {"trail_unit": trigger.trail.unit, "trail": trigger.trail.size}
    if iceberg is not None:
        values |= {
            "peak_lots": iceberg.peak_lots,
            "peak_range_lots": iceberg.range_lots,
            "seed": iceberg.seed,
        }
    return conditions_record(**values, display=int(conditions.hidden))


def let_in(venue: Venue, new: NewOrder, checked: Checked) -> None:
    """Accept a checked order; then it waits for approval, or goes where it goes."""
    order = matching.accept(venue, new, checked.limit_ticks, checked.trigger_ticks)
    if checked.approvers > 0:
        wait(venue, order, new, checked.approvers, checked.expiry_ns)
    else:
        matching.let_in(venue, order)


def wait(venue: Venue, order: Order, new: NewOrder, needed: int, expiry_ns: int) -> None:
    """Let an accepted order wait for approval."""
    order.approvers_needed = needed
    order.approval_hash = order_hash(order.order_id, new)
    order.deadline_ns = venue.time_ns + expiry_ns
    if order.conditions.expire_time_ns:
        order.deadline_ns = min(order.deadline_ns, order.conditions.expire_time_ns)
    venue.wait_for_approval(order)
    _tell(venue, EventKind.APPROVAL_REQUIRED, order, 0)


def _tell(venue: Venue, kind: EventKind, order: Order, approver: int) -> None:
    words = [int.from_bytes(order.approval_hash[start : start + 16], "little", signed=True) for start in (0, 16)]
    venue.emit(
        Event(
            kind,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            counter_account=approver,
            side=order.side,
            order_type=order.approvers_needed,
            time_in_force=len(order.approvers),
            price_ticks=order.price_ticks,
            quantity_lots=order.open_lots,
            amount=words[0],
            counter_amount=words[1],
            reference=order.deadline_ns,
        )
    )


def decide(venue: Venue, approval: Approval) -> None:
    """Approve or decline an order."""
    approves = approval.hash is not None
    require(not (approves and venue.halted), Reason.VENUE_HALTED)
    approver = known_account(venue, approval.approver)
    order = next((order for order in venue.open_orders() if order.order_id == approval.order_id), None)
    if order is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    if approves:
        check_state(venue.instruments[order.instrument], must_trade=True)
        require(not approver.halted, Reason.ACCOUNT_HALTED)
        require(not venue.controls.is_killed(approver), Reason.KILL_SWITCH_ENGAGED)
    require(order.approvers_needed > 0, Reason.ORDER_NEEDS_NO_APPROVAL)
    together = approver.owns_together_with(venue.accounts[order.account])
    require(not together, Reason.APPROVER_NOT_INDEPENDENT)
    require(approver.may(Permissions.APPROVE), Reason.APPROVER_NOT_PERMITTED)
    if not approves:
        _tell(venue, EventKind.APPROVAL_DECLINED, order, approver.id)
        closing.cancel(venue, order, CloseReason.DECLINED)
        return
    require(approver.id not in order.approvers, Reason.ALREADY_APPROVED)
    require(approval.hash == order.approval_hash, Reason.APPROVAL_HASH_DIFFERS)
    order.approvers.append(approver.id)
    _tell(venue, EventKind.ORDER_APPROVED, order, approver.id)
    if len(order.approvers) == order.approvers_needed:
        _release(venue, order)


def _release(venue: Venue, order: Order) -> None:
    """Check an order with all its approvals again; then it comes to the market, or waits for its trigger."""
    venue.emit(
        Event(
            EventKind.ORDER_RELEASED,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            price_ticks=order.price_ticks,
            quantity_lots=order.open_lots,
            reference=order.reference,
        )
    )
    venue.take_out(order)
    order.approvers_needed = 0
    try:
        limit = check_released(venue, order)
    except Refused as refused:
        order.trigger_ticks = None
        closing.expire(venue, order, CloseReason.REFUSED_AT_RELEASE, refused.reason)
        return
    if order.waits:
        venue.wait(order)
        return
    order.price_ticks = limit
    matching.enter(venue, order)
