//! Snapshots: what is wrong with a damaged one has a name.

use tradewright_engine::{Engine, EngineConfig, Section, SectionKind, SnapshotError};
use tradewright_types::RULESET_VERSION;

use crate::common::Venue;

/// A venue with something in every section.
fn full_venue() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        fee S0 T0 100000 50000
        fee S0 T2 100000 -50000
        rates A2 open=9 orders=9 messages=9
        group A3 4
        position A2 I0 2000000
        reference I1 10
        sell A2 5 @10 #17 => accepted
        sell A3 5 @11 #x tr => accepted, #x
        buy A4 2 @10      => accepted, O1 2@10 fee 2/1
        buy A5 3 @9       => accepted
        sell A3 1 @20 dec => accepted
        buy A3 9 @8       => accepted
        withdraw A2 quote 7
        quote A5 I0 2@7 2@30
        protect A5 I0 lots=9 window=100
        halt I1
        halt A6
        session A2 desk
        session any night-shift
        S1:1 cancel-all A2 I1
        S1:2 cancel A2 O99 => UnknownOrder
        key any root 1 8 7 32
        key A2 algo 2 3 9 96
        send A2 quote 40 Y3
        send A2 base 3 Y3
        arrived Y3 1
        receive A3 quote 5 Y4 1
        halt venue
        ",
    );
    venue
}

fn restore(sections: &[Section]) -> Result<Engine, SnapshotError> {
    Engine::restore(EngineConfig::default(), sections)
}

/// The error of a snapshot in which `change` was done to one section.
fn damaged(kind: SectionKind, change: impl FnOnce(&mut Vec<u8>)) -> Option<SnapshotError> {
    let mut sections = full_venue().engine.snapshot();
    change(&mut sections[kind as usize - 1].bytes);
    restore(&sections).err()
}

#[test]
fn it_holds_everything() {
    let engine = full_venue().engine;
    let sections = engine.snapshot();
    assert!(sections.iter().all(|section| !section.bytes.is_empty()));
    let restored = restore(&sections).expect("a snapshot is restored");
    restored.check_invariants();
    assert_eq!(restored.state_hash(), engine.state_hash());
    assert_eq!(format!("{}", restored.state_hash()).len(), 32);
    assert_eq!(restored.snapshot(), sections);
}

#[test]
fn sections_must_be_all_there_in_their_order() {
    let sections = full_venue().engine.snapshot();
    assert_eq!(restore(&[]).err(), Some(SnapshotError::Sections));
    assert_eq!(restore(&sections[..7]).err(), Some(SnapshotError::Sections));
    assert_eq!(restore(&[sections.clone(), sections[..1].to_vec()].concat()).err(), Some(SnapshotError::Sections));
    let mut swapped = sections;
    swapped.swap(3, 4);
    assert_eq!(restore(&swapped).err(), Some(SnapshotError::Sections));
}

#[test]
fn another_ruleset_is_refused() {
    let given = damaged(SectionKind::Engine, |bytes| bytes[0] = 99);
    assert_eq!(given, Some(SnapshotError::UnknownRuleset(99)));
}

/// Where the entries of a section begin and end, as the snapshot of a prefix of it shows.
fn is_whole(kind: SectionKind, error: Option<&SnapshotError>) -> bool {
    match error {
        // The prefix ends between two entries, or the sections behind it miss what it would have named.
        None => true,
        Some(SnapshotError::Invalid(other)) => *other > kind,
        Some(SnapshotError::Truncated(other)) => {
            assert_eq!(*other, kind);
            false
        }
        Some(other) => panic!("a truncated {kind:?} gives {other:?}"),
    }
}

#[test]
fn every_section_cut_anywhere_is_truncated() {
    for section in full_venue().engine.snapshot() {
        let kind = section.kind;
        let mut whole = 0;
        for length in 0..section.bytes.len() {
            let error = damaged_at(kind, length);
            whole += usize::from(is_whole(kind, error.as_ref()));
        }
        // A list may end behind each of its entries; the head may not end anywhere.
        let entries = match kind {
            SectionKind::Engine => 0,
            SectionKind::Assets => 3,
            SectionKind::Accounts => 9,
            SectionKind::Instruments | SectionKind::Fees => 2,
            SectionKind::Balances => 13,
            SectionKind::Withdrawals => 1,
            SectionKind::Orders => 7,
            SectionKind::Controls | SectionKind::Transfers => 0,
            SectionKind::Sessions | SectionKind::Keys => 2,
        };
        assert_eq!(whole, entries, "{kind:?}");
    }
}

fn damaged_at(kind: SectionKind, length: usize) -> Option<SnapshotError> {
    thread_local! {
        static SECTIONS: Vec<Section> = full_venue().engine.snapshot();
    }
    SECTIONS.with(|sections| {
        let mut sections = sections.clone();
        sections[kind as usize - 1].bytes.truncate(length);
        restore(&sections).err()
    })
}

#[test]
fn a_byte_too_many_is_surplus_or_the_beginning_of_a_truncated_entry() {
    for kind in SectionKind::ALL {
        let expected = match kind {
            SectionKind::Engine | SectionKind::Controls | SectionKind::Transfers => SnapshotError::Surplus(kind),
            SectionKind::Assets
            | SectionKind::Accounts
            | SectionKind::Instruments
            | SectionKind::Fees
            | SectionKind::Balances
            | SectionKind::Withdrawals
            | SectionKind::Orders
            | SectionKind::Sessions
            | SectionKind::Keys => SnapshotError::Truncated(kind),
        };
        assert_eq!(damaged(kind, |bytes| bytes.push(1)), Some(expected), "{kind:?}");
    }
}

/// A value that cannot be, at a place of a section.
fn check_invalid(kind: SectionKind, place: usize, bytes: &[u8]) {
    let error = damaged(kind, |section| section[place..place + bytes.len()].copy_from_slice(bytes));
    assert_eq!(error, Some(SnapshotError::Invalid(kind)), "{kind:?} at {place}");
}

#[test]
fn values_that_cannot_be_are_invalid() {
    // Names: not printable, longer than a name can be, none.
    for kind in [SectionKind::Assets, SectionKind::Accounts, SectionKind::Instruments] {
        check_invalid(kind, 1, b" ");
        let too_long = damaged(kind, |section| *section = [vec![33], vec![b'x'; 200]].concat());
        assert_eq!(too_long, Some(SnapshotError::Invalid(kind)));
        check_invalid(kind, 0, &[0]);
    }
    // A kind of account behind the name `fees`.
    check_invalid(SectionKind::Accounts, 5, &[9]);
    // An instrument `base/quote`: its kind, base, quote, and the two units behind two counters.
    let instrument = 11 + 16;
    check_invalid(SectionKind::Instruments, instrument, &[9]);
    check_invalid(SectionKind::Instruments, instrument + 1, &[3]);
    check_invalid(SectionKind::Instruments, instrument + 5, &[3]);
    check_invalid(SectionKind::Instruments, instrument + 9, &[0]);
    check_invalid(SectionKind::Instruments, instrument + 17, &[0]);
    // Its increments and bounds.
    check_invalid(SectionKind::Instruments, instrument + 25, &[0]);
    check_invalid(SectionKind::Instruments, instrument + 29, &[0]);
    // The account of a position limit: the last entry of its list is behind limits, states and prices.
    let position = instrument + 25 + 68 + 5 + 18 + 8;
    check_invalid(SectionKind::Instruments, position, &[99]);
    // A balance of an asset or an account that there is not.
    check_invalid(SectionKind::Balances, 0, &[3]);
    check_invalid(SectionKind::Balances, 4, &[9]);
    // An order: its id, account, instrument, side, mode, open quantity, and the client order id at the end.
    check_invalid(SectionKind::Orders, 0, &[0]);
    check_invalid(SectionKind::Orders, 8, &[9]);
    check_invalid(SectionKind::Orders, 12, &[2]);
    check_invalid(SectionKind::Orders, 16, &[2]);
    check_invalid(SectionKind::Orders, 17, &[6]);
    check_invalid(SectionKind::Orders, 18, &[8]);
    check_invalid(SectionKind::Orders, 30, &[0]);
    let given = damaged(SectionKind::Orders, |bytes| {
        let text = bytes.windows(2).position(|pair| pair == [1, b'x']).expect("the id x");
        bytes[text + 1] = 0x7f;
    });
    assert_eq!(given, Some(SnapshotError::Invalid(SectionKind::Orders)));
}

#[test]
fn each_error_says_what_is_wrong() {
    let check = |error: SnapshotError, text: &str| {
        assert_eq!(error.to_string(), text);
        let error: &dyn core::error::Error = &error;
        assert!(error.source().is_none());
    };
    let kind = SectionKind::Fees;
    check(SnapshotError::Sections, "the snapshot lacks a section or has one out of order");
    check(
        SnapshotError::UnknownRuleset(7),
        &format!("the snapshot was written under ruleset 7; this build knows {RULESET_VERSION}"),
    );
    check(SnapshotError::Truncated(kind), "section Fees of the snapshot is truncated");
    check(SnapshotError::Surplus(kind), "section Fees of the snapshot has bytes behind its end");
    check(SnapshotError::Invalid(kind), "section Fees of the snapshot holds a value that cannot be");
}

#[test]
fn controls_that_cannot_be_are_invalid() {
    let mut venue = Venue::new();
    venue.check("kill G7\nkill S8\nrestrict A2 I0 1\nprotect A2 I0 lots=5 fills=2 window=9\nprotect A2 fills=2 window=9\nS0 end S9");
    let sections = venue.engine.snapshot();
    let place = SectionKind::Controls as usize - 1;
    assert_eq!(sections[place].bytes.len(), 4 + 4 + 4 + 4 + 4 + 14 + 4 + 4 + 4 + 4 + 2 * 57);
    let given = |change: fn(&mut Vec<u8>)| {
        let mut sections = sections.clone();
        change(&mut sections[place].bytes);
        restore(&sections).err()
    };
    // A scope, an account, an instrument and a level that there is not; an end that comes too early.
    let kind = SectionKind::Controls;
    assert_eq!(given(|bytes| bytes[20] = 9), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes[21] = 99), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes[29] = 9), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes[33] = 9), Some(SnapshotError::Invalid(kind)));
    // A protection of nobody, one nowhere, one that bounds nothing, one that is there twice.
    assert_eq!(given(|bytes| bytes[50] = 99), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes[54] = 9), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes[74] = 0), Some(SnapshotError::Invalid(kind)));
    assert_eq!(given(|bytes| bytes.copy_within(50..107, 107)), Some(SnapshotError::Invalid(kind)));
    for length in 0..sections[place].bytes.len() {
        let mut sections = sections.clone();
        sections[place].bytes.truncate(length);
        assert_eq!(restore(&sections).err(), Some(SnapshotError::Truncated(kind)));
    }
}

/// A venue with something of every kind that an order, an instrument or a control can be.
fn varied_venue() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        permit A5 15
        allocation I1 rule=2 min=1
        top I1 1 100
        lead I1 A3 1000
        terms I0 collar=1000 extension=5 extensions=2 call=50
        breaker I0 ticks=50 slots=10 slot=10 pause=100
        schedule I0 closed none 5000
        sell A2 1 @10
        buy A3 1 @10
        mark I0 10
        sell A2 10 @12 peak=2
        sell A2 3 @13 hidden=1
        buy A2 3 @7 hidden=1
        buy A2 3 @9 peg=primary
        buy A2 2 @8 until=900
        buy A2 2 market auction
        buy A2 2 @20 stop=15 by=mark
        sell A2 2 @5 stop=0 trail=3
        oco A3 #7 / sell 5 @20 / sell 5 market stop=5
        oto A3 #name / buy 5 @5 / sell 5 @30
        otoco A3 / buy 5 @5 / sell 5 @30 / sell 5 market stop=3
        sell A4 4 @20 I1
        bands I0 100 200 wait=900
        buy A4 30 @9
        approve A5 O19
        quote A5 I0 2@7 2@30
        protect A5 I0 lots=9 window=100
        restrict A4 I1 1
        kill G7
        ",
    );
    venue
}

/// What is wrong with an engine, by its own judgement.
fn judgement(engine: Engine) -> Option<String> {
    let error = std::panic::catch_unwind(move || engine.check_invariants()).err()?;
    let text = error.downcast_ref::<String>().map(String::as_str).or(error.downcast_ref::<&str>().copied());
    Some(text.unwrap_or_default().to_owned())
}

/// Turns each byte of a snapshot round. What is restored all the same must hold together or say what does not: returns how many
/// are refused, and all that was found.
fn damage_each_byte(venue: &Venue) -> (usize, String) {
    let sections = venue.engine.snapshot();
    assert_eq!(restore(&sections).expect("a snapshot is restored").state_hash(), venue.engine.state_hash());
    // What is expected to panic here need not be told.
    let (here, tell) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != here {
            tell(info);
        }
    }));
    let (mut refused, mut found, mut broken) = (0, String::new(), Vec::new());
    for place in 0..sections.len() {
        for byte in 0..sections[place].bytes.len() {
            let mut sections = sections.clone();
            sections[place].bytes[byte] ^= [0x01, 0x80, 0xff, 0x02][byte % 4];
            match restore(&sections).map(judgement) {
                Err(_) => refused += 1,
                Ok(None) => {}
                Ok(Some(judgement)) => {
                    if !judgement.contains("Invariant: ") {
                        broken.push(format!("byte {byte} of {:?}: {judgement}", sections[place].kind));
                    }
                    found += &judgement;
                }
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(broken.is_empty(), "{broken:#?}");
    (refused, found)
}

#[test]
fn no_byte_of_a_snapshot_breaks_whoever_reads_it_and_what_does_not_fit_is_found() {
    let (refused, mut found) = damage_each_byte(&varied_venue());
    assert!(refused > 1_000, "{refused} of them are refused");
    // A hidden ask, which comes to stand at the bid or below it whatever becomes of the lowest byte of its price.
    let mut venue = Venue::new();
    venue.check("buy A2 1 @130\nsell A3 1 @131 hidden=1");
    found += &damage_each_byte(&venue).1;
    for rule in [
        "no book is crossed by another",
        "the book is not crossed",
        "original - executed - prevented = open",
        "places in time are numbered in order",
        "for its open orders exactly",
        "add up to deposits less withdrawals",
        "a following peg stands where it belongs",
        "a leg that lost quantity is tied to nobody",
        "TOP is an order that came to its place",
    ] {
        assert!(found.contains(rule), "nothing breaks `{rule}`");
    }
}
