"""A venue in which the formulas of holds and fees are held against the engine: many rates, and money without end.

What an account has available is asked by withdrawals: one quantum more than it is refused, exactly that is not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import tradewright as tw
from tradewright import commands

Integers = npt.NDArray[np.int64]

MILLION = 1_000_000
TIERS = 256
ASSETS = ("BASE", "COIN", "QUOTE")
RICH = 2**60
"""What everybody has of each asset, in quanta."""


class Venue:
    """Two instruments of one quote asset, accounts with the fee tiers that a case gives them."""

    def __init__(self, *names: str) -> None:
        self.exchange = tw.Exchange(events_max=16)
        for asset in ASSETS:
            self.exchange.add_asset(asset, scale=0)
        markets = [
            self.exchange.list_spot(name, tick=1, lot=1, price_band=None) for name in ("BASE/QUOTE", "COIN/QUOTE")
        ]
        # So that no price is outside the band that every instrument has.
        references = [commands.set_reference_price(instrument=market.id, price_ticks=2**20) for market in markets]
        self.exchange.submit(np.concatenate(references))
        self.accounts = [self.exchange.open_account(name) for name in names]
        for account in self.accounts:
            for asset in ASSETS:
                account.deposit(asset, RICH)
        self.quote = markets[0].quote.id
        self._schedule = markets[0].view.fee_schedule
        self.taker_ppm, self.maker_ppm = np.zeros(TIERS, np.int64), np.zeros(TIERS, np.int64)
        self._withdrawals = 0

    def draw_rates(self, rng: np.random.Generator) -> None:
        """Give every tier new rates: no rebate is above any fee."""
        # All that stood before is replaced by rates that go with everything first.
        self._set_rates(np.full(TIERS, MILLION), np.zeros(TIERS, np.int64))
        rebate_max = int(rng.choice([0, 1, 1_000, 500_000, MILLION]))
        taker = rng.integers(rebate_max, MILLION + 1, TIERS)
        maker = rng.integers(-rebate_max, MILLION + 1, TIERS)
        few = rng.random(TIERS)
        taker[few < 0.2], maker[few < 0.1] = rebate_max, 0
        self._set_rates(taker, maker)

    def _set_rates(self, taker: Integers, maker: Integers) -> None:
        each = zip(range(TIERS), taker.tolist(), maker.tolist(), strict=True)
        rows = [
            commands.set_fee_tier(schedule=self._schedule, tier=tier, taker_ppm=t, maker_ppm=m) for tier, t, m in each
        ]
        done = self.exchange.submit(np.concatenate(rows)).array
        assert (done["kind"] == tw.EventKind.SETTING_APPLIED).all()
        self.taker_ppm, self.maker_ppm = taker, maker

    def next_withdrawals(self, cases: int, each: int) -> Integers:
        """Return the ids of the withdrawals that `cases` of so many `each` are about to request: a row a case."""
        ids = self._withdrawals + 1 + np.arange(cases * each).reshape(cases, each)
        self._withdrawals += cases * each
        return ids

    def withdraw(self, account: int, quanta: Integers) -> commands.Records:
        """Return requests to withdraw so much of the quote."""
        return commands.request_withdrawal(account=account, asset=self.quote, amount=quanta)

    def ask(self, account: int, quanta: Integers, ids: Integers) -> list[commands.Records]:
        """Return steps that find out whether exactly so much is available; `check_asked` reads the answers."""
        return [self.withdraw(account, quanta + 1), self.withdraw(account, quanta), commands.cancel_withdrawal(ids)]


def check_asked(rows: npt.NDArray[np.void], cases: int, names: tuple[str, ...], case: str) -> None:
    """Check that exactly what was asked for was available, each time; `names` say of what, in each case."""
    is_refused = (rows["kind"] == tw.EventKind.REJECTED) & (rows["open_lots"] == tw.CommandKind.REQUEST_WITHDRAWAL)
    answers = is_refused[is_refused | (rows["kind"] == tw.EventKind.WITHDRAWAL_REQUESTED)]
    assert len(answers) == 2 * cases * len(names), case
    for place, name in enumerate(names):
        asked = answers.reshape(cases, len(names), 2)[:, place]
        wrong = np.flatnonzero((asked != (True, False)).any(axis=1))
        assert not len(wrong), f"{case}: what is available {name} of case {wrong[0]}"


def ceiling(notional: Integers, ppm: Integers) -> Integers:
    """Return a fee rounded up, of a notional that times a million would not fit."""
    return notional // MILLION * ppm + -(-(notional % MILLION * ppm) // MILLION)


def bid_hold(notional: Integers, maker_ppm: Integers) -> Integers:
    """Return what a bid holds that rests, nothing of which has traded."""
    return notional + ceiling(notional, np.maximum(maker_ppm, 0))


def entry_hold(notional: Integers, taker_ppm: Integers, maker_ppm: Integers) -> Integers:
    """Return what a bid must be covered with at the rates that count; a rate that does not is 0."""
    taker, maker = np.maximum(taker_ppm, 0), np.maximum(maker_ppm, 0)
    return notional + ceiling(notional, np.maximum(taker, maker)) + ((taker > 0) & (maker > 0))


def in_turn(*steps: commands.Records) -> commands.Records:
    """Return the steps of each case one after the other, case by case; each step has the records of all cases."""
    return np.concatenate([step.reshape(len(step), -1) for step in steps], axis=1).reshape(-1)
