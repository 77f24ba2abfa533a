//! Market orders: by quantity and by quote amount.

use crate::common::Venue;

#[test]
fn a_market_order_needs_a_reference_or_a_last_trade() {
    Venue::new().check(
        "
        buy A2 1 market      => NoReferencePrice
        buy A2 100q market   => NoReferencePrice
        reference I0 10
        buy A2 1 market      => accepted, expired 1 NoLiquidity
        reference I0 0
        sell A2 1 market     => NoReferencePrice
        sell A2 1 @10        => accepted
        buy A3 1 @10         => accepted, O2 1@10
        // The last trade is a reference now.
        sell A2 1 market     => accepted, expired 1 NoLiquidity
        ",
    );
}

#[test]
fn by_quantity_it_takes_within_the_band_and_the_rest_expires() {
    Venue::new().check(
        "
        limits I0 down=100000 up=100000
        reference I0 100
        sell A2 2 @100       => accepted
        sell A2 2 @110       => accepted
        sell A2 2 @111       => PriceOutsideBand
        buy A3 5 market      => accepted, O1 2@100, O2 2@110, expired 1 NoLiquidity
        buy A2 2 @100        => accepted
        buy A2 2 @90         => accepted
        buy A2 2 @89         => PriceOutsideBand
        sell A3 5 market     => accepted, O4 2@100, O5 2@90, expired 1 NoLiquidity
        reference I0 120
        // The band has moved away from what rests: 108 to 132.
        sell A2 2 @108       => accepted
        buy A2 2 @120        => accepted, O7 2@108
        buy A3 3 market      => accepted, expired 3 NoLiquidity
        ",
    );
}

#[test]
fn a_market_ask_never_goes_below_one_tick() {
    Venue::new().check(
        "
        reference I0 5
        buy A2 3 @1      => accepted
        sell A3 4 market => accepted, O1 3@1, expired 1 NoLiquidity
        ",
    );
}

#[test]
fn fill_or_kill_market_orders_trade_whole_or_not_at_all() {
    Venue::new().check(
        "
        reference I0 10
        sell A2 3 @10        => accepted
        buy A3 4 market fok  => accepted, expired 4 FillOrKill
        buy A3 3 market fok  => accepted, O1 3@10
        ",
    );
}

#[test]
fn a_bid_by_amount_spends_no_more_than_that_fee_included() {
    Venue::new().check(
        "
        fee S0 T0 100000 0
        reference I0 10
        sell A2 5 @10        => accepted
        sell A2 5 @20        => accepted
        // 3 lots cost 30 and a fee of 3; a fourth would make it 44.
        buy A3 43q market    => accepted, O1 3@10 fee 3/0, expired unspent 10 QuoteAmountSpent
        balance A3 quote     => 999967 + 0
        // 2@10 = 20 + 2, then 1@20 on top: cumulative 40, fee 4: 44 of 44.
        buy A3 44q market    => accepted, O1 2@10 fee 2/0, O2 1@20 fee 2/0
        // One quantum less and the second maker is too dear.
        sell A2 2 @10        => accepted
        buy A3 43q market    => accepted, O5 2@10 fee 2/0, expired unspent 21 QuoteAmountSpent
        // The book ends first: 4@20 = 80 + 8.
        buy A3 100q market   => accepted, O2 4@20 fee 8/0, expired unspent 12 NoLiquidity
        book I0              => |
        buy A3 100q market   => accepted, expired unspent 100 NoLiquidity
        ",
    );
}

#[test]
fn a_bid_by_amount_that_buys_nothing_expires_whole() {
    Venue::new().check(
        "
        reference I0 10
        sell A2 5 @10    => accepted
        buy A3 9q market => accepted, expired unspent 9 QuoteAmountSpent
        ",
    );
}

#[test]
fn an_ask_by_amount_stops_before_its_gross_exceeds_it() {
    Venue::new().check(
        "
        fee S0 T0 100000 0
        reference I0 10
        limits I0 down=900000 up=900000
        buy A2 5 @10         => accepted
        buy A2 5 @7          => accepted
        // 4 lots are 40; the fee comes out of the proceeds.
        sell A3 43q market   => accepted, O1 4@10 fee 4/0, expired unspent 3 QuoteAmountSpent
        balance A3 quote     => 1000036 + 0
        // 1@10 and 2@7: 24 of 24.
        sell A3 24q market   => accepted, O1 1@10 fee 1/0, O2 2@7 fee 2/0
        sell A3 100q market  => accepted, O2 3@7 fee 3/0, expired unspent 79 NoLiquidity
        ",
    );
}

#[test]
fn by_amount_counts_in_whole_increments() {
    Venue::new().check(
        "
        limits I0 lot=5 min=5
        reference I0 10
        sell A2 20 @10       => accepted
        // 99 would pay for nine lots.
        buy A3 99q market    => accepted, O1 5@10, expired unspent 49 QuoteAmountSpent
        buy A2 20 @9         => accepted
        sell A3 89q market   => accepted, O3 5@9, expired unspent 44 QuoteAmountSpent
        // A maker that an earlier rule left with an odd quantity is taken whole.
        limits I0 lot=4
        buy A3 150q market   => accepted, O1 15@10
        ",
    );
}

#[test]
fn the_fee_of_a_bid_by_amount_is_rounded_on_its_sum() {
    // A fee of a tenth of a quantum a lot: nine more lots cost no further fee once the first was charged.
    Venue::new().check(
        "
        fee S0 T0 10000 0
        reference I0 10
        sell A2 1 @10        => accepted
        sell A2 9 @10        => accepted
        buy A3 101q market   => accepted, O1 1@10 fee 1/0, O2 9@10
        balance A3 quote     => 999899 + 0
        ",
    );
}

#[test]
fn a_rebate_for_takers_buys_a_little_more() {
    Venue::new().check(
        "
        fee S0 T0 0 200000
        fee S0 T0 -100000 200000
        reference I0 10
        sell A2 20 @10       => accepted
        // 9 lots cost 90 and give back 9; a tenth fits its notional of 100.
        buy A3 100q market   => accepted, O1 10@10 fee -10/20, expired unspent 10 QuoteAmountSpent
        ",
    );
}

#[test]
fn an_ask_by_amount_must_have_what_it_could_sell_at_worst() {
    Venue::poor().check(
        "
        deposit A2 base 10
        deposit A3 quote 1000
        reference I0 10
        limits I0 down=500000 up=500000
        buy A3 10 @10        => accepted
        // At worst, at 5, an amount of 51 is ten lots; 55 are eleven.
        sell A2 55q market   => InsufficientFunds
        sell A2 4q market    => InsufficientFunds
        sell A2 51q market   => accepted, O1 5@10, expired unspent 1 QuoteAmountSpent
        ",
    );
}

#[test]
fn a_bid_by_amount_needs_the_amount() {
    Venue::poor().check(
        "
        deposit A2 quote 99
        deposit A3 base 10
        reference I0 10
        sell A3 10 @10       => accepted
        buy A2 100q market   => InsufficientFunds
        buy A2 99q market    => accepted, O1 9@10, expired unspent 9 QuoteAmountSpent
        ",
    );
}

#[test]
fn a_market_bid_by_quantity_is_held_at_the_edge_of_the_band() {
    Venue::poor().check(
        "
        deposit A2 quote 32
        deposit A3 base 10
        fee S0 T0 100000 0
        limits I0 up=500000
        reference I0 10
        sell A3 10 @10       => accepted
        // At worst 2@15 = 30 and a fee of 3.
        buy A2 2 market      => InsufficientFunds
        deposit A2 quote 1
        buy A2 2 market      => accepted, O1 2@10 fee 2/0
        balance A2 quote     => 11 + 0
        ",
    );
}

#[test]
fn a_market_bid_whose_worst_value_is_beyond_all_money_is_not_covered() {
    let most = 1_i128 << 120;
    Venue::new().check(&format!(
        "
        list I2 wide base=1 quote=2 tick_lot=18446744073709551615 notional_max={}
        deposit A2 coin {}
        limits I2 up=4000000000 notional_max={}
        reference I2 1048576
        // 2^20 x 2^36 x 2^64 is 2^120 less a little; four thousand times that is more than there can be.
        buy A2 68719476736 market I2    => NotionalAboveMaximum
        buy A2 34359738367 market I2    => InsufficientFunds
        ",
        most / 2,
        most - 4_000_000,
        most / 2,
    ));
}

#[test]
fn a_bid_by_amount_may_not_buy_more_lots_than_a_position_can_be() {
    let limit = 1_i128 << 62;
    let venue = || {
        let mut venue = Venue::poor();
        venue.check(&format!(
            "
            deposit A3 base 1
            deposit A2 quote {}
            limits I0 notional_max={}
            reference I0 1
            sell A3 1 @1                => accepted
            ",
            1_i128 << 70,
            1_i128 << 100
        ));
        venue
    };
    venue().check(&format!("buy A2 {}q market => PositionLimitExceeded", 1_i128 << 69));
    venue().check(&format!("buy A2 {}q market => PositionLimitExceeded", limit + 1));
    venue().check(&format!("buy A2 {limit}q market => accepted, O1 1@1, expired unspent {} NoLiquidity", limit - 1));
}

#[test]
#[should_panic(expected = "left: \"InsufficientFunds\"")]
fn an_ask_by_amount_may_be_for_more_lots_than_an_order_by_quantity() {
    // Expected: rule 80 compares the lots with the balance, which covers them. So far more than 2^62 lots are never covered.
    let amount = 1_i128 << 70;
    Venue::poor().check(&format!(
        "
        deposit A3 quote 1
        deposit A2 base {amount}
        limits I0 notional_max={amount}
        reference I0 1
        buy A3 1 @1              => accepted
        sell A2 {amount}q market => accepted, O1 1@1, expired unspent {} NoLiquidity
        ",
        amount - 1
    ));
}
