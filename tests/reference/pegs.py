"""Following pegs: where each belongs, and how they move there after a command.

Naive on purpose: after each command every peg of every instrument is looked at.
"""

from fractions import Fraction
from math import ceil, floor

from tests.reference.codes import PRICE_MAX, EventKind, PegKind, Side, State
from tests.reference.event import Event
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue


def move_all(venue: Venue) -> None:
    """Let every following peg stand where it belongs. Nothing moves in a halt, or where nothing trades."""
    for instrument in venue.instruments:
        if venue.halted or instrument.state is not State.CONTINUOUS:
            continue
        moved: list[Order] = []
        for order in instrument.following:
            _move(venue, instrument, order, _belongs(instrument, order, moved))
            moved.append(order)


def leave(venue: Venue, instrument: Instrument) -> None:
    """The instrument stops trading: its pegs wait outside the book."""
    for order in instrument.following:
        _move(venue, instrument, order, None)


def _belongs(instrument: Instrument, order: Order, earlier: list[Order]) -> int | None:
    """The price at which a peg belongs, behind what must not trade with it; None when it has to wait."""
    peg, book = order.conditions.peg, instrument.book
    assert peg is not None, "Invariant: what follows is pegged"
    best = {side: next((other.price_ticks for other in book.referred_to(side)), None) for side in Side}
    own, opposite = best[order.side], best[order.side.opposite]
    increment = instrument.limits.price_increment_ticks
    sign = -1 if order.side is Side.BUY else 1
    wanted: int | Fraction
    match peg.kind:
        case PegKind.PRIMARY if own is not None:
            wanted = own + sign * peg.offset
        case PegKind.MARKET if opposite is not None:
            wanted = opposite + sign * max(peg.offset, increment)
        case PegKind.MIDPOINT if own is not None and opposite is not None:
            wanted = Fraction(own + opposite, 2) + sign * peg.offset
        case _:
            return None
    # What stands on the other side: everything but pegs that come later, which move out of the way.
    others = [other for other in book.side(order.side.opposite) if not other.follows]
    others += [other for other in earlier if other.side is order.side.opposite and other.is_placed]
    bounds = [Fraction(order.limit_ticks)] + [Fraction(other.price_ticks + sign * increment) for other in others]
    if order.side is Side.BUY:
        price = floor(min([Fraction(wanted), *bounds]) / increment) * increment
    else:
        price = ceil(max([Fraction(wanted), *bounds]) / increment) * increment
    return price if 1 <= price <= PRICE_MAX else None


def _move(venue: Venue, instrument: Instrument, order: Order, price_ticks: int | None) -> None:
    before = order.price_ticks if order.is_placed else None
    if before == price_ticks:
        return
    if before is not None:
        instrument.book.remove(order)
    order.is_placed = price_ticks is not None
    order.price_ticks = order.limit_ticks if price_ticks is None else price_ticks
    if order.is_placed:
        instrument.book.insert(order)
    venue.emit(
        Event(
            EventKind.ORDER_REPRICED,
            instrument=order.instrument,
            order_id=order.order_id,
            account=order.account,
            side=order.side,
            price_ticks=price_ticks or 0,
            quantity_lots=order.open_lots,
            open_lots=before or 0,
            reference=order.reference,
        )
    )
