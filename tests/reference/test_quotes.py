"""Section 14: quotes, and what protects whoever shows them."""

from tests.reference import blotter

RICH = """
    deposit A2 quote 100000
    deposit A2 base 1000
    deposit A2 gold 1000
    deposit A3 quote 100000
    deposit A3 base 1000
    deposit A3 gold 1000
    deposit A4 quote 100000
    deposit A4 base 1000
"""


def check(text: str) -> None:
    """Check a blotter, with (R) for what a quote replaced and (P) for what a protection closed."""
    blotter.check(text.replace("(R)", "(quote_replaced)").replace("(P)", "(quote_protection)"))


def test_what_keeps_its_place_and_what_does_not() -> None:
    check(
        RICH
        + """
        quote O1 O2 O3 A2 0:5@10/5@12 1:-/3@20   => quoted O1/O2; quoted -/O3; accepted; accepted; accepted
        buy O4 A3 1 @10
        quote A2 0:5@10/3@12                     => quoted O1/O2; amended in place open 3
        quote O5 A2 0:6@10/3@12                  => quoted O5/O2; O1 cancelled 5 (R); accepted
        sell O6 A4 2 @10                         => accepted; 1@10 O4 closing maker; 1@10 O5 closing taker
        quote A2 0:5@10/3@12                     => quoted O5/O2
        quote O7 A2 0:-/4@13                     => quoted -/O7; O5 cancelled 5 (R); O2 cancelled 3 (R); accepted
        A2                                       => quote 99990+0, base 997+4, gold 997+3
        """
    )


def test_whole_or_not_at_all() -> None:
    check(
        """
        deposit A2 quote 100
        deposit A2 base 5
        quote O1 O2 A2 0:5@10/5@12               => quoted O1/O2; accepted; accepted
        quote A2 0:5@10/5@12 1:6@10/-            => insufficient_funds
        quote A2 0:6@10/5@12 7:1@1/-             => unknown_instrument
        quote A2 0:6@10/5@12 0:1@1/-             => instrument_quoted_twice
        quote A2 0:6@12/5@12                     => quote_crosses_itself
        quote A9 0:6@10/-                        => unknown_account
        quote A2 1:-/1@0 0:6@10/5@12             => price_not_positive
        amend O1 A2 4 @10                        => order_not_amendable
        halt venue
        quote A2 0:4@10/-                        => venue_halted
        quote A2 0:-/-                           => quoted -/-; O1 cancelled 5 (R); O2 cancelled 5 (R)
        A2                                       => quote 100+0, base 5+0
        """
    )


def test_what_leaves_makes_room_first() -> None:
    check(
        """
        deposit A2 quote 100
        quote O1 A2 0:10@10/-
        quote A2 0:10@11/-                       => insufficient_funds
        quote O2 A2 0:-/- 1:10@10/-              => quoted -/-; quoted O2/-; O1 cancelled 10 (R); accepted
        limits A2 open=1
        quote A2 0:1@1/- 1:9@10/-                => open_order_limit_exceeded
        quote O3 A2 0:1@1/- 1:-/-                => quoted O3/-; quoted -/-; O2 cancelled 10 (R); accepted
        """
    )


def test_quotes_count_as_many_orders_as_they_have_sides() -> None:
    check(
        RICH
        + """
        limits A2 orders=3
        quote O1 O2 O3 A2 0:1@1/1@9 1:1@1/-
        quote A2 0:1@1/-                         => order_rate_exceeded
        quote A2 0:-/-                           => quoted -/-; O1 cancelled 1 (R); O2 cancelled 1 (R)
        cancel-quotes A2                         => O3 cancelled 1 (cancelled_all)
        """
    )


def test_a_pending_leg_finds_no_more_than_is_left() -> None:
    # The bid fills the working leg; the pending one would need what the second entry is about to.
    fills = "1@10 O1 closing both; O2 expired 5 (refused_at_start: insufficient_funds); L1 done"
    check(
        """
        deposit A2 quote 60
        deposit A2 base 5
        oto A2: sell O1 1 @10, buy O2 5 @10
        quote O3 O4 A2 0:1@10/- 1:5@10/-         => quoted O3/-; quoted O4/-; accepted; FILLS; accepted
        A2                                       => quote 10+50, base 5+0
        """.replace("FILLS", fills)
    )


def test_the_bids_of_a_pair_count_once_for_the_position() -> None:
    check(
        """
        deposit A2 quote 100000
        position A2 10
        oco A2: buy O1 6 @10, buy O2 6 @30 stop=25
        quote A2 0:5@9/-                         => position_limit_exceeded
        quote O3 A2 0:4@9/-                      => quoted O3/-; accepted
        quote O4 A2 0:4@8/-                      => quoted O4/-; O3 cancelled 4 (R); accepted
        """
    )


def test_protection_in_a_sweep() -> None:
    stops = "protected after 4 in 1; O2 cancelled 5 (P)"
    check(
        RICH
        + """
        protect A2 on=0 lots=3 window=100        => setting_applied
        quote O1 O2 O3 A2 0:4@10/5@12 1:1@1/-
        buy O4 A2 5 @9
        sell O5 A4 9 @8                          => accepted; 4@10 O1 closing maker; STOPS; 5@9 O4 closing both
        quote A2 0:4@10/5@12                     => quote_protection_triggered
        quote A2 1:1@1/-                         => quoted O3/-
        reset A2 on=0                            => setting_applied
        quote O6 O7 A2 0:4@10/5@12               => quoted O6/O7; accepted; accepted
        """.replace("STOPS", stops)
    )


def test_protection_over_all_instruments() -> None:
    stops = "protected after 1 in 1; O3 cancelled 8 (P); O1 cancelled 9 (P); O2 cancelled 9 (P)"
    check(
        RICH
        + """
        protect A2 fills=1 window=100
        quote O1 O2 O3 A2 1:9@10/9@12 0:9@10/-
        sell O4 A3 1 @10                         => accepted; 1@10 O3 closing taker; STOPS
        """.replace("STOPS", stops)
    )


def test_a_taker_is_stopped_and_what_follows_expires() -> None:
    stops = "protected after 1 in 1; expired 4 (P); accepted; expired 5 (P)"
    check(
        RICH
        + """
        sell O1 A3 1 @10
        sell O2 A3 9 @10
        protect A2 fills=1 window=100
        quote O3 O4 A2 0:5@10/5@12               => quoted O3/O4; accepted; 1@10 O1 closing maker; STOPS
        A2                                       => quote 99990+0, base 1001+0
        """.replace("STOPS", stops)
    )


def test_windows() -> None:
    stops = "protected after 2 in 2; O1 cancelled 6 (P)"
    check(
        RICH
        + """
        protect A2 on=0 fills=2 window=100
        quote O1 A2 0:9@10/-
        time 50
        sell O2 A3 1 @10
        time 150
        sell O3 A3 1 @10                         => accepted; 1@10 O1 closing taker
        time 249
        sell O4 A3 1 @10                         => accepted; 1@10 O1 closing taker; STOPS
        protect A2 on=0 fills=9 window=100
        quote A2 0:9@10/-                        => quote_protection_triggered
        protect A2 on=0
        quote O5 A2 0:9@10/-                     => quoted O5/-; accepted
        protect A2 lots=1                        => setting_out_of_range
        protect A2 window=1                      => setting_out_of_range
        protect A2 fills=1048577 window=1        => setting_out_of_range
        """.replace("STOPS", stops)
    )


def test_an_auction_trades_first() -> None:
    crosses = "3@10 O1 with O2 closing maker; 3@10 O1 with O3 closing both; uncrossed 6@10 +0"
    check(
        RICH
        + """
        protect A2 on=0 lots=2 window=100
        state auction opening
        quote O1 A2 0:6@10/-
        sell O2 A3 3 @10
        sell O3 A4 3 @10
        state continuous                         => setting_applied; CROSSES; protected after 3 in 1; continuous
        """.replace("CROSSES", crosses)
    )


def test_quotes_and_sessions() -> None:
    check(
        RICH
        + """
        S5 quote O1 O2 A2 0:5@10/5@12
        S6 quote O3 A2 0:5@10/6@13       => quoted O1/O3; O2 cancelled 5 (R); accepted
        end S5                           => setting_applied; O1 cancelled 5 (session_ended)
        kill S6                          => setting_applied; O3 cancelled 6 (kill_switch)
        S6 quote A2 0:-/-                => session_killed
        S6 cancel-quotes A2
        """
    )
