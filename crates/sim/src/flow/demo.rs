//! The demonstration: a flow against an engine, with everything counted that a viewer wants to see.

use std::collections::VecDeque;
use std::time::Instant;

use tradewright_engine::{Engine, EngineConfig, EventBuffer, LevelView};
use tradewright_types::{
    CommandKind, CommandRecord, ConditionsRecord, EventKind, EventRecord, InstrumentId, InstrumentState, OrderFlags,
    OrderType, RejectReason, Side, TimeInForce,
};

use crate::clock::thread_cpu_ns;

use super::catalogue::{LISTINGS, QUOTES};
use super::{Flow, FlowConfig};

/// Trades that are kept for the viewer.
const TAPE: usize = 32;

/// New orders by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderClass {
    /// A limit order that may rest.
    Limit = 0,
    /// A limit order that must not take.
    PostOnly = 1,
    /// A limit order that takes what it gets.
    ImmediateOrCancel = 2,
    /// A limit order that takes all or nothing.
    FillOrKill = 3,
    /// A market order for a quantity.
    Market = 4,
    /// A market order for an amount.
    MarketByAmount = 5,
    /// A limit order that shows itself by peaks.
    Iceberg = 6,
    /// An order that waits for a trigger first.
    Triggered = 7,
    /// A limit order that the book does not show.
    Hidden = 8,
    /// An order for auctions only.
    Auction = 9,
    /// An order whose price is tied to the best prices.
    Pegged = 10,
    /// An order of a list.
    Leg = 11,
}

impl OrderClass {
    /// Every class.
    pub const ALL: [Self; 12] = [
        Self::Limit,
        Self::PostOnly,
        Self::ImmediateOrCancel,
        Self::FillOrKill,
        Self::Market,
        Self::MarketByAmount,
        Self::Iceberg,
        Self::Triggered,
        Self::Hidden,
        Self::Auction,
        Self::Pegged,
        Self::Leg,
    ];

    /// The class's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::PostOnly => "post_only",
            Self::ImmediateOrCancel => "ioc",
            Self::FillOrKill => "fok",
            Self::Market => "market",
            Self::MarketByAmount => "market_by_amount",
            Self::Iceberg => "iceberg",
            Self::Triggered => "triggered",
            Self::Hidden => "hidden",
            Self::Auction => "auction",
            Self::Pegged => "pegged",
            Self::Leg => "list",
        }
    }

    /// The class of the order that `records` start with.
    fn of(records: &[CommandRecord]) -> Self {
        let record = &records[0];
        if record.flags & OrderFlags::CONDITIONS.0 != 0
            && let Some(class) = Self::of_conditions(records)
        {
            return class;
        }
        if record.time_in_force >= TimeInForce::AtOpening as u8
            && record.time_in_force <= TimeInForce::GoodForAuction as u8
        {
            return Self::Auction;
        }
        if record.order_type == OrderType::Market as u8 {
            if record.flags & OrderFlags::QUOTE_AMOUNT.0 != 0 { Self::MarketByAmount } else { Self::Market }
        } else if record.flags & OrderFlags::POST_ONLY.0 != 0 {
            Self::PostOnly
        } else if record.time_in_force == TimeInForce::ImmediateOrCancel as u8 {
            Self::ImmediateOrCancel
        } else if record.time_in_force == TimeInForce::FillOrKill as u8 {
            Self::FillOrKill
        } else {
            Self::Limit
        }
    }

    /// The class that its conditions put an order into. Dates and minimum quantities put it into none.
    #[cold]
    fn of_conditions(records: &[CommandRecord]) -> Option<Self> {
        let behind = records.iter().find(|record| record.header.kind == CommandKind::Conditions as u8)?;
        let conditions: &ConditionsRecord = zerocopy::transmute_ref!(behind);
        if conditions.trigger != 0 {
            Some(Self::Triggered)
        } else if conditions.peak_lots != 0 {
            Some(Self::Iceberg)
        } else if conditions.peg != 0 {
            Some(Self::Pegged)
        } else if conditions.display != 0 {
            Some(Self::Hidden)
        } else {
            None
        }
    }
}

/// How a market's numbers are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketInfo {
    /// Such as `BTC/USDT`.
    pub symbol: String,
    /// The asset that prices are in.
    pub quote: &'static str,
    /// A tick is ten to the minus this.
    pub price_decimals: u8,
    /// A lot is ten to the minus this; may be negative.
    pub lot_decimals: i8,
    /// A quote quantum is ten to the minus this.
    pub quote_scale: u8,
}

/// What a market has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketView {
    /// The best bid, in ticks.
    pub bid_ticks: Option<i64>,
    /// The best ask, in ticks.
    pub ask_ticks: Option<i64>,
    /// The price of the last trade.
    pub last_ticks: Option<i64>,
    /// The price of the first trade.
    pub first_ticks: Option<i64>,
    /// What was traded, in lots.
    pub volume_lots: u64,
    /// What was paid for it, in quanta of the quote asset.
    pub notional_quanta: i128,
    /// Trades.
    pub trades: u64,
    /// New orders that named the market.
    pub orders: u64,
    /// Whether it trades.
    pub state: InstrumentState,
}

/// A trade of the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeView {
    /// The market's place.
    pub instrument: usize,
    /// The taker's side.
    pub taker: Side,
    /// Its price.
    pub price_ticks: i64,
    /// Its quantity.
    pub quantity_lots: u64,
    /// When, on the venue's clock.
    pub time_ns: u64,
}

/// How far the demonstration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// New orders sent.
    pub orders: u64,
    /// New orders to be sent in all.
    pub orders_total: u64,
    /// Commands applied, without those of the set-up.
    pub commands: u64,
    /// Trades.
    pub trades: u64,
    /// Events.
    pub events: u64,
    /// Refused commands.
    pub rejects: u64,
    /// Orders that are open.
    pub open_orders: usize,
    /// The venue's clock, since the market opened.
    pub venue_time_ns: u64,
    /// Wall time in which the flow and the engine worked.
    pub elapsed_ns: u64,
    /// CPU time of the engine alone.
    pub engine_cpu_ns: u64,
    /// Whether all orders are sent.
    pub is_done: bool,
}

impl Progress {
    /// Commands in a second of [`Progress::elapsed_ns`].
    #[must_use]
    pub fn commands_per_s(&self) -> u64 {
        per_second(self.commands, self.elapsed_ns)
    }

    /// Commands in a second of [`Progress::engine_cpu_ns`].
    #[must_use]
    pub fn engine_commands_per_s(&self) -> u64 {
        per_second(self.commands, self.engine_cpu_ns)
    }
}

fn per_second(count: u64, nanoseconds: u64) -> u64 {
    (u128::from(count) * 1_000_000_000 / u128::from(nanoseconds.max(1))) as u64
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoSummary {
    /// The counts.
    pub progress: Progress,
    /// Commands that made the venue.
    pub set_up_commands: u64,
    /// Accounts with money, the venue's own included.
    pub accounts: usize,
    /// Quote assets with their decimals, and the quanta that were paid in each.
    pub notional: Vec<(&'static str, u8, i128)>,
    /// Commands by kind, the most frequent first, without those of a kind that nobody knows.
    pub commands_by_kind: Vec<(CommandKind, u64)>,
    /// New orders by class.
    pub orders_by_class: Vec<(OrderClass, u64)>,
    /// Events by kind, the most frequent first.
    pub events_by_kind: Vec<(EventKind, u64)>,
    /// Refused commands by reason, the most frequent first.
    pub rejects_by_reason: Vec<(RejectReason, u64)>,
    /// Bytes of open orders, books and balances.
    pub memory_bytes: usize,
    /// The hash of the engine's whole state: 32 hexadecimal digits.
    pub state_hash: String,
}

/// A flow against an engine. The same configuration ends in the same state, however the steps are cut.
#[derive(Debug)]
pub struct Demo {
    engine: Engine,
    flow: Flow,
    commands: Vec<CommandRecord>,
    events: EventBuffer,
    set_up_commands: u64,
    opened_ns: Option<u64>,
    progress: Progress,
    markets: Vec<MarketView>,
    tape: VecDeque<TradeView>,
    commands_by_kind: [u64; 256],
    orders_by_class: [u64; OrderClass::ALL.len()],
    events_by_kind: [u64; 256],
    rejects_by_reason: [u64; 256],
}

impl Demo {
    /// Sets the venue up.
    ///
    /// # Panics
    /// As [`Flow::new`].
    #[must_use]
    pub fn new(config: FlowConfig) -> Self {
        let flow = Flow::new(config);
        let mut engine = Engine::new(EngineConfig { open_orders_expected: 1 << 15, ..EngineConfig::default() });
        let mut events = EventBuffer::with_capacity(1 << 12);
        for records in flow.set_up().chunk_by(|_, next| is_continuation(next)) {
            engine.apply(records, &mut events);
            let refused = events.as_slice().iter().find(|event| event.kind == EventKind::Rejected as u8);
            assert_eq!(refused, None, "Invariant: the set-up is accepted");
            events.clear();
        }
        Self {
            set_up_commands: engine.sequence(),
            engine,
            flow,
            commands: Vec::with_capacity(256),
            events,
            opened_ns: None,
            progress: Progress { orders_total: config.orders, ..Progress::default() },
            markets: vec![MarketView::default(); config.instruments],
            tape: VecDeque::with_capacity(TAPE),
            commands_by_kind: [0; 256],
            orders_by_class: [0; OrderClass::ALL.len()],
            events_by_kind: [0; 256],
            rejects_by_reason: [0; 256],
        }
    }

    /// Runs at least `commands` commands, or to the end. The flow's own batches are never cut, so any sequence of steps
    /// gives the same stream.
    pub fn step(&mut self, commands: u64) -> Progress {
        let until = self.progress.commands.saturating_add(commands);
        let started = Instant::now();
        while self.progress.commands < until && !self.progress.is_done {
            self.run_batch();
        }
        self.progress.elapsed_ns += started.elapsed().as_nanos() as u64;
        self.progress.open_orders = self.engine.open_order_count();
        self.progress
    }

    fn run_batch(&mut self) {
        self.commands.clear();
        self.flow.next_batch(self.events.as_slice(), &mut self.commands);
        self.events.clear();
        let before_ns = thread_cpu_ns();
        self.engine.apply_all(&self.commands, &mut self.events);
        self.progress.engine_cpu_ns += thread_cpu_ns() - before_ns;
        self.count_commands();
        self.count_events();
        self.progress.commands = self.engine.sequence() - self.set_up_commands;
        self.progress.orders = self.flow.orders_sent();
        self.progress.is_done = self.flow.is_done();
        if self.progress.is_done {
            // There is no next batch, but the flow learns what became of the last one.
            self.flow.next_batch(self.events.as_slice(), &mut self.commands);
        }
        let opened_ns = *self.opened_ns.get_or_insert(self.engine.time_ns());
        self.progress.venue_time_ns = self.engine.time_ns() - opened_ns;
    }

    fn count_commands(&mut self) {
        let mut stream = self.commands.as_slice();
        while !stream.is_empty() {
            let (records, rest) = CommandRecord::split_command(stream);
            stream = rest;
            let first = &records[0];
            self.commands_by_kind[usize::from(first.header.kind)] += 1;
            let kind = CommandKind::from_code(first.header.kind);
            let (order, class, orders) = if kind == Some(CommandKind::PlaceOrder) {
                (first, OrderClass::of(records), 1)
            } else if kind == Some(CommandKind::ReplaceOrder) {
                (&records[1], OrderClass::of(&records[1..]), 1)
            } else if kind == Some(CommandKind::PlaceList) {
                (first, OrderClass::Leg, legs_of(records))
            } else {
                continue;
            };
            self.orders_by_class[class as usize] += orders;
            if let Some(market) = self.markets.get_mut(order.instrument as usize) {
                market.orders += orders;
            }
        }
    }

    fn count_events(&mut self) {
        let events = self.events.as_slice();
        self.progress.events += events.len() as u64;
        for event in events {
            self.events_by_kind[usize::from(event.kind)] += 1;
            if event.kind == EventKind::Trade as u8 {
                self.progress.trades += 1;
                let market = &mut self.markets[event.instrument as usize];
                market.trades += 1;
                market.volume_lots += event.quantity_lots;
                market.notional_quanta += i128::from(event.price_ticks) * i128::from(event.quantity_lots);
                market.first_ticks.get_or_insert(event.price_ticks);
                market.last_ticks = Some(event.price_ticks);
                if self.tape.len() == TAPE {
                    self.tape.pop_front();
                }
                self.tape.push_back(trade_view(event));
            } else if event.kind == EventKind::Rejected as u8 {
                self.progress.rejects += 1;
                self.rejects_by_reason[usize::from(event.reason)] += 1;
            }
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The state that the commands led to.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where the commands come from.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// How the numbers of each market are written.
    #[must_use]
    pub fn market_infos(&self) -> Vec<MarketInfo> {
        let listings = LISTINGS.iter().take(self.markets.len());
        let info = |listing: &super::catalogue::Listing| MarketInfo {
            symbol: listing.symbol(),
            quote: QUOTES[listing.quote].name,
            price_decimals: listing.price_decimals,
            lot_decimals: listing.lot_decimals,
            quote_scale: QUOTES[listing.quote].scale,
        };
        listings.map(info).collect()
    }

    /// What each market has come to.
    #[must_use]
    pub fn markets(&self) -> Vec<MarketView> {
        let best = |place: usize, side| self.engine.best(InstrumentId(place as u32), side).map(|price| price.ticks());
        let view = |(place, market): (usize, &MarketView)| MarketView {
            bid_ticks: best(place, Side::Buy),
            ask_ticks: best(place, Side::Sell),
            state: self
                .engine
                .instrument(InstrumentId(place as u32))
                .map_or_else(Default::default, |known| known.state),
            // Counted in ticks x lots, which is one multiplication less a trade.
            notional_quanta: market.notional_quanta * i128::from(LISTINGS[place].quote_quanta_per_tick_lot()),
            ..*market
        };
        self.markets.iter().enumerate().map(view).collect()
    }

    /// The first `levels` prices of one side of a market, best first.
    ///
    /// # Panics
    /// When there is no such market.
    #[must_use]
    pub fn depth(&self, instrument: usize, side: Side, levels: usize) -> Vec<LevelView> {
        self.engine.level_views(InstrumentId(instrument as u32), side).take(levels).collect()
    }

    /// The last trades, the oldest first.
    pub fn tape(&self) -> impl Iterator<Item = &TradeView> {
        self.tape.iter()
    }

    /// The hash of the whole state.
    #[must_use]
    pub fn state_hash(&self) -> String {
        self.engine.state_hash().to_string()
    }

    /// What happened so far. Audits the whole state first.
    ///
    /// # Panics
    /// When the engine's state does not fit together: a bug.
    #[must_use]
    pub fn summary(&self) -> DemoSummary {
        self.engine.check_invariants();
        let views = self.markets();
        let notional = |(quote, asset): (usize, &super::catalogue::Asset)| {
            let paid = LISTINGS.iter().zip(&views).filter(|(listing, _)| listing.quote == quote);
            (asset.name, asset.scale, paid.map(|(_, view)| view.notional_quanta).sum())
        };
        let orders = |class: &OrderClass| (*class, self.orders_by_class[*class as usize]);
        DemoSummary {
            progress: self.progress,
            set_up_commands: self.set_up_commands,
            accounts: self.engine.registry().accounts().len(),
            notional: QUOTES.iter().enumerate().map(notional).collect(),
            commands_by_kind: ranked(CommandKind::ALL, |kind| self.commands_by_kind[kind as usize]),
            orders_by_class: OrderClass::ALL.iter().map(orders).collect(),
            events_by_kind: ranked(EventKind::ALL, |kind| self.events_by_kind[kind as usize]),
            rejects_by_reason: ranked(RejectReason::ALL, |reason| self.rejects_by_reason[reason as usize]),
            memory_bytes: self.engine.memory_bytes(),
            state_hash: self.state_hash(),
        }
    }
}

/// Whether a record stands behind another one.
fn is_continuation(record: &CommandRecord) -> bool {
    CommandKind::from_code(record.header.kind).is_some_and(CommandKind::is_continuation)
}

/// How many orders a list has.
#[cold]
fn legs_of(records: &[CommandRecord]) -> u64 {
    records.iter().filter(|record| record.header.kind == CommandKind::PlaceOrder as u8).count() as u64
}

fn trade_view(event: &EventRecord) -> TradeView {
    TradeView {
        instrument: event.instrument as usize,
        taker: if event.side == Side::Buy as u8 { Side::Buy } else { Side::Sell },
        price_ticks: event.price_ticks,
        quantity_lots: event.quantity_lots,
        time_ns: event.time_ns,
    }
}

/// What was counted at all, the most frequent first.
fn ranked<T: Copy>(all: &[T], count: impl Fn(T) -> u64) -> Vec<(T, u64)> {
    let counted = all.iter().map(|item| (*item, count(*item)));
    let mut ranked: Vec<_> = counted.filter(|(_, count)| *count > 0).collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
}
