//! Cancel and cancel-all.

use crate::common::Venue;

#[test]
fn a_cancel_gives_back_the_hold() {
    Venue::new().check(
        "
        buy A2 3 @10 #5   => accepted
        sell A3 4 @20 #5  => accepted
        balance A2 quote  => 999970 + 30
        balance A3 base   => 999996 + 4
        cancel A2 O1      => cancelled O1 3
        cancel A3 #5      => cancelled O2 4
        balance A2 quote  => 1000000 + 0
        balance A3 base   => 1000000 + 0
        book I0           => |
        ",
    );
}

#[test]
fn only_the_owner_cancels_only_what_is_open() {
    Venue::new().check(
        "
        buy A2 3 @10 #5   => accepted
        cancel A3 O1      => UnknownOrder
        cancel A3 #5      => UnknownOrder
        cancel A2 O2      => UnknownOrder
        cancel A2 O0      => UnknownOrder
        cancel A99 O1     => UnknownAccount
        sell A3 3 @10     => accepted, O1 3@10
        cancel A2 O1      => UnknownOrder
        cancel A2 #5      => UnknownOrder
        ",
    );
}

#[test]
fn a_partly_filled_order_is_cancelled_for_its_rest() {
    Venue::new().check(
        "
        fee S0 T0 0 100000
        buy A2 5 @11      => accepted
        sell A3 2 @11     => accepted, O1 2@11 fee 0/3
        // Of 55 the fee is 6, of 22 it is 3: 33 and 3 are held.
        balance A2 quote  => 999939 + 36
        cancel A2 O1      => cancelled O1 3
        balance A2 quote  => 999975 + 0
        ",
    );
}

#[test]
fn cancel_all_goes_by_ascending_order_id() {
    let set_up = "
        sell A2 1 @30     => accepted
        buy A2 1 @10      => accepted
        buy A3 1 @10      => accepted
        sell A2 1 @20     => accepted
        buy A2 1 @9 I1    => accepted
        buy A2 1 @10 I1   => accepted
        // The first comes in again, behind the others; its id stays the lowest.
        amend A2 O1 2 @30 => amended O1 2@30 open 2
    ";
    let check = |command: &str, answer: &str| {
        let mut venue = Venue::new();
        venue.check(set_up);
        venue.check(&format!("{command} => {answer}"));
        venue.check(&format!("{command} =>"));
    };
    let all = "CancelledAll";
    check(
        "cancel-all A2",
        &format!(
            "cancelled O1 2 {all}, cancelled O2 1 {all}, cancelled O4 1 {all}, cancelled O5 1 {all}, cancelled O6 1 {all}"
        ),
    );
    check("cancel-all A2 I0", &format!("cancelled O1 2 {all}, cancelled O2 1 {all}, cancelled O4 1 {all}"));
    check("cancel-all A2 buy", &format!("cancelled O2 1 {all}, cancelled O5 1 {all}, cancelled O6 1 {all}"));
    check("cancel-all A2 I1 buy", &format!("cancelled O5 1 {all}, cancelled O6 1 {all}"));
    check("cancel-all A2 I0 sell", &format!("cancelled O1 2 {all}, cancelled O4 1 {all}"));
    check("cancel-all A2 I1 sell", "");
    check("cancel-all A4", "");
}

#[test]
fn cancel_all_refuses_what_it_does_not_know() {
    Venue::new().check(
        "
        cancel-all A2 I9  => UnknownInstrument
        cancel-all A99 I9 => UnknownInstrument
        cancel-all A99 I0 => UnknownAccount
        cancel-all A99    => UnknownAccount
        ",
    );
}
