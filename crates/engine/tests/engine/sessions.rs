//! Sessions that were opened: numbers, retries, gaps, and what is told of them.

use tradewright_engine::{Engine, EngineConfig, EventBuffer, SectionKind, SnapshotError};
use tradewright_types::{AccountId, CommandHeader, CommandKind, CommandRecord, EventKind, RejectReason, SessionId};

use crate::common::{Venue, parse};

#[test]
fn a_session_is_numbered_by_first_use_of_account_and_name() {
    let mut venue = Venue::new();
    venue.check(
        "
        session A2 desk              => opened S1 of A2 at 0, desk
        session A3 desk              => opened S2 of A3 at 0, desk
        session A2 other             => opened S3 of A2 at 0, other
        session any desk             => opened S4 of operators at 0, desk
        session A2 desk              => opened S1 of A2 at 0, desk
        S1:1 buy A2 1 @10            => accepted
        session A2 desk              => opened S1 of A2 at 1, desk
        // Opened by itself, it is told the number before that.
        S1:2 session A2 desk         => opened S1 of A2 at 1, desk
        halt venue
        session A3 late              => opened S5 of A3 at 0, late
        session A9 desk              => UnknownAccount
        ",
    );
    let longest = "x".repeat(56);
    venue.check(&format!("session A2 {longest} => opened S6 of A2 at 0, {longest}"));
    venue.check(&format!("session A2 {longest}x => InvalidName"));
    venue.check("session A2 é => InvalidName");
    let views: Vec<_> = venue.engine.sessions().map(|view| (view.id().0, view.account(), view.name())).collect();
    assert_eq!(views[..2], [(1, Some(AccountId(2)), "desk"), (2, Some(AccountId(3)), "desk")]);
    assert_eq!((views[3], views.len()), ((4, None, "desk"), 6));
    assert_eq!(venue.engine.session(SessionId(1)).expect("it was opened").last_client_sequence(), 2);
    assert!(venue.engine.session(SessionId(0)).is_none() && venue.engine.session(SessionId(7)).is_none());
}

#[test]
fn an_account_has_so_many_sessions_and_no_more() {
    let mut venue = Venue::new();
    (0..256).for_each(|n| venue.check(&format!("S0 session A2 s{n}")));
    venue.check(
        "
        S0 session A2 s256  => TooManySessions
        S0 session A2 s0    => opened S1 of A2 at 0, s0
        S0 session A3 s256  => opened S257 of A3 at 0, s256
        S0 session any s256 => opened S258 of operators at 0, s256
        ",
    );
}

#[test]
fn a_retry_changes_nothing_and_gets_the_original_answer() {
    let mut venue = Venue::new();
    venue.check(
        "
        session A2 desk
        S1:1 buy A2 5 @10            => accepted
        S1:1 buy A2 5 @10            => repeats accepted O1
        S1:2 sell A2 2 @10           => accepted, O1 2@10
        S1:3 buy A2 0 @10            => QuantityNotPositive
        S1:3 buy A2 1 @10            => repeats QuantityNotPositive
        S1:4 oto A2 / buy 5 @9 / sell 5 @20
        S1:5 cancel A2 O1            => cancelled O1 3
        S1:4 cancel-all A2           => repeats accepted O3
        S1:5 cancel A2 O1            => repeats accepted
        S1:6 cancel A2 O1            => UnknownOrder
        S1:6 cancel A2 O1            => repeats UnknownOrder
        orders A2                    => O3 O4
        // Of a list, and of a replacement of which a half failed.
        S1:7 oto A2 / buy 5 @9 / sell 0 @20 => QuantityNotPositive leg 2
        S1:7 at 0                    => repeats QuantityNotPositive
        S1:8 replace A2 O99 allow with buy 1 @8 => accepted, UnknownOrder
        S1:8 at 0                    => repeats UnknownOrder O5
        ",
    );
    let sequence = venue.engine.sequence();
    venue.check("S1:9 buy A2 1 @10\nS1:9 buy A2 1 @10 => repeats accepted O6");
    let repeated = venue.events.as_slice()[0];
    assert_eq!((repeated.kind, repeated.reference), (EventKind::CommandRepeated as u8, sequence + 1));
    assert_eq!((repeated.counter_account, repeated.counter_order_id, repeated.account), (1, 9, 2));
}

#[test]
fn a_gap_and_what_is_too_old_are_refused_and_use_up_no_number() {
    let mut venue = Venue::new();
    venue.check(
        "
        session A2 desk
        S1:2 buy A2 5 @10            => ClientSequenceGap next 1
        S1:1 buy A2 5 @10            => accepted
        S1:3 buy A2 5 @10            => ClientSequenceGap next 2
        S1:18446744073709551615 buy A2 5 @10 => ClientSequenceGap next 2
        ",
    );
    (2..=1024).for_each(|n| venue.check(&format!("S1:{n} cancel A2 #5 => UnknownOrder")));
    venue.check(
        "
        S1:1 buy A2 5 @10            => repeats accepted O1
        S1:1025 buy A2 5 @11         => accepted
        S1:1 buy A2 5 @10            => ClientSequenceTooOld next 1026
        S1:2 buy A2 5 @10            => repeats UnknownOrder
        S1:1025 buy A2 5 @10         => repeats accepted O2
        S1:1027 buy A2 5 @10         => ClientSequenceGap next 1026
        ",
    );
}

#[test]
fn what_has_no_number_has_no_window() {
    Venue::new().check(
        "
        session A2 desk
        S1:0 buy A2 1 @10            => accepted
        S1:0 buy A2 1 @10            => accepted
        // Never opened, numbers mean nothing.
        S2:7 buy A2 1 @10            => accepted
        S2:7 buy A2 1 @10            => accepted
        S0:1 buy A2 1 @10            => accepted
        S0:1 buy A2 1 @10            => accepted
        S4294967295:1 buy A2 1 @10   => accepted
        S1:1 buy A2 1 @10            => accepted
        // Opened later, it begins at 1.
        session A3 desk
        S2:8 buy A3 1 @9             => ClientSequenceGap next 1
        S2:1 buy A3 1 @9             => accepted
        end S1                       => set, cancelled O1 1 SessionEnded, cancelled O2 1 SessionEnded, cancelled O8 1 SessionEnded
        ",
    );
}

#[test]
fn the_window_comes_behind_the_envelope_and_before_the_kill_switch() {
    let mut venue = Venue::new();
    venue.check(
        "
        session A2 desk
        at 100
        S1:1 buy A2 1 @10
        kill S1                      => set, cancelled O1 1 KillSwitch
        S1:1 buy A2 1 @10            => repeats accepted O1
        S1:3 buy A2 1 @10            => ClientSequenceGap next 2
        S1:2 buy A2 1 @10            => SessionKilled
        S1:2 buy A2 1 @10            => repeats SessionKilled
        release S1
        ",
    );
    // Neither a wrong envelope nor a stale command uses up a number.
    venue.time_ns = 99;
    venue.check("S1:3 buy A2 1 @10 => Stale");
    venue.time_ns = 100;
    let mut records = parse("buy A2 1 @10");
    let header = CommandHeader { session: 1, client_sequence: 3, time_ns: 100, ..records[0].header };
    records[0].header = CommandHeader { record_count: 2, ..header };
    venue.events.clear();
    venue.engine.apply(&records, &mut venue.events);
    assert_eq!(venue.events.as_slice()[0].reason, RejectReason::MalformedRecords as u16);
    venue.check("S1:3 buy A2 1 @10 => accepted");
}

#[test]
fn timers_fire_before_a_retry_and_a_retry_is_not_counted() {
    Venue::new().check(
        "
        session A2 desk
        S1:1 buy A2 1 @10 until=200
        at 200
        S1:1 buy A2 1 @10            => repeats accepted O1
        rates A2 messages=2
        at 2000000000
        S1:2 buy A2 1 @10            => accepted
        S1:2 buy A2 1 @10            => repeats accepted O2
        S1:9 buy A2 1 @10            => ClientSequenceGap next 3
        S1:3 buy A2 1 @10            => accepted
        S1:4 buy A2 1 @10            => MessageRateExceeded
        ",
    );
    let mut venue = Venue::new();
    venue.check("session A2 desk\nS1:1 buy A2 1 @10 until=200");
    venue.time_ns = 300;
    venue.check("S1:1 buy A2 1 @10 => expired O1 1 GoodTillDate, repeats accepted O1");
}

#[test]
fn a_retry_in_an_auction_tells_the_price_that_timers_changed() {
    let mut venue = Venue::new();
    venue.check(
        "
        session A2 desk
        state I0 auction opening
        S1:1 buy A2 1 @10 until=200
        sell A3 1 @10                => accepted, would trade 1@10 +0
        ",
    );
    venue.time_ns = 300;
    venue.check("S1:1 buy A2 1 @10 => expired O1 1 GoodTillDate, repeats accepted O1, would trade 0@0 +0");
}

#[test]
fn a_window_survives_a_snapshot_at_any_number() {
    let mut venue = Venue::new();
    venue.check("session A2 desk\nsession any ops");
    let order = parse("buy A2 1 @10")[0];
    for client_sequence in 1..=2100_u64 {
        let header = CommandHeader { session: 1, client_sequence, ..order.header };
        venue.engine.apply(&[CommandRecord { header, ..order }], &mut venue.events);
        if ![1, 2, 31, 32, 33, 1023, 1024, 1025, 2048, 2100].contains(&client_sequence) {
            continue;
        }
        venue.engine.check_invariants();
        let sections = venue.engine.snapshot();
        let mut restored = Engine::restore(EngineConfig::default(), &sections).expect("a snapshot is restored");
        restored.check_invariants();
        assert_eq!(restored.state_hash(), venue.engine.checkpoint());
        assert_eq!(restored.snapshot(), sections);
        for number in [1, client_sequence.saturating_sub(1024), client_sequence, client_sequence + 1] {
            let header = CommandHeader { session: 1, client_sequence: number, ..order.header };
            let records = [CommandRecord { header, ..order }];
            let (mut live, mut again) = (EventBuffer::default(), EventBuffer::default());
            venue.engine.clone().apply(&records, &mut live);
            restored.clone().apply(&records, &mut again);
            assert_eq!(live.as_slice(), again.as_slice(), "{number} behind {client_sequence}");
        }
        restored.apply(&[order], &mut EventBuffer::default());
    }
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let mut venue = Venue::new();
    venue.check("session A2 desk\nS1:1 buy A2 1 @10\nS1:2 buy A2 1 @10");
    let sections = venue.engine.snapshot();
    let section = SectionKind::Sessions as usize - 1;
    // Account, name, last, how many; then answers of sequence, order and reason.
    let (last, kept, answers) = (4 + 5, 4 + 5 + 8, 4 + 5 + 8 + 4);
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = sections.clone();
        change(&mut changed[section].bytes);
        assert_ne!(changed, sections);
        let error = Engine::restore(EngineConfig::default(), &changed).err();
        assert_eq!(error, Some(SnapshotError::Invalid(SectionKind::Sessions)));
    };
    refused(&|bytes| bytes[0] = 99);
    refused(&|bytes| bytes[last] = 3);
    refused(&|bytes| bytes[last..last + 8].fill(255));
    refused(&|bytes| {
        bytes[kept] = 1;
        bytes.truncate(answers + 20);
    });
    refused(&|bytes| bytes[answers..answers + 8].fill(0));
    refused(&|bytes| bytes[answers] += 1);
    refused(&|bytes| bytes[answers + 1] = 255);
    refused(&|bytes| bytes[answers + 8] = 255);
    refused(&|bytes| bytes[answers + 16] = 8);
    refused(&|bytes| bytes[answers + 18] = 1);
    refused(&|bytes| bytes.extend(bytes.clone()));
}

#[test]
fn a_session_record_needs_its_name() {
    let mut venue = Venue::new();
    for (line, kind) in [("session A2 desk", CommandKind::OpenSession), ("revoke-key k", CommandKind::RevokeKey)] {
        let mut records = parse(line);
        assert_eq!(records[0].header.kind, kind as u8);
        let mut surplus = [records.clone(), vec![records[1]]].concat();
        surplus[0].header.record_count = 3;
        assert_eq!(venue.apply(&surplus), "MalformedRecords");
        records[1].header.kind = CommandKind::KeyBytes as u8;
        assert_eq!(venue.apply(&records), "MalformedRecords");
        records.truncate(1);
        records[0].header.record_count = 1;
        assert_eq!(venue.apply(&records), "MalformedRecords");
    }
}
