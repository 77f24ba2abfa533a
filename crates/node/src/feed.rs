//! The feed: released events become messages of the channel, in a ring of shared memory and on the lines A and B.
//!
//! The sequence of a message is a function of the log: how many messages the events before it make. [`Sequences`] keeps where it
//! stood, so that a start does not have to count from the first command; what lies between is applied again ([`Past`]). The same
//! way the feed finds back when events were overwritten before it read them: it never ends the node, and holds nobody up.

mod beside;
mod door;
mod past;
mod sequences;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tradewright_engine::{Engine, EngineConfig};
use tradewright_gateway::feed::FeedSlot;
use tradewright_journal::FolderStorage;
use tradewright_protocol::feed::{DatagramKind, FeedBuilder, FeedMessage, FeedRecord, Packer};
use tradewright_transport::multicast::{Line, Sender, SenderOptions};
use tradewright_transport::{Idle, Polled, Reader, Region, RegionOptions, Releaser, Shape, Start, Writer};
use tradewright_types::{EventFlags, EventRecord};

use crate::clock::wall_ns;
use crate::config::FeedConfig;
use crate::error::{NodeError, while_doing};
use crate::sequencer::Signals;
pub(crate) use beside::{Guest, hand_over};
use door::Door;
use past::Past;
use sequences::{Mark, Sequences};

/// The ring of market data in the folder of rings.
pub const FEED_RING: &str = "feed.ring";
/// How many events one round takes.
const EVENTS_A_ROUND: usize = 1_024;
/// So often sockets and clocks are looked at.
const LOOK_EVERY: Duration = Duration::from_micros(250);
/// So often the lines are told which message comes next.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// How long it rests when the log has nothing new, and the ring of events does not go back far enough.
const REST: Duration = Duration::from_micros(200);
/// So often is noted where the channel stands.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// What is told of a feed to operators.
#[derive(Debug, Default)]
pub struct FeedCounts {
    /// The sequence of the next message.
    pub next_sequence: AtomicU64,
    /// The last command whose events were read.
    pub index: AtomicU64,
    /// Datagrams that the system had no room for.
    pub datagrams_lost: AtomicU64,
    /// How often events were overwritten before they were read.
    pub overruns: AtomicU64,
    /// How often the channel had to go on behind a gap that nobody can fill.
    pub resets: AtomicU64,
    /// Clients of the service.
    pub clients: AtomicU64,
}

/// Where market data can be found.
#[derive(Clone, Debug, Serialize)]
pub struct FeedPlace {
    /// The number of the channel.
    pub channel: u16,
    /// The ring.
    pub ring: PathBuf,
    /// The address of the service that gives messages again, and snapshots.
    pub service: Option<SocketAddr>,
    /// Line A and line B: group, port, and the interface they leave by.
    pub lines: Vec<String>,
    /// How it does.
    #[serde(skip)]
    pub counts: Arc<FeedCounts>,
}

fn named(line: &Line) -> String {
    format!("{}:{}@{}", line.group, line.port, line.interface)
}

/// What a feed needs of its node.
pub(crate) struct Surroundings<'n> {
    /// The state that the node begins with: every command in it is durable.
    pub(crate) engine: &'n Engine,
    pub(crate) engine_config: EngineConfig,
    pub(crate) storage: FolderStorage,
    pub(crate) directory: &'n Path,
    pub(crate) rings: &'n Path,
    pub(crate) ring_options: RegionOptions,
    pub(crate) events: &'n Arc<Region>,
}

/// See the module.
pub(crate) struct Feed {
    channel: u16,
    builder: Option<FeedBuilder>,
    /// The last event that the builder read.
    read: (u64, u32),
    /// The last command whose last event it read, and its time.
    whole: (u64, u64),
    /// The last command before the node took new ones: what it told is told to nobody but the ring.
    begun: u64,
    reader: Reader<EventRecord>,
    events: Vec<EventRecord>,
    outlet: Outlet,
    lines: Option<Lines>,
    door: Option<Door>,
    past: Option<Past>,
    sequences: Sequences,
    noted: Instant,
    looked: Instant,
    storage: FolderStorage,
    config: EngineConfig,
    counts: Arc<FeedCounts>,
}

impl Feed {
    /// Makes ring, sockets and the beginning of the books. Nothing is read yet.
    ///
    /// # Errors
    /// The ring, an interface or an address cannot be had.
    pub(crate) fn open(config: &FeedConfig, around: Surroundings<'_>) -> Result<Self, NodeError> {
        let Surroundings { engine, engine_config, storage, directory, rings, ring_options, events } = around;
        let epoch = engine.config().epoch;
        let capacity = *config.ring_slots.get_ref() as u64;
        let shape = Shape::broadcast::<FeedSlot>(capacity);
        let region = Region::create(rings.join(FEED_RING), shape, &ring_options)?;
        let mut reader = Reader::attach(events, Start::Oldest)?;
        reader.register("feed")?;
        let counts = Arc::new(FeedCounts::default());
        let lines = match &config.lines()[..] {
            [] => None,
            lines => Some(Lines::open(lines, config, epoch, &counts)?),
        };
        let door = match &config.listen {
            None => None,
            Some(listen) => Some(Door::open(listen.get_ref(), config.channel, epoch, &region, &counts)?),
        };
        let sequences = Sequences::open(directory)?;
        let begun = engine.sequence();
        let mark = sequences.newest(begun).unwrap_or_else(Mark::first);
        let mut feed = Self {
            channel: config.channel,
            builder: None,
            read: (mark.index, u32::MAX),
            whole: (mark.index, mark.time_ns),
            begun,
            reader,
            events: Vec::with_capacity(EVENTS_A_ROUND),
            outlet: Outlet::open(&region, capacity)?,
            lines,
            door,
            past: None,
            sequences,
            noted: Instant::now(),
            looked: Instant::now(),
            storage,
            config: engine_config,
            counts,
        };
        if mark.index == begun && mark.time_ns == engine.time_ns() || begun == 0 {
            feed.begin(FeedBuilder::of(engine, mark.next_sequence), begun, engine.time_ns());
        } else {
            feed.past = Some(Past::at_start(mark));
        }
        Ok(feed)
    }

    /// Where it can be found.
    pub(crate) fn place(&self) -> FeedPlace {
        FeedPlace {
            channel: self.channel,
            ring: self.outlet.region().path().map(Path::to_owned).unwrap_or_default(),
            service: self.door.as_ref().and_then(Door::address),
            lines: self.lines.iter().flat_map(|lines| &lines.senders).map(|sender| named(&sender.line())).collect(),
            counts: Arc::clone(&self.counts),
        }
    }

    /// The builder stands behind a command now.
    fn begin(&mut self, builder: FeedBuilder, index: u64, time_ns: u64) {
        self.outlet.begin(builder.next_sequence());
        self.builder = Some(builder);
        (self.read, self.whole) = ((index, u32::MAX), (index, time_ns));
    }

    /// Does one round of work, and returns how much there was. Never waits.
    ///
    /// # Errors
    /// The log cannot be read, and so the books not be had: nothing more comes from this feed.
    pub(crate) fn poll(&mut self) -> Result<usize, NodeError> {
        let done = if self.past.is_some() { self.poll_past()? } else { self.poll_events() };
        let now = Instant::now();
        if now - self.looked < LOOK_EVERY {
            return Ok(done);
        }
        self.looked = now;
        Ok(done + self.look(now))
    }

    /// What takes calls to the system, and is in less of a hurry than messages.
    fn look(&mut self, now: Instant) -> usize {
        if self.past.is_none() {
            if let Some(lines) = &mut self.lines {
                lines.beat(self.outlet.next_sequence(), now);
            }
            if now - self.noted >= NOTE_EVERY {
                self.noted = now;
                self.note();
            }
        }
        let (Some(door), Some(builder)) = (&mut self.door, &self.builder) else { return 0 };
        door.poll(builder, &self.outlet, now)
    }

    fn poll_events(&mut self) -> usize {
        let mut events = core::mem::take(&mut self.events);
        events.clear();
        let polled = self.reader.poll_into(&mut events, EVENTS_A_ROUND);
        let done = match polled {
            Polled::Empty => 0,
            Polled::Count(count) => {
                self.tell(&events);
                count
            }
            Polled::Behind { .. } => {
                self.counts.overruns.fetch_add(1, Ordering::Relaxed);
                self.past = Some(Past::behind(self.whole.0));
                1
            }
        };
        self.events = events;
        done
    }

    /// Makes messages of events, those left out that were read before.
    fn tell(&mut self, events: &[EventRecord]) {
        let Self { builder: Some(builder), outlet, lines, read, whole, begun, .. } = self else { return };
        let now_ns = wall_ns();
        let mut is_told = false;
        for event in events {
            if (event.sequence, event.k) <= *read {
                continue;
            }
            *read = (event.sequence, event.k);
            builder.read(event, &mut |sequence, message| {
                outlet.push(sequence, now_ns, &message);
                if event.sequence > *begun
                    && let Some(lines) = lines
                {
                    lines.push(sequence, &message);
                    is_told = true;
                }
            });
            if EventFlags(event.flags).has(EventFlags::LAST) {
                *whole = (event.sequence, event.time_ns);
            }
        }
        // Readers of the ring first: the lines cost calls to the system.
        outlet.release();
        if let Some(lines) = lines
            && is_told
        {
            lines.send(now_ns);
        }
        self.counts.next_sequence.store(outlet.next_sequence(), Ordering::Relaxed);
        self.counts.index.store(whole.0, Ordering::Relaxed);
    }

    /// Applies what is missing again, until the ring of events has what follows.
    fn poll_past(&mut self) -> Result<usize, NodeError> {
        let Some(mut past) = self.past.take() else { return Ok(0) };
        let found = past.poll(&self.storage, self.config);
        if let Err(error) = &found
            && !past.is_reset()
        {
            // What was noted is not of this log: count from its first command. Or the log does not go back far enough, or is
            // damaged there: the newest snapshot is as good as any beginning.
            let counts_anew = self.builder.is_none() && past.mark().index > 0;
            let from = if counts_anew { "counts from the first command" } else { "begins anew" };
            eprintln!("feed: cannot go on behind command {}: {error}; it {from}", past.mark().index);
            past = if counts_anew { Past::at_start(Mark::first()) } else { Past::reset() };
            self.past = Some(past);
            return Ok(1);
        }
        let done = found?;
        let is_reset = past.is_reset();
        let first = match &self.builder {
            // A gap that is larger than everything that is kept: every client takes a snapshot.
            Some(builder) => builder.next_sequence() + self.outlet.capacity() + 1,
            None => past.mark().next_sequence,
        };
        if let Some(engine) = past.arrived() {
            let (builder, index, time_ns) = (FeedBuilder::of(engine, first), engine.sequence(), engine.time_ns());
            self.begin(builder, index, time_ns);
            self.counts.resets.fetch_add(u64::from(is_reset), Ordering::Relaxed);
        }
        self.tell(past.events());
        if !self.joins(past.index())? {
            self.past = Some(past);
        }
        Ok(done)
    }

    /// Whether the ring of events has everything behind a command; the reader goes on there then.
    fn joins(&mut self, index: u64) -> Result<bool, NodeError> {
        let mut probe: Reader<EventRecord> = Reader::attach(self.reader.region(), Start::Oldest)?;
        let position = probe.position();
        let mut first = [EventRecord::default()];
        let joins = match probe.poll(&mut first) {
            Polled::Behind { .. } => false,
            // The ring begins with the first event behind the start of the node.
            Polled::Count(_) | Polled::Empty if position == 0 => index >= self.begun,
            Polled::Count(_) => first[0].sequence <= index || (first[0].sequence, first[0].k) == (index + 1, 0),
            Polled::Empty => false,
        };
        if joins {
            self.reader.seek(position);
        }
        Ok(joins)
    }

    /// Tells the operator and whoever reads the ring that nothing more comes.
    fn broke(&self, error: &NodeError) {
        eprintln!("feed: ended: {error}");
        self.outlet.region().close();
    }

    /// Notes where the channel stands.
    fn note(&mut self) {
        let Some(builder) = &self.builder else { return };
        // In the middle of a command the count belongs to no index.
        if self.read.0 == self.whole.0 {
            let (index, time_ns) = self.whole;
            self.sequences.note(Mark { index, time_ns, next_sequence: builder.next_sequence() });
        }
    }
}

/// Runs a feed until the log is closed and everything in it was told. What breaks it is told to the operator; the node goes on.
pub(crate) fn run(mut feed: Feed, mut idle: Idle, signals: &Signals) {
    loop {
        let is_over = signals.is_log_closed.load(Ordering::Acquire);
        match feed.poll() {
            Ok(0) if is_over => break,
            Ok(_) if is_over && feed.past.is_some() => break,
            Ok(0) if feed.past.is_some() => std::thread::sleep(REST),
            Ok(0) => feed.reader.pause(&mut idle),
            Ok(_) => idle.worked(),
            Err(error) => return feed.broke(&error),
        }
    }
    if feed.past.is_none() {
        feed.note();
    }
    feed.outlet.region().close();
}

/// The ring that readers attach to. Its slots follow each other without a gap in their sequences, since [`Outlet::begin`].
pub(crate) struct Outlet {
    writer: Writer<FeedSlot>,
    releaser: Releaser,
    batch: Vec<FeedSlot>,
    capacity: u64,
    /// Position and sequence of the first message since the channel began, or began anew.
    first: (u64, u64),
}

impl Outlet {
    fn open(region: &Arc<Region>, capacity: u64) -> Result<Self, NodeError> {
        let (writer, releaser) = (Writer::attach(region)?, Releaser::attach(region)?);
        Ok(Self { writer, releaser, batch: Vec::with_capacity(EVENTS_A_ROUND), capacity, first: (0, 1) })
    }

    fn region(&self) -> &Arc<Region> {
        self.writer.region()
    }

    fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The next message has this sequence.
    fn begin(&mut self, sequence: u64) {
        self.release();
        self.first = (self.writer.written(), sequence);
    }

    fn push(&mut self, sequence: u64, now_ns: u64, message: &FeedMessage) {
        self.batch.push(FeedSlot(FeedRecord::new(sequence, now_ns, message)));
    }

    fn release(&mut self) {
        if !self.batch.is_empty() {
            self.writer.write(&self.batch);
            self.batch.clear();
            self.releaser.release(self.writer.written());
        }
    }

    /// The sequence of the next message.
    fn next_sequence(&self) -> u64 {
        self.first.1 + (self.writer.written() - self.first.0)
    }

    /// The sequence of the oldest message that is there.
    fn oldest_sequence(&self) -> u64 {
        let oldest = self.writer.written().saturating_sub(self.capacity()).max(self.first.0);
        self.first.1 + (oldest - self.first.0)
    }

    /// Where a message that is there lies.
    fn position(&self, sequence: u64) -> u64 {
        self.first.0 + (sequence - self.first.1)
    }
}

/// The lines A and B: the same datagrams on both.
struct Lines {
    senders: Vec<Sender>,
    packer: Packer,
    beaten: Instant,
    counts: Arc<FeedCounts>,
    /// Messages of the present round.
    batch: Vec<FeedMessage>,
}

impl Lines {
    fn open(lines: &[Line], config: &FeedConfig, epoch: u32, counts: &Arc<FeedCounts>) -> Result<Self, NodeError> {
        let options = SenderOptions { ttl: config.ttl, is_looped: true };
        let open = |line: &Line| {
            let doing = || format!("sending to {}:{} from {}", line.group, line.port, line.interface);
            Sender::open(*line, &options).map_err(while_doing(doing()))
        };
        Ok(Self {
            senders: lines.iter().map(open).collect::<Result<_, _>>()?,
            packer: Packer::new(config.channel, epoch, DatagramKind::Incremental, 1),
            beaten: Instant::now(),
            counts: Arc::clone(counts),
            batch: Vec::new(),
        })
    }

    fn push(&mut self, sequence: u64, message: &FeedMessage) {
        if self.batch.is_empty() {
            self.packer.restart(sequence);
        }
        self.batch.push(*message);
    }

    /// Sends what was pushed.
    fn send(&mut self, now_ns: u64) {
        let Self { senders, packer, batch, counts, .. } = self;
        let mut send = |datagram: &[u8]| send_all(senders, counts, datagram);
        for message in batch.drain(..) {
            packer.push(&message, now_ns, &mut send);
        }
        packer.flush(now_ns, &mut send);
    }

    /// Tells which message comes next, when it is time.
    fn beat(&mut self, next_sequence: u64, now: Instant) {
        if now - self.beaten < HEARTBEAT {
            return;
        }
        self.beaten = now;
        let Self { senders, packer, counts, .. } = self;
        packer.restart(next_sequence);
        packer.heartbeat(wall_ns(), &mut |datagram| send_all(senders, counts, datagram));
    }
}

/// A datagram that the system does not take is lost, as any may be: clients ask for it again.
fn send_all(senders: &[Sender], counts: &FeedCounts, datagram: &[u8]) {
    for sender in senders {
        if !sender.send(datagram).unwrap_or(false) {
            counts.datagrams_lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
