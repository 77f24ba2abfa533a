//! Several shards in one process: each is a node of its own, and money goes between them.

#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tradewright_engine::{Engine, EngineConfig};
use tradewright_node::config::{Config, Source};
use tradewright_node::{CONTROL_SOCKET, Node, NodeError, Venue, snapshots};
use tradewright_transport::{Polled, Reader, Start};
use tradewright_types::{
    AccountId, AccountKind, Amount, AssetId, CommandKind, CommandRecord, EventKind, EventRecord, InstrumentId,
    OrderType, ShardId, Side, TimeInForce, set_up,
};

/// A limit order on the only instrument of a shard.
fn limit_order(account: u32, side: Side, price_ticks: i64, quantity_lots: u64, order_ref: u64) -> CommandRecord {
    CommandRecord {
        account,
        side: side as u8,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancel as u8,
        price_ticks,
        quantity_lots,
        order_ref,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    }
}

const ALICE: AccountId = AccountId(2);
const USDT: AssetId = AssetId(0);

/// Two shards; alice's money begins on the first, bob's on the other.
const VENUE: &str = r#"schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 4096
command_slots = 1024
[journal]
segment_mib = 8
[[shards]]
number = 1
instruments = ["BTC/USDT"]
[[shards]]
number = 4
instruments = ["ETH/USDT"]
[[genesis.asset]]
name = "USDT"
decimals = 2
[[genesis.asset]]
name = "BTC"
[[genesis.asset]]
name = "ETH"
[[genesis.instrument]]
name = "BTC/USDT"
tick = "0.01"
lot = "1"
[[genesis.instrument]]
name = "ETH/USDT"
tick = "0.01"
lot = "1"
[[genesis.account]]
name = "alice"
deposits = { USDT = "1000" }
[[genesis.account]]
name = "bob"
deposits = { USDT = "500", ETH = "10" }
deposits_on = 4
"#;

fn configure(folder: &Path) -> (Source, Config) {
    Source::parse(&folder.join("exchange.toml"), VENUE.to_owned()).expect("a legal file")
}

fn start(folder: &Path) -> Venue {
    let (source, config) = configure(folder);
    Venue::start(&source, &config).expect("shards")
}

/// One line to a control socket, and the answer.
fn ask(folder: &Path, request: &Value) -> Value {
    let mut stream = UnixStream::connect(folder.join(CONTROL_SOCKET)).expect("somebody listens");
    stream.write_all(format!("{request}\n").as_bytes()).expect("it is sent");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    serde_json::from_str(&line).expect("JSON")
}

fn transfer(amount: &str, from_shard: u8, to_shard: u8) -> Value {
    json!({"do": "transfer", "account": "alice", "asset": "USDT", "amount": amount,
        "from_shard": from_shard, "to_shard": to_shard})
}

/// The state of a shard as its newest snapshot has it: a clean stop wrote one.
fn state(folder: &Path, shard: u8) -> Engine {
    let log = folder.join(format!("log/shard-{shard}"));
    let (_, path) = snapshots::list(&log).expect("a folder").pop().expect("a snapshot");
    let config = EngineConfig { shard, ..EngineConfig::default() };
    let engine = tradewright_journal::read(&path, config).expect("a good snapshot").1;
    engine.check_invariants();
    engine
}

fn usdt(engine: &Engine, account: AccountId) -> i128 {
    engine.ledger().balance(account, USDT).available.quanta()
}

fn wait_for(reader: &mut Reader<EventRecord>, is_it: impl Fn(&EventRecord) -> bool) -> EventRecord {
    let (mut events, begin) = (Vec::new(), Instant::now());
    loop {
        events.clear();
        if reader.poll_into(&mut events, 1 << 10) == Polled::Empty {
            assert!(begin.elapsed() < Duration::from_secs(20), "no such event");
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(event) = events.iter().find(|event| is_it(event)) {
            return *event;
        }
    }
}

#[test]
fn each_shard_trades_its_own_instruments() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = start(folder.path());
    let mut readers: Vec<_> =
        venue.shards().iter().map(|node| Reader::attach(node.events(), Start::Oldest).expect("a reader")).collect();
    // The same numbers mean each shard's own: instrument 0 is BTC/USDT here and ETH/USDT there.
    venue.shards_mut()[0].command(&[limit_order(ALICE.0, Side::Buy, 100, 1, 7)]).expect("a ring");
    venue.shards_mut()[1].command(&[limit_order(3, Side::Sell, 100, 2, 8)]).expect("a ring");
    let is_accepted = |event: &EventRecord| event.kind == EventKind::OrderAccepted as u8;
    let first = wait_for(&mut readers[0], is_accepted);
    let second = wait_for(&mut readers[1], is_accepted);
    assert_eq!((first.shard, first.account, first.reference), (1, 2, 7));
    assert_eq!((second.shard, second.account, second.reference), (4, 3, 8));
    venue.stop().expect("a clean end");
    let (one, four) = (state(folder.path(), 1), state(folder.path(), 4));
    assert_eq!((one.config().shard, one.instrument_count(), four.instrument_count()), (1, 1, 1));
    let name = |engine: &Engine| engine.registry().instruments()[InstrumentId(0).index()].as_str().to_owned();
    assert_eq!((name(&one), name(&four)), ("BTC/USDT".to_owned(), "ETH/USDT".to_owned()));
    assert_eq!((one.open_orders(None).len(), four.open_orders(None).len()), (1, 1));
}

#[test]
fn operators_reach_all_shards_by_one_socket_and_each_by_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let venue = start(folder.path());
    let log = folder.path().join("log");
    let status = ask(&log, &json!({"do": "status"}));
    let shards: Vec<_> = status["shards"].as_array().expect("a list").iter().map(|shard| &shard["shard"]).collect();
    assert_eq!(shards, [&json!(1), &json!(4)]);
    assert_eq!(status["transfers"], json!([]));
    assert_eq!(ask(&log.join("shard-4"), &json!({"do": "status"}))["shard"], json!(4));

    // Money moves although matching has stopped.
    let halted = ask(&log, &json!({"do": "halt"}));
    assert!(
        halted["shards"].as_array().is_some_and(|all| all.iter().all(|one| one["done"] == json!(true))),
        "{halted}"
    );
    let sent = ask(&log, &transfer("250.5", 1, 4));
    assert_eq!(sent, json!({"number": 1, "arrived": true}));
    assert_eq!(ask(&log, &transfer("50", 4, 1)), json!({"number": 1, "arrived": true}));
    assert_eq!(ask(&log, &transfer("1", 1, 4)), json!({"number": 2, "arrived": true}));

    for (request, complaint) in [
        (transfer("1", 1, 9), "to_shard=9: there is no such shard"),
        (transfer("1", 2, 1), "from_shard=2: there is no such shard"),
        (transfer("1", 1, 1), "SameShard: A transfer between shards needs another shard."),
        (transfer("1000", 1, 4), "InsufficientFunds: "),
        (transfer("0", 1, 4), "AmountNotPositive: "),
        (transfer("0.001", 1, 4), "amount=\"0.001\": must be a decimal number of at most 2 digits"),
        (transfer("-1", 1, 4), "amount=\"-1\": must be a decimal number"),
        (json!({"do": "sessions"}), "request: unknown variant `sessions`"),
    ] {
        let answer = ask(&log, &request);
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.starts_with(complaint), "{request}: {answer}");
    }
    let mut unknown = transfer("1", 1, 4);
    unknown["account"] = json!("carol");
    assert_eq!(ask(&log, &unknown), json!({"error": "account=\"carol\" is unknown on shard 1"}));
    let stopped = ask(&log, &json!({"do": "stop"}));
    assert!(stopped["shards"].is_array(), "{stopped}");
    let begin = Instant::now();
    while venue.is_running() {
        assert!(begin.elapsed() < Duration::from_secs(20), "an operator's stop stops all");
        std::thread::sleep(Duration::from_millis(1));
    }
    venue.stop().expect("a clean end");
    let (one, four) = (state(folder.path(), 1), state(folder.path(), 4));
    assert_eq!((usdt(&one, ALICE), usdt(&four, ALICE)), (100_000 - 25_050 + 5_000 - 100, 25_050 - 5_000 + 100));
    for engine in [&one, &four] {
        assert_eq!(engine.ledger().transit().pending().count(), 0);
        assert!(engine.risk().halted, "a halt reaches every shard");
    }
}

#[test]
fn what_was_under_way_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    start(folder.path()).stop().expect("a clean end");
    // The first shard alone: nobody carries what it sends.
    let (source, config) = configure(folder.path());
    let of_shards = config.of_shards();
    let (mut node, _door) = Node::start(&source, &of_shards[0]).expect("a node");
    let mut reader = Reader::attach(node.events(), Start::Oldest).expect("a reader");
    let amount = Amount::from_quanta(700);
    for _ in 0..3 {
        node.command(&[set_up::send_transfer(ShardId(4), ALICE, USDT, amount)]).expect("a ring");
    }
    wait_for(&mut reader, |event| event.kind == EventKind::TransferSent as u8 && event.reference == 3);
    node.stop().expect("a clean end");
    assert_eq!(state(folder.path(), 1).ledger().transit().pending().count(), 3);

    let venue = start(folder.path());
    let mut reader = Reader::attach(venue.shards()[0].events(), Start::Oldest).expect("a reader");
    wait_for(&mut reader, |event| event.kind == EventKind::TransferConfirmed as u8 && event.reference == 3);
    venue.stop().expect("a clean end");
    let (one, four) = (state(folder.path(), 1), state(folder.path(), 4));
    assert_eq!((usdt(&one, ALICE), usdt(&four, ALICE)), (100_000 - 2_100, 2_100));
    assert_eq!(one.ledger().transit().pending().count(), 0);
    assert_eq!(four.ledger().elsewhere(USDT), Amount::from_quanta(-2_100));
}

#[test]
fn stops_at_any_moment_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..4_u64 {
        let mut venue = start(folder.path());
        for n in 0..40 {
            let (from, to) = if n % 3 == 2 { (1, ShardId(1)) } else { (0, ShardId(4)) };
            let amount = Amount::from_quanta(1 + i128::from(n));
            venue.shards_mut()[from].command(&[set_up::send_transfer(to, ALICE, USDT, amount)]).expect("a ring");
        }
        std::thread::sleep(Duration::from_micros(700 * round));
        venue.stop().expect("a clean end");
        let (one, four) = (state(folder.path(), 1), state(folder.path(), 4));
        let under_way = |from: &Engine, here: u8, to: &Engine| {
            let received = to.ledger().transit().with(ShardId(here)).received;
            let pending = from.ledger().transit().pending().filter(|(_, number, _)| *number > received);
            pending.map(|(_, _, transfer)| transfer.amount.quanta()).sum::<i128>()
        };
        let all = usdt(&one, ALICE) + usdt(&four, ALICE) + under_way(&one, 1, &four) + under_way(&four, 4, &one);
        assert_eq!(all, 100_000, "round {round}");
    }
}

#[test]
fn a_node_of_one_shard_is_not_taken_for_one_of_several() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, config) = configure(folder.path());
    let venue = Venue::start(&source, &config).expect("shards");
    // The locks of the logs keep a second process out, and it leaves nothing running.
    let refused = Venue::start(&source, &config).err();
    assert!(matches!(refused, Some(NodeError::Journal(_))), "{refused:?}");
    assert!(venue.is_running());
    venue.stop().expect("a clean end");
}

#[test]
fn accounts_opened_later_send_too_where_both_shards_know_them_by_the_same_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut venue = start(folder.path());
    let mut readers: Vec<_> =
        venue.shards().iter().map(|node| Reader::attach(node.events(), Start::Oldest).expect("a reader")).collect();
    let mut open = |shard: usize, account: u32, name: &str| {
        let record = set_up::open_account(AccountId(account), AccountKind::Client, name);
        venue.shards_mut()[shard].command(&[record]).expect("a ring");
        let is_it = |event: &EventRecord| event.kind == EventKind::SettingApplied as u8 && event.account == account;
        wait_for(&mut readers[shard], is_it);
    };
    open(0, 4, "carol");
    open(0, 5, "dave");
    open(0, 6, "erin");
    open(1, 4, "carol");
    open(1, 5, "erin");
    for account in 4..=6 {
        let deposit = set_up::deposit(AccountId(account), USDT.0, Amount::from_quanta(1_000));
        venue.shards_mut()[0].command(&[deposit]).expect("a ring");
    }
    let log = folder.path().join("log");
    let send = |log: &Path, account: &str| {
        let mut request = transfer("4", 1, 4);
        request["account"] = json!(account);
        ask(log, &request)
    };
    assert_eq!(send(&log, "carol"), json!({"number": 1, "arrived": true}));
    assert_eq!(send(&log, "dave"), json!({"error": "account=\"dave\" is unknown on shard 4"}));
    let rule = "the shards must have both by the same numbers, or the money would be another's there";
    assert_eq!(send(&log, "erin"), json!({"error": format!("account=\"erin\", asset=\"USDT\": {rule}")}));
    venue.stop().expect("a clean end");

    // They are known after a restart as well, which the genesis knows nothing of.
    let venue = start(folder.path());
    assert_eq!(send(&log, "carol"), json!({"number": 2, "arrived": true}));
    venue.stop().expect("a clean end");
    let (one, four) = (state(folder.path(), 1), state(folder.path(), 4));
    let carol = AccountId(4);
    assert_eq!((usdt(&one, carol), usdt(&four, carol), usdt(&four, AccountId(5))), (200, 800, 0));
}
