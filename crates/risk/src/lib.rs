//! Pre-trade risk: what each account and instrument may do, and the gate that every order passes.
//!
//! The gate checks everything, then changes everything: it returns a [`HeldOrder`], the sealed proof that the order passed
//! every check and that its funds are held. Nothing else can make one, and matching accepts nothing else.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod account;
mod band;
mod breaker;
mod controls;
mod exposure;
mod fees;
mod gate;
mod hold;
mod instrument;
mod risk;
mod standing;

pub use account::{AccountRisk, UNLIMITED};
pub use band::Band;
pub use breaker::{
    Breaker, MarketWide, MarketWideLevel, MoveLimit, PauseRule, RollingPrices, Trip, Window, variant_ticks,
};
pub use controls::{ApprovalNeed, Controls};
pub use exposure::{Exposure, POSITION_UNLIMITED};
pub use fees::FeeSchedules;
pub use gate::{
    Amended, Amendment, CheckedLeg, Gate, HeldOrder, ORDERS_MAX, QuoteCheck, Refusal, Relief, Waits, WaitsAgain,
};
pub use hold::{entry_hold, resting_hold, waiting_hold};
pub use instrument::Instrument;
pub use risk::Risk;
pub use standing::Standing;
