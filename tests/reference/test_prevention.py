"""Section 5: self-trade prevention."""

import pytest

from tests.reference.blotter import check

GROUP = """
    deposit A2 quote 10000
    deposit A3 base 100
    deposit A4 quote 10000
    deposit A4 base 100
    group A3 7
    group A4 7
"""


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "accepted; 3@10 O1 closing maker; 2@10 O2 closing taker"),
        ("expire_taker", "accepted; expire_taker 5/0@10 O1 closing taker"),
        ("expire_maker", "accepted; expire_maker 0/3@10 O1 closing maker; 4@10 O2 closing maker"),
        ("expire_both", "accepted; expire_both 5/3@10 O1 closing both"),
        ("decrement", "accepted; decrement 3/3@10 O1 closing maker; 2@10 O2 closing taker"),
        ("transfer", "accepted; decrement 3/3@10 O1 closing maker; 2@10 O2 closing taker"),
    ],
)
def test_the_six_modes_within_a_group(mode: str, outcome: str) -> None:
    check(
        GROUP
        + f"""
        deposit A5 base 100
        sell O1 A3 3 @10 stp=expire_both
        sell O2 A5 4 @10
        buy O3 A4 5 @10 stp={mode}      => {outcome}
        """
    )


@pytest.mark.parametrize(
    ("mode", "bid", "outcome"),
    [
        ("expire_taker", 8, "expire_taker 8/0@10 O1 closing taker"),
        ("expire_maker", 8, "expire_maker 0/5@10 O1 closing maker"),
        ("expire_both", 8, "expire_both 8/5@10 O1 closing both"),
        ("decrement", 3, "decrement 3/3@10 O1 closing taker"),
        ("decrement", 5, "decrement 5/5@10 O1 closing both"),
        ("decrement", 8, "decrement 5/5@10 O1 closing maker"),
        ("transfer", 8, "decrement 5/5@10 O1 closing maker"),
    ],
)
def test_the_modes_within_an_account(mode: str, bid: int, outcome: str) -> None:
    exchange = check(
        f"""
        deposit A2 quote 1000
        deposit A2 base 100
        sell O1 A2 5 @10 stp=transfer
        buy O2 A2 {bid} @10 stp={mode}      => accepted; {outcome}
        """
    )
    # Nothing moved, and what is open is held.
    balances = exchange.balances()
    assert (sum(balances[2, 0]), sum(balances[2, 1])) == (100, 1000)
    for order in exchange.open_orders():
        assert order.quantity_lots - order.executed_lots - order.prevented_lots == order.open_lots > 0


def test_a_transfer_moves_base_and_notional_without_fee() -> None:
    check(
        GROUP
        + """
        fees 10000 10000
        sell O1 A3 3 @10 stp=transfer
        buy O2 A4 5 @11 stp=transfer    => accepted; transfer 3/3@10 O1 moving 30 closing maker
        A3                              => base 97+0, quote 30+0
        A4                              => base 103+0, quote 9947+23
        A0                              => quote 0+0
        buy A2 1                        => no_reference_price   # A transfer is not a trade.
        """
    )


def test_a_transferred_bid_pays_out_of_its_hold() -> None:
    # 100 lots at 10 with 1 % hold 1010. 40 transferred: 400 go, the hold falls to 600 + 6, and 4 come back.
    check(
        GROUP
        + """
        fees 0 10000
        buy O1 A4 100 @10 stp=transfer
        A4                                => quote 8990+1010
        sell O2 A3 40 @9 stp=transfer     => accepted; transfer 40/40@10 O1 moving 400 closing taker
        A4                                => quote 8994+606, base 140+0
        A3                                => quote 400+0, base 60+0
        sell O3 A3 60 @9 stp=decrement    => accepted; decrement 60/60@10 O1 closing both
        A4                                => quote 9600+0, base 140+0
        A3                                => quote 400+0, base 60+0
        """
    )


def test_earlier_fills_stay_when_the_taker_expires() -> None:
    check(
        GROUP
        + """
        deposit A5 base 100
        sell O1 A5 2 @9
        sell O2 A3 3 @10
        buy O3 A4 5 @10 stp=expire_taker   => accepted; 2@9 O1 closing maker; expire_taker 3/0@10 O2 closing taker
        A4                                 => quote 9982+0, base 102+0
        cancel O2 A3                       => O2 cancelled 3
        """
    )


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "3@10 O1 closing maker; 4@10 O2; expired 5 quanta (quote_amount_spent)"),
        ("expire_taker", "expire_taker 0/0@10 O1 unspent 75 closing taker"),
        ("expire_maker", "expire_maker 0/3@10 O1 closing maker; 7@10 O2; expired 5 quanta (quote_amount_spent)"),
        ("expire_both", "expire_both 0/3@10 O1 unspent 75 closing both"),
    ],
)
def test_prevention_of_an_order_by_amount(mode: str, outcome: str) -> None:
    check(
        GROUP
        + f"""
        deposit A5 base 100
        reference 10
        sell O1 A3 3 @10
        sell O2 A5 8 @10
        buy O3 A4 for 75 stp={mode}      => accepted at 42959; {outcome}
        """
    )


def test_groups_are_those_of_now_and_zero_is_none() -> None:
    check(
        """
        deposit A2 quote 1000
        deposit A3 base 100
        sell O1 A3 5 @10
        buy O2 A2 1 @10 stp=expire_taker   => accepted; 1@10 O1 closing taker
        group A2 4294967295
        group A3 4294967295
        buy O3 A2 1 @10 stp=expire_taker   => accepted; expire_taker 1/0@10 O1 closing taker
        group A3 0
        buy O4 A2 1 @10 stp=expire_taker   => accepted; 1@10 O1 closing taker
        """
    )


def test_an_amended_order_meets_its_own_by_its_own_mode() -> None:
    check(
        GROUP
        + """
        sell O1 A3 3 @12
        buy O2 A4 5 @10 stp=decrement
        amend O2 A4 6 @12         => amended open 6; decrement 3/3@12 O1 closing maker
        amend O2 A4 3 @12         => quantity_not_above_executed
        amend O2 A4 4 @12         => amended in place open 1
        """
    )


def test_prevented_matches_have_numbers_of_their_own() -> None:
    exchange = check(
        GROUP
        + """
        sell O1 A3 3 @12
        buy O2 A4 1 @12
        buy O3 A4 1 @12 stp=expire_taker
        buy O4 A4 1 @12 stp=expire_taker
        buy O5 A2 1 @12 stp=expire_taker
        """
    )
    instrument = exchange.venue.instruments[0]
    assert (instrument.trades, instrument.prevented_matches) == (2, 2)
