"""States, auctions and breakers in words for people."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tradewright as tw
from tradewright import commands

SECOND_NS = 1_000_000_000


@pytest.fixture
def market(exchange: tw.Exchange) -> tw.Instrument:
    return exchange.list_spot("GOLD/USD", tick="0.5", lot=1, reference_price=100)


@pytest.fixture
def traders(exchange: tw.Exchange, market: tw.Instrument) -> tuple[tw.Account, tw.Account]:
    """Two accounts with money."""
    del market  # it lists the assets
    both = exchange.open_account("one"), exchange.open_account("two")
    for account in both:
        for asset in ("GOLD", "USD"):
            account.deposit(asset, 10_000)
    return both


def _state(market: tw.Instrument) -> tw.InstrumentState:
    return market.state


def _scheduled(market: tw.Instrument) -> tuple[tw.InstrumentState, tw.AuctionPhase, int] | None:
    return market.scheduled_state


def test_an_auction_gathers_and_trades(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    buyer, seller = traders
    assert (market.state, market.phase, market.indication) == (
        tw.InstrumentState.CONTINUOUS,
        tw.AuctionPhase.NONE,
        None,
    )
    market.set_state(tw.InstrumentState.AUCTION, tw.AuctionPhase.OPENING)
    bid = buyer.buy(market, quantity=3, price=102)
    ask = seller.sell(market, quantity=2, time_in_force=tw.TimeInForce.AT_OPENING)
    told = market.indication
    assert told is not None
    assert (told.price, told.quantity, told.surplus) == (Decimal(102), Decimal(2), Decimal(1))
    with pytest.raises(tw.InvalidOrder, match="ImmediateInCall"):
        buyer.buy(market, quantity=1, price=102, time_in_force=tw.TimeInForce.IOC)
    market.set_state(tw.InstrumentState.CONTINUOUS)
    assert bid.filled == ask.filled == 2
    assert ask.status is tw.OrderStatus.FILLED
    assert all(fill.is_maker for order in (bid, ask) for fill in order.fills)
    frame = exchange.events.to_arrow().to_pylist()
    (uncrossed,) = (row for row in frame if row["kind"] == "AuctionUncrossed")
    assert (uncrossed["price"], uncrossed["quantity"], uncrossed["instrument"]) == (102, 2, "GOLD/USD")
    assert (uncrossed["account"], uncrossed["amount"]) == (None, None)


def test_a_schedule_is_followed(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    buyer, _seller = traders
    day = buyer.buy(market, quantity=1, price=99, time_in_force=tw.TimeInForce.DAY)
    late = buyer.buy(market, quantity=1, price=99, time_in_force=tw.TimeInForce.GOOD_FOR_AUCTION)
    market.schedule_state(tw.InstrumentState.CLOSED, at_ns=5 * SECOND_NS, window_ns=SECOND_NS, draw=7)
    assert _scheduled(market) == (tw.InstrumentState.CLOSED, tw.AuctionPhase.NONE, 5 * SECOND_NS + 7)
    exchange.clock.advance(6)
    exchange.submit(commands.advance_time(exchange.clock.now_ns))
    assert _state(market) is tw.InstrumentState.CLOSED
    assert _scheduled(market) is None
    assert (day.close_reason, late.is_open) == (tw.CloseReason.DAY_ENDED, True)
    with pytest.raises(tw.MarketClosed, match="InstrumentClosed"):
        buyer.buy(market, quantity=1, price=99)
    market.set_state(tw.InstrumentState.EXPIRED)
    assert late.close_reason is tw.CloseReason.INSTRUMENT_EXPIRED
    with pytest.raises(tw.InvalidSetting, match="IllegalStateChange"):
        market.set_state(tw.InstrumentState.PRE_OPEN)


def test_a_schedule_can_be_taken_back(exchange: tw.Exchange, market: tw.Instrument) -> None:
    market.schedule_state(tw.InstrumentState.AUCTION, tw.AuctionPhase.CLOSING, at_ns=SECOND_NS)
    market.schedule_state(None)
    assert _scheduled(market) is None
    exchange.clock.advance(2)
    exchange.submit(commands.advance_time(exchange.clock.now_ns))
    with pytest.raises(tw.InvalidSetting, match="ScheduleNotInFuture"):
        market.schedule_state(tw.InstrumentState.CLOSED, at_ns=SECOND_NS)


def test_what_timers_do_is_not_what_an_order_came_to(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    buyer, seller = traders
    market.set_state(tw.InstrumentState.AUCTION, tw.AuctionPhase.INTRADAY)
    buyer.buy(market, quantity=3, price=102)
    seller.sell(market, quantity=2, price=99)
    market.schedule_state(tw.InstrumentState.CONTINUOUS, at_ns=SECOND_NS)
    exchange.clock.advance(2)
    # The auction trades before this order comes, in the same command.
    order = seller.sell(market, quantity=1, price=110)
    assert order.status is tw.OrderStatus.NEW
    assert order.filled == 0
    assert order.remaining == 1


def test_a_breaker_pauses_and_an_auction_follows(
    exchange: tw.Exchange, market: tw.Instrument, traders: tuple[tw.Account, tw.Account]
) -> None:
    buyer, seller = traders
    market.set_auction_terms(collar="0.1", extension_ns=SECOND_NS, extensions=1, call_ns=3 * SECOND_NS)
    market.set_breaker(
        settlement=100,
        share="0.05",
        velocity=3,
        velocity_slots=2,
        velocity_slot_ns=SECOND_NS,
        pause_ns=2 * SECOND_NS,
    )
    for price in (100, 102, 104):
        seller.sell(market, quantity=1, price=price)
    order = buyer.buy(market, quantity=3, price=105)
    assert (order.filled, order.remaining) == (Decimal(2), Decimal(1))
    assert _state(market) is tw.InstrumentState.PAUSED
    assert (market.state_until_ns, market.phase) == (2 * SECOND_NS, tw.AuctionPhase.VOLATILITY)
    with pytest.raises(tw.MarketClosed, match="InstrumentPaused"):
        buyer.buy(market, quantity=1, price=90)
    exchange.clock.advance(2)
    exchange.submit(commands.advance_time(exchange.clock.now_ns))
    assert (_state(market), market.is_halted) == (tw.InstrumentState.AUCTION, False)
    exchange.clock.advance(3)
    exchange.submit(commands.advance_time(exchange.clock.now_ns))
    assert order.filled == 3
    assert _state(market) is tw.InstrumentState.CONTINUOUS
    (trip,) = (row for row in exchange.events.to_arrow().to_pylist() if row["kind"] == "BreakerTripped")
    assert (trip["order_id"], trip["price"], trip["client_order_id"]) == (order.id, Decimal(104), None)


def test_the_whole_market_pauses(exchange: tw.Exchange, market: tw.Instrument) -> None:
    exchange.set_market_reference(4_000)
    exchange.set_market_level(3_800)
    assert _state(market) is tw.InstrumentState.CONTINUOUS
    exchange.set_market_level(3_480)
    assert _state(market) is tw.InstrumentState.PAUSED
    other = exchange.list_spot("SILVER/USD", tick="0.5", lot=1)
    assert _state(other) is tw.InstrumentState.PAUSED
    exchange.set_market_reference(None)
    market.set_state(tw.InstrumentState.CLOSED)
    market.set_state(tw.InstrumentState.PRE_OPEN)
    assert market.phase is tw.AuctionPhase.OPENING
