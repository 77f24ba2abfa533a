"""Quotes, mass quotes and their protection in words for people."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import tradewright as tw


@pytest.fixture
def markets(exchange: tw.Exchange) -> list[tw.Instrument]:
    markets = [exchange.list_spot(name, tick="0.1", lot="0.01") for name in ("GOLD/USD", "IRON/USD")]
    for name in ("maker", "alice"):
        account = exchange.open_account(name)
        for asset in ("GOLD", "IRON", "USD"):
            account.deposit(asset, 10_000)
    return markets


def test_a_quote_has_both_sides(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    maker, gold = exchange.account("maker"), markets[0]
    quote = maker.quote(gold, bid=("99.5", 2), ask=("100.5", "1.5"))
    assert quote.bid is not None
    assert quote.ask is not None
    assert (quote.instrument, quote.bid.price, quote.ask.quantity) == (gold, Decimal("99.5"), Decimal("1.5"))
    assert quote.bid.is_quote
    assert maker.quotes() == [quote]
    exchange.account("alice").sell(gold, quantity=1, price="99.5")
    assert quote.bid.filled == 1
    again = maker.quote("GOLD/USD", bid=("99.5", 1), ask=("100.4", "1.5"))
    assert again.bid is quote.bid
    assert quote.ask.close_reason is tw.CloseReason.QUOTE_REPLACED
    assert not quote.ask.is_quote
    bid = again.bid
    assert maker.quote(gold, ask=("100.4", 1)).bid is None
    assert bid is not None
    assert not bid.is_open
    assert maker.cancel_quotes() == 1
    assert maker.cancel_quotes(gold) == 0
    assert maker.quotes() == []
    exchange.check_invariants()


def test_a_quote_that_trades_at_once_is_known(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    maker, gold = exchange.account("maker"), markets[0]
    exchange.account("alice").sell(gold, quantity=1, price=100)
    quote = maker.quote(gold, bid=(100, 1), ask=(101, 1))
    assert quote.bid is not None
    assert (quote.bid.status, str(quote.bid.average_price)) == (tw.OrderStatus.FILLED, "100.0")
    exchange.account("alice").buy(gold, quantity=1, price=100)
    with pytest.raises(tw.OrderImmediatelyFillable):
        maker.quote(gold, bid=(99, 1), ask=(100, 1), post_only=True)


def test_a_mass_quote_is_whole_or_nothing(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    maker, (gold, iron) = exchange.account("maker"), markets
    first, second = maker.mass_quote({gold: ((99, 1), (101, 1)), "IRON/USD": (None, (50, 2))})
    assert (first.instrument, second.instrument, second.bid) == (gold, iron, None)
    with pytest.raises(tw.InsufficientFunds):
        maker.mass_quote({gold: ((98, 1), (101, 1)), iron: ((49, 1_000), None)})
    assert first.bid is not None
    assert first.bid.is_open
    with pytest.raises(tw.InvalidOrder, match="QuoteCrossesItself"):
        maker.quote(gold, bid=(99, 1), ask=(99, 1))
    with pytest.raises(tw.ArgumentError, match="instrument"):
        maker.mass_quote({})
    with pytest.raises(tw.ArgumentError):
        maker.quote(gold, bid=("99.05", 1))
    assert len(maker.quotes()) == 2


def test_a_quote_is_cancelled_or_replaced_but_not_amended(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    maker, gold = exchange.account("maker"), markets[0]
    quote = maker.quote(gold, bid=(99, 1), ask=(101, 1))
    assert quote.bid is not None
    assert quote.ask is not None
    with pytest.raises(tw.InvalidOrder, match="OrderNotAmendable"):
        quote.bid.amend(quantity="0.5")
    order = quote.bid.replace(quantity=1, price=98)
    assert not order.is_quote
    quote.ask.cancel()
    assert maker.quotes() == []
    assert maker.open_orders() == [order]


def test_protection(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    maker, alice, (gold, iron) = exchange.account("maker"), exchange.account("alice"), markets
    assert maker.quote_protection() is None
    maker.set_quote_protection(gold, max_quantity="1.5", window_ns=10**9)
    maker.set_quote_protection(max_quantity=200, max_fills=5, window_ns=10**9)
    terms = maker.quote_protection(gold)
    assert terms == tw.QuoteProtection(max_quantity=Decimal("1.5"), max_fills=None, window_ns=10**9, is_triggered=False)
    maker.mass_quote({gold: ((99, 2), (101, 2)), iron: ((49, 2), (51, 2))})
    order = alice.sell(gold, quantity="1.6", price=99)
    # Its outcome is its own, not that of the quotes that went with it.
    assert order.status is tw.OrderStatus.FILLED
    assert [quote.instrument for quote in maker.quotes()] == [iron]
    with pytest.raises(tw.AccountSuspended, match="QuoteProtectionTriggered"):
        maker.quote(gold, bid=(98, 1))
    maker.reset_quote_protection(gold)
    maker.quote(gold, bid=(98, 1))
    alice.buy(iron, quantity="0.4", price=51)
    everything = maker.quote_protection()
    assert everything is not None
    assert everything.max_quantity == 200
    assert (everything.max_fills, everything.is_triggered) == (5, True)
    assert maker.quotes() == []
    told = exchange.events.of_kind(tw.EventKind.QUOTE_PROTECTION_TRIGGERED).to_polars()
    assert told["instrument"].to_list() == ["GOLD/USD", None]
    maker.set_quote_protection()
    assert maker.quote_protection() is None
    assert maker.quote(gold, bid=(98, 1)).bid is not None


def test_frames_tell_of_quotes(exchange: tw.Exchange, markets: list[tw.Instrument]) -> None:
    quote = exchange.account("maker").quote(markets[0], bid=(99, 1), ask=(101, 2))
    assert quote.bid is not None
    assert quote.ask is not None
    (row,) = exchange.events.of_kind(tw.EventKind.QUOTE_ACCEPTED).to_polars().to_dicts()
    assert (row["instrument"], row["account"]) == ("GOLD/USD", "maker")
    assert (row["order_id"], row["counter_order_id"]) == (quote.bid.id, quote.ask.id)
    assert (row["price"], row["quantity"], row["open_quantity"]) == (99, 1, 2)


def test_a_restored_exchange_has_them(exchange: tw.Exchange, markets: list[tw.Instrument], tmp_path: Path) -> None:
    maker = exchange.account("maker")
    maker.set_quote_protection(max_fills=2, window_ns=10**9)
    maker.quote(markets[0], bid=(99, 1), ask=(101, 2))
    twin = tw.Exchange.restore(exchange.snapshot(tmp_path / "venue"))
    assert twin.state_hash == exchange.state_hash
    (quote,) = twin.account("maker").quotes()
    assert quote.ask is not None
    assert quote.ask.remaining == 2
    assert twin.account("maker").quote_protection() == maker.quote_protection()
