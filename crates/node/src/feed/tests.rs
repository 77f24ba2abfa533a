//! A feed that is driven by hand: beside a log, behind a small ring of events.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{FolderStorage, Journal, JournalConfig};
use tradewright_protocol::feed::{Datagram, FeedBook, FeedRefusal, Refused, RetransmitRequest, SnapshotRequest};
use tradewright_protocol::spec::Code;
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
fn a_feed_beside_the_engine_catches_up_elsewhere_and_loses_nothing() {
    let mut venue = Venue::new();
    let mut source = Source::new(33);
    let feed = venue.feed("");
    let counts = Arc::clone(&feed.counts);
    let mut reader = venue.reader();
    let (mut guest, host) = hand_over(feed);
    let signals = Arc::new(Signals::default());
    let for_host = Arc::clone(&signals);
    let host = std::thread::spawn(move || host.run(Idle::new(tradewright_transport::Wait::Yield), &for_host));
    let up_to_date = |guest: &mut Guest| {
        let begin = Instant::now();
        while guest.poll() > 0 || !guest.is_here() {
            assert!(begin.elapsed() < Duration::from_secs(20), "it does not come back");
        }
    };
    let mut rounds = 0;
    source.run(&mut venue, 120, |venue| {
        rounds += 1;
        if rounds == 300 {
            venue.snapshot();
        }
        // Now and then it is not looked after for so long that the ring runs over it.
        if rounds % 100 < 50 {
            up_to_date(&mut guest);
        }
    });
    up_to_date(&mut guest);
    source.run(&mut venue, 1, |_| {});
    assert!(counts.overruns.load(Ordering::Relaxed) > 1, "{counts:?}");
    // The engine's thread ends with events that nobody has told.
    drop(guest);
    signals.ended.store(true, Ordering::Release);
    signals.is_log_closed.store(true, Ordering::Release);
    host.join().expect("it ends");
    assert_eq!(counts.resets.load(Ordering::Relaxed), 0);
    assert_eq!(venue.check(&mut reader), venue.told.len() as u64);
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

/// A client of the service that sends bytes and looks at what comes.
struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Caller {
    fn new(feed: &Feed) -> Self {
        let address = feed.place().service.expect("a service");
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nonblocking(true).expect("a socket");
        Self { stream, received: Vec::new() }
    }

    fn send(&mut self, kind: DatagramKind, channel: u16, messages: &[FeedMessage]) {
        let mut packer = Packer::new(channel, 0, kind, 0);
        let mut send = |bytes: &[u8]| self.stream.write_all(bytes).expect("a connection");
        for message in messages {
            packer.push(message, 0, &mut send);
        }
        packer.flush(0, &mut send);
    }

    /// Takes what comes until the node says nothing more for a while; false when it has hung up.
    fn listen(&mut self, feed: &mut Feed) -> bool {
        let mut quiet = 0;
        while quiet < 40 {
            std::thread::sleep(Duration::from_micros(300));
            feed.poll().expect("a healthy feed");
            let mut buffer = [0; 1 << 16];
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    self.received.extend_from_slice(&buffer[..count]);
                    quiet = 0;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => quiet += 1,
                Err(_) => return false,
            }
        }
        true
    }

    /// The messages that came, each with its sequence.
    fn take(&mut self) -> Vec<(u64, FeedMessage)> {
        let (mut messages, mut rest) = (Vec::new(), &self.received[..]);
        while let [low, high, ..] = rest {
            let (bytes, behind) = rest.split_at(usize::from(u16::from_le_bytes([*low, *high])));
            messages
                .extend(Datagram::read(bytes).expect("a datagram").messages().map(|message| message.expect("whole")));
            rest = behind;
        }
        self.received.clear();
        messages
    }

    fn refusal(&mut self, feed: &mut Feed) -> (u64, u64, u64, Option<FeedRefusal>) {
        assert!(self.listen(feed), "it does not hang up");
        match self.take()[..] {
            [(0, FeedMessage::Refused(Refused { from, oldest, next, reason }))] => {
                (from.get(), oldest.get(), next.get(), FeedRefusal::from_code(reason.0))
            }
            ref found => panic!("{found:?}"),
        }
    }
}

fn messages(from: u64, to: u64) -> FeedMessage {
    RetransmitRequest { from: from.into(), to: to.into() }.into()
}

fn snapshot(at_least: u64) -> FeedMessage {
    SnapshotRequest { at_least: at_least.into() }.into()
}

const SERVICE: DatagramKind = DatagramKind::Service;

#[test]
fn the_service_gives_what_is_kept_and_refuses_the_rest_with_a_reason() {
    let mut venue = Venue::new();
    let mut source = Source::new(34);
    let mut feed = venue.feed("listen = \"127.0.0.1:0\"\nring_slots = 1024");
    source.run(&mut venue, 60, |_| drain(&mut feed));
    let (oldest, next) = (feed.outlet.oldest_sequence(), feed.outlet.next_sequence());
    assert!(oldest > 1 && next == oldest + 1_024, "{oldest} {next}");
    let mut caller = Caller::new(&feed);

    caller.send(SERVICE, 1, &[messages(oldest, next - 1)]);
    assert!(caller.listen(&mut feed));
    let told = &venue.told;
    let expected: Vec<_> = (oldest..next).map(|sequence| (sequence, told[sequence as usize - 1])).collect();
    assert_eq!(caller.take(), expected, "these and no others");

    caller.send(SERVICE, 1, &[messages(oldest - 1, next - 1)]);
    assert_eq!(caller.refusal(&mut feed), (oldest - 1, oldest, next, Some(FeedRefusal::TooOld)));
    for (from, to) in [(oldest, next), (next - 1, oldest), (u64::MAX, u64::MAX)] {
        caller.send(SERVICE, 1, &[messages(from, to)]);
        assert_eq!(caller.refusal(&mut feed), (from, oldest, next, Some(FeedRefusal::NotYet)));
    }
    caller.send(SERVICE, 2, &[messages(oldest, oldest)]);
    assert_eq!(caller.refusal(&mut feed), (0, oldest, next, Some(FeedRefusal::WrongChannel)));

    caller.send(SERVICE, 1, &[snapshot(u64::MAX)]);
    assert!(caller.listen(&mut feed));
    let mut book = FeedBook::default();
    for (place, (number, message)) in caller.take().iter().enumerate() {
        assert_eq!(*number, place as u64 + 1);
        book.apply(message).expect("it fits");
    }
    venue.check_book(&book);
    // Another one is more than its share of a second; the next client gets the same one, and at once.
    caller.send(SERVICE, 1, &[snapshot(0)]);
    assert!(caller.listen(&mut feed));
    caller.received.clear();
    caller.send(SERVICE, 1, &[snapshot(0)]);
    assert_eq!(caller.refusal(&mut feed).3, Some(FeedRefusal::TooMuch));
    let mut other = Caller::new(&feed);
    other.send(SERVICE, 1, &[snapshot(0)]);
    assert!(other.listen(&mut feed));
    assert!(matches!(other.take().last(), Some((_, FeedMessage::SnapshotEnd(_)))));
}

#[test]
fn what_is_no_request_ends_its_connection_and_no_other() {
    let mut venue = Venue::new();
    let mut source = Source::new(35);
    let mut feed = venue.feed("listen = \"127.0.0.1:0\"");
    source.run(&mut venue, 3, |_| drain(&mut feed));
    let mut good = Caller::new(&feed);
    let heartbeat = |kind: u8, length: u16| {
        let mut bytes = vec![0; usize::from(length.max(28))];
        bytes[..2].copy_from_slice(&length.to_le_bytes());
        (bytes[2], bytes[6]) = (1, kind);
        bytes
    };
    // Too short to be one, longer than any request, of no kind, without a message.
    for bytes in [heartbeat(2, 3), heartbeat(2, 129), heartbeat(2, u16::MAX), heartbeat(9, 28), heartbeat(2, 28)] {
        let mut bad = Caller::new(&feed);
        bad.stream.write_all(&bytes).expect("a connection");
        assert!(!bad.listen(&mut feed), "{bytes:?}");
    }
    for (kind, wrong) in [
        (SERVICE, vec![messages(1, 1), messages(1, 1)]),
        (SERVICE, vec![Refused { from: 0.into(), oldest: 0.into(), next: 0.into(), reason: Code(1) }.into()]),
        (DatagramKind::Incremental, vec![messages(1, 1)]),
    ] {
        let mut bad = Caller::new(&feed);
        bad.send(kind, 1, &wrong);
        assert!(!bad.listen(&mut feed), "{wrong:?}");
    }
    // Half a request is waited for.
    let mut slow = Caller::new(&feed);
    let mut bytes = Vec::new();
    let mut packer = Packer::new(1, 0, SERVICE, 0);
    packer.push(&messages(1, 1), 0, &mut |_| {});
    packer.flush(0, &mut |datagram| bytes.extend_from_slice(datagram));
    slow.stream.write_all(&bytes[..20]).expect("a connection");
    assert!(slow.listen(&mut feed));
    slow.stream.write_all(&bytes[20..]).expect("a connection");
    assert!(slow.listen(&mut feed));
    assert_eq!(slow.take().len(), 1);
    good.send(SERVICE, 1, &[messages(1, 2)]);
    assert!(good.listen(&mut feed));
    assert_eq!(good.take().len(), 2);
}

#[test]
fn a_client_that_takes_nothing_holds_up_nobody() {
    let mut venue = Venue::new();
    let mut source = Source::new(36);
    let mut feed = venue.feed("listen = \"127.0.0.1:0\"");
    source.run(&mut venue, 40, |_| drain(&mut feed));
    let next = feed.outlet.next_sequence();
    // They ask for everything, again and again, and read nothing.
    let mut stuck: Vec<Caller> = (0..20).map(|_| Caller::new(&feed)).collect();
    for caller in &mut stuck {
        for _ in 0..40 {
            caller.send(SERVICE, 1, &[messages(1, next - 1)]);
        }
    }
    for _ in 0..200 {
        std::thread::sleep(Duration::from_micros(300));
        feed.poll().expect("a healthy feed");
    }
    assert_eq!(feed.counts.clients.load(Ordering::Relaxed), 20);
    let mut reader = venue.reader();
    source.run(&mut venue, 10, |_| drain(&mut feed));
    assert_eq!(venue.check(&mut reader), venue.told.len() as u64, "messages go on");
    let mut caller = Caller::new(&feed);
    caller.send(SERVICE, 1, &[messages(1, 100)]);
    assert!(caller.listen(&mut feed));
    assert_eq!(caller.take().len(), 100);
}
