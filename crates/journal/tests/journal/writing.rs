//! What is appended comes back, in order, over segments, epochs and restarts.

use tradewright_journal::{
    Check, CommandLog, Journal, JournalConfig, JournalError, JournalReader, Leadership, MalformedCommand, RecordKind,
    Storage, StoredFile, Tail,
};
use tradewright_sim::FaultyStorage;
use tradewright_types::HashTotal;

use crate::common::{CONFIG, assert_whole, command, commit_each, long_command, open, read_from};

#[test]
fn a_new_log_is_empty_and_has_its_first_segment() {
    let storage = FaultyStorage::new();
    let (log, recovered) = open(&storage).unwrap();
    assert!(recovered.is_new && recovered.tail == Tail::Clean);
    assert_eq!((log.last_index(), log.durable_index(), log.epoch()), (0, 0, 0));
    assert!(storage.list().unwrap().contains(&"00000000000000000001.seg".to_owned()));
    drop(log);
    assert_eq!(assert_whole(&storage, 0), 0);
}

#[test]
fn nothing_is_durable_before_the_commit() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    log.append(&[command(1), command(2)]).unwrap();
    assert_eq!((log.last_index(), log.durable_index()), (2, 0));
    assert_eq!(assert_whole(&storage, 0), 0);
    assert_eq!(log.commit().unwrap(), 2);
    assert_eq!((log.last_index(), log.durable_index()), (2, 2));
    assert_eq!(assert_whole(&storage, 2), 2);
    assert_eq!(log.commit().unwrap(), 2, "there is nothing to commit");
}

#[test]
fn a_log_goes_on_over_segments_and_restarts() {
    let storage = FaultyStorage::new();
    for start in 0..4 {
        let (mut log, recovered) = open(&storage).unwrap();
        assert_eq!((recovered.tip.index, recovered.tip.time_ns), (start * 100, start * 1_000));
        assert_eq!((recovered.tail, recovered.is_new), (Tail::Clean, start == 0));
        commit_each(&mut log, start * 100 + 1..=start * 100 + 100);
    }
    let names = storage.list().unwrap();
    let segments: Vec<_> = names.iter().filter(|name| name.ends_with(".seg")).collect();
    // A batch of one command is a sector; 56 of them fit behind the header.
    assert_eq!(segments.len(), 8);
    assert_eq!(segments[1], "00000000000000000057.seg");
    assert_eq!(assert_whole(&storage, 400), 400);
    for from in [1, 56, 57, 58, 399, 400] {
        let commands = read_from(&storage, from).unwrap();
        assert_eq!((commands[0], commands.len() as u64), ((from, command(from)), 401 - from));
    }
    assert!(read_from(&storage, 401).unwrap().is_empty());
}

#[test]
fn a_batch_that_is_full_is_committed_on_the_way() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    let commands: Vec<_> = (1..=200).map(command).collect();
    log.append(&commands).unwrap();
    let durable = log.durable_index();
    assert!((84..200).contains(&durable), "{durable}: a batch of 8 KiB holds 84 commands of 96 bytes");
    assert_eq!(log.commit().unwrap(), 200);
    assert_eq!(assert_whole(&storage, 200), 200);
}

#[test]
fn commands_of_many_records_stay_whole() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    let stream: Vec<_> = [long_command(1, 1), long_command(2, 40), long_command(3, 2), long_command(4, 84)].concat();
    log.append(&stream).unwrap();
    log.commit().unwrap();
    let mut reader = JournalReader::open(storage.clone(), 1).unwrap();
    let mut read = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        batch.copy_commands(1, &mut read);
    }
    assert_eq!(read, stream);
    let too_long = long_command(5, 200);
    assert!(matches!(log.append(&too_long), Err(JournalError::CommandTooLong { records: 200 })));
    assert_eq!(log.last_index(), 4);
}

#[test]
fn what_cannot_be_logged_is_named() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    let check = |log: &mut Journal<_>, commands: &[_], expected| match log.append(commands) {
        Err(JournalError::Malformed(malformed)) => assert_eq!(malformed, expected),
        other => panic!("{other:?}"),
    };
    let mut none = command(1);
    none.header.record_count = 0;
    check(&mut log, &[none], MalformedCommand::RecordCount(0));
    check(&mut log, &long_command(1, 3)[..2], MalformedCommand::RecordCount(3));
    let mut blank = long_command(1, 3);
    blank[2].header.kind = 0;
    check(&mut log, &blank, MalformedCommand::BlankRecord(2));
    log.append(&[command(7)]).unwrap();
    check(&mut log, &[command(6)], MalformedCommand::TimeWentBack { time_ns: 60, last_time_ns: 70 });
    // Those before the malformed one are in.
    check(&mut log, &[command(8), none], MalformedCommand::RecordCount(0));
    assert_eq!(log.commit().unwrap(), 2);
}

#[test]
fn notes_stand_between_commands() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    log.append(&[command(1)]).unwrap();
    let check = Check { index: 0, events_hash: None, state_hash: Some(HashTotal(77)) };
    log.append_check(&check).unwrap();
    log.append(&[command(2)]).unwrap();
    log.commit().unwrap();
    log.begin_epoch(4).unwrap();
    assert_eq!((log.epoch(), log.durable_index()), (4, 2));
    log.append(&[command(3)]).unwrap();
    log.commit().unwrap();
    let mut reader = JournalReader::open(storage, 1).unwrap();
    let mut seen = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        for record in batch.records() {
            seen.push((record.kind, record.header.index, record.header.epoch, record.header.time_ns));
            if record.kind == RecordKind::Check {
                assert_eq!(Check::read(record.header.index, record.payload()), Some(check));
            }
        }
    }
    let expected = [
        (RecordKind::Command, 1, 0, 10),
        (RecordKind::Check, 0, 0, 10),
        (RecordKind::Command, 2, 0, 20),
        (RecordKind::Epoch, 2, 4, 20),
        (RecordKind::Command, 3, 4, 30),
    ];
    assert_eq!(seen, expected);
    assert_eq!(reader.tip().epoch, 4);
    let text = |log: &mut Journal<_>, index| log.append_check(&Check { index, ..check }).unwrap_err().to_string();
    assert_eq!(text(&mut log, 4_096), "index=4096 must be the index of a command in the log");
    assert_eq!(text(&mut log, 3), "index=3 must be one at which checks stand, a multiple of 4096");
    assert_eq!(log.begin_epoch(4).unwrap_err().to_string(), "epoch=4 must be after the epoch of the log");
}

#[test]
fn one_process_writes_at_a_time() {
    let storage = FaultyStorage::new();
    let (log, _) = open(&storage).unwrap();
    assert!(matches!(open(&storage), Err(JournalError::Locked)));
    drop(log);
    assert!(open(&storage).is_ok());
}

#[test]
fn without_a_prepared_segment_the_log_waits_and_goes_on() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    for number in 1..=56 {
        log.append(&[command(number)]).unwrap();
        log.commit().unwrap();
    }
    assert_eq!((log.space().segment_bytes, log.space().prepared_segments), (0, 0));
    log.append(&[command(57)]).unwrap();
    for _ in 0..2 {
        assert!(matches!(log.commit(), Err(JournalError::LogSpaceExhausted)));
        assert_eq!(log.durable_index(), 56);
    }
    assert!(log.preparer().prepare().unwrap());
    assert_eq!(log.commit().unwrap(), 57);
    assert_eq!(assert_whole(&storage, 57), 57);
}

#[test]
fn a_log_of_another_shard_is_refused() {
    let storage = FaultyStorage::new();
    drop(open(&storage).unwrap());
    let error = Journal::open(JournalConfig { shard: 4, ..CONFIG }, storage).err().unwrap();
    assert_eq!(error.to_string(), "shard=4 must be the shard of the log in this folder");
}

#[test]
fn wrong_settings_are_named() {
    let check = |config: JournalConfig, text: &str| {
        let error = Journal::open(config, FaultyStorage::new()).err().unwrap();
        assert_eq!(error.to_string(), text);
    };
    check(JournalConfig { batch_bytes_max: 100, ..CONFIG }, "batch_bytes_max=100 must be at least 4096");
    check(JournalConfig { segment_bytes: 8 << 10, ..CONFIG }, "segment_bytes=8192 must hold the longest batch");
    check(JournalConfig { segment_bytes: (32 << 10) + 1, ..CONFIG }, "segment_bytes=32769 must be whole pages");
    check(JournalConfig { prepared_segments: 0, ..CONFIG }, "prepared_segments=0 must be at least 1");
}

#[test]
fn what_a_preparation_left_half_done_is_removed() {
    let storage = FaultyStorage::new();
    drop(open(&storage).unwrap());
    for (name, bytes) in [("prepared-7.part", 512), ("prepared-8", 512), ("prepared-9", 32 << 10)] {
        storage.create(name).unwrap().write_at(&vec![0; bytes], 0).unwrap();
    }
    let (log, _) = open(&storage).unwrap();
    assert_eq!(log.space().prepared_segments, 1);
    log.preparer().prepare().unwrap();
    let names = storage.list().unwrap();
    let prepared: Vec<_> = names.iter().filter(|name| name.starts_with("prepared")).collect();
    assert_eq!(prepared, ["prepared-10", "prepared-9"]);
}

#[test]
fn a_journal_is_a_command_log_of_one() {
    let (mut log, _) = open(&FaultyStorage::new()).unwrap();
    let group: &mut dyn CommandLog = &mut log;
    assert_eq!(group.next_leadership(), Some(Leadership::Gained { epoch: 0 }));
    assert_eq!(group.next_leadership(), None);
    assert_eq!(group.append(&[command(1), command(2)]).unwrap(), 2);
    assert_eq!((group.committed_index(), group.commit().unwrap(), group.committed_index()), (0, 2, 2));
    log.begin_epoch(1).unwrap();
    let group: &mut dyn CommandLog = &mut log;
    assert_eq!((group.next_leadership(), group.epoch()), (Some(Leadership::Gained { epoch: 1 }), 1));
}
