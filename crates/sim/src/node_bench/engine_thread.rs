//! What the log costs the engine's thread: CPU time of the sequencer for one command, with a log behind it and without.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use tradewright_engine::{Engine, EngineConfig};
use tradewright_journal::{FolderStorage, Journal, JournalConfig, Tier};
use tradewright_node::{
    AccountDesk, BATCH_RECORDS, COMMAND_RECORDS_MAX, Durability, Gate, Gatekeeper, Outlets, Sequencer, Signals, Stages,
};
use tradewright_transport::{
    Bell, Consumer, Placement, Producer, Region, RegionOptions, Releaser, Shape, Writer, many_queue, queue,
};
use tradewright_types::{CommandRecord, EventRecord, Price};

use super::flow::Stall;
use super::lap::Lap;
use super::served::PATIENCE;
use super::setting::{Cores, split};
use super::wire::median;
use crate::{Workload, thread_cpu_ns, venue};

/// Words of a mark: index, position, time.
const MARK_WORDS: usize = 3;

/// CPU nanoseconds of the engine's thread for each command.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EngineThreadCost {
    pub(crate) with_journal_ns: f64,
    pub(crate) without_journal_ns: f64,
    /// The median of the pairs' ratios, with over without.
    pub(crate) ratio: f64,
}

/// Measures in interleaved pairs. Each makes a log of its own below `directory`.
///
/// # Errors
/// The log cannot be written.
pub(crate) fn engine_thread_cost(
    directory: &Path,
    tier: &str,
    cores: Cores,
    operations: usize,
    pairs: usize,
) -> Result<EngineThreadCost, String> {
    let lap = Lap::new(Workload::Mix60, operations, Workload::Mix60.accounts())?;
    let tier = if tier == "memory" { Tier::Memory } else { Tier::LocalSync };
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..pairs {
        let folder = directory.join(format!("engine-thread-{number}"));
        let journal = open_journal(&folder, tier, 3 * lap.len())?;
        let with_ns = pass(&lap, Some(journal), cores)?;
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let without_ns = pass(&lap, None, cores)?;
        with.push(with_ns);
        without.push(without_ns);
        ratios.push(with_ns / without_ns);
    }
    let [with_journal_ns, without_journal_ns, ratio] = [with, without, ratios].map(median);
    Ok(EngineThreadCost { with_journal_ns, without_journal_ns, ratio })
}

/// A log with room for so many commands.
fn open_journal(folder: &Path, tier: Tier, commands: usize) -> Result<Journal<FolderStorage>, String> {
    let told = |error: &dyn core::fmt::Display| format!("{}: {error}", folder.display());
    let storage = FolderStorage::create(folder).map_err(|error| told(&error))?;
    let config = JournalConfig { tier, segment_bytes: 64 << 20, ..JournalConfig::default() };
    let prepared_segments = (commands * 128).div_ceil(64 << 20) + 1;
    let (journal, _) =
        Journal::open(JournalConfig { prepared_segments, ..config }, storage).map_err(|error| told(&error))?;
    let mut preparer = journal.preparer();
    while preparer.prepare().map_err(|error| told(&error))? {}
    Ok(journal)
}

/// The far ends of what the sequencer writes to.
struct Behind {
    log: Consumer<CommandRecord>,
    marks: Consumer<u64>,
    releaser: Releaser,
    signals: Arc<Signals>,
}

/// Runs a warm lap and two that count.
fn pass(lap: &Lap, journal: Option<Journal<FolderStorage>>, cores: Cores) -> Result<f64, String> {
    let told = |error: &dyn core::fmt::Display| error.to_string();
    let shape = Shape::broadcast::<EventRecord>(1 << 20);
    let events = Region::in_memory(shape, &RegionOptions::default()).map_err(|error| told(&error))?;
    let (mut commands, sessions) = queue(1 << 14, COMMAND_RECORDS_MAX).map_err(|error| told(&error))?;
    let (_operators, operators) = many_queue(1 << 10, COMMAND_RECORDS_MAX).map_err(|error| told(&error))?;
    let (log_in, log) = queue(1 << 16, COMMAND_RECORDS_MAX + BATCH_RECORDS as u32).map_err(|error| told(&error))?;
    let (marks_in, marks) = queue(1 << 13, MARK_WORDS as u32).map_err(|error| told(&error))?;
    let (news, _doors) = mpsc::channel();
    let writer = Writer::attach(&events).map_err(|error| told(&error))?;
    let releaser = Releaser::attach(&events).map_err(|error| told(&error))?;
    let (signals, stages) = (Arc::new(Signals::default()), Stages::default());
    let (gate, accounts) = (Gate::Durable(marks_in), AccountDesk::closed());
    let outlets = Outlets { log: log_in, events: writer, gate, news, accounts };
    let bell = Bell::in_memory().map_err(|error| told(&error))?;
    let engine = Engine::new(EngineConfig::default());
    let sequencer = Sequencer::new(engine, operators, sessions, outlets, bell, Arc::clone(&signals), stages.clone());
    let behind = Behind { log, marks, releaser, signals: Arc::clone(&signals) };
    std::thread::scope(|scope| {
        let other = scope.spawn(move || -> Result<(), String> {
            place(cores.journal)?;
            match journal {
                Some(journal) => keep_log(journal, behind, stages),
                None => throw_away(behind),
            }
        });
        let signals_of_engine = Arc::clone(&signals);
        let driven = scope.spawn(move || {
            let ended = End(&signals_of_engine);
            place(cores.engine)?;
            let driven = drive(sequencer, &mut commands, lap, &signals_of_engine);
            drop(ended);
            driven
        });
        let driven = driven.join().unwrap_or_else(|_| Err("the engine's thread ended by a bug".to_owned()));
        let kept = other.join().unwrap_or_else(|_| Err("the journal's thread ended by a bug".to_owned()));
        kept.and(driven)
    })
}

/// Tells the other side that nothing more comes.
struct End<'s>(&'s Signals);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

fn place(core: Option<usize>) -> Result<(), String> {
    Placement { core, ..Placement::default() }.apply().map_err(|error| error.to_string())
}

fn keep_log(journal: Journal<FolderStorage>, behind: Behind, stages: Stages) -> Result<(), String> {
    let (_notes, notes) = mpsc::channel();
    let Behind { log, marks, releaser, signals } = behind;
    let _closed = Closed(Arc::clone(&signals));
    let gate = Some(Gatekeeper { marks, releaser });
    let mut durability = Durability::new(journal, log, gate, notes, Arc::clone(&signals), stages);
    loop {
        let is_over = signals.ended.load(Ordering::Acquire);
        match durability.poll().map_err(|error| error.to_string())? {
            0 if is_over => return Ok(()),
            0 => std::thread::yield_now(),
            _ => {}
        }
    }
}

/// Nothing is written any more: the sequencer must not wait.
struct Closed(Arc<Signals>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.is_log_closed.store(true, Ordering::Release);
    }
}

/// Takes what would be logged and lets its events be seen.
fn throw_away(behind: Behind) -> Result<(), String> {
    let Behind { mut log, mut marks, mut releaser, signals } = behind;
    let _closed = Closed(Arc::clone(&signals));
    loop {
        let is_over = signals.ended.load(Ordering::Acquire);
        let count = log.readable().map_err(|error| error.to_string())?.len();
        log.release(count);
        let waiting = marks.readable().map_err(|error| error.to_string())?;
        let (whole, _) = waiting.as_chunks::<MARK_WORDS>();
        let (words, last) = (whole.len() * MARK_WORDS, whole.last().copied());
        marks.release(words);
        if let Some([_, position, _]) = last {
            releaser.release(position);
        }
        if count == 0 && words == 0 {
            if is_over {
                return Ok(());
            }
            std::thread::yield_now();
        }
    }
}

/// Hands commands to the sequencer, as many as it takes in a round, and counts the CPU time of the rounds that took some.
fn drive(
    mut sequencer: Sequencer,
    commands: &mut Producer<CommandRecord>,
    lap: &Lap,
    signals: &Signals,
) -> Result<f64, String> {
    // What reading the clock costs is in every round.
    let clock_ns = (0..1_000).map(|_| thread_cpu_ns()).map(|before| thread_cpu_ns() - before).min();
    let mut spend = |records: &[CommandRecord]| -> Result<u64, String> {
        if !commands.push_whole(records).map_err(|error| error.to_string())? {
            return Err("Invariant: the ring of commands is empty".to_owned());
        }
        let (target, mut spent_ns) = (split(records).len() as u64, 0);
        let (begun, mut stall) = (sequencer.engine().sequence(), Stall::after(PATIENCE));
        while sequencer.engine().sequence() < begun + target {
            let before = thread_cpu_ns();
            let taken = sequencer.poll().map_err(|error| error.to_string())?;
            let spent = thread_cpu_ns() - before;
            if taken > 0 {
                spent_ns += spent.saturating_sub(clock_ns.unwrap_or(0));
                stall.moved();
            } else if stall.idles() || signals.is_log_closed.load(Ordering::Relaxed) {
                return Err("the log takes no more".to_owned());
            } else {
                std::thread::yield_now();
            }
        }
        Ok(spent_ns)
    };
    let set_up = venue::bench_set_up(1, Workload::Mix60.accounts(), Price::from_ticks(100_000));
    for command in split(&set_up) {
        spend(command)?;
    }
    let (mut place, mut spent_ns) = (0, 0);
    let mut slots = vec![set_up[0]; BATCH_RECORDS];
    let end = 3 * lap.len() as u64;
    while place < end {
        let count = lap.rest(place).min(BATCH_RECORDS);
        lap.write(place, 0, &mut slots[..count]);
        // No session was opened here.
        slots[..count].iter_mut().for_each(|slot| slot.header.client_sequence = 0);
        let of_chunk_ns = spend(&slots[..count])?;
        if place >= lap.len() as u64 {
            spent_ns += of_chunk_ns;
        }
        place += count as u64;
    }
    Ok(spent_ns as f64 / (2 * lap.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_take_every_command() {
        let folder = tempfile::tempdir().expect("a folder");
        for tier in ["memory", "local-sync"] {
            let cost = engine_thread_cost(folder.path(), tier, Cores::default(), 500, 1).expect("a disk");
            assert!(cost.with_journal_ns > 1.0 && cost.without_journal_ns > 1.0, "{cost:?}");
            assert!((cost.ratio - cost.with_journal_ns / cost.without_journal_ns).abs() < 1e-9);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
