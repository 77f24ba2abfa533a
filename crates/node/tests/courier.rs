//! The courier between shards that are killed at any moment: engines with logs of which only a part is durable.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_ledger::Transit;
use tradewright_node::Courier;
use tradewright_types::{
    AccountId, AccountKind, Amount, AssetId, CommandRecord, EventRecord, RejectReason, ShardId, TransferNumber, set_up,
};

const SHARDS: usize = 3;
const ASSET: AssetId = AssetId(0);
const ALICE: AccountId = AccountId(2);

/// Numbers that look like chance.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// A shard: what it has done, and how much of that is durable.
struct Shard {
    engine: Engine,
    /// Commands, with what each brought in.
    log: Vec<(CommandRecord, i128)>,
    /// How many commands of the log are durable.
    durable: usize,
    events: Vec<EventRecord>,
    /// How many events the courier has read.
    read: usize,
}

impl Shard {
    fn new(number: usize) -> Self {
        let config = EngineConfig { shard: number as u8, open_orders_expected: 1, ..EngineConfig::default() };
        let engine = Engine::new(config);
        let mut shard = Self { engine, log: Vec::new(), durable: 0, events: Vec::new(), read: 0 };
        shard.apply(set_up::add_asset(0, 2, "USD"), 0);
        shard.apply(set_up::open_account(ALICE, AccountKind::Client, "alice"), 0);
        shard.durable = shard.log.len();
        shard
    }

    /// Logs and applies a command that brings in so much, and gives the reason for which it was refused.
    fn apply(&mut self, record: CommandRecord, deposit: i128) -> Option<RejectReason> {
        let mut events = EventBuffer::default();
        self.engine.apply(&[record], &mut events);
        self.engine.check_invariants();
        self.log.push((record, deposit));
        self.events.extend_from_slice(events.as_slice());
        self.events.last().and_then(|event| RejectReason::from_code(event.reason))
    }

    /// How many events may be read: those of what is durable.
    fn released(&self) -> usize {
        self.events.partition_point(|event| event.sequence <= self.durable as u64)
    }

    /// Comes back with what is durable, and perhaps with some of what was written and not synced.
    fn kill(&mut self, random: &mut Random) {
        self.log.truncate(self.durable + random.below(self.log.len() - self.durable + 1));
        let log = std::mem::take(&mut self.log);
        self.engine = Engine::new(self.engine.config());
        self.events.clear();
        log.into_iter().for_each(|(record, deposit)| _ = self.apply(record, deposit));
        (self.durable, self.read) = (self.log.len(), self.events.len());
    }

    fn transit(&self) -> &Transit {
        self.engine.ledger().transit()
    }
}

struct Venue {
    shards: Vec<Shard>,
    courier: Courier,
}

fn begin(shards: &[Shard]) -> Result<Courier, String> {
    let transits = shards.iter().enumerate().map(|(number, shard)| (ShardId(number as u8), shard.transit()));
    Courier::begin(transits).map_err(|error| error.to_string())
}

impl Venue {
    fn new() -> Self {
        let shards: Vec<Shard> = (0..SHARDS).map(Shard::new).collect();
        let courier = begin(&shards).expect("nothing is under way");
        Self { shards, courier }
    }

    /// The courier reads some of what a shard has told.
    fn look(&mut self, shard: usize, count: usize, reads_ahead: bool) {
        let Shard { events, read, .. } = &self.shards[shard];
        let end = if reads_ahead { events.len() } else { self.shards[shard].released() };
        let end = end.min(read + count);
        events[*read..end].iter().for_each(|event| self.courier.learn(event));
        self.shards[shard].read = end;
    }

    /// The courier does one thing. Whatever it does is right, or was done before.
    fn run_errand(&mut self) -> bool {
        let Some(errand) = self.courier.errand() else { return false };
        let refused = self.shards[errand.at.index()].apply(errand.record, 0);
        let again = [RejectReason::TransferAlreadyReceived, RejectReason::UnknownTransfer, RejectReason::TransferGap];
        assert!(refused.is_none_or(|reason| again.contains(&reason)), "{refused:?}");
        true
    }

    fn kill(&mut self, random: &mut Random) -> Result<(), String> {
        self.shards.iter_mut().for_each(|shard| shard.kill(random));
        self.courier = begin(&self.shards)?;
        Ok(())
    }

    /// Balances, and what is in transit and not received, are what was deposited.
    fn check(&self) -> Result<(), String> {
        let (mut all, mut deposited) = (0, 0);
        for (number, shard) in self.shards.iter().enumerate() {
            all += shard.engine.ledger().balance(ALICE, ASSET).total().quanta();
            let received = |to: ShardId| self.shards[to.index()].transit().with(ShardId(number as u8)).received;
            let under_way = shard.transit().pending().filter(|(to, transfer, _)| *transfer > received(*to));
            all += under_way.map(|(_, _, transfer)| transfer.amount.quanta()).sum::<i128>();
            deposited += shard.log.iter().map(|(_, deposit)| deposit).sum::<i128>();
        }
        if all == deposited { Ok(()) } else { Err(format!("{all} of {deposited}")) }
    }

    /// Everything becomes durable, and is carried to its end.
    fn finish(&mut self) -> Result<(), String> {
        loop {
            let mut done = false;
            for shard in 0..SHARDS {
                self.shards[shard].durable = self.shards[shard].log.len();
                done |= self.shards[shard].read < self.shards[shard].events.len();
                self.look(shard, usize::MAX / 2, false);
            }
            done |= self.run_errand();
            if !done {
                break;
            }
        }
        self.check()?;
        let elsewhere: i128 = self.shards.iter().map(|shard| shard.engine.ledger().elsewhere(ASSET).quanta()).sum();
        let pending: usize = self.shards.iter().map(|shard| shard.transit().pending().count()).sum();
        match (elsewhere, pending, self.courier.under_way().len()) {
            (0, 0, 0) => Ok(()),
            left => Err(format!("elsewhere, in transit, under way: {left:?}")),
        }
    }
}

/// Sends, carries and kills at random, as often as `steps` says. The courier of the control build reads what is not durable.
fn run(seed: u64, steps: usize, reads_ahead: bool) -> Result<usize, String> {
    let (mut random, mut venue, mut sent) = (Random(seed), Venue::new(), 0);
    for _ in 0..steps {
        let shard = random.below(SHARDS);
        match random.below(12) {
            0 => {
                let amount = 1 + random.below(50) as i128;
                let record = set_up::deposit(ALICE, ASSET.0, Amount::from_quanta(amount));
                assert_eq!(venue.shards[shard].apply(record, amount), None);
            }
            1 | 2 => {
                let to = ShardId(((shard + 1 + random.below(SHARDS - 1)) % SHARDS) as u8);
                let amount = Amount::from_quanta(1 + random.below(30) as i128);
                let refused = venue.shards[shard].apply(set_up::send_transfer(to, ALICE, ASSET, amount), 0);
                sent += usize::from(refused.is_none());
            }
            3..=5 => {
                let Shard { log, durable, .. } = &mut venue.shards[shard];
                *durable += random.below(log.len() - *durable + 1);
            }
            6..=8 => venue.look(shard, 1 + random.below(4), reads_ahead),
            9 | 10 => _ = venue.run_errand(),
            _ if random.below(8) == 0 => venue.kill(&mut random)?,
            _ => {}
        }
        venue.check()?;
    }
    venue.finish()?;
    Ok(sent)
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let mut sent = 0;
    for seed in 0..200 {
        sent += run(seed, 300, false).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(sent > 3_000, "{sent} transfers");
}

#[test]
fn a_courier_that_acts_on_what_is_not_durable_is_found_out() {
    let found = (0..200).filter(|seed| run(*seed, 300, true).is_err()).count();
    assert!(found > 50, "{found} of 200");
}

#[test]
fn a_transfer_that_is_refused_is_brought_again_and_those_behind_it_wait() {
    let mut venue = Venue::new();
    let send = |venue: &mut Venue, asset: u32| {
        let amount = Amount::from_quanta(5);
        assert_eq!(venue.shards[0].apply(set_up::deposit(ALICE, asset, amount), 0), None);
        assert_eq!(venue.shards[0].apply(set_up::send_transfer(ShardId(1), ALICE, AssetId(asset), amount), 0), None);
        venue.shards[0].durable = venue.shards[0].log.len();
    };
    // The other shard does not know the asset yet.
    venue.shards[0].apply(set_up::add_asset(1, 2, "EUR"), 0);
    send(&mut venue, 1);
    send(&mut venue, 0);
    venue.look(0, 100, false);
    let bring = |venue: &mut Venue| {
        let errand = venue.courier.errand()?;
        let shard = errand.at.index();
        let refused = venue.shards[shard].apply(errand.record, 0);
        venue.shards[shard].durable = venue.shards[shard].log.len();
        venue.look(shard, 100, false);
        Some((shard, refused))
    };
    assert_eq!(bring(&mut venue), Some((1, Some(RejectReason::UnknownAsset))));
    assert_eq!(bring(&mut venue), None, "what stands behind it waits");
    assert_eq!(venue.courier.under_way()[0].refused, Some("UnknownAsset"));
    assert_eq!(venue.courier.under_way()[0].transfers, 2);
    assert!(venue.courier.has_refused());
    venue.courier.try_again();
    assert_eq!(bring(&mut venue), Some((1, Some(RejectReason::UnknownAsset))));
    assert_eq!(bring(&mut venue), None);
    venue.shards[1].apply(set_up::add_asset(1, 2, "EUR"), 0);
    venue.courier.try_again();
    let done: Vec<_> = std::iter::from_fn(|| bring(&mut venue)).collect();
    assert_eq!(done, [(1, None), (0, None), (1, None), (0, None)]);
    assert!(!venue.courier.has_refused() && venue.courier.under_way().is_empty());
}

#[test]
fn shards_that_do_not_fit_together_are_refused() {
    let amount = Amount::from_quanta(5);
    let mut shards: Vec<Shard> = (0..2).map(Shard::new).collect();
    shards[0].apply(set_up::deposit(ALICE, ASSET.0, amount), 0);
    shards[0].apply(set_up::send_transfer(ShardId(7), ALICE, ASSET, amount), 0);
    let refused = begin(&shards).err();
    let expected = "shard 0 has transfer 1 in transit to shard 7, which is not configured";
    assert!(refused.as_deref().is_some_and(|text| text.contains(expected)), "{refused:?}");

    // A log that lost its end: the other shard has more of it than it has itself.
    let mut shards: Vec<Shard> = (0..2).map(Shard::new).collect();
    let received = set_up::receive_transfer(ShardId(1), TransferNumber(1), ALICE, ASSET, amount);
    assert_eq!(shards[0].apply(received, 0), None);
    let refused = begin(&shards).err();
    let expected = "shard 0 has received transfer 1 of shard 1, which has sent 0: its log lacks its end";
    assert!(refused.as_deref().is_some_and(|text| text.contains(expected)), "{refused:?}");

    // The same of the receiver: its sender was told that the second one arrived, and no longer has it in transit.
    let mut shards: Vec<Shard> = (0..2).map(Shard::new).collect();
    shards[0].apply(set_up::deposit(ALICE, ASSET.0, Amount::from_quanta(15)), 0);
    for _ in 0..3 {
        shards[0].apply(set_up::send_transfer(ShardId(1), ALICE, ASSET, amount), 0);
    }
    let number = TransferNumber;
    assert_eq!(shards[1].apply(set_up::receive_transfer(ShardId(0), number(1), ALICE, ASSET, amount), 0), None);
    assert_eq!(shards[0].apply(set_up::confirm_transfer(ShardId(1), number(1)), 0), None);
    assert_eq!(begin(&shards).err(), None, "what is in transit will arrive");
    assert_eq!(shards[0].apply(set_up::confirm_transfer(ShardId(1), number(2)), 0), None);
    let refused = begin(&shards).err();
    let expected =
        "shard 1 has received transfer 1 of shard 0, which knows of a later one that arrived: its log lacks its end";
    assert!(refused.as_deref().is_some_and(|text| text.contains(expected)), "{refused:?}");
}
