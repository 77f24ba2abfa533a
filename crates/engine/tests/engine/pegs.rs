//! Pegs: orders whose price is tied to the best displayed ones.

use crate::common::Venue;

/// A venue with ten lots each at 98, 99 and 104, 105.
fn quoted() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        reference I0 100
        limits I0 down=500000 up=500000
        buy A2 10 @98
        buy A2 10 @99
        sell A3 10 @104
        sell A3 10 @105
        ",
    );
    venue
}

#[test]
fn a_fixed_peg_finds_its_price_once() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @0 peg=primary levels=0    => accepted, conditions, pegged
        queue I0 buy                        => O2 10@99 O5 5@99 O1 10@98
        buy A4 5 @0 peg=primary levels=1    => accepted, conditions, pegged
        queue I0 buy                        => O2 10@99 O5 5@99 O1 10@98 O6 5@98
        buy A4 12 @0 peg=market levels=1    => accepted, conditions, pegged, O3 10@104, O4 2@105
        sell A4 5 @0 peg=primary levels=0 post  => accepted, conditions, pegged
        queue I0 sell                       => O4 8@105 O8 5@105
        buy A4 5 @0 peg=primary levels=2    => NoPegReference
        cancel A2 O2                        => cancelled O2 10
        queue I0 buy                        => O5 5@99 O1 10@98 O6 5@98
        replace A4 O5 with buy 1 @0 peg=primary levels=0    => cancelled O5 5 Replaced, accepted, conditions, pegged
        queue I0 buy                        => O1 10@98 O6 5@98 O9 1@98
        ",
    );
}

#[test]
fn a_primary_peg_follows_the_best_price_of_its_side() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @101 peg=primary           => accepted, conditions, pegged, moves O5 5@99
        balance A4 quote                    => 999495 + 505
        buy A4 5 @101 peg=primary away=3    => accepted, conditions, pegged, moves O6 5@96
        queue I0 buy                        => O2 10@99 O5 5@99 O1 10@98 O6 5@96
        buy A5 1 @100                       => accepted, moves O5 5@100, moves O6 5@97
        buy A5 1 @102                       => accepted, moves O5 5@101, moves O6 5@99
        book I0                             => 1@102 5@101 1@100 15@99 10@98 | 10@104 10@105
        sell A3 3 @101                      => accepted, O8 1@102, O5 2@101, moves O5 3@100, moves O6 5@97
        balance A4 quote                    => 998990 + 808
        cancel A4 O5                        => cancelled O5 3
        balance A4 quote                    => 999293 + 505
        ",
    );
}

#[test]
fn a_market_peg_stays_an_increment_away_and_a_midpoint_rounds_away_from_the_middle() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @0 peg=market          => accepted, conditions, pegged, moves O5 5@103
        balance A4 quote                => 999250 + 750
        sell A4 5 @0 peg=market away=9  => accepted, conditions, pegged, moves O6 5@108
        sell A5 5 @0 peg=mid            => accepted, conditions, pegged, moves O7 5@104
        cancel A4 O5                    => cancelled O5 5, moves O7 5@102
        buy A5 5 @0 peg=mid hidden=1    => accepted, conditions, pegged, moves O8 5@101
        book I0                         => 10@99 10@98 | 5@102 10@104 10@105 5@108
        sell A3 7 @101                  => accepted, O8 5@101, moves O7 5@100
        ",
    );
}

#[test]
fn without_a_reference_a_peg_waits_outside_the_book() {
    let mut venue = Venue::new();
    venue.check(
        "
        buy A4 5 @101 peg=primary   => accepted, conditions, pegged
        balance A4 quote            => 999495 + 505
        sell A5 5 @0 peg=primary    => NoReferencePrice
        buy A2 5 @99                => accepted, moves O1 5@99
        amend A4 O1 3 @101          => OrderNotAmendable
        sell A3 5 @99               => accepted, O2 5@99, waits O1 from 99
        orders A4                   => O1
        cancel A4 O1                => cancelled O1 5
        balance A4 quote            => 1000000 + 0
        ",
    );
}

#[test]
fn a_peg_shares_its_price_and_its_place_in_time_with_the_book() {
    let mut venue = quoted();
    venue.check(
        "
        sell A4 5 @1 peg=primary        => PriceOutsideBand
        sell A4 5 @60 peg=primary       => accepted, conditions, pegged, moves O5 5@104
        sell A5 5 @104
        queue I0 sell                   => O3 10@104 O5 5@104 O6 5@104 O4 10@105
        buy A2 12 @104                  => accepted, O3 10@104, O5 2@104
        buy A2 5 @104                   => accepted, O5 3@104, O6 2@104
        allocation I0 rule=0            => BookNotEmpty
        ",
    );
}

#[test]
fn nothing_moves_in_a_halt() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @101 peg=primary   => accepted, conditions, pegged, moves O5 5@99
        halt venue
        cancel A2 O2                => cancelled O2 10
        queue I0 buy                => O5 5@99 O1 10@98
        resume venue                => set, moves O5 5@98
        ",
    );
}

#[test]
fn a_peg_waits_outside_a_book_that_does_not_trade() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @101 peg=primary   => accepted, conditions, pegged, moves O5 5@99
        halt I0
        queue I0 buy                => O2 10@99 O1 10@98
        cancel A2 O2                => cancelled O2 10
        resume I0
        queue I0 buy                => O1 10@98 O5 5@98
        state I0 auction closing
        queue I0 buy                => O1 10@98
        buy A4 5 @101 peg=market    => accepted, conditions, pegged
        buy A2 3 @106
        state I0 continuous
        queue I0 buy                => O6 5@101 O1 10@98 O5 5@98
        ",
    );
}

#[test]
fn a_timer_moves_pegs_before_its_command() {
    let mut venue = quoted();
    venue.check(
        "
        buy A2 1 @100 until=200
        buy A4 5 @101 peg=primary   => accepted, conditions, pegged, moves O6 5@100
        at 300                      => expired O5 1 GoodTillDate, moves O6 5@99
        buy A4 5 @101 peg=4         => InvalidConditions
        ",
    );
}

#[test]
fn pegs_that_cannot_be() {
    let mut venue = quoted();
    for order in [
        "buy A4 5 @101 ioc peg=primary",
        "buy A4 5 market peg=primary",
        "buy A4 5 @101 peg=primary peak=2",
        "buy A4 5 @101 peg=primary stop=110",
        "buy A4 5 @101 peg=primary levels=0",
        "buy A4 5 @0 peg=mid levels=0",
        "buy A4 5 @0 peg=market levels=0 post",
    ] {
        assert_eq!(venue.send(order), "InvalidDisplay", "{order}");
    }
    for order in ["buy A4 5 @101 away=1", "buy A4 5 @101 peg=primary levels=101", "buy A4 5 @0 peg=4"] {
        assert_eq!(venue.send(order), "InvalidConditions", "{order}");
    }
}

#[test]
fn auctions_tell_their_prices_behind_the_pegs_of_other_markets() {
    let mut venue = quoted();
    venue.check(
        "
        buy A4 5 @101 peg=primary       => accepted, conditions, pegged, moves O5 5@99
        state I1 preopen
        buy A2 5 @20 I1
        sell A3 5 @10 I1
        schedule I1 auction opening 50
        halt I0                         => set, Halted, waits O5 from 99
        ",
    );
    for (command, expected) in [
        ("resume I0", "Auction Opening, set, Continuous, moves O5 5@99, would trade 5@15 +0"),
        ("state I1 continuous", "set, O6 O7 5@15, uncrossed 5@15 +0, Continuous"),
    ] {
        // By one command: time passes, and it does what it does.
        venue.time_ns += 60;
        let mut records = crate::common::parse(command);
        records[0].header.time_ns = venue.time_ns;
        assert_eq!(venue.apply(&records), expected, "{command}");
    }
}

#[test]
fn a_peg_without_a_price_of_its_own_needs_a_reference() {
    Venue::new().check(
        "
        buy A2 10 @0 peg=primary    => NoReferencePrice
        sell A2 10 @0 peg=primary   => NoReferencePrice
        reference I0 100
        limits I0 notional_min=1001
        buy A2 10 @0 peg=primary    => NotionalBelowMinimum
        limits I0 up=0 notional_min=1000
        buy A2 10 @0 peg=primary    => accepted, conditions, pegged
        balance A2 quote            => 999000 + 1000
        ",
    );
}
