"""Draws what fires triggers: prices from outside, and trades that set off a row of stops."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, TRADERS
from tests.differential.streams.orders import Orders
from tests.reference import records
from tests.reference.codes import HaltScope, PriceSource, Side, State, TriggerKind


class Triggers:
    """Prices that set off orders, and orders that are set off."""

    def __init__(self, floor: Floor, draws: Draws, orders: Orders) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws
        self._orders = orders

    def source_price(self) -> bytes:
        """A mark or index price: a step or two from the one before."""
        random = self._random
        number = random.choice([0, 0, 0, 1, 1, 2, 3, 88])
        market = MARKETS[number % len(MARKETS)]
        source = random.choice([PriceSource.MARK, PriceSource.MARK, PriceSource.INDEX])
        now = None if number == 88 else self._floor.exchange.venue.instruments[number].price_of(source)
        price = (now or market.price_middle) + random.randint(-3, 3) * market.price_increment
        if random.random() < 0.2 or abs(price - market.price_middle) > 8 * market.price_increment:
            price = market.price_middle
        if random.random() < 0.04:
            price = random.choice([0, -1, 1, 2**62, 2**62 + 1, 2**63 - 1])
        build = records.set_mark_price if source is PriceSource.MARK else records.set_index_price
        return build(number, price)

    def in_vain(self) -> bytes:
        """The start of a few commands after which an order fires and is refused, or only a halt keeps it waiting."""
        random, venue = self._random, self._floor.exchange.venue
        unpriced = [each for each in venue.instruments[len(MARKETS) :] if each.reference_price_ticks is None]
        unpriced = [each for each in unpriced if each.state is State.CONTINUOUS]
        if unpriced and random.random() < 0.5:
            # A market order on an instrument that never traded: it waits for a mark price, but finds no band.
            instrument = random.choice(unpriced)
            account = random.choice(TRADERS)
            trigger = 100
            conditions = records.conditions_record(
                trigger=TriggerKind.TAKE_PROFIT, source=PriceSource.MARK, trigger_price_ticks=trigger
            )
            quantity = instrument.limits.quantity_min_lots * random.choice([1, 20])
            self._floor.next.append(records.set_mark_price(instrument.id, trigger))
            self._floor.next.append(records.place(account, instrument.id, Side.SELL, quantity, conditions=conditions))
            return records.deposit(account, instrument.units.base, instrument.units.base_quanta(quantity))
        waiting = [order for instrument in venue.instruments[:2] for order in instrument.waiting]
        waiting = [order for order in waiting if order.conditions.trigger is not None]
        if not waiting:
            return self._orders.conditional()
        order = random.choice(waiting)
        trigger_ticks = order.trigger_ticks or 1
        kind = random.randrange(6)
        if 2 <= kind < 4:
            self._floor.next.append(records.set_permissions(order.account, 7))
        source = order.conditions.trigger.source if order.conditions.trigger is not None else PriceSource.MARK
        if source is not PriceSource.LAST:
            build = records.set_mark_price if source is PriceSource.MARK else records.set_index_price
            self._floor.next.append(build(order.instrument, trigger_ticks))
        if kind < 2:
            return records.halt(HaltScope.ACCOUNT, account=order.account)
        if kind < 4:
            return records.set_permissions(order.account, random.choice([6, 6, 2, 4]))
        if kind < 5:
            return records.set_restriction(order.instrument, 2, account=order.account)
        return records.halt(HaltScope.INSTRUMENT, instrument=order.instrument)

    def stampede(self) -> bytes:
        """The first of a few stops in a row, and of the order that may set them off."""
        random, number = self._random, self._random.choice([0, 0, 1])
        market, side = MARKETS[number], random.choice(list(Side))
        step = market.price_increment if side is Side.BUY else -market.price_increment
        last = self._floor.exchange.venue.instruments[number].last_price_ticks or market.price_middle
        quantity = 3 * market.quantity_increment
        self._floor.next.append(records.place(self._draws.owner(number), number, side, quantity, last + step))
        for away in (1, 2, 2):
            conditions = records.conditions_record(
                trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=last + away * step
            )
            order = records.place(
                self._draws.owner(number), number, side, quantity, last + 4 * step, conditions=conditions
            )
            self._floor.next.append(order)
        other = side.opposite
        return records.place(self._draws.owner(number), number, other, quantity, last + step)
