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
