//! Rules of allocation: how the orders of one price share what comes in.

use crate::common::Venue;

/// Asks of 10, 5, 20, 50 and 75 lots at 100, of A2 to A5 and again A2.
fn queue(rule: &str) -> Venue {
    let mut venue = Venue::new();
    venue.check(&format!("allocation I0 {rule} => set"));
    venue.check(
        "
        sell A2 10 @100
        sell A3 5 @100
        sell A4 20 @100
        sell A5 50 @100
        sell A2 75 @100
        ",
    );
    venue
}

#[test]
fn pro_rata_shares_by_size_and_gives_the_rest_in_time_order() {
    // Floors of 3.125, 1.56 (below two lots: none), 6.25, 15.6 and 23.4; the two that are left go to the first.
    queue("rule=1 min=2").check(
        "
        buy A3 50 @100    => accepted, O1 6@100, O3 6@100, O4 15@100, O5 23@100
        queue I0 sell     => O1 4@100 O2 5@100 O3 14@100 O4 35@100 O5 52@100
        buy A3 110 @100   => accepted, O1 4@100, O2 5@100, O3 14@100, O4 35@100, O5 52@100
        book I0           => |
        ",
    );
}

#[test]
fn a_split_gives_a_part_in_time_order_first() {
    queue("rule=2 fifo=400000 level=1").check(
        "
        buy A3 50 @100    => accepted, O1 10@100, O2 5@100, O3 9@100, O4 10@100, O5 16@100
        queue I0 sell     => O3 11@100 O4 40@100 O5 59@100
        ",
    );
}

#[test]
fn time_pro_rata_favours_those_who_came_first() {
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=3 weight=3 => set
        sell A2 100 @100
        sell A3 200 @100
        sell A4 300 @100
        sell A5 400 @100
        buy A2 200 @100 ioc           => accepted, O1 70@100, O2 83@100, O3 42@100, O4 5@100
        ",
    );
}

#[test]
fn the_better_price_still_comes_first() {
    queue("rule=1").check(
        "
        sell A5 7 @99       => accepted
        sell A5 3 @101      => accepted
        buy A3 167 @101 ioc => accepted, O6 7@99, O1 10@100, O2 5@100, O3 20@100, O4 50@100, O5 75@100
        book I0             => | 3@101
        ",
    );
}

#[test]
fn own_orders_of_a_price_are_met_before_any_of_it_trades() {
    queue("rule=1").check(
        "
        buy A2 15 @100 em       => accepted, prevented O1 0/10@100 ExpireMaker, prevented O5 0/75@100 ExpireMaker, O2 1@100, O3 4@100, O4 10@100
        buy A5 5 @100 et        => accepted, prevented O4 5/0@100 ExpireTaker
        buy A5 5 @100 fok eb    => accepted, expired 5 FillOrKill
        buy A3 10 @100 ioc dec  => accepted, prevented O2 4/4@100 Decrement, O3 2@100, O4 4@100
        ",
    );
}

#[test]
fn an_amount_pays_for_a_part_of_a_price() {
    let mut venue = queue("rule=1");
    venue.check(
        "
        reference I0 100
        buy A3 1650q market  => accepted, O1 2@100, O3 2@100, O4 5@100, O5 7@100, expired unspent 50 QuoteAmountSpent
        ",
    );
}

#[test]
fn an_amount_pays_for_a_whole_price_and_for_a_part_of_the_next() {
    let mut venue = queue("rule=1");
    venue.check(
        "
        reference I0 100
        sell A5 7 @99        => accepted
        buy A3 2343q market  => accepted, O6 7@99, O1 2@100, O3 2@100, O4 5@100, O5 7@100, expired unspent 50 QuoteAmountSpent
        ",
    );
}

#[test]
fn a_rule_changes_only_while_nobody_stands_on_the_book() {
    queue("rule=1").check(
        "
        allocation I0 rule=0            => BookNotEmpty
        allocation I9 rule=0            => UnknownInstrument
        allocation I0 rule=4            => SettingOutOfRange
        allocation I0 rule=3 weight=2   => SettingOutOfRange
        allocation I0 rule=0 min=1      => SettingOutOfRange
        allocation I0 rule=1 fifo=1     => SettingOutOfRange
        allocation I0 rule=2 fifo=1000001 => SettingOutOfRange
        allocation I0 rule=2 level=2    => SettingOutOfRange
        cancel-all A2
        cancel-all A3
        cancel-all A4
        cancel-all A5
        sell A2 5 @100 stop=90 by=mark
        allocation I0 rule=0            => set
        ",
    );
}

#[test]
fn a_rebate_may_spend_an_amount_before_everybody_has_had_a_share() {
    Venue::new().check(
        "
        allocation I0 rule=1           => set
        fee S0 T0 -500000 500000       => set
        sell A2 1 @1                   => accepted
        sell A3 1 @1                   => accepted
        sell A4 1 @1                   => accepted
        reference I0 1
        limits I0 up=1000000
        buy A5 1q market               => accepted, O1 1@1 fee 0/1
        ",
    );
}

#[test]
fn cme_advisory_of_2005() {
    // Algorithm A: TOP with all it has, then pro-rata of at least two lots, then time: 50 over 150 are 1.67 (none), 6, 16, 25.
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=2 min=2 => set
        top I0 0 1000000           => set
        sell A2 10 @100
        sell A3 5 @100
        sell A4 20 @100
        sell A5 50 @100
        sell A2 75 @100
        buy A3 60 @100             => accepted, O1 10@100, O2 3@100, O3 6@100, O4 16@100, O5 25@100
        // It had its privilege once.
        buy A3 60 @100 ioc         => accepted, O2 2@100, O3 8@100, O4 20@100, O5 30@100
        ",
    );
}

#[test]
fn cme_complex_match() {
    // TOP gets 100 and takes part with the other 900: 401 over 1,900 are 189, 42, 63, 84, 21, and two are left for the first.
    Venue::new().check(
        "
        allocation I0 rule=2       => set
        top I0 0 100               => set
        sell A2 1000 @100
        sell A3 200 @100
        sell A4 300 @100
        sell A5 400 @100
        sell A2 100 @100
        buy A3 501 @100            => accepted, O1 291@100, O2 42@100, O3 63@100, O4 84@100, O5 21@100
        ",
    );
}

#[test]
fn top_is_won_by_bettering_the_market_and_lost_with_the_place() {
    let top = |blotter: &str| {
        let mut venue = Venue::new();
        venue.check("allocation I0 rule=2 => set\ntop I0 5 8 => set\nsell A5 10 @101");
        venue.check(blotter);
    };
    top("sell A2 10 @100\nsell A3 10 @100\nbuy A4 12 @100 ioc    => accepted, O2 9@100, O3 3@100");
    // At the same price there is nothing to better.
    top("sell A2 4 @100\nsell A3 10 @100\nbuy A4 7 @100 ioc      => accepted, O2 2@100, O3 5@100");
    // Who betters it with too little takes it from the other, and does not get it.
    top(
        "sell A2 10 @100\nsell A3 4 @99\ncancel A3 O3\nsell A3 10 @100\nbuy A4 10 @100 ioc => accepted, O2 5@100, O4 5@100",
    );
    // A reduction keeps it, an amendment does not, unless it betters the market anew.
    top("sell A2 10 @100\nsell A3 10 @100\namend A2 O2 9 @100\nbuy A4 12 @100 ioc  => accepted, O2 9@100, O3 3@100");
    top("sell A2 10 @100\nsell A3 10 @100\namend A2 O2 11 @100\nbuy A4 12 @100 ioc => accepted, O3 6@100, O2 6@100");
    top("sell A2 10 @100\nsell A3 10 @100\namend A2 O2 10 @99\nsell A3 10 @99\nbuy A4 9 @100 ioc => accepted, O2 9@99");
    // Whoever takes all that rests takes it in time order.
    top("sell A2 10 @100\nsell A3 10 @100\nbuy A4 20 @100 ioc    => accepted, O2 10@100, O3 10@100");
}

#[test]
fn lead_market_makers_get_their_part_of_what_top_leaves() {
    Venue::new().check(
        "
        allocation I0 rule=2 fifo=1000000    => set
        top I0 0 10                          => set
        lead I0 A4 400000                    => set
        lead I0 A5 100000                    => set
        lead I0 A3 500000                    => set
        lead I0 A3 500001                    => LeadsAboveWhole
        lead I0 A3 0                         => set
        sell A2 20 @100
        sell A3 50 @100
        sell A5 50 @100
        sell A4 50 @100
        // 10 for TOP, 5 and 20 of the other 50 for the leads, the rest in time order.
        buy A2 60 @100 ioc                   => accepted, O1 20@100, O2 15@100, O3 5@100, O4 20@100
        lead I0 A4 0                         => BookNotEmpty
        top I0 0 0                           => BookNotEmpty
        cancel-all A3
        cancel-all A4
        cancel-all A5
        top I0 1 0                           => SettingOutOfRange
        top I0 0 1099511627777               => SettingOutOfRange
        lead I0 A4 1000001                   => SettingOutOfRange
        lead I0 A99 1                        => UnknownAccount
        lead I9 A4 1                         => UnknownInstrument
        top I0 0 0                           => set
        allocation I0 rule=1                 => set
        top I0 0 10                          => RuleHasNoSteps
        lead I0 A4 1                         => RuleHasNoSteps
        lead I1 A4 1                         => RuleHasNoSteps
        ",
    );
}

#[test]
fn there_are_at_most_eight_lead_market_makers() {
    let mut venue = Venue::new();
    venue.check("allocation I0 rule=2 => set\nopen A9 client judy\nopen A10 client mallory");
    for account in 2..=9 {
        venue.check(&format!("lead I0 A{account} 1000 => set"));
    }
    venue.check(
        "lead I0 A10 1000 => TooManyLeads\nlead I0 A9 2000 => set\nlead I0 A9 0 => set\nlead I0 A10 1000 => set",
    );
}

#[test]
fn an_iceberg_is_top_for_as_long_as_its_peak_lasts() {
    Venue::new().check(
        "
        allocation I0 rule=2          => set
        top I0 0 1000                 => set
        sell A5 10 @101
        sell A2 20 @100 peak=5        => accepted, conditions, by 5, shows O2 5 of 20@100
        sell A3 10 @100
        buy A4 6 @100 ioc             => accepted, O2 5@100, shows O2 5 of 15@100, O3 1@100
        buy A4 6 @100 ioc             => accepted, O3 4@100, O2 2@100
        ",
    );
}

#[test]
fn time_counts_by_its_weight() {
    let check = |weight: u8, trades: &str| {
        let mut venue = Venue::new();
        venue.check(&format!("allocation I0 rule=3 weight={weight}"));
        venue.check("sell A2 100 @100\nsell A3 200 @100\nsell A4 300 @100\nsell A5 400 @100");
        venue.check(&format!("buy A2 200 @100 ioc => accepted, {trades}"));
    };
    check(0, "O1 20@100, O2 40@100, O3 60@100, O4 80@100");
    check(1, "O1 38@100, O2 64@100, O3 66@100, O4 32@100");
}

#[test]
fn a_taker_goes_on_behind_a_price_at_which_only_its_own_orders_stood() {
    Venue::new().check(
        "
        allocation I0 rule=1
        reference I0 100
        sell A2 5 @100
        sell A3 5 @101
        buy A2 7 @101 em            => accepted, prevented O1 0/5@100 ExpireMaker, O2 5@101
        cancel-all A2
        sell A2 5 @100
        sell A3 5 @100
        // What prevention took whole takes nothing more.
        buy A2 5 @100 dec           => accepted, prevented O4 5/5@100 Decrement
        buy A4 50q market           => accepted, expired unspent 50 QuoteAmountSpent
        buy A4 500q market          => accepted, O5 5@100
        ",
    );
}

#[test]
fn who_betters_the_market_with_too_little_is_not_top_and_nobody_else_is() {
    Venue::new().check(
        "
        allocation I0 rule=2
        top I0 10 100
        sell A2 10 @104
        sell A3 10 @103
        sell A4 9 @102
        sell A5 20 @102
        buy A2 20 @102              => accepted, O3 7@102, O4 13@102
        ",
    );
}

#[test]
fn a_shared_price_fires_once() {
    Venue::new().check(
        "
        allocation I0 rule=1
        sell A2 5 @100
        sell A3 5 @100
        buy A5 1 @102 stop=100      => accepted, waits for 100
        buy A4 4 @100               => accepted, O1 2@100, O2 2@100, fires O3 1 at 100 by 100, O1 1@100
        ",
    );
}

#[test]
fn who_betters_the_market_in_a_call_is_not_top_and_nobody_else_is() {
    let top = |before: &str, within: &str, shares: &str| {
        let mut venue = Venue::new();
        venue.check("allocation I0 rule=2\ntop I0 5 8\nbuy A5 10 @99");
        venue.check(before);
        venue.check("sell A2 10 @101\nsell A3 10 @101\nstate I0 auction closing");
        venue.check(within);
        venue.check("state I0 continuous");
        venue.check(&format!("buy A4 10 @101 ioc => accepted, {shares}"));
    };
    top("", "sell A3 10 @101 close", "O2 9@101, O3 1@101");
    // It comes into the call as a new order, or has waited for it.
    top("", "sell A3 10 @99 close", "O2 5@101, O3 5@101");
    top("sell A3 10 @99 close", "", "O3 5@101, O4 5@101");
    top("sell A3 10 @99 opening", "", "O3 9@101, O4 1@101");
    top("", "sell A3 10 @99", "O2 5@101, O3 5@101");
}
