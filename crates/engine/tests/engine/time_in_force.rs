//! Immediate or cancel, fill or kill, post-only.

use crate::common::Venue;

#[test]
fn what_an_ioc_does_not_trade_expires() {
    Venue::new().check(
        "
        sell A2 2 @10     => accepted
        sell A2 2 @12     => accepted
        buy A3 5 @11 ioc  => accepted, O1 2@10, expired 3 ImmediateOrCancel
        book I0           => | 2@12
        buy A3 5 @11 ioc  => accepted, expired 5 ImmediateOrCancel
        buy A3 2 @12 ioc  => accepted, O2 2@12
        balance A3 quote  => 999956 + 0
        sell A3 1 @5 ioc  => accepted, expired 1 ImmediateOrCancel
        ",
    );
}

#[test]
fn a_fok_counts_every_level_to_its_limit() {
    Venue::new().check(
        "
        sell A2 2 @10     => accepted
        sell A3 2 @11     => accepted
        sell A4 2 @12     => accepted
        buy A5 5 @11 fok  => accepted, expired 5 FillOrKill
        buy A5 7 @12 fok  => accepted, expired 7 FillOrKill
        buy A5 7 @99 fok  => accepted, expired 7 FillOrKill
        book I0           => | 2@10 2@11 2@12
        buy A5 5 @12 fok  => accepted, O1 2@10, O2 2@11, O3 1@12
        balance A5 quote  => 999946 + 0
        buy A2 3 @9       => accepted
        sell A5 4 @9 fok  => accepted, expired 4 FillOrKill
        sell A5 3 @9 fok  => accepted, O8 3@9
        ",
    );
}

/// Two asks of A2 around one of A3; what a FOK of A2 does to them in each mode.
fn check_fok(mode: &str, quantity: u32, answer: &str) {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A3 2 @10
        sell A2 2 @11
        sell A4 2 @12
        ",
    );
    venue.check(&format!("buy A2 {quantity} @12 fok {mode} => {answer}"));
}

#[test]
fn own_orders_do_not_count_towards_a_fok() {
    // Without prevention own orders trade, so they count.
    check_fok("", 6, "accepted, O1 2@10, O2 2@11, O3 2@12");
    check_fok("", 7, "accepted, expired 7 FillOrKill");
    // The taker would be closed by its own order: enough must stand before it.
    check_fok("et", 2, "accepted, O1 2@10");
    check_fok("et", 3, "accepted, expired 3 FillOrKill");
    check_fok("eb", 2, "accepted, O1 2@10");
    check_fok("eb", 3, "accepted, expired 3 FillOrKill");
    // The maker goes, the taker goes on.
    check_fok("em", 4, "accepted, O1 2@10, prevented O2 0/2@11 ExpireMaker, O3 2@12");
    check_fok("em", 5, "accepted, expired 5 FillOrKill");
    // The own quantity is not counted, but it is taken from the order when it comes to it.
    check_fok("dec", 4, "accepted, O1 2@10, prevented O2 2/2@11 Decrement");
    check_fok("dec", 5, "accepted, expired 5 FillOrKill");
    check_fok("tr", 4, "accepted, O1 2@10, prevented O2 2/2@11 Decrement");
    check_fok("tr", 5, "accepted, expired 5 FillOrKill");
}

#[test]
fn orders_of_the_trade_group_do_not_count_either() {
    Venue::new().check(
        "
        group A2 7
        group A3 7
        sell A2 2 @10        => accepted
        sell A4 2 @10        => accepted
        buy A3 3 @10 fok em  => accepted, expired 3 FillOrKill
        buy A3 2 @10 fok em  => accepted, prevented O1 0/2@10 ExpireMaker, O2 2@10
        ",
    );
}

#[test]
fn a_post_only_order_never_takes() {
    Venue::new().check(
        "
        sell A2 2 @10      => accepted
        buy A3 2 @10 post  => PostOnlyWouldTrade
        buy A3 2 @11 post  => PostOnlyWouldTrade
        // Whoever owns the other order.
        buy A2 2 @10 post em => PostOnlyWouldTrade
        buy A3 2 @9 post   => accepted
        sell A4 2 @9 post  => PostOnlyWouldTrade
        sell A4 2 @10 post => accepted
        buy A5 3 @10       => accepted, O1 2@10, O3 1@10
        ",
    );
}
