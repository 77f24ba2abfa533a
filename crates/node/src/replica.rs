//! A replica: a process beside the primary that applies what is durable in the same log, compares what comes out, and can take
//! over.
//!
//! It reads the log's files and knows nothing that does not stand there. Until it is promoted it writes nothing but its socket.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{
    Check, FolderStorage, Journal, JournalConfig, JournalError, JournalReader, RecordKind, Storage,
};
use tradewright_types::CommandRecord;

use crate::checks::Comparison;
use crate::config::{Config, Source};
use crate::control::{answer_lines, listen};
use crate::error::{NodeError, while_doing};
use crate::fence::{Fence, holder, kill_holder};
use crate::node::{self, Node, Standing};
use crate::recovery;
use crate::serve::{Signalled, run};

/// The socket of a replica in the node's folder.
pub const REPLICA_SOCKET: &str = "replica.sock";
/// How long it rests when there is nothing new.
const REST: Duration = Duration::from_micros(200);
/// How long a primary is watched twice, to see whether it writes. One that has nothing to do writes every 10 ms.
const WATCH: Duration = Duration::from_millis(100);
/// How long a primary has to let go of the log when another epoch is claimed.
const YIELD: Duration = Duration::from_millis(200);
/// How long the end of a killed process may take.
const END: Duration = Duration::from_secs(5);

/// A state that follows a log.
pub struct Replica {
    storage: FolderStorage,
    directory: PathBuf,
    reader: JournalReader<FolderStorage>,
    engine: Engine,
    comparison: Comparison,
    began_behind: u64,
    commands: Vec<CommandRecord>,
    events: EventBuffer,
}

impl Replica {
    /// Begins with the newest snapshot of a folder that the durable log reaches. `None` when there is no log yet.
    ///
    /// # Errors
    /// The log is damaged or cannot be read.
    pub fn open(directory: &Path, config: EngineConfig) -> Result<Option<Self>, NodeError> {
        let storage =
            FolderStorage::open(directory).map_err(while_doing(format!("opening {}", directory.display())))?;
        let durable = match JournalReader::follow(storage.clone(), u64::MAX) {
            Ok(last) => last.told_durable(),
            Err(JournalError::NotInLog { .. }) => None,
            Err(JournalError::System { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let Some(durable) = durable else { return Ok(None) };
        let engine = recovery::newest(&storage, config, durable)?;
        let began_behind = engine.sequence();
        Ok(Some(Self {
            reader: JournalReader::follow(storage.clone(), began_behind + 1)?,
            storage,
            directory: directory.to_owned(),
            comparison: Comparison::behind(began_behind),
            engine,
            began_behind,
            commands: Vec::new(),
            events: EventBuffer::default(),
        }))
    }

    /// The state as it stands.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many checks of the log agreed with what came out here.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.comparison.agreed()
    }

    /// The last index that the primary told to be durable.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.reader.told_durable().unwrap_or(self.engine.sequence())
    }

    /// Applies the next durable batch, and returns whether there was one.
    ///
    /// # Errors
    /// The log is damaged, or a check in it differs from what came out here.
    pub fn poll(&mut self) -> Result<bool, NodeError> {
        let Self { reader, engine, comparison, commands, events, .. } = self;
        let Some(batch) = reader.next_batch()? else { return Ok(false) };
        commands.clear();
        batch.copy_commands(engine.sequence() + 1, commands);
        engine.apply_all(commands, events);
        comparison.take(events.as_slice(), engine.sequence());
        events.clear();
        for record in batch.records().filter(|record| record.kind == RecordKind::Check) {
            if let Some(check) = Check::read(record.header.index, record.payload()) {
                comparison.compare(check)?;
            }
        }
        Ok(true)
    }

    /// Takes the log over: makes sure that nobody else writes to it any more, applies the rest, and begins an epoch.
    ///
    /// A primary that writes while it is watched is left alone, unless it `is_forced`. One that does not is ended: see
    /// [`crate::Fence`].
    ///
    /// # Errors
    /// [`NodeError::Alive`] and [`NodeError::Unfenced`] when the log cannot be had: the replica may go on. Otherwise the log or
    /// this replica is of no use.
    pub fn take_over(
        &mut self,
        config: JournalConfig,
        is_forced: bool,
    ) -> Result<(Journal<FolderStorage>, Fence), NodeError> {
        let fence = Fence::open(&self.directory)?;
        let mut journal = self.have_log(config, is_forced, &fence)?;
        while self.poll()? {}
        if self.reader.tip() != journal.tip() || self.engine.sequence() != journal.durable_index() {
            return Err(NodeError::Replay(format!(
                "the log ends with command {}, the replica with {}, or they have come to another chain",
                journal.durable_index(),
                self.engine.sequence()
            )));
        }
        let epoch = journal.epoch() + 1;
        let fence = fence.held(epoch);
        begin_epoch(&mut journal, epoch)?;
        self.engine.begin_epoch(epoch);
        Ok((journal, fence))
    }

    /// Opens the log for writing, whoever has it.
    fn have_log(
        &self,
        config: JournalConfig,
        is_forced: bool,
        fence: &Fence,
    ) -> Result<Journal<FolderStorage>, NodeError> {
        let have = |patience| open_within(&self.storage, config, patience);
        if let Some(journal) = have(Duration::ZERO)? {
            return Ok(journal);
        }
        let lock = self.storage.lock_path();
        if !is_forced {
            let before = self.durable();
            if let Some(journal) = have(WATCH)? {
                return Ok(journal);
            }
            let between = self.durable();
            if let Some(journal) = have(WATCH)? {
                return Ok(journal);
            }
            let after = self.durable();
            if after > between {
                return Err(NodeError::Alive { process: holder(&lock), commands: after - before });
            }
        }
        // From now on the primary writes nothing more, if it looks.
        fence.claim(self.reader.tip().epoch + 1);
        if let Some(journal) = have(YIELD)? {
            return Ok(journal);
        }
        let killed = kill_holder(&lock);
        match have(if killed.is_ok() { END } else { YIELD })? {
            Some(journal) => Ok(journal),
            None => {
                let error = std::io::ErrorKind::TimedOut.into();
                killed.and(Err(NodeError::Unfenced { process: holder(&lock), error }))
            }
        }
    }
}

/// Opens a log as soon as nobody has it. `None` when somebody still has it in the end.
fn open_within(
    storage: &FolderStorage,
    config: JournalConfig,
    patience: Duration,
) -> Result<Option<Journal<FolderStorage>>, NodeError> {
    let begin = Instant::now();
    loop {
        match Journal::open(config, storage.clone()) {
            Ok((journal, _)) => return Ok(Some(journal)),
            Err(JournalError::Locked) if begin.elapsed() < patience => std::thread::sleep(Duration::from_millis(1)),
            Err(JournalError::Locked) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Begins an epoch, making room for it if there is none.
fn begin_epoch<S: Storage>(journal: &mut Journal<S>, epoch: u32) -> Result<(), NodeError> {
    match journal.begin_epoch(epoch) {
        Err(JournalError::LogSpaceExhausted) => {
            journal.preparer().prepare()?;
            journal.commit()?;
            Ok(())
        }
        begun => Ok(begun?),
    }
}

/// A replica at a moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReplicaStatus {
    /// The process.
    pub pid: u32,
    /// Whether it `waits` for a log, `follows` one, or is being `promoted`.
    pub state: &'static str,
    /// The epoch of the last batch it read.
    pub epoch: u32,
    /// The index of the snapshot that it began with.
    pub began_behind: u64,
    /// The last index that it applied.
    pub applied: u64,
    /// The last index that the primary told to be durable.
    pub durable: u64,
    /// How many durable commands it has yet to apply.
    pub lag: u64,
    /// How many checks agreed. One that does not ends the replica.
    pub checks: u64,
}

/// What a promotion did.
#[derive(Clone, Copy, Debug, Serialize)]
struct Promoted {
    done: bool,
    /// The epoch that has begun.
    epoch: u32,
    /// The last command of the epoch before.
    applied: u64,
    /// From the request to a node that takes commands.
    took_ms: f64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    Status,
    Promote {
        #[serde(default)]
        force: bool,
    },
    Stop,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Status(ReplicaStatus),
    Promoted(Promoted),
    Done { done: bool },
    Refused { error: String },
}

/// A request to take over, and where its outcome goes.
struct Promotion {
    is_forced: bool,
    begin: Instant,
    reply: mpsc::Sender<Result<Promoted, String>>,
}

/// What the socket's threads share with the one that follows.
#[derive(Clone)]
struct Desk {
    status: Arc<Mutex<ReplicaStatus>>,
    stop: Arc<AtomicBool>,
    promotions: mpsc::Sender<Promotion>,
}

impl Desk {
    fn show(&self, change: impl FnOnce(&mut ReplicaStatus)) {
        // A picture is whole at any moment, whoever panicked.
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn answer(&self, line: &str) -> Answer {
        match serde_json::from_str(line) {
            Ok(Request::Status) => Answer::Status(self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Ok(Request::Stop) => {
                self.stop.store(true, Ordering::Release);
                Answer::Done { done: true }
            }
            Ok(Request::Promote { force }) => {
                let (reply, outcome) = mpsc::channel();
                // When nobody takes it, `reply` is dropped with it.
                let _ = self.promotions.send(Promotion { is_forced: force, begin: Instant::now(), reply });
                match outcome.recv() {
                    Ok(Ok(promoted)) => Answer::Promoted(promoted),
                    Ok(Err(error)) => Answer::Refused { error },
                    Err(_) => Answer::Refused { error: "the replica is stopping".to_owned() },
                }
            }
            Err(error) => Answer::Refused { error: format!("request: {error}") },
        }
    }

    /// Answers on a socket until the process ends.
    fn run(&self, listener: UnixListener) -> Result<(), NodeError> {
        let desk = self.clone();
        let serve = move || {
            loop {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let desk = desk.clone();
                        // Without a thread for him the operator sees his connection close, and asks again.
                        let _ = std::thread::Builder::new().name("tw-operator".to_owned()).spawn(move || {
                            if stream.set_nonblocking(false).is_ok() {
                                answer_lines(stream, |line| desk.answer(line));
                            }
                        });
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        };
        let thread = std::thread::Builder::new().name("tw-replica".to_owned()).spawn(serve);
        thread.map(drop).map_err(while_doing("starting tw-replica"))
    }
}

/// Follows the log of a node until it is promoted, then is the node; or until SIGTERM, SIGINT or an operator stops it.
/// `announce` is told when it begins to follow, and when it takes commands.
///
/// # Errors
/// Why it did not start, cannot follow, or did not end in order.
pub fn serve_replica(file: &Path, mut announce: impl FnMut(&str)) -> Result<(), NodeError> {
    let (source, config) = Source::load(file)?;
    if let Some(shard) = config.shards.first() {
        let message = "[[shards]]: a replica follows a node of one shard".to_owned();
        return Err(source.error(&shard.number, message).into());
    }
    // What a promotion would refuse is refused now.
    let (_, names) = node::read_genesis(&source, &config)?;
    let signalled = Signalled::listen()?;
    let directory = &config.node.directory;
    recovery::make_directory(directory)?;
    let path = directory.join(REPLICA_SOCKET);
    if UnixStream::connect(&path).is_ok() {
        let error = std::io::Error::new(std::io::ErrorKind::AddrInUse, "another replica answers there");
        return Err(NodeError::System { doing: format!("making the socket {}", path.display()), error });
    }
    let (promotions, asked) = mpsc::channel();
    let status = ReplicaStatus { pid: std::process::id(), state: "waits", ..ReplicaStatus::default() };
    let desk = Desk { status: Arc::new(Mutex::new(status)), stop: Arc::clone(&signalled.stop), promotions };
    desk.run(listen(&path)?)?;
    announce(&serde_json::json!({ "pid": std::process::id(), "directory": directory, "replica": path }).to_string());

    let taken = follow(&config, &desk, &asked);
    // Whoever asks from now on asks the node.
    let _ = std::fs::remove_file(&path);
    let Some((promotion, Taken { replica, journal, fence })) = taken? else { return Ok(()) };
    let (epoch, applied) = (journal.epoch(), replica.engine.sequence());
    let Replica { storage, engine, began_behind, .. } = replica;
    let standing = Standing { names, storage, journal, fence, engine, replayed: applied - began_behind };
    let (node, _door) = Node::wire(&config, standing)?;
    let took_ms = promotion.begin.elapsed().as_secs_f64() * 1e3;
    // Whoever asked may be gone.
    let _ = promotion.reply.send(Ok(Promoted { done: true, epoch, applied, took_ms }));
    run(node, &signalled, announce)
}

/// What a replica has when it has taken over.
struct Taken {
    replica: Replica,
    journal: Journal<FolderStorage>,
    fence: Fence,
}

/// Follows until a promotion succeeds; `None` when it is to stop.
fn follow(
    config: &Config,
    desk: &Desk,
    asked: &mpsc::Receiver<Promotion>,
) -> Result<Option<(Promotion, Taken)>, NodeError> {
    let Some(mut replica) = wait_for_log(config, desk, asked)? else { return Ok(None) };
    desk.show(|status| (status.state, status.began_behind) = ("follows", replica.began_behind));
    while !desk.stop.load(Ordering::Acquire) {
        let has_read = replica.poll()?;
        let (applied, durable) = (replica.engine.sequence(), replica.durable());
        desk.show(|status| {
            (status.epoch, status.checks) = (replica.reader.tip().epoch, replica.checks());
            (status.applied, status.durable, status.lag) = (applied, durable, durable.saturating_sub(applied));
        });
        if let Ok(promotion) = asked.try_recv() {
            desk.show(|status| status.state = "promoted");
            match replica.take_over(node::journal_config(config), promotion.is_forced) {
                Ok((journal, fence)) => return Ok(Some((promotion, Taken { replica, journal, fence }))),
                Err(error) => {
                    // Whoever asked may be gone.
                    let _ = promotion.reply.send(Err(error.to_string()));
                    if !matches!(error, NodeError::Alive { .. } | NodeError::Unfenced { .. }) {
                        return Err(error);
                    }
                }
            }
            desk.show(|status| status.state = "follows");
        } else if !has_read {
            std::thread::sleep(REST);
        }
    }
    Ok(None)
}

fn wait_for_log(config: &Config, desk: &Desk, asked: &mpsc::Receiver<Promotion>) -> Result<Option<Replica>, NodeError> {
    while !desk.stop.load(Ordering::Acquire) {
        if let Some(replica) = Replica::open(&config.node.directory, node::engine_config(config))? {
            return Ok(Some(replica));
        }
        if let Ok(promotion) = asked.try_recv() {
            // Whoever asked may be gone.
            let _ = promotion.reply.send(Err("there is no log yet: start the node by `tradewright serve`".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}
