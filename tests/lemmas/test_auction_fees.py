"""The formulas of `auction_fees.py` against the engine: every small auction, and a million random ones.

Each auction is nine commands: both sides get their rates, a bid rests and somebody takes a part of it, the call begins,
an ask comes, the call ends and both trade, what is left of both is cancelled.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import tradewright as tw
from tests.lemmas.venue import RICH, TIERS, Integers, Venue, ceiling, in_turn
from tradewright import commands

SEED = 11
CASES, BATCH = 1_000_000, 50_000


def fee(before: Integers, notional: Integers, ppm: Integers) -> Integers:
    """Return what a maker pays for `notional` in an auction when `before` was charged already."""
    return np.where(ppm > 0, ceiling(before + notional, ppm) - ceiling(before, ppm), 0)


def hold(before: Integers, notional: Integers, ppm: Integers) -> Integers:
    return notional + fee(before, notional, ppm)


class Auctions:
    """Many auctions in turn, and what they cost."""

    def __init__(self) -> None:
        self.venue = Venue("buyer", "seller", "taker")
        self.buyer, self.seller, self.taker = (account.id for account in self.venue.accounts)
        self.paid = self.income = 0

    def run(self, *, limit: Integers, lots: Integers, taken: Integers, ask: Integers, ask_lots: Integers,
            tiers: tuple[Integers, Integers], case: str) -> None:  # fmt: skip
        """Hold auctions of a bid, of which `taken` traded before, and an ask at or below it."""
        count = len(limit)

        def place(account: int, side: tw.Side, price: Integers, lots: Integers) -> commands.Records:
            return commands.place(account=account, instrument=0, side=side, price_ticks=price, quantity_lots=lots)

        def repeat(command: commands.Records) -> commands.Records:
            return np.repeat(command, count)

        states = tw.InstrumentState
        call = commands.set_instrument_state(instrument=0, state=states.AUCTION, phase=tw.AuctionPhase.INTRADAY)
        steps = in_turn(
            commands.set_account_fee_tier(account=self.buyer, tier=tiers[0]),
            commands.set_account_fee_tier(account=self.seller, tier=tiers[1]),
            place(self.buyer, tw.Side.BUY, limit, lots),
            # An order of nothing is refused: then nothing was taken.
            place(self.taker, tw.Side.SELL, limit, taken),
            repeat(call),
            place(self.seller, tw.Side.SELL, ask, ask_lots),
            repeat(commands.set_instrument_state(instrument=0, state=states.CONTINUOUS)),
            repeat(commands.cancel_all(account=self.buyer)),
            repeat(commands.cancel_all(account=self.seller)),
        )
        rows = self.venue.exchange.submit(steps).array
        trades = rows[rows["kind"] == tw.EventKind.TRADE]
        in_auction = trades["flags"] & tw.EventFlags.AUCTION > 0
        before = trades[~in_auction]
        trades = trades[in_auction]
        assert len(trades) == count, case
        assert len(before) == (taken > 0).sum(), case

        price = trades["price_ticks"].astype(np.int64)
        traded = np.minimum(lots - taken, ask_lots)
        bid_ppm, ask_ppm = self.venue.maker_ppm[tiers[0]], self.venue.maker_ppm[tiers[1]]
        bid_fee, ask_fee = fee(limit * taken, price * traded, bid_ppm), fee(0 * price, price * traded, ask_ppm)
        for name, formula in (("quantity_lots", traded), ("amount_low", bid_fee), ("counter_amount_low", ask_fee)):
            wrong = np.flatnonzero(trades[name].astype(np.int64) != formula)
            assert not len(wrong), f"{case}: {name} of auction {wrong[0]}"
        # No worse than both limits, and so within what the bid held.
        assert ((ask <= price) & (price <= limit)).all(), case
        left = lots - taken - traded
        held = hold(limit * taken, limit * (lots - taken), bid_ppm)
        charged = limit * taken + np.where(bid_ppm > 0, price * traded, 0)
        assert (price * traded + bid_fee + hold(charged, limit * left, bid_ppm) <= held).all(), case
        # What it traded before it paid as a maker, which may have been a rebate.
        maker_fee = ceiling(limit * taken, bid_ppm)
        self.paid += int((limit * taken + maker_fee + price * traded + bid_fee).sum())
        self.income += int((bid_fee + ask_fee).sum())
        taker_fees = before["amount_low"].astype(np.int64).sum() + before["counter_amount_low"].astype(np.int64).sum()
        self.income += int(taker_fees)

    def check_money(self) -> None:
        """Check that the buyer and the fee account have what the formulas left them, and nobody holds anything."""
        self.venue.exchange.check_invariants()
        buyer = self.venue.accounts[0].balances["QUOTE"]
        assert (int(buyer.available), int(buyer.held)) == (RICH - self.paid, 0)
        fees = self.venue.exchange.account("fees").balances["QUOTE"]
        assert (int(fees.available), int(fees.held)) == (self.income, 0)


@pytest.fixture(scope="module")
def auctions() -> Auctions:
    return Auctions()


def test_every_small_auction(auctions: Auctions) -> None:
    rng = np.random.default_rng(SEED)
    small = range(1, 5)
    cases = np.array(
        [
            (limit, lots, taken, ask, ask_lots)
            for limit, lots, taken, ask, ask_lots in product(small, small, range(4), small, small)
            if taken < lots and ask <= limit
        ]
    )
    limit, lots, taken, ask, ask_lots = np.tile(cases, (20, 1)).T
    auctions.venue.draw_rates(rng)
    tiers = (rng.integers(0, TIERS, len(limit)), rng.integers(0, TIERS, len(limit)))
    auctions.run(limit=limit, lots=lots, taken=taken, ask=ask, ask_lots=ask_lots, tiers=tiers, case="exhaustive")
    auctions.check_money()


def test_a_million_random_auctions(auctions: Auctions) -> None:
    rng = np.random.default_rng(SEED)
    for batch in range(CASES // BATCH):
        auctions.venue.draw_rates(rng)
        bits = rng.integers(1, 19, BATCH)
        limit, lots = rng.integers(1, 2**bits + 1), rng.integers(1, 2**bits + 1)
        taken = np.where(rng.random(BATCH) < 0.5, 0, rng.integers(0, lots))
        ask = np.where(rng.random(BATCH) < 0.2, limit, rng.integers(1, limit + 1))
        ask_lots = np.where(rng.random(BATCH) < 0.2, lots - taken, rng.integers(1, 2**bits + 1))
        tiers = (rng.integers(0, TIERS, BATCH), rng.integers(0, TIERS, BATCH))
        case = f"seed={SEED} batch={batch}"
        auctions.run(limit=limit, lots=lots, taken=taken, ask=ask, ask_lots=ask_lots, tiers=tiers, case=case)
    auctions.check_money()
