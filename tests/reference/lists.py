"""Lists of orders: how they come in, and how their pending legs start."""

from dataclasses import dataclass

from tests.reference import closing, matching
from tests.reference.checks import (
    Checked,
    check_band,
    check_funds,
    check_may_trade,
    check_new_order,
    check_notional,
    check_open_orders,
    check_position,
    check_price,
    check_quantity,
    check_standing,
    check_state,
    check_trigger_price,
    known_account,
    level_price,
    needed_approvers,
)
from tests.reference.codes import AMOUNT_MAX, CloseReason, EventKind, OrderFlags, OrderType, Side, State
from tests.reference.decoding import CancelList, NewList, NewOrder
from tests.reference.event import Event
from tests.reference.orders import Order, OrderList, bid_cover
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.venue import Venue


def place(venue: Venue, new: NewList) -> None:
    """Place a list: all its legs or none."""
    checked = _check(venue, new)
    venue.lists_accepted += 1
    order_list = OrderList(
        venue.lists_accepted, new.account, new.instrument, new.contingency, new.client_list_id, legs=[]
    )
    _tell_accepted(venue, new, order_list)
    for leg, found in zip(new.legs, checked, strict=True):
        order = matching.accept(venue, leg, found.limit_ticks, found.trigger_ticks)
        order.in_list, order.trigger_ticks = order_list, None
        order_list.legs.append(order)
        venue.pend(order)
    venue.lists.append(order_list)
    if new.contingency.has_working_leg:
        _enter(venue, order_list.legs[0])
    else:
        _stand_or_enter(venue, order_list, [found.trigger_ticks for found in checked])


def _tell_accepted(venue: Venue, new: NewList, order_list: OrderList) -> None:
    is_text = isinstance(new.client_list_id, bytes)
    venue.emit(
        Event(
            EventKind.LIST_ACCEPTED,
            instrument=new.instrument,
            account=new.account,
            order_type=new.contingency,
            order_flags=OrderFlags.TEXT_ID if is_text else 0,
            quantity_lots=len(new.legs),
            open_lots=order_list.number,
            reference=order_list.list_id,
        )
    )
    if isinstance(new.client_list_id, bytes):
        venue.emit(Event(EventKind.CLIENT_LIST_ID_TEXT, instrument=new.instrument, text=new.client_list_id))


def find(venue: Venue, cancel: CancelList) -> OrderList:
    """The account's list that is meant."""
    account = known_account(venue, cancel.account)
    for order_list in venue.lists:
        if order_list.account != account.id:
            continue
        if cancel.target.order_id == order_list.list_id:
            return order_list
        by_client = cancel.target.order_id is None and cancel.target.client_order_id is not None
        if by_client and cancel.target.client_order_id == order_list.client_list_id:
            return order_list
    raise Refused(Reason.UNKNOWN_ORDER)


# On entry.


def _check(venue: Venue, new: NewList) -> list[Checked]:
    checked: list[Checked] = []
    before = 0
    for number, leg in enumerate(new.legs, 1):
        is_pending = number > 1 and new.contingency.has_working_leg
        try:
            if is_pending:
                checked.append(_check_pending(venue, leg, before))
            else:
                found = check_new_order(venue, leg, legs_before=before)
                require(found.approvers == 0, Reason.ORDER_NOT_APPROVABLE)
                checked.append(found)
        except Refused as refused:
            raise Refused(refused.reason, number) from None
        before += is_pending or leg.time_in_force.may_rest or leg.conditions.trigger is not None
    require(venue.instruments[new.instrument].state is State.CONTINUOUS, Reason.IMMEDIATE_IN_CALL)
    if not new.contingency.has_working_leg:
        limits = [found.limit_ticks for found in checked]
        _check_pair(venue, new.legs, limits, [found.trigger_ticks for found in checked])
    names = [each.client_list_id for each in venue.lists if each.account == new.account]
    require(new.client_list_id is None or new.client_list_id not in names, Reason.DUPLICATE_LIST_ID)
    return checked


def _check_pending(venue: Venue, new: NewOrder, before: int) -> Checked:
    """What can be known of a leg before it starts."""
    account, instrument = check_standing(venue, new)
    # A peg finds its price when it starts.
    has_price = new.order_type is OrderType.LIMIT and new.conditions.peg is None
    if has_price:
        check_price(instrument, new.price_ticks)
    check_quantity(instrument, new.quantity_lots)
    if has_price:
        check_notional(instrument, instrument.units.notional(new.price_ticks, new.quantity_lots))
    trigger = new.conditions.trigger
    given = None
    if trigger is not None and trigger.price_ticks is not None:
        given = check_trigger_price(instrument, new.side, trigger)
    if new.conditions.expire_time_ns != 0:
        require(new.conditions.expire_time_ns > venue.time_ns, Reason.EXPIRY_NOT_IN_FUTURE)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    require(account.orders <= account.limits.orders_per_second_max, Reason.ORDER_RATE_EXCEEDED)
    if new.client_order_id is not None:
        require(account.order_by_client_id(new.client_order_id) is None, Reason.DUPLICATE_CLIENT_ORDER_ID)
    check_open_orders(venue, account, len(account.open_orders) + before, before)
    return Checked(new.price_ticks, given, approvers=0, expiry_ns=0)


def _check_pair(
    venue: Venue, legs: list[NewOrder] | list[Order], limits: list[int], triggers: list[int | None]
) -> None:
    """The price of the first lies beyond that of the stop-loss; a limit also beyond the price that it looks at."""
    first, stop = legs
    assert stop.conditions.trigger is not None, "Invariant: the second of a pair stops"
    assert triggers[1] is not None, "Invariant: the second of a pair stops"
    price = limits[0] if triggers[0] is None else triggers[0]
    bounds = [triggers[1]]
    now = venue.instruments[stop.instrument].price_of(stop.conditions.trigger.source)
    if triggers[0] is None and now is not None:
        bounds.append(now)
    beyond = min(bounds) > price if first.side is Side.BUY else max(bounds) < price
    require(beyond, Reason.LIST_PRICES_OUT_OF_ORDER)


# Coming to the market, and standing.


def _enter(venue: Venue, order: Order) -> None:
    """Bring a leg to the market."""
    venue.let_go(order)
    order.pending = False
    matching.enter(venue, order)


def _stand_or_enter(venue: Venue, order_list: OrderList, triggers: list[int | None]) -> None:
    """Let a pair stand; or, when its first leg meets somebody, bring that to the market alone."""
    first, second = order_list.legs
    if triggers[0] is None:
        best = venue.instruments[first.instrument].book.best(first.side.opposite)
        if best is not None and first.side.crosses(first.price_ticks, best.price_ticks):
            closing.untie(venue, first, CloseReason.OTHER_LEG_EXECUTED)
            _enter(venue, first)
            return
    for leg, trigger in zip((first, second), triggers, strict=True):
        _stand(venue, leg, trigger)


def _stand(venue: Venue, order: Order, trigger: int | None) -> None:
    venue.let_go(order)
    order.pending, order.trigger_ticks = False, trigger
    if trigger is None:
        venue.rest(order)
    else:
        venue.wait(order)


# Starting.


@dataclass(frozen=True, slots=True)
class Started:
    """What the checks found out about a leg that starts."""

    limit_ticks: int
    trigger_ticks: int | None


def start(venue: Venue, order_list: OrderList) -> None:
    """Start the pending legs of a list whose working leg was filled."""
    legs = list(order_list.legs)
    started: list[Started] = []
    try:
        for leg in legs:
            found = _check_start(venue, leg)
            started.append(found)
        if len(legs) == 2:
            limits = [found.limit_ticks for found in started]
            _check_pair(venue, legs, limits, [found.trigger_ticks for found in started])
    except Refused as refused:
        which = legs[0] if len(started) == len(legs) else legs[len(started)]
        venue.take_out(which)
        closing.expire(venue, which, CloseReason.REFUSED_AT_START, refused.reason)
        return
    for leg, found in zip(legs, started, strict=True):
        leg.price_ticks = found.limit_ticks
        venue.emit(
            Event(
                EventKind.LIST_UPDATED,
                instrument=leg.instrument,
                order_id=leg.order_id,
                account=leg.account,
                side=leg.side,
                price_ticks=found.limit_ticks,
                quantity_lots=leg.open_lots,
                open_lots=found.trigger_ticks or 0,
                reference=order_list.list_id,
            )
        )
    if len(legs) == 2:
        _stand_or_enter(venue, order_list, [found.trigger_ticks for found in started])
        return
    (leg,), (found,) = legs, started
    leg.in_list = None
    closing.end(venue, order_list)
    if found.trigger_ticks is None:
        _enter(venue, leg)
    else:
        _stand(venue, leg, found.trigger_ticks)


def _check_start(venue: Venue, order: Order) -> Started:
    """Check a leg that starts, as if it were alone."""
    account, instrument = venue.accounts[order.account], venue.instruments[order.instrument]
    require(not venue.halted, Reason.VENUE_HALTED)
    check_state(instrument, must_trade=not order.may_rest and order.conditions.trigger is None)
    check_may_trade(venue, account, instrument, order.side)
    trigger, is_limit = order.conditions.trigger, order.order_type is OrderType.LIMIT
    limit, first_trigger, centre = order.price_ticks, None, instrument.reference_price_ticks
    if order.conditions.peg is not None:
        found = level_price(instrument, order.side, order.conditions.peg, None)
        if found is None:
            raise Refused(Reason.NO_PEG_REFERENCE)
        limit = found
    if is_limit and trigger is None:
        check_notional(instrument, instrument.units.notional(limit, order.open_lots))
        check_band(instrument, limit)
    if trigger is not None:
        centre = first_trigger = check_trigger_price(instrument, order.side, trigger)
    if not is_limit:
        if centre is None:
            raise Refused(Reason.NO_REFERENCE_PRICE)
        check_notional(instrument, instrument.units.notional(centre, order.open_lots))
        limit = instrument.worst_price(order.side, centre)
    units, rates = instrument.units, order.rates
    if order.side is Side.BUY:
        check_position(venue, account, instrument, order.open_lots, None)
        require(units.notional(limit, order.open_lots) <= AMOUNT_MAX, Reason.INSUFFICIENT_FUNDS)
        needed = bid_cover(units, limit, order.open_lots, rates, order.may_rest, order.post_only)
    else:
        needed = units.base_quanta(order.open_lots)
    check_funds(venue, account, units, order.side, needed, None)
    best = instrument.book.best(order.side.opposite)
    if order.post_only and best is not None:
        require(not order.side.crosses(limit, best.price_ticks), Reason.POST_ONLY_WOULD_TRADE)
    if trigger is not None and first_trigger is not None:
        price = instrument.price_of(trigger.source)
        is_there = price is not None and trigger.is_reached(order.side, first_trigger, price)
        require(not is_there, Reason.WOULD_TRIGGER_AT_ONCE)
    best_bid = best.price_ticks if best is not None and order.side is Side.SELL else None
    approvers, _ = needed_approvers(venue, account, instrument, order.side, limit, order.open_lots, best_bid, order)
    require(approvers == 0, Reason.ORDER_NOT_APPROVABLE)
    return Started(limit, first_trigger)
