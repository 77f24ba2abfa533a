//! Halts of the venue, an instrument, an account: what passes and what does not.

use crate::common::Venue;

/// A venue with one order of A2 on each instrument, and a pending withdrawal.
fn open_venue() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        reference I0 10
        buy A2 5 @10
        buy A2 5 @10 I1
        withdraw A2 quote 5
        withdraw A2 quote 5
        ",
    );
    venue
}

/// What each command answers during a halt; each is tried on its own.
fn check_halt(scope: &str, reason: &str) {
    let orders = [
        "buy A2 1 @9",
        "sell A2 1 @10 ioc",
        "buy A2 1 @9 fok",
        "buy A2 1 @9 post",
        "buy A2 1 market",
        "buy A2 10q market",
        "amend A2 O1 4 @10",
        "amend A2 O1 6 @10",
        "replace A2 O1 with buy 1 @9",
    ];
    for order in orders {
        let mut venue = open_venue();
        venue.check(&format!("halt {scope}"));
        venue.check(&format!("{order} => {reason}"));
        venue.check(&format!("resume {scope}"));
        // The same command passes afterwards.
        venue.check(order);
    }
    let passing = [
        ("cancel A2 O1", "cancelled O1 5"),
        ("cancel-all A2 I0", "cancelled O1 5 CancelledAll"),
        ("cancel-all A2", "cancelled O1 5 CancelledAll, cancelled O2 5 CancelledAll"),
        ("deposit A2 quote 5", "deposited"),
        ("withdraw A2 quote 5", "W3 requested"),
        ("confirm W1", "W1 confirmed"),
        ("revoke W2", "W2 cancelled"),
        ("transfer A2 A3 quote 5 internal", "transferred"),
        ("at 5", ""),
        ("reference I0 11", "set"),
        ("limits I0 tick=1", "set"),
        ("tier A2 1", "set"),
        ("permit A2 3", "set"),
        ("position A2 I0 3", "set"),
        ("open A9 client frank", "set"),
    ];
    for (command, answer) in passing {
        let mut venue = open_venue();
        // What a halt of an instrument does is told by its state.
        let told = if scope.starts_with('I') { ["set, Halted", "set, Continuous"] } else { ["set", "set"] };
        venue.check(&format!("halt {scope} => {}\n{command} => {answer}\nresume {scope} => {}", told[0], told[1]));
    }
}

#[test]
fn a_halt_of_everything() {
    check_halt("venue", "VenueHalted");
}

#[test]
fn a_halt_of_an_instrument() {
    check_halt("I0", "InstrumentHalted");
    let mut venue = open_venue();
    venue.check(
        "
        halt I0
        buy A2 1 @9 I1                    => accepted
        replace A2 O1 with buy 1 @9 I1    => cancelled O1 5 Replaced, accepted
        amend A2 O2 4 @10                 => amended O2 4@10 open 4 kept
        replace A2 O2 with buy 1 @9       => InstrumentHalted
        ",
    );
}

#[test]
fn a_halt_of_an_account() {
    check_halt("A2", "AccountHalted");
    let mut venue = open_venue();
    venue.check(
        "
        halt A2
        // Its orders stay, and trade.
        sell A3 5 @10                     => accepted, O1 5@10
        buy A3 1 @9                       => accepted
        ",
    );
}

#[test]
fn halts_are_apart_from_each_other() {
    let mut venue = open_venue();
    venue.check(
        "
        halt venue
        halt I0
        halt A2
        halt A2
        buy A2 1 @9       => VenueHalted
        resume venue
        buy A2 1 @9       => InstrumentHalted
        resume I0
        buy A2 1 @9       => AccountHalted
        resume A2
        buy A2 1 @9       => accepted
        resume A2         => set
        ",
    );
}

#[test]
fn a_halt_names_what_it_does_not_know() {
    Venue::new().check(
        "
        halt I9     => UnknownInstrument
        resume I9   => UnknownInstrument
        halt A99    => UnknownAccount
        resume A99  => UnknownAccount
        halt 3      => SettingOutOfRange
        resume 255  => SettingOutOfRange
        ",
    );
}
