//! Seeded order flow over fifty spot markets and ten thousand accounts.
//!
//! [`Flow`] is a function from a seed and the engine's events to commands. It owns what traders want and what they
//! know of their own orders; what the engine makes of their commands it learns from the events alone, once a batch.
//! There is no float and no clock in it: the same seed gives the same commands on every machine, in every build.
//!
//! `arrivals.rs` says when something happens and where, `traders.rs` what the trader whose turn it is does about it,
//! `protection.rs` how it guards what it has, `lists.rs` how it ties orders together, `display.rs` how it shows little of
//! them, `pegs.rs` how they follow others, `mistakes.rs` what goes wrong on the way, `housekeeping.rs` what the venue does
//! meanwhile, `control.rs` whom it cuts off, `approvals.rs` whose orders it looks at, `sessions.rs` when its markets trade. [`Demo`] runs it all against an engine.

#![deny(clippy::float_arithmetic)]

mod approvals;
mod arrivals;
mod catalogue;
mod control;
mod demo;
mod display;
mod draw;
mod housekeeping;
mod lists;
mod live;
mod market;
mod mistakes;
mod observe;
mod pegs;
mod population;
mod protection;
mod records;
mod sessions;
mod set_up;
#[cfg(test)]
mod tests;
mod traders;

use tradewright_types::{AccountId, CommandKind, CommandRecord, EventRecord, OrderFlags};

use crate::random::Random;

use approvals::Approvals;
use arrivals::Arrivals;
use catalogue::LISTINGS;
use housekeeping::Housekeeping;
use lists::Lists;
use live::LiveOrders;
use market::{LADDERS, Market};
use population::{Population, popularity};
use sessions::Sessions;

pub use demo::{Demo, DemoSummary, MarketInfo, MarketView, OrderClass, Progress, TradeView};

/// What a flow is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowConfig {
    /// Decides every draw.
    pub seed: u64,
    /// How many new orders (placed or put in another's place) are sent before the flow ends.
    pub orders: u64,
    /// Accounts besides the venue's own two.
    pub accounts: usize,
    /// Markets, the busiest first.
    pub instruments: usize,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self { seed: 7, orders: 1_000_000, accounts: 10_000, instruments: Self::INSTRUMENTS_MAX }
    }
}

impl FlowConfig {
    /// The markets there are.
    pub const INSTRUMENTS_MAX: usize = LISTINGS.len();
    /// The fewest accounts with which every part can be played.
    pub const ACCOUNTS_MIN: usize = Population::ACCOUNTS_MIN;
    /// The most accounts.
    pub const ACCOUNTS_MAX: usize = 1_000_000;

    /// Whether a flow can be made of it.
    ///
    /// # Errors
    /// The field, its value and its bounds.
    pub fn check(&self) -> Result<(), String> {
        let Self { seed: _, orders: _, accounts, instruments } = *self;
        let within = |name: &str, value: usize, low: usize, high: usize| {
            let inside = (low..=high).contains(&value);
            if inside { Ok(()) } else { Err(format!("{name}={value} must be {low} to {high}")) }
        };
        within("instruments", instruments, 1, Self::INSTRUMENTS_MAX)?;
        within("accounts", accounts, Self::ACCOUNTS_MIN, Self::ACCOUNTS_MAX)
    }
}

/// Events are read and new commands written in batches of about this many records. Part of the stream's definition.
const BATCH: usize = 64;
/// Arrivals in a second over all markets, before those that others cause.
const ARRIVALS_PER_SECOND: u64 = 8_000;
/// Of a thousand arrivals, how many cause another one.
const CHILDREN_PERMILLE: u64 = 450;
/// Between the opening orders.
const OPENING_STEP_NS: u64 = 100_000;

/// Traders, their markets and their orders. See the module.
#[derive(Clone, Debug)]
pub struct Flow {
    config: FlowConfig,
    random: Random,
    arrivals: Arrivals,
    population: Population,
    markets: Vec<Market>,
    /// By market: the markets that lead its base and its quote asset, when it is not such a market itself.
    leaders: Vec<Option<(usize, Option<usize>)>>,
    live: LiveOrders,
    lists: Lists,
    approvals: Approvals,
    housekeeping: Housekeeping,
    sessions: Sessions,
    orders_sent: u64,
    /// Numbers the client order ids.
    client_ids: u64,
    /// Rungs that have had their opening order.
    opened: usize,
}

impl Flow {
    /// Casts the traders of `config`.
    ///
    /// # Panics
    /// When [`FlowConfig::check`] refuses `config`.
    #[must_use]
    pub fn new(config: FlowConfig) -> Self {
        if let Err(broken) = config.check() {
            panic!("Condition failed: {broken}");
        }
        let FlowConfig { seed, orders: _, accounts, instruments } = config;
        const { assert!(FlowConfig::INSTRUMENTS_MAX <= Arrivals::MARKETS_MAX) };
        let mut random = Random::new(seed);
        let population = Population::cast(&mut random.fork(), accounts, instruments);
        let assets = set_up::assets(instruments);
        let listed = LISTINGS.iter().take(instruments);
        let markets = listed.map(|listing| Market::new(listing, set_up::asset_id(&assets, listing.base))).collect();
        let mut arrivals = Arrivals::starting_at(1_000_000_000);
        let total: u64 = (0..instruments).map(|market| u64::from(popularity(market))).sum();
        for market in 0..instruments {
            let per_second = (ARRIVALS_PER_SECOND * u64::from(popularity(market)) / total).max(1);
            // Every fifth market is calm: its arrivals know nothing of each other.
            arrivals.set(market, per_second, if market % 5 == 4 { 0 } else { CHILDREN_PERMILLE });
        }
        Self {
            config,
            random,
            arrivals,
            population,
            markets,
            leaders: (0..instruments).map(|market| catalogue::leaders(market, instruments)).collect(),
            live: LiveOrders::default(),
            lists: Lists::default(),
            approvals: Approvals::default(),
            housekeeping: Housekeeping::default(),
            sessions: Sessions::default(),
            orders_sent: 0,
            client_ids: 0,
            opened: 0,
        }
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> FlowConfig {
        self.config
    }

    /// New orders sent so far.
    #[must_use]
    pub fn orders_sent(&self) -> u64 {
        self.orders_sent
    }

    /// Whether the last batch was written.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.orders_sent >= self.config.orders
    }

    /// Open orders, as far as the events tell.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Reads the events of the batch before and adds the next batch of commands to `out`. Adds nothing when the flow
    /// is done.
    pub fn next_batch(&mut self, events: &[EventRecord], out: &mut Vec<CommandRecord>) {
        self.observe(events);
        let full = out.len() + BATCH;
        while out.len() < full && !self.is_done() {
            let rungs = self.markets.len() * LADDERS;
            if self.opened < rungs {
                // Rung by rung over all markets, so that every book gets its first prices early.
                let (rung, market) = (self.opened / self.markets.len(), self.opened % self.markets.len());
                self.opened += 1;
                self.arrivals.advance(OPENING_STEP_NS);
                self.open_rung(market, rung, out);
            } else {
                let market = self.arrivals.next(&mut self.random);
                self.keep_house(market, out);
                self.trade(market, out);
            }
        }
        if self.is_done() {
            self.end_halt(out);
            self.end_calls(out);
            self.end_cut_off(out);
        }
    }

    /// Sends a command of one record.
    #[inline]
    fn send(&mut self, mut record: CommandRecord, out: &mut Vec<CommandRecord>) {
        debug_assert_eq!(record.header.record_count, 1, "Invariant: the command is this record");
        if record.header.kind == CommandKind::PlaceOrder as u8 {
            if self.is_done() {
                return;
            }
            self.orders_sent += 1;
        }
        self.stamp(&mut record);
        out.push(record);
    }

    /// Writes when a command is sent, and by which session its orders come.
    #[inline]
    fn stamp(&self, record: &mut CommandRecord) {
        record.header.time_ns = self.arrivals.time_ns();
        if CommandKind::from_code(record.header.kind).is_some_and(CommandKind::is_order_entry) {
            record.header.session = self.population.session(AccountId(record.account)).0;
        }
    }

    /// Sends a command of several records.
    fn send_all<const N: usize>(&mut self, mut records: [CommandRecord; N], out: &mut Vec<CommandRecord>) {
        let kind = records[0].header.kind;
        if kind == CommandKind::PlaceOrder as u8 || kind == CommandKind::ReplaceOrder as u8 {
            if self.is_done() {
                return;
            }
            self.orders_sent += 1;
        }
        records[0].header.record_count = N as u16;
        self.stamp(&mut records[0]);
        out.extend(records);
    }

    /// Sends a new order under a client order id of its own.
    #[inline]
    fn place(&mut self, mut record: CommandRecord, out: &mut Vec<CommandRecord>) {
        self.client_ids += 1;
        if Population::writes_text_ids(AccountId(record.account)) {
            record.flags |= OrderFlags::TEXT_ID.0;
            let text = observe::text_id(self.client_ids);
            self.send_all([record, text], out);
        } else {
            record.order_ref = observe::number_id(self.client_ids, None);
            self.send(record, out);
        }
    }
}
