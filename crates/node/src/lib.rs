//! The shell around an engine: threads, rings, the sequencer, the durability gate.
//!
//! Owns what the engine must not know: clocks, files, sockets, cores. Decides nothing about orders and money: that is the
//! engine's, and everything that changes it is a command in the log. For systems of the Unix family.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "the node is where clocks are read and threads wait")]

mod accounts;
mod checks;
mod clock;
pub mod config;
mod control;
mod courier;
mod decimal;
mod door_keys;
mod doors;
mod durability;
mod error;
mod feed;
mod fence;
mod front_desk;
pub mod genesis;
mod monitoring;
mod node;
mod passage;
mod past;
mod recovery;
mod replay;
mod replica;
mod sampling;
mod sealed;
mod sequencer;
mod serve;
pub mod shards;
pub mod snapshots;
mod stages;
mod status;
mod traces;
mod venue;
mod venue_control;

pub use accounts::AccountDesk;
pub use checks::SpanHasher;
pub use clock::{CommandClock, wall_ns};
pub use control::CONTROL_SOCKET;
pub use courier::{Courier, Errand, UnderWay};
pub use door_keys::Registration;
pub use durability::{Durability, Gatekeeper, Note};
pub use error::NodeError;
pub use feed::{FEED_RING, FeedCounts, FeedPlace};
pub use fence::Fence;
pub use front_desk::SessionStatus;
pub use node::{COMMAND_RECORDS_MAX, Doorway, EVENTS_RING, KEY_FILE, Node};
pub use recovery::{Restored, restore};
pub use replay::{Applied, Replay};
pub use replica::{REPLICA_SOCKET, Replica, ReplicaStatus, serve_replica};
pub use sealed::{MASTER_KEY_VARIABLE, MasterKey, SECRET_BYTES_MAX};
pub use sequencer::{BATCH_RECORDS, Gate, News, Outlets, Sequencer, Signals};
pub use serve::{ANNOUNCEMENT_FILE, Announcement, serve};
pub use stages::{StageHistogram, StageSummary, Stages};
pub use status::{FeedStatus, ReaderStatus, RingStatus, SessionsStatus, StageStatus, Status, StatusSource};
pub use venue::{Venue, VenueAnnouncement};
