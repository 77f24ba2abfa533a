//! What every book design answers to: one trait, one sink for fills, and the sums that are compared.

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Bids; the highest price is the best.
    Buy = 0,
    /// Asks; the lowest price is the best.
    Sell = 1,
}

impl Side {
    /// The side that this one trades with.
    #[inline]
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// Receives fills in match order.
pub trait FillSink {
    /// `quantity` lots of `maker` traded with `taker` at the maker's `price`; `maker_done` when nothing of it is left.
    fn fill(&mut self, maker: u64, taker: u64, price: i64, quantity: u32, maker_done: bool);
}

/// A book of limit orders in price-time priority. No money, no accounts: what a matching core does before those.
pub trait MatchingBook {
    /// Matches an order, then rests what is left unless it is `immediate`. Returns what did not trade.
    ///
    /// # Panics
    /// When the order would rest under an `id` that is already resting, or outside the design's price range.
    fn limit<S: FillSink>(
        &mut self,
        id: u64,
        side: Side,
        price: i64,
        quantity: u32,
        immediate: bool,
        sink: &mut S,
    ) -> u32;

    /// Removes a resting order and returns what was open of it; nothing when no such order rests.
    fn cancel(&mut self, id: u64) -> Option<u32>;

    /// The highest bid.
    fn best_bid(&self) -> Option<i64>;

    /// The lowest ask.
    fn best_ask(&self) -> Option<i64>;

    /// Price levels with at least one order, both sides together.
    fn level_count(&self) -> usize;

    /// Resting orders, both sides together.
    fn live_count(&self) -> usize;

    /// Open quantity at a price.
    fn depth(&self, side: Side, price: i64) -> u64;

    /// Bytes that the book holds, spare capacity included.
    fn memory_bytes(&self) -> usize;

    /// Recomputes what the book keeps incrementally, and panics where the two differ. Slow; for tests.
    fn check_invariants(&self) {}
}

/// How much room a workload needs. A design may ignore what it grows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Prices lie in `0..ticks`.
    pub ticks: usize,
    /// Ids lie in `1..=ids`.
    pub ids: usize,
    /// Most orders that rest at one time, about.
    pub resting: usize,
    /// Instruments; more than one needs one book each.
    pub instruments: usize,
}

/// A book that the suite and the driver can make for themselves.
pub trait FreshBook: MatchingBook + Sized {
    /// What tables call this design.
    fn name() -> &'static str;

    /// An empty book with room for `shape`.
    fn fresh(shape: &Shape) -> Self;
}

/// Fills, summed: the cheapest thing that two engines can be compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Number of fills.
    pub fills: u64,
    /// Lots traded.
    pub filled_quantity: u64,
    /// Sum of price x quantity.
    pub notional: u128,
}

impl FillSink for Sums {
    #[inline]
    fn fill(&mut self, _maker: u64, _taker: u64, price: i64, quantity: u32, _maker_done: bool) {
        debug_assert!(price >= 0, "Condition failed: price={price}, the workloads trade at prices from zero up");
        self.fills += 1;
        self.filled_quantity += u64::from(quantity);
        // The product stays below 2^64: prices of the workloads are below 2^32.
        self.notional += u128::from((price as u64).wrapping_mul(u64::from(quantity)));
    }
}
