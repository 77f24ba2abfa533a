//! What can be wrong with a ring.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::Kind;

/// The other side's cursor stands where it cannot: the peer is broken or lies. Nothing outside the ring was touched; the
/// ring is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// The cursor of the other side.
    pub cursor: &'static str,
    /// What it says.
    pub found: u64,
    /// The least it could say.
    pub at_least: u64,
    /// The most it could say.
    pub at_most: u64,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cursor, found, at_least, at_most } = self;
        write!(f, "ring is corrupt: {cursor}={found} must be from {at_least} to {at_most}")
    }
}

impl std::error::Error for Corrupt {}

/// Why a ring could not be made or joined.
#[derive(Debug)]
#[non_exhaustive]
pub enum RegionError {
    /// The system refused.
    Io {
        /// What was tried.
        action: &'static str,
        /// The file, or a word for memory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A size that a ring cannot have.
    Shape {
        /// Which size.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What holds for it.
        rule: &'static str,
    },
    /// The file is no ring of this build.
    Layout {
        /// The file.
        path: PathBuf,
        /// The field of its header.
        field: &'static str,
        /// What stands there.
        found: u64,
        /// What must stand there.
        expected: u64,
    },
    /// The file is another kind of ring.
    WrongKind {
        /// What it is.
        found: Kind,
        /// What was asked for.
        expected: Kind,
    },
    /// Someone else is at this side of the ring.
    RoleTaken {
        /// The side.
        role: &'static str,
        /// The process.
        process: u64,
    },
    /// The ring in the file belongs to a process that lives.
    InUse {
        /// The file.
        path: PathBuf,
        /// The process.
        process: u64,
    },
    /// The owner has ended; what it left is no longer written.
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// The memory is mapped for reading only, and this side has to write.
    ReadOnly {
        /// What was asked for.
        role: &'static str,
    },
    /// All places of the table of readers are taken.
    ReadersMax {
        /// How many there are.
        readers_max: usize,
    },
    /// The cursors in the file contradict each other.
    Corrupt(Corrupt),
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "{}: cannot {action}: {source}", path.display()),
            Self::Shape { field, value, rule } => write!(f, "{field}={value} {rule}"),
            Self::Layout { path, field, found, expected } => {
                write!(f, "{}: {field}={found:#x} must be {expected:#x}", path.display())
            }
            Self::WrongKind { found, expected } => write!(f, "kind={found:?} must be {expected:?}"),
            Self::RoleTaken { role, process } => write!(f, "role={role} is held by process {process}"),
            Self::InUse { path, process } => {
                write!(f, "{}: the ring is in use by process {process}, which must end first", path.display())
            }
            Self::Closed { path } => write!(f, "{}: the ring is closed; attach again", path.display()),
            Self::ReadOnly { role } => write!(f, "role={role} must have the ring mapped for writing"),
            Self::ReadersMax { readers_max } => write!(f, "readers_max={readers_max} readers are registered already"),
            Self::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for RegionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Corrupt(corrupt) => Some(corrupt),
            Self::Shape { .. }
            | Self::Layout { .. }
            | Self::WrongKind { .. }
            | Self::RoleTaken { .. }
            | Self::InUse { .. }
            | Self::Closed { .. }
            | Self::ReadOnly { .. }
            | Self::ReadersMax { .. } => None,
        }
    }
}

impl From<Corrupt> for RegionError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}
