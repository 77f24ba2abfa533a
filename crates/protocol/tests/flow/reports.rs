use std::collections::BTreeMap;

use tradewright_engine::{Engine, EngineConfig};
use tradewright_protocol::codes::{ExecType, OrdStatus};
use tradewright_protocol::frame::{Envelope, Frame};
use tradewright_protocol::messages::{ExecutionReport, ExecutionReportAck};
use tradewright_protocol::reports::{
    Answer, Execution, ListReport, OpenOrder, Opening, Report, Reports, RequestNames, Standing, read_ack,
    read_execution, write_ack, write_execution, write_list_status, write_refusal,
};
use tradewright_protocol::spec::{Coded, Null};
use tradewright_protocol::symbols::Symbols;
use tradewright_sim::flow::FlowConfig;
use tradewright_types::{AccountId, ClientOrderId, EventKind, InstrumentId, OrderId, OrderType};

use crate::market::run;

/// Holds an order of the reports against the engine's.
fn compare(engine: &Engine, order: &OpenOrder) {
    let view = engine.order(OrderId(order.id)).unwrap_or_else(|| panic!("order {} is open", order.id));
    assert_eq!(order.account, view.account);
    assert_eq!(order.instrument, view.instrument);
    assert_eq!((order.side, order.order_type, order.time_in_force), (view.side, view.order_type, view.time_in_force));
    assert_eq!(order.total_lots, view.total.lots(), "total of {order:?}");
    assert_eq!(order.prevented_lots, view.prevented.lots(), "prevented of {order:?}");
    assert_eq!(order.open_lots(), view.open.lots(), "open of {order:?}");
    assert_eq!(order.list, view.list.map_or(0, |list| list.0), "list of {order:?}");
    let digits;
    let client_id = match view.client_order_id {
        ClientOrderId::Absent => b"".as_slice(),
        ClientOrderId::Number(number) => {
            digits = number.to_string();
            digits.as_bytes()
        }
        ClientOrderId::Text(text) => text,
    };
    assert_eq!(order.client_id.as_bytes(), client_id);
    assert_eq!(order.standing == Standing::Pending, view.is_pending || view.approval.is_some(), "{order:?}");
    // A following peg that waits tells the price at which it stands: nowhere.
    let waits = view.peg.is_some_and(|peg| !peg.is_fixed) && order.price_ticks == 0;
    if view.order_type == OrderType::Limit && !waits {
        assert_eq!(order.price_ticks, view.price.ticks(), "price of {order:?}");
    }
}

/// Holds a report's frames against the report.
fn check_frames(execution: &Execution<'_>, symbols: &Symbols, frame: &mut Vec<u8>) -> (ExecType, OrdStatus) {
    let order = execution.order;
    let symbol = symbols.get(order.instrument).expect("a symbol");
    let answer = Answer { client_sequence: 9, is_again: false, ..Answer::default() };
    frame.clear();
    write_execution(execution, symbol, None, answer, Envelope::OPEN, frame);
    let message = Frame::read(frame).and_then(|frame| frame.message::<ExecutionReport>()).expect("a report");
    let text = read_execution(&message).expect("its text");
    assert_eq!(text.client_order_id, order.client_id.as_bytes());
    assert_eq!(text.symbol, symbol.name.as_str().as_bytes());
    let block = *message.block;
    let extension = message.extension.expect("our version");
    assert_eq!((extension.index.get(), extension.event_number.get()), (execution.position.index, execution.position.k));
    let status = OrdStatus::from_code(block.ord_status.0).expect("a status");
    let exec_type = ExecType::from_code(block.exec_type.0).expect("a type");
    if let (Some(total), Some(leaves)) = (block.order_qty.some(), block.leaves_qty.some()) {
        let prevented = block.prevented_qty.some().unwrap_or(0);
        let done = block.cum_qty.get() + prevented + leaves;
        let is_cut = matches!(status, OrdStatus::Canceled | OrdStatus::Expired);
        assert!(done == total || is_cut && leaves == 0 && done <= total, "quantities of {execution:?}");
        let is_filled = leaves == 0 && !is_cut;
        assert_eq!(status == OrdStatus::Filled, is_filled, "status of {execution:?}");
    }
    if let Some(traded) = block.cum_quote_qty.some() {
        assert_eq!(traded == 0, block.cum_qty.get() == 0, "{execution:?}");
    }
    frame.clear();
    write_ack(execution, symbol, None, answer, Envelope::OPEN, frame);
    let message = Frame::read(frame).and_then(|frame| frame.message::<ExecutionReportAck>()).expect("a short report");
    assert_eq!(read_ack(&message).expect("its text")[0], order.client_id.as_bytes());
    assert_eq!((message.block.exec_type, message.block.ord_status), (block.exec_type, block.ord_status));
    (exec_type, status)
}

fn everybody() -> impl Iterator<Item = AccountId> {
    (0..1_000).map(AccountId)
}

/// What a report says of an order or a list, as far as it can be known of one that was open before somebody looked; and whose it is.
fn said(report: &Report<'_>) -> (u32, String) {
    match report {
        Report::Execution(Execution { position, happening, order, original, is_closed, .. }) => {
            let OpenOrder { id, account, standing, price_ticks, executed_lots, list, client_id, .. } = *order;
            let state = (standing, price_ticks, order.open_lots(), executed_lots, list, client_id);
            (account.0, format!("{position:?} {id} {happening:?} {state:?} {original:?} {is_closed}"))
        }
        // A leg that was filled before is not known any more.
        Report::List(list) => (list.account.0, format!("{:?}", ListReport { orders: Vec::new(), ..(*list).clone() })),
        Report::Refused(event) => (event.account, format!("{event:?}")),
    }
}

#[test]
fn whoever_follows_some_accounts_hears_of_them_as_if_there_were_no_others() {
    let config = FlowConfig { seed: 12, orders: 20_000, accounts: 90, instruments: 4 };
    let (mut all, mut some) = (Reports::default(), Reports::default());
    all.follow(Opening::of(&Engine::new(EngineConfig::default()), everybody()));
    let is_followed = |account: u32| account.is_multiple_of(3);
    let (mut commands, mut told) = (0, BTreeMap::<&str, u64>::new());
    run(config, |engine, _, events| {
        commands += 1;
        for event in events {
            let (mut expected, mut heard) = (Vec::new(), Vec::new());
            all.read(event, &mut |report| expected.push((said(report), matches!(report, Report::Refused(_)))));
            some.read(event, &mut |report| heard.push(said(report).1));
            if commands > 5_000 {
                expected.retain(|((account, _), is_refusal)| *is_refusal || is_followed(*account));
                let expected: Vec<String> = expected.into_iter().map(|((_, said), _)| said).collect();
                assert_eq!(heard, expected);
                let kind = EventKind::from_code(event.kind).expect("a kind").name();
                *told.entry(kind).or_default() += heard.len() as u64;
            }
        }
        if commands == 5_000 {
            some.follow(Opening::of(engine, everybody().filter(|account| is_followed(account.0))));
            assert!(some.len() > 100 && some.len() < all.len(), "{} of {}", some.len(), all.len());
        }
    });
    for kind in ["OrderAccepted", "Trade", "OrderCancelled", "OrderExpired", "ListDone", "OrderTriggered"] {
        assert!(told.get(kind).is_some_and(|count| *count > 0), "{kind} in {told:#?}");
    }
}

#[test]
fn reports_know_what_the_engine_knows() {
    let config = FlowConfig { seed: 11, orders: 20_000, accounts: 400, instruments: 8 };
    let mut reports = Reports::default();
    reports.follow(Opening::of(&Engine::new(EngineConfig::default()), everybody()));
    let mut symbols = Symbols::default();
    let (mut frame, mut told) = (Vec::new(), BTreeMap::<String, u64>::new());
    let mut commands = 0_u64;
    run(config, |engine, _, events| {
        if symbols.iter().count() < engine.instrument_count() {
            symbols.refresh(engine);
        }
        for event in events {
            reports.read(event, &mut |report| {
                let (name, position) = match report {
                    Report::Execution(execution) => {
                        let (kind, status) = check_frames(execution, &symbols, &mut frame);
                        (format!("{kind:?} {status:?}"), execution.position)
                    }
                    Report::List(list) => {
                        let symbol = symbols.get(list.instrument).expect("a symbol");
                        frame.clear();
                        write_list_status(list, symbol, Answer::default(), Envelope::OPEN, &mut frame);
                        assert_eq!(list.orders.len(), list.contingency.leg_count());
                        (format!("list done={}", list.is_done), list.position)
                    }
                    Report::Refused(event) => {
                        frame.clear();
                        let symbol = symbols.get(InstrumentId(event.instrument));
                        let names = RequestNames::default();
                        write_refusal(event, symbol, names, Answer::default(), Envelope::OPEN, &mut frame);
                        ("refused".to_owned(), tradewright_protocol::reports::Position::of(event))
                    }
                };
                Frame::read(&frame).expect("a frame");
                assert_eq!(position.index, event.sequence, "what is told belongs to the command");
                *told.entry(name).or_default() += 1;
            });
            // What the event is about, as it is when the command is done.
            for order in [event.order_id, event.counter_order_id] {
                if EventKind::from_code(event.kind) != Some(EventKind::Rejected)
                    && event.k as usize + 1 == events.len()
                    && let Some(order) = reports.find(order)
                {
                    compare(engine, order);
                }
            }
        }
        assert_eq!(reports.len(), engine.open_order_count());
        commands += 1;
        if commands.is_multiple_of(2_000) {
            for view in engine.open_orders(None) {
                compare(engine, reports.find(view.id.0).expect("an open order"));
            }
            let mut fresh = Reports::behind(engine);
            fresh.follow(Opening::of(engine, everybody()));
            assert_eq!(fresh.len(), reports.len());
            for view in engine.open_orders(None) {
                compare(engine, fresh.find(view.id.0).expect("an open order"));
            }
        }
    });
    for wanted in [
        "New New",
        "New PendingNew",
        "Trade PartiallyFilled",
        "Trade Filled",
        "Canceled Canceled",
        "Expired Expired",
        "Replaced New",
        "Replaced PartiallyFilled",
        "list done=false",
        "list done=true",
        "refused",
    ] {
        assert!(told.get(wanted).is_some_and(|count| *count > 5), "{wanted} in {told:#?}");
    }
}
