"""Timers: what is due happens before the command that let the time come does anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.reference import closing, protections, states
from tests.reference.codes import CloseReason
from tests.reference.orders import Order
from tests.reference.venue import Venue

Due = tuple[int, int, int, Callable[[], None]]
"""Time, kind (orders, states, schedules), id, and what happens."""


def fire(venue: Venue) -> None:
    """Let happen what is due by now, the first first. What happens may let more be due."""
    while due := [each for each in _everything(venue) if each[0] <= venue.time_ns]:
        *_, happen = min(due, key=lambda each: each[:3])
        happen()
        protections.finish(venue)


def _everything(venue: Venue) -> list[Due]:
    due: list[Due] = [
        (_due(order), 0, order.order_id, partial(_expire, venue, order))
        for account in venue.accounts
        for order in account.open_orders.values()
        if _due(order) > 0
    ]
    # While the venue is halted, states stay as they are.
    for instrument in [] if venue.halted else venue.instruments:
        if instrument.until_ns > 0:
            happen = partial(states.end_by_itself, venue, instrument)
            due.append((instrument.until_ns, 1, instrument.id, happen))
        scheduled = instrument.scheduled
        if scheduled is not None and not scheduled.waits:
            happen = partial(states.follow_schedule, venue, instrument, scheduled)
            due.append((scheduled.due_ns, 2, instrument.id, happen))
    return due


def _expire(venue: Venue, order: Order) -> None:
    is_own_time = _due(order) == order.conditions.expire_time_ns
    venue.take_out(order)
    closing.expire(venue, order, CloseReason.GOOD_TILL_DATE if is_own_time else CloseReason.APPROVAL_EXPIRED)


def _due(order: Order) -> int:
    """When the order leaves by itself; 0 is never."""
    return order.deadline_ns if order.approvers_needed else order.conditions.expire_time_ns
