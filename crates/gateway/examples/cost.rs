//! What a request and its report cost, without sockets: `cargo run --release -p tradewright-gateway --example cost`.
//!
//! One client sends limit orders that rest and cancels each a thousand orders later, by frames or by records, in full reports
//! or short ones; an engine applies them. Nanoseconds of CPU time per command are given for the gateway's two ways and for the
//! engine between them.

use std::io;
use std::sync::{Arc, Mutex};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_gateway::{Gateway, GatewayConfig, Grant, KeyRing, Link, Now, RateLimit, Received};
use tradewright_protocol::codes::{BoolEnum, OrdType, ResponseMode, Side};
use tradewright_protocol::frame::{Envelope, FrameWriter};
use tradewright_protocol::logon::{LogonRequest, Secret};
use tradewright_protocol::messages::{NewOrderSingle, OrderCancelRequest, OrderExtension, RequestExtension};
use tradewright_protocol::spec::Block;
use tradewright_sim::thread_cpu_ns;
use tradewright_sim::venue::bench_set_up;
use tradewright_types::{AccountId, CommandHeader, CommandKind, CommandRecord, OrderType, Price, TimeInForce};
use zerocopy::IntoBytes;

const COMMANDS: u64 = 600_000;
const BATCH: u64 = 100;
/// So many orders are open.
const OPEN: u64 = 1_000;

/// Gives the gateway what is in it, and forgets what it is sent.
struct Memory(Arc<Mutex<Vec<u8>>>, Arc<Mutex<u64>>);

impl Link for Memory {
    fn receive(&mut self, into: &mut Vec<u8>, _is_raw: bool) -> io::Result<Received> {
        let mut bytes = self.0.lock().expect("one thread");
        let count = bytes.len();
        into.append(&mut bytes);
        Ok(Received::Bytes(count))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.1.lock().expect("one thread") += bytes.len() as u64;
        Ok(bytes.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Full,
    Acks,
    Raw,
}

fn order(style: Style, number: u64, seq_num: u32, out: &mut Vec<u8>) {
    // Every other command cancels what was placed a while ago; order ids count what was placed.
    let placed = number.div_ceil(2);
    let cancelled = (number.is_multiple_of(2) && placed > OPEN).then(|| placed - OPEN);
    // Bids at a thousand prices, none of which trades.
    let ticks = 5_000_000 + (number % 1_000) as i64;
    if style == Style::Raw {
        let kind = if cancelled.is_some() { CommandKind::CancelOrder } else { CommandKind::PlaceOrder };
        let header = CommandHeader { session: 1, client_sequence: number, ..CommandHeader::new(kind) };
        let record = CommandRecord {
            header,
            account: 2,
            order_type: OrderType::Limit as u8,
            time_in_force: TimeInForce::GoodTillCancel as u8,
            price_ticks: ticks,
            quantity_lots: 1,
            order_ref: cancelled.unwrap_or(number),
            ..CommandRecord::new(kind)
        };
        out.extend_from_slice(record.as_bytes());
        return;
    }
    let envelope = Envelope { version: 100, seq_num, sending_time_us: 1_700_000_000_000_000 };
    if let Some(order) = cancelled {
        let block = OrderCancelRequest { order_id: (order as i64).into(), ..OrderCancelRequest::NULL };
        let extension = RequestExtension { client_sequence: number.into() };
        let mut frame = FrameWriter::new(out, envelope, &block, &extension);
        frame.text8(number.to_string().as_bytes()).text8(b"").text8(b"").text8(b"BASE0QUOTE");
        return frame.finish();
    }
    let block = NewOrderSingle {
        price_exponent: 0,
        qty_exponent: 0,
        order_qty: 1.into(),
        ord_type: OrdType::Limit.field(),
        price: ticks.into(),
        side: Side::Buy.field(),
        ..NewOrderSingle::NULL
    };
    let extension = OrderExtension { client_sequence: number.into(), ..OrderExtension::NULL };
    let mut frame = FrameWriter::new(out, envelope, &block, &extension);
    frame.text8(number.to_string().as_bytes()).text8(b"BASE0QUOTE");
    frame.finish();
}

fn run(style: Style) {
    let mut engine = Engine::new(EngineConfig { open_orders_expected: 1 << 19, ..EngineConfig::default() });
    engine.apply_all(&bench_set_up(1, 1, Price::from_ticks(6_000_000)), &mut EventBuffer::default());
    let secret = Secret::Hmac(b"secret".as_slice().into());
    let mut keys = KeyRing::default();
    let grant = Grant {
        key: secret.key(),
        account: AccountId(2),
        may_trade: true,
        may_read: true,
        keeps_orders: true,
        hears: Box::default(),
    };
    keys.insert(b"key", grant);
    let config = GatewayConfig {
        rate_limit: RateLimit { messages_max: u32::MAX, window_ns: 1 },
        outbox_bytes: 1 << 22,
        ..GatewayConfig::default()
    };
    let mut gateway = Gateway::new(config, keys, &engine);
    let (bytes, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let mut now = Now { ns: 1, utc_us: 1_700_000_000_000_000 };
    gateway.connect(Box::new(Memory(Arc::clone(&bytes), Arc::clone(&sent))), now);
    let mut request = LogonRequest::new(b"BENCH", b"SPOT", b"key");
    if style == Style::Acks {
        request.block.response_mode = ResponseMode::OnlyAcks.field();
    }
    if style == Style::Raw {
        request.extension.raw_records = BoolEnum::True.field();
    }
    let envelope = Envelope { version: 100, seq_num: 1, sending_time_us: now.utc_us };
    request.write(envelope, &secret, &mut bytes.lock().expect("one thread"));
    let (mut commands, mut events) = (Vec::new(), EventBuffer::with_capacity(1 << 12));
    let (mut reading, mut matching, mut telling) = (0, 0, 0);
    let (mut number, mut seq_num) = (0, 1);
    for _ in 0..=COMMANDS / BATCH {
        if number > 0 || gateway.sessions().first().is_some_and(|session| session.connection.is_some()) {
            let mut bytes = bytes.lock().expect("one thread");
            for _ in 0..BATCH {
                (number, seq_num) = (number + 1, seq_num + 1);
                order(style, number, seq_num, &mut bytes);
            }
        }
        now.ns += 1_000;
        let begin = thread_cpu_ns();
        commands.clear();
        gateway.poll(&mut commands, now);
        let read = thread_cpu_ns();
        commands.iter_mut().for_each(|record: &mut CommandRecord| record.header.time_ns = now.ns);
        events.clear();
        engine.apply_all(&commands, &mut events);
        let matched = thread_cpu_ns();
        events.as_slice().iter().for_each(|event| gateway.event(event, now));
        gateway.poll(&mut Vec::new(), now);
        let told = thread_cpu_ns();
        reading += read - begin;
        matching += matched - read;
        telling += told - matched;
    }
    let each = |total_ns: u64| total_ns as f64 / number as f64;
    println!(
        "{style:?}: {number} commands, {} open; request {:.0} ns, engine {:.0} ns, report {:.0} ns, {} bytes each",
        engine.open_order_count(),
        each(reading),
        each(matching),
        each(telling),
        *sent.lock().expect("one thread") / number,
    );
}

fn main() {
    for style in [Style::Full, Style::Acks, Style::Raw] {
        run(style);
    }
}
