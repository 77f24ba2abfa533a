//! The doors: sessions over TCP and shared memory, polled by whichever thread has time for them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tradewright_engine::{Engine, Key as RegisteredKey};
use tradewright_gateway::{Gateway, GatewayConfig, Grant, KeyRing, Now, RateLimit, ShmLink, TcpServer};
use tradewright_protocol::logon::Key;
use tradewright_protocol::symbols::Symbols;
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
use crate::node::COMMAND_RECORDS_MAX;

/// How many events are looked at in one round.
const EVENTS_A_ROUND: usize = 256;
/// No frame has more slots: the longest is 64 KiB.
const FRAME_SLOTS_MAX: u32 = 1 << 10;

/// See the module.
pub(crate) struct Doors {
    gateway: Gateway,
    tcp: Option<TcpServer>,
    commands: Producer<CommandRecord>,
    reader: Reader<EventRecord>,
    events: Vec<EventRecord>,
    listed: Receiver<Symbols>,
    /// A key that the event before told of: its id comes next.
    key: Option<EventRecord>,
    begun: std::time::Instant,
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
        listed: Receiver<Symbols>,
    ) -> Result<Self, NodeError> {
        let mut keys = KeyRing::default();
        for (id, RegisteredKey { account, kind, permissions, material }) in engine.keys() {
            if let Some(grant) = grant(*account, *kind, *permissions, material.as_bytes()) {
                keys.insert(id.as_bytes(), grant);
            }
        }
        let mut settings = GatewayConfig::default();
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
            listed,
            key: None,
            begun,
        })
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
    /// Events were overwritten before the sessions heard of them, or the listener is broken.
    pub(crate) fn poll(&mut self) -> Result<usize, NodeError> {
        let now = now(self.begun);
        while let Ok(symbols) = self.listed.try_recv() {
            *self.gateway.symbols() = symbols;
        }
        self.events.clear();
        let mut done = 0;
        match self.reader.poll_into(&mut self.events, EVENTS_A_ROUND) {
            Polled::Empty => {}
            Polled::Count(count) => {
                done += count;
                for event in &self.events {
                    self.gateway.event(event, now);
                    follow_keys(&mut self.key, event, self.gateway.keys());
                }
            }
            Polled::Behind { skipped } => {
                return Err(NodeError::Replay(format!(
                    "sessions missed {skipped} events: the ring of events must be larger (node.event_slots)"
                )));
            }
        }
        if let Some(tcp) = &mut self.tcp {
            done += tcp.poll(&mut self.gateway, now).map_err(while_doing("taking connections"))?;
        }
        let work = self.gateway.poll(&mut self.commands, now);
        Ok(done + work.commands + work.ended + usize::from(work.bytes_in > 0) + usize::from(work.bytes_out > 0))
    }

    /// Whether events wait.
    pub(crate) fn is_ready(&self) -> bool {
        self.reader.is_ready()
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

/// What a registered key gives at these doors: nothing that cannot be opened here. A key without an account is one of the venue: its
/// gateways send orders for every account, and these stay when a gateway is lost.
fn grant(account: Option<AccountId>, kind: KeyKind, permissions: KeyPermissions, material: &[u8]) -> Option<Grant> {
    let key = match kind {
        KeyKind::Ed25519 => Key::Ed25519(material.try_into().ok()?),
        // Sealed by a master key that this process does not have.
        KeyKind::SealedHmac => return None,
    };
    let may_trade = permissions.allow(KeyPermissions::TRADE);
    match account {
        Some(account) => Some(Grant { key, account, may_trade, keeps_orders: false }),
        // Whoever runs the venue does it over the control socket.
        None if may_trade => Some(Grant { key, account: AccountId(ANY), may_trade, keeps_orders: true }),
        None => None,
    }
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
