//! Fees: rounding, rebates, tiers, schedules.

use crate::common::Venue;

#[test]
fn fees_are_rounded_on_the_sum_of_what_an_order_traded() {
    // A tenth of a quantum a lot: ten fills of one lot cost one quantum in all, not ten.
    let mut venue = Venue::new();
    venue.check("fee S0 T0 100000 100000\nsell A2 10 @1\nsell A3 11 @1");
    for n in 0..10 {
        let maker_fee = i32::from(n == 0);
        venue.check(&format!("buy A4 1 @1 => accepted, O1 1@1 fee 1/{maker_fee}"));
    }
    // As one taker: ten fills of eleven lots.
    venue.check("buy A4 11 @1 => accepted, O2 11@1 fee 2/2");
}

#[test]
fn taker_and_maker_parts_of_an_order_are_rounded_apart() {
    Venue::poor().check(
        "
        fee S0 T0 100000 100000
        deposit A2 quote 4
        deposit A3 base 9
        sell A3 1 @1   => accepted
        // Two lots and a fee of a fifth need 2 + 1, and one more for the second rounding.
        buy A2 3 @1    => InsufficientFunds
        buy A2 2 @1    => accepted, O1 1@1 fee 1/1
        balance A2 quote => 0 + 2
        sell A3 1 @1   => accepted, O2 1@1 fee 1/1
        balance A2 quote => 0 + 0
        balance A0 quote => 4 + 0
        ",
    );
}

#[test]
fn a_rebate_is_rounded_down_and_paid_by_the_fee_account() {
    Venue::new().check(
        "
        fee S0 T0 300000 0
        fee S0 T0 300000 -150000
        sell A2 5 @3      => accepted
        // 3 give .45, 6 give .9, 9 give 1.35, 15 give 2.25.
        buy A3 1 @3       => accepted, O1 1@3 fee 1/0
        buy A3 1 @3       => accepted, O1 1@3 fee 1/0
        buy A3 1 @3       => accepted, O1 1@3 fee 1/-1
        buy A3 2 @3       => accepted, O1 2@3 fee 2/-1
        balance A2 quote  => 1000017 + 0
        balance A0 quote  => 3 + 0
        // A bid with a rebate holds its notional and no fee.
        buy A2 5 @3       => accepted
        balance A2 quote  => 1000002 + 15
        sell A3 5 @3      => accepted, O6 5@3 fee 5/-2
        balance A2 quote  => 1000004 + 0
        ",
    );
}

#[test]
fn the_fee_account_may_pay_a_rebate_out_of_earlier_fees_only_within_the_cover() {
    Venue::new().check(
        "
        fee S0 T0 1 0
        fee S0 T0 1 -1
        sell A2 1000 @900    => accepted
        buy A3 1 @900        => accepted, O1 1@900 fee 1/0
        buy A3 998 @900      => accepted, O1 998@900 fee 1/0
        buy A3 1 @900        => accepted, O1 1@900 fee 1/0
        sell A2 2000 @400    => accepted
        buy A3 200 @400      => accepted, O5 200@400 fee 1/0
        balance A0 quote     => 4 + 0
        ",
    );
}

#[test]
fn an_account_pays_the_rates_of_its_tier() {
    Venue::new().check(
        "
        fee S0 T0 100000 50000
        fee S0 T3 50000 0
        sell A2 5 @10     => accepted
        buy A3 1 @10      => accepted, O1 1@10 fee 1/1
        tier A3 3
        buy A3 1 @10      => accepted, O1 1@10 fee 1/0
        buy A3 2 @10      => accepted, O1 2@10 fee 1/1
        // A tier that was not set has the rates of the nearest lower one.
        tier A3 2
        buy A3 1 @10      => accepted, O1 1@10 fee 1/1
        tier A3 255
        tier A2 200
        sell A2 2 @10     => accepted
        buy A3 2 @10      => accepted, O6 2@10 fee 1/0
        ",
    );
}

#[test]
fn below_every_tier_that_was_set_there_are_no_fees() {
    Venue::new().check(
        "
        fee S0 T2 100000 100000
        sell A2 2 @10     => accepted
        buy A3 2 @10      => accepted, O1 2@10
        tier A3 2
        sell A2 2 @10     => accepted
        buy A3 2 @10      => accepted, O3 2@10 fee 2/0
        ",
    );
}

#[test]
fn instruments_have_schedules_of_their_own() {
    Venue::new().check(
        "
        list I2 coin/base base=2 quote=1 schedule=255
        fee S255 T0 100000 0
        sell A2 2 @10     => accepted
        buy A3 2 @10      => accepted, O1 2@10
        sell A2 2 @10 I2  => accepted
        buy A3 2 @10 I2   => accepted, O3 2@10 fee 2/0
        balance A0 base   => 2 + 0
        ",
    );
}

#[test]
fn rates_are_fixed_when_the_order_is_accepted() {
    Venue::new().check(
        "
        fee S0 T0 100000 50000
        sell A2 2 @10     => accepted
        fee S0 T0 300000 200000
        buy A3 1 @10      => accepted, O1 1@10 fee 3/1
        tier A2 9
        buy A3 1 @10      => accepted, O1 1@10 fee 3/0
        ",
    );
}

#[test]
fn a_schedule_never_pays_more_than_it_collects() {
    Venue::new().check(
        "
        fee S0 T0 -1 0            => FeeScheduleNegative
        fee S0 T0 100 -100        => set
        fee S0 T0 100 -101        => FeeScheduleNegative
        // The lowest taker of any tier against the highest rebate of any other.
        fee S0 T1 99 0            => FeeScheduleNegative
        fee S0 T1 100 0           => set
        fee S0 T5 200 -101        => FeeScheduleNegative
        fee S0 T5 200 -100        => set
        fee S0 T0 200 -100        => set
        fee S0 T1 200 -201        => FeeScheduleNegative
        fee S0 T1 200 -200        => set
        // Below the lowest tier that was set takers pay nothing: a rebate above it is not covered.
        fee S1 T3 100 -100        => FeeScheduleNegative
        fee S1 T0 100 0           => set
        fee S1 T3 100 -100        => set
        ",
    );
}

#[test]
fn open_orders_count_with_the_rates_they_have() {
    Venue::new().check(
        "
        fee S0 T0 100 -100
        buy A2 5 @10              => accepted
        fee S0 T0 100 0           => set
        // O1 is still owed a rebate of 100.
        fee S0 T0 99 0            => FeeScheduleNegative
        fee S1 T0 99 0            => set
        sell A3 3 @10             => accepted, O1 3@10 fee 1/0
        fee S0 T0 99 0            => FeeScheduleNegative
        cancel A2 O1              => cancelled O1 2
        fee S0 T0 99 0            => set
        // A taker's rate counts too: an amended order takes with it.
        fee S0 T0 0 0             => set
        buy A2 5 @10              => accepted
        fee S0 T0 200 0           => set
        fee S0 T0 200 -1          => FeeScheduleNegative
        buy A2 5 @9 I1            => accepted
        cancel A2 O3              => cancelled O3 5
        fee S0 T0 200 -1          => set
        ",
    );
}

#[test]
fn the_hold_of_a_resting_bid_is_exact_after_every_fill() {
    // The auditor recomputes the hold from the cumulative notional after each line; the figures here are by hand.
    Venue::new().check(
        "
        fee S0 T0 0 70000
        buy A2 9 @7          => accepted
        // 63 and 4.41.
        balance A2 quote     => 999932 + 68
        sell A3 1 @7         => accepted, O1 1@7 fee 0/1
        balance A2 quote     => 999932 + 60
        sell A3 1 @7         => accepted, O1 1@7
        balance A2 quote     => 999932 + 53
        sell A3 1 @7         => accepted, O1 1@7 fee 0/1
        balance A2 quote     => 999932 + 45
        amend A2 O1 8 @7     => amended O1 8@7 open 5 kept
        // 56 and 3.92 in all, 21 and 2 paid.
        balance A2 quote     => 999940 + 37
        sell A3 4 @7         => accepted, O1 4@7 fee 0/2
        balance A2 quote     => 999940 + 7
        sell A3 1 @7         => accepted, O1 1@7
        balance A2 quote     => 999940 + 0
        ",
    );
}

#[test]
fn a_seller_may_be_charged_all_it_gets_and_no_more() {
    Venue::new().check(
        "
        fee S0 T0 1000000 0
        buy A2 3 @10       => accepted
        sell A3 3 @10      => accepted, O1 3@10 fee 30/0
        balance A3 quote   => 1000000 + 0
        balance A0 quote   => 30 + 0
        fee S0 T0 1000001 0  => SettingOutOfRange
        fee S0 T0 0 1000001  => SettingOutOfRange
        fee S0 T0 0 -1000001 => SettingOutOfRange
        ",
    );
}

#[test]
fn large_notionals_are_charged_to_the_quantum() {
    Venue::new().check(
        "
        deposit A6 quote 4611686018427387904
        deposit A6 base 4000000000000
        fee S0 T0 333333 -333333
        sell A6 1000000000001 @1000003  => accepted
        buy A6 1000000000001 @1000003   => accepted, O1 1000000000001@1000003 fee 333333999999333334/-333333999999333333
        ",
    );
}
