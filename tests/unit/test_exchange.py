"""The calm surface, told as a blotter. The plugin of the package gives the fixtures `exchange` and `virtual_clock`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

import tradewright as tw


@pytest.fixture
def btc(exchange: tw.Exchange) -> tw.Instrument:
    return exchange.list_spot("BTC/USDT", tick="0.01", lot="0.00001", fees=tw.Fees(taker="0.001", maker="0.0002"))


@pytest.fixture
def alice(exchange: tw.Exchange, btc: tw.Instrument) -> tw.Account:
    account = exchange.open_account("alice")
    account.deposit(btc.quote.name, "100_000")
    return account


@pytest.fixture
def bob(exchange: tw.Exchange, btc: tw.Instrument) -> tw.Account:
    account = exchange.open_account("bob")
    account.deposit(btc.base.name, 2)
    return account


def check_balance(account: tw.Account, asset: str, available: str, held: str = "0") -> None:
    balance = account.balances[asset]
    assert (balance.available, balance.held) == (Decimal(available), Decimal(held)), f"{account} {balance}"


def check_order(order: tw.Order, status: tw.OrderStatus, filled: str, remaining: str) -> None:
    assert (order.status, order.filled, order.remaining) == (status, Decimal(filled), Decimal(remaining)), order


def test_a_day_at_the_market(
    exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account, bob: tw.Account, virtual_clock: tw.VirtualClock
) -> None:
    ask = bob.sell(btc, quantity="0.5", price="64_000")
    check_order(ask, tw.OrderStatus.NEW, "0", "0.5")
    check_balance(bob, "BTC", "1.5", held="0.5")

    virtual_clock.advance(1)
    bid = alice.buy(btc, quantity="0.2", price="64_100")
    check_order(bid, tw.OrderStatus.FILLED, "0.2", "0")
    assert (bid.average_price, bid.cost, bid.fee) == (Decimal(64_000), Decimal(12_800), Decimal("12.8"))
    check_balance(alice, "BTC", "0.2")
    check_balance(alice, "USDT", "87187.2")
    check_balance(bob, "USDT", "12797.44")
    check_balance(exchange.account("fees"), "USDT", "15.36")

    (fill,) = ask.fills
    assert (fill.is_maker, fill.side, fill.fee, fill.time_ns) == (True, tw.Side.SELL, Decimal("2.56"), 10**9)
    check_order(ask, tw.OrderStatus.PARTIALLY_FILLED, "0.2", "0.3")
    assert bob.open_orders() == [ask]

    market = alice.buy(btc, quote_amount="1_000")
    check_order(market, tw.OrderStatus.FILLED, "0.0156", "0")
    ask.amend(quantity="0.4")
    check_order(ask, tw.OrderStatus.PARTIALLY_FILLED, "0.2156", "0.1844")
    ask.cancel()
    check_order(ask, tw.OrderStatus.CANCELLED, "0.2156", "0")
    check_balance(bob, "BTC", "1.7844")
    assert [trade.price for trade in btc.trades()] == [Decimal(64_000)] * 2


def test_market_orders_need_a_reference_and_stay_within_the_band(
    btc: tw.Instrument, alice: tw.Account, bob: tw.Account
) -> None:
    bob.sell(btc, quantity=1, price=64_000)
    with pytest.raises(tw.InvalidOrder, match="NoReferencePrice"):
        alice.buy(btc, quantity="0.1")
    btc.set_reference_price(40_000)
    order = alice.buy(btc, quantity="0.1")
    check_order(order, tw.OrderStatus.EXPIRED, "0", "0")
    assert (order.close_reason, order.price) == (tw.CloseReason.NO_LIQUIDITY, Decimal(60_000))
    with pytest.raises(tw.InvalidOrder, match=r"price=61000 refused, PriceOutsideBand"):
        alice.buy(btc, quantity="0.1", price=61_000)
    btc.set_reference_price(None)
    assert btc.reference_price is None


def test_books_are_shown_three_ways(btc: tw.Instrument, alice: tw.Account, bob: tw.Account) -> None:
    first = alice.buy(btc, quantity="0.1", price="99.5")
    second = alice.buy(btc, quantity="0.2", price="99.5")
    bob.sell(btc, quantity=1, price="100.25")
    assert (btc.best_bid, btc.best_ask, btc.last_price) == (Decimal("99.5"), Decimal("100.25"), None)
    book = btc.book(depth=5)
    assert [(level.price, level.quantity, level.orders) for level in book.bids] == [
        (Decimal("99.5"), Decimal("0.3"), 2)
    ]
    assert str(book).splitlines()[0] == "BTC/USDT"
    assert [each.order_id for each in btc.orders(tw.Side.BUY)] == [first.id, second.id]
    assert {each.account for each in btc.orders()} == {"alice", "bob"}


def test_orders_that_do_not_rest(btc: tw.Instrument, alice: tw.Account, bob: tw.Account) -> None:
    bob.sell(btc, quantity=1, price=100)
    killed = alice.buy(btc, quantity=2, price=100, time_in_force=tw.TimeInForce.FOK)
    check_order(killed, tw.OrderStatus.EXPIRED, "0", "0")
    part = alice.buy(btc, quantity=2, price=100, time_in_force=tw.TimeInForce.IOC)
    check_order(part, tw.OrderStatus.EXPIRED, "1", "0")
    alice.buy(btc, quantity="0.1", price=98)
    with pytest.raises(tw.OrderImmediatelyFillable, match=r"price=90 refused, PostOnlyWouldTrade"):
        bob.sell(btc, quantity="0.1", price=90, post_only=True)


def test_self_trade_prevention_takes_what_is_left(btc: tw.Instrument, bob: tw.Account) -> None:
    bob.deposit("USDT", 1_000)
    ask = bob.sell(btc, quantity=1, price=100)
    bid = bob.buy(btc, quantity=1, price=100)
    assert (bid.status, bid.prevented, ask.status) == (tw.OrderStatus.PREVENTED, Decimal(1), tw.OrderStatus.NEW)
    bid = bob.buy(btc, quantity=2, price=100, self_trade_prevention=tw.SelfTradePrevention.EXPIRE_MAKER)
    assert (ask.status, ask.prevented, bid.status) == (tw.OrderStatus.PREVENTED, Decimal(1), tw.OrderStatus.NEW)


def test_replace_is_all_or_nothing(btc: tw.Instrument, alice: tw.Account) -> None:
    old = alice.buy(btc, quantity=1, price=100)
    with pytest.raises(tw.InsufficientFunds):
        alice.replace(old, quantity=1, price=200_000)
    assert old.is_open
    new = alice.replace(old, quantity=2, price=101)
    assert (old.status, old.close_reason) == (tw.OrderStatus.CANCELLED, tw.CloseReason.REPLACED)
    check_order(new, tw.OrderStatus.NEW, "0", "2")
    assert alice.cancel_all() == 1
    assert alice.cancel_all(btc, side=tw.Side.SELL) == 0
    with pytest.raises(tw.OrderNotFound):
        alice.replace(old, quantity=1, price=100)


def test_client_order_ids_are_numbers_or_text(exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account) -> None:
    by_text = alice.buy(btc, quantity=1, price=100, client_order_id="first-order")
    by_number = alice.buy(btc, quantity=1, price=100, client_order_id=17)
    with pytest.raises(tw.DuplicateOrderId, match="client_order_id='17'"):
        alice.buy(btc, quantity=1, price=100, client_order_id="17")
    frame = exchange.events.to_polars()
    assert frame["client_order_id"].drop_nulls().to_list() == ["first-order", "17"]
    alice.cancel("first-order")
    alice.cancel("17")
    assert {by_text.status, by_number.status} == {tw.OrderStatus.CANCELLED}
    with pytest.raises(tw.InvalidOrder, match="InvalidClientOrderId"):
        alice.buy(btc, quantity=1, price=100, client_order_id="x" * 37)


def test_money_goes_to_another_shard_and_comes_from_one(exchange: tw.Exchange, alice: tw.Account) -> None:
    transfer = alice.send_transfer("USDT", 40_000, to_shard=1)
    assert (transfer.number, transfer.to_shard, transfer.amount) == (1, 1, Decimal(40_000))
    check_balance(alice, "USDT", "60000")
    alice.send_transfer("USDT", "0.5", to_shard=255)
    assert [(each.to_shard, each.number) for each in alice.transfers_in_transit()] == [(1, 1), (255, 1)]
    transfer.confirm()
    with pytest.raises(tw.InvalidTransfer, match=r"number=1 refused, UnknownTransfer"):
        transfer.confirm()
    alice.receive_transfer("USDT", 7, from_shard=1, number=1)
    check_balance(alice, "USDT", "60006.5")
    with pytest.raises(tw.InvalidTransfer, match=r"number=1 refused, TransferAlreadyReceived"):
        alice.receive_transfer("USDT", 7, from_shard=1, number=1)
    with pytest.raises(tw.InvalidTransfer, match="TransferGap"):
        alice.receive_transfer("USDT", 7, from_shard=1, number=3)
    with pytest.raises(tw.InvalidTransfer, match=r"to_shard=0 refused, SameShard"):
        alice.send_transfer("USDT", 1, to_shard=0)
    with pytest.raises(tw.InsufficientFunds, match=r"amount=100000 refused"):
        alice.send_transfer("USDT", 100_000, to_shard=1)
    with pytest.raises(tw.ArgumentError, match="to_shard"):
        alice.send_transfer("USDT", 1, to_shard=256)
    frame = exchange.events.to_polars()
    amounts = [row["amount"] for row in frame.iter_rows(named=True) if row["kind"] == "TransferSent"]
    assert amounts == [Decimal(40_000), Decimal("0.5")]
    check_balance(alice, "USDT", "60006.5")


def test_money_comes_moves_and_leaves(exchange: tw.Exchange, alice: tw.Account, bob: tw.Account) -> None:
    withdrawal = alice.withdraw("USDT", 40_000)
    check_balance(alice, "USDT", "60000", held="40000")
    assert [each.id for each in alice.withdrawals()] == [withdrawal.id]
    withdrawal.confirm()
    check_balance(alice, "USDT", "60000")
    with pytest.raises(tw.InvalidTransfer, match="UnknownWithdrawal"):
        withdrawal.cancel()
    alice.withdraw("USDT", 1).cancel()
    alice.transfer("USDT", "0.00000001", to=bob)
    check_balance(bob, "USDT", "0.00000001")
    with pytest.raises(tw.InsufficientFunds, match=r"amount=70000 refused"):
        alice.transfer("USDT", 70_000, to=bob)
    with pytest.raises(tw.InvalidTransfer, match="AccountKindsForbidden"):
        alice.transfer("USDT", 1, to=exchange.account("insurance"))


def test_limits_halts_and_permissions(
    exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account, virtual_clock: tw.VirtualClock
) -> None:
    alice.set_limits(open_orders=1, orders_per_second=2)
    order = alice.buy(btc, quantity=1, price=100)
    with pytest.raises(tw.LimitExceeded, match="OpenOrderLimitExceeded"):
        alice.buy(btc, quantity=1, price=100)
    with pytest.raises(tw.RateLimitExceeded):
        alice.buy(btc, quantity=1, price=100)
    virtual_clock.advance(timedelta(seconds=1))
    exchange.halt()
    with pytest.raises(tw.MarketClosed, match="VenueHalted"):
        order.amend(price=101)
    order.cancel()
    exchange.resume()
    btc.halt()
    assert btc.is_halted
    with pytest.raises(tw.MarketClosed, match=r"instrument='BTC/USDT' refused, InstrumentHalted"):
        alice.buy(btc, quantity=1, price=100)
    btc.resume()
    alice.halt()
    with pytest.raises(tw.AccountSuspended):
        alice.buy(btc, quantity=1, price=100)
    alice.resume()
    alice.set_permissions(tw.Permissions.WITHDRAW)
    virtual_clock.advance(1)
    with pytest.raises(tw.PermissionDenied):
        alice.buy(btc, quantity=1, price=100)
    alice.set_permissions(tw.Permissions.TRADE)
    alice.set_position_limit(btc, "0.5")
    with pytest.raises(tw.LimitExceeded, match="PositionLimitExceeded"):
        alice.buy(btc, quantity=1, price=100)


def test_instrument_limits(btc: tw.Instrument, alice: tw.Account) -> None:
    btc.set_limits(min_quantity="0.01", max_quantity=5, min_notional=10)
    assert (btc.limits.min_quantity, btc.limits.band_up) == (Decimal("0.01"), Decimal("0.5"))
    for quantity, price, reason in (
        ("0.001", 100_000, "QuantityBelowMinimum"),
        (6, 1, "QuantityAboveMaximum"),
        (1, "9.99", "NotionalBelowMinimum"),
    ):
        with pytest.raises(tw.InvalidOrder, match=reason):
            alice.buy(btc, quantity=quantity, price=price)
    btc.set_reference_price(100)
    with pytest.raises(tw.InvalidOrder, match="quote_amount=0 refused, AmountNotPositive"):
        alice.buy(btc, quote_amount=0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"quantity": 0.5, "price": 100}, "quantity=0.5 must be a Decimal, str or int: a float is not exact"),
        ({"quantity": 1, "price": 100.0}, "price=100.0 must be a Decimal, str or int: a float is not exact"),
        ({"quantity": 1, "price": "1.001"}, "price='1.001' must be a whole multiple of the tick 0.01"),
        ({"quantity": "0.000001"}, "quantity='0.000001' must be a whole multiple of the lot 0.00001"),
        ({"quantity": "much"}, "quantity='much' must be a decimal number"),
        ({"quantity": "NaN"}, "quantity='NaN' must be finite"),
        ({"quantity": True}, "quantity=True must be a Decimal, str or int: a float is not exact"),
        ({"quantity": -1}, "quantity=-1 must lie between 0 and 18446744073709551615 units"),
        ({}, "quantity=None or quote_amount must be given, and not both"),
        ({"quote_amount": 5, "price": 5}, "quote_amount=5 is for market orders, without a price"),
        ({"quantity": 1, "client_order_id": 0}, "client_order_id=0 must be a text or lie between 1 and 2^64 - 1"),
    ],
)
def test_bad_arguments_are_named(
    exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account, arguments: dict[str, object], text: str
) -> None:
    before = exchange.state_hash
    with pytest.raises(tw.ArgumentError) as raised:
        alice.buy(btc, **arguments)  # type: ignore[arg-type]  # what is refused at run time too
    assert str(raised.value) == text
    assert exchange.state_hash == before


def test_names_that_nobody_knows(exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account) -> None:
    with pytest.raises(tw.ArgumentError, match="instrument='ETH/USDT' is unknown; there are: BTC/USDT"):
        alice.buy("ETH/USDT", quantity=1, price=1)
    with pytest.raises(tw.ArgumentError, match="asset='ETH' is unknown; there are: BTC, USDT"):
        alice.deposit("ETH", 1)
    with pytest.raises(tw.ArgumentError, match="name='carol' is unknown"):
        exchange.account("carol")
    assert alice.buy(btc.name, quantity=1, price=1).is_open


def test_listings_whose_units_do_not_fit_are_refused(exchange: tw.Exchange) -> None:
    exchange.add_asset("USD", scale=2)
    with pytest.raises(tw.ArgumentError, match=r"tick='0.01' times lot=0.1 must be a whole number of the smallest"):
        exchange.list_spot("GOLD/USD", tick="0.01", lot="0.1")
    assert list(exchange.assets) == ["USD"], "nothing is left of it"
    fine = exchange.list_spot("FINE/DUST", tick="0.0000000001", lot="0.0000000001")
    assert (fine.tick, fine.quote.scale) == (Decimal("1E-10"), 20)
    with pytest.raises(tw.InvalidSetting, match=r"name='FINE/DUST' refused, NameTaken"):
        exchange.list_spot("FINE/DUST", tick="0.1", lot="0.1")
    with pytest.raises(tw.InvalidSetting, match="FeeScheduleNegative"):
        exchange.list_spot("A/USD", tick="0.01", lot=1, fees=tw.Fees(taker="0.0001", maker="-0.0002"))
    with pytest.raises(tw.ArgumentError, match="name='BTCUSDT' must be BASE/QUOTE"):
        exchange.list_spot("BTCUSDT", tick="0.01", lot=1)


def test_time_only_goes_forward(virtual_clock: tw.VirtualClock) -> None:
    virtual_clock.advance(Decimal("0.5"), ns=5)
    assert virtual_clock.now_ns == 500_000_005
    assert virtual_clock.now.isoformat() == "1970-01-01T00:00:00.500000+00:00"
    with pytest.raises(tw.ArgumentError, match="seconds=-1 must not take the time back"):
        virtual_clock.advance(-1)
    with pytest.raises(tw.ArgumentError, match="a float is not exact"):
        virtual_clock.advance(0.5)  # type: ignore[arg-type]  # as above
    with pytest.raises(tw.ArgumentError, match="time_ns=5 must not lie before now"):
        virtual_clock.set(5)


def test_a_closed_exchange_can_be_read_but_takes_no_more_commands() -> None:
    with tw.Exchange(seed=3) as exchange:
        exchange.open_account("alice")
        first = exchange.random.random()
    assert "accounts=3" in repr(exchange)
    assert tw.Exchange(seed=3).random.random() == first
    with pytest.raises(tw.ConfigError, match="closed"):
        exchange.open_account("bob")


def test_events_as_arrays_and_frames(
    exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account, bob: tw.Account
) -> None:
    bob.sell(btc, quantity="0.5", price=64_000)
    alice.buy(btc, quantity="0.2", price=64_000)
    trades = exchange.events.of_kind(tw.EventKind.TRADE)
    assert (len(trades), int(trades.array["quantity_lots"][0])) == (1, 20_000)
    (row,) = trades.to_polars().to_dicts()
    assert row["kind"] == "Trade"
    assert (row["instrument"], row["account"], row["counter_account"], row["side"]) == (
        "BTC/USDT",
        "alice",
        "bob",
        "BUY",
    )
    assert (row["price"], row["quantity"], row["amount"]) == (Decimal(64_000), Decimal("0.2"), Decimal("12.8"))
    table = exchange.events.to_arrow()
    assert table.num_rows == len(exchange.events) == sum(1 for _ in exchange.events)
    assert "Trade=1" in repr(exchange.events)
    drained = exchange.drain_events()
    assert (len(drained), len(exchange.events)) == (table.num_rows, 0)


def test_amounts_beyond_128_bits_of_decimal_are_text(exchange: tw.Exchange) -> None:
    exchange.add_asset("DUST", scale=0)
    exchange.add_asset("FINE", scale=30)
    alice = exchange.open_account("alice")
    alice.deposit("DUST", 10**20)
    alice.deposit("FINE", "0.000000000000000000000000000001")
    frame = exchange.events.of_kind(tw.EventKind.DEPOSITED).to_polars()
    assert [Decimal(text) for text in frame["amount"]] == [Decimal(10**20), Decimal("1E-30")]


def test_an_order_whose_events_are_gone_says_so(exchange: tw.Exchange, btc: tw.Instrument, alice: tw.Account) -> None:
    order = alice.buy(btc, quantity=1, price=100)
    exchange.drain_events()
    with pytest.raises(tw.ConfigError, match=f"order {order.id}: events"):
        _ = order.status
