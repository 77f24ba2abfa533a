use tradewright_gateway::{Frames, Gateway, GatewayConfig, Stretch, Wanted};
use tradewright_protocol::codes::{
    BoolEnum, ContingencyType, MassCancelRequestType, OrdType, ResponseMode, Side, TriggerPriceDirection,
};
use tradewright_protocol::described::{self, Value};
use tradewright_protocol::frame::{Dimension, Frame, FrameWriter};
use tradewright_protocol::logon::LogonRequest;
use tradewright_protocol::messages::{
    AccountQuery, AmendExtension, ExecutionReport, InstrumentListRequest, LegExtension, LimitQuery, NewOrderList,
    NewOrderListOrder, OrderAmendKeepPriorityRequest, OrderMassCancelReport, OrderMassCancelRequest, Reject,
    RequestExtension, TestRequest,
};
use tradewright_protocol::spec::{Block, NoExtension, Null};
use tradewright_types::{CommandKind, CommandRecord, EventKind, EventRecord, InstrumentState, RejectReason};

use crate::venue::{ALICE, BOB, SECOND_NS, Venue, config, describe, ed25519, keys, limit};

#[test]
fn orders_trade_and_both_sides_hear_of_it() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    bob.order(&mut venue, &limit(Side::Buy, 3, 6_500_000), "7");
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5", "F1 a-1 <> 3+2"]);
    assert_eq!(bob.heard(), ["00 7 <> 0+3", "F2 7 <> 3+0"]);
}

#[test]
fn answers_name_the_request() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    alice.cancel(&venue, "c-1", "a-1");
    // An order that the engine refuses, by a text that no event repeats.
    alice.order(&mut venue, &limit(Side::Sell, 5, 99_000_000), "too-high");
    alice.cancel(&venue, "c-2", "a-1");
    venue.run();
    let heard = alice.heard();
    assert_eq!(heard[..3], ["00 a-1 <> 0+5", "44 c-1 <a-1> 0+0", "88 too-high <> 0+0 PriceOutsideBand"]);
    assert_eq!(heard[3], "template 96", "the second cancel is refused");
}

#[test]
fn a_request_that_is_wrong_by_itself_uses_up_its_number() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    let mut off_tick = limit(Side::Sell, 5, 650_000_001);
    off_tick.price_exponent = -4;
    alice.order(&mut venue, &off_tick, "off");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "2");
    venue.run();
    assert_eq!(alice.heard(), ["88 off <> 0+0 PriceNotOnTick", "00 2 <> 0+5"]);
    // Once more the same: the same answer, and no order.
    alice.order_as(&mut venue, &off_tick, "off", 1);
    venue.run();
    assert_eq!(alice.heard(), ["88 off <> 0+0 PriceNotOnTick"]);
    assert_eq!(venue.engine.open_order_count(), 1);
}

#[test]
fn a_retry_gets_the_first_answer_again() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    alice.order(&mut venue, &limit(Side::Sell, 5, 99_000_000), "high");
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5", "88 high <> 0+0 PriceOutsideBand"]);
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1", 1);
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 99_000_000), "high", 2);
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5 again", "88 high <> 0+0 PriceOutsideBand again"]);
    assert_eq!(venue.engine.open_order_count(), 1, "there is one order");
}

#[test]
fn orders_from_before_the_first_session_are_known_to_it() {
    let mut other = Venue::new();
    let mut alice = other.alice("ONE");
    alice.order(&mut other, &limit(Side::Sell, 5, 6_500_000), "a-1");
    other.run();
    let placed = CommandKind::PlaceOrder as u8;
    let mut orders: Vec<CommandRecord> =
        other.commands.into_iter().skip_while(|record| record.header.kind != placed).collect();
    // As it comes from a door where no session is known.
    (orders[0].header.session, orders[0].header.client_sequence) = (0, 0);

    let mut venue = Venue::new();
    let mut without_copies = keys();
    without_copies.remove(b"clearing");
    venue.gateway = Gateway::new(config(), without_copies, &venue.engine);
    venue.apply(&mut orders);
    assert_eq!((venue.engine.open_order_count(), venue.gateway.reports().len()), (1, 0), "nobody hears of it yet");
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    assert_eq!(venue.gateway.reports().len(), 1);
    bob.order(&mut venue, &limit(Side::Buy, 2, 6_500_000), "b-1");
    venue.run();
    assert_eq!(alice.heard(), ["F1 a-1 <> 2+3"]);
    alice.cancel(&venue, "c-1", "a-1");
    venue.run();
    assert_eq!(alice.heard(), ["44 c-1 <a-1> 2+0"]);
}

#[test]
fn no_answer_is_told_again_before_it_was_told() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    // The engine has both before the gateway hears of either.
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1", 1);
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5", "00 a-1 <> 0+5 again"]);
}

#[test]
fn no_answer_is_told_again_before_the_past_was_told() {
    let config = GatewayConfig { has_past: true, ..config() };
    let mut venue = Venue::with(config.clone());
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    venue.run();
    // A new process knows the state and not what was told.
    venue.gateway = Gateway::new(config, keys(), &venue.engine);
    let mut alice = venue.connect();
    let mut request = LogonRequest::new(b"ONE", b"SPOT", b"alice");
    request.extension.resume_shard = 0;
    request.extension.resume_index = 1.into();
    request.extension.resume_event_number = 0.into();
    alice.log_on(&mut venue, &request, &ed25519()).expect("it is logged on");
    let Some(Wanted::Since { connection, .. }) = venue.gateway.wanted() else { panic!("its past is asked for") };
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1", 1);
    venue.run();
    let Some(Wanted::Again { repeated, .. }) = venue.gateway.wanted() else { panic!("the log is asked") };
    // The log cannot say it: what is known here has to do. It waits as any other answer does.
    venue.gateway.answer_again(connection, &repeated, Frames::default());
    venue.run();
    assert_eq!(alice.heard(), [""; 0]);
    let (last, reached) = (venue.gateway.reports().last(), venue.engine.sequence());
    venue.gateway.past(connection, Stretch { last, reached, frames: Frames::default() });
    // The first look goes on with the outbox, the next one tells.
    venue.run();
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5 again"]);
}

#[test]
fn a_retry_is_answered_when_the_first_answer_is_forgotten() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    for number in 0..300 {
        alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), &format!("m-{number}"));
        alice.cancel(&venue, "c", &format!("m-{number}"));
        venue.pass(SECOND_NS / 10);
        venue.run();
        alice.heard();
    }
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1", 1);
    venue.run();
    assert_eq!(alice.heard(), ["00 a-1 <> 0+5 again"], "from what is open");
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "m-0", 2);
    venue.run();
    assert_eq!(alice.heard(), ["ack 00 m-0 again"], "that it was taken is all that is known");
}

#[test]
fn a_gap_ends_the_session_with_the_number_that_is_due() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "1", 1);
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "3", 3);
    alice.order_as(&mut venue, &limit(Side::Sell, 5, 6_500_000), "2", 2);
    venue.run();
    let heard = alice.heard();
    assert_eq!(heard.last().map(String::as_str), Some("logout: ClientSequence=3 must be at most 2 (2)"));
    assert_eq!(venue.gateway.connection_count(), 0);
    let mut again = venue.alice("ONE");
    assert_eq!(again.next_sequence, 2);
    again.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "2");
    venue.run();
    assert!(again.heard().iter().any(|heard| heard == "00 2 <> 0+5"));
}

#[test]
fn a_gap_of_the_connection_ends_it() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.next_out += 1;
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "1");
    venue.run();
    assert_eq!(alice.heard(), ["logout: seqNum=3 must be 2"]);
    assert_eq!(venue.engine.open_order_count(), 0);
}

#[test]
fn who_is_too_fast_is_told_and_loses_the_number_only() {
    let mut config = crate::venue::config();
    config.rate_limit.messages_max = 2;
    let mut venue = Venue::with(config);
    let mut alice = venue.alice("ONE");
    for id in ["1", "2", "3"] {
        alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), id);
    }
    venue.run();
    let frames = alice.frames();
    assert_eq!(frames.len(), 3);
    let limited = frames.iter().find_map(|frame| Frame::read(frame).ok()?.message::<Reject>().ok()?.extension.copied());
    let limited = limited.expect("a reject");
    assert_eq!(limited.client_sequence.get(), 3);
    assert!((1..=SECOND_NS).contains(&limited.retry_after.get()));
    venue.pass(SECOND_NS);
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "4");
    venue.run();
    assert_eq!(alice.heard(), ["00 4 <> 0+5"], "the next number is no gap");
    for _ in 0..12 {
        alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "5");
    }
    venue.run();
    let heard = alice.heard();
    assert_eq!(heard.last().map(String::as_str), Some("logout: RateLimited ten times in a minute"));
}

#[test]
fn a_mass_cancel_tells_how_many_it_took() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    bob.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), "b");
    for expected in [3, 0] {
        for number in 0..expected {
            alice.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), &format!("o{number}"));
        }
        let block =
            OrderMassCancelRequest { mass_cancel_request_type: MassCancelRequestType::CancelSymbolOrders.field() };
        alice.request(&venue, &block, &["BTCUSDT", "m-1"]);
        venue.run();
        let frames = alice.frames();
        let report = frames.iter().find_map(|frame| Frame::read(frame).ok()?.message::<OrderMassCancelReport>().ok());
        let report = report.expect("a report");
        assert_eq!(report.block.total_affected_orders.some(), Some(expected));
        assert_eq!(report.extension.expect("our version").client_sequence.get(), alice.next_sequence - 1);
        assert_eq!(frames.len() as i64, 2 * expected + 1, "and nothing of the mark");
    }
    assert_eq!(venue.engine.open_order_count(), 1, "the other account's order is there");
}

#[test]
fn amendments_lower_or_rename() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    venue.run();
    alice.heard();
    let block =
        OrderAmendKeepPriorityRequest { qty_exponent: -5, order_qty: 4.into(), ..OrderAmendKeepPriorityRequest::NULL };
    let extension = AmendExtension { client_sequence: alice.next_sequence.into(), ..AmendExtension::NULL };
    alice.next_sequence += 1;
    alice.send_message(&venue, &block, &extension, &["a-2", "a-1", "BTCUSDT"]);
    venue.run();
    assert_eq!(alice.heard(), ["50 a-2 <a-1> 0+4"]);
    let extension = AmendExtension { client_sequence: alice.next_sequence.into(), ..AmendExtension::NULL };
    alice.next_sequence += 1;
    alice.send_message(&venue, &block, &extension, &["a-3", "a-1", "BTCUSDT"]);
    venue.run();
    assert_eq!(alice.heard(), ["template 106"], "there is no order of the old name");
}

#[test]
fn lists_tell_of_themselves_and_their_orders() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    let leg = |ord_type: OrdType, ticks: i64| NewOrderListOrder {
        price_exponent: -2,
        qty_exponent: -5,
        order_qty: 5.into(),
        ord_type: ord_type.field(),
        price: ticks.into(),
        side: Side::Sell.field(),
        ..NewOrderListOrder::NULL
    };
    let stop = NewOrderListOrder {
        trigger_price: 6_300_000.into(),
        trigger_price_direction: TriggerPriceDirection::Down.field(),
        ..leg(OrdType::StopLimit, 6_200_000)
    };
    let block = NewOrderList { contingency_type: ContingencyType::OneCancelsTheOther.field(), ..NewOrderList::NULL };
    let mut bytes = Vec::new();
    let envelope = alice.envelope(&venue);
    let mut frame = FrameWriter::new(&mut bytes, envelope, &block, &RequestExtension { client_sequence: 1.into() });
    frame.group(Dimension::Size8, size_of::<NewOrderListOrder>() + size_of::<LegExtension>(), 2);
    for (leg, name) in [(leg(OrdType::Limit, 6_600_000), "limit"), (stop, "stop")] {
        frame.entry(&leg).entry(&LegExtension::NULL).group(Dimension::SmallSize8, 3, 0);
        frame.text8(name.as_bytes()).text8(b"BTCUSDT");
    }
    frame.text8(b"list-1");
    frame.finish();
    alice.send(&bytes);
    venue.run();
    assert_eq!(alice.heard(), ["00 limit <> 0+5", "00 stop <> 0+5", "template 102"]);
}

#[test]
fn a_session_may_hear_in_short_or_only_listen() {
    let mut venue = Venue::new();
    let mut short = venue.connect();
    let mut request = LogonRequest::new(b"SHORT", b"SPOT", b"alice");
    request.block.response_mode = ResponseMode::OnlyAcks.field();
    short.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    let mut watch = venue.connect();
    let request = LogonRequest::new(b"WATCH", b"SPOT", b"alice-watch");
    watch.log_on(&mut venue, &request, &crate::venue::hmac()).expect("an ack");
    short.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    watch.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "w-1");
    venue.run();
    assert_eq!(short.heard(), ["ack 00 a-1"]);
    let mut heard = watch.heard();
    heard.sort();
    assert_eq!(heard, ["00 a-1 <> 0+5", "88 w-1 <> 0+0 AccountNotPermitted"]);
    assert_eq!(RejectReason::AccountNotPermitted.name(), "AccountNotPermitted");
}

#[test]
fn questions_are_answered() {
    let mut venue = Venue::new();
    let mut alice = venue.alice("ONE");
    alice.send_message(&venue, &TestRequest {}, &NoExtension, &["who"]);
    alice.send_message(&venue, &LimitQuery {}, &NoExtension, &["q"]);
    let all = InstrumentListRequest { instrument_list_request_type: tradewright_protocol::spec::Code(4) };
    alice.send_message(&venue, &all, &NoExtension, &["i", ""]);
    venue.run();
    assert_eq!(alice.heard(), ["template 20001", "template 121", "template 201"]);
    let event = EventRecord {
        order_type: InstrumentState::Halted as u8,
        ..EventRecord::new(EventKind::InstrumentStateChanged)
    };
    venue.gateway.event(&event, venue.now);
    alice.send_message(&venue, &all, &NoExtension, &["i", ""]);
    venue.run();
    let frames = alice.frames();
    let (_, fields) = described::read(&Frame::read(&frames[0]).expect("a frame")).expect("a list");
    let Some((_, Value::Group(entries))) = fields.first() else { panic!("a group") };
    let states = [("InstrumentID", Value::Number(0)), ("InstrumentState", Value::Number(1))];
    assert!(entries.len() == 1 && states.iter().all(|field| entries[0].contains(field)), "{entries:?}");
    assert!(entries[0].contains(&("Symbol", Value::Bytes(b"BTC/USDT"))), "{entries:?}");
    let commands = venue.commands.iter().filter(|record| record.header.kind != CommandKind::Text as u8);
    assert_eq!(commands.count(), 1, "the engine heard of the logon only");
}

#[test]
fn a_drop_copy_hears_of_chosen_accounts_and_resumes() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    let log_on = |venue: &mut Venue, resume: Option<(u64, u32)>| {
        let mut client = venue.connect();
        let mut request = LogonRequest::new(b"COPY", b"SPOT", b"clearing");
        request.block.drop_copy_flag = BoolEnum::True.field();
        if let Some((index, k)) = resume {
            request.extension.resume_shard = 0;
            request.extension.resume_index = index.into();
            request.extension.resume_event_number = k.into();
        }
        venue.pass(1_000_000);
        client.log_on(venue, &request, &ed25519()).expect("it is let in");
        client
    };
    let mut copy = log_on(&mut venue, None);
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_400_000), "a");
    venue.run();
    bob.order(&mut venue, &limit(Side::Buy, 3, 6_400_000), "b");
    // A refusal is for who was refused.
    bob.order(&mut venue, &limit(Side::Buy, 0, 6_400_000), "nothing");
    venue.run();
    let frames = copy.frames();
    let told = |frame: &Vec<u8>| {
        let message = Frame::read(frame).expect("a frame").message::<ExecutionReport>().expect("a report");
        let extension = message.extension.expect("our version");
        (extension.account.get(), extension.index.get(), extension.event_number.get(), message.block.exec_id.get())
    };
    let heard: Vec<_> = frames.iter().map(|frame| describe(frame)).collect();
    assert_eq!(heard, ["00 a <> 0+5", "00 b <> 0+3", "F2 b <> 3+0", "F1 a <> 3+2"]);
    let copies: Vec<_> = frames.iter().map(told).collect();
    assert_eq!(copies.iter().map(|(account, ..)| *account).collect::<Vec<_>>(), [ALICE.0, BOB.0, BOB.0, ALICE.0]);
    // The numbers are those that the accounts themselves hear.
    let own = |frame: &Vec<u8>| {
        let message = Frame::read(frame).expect("a frame").message::<ExecutionReport>().expect("a report");
        message.extension.map(|extension| (extension.index.get(), extension.event_number.get()))
    };
    let alices: Vec<_> = alice.frames().iter().filter_map(own).collect();
    assert_eq!(alices, [0, 3].map(|place| (copies[place].1, copies[place].2)));
    // It has seen one side of the trade, and comes back: it hears both, and ExecID tells which one is new.
    copy.hang_up();
    venue.run();
    let mut again = log_on(&mut venue, Some((copies[2].1, copies[2].2)));
    assert_eq!(again.frames().iter().map(told).collect::<Vec<_>>(), copies[2..]);
    again.order(&mut venue, &limit(Side::Sell, 5, 6_400_000), "c");
    venue.run();
    assert_eq!(venue.engine.open_order_count(), 1, "it sends nothing");
}

/// Asks how the account stands.
fn ask(client: &mut crate::venue::Client, venue: &Venue, id: &str) {
    client.send_message(venue, &AccountQuery {}, &NoExtension, &[id]);
}

#[test]
fn how_the_account_stands_comes_in_its_place_among_the_reports() {
    let mut venue = Venue::new();
    let (mut alice, mut bob) = (venue.alice("ONE"), venue.bob());
    bob.order(&mut venue, &limit(Side::Sell, 9, 6_500_000), "not-hers");
    alice.order(&mut venue, &limit(Side::Sell, 5, 6_400_000), "a-1");
    alice.order(&mut venue, &limit(Side::Sell, 7, 6_450_000), "a-2");
    bob.order(&mut venue, &limit(Side::Buy, 3, 6_400_000), "b");
    venue.run();
    alice.frames();
    // What happens before and behind it is told before and behind it.
    venue.holds_back = true;
    alice.cancel(&venue, "not-a-2", "a-2");
    ask(&mut alice, &venue, "now");
    venue.run();
    assert_eq!(alice.heard(), Vec::<String>::new(), "nothing was released");
    venue.release();
    venue.holds_back = false;
    alice.order(&mut venue, &limit(Side::Sell, 1, 6_480_000), "a-3");
    venue.run();
    let heard = alice.heard();
    let standing = ["account now 1: BTC 0.00002000, USDT 0.00000000", "I1 a-1 <> 3+2"];
    assert_eq!(heard, ["44 not-a-2 <a-2> 0+0", standing[0], standing[1], "00 a-3 <> 0+1"]);
    let again = venue.standing(ALICE);
    assert_eq!(again.balances[0].held_quanta, 3_000, "two lots, and the one of the last order");
}

#[test]
fn an_account_is_told_in_full_to_acks_and_drop_copies_and_never_that_of_another() {
    let mut venue = Venue::new();
    let mut bob = venue.bob();
    bob.order(&mut venue, &limit(Side::Buy, 3, 6_000_000), "b");
    let mut short = venue.connect();
    let mut request = LogonRequest::new(b"SHORT", b"SPOT", b"alice");
    request.block.response_mode = ResponseMode::OnlyAcks.field();
    short.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    let mut copy = venue.connect();
    let mut request = LogonRequest::new(b"COPY", b"SPOT", b"clearing");
    request.block.drop_copy_flag = BoolEnum::True.field();
    copy.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    short.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), "a-1");
    venue.run();
    short.frames();
    copy.frames();
    for client in [&mut short, &mut copy] {
        ask(client, &venue, "q");
        venue.run();
        assert_eq!(client.heard(), ["account q 1: BTC 0.00005000, USDT 0.00000000", "I0 a-1 <> 0+5"]);
    }
}

#[test]
fn who_asks_too_often_or_may_not_read_is_refused() {
    let mut venue = Venue::new();
    let mut blind = venue.connect();
    let request = LogonRequest::new(b"BLIND", b"SPOT", b"alice-blind");
    blind.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    ask(&mut blind, &venue, "q");
    venue.run();
    assert_eq!(blind.heard(), ["reject 21002: AccountNotPermitted: the key of this session may not read"]);

    let mut alice = venue.alice("ONE");
    venue.holds_back = true;
    ask(&mut alice, &venue, "first");
    ask(&mut alice, &venue, "second");
    venue.run();
    assert_eq!(alice.heard(), ["reject 21002: AccountQuery: the one before is not answered yet"]);
    venue.holds_back = false;
    venue.release();
    venue.run();
    assert_eq!(alice.heard(), ["account first 0: BTC 0.00000000, USDT 0.00000000"]);
    for _ in 0..501 {
        ask(&mut alice, &venue, "q");
        venue.run();
    }
    let heard = alice.heard();
    assert!(heard.last().is_some_and(|last| last.starts_with("reject 21002: RateLimited: ")), "{:?}", heard.last());

    // A client of the base version knows no such message.
    let mut old = venue.connect();
    old.version = 1;
    old.log_on(&mut venue, &LogonRequest::new(b"OLD", b"SPOT", b"bob"), &crate::venue::hmac()).expect("an ack");
    ask(&mut old, &venue, "q");
    venue.run();
    assert_eq!(old.heard(), ["logout: template=21002 must be a message that may stand here"]);
}

#[test]
fn many_open_orders_are_told_as_fast_as_the_client_reads() {
    let mut venue = Venue::new();
    let mut alice = venue.connect_with(700);
    let request = LogonRequest::new(b"SLOW", b"SPOT", b"alice");
    alice.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    for number in 0..40 {
        alice.order(&mut venue, &limit(Side::Sell, 5, 6_500_000), &format!("a-{number}"));
        venue.run();
        alice.frames();
    }
    ask(&mut alice, &venue, "all");
    let mut heard = Vec::new();
    while heard.len() < 41 {
        venue.run();
        let more = alice.heard();
        assert!(!more.is_empty() || heard.is_empty(), "it stopped behind {heard:?}");
        heard.extend(more);
    }
    assert!(heard[0].starts_with("account all 40: "), "{}", heard[0]);
    let orders: Vec<String> = (0..40).map(|number| format!("I0 a-{number} <> 0+5")).collect();
    assert_eq!(heard[1..], orders);
}
