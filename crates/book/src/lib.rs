//! The order book of one instrument: who stands at which price, in which order. It knows no money, no account rules and no
//! events; it is told what to do by orders that were approved elsewhere.
//!
//! - [`Orders`] is the slab that all books of an engine share: one cache line an order, addressed by [`Slot`].
//! - [`Ladder`] is one side of a book: levels in small pages that exist only where orders are, under an occupancy tree.
//! - [`Book`] is the two sides together.
//! - [`Allocation`] is how an incoming quantity is shared among the orders of one price.
//! - [`uncross`] is the price at which a call auction trades, [`Indicative`] the same kept while orders come and go.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod allocation;
mod auction;
mod book;
mod ladder;
mod orders;
mod wide;

pub use allocation::{Allocation, AllocationFault, ProRata, Resting, Steps, TimeWeight, Top};
pub use auction::{AuctionMatch, AuctionTerms, Collar, Indicative, Uncross, matches, uncross};
pub use book::{Book, Front};
pub use ladder::{Ladder, Level};
pub use orders::{Order, Orders, Slot};
