//! Events from any place on, by applying the log again.
//!
//! It begins with the nearest snapshot, applies what is durable, and compares what comes out with the hashes in the log. It holds one
//! state and one batch, whatever lies between. Whoever fell behind a ring goes on from here, and comes back to the ring where the
//! two meet.

use std::collections::VecDeque;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{Check, FolderStorage, JournalError, JournalReader, RecordKind};
use tradewright_protocol::reports::Position;
use tradewright_types::{CommandRecord, EventRecord};

use crate::checks::Comparison;
use crate::error::NodeError;
use crate::recovery;
use crate::sequencer::BATCH_RECORDS;

/// The log, applied again. See the module.
pub struct Replay {
    engine: Engine,
    reader: JournalReader<FolderStorage>,
    comparison: Comparison,
    after: Position,
    /// Commands that were read and not applied yet: those from `begin` on.
    commands: Vec<CommandRecord>,
    begin: usize,
    events: EventBuffer,
    checks: VecDeque<Check>,
}

/// What a few commands did.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'r> {
    /// The index of the first command.
    pub first_index: u64,
    /// The records of the commands, whole.
    pub commands: &'r [CommandRecord],
    /// Their events, those behind the place that was asked for.
    pub events: &'r [EventRecord],
}

impl Replay {
    /// Begins with the events behind `after`; `config` is that of the engine that wrote the log. It is ready when
    /// [`Replay::seek`] says so.
    ///
    /// # Errors
    /// The log or its snapshots do not reach back so far, or are damaged.
    pub fn open(storage: &FolderStorage, config: EngineConfig, after: Position) -> Result<Self, NodeError> {
        if after.shard != config.shard {
            return Err(NodeError::Replay(format!(
                "shard={} must be {}, the one of this log",
                after.shard, config.shard
            )));
        }
        let before = before(after);
        let engine = recovery::newest(storage, config, before)?;
        let from = engine.sequence() + 1;
        let reader = match JournalReader::follow(storage.clone(), from) {
            Err(JournalError::NotInLog { first, .. }) => {
                return Err(NodeError::Replay(format!(
                    "the log begins with command {first}, and no good snapshot reaches back to command {before}"
                )));
            }
            reader => reader?,
        };
        Ok(Self {
            comparison: Comparison::behind(engine.sequence()),
            engine,
            reader,
            after,
            commands: Vec::new(),
            begin: 0,
            events: EventBuffer::default(),
            checks: VecDeque::new(),
        })
    }

    /// The state as it stands: behind every command that was applied.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many checks of the log agreed with what came out.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.comparison.agreed()
    }

    /// Applies a few of the commands before the place that was asked for. Returns whether that is reached: the state is the one
    /// before the first command of which events are given.
    ///
    /// # Errors
    /// As [`Replay::step`].
    pub fn seek(&mut self) -> Result<bool, NodeError> {
        let before = before(self.after);
        if self.engine.sequence() < before {
            self.apply(before)?;
        }
        Ok(self.engine.sequence() >= before)
    }

    /// Applies the next commands, as many as a round of the sequencer takes. `None` at the end of what is durable, for now.
    ///
    /// # Errors
    /// The log is damaged, or its checks differ from what came out.
    pub fn step(&mut self) -> Result<Option<Applied<'_>>, NodeError> {
        let first_index = self.engine.sequence() + 1;
        let Some(applied) = self.apply(u64::MAX)? else { return Ok(None) };
        let after = self.after;
        let skipped = self.events.as_slice().partition_point(|event| Position::of(event) <= after);
        let (commands, events) = (&self.commands[applied], &self.events.as_slice()[skipped..]);
        Ok(Some(Applied { first_index, commands, events }))
    }

    /// Applies the next commands up to an index. Returns where their records stand.
    fn apply(&mut self, index_max: u64) -> Result<Option<core::ops::Range<usize>>, NodeError> {
        self.events.clear();
        if self.begin == self.commands.len() && !self.read()? {
            return Ok(None);
        }
        let (mut end, mut index) = (self.begin, self.engine.sequence());
        while end < self.commands.len() && end - self.begin < BATCH_RECORDS && index < index_max {
            end += usize::from(self.commands[end].header.record_count);
            index += 1;
        }
        let place = self.begin..end;
        self.engine.apply_all(&self.commands[place.clone()], &mut self.events);
        self.begin = end;
        self.comparison.take(self.events.as_slice(), self.engine.sequence());
        while let Some(check) = self.checks.front().filter(|check| check.index <= self.engine.sequence()) {
            self.comparison.compare(*check)?;
            self.checks.pop_front();
        }
        Ok(Some(place))
    }

    /// Reads the next batch. Returns whether there was one with commands.
    fn read(&mut self) -> Result<bool, NodeError> {
        self.commands.clear();
        self.begin = 0;
        while self.commands.is_empty() {
            let Some(batch) = self.reader.next_batch()? else { return Ok(false) };
            if batch.epoch() != self.engine.config().epoch {
                self.engine.begin_epoch(batch.epoch());
            }
            batch.copy_commands(self.engine.sequence() + 1, &mut self.commands);
            let records = batch.records().filter(|record| record.kind == RecordKind::Check);
            self.checks.extend(records.filter_map(|record| Check::read(record.header.index, record.payload())));
        }
        Ok(true)
    }
}

/// The command behind which the first event behind a place may stand.
fn before(after: Position) -> u64 {
    if after.k == u32::MAX { after.index } else { after.index.saturating_sub(1) }
}
