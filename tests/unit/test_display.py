"""How orders show themselves, and how the book finds their price: icebergs, hidden orders, pegs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import tradewright as tw


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    return exchange.list_spot("GOLD/USD", tick=1, lot=1)


@pytest.fixture
def traders(exchange: tw.Exchange, market: tw.Instrument) -> tuple[tw.Account, tw.Account]:
    """Two accounts with money."""
    del market  # it lists the assets
    both = exchange.open_account("one"), exchange.open_account("two")
    for account in both:
        for asset in ("GOLD", "USD"):
            account.deposit(asset, 10_000)
    return both


def test_an_iceberg_shows_its_peak(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    seller, buyer = traders
    iceberg = seller.sell(market, quantity=10, price=100, peak_quantity=4)
    assert iceberg.displayed == 4
    assert iceberg.remaining == 10
    assert seller.balance("GOLD").used == 10
    buyer.buy(market, quantity=5, price=100)
    assert iceberg.displayed == 3
    assert iceberg.remaining == 5
    assert iceberg.status is tw.OrderStatus.PARTIALLY_FILLED
    buyer.buy(market, quantity=5, price=100)
    assert (iceberg.status, iceberg.displayed) == (tw.OrderStatus.FILLED, Decimal(0))
    frame = exchange.events.to_arrow()
    shown = [row for row in frame.to_pylist() if row["kind"] == "OrderRefreshed"]
    assert [(row["quantity"], row["open_quantity"]) for row in shown] == [(4, 10), (4, 6), (2, 2)]
    (display,) = (row for row in frame.to_pylist() if row["kind"] == "OrderDisplay")
    assert (display["quantity"], display["open_quantity"], display["price"], display["amount"]) == (4, 0, None, None)


def test_peaks_of_different_sizes(market: tw.Instrument, traders: tuple[tw.Account, tw.Account]) -> None:
    seller, _buyer = traders
    orders = [
        seller.sell(market, quantity=1_000, price=100, peak_quantity=10, peak_range=50, peak_seed=seed)
        for seed in range(5)
    ]
    assert all(10 <= order.displayed <= 60 for order in orders)
    assert len({order.displayed for order in orders}) > 1


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({"peak_quantity": 0}, "peak_quantity=0 must lie between 1"),
        ({"peak_quantity": 11}, "peak_quantity=11 refused, PeakAboveQuantity"),
        ({"peak_quantity": 4, "peak_range": 7}, "peak_quantity=4 refused, PeakAboveQuantity"),
        ({"peak_quantity": 4, "time_in_force": tw.TimeInForce.IOC}, "peak_quantity=4 refused, InvalidDisplay"),
        ({"peak_range": 4}, "peak_range=4 needs a peak_quantity"),
        ({"peak_quantity": 4, "peak_seed": 4}, "peak_seed=4 needs a peak_range"),
    ],
)
def test_what_cannot_be_shown_so(
    market: tw.Instrument, traders: tuple[tw.Account, tw.Account], conditions: dict[str, Any], text: str
) -> None:
    seller, _buyer = traders
    with pytest.raises(tw.TradewrightError, match=text):
        seller.sell(market, quantity=10, price=100, **conditions)
    assert seller.open_orders() == []


def test_a_hidden_order_is_on_no_book(market: tw.Instrument, traders: tuple[tw.Account, tw.Account]) -> None:
    seller, buyer = traders
    hidden = seller.sell(market, quantity=10, price=100, hidden=True)
    shown = seller.sell(market, quantity=10, price=100, hidden=False)
    assert (hidden.is_hidden, hidden.displayed, hidden.is_open) == (True, Decimal(0), True)
    assert (shown.is_hidden, shown.displayed) == (False, Decimal(10))
    assert [level.quantity for level in market.book().asks] == [10]
    buyer.buy(market, quantity=15, price=100)
    assert (shown.status, hidden.filled) == (tw.OrderStatus.FILLED, Decimal(5))
    with pytest.raises(tw.InvalidOrder, match="InvalidDisplay"):
        seller.sell(market, quantity=10, price=100, hidden=True, peak_quantity=2)


def test_pegs_find_their_price(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    one, two = traders
    one.buy(market, quantity=5, price=98)
    best = one.buy(market, quantity=5, price=99)
    fixed = two.buy(market, quantity=1, peg=tw.PegKind.PRIMARY, peg_levels=1)
    following = two.buy(market, quantity=1, price=101, peg=tw.PegKind.PRIMARY)
    away = two.buy(market, quantity=1, price=101, peg=tw.PegKind.PRIMARY, peg_offset=3)
    assert [order.price for order in (fixed, following, away)] == [98, 99, 96]
    assert two.balance("USD").used == 98 + 101 + 101
    one.buy(market, quantity=1, price=100)
    assert [order.price for order in (fixed, following, away)] == [98, 100, 97]
    one.cancel_all()
    assert not best.is_open
    assert following.price == 98, "the fixed one is an order like any other"
    with pytest.raises(tw.InvalidOrder, match="refused, NoPegReference"):
        two.sell(market, quantity=1, peg=tw.PegKind.PRIMARY, peg_levels=0)
    waiting = two.sell(market, quantity=1, price=90, peg=tw.PegKind.PRIMARY)
    assert (waiting.is_open, waiting.displayed, waiting.price) == (True, Decimal(0), Decimal(90))
    kinds = exchange.events.to_arrow().column("kind").to_pylist()
    assert kinds.count("OrderRepriced") == 6
    exchange.check_invariants()


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({"peg_offset": 1}, "peg_offset=1 needs a peg"),
        ({"peg": tw.PegKind.MARKET, "peg_offset": 1, "peg_levels": 1}, "peg_offset=1 excludes peg_levels"),
        ({"peg": tw.PegKind.MIDPOINT, "peg_levels": 1}, "refused, InvalidDisplay"),
        ({"peg": tw.PegKind.MIDPOINT, "time_in_force": tw.TimeInForce.IOC}, "refused, InvalidDisplay"),
    ],
)
def test_pegs_that_cannot_be(
    market: tw.Instrument, traders: tuple[tw.Account, tw.Account], conditions: dict[str, Any], text: str
) -> None:
    with pytest.raises(tw.TradewrightError, match=text):
        traders[0].buy(market, quantity=10, **conditions)
