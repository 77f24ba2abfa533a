"""Draws quotes, their protections, and orders that meet them."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import HUGE_INSTRUMENTS, MARKETS, RICH, SECOND_NS, TRADERS
from tests.differential.streams.money import Money
from tests.reference import records
from tests.reference.codes import ANY, Contingency, Permissions, Prevention, Side
from tests.reference.orders import bid_cover
from tests.reference.protections import protections


class Quotes:
    """Quotes, their protections, and orders that meet them."""

    def __init__(self, floor: Floor, draws: Draws, money: Money) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws
        self._money = money

    def _quoter(self) -> int:
        """Mostly one of a few, so that quotes meet quotes of their own."""
        venue, some = self._floor.exchange.venue, (2, 3, 4, 8)
        able = [n for n in some if venue.accounts[n].may(Permissions.TRADE) and not venue.accounts[n].halted]
        draw = self._random.random()
        if draw < 0.04:
            stopped = [each.id for each in venue.accounts if each.halted]
            return self._random.choice([*stopped, 99])
        if able and draw < 0.8:
            return self._random.choice(able)
        return self._random.choice(some) if self._random.random() < 0.7 else self._draws.trader()

    def mass_quote(self, account: int | None = None) -> bytes:
        """New quotes for some instruments, often the ones that stand there, a little better or worse."""
        random = self._random
        account = self._quoter() if account is None else account
        numbers = random.sample([0, 1], random.choice([1, 1, 2]))
        if account in RICH and random.random() < 0.15:
            numbers.append(random.choice(HUGE_INSTRUMENTS))
        if random.random() < 0.03:
            numbers.append(random.choice([77, 88, *numbers]))
        random.shuffle(numbers)
        return records.mass_quote(
            account,
            [self._quote_entry(account, number) for number in numbers],
            prevention=random.choices(list(Prevention), [5, 1, 1, 1, 1, 2])[0],
            post_only=random.random() < 0.3,
        )

    def _quote_entry(self, account: int, number: int) -> bytes:
        random, market = self._random, MARKETS[number % len(MARKETS)]
        known = self._floor.exchange.venue.account(account)
        orders = known.open_orders.values() if known is not None else ()
        now = {order.side: order for order in orders if order.is_quote and order.instrument == number}
        sides = []
        # Once in a while far from where the others are.
        shift = random.choice([-5, -4, -3, 3, 4, 5]) * market.price_increment if random.random() < 0.08 else 0
        for side in Side:
            away = random.choice([-1, 0, 1, 1, 2, 2, 3, 3, 4]) * market.price_increment
            price = market.price_middle + shift + (away if side is Side.SELL else -away)
            lots = self._draws.quantity(market)
            quote = now.get(side)
            if quote is not None and shift == 0 and random.random() < 0.5:
                price = quote.price_ticks
                lots = max(quote.open_lots - random.choice([0, 0, 1, 2, -1]) * market.quantity_increment, 0)
            if random.random() < 0.12:
                lots = 0
            if random.random() < 0.02:
                price = random.choice([0, -1, price + 1, market.price_middle * 2])
            sides.append((price, lots))
        bid, ask = sides
        if bid[0] >= ask[0] and random.random() < 0.9:
            # One of the two sides only.
            bid, ask = random.choice([(bid, (ask[0], 0)), ((bid[0], 0), ask)])
        return records.quote_entry(number, bid, ask)

    def cancel(self) -> bytes:
        random = self._random
        return records.cancel_quotes(self._quoter(), random.choice([ANY, ANY, 0, 1, 2, 88]))

    def protection(self) -> bytes:
        """A protection within the reach of a fill or two, its end, or the word to go on after it was triggered."""
        random = self._random
        account, where = self._quoter(), random.choice([ANY, ANY, 0, 0, 1, 1, 2, 88])
        if random.random() < 0.55:
            triggered = [each for each in protections(self._floor.exchange.venue) if each.triggered]
            if triggered and random.random() < 0.85:
                stopped = random.choice(triggered)
                account = stopped.account
                where = ANY if stopped.instrument is None else stopped.instrument
            return records.reset_quote_protection(account, instrument=where)
        lots, fills = random.choice([(0, 2), (0, 1), (3, 0), (20, 0), (9, 3), (0, 4), (2, 1)])
        window_ns = random.choice([1, SECOND_NS // 10, SECOND_NS, SECOND_NS, 60 * SECOND_NS, 2**62])
        if random.random() < 0.1:
            lots, fills, window_ns = random.choice(
                [
                    (0, 0, 0),
                    (0, 0, 5),
                    (2, 0, 0),
                    (2**62 + 1, 0, 5),
                    (0, 2**20 + 1, 5),
                    (2, 2, 2**62 + 1),
                    (2**62, 0, 5),
                ]
            )
        return records.set_quote_protection(account, instrument=where, lots=lots, fills=fills, window_ns=window_ns)

    def edge(self) -> bytes:
        """A deposit or withdrawal after which two bids are just covered together, or one quantum more or less."""
        random, venue = self._random, self._floor.exchange.venue
        account = random.choice([2, 3, 4, 8])
        post_only = random.random() < 0.3
        needed, entries = 0, []
        for number in (0, 1):
            market, instrument = MARKETS[number], venue.instruments[number]
            price, lots = market.price_middle - 3 * market.price_increment, 4 * market.quantity_increment
            rates = venue.rates_of(venue.accounts[account], instrument)
            needed += bid_cover(instrument.units, price, lots, rates, may_rest=True, post_only=post_only)
            entries.append(records.quote_entry(number, (price, lots), (0, 0)))
        self._floor.next.append(records.mass_quote(account, entries, post_only=post_only))
        self._floor.next.append(self._money.to_have(account, 2, needed + random.choice([-1, 0, 0, 1])))
        return records.cancel_quotes(account)

    def hit(self) -> bytes:
        """An order that meets somebody's quote, and often more behind it."""
        random, venue = self._random, self._floor.exchange.venue
        quotes = [order for order in venue.open_orders() if order.is_quote and order.instrument < 2]
        if not quotes:
            return self.mass_quote()
        quote = random.choice(quotes)
        market = MARKETS[quote.instrument]
        away = random.choice([0, 0, 2, 4]) * market.price_increment
        price = quote.price_ticks + (away if quote.side is Side.SELL else -away)
        lots = random.choice([1, 1, 3, 12]) * market.quantity_increment
        account = self._draws.owner(quote.instrument)
        if random.random() < 0.3:
            # By another's quote.
            side = (price, max(lots, 2 * market.quantity_increment))
            entry = records.quote_entry(
                quote.instrument, *((side, (0, 0)) if quote.side is Side.SELL else ((0, 0), side))
            )
            return records.mass_quote(self._quoter(), [entry])
        return records.place(account, quote.instrument, quote.side.opposite, max(lots, 2), price)

    def far_away(self) -> bytes:
        """An order further away than a breaker lets trade, and quotes that would reach it."""
        random, number = self._random, self._random.choice([0, 1])
        market, instrument = MARKETS[number], self._floor.exchange.venue.instruments[number]
        step, last = market.price_increment, instrument.last_price_ticks or market.price_middle
        lots = 4 * market.quantity_increment
        bid, ask = (last + 8 * step, lots), (last + 9 * step, lots)
        self._floor.next.append(records.mass_quote(self._quoter(), [records.quote_entry(number, bid, ask)]))
        return records.place(random.choice(TRADERS), number, Side.SELL, lots, last + 7 * step)

    def with_a_list(self) -> bytes:
        """Quotes of which the first fills a leg of a list, so that another starts while the second is to come."""
        random, venue = self._random, self._floor.exchange.venue
        account = self._quoter()
        if account not in TRADERS:
            return self.mass_quote()
        if any(order.is_quote and order.account == account for order in venue.open_orders()):
            return records.cancel_quotes(account)
        first, second = random.choice([(0, 1), (1, 0)])
        market, other = MARKETS[first], MARKETS[second]
        bid = venue.instruments[first].book.best(Side.BUY)
        price = bid.price_ticks + market.price_increment if bid else market.price_middle
        lots = 4 * market.quantity_increment
        far, more = other.price_middle - 3 * other.price_increment, 4 * other.quantity_increment
        below = price - 4 * market.price_increment
        working = records.place(account, first, Side.SELL, lots, price)
        # More than what the first trade pays.
        pending = records.place(account, first, Side.BUY, 3 * lots, below)
        needed = 0
        for number, ticks, quantity in ((first, price, lots), (second, far, more)):
            units, rates = (
                venue.instruments[number].units,
                venue.rates_of(venue.accounts[account], venue.instruments[number]),
            )
            needed += bid_cover(units, ticks, quantity, rates, may_rest=True, post_only=False)
        units = venue.instruments[first].units
        left = random.choice([0, units.notional(below, lots), units.notional(below, 3 * lots)])
        entries = [records.quote_entry(first, (price, lots)), records.quote_entry(second, (far, more))]
        self._floor.next.append(records.mass_quote(account, entries))
        self._floor.next.append(self._money.to_have(account, 2, needed + left))
        self._floor.next.append(records.place_list(Contingency.OTO, [working, pending]))
        return records.deposit(account, units.base, units.base_quanta(lots))
