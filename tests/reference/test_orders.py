"""Section 3: the checks of new orders, matching, fill or kill, orders by amount."""

import pytest

from tests.reference import records
from tests.reference.blotter import Blotter, check
from tests.reference.codes import EventKind, Side
from tests.reference.reject import RejectReason

RICH = """
    deposit A2 quote 1000000
    deposit A3 base 1000
    deposit A4 quote 1000000
    deposit A4 base 1000
    deposit A5 base 1000
"""
LIMITS = records.limits_record(
    price_increment_ticks=5,
    quantity_increment_lots=10,
    quantity_min_lots=20,
    quantity_max_lots=90,
    notional_min_quanta=2_000,
    notional_max_quanta=9_000,
    band_down_ppm=100_000,
    band_up_ppm=200_000,
)


def test_best_price_then_time() -> None:
    check(
        RICH
        + """
        sell O1 A3 2 @101      => accepted
        sell O2 A3 2 @100      => accepted
        sell O3 A5 2 @100      => accepted
        buy O4 A2 5 @101       => accepted; 2@100 O2 closing maker; 2@100 O3 closing maker; 1@101 O1 closing taker
        buy O5 A2 3 @101       => accepted; 1@101 O1 closing maker
        sell O6 A3 1 @99       => accepted; 1@101 O5 closing taker
        """
    )


def test_what_does_not_trade() -> None:
    check(
        RICH
        + """
        sell O1 A3 2 @100
        buy O2 A2 5 @100 ioc     => accepted; 2@100 O1 closing maker; expired 3 (immediate_or_cancel)
        buy O3 A2 5 @100 ioc     => accepted; expired 5 (immediate_or_cancel)
        sell O4 A3 2 @100
        buy O5 A2 5              => accepted at 110; 2@100 O4 closing maker; expired 3 (no_liquidity)
        sell O6 A3 5             => accepted at 80; expired 5 (no_liquidity)
        """,
        limits=records.limits_record(band_down_ppm=200_000, band_up_ppm=100_000),
    )


def test_a_market_order_stops_at_the_band() -> None:
    check(
        RICH
        + """
        buy A2 1                 => no_reference_price
        reference 99             # up 10.5 % is 109.395, down 10.5 % is 88.605: inwards to 109 and 89.
        sell O1 A3 1 @109        => accepted
        buy A4 1 @88             => price_outside_band
        buy O2 A4 1 @89          => accepted
        sell A3 1 @110           => price_outside_band
        buy O3 A2 3              => accepted at 109; 1@109 O1 closing maker; expired 2 (no_liquidity)
        sell O4 A3 3             => accepted at 89; 1@89 O2 closing maker; expired 2 (no_liquidity)
        reference 0              # The last trade, 89, takes its place.
        buy O5 A2 1              => accepted at 98; expired 1 (no_liquidity)
        """,
        limits=records.limits_record(band_down_ppm=105_000, band_up_ppm=105_000),
    )


def test_a_market_bid_is_covered_at_the_bands_edge() -> None:
    for funds, outcome in ((1_101, "insufficient_funds"), (1_102, "accepted at 110; expired 10 (no_liquidity)")):
        check(
            f"fees 1000 900000\nreference 100\ndeposit A2 quote {funds}\nbuy O1 A2 10 => {outcome}",
            limits=records.limits_record(band_up_ppm=100_000),
        )


def test_fill_or_kill() -> None:
    check(
        RICH
        + """
        sell O1 A3 3 @100
        sell O2 A5 3 @101
        sell O3 A5 3 @102
        buy O4 A2 7 @101 fok     => accepted; expired 7 (fill_or_kill)
        buy O5 A2 6 @101 fok     => accepted; 3@100 O1 closing maker; 3@101 O2 closing both
        buy O6 A2 4 fok          => accepted at 4337; expired 4 (fill_or_kill)
        buy O7 A2 3 fok          => accepted at 4337; 3@102 O3 closing both
        """,
        limits=records.limits_record(band_up_ppm=41_950_000),
    )


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "accepted; 2@100 O1 closing maker; 2@100 O2 closing taker"),
        ("expire_taker", "accepted; expired 4 (fill_or_kill)"),
        ("expire_both", "accepted; expired 4 (fill_or_kill)"),
        ("expire_maker", "accepted; expired 4 (fill_or_kill)"),
        ("decrement", "accepted; expired 4 (fill_or_kill)"),
        ("transfer", "accepted; expired 4 (fill_or_kill)"),
    ],
)
def test_own_quantity_does_not_count_for_fill_or_kill(mode: str, outcome: str) -> None:
    # 2 of its own in front, 3 of another behind: 4 are not there without the own.
    check(
        RICH
        + f"""
        sell O1 A4 2 @100
        sell O2 A3 3 @100
        buy O3 A4 4 @100 fok stp={mode}   => {outcome}
        """
    )


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "accepted; 2@100 O1 closing maker; 1@100 O2 closing taker"),
        ("expire_taker", "accepted; expired 3 (fill_or_kill)"),
        ("expire_both", "accepted; expired 3 (fill_or_kill)"),
        ("expire_maker", "accepted; expire_maker 0/2@100 O1 closing maker; 3@100 O2 closing both"),
        ("decrement", "accepted; decrement 2/2@100 O1 closing maker; 1@100 O2 closing taker"),
        ("transfer", "accepted; decrement 2/2@100 O1 closing maker; 1@100 O2 closing taker"),
    ],
)
def test_fill_or_kill_over_an_own_order(mode: str, outcome: str) -> None:
    check(
        RICH
        + f"""
        sell O1 A4 2 @100
        sell O2 A3 3 @100
        buy O3 A4 3 @100 fok stp={mode}   => {outcome}
        """
    )


def test_an_own_order_behind_the_quantity_does_not_kill() -> None:
    check(
        RICH
        + """
        sell O1 A3 3 @100
        sell O2 A4 2 @100
        buy O3 A4 3 @100 fok stp=expire_taker   => accepted; 3@100 O1 closing both
        """
    )


def test_a_bid_by_amount_pays_its_fee_from_the_amount() -> None:
    # 10 % fee. 5 lots at 100 cost 550. The rest of 1000 is 450: 4 lots at 101 cost 404 and a fee of 40.4, rounded on
    # the cumulative 904: 91 less the 50 posted. 450 - 445 = 5 are left.
    check(
        RICH
        + """
        fees 100000 0
        reference 100
        sell O1 A3 5 @100
        sell O2 A3 9 @101
        buy O3 A2 for 1000    => accepted at 200; 5@100 O1 fees 50/0 closing maker; 4@101 O2 fees 41/0; """
        + """expired 5 quanta (quote_amount_spent)
        A2                    => quote 999005+0, base 9+0
        A0                    => quote 91+0
        """,
        limits=records.limits_record(band_up_ppm=1_000_000),
    )


def test_an_amount_may_come_out_even() -> None:
    check(
        RICH
        + """
        reference 100
        sell O1 A3 5 @100
        buy O2 A2 for 300     => accepted at 110; 3@100 O1 closing taker
        buy O3 A2 for 200     => accepted at 110; 2@100 O1 closing both
        buy O4 A2 for 200     => accepted at 110; expired 200 quanta (no_liquidity)
        buy O5 A4 4 @98
        sell O6 A3 for 197    => accepted at 90; 2@98 O5; expired 1 quanta (quote_amount_spent)
        sell O7 A3 for 97     => accepted at 90; expired 97 quanta (quote_amount_spent)
        sell O8 A3 for 196    => accepted at 90; 2@98 O5 closing both
        sell O9 A3 for 180    => accepted at 90; expired 180 quanta (no_liquidity)
        """,
        limits=records.limits_record(band_up_ppm=100_000, band_down_ppm=100_000),
    )


def test_an_ask_by_amount_counts_its_gross() -> None:
    check(
        RICH
        + """
        fees 100000 0
        reference 100
        buy O1 A2 9 @100
        sell O2 A3 for 450    => accepted at 90; 4@100 O1 fees 40/0; expired 50 quanta (quote_amount_spent)
        A3                    => quote 360+0, base 996+0
        """,
        limits=records.limits_record(band_down_ppm=100_000),
    )


def test_an_ask_by_amount_needs_its_lots_at_the_worst_price() -> None:
    limits = records.limits_record(band_down_ppm=500_000, quantity_increment_lots=10)
    # 999 quanta at 50 are 19.98 lots: 19, although only whole tens can be traded.
    for base, outcome in ((18, "insufficient_funds"), (19, "accepted at 50; expired 999 quanta (no_liquidity)")):
        check(f"reference 100\ndeposit A3 base {base}\nsell O1 A3 for 999 => {outcome}", limits=limits)
    check("reference 100\ndeposit A3 base 99\nsell O1 A3 for 49 => insufficient_funds", limits=limits)
    check(
        "reference 100\ndeposit A3 base 1\nsell O1 A3 for 50 => accepted at 50; expired 50 quanta (no_liquidity)",
        limits=limits,
    )


def test_an_ask_by_amount_is_covered_for_makers_that_are_no_whole_increment() -> None:
    # The increment grows to 10 while 5 lots are open: 19 lots' worth is covered, of which 5 and then 10 are traded.
    blotter = Blotter(limits=records.limits_record(band_down_ppm=500_000))
    blotter.lines("reference 100\ndeposit A2 quote 10000\ndeposit A3 base 19\nbuy O1 A2 5 @50\nbuy O2 A2 40 @50")
    blotter.send(
        records.set_instrument_limits(0, records.limits_record(quantity_increment_lots=10, band_down_ppm=500_000))
    )
    blotter.lines(
        """
        sell O3 A3 for 999 => accepted at 50; 5@50 O1 closing maker; 10@50 O2; expired 249 quanta (quote_amount_spent)
        A3                 => base 4+0, quote 750+0
        """
    )
    blotter.finish()


def test_whole_increments_but_not_above_what_the_maker_has() -> None:
    blotter = Blotter(limits=records.limits_record(band_up_ppm=100_000))
    blotter.lines("reference 100\ndeposit A2 quote 10000\ndeposit A3 base 100\nsell O1 A3 15 @100\nsell O2 A3 15 @100")
    blotter.send(
        records.set_instrument_limits(0, records.limits_record(quantity_increment_lots=10, band_up_ppm=100_000))
    )
    blotter.lines(
        """
        buy O3 A2 for 1900   => accepted at 110; 10@100 O1; expired 900 quanta (quote_amount_spent)
        buy O4 A2 for 1500   => accepted at 110; 5@100 O1 closing maker; 10@100 O2 closing taker
        buy O5 A2 for 1900   => accepted at 110; 5@100 O2 closing maker; expired 1400 quanta (no_liquidity)
        """
    )
    blotter.finish()


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("buy A2 25 @98 on=9", "unknown_instrument"),
        ("buy A9 25 @98", "unknown_account"),
        ("buy A0 25 @98", "account_not_permitted"),
        ("buy A1 25 @98", "account_not_permitted"),
        ("buy A2 25 @0", "price_not_positive"),
        ("buy A2 25 @-5", "price_not_positive"),
        ("buy A2 25 @98", "price_not_on_tick"),
        ("buy A2 0 @100", "quantity_not_positive"),
        ("buy A2 25 @100", "quantity_not_on_lot"),
        ("buy A2 10 @100", "quantity_below_minimum"),
        ("buy A2 100 @100", "quantity_above_maximum"),
        ("buy A2 20 @95", "notional_below_minimum"),
        ("buy A2 90 @105", "notional_above_maximum"),
        ("buy A2 20 @1000", "notional_above_maximum"),
        ("buy A2 30 @85", "price_outside_band"),
        ("buy A2 30 @125", "price_outside_band"),
        ("buy O1 A2 30 @90", "accepted"),
        ("buy O1 A2 30 @120", "accepted"),
        ("buy A2 for 0", "amount_not_positive"),
        ("buy A2 for -5", "amount_not_positive"),
        ("buy A2 for 1999", "notional_below_minimum"),
        ("buy A2 for 9001", "notional_above_maximum"),
        ("buy A2 for 170141183460469231731687303715884105727", "notional_above_maximum"),
        ("buy A2 25", "quantity_not_on_lot"),
    ],
)
def test_the_checks_of_price_and_size(order: str, reason: str) -> None:
    check(f"{RICH}\nreference 100\n{order} => {reason}", limits=LIMITS)


def test_a_market_order_needs_a_price_before_its_value_is_known() -> None:
    check("buy A2 20 => no_reference_price\nbuy A2 for 1 => notional_below_minimum", limits=LIMITS)


def test_precedence_of_market_and_account() -> None:
    check(
        """
        halt venue
        halt instrument 0
        halt account A2
        permit A2 6
        buy A2 0 @0          => venue_halted
        buy A9 0 @0 on=9     => unknown_instrument
        resume venue
        buy A9 0 @0          => instrument_halted
        resume instrument 0
        buy A9 0 @0          => unknown_account
        buy A2 0 @0          => account_halted
        resume account A2
        buy A2 0 @0          => account_not_permitted
        permit A2 1
        buy A2 0 @0          => price_not_positive
        """
    )


def test_rates_count_refused_messages_in_whole_seconds() -> None:
    check(
        RICH
        + """
        time 1999999999
        limits A2 messages=3 orders=2
        buy O1 A2 1 @10             => accepted
        buy A2 0 @10                => quantity_not_positive
        buy A2 1 @10                => order_rate_exceeded
        buy A2 1 @10                => message_rate_exceeded
        amend O1 A2 2 @10           => message_rate_exceeded
        cancel O1 A2                => O1 cancelled 1
        time 2000000000
        buy O2 A2 1 @10             => accepted
        amend O2 A2 2 @10           => amended open 2
        replace O2 A2 by buy O3 3 @10 => O2 cancelled 2 (replaced); accepted
        replace O3 A2 by buy 3 @10  => message_rate_exceeded
        time 3000000000
        buy O4 A2 1 @10             => accepted
        replace O4 A2 by buy O5 1 @11 => O4 cancelled 1 (replaced); accepted
        amend O5 A2 9 @10           => amended open 9
        """
    )


def test_client_order_ids_are_unique_while_open() -> None:
    check(
        RICH
        + """
        buy O1 A2 1 @10 id=7        => accepted
        buy A2 1 @10 id=7           => duplicate_client_order_id
        buy O2 A2 1 @10 id=07       => accepted
        buy A2 1 @10 id=07          => duplicate_client_order_id
        buy O3 A4 1 @10 id=7        => accepted
        cancel id=07 A2             => O2 cancelled 1
        cancel id=07 A2             => unknown_order
        buy O4 A2 1 @10 id=07       => accepted
        buy O5 A2 1 @10 ioc id=9    => accepted; expired 1 (immediate_or_cancel)
        buy O6 A2 1 @10 id=9        => accepted
        """
    )


def test_no_client_order_id_names_no_order() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 100\nbuy O1 A2 1 @10")
    (event,) = blotter.send(records.cancel(2, client_order_id=0))
    assert event.reason == RejectReason.UNKNOWN_ORDER


def test_open_order_limit_is_for_orders_that_may_rest() -> None:
    check(
        RICH
        + """
        limits A2 open=1
        buy O1 A2 1 @10             => accepted
        buy A2 1 @10                => open_order_limit_exceeded
        buy O2 A2 1 @10 ioc         => accepted; expired 1 (immediate_or_cancel)
        replace O1 A2 by buy O3 1 @9 => O1 cancelled 1 (replaced); accepted
        """
    )


def test_position_limit_counts_what_is_there_and_open_bids() -> None:
    check(
        """
        deposit A2 quote 1000000
        deposit A3 base 1000
        deposit A2 base 20           # 6 lots of 3, and 2 quanta
        position A2 10
        buy A2 4 @10                 => position_limit_exceeded
        buy O1 A2 3 @10              => accepted
        buy A2 1 @10                 => position_limit_exceeded
        buy O2 A4 0 @10              => quantity_not_positive
        sell O2 A2 5 @20             => accepted
        buy A2 1 @10                 => position_limit_exceeded
        amend O1 A2 4 @10            => position_limit_exceeded
        amend O1 A2 3 @9             => amended open 3
        amend O1 A2 2 @9             => amended in place open 2
        replace O1 A2 by buy O3 3 @8 => O1 cancelled 2 (replaced); accepted
        position A2 0
        amend O3 A2 2 @8             => amended in place open 2
        amend O3 A2 2 @9             => position_limit_exceeded
        sell O4 A2 1 @20             => accepted
        """,
        base_quanta=3,
    )


def test_position_limit_of_an_order_by_amount() -> None:
    check(
        RICH
        + """
        reference 100
        position A2 4
        buy O1 A2 for 5000           => accepted at 110; expired 5000 quanta (no_liquidity)
        sell O2 A3 9 @105
        buy A2 for 525               => position_limit_exceeded
        buy O3 A2 for 524            => accepted at 110; 4@105 O2; expired 104 quanta (quote_amount_spent)
        """,
        limits=records.limits_record(band_up_ppm=100_000),
    )


def test_position_limit_of_an_order_by_amount_counts_lots_that_are_no_whole_increment() -> None:
    limits = records.limits_record(band_up_ppm=100_000, quantity_increment_lots=10)
    lines = RICH + "reference 100\nsell O1 A3 90 @100\nposition A2 19\nbuy {order} for {amount} => {outcome}"
    check(lines.format(order="A2", amount=2000, outcome="position_limit_exceeded"), limits=limits)
    spent = "accepted at 110; 10@100 O1; expired 999 quanta (quote_amount_spent)"
    check(lines.format(order="O2 A2", amount=1999, outcome=spent), limits=limits)


def test_a_market_bids_worst_value_has_a_bound() -> None:
    # At the reference of 2^61 the value is 2^119, at the edge of the band nearly 2^121.
    blotter = Blotter(quanta=2**18, limits=records.limits_record(notional_max_quanta=2**119, band_up_ppm=3 * 10**6))
    blotter.send(records.deposit(2, 1, 2**120))
    blotter.send(records.set_reference_price(0, 2**61))
    blotter.lines(
        f"buy A2 {2**40} => insufficient_funds\nbuy O1 A2 {2**38} fok => accepted at {2**63 - 1}; "
        f"expired {2**38} (fill_or_kill)"
    )
    blotter.finish()


def test_post_only() -> None:
    check(
        RICH
        + """
        sell O1 A3 1 @100
        buy A2 1 @100 post           => post_only_would_trade
        buy O2 A2 1 @99 post         => accepted
        sell A2 1 @99 post           => insufficient_funds
        sell A4 1 @99 post           => post_only_would_trade
        amend O2 A2 1 @100           => post_only_would_trade
        replace O1 A3 by sell O3 1 @100 post => O1 cancelled 1 (replaced); accepted
        """
    )


def test_post_only_ignores_the_order_it_replaces() -> None:
    check(
        RICH
        + """
        sell O1 A4 1 @100
        buy A4 1 @100 post                     => post_only_would_trade
        replace O1 A4 by buy O2 1 @100 post    => O1 cancelled 1 (replaced); accepted
        """
    )


def test_the_accepted_event_carries_the_order() -> None:
    blotter = Blotter()
    blotter.lines("deposit A2 quote 1000\nfees 1500 -0")
    command = records.place(2, 0, Side.BUY, 3, 10, client_order_id=b"first-order", post_only=True)
    accepted, text = blotter.send(command)
    assert accepted.kind is EventKind.ORDER_ACCEPTED
    assert text.kind is EventKind.CLIENT_ORDER_ID_TEXT
    assert (accepted.open_lots, accepted.quantity_lots, accepted.price_ticks, accepted.reference) == (1500, 3, 10, 0)
    assert (accepted.order_flags, accepted.k, text.k, text.order_id, text.text) == (9, 0, 1, 1, b"first-order")
    assert (accepted.flags, text.flags) == (0, 1)
