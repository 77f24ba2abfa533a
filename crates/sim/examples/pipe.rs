//! Prints how many commands pass through a whole node: sequenced, logged, applied, released, read.
//!
//! `cargo run --release -p tradewright-sim --example pipe -- FOLDER [TIER] [SECONDS] [IDLE]`
//!
//! `mix60` with accounts, closed loop: a thread sends records as fast as they are taken, another reads every event. Segments are
//! prepared before the clock starts. A command counts when its events were read and none was skipped. FOLDER is made anew; a log on
//! a disk that keeps what it syncs needs one there.
#![allow(clippy::disallowed_methods, reason = "a bench has threads and clocks")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tradewright_node::config::Source;
use tradewright_node::{Doorway, Node};
use tradewright_sim::{Workload, commands, venue};
use tradewright_transport::{Polled, Reader, Region, Start};
use tradewright_types::{CommandRecord, EventRecord, Price, SelfTradePrevention};

/// More than any run sends.
const OPERATIONS: usize = 30_000_000;
const CHUNK: usize = 256;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: pipe FOLDER [TIER] [SECONDS] [IDLE]")?);
    let tier = arguments.next().unwrap_or_else(|| "local-sync".to_owned());
    let seconds: u64 = arguments.next().map_or(Ok(10), |text| text.parse().map_err(|_| format!("{text:?} seconds")))?;
    let idle = arguments.next().unwrap_or_else(|| "yield".to_owned());
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let tape = Workload::Mix60.generate(OPERATIONS.min(4_000_000 * seconds as usize));
    let accounts = tape.workload.accounts();
    let records = commands(tape.records(), accounts, SelfTradePrevention::None);

    let (node, mut door) = start(&folder, &tier, &idle)?;
    std::thread::sleep(Duration::from_secs(seconds.min(5)));
    for command in split(&venue::bench_set_up(1, accounts, Price::from_ticks(100_000))) {
        push(&mut door, command)?;
    }
    let (stop, read) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reader = {
        let (region, stop, read) = (Arc::clone(&door.events), Arc::clone(&stop), Arc::clone(&read));
        std::thread::spawn(move || follow(&region, &stop, &read))
    };
    while read.load(Ordering::Acquire) < node.signals().durable.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    let first = node.signals().applied.load(Ordering::Acquire);
    let (begin, mut sent) = (Instant::now(), 0);
    for chunk in records.chunks(CHUNK) {
        push(&mut door, chunk)?;
        sent += chunk.len() as u64;
        if begin.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    while read.load(Ordering::Acquire) < first + sent {
        std::thread::yield_now();
    }
    let elapsed_s = begin.elapsed().as_secs_f64();
    stop.store(true, Ordering::Release);
    let (events, skipped) = reader.join().map_err(|_| "the reader ended by a bug")?;
    let rate = |count: u64| count as f64 / elapsed_s / 1e6;
    println!(
        "{tier}, {idle}: {:.2} M commands/s, {:.2} M events/s, {skipped} events skipped",
        rate(sent),
        rate(events)
    );
    for stage in node.status().read().stages {
        println!("  {:8} {:>10} p50 {:>9} ns, p99 {:>9} ns", stage.stage, stage.count, stage.p50_ns, stage.p99_ns);
    }
    node.stop().map_err(|error| error.to_string())
}

fn start(folder: &Path, tier: &str, idle: &str) -> Result<(Node, Doorway), String> {
    let text = format!(
        "schema = 1\n[node]\ndirectory = \"log\"\nsnapshot_commands = 1_000_000_000\nevent_slots = 1048576\n[journal]\n\
         tier = \"{tier}\"\nprepared = 16\n[placement.engine]\nidle = \"{idle}\"\n[placement.journal]\nidle = \"{idle}\"\n[genesis]\n"
    );
    let (source, config) = Source::parse(&folder.join("exchange.toml"), text).map_err(|error| error.to_string())?;
    let (node, door) = Node::start(&source, &config).map_err(|error| error.to_string())?;
    Ok((node, door.ok_or("Invariant: the configuration opens no door")?))
}

fn split(mut records: &[CommandRecord]) -> Vec<&[CommandRecord]> {
    let mut found = Vec::new();
    while !records.is_empty() {
        let (command, behind) = CommandRecord::split_command(records);
        found.push(command);
        records = behind;
    }
    found
}

fn push(door: &mut Doorway, records: &[CommandRecord]) -> Result<(), String> {
    while !door.commands.push_whole(records).map_err(|error| error.to_string())? {
        std::thread::yield_now();
    }
    Ok(())
}

/// Reads every event; returns how many there were and how many were skipped.
fn follow(region: &Arc<Region>, stop: &AtomicBool, read: &AtomicU64) -> (u64, u64) {
    let mut reader = Reader::<EventRecord>::attach(region, Start::Oldest).expect("a reader");
    let mut buffer = vec![EventRecord::default(); 1_024];
    let (mut events, mut skipped, mut sum) = (0, 0, 0_u64);
    while !stop.load(Ordering::Acquire) {
        match reader.poll(&mut buffer) {
            Polled::Count(count) => {
                events += count as u64;
                for event in &buffer[..count] {
                    sum ^= event.order_id ^ event.quantity_lots ^ event.reference;
                }
                read.store(buffer[count - 1].sequence, Ordering::Release);
            }
            Polled::Empty => std::thread::yield_now(),
            Polled::Behind { skipped: missed } => skipped += missed,
        }
    }
    std::hint::black_box(sum);
    (events, skipped)
}
