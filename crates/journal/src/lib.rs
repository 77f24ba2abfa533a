//! What outlives the process.
//!
//! Owns files, checksums and what a crash may leave of them. Knows of the engine only its snapshot sections and its state
//! hash; refuses to know what a command or a balance is.

mod snapshot_file;

pub use snapshot_file::{SnapshotFileError, SnapshotHead, decode, encode, read, write};
