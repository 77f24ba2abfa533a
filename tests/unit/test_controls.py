"""Kill switches and restrictions in words for people."""

from __future__ import annotations

from pathlib import Path

import pytest

import tradewright as tw
from tradewright import commands


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    for name in ("alice", "bob"):
        account = exchange.open_account(name)
        account.deposit("GOLD", 100)
        account.deposit("USD", 100_000)
    return market


def test_a_kill_switch_of_an_account(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice = exchange.account("alice")
    order = alice.buy(market, quantity=1, price=99)
    alice.buy(market, quantity=1, price=98)
    assert alice.kill() == 2
    assert alice.is_killed
    assert not alice.is_halted
    assert (order.status, order.close_reason) == (tw.OrderStatus.CANCELLED, tw.CloseReason.KILL_SWITCH)
    with pytest.raises(tw.AccountSuspended, match="KillSwitchEngaged"):
        alice.sell(market, quantity=1, price=101)
    alice.withdraw("USD", 1)
    assert alice.kill() == 0
    alice.release()
    assert alice.view.is_killed is False
    assert alice.buy(market, quantity=1, price=99).is_open


def test_a_kill_switch_of_a_group(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice, bob = exchange.account("alice"), exchange.account("bob")
    alice.set_trade_group(7)
    alice.buy(market, quantity=1, price=99)
    bob.buy(market, quantity=1, price=99)
    assert exchange.kill(group=7) == 1
    assert (alice.is_killed, bob.is_killed) == (True, False)
    bob.set_trade_group(7)
    assert bob.open_orders() == []
    exchange.release(group=7)
    assert not bob.is_killed
    with pytest.raises(tw.InvalidSetting):
        exchange.kill(group=0)


def test_a_kill_switch_of_a_session(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice = exchange.account("alice")
    order = commands.place(account=alice.id, instrument=market.id, side=tw.Side.BUY, price_ticks=99, quantity_lots=1)
    exchange.submit(commands.by_session(order, 5))
    exchange.submit(commands.by_session(order, 6))
    alice.buy(market, quantity=1, price=98)
    assert [view.session for view in exchange.engine.open_orders()] == [5, 6, 0]
    assert exchange.kill(session=5) == 1
    (refused,) = exchange.submit(commands.by_session(order, 5))
    assert refused["reason"] == tw.RejectReason.SESSION_KILLED
    exchange.release(session=5)
    exchange.submit(commands.by_session(order, 5))
    assert exchange.end_session(5) == 1
    assert exchange.end_session(5) == 0
    assert len(alice.open_orders()) == 2
    assert not alice.is_killed
    for wrong in ({}, {"group": 1, "session": 1}, {"session": 2**32}):
        with pytest.raises(tw.ArgumentError):
            exchange.kill(**wrong)
    with pytest.raises(tw.InvalidSetting):
        exchange.end_session(0)


def test_restrictions(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice = exchange.account("alice")
    order = alice.buy(market, quantity=1, price=99)
    assert alice.restrict(market, tw.Restriction.SELL_ONLY) == 0
    assert order.is_open
    with pytest.raises(tw.AccountSuspended, match="AccountRestricted"):
        alice.buy("GOLD/USD", quantity=1, price=99)
    assert alice.sell(market, quantity=1, price=101).is_open
    assert alice.restrict("GOLD/USD", tw.Restriction.NO_TRADING, cancel_open=True) == 2
    assert order.close_reason is tw.CloseReason.RESTRICTED
    alice.restrict(market, tw.Restriction.NONE)
    assert alice.buy(market, quantity=1, price=99).is_open
    alice.set_trade_group(3)
    assert exchange.restrict("GOLD/USD", tw.Restriction.NO_TRADING, group=3, cancel_open=True) == 1


def test_a_restored_exchange_has_them(exchange: tw.Exchange, market: tw.Instrument, tmp_path: Path) -> None:
    exchange.account("alice").kill()
    exchange.account("bob").restrict(market, tw.Restriction.SELL_ONLY)
    twin = tw.Exchange.restore(exchange.snapshot(tmp_path / "venue"))
    assert twin.state_hash == exchange.state_hash
    assert twin.account("alice").is_killed
    with pytest.raises(tw.AccountSuspended):
        twin.account("bob").buy("GOLD/USD", quantity=1, price=99)
