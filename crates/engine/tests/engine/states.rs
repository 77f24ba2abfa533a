//! States of an instrument: what each lets in, where each may go, schedules.

use tradewright_types::{Admission, AuctionPhase, InstrumentAction, InstrumentState, RejectReason};

use crate::common::Venue;

/// A venue with a bid of A2 and an ask of A3 that rest, a stop that waits, and a last price of 10.
fn traded() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A3 1 @10
        buy A2 1 @10                => accepted, O1 1@10
        buy A2 5 @9
        sell A3 5 @11
        buy A4 5 @12 stop=11 by=mark => accepted, waits for 11
        limits I0 down=500000 up=500000
        ",
    );
    venue
}

/// The commands that take an instrument in continuous trading to a state.
fn way_to(state: InstrumentState) -> &'static str {
    match state {
        InstrumentState::Continuous => "",
        InstrumentState::Halted => "halt I0",
        InstrumentState::PreOpen => "state I0 preopen",
        InstrumentState::Auction => "state I0 auction intraday",
        InstrumentState::Paused => "close 100\nlevel 93",
        InstrumentState::CancelOnly => "state I0 cancelonly",
        InstrumentState::Closed => "state I0 closed",
        InstrumentState::Expired => "state I0 expired",
    }
}

#[test]
fn the_table_says_what_every_state_lets_in() {
    for state in InstrumentState::ALL {
        for action in InstrumentAction::ALL {
            let commands: &[&str] = match action {
                InstrumentAction::Enter => &[
                    "buy A2 1 @9",
                    "buy A2 1 @9 day",
                    "buy A2 1 @9 auction",
                    "buy A2 1 market close",
                    "buy A2 1 @9 post",
                    "buy A2 1 @12 stop=12",
                    "buy A2 1 market stop=12",
                    "amend A2 O3 4 @9",
                    "amend A2 O3 6 @9",
                    "replace A2 O3 with buy 1 @9",
                ],
                InstrumentAction::EnterAtOnce => &[
                    "buy A2 1 @9 ioc",
                    "buy A2 1 @9 fok",
                    "buy A2 1 market",
                    "buy A2 11q market",
                    "buy A2 1 @9 ioc min=1",
                    "replace A2 O3 with buy 1 @9 ioc",
                ],
                InstrumentAction::Cancel => &["cancel A2 O3", "cancel-all A2"],
                InstrumentAction::Fire => &["mark I0 11"],
            };
            for command in commands {
                // An expired instrument has no orders left to cancel or to amend.
                if *state == InstrumentState::Expired && !command.starts_with("buy") {
                    continue;
                }
                let mut venue = traded();
                venue.check(way_to(*state));
                let given = venue.send(command);
                let refused = RejectReason::ALL.iter().copied().find(|reason| given.starts_with(reason.name()));
                match state.admits(*action) {
                    Admission::Admitted => assert_eq!(refused, None, "{command} in {state:?}: {given}"),
                    Admission::Refused(reason) => assert_eq!(refused, Some(reason), "{command} in {state:?}"),
                    Admission::Deferred => assert!(!given.contains("fires"), "{command} in {state:?}: {given}"),
                }
                if *action == InstrumentAction::Fire && state.trades() {
                    assert!(given.contains("fires"), "{given}");
                }
            }
        }
    }
}

#[test]
fn every_step_is_legal_or_refused() {
    for from in InstrumentState::ALL {
        for to in InstrumentState::ALL {
            for phase in [AuctionPhase::None, AuctionPhase::Opening, AuctionPhase::Intraday, AuctionPhase::Closing] {
                if !phase.fits(*to) {
                    continue;
                }
                let mut venue = traded();
                venue.check(way_to(*from));
                // The whole market pauses no longer.
                venue.check("close 0");
                let given = venue.send(&format!("state I0 {} {}", *to as u8, phase as u8));
                let legal = from.may_become(*to, phase, false);
                assert_eq!(given != "IllegalStateChange", legal, "from {from:?} to {to:?} {phase:?}: {given}");
                if legal {
                    let now = venue.engine.instrument(tradewright_types::InstrumentId(0)).expect("it is listed").state;
                    assert_eq!(now, *to, "from {from:?}: {given}");
                }
            }
        }
    }
}

#[test]
fn commands_name_states_that_there_are() {
    Venue::new().check(
        "
        state I9 closed             => UnknownInstrument
        state I0 8                  => SettingOutOfRange
        state I0 auction            => SettingOutOfRange
        state I0 auction 4          => SettingOutOfRange
        state I0 closed opening     => SettingOutOfRange
        state I0 paused             => IllegalStateChange
        state I0 continuous         => IllegalStateChange
        schedule I9 closed none 5   => UnknownInstrument
        schedule I0 paused none 5   => SettingOutOfRange
        schedule I0 closed none 0   => SettingOutOfRange
        schedule I0 closed none 4611686018427387905 => SettingOutOfRange
        at 5
        schedule I0 closed none 5   => ScheduleNotInFuture
        schedule I0 closed none 6   => set
        schedule I0 none            => set
        at 7                        =>
        terms I9                    => UnknownInstrument
        terms I0 collar=1000001     => SettingOutOfRange
        terms I0 extensions=1 extension=5 => SettingOutOfRange
        terms I0 extensions=1 collar=5 => SettingOutOfRange
        state I0 expired            => set, Expired
        schedule I0 closed none 60  => IllegalStateChange
        halt I0                     => IllegalStateChange
        resume I0                   => IllegalStateChange
        ",
    );
}

#[test]
fn a_resume_gives_back_what_the_halt_took() {
    let mut venue = traded();
    venue.check(
        "
        state I0 auction closing    => set, Auction Closing
        buy A2 2 @10 close          => accepted
        halt I0                     => set, Halted
        halt I0                     => set
        buy A2 1 @9                 => InstrumentHalted
        cancel A2 O6                => cancelled O6 2
        buy A2 1 @9                 => InstrumentHalted
        resume I0                   => set, Auction Closing
        resume I0                   => set
        sell A3 1 @9                => accepted, would trade 1@9 +4
        state I0 halted             => set, Halted
        state I0 preopen            => set, PreOpen Opening
        state I0 continuous         => set, O3 O7 1@9, uncrossed 1@9 +4, Continuous
        ",
    );
}

#[test]
fn schedules_and_states_end_before_the_command_that_lets_the_time_come() {
    let mut venue = traded();
    venue.check(
        "
        schedule I0 auction closing 100  => set
        schedule I1 closed none 100      => set
        buy A2 1 @8 until=100            => accepted, conditions
        buy A2 1 @8 I1 day               => accepted
        at 99                            =>
        at 100                           => expired O6 1 GoodTillDate, Auction Closing, Closed, expired O7 1 DayEnded
        schedule I0 closed none 150      => set
        // A schedule takes the place of the one before.
        schedule I0 continuous none 200  => set
        at 199                           =>
        at 250                           => uncrossed 0@0 +0, Continuous
        ",
    );
}

#[test]
fn a_change_that_is_not_legal_waits_for_the_next_change() {
    let mut venue = traded();
    venue.check(
        "
        halt I0
        schedule I0 continuous none 100
        at 100                           =>
        resume I0                        => set, Continuous
        at 101                           =>
        // It is still there: from an auction it is legal, and due long since.
        state I0 auction intraday        => set, Auction Intraday
        at 102                           => uncrossed 0@0 +0, Continuous
        at 103                           =>
        ",
    );
}

#[test]
fn the_end_of_a_call_can_be_drawn() {
    let mut venue = traded();
    venue.check(
        "
        state I0 auction intraday        => set, Auction Intraday
        // 100 and 25 mod 11.
        schedule I0 continuous none 100 10 25 => set
        at 102                           =>
        at 103                           => uncrossed 0@0 +0, Continuous
        ",
    );
}

#[test]
fn the_end_of_the_day_ends_day_orders_wherever_they_are() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 3 @9 day                     => accepted
        buy A2 3 @12 day stop=12            => accepted, waits for 12
        buy A2 3 @9 close                   => accepted
        buy A2 3 @9 opening                 => accepted
        state I0 closed                     => set, Closed, expired O6 3 DayEnded, expired O7 3 DayEnded, expired O8 3 DayEnded
        orders A2                           => O3 O9
        buy A2 1 @9                         => InstrumentClosed
        state I0 preopen                    => set, PreOpen Opening
        queue I0 buy                        => O3 5@9 O9 3@9
        ",
    );
}

#[test]
fn an_instrument_that_expires_has_no_orders() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 3 @9 auction         => accepted
        balance A2 quote            => 999918 + 72
        state I0 expired            => set, Expired, cancelled O3 5 InstrumentExpired, cancelled O4 5 InstrumentExpired, cancelled O5 5 InstrumentExpired, cancelled O6 3 InstrumentExpired
        balance A2 quote            => 999990 + 0
        balance A3 base             => 999999 + 0
        buy A2 1 @9                 => InstrumentExpired
        state I0 preopen            => IllegalStateChange
        ",
    );
}

#[test]
fn while_the_venue_is_halted_nothing_uncrosses() {
    let mut venue = traded();
    venue.check(
        "
        state I0 auction intraday        => set, Auction Intraday
        buy A2 1 @11                     => accepted, would trade 1@11 -4
        schedule I0 continuous none 50   => set
        halt venue
        state I0 continuous              => VenueHalted
        at 60                            =>
        buy A2 1 @9                      => VenueHalted
        resume venue                     => set
        at 60                            => O6 O4 1@11, uncrossed 1@11 -4, Continuous
        ",
    );
}
