//! The nouns of the exchange: ids, prices, quantities, amounts, orders, commands, events and reject reasons.
//!
//! Everything is an integer. A price counts ticks, a quantity counts lots, money counts quanta (the smallest unit of its
//! asset). Commands and events are fixed-size little-endian records: the same bytes are the ring slot, the journal record
//! and the numpy row. This crate refuses to know what the records do: that is the engine's.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod account;
mod allocation;
mod amount;
mod approval;
mod command;
mod conditions;
mod control;
mod event;
mod fee;
mod hash;
mod ids;
mod instrument;
mod key;
mod list;
mod order;
mod price;
mod quantity;
mod quote;
mod reject;
pub mod set_up;
mod setting;
mod state;
mod table;
mod text;
mod wire;

pub use account::{AccountKind, Permissions, TransferKind};
pub use allocation::{AllocationRule, AllocationTerms, TopTerms};
pub use amount::{Amount, RawNotional};
pub use approval::{ApprovalBands, ApprovalBandsRecord, ApprovalHashRecord, BandScope};
pub use command::{
    Amend, Cancel, CancelAll, CommandHeader, CommandKind, CommandRecord, Decoded, NewOrder, Replace, Size, Target,
    TextRecord, read_envelope,
};
pub use conditions::{Conditions, ConditionsRecord, Iceberg, Peg, PegKind, PriceSource, Trail, Trigger, TriggerKind};
pub use control::{ControlScope, KillScope, Restriction};
pub use event::{CloseReason, EventFlags, EventKind, EventRecord, TextEventRecord};
pub use fee::{FeeRate, FeeRates, RoundedFee};
pub use hash::{EntityHash, HashTotal};
pub use ids::{
    AccountId, AssetId, InstrumentId, ListId, OrderId, SessionId, ShardId, TradeId, TransferNumber, WithdrawalId,
};
pub use instrument::{InstrumentKind, InstrumentLimits, InstrumentUnits};
pub use key::{KeyKind, KeyMaterial, KeyPermissions};
pub use list::{CancelList, Contingency, LegRefused, NewList};
pub use order::{OrderFlags, OrderType, SelfTradePrevention, Side, TimeInForce};
pub use price::Price;
pub use quantity::Quantity;
pub use quote::{CancelQuotes, MassQuote, ProtectionScope, ProtectionTerms, QuoteEntry, QuoteEntryRecord};
pub use reject::RejectReason;
pub use setting::{
    AccountLimits, FEE_SCHEDULES_MAX, HaltScope, InstrumentLimitsRecord, InstrumentUnitsRecord, MoneyRecord,
    NamedRecord, ScheduledState, Setting, SettingRecord,
};
pub use state::{
    Admission, AuctionPhase, BreakerRecord, BreakerTerms, CallTerms, InstrumentAction, InstrumentState, StateCause,
};
pub use table::PagedTable;
pub use text::{ClientOrderId, Label, Name};
pub use wire::Wide;

/// The layout version that every record carries. A reader refuses any other.
pub const SCHEMA_VERSION: u8 = 1;

/// The version of the rules this build applies. A log names the version it was written under.
pub const RULESET_VERSION: u32 = 1;

/// Stands for "every instrument" or "no instrument" in a record.
pub const ANY: u32 = u32::MAX;

#[cfg(target_endian = "big")]
compile_error!("records are little-endian in memory and on disk; a big-endian target would need conversions");
