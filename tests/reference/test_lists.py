"""Order lists: one cancels another, one starts others."""

import pytest

from tests.reference.blotter import check

RICH = """
    deposit A2 quote 1000000
    deposit A2 base 1000
    deposit A3 base 1000
    deposit A4 quote 1000000
    deposit A5 base 1000
    deposit A5 quote 1000
"""
TRADED = (
    RICH
    + """
    sell O1 A5 1 @100
    buy O2 A4 1 @100
"""
)


def test_a_pair_holds_once_and_a_trade_cancels_the_other() -> None:
    check(
        TRADED
        + """
        oco A3: sell O3 5 @102, sell O4 5 stop=98  => L1; accepted; accepted at 1; waits for 98
        A3                                         => base 995+5
        buy O5 A4 2 @102   => accepted; O4 cancelled 5 (other_leg_executed); L1 done; 2@102 O3 closing taker
        A3                                         => base 995+3, quote 204+0
        cancel O3 A3                               => O3 cancelled 3
        """
    )


def test_a_pair_of_bids_holds_the_larger() -> None:
    check(
        TRADED
        + """
        fees 1000 500
        oco A2: buy O3 5 @98, buy O4 5 @110 stop=102  => L1; accepted; accepted; waits for 102
        A2                                            => quote 999448+552
        cancel O4 A2                                  => O4 cancelled 5; O3 cancelled 5 (list_closed); L1 done
        A2                                            => quote 1000000+0
        """
    )


def test_a_trigger_cancels_the_other() -> None:
    check(
        TRADED
        + """
        buy O3 A4 10 @97
        oco A3: sell O4 5 @102 post, sell O5 5 stop=98
        sell O6 A5 1 @97  => accepted; 1@97 O3 closing taker; O4 cancelled 5 (other_leg_executed); L1 done; """
        + """O5 fires at 98 by 97; 5@97 O3 closing taker
        """
    )


def test_a_fired_leg_loses_when_its_pair_trades_first() -> None:
    check(
        TRADED
        + """
        sell O3 A5 1 @98
        oco A3: sell O4 5 @102, sell O5 5 stop=98
        buy O6 A4 3 @102  => accepted; 1@98 O3 closing maker; O5 cancelled 5 (other_leg_executed); L1 done; """
        + """2@102 O4 closing taker
        """
    )


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        ("sell 5 @102, sell 4 stop=98", "legs_do_not_fit"),
        ("sell 5 @102, buy 5 stop=102", "legs_do_not_fit"),
        ("sell 5 @102, sell 5 take=103", "legs_do_not_fit"),
        ("sell 5 @102 ioc, sell 5 stop=98", "legs_do_not_fit"),
        ("sell 5 @99, sell 5 stop=98", "list_prices_out_of_order"),
        ("sell 5 @102, sell 5 stop=100", "would_trigger_at_once of leg 2"),
        ("sell 5000 @102, sell 5000 stop=98", "insufficient_funds of leg 1"),
        ("sell 5 @102 id=3, sell 5 stop=98 id=3", "duplicate_client_order_id of leg 2"),
    ],
)
def test_a_refused_pair_leaves_nothing(legs: str, reason: str) -> None:
    exchange = check(TRADED + f"oco A3: {legs} => {reason}")
    assert exchange.open_orders() == []
    assert exchange.venue.orders_accepted == 2


def test_a_pending_order_starts_when_the_working_one_is_filled() -> None:
    check(
        TRADED
        + """
        oto A2: buy O3 5 @99, sell O4 5 @103   => L1; accepted; accepted
        A2                                     => quote 999505+495, base 1000+0
        sell O5 A5 2 @99                       => accepted; 2@99 O3 closing taker
        sell O6 A5 3 @99                       => accepted; 3@99 O3 closing both; O4 starts at 103; L1 done
        A2                                     => quote 999505+0, base 1000+5
        """
    )


def test_a_pending_order_that_cannot_start_expires() -> None:
    check(
        TRADED
        + """
        oto A2: buy O3 5 @99, sell O4 5000 @103
        sell O5 A5 5 @99   => accepted; 5@99 O3 closing both; """
        + """O4 expired 5000 (refused_at_start: insufficient_funds); L1 done
        """
    )


def test_a_working_order_that_ends_otherwise_takes_the_pending_ones() -> None:
    check(
        TRADED
        + """
        otoco A2: buy O3 5 @99 ioc, sell O4 5 @103, sell O5 5 stop=95 => L1; accepted; accepted; accepted; """
        + """waits for 95; expired 5 (immediate_or_cancel); O4 cancelled 5 (list_closed); """
        + """O5 cancelled 5 (list_closed); L1 done
        oto A2: sell O6 5 @101 stp=expire_maker, buy O7 5 @90
        buy O8 A2 1 @101 stp=expire_maker => accepted; O7 cancelled 5 (list_closed); L2 done; """
        + """expire_maker 0/5@101 O6 closing maker
        """
    )


def test_a_pair_starts_after_what_fired_before_it() -> None:
    check(
        TRADED
        + """
        sell O3 A5 1 @200 stop=99
        otoco A2: buy O4 5 @99, sell O5 5 @103, sell O6 5 stop=95
        sell O7 A5 4 @99   => accepted; 4@99 O4 closing taker; O3 fires at 99
        sell O8 A5 1 @99   => accepted; 1@99 O4 closing both; O5 starts at 103; O6 starts at 1 waiting for 95
        A2                 => base 1000+5
        """
    )


def test_a_pair_that_meets_somebody_comes_in_alone() -> None:
    check(
        TRADED
        + """
        buy O3 A4 3 @102
        oco A3: sell O4 5 @101, sell O5 5 stop=98 => L1; accepted; accepted at 1; waits for 98; """
        + """O5 cancelled 5 (other_leg_executed); L1 done; 3@102 O3 closing maker
        A3                                        => base 995+2
        """
    )


def test_the_end_of_one_is_the_end_of_all() -> None:
    check(
        TRADED
        + """
        oco A3 id=7: sell O3 5 @102 until=50, sell O4 5 stop=98
        oco A3 id=7: sell 5 @102, sell 5 stop=98      => duplicate_list_id
        cancel-list L9 A3                             => unknown_order
        time 60
        oco A3 id=7: sell O5 5 @102, sell O6 5 stop=98 => O3 expired 5 (good_till_date); """
        + """O4 cancelled 5 (list_closed); L1 done; L2; accepted; accepted at 1; waits for 98
        amend O5 A3 3 @102                            => order_in_list
        replace O6 A3 by sell 3 @102                  => order_in_list
        oto A3: sell O7 5 @102, sell O8 5 @110
        cancel all A3                                 => O5 cancelled 5 (cancelled_all); """
        + """O6 cancelled 5 (list_closed); L2 done; O7 cancelled 5 (cancelled_all); """
        + """O8 cancelled 5 (list_closed); L3 done
        oto A3 id=name: sell O9 5 @102, sell O10 5 @110
        cancel-list A3 id=name                        => O9 cancelled 5; O10 cancelled 5; L4 done
        """
    )


def test_a_fixed_peg_finds_its_price_with_its_list_or_when_it_starts() -> None:
    check(
        TRADED
        + """
        sell O3 A5 5 @103
        buy O4 A4 5 @97
        oco A3: sell O5 5 @0 peg=primary levels=0, sell O6 5 stop=98    => L1; accepted; accepted at 1; waits for 98
        buy O7 A4 6 @103 => accepted; 5@103 O3 closing maker; O6 cancelled 5 (other_leg_executed); L1 done; """
        + """1@103 O5 closing taker
        oto A4: buy O8 4 @96, sell O9 4 @0 peg=primary levels=0         => L2; accepted; accepted
        sell O10 A5 9 @96  => accepted; 5@97 O4 closing maker; 4@96 O8 closing both; O9 starts at 103; L2 done
        oto A4: buy O11 4 @95, sell O12 4 @0 peg=primary levels=5       => L3; accepted; accepted
        sell O13 A5 4 @95  => accepted; 4@95 O11 closing both; """
        + """O12 expired 4 (refused_at_start: no_peg_reference); L3 done
        oto A4: buy 4 @0 peg=primary levels=5, sell 4 @110              => no_peg_reference of leg 1
        oto A4: buy 4 @95, sell 4 @110 peg=primary                      => legs_do_not_fit
        """
    )


def test_every_leg_counts() -> None:
    check(
        TRADED
        + """
        limits A3 open=2
        otoco A3: sell 5 @102, buy 5 @90, buy 5 stop=110   => open_order_limit_exceeded of leg 3
        limits A3 orders=2
        otoco A3: sell 5 @102, buy 5 @90, buy 5 stop=110   => order_rate_exceeded of leg 1
        """
    )
