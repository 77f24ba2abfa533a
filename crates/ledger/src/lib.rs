//! The ledger: whose money is where. The only code that moves money.
//!
//! A balance is what an account may use (`available`) plus what is promised (`held`). Every movement between accounts posts both
//! of its sides in one call, so that the sum over all accounts of an asset changes only when money enters or leaves the venue,
//! or this shard of it.
//! The ledger refuses to know orders and prices; it is told amounts.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod balance;
mod ledger;
mod settlement;
mod transit;
mod withdrawal;

pub use balance::Balance;
pub use ledger::{Funds, Ledger, Shortfall};
pub use settlement::{Fill, TakerSettlement};
pub use transit::{ShardTransfer, TransferCounters, Transit};
pub use withdrawal::Withdrawal;
