//! The demonstration, from Python: the simulator's own driver, a step at a time.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use tradewright_sim::flow;
use tradewright_types::Side;

/// Fifty simulated markets in one process. The same arguments end in the same state, however the steps are cut.
#[pyclass(module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct Demo {
    demo: flow::Demo,
}

#[pymethods]
impl Demo {
    #[new]
    #[pyo3(signature = (seed, orders, accounts=10_000, instruments=50))]
    fn new(py: Python<'_>, seed: u64, orders: u64, accounts: usize, instruments: usize) -> PyResult<Self> {
        let config = flow::FlowConfig { seed, orders, accounts, instruments };
        config.check().map_err(PyValueError::new_err)?;
        Ok(Self { demo: py.detach(|| flow::Demo::new(config)) })
    }

    /// Run at least so many commands, or to the end. Return whether all orders are sent.
    fn step(&mut self, py: Python<'_>, commands: u64) -> bool {
        py.detach(|| self.demo.step(commands).is_done)
    }

    /// Return how far it is.
    fn progress(&self) -> DemoProgress {
        DemoProgress::of(&self.demo.progress())
    }

    /// Return what each market has come to, the busiest first.
    fn markets(&self) -> Vec<DemoMarket> {
        let infos = self.demo.market_infos().into_iter();
        infos.zip(self.demo.markets()).map(|(info, view)| DemoMarket::of(info, &view)).collect()
    }

    /// Return the bids and the asks of a market, best first: price in ticks, quantity in lots, number of orders.
    #[expect(clippy::type_complexity, reason = "two lists of three numbers, as Python reads them")]
    fn depth(&self, market: usize, levels: usize) -> PyResult<(Vec<(i64, u64, u32)>, Vec<(i64, u64, u32)>)> {
        let markets = self.demo.flow().config().instruments;
        if market >= markets {
            return Err(PyIndexError::new_err(format!("market={market} must be below {markets}")));
        }
        let side = |side| {
            let views = self.demo.depth(market, side, levels).into_iter();
            views.map(|view| (view.price.ticks(), view.quantity.lots(), view.orders)).collect()
        };
        Ok((side(Side::Buy), side(Side::Sell)))
    }

    /// Return the last trades, the oldest first.
    fn tape(&self) -> Vec<DemoTrade> {
        self.demo.tape().map(DemoTrade::of).collect()
    }

    /// Audit the whole state and return what happened.
    fn summary(&self, py: Python<'_>) -> DemoSummary {
        DemoSummary::of(py.detach(|| self.demo.summary()))
    }
}

/// How far a demonstration is.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct DemoProgress {
    /// New orders sent.
    orders: u64,
    /// New orders to be sent in all.
    orders_total: u64,
    /// Commands applied, without those that made the venue.
    commands: u64,
    /// Trades.
    trades: u64,
    /// Events.
    events: u64,
    /// Refused commands.
    rejects: u64,
    /// Orders that are open.
    open_orders: usize,
    /// The venue's clock, since the market opened.
    venue_time_ns: u64,
    /// Wall time in which the flow and the engine worked.
    elapsed_ns: u64,
    /// CPU time of the engine alone.
    engine_cpu_ns: u64,
    /// Commands in a second of wall time, flow and engine together.
    commands_per_s: u64,
    /// Commands in a second of the engine's CPU time.
    engine_commands_per_s: u64,
    /// Whether all orders are sent.
    is_done: bool,
}

impl DemoProgress {
    fn of(progress: &flow::Progress) -> Self {
        Self {
            orders: progress.orders,
            orders_total: progress.orders_total,
            commands: progress.commands,
            trades: progress.trades,
            events: progress.events,
            rejects: progress.rejects,
            open_orders: progress.open_orders,
            venue_time_ns: progress.venue_time_ns,
            elapsed_ns: progress.elapsed_ns,
            engine_cpu_ns: progress.engine_cpu_ns,
            commands_per_s: progress.commands_per_s(),
            engine_commands_per_s: progress.engine_commands_per_s(),
            is_done: progress.is_done,
        }
    }
}

/// What a market of a demonstration has come to.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct DemoMarket {
    /// Such as `BTC/USDT`.
    symbol: String,
    /// The asset that prices are in.
    quote: &'static str,
    /// A tick is ten to the minus this.
    price_decimals: u8,
    /// A lot is ten to the minus this; may be negative.
    lot_decimals: i8,
    /// A quote quantum is ten to the minus this.
    quote_scale: u8,
    /// The best bid.
    bid_ticks: Option<i64>,
    /// The best ask.
    ask_ticks: Option<i64>,
    /// The price of the last trade.
    last_ticks: Option<i64>,
    /// The price of the first trade.
    first_ticks: Option<i64>,
    /// What was traded, in lots.
    volume_lots: u64,
    /// What was paid for it, in quanta of the quote asset.
    notional_quanta: i128,
    /// Trades.
    trades: u64,
    /// New orders that named the market.
    orders: u64,
}

impl DemoMarket {
    fn of(info: flow::MarketInfo, view: &flow::MarketView) -> Self {
        Self {
            symbol: info.symbol,
            quote: info.quote,
            price_decimals: info.price_decimals,
            lot_decimals: info.lot_decimals,
            quote_scale: info.quote_scale,
            bid_ticks: view.bid_ticks,
            ask_ticks: view.ask_ticks,
            last_ticks: view.last_ticks,
            first_ticks: view.first_ticks,
            volume_lots: view.volume_lots,
            notional_quanta: view.notional_quanta,
            trades: view.trades,
            orders: view.orders,
        }
    }
}

/// A trade of a demonstration.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct DemoTrade {
    /// The market's place in `markets()`.
    market: usize,
    /// Whether the taker bought.
    is_buy: bool,
    /// Its price.
    price_ticks: i64,
    /// Its quantity.
    quantity_lots: u64,
    /// When, on the venue's clock.
    time_ns: u64,
}

impl DemoTrade {
    fn of(trade: &flow::TradeView) -> Self {
        Self {
            market: trade.instrument,
            is_buy: trade.taker == Side::Buy,
            price_ticks: trade.price_ticks,
            quantity_lots: trade.quantity_lots,
            time_ns: trade.time_ns,
        }
    }
}

/// What happened in a demonstration. Counts come as pairs, the most frequent first.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct DemoSummary {
    /// Commands that made the venue.
    set_up_commands: u64,
    /// Accounts, the venue's own two included.
    accounts: usize,
    /// Quote asset, its decimals, and the quanta that were paid in it.
    notional: Vec<(&'static str, u8, i128)>,
    /// Commands by kind, without those of a kind that nobody knows.
    commands_by_kind: Vec<(&'static str, u64)>,
    /// New orders by class.
    orders_by_class: Vec<(&'static str, u64)>,
    /// Events by kind.
    events_by_kind: Vec<(&'static str, u64)>,
    /// Refused commands by reason.
    rejects_by_reason: Vec<(&'static str, u64)>,
    /// Bytes of open orders, books and balances.
    memory_bytes: usize,
    /// The hash of the engine's whole state: 32 hexadecimal digits.
    state_hash: String,
}

impl DemoSummary {
    fn of(summary: flow::DemoSummary) -> Self {
        Self {
            set_up_commands: summary.set_up_commands,
            accounts: summary.accounts,
            notional: summary.notional,
            commands_by_kind: named(summary.commands_by_kind, |kind| kind.name()),
            orders_by_class: named(summary.orders_by_class, |class| class.name()),
            events_by_kind: named(summary.events_by_kind, |kind| kind.name()),
            rejects_by_reason: named(summary.rejects_by_reason, |reason| reason.name()),
            memory_bytes: summary.memory_bytes,
            state_hash: summary.state_hash,
        }
    }
}

fn named<T>(counts: Vec<(T, u64)>, name: impl Fn(T) -> &'static str) -> Vec<(&'static str, u64)> {
    counts.into_iter().map(|(item, count)| (name(item), count)).collect()
}
