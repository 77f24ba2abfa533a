//! Why a node does not start, or stops.

use tradewright_journal::{JournalError, SnapshotFileError};
use tradewright_transport::{Corrupt, PlacementError, RegionError};

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
            Self::Panicked(thread) => write!(f, "the {thread} thread ended by a bug; its message stands above"),
        }
    }
}

impl core::error::Error for NodeError {}

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
