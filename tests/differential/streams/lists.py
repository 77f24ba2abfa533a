"""Draws lists of orders, and what happens to them."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS
from tests.differential.streams.orders import Orders
from tests.reference import records
from tests.reference.codes import (
    Contingency,
    HaltScope,
    PegKind,
    Prevention,
    PriceSource,
    Side,
    TimeInForce,
    TrailUnit,
    TriggerKind,
)
from tests.reference.orders import ClientOrderId


class Lists:
    """Lists of orders, and what happens to them."""

    def __init__(self, floor: Floor, draws: Draws, orders: Orders) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws
        self._orders = orders

    def place(self) -> bytes:
        """A list of orders; some do not fit together."""
        random, number = self._random, self._random.choice([0, 0, 0, 1, 1, 2, 3])
        account, side = self._draws.owner(number), random.choice(list(Side))
        (contingency,) = random.choices(list(Contingency), [5, 4, 4])
        legs = []
        if contingency.has_working_leg:
            legs.append(self._working_leg(number, account, side))
            side = side.opposite if random.random() < 0.8 else side
        if contingency.has_pair:
            legs += self._pair(number, account, side)
        else:
            legs.append(self._pending_leg(number, account, side))
        if random.random() < 0.06:
            wrong = random.randrange(4)
            if wrong == 0:
                legs.pop()
            elif wrong == 1:
                random.shuffle(legs)
            else:
                place = random.randrange(len(legs))
                legs[place] = random.choice([self._orders.place, self._orders.conditional])(account)
        name = random.choice([None, None, None, random.randint(1, 12), b"list-%d" % random.randint(1, 6)])
        taken = [each.client_list_id for each in self._floor.exchange.venue.lists if each.account == account]
        if taken and random.random() < 0.08:
            name = random.choice(taken)
        command = records.place_list(contingency, legs or [self._orders.place(account)], client_list_id=name)
        if random.random() < 0.03:
            offset = random.choice([32, 33, 34, 35, 36, 38, 40, 48])
            command = records.patched(command, offset, bytes([random.choice([1, 4, 9])]))
        return command

    def _working_leg(self, number: int, account: int, side: Side) -> bytes:
        random, market = self._random, MARKETS[number]
        force, conditions = TimeInForce.GOOD_TILL_CANCEL, b""
        kind = random.randrange(10)
        if kind == 4:
            return self._pegged_leg(account, number, side, self._draws.quantity(market))
        if kind < 2:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        elif kind == 2:
            force = TimeInForce.GOOD_TILL_DATE
            conditions = records.conditions_record(expire_time_ns=self._draws.expiry())
        return records.place(
            account,
            number,
            side,
            self._draws.quantity(market),
            self._draws.price(market),
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=kind == 3,
            client_order_id=self._draws.client_order_id() if random.random() < 0.3 else None,
            conditions=conditions,
        )

    def _pending_leg(self, number: int, account: int, side: Side) -> bytes:
        """Any order, mostly one that can start."""
        random, market = self._random, MARKETS[number]
        if random.random() < 0.15:
            return self._pegged_leg(account, number, side, self._draws.quantity(market))
        kind = random.randrange(8)
        price: int | None = self._draws.price(market) if kind < 5 else None
        if price is not None and random.random() < 0.1:
            price = self._draws.price(market) + random.choice([-60, 60]) * market.price_increment
        force = TimeInForce.GOOD_TILL_CANCEL
        if price is None or random.random() < 0.2:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        values: dict[str, int] = {}
        if kind in (3, 4, 6):
            values |= self._draws.trigger(number, side)
        elif force is TimeInForce.IMMEDIATE_OR_CANCEL and random.random() < 0.5:
            values["minimum_lots"] = 2
        if force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.2:
            force = TimeInForce.GOOD_TILL_DATE
            values["expire_time_ns"] = self._draws.expiry()
        quantity = self._draws.quantity(market) if random.random() < 0.95 else market.quantity_max
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=not values and force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.2,
            client_order_id=self._draws.client_order_id() if random.random() < 0.3 else None,
            conditions=records.conditions_record(**values) if values else b"",
        )

    def _pair(self, number: int, account: int, side: Side) -> list[bytes]:
        """A limit or take-profit on one side of the last price and a stop-loss on the other; now and then not quite."""
        random, market = self._random, MARKETS[number]
        instrument = self._floor.exchange.venue.instruments[number]
        step = market.price_increment if side is Side.SELL else -market.price_increment
        (source,) = random.choices(list(PriceSource), [8, 2, 1])
        now = instrument.price_of(source) or market.price_middle
        quantity = self._draws.quantity(market)
        beyond, behind = random.choice([0, 1, 1, 2, 3, 4]), random.choice([0, 1, 1, 2, 3])
        names = [self._draws.client_order_id() if random.random() < 0.2 else None for _ in range(2)]
        prevention = random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0]
        if random.random() < 0.1:
            first = self._pegged_leg(account, number, side, quantity)
        elif random.random() < 0.7:
            dated = random.random() < 0.2
            first = records.place(
                account,
                number,
                side,
                quantity,
                min(max(now + beyond * step, 1), 2**63 - 1),
                time_in_force=TimeInForce.GOOD_TILL_DATE if dated else None,
                post_only=random.random() < 0.3,
                prevention=prevention,
                client_order_id=names[0],
                conditions=records.conditions_record(expire_time_ns=self._draws.expiry()) if dated else b"",
            )
        else:
            values = {"trigger": TriggerKind.TAKE_PROFIT, "trigger_price_ticks": max(now + beyond * step, 0)}
            first = self._trigger_leg(account, number, side, quantity, names[0], values | {"source": source})
        values = {
            "trigger": TriggerKind.STOP_LOSS,
            "source": source,
            "trigger_price_ticks": max(now - behind * step, 0),
        }
        if random.random() < 0.2:
            values |= {"trail_unit": TrailUnit.TICKS, "trail": random.choice([1, 2, 3]) * market.price_increment}
            if random.random() < 0.5:
                values["trigger_price_ticks"] = 0
        if random.random() < 0.03:
            quantity += market.quantity_increment
        return [first, self._trigger_leg(account, number, side, quantity, names[1], values)]

    def _pegged_leg(self, account: int, number: int, side: Side, quantity: int) -> bytes:
        """A fixed peg; now and then one that follows, and is no leg."""
        random = self._random
        kind = random.choice(list(PegKind)[:2])
        values: dict[str, int] = {"peg": kind, "peg_mode": 1, "peg_offset": random.choice([0, 0, 1, 2, 5])}
        if random.random() < 0.05:
            values["peg_mode"] = 0
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.15:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._draws.expiry()
        return records.place(
            account,
            number,
            side,
            quantity,
            0,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 1])[0],
            post_only=kind is PegKind.PRIMARY and random.random() < 0.2,
            client_order_id=self._draws.client_order_id() if random.random() < 0.3 else None,
            conditions=records.conditions_record(**values),
        )

    def _trigger_leg(
        self, account: int, number: int, side: Side, quantity: int, name: ClientOrderId, values: dict[str, int]
    ) -> bytes:
        random, market = self._random, MARKETS[number]
        price: int | None = None
        force = TimeInForce.IMMEDIATE_OR_CANCEL
        if random.random() < 0.5:
            price = values["trigger_price_ticks"] or market.price_middle
            price += random.choice([-3, 0, 1]) * (
                market.price_increment if side is Side.SELL else -market.price_increment
            )
            force = random.choice(list(TimeInForce)[:3])
        values = {**values, "trigger_price_ticks": min(values["trigger_price_ticks"], 2**62)}
        return records.place(
            account,
            number,
            side,
            quantity,
            price if price is None else min(max(price, 0), 2**63 - 1),
            time_in_force=force,
            client_order_id=name,
            conditions=records.conditions_record(**values),
        )

    def pair_at_work(self) -> bytes:
        """The first of a few commands by which something happens to a pair that stands."""
        random, venue = self._random, self._floor.exchange.venue
        pairs = [each for each in venue.lists if each.is_pair and each.instrument < len(MARKETS)]
        working = [each for each in venue.lists if not each.is_pair and each.instrument < len(MARKETS)]
        chosen = random.choice(pairs or working) if pairs or working else None
        if chosen is None:
            return self.place()
        if working and random.random() < 0.5:
            # Fill the leg that others wait for, perhaps when its owner may not trade any more.
            chosen = random.choice(working)
            leg = chosen.legs[0]
            trade = records.place(
                self._draws.owner(leg.instrument), leg.instrument, leg.side.opposite, leg.open_lots, leg.price_ticks
            )
            kind = random.randrange(5)
            if kind == 0:
                self._floor.next += [records.set_permissions(leg.account, 7), trade]
                return records.set_permissions(leg.account, 6)
            if kind == 1:
                self._floor.next.append(trade)
                return records.halt(HaltScope.ACCOUNT, account=leg.account)
            if kind == 2 and leg.side is Side.SELL:
                self._floor.next += [records.set_position_limit(leg.account, leg.instrument, 2**62), trade]
                return records.set_position_limit(leg.account, leg.instrument, 0)
            return trade
        leg = chosen.legs[0]
        if random.random() < 0.4:
            # Its owner meets it.
            return records.place(
                leg.account,
                leg.instrument,
                leg.side.opposite,
                max(leg.open_lots // 2, 1),
                leg.price_ticks,
                prevention=random.randrange(1, 6),
            )
        # Somebody sweeps from beyond the stop to the limit.
        stop = chosen.legs[-1]
        trigger = stop.trigger_ticks or leg.price_ticks
        self._floor.next.append(
            records.place(
                self._draws.owner(leg.instrument), leg.instrument, leg.side.opposite, leg.open_lots * 2, leg.price_ticks
            )
        )
        return records.place(
            self._draws.owner(leg.instrument), leg.instrument, leg.side, max(leg.open_lots // 2, 1), trigger
        )

    def cancel(self) -> bytes:
        random = self._random
        lists = self._floor.exchange.venue.lists
        if not lists or random.random() < 0.1:
            return records.cancel_list(self._draws.trader(), random.choice([0, 1, *self._floor.lists]))
        chosen = random.choice(lists)
        by_client = chosen.client_list_id is not None and random.random() < 0.6
        account = chosen.account if random.random() < 0.95 else self._draws.trader()
        return records.cancel_list(account, chosen.list_id, client_list_id=chosen.client_list_id if by_client else None)
