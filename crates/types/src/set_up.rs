//! Commands that set a venue up, as records: what benches, simulations and the genesis of a node are made of.
//!
//! All of them carry time 0; who sequences them sets it.

use zerocopy::transmute;

use crate::{
    AccountId, AccountKind, Amount, AssetId, CommandHeader, CommandKind, CommandRecord, HaltScope, InstrumentKind,
    InstrumentLimits, InstrumentLimitsRecord, InstrumentUnits, InstrumentUnitsRecord, KeyKind, KeyMaterial,
    KeyPermissions, Label, MoneyRecord, Name, NamedRecord, Permissions, Price, SCHEMA_VERSION, SettingRecord, ShardId,
    TextRecord, TransferNumber, Wide,
};

fn header(kind: CommandKind, record_count: u16) -> CommandHeader {
    CommandHeader { record_count, ..CommandHeader::new(kind) }
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

/// Lists a spot instrument.
#[must_use]
pub fn list_spot(
    id: u32,
    name: &str,
    fee_schedule: u16,
    units: &InstrumentUnits,
    limits: &InstrumentLimits,
) -> [CommandRecord; 3] {
    let head = named(CommandKind::ListInstrument, 3, id, InstrumentKind::Spot as u8, name);
    [
        transmute!(NamedRecord { fee_schedule, ..transmute!(head) }),
        transmute!(InstrumentUnitsRecord {
            kind: CommandKind::InstrumentUnits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 6],
            base: units.base.0,
            quote: units.quote.0,
            quote_quanta_per_tick_lot: units.quote_quanta_per_tick_lot,
            base_quanta_per_lot: units.base_quanta_per_lot,
            reserved_values: [0; 4],
        }),
        transmute!(InstrumentLimitsRecord {
            kind: CommandKind::InstrumentLimits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 2],
            price_increment_ticks: limits.price_increment_ticks,
            band_down_ppm: limits.band_down_ppm,
            band_up_ppm: limits.band_up_ppm,
            quantity_increment_lots: limits.quantity_increment_lots,
            quantity_min_lots: limits.quantity_min.lots(),
            quantity_max_lots: limits.quantity_max.lots(),
            notional_min_quanta: limits.notional_min.quanta() as u64,
            notional_max: Wide::from(limits.notional_max),
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

/// Sets a tier of a fee schedule.
#[must_use]
pub fn set_fee_tier(fee_schedule: u16, tier: u8, taker_ppm: i32, maker_ppm: i32) -> CommandRecord {
    let values = [i64::from(taker_ppm) as u64, i64::from(maker_ppm) as u64, 0];
    transmute!(SettingRecord { tier, fee_schedule, ..setting(CommandKind::SetFeeTier, AccountId(0), 0, values) })
}

/// Sets an account's limits on open orders and on orders and messages a second.
#[must_use]
pub fn set_account_limits(account: AccountId, open_orders: u32, orders: u32, messages: u32) -> CommandRecord {
    let values = [open_orders, orders, messages].map(u64::from);
    transmute!(setting(CommandKind::SetAccountLimits, account, 0, values))
}

/// Moves an account to another fee tier.
#[must_use]
pub fn set_account_fee_tier(account: AccountId, tier: u8) -> CommandRecord {
    transmute!(SettingRecord { tier, ..setting(CommandKind::SetAccountFeeTier, account, 0, [0; 3]) })
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

fn between_shards(kind: CommandKind, shard: ShardId, number: TransferNumber) -> MoneyRecord {
    MoneyRecord {
        header: header(kind, 1),
        account: 0,
        asset: 0,
        counter_account: shard.0.into(),
        transfer_kind: 0,
        reserved: [0; 3],
        amount: Wide::from(Amount::ZERO),
        withdrawal: number.0,
    }
}

/// Sends money of an account to another shard.
#[must_use]
pub fn send_transfer(to: ShardId, account: AccountId, asset: AssetId, amount: Amount) -> CommandRecord {
    let record = between_shards(CommandKind::SendTransfer, to, TransferNumber(0));
    transmute!(MoneyRecord { account: account.0, asset: asset.0, amount: Wide::from(amount), ..record })
}

/// Takes in what another shard sent.
#[must_use]
pub fn receive_transfer(
    from: ShardId,
    number: TransferNumber,
    account: AccountId,
    asset: AssetId,
    amount: Amount,
) -> CommandRecord {
    let record = between_shards(CommandKind::ReceiveTransfer, from, number);
    transmute!(MoneyRecord { account: account.0, asset: asset.0, amount: Wide::from(amount), ..record })
}

/// Tells that what was sent has been received.
#[must_use]
pub fn confirm_transfer(to: ShardId, number: TransferNumber) -> CommandRecord {
    transmute!(between_shards(CommandKind::ConfirmTransfer, to, number))
}

/// Sets what an account may do.
#[must_use]
pub fn set_permissions(account: AccountId, permissions: Permissions) -> CommandRecord {
    transmute!(setting(CommandKind::SetPermissions, account, 0, [u64::from(permissions.0), 0, 0]))
}

/// Puts an account into a trade group.
#[must_use]
pub fn set_trade_group(account: AccountId, group: u32) -> CommandRecord {
    transmute!(setting(CommandKind::SetTradeGroup, account, 0, [u64::from(group), 0, 0]))
}

/// Registers the public half of an Ed25519 key of an account.
#[must_use]
pub fn register_public_key(
    id: &Label,
    account: AccountId,
    permissions: KeyPermissions,
    public: &[u8; 32],
) -> [CommandRecord; 3] {
    let values = [u64::from(permissions.0), public.len() as u64, 0];
    let head = setting(CommandKind::RegisterKey, account, 0, values);
    let header = CommandHeader { record_count: 3, ..head.header };
    [
        transmute!(SettingRecord { header, tier: KeyKind::Ed25519 as u8, ..head }),
        bytes(CommandKind::Text, id.as_bytes()),
        bytes(CommandKind::KeyBytes, public),
    ]
}

/// Registers a key of an account, of any kind.
#[must_use]
pub fn register_key(
    id: &Label,
    account: AccountId,
    permissions: KeyPermissions,
    kind: KeyKind,
    key: &KeyMaterial,
) -> Vec<CommandRecord> {
    let values = [u64::from(permissions.0), key.as_bytes().len() as u64, 0];
    let head = setting(CommandKind::RegisterKey, account, 0, values);
    let mut records = vec![CommandRecord::new(CommandKind::RegisterKey), bytes(CommandKind::Text, id.as_bytes())];
    records.extend(CommandRecord::key_bytes(key));
    let header = CommandHeader { record_count: records.len() as u16, ..head.header };
    records[0] = transmute!(SettingRecord { header, tier: kind as u8, ..head });
    records
}

/// Revokes the key with this id.
#[must_use]
pub fn revoke_key(id: &Label) -> [CommandRecord; 2] {
    let head = setting(CommandKind::RevokeKey, AccountId(0), 0, [0; 3]);
    let header = CommandHeader { record_count: 2, ..head.header };
    [transmute!(SettingRecord { header, ..head }), bytes(CommandKind::Text, id.as_bytes())]
}

/// A record of bytes behind another one.
fn bytes(kind: CommandKind, content: &[u8]) -> CommandRecord {
    let mut bytes = [0; 56];
    bytes[..content.len()].copy_from_slice(content);
    transmute!(TextRecord {
        kind: kind as u8,
        schema_version: SCHEMA_VERSION,
        length: content.len() as u8,
        reserved: [0; 5],
        bytes,
    })
}

/// Lets time pass.
#[must_use]
pub fn advance_time() -> CommandRecord {
    transmute!(setting(CommandKind::AdvanceTime, AccountId(0), 0, [0; 3]))
}

/// Halts the venue, an instrument or an account.
#[must_use]
pub fn halt(scope: HaltScope) -> CommandRecord {
    transmute!(scoped(CommandKind::Halt, scope))
}

/// Ends a halt.
#[must_use]
pub fn resume(scope: HaltScope) -> CommandRecord {
    transmute!(scoped(CommandKind::Resume, scope))
}

fn scoped(kind: CommandKind, scope: HaltScope) -> SettingRecord {
    match scope {
        HaltScope::Venue => setting(kind, AccountId(0), 0, [0; 3]),
        HaltScope::Instrument(id) => SettingRecord { scope: 1, ..setting(kind, AccountId(0), id.0, [0; 3]) },
        HaltScope::Account(id) => SettingRecord { scope: 2, ..setting(kind, id, 0, [0; 3]) },
    }
}
