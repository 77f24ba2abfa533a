"""Conditions in words for people: triggers, trails, expiry, minimum quantity."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import tradewright as tw


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    """A market whose last trade was at 100, with ten lots each at 101 to 103 and 99 to 97."""
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    maker = exchange.open_account("maker")
    for asset in ("GOLD", "USD"):
        maker.deposit(asset, 100_000)
    maker.sell(market, quantity=1, price=100)
    maker.buy(market, quantity=1, price=100, self_trade_prevention=tw.SelfTradePrevention.NONE)
    for price in (101, 102, 103):
        maker.sell(market, quantity=10, price=price)
    for price in (99, 98, 97):
        maker.buy(market, quantity=10, price=price)
    assert market.last_price == 100
    return market


@pytest.fixture
def trader(exchange: tw.Exchange, market: tw.Instrument) -> tw.Account:
    """An account with money."""
    del market  # it lists the assets
    trader = exchange.open_account("trader")
    for asset in ("GOLD", "USD"):
        trader.deposit(asset, 10_000)
    return trader


def test_a_stop_loss_waits_and_fires(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    stop = trader.buy(market, quantity=5, price=103, stop_loss_price=102)
    assert (stop.is_waiting, stop.is_open, stop.trigger_price) == (True, True, Decimal(102))
    assert "@ 103 from 102" in repr(stop)
    assert trader.balance("USD").used == 515
    assert trader.open_orders() == [stop]
    assert market.orders(tw.Side.BUY)[0].price == 99, "it stands on no book"
    taker = trader.buy(market, quantity=11, price=102, self_trade_prevention=tw.SelfTradePrevention.NONE)
    assert (taker.status, taker.filled) == (tw.OrderStatus.FILLED, Decimal(11))
    assert (stop.status, stop.filled, stop.is_waiting) == (tw.OrderStatus.FILLED, Decimal(5), False)
    exchange.check_invariants()


def test_trails_and_sources(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    trailing = trader.sell(market, quantity=2, trailing_amount=5)
    assert trailing.trigger_price == 95
    by_mark = trader.sell(market, quantity=1, stop_loss_price=90, trigger_source=tw.PriceSource.MARK)
    with pytest.raises(tw.InvalidOrder, match="trailing_bps=100 refused, NoTriggerReference"):
        trader.sell(market, quantity=1, trailing_bps=100, trigger_source=tw.PriceSource.INDEX)
    market.set_index_price(1_000)
    by_index = trader.sell(market, quantity=1, trailing_bps=100, trigger_source=tw.PriceSource.INDEX)
    assert by_index.trigger_price == 990
    market.set_index_price(2_000)
    assert (by_index.trigger_price, market.index_price, market.mark_price) == (Decimal(1_980), Decimal(2_000), None)
    market.set_mark_price(89)
    assert (by_mark.status, market.mark_price) == (tw.OrderStatus.FILLED, Decimal(89))
    assert trailing.trigger_price == 95, "the last trade was below the price it started from"
    exchange.check_invariants()


def test_a_date_and_a_minimum(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    dated = trader.buy(market, quantity=1, price=90, expire_time_ns=10**9, client_order_id="tea")
    assert dated.time_in_force is tw.TimeInForce.GTD
    moved = trader.replace(dated, quantity=2, price=91, expire_time_ns=2 * 10**9)
    exchange.clock.advance(seconds=2)
    assert (dated.status, moved.status) == (tw.OrderStatus.CANCELLED, tw.OrderStatus.EXPIRED)
    assert moved.close_reason is tw.CloseReason.GOOD_TILL_DATE
    late = trader.buy(market, quantity=1, price=90, expire_time_ns=3 * 10**9)
    exchange.clock.advance(seconds=1)
    assert trader.cancel_all() == 0
    assert late.status is tw.OrderStatus.EXPIRED
    few = trader.buy(market, quantity=20, price=101, time_in_force=tw.TimeInForce.IOC, min_quantity=11)
    assert (few.status, few.filled, few.close_reason) == (
        tw.OrderStatus.EXPIRED,
        Decimal(0),
        tw.CloseReason.MINIMUM_QUANTITY,
    )
    assert trader.balance("USD").used == 0


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({"stop_loss_price": "101.5"}, "stop_loss_price='101.5' must be a whole multiple of the tick 1"),
        ({"stop_loss_price": 105, "take_profit_price": 90}, "take_profit_price=90 excludes stop_loss_price"),
        ({"stop_loss_price": 0, "trailing_amount": 1}, "stop_loss_price=0 must lie between 1"),
        ({"trigger_source": tw.PriceSource.MARK}, "trigger_source=.* needs a trigger or a trail"),
        ({"stop_loss_price": 105, "trigger_source": 7}, "trigger_source=7 must"),
        ({"trailing_amount": 1, "trailing_bps": 1}, "trailing_bps=1 excludes trailing_amount"),
        ({"trailing_amount": 0}, "trailing_amount=0 must lie between 1 and"),
        ({"trailing_bps": 10_000}, "trailing_bps=10000 must"),
        ({"stop_loss_price": 99}, "stop_loss_price=99 refused, WouldTriggerAtOnce"),
        ({"stop_loss_price": 0}, "stop_loss_price=0 refused, TriggerPriceNotPositive"),
        ({"take_profit_price": 90, "trailing_amount": 1}, "take_profit_price=90 excludes trailing_amount"),
        ({"min_quantity": 1}, "InvalidCombination"),
        ({"expire_time_ns": -1}, "expire_time_ns=-1 must"),
    ],
)
def test_conditions_that_cannot_be(
    market: tw.Instrument, trader: tw.Account, conditions: dict[str, Any], text: str
) -> None:
    with pytest.raises(tw.TradewrightError, match=text):
        trader.buy(market, quantity=1, price=105, **conditions)
    assert trader.open_orders() == []


def test_none_is_no_condition(market: tw.Instrument, trader: tw.Account) -> None:
    order = trader.buy(market, quantity=1, price=90, stop_loss_price=None, expire_time_ns=None)  # type: ignore[arg-type]  # as wrappers do
    assert (order.status, order.is_waiting, order.time_in_force) == (tw.OrderStatus.NEW, False, tw.TimeInForce.GTC)
    with pytest.raises(tw.ArgumentError, match="client_order_id=0 must"):
        trader.buy(market, quantity=1, price=90, stop_loss_price=103, client_order_id=0)
    with pytest.raises(tw.ArgumentError, match="price=-1 must lie between 1"):
        market.set_mark_price(-1)


def test_an_outcome_tells_what_a_cascade_did_to_its_order(
    exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account
) -> None:
    stop = trader.sell(market, quantity=5, price=101, stop_loss_price=99)
    assert stop.is_waiting
    maker = exchange.account("maker")
    maker.cancel_all()
    maker.sell(market, quantity=3, price=99, self_trade_prevention=tw.SelfTradePrevention.NONE)
    buyer = exchange.open_account("buyer")
    buyer.deposit("USD", 10_000)
    outcome = exchange.engine.place(buyer.id, market.id, tw.Side.BUY, 101, 10)
    assert (outcome.filled_lots, outcome.open_lots, outcome.fill_count) == (8, 2, 2)
    view = exchange.engine.order(outcome.order_id)
    assert view is not None
    assert view.open_lots == 2
    assert stop.status is tw.OrderStatus.FILLED
