//! Market data of a running node: its clients have the engine's book, whatever the lines between them do.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

mod common;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig};
use tradewright_gateway::feed::{FeedSubscriber, SubscriberConfig};
use tradewright_node::config::Source;
use tradewright_node::{Doorway, FeedPlace, Node, snapshots, wall_ns};
use tradewright_protocol::feed::{FeedBook, TopOfBook};
use tradewright_sim::Random;
use tradewright_transport::ReaderStatus;
use tradewright_transport::multicast::{DATAGRAM_BYTES_MAX, Line, Receiver, Sender, SenderOptions};
use tradewright_types::{
    CommandHeader, CommandKind, CommandRecord, InstrumentId, OrderFlags, SelfTradePrevention, Side, TimeInForce,
};

use crate::common::{limit_order, venue};

const PROCESS: &str = r#"
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 65536
command_slots = 1024
[journal]
tier = "local-sync"
segment_mib = 8
[feed]
FEED
"#;

struct Venue {
    node: Node,
    door: Doorway,
    random: Random,
    orders: u64,
}

impl Venue {
    fn start(folder: &Path, feed: &str) -> Self {
        let file = folder.join("exchange.toml");
        let rich = venue(PROCESS).replace("1000\", USDT = \"1000000", "100000\", USDT = \"100000000");
        let (source, config) = Source::parse(&file, rich.replace("FEED", feed)).expect("a legal file");
        let (node, door) = Node::start(&source, &config).expect("a node");
        Self { node, door: door.expect("no door is configured"), random: Random::new(5), orders: 0 }
    }

    fn feed(&self) -> FeedPlace {
        self.node.market_data().expect("a feed").clone()
    }

    /// Sends a random order or cancel.
    fn trade(&mut self) {
        let account = 2 + self.random.below(2) as u32;
        let side = if self.random.below(2) == 0 { Side::Buy } else { Side::Sell };
        let (price_ticks, lots) = (9_950 + self.random.below(101) as i64, 10 + self.random.below(100));
        let mut record = CommandRecord {
            self_trade_prevention: SelfTradePrevention::None as u8,
            ..limit_order(account, side, price_ticks, lots, self.orders + 1)
        };
        match self.random.below(10) {
            0..4 if self.orders > 10 => {
                record.header = CommandHeader::new(CommandKind::CancelOrder);
                record.flags = OrderFlags::BY_CLIENT_ORDER_ID.0;
                record.order_ref = self.orders - self.random.below(200.min(self.orders));
            }
            kind => {
                if kind == 4 {
                    record.time_in_force = TimeInForce::ImmediateOrCancel as u8;
                }
                self.orders += 1;
            }
        }
        while !self.door.commands.push_whole(&[record]).expect("a whole ring") {
            std::thread::yield_now();
        }
    }

    /// Ends the node and returns its last state.
    fn stop(self, folder: &Path) -> Engine {
        self.node.stop().expect("a clean end");
        let (_, path) = snapshots::list(&folder.join("log")).expect("a folder").pop().expect("a snapshot");
        tradewright_journal::read(&path, EngineConfig::default()).expect("a good snapshot").1
    }
}

fn compare(engine: &Engine, book: &FeedBook) {
    for side in [Side::Buy, Side::Sell] {
        let shown = engine.queue_views(InstrumentId(0), side);
        let shown: Vec<_> = shown.map(|view| (view.id.0, view.price.ticks(), view.displayed.lots())).collect();
        let told: Vec<_> = book.queue(0, side).map(|order| (order.order, order.price_ticks, order.lots)).collect();
        assert_eq!(told, shown, "{side:?}");
        assert!(!shown.is_empty());
    }
}

/// A client on a thread of its own, that sees every message in its turn.
struct Follower {
    thread: std::thread::JoinHandle<FeedSubscriber>,
    stop: Arc<AtomicBool>,
}

impl Follower {
    /// `pause` is taken between two looks.
    fn run(mut subscriber: FeedSubscriber, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut last, mut snapshots) = (None, 0);
            while !is_over.load(Ordering::Acquire) {
                let mut told = Vec::new();
                let done = subscriber.poll(wall_ns(), &mut |sequence, _| told.push(sequence)).expect("healthy lines");
                for sequence in told {
                    // In order and without a gap, but where a snapshot stood for what was before.
                    let is_next = last.is_none_or(|last| sequence == last + 1);
                    assert!(is_next || subscriber.counts().snapshots > snapshots, "{sequence} behind {last:?}");
                    if !is_next {
                        assert!(Some(sequence) > last, "never back");
                    }
                    (last, snapshots) = (Some(sequence), subscriber.counts().snapshots);
                }
                if done == 0 || !pause.is_zero() {
                    std::thread::sleep(pause.max(Duration::from_micros(50)));
                }
            }
            subscriber
        });
        Self { thread, stop }
    }

    fn end(self) -> FeedSubscriber {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("no panic")
    }
}

/// Polls until a client knows everything up to a sequence.
fn catch_up(subscriber: &mut FeedSubscriber, next: u64) {
    let begin = Instant::now();
    while subscriber.next_sequence() != Some(next) {
        let at = subscriber.next_sequence();
        assert!(begin.elapsed() < Duration::from_secs(20), "at {at:?} of {next}: {:?}", subscriber.counts());
        if subscriber.poll(wall_ns(), &mut |_, _| {}).expect("healthy lines") == 0 {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The sequence of the next message, when the feed has read everything that was sent.
fn settled(venue: &mut Venue, place: &FeedPlace) -> u64 {
    let Venue { node, door, .. } = venue;
    wait_until("the engine takes what waits", || door.commands.free().expect("a whole ring") == 1 << 10);
    let signals = Arc::clone(node.signals());
    // Time passes in the log, too: what was taken is applied when two more commands are.
    let applied = signals.applied.load(Ordering::Acquire) + 2;
    wait_until("it is applied", || signals.applied.load(Ordering::Acquire) >= applied);
    let (written, _) = node.events().ends();
    wait_until("it is durable", || node.events().ends().1 >= written);
    let reads = |position| move |reader: &ReaderStatus| reader.name == "feed" && reader.position >= position;
    wait_until("the feed reads it", || node.events().readers().iter().any(reads(written)));
    // The round in which it did may not be over.
    std::thread::sleep(Duration::from_millis(100));
    place.counts.next_sequence.load(Ordering::Relaxed)
}

fn line(group: u8, port: u16) -> Line {
    Line { group: Ipv4Addr::new(239, 192, 7, group), port, interface: Ipv4Addr::LOCALHOST }
}

const LINES: &str = r#"listen = "127.0.0.1:0"
interface = "127.0.0.1"
a = "239.192.7.1:24310"
b = "239.192.7.2:24310"
ring_slots = 4096"#;

/// Passes datagrams on from one line to another, and loses, doubles and disorders some. `is_cut` ends it for a while.
fn relay(from: Line, to: Line, seed: u64, stop: &AtomicBool, is_cut: &AtomicBool) -> u64 {
    let receiver = Receiver::join(from, 4 << 20).expect("loopback");
    let sender = Sender::open(to, &SenderOptions::default()).expect("loopback");
    let mut random = Random::new(seed);
    let mut delayed: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let (mut buffer, mut lost) = ([0; DATAGRAM_BYTES_MAX], 0);
    while !stop.load(Ordering::Acquire) {
        let received = receiver.receive(&mut buffer).expect("loopback");
        if let Some(length) = received {
            let datagram = &buffer[..length];
            match random.below(100) {
                _ if is_cut.load(Ordering::Acquire) => lost += 1,
                0 => lost += 1,
                1..4 => {
                    let until = Instant::now() + Duration::from_micros(random.below(3_000));
                    delayed.push_back((until, datagram.to_vec()));
                }
                4..6 => {
                    sender.send(datagram).expect("loopback");
                    sender.send(datagram).expect("loopback");
                }
                _ => drop(sender.send(datagram).expect("loopback")),
            }
        }
        if delayed.front().is_some_and(|(until, _)| *until <= Instant::now())
            && let Some((_, datagram)) = delayed.pop_front()
        {
            sender.send(&datagram).expect("loopback");
        }
        if received.is_none() {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    lost
}

/// Tells the relays to end.
struct EndAll<'s>(&'s AtomicBool);

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Runs a test of this file again in a network of its own. False when it is this run that is there.
fn goes_apart(test: &str) -> bool {
    const APART: &str = "TRADEWRIGHT_NETWORK_APART";
    if std::env::var_os(APART).is_some() {
        return false;
    }
    let own = std::env::current_exe().expect("a test has a file");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c"]);
    command.arg("ip link set lo up || exit 77; exec \"$0\" \"$@\"");
    command.arg(own).args(["--exact", test, "--nocapture"]).env(APART, "1");
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) if status.code() == Some(101) => panic!("{test} failed in its own network"),
        found => eprintln!("SKIPPED {test}: this system gives no network of its own ({found:?})"),
    }
    true
}

#[test]
fn clients_behind_lossy_lines_have_the_book_of_the_engine() {
    if goes_apart("clients_behind_lossy_lines_have_the_book_of_the_engine") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = Venue::start(folder.path(), LINES);
    let place = venue.feed();
    let (stop, cuts) = (AtomicBool::new(false), [AtomicBool::new(false), AtomicBool::new(false)]);
    let (engine, books) = std::thread::scope(|scope| {
        // Whatever goes wrong here, the relays end.
        let end = EndAll(&stop);
        let [a, b] = [(1, 11), (2, 12)].map(|(from, to)| {
            let (stop, is_cut) = (&stop, &cuts[from as usize - 1]);
            scope.spawn(move || relay(line(from, 24310), line(to, 24310), from.into(), stop, is_cut))
        });
        std::thread::sleep(Duration::from_millis(100));
        let config = SubscriberConfig { service: place.service, ..SubscriberConfig::default() };
        let join = || FeedSubscriber::over_lines(&[line(11, 24310), line(12, 24310)], &config).expect("loopback");
        let early = Follower::run(join(), Duration::ZERO);
        let mut late = Vec::new();
        for number in 0..30_000 {
            venue.trade();
            match number {
                // Line A is dead for a third of the time; then both are, for longer than what is kept.
                8_000 => cuts[0].store(true, Ordering::Release),
                16_000 => cuts[0].store(false, Ordering::Release),
                20_000 => cuts.iter().for_each(|cut| cut.store(true, Ordering::Release)),
                28_000 => cuts.iter().for_each(|cut| cut.store(false, Ordering::Release)),
                _ => {}
            }
            if number % 6_000 == 5_999 {
                late.push(Follower::run(join(), Duration::ZERO));
            }
            if number % 50 == 0 {
                // A rate that the lines carry: the relay is to lose datagrams, and the system is not.
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let next = settled(&mut venue, &place);
        let mut books: Vec<FeedSubscriber> = std::iter::once(early).chain(late).map(Follower::end).collect();
        for subscriber in &mut books {
            catch_up(subscriber, next);
            assert!(subscriber.is_current());
        }
        let engine = venue.stop(folder.path());
        drop(end);
        let lost = a.join().expect("no panic") + b.join().expect("no panic");
        assert!(lost > 100, "{lost}");
        (engine, books)
    });
    for subscriber in &books {
        compare(&engine, subscriber.book());
        assert_eq!(subscriber.counts().broken, 0);
    }
    let counts = books[0].counts();
    assert!(counts.asked_again > 0, "{counts:?}");
    assert!(books.iter().any(|subscriber| subscriber.counts().snapshots > 0), "someone came late");
    assert!(counts.snapshots > 0, "both lines were dead for longer than what is kept: {counts:?}");
}

#[test]
fn readers_of_the_ring_follow_over_a_restart_and_slow_ones_see_the_latest() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "listen = \"127.0.0.1:0\"\nring_slots = 4096";
    let mut venue = Venue::start(folder.path(), settings);
    let place = venue.feed();
    let config = |place: &FeedPlace| SubscriberConfig { service: place.service, ..SubscriberConfig::default() };
    let open = |place: &FeedPlace| FeedSubscriber::over_ring(&place.ring, &config(place)).expect("the ring");
    let quick = Follower::run(open(&place), Duration::ZERO);
    // Looks so rarely that the ring is written over meanwhile.
    let slow = Follower::run(open(&place), Duration::from_millis(150));
    // One that has died in the middle of a read is no different from one that never reads.
    let dead = open(&place);
    // Each has looked before the many come: what it missed then was written over, however fast they are.
    venue.trade();
    std::thread::sleep(Duration::from_millis(500));
    for _ in 0..20_000 {
        venue.trade();
    }
    let next = settled(&mut venue, &place);
    let (mut quick, mut slow) = (quick.end(), slow.end());
    for subscriber in [&mut quick, &mut slow] {
        catch_up(subscriber, next);
    }
    assert!(slow.counts().overrun > 0 && slow.counts().snapshots > 0, "{:?}", slow.counts());
    let mut tops: Vec<TopOfBook> = Vec::new();
    slow.take_tops(&mut tops);
    assert_eq!(tops, [quick.top(0)], "one instrument, once");
    drop(dead);
    let engine = venue.stop(folder.path());
    compare(&engine, quick.book());
    compare(&engine, slow.book());

    // The same sequences go on, in another ring.
    let mut venue = Venue::start(folder.path(), settings);
    let place = venue.feed();
    for _ in 0..1_000 {
        venue.trade();
    }
    let next_then = settled(&mut venue, &place);
    assert!(next_then > next, "{next_then} {next}");
    catch_up(&mut quick, next_then);
    assert_eq!(quick.counts().restarts, 0);
    let mut fresh = open(&place);
    catch_up(&mut fresh, next_then);
    assert!(fresh.counts().snapshots > 0);
    let engine = venue.stop(folder.path());
    compare(&engine, quick.book());
    compare(&engine, fresh.book());
}
