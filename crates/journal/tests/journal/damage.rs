//! Every flipped bit is refused with its place, or does no harm.

use tradewright_journal::{Journal, JournalError, JournalReader, Storage, Tail};
use tradewright_sim::{FaultyStorage, Random};

use crate::common::{CONFIG, assert_whole, command, commit_each, open, read_from};

const SECTOR: usize = 512;
const HEADER: usize = 4_096;

/// A log of three batches in one segment, of 1, 2 and 1 sectors.
fn three_batches() -> FaultyStorage {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    for numbers in [1..=3, 4..=9, 10..=12] {
        log.append(&numbers.map(command).collect::<Vec<_>>()).unwrap();
        log.commit().unwrap();
    }
    drop(log);
    storage
}

const SEGMENT: &str = "00000000000000000001.seg";

fn copy_with(storage: &FaultyStorage, name: &str, place: usize, change: impl Fn(u8) -> u8) -> FaultyStorage {
    let copy = storage.after_kill();
    copy.alter(name, |bytes| bytes[place] = change(bytes[place]));
    copy
}

/// Opens the log and reads it all.
fn open_and_read(storage: &FaultyStorage) -> Result<u64, JournalError> {
    let (log, recovered) = open(storage)?;
    drop(log);
    let commands = read_from(storage, 1)?;
    assert_eq!(commands.len() as u64, recovered.tip.index);
    Ok(assert_whole(storage, 0))
}

fn assert_refused(storage: &FaultyStorage, file: &str, offset: usize, note: &str) {
    match open_and_read(storage) {
        Err(JournalError::Damaged { file: named, offset: place, .. }) => {
            assert_eq!((named.as_str(), place), (file, offset as u64), "{note}");
        }
        Err(JournalError::UnknownVersion { .. }) if offset == 0 => {}
        other => panic!("{note}: {other:?}"),
    }
}

#[test]
fn a_flip_anywhere_in_the_batches_is_refused_at_its_batch() {
    let storage = three_batches();
    let batches =
        [(HEADER, HEADER + SECTOR), (HEADER + SECTOR, HEADER + 3 * SECTOR), (HEADER + 3 * SECTOR, HEADER + 4 * SECTOR)];
    for (from, to) in batches {
        for place in from..to {
            for bit in [0, 7] {
                let damaged = copy_with(&storage, SEGMENT, place, |byte| byte ^ 1 << bit);
                assert_refused(&damaged, SEGMENT, from, &format!("byte {place} bit {bit}"));
            }
        }
    }
}

#[test]
fn a_flip_anywhere_in_a_segment_header_is_refused() {
    let storage = three_batches();
    for place in 0..HEADER {
        let damaged = copy_with(&storage, SEGMENT, place, |byte| byte ^ 1 << (place % 8));
        assert_refused(&damaged, SEGMENT, 0, &format!("byte {place}"));
    }
}

/// Without the word of the file `durable`, that a batch was acknowledged, the bytes alone decide.
#[test]
fn flips_are_refused_when_nothing_tells_what_was_durable() {
    let storage = three_batches();
    storage.remove("durable").unwrap();
    for place in HEADER..HEADER + 4 * SECTOR {
        let damaged = copy_with(&storage, SEGMENT, place, |byte| byte ^ 0x10);
        assert!(matches!(open_and_read(&damaged), Err(JournalError::Damaged { .. })), "byte {place}");
    }
}

#[test]
fn a_flip_behind_the_end_is_refused() {
    let storage = three_batches();
    let end = HEADER + 4 * SECTOR;
    for place in [end, end + 63, end + 64, end + 511, end + 512, (32 << 10) - 1] {
        let damaged = copy_with(&storage, SEGMENT, place, |byte| byte ^ 4);
        match open(&damaged) {
            Err(JournalError::Damaged { offset, .. }) => assert_eq!(offset, end as u64),
            // In the first bytes it may be the start of a write that was cut.
            Ok((log, recovered)) => {
                assert!(matches!(recovered.tail, Tail::Torn { .. }), "byte {place}");
                drop(log);
                assert_eq!(assert_whole(&damaged, 12), 12);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A sector that was wiped looks as if it had never been written: what follows it, or what was told, gives it away.
#[test]
fn a_wiped_sector_is_refused_if_anything_tells_that_it_was_written() {
    let storage = three_batches();
    for sector in 0..4 {
        let damaged = storage.after_kill();
        damaged.alter(SEGMENT, |bytes| bytes[HEADER + sector * SECTOR..][..SECTOR].fill(0));
        let begin = HEADER + [0, SECTOR, SECTOR, 3 * SECTOR][sector];
        assert_refused(&damaged, SEGMENT, begin, &format!("sector {sector}"));
        damaged.remove("durable").unwrap();
        if sector < 3 {
            assert_refused(&damaged, SEGMENT, begin, &format!("sector {sector}, by what follows"));
        } else {
            assert_eq!(open_and_read(&damaged).unwrap(), 9, "nothing is left that could tell");
        }
    }
}

#[test]
fn damage_in_an_earlier_segment_is_found_by_reading() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=150);
    drop(log);
    let mut random = Random::new(5);
    for _ in 0..200 {
        let batch = random.below(56) as usize;
        let place = HEADER + batch * SECTOR + random.below(SECTOR as u64) as usize;
        let damaged = copy_with(&storage, "00000000000000000057.seg", place, |byte| byte ^ 1);
        assert_refused(&damaged, "00000000000000000057.seg", HEADER + batch * SECTOR, &format!("byte {place}"));
    }
}

#[test]
fn a_missing_segment_is_refused() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=150);
    drop(log);
    storage.remove("00000000000000000057.seg").unwrap();
    assert_refused(&storage, SEGMENT, 32 << 10, "the segment in the middle");
}

#[test]
fn a_batch_of_another_log_does_not_continue_this_one() {
    let storage = three_batches();
    let other = FaultyStorage::new();
    let config = tradewright_journal::JournalConfig { log_id: Some(*b"another log here"), ..CONFIG };
    let (mut log, _) = Journal::open(config, other.clone()).unwrap();
    log.append(&(1..=3).map(command).collect::<Vec<_>>()).unwrap();
    log.commit().unwrap();
    drop(log);
    let foreign = other.bytes(SEGMENT)[HEADER..HEADER + SECTOR].to_vec();
    storage.alter(SEGMENT, |bytes| bytes[HEADER..HEADER + SECTOR].copy_from_slice(&foreign));
    assert_refused(&storage, SEGMENT, HEADER, "another log's batch");
}

#[test]
fn behind_a_seal_everything_is_damage() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    log.append(&[command(1)]).unwrap();
    log.seal().unwrap();
    storage.remove("durable").unwrap();
    let end = HEADER + SECTOR;
    for place in [end, end + 8, end + 600] {
        let damaged = copy_with(&storage, SEGMENT, place, |byte| byte ^ 1);
        assert_refused(&damaged, SEGMENT, end, &format!("byte {place}"));
    }
    // Opened again, the log goes on, and what a cut leaves behind the seal is no damage any more.
    let (mut log, recovered) = open(&storage).unwrap();
    assert_eq!(recovered.tail, Tail::Sealed);
    log.append(&[command(2)]).unwrap();
    log.commit().unwrap();
    drop(log);
    storage.remove("durable").unwrap();
    storage.alter(SEGMENT, |bytes| bytes[end + 100..end + SECTOR].fill(0));
    let (_, recovered) = open(&storage).unwrap();
    assert_eq!(
        (recovered.tip.index, &recovered.tail),
        (1, &Tail::Torn { file: SEGMENT.to_owned(), offset: end as u64 })
    );
}

#[test]
fn a_reader_does_not_change_a_torn_log() {
    let storage = three_batches();
    storage.remove("durable").unwrap();
    storage.alter(SEGMENT, |bytes| bytes[HEADER + 3 * SECTOR + 200..][..312].fill(0));
    let before = storage.bytes(SEGMENT);
    let mut reader = JournalReader::open(storage.clone(), 1).unwrap();
    while reader.next_batch().unwrap().is_some() {}
    assert_eq!(reader.tip().index, 9);
    assert!(matches!(reader.tail().unwrap(), Tail::Torn { .. }));
    assert_eq!(storage.bytes(SEGMENT), before);
}
