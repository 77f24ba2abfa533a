//! Hashes the commands of a live log into its tree, behind the journal and on a thread of its own.
//!
//! Four blocks of SHA-256 a command are more than the journal's own work on it, so nobody waits for this: heads are signed over
//! what is hashed, and how far that lags is told.

use ed25519_dalek::SigningKey;

use crate::error::{Outcome, damaged, while_doing};
use crate::format::RecordKind;
use crate::notes::TreeHead;
use crate::reader::JournalReader;
use crate::recovery::segment_indices;
use crate::storage::Storage;
use crate::tree::{Frontier, leaf_hash};

/// Some ten microseconds of hashing.
const RECORDS_A_BREATH: usize = 32;

/// The tree over a log that is written meanwhile.
pub struct TreeHasher<S: Storage> {
    reader: JournalReader<S>,
    frontier: Frontier,
    key: SigningKey,
    signed_size: u64,
}

impl<S: Storage> TreeHasher<S> {
    /// Goes on from the last head in the log, or starts with its first command. The journal must be open.
    ///
    /// # Errors
    /// Damage, with file, place and rule.
    pub fn open(storage: S, key: [u8; 32]) -> Outcome<Self> {
        let frontier = match last_head(&storage, 0)? {
            Some(head) => {
                Frontier::resume(head.tree_size, head.peaks).expect("Invariant: a head that was read is whole")
            }
            None => Frontier::default(),
        };
        let reader = JournalReader::follow(storage, frontier.size() + 1)?;
        let signed_size = frontier.size();
        Ok(Self { reader, frontier, key: SigningKey::from_bytes(&key), signed_size })
    }

    /// Hashes up to so many durable batches. Returns how many commands are hashed in all: how far that is behind the durable
    /// index is the lag. `breathe` is called every few microseconds, for threads that are in more of a hurry.
    ///
    /// # Errors
    /// Damage, with file, place and rule.
    pub fn poll(&mut self, batches_max: usize, breathe: impl Fn()) -> Outcome<u64> {
        for _ in 0..batches_max {
            let Some(batch) = self.reader.next_batch()? else { break };
            for (number, record) in batch.records().enumerate() {
                if record.kind == RecordKind::Command && record.header.index > self.frontier.size() {
                    self.frontier.push(leaf_hash(record.bytes));
                }
                if number % RECORDS_A_BREATH == 0 {
                    breathe();
                }
            }
        }
        Ok(self.frontier.size())
    }

    /// Signs the tree as it stands; `None` when it did not grow since the last time. The journal appends it.
    pub fn sign(&mut self) -> Option<TreeHead> {
        if self.frontier.size() == self.signed_size {
            return None;
        }
        self.signed_size = self.frontier.size();
        Some(TreeHead::sign(self.reader.identity(), &self.frontier, self.reader.tip().time_ns, &self.key))
    }
}

/// The last head in a log that is of at least so many commands. Reads from the last segment backwards, as far as it has to.
///
/// # Errors
/// Damage, with file, place and rule.
pub(crate) fn last_head<S: Storage>(storage: &S, size_min: u64) -> Outcome<Option<TreeHead>> {
    let names = storage.list().map_err(while_doing("listing", "folder"))?;
    for first_index in segment_indices(&names).into_iter().rev() {
        let mut reader = JournalReader::open_or_follow(storage.clone(), first_index)?;
        let mut found = None;
        while let Some(head) = next_head(&mut reader, first_index)? {
            found = if head.tree_size >= size_min { Some(head) } else { found };
        }
        if found.is_some() || first_index <= size_min {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The next tree head in a segment.
fn next_head<S: Storage>(reader: &mut JournalReader<S>, segment: u64) -> Outcome<Option<TreeHead>> {
    while reader.segment_index() == segment {
        let (name, offset) = reader.place();
        let name = name.to_owned();
        let Some(batch) = reader.next_batch()? else { return Ok(None) };
        if let Some(head) = batch.records().filter(|record| record.kind == RecordKind::TreeHead).last() {
            let rule = "a tree head must have a size and its hashes";
            return TreeHead::read(head.payload()).ok_or_else(|| damaged(&name, offset, rule)).map(Some);
        }
    }
    Ok(None)
}
