"""Replacements in two halves, and amendments of orders that wait or get another client order id."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tradewright as tw


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    """A market whose last trade was at 100."""
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    maker = exchange.open_account("maker")
    for asset in ("GOLD", "USD"):
        maker.deposit(asset, 100_000)
    maker.sell(market, quantity=1, price=100)
    maker.buy(market, quantity=1, price=100, self_trade_prevention=tw.SelfTradePrevention.NONE)
    return market


@pytest.fixture
def trader(exchange: tw.Exchange, market: tw.Instrument) -> tw.Account:
    """An account with little money."""
    del market  # it lists the assets
    trader = exchange.open_account("trader")
    trader.deposit("USD", 1_000)
    return trader


def test_halves_that_do_not_fail(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    new = old.replace(quantity=6, price=91, allow_failure=True)
    assert (old.close_reason, new.status, new.quantity) == (tw.CloseReason.REPLACED, tw.OrderStatus.NEW, Decimal(6))


def test_the_cancel_fails_alone(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    old.cancel()
    with pytest.raises(tw.ReplacementFailed, match="UnknownOrder") as failed:
        old.replace(quantity=5, price=91, allow_failure=True)
    assert isinstance(failed.value.cancel, tw.OrderNotFound)
    assert failed.value.refusal is None
    assert failed.value.order is not None
    assert failed.value.order.is_open
    assert trader.open_orders() == [failed.value.order]


def test_the_new_order_fails_alone(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    with pytest.raises(tw.ReplacementFailed, match="quantity=50 refused, InsufficientFunds") as failed:
        old.replace(quantity=50, price=90, allow_failure=True)
    assert isinstance(failed.value.refusal, tw.InsufficientFunds)
    assert (failed.value.cancel, failed.value.order) == (None, None)
    assert old.close_reason is tw.CloseReason.NOT_REPLACED
    assert trader.balance("USD").available == 1_000


def test_both_halves_fail(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    old.cancel()
    with pytest.raises(tw.ReplacementFailed) as failed:
        old.replace(quantity=50, price=90, allow_failure=True)
    assert isinstance(failed.value.cancel, tw.OrderNotFound)
    assert isinstance(failed.value.refusal, tw.InsufficientFunds)


def test_a_command_that_is_refused_whole(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    with pytest.raises(tw.InvalidOrder, match="QuantityNotPositive"):
        old.replace(quantity=0, price=90, allow_failure=True)
    with pytest.raises(tw.InvalidOrder, match="OrderNotPartiallyFilled"):
        old.replace(quantity=1, price=90, restriction=tw.OrderStatus.PARTIALLY_FILLED)
    with pytest.raises(tw.ArgumentError, match="restriction="):
        old.replace(quantity=1, price=90, restriction=tw.OrderStatus.FILLED)
    assert old.is_open
    assert old.replace(quantity=1, price=90, restriction=tw.OrderStatus.NEW).is_open


def test_one_order_too_many_may_still_cancel(market: tw.Instrument, trader: tw.Account) -> None:
    old = trader.buy(market, quantity=5, price=90)
    trader.set_limits(orders_per_second=0)
    with pytest.raises(tw.RateLimitExceeded):
        old.replace(quantity=5, price=90)
    with pytest.raises(tw.ReplacementFailed) as failed:
        old.replace(quantity=5, price=90, cancel_only=True)
    assert isinstance(failed.value.refusal, tw.RateLimitExceeded)
    assert old.status is tw.OrderStatus.CANCELLED


def test_a_waiting_order_is_amended(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    stop = trader.buy(market, quantity=2, price=110, stop_loss_price=105)
    stop.amend(price=111, quantity=3)
    assert (stop.price, stop.quantity, stop.trigger_price) == (Decimal(111), Decimal(3), Decimal(105))
    assert trader.balance("USD").held == 333
    stop.amend(trigger_price=107, client_order_id="later")
    assert (stop.trigger_price, stop.client_order_id) == (Decimal(107), "later")
    stop.amend(client_order_id=8)
    assert stop.client_order_id == 8
    with pytest.raises(tw.OrderImmediatelyFillable, match="stop_loss_price=100 refused, WouldTriggerAtOnce"):
        stop.amend(trigger_price=100)
    at_market = trader.buy(market, quantity=1, trailing_amount=10)
    at_market.amend(quantity=2)
    at_market.amend(trigger_price=108)
    assert (at_market.quantity, at_market.trigger_price) == (Decimal(2), Decimal(108))
    resting = trader.buy(market, quantity=1, price=90)
    with pytest.raises(tw.InvalidOrder, match="OrderNotAmendable"):
        resting.amend(trigger_price=95)
    exchange.check_invariants()


def test_engine_outcomes_tell_both_halves(market: tw.Instrument, trader: tw.Account, exchange: tw.Exchange) -> None:
    order = tw.commands.place(account=trader.id, instrument=market.id, side=0, price_ticks=50, quantity_lots=1)
    command = tw.commands.replace(99, order, flags=tw.OrderFlags.ALLOW_FAILURE)
    outcome = exchange.engine.execute(command)
    assert (outcome.is_accepted, outcome.cancel_reason) == (True, tw.RejectReason.UNKNOWN_ORDER)
    order["quantity_lots"] = 10**6
    command = tw.commands.replace(outcome.order_id, order, flags=tw.OrderFlags.ALLOW_FAILURE)
    outcome = exchange.engine.execute(command)
    assert (outcome.is_accepted, outcome.reason) == (False, tw.RejectReason.INSUFFICIENT_FUNDS)
    assert outcome.has_cancelled
