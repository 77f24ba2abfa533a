//! What outlives the process.
//!
//! Owns files, checksums and what a crash may leave of them: the log in segments ([`Journal`], [`JournalReader`]), its hash
//! chain and tree, and snapshots. Knows of the engine only its snapshot sections and its state hash; refuses to know what a
//! command or a balance is.

mod archive;
mod batch;
mod command_log;
mod durable;
mod error;
mod format;
mod hasher;
mod hex;
mod journal;
mod notes;
mod proof;
mod reader;
mod recovery;
mod segment;
mod snapshot_file;
mod snapshots;
mod storage;
mod tail;
pub mod tree;
mod verify;
mod window;

pub use archive::{CopyReport, archive_old_segments, archive_old_segments_until, copy_log};
pub use batch::{Batch, Record};
pub use command_log::{CommandLog, Leadership};
pub use durable::Tier;
pub use error::{JournalError, MalformedCommand, Outcome};
pub use format::{Hash, Identity, LogId, RecordHeader, RecordKind, Tip};
pub use hasher::TreeHasher;
pub use journal::{Journal, JournalConfig, Preparer, Space, whole_command};
pub use notes::{CHECK_EVERY, Check, TreeHead};
pub use proof::{ConsistencyProof, InclusionProof, ProofHead, prove, prove_consistency};
pub use reader::JournalReader;
pub use recovery::Recovered;
pub use snapshot_file::{SnapshotFileError, SnapshotHead, decode, encode, read, write};
pub use snapshots::{Newest, newest_snapshot, read_snapshot, snapshot_indices, snapshot_name, write_snapshot};
pub use storage::{Access, FolderStorage, Storage, StoredFile};
pub use tail::Tail;
pub use verify::{VerifyOptions, VerifyReport, verify};
