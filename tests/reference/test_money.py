"""Section 2: fees by cumulative rounding, holds to the quantum, deposits, withdrawals, transfers."""

from hypothesis import given
from hypothesis import strategies as st

from tests.reference.blotter import check
from tests.reference.codes import PPM
from tests.reference.fees import fee_of_fill, fee_on

RICH = """
    deposit A2 quote 100000
    deposit A3 base 1000
    deposit A4 quote 100000
    deposit A4 base 1000
"""


def test_a_fee_is_rounded_on_the_cumulative_notional() -> None:
    # 1000 ppm of 400, 800, 1200, 1600: 0.4, 0.8, 1.2, 1.6, rounded up 1, 1, 2, 2. Fill by fill it would be 1 each.
    check(
        RICH
        + """
        fees 1000 1000
        sell O1 A3 4 @100 id=1          => accepted
        sell O2 A3 12 @100              => accepted
        buy O3 A2 12 @100               => accepted; 4@100 O1 fees 1/1 closing maker; 8@100 O2 fees 1/1 closing taker
        buy O4 A2 4 @100                => accepted; 4@100 O2 fees 1/1 closing both
        """
    )
    check(
        RICH
        + """
        fees 1000 0
        sell O1 A3 4 @100
        sell O2 A3 4 @100
        sell O3 A3 4 @100
        sell O4 A3 4 @100
        buy O5 A2 16 @100 => accepted; 4@100 O1 fees 1/0 closing maker; 4@100 O2 closing maker; """
        + """4@100 O3 fees 1/0 closing maker; 4@100 O4 closing both
        A2 => quote 98398+0, base 16+0
        A0 => quote 2+0
        """
    )


def test_a_makers_fee_is_rounded_over_its_takers() -> None:
    check(
        RICH
        + """
        fees 0 1000
        buy O1 A2 12 @100        => accepted
        A2                       => quote 98798+1202
        sell O2 A3 4 @100        => accepted; 4@100 O1 fees 0/1 closing taker
        A2                       => quote 98798+801, base 4+0
        sell O3 A3 4 @100        => accepted; 4@100 O1 closing taker
        A2                       => quote 98798+401, base 8+0
        sell O4 A3 4 @100        => accepted; 4@100 O1 fees 0/1 closing both
        A2                       => quote 98798+0, base 12+0
        """
    )


def test_a_rebate_rounds_its_payment_down() -> None:
    # Rebate of 200 ppm on 4000, 8000, ...: 0.8 pays 0, 1.6 pays 1, 2.4 pays 2. The hold is the bare notional.
    check(
        RICH
        + "fees 300 0\n"
        + """
        fees 300 -200
        buy O1 A2 120 @100       => accepted
        A2                       => quote 88000+12000
        sell O2 A3 40 @100       => accepted; 40@100 O1 fees 2/0 closing taker
        A2                       => quote 88000+8000, base 40+0
        sell O3 A3 40 @100       => accepted; 40@100 O1 fees 2/-1 closing taker
        A2                       => quote 88001+4000, base 80+0
        sell O4 A3 40 @100       => accepted; 40@100 O1 fees 2/-1 closing both
        A2                       => quote 88002+0, base 120+0
        A0                       => quote 4+0
        """
    )


def test_a_tier_that_was_never_set_has_the_rates_of_the_nearest_lower_one() -> None:
    check(
        RICH
        + """
        fees 1000 0 tier=3
        fees 9000 0 tier=5 schedule=1
        fees 5000 0 tier=9
        sell O1 A3 100 @100
        tier A2 2
        buy O2 A2 10 @100      => accepted; 10@100 O1 closing taker
        tier A2 8
        buy O3 A2 10 @100      => accepted; 10@100 O1 fees 1/0 closing taker
        tier A2 255
        buy O4 A2 10 @100      => accepted; 10@100 O1 fees 5/0 closing taker
        fees 0 0 tier=9
        buy O5 A2 10 @100      => accepted; 10@100 O1 closing taker
        """
    )


def test_a_rebate_needs_every_tier_to_charge() -> None:
    check(
        """
        fees 300 -200 tier=1         => fee_schedule_negative
        fees -1 0                    => fee_schedule_negative
        fees 300 -200
        fees 199 0 tier=255          => fee_schedule_negative
        fees 200 0 tier=255
        fees 199 -200                => fee_schedule_negative
        fees 200 -200
        fees 1000001 0               => setting_out_of_range
        fees 300 0 schedule=256      => setting_out_of_range
        """
    )
    check(
        """
        fees 300 -300
        fees 299 0 tier=9            => fee_schedule_negative
        fees 300 -301 tier=4         => fee_schedule_negative
        """
    )


def test_open_orders_count_with_the_rates_they_have() -> None:
    check(
        RICH
        + """
        buy O1 A2 5 @10              # Accepted without fee: no rebate may meet it as long as it is open.
        """
        + "fees 300 0\n"
        + """
        fees 300 -1                  => fee_schedule_negative
        cancel O1 A2                 => O1 cancelled 5
        fees 300 -1
        """
    )


def test_rates_are_fixed_when_the_order_is_accepted() -> None:
    check(
        RICH
        + """
        fees 0 10000
        buy O1 A2 10 @100            => accepted
        fees 0 50000
        A2                           => quote 98990+1010
        sell O2 A3 10 @100           => accepted; 10@100 O1 fees 0/10 closing both
        """
    )


def test_a_bid_is_covered_to_the_quantum() -> None:
    # 1000 at 1000 ppm of taker and 500 of maker: 1 for the fee, and 1 because two parts are rounded apart.
    for funds, outcome in ((1001, "insufficient_funds"), (1002, "accepted")):
        check(f"fees 1000 500\ndeposit A2 quote {funds}\nbuy O1 A2 10 @100 => {outcome}")
    # Immediate or cancel has no maker part, post-only no taker part.
    for kind in ("ioc", "fok"):
        outcome = f"accepted; expired 10 ({'immediate_or_cancel' if kind == 'ioc' else 'fill_or_kill'})"
        check(f"fees 1000 500\ndeposit A2 quote 1001\nbuy O1 A2 10 @100 {kind} => {outcome}")
        check(f"fees 1000 500\ndeposit A2 quote 1000\nbuy O1 A2 10 @100 {kind} => insufficient_funds")
    check("fees 1000 500\ndeposit A2 quote 1001\nbuy O1 A2 10 @100 post => accepted\nA2 => quote 0+1001")
    check("fees 50000 500\ndeposit A2 quote 1001\nbuy O1 A2 10 @100 post => accepted")
    # What rests holds only its maker's fee.
    check("fees 50000 500\ndeposit A2 quote 1051\nbuy O1 A2 10 @100 => accepted\nA2 => quote 50+1001")


def test_the_last_quantum_may_be_needed() -> None:
    # Takes 333 (fee 0.333, up to 1) and rests 667 (fee up to 0.667, up to 1): 1002 in all, of which nothing is left.
    check(
        """
        fees 1000 1000
        deposit A2 quote 1002
        deposit A3 base 333
        sell O1 A3 333 @1 => accepted
        buy O2 A2 1000 @1 => accepted; 333@1 O1 fees 1/1 closing maker
        A2 => quote 0+668, base 333+0
        """
    )


def test_an_ask_holds_its_base() -> None:
    check(
        """
        deposit A3 base 30
        sell O1 A3 10 @5     => accepted
        A3                   => base 0+30
        sell A3 1 @5         => insufficient_funds
        cancel O1 A3         => O1 cancelled 10
        A3                   => base 30+0
        """,
        base_quanta=3,
    )


def test_better_prices_leave_money_over() -> None:
    check(
        RICH
        + """
        sell O1 A3 5 @90
        buy O2 A2 8 @100     => accepted; 5@90 O1 closing maker
        A2                   => quote 99250+300, base 5+0
        A3                   => quote 450+0, base 995+0
        """
    )


def test_withdrawals() -> None:
    check(
        """
        deposit A2 quote 100       => deposited
        withdraw A2 quote 101      => insufficient_funds
        withdraw A2 quote 0        => amount_not_positive
        withdraw A2 quote 60       => withdrawal_requested W1
        A2                         => quote 40+60
        buy A2 5 @10               => insufficient_funds
        withdraw A2 quote 40       => withdrawal_requested W2
        confirm W1                 => withdrawal_confirmed W1
        confirm W1                 => unknown_withdrawal
        keep W1                    => unknown_withdrawal
        A2                         => quote 0+40
        keep W2                    => withdrawal_cancelled W2
        A2                         => quote 40+0
        permit A2 5
        withdraw A2 quote 1        => account_not_permitted
        withdraw A9 quote 1        => unknown_account
        halt venue
        halt account A2
        permit A2 7
        withdraw A2 quote 1        => withdrawal_requested W3
        deposit A2 quote 1         => deposited
        """
    )


def test_transfers() -> None:
    check(
        """
        deposit A2 quote 100
        deposit A6 quote 100
        transfer A2 A3 quote 30 internal                 => transferred
        transfer A2 A3 quote 71 internal                 => insufficient_funds
        transfer A2 A3 quote -1 internal                 => amount_not_positive
        transfer A2 A2 quote 1 internal                  => same_account
        transfer A2 A6 quote 1 internal                  => account_kinds_forbidden
        transfer A2 A9 quote 1 internal                  => unknown_account
        transfer A6 A2 quote 1 client_credit             => transferred
        transfer A2 A6 quote 1 client_credit             => account_kinds_forbidden
        transfer A6 A1 quote 20 insurance_contribution   => transferred
        transfer A2 A1 quote 20 insurance_contribution   => account_kinds_forbidden
        transfer A6 A2 quote 1 fee_payout                => account_kinds_forbidden
        transfer A0 A6 quote 1 fee_payout                => insufficient_funds
        permit A6 3
        transfer A6 A2 quote 1 client_credit             => account_not_permitted
        A2                                               => quote 71+0
        A1                                               => quote 20+0
        """
    )


def test_transfers_between_shards() -> None:
    check(
        """
        deposit A2 quote 100
        send A2 quote 101 Y1       => insufficient_funds
        send A2 quote 30 Y0        => same_shard
        send A2 quote 30 Y1        => transfer_sent Y1 1
        send A2 quote 20 Y1        => transfer_sent Y1 2
        send A2 quote 10 Y2        => transfer_sent Y2 1
        A2                         => quote 40+0
        arrived Y1 3               => unknown_transfer
        arrived Y1 2               => transfer_confirmed Y1 2
        arrived Y1 2               => unknown_transfer
        arrived Y1 1               => transfer_confirmed Y1 1
        receive A3 quote 5 Y1 2    => transfer_gap
        receive A3 quote 5 Y1 1    => transfer_received Y1 1
        receive A3 quote 5 Y1 1    => transfer_already_received
        receive A2 quote 7 Y1 2    => transfer_received Y1 2
        receive A2 quote 7 Y0 1    => same_shard
        A3                         => quote 5+0
        A2                         => quote 47+0
        halt venue
        permit A2 3
        send A2 quote 1 Y1         => account_not_permitted
        receive A2 quote 1 Y1 3    => transfer_received Y1 3
        arrived Y2 1               => transfer_confirmed Y2 1
        """
    )


def test_what_may_be_elsewhere_has_a_most() -> None:
    most = 2**120
    check(
        f"""
        deposit A2 quote {most}
        send A2 quote {most} Y1            => transfer_sent Y1 1
        deposit A2 quote {most}            => deposited
        send A2 quote 1 Y1                 => amount_too_large
        arrived Y1 1                       => transfer_confirmed Y1 1
        send A2 quote 1 Y1                 => amount_too_large
        receive A3 quote 1 Y1 1            => amount_too_large
        withdraw A2 quote 2                => withdrawal_requested W1
        confirm W1                         => withdrawal_confirmed W1
        receive A3 quote 1 Y1 1            => transfer_received Y1 1
        send A3 quote 1 Y1                 => transfer_sent Y1 2
        receive A3 base {most} Y1 2        => transfer_received Y1 2
        withdraw A3 base {most}            => withdrawal_requested W2
        confirm W2                         => withdrawal_confirmed W2
        receive A3 base 1 Y1 3             => amount_too_large
        """
    )


def test_the_venue_has_a_most() -> None:
    most = 2**120
    check(
        f"""
        deposit A2 quote {most + 1}     => amount_too_large
        deposit A2 quote {most}         => deposited
        deposit A3 quote 1              => amount_too_large
        deposit A3 base {most}          => deposited
        withdraw A2 quote 1             => withdrawal_requested W1
        deposit A3 quote 1              => amount_too_large
        confirm W1                      => withdrawal_confirmed W1
        deposit A3 quote 1              => deposited
        """
    )


@given(st.lists(st.integers(0, 2**70), max_size=20), st.integers(-PPM, PPM))
def test_fees_of_fills_add_up_to_the_fee_of_the_whole(notionals: list[int], rate_ppm: int) -> None:
    traded = posted = 0
    for notional in notionals:
        posted += fee_of_fill(traded, notional, rate_ppm)
        traded += notional
    exact = traded * rate_ppm
    assert posted == fee_on(traded, rate_ppm)
    assert exact <= posted * PPM < exact + PPM
