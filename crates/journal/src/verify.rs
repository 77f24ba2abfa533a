//! Recomputes everything that a log claims: records, chain, tree, signed heads, and by replaying it the checks and snapshots.

use std::collections::VecDeque;

use serde::Serialize;
use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{CommandRecord, HashTotal};

use crate::error::{JournalError, Outcome, damaged, while_doing};
use crate::format::{Hash, Identity, RecordKind};
use crate::hex::to_hex;
use crate::notes::{CHECK_EVERY, Check, TreeHead};
use crate::reader::JournalReader;
use crate::recovery::segment_indices;
use crate::snapshots::{read_snapshot, snapshot_indices};
use crate::storage::Storage;
use crate::tail::Tail;
use crate::tree::{Frontier, leaf_hash};

/// What is verified beside records and chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Whether commands are replayed: checks and snapshots are compared with what comes out.
    pub replays: bool,
    /// The key that must have signed every head; without it, each head names its own.
    pub public_key: Option<[u8; 32]>,
}

/// What was found, all of it right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Which log.
    pub log_id: String,
    /// Which shard.
    pub shard: u8,
    /// The first index that is there.
    pub first_index: u64,
    /// The last one.
    pub last_index: u64,
    /// The epoch at the end.
    pub epoch: u32,
    /// Batches read.
    pub batches: u64,
    /// Segments read, archives among them.
    pub segments: usize,
    /// The chain at the end.
    pub chain: String,
    /// What stands behind the last batch: `clean`, `sealed`, or `torn`.
    pub tail: &'static str,
    /// How many commands the tree holds; 0 when the log does not reach back to its first.
    pub tree_size: u64,
    /// Its root.
    pub tree_root: String,
    /// Signed heads that fit to it.
    pub heads: u64,
    /// The keys that signed them.
    pub public_keys: Vec<String>,
    /// Checks that the replay agreed with.
    pub checks: u64,
    /// Snapshots that the replay agreed with.
    pub snapshots: u64,
    /// The hash of the state at the end; empty without a replay.
    pub state_hash: String,
}

/// Verifies a log. Changes nothing.
///
/// # Errors
/// The first thing that is wrong, with file, place and rule.
pub fn verify<S: Storage>(storage: &S, options: VerifyOptions) -> Outcome<VerifyReport> {
    let names = storage.list().map_err(while_doing("listing", "folder"))?;
    let indices = segment_indices(&names);
    let first_index = indices.first().copied().ok_or(JournalError::NotInLog { index: 1, first: 0, last: 0 })?;
    let mut reader = JournalReader::open_or_follow(storage.clone(), first_index)?;
    let identity = reader.identity();
    let mut tree = TreeAudit::new(identity, options.public_key, first_index == 1);
    let mut replay = if options.replays { Some(ReplayAudit::open(storage, identity, first_index)?) } else { None };
    let (mut batches, mut commands) = (0, Vec::new());
    loop {
        let (file, offset) = reader.place();
        let file = file.to_owned();
        let Some(batch) = reader.next_batch()? else { break };
        let refuse = |rule| damaged(&file, offset, rule);
        batches += 1;
        for record in batch.records() {
            match record.kind {
                RecordKind::Command => {
                    tree.take(record.bytes);
                    commands.extend_from_slice(record.command().unwrap_or_default());
                    if let Some(replay) = &mut replay {
                        replay
                            .apply(storage, &mut commands, record.header.index)
                            .map_err(|error| error(&file, offset))?;
                    }
                    commands.clear();
                }
                RecordKind::TreeHead => tree.check(record.payload()).map_err(refuse)?,
                RecordKind::Check => {
                    let check = Check::read(record.header.index, record.payload());
                    let check = check.ok_or_else(|| refuse("a check must have its hashes"))?;
                    if let Some(replay) = &mut replay {
                        replay.check(&check).map_err(refuse)?;
                    }
                }
                RecordKind::Epoch | RecordKind::Seal => {}
            }
        }
    }
    let tail = match reader.tail()? {
        Tail::Clean => "clean",
        Tail::Sealed => "sealed",
        Tail::Torn { .. } => "torn",
    };
    let tip = *reader.tip();
    let (tree_size, tree_root) = tree.finish();
    Ok(VerifyReport {
        log_id: to_hex(&identity.log_id),
        shard: identity.shard,
        first_index,
        last_index: tip.index,
        epoch: tip.epoch,
        batches,
        segments: indices.len(),
        chain: to_hex(&tip.chain),
        tail,
        tree_size,
        tree_root: to_hex(&tree_root),
        heads: tree.heads,
        public_keys: tree.public_keys.iter().map(|key| to_hex(key)).collect(),
        checks: replay.as_ref().map_or(0, |replay| replay.checks),
        snapshots: replay.as_ref().map_or(0, |replay| replay.snapshots),
        state_hash: replay.map_or_else(String::new, |replay| replay.engine.state_hash().to_string()),
    })
}

/// The tree, computed anew, a little behind: a head stands in the log behind the commands that it is about.
struct TreeAudit {
    identity: Identity,
    public_key: Option<[u8; 32]>,
    /// Without the log's first commands there is no tree to compute.
    is_whole: bool,
    frontier: Frontier,
    /// The leaves that are not in the tree yet.
    waiting: VecDeque<Hash>,
    heads: u64,
    public_keys: Vec<[u8; 32]>,
}

impl TreeAudit {
    /// How far behind heads may be; a hasher that lags further tells no more than that.
    const WAITING_MAX: usize = 1 << 22;

    fn new(identity: Identity, public_key: Option<[u8; 32]>, is_whole: bool) -> Self {
        let (frontier, waiting) = (Frontier::default(), VecDeque::new());
        Self { identity, public_key, is_whole, frontier, waiting, heads: 0, public_keys: Vec::new() }
    }

    fn take(&mut self, record: &[u8]) {
        if self.is_whole {
            self.waiting.push_back(leaf_hash(record));
            if self.waiting.len() > Self::WAITING_MAX {
                self.grow(1);
            }
        }
    }

    fn grow(&mut self, leaves: usize) {
        for leaf in self.waiting.drain(..leaves) {
            self.frontier.push(leaf);
        }
    }

    fn check(&mut self, payload: &[u8]) -> Result<(), &'static str> {
        let head = TreeHead::read(payload).ok_or("a tree head must have a size and its hashes")?;
        if !head.is_signed(self.identity) || self.public_key.is_some_and(|key| key != head.public_key) {
            return Err("a tree head must be signed by the key of the log");
        }
        if !self.public_keys.contains(&head.public_key) {
            self.public_keys.push(head.public_key);
        }
        self.heads += 1;
        if !self.is_whole || head.tree_size < self.frontier.size() {
            return Ok(());
        }
        let ahead = (head.tree_size - self.frontier.size()) as usize;
        if ahead > self.waiting.len() {
            return Err("a tree head must be about commands before it");
        }
        self.grow(ahead);
        if self.frontier.root() != head.root || self.frontier.peaks() != head.peaks {
            return Err("the root in a tree head must be that of the commands");
        }
        Ok(())
    }

    /// The whole tree at the end.
    fn finish(&mut self) -> (u64, Hash) {
        self.grow(self.waiting.len());
        (self.frontier.size(), self.frontier.root())
    }
}

/// The engine, applying the log anew.
struct ReplayAudit {
    engine: Engine,
    events: EventBuffer,
    /// Snapshots that are still to come.
    ahead: VecDeque<u64>,
    /// The hashes at the last indices at which checks may stand.
    hashes: VecDeque<Hashes>,
    /// Of the events since the last such index; `None` when not all of them were seen.
    span: Option<HashTotal>,
    checks: u64,
    snapshots: u64,
}

/// What a check at an index must claim.
struct Hashes {
    index: u64,
    state: HashTotal,
    /// Of the events since the check before; unknown for a span that the replay began in the middle of.
    events: Option<HashTotal>,
}

/// An error that still has to be told where it happened.
type Placed = Box<dyn FnOnce(&str, u64) -> JournalError>;

impl ReplayAudit {
    const HASHES_MAX: usize = 1 << 16;

    /// Starts empty with the log's first command, else with the oldest snapshot that the log continues.
    fn open<S: Storage>(storage: &S, identity: Identity, first_index: u64) -> Outcome<Self> {
        let config = EngineConfig { shard: identity.shard, ..EngineConfig::default() };
        let mut ahead: VecDeque<u64> = snapshot_indices(storage)?.into();
        let engine = if first_index == 1 {
            Engine::new(config)
        } else {
            while ahead.front().is_some_and(|index| index + 1 < first_index) {
                ahead.pop_front();
            }
            let index = ahead.pop_front().ok_or(JournalError::NotInLog { index: 1, first: first_index, last: 0 })?;
            read_snapshot(storage, index, config)?.1
        };
        let (events, hashes) = (EventBuffer::default(), VecDeque::new());
        let span = engine.sequence().is_multiple_of(CHECK_EVERY).then(HashTotal::default);
        Ok(Self { engine, events, ahead, hashes, span, checks: 0, snapshots: 0 })
    }

    fn apply<S: Storage>(&mut self, storage: &S, command: &mut [CommandRecord], index: u64) -> Result<(), Placed> {
        if index <= self.engine.sequence() {
            return Ok(());
        }
        self.events.clear();
        self.engine.apply(command, &mut self.events);
        if let Some(span) = &mut self.span {
            self.events.as_slice().iter().for_each(|event| *span += event.replica_hash());
        }
        if index.is_multiple_of(CHECK_EVERY) {
            let events = self.span.replace(HashTotal::default());
            self.hashes.push_back(Hashes { index, state: self.engine.checkpoint(), events });
            if self.hashes.len() > Self::HASHES_MAX {
                self.hashes.pop_front();
            }
        }
        if self.ahead.front() == Some(&index) {
            self.ahead.pop_front();
            let config = self.engine.config();
            let (head, _) =
                read_snapshot(storage, index, config).map_err(|error| -> Placed { Box::new(|_, _| error) })?;
            if head.state_hash != self.engine.state_hash() {
                return Err(Box::new(|file, offset| {
                    damaged(
                        file,
                        offset,
                        "the snapshot of an index in this batch must be the state that the log leads to",
                    )
                }));
            }
            self.snapshots += 1;
        }
        Ok(())
    }

    fn check(&mut self, check: &Check) -> Result<(), &'static str> {
        if check.index > self.engine.sequence() {
            return Err("a check must be about a command before it");
        }
        // Not there: before the first snapshot, or long ago.
        let Some(known) = self.hashes.iter().rev().find(|known| known.index == check.index) else { return Ok(()) };
        if check.state_hash.is_some_and(|claimed| claimed != known.state) {
            return Err("the state hash in a check must be that of the state that the log leads to");
        }
        let claimed = check.events_hash.zip(known.events);
        if claimed.is_some_and(|(claimed, known)| claimed != known) {
            return Err("the events hash in a check must be that of the events that the log leads to");
        }
        self.checks += u64::from(check.state_hash.is_some() || claimed.is_some());
        Ok(())
    }
}
