//! Transfers between shards: in two steps, each once, and nothing is lost on the way.

use tradewright_engine::{Engine, EngineConfig, EventBuffer, SectionKind, SnapshotError};
use tradewright_types::{AccountId, Amount, AssetId, CommandKind, CommandRecord, RejectReason, ShardId};

use crate::common::{Random, Venue, parse};

#[test]
fn money_leaves_in_two_steps() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        send A2 quote 101 Y3         => InsufficientFunds
        send A2 quote 60 Y3          => sent 1 to Y3
        balance A2 quote             => 40 + 0
        withdraw A2 quote 41         => InsufficientFunds
        send A2 quote 10 Y3          => sent 2 to Y3
        send A2 quote 5 Y255         => sent 1 to Y255
        arrived Y3 3                 => UnknownTransfer
        arrived Y4 1                 => UnknownTransfer
        arrived Y3 2                 => arrived 2 at Y3
        arrived Y3 2                 => UnknownTransfer
        arrived Y3 1                 => arrived 1 at Y3
        arrived Y3 0                 => UnknownTransfer
        send A2 quote 1 Y3           => sent 3 to Y3
        balance A2 quote             => 24 + 0
        ",
    );
}

#[test]
fn money_comes_once_and_in_order() {
    Venue::poor().check(
        "
        receive A2 quote 60 Y3 2     => TransferGap
        receive A2 quote 60 Y3 0     => TransferAlreadyReceived
        receive A2 quote 60 Y3 1     => received 1 from Y3
        receive A2 quote 60 Y3 1     => TransferAlreadyReceived
        receive A2 quote 60 Y3 3     => TransferGap
        receive A3 base 5 Y3 2       => received 2 from Y3
        receive A2 quote 7 Y4 1      => received 1 from Y4
        balance A2 quote             => 67 + 0
        balance A3 base              => 5 + 0
        buy A2 6 @10                 => accepted
        ",
    );
}

#[test]
fn transfers_between_shards_name_what_is_wrong_with_them() {
    Venue::poor().check(
        "
        deposit A2 quote 10
        send A99 X9 0 Y256             => SettingOutOfRange
        send A99 X9 0 Y0               => UnknownAccount
        permit A2 3
        send A2 X9 0 Y0                => AccountNotPermitted
        permit A2 4
        send A2 X9 0 Y0                => UnknownAsset
        send A2 quote 0 Y0             => AmountNotPositive
        send A2 quote -1 Y0            => AmountNotPositive
        send A2 quote 11 Y0            => InsufficientFunds
        send A2 quote 10 Y0            => SameShard
        receive A99 X9 0 Y256 0        => SettingOutOfRange
        receive A99 X9 0 Y0 0          => SameShard
        receive A99 X9 0 Y1 0          => TransferAlreadyReceived
        receive A99 X9 0 Y1 2          => TransferGap
        receive A99 X9 0 Y1 1          => UnknownAccount
        receive A2 X9 0 Y1 1           => UnknownAsset
        receive A2 quote 0 Y1 1        => AmountNotPositive
        arrived Y256 1                 => SettingOutOfRange
        arrived Y0 1                   => UnknownTransfer
        // Money moves in every halt, and to who may do nothing.
        permit A3 0
        halt venue
        halt A3
        receive A3 quote 5 Y1 1        => received 1 from Y1
        send A2 quote 5 Y1             => sent 1 to Y1
        arrived Y1 1                   => arrived 1 at Y1
        ",
    );
}

#[test]
fn what_is_here_and_what_is_elsewhere_have_a_most() {
    let most = 1_i128 << 120;
    Venue::poor().check(&format!(
        "
        deposit A2 quote {most}
        send A2 quote {most} Y1        => sent 1 to Y1
        deposit A2 quote {most}        => deposited
        send A2 quote 1 Y1             => AmountTooLarge
        arrived Y1 1                   => arrived 1 at Y1
        send A2 quote 1 Y1             => AmountTooLarge
        receive A3 quote 1 Y1 1        => AmountTooLarge
        withdraw A2 quote 2            => W1 requested
        confirm W1                     => W1 confirmed
        receive A3 quote 1 Y1 1        => received 1 from Y1
        deposit A3 quote 2             => AmountTooLarge
        send A3 quote 1 Y1             => sent 2 to Y1
        receive A3 base {most} Y1 2    => received 2 from Y1
        withdraw A3 base {most}        => W2 requested
        confirm W2                     => W2 confirmed
        receive A3 base 1 Y1 3         => AmountTooLarge
        "
    ));
}

/// The state hash without sequence and time.
fn lasting_hash(engine: &Engine) -> String {
    let mut sections = engine.snapshot();
    sections[0].bytes[4..20].fill(0);
    let restored = Engine::restore(engine.config(), &sections).expect("a snapshot is restored");
    restored.state_hash().to_string()
}

#[test]
fn what_is_under_way_and_how_far_it_is_are_in_the_state_hash() {
    let mut venue = Venue::poor();
    venue.check("deposit A2 quote 5");
    let mut seen = vec![lasting_hash(&venue.engine)];
    // At the end the balances are what they were, but the next transfer is another one.
    for line in ["send A2 quote 5 Y1", "arrived Y1 1", "receive A2 quote 5 Y1 1"] {
        venue.check(line);
        let hash = lasting_hash(&venue.engine);
        assert!(!seen.contains(&hash), "{line}");
        seen.push(hash);
    }
}

/// Two shards and what has been sent between them, as whoever carries it sees it.
struct Shards {
    engines: [Engine; 2],
    events: EventBuffer,
}

const ASSETS: u32 = 2;
const ACCOUNTS: u32 = 4;

impl Shards {
    fn new() -> Self {
        let engine = |shard| Engine::new(EngineConfig { shard, open_orders_expected: 4, ..EngineConfig::default() });
        let mut shards = Self { engines: [engine(0), engine(1)], events: EventBuffer::default() };
        for shard in 0..2 {
            for line in ["asset 0 2 quote", "asset 1 2 base", "open A2 client alice", "open A3 client bob"] {
                assert_eq!(shards.apply(shard, &parse(line)), None, "{line}");
            }
        }
        shards
    }

    /// Applies a command and says why it was refused.
    fn apply(&mut self, shard: usize, records: &[CommandRecord]) -> Option<RejectReason> {
        self.events.clear();
        self.engines[shard].apply(records, &mut self.events);
        self.engines[shard].check_invariants();
        let [event] = self.events.as_slice() else { panic!("a command about money has one event") };
        RejectReason::from_code(event.reason)
    }

    /// Takes a shard back from its snapshot, as after a restart.
    fn restart(&mut self, shard: usize) {
        let engine = &self.engines[shard];
        let restored = Engine::restore(engine.config(), &engine.snapshot()).expect("a snapshot is restored");
        restored.check_invariants();
        assert_eq!(restored.state_hash(), engine.state_hash());
        self.engines[shard] = restored;
    }

    /// The first transfer that the other shard has not received, or else the first that it has and the sender does not know.
    fn carry(&mut self, from: usize) -> Option<()> {
        let to = 1 - from;
        let received = self.engines[to].ledger().transit().with(ShardId(from as u8)).received;
        let pending = self.engines[from].ledger().transit().pending();
        let (_, number, transfer) = pending.min_by_key(|(_, number, _)| (*number <= received, *number))?;
        let line = if number > received {
            let asset = ["quote", "base"][transfer.asset.index()];
            format!("receive A{} {asset} {} Y{from} {number}", transfer.account, transfer.amount)
        } else {
            format!("arrived Y{to} {number}")
        };
        let at = if number > received { to } else { from };
        assert_eq!(self.apply(at, &parse(&line)), None, "{line}");
        Some(())
    }

    /// Balances and what is in transit and not received, of an asset: what was deposited and not withdrawn.
    fn check_conserved(&self, deposited: &[i128]) {
        for asset in (0..ASSETS).map(AssetId) {
            let mut all = 0;
            for (shard, engine) in self.engines.iter().enumerate() {
                let accounts = (0..ACCOUNTS).map(|account| engine.ledger().balance(AccountId(account), asset).total());
                all += accounts.map(Amount::quanta).sum::<i128>();
                let received = self.engines[1 - shard].ledger().transit().with(ShardId(shard as u8)).received;
                let under_way = engine.ledger().transit().pending();
                let under_way = under_way.filter(|(_, number, sum)| *number > received && sum.asset == asset);
                all += under_way.map(|(_, _, transfer)| transfer.amount.quanta()).sum::<i128>();
            }
            assert_eq!(all, deposited[asset.index()], "asset {asset}");
        }
    }
}

#[test]
fn whatever_is_cut_short_no_money_is_lost_or_doubled() {
    for seed in 0..20 {
        let (mut random, mut shards) = (Random(seed), Shards::new());
        let mut deposited = [0_i128; ASSETS as usize];
        for _ in 0..400 {
            let shard = random.below(2) as usize;
            let (account, asset) = (2 + random.below(2), random.below(2) as usize);
            let name = ["quote", "base"][asset];
            let amount = 1 + random.below(50);
            match random.below(8) {
                0 => {
                    let refused = shards.apply(shard, &parse(&format!("deposit A{account} {name} {amount}")));
                    assert_eq!(refused, None);
                    deposited[asset] += i128::from(amount);
                }
                1 | 2 => {
                    let other = 1 - shard;
                    let refused = shards.apply(shard, &parse(&format!("send A{account} {name} {amount} Y{other}")));
                    assert!(refused.is_none_or(|reason| reason == RejectReason::InsufficientFunds), "{refused:?}");
                }
                3 => shards.restart(shard),
                // Whoever carries begins anywhere and stops anywhere.
                4..=6 => _ = shards.carry(shard),
                // And does again what was done.
                _ => {
                    let last = shards.engines[shard].ledger().transit().with(ShardId(1 - shard as u8));
                    let again = format!("receive A{account} {name} 9 Y{} {}", 1 - shard, last.received);
                    let refused = shards.apply(shard, &parse(&again));
                    assert_eq!(refused, Some(RejectReason::TransferAlreadyReceived), "seed {seed}: {again}");
                }
            }
            shards.check_conserved(&deposited);
        }
        for from in 0..2 {
            while shards.carry(from).is_some() {}
            shards.check_conserved(&deposited);
            assert_eq!(shards.engines[from].ledger().transit().pending().count(), 0);
        }
        for asset in (0..ASSETS).map(AssetId) {
            let elsewhere: i128 = shards.engines.iter().map(|engine| engine.ledger().elsewhere(asset).quanta()).sum();
            assert_eq!(elsewhere, 0, "seed {seed}: when nothing is under way, nobody owes anybody");
        }
    }
}

#[test]
fn a_snapshot_that_cannot_be_is_refused() {
    let mut venue = Venue::new();
    venue.check("send A2 quote 40 Y3\nsend A2 quote 2 Y3\narrived Y3 1\nreceive A3 base 5 Y4 1");
    let sections = venue.engine.snapshot();
    let place = SectionKind::Transfers as usize - 1;
    assert_eq!(sections[place].bytes.len(), 4 + 2 * 17 + 4 + 2 * 20 + 4 + 33);
    let given = |change: fn(&mut Vec<u8>)| {
        let mut sections = sections.clone();
        change(&mut sections[place].bytes);
        Engine::restore(EngineConfig::default(), &sections).err()
    };
    let invalid = Some(SnapshotError::Invalid(SectionKind::Transfers));
    // Numbers between a shard and itself, of a shard twice, or none at all.
    assert_eq!(given(|bytes| bytes[4] = 0), invalid);
    assert_eq!(given(|bytes| bytes[21] = 3), invalid);
    assert_eq!(given(|bytes| bytes[5] = 0), invalid);
    // An asset that there is not.
    assert_eq!(given(|bytes| bytes[42] = 9), invalid);
    // A transfer to a shard that got none, of a number not given, of no asset, of nobody, of nothing.
    let transfer = 4 + 2 * 17 + 4 + 2 * 20 + 4;
    assert_eq!(transfer, 86);
    assert_eq!(given(|bytes| bytes[86] = 9), invalid);
    assert_eq!(given(|bytes| bytes[87] = 3), invalid);
    assert_eq!(given(|bytes| bytes[87] = 0), invalid);
    assert_eq!(given(|bytes| bytes[95] = 9), invalid);
    assert_eq!(given(|bytes| bytes[99] = 99), invalid);
    assert_eq!(given(|bytes| bytes[103] = 0), invalid);
    for length in 0..sections[place].bytes.len() {
        let mut sections = sections.clone();
        sections[place].bytes.truncate(length);
        let error = Engine::restore(EngineConfig::default(), &sections).err();
        assert_eq!(error, Some(SnapshotError::Truncated(SectionKind::Transfers)), "{length} bytes");
    }
}

#[test]
fn a_transfer_needs_no_more_than_its_record() {
    for kind in [CommandKind::SendTransfer, CommandKind::ReceiveTransfer, CommandKind::ConfirmTransfer] {
        let mut records = vec![CommandRecord::new(kind), CommandRecord::new(CommandKind::Text)];
        records[0].header.record_count = 2;
        assert_eq!(Venue::poor().apply(&records), "MalformedRecords", "{kind:?}");
    }
}
