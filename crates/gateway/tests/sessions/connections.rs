use tradewright_gateway::{GatewayConfig, MachineConfig, RateLimit};
use tradewright_protocol::codes::{BoolEnum, Side};
use tradewright_protocol::frame::Frame;
use tradewright_protocol::logon::LogonRequest;
use tradewright_protocol::messages::{Heartbeat, Logout, RawEvent};
use tradewright_protocol::spec::{Block, NoExtension};
use tradewright_sim::Random;
use tradewright_types::{CommandKind, CommandRecord, EventKind, OrderType, TimeInForce};
use zerocopy::IntoBytes;

use crate::venue::{ALICE, Client, SECOND_NS, Venue, config, ed25519, limit};

#[test]
fn orders_go_with_their_connection_unless_they_are_to_stay() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    alice.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), "a");
    bob.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), "b");
    venue.run();
    assert_eq!(venue.engine.open_order_count(), 2);
    alice.hang_up();
    bob.hang_up();
    venue.run();
    assert_eq!(venue.gateway.connection_count(), 0);
    let open = venue.engine.open_orders(None);
    assert_eq!(open.len(), 1, "Bob's key keeps its orders");
    assert_ne!(open[0].account, ALICE);
}

#[test]
fn a_client_may_ask_that_its_orders_stay() {
    let mut venue = Venue::new();
    let mut client = venue.connect();
    let mut request = LogonRequest::new(b"ONE", b"SPOT", b"alice");
    request.extension.cancel_on_disconnect = BoolEnum::False.field();
    client.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    client.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), "a");
    venue.run();
    client.send_message(&venue, &Logout {}, &tradewright_protocol::messages::LogoutExtension::NULL, &[]);
    venue.run();
    assert_eq!(venue.engine.open_order_count(), 1);
}

#[test]
fn heartbeats_go_both_ways() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    venue.pass(30 * SECOND_NS);
    venue.run();
    assert_eq!(alice.heard(), ["template 20001"]);
    venue.pass(7 * SECOND_NS);
    venue.run();
    assert_eq!(alice.heard(), ["template 20002"], "it is asked whether it is there");
    alice.send_message(&venue, &Heartbeat {}, &NoExtension, &["alive"]);
    venue.run();
    venue.pass(35 * SECOND_NS);
    venue.run();
    assert_eq!(venue.gateway.connection_count(), 1);
    venue.pass(30 * SECOND_NS);
    venue.run();
    let heard = alice.heard();
    assert_eq!(heard.last().map(String::as_str), Some("logout: nothing was heard for two heartbeats"));
    assert_eq!(venue.gateway.connection_count(), 0);
}

/// Logs on again as the session, from an output on.
fn resume(venue: &mut Venue, session: &str, index: u64, k: u32) -> (Client, u64) {
    let mut client = venue.connect();
    let mut request = LogonRequest::new(session.as_bytes(), b"SPOT", b"alice");
    request.extension.resume_shard = 0;
    request.extension.resume_index = index.into();
    request.extension.resume_event_number = k.into();
    venue.pass(1_000_000);
    let ack = client.log_on(venue, &request, &ed25519()).expect("an ack");
    client.next_sequence = ack.last_client_sequence.get() + 1;
    (client, ack.resume_index.get())
}

/// The last output that a client saw.
fn last_seen(frames: &[Vec<u8>]) -> (u64, u32) {
    let read = |frame: &Vec<u8>| {
        let message = Frame::read(frame).ok()?.message::<tradewright_protocol::messages::ExecutionReport>().ok()?;
        message.extension.map(|extension| (extension.index.get(), extension.event_number.get()))
    };
    frames.iter().filter_map(read).max().expect("a report")
}

#[test]
fn a_client_gets_what_it_missed() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    let mut keeper = venue.alice("KEEPER");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    keeper.order(&mut venue, &limit(Side::Sell, 5, 6_600_000), "k-1");
    venue.run();
    let (index, k) = last_seen(&alice.frames());
    alice.hang_up();
    venue.run();
    // While it is away its order is cancelled, and another one of the account trades.
    bob.order(&mut venue, &limit(Side::Buy, 2, 6_600_000), "b");
    venue.run();
    let (mut again, since) = resume(&mut venue, "ONE", index, k);
    assert_eq!(since, index, "nothing is missing");
    assert_eq!(again.heard(), ["44 a-1 <> 0+0", "F1 k-1 <> 2+3"]);
    // From another place again.
    again.hang_up();
    venue.run();
    let (mut again, _) = resume(&mut venue, "ONE", u64::MAX - 1, 0);
    assert_eq!(again.heard(), [""; 0]);
}

#[test]
fn a_client_learns_where_the_rest_begins() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    venue.run();
    let (index, k) = last_seen(&alice.frames());
    alice.hang_up();
    let mut keeper = venue.alice("KEEPER");
    for number in 0..200 {
        keeper.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), &format!("k-{number}"));
        venue.run();
    }
    let (mut again, since) = resume(&mut venue, "ONE", index, k);
    assert!(since > index, "the outbox has room for a part only");
    let frames = again.frames();
    let first = Frame::read(&frames[0]).expect("a frame");
    let first = first.message::<tradewright_protocol::messages::ExecutionReport>().expect("a report");
    assert_eq!(first.extension.expect("our version").index.get(), since + 1);
}

#[test]
fn who_does_not_read_is_left_behind_and_nobody_else_waits() {
    let mut venue = Venue::with(GatewayConfig {
        rate_limit: RateLimit { messages_max: 100_000, window_ns: SECOND_NS },
        ..config()
    });
    // It takes a thousand bytes and no more.
    let mut stuck = venue.connect_with(1_000);
    stuck.log_on(&mut venue, &LogonRequest::new(b"STUCK", b"SPOT", b"alice"), &ed25519()).expect("an ack");
    let mut keeper = venue.alice("KEEPER");
    for number in 0..400 {
        keeper.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), &format!("k-{number}"));
        venue.run();
        assert_eq!(keeper.heard(), [format!("00 k-{number} <> 0+5")]);
        if venue.gateway.connection_count() == 1 {
            break;
        }
    }
    assert_eq!(venue.gateway.connection_count(), 1, "the one that does not read is gone");
    assert_eq!(venue.gateway.sessions().iter().filter(|session| session.connection.is_some()).count(), 1);
}

#[test]
fn a_full_ring_stops_reading_and_loses_nothing() {
    struct Narrow(Vec<CommandRecord>, usize);
    impl tradewright_gateway::CommandSink for Narrow {
        fn push(&mut self, command: &[CommandRecord]) -> bool {
            let fits = self.0.len() < self.1;
            if fits {
                self.0.extend_from_slice(command);
            }
            fits
        }
    }
    let mut config = config();
    config.rate_limit.messages_max = 100_000;
    let mut venue = Venue::with(config);
    let mut alice = venue.alice("ONE");
    for number in 1..=2_000 {
        alice.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), &number.to_string());
    }
    let mut sink = Narrow(Vec::new(), 0);
    let mut polls = 0;
    while sink.0.len() < 2_000 {
        polls += 1;
        sink.1 += 7;
        venue.gateway.poll(&mut sink, venue.now);
    }
    assert!(polls > 200);
    let numbers: Vec<u64> = sink.0.iter().map(|record| record.header.client_sequence).collect();
    assert_eq!(numbers, (1..=2_000).collect::<Vec<u64>>());
}

fn record(session: u32, client_sequence: u64, id: u64) -> CommandRecord {
    let mut record = CommandRecord {
        account: ALICE.0,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancel as u8,
        price_ticks: 6_000_000,
        quantity_lots: 5,
        order_ref: id,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    };
    (record.header.session, record.header.client_sequence) = (session, client_sequence);
    record
}

fn raw(venue: &mut Venue) -> (Client, u32) {
    let mut client = venue.connect();
    let mut request = LogonRequest::new(b"RAW", b"SPOT", b"alice");
    request.extension.raw_records = BoolEnum::True.field();
    let ack = client.log_on(venue, &request, &ed25519()).expect("an ack");
    (client, ack.session.get())
}

#[test]
fn records_come_as_they_are_and_events_go_as_they_are() {
    let mut venue = Venue::new();
    let (mut client, session) = raw(&mut venue);
    let mut bob = venue.bob();
    let records = [record(session, 1, 17), record(session, 2, 18)];
    // In pieces, as a network may bring them.
    for piece in records.as_bytes().chunks(50) {
        client.send(piece);
        venue.run();
    }
    bob.order(&mut venue, &limit(Side::Sell, 5, 6_000_000), "b");
    venue.run();
    let frames = client.frames();
    let events: Vec<tradewright_types::EventRecord> = frames
        .iter()
        .map(|frame| {
            let message = Frame::read(frame).and_then(|frame| frame.message::<RawEvent>()).expect("an event");
            zerocopy::transmute!(message.block.event.0)
        })
        .collect();
    let kinds: Vec<u8> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::OrderAccepted as u8, EventKind::OrderAccepted as u8, EventKind::Trade as u8]);
    assert_eq!(events[2].counter_account, ALICE.0);
    assert_eq!(events[2].account, u32::MAX, "who took is not told");
    // A retry: what the engine says of it, and the first answer.
    client.send(record(session, 1, 17).as_bytes());
    venue.run();
    assert_eq!(client.frames().len(), 2);
    assert_eq!(venue.engine.open_order_count(), 1);
}

#[test]
fn without_room_in_the_log_records_of_new_orders_are_refused_and_cancels_pass() {
    let mut venue = Venue::new();
    let (mut client, session) = raw(&mut venue);
    client.send(record(session, 1, 17).as_bytes());
    venue.run();
    client.frames();
    venue.gateway.set_log_short(true);
    client.send(record(session, 2, 18).as_bytes());
    // A retry is none that brings an order in: its answer is there already.
    client.send(record(session, 1, 17).as_bytes());
    // By the client's id of it.
    let mut cancel = CommandRecord { flags: 4, ..record(session, 3, 17) };
    cancel.header.kind = CommandKind::CancelOrder as u8;
    (cancel.order_type, cancel.time_in_force, cancel.price_ticks, cancel.quantity_lots) = (0, 0, 0, 0);
    client.send(cancel.as_bytes());
    venue.run();
    let heard = client.heard();
    assert_eq!(heard[0], "reject : LogSpaceExhausted: the log runs out of room; cancels pass");
    assert_eq!(venue.engine.open_order_count(), 0, "{heard:?}");
    venue.gateway.set_log_short(false);
    client.send(record(session, 4, 19).as_bytes());
    venue.run();
    assert_eq!(venue.engine.open_order_count(), 1, "the refused order left no gap");
}

#[test]
fn a_key_that_is_revoked_ends_its_connections_and_no_other() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    venue.gateway.revoke_key(b"alice", venue.now);
    venue.run();
    assert_eq!(alice.heard(), ["logout: its key was revoked"]);
    bob.order(&mut venue, &limit(Side::Buy, 3, 6_000_000), "b");
    venue.run();
    assert_eq!(bob.heard(), ["00 b <> 0+3"]);
    venue.pass(SECOND_NS);
    let refused = venue.connect().log_on(&mut venue, &LogonRequest::new(b"ONE", b"SPOT", b"alice"), &ed25519());
    assert_eq!(refused.map(drop), Err("logout: Username and RawData must be a key and its signature".to_owned()));
}

#[test]
fn nobody_sends_records_for_others() {
    for (change, reason) in [
        (
            (|record: &mut CommandRecord| record.account = 3) as fn(&mut CommandRecord),
            "logout: account=3 must be the one that logged on",
        ),
        (|record| record.header.session = 99, "logout: session=99 must be the one that logged on"),
        (|record| record.header.kind = CommandKind::Deposit as u8, "logout: kind=32 must be a command of a trader"),
        (|record| record.header.record_count = 0, "logout: record_count=0 must be 1 to 129"),
        (|record| record.header.client_sequence = 5, "logout: client_sequence=5 must be 1 to 1 (1)"),
    ] {
        let mut venue = Venue::new();
        let (mut client, session) = raw(&mut venue);
        let mut record = record(session, 1, 17);
        change(&mut record);
        client.send(record.as_bytes());
        venue.run();
        assert_eq!(client.heard(), [reason]);
        assert_eq!(venue.engine.open_order_count(), 0);
    }
}

#[test]
fn whatever_bytes_come_others_go_on() {
    let mut random = Random::new(9);
    let mut venue = Venue::with(GatewayConfig {
        rate_limit: RateLimit { messages_max: 1_000_000, window_ns: SECOND_NS },
        machine: MachineConfig::default(),
        ..config()
    });
    let mut alice = venue.alice("ONE");
    for round in 0..2_000_u64 {
        let mut client = venue.connect();
        let request = LogonRequest::new(b"FUZZ", b"SPOT", b"alice");
        let is_in = random.chance_ppm(500_000);
        if is_in {
            client.log_on(&mut venue, &request, &ed25519()).expect("an ack");
        }
        let mut bytes = Vec::new();
        let good = limit(Side::Buy, 1, 6_000_000);
        for _ in 0..=random.below(3) {
            let mut frame = Vec::new();
            let extension = tradewright_protocol::messages::OrderExtension::NULL;
            let envelope = client.envelope(&venue);
            let mut writer = tradewright_protocol::frame::FrameWriter::new(&mut frame, envelope, &good, &extension);
            writer.text8(b"fuzz").text8(b"BTCUSDT");
            writer.finish();
            for _ in 0..random.below(3) {
                let at = random.below(frame.len() as u64) as usize;
                frame[at] = random.next_u64() as u8;
            }
            bytes.extend(frame);
        }
        client.send(&bytes);
        client.hang_up();
        venue.run();
        client.frames();
        if round % 100 == 0 {
            alice.heard();
            alice.order(&mut venue, &limit(Side::Sell, 1, 7_000_000), &format!("a-{round}"));
            venue.run();
            assert_eq!(alice.heard().last(), Some(&format!("00 a-{round} <> 0+1")));
        }
    }
    assert_eq!(venue.gateway.connection_count(), 1);
    assert_eq!(venue.engine.open_orders(None).iter().filter(|order| order.client_order_id == fuzz()).count(), 0);
}

fn fuzz() -> tradewright_types::ClientOrderId<'static> {
    tradewright_types::ClientOrderId::Text(b"fuzz")
}
