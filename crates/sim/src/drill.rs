//! Drills: what becomes of a log when the power goes, a write is torn, the disk is full or a bit flips.
//!
//! Each run writes real commands to a log on a disk in memory, acknowledges what the log tells to be committed, harms the disk,
//! starts again, and compares: nothing acknowledged may be missing, nothing be there twice, and the state be the one that a clean
//! engine reaches. Refusing to start, with file and place, is an answer; a wrong state is none.

use std::time::Instant;

use serde::Serialize;
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{Journal, JournalConfig, JournalError, JournalReader, Storage, Tier};
use tradewright_types::{CommandRecord, Price, SelfTradePrevention};

use crate::faulty_storage::{Cut, Failure, FailureKind, FaultyStorage};
use crate::{Random, Workload, commands, venue};

/// What happens to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillKind {
    /// The power goes at any call: of what was not synced any part is left, by sectors and names.
    PowerCut,
    /// The last write reached the disk up to some byte.
    TornWrite,
    /// From some call on no space is left, or the device fails.
    DiskFull,
    /// A bit flips in a file.
    BitFlip,
}

impl core::str::FromStr for DrillKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "power-cut" => Ok(Self::PowerCut),
            "torn-write" => Ok(Self::TornWrite),
            "disk-full" => Ok(Self::DiskFull),
            "bit-flip" => Ok(Self::BitFlip),
            _ => Err(format!("drill={name:?} must be power-cut, torn-write, disk-full or bit-flip")),
        }
    }
}

/// When a command is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the log says that it is durable.
    AfterSync,
    /// As soon as it is appended: the control, which must lose commands.
    BeforeSync,
}

/// What the runs of a drill came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DrillReport {
    /// Runs.
    pub runs: u64,
    /// Acknowledged commands that were missing afterwards.
    pub lost: u64,
    /// Commands that stood in the log twice, or at another's place.
    pub doubled: u64,
    /// Runs whose state was not the one of a clean engine.
    pub hash_mismatches: u64,
    /// Runs in which the log was refused, with file and place.
    pub refused: u64,
    /// Median time from opening the log to the state, in milliseconds.
    pub recovery_ms_p50: f64,
    /// The longest.
    pub recovery_ms_max: f64,
}

const ENGINE: EngineConfig = EngineConfig { shard: 0, epoch: 1, open_orders_expected: 64 };
const JOURNAL: JournalConfig = JournalConfig {
    shard: 0,
    tier: Tier::LocalSync,
    segment_bytes: 64 << 10,
    batch_bytes_max: 16 << 10,
    prepared_segments: 2,
    log_id: Some(*b"a drill's log id"),
};

/// The commands of all runs: a venue with two accounts, then orders of it.
fn tape() -> Vec<CommandRecord> {
    let mut tape = venue::bench_set_up(1, 2, Price::from_ticks(100_000));
    let orders = Workload::Mix60.generate(2_000);
    tape.extend(commands(&orders.records()[..2_000], 2, SelfTradePrevention::None));
    tape
}

/// Runs a drill. The same seed gives the same runs.
#[must_use]
pub fn drill(kind: DrillKind, runs: u64, seed: u64, acknowledge: Acknowledge) -> DrillReport {
    let (tape, mut random) = (tape(), Random::new(seed));
    let mut report = DrillReport { runs, ..DrillReport::default() };
    let mut recovery_ms: Vec<f64> = Vec::new();
    for _ in 0..runs {
        let run = Run { tape: &tape, kind, acknowledge };
        let outcome = run.go(&mut random.fork());
        report.lost += outcome.lost;
        report.doubled += outcome.doubled;
        report.hash_mismatches += u64::from(outcome.is_other_state);
        report.refused += u64::from(outcome.is_refused);
        recovery_ms.push(outcome.recovery_ms);
    }
    recovery_ms.sort_by(f64::total_cmp);
    report.recovery_ms_p50 = recovery_ms.get(recovery_ms.len() / 2).copied().unwrap_or(0.0);
    report.recovery_ms_max = recovery_ms.last().copied().unwrap_or(0.0);
    report
}

#[derive(Default)]
struct RunOutcome {
    lost: u64,
    doubled: u64,
    is_other_state: bool,
    is_refused: bool,
    recovery_ms: f64,
}

struct Run<'t> {
    tape: &'t [CommandRecord],
    kind: DrillKind,
    acknowledge: Acknowledge,
}

impl Run<'_> {
    fn go(&self, random: &mut Random) -> RunOutcome {
        let storage = FaultyStorage::new();
        let acknowledged = self.write(&storage, random);
        let harmed = self.harm(&storage, random);
        let started = Instant::now();
        let recovered = recover(&harmed);
        let recovery_ms = started.elapsed().as_secs_f64() * 1e3;
        let mut outcome = match recovered {
            Ok(log) => self.judge(&log, acknowledged),
            Err(_) => RunOutcome { is_refused: true, ..RunOutcome::default() },
        };
        outcome.recovery_ms = recovery_ms;
        outcome
    }

    /// Writes until the disk fails, or the run is over. Returns how many commands were acknowledged.
    fn write(&self, storage: &FaultyStorage, random: &mut Random) -> u64 {
        let calls_max = 400;
        let failure = |kind, lasts, random: &mut Random| Failure { after_calls: random.below(calls_max), kind, lasts };
        storage.fail(match self.kind {
            DrillKind::PowerCut => Some(failure(FailureKind::Power, true, random)),
            DrillKind::DiskFull => {
                let kind = if random.coin() { FailureKind::NoSpace } else { FailureKind::Device };
                let lasts = random.coin();
                Some(failure(kind, lasts, random))
            }
            DrillKind::TornWrite | DrillKind::BitFlip => None,
        });
        let Ok((mut log, _)) = Journal::open(JOURNAL, storage.clone()) else { return 0 };
        let (mut stream, mut acknowledged, mut preparer) = (self.tape, 0, log.preparer());
        let until = 40 + random.below(120);
        for _ in 0..until {
            let prepared = preparer.prepare();
            let mut count = 0;
            for _ in 0..=random.below(40) {
                count += CommandRecord::split_command(&stream[count..]).0.len();
            }
            let (batch, rest) = stream.split_at(count);
            stream = rest;
            let appended = log.append(batch);
            if appended.is_ok() && self.acknowledge == Acknowledge::BeforeSync {
                acknowledged = log.last_index();
            }
            let committed = appended.and_then(|()| log.commit().map(drop));
            acknowledged = log.durable_index().max(acknowledged);
            let has_failed = committed.is_err() || prepared.is_err() && log.space().prepared_segments == 0;
            if has_failed || stream.is_empty() {
                break;
            }
        }
        if self.kind == DrillKind::BitFlip && random.coin() {
            // Half of the logs are closed in order.
            let _ = log.seal();
        }
        acknowledged
    }

    /// The disk that the next start finds.
    fn harm(&self, storage: &FaultyStorage, random: &mut Random) -> FaultyStorage {
        match self.kind {
            DrillKind::PowerCut => storage.after_cut(Cut::Any, random),
            DrillKind::DiskFull => storage.after_kill(),
            DrillKind::TornWrite => tear_next_write(&storage.after_kill(), self.tape, random),
            DrillKind::BitFlip => {
                let flipped = storage.after_kill();
                flip_a_bit(&flipped, random);
                flipped
            }
        }
    }

    fn judge(&self, log: &Recovered, acknowledged: u64) -> RunOutcome {
        let lost = acknowledged.saturating_sub(log.last_index);
        let (mut clean, mut events) = (Engine::new(ENGINE), EventBuffer::default());
        let expected = &self.tape[..log.commands.len().min(self.tape.len())];
        clean.apply_all(expected, &mut events);
        let doubled = log.commands.iter().zip(expected).filter(|(found, sent)| found != sent).count();
        let is_other_state = clean.state_hash() != log.engine.state_hash() || clean.sequence() != log.last_index;
        RunOutcome { lost, doubled: doubled as u64, is_other_state, ..RunOutcome::default() }
    }
}

/// What a start made of the log.
struct Recovered {
    last_index: u64,
    commands: Vec<CommandRecord>,
    engine: Engine,
}

fn recover(storage: &FaultyStorage) -> Result<Recovered, JournalError> {
    let (log, recovered) = Journal::open(JOURNAL, storage.clone())?;
    drop(log);
    let (mut engine, mut events, mut commands) = (Engine::new(ENGINE), EventBuffer::default(), Vec::new());
    let mut reader = JournalReader::open(storage.clone(), 1)?;
    while let Some(batch) = reader.next_batch()? {
        let from = commands.len();
        batch.copy_commands(1, &mut commands);
        engine.apply_all(&commands[from..], &mut events);
        events.clear();
    }
    Ok(Recovered { last_index: recovered.tip.index, commands, engine })
}

/// Writes one more batch that nobody acknowledges, and lets only the first bytes of it reach the disk.
fn tear_next_write(storage: &FaultyStorage, tape: &[CommandRecord], random: &mut Random) -> FaultyStorage {
    let (mut log, recovered) = Journal::open(JOURNAL, storage.clone()).expect("Invariant: the log is whole");
    let mut stream = tape;
    for _ in 0..recovered.tip.index {
        stream = CommandRecord::split_command(stream).1;
    }
    let before = place(storage);
    let mut count = 0;
    for _ in 0..1 + random.below(30) {
        count += CommandRecord::split_command(&stream[count..]).0.len();
    }
    let _ = log.preparer().prepare();
    // As long as it is not synced, the file that tells what is durable must not say that it is.
    storage.fail(Some(Failure { after_calls: storage.calls() + 1, kind: FailureKind::Power, lasts: true }));
    let _ = log.append(&stream[..count]).and_then(|()| log.commit().map(drop));
    let torn = storage.after_kill();
    let after = place(&torn);
    if before.0 == after.0 && after.1 > before.1 {
        let cut = before.1 + random.below(after.1 - before.1);
        torn.alter(&after.0, |bytes| bytes[cut as usize..after.1 as usize].fill(0));
    }
    torn
}

/// The file and the place behind the last batch.
fn place(storage: &FaultyStorage) -> (String, u64) {
    let mut reader = JournalReader::open(storage.clone(), 1).expect("Invariant: the log is whole");
    while reader.next_batch().expect("Invariant: the log is whole").is_some() {}
    let (file, offset) = reader.place();
    (file.to_owned(), offset)
}

/// Flips a bit of what was written, in any file.
fn flip_a_bit(storage: &FaultyStorage, random: &mut Random) {
    let names = storage.list().expect("Invariant: a disk in memory lists its files");
    let is_of_log = |name: &&String| name.ends_with(".seg") || *name == "durable";
    let files: Vec<&String> = names.iter().filter(is_of_log).collect();
    let name = files[random.below(files.len() as u64) as usize];
    let written = storage.bytes(name).iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    let place = random.below(written as u64) as usize;
    storage.alter(name, |bytes| bytes[place] ^= 1 << random.below(8));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_right(kind: DrillKind, runs: u64) -> DrillReport {
        let report = drill(kind, runs, 7, Acknowledge::AfterSync);
        assert_eq!((report.runs, report.lost, report.doubled, report.hash_mismatches), (runs, 0, 0, 0), "{kind:?}");
        report
    }

    #[test]
    fn no_drill_loses_doubles_or_changes_anything() {
        assert_eq!(assert_right(DrillKind::PowerCut, 40).refused, 0);
        assert_eq!(assert_right(DrillKind::DiskFull, 40).refused, 0);
        assert!(assert_right(DrillKind::TornWrite, 40).refused <= 2);
        let refused = assert_right(DrillKind::BitFlip, 40).refused;
        assert!((10..=40).contains(&refused), "{refused}");
    }

    /// The judge is awake.
    #[test]
    fn the_control_that_acknowledges_before_the_sync_loses() {
        assert!(drill(DrillKind::PowerCut, 40, 7, Acknowledge::BeforeSync).lost > 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_runs() {
        let counts = |report: DrillReport| (report.lost, report.refused);
        let run = |seed| counts(drill(DrillKind::PowerCut, 20, seed, Acknowledge::BeforeSync));
        assert_eq!(run(3), run(3));
    }
}
