"""Timers: orders whose time has come leave before the command that let the time come does anything."""

from tests.reference import matching
from tests.reference.codes import CloseReason
from tests.reference.orders import Order
from tests.reference.venue import Venue


def fire(venue: Venue) -> None:
    """Let the orders expire that are due by now, by time and then by order id."""
    orders = [order for account in venue.accounts for order in account.open_orders.values()]
    for order in sorted(orders, key=lambda order: (_due(order), order.order_id)):
        if 0 < _due(order) <= venue.time_ns:
            is_own_time = _due(order) == order.conditions.expire_time_ns
            venue.take_out(order)
            matching.expire(venue, order, CloseReason.GOOD_TILL_DATE if is_own_time else CloseReason.APPROVAL_EXPIRED)


def _due(order: Order) -> int:
    """When the order leaves by itself; 0 is never."""
    return order.deadline_ns if order.approvers_needed else order.conditions.expire_time_ns
