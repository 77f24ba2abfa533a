//! Hidden orders: they stand in no view of the book until they trade.

use crate::common::Venue;

#[test]
fn a_hidden_order_stands_behind_all_that_is_displayed_at_its_price() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 10 @100 hidden=1    => accepted, conditions, hidden
        sell A2 3 @100 hidden=1     => accepted, conditions, hidden
        sell A3 5 @100              => accepted
        sell A3 5 @101              => accepted
        book I0                     =>  | 5@100 5@101
        queue I0 sell               => O3 5@100 O4 5@101
        balance A2 base             => 999987 + 13
        buy A4 16 @101              => accepted, O3 5@100, O1 10@100, O2 1@100
        buy A4 4 @101               => accepted, O2 2@100, O4 2@101
        book I0                     =>  | 3@101
        ",
    );
}

#[test]
fn what_is_hidden_is_met_on_arrival_and_crossed_by_nobody() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 10 @100 hidden=1
        buy A3 5 @101 post          => PostOnlyWouldTrade
        buy A3 5 @101 fok           => accepted, O1 5@100
        buy A3 6 @101 fok           => accepted, expired 6 FillOrKill
        buy A3 6 @101 ioc min=6     => accepted, conditions, expired 6 MinimumQuantity
        buy A3 6 @101 hidden=1      => accepted, conditions, hidden, O1 5@100
        book I0                     =>  | 
        sell A4 1 @101              => accepted, O5 1@101
        orders A3                   =>
        ",
    );
}

#[test]
fn hidden_orders_take_no_part_in_sharing() {
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=1
        sell A2 10 @100
        sell A3 30 @100
        sell A5 10 @100 hidden=1
        buy A4 20 @100          => accepted, O1 5@100, O2 15@100
        buy A4 25 @100          => accepted, O1 5@100, O2 15@100, O3 5@100
        allocation I0 rule=0    => BookNotEmpty
        buy A4 5 @100           => accepted, O3 5@100
        allocation I0 rule=0    => set
        ",
    );
}

#[test]
fn a_hidden_order_is_amended_cancelled_replaced_and_prevented_like_any_other() {
    let mut venue = Venue::new();
    venue.check(
        "
        buy A2 10 @100 hidden=1
        amend A2 O1 6 @100          => amended O1 6@100 open 6 kept
        balance A2 quote            => 999400 + 600
        amend A2 O1 6 @99           => amended O1 6@99 open 6
        sell A2 2 @99 dec           => accepted, prevented O1 2/2@99 Decrement
        cancel A2 O1                => cancelled O1 4
        buy A2 10 @98 hidden=1
        replace A2 O3 with sell 10 @98  => cancelled O3 10 Replaced, accepted
        buy A3 4 @98                => accepted, O4 4@98
        ",
    );
}

#[test]
fn a_trigger_brings_a_hidden_order_to_its_book() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 1 @100
        buy A3 1 @100
        sell A2 9 @101 stop=99 hidden=1 => accepted, waits for 99, hidden
        buy A3 1 @99
        sell A4 1 @99                   => accepted, O4 1@99, fires O3 9 at 99 by 99
        book I0                         =>  | 
        buy A3 4 @101                   => accepted, O3 4@101
        ",
    );
}

#[test]
fn what_is_hidden_is_not_shown_by_parts_too() {
    let mut venue = Venue::new();
    venue.check(
        "
        buy A2 10 @100 hidden=1 peak=2  => InvalidDisplay
        buy A2 10 @100 ioc hidden=1     => InvalidDisplay
        buy A2 10 @100 hidden=2         => InvalidConditions
        ",
    );
}

#[test]
fn every_rule_of_meeting_knows_what_is_hidden() {
    // Prevention, amounts, what can be filled, breakers.
    Venue::new().check(
        "
        sell A2 5 @100 hidden=1
        buy A3 2 @100 em            => accepted, O1 2@100
        buy A2 2 @100 et            => accepted, prevented O1 2/0@100 ExpireTaker
        reference I0 100
        buy A3 250q market          => accepted, O1 2@100, expired unspent 50 QuoteAmountSpent
        buy A3 50q market           => accepted, expired unspent 50 QuoteAmountSpent
        sell A2 5 @105 hidden=1
        buy A3 6 @101 fok           => accepted, expired 6 FillOrKill
        buy A3 1 @101               => accepted, O1 1@100
        breaker I0 ticks=4 slots=10 slot=10 pause=100
        buy A3 2 @106 fok           => accepted, expired 2 FillOrKill
        buy A3 2 @106 fok em        => accepted, expired 2 FillOrKill
        buy A3 2 @106               => accepted, tripped 2 @105 until 100, Paused Volatility until 100
        balance A2 base             => 999990 + 5
        ",
    );
    // Protection of a maker's and of a taker's quotes.
    Venue::new().check(
        "
        protect A2 I0 fills=1 window=9
        protect A4 fills=1 window=9
        sell A3 1 @101 hidden=1
        sell A3 1 @102
        quote A2 I0 - 5@100
        buy A5 2 @101               => accepted, O3 2@100, protected A2 by O3: 2 lots 1 fills, cancelled O3 3 QuoteProtection
        quote A4 I0 2@102 -         => quoted O5 2@102 / -, accepted, O1 1@101, protected A4 by O5: 1 lots 1 fills, expired O5 1 QuoteProtection
        ",
    );
}

#[test]
fn an_own_order_that_is_shown_kills_where_prices_are_shared() {
    Venue::new().check(
        "
        allocation I0 rule=1
        sell A2 5 @100
        sell A4 5 @100
        sell A4 5 @100 hidden=1
        buy A2 5 @100 fok et        => accepted, expired 5 FillOrKill
        buy A3 7 @100 fok et        => accepted, O1 4@100, O2 3@100
        buy A2 4 @100 fok em        => accepted, prevented O1 0/1@100 ExpireMaker, O2 2@100, O3 2@100
        ",
    );
}
