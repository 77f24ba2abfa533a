//! Requests of clients: whatever bytes come, they are a command, a refusal or an error. What is a command, the engine reads.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_protocol::commands::{self, Amended, Origin, Refused};
use tradewright_protocol::frame::{CLIENT_FRAME_MAX, Frame, frame_length};
use tradewright_protocol::logon::read_logon;
use tradewright_protocol::symbols::Symbols;
use tradewright_sim::venue::bench_set_up;
use tradewright_types::{AccountId, CommandRecord, InstrumentId, Price};

static VENUE: LazyLock<(Engine, Symbols)> = LazyLock::new(|| {
    let mut engine = Engine::new(EngineConfig { open_orders_expected: 16, ..EngineConfig::default() });
    engine.apply_all(&bench_set_up(1, 2, Price::from_ticks(6_000_000)), &mut EventBuffer::default());
    let symbols = Symbols::of(&engine);
    (engine, symbols)
});

fn read(symbols: &Symbols, bytes: &[u8], out: &mut Vec<CommandRecord>) -> Result<(), Refused> {
    let frame = Frame::read(bytes)?;
    let origin = Origin { account: AccountId(2), session: 1, client_sequence: 1 };
    let known = Amended { instrument: InstrumentId(0), price_ticks: 6_000_000 };
    let _ = commands::naming(&frame);
    match frame.template() {
        99 => commands::new_order(symbols, &origin, &frame.message()?, out).map(drop),
        101 => commands::cancel(&origin, &frame.message()?, out).map(drop),
        97 => commands::replace(symbols, &origin, &frame.message()?, out).map(drop),
        100 => commands::new_list(symbols, &origin, &frame.message()?, &mut Vec::new(), out).map(drop),
        103 => commands::mass_cancel(symbols, &origin, &frame.message()?, out).map(drop),
        105 => commands::amend(symbols, &origin, &frame.message()?, |_| Some(known), out).map(drop),
        _ => Ok(read_logon(&frame.message()?).map(drop)?),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = frame_length(bytes, CLIENT_FRAME_MAX);
    let (engine, symbols) = &*VENUE;
    let mut records = Vec::new();
    let is_command = read(symbols, bytes, &mut records).is_ok();
    assert!(is_command || records.is_empty(), "what is refused leaves nothing");
    if let Some(first) = records.first() {
        assert_eq!(usize::from(first.header.record_count), records.len());
        let mut engine = engine.clone();
        engine.apply(&records, &mut EventBuffer::default());
        engine.check_invariants();
    }
});
