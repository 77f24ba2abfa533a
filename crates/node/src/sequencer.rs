//! The sequencer: takes commands from the doors, gives them their order and time, and applies them.
//!
//! The only thread that touches the engine. Between two commands, while some wait, it makes no system call but reading the
//! clock, which is none on the systems that are fast, and allocates nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use tradewright_engine::{Engine, EventBuffer};
use tradewright_journal::whole_command;
use tradewright_protocol::symbols::Symbols;
use tradewright_transport::{Bell, Consumer, Corrupt, Idle, ManyConsumer, Producer, Writer};
use tradewright_types::{CommandRecord, EventRecord, HaltScope, set_up};

use crate::clock::{CommandClock, wall_ns};
use crate::node::COMMAND_RECORDS_MAX;
use crate::stages::Stages;

/// How many records one round takes at most: what a halt waits for, and what a reader of the log sees at once.
pub const BATCH_RECORDS: usize = 256;
/// With nothing to do, the log is told every so often that time passes.
const TICK_NS: u64 = 10_000_000;

/// What the sequencer and the other threads tell each other.
#[derive(Debug, Default)]
pub struct Signals {
    /// Somebody wants matching to stop, now.
    pub halt: AtomicBool,
    /// The thread that looks after snapshots wants one.
    pub snapshot: AtomicBool,
    /// No more commands are taken.
    pub stop: AtomicBool,
    /// The engine has stopped: the log gets no more.
    pub ended: AtomicBool,
    /// The journal's thread has ended: nothing more is written or released.
    pub is_log_closed: AtomicBool,
    /// The last index that was applied.
    pub applied: AtomicU64,
    /// The last index that is as durable as the tier says.
    pub durable: AtomicU64,
    /// The last index in the tree over the log.
    pub hashed: AtomicU64,
    /// Rounds of the sequencer that found work, and all: their quotient is how busy it is.
    pub busy_rounds: AtomicU64,
    /// See `busy_rounds`.
    pub rounds: AtomicU64,
}

/// Where the events of the commands up to an index end in the ring, and when the first of them was sequenced: three words in
/// the queue of marks.
pub(crate) const MARK_WORDS: usize = 3;

/// The sending ends that a sequencer needs.
#[derive(Debug)]
pub struct Outlets {
    /// To the journal: every command, in order.
    pub log: Producer<CommandRecord>,
    /// To everybody: every event. They are seen when the gate releases them.
    pub events: Writer<EventRecord>,
    /// To the gate: [`MARK_WORDS`] words for each round.
    pub marks: Producer<u64>,
    /// To the doors: the names of all instruments, when one was listed.
    pub listings: Sender<Symbols>,
}

/// See the module.
#[derive(Debug)]
pub struct Sequencer {
    engine: Engine,
    clock: CommandClock,
    operators: ManyConsumer<CommandRecord>,
    sessions: Consumer<CommandRecord>,
    outlets: Outlets,
    bell: Bell,
    signals: Arc<Signals>,
    stages: Stages,
    instruments: usize,
    batch: Vec<CommandRecord>,
    buffer: EventBuffer,
}

impl Sequencer {
    /// A sequencer that goes on where an engine stands. Both inlets ring `bell`.
    #[must_use]
    pub fn new(
        engine: Engine,
        operators: ManyConsumer<CommandRecord>,
        sessions: Consumer<CommandRecord>,
        outlets: Outlets,
        bell: Bell,
        signals: Arc<Signals>,
        stages: Stages,
    ) -> Self {
        signals.applied.store(engine.sequence(), Ordering::Release);
        Self {
            clock: CommandClock::behind(engine.time_ns()),
            instruments: engine.instrument_count(),
            engine,
            operators,
            sessions,
            outlets,
            bell,
            signals,
            stages,
            batch: Vec::with_capacity(BATCH_RECORDS + COMMAND_RECORDS_MAX as usize),
            buffer: EventBuffer::with_capacity(1 << 14),
        }
    }

    /// The engine as it stands.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Does one round of work, and returns how many records it took. 0 when there is none, or when the log or the readers
    /// of events are too far behind for more.
    ///
    /// # Errors
    /// A ring was written by somebody who must not.
    pub fn poll(&mut self) -> Result<usize, Corrupt> {
        let count = |cell: &AtomicU64| cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        count(&self.signals.rounds);
        self.batch.clear();
        // A halt does not wait for the log or for readers: the room that others must leave is enough for it.
        if self.signals.halt.load(Ordering::Acquire) && self.has_room_for_halt()? {
            self.signals.halt.store(false, Ordering::Release);
            self.batch.push(set_up::halt(HaltScope::Venue));
        } else if self.has_room_for_round()? {
            self.take()?;
        }
        let taken = self.batch.len();
        if taken > 0 {
            count(&self.signals.busy_rounds);
            self.sequence()?;
        }
        Ok(taken)
    }

    /// Whether log, gate and ring of events take a round, whose last command may be the longest there is, and leave room for a
    /// halt behind it. The smallest ring of events has 1,024.
    fn has_room_for_round(&mut self) -> Result<bool, Corrupt> {
        let Outlets { log, events, marks, listings: _ } = &mut self.outlets;
        let records_max = BATCH_RECORDS + COMMAND_RECORDS_MAX as usize;
        Ok(log.free()? > records_max && events.room() > 2 * BATCH_RECORDS && marks.free()? >= 8 * MARK_WORDS)
    }

    /// Whether they take one more command.
    fn has_room_for_halt(&mut self) -> Result<bool, Corrupt> {
        let Outlets { log, events, marks, listings: _ } = &mut self.outlets;
        Ok(log.free()? > 0 && events.room() > 0 && marks.free()? >= MARK_WORDS)
    }

    /// Takes what comes next into `batch`: operators before sessions.
    fn take(&mut self) -> Result<(), Corrupt> {
        let waiting = self.operators.readable()?;
        if let count @ 1.. = take_whole(waiting, &mut self.batch) {
            self.operators.release(count);
            return Ok(());
        }
        let waiting = self.sessions.readable()?;
        if let count @ 1.. = take_whole(waiting, &mut self.batch) {
            self.sessions.release(count);
            return Ok(());
        }
        if wall_ns() > self.clock.last_ns() + TICK_NS {
            self.batch.push(set_up::advance_time());
        }
        Ok(())
    }

    /// Gives the batch its times, hands it to the journal, applies it, and writes its events.
    fn sequence(&mut self) -> Result<(), Corrupt> {
        let wall = wall_ns();
        let (mut place, mut commands) = (0, 0);
        let first_ns = self.clock.last_ns().max(wall);
        while place < self.batch.len() {
            let first = &mut self.batch[place];
            first.header.time_ns = self.clock.next(wall);
            place += usize::from(first.header.record_count);
            commands += 1;
        }
        let is_logged = self.outlets.log.push_whole(&self.batch)?;
        assert!(is_logged, "Invariant: there was room in the ring of the log");
        let begin = Instant::now();
        self.engine.apply_all(&self.batch, &mut self.buffer);
        let spent_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.stages.apply.record(spent_ns / commands, commands);
        if self.engine.instrument_count() != self.instruments {
            self.instruments = self.engine.instrument_count();
            // Without doors nobody listens.
            let _ = self.outlets.listings.send(Symbols::of(&self.engine));
        }
        self.publish(first_ns)?;
        self.signals.applied.store(self.engine.sequence(), Ordering::Release);
        Ok(())
    }

    /// Writes the events of the batch. There may be more than the ring has room for: one command can trade with thousands.
    /// Then it waits for the gate, which lets readers see what is durable, be it half a command's.
    fn publish(&mut self, first_ns: u64) -> Result<(), Corrupt> {
        let index = self.engine.sequence();
        let mut rest = self.buffer.as_slice();
        loop {
            let room = self.outlets.events.room().min(rest.len());
            let (now, later) = rest.split_at(room);
            self.outlets.events.write(now);
            let mark = [index, self.outlets.events.written(), first_ns];
            while !self.outlets.marks.push_whole(&mark)? && !self.is_log_closed() {
                std::thread::yield_now();
            }
            rest = later;
            // Nobody will see the rest when the gate is closed for good.
            if rest.is_empty() || self.is_log_closed() {
                break;
            }
            std::thread::yield_now();
        }
        self.buffer.clear();
        Ok(())
    }

    /// Whether the journal's thread has ended: nothing that is done from now on will be seen.
    #[must_use]
    pub fn is_log_closed(&self) -> bool {
        self.signals.is_log_closed.load(Ordering::Acquire)
    }

    /// Waits for something to do, here or elsewhere on this thread, once.
    pub fn pause_unless(&self, idle: &mut Idle, is_ready: impl Fn() -> bool) {
        idle.pause(&self.bell, || self.is_ready() || is_ready());
    }

    /// Whether there is something to do. For whoever decides to sleep.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.operators.is_ready() || self.sessions.is_ready() || self.signals.halt.load(Ordering::Acquire)
    }

    /// Gives the engine back when the node stops.
    #[must_use]
    pub fn into_engine(self) -> Engine {
        self.engine
    }
}

/// Copies whole commands, as many as a round takes, and returns how many records they are.
///
/// # Panics
/// When a command is not whole: what stands in these rings was checked by the door that it came in by.
fn take_whole(waiting: &[CommandRecord], batch: &mut Vec<CommandRecord>) -> usize {
    let mut count = 0;
    while count < waiting.len() && count < BATCH_RECORDS {
        let header = &waiting[count].header;
        let records = usize::from(header.record_count);
        if count + records > waiting.len() {
            break;
        }
        assert!(whole_command(&waiting[count..], 0).is_ok(), "Invariant: doors let only whole commands in");
        count += records;
    }
    batch.extend_from_slice(&waiting[..count]);
    count
}
