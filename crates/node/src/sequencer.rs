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
use tradewright_protocol::reports::Opening;
use tradewright_protocol::symbols::Symbols;
use tradewright_transport::{Bell, Consumer, Corrupt, Idle, ManyConsumer, Producer, Releaser, Writer};
use tradewright_types::{CommandKind, CommandRecord, EventRecord, HaltScope, Setting, set_up};

use crate::accounts::AccountDesk;
use crate::clock::{CommandClock, wall_ns};
use crate::door_keys::Registration;
use crate::fence::Fence;
use crate::node::COMMAND_RECORDS_MAX;
use crate::stages::Stages;

/// How many records one round takes at most: what a halt waits for, and what a reader of the log sees at once.
pub const BATCH_RECORDS: usize = 256;
/// Room in the log that rounds leave to halts.
const HALTS_ROOM: usize = 1024;
/// With nothing to do, the log is told every so often that time passes.
const TICK_NS: u64 = 10_000_000;

/// What the sequencer and the other threads tell each other.
#[derive(Debug, Default)]
pub struct Signals {
    /// Somebody wants matching to stop, now.
    pub halt: AtomicBool,
    /// Doors ask how accounts stand, or operators what names stand for.
    pub is_asked: AtomicBool,
    /// The thread that looks after snapshots wants one.
    pub snapshot: AtomicBool,
    /// No more commands are taken.
    pub stop: AtomicBool,
    /// The engine has stopped: the log gets no more.
    pub ended: AtomicBool,
    /// The journal's thread has ended: nothing more is written or released.
    pub is_log_closed: AtomicBool,
    /// The next segment of the log cannot be made ready: new orders are refused at the doors.
    pub is_log_short: AtomicBool,
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
    /// How events are let through.
    pub gate: Gate,
    /// To the doors: what they cannot learn from events, always before the events that go with it.
    pub news: Sender<News>,
    /// Where doors ask how accounts stand, and operators what names stand for.
    pub accounts: AccountDesk,
}

/// Who lets events be seen.
#[derive(Debug)]
pub enum Gate {
    /// The journal's thread, when commands are as durable as they have to be: it gets [`MARK_WORDS`] words for each round.
    Durable(Producer<u64>),
    /// This thread at once, as tier memory waits for nothing. The log is written behind.
    Open(Releaser, Fence),
}

/// What the doors cannot learn from events.
#[derive(Debug)]
pub enum News {
    /// An instrument was listed: the names of all.
    Listed(Symbols),
    /// A session was opened whose account had orders before anybody followed them.
    Opened(Opening),
    /// A key is being registered: its event, should the engine take it, names a sealed secret by its hash only.
    KeyRegistered(Box<Registration>),
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
    /// How many instruments and sessions the doors know of.
    known: (usize, usize),
    batch: Vec<CommandRecord>,
    buffer: EventBuffer,
    /// Where in the queue of the sessions' commands the batch begins, when it is from there.
    from_sessions: Option<u64>,
    /// How many events of `buffer` stand in the ring.
    written: usize,
    /// Up to where in the ring the gate knows of events.
    marked: u64,
    /// The time of the first command whose events are in `buffer`.
    first_ns: u64,
    /// Log, gate or ring had no room when it last looked.
    is_held_up: bool,
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
        let known = (engine.instrument_count(), engine.sessions().len());
        Self {
            clock: CommandClock::behind(engine.time_ns()),
            known,
            engine,
            operators,
            sessions,
            marked: outlets.events.written(),
            outlets,
            bell,
            signals,
            stages,
            batch: Vec::with_capacity(BATCH_RECORDS + COMMAND_RECORDS_MAX as usize),
            buffer: EventBuffer::with_capacity(1 << 14),
            from_sessions: None,
            written: 0,
            first_ns: 0,
            is_held_up: false,
        }
    }

    /// The engine as it stands.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Does one round of work, and returns how many records it took. 0 when there is none, or when the log or the ring of
    /// events has no room for more because the disk is slow. It never waits, so that a halt does not.
    ///
    /// # Errors
    /// A ring was written by somebody who must not.
    pub fn poll(&mut self) -> Result<usize, Corrupt> {
        let count = |cell: &AtomicU64| cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        count(&self.signals.rounds);
        self.publish()?;
        if self.signals.is_asked.load(Ordering::Relaxed) && !self.has_unpublished() {
            self.signals.is_asked.swap(false, Ordering::Acquire);
            let (position, consumed) = (self.outlets.events.written(), self.sessions.consumed());
            if !self.outlets.accounts.answer(&self.engine, position, consumed) {
                self.signals.is_asked.store(true, Ordering::Release);
            }
        }
        self.batch.clear();
        self.is_held_up = !self.has_room_for_round()?;
        // A halt does not wait for the gate or for the room of a round: one command in the log is all it needs.
        if self.signals.halt.load(Ordering::Acquire) && self.outlets.log.free()? > 0 {
            self.signals.halt.store(false, Ordering::Release);
            self.batch.push(set_up::halt(HaltScope::Venue));
        } else if !self.is_held_up {
            self.take()?;
        }
        let taken = self.batch.len();
        if taken > 0 {
            count(&self.signals.busy_rounds);
            self.sequence()?;
            self.publish()?;
        }
        Ok(taken)
    }

    /// Whether all events so far are in the ring, and the log takes a round, whose last command may be the longest there is, and
    /// has room for halts behind it.
    fn has_room_for_round(&mut self) -> Result<bool, Corrupt> {
        let records_max = BATCH_RECORDS + COMMAND_RECORDS_MAX as usize;
        Ok(!self.has_unpublished() && self.outlets.log.free()? > records_max + HALTS_ROOM)
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
            self.from_sessions = Some(self.sessions.consumed());
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
        let (mut place, mut last, mut commands) = (0, 0, 0);
        if self.buffer.is_empty() {
            self.first_ns = self.clock.last_ns().max(wall);
        }
        while place < self.batch.len() {
            let first = &mut self.batch[place];
            first.header.time_ns = self.clock.next(wall);
            last = place;
            place += usize::from(first.header.record_count);
            commands += 1;
        }
        // It ends its round, as every command of an operator does.
        if self.batch[last].header.kind == CommandKind::RegisterKey as u8 {
            self.tell_key(last, self.engine.sequence() + commands);
        }
        let is_logged = self.outlets.log.push_whole(&self.batch)?;
        assert!(is_logged, "Invariant: there was room in the ring of the log");
        let begin = Instant::now();
        self.engine.apply_all(&self.batch, &mut self.buffer);
        let spent_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.stages.apply.record(spent_ns / commands, commands);
        if let Some(begin) = self.from_sessions.take()
            && self.stages.passage.is_awaited()
        {
            let first_index = self.engine.sequence() - commands + 1;
            let waited = |ns| self.stages.queue.record(ns, 1);
            self.stages.passage.sequenced((begin, &self.batch), first_index, (wall, wall_ns()), waited);
        }
        self.tell_news();
        self.signals.applied.store(self.engine.sequence(), Ordering::Release);
        Ok(())
    }

    /// Tells the doors what key a command registers, before anybody can see its event.
    fn tell_key(&self, place: usize, index: u64) {
        let read = Setting::read(CommandKind::RegisterKey, &self.batch[place..]);
        if let Ok(Setting::RegisterKey { id, account, kind, permissions, key: material }) = read {
            let registration = Registration { index, id, account, kind, permissions, material };
            // Without doors nobody listens.
            let _ = self.outlets.news.send(News::KeyRegistered(Box::new(registration)));
        }
    }

    /// Tells the doors what they cannot learn from events. The commands that bring it about end their round: the engine stands right
    /// behind them.
    fn tell_news(&mut self) {
        let Self { engine, outlets, known, .. } = self;
        let now = (engine.instrument_count(), engine.sessions().len());
        let before = core::mem::replace(known, now);
        // Without doors nobody listens.
        if now.0 != before.0 {
            let _ = outlets.news.send(News::Listed(Symbols::of(engine)));
        }
        if now.1 != before.1
            && let Some(opening) = Opening::of_newest_session(engine)
        {
            let _ = outlets.news.send(News::Opened(opening));
        }
    }

    /// Writes the events that the ring has room for, and tells the gate. There may be more, as one command can trade with
    /// thousands: the rest follows as the gate lets readers see what is durable, be it half a command's.
    fn publish(&mut self) -> Result<(), Corrupt> {
        if !self.has_unpublished() {
            return Ok(());
        }
        let Outlets { events, gate, .. } = &mut self.outlets;
        let rest = &self.buffer.as_slice()[self.written..];
        let count = events.room().min(rest.len());
        events.write(&rest[..count]);
        self.written += count;
        let written = events.written();
        if written != self.marked {
            let is_let_through = match gate {
                Gate::Durable(marks) => marks.push_whole(&[self.engine.sequence(), written, self.first_ns])?,
                // Who was overtaken lets nothing more be seen; the journal's thread ends the node for it.
                Gate::Open(releaser, fence) => {
                    let leads = fence.check().is_ok();
                    if leads {
                        releaser.release(written);
                        let now_ns = wall_ns();
                        self.stages.gate.record(now_ns.saturating_sub(self.first_ns), 1);
                        self.stages.passage.released(self.engine.sequence(), 0, now_ns);
                    }
                    leads
                }
            };
            if is_let_through {
                self.marked = written;
            }
        }
        // Nobody will see the rest when the gate is closed for good.
        if self.written == self.buffer.len() || self.is_log_closed() {
            self.buffer.clear();
            self.written = 0;
        }
        Ok(())
    }

    /// Whether there are events that the ring or the gate had no room for.
    #[must_use]
    pub fn has_unpublished(&self) -> bool {
        !self.buffer.is_empty() || (self.marked != self.outlets.events.written() && !self.is_log_closed())
    }

    /// Whether the journal's thread has ended: nothing that is done from now on will be seen.
    #[must_use]
    pub fn is_log_closed(&self) -> bool {
        self.signals.is_log_closed.load(Ordering::Acquire)
    }

    /// Waits for something to do, here or elsewhere on this thread, once. What waits while the disk holds it up is nothing to
    /// do: it would keep the journal's thread from the core that it may need.
    pub fn pause_unless(&self, idle: &mut Idle, is_ready: impl Fn() -> bool) {
        let is_halted = || self.signals.halt.load(Ordering::Acquire);
        idle.pause(&self.bell, || is_halted() || (self.is_ready() && !self.is_held_up) || is_ready());
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

/// Whether a command may have to look at every open order. It ends its round, or a halt would wait for a round of such ones.
fn may_take_long(kind: u8) -> bool {
    CommandKind::from_code(kind).is_none_or(|kind| !kind.is_order_entry() || kind == CommandKind::CancelAll)
}

/// Copies whole commands, as many as a round takes, and returns how many records they are. That each is whole was checked by the
/// door that it came in by; the journal checks it again and ends the node before anybody sees what came of it.
fn take_whole(waiting: &[CommandRecord], batch: &mut Vec<CommandRecord>) -> usize {
    let mut count = 0;
    while count < waiting.len() && count < BATCH_RECORDS {
        let header = &waiting[count].header;
        let records = usize::from(header.record_count);
        if count + records > waiting.len() {
            break;
        }
        debug_assert!(whole_command(&waiting[count..], 0).is_ok(), "Invariant: doors let only whole commands in");
        count += records;
        if may_take_long(header.kind) {
            break;
        }
    }
    batch.extend_from_slice(&waiting[..count]);
    count
}

#[cfg(test)]
mod tests {
    use tradewright_engine::EngineConfig;
    use tradewright_transport::{Polled, Reader, Region, Releaser, Shape, Start, many_queue, queue};

    use super::*;

    /// A sequencer whose log nobody writes and whose gate nobody opens.
    struct Bench {
        sequencer: Sequencer,
        commands: Producer<CommandRecord>,
        log: Consumer<CommandRecord>,
        marks: Consumer<u64>,
        releaser: Option<Releaser>,
        reader: Reader<EventRecord>,
    }

    fn bench(event_slots: u64) -> Bench {
        let region = Region::in_memory(Shape::broadcast::<EventRecord>(event_slots), &Default::default()).unwrap();
        let (_, operators) = many_queue(1 << 10, COMMAND_RECORDS_MAX).unwrap();
        let (commands, sessions) = queue(1 << 13, COMMAND_RECORDS_MAX).unwrap();
        let (log_in, log) = queue(1 << 13, COMMAND_RECORDS_MAX + BATCH_RECORDS as u32).unwrap();
        let (marks_in, marks) = queue(1 << 6, MARK_WORDS as u32).unwrap();
        let (news, _) = std::sync::mpsc::channel();
        let releaser = Some(Releaser::attach(&region).unwrap());
        let reader = Reader::attach(&region, Start::Oldest).unwrap();
        let gate = Gate::Durable(marks_in);
        let accounts = AccountDesk::closed();
        let outlets = Outlets { log: log_in, events: Writer::attach(&region).unwrap(), gate, news, accounts };
        let (signals, bell) = (Arc::new(Signals::default()), Bell::in_memory().unwrap());
        let engine = Engine::new(EngineConfig::default());
        let sequencer = Sequencer::new(engine, operators, sessions, outlets, bell, signals, Stages::default());
        Bench { sequencer, commands, log, marks, releaser, reader }
    }

    /// Refused, as nobody has an account: one event.
    fn send(bench: &mut Bench, kind: CommandKind, count: usize) {
        let record = CommandRecord { instrument: tradewright_types::ANY, side: 255, ..CommandRecord::new(kind) };
        assert!(bench.commands.push_whole(&vec![record; count]).unwrap());
    }

    /// Opens the gate as far as the marks say, and reads.
    fn read(bench: &mut Bench) -> Vec<EventRecord> {
        let mut events = Vec::new();
        while let [.., _, position, _] = bench.marks.readable().unwrap() {
            let position = *position;
            let count = bench.marks.readable().unwrap().len();
            bench.marks.release(count);
            bench.releaser.as_mut().unwrap().release(position);
            assert!(!matches!(bench.reader.poll_into(&mut events, 1 << 12), Polled::Behind { .. }));
            bench.sequencer.poll().unwrap();
        }
        events
    }

    #[test]
    fn a_halt_waits_neither_for_readers_nor_for_the_disk() {
        let mut bench = bench(1 << 10);
        for _ in 0..8 {
            send(&mut bench, CommandKind::PlaceOrder, BATCH_RECORDS);
        }
        let mut taken = 0;
        while let count @ 1.. = bench.sequencer.poll().unwrap() {
            taken += count;
        }
        assert!(bench.sequencer.has_unpublished() && taken < 8 * BATCH_RECORDS, "{taken}: the ring is full");
        bench.sequencer.signals.halt.store(true, Ordering::Release);
        assert_eq!(bench.sequencer.poll().unwrap(), 1);
        assert_eq!(bench.sequencer.poll().unwrap(), 0, "the others wait");
        assert_eq!(bench.log.readable().unwrap()[taken].header.kind, CommandKind::Halt as u8);
        // Nothing is lost or changes places on the way to the readers.
        let events = read(&mut bench);
        assert!(events.is_sorted_by_key(|event| event.sequence));
        let commands: Vec<u64> = events.iter().map(|event| event.sequence).collect();
        let mut distinct = commands.clone();
        distinct.dedup();
        assert_eq!(distinct, (1..=8 * BATCH_RECORDS as u64 + 1).collect::<Vec<_>>());
        let halts: Vec<u64> = events
            .iter()
            .filter(|event| event.kind == tradewright_types::EventKind::SettingApplied as u8)
            .map(|event| event.sequence)
            .collect();
        assert_eq!(halts, [taken as u64 + 1]);
    }

    #[test]
    fn an_open_gate_waits_for_nobody_until_it_is_overtaken() {
        let mut bench = bench(1 << 10);
        let folder = tempfile::tempdir().unwrap();
        let fence = Fence::open(folder.path()).unwrap();
        let releaser = bench.releaser.take().unwrap();
        bench.sequencer.outlets.gate = Gate::Open(releaser, fence.clone().held(1));
        let mut events = Vec::new();
        for expected in 1..=100 {
            send(&mut bench, CommandKind::PlaceOrder, 16);
            assert_eq!(bench.sequencer.poll().unwrap(), 16);
            assert_eq!(bench.reader.poll_into(&mut events, 1 << 10), Polled::Count(16));
            assert_eq!(events.len(), 16 * expected);
        }
        fence.claim(2);
        send(&mut bench, CommandKind::PlaceOrder, 16);
        assert_eq!(bench.sequencer.poll().unwrap(), 16);
        assert_eq!(bench.reader.poll_into(&mut events, 1 << 10), Polled::Empty, "nobody sees what an old epoch does");
        send(&mut bench, CommandKind::PlaceOrder, 16);
        assert_eq!(bench.sequencer.poll().unwrap(), 0, "and it takes no more");
    }

    #[test]
    fn what_may_take_long_ends_its_round() {
        let mut bench = bench(1 << 12);
        send(&mut bench, CommandKind::PlaceOrder, 5);
        send(&mut bench, CommandKind::CancelAll, 2);
        send(&mut bench, CommandKind::PlaceOrder, 3);
        let rounds: Vec<usize> = std::iter::repeat_with(|| bench.sequencer.poll().unwrap()).take(3).collect();
        assert_eq!(rounds, [6, 1, 3]);
    }
}
