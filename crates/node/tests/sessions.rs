//! Clients of a node: over TCP and shared memory, through a restart.

#![allow(clippy::disallowed_methods, reason = "tests of what has clocks and waits")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use tradewright_gateway::client::{Client, ClientError, LogonOptions, output_of};
use tradewright_node::config::Source;
use tradewright_node::{MasterKey, Node};
use tradewright_protocol::account::{is_last, read_balances};
use tradewright_protocol::codes::{self, ExecType, OrdType};
use tradewright_protocol::logon::Secret;
use tradewright_protocol::messages::{
    AccountSnapshot, ExecutionReport, NewOrderSingle, OrderCancelRequest, OrderMassCancelReport,
    OrderMassCancelRequest, Reject, RequestExtension,
};
use tradewright_protocol::reports::{Position, read_execution};
use tradewright_protocol::spec::{Block, Coded, Null, Template};
use tradewright_transport::Start;
use tradewright_types::{
    ANY, AccountId, CommandKind, CommandRecord, EventKind, EventRecord, KeyKind, KeyMaterial, KeyPermissions, Label,
    Side, set_up,
};

use crate::common::{limit_order, venue};

const TIMEOUT: Duration = Duration::from_secs(20);
const SEED: [u8; 32] = [7; 32];

fn secret() -> Secret {
    Secret::ed25519(&SEED)
}

fn configuration(sessions_apart: bool) -> String {
    let tradewright_protocol::logon::Key::Ed25519(public) = secret().key() else { panic!("an Ed25519 key") };
    let public: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
    let placement = if sessions_apart { "[placement.sessions]\nidle = \"yield\"" } else { "" };
    let process = format!(
        r#"
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 65536
[journal]
segment_mib = 8
[placement.engine]
idle = "yield"
{placement}
[session.tcp]
listen = "127.0.0.1:0"
[session.shm]
directory = "shm"
links = ["one"]
"#
    );
    let key = format!(
        r#"[[genesis.key]]
id = "alice-key"
public = "{public}"
account = "alice"
permissions = ["trade", "read"]
"#
    );
    venue(&process) + &key
}

fn start(folder: &Path, sessions_apart: bool) -> Node {
    start_with(folder, configuration(sessions_apart))
}

fn start_with(folder: &Path, configuration: String) -> Node {
    let (source, config) = Source::parse(&folder.join("exchange.toml"), configuration).expect("a legal file");
    Node::start(&source, &config).expect("a node").0
}

/// A limit order for so many lots at so many ticks.
fn limit(side: codes::Side, lots: i64, ticks: i64) -> NewOrderSingle {
    NewOrderSingle {
        price_exponent: -2,
        qty_exponent: -5,
        order_qty: lots.into(),
        ord_type: OrdType::Limit.field(),
        price: ticks.into(),
        side: side.field(),
        ..NewOrderSingle::NULL
    }
}

/// What a client heard: execution type and client order id of each report, with a star when it was told again.
fn hear(client: &mut Client, count: usize) -> Vec<String> {
    let (mut heard, begin) = (Vec::new(), Instant::now());
    while heard.len() < count {
        assert!(begin.elapsed() < TIMEOUT, "heard only {heard:?}");
        client.flush().expect("a connection");
        client
            .receive(|frame| {
                assert_eq!(frame.template(), ExecutionReport::ID);
                let message = frame.message::<ExecutionReport>().expect("a report");
                let text = read_execution(&message).expect("its texts");
                let again = output_of(frame).is_some_and(|output| output.poss_resend.some() == Some(1));
                let name = String::from_utf8_lossy(text.client_order_id).into_owned();
                let error = String::from_utf8_lossy(text.error).into_owned();
                let error = error.split(':').next().unwrap_or_default();
                let kind = char::from(message.block.exec_type.0);
                heard.push(format!("{kind}{name}{}{error}", if again { "*" } else { "" }));
            })
            .expect("frames");
        std::thread::yield_now();
    }
    heard
}

fn log_on(mut client: Client) -> Client {
    client.log_on(&LogonOptions::new(b"DESK", b"alice-key"), &secret(), TIMEOUT).expect("it is let in");
    client
}

#[test]
fn a_client_trades_over_tcp_and_goes_on_after_a_restart() {
    for sessions_apart in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let node = start(folder.path(), sessions_apart);
        let address = node.tcp().expect("an address");
        let mut client = log_on(Client::tcp(address).expect("a connection"));
        client.order(&limit(codes::Side::Sell, 100, 10_000), b"a", b"BTCUSDT");
        client.order(&limit(codes::Side::Sell, 100, 10_001), b"b", b"BTCUSDT");
        assert_eq!(hear(&mut client, 2), ["0a", "0b"]);
        let seen = client.last();
        client.order(&limit(codes::Side::Sell, 100, 10_002), b"c", b"BTCUSDT");
        assert_eq!(hear(&mut client, 1), ["0c"]);
        let next = client.next_sequence();
        drop(client);
        node.stop().expect("a clean end");

        let node = start(folder.path(), sessions_apart);
        let address = node.tcp().expect("an address");
        let mut client = Client::tcp(address).expect("a connection").resuming(seen);
        let ack = client.log_on(&LogonOptions::new(b"DESK", b"alice-key"), &secret(), TIMEOUT).expect("let in");
        assert_eq!(ack.last_client_sequence.get() + 1, next, "the session outlives the process");
        client.order(&limit(codes::Side::Buy, 100, 9_000), b"d", b"BTCUSDT");
        assert_eq!(hear(&mut client, 2), ["0c", "0d"], "what the client of the process before did not see comes first");
        node.stop().expect("a clean end");
    }
}

#[test]
fn a_client_trades_over_shared_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path(), false);
    let mut client = log_on(Client::shm(&folder.path().join("shm"), "one").expect("a link"));
    client.order(&limit(codes::Side::Sell, 100, 10_000), b"a", b"BTCUSDT");
    assert_eq!(hear(&mut client, 1), ["0a"]);
    drop(client);
    node.stop().expect("a clean end");
}

#[test]
fn who_has_not_the_key_is_turned_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path(), false);
    let mut client = Client::tcp(node.tcp().expect("an address")).expect("a connection");
    let other = Secret::ed25519(&[8; 32]);
    let refused = client.log_on(&LogonOptions::new(b"DESK", b"alice-key"), &other, TIMEOUT);
    assert!(matches!(refused, Err(ClientError::LoggedOut(_))), "{refused:?}");
    node.stop().expect("a clean end");
}

/// What a client hears up to the answer to its last mass cancel, as (output, message, mark, what stands behind the block).
type Heard = Vec<(Position, u16, bool, Vec<u8>)>;

fn hear_all(client: &mut Client, is_last: impl Fn(&Heard) -> bool) -> Heard {
    let (mut heard, begin) = (Heard::new(), Instant::now());
    while !is_last(&heard) {
        assert!(begin.elapsed() < TIMEOUT, "heard only {heard:?}");
        client.flush().expect("a connection");
        client
            .receive(|frame| {
                let output = output_of(frame).expect("a report");
                let position =
                    Position { index: output.index.get(), k: output.event_number.get(), shard: output.shard };
                // The mark of what is told again is the last byte of the extension.
                let (mut body, end) = (frame.body().to_vec(), usize::from(frame.header.block_length.get()));
                let is_again = core::mem::replace(&mut body[end - 1], 0) == 1;
                heard.push((position, frame.template(), is_again, body));
            })
            .expect("frames");
        std::thread::yield_now();
    }
    heard
}

fn has_mass_cancel(heard: &Heard) -> bool {
    heard.last().is_some_and(|(_, template, ..)| *template == OrderMassCancelReport::ID)
}

/// Sends requests with all kinds of answers, under client sequences from 1.
fn send_all_kinds(client: &mut Client) {
    let sell = |lots, ticks| limit(codes::Side::Sell, lots, ticks);
    let cancel = |client: &mut Client, number: u64, id: &[u8], original: &[u8]| {
        let extension = RequestExtension { client_sequence: number.into() };
        client.message(&OrderCancelRequest::NULL, &extension, &[id, original, b"", b"BTCUSDT"]);
    };
    client.order_as(1, &sell(100, 10_000), b"a", b"BTCUSDT");
    client.order_as(2, &sell(100, 10_001), b"17", b"BTCUSDT");
    // More than there is, so it is refused by the engine: only its command says what it was called.
    client.order_as(3, &sell(900_000_000, 10_000), b"too-much", b"BTCUSDT");
    cancel(client, 4, b"cancel-a", b"a");
    cancel(client, 5, b"cancel-nothing", b"nothing");
    client.order_as(6, &limit(codes::Side::Buy, 40, 10_001), b"b", b"BTCUSDT");
    let all =
        OrderMassCancelRequest { mass_cancel_request_type: codes::MassCancelRequestType::CancelSymbolOrders.field() };
    client.message(&all, &RequestExtension { client_sequence: 7.into() }, &[b"BTCUSDT", b"cancel-all"]);
}

#[test]
fn what_was_told_before_a_restart_is_told_again_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path(), false);
    let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
    let begin = client.last();
    send_all_kinds(&mut client);
    let heard = hear_all(&mut client, has_mass_cancel);
    assert!(heard.len() >= 8, "each request was answered: {heard:?}");
    drop(client);
    node.stop().expect("a clean end");

    let node = start(folder.path(), true);
    let mut client = Client::tcp(node.tcp().expect("an address")).expect("a connection").resuming(begin);
    client.log_on(&LogonOptions::new(b"DESK", b"alice-key"), &secret(), TIMEOUT).expect("let in");
    assert_eq!(client.next_sequence(), 8);
    let resumed = hear_all(&mut client, has_mass_cancel);
    let names = |heard: &Heard| heard.iter().map(|(position, template, ..)| (*position, *template)).collect::<Vec<_>>();
    assert_eq!(names(&resumed), names(&heard));
    // What a cancel called itself stands in no log: all else is as it was.
    let is_cancel = |body: &[u8]| body.windows(6).any(|text| text == b"cancel");
    for (again, first) in resumed.iter().zip(&heard) {
        assert!(again == first || is_cancel(&first.3), "{again:?} instead of {first:?}");
    }

    // The retries say themselves what they were called. A mass cancel that comes again is answered by what it cancelled.
    send_all_kinds(&mut client);
    let mut again = hear_all(&mut client, |again| again.len() == heard.len() - 1);
    again.sort();
    assert!(again.iter().all(|(_, _, is_again, _)| *is_again));
    let bodies = |heard: &Heard| heard.iter().map(|(.., body)| body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&again), bodies(&heard)[..heard.len() - 1]);
    // And the session goes on behind them.
    client.order_as(8, &limit(codes::Side::Buy, 100, 9_000), b"d", b"BTCUSDT");
    assert_eq!(hear(&mut client, 1), ["0d"]);
    node.stop().expect("a clean end");
}

/// Logs on again as soon as the connection before is gone.
fn come_back(node: &Node, seen: Option<Position>) -> Client {
    let begin = Instant::now();
    loop {
        let mut client = Client::tcp(node.tcp().expect("an address")).expect("a connection").resuming(seen);
        match client.log_on(&LogonOptions::new(b"DESK", b"alice-key"), &secret(), TIMEOUT) {
            Ok(_) => return client,
            Err(error) => assert!(begin.elapsed() < TIMEOUT, "{error}"),
        }
    }
}

#[test]
fn sessions_that_missed_events_hear_them_from_the_log() {
    const ORDERS: usize = 3_000;
    for sessions_apart in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = configuration(sessions_apart).replace("event_slots = 65536", "event_slots = 1024");
        let text = text.replace("[session.tcp]", "[session]\nmessages_per_second = 1000000\n[session.tcp]");
        let mut node = start_with(folder.path(), text);
        let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
        for number in 0..ORDERS {
            client.order(
                &limit(codes::Side::Sell, 1, 10_000 + number as i64),
                format!("n-{number}").as_bytes(),
                b"BTCUSDT",
            );
        }
        let begin = client.last();
        let accepted = hear(&mut client, ORDERS);
        assert_eq!(accepted.last().map(String::as_str), Some("0n-2999"));
        // One command with three times as many events as the ring keeps.
        let mut all = CommandRecord { account: 2, side: u8::MAX, ..CommandRecord::new(CommandKind::CancelAll) };
        all.instrument = tradewright_types::ANY;
        node.command(&[all]).expect("a ring");
        let mut cancelled = hear(&mut client, ORDERS);
        assert!(node.is_running(), "the node goes on");
        cancelled.sort();
        let mut expected: Vec<String> = (0..ORDERS).map(|number| format!("4n-{number}")).collect();
        expected.sort();
        assert_eq!(cancelled, expected);
        // All that is more than an outbox keeps: the rest comes from the log, and what comes meanwhile behind it.
        drop(client);
        let mut client = come_back(&node, begin);
        client.order(&limit(codes::Side::Sell, 1, 10_000), b"late", b"BTCUSDT");
        let heard = hear(&mut client, 2 * ORDERS + 1);
        assert_eq!(heard[..ORDERS], accepted);
        assert_eq!(heard.last().map(String::as_str), Some("0late"));
        let mut again = heard[ORDERS..2 * ORDERS].to_vec();
        again.sort();
        assert_eq!(again, expected);
        node.stop().expect("a clean end");
    }
}

#[test]
fn the_venue_sends_the_orders_of_any_account_as_records_and_only_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = configuration(false);
    let (_, key) = whole.split_once("[[genesis.key]]").expect("a key");
    let venue_key = key.replace("account = \"alice\"\n", "").replace("alice-key", "venue-key");
    let text = format!("{whole}[[genesis.key]]{venue_key}");
    let (source, config) = Source::parse(&folder.path().join("exchange.toml"), text).expect("a legal file");
    let (node, _) = Node::start(&source, &config).expect("a node");
    let shm = folder.path().join("shm");
    let mut events =
        tradewright_transport::Reader::<EventRecord>::attach(node.events(), Start::Latest).expect("a ring");
    let options = LogonOptions { raw: true, ..LogonOptions::new(b"GATE", b"venue-key") };

    let mut client = Client::shm(&shm, "one").expect("a link");
    let refused =
        client.log_on(&LogonOptions { raw: false, ..options }, &secret(), TIMEOUT).expect_err("a frame names nobody");
    assert_eq!(refused.to_string(), "logged out: RawRecords must be true: this key speaks for every account");
    drop(client);

    let mut client = Client::shm(&shm, "one").expect("a link");
    let ack = client.log_on(&options, &secret(), TIMEOUT).expect("it is let in");
    assert_eq!(ack.account.get(), ANY);
    let mut order = limit_order(2, Side::Buy, 9_900, 5, 77);
    (order.header.session, order.header.client_sequence) = (ack.session.get(), 1);
    assert_eq!(client.records(&[order]).expect("a ring"), 1);
    let (mut seen, begin) = (Vec::new(), Instant::now());
    while !seen.iter().any(|event: &EventRecord| event.kind == EventKind::OrderAccepted as u8) {
        assert!(begin.elapsed() < TIMEOUT, "heard only {seen:?}");
        events.poll_into(&mut seen, 64);
        std::thread::yield_now();
    }
    let accepted = seen.last().expect("an event");
    assert_eq!((accepted.account, accepted.reference), (2, 77));
    // It is told nothing but that it is in: the ring has the events.
    assert_eq!(client.receive(|frame| panic!("template {}", frame.template())).expect("a connection"), 0);
    node.stop().expect("in order");
}

/// The next answer: the name of an order that was reported, or why a frame was rejected.
fn hear_answer(client: &mut Client) -> Result<String, String> {
    let begin = Instant::now();
    let mut answer = None;
    while answer.is_none() {
        assert!(begin.elapsed() < TIMEOUT, "no answer came");
        client.flush().expect("a connection");
        client
            .receive(|frame| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                answer = Some(if frame.template() == Reject::ID {
                    let mut parts = frame.message::<Reject>().expect("a reject").parts;
                    let _template = parts.text8().expect("what was rejected");
                    Err(text(parts.text16().expect("why")))
                } else {
                    let message = frame.message::<ExecutionReport>().expect("a report");
                    Ok(text(read_execution(&message).expect("its texts").client_order_id))
                });
            })
            .expect("frames");
    }
    answer.unwrap_or_else(|| Err(String::new()))
}

#[test]
fn without_room_for_a_segment_new_orders_are_refused_and_cancels_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = start(folder.path(), false);
    let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
    client.order(&limit(codes::Side::Sell, 100, 10_000), b"a", b"BTCUSDT");
    assert_eq!(hear(&mut client, 1), ["0a"]);
    // Nothing can be made where something else has the name.
    let log = folder.path().join("log");
    let begin = Instant::now();
    while !log.join("prepared-3").exists() {
        assert!(begin.elapsed() < TIMEOUT, "two segments are made ready");
        std::thread::yield_now();
    }
    let in_the_way: Vec<_> = (4..200).map(|n| log.join(format!("prepared-{n}.part")).join("full")).collect();
    for path in &in_the_way {
        std::fs::create_dir_all(path).expect("a folder");
    }
    // Refused as a whole, but logged as a whole: a segment takes some 250.
    let mut long = vec![CommandRecord::new(CommandKind::PlaceOrder); 512];
    long[0].header.record_count = 512;
    for _ in 0..300 {
        assert!(node.is_running(), "the node has ended");
        node.command(&long).expect("a whole ring");
    }
    while !node.signals().is_log_short.load(std::sync::atomic::Ordering::Acquire) {
        assert!(begin.elapsed() < TIMEOUT, "the disk took it");
        std::thread::yield_now();
    }
    client.order(&limit(codes::Side::Sell, 100, 10_001), b"b", b"BTCUSDT");
    let refused = hear_answer(&mut client).expect_err("there is no room");
    assert_eq!(refused, "LogSpaceExhausted: the log runs out of room; cancels pass");
    let number = client.next_sequence();
    let extension = RequestExtension { client_sequence: number.into() };
    client.message(&OrderCancelRequest::NULL, &extension, &[b"ca", b"a", b"", b"BTCUSDT"]);
    assert_eq!(hear(&mut client, 1), ["4ca"]);
    for path in &in_the_way {
        std::fs::remove_dir_all(path.parent().expect("its folder")).expect("it goes");
    }
    while node.signals().is_log_short.load(std::sync::atomic::Ordering::Acquire) {
        assert!(begin.elapsed() < TIMEOUT, "the log has room again");
        std::thread::yield_now();
    }
    // The doors may have looked before: then the order is refused once more. No refusal leaves a gap in the client sequence.
    let mut answer = Err(refused.clone());
    while answer.as_ref() == Err(&refused) {
        client.order_as(number + 1, &limit(codes::Side::Sell, 100, 10_002), b"c", b"BTCUSDT");
        answer = hear_answer(&mut client);
    }
    assert_eq!(answer.as_deref(), Ok("c"));
    node.stop().expect("a clean end");
}

/// An account as its client sees it: behind which command, what of BTC is promised, the names of the open orders.
#[derive(Debug, Default)]
struct Seen {
    index: u64,
    held: String,
    orders: Vec<String>,
    /// The orders that reports told of before: accepted, less cancelled.
    reported: Vec<String>,
    /// The last output that was told before.
    last: u64,
}

/// Asks how the account stands, and follows the reports until all of the answer is there.
fn ask(client: &mut Client, reported: &mut Vec<String>) -> Seen {
    client.ask_account(b"q");
    let (mut seen, mut expected, begin) = (Seen::default(), None, Instant::now());
    while expected != Some(seen.orders.len()) {
        assert!(begin.elapsed() < TIMEOUT, "heard only {seen:?}");
        client.flush().expect("a connection");
        client
            .receive(|frame| {
                if let Ok(message) = frame.message::<AccountSnapshot>() {
                    let (balances, request) = read_balances(&message).expect("its parts");
                    assert!(is_last(message.block) && request == b"q");
                    seen.index = message.block.index.get();
                    let btc = balances.iter().find(|each| each.name == b"BTC").expect("some");
                    seen.held = String::from_utf8_lossy(btc.held).into_owned();
                    seen.reported.clone_from(reported);
                    expected = Some(message.block.open_orders.get() as usize);
                    return;
                }
                let message = frame.message::<ExecutionReport>().expect("a report");
                let text = read_execution(&message).expect("its texts");
                let named = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                match ExecType::from_code(message.block.exec_type.0) {
                    Some(ExecType::OrderStatus) => seen.orders.push(named(text.client_order_id)),
                    Some(ExecType::New) => reported.push(named(text.client_order_id)),
                    Some(ExecType::Canceled) => reported.retain(|name| *name != named(text.original)),
                    other => panic!("{other:?}"),
                }
                if expected.is_none() {
                    seen.last = output_of(frame).map_or(seen.last, |output| output.index.get());
                }
            })
            .expect("frames");
        std::thread::yield_now();
    }
    seen
}

#[test]
fn an_account_is_seen_as_the_reports_before_it_say() {
    for (sessions_apart, over_shm) in [(false, false), (true, false), (true, true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let node = start(folder.path(), sessions_apart);
        let mut client = log_on(match over_shm {
            true => Client::shm(&folder.path().join("shm"), "one").expect("a link"),
            false => Client::tcp(node.tcp().expect("an address")).expect("a connection"),
        });
        let mut reported = Vec::new();
        for round in 0..20 {
            // Never waits for reports: the question is asked while they are on their way.
            for number in 0..7 {
                let name = format!("{round}-{number}");
                client.order(&limit(codes::Side::Sell, 100, 10_000 + number), name.as_bytes(), b"BTCUSDT");
            }
            let gone = format!("{round}-3");
            client.request(&OrderCancelRequest::NULL, &[b"c", gone.as_bytes(), b"", b"BTCUSDT"]);
            let seen = ask(&mut client, &mut reported);
            assert_eq!(seen.orders, seen.reported, "round {round}, sessions apart {sessions_apart}, shm {over_shm}");
            assert!(seen.index >= seen.last, "{seen:?}");
            assert_eq!(seen.held, format!("{:.8}", seen.orders.len() as f64 / 1_000.0));
        }
        assert!(reported.len() >= 120, "{}", reported.len());
        node.stop().expect("a clean end");
    }
}

#[test]
fn a_client_sees_its_account_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = start(folder.path(), false);
    let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
    client.order(&limit(codes::Side::Sell, 100, 10_000), b"a", b"BTCUSDT");
    client.order(&limit(codes::Side::Sell, 100, 10_001), b"17", b"BTCUSDT");
    assert_eq!(hear(&mut client, 2), ["0a", "017"]);
    drop(client);
    node.stop().expect("a clean end");
    let node = start(folder.path(), true);
    let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
    let seen = ask(&mut client, &mut Vec::new());
    assert_eq!((&seen.orders[..], &seen.held[..]), (&["a".to_owned(), "17".to_owned()][..], "0.00200000"));
    node.stop().expect("a clean end");
}

/// Logs on by a secret until it is let in, or turned away, as is expected.
fn log_on_by_hmac(node: &Node, is_expected: bool) -> Client {
    let begin = Instant::now();
    loop {
        let mut client = Client::tcp(node.tcp().expect("an address")).expect("a connection");
        let secret = Secret::Hmac(b"known to both".as_slice().into());
        let outcome = client.log_on(&LogonOptions::new(b"ALGO", b"algo"), &secret, TIMEOUT);
        if outcome.is_ok() == is_expected {
            return client;
        }
        assert!(begin.elapsed() < TIMEOUT, "{outcome:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_secret_that_is_registered_while_the_node_runs_opens_the_door_until_it_is_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("master.key");
    std::fs::write(&file, "0123456789abcdef".repeat(4)).expect("a file");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    let master = MasterKey::read(Some(&file)).expect("a key").expect("a key");
    let sealed = master.seal(b"algo", b"known to both").expect("a nonce").expect("it fits");
    let material = KeyMaterial::new(&sealed).expect("it fits");
    let id = Label::new(b"algo").expect("a label");
    for sessions_apart in [false, true] {
        let place = folder.path().join(format!("apart-{sessions_apart}"));
        std::fs::create_dir(&place).expect("a folder");
        let doors = "[session]\nmaster_key = \"../master.key\"\n[session.tcp]";
        let mut node = start_with(&place, configuration(sessions_apart).replace("[session.tcp]", doors));
        let register =
            |permissions| set_up::register_key(&id, AccountId(2), permissions, KeyKind::SealedHmac, &material);
        node.command(&register(KeyPermissions::TRADE)).expect("a ring");
        let mut client = log_on_by_hmac(&node, true);
        client.order(&limit(codes::Side::Sell, 100, 10_000), b"a", b"BTCUSDT");
        assert_eq!(hear(&mut client, 1), ["0a"]);
        // One that the engine refuses, as there is a key of this id, changes nothing.
        node.command(&register(KeyPermissions::READ)).expect("a ring");
        client.order(&limit(codes::Side::Sell, 100, 10_000), b"b", b"BTCUSDT");
        assert_eq!(hear(&mut client, 1), ["0b"]);
        node.command(&set_up::revoke_key(&id)).expect("a ring");
        let (begin, mut ended) = (Instant::now(), None);
        while ended.is_none() {
            assert!(begin.elapsed() < TIMEOUT, "it is still there");
            ended = client.receive(|_| {}).err();
            std::thread::yield_now();
        }
        assert_eq!(ended.map(|error| error.to_string()).as_deref(), Some("logged out: its key was revoked"));
        log_on_by_hmac(&node, false);
        // A free id may be used again, and the node knows the key at its next start too.
        node.command(&register(KeyPermissions::TRADE)).expect("a ring");
        drop(log_on_by_hmac(&node, true));
        node.stop().expect("a clean end");
    }
}

/// A stage of a trace: its name, when it began and ended, in nanoseconds.
type Span = (String, u64, u64);

/// The commands that were traced: name, index, and their stages.
fn traces_of(path: &Path) -> Vec<(String, u64, Vec<Span>)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let number = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse().ok()).expect("a number");
    let trace_of = |line: &str| {
        let whole: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let spans = whole["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone();
        let span = |span: &serde_json::Value| {
            let name = span["name"].as_str().expect("a name").to_owned();
            (name, number(&span["startTimeUnixNano"]), number(&span["endTimeUnixNano"]))
        };
        let index = number(&spans[0]["attributes"][1]["value"]["intValue"]);
        (spans[0]["name"].as_str().expect("a name").to_owned(), index, spans.iter().map(span).collect())
    };
    // The last line may be on its way.
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(trace_of).collect()
}

#[test]
fn sampled_commands_are_traced_through_every_stage() {
    for (sessions_apart, one_in, tier) in [(false, 1, "local-sync"), (true, 3, "local-sync"), (true, 1, "memory")] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = configuration(sessions_apart).replace("[journal]", &format!("[journal]\ntier = \"{tier}\""));
        let monitoring = format!("[monitoring]\ntrace_one_in = {one_in}\n[session.tcp]");
        let node = start_with(folder.path(), text.replace("[session.tcp]", &monitoring));
        let mut client = log_on(Client::tcp(node.tcp().expect("an address")).expect("a connection"));
        let mut indices = Vec::new();
        for number in 0..11 {
            client.order(&limit(codes::Side::Sell, 100, 10_000), format!("n-{number}").as_bytes(), b"BTCUSDT");
            assert_eq!(hear(&mut client, 1), [format!("0n-{number}")]);
            indices.push(client.last().expect("an output").index);
        }
        let path = folder.path().join("log").join("traces.jsonl");
        let begin = Instant::now();
        // The logon is the first command that is traced.
        while traces_of(&path).len() < 12_usize.div_ceil(one_in) {
            assert!(begin.elapsed() < TIMEOUT, "{:?}", traces_of(&path));
            std::thread::sleep(Duration::from_millis(5));
        }
        let traces = traces_of(&path);
        assert_eq!(traces[0].0, "OpenSession");
        let traced: Vec<u64> = traces[1..].iter().map(|(_, index, _)| *index).collect();
        let expected: Vec<u64> = indices.iter().copied().skip(one_in - 1).step_by(one_in).collect();
        assert_eq!(traced, expected, "one in {one_in}, each by its own place in the log");
        for (name, _, spans) in &traces[1..] {
            assert_eq!(name, "PlaceOrder");
            let names: Vec<&str> = spans[1..].iter().map(|(name, ..)| name.as_str()).collect();
            let all = ["gateway", "queue", "apply", "journal", "gate", "publish"];
            let in_memory = ["gateway", "queue", "apply", "gate", "publish"];
            assert_eq!(names, if tier == "memory" { &in_memory[..] } else { &all[..] });
            let (_, came, told) = spans[0];
            assert!(spans.iter().all(|(_, from, to)| came <= *from && from <= to && *to <= told), "{spans:?}");
        }
        for stage in node.status().read().stages {
            assert!(stage.count > 0, "{}: nothing was counted", stage.stage);
        }
        node.stop().expect("a clean end");
    }
}
