//! What the feed missed, or has yet to count: commands of the log, applied again beside the node.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{FolderStorage, JournalReader};
use tradewright_types::{CommandRecord, EventRecord};

use super::sequences::Mark;
use crate::error::NodeError;
use crate::recovery;

/// See the module.
pub(crate) struct Past {
    /// The command behind which events are wanted, and what was noted of it.
    mark: Mark,
    /// Whether the state behind that command is wanted: the builder has yet to be made.
    wants_engine: bool,
    is_reset: bool,
    follower: Option<Follower>,
}

/// An engine that follows the log.
struct Follower {
    engine: Engine,
    reader: JournalReader<FolderStorage>,
    commands: Vec<CommandRecord>,
    events: EventBuffer,
    /// What of a batch lies behind the mark.
    rest: Vec<CommandRecord>,
}

impl Past {
    /// At the start: the builder is to be made where the channel is known to have stood.
    pub(crate) const fn at_start(mark: Mark) -> Self {
        Self { mark, wants_engine: true, is_reset: false, follower: None }
    }

    /// The builder stands behind a command, and what follows was overwritten.
    pub(crate) const fn behind(index: u64) -> Self {
        let mark = Mark { index, time_ns: 0, next_sequence: 0 };
        Self { mark, wants_engine: false, is_reset: false, follower: None }
    }

    /// From the newest snapshot on, whatever was before it.
    pub(crate) const fn reset() -> Self {
        Self { mark: Mark::first(), wants_engine: true, is_reset: true, follower: None }
    }

    pub(crate) const fn is_reset(&self) -> bool {
        self.is_reset
    }

    pub(crate) const fn mark(&self) -> Mark {
        self.mark
    }

    /// The last command that was applied.
    pub(crate) fn index(&self) -> u64 {
        self.follower.as_ref().map_or(0, |follower| follower.engine.sequence())
    }

    /// The state behind the mark, once: right after the round in which it was reached.
    pub(crate) fn arrived(&mut self) -> Option<&Engine> {
        let engine = &self.follower.as_ref()?.engine;
        let arrives = self.wants_engine && engine.sequence() == self.mark.index;
        self.wants_engine &= !arrives;
        arrives.then_some(engine)
    }

    /// The events of the last round that lie behind the mark.
    pub(crate) fn events(&self) -> &[EventRecord] {
        self.follower.as_ref().map_or(&[], |follower| follower.events.as_slice())
    }

    /// Applies the next durable batch, and returns how many records it had; 0 at the end for now. The round that reaches the
    /// mark has no events.
    ///
    /// # Errors
    /// The log is damaged, does not go back to the mark, or is another one.
    pub(crate) fn poll(&mut self, storage: &FolderStorage, config: EngineConfig) -> Result<usize, NodeError> {
        if let Some(follower) = &mut self.follower {
            let count = follower.poll(self.mark.index)?;
            self.check_time()?;
            return Ok(count);
        }
        let follower = Follower::open(storage, config, if self.is_reset { u64::MAX } else { self.mark.index })?;
        if self.is_reset {
            let (index, time_ns) = (follower.engine.sequence(), follower.engine.time_ns());
            self.mark = Mark { index, time_ns, ..self.mark };
        }
        self.follower = Some(follower);
        self.check_time()?;
        Ok(1)
    }

    /// A mark that was noted beside another log is worth nothing.
    fn check_time(&self) -> Result<(), NodeError> {
        let Some(Follower { engine, .. }) = &self.follower else { return Ok(()) };
        let Mark { index, time_ns, .. } = self.mark;
        if self.wants_engine && index > 0 && engine.sequence() == index && engine.time_ns() != time_ns {
            let found = engine.time_ns();
            return Err(NodeError::Replay(format!(
                "command {index} has the time {found}, and the feed noted {time_ns}: it was another log"
            )));
        }
        Ok(())
    }
}

impl Follower {
    /// Begins with the newest snapshot that is not behind a command.
    fn open(storage: &FolderStorage, config: EngineConfig, index_max: u64) -> Result<Self, NodeError> {
        let durable = JournalReader::follow(storage.clone(), u64::MAX)?.told_durable().unwrap_or(0);
        let engine = recovery::newest(storage, config, index_max.min(durable))?;
        let reader = JournalReader::follow(storage.clone(), engine.sequence() + 1)?;
        let (commands, rest, events) = (Vec::new(), Vec::new(), EventBuffer::default());
        Ok(Self { engine, reader, commands, events, rest })
    }

    /// Applies the next batch, or what is left of one. One that goes beyond `mark` is applied up to there first.
    fn poll(&mut self, mark: u64) -> Result<usize, NodeError> {
        let Self { engine, reader, commands, events, rest } = self;
        events.clear();
        commands.clear();
        if rest.is_empty() {
            let Some(batch) = reader.next_batch()? else { return Ok(0) };
            let from = engine.sequence() + 1;
            for record in batch.records().filter(|record| record.header.index >= from) {
                let is_behind = from <= mark && record.header.index > mark;
                let into = if is_behind { &mut *rest } else { &mut *commands };
                into.extend_from_slice(record.command().unwrap_or_default());
            }
        } else {
            core::mem::swap(commands, rest);
        }
        let is_before = engine.sequence() < mark;
        engine.apply_all(commands, events);
        if is_before {
            events.clear();
        }
        Ok(commands.len())
    }
}
