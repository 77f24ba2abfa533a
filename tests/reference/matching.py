"""Matching: what happens to an order that was accepted, or that comes in again after an amendment."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from tests.reference import calls, guards, protections
from tests.reference.allocation import PriceTime, Resting, Steps, allocate
from tests.reference.checks import Amendment, lots_for_amount
from tests.reference.closing import before_trade, expire, working_leg_filled
from tests.reference.codes import (
    FEE_ACCOUNT,
    CloseReason,
    Display,
    EventFlags,
    EventKind,
    OrderFlags,
    OrderType,
    Prevention,
    PriceSource,
    Side,
    State,
    TimeInForce,
)
from tests.reference.decoding import NewOrder
from tests.reference.event import Event
from tests.reference.fees import fee_of_fill
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.prevention import prevent
from tests.reference.triggers import see_price
from tests.reference.venue import Venue


def accept(venue: Venue, new: NewOrder, limit_ticks: int, trigger_ticks: int | None) -> Order:
    """Give a checked order its id, and say so."""
    account, instrument = venue.accounts[new.account], venue.instruments[new.instrument]
    venue.orders_accepted += 1
    order = Order(
        order_id=venue.orders_accepted,
        account=new.account,
        instrument=new.instrument,
        side=new.side,
        order_type=new.order_type,
        time_in_force=new.time_in_force,
        prevention=new.prevention,
        flags=new.flags,
        price_ticks=limit_ticks,
        quantity_lots=new.quantity_lots,
        amount=new.amount,
        client_order_id=new.client_order_id,
        rates=venue.rates_of(account, instrument),
        conditions=new.conditions,
        session=venue.session,
        trigger_ticks=trigger_ticks,
    )
    venue.emit(
        Event(
            EventKind.ORDER_ACCEPTED,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            self_trade_prevention=order.prevention,
            order_flags=order.flags,
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            open_lots=order.rates.taker_ppm % 2**32 | order.rates.maker_ppm % 2**32 << 32,
            amount=order.amount,
            reference=order.reference,
        )
    )
    if isinstance(order.client_order_id, bytes):
        kind, text = EventKind.CLIENT_ORDER_ID_TEXT, order.client_order_id
        venue.emit(Event(kind, instrument=order.instrument, order_id=order.order_id, text=text))
    if order.flags & OrderFlags.CONDITIONS:
        _tell_conditions(venue, order)
    return order


def let_in(venue: Venue, order: Order) -> None:
    """Let an accepted order into the market, or let it wait for its trigger."""
    if order.waits:
        venue.wait(order)
    elif order.follows:
        venue.follow(order)
    elif order.time_in_force.is_for_auction:
        calls.enter(venue, order)
    else:
        enter(venue, order)


def _tell_conditions(venue: Venue, order: Order) -> None:
    trigger = order.conditions.trigger
    trail = None if trigger is None else trigger.trail
    venue.emit(
        Event(
            EventKind.ORDER_CONDITIONS,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            order_type=0 if trigger is None else trigger.kind,
            time_in_force=0 if trigger is None else trigger.source,
            self_trade_prevention=0 if trail is None else trail.unit,
            price_ticks=order.trigger_ticks or 0,
            quantity_lots=0 if trail is None else trail.size,
            open_lots=order.conditions.minimum_lots,
            reference=order.conditions.expire_time_ns,
        )
    )
    iceberg = order.conditions.iceberg
    peg = order.conditions.peg
    if iceberg is not None or order.hidden or peg is not None:
        venue.emit(
            Event(
                EventKind.ORDER_DISPLAY,
                instrument=order.instrument,
                order_id=order.order_id,
                account=order.account,
                side=order.side,
                order_type=Display.HIDDEN if order.hidden else Display.SHOWN,
                time_in_force=0 if peg is None else peg.kind,
                self_trade_prevention=int(peg is not None and peg.is_fixed),
                price_ticks=0 if peg is None else peg.offset,
                quantity_lots=0 if iceberg is None else iceberg.peak_lots,
                open_lots=0 if iceberg is None else iceberg.range_lots,
                reference=0 if iceberg is None else iceberg.seed,
            )
        )


def enter(venue: Venue, order: Order) -> None:
    """Match an order that is in no book, and deal with what is left of it. Others may wait for it to be filled."""
    _match_and_rest(venue, order)
    if order.in_list is not None and order.open_lots == 0:
        working_leg_filled(venue, order)


def _match_and_rest(venue: Venue, order: Order) -> None:
    if venue.instruments[order.instrument].state is not State.CONTINUOUS:
        if order.may_rest:
            venue.rest(order)
        else:
            expire(venue, order, CloseReason.TRADING_STOPPED)
        return
    if order.time_in_force is TimeInForce.FILL_OR_KILL and not _fills(venue, order, order.open_lots):
        expire(venue, order, CloseReason.FILL_OR_KILL)
        return
    # An amendment while it waited may have left less than its minimum.
    minimum = min(order.conditions.minimum_lots, order.quantity_lots)
    if minimum and not _fills(venue, order, minimum):
        expire(venue, order, CloseReason.MINIMUM_QUANTITY)
        return
    if order.by_amount:
        _match_amount(venue, order)
    elif _match_quantity(venue, order):
        if order.may_rest:
            venue.rest(order)
        elif venue.instruments[order.instrument].state is not State.CONTINUOUS:
            expire(venue, order, CloseReason.TRADING_STOPPED)
        elif order.order_type is OrderType.MARKET:
            expire(venue, order, CloseReason.NO_LIQUIDITY)
        else:
            expire(venue, order, CloseReason.IMMEDIATE_OR_CANCEL)


def is_own(venue: Venue, taker: Order, maker: Order) -> bool:
    """Whether prevention comes between the two."""
    if taker.prevention is Prevention.NONE:
        return False
    return venue.accounts[taker.account].owns_together_with(venue.accounts[maker.account])


def _fills(venue: Venue, order: Order, lots: int) -> bool:
    """Whether so much of the order could trade at once."""
    instrument = venue.instruments[order.instrument]
    closes = order.prevention in (Prevention.EXPIRE_TAKER, Prevention.EXPIRE_BOTH)
    makers = instrument.book.crossing(order.side, order.price_ticks)
    quantity = 0
    before: list[int] = []
    for price, level in groupby(makers, key=lambda maker: maker.price_ticks):
        for own, available in _line_up(venue, instrument, order, list(level)):
            if own and closes:
                return False
            if not own and guards.would_trip(venue, instrument, before, price):
                return False
            if not own:
                before.append(price)
            quantity += available
            if quantity >= lots:
                return True
    return False


def _line_up(venue: Venue, instrument: Instrument, order: Order, level: list[Order]) -> Iterator[tuple[bool, int]]:
    """What an order would meet at a price, in turn: one of its own, or so many lots of another's."""
    owned = [maker for maker in level if is_own(venue, order, maker)]
    shown, hidden = [m for m in level if not m.hidden], [m for m in level if m.hidden]
    if instrument.allocation != PriceTime():
        # Where prices are shared, own orders of a price are met before any of it trades; but for hidden ones.
        yield from ((True, 0) for maker in shown if maker in owned)
    for maker in shown:
        yield (True, 0) if maker in owned else (False, maker.displayed_lots)
    # Each further peak stands behind all that was shown, so nothing of one's own is left there when they come.
    yield from ((False, maker.open_lots - maker.displayed_lots) for maker in shown if maker not in owned)
    for maker in hidden:
        yield (True, 0) if maker in owned else (False, maker.open_lots)


def _next_level(venue: Venue, instrument: Instrument, taker: Order) -> list[Order] | None:
    """Who shares the best price, after the taker has met its own orders there. None: it goes no further.

    What is hidden shares nothing: when only hidden orders are left there, the first of them is alone.
    """
    first = _next_maker(instrument, taker)
    if first is None:
        return []
    if first.hidden:
        if not is_own(venue, taker, first):
            return [first]
        return None if prevent(venue, instrument, taker, first) else []

    def level() -> list[Order]:
        return [m for m in instrument.book.displayed(first.side) if m.price_ticks == first.price_ticks]

    for maker in level():
        if is_own(venue, taker, maker) and prevent(venue, instrument, taker, maker):
            return None
    return level()


def _share(venue: Venue, instrument: Instrument, taker: Order, level: list[Order], lots: int) -> None:
    """Trade a quantity at one price, by the rule."""
    rule, leads = instrument.allocation, list(instrument.leads)
    if isinstance(rule, Steps):
        most = None if instrument.top_lots is None else instrument.top_lots[1]
        rule = replace(rule, top_maximum_lots=most, leads_ppm=tuple(instrument.leads.values()))
    resting = [
        Resting(
            maker.displayed_lots,
            is_top=maker is instrument.tops[maker.side],
            lead=leads.index(maker.account) if maker.account in leads else None,
        )
        for maker in level
    ]
    shares = allocate(rule, lots, resting)
    for maker, share in zip(level, shares, strict=True):
        if protections.stops(venue, taker):
            return
        if share and not (taker.by_amount and taker.unspent == 0):
            trade(venue, instrument, taker, maker, share)


def _match_levels(venue: Venue, taker: Order) -> bool:
    """Match an order sized in lots where prices are shared. Returns whether anything is left of it."""
    instrument = venue.instruments[taker.instrument]
    while _next_maker(instrument, taker) is not None:
        level = _next_level(venue, instrument, taker)
        if level is None:
            return False
        if level and guards.trips(venue, instrument, taker, level[0].price_ticks):
            return True
        if level:
            _share(venue, instrument, taker, level, min(taker.open_lots, sum(maker.displayed_lots for maker in level)))
        if taker.open_lots == 0 or _is_stopped(venue, taker):
            return False
    return True


def _is_stopped(venue: Venue, taker: Order) -> bool:
    """Whether its protection ends a quote that takes: what is left of it expires."""
    if not protections.stops(venue, taker):
        return False
    expire(venue, taker, CloseReason.QUOTE_PROTECTION)
    return True


def _match_amount_by_level(venue: Venue, taker: Order) -> None:
    """Match an order sized by amount where prices are shared."""
    instrument = venue.instruments[taker.instrument]
    while _next_maker(instrument, taker) is not None:
        level = _next_level(venue, instrument, taker)
        if level is None:
            return
        if not level:
            continue
        stands = sum(maker.displayed_lots for maker in level)
        lots = min(_lots_for_rest(instrument, taker, level[0].price_ticks, stands), stands)
        if lots > 0:
            if guards.trips(venue, instrument, taker, level[0].price_ticks):
                expire(venue, taker, CloseReason.TRADING_STOPPED)
                return
            _share(venue, instrument, taker, level, lots)
        if taker.unspent == 0:
            return
        if lots < stands:
            expire(venue, taker, CloseReason.QUOTE_AMOUNT_SPENT)
            return
    expire(venue, taker, CloseReason.NO_LIQUIDITY)


def _next_maker(instrument: Instrument, taker: Order) -> Order | None:
    return next(instrument.book.crossing(taker.side, taker.price_ticks), None)


def _match_quantity(venue: Venue, taker: Order) -> bool:
    """Match an order sized in lots. Returns whether anything is left of it."""
    instrument = venue.instruments[taker.instrument]
    if instrument.allocation != PriceTime():
        return _match_levels(venue, taker)
    while (maker := _next_maker(instrument, taker)) is not None:
        if is_own(venue, taker, maker):
            if prevent(venue, instrument, taker, maker):
                return False
            continue
        if guards.trips(venue, instrument, taker, maker.price_ticks):
            return True
        trade(venue, instrument, taker, maker, min(taker.open_lots, maker.displayed_lots))
        if taker.open_lots == 0 or _is_stopped(venue, taker):
            return False
    return True


def _match_amount(venue: Venue, taker: Order) -> None:
    """Match an order sized by amount until the amount, the book or the band ends."""
    instrument = venue.instruments[taker.instrument]
    if instrument.allocation != PriceTime():
        _match_amount_by_level(venue, taker)
        return
    while (maker := _next_maker(instrument, taker)) is not None:
        if is_own(venue, taker, maker):
            if prevent(venue, instrument, taker, maker):
                return
            continue
        stands = maker.displayed_lots
        lots = min(_lots_for_rest(instrument, taker, maker.price_ticks, stands), stands)
        if lots > 0:
            if guards.trips(venue, instrument, taker, maker.price_ticks):
                expire(venue, taker, CloseReason.TRADING_STOPPED)
                return
            trade(venue, instrument, taker, maker, lots)
        if taker.unspent == 0:
            return
        if lots < stands:
            expire(venue, taker, CloseReason.QUOTE_AMOUNT_SPENT)
            return
    expire(venue, taker, CloseReason.NO_LIQUIDITY)


def _lots_for_rest(instrument: Instrument, taker: Order, price: int, stands: int) -> int:
    """The lots that the rest of the taker's amount gives at a price where so many stand, in whole increments."""
    if taker.side is Side.SELL:
        return instrument.limits.whole_increments(lots_for_amount(instrument, taker.unspent, price))
    # The most lots whose price with the fee stays within the rest, found by halving. More than an increment above what
    # what stands there need not be looked at.
    fits, too_many = 0, stands + instrument.limits.quantity_increment_lots + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        notional = instrument.units.notional(price, middle)
        cost = notional + fee_of_fill(taker.taker_notional, notional, taker.rates.taker_ppm)
        if cost <= taker.unspent:
            fits = middle
        else:
            too_many = middle
    return instrument.limits.whole_increments(fits)


def trade(venue: Venue, instrument: Instrument, taker: Order, maker: Order, lots: int) -> None:
    """Trade at the maker's price: money and base change hands, both pay their fees."""
    before_trade(venue, maker)
    units, ledger = instrument.units, venue.ledger
    price, notional = maker.price_ticks, units.notional(maker.price_ticks, lots)
    taker_fee = fee_of_fill(taker.taker_notional, notional, taker.rates.taker_ppm)
    maker_fee = fee_of_fill(maker.maker_notional, notional, maker.rates.maker_ppm)
    venue.reduce(maker, executed=lots, notional=notional)
    taker.executed_lots += lots
    taker.taker_notional += notional
    if taker.by_amount:
        taker.spent += notional + (taker_fee if taker.side is Side.BUY else 0)
    venue.deliver(instrument, taker, maker, lots, notional)
    ledger.credit(taker.account, units.quote, -taker_fee)
    ledger.credit(maker.account, units.quote, -maker_fee)
    ledger.credit(FEE_ACCOUNT, units.quote, taker_fee + maker_fee)
    instrument.last_price_ticks = price
    guards.observe(venue, instrument, price)
    instrument.trades += 1
    taker_done = taker.unspent == 0 if taker.by_amount else taker.open_lots == 0
    venue.emit(
        Event(
            EventKind.TRADE,
            flags=EventFlags.TAKER_DONE * taker_done | EventFlags.MAKER_DONE * (maker.open_lots == 0),
            instrument=instrument.id,
            order_id=taker.order_id,
            counter_order_id=maker.order_id,
            account=taker.account,
            counter_account=maker.account,
            side=taker.side,
            price_ticks=price,
            quantity_lots=lots,
            open_lots=0 if taker.by_amount else taker.open_lots,
            amount=taker_fee,
            counter_amount=maker_fee,
            reference=instrument.trades,
        )
    )
    venue.refresh(maker)
    if maker.in_list is not None and maker.open_lots == 0:
        working_leg_filled(venue, maker)
    see_price(venue, instrument, PriceSource.LAST, price)
    protections.count(venue, maker, lots)
    protections.count(venue, taker, lots)
    protections.act(venue, instrument)


def amend(venue: Venue, amendment: Amendment) -> None:
    """Change an order by a checked amendment; on the book, one that loses its place comes in again as a taker."""
    order, keeps_place = amendment.order, amendment.keeps_place
    instrument = venue.instruments[order.instrument]
    comes_in_again = not keeps_place and not order.waits
    if comes_in_again:
        venue.take_out(order)
    # The place in the book, or among those that wait, does not depend on price and quantity of one that keeps it.
    before = 0 if comes_in_again else order.hold(instrument.units)
    order.price_ticks, order.quantity_lots = amendment.price_ticks, amendment.quantity_lots
    if keeps_place and not order.waits:
        order.keep_shown_within_open()
    if amendment.renamed is not None:
        order.client_order_id = amendment.renamed
    if amendment.trigger_ticks is not None:
        order.trigger_ticks = amendment.trigger_ticks
        order.conditions = replace(order.conditions, trigger=amendment.trigger)
        instrument.waiting.remove(order)
        instrument.waiting.append(order)
    if not comes_in_again:
        held = order.held_asset(instrument.units)
        venue.ledger.hold(order.account, held, order.hold(instrument.units) - before)
    venue.emit(
        Event(
            EventKind.ORDER_AMENDED,
            flags=EventFlags.KEPT_PRIORITY if keeps_place else 0,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            open_lots=order.open_lots,
            reference=order.reference,
        )
    )
    if isinstance(amendment.renamed, bytes):
        kind, text = EventKind.CLIENT_ORDER_ID_TEXT, amendment.renamed
        venue.emit(Event(kind, instrument=order.instrument, order_id=order.order_id, text=text))
    if amendment.trigger_ticks is not None:
        _tell_conditions(venue, order)
    if comes_in_again:
        enter(venue, order)
