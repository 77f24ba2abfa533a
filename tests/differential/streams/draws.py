"""Draws what commands are made of, near enough to each other that orders meet."""

from __future__ import annotations

from tests.differential.streams.floor import Floor, LiveOrder
from tests.differential.streams.markets import HUGE_INSTRUMENTS, MARKETS, RICH, SECOND_NS, TRADERS, Market
from tests.reference.codes import PriceSource, Side, TrailUnit, TriggerKind
from tests.reference.orders import ClientOrderId


class Draws:
    """What commands are made of: a trader, a price, a quantity, an order that is there."""

    def __init__(self, floor: Floor) -> None:
        self._random = floor.random
        self._floor = floor

    def trader(self) -> int:
        return self._random.choice(TRADERS) if self._random.random() < 0.985 else self._random.choice([0, 1, 99])

    def owner(self, market: int) -> int:
        """A trader who may have what the market trades."""
        return self._random.choice(RICH) if market in HUGE_INSTRUMENTS else self.trader()

    def market(self) -> int:
        (market,) = self._random.choices(range(len(MARKETS)), [12, 8, 1, 2])
        return market

    def price(self, market: Market) -> int:
        steps = self._random.randint(-4, 4) if self._random.random() < 0.93 else self._random.choice([-30, 30, -9, 9])
        return market.price_middle + steps * market.price_increment + (self._random.random() < 0.01)

    def quantity(self, market: Market) -> int:
        random = self._random
        if market.quantity_max == 2**40:
            return random.choice([2, 100, 2**20, 2**39 + 1, 2**40, 2**40])
        quantity = random.randint(2, 12) * market.quantity_increment
        return quantity if random.random() < 0.95 else random.choice([0, 1, quantity + 1, market.quantity_max * 2])

    def amount(self, market: Market) -> int:
        notional = market.units.notional(market.price_middle, max(self.quantity(market), 1))
        if self._random.random() < 0.4:
            # Comes to an end exactly, where there is no fee.
            return notional
        return notional + self._random.randint(-notional // 8, notional // 8)

    def asset(self) -> int:
        return self._random.choice([0, 1, 2, 2, 66])

    def client_order_id(self) -> int | bytes | None:
        random = self._random
        kind = random.randrange(10)
        if kind < 4:
            return None
        if kind < 6:
            return random.choice(self._floor.used_client_ids)
        if kind < 8:
            return random.choice([random.randint(1, 60), 2**64 - 1])
        texts = [b"x-%d" % random.randint(1, 30), b"0%d" % random.randint(1, 9), b"~" * 36, b"18446744073709551616"]
        return random.choice(texts)

    def expiry(self) -> int:
        """A time soon; often the same for several orders, once in a while over already."""
        half = SECOND_NS // 2
        ahead = self._random.choice([0, 1, 1, 2, 3, 6, 20])
        return max((self._floor.time_ns // half + ahead) * half + self._random.choice([0, 0, 0, 1]), 1)

    def peaks(self, quantity: int, increment: int) -> dict[str, int]:
        """How an order of this quantity shows itself; now and then as it cannot."""
        random = self._random
        peak = random.choice([1, 1, 2, 2, 3]) * increment
        values = {"peak_lots": peak}
        if random.random() < 0.4:
            values["peak_range_lots"] = random.choice([1, 2, 2, 4]) * increment
            values["seed"] = random.choice([0, 1, 77, 2**32 - 1])
        if random.random() < 0.05:
            values |= random.choice(
                [
                    {"peak_lots": peak + 1},
                    {"peak_lots": quantity + increment},
                    {"peak_range_lots": quantity},
                    {"seed": 5},
                ]
            )
        return values

    def trigger(self, number: int, side: Side) -> dict[str, int]:
        """A trigger near the price that it looks at, mostly on the side from which the price can reach it."""
        random, market = self._random, MARKETS[number]
        (source,) = random.choices(list(PriceSource), [6, 2, 1])
        kind = random.choice([TriggerKind.STOP_LOSS, TriggerKind.STOP_LOSS, TriggerKind.TAKE_PROFIT])
        now = self._floor.exchange.venue.instruments[number].price_of(source)
        rises = (kind is TriggerKind.STOP_LOSS) == (side is Side.BUY)
        away = random.choice([1, 1, 1, 2, 2, 3, 4]) * market.price_increment
        price = (now or market.price_middle) + (away if rises else -away)
        if random.random() < 0.12:
            price = random.choice([self.price(market), price + 1, 0, -1, market.price_middle, 2**62])
        values = {"trigger": kind, "source": source, "trigger_price_ticks": min(price, 2**62)}
        if kind is TriggerKind.STOP_LOSS and random.random() < 0.4:
            unit = random.choice(list(TrailUnit))
            parts = random.choice([1, 99, 150, 300, 9_999])
            ticks = random.choice([1, 2, 3]) * market.price_increment
            values |= {"trail_unit": unit, "trail": parts if unit is TrailUnit.BASIS_POINTS else ticks}
            if random.random() < 0.7:
                values["trigger_price_ticks"] = 0
        return values

    def live_order(self) -> LiveOrder | None:
        if not self._floor.live or self._random.random() < 0.05:
            return None
        return self._random.choice(list(self._floor.live.values()))

    def target(self, order: LiveOrder | None) -> tuple[int, int, ClientOrderId]:
        """The account, order id and client order id that name an order; sometimes a wrong one."""
        random = self._random
        if order is None:
            wrong = random.choice([0, random.randint(1, 5), 2**63])
            return self.trader(), wrong, random.choice([None, 12_345, b"nobody", 0])
        account = order.account if random.random() < 0.97 else self.trader()
        by_client = random.random() < 0.4
        return account, order.order_id, order.client_order_id if by_client else None
