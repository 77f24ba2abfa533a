//! How long an order takes: into the node's door at a set rate, until its report is read, beside a server that only copies.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;
use serde::Serialize;
use tradewright_gateway::client::{Client, output_of};
use tradewright_protocol::frame::Frame;
use tradewright_protocol::messages::RawEvent;
use tradewright_transport::{Access, Bell, Idle, Polled, Reader, Region, Start};
use tradewright_types::EventRecord;

use super::disk::{disk_floor, file_system};
use super::flow::{BreakOff, Flow, Stall};
use super::frames::{FrameCopier, FrameLap, sample_event, sample_report};
use super::hlog::{Interval, write_hlog};
use super::lap::Lap;
use super::records::Drive;
use super::served::{PATIENCE, ServedNode, rings_folder, thread_cpu_ns};
use super::setting::{Route, Setting, Venue};
use crate::{RingPair, Workload, quantile};

/// What a bench of the wire does.
#[derive(Clone, Debug)]
pub struct WireOptions {
    /// The node.
    pub setting: Setting,
    /// How orders reach it. With records the client hears events instead of reports.
    pub route: Route,
    /// Orders a second; 0: the next one when one of `window` is answered.
    pub rate: f64,
    /// How long the clock runs, over all rounds.
    pub seconds: f64,
    /// How many pairs of a run through the node and one through the copier.
    pub rounds: u32,
    /// How many operations a lap of the workload has behind its prefill.
    pub operations: usize,
    /// How many orders are on their way without a rate.
    pub window: u64,
    /// Where to write the histograms.
    pub hlog: Option<PathBuf>,
    /// Without copier, and told of every so many seconds: a run for its own sake.
    pub soak_interval_s: Option<f64>,
}

/// What a bench of the wire found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WireReport {
    /// How orders reached the node.
    pub transport: &'static str,
    /// What an acknowledgement promised.
    pub tier: String,
    /// Orders a second that were meant; 0 for a closed loop.
    pub rate: f64,
    /// How long the clock ran.
    pub seconds: f64,
    /// Pairs of runs.
    pub rounds: u32,
    /// Requests that were sent.
    pub sent: u64,
    /// Requests whose answer was read.
    pub acknowledged: u64,
    /// Requests that were refused: must be none.
    pub refused: u64,
    /// Answers a second.
    pub commands_per_s: f64,
    /// From the time at which a request was meant to go to its answer.
    pub p50_us: f64,
    /// See `p50_us`.
    pub p90_us: f64,
    /// See `p50_us`.
    pub p99_us: f64,
    /// See `p50_us`.
    pub p999_us: f64,
    /// See `p50_us`.
    pub max_us: f64,
    /// The same to the server that only copies.
    pub echo_p50_us: f64,
    /// See `echo_p50_us`.
    pub echo_p99_us: f64,
    /// The median of the pairs' ratios of p50, node over copier.
    pub p50_ratio: f64,
    /// One hop of a record over a ring between the same cores.
    pub ring_p50_us: f64,
    /// A batch of the log's mean size, written and synced by a bare program.
    pub fsync_p50_us: f64,
    /// The mean batch of the log.
    pub batch_bytes: f64,
    /// From the time at which a request was meant to go until its first event was read from `feed_source`.
    pub feed_p50_us: f64,
    /// See `feed_p50_us`.
    pub feed_p99_us: f64,
    /// The ring that `feed_p50_us` is read from.
    pub feed_source: &'static str,
    /// What threads did that found nothing.
    pub idle: String,
    /// The share of a core that each thread of the node had.
    pub cpu_shares: Vec<(String, f64)>,
    /// Memory of the node, in MiB: at first, at last, at most.
    pub node_mib: [f64; 3],
    /// What the log lay on.
    pub file_system: String,
    /// Each distribution as points: the part of all that is at most so many microseconds.
    pub curves: Vec<Curve>,
}

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curve {
    /// What of.
    pub name: &'static str,
    /// Quantile and microseconds.
    pub points: Vec<(f64, f64)>,
}

/// When a request is to go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// One after the other at a fixed distance, whatever becomes of those before.
    Open { interval_ns: f64 },
    /// So many are on their way.
    Closed { window: u64 },
}

/// One run.
pub(super) struct Round {
    begun: SystemTime,
    elapsed: Duration,
    pub(super) sent: u64,
    refused: u64,
    pub(super) answer: Histogram<u64>,
    feed: Histogram<u64>,
}

/// Nanoseconds up to a minute, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("Invariant: legal bounds")
}

/// So many requests are handed over between two looks at the answers.
const BURST: u64 = 64;

/// A client in its session.
pub(super) struct Caller<'l> {
    client: Client,
    route: Route,
    session: u32,
    lap: &'l FrameLap,
    frames: Vec<u8>,
    /// Requests over all rounds.
    sent: u64,
    last_index: u64,
    feed: Option<FeedTap>,
    reports: u64,
    report_bytes: u64,
}

/// How much a client hears of a request: what its copier has to say.
#[derive(Clone, Copy, Debug)]
struct Heard {
    reports_per_command: f64,
    report_bytes: usize,
}

impl Heard {
    fn of(caller: &Caller<'_>) -> Self {
        let Caller { sent, reports, report_bytes, .. } = caller;
        Self {
            reports_per_command: *reports as f64 / (*sent).max(1) as f64,
            report_bytes: (*report_bytes / (*reports).max(1)) as usize,
        }
    }
}

/// Follows what the node tells everybody. On the client's thread: with two cores there is none left for it.
struct FeedTap {
    reader: Reader<EventRecord>,
    buffer: Vec<EventRecord>,
    /// Commands whose first event was read.
    commands: u64,
}

impl FeedTap {
    fn open(node: &ServedNode) -> Result<Self, String> {
        let region = Region::open(&node.place().events, Access::ReadOnly).map_err(|error| error.to_string())?;
        let reader = Reader::attach(&region, Start::Latest).map_err(|error| error.to_string())?;
        Ok(Self { reader, buffer: vec![EventRecord::default(); 256], commands: 0 })
    }

    /// Calls `each` with the number of each command whose first event is there.
    #[inline]
    fn poll(&mut self, mut each: impl FnMut(u64)) -> Result<(), String> {
        match self.reader.poll(&mut self.buffer) {
            Polled::Empty => Ok(()),
            Polled::Behind { skipped } => Err(format!("the reader of the feed missed {skipped} events")),
            Polled::Count(count) => {
                for _ in self.buffer[..count].iter().filter(|event| event.k == 0) {
                    each(self.commands);
                    self.commands += 1;
                }
                Ok(())
            }
        }
    }
}

impl<'l> Caller<'l> {
    pub(super) fn new(client: Client, route: Route, session: u32, lap: &'l FrameLap) -> Self {
        let (frames, feed) = (Vec::new(), None);
        Self { client, route, session, lap, frames, sent: 0, last_index: 0, feed, reports: 0, report_bytes: 0 }
    }

    /// Hands over the next requests.
    fn send(&mut self, count: u64) -> Result<u64, String> {
        if self.route == Route::Records {
            let rest = self.lap.lap().rest(self.sent) as u64;
            let ring = self.client.record_ring().ok_or("Invariant: the link is one of shared memory")?;
            let count = count.min(rest) as usize;
            let Some(slots) = ring.claim(count).map_err(|error| error.to_string())? else { return Ok(0) };
            self.lap.lap().write(self.sent, self.session, slots);
            ring.commit(count);
            self.sent += count as u64;
            return Ok(count as u64);
        }
        self.frames.clear();
        let (number, sequence) = (self.client.next_number(), self.client.next_sequence());
        self.lap.write(self.sent, count as usize, number, sequence, &mut self.frames);
        self.client.written(&self.frames, count as u32);
        self.sent += count;
        Ok(count)
    }

    /// Sends at a pace and takes the time of each answer, until `lasts` is over and everything was answered.
    pub(super) fn round(&mut self, pace: Pace, lasts: Duration, drive: &Drive) -> Result<Round, String> {
        let (begun, begin) = (SystemTime::now(), Instant::now());
        let first = self.sent;
        let (mut answer, mut feed, mut refused) = (histogram(), histogram(), 0);
        // Only a closed loop has to keep when each one went.
        let mut went: VecDeque<u64> = VecDeque::new();
        let (mut sent, mut answered) = (0, 0);
        let (mut idle, mut stall) = (Idle::new(drive.wait), Stall::after(PATIENCE));
        let bell = Bell::in_memory().map_err(|error| error.to_string())?;
        let lasts_ns = lasts.as_nanos() as u64;
        let total = match pace {
            Pace::Open { interval_ns } => (lasts_ns as f64 / interval_ns) as u64,
            Pace::Closed { .. } => u64::MAX,
        };
        loop {
            let now_ns = begin.elapsed().as_nanos() as u64;
            let due = match pace {
                Pace::Open { interval_ns } => ((now_ns as f64 / interval_ns) as u64 + 1).min(total),
                Pace::Closed { window } => {
                    if now_ns < lasts_ns {
                        answered + window
                    } else {
                        sent
                    }
                }
            };
            let mut has_worked = false;
            if due > sent {
                let count = self.send((due - sent).min(BURST))?;
                if let Pace::Closed { .. } = pace {
                    went.extend((0..count).map(|_| now_ns));
                }
                sent += count;
                has_worked = count > 0;
            }
            self.client.flush().map_err(|error| error.to_string())?;
            let (last_index, reports, report_bytes) = (&mut self.last_index, &mut self.reports, &mut self.report_bytes);
            let received = self.client.receive(|frame| {
                let Some((index, is_refused)) = index_of(frame) else { return };
                *reports += 1;
                *report_bytes += u64::from(frame.header.frame_length.get());
                refused += u64::from(is_refused);
                if index != *last_index {
                    *last_index = index;
                    let intended_ns = match pace {
                        Pace::Open { interval_ns } => (answered as f64 * interval_ns) as u64,
                        Pace::Closed { .. } => went.pop_front().unwrap_or(0),
                    };
                    answered += 1;
                    answer.saturating_record((begin.elapsed().as_nanos() as u64).saturating_sub(intended_ns));
                }
            });
            has_worked |= received.map_err(|error| error.to_string())? > 0;
            let mut is_told = true;
            if let Some(tap) = &mut self.feed {
                tap.poll(|command| {
                    if let Pace::Open { interval_ns } = pace {
                        let intended_ns = ((command - first) as f64 * interval_ns) as u64;
                        feed.saturating_record((begin.elapsed().as_nanos() as u64).saturating_sub(intended_ns));
                    }
                })?;
                is_told = tap.commands == self.sent;
            }
            let is_sent = if let Pace::Open { .. } = pace { sent == total } else { now_ns >= lasts_ns };
            if has_worked {
                idle.worked();
                stall.moved();
            } else if is_sent && answered == sent && is_told {
                return Ok(Round { begun, elapsed: begin.elapsed(), sent, refused, answer, feed });
            } else if stall.idles() {
                return Err(format!("no answer came for a minute: {answered} of {sent} requests are answered"));
            } else {
                idle.pause(&bell, || false);
            }
        }
    }
}

/// The index of the command that a frame answers, and whether it was refused.
#[inline]
fn index_of(frame: &Frame<'_>) -> Option<(u64, bool)> {
    if let Some(output) = output_of(frame) {
        return Some((output.index.get(), super::frames::is_refusal(frame)));
    }
    let event: EventRecord = zerocopy::transmute!(frame.message::<RawEvent>().ok()?.block.event.0);
    Some((event.sequence, event.kind == tradewright_types::EventKind::Rejected as u8))
}

/// Measures.
///
/// # Errors
/// The node cannot be started, something is refused, or no answer comes.
pub fn wire_bench(options: &WireOptions, mut progress: impl FnMut(&str) + Send) -> Result<WireReport, String> {
    let WireOptions { setting, route, rate, seconds, rounds, .. } = options;
    let (rounds, is_soak) = ((*rounds).max(1), options.soak_interval_s.is_some());
    progress("making the commands");
    let lap = FrameLap::new(Lap::new(Workload::Mix60, options.operations, 1)?);
    progress("starting the node");
    let mut venue = Venue::open(setting, 1)?;
    let mut caller = log_on(&venue, *route, &lap)?;
    let pace = match *rate {
        rate if rate > 0.0 => Pace::Open { interval_ns: 1e9 / rate },
        _ => Pace::Closed { window: options.window.max(1) },
    };
    let drive = setting.drive(setting.cores.client, 0)?;
    let lasts = Duration::from_secs_f64(seconds / f64::from(rounds));
    let copier = Copier::new(setting, *route)?;
    let mut found = Found::default();
    let place = venue.node.place().clone();
    let cpu_before = thread_cpu_ns(place.pid);
    on_client_core(&drive, || {
        // The book is filled before the clock starts.
        caller.round(pace, lasts.mul_f64(0.2).min(Duration::from_secs(1)), &drive)?;
        let before = venue.node.status()?;
        if let Some(interval_s) = options.soak_interval_s {
            let soak = Soak { pace, seconds: *seconds, interval_s, pid: place.pid };
            soak.run(&mut caller, &drive, &mut found, &mut progress)?;
        }
        for number in 1..=if is_soak { 0 } else { rounds } {
            progress(&format!("pair {number} of {rounds}: node"));
            found.note_memory(place.pid);
            found.node.push(caller.round(pace, lasts, &drive)?);
            found.note_memory(place.pid);
            progress(&format!("pair {number} of {rounds}: copier"));
            // A node that waits would take the core from the copier that stands in its place.
            venue.node.halt_process()?;
            let echo = copier.round(&Heard::of(&caller), &lap, pace, lasts, &drive);
            venue.node.continue_process()?;
            found.echo.push(echo?);
        }
        let after = venue.node.status()?;
        found.batches = after.stage("journal").count - before.stage("journal").count;
        Ok(())
    })?;
    let cpu_after = thread_cpu_ns(place.pid);
    drop(caller);
    venue.node.stop()?;
    progress("the floors");
    let report = report(options, found, &cpu_before, cpu_after)?;
    Ok(report)
}

fn log_on<'l>(venue: &Venue, route: Route, lap: &'l FrameLap) -> Result<Caller<'l>, String> {
    let (client, ack) = venue.log_on_as_trader(route)?;
    let feed = Some(FeedTap::open(&venue.node)?);
    Ok(Caller { feed, ..Caller::new(client, route, ack.session.get(), lap) })
}

/// Runs on a thread that is bound to the client's core, so that the caller's is not.
pub(super) fn on_client_core<T: Send>(
    drive: &Drive,
    run: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            drive.placement.apply().map_err(|error| error.to_string())?;
            run()
        });
        thread.join().unwrap_or_else(|_| Err("the client ended by a bug".to_owned()))
    })
}

/// All runs of a bench.
#[derive(Default)]
struct Found {
    node: Vec<Round>,
    echo: Vec<Round>,
    batches: u64,
    memory_mib: Vec<f64>,
}

impl Found {
    fn note_memory(&mut self, pid: u32) {
        self.memory_mib.extend(memory_mib(pid));
    }
}

/// What a process holds of memory that is its own, in MiB.
pub(super) fn memory_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
}

/// A long run through the node alone.
struct Soak {
    pace: Pace,
    seconds: f64,
    interval_s: f64,
    pid: u32,
}

/// More intervals than so many are put together in the report.
const INTERVALS_KEPT: usize = 600;

impl Soak {
    fn run(
        &self,
        caller: &mut Caller<'_>,
        drive: &Drive,
        found: &mut Found,
        progress: &mut impl FnMut(&str),
    ) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            let left_s = self.seconds - begin.elapsed().as_secs_f64();
            if left_s <= 0.0 {
                return Ok(());
            }
            found.note_memory(self.pid);
            let round = caller.round(self.pace, Duration::from_secs_f64(self.interval_s.min(left_s)), drive)?;
            found.note_memory(self.pid);
            let us = |part| round.answer.value_at_quantile(part) as f64 / 1e3;
            progress(&format!(
                "{:.0} s: {} requests answered, p50 {:.1} us, p99 {:.1} us, max {:.1} us, node {:.1} MiB",
                begin.elapsed().as_secs_f64(),
                caller.sent,
                us(0.5),
                us(0.99),
                us(1.0),
                found.memory_mib.last().copied().unwrap_or(0.0)
            ));
            match found.node.get_mut(INTERVALS_KEPT - 1) {
                Some(last) => last.join(&round),
                None => found.node.push(round),
            }
        }
    }
}

impl Round {
    fn join(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        (self.sent, self.refused) = (self.sent + other.sent, self.refused + other.refused);
        self.answer.add(&other.answer).expect("Invariant: the same bounds");
        self.feed.add(&other.feed).expect("Invariant: the same bounds");
    }
}

/// Stands in for the node.
struct Copier<'s> {
    copier: FrameCopier,
    setting: &'s Setting,
    route: Route,
    folder: PathBuf,
}

impl<'s> Copier<'s> {
    fn new(setting: &'s Setting, route: Route) -> Result<Self, String> {
        let folder = rings_folder(&setting.directory);
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let copier = match route {
            Route::Tcp => FrameCopier::tcp(),
            Route::Records | Route::ShmFrames => FrameCopier::shm(&folder, setting.link_slots),
        };
        Ok(Self { copier: copier?, setting, route, folder })
    }

    /// A run as the caller's, of answers as many and as long as it heard.
    fn round(
        &self,
        heard: &Heard,
        lap: &FrameLap,
        pace: Pace,
        lasts: Duration,
        drive: &Drive,
    ) -> Result<Round, String> {
        let flow = Flow::default();
        let server = self.setting.drive(self.setting.cores.engine, 0)?;
        let is_raw = self.route == Route::Records;
        let sample = if is_raw { sample_event() } else { sample_report(heard.report_bytes) };
        let mut echoed = Caller::new(self.copier.client()?, self.route, 1, lap);
        std::thread::scope(|scope| {
            let copying = scope.spawn(|| self.copier.run(&flow, heard.reports_per_command, &sample, is_raw, &server));
            let break_off = BreakOff(Some(&flow));
            let round = echoed.round(pace, lasts, drive)?;
            flow.end(round.sent);
            break_off.disarm();
            copying.join().unwrap_or_else(|_| Err("the copier ended by a bug".to_owned()))?;
            Ok(round)
        })
    }
}

impl Drop for Copier<'_> {
    fn drop(&mut self) {
        // What is left of the rings harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn report(
    options: &WireOptions,
    found: Found,
    cpu_before: &[(String, u64)],
    cpu_after: Vec<(String, u64)>,
) -> Result<WireReport, String> {
    let setting = &options.setting;
    let told = |error: &dyn core::fmt::Display| format!("{}: {error}", setting.directory.display());
    let ratios = found.node.iter().zip(&found.echo).map(|(node, echo)| p50(&node.answer) / p50(&echo.answer));
    let p50_ratio = median(ratios.collect());
    if let Some(file) = &options.hlog {
        let rounds =
            found.node.iter().map(|round| ("order", round)).chain(found.echo.iter().map(|round| ("echo", round)));
        let feeds = found.node.iter().map(|round| ("feed", round));
        let intervals: Vec<Interval<'_>> = rounds
            .map(|(tag, round)| (tag, round, &round.answer))
            .chain(feeds.map(|(tag, round)| (tag, round, &round.feed)))
            .map(|(tag, Round { begun, elapsed, .. }, histogram)| Interval {
                tag,
                begun: *begun,
                elapsed: *elapsed,
                histogram,
            })
            .collect();
        write_hlog(file, &intervals).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let spent_s = |rounds: &[Round]| rounds.iter().map(|round| round.elapsed.as_secs_f64()).sum::<f64>();
    let (seconds, all_s) = (spent_s(&found.node), spent_s(&found.node) + spent_s(&found.echo));
    let join = |rounds: &[Round]| {
        let (mut answer, mut feed) = (histogram(), histogram());
        for round in rounds {
            answer.add(&round.answer).expect("Invariant: the same bounds");
            feed.add(&round.feed).expect("Invariant: the same bounds");
        }
        (answer, feed)
    };
    let ((answer, feed), (echo, _)) = (join(&found.node), join(&found.echo));
    let sent: u64 = found.node.iter().map(|round| round.sent).sum();
    // A record of one command and its header; a batch besides has header, chain and padding.
    let batch_bytes = (sent as f64 / found.batches.max(1) as f64 * 96.0 + 96.0).max(512.0);
    let disk = disk_floor(&setting.directory, batch_bytes as usize, Duration::from_secs_f64(seconds.clamp(0.1, 2.0)))
        .map_err(|error| told(&error))?;
    let us = |histogram: &Histogram<u64>, part: f64| histogram.value_at_quantile(part) as f64 / 1e3;
    let share = |(name, used_ns): (String, u64)| {
        let before_ns = cpu_before.iter().find(|(other, _)| *other == name).map_or(0, |(_, used_ns)| *used_ns);
        (name, used_ns.saturating_sub(before_ns) as f64 / 1e9 / all_s)
    };
    let memory = &found.memory_mib;
    let at_most = memory.iter().copied().fold(0.0, f64::max);
    Ok(WireReport {
        transport: options.route.name(),
        tier: setting.tier.clone(),
        rate: options.rate.max(0.0),
        seconds,
        rounds: found.node.len() as u32,
        sent,
        acknowledged: answer.len(),
        refused: found.node.iter().map(|round| round.refused).sum(),
        commands_per_s: answer.len() as f64 / seconds,
        p50_us: us(&answer, 0.5),
        p90_us: us(&answer, 0.9),
        p99_us: us(&answer, 0.99),
        p999_us: us(&answer, 0.999),
        max_us: us(&answer, 1.0),
        echo_p50_us: us(&echo, 0.5),
        echo_p99_us: us(&echo, 0.99),
        p50_ratio,
        ring_p50_us: ring_hop_us(setting)?,
        fsync_p50_us: disk.write_and_sync_p50_us,
        batch_bytes,
        feed_p50_us: us(&feed, 0.5),
        feed_p99_us: us(&feed, 0.99),
        feed_source: "events.ring",
        idle: setting.idle.clone(),
        cpu_shares: cpu_after.into_iter().map(share).collect(),
        node_mib: [memory.first().copied().unwrap_or(0.0), memory.last().copied().unwrap_or(0.0), at_most],
        file_system: file_system(&setting.directory),
        curves: [("order", &answer), ("echo", &echo), ("feed", &feed)]
            .map(|(name, histogram)| Curve { name, points: curve(histogram) })
            .to_vec(),
    })
}

fn p50(histogram: &Histogram<u64>) -> f64 {
    histogram.value_at_quantile(0.5) as f64
}

/// The middle one; none of nothing is 0.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Points of a distribution, closer to each other where it is rarer.
fn curve(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let steps = histogram.iter_quantiles(5);
    steps.map(|step| (step.quantile_iterated_to(), step.value_iterated_to() as f64 / 1e3)).collect()
}

/// One way of a record between the cores of client and engine.
fn ring_hop_us(setting: &Setting) -> Result<f64, String> {
    let pair = RingPair::in_memory().map_err(|error| error.to_string())?;
    let (here, there) = (setting.drive(setting.cores.client, 0)?, setting.drive(setting.cores.engine, 0)?);
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| {
            there.placement.apply().map_err(|error| error.to_string())?;
            pair.echo(there.wait).map_err(|error| error.to_string())
        });
        let hops = scope.spawn(|| {
            here.placement.apply().map_err(|error| error.to_string())?;
            pair.hops(20_000, here.wait).map_err(|error| error.to_string())
        });
        let broken = |_| Err("an end of the ring ended by a bug".to_owned());
        let hops = hops.join().unwrap_or_else(|error| broken(error).map(|()| Vec::new()))?;
        echo.join().unwrap_or_else(broken)?;
        Ok(quantile(&hops, 0.5) / 1e3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_to_the_longest() {
        let mut values = histogram();
        (1..=10_000).for_each(|value| values.saturating_record(value * 1_000));
        let points = curve(&values);
        assert!(points.is_sorted_by(|one, next| one.0 <= next.0 && one.1 <= next.1));
        assert!(points.iter().any(|(part, us)| (part - 0.5).abs() < 0.02 && (us / 5_000.0 - 1.0).abs() < 0.05));
        assert!(points.last().is_some_and(|(part, us)| *part == 1.0 && *us >= 10_000.0));
        assert_eq!(curve(&histogram()), []);
    }

    #[test]
    fn the_copier_answers_at_the_rate_and_a_late_answer_counts_from_when_it_was_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        let setting = Setting { directory: folder.path().to_owned(), ..Setting::new(Vec::new(), PathBuf::new()) };
        let lap = FrameLap::new(Lap::new(Workload::Mix60, 500, 1).expect("a right engine"));
        let drive = setting.drive(None, 0).expect("a way to wait");
        for route in [Route::Records, Route::ShmFrames, Route::Tcp] {
            let copier = Copier::new(&setting, route).expect("rings");
            let heard = Heard { reports_per_command: 1.7, report_bytes: 300 };
            let (pace, lasts) = (Pace::Open { interval_ns: 100_000.0 }, Duration::from_millis(100));
            let round = copier.round(&heard, &lap, pace, lasts, &drive).expect("a run");
            assert_eq!((round.sent, round.answer.len(), round.refused), (1_000, 1_000, 0), "{}", route.name());
            assert!(round.elapsed >= Duration::from_millis(99));
            // Pauses of this machine are in it: the p50 is not.
            assert!(p50(&round.answer) < 5e7, "{}", p50(&round.answer));
        }
    }
}
