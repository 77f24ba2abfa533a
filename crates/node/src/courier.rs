//! The courier: carries transfers from shard to shard, in one process.
//!
//! It reads what the shards have released, so it acts on nothing that is not durable: what was sent by one it brings to the
//! other, and when that has it the sender is told. Each step is a command in the log of its shard, which refuses it when it was
//! done before; so a courier that is cut off anywhere begins again from the states of the shards, and nothing is lost or doubled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tradewright_engine::EngineConfig;
use tradewright_journal::FolderStorage;
use tradewright_ledger::{ShardTransfer, Transit};
use tradewright_protocol::reports::Position;
use tradewright_transport::{ManyProducer, Polled, Reader, Region, Start};
use tradewright_types::{
    AccountId, AssetId, CommandKind, CommandRecord, EventKind, EventRecord, RejectReason, ShardId, TransferNumber,
    set_up,
};

use crate::accounts::NameAsker;
use crate::error::NodeError;
use crate::replay::Replay;
use crate::sequencer::Signals;

/// A transfer that was refused where it should arrive is brought again after so long.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How long the courier sleeps when there is nothing to carry.
const REST: Duration = Duration::from_micros(500);
/// So many events are looked at before something is carried.
const EVENTS_A_LOOK: usize = 1 << 12;

/// The transfers from one shard to another.
#[derive(Clone, Debug, Default)]
struct Way {
    /// Sent, and not known to be confirmed.
    pending: BTreeMap<TransferNumber, ShardTransfer>,
    /// The last number that is known to be received.
    received: TransferNumber,
    /// The last number that was brought there.
    brought: TransferNumber,
    /// The last number that the sender was told of.
    told: TransferNumber,
    /// Why the next one was refused, until it is received.
    refused: Option<RejectReason>,
}

/// What the courier knows and has to do: decides, and touches nothing.
#[derive(Clone, Debug, Default)]
pub struct Courier {
    ways: BTreeMap<(ShardId, ShardId), Way>,
}

/// What is to be done next: a command for a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Where it is to be applied.
    pub at: ShardId,
    /// The command.
    pub record: CommandRecord,
}

/// How many transfers are under way from one shard to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnderWay {
    /// From here.
    pub from_shard: u8,
    /// To here.
    pub to_shard: u8,
    /// So many.
    pub transfers: usize,
    /// Why the next one is refused there, if it is: it is brought again until that is mended.
    pub refused: Option<&'static str>,
}

impl Way {
    /// Whatever was sent and has not arrived is in transit: the sender forgets it only when it was told that it arrived.
    fn ensure_nothing_is_lost(&self, from: ShardId, to: ShardId, sent: u64) -> Result<(), NodeError> {
        let received = self.received.0;
        // As many as there are of it: no more than these numbers were given.
        let waiting = self.pending.range(TransferNumber(received + 1)..).count() as u64;
        if waiting == sent - received {
            return Ok(());
        }
        Err(NodeError::Replay(format!(
            "shard {to} has received transfer {received} of shard {from}, which knows of a later one that arrived: its log lacks its end"
        )))
    }
}

impl Courier {
    /// A courier that goes on where the shards stand.
    ///
    /// # Errors
    /// Something is in transit to a shard that is not here; a shard received what its sender does not know to have sent: then the
    /// log of the sender has lost its end; or it has not received what its sender was told to have arrived: then its own has.
    pub fn begin<'t>(shards: impl Iterator<Item = (ShardId, &'t Transit)> + Clone) -> Result<Self, NodeError> {
        let mut courier = Self::default();
        for (from, _) in shards.clone() {
            let others = shards.clone().filter(|(to, _)| *to != from);
            courier.ways.extend(others.map(|(to, _)| ((from, to), Way::default())));
        }
        for (here, transit) in shards.clone() {
            for (to, number, transfer) in transit.pending() {
                let way = courier.ways.get_mut(&(here, to)).ok_or_else(|| {
                    NodeError::Replay(format!(
                        "shard {here} has transfer {number} in transit to shard {to}, which is not configured"
                    ))
                })?;
                way.pending.insert(number, *transfer);
            }
            for (from, counters) in transit.counters() {
                let Some((_, sender)) = shards.clone().find(|(shard, _)| *shard == from) else { continue };
                let (received, sent) = (counters.received, sender.with(here).sent);
                if received > sent {
                    return Err(NodeError::Replay(format!(
                        "shard {here} has received transfer {received} of shard {from}, which has sent {sent}: its log lacks its end"
                    )));
                }
                if let Some(way) = courier.ways.get_mut(&(from, here)) {
                    (way.received, way.brought) = (received, received);
                }
            }
        }
        for ((from, to), way) in &courier.ways {
            let sent = shards.clone().find(|(shard, _)| shard == from).map_or(0, |(_, sender)| sender.with(*to).sent.0);
            way.ensure_nothing_is_lost(*from, *to, sent)?;
        }
        Ok(courier)
    }

    /// Takes note of an event that a shard has released.
    pub fn learn(&mut self, event: &EventRecord) {
        let (here, other) = (ShardId(event.shard), ShardId(event.order_type));
        let number = TransferNumber(event.reference);
        match EventKind::from_code(event.kind) {
            Some(EventKind::TransferSent) => {
                let (account, asset) = (AccountId(event.account), AssetId(event.instrument));
                let transfer = ShardTransfer { account, asset, amount: event.amount.into() };
                self.way(here, other, |way| _ = way.pending.insert(number, transfer));
            }
            Some(EventKind::TransferReceived) => self.way(other, here, |way| {
                way.received = way.received.max(number);
                way.brought = way.brought.max(number);
                way.refused = None;
            }),
            Some(EventKind::TransferConfirmed) => self.way(here, other, |way| _ = way.pending.remove(&number)),
            Some(EventKind::Rejected) if event.open_lots == CommandKind::ReceiveTransfer as u64 => {
                self.refused(here, RejectReason::from_code(event.reason));
            }
            _ => {}
        }
    }

    fn way(&mut self, from: ShardId, to: ShardId, act: impl FnOnce(&mut Way)) {
        // Nothing is sent to a shard that is not here but by who sends commands by himself; it then stays in transit.
        if let Some(way) = self.ways.get_mut(&(from, to)) {
            act(way);
        }
    }

    /// A shard refused a transfer. Which, the event does not say: whatever was brought there and is not known to have arrived is
    /// brought again, and what had arrived is refused as such.
    fn refused(&mut self, at: ShardId, reason: Option<RejectReason>) {
        // One that came twice is there, and one behind a gap waits for the one before it: neither says anything new.
        let Some(reason) = reason else { return };
        if matches!(reason, RejectReason::TransferAlreadyReceived | RejectReason::TransferGap) {
            return;
        }
        for (_, way) in self.ways.iter_mut().filter(|((_, to), _)| *to == at) {
            if way.brought > way.received {
                way.refused = Some(reason);
            }
        }
    }

    /// What was refused may be brought again.
    pub fn try_again(&mut self) {
        for way in self.ways.values_mut().filter(|way| way.refused.is_some()) {
            way.brought = way.received;
        }
    }

    /// Whether something was refused where it should arrive.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.ways.values().any(|way| way.refused.is_some())
    }

    /// The next thing to do, if there is any.
    pub fn errand(&mut self) -> Option<Errand> {
        self.ways.iter_mut().find_map(|((from, to), way)| {
            if let Some(number) = way.pending.range(..=way.received).map(|(number, _)| *number).find(|n| *n > way.told)
            {
                way.told = number;
                return Some(Errand { at: *from, record: set_up::confirm_transfer(*to, number) });
            }
            let next = TransferNumber(way.brought.0 + 1);
            let transfer = way.pending.get(&next)?;
            // What stands behind one that was refused waits for it.
            if way.refused.is_some() && way.brought > way.received {
                return None;
            }
            way.brought = next;
            let ShardTransfer { account, asset, amount } = *transfer;
            Some(Errand { at: *to, record: set_up::receive_transfer(*from, next, account, asset, amount) })
        })
    }

    /// What is under way, of each pair of shards between which something is.
    #[must_use]
    pub fn under_way(&self) -> Vec<UnderWay> {
        let busy = self.ways.iter().filter(|(_, way)| !way.pending.is_empty());
        busy.map(|((from, to), way)| UnderWay {
            from_shard: from.0,
            to_shard: to.0,
            transfers: way.pending.len(),
            refused: way.refused.map(RejectReason::name),
        })
        .collect()
    }
}

/// What the courier and the operators of several shards need of one.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) engine: EngineConfig,
    /// The last command before the node began.
    pub(crate) begun: u64,
    /// What was in transit then.
    pub(crate) transit: Transit,
    pub(crate) names: NameAsker,
    pub(crate) events: Arc<Region>,
    pub(crate) operators: ManyProducer<CommandRecord>,
    pub(crate) storage: FolderStorage,
    pub(crate) signals: Arc<Signals>,
}

/// A shard as the courier goes by it.
struct Stop {
    post: Post,
    reader: Reader<EventRecord>,
    /// The last event that was looked at.
    seen: Position,
}

/// The courier at work.
pub(crate) struct Round {
    courier: Courier,
    stops: Vec<Stop>,
    /// What a shard had no room for.
    held: Option<Errand>,
    retry_at: Option<Instant>,
    events: Vec<EventRecord>,
}

impl Round {
    /// Goes on where the shards stood when they began, each with a new ring.
    pub(crate) fn begin(posts: Vec<Post>) -> Result<Self, NodeError> {
        let courier = Courier::begin(posts.iter().map(|post| (ShardId(post.engine.shard), &post.transit)))?;
        let stops = posts.into_iter().map(|post| {
            // Not at what is still there: what is gone by now is missed, and found in the log.
            let reader = Reader::attach(&post.events, Start::At(0))?;
            let seen = Position { shard: post.engine.shard, index: post.begun, k: u32::MAX };
            Ok(Stop { post, reader, seen })
        });
        let stops = stops.collect::<Result<Vec<_>, NodeError>>()?;
        Ok(Self { courier, stops, held: None, retry_at: None, events: Vec::new() })
    }

    /// Looks at what is new, and does what is to be done. Returns how much that was.
    pub(crate) fn poll(&mut self) -> Result<usize, NodeError> {
        let mut done = 0;
        for stop in &mut self.stops {
            self.events.clear();
            if let Polled::Behind { .. } = stop.reader.poll_into(&mut self.events, EVENTS_A_LOOK) {
                stop.catch_up(&mut self.courier)?;
                done += 1;
            }
            for event in &self.events {
                let place = Position::of(event);
                if place > stop.seen {
                    self.courier.learn(event);
                    stop.seen = place;
                }
            }
            done += self.events.len();
        }
        if self.courier.has_refused() {
            let retry_at = *self.retry_at.get_or_insert_with(|| Instant::now() + RETRY_EVERY);
            if Instant::now() >= retry_at {
                self.courier.try_again();
                self.retry_at = None;
            }
        }
        while let Some(errand) = self.held.take().or_else(|| self.courier.errand()) {
            let stop = self.stops.iter_mut().find(|stop| stop.post.engine.shard == errand.at.0);
            let stop = stop.expect("Invariant: errands lead to shards that are here");
            if !stop.post.operators.push_whole(&[errand.record])? {
                self.held = Some(errand);
                break;
            }
            done += 1;
        }
        Ok(done)
    }

    /// Carries until told to stop, and tells what is under way.
    pub(crate) fn run(mut self, stop: &AtomicBool, tell: impl Fn(Vec<UnderWay>)) -> Result<(), NodeError> {
        let mut told = Vec::new();
        while !stop.load(Ordering::Acquire) {
            let done = self.poll()?;
            let under_way = self.courier.under_way();
            if under_way != told {
                told.clone_from(&under_way);
                tell(under_way);
            }
            if done == 0 {
                std::thread::sleep(REST);
            }
        }
        Ok(())
    }
}

impl Stop {
    /// The ring has gone on without us: what is missing is in the log, or will be. Where we stand in the ring now, no event is of a
    /// command that was not applied yet.
    fn catch_up(&mut self, courier: &mut Courier) -> Result<(), NodeError> {
        let Post { signals, storage, engine, .. } = &self.post;
        let applied = signals.applied.load(Ordering::Acquire);
        let mut replay = Replay::open(storage, *engine, self.seen)?;
        while !replay.seek()? {
            // What it looks for may never become durable.
            if signals.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            std::thread::yield_now();
        }
        while replay.engine().sequence() < applied && !signals.stop.load(Ordering::Acquire) {
            let Some(step) = replay.step()? else {
                std::thread::sleep(REST);
                continue;
            };
            for event in step.events {
                courier.learn(event);
                self.seen = Position::of(event);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tradewright_engine::Engine;
    use tradewright_types::Amount;

    use super::*;
    use crate::config::{Config, Source};
    use crate::node::Node;
    use crate::snapshots;

    const ALICE: AccountId = AccountId(2);
    const USDT: AssetId = AssetId(0);
    const EVENT_SLOTS: u64 = 1024;
    const SHARDS: &str = r#"schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 1024
command_slots = 1024
[journal]
segment_mib = 8
[[shards]]
number = 0
instruments = []
[[shards]]
number = 1
instruments = []
[[genesis.asset]]
name = "USDT"
decimals = 2
[[genesis.account]]
name = "alice"
deposits = { USDT = "1000" }
"#;

    /// Two shards that run, and a courier that goes when it is told to.
    struct Venue {
        nodes: Vec<Node>,
        round: Round,
        deposited: i128,
    }

    impl Venue {
        fn start(folder: &Path) -> Self {
            let (source, config) =
                Source::parse(&folder.join("exchange.toml"), SHARDS.to_owned()).expect("a legal file");
            let start = |config: &Config| Node::start(&source, config).expect("a node").0;
            let nodes: Vec<_> = config.of_shards().iter().map(start).collect();
            let round = Round::begin(nodes.iter().map(|node| node.post().clone()).collect()).expect("shards that fit");
            Self { nodes, round, deposited: 100_000 }
        }

        fn push(&mut self, shard: usize, record: CommandRecord) {
            let operators = &mut self.round.stops[shard].post.operators;
            while !operators.push_whole(&[record]).expect("a ring") {
                std::thread::sleep(REST);
            }
        }

        fn send(&mut self, count: usize) {
            for _ in 0..count {
                self.push(0, set_up::send_transfer(ShardId(1), ALICE, USDT, Amount::from_quanta(7)));
            }
        }

        /// A shard tells more than its ring holds while the courier does not look.
        fn overrun(&mut self, shard: usize) {
            for _ in 0..EVENT_SLOTS * 2 {
                self.push(shard, set_up::deposit(ALICE, USDT.0, Amount::from_quanta(1)));
                self.deposited += 1;
            }
            self.wait(|venue| venue.round.stops[shard].reader.lag() > EVENT_SLOTS);
        }

        fn wait(&self, is_so: impl Fn(&Self) -> bool) {
            let begin = Instant::now();
            while !is_so(self) {
                assert!(begin.elapsed() < Duration::from_secs(20), "it does not come");
                std::thread::sleep(REST);
            }
        }

        fn way(&self) -> &Way {
            &self.round.courier.ways[&(ShardId(0), ShardId(1))]
        }

        /// The courier goes until so many have arrived and nothing is under way. Returns whether that comes about in time.
        fn carries(&mut self, count: u64, patience: Duration) -> bool {
            let begin = Instant::now();
            while begin.elapsed() < patience {
                self.round.poll().expect("shards that run");
                if self.way().received.0 == count && self.way().pending.is_empty() {
                    return true;
                }
                std::thread::sleep(REST);
            }
            false
        }

        /// Stops, and gives what alice has on each shard, and how many transfers the first one has in transit.
        fn stop(self, folder: &Path) -> (i128, i128, usize) {
            self.nodes.into_iter().for_each(|node| node.stop().expect("a clean end"));
            let (zero, one) = (state(folder, 0), state(folder, 1));
            let money = |engine: &Engine| engine.ledger().balance(ALICE, USDT).available.quanta();
            (money(&zero), money(&one), zero.ledger().transit().pending().count())
        }
    }

    fn state(folder: &Path, shard: u8) -> Engine {
        let (_, path) =
            snapshots::list(&folder.join(format!("log/shard-{shard}"))).expect("a folder").pop().expect("a snapshot");
        let config = EngineConfig { shard, ..EngineConfig::default() };
        let engine = tradewright_journal::read(&path, config).expect("a good snapshot").1;
        engine.check_invariants();
        engine
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_courier_that_was_overrun_goes_on_from_the_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut venue = Venue::start(folder.path());
        venue.send(5);
        assert!(venue.carries(5, PATIENCE));
        // What was sent is gone from the ring of the sender.
        venue.send(20);
        venue.overrun(0);
        assert!(venue.carries(25, PATIENCE));
        // That it was received is gone from the ring of the receiver, and what was sent since from that of the sender.
        venue.send(20);
        while venue.way().brought.0 == 25 {
            venue.round.poll().expect("shards that run");
        }
        assert_eq!(venue.way().received.0, 25, "some are brought, and nobody knows yet that they are there");
        venue.send(3);
        venue.overrun(1);
        venue.overrun(0);
        assert!(venue.carries(48, PATIENCE));
        let skipped: Vec<_> = venue.round.stops.iter().map(|stop| stop.reader.skipped() > 0).collect();
        assert_eq!(skipped, [true, true], "both rings have overrun it");
        let deposited = venue.deposited;
        let (zero, one, in_transit) = venue.stop(folder.path());
        let carried = 48 * 7;
        let on_first = 2 * 2 * i128::from(EVENT_SLOTS);
        assert_eq!((zero, one), (100_000 + on_first - carried, deposited - 100_000 - on_first + carried));
        assert_eq!(in_transit, 0);
    }

    #[test]
    fn a_courier_that_goes_on_in_the_ring_leaves_something_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut venue = Venue::start(folder.path());
        venue.send(5);
        assert!(venue.carries(5, PATIENCE));
        venue.send(20);
        venue.overrun(0);
        let stop = &mut venue.round.stops[0];
        stop.reader.seek(stop.reader.released());
        venue.send(3);
        assert!(!venue.carries(28, Duration::from_secs(1)));
        let (.., one, in_transit) = venue.stop(folder.path());
        assert_eq!((one, in_transit), (5 * 7, 23), "what it did not see never arrives, nor what stands behind it");
    }
}
