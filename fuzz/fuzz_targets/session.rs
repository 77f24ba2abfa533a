//! A connection: a logon that is right or not, then whatever comes. The first byte says how it begins.
#![no_main]

use std::io;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_gateway::{Gateway, GatewayConfig, Grant, KeyRing, Link, Now, Received};
use tradewright_protocol::codes::BoolEnum;
use tradewright_protocol::frame::{ENCODING, Envelope};
use tradewright_protocol::logon::{LogonRequest, Secret};
use tradewright_sim::venue::bench_set_up;
use tradewright_types::{AccountId, CommandRecord, Price};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new(EngineConfig { open_orders_expected: 16, ..EngineConfig::default() });
    engine.apply_all(&bench_set_up(1, 2, Price::from_ticks(6_000_000)), &mut EventBuffer::default());
    engine
});

/// Gives out what the client sends, in two pieces, and hangs up.
struct Bytes(Vec<Vec<u8>>);

impl Link for Bytes {
    fn receive(&mut self, into: &mut Vec<u8>, _is_raw: bool) -> io::Result<Received> {
        match self.0.pop() {
            Some(piece) => {
                into.extend_from_slice(&piece);
                Ok(Received::Bytes(piece.len()))
            }
            None => Ok(Received::HungUp),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

/// Numbers the frames as they come, so that more than the first one is looked at.
fn number(bytes: &mut [u8]) {
    let (mut begin, mut seq_num) = (0, 2_u32);
    while let Some(frame) = bytes.get_mut(begin..).filter(|frame| frame.len() >= 26) {
        frame[4..6].copy_from_slice(&ENCODING.to_le_bytes());
        frame[10..14].copy_from_slice(&[1, 0, 100, 0]);
        frame[14..18].copy_from_slice(&seq_num.to_le_bytes());
        seq_num += 1;
        let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        begin += length.clamp(26, 4_096);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let secret = Secret::Hmac(b"secret".as_slice().into());
    let mut keys = KeyRing::default();
    let grant =
        Grant { key: secret.key(), account: AccountId(2), may_trade: true, may_read: true, keeps_orders: false, hears: Box::default() };
    keys.insert(b"key", grant);
    let mut engine = ENGINE.clone();
    let mut gateway = Gateway::new(GatewayConfig { outbox_bytes: 1 << 13, ..GatewayConfig::default() }, keys, &engine);
    let mut now = Now { ns: 1, utc_us: 1_700_000_000_000_000 };
    let mut pieces = Vec::new();
    let mut rest = rest.to_vec();
    if how & 1 == 0 {
        let mut request = LogonRequest::new(b"FUZZ", b"SPOT", b"key");
        if how & 2 == 0 {
            request.extension.raw_records = BoolEnum::True.field();
        } else {
            number(&mut rest);
        }
        let mut logon = Vec::new();
        request.write(Envelope { version: 100, seq_num: 1, sending_time_us: now.utc_us }, &secret, &mut logon);
        pieces.push(logon);
    }
    let behind = rest.split_off(rest.len() / 2);
    pieces.extend([rest, behind]);
    pieces.reverse();
    gateway.connect(Box::new(Bytes(pieces)), now);
    for _ in 0..100 {
        now.ns += 1_000_000;
        let mut commands: Vec<CommandRecord> = Vec::new();
        gateway.poll(&mut commands, now);
        let mut events = EventBuffer::default();
        let mut stream = commands.as_mut_slice();
        while let [first, ..] = stream {
            first.header.time_ns = now.ns;
            let count = usize::from(first.header.record_count);
            let (command, others) = stream.split_at_mut(count);
            engine.apply(command, &mut events);
            stream = others;
        }
        events.as_slice().iter().for_each(|event| gateway.event(event, now));
        if gateway.connection_count() == 0 {
            break;
        }
    }
    engine.check_invariants();
});
