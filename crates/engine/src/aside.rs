//! What stands beside the displayed book: hidden orders. They have a book of their own, so that a market without them pays a
//! test for it and nothing else, and where there are some every taker goes by this slower way: at one price all that is
//! displayed trades first, then what is hidden, each in the order of time.

use tradewright_book::{Book, Front, Slot};
use tradewright_types::{OrderFlags, Price, PriceSource, Quantity, SelfTradePrevention, Side};

use crate::emit::Emitter;
use crate::floor::{Floor, Market};
use crate::matching::{Ended, Taker};
use crate::open_orders::Station;

/// The books beside the displayed one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    pub(crate) hidden: Book,
}

impl Aside {
    /// All of them.
    pub(crate) fn books(&self) -> &[Book] {
        core::slice::from_ref(&self.hidden)
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

    /// The book of a station whose orders stand at the prices at which they trade.
    pub(crate) fn shelf(&self, station: Station) -> &Book {
        match (station, self.aside.as_deref()) {
            (Station::Hidden, Some(aside)) => &aside.hidden,
            (Station::Book | Station::Trigger | Station::Hidden | Station::Auction | Station::Pending, _) => &self.book,
        }
    }

    /// The same, to be changed; made if need be.
    pub(crate) fn shelf_mut(&mut self, station: Station) -> &mut Book {
        match station {
            Station::Book | Station::Trigger | Station::Auction | Station::Pending => &mut self.book,
            Station::Hidden => {
                self.is_special = true;
                &mut self.aside.get_or_insert_default().hidden
            }
        }
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
        let station = self.open.station(slot);
        let (side, shown) = (self.open.slab[slot].terms.side, self.open.slab[slot].open);
        self.market.shelf_mut(station).rest(&mut self.open.slab, side, price, slot, shown);
    }

    /// Takes an order that stands at a price out of its book.
    pub(crate) fn leave_book(&mut self, slot: Slot) {
        let (side, station) = (self.open.slab[slot].terms.side, self.open.station(slot));
        self.market.shelf_mut(station).remove(&mut self.open.slab, side, slot);
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
            let (side, station) = (self.open.slab[slot].terms.side, self.open.station(slot));
            self.market.shelf_mut(station).reduce(&mut self.open.slab, side, slot, from_shown);
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
        self.trade_any(taker, front, quantity, emit);
        self.observe(front.price);
        self.market.instrument.set_last(front.price);
        if self.market.triggers.is_some() {
            self.price_came(PriceSource::Last, front.price);
        }
        (taker.amount.is_some() && quantity < offered).then_some(Ended::Amount)
    }

    /// One trade, in whichever book the maker stands.
    pub(crate) fn trade_any(&mut self, taker: &mut Taker, front: Front, quantity: Quantity, emit: &mut Emitter<'_>) {
        let Front { slot, price } = front;
        if self.market.triggers.is_some() {
            self.before_trade(slot, emit);
        }
        let done = self.post_trade(taker, front, quantity, emit);
        if !done {
            let (side, station) = (self.open.slab[slot].terms.side, self.open.station(slot));
            self.market.shelf_mut(station).reduce(&mut self.open.slab, side, slot, quantity);
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
