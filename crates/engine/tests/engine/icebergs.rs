//! Icebergs: orders that show themselves by parts.

use crate::common::Venue;

#[test]
fn an_iceberg_shows_its_peak_and_the_next_one_stands_behind_the_others() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 10 @100 peak=4      => accepted, conditions, by 4, shows O1 4 of 10@100
        sell A3 5 @100              => accepted
        book I0                     =>  | 9@100
        queue I0 sell               => O1 4@100 O2 5@100
        balance A2 base             => 999990 + 10
        buy A4 3 @100               => accepted, O1 3@100
        book I0                     =>  | 6@100
        buy A4 2 @100               => accepted, O1 1@100, shows O1 4 of 6@100, O2 1@100
        queue I0 sell               => O2 4@100 O1 4@100
        buy A4 20 @100 ioc          => accepted, O2 4@100, O1 4@100, shows O1 2 of 2@100, O1 2@100, expired 10 ImmediateOrCancel
        orders A2                   =>
        balance A2 base             => 999990 + 0
        ",
    );
}

#[test]
fn as_a_taker_it_trades_whole_before_it_shows_what_is_left() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 7 @100
        buy A3 20 @100 peak=5   => accepted, conditions, by 5, O1 7@100, shows O2 5 of 13@100
        book I0                 => 5@100 | 
        balance A3 quote        => 998000 + 1300
        cancel A3 O2            => cancelled O2 13
        balance A3 quote        => 999300 + 0
        ",
    );
}

#[test]
fn peaks_of_different_sizes_come_from_the_seed() {
    let mut venue = Venue::new();
    venue.check(
        "
        limits I0 lot=5
        sell A2 500 @100 peak=20 range=40 seed=7    => accepted, conditions, by 20, shows O1 35 of 500@100
        buy A3 35 @100                              => accepted, O1 35@100, shows O1 50 of 465@100
        buy A3 50 @100                              => accepted, O1 50@100, shows O1 20 of 415@100
        buy A3 20 @100                              => accepted, O1 20@100, shows O1 50 of 395@100
        ",
    );
}

#[test]
fn less_is_taken_from_the_reserve_first_and_more_comes_in_again() {
    let mut venue = Venue::new();
    venue.check(
        "
        buy A2 20 @100 peak=5
        buy A3 5 @100
        amend A2 O1 8 @100      => amended O1 8@100 open 8 kept
        queue I0 buy            => O1 5@100 O2 5@100
        amend A2 O1 3 @100      => amended O1 3@100 open 3 kept
        queue I0 buy            => O1 3@100 O2 5@100
        balance A2 quote        => 999700 + 300
        amend A2 O1 12 @100     => amended O1 12@100 open 12, shows O1 5 of 12@100
        queue I0 buy            => O2 5@100 O1 5@100
        amend A2 O1 50001 @100  => TooManyPeaks
        amend A2 O1 50000 @1    => amended O1 50000@1 open 50000, shows O1 5 of 50000@1
        ",
    );
}

#[test]
fn prevention_takes_shown_and_reserve_together() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 20 @100 peak=5
        buy A2 4 @100 em ioc    => accepted, prevented O1 0/20@100 ExpireMaker, expired 4 ImmediateOrCancel
        sell A2 20 @100 peak=5
        buy A2 8 @100 dec       => accepted, prevented O3 8/8@100 Decrement
        queue I0 sell           => O3 5@100
        buy A2 9 @100 dec       => accepted, prevented O3 9/9@100 Decrement
        queue I0 sell           => O3 3@100
        buy A2 9 @100 dec ioc   => accepted, prevented O3 3/3@100 Decrement, expired 6 ImmediateOrCancel
        ",
    );
}

#[test]
fn fill_or_kill_counts_reserves_but_for_those_behind_an_own_order() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 20 @100 peak=5
        buy A3 21 @100 fok      => accepted, expired 21 FillOrKill
        sell A3 5 @100
        buy A3 6 @100 fok et    => accepted, expired 6 FillOrKill
        buy A3 5 @100 fok et    => accepted, O1 5@100, shows O1 5 of 15@100
        buy A3 15 @100 fok em   => accepted, prevented O3 0/5@100 ExpireMaker, O1 5@100, shows O1 5 of 10@100, O1 5@100, shows O1 5 of 5@100, O1 5@100
        ",
    );
}

#[test]
fn shares_of_a_price_are_by_what_is_shown() {
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=1
        sell A2 90 @100 peak=10
        sell A3 30 @100
        buy A4 20 @100      => accepted, O1 5@100, O2 15@100
        queue I0 sell       => O1 5@100 O2 15@100
        buy A4 25 @100      => accepted, O1 5@100, shows O1 10 of 80@100, O2 15@100, O1 5@100
        queue I0 sell       => O1 5@100
        ",
    );
}

#[test]
fn a_waiting_iceberg_shows_nothing_until_it_comes_to_the_book() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 1 @100
        buy A3 1 @100
        sell A2 9 @101 stop=99 peak=2   => accepted, waits for 99, by 2
        buy A3 1 @99
        sell A4 1 @99                   => accepted, O4 1@99, fires O3 9 at 99 by 99, shows O3 2 of 9@101
        queue I0 sell                   => O3 2@101
        ",
    );
}

#[test]
fn in_a_call_an_iceberg_takes_part_with_all_that_it_has() {
    Venue::new().check(
        "
        sell A3 1 @10
        buy A2 1 @10
        sell A3 10 @11 peak=2       => accepted, conditions, by 2, shows O3 2 of 10@11
        sell A4 3 @11
        // Neither one that waits for its trigger nor an order for the day is unfolded.
        sell A5 9 @12 stop=5 peak=2 => accepted, waits for 5, by 2
        buy A4 1 @9 day
        queue I0 sell               => O3 2@11 O4 3@11
        state I0 auction intraday   => set, Auction Intraday
        queue I0 sell               => O3 10@11 O4 3@11
        buy A2 7 @11                => accepted, would trade 7@11 -6
        state I0 continuous         => set, O7 O3 7@11, uncrossed 7@11 -6, Continuous, shows O3 2 of 3@11
        // In its place, with a peak again.
        queue I0 sell               => O3 2@11 O4 3@11
        balance A3 base             => 999989 + 3
        balance A5 base             => 999991 + 9
        ",
    );
}
