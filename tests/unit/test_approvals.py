"""Approvals in words for people."""

from __future__ import annotations

from pathlib import Path

import pytest

import tradewright as tw
from tradewright import commands


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    """A market where orders above 1,000 need one approver and above 2,000 two; `carol` and `dan` may approve."""
    market = exchange.list_spot("GOLD/USD", tick="0.01", lot="0.001")
    for name in ("alice", "bob", "carol", "dan"):
        account = exchange.open_account(name)
        account.deposit("GOLD", 100)
        account.deposit("USD", 100_000)
    for name in ("carol", "dan"):
        exchange.account(name).set_permissions(tw.Permissions.APPROVE)
    market.set_approval_bands(1_000, 2_000, expiry_ns=60_000_000_000)
    return market


def test_an_order_waits_for_its_approvers(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice, bob, carol, dan = (exchange.account(name) for name in ("alice", "bob", "carol", "dan"))
    order = alice.buy(market, quantity=30, price=100)
    assert (order.status, order.approvers_needed, order.approvers) == (tw.OrderStatus.NEW, 2, ())
    assert market.best_bid is None
    assert alice.balance("USD").held == 3_000
    with pytest.raises(tw.InvalidOrder, match="OrderWaitsForApproval"):
        order.amend(quantity=31)
    with pytest.raises(tw.PermissionDenied, match="by='bob' refused, ApproverNotPermitted"):
        order.approve(by=bob)
    with pytest.raises(tw.InvalidApproval, match="ApproverNotIndependent"):
        order.approve(by=alice)
    order.approve(by=carol)
    assert order.approvers == ("carol",)
    with pytest.raises(tw.InvalidApproval, match="AlreadyApproved"):
        order.approve(by=carol)
    order.approve(by=dan)
    assert order.approval_hash is None
    assert order.approvers_needed == 0
    assert market.ticker.bid == 100
    fill = bob.sell(market, quantity=1, price=100)
    assert fill.status is tw.OrderStatus.FILLED
    with pytest.raises(tw.InvalidApproval, match="OrderNeedsNoApproval"):
        order.approve(by=carol)
    with pytest.raises(tw.InvalidOrder, match="AmendmentNeedsApproval"):
        order.amend(price=101)


def test_an_order_is_declined_or_runs_out_of_time(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice, carol = exchange.account("alice"), exchange.account("carol")
    order = alice.buy(market, quantity=11, price=100)
    order.decline(by=carol)
    assert (order.status, order.close_reason) == (tw.OrderStatus.CANCELLED, tw.CloseReason.DECLINED)
    late = alice.buy(market, quantity=11, price=100)
    exchange.clock.advance(60)
    other = alice.buy(market, quantity=1, price=90)
    assert (late.status, late.close_reason) == (tw.OrderStatus.EXPIRED, tw.CloseReason.APPROVAL_EXPIRED)
    assert other.is_open
    assert alice.balance("USD").held == 90


def test_orders_for_the_day_go_with_it(exchange: tw.Exchange, market: tw.Instrument) -> None:
    alice, carol = exchange.account("alice"), exchange.account("carol")
    waits, rests = (
        alice.buy(market, quantity=11, price=price, time_in_force=tw.TimeInForce.DAY) for price in (100, 99)
    )
    market.set_approval_bands()
    rests.approve(by=carol)
    rests.approve(by=exchange.account("dan"))
    market.set_state(tw.InstrumentState.CLOSED)
    for order in (waits, rests):
        assert (order.status, order.close_reason) == (tw.OrderStatus.EXPIRED, tw.CloseReason.DAY_ENDED)
    assert alice.balance("USD").held == 0


def test_bands_of_an_account(exchange: tw.Exchange, market: tw.Instrument) -> None:
    bob = exchange.account("bob")
    bob.set_approval_bands(0, 0, 50 * 10**8, expiry_ns=1)
    order = bob.sell(market, quantity=1, price=100)
    assert order.approvers_needed == 3
    order.cancel()
    bob.set_approval_bands()
    assert bob.sell(market, quantity=1, price=100).approvers_needed == 0
    with pytest.raises(tw.ArgumentError, match="3 at most"):
        bob.set_approval_bands(1, 2, 3, 4, expiry_ns=1)
    with pytest.raises(tw.InvalidSetting):
        market.set_approval_bands(2, 1, expiry_ns=1)
    market.set_reference_price(100)
    with pytest.raises(tw.InvalidOrder, match="OrderNotApprovable"):
        exchange.account("alice").buy(market, quote_amount=1_001)


def test_a_hash_is_computed_from_what_was_sent(exchange: tw.Exchange, market: tw.Instrument) -> None:
    records = commands.place(
        account=exchange.account("alice").id,
        instrument=market.id,
        side=tw.Side.BUY,
        price_ticks=10_000,
        quantity_lots=11_000,
        time_in_force=tw.TimeInForce.GTD,
    )
    records = commands.with_text_id(records, "my-order")
    records = commands.with_conditions(records, expire_time_ns=10**12)
    events = exchange.submit(records)
    row = events.of_kind(tw.EventKind.APPROVAL_REQUIRED).array[0]
    order = exchange.order(int(row["order_id"]))
    assert order is not None
    digest = commands.approval_hash(order.id, records)
    assert order.approval_hash == digest
    assert row.tobytes()[88:120] == digest
    frame = events.to_polars()
    assert frame["kind"].to_list()[-1] == "ApprovalRequired"
    assert frame["amount"].to_list()[-1] is None


def test_a_restored_exchange_goes_on_waiting(exchange: tw.Exchange, market: tw.Instrument, tmp_path: Path) -> None:
    order = exchange.account("alice").buy(market, quantity=30, price=100)
    order.approve(by=exchange.account("carol"))
    twin = tw.Exchange.restore(exchange.snapshot(tmp_path / "venue"))
    assert twin.state_hash == exchange.state_hash
    known = twin.order(order.id)
    assert known is not None
    assert (known.approvers_needed, known.approvers) == (2, ("carol",))
    known.approve(by=twin.account("dan"))
    assert twin.instrument("GOLD/USD").best_bid == 100
