//! Circuit breakers: when a price has moved too far, too fast. They decide and do nothing: who pauses what, and how trading
//! resumes, is not theirs. Times are logical and never go back.
//!
//! A price trips a [`MoveLimit`] when it is further from the lowest or the highest price of a rolling window than a number of
//! ticks. Two of them make a [`Breaker`]: over an hour with a share of the settlement price (CME's dynamic circuit breaker),
//! and over a moment with a few ticks (velocity logic). [`MarketWideLevel`] looks at an index and the close before.

use core::num::{NonZeroU32, NonZeroU64};
use std::collections::VecDeque;

use tradewright_types::{Price, Side};

use crate::Band;

const MILLION: u128 = 1_000_000;
const SECOND_NS: u64 = 1_000_000_000;
const MINUTE_NS: u64 = 60 * SECOND_NS;

/// Which limit a price trips. In descending precedence: when both apply, it is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trip {
    /// The dynamic circuit breaker: too far within the hour.
    Dynamic,
    /// Velocity logic: too far at once.
    Velocity,
}

/// The breaker of one instrument.
///
/// A price is judged first and observed when it has traded; one that trips is not observed, so the window never spans more
/// than the limit and always leaves a band. After a pause the windows restart, with the price of the auction as their first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    dynamic: Option<MoveLimit>,
    velocity: Option<MoveLimit>,
}

impl Breaker {
    /// A breaker of these limits. One that is left out never trips.
    pub fn new(dynamic: Option<MoveLimit>, velocity: Option<MoveLimit>) -> Self {
        Self { dynamic, velocity }
    }

    /// What a trade at `price` trips.
    pub fn judge_trade(&mut self, now_ns: u64, price: Price) -> Option<Trip> {
        self.first_trip(now_ns, |band| !band.contains(price))
    }

    /// What an incoming order trips: a bid above the band, an ask below it. Away from the market no order is too far.
    pub fn judge_order(&mut self, now_ns: u64, side: Side, price: Price) -> Option<Trip> {
        self.first_trip(now_ns, |band| match side {
            Side::Buy => price > band.high,
            Side::Sell => price < band.low,
        })
    }

    fn first_trip(&mut self, now_ns: u64, trips: impl Fn(Band) -> bool) -> Option<Trip> {
        let Self { dynamic, velocity } = self;
        let tripped = |limit: &mut Option<MoveLimit>, trip| {
            let band = limit.as_mut().and_then(|limit| limit.band(now_ns));
            band.is_some_and(&trips).then_some(trip)
        };
        tripped(dynamic, Trip::Dynamic).or_else(|| tripped(velocity, Trip::Velocity))
    }

    /// The worst price that a taker of this side can reach when it trades at `first` to begin with, and then at ever worse prices.
    /// `None` when already the first one trips.
    pub fn reach(&self, now_ns: u64, side: Side, first: Price) -> Option<Price> {
        let Self { dynamic, velocity } = self;
        let furthest = match side {
            Side::Buy => Price::from_ticks(i64::MAX),
            Side::Sell => Price::from_ticks(i64::MIN),
        };
        [dynamic, velocity].into_iter().flatten().try_fold(furthest, |worst, limit| {
            let reach = limit.reach(now_ns, side, first)?;
            Some(if side == Side::Buy { worst.min(reach) } else { worst.max(reach) })
        })
    }

    /// The windows of the two limits.
    pub fn windows(&self) -> [Option<&RollingPrices>; 2] {
        let Self { dynamic, velocity } = self;
        [dynamic, velocity].map(|limit| limit.as_ref().map(|limit| &limit.prices))
    }

    /// The same, to be restored.
    pub fn windows_mut(&mut self) -> [Option<&mut RollingPrices>; 2] {
        let Self { dynamic, velocity } = self;
        [dynamic, velocity].map(|limit| limit.as_mut().map(|limit| &mut limit.prices))
    }

    /// Takes in the price of a trade.
    pub fn observe(&mut self, now_ns: u64, price: Price) {
        let Self { dynamic, velocity } = self;
        [dynamic, velocity].into_iter().flatten().for_each(|limit| limit.observe(now_ns, price));
    }

    /// Forgets every price, when trading resumes.
    pub fn restart(&mut self) {
        let Self { dynamic, velocity } = self;
        [dynamic, velocity].into_iter().flatten().for_each(MoveLimit::restart);
    }

    /// Panics unless both windows are in order.
    pub fn check_invariants(&self) {
        let Self { dynamic, velocity } = self;
        [dynamic, velocity].into_iter().flatten().for_each(MoveLimit::check_invariants);
    }
}

/// How far the dynamic circuit breaker lets a price move: a share of the settlement price of the day before, rounded down to
/// the price increment. `None` when that is nothing: a breaker that trips at every change is none.
pub fn variant_ticks(settlement: Price, share_ppm: u32, price_increment_ticks: NonZeroU32) -> Option<NonZeroU64> {
    let ticks = u128::from(settlement.ticks().unsigned_abs()) * u128::from(share_ppm) / MILLION;
    let ticks = ticks - ticks % u128::from(price_increment_ticks.get());
    NonZeroU64::new(u64::try_from(ticks).unwrap_or(u64::MAX))
}

/// How far a price may move within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveLimit {
    move_max_ticks: NonZeroU64,
    prices: RollingPrices,
}

impl MoveLimit {
    /// A limit with nothing in its window yet.
    pub fn new(move_max_ticks: NonZeroU64, window: Window) -> Self {
        Self { move_max_ticks, prices: RollingPrices::new(window) }
    }

    /// The prices that do not trip: from the highest less the limit to the lowest plus the limit. `None` when the window is
    /// empty: any price may be the first.
    pub fn band(&mut self, now_ns: u64) -> Option<Band> {
        let (low, high) = self.prices.range(now_ns)?;
        let ticks = self.move_max_ticks.get();
        Some(Band {
            low: Price::from_ticks(high.ticks().saturating_sub_unsigned(ticks)),
            high: Price::from_ticks(low.ticks().saturating_add_unsigned(ticks)),
        })
    }

    /// See [`Breaker::reach`].
    fn reach(&self, now_ns: u64, side: Side, first: Price) -> Option<Price> {
        let (low, high) = self.prices.peek(now_ns).unwrap_or((first, first));
        let (low, high) = (low.min(first), high.max(first));
        let ticks = self.move_max_ticks.get();
        if high.ticks().abs_diff(low.ticks()) > ticks {
            return None;
        }
        Some(match side {
            Side::Buy => Price::from_ticks(low.ticks().saturating_add_unsigned(ticks)),
            Side::Sell => Price::from_ticks(high.ticks().saturating_sub_unsigned(ticks)),
        })
    }

    /// Takes in the price of a trade.
    pub fn observe(&mut self, now_ns: u64, price: Price) {
        self.prices.observe(now_ns, price);
    }

    /// Forgets every price.
    pub fn restart(&mut self) {
        self.prices.restart();
    }

    /// Panics unless the window is in order.
    pub fn check_invariants(&self) {
        let Self { move_max_ticks: _, prices } = self;
        prices.check_invariants();
    }
}

/// How long a price is remembered: `slots` slots of `slot_ns`, and what has passed of the present one. A price counts for at
/// least the window, and for less than a slot more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The length of a slot. Slots begin at its multiples.
    pub slot_ns: NonZeroU64,
    /// How many of them. Memory is for as many: at most one price a slot and end is kept.
    pub slots: NonZeroU32,
}

impl Window {
    /// An hour of slots of ten seconds.
    pub const HOUR: Self =
        Self { slot_ns: NonZeroU64::new(10 * SECOND_NS).unwrap(), slots: NonZeroU32::new(360).unwrap() };
}

/// The lowest and the highest price of a window. Memory is taken once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollingPrices {
    window: Window,
    /// Prices that may still be the highest: each is above all that came later, and stands once a slot.
    highs: VecDeque<Seen>,
    /// Prices that may still be the lowest.
    lows: VecDeque<Seen>,
}

/// A price and the number of its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    slot: u64,
    price: Price,
}

impl RollingPrices {
    /// An empty window.
    pub fn new(window: Window) -> Self {
        let capacity = window.slots.get() as usize + 1;
        Self { window, highs: VecDeque::with_capacity(capacity), lows: VecDeque::with_capacity(capacity) }
    }

    /// Takes in a price.
    pub fn observe(&mut self, now_ns: u64, price: Price) {
        let slot = self.leave_behind(now_ns);
        let seen = Seen { slot, price };
        remember(&mut self.highs, seen, |earlier| earlier <= price);
        remember(&mut self.lows, seen, |earlier| earlier >= price);
    }

    /// The lowest and the highest price. `None` when there is none in the window.
    pub fn range(&mut self, now_ns: u64) -> Option<(Price, Price)> {
        self.leave_behind(now_ns);
        self.lows.front().zip(self.highs.front()).map(|(low, high)| (low.price, high.price))
    }

    /// The same as [`RollingPrices::range`], and nothing is forgotten.
    fn peek(&self, now_ns: u64) -> Option<(Price, Price)> {
        let first = (now_ns / self.window.slot_ns).saturating_sub(u64::from(self.window.slots.get()));
        let end = |ends: &VecDeque<Seen>| ends.iter().find(|seen| seen.slot >= first).map(|seen| seen.price);
        end(&self.lows).zip(end(&self.highs))
    }

    /// The prices that may still be the highest and those that may still be the lowest at `now_ns`, each with the number of its slot.
    pub fn seen(&self, now_ns: u64) -> [Vec<(u64, Price)>; 2] {
        let first = (now_ns / self.window.slot_ns).saturating_sub(u64::from(self.window.slots.get()));
        [&self.highs, &self.lows]
            .map(|ends| ends.iter().filter(|seen| seen.slot >= first).map(|seen| (seen.slot, seen.price)).collect())
    }

    /// Takes over what [`RollingPrices::seen`] gave. `false` when that cannot be: then nothing has changed.
    pub fn restore(&mut self, [highs, lows]: [Vec<(u64, Price)>; 2]) -> bool {
        let slots_max = self.window.slots.get() as usize + 1;
        let is_right = highs.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1)
            && lows.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1)
            && highs.is_empty() == lows.is_empty()
            && highs.len().max(lows.len()) <= slots_max;
        if is_right {
            self.restart();
            self.highs.extend(highs.into_iter().map(|(slot, price)| Seen { slot, price }));
            self.lows.extend(lows.into_iter().map(|(slot, price)| Seen { slot, price }));
        }
        is_right
    }

    /// Forgets every price.
    pub fn restart(&mut self) {
        self.highs.clear();
        self.lows.clear();
    }

    /// Forgets the prices that are too old, and returns the present slot.
    fn leave_behind(&mut self, now_ns: u64) -> u64 {
        let slot = now_ns / self.window.slot_ns;
        let first = slot.saturating_sub(u64::from(self.window.slots.get()));
        for ends in [&mut self.highs, &mut self.lows] {
            debug_assert!(ends.back().is_none_or(|seen| seen.slot <= slot), "Invariant: time never goes back");
            while ends.front().is_some_and(|seen| seen.slot < first) {
                ends.pop_front();
            }
        }
        slot
    }

    /// Panics unless prices come in the order of time and of size, once a slot.
    pub fn check_invariants(&self) {
        let Self { window, highs, lows } = self;
        let falling = |earlier: &Seen, later: &Seen| earlier.slot < later.slot && earlier.price > later.price;
        let rising = |earlier: &Seen, later: &Seen| earlier.slot < later.slot && earlier.price < later.price;
        assert!(highs.iter().is_sorted_by(|a, b| falling(a, b)), "Invariant: a high is above all later ones");
        assert!(lows.iter().is_sorted_by(|a, b| rising(a, b)), "Invariant: a low is below all later ones");
        assert_eq!(highs.is_empty(), lows.is_empty(), "Invariant: a window that has a high has a low");
        let slots_max = window.slots.get() as usize + 1;
        assert!(highs.len().max(lows.len()) <= slots_max, "Invariant: at most one price a slot is kept");
    }
}

/// Puts a price behind those that it does not outdo: earlier ones that are not further out will never count again. In its own
/// slot it has nothing to wait for.
fn remember(ends: &mut VecDeque<Seen>, seen: Seen, outdone: impl Fn(Price) -> bool) {
    while ends.back().is_some_and(|earlier| outdone(earlier.price)) {
        ends.pop_back();
    }
    if ends.back().is_none_or(|earlier| earlier.slot < seen.slot) {
        ends.push_back(seen);
    }
}

/// How long trading pauses when the dynamic circuit breaker trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PauseRule {
    /// The pause.
    pub pause_ns: u64,
    /// How long before the close the short pause begins to hold, that moment included.
    pub closing_ns: u64,
    /// The pause near the close.
    pub closing_pause_ns: u64,
}

impl PauseRule {
    /// Two minutes; five seconds in the last five minutes.
    pub const CME: Self = Self { pause_ns: 2 * MINUTE_NS, closing_ns: 5 * MINUTE_NS, closing_pause_ns: 5 * SECOND_NS };

    /// The pause that begins at `now_ns`. A market that never closes has no close.
    pub fn pause_ns(&self, now_ns: u64, close_ns: Option<u64>) -> u64 {
        let closing = close_ns.is_some_and(|close_ns| close_ns.saturating_sub(now_ns) <= self.closing_ns);
        if closing { self.closing_pause_ns } else { self.pause_ns }
    }
}

/// How far the whole market has fallen below the close before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarketWideLevel {
    /// By 7 %.
    One = 1,
    /// By 13 %.
    Two = 2,
    /// By 20 %.
    Three = 3,
}

/// What is known of the whole market: the levels, and the pause that one of them ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MarketWide {
    /// The close that the levels refer to.
    pub close: Option<Price>,
    /// The level reached in this session.
    pub reached: Option<MarketWideLevel>,
    /// Until when its pause lasts; 0 is the rest of the session.
    pub until_ns: u64,
}

impl MarketWide {
    /// Whether nothing may trade because of it.
    pub fn is_paused(&self, now_ns: u64) -> bool {
        self.reached.is_some() && (self.until_ns == 0 || now_ns < self.until_ns)
    }
}

impl MarketWideLevel {
    /// The level with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    /// The level that an index newly reaches: the highest, if it is above the one that the session has `reached` before. An
    /// index exactly at a level has reached it. Without a positive reference close there is no level.
    pub fn newly_reached(index: Price, reference_close: Price, reached: Option<Self>) -> Option<Self> {
        let (index, close) = (i128::from(index.ticks()), i128::from(reference_close.ticks()));
        let at_or_below = |level: &Self| (close - index) * 100 >= close * i128::from(level.fall_percent());
        let highest = [Self::Three, Self::Two, Self::One].into_iter().find(at_or_below).filter(|_| close > 0);
        highest.filter(|level| reached < Some(*level))
    }

    /// The fall that it stands for.
    pub const fn fall_percent(self) -> u8 {
        match self {
            Self::One => 7,
            Self::Two => 13,
            Self::Three => 20,
        }
    }

    /// How long the whole market pauses. `None` is for the rest of the session.
    pub const fn pause_ns(self) -> Option<u64> {
        match self {
            Self::One | Self::Two => Some(15 * MINUTE_NS),
            Self::Three => None,
        }
    }
}
