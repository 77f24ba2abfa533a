//! A full disk and a failing one: refused or recovered, never wrong.

use tradewright_journal::{Journal, JournalError};
use tradewright_sim::{Cut, Failure, FailureKind, FaultyStorage, Random};

use crate::common::{Log, assert_whole, command, commit_each, open};

/// Goes on until something fails, or `until`. Returns the last acknowledged index.
fn write(log: &mut Log, until: u64) -> u64 {
    while log.durable_index() < until {
        let next = log.last_index() + 1;
        let prepared = log.preparer().prepare();
        let commands: Vec<_> = (next..=(next + 6).min(until)).map(command).collect();
        let committed = log.append(&commands).and_then(|()| log.commit().map(drop));
        if committed.is_err() || prepared.is_err() && log.space().prepared_segments == 0 {
            break;
        }
    }
    log.durable_index()
}

fn calls_without_failure() -> u64 {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    assert_eq!(write(&mut log, 400), 400);
    storage.calls()
}

#[test]
fn every_call_may_fail() {
    let calls = calls_without_failure();
    assert!(calls > 200);
    // Each call while the log is made, then each kind of call at several segments.
    for after_calls in (0..60).chain((60..calls).step_by(3)) {
        for (kind, lasts) in [
            (FailureKind::Device, false),
            (FailureKind::Device, true),
            (FailureKind::NoSpace, false),
            (FailureKind::NoSpace, true),
        ] {
            let storage = FaultyStorage::new();
            storage.fail(Some(Failure { after_calls, kind, lasts }));
            let acknowledged = open(&storage).map_or(0, |(mut log, _)| write(&mut log, 400));
            // The process ends and another one starts; then the power goes, too.
            let storage = storage.after_kill();
            let (mut log, recovered) = open(&storage).unwrap();
            assert!(recovered.tip.index >= acknowledged, "call {after_calls} {kind:?} {lasts}");
            let next = recovered.tip.index + 1;
            commit_each(&mut log, next..=next + 2);
            drop(log);
            let storage = storage.after_cut(Cut::Nothing, &mut Random::new(1));
            drop(open(&storage).unwrap());
            assert_eq!(assert_whole(&storage, next + 2), next + 2, "call {after_calls} {kind:?} {lasts}");
        }
    }
}

#[test]
fn a_failed_sync_is_never_tried_again() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=3);
    log.append(&[command(4)]).unwrap();
    storage.fail(Some(Failure { after_calls: storage.calls() + 1, kind: FailureKind::Device, lasts: false }));
    let error = log.commit().unwrap_err().to_string();
    assert_eq!(error, "00000000000000000001.seg: syncing failed: the device failed (set by the test)");
    for _ in 0..2 {
        assert!(matches!(log.commit(), Err(JournalError::Poisoned)));
        assert!(matches!(log.append(&[command(5)]), Err(JournalError::Poisoned)));
        assert!(matches!(log.begin_epoch(2), Err(JournalError::Poisoned)));
    }
    assert_eq!(log.durable_index(), 3);
    assert!(matches!(log.seal(), Err(JournalError::Poisoned)));
}

/// What a failed sync left in memory is read back as if it were there: recovery has to write it anew.
#[test]
fn recovery_makes_durable_what_it_found() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=3);
    log.append(&[command(4)]).unwrap();
    storage.fail(Some(Failure { after_calls: storage.calls() + 1, kind: FailureKind::Device, lasts: false }));
    assert!(log.commit().is_err());
    drop(log);
    storage.fail(None);
    let (_, recovered) = open(&storage).unwrap();
    let after = storage.after_cut(Cut::Nothing, &mut Random::new(1));
    assert_eq!(recovered.tip.index, 4);
    assert_eq!(open(&after).unwrap().1.tip, recovered.tip);
}

#[test]
fn a_full_disk_stops_preparing_and_harms_nothing() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    storage.fail(Some(Failure { after_calls: storage.calls() + 1, kind: FailureKind::NoSpace, lasts: false }));
    let mut preparer = log.preparer();
    let error = preparer.prepare().unwrap_err().to_string();
    assert!(error.starts_with("prepared-2.part: "), "{error}");
    assert_eq!(log.space().prepared_segments, 0);
    log.append(&[command(1)]).unwrap();
    assert_eq!(log.commit().unwrap(), 1);
    assert!(preparer.prepare().unwrap() && preparer.prepare().unwrap() && !preparer.prepare().unwrap());
    commit_each(&mut log, 2..=200);
    drop(log);
    let (log, _) = Journal::open(crate::common::CONFIG, storage.clone()).unwrap();
    assert_eq!(log.last_index(), 200);
    drop(log);
    assert_eq!(assert_whole(&storage, 200), 200);
}
