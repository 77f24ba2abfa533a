"""Section 9: restrictions and the kill switch."""

from tests.reference.blotter import check

RICH = """
    deposit A2 quote 100000
    deposit A2 base 1000
    deposit A3 quote 100000
    deposit A3 base 1000
    deposit A4 quote 100000
    deposit A4 base 1000
"""


def test_a_kill_switch_takes_everything_and_lets_nothing_in() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        buy O2 A3 1 @9
        buy O3 A2 3 @30 stop=25          => accepted; waits for 25
        kill A2                          => setting_applied; O1 cancelled 5 (kill_switch); O3 cancelled 3 (kill_switch)
        A2                               => quote 100000+0
        buy A2 5 @10                     => kill_switch_engaged
        sell A2 5 @20 ioc                => kill_switch_engaged
        replace O1 A2 by buy 1 @9        => kill_switch_engaged
        cancel O1 A2                     => unknown_order
        withdraw A2 quote 5              => withdrawal_requested W1
        kill A2                          => setting_applied
        release A2                       => setting_applied
        release A2                       => setting_applied
        buy O4 A2 5 @10                  => accepted
        """
    )


def test_a_session_takes_what_came_by_it() -> None:
    check(
        RICH
        + """
        S5 buy O1 A2 5 @10
        S6 buy O2 A2 5 @9
        S5 buy O3 A3 3 @30 stop=25       => accepted; waits for 25
        buy O4 A3 1 @8
        S5 replace O2 A2 by buy O5 4 @9  => O2 cancelled 5 (replaced); accepted
        S6 amend O1 A2 4 @10             => amended in place open 4
        S5 cancel O5 A2                  => O5 cancelled 4
        kill S5              => setting_applied; O1 cancelled 4 (kill_switch); O3 cancelled 3 (kill_switch)
        S5 buy A2 5 @10                  => session_killed
        S5 buy A77 5 @10 ioc             => session_killed
        S5 amend O4 A3 2 @8              => session_killed
        S5 replace O4 A3 by buy 1 @9     => session_killed
        S5 cancel O4 A3                  => O4 cancelled 1
        S6 buy O6 A2 5 @10               => accepted
        release S5                       => setting_applied
        S5 buy O7 A2 5 @9                => accepted
        end S6                           => setting_applied; O6 cancelled 5 (session_ended)
        end S6                           => setting_applied
        end S5                           => setting_applied; O7 cancelled 5 (session_ended)
        """
    )


def test_a_group_is_whoever_is_in_it() -> None:
    check(
        RICH
        + """
        group A2 7
        buy O1 A2 5 @10
        buy O2 A3 5 @11
        kill G7                          => setting_applied; O1 cancelled 5 (kill_switch)
        buy A2 5 @10                     => kill_switch_engaged
        group A3 7                       => setting_applied; O2 cancelled 5 (kill_switch)
        group A2 0
        buy O3 A2 5 @10                  => accepted
        kill A3
        release G7
        buy A3 1 @5                      => kill_switch_engaged
        release A3
        buy O4 A3 1 @5                   => accepted
        """
    )


def test_levels_of_a_restriction() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10
        sell O2 A2 5 @20
        restrict A2 level=1              => setting_applied
        buy A2 1 @10                     => account_restricted
        buy O3 A2 1 @10 on=1             => accepted
        sell O4 A3 1 @10                 => accepted; 1@10 O1 closing taker
        amend O1 A2 4 @10                => account_restricted
        amend O2 A2 6 @20                => amended open 6
        restrict A2 level=2 cancel       => setting_applied; O1 cancelled 4 (restricted); O2 cancelled 6 (restricted)
        sell A2 1 @20                    => account_restricted
        restrict A2 level=0 cancel       => setting_applied
        buy O5 A2 1 @10                  => accepted
        """
    )


def test_a_groups_restriction_and_ones_own() -> None:
    check(
        RICH
        + """
        group A2 7
        group A3 7
        buy O1 A2 5 @10
        sell O2 A2 5 @20
        buy O3 A3 5 @11
        buy O4 A4 5 @11
        restrict G7 level=1 cancel       => setting_applied; O1 cancelled 5 (restricted); O3 cancelled 5 (restricted)
        restrict A2 level=2              => setting_applied
        sell A2 1 @20                    => account_restricted
        sell O5 A3 1 @20                 => accepted
        restrict A2 level=0
        sell O6 A2 1 @20                 => accepted
        buy A2 1 @10                     => account_restricted
        group A2 0
        buy O7 A2 1 @10                  => accepted
        """
    )


def test_what_fires_is_looked_at_again() -> None:
    fires = "setting_applied; O1 fires at 25; expired 2 (refused_at_trigger: account_restricted)"
    check(
        RICH
        + f"""
        mark 20
        buy O1 A2 2 @30 stop=25 of=mark
        restrict A2 level=1
        mark 25                          => {fires}
        """
    )


def test_whom_there_is_not() -> None:
    check(
        """
        kill A99                         => unknown_account
        kill G0                          => setting_out_of_range
        release G4294967296              => setting_out_of_range
        restrict A2 level=3              => setting_out_of_range
        restrict A99 level=1             => unknown_account
        """
    )
