//! What Python sees of the state: plain frozen values in ticks, lots and quanta.

use pyo3::prelude::*;
use tradewright_engine::{Engine, ListView as EngineList, OrderView as EngineOrder};
use tradewright_types::{AccountId, ClientOrderId, InstrumentId, Price, PriceSource, Trail};

/// An open order.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct OrderView {
    /// Its id.
    order_id: u64,
    /// Its owner.
    account: u32,
    /// Its instrument.
    instrument: u32,
    /// 0 buy, 1 sell.
    side: u8,
    /// Its price.
    price_ticks: i64,
    /// Its total quantity.
    total_lots: u64,
    /// What is open.
    open_lots: u64,
    /// What of it the book shows; zero while it waits.
    displayed_lots: u64,
    /// By which session it came; 0 is none.
    session: u32,
    /// What self-trade prevention took.
    prevented_lots: u64,
    /// A code of `SelfTradePrevention`.
    self_trade_prevention: u8,
    /// `OrderFlags`.
    flags: u16,
    /// The client's own id: a decimal number as text too; None when it gave none.
    client_order_id: Option<String>,
    /// What it holds in quanta: quote for a bid, base for an ask.
    hold: i128,
    /// A code of `OrderType`.
    order_type: u8,
    /// A code of `TimeInForce`.
    time_in_force: u8,
    /// The price at which it fires while it waits for its trigger.
    trigger_price_ticks: Option<i64>,
    /// A code of `TriggerKind`, 0 when it waits for none.
    trigger: u8,
    /// A code of `PriceSource`.
    trigger_source: u8,
    /// How far its trigger stays behind the price, in ticks; 0 when it does not follow, or in basis points.
    trail_ticks: u32,
    /// How far its trigger stays behind the price, in basis points; 0 when it does not follow, or in ticks.
    trail_bps: u32,
    /// When it expires in nanoseconds of engine time; None is never.
    expire_time_ns: Option<u64>,
    /// How many approvers it needs while it waits for them, otherwise 0.
    approvers_needed: u8,
    /// The accounts that have approved it so far.
    approvers: Vec<u32>,
    /// When it expires without them.
    approval_deadline_ns: Option<u64>,
    /// What they approve: SHA-256 of the canonical order.
    approval_hash: Option<Vec<u8>>,
    /// Whether the book shows nothing of it.
    is_hidden: bool,
    /// The list that ties it to others.
    list_id: Option<u64>,
    /// Whether it waits for another order of its list.
    is_pending: bool,
}

/// A list that ties orders together.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct ListView {
    /// Its id.
    list_id: u64,
    /// Its owner.
    account: u32,
    /// Its instrument.
    instrument: u32,
    /// A code of `Contingency`.
    contingency: u8,
    /// The client's own id of the list: a decimal number as text too; None when it gave none.
    client_list_id: Option<String>,
    /// The ids of the orders that it ties together.
    order_ids: Vec<u64>,
}

impl From<EngineList> for ListView {
    fn from(list: EngineList) -> Self {
        Self {
            list_id: list.id.0,
            account: list.account.0,
            instrument: list.instrument.0,
            contingency: list.contingency as u8,
            client_list_id: client_id_text(&list.client_list_id()),
            order_ids: list.orders.iter().map(|order| order.0).collect(),
        }
    }
}

fn client_id_text(id: &ClientOrderId<'_>) -> Option<String> {
    match id {
        ClientOrderId::Absent => None,
        ClientOrderId::Number(number) => Some(number.to_string()),
        ClientOrderId::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
    }
}

impl From<EngineOrder<'_>> for OrderView {
    fn from(order: EngineOrder) -> Self {
        let trigger = order.trigger.map(|(trigger, _)| trigger);
        let (trail_ticks, trail_bps) = match trigger.and_then(|trigger| trigger.trail) {
            None => (0, 0),
            Some(Trail::Ticks(ticks)) => (ticks, 0),
            Some(Trail::BasisPoints(parts)) => (0, parts),
        };
        Self {
            order_id: order.id.0,
            account: order.account.0,
            instrument: order.instrument.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            total_lots: order.total.lots(),
            open_lots: order.open.lots(),
            displayed_lots: order.displayed.lots(),
            session: order.session.0,
            prevented_lots: order.prevented.lots(),
            self_trade_prevention: order.self_trade_prevention as u8,
            flags: order.flags.0,
            client_order_id: client_id_text(&order.client_order_id),
            hold: order.hold.quanta(),
            order_type: order.order_type as u8,
            time_in_force: order.time_in_force as u8,
            trigger_price_ticks: order.trigger.map(|(_, price)| price.ticks()),
            trigger: trigger.map_or(0, |trigger| trigger.kind as u8),
            trigger_source: trigger.map_or(0, |trigger| trigger.source as u8),
            trail_ticks,
            trail_bps,
            expire_time_ns: (order.expire_time_ns != 0).then_some(order.expire_time_ns),
            approvers_needed: order.approval.map_or(0, |approval| approval.needed),
            approvers: order
                .approval
                .map_or(Vec::new(), |approval| approval.approvers.iter().map(|approver| approver.0).collect()),
            approval_deadline_ns: order.approval.map(|approval| approval.deadline_ns),
            approval_hash: order.approval.map(|approval| approval.hash.to_vec()),
            is_hidden: order.hidden,
            list_id: order.list.map(|list| list.0),
            is_pending: order.is_pending,
        }
    }
}

/// An instrument: its units, its limits and its state.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct InstrumentView {
    /// Its id.
    instrument: u32,
    /// Its name.
    name: String,
    /// The id of its base asset.
    base: u32,
    /// The id of its quote asset.
    quote: u32,
    /// Quote quanta of one lot at one tick.
    quote_quanta_per_tick_lot: u64,
    /// Base quanta of one lot.
    base_quanta_per_lot: u64,
    /// A price must be a multiple of this.
    price_increment_ticks: u32,
    /// A quantity must be a multiple of this.
    quantity_increment_lots: u64,
    /// The smallest order.
    quantity_min_lots: u64,
    /// The largest order.
    quantity_max_lots: u64,
    /// The smallest order by value, in quote quanta.
    notional_min: i128,
    /// The largest order by value, in quote quanta.
    notional_max: i128,
    /// How far below the reference an order may be priced.
    band_down_ppm: u32,
    /// How far above the reference an order may be priced.
    band_up_ppm: u32,
    /// Its fee schedule.
    fee_schedule: u16,
    /// A code of `InstrumentState`.
    state: u8,
    /// A code of `AuctionPhase`: the auction it is in, or goes on to from a pause.
    phase: u8,
    /// When its state ends by itself; 0 is never.
    state_until_ns: u64,
    /// The change that is scheduled: state, phase, time.
    scheduled: Option<(u8, u8, u64)>,
    /// How the auction would trade, as it was told last: price, quantity, surplus.
    indication: Option<(i64, u64, i128)>,
    /// The reference price that was set.
    reference_ticks: Option<i64>,
    /// The price of the last trade.
    last_ticks: Option<i64>,
    /// The mark price, if there is one.
    mark_ticks: Option<i64>,
    /// The index price, if there is one.
    index_ticks: Option<i64>,
    /// A code of `AllocationRule`.
    allocation_rule: u8,
    /// The smallest order that becomes TOP, and the most that it gets of one incoming order; None without TOP.
    top_lots: Option<(u64, u64)>,
    /// The lead market makers: account and parts per million.
    leads_ppm: Vec<(u32, u32)>,
    /// How many trades it has seen.
    trade_count: u64,
}

impl InstrumentView {
    pub(crate) fn of(engine: &Engine, id: InstrumentId) -> Option<Self> {
        let instrument = engine.instrument(id)?;
        let (units, limits) = (&instrument.units, instrument.limits());
        Some(Self {
            instrument: id.0,
            name: engine.registry().instruments()[id.index()].as_str().to_owned(),
            base: units.base.0,
            quote: units.quote.0,
            quote_quanta_per_tick_lot: units.quote_quanta_per_tick_lot,
            base_quanta_per_lot: units.base_quanta_per_lot,
            price_increment_ticks: limits.price_increment_ticks,
            quantity_increment_lots: limits.quantity_increment_lots,
            quantity_min_lots: limits.quantity_min.lots(),
            quantity_max_lots: limits.quantity_max.lots(),
            notional_min: limits.notional_min.quanta(),
            notional_max: limits.notional_max.quanta(),
            band_down_ppm: limits.band_down_ppm,
            band_up_ppm: limits.band_up_ppm,
            fee_schedule: instrument.fee_schedule,
            state: instrument.state as u8,
            phase: engine.auction_phase(id) as u8,
            state_until_ns: engine.state_until_ns(id),
            scheduled: engine.scheduled_state(id).map(|change| (change.state as u8, change.phase as u8, change.due_ns)),
            indication: engine
                .indication(id)
                .map(|(price, quantity, surplus)| (price.ticks(), quantity.lots(), surplus)),
            reference_ticks: instrument.reference().map(|price| price.ticks()),
            last_ticks: instrument.last().map(|price| price.ticks()),
            mark_ticks: engine.source_price(id, PriceSource::Mark).map(Price::ticks),
            index_ticks: engine.source_price(id, PriceSource::Index).map(Price::ticks),
            allocation_rule: engine.allocation(id).rule as u8,
            top_lots: engine.top(id).map(|top| (top.minimum.lots(), top.maximum.lots())),
            leads_ppm: engine.leads(id).iter().map(|(account, ppm)| (account.0, *ppm)).collect(),
            trade_count: engine.trade_count(id),
        })
    }
}

/// An account: what it is, may do and is limited to.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct AccountView {
    /// Its id.
    account: u32,
    /// Its name.
    name: String,
    /// A code of `AccountKind`.
    kind: u8,
    /// Bits of `Permissions`.
    permissions: u16,
    /// Its trade group, 0 for none.
    trade_group: u32,
    /// Its row in the fee schedules.
    fee_tier: u8,
    /// Whether it is halted.
    is_halted: bool,
    /// Whether a kill switch is engaged, its own or its trade group's.
    is_killed: bool,
    /// How many orders it has open.
    open_orders: u32,
    /// How many orders it may have open.
    open_orders_max: u32,
    /// How many orders it may send in a second of engine time.
    orders_per_second_max: u32,
    /// How many messages about orders it may send in a second of engine time.
    messages_per_second_max: u32,
}

impl AccountView {
    pub(crate) fn of(engine: &Engine, id: AccountId) -> Option<Self> {
        let (account, kind) = (engine.risk().account(id)?, engine.ledger().kind(id)?);
        Some(Self {
            account: id.0,
            name: engine.registry().accounts()[id.index()].as_str().to_owned(),
            kind: kind as u8,
            permissions: account.permissions.0,
            trade_group: account.trade_group,
            fee_tier: account.fee_tier,
            is_halted: account.standing.is_halted(),
            is_killed: account.standing.is_killed(),
            open_orders: account.open_orders,
            open_orders_max: account.limits.open_orders_max,
            orders_per_second_max: account.limits.orders_per_second_max,
            messages_per_second_max: account.limits.messages_per_second_max,
        })
    }
}
