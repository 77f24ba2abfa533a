//! A venue with a gateway, and clients whose bytes go through memory.

use std::io;
use std::sync::{Arc, Mutex};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_gateway::{Gateway, GatewayConfig, Grant, KeyRing, Link, MachineConfig, Now, RateLimit, Received};
use tradewright_protocol::account::{AccountStanding, AssetBalance, read_balances};
use tradewright_protocol::codes::{self, OrdType};
use tradewright_protocol::frame::{Envelope, Frame, FrameWriter, frame_length};
use tradewright_protocol::logon::{LogonRequest, Secret};
use tradewright_protocol::messages::{
    AccountSnapshot, ExecutionReport, ExecutionReportAck, LogonAck, Logout, NewOrderSingle, OrderCancelRequest,
    OrderExtension, OutputExtension, Reject, RequestExtension,
};
use tradewright_protocol::reports::{Opening, read_ack, read_execution};
use tradewright_protocol::spec::{Block, Null, Template, VERSION_EXTENDED};
use tradewright_sim::venue::{Listing, add_asset, deposit, list_spot, open_account, set_reference_price};
use tradewright_types::{AccountId, AccountKind, Amount, AssetId, CommandRecord, EventRecord, Price};

pub(crate) const ALICE: AccountId = AccountId(2);
pub(crate) const BOB: AccountId = AccountId(3);
pub(crate) const SECOND_NS: u64 = 1_000_000_000;
/// The wall clock at the beginning, in microseconds.
pub(crate) const BEGIN_US: i64 = 1_700_000_000_000_000;

/// What has gone one way and was not taken yet.
type Pipe = Arc<Mutex<Vec<u8>>>;

pub(crate) struct MemoryLink {
    to_gateway: Pipe,
    to_client: Pipe,
    hung_up: Arc<Mutex<bool>>,
    /// So many bytes may wait for the client at most.
    room: usize,
}

impl Link for MemoryLink {
    fn receive(&mut self, into: &mut Vec<u8>, _is_raw: bool) -> io::Result<Received> {
        let mut bytes = self.to_gateway.lock().expect("no other holder fails");
        let count = bytes.len();
        into.append(&mut bytes);
        let hung_up = count == 0 && *self.hung_up.lock().expect("no other holder fails");
        Ok(if hung_up { Received::HungUp } else { Received::Bytes(count) })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.to_client.lock().expect("no other holder fails");
        let sent = bytes.len().min(self.room.saturating_sub(waiting.len()));
        waiting.extend_from_slice(&bytes[..sent]);
        Ok(sent)
    }
}

pub(crate) struct Venue {
    pub(crate) engine: Engine,
    pub(crate) gateway: Gateway,
    pub(crate) now: Now,
    /// Events that were not told to the gateway yet.
    pub(crate) held_back: Vec<EventRecord>,
    pub(crate) holds_back: bool,
    pub(crate) commands: Vec<CommandRecord>,
}

pub(crate) fn ed25519() -> Secret {
    Secret::ed25519(&[7; 32])
}

pub(crate) fn hmac() -> Secret {
    Secret::Hmac(b"a secret that both know".as_slice().into())
}

pub(crate) fn engine() -> Engine {
    let mut engine = Engine::new(EngineConfig { open_orders_expected: 16, ..EngineConfig::default() });
    let listing = Listing {
        base: 0,
        quote: 1,
        quote_quanta_per_tick_lot: 10,
        base_quanta_per_lot: 1_000,
        quantity_max_lots: 1 << 40,
        notional_max: Amount::from_quanta(1 << 100),
        band_down_ppm: 900_000,
        band_up_ppm: 1_000_000,
    };
    let mut commands = vec![add_asset(0, 8, "BTC"), add_asset(1, 8, "USDT")];
    commands.extend(list_spot(0, "BTC/USDT", &listing));
    commands.push(set_reference_price(0, Price::from_ticks(6_400_000)));
    for (account, name) in [(ALICE, "alice"), (BOB, "bob")] {
        commands.push(open_account(account, AccountKind::Client, name));
        commands.push(deposit(account, 0, Amount::from_quanta(1 << 60)));
        commands.push(deposit(account, 1, Amount::from_quanta(1 << 80)));
    }
    let mut events = EventBuffer::default();
    engine.apply_all(&commands, &mut events);
    assert_eq!(events.as_slice().iter().find(|event| event.kind == 1), None, "nothing is refused");
    engine
}

pub(crate) fn keys() -> KeyRing {
    let mut keys = KeyRing::default();
    let grant = |secret: &Secret, account, keeps_orders, may_trade| Grant {
        key: secret.key(),
        account,
        may_trade,
        may_read: true,
        keeps_orders,
        hears: Box::default(),
    };
    keys.insert(b"alice", grant(&ed25519(), ALICE, false, true));
    keys.insert(b"alice-watch", grant(&hmac(), ALICE, false, false));
    let clearing = Grant { hears: [ALICE, BOB].into(), ..grant(&ed25519(), ALICE, true, false) };
    keys.insert(b"clearing", clearing);
    keys.insert(b"alice-blind", Grant { may_read: false, ..grant(&ed25519(), ALICE, true, true) });
    keys.insert(b"bob", grant(&hmac(), BOB, true, true));
    keys
}

pub(crate) fn config() -> GatewayConfig {
    GatewayConfig {
        machine: MachineConfig { output_bytes_max: 1 << 12, ..MachineConfig::default() },
        outbox_bytes: 1 << 14,
        rate_limit: RateLimit { messages_max: 500, window_ns: SECOND_NS },
        connections_max: 8,
        has_past: false,
    }
}

impl Venue {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: GatewayConfig) -> Self {
        let engine = engine();
        let gateway = Gateway::new(config, keys(), &engine);
        let now = Now { ns: SECOND_NS, utc_us: BEGIN_US };
        Self { engine, gateway, now, held_back: Vec::new(), holds_back: false, commands: Vec::new() }
    }

    pub(crate) fn pass(&mut self, time_ns: u64) {
        self.now.ns += time_ns;
        self.now.utc_us += (time_ns / 1_000) as i64;
    }

    /// Moves everything until nothing moves.
    pub(crate) fn run(&mut self) {
        for _ in 0..1_000 {
            self.pass(1_000);
            let mut commands = Vec::new();
            let work = self.gateway.poll(&mut commands, self.now);
            self.apply(&mut commands);
            if !work.is_some() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Does what a sequencer does with commands.
    pub(crate) fn apply(&mut self, commands: &mut [CommandRecord]) {
        let mut events = EventBuffer::default();
        let mut stream = &mut *commands;
        while let [first, ..] = stream {
            first.header.time_ns = self.now.ns;
            let count = usize::from(first.header.record_count);
            let (command, rest) = stream.split_at_mut(count);
            let sessions = self.engine.sessions().len();
            self.engine.apply(command, &mut events);
            if self.engine.sessions().len() > sessions
                && let Some(opening) = Opening::of_newest_session(&self.engine)
            {
                self.gateway.opens(opening);
            }
            stream = rest;
        }
        self.commands.extend_from_slice(commands);
        self.held_back.extend_from_slice(events.as_slice());
        if !self.holds_back {
            self.release();
        }
    }

    pub(crate) fn release(&mut self) {
        for event in core::mem::take(&mut self.held_back) {
            self.gateway.event(&event, self.now);
        }
        while let Some((connection, account)) = self.gateway.question() {
            let standing = self.standing(account);
            self.gateway.tell_account(connection, &standing);
        }
    }

    /// How an account stands now.
    pub(crate) fn standing(&self, account: AccountId) -> AccountStanding {
        let assets = self.engine.registry().assets().iter().zip(0..);
        let balances = assets.map(|(entry, number)| {
            let balance = self.engine.ledger().balance(account, AssetId(number));
            AssetBalance {
                asset: AssetId(number),
                name: entry.name,
                scale: entry.scale,
                available_quanta: balance.available.quanta(),
                held_quanta: balance.held.quanta(),
            }
        });
        let (index, time_ns) = (self.engine.sequence(), self.engine.time_ns());
        AccountStanding { account, shard: 0, index, time_ns, balances: balances.collect() }
    }

    /// A connection of which the client takes `room` bytes at a time.
    pub(crate) fn connect_with(&mut self, room: usize) -> Client {
        let client = Client {
            to_gateway: Pipe::default(),
            from_gateway: Pipe::default(),
            hung_up: Arc::default(),
            version: VERSION_EXTENDED,
            next_out: 1,
            next_in: 1,
            next_sequence: 1,
        };
        let link = MemoryLink {
            to_gateway: Arc::clone(&client.to_gateway),
            to_client: Arc::clone(&client.from_gateway),
            hung_up: Arc::clone(&client.hung_up),
            room,
        };
        assert!(self.gateway.connect(Box::new(link), self.now));
        client
    }

    pub(crate) fn connect(&mut self) -> Client {
        self.connect_with(1 << 20)
    }

    /// A client that is logged on as this session of Alice.
    pub(crate) fn alice(&mut self, session: &str) -> Client {
        let mut client = self.connect();
        let ack = client.log_on(self, &LogonRequest::new(session.as_bytes(), b"SPOT", b"alice"), &ed25519());
        client.next_sequence = ack.expect("it is logged on").last_client_sequence.get() + 1;
        client
    }

    pub(crate) fn bob(&mut self) -> Client {
        let mut client = self.connect();
        let ack = client.log_on(self, &LogonRequest::new(b"BOB", b"SPOT", b"bob"), &hmac());
        client.next_sequence = ack.expect("it is logged on").last_client_sequence.get() + 1;
        client
    }
}

/// A client: what it sends and what it hears.
pub(crate) struct Client {
    to_gateway: Pipe,
    from_gateway: Pipe,
    hung_up: Arc<Mutex<bool>>,
    pub(crate) version: u16,
    pub(crate) next_out: u32,
    next_in: u32,
    pub(crate) next_sequence: u64,
}

impl Client {
    pub(crate) fn envelope(&mut self, venue: &Venue) -> Envelope {
        let seq_num = self.next_out;
        self.next_out += 1;
        Envelope { version: self.version, seq_num, sending_time_us: venue.now.utc_us }
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        self.to_gateway.lock().expect("no other holder fails").extend_from_slice(bytes);
    }

    pub(crate) fn hang_up(&self) {
        *self.hung_up.lock().expect("no other holder fails") = true;
    }

    /// The frames that came, whole, in their order; their numbers have no gap.
    pub(crate) fn frames(&mut self) -> Vec<Vec<u8>> {
        let mut bytes = self.from_gateway.lock().expect("no other holder fails");
        let (mut frames, mut done) = (Vec::new(), 0);
        while let Some(length) = frame_length(&bytes[done..], 1 << 20).expect("a frame") {
            let Some(frame) = bytes.get(done..done + length) else { break };
            assert_eq!(Frame::read(frame).expect("a frame").header.seq_num.get(), self.next_in);
            self.next_in += 1;
            frames.push(frame.to_vec());
            done += length;
        }
        bytes.drain(..done);
        frames
    }

    /// What came, in words.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        self.frames().iter().map(|frame| describe(frame)).collect()
    }

    pub(crate) fn log_on(
        &mut self,
        venue: &mut Venue,
        request: &LogonRequest<'_>,
        secret: &Secret,
    ) -> Result<tradewright_protocol::messages::LogonAckExtension, String> {
        let mut bytes = Vec::new();
        request.write(self.envelope(venue), secret, &mut bytes);
        self.send(&bytes);
        venue.run();
        let frames = self.frames();
        let frame = frames.first().expect("an answer");
        match Frame::read(frame).expect("a frame").message::<LogonAck>() {
            Ok(message) => {
                // What was missed comes behind it.
                let behind: Vec<u8> = frames[1..].concat();
                self.next_in -= frames.len() as u32 - 1;
                self.from_gateway.lock().expect("no other holder fails").splice(0..0, behind);
                Ok(message.extension.copied().unwrap_or(tradewright_protocol::messages::LogonAckExtension::NULL))
            }
            Err(_) => Err(describe(frame)),
        }
    }

    /// Sends an order under the next client sequence.
    pub(crate) fn order(&mut self, venue: &mut Venue, order: &NewOrderSingle, id: &str) {
        let client_sequence = self.next_sequence;
        self.next_sequence += 1;
        self.order_as(venue, order, id, client_sequence);
    }

    pub(crate) fn order_as(&mut self, venue: &mut Venue, order: &NewOrderSingle, id: &str, client_sequence: u64) {
        let mut bytes = Vec::new();
        let extension = OrderExtension { client_sequence: client_sequence.into(), ..OrderExtension::NULL };
        let envelope = self.envelope(venue);
        let mut frame = FrameWriter::new(&mut bytes, envelope, order, &extension);
        frame.text8(id.as_bytes()).text8(b"BTCUSDT");
        frame.finish();
        self.send(&bytes);
    }

    /// Writes a request with its texts, under the next client sequence.
    pub(crate) fn request<T: Template<Extension = RequestExtension>>(
        &mut self,
        venue: &Venue,
        block: &T,
        texts: &[&str],
    ) {
        let extension = RequestExtension { client_sequence: self.next_sequence.into() };
        self.next_sequence += 1;
        self.send_message(venue, block, &extension, texts);
    }

    pub(crate) fn send_message<T: Template>(
        &mut self,
        venue: &Venue,
        block: &T,
        extension: &T::Extension,
        texts: &[&str],
    ) {
        let mut bytes = Vec::new();
        let envelope = self.envelope(venue);
        let mut frame = FrameWriter::new(&mut bytes, envelope, block, extension);
        for text in texts {
            frame.text8(text.as_bytes());
        }
        frame.finish();
        self.send(&bytes);
    }

    pub(crate) fn cancel(&mut self, venue: &Venue, id: &str, original: &str) {
        self.request(venue, &OrderCancelRequest::NULL, &[id, original, "", "BTCUSDT"]);
    }
}

/// A limit order for so many lots at so many ticks.
pub(crate) fn limit(side: codes::Side, lots: i64, ticks: i64) -> NewOrderSingle {
    NewOrderSingle {
        price_exponent: -2,
        qty_exponent: -5,
        order_qty: lots.into(),
        ord_type: OrdType::Limit.field(),
        price: ticks.into(),
        side: side.field(),
        ..NewOrderSingle::NULL
    }
}

/// A frame in words.
pub(crate) fn describe(bytes: &[u8]) -> String {
    let frame = Frame::read(bytes).expect("a frame");
    let again = |extension: Option<&OutputExtension>| {
        let is_again = extension.is_some_and(|extension| extension.poss_resend.some() == Some(1));
        if is_again { "again" } else { "" }
    };
    match frame.template() {
        98 => {
            let message = frame.message::<ExecutionReport>().expect("a report");
            let text = read_execution(&message).expect("its text");
            let block = message.block;
            let kind = char::from(block.exec_type.0);
            let (name, original) = (text_of(text.client_order_id), text_of(text.original));
            let leaves = block.leaves_qty.some().map_or("-".to_owned(), |leaves| leaves.to_string());
            let error = text_of(text.error).split(':').next().unwrap_or("").to_owned();
            let again = again(message.extension);
            let status = char::from(block.ord_status.0);
            let quantities = format!("{}+{leaves}", block.cum_qty.get());
            let words = [format!("{kind}{status}"), name, format!("<{original}>"), quantities, error, again.to_owned()];
            words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        }
        198 => {
            let message = frame.message::<ExecutionReportAck>().expect("a report");
            let [name, ..] = read_ack(&message).expect("its text");
            let again = again(message.extension);
            format!(
                "ack {}{} {} {again}",
                char::from(message.block.exec_type.0),
                char::from(message.block.ord_status.0),
                text_of(name)
            )
            .trim_end()
            .to_owned()
        }
        AccountSnapshot::ID => {
            let message = frame.message::<AccountSnapshot>().expect("a snapshot");
            let (balances, request) = read_balances(&message).expect("its parts");
            let held = balances.iter().map(|each| format!("{} {}", text_of(each.name), text_of(each.held)));
            let held = held.collect::<Vec<_>>();
            format!("account {} {}: {}", text_of(request), message.block.open_orders.get(), held.join(", "))
        }
        Reject::ID => {
            let mut parts = frame.message::<Reject>().expect("a reject").parts;
            let template = text_of(parts.text8().expect("a template"));
            format!("reject {template}: {}", text_of(parts.text16().expect("a text")))
        }
        Logout::ID => {
            let message = frame.message::<Logout>().expect("a logout");
            let mut parts = message.parts;
            let text = text_of(parts.text16().expect("its text"));
            let expected = message.extension.and_then(|extension| extension.expected_client_sequence.some());
            expected.map_or(format!("logout: {text}"), |expected| format!("logout: {text} ({expected})"))
        }
        template => format!("template {template}"),
    }
}

pub(crate) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
