"""Self-trade prevention: what happens when an order would trade with one of the same owner."""

from tests.reference.closing import before_loss
from tests.reference.codes import EventFlags, EventKind, Prevention
from tests.reference.event import Event
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue


def prevent(venue: Venue, instrument: Instrument, taker: Order, maker: Order) -> bool:
    """Keep the two orders from trading. Returns whether that closed the taker."""
    mode = decided_mode(taker, maker)
    smaller = min(taker.open_lots, maker.open_lots)
    taker_loses, maker_loses = {
        Prevention.EXPIRE_TAKER: (taker.open_lots, 0),
        Prevention.EXPIRE_MAKER: (0, maker.open_lots),
        Prevention.EXPIRE_BOTH: (taker.open_lots, maker.open_lots),
        Prevention.DECREMENT: (smaller, smaller),
        Prevention.TRANSFER: (smaller, smaller),
    }[mode]
    for order, loss in ((taker, taker_loses), (maker, maker_loses)):
        if loss:
            before_loss(venue, order)
    taker_expires = mode in (Prevention.EXPIRE_TAKER, Prevention.EXPIRE_BOTH)
    if taker.by_amount:
        # An amount has no open quantity; only the modes that expire come here.
        taker_loses = 0
        taker_done, amount = taker_expires, taker.unspent if taker_expires else 0
    else:
        taker.prevented_lots += taker_loses
        taker_done, amount = taker.open_lots == 0, 0
    transferred = mode is Prevention.TRANSFER
    venue.reduce(maker, prevented=maker_loses)
    if transferred:
        amount = instrument.units.notional(maker.price_ticks, maker_loses)
        venue.deliver(instrument, taker, maker, maker_loses, amount)
    instrument.prevented_matches += 1
    venue.emit(
        Event(
            EventKind.MATCH_PREVENTED,
            flags=EventFlags.TAKER_DONE * taker_done
            | EventFlags.MAKER_DONE * (maker.open_lots == 0)
            | EventFlags.TRANSFERRED * transferred,
            instrument=instrument.id,
            order_id=taker.order_id,
            counter_order_id=maker.order_id,
            account=taker.account,
            counter_account=maker.account,
            side=taker.side,
            self_trade_prevention=mode,
            price_ticks=maker.price_ticks,
            quantity_lots=taker_loses,
            open_lots=maker_loses,
            amount=amount,
            reference=instrument.prevented_matches,
        )
    )
    return taker_done


def decided_mode(taker: Order, maker: Order) -> Prevention:
    """The taker's mode; a transfer needs both orders to say so, and two accounts."""
    transfers = maker.prevention is Prevention.TRANSFER and taker.account != maker.account
    if taker.prevention is Prevention.TRANSFER and not transfers:
        return Prevention.DECREMENT
    return taker.prevention
