"""States, auctions and breakers on the reference exchange, by blotters."""

from __future__ import annotations

import pytest

from tests.reference.blotter import check
from tests.reference.codes import Phase, State
from tests.reference.records import limits_record
from tests.reference.test_auction import ASX_ASKS, ASX_BIDS, MARKETGRID_ASKS, MARKETGRID_BIDS

FUNDS = """
    deposit A2 quote 100000
    deposit A3 base 1000
    deposit A4 quote 100000
    deposit A5 base 1000
"""
TRADED = (
    FUNDS
    + """
    sell O1 A3 1 @10            => accepted
    buy O2 A2 1 @10             => accepted; 1@10 O1 closing both
"""
)
BAND = limits_record(band_down_ppm=500_000, band_up_ppm=500_000)


@pytest.mark.parametrize(
    ("bids", "asks", "told"),
    [
        (ASX_BIDS, ASX_ASKS, "1000@639 +500"),
        ([(101, 50), (100, 30), (99, 20)], [(99, 40), (100, 30), (102, 50)], "70@100 +10"),
        (MARKETGRID_BIDS, MARKETGRID_ASKS, "290@12400 +190"),
    ],
)
def test_the_printed_vectors(bids: list[tuple[int, int]], asks: list[tuple[int, int]], told: str) -> None:
    lines = ["deposit A2 quote 100000000", "deposit A3 base 100000", "state auction opening"]
    orders = [("buy", "A2", *bid) for bid in bids] + [("sell", "A3", *ask) for ask in asks]
    lines += [f"{side} O{n} {who} {lots} @{price}" for n, (side, who, price, lots) in enumerate(orders, 1)]
    exchange = check("\n".join([*lines, "state continuous"]))
    instrument = exchange.venue.instruments[0]
    left = sum(order.open_lots for order in instrument.book.bids)
    traded = sum(lots for _, lots in bids) - left
    assert told.startswith(f"{traded}@{instrument.last_price_ticks} ")


def test_orders_gather_and_trade_at_one_price() -> None:
    check(
        TRADED
        + """
        state pre_open              => setting_applied; pre_open
        buy O3 A2 5 @12             => accepted
        sell O4 A3 2 @9             => accepted
        buy A2 1 @12 ioc            => immediate_in_call
        state auction opening       => setting_applied; auction; would trade 2@12 +3
        sell O5 A5 2 @11            => accepted; would trade 4@12 +1
        cancel O5 A5                => O5 cancelled 2; would trade 2@12 +3
        state continuous            => setting_applied; 2@12 O3 with O4 closing maker; uncrossed 2@12 +3; continuous
        A2                          => quote 99930+36, base 3+0
        A3                          => quote 34+0
        """
    )


def test_market_orders_trade_first_and_at_the_reference_when_they_are_alone() -> None:
    check(
        TRADED
        + """
        buy O3 A2 3 auction         => accepted at 15
        A2                          => quote 99945+45
        state auction intraday      => setting_applied; auction
        sell O4 A3 5 auction        => accepted at 5; would trade 3@10 -2
        state continuous            => setting_applied; 3@10 O3 with O4 closing taker; uncrossed 3@10 -2; \
O4 expired 2 (auction_ended); continuous
        A2                          => quote 99960+0
        """,
        limits=BAND,
    )


def test_both_pay_as_makers_and_no_rebate_is_paid() -> None:
    check(
        FUNDS
        + """
        fees 5000 1000
        fees 5000 -500 tier=1
        tier A3 1
        state auction intraday
        buy O1 A2 700 @100          => accepted
        A2                          => quote 29930+70070
        sell O2 A3 300 @90          => accepted; would trade 300@100 +400
        state continuous            => setting_applied; 300@100 O1 with O2 fees 30/0 closing maker; \
uncrossed 300@100 +400; continuous
        A2                          => quote 29930+40040
        A3                          => quote 30000+0
        """
    )


def test_an_order_that_the_end_of_an_auction_fires_may_expire_at_once() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @6 take=8 until=70      => accepted; waits for 8
        state auction intraday
        sell O4 A3 2 @7
        buy O5 A4 2 @7
        state continuous at=60
        # What the auction brought to the market expires behind it: its own time has come as well.
        wait 100            => 2@7 O5 with O4 closing both; uncrossed 2@7 +0; continuous; \
O3 fires at 8 by 7; O3 expired 1 (good_till_date)
        A2                  => quote 99990+0
        """
    )


def test_each_auction_takes_its_own_orders() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @12 opening     => accepted
        buy O4 A2 2 @12 close       => accepted
        buy O5 A2 4 @12 auction     => accepted
        sell O6 A3 1 @9             => accepted
        state auction closing       => setting_applied; auction; would trade 1@12 +5
        state closed                => setting_applied; 1@12 O4 with O6 closing maker; uncrossed 1@12 +5; \
O4 expired 1 (auction_ended); O5 expired 4 (auction_ended); closed
        buy A2 1 @9                 => instrument_closed
        state pre_open              => setting_applied; pre_open
        amend O3 A2 2 @12           => amended open 2
        """
    )


def test_a_price_outside_the_collar_extends_the_call() -> None:
    check(
        TRADED
        + """
        terms collar=200000 extension=50 extensions=1 call=1000
        state auction intraday      => setting_applied; auction
        state continuous at=100     => setting_applied
        buy O3 A2 3 @14             => accepted
        sell O4 A3 2 @13            => accepted
        wait 100                    => auction until 150
        wait 150                    => uncrossed 0@0 +0; O4 expired 2 (outside_collar); continuous
        """
    )


def test_schedules_wait_until_they_are_legal() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @9 day          => accepted
        halt instrument 0           => setting_applied; halted
        state pre_open at=50        => setting_applied
        state closed at=60          => setting_applied
        wait 60                     => closed; O3 expired 1 (day_ended)
        state continuous at=70 window=10 draw=25 => setting_applied
        wait 80                     =>
        state pre_open              => setting_applied; pre_open
        wait 81                     => uncrossed 0@0 +0; continuous
        """
    )


def test_a_breaker_stops_an_order_and_an_auction_finds_the_price() -> None:
    check(
        FUNDS
        + """
        sell O1 A3 1 @100
        buy O2 A2 1 @100            => accepted; 1@100 O1 closing both
        sell O3 A3 2 @103
        sell O4 A3 2 @106
        terms call=50
        breaker ticks=5 slots=10 slot=10 pause=100
        buy O5 A2 3 @107 fok        => accepted; expired 3 (fill_or_kill)
        buy O6 A2 5 @107            => accepted; 2@103 O3 closing maker; tripped at 106; paused until 100
        buy A4 1 @90                => instrument_paused
        wait 100                    => auction until 150; would trade 2@107 +1
        wait 150                    => 2@107 O6 with O4 closing maker; uncrossed 2@107 +1; continuous
        """
    )


def test_the_whole_market_pauses() -> None:
    check(
        TRADED
        + """
        close 4000
        level 3721                  => setting_applied
        level 3720                  => setting_applied; level 1; paused until 900000000000; paused until 900000000000
        state auction intraday      => illegal_state_change
        state closed                => setting_applied; closed
        state pre_open              => illegal_state_change
        close 0
        state pre_open              => setting_applied; pre_open
        """
    )


def test_icebergs_take_part_with_all_that_they_have() -> None:
    check(
        TRADED
        + """
        sell O3 A3 10 @11 peak=2    => accepted; O3 shows 2 of 10
        state auction intraday      => setting_applied; auction
        buy O4 A2 7 @11             => accepted; would trade 7@11 -3
        state continuous            => setting_applied; 7@11 O4 with O3 closing taker; uncrossed 7@11 -3; \
continuous; O3 shows 2 of 3
        """
    )


def test_hidden_orders_take_part_behind_what_is_displayed() -> None:
    check(
        TRADED
        + """
        sell O3 A3 2 @11 hidden     => accepted
        sell O4 A3 2 @11            => accepted
        state auction intraday      => setting_applied; auction
        buy O5 A2 3 @12 hidden      => accepted; would trade 3@11 -1
        state continuous            => setting_applied; 2@11 O5 with O4 closing maker; \
1@11 O5 with O3 closing taker; uncrossed 3@11 -1; continuous
        """
    )


def test_codes_are_those_of_the_rulebook() -> None:
    assert [state.value for state in State] == list(range(8))
    assert [phase.value for phase in Phase] == list(range(5))
