"""Icebergs, hidden orders and pegs on the reference exchange, by blotters."""

from tests.reference import records
from tests.reference.blotter import Blotter, check
from tests.reference.codes import Side
from tests.reference.conditions import split_mix

MONEY = """
    deposit A2 base 1000
    deposit A3 base 1000
    deposit A4 quote 100000
    deposit A5 quote 100000
"""


def test_a_peak_trades_then_the_next_one_stands_behind_the_others() -> None:
    exchange = check(
        MONEY
        + """
        sell O1 A2 10 @100 peak=4   => accepted; O1 shows 4 of 10
        sell O2 A3 5 @100           => accepted
        buy O3 A4 3 @100            => accepted; 3@100 O1 closing taker
        buy O4 A4 2 @100            => accepted; 1@100 O1; O1 shows 4 of 6; 1@100 O2 closing taker
        A2                          => base 990+6
        """
    )
    assert exchange.book(0)[Side.SELL] == [(100, 8)]
    assert [order.order_id for order in exchange.venue.instruments[0].book.asks] == [2, 1]


def test_the_whole_order_trades_as_a_taker_and_the_rest_is_shown_by_peaks() -> None:
    check(
        MONEY
        + """
        sell O1 A2 7 @100
        buy O2 A4 20 @100 peak=5    => accepted; 7@100 O1 closing maker; O2 shows 5 of 13
        A4                          => quote 98000+1300, base 7+0
        amend O2 A4 9 @100          => amended in place open 2
        sell O3 A3 3 @100 ioc       => accepted; 2@100 O2 closing maker; expired 1 (immediate_or_cancel)
        """
    )


def test_sizes_of_peaks_are_drawn_from_the_seed() -> None:
    # The first words of SplitMix64 for the seed 1234567, as its author publishes them.
    assert [split_mix(1234567, n) for n in range(2)] == [6457827717110365317, 3203168211198807973]
    words = [split_mix(7, n) for n in range(3)]
    first, second, third = (20 + word % 9 * 5 for word in words)
    left = 500 - first - second
    check(
        MONEY
        + f"""
        sell O1 A2 500 @100 peak=20..60 seed=7  => accepted; O1 shows {first} of 500
        buy O2 A4 {first} @100      => accepted; {first}@100 O1 closing taker; O1 shows {second} of {500 - first}
        buy O3 A4 {second} @100     => accepted; {second}@100 O1 closing taker; O1 shows {third} of {left}
        """,
        limits=records.limits_record(quantity_increment_lots=5, quantity_min_lots=5),
    )


def test_what_cannot_be_shown_by_parts_is_refused() -> None:
    check(
        MONEY
        + """
        sell A2 10 @100 peak=4 ioc          => invalid_display
        sell A2 10 peak=4                   => invalid_display
        sell A2 10 @100 peak=11             => peak_above_quantity
        sell A2 10 @100 peak=4..11          => peak_above_quantity
        sell A2 10 @100 peak=4 seed=3       => invalid_conditions
        buy A4 10001 @1 peak=1              => too_many_peaks
        buy O1 A4 10000 @1 peak=1           => accepted; O1 shows 1 of 10000
        amend O1 A4 10001 @1                => too_many_peaks
        """
    )


def test_an_own_order_stands_before_the_reserves_of_others() -> None:
    check(
        MONEY
        + """
        deposit A4 base 10
        sell O1 A2 20 @100 peak=5
        sell O2 A4 5 @100
        buy O3 A4 6 @100 fok stp=expire_taker   => accepted; expired 6 (fill_or_kill)
        buy O4 A4 5 @100 fok stp=expire_taker   => accepted; 5@100 O1 closing taker; O1 shows 5 of 15
        buy O5 A4 9 @100 stp=decrement  => accepted; decrement 5/5@100 O2 closing maker; 4@100 O1 closing taker
        amend O1 A2 12 @100             => amended in place open 3
        """
    )


def test_hidden_orders_stand_behind_all_that_is_displayed() -> None:
    exchange = check(
        MONEY
        + """
        sell O1 A2 10 @100 hidden       => accepted
        sell O2 A3 5 @100               => accepted
        sell O3 A2 4 @99 hidden         => accepted
        buy A4 1 @99 post               => post_only_would_trade
        buy O4 A4 4 @100                => accepted; 4@99 O3 closing both
        buy O5 A4 8 @100                => accepted; 5@100 O2 closing maker; 3@100 O1 closing taker
        buy A5 10 @100 hidden peak=2    => invalid_display
        buy A5 10 @100 hidden ioc       => invalid_display
        buy O6 A5 8 @100 fok            => accepted; expired 8 (fill_or_kill)
        buy O7 A5 7 @100 fok            => accepted; 7@100 O1 closing both
        """
    )
    assert exchange.book(0)[Side.SELL] == []


def test_hidden_orders_share_nothing() -> None:
    blotter = Blotter()
    blotter.send(records.set_allocation(0, 1))
    blotter.lines(
        MONEY
        + """
        sell O1 A2 10 @100
        sell O2 A3 30 @100
        sell O3 A2 10 @100 hidden
        buy O4 A4 20 @100   => accepted; 5@100 O1; 15@100 O2 closing taker
        buy O5 A4 24 @100   => accepted; 5@100 O1 closing maker; 15@100 O2 closing maker; 4@100 O3 closing taker
        amend O3 A2 8 @100  => amended in place open 4
        """
    )
    blotter.finish()


QUOTED = (
    MONEY
    + """
    deposit A4 base 1000
    deposit A2 quote 100000
    reference 100
    buy O1 A2 10 @98
    buy O2 A2 10 @99
    sell O3 A3 10 @104
    sell O4 A3 10 @105
"""
)


def test_a_fixed_peg_finds_its_price_once() -> None:
    exchange = check(
        QUOTED
        + """
        buy O5 A4 5 @0 peg=primary levels=1     => accepted
        buy O6 A4 12 @0 peg=market levels=1     => accepted; 10@104 O3 closing maker; 2@105 O4 closing taker
        buy A4 5 @0 peg=primary levels=2        => no_peg_reference
        cancel O2 A2
        buy O7 A4 5 @0 peg=primary levels=0     => accepted
        buy A4 5 @9 peg=primary levels=0        => invalid_display
        buy A4 5 @0 peg=midpoint levels=0       => invalid_display
        buy A4 5 @0 peg=market levels=0 post    => invalid_display
        """
    )
    assert exchange.book(0)[Side.BUY] == [(98, 20)]


def test_following_pegs_move_after_each_command_in_the_order_in_which_they_came() -> None:
    exchange = check(
        QUOTED
        + """
        buy O5 A4 5 @101 peg=primary            => accepted; O5 moves to 99
        A4                                      => quote 99495+505
        buy O6 A4 5 @103 peg=market away=2      => accepted; O6 moves to 102
        sell O7 A4 5 @101 peg=midpoint hidden   => accepted; O7 moves to 103
        buy O8 A2 1 @100                        => accepted; O5 moves to 100
        sell O9 A3 3 @100                       => accepted; 3@102 O6 closing taker
        cancel O5 A4                            => O5 cancelled 5
        cancel O6 A4                            => O6 cancelled 2; O7 moves to 102
        cancel O7 A4                            => O7 cancelled 5
        A4                                      => quote 99694+0, base 1003+0
        """
    )
    assert exchange.book(0)[Side.BUY] == [(100, 1), (99, 10), (98, 10)]


def test_a_peg_without_a_reference_waits_and_none_crosses_another() -> None:
    check(
        MONEY
        + """
        deposit A4 base 1000
        buy A4 5 @0 peg=primary             => no_reference_price
        buy O1 A4 5 @101 peg=market         => accepted
        amend O1 A4 4 @101                  => order_not_amendable
        sell O2 A3 5 @104                   => accepted; O1 moves to 101
        sell O3 A4 5 @90 peg=market         => accepted
        buy O4 A5 1 @90                     => accepted; O3 moves to 102
        halt instrument 0
        cancel O2 A3                        => O2 cancelled 5
        resume instrument 0                 => setting_applied; continuous; O3 moves to 91
        A4                                  => quote 99495+505, base 995+5
        """
    )
