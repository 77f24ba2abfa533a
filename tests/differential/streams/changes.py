"""Draws cancels, amendments and replacements."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, Market
from tests.differential.streams.orders import Orders
from tests.reference import records
from tests.reference.codes import ANY, OrderFlags, OrderType, PriceSource, TriggerKind
from tests.reference.orders import Order

REPLACE_MODES = (
    OrderFlags.ALLOW_FAILURE,
    OrderFlags.ALLOW_FAILURE,
    OrderFlags.CANCEL_ONLY,
    OrderFlags.ONLY_NEW,
    OrderFlags.ONLY_PARTIALLY_FILLED,
)


class Changes:
    """Cancels, amendments and replacements, mostly of orders that are still there."""

    def __init__(self, floor: Floor, draws: Draws, orders: Orders) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws
        self._orders = orders

    def cancel(self) -> bytes:
        account, order_id, client_order_id = self._draws.target(self._draws.live_order())
        return records.cancel(account, order_id, client_order_id=client_order_id)

    def cancel_all(self) -> bytes:
        random = self._random
        instrument = random.choice([ANY, self._draws.market(), self._draws.market(), 55])
        return records.cancel_all(self._draws.trader(), instrument, random.choice([0, 1, 255]))

    def amend(self) -> bytes:
        random = self._random
        order = self._draws.live_order()
        account, order_id, client_order_id = self._draws.target(order)
        market = MARKETS[self._draws.market() if order is None else order.instrument % len(MARKETS)]
        price, quantity = self._draws.price(market), self._draws.quantity(market)
        conditions = b""
        if order is not None:
            kind = random.randrange(5)
            if kind < 2:
                price = order.price_ticks
            if kind == 0:
                increment = market.quantity_increment
                quantity = max(order.quantity_lots - random.randint(0, 4) * increment, 0)
            elif kind == 2:
                quantity = order.quantity_lots
            waiting = self._floor.exchange.venue.accounts[order.account].open_orders.get(order.order_id)
            if waiting is not None and waiting.waits:
                if waiting.order_type is OrderType.MARKET and random.random() < 0.95:
                    price = 0
                if random.random() < 0.7:
                    conditions = self._amended_trigger(waiting, market)
            elif random.random() < 0.02:
                conditions = records.conditions_record(trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=price)
        return records.amend(
            account,
            order_id,
            price,
            quantity,
            client_order_id=client_order_id,
            new_client_order_id=self._new_client_order_id() if random.random() < 0.25 else None,
            conditions=conditions,
        )

    def _amended_trigger(self, order: Order, market: Market) -> bytes:
        """The trigger of an order that waits with another price; once in a while something else changes as well."""
        random, trigger = self._random, order.conditions.trigger
        assert trigger is not None, "Invariant: an order that waits has a trigger"
        away = random.choice([0, 1, -1, 2, -2, 3]) * market.price_increment
        price = (order.trigger_ticks or 1) + away
        if random.random() < 0.05:
            price = random.choice([0, -1, 1, price + 1])
        values = {"trigger": trigger.kind, "source": trigger.source, "trigger_price_ticks": min(price, 2**62)}
        if trigger.trail is not None:
            values |= {"trail_unit": trigger.trail.unit, "trail": trigger.trail.size}
            if random.random() < 0.2:
                values["trigger_price_ticks"] = 0
        if random.random() < 0.06:
            other = {"source": random.choice(list(PriceSource))}
            values |= random.choice([{"trigger": 0}, {"trigger": 2}, {"trail_unit": 1, "trail": 7}, other])
        return records.conditions_record(**values, expire_time_ns=random.choice([0, 0, 5]))

    def _new_client_order_id(self) -> bytes:
        """A client order id written out, as an amendment gives it."""
        random = self._random
        used = random.choice(self._floor.used_client_ids)
        fresh = b"%d" % random.randint(1, 60)
        choices = [fresh, fresh, b"x-%d" % random.randint(1, 30), used if isinstance(used, bytes) else b"%d" % used]
        return random.choice([*choices, random.choice([b"", b"has space", b"~" * 37, b"007"])])

    def replace(self) -> bytes:
        order = self._draws.live_order()
        account, order_id, client_order_id = self._draws.target(order)
        new_order = self._orders.place(account)
        modes = 0
        if self._random.random() < 0.6:
            for mode in REPLACE_MODES:
                modes |= mode if self._random.random() < 0.3 else 0
        return records.replace(account, order_id, new_order, client_order_id=client_order_id, modes=modes)

    def one_too_many(self) -> bytes:
        """A limit on orders, a replacement that breaks it, and the end of the limit."""
        order = self._draws.live_order()
        account, order_id, client_order_id = self._draws.target(order)
        modes = OrderFlags.CANCEL_ONLY | self._random.choice([0, OrderFlags.ALLOW_FAILURE])
        self._floor.next.append(records.set_account_limits(account))
        new_order = self._orders.ladder_of(account)
        self._floor.next.append(
            records.replace(account, order_id, new_order, client_order_id=client_order_id, modes=modes)
        )
        return records.set_account_limits(account, orders_per_second_max=0)
