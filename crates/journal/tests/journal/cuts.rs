//! A power cut never loses what was acknowledged, wherever it falls and whatever it leaves.

use tradewright_journal::{JournalError, JournalReader, Storage};
use tradewright_sim::{Cut, Failure, FailureKind, FaultyStorage, Random};

use crate::common::{assert_whole, command, commit_each, is_torn, open};

const SEGMENT: &str = "00000000000000000001.seg";

#[test]
fn a_write_cut_at_every_byte_of_the_last_batch_is_cut_off() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    log.append(&(1..=5).map(command).collect::<Vec<_>>()).unwrap();
    log.commit().unwrap();
    let begin = log_end(&storage);
    log.append(&(6..=20).map(command).collect::<Vec<_>>()).unwrap();
    log.commit().unwrap();
    let end = log_end(&storage);
    drop(log);
    storage.remove("durable").unwrap();
    assert_eq!(end - begin, 3 * 512, "96 + 15 x 96 bytes");
    for cut in begin..end {
        let torn = storage.after_kill();
        torn.alter(SEGMENT, |bytes| bytes[cut..end].fill(0));
        let is_whole = torn.bytes(SEGMENT) == storage.bytes(SEGMENT);
        if cut > end - 32 && !is_whole {
            // No disk cuts inside a sector. If one did, this could as well be damage of a batch that was acknowledged.
            assert!(matches!(open(&torn), Err(JournalError::Damaged { offset, .. }) if offset == begin as u64));
            continue;
        }
        let (mut log, recovered) = open(&torn).unwrap();
        assert_eq!(recovered.tip.index, if is_whole { 20 } else { 5 }, "cut at {cut}");
        assert_eq!(is_torn(&recovered), !is_whole && cut > begin, "cut at {cut}");
        commit_each(&mut log, recovered.tip.index + 1..=25);
        drop(log);
        assert_eq!(assert_whole(&torn, 25), 25);
    }
}

fn log_end(storage: &FaultyStorage) -> usize {
    let mut reader = JournalReader::open(storage.clone(), 1).unwrap();
    while reader.next_batch().unwrap().is_some() {}
    reader.place().1 as usize
}

/// Writes until the power goes at the given call. Returns the last index that was acknowledged.
fn write_until_the_cut(storage: &FaultyStorage, after_calls: u64, random: &mut Random) -> u64 {
    storage.fail(Some(Failure { after_calls, kind: FailureKind::Power, lasts: true }));
    let Ok((mut log, recovered)) = open(storage) else { return 0 };
    let mut acknowledged = recovered.tip.index;
    loop {
        let next = log.last_index() + 1;
        let commands: Vec<_> = (next..next + 1 + random.below(60)).map(command).collect();
        // A cut in the middle of preparing leaves parts, too.
        let prepared = log.preparer().prepare();
        if let Err(JournalError::Poisoned | JournalError::System { .. }) = prepared {
            return acknowledged;
        }
        match log.append(&commands).and_then(|()| log.commit()) {
            Ok(durable) => acknowledged = durable,
            Err(JournalError::LogSpaceExhausted) => {}
            Err(_) => return acknowledged.max(log.durable_index()),
        }
    }
}

#[test]
fn no_cut_loses_what_was_acknowledged() {
    let mut torn = 0;
    for seed in 1..=250 {
        let mut random = Random::new(seed);
        let mut storage = FaultyStorage::new();
        let mut acknowledged = 0;
        // Several lives of one log, each ended by a cut.
        for _ in 0..3 {
            acknowledged = write_until_the_cut(&storage, random.below(150), &mut random).max(acknowledged);
            storage = storage.after_cut(Cut::Any, &mut random);
            let (log, recovered) = open(&storage).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert!(recovered.tip.index >= acknowledged, "seed {seed}");
            torn += u32::from(is_torn(&recovered));
            // What recovery found is acknowledged from now on.
            acknowledged = recovered.tip.index;
            drop(log);
            assert_eq!(assert_whole(&storage, acknowledged), acknowledged, "seed {seed}");
            storage = storage.after_cut(Cut::Nothing, &mut random);
        }
    }
    assert!(torn > 40, "{torn} torn writes are too few to mean something");
}

/// The judge is awake: a log that acknowledges before it syncs does lose commands.
#[test]
fn acknowledging_before_the_sync_loses_commands() {
    let mut lost = 0;
    for seed in 1..=100 {
        let mut random = Random::new(seed);
        let storage = FaultyStorage::new();
        let config =
            tradewright_journal::JournalConfig { tier: tradewright_journal::Tier::Memory, ..crate::common::CONFIG };
        let (mut log, _) = tradewright_journal::Journal::open(config, storage.clone()).unwrap();
        commit_each(&mut log, 1..=10);
        drop(log);
        let after = storage.after_cut(Cut::Any, &mut random);
        match tradewright_journal::Journal::open(config, after) {
            Ok((_, recovered)) => lost += u32::from(recovered.tip.index < 10),
            Err(_) => lost += 1,
        }
    }
    assert!(lost > 50, "{lost}");
}
