"""The line of orders that fired: each comes to the market when the one before it is done."""

from tests.reference import closing, lists, matching
from tests.reference.checks import check_at_trigger
from tests.reference.codes import CloseReason, EventKind
from tests.reference.event import Event
from tests.reference.orders import Order, OrderList
from tests.reference.reject import Refused
from tests.reference.triggers import trigger_price
from tests.reference.venue import Venue


def work_off(venue: Venue) -> None:
    """Bring those that fired to the market, one by one. Their trades let others join the end of the line."""
    while venue.line:
        _take_turn(venue, venue.line.pop(0))


def _take_turn(venue: Venue, turn: tuple[Order, int] | OrderList) -> None:
    if isinstance(turn, OrderList):
        lists.start(venue, turn)
        return
    order, price_ticks = turn
    if order.order_id in venue.accounts[order.account].open_orders:
        _come_to_market(venue, order, price_ticks)


def _come_to_market(venue: Venue, order: Order, price_ticks: int) -> None:
    trigger = order.conditions.trigger
    assert trigger is not None, "Invariant: an order in the line has a trigger"
    if order.in_list is not None:
        closing.untie(venue, order, CloseReason.OTHER_LEG_EXECUTED)
    venue.emit(
        Event(
            EventKind.ORDER_TRIGGERED,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            time_in_force=trigger.source,
            price_ticks=trigger_price(order),
            quantity_lots=order.open_lots,
            open_lots=price_ticks,
            reference=order.reference,
        )
    )
    venue.let_go(order)
    order.trigger_ticks = None
    try:
        limit = check_at_trigger(venue, order)
    except Refused as refused:
        closing.expire(venue, order, CloseReason.REFUSED_AT_TRIGGER, refused.reason)
        return
    order.price_ticks = limit
    matching.enter(venue, order)
