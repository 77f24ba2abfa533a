//! What a node tells of itself: one picture, as JSON for the control socket and as text for Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;
use tradewright_transport::Region;

use crate::sequencer::Signals;
use crate::stages::{StageSummary, Stages};

/// What a status is made of; a handle for threads that answer operators.
#[derive(Clone, Debug)]
pub struct StatusSource {
    pub(crate) shard: u8,
    pub(crate) epoch: u32,
    pub(crate) tier: &'static str,
    pub(crate) replayed: u64,
    pub(crate) begun: Instant,
    pub(crate) signals: Arc<Signals>,
    pub(crate) stages: Stages,
    pub(crate) events: Arc<Region>,
    pub(crate) event_slots: u64,
}

/// A node at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The process.
    pub pid: u32,
    /// The shard.
    pub shard: u8,
    /// The leadership epoch.
    pub epoch: u32,
    /// What an acknowledgement promises.
    pub tier: &'static str,
    /// Seconds since the start.
    pub uptime_s: f64,
    /// Commands that were applied again at the start.
    pub replayed: u64,
    /// The last index that was applied.
    pub applied: u64,
    /// The last index that is durable.
    pub durable: u64,
    /// The last index in the tree over the log.
    pub hashed: u64,
    /// The part of the sequencer's rounds that found work.
    pub engine_busy_share: f64,
    /// The position behind the last event that was written.
    pub events_written: u64,
    /// The position behind the last event that may be read.
    pub events_released: u64,
    /// How many events the ring keeps.
    pub event_slots: u64,
    /// Whether commands are taken.
    pub is_ready: bool,
    /// The stages by name.
    pub stages: Vec<StageStatus>,
}

/// A stage at a moment.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StageStatus {
    pub stage: &'static str,
    pub count: u64,
    pub sum_ns: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
}

impl StatusSource {
    /// The node as it is now.
    #[must_use]
    pub fn read(&self) -> Status {
        let Self { shard, epoch, tier, replayed, begun, signals, stages, events, event_slots } = self;
        let (busy, all) = (signals.busy_rounds.load(Ordering::Relaxed), signals.rounds.load(Ordering::Relaxed));
        let (events_written, events_released) = events.ends();
        Status {
            pid: std::process::id(),
            shard: *shard,
            epoch: *epoch,
            tier,
            uptime_s: begun.elapsed().as_secs_f64(),
            replayed: *replayed,
            applied: signals.applied.load(Ordering::Acquire),
            durable: signals.durable.load(Ordering::Acquire),
            hashed: signals.hashed.load(Ordering::Acquire),
            engine_busy_share: busy as f64 / all.max(1) as f64,
            events_written,
            events_released,
            event_slots: *event_slots,
            is_ready: self.is_ready(),
            stages: stages
                .named()
                .map(|(stage, histogram)| {
                    let StageSummary { count, sum_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns } = histogram.read();
                    StageStatus { stage, count, sum_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns }
                })
                .to_vec(),
        }
    }

    /// Whether the node takes commands.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.signals.is_begun.load(Ordering::Acquire) && self.is_live()
    }

    /// Whether its threads run.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.signals.stop.load(Ordering::Acquire)
    }
}

impl Status {
    /// The text that Prometheus reads, version 0.0.4 of its format.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let shard = self.shard;
        let mut text = String::new();
        let mut add = |name: &str, kind: &str, help: &str, value: f64| {
            text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{shard=\"{shard}\"}} {value}\n");
        };
        add("tradewright_commands_applied", "counter", "Last index that was applied.", self.applied as f64);
        add("tradewright_commands_durable", "counter", "Last index that is durable.", self.durable as f64);
        add("tradewright_commands_hashed", "counter", "Last index in the tree.", self.hashed as f64);
        add("tradewright_events_written", "counter", "Events written to the ring.", self.events_written as f64);
        add("tradewright_events_released", "counter", "Events that may be read.", self.events_released as f64);
        add("tradewright_engine_busy_ratio", "gauge", "Part of the rounds with work.", self.engine_busy_share);
        add("tradewright_epoch", "gauge", "Leadership epoch.", f64::from(self.epoch));
        add("tradewright_ready", "gauge", "1 when commands are taken.", f64::from(u8::from(self.is_ready)));
        add("tradewright_uptime_seconds", "gauge", "Seconds since the start.", self.uptime_s);
        text += "# HELP tradewright_stage_seconds Time that a stage takes.\n# TYPE tradewright_stage_seconds summary\n";
        for stage in &self.stages {
            let name = stage.stage;
            for (quantile, value) in
                [("0.5", stage.p50_ns), ("0.9", stage.p90_ns), ("0.99", stage.p99_ns), ("0.999", stage.p999_ns)]
            {
                let seconds = value as f64 / 1e9;
                text += &format!(
                    "tradewright_stage_seconds{{shard=\"{shard}\",stage=\"{name}\",quantile=\"{quantile}\"}} {seconds:e}\n"
                );
            }
            let sum = stage.sum_ns as f64 / 1e9;
            text += &format!("tradewright_stage_seconds_sum{{shard=\"{shard}\",stage=\"{name}\"}} {sum}\n");
            text += &format!("tradewright_stage_seconds_count{{shard=\"{shard}\",stage=\"{name}\"}} {}\n", stage.count);
        }
        text
    }
}
