//! The doors: sessions over TCP and shared memory, polled by whichever thread has time for them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};

use tradewright_engine::{Engine, Key as RegisteredKey};
use tradewright_gateway::{
    ConnectionId, Frames, Gateway, GatewayConfig, Grant, KeyRing, Now, RateLimit, Session, ShmLink, Stretch, Style,
    TcpServer, Wanted,
};
use tradewright_protocol::logon::Key;
use tradewright_protocol::reports::Position;
use tradewright_transport::{
    Consumer, FrameReader, FrameSlot, FrameWriter, Polled, Producer, Reader, Region, RegionOptions, Shape, Start,
};
use tradewright_types::{
    ANY, AccountId, CommandRecord, EventKind, EventRecord, KeyKind, KeyPermissions, TextEventRecord,
};
use zerocopy::transmute_ref;

use crate::clock::wall_ns;
use crate::config::SessionConfig;
use crate::error::{NodeError, while_doing};
use crate::front_desk::{Question, SessionStatus};
use crate::node::COMMAND_RECORDS_MAX;
use crate::past::{Asker, Found, Lookup, Pieces};
use crate::sealed::MasterKey;
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

/// See the module.
pub(crate) struct Doors {
    gateway: Gateway,
    tcp: Option<TcpServer>,
    commands: Producer<CommandRecord>,
    reader: Reader<EventRecord>,
    events: Vec<EventRecord>,
    news: Receiver<News>,
    /// A key that the event before told of: its id comes next.
    key: Option<EventRecord>,
    begun: std::time::Instant,
    /// When new connections are looked for again.
    knocks_at_ns: u64,
    signals: Arc<Signals>,
    asker: Asker,
    questions: Receiver<Question>,
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
        news: Receiver<News>,
        asker: Asker,
        questions: Receiver<Question>,
    ) -> Result<Self, NodeError> {
        let master = MasterKey::read(config.master_key.as_deref())?;
        let mut keys = KeyRing::default();
        for (id, RegisteredKey { account, kind, permissions, material }) in engine.keys() {
            let material = match kind {
                KeyKind::Ed25519 => Some(material.as_bytes().to_vec()),
                KeyKind::SealedHmac => open_secret(master.as_ref(), id.as_bytes(), material.as_bytes()),
            };
            if let Some(mut grant) = material.and_then(|material| grant(*account, *kind, *permissions, &material)) {
                grant.hears = drop_copy_of(config, engine, id.as_str())?;
                keys.insert(id.as_bytes(), grant);
            }
        }
        let mut settings = GatewayConfig { has_past: true, ..GatewayConfig::default() };
        if let Some(messages_max) = config.messages_per_second {
            settings.rate_limit = RateLimit { messages_max, window_ns: 1_000_000_000 };
        }
        let mut gateway = Gateway::new(settings, keys, engine);
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
        Ok(Self {
            gateway,
            tcp,
            commands,
            reader: Reader::attach(events, Start::Oldest)?,
            events: Vec::with_capacity(EVENTS_A_ROUND),
            news,
            key: None,
            begun,
            knocks_at_ns: 0,
            signals: Arc::default(),
            asker,
            questions,
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

    /// Where TCP is listened to.
    pub(crate) fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.address().ok())
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
        let work = self.gateway.poll(&mut self.commands, now);
        done += self.look_back(now);
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
            Polled::Empty => 0,
            Polled::Count(count) => {
                let events = core::mem::take(&mut self.events);
                self.tell_new(&events, now);
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
                let next = core::mem::take(&mut self.events);
                self.tell_new(&next, now);
                self.events = next;
            }
        }
        Ok(count + ring.len())
    }

    /// Tells sessions those of the events that they have not heard of.
    fn tell_new(&mut self, events: &[EventRecord], now: Now) -> usize {
        // News was sent before its events could be read: looked for only now, none of it is missed.
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Listed(symbols) => *self.gateway.symbols() = symbols,
                News::Opened(opening) => self.gateway.opens(opening),
            }
        }
        let read = self.gateway.reports().last();
        let new = &events[events.partition_point(|event| Position::of(event) <= read)..];
        for event in new {
            self.gateway.event(event, now);
            follow_keys(&mut self.key, event, self.gateway.keys());
        }
        new.len()
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

/// Keeps the keys of clients as events tell of them. A sealed secret is not in an event: it counts from the next start on.
fn follow_keys(before: &mut Option<EventRecord>, event: &EventRecord, keys: &mut KeyRing) {
    const REGISTERED: u8 = EventKind::KeyRegistered as u8;
    const REVOKED: u8 = EventKind::KeyRevoked as u8;
    const ID: u8 = EventKind::KeyIdText as u8;
    match event.kind {
        REGISTERED | REVOKED => *before = Some(*event),
        ID => {
            let Some(key) = before.take() else { return };
            let text: &TextEventRecord = transmute_ref!(event);
            let id = &text.bytes[..usize::try_from(text.length).map_or(0, |length| length.min(text.bytes.len()))];
            let kind = KeyKind::from_code(key.order_type).filter(|_| key.kind == REGISTERED);
            let account = Some(AccountId(key.account)).filter(|account| account.0 != ANY);
            let mut public = [0; 32];
            public[..16].copy_from_slice(&key.amount.get().to_le_bytes());
            public[16..].copy_from_slice(&key.counter_amount.get().to_le_bytes());
            let granted = kind
                .zip(KeyPermissions::from_bits(key.quantity_lots))
                .filter(|(kind, _)| *kind == KeyKind::Ed25519)
                .and_then(|(kind, permissions)| grant(account, kind, permissions, &public));
            match granted {
                Some(grant) => keys.insert(id, grant),
                None => keys.remove(id),
            }
        }
        _ => {}
    }
}

/// The accounts of which a key may hear by a drop copy, as the configuration says.
fn drop_copy_of(config: &SessionConfig, engine: &Engine, key: &str) -> Result<Box<[AccountId]>, NodeError> {
    let mut accounts = Vec::new();
    for copy in config.drop_copy.iter().filter(|copy| copy.key == key) {
        for name in &copy.accounts {
            let known = engine.registry().accounts().iter().position(|account| account.as_str() == name);
            let known = known.ok_or_else(|| NodeError::System {
                doing: format!("session.drop_copy of key {key:?}: finding the account {name:?}"),
                error: io::Error::other("there is no such account"),
            })?;
            accounts.push(AccountId(known as u32));
        }
    }
    Ok(accounts.into())
}

/// The secret of a key, when this venue has the master key that it was sealed by.
fn open_secret(master: Option<&MasterKey>, id: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let id_text = String::from_utf8_lossy(id);
    let Some(master) = master else {
        eprintln!("key {id_text}: is sealed, and this node has no master key: nobody can log on with it");
        return None;
    };
    let secret = master.open(id, sealed);
    if secret.is_none() {
        eprintln!("key {id_text}: the master key does not open it: nobody can log on with it");
    }
    secret
}

/// What a registered key gives at these doors. A key without an account is one of the venue: its
/// gateways send orders for every account, and these stay when a gateway is lost.
fn grant(account: Option<AccountId>, kind: KeyKind, permissions: KeyPermissions, material: &[u8]) -> Option<Grant> {
    let key = match kind {
        KeyKind::Ed25519 => Key::Ed25519(material.try_into().ok()?),
        KeyKind::SealedHmac => Key::Hmac(material.into()),
    };
    let may_trade = permissions.allow(KeyPermissions::TRADE);
    let (account, keeps_orders) = match account {
        Some(account) => (account, false),
        // Whoever runs the venue does it over the control socket.
        None if may_trade => (AccountId(ANY), true),
        None => return None,
    };
    Some(Grant { key, account, may_trade, keeps_orders, hears: Box::default() })
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
