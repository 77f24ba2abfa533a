//! The halt drill: under full load matching is halted again and again, and the time is taken until nothing trades any more.
#![allow(clippy::disallowed_methods, reason = "a drill has threads, clocks and waits")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{FolderStorage, JournalReader};
use tradewright_node::config::Source;
use tradewright_node::{Doorway, Node, snapshots};
use tradewright_transport::{Placement, Scheduling};
use tradewright_types::{
    CommandKind, CommandRecord, EventKind, HaltScope, OrderFlags, Price, SelfTradePrevention, TimeInForce, set_up,
};

use crate::random::Random;
use crate::{Workload, commands, venue};

/// What a drill found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HaltReport {
    /// How often matching was halted.
    pub runs: u32,
    /// From the request until nothing trades any more, in microseconds, for each run, the shortest first.
    pub halt_us: Vec<f64>,
    /// Trades and accepted orders behind a halt and before its end: must be zero.
    pub traded_while_halted: u64,
    /// States that differ from a clean replay: must be zero.
    pub hash_mismatches: u64,
    /// How many commands the node applied meanwhile.
    pub commands: u64,
}

/// Runs the drill in an empty folder. With a priority, the engine's thread and the operator's run before all that have none
/// (`SCHED_FIFO`); otherwise they wait for their turn as all do.
///
/// # Errors
/// The node cannot be started, or ends; the machine does not grant the priority.
pub fn halt_drill(
    directory: &Path,
    runs: u32,
    seed: u64,
    tier: &str,
    fifo_priority: Option<u8>,
) -> Result<HaltReport, String> {
    let text = |error: &dyn core::fmt::Display| error.to_string();
    // Rings belong into memory: in a file of a disk the engine waits for the disk now and then.
    let memory = Path::new("/dev/shm");
    let rings =
        if memory.is_dir() { memory } else { directory }.join(format!("tradewright-halt-{}", std::process::id()));
    let shown = rings.display();
    let placement =
        fifo_priority.map_or_else(String::new, |priority| format!("[placement.engine]\nfifo_priority = {priority}\n"));
    let configuration = format!(
        "schema = 1\n[node]\ndirectory = \"log\"\nrings = \"{shown}\"\n[journal]\ntier = \"{tier}\"\nsegment_mib = 64\n\
         {placement}[genesis]\n"
    );
    let (source, config) =
        Source::parse(&directory.join("exchange.toml"), configuration).map_err(|error| text(&error))?;
    let (mut node, doorway) = Node::start(&source, &config).map_err(|error| text(&error))?;
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (stop, doorway) = (Arc::clone(&stop), doorway.ok_or("Invariant: the configuration opens no door")?);
        std::thread::spawn(move || keep_busy(doorway, &stop))
    };
    let mut random = Random::new(seed);
    let mut report = HaltReport { runs, ..HaltReport::default() };
    let signals = Arc::clone(node.signals());
    while signals.applied.load(Ordering::Acquire) < 20_000 && node.is_running() {
        std::thread::yield_now();
    }
    let halted = std::thread::scope(|scope| {
        let operator = scope.spawn(|| {
            place_operator(fifo_priority)?;
            halt_again_and_again(&mut node, &mut random, &mut report)
        });
        operator.join().map_err(|_| "the operator ended by a bug".to_owned())?
    });
    stop.store(true, Ordering::Release);
    load.join().map_err(|_| "the load ended by a bug")?;
    halted?;
    report.commands = signals.applied.load(Ordering::Acquire);
    node.stop().map_err(|error| text(&error))?;
    // What is left of the rings harms nobody.
    let _ = std::fs::remove_dir_all(&rings);
    report.halt_us.sort_by(f64::total_cmp);
    examine(&directory.join("log"), &mut report)?;
    Ok(report)
}

/// Places the thread that asks for halts above the engine's, so that its own waits are not taken for the engine's.
fn place_operator(fifo_priority: Option<u8>) -> Result<(), String> {
    let scheduling =
        fifo_priority.map_or(Scheduling::Other, |priority| Scheduling::Fifo { priority: (priority + 1).min(99) });
    Placement { scheduling, ..Placement::default() }.apply().map_err(|error| error.to_string())
}

/// Halts at random moments, each time until nothing trades any more, and lets matching go on.
fn halt_again_and_again(node: &mut Node, random: &mut Random, report: &mut HaltReport) -> Result<(), String> {
    let signals = Arc::clone(node.signals());
    for _ in 0..report.runs {
        std::thread::sleep(Duration::from_micros(200 + random.below(800)));
        let begin = Instant::now();
        node.halt();
        // The sequencer takes the flag as the next thing it does: what it applied before was the last that could trade.
        while signals.halt.load(Ordering::Acquire) {
            if !node.is_running() {
                return Err("the node ended".to_owned());
            }
            std::hint::spin_loop();
        }
        report.halt_us.push(begin.elapsed().as_secs_f64() * 1e6);
        node.command(&[set_up::resume(HaltScope::Venue)]).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Sends the standard workload over and over.
fn keep_busy(mut door: Doorway, stop: &AtomicBool) {
    let tape = Workload::Mix60.generate(500_000);
    let set_up = venue::bench_set_up(1, tape.workload.accounts(), Price::from_ticks(100_000));
    let orders = by_client_order_id(commands(tape.records(), tape.workload.accounts(), SelfTradePrevention::None));
    let mut send = |records: &[CommandRecord]| {
        let mut rest = records;
        while !rest.is_empty() && !stop.load(Ordering::Acquire) {
            let (command, behind) = CommandRecord::split_command(rest);
            if door.commands.push_whole(command).unwrap_or(false) {
                rest = behind;
            } else {
                // As a client does that is told to come back: who looks again and again takes the core of whom it waits for.
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    };
    send(&set_up);
    while !stop.load(Ordering::Acquire) {
        send(&orders);
    }
}

/// The same orders, cancelled by the client's ids and in the end all of them: what a halt refuses has no other id, and the next
/// round begins with an empty book.
fn by_client_order_id(mut orders: Vec<CommandRecord>) -> Vec<CommandRecord> {
    let mut open = BTreeSet::new();
    for record in &mut orders {
        if record.header.kind == CommandKind::CancelOrder as u8 {
            record.flags |= OrderFlags::BY_CLIENT_ORDER_ID.0;
            open.remove(&(record.order_ref, record.account, record.instrument));
        } else if record.time_in_force == TimeInForce::GoodTillCancel as u8 {
            open.insert((record.order_ref, record.account, record.instrument));
        }
    }
    let cancel = |(order_ref, account, instrument)| CommandRecord {
        order_ref,
        account,
        instrument,
        flags: OrderFlags::BY_CLIENT_ORDER_ID.0,
        ..CommandRecord::new(CommandKind::CancelOrder)
    };
    orders.extend(open.into_iter().map(cancel));
    orders
}

/// Applies the log to an engine of its own: behind a halt nothing trades, and the state is the one that the node had.
fn examine(log: &Path, report: &mut HaltReport) -> Result<(), String> {
    let told = |error: &dyn core::fmt::Display| format!("{}: {error}", log.display());
    let storage = FolderStorage::open(log).map_err(|error| told(&error))?;
    let mut reader = JournalReader::open(storage, 1).map_err(|error| told(&error))?;
    let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
    let (mut commands, mut is_halted) = (Vec::new(), false);
    while let Some(batch) = reader.next_batch().map_err(|error| told(&error))? {
        commands.clear();
        batch.copy_commands(1, &mut commands);
        engine.apply_all(&commands, &mut events);
        for event in events.as_slice() {
            let is_setting = event.kind == EventKind::SettingApplied as u8;
            if is_setting && event.open_lots == CommandKind::Halt as u64 {
                is_halted = true;
            } else if is_setting && event.open_lots == CommandKind::Resume as u64 {
                is_halted = false;
            } else if is_halted {
                let moves = [EventKind::Trade as u8, EventKind::OrderAccepted as u8];
                report.traded_while_halted += u64::from(moves.contains(&event.kind));
            }
        }
        events.clear();
    }
    let newest = snapshots::list(log).map_err(|error| told(&error))?.pop();
    let (_, path) = newest.ok_or_else(|| told(&"there is no snapshot"))?;
    let (_, state) = tradewright_journal::read(&path, EngineConfig::default()).map_err(|error| told(&error))?;
    report.hash_mismatches += u64::from(state.state_hash() != engine.state_hash());
    Ok(())
}
