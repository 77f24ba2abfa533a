//! A venue with one instrument, BTC/USDT: a tick is 0.01 USDT, a lot 0.00001 BTC, a quantum of USDT 10^-8.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_protocol::symbols::Symbols;
use tradewright_sim::venue::{Listing, add_asset, deposit, list_spot, open_account, set_reference_price};
use tradewright_types::{AccountId, AccountKind, Amount, CommandRecord, Price};

/// The client.
pub(crate) const CLIENT: AccountId = AccountId(2);

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
    for account in [CLIENT, AccountId(3)] {
        commands.push(open_account(account, AccountKind::Client, &format!("client-{account}")));
        commands.push(deposit(account, 0, Amount::from_quanta(1 << 60)));
        commands.push(deposit(account, 1, Amount::from_quanta(1 << 80)));
    }
    apply(&mut engine, &commands);
    engine
}

/// Applies commands, each of which must be accepted.
pub(crate) fn apply(engine: &mut Engine, commands: &[CommandRecord]) {
    let mut events = EventBuffer::default();
    engine.apply_all(commands, &mut events);
    assert_eq!(events.as_slice().iter().find(|event| event.kind == 1), None, "nothing is refused");
}

pub(crate) fn symbols() -> Symbols {
    Symbols::of(&engine())
}
