//! Proofs that a command is in a log, and that a log only grew: for whoever has the head and nothing else of the log.
//!
//! A proof holds one record and hashes: nothing that another client sent can be read out of it.

use serde::{Deserialize, Serialize};

use crate::error::{JournalError, Outcome};
use crate::format::{Hash, Identity, RecordKind};
use crate::hasher::last_head;
use crate::hex::{from_hex, to_hex};
use crate::notes::TreeHead;
use crate::reader::JournalReader;
use crate::storage::Storage;
use crate::tree::{RangeRoots, consistency_ranges, inclusion_ranges, is_consistent, is_included, leaf_hash};

/// A signed head, as a proof carries it. Hashes and bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofHead {
    /// Which log.
    pub log_id: String,
    /// Which shard.
    pub shard: u8,
    /// How many commands the tree holds.
    pub tree_size: u64,
    /// When it was signed, by the log's time.
    pub time_ns: u64,
    /// The root.
    pub root: String,
    /// Whose signature it is.
    pub public_key: String,
    /// Over the line that says what it is, log, shard, size, time and root.
    pub signature: String,
}

/// That a command is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// The command's index, from 1.
    pub index: u64,
    /// Its leaf in the tree, from 0.
    pub leaf_index: u64,
    /// The record: header and payload. The hash of a byte 0 and of these is the leaf's hash.
    pub record: String,
    /// The leaf's hash.
    pub leaf_hash: String,
    /// The hashes beside the way up to the root, the nearest first.
    pub path: Vec<String>,
    /// What the root is that of.
    pub head: ProofHead,
}

/// That a log begins with what it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// How many commands it had.
    pub first_size: u64,
    /// The root of their tree.
    pub first_root: String,
    /// The hashes that lead from one root to the other.
    pub path: Vec<String>,
    /// What it is now.
    pub head: ProofHead,
}

impl ProofHead {
    fn new(identity: Identity, head: &TreeHead) -> Self {
        Self {
            log_id: to_hex(&identity.log_id),
            shard: identity.shard,
            tree_size: head.tree_size,
            time_ns: head.time_ns,
            root: to_hex(&head.root),
            public_key: to_hex(&head.public_key),
            signature: to_hex(&head.signature),
        }
    }

    /// The root, if its own key signed it.
    fn signed_root(&self) -> Option<Hash> {
        let identity = Identity { log_id: from_hex(&self.log_id)?, shard: self.shard };
        let head = TreeHead {
            tree_size: self.tree_size,
            time_ns: self.time_ns,
            root: from_hex(&self.root)?,
            public_key: from_hex(&self.public_key)?,
            signature: from_hex(&self.signature)?,
            peaks: Vec::new(),
        };
        head.is_signed(identity).then_some(head.root)
    }
}

impl InclusionProof {
    /// Whether all of it holds together: record, path, root and signature. Whose key it is, the caller has to know.
    #[must_use]
    pub fn holds(&self) -> bool {
        let holds = || {
            let (record, path) = (bytes_of(&self.record)?, hashes_of(&self.path)?);
            let leaf = leaf_hash(&record);
            let root = self.head.signed_root()?;
            let is_named = from_hex(&self.leaf_hash) == Some(leaf) && self.leaf_index + 1 == self.index;
            Some(is_named && is_included(leaf, self.leaf_index, self.head.tree_size, &path, &root))
        };
        holds().unwrap_or(false)
    }
}

impl ConsistencyProof {
    /// Whether path, roots and signature hold together.
    #[must_use]
    pub fn holds(&self) -> bool {
        let holds = || {
            let (path, root) = (hashes_of(&self.path)?, self.head.signed_root()?);
            let first_root = from_hex(&self.first_root)?;
            Some(is_consistent(self.first_size, self.head.tree_size, &path, &first_root, &root))
        };
        holds().unwrap_or(false)
    }
}

fn hashes_of(texts: &[String]) -> Option<Vec<Hash>> {
    texts.iter().map(|text| from_hex(text)).collect()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| from_hex::<1>(core::str::from_utf8(pair).ok()?));
    pairs.map(|byte| byte.map(|[byte]| byte)).collect()
}

/// Proves that the command of an index is in the log, under the last signed head. Reads the whole log.
///
/// # Errors
/// When the log does not have it, no head over it is signed yet, or the log is damaged.
pub fn prove<S: Storage>(storage: &S, index: u64) -> Outcome<InclusionProof> {
    let (identity, head) = signed_head(storage, index)?;
    if index == 0 || index > head.tree_size {
        return Err(JournalError::NotInLog { index, first: 1, last: head.tree_size });
    }
    let ranges = inclusion_ranges(index - 1, head.tree_size);
    let (path, record) = gather(storage, RangeRoots::new(ranges), head.tree_size, index)?;
    Ok(InclusionProof {
        index,
        leaf_index: index - 1,
        leaf_hash: to_hex(&leaf_hash(&record)),
        record: to_hex(&record),
        path: path.iter().map(|hash| to_hex(hash)).collect(),
        head: ProofHead::new(identity, &head),
    })
}

/// Proves that the log as the last signed head tells it begins with its first `first_size` commands. Reads the whole log.
///
/// # Errors
/// As [`prove`].
pub fn prove_consistency<S: Storage>(storage: &S, first_size: u64) -> Outcome<ConsistencyProof> {
    let (identity, head) = signed_head(storage, first_size)?;
    if first_size == 0 || first_size > head.tree_size {
        return Err(JournalError::NotInLog { index: first_size, first: 1, last: head.tree_size });
    }
    let ranges = consistency_ranges(first_size, head.tree_size);
    let (first, rest) = (RangeRoots::new(core::iter::once(0..first_size)), RangeRoots::new(ranges));
    let (first_root, _) = gather(storage, first, first_size, 0)?;
    let (path, _) = gather(storage, rest, head.tree_size, 0)?;
    Ok(ConsistencyProof {
        first_size,
        first_root: to_hex(&first_root[0]),
        path: path.iter().map(|hash| to_hex(hash)).collect(),
        head: ProofHead::new(identity, &head),
    })
}

fn signed_head<S: Storage>(storage: &S, size_min: u64) -> Outcome<(Identity, TreeHead)> {
    let head = last_head(storage, size_min)?.ok_or(JournalError::NotSigned { index: size_min })?;
    Ok((JournalReader::open_or_follow(storage.clone(), 1)?.identity(), head))
}

/// Lets the leaves of a tree pass by. Returns the roots, and the record of an index.
fn gather<S: Storage>(storage: &S, mut roots: RangeRoots, size: u64, index: u64) -> Outcome<(Vec<Hash>, Vec<u8>)> {
    let mut reader = JournalReader::open_or_follow(storage.clone(), 1)?;
    let mut wanted = Vec::new();
    while reader.tip().index < size {
        let Some(batch) = reader.next_batch()? else { break };
        for record in batch.records().filter(|record| record.kind == RecordKind::Command) {
            if record.header.index == index {
                wanted = record.bytes.to_vec();
            }
            if record.header.index <= size {
                roots.push(record.header.index - 1, leaf_hash(record.bytes));
            }
        }
    }
    let last = reader.tip().index;
    let roots = roots.finish().ok_or(JournalError::NotInLog { index: size, first: 1, last })?;
    Ok((roots, wanted))
}
