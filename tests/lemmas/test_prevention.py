"""The formulas of `prevention.py` against the engine: every small meeting, and a million random ones.

Each meeting is four commands: the maker rests, somebody else takes a part of it, the maker's owner meets the rest, and
what is left is cancelled, which tells how much that was.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

import tradewright as tw
from tradewright import commands

Lots = npt.NDArray[np.int64]

SEED = 7
CASES, BATCH = 1_000_000, 50_000
MODES = [mode for mode in tw.SelfTradePrevention if mode is not tw.SelfTradePrevention.NONE]


@pytest.fixture(scope="module")
def venue() -> tuple[tw.Exchange, int, int]:
    exchange = tw.Exchange(events_max=16)
    market = exchange.list_spot("BASE/QUOTE", tick=1, lot=1, price_band=None)
    owner, other = exchange.open_account("owner"), exchange.open_account("other")
    for account in (owner, other):
        for asset in (market.base, market.quote):
            account.deposit(asset.name, 2**50)
    return exchange, owner.id, other.id


def check(
    venue: tuple[tw.Exchange, int, int], buys: Lots, maker: Lots, executed: Lots, taker: Lots, mode: Lots, case: str
) -> None:
    """`executed` of the maker trade before the taker meets it; `buys` is the taker's side."""
    exchange, owner, other = venue
    count = len(maker)
    side = np.where(buys == 1, int(tw.Side.BUY), int(tw.Side.SELL))
    opposite = 1 - side

    def place(account: int, side: Lots, lots: Lots, mode: Lots | int) -> commands.Records:
        return commands.place(
            account=account, instrument=0, side=side, price_ticks=100, quantity_lots=lots, self_trade_prevention=mode
        )

    # An order of nothing is refused: then nothing was executed before.
    steps = [
        place(owner, opposite, maker, 0),
        place(other, side, executed, 0),
        place(owner, side, taker, mode),
        np.repeat(commands.cancel_all(account=owner), count),
    ]
    rows = exchange.submit(np.stack(steps, axis=1).reshape(-1)).array
    met = rows[rows["kind"] == tw.EventKind.MATCH_PREVENTED]
    assert len(met) == count, case

    maker_open = maker - executed
    smaller = np.minimum(taker, maker_open)
    both = (mode == tw.SelfTradePrevention.DECREMENT) | (mode == tw.SelfTradePrevention.TRANSFER)
    expires_both = mode == tw.SelfTradePrevention.EXPIRE_BOTH
    expires_taker = mode == tw.SelfTradePrevention.EXPIRE_TAKER
    from_taker = np.where(both, smaller, np.where(expires_taker | expires_both, taker, 0))
    from_maker = np.where(both, smaller, np.where(expires_taker, 0, maker_open))
    closes_taker = np.where(both, from_taker == taker, expires_taker | expires_both)
    closes_maker = from_maker == maker_open
    for name, formula in (("quantity_lots", from_taker), ("open_lots", from_maker)):
        wrong = np.flatnonzero(met[name].astype(np.int64) != formula)
        assert not len(wrong), f"{case}: {name} of meeting {wrong[0]}: maker={maker[wrong[0]]} taker={taker[wrong[0]]}"
    assert ((met["flags"] & tw.EventFlags.TAKER_DONE > 0) == closes_taker).all(), case
    assert ((met["flags"] & tw.EventFlags.MAKER_DONE > 0) == closes_maker).all(), case

    # original - executed - prevented = open, as the cancels tell it: nothing was open of an order that has none.
    cancelled = rows[rows["kind"] == tw.EventKind.ORDER_CANCELLED]
    left = dict(zip(cancelled["order_id"].tolist(), cancelled["quantity_lots"].tolist(), strict=True))
    takers = [left.pop(order, 0) for order in met["order_id"].tolist()]
    makers = [left.pop(order, 0) for order in met["counter_order_id"].tolist()]
    assert not left, case
    assert (np.array(takers) == taker - from_taker).all(), case
    assert (np.array(makers) == maker - executed - from_maker).all(), case


def test_every_small_meeting(venue: tuple[tw.Exchange, int, int]) -> None:
    cases = np.array(
        [
            (buys, maker, executed, taker, mode)
            for buys, maker, executed, taker, mode in product((0, 1), range(1, 9), range(8), range(1, 9), MODES)
            if executed < maker
        ]
    )
    buys, maker, executed, taker, mode = cases.T
    check(venue, buys, maker, executed, taker, mode, "exhaustive")
    venue[0].check_invariants()


def test_a_million_random_meetings(venue: tuple[tw.Exchange, int, int]) -> None:
    rng = np.random.default_rng(SEED)
    for batch in range(CASES // BATCH):
        bits = rng.integers(1, 31, BATCH)
        maker = rng.integers(1, 2**bits + 1)
        executed = np.where(rng.random(BATCH) < 0.5, 0, rng.integers(0, maker))
        taker = np.where(rng.random(BATCH) < 0.2, maker - executed, rng.integers(1, 2**bits + 1))
        mode = rng.choice(np.array(MODES), BATCH)
        check(venue, rng.integers(0, 2, BATCH), maker, executed, taker, mode, f"seed={SEED} batch={batch}")
    venue[0].check_invariants()
