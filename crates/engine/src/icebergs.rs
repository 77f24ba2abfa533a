//! Icebergs: orders that show a part of what they have open, and when that has traded the next part, behind the others.
//!
//! In the slab and on the book such an order has open what it shows; the reserve stands with its conditions. So a fill costs
//! what any fill costs, and the next peak is a matter of the cold way that a maker without rest goes.

use tradewright_book::Slot;
use tradewright_types::{AuctionPhase, OrderFlags, Price, Quantity, SelfTradePrevention, Side};

use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::Taker;
use crate::open_orders::Station;

impl Floor<'_> {
    /// Puts an order that stands in no queue on the book, behind the others at `price`; an iceberg with its next peak.
    #[inline(always)]
    pub(crate) fn stand(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) {
        if self.open.conditions(slot).iceberg.is_some() && !self.is_gathering() {
            self.show_peak(slot, price, emit);
        }
        let (side, open) = (self.open.slab[slot].terms.side, self.open.slab[slot].open);
        self.market.book.rest(&mut self.open.slab, side, price, slot, open);
    }

    /// Divides what an iceberg has open into its next peak and the reserve.
    #[cold]
    #[inline(never)]
    fn show_peak(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) {
        let increment = self.market.instrument.limits().quantity_increment_lots;
        let open = self.open.open_of(slot);
        let conditional = self.open.conditional_mut(slot);
        let Some(iceberg) = conditional.conditions.iceberg else { return };
        let (peak, draws) = iceberg.draw(conditional.draws, increment);
        let shown = peak.min(open);
        (conditional.reserve, conditional.draws) = (open - shown, draws);
        self.open.slab[slot].open = shown;
        emit.refreshed(&self.closing_at(slot, price), shown);
    }

    /// Whether an auction gathers the instrument's orders, or is interrupted while it does.
    fn is_gathering(&self) -> bool {
        self.market.session.as_deref().is_some_and(|session| session.call.joined != AuctionPhase::None)
    }

    /// The icebergs on the book, by id.
    fn icebergs(&self) -> Vec<Slot> {
        if self.market.icebergs == 0 {
            return Vec::new();
        }
        let on_book = |slot| self.open.station(slot) == Station::Book;
        self.own_orders(|slot| self.open.conditions(slot).iceberg.is_some() && on_book(slot))
    }

    /// Lets icebergs take part in a call with all that they have open, each in its place.
    pub(crate) fn unfold_icebergs(&mut self) {
        for slot in self.icebergs() {
            let side = self.open.slab[slot].terms.side;
            let conditional = self.open.conditional_mut(slot);
            let reserve = core::mem::replace(&mut conditional.reserve, Quantity::ZERO);
            self.market.book.enlarge(&mut self.open.slab, side, slot, reserve);
            self.open.mark(slot);
        }
    }

    /// Lets what is left of icebergs behind a call show a peak each, in its place.
    pub(crate) fn fold_icebergs(&mut self, emit: &mut Emitter<'_>) {
        let increment = self.market.instrument.limits().quantity_increment_lots;
        for slot in self.icebergs() {
            let (open, closing) = (self.open.slab[slot].open, self.closing(slot));
            let side = self.open.slab[slot].terms.side;
            let conditional = self.open.conditional_mut(slot);
            let Some(iceberg) = conditional.conditions.iceberg else { continue };
            let (peak, draws) = iceberg.draw(conditional.draws, increment);
            let shown = peak.min(open);
            (conditional.reserve, conditional.draws) = (open - shown, draws);
            if shown < open {
                self.market.book.reduce(&mut self.open.slab, side, slot, open - shown);
            }
            self.open.mark(slot);
            emit.refreshed(&closing, shown);
        }
    }

    /// Lets a maker that has traded all it showed, and has left the book, show its next peak. Returns whether it had one.
    pub(crate) fn refresh(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) -> bool {
        if self.open.conditional(slot).reserve.is_zero() {
            return false;
        }
        emit.maker_goes_on();
        self.open.slab[slot].open = Quantity::ZERO;
        self.open.renew_priority(slot);
        self.stand(slot, price, emit);
        true
    }

    /// Takes `less` than it has open from an order on the book, which keeps its place: from its reserve first.
    pub(crate) fn reduce_resting(&mut self, slot: Slot, side: Side, less: Quantity) {
        let mut from_shown = less;
        if self.open.slab[slot].terms.flags.has(OrderFlags::CONDITIONS) {
            let conditional = self.open.conditional_mut(slot);
            let from_reserve = less.min(conditional.reserve);
            conditional.reserve -= from_reserve;
            from_shown -= from_reserve;
        }
        if !from_shown.is_zero() {
            self.market.book.reduce(&mut self.open.slab, side, slot, from_shown);
        }
        self.open.mark(slot);
    }

    /// As [`Floor::can_fill`], where levels may hold more than they show. At a price all that is shown comes first: own orders
    /// stand before the reserves of others.
    #[cold]
    #[inline(never)]
    pub(crate) fn can_fill_with_reserves(&self, taker: &Taker, mut wanted: Quantity) -> bool {
        let book = &self.market.book;
        let mode = taker.self_trade_prevention;
        let closes = matches!(mode, SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth);
        let is_own = |slot: Slot| mode != SelfTradePrevention::None && self.is_own(taker, self.open.slab[slot].account);
        let mut stops = self.stops(taker);
        for (price, level) in book.levels(taker.side.opposite()) {
            if !taker.side.crosses(taker.limit, price) {
                return false;
            }
            // Where a price is shared, own orders of a level are met before any of it trades.
            if closes && self.market.sharing.is_some() && book.queue(&self.open.slab, level).any(is_own) {
                return false;
            }
            let mut reserves = Quantity::ZERO;
            for slot in book.queue(&self.open.slab, level) {
                if is_own(slot) {
                    if closes {
                        return false;
                    }
                    continue;
                }
                if stops(price) {
                    return false;
                }
                wanted = wanted.saturating_sub(self.open.slab[slot].open);
                if wanted.is_zero() {
                    return true;
                }
                reserves += self.open.open_of(slot) - self.open.slab[slot].open;
            }
            wanted = wanted.saturating_sub(reserves);
            if wanted.is_zero() {
                return true;
            }
        }
        false
    }
}
