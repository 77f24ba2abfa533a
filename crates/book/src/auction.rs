//! The call auction: the one price at which a book that may be crossed trades the most. It decides and changes nothing; who
//! is told, what money moves and what becomes of the rest is decided elsewhere.
//!
//! A price is a *candidate* when it is a multiple of the price increment, lies between the lowest and the highest of all
//! order prices and the reference, and inside the collar. Demand at a price is the market buys and all bids at it or above,
//! supply the market sells and all asks at it or below; the surplus is demand less supply. Then, in this order:
//!
//! 1. the most quantity that can trade, which is the smaller of demand and supply;
//! 2. the smallest surplus, of either sign;
//! 3. buyers left over at each price that remains: the highest; sellers at each: the lowest;
//! 4. otherwise the reference, or the nearest to it of the prices that remain.
//!
//! Between two order prices nothing changes, and the surplus only falls as the price rises. So both sides are walked from
//! their best price until they no longer meet, and what is left where they stop is all that the four steps need.

use core::iter::Peekable;
use core::num::NonZeroU32;

use tradewright_types::{Price, Quantity, Side};

use crate::{Book, Level, Orders, Slot};

/// The prices at which an auction may trade, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Collar {
    /// The lowest.
    pub low: Price,
    /// The highest.
    pub high: Price,
}

/// What an auction depends on beside the orders with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuctionTerms {
    /// What orders to buy at any price have open. With the bids it must fit 64 bits.
    pub market_buys: Quantity,
    /// What orders to sell at any price have open. With the asks it must fit 64 bits.
    pub market_sells: Quantity,
    /// Where the price goes when the orders leave a choice. It is rounded down to the increment first.
    pub reference: Option<Price>,
    /// Prices outside it are no candidates.
    pub collar: Option<Collar>,
    /// Only multiples of it are candidates. Orders may stand between them: an increment can change while they rest.
    pub price_increment_ticks: NonZeroU32,
}

/// How an auction trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uncross {
    /// The price of every trade.
    pub price: Price,
    /// What trades on each side. Never zero.
    pub quantity: Quantity,
    /// Demand less supply at the price, in lots. Positive: buyers are left over.
    pub surplus_lots: i128,
}

/// A buyer and a seller who meet at the price of the auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuctionMatch {
    /// The order that buys.
    pub buy: Slot,
    /// The order that sells.
    pub sell: Slot,
    /// What they trade.
    pub quantity: Quantity,
}

/// How the book would trade now. `None` when nothing can: the sides do not meet at any candidate price, or there is no
/// candidate, because the collar lies apart from orders and reference or has no multiple of the increment in it, or because
/// there are market orders only and no reference.
///
/// Without a reference, step 4 takes the middle of the prices that remain, rounded down to the increment.
pub fn uncross(book: &Book, terms: &AuctionTerms) -> Option<Uncross> {
    discover(book, terms).0
}

/// Who trades with whom, in this order: on each side market orders first, in the order given, which is that of their arrival;
/// then the best price, then the order that has been there longest. The two orders in front trade the smaller of what they
/// have open, and the one with nothing left gives way to the next.
///
/// # Panics
/// When a side ends before `uncross.quantity`: `uncross` was not made of this book and these market orders.
pub fn matches<'b, T>(
    book: &'b Book,
    orders: &'b Orders<T>,
    market_buys: impl IntoIterator<Item = Slot> + 'b,
    market_sells: impl IntoIterator<Item = Slot> + 'b,
    uncross: Uncross,
) -> impl Iterator<Item = AuctionMatch> + 'b {
    let buys = market_buys.into_iter().chain(executable(book, orders, Side::Buy, uncross.price));
    let sells = market_sells.into_iter().chain(executable(book, orders, Side::Sell, uncross.price));
    let mut buys = buys.map(|slot| (slot, orders[slot].open)).peekable();
    let mut sells = sells.map(|slot| (slot, orders[slot].open)).peekable();
    let mut left = uncross.quantity;
    core::iter::from_fn(move || {
        if left.is_zero() {
            return None;
        }
        let (buy, sell) = (front(&mut buys), front(&mut sells));
        let quantity = buy.1.min(sell.1).min(left);
        buy.1 -= quantity;
        sell.1 -= quantity;
        left -= quantity;
        Some(AuctionMatch { buy: buy.0, sell: sell.0, quantity })
    })
}

/// The order in front and what it has left. Those with nothing left are passed over.
fn front(queue: &mut Peekable<impl Iterator<Item = (Slot, Quantity)>>) -> &mut (Slot, Quantity) {
    while queue.next_if(|(_, open)| open.is_zero()).is_some() {}
    queue.peek_mut().expect("Condition failed: the orders have less open than the auction trades")
}

/// The orders of a side that trade at `price`, as long as the other side has enough.
fn executable<'b, T>(
    book: &'b Book,
    orders: &'b Orders<T>,
    side: Side,
    price: Price,
) -> impl Iterator<Item = Slot> + 'b {
    let levels = book.levels(side).take_while(move |(limit, _)| side.crosses(*limit, price));
    levels.flat_map(|(_, level)| book.queue(orders, level))
}

/// The price of an auction, kept while orders come and go: it is found anew only when something changed that it depends on.
///
/// Whoever changes the book says where ([`Indicative::note`]). What it depends on are the levels that the search looked at:
/// those that would trade, and on each side the next one or two. Deeper in the book orders come and go for nothing.
#[derive(Clone, Debug, Default)]
pub struct Indicative {
    found: Option<Found>,
}

/// An answer, and to which question.
#[derive(Clone, Copy, Debug)]
struct Found {
    terms: AuctionTerms,
    uncross: Option<Uncross>,
    watched: Watched,
}

/// How far the search looked, by side: to this price, or to the end of the side.
#[derive(Clone, Copy, Debug)]
struct Watched([Option<Price>; 2]);

impl Watched {
    const EVERYTHING: Self = Self([None; 2]);

    fn covers(&self, side: Side, price: Price) -> bool {
        self.0[side as usize].is_none_or(|worst| side.crosses(price, worst))
    }
}

impl Indicative {
    /// Takes note that what is open at `price` changed, after or before it did.
    #[inline]
    pub fn note(&mut self, side: Side, price: Price) {
        if self.found.is_some_and(|found| found.watched.covers(side, price)) {
            self.found = None;
        }
    }

    /// Whether [`Indicative::uncross`] would give its answer without looking at the book.
    pub fn is_current(&self, terms: &AuctionTerms) -> bool {
        self.found.is_some_and(|found| found.terms == *terms)
    }

    /// The same as [`uncross`].
    pub fn uncross(&mut self, book: &Book, terms: &AuctionTerms) -> Option<Uncross> {
        if let Some(found) = self.found.filter(|found| found.terms == *terms) {
            return found.uncross;
        }
        let (uncross, watched) = discover(book, terms);
        self.found = Some(Found { terms: *terms, uncross, watched });
        uncross
    }

    /// Panics unless the answer that is kept is the one that the book gives.
    pub fn check_invariants(&self, book: &Book) {
        let Self { found } = self;
        if let Some(Found { terms, uncross: kept, watched: _ }) = found {
            assert_eq!(*kept, uncross(book, terms), "Invariant: every change that matters was noted");
        }
    }
}

/// The candidate prices: the multiples of the increment from `low` to `high`, which are two of them.
#[derive(Clone, Copy, Debug)]
struct Candidates {
    low: i64,
    high: i64,
    increment: i64,
    /// A multiple of the increment.
    reference: Option<i64>,
}

impl Candidates {
    fn of(book: &Book, terms: &AuctionTerms) -> Option<Self> {
        let increment = i64::from(terms.price_increment_ticks.get());
        let reference = terms.reference.and_then(|reference| rounded_down(reference.ticks(), increment));
        let (bids, asks) = (book.side(Side::Buy), book.side(Side::Sell));
        let prices = [bids.best_price(), bids.worst_price(), asks.best_price(), asks.worst_price()];
        let ticks = || prices.into_iter().flatten().map(Price::ticks).chain(reference);
        let (mut low, mut high) = (ticks().min()?, ticks().max()?);
        if let Some(collar) = terms.collar {
            low = low.max(collar.low.ticks());
            high = high.min(collar.high.ticks());
        }
        let (low, high) = (rounded_up(low, increment)?, rounded_down(high, increment)?);
        (low <= high).then_some(Self { low, high, increment, reference })
    }

    /// The candidate at which an order stops trading: the highest that a bid allows, the lowest that an ask allows. `None`
    /// when it allows none.
    fn limit(&self, side: Side, price: Price) -> Option<i64> {
        match side {
            Side::Buy => rounded_down(price.ticks(), self.increment)
                .filter(|ticks| *ticks >= self.low)
                .map(|ticks| ticks.min(self.high)),
            Side::Sell => rounded_up(price.ticks(), self.increment)
                .filter(|ticks| *ticks <= self.high)
                .map(|ticks| ticks.max(self.low)),
        }
    }

    /// Step 4, among the candidates from `low` to `high`.
    fn nearest_to_reference(&self, low: i64, high: i64) -> i64 {
        match self.reference {
            Some(reference) => reference.clamp(low, high),
            None => {
                let half = (high.abs_diff(low) / 2) as i64;
                low + (half - half % self.increment)
            }
        }
    }
}

/// The next multiple below, or itself. `None` where no price is that low.
fn rounded_down(ticks: i64, increment: i64) -> Option<i64> {
    ticks.checked_sub(ticks.rem_euclid(increment))
}

/// The next multiple above, or itself. `None` where no price is that high.
fn rounded_up(ticks: i64, increment: i64) -> Option<i64> {
    match ticks.rem_euclid(increment) {
        0 => Some(ticks),
        above => ticks.checked_add(increment - above),
    }
}

/// All that a side has open up to the same candidate price.
#[derive(Clone, Copy, Debug)]
struct Step {
    ticks: i64,
    lots: u128,
}

/// A side as steps, best first. Market orders stand at the outermost candidate, where they meet everybody.
struct Steps<I> {
    candidates: Candidates,
    side: Side,
    levels: I,
    /// The step after the one that was given last.
    next: Option<Step>,
    /// The level that was looked at last; `None` when there was no further one that allows a candidate.
    worst_seen: Option<Price>,
}

impl<'b, I: Iterator<Item = (Price, &'b Level)>> Steps<I> {
    fn new(candidates: Candidates, side: Side, market: Quantity, levels: I) -> Self {
        let outermost = match side {
            Side::Buy => candidates.high,
            Side::Sell => candidates.low,
        };
        let mut steps = Self { candidates, side, levels, next: None, worst_seen: None };
        steps.next = if market.is_zero() {
            steps.level()
        } else {
            Some(Step { ticks: outermost, lots: u128::from(market.lots()) })
        };
        steps
    }

    /// The next level as a step of its own.
    fn level(&mut self) -> Option<Step> {
        let level = self.levels.next().and_then(|(price, level)| {
            let ticks = self.candidates.limit(self.side, price)?;
            Some((price, Step { ticks, lots: u128::from(level.open().lots()) }))
        });
        self.worst_seen = level.map(|(price, _)| price);
        level.map(|(_, step)| step)
    }

    /// The next step. Levels that stop at the same candidate are one: between two increments, or beyond the collar.
    fn next(&mut self) -> Option<Step> {
        let mut step = self.next.take()?;
        self.next = self.level();
        while let Some(same) = self.next.filter(|next| next.ticks == step.ticks) {
            step.lots += same.lots;
            self.next = self.level();
        }
        Some(step)
    }

    /// What is left of a step when `lots` of it trade: its rest, or the next step.
    fn after(&mut self, step: Step, lots: u128) -> Option<Step> {
        if lots < step.lots { Some(Step { lots: step.lots - lots, ..step }) } else { self.next() }
    }
}

/// The four steps, and how far into the book they looked.
fn discover(book: &Book, terms: &AuctionTerms) -> (Option<Uncross>, Watched) {
    let Some(candidates) = Candidates::of(book, terms) else { return (None, Watched::EVERYTHING) };
    let mut bids = Steps::new(candidates, Side::Buy, terms.market_buys, book.levels(Side::Buy));
    let mut asks = Steps::new(candidates, Side::Sell, terms.market_sells, book.levels(Side::Sell));
    let uncross = meet(&candidates, &mut bids, &mut asks);
    (uncross, Watched([bids.worst_seen, asks.worst_seen]))
}

fn meet<'b>(
    candidates: &Candidates,
    bids: &mut Steps<impl Iterator<Item = (Price, &'b Level)>>,
    asks: &mut Steps<impl Iterator<Item = (Price, &'b Level)>>,
) -> Option<Uncross> {
    // Step 1. The best buyer and the best seller trade as long as they meet; no price lets more trade than that. It all
    // trades at each price from that of the last seller, `low`, to that of the last buyer, `high`, and at no other.
    let (mut bid, mut ask) = (bids.next(), asks.next());
    let (mut lots, mut low, mut high) = (0, i64::MIN, i64::MAX);
    while let (Some(buyer), Some(seller)) = (bid, ask)
        && buyer.ticks >= seller.ticks
    {
        let traded = buyer.lots.min(seller.lots);
        lots += traded;
        (low, high) = (seller.ticks, buyer.ticks);
        bid = bids.after(buyer, traded);
        ask = asks.after(seller, traded);
    }
    if lots == 0 {
        return None;
    }
    let at = |ticks: i64, surplus_lots: i128| Uncross {
        price: Price::from_ticks(ticks),
        quantity: Quantity::from_lots(u64::try_from(lots).expect("Condition failed: a side's quantity fits 64 bits")),
        surplus_lots,
    };
    let surplus = |step: Step| step.lots as i128;

    // Steps 2 and 3, where one step was not used up. The last buyer wants more and nobody sells up to his price: at `high`
    // he alone is left over, below it perhaps others too. The same for the last seller.
    if let Some(buyer) = bid.filter(|bid| bid.ticks == high) {
        return Some(at(high, surplus(buyer)));
    }
    if let Some(seller) = ask.filter(|ask| ask.ticks == low) {
        return Some(at(low, -surplus(seller)));
    }

    // Steps 2 and 4, where nobody is left over: above the next buyer and below the next seller.
    let above = |bid: Option<Step>| bid.map_or(low, |bid| low.max(bid.ticks + candidates.increment));
    let below = |ask: Option<Step>| ask.map_or(high, |ask| high.min(ask.ticks - candidates.increment));
    let (lowest, highest) = (above(bid), below(ask));
    if lowest <= highest {
        return Some(at(candidates.nearest_to_reference(lowest, highest), 0));
    }

    // Steps 2 to 4, where the next buyer and the next seller are one increment apart: at his price and below, the buyer is
    // left over; at the next and above, the seller. The smaller of the two decides; if they are equal, the reference.
    let (buyer, seller) = bid.zip(ask).expect("Invariant: only two who do not meet leave no price between them");
    match buyer.lots.cmp(&seller.lots) {
        core::cmp::Ordering::Less => Some(at(buyer.ticks, surplus(buyer))),
        core::cmp::Ordering::Greater => Some(at(seller.ticks, -surplus(seller))),
        core::cmp::Ordering::Equal => {
            let ticks = candidates.nearest_to_reference(above(bids.next()), below(asks.next()));
            Some(at(ticks, if ticks <= buyer.ticks { surplus(buyer) } else { -surplus(seller) }))
        }
    }
}
