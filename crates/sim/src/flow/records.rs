//! Command records that `venue.rs` has no maker for. Their time is filled in when they are sent.

use tradewright_types::{
    AccountId, AllocationRule, Amount, ApprovalBands, ApprovalBandsRecord, ApprovalHashRecord, AuctionPhase, CallTerms,
    CommandHeader, CommandKind, CommandRecord, ControlScope, InstrumentLimitsRecord, InstrumentState, KillScope,
    MoneyRecord, Restriction, SCHEMA_VERSION, SessionId, SettingRecord, TransferKind, Wide,
};
use zerocopy::transmute;

use super::market::Limits;

/// Shares the prices of an instrument in steps, with a part in time order, no share below a lot and leveling; with the
/// privilege of the order that bettered the market, and a lead market maker.
pub(super) fn share_in_steps(instrument: u32, top_lots: [u64; 2], lead: AccountId) -> [CommandRecord; 3] {
    let set = |kind, account, scope, values| {
        transmute!(SettingRecord { header: CommandHeader::new(kind), account, instrument, scope, values, ..PLAIN })
    };
    let [minimum, maximum] = top_lots;
    [
        set(CommandKind::SetAllocation, 0, AllocationRule::Split as u8, [1, 400_000, 1]),
        set(CommandKind::SetTop, 0, 0, [minimum, maximum, 0]),
        set(CommandKind::SetLead, lead.0, 0, [100_000, 0, 0]),
    ]
}

/// Sets the state of an instrument.
pub(super) fn set_state(instrument: usize, state: InstrumentState, phase: AuctionPhase) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::SetInstrumentState);
    let (scope, tier) = (state as u8, phase as u8);
    transmute!(SettingRecord { header, instrument: instrument as u32, scope, tier, ..PLAIN })
}

/// Schedules a state other than an auction: its time, how much later it may be, and the draw for that.
pub(super) fn schedule_state(instrument: usize, state: InstrumentState, values: [u64; 3]) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::ScheduleInstrumentState);
    transmute!(SettingRecord { header, instrument: instrument as u32, scope: state as u8, values, ..PLAIN })
}

pub(super) fn auction_terms(instrument: usize, terms: &CallTerms) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::SetAuctionTerms);
    let values = [u64::from(terms.collar_ppm), terms.extension_ns, terms.call_ns];
    transmute!(SettingRecord { header, instrument: instrument as u32, tier: terms.extensions_max, values, ..PLAIN })
}

/// Sets a breaker: the first of two records.
pub(super) fn set_breaker(instrument: usize) -> CommandRecord {
    let header = CommandHeader { record_count: 2, ..CommandHeader::new(CommandKind::SetBreaker) };
    transmute!(SettingRecord { header, instrument: instrument as u32, ..PLAIN })
}

/// [`CommandKind::SetMarketReference`] or [`CommandKind::SetMarketLevel`].
pub(super) fn market_index(kind: CommandKind, ticks: i64) -> CommandRecord {
    let header = CommandHeader::new(kind);
    transmute!(SettingRecord { header, values: [ticks as u64, 0, 0], ..PLAIN })
}

const PLAIN: SettingRecord = SettingRecord {
    header: CommandHeader::new(CommandKind::AdvanceTime),
    account: 0,
    instrument: 0,
    scope: 0,
    tier: 0,
    fee_schedule: 0,
    reserved: 0,
    values: [0; 3],
};

/// Sets one value of an account: its trade group, its permissions.
pub(super) fn of_account(kind: CommandKind, account: AccountId, value: u64) -> CommandRecord {
    transmute!(SettingRecord { header: CommandHeader::new(kind), account: account.0, values: [value, 0, 0], ..PLAIN })
}

pub(super) fn account_fee_tier(account: AccountId, tier: u8) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::SetAccountFeeTier);
    transmute!(SettingRecord { header, account: account.0, tier, ..PLAIN })
}

/// Shares the prices of an instrument in proportion to what is open.
pub(super) fn share_pro_rata(instrument: u32) -> CommandRecord {
    let (header, scope) = (CommandHeader::new(CommandKind::SetAllocation), AllocationRule::ProRata as u8);
    transmute!(SettingRecord { header, instrument, scope, ..PLAIN })
}

pub(super) fn fee_tier(fee_schedule: u16, tier: u8, taker_ppm: i32, maker_ppm: i32) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::SetFeeTier);
    let values = [i64::from(taker_ppm) as u64, i64::from(maker_ppm) as u64, 0];
    transmute!(SettingRecord { header, tier, fee_schedule, values, ..PLAIN })
}

/// [`CommandKind::SetMarkPrice`] or [`CommandKind::SetIndexPrice`].
pub(super) fn trigger_price(kind: CommandKind, instrument: usize, ticks: i64) -> CommandRecord {
    let header = CommandHeader::new(kind);
    transmute!(SettingRecord { header, instrument: instrument as u32, values: [ticks as u64, 0, 0], ..PLAIN })
}

/// What a halt or resume is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Venue,
    Instrument(usize),
    Account(AccountId),
}

/// [`CommandKind::Halt`] or [`CommandKind::Resume`].
pub(super) fn halt_or_resume(kind: CommandKind, scope: Scope) -> CommandRecord {
    let (scope, instrument, account) = match scope {
        Scope::Venue => (0, 0, 0),
        Scope::Instrument(instrument) => (1, instrument as u32, 0),
        Scope::Account(account) => (2, 0, account.0),
    };
    transmute!(SettingRecord { header: CommandHeader::new(kind), account, instrument, scope, ..PLAIN })
}

/// [`CommandKind::EngageKillSwitch`] or [`CommandKind::ReleaseKillSwitch`].
pub(super) fn kill_switch(kind: CommandKind, scope: KillScope) -> CommandRecord {
    let (account, other) = scope.ids();
    let values = [u64::from(other), 0, 0];
    transmute!(SettingRecord { header: CommandHeader::new(kind), account, scope: scope.code(), values, ..PLAIN })
}

/// Says that the connection of a session is gone.
pub(super) fn end_session(session: SessionId) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::EndSession);
    transmute!(SettingRecord { header, values: [u64::from(session.0), 0, 0], ..PLAIN })
}

/// Sets above which worth the orders of an account need approvers.
pub(super) fn approval_bands(account: AccountId, bands: &ApprovalBands) -> [CommandRecord; 2] {
    let header = CommandHeader { record_count: 2, ..CommandHeader::new(CommandKind::SetApprovalBands) };
    let scope = 2;
    [
        transmute!(SettingRecord { header, account: account.0, scope, ..PLAIN }),
        transmute!(ApprovalBandsRecord::new(bands)),
    ]
}

pub(super) fn approve(approver: AccountId, order: u64, hash: [u8; 32]) -> [CommandRecord; 2] {
    let approve = CommandRecord::new(CommandKind::ApproveOrder);
    [CommandRecord { account: approver.0, order_ref: order, ..approve }, transmute!(ApprovalHashRecord::new(hash))]
}

pub(super) fn decline(approver: AccountId, order: u64) -> CommandRecord {
    CommandRecord { account: approver.0, order_ref: order, ..CommandRecord::new(CommandKind::DeclineOrder) }
}

/// Restricts on one instrument, and takes the open orders that are forbidden, or lets them stay.
pub(super) fn restrict(
    scope: ControlScope,
    instrument: usize,
    level: Restriction,
    takes_orders: bool,
) -> CommandRecord {
    let header = CommandHeader::new(CommandKind::SetRestriction);
    let (account, group) = scope.ids();
    transmute!(SettingRecord {
        header,
        account,
        instrument: instrument as u32,
        scope: scope.code(),
        tier: level as u8,
        values: [u64::from(group), u64::from(takes_orders), 0],
        ..PLAIN
    })
}

/// The limits of an instrument, to stand behind a listing or a change of limits.
pub(super) fn limits(limits: &Limits) -> CommandRecord {
    transmute!(InstrumentLimitsRecord {
        kind: CommandKind::InstrumentLimits as u8,
        schema_version: SCHEMA_VERSION,
        reserved: [0; 2],
        price_increment_ticks: limits.price_increment_ticks as u32,
        band_down_ppm: limits.band_ppm as u32,
        band_up_ppm: limits.band_ppm as u32,
        quantity_increment_lots: limits.quantity_increment_lots,
        quantity_min_lots: limits.quantity_min_lots,
        quantity_max_lots: limits.quantity_max_lots,
        notional_min_quanta: limits.notional_min_quanta,
        notional_max: Wide::from(Amount::from_quanta(i128::from(limits.notional_max_quanta))),
    })
}

/// Replaces the limits of an instrument: the first of two records.
pub(super) fn set_limits(instrument: usize) -> CommandRecord {
    let header = CommandHeader { record_count: 2, ..CommandHeader::new(CommandKind::SetInstrumentLimits) };
    transmute!(SettingRecord { header, instrument: instrument as u32, ..PLAIN })
}

fn money(kind: CommandKind, account: AccountId, asset: u32, quanta: i128) -> MoneyRecord {
    MoneyRecord {
        header: CommandHeader::new(kind),
        account: account.0,
        asset,
        counter_account: 0,
        transfer_kind: 0,
        reserved: [0; 3],
        amount: Wide::from(Amount::from_quanta(quanta)),
        withdrawal: 0,
    }
}

pub(super) fn withdraw(account: AccountId, asset: u32, quanta: i128) -> CommandRecord {
    transmute!(money(CommandKind::RequestWithdrawal, account, asset, quanta))
}

/// [`CommandKind::ConfirmWithdrawal`] or [`CommandKind::CancelWithdrawal`].
pub(super) fn end_withdrawal(kind: CommandKind, withdrawal: u64) -> CommandRecord {
    transmute!(MoneyRecord { withdrawal, ..money(kind, AccountId(0), 0, 0) })
}

pub(super) fn transfer(kind: TransferKind, from: AccountId, to: AccountId, asset: u32, quanta: i128) -> CommandRecord {
    transmute!(MoneyRecord {
        counter_account: to.0,
        transfer_kind: kind as u8,
        ..money(CommandKind::Transfer, from, asset, quanta)
    })
}
