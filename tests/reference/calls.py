"""Calls of auctions: who takes part, what is told, and how they trade. The price is that of `auction.py`."""

from __future__ import annotations

from tests.reference import auction, closing, guards, protections
from tests.reference.codes import (
    FEE_ACCOUNT,
    PPM,
    TICKS_MAX,
    CloseReason,
    EventFlags,
    EventKind,
    OrderType,
    Phase,
    Side,
    State,
)
from tests.reference.event import Event
from tests.reference.fees import ceil_div, fee_of_fill
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue

Told = tuple[int, int, int]
"""Price, quantity, surplus; zeros when nothing would trade."""


def enter(venue: Venue, order: Order) -> None:
    """Let in an order that is for auctions only: into the call that takes it, or to those that wait."""
    instrument = venue.instruments[order.instrument]
    if order.time_in_force.joins(instrument.joined) and order.order_type is OrderType.LIMIT:
        venue.rest(order)
    else:
        venue.stand_beside(order)


def join(venue: Venue, instrument: Instrument, phase: Phase) -> None:
    """Those that wait for a call of this phase come in, as they came."""
    instrument.joined = phase
    for order in [*instrument.book.bids, *instrument.book.asks]:
        order.unfolded = True
    for order in sorted(instrument.beside, key=lambda order: order.arrived):
        if order.time_in_force.joins(phase):
            instrument.beside.remove(order)
            if order.order_type is OrderType.LIMIT:
                order.beside = False
                venue.take_place(order)
            else:
                order.arrived = venue.next_arrival()
                instrument.beside.append(order)


def withdraw(instrument: Instrument) -> None:
    """Those that joined a call that comes to no end wait again."""
    for order in [*instrument.book.bids, *instrument.book.asks]:
        if order.time_in_force.joins(instrument.joined):
            instrument.book.remove(order)
            order.beside = True
            instrument.beside.append(order)
    instrument.joined = Phase.NONE


def fold(venue: Venue, instrument: Instrument) -> None:
    """Behind a call icebergs show a peak again, each in its place."""
    for order in sorted([*instrument.book.bids, *instrument.book.asks], key=lambda order: order.order_id):
        order.unfolded = False
        venue.show_peak(order)


def reference(instrument: Instrument) -> int | None:
    return instrument.set_price_ticks if instrument.last_price_ticks is None else instrument.last_price_ticks


def market_orders(instrument: Instrument, side: Side) -> list[Order]:
    """The market orders that take part, as they came."""
    orders = [order for order in instrument.beside if order.side is side and order.order_type is OrderType.MARKET]
    orders = [order for order in orders if order.time_in_force.joins(instrument.joined)]
    return sorted(orders, key=lambda order: order.arrived)


def collar(instrument: Instrument) -> tuple[int, int] | None:
    centre = reference(instrument)
    if centre is None or instrument.collar_ppm == 0:
        return None
    low = ceil_div(centre * (PPM - instrument.collar_ppm), PPM)
    return low, min(centre * (PPM + instrument.collar_ppm) // PPM, TICKS_MAX)


def row(instrument: Instrument, *, in_collar: bool) -> auction.Row | None:
    """How the auction would trade."""
    bounds = [(1, TICKS_MAX)]
    bounds += [(1, order.price_ticks) for order in market_orders(instrument, Side.BUY)]
    inside = collar(instrument)
    if in_collar and inside is not None:
        bounds.append(inside)
    terms = auction.Terms(
        market_buys=sum(order.open_lots for order in market_orders(instrument, Side.BUY)),
        market_sells=sum(order.open_lots for order in market_orders(instrument, Side.SELL)),
        reference_ticks=reference(instrument),
        collar=(max(low for low, _ in bounds), min(high for _, high in bounds)),
        increment_ticks=instrument.limits.price_increment_ticks,
    )
    bids, asks = instrument.book.bids, instrument.book.asks
    if not (bids or terms.market_buys) or not (asks or terms.market_sells):
        return None
    return auction.uncross(
        [(order.price_ticks, order.open_lots) for order in bids],
        [(order.price_ticks, order.open_lots) for order in asks],
        terms,
    )


def goes_on(instrument: Instrument) -> bool:
    """Whether the price lies outside the collar, and the call may go on."""
    inside = collar(instrument)
    free = row(instrument, in_collar=False)
    if inside is None or free is None or instrument.extensions >= instrument.extensions_max:
        return False
    return not inside[0] <= free.ticks <= inside[1]


def _told(found: auction.Row | None) -> Told:
    return (0, 0, 0) if found is None else (found.ticks, found.executable, found.surplus)


def _tell(venue: Venue, kind: EventKind, instrument: Instrument, told: Told) -> None:
    price, quantity, surplus = told
    venue.emit(
        Event(
            kind,
            instrument=instrument.id,
            time_in_force=instrument.phase,
            price_ticks=price,
            quantity_lots=quantity,
            amount=surplus,
        )
    )


def tell_indications(venue: Venue) -> None:
    """At the end of a command: what is not what was told before."""
    for instrument in venue.instruments:
        if instrument.state is State.AUCTION:
            told = _told(row(instrument, in_collar=True))
            if told != instrument.told:
                instrument.told = told
                _tell(venue, EventKind.AUCTION_INDICATION, instrument, told)


def uncross(venue: Venue, instrument: Instrument) -> int | None:
    """Trade, end the orders that were for this auction alone, and return the price if there was one."""
    found = row(instrument, in_collar=True)
    price = None if found is None else found.ticks
    if found is not None:
        left = found.executable
        while left > 0:
            # Market orders first, then the best price, then who has been there longest.
            bid = [*market_orders(instrument, Side.BUY), *instrument.book.bids][0]
            ask = [*market_orders(instrument, Side.SELL), *instrument.book.asks][0]
            lots = min(bid.open_lots, ask.open_lots, left)
            _trade(venue, instrument, bid, ask, found.ticks, lots)
            left -= lots
        instrument.last_price_ticks = found.ticks
    guards.restart(venue, instrument)
    _tell(venue, EventKind.AUCTION_UNCROSSED, instrument, _told(found))
    protections.act(venue, instrument)
    for order in venue.open_orders():
        if order.instrument == instrument.id and order.time_in_force.joins(instrument.joined):
            venue.take_out(order)
            closing.expire(venue, order, CloseReason.AUCTION_ENDED)
    instrument.joined = Phase.NONE
    bids, asks = instrument.book.bids, instrument.book.asks
    while bids and asks and bids[0].price_ticks >= asks[0].price_ticks:
        # They meet at no price at which the auction may trade.
        later = max(bids[0], asks[0], key=lambda order: order.arrived)
        venue.take_out(later)
        closing.expire(venue, later, CloseReason.OUTSIDE_COLLAR)
    return price


def _trade(venue: Venue, instrument: Instrument, bid: Order, ask: Order, price: int, lots: int) -> None:
    """Both pay as makers; a rebate is not paid, and the notional does not count towards one."""
    for order in (bid, ask):
        closing.before_trade(venue, order)
    units, ledger = instrument.units, venue.ledger
    notional = units.notional(price, lots)
    fees = []
    for order in (bid, ask):
        counts = order.rates.maker_ppm > 0
        fees.append(fee_of_fill(order.maker_notional, notional, order.rates.maker_ppm) if counts else 0)
        venue.reduce(order, executed=lots, notional=notional if counts else 0)
    venue.deliver(instrument, bid, ask, lots, notional)
    for order, fee in zip((bid, ask), fees, strict=True):
        ledger.credit(order.account, units.quote, -fee)
    ledger.credit(FEE_ACCOUNT, units.quote, sum(fees))
    instrument.trades += 1
    venue.emit(
        Event(
            EventKind.TRADE,
            flags=EventFlags.AUCTION
            | EventFlags.TAKER_DONE * (bid.open_lots == 0)
            | EventFlags.MAKER_DONE * (ask.open_lots == 0),
            instrument=instrument.id,
            order_id=bid.order_id,
            counter_order_id=ask.order_id,
            account=bid.account,
            counter_account=ask.account,
            side=Side.BUY,
            price_ticks=price,
            quantity_lots=lots,
            open_lots=bid.open_lots,
            amount=fees[0],
            counter_amount=fees[1],
            reference=instrument.trades,
        )
    )
    for order in (bid, ask):
        protections.count(venue, order, lots)
        if order.in_list is not None and order.open_lots == 0:
            closing.working_leg_filled(venue, order)
