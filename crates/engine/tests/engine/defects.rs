//! The defects that were found across 247 public engines, each as a test of this one.

use tradewright_engine::{Engine, EngineConfig};

use crate::common::Venue;

#[test]
fn trades_are_not_at_the_takers_price() {
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        buy A3 1 @15  => accepted, O1 1@10
        buy A2 1 @10  => accepted
        sell A3 1 @5  => accepted, O3 1@10
        ",
    );
}

#[test]
fn fifo_survives_a_partial_fill() {
    Venue::new().check(
        "
        sell A2 5 @10 => accepted
        sell A3 5 @10 => accepted
        buy A4 2 @10  => accepted, O1 2@10
        buy A4 4 @10  => accepted, O1 3@10, O2 1@10
        ",
    );
}

#[test]
fn fifo_survives_a_cancel_in_the_middle() {
    // A removal that swaps the last order into the gap would put O4 second.
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        sell A3 1 @10 => accepted
        sell A4 1 @10 => accepted
        sell A5 1 @10 => accepted
        cancel A3 O2  => cancelled O2 1
        buy A2 3 @10  => accepted, O1 1@10, O3 1@10, O4 1@10
        ",
    );
}

#[test]
fn the_best_price_moves_on_when_its_level_is_cancelled() {
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        sell A2 1 @12 => accepted
        buy A3 1 @9   => accepted
        buy A3 1 @7   => accepted
        cancel A2 O1  => cancelled O1 1
        cancel A3 O3  => cancelled O3 1
        book I0       => 1@7 | 1@12
        buy A4 1 @11  => accepted
        sell A4 1 @8  => accepted, O5 1@11
        ",
    );
}

#[test]
fn a_modification_that_crosses_does_not_rest_crossed() {
    Venue::new().check(
        "
        sell A2 2 @10     => accepted
        buy A3 5 @9       => accepted
        amend A3 O2 5 @10 => amended O2 5@10 open 5, O1 2@10
        book I0           => 3@10 |
        ",
    );
}

#[test]
fn nobody_acknowledges_a_change_to_a_filled_order() {
    Venue::new().check(
        "
        sell A2 2 @10                   => accepted
        buy A3 2 @10                    => accepted, O1 2@10
        cancel A2 O1                    => UnknownOrder
        amend A2 O1 1 @10               => UnknownOrder
        replace A2 O1 with sell 1 @10   => UnknownOrder
        cancel A3 O2                    => UnknownOrder
        cancel-all A2                   =>
        ",
    );
}

#[test]
fn what_an_ioc_leaves_does_not_rest() {
    Venue::new().check(
        "
        sell A2 2 @10     => accepted
        buy A3 5 @10 ioc  => accepted, O1 2@10, expired 3 ImmediateOrCancel
        book I0           => |
        balance A3 quote  => 999980 + 0
        ",
    );
}

#[test]
fn fill_or_kill_counts_more_than_the_best_level() {
    Venue::new().check(
        "
        sell A2 2 @10     => accepted
        sell A2 2 @11     => accepted
        buy A3 4 @11 fok  => accepted, O1 2@10, O2 2@11
        ",
    );
}

#[test]
fn order_ids_are_never_used_twice() {
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        cancel A2 O1  => cancelled O1 1
        sell A2 1 @10 => accepted
        cancel A2 O1  => UnknownOrder
        queue I0 sell => O2 1@10
        ",
    );
}

#[test]
fn no_price_is_too_high() {
    Venue::new().check(
        "
        deposit A4 quote 9000000000000000000
        reference I0 1000000000000000000
        sell A2 1 @1                     => accepted
        sell A2 1 @1000000               => accepted
        sell A2 1 @4000000000000000000   => accepted
        book I0                          => | 1@1 1@1000000 1@4000000000000000000
        buy A4 3 @4000000000000000000    => NotionalAboveMaximum
        buy A4 1 @4000000000000000000    => accepted, O1 1@1
        buy A4 1 @4000000000000000000    => accepted, O2 1@1000000
        buy A4 1 @4000000000000000000    => accepted, O3 1@4000000000000000000
        ",
    );
}

#[test]
fn a_cascade_of_closings_is_done_to_its_end() {
    // There are no stops yet; what cascades in one command is prevention and matching over levels.
    Venue::new().check(
        "
        sell A2 1 @10     => accepted
        sell A3 1 @11     => accepted
        sell A2 1 @12     => accepted
        sell A4 1 @13     => accepted
        buy A2 3 @13 em   => accepted, prevented O1 0/1@10 ExpireMaker, O2 1@11, prevented O3 0/1@12 ExpireMaker, O4 1@13
        book I0           => 1@13 |
        ",
    );
}

#[test]
fn depth_falls_with_a_partial_fill() {
    Venue::new().check(
        "
        sell A2 5 @10 => accepted
        sell A3 5 @10 => accepted
        book I0       => | 10@10
        buy A4 2 @10  => accepted, O1 2@10
        book I0       => | 8@10
        buy A4 4 @10  => accepted, O1 3@10, O2 1@10
        book I0       => | 4@10
        ",
    );
}

#[test]
fn the_queue_is_in_the_order_of_time_and_not_of_a_hash() {
    let mut venue = Venue::new();
    let mut answer = "accepted".to_owned();
    for n in 1..=40 {
        venue.check(&format!("sell A{} 1 @10 #{} => accepted", 2 + n % 3, 7_919 * n % 104_729));
        answer += &format!(", O{n} 1@10");
    }
    venue.check(&format!("buy A5 40 @10 => {answer}"));
}

#[test]
fn a_queue_that_loses_its_orders_one_by_one_stays_whole() {
    // The next order is looked up before the filled one is erased.
    Venue::new().check(
        "
        sell A2 1 @10   => accepted
        sell A3 1 @10   => accepted
        sell A4 1 @10   => accepted
        buy A5 2 @10    => accepted, O1 1@10, O2 1@10
        sell A2 1 @10   => accepted
        queue I0 sell   => O3 1@10 O5 1@10
        cancel A4 O3    => cancelled O3 1
        cancel A2 O5    => cancelled O5 1
        sell A2 1 @10   => accepted
        buy A5 1 @10    => accepted, O6 1@10
        ",
    );
}

#[test]
fn after_the_front_is_filled_a_cancel_hits_the_order_it_names() {
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        sell A3 2 @10 => accepted
        sell A4 3 @10 => accepted
        buy A5 1 @10  => accepted, O1 1@10
        cancel A4 O3  => cancelled O3 3
        queue I0 sell => O2 2@10
        ",
    );
}

#[test]
fn orders_of_one_price_and_one_time_are_all_kept() {
    let mut venue = Venue::new();
    venue.check("at 1000");
    for n in 1..=10 {
        venue.check(&format!("sell A2 {n} @10 => accepted"));
    }
    venue.check("book I0 => | 55@10");
    venue.check("buy A3 3 @10 => accepted, O1 1@10, O2 2@10");
}

#[test]
fn a_restart_from_a_snapshot_keeps_balances_holds_and_queues() {
    let mut venue = Venue::new();
    venue.check(
        "
        fee S0 T0 100000 50000
        sell A2 5 @10 #17 => accepted
        sell A3 5 @10 #x  => accepted, #x
        buy A4 2 @10      => accepted, O1 2@10 fee 2/1
        buy A5 3 @9       => accepted
        withdraw A2 quote 7 => W1 requested
        ",
    );
    venue.engine = Engine::restore(EngineConfig::default(), &venue.engine.snapshot()).expect("a snapshot is restored");
    venue.check(
        "
        balance A2 quote  => 1000012 + 7
        balance A5 quote  => 999971 + 29
        queue I0 sell     => O1 3@10 O2 5@10
        sell A2 1 @10 #17 => DuplicateClientOrderId
        sell A3 1 @10 #x  => DuplicateClientOrderId
        buy A4 4 @10      => accepted, O1 3@10 fee 3/2, O2 1@10 fee 1/1
        confirm W1        => W1 confirmed
        cancel A3 #x      => cancelled O2 4
        ",
    );
}
