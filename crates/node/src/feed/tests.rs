//! A feed that is driven by hand: beside a log, behind a small ring of events.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{FolderStorage, Journal, JournalConfig};
use tradewright_protocol::feed::FeedBook;
use tradewright_sim::flow::{Flow, FlowConfig};
use tradewright_transport::Access;
use tradewright_types::{CommandRecord, InstrumentId, Side};

use super::*;

/// A venue: its log on disk, its engine, its ring of events, and what the whole channel should say.
struct Venue {
    folder: tempfile::TempDir,
    journal: Journal<FolderStorage>,
    engine: Engine,
    events: Arc<Region>,
    writer: Writer<EventRecord>,
    releaser: Releaser,
    /// Counts from the first command on.
    model: FeedBuilder,
    told: Vec<FeedMessage>,
}

const SLOTS: u64 = 1 << 10;

fn journal_config() -> JournalConfig {
    JournalConfig { segment_bytes: 32 << 20, prepared_segments: 1, ..JournalConfig::default() }
}

impl Venue {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::open(folder.path()).expect("a folder");
        let (journal, _) = Journal::open(journal_config(), storage).expect("a log");
        let (events, writer, releaser) = fresh_events();
        let engine = Engine::new(EngineConfig { epoch: journal.epoch(), ..EngineConfig::default() });
        let (model, told) = (FeedBuilder::new(), Vec::new());
        Self { folder, journal, engine, events, writer, releaser, model, told }
    }

    /// Logs and applies commands, and releases their events.
    fn apply(&mut self, commands: &[CommandRecord]) -> Vec<EventRecord> {
        let mut events = EventBuffer::default();
        let mut commands = commands.to_vec();
        let (mut place, mut last_ns) = (0, self.engine.time_ns());
        while place < commands.len() {
            // As a sequencer does: the flow sends commands from the past, too.
            let header = &mut commands[place].header;
            header.time_ns = header.time_ns.max(last_ns + 1);
            last_ns = header.time_ns;
            place += usize::from(header.record_count);
        }
        let commands = &commands;
        self.journal.append(commands).expect("a log");
        self.journal.commit().expect("a log");
        self.engine.apply_all(commands, &mut events);
        for event in events.as_slice() {
            let told = &mut self.told;
            self.model.read(event, &mut |sequence, message| {
                told.push(message);
                assert_eq!(sequence, told.len() as u64);
            });
        }
        self.writer.write(events.as_slice());
        self.releaser.release(self.writer.written());
        events.as_slice().to_vec()
    }

    fn feed(&self, settings: &str) -> Feed {
        let config: FeedConfig = toml::from_str(settings).expect("a legal table");
        let around = Surroundings {
            engine: &self.engine,
            engine_config: EngineConfig { epoch: self.journal.epoch(), ..EngineConfig::default() },
            storage: FolderStorage::open(self.folder.path()).expect("a folder"),
            directory: self.folder.path(),
            rings: self.folder.path(),
            ring_options: RegionOptions::default(),
            events: &self.events,
        };
        Feed::open(&config, around).expect("a feed")
    }

    /// The node is another one: what it begins with is the state, and a ring of events that is empty.
    fn restart(&mut self) {
        (self.events, self.writer, self.releaser) = fresh_events();
    }

    fn snapshot(&self) {
        crate::snapshots::write(self.folder.path(), &self.engine).expect("a snapshot");
    }

    /// A reader of the ring from the first message that is there.
    fn reader(&self) -> Reader<FeedSlot> {
        let ring = Region::open(self.folder.path().join(FEED_RING), Access::ReadOnly).expect("the ring");
        Reader::attach(&ring, Start::Oldest).expect("a reader")
    }

    /// What the reader finds is what the model tells.
    fn check(&self, reader: &mut Reader<FeedSlot>) -> u64 {
        let mut slots = Vec::new();
        while let Polled::Count(_) = reader.poll_into(&mut slots, 1 << 12) {}
        let first = slots.first().map_or(0, |slot| slot.0.sequence);
        for (sequence, slot) in (first..).zip(&slots) {
            assert_eq!(slot.0.sequence, sequence, "without a gap");
            assert_eq!(slot.0.message().expect("a message"), self.told[sequence as usize - 1], "{sequence}");
            assert!(slot.0.published_ns > 0);
        }
        slots.last().map_or(0, |slot| slot.0.sequence)
    }

    fn check_book(&self, book: &FeedBook) {
        for instrument in 0..self.engine.instrument_count() as u32 {
            for side in [Side::Buy, Side::Sell] {
                let shown = self.engine.queue_views(InstrumentId(instrument), side);
                let shown: Vec<_> = shown.map(|view| (view.id.0, view.displayed.lots())).collect();
                let told: Vec<_> = book.queue(instrument, side).map(|order| (order.order, order.lots)).collect();
                assert_eq!(told, shown, "instrument {instrument}, {side:?}");
            }
        }
    }
}

fn fresh_events() -> (Arc<Region>, Writer<EventRecord>, Releaser) {
    let events = Region::in_memory(Shape::broadcast::<EventRecord>(SLOTS), &RegionOptions::default()).expect("memory");
    let (writer, releaser) = (Writer::attach(&events).expect("free"), Releaser::attach(&events).expect("free"));
    (events, writer, releaser)
}

/// A flow whose batches are given one after the other.
struct Source {
    flow: Flow,
    commands: Vec<CommandRecord>,
}

impl Source {
    fn new(seed: u64) -> Self {
        let flow = Flow::new(FlowConfig { seed, orders: 12_000, accounts: 200, instruments: 3 });
        let commands = flow.set_up();
        Self { flow, commands }
    }

    /// Applies so many batches; `look` is called behind each.
    fn run(&mut self, venue: &mut Venue, batches: usize, mut look: impl FnMut(&mut Venue)) {
        for _ in 0..batches {
            let mut seen = Vec::new();
            let mut rest = self.commands.as_slice();
            while !rest.is_empty() {
                // Short enough that one batch does not overrun the ring of events.
                let mut piece = 0;
                while piece < 32 && piece < rest.len() {
                    piece += CommandRecord::split_command(&rest[piece..]).0.len();
                }
                let (now, later) = rest.split_at(piece);
                seen.extend(venue.apply(now));
                rest = later;
                look(venue);
            }
            self.commands.clear();
            assert!(!self.flow.is_done(), "the flow is long enough");
            self.flow.next_batch(&seen, &mut self.commands);
        }
    }
}

/// Polls until nothing is left.
fn drain(feed: &mut Feed) {
    for _ in 0..1_000_000 {
        if feed.poll().expect("a healthy feed") == 0 && feed.past.is_none() {
            return;
        }
    }
    panic!("it never comes to an end");
}

#[test]
fn a_start_goes_on_with_the_sequences_that_the_log_gives() {
    let mut venue = Venue::new();
    let mut source = Source::new(31);
    source.run(&mut venue, 1, |_| {});
    venue.restart();
    let mut feed = venue.feed("");
    drain(&mut feed);
    let mut reader = venue.reader();
    source.run(&mut venue, 20, |_| drain(&mut feed));
    feed.note();
    let kept = std::fs::read(venue.folder.path().join(sequences::SEQUENCES_FILE)).expect("a file");
    source.run(&mut venue, 20, |_| drain(&mut feed));
    assert_eq!(venue.check(&mut reader), venue.told.len() as u64);
    assert!(venue.told.len() > 1_000);
    venue.snapshot();
    drop(feed);

    // A snapshot, an older note; no note at all; a note of another log.
    let other = Mark { index: venue.engine.sequence(), time_ns: 7, next_sequence: 3 };
    for (name, bytes) in [("older", Some(kept)), ("none", None), ("other", Some(other.encode().to_vec()))] {
        let path = venue.folder.path().join(sequences::SEQUENCES_FILE);
        match bytes {
            Some(bytes) => std::fs::write(&path, bytes).expect("a file"),
            None => std::fs::remove_file(&path).expect("a file"),
        }
        venue.restart();
        let mut feed = venue.feed("");
        drain(&mut feed);
        let mut reader = venue.reader();
        assert_eq!(venue.check(&mut reader), venue.told.len() as u64, "{name}");
        source.run(&mut venue, 5, |_| drain(&mut feed));
        assert_eq!(venue.check(&mut reader), venue.told.len() as u64, "{name}");
        venue.check_book(feed.builder.as_ref().expect("it stands").book());
        assert_eq!(feed.counts.resets.load(Ordering::Relaxed), 0);
        feed.note();
    }
    // In order: nothing has to be applied again.
    venue.restart();
    let feed = venue.feed("");
    assert!(feed.past.is_none());
    assert_eq!(feed.outlet.next_sequence(), venue.told.len() as u64 + 1);
}

#[test]
fn a_feed_that_is_overrun_finds_back_by_the_log_and_loses_nothing() {
    let mut venue = Venue::new();
    let mut source = Source::new(32);
    let mut feed = venue.feed("");
    let mut reader = venue.reader();
    let mut rounds = 0;
    source.run(&mut venue, 120, |venue| {
        rounds += 1;
        // It looks once in a while, and then not to the end: it may stand in the middle of a command.
        match rounds % 60 {
            0 => drain(&mut feed),
            17 | 23 => (0..3).for_each(|_| assert!(feed.poll().is_ok())),
            _ => {}
        }
        if rounds == 300 {
            venue.snapshot();
        }
    });
    drain(&mut feed);
    assert!(feed.counts.overruns.load(Ordering::Relaxed) > 3, "{:?}", feed.counts);
    assert_eq!(feed.counts.resets.load(Ordering::Relaxed), 0);
    assert_eq!(venue.check(&mut reader), venue.told.len() as u64);
    venue.check_book(feed.builder.as_ref().expect("it stands").book());
}

#[test]
fn a_log_that_does_not_go_back_makes_a_gap_that_only_a_snapshot_fills() {
    let mut venue = Venue::new();
    let mut source = Source::new(33);
    source.run(&mut venue, 5, |_| {});
    venue.snapshot();
    venue.restart();
    let mut feed = venue.feed("ring_slots = 4096");
    drain(&mut feed);
    source.run(&mut venue, 5, |_| drain(&mut feed));
    let before = feed.outlet.next_sequence();
    // It misses events, and the log cannot give them: as when it is damaged there.
    source.run(&mut venue, 10, |_| {});
    feed.past = Some(Past::reset());
    venue.snapshot();
    drain(&mut feed);
    assert_eq!(feed.counts.resets.load(Ordering::Relaxed), 1);
    assert_eq!(feed.outlet.next_sequence(), before + 4_096 + 1);
    assert_eq!(feed.outlet.oldest_sequence(), feed.outlet.next_sequence(), "nothing before it is given again");
    venue.check_book(feed.builder.as_ref().expect("it stands").book());
}
