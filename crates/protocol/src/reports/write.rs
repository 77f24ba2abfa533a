//! Reports as frames.

use tradewright_types::{
    AccountId, CloseReason, CommandKind, Contingency, EventRecord, OrderFlags, OrderType, RejectReason,
    SelfTradePrevention, Side, TimeInForce, TriggerKind,
};

use super::{Execution, Happening, ListReport, OpenOrder, Position, Standing, side_code};
use crate::codes::{
    self, BoolEnum, ContingencyType, CxlRejResponseTo, ExecType, ExpiryReason, ListOrderStatus, ListRejectReason,
    ListStatusType, MassCancelRejectReason, MassCancelRequestType, MassCancelResponse, MatchType, MiscFeeType,
    OrdRejReason, OrdStatus, OrdType, PegMoveType, PegOffsetType, PegPriceType, SessionRejectReason,
};
use crate::frame::{Dimension, Envelope, FrameError, FrameWriter, Message};
use crate::messages::{
    ExecutionReport, ExecutionReportAck, ListStatus, ListStatusOrder, MiscFeeEntry, OrderAmendReject,
    OrderCancelReject, OrderMassCancelReport, OutputExtension, Reject, RejectExtension,
};
use crate::spec::{Block, Char, NoExtension};
use crate::symbols::Symbol;

/// What the session adds to an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The client sequence of the request that it answers; 0 when that is not known.
    pub client_sequence: u64,
    /// Whether it was sent before.
    pub is_again: bool,
    /// Whose order it is, for who hears of several accounts.
    pub account: Option<AccountId>,
}

/// What a request called itself, for those of its answers that events do not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestNames<'r> {
    /// ClOrdID.
    pub client_order_id: &'r [u8],
    /// OrigClOrdID.
    pub original: &'r [u8],
    /// Symbol, as the client wrote it.
    pub symbol: &'r [u8],
}

fn extension(position: Position, time_ns: u64, answer: Answer) -> OutputExtension {
    let is_numbered = position.index != 0;
    OutputExtension {
        shard: if is_numbered { position.shard } else { OutputExtension::NULL.shard },
        index: if is_numbered { position.index.into() } else { OutputExtension::NULL.index },
        event_number: if is_numbered { position.k.into() } else { OutputExtension::NULL.event_number },
        time: if is_numbered { time_ns.into() } else { OutputExtension::NULL.time },
        client_sequence: match answer.client_sequence {
            0 => OutputExtension::NULL.client_sequence,
            sequence => sequence.into(),
        },
        account: answer.account.map_or(OutputExtension::NULL.account, |account| account.0.into()),
        poss_resend: if answer.is_again { BoolEnum::True.field() } else { OutputExtension::NULL.poss_resend },
    }
}

fn micros(time_ns: u64) -> i64 {
    (time_ns / 1_000) as i64
}

/// A number for each side of each event, as long as they fit in 63 bits.
fn execution_id(position: Position, is_maker: bool) -> Option<i64> {
    let fits = position.k < 1 << 20 && position.index < 1 << 42;
    fits.then(|| (position.index << 21 | u64::from(position.k) << 1 | u64::from(is_maker)) as i64)
}

impl Execution<'_> {
    fn exec_type(&self) -> ExecType {
        match self.happening {
            Happening::Accepted | Happening::Started => ExecType::New,
            Happening::Traded(_) => ExecType::Trade,
            Happening::Prevented(_) if self.is_closed => ExecType::Expired,
            Happening::Prevented(_) | Happening::Amended | Happening::Repriced => ExecType::Replaced,
            Happening::Cancelled(Some(CloseReason::OtherLegExecuted)) | Happening::Expired(..) => ExecType::Expired,
            Happening::Cancelled(_) => ExecType::Canceled,
        }
    }

    fn status(&self) -> OrdStatus {
        match self.exec_type() {
            ExecType::Expired => OrdStatus::Expired,
            ExecType::Canceled => OrdStatus::Canceled,
            ExecType::New
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Trade
            | ExecType::NonRepresentable
            | ExecType::OrderStatus => {
                if self.is_closed {
                    OrdStatus::Filled
                } else {
                    open_status(self.order)
                }
            }
        }
    }

    /// Why it expired, in the words of the dialect.
    fn expiry(&self) -> Option<ExpiryReason> {
        let reason = match self.happening {
            Happening::Expired(reason, _) => reason,
            Happening::Cancelled(Some(CloseReason::OtherLegExecuted)) => return Some(ExpiryReason::OcoTrigger),
            Happening::Accepted
            | Happening::Started
            | Happening::Traded(_)
            | Happening::Prevented(_)
            | Happening::Amended
            | Happening::Repriced
            | Happening::Cancelled(_) => return None,
        };
        Some(match reason {
            Some(CloseReason::ImmediateOrCancel) => ExpiryReason::UnfilledIocQuantityExpired,
            Some(CloseReason::FillOrKill | CloseReason::MinimumQuantity) => ExpiryReason::UnfilledFokOrderExpired,
            Some(CloseReason::NoLiquidity | CloseReason::QuoteAmountSpent) => ExpiryReason::InsufficientLiquidity,
            Some(CloseReason::ListClosed) => ExpiryReason::OtoPhaseOneExpired,
            Some(CloseReason::OutsideCollar) => ExpiryReason::ExecutionRulePriceRangeExceeded,
            Some(CloseReason::RefusedAtTrigger | CloseReason::RefusedAtStart | CloseReason::RefusedAtRelease) => {
                ExpiryReason::Rejected
            }
            _ => ExpiryReason::ExchangeCanceled,
        })
    }

    fn refused(&self) -> Option<RejectReason> {
        let Happening::Expired(Some(reason), refused) = self.happening else { return None };
        let is_late = matches!(
            reason,
            CloseReason::RefusedAtTrigger | CloseReason::RefusedAtStart | CloseReason::RefusedAtRelease
        );
        if is_late { refused } else { None }
    }
}

/// What an open order is.
fn open_status(order: &OpenOrder) -> OrdStatus {
    match order.standing {
        _ if order.executed_lots > 0 => OrdStatus::PartiallyFilled,
        Standing::Pending => OrdStatus::PendingNew,
        Standing::Working | Standing::Waiting => OrdStatus::New,
    }
}

fn ord_type(order: &OpenOrder) -> OrdType {
    match (order.order_type, order.terms.trigger != 0) {
        _ if order.terms.peg != 0 => OrdType::Pegged,
        (OrderType::Market, false) => OrdType::Market,
        (OrderType::Market, true) => OrdType::Stop,
        (OrderType::Limit, false) => OrdType::Limit,
        (OrderType::Limit, true) => OrdType::StopLimit,
    }
}

fn time_in_force(in_force: TimeInForce) -> codes::TimeInForce {
    match in_force {
        TimeInForce::GoodTillCancel => codes::TimeInForce::GoodTillCancel,
        TimeInForce::ImmediateOrCancel => codes::TimeInForce::ImmediateOrCancel,
        TimeInForce::FillOrKill => codes::TimeInForce::FillOrKill,
        TimeInForce::GoodTillDate => codes::TimeInForce::GoodTillDate,
        TimeInForce::Day => codes::TimeInForce::Day,
        TimeInForce::AtOpening => codes::TimeInForce::AtTheOpening,
        TimeInForce::AtClose => codes::TimeInForce::AtTheClose,
        TimeInForce::GoodForAuction => codes::TimeInForce::GoodForAuction,
    }
}

fn prevention(mode: SelfTradePrevention) -> Char {
    // The dialect's codes are ours as characters, from 1 on.
    Char(b'1' + mode as u8)
}

/// A mantissa, or null when there is none.
macro_rules! or_null {
    ($value:expr, $field:ident) => {
        match $value {
            Some(value) => value.into(),
            None => ExecutionReport::NULL.$field,
        }
    };
}

/// The fields of a report that its order has, whatever happens to it.
fn order_block(order: &OpenOrder, symbol: &Symbol) -> ExecutionReport {
    let is_by_amount = order.is_by_amount();
    let has_price = order.order_type == OrderType::Limit && order.terms.peg == 0;
    let quantity = |lots: u64| symbol.quantity_mantissa(lots);
    let traded = order
        .executed_raw
        .and_then(|raw| symbol.amount_mantissa(raw.checked_mul(symbol.units.quote_quanta_per_tick_lot.into())?));
    ExecutionReport {
        price_exponent: symbol.price_exponent,
        qty_exponent: symbol.quantity_exponent,
        order_id: (order.id as i64).into(),
        order_qty: or_null!(if is_by_amount { None } else { quantity(order.total_lots) }, order_qty),
        ord_type: ord_type(order).field(),
        side: side_code(order.side).field(),
        exec_inst: if order.flags.has(OrderFlags::POST_ONLY) {
            codes::ExecInst::ParticipateDontInitiate.field()
        } else {
            ExecutionReport::NULL.exec_inst
        },
        price: or_null!(if has_price { symbol.price_mantissa(order.price_ticks) } else { None }, price),
        time_in_force: time_in_force(order.time_in_force).field(),
        order_creation_time: match order.accepted_ns {
            0 => ExecutionReport::NULL.order_creation_time,
            time_ns => micros(time_ns).into(),
        },
        max_floor: or_null!((order.terms.peak_lots > 0).then(|| quantity(order.terms.peak_lots)).flatten(), max_floor),
        list_id: if order.list == 0 { ExecutionReport::NULL.list_id } else { (order.list as i64).into() },
        cash_order_qty: or_null!(
            if is_by_amount { symbol.amount_mantissa(order.amount_quanta) } else { None },
            cash_order_qty
        ),
        self_trade_prevention_mode: prevention(order.self_trade_prevention),
        cum_qty: quantity(order.executed_lots).unwrap_or(i64::MAX).into(),
        cum_quote_qty: or_null!(traded, cum_quote_qty),
        last_qty: 0.into(),
        working_indicator: match order.standing {
            Standing::Working => BoolEnum::True.field(),
            Standing::Waiting | Standing::Pending => BoolEnum::False.field(),
        },
        prevented_qty: or_null!(
            (order.prevented_lots > 0).then(|| quantity(order.prevented_lots)).flatten(),
            prevented_qty
        ),
        ..trigger_block(order, symbol)
    }
}

/// The fields about triggers and pegs.
fn trigger_block(order: &OpenOrder, symbol: &Symbol) -> ExecutionReport {
    let mut block = ExecutionReport::NULL;
    let terms = &order.terms;
    if terms.trigger != 0 {
        let kind = if terms.trigger == 1 { TriggerKind::StopLoss } else { TriggerKind::TakeProfit };
        block.trigger_type = codes::TriggerType::PriceMovement.field();
        block.trigger_action = codes::TriggerAction::Activate.field();
        block.trigger_price = or_null!(symbol.price_mantissa(terms.trigger_price_ticks), trigger_price);
        block.trigger_price_type = match terms.source {
            1 => codes::TriggerPriceType::MarkPrice.field(),
            2 => codes::TriggerPriceType::IndexPrice.field(),
            _ => codes::TriggerPriceType::LastTrade.field(),
        };
        let rises = kind.rises(order.side);
        let way = if rises { codes::TriggerPriceDirection::Up } else { codes::TriggerPriceDirection::Down };
        block.trigger_price_direction = way.field();
        if terms.trail_unit == 2 {
            block.trigger_trailing_delta_bips = terms.trail.into();
        }
    }
    if terms.peg != 0 {
        block.peg_price_type = match terms.peg {
            1 => PegPriceType::PrimaryPeg.field(),
            2 => PegPriceType::MarketPeg.field(),
            _ => PegPriceType::MidPrice.field(),
        };
        let (moves, offset) = if terms.peg_is_fixed {
            block.peg_offset_value = u8::try_from(terms.peg_offset).unwrap_or(u8::MAX);
            (PegMoveType::Fixed, PegOffsetType::PriceTier)
        } else {
            (PegMoveType::Following, PegOffsetType::Price)
        };
        (block.peg_move_type, block.peg_offset_type) = (moves.field(), offset.field());
        let price = (order.price_ticks != 0).then(|| symbol.price_mantissa(order.price_ticks)).flatten();
        block.pegged_price = or_null!(price, pegged_price);
    }
    block
}

/// Fee and its exponent: exact, or cut until it fits.
fn fee(quanta: i128, exponent: i8) -> (i64, i8) {
    let (mut quanta, mut exponent) = (quanta, exponent);
    loop {
        match i64::try_from(quanta) {
            Ok(mantissa) => return (mantissa, exponent),
            Err(_) => (quanta, exponent) = (quanta / 10, exponent + 1),
        }
    }
}

/// Writes a report in full.
pub fn write_execution(
    execution: &Execution<'_>,
    symbol: &Symbol,
    names: Option<RequestNames<'_>>,
    answer: Answer,
    envelope: Envelope,
    out: &mut Vec<u8>,
) {
    let Execution { position, time_ns, happening, order, original, is_closed } = *execution;
    let mut block = order_block(order, symbol);
    let open = if is_closed { 0 } else { order.open_lots() };
    if !order.is_by_amount() || is_closed {
        block.leaves_qty = or_null!(symbol.quantity_mantissa(open), leaves_qty);
    }
    let mut is_maker = false;
    let mut cost = None;
    match happening {
        Happening::Traded(fill) => {
            is_maker = !fill.is_aggressor;
            block.aggressor_indicator =
                if fill.is_aggressor { BoolEnum::True.field() } else { BoolEnum::False.field() };
            block.trade_id = (fill.trade as i64).into();
            block.last_px = or_null!(symbol.price_mantissa(fill.price_ticks), last_px);
            block.last_qty = symbol.quantity_mantissa(fill.lots).unwrap_or(i64::MAX).into();
            block.match_type = MatchType::AutoMatch.field();
            cost = (fill.fee_quanta != 0).then_some(fill.fee_quanta);
        }
        Happening::Prevented(prevented) => {
            block.prevented_match_id = (prevented.number as i64).into();
            block.prevented_execution_price =
                or_null!(symbol.price_mantissa(prevented.price_ticks), prevented_execution_price);
            block.prevented_execution_qty = or_null!(symbol.quantity_mantissa(prevented.lots), prevented_execution_qty);
            block.last_prevented_qty = or_null!(symbol.quantity_mantissa(prevented.lots), last_prevented_qty);
            block.counter_order_id = (prevented.counter_order as i64).into();
            is_maker = prevented.is_maker;
        }
        Happening::Started => block.working_time = micros(time_ns).into(),
        Happening::Accepted
        | Happening::Amended
        | Happening::Repriced
        | Happening::Cancelled(_)
        | Happening::Expired(..) => {}
    }
    block.exec_id = or_null!(execution_id(position, is_maker), exec_id);
    block.exec_type = execution.exec_type().field();
    block.ord_status = execution.status().field();
    block.transact_time = micros(time_ns).into();
    if is_closed {
        block.working_indicator = BoolEnum::False.field();
    }
    if let Some(expiry) = execution.expiry() {
        block.expiry_reason = expiry.field();
    }
    let refused = execution.refused();
    if let Some(reason) = refused {
        block.error_code = i32::from(reason as u16).into();
    }
    let (client_id, original) = named(order, names, original.as_bytes());
    let mut frame = FrameWriter::new(out, envelope, &block, &extension(position, time_ns, answer));
    frame.group(Dimension::SmallSize16, size_of::<MiscFeeEntry>(), cost.is_some().into());
    if let Some(quanta) = cost {
        let (amount, exponent) = fee(quanta, symbol.quote_quantum.exponent());
        let misc_fee_type = MiscFeeType::ExchangeFees.field();
        frame.entry(&MiscFeeEntry { exponent, misc_fee_amt: amount.into(), misc_fee_type });
        frame.text8(symbol.quote.as_str().as_bytes());
    }
    frame.text8(client_id).text8(original).text8(symbol.name.as_str().as_bytes());
    frame.text8(b"").text8(b"");
    write_reason(&mut frame, refused);
    frame.finish();
}

/// Writes how an open order stands, for who asks. It is no output: it has no number.
pub fn write_order_status(order: &OpenOrder, symbol: &Symbol, envelope: Envelope, out: &mut Vec<u8>) {
    let mut block = order_block(order, symbol);
    if !order.is_by_amount() {
        block.leaves_qty = or_null!(symbol.quantity_mantissa(order.open_lots()), leaves_qty);
    }
    block.exec_type = ExecType::OrderStatus.field();
    block.ord_status = open_status(order).field();
    let extension = OutputExtension { account: order.account.0.into(), ..OutputExtension::NULL };
    let mut frame = FrameWriter::new(out, envelope, &block, &extension);
    frame.group(Dimension::SmallSize16, size_of::<MiscFeeEntry>(), 0);
    frame.text8(order.client_id.as_bytes()).text8(b"").text8(symbol.name.as_str().as_bytes());
    frame.text8(b"").text8(b"").text16(b"");
    frame.finish();
}

/// What the order is called in a report, and what it was called before: as the request that it answers says.
fn named<'r>(order: &'r OpenOrder, names: Option<RequestNames<'r>>, original: &'r [u8]) -> (&'r [u8], &'r [u8]) {
    match names {
        Some(names) if !names.client_order_id.is_empty() => (names.client_order_id, order.client_id.as_bytes()),
        Some(_) | None => (order.client_id.as_bytes(), original),
    }
}

fn write_reason(frame: &mut FrameWriter<'_>, reason: Option<RejectReason>) {
    match reason {
        None => frame.text16(b""),
        Some(reason) => frame.text16_of(&[reason.name().as_bytes(), b": ", reason.sentence().as_bytes()]),
    };
}

/// Writes a report in short.
pub fn write_ack(
    execution: &Execution<'_>,
    symbol: &Symbol,
    names: Option<RequestNames<'_>>,
    answer: Answer,
    envelope: Envelope,
    out: &mut Vec<u8>,
) {
    let Execution { position, time_ns, order, original, .. } = *execution;
    let refused = execution.refused();
    let block = ExecutionReportAck {
        order_id: (order.id as i64).into(),
        list_id: if order.list == 0 { ExecutionReportAck::NULL.list_id } else { (order.list as i64).into() },
        transact_time: micros(time_ns).into(),
        exec_type: execution.exec_type().field(),
        ord_status: execution.status().field(),
        error_code: match refused {
            None => ExecutionReportAck::NULL.error_code,
            Some(reason) => i32::from(reason as u16).into(),
        },
        ..ExecutionReportAck::NULL
    };
    let (client_id, _) = named(order, names, original.as_bytes());
    let mut frame = FrameWriter::new(out, envelope, &block, &extension(position, time_ns, answer));
    frame.text8(client_id).text8(symbol.name.as_str().as_bytes());
    write_reason(&mut frame, refused);
    frame.finish();
}

/// Writes a report about a list.
pub fn write_list_status(report: &ListReport, symbol: &Symbol, answer: Answer, envelope: Envelope, out: &mut Vec<u8>) {
    let contingency = match report.contingency {
        Contingency::OneCancelsOther => ContingencyType::OneCancelsTheOther,
        Contingency::OneTriggersOther | Contingency::OneTriggersPair => ContingencyType::OneTriggersTheOther,
    };
    let (kind, status) = if report.is_done {
        (ListStatusType::AllDone, ListOrderStatus::AllDone)
    } else {
        (ListStatusType::ExecStarted, ListOrderStatus::Executing)
    };
    let block = ListStatus {
        list_id: (report.list as i64).into(),
        contingency_type: contingency.field(),
        list_status_type: kind.field(),
        list_order_status: status.field(),
        transact_time: micros(report.time_ns).into(),
        ..ListStatus::NULL
    };
    let mut frame = FrameWriter::new(out, envelope, &block, &extension(report.position, report.time_ns, answer));
    frame.group(Dimension::SmallSize8, size_of::<ListStatusOrder>(), report.orders.len());
    for (order, client_id) in &report.orders {
        frame.entry(&ListStatusOrder { order_id: (*order as i64).into(), ..ListStatusOrder::NULL });
        frame.group(Dimension::SmallSize8, 3, 0);
        frame.text8(client_id.as_bytes()).text8(symbol.name.as_str().as_bytes()).text16(b"");
    }
    frame.text8(report.client_id.as_bytes()).text8(b"");
    frame.finish();
}

/// Writes what became of a mass cancel.
pub fn write_mass_cancelled(
    names: RequestNames<'_>,
    (position, time_ns): (Position, u64),
    cancelled: u64,
    answer: Answer,
    envelope: Envelope,
    out: &mut Vec<u8>,
) {
    let block = OrderMassCancelReport {
        mass_cancel_request_type: MassCancelRequestType::CancelSymbolOrders.field(),
        mass_cancel_response: MassCancelResponse::CancelSymbolOrders.field(),
        total_affected_orders: (cancelled as i64).into(),
        ..OrderMassCancelReport::NULL
    };
    let mut frame = FrameWriter::new(out, envelope, &block, &extension(position, time_ns, answer));
    frame.text8(names.symbol).text8(names.client_order_id).text16(b"");
    frame.finish();
}

/// Writes that a command was refused. `event` is the engine's, or one that the session made of what it refused itself: then its
/// sequence is 0.
pub fn write_refusal(
    event: &EventRecord,
    symbol: Option<&Symbol>,
    names: RequestNames<'_>,
    answer: Answer,
    envelope: Envelope,
    out: &mut Vec<u8>,
) {
    let reason = RejectReason::from_code(event.reason);
    let error_code = zerocopy::little_endian::I32::new(event.reason.into());
    let extended = extension(Position::of(event), event.time_ns, answer);
    let by_client = OrderFlags(event.order_flags).has(OrderFlags::BY_CLIENT_ORDER_ID) || event.reference == 0;
    let order_id = if by_client { OrderCancelReject::NULL.order_id } else { (event.reference as i64).into() };
    match CommandKind::from_code(event.open_lots as u8) {
        Some(CommandKind::PlaceOrder | CommandKind::MassQuote) => {
            write_refused_order(event, symbol, names, &extended, envelope, out);
        }
        Some(CommandKind::CancelOrder | CommandKind::ReplaceOrder | CommandKind::CancelList) => {
            let is_list = event.open_lots == CommandKind::CancelList as u64;
            let block = OrderCancelReject {
                order_id: if is_list { OrderCancelReject::NULL.order_id } else { order_id },
                list_id: if is_list { order_id } else { OrderCancelReject::NULL.list_id },
                cxl_rej_response_to: CxlRejResponseTo::OrderCancelRequest.field(),
                error_code,
                ..OrderCancelReject::NULL
            };
            let (original, list) =
                if is_list { (b"".as_slice(), names.original) } else { (names.original, b"".as_slice()) };
            let mut frame = FrameWriter::new(out, envelope, &block, &extended);
            frame.text8(names.client_order_id).text8(original).text8(list).text8(names.symbol);
            write_reason(&mut frame, reason);
            frame.finish();
        }
        Some(CommandKind::AmendOrder) => {
            let quantity = symbol.and_then(|symbol| symbol.quantity_mantissa(event.quantity_lots));
            let block = OrderAmendReject {
                order_id,
                qty_exponent: symbol.map_or(0, |symbol| symbol.quantity_exponent),
                order_qty: quantity.unwrap_or(0).into(),
                error_code,
            };
            let mut frame = FrameWriter::new(out, envelope, &block, &extended);
            frame.text8(names.client_order_id).text8(names.original).text8(names.symbol);
            write_reason(&mut frame, reason);
            frame.finish();
        }
        Some(CommandKind::PlaceList) => {
            let block = ListStatus {
                list_status_type: ListStatusType::Response.field(),
                list_order_status: ListOrderStatus::Reject.field(),
                list_reject_reason: ListRejectReason::Other.field(),
                ..ListStatus::NULL
            };
            let mut frame = FrameWriter::new(out, envelope, &block, &extended);
            // The order that the reason is about stands alone in the group; 0 is the list itself.
            let block =
                ListStatusOrder { ord_rej_reason: OrdRejReason::Other.field(), error_code, ..ListStatusOrder::NULL };
            frame.group(Dimension::SmallSize8, size_of::<ListStatusOrder>(), 1).entry(&block);
            frame.group(Dimension::SmallSize8, 3, 0);
            frame.text8(b"").text8(names.symbol);
            write_reason(&mut frame, reason);
            frame.text8(names.client_order_id).text8(b"");
            frame.finish();
        }
        Some(CommandKind::CancelAll | CommandKind::CancelQuotes) => {
            let block = OrderMassCancelReport {
                mass_cancel_request_type: MassCancelRequestType::CancelSymbolOrders.field(),
                mass_cancel_response: MassCancelResponse::CancelRequestRejected.field(),
                mass_cancel_reject_reason: MassCancelRejectReason::Other.field(),
                error_code,
                ..OrderMassCancelReport::NULL
            };
            let mut frame = FrameWriter::new(out, envelope, &block, &extended);
            frame.text8(names.symbol).text8(names.client_order_id);
            write_reason(&mut frame, reason);
            frame.finish();
        }
        _ => {
            let block =
                Reject { session_reject_reason: SessionRejectReason::Other.field(), error_code, ..Reject::NULL };
            let extended = RejectExtension { client_sequence: extended.client_sequence, ..RejectExtension::NULL };
            let mut frame = FrameWriter::new(out, envelope, &block, &extended);
            frame.text8(b"");
            write_reason(&mut frame, reason);
            frame.finish();
        }
    }
}

/// Writes that a new order was refused, with what its record said.
fn write_refused_order(
    event: &EventRecord,
    symbol: Option<&Symbol>,
    names: RequestNames<'_>,
    extended: &OutputExtension,
    envelope: Envelope,
    out: &mut Vec<u8>,
) {
    let flags = OrderFlags(event.order_flags);
    let is_by_amount = flags.has(OrderFlags::QUOTE_AMOUNT);
    let quantity = symbol.filter(|_| !is_by_amount).and_then(|symbol| symbol.quantity_mantissa(event.quantity_lots));
    let price = symbol.filter(|_| !is_by_amount && event.price_ticks != 0);
    let price = price.and_then(|symbol| symbol.price_mantissa(event.price_ticks));
    let order_type = match OrderType::from_code(event.order_type) {
        Some(OrderType::Limit) => OrdType::Limit.field(),
        Some(OrderType::Market) => OrdType::Market.field(),
        None => OrdType::NonRepresentable.field(),
    };
    let block = ExecutionReport {
        price_exponent: symbol.map_or(0, |symbol| symbol.price_exponent),
        qty_exponent: symbol.map_or(0, |symbol| symbol.quantity_exponent),
        order_qty: or_null!(quantity, order_qty),
        ord_type: order_type,
        side: Side::from_code(event.side).map_or(codes::Side::NonRepresentable, side_code).field(),
        price: or_null!(price, price),
        time_in_force: TimeInForce::from_code(event.time_in_force)
            .map_or(codes::TimeInForce::NonRepresentable, time_in_force)
            .field(),
        transact_time: if event.time_ns == 0 {
            ExecutionReport::NULL.transact_time
        } else {
            micros(event.time_ns).into()
        },
        exec_type: ExecType::Rejected.field(),
        ord_status: OrdStatus::Rejected.field(),
        cum_qty: 0.into(),
        leaves_qty: 0.into(),
        last_qty: 0.into(),
        ord_rej_reason: OrdRejReason::Other.field(),
        error_code: i32::from(event.reason).into(),
        ..ExecutionReport::NULL
    };
    let number = super::ClientId::of_number(event.reference);
    let client_id = if names.client_order_id.is_empty() { number.as_bytes() } else { names.client_order_id };
    let mut frame = FrameWriter::new(out, envelope, &block, extended);
    frame.group(Dimension::SmallSize16, size_of::<MiscFeeEntry>(), 0);
    let name = symbol.map_or(names.symbol, |symbol| symbol.name.as_str().as_bytes());
    frame.text8(client_id).text8(b"").text8(name).text8(b"").text8(b"");
    write_reason(&mut frame, RejectReason::from_code(event.reason));
    frame.finish();
}

/// A fee of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeFee<'b> {
    /// Its digits.
    pub mantissa: i64,
    /// Where its point stands.
    pub exponent: i8,
    /// In which asset.
    pub asset: &'b [u8],
}

/// What stands behind the block of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionText<'b> {
    /// The fee, of a trade that has one.
    pub fee: Option<TradeFee<'b>>,
    /// ClOrdID.
    pub client_order_id: &'b [u8],
    /// OrigClOrdID.
    pub original: &'b [u8],
    /// The instrument.
    pub symbol: &'b [u8],
    /// Why it was refused.
    pub error: &'b [u8],
}

/// Reads what stands behind the block of a report.
///
/// # Errors
/// When it does not fit in the frame.
pub fn read_execution<'b>(message: &Message<'b, ExecutionReport>) -> Result<ExecutionText<'b>, FrameError> {
    const FEES_MAX: usize = 16;
    let mut parts = message.parts;
    let (length, entries) = parts.group(Dimension::SmallSize16, FEES_MAX)?;
    let mut fee = None;
    for _ in 0..entries {
        let (block, _) = parts.entry::<MiscFeeEntry, NoExtension>(length)?;
        let (mantissa, exponent) = (block.misc_fee_amt.get(), block.exponent);
        fee = Some(TradeFee { mantissa, exponent, asset: parts.text8()? });
    }
    let (client_order_id, original, symbol) = (parts.text8()?, parts.text8()?, parts.text8()?);
    parts.text8()?;
    parts.text8()?;
    let text = ExecutionText { fee, client_order_id, original, symbol, error: parts.text16()? };
    parts.finish()?;
    Ok(text)
}

/// Reads what stands behind the block of a short report: ClOrdID, symbol and the reason of a refusal.
///
/// # Errors
/// When it does not fit in the frame.
pub fn read_ack<'b>(message: &Message<'b, ExecutionReportAck>) -> Result<[&'b [u8]; 3], FrameError> {
    let mut parts = message.parts;
    let text = [parts.text8()?, parts.text8()?, parts.text16()?];
    parts.finish()?;
    Ok(text)
}
