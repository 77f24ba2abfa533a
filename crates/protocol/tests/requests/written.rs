//! Requests as clients write them.

use tradewright_protocol::codes::{self, ListTriggerAction, ListTriggerType, OrdType};
use tradewright_protocol::frame::{Dimension, Envelope, FrameWriter};
use tradewright_protocol::messages::{
    AmendExtension, LegExtension, ListTriggeringInstructionEntry, NewOrderList, NewOrderListOrder, NewOrderSingle,
    OrderAmendKeepPriorityRequest, OrderCancelRequest, OrderCancelRequestAndNewOrderSingle, OrderExtension,
    OrderMassCancelRequest, RequestExtension,
};
use tradewright_protocol::spec::Block;

/// A buy of 0.002 BTC at 64,000.00 USDT: 200 lots at 6,400,000 ticks.
pub(crate) fn buy() -> NewOrderSingle {
    NewOrderSingle {
        price_exponent: -2,
        qty_exponent: -5,
        order_qty: 200.into(),
        ord_type: OrdType::Limit.field(),
        price: 6_400_000.into(),
        side: codes::Side::Buy.field(),
        ..NewOrderSingle::NULL
    }
}

/// A leg with the same fields.
pub(crate) fn leg(order: &NewOrderSingle) -> NewOrderListOrder {
    NewOrderListOrder {
        price_exponent: order.price_exponent,
        qty_exponent: order.qty_exponent,
        order_qty: order.order_qty,
        ord_type: order.ord_type,
        price: order.price,
        trigger_type: order.trigger_type,
        trigger_action: order.trigger_action,
        trigger_price: order.trigger_price,
        trigger_price_direction: order.trigger_price_direction,
        side: order.side,
        time_in_force: order.time_in_force,
        ..NewOrderListOrder::NULL
    }
}

/// A replacement by an order with the same fields.
pub(crate) fn replacement(order: &NewOrderSingle) -> OrderCancelRequestAndNewOrderSingle {
    OrderCancelRequestAndNewOrderSingle {
        order_cancel_request_and_new_order_single_mode: codes::OrderCancelRequestAndNewOrderSingleMode::StopOnFailure
            .field(),
        price_exponent: order.price_exponent,
        qty_exponent: order.qty_exponent,
        order_qty: order.order_qty,
        ord_type: order.ord_type,
        price: order.price,
        side: order.side,
        ..OrderCancelRequestAndNewOrderSingle::NULL
    }
}

pub(crate) fn new_order(order: &NewOrderSingle, extension: &OrderExtension, id: &str, symbol: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, order, extension);
    frame.text8(id.as_bytes()).text8(symbol.as_bytes());
    frame.finish();
    out
}

pub(crate) fn cancel(block: &OrderCancelRequest, id: &str, original: &str, list: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, block, &RequestExtension::NULL);
    for text in [id, original, list, "BTCUSDT"] {
        frame.text8(text.as_bytes());
    }
    frame.finish();
    out
}

pub(crate) fn replace(block: &OrderCancelRequestAndNewOrderSingle, original: &str, id: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, block, &OrderExtension::NULL);
    for text in ["c1", original, id, "BTCUSDT"] {
        frame.text8(text.as_bytes());
    }
    frame.finish();
    out
}

pub(crate) fn amend(
    block: &OrderAmendKeepPriorityRequest,
    extension: &AmendExtension,
    id: &str,
    original: &str,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, block, extension);
    for text in [id, original, "BTCUSDT"] {
        frame.text8(text.as_bytes());
    }
    frame.finish();
    out
}

pub(crate) fn mass_cancel() -> Vec<u8> {
    let mut out = Vec::new();
    let block =
        OrderMassCancelRequest { mass_cancel_request_type: codes::MassCancelRequestType::CancelSymbolOrders.field() };
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, &block, &RequestExtension::NULL);
    frame.text8(b"BTCUSDT").text8(b"m1");
    frame.finish();
    out
}

/// An instruction: when the other leg at this place does that, this one is released or cancelled.
pub(crate) type Instruction = (ListTriggerType, u8, ListTriggerAction);

pub(crate) fn list(
    contingency: codes::ContingencyType,
    legs: &[(NewOrderListOrder, &[Instruction], &str)],
    id: &str,
) -> Vec<u8> {
    let mut out = Vec::new();
    let block = NewOrderList { contingency_type: contingency.field(), ..NewOrderList::NULL };
    let mut frame = FrameWriter::new(&mut out, Envelope::OPEN, &block, &RequestExtension::NULL);
    let length = size_of::<NewOrderListOrder>() + size_of::<LegExtension>();
    frame.group(Dimension::Size8, length, legs.len());
    for (leg, instructions, name) in legs {
        frame.entry(leg).entry(&LegExtension::NULL);
        let length = size_of::<ListTriggeringInstructionEntry>();
        frame.group(Dimension::SmallSize8, length, instructions.len());
        for (kind, place, action) in *instructions {
            frame.entry(&ListTriggeringInstructionEntry {
                list_trigger_type: kind.field(),
                list_trigger_trigger_index: *place,
                list_trigger_action: action.field(),
            });
        }
        frame.text8(name.as_bytes()).text8(b"BTCUSDT");
    }
    frame.text8(id.as_bytes());
    frame.finish();
    out
}

/// One of each request that can be read.
pub(crate) fn each() -> Vec<Vec<u8>> {
    let by_id = OrderCancelRequest { order_id: 7.into(), ..OrderCancelRequest::NULL };
    let amended = OrderAmendKeepPriorityRequest { order_id: 7.into(), qty_exponent: -5, order_qty: 100.into() };
    let stop = NewOrderSingle {
        ord_type: OrdType::StopLimit.field(),
        trigger_price: 6_500_000.into(),
        trigger_price_direction: codes::TriggerPriceDirection::Up.field(),
        ..buy()
    };
    let pair = [(leg(&buy()), [].as_slice(), "l1"), (leg(&stop), [].as_slice(), "l2")];
    vec![
        new_order(&buy(), &OrderExtension::NULL, "17", "BTCUSDT"),
        new_order(&stop, &OrderExtension { min_qty: 3.into(), ..OrderExtension::NULL }, "text", "BTC/USDT"),
        cancel(&by_id, "c1", "", ""),
        cancel(&OrderCancelRequest::NULL, "c1", "", "list"),
        replace(&replacement(&buy()), "17", "18"),
        amend(&amended, &AmendExtension { price_exponent: 0, price: 64_000.into(), ..AmendExtension::NULL }, "19", "x"),
        mass_cancel(),
        list(codes::ContingencyType::OneCancelsTheOther, &pair, "list"),
    ]
}
