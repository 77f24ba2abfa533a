//! The journal's thread: makes commands durable, then lets their events be seen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tradewright_journal::{Check, Journal, JournalError, Storage, TreeHead, whole_command};
use tradewright_transport::{Consumer, Idle, Releaser};
use tradewright_types::CommandRecord;

use crate::clock::wall_ns;
use crate::error::NodeError;
use crate::fence::Fence;
use crate::sequencer::{MARK_WORDS, Signals};
use crate::stages::Stages;

/// What other threads want to have written into the log beside the commands.
#[derive(Clone, Debug)]
pub enum Note {
    /// A hash of events or state.
    Check(Check),
    /// A signed head of the tree.
    Head(TreeHead),
}

/// How long the log rests when nobody waits for it; what comes meanwhile has room in the ring.
const UNHURRIED: Duration = Duration::from_micros(500);

/// The gate: opens as commands become durable.
pub struct Gatekeeper {
    /// Where the events of commands end, in threes: an index, the position behind its events, the time of the first of them.
    pub marks: Consumer<u64>,
    /// Lets readers see them.
    pub releaser: Releaser,
}

/// See the module.
pub struct Durability<S: Storage> {
    journal: Journal<S>,
    log: Consumer<CommandRecord>,
    gate: Option<Gatekeeper>,
    notes: Receiver<Note>,
    /// Checks of commands that are yet to be written.
    early: VecDeque<Check>,
    fence: Option<Fence>,
    signals: Arc<Signals>,
    stages: Stages,
    /// When the last batch was as durable as it has to be.
    durable_ns: u64,
}

impl<S: Storage> Durability<S> {
    /// A stage that writes what comes out of `log` and releases events, if that is its business: in tier memory it is not, and it
    /// writes without haste.
    #[must_use]
    pub fn new(
        journal: Journal<S>,
        log: Consumer<CommandRecord>,
        gate: Option<Gatekeeper>,
        notes: Receiver<Note>,
        signals: Arc<Signals>,
        stages: Stages,
    ) -> Self {
        signals.durable.store(journal.durable_index(), Ordering::Release);
        Self { journal, log, gate, notes, early: VecDeque::new(), fence: None, signals, stages, durable_ns: 0 }
    }

    /// Writes and releases only as long as nobody claims a later epoch than the fence is held in.
    #[must_use]
    pub fn fenced(self, fence: Fence) -> Self {
        Self { fence: Some(fence), ..self }
    }

    /// Writes and syncs what waits, and releases its events. Returns how many records it took.
    ///
    /// # Errors
    /// The log cannot be written. The node has to stop: nobody knows what is on the disk.
    pub fn poll(&mut self) -> Result<usize, NodeError> {
        let begin = Instant::now();
        check(self.fence.as_ref())?;
        let mut taken = 0;
        loop {
            let waiting = self.log.readable()?;
            let count = whole(waiting);
            if count == 0 {
                break;
            }
            // A batch that is full is written on the way.
            check(self.fence.as_ref())?;
            self.journal.append(&waiting[..count])?;
            self.log.release(count);
            taken += count;
            // What came while these were framed waits for the next batch, so that nobody waits without end.
            if taken >= 1 << 14 {
                break;
            }
        }
        if self.note()? || taken > 0 {
            self.commit()?;
            self.stages.journal.record(begin.elapsed().as_nanos() as u64, 1);
        }
        self.open_gate()?;
        Ok(taken)
    }

    /// Writes what others want to have noted. Returns whether there was anything.
    fn note(&mut self) -> Result<bool, NodeError> {
        let mut is_noted = false;
        while let Ok(note) = self.notes.try_recv() {
            match note {
                Note::Check(check) => self.early.push_back(check),
                Note::Head(head) => {
                    self.journal.append_tree_head(&head)?;
                    is_noted = true;
                }
            }
        }
        // Where events wait for nothing, those who check them may be ahead of the log.
        while let Some(check) = self.early.front().filter(|check| check.index <= self.journal.last_index()) {
            self.journal.append_check(check)?;
            self.early.pop_front();
            is_noted = true;
        }
        Ok(is_noted)
    }

    fn commit(&mut self) -> Result<(), NodeError> {
        check(self.fence.as_ref())?;
        let durable = loop {
            match self.journal.commit() {
                Ok(durable) => break durable,
                // The background is making a segment ready, or says that it cannot: then the log ends here, and nothing that it
                // has no room for was acknowledged.
                Err(JournalError::LogSpaceExhausted)
                    if !self.signals.stop.load(Ordering::Acquire)
                        && !self.signals.is_log_short.load(Ordering::Acquire) =>
                {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.durable_ns = wall_ns();
        self.signals.durable.store(durable, Ordering::Release);
        Ok(())
    }

    /// Lets the events of durable commands be seen.
    fn open_gate(&mut self) -> Result<(), NodeError> {
        let Some(Gatekeeper { marks: queue, releaser }) = &mut self.gate else { return Ok(()) };
        let durable = self.journal.durable_index();
        let (mut first, mut last) = (None, 0);
        loop {
            let waiting = queue.readable()?;
            let (marks, _) = waiting.as_chunks::<MARK_WORDS>();
            let reached = marks.iter().take_while(|[index, _, _]| *index <= durable).count();
            let Some([index, position, _]) = reached.checked_sub(1).map(|last| marks[last]) else { break };
            first = first.or(Some(marks[0][2]));
            check(self.fence.as_ref())?;
            queue.release(reached * MARK_WORDS);
            releaser.release(position);
            last = index;
        }
        if let Some(first_ns) = first {
            let now_ns = wall_ns();
            self.stages.gate.record(now_ns.saturating_sub(first_ns), 1);
            self.stages.passage.released(last, self.durable_ns, now_ns);
        }
        Ok(())
    }

    /// Waits for something to do, once. Where nobody waits for it, it does not take a core from those that somebody waits for.
    pub fn pause(&self, idle: &mut Idle) {
        if self.gate.is_some() { self.log.pause(idle) } else { std::thread::sleep(UNHURRIED) }
    }

    /// Closes the log in order.
    ///
    /// # Errors
    /// As [`Durability::poll`].
    pub fn seal(mut self) -> Result<(), NodeError> {
        while self.poll()? > 0 {}
        check(self.fence.as_ref())?;
        self.journal.seal()?;
        Ok(())
    }
}

/// Whether this node still leads. Takes the fence alone, as it is asked while rings are looked into.
#[inline]
fn check(fence: Option<&Fence>) -> Result<(), NodeError> {
    fence.map_or(Ok(()), Fence::check)
}

/// How many of the records are whole commands: a piece of the ring may end in the middle of one.
fn whole(waiting: &[CommandRecord]) -> usize {
    let mut count = 0;
    while let Ok(records) = whole_command(&waiting[count..], 0) {
        count += records;
    }
    count
}
