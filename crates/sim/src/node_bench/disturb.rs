//! Whether readers and clients that are slow, dead or stuck are felt by the others.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tradewright_gateway::client::{Client, ClientError};
use tradewright_protocol::codes::{self, OrdType};
use tradewright_protocol::messages::{NewOrderSingle, OrderCancelRequest};
use tradewright_protocol::spec::Block;

use super::flow::Stall;
use super::frames::{FrameLap, SYMBOL};
use super::lap::Lap;
use super::served::PATIENCE;
use super::setting::{Route, Setting, Venue};
use super::wire::{Caller, Pace, Round, median, memory_mib, on_client_core};
use crate::Workload;

/// What is done to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// A process follows the events, and takes one batch of them in a while.
    SlowReader,
    /// A process that follows the events is killed, and another one, again and again.
    KilledReader,
    /// A client goes on sending and no longer reads what it is told.
    StuckClient,
}

impl Disturbance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SlowReader, Self::KilledReader, Self::StuckClient];

    /// As reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowReader => "slow-reader",
            Self::KilledReader => "killed-reader",
            Self::StuckClient => "stuck-client",
        }
    }
}

/// What a bench of disturbances does.
#[derive(Clone, Debug)]
pub struct DisturbOptions {
    /// The node.
    pub setting: Setting,
    /// How the orders come whose latency is looked at.
    pub route: Route,
    /// Orders a second.
    pub rate: f64,
    /// How long each run lasts.
    pub seconds: f64,
    /// Pairs of a run without the disturbance and one with it.
    pub pairs: u32,
    /// How many operations a lap of the workload has behind its prefill.
    pub operations: usize,
    /// A program that follows the events; the path of the ring and the milliseconds that it sleeps after each batch are added.
    pub reader: Vec<String>,
}

/// What a bench of disturbances found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DisturbReport {
    /// What an acknowledgement promised.
    pub tier: String,
    /// Orders a second.
    pub rate: f64,
    /// How long each run lasted.
    pub seconds: f64,
    /// Pairs for each disturbance.
    pub pairs: u32,
    /// Orders that were sent.
    pub sent: u64,
    /// Orders that were answered.
    pub acknowledged: u64,
    /// One row a disturbance.
    pub rows: Vec<DisturbRow>,
}

/// What one disturbance came to. Ratios are of runs with it over runs without, the median of the pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DisturbRow {
    /// Which.
    pub name: &'static str,
    /// Of the median latency of an order.
    pub p50_ratio: f64,
    /// Of the 99th percentile.
    pub p99_ratio: f64,
    /// Of the engine's time for one command.
    pub engine_ratio: f64,
    /// The largest 99th percentile of the runs without it over the smallest: how much the machine moves by itself.
    pub p99_spread: f64,
    /// The slowest order of all runs with it.
    pub max_us: f64,
    /// By how much the node's own memory grew, in MiB.
    pub grown_mib: f64,
    /// How often the disturbance took place: batches that were read late, readers that were killed, clients that were cut off.
    pub disturbed: u64,
    /// Whether it moves less than a tenth: the p99, or where the machine moves that by more by itself, p50 and engine.
    pub holds: bool,
    /// What `holds` looks at.
    pub gated_by: &'static str,
}

/// Within this a disturbance is not felt.
const MOVES_MAX: f64 = 1.10;
/// More than this is a leak, over some ten seconds.
const GROWS_MAX_MIB: f64 = 64.0;
/// Milliseconds that a slow reader sleeps after each batch.
const READER_SLEEPS_MS: u32 = 20;
/// Orders and cancels of the second client in a second.
const SECOND_CLIENT_RATE: u64 = 10_000;

/// Measures.
///
/// # Errors
/// The node cannot be started, or an order is not answered.
pub fn disturb_bench(options: &DisturbOptions, mut progress: impl FnMut(&str) + Send) -> Result<DisturbReport, String> {
    let DisturbOptions { setting, route, rate, seconds, pairs, .. } = options;
    progress("making the commands");
    let lap = FrameLap::new(Lap::new(Workload::Mix60, options.operations, 1)?);
    progress("starting the node");
    let mut venue = Venue::open(setting, 2)?;
    let (client, ack) = venue.log_on_as_trader(*route)?;
    let mut caller = Caller::new(client, *route, ack.session.get(), &lap);
    let drive = setting.drive(setting.cores.client, 0)?;
    let (pace, lasts) = (Pace::Open { interval_ns: 1e9 / rate }, Duration::from_secs_f64(*seconds));
    let mut report = DisturbReport {
        tier: setting.tier.clone(),
        rate: *rate,
        seconds: *seconds,
        pairs: *pairs,
        ..DisturbReport::default()
    };
    on_client_core(&drive, || {
        caller.round(pace, lasts.mul_f64(0.5), &drive)?;
        for disturbance in Disturbance::ALL {
            let mut found = Found::default();
            let before_mib = memory_mib(venue.node.place().pid).unwrap_or(0.0);
            for number in 1..=*pairs {
                for is_disturbed in [false, true] {
                    let how = if is_disturbed { "with" } else { "without" };
                    progress(&format!("{}: pair {number} of {pairs}, {how}", disturbance.name()));
                    let run =
                        one_run(options, &mut venue, disturbance, is_disturbed, || caller.round(pace, lasts, &drive))?;
                    report.sent += run.round.sent;
                    report.acknowledged += run.round.answer.len();
                    found.note(run, is_disturbed);
                }
            }
            let grown_mib = memory_mib(venue.node.place().pid).unwrap_or(0.0) - before_mib;
            report.rows.push(found.row(disturbance, grown_mib));
        }
        Ok(())
    })?;
    drop(caller);
    venue.node.stop()?;
    Ok(report)
}

/// One run and what the engine needed in it.
struct Run {
    round: Round,
    engine_ns: f64,
    disturbed: u64,
}

fn one_run(
    options: &DisturbOptions,
    venue: &mut Venue,
    disturbance: Disturbance,
    is_disturbed: bool,
    orders: impl FnOnce() -> Result<Round, String>,
) -> Result<Run, String> {
    let events = venue.node.place().events.clone();
    // The second client is there in both runs: only its reading is the difference.
    let second = match disturbance {
        Disturbance::StuckClient => Some(venue.log_on_second()?),
        Disturbance::SlowReader | Disturbance::KilledReader => None,
    };
    let before = venue.node.status()?;
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let round = std::thread::scope(|scope| {
        let beside = scope.spawn(|| match (disturbance, is_disturbed, second) {
            (Disturbance::StuckClient, _, Some(client)) => second_client(client, !is_disturbed, &stop, &count),
            (_, false, _) | (Disturbance::StuckClient, _, None) => Ok(()),
            (Disturbance::SlowReader, true, _) => slow_reader(&options.reader, &events, &stop, &count),
            (Disturbance::KilledReader, true, _) => killed_readers(&options.reader, &events, &stop, &count),
        });
        let round = orders();
        stop.store(true, Ordering::Release);
        beside.join().unwrap_or_else(|_| Err("the disturbance ended by a bug".to_owned()))?;
        round
    })?;
    let after = venue.node.status()?;
    let (before, after) = (before.stage("apply"), after.stage("apply"));
    let engine_ns = (after.sum_ns - before.sum_ns) as f64 / (after.count - before.count).max(1) as f64;
    Ok(Run { round, engine_ns, disturbed: count.load(Ordering::Acquire) })
}

/// A reader as a process of its own.
struct ReaderProcess(Child);

impl ReaderProcess {
    fn start(command: &[String], events: &PathBuf, sleeps_ms: u32) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("reader: must name a program")?;
        Command::new(program)
            .args(arguments)
            .arg(events)
            .arg(sleeps_ms.to_string())
            .stdout(Stdio::null())
            .spawn()
            .map(Self)
            .map_err(|error| format!("{program}: {error}"))
    }

    fn is_there(&mut self) -> Result<(), String> {
        match self.0.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("the reader ended: {status}")),
            Err(error) => Err(format!("the reader: {error}")),
        }
    }
}

impl Drop for ReaderProcess {
    fn drop(&mut self) {
        // One that is gone cannot be killed again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn slow_reader(command: &[String], events: &PathBuf, stop: &AtomicBool, count: &AtomicU64) -> Result<(), String> {
    let mut reader = ReaderProcess::start(command, events, READER_SLEEPS_MS)?;
    while !stop.load(Ordering::Acquire) {
        reader.is_there()?;
        std::thread::sleep(Duration::from_millis(READER_SLEEPS_MS.into()));
        count.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

fn killed_readers(command: &[String], events: &PathBuf, stop: &AtomicBool, count: &AtomicU64) -> Result<(), String> {
    // Reading as fast as it can when it is killed. Its start is work of this machine, and not of the node: one at a time.
    while !stop.load(Ordering::Acquire) {
        let mut reader = ReaderProcess::start(command, events, 0)?;
        for _ in 0..50 {
            if stop.load(Ordering::Acquire) {
                break;
            }
            reader.is_there()?;
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(reader);
        count.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

/// A client that places an order far from the market and cancels it, over and over. One that does not read is cut off by the node
/// at some time, and counts itself then.
fn second_client(mut client: Client, reads: bool, stop: &AtomicBool, count: &AtomicU64) -> Result<(), String> {
    let order = NewOrderSingle {
        price_exponent: 0,
        qty_exponent: 0,
        order_qty: 1.into(),
        ord_type: OrdType::Limit.field(),
        price: 2_000.into(),
        side: codes::Side::Buy.field(),
        time_in_force: codes::TimeInForce::GoodTillCancel.field(),
        ..NewOrderSingle::NULL
    };
    let begin = std::time::Instant::now();
    let (mut sent, mut stall) = (0_u64, Stall::after(PATIENCE));
    while !stop.load(Ordering::Acquire) {
        let due = (begin.elapsed().as_secs_f64() * SECOND_CLIENT_RATE as f64) as u64;
        // What the node does not take waits, but not without end.
        let has_gone = match client.flush() {
            Ok(has_gone) => has_gone,
            Err(_) if !reads => return cut_off(count),
            Err(error) => return Err(error.to_string()),
        };
        let due = if has_gone { due } else { sent };
        for number in sent..due {
            if number % 2 == 0 {
                client.order(&order, b"far", SYMBOL);
            } else {
                client.request(&OrderCancelRequest::NULL, &[b"c", b"far", b"", SYMBOL]);
            }
        }
        sent = due;
        if reads {
            match client.receive(|_| {}) {
                Ok(0) if stall.idles() => return Err("the second client hears nothing".to_owned()),
                Ok(0) => {}
                Ok(_) => stall.moved(),
                Err(ClientError::LoggedOut(text)) => return Err(format!("the second client was logged out: {text}")),
                Err(error) => return Err(error.to_string()),
            }
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    if !reads {
        count.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

fn cut_off(count: &AtomicU64) -> Result<(), String> {
    count.fetch_add(1, Ordering::AcqRel);
    Ok(())
}

/// The runs of one disturbance.
#[derive(Default)]
struct Found {
    without: Vec<[f64; 3]>,
    with: Vec<[f64; 3]>,
    max_us: f64,
    disturbed: u64,
}

impl Found {
    fn note(&mut self, run: Run, is_disturbed: bool) {
        let Run { round, engine_ns, disturbed } = run;
        let us = |part| round.answer.value_at_quantile(part) as f64 / 1e3;
        let figures = [us(0.5), us(0.99), engine_ns];
        if is_disturbed {
            self.with.push(figures);
            self.max_us = self.max_us.max(us(1.0));
            self.disturbed += disturbed;
        } else {
            self.without.push(figures);
        }
    }

    fn row(&self, disturbance: Disturbance, grown_mib: f64) -> DisturbRow {
        let ratio = |which: usize| {
            median(self.with.iter().zip(&self.without).map(|(with, without)| with[which] / without[which]).collect())
        };
        let (p50_ratio, p99_ratio, engine_ratio) = (ratio(0), ratio(1), ratio(2));
        let p99s = || self.without.iter().map(|run| run[1]);
        let p99_spread = p99s().fold(0.0, f64::max) / p99s().fold(f64::INFINITY, f64::min);
        let is_quiet = p99_spread <= MOVES_MAX;
        let moves = if is_quiet { p99_ratio } else { p50_ratio.max(engine_ratio) };
        DisturbRow {
            name: disturbance.name(),
            p50_ratio,
            p99_ratio,
            engine_ratio,
            p99_spread,
            max_us: self.max_us,
            grown_mib,
            disturbed: self.disturbed,
            holds: moves < MOVES_MAX && grown_mib < GROWS_MAX_MIB,
            gated_by: if is_quiet { "p99" } else { "p50 and engine" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(without: [[f64; 3]; 3], with: [[f64; 3]; 3]) -> Found {
        Found { without: without.to_vec(), with: with.to_vec(), max_us: 9.0, disturbed: 3 }
    }

    #[test]
    fn a_quiet_machine_is_judged_by_the_p99_and_another_one_by_the_rest() {
        let quiet = [[10.0, 20.0, 80.0], [10.0, 21.0, 80.0], [10.0, 20.5, 80.0]];
        let row = found(quiet, [[10.0, 21.0, 80.0]; 3]).row(Disturbance::SlowReader, 0.0);
        assert!(row.holds && row.gated_by == "p99" && row.p99_spread == 1.05, "{row:?}");
        let row = found(quiet, [[10.0, 30.0, 80.0]; 3]).row(Disturbance::SlowReader, 0.0);
        assert!(!row.holds, "{row:?}");
        let loud = [[10.0, 20.0, 80.0], [10.0, 90.0, 80.0], [10.0, 40.0, 80.0]];
        let row = found(loud, [[10.5, 95.0, 81.0]; 3]).row(Disturbance::StuckClient, 0.0);
        assert!(row.holds && row.gated_by == "p50 and engine", "{row:?}");
        let row = found(loud, [[10.5, 95.0, 99.0]; 3]).row(Disturbance::StuckClient, 0.0);
        assert!(!row.holds, "the engine needs longer: {row:?}");
    }

    #[test]
    fn memory_that_grows_does_not_hold() {
        let runs = [[10.0, 20.0, 80.0]; 3];
        assert!(found(runs, runs).row(Disturbance::KilledReader, 1.0).holds);
        assert!(!found(runs, runs).row(Disturbance::KilledReader, 500.0).holds);
    }
}
