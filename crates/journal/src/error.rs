//! What the journal cannot do, and why.

use std::io;

/// Why a call of the journal failed.
#[derive(Debug)]
pub enum JournalError {
    /// The system refused.
    System {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        file: String,
        /// The system's word for why.
        error: io::Error,
    },
    /// A file does not say what it has to.
    Damaged {
        /// The file.
        file: String,
        /// Where in it the damaged part begins.
        offset: u64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A file has a version that this build does not know.
    UnknownVersion {
        /// The file.
        file: String,
        /// Which version: of the format or of the rules.
        what: &'static str,
        /// The version found.
        found: u32,
        /// The only one known.
        known: u32,
    },
    /// Another process writes to this folder.
    Locked,
    /// A setting is wrong.
    Setting {
        /// Which.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A command cannot be logged as it is; nothing of it was.
    Malformed(MalformedCommand),
    /// The command is larger than a batch may be.
    CommandTooLong {
        /// How many records it has.
        records: usize,
    },
    /// There is no room for the next batch until another segment is prepared. Nothing was lost: it can be tried again.
    LogSpaceExhausted,
    /// A write or a sync failed before: what is on the disk is unknown, nothing more is written.
    Poisoned,
    /// A snapshot is not what it has to be.
    Snapshot {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: crate::SnapshotFileError,
    },
    /// No signed head of the tree is over this index.
    NotSigned {
        /// The index.
        index: u64,
    },
    /// The log does not reach back or forward so far.
    NotInLog {
        /// The index that was asked for.
        index: u64,
        /// The first index there is.
        first: u64,
        /// The last.
        last: u64,
    },
}

/// Why a command cannot be logged: whoever sequences commands has to refuse such ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedCommand {
    /// The header's `record_count` is 0, or more than what follows.
    RecordCount(u16),
    /// A record of the command has kind 0: blank records cannot be told from what was never written.
    BlankRecord(usize),
    /// The time is before that of the command before it.
    TimeWentBack {
        /// The command's time.
        time_ns: u64,
        /// The time of the one before.
        last_time_ns: u64,
    },
}

impl core::fmt::Display for MalformedCommand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::RecordCount(count) => {
                write!(f, "record_count={count} must be from 1 to the number of records that are given")
            }
            Self::BlankRecord(place) => write!(f, "kind=0 in record {place} of the command: it must not be 0"),
            Self::TimeWentBack { time_ns, last_time_ns } => {
                write!(f, "time_ns={time_ns} must not be before {last_time_ns}, that of the command before")
            }
        }
    }
}

impl core::fmt::Display for JournalError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::System { doing, file, error } => write!(f, "{file}: {doing} failed: {error}"),
            Self::Damaged { file, offset, rule } => write!(f, "{file}: damaged at byte {offset}: {rule}"),
            Self::UnknownVersion { file, what, found, known } => {
                write!(f, "{file}: {what} version {found} must be {known}, the one this build knows")
            }
            Self::Locked => f.write_str("lock: another process writes to this log"),
            Self::Setting { name, value, rule } => write!(f, "{name}={value} {rule}"),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::CommandTooLong { records } => write!(f, "a command of {records} records must fit into a batch"),
            Self::LogSpaceExhausted => f.write_str("no segment is prepared: the log has no room for the next batch"),
            Self::Poisoned => f.write_str("a write or a sync failed before: the log takes nothing more"),
            Self::Snapshot { file, error } => write!(f, "{file}: {error}"),
            Self::NotSigned { index } => write!(f, "index={index} must be below a signed head of the tree: none is"),
            Self::NotInLog { index, first, last } => {
                write!(f, "index={index} must be from {first} to {last}, what the log has")
            }
        }
    }
}

impl core::error::Error for JournalError {}

impl From<MalformedCommand> for JournalError {
    fn from(malformed: MalformedCommand) -> Self {
        Self::Malformed(malformed)
    }
}

/// What a call of the journal gives.
pub type Outcome<T> = Result<T, JournalError>;

/// Names what was being done to which file when the system refused.
pub(crate) fn while_doing<'n>(doing: &'static str, file: &'n str) -> impl FnOnce(io::Error) -> JournalError + 'n {
    move |error| JournalError::System { doing, file: file.to_owned(), error }
}

/// Names the place and the rule of damage.
pub(crate) fn damaged(file: &str, offset: u64, rule: &'static str) -> JournalError {
    JournalError::Damaged { file: file.to_owned(), offset, rule }
}
