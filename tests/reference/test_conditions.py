"""Section 6: triggers, trails, the line of those that fired, expiry by date, minimum quantity."""

from collections.abc import Callable

import pytest

from tests.reference import records
from tests.reference.blotter import Blotter, check
from tests.reference.codes import EventKind, PriceSource, Side, TimeInForce, TriggerKind
from tests.reference.exchange import Exchange
from tests.reference.reject import RejectReason as Reason

RICH = """
    deposit A2 quote 1000000
    deposit A2 base 1000
    deposit A3 base 1000
    deposit A4 quote 1000000
    deposit A5 base 1000
"""
TRADED = (
    RICH
    + """
    sell O1 A5 1 @100
    buy O2 A4 1 @100
"""
)
BAND = records.limits_record(band_down_ppm=100_000, band_up_ppm=100_000)


# Triggers.


def test_which_way_a_trigger_goes() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @1 stop=105      => accepted; waits for 105
        sell O4 A3 1 @900 take=105   => accepted; waits for 105
        sell O5 A3 1 @900 stop=95    => accepted; waits for 95
        buy O6 A2 1 @1 take=95       => accepted; waits for 95
        sell O7 A5 1 @104
        buy O8 A4 1 @104             => accepted; 1@104 O7 closing both
        sell O9 A5 1 @105
        buy O10 A4 1 @105            => accepted; 1@105 O9 closing both; O3 fires at 105; O4 fires at 105
        buy O11 A4 1 @94
        sell O12 A5 1 @94            => accepted; 1@94 O11 closing both; O5 fires at 95 by 94; O6 fires at 95 by 94
        A2                           => quote 999998+2
        """
    )


@pytest.mark.parametrize("order", ["buy A2 1 @1 stop=100", "buy A2 1 @1 take=100"])
@pytest.mark.parametrize("word", ["buy", "sell"])
def test_a_price_that_is_there_already_is_refused(order: str, word: str) -> None:
    line = order.replace("buy", word)
    check(TRADED + f"{line} => would_trigger_at_once")
    # Another source has no price yet: nothing is there.
    check(TRADED + f"{line} O3 of=mark => accepted; waits for 100")


def test_each_source_has_its_own_triggers() -> None:
    check(
        RICH
        + """
        reference 500                        # Is none of the three.
        buy O1 A2 1 @1 stop=105 of=index     => accepted; waits for 105
        buy O2 A2 1 @1 stop=105 of=mark      => accepted; waits for 105
        buy O3 A2 1 @1 stop=105              => accepted; waits for 105
        mark 104                             => setting_applied
        mark 105                             => setting_applied; O2 fires at 105
        index 200                            => setting_applied; O1 fires at 105 by 200
        buy A2 1 @1 stop=200 of=index        => would_trigger_at_once
        sell O4 A3 1 @105
        buy O5 A4 1 @105                     => accepted; 1@105 O4 closing both; O3 fires at 105
        """
    )


def test_nearest_first_then_the_longest_there() -> None:
    check(
        RICH
        + """
        mark 100
        buy O1 A2 1 @1 stop=103 of=mark
        sell O2 A3 1 @900 take=102 of=mark
        buy O3 A2 1 @1 stop=102 of=mark
        buy O4 A2 1 @1 stop=101 of=mark
        sell O5 A3 1 @900 stop=97 of=mark
        buy O6 A2 1 @1 take=98 of=mark
        sell O7 A3 1 @900 stop=98 of=mark
        mark 110    => setting_applied; O4 fires at 101 by 110; O2 fires at 102 by 110; """
        + """O3 fires at 102 by 110; O1 fires at 103 by 110
        mark 90     => setting_applied; O6 fires at 98 by 90; O7 fires at 98 by 90; O5 fires at 97 by 90
        """
    )


def test_rising_orders_fire_before_falling_ones() -> None:
    # In a halt the price passes both; the next one reaches both.
    check(
        RICH
        + """
        mark 100
        sell O1 A3 1 @900 stop=95 of=mark
        halt venue
        mark 90
        resume venue
        buy A2 1 @1 take=95 of=mark             => would_trigger_at_once
        buy O2 A2 1 @1 stop=95 of=mark
        halt instrument 0
        mark 95
        resume instrument 0
        mark 95      => setting_applied; O2 fires at 95; O1 fires at 95
        """
    )


def test_one_taker_may_fire_others_before_it_is_done() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @110 stop=101
        sell O4 A5 1 @101
        sell O5 A5 1 @102
        sell O6 A5 1 @103
        buy O7 A4 2 @103  => accepted; 1@101 O4 closing maker; 1@102 O5 closing both; """
        + """O3 fires at 101; 1@103 O6 closing both
        """
    )


def test_a_cascade_joins_the_end_of_the_line() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @110 stop=101
        buy O4 A2 1 @110 stop=101
        buy O5 A2 2 @110 stop=102
        sell O6 A5 1 @101
        sell O7 A5 1 @102
        sell O8 A5 1 @103
        sell O9 A5 1 @104
        buy O10 A4 1 @101 => accepted; 1@101 O6 closing both; O3 fires at 101; 1@102 O7 closing both; """
        + """O4 fires at 101; 1@103 O8 closing both; O5 fires at 102; 1@104 O9 closing maker
        sell O11 A3 1 @110 => accepted; 1@110 O5 closing both
        """
    )


def test_amendments_and_replacements_fire_triggers_too() -> None:
    check(
        TRADED
        + """
        buy O3 A2 1 @1 stop=101
        buy O4 A2 1 @1 stop=102
        sell O5 A5 1 @101
        sell O6 A5 1 @102
        buy O7 A4 1 @50
        buy O8 A4 1 @50
        amend O7 A4 1 @101            => amended open 1; 1@101 O5 closing both; O3 fires at 101
        replace O8 A4 by buy O9 1 @102 => O8 cancelled 1 (replaced); accepted; 1@102 O6 closing both; O4 fires at 102
        """
    )


def test_a_transfer_is_no_price() -> None:
    check(
        TRADED
        + """
        deposit A4 base 10
        group A2 7
        group A4 7
        buy O3 A2 1 @1 stop=105
        sell O4 A4 1 @105 stp=transfer
        buy O5 A2 1 @105 stp=transfer => accepted; transfer 1/1@105 O4 moving 105 closing both
        """
    )


def test_what_a_halt_holds_back_fires_at_the_next_price() -> None:
    check(
        RICH
        + """
        mark 100
        buy O1 A2 1 @1 stop=105 of=mark
        halt instrument 0
        mark 110                     => setting_applied
        resume instrument 0          => setting_applied; continuous
        mark 104                     => setting_applied
        halt venue
        mark 105                     => setting_applied
        resume venue
        mark 105                     => setting_applied; O1 fires at 105
        """
    )


# Trails.


def test_a_trail_follows_only_for_the_better() -> None:
    check(
        RICH
        + """
        mark 1000
        sell O1 A3 1 @9000 trail=10 of=mark       => accepted; waits for 990
        mark 1005                                 => setting_applied
        mark 996                                  => setting_applied
        mark 995                                  => setting_applied; O1 fires at 995
        buy O2 A2 1 @1 trail=10 of=mark           => accepted; waits for 1005
        mark 985                                  => setting_applied
        mark 994                                  => setting_applied
        mark 997                                  => setting_applied; O2 fires at 995 by 997
        """
    )


def test_a_trail_in_basis_points_is_rounded_down_but_at_least_a_tick() -> None:
    check(
        RICH
        + """
        mark 1000
        buy O1 A2 1 @1 trail=150bp of=mark        => accepted; waits for 1015
        mark 990                                  # 14.85: 14.
        mark 1003                                 => setting_applied
        mark 1004                                 => setting_applied; O1 fires at 1004
        sell O2 A3 1 @9000 trail=1bp of=mark      => accepted; waits for 1003
        mark 1003                                 => setting_applied; O2 fires at 1003
        sell O3 A3 1 @9000 trail=9999bp of=mark   => accepted; waits for 1
        """
    )


def test_a_trail_may_start_from_a_price_of_its_own() -> None:
    check(
        RICH
        + """
        sell O1 A3 1 @900 stop=80 trail=10 of=mark   => accepted; waits for 80
        mark 85                                      # 75 would be worse.
        mark 95
        mark 85                                      => setting_applied; O1 fires at 85
        """
    )


def test_triggers_stay_within_their_bounds() -> None:
    top = 2**62
    check(
        RICH
        + f"""
        mark 5
        sell O1 A3 1 @900 trail=10 of=mark       => accepted; waits for 1
        mark 1                                   => setting_applied; O1 fires at 1
        sell A3 1 @900 trail=10 of=mark          => would_trigger_at_once
        mark {top - 1}
        buy O2 A2 1 @1 trail=10 of=mark          => accepted; waits for {top}
        mark {top}                               => setting_applied; O2 fires at {top}
        buy A2 1 @1 trail=10 of=mark             => would_trigger_at_once
        """
    )


def test_a_trail_that_moves_stands_behind_those_that_are_there() -> None:
    check(
        RICH
        + """
        mark 995
        sell O1 A3 1 @900 stop=985 trail=10 of=mark
        sell O2 A3 1 @900 trail=10 of=mark
        sell O3 A3 1 @900 stop=990 of=mark
        mark 1000
        sell O4 A3 1 @900 stop=990 of=mark
        mark 990    => setting_applied; O3 fires at 990; O1 fires at 990; O2 fires at 990; O4 fires at 990
        """
    )


def test_a_trail_follows_in_a_halt_and_by_trades() -> None:
    check(
        TRADED
        + """
        sell O3 A3 1 @900 trail=10               => accepted; waits for 90
        sell O4 A5 1 @120
        buy O5 A4 1 @120
        buy O6 A4 1 @110
        sell O7 A3 1 @900 trail=20 of=mark       => no_trigger_reference
        sell O7 A5 1 @110                        => accepted; 1@110 O6 closing both; O3 fires at 110
        mark 100
        sell O8 A3 1 @900 trail=20 of=mark       => accepted; waits for 80
        halt venue
        mark 150
        resume venue
        mark 130                                 => setting_applied; O8 fires at 130
        """
    )


# Coming to the market.


def test_an_order_is_checked_again_when_it_fires() -> None:
    check(
        RICH
        + """
        reference 100
        mark 100
        buy O1 A2 1 @120 stop=101 of=mark       => accepted; waits for 101
        mark 101   => setting_applied; O1 fires at 101; expired 1 (refused_at_trigger: price_outside_band)
        buy O2 A2 1 @120 stop=102 of=mark
        permit A2 6
        mark 102   => setting_applied; O2 fires at 102; expired 1 (refused_at_trigger: account_not_permitted)
        permit A2 7
        buy O3 A2 1 @120 stop=103 of=mark
        permit A2 6
        halt account A2
        A2         => quote 999880+120
        mark 103   => setting_applied; O3 fires at 103; expired 1 (refused_at_trigger: account_halted)
        A2         => quote 1000000+0
        buy O4 A4 1 stop=104 of=mark            => accepted at 114; waits for 104
        reference 0
        mark 104   => setting_applied; O4 fires at 104; expired 1 (refused_at_trigger: no_reference_price)
        A4         => quote 1000000+0
        """,
        limits=BAND,
    )


def test_a_market_bid_pays_no_more_than_is_held() -> None:
    check(
        RICH
        + """
        mark 90
        buy O1 A2 3 stop=100 of=mark      => accepted at 110; waits for 100
        A2                                => quote 999670+330
        reference 110
        sell O2 A5 1 @110
        sell O3 A5 1 @111
        mark 100                          => setting_applied; O1 fires at 100; 1@110 O2 closing maker; """
        + """expired 2 (no_liquidity)
        buy O4 A2 3 stop=110 of=mark      => accepted at 121; waits for 110
        cancel O3 A5
        reference 98
        sell O5 A5 1 @107
        sell O6 A5 1 @106
        mark 110                          => setting_applied; O4 fires at 110; 1@106 O6 closing maker; """
        + """1@107 O5 closing maker; expired 1 (no_liquidity)
        A2                                => quote 999677+0, base 1003+0
        """,
        limits=BAND,
    )


def test_a_market_order_tells_by_its_end_what_its_limit_was() -> None:
    blotter = Blotter(limits=BAND)
    blotter.lines(
        RICH
        + """
        reference 100
        mark 100
        buy O1 A2 3 stop=101 of=mark      => accepted at 111; waits for 101
        sell O2 A3 3 stop=99 of=mark      => accepted at 90; waits for 99
        mark 101
        reference 50
        mark 99
        """
    )
    blotter.finish()
    ends = [event for event in blotter.events if event.kind is EventKind.ORDER_EXPIRED]
    assert [event.price_ticks for event in ends] == [110, 45]


def test_fill_or_kill_and_rest_are_those_of_that_time() -> None:
    check(
        RICH
        + """
        mark 100
        sell O1 A5 2 @100
        buy O2 A2 3 @100 fok stop=101 of=mark
        buy O3 A2 3 @100 ioc least=3 stop=101 of=mark
        buy O4 A2 3 @100 ioc stop=101 of=mark
        buy O5 A2 3 @99 stop=101 of=mark
        buy O6 A4 1 @99
        mark 101  => setting_applied; O2 fires at 101; expired 3 (fill_or_kill); """
        + """O3 fires at 101; expired 3 (minimum_quantity); """
        + """O4 fires at 101; 2@100 O1 closing maker; expired 1 (immediate_or_cancel); O5 fires at 101
        sell O7 A3 2 @99          => accepted; 1@99 O6 closing maker; 1@99 O5 closing taker
        """
    )


def test_rates_are_those_of_the_acceptance() -> None:
    check(
        RICH
        + """
        fees 1000 0
        mark 100
        buy O1 A2 10 @100 stop=101 of=mark
        fees 500000 0
        sell O2 A5 10 @100
        mark 101         => setting_applied; O1 fires at 101; 10@100 O2 fees 1/0 closing both
        """
    )


# What a waiting order holds and counts for.


def test_what_a_waiting_order_holds() -> None:
    check(
        RICH
        + """
        fees 1000 500
        mark 100
        buy O1 A2 10 @100 stop=101 of=mark          # 1000, a fee of 1, and 1 for rounding apart.
        A2                           => quote 998998+1002
        buy O2 A4 10 @100 ioc stop=101 of=mark
        A4                           => quote 998999+1001
        sell O3 A3 10 @900 stop=99 of=mark
        A3                           => base 990+10
        mark 101
        A2                           => quote 998999+1001
        A4                           => quote 1000000+0
        cancel O3 A3                 => O3 cancelled 10
        A3                           => base 1000+0
        """
    )


def test_a_waiting_order_is_covered() -> None:
    check(
        """
        fees 1000 500
        mark 100
        deposit A2 quote 1001
        buy A2 10 @100 stop=101 of=mark             => insufficient_funds
        buy O1 A2 10 @100 ioc stop=101 of=mark      => accepted; waits for 101
        buy A2 1 @1 stop=101 of=mark                => insufficient_funds
        replace O1 A2 by buy O2 9 @100 stop=101 of=mark => O1 cancelled 10 (replaced); accepted; waits for 101
        A2                                          => quote 99+902
        sell A2 1 @900 stop=99 of=mark              => insufficient_funds
        """
    )


def test_a_market_bids_worst_value_has_a_bound() -> None:
    blotter = Blotter(quanta=2**18, limits=records.limits_record(notional_max_quanta=2**119, band_up_ppm=3 * 10**6))
    blotter.send(records.deposit(2, 1, 2**120))
    blotter.lines(f"buy A2 {2**40} stop={2**61} of=mark => insufficient_funds")
    blotter.finish()


def test_a_waiting_order_is_an_open_order() -> None:
    check(
        RICH
        + """
        mark 100
        limits A2 open=1
        position A2 1005
        buy O1 A2 5 @100 ioc stop=101 of=mark id=7     => accepted; waits for 101
        buy A2 1 @100 ioc stop=101 of=mark id=7        => duplicate_client_order_id
        buy A2 1 @100 ioc stop=101 of=mark             => open_order_limit_exceeded
        limits A2 open=9
        buy A2 1 @100 ioc stop=101 of=mark             => position_limit_exceeded
        buy A2 1 @1                                    => position_limit_exceeded
        replace id=7 A2 by buy O2 5 @1 ioc             => O1 cancelled 5 (replaced); accepted; """
        + """expired 5 (immediate_or_cancel)
        buy O3 A2 2 @100 stop=101 of=mark
        sell O4 A2 2 @900
        sell O5 A2 2 @900 stop=99 of=mark
        cancel all A2 sell      => O4 cancelled 2 (cancelled_all); O5 cancelled 2 (cancelled_all)
        cancel all A2 on=1      =>
        cancel all A2           => O3 cancelled 2 (cancelled_all)
        mark 101                => setting_applied
        A2                      => quote 1000000+0, base 1000+0
        """
    )


def test_a_waiting_order_counts_for_the_fee_schedule() -> None:
    check(
        RICH
        + """
        fees 1000 -500
        mark 100
        buy O1 A2 1 @1 stop=101 of=mark
        fees 400 0           => fee_schedule_negative
        cancel O1 A2
        fees 400 0           => setting_applied
        """
    )


def test_a_waiting_order_is_amended_where_it_waits() -> None:
    check(
        TRADED
        + """
        buy O3 A2 2 @110 stop=105             => accepted; waits for 105
        buy O4 A2 1 @110 stop=105             => accepted; waits for 105
        A2                                    => quote 999670+330
        amend O3 A2 2 @110                    => amend_changes_nothing
        amend O3 A2 3 @111                    => amended in place open 3
        A2                                    => quote 999557+443
        amend O3 A2 1 @111 name=7             => amended in place open 1
        amend A2 1 @111 id=7 stop=106 name=x  => amended open 1; waits for 106
        amend A2 1 @111 id=x stop=105         => amended open 1; waits for 105
        sell O5 A3 3 @105
        # The one that moved stands behind the other now.
        buy O6 A4 1 @105            => accepted; 1@105 O5 closing taker; O4 fires at 105; 1@105 O5 closing taker; \
O3 fires at 105; 1@105 O5 closing both
        A2                                    => quote 999790+0
        """
    )


def test_an_amendment_must_fit_the_waiting_order() -> None:
    check(
        TRADED
        + """
        buy O3 A2 2 @90
        amend O3 A2 2 @90 stop=105            => order_not_amendable
        buy O4 A2 2 @110 stop=105
        amend O4 A2 2 @110 take=105           => order_not_amendable
        amend O4 A2 2 @110 stop=105 of=mark   => order_not_amendable
        amend O4 A2 2 @110 stop=105 trail=1   => order_not_amendable
        amend O4 A2 2 @110 until=9            => invalid_combination
        amend O4 A2 2 @110 stop=100           => would_trigger_at_once
        amend O4 A2 0 @110                    => quantity_not_positive
        sell O5 A3 2 stop=95
        amend O5 A3 2 @94                     => order_not_amendable
        amend O5 A3 3 stop=96                 => amended open 3; waits for 96
        halt instrument 0
        amend O5 A3 2 @94                     => order_not_amendable
        amend O5 A3 2                         => instrument_halted
        """
    )


def test_a_trail_goes_on_from_its_amended_trigger() -> None:
    check(
        TRADED
        + """
        sell O3 A3 2 @90 trail=5              => accepted; waits for 95
        amend O3 A3 2 @90 stop=97 trail=5     => amended open 2; waits for 97
        sell O4 A5 2 @103
        buy O5 A4 1 @103
        amend O3 A3 2 @90 trail=5             => amend_changes_nothing
        amend O3 A3 2 @90 stop=90 trail=5     => amended open 2; waits for 90
        amend O3 A3 1 @90 trail=5             => amended open 1; waits for 98
        """
    )


def test_a_minimum_above_the_amended_total_is_the_total() -> None:
    check(
        TRADED
        + """
        buy O3 A2 5 @110 ioc stop=105 least=4
        amend O3 A2 2 @110      => amended in place open 2
        sell O4 A3 3 @105
        buy O5 A4 1 @105        => accepted; 1@105 O4 closing taker; O3 fires at 105; 2@105 O4 closing both
        """
    )


# Checks of new orders.


def test_the_checks_of_an_order_with_a_trigger() -> None:
    limits = records.limits_record(
        price_increment_ticks=5,
        quantity_min_lots=2,
        notional_min_quanta=1_000,
        notional_max_quanta=9_000,
        band_down_ppm=50_000,
        band_up_ppm=50_000,
    )
    check(
        """
        time 50
        deposit A2 quote 100000
        sell A2 9 @0 stop=0 until=50                     => price_not_positive
        sell A2 9 @101 stop=0 until=50                   => price_not_on_tick
        sell A2 1 @100 stop=0 until=50                   => quantity_below_minimum
        sell A2 9 @100 stop=0 until=50                   => notional_below_minimum
        sell A2 99 @100 stop=0 until=50                  => notional_above_maximum
        sell A2 20 @100 stop=-1 until=50                 => trigger_price_not_positive
        sell A2 20 @100 stop=-4 until=50                 => trigger_price_not_positive
        sell A2 20 @100 stop=0 until=50                  => trigger_price_not_positive
        sell A2 20 @100 stop=101 until=50                => trigger_price_not_on_tick
        sell A2 20 @100 trail=3 until=50                 => no_trigger_reference
        sell A2 20 stop=0                                => trigger_price_not_positive
        sell A2 9 trail=3                                => no_trigger_reference
        sell A2 9 stop=100                               => notional_below_minimum
        sell A2 20 stop=500                              => notional_above_maximum
        limits A2 messages=0 orders=0
        sell A2 20 @100 stop=100 until=50                => expiry_not_in_future
        buy A2 20 @100 until=50                          => expiry_not_in_future
        buy A2 20 @100 until=51                          => message_rate_exceeded
        limits A2 messages=99 orders=0
        sell A2 20 @100 stop=100 until=51                => order_rate_exceeded
        limits A2 messages=99 orders=99
        mark 100
        sell A2 20 @100 stop=100 of=mark until=51        => insufficient_funds
        buy A2 20 @100 take=100 of=mark until=51         => would_trigger_at_once
        reference 100
        buy A2 20 @200 until=50                          => price_outside_band
        buy O1 A2 20 @200 take=95 of=mark until=51       => accepted; waits for 95
        sell A2 20 @100 trail=3 of=mark                  => insufficient_funds
        mark 101
        buy O2 A2 20 @100 trail=3 of=mark                => accepted; waits for 104
        """,
        limits=limits,
    )


def test_halts_and_permissions_come_first() -> None:
    check(
        """
        buy A2 1 @1 stop=0 on=9      => unknown_instrument
        halt venue
        buy A2 1 @1 stop=0           => venue_halted
        resume venue
        permit A2 6
        buy A2 1 @1 stop=0           => account_not_permitted
        """
    )


# Good till date.


def test_timers_fire_by_time_and_then_by_order_id() -> None:
    check(
        RICH
        + """
        buy O1 A2 3 @10 until=200    => accepted
        buy O2 A4 2 @10 until=100    => accepted
        sell O3 A3 4 @900 stop=50 of=mark until=100 => accepted; waits for 50
        buy O4 A2 1 @10 until=300
        time 99
        cancel all A5                =>
        time 200
        buy A2 0 @10   => O2 expired 2 (good_till_date); O3 expired 4 (good_till_date); """
        + """O1 expired 3 (good_till_date); quantity_not_positive
        A2                           => quote 999990+10
        A3                           => base 1000+0
        halt venue
        halt instrument 0
        halt account A2
        time 300
        mark 7                       => O4 expired 1 (good_till_date); setting_applied
        A2                           => quote 1000000+0
        """
    )


def test_a_timer_fires_before_the_command_looks() -> None:
    check(
        RICH
        + """
        buy O1 A2 3 @10 until=100 id=7
        sell O2 A3 3 @10 stop=5 of=mark until=100
        time 100
        sell O3 A3 3 @10    => O1 expired 3 (good_till_date); O2 expired 3 (good_till_date); accepted
        cancel id=7 A2      => unknown_order
        mark 5              => setting_applied
        """
    )


def test_a_command_that_leaves_the_time_alone_fires_no_timer() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 100\nbuy O1 A2 3 @10 until=100\ntime 50\ncancel all A3 =>")
    (stale,) = blotter.exchange.apply_command(records.advance_time(49))
    spoiled = records.patched(records.advance_time(100), 1, b"\x09")
    (unknown,) = blotter.exchange.apply_command(spoiled)
    assert (stale.reason, unknown.reason) == (Reason.STALE, Reason.UNKNOWN_SCHEMA_VERSION)
    expired, rejected = blotter.exchange.apply_command(records.place(2, 0, 9, 1, 1, time_ns=100))
    assert (expired.kind, expired.k, expired.flags, expired.time_ns) == (EventKind.ORDER_EXPIRED, 0, 0, 100)
    assert (rejected.reason, rejected.k, rejected.flags) == (Reason.INVALID_SIDE, 1, 1)
    assert blotter.exchange.balances() == {(2, 1): (100, 0)}


def test_an_amended_or_triggered_order_keeps_its_time() -> None:
    check(
        RICH
        + """
        buy O1 A2 3 @10 until=100
        amend O1 A2 5 @11             => amended open 5
        amend O1 A2 4 @11             => amended in place open 4
        buy O2 A2 3 @10 stop=50 of=mark until=100
        mark 50                       => setting_applied; O2 fires at 50
        buy O3 A2 1 @9 until=100 post => accepted
        sell O4 A3 1 @11              => accepted; 1@11 O1 closing taker
        time 100
        mark 51   => O1 expired 3 (good_till_date); O2 expired 3 (good_till_date); """
        + """O3 expired 1 (good_till_date); setting_applied
        """
    )


def test_what_rests_until_a_date_holds_like_what_rests() -> None:
    check(
        RICH
        + """
        fees 1000 500
        sell O1 A3 5 @100
        buy O2 A2 15 @100 until=9     => accepted; 5@100 O1 fees 1/1 closing maker
        A2                            => quote 998498+1001
        limits A2 open=1
        buy A2 1 @1 until=9           => open_order_limit_exceeded
        """
    )


# Minimum quantity.


def test_a_minimum_quantity_trades_at_once_or_nothing_does() -> None:
    check(
        RICH
        + """
        reference 100
        sell O1 A3 2 @100
        sell O2 A5 2 @101
        buy O3 A2 5 @100 ioc least=3   => accepted; expired 5 (minimum_quantity)
        buy O4 A2 5 @100 ioc least=2   => accepted; 2@100 O1 closing maker; expired 3 (immediate_or_cancel)
        buy O5 A2 5 least=3            => accepted at 200; expired 5 (minimum_quantity)
        buy O6 A2 5 least=2            => accepted at 200; 2@101 O2 closing maker; expired 3 (no_liquidity)
        """,
        limits=records.limits_record(band_up_ppm=1_000_000),
    )


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "accepted; 2@100 O1 closing maker; 2@100 O2 closing taker"),
        ("expire_taker", "accepted; expired 4 (minimum_quantity)"),
        ("expire_maker", "accepted; expire_maker 0/2@100 O1 closing maker; 3@100 O2 closing maker; {rest}"),
        ("decrement", "accepted; decrement 2/2@100 O1 closing maker; 2@100 O2 closing taker"),
    ],
)
def test_own_quantity_does_not_count_for_a_minimum(mode: str, outcome: str) -> None:
    rest = "expired 1 (immediate_or_cancel)"
    check(
        RICH
        + f"""
        sell O1 A2 2 @100
        sell O2 A3 3 @100
        buy O3 A2 4 @100 ioc least=3 stp={mode}   => {outcome.format(rest=rest)}
        """
    )


# Records.

STOP = TriggerKind.STOP_LOSS
TAKE = TriggerKind.TAKE_PROFIT


def placed(
    conditions: bytes,
    *,
    price_ticks: int | None = 10,
    time_in_force: int | None = None,
    quote_amount: int | None = None,
    post_only: bool = False,
) -> bytes:
    return records.place(
        2,
        0,
        Side.BUY,
        0 if quote_amount else 5,
        price_ticks,
        quote_amount=quote_amount,
        time_in_force=time_in_force,
        post_only=post_only,
        conditions=conditions,
    )


def longer(command: bytes, record: bytes) -> bytes:
    return records.with_header(command + record, record_count=len(command) // 64 + 1)


GOOD = records.conditions_record(trigger=STOP, trigger_price_ticks=7)
INVALID = [
    records.conditions_record(trigger=3),
    records.conditions_record(trigger=STOP, source=3, trigger_price_ticks=7),
    records.conditions_record(trigger=STOP, trail_unit=3, trail=7),
    records.conditions_record(trigger=STOP, trail_unit=1),
    records.conditions_record(trigger=STOP, trail_unit=2, trail=10_000),
    records.conditions_record(trigger=STOP, trigger_price_ticks=7, trail=1),
    records.conditions_record(source=PriceSource.MARK, expire_time_ns=9),
    records.conditions_record(trigger_price_ticks=7, expire_time_ns=9),
    records.conditions_record(trail_unit=1, trail=7, expire_time_ns=9),
    records.conditions_record(trigger=STOP, trigger_price_ticks=2**62 + 1),
    *(records.patched(GOOD, offset, b"\x01") for offset in (7, 20, 23, 48, 63)),
]
IOC, FOK, GTD = TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL, TimeInForce.GOOD_TILL_DATE
DATED = records.conditions_record(expire_time_ns=9)
LEAST = records.conditions_record(minimum_lots=2)
EXCLUDED = [
    placed(records.conditions_record()),
    placed(DATED),
    placed(DATED, time_in_force=IOC),
    placed(LEAST, time_in_force=GTD),
    placed(GOOD, time_in_force=GTD),
    placed(b"", time_in_force=GTD),
    placed(DATED, time_in_force=GTD, price_ticks=None),
    placed(LEAST),
    placed(LEAST, time_in_force=FOK),
    placed(LEAST, price_ticks=None, quote_amount=50),
    placed(records.conditions_record(minimum_lots=6), time_in_force=IOC),
    placed(GOOD, post_only=True),
    placed(GOOD, price_ticks=None, quote_amount=50),
    placed(records.conditions_record(trigger=TAKE, trail_unit=1, trail=3)),
]


def reason_of(command: bytes) -> Reason:
    (event,) = Exchange().apply_command(command)
    return Reason(event.reason)


@pytest.mark.parametrize("conditions", INVALID)
def test_conditions_that_mean_nothing_are_invalid(conditions: bytes) -> None:
    for command in (placed(conditions), longer(placed(conditions, time_in_force=GTD), GOOD)):
        assert reason_of(command) == Reason.INVALID_CONDITIONS
        assert reason_of(records.replace(2, 1, command)) == Reason.INVALID_CONDITIONS
    text = records.place(2, 0, Side.BUY, 5, 10, client_order_id=b"two words", conditions=conditions)
    assert reason_of(text) == Reason.INVALID_CLIENT_ORDER_ID


@pytest.mark.parametrize("command", EXCLUDED)
def test_conditions_that_exclude_each_other(command: bytes) -> None:
    assert reason_of(command) == reason_of(longer(command, GOOD)) == Reason.INVALID_COMBINATION


def test_conditions_that_are_fine() -> None:
    fine = [
        placed(GOOD),
        placed(GOOD, price_ticks=None),
        placed(DATED, time_in_force=GTD),
        placed(DATED, time_in_force=GTD, post_only=True),
        placed(LEAST, time_in_force=IOC),
        placed(LEAST, price_ticks=None),
        placed(records.conditions_record(trigger=STOP, trail_unit=2, trail=9_999)),
        placed(
            records.conditions_record(trigger=TAKE, trigger_price_ticks=-(2**63), minimum_lots=5), time_in_force=IOC
        ),
    ]
    for command in fine:
        assert reason_of(command) == Reason.UNKNOWN_INSTRUMENT
        assert reason_of(longer(command, GOOD)) == Reason.MALFORMED_RECORDS


def test_the_record_must_be_there() -> None:
    command = placed(GOOD)
    assert reason_of(records.with_header(command[:64], record_count=1)) == Reason.MALFORMED_RECORDS
    assert reason_of(records.patched(command, 64, bytes([128]))) == Reason.MALFORMED_RECORDS
    assert reason_of(records.patched(records.cancel(2, 1), 36, bytes([16]))) == Reason.INVALID_FLAGS
    text = records.place(2, 0, Side.BUY, 5, 10, client_order_id=b"x", conditions=GOOD)
    assert reason_of(text) == Reason.UNKNOWN_INSTRUMENT
    swapped = text[:64] + text[128:] + text[64:128]
    assert reason_of(swapped) == Reason.MALFORMED_RECORDS


def test_the_orders_own_combination_comes_before_its_text() -> None:
    command = records.place(2, 0, Side.BUY, 5, time_in_force=GTD, client_order_id=b"two words", conditions=DATED)
    assert reason_of(command) == Reason.INVALID_COMBINATION


@pytest.mark.parametrize("build", [records.set_mark_price, records.set_index_price])
def test_mark_and_index_prices(build: Callable[[int, int], bytes]) -> None:
    for price in (0, -1, 2**62 + 1, 2**63 - 1):
        assert reason_of(build(9, price)) == Reason.SETTING_OUT_OF_RANGE
    assert reason_of(build(9, 2**62)) == Reason.UNKNOWN_INSTRUMENT
    assert reason_of(longer(build(9, 2**62), GOOD)) == Reason.MALFORMED_RECORDS
    (event,) = Blotter().send(build(1, 2**62))
    assert (event.kind, event.instrument, event.price_ticks) == (EventKind.SETTING_APPLIED, 1, 2**62)
    assert (event.open_lots, event.account, event.quantity_lots, event.reference) == (build(1, 1)[0], 0, 0, 0)


def test_the_events_of_an_order_with_conditions() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 1000\nmark 100")
    conditions = records.conditions_record(
        trigger=STOP, source=PriceSource.MARK, trail_unit=2, trail=200, minimum_lots=2
    )
    order = records.place(2, 0, Side.BUY, 3, 10, time_in_force=IOC, client_order_id=b"one", conditions=conditions)
    accepted, text, told = blotter.send(order)
    assert (accepted.order_flags, accepted.price_ticks, text.kind) == (24, 10, EventKind.CLIENT_ORDER_ID_TEXT)
    assert (told.kind, told.order_id, told.account, told.side) == (EventKind.ORDER_CONDITIONS, 1, 2, 0)
    assert (told.order_type, told.time_in_force, told.self_trade_prevention) == (STOP, PriceSource.MARK, 2)
    assert (told.price_ticks, told.quantity_lots, told.open_lots, told.reference) == (102, 200, 2, 0)
    _applied, triggered, expired = blotter.send(records.set_mark_price(0, 103))
    assert (triggered.kind, triggered.order_id, triggered.account) == (EventKind.ORDER_TRIGGERED, 1, 2)
    assert (triggered.time_in_force, triggered.price_ticks) == (PriceSource.MARK, 102)
    assert (triggered.quantity_lots, triggered.open_lots, triggered.reference) == (3, 103, 0)
    assert (expired.kind, expired.flags) == (EventKind.ORDER_EXPIRED, 1)
    dated = records.place(2, 0, Side.BUY, 3, 10, time_in_force=GTD, client_order_id=8, conditions=DATED)
    _accepted, told = blotter.send(dated)
    assert (told.order_type, told.price_ticks, told.open_lots, told.reference) == (0, 0, 0, 9)
