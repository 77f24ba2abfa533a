//! What a node tells of itself: one picture, as JSON for the control socket and as text for Prometheus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;
use tradewright_transport::Region;

use crate::doors::DoorCounts;
use crate::feed::{FeedCounts, FeedPlace};
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
    /// The rings within the node, by name.
    pub(crate) rings: Vec<(&'static str, Arc<Region>)>,
    pub(crate) doors: Option<Arc<DoorCounts>>,
    pub(crate) feed: Option<FeedPlace>,
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
    /// How full the rings within the node are.
    pub rings: Vec<RingStatus>,
    /// Who reads the ring of events and shows itself.
    pub readers: Vec<ReaderStatus>,
    /// Who is at the doors. None where no door is open.
    pub sessions: Option<SessionsStatus>,
    /// Market data, where there is any.
    pub feed: Option<FeedStatus>,
}

/// A ring within the node at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct RingStatus {
    /// Whose: `sessions` and `operators` are commands that wait for the sequencer, `log` is records that wait for the disk, `marks`
    /// are rounds that wait for the gate.
    pub ring: &'static str,
    /// How many slots it has.
    pub slots: u64,
    /// How many of them are taken.
    pub waiting: u64,
}

/// A reader of the ring of events at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct ReaderStatus {
    /// What it calls itself.
    pub reader: String,
    /// Its process.
    pub process: u64,
    /// How many events were released that it has not read.
    pub lag: u64,
}

/// Who is at the doors.
#[derive(Clone, Debug, Serialize)]
pub struct SessionsStatus {
    /// Sessions that were ever opened.
    pub opened: u64,
    /// Those of them that have a connection.
    pub connected: u64,
    /// Connections, those that have not logged on yet included. A link of shared memory is always one.
    pub connections: u64,
}

/// Market data at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct FeedStatus {
    /// The number of the channel.
    pub channel: u16,
    /// The sequence of the next message.
    pub next_sequence: u64,
    /// The last command whose events were read.
    pub index: u64,
    /// How often events were overwritten before they were read.
    pub overruns: u64,
    /// How often the channel had to go on behind a gap that nobody can fill.
    pub resets: u64,
    /// Datagrams that the system had no room for.
    pub datagrams_lost: u64,
    /// Clients of the service.
    pub clients: u64,
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
        let Self { shard, epoch, tier, replayed, begun, signals, stages, events, event_slots, rings, doors, feed } =
            self;
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
            rings: rings.iter().map(|(name, region)| RingStatus::of(name, region)).collect(),
            readers: readers_of(events),
            sessions: doors.as_ref().map(|counts| SessionsStatus::of(counts)),
            feed: feed.as_ref().map(|place| FeedStatus::of(place.channel, &place.counts)),
        }
    }

    /// Whether the node takes commands.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_live()
    }

    /// Whether its threads run.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.signals.stop.load(Ordering::Acquire)
    }
}

impl RingStatus {
    fn of(ring: &'static str, region: &Region) -> Self {
        Self { ring, slots: region.shape().slots(), waiting: region.waiting() }
    }
}

/// The readers that are there.
fn readers_of(events: &Region) -> Vec<ReaderStatus> {
    let alive = events.readers().into_iter().filter(|reader| reader.is_alive);
    alive.map(|reader| ReaderStatus { reader: reader.name, process: reader.process, lag: reader.lag }).collect()
}

impl SessionsStatus {
    fn of(counts: &DoorCounts) -> Self {
        let DoorCounts { opened, connected, connections } = counts;
        let [opened, connected, connections] =
            [opened, connected, connections].map(|count| count.load(Ordering::Relaxed));
        Self { opened, connected, connections }
    }
}

impl FeedStatus {
    fn of(channel: u16, counts: &FeedCounts) -> Self {
        let FeedCounts { next_sequence, index, datagrams_lost, overruns, resets, clients } = counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            channel,
            next_sequence: read(next_sequence),
            index: read(index),
            overruns: read(overruns),
            resets: read(resets),
            datagrams_lost: read(datagrams_lost),
            clients: read(clients),
        }
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
        self.add_rings(&mut text);
        self.add_doors(&mut text);
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

    /// Rings and their readers.
    fn add_rings(&self, text: &mut String) {
        let shard = self.shard.to_string();
        let of_rings = |value: fn(&RingStatus) -> u64| {
            self.rings.iter().map(move |ring| (vec![("ring", ring.ring.to_owned())], value(ring))).collect::<Vec<_>>()
        };
        let lags = self.readers.iter().map(|reader| {
            (vec![("reader", reader.reader.clone()), ("process", reader.process.to_string())], reader.lag)
        });
        for (name, help, series) in [
            ("tradewright_ring_slots", "Slots of a ring.", of_rings(|ring| ring.slots)),
            ("tradewright_ring_waiting", "Slots of a ring that are taken.", of_rings(|ring| ring.waiting)),
            ("tradewright_reader_lag", "Events that a reader has not read.", lags.collect()),
        ] {
            *text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
            for (labels, value) in series {
                *text += &format!("{name}{{{}}} {value}\n", labels_of(&shard, &labels));
            }
        }
    }

    /// Sessions and market data.
    fn add_doors(&self, text: &mut String) {
        let mut counts = Vec::new();
        if let Some(SessionsStatus { opened, connected, connections }) = self.sessions {
            counts.extend([
                ("tradewright_sessions_opened", "counter", "Sessions that were ever opened.", opened),
                ("tradewright_sessions_connected", "gauge", "Sessions that have a connection.", connected),
                ("tradewright_connections", "gauge", "Connections for order entry.", connections),
            ]);
        }
        if let Some(FeedStatus { channel: _, next_sequence, index, overruns, resets, datagrams_lost, clients }) =
            self.feed
        {
            counts.extend([
                ("tradewright_feed_next_sequence", "counter", "Sequence of the next message.", next_sequence),
                ("tradewright_feed_index", "counter", "Last command that market data knows.", index),
                ("tradewright_feed_overruns", "counter", "Times that events were overwritten unread.", overruns),
                ("tradewright_feed_resets", "counter", "Times that the channel began anew.", resets),
                ("tradewright_feed_datagrams_lost", "counter", "Datagrams without room.", datagrams_lost),
                ("tradewright_feed_clients", "gauge", "Clients of the service.", clients),
            ]);
        }
        let labels = labels_of(&self.shard.to_string(), &[]);
        for (name, kind, help, value) in counts {
            *text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{{labels}}} {value}\n");
        }
    }
}

/// Labels as Prometheus reads them. A reader calls itself what it likes.
fn labels_of(shard: &str, labels: &[(&str, String)]) -> String {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels = labels.iter().map(|(name, value)| format!(",{name}=\"{}\"", quoted(value)));
    format!("shard=\"{shard}\"{}", labels.collect::<String>())
}

#[cfg(test)]
mod tests {
    use tradewright_transport::{Reader, RegionOptions, Shape, Start, queue};
    use tradewright_types::{CommandRecord, EventRecord, set_up};

    use super::*;

    fn source() -> StatusSource {
        let shape = Shape::broadcast::<EventRecord>(1 << 10);
        StatusSource {
            shard: 3,
            epoch: 1,
            tier: "memory",
            replayed: 0,
            begun: Instant::now(),
            signals: Arc::default(),
            stages: Stages::default(),
            events: Region::in_memory(shape, &RegionOptions::default()).expect("memory"),
            event_slots: 1 << 10,
            rings: Vec::new(),
            doors: None,
            feed: None,
        }
    }

    #[test]
    fn rings_and_readers_are_shown_as_they_are() {
        let mut source = source();
        let (mut commands, mut taken) = queue::<CommandRecord>(1 << 4, 4).expect("memory");
        source.rings.push(("sessions", Arc::clone(commands.region())));
        let mut reader = Reader::<EventRecord>::attach(&source.events, Start::Oldest).expect("a ring");
        reader.register("a\\b\"c").expect("a place");
        assert!(commands.push_whole(&[set_up::advance_time(); 3]).expect("a ring"));
        let fill = |source: &StatusSource| {
            source.read().rings.iter().map(|ring| (ring.slots, ring.waiting)).collect::<Vec<_>>()
        };
        assert_eq!(fill(&source), [(16, 3)]);
        taken.readable().expect("a ring");
        taken.release(2);
        assert_eq!(fill(&source), [(16, 1)]);
        let lines = source.read().to_prometheus();
        for line in [
            "tradewright_ring_slots{shard=\"3\",ring=\"sessions\"} 16".to_owned(),
            "tradewright_ring_waiting{shard=\"3\",ring=\"sessions\"} 1".to_owned(),
            format!(
                "tradewright_reader_lag{{shard=\"3\",reader=\"a\\\\b\\\"c\",process=\"{}\"}} 0",
                std::process::id()
            ),
        ] {
            assert!(lines.lines().any(|found| found == line), "{line} in {lines}");
        }
        assert!(!lines.contains("feed_") && !lines.contains("sessions_"), "{lines}");
        drop(reader);
        assert!(source.read().readers.is_empty(), "one that has gone is not shown");
    }

    #[test]
    fn counts_of_doors_and_feed_are_told() {
        let counts = Arc::new(FeedCounts::default());
        counts.next_sequence.store(7, Ordering::Relaxed);
        counts.resets.store(2, Ordering::Relaxed);
        let place = FeedPlace { channel: 9, ring: "feed.ring".into(), service: None, lines: Vec::new(), counts };
        let doors = DoorCounts::default();
        doors.connected.store(5, Ordering::Relaxed);
        let source = StatusSource { doors: Some(Arc::new(doors)), feed: Some(place), ..source() };
        let lines = source.read().to_prometheus();
        for line in [
            "tradewright_sessions_connected{shard=\"3\"} 5",
            "tradewright_feed_next_sequence{shard=\"3\"} 7",
            "tradewright_feed_resets{shard=\"3\"} 2",
        ] {
            assert!(lines.lines().any(|found| found == line), "{line} in {lines}");
        }
    }
}
