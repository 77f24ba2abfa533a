//! What stands beside the book: hidden orders, and following pegs. They have books of their own, so that a market without them
//! pays a test for it and nothing else, and that what pegs refer to is the best of the book itself. Where there are some every
//! taker goes by this slower way: at one price all that is displayed trades first, then what is hidden, each in the order of time.

use tradewright_book::{Book, Front, Order, Slot};
use tradewright_risk::resting_hold;
use tradewright_types::{Amount, OrderFlags, Price, PriceSource, Quantity, SelfTradePrevention, Side};

use crate::emit::Emitter;
use crate::floor::{Floor, Market};
use crate::matching::{Ended, Taker};
use crate::open_orders::{OpenOrders, Shelf, Station};
use crate::pegs::Pegs;

/// What a market has beside its book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    /// The books of hidden orders, of following pegs, and of those that are hidden too.
    pub(crate) books: [Book; 3],
    pub(crate) pegs: Pegs,
}

impl Aside {
    /// All its books.
    pub(crate) fn books(&self) -> &[Book] {
        &self.books
    }
}

/// What stands at a price, each part in the order of time.
#[derive(Debug, Default)]
struct Depth {
    displayed: Vec<Slot>,
    hidden: Vec<Slot>,
}

impl Market {
    /// The books beside the displayed one.
    #[inline(always)]
    pub(crate) fn books_aside(&self) -> &[Book] {
        self.aside.as_deref().map_or(&[], Aside::books)
    }

    /// All books in which orders stand at the prices at which they trade.
    pub(crate) fn books(&self) -> impl Iterator<Item = &Book> {
        core::iter::once(&self.book).chain(self.books_aside())
    }

    /// The books of what is displayed.
    pub(crate) fn displayed(&self) -> impl Iterator<Item = &Book> {
        core::iter::once(&self.book).chain(self.aside.iter().map(|aside| &aside.books[1]))
    }

    /// One of the books.
    pub(crate) fn shelf(&self, shelf: Shelf) -> &Book {
        let aside =
            |place: usize| &self.aside.as_deref().expect("Invariant: who stands there has made it").books[place];
        match shelf {
            Shelf::Book => &self.book,
            Shelf::Hidden => aside(0),
            Shelf::Pegs => aside(1),
            Shelf::HiddenPegs => aside(2),
        }
    }

    /// The same, to be changed; made if need be.
    pub(crate) fn shelf_mut(&mut self, shelf: Shelf) -> &mut Book {
        match shelf {
            Shelf::Book => &mut self.book,
            Shelf::Hidden => &mut self.aside_mut().books[0],
            Shelf::Pegs => &mut self.aside_mut().books[1],
            Shelf::HiddenPegs => &mut self.aside_mut().books[2],
        }
    }

    /// What stands beside the book, made if need be.
    pub(crate) fn aside_mut(&mut self) -> &mut Aside {
        self.is_special = true;
        self.aside.get_or_insert_default()
    }

    /// The best price of a side, displayed or not.
    pub(crate) fn best_of_all(&self, side: Side) -> Option<Price> {
        self.books().filter_map(|book| book.best(side)).reduce(|best, price| side.better(best, price))
    }

    /// Panics when somebody stands at a price at which somebody else would have traded.
    pub(crate) fn check_not_crossed(&self) {
        if let (Some(bid), Some(ask)) = (self.best_of_all(Side::Buy), self.best_of_all(Side::Sell)) {
            assert!(bid < ask, "Invariant: no book is crossed by another: bid {bid}, ask {ask}");
        }
    }
}

impl Floor<'_> {
    /// Puts an order that stands in no queue into its book, behind the others at `price`.
    #[inline(always)]
    pub(crate) fn join_book(&mut self, slot: Slot, price: Price) {
        let shelf = self.open.shelf(slot);
        let (side, shown) = (self.open.slab[slot].terms.side, self.open.slab[slot].open);
        self.market.shelf_mut(shelf).rest(&mut self.open.slab, side, price, slot, shown);
    }

    /// Takes an order out of the book in which it stands, if it stands in one.
    pub(crate) fn leave_book(&mut self, slot: Slot) {
        let (side, shelf) = (self.open.slab[slot].terms.side, self.open.shelf(slot));
        if self.open.slab[slot].is_queued() {
            self.market.shelf_mut(shelf).remove(&mut self.open.slab, side, slot);
        }
    }

    /// Takes `less` than it has open from an order that stands at a price, which keeps its place: from its reserve first.
    pub(crate) fn reduce_resting(&mut self, slot: Slot, less: Quantity) {
        let mut from_shown = less;
        if self.open.slab[slot].terms.flags.has(OrderFlags::CONDITIONS) {
            let conditional = self.open.conditional_mut(slot);
            let from_reserve = less.min(conditional.reserve);
            conditional.reserve -= from_reserve;
            from_shown -= from_reserve;
        }
        if !from_shown.is_zero() {
            let (side, shelf) = (self.open.slab[slot].terms.side, self.open.shelf(slot));
            self.market.shelf_mut(shelf).reduce(&mut self.open.slab, side, slot, from_shown);
        }
        self.open.mark(slot);
    }

    /// Who is next in line on `side` for a taker with this limit: by price, then displayed before hidden, then by time.
    pub(crate) fn front_of_all(&self, side: Side, limit: Price) -> Option<Front> {
        let fronts = self.market.books().filter_map(|book| book.front_within(side, limit));
        fronts.reduce(|first, other| {
            let same_price = first.price == other.price;
            let is_behind = if same_price {
                self.place_of(first) <= self.place_of(other)
            } else {
                side.better(first.price, other.price) == first.price
            };
            if is_behind { first } else { other }
        })
    }

    /// What decides between two orders at one price.
    fn place_of(&self, front: Front) -> (bool, u64) {
        (self.open.conditions(front.slot).hidden, self.open.notes[front.slot.0 as usize].priority)
    }

    /// Lets a taker meet one order. `None` when it goes on.
    pub(crate) fn take_one(&mut self, taker: &mut Taker, front: Front, emit: &mut Emitter<'_>) -> Option<Ended> {
        let maker = &self.open.slab[front.slot];
        let (owner, offered) = (maker.account, maker.open);
        if taker.self_trade_prevention != SelfTradePrevention::None && self.is_own(taker, owner) {
            return if self.prevent(taker, front, emit) { None } else { Some(Ended::Prevention) };
        }
        let quantity = match taker.amount {
            None => taker.open.min(offered),
            Some(_) => self.payable(taker, front.price, offered),
        };
        if quantity.is_zero() {
            return Some(Ended::Amount);
        }
        if self.trips(taker, front.price, emit) {
            return Some(Ended::Stopped);
        }
        let quote = self.quote_at(front.slot);
        self.trade_any(taker, front, quantity, emit);
        self.observe(front.price);
        self.market.instrument.set_last(front.price);
        if self.market.triggers.is_some() {
            self.price_came(PriceSource::Last, front.price);
        }
        if self.protect(taker, quote, quantity, emit) {
            return Some(Ended::Protection);
        }
        (taker.amount.is_some() && quantity < offered).then_some(Ended::Amount)
    }

    /// One trade, in whichever book the maker stands.
    pub(crate) fn trade_any(&mut self, taker: &mut Taker, front: Front, quantity: Quantity, emit: &mut Emitter<'_>) {
        let Front { slot, price } = front;
        if self.market.lists > 0 {
            self.before_trade(slot, emit);
        }
        if self.open.station(slot) == Station::Peg && taker.side == Side::Sell {
            self.give_back_above(front, quantity);
        }
        let done = self.post_trade(taker, front, quantity, emit);
        if !done {
            let (side, shelf) = (self.open.slab[slot].terms.side, self.open.shelf(slot));
            self.market.shelf_mut(shelf).reduce(&mut self.open.slab, side, slot, quantity);
            self.open.mark(slot);
            return;
        }
        self.leave_book(slot);
        let is_refreshed =
            self.open.slab[slot].terms.flags.has(OrderFlags::CONDITIONS) && self.refresh(slot, price, emit);
        if !is_refreshed {
            self.forget(slot);
        }
    }

    /// Gives back what a pegged bid holds for its limit above the price at which `quantity` of it is about to trade.
    fn give_back_above(&mut self, front: Front, quantity: Quantity) {
        let Front { slot, price } = front;
        let Order { account, open, terms, .. } = self.open.slab[slot];
        let (units, limit) = (self.market.instrument.units, self.open.conditional(slot).limit);
        let notional = units.notional(price, quantity);
        let mut posted = terms.maker_fee;
        let before = resting_hold(&units, Side::Buy, limit, open, terms.maker_rate, posted);
        let fee = posted.charge(terms.maker_rate, notional).max(Amount::ZERO);
        let after = resting_hold(&units, Side::Buy, limit, open - quantity, terms.maker_rate, posted);
        self.ledger.release(account, units.quote, before - after - notional - fee);
    }

    /// What is displayed at a price.
    pub(crate) fn displayed_open_at(&self, side: Side, price: Price) -> Quantity {
        self.market.displayed().fold(Quantity::ZERO, |sum, book| sum + book.open_at(side, price))
    }

    /// As [`Floor::can_fill`], where not everything is seen: at a price all that is shown comes first, then the reserves behind
    /// it, then what is hidden. Own orders stand where they stand.
    #[cold]
    #[inline(never)]
    pub(crate) fn can_fill_unseen(&self, taker: &Taker, mut wanted: Quantity) -> bool {
        let mode = taker.self_trade_prevention;
        let closes = matches!(mode, SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth);
        let is_own =
            |slot: &Slot| mode != SelfTradePrevention::None && self.is_own(taker, self.open.slab[*slot].account);
        let mut stops = self.stops(taker);
        let side = taker.side.opposite();
        let mut levels: Vec<_> =
            self.market.books().map(|book| book.levels(side).map(|(price, _)| price).peekable()).collect();
        loop {
            let nearest = levels.iter_mut().filter_map(|prices| prices.peek().copied());
            let Some(price) = nearest.reduce(|one, other| side.better(one, other)) else { return false };
            if !taker.side.crosses(taker.limit, price) {
                return false;
            }
            for prices in &mut levels {
                prices.next_if_eq(&price);
            }
            let Depth { displayed, hidden } = self.depth_at(side, price);
            // Where a price is shared, own orders of a level are met before any of it trades.
            if closes && self.market.sharing.is_some() && displayed.iter().any(is_own) {
                return false;
            }
            let mut reserves = Quantity::ZERO;
            for slot in displayed.iter().chain(&hidden) {
                if Some(slot) == hidden.first() {
                    wanted = wanted.saturating_sub(core::mem::take(&mut reserves));
                }
                if wanted.is_zero() {
                    return true;
                }
                if !is_own(slot) {
                    if stops(price) {
                        return false;
                    }
                    let shown = self.open.slab[*slot].open;
                    wanted = wanted.saturating_sub(shown);
                    reserves += self.open.open_of(*slot) - shown;
                } else if closes {
                    return false;
                }
            }
            wanted = wanted.saturating_sub(reserves);
            if wanted.is_zero() {
                return true;
            }
        }
    }

    /// All that stands on a side at prices at which `price` would do, in the order in which it trades.
    pub(crate) fn line_within(&self, side: Side, price: Price) -> Vec<Slot> {
        let at = |book: &Book| {
            book.levels(side).map(|(at, _)| at).take_while(|at| side.crosses(*at, price)).collect::<Vec<_>>()
        };
        let mut prices: Vec<Price> = self.market.books().flat_map(at).collect();
        prices.sort_unstable();
        prices.dedup();
        if side == Side::Buy {
            prices.reverse();
        }
        let depths = prices.into_iter().map(|price| self.depth_at(side, price));
        depths.flat_map(|Depth { displayed, hidden }| displayed.into_iter().chain(hidden)).collect()
    }

    /// What stands at a price.
    fn depth_at(&self, side: Side, price: Price) -> Depth {
        let mut depth = Depth::default();
        for book in self.market.books() {
            for slot in book.queue_at(&self.open.slab, side, price) {
                let is_hidden = self.open.conditions(slot).hidden;
                (if is_hidden { &mut depth.hidden } else { &mut depth.displayed }).push(slot);
            }
        }
        for queue in [&mut depth.displayed, &mut depth.hidden] {
            queue.sort_unstable_by_key(|slot| self.open.notes[slot.0 as usize].priority);
        }
        depth
    }
}

/// The displayed orders at a price of a side, in the order of time.
pub(crate) fn displayed_at(market: &Market, open: &OpenOrders, side: Side, price: Price) -> Vec<Slot> {
    let mut slots: Vec<Slot> = market.displayed().flat_map(|book| book.queue_at(&open.slab, side, price)).collect();
    if market.aside.is_some() {
        slots.sort_unstable_by_key(|slot| open.notes[slot.0 as usize].priority);
    }
    slots
}
