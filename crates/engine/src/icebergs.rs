//! Icebergs: orders that show a part of what they have open, and when that has traded the next part, behind the others.
//!
//! In the slab and on the book such an order has open what it shows; the reserve stands with its conditions. So a fill costs
//! what any fill costs, and the next peak is a matter of the cold way that a maker without rest goes.

use tradewright_book::Slot;
use tradewright_types::{Price, Quantity};

use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

impl Floor<'_> {
    /// Puts an order that stands in no queue on the book, behind the others at `price`; an iceberg with its next peak.
    #[inline(always)]
    pub(crate) fn stand(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) {
        if self.open.conditions(slot).iceberg.is_some() {
            self.show_peak(slot, price, emit);
        }
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
