use tradewright_protocol::codes::{self, ContingencyType, ListTriggerAction, ListTriggerType, OrdType};
use tradewright_protocol::commands::{self, AmendTarget, Amended, Origin, Refused};
use tradewright_protocol::frame::{Frame, FrameError};
use tradewright_protocol::messages::{
    AmendExtension, NewOrderSingle, OrderAmendKeepPriorityRequest, OrderCancelRequest, OrderExtension,
};
use tradewright_protocol::spec::{Block, Template};
use tradewright_protocol::symbols::Symbols;
use tradewright_types::{
    Amend, Amount, Cancel, CancelAll, CancelList, ClientOrderId, CommandKind, CommandRecord, Conditions, Contingency,
    Iceberg, InstrumentId, NewList, NewOrder, OrderFlags, OrderId, OrderType, Peg, PegKind, Price, PriceSource,
    Quantity, RejectReason, Replace, SelfTradePrevention, Side, Size, Target, TimeInForce, Trail, Trigger, TriggerKind,
    read_envelope,
};

use crate::venue::{CLIENT, symbols};
use crate::written::{self, buy, leg, replacement};

pub(crate) const ORIGIN: Origin = Origin { account: CLIENT, session: 5, client_sequence: 12 };

/// Reads a request of any kind and returns its command.
pub(crate) fn read(symbols: &Symbols, bytes: &[u8]) -> Result<Vec<CommandRecord>, Refused> {
    let frame = Frame::read(bytes)?;
    let mut out = Vec::new();
    match frame.template() {
        NewOrderSingle::ID => commands::new_order(symbols, &ORIGIN, &frame.message()?, &mut out)?,
        OrderCancelRequest::ID => commands::cancel(&ORIGIN, &frame.message()?, &mut out)?,
        97 => commands::replace(symbols, &ORIGIN, &frame.message()?, &mut out)?,
        100 => commands::new_list(symbols, &ORIGIN, &frame.message()?, &mut Vec::new(), &mut out)?,
        103 => commands::mass_cancel(symbols, &ORIGIN, &frame.message()?, &mut out)?,
        OrderAmendKeepPriorityRequest::ID => {
            commands::amend(symbols, &ORIGIN, &frame.message()?, |target| find(&target), &mut out)?
        }
        template => return Err(FrameError::UnknownTemplate { template }.into()),
    };
    Ok(out)
}

/// What is known of the open orders: one, with the id 7, of the client `old`.
fn find(target: &AmendTarget<'_>) -> Option<Amended> {
    matches!(target, AmendTarget::Order(7) | AmendTarget::Client(b"old"))
        .then_some(Amended { instrument: InstrumentId(0), price_ticks: 6_400_000 })
}

fn order(block: &NewOrderSingle, extension: &OrderExtension) -> Vec<CommandRecord> {
    let records = read(&symbols(), &written::new_order(block, extension, "a-1", "BTCUSDT")).expect("a command");
    assert_eq!(read_envelope(&records), Ok(CommandKind::PlaceOrder));
    let header = records[0].header;
    assert_eq!((header.session, header.client_sequence, header.time_ns), (5, 12, 0));
    records
}

/// The reason for which a new order is refused.
fn refused(block: &NewOrderSingle, extension: &OrderExtension) -> (u32, RejectReason) {
    match read(&symbols(), &written::new_order(block, extension, "a-1", "BTCUSDT")) {
        Err(Refused::Field { tag, reason }) => (tag, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_order_is_one_record() {
    let bytes = written::new_order(&buy(), &OrderExtension::NULL, "17", "BTC/USDT");
    let records = read(&symbols(), &bytes).expect("a command");
    let order = NewOrder::read_plain(&records).expect("a plain order");
    assert_eq!((order.account, order.instrument, order.side), (CLIENT, InstrumentId(0), Side::Buy));
    assert_eq!((order.price, order.size), (Price::from_ticks(6_400_000), Size::Lots(Quantity::from_lots(200))));
    assert_eq!(order.client_order_id, ClientOrderId::from_number(17));
    assert_eq!(order.self_trade_prevention, SelfTradePrevention::ExpireTaker);
}

#[test]
fn every_field_has_its_place() {
    use codes::TimeInForce as Code;
    for (code, in_force) in [
        (Code::GoodTillCancel, TimeInForce::GoodTillCancel),
        (Code::ImmediateOrCancel, TimeInForce::ImmediateOrCancel),
        (Code::FillOrKill, TimeInForce::FillOrKill),
        (Code::Day, TimeInForce::Day),
        (Code::AtTheOpening, TimeInForce::AtOpening),
        (Code::AtTheClose, TimeInForce::AtClose),
        (Code::GoodForAuction, TimeInForce::GoodForAuction),
    ] {
        let block = NewOrderSingle { time_in_force: code.field(), ..buy() };
        let records = order(&block, &OrderExtension::NULL);
        assert_eq!(NewOrder::read(&records).map(|order| order.time_in_force), Ok(in_force));
    }
    for (code, prevention) in [
        (codes::SelfTradePreventionMode::None, SelfTradePrevention::None),
        (codes::SelfTradePreventionMode::ExpireTaker, SelfTradePrevention::ExpireTaker),
        (codes::SelfTradePreventionMode::ExpireMaker, SelfTradePrevention::ExpireMaker),
        (codes::SelfTradePreventionMode::ExpireBoth, SelfTradePrevention::ExpireBoth),
        (codes::SelfTradePreventionMode::Decrement, SelfTradePrevention::Decrement),
        (codes::SelfTradePreventionMode::Transfer, SelfTradePrevention::Transfer),
    ] {
        let block = NewOrderSingle { self_trade_prevention_mode: code.field(), ..buy() };
        let records = order(&block, &OrderExtension::NULL);
        assert_eq!(NewOrder::read(&records).map(|order| order.self_trade_prevention), Ok(prevention));
    }
    let block = NewOrderSingle {
        side: codes::Side::Sell.field(),
        exec_inst: codes::ExecInst::ParticipateDontInitiate.field(),
        ..buy()
    };
    let records = order(&block, &OrderExtension::NULL);
    let read = NewOrder::read(&records).expect("an order");
    assert_eq!((read.side, read.flags), (Side::Sell, OrderFlags::POST_ONLY.with(OrderFlags::TEXT_ID)));
    assert_eq!(read.client_order_id, ClientOrderId::Text(b"a-1"));
}

#[test]
fn market_orders_are_by_quantity_or_by_amount() {
    let market = NewOrderSingle {
        ord_type: OrdType::Market.field(),
        price: NewOrderSingle::NULL.price,
        time_in_force: codes::TimeInForce::ImmediateOrCancel.field(),
        ..buy()
    };
    let records = order(&market, &OrderExtension::NULL);
    let read = NewOrder::read(&records).expect("an order");
    assert_eq!((read.order_type, read.time_in_force), (OrderType::Market, TimeInForce::ImmediateOrCancel));
    // 12.34 USDT.
    let by_amount =
        NewOrderSingle { order_qty: NewOrderSingle::NULL.order_qty, cash_order_qty: 1_234.into(), ..market };
    let records = order(&by_amount, &OrderExtension::NULL);
    let read = NewOrder::read(&records).expect("an order");
    assert_eq!(read.size, Size::QuoteAmount(Amount::from_quanta(1_234_000_000)));
    let both = NewOrderSingle { cash_order_qty: 1.into(), ..market };
    assert_eq!(refused(&both, &OrderExtension::NULL), (38, RejectReason::InvalidCombination));
}

fn conditions(block: &NewOrderSingle, extension: &OrderExtension) -> Conditions {
    NewOrder::read(&order(block, extension)).expect("an order that the engine reads").conditions()
}

#[test]
fn triggers_are_told_apart_by_their_direction() {
    use codes::{Side as Code, TriggerPriceDirection as Way, TriggerPriceType as Source};
    for (side, way, kind) in [
        (Code::Buy, Way::Up, TriggerKind::StopLoss),
        (Code::Buy, Way::Down, TriggerKind::TakeProfit),
        (Code::Sell, Way::Down, TriggerKind::StopLoss),
        (Code::Sell, Way::Up, TriggerKind::TakeProfit),
    ] {
        let block = NewOrderSingle {
            ord_type: OrdType::StopLimit.field(),
            side: side.field(),
            trigger_type: codes::TriggerType::PriceMovement.field(),
            trigger_action: codes::TriggerAction::Activate.field(),
            trigger_price: 6_500_000.into(),
            trigger_price_type: Source::MarkPrice.field(),
            trigger_price_direction: way.field(),
            ..buy()
        };
        let price = Some(Price::from_ticks(6_500_000));
        let trigger = Some(Trigger { kind, source: PriceSource::Mark, price, trail: None });
        assert_eq!(conditions(&block, &OrderExtension::NULL), Conditions { trigger, ..Conditions::default() });
    }
}

#[test]
fn trails_go_against_their_order() {
    let trailing = NewOrderSingle {
        ord_type: OrdType::Stop.field(),
        price: NewOrderSingle::NULL.price,
        trigger_trailing_delta_bips: 25.into(),
        ..buy()
    };
    let trigger = Trigger {
        kind: TriggerKind::StopLoss,
        source: PriceSource::Last,
        price: None,
        trail: Some(Trail::BasisPoints(25)),
    };
    assert_eq!(conditions(&trailing, &OrderExtension::NULL).trigger, Some(trigger));
    let by_price =
        NewOrderSingle { trigger_trailing_delta_bips: NewOrderSingle::NULL.trigger_trailing_delta_bips, ..trailing };
    let extension = OrderExtension { trigger_trailing_delta: 1_050.into(), ..OrderExtension::NULL };
    let trigger = Trigger { trail: Some(Trail::Ticks(1_050)), ..trigger };
    assert_eq!(conditions(&by_price, &extension).trigger, Some(trigger));
    assert_eq!(refused(&trailing, &extension), (26003, RejectReason::InvalidCombination));
    for bips in [0_u64, 10_000, u64::MAX - 1] {
        let block = NewOrderSingle { trigger_trailing_delta_bips: bips.into(), ..trailing };
        assert_eq!(refused(&block, &OrderExtension::NULL), (25009, RejectReason::InvalidConditions));
    }
}

#[test]
fn pegs_are_fixed_or_follow() {
    use codes::{PegMoveType, PegOffsetType, PegPriceType};
    let fixed = NewOrderSingle {
        ord_type: OrdType::Pegged.field(),
        price: NewOrderSingle::NULL.price,
        peg_price_type: PegPriceType::PrimaryPeg.field(),
        peg_offset_type: PegOffsetType::PriceTier.field(),
        peg_offset_value: 3,
        ..buy()
    };
    let peg = Peg { kind: PegKind::Primary, is_fixed: true, offset: 3 };
    assert_eq!(conditions(&fixed, &OrderExtension::NULL).peg, Some(peg));
    let following = NewOrderSingle {
        peg_price_type: PegPriceType::MidPrice.field(),
        peg_move_type: PegMoveType::Following.field(),
        peg_offset_type: PegOffsetType::Price.field(),
        peg_offset_value: u8::MAX,
        ..fixed
    };
    let extension = OrderExtension { peg_offset: 25.into(), ..OrderExtension::NULL };
    let peg = Peg { kind: PegKind::Midpoint, is_fixed: false, offset: 25 };
    assert_eq!(conditions(&following, &extension).peg, Some(peg));
    assert_eq!(refused(&fixed, &extension), (836, RejectReason::InvalidConditions));
    let unnamed = NewOrderSingle { peg_price_type: NewOrderSingle::NULL.peg_price_type, ..fixed };
    assert_eq!(refused(&unnamed, &OrderExtension::NULL), (1094, RejectReason::InvalidCombination));
}

#[test]
fn orders_may_show_a_part_or_nothing() {
    let iceberg = NewOrderSingle { max_floor: 20.into(), ..buy() };
    let plain = Iceberg { peak: Quantity::from_lots(20), range: Quantity::ZERO, seed: 0 };
    assert_eq!(conditions(&iceberg, &OrderExtension::NULL).iceberg, Some(plain));
    let extension = OrderExtension { display_high_qty: 30.into(), display_seed: 99.into(), ..OrderExtension::NULL };
    let ranged = Iceberg { range: Quantity::from_lots(10), seed: 99, ..plain };
    assert_eq!(conditions(&iceberg, &extension).iceberg, Some(ranged));
    let hidden = OrderExtension { display_method: codes::DisplayMethod::Undisclosed.field(), ..OrderExtension::NULL };
    assert!(conditions(&buy(), &hidden).hidden);
    let low = OrderExtension { display_high_qty: 19.into(), ..OrderExtension::NULL };
    assert_eq!(refused(&iceberg, &low), (1086, RejectReason::InvalidConditions));
}

#[test]
fn orders_may_expire_or_need_a_minimum() {
    let dated = NewOrderSingle { time_in_force: codes::TimeInForce::GoodTillDate.field(), ..buy() };
    let extension = OrderExtension { expire_time: 1_700_000_000_000_001.into(), ..OrderExtension::NULL };
    assert_eq!(conditions(&dated, &extension).expire_time_ns, 1_700_000_000_000_001_000);
    for time_us in [-1, i64::MAX] {
        let extension = OrderExtension { expire_time: time_us.into(), ..extension };
        assert_eq!(refused(&dated, &extension), (126, RejectReason::ExpiryNotInFuture));
    }
    let immediate = NewOrderSingle { time_in_force: codes::TimeInForce::ImmediateOrCancel.field(), ..buy() };
    let extension = OrderExtension { min_qty: 7.into(), ..OrderExtension::NULL };
    assert_eq!(conditions(&immediate, &extension).minimum, Quantity::from_lots(7));
}

#[test]
fn what_is_no_number_of_ticks_or_lots_is_refused() {
    for (block, answer) in [
        (NewOrderSingle { price_exponent: -3, ..buy() }, None),
        (
            NewOrderSingle { price: 6_400_001.into(), price_exponent: -3, ..buy() },
            Some((44, RejectReason::PriceNotOnTick)),
        ),
        (NewOrderSingle { price_exponent: 100, ..buy() }, Some((44, RejectReason::PriceOutsideBand))),
        (
            NewOrderSingle { price: (-1).into(), price_exponent: 100, ..buy() },
            Some((44, RejectReason::PriceNotPositive)),
        ),
        (NewOrderSingle { qty_exponent: -6, ..buy() }, None),
        (NewOrderSingle { order_qty: 1.into(), qty_exponent: -6, ..buy() }, Some((38, RejectReason::QuantityNotOnLot))),
        (NewOrderSingle { order_qty: (-1).into(), ..buy() }, Some((38, RejectReason::QuantityNotPositive))),
        (NewOrderSingle { qty_exponent: 100, ..buy() }, Some((38, RejectReason::QuantityAboveMaximum))),
        (
            NewOrderSingle { order_qty: NewOrderSingle::NULL.order_qty, ..buy() },
            Some((38, RejectReason::InvalidCombination)),
        ),
    ] {
        let read = read(&symbols(), &written::new_order(&block, &OrderExtension::NULL, "1", "BTCUSDT"));
        let given = match read {
            Ok(_) => None,
            Err(Refused::Field { tag, reason }) => Some((tag, reason)),
            Err(Refused::Frame(error)) => panic!("{error}"),
        };
        assert_eq!(given, answer, "{block:?}");
    }
}

#[test]
fn unknown_codes_are_refused_by_their_tag() {
    for (block, answer) in [
        (NewOrderSingle { side: codes::Side::NonRepresentable.field(), ..buy() }, (54, RejectReason::InvalidSide)),
        (NewOrderSingle { side: NewOrderSingle::NULL.side, ..buy() }, (54, RejectReason::InvalidSide)),
        (NewOrderSingle { ord_type: OrdType::NonRepresentable.field(), ..buy() }, (40, RejectReason::InvalidOrderType)),
        (
            NewOrderSingle { time_in_force: codes::TimeInForce::NonRepresentable.field(), ..buy() },
            (59, RejectReason::InvalidTimeInForce),
        ),
        (NewOrderSingle { sor: codes::BoolEnum::True.field(), ..buy() }, (25032, RejectReason::InvalidFlags)),
        (NewOrderSingle { ord_type: OrdType::Stop.field(), ..buy() }, (1102, RejectReason::InvalidCombination)),
    ] {
        assert_eq!(refused(&block, &OrderExtension::NULL), answer);
    }
    let unknown = read(&symbols(), &written::new_order(&buy(), &OrderExtension::NULL, "1", "ETHUSDT"));
    assert_eq!(unknown, Err(Refused::Field { tag: 55, reason: RejectReason::UnknownInstrument }));
    for id in ["", "with space", "0123456789012345678901234567890123456"] {
        let refused = read(&symbols(), &written::new_order(&buy(), &OrderExtension::NULL, id, "BTCUSDT"));
        assert_eq!(refused, Err(Refused::Field { tag: 11, reason: RejectReason::InvalidClientOrderId }), "{id}");
    }
}

#[test]
fn cancels_name_an_order_or_a_list() {
    let symbols = symbols();
    let by_id = OrderCancelRequest { order_id: 7.into(), ..OrderCancelRequest::NULL };
    let records = read(&symbols, &written::cancel(&by_id, "c1", "ignored", "")).expect("a command");
    assert_eq!(Cancel::read(&records).map(|cancel| cancel.target), Ok(Target::Order(OrderId(7))));
    let null = OrderCancelRequest::NULL;
    let records = read(&symbols, &written::cancel(&null, "c1", "old", "")).expect("a command");
    assert_eq!(Cancel::read(&records).map(|cancel| cancel.target), Ok(Target::Client(ClientOrderId::Text(b"old"))));
    let records = read(&symbols, &written::cancel(&null, "c1", "", "9")).expect("a command");
    assert_eq!(records[0].header.kind, CommandKind::CancelList as u8);
    let target = CancelList::read(&records).map(|cancel| cancel.target);
    assert_eq!(target, Ok(Target::Client(ClientOrderId::from_number(9))));
    for (block, original, list, tag) in [(null, "", "", 41), (by_id, "", "list", 66), (null, "old", "list", 66)] {
        let refused = read(&symbols, &written::cancel(&block, "c1", original, list));
        assert!(matches!(refused, Err(Refused::Field { tag: given, .. }) if given == tag), "{refused:?}");
    }
}

#[test]
fn replacements_have_their_modes() {
    let mut block = replacement(&buy());
    block.order_cancel_request_and_new_order_single_mode =
        codes::OrderCancelRequestAndNewOrderSingleMode::AllowFailure.field();
    block.order_rate_limit_exceeded_mode = codes::OrderRateLimitExceededMode::CancelOnly.field();
    block.cancel_restrictions = codes::CancelRestrictions::OnlyNew.field();
    let records = read(&symbols(), &written::replace(&block, "old", "new")).expect("a command");
    let replace = Replace::read(&records).expect("a replacement that the engine reads");
    assert_eq!(replace.target, Target::Client(ClientOrderId::Text(b"old")));
    assert_eq!(replace.order.client_order_id, ClientOrderId::Text(b"new"));
    let modes = OrderFlags::ALLOW_FAILURE.with(OrderFlags::CANCEL_ONLY).with(OrderFlags::ONLY_NEW);
    assert_eq!(replace.modes, modes);
}

#[test]
fn a_mass_cancel_is_for_one_instrument() {
    let records = read(&symbols(), &written::mass_cancel()).expect("a command");
    let all = CancelAll { account: CLIENT, instrument: Some(InstrumentId(0)), side: None };
    assert_eq!(CancelAll::read(&records), Ok(all));
}

#[test]
fn amendments_keep_the_price_that_they_do_not_name() {
    let symbols = symbols();
    let block = OrderAmendKeepPriorityRequest {
        qty_exponent: -5,
        order_qty: 100.into(),
        ..OrderAmendKeepPriorityRequest::NULL
    };
    let records = read(&symbols, &written::amend(&block, &AmendExtension::NULL, "9", "old")).expect("a command");
    let amend = Amend::read(&records).expect("an amendment that the engine reads");
    assert_eq!((amend.price, amend.quantity), (Price::from_ticks(6_400_000), Quantity::from_lots(100)));
    assert_eq!(amend.client_order_id, ClientOrderId::from_number(9), "a new name");
    let named = AmendExtension { price_exponent: 0, price: 63_000.into(), ..AmendExtension::NULL };
    let block = OrderAmendKeepPriorityRequest { order_id: 8.into(), ..block };
    let records = read(&symbols, &written::amend(&block, &named, "old", "old")).expect("a command");
    let amend = Amend::read(&records).expect("an amendment that the engine reads");
    assert_eq!((amend.price, amend.client_order_id), (Price::from_ticks(6_300_000), ClientOrderId::Absent));
    let unknown = read(&symbols, &written::amend(&block, &AmendExtension::NULL, "old", "old"));
    assert_eq!(unknown, Err(Refused::Field { tag: 37, reason: RejectReason::UnknownOrder }));
}

fn stop() -> NewOrderSingle {
    NewOrderSingle {
        ord_type: OrdType::StopLimit.field(),
        trigger_price: 6_500_000.into(),
        trigger_price_direction: codes::TriggerPriceDirection::Up.field(),
        ..buy()
    }
}

#[test]
fn a_pair_may_come_in_either_order() {
    for legs in [[buy(), stop()], [stop(), buy()]] {
        let legs = [(leg(&legs[0]), [].as_slice(), "l1"), (leg(&legs[1]), [].as_slice(), "l2")];
        let bytes = written::list(ContingencyType::OneCancelsTheOther, &legs, "list");
        let records = read(&symbols(), &bytes).expect("a command");
        let list = NewList::read(&records).expect("a list that the engine reads");
        assert_eq!(list.contingency, Contingency::OneCancelsOther);
        assert_eq!(list.client_list_id, ClientOrderId::Text(b"list"));
        assert!(list.legs()[1].conditions().trigger.is_some(), "the stop-loss is last");
    }
}

#[test]
fn lists_say_what_their_contingency_does() {
    let release = (ListTriggerType::Filled, 0, ListTriggerAction::Release);
    let other = |place| (ListTriggerType::PartiallyFilled, place, ListTriggerAction::Cancel);
    let working = (leg(&buy()), [].as_slice(), "l1");
    let pending = [release];
    let legs = [working, (leg(&buy()), pending.as_slice(), "l2")];
    let records =
        read(&symbols(), &written::list(ContingencyType::OneTriggersTheOther, &legs, "9")).expect("a command");
    assert_eq!(NewList::read(&records).expect("a list").contingency, Contingency::OneTriggersOther);
    let (limit, stops) = ([release, other(2)], [release, other(1)]);
    let legs = [working, (leg(&buy()), limit.as_slice(), "l2"), (leg(&stop()), stops.as_slice(), "l3")];
    let records =
        read(&symbols(), &written::list(ContingencyType::OneTriggersTheOther, &legs, "9")).expect("a command");
    assert_eq!(NewList::read(&records).expect("a list").contingency, Contingency::OneTriggersPair);
    // A release by another leg than the first, and too many legs.
    let wrong = [(ListTriggerType::Filled, 1, ListTriggerAction::Release)];
    let legs = [working, (leg(&buy()), wrong.as_slice(), "l2")];
    let refused = read(&symbols(), &written::list(ContingencyType::OneTriggersTheOther, &legs, "9"));
    assert_eq!(refused, Err(Refused::Field { tag: 25011, reason: RejectReason::InvalidContingency }));
    let refused = read(&symbols(), &written::list(ContingencyType::OneCancelsTheOther, &[working; 4], "9"));
    let error = FrameError::TooManyEntries { template: 100, entries: 4, max: 3 };
    assert_eq!(refused, Err(Refused::Frame(error)));
}
