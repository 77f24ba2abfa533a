//! Icebergs: orders that show a part of what they have open, and when that has traded the next part, behind the others.
//!
//! In the slab and on the book such an order has open what it shows; the reserve stands with its conditions. So a fill costs
//! what any fill costs, and the next peak is a matter of the cold way that a maker without rest goes.

use tradewright_book::Slot;
use tradewright_types::{AuctionPhase, Price, Quantity};

use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

impl Floor<'_> {
    /// Puts an order that stands in no queue on the book, behind the others at `price`; an iceberg with its next peak.
    #[inline(always)]
    pub(crate) fn stand(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) {
        if self.open.conditions(slot).iceberg.is_some() && !self.is_gathering() {
            self.show_peak(slot, price, emit);
        }
        self.take_place(slot, price);
    }

    /// Puts an order with all that it shows behind the others at `price`. Who betters the market is TOP from then on, or ends it.
    #[inline(always)]
    pub(crate) fn take_place(&mut self, slot: Slot, price: Price) {
        if self.market.sharing.is_some() && self.open.station(slot) == Station::Book {
            self.note_top(slot, price);
        }
        self.join_book(slot, price);
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
    pub(crate) fn is_gathering(&self) -> bool {
        self.market.session.as_deref().is_some_and(|session| session.call.joined != AuctionPhase::None)
    }

    /// The icebergs on the book, by id.
    fn icebergs(&self) -> Vec<Slot> {
        if self.market.icebergs == 0 {
            return Vec::new();
        }
        let on_book = |slot| self.open.station(slot) == Station::Book;
        self.orders_of_sessions(|slot| self.open.conditions(slot).iceberg.is_some() && on_book(slot))
    }

    /// Lets icebergs take part in a call with all that they have open, each in its place.
    pub(crate) fn unfold_icebergs(&mut self) {
        for slot in self.icebergs() {
            let (side, open) = (self.open.slab[slot].terms.side, self.open.open_of(slot));
            let conditional = self.open.conditional_mut(slot);
            conditional.reserve = Quantity::ZERO;
            self.market.book.resize(&mut self.open.slab, side, slot, open);
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
            self.market.book.resize(&mut self.open.slab, side, slot, shown);
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
}
