//! Why a node does not start, or stops.

use tradewright_journal::{JournalError, SnapshotFileError};
use tradewright_transport::{Corrupt, PlacementError, RegionError};
use tradewright_types::HashTotal;

use crate::config::ConfigError;

/// Why a node does not start, or stops.
#[derive(Debug)]
pub enum NodeError {
    /// The configuration breaks a rule.
    Config(ConfigError),
    /// The log cannot be read or written.
    Journal(JournalError),
    /// A snapshot is damaged.
    Snapshot(SnapshotFileError),
    /// The memory of a ring cannot be had.
    Region(RegionError),
    /// A ring was written by somebody who must not.
    Ring(Corrupt),
    /// The system refuses what was asked of it.
    System {
        /// What was tried.
        doing: String,
        /// What it said.
        error: std::io::Error,
    },
    /// The system does not put a thread where it belongs.
    Placement {
        /// Which thread.
        thread: String,
        /// What was refused.
        error: PlacementError,
    },
    /// The log and the engine do not fit together.
    Replay(String),
    /// Another process leads now, or is about to.
    Overtaken {
        /// The epoch in which this process led.
        epoch: u32,
        /// The one that the other claims.
        latest: u64,
    },
    /// A log that is to be taken over is written by a process that goes on.
    Alive {
        /// The process, if it is known.
        process: Option<u32>,
        /// How many commands it wrote while it was watched.
        commands: u64,
    },
    /// The process that has the lock of the log could not be ended.
    Unfenced {
        /// The process, if it is known.
        process: Option<u32>,
        /// Why not.
        error: std::io::Error,
    },
    /// A replica came to other events than its primary.
    Differs {
        /// The check that differs is about the commands up to this index, from the check before.
        index: u64,
        /// The hash that stands in the log.
        logged: HashTotal,
        /// The replica's own.
        own: HashTotal,
    },
    /// A thread of the node ended by a bug.
    Panicked(&'static str),
}

impl core::fmt::Display for NodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Journal(error) => write!(f, "journal: {error}"),
            Self::Snapshot(error) => write!(f, "snapshot: {error}"),
            Self::Region(error) => write!(f, "ring: {error}"),
            Self::Ring(error) => write!(f, "ring: {error}"),
            Self::System { doing, error } => write!(f, "{doing}: {error}"),
            Self::Placement { thread, error } => write!(f, "placement of {thread}: {error}"),
            Self::Replay(message) => write!(f, "replay: {message}"),
            Self::Overtaken { epoch, latest } => write!(
                f,
                "overtaken: another process claims epoch {latest}, this one led in epoch {epoch} and writes nothing more"
            ),
            Self::Alive { process, commands } => write!(
                f,
                "lock: {} is alive and wrote {commands} commands while it was watched; stop it, or promote by force",
                named(*process)
            ),
            Self::Unfenced { process, error } => {
                write!(f, "lock: {} has it and could not be ended: {error}", named(*process))
            }
            Self::Differs { index, logged, own } => write!(
                f,
                "check of index {index}: the events since the check before have the hash {logged} in the log, {own} here"
            ),
            Self::Panicked(thread) => write!(f, "the {thread} thread ended by a bug; its message stands above"),
        }
    }
}

impl core::error::Error for NodeError {}

fn named(process: Option<u32>) -> String {
    process.map_or_else(|| "a process that this system does not name".to_owned(), |pid| format!("process {pid}"))
}

macro_rules! from {
    ($($error:ty => $variant:ident,)+) => {
        $(impl From<$error> for NodeError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

from! {
    ConfigError => Config,
    JournalError => Journal,
    SnapshotFileError => Snapshot,
    RegionError => Region,
    Corrupt => Ring,
}

/// Says what was tried when the system refuses it.
pub(crate) fn while_doing(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> NodeError {
    move |error| NodeError::System { doing: doing.into(), error }
}
