//! The replay service: events from any place on, as they were the first time.

#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use tradewright_engine::EngineConfig;
use tradewright_journal::{FolderStorage, JournalReader, RecordKind};
use tradewright_node::config::Source;
use tradewright_node::{Doorway, Node, NodeError, Replay};
use tradewright_protocol::reports::Position;
use tradewright_transport::{Polled, Reader, Start};
use tradewright_types::{CommandRecord, EventRecord, Side};

use crate::common::{limit_order, venue};

const PROCESS: &str = r#"
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 524288
snapshot_commands = 3000
[journal]
segment_mib = 8
"#;

fn start(folder: &Path) -> (Node, Doorway) {
    let (source, config) = Source::parse(&folder.join("exchange.toml"), venue(PROCESS)).expect("a legal file");
    let (node, door) = Node::start(&source, &config).expect("a node");
    (node, door.expect("no door is configured"))
}

fn order(number: u64) -> CommandRecord {
    let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    limit_order(2 + (number % 2) as u32, side, 10_000 + (number * 7 % 11) as i64, 1 + number % 5, number)
}

/// Runs a node over so many orders and returns every event behind its genesis.
fn run(folder: &Path, orders: core::ops::Range<u64>) -> Vec<EventRecord> {
    let (node, mut door) = start(folder);
    let mut reader = Reader::attach(&door.events, Start::Oldest).expect("a reader");
    let (mut events, begin, last) = (Vec::new(), Instant::now(), orders.end - 1);
    for number in orders {
        while !door.commands.push_whole(&[order(number)]).expect("a whole ring") {
            std::thread::yield_now();
        }
        if number.is_multiple_of(1_000) {
            assert!(!matches!(reader.poll_into(&mut events, 1 << 16), Polled::Behind { .. }));
        }
    }
    while !events.iter().rev().take(8).any(|event: &EventRecord| event.reference == last) {
        assert!(!matches!(reader.poll_into(&mut events, 1 << 12), Polled::Behind { .. }));
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
    while matches!(reader.poll_into(&mut events, 1 << 12), Polled::Count(_)) {}
    // The checker stands back behind everybody, and a snapshot of the middle takes its time.
    while last > 8_192 + 1_000 && !has_check(folder) {
        assert!(begin.elapsed() < Duration::from_secs(60), "no check in the log");
        std::thread::sleep(Duration::from_millis(10));
    }
    node.stop().expect("a clean end");
    events
}

/// Whether a hash of events stands in the log.
fn has_check(folder: &Path) -> bool {
    let storage = FolderStorage::open(&folder.join("log")).expect("a folder");
    let mut reader = JournalReader::follow(storage, 1).expect("a log");
    while let Some(batch) = reader.next_batch().expect("a good log") {
        if batch.records().any(|record| record.kind == RecordKind::Check) {
            return true;
        }
    }
    false
}

/// Everything behind a place, and how many checks agreed.
fn replayed(folder: &Path, after: Position) -> Result<(Vec<EventRecord>, u64), NodeError> {
    let storage = FolderStorage::open(&folder.join("log")).expect("a folder");
    let mut replay = Replay::open(&storage, EngineConfig::default(), after)?;
    while !replay.seek()? {}
    let mut events = Vec::new();
    while let Some(applied) = replay.step()? {
        events.extend_from_slice(applied.events);
    }
    Ok((events, replay.checks()))
}

#[test]
fn events_come_again_from_any_place_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut events = run(folder.path(), 1..10_000);
    events.extend(run(folder.path(), 10_000..14_000));
    let places = (0..events.len()).step_by(events.len() / 13).chain([events.len() - 1]);
    for place in places {
        let after = Position::of(&events[place]);
        let (again, _) = replayed(folder.path(), after).expect("a good log");
        assert!(again == events[place + 1..], "behind {after:?}");
    }
    let (all, checks) = replayed(folder.path(), Position { index: 0, k: u32::MAX, shard: 0 }).expect("a good log");
    assert_eq!(all[all.len() - events.len()..], events, "the genesis comes first");
    assert!(checks > 0, "the log has a hash for each 4,096 commands");
    let nothing = Position { index: u64::MAX - 1, k: 0, shard: 0 };
    let storage = FolderStorage::open(&folder.path().join("log")).expect("a folder");
    let mut ahead = Replay::open(&storage, EngineConfig::default(), nothing).expect("a good log");
    assert!((0..200).all(|_| !ahead.seek().expect("a good log")), "it never gets there");
}

#[test]
fn what_cannot_be_had_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = run(folder.path(), 1..90_000);
    let other = replayed(folder.path(), Position { index: 5, k: 0, shard: 3 }).expect_err("another shard");
    assert_eq!(other.to_string(), "replay: shard=3 must be 0, the one of this log");
    // The first segment is gone, and so is what a snapshot does not reach.
    let log = folder.path().join("log");
    std::fs::remove_file(log.join(format!("{:020}.seg", 1))).expect("a segment");
    let gone = replayed(folder.path(), Position::of(&events[0])).expect_err("it is not there");
    assert!(gone.to_string().contains("no good snapshot reaches back"), "{gone}");
}
