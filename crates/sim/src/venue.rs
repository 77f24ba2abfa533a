//! Venues for benches and tests, as the commands that set them up.

use tradewright_types::{
    AccountId, AccountKind, Amount, CommandHeader, CommandKind, CommandRecord, InstrumentKind, InstrumentLimitsRecord,
    InstrumentUnitsRecord, MoneyRecord, Name, NamedRecord, Price, SCHEMA_VERSION, SettingRecord, Wide,
};
use zerocopy::transmute;

/// All set-up commands have this time; what follows comes after it.
pub const SET_UP_TIME_NS: u64 = 0;

/// The engine's account for the `index`-th trader: the venue's own two come first.
#[must_use]
pub const fn account_of(index: u64) -> AccountId {
    AccountId(index as u32 + 2)
}

fn header(kind: CommandKind, record_count: u16) -> CommandHeader {
    CommandHeader { record_count, time_ns: SET_UP_TIME_NS, ..CommandHeader::new(kind) }
}

fn named(kind: CommandKind, record_count: u16, id: u32, attribute: u8, name: &str) -> CommandRecord {
    let mut field = [0; Name::LENGTH_MAX];
    field[..name.len()].copy_from_slice(name.as_bytes());
    transmute!(NamedRecord {
        header: header(kind, record_count),
        id,
        attribute,
        name_length: name.len() as u8,
        fee_schedule: 0,
        name: field,
    })
}

/// Adds an asset.
#[must_use]
pub fn add_asset(id: u32, scale: u8, name: &str) -> CommandRecord {
    named(CommandKind::AddAsset, 1, id, scale, name)
}

/// Opens an account.
#[must_use]
pub fn open_account(id: AccountId, kind: AccountKind, name: &str) -> CommandRecord {
    named(CommandKind::OpenAccount, 1, id.0, kind as u8, name)
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
    let kind = InstrumentKind::Spot as u8;
    [
        named(CommandKind::ListInstrument, 3, id, kind, name),
        transmute!(InstrumentUnitsRecord {
            kind: CommandKind::InstrumentUnits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 6],
            base: listing.base,
            quote: listing.quote,
            quote_quanta_per_tick_lot: listing.quote_quanta_per_tick_lot,
            base_quanta_per_lot: listing.base_quanta_per_lot,
            reserved_values: [0; 4],
        }),
        transmute!(InstrumentLimitsRecord {
            kind: CommandKind::InstrumentLimits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 2],
            price_increment_ticks: 1,
            band_down_ppm: listing.band_down_ppm,
            band_up_ppm: listing.band_up_ppm,
            quantity_increment_lots: 1,
            quantity_min_lots: 1,
            quantity_max_lots: listing.quantity_max_lots,
            notional_min_quanta: 1,
            notional_max: Wide::from(listing.notional_max),
        }),
    ]
}

fn setting(kind: CommandKind, account: AccountId, instrument: u32, values: [u64; 3]) -> SettingRecord {
    SettingRecord {
        header: header(kind, 1),
        account: account.0,
        instrument,
        scope: 0,
        tier: 0,
        fee_schedule: 0,
        reserved: 0,
        values,
    }
}

/// Sets the reference price of an instrument's band.
#[must_use]
pub fn set_reference_price(instrument: u32, price: Price) -> CommandRecord {
    transmute!(setting(CommandKind::SetReferencePrice, AccountId(0), instrument, [price.ticks() as u64, 0, 0]))
}

/// Sets a tier of fee schedule 0.
#[must_use]
pub fn set_fee_tier(tier: u8, taker_ppm: i32, maker_ppm: i32) -> CommandRecord {
    let values = [i64::from(taker_ppm) as u64, i64::from(maker_ppm) as u64, 0];
    transmute!(SettingRecord { tier, ..setting(CommandKind::SetFeeTier, AccountId(0), 0, values) })
}

/// Sets an account's limits on open orders and on orders and messages a second.
#[must_use]
pub fn set_account_limits(account: AccountId, open_orders: u32, orders: u32, messages: u32) -> CommandRecord {
    let values = [open_orders, orders, messages].map(u64::from);
    transmute!(setting(CommandKind::SetAccountLimits, account, 0, values))
}

/// Limits an account's position in an instrument.
#[must_use]
pub fn set_position_limit(account: AccountId, instrument: u32, lots: u64) -> CommandRecord {
    transmute!(setting(CommandKind::SetPositionLimit, account, instrument, [lots, 0, 0]))
}

/// Brings money in.
#[must_use]
pub fn deposit(account: AccountId, asset: u32, amount: Amount) -> CommandRecord {
    transmute!(MoneyRecord {
        header: header(CommandKind::Deposit, 1),
        account: account.0,
        asset,
        counter_account: 0,
        transfer_kind: 0,
        reserved: [0; 3],
        amount: Wide::from(amount),
        withdrawal: 0,
    })
}

/// The venue of the benches: balances that never run out, and every check armed with a limit that is never reached.
#[must_use]
pub fn bench_set_up(instruments: usize, accounts: u64, reference: Price) -> Vec<CommandRecord> {
    let plenty = Amount::from_quanta(1 << 50);
    let mut commands = vec![add_asset(0, 0, "QUOTE")];
    commands.push(set_fee_tier(0, 1_000, 200));
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
