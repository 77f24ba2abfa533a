//! The replay service: gives doors and sessions what they missed, from the log, off the hot path.
//!
//! Each request has a thread of its own, as whoever asked may read slowly; two of clients run at a time, the doors' own at once. What was
//! made waits in a channel of a few pieces: a replay goes on when they are taken, and ends when nobody takes them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tradewright_engine::EngineConfig;
use tradewright_gateway::{ConnectionId, Frames, Hearer, Past, Stretch};
use tradewright_journal::FolderStorage;
use tradewright_protocol::reports::Position;
use tradewright_types::{CommandRecord, EventRecord};

use crate::error::NodeError;
use crate::replay::{Applied, Replay};
use crate::sequencer::Signals;

/// So many requests of clients are worked on at a time.
const CLIENTS_MAX: usize = 2;
/// So many pieces wait to be taken.
const PIECES: usize = 8;
/// So many events are a piece: what the doors tell in one round, so that clients can take it.
const EVENTS_A_PIECE: usize = 256;
/// So many bytes of frames are a piece.
const BYTES_A_PIECE: usize = 1 << 16;
/// How long a piece waits for a client to take it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a replay rests at the end of the log.
const REST: Duration = Duration::from_micros(200);

/// What comes of a request: pieces, or why there are no more.
pub(crate) type Pieces<T> = Receiver<Result<T, String>>;
type Into<T> = SyncSender<Result<T, String>>;

/// A request that was repeated: where the answer goes, and that it was repeated, as the engine says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup {
    pub(crate) connection: ConnectionId,
    pub(crate) repeated: EventRecord,
}

/// What was answered to a request, now that it is known.
pub(crate) type Found = Vec<(Lookup, Frames)>;

/// What is asked for.
#[derive(Debug)]
enum Request {
    /// All events behind a place.
    Events { after: Position, into: Into<Vec<EventRecord>> },
    /// What a session was told behind a place.
    Since { after: Position, hearer: Hearer, into: Into<Stretch> },
    /// What was answered to requests.
    Again { lookups: Vec<Lookup>, hearers: Vec<Hearer>, into: Into<Found> },
}

/// The way to the service.
#[derive(Clone, Debug)]
pub(crate) struct Asker(Sender<Request>);

impl Asker {
    fn ask<T>(&self, request: impl FnOnce(Into<T>) -> Request) -> Pieces<T> {
        let (into, pieces) = sync_channel(PIECES);
        // When the service is gone the channel is closed, and who reads it sees that.
        let _ = self.0.send(request(into));
        pieces
    }

    /// All events behind a place.
    pub(crate) fn events(&self, after: Position) -> Pieces<Vec<EventRecord>> {
        self.ask(|into| Request::Events { after, into })
    }

    /// What a session was told behind a place.
    pub(crate) fn since(&self, after: Position, hearer: Hearer) -> Pieces<Stretch> {
        self.ask(|into| Request::Since { after, hearer, into })
    }

    /// What was answered to requests.
    pub(crate) fn again(&self, lookups: Vec<Lookup>, hearers: Vec<Hearer>) -> Pieces<Found> {
        self.ask(|into| Request::Again { lookups, hearers, into })
    }
}

/// What the service works with.
#[derive(Clone, Debug)]
struct Source {
    storage: FolderStorage,
    engine: EngineConfig,
    signals: Arc<Signals>,
}

/// The service, before it runs.
#[derive(Debug)]
pub(crate) struct ReplayService {
    source: Source,
    requests: Receiver<Request>,
}

/// Makes the service, and the way to it.
pub(crate) fn open(storage: FolderStorage, engine: EngineConfig, signals: Arc<Signals>) -> (Asker, ReplayService) {
    let (sender, requests) = std::sync::mpsc::channel();
    (Asker(sender), ReplayService { source: Source { storage, engine, signals }, requests })
}

impl ReplayService {
    /// Works until the node stops or nobody can ask any more.
    pub(crate) fn run(self) {
        let Self { source, requests } = self;
        let clients = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let mut waiting: VecDeque<Request> = VecDeque::new();
            while !source.is_stopping() {
                match requests.recv_timeout(Duration::from_millis(if waiting.is_empty() { 20 } else { 1 })) {
                    Ok(Request::Events { after, into }) => {
                        let source = &source;
                        scope.spawn(move || source.finish(&into, give_events(source, after, &into)));
                    }
                    Ok(request) => waiting.push_back(request),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                while clients.load(Ordering::Acquire) < CLIENTS_MAX
                    && let Some(request) = waiting.pop_front()
                {
                    clients.fetch_add(1, Ordering::AcqRel);
                    let (source, clients) = (&source, &clients);
                    scope.spawn(move || {
                        let _done = Done(clients);
                        match request {
                            Request::Events { .. } => {}
                            Request::Since { after, hearer, into } => {
                                source.finish(&into, give_since(source, after, hearer, &into));
                            }
                            Request::Again { lookups, hearers, into } => {
                                source.finish(&into, give_again(source, lookups, hearers, &into));
                            }
                        }
                    });
                }
            }
        });
    }
}

/// One of the clients' requests is over, however it ended.
struct Done<'c>(&'c AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why a replay ends.
enum End {
    /// Nobody wants more of it, or the node stops.
    Unwanted,
    Failed(NodeError),
}

impl<E: core::convert::Into<NodeError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Source {
    fn is_stopping(&self) -> bool {
        self.signals.stop.load(Ordering::Acquire)
    }

    /// The log behind a place, ready to be applied.
    fn replay(&self, after: Position) -> Result<Replay, End> {
        let mut replay = Replay::open(&self.storage, self.engine, after)?;
        while !replay.seek()? {
            if self.is_stopping() {
                return Err(End::Unwanted);
            }
        }
        Ok(replay)
    }

    /// Hands a piece over, when there is room for it.
    fn give<T>(&self, into: &Into<T>, piece: T, patience: Duration) -> Result<(), End> {
        self.hand_over(into, Ok(piece), patience)
    }

    fn hand_over<T>(&self, into: &Into<T>, mut piece: Result<T, String>, patience: Duration) -> Result<(), End> {
        let begin = Instant::now();
        while !self.is_stopping() && begin.elapsed() < patience {
            match into.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => piece = back,
                Err(TrySendError::Disconnected(_)) => break,
            }
            std::thread::sleep(REST);
        }
        Err(End::Unwanted)
    }

    /// Tells why a replay ended, when somebody is to know.
    fn finish<T>(&self, into: &Into<T>, end: Result<(), End>) {
        if let Err(End::Failed(error)) = end {
            eprintln!("{error}");
            let _ = self.hand_over(into, Err(error.to_string()), PATIENCE);
        }
    }
}

fn give_events(source: &Source, after: Position, into: &Into<Vec<EventRecord>>) -> Result<(), End> {
    let mut replay = source.replay(after)?;
    let mut piece = Vec::with_capacity(EVENTS_A_PIECE);
    loop {
        let is_at_end = match replay.step()? {
            Some(applied) => {
                piece.extend_from_slice(applied.events);
                false
            }
            None => true,
        };
        if piece.len() >= EVENTS_A_PIECE || (is_at_end && !piece.is_empty()) {
            // One command may have had any number of them: no piece is longer than it may be.
            for part in piece.chunks(EVENTS_A_PIECE) {
                source.give(into, part.to_vec(), Duration::MAX)?;
            }
            piece.clear();
        } else if is_at_end {
            // An empty piece asks whether somebody still listens.
            source.give(into, Vec::new(), Duration::MAX)?;
            std::thread::sleep(REST);
        }
    }
}

/// The place in front of all outputs of a command.
fn in_front_of(index: u64, shard: u8) -> Position {
    Position { index: index.saturating_sub(1), k: u32::MAX, shard }
}

/// Gives commands one by one, each with its events.
fn each_command(applied: Applied<'_>, mut each: impl FnMut(u64, &[CommandRecord], &[EventRecord])) {
    let Applied { first_index, mut commands, mut events } = applied;
    let mut index = first_index;
    while !commands.is_empty() {
        let (command, behind) = CommandRecord::split_command(commands);
        let (own, others) = events.split_at(events.partition_point(|event| event.sequence <= index));
        each(index, command, own);
        (commands, events, index) = (behind, others, index + 1);
    }
}

fn give_since(source: &Source, after: Position, hearer: Hearer, into: &Into<Stretch>) -> Result<(), End> {
    let mut replay = source.replay(in_front_of(after.index, after.shard))?;
    let mut past = Past::new([hearer], replay.engine());
    let mut instruments = replay.engine().instrument_count();
    let mut stretch = Stretch { last: after, reached: replay.engine().sequence(), frames: Frames::default() };
    loop {
        let is_at_end = match replay.step()? {
            Some(applied) => {
                each_command(applied, |index, command, events| {
                    past.command(command);
                    for event in events {
                        past.event(event, |_, position, extension_length, frame| {
                            // An order is told with the place of its first event, when all of it is known.
                            if position > after {
                                stretch.frames.push(extension_length, frame);
                            }
                        });
                        stretch.last = stretch.last.max(Position::of(event));
                    }
                    stretch.reached = index;
                });
                false
            }
            None => true,
        };
        if replay.engine().instrument_count() != instruments {
            instruments = replay.engine().instrument_count();
            past.listed(replay.engine());
        }
        if is_at_end || stretch.frames.length() >= BYTES_A_PIECE {
            let next = Stretch { last: stretch.last, reached: stretch.reached, frames: Frames::default() };
            source.give(into, core::mem::replace(&mut stretch, next), PATIENCE)?;
            if is_at_end {
                std::thread::sleep(REST);
            }
        }
    }
}

fn give_again(source: &Source, mut lookups: Vec<Lookup>, hearers: Vec<Hearer>, into: &Into<Found>) -> Result<(), End> {
    lookups.sort_by_key(|lookup| lookup.repeated.reference);
    let Some(first) = lookups.first() else { return Ok(()) };
    let mut replay = source.replay(in_front_of(first.repeated.reference, first.repeated.shard))?;
    let mut past = Past::new(hearers, replay.engine());
    let mut lookups = VecDeque::from(lookups);
    while !lookups.is_empty() {
        let Some(applied) = replay.step()? else { break };
        let mut found = Found::new();
        each_command(applied, |index, command, events| {
            past.command(command);
            let mut asked = Found::new();
            while lookups.front().is_some_and(|lookup| lookup.repeated.reference <= index) {
                asked.extend(lookups.pop_front().map(|lookup| (lookup, Frames::default())));
            }
            for event in events {
                past.event(event, |session, _, extension_length, frame| {
                    for (_, frames) in asked.iter_mut().filter(|(lookup, _)| lookup.repeated.counter_account == session)
                    {
                        frames.push(extension_length, frame);
                    }
                });
            }
            found.append(&mut asked);
        });
        if !found.is_empty() {
            source.give(into, found, PATIENCE)?;
        }
    }
    Ok(())
}
