//! Commands that are not about orders: assets, instruments, accounts, limits, halts, money.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute_ref};

use crate::text::Name;
use crate::{
    ANY, AccountId, AccountKind, AllocationRule, AllocationTerms, Amount, ApprovalBands, ApprovalBandsRecord,
    ApprovalHashRecord, AssetId, AuctionPhase, BandScope, BreakerRecord, BreakerTerms, CallTerms, CommandHeader,
    CommandKind, CommandRecord, ControlScope, Decoded, FeeRate, FeeRates, InstrumentId, InstrumentKind,
    InstrumentLimits, InstrumentState, InstrumentUnits, KeyKind, KeyMaterial, KeyPermissions, KillScope, Label,
    OrderId, Permissions, Price, PriceSource, ProtectionScope, ProtectionTerms, Quantity, RejectReason, Restriction,
    SessionId, ShardId, TextRecord, TopTerms, TransferKind, TransferNumber, Trigger, Wide, WithdrawalId,
};

/// A record that names something new: an asset, an instrument, an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct NamedRecord {
    /// What, when and whose.
    pub header: CommandHeader,
    /// The new id: the next free one.
    pub id: u32,
    /// Decimal places of the asset's quantum, [`InstrumentKind`] or [`AccountKind`].
    pub attribute: u8,
    /// How many bytes of the name count.
    pub name_length: u8,
    /// The instrument's fee schedule.
    pub fee_schedule: u16,
    /// The name.
    pub name: [u8; Name::LENGTH_MAX],
}

/// A record that sets something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SettingRecord {
    /// What, when and whose.
    pub header: CommandHeader,
    /// The account it is about.
    pub account: u32,
    /// The instrument it is about.
    pub instrument: u32,
    /// 0 venue, 1 instrument, 2 account, 3 trade group: what a halt or a control is about.
    pub scope: u8,
    /// Fee tier; the level of a restriction.
    pub tier: u8,
    /// Fee schedule.
    pub fee_schedule: u16,
    /// Zero.
    pub reserved: u32,
    /// The values, in the order that the command's page names them.
    pub values: [u64; 3],
}

/// A record that moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MoneyRecord {
    /// What, when and whose.
    pub header: CommandHeader,
    /// Whose money.
    pub account: u32,
    /// Which asset.
    pub asset: u32,
    /// The receiver of a transfer; of a transfer between shards the other shard.
    pub counter_account: u32,
    /// A [`TransferKind`].
    pub transfer_kind: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// How much, in quanta.
    pub amount: Wide,
    /// Which withdrawal is confirmed or cancelled; the number of a transfer between shards.
    pub withdrawal: u64,
}

/// Follows a listing: the instrument's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct InstrumentUnitsRecord {
    /// [`CommandKind::InstrumentUnits`].
    pub kind: u8,
    /// [`crate::SCHEMA_VERSION`].
    pub schema_version: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// Base asset.
    pub base: u32,
    /// Quote asset.
    pub quote: u32,
    /// See [`InstrumentUnits::quote_quanta_per_tick_lot`].
    pub quote_quanta_per_tick_lot: u64,
    /// See [`InstrumentUnits::base_quanta_per_lot`].
    pub base_quanta_per_lot: u64,
    /// Zero; room for strike, expiry and multiplier.
    pub reserved_values: [u64; 4],
}

/// Follows a listing or a change of limits: the instrument's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct InstrumentLimitsRecord {
    /// [`CommandKind::InstrumentLimits`].
    pub kind: u8,
    /// [`crate::SCHEMA_VERSION`].
    pub schema_version: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// See [`InstrumentLimits::price_increment_ticks`].
    pub price_increment_ticks: u32,
    /// See [`InstrumentLimits::band_down_ppm`].
    pub band_down_ppm: u32,
    /// See [`InstrumentLimits::band_up_ppm`].
    pub band_up_ppm: u32,
    /// See [`InstrumentLimits::quantity_increment_lots`].
    pub quantity_increment_lots: u64,
    /// See [`InstrumentLimits::quantity_min`].
    pub quantity_min_lots: u64,
    /// See [`InstrumentLimits::quantity_max`].
    pub quantity_max_lots: u64,
    /// See [`InstrumentLimits::notional_min`].
    pub notional_min_quanta: u64,
    /// See [`InstrumentLimits::notional_max`].
    pub notional_max: Wide,
}

const _: () = {
    assert!(size_of::<NamedRecord>() == 64);
    assert!(size_of::<SettingRecord>() == 64);
    assert!(size_of::<MoneyRecord>() == 64);
    assert!(size_of::<InstrumentUnitsRecord>() == 64);
    assert!(size_of::<InstrumentLimitsRecord>() == 64);
};

/// How many fee schedules there can be.
pub const FEE_SCHEDULES_MAX: u16 = 256;

/// What an account may send and keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountLimits {
    /// Open orders at one time.
    pub open_orders_max: u32,
    /// New orders in one second of engine time.
    pub orders_per_second_max: u32,
    /// Messages about orders in one second of engine time.
    pub messages_per_second_max: u32,
}

/// What a halt or resume is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HaltScope {
    /// Everything.
    Venue,
    /// One instrument.
    Instrument(InstrumentId),
    /// One account.
    Account(AccountId),
}

/// A change of state at a time to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScheduledState {
    /// When it is due: the time given and what was drawn of the window.
    pub due_ns: u64,
    /// The state.
    pub state: InstrumentState,
    /// Of an auction, which one it is.
    pub phase: AuctionPhase,
}

/// A command that is not about orders, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the command of the same name; its fields are the command's")]
pub enum Setting {
    AdvanceTime,
    AddAsset {
        id: AssetId,
        scale: u8,
        name: Name,
    },
    ListInstrument {
        id: InstrumentId,
        kind: InstrumentKind,
        fee_schedule: u16,
        name: Name,
        units: InstrumentUnits,
        limits: InstrumentLimits,
    },
    SetInstrumentLimits {
        instrument: InstrumentId,
        limits: InstrumentLimits,
    },
    SetReferencePrice {
        instrument: InstrumentId,
        price: Option<Price>,
    },
    SetTriggerPrice {
        instrument: InstrumentId,
        source: PriceSource,
        price: Price,
    },
    SetAllocation {
        instrument: InstrumentId,
        terms: AllocationTerms,
    },
    SetTop {
        instrument: InstrumentId,
        top: Option<TopTerms>,
    },
    SetLead {
        instrument: InstrumentId,
        account: AccountId,
        share_ppm: u32,
    },
    SetQuoteProtection {
        scope: ProtectionScope,
        /// None ends it.
        terms: Option<ProtectionTerms>,
    },
    ResetQuoteProtection(ProtectionScope),
    SetInstrumentState {
        instrument: InstrumentId,
        state: InstrumentState,
        phase: AuctionPhase,
    },
    ScheduleInstrumentState {
        instrument: InstrumentId,
        change: Option<ScheduledState>,
        values: [u64; 3],
    },
    SetAuctionTerms {
        instrument: InstrumentId,
        terms: CallTerms,
    },
    SetBreaker {
        instrument: InstrumentId,
        terms: BreakerTerms,
    },
    SetMarketReference {
        close: Option<Price>,
    },
    SetMarketLevel {
        index: Price,
    },
    SetFeeTier {
        schedule: u16,
        tier: u8,
        rates: FeeRates,
    },
    OpenAccount {
        id: AccountId,
        kind: AccountKind,
        name: Name,
    },
    SetAccountLimits {
        account: AccountId,
        limits: AccountLimits,
    },
    SetAccountFeeTier {
        account: AccountId,
        tier: u8,
    },
    SetTradeGroup {
        account: AccountId,
        group: u32,
    },
    SetPermissions {
        account: AccountId,
        permissions: Permissions,
    },
    SetPositionLimit {
        account: AccountId,
        instrument: InstrumentId,
        lots: u64,
    },
    Halt(HaltScope),
    Resume(HaltScope),
    EngageKillSwitch(KillScope),
    ReleaseKillSwitch(KillScope),
    EndSession(SessionId),
    OpenSession {
        /// None is the venue's operators.
        account: Option<AccountId>,
        name: Label,
    },
    RegisterKey {
        id: Label,
        /// None is an operator.
        account: Option<AccountId>,
        kind: KeyKind,
        permissions: KeyPermissions,
        key: KeyMaterial,
    },
    RevokeKey(Label),
    SetApprovalBands {
        scope: BandScope,
        bands: ApprovalBands,
    },
    ApproveOrder {
        approver: AccountId,
        order: OrderId,
        hash: [u8; 32],
    },
    DeclineOrder {
        approver: AccountId,
        order: OrderId,
    },
    SetRestriction {
        scope: ControlScope,
        instrument: InstrumentId,
        restriction: Restriction,
        /// Whether the open orders go that it forbids.
        cancels: bool,
    },
    Deposit {
        account: AccountId,
        asset: AssetId,
        amount: Amount,
    },
    RequestWithdrawal {
        account: AccountId,
        asset: AssetId,
        amount: Amount,
    },
    ConfirmWithdrawal(WithdrawalId),
    CancelWithdrawal(WithdrawalId),
    Transfer {
        from: AccountId,
        to: AccountId,
        asset: AssetId,
        amount: Amount,
        kind: TransferKind,
    },
    SendTransfer {
        to: ShardId,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
    },
    ReceiveTransfer {
        from: ShardId,
        number: TransferNumber,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
    },
    ConfirmTransfer {
        to: ShardId,
        number: TransferNumber,
    },
}

impl Setting {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in the order in which the fields are read.
    pub fn read(kind: CommandKind, records: &[CommandRecord]) -> Decoded<Self> {
        let (setting, rest) = Self::decode(kind, records)?;
        if rest.is_empty() { Ok(setting) } else { Err(RejectReason::MalformedRecords) }
    }

    /// Reads a setting from its records and returns those that follow.
    fn decode(kind: CommandKind, records: &[CommandRecord]) -> Decoded<(Self, &[CommandRecord])> {
        let (first, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
        let setting: &SettingRecord = transmute_ref!(first);
        let (account, instrument) = (AccountId(setting.account), InstrumentId(setting.instrument));
        let [first_value, second_value, third_value] = setting.values;
        let out_of_range = RejectReason::SettingOutOfRange;
        let decoded = match kind {
            CommandKind::AdvanceTime => Self::AdvanceTime,
            CommandKind::AddAsset | CommandKind::OpenAccount | CommandKind::ListInstrument => {
                return Self::decode_named(kind, transmute_ref!(first), rest);
            }
            CommandKind::SetInstrumentLimits => {
                let (limits, rest) = decode_limits(rest)?;
                return Ok((Self::SetInstrumentLimits { instrument, limits }, rest));
            }
            CommandKind::SetReferencePrice => {
                let ticks = i64::try_from(first_value).ok().filter(|ticks| *ticks <= 1 << 62).ok_or(out_of_range)?;
                let price = (ticks != 0).then_some(Price::from_ticks(ticks));
                Self::SetReferencePrice { instrument, price }
            }
            CommandKind::SetMarkPrice | CommandKind::SetIndexPrice => {
                let in_range = i64::try_from(first_value).ok().map(Price::from_ticks);
                let price = in_range.filter(|price| price.ticks() > 0 && *price <= Trigger::PRICE_MAX);
                let source = if kind == CommandKind::SetMarkPrice { PriceSource::Mark } else { PriceSource::Index };
                Self::SetTriggerPrice { instrument, source, price: price.ok_or(out_of_range)? }
            }
            CommandKind::SetAllocation => {
                let terms = AllocationTerms {
                    rule: AllocationRule::from_code(setting.scope).ok_or(out_of_range)?,
                    weight: setting.tier,
                    minimum: Quantity::from_lots(first_value),
                    fifo_ppm: u32::try_from(second_value).map_err(|_| out_of_range)?,
                    leveling: third_value == 1,
                };
                if third_value > 1 || !terms.is_valid() {
                    return Err(out_of_range);
                }
                Self::SetAllocation { instrument, terms }
            }
            CommandKind::SetTop => {
                let top = TopTerms::read(first_value, second_value)?;
                Self::SetTop { instrument, top }
            }
            CommandKind::SetLead => {
                let share_ppm = u32::try_from(first_value).ok().filter(|ppm| *ppm <= 1_000_000);
                Self::SetLead { instrument, account, share_ppm: share_ppm.ok_or(out_of_range)? }
            }
            CommandKind::SetQuoteProtection => {
                let scope = ProtectionScope::of(account, setting.instrument);
                Self::SetQuoteProtection { scope, terms: ProtectionTerms::read(setting.values)? }
            }
            CommandKind::ResetQuoteProtection => {
                Self::ResetQuoteProtection(ProtectionScope::of(account, setting.instrument))
            }
            CommandKind::SetInstrumentState => {
                let (state, phase) = decode_state(setting)?;
                Self::SetInstrumentState { instrument, state, phase }
            }
            CommandKind::ScheduleInstrumentState => {
                let change = decode_schedule(setting)?;
                Self::ScheduleInstrumentState { instrument, change, values: setting.values }
            }
            CommandKind::SetAuctionTerms => {
                let terms = CallTerms {
                    collar_ppm: u32::try_from(first_value).map_err(|_| out_of_range)?,
                    extension_ns: second_value,
                    extensions_max: setting.tier,
                    call_ns: third_value,
                };
                if !terms.is_valid() {
                    return Err(out_of_range);
                }
                Self::SetAuctionTerms { instrument, terms }
            }
            CommandKind::SetBreaker => {
                let (first, rest) = rest.split_first().ok_or(RejectReason::MalformedRecords)?;
                let record: &BreakerRecord = transmute_ref!(first);
                if record.kind != CommandKind::Breaker as u8 {
                    return Err(RejectReason::MalformedRecords);
                }
                let terms = record.terms().ok_or(out_of_range)?;
                return Ok((Self::SetBreaker { instrument, terms }, rest));
            }
            CommandKind::SetMarketReference => {
                let ticks = i64::try_from(first_value).ok().filter(|ticks| *ticks <= 1 << 62).ok_or(out_of_range)?;
                Self::SetMarketReference { close: (ticks != 0).then_some(Price::from_ticks(ticks)) }
            }
            CommandKind::SetMarketLevel => {
                let ticks = i64::try_from(first_value).ok().filter(|ticks| (1..=1 << 62).contains(ticks));
                Self::SetMarketLevel { index: Price::from_ticks(ticks.ok_or(out_of_range)?) }
            }
            CommandKind::SetFeeTier => {
                let rate = |value: u64| {
                    let ppm = i32::try_from(value as i64).ok();
                    ppm.filter(|ppm| ppm.unsigned_abs() <= FeeRate::PPM_MAX.unsigned_abs())
                        .map(FeeRate::from_ppm)
                        .ok_or(out_of_range)
                };
                let rates = FeeRates { taker: rate(first_value)?, maker: rate(second_value)? };
                if setting.fee_schedule >= FEE_SCHEDULES_MAX {
                    return Err(out_of_range);
                }
                Self::SetFeeTier { schedule: setting.fee_schedule, tier: setting.tier, rates }
            }
            CommandKind::SetAccountLimits => {
                let narrow = |value: u64| u32::try_from(value).map_err(|_| out_of_range);
                let limits = AccountLimits {
                    open_orders_max: narrow(first_value)?,
                    orders_per_second_max: narrow(second_value)?,
                    messages_per_second_max: narrow(third_value)?,
                };
                Self::SetAccountLimits { account, limits }
            }
            CommandKind::SetAccountFeeTier => Self::SetAccountFeeTier { account, tier: setting.tier },
            CommandKind::SetTradeGroup => {
                let group = u32::try_from(first_value).map_err(|_| out_of_range)?;
                Self::SetTradeGroup { account, group }
            }
            CommandKind::SetPermissions => {
                let bits = u16::try_from(first_value).ok().filter(|bits| bits & !Permissions::ALL.0 == 0);
                Self::SetPermissions { account, permissions: Permissions(bits.ok_or(out_of_range)?) }
            }
            CommandKind::SetPositionLimit => {
                if first_value > 1 << 62 {
                    return Err(out_of_range);
                }
                Self::SetPositionLimit { account, instrument, lots: first_value }
            }
            CommandKind::Halt | CommandKind::Resume => {
                let scope = match setting.scope {
                    0 => HaltScope::Venue,
                    1 => HaltScope::Instrument(instrument),
                    2 => HaltScope::Account(account),
                    _ => return Err(out_of_range),
                };
                if kind == CommandKind::Halt { Self::Halt(scope) } else { Self::Resume(scope) }
            }
            CommandKind::SetApprovalBands => {
                let (bands, rest) = decode_bands(rest)?;
                let scope = match setting.scope {
                    1 => BandScope::Instrument(instrument),
                    2 => BandScope::Account(account),
                    _ => return Err(out_of_range),
                };
                return Ok((Self::SetApprovalBands { scope, bands }, rest));
            }
            CommandKind::ApproveOrder => {
                let (record, rest) = rest.split_first().ok_or(RejectReason::MalformedRecords)?;
                let record: &ApprovalHashRecord = transmute_ref!(record);
                if record.kind != CommandKind::ApprovalHash as u8 {
                    return Err(RejectReason::MalformedRecords);
                }
                let approval =
                    Self::ApproveOrder { approver: account, order: OrderId(first.order_ref), hash: record.hash };
                return Ok((approval, rest));
            }
            CommandKind::DeclineOrder => Self::DeclineOrder { approver: account, order: OrderId(first.order_ref) },
            CommandKind::EngageKillSwitch => Self::EngageKillSwitch(kill_scope(setting)?),
            CommandKind::ReleaseKillSwitch => Self::ReleaseKillSwitch(kill_scope(setting)?),
            CommandKind::EndSession => Self::EndSession(session(setting)?),
            CommandKind::OpenSession => {
                let (name, rest) = decode_label(rest)?;
                return Ok((Self::OpenSession { account: of_anybody(account), name }, rest));
            }
            CommandKind::RegisterKey => return Self::decode_key(setting, rest),
            CommandKind::RevokeKey => {
                let (id, rest) = decode_label(rest)?;
                return Ok((Self::RevokeKey(id), rest));
            }
            CommandKind::SetRestriction => {
                let restriction = Restriction::from_code(setting.tier).filter(|_| second_value <= 1);
                let (scope, restriction) = (control_scope(setting)?, restriction.ok_or(out_of_range)?);
                Self::SetRestriction { scope, instrument, restriction, cancels: second_value == 1 }
            }
            CommandKind::Deposit
            | CommandKind::RequestWithdrawal
            | CommandKind::ConfirmWithdrawal
            | CommandKind::CancelWithdrawal
            | CommandKind::Transfer
            | CommandKind::SendTransfer
            | CommandKind::ReceiveTransfer
            | CommandKind::ConfirmTransfer => Self::decode_money(kind, transmute_ref!(first))?,
            CommandKind::PlaceOrder
            | CommandKind::CancelOrder
            | CommandKind::CancelAll
            | CommandKind::AmendOrder
            | CommandKind::ReplaceOrder
            | CommandKind::PlaceList
            | CommandKind::CancelList
            | CommandKind::MassQuote
            | CommandKind::CancelQuotes
            | CommandKind::QuoteEntry
            | CommandKind::Text
            | CommandKind::InstrumentUnits
            | CommandKind::InstrumentLimits
            | CommandKind::Conditions
            | CommandKind::ApprovalHash
            | CommandKind::ApprovalBands
            | CommandKind::KeyBytes
            | CommandKind::Breaker => return Err(RejectReason::UnknownCommand),
        };
        Ok((decoded, rest))
    }

    fn decode_named<'r>(
        kind: CommandKind,
        record: &NamedRecord,
        rest: &'r [CommandRecord],
    ) -> Decoded<(Self, &'r [CommandRecord])> {
        let name = Name::new(&record.name, record.name_length).ok_or(RejectReason::InvalidName);
        let out_of_range = RejectReason::SettingOutOfRange;
        if kind == CommandKind::AddAsset {
            let scale = record.attribute;
            let decoded = Self::AddAsset { id: AssetId(record.id), scale, name: name? };
            if scale <= 30 { Ok((decoded, rest)) } else { Err(out_of_range) }
        } else if kind == CommandKind::OpenAccount {
            let kind = AccountKind::from_code(record.attribute)
                .filter(|kind| matches!(kind, AccountKind::Client | AccountKind::House))
                .ok_or(out_of_range);
            Ok((Self::OpenAccount { id: AccountId(record.id), name: name?, kind: kind? }, rest))
        } else {
            let (first, rest) = rest.split_first().ok_or(RejectReason::MalformedRecords)?;
            let units: &InstrumentUnitsRecord = transmute_ref!(first);
            if units.kind != CommandKind::InstrumentUnits as u8 {
                return Err(RejectReason::MalformedRecords);
            }
            let name = name?;
            let kind = InstrumentKind::from_code(record.attribute).ok_or(out_of_range)?;
            if record.fee_schedule >= FEE_SCHEDULES_MAX || units.base == units.quote {
                return Err(out_of_range);
            }
            if units.quote_quanta_per_tick_lot == 0 || units.base_quanta_per_lot == 0 {
                return Err(RejectReason::UnitsNotWhole);
            }
            let units = InstrumentUnits {
                base: AssetId(units.base),
                quote: AssetId(units.quote),
                quote_quanta_per_tick_lot: units.quote_quanta_per_tick_lot,
                base_quanta_per_lot: units.base_quanta_per_lot,
            };
            let (limits, rest) = decode_limits(rest)?;
            let (id, fee_schedule) = (InstrumentId(record.id), record.fee_schedule);
            Ok((Self::ListInstrument { id, kind, fee_schedule, name, units, limits }, rest))
        }
    }

    fn decode_key<'r>(setting: &SettingRecord, rest: &'r [CommandRecord]) -> Decoded<(Self, &'r [CommandRecord])> {
        let [permissions, length, _] = setting.values;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let kind = KeyKind::from_code(setting.tier).filter(|kind| kind.fits(length));
        let (kind, permissions) =
            kind.zip(KeyPermissions::from_bits(permissions)).ok_or(RejectReason::SettingOutOfRange)?;
        let (id, mut rest) = decode_label(rest)?;
        let mut key = [0; KeyMaterial::LENGTH_MAX];
        for part in key[..length].chunks_mut(Label::LENGTH_MAX) {
            let (record, behind) = rest.split_first().ok_or(RejectReason::MalformedRecords)?;
            let record: &TextRecord = transmute_ref!(record);
            let bytes = record.bytes_of(CommandKind::KeyBytes)?;
            if bytes.len() != part.len() {
                return Err(RejectReason::MalformedRecords);
            }
            part.copy_from_slice(bytes);
            rest = behind;
        }
        let key = KeyMaterial::new(&key[..length]).ok_or(RejectReason::SettingOutOfRange)?;
        let account = of_anybody(AccountId(setting.account));
        Ok((Self::RegisterKey { id, account, kind, permissions, key }, rest))
    }

    fn decode_money(kind: CommandKind, record: &MoneyRecord) -> Decoded<Self> {
        let (account, asset) = (AccountId(record.account), AssetId(record.asset));
        let (amount, withdrawal) = (Amount::from(record.amount), WithdrawalId(record.withdrawal));
        if kind == CommandKind::Transfer {
            let kind = TransferKind::from_code(record.transfer_kind).ok_or(RejectReason::SettingOutOfRange)?;
            return Ok(Self::Transfer { from: account, to: AccountId(record.counter_account), asset, amount, kind });
        }
        if matches!(kind, CommandKind::SendTransfer | CommandKind::ReceiveTransfer | CommandKind::ConfirmTransfer) {
            let shard = u8::try_from(record.counter_account).map_err(|_| RejectReason::SettingOutOfRange)?;
            let (shard, number) = (ShardId(shard), TransferNumber(record.withdrawal));
            return Ok(if kind == CommandKind::SendTransfer {
                Self::SendTransfer { to: shard, account, asset, amount }
            } else if kind == CommandKind::ReceiveTransfer {
                Self::ReceiveTransfer { from: shard, number, account, asset, amount }
            } else {
                Self::ConfirmTransfer { to: shard, number }
            });
        }
        Ok(if kind == CommandKind::ConfirmWithdrawal {
            Self::ConfirmWithdrawal(withdrawal)
        } else if kind == CommandKind::CancelWithdrawal {
            Self::CancelWithdrawal(withdrawal)
        } else if kind == CommandKind::RequestWithdrawal {
            Self::RequestWithdrawal { account, asset, amount }
        } else {
            Self::Deposit { account, asset, amount }
        })
    }
}

fn decode_bands(records: &[CommandRecord]) -> Decoded<(ApprovalBands, &[CommandRecord])> {
    let (first, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
    let record: &ApprovalBandsRecord = transmute_ref!(first);
    if record.kind != CommandKind::ApprovalBands as u8 {
        return Err(RejectReason::MalformedRecords);
    }
    let bands = record.bands();
    if bands.are_valid() { Ok((bands, rest)) } else { Err(RejectReason::SettingOutOfRange) }
}

fn decode_state(setting: &SettingRecord) -> Decoded<(InstrumentState, AuctionPhase)> {
    let (state, phase) = (InstrumentState::from_code(setting.scope), AuctionPhase::from_code(setting.tier));
    state.zip(phase).filter(|(state, phase)| phase.fits(*state)).ok_or(RejectReason::SettingOutOfRange)
}

/// The change that a schedule names; `None` when all its values are zero.
fn decode_schedule(setting: &SettingRecord) -> Decoded<Option<ScheduledState>> {
    let (state, phase) = decode_state(setting)?;
    let [time_ns, window_ns, draw] = setting.values;
    if (setting.scope, setting.tier, setting.values) == (0, 0, [0; 3]) {
        return Ok(None);
    }
    let in_range = state != InstrumentState::Paused
        && (1..=CallTerms::TIME_MAX_NS).contains(&time_ns)
        && window_ns <= CallTerms::TIME_MAX_NS;
    let due_ns = in_range.then(|| time_ns + draw % (window_ns + 1)).ok_or(RejectReason::SettingOutOfRange)?;
    Ok(Some(ScheduledState { due_ns, state, phase }))
}

/// Who a control is for: the account, or the trade group in the first value.
fn control_scope(setting: &SettingRecord) -> Decoded<ControlScope> {
    let group = u32::try_from(setting.values[0]).ok().filter(|group| *group != 0);
    match (setting.scope, group) {
        (2, _) => Ok(ControlScope::Account(AccountId(setting.account))),
        (3, Some(group)) => Ok(ControlScope::TradeGroup(group)),
        _ => Err(RejectReason::SettingOutOfRange),
    }
}

/// What a kill switch is for: accounts, or the session in the first value.
fn kill_scope(setting: &SettingRecord) -> Decoded<KillScope> {
    if setting.scope == 4 {
        session(setting).map(KillScope::Session)
    } else {
        control_scope(setting).map(KillScope::Accounts)
    }
}

/// The account; none when the record is about the venue's operators.
fn of_anybody(account: AccountId) -> Option<AccountId> {
    (account.0 != ANY).then_some(account)
}

/// The name of a session or of a key.
fn decode_label(records: &[CommandRecord]) -> Decoded<(Label, &[CommandRecord])> {
    let (record, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
    let record: &TextRecord = transmute_ref!(record);
    if record.kind != CommandKind::Text as u8 {
        return Err(RejectReason::MalformedRecords);
    }
    let label = record.bytes_of(CommandKind::Text).ok().and_then(Label::new);
    Ok((label.ok_or(RejectReason::InvalidName)?, rest))
}

/// The session in the first value.
fn session(setting: &SettingRecord) -> Decoded<SessionId> {
    let session = u32::try_from(setting.values[0]).ok().filter(|session| *session != 0);
    session.map(SessionId).ok_or(RejectReason::SettingOutOfRange)
}

fn decode_limits(records: &[CommandRecord]) -> Decoded<(InstrumentLimits, &[CommandRecord])> {
    let (first, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
    let record: &InstrumentLimitsRecord = transmute_ref!(first);
    if record.kind != CommandKind::InstrumentLimits as u8 {
        return Err(RejectReason::MalformedRecords);
    }
    let limits = InstrumentLimits {
        price_increment_ticks: record.price_increment_ticks,
        quantity_increment_lots: record.quantity_increment_lots,
        quantity_min: Quantity::from_lots(record.quantity_min_lots),
        quantity_max: Quantity::from_lots(record.quantity_max_lots),
        notional_min: Amount::from_quanta(i128::from(record.notional_min_quanta)),
        notional_max: record.notional_max.into(),
        band_down_ppm: record.band_down_ppm,
        band_up_ppm: record.band_up_ppm,
    };
    if limits.are_valid() { Ok((limits, rest)) } else { Err(RejectReason::SettingOutOfRange) }
}
