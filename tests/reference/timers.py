"""Timers: orders whose time has come leave before the command that let the time come does anything."""

from tests.reference import matching
from tests.reference.codes import CloseReason
from tests.reference.venue import Venue


def fire(venue: Venue) -> None:
    """Let the orders expire that are due by now, by time and then by order id."""
    orders = [order for account in venue.accounts for order in account.open_orders.values()]
    due = [order for order in orders if 0 < order.conditions.expire_time_ns <= venue.time_ns]
    for order in sorted(due, key=lambda order: (order.conditions.expire_time_ns, order.order_id)):
        venue.take_out(order)
        matching.expire(venue, order, CloseReason.GOOD_TILL_DATE)
