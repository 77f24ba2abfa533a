"""Triggers: what a price of their source does to the orders that wait for them.

Naive on purpose: at each price every waiting order of the instrument is looked at.
"""

from tests.reference.codes import PriceSource, Side, State
from tests.reference.instruments import Instrument
from tests.reference.orders import Order
from tests.reference.venue import Venue


def see_price(venue: Venue, instrument: Instrument, source: PriceSource, price_ticks: int) -> None:
    """Let trails follow a price of the source; then let those that it reaches fire, unless there is a halt."""
    watching = [order for order in instrument.waiting if _source(order) is source]
    for order in sorted(watching, key=lambda order: order.order_id):
        _follow(instrument, order, price_ticks)
    if venue.halted or instrument.state is not State.CONTINUOUS:
        return
    for order in _firing(instrument, source, price_ticks):
        instrument.waiting.remove(order)
        venue.line.append((order, price_ticks))


def trigger_price(order: Order) -> int:
    """The trigger price of a waiting order, as it is now."""
    assert order.trigger_ticks is not None, "Invariant: a waiting order has a trigger price"
    return order.trigger_ticks


def _source(order: Order) -> PriceSource:
    assert order.conditions.trigger is not None, "Invariant: a waiting order has a trigger"
    return order.conditions.trigger.source


def _follow(instrument: Instrument, order: Order, price_ticks: int) -> None:
    """Move a trailing trigger, if that is better; it then stands behind those that are there."""
    trigger = order.conditions.trigger
    if trigger is None or trigger.trail is None:
        return
    followed, now = trigger.trail.trigger_ticks(order.side, price_ticks), trigger_price(order)
    if followed < now if order.side is Side.BUY else followed > now:
        order.trigger_ticks = followed
        instrument.waiting.remove(order)
        instrument.waiting.append(order)


def _firing(instrument: Instrument, source: PriceSource, price_ticks: int) -> list[Order]:
    """Those that a price reaches: the rising ones from the lowest up, then the falling ones from the highest down."""
    rising: list[Order] = []
    falling: list[Order] = []
    for order in instrument.waiting:
        trigger = order.conditions.trigger
        if trigger is None or trigger.source is not source:
            continue
        if trigger.is_reached(order.side, trigger_price(order), price_ticks):
            (rising if trigger.rises(order.side) else falling).append(order)
    # Sorting keeps the order of those with the same trigger price.
    return sorted(rising, key=trigger_price) + sorted(falling, key=lambda order: -trigger_price(order))
