//! Records, made from what a test knows.

use tradewright_types::{
    Amount, CommandHeader, CommandKind, CommandRecord, InstrumentKind, InstrumentLimitsRecord, InstrumentUnitsRecord,
    MoneyRecord, Name, NamedRecord, SCHEMA_VERSION, SettingRecord, Wide,
};
use zerocopy::transmute;

pub(crate) fn named(kind: CommandKind, id: u32, attribute: u8, schedule: u16, name: &str) -> CommandRecord {
    let mut field = [0; Name::LENGTH_MAX];
    field[..name.len()].copy_from_slice(name.as_bytes());
    transmute!(NamedRecord {
        header: CommandHeader::new(kind),
        id,
        attribute,
        name_length: name.len() as u8,
        fee_schedule: schedule,
        name: field,
    })
}

/// What an instrument is counted in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    pub(crate) base: u32,
    pub(crate) quote: u32,
    pub(crate) quote_quanta_per_tick_lot: u64,
    pub(crate) base_quanta_per_lot: u64,
}

pub(crate) fn units(units: Units) -> CommandRecord {
    transmute!(InstrumentUnitsRecord {
        kind: CommandKind::InstrumentUnits as u8,
        schema_version: SCHEMA_VERSION,
        reserved: [0; 6],
        base: units.base,
        quote: units.quote,
        quote_quanta_per_tick_lot: units.quote_quanta_per_tick_lot,
        base_quanta_per_lot: units.base_quanta_per_lot,
        reserved_values: [0; 4],
    })
}

/// Limits that no order of a test reaches.
pub(crate) fn wide_limits() -> InstrumentLimitsRecord {
    InstrumentLimitsRecord {
        kind: CommandKind::InstrumentLimits as u8,
        schema_version: SCHEMA_VERSION,
        reserved: [0; 2],
        price_increment_ticks: 1,
        band_down_ppm: 1_000_000,
        band_up_ppm: 4_000_000_000,
        quantity_increment_lots: 1,
        quantity_min_lots: 1,
        quantity_max_lots: 1 << 40,
        notional_min_quanta: 0,
        notional_max: Wide::from(Amount::from_quanta(1 << 62)),
    }
}

pub(crate) fn listing(
    id: u32,
    name: &str,
    schedule: u16,
    of: Units,
    limits: InstrumentLimitsRecord,
) -> Vec<CommandRecord> {
    let first = named(CommandKind::ListInstrument, id, InstrumentKind::Spot as u8, schedule, name);
    command(vec![first, units(of), transmute!(limits)])
}

/// The records of one command, with the count that the first must have.
pub(crate) fn command(mut records: Vec<CommandRecord>) -> Vec<CommandRecord> {
    records[0].header.record_count = records.len() as u16;
    records
}

pub(crate) fn setting(kind: CommandKind) -> SettingRecord {
    let header = CommandHeader::new(kind);
    SettingRecord { header, account: 0, instrument: 0, scope: 0, tier: 0, fee_schedule: 0, reserved: 0, values: [0; 3] }
}

pub(crate) fn money(kind: CommandKind, account: u32, asset: u32, amount: i128) -> MoneyRecord {
    MoneyRecord {
        header: CommandHeader::new(kind),
        account,
        asset,
        counter_account: 0,
        transfer_kind: 0,
        reserved: [0; 3],
        amount: Wide::from(amount),
        withdrawal: 0,
    }
}
