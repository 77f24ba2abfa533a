//! Venues for benches and tests, as the commands that set them up.

pub use tradewright_types::set_up::{
    add_asset, deposit, open_account, set_account_limits, set_position_limit, set_reference_price,
};
use tradewright_types::{
    AccountId, AccountKind, Amount, AssetId, CommandRecord, InstrumentLimits, InstrumentUnits, Price, Quantity, set_up,
};

/// All set-up commands have this time; what follows comes after it.
pub const SET_UP_TIME_NS: u64 = 0;

/// The engine's account for the `index`-th trader: the venue's own two come first.
#[must_use]
pub const fn account_of(index: u64) -> AccountId {
    AccountId(index as u32 + 2)
}

/// What an instrument of a venue is like.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Its base asset.
    pub base: u32,
    /// Its quote asset.
    pub quote: u32,
    /// See [`tradewright_types::InstrumentUnits::quote_quanta_per_tick_lot`].
    pub quote_quanta_per_tick_lot: u64,
    /// See [`tradewright_types::InstrumentUnits::base_quanta_per_lot`].
    pub base_quanta_per_lot: u64,
    /// See [`tradewright_types::InstrumentLimits`].
    pub quantity_max_lots: u64,
    /// See [`tradewright_types::InstrumentLimits`].
    pub notional_max: Amount,
    /// See [`tradewright_types::InstrumentLimits`].
    pub band_down_ppm: u32,
    /// See [`tradewright_types::InstrumentLimits`].
    pub band_up_ppm: u32,
}

/// Lists a spot instrument on fee schedule 0.
#[must_use]
pub fn list_spot(id: u32, name: &str, listing: &Listing) -> [CommandRecord; 3] {
    let units = InstrumentUnits {
        base: AssetId(listing.base),
        quote: AssetId(listing.quote),
        quote_quanta_per_tick_lot: listing.quote_quanta_per_tick_lot,
        base_quanta_per_lot: listing.base_quanta_per_lot,
    };
    let limits = InstrumentLimits {
        price_increment_ticks: 1,
        quantity_increment_lots: 1,
        quantity_min: Quantity::from_lots(1),
        quantity_max: Quantity::from_lots(listing.quantity_max_lots),
        notional_min: Amount::from_quanta(1),
        notional_max: listing.notional_max,
        band_down_ppm: listing.band_down_ppm,
        band_up_ppm: listing.band_up_ppm,
    };
    set_up::list_spot(id, name, 0, &units, &limits)
}

/// The venue of the benches: balances that never run out, and every check armed with a limit that is never reached.
#[must_use]
pub fn bench_set_up(instruments: usize, accounts: u64, reference: Price) -> Vec<CommandRecord> {
    let plenty = Amount::from_quanta(1 << 50);
    let mut commands = vec![add_asset(0, 0, "QUOTE")];
    commands.push(set_up::set_fee_tier(0, 0, 1_000, 200));
    for id in 0..instruments as u32 {
        commands.push(add_asset(id + 1, 0, &format!("BASE{id}")));
        let listing = Listing {
            base: id + 1,
            quote: 0,
            quote_quanta_per_tick_lot: 1,
            base_quanta_per_lot: 1,
            quantity_max_lots: 1 << 40,
            notional_max: Amount::from_quanta(1 << 40),
            band_down_ppm: 990_000,
            band_up_ppm: 99_000_000,
        };
        commands.extend(list_spot(id, &format!("BASE{id}/QUOTE"), &listing));
        commands.push(set_reference_price(id, reference));
    }
    for index in 0..accounts {
        let account = account_of(index);
        commands.push(open_account(account, AccountKind::Client, &format!("trader-{index}")));
        commands.push(set_account_limits(account, 1 << 30, 1 << 30, 1 << 30));
        commands.push(deposit(account, 0, plenty));
        for id in 0..instruments as u32 {
            commands.push(deposit(account, id + 1, plenty));
            commands.push(set_position_limit(account, id, 1 << 62));
        }
    }
    commands
}
