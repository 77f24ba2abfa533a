"""The formulas of `pairs.py` against the engine: every small pair of bids, and a million random ones.

Each pair is twelve commands: it comes to stand, then its first leg loses something to prevention or its second leg's
trigger fires, and after each of these the owner asks for exactly what it should have left.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import tradewright as tw
from tests.lemmas.venue import RICH, TIERS, Integers, Venue, bid_hold, check_asked, entry_hold, in_turn
from tradewright import commands

SEED = 12
CASES, BATCH = 1_000_000, 50_000
TRIGGER = 2**21
"""At which the stop-loss fires: above every limit."""


def place_pairs(owner: int, limit: Integers, stop_limit: Integers, lots: Integers) -> commands.Records:
    """Return a pair of bids for each case: a limit order and a stop-loss of the mark price."""
    leg = commands.place(account=owner, instrument=0, side=tw.Side.BUY, price_ticks=1, quantity_lots=1)
    stop = commands.with_conditions(
        leg, trigger=tw.TriggerKind.STOP_LOSS, source=tw.PriceSource.MARK, trigger_price_ticks=TRIGGER
    )
    one = commands.place_list(tw.Contingency.OCO, [leg, stop])
    pairs = np.tile(one, (len(limit), 1))
    pairs["price_ticks"][:, 1], pairs["price_ticks"][:, 2] = limit, stop_limit
    pairs["quantity_lots"][:, 1] = pairs["quantity_lots"][:, 2] = lots
    return pairs


def run(venue: Venue, limit: Integers, stop_limit: Integers, lots: Integers, lost: Integers, tiers: Integers,
        case: str) -> None:  # fmt: skip
    """Let pairs stand and come apart: the trigger fires where nothing is `lost`."""
    (owner,), count = (account.id for account in venue.accounts), len(limit)
    taker_ppm, maker_ppm = venue.taker_ppm[tiers], venue.maker_ppm[tiers]
    first = bid_hold(limit * lots, maker_ppm)
    together = np.maximum(first, entry_hold(stop_limit * lots, taker_ppm, maker_ppm))
    alone = np.where(lost > 0, bid_hold(limit * (lots - lost), maker_ppm), bid_hold(stop_limit * lots, maker_ppm))
    apart = commands.place(
        account=owner,
        instrument=0,
        side=tw.Side.SELL,
        price_ticks=limit,
        quantity_lots=lost,
        time_in_force=tw.TimeInForce.IOC,
        self_trade_prevention=tw.SelfTradePrevention.DECREMENT,
    )
    fires = commands.set_mark_price(instrument=0, price_ticks=np.full(count, TRIGGER))
    apart[lost == 0] = fires[lost == 0]
    ids = venue.next_withdrawals(count, 2)
    steps = in_turn(
        commands.set_account_fee_tier(account=owner, tier=tiers),
        commands.set_mark_price(instrument=0, price_ticks=np.full(count, TRIGGER - 1)),
        place_pairs(owner, limit, stop_limit, lots),
        *venue.ask(owner, RICH - together, ids[:, 0]),
        apart,
        *venue.ask(owner, RICH - alone, ids[:, 1]),
        np.repeat(commands.cancel_all(account=owner), count),
    )
    rows = venue.exchange.submit(steps).array
    for kind, times in ((tw.EventKind.LIST_ACCEPTED, count), (tw.EventKind.ORDER_TRIGGERED, (lost == 0).sum())):
        assert (rows["kind"] == kind).sum() == times, case
    assert (rows["kind"] == tw.EventKind.MATCH_PREVENTED).sum() == (lost > 0).sum(), case
    check_asked(rows, count, ("of a pair", "when it came apart"), case)


@pytest.fixture(scope="module")
def venue() -> Venue:
    return Venue("owner")


def test_every_small_pair(venue: Venue) -> None:
    rng = np.random.default_rng(SEED)
    small = range(1, 6)
    cases = [each for each in product(small, small, small, range(6)) if each[3] <= each[2]]
    limit, stop_limit, lots, lost = np.tile(np.array(cases), (10, 1)).T
    venue.draw_rates(rng)
    run(venue, limit, stop_limit, lots, lost, rng.integers(0, TIERS, len(limit)), "exhaustive")
    venue.exchange.check_invariants()


def test_a_million_random_pairs(venue: Venue) -> None:
    rng = np.random.default_rng(SEED)
    for batch in range(CASES // BATCH):
        venue.draw_rates(rng)
        bits = rng.integers(1, 21, BATCH)
        limit = rng.integers(1, 2**bits + 1)
        near = limit + rng.integers(-1, 2, BATCH)
        stop_limit = np.where(rng.random(BATCH) < 0.5, np.maximum(near, 1), rng.integers(1, 2**bits + 1))
        lots = rng.integers(1, 2**bits + 1)
        lost = np.where(rng.random(BATCH) < 0.5, 0, rng.integers(1, lots + 1))
        run(venue, limit, stop_limit, lots, lost, rng.integers(0, TIERS, BATCH), f"seed={SEED} batch={batch}")
    venue.exchange.check_invariants()
