//! Snapshots beside the log, archives, copies, and the replay that judges them all.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{
    CHECK_EVERY, Check, Journal, JournalConfig, JournalError, JournalReader, Storage, VerifyOptions,
    archive_old_segments, copy_log, newest_snapshot, read_snapshot, snapshot_indices, verify, write_snapshot,
};
use tradewright_sim::{FaultyStorage, Workload, commands, venue};
use tradewright_types::{CommandRecord, HashTotal, Price, SelfTradePrevention};

use crate::common::CONFIG;

const ENGINE: EngineConfig = EngineConfig { shard: 3, epoch: 1, open_orders_expected: 64 };
const REPLAY: VerifyOptions = VerifyOptions { replays: true, public_key: None };
const JOURNAL: JournalConfig = JournalConfig { segment_bytes: 256 << 10, batch_bytes_max: 32 << 10, ..CONFIG };

/// A log of some 10,000 real commands with checks, snapshots at every 2,500, and the engine that applied it.
fn real_log(check_of: impl Fn(Check) -> Check) -> (FaultyStorage, Engine) {
    let storage = FaultyStorage::new();
    let (mut log, _) = Journal::open(JOURNAL, storage.clone()).unwrap();
    let (mut engine, mut events) = (Engine::new(ENGINE), EventBuffer::default());
    let mut tape = venue::bench_set_up(1, 2, Price::from_ticks(100_000));
    tape.extend(commands(&Workload::Mix60.generate(10_000).records()[..10_000], 2, SelfTradePrevention::None));
    let (mut stream, mut span) = (&tape[..], HashTotal::default());
    while !stream.is_empty() {
        let (command, rest) = CommandRecord::split_command(stream);
        stream = rest;
        log.append(command).unwrap();
        engine.apply(command, &mut events);
        events.as_slice().iter().for_each(|event| span += event.replica_hash());
        events.clear();
        let index = engine.sequence();
        if index.is_multiple_of(CHECK_EVERY) {
            let events_hash = Some(std::mem::take(&mut span));
            let check = Check { index, events_hash, state_hash: Some(engine.checkpoint()) };
            log.append_check(&check_of(check)).unwrap();
        }
        if index.is_multiple_of(100) || stream.is_empty() {
            while log.preparer().prepare().unwrap() {}
            log.commit().unwrap();
        }
        if index.is_multiple_of(2_500) {
            assert_eq!(write_snapshot(&storage, &engine).unwrap(), index);
        }
    }
    (storage, engine)
}

fn names(storage: &FaultyStorage, suffix: &str) -> Vec<String> {
    storage.list().unwrap().into_iter().filter(|name| name.ends_with(suffix)).collect()
}

#[test]
fn a_replay_agrees_with_every_check_and_snapshot() {
    let (storage, engine) = real_log(|check| check);
    let report = verify(&storage, REPLAY).unwrap();
    assert_eq!((report.last_index, report.checks, report.snapshots), (engine.sequence(), 2, 4));
    assert_eq!(report.state_hash, engine.state_hash().to_string());
    assert_eq!(report.segments, names(&storage, ".seg").len());
    let quick = verify(&storage, VerifyOptions { replays: false, ..REPLAY }).unwrap();
    assert_eq!((quick.checks, quick.snapshots, quick.state_hash.as_str()), (0, 0, ""));
    assert_eq!(quick.chain, report.chain);
}

#[test]
fn a_check_that_differs_is_refused() {
    let other = |hash: Option<HashTotal>| hash.map(|hash| HashTotal(hash.0 ^ 1));
    let (storage, _) = real_log(|check| Check { state_hash: other(check.state_hash), ..check });
    let error = verify(&storage, REPLAY).unwrap_err().to_string();
    assert!(error.ends_with("the state hash in a check must be that of the state that the log leads to"), "{error}");
    let (storage, _) = real_log(|check| Check { events_hash: other(check.events_hash), ..check });
    let error = verify(&storage, REPLAY).unwrap_err().to_string();
    assert!(error.ends_with("the events hash in a check must be that of the events that the log leads to"), "{error}");
    // Each alone is enough, and one that claims nothing is none.
    let (storage, _) = real_log(|check| Check { state_hash: None, ..check });
    assert_eq!(verify(&storage, REPLAY).unwrap().checks, 2);
    let (storage, _) = real_log(|check| Check { state_hash: None, events_hash: None, ..check });
    assert_eq!(verify(&storage, REPLAY).unwrap().checks, 0);
}

#[test]
fn the_log_goes_on_from_the_newest_snapshot_that_can_be_read() {
    let (storage, engine) = real_log(|check| check);
    let indices = snapshot_indices(&storage).unwrap();
    assert_eq!(indices, [2_500, 5_000, 7_500, 10_000]);
    storage.alter("snapshot-00000000000000010000.twsnap", |bytes| bytes[700] ^= 1);
    let newest = newest_snapshot(&storage, u64::MAX, ENGINE).unwrap();
    let (head, mut restored) = newest.snapshot.unwrap();
    assert_eq!((head.sequence, newest.refused.len()), (7_500, 1));
    assert!(newest.refused[0].to_string().starts_with("snapshot-00000000000000010000.twsnap: section "));
    let mut reader = JournalReader::open(storage.clone(), head.sequence + 1).unwrap();
    let (mut commands, mut events) = (Vec::new(), EventBuffer::default());
    while let Some(batch) = reader.next_batch().unwrap() {
        batch.copy_commands(head.sequence + 1, &mut commands);
    }
    restored.apply_all(&commands, &mut events);
    assert_eq!((restored.sequence(), restored.state_hash()), (engine.sequence(), engine.state_hash()));
    assert_eq!(newest_snapshot(&storage, 4_999, ENGINE).unwrap().snapshot.unwrap().0.sequence, 2_500);
    assert!(newest_snapshot(&storage, 2_499, ENGINE).unwrap().snapshot.is_none());
}

#[test]
fn a_snapshot_under_another_name_is_refused() {
    let (storage, _) = real_log(|check| check);
    storage.rename("snapshot-00000000000000002500.twsnap", "snapshot-00000000000000002501.twsnap").unwrap();
    let error = read_snapshot(&storage, 2_501, ENGINE).unwrap_err().to_string();
    assert_eq!(error, "snapshot-00000000000000002501.twsnap: the restored index must be the one in the head");
}

#[test]
fn segments_are_archived_below_two_snapshots_and_read_as_before() {
    let (storage, engine) = real_log(|check| check);
    let before = verify(&storage, REPLAY).unwrap();
    let segments = names(&storage, ".seg");
    assert_eq!(segments.len(), 4, "{segments:?}");
    // With one snapshot damaged, one more has to stay in reach.
    storage.alter("snapshot-00000000000000010000.twsnap", |bytes| bytes[700] ^= 1);
    let archived = archive_old_segments(&storage, ENGINE).unwrap();
    assert!(!archived.is_empty() && archived.iter().all(|first| *first < 5_000), "{archived:?}");
    assert_eq!(names(&storage, ".seg.zst").len(), archived.len());
    assert_eq!(names(&storage, ".seg").len(), 4 - archived.len());
    storage.remove("snapshot-00000000000000010000.twsnap").unwrap();
    let after = verify(&storage, REPLAY).unwrap();
    assert_eq!(after, tradewright_journal::VerifyReport { snapshots: 3, ..before });
    let (log, recovered) = Journal::open(JOURNAL, storage.clone()).unwrap();
    assert_eq!((log.last_index(), recovered.first_index), (engine.sequence(), 1));
    drop(log);
    let name = names(&storage, ".seg.zst")[0].clone();
    let length = storage.bytes(&name).len();
    for place in (0..length).step_by(97) {
        let damaged = storage.after_kill();
        damaged.alter(&name, |bytes| bytes[place] ^= 8);
        let error = verify(&damaged, VerifyOptions { replays: false, ..REPLAY }).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "byte {place}: {error}");
    }
}

#[test]
fn a_copy_is_the_same_log() {
    let (storage, engine) = real_log(|check| check);
    archive_old_segments(&storage, ENGINE).unwrap();
    let copy = FaultyStorage::new();
    let report = copy_log(&storage, &copy).unwrap();
    assert_eq!((report.segments, report.snapshots, report.last_index), (4, 4, engine.sequence()));
    assert_eq!(verify(&copy, REPLAY).unwrap(), verify(&storage, REPLAY).unwrap());
    let (mut log, _) = Journal::open(JOURNAL, copy.clone()).unwrap();
    let mut last = crate::common::command(1);
    last.header.time_ns = engine.time_ns() + 1;
    log.append(&[last]).unwrap();
    assert_eq!(log.commit().unwrap(), engine.sequence() + 1);
    let error = copy_log(&storage, &copy).unwrap_err().to_string();
    assert!(error.ends_with("a log is copied to a folder that has none"), "{error}");
}

#[test]
fn a_live_log_is_copied_up_to_what_is_durable() {
    let storage = FaultyStorage::new();
    let (mut log, _) = Journal::open(CONFIG, storage.clone()).unwrap();
    crate::common::commit_each(&mut log, 1..=100);
    log.append(&[crate::common::command(101)]).unwrap();
    let copy = FaultyStorage::new();
    assert_eq!(copy_log(&storage, &copy).unwrap().last_index, 100);
    assert_eq!(crate::common::assert_whole(&copy, 100), 100);
}

#[test]
fn a_damaged_log_is_not_copied() {
    let (storage, _) = real_log(|check| check);
    storage.alter(&names(&storage, ".seg")[1], |bytes| bytes[5_000] ^= 1);
    assert!(matches!(copy_log(&storage, &FaultyStorage::new()), Err(JournalError::Damaged { .. })));
}
