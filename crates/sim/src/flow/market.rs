//! What the flow knows of a market: its limits, its fair value, and, from events alone, its prices.

use std::collections::BTreeMap;

use tradewright_types::{InstrumentState, PriceSource, Side};

use crate::random::Random;

use super::catalogue::{BITCOIN, Listing, QUANTA_PER_DOLLAR};
use super::draw;
use super::population::Population;

/// Prices on each side of a market maker's ladder.
pub(super) const RUNGS: usize = 6;
/// Rungs of a market: makers, sides, prices.
pub(super) const LADDERS: usize = Population::MAKERS * 2 * RUNGS;

/// What a market accepts; see [`tradewright_types::InstrumentLimits`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) price_increment_ticks: i64,
    pub(super) quantity_increment_lots: u64,
    pub(super) quantity_min_lots: u64,
    pub(super) quantity_max_lots: u64,
    pub(super) notional_min_quanta: u64,
    pub(super) notional_max_quanta: u64,
    pub(super) band_ppm: i64,
}

/// One price of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Empty,
    /// A command about it is on its way.
    Pending,
    /// Its order, by place in [`super::live::LiveOrders`].
    Live(u32),
}

#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) limits: Limits,
    pub(super) base_asset: u32,
    pub(super) quote_asset: u32,
    pub(super) quanta_per_dollar: u64,
    pub(super) quote_quanta_per_tick_lot: u64,
    pub(super) base_quanta_per_lot: u64,
    pub(super) reference_ticks: i64,
    /// By [`PriceSource`]: the price that triggers look at, 0 as long as there is none.
    sources: [i64; PriceSource::ALL.len()],
    /// The fair values at which the venue sets none of its prices.
    settled: (i64, i64),
    /// Whether other venues make an index of it: not where it is priced in bitcoin.
    pub(super) has_index: bool,
    /// The lowest and highest price within the band, on the grid.
    band: (i64, i64),
    /// About a basis point, in ticks, at least an increment: what distances are made of.
    pub(super) step_ticks: i64,
    /// Lots for a dollar, in Q16.
    lots_per_dollar: u64,
    /// The value that everybody trades around, in ticks with 16 bits behind the point, and where it is drawn back to.
    fair: i64,
    anchor: i64,
    start: i64,
    restlessness_ppm: i64,
    /// How hard it is drawn back: a step closes one part in two to this of the distance.
    pull_shift: u32,
    /// The fair value of late, and of a while ago.
    fast: i64,
    slow: i64,
    /// The side that takers are on for a while.
    pub(super) leaning: Side,
    /// How many orders stand at each price, by side.
    levels: [BTreeMap<i64, u32>; 2],
    /// Orders on the book that are not on a ladder, by place in [`super::live::LiveOrders`].
    pub(super) orders: Vec<u32>,
    /// Orders that wait for their triggers: they stand at no level.
    pub(super) waiting: Vec<u32>,
    pub(super) rungs: [Rung; LADDERS],
    /// Whether it trades, as far as the events tell.
    pub(super) state: InstrumentState,
}

const MILLION: i64 = 1_000_000;
/// By which part of it everything falls.
const FALL_PART: i64 = 64;
/// A market of its own wanders far; one that follows others stays within some basis points of them.
const PULL_SHIFT: u32 = 17;
const PULL_SHIFT_OF_FOLLOWERS: u32 = 8;
/// How far the prices that the venue sets may be behind, as a part of them.
const REFERENCE_PART: i64 = 100;
const MARK_PART: i64 = 2_000;
const INDEX_PART: i64 = 1_000;
/// One, in the ratios that followers go by.
const RATIO_ONE: i64 = 1 << 20;

impl Market {
    pub(super) fn new(listing: &Listing, base_asset: u32) -> Self {
        let quanta_per_dollar = QUANTA_PER_DOLLAR[listing.quote];
        let quote_quanta_per_tick_lot = listing.quote_quanta_per_tick_lot();
        let lots_for = |dollars: u64| {
            (dollars * quanta_per_dollar).div_ceil(listing.price_ticks as u64 * quote_quanta_per_tick_lot)
        };
        let quantity_increment_lots = if lots_for(1) >= 50 { 10 } else { 1 };
        let on_grid = |lots: u64| lots.next_multiple_of(quantity_increment_lots);
        let limits = Limits {
            price_increment_ticks: i64::from(listing.price_increment_ticks),
            quantity_increment_lots,
            quantity_min_lots: on_grid(lots_for(2)),
            quantity_max_lots: on_grid(lots_for(4_000_000)),
            notional_min_quanta: 5 * quanta_per_dollar,
            notional_max_quanta: 2_000_000 * quanta_per_dollar,
            band_ppm: i64::from(listing.band_ppm),
        };
        let start = listing.price_ticks << 16;
        let mut market = Self {
            limits,
            base_asset,
            quote_asset: listing.quote as u32,
            quanta_per_dollar,
            quote_quanta_per_tick_lot,
            base_quanta_per_lot: listing.base_quanta_per_lot(),
            reference_ticks: 0,
            sources: [0; PriceSource::ALL.len()],
            settled: (0, 0),
            has_index: listing.quote != BITCOIN,
            band: (0, 0),
            step_ticks: 0,
            lots_per_dollar: 0,
            fair: start,
            anchor: start,
            start,
            pull_shift: PULL_SHIFT,
            restlessness_ppm: listing.restlessness_ppm,
            fast: start,
            slow: start,
            leaning: Side::Buy,
            levels: Default::default(),
            orders: Vec::new(),
            waiting: Vec::new(),
            rungs: [Rung::Empty; LADDERS],
            state: InstrumentState::Continuous,
        };
        market.set_reference(listing.price_ticks);
        market
    }

    /// Notes the reference price that the band and the sizes go by.
    pub(super) fn set_reference(&mut self, ticks: i64) {
        let increment = self.limits.price_increment_ticks;
        self.reference_ticks = ticks;
        let low = (ticks * (MILLION - self.limits.band_ppm) + MILLION - 1) / MILLION;
        let high = ticks * (MILLION + self.limits.band_ppm) / MILLION;
        self.band = ((low + increment - 1) / increment * increment, high / increment * increment);
        self.step_ticks = (ticks / 10_000 / increment).max(1) * increment;
        self.lots_per_dollar = (self.quanta_per_dollar << 16) / (ticks as u64 * self.quote_quanta_per_tick_lot);
    }

    /// The next step of the fair value: it wanders, jumps now and then, and is drawn back slowly.
    #[inline]
    pub(super) fn step_fair(&mut self, random: &mut Random) {
        let millionth = self.fair / MILLION;
        let draws = draw::bell(random);
        self.fair += millionth * draws * self.restlessness_ppm + (self.anchor - self.fair) / (1 << self.pull_shift);
        if random.chance_ppm(20) {
            self.fair += millionth * draws * self.restlessness_ppm * 100;
        }
        self.fast += (self.fair - self.fast) / (1 << 6);
        self.slow += (self.fair - self.slow) / (1 << 10);
    }

    /// The fair value as a multiple of where it started, with 20 bits behind the point.
    #[inline]
    pub(super) fn ratio(&self) -> i64 {
        self.fair / (self.start >> 20).max(1)
    }

    /// Draws the market to where others have gone: `base` and `quote` are the ratios of the markets that lead its
    /// assets.
    #[inline]
    pub(super) fn follow(&mut self, base: i64, quote: Option<i64>) {
        let ratio = quote.map_or(base, |quote| base * RATIO_ONE / quote);
        self.anchor = ((self.start >> 10) * ratio) >> 10;
        self.pull_shift = PULL_SHIFT_OF_FOLLOWERS;
    }

    /// A trade moves the fair value a little to the taker's side.
    #[inline]
    pub(super) fn feel_trade(&mut self, taker: Side, price_ticks: i64) {
        self.sources[PriceSource::Last as usize] = price_ticks;
        let impact = self.fair / MILLION * self.restlessness_ppm / 4;
        self.fair += match taker {
            Side::Buy => impact,
            Side::Sell => -impact,
        };
    }

    /// The day on which everything falls.
    pub(super) fn fall(&mut self) {
        self.fair -= self.fair / FALL_PART;
        self.anchor -= self.anchor / FALL_PART;
    }

    /// The price of a source, when there is one.
    #[inline]
    pub(super) fn source_ticks(&self, source: PriceSource) -> Option<i64> {
        Some(self.sources[source as usize]).filter(|ticks| *ticks != 0)
    }

    /// Notes the price of a source.
    pub(super) fn set_source(&mut self, source: PriceSource, ticks: i64) {
        self.sources[source as usize] = ticks;
    }

    /// Whether the fair value has left the prices that the venue sets: see [`Market::settle`].
    #[inline]
    pub(super) fn is_unsettled(&self) -> bool {
        !(self.settled.0..=self.settled.1).contains(&self.fair_ticks())
    }

    /// Notes between which fair values no price is behind by more than its part: one hundredth for the reference, a
    /// two thousandth for the mark price, a thousandth for the index price.
    pub(super) fn settle(&mut self) {
        let [_, mark, index] = self.sources;
        let parts = [(self.reference_ticks, REFERENCE_PART), (mark, MARK_PART), (index, INDEX_PART)];
        let known = &parts[..if self.has_index { 3 } else { 2 }];
        let low = known.iter().map(|(ticks, part)| ticks - ticks / part).max();
        let high = known.iter().map(|(ticks, part)| ticks + ticks / part).min();
        self.settled = low.zip(high).expect("Invariant: every market has a reference");
    }

    /// Whether the fair value has left the reference price.
    pub(super) fn has_left_reference(&self) -> bool {
        is_behind(self.reference_ticks, self.fair_ticks(), REFERENCE_PART)
    }

    /// Whether the fair value has left the mark price.
    pub(super) fn has_left_mark(&self) -> bool {
        is_behind(self.sources[PriceSource::Mark as usize], self.fair_ticks(), MARK_PART)
    }

    /// Whether the fair value has left the index price, where there is one.
    pub(super) fn has_left_index(&self) -> bool {
        self.has_index && is_behind(self.sources[PriceSource::Index as usize], self.fair_ticks(), INDEX_PART)
    }

    /// The orders on the book, or those that wait.
    #[inline]
    pub(super) fn list(&mut self, waits: bool) -> &mut Vec<u32> {
        if waits { &mut self.waiting } else { &mut self.orders }
    }

    pub(super) fn fair_ticks(&self) -> i64 {
        self.fair >> 16
    }

    /// The side of the current trend.
    pub(super) fn trend(&self) -> Side {
        if self.fast >= self.slow { Side::Buy } else { Side::Sell }
    }

    /// `ticks` on the price grid, rounded away from the other side, and within the band.
    #[inline]
    pub(super) fn price(&self, side: Side, ticks: i64) -> i64 {
        let increment = self.limits.price_increment_ticks;
        let on_grid = match (increment, side) {
            (1, _) => ticks,
            (_, Side::Buy) => ticks / increment * increment,
            (_, Side::Sell) => (ticks + increment - 1) / increment * increment,
        };
        on_grid.clamp(self.band.0, self.band.1)
    }

    /// The lots that `dollars` pay for, as an order may have them.
    #[inline]
    pub(super) fn lots(&self, dollars: u64) -> u64 {
        self.on_lots((dollars * self.lots_per_dollar) >> 16)
    }

    /// `lots` as an order may have them.
    #[inline]
    pub(super) fn on_lots(&self, lots: u64) -> u64 {
        let increment = self.limits.quantity_increment_lots;
        let on_grid = if increment == 1 { lots } else { lots / increment * increment };
        // The minimum pays two dollars, the smallest notional is five.
        on_grid.clamp(3 * self.limits.quantity_min_lots, self.limits.quantity_max_lots)
    }

    /// The prices of a side at which orders stand.
    #[cfg(test)]
    pub(super) fn prices(&self, side: Side) -> Vec<i64> {
        self.levels[side as usize].keys().copied().collect()
    }

    /// The best price of a side.
    #[inline]
    pub(super) fn best(&self, side: Side) -> Option<i64> {
        let levels = &self.levels[side as usize];
        match side {
            Side::Buy => levels.last_key_value(),
            Side::Sell => levels.first_key_value(),
        }
        .map(|(price, _)| *price)
    }

    /// The best price of a side, or where it would be if somebody quoted.
    #[inline]
    pub(super) fn best_or_fair(&self, side: Side) -> i64 {
        self.best(side).unwrap_or_else(|| away(side, self.fair_ticks(), self.step_ticks))
    }

    /// `ticks`, moved to the passive side of the opposite best price.
    #[inline]
    pub(super) fn behind_opposite(&self, side: Side, ticks: i64) -> i64 {
        let increment = self.limits.price_increment_ticks;
        match (self.best(side.opposite()), side) {
            (Some(ask), Side::Buy) => ticks.min(ask - increment),
            (Some(bid), Side::Sell) => ticks.max(bid + increment),
            (None, _) => ticks,
        }
    }

    #[inline]
    pub(super) fn add_to_level(&mut self, side: usize, price: i64) {
        *self.levels[side].entry(price).or_default() += 1;
    }

    #[inline]
    pub(super) fn take_from_level(&mut self, side: usize, price: i64) {
        let std::collections::btree_map::Entry::Occupied(mut level) = self.levels[side].entry(price) else {
            unreachable!("Invariant: a live order stands at a level");
        };
        *level.get_mut() -= 1;
        if *level.get() == 0 {
            level.remove();
        }
    }
}

/// Whether `fair` is more than a `part`-th of `ticks` away from it.
fn is_behind(ticks: i64, fair: i64, part: i64) -> bool {
    (fair - ticks).abs() > ticks / part
}

/// A price `distance` worse for its owner's counterpart: below for a bid, above for an ask.
#[inline]
pub(super) fn away(side: Side, price: i64, distance: i64) -> i64 {
    match side {
        Side::Buy => price - distance,
        Side::Sell => price + distance,
    }
}
