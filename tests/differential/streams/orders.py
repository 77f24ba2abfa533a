"""Draws new orders of every kind."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import HUGE_INSTRUMENTS, MARKETS
from tests.reference import records
from tests.reference.codes import PegKind, Prevention, Side, TimeInForce


class Orders:
    """New orders of every kind."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def place(self, account: int | None = None) -> bytes:
        random = self._random
        if random.random() < 0.1:
            draw = random.choice([self.conditional, self.conditional, self.iceberg, self.hidden, self.peg])
            return draw(account)
        number = self._draws.market() if random.random() < 0.99 else 77
        market = MARKETS[number % len(MARKETS)]
        account = self._draws.owner(number) if account is None else account
        side = random.choice(list(Side))
        (prevention,) = random.choices(list(Prevention), [3, 1, 1, 1, 1, 2])
        client_order_id = self._draws.client_order_id()
        shape = random.randrange(20)
        if shape < 2:
            by_amount_modes = list(Prevention)[:4]
            amount = self._draws.amount(market)
            best = (
                self._floor.exchange.venue.instruments[number].book.best(side.opposite)
                if number < len(MARKETS)
                else None
            )
            if best is not None and random.random() < 0.3:
                # A part of the best order, which comes out even where there is no fee on it.
                lots = random.randint(1, max(best.open_lots // market.quantity_increment, 1))
                amount = market.units.notional(best.price_ticks, lots * market.quantity_increment)
            return records.place(
                account,
                number,
                side,
                quote_amount=amount,
                prevention=random.choice(by_amount_modes),
                client_order_id=client_order_id,
            )
        if shape < 4:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
            price = None
        else:
            # Good till date is drawn with the other conditions.
            forces = [*list(TimeInForce)[:3], TimeInForce.DAY]
            (force,) = random.choices(forces, [7, 1, 2, 1])
            price = self._draws.price(market)
        return records.place(
            account,
            number,
            side,
            self._draws.quantity(market),
            price,
            time_in_force=force,
            prevention=prevention,
            post_only=price is not None and force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.15,
            client_order_id=client_order_id,
        )

    def conditional(self, account: int | None = None) -> bytes:
        """An order that waits, expires by date or wants a minimum: mostly one that can be."""
        random = self._random
        number = self._draws.market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._draws.owner(number) if account is None else account
        quantity = self._draws.quantity(market)
        price: int | None = self._draws.price(market)
        force = TimeInForce.GOOD_TILL_CANCEL
        has_trigger = random.random() < 0.65
        if has_trigger and random.random() < 0.5:
            # A limit beyond the trigger, so that it trades; else no limit at all.
            beyond = market.price_middle + (6 if side is Side.BUY else -6) * market.price_increment
            price = beyond if random.random() < 0.5 else None
        if price is None or random.random() < 0.25:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
        values: dict[str, int] = {}
        if has_trigger:
            values |= self._draws.trigger(number, side)
        if force is TimeInForce.IMMEDIATE_OR_CANCEL and (not has_trigger or random.random() < 0.4):
            values["minimum_lots"] = random.choice([1, quantity // 2, quantity, quantity, quantity + 1])
        if not values or (force is TimeInForce.GOOD_TILL_CANCEL and random.random() < 0.4):
            values["expire_time_ns"] = self._draws.expiry()
            if price is not None:
                force = TimeInForce.GOOD_TILL_DATE
        if random.random() < 0.04:
            # Whatever comes: most of it excludes each other.
            force = random.choice(list(TimeInForce))
            values |= random.choice([{"minimum_lots": 2}, {"expire_time_ns": self._draws.expiry()}, {"trigger": 0}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 2])[0],
            post_only=random.random() < (0.01 if has_trigger else 0.1),
            client_order_id=self._draws.client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def iceberg(self, account: int | None = None) -> bytes:
        """An order that shows itself by parts, near the middle; mostly one that can be."""
        random, number = self._random, self._draws.market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._draws.owner(number) if account is None else account
        away = random.choice([-1, 0, 1, 1, 2, 2, 3, 4]) * market.price_increment
        increment = market.quantity_increment
        quantity = random.randint(4, 14) * increment
        values = self._draws.peaks(quantity, increment)
        if number in HUGE_INSTRUMENTS:
            quantity = random.choice([2**40, 2**20])
            values["peak_lots"] = random.choice([quantity // 3, quantity // 9_999, quantity // 10_000, 2**30, quantity])
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.2:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._draws.expiry()
        if random.random() < 0.15:
            values |= self._draws.trigger(number, side)
        price: int | None = market.price_middle + (away if side is Side.SELL else -away)
        if random.random() < 0.04:
            force = random.choice([TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
            price = random.choice([price, None])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05 and "trigger" not in values,
            client_order_id=self._draws.client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def hidden(self, account: int | None = None) -> bytes:
        """An order that nobody sees, near the middle or inside the spread; mostly one that can be."""
        random, number = self._random, self._draws.market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._draws.owner(number) if account is None else account
        away = random.choice([-1, 0, 0, 1, 1, 2, 3]) * market.price_increment
        price: int | None = market.price_middle + (away if side is Side.SELL else -away)
        quantity = self._draws.quantity(market)
        values: dict[str, int] = {"display": 1}
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.2:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._draws.expiry()
        if random.random() < 0.15:
            values |= self._draws.trigger(number, side)
        if random.random() < 0.05:
            force = random.choice(list(TimeInForce))
            price = random.choice([price, None])
            values |= random.choice([{"peak_lots": 2}, {"display": 2}, {}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05 and "trigger" not in values,
            client_order_id=self._draws.client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def peg(self, account: int | None = None) -> bytes:
        """An order whose price is tied to others: mostly one that can be."""
        random, number = self._random, self._draws.market()
        market, side = MARKETS[number], random.choice(list(Side))
        account = self._draws.owner(number) if account is None else account
        is_fixed = random.random() < 0.35
        kind = random.choice(list(PegKind)[: 2 if is_fixed else 3])
        offset = random.choice([0, 0, 0, 1, 2]) if is_fixed else random.choice([0, 0, 0, 1, 2, 3, 7])
        values: dict[str, int] = {"peg": kind, "peg_mode": is_fixed, "peg_offset": offset}
        quantity, price = self._draws.quantity(market), 0
        if not is_fixed and random.random() < 0.6:
            # Better than the middle, so that it has room to follow.
            better = random.choice([0, 1, 2, 4]) * market.price_increment
            price = market.price_middle + (better if side is Side.BUY else -better)
        force = TimeInForce.GOOD_TILL_CANCEL
        if random.random() < 0.15:
            force, values["expire_time_ns"] = TimeInForce.GOOD_TILL_DATE, self._draws.expiry()
        if random.random() < 0.2:
            values["display"] = 1
        if is_fixed and not values.get("display") and random.random() < 0.2:
            values |= self._draws.peaks(quantity, market.quantity_increment)
        if random.random() < 0.06:
            force = random.choice([*TimeInForce, force, force])
            more = [{"peg": 3}, {"peak_lots": 2}, {"peg_offset": 101}, {"peg_offset": 2**62 + 1}, {"peg": 0}]
            values |= random.choice([*more, self._draws.trigger(number, side), {"peg_mode": 1}])
        return records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            prevention=random.choices(list(Prevention), [6, 1, 1, 1, 2, 2])[0],
            post_only=random.random() < 0.05,
            client_order_id=self._draws.client_order_id(),
            conditions=records.conditions_record(**values),
        )

    def ladder(self) -> bytes:
        return self.ladder_of(None)

    def ladder_of(self, account: int | None) -> bytes:
        """A resting order away from the middle, so that there is something to take."""
        random = self._random
        number = self._draws.market()
        market, side = MARKETS[number], random.choice(list(Side))
        away = random.randint(1, 8 if self._floor.is_deep else 5) * market.price_increment
        price = market.price_middle + (away if side is Side.SELL else -away)
        prevention = random.choice([Prevention.NONE, Prevention.TRANSFER])
        account = self._draws.owner(number) if account is None else account
        return records.place(account, number, side, self._draws.quantity(market), price, prevention=prevention)
