//! How many commands pass through a whole node: into its door, sequenced, logged, applied, released, and read by another process.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tradewright_transport::{Access, Reader, Region, Start};
use tradewright_types::CommandRecord;

use super::disk::{disk_floor, file_system};
use super::engine_thread::engine_thread_cost;
use super::flow::{Flow, Timed, time};
use super::frames::{Answers, FrameCopier, FrameLap, frame_floor, trade};
use super::lap::Lap;
use super::records::{Ends, Heard, RecordCopier, pump, record_floor};
use super::served::{rings_folder, segments};
use super::setting::{Route, Setting, Venue};
use crate::Workload;

/// What a bench of the pipe does.
#[derive(Clone, Debug)]
pub struct PipeOptions {
    /// The node.
    pub setting: Setting,
    /// How commands reach it.
    pub route: Route,
    /// How long the clock runs.
    pub seconds: f64,
    /// How many operations a lap of the workload has behind its prefill.
    pub operations: usize,
    /// How many commands may be on their way; 0: as many as the route takes.
    pub window: u64,
}

/// What a bench of the pipe found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PipeReport {
    /// How commands reached the node.
    pub transport: &'static str,
    /// What an acknowledgement promised.
    pub tier: String,
    /// How long the clock ran.
    pub seconds: f64,
    /// Commands a second whose events another process read, all of them: for frames, whose report the client read.
    pub commands_per_s: f64,
    /// Events a second that were released.
    pub events_per_s: f64,
    /// Events a second that the client read: for frames, reports.
    pub read_per_s: f64,
    /// The mean length of what carries a command to the node.
    pub request_bytes: f64,
    /// The share of the time that went into risk and matching.
    pub engine_busy_share: f64,
    /// Risk and matching of one command.
    pub engine_ns_per_command: f64,
    /// CPU time of the engine's thread for each command: sequenced, handed to the log, applied, published.
    pub engine_cpu_ns_per_command: f64,
    /// The same with nothing behind it that writes a log.
    pub engine_cpu_ns_without_journal: f64,
    /// The median of five pairs' ratios of the two.
    pub journal_cost_ratio: f64,
    /// Commands a second through the same rings, or sockets, to a server that only copies.
    pub floor_commands_per_s: f64,
    /// What of a floor the node reaches.
    pub floor_share: f64,
    /// Bytes of the log for each record, its part of headers, trailers and padding included.
    pub record_bytes: f64,
    /// Bytes a second that the disk takes in batches as the log's, each synced.
    pub disk_floor_bytes_per_s: f64,
    /// One such batch written and synced, median.
    pub fsync_p50_us: f64,
    /// The mean batch of the log.
    pub batch_bytes: f64,
    /// Bytes a second at which the node made segments ready before the clock started.
    pub prepare_bytes_per_s: f64,
    /// Segments that were ready, and how many of them were used.
    pub prepared_segments: usize,
    /// See `prepared_segments`.
    pub used_segments: usize,
    /// Events that the reader missed. With any, `commands_per_s` is none.
    pub events_skipped: u64,
    /// Commands that were sent, before and behind the timed part too.
    pub sent: u64,
    /// Commands that were answered.
    pub acknowledged: u64,
    /// Commands that were refused: must be none.
    pub refused: u64,
    /// Whole laps whose events came to what they must.
    pub laps_checked: u64,
    /// The most commands on their way.
    pub window: u64,
    /// What threads did that found nothing.
    pub idle: String,
    /// The share of a core that each thread of the node had.
    pub cpu_shares: Vec<(String, f64)>,
    /// What the log lay on.
    pub file_system: String,
}

/// Messages of a ring of records may be so long.
const RECORDS_MAX: u32 = tradewright_node::COMMAND_RECORDS_MAX;
/// The outbox of a session keeps a megabyte: of more than so many commands its client could miss reports.
const FRAMES_WINDOW: u64 = 1_024;

/// Interleaved pairs of the engine's thread with a log and without.
const PAIRS: usize = 5;

/// Measures.
///
/// # Errors
/// The node cannot be started, something is refused, or the events are not those of the workload.
pub fn pipe_bench(options: &PipeOptions, mut progress: impl FnMut(&str)) -> Result<PipeReport, String> {
    let PipeOptions { setting, route, seconds, operations, window } = options;
    let lasts = Duration::from_secs_f64(*seconds);
    let warm_up = lasts.mul_f64(0.1).max(Duration::from_millis(100));
    let accounts = if *route == Route::Records { Workload::Mix60.accounts() } else { 1 };
    progress("making the commands");
    let lap = Lap::new(Workload::Mix60, *operations, accounts)?;
    progress(&format!("starting the node, {} segments of {} MiB", setting.prepared, setting.segment_mib));
    let mut venue = Venue::open(setting, accounts)?;
    let log = venue.node.place().directory.clone();
    let window = match (*window, route) {
        (0, Route::Records) => setting.event_slots / 8,
        (0, Route::ShmFrames | Route::Tcp) => FRAMES_WINDOW,
        (window, _) => window,
    };
    progress(&format!("{seconds} s through {}, {}", route.name(), setting.tier));
    let run = match route {
        Route::Records => run_records(setting, lap, &mut venue, window, warm_up, lasts)?,
        Route::ShmFrames | Route::Tcp => run_frames(setting, *route, lap, &mut venue, window, warm_up, lasts)?,
    };
    let end = venue.node.status()?;
    let prepare_bytes_per_s = venue.prepare_bytes_per_s;
    let used_segments = segments(&log).len();
    venue.node.stop()?;
    let batches = run.timed.stage("journal").1.max(1);
    let record_bytes = log_bytes(&log, setting.segment_mib << 20, end.applied)? / end.applied as f64;
    let applied = run.timed.after.applied.saturating_sub(run.timed.before.applied);
    let batch_bytes = record_bytes * applied as f64 / batches as f64;
    progress("the floors");
    let floor_lasts = lasts.min(Duration::from_secs(3));
    let disk = disk_floor(&setting.directory, batch_bytes as usize, floor_lasts.min(Duration::from_secs(2)))
        .map_err(|error| format!("{}: {error}", setting.directory.display()))?;
    let pairs_operations = (*operations).min(200_000);
    let cost = engine_thread_cost(&setting.directory, &setting.tier, setting.cores, pairs_operations, PAIRS)?;
    let floor_commands_per_s = floor(setting, *route, &run, window, floor_lasts)?;
    let Run { timed, heard, .. } = &run;
    let commands_per_s = if heard.skipped == 0 { timed.commands_per_s() } else { 0.0 };
    let (engine_busy_share, applied_timed) = timed.stage("apply");
    let released = timed.after.events_released.saturating_sub(timed.before.events_released);
    Ok(PipeReport {
        transport: route.name(),
        tier: setting.tier.clone(),
        seconds: timed.elapsed_s,
        commands_per_s,
        events_per_s: released as f64 / timed.elapsed_s,
        read_per_s: timed.events as f64 / timed.elapsed_s,
        request_bytes: match &run.commands {
            Commands::Records(_) => size_of::<CommandRecord>() as f64,
            Commands::Frames(lap, _) => lap.frame_bytes(),
        },
        engine_busy_share,
        engine_ns_per_command: engine_busy_share * timed.elapsed_s * 1e9 / applied_timed.max(1) as f64,
        engine_cpu_ns_per_command: cost.with_journal_ns,
        engine_cpu_ns_without_journal: cost.without_journal_ns,
        journal_cost_ratio: cost.ratio,
        floor_commands_per_s,
        floor_share: commands_per_s / floor_commands_per_s,
        record_bytes,
        disk_floor_bytes_per_s: disk.bytes_per_s,
        fsync_p50_us: disk.write_and_sync_p50_us,
        batch_bytes,
        prepare_bytes_per_s,
        prepared_segments: setting.prepared,
        used_segments,
        events_skipped: heard.skipped,
        sent: heard.sent,
        acknowledged: heard.commands,
        refused: heard.refused,
        laps_checked: heard.laps,
        window,
        idle: setting.idle.clone(),
        cpu_shares: timed.cpu_shares.clone(),
        file_system: file_system(&setting.directory),
    })
}

/// A run through the node.
struct Run {
    timed: Timed,
    heard: Heard,
    commands: Commands,
}

/// What was sent, for the floor to send it again.
enum Commands {
    Records(Lap),
    Frames(FrameLap, Answers),
}

fn run_records(
    setting: &Setting,
    lap: Lap,
    venue: &mut Venue,
    window: u64,
    warm_up: Duration,
    lasts: Duration,
) -> Result<Run, String> {
    let (mut client, ack) = venue.log_on(Route::Records)?;
    let events = Region::open(&venue.node.place().events, Access::ReadOnly).map_err(|error| error.to_string())?;
    // Nothing comes before the first command: what was told so far was read at the latest by the logon.
    let reader = Reader::attach(&events, Start::Latest).map_err(|error| error.to_string())?;
    let drive = setting.drive(setting.cores.client, window)?;
    let flow = Flow::default();
    let ring = client.record_ring().ok_or("Invariant: the link is one of shared memory")?;
    let node = &mut venue.node;
    let pumped = pump(&flow, &lap, Ends { session: ack.session.get(), ring, reader }, &drive, true, || {
        time(&flow, Some(node), warm_up, lasts)
    });
    let (timed, heard) = match pumped {
        Ok(found) => found,
        // The node may have said why.
        Err(error) => {
            let told = client.receive(|_| {}).err();
            return Err(told.map_or(error, |told| told.to_string()));
        }
    };
    Ok(Run { timed, heard, commands: Commands::Records(lap) })
}

fn run_frames(
    setting: &Setting,
    route: Route,
    lap: Lap,
    venue: &mut Venue,
    window: u64,
    warm_up: Duration,
    lasts: Duration,
) -> Result<Run, String> {
    let lap = FrameLap::new(lap);
    let (mut client, _) = venue.log_on(route)?;
    let drive = setting.drive(setting.cores.client, window)?;
    let flow = Flow::default();
    let node = &mut venue.node;
    let (timed, answers) = std::thread::scope(|scope| {
        let trading = scope.spawn(|| trade(&flow, &mut client, &lap, &drive));
        let timed = time(&flow, Some(node), warm_up, lasts);
        flow.stop();
        let answers = trading.join().unwrap_or_else(|_| Err("the client ended by a bug".to_owned()))?;
        Ok::<_, String>((timed?, answers))
    })?;
    Ok(Run { timed, heard: answers.heard, commands: Commands::Frames(lap, answers) })
}

/// The same commands through the same rings or sockets, to a server that only copies.
fn floor(setting: &Setting, route: Route, run: &Run, window: u64, lasts: Duration) -> Result<f64, String> {
    let folder = rings_folder(&setting.directory);
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (server, client) = (setting.drive(setting.cores.engine, window)?, setting.drive(setting.cores.client, window)?);
    let measured = match &run.commands {
        Commands::Records(lap) => {
            let ratio = run.heard.events as f64 / run.heard.commands.max(1) as f64;
            RecordCopier::new(&folder, setting.link_slots, RECORDS_MAX, setting.event_slots)
                .and_then(|copier| record_floor(&copier, lap, ratio, &server, &client, lasts))
        }
        Commands::Frames(lap, answers) => {
            let copier = match route {
                Route::Tcp => FrameCopier::tcp(),
                Route::Records | Route::ShmFrames => FrameCopier::shm(&folder, setting.link_slots),
            };
            copier.and_then(|copier| frame_floor(&copier, lap, answers, &server, &client, lasts))
        }
    };
    // What is left of the rings harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

/// How many bytes a log takes: its full segments, and the last up to where its batches end.
fn log_bytes(log: &Path, segment_bytes: u64, last_index: u64) -> Result<f64, String> {
    let told = |error: &dyn core::fmt::Display| format!("{}: {error}", log.display());
    let storage = tradewright_journal::FolderStorage::open(log).map_err(|error| told(&error))?;
    let mut reader =
        tradewright_journal::JournalReader::open(storage, last_index.max(1)).map_err(|error| told(&error))?;
    while reader.next_batch().map_err(|error| told(&error))?.is_some() {}
    let (last, offset) = reader.place();
    let full = segments(log).iter().filter(|name| name.as_str() < last).count();
    Ok(full as f64 * segment_bytes as f64 + offset as f64)
}
