"""Closing: the last event of an order that did not trade in full, and what it takes along."""

from tests.reference.codes import CloseReason, EventKind
from tests.reference.event import Event
from tests.reference.orders import Order, OrderList
from tests.reference.venue import Venue


def expire(venue: Venue, order: Order, reason: CloseReason, refusal: int = 0) -> None:
    """End an order that is in no book: a taker, or one that was taken out."""
    _close(venue, EventKind.ORDER_EXPIRED, order, reason, refusal)


def cancel(venue: Venue, order: Order, reason: CloseReason) -> None:
    """End an order that is in the book, waits for its trigger, or is pending."""
    venue.take_out(order)
    _close(venue, EventKind.ORDER_CANCELLED, order, reason)


def _close(venue: Venue, kind: EventKind, order: Order, reason: CloseReason, refusal: int = 0) -> None:
    venue.emit(
        Event(
            kind,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            reason=reason,
            price_ticks=order.price_ticks,
            quantity_lots=0 if order.by_amount else order.open_lots,
            open_lots=refusal,
            amount=order.unspent,
            reference=order.reference,
        )
    )
    if order.in_list is not None:
        untie(venue, order, CloseReason.LIST_CLOSED)


# What ties orders together.


def before_trade(venue: Venue, maker: Order) -> None:
    """A maker is about to trade: the other leg of its pair goes. Who waits for it to be filled goes on waiting."""
    if maker.in_list is not None and maker.in_list.is_pair:
        untie(venue, maker, CloseReason.OTHER_LEG_EXECUTED)


def before_loss(venue: Venue, order: Order) -> None:
    """An order is about to lose quantity to prevention: whoever is tied to it goes."""
    if order.in_list is not None:
        is_pair = order.in_list.is_pair
        untie(venue, order, CloseReason.OTHER_LEG_EXECUTED if is_pair else CloseReason.LIST_CLOSED)


def untie(venue: Venue, kept: Order, reason: CloseReason) -> None:
    """End the list of an order but for that order."""
    order_list = kept.in_list
    assert order_list is not None, "Invariant: only what is tied is untied"
    _cancel_legs(venue, order_list, [leg for leg in order_list.legs if leg is not kept], reason)
    kept.in_list = None
    end(venue, order_list)


def cancel_list(venue: Venue, order_list: OrderList) -> None:
    """End a list with all its legs."""
    _cancel_legs(venue, order_list, list(order_list.legs), CloseReason.CANCELLED_BY_OWNER)
    end(venue, order_list)


def _cancel_legs(venue: Venue, order_list: OrderList, legs: list[Order], reason: CloseReason) -> None:
    for leg in legs:
        venue.take_out(leg)
        order_list.legs.remove(leg)
        leg.in_list = None
        _close(venue, EventKind.ORDER_CANCELLED, leg, reason)


def end(venue: Venue, order_list: OrderList) -> None:
    """Tell that a list ties nothing together any more."""
    venue.lists.remove(order_list)
    venue.emit(
        Event(
            EventKind.LIST_DONE,
            instrument=order_list.instrument,
            account=order_list.account,
            order_type=order_list.contingency,
            open_lots=order_list.number,
            reference=order_list.list_id,
        )
    )


def working_leg_filled(venue: Venue, order: Order) -> None:
    """The others of its list start when the order at work is done."""
    order_list = order.in_list
    assert order_list is not None, "Invariant: a working leg has a list"
    order_list.legs.remove(order)
    order.in_list = None
    venue.line.append(order_list)
