//! The exchange as a pure function: a state, a command, events.
//!
//! [`Engine::apply`] takes one command at its place in the log and writes what happened. It has no clock, no I/O, no thread, no
//! float and no random number: the same log gives the same events on every machine. `place.rs` is the journey of an order,
//! from top to bottom; the other files are what it meets on the way, and the commands beside it.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod amend;
mod approvals;
mod aside;
mod buffer;
mod call;
mod cancel;
mod chains;
mod controls;
mod emit;
mod engine;
mod enter;
mod floor;
mod guard;
mod icebergs;
mod invariants;
mod keys;
mod legs;
mod lists;
mod matching;
mod open_orders;
mod pegs;
mod place;
mod prevention;
mod protection;
mod quotes;
mod registry;
mod replace;
mod session;
mod sessions;
mod settings;
mod shards;
mod sharing;
mod snapshot;
mod state_hash;
mod timers;
mod triggers;
mod view;

pub use buffer::EventBuffer;
pub use engine::{Engine, EngineConfig};
pub use keys::Key;
pub use registry::{AssetEntry, Registry};
pub use sessions::SessionView;
pub use snapshot::{Section, SectionKind, SnapshotError};
pub use view::{ApprovalView, LevelView, ListView, OrderView};
