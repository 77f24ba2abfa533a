//! A node in this process: what goes in comes out once, in order, when it is durable, and is there after a restart.

#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{FolderStorage, JournalReader};
use tradewright_node::config::{Config, Source};
use tradewright_node::{Doorway, Node, NodeError, snapshots};
use tradewright_transport::{Polled, Reader, Start};
use tradewright_types::{CommandKind, CommandRecord, EventKind, EventRecord, InstrumentId, Side};

use crate::common::limit_order;

const PROCESS: &str = r#"
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 4096
command_slots = 1024
[journal]
tier = "TIER"
segment_mib = 8
"#;

struct Venue {
    node: Node,
    door: Doorway,
    reader: Reader<EventRecord>,
}

fn configure(folder: &Path, text: &str) -> (Source, Config) {
    Source::parse(&folder.join("exchange.toml"), text.to_owned()).expect("a legal file")
}

fn start_with(folder: &Path, text: &str) -> Result<Venue, NodeError> {
    let (source, config) = configure(folder, text);
    let (node, door) = Node::start(&source, &config)?;
    let door = door.expect("no door is configured");
    let reader = Reader::attach(&door.events, Start::Oldest).expect("a reader");
    Ok(Venue { node, door, reader })
}

fn start(folder: &Path, tier: &str) -> Venue {
    start_with(folder, &common::venue(PROCESS).replace("TIER", tier)).expect("a node")
}

fn order(account: u32, side: Side, price_ticks: i64, client_id: u64) -> CommandRecord {
    limit_order(account, side, price_ticks, 100, client_id)
}

impl Venue {
    /// Sends a command, waiting for room.
    fn send(&mut self, records: &[CommandRecord]) {
        while !self.door.commands.push_whole(records).expect("a whole ring") {
            assert!(self.node.is_running(), "the node has ended");
            std::thread::yield_now();
        }
    }

    /// Reads events until one satisfies `is_last`, and returns them all.
    fn read_until(&mut self, is_last: impl Fn(&EventRecord) -> bool) -> Vec<EventRecord> {
        let (mut events, begin) = (Vec::new(), Instant::now());
        loop {
            let known = events.len();
            match self.reader.poll_into(&mut events, 1 << 12) {
                Polled::Empty => assert!(begin.elapsed() < Duration::from_secs(20), "no such event in {events:?}"),
                Polled::Behind { skipped } => panic!("skipped {skipped}"),
                Polled::Count(_) => {
                    if events[known..].iter().any(&is_last) {
                        return events;
                    }
                }
            }
        }
    }
}

fn is_accepted(client_id: u64) -> impl Fn(&EventRecord) -> bool {
    move |event| event.kind == EventKind::OrderAccepted as u8 && event.reference == client_id
}

/// Events have the numbers (index, k) without a gap; indices only grow.
fn check_numbers(events: &[EventRecord]) {
    for pair in events.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        let follows = if a.sequence == b.sequence { b.k == a.k + 1 } else { b.sequence > a.sequence && b.k == 0 };
        assert!(follows, "{a:?} {b:?}");
    }
}

/// Applies the whole log to an engine of its own and returns its state.
fn replay(folder: &Path) -> Engine {
    let storage = FolderStorage::open(&folder.join("log")).expect("a folder");
    let mut reader = JournalReader::open(storage, 1).expect("a log");
    let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
    let mut commands = Vec::new();
    while let Some(batch) = reader.next_batch().expect("a good log") {
        commands.clear();
        batch.copy_commands(1, &mut commands);
        engine.apply_all(&commands, &mut events);
        events.clear();
    }
    engine.check_invariants();
    engine
}

/// The state that the newest snapshot holds.
fn newest_snapshot(folder: &Path) -> Engine {
    let (_, path) = snapshots::list(&folder.join("log")).expect("a folder").pop().expect("a snapshot");
    tradewright_journal::read(&path, EngineConfig::default()).expect("a good snapshot").1
}

#[test]
fn every_event_comes_once_and_a_restart_goes_on_where_it_stopped() {
    for tier in ["memory", "local-sync"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut venue = start(folder.path(), tier);
        let mut events = Vec::new();
        for id in 1..=2_000 {
            let side = if id % 2 == 0 { Side::Buy } else { Side::Sell };
            venue.send(&[order(2 + (id % 2) as u32, side, 10_000, id)]);
            if id % 500 == 0 {
                events.extend(venue.read_until(is_accepted(id)));
            }
        }
        check_numbers(&events);
        let trades = events.iter().filter(|event| event.kind == EventKind::Trade as u8).count();
        assert_eq!(trades, 1_000);
        venue.node.stop().expect("a clean end");
        assert_eq!(newest_snapshot(folder.path()).state_hash(), replay(folder.path()).state_hash());

        let mut venue = start(folder.path(), tier);
        assert_eq!(venue.node.replayed(), 0, "the snapshot holds everything");
        venue.send(&[order(2, Side::Sell, 10_000, 7_000)]);
        let events = venue.read_until(is_accepted(7_000));
        let place = events.iter().position(is_accepted(7_000)).expect("it was read");
        assert_eq!(events[place].order_id, 2_001, "order ids go on");
        venue.node.stop().expect("a clean end");
        assert_eq!(newest_snapshot(folder.path()).state_hash(), replay(folder.path()).state_hash());
    }
}

#[test]
fn a_command_with_more_events_than_the_ring_takes_comes_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = start(folder.path(), "local-sync");
    for id in 1..=6_000 {
        venue.send(&[order(2, Side::Sell, 10_000, id)]);
    }
    venue.send(&[CommandRecord { quantity_lots: 600_000, ..order(3, Side::Buy, 10_000, 1) }]);
    venue.node.stop().expect("a clean end");
    let engine = newest_snapshot(folder.path());
    assert_eq!((engine.open_order_count(), engine.trade_count(InstrumentId(0))), (0, 6_000));
    assert_eq!(engine.state_hash(), replay(folder.path()).state_hash());
}

#[test]
fn the_smallest_rings_carry_the_longest_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = common::venue(PROCESS).replace("TIER", "local-sync").replace("event_slots = 4096", "event_slots = 1024");
    let mut venue = start_with(folder.path(), &text).expect("a node");
    // Refused as a whole, but logged as a whole: behind 255 records of others it is the longest round that there is.
    let mut long = vec![order(2, Side::Sell, 10_000, 1); 512];
    long[0].header.record_count = 512;
    for id in 1..=50 {
        for place in 0..255 {
            venue.send(&[order(2, Side::Sell, 10_000, id * 1_000 + place)]);
        }
        venue.send(&long);
    }
    venue.node.stop().expect("a clean end");
    let engine = newest_snapshot(folder.path());
    assert_eq!(engine.open_order_count(), 50 * 255);
    assert_eq!(engine.state_hash(), replay(folder.path()).state_hash());
}

#[test]
fn a_halt_goes_before_what_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = start(folder.path(), "memory");
    for id in 1..=900 {
        venue.send(&[order(2, Side::Sell, 10_000 + id as i64, id)]);
    }
    venue.node.halt();
    let is_halt = |event: &EventRecord| {
        event.kind == EventKind::SettingApplied as u8 && event.open_lots == CommandKind::Halt as u64
    };
    let halted = venue.read_until(is_halt);
    venue.send(&[order(2, Side::Sell, 10_000, 901)]);
    let refused = venue.read_until(|event| event.kind == EventKind::Rejected as u8 && event.reference == 901);
    let behind = halted.iter().skip_while(|event| !is_halt(event)).chain(&refused);
    assert!(!behind.clone().any(|event| event.kind == EventKind::OrderAccepted as u8), "nothing is let in behind it");
    venue.node.stop().expect("a clean end");
    let mut venue = start(folder.path(), "memory");
    venue.send(&[order(2, Side::Sell, 10_000, 902)]);
    let _ = venue.read_until(|event| event.kind == EventKind::Rejected as u8 && event.reference == 902);
    venue.node.stop().expect("a clean end");
}

#[test]
fn a_reader_that_stands_still_stops_nobody_and_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = start(folder.path(), "memory");
    for id in 1..=20_000 {
        venue.send(&[order(2, Side::Sell, 10_000, id)]);
    }
    let mut fresh = Reader::attach(&venue.door.events, Start::Latest).expect("a reader");
    let begin = Instant::now();
    let mut into = Vec::new();
    while !into.iter().any(is_accepted(20_000)) {
        assert!(begin.elapsed() < Duration::from_secs(20));
        if let Polled::Behind { .. } = fresh.poll_into(&mut into, 1 << 12) {
            panic!("a reader that reads is not overrun");
        }
    }
    let Polled::Behind { skipped } = venue.reader.poll_into(&mut Vec::new(), 1) else { panic!("it was overrun") };
    assert!(skipped > 15_000, "{skipped}");
    venue.node.stop().expect("a clean end");
}

#[test]
fn a_snapshot_is_taken_while_commands_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = common::venue(PROCESS).replace("TIER", "memory").replace("rings =", "snapshot_commands = 1000\nrings =");
    let mut venue = start_with(folder.path(), &text).expect("a node");
    let begin = Instant::now();
    let mut id = 0;
    let log = folder.path().join("log");
    while snapshots::list(&log).expect("a folder").len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(20), "no snapshot");
        for _ in 0..500 {
            id += 1;
            venue.send(&[order(2, Side::Sell, 10_000, id)]);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (index, path) = snapshots::list(&log).expect("a folder").remove(0);
    let (head, engine) = tradewright_journal::read(&path, EngineConfig::default()).expect("a good snapshot");
    assert_eq!((head.sequence, engine.sequence()), (index, index));
    engine.check_invariants();
    venue.node.stop().expect("a clean end");
}

#[test]
fn a_genesis_that_differs_from_the_log_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = common::venue(PROCESS).replace("TIER", "memory");
    start_with(folder.path(), &text).expect("a node").node.stop().expect("a clean end");
    let Err(refused) = start_with(folder.path(), &text.replace("BTC = \"1000\", USDT", "BTC = \"1001\", USDT")) else {
        panic!("it was taken");
    };
    assert!(refused.to_string().contains("exchange.toml:20: the log was begun with something else"), "{refused}");
    let illegal = text.replace("lot = \"0.00001\"", "lot = \"0.00001\"\nmin_quantity = \"2\"\nmax_quantity = \"1\"");
    let Err(refused) = start_with(folder.path(), &illegal) else { panic!("it was taken") };
    assert!(refused.to_string().contains("exchange.toml:15: ListInstrument is refused: "), "{refused}");
    start_with(folder.path(), &text).expect("a node").node.stop().expect("a clean end");
}

#[test]
fn a_thread_that_may_not_be_where_it_belongs_ends_the_start() {
    let text = common::venue(PROCESS).replace("TIER", "memory");
    let mut folder = tempfile::tempdir().expect("a folder");
    for thread in ["engine", "journal", "background"] {
        // What ran already may hold the log of the one before for a moment.
        folder = tempfile::tempdir().expect("a folder");
        let illegal = format!("{text}[placement.{thread}]\nfifo_priority = 100\n");
        let Err(refused) = start_with(folder.path(), &illegal) else { panic!("it was taken") };
        let complaint = format!("placement of tw-{thread}: scheduling=");
        assert!(refused.to_string().starts_with(&complaint), "{refused}");
    }
    // What ran already has ended, or ends: the log is free again.
    let begin = Instant::now();
    let venue = loop {
        match start_with(folder.path(), &text) {
            Ok(venue) => break venue,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
        }
    };
    venue.node.stop().expect("a clean end");
}

#[test]
fn segments_are_archived_behind_two_snapshots() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = common::venue(PROCESS).replace("TIER", "memory").replace("rings =", "snapshot_commands = 40\nrings =");
    let mut venue = start_with(folder.path(), &text).expect("a node");
    let log = folder.path().join("log");
    let is_archived = || {
        let names = std::fs::read_dir(&log).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        names.into_iter().any(|name| name.to_string_lossy().ends_with(".seg.zst"))
    };
    // A segment of 8 MiB takes some 250 of the longest commands; behind it come two snapshots.
    let mut long = vec![order(2, Side::Sell, 10_000, 1); 512];
    long[0].header.record_count = 512;
    let (begin, mut sent) = (Instant::now(), 0);
    while !is_archived() {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing was archived behind {sent} commands");
        venue.send(&long);
        sent += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    venue.node.stop().expect("a clean end");
    let engine = newest_snapshot(folder.path());
    assert_eq!(engine.state_hash(), replay(folder.path()).state_hash(), "an archive is read as the segment was");
    start_with(folder.path(), &text).expect("a node").node.stop().expect("a clean end");
}

#[test]
fn two_nodes_do_not_share_a_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let venue = start(folder.path(), "memory");
    let text = common::venue(PROCESS).replace("TIER", "memory");
    let Err(refused) = start_with(folder.path(), &text) else { panic!("it was taken") };
    assert!(matches!(refused, NodeError::Journal(_)), "{refused}");
    venue.node.stop().expect("a clean end");
}
