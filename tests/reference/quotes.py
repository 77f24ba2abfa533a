"""Mass quotes: both sides of many instruments in one command, whole or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.reference import closing, line, matching, protections
from tests.reference.accounts import Account
from tests.reference.checks import (
    check_band,
    check_notional,
    check_position,
    check_price,
    check_quantity,
    check_standing,
    known_account,
    known_instrument,
    needed_approvers,
)
from tests.reference.codes import (
    ORDERS_MAX,
    QUOTE,
    CloseReason,
    EventFlags,
    EventKind,
    OrderType,
    Side,
    State,
    TimeInForce,
)
from tests.reference.decoding import CancelQuotes, MassQuote, NewOrder, QuoteEntry
from tests.reference.event import Event
from tests.reference.instruments import Instrument
from tests.reference.orders import Order, bid_cover
from tests.reference.reject import RejectReason as Reason
from tests.reference.reject import require
from tests.reference.venue import Venue


@dataclass(slots=True)
class Wish:
    """What one side of an entry is to be."""

    instrument: Instrument
    side: Side
    price_ticks: int
    lots: int
    now: Order | None
    """The quote that stands there."""

    @property
    def stays(self) -> bool:
        """Whether that keeps its place."""
        return self.now is not None and self.now.price_ticks == self.price_ticks and 0 < self.lots <= self.now.open_lots

    @property
    def enters(self) -> bool:
        return self.lots > 0 and not self.stays

    @property
    def leaves(self) -> bool:
        return self.now is not None and not self.stays


def mass_quote(venue: Venue, command: MassQuote) -> None:
    wishes = _checked(venue, command)
    ids = iter(range(venue.orders_accepted + 1, venue.orders_accepted + 1 + len(wishes)))
    for bid, ask in zip(wishes[::2], wishes[1::2], strict=True):
        _tell(venue, command.account, bid, ask, [_id_of(bid, ids), _id_of(ask, ids)])
    for wish in wishes:
        if wish.now is not None and wish.leaves:
            closing.cancel(venue, wish.now, CloseReason.QUOTE_REPLACED)
        elif wish.now is not None and wish.lots < wish.now.open_lots:
            _shrink(venue, wish.now, wish.lots)
    entering = [wish for wish in wishes if wish.enters]
    # From here on nobody else can have what the new quotes need.
    for wish in entering:
        _hold(venue, command, wish, 1)
    for wish in entering:
        _hold(venue, command, wish, -1)
        order = matching.accept(venue, _new_order(command, wish), wish.price_ticks, None)
        if protections.stops(venue, order):
            closing.expire(venue, order, CloseReason.QUOTE_PROTECTION)
        else:
            matching.enter(venue, order)
        line.work_off(venue)
        protections.finish(venue)


def _hold(venue: Venue, command: MassQuote, wish: Wish, sign: int) -> None:
    asset, needed = _needs(venue, command, wish)
    venue.ledger.hold(command.account, asset, needed * sign)


def _needs(venue: Venue, command: MassQuote, wish: Wish) -> tuple[int, int]:
    """What a side that enters must be covered with, and in which asset."""
    units = wish.instrument.units
    if wish.side is Side.SELL:
        return units.base, units.base_quanta(wish.lots)
    rates = venue.rates_of(venue.accounts[command.account], wish.instrument)
    post_only = _new_order(command, wish).post_only
    return units.quote, bid_cover(units, wish.price_ticks, wish.lots, rates, may_rest=True, post_only=post_only)


def cancel_quotes(venue: Venue, command: CancelQuotes) -> None:
    if command.instrument is not None:
        known_instrument(venue, command.instrument)
    known_account(venue, command.account)
    for quote in protections.quotes_of(venue, command.account):
        if command.instrument in (None, quote.instrument):
            closing.cancel(venue, quote, CloseReason.CANCELLED_ALL)


def _id_of(wish: Wish, ids: Iterator[int]) -> int:
    if wish.enters:
        return next(ids)
    return wish.now.order_id if wish.now is not None and wish.stays else 0


def _tell(venue: Venue, account: int, bid: Wish, ask: Wish, ids: list[int]) -> None:
    venue.emit(
        Event(
            EventKind.QUOTE_ACCEPTED,
            instrument=bid.instrument.id,
            order_id=ids[0],
            counter_order_id=ids[1],
            account=account,
            price_ticks=bid.price_ticks if bid.lots else 0,
            quantity_lots=bid.lots,
            open_lots=ask.lots,
            reference=ask.price_ticks if ask.lots else 0,
        )
    )


def _shrink(venue: Venue, quote: Order, lots: int) -> None:
    """Leave a quote so many lots in its place."""
    units = venue.instruments[quote.instrument].units
    before = quote.hold(units)
    quote.quantity_lots -= quote.open_lots - lots
    venue.ledger.hold(quote.account, quote.held_asset(units), quote.hold(units) - before)
    venue.emit(
        Event(
            EventKind.ORDER_AMENDED,
            flags=EventFlags.KEPT_PRIORITY,
            instrument=quote.instrument,
            order_id=quote.order_id,
            account=quote.account,
            side=quote.side,
            price_ticks=quote.price_ticks,
            quantity_lots=quote.quantity_lots,
            open_lots=quote.open_lots,
        )
    )


def _new_order(command: MassQuote, wish: Wish) -> NewOrder:
    return NewOrder(
        command.account,
        wish.instrument.id,
        wish.side,
        OrderType.LIMIT,
        TimeInForce.GOOD_TILL_CANCEL,
        command.prevention,
        command.flags | QUOTE,
        wish.price_ticks,
        wish.lots,
        0,
        None,
    )


def _checked(venue: Venue, command: MassQuote) -> list[Wish]:
    """Both sides of each entry in turn, when the whole command may be."""
    for entry in command.entries:
        known_instrument(venue, entry.instrument)
    account = known_account(venue, command.account)
    quotes = protections.quotes_of(venue, account.id)
    wishes = [wish for entry in command.entries for wish in _wishes(venue, entry, quotes)]
    leaving = [wish.now for wish in wishes if wish.now is not None and wish.leaves]
    for wish in wishes:
        if wish.lots > 0:
            _check_side(venue, command, account, wish, leaving)
    entering = [wish for wish in wishes if wish.enters]
    if entering:
        _check_together(venue, command, account, wishes, leaving)
    return wishes


def _wishes(venue: Venue, entry: QuoteEntry, quotes: list[Order]) -> list[Wish]:
    instrument = venue.instruments[entry.instrument]
    here = {quote.side: quote for quote in quotes if quote.instrument == entry.instrument}
    return [
        Wish(instrument, side, *wanted, here.get(side))
        for side, wanted in zip(Side, (entry.bid, entry.ask), strict=True)
    ]


def _check_side(venue: Venue, command: MassQuote, account: Account, wish: Wish, leaving: list[Order]) -> None:
    """Check one side by itself, as if what leaves had left."""
    new, instrument, price = _new_order(command, wish), wish.instrument, wish.price_ticks
    check_standing(venue, new)
    check_price(instrument, price)
    check_quantity(instrument, wish.lots)
    check_notional(instrument, instrument.units.notional(price, wish.lots))
    if wish.enters:
        check_band(instrument, price)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    require(account.orders <= account.limits.orders_per_second_max, Reason.ORDER_RATE_EXCEEDED)
    if wish.stays:
        return
    if wish.side is Side.BUY:
        gone = wish.now if wish.leaves else None
        check_position(venue, account, instrument, wish.lots, gone)
    opposite = [order for order in instrument.book.side(wish.side.opposite) if order not in leaving]
    best = opposite[0].price_ticks if opposite else None
    if new.post_only and best is not None and instrument.state is State.CONTINUOUS:
        require(not wish.side.crosses(price, best), Reason.POST_ONLY_WOULD_TRADE)
    triggered = protections.is_triggered(venue, account.id, instrument.id)
    require(not triggered, Reason.QUOTE_PROTECTION_TRIGGERED)
    best_bid = best if wish.side is Side.SELL else None
    approvers, _ = needed_approvers(venue, account, instrument, wish.side, price, wish.lots, best_bid, wish.now)
    require(approvers == 0, Reason.ORDER_NOT_APPROVABLE)


def _check_together(
    venue: Venue, command: MassQuote, account: Account, wishes: list[Wish], leaving: list[Order]
) -> None:
    """Check the places of open orders, and the funds, for all that enters."""
    entering = [wish for wish in wishes if wish.enters]
    open_orders = len(account.open_orders) - len(leaving) + len(entering)
    require(open_orders <= account.limits.open_orders_max, Reason.OPEN_ORDER_LIMIT_EXCEEDED)
    everybodys = len(venue.open_orders()) - len(leaving) + len(entering)
    require(everybodys <= ORDERS_MAX, Reason.OPEN_ORDER_LIMIT_EXCEEDED)
    needed: defaultdict[int, int] = defaultdict(int)
    freed: defaultdict[int, int] = defaultdict(int)
    for wish in wishes:
        units = wish.instrument.units
        asset = units.quote if wish.side is Side.BUY else units.base
        if wish.enters:
            needed[asset] += _needs(venue, command, wish)[1]
        if wish.now is not None:
            freed[asset] += wish.now.hold(units) - (_hold_of(wish.now, wish) if wish.stays else 0)
    for asset, amount in needed.items():
        available = venue.ledger.available[account.id, asset] + freed[asset]
        require(available >= amount, Reason.INSUFFICIENT_FUNDS)


def _hold_of(quote: Order, wish: Wish) -> int:
    """What a quote would hold with no more open than is wanted."""
    total = quote.quantity_lots
    quote.quantity_lots -= quote.open_lots - wish.lots
    hold = quote.hold(wish.instrument.units)
    quote.quantity_lots = total
    return hold
