//! The doors: sessions over TCP and shared memory, polled by whichever thread has time for them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

use tradewright_engine::Engine;
use tradewright_gateway::{
    ConnectionId, Frames, Gateway, GatewayConfig, Now, RateLimit, Session, ShmLink, Stretch, Style, TcpServer, Wanted,
};
use tradewright_protocol::reports::Position;
use tradewright_transport::{
    Consumer, FrameReader, FrameSlot, FrameWriter, Polled, Producer, Reader, Region, RegionOptions, Shape, Start,
};
use tradewright_types::{CommandRecord, EventRecord};

use crate::accounts::AccountAsker;
use crate::clock::wall_ns;
use crate::config::SessionConfig;
use crate::door_keys::{DoorKeys, KeyChange};
use crate::error::{NodeError, while_doing};
use crate::front_desk::{Question, SessionStatus};
use crate::node::COMMAND_RECORDS_MAX;
use crate::past::{Asker, Found, Lookup, Pieces};
use crate::sampling::{Sampled, Sampling};
use crate::sequencer::{BATCH_RECORDS, News, Signals};

/// How many events are looked at in one round: more than a round of the sequencer makes, or the doors would fall behind and live from
/// the log.
const EVENTS_A_ROUND: usize = 4 * BATCH_RECORDS;
/// So many repeated requests wait for the log at most; what is more is answered in short.
const LOOKUPS_MAX: usize = 4_096;
/// So often new connections are looked for.
const KNOCKS_EVERY_NS: u64 = 500_000;
/// No frame has more slots: the longest is 64 KiB.
const FRAME_SLOTS_MAX: u32 = 1 << 10;

/// Who is at the doors, as it was a moment ago: for pictures.
#[derive(Debug, Default)]
pub(crate) struct DoorCounts {
    pub(crate) opened: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) connections: AtomicU64,
}

/// So often they are counted.
const COUNT_EVERY_NS: u64 = 10_000_000;

/// See the module.
pub(crate) struct Doors {
    gateway: Gateway,
    tcp: Option<TcpServer>,
    commands: Producer<CommandRecord>,
    reader: Reader<EventRecord>,
    events: Vec<EventRecord>,
    news: Receiver<News>,
    keys: DoorKeys,
    begun: std::time::Instant,
    /// When new connections are looked for again.
    knocks_at_ns: u64,
    signals: Arc<Signals>,
    asker: Asker,
    questions: Receiver<Question>,
    accounts: AccountAsker,
    counts: Arc<DoorCounts>,
    counted_ns: u64,
    sampling: Sampling,
    catch_up: Option<CatchUp>,
    /// Clients that came back, each with what it is told of the time before.
    returning: Vec<(ConnectionId, Pieces<Stretch>)>,
    /// Requests that were repeated, which are looked up next.
    lookups: Vec<Lookup>,
    looked_up: Option<LookedUp>,
}

/// The doors fell behind the ring of events, and hear from the log what they missed.
struct CatchUp {
    pieces: Pieces<Vec<EventRecord>>,
    /// What comes next in the ring: where the two meet.
    ahead: Vec<EventRecord>,
}

/// Requests that are being looked up, and what was found.
struct LookedUp {
    open: Vec<Lookup>,
    pieces: Pieces<Found>,
}

/// The ways between the doors and the rest of the node, rings left out.
pub(crate) struct Ways {
    /// What the sequencer tells.
    pub(crate) news: Receiver<News>,
    /// To the replay service.
    pub(crate) replays: Asker,
    /// What operators ask.
    pub(crate) questions: Receiver<Question>,
    /// To the sequencer, about accounts.
    pub(crate) accounts: AccountAsker,
}

impl Doors {
    /// Opens the doors of a node whose engine stands where the ring of events begins.
    ///
    /// # Errors
    /// An address or a folder cannot be had.
    pub(crate) fn open(
        config: &SessionConfig,
        engine: &Engine,
        events: &Arc<Region>,
        commands: Producer<CommandRecord>,
        ways: Ways,
    ) -> Result<Self, NodeError> {
        let Ways { news, replays: asker, questions, accounts } = ways;
        let (keys, ring) = DoorKeys::open(config, engine)?;
        let mut settings = GatewayConfig { has_past: true, ..GatewayConfig::default() };
        if let Some(messages_max) = config.messages_per_second {
            settings.rate_limit = RateLimit { messages_max, window_ns: 1_000_000_000 };
        }
        let mut gateway = Gateway::new(settings, ring, engine);
        let begun = std::time::Instant::now();
        let mut tcp = None;
        if let Some(config) = &config.tcp {
            let listen = config.listen.get_ref();
            let refused = || format!("listening on {listen} for sessions");
            let address: SocketAddr = listen
                .parse()
                .map_err(|_| io::Error::other("must be an address and a port"))
                .map_err(while_doing(refused()))?;
            tcp = Some(TcpServer::bind(address).map_err(while_doing(refused()))?);
        }
        if let Some(config) = &config.shm {
            std::fs::create_dir_all(&config.directory)
                .map_err(while_doing(format!("making the folder {}", config.directory.display())))?;
            for name in &config.links {
                let link = shm_link(&config.directory, name.get_ref(), *config.slots.get_ref() as u64)?;
                gateway.connect(Box::new(link), now(begun));
            }
        }
        let mut reader = Reader::attach(events, Start::Oldest)?;
        reader.register("sessions")?;
        Ok(Self {
            gateway,
            tcp,
            commands,
            reader,
            events: Vec::with_capacity(EVENTS_A_ROUND),
            news,
            keys,
            begun,
            knocks_at_ns: 0,
            signals: Arc::default(),
            asker,
            questions,
            accounts,
            counts: Arc::default(),
            counted_ns: 0,
            sampling: Sampling::default(),
            catch_up: None,
            returning: Vec::new(),
            lookups: Vec::new(),
            looked_up: None,
        })
    }

    /// Refuses new orders while the log runs out of room.
    pub(crate) fn watching(self, signals: Arc<Signals>) -> Self {
        Self { signals, ..self }
    }

    /// Has commands sampled on their way through the stages.
    pub(crate) fn sampled(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }

    /// Where TCP is listened to.
    pub(crate) fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.address().ok())
    }

    /// Who is at the doors.
    pub(crate) fn counts(&self) -> &Arc<DoorCounts> {
        &self.counts
    }

    fn count(&mut self, now: Now) {
        if now.ns.saturating_sub(self.counted_ns) < COUNT_EVERY_NS {
            return;
        }
        self.counted_ns = now.ns;
        let sessions = self.gateway.sessions();
        let connected = sessions.iter().filter(|session| session.connection.is_some()).count();
        let DoorCounts { opened, connected: with_connection, connections } = &*self.counts;
        opened.store(sessions.len() as u64, Ordering::Relaxed);
        with_connection.store(connected as u64, Ordering::Relaxed);
        connections.store(self.gateway.connection_count() as u64, Ordering::Relaxed);
    }

    /// Whether there is any door.
    pub(crate) fn is_any(config: &SessionConfig) -> bool {
        config.tcp.is_some() || config.shm.is_some()
    }

    /// Tells sessions what was released, then reads what clients sent and sends what they are told. Returns how much there was
    /// to do.
    ///
    /// # Errors
    /// Events were missed and cannot be had from the log, or the listener is broken.
    pub(crate) fn poll(&mut self) -> Result<usize, NodeError> {
        let now = now(self.begun);
        while let Ok(question) = self.questions.try_recv() {
            self.answer(question, now);
        }
        let mut done = if self.catch_up.is_some() { self.catch_up(now)? } else { self.hear(now) };
        // Whoever knocks waits a little: each look is a call to the system, and orders wait for it.
        if let Some(tcp) = &mut self.tcp
            && now.ns >= self.knocks_at_ns
        {
            self.knocks_at_ns = now.ns + KNOCKS_EVERY_NS;
            done += tcp.poll(&mut self.gateway, now).map_err(while_doing("taking connections"))?;
        }
        self.gateway.set_log_short(self.signals.is_log_short.load(Ordering::Relaxed));
        let Self { gateway, commands, sampling, begun, .. } = self;
        let work = gateway.poll(&mut Sampled { commands, sampling, begun: *begun, now }, now);
        self.sampling.told(self.gateway.reports().last().index);
        while let Some((connection, account)) = self.gateway.question() {
            self.accounts.ask(connection, account, self.commands.written());
        }
        done += self.look_back(now);
        self.count(now);
        Ok(done + work.commands + work.ended + usize::from(work.bytes_in > 0) + usize::from(work.bytes_out > 0))
    }

    /// Answers an operator. One who has gone meanwhile hears nothing.
    fn answer(&mut self, question: Question, now: Now) {
        match question {
            Question::List(reply) => {
                let _ = reply.send(self.gateway.sessions().iter().map(status_of).collect());
            }
            Question::End { name, account, reply } => {
                let is_meant = |session: &&Session| {
                    session.name.as_str() == name && account.is_none_or(|account| session.account.0 == account)
                };
                let meant: Vec<u32> =
                    self.gateway.sessions().iter().filter(is_meant).map(|session| session.id).collect();
                let mut ended = 0;
                for id in meant {
                    ended += usize::from(self.gateway.disconnect(id, "an operator ended the session", now));
                }
                let _ = reply.send(ended);
            }
        }
    }

    /// Tells sessions what was released.
    fn hear(&mut self, now: Now) -> usize {
        self.events.clear();
        match self.reader.poll_into(&mut self.events, EVENTS_A_ROUND) {
            Polled::Empty => {
                self.tell_up_to(self.reader.position(), &[], now);
                0
            }
            Polled::Count(count) => {
                let events = core::mem::take(&mut self.events);
                self.tell_up_to(self.reader.position(), &events, now);
                self.events = events;
                count
            }
            Polled::Behind { .. } => {
                let pieces = self.asker.events(self.gateway.reports().last());
                self.catch_up = Some(CatchUp { pieces, ahead: Vec::new() });
                1
            }
        }
    }

    /// Tells sessions what the doors missed, until the ring goes on from there. Clients wait for their reports meanwhile.
    fn catch_up(&mut self, now: Now) -> Result<usize, NodeError> {
        let Some(CatchUp { pieces, ahead }) = &mut self.catch_up else { return Ok(0) };
        let piece = match pieces.try_recv() {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return Err(NodeError::Replay(format!("sessions missed events: {error}"))),
            Err(TryRecvError::Empty) => return Ok(0),
            Err(TryRecvError::Disconnected) => {
                return Err(NodeError::Replay("sessions missed events, and the replay service has ended".to_owned()));
            }
        };
        if ahead.is_empty() {
            // When it is overrun again, the next look finds what is there then.
            let _ = self.reader.poll_into(ahead, EVENTS_A_ROUND);
        }
        let ring = core::mem::take(ahead);
        let count = self.tell_new(&piece, now);
        let read = self.gateway.reports().last();
        let meets = ring.first().is_some_and(|first| Position::of(first) <= read);
        if !meets {
            if let Some(catch_up) = &mut self.catch_up {
                catch_up.ahead = ring;
            }
            return Ok(count);
        }
        self.tell_new(&ring, now);
        self.events.clear();
        match self.reader.poll_into(&mut self.events, EVENTS_A_ROUND) {
            // The writer came round once more: on with the replay.
            Polled::Behind { .. } => {}
            Polled::Count(_) | Polled::Empty => {
                self.catch_up = None;
                self.accounts.ask_again();
                let next = core::mem::take(&mut self.events);
                self.tell_new(&next, now);
                self.events = next;
            }
        }
        Ok(count + ring.len())
    }

    /// Tells sessions those of the events that they have not heard of.
    fn tell_new(&mut self, events: &[EventRecord], now: Now) -> usize {
        let read = self.gateway.reports().last();
        let new = &events[events.partition_point(|event| Position::of(event) <= read)..];
        self.tell(new, now);
        new.len()
    }

    /// Tells sessions of events that end at a position of the ring, and how accounts stand in between.
    fn tell_up_to(&mut self, end: u64, events: &[EventRecord], now: Now) {
        let mut rest = events;
        while let Some((position, connection, standing)) = self.accounts.before(end) {
            let behind = usize::try_from(end - position).unwrap_or(usize::MAX).min(rest.len());
            let (before, others) = rest.split_at(rest.len() - behind);
            self.tell(before, now);
            self.gateway.tell_account(connection, &standing);
            rest = others;
        }
        self.tell(rest, now);
    }

    /// Tells sessions of events. News was sent before its events could be read: looked for only now, none of it is missed.
    fn tell(&mut self, events: &[EventRecord], now: Now) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Listed(symbols) => *self.gateway.symbols() = symbols,
                News::Opened(opening) => self.gateway.opens(opening),
                News::KeyRegistered(registration) => self.keys.registered(*registration),
            }
        }
        for event in events {
            self.gateway.event(event, now);
            match self.keys.follow(event) {
                None => {}
                Some(KeyChange::Granted(id, grant)) => self.gateway.keys().insert(id.as_bytes(), grant),
                Some(KeyChange::Revoked(id)) => self.gateway.revoke_key(id.as_bytes(), now),
            }
        }
    }

    /// Gives sessions what they want to hear again and the gateway no longer has.
    fn look_back(&mut self, now: Now) -> usize {
        let mut done = 0;
        while let Some(wanted) = self.gateway.wanted() {
            match wanted {
                Wanted::Since { connection, hearer, after } => {
                    self.returning.push((connection, self.asker.since(after, hearer)));
                }
                Wanted::Again { connection, repeated } if self.lookups.len() < LOOKUPS_MAX => {
                    self.lookups.push(Lookup { connection, repeated });
                }
                Wanted::Again { connection, repeated } => {
                    self.gateway.answer_again(connection, &repeated, Frames::default());
                }
            }
            done += 1;
        }
        let gateway = &mut self.gateway;
        self.returning.retain(|(connection, pieces)| match gateway.takes_past(*connection) {
            None => false,
            Some(false) => true,
            Some(true) => match pieces.try_recv() {
                Ok(Ok(stretch)) => {
                    done += usize::from(!stretch.frames.is_empty());
                    gateway.past(*connection, stretch);
                    true
                }
                Ok(Err(error)) => {
                    gateway.past_is_lost(
                        *connection,
                        &format!("what came behind ResumeIndex is not to be had: {error}"),
                        now,
                    );
                    false
                }
                Err(TryRecvError::Empty) => true,
                Err(TryRecvError::Disconnected) => {
                    gateway.past_is_lost(*connection, "the client reads too slowly: log on again and resume", now);
                    false
                }
            },
        });
        done + self.answer_lookups()
    }

    /// Answers requests that were repeated as soon as the log has told, and asks it about the next ones.
    fn answer_lookups(&mut self) -> usize {
        let mut done = 0;
        if let Some(LookedUp { open, pieces }) = &mut self.looked_up {
            loop {
                match pieces.try_recv() {
                    Ok(Ok(found)) => {
                        for (Lookup { connection, repeated }, frames) in found {
                            open.retain(|lookup| lookup.repeated.sequence != repeated.sequence);
                            self.gateway.answer_again(connection, &repeated, frames);
                            done += 1;
                        }
                    }
                    // Why is told by the service; what is left is answered by what is known here.
                    Ok(Err(_)) => {}
                    Err(TryRecvError::Empty) => return done,
                    Err(TryRecvError::Disconnected) => break,
                }
            }
            for Lookup { connection, repeated } in open.drain(..) {
                self.gateway.answer_again(connection, &repeated, Frames::default());
            }
            self.looked_up = None;
        }
        if !self.lookups.is_empty() {
            let open = core::mem::take(&mut self.lookups);
            let mut sessions: Vec<u32> = open.iter().map(|lookup| lookup.repeated.counter_account).collect();
            sessions.sort_unstable();
            sessions.dedup();
            let hearers = sessions.into_iter().filter_map(|session| self.gateway.hearer(session)).collect();
            let pieces = self.asker.again(open.clone(), hearers);
            self.looked_up = Some(LookedUp { open, pieces });
        }
        done
    }

    /// Whether events wait.
    pub(crate) fn is_ready(&self) -> bool {
        self.reader.is_ready()
    }
}

fn status_of(session: &Session) -> SessionStatus {
    SessionStatus {
        session: session.id,
        account: session.account.0,
        name: session.name.as_str().to_owned(),
        is_connected: session.connection.is_some(),
        last_client_sequence: session.last_client_sequence,
        style: match session.style {
            Style::Full => "full",
            Style::Acks => "acks",
            Style::Raw(_) => "raw",
        },
        cancels_on_disconnect: session.cancels_on_disconnect,
    }
}

fn now(begun: std::time::Instant) -> Now {
    Now { ns: begun.elapsed().as_nanos() as u64, utc_us: (wall_ns() / 1_000) as i64 }
}

/// The rings of one session over shared memory: `NAME.requests`, `NAME.records`, `NAME.reports`.
fn shm_link(directory: &Path, name: &str, slots: u64) -> Result<ShmLink, NodeError> {
    let frames = Shape::queue::<FrameSlot>(slots, FRAME_SLOTS_MAX);
    let records = Shape::queue::<CommandRecord>(slots, COMMAND_RECORDS_MAX);
    let create = |ending: &str, shape| {
        Region::create(directory.join(format!("{name}.{ending}")), shape, &RegionOptions::default())
    };
    Ok(ShmLink::new(
        FrameReader::new(Consumer::attach(&create("requests", frames)?)?),
        Some(Consumer::attach(&create("records", records)?)?),
        FrameWriter::new(Producer::attach(&create("reports", frames)?)?),
    ))
}
