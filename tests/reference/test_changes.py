"""Section 4: cancel, amend, replace."""

from tests.reference import records
from tests.reference.blotter import Blotter, check
from tests.reference.codes import Side
from tests.reference.reject import RejectReason

RICH = """
    deposit A2 quote 10000
    deposit A3 base 1000
    deposit A4 quote 10000
    deposit A4 base 1000
"""


def test_cancel() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        cancel O1 A9             => unknown_account
        cancel O1 A3             => unknown_order
        halt venue
        halt account A2
        permit A2 0
        cancel O1 A2             => O1 cancelled 5
        A2                       => quote 10000+0
        cancel O1 A2             => unknown_order
        """
    )


def test_cancel_all() -> None:
    check(
        RICH
        + """
        buy O1 A4 5 @10
        sell O2 A4 5 @20
        buy O3 A4 5 @9 on=1
        buy O4 A4 5 @11
        buy O5 A2 5 @11
        cancel all A4 sell          => O2 cancelled 5 (cancelled_all)
        cancel all A4 sell          =>
        cancel all A4 on=1 sell     =>
        cancel all A4 on=9          => unknown_instrument
        cancel all A9 on=9          => unknown_instrument
        cancel all A9               => unknown_account
        cancel all A4 on=0          => O1 cancelled 5 (cancelled_all); O4 cancelled 5 (cancelled_all)
        cancel all A4               => O3 cancelled 5 (cancelled_all)
        A4                          => quote 10000+0, base 1000+0
        """
    )


def test_a_reduction_keeps_its_place() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        buy O2 A4 5 @10
        amend O1 A2 4 @10        => amended in place open 4
        A2                       => quote 9960+40
        sell O3 A3 1 @10         => accepted; 1@10 O1 closing taker
        amend O1 A2 3 @10        => amended in place open 2
        amend O1 A2 1 @10        => quantity_not_above_executed
        amend O1 A2 3 @10        => amend_changes_nothing
        amend O1 A2 6 @10        => amended open 5
        sell O4 A3 1 @10         => accepted; 1@10 O2 closing taker
        """
    )


def test_another_price_comes_in_again() -> None:
    check(
        RICH
        + """
        sell O1 A3 3 @12
        buy O2 A2 5 @10
        amend O2 A2 5 @12        => amended open 5; 3@12 O1 closing maker
        A2                       => quote 9940+24, base 3+0
        sell O3 A3 2 @12         => accepted; 2@12 O2 closing both
        """
    )


def test_an_amended_order_keeps_rates_and_rounding() -> None:
    # Takes 400 at 1000 ppm: 0.4, up to 1. Amended, it takes another 400: 0.8 is still 1. Then 400 more: 1.2 is 2.
    check(
        RICH
        + """
        fees 1000 0
        sell O1 A3 4 @100
        buy O2 A2 6 @100         => accepted; 4@100 O1 fees 1/0 closing maker
        fees 500000 0
        sell O3 A3 4 @101
        amend O2 A2 10 @100      => amended open 6
        amend O2 A2 8 @101       => amended open 4; 4@101 O3 closing both
        """
    )


def test_the_old_hold_counts_when_an_amendment_is_covered() -> None:
    check(
        """
        deposit A2 quote 100
        buy O1 A2 9 @10          => accepted
        amend O1 A2 10 @10       => amended open 10
        amend O1 A2 11 @10       => insufficient_funds
        amend O1 A2 9 @11        => amended open 9
        A2                       => quote 1+99
        amend O1 A2 2 @11        => amended in place open 2
        """
    )


def test_the_checks_of_an_amendment() -> None:
    limits = records.limits_record(
        price_increment_ticks=5,
        quantity_increment_lots=10,
        quantity_min_lots=20,
        quantity_max_lots=90,
        notional_min_quanta=1_900,
        notional_max_quanta=9_000,
        band_down_ppm=50_000,
        band_up_ppm=50_000,
    )
    check(
        RICH
        + """
        reference 100
        buy O1 A2 40 @100        => accepted
        sell O2 A3 20 @100       => accepted; 20@100 O1 closing taker
        halt venue
        amend O1 A9 0 @0         => venue_halted
        resume venue
        halt instrument 0
        amend O1 A9 0 @0         => unknown_account
        amend O1 A3 0 @0         => unknown_order
        amend O1 A2 0 @0         => instrument_halted
        resume instrument 0
        halt account A2
        amend O1 A2 0 @0         => account_halted
        resume account A2
        permit A2 6
        amend O1 A2 0 @0         => account_not_permitted
        permit A2 7
        amend O1 A2 0 @0         => price_not_positive
        amend O1 A2 0 @101       => price_not_on_tick
        amend O1 A2 0 @100       => quantity_not_positive
        amend O1 A2 5 @100       => quantity_not_on_lot
        amend O1 A2 10 @100      => quantity_below_minimum
        amend O1 A2 100 @100     => quantity_above_maximum
        amend O1 A2 20 @90       => notional_below_minimum
        amend O1 A2 90 @105      => notional_above_maximum
        amend O1 A2 40 @110      => price_outside_band
        amend O1 A2 20 @100      => quantity_not_above_executed
        amend O1 A2 40 @100      => amend_changes_nothing
        limits A2 messages=0
        amend O1 A2 30 @100      => message_rate_exceeded
        limits A2 messages=99
        reference 200
        amend O1 A2 30 @100      => amended in place open 10    # A reduction needs no band.
        amend O1 A2 40 @100      => price_outside_band
        """,
        limits=limits,
    )


def test_replace_is_all_or_nothing() -> None:
    check(
        """
        deposit A2 quote 100
        deposit A3 base 100
        buy O1 A2 10 @10 id=7                     => accepted
        replace O1 A2 by buy 11 @10 id=7          => insufficient_funds
        A2                                        => quote 0+100
        replace O1 A2 by buy O2 9 @11 id=7        => O1 cancelled 10 (replaced); accepted
        A2                                        => quote 1+99
        replace O1 A2 by buy 1 @1                 => unknown_order
        replace id=7 A2 by buy O3 5 @11           => O2 cancelled 9 (replaced); accepted
        sell O4 A3 5 @20
        replace O4 A3 by sell O5 5 @11            => O4 cancelled 5 (replaced); accepted; 5@11 O3 closing both
        """
    )


def test_the_checks_of_a_replacement_stand_in_the_order_of_the_codes() -> None:
    check(
        """
        replace O1 A9 by buy 0 @0 on=9    => unknown_instrument
        halt venue
        replace O1 A9 by buy 0 @0         => venue_halted
        resume venue
        replace O1 A9 by buy 0 @0         => unknown_account
        permit A2 0
        replace O1 A2 by buy 0 @0         => account_not_permitted
        permit A2 7
        replace O1 A2 by buy 0 @0         => unknown_order
        """
    )


def test_a_replacement_may_change_side_and_instrument() -> None:
    check(
        """
        deposit A2 quote 100
        deposit A2 base 5
        buy O1 A2 10 @10                          => accepted
        replace O1 A2 by sell O2 5 @12            => O1 cancelled 10 (replaced); accepted
        A2                                        => quote 100+0, base 0+5
        replace O2 A2 by buy O3 20 @5 on=1        => O2 cancelled 5 (replaced); accepted
        A2                                        => quote 0+100, base 5+0
        replace O3 A2 by sell 6 @5                => insufficient_funds
        replace O3 A2 by buy 101 @1               => insufficient_funds
        """
    )


def test_an_order_that_goes_on_another_instrument_frees_no_place_there() -> None:
    # The bid on instrument 1 does not count for the position on instrument 0.
    check(
        """
        deposit A2 quote 1000
        position A2 5
        buy O1 A2 5 @10
        buy O2 A2 5 @10 on=1
        replace O2 A2 by buy 1 @10        => position_limit_exceeded
        replace O1 A2 by buy O3 5 @9      => O1 cancelled 5 (replaced); accepted
        """
    )


def test_a_refused_replacement_repeats_its_first_record() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 100\nbuy O1 A2 1 @10")
    new_order = records.place(2, 0, Side.BUY, 99, 10, client_order_id=5)
    (event,) = blotter.send(records.with_header(records.replace(2, 1, new_order), session=3, client_sequence=8))
    assert event.reason == RejectReason.INSUFFICIENT_FUNDS
    assert (event.account, event.instrument, event.price_ticks, event.quantity_lots, event.reference) == (2, 0, 0, 0, 1)
    assert (event.counter_account, event.counter_order_id, event.open_lots) == (3, 8, 68)


# Other ids, and replacements in two halves.


def test_an_order_may_get_another_client_order_id() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10 id=5
        buy O2 A2 5 @10 id=six
        amend O1 A2 5 @10 name=5         => amend_changes_nothing
        amend O1 A2 5 @10 name=six       => duplicate_client_order_id
        amend O1 A2 5 @10 name=7         => amended in place open 5
        amend A2 4 @10 id=7 name=seven   => amended in place open 4
        amend A2 4 @11 id=seven name=5   => amended open 4
        cancel A2 id=5                   => O1 cancelled 4
        amend A2 5 @10 id=six name=5     => amended in place open 5
        """
    )


def test_two_halves_fail_apart() -> None:
    check(
        """
        deposit A2 quote 100
        buy O1 A2 5 @10
        replace O9 A2 allow by buy O2 5 @10      => accepted; unknown_order
        replace O1 A2 allow by buy 6 @10         => O1 cancelled 5 (not_replaced); insufficient_funds
        replace O1 A2 allow by buy 11 @10        => unknown_order; insufficient_funds
        replace O2 A2 allow by buy 5 @0          => price_not_positive
        replace O9 A2 allow by buy 5 @0          => price_not_positive
        replace O2 A2 allow by buy O3 10 @10     => O2 cancelled 5 (replaced); accepted
        A2                                       => quote 0+100
        """
    )


def test_one_order_too_many_may_still_cancel() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        buy O2 A2 5 @10
        limits A2 orders=0
        replace O1 A2 by buy 5 @9                     => order_rate_exceeded
        replace O1 A2 allow by buy 5 @9               => order_rate_exceeded
        replace O9 A2 cancel-only by buy 5 @9         => unknown_order
        replace O1 A2 cancel-only by buy 5 @9         => O1 cancelled 5 (not_replaced); order_rate_exceeded
        replace O1 A2 cancel-only allow by buy 5 @9   => unknown_order; order_rate_exceeded
        """
    )


def test_a_replacement_may_be_for_some_orders_only() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        replace O1 A2 partial-only by buy 5 @0             => order_not_partially_filled
        replace O1 A2 partial-only new-only by buy 5 @9    => restrictions_exclude
        sell O2 A3 1 @10
        replace O1 A2 new-only by buy 5 @9                 => order_not_new
        replace O1 A2 new-only allow by buy O3 5 @9        => accepted; order_not_new
        replace O1 A2 partial-only by buy O4 4 @9          => O1 cancelled 4 (replaced); accepted
        """
    )
