//! The node: the one page where the pipeline is wired.
//!
//! ```text
//!   doors ──► sessions ─┐                      ┌─► log ──► journal ── durable ─┐
//!   operators ──────────┴─► sequencer · engine ┼─► marks ─────────────────────► gate
//!   halt ───────────────────────┘              └─► events ═══ released ═══════════► doors, feed, readers
//! ```
//!
//! The engine's thread sequences, checks, matches and writes events; the journal's thread writes and syncs the log and opens
//! the gate; the background makes segments and snapshots. Nothing is seen before it is durable, and nobody who reads events
//! holds anybody up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{
    FolderStorage, Journal, JournalConfig, Preparer, Tier, TreeHasher, archive_old_segments_until,
};
use tradewright_transport::{
    Bell, Idle, ManyProducer, Placement, Producer, Reader, Region, Releaser, Scheduling, Shape, Start, Writer,
    many_queue, queue,
};
use tradewright_types::{CommandRecord, EventKind, EventRecord, RejectReason};

use crate::accounts;
use crate::checks::{SpanHasher, breathe, run_checker};
use crate::config::{Config, PlacementConfig, Source, TierName};
use crate::control::Control;
use crate::courier::Post;
use crate::doors::{Doors, Ways};
use crate::durability::{Durability, Gatekeeper, Note};
use crate::error::{NodeError, while_doing};
use crate::feed::{self, Feed, FeedPlace, Guest};
use crate::fence::Fence;
use crate::front_desk;
use crate::genesis::{self, GenesisCommand, Names};
use crate::monitoring;
use crate::past;
use crate::recovery::{self, Restored};
use crate::sampling::Sampling;
use crate::sequencer::{BATCH_RECORDS, Gate, MARK_WORDS, Outlets, Sequencer, Signals};
use crate::snapshots;
use crate::stages::Stages;
use crate::status::StatusSource;
use crate::traces;

/// No command has more records.
pub const COMMAND_RECORDS_MAX: u32 = 512;
/// How many records wait for the journal at most.
const LOG_SLOTS: u64 = 1 << 16;
/// How many rounds of the sequencer wait for the gate at most.
const MARK_SLOTS: u64 = 1 << 13;
/// The key of the node in its folder.
pub const KEY_FILE: &str = "node.key";
/// The ring of events in the folder of rings.
pub const EVENTS_RING: &str = "events.ring";

/// A running node.
pub struct Node {
    directory: PathBuf,
    rings: PathBuf,
    names: Names,
    signals: Arc<Signals>,
    stages: Stages,
    operators: ManyProducer<CommandRecord>,
    events: Arc<Region>,
    engine: JoinHandle<Result<Engine, NodeError>>,
    journal: JoinHandle<JournalEnd>,
    background: JoinHandle<Result<(), NodeError>>,
    hasher: JoinHandle<Result<(), NodeError>>,
    sessions: Option<JoinHandle<Result<(), NodeError>>>,
    checker: JoinHandle<()>,
    notes: mpsc::Sender<Note>,
    source: StatusSource,
    monitoring: Option<SocketAddr>,
    tcp: Option<SocketAddr>,
    shm: Option<PathBuf>,
    market_data: Option<FeedPlace>,
    helpers: Vec<JoinHandle<()>>,
    post: Post,
}

/// How the journal's thread ended. With an error it still has the log, whose lock has to outlive all other threads.
type JournalEnd = (Result<(), NodeError>, Option<Durability<FolderStorage>>);

/// What a node begins with: its state, and the log that goes on where the state stands.
pub(crate) struct Standing {
    pub(crate) names: Names,
    pub(crate) storage: FolderStorage,
    pub(crate) journal: Journal<FolderStorage>,
    pub(crate) fence: Fence,
    pub(crate) engine: Engine,
    pub(crate) replayed: u64,
}

/// The way in for code of this process, where the configuration opens no door.
pub struct Doorway {
    /// Where whole, checked commands go.
    pub commands: Producer<CommandRecord>,
    /// What to attach a reader of events to.
    pub events: Arc<Region>,
}

impl Node {
    /// Starts a node: recovers its state, and begins to take commands.
    ///
    /// # Errors
    /// The configuration, the log or the system does not allow it.
    pub fn start(source: &Source, config: &Config) -> Result<(Self, Option<Doorway>), NodeError> {
        // 1. What an empty log begins with.
        let (genesis, names) = read_genesis(source, config)?;

        // 2. The state, from the newest snapshot and the log behind it.
        let directory = config.node.directory.clone();
        recovery::make_directory(&directory)?;
        let storage =
            FolderStorage::open(&directory).map_err(while_doing(format!("opening {}", directory.display())))?;
        let (mut journal, restored) =
            recovery::restore(&storage, journal_config(config), engine_config(config), &genesis)?;
        let fence = Fence::open(&directory)?.held(journal.epoch());
        let Restored { mut engine, replayed, .. } = restored;
        recovery::begin(&mut journal, &mut engine, &genesis)?;
        Self::wire(config, Standing { names, storage, journal, fence, engine, replayed })
    }

    /// Wires a node that goes on from a state.
    pub(crate) fn wire(config: &Config, standing: Standing) -> Result<(Self, Option<Doorway>), NodeError> {
        let Standing { names, storage, journal, fence, engine, replayed } = standing;
        let directory = config.node.directory.clone();
        let preparer = journal.preparer();
        snapshots::remove_ahead(&directory)?;

        // 3. The rings.
        let rings = rings_folder(config, &directory)?;
        let shape = Shape::broadcast::<EventRecord>(*config.node.event_slots.get_ref() as u64);
        let events =
            Region::create(rings.join(EVENTS_RING), shape, &config.placement.engine.placement().region_options())?;
        let command_slots = *config.node.command_slots.get_ref() as u64;
        let bell = Bell::in_memory()?;
        let (sessions_in, sessions_out) = queue(command_slots, COMMAND_RECORDS_MAX)?;
        let (operators_in, operators_out) = many_queue(command_slots, COMMAND_RECORDS_MAX)?;
        let (sessions_in, operators_in) = (sessions_in.ringing(&bell), operators_in.ringing(&bell));
        let (log_in, log_out) = queue(LOG_SLOTS, COMMAND_RECORDS_MAX + BATCH_RECORDS as u32)?;
        let mut inner_rings = vec![
            ("sessions", Arc::clone(sessions_in.region())),
            ("operators", Arc::clone(operators_in.region())),
            ("log", Arc::clone(log_out.region())),
        ];
        let (notes, notes_out) = mpsc::channel();

        // 4. The stages.
        let (signals, stages) = (Arc::new(Signals::default()), Stages::default());
        let mut alarm = Alarm(Some(Arc::clone(&signals)));
        let begun = engine.sequence();
        let (news, news_out) = mpsc::channel();
        let (front_desk, questions) = front_desk::open();
        let (account_asker, name_asker, accounts) = accounts::open(&signals);
        let (asker, replays) = past::open(storage.clone(), engine.config(), Arc::clone(&signals));
        let (tracing, trace_writer) = traces::configured(&config.monitoring, &directory, *config.node.shard.get_ref())?;
        let ways = Ways { news: news_out, replays: asker, questions, accounts: account_asker };
        let (doors, doorway) = if Doors::is_any(&config.session) {
            (
                Some(
                    Doors::open(&config.session, &engine, &events, sessions_in, ways)?
                        .watching(Arc::clone(&signals))
                        .sampled(Sampling::new(stages.clone(), tracing)),
                ),
                None,
            )
        } else {
            (None, Some(Doorway { commands: sessions_in, events: Arc::clone(&events) }))
        };
        let tcp = doors.as_ref().and_then(Doors::tcp_address);
        let door_counts = doors.as_ref().map(|doors| Arc::clone(doors.counts()));
        let feed = match &config.feed {
            None => None,
            Some(settings) => {
                let around = feed::Surroundings {
                    engine: &engine,
                    engine_config: engine_config(config),
                    storage: storage.clone(),
                    directory: &directory,
                    rings: &rings,
                    ring_options: config
                        .placement
                        .feed
                        .as_ref()
                        .unwrap_or(&config.placement.engine)
                        .placement()
                        .region_options(),
                    events: &events,
                };
                Some(Feed::open(settings, around)?)
            }
        };
        let market_data = feed.as_ref().map(Feed::place);
        let engine_settings = engine.config();
        let post = Post {
            engine: engine_settings,
            begun,
            transit: engine.ledger().transit().clone(),
            names: name_asker,
            events: Arc::clone(&events),
            operators: operators_in.clone(),
            storage: storage.clone(),
            signals: Arc::clone(&signals),
        };
        let releaser = Releaser::attach(&events)?;
        let (gate, gatekeeper) = match config.journal.tier {
            TierName::Memory => (Gate::Open(releaser, fence.clone()), None),
            TierName::LocalSync => {
                let (marks, marks_out) = queue(MARK_SLOTS, MARK_WORDS as u32)?;
                inner_rings.push(("marks", Arc::clone(marks.region())));
                (Gate::Durable(marks), Some(Gatekeeper { marks: marks_out, releaser }))
            }
        };
        let sequencer = Sequencer::new(
            engine,
            operators_out,
            sessions_out,
            Outlets { log: log_in, events: Writer::attach(&events)?, gate, news, accounts },
            bell.clone(),
            Arc::clone(&signals),
            stages.clone(),
        );
        let durability = Durability::new(journal, log_out, gatekeeper, notes_out, Arc::clone(&signals), stages.clone())
            .fenced(fence);
        let mut event_reader = Reader::attach(&events, Start::Oldest)?;
        event_reader.register("checks")?;

        // 5. The threads.
        let PlacementConfig { engine, journal, background, sessions: _, feed: _ } = &config.placement;
        let (engine_place, journal_place, background_place) =
            (engine.placement(), journal.placement(), background.placement());
        let engine_idle = Idle::new(config.placement.engine.wait());
        let journal_idle = Idle::new(config.placement.journal.wait());
        let (for_engine, for_journal, for_background) =
            (Arc::clone(&signals), Arc::clone(&signals), Arc::clone(&signals));
        let (doors_beside, doors_apart) = match &config.placement.sessions {
            None => (doors, None),
            Some(place) => (None, doors.map(|doors| (doors, place))),
        };
        let sessions = match doors_apart {
            Some((doors, place)) => {
                let (idle, signals) = (Idle::new(place.wait()), Arc::clone(&signals));
                Some(spawn("tw-sessions", place.placement(), move || run_sessions(doors, idle, &signals))?)
            }
            None => None,
        };
        let (feed_beside, feed) = match (feed, &config.placement.feed) {
            (None, _) => (None, None),
            (Some(feed), Some(place)) => {
                let (idle, signals) = (Idle::new(place.wait()), Arc::clone(&signals));
                (None, Some(spawn("tw-feed", place.placement(), move || feed::run(feed, idle, &signals))?))
            }
            (Some(feed), None) => {
                let (guest, host) = feed::hand_over(feed);
                let (idle, signals) = (Idle::new(config.placement.engine.wait()), Arc::clone(&signals));
                (Some(guest), Some(spawn("tw-feed", background_place, move || host.run(idle, &signals))?))
            }
        };
        let beside = Beside { doors: doors_beside, feed: feed_beside };
        let (snapshots, begun_snapshots) = mpsc::channel();
        let folder = directory.clone();
        let engine = spawn("tw-engine", engine_place, move || {
            run_engine(sequencer, beside, engine_idle, &for_engine, &folder, &snapshots)
        })?;
        let journal = spawn("tw-journal", journal_place, move || run_journal(durability, journal_idle, &for_journal))?;
        let every =
            Every { commands: config.node.snapshot_commands, time: Duration::from_secs(config.node.snapshot_seconds) };
        let (published, archivable) = mpsc::channel();
        let background = spawn("tw-background", background_place, move || {
            run_background(preparer, &every, &for_background, &begun_snapshots, &published)
        })?;

        // The tree and the checks cost more than the log itself. They stand behind the others, and may lag.
        let patient = match background_place.scheduling {
            Scheduling::Other => Placement { scheduling: Scheduling::Background, ..background_place },
            Scheduling::Fifo { .. } | Scheduling::Background => background_place,
        };
        let (archive, for_archiver) = (storage.clone(), Arc::clone(&signals));
        let archiver = spawn("tw-archiver", patient, move || {
            run_archiver(&archive, engine_settings, &for_archiver, &archivable);
        })?;
        let hasher = TreeHasher::open(storage, node_key(&directory)?)?;
        let (for_hasher, heads) = (Arc::clone(&signals), notes.clone());
        let hasher = spawn("tw-hasher", patient, move || run_hasher(hasher, &for_hasher, &heads))?;
        let (for_checker, found) = (Arc::clone(&signals), notes.clone());
        let checker = spawn("tw-checker", patient, move || {
            run_checker(event_reader, SpanHasher::behind(begun), &for_checker, &found);
        })?;

        let replays = spawn("tw-replay", background_place, move || replays.run())?;

        // 6. What operators see and do.
        let source = StatusSource {
            shard: *config.node.shard.get_ref(),
            epoch: engine_settings.epoch,
            tier: config.journal.tier.name(),
            replayed,
            begun: Instant::now(),
            signals: Arc::clone(&signals),
            stages: stages.clone(),
            events: Arc::clone(&events),
            event_slots: *config.node.event_slots.get_ref() as u64,
            rings: inner_rings,
            doors: door_counts,
            feed: market_data.clone(),
        };
        let control = Control::open(&directory, source.clone(), operators_in.clone(), front_desk)?;
        let mut helpers = vec![control.run()?, archiver, replays];
        if let Some(writer) = trace_writer {
            let signals = Arc::clone(&signals);
            helpers.push(spawn("tw-traces", background_place, move || writer.run(&signals))?);
        }
        helpers.extend(feed);
        let mut monitoring = None;
        if let Some(listen) = &config.monitoring.listen {
            let (address, thread) = monitoring::serve(listen.get_ref(), source.clone())?;
            monitoring = Some(address);
            helpers.push(thread);
        }
        let node = Self {
            directory,
            rings,
            names,
            signals,
            stages,
            operators: operators_in,
            events: Arc::clone(&events),
            engine,
            journal,
            background,
            hasher,
            sessions,
            checker,
            notes,
            source,
            monitoring,
            tcp,
            shm: config.session.shm.as_ref().map(|shm| shm.directory.clone()),
            market_data,
            helpers,
            post,
        };
        alarm.0 = None;
        Ok((node, doorway))
    }

    /// The accounts, instruments and assets of the genesis.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// How the stages do.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// Where the threads meet.
    #[must_use]
    pub fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    /// Where the rings are.
    #[must_use]
    pub fn rings(&self) -> &Path {
        &self.rings
    }

    /// Where the log is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What to attach a reader of events to.
    #[must_use]
    pub fn events(&self) -> &Arc<Region> {
        &self.events
    }

    /// How many commands were applied again at the start.
    #[must_use]
    pub fn replayed(&self) -> u64 {
        self.source.replayed
    }

    /// What operators see of it.
    #[must_use]
    pub fn status(&self) -> &StatusSource {
        &self.source
    }

    /// What a courier between shards needs of it.
    pub(crate) fn post(&self) -> &Post {
        &self.post
    }

    /// Where sessions over TCP are, if anywhere.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// The folder of the rings of sessions over shared memory, if there are any.
    #[must_use]
    pub fn shm(&self) -> Option<&Path> {
        self.shm.as_deref()
    }

    /// Where market data is, if anywhere.
    #[must_use]
    pub fn market_data(&self) -> Option<&FeedPlace> {
        self.market_data.as_ref()
    }

    /// Where `/metrics` is, if anywhere.
    #[must_use]
    pub fn monitoring(&self) -> Option<SocketAddr> {
        self.monitoring
    }

    /// What else goes into the log.
    #[must_use]
    pub fn notes(&self) -> &mpsc::Sender<Note> {
        &self.notes
    }

    /// Hands in a command of an operator, in front of what waits from sessions.
    ///
    /// # Errors
    /// The ring is broken.
    ///
    /// # Panics
    /// When the command is not whole.
    pub fn command(&mut self, records: &[CommandRecord]) -> Result<(), NodeError> {
        assert!(tradewright_journal::whole_command(records, 0) == Ok(records.len()), "a whole command");
        while !self.operators.push_whole(records)? {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Stops matching: the next command of the log is a halt of the venue, whatever waits.
    pub fn halt(&self) {
        self.signals.halt.store(true, Ordering::Release);
    }

    /// Whether every thread runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        ![self.engine.is_finished(), self.journal.is_finished(), self.background.is_finished()].contains(&true)
    }

    /// Stops in order: takes no more, applies what it has, makes it durable, writes a snapshot and closes the log.
    ///
    /// # Errors
    /// Why a thread ended, the first of them.
    pub fn stop(self) -> Result<(), NodeError> {
        self.signals.stop.store(true, Ordering::Release);
        let engine = self.engine.join().map_err(|_| NodeError::Panicked("engine"));
        let journal = self.journal.join().map_err(|_| NodeError::Panicked("journal"));
        let background = self.background.join().map_err(|_| NodeError::Panicked("background"));
        let hasher = self.hasher.join().map_err(|_| NodeError::Panicked("hasher"));
        let sessions =
            self.sessions.map_or(Ok(Ok(())), |thread| thread.join().map_err(|_| NodeError::Panicked("sessions")));
        let checker = self.checker.join().map_err(|_| NodeError::Panicked("checker"));
        for helper in self.helpers {
            helper.join().map_err(|_| NodeError::Panicked("helper"))?;
        }
        // A disk that fails is told first: the others end because of it.
        let (journal, held) = journal?;
        if matches!(journal, Err(NodeError::Overtaken { .. })) {
            // The system gives the lock to the next one when this process is gone. Until then rings and ports are here.
            std::mem::forget(held);
            return journal;
        }
        journal?;
        drop(held);
        let engine = engine??;
        background??;
        hasher??;
        sessions??;
        checker?;
        snapshots::write(&self.directory, &engine)?;
        self.events.close();
        Ok(())
    }
}

/// Applies a genesis to an engine of its own, so that a command that would be refused is told with its line.
fn try_out(genesis: &[GenesisCommand]) -> Result<(), NodeError> {
    let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
    for command in genesis {
        events.clear();
        engine.apply(&command.records, &mut events);
        let refused = events.as_slice().iter().find(|event| event.kind == EventKind::Rejected as u8);
        if let Some(reason) = refused.and_then(|event| RejectReason::from_code(event.reason)) {
            let message = format!("{} is refused: {}", genesis::kind_name(&command.records), reason.name());
            return Err(crate::config::ConfigError { message, ..command.differs.clone() }.into());
        }
    }
    Ok(())
}

/// The commands of the genesis, which must be legal.
pub(crate) fn read_genesis(source: &Source, config: &Config) -> Result<(Vec<GenesisCommand>, Names), NodeError> {
    let (genesis, names) = genesis::read(source, config.genesis.get_ref())?;
    try_out(&genesis)?;
    Ok((genesis, names))
}

pub(crate) fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig {
        shard: *config.node.shard.get_ref(),
        open_orders_expected: config.node.open_orders_expected,
        ..EngineConfig::default()
    }
}

pub(crate) fn journal_config(config: &Config) -> JournalConfig {
    JournalConfig {
        shard: *config.node.shard.get_ref(),
        tier: match config.journal.tier {
            TierName::Memory => Tier::Memory,
            TierName::LocalSync => Tier::LocalSync,
        },
        segment_bytes: config.journal.segment_mib.get_ref() << 20,
        prepared_segments: config.journal.prepared,
        ..JournalConfig::default()
    }
}

/// The folder of the rings: the one that was configured, or one of its own in memory.
fn rings_folder(config: &Config, directory: &Path) -> Result<PathBuf, NodeError> {
    let rings = match &config.node.rings {
        Some(rings) => rings.clone(),
        None if Path::new("/dev/shm").is_dir() => {
            let whole = std::fs::canonicalize(directory).map_err(while_doing("finding the folder of the log"))?;
            let name: String =
                whole.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
            Path::new("/dev/shm").join(format!("tradewright{name}"))
        }
        None => directory.join("rings"),
    };
    std::fs::create_dir_all(&rings).map_err(while_doing(format!("making the folder {}", rings.display())))?;
    Ok(rings)
}

/// Starts a thread where it belongs. What the system refuses is told before anything runs.
fn spawn<T: Send + 'static>(
    name: &str,
    placement: Placement,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, NodeError> {
    let (tell, told) = mpsc::channel();
    let place_and_run = move || {
        let placed = placement.apply();
        let is_placed = placed.is_ok();
        // Who started the thread waits for this.
        let _ = tell.send(placed);
        if !is_placed {
            // Nobody joins it, and what is wrong is told there: it ends without a word.
            std::panic::resume_unwind(Box::new("not placed"));
        }
        run()
    };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(place_and_run)
        .map_err(while_doing(format!("starting {name}")))?;
    match told.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(error)) => Err(NodeError::Placement { thread: name.to_owned(), error }),
        Err(_) => Err(NodeError::Panicked("new")),
    }
}

/// Ends the threads that run when one of the others cannot be started.
struct Alarm(Option<Arc<Signals>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(signals) = &self.0 {
            signals.stop.store(true, Ordering::Release);
        }
    }
}

/// Ends the whole node when a thread ends for any reason.
struct StopAll<'s>(&'s Signals);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Release);
    }
}

/// Tells the journal's thread that the log gets no more.
struct End<'s>(&'s Signals);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

/// What shares the engine's thread.
struct Beside {
    doors: Option<Doors>,
    feed: Option<Guest>,
}

impl Beside {
    /// Whether there is something to do. Sockets ring no bell: whoever looks after them sleeps in short pieces only.
    fn is_ready(&self) -> bool {
        self.doors.as_ref().is_some_and(Doors::is_ready) || self.feed.as_ref().is_some_and(Guest::is_ready)
    }
}

fn run_engine(
    mut sequencer: Sequencer,
    beside: Beside,
    mut idle: Idle,
    signals: &Signals,
    directory: &Path,
    snapshots: &mpsc::Sender<snapshots::Pending>,
) -> Result<Engine, NodeError> {
    let _stop = StopAll(signals);
    let _end = End(signals);
    // It ends before the thread says so: what it has is told to its end elsewhere.
    let mut beside = beside;
    let mut is_stopping = false;
    loop {
        let mut done = sequencer.poll()?;
        if signals.snapshot.load(Ordering::Relaxed) {
            signals.snapshot.store(false, Ordering::Relaxed);
            // Whoever waits for it asks again when this fails.
            let _ = snapshots::begin(directory, sequencer.engine()).map(|pending| snapshots.send(pending));
        }
        if let Some(doors) = &mut beside.doors
            && !is_stopping
        {
            done += doors.poll()?;
        }
        if let Some(feed) = &mut beside.feed {
            done += feed.poll();
        }
        if done > 0 {
            idle.worked();
        } else if (is_stopping && !sequencer.has_unpublished()) || sequencer.is_log_closed() {
            break;
        } else {
            sequencer.pause_unless(&mut idle, || beside.is_ready());
        }
        is_stopping = signals.stop.load(Ordering::Acquire) && !sequencer.is_ready();
    }
    Ok(sequencer.into_engine())
}

fn run_sessions(mut doors: Doors, mut idle: Idle, signals: &Signals) -> Result<(), NodeError> {
    let _stop = StopAll(signals);
    let bell = Bell::in_memory()?;
    while !signals.stop.load(Ordering::Acquire) {
        if doors.poll()? > 0 {
            idle.worked();
        } else {
            idle.pause(&bell, || doors.is_ready());
        }
    }
    Ok(())
}

/// Tells the engine's thread that nobody takes what it has for the log.
struct CloseLog<'s>(&'s Signals);

impl Drop for CloseLog<'_> {
    fn drop(&mut self) {
        self.0.is_log_closed.store(true, Ordering::Release);
    }
}

fn run_journal(mut durability: Durability<FolderStorage>, mut idle: Idle, signals: &Signals) -> JournalEnd {
    let _stop = StopAll(signals);
    let _close = CloseLog(signals);
    loop {
        match durability.poll() {
            Ok(1..) => idle.worked(),
            Ok(0) if signals.ended.load(Ordering::Acquire) => return (durability.seal(), None),
            Ok(0) => durability.pause(&mut idle),
            Err(error) => return (Err(error), Some(durability)),
        }
    }
}

/// Grows the tree over the log and has its head written every so often. It has time: its lag is told, and nobody waits for it.
fn run_hasher(
    mut hasher: TreeHasher<FolderStorage>,
    signals: &Signals,
    notes: &mpsc::Sender<Note>,
) -> Result<(), NodeError> {
    const HEAD_EVERY: Duration = Duration::from_millis(100);
    let _stop = StopAll(signals);
    let mut signed = Instant::now();
    while !signals.stop.load(Ordering::Acquire) {
        let before = signals.hashed.load(Ordering::Relaxed);
        let hashed = hasher.poll(16, breathe)?;
        signals.hashed.store(hashed, Ordering::Release);
        if signed.elapsed() >= HEAD_EVERY {
            signed = Instant::now();
            if let Some(head) = hasher.sign() {
                // The journal's thread may be gone: then the node stops.
                let _ = notes.send(Note::Head(head));
            }
        }
        if hashed == before {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    Ok(())
}

/// The key that signs heads of the tree: made at the first start, readable by its owner alone.
fn node_key(directory: &Path) -> Result<[u8; 32], NodeError> {
    let path = directory.join(KEY_FILE);
    let doing = |what: &str| format!("{what} {}", path.display());
    match std::fs::read(&path) {
        Ok(bytes) => {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(&path).map_err(while_doing(doing("asking about")))?.permissions(),
            );
            let key = <[u8; 32]>::try_from(&bytes[..]).ok().filter(|_| mode & 0o077 == 0);
            key.ok_or_else(|| NodeError::System {
                doing: doing("reading"),
                error: std::io::Error::other("must be 32 bytes that only their owner may read (mode 0600)"),
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(|error| NodeError::System {
                doing: "drawing a key".to_owned(),
                error: std::io::Error::other(error),
            })?;
            let mut options = std::fs::OpenOptions::new();
            std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
            let mut file = options.open(&path).map_err(while_doing(doing("making")))?;
            std::io::Write::write_all(&mut file, &key)
                .and_then(|()| file.sync_all())
                .map_err(while_doing(doing("writing")))?;
            Ok(key)
        }
        Err(error) => Err(while_doing(doing("reading"))(error)),
    }
}

/// When snapshots are made.
struct Every {
    commands: u64,
    time: Duration,
}

/// Makes a segment ready, if one is wanted; returns whether it did. When the disk refuses it, doors are told to let no new order
/// in, and it is tried again in a while: a disk may get room.
fn prepare(preparer: &mut Preparer<FolderStorage>, signals: &Signals, retry_at: &mut Instant) -> bool {
    const RETRY_EVERY: Duration = Duration::from_millis(500);
    let prepared = preparer.prepare();
    let was_short = signals.is_log_short.swap(prepared.is_err(), Ordering::AcqRel);
    if let Err(error) = &prepared {
        *retry_at = Instant::now() + RETRY_EVERY;
        if !was_short {
            eprintln!("the next segment of the log cannot be made ready: {error}; new orders are refused until it can");
        }
    } else if was_short {
        eprintln!("the log has room again");
    }
    prepared.unwrap_or(false)
}

fn run_background(
    mut preparer: Preparer<FolderStorage>,
    every: &Every,
    signals: &Signals,
    snapshots: &mpsc::Receiver<snapshots::Pending>,
    published: &mpsc::Sender<()>,
) -> Result<(), NodeError> {
    let _stop = StopAll(signals);
    let mut last = (signals.applied.load(Ordering::Acquire), Instant::now());
    let (mut pending, mut written): (Option<snapshots::Pending>, Option<snapshots::Pending>) = (None, None);
    let mut retry_at = Instant::now();
    while !signals.stop.load(Ordering::Acquire) {
        let has_made_one = Instant::now() >= retry_at && prepare(&mut preparer, signals, &mut retry_at);
        match pending.as_mut().and_then(snapshots::Pending::outcome) {
            None => {}
            Some(true) => written = pending.take(),
            Some(false) => {
                eprintln!("snapshot failed; the next one is tried when it is due");
                pending = None;
            }
        }
        let durable = signals.durable.load(Ordering::Acquire);
        match written.take_if(|snapshot| snapshot.index <= durable).map(snapshots::Pending::publish) {
            // The archiver may have ended: then the node stops.
            Some(Ok(())) => drop(published.send(())),
            Some(Err(error)) => eprintln!("snapshot failed: {error}; the next one is tried when it is due"),
            None => {}
        }
        pending = pending.or_else(|| snapshots.try_recv().ok());
        let applied = signals.applied.load(Ordering::Acquire);
        let is_due = applied - last.0 >= every.commands || (applied > last.0 && last.1.elapsed() >= every.time);
        if is_due && pending.is_none() && written.is_none() {
            signals.snapshot.store(true, Ordering::Release);
            last = (applied, Instant::now());
        }
        if !has_made_one {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Compresses old segments whenever there is a new snapshot. What fails is tried again behind the next one.
fn run_archiver(storage: &FolderStorage, config: EngineConfig, signals: &Signals, published: &mpsc::Receiver<()>) {
    let is_over = || signals.stop.load(Ordering::Acquire);
    while !is_over() {
        if published.recv_timeout(Duration::from_millis(20)).is_ok()
            && let Err(error) = archive_old_segments_until(storage, config, is_over)
        {
            eprintln!("archiving failed: {error}; it is tried again behind the next snapshot");
        }
    }
}
