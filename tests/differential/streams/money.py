"""Draws deposits, withdrawals and transfers, and the orders that need a balance to the last quantum."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import CLIENTS, HOUSES, MARKETS, TRADERS
from tests.reference import records
from tests.reference.checks import lots_for_amount
from tests.reference.codes import Side, TimeInForce, TransferKind, TriggerKind
from tests.reference.orders import bid_cover


class Money:
    """Money that comes, goes and moves."""

    def __init__(self, floor: Floor, draws: Draws) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws

    def deposit(self) -> bytes:
        random = self._random
        asset = random.choice([0, 0, 1, 1, 2, 2, 2])
        # Enough for an order or two.
        amount = [100, 20_000, 150_000][asset]
        account = self._draws.trader()
        return records.deposit(
            account,
            asset if random.random() < 0.97 else 66,
            random.randint(amount // 4, amount) * (40 if self._floor.is_deep else 1),
        )

    def to_have(self, account: int, asset: int, amount: int) -> bytes:
        """What leaves an account with so much available, once its quotes are gone."""
        venue = self._floor.exchange.venue
        quotes = [order for order in venue.accounts[account].open_orders.values() if order.is_quote]
        freed = sum(
            order.hold(venue.instruments[order.instrument].units)
            for order in quotes
            if order.held_asset(venue.instruments[order.instrument].units) == asset
        )
        missing = amount - venue.ledger.available[account, asset] - freed
        if missing > 0:
            return records.deposit(account, asset, missing)
        return records.request_withdrawal(account, asset, -missing)

    def edge(self) -> bytes:
        """A deposit or withdrawal after which an account has what its next order needs, or one quantum more or less."""
        random = self._random
        number, account, side = random.choice([0, 1]), random.choice(TRADERS), random.choice(list(Side))
        needed, order = random.choice([self._edge_limit, self._edge_limit, self._edge_market, self._edge_stop])(
            number, account, side
        )
        self._floor.next.append(order)
        venue = self._floor.exchange.venue
        units = venue.instruments[number].units
        asset = units.quote if side is Side.BUY else units.base
        missing = needed + random.choice([-1, 0, 0, 1]) - venue.ledger.available[account, asset]
        if missing > 0:
            return records.deposit(account, asset, missing)
        return records.request_withdrawal(account, asset, -missing)

    def _edge_limit(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """A limit order, and what it needs."""
        random, venue, market = self._random, self._floor.exchange.venue, MARKETS[number]
        instrument, price = venue.instruments[number], self._draws.price(market)
        quantity = random.randint(2, 12) * market.quantity_increment
        force = random.choice([TimeInForce.GOOD_TILL_CANCEL, TimeInForce.IMMEDIATE_OR_CANCEL])
        may_rest = force is TimeInForce.GOOD_TILL_CANCEL
        post_only = may_rest and random.random() < 0.3
        needed = instrument.units.base_quanta(quantity)
        if side is Side.BUY:
            rates = venue.rates_of(venue.accounts[account], instrument)
            needed = bid_cover(instrument.units, price, quantity, rates, may_rest, post_only)
        order = records.place(
            account,
            number,
            side,
            quantity,
            price,
            time_in_force=force,
            post_only=post_only,
            prevention=random.randrange(6),
        )
        return needed, order

    def _edge_market(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """A market order, by quantity or by amount, and what it needs at the band's edge."""
        random, venue, market = self._random, self._floor.exchange.venue, MARKETS[number]
        instrument = venue.instruments[number]
        worst = instrument.worst_price(side, instrument.reference_price_ticks or market.price_middle)
        if random.random() < 0.5:
            quantity = random.randint(2, 12) * market.quantity_increment
            needed = instrument.units.base_quanta(quantity)
            if side is Side.BUY:
                rates = venue.rates_of(venue.accounts[account], instrument)
                needed = bid_cover(instrument.units, worst, quantity, rates, may_rest=False, post_only=False)
            return needed, records.place(account, number, side, quantity, prevention=random.randrange(6))
        amount = self._draws.amount(market)
        needed = amount
        if side is Side.SELL:
            needed = instrument.units.base_quanta(lots_for_amount(instrument, amount, worst))
        return needed, records.place(account, number, side, quote_amount=amount, prevention=random.randrange(4))

    def _edge_stop(self, number: int, account: int, side: Side) -> tuple[int, bytes]:
        """An order that waits, and what it holds meanwhile."""
        random, venue, market = self._random, self._floor.exchange.venue, MARKETS[number]
        instrument = venue.instruments[number]
        quantity = random.randint(2, 12) * market.quantity_increment
        last = instrument.last_price_ticks or market.price_middle
        trigger = last + (market.price_increment if side is Side.BUY else -market.price_increment)
        force = random.choice([TimeInForce.GOOD_TILL_CANCEL, TimeInForce.IMMEDIATE_OR_CANCEL])
        price = self._draws.price(market) if force is TimeInForce.GOOD_TILL_CANCEL or random.random() < 0.3 else None
        worst = instrument.worst_price(side, trigger) if price is None else price
        needed = instrument.units.base_quanta(quantity)
        if side is Side.BUY:
            rates = venue.rates_of(venue.accounts[account], instrument)
            may_rest = force is TimeInForce.GOOD_TILL_CANCEL
            needed = bid_cover(instrument.units, worst, quantity, rates, may_rest, post_only=False)
        conditions = records.conditions_record(trigger=TriggerKind.STOP_LOSS, trigger_price_ticks=trigger)
        return needed, records.place(account, number, side, quantity, price, time_in_force=force, conditions=conditions)

    def request_withdrawal(self) -> bytes:
        amount = self._random.choice([0, 1, 50, 3_000, 30_000])
        return records.request_withdrawal(self._draws.trader(), self._draws.asset(), amount)

    def end_withdrawal(self) -> bytes:
        random = self._random
        withdrawal = 10**6
        if self._floor.withdrawals and random.random() < 0.85:
            # Those that ended stay in the list once in a while: they must be refused.
            index = random.randrange(len(self._floor.withdrawals))
            withdrawal = self._floor.withdrawals[index] if random.random() < 0.2 else self._floor.withdrawals.pop(index)
        end = random.choice([records.confirm_withdrawal, records.cancel_withdrawal])
        return end(withdrawal)

    def transfer(self) -> bytes:
        random = self._random
        kind = random.choice(list(TransferKind))
        sender, receiver = self._draws.trader(), self._draws.trader()
        if random.random() < 0.7:
            client, other_client = random.choice(CLIENTS), random.choice(CLIENTS)
            house = random.choice(HOUSES)
            sender, receiver = {
                TransferKind.INTERNAL: (client, other_client),
                TransferKind.FEE_PAYOUT: (0, house),
                TransferKind.INSURANCE_CONTRIBUTION: (random.choice([0, house]), 1),
                TransferKind.CLIENT_CREDIT: (house, client),
            }[kind]
        amount = random.choice([-1, 1, 20, 500, 5_000])
        return records.transfer(sender, receiver, self._draws.asset(), amount, kind)

    def between_shards(self) -> bytes:
        """Money goes to another shard, is told to have arrived, or comes from one; in every order, and again."""
        random, ledger = self._floor.courier, self._floor.exchange.venue.ledger
        shard = random.choice([0, 1, 1, 1, 2, 2, 255, 256])
        account, asset = random.choice([*TRADERS, 0, 99]), random.choice([0, 1, 2, 2, 66])
        kind = random.randrange(3)
        if kind == 0:
            return records.send_transfer(account, asset, random.choice([0, 1, 50, 3_000, 30_000]), to_shard=shard)
        if kind == 1:
            number = ledger.received[shard] + random.choice([0, 1, 1, 1, 1, 2])
            amount = random.choice([-1, 1, 50, 3_000, 2**120])
            return records.receive_transfer(account, asset, amount, from_shard=shard, number=number)
        pending = list(ledger.in_transit)
        shard, number = random.choice(pending) if pending and random.random() < 0.8 else (shard, random.randrange(3))
        return records.confirm_transfer(to_shard=shard, number=number)
