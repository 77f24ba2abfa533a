//! Snapshots beside the segments: short cuts through the log.

use tradewright_engine::{Engine, EngineConfig};
use zerocopy::IntoBytes;

use crate::error::{JournalError, Outcome, while_doing};
use crate::recovery::write_whole;
use crate::segment::index_in_name;
use crate::snapshot_file::{SnapshotHead, decode, encode};
use crate::storage::{Access, Storage, StoredFile};

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".twsnap";

/// The name of the snapshot of an index.
#[must_use]
pub fn snapshot_name(index: u64) -> String {
    format!("{PREFIX}{index:020}{SUFFIX}")
}

/// The indices of the snapshots in a folder, the oldest first.
///
/// # Errors
/// The system's.
pub fn snapshot_indices<S: Storage>(storage: &S) -> Outcome<Vec<u64>> {
    let names = storage.list().map_err(while_doing("listing", "folder"))?;
    Ok(names.iter().filter_map(|name| index_in_name(name, PREFIX, SUFFIX)).collect())
}

/// Writes the state of an engine beside the log, named after its place in it.
///
/// # Errors
/// The system's.
pub fn write_snapshot<S: Storage>(storage: &S, engine: &Engine) -> Outcome<u64> {
    write_whole(storage, &snapshot_name(engine.sequence()), &encode(engine))?;
    Ok(engine.sequence())
}

/// Reads and verifies the snapshot of an index.
///
/// # Errors
/// Names the file, the section and the rule that it breaks.
pub fn read_snapshot<S: Storage>(storage: &S, index: u64, config: EngineConfig) -> Outcome<(SnapshotHead, Engine)> {
    let name = snapshot_name(index);
    let bytes = read_file(storage, &name)?;
    let read = decode(&bytes, config).and_then(|(head, engine)| {
        if head.sequence == index { Ok((head, engine)) } else { Err(crate::SnapshotFileError::StateDiffers("index")) }
    });
    read.map_err(|error| JournalError::Snapshot { file: name, error })
}

/// A snapshot to start from.
#[derive(Debug, Default)]
pub struct Newest {
    /// The newest one that can be read.
    pub snapshot: Option<(SnapshotHead, Engine)>,
    /// What is wrong with newer ones.
    pub refused: Vec<JournalError>,
}

/// The newest snapshot that can be read and is not behind `index_max`.
///
/// # Errors
/// The system's, when the folder cannot be listed.
pub fn newest_snapshot<S: Storage>(storage: &S, index_max: u64, config: EngineConfig) -> Outcome<Newest> {
    let mut newest = Newest::default();
    for index in snapshot_indices(storage)?.into_iter().rev().filter(|index| *index <= index_max) {
        match read_snapshot(storage, index, config) {
            Ok(snapshot) => {
                newest.snapshot = Some(snapshot);
                break;
            }
            Err(error) => newest.refused.push(error),
        }
    }
    Ok(newest)
}

/// All bytes of a file.
pub(crate) fn read_file<S: Storage>(storage: &S, name: &str) -> Outcome<Vec<u8>> {
    let file = storage.open(name, Access::Read).map_err(while_doing("opening", name))?;
    let length = file.length().map_err(while_doing("measuring", name))?;
    let mut bytes = vec![0; length as usize];
    let got = file.read_at(bytes.as_mut_bytes(), 0).map_err(while_doing("reading", name))?;
    bytes.truncate(got);
    Ok(bytes)
}
