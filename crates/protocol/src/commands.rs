//! Requests of clients as commands: decimals become ticks and lots, symbols become ids, conditions become records.
//!
//! What is wrong with a request by itself is refused here, with the reason that the engine has for it; what needs the state is
//! the engine's to refuse.

use tradewright_types::{
    AccountId, Amount, ClientOrderId, CommandHeader, CommandKind, CommandRecord, Conditions, ConditionsRecord,
    Contingency, Iceberg, InstrumentId, OrderFlags, OrderType, Peg, PegKind, Price, PriceSource, Quantity,
    RejectReason, SelfTradePrevention, Side, TimeInForce, Trail, Trigger, TriggerKind,
};

use crate::codes::{
    self, BoolEnum, CancelRestrictions, ContingencyType, DisplayMethod, ExecInst, ListTriggerAction, ListTriggerType,
    OrdType, OrderCancelRequestAndNewOrderSingleMode, OrderRateLimitExceededMode, PegMoveType, PegOffsetType,
    PegPriceType, SelfTradePreventionMode, TriggerPriceDirection, TriggerPriceType,
};
use crate::decimal::Decimal;
use crate::frame::{Dimension, Frame, FrameError, Message};
use crate::messages::{
    AmendExtension, LegExtension, ListTriggeringInstructionEntry, NewOrderList, NewOrderListOrder, NewOrderSingle,
    OrderAmendKeepPriorityRequest, OrderCancelRequest, OrderCancelRequestAndNewOrderSingle, OrderExtension,
    OrderMassCancelRequest,
};
use crate::spec::{Coded, NoExtension, Null, Template, read_code};
use crate::symbols::{Symbol, Symbols};

/// Why a request becomes no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The frame is none: the session closes.
    Frame(FrameError),
    /// A field is refused: the request is answered, the session goes on.
    Field {
        /// The tag of the field.
        tag: u32,
        /// Why, as the engine would say it.
        reason: RejectReason,
    },
}

impl From<FrameError> for Refused {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

/// Who sends: what the session is logged on as, and the session's number of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The account.
    pub account: AccountId,
    /// The session.
    pub session: u32,
    /// The session's own number of the command.
    pub client_sequence: u64,
}

/// The text of a request by which its answers name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Naming<'b> {
    /// ClOrdID: what the client calls the request, and the order that it brings.
    pub client_order_id: &'b [u8],
    /// OrigClOrdID, or the list's when it names one.
    pub original: &'b [u8],
    /// CancelClOrdID of a replacement.
    pub cancel: &'b [u8],
    /// The symbol.
    pub symbol: &'b [u8],
}

fn refused(tag: u32, reason: RejectReason) -> Refused {
    Refused::Field { tag, reason }
}

/// Reads an enumeration, or refuses its field.
fn code<E: Coded>(field: E::Field, tag: u32, reason: RejectReason) -> Result<Option<E>, Refused> {
    read_code(field).map_err(|_| refused(tag, reason))
}

/// The fields of an order that all three messages with orders have.
struct OrderFields<'b> {
    price_exponent: i8,
    quantity_exponent: i8,
    quantity: Option<i64>,
    order_type: codes::OrdType,
    post_only: bool,
    price: Option<i64>,
    trigger: TriggerFields,
    peg: PegFields,
    side: Side,
    time_in_force: Option<codes::TimeInForce>,
    max_floor: Option<i64>,
    cash: Option<i64>,
    prevention: SelfTradePrevention,
    client_order_id: &'b [u8],
    extension: Extras,
}

struct TriggerFields {
    price: Option<i64>,
    source: Option<TriggerPriceType>,
    direction: Option<TriggerPriceDirection>,
    trail_bips: Option<u64>,
    is_named: bool,
}

struct PegFields {
    kind: Option<PegPriceType>,
    moves: Option<PegMoveType>,
    offset_type: Option<PegOffsetType>,
    levels: Option<u8>,
}

/// What extensions say of an order.
#[derive(Clone, Copy, Debug, Default)]
struct Extras {
    expire_time_us: Option<i64>,
    minimum: Option<i64>,
    is_hidden: bool,
    high: Option<i64>,
    seed: Option<u32>,
    trail: Option<i64>,
    peg_offset: Option<i64>,
}

impl Extras {
    fn of_order(extension: Option<&OrderExtension>) -> Result<Self, Refused> {
        let Some(extension) = extension else { return Ok(Self::default()) };
        let display = code::<DisplayMethod>(extension.display_method, 1084, RejectReason::InvalidConditions)?;
        Ok(Self {
            expire_time_us: extension.expire_time.some(),
            minimum: extension.min_qty.some(),
            is_hidden: display.is_some(),
            high: extension.display_high_qty.some(),
            seed: extension.display_seed.some(),
            trail: extension.trigger_trailing_delta.some(),
            peg_offset: extension.peg_offset.some(),
        })
    }

    fn of_leg(extension: Option<&LegExtension>) -> Self {
        let Some(extension) = extension else { return Self::default() };
        Self {
            expire_time_us: extension.expire_time.some(),
            minimum: extension.min_qty.some(),
            trail: extension.trigger_trailing_delta.some(),
            ..Self::default()
        }
    }
}

/// Reads the fields of an order from a block, whichever of the three it is: their names are the same.
macro_rules! order_fields {
    ($block:expr, $client_order_id:expr, $extension:expr) => {{
        let block = $block;
        let conditions = RejectReason::InvalidConditions;
        let side = code::<codes::Side>(block.side, 54, RejectReason::InvalidSide)?;
        let prevention = code::<SelfTradePreventionMode>(
            block.self_trade_prevention_mode,
            25001,
            RejectReason::InvalidSelfTradePrevention,
        )?;
        OrderFields {
            price_exponent: block.price_exponent,
            quantity_exponent: block.qty_exponent,
            quantity: block.order_qty.some(),
            order_type: code::<OrdType>(block.ord_type, 40, RejectReason::InvalidOrderType)?
                .ok_or(refused(40, RejectReason::InvalidOrderType))?,
            post_only: match code::<ExecInst>(block.exec_inst, 18, RejectReason::InvalidFlags)? {
                None => false,
                Some(ExecInst::ParticipateDontInitiate) => true,
                Some(ExecInst::NonRepresentable) => return Err(refused(18, RejectReason::InvalidFlags)),
            },
            price: block.price.some(),
            trigger: TriggerFields {
                price: block.trigger_price.some(),
                source: code(block.trigger_price_type, 1107, conditions)?,
                direction: code(block.trigger_price_direction, 1109, conditions)?,
                trail_bips: block.trigger_trailing_delta_bips.some(),
                is_named: is_trigger_named(block.trigger_type.0, block.trigger_action.0)?,
            },
            peg: PegFields {
                kind: code(block.peg_price_type, 1094, conditions)?,
                moves: code(block.peg_move_type, 835, conditions)?,
                offset_type: code(block.peg_offset_type, 836, conditions)?,
                levels: block.peg_offset_value.some(),
            },
            side: match side {
                Some(codes::Side::Buy) => Side::Buy,
                Some(codes::Side::Sell) => Side::Sell,
                Some(codes::Side::NonRepresentable) | None => return Err(refused(54, RejectReason::InvalidSide)),
            },
            time_in_force: code(block.time_in_force, 59, RejectReason::InvalidTimeInForce)?,
            max_floor: block.max_floor.some(),
            cash: block.cash_order_qty.some(),
            prevention: self_trade_prevention(prevention)?,
            client_order_id: $client_order_id,
            extension: $extension,
        }
    }};
}

/// Whether type and action of a trigger are given; they can say one thing only.
fn is_trigger_named(kind: u8, action: u8) -> Result<bool, Refused> {
    match (kind, action) {
        (0, 0) => Ok(false),
        (b'4', b'1') | (b'4', 0) => Ok(true),
        (b'4', _) => Err(refused(1101, RejectReason::InvalidConditions)),
        _ => Err(refused(1100, RejectReason::InvalidConditions)),
    }
}

fn self_trade_prevention(mode: Option<SelfTradePreventionMode>) -> Result<SelfTradePrevention, Refused> {
    use SelfTradePreventionMode as Mode;
    Ok(match mode {
        Some(Mode::None) => SelfTradePrevention::None,
        Some(Mode::ExpireTaker) | None => SelfTradePrevention::ExpireTaker,
        Some(Mode::ExpireMaker) => SelfTradePrevention::ExpireMaker,
        Some(Mode::ExpireBoth) => SelfTradePrevention::ExpireBoth,
        Some(Mode::Decrement) => SelfTradePrevention::Decrement,
        Some(Mode::Transfer) => SelfTradePrevention::Transfer,
        Some(Mode::NonRepresentable) => return Err(refused(25001, RejectReason::InvalidSelfTradePrevention)),
    })
}

impl OrderFields<'_> {
    fn price(&self, symbol: &Symbol, mantissa: i64, tag: u32) -> Result<i64, Refused> {
        let price = Decimal { mantissa, exponent: self.price_exponent };
        symbol.ticks(price).map_err(|reason| {
            let is_trigger = tag == 1102 && reason == RejectReason::PriceNotOnTick;
            refused(tag, if is_trigger { RejectReason::TriggerPriceNotOnTick } else { reason })
        })
    }

    fn quantity(&self, symbol: &Symbol, mantissa: i64, tag: u32) -> Result<u64, Refused> {
        let quantity = Decimal { mantissa, exponent: self.quantity_exponent };
        symbol.lots(quantity).map_err(|reason| refused(tag, reason))
    }

    /// What decides its price, and whether a trigger is expected.
    fn order_type(&self) -> Result<(OrderType, bool), Refused> {
        match self.order_type {
            OrdType::Market => Ok((OrderType::Market, false)),
            OrdType::Limit | OrdType::Pegged => Ok((OrderType::Limit, false)),
            OrdType::Stop => Ok((OrderType::Market, true)),
            OrdType::StopLimit => Ok((OrderType::Limit, true)),
            OrdType::NonRepresentable => Err(refused(40, RejectReason::InvalidOrderType)),
        }
    }

    fn time_in_force(&self, order_type: OrderType) -> Result<TimeInForce, Refused> {
        use codes::TimeInForce as Code;
        Ok(match (self.time_in_force, order_type) {
            (Some(Code::GoodTillCancel), _) | (None, OrderType::Limit) => TimeInForce::GoodTillCancel,
            (Some(Code::ImmediateOrCancel), _) | (None, OrderType::Market) => TimeInForce::ImmediateOrCancel,
            (Some(Code::FillOrKill), _) => TimeInForce::FillOrKill,
            (Some(Code::Day), _) => TimeInForce::Day,
            (Some(Code::AtTheOpening), _) => TimeInForce::AtOpening,
            (Some(Code::GoodTillDate), _) => TimeInForce::GoodTillDate,
            (Some(Code::AtTheClose), _) => TimeInForce::AtClose,
            (Some(Code::GoodForAuction), _) => TimeInForce::GoodForAuction,
            (Some(Code::NonRepresentable), _) => return Err(refused(59, RejectReason::InvalidTimeInForce)),
        })
    }

    fn trigger(&self, symbol: &Symbol, is_expected: bool) -> Result<Option<Trigger>, Refused> {
        let TriggerFields { price, source, direction, trail_bips, is_named } = self.trigger;
        let has_any = price.is_some() || trail_bips.is_some() || self.extension.trail.is_some();
        if has_any != is_expected || is_named && !has_any {
            return Err(refused(1102, RejectReason::InvalidCombination));
        }
        if !has_any {
            return Ok(None);
        }
        let trail = match (trail_bips, self.extension.trail) {
            (None, None) => None,
            (Some(bips), None) => {
                let bips = u32::try_from(bips).ok().filter(|bips| (1..10_000).contains(bips));
                Some(Trail::BasisPoints(bips.ok_or(refused(25009, RejectReason::InvalidConditions))?))
            }
            (None, Some(distance)) => {
                let ticks = u32::try_from(self.price(symbol, distance, 26003)?).ok().filter(|ticks| *ticks > 0);
                Some(Trail::Ticks(ticks.ok_or(refused(26003, RejectReason::InvalidConditions))?))
            }
            (Some(_), Some(_)) => return Err(refused(26003, RejectReason::InvalidCombination)),
        };
        let rises = match direction {
            Some(TriggerPriceDirection::Up) => true,
            Some(TriggerPriceDirection::Down) => false,
            // A trail goes against its order.
            None if trail.is_some() => self.side == Side::Buy,
            Some(TriggerPriceDirection::NonRepresentable) | None => {
                return Err(refused(1109, RejectReason::InvalidConditions));
            }
        };
        let is_stop = TriggerKind::StopLoss.rises(self.side) == rises;
        let source = match source {
            Some(TriggerPriceType::LastTrade) | None => PriceSource::Last,
            Some(TriggerPriceType::MarkPrice) => PriceSource::Mark,
            Some(TriggerPriceType::IndexPrice) => PriceSource::Index,
            Some(TriggerPriceType::NonRepresentable) => return Err(refused(1107, RejectReason::InvalidConditions)),
        };
        let price = price.map(|price| self.price(symbol, price, 1102)).transpose()?;
        if price.is_some_and(|ticks| ticks <= 0) {
            return Err(refused(1102, RejectReason::TriggerPriceNotPositive));
        }
        let kind = if is_stop { TriggerKind::StopLoss } else { TriggerKind::TakeProfit };
        Ok(Some(Trigger { kind, source, price: price.map(Price::from_ticks), trail }))
    }

    fn peg(&self, symbol: &Symbol) -> Result<Option<Peg>, Refused> {
        let invalid = |tag| refused(tag, RejectReason::InvalidConditions);
        let PegFields { kind, moves, offset_type, levels } = self.peg;
        if (self.order_type == OrdType::Pegged) != kind.is_some() {
            return Err(refused(1094, RejectReason::InvalidCombination));
        }
        let kind = match kind {
            None if moves.is_none() && offset_type.is_none() && levels.is_none() => return Ok(None),
            None => return Err(refused(1094, RejectReason::InvalidCombination)),
            Some(PegPriceType::PrimaryPeg) => PegKind::Primary,
            Some(PegPriceType::MarketPeg) => PegKind::Market,
            Some(PegPriceType::MidPrice) => PegKind::Midpoint,
            Some(PegPriceType::NonRepresentable) => return Err(invalid(1094)),
        };
        let is_fixed = match moves {
            Some(PegMoveType::Fixed) | None => true,
            Some(PegMoveType::Following) => false,
            Some(PegMoveType::NonRepresentable) => return Err(invalid(835)),
        };
        let offset = match (offset_type, levels, self.extension.peg_offset) {
            (Some(PegOffsetType::PriceTier) | None, levels, None) if is_fixed => levels.unwrap_or(0).into(),
            (Some(PegOffsetType::Price) | None, None, offset) if !is_fixed => {
                let ticks = self.price(symbol, offset.unwrap_or(0), 26004)?;
                u64::try_from(ticks).map_err(|_| invalid(26004))?
            }
            _ => return Err(invalid(836)),
        };
        Ok(Some(Peg { kind, is_fixed, offset }))
    }

    fn iceberg(&self, symbol: &Symbol) -> Result<Option<Iceberg>, Refused> {
        let Extras { high, seed, .. } = self.extension;
        let Some(peak) = self.max_floor else {
            let has_none = high.is_none() && seed.is_none();
            return if has_none { Ok(None) } else { Err(refused(1086, RejectReason::InvalidConditions)) };
        };
        let peak = self.quantity(symbol, peak, 111)?;
        let high = high.map(|high| self.quantity(symbol, high, 1086)).transpose()?.unwrap_or(peak);
        let range = high.checked_sub(peak).ok_or(refused(1086, RejectReason::InvalidConditions))?;
        if peak == 0 {
            return Err(refused(111, RejectReason::InvalidConditions));
        }
        let (peak, range) = (Quantity::from_lots(peak), Quantity::from_lots(range));
        Ok(Some(Iceberg { peak, range, seed: seed.unwrap_or(0) }))
    }

    fn conditions(&self, symbol: &Symbol, is_trigger_expected: bool) -> Result<Conditions, Refused> {
        let expire_time_ns = match self.extension.expire_time_us {
            None => 0,
            Some(time_us) => {
                let time_ns = u64::try_from(time_us).ok().and_then(|time_us| time_us.checked_mul(1_000));
                time_ns.ok_or(refused(126, RejectReason::ExpiryNotInFuture))?
            }
        };
        let minimum = self.extension.minimum.map(|minimum| self.quantity(symbol, minimum, 110)).transpose()?;
        Ok(Conditions {
            trigger: self.trigger(symbol, is_trigger_expected)?,
            expire_time_ns,
            minimum: Quantity::from_lots(minimum.unwrap_or(0)),
            iceberg: self.iceberg(symbol)?,
            hidden: self.extension.is_hidden,
            peg: self.peg(symbol)?,
        })
    }

    /// Writes the order's records.
    fn write(&self, symbol: &Symbol, origin: &Origin, out: &mut Vec<CommandRecord>) -> Result<(), Refused> {
        let (order_type, is_trigger_expected) = self.order_type()?;
        let mut record = CommandRecord {
            account: origin.account.0,
            instrument: symbol.id.0,
            side: self.side as u8,
            order_type: order_type as u8,
            time_in_force: self.time_in_force(order_type)? as u8,
            self_trade_prevention: self.prevention as u8,
            ..CommandRecord::new(CommandKind::PlaceOrder)
        };
        let mut flags = OrderFlags::default();
        if self.post_only {
            flags = flags.with(OrderFlags::POST_ONLY);
        }
        match (self.quantity, self.cash) {
            (Some(quantity), None) => {
                record.quantity_lots = self.quantity(symbol, quantity, 38)?;
                if let Some(price) = self.price {
                    record.price_ticks = self.price(symbol, price, 44)?;
                }
            }
            (None, Some(cash)) if self.price.is_none() => {
                let cash = Decimal { mantissa: cash, exponent: self.price_exponent };
                let quanta = symbol.quanta(cash).map_err(|reason| refused(152, reason))?;
                record.set_quote_amount(Amount::from_quanta(quanta));
                flags = flags.with(OrderFlags::QUOTE_AMOUNT);
            }
            _ => return Err(refused(38, RejectReason::InvalidCombination)),
        }
        let id = client_order_id(self.client_order_id, 11)?;
        let text = CommandRecord::text(&id);
        if text.is_some() {
            flags = flags.with(OrderFlags::TEXT_ID);
        }
        record.order_ref = id.number_or_zero();
        let conditions = self.conditions(symbol, is_trigger_expected)?;
        if conditions != Conditions::default() {
            flags = flags.with(OrderFlags::CONDITIONS);
        }
        record.flags = flags.0;
        out.push(record);
        out.extend(text);
        if conditions != Conditions::default() {
            out.push(zerocopy::transmute!(ConditionsRecord::new(&conditions)));
        }
        Ok(())
    }
}

fn client_order_id(text: &[u8], tag: u32) -> Result<ClientOrderId<'_>, Refused> {
    ClientOrderId::parse(text).ok_or(refused(tag, RejectReason::InvalidClientOrderId))
}

/// Writes the head of the command, now that its records are known.
fn finish(out: &mut [CommandRecord], begin: usize, origin: &Origin) {
    let record_count = (out.len() - begin) as u16;
    if let Some(first) = out.get_mut(begin) {
        let header = CommandHeader { record_count, session: origin.session, ..first.header };
        first.header = CommandHeader { client_sequence: origin.client_sequence, ..header };
    }
}

/// Which of the account's orders is meant: by the exchange's id, or by the client's.
fn target(
    kind: CommandKind,
    origin: &Origin,
    order: Option<i64>,
    original: &[u8],
    out: &mut Vec<CommandRecord>,
) -> Result<(), Refused> {
    let mut record = CommandRecord { account: origin.account.0, ..CommandRecord::new(kind) };
    match order {
        Some(order) => {
            record.order_ref = u64::try_from(order).map_err(|_| refused(37, RejectReason::UnknownOrder))?;
            out.push(record);
        }
        None if original.is_empty() => return Err(refused(41, RejectReason::UnknownOrder)),
        None => {
            let id = client_order_id(original, 41)?;
            let text = CommandRecord::text(&id);
            record.flags = OrderFlags::BY_CLIENT_ORDER_ID.0;
            if text.is_some() {
                record.flags |= OrderFlags::TEXT_ID.0;
            }
            record.order_ref = id.number_or_zero();
            out.push(record);
            out.extend(text);
        }
    }
    Ok(())
}

/// Writes a new order.
///
/// # Errors
/// What is wrong with its frame or a field. Nothing is written then.
pub fn new_order<'b>(
    symbols: &Symbols,
    origin: &Origin,
    message: &Message<'b, NewOrderSingle>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    let naming = Naming { client_order_id: parts.text8()?, symbol: parts.text8()?, ..Naming::default() };
    parts.finish()?;
    if message.block.sor.some() == Some(BoolEnum::True as u8) {
        return Err(refused(25032, RejectReason::InvalidFlags));
    }
    let symbol = symbols.find(naming.symbol).map_err(|reason| refused(55, reason))?;
    let fields = order_fields!(message.block, naming.client_order_id, Extras::of_order(message.extension)?);
    write_whole(out, origin, |out| fields.write(symbol, origin, out))?;
    Ok(naming)
}

/// Writes records and their head, or nothing.
fn write_whole(
    out: &mut Vec<CommandRecord>,
    origin: &Origin,
    write: impl FnOnce(&mut Vec<CommandRecord>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let begin = out.len();
    match write(out) {
        Ok(()) => {
            finish(out, begin, origin);
            Ok(())
        }
        Err(refused) => {
            out.truncate(begin);
            Err(refused)
        }
    }
}

/// Writes a cancel, of an order or of a list.
///
/// # Errors
/// As [`new_order`].
pub fn cancel<'b>(
    origin: &Origin,
    message: &Message<'b, OrderCancelRequest>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    let (client_order_id, original, list) = (parts.text8()?, parts.text8()?, parts.text8()?);
    let symbol = parts.text8()?;
    parts.finish()?;
    let block = message.block;
    if block.cancel_restrictions.some().is_some() {
        // A cancel is whole; only a replacement has restrictions.
        return Err(refused(25002, RejectReason::InvalidFlags));
    }
    let (order, list_id) = (block.order_id.some(), block.list_id.some());
    let names_list = list_id.is_some() || !list.is_empty();
    if names_list && (order.is_some() || !original.is_empty()) {
        return Err(refused(66, RejectReason::InvalidCombination));
    }
    let (kind, id, name) =
        if names_list { (CommandKind::CancelList, list_id, list) } else { (CommandKind::CancelOrder, order, original) };
    write_whole(out, origin, |out| target(kind, origin, id, name, out))?;
    Ok(Naming { client_order_id, original: name, cancel: &[], symbol })
}

/// Writes a replacement.
///
/// # Errors
/// As [`new_order`].
pub fn replace<'b>(
    symbols: &Symbols,
    origin: &Origin,
    message: &Message<'b, OrderCancelRequestAndNewOrderSingle>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    let (cancel, original, client_order_id) = (parts.text8()?, parts.text8()?, parts.text8()?);
    let naming = Naming { client_order_id, original, cancel, symbol: parts.text8()? };
    parts.finish()?;
    let block = message.block;
    let modes = replace_modes(block)?;
    let symbol = symbols.find(naming.symbol).map_err(|reason| refused(55, reason))?;
    let fields = order_fields!(block, client_order_id, Extras::of_order(message.extension)?);
    write_whole(out, origin, |out| {
        let begin = out.len();
        target(CommandKind::ReplaceOrder, origin, block.order_id.some(), original, out)?;
        out[begin].flags |= modes.0;
        fields.write(symbol, origin, out)
    })?;
    Ok(naming)
}

fn replace_modes(block: &OrderCancelRequestAndNewOrderSingle) -> Result<OrderFlags, Refused> {
    use OrderCancelRequestAndNewOrderSingleMode as Mode;
    let invalid = |tag| refused(tag, RejectReason::InvalidFlags);
    let mut flags = OrderFlags::default();
    match code::<Mode>(block.order_cancel_request_and_new_order_single_mode, 25033, RejectReason::InvalidFlags)? {
        Some(Mode::StopOnFailure) => {}
        Some(Mode::AllowFailure) => flags = flags.with(OrderFlags::ALLOW_FAILURE),
        Some(Mode::NonRepresentable) | None => return Err(invalid(25033)),
    }
    match code(block.order_rate_limit_exceeded_mode, 25038, RejectReason::InvalidFlags)? {
        Some(OrderRateLimitExceededMode::DoNothing) | None => {}
        Some(OrderRateLimitExceededMode::CancelOnly) => flags = flags.with(OrderFlags::CANCEL_ONLY),
        Some(OrderRateLimitExceededMode::NonRepresentable) => return Err(invalid(25038)),
    }
    match code(block.cancel_restrictions, 25002, RejectReason::InvalidFlags)? {
        None => {}
        Some(CancelRestrictions::OnlyNew) => flags = flags.with(OrderFlags::ONLY_NEW),
        Some(CancelRestrictions::OnlyPartiallyFilled) => flags = flags.with(OrderFlags::ONLY_PARTIALLY_FILLED),
        Some(CancelRestrictions::NonRepresentable) => return Err(invalid(25002)),
    }
    Ok(flags)
}

/// Writes the cancel of all orders on an instrument.
///
/// # Errors
/// As [`new_order`].
pub fn mass_cancel<'b>(
    symbols: &Symbols,
    origin: &Origin,
    message: &Message<'b, OrderMassCancelRequest>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    let naming = Naming { symbol: parts.text8()?, client_order_id: parts.text8()?, ..Naming::default() };
    parts.finish()?;
    match code(message.block.mass_cancel_request_type, 530, RejectReason::InvalidFlags)? {
        Some(codes::MassCancelRequestType::CancelSymbolOrders) => {}
        Some(codes::MassCancelRequestType::NonRepresentable) | None => {
            return Err(refused(530, RejectReason::InvalidFlags));
        }
    }
    let symbol = symbols.find(naming.symbol).map_err(|reason| refused(55, reason))?;
    let record = CommandRecord {
        account: origin.account.0,
        instrument: symbol.id.0,
        side: u8::MAX,
        ..CommandRecord::new(CommandKind::CancelAll)
    };
    write_whole(out, origin, |out| {
        out.push(record);
        Ok(())
    })?;
    Ok(naming)
}

/// What an amendment has to know of the order that it is about, as long as it does not say its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amended {
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its limit price, in ticks.
    pub price_ticks: i64,
}

/// Which order an amendment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmendTarget<'b> {
    /// The exchange's id.
    Order(i64),
    /// The client's.
    Client(&'b [u8]),
}

/// Writes an amendment. `find` knows the open orders of the account.
///
/// # Errors
/// As [`new_order`].
pub fn amend<'b>(
    symbols: &Symbols,
    origin: &Origin,
    message: &Message<'b, OrderAmendKeepPriorityRequest>,
    find: impl FnOnce(AmendTarget<'b>) -> Option<Amended>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    let (client_order_id, original) = (parts.text8()?, parts.text8()?);
    let naming = Naming { client_order_id, original, cancel: &[], symbol: parts.text8()? };
    parts.finish()?;
    let block = message.block;
    let symbol = symbols.find(naming.symbol).map_err(|reason| refused(55, reason))?;
    let quantity = Decimal { mantissa: block.order_qty.get(), exponent: block.qty_exponent };
    let quantity_lots = symbol.lots(quantity).map_err(|reason| refused(38, reason))?;
    let price_ticks = match message.extension.map(named_price).transpose()?.flatten() {
        Some(price) => symbol.ticks(price).map_err(|reason| refused(44, reason))?,
        None => {
            let order = match block.order_id.some() {
                Some(order) => AmendTarget::Order(order),
                None => AmendTarget::Client(original),
            };
            let order = find(order).filter(|order| order.instrument == symbol.id);
            order.ok_or(refused(37, RejectReason::UnknownOrder))?.price_ticks
        }
    };
    write_whole(out, origin, |out| {
        let begin = out.len();
        target(CommandKind::AmendOrder, origin, block.order_id.some(), original, out)?;
        out[begin].price_ticks = price_ticks;
        out[begin].quantity_lots = quantity_lots;
        if !client_order_id.is_empty() && client_order_id != original {
            out.push(new_name(client_order_id)?);
        }
        Ok(())
    })?;
    Ok(naming)
}

fn named_price(extension: &AmendExtension) -> Result<Option<Decimal>, Refused> {
    match (extension.price_exponent.some(), extension.price.some()) {
        (_, None) => Ok(None),
        (Some(exponent), Some(mantissa)) => Ok(Some(Decimal { mantissa, exponent })),
        (None, Some(_)) => Err(refused(25054, RejectReason::InvalidCombination)),
    }
}

/// The new client order id of an amendment: text, even when it is a number.
fn new_name(text: &[u8]) -> Result<CommandRecord, Refused> {
    client_order_id(text, 11)?;
    CommandRecord::text(&ClientOrderId::Text(text)).ok_or(refused(11, RejectReason::InvalidClientOrderId))
}

/// The most orders of a list.
const LEGS_MAX: usize = 3;
/// The most instructions of one of them.
const INSTRUCTIONS_MAX: usize = 8;

/// A leg of a list, as its records begin.
struct Leg {
    begin: usize,
    end: usize,
    is_stop: bool,
    has_release: bool,
}

/// Writes a list.
///
/// # Errors
/// As [`new_order`].
pub fn new_list<'b>(
    symbols: &Symbols,
    origin: &Origin,
    message: &Message<'b, NewOrderList>,
    legs: &mut Vec<CommandRecord>,
    out: &mut Vec<CommandRecord>,
) -> Result<Naming<'b>, Refused> {
    let mut parts = message.parts;
    if message.block.opo.some() == Some(BoolEnum::True as u8) {
        return Err(refused(25046, RejectReason::InvalidContingency));
    }
    let (length, entries) = parts.group(Dimension::Size8, LEGS_MAX)?;
    let (mut naming, mut read) = (Naming::default(), Vec::with_capacity(LEGS_MAX));
    legs.clear();
    for place in 0..entries {
        let (block, extension) = parts.entry::<NewOrderListOrder, LegExtension>(length)?;
        let has_release = read_instructions(&mut parts, place)?;
        let (id, name) = (parts.text8()?, parts.text8()?);
        if place > 0 && name != naming.symbol {
            return Err(refused(55, RejectReason::LegsDoNotFit));
        }
        naming.symbol = name;
        let symbol = symbols.find(name).map_err(|reason| refused(55, reason))?;
        let fields = order_fields!(block, id, Extras::of_leg(extension));
        let begin = legs.len();
        fields.write(symbol, origin, legs)?;
        let is_stop = fields.trigger(symbol, fields.order_type()?.1)?;
        let is_stop = is_stop.is_some_and(|trigger| trigger.kind == TriggerKind::StopLoss);
        read.push(Leg { begin, end: legs.len(), is_stop, has_release });
    }
    naming.client_order_id = parts.text8()?;
    parts.finish()?;
    let contingency = contingency(message.block, &read)?;
    // The engine wants the stop-loss of a pair last; clients may send it first.
    if contingency.has_pair()
        && let [.., first, second] = read.as_mut_slice()
        && first.is_stop
        && !second.is_stop
    {
        core::mem::swap(first, second);
    }
    write_whole(out, origin, |out| {
        let instrument = legs.first().map_or(0, |leg| leg.instrument);
        let id = client_order_id(naming.client_order_id, 25014)?;
        let text = CommandRecord::text(&id);
        out.push(CommandRecord {
            account: origin.account.0,
            instrument,
            order_type: contingency as u8,
            flags: if text.is_some() { OrderFlags::TEXT_ID.0 } else { 0 },
            order_ref: id.number_or_zero(),
            ..CommandRecord::new(CommandKind::PlaceList)
        });
        out.extend(text);
        for leg in &read {
            out.extend_from_slice(&legs[leg.begin..leg.end]);
        }
        Ok(())
    })?;
    Ok(naming)
}

/// Reads what starts or ends a leg, and returns whether another one starts it. What it says must be what the contingency does.
fn read_instructions(parts: &mut crate::frame::Parts<'_>, place: usize) -> Result<bool, Refused> {
    let invalid = |tag| refused(tag, RejectReason::InvalidContingency);
    let (length, entries) = parts.group(Dimension::SmallSize8, INSTRUCTIONS_MAX)?;
    let mut has_release = false;
    for _ in 0..entries {
        let (entry, _) = parts.entry::<ListTriggeringInstructionEntry, NoExtension>(length)?;
        let action = code::<ListTriggerAction>(entry.list_trigger_action, 25013, RejectReason::InvalidContingency)?;
        let kind = code::<ListTriggerType>(entry.list_trigger_type, 25011, RejectReason::InvalidContingency)?;
        let other = usize::from(entry.list_trigger_trigger_index);
        match (action, kind) {
            (Some(ListTriggerAction::Release), Some(ListTriggerType::Filled)) if other == 0 && place > 0 => {
                has_release = true;
            }
            (
                Some(ListTriggerAction::Cancel),
                Some(ListTriggerType::Activated | ListTriggerType::PartiallyFilled | ListTriggerType::Filled),
            ) if other != place => {}
            (Some(ListTriggerAction::Release), _) => return Err(invalid(25011)),
            _ => return Err(invalid(25013)),
        }
    }
    Ok(has_release)
}

/// Which contingency of the engine a list has.
fn contingency(block: &NewOrderList, legs: &[Leg]) -> Result<Contingency, Refused> {
    let kind = code::<ContingencyType>(block.contingency_type, 1385, RejectReason::InvalidContingency)?;
    let releases = legs.iter().filter(|leg| leg.has_release).count();
    match (kind, legs.len(), releases) {
        (Some(ContingencyType::OneCancelsTheOther), 2, 0) => Ok(Contingency::OneCancelsOther),
        (Some(ContingencyType::OneTriggersTheOther), 2, 0 | 1) => Ok(Contingency::OneTriggersOther),
        (Some(ContingencyType::OneTriggersTheOther), 3, 0 | 2) => Ok(Contingency::OneTriggersPair),
        _ => Err(refused(1385, RejectReason::InvalidContingency)),
    }
}

/// What a request calls itself, when all that is to be said is that it was refused. What cannot be read is empty.
pub fn naming<'b>(frame: &Frame<'b>) -> Naming<'b> {
    read_naming(frame).unwrap_or_default()
}

fn read_naming<'b>(frame: &Frame<'b>) -> Result<Naming<'b>, FrameError> {
    match frame.template() {
        NewOrderSingle::ID => {
            let mut parts = frame.message::<NewOrderSingle>()?.parts;
            Ok(Naming { client_order_id: parts.text8()?, symbol: parts.text8()?, ..Naming::default() })
        }
        OrderCancelRequest::ID => {
            let mut parts = frame.message::<OrderCancelRequest>()?.parts;
            let (client_order_id, order, list) = (parts.text8()?, parts.text8()?, parts.text8()?);
            let original = if order.is_empty() { list } else { order };
            Ok(Naming { client_order_id, original, cancel: &[], symbol: parts.text8()? })
        }
        OrderCancelRequestAndNewOrderSingle::ID => {
            let mut parts = frame.message::<OrderCancelRequestAndNewOrderSingle>()?.parts;
            let (cancel, original, client_order_id) = (parts.text8()?, parts.text8()?, parts.text8()?);
            Ok(Naming { client_order_id, original, cancel, symbol: parts.text8()? })
        }
        OrderAmendKeepPriorityRequest::ID => {
            let mut parts = frame.message::<OrderAmendKeepPriorityRequest>()?.parts;
            let (client_order_id, original) = (parts.text8()?, parts.text8()?);
            Ok(Naming { client_order_id, original, cancel: &[], symbol: parts.text8()? })
        }
        OrderMassCancelRequest::ID => {
            let mut parts = frame.message::<OrderMassCancelRequest>()?.parts;
            Ok(Naming { symbol: parts.text8()?, client_order_id: parts.text8()?, ..Naming::default() })
        }
        NewOrderList::ID => {
            let mut parts = frame.message::<NewOrderList>()?.parts;
            let mut naming = Naming::default();
            let (length, entries) = parts.group(Dimension::Size8, LEGS_MAX)?;
            for _ in 0..entries {
                parts.entry::<NewOrderListOrder, LegExtension>(length)?;
                let (length, entries) = parts.group(Dimension::SmallSize8, INSTRUCTIONS_MAX)?;
                for _ in 0..entries {
                    parts.entry::<ListTriggeringInstructionEntry, NoExtension>(length)?;
                }
                parts.text8()?;
                naming.symbol = parts.text8()?;
            }
            naming.client_order_id = parts.text8()?;
            Ok(naming)
        }
        template => Err(FrameError::UnknownTemplate { template }),
    }
}
