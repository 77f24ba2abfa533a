//! A replica comes to what its primary came to, notices when it does not, and takes over: from a primary that was killed, that
//! stands still, or that is told to go.
//!
//! Processes that can be killed are this test's own executable, run again with [`CHILD`].

#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{CHECK_EVERY, Check, FolderStorage, Journal, JournalConfig, JournalReader, RecordKind, Tier};
use tradewright_node::config::Source;
use tradewright_node::{Fence, Node, NodeError, Replica, SpanHasher, serve, serve_replica};
use tradewright_transport::{Access, Polled, Reader, Region, Start};
use tradewright_types::{CommandKind, CommandRecord, EventKind, EventRecord, HashTotal, Side};
use zerocopy::IntoBytes;

use crate::common::{limit_order, venue};

const PROCESS: &str = r#"
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 65536
[journal]
segment_mib = 8
"#;

/// Names the role and the file of a process that is to be killed.
const CHILD: &str = "TRADEWRIGHT_TEST_CHILD";

fn configured() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("exchange.toml");
    std::fs::write(&file, venue(PROCESS)).expect("a file");
    (folder, file)
}

/// Orders of two accounts around a price: some rest, some trade.
fn order(id: u64) -> CommandRecord {
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let side = if mixed & 2 == 0 { Side::Buy } else { Side::Sell };
    limit_order(2 + (mixed & 1) as u32, side, 10_000 + (mixed >> 2 & 15) as i64, 1 + (mixed >> 6 & 63), id)
}

/// Polls until the replica has applied what was durable when this was called, and returns it.
fn caught_up(mut replica: Replica) -> Replica {
    let (durable, begin) = (replica.durable(), Instant::now());
    while replica.engine().sequence() < durable {
        replica.poll().expect("the same events");
        assert!(begin.elapsed() < Duration::from_secs(30), "{} of {durable}", replica.engine().sequence());
    }
    replica
}

fn replica_of(folder: &Path) -> Result<Replica, NodeError> {
    Replica::open(&folder.join("log"), EngineConfig::default()).map(|replica| replica.expect("a log"))
}

/// Applies the whole log, and returns the state and the epochs of its batches in their order.
fn replay(folder: &Path) -> (Engine, Vec<u32>) {
    let mut reader =
        JournalReader::open(FolderStorage::open(&folder.join("log")).expect("a folder"), 1).expect("a log");
    let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
    let (mut commands, mut epochs) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next_batch().expect("one chain") {
        commands.clear();
        batch.copy_commands(1, &mut commands);
        engine.apply_all(&commands, &mut events);
        events.clear();
        epochs.push(batch.epoch());
    }
    epochs.dedup();
    (engine, epochs)
}

#[test]
fn a_replica_comes_to_the_state_of_its_primary_and_checks_agree() {
    let (folder, file) = configured();
    let (source, config) = Source::load(&file).expect("a legal file");
    let (node, door) = Node::start(&source, &config).expect("a node");
    let mut door = door.expect("no door is configured");
    let orders = 3 * CHECK_EVERY;
    for id in 1..=orders {
        while !door.commands.push_whole(&[order(id)]).expect("a ring") {
            std::thread::yield_now();
        }
    }
    let mut replica = loop {
        match Replica::open(&folder.path().join("log"), EngineConfig::default()).expect("a replica") {
            Some(replica) => break replica,
            None => std::thread::yield_now(),
        }
    };
    let begin = Instant::now();
    while replica.checks() < 2 || replica.engine().sequence() < orders {
        replica.poll().expect("the same events");
        assert!(begin.elapsed() < Duration::from_secs(30), "{} checks", replica.checks());
    }
    node.stop().expect("a clean end");
    let replica = caught_up(replica);
    let (engine, _) = replay(folder.path());
    assert_eq!(replica.engine().sequence(), engine.sequence());
    assert_eq!(replica.engine().state_hash(), engine.state_hash());
    assert!(engine.trade_count(tradewright_types::InstrumentId(0)) > 1_000);
    // One that begins with the snapshot comes to the same.
    let late = caught_up(replica_of(folder.path()).expect("a replica"));
    assert_eq!(late.engine().state_hash(), engine.state_hash());
}

/// Writes a log of two spans of orders with a check behind each, the last of them changed.
fn log_with_checks(folder: &Path, change: impl Fn(&mut EventRecord)) {
    let storage = FolderStorage::create(&folder.join("log")).expect("a folder");
    let settings = JournalConfig { tier: Tier::Memory, segment_bytes: 16 << 20, ..JournalConfig::default() };
    let (mut journal, _) = Journal::open(settings, storage).expect("a log");
    let (mut engine, mut events) =
        (Engine::new(EngineConfig { epoch: 7, ..EngineConfig::default() }), EventBuffer::default());
    let mut hasher = SpanHasher::behind(0);
    for id in 1..=2 * CHECK_EVERY {
        let mut command = order(id);
        command.header.time_ns = id;
        engine.apply(&[command], &mut events);
        journal.append(&[command]).expect("a good command");
        let mut seen = events.as_slice().to_vec();
        if id == 2 * CHECK_EVERY - 100 {
            change(&mut seen[0]);
        }
        events.clear();
        let mut checks = Vec::new();
        hasher.take(&seen, |_, _| unreachable!("no span is skipped"));
        hasher.reach(id, |index, hash| checks.push(Check { index, events_hash: Some(hash), state_hash: None }));
        for check in checks {
            journal.append_check(&check).expect("a check");
        }
    }
    journal.seal().expect("a log");
}

#[test]
fn one_event_that_differs_is_found_with_the_index_and_both_hashes() {
    let follow = |folder: &Path| -> Result<u64, NodeError> {
        let mut replica = replica_of(folder)?;
        while replica.poll()? {}
        Ok(replica.checks())
    };
    let folder = tempfile::tempdir().expect("a folder");
    log_with_checks(folder.path(), |_| ());
    assert_eq!(follow(folder.path()).expect("it agrees"), 2);
    let folder = tempfile::tempdir().expect("a folder");
    log_with_checks(folder.path(), |event| event.amount.low ^= 1);
    let error = follow(folder.path()).expect_err("it differs");
    let NodeError::Differs { index, logged, own } = &error else { panic!("{error}") };
    assert_eq!(*index, 2 * CHECK_EVERY);
    assert!(logged != own && *own != HashTotal::default());
    let text = error.to_string();
    assert!(text.contains("check of index 8192") && text.contains(&logged.to_string()), "{text}");
    assert!(text.contains(&own.to_string()), "{text}");
}

#[test]
fn a_damaged_log_is_found_with_file_and_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    log_with_checks(folder.path(), |_| ());
    let segment = folder.path().join("log/00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[100_000] ^= 1;
    std::fs::write(&segment, bytes).expect("a segment");
    let mut replica = replica_of(folder.path()).expect("a replica");
    let error = loop {
        if let Err(error) = replica.poll() {
            break error;
        }
    };
    assert!(error.to_string().contains("00000000000000000001.seg: damaged at byte"), "{error}");
}

#[test]
fn a_node_that_is_overtaken_writes_and_releases_nothing_more() {
    let (folder, file) = configured();
    let (source, config) = Source::load(&file).expect("a legal file");
    let (node, door) = Node::start(&source, &config).expect("a node");
    let mut door = door.expect("no door is configured");
    let begin = Instant::now();
    while !node.status().is_ready() || node.status().read().durable < 12 {
        assert!(begin.elapsed() < Duration::from_secs(20), "it does not begin");
        std::thread::yield_now();
    }
    Fence::open(&folder.path().join("log")).expect("a fence").claim(2);
    // More than all its rings take: what nobody writes must hold nobody up either.
    for id in 1..=100_000 {
        while !door.commands.push_whole(&[order(id)]).expect("a ring") && node.is_running() {
            std::thread::yield_now();
        }
    }
    let begin = Instant::now();
    while node.is_running() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it goes on");
        std::thread::yield_now();
    }
    let error = node.stop().expect_err("it was overtaken");
    assert!(matches!(error, NodeError::Overtaken { epoch: 1, latest: 2 }), "{error}");
    let (engine, _) = replay(folder.path());
    assert_eq!(engine.open_order_count(), 0, "nothing of what came behind the claim is in the log");
}

/// Is one of the processes of the tests below, when it is told so.
#[test]
fn child() {
    let Ok(role) = std::env::var(CHILD) else { return };
    let (role, file) = role.split_once(' ').expect("a role and a file");
    let announce = |line: &str| println!("\n{line}");
    let ended = match role {
        "serve" => serve(Path::new(file), announce),
        _ => serve_replica(Path::new(file), announce),
    };
    if let Err(error) = ended {
        eprintln!("{error}");
        std::process::exit(7);
    }
    std::process::exit(0);
}

/// A process of its own, killed in the end.
struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    fn start(role: &str, file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this executable"))
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, format!("{role} {}", file.display()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut process = Self { child, lines };
        process.announcement();
        process
    }

    fn announcement(&mut self) -> Value {
        let line = self.lines.by_ref().map(|line| line.expect("a line")).find(|line| line.starts_with('{'));
        serde_json::from_str(&line.expect("an announcement")).expect("JSON")
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("a shell").success());
    }

    fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "it goes on");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A primary and its replica, and what an operator and a reader of events do.
struct Pair {
    folder: tempfile::TempDir,
    primary: Process,
    replica: Process,
}

impl Pair {
    fn start() -> Self {
        let (folder, file) = configured();
        let (primary, replica) = (Process::start("serve", &file), Process::start("replica", &file));
        Self { folder, primary, replica }
    }

    fn ask(&self, socket: &str, request: &Value) -> Value {
        let mut stream = UnixStream::connect(self.folder.path().join("log").join(socket)).expect("a socket");
        writeln!(stream, "{request}").expect("a request");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    fn place(&self, id: u64) {
        let digits: String = order(id).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = self.ask("control.sock", &json!({ "do": "command", "records": digits }));
        assert_eq!(answer["done"], true, "{answer}");
    }

    fn reader(&self) -> Reader<EventRecord> {
        let region = Region::open(self.folder.path().join("rings/events.ring"), Access::ReadOnly).expect("a ring");
        Reader::attach(&region, Start::Oldest).expect("a reader")
    }

    /// Places orders and waits until all are acknowledged. Returns the index of the last one.
    fn acknowledged(&self, ids: std::ops::RangeInclusive<u64>) -> u64 {
        let mut reader = self.reader();
        let last = *ids.end();
        ids.for_each(|id| self.place(id));
        let (mut events, begin) = (Vec::new(), Instant::now());
        loop {
            events.clear();
            if let Polled::Count(_) = reader.poll_into(&mut events, 1 << 10) {
                let is_it =
                    |event: &&EventRecord| event.kind == EventKind::OrderAccepted as u8 && event.reference == last;
                if let Some(event) = events.iter().find(is_it) {
                    return event.sequence;
                }
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "order {last} is not acknowledged");
        }
    }

    /// Promotes, places an order, and checks what the log says in the end.
    fn promote(&mut self, request: &Value, acknowledged: u64, what: &str) {
        let begin = Instant::now();
        let promoted = self.ask("replica.sock", request);
        assert_eq!((&promoted["done"], &promoted["epoch"]), (&json!(true), &json!(2)), "{promoted}");
        assert!(promoted["applied"].as_u64().expect("an index") >= acknowledged, "{promoted}");
        let next = self.acknowledged(1_000..=1_000);
        let took = begin.elapsed();
        println!(
            "{what}: taken over in {:.0} ms, next order acknowledged after {took:.0?}",
            promoted["took_ms"].as_f64().expect("ms")
        );
        assert!(next > promoted["applied"].as_u64().expect("an index"));
        // The bar of a second is that of the drill, on a machine that does nothing else.
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(self.ask("control.sock", &json!({ "do": "status" }))["epoch"], 2);
    }

    /// Stops the new primary, and reads its log.
    fn check_log(&mut self) {
        self.replica.signal("-TERM");
        assert_eq!(self.replica.ended().code(), Some(0));
        let (engine, epochs) = replay(self.folder.path());
        assert_eq!(epochs.iter().skip_while(|epoch| **epoch == 0).collect::<Vec<_>>(), [&1, &2]);
        let storage = FolderStorage::open(&self.folder.path().join("log")).expect("a folder");
        let mut reader = JournalReader::open(storage, 1).expect("a log");
        let (mut placed, mut beginnings) = (Vec::new(), 0);
        while let Some(batch) = reader.next_batch().expect("one chain") {
            for record in batch.records() {
                beginnings += u32::from(record.kind == RecordKind::Epoch);
                let command = record.command().unwrap_or_default();
                placed.extend(
                    command
                        .iter()
                        .filter(|record| record.order_ref != 0 && record.header.kind == CommandKind::PlaceOrder as u8)
                        .map(|record| record.order_ref),
                );
            }
        }
        assert_eq!(beginnings, 2);
        assert_eq!(placed, (1..=50).chain([1_000]).collect::<Vec<_>>(), "nothing lost, nothing twice");
        let newest =
            tradewright_node::snapshots::list(&self.folder.path().join("log")).expect("a folder").pop().expect("one");
        let state = tradewright_journal::read(&newest.1, EngineConfig::default()).expect("a snapshot").1;
        assert_eq!(state.state_hash(), engine.state_hash());
    }
}

#[test]
fn a_replica_takes_over_from_a_primary_that_was_killed() {
    let mut pair = Pair::start();
    let acknowledged = pair.acknowledged(1..=50);
    pair.primary.signal("-KILL");
    pair.promote(&json!({ "do": "promote" }), acknowledged, "killed");
    pair.check_log();
}

#[test]
fn a_primary_that_stands_still_is_ended_before_the_replica_writes() {
    let mut pair = Pair::start();
    let acknowledged = pair.acknowledged(1..=50);
    pair.primary.signal("-STOP");
    pair.promote(&json!({ "do": "promote" }), acknowledged, "stopped");
    // It is gone, and waking it changes nothing.
    let _ = Command::new("kill").args(["-CONT", &pair.primary.child.id().to_string()]).status();
    assert!(!pair.primary.ended().success());
    pair.check_log();
}

#[test]
fn a_primary_that_lives_is_left_alone_unless_it_is_forced_to_go() {
    let mut pair = Pair::start();
    let acknowledged = pair.acknowledged(1..=50);
    let refused = pair.ask("replica.sock", &json!({ "do": "promote" }));
    let error = refused["error"].as_str().expect("a reason");
    assert!(error.starts_with(&format!("lock: process {} is alive and wrote ", pair.primary.child.id())), "{error}");
    let status = pair.ask("replica.sock", &json!({ "do": "status" }));
    assert_eq!(status["state"], "follows", "{status}");
    pair.promote(&json!({ "do": "promote", "force": true }), acknowledged, "forced");
    // It saw the claim and went by itself.
    assert_eq!(pair.primary.ended().code(), Some(7));
    pair.check_log();
}
