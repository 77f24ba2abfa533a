"""Lists of orders in words for people: OCO, OTO, OTOCO."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tradewright as tw
from tradewright import commands

SELL, BUY = tw.Side.SELL, tw.Side.BUY


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    """A market whose last trade was at 100, with ten lots each at 103 and 97."""
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    maker = exchange.open_account("maker")
    for asset in ("GOLD", "USD"):
        maker.deposit(asset, 100_000)
    maker.sell(market, quantity=1, price=100)
    maker.buy(market, quantity=1, price=100, self_trade_prevention=tw.SelfTradePrevention.NONE)
    maker.sell(market, quantity=10, price=103)
    maker.buy(market, quantity=10, price=97)
    return market


@pytest.fixture
def trader(exchange: tw.Exchange, market: tw.Instrument) -> tw.Account:
    """An account with money."""
    del market  # it lists the assets
    trader = exchange.open_account("trader")
    for asset in ("GOLD", "USD"):
        trader.deposit(asset, 10_000)
    return trader


def pair(quantity: int = 5) -> tuple[tw.Leg, tw.Leg]:
    return tw.Leg(side=SELL, quantity=quantity, price=102), tw.Leg(side=SELL, quantity=quantity, stop_loss_price=98)


def test_one_cancels_the_other(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    oco = trader.oco(market, *pair(), client_list_id="exit")
    limit, stop = oco.orders
    assert (oco.status, oco.is_open, oco.contingency) == (tw.ListStatus.EXECUTING, True, tw.Contingency.OCO)
    assert (limit.status, stop.status, stop.trigger_price) == (tw.OrderStatus.NEW, tw.OrderStatus.NEW, Decimal(98))
    assert limit.list_id == stop.list_id == oco.id
    assert trader.balance("GOLD").used == 5, "they hold once"
    assert "OCO EXECUTING" in repr(oco)
    buyer = exchange.account("maker").buy(market, quantity=2, price=102)
    assert (buyer.status, buyer.filled, limit.filled) == (tw.OrderStatus.FILLED, Decimal(2), Decimal(2))
    assert (stop.status, stop.close_reason) == (tw.OrderStatus.CANCELLED, tw.CloseReason.OTHER_LEG_EXECUTED)
    assert exchange.engine.order_list(oco.id) is None
    assert limit.is_open
    with pytest.raises(tw.OrderNotFound):
        oco.cancel()


def test_one_triggers_a_pair(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    maker = exchange.account("maker")
    bracket = trader.otoco(market, tw.Leg(side=BUY, quantity=5, price=99, client_order_id="entry"), *pair())
    entry, target, stop = bracket.orders
    assert (entry.status, entry.client_order_id) == (tw.OrderStatus.NEW, "entry")
    assert (target.status, target.is_open, target.is_pending) == (tw.OrderStatus.PENDING_NEW, True, True)
    assert stop.status is tw.OrderStatus.PENDING_NEW
    assert trader.balance("GOLD").used == 0
    maker.sell(market, quantity=5, price=99)
    assert (entry.status, target.status, target.is_pending) == (tw.OrderStatus.FILLED, tw.OrderStatus.NEW, False)
    assert stop.trigger_price == 98
    assert [order.id for order in trader.order_lists()[0].orders] == [target.id, stop.id]
    maker.sell(market, quantity=1, price=97, self_trade_prevention=tw.SelfTradePrevention.NONE)
    assert (stop.status, stop.filled) == (tw.OrderStatus.FILLED, Decimal(5))
    assert (target.status, bracket.is_open, trader.order_lists()) == (tw.OrderStatus.CANCELLED, False, [])


def test_one_triggers_another(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    filled = trader.oto(market, tw.Leg(side=BUY, quantity=5, price=103), tw.Leg(side=SELL, quantity=5))
    assert [order.status for order in filled.orders] == [tw.OrderStatus.FILLED] * 2
    waits = trader.oto(market, tw.Leg(side=BUY, quantity=5, price=99), tw.Leg(side=SELL, quantity=99_999, price=110))
    exchange.account("maker").sell(market, quantity=5, price=99)
    pending = waits.orders[1]
    assert (pending.status, pending.close_reason) == (tw.OrderStatus.EXPIRED, tw.CloseReason.REFUSED_AT_START)
    dated = tw.Leg(side=BUY, quantity=1, price=90, expire_time_ns=exchange.clock.now_ns + 5)
    timed = trader.oto(market, dated, tw.Leg(side=SELL, quantity=1, price=110), client_list_id=7)
    exchange.clock.advance(ns=10)
    assert trader.cancel_all() == 0, "what a timer took along does not count"
    assert [order.status for order in timed.orders] == [tw.OrderStatus.EXPIRED, tw.OrderStatus.CANCELLED]


def test_cancels(market: tw.Instrument, trader: tw.Account) -> None:
    first, second = trader.oco(market, *pair(), client_list_id="a"), trader.oco(market, *pair(), client_list_id=17)
    trader.cancel_list("a")
    trader.cancel_list("17")
    third = trader.oco(market, *pair())
    trader.cancel_list(third.id)
    fourth = trader.oco(market, *pair())
    fourth.orders[0].cancel()
    fifth = trader.oco(market, *pair())
    assert trader.cancel_all() == 2
    lists = (first, second, third, fourth, fifth)
    assert [each.is_open for each in lists] == [False] * 5
    assert fourth.orders[1].close_reason is tw.CloseReason.LIST_CLOSED
    assert trader.balance("GOLD").used == 0


def test_a_fixed_peg_finds_its_price_when_it_starts(
    exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account
) -> None:
    pegged = tw.Leg(side=SELL, quantity=5, peg=tw.PegKind.PRIMARY, peg_levels=0)
    entry, target = trader.oto(market, tw.Leg(side=BUY, quantity=5, price=98), pegged).orders
    assert (target.status, target.price) == (tw.OrderStatus.PENDING_NEW, Decimal(0))
    exchange.account("maker").sell(market, quantity=5, price=98)
    assert (entry.status, target.status, target.price) == (tw.OrderStatus.FILLED, tw.OrderStatus.NEW, Decimal(103))
    with pytest.raises(tw.InvalidOrder, match="LegsDoNotFit"):
        trader.oto(market, tw.Leg(side=BUY, quantity=5, price=98), tw.Leg(side=SELL, quantity=5, peg=tw.PegKind.MARKET))


def test_a_refusal_names_the_order_that_it_is_about(market: tw.Instrument, trader: tw.Account) -> None:
    limit, stop = pair()
    with pytest.raises(tw.OrderImmediatelyFillable, match="stop_loss_price=101 refused, WouldTriggerAtOnce"):
        trader.oco(market, limit, tw.Leg(side=SELL, quantity=5, stop_loss_price=101))
    with pytest.raises(tw.InvalidOrder, match="LegsDoNotFit"):
        trader.oco(market, stop, limit)
    trader.oco(market, *pair(), client_list_id="taken")
    with pytest.raises(tw.DuplicateOrderId, match="client_list_id='taken' refused, DuplicateListId"):
        trader.oco(market, *pair(), client_list_id="taken")
    with pytest.raises(tw.InvalidOrder, match="OrderInList"):
        trader.order_lists()[0].orders[0].amend(price=104)
    with pytest.raises(tw.ArgumentError, match="client_order_id"):
        trader.oco(market, *pair(), client_list_id=-1)


def test_a_list_lives_in_a_snapshot(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    bracket = trader.otoco(market, tw.Leg(side=BUY, quantity=5, price=99), *pair(), client_list_id="b")
    core = tw.Engine.restore(exchange.engine.snapshot())
    assert core.state_hash == exchange.state_hash
    view = core.order_list(bracket.id)
    assert view is not None
    assert (view.client_list_id, view.order_ids) == ("b", [order.id for order in bracket.orders])
    assert core.order_list(99) is None


def test_lists_in_a_batch_and_in_frames(exchange: tw.Exchange, market: tw.Instrument, trader: tw.Account) -> None:
    legs = [
        commands.place(account=trader.id, instrument=market.id, side=BUY, price_ticks=103, quantity_lots=1),
        commands.place(account=trader.id, instrument=market.id, side=SELL, price_ticks=110, quantity_lots=1),
    ]
    events = exchange.submit(commands.place_list(tw.Contingency.OTO, legs, client_list_id="batch"))
    frame = events.to_polars()
    assert frame["kind"].to_list() == [
        "ListAccepted",
        "ClientListIdText",
        "OrderAccepted",
        "OrderAccepted",
        "Trade",
        "ListUpdated",
        "ListDone",
    ]
    assert frame["price"].to_list()[-2] == 110
    assert frame["quantity"].to_list()[0] is None
    assert frame["client_order_id"].to_list()[1] == "batch"
    assert set(frame["instrument"].to_list()) == {"GOLD/USD"}
