//! A small log on a disk in memory.

use tradewright_journal::{Journal, JournalConfig, JournalError, JournalReader, Recovered, Tail, Tier};
use tradewright_sim::FaultyStorage;
use tradewright_types::{CommandHeader, CommandKind, CommandRecord};
use zerocopy::FromZeros;

pub(crate) const CONFIG: JournalConfig = JournalConfig {
    shard: 3,
    tier: Tier::LocalSync,
    segment_bytes: 32 << 10,
    batch_bytes_max: 8 << 10,
    prepared_segments: 2,
    log_id: Some(*b"a log for tests."),
};

pub(crate) type Log = Journal<FaultyStorage>;

pub(crate) fn open(storage: &FaultyStorage) -> Result<(Log, Recovered), JournalError> {
    Journal::open(CONFIG, storage.clone())
}

/// A command of one record that no other is like.
pub(crate) fn command(number: u64) -> CommandRecord {
    let mut record = CommandRecord::new_zeroed();
    record.header = CommandHeader { time_ns: number * 10, ..CommandHeader::new(CommandKind::PlaceOrder) };
    record.order_ref = number;
    record.price_ticks = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) as i64;
    record
}

/// A command of `records` records.
pub(crate) fn long_command(number: u64, records: u16) -> Vec<CommandRecord> {
    let mut long = vec![command(number); usize::from(records)];
    long[0].header.record_count = records;
    long
}

/// Appends and commits one command after the other, each in its own batch, segments prepared on the way.
pub(crate) fn commit_each(log: &mut Log, numbers: core::ops::RangeInclusive<u64>) {
    let mut preparer = log.preparer();
    for number in numbers {
        while preparer.prepare().unwrap() {}
        log.append(&[command(number)]).unwrap();
        assert_eq!(log.commit().unwrap(), number);
    }
}

/// All commands of a log from an index on, with their indices.
pub(crate) fn read_from(storage: &FaultyStorage, from: u64) -> Result<Vec<(u64, CommandRecord)>, JournalError> {
    let mut reader = JournalReader::open(storage.clone(), from)?;
    let mut commands = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        for record in batch.records().filter(|record| record.header.index >= from) {
            commands.extend(record.command().map(|command| (record.header.index, command[0])));
        }
    }
    Ok(commands)
}

/// Whether the log holds the commands from 1 to some number at least `at_least`, in order and nothing else. Returns it.
pub(crate) fn assert_whole(storage: &FaultyStorage, at_least: u64) -> u64 {
    let commands = read_from(storage, 1).unwrap();
    for (place, (index, found)) in commands.iter().enumerate() {
        assert_eq!((*index, *found), (place as u64 + 1, command(place as u64 + 1)));
    }
    assert!(commands.len() as u64 >= at_least, "{} commands of {at_least} are there", commands.len());
    commands.len() as u64
}

pub(crate) fn is_torn(recovered: &Recovered) -> bool {
    matches!(recovered.tail, Tail::Torn { .. })
}
