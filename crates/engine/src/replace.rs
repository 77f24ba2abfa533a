//! Cancel-replace: one order goes and another comes, in one step or not at all.

use tradewright_book::Slot;
use tradewright_risk::Relief;
use tradewright_types::{CloseReason, Decoded, InstrumentId, Price, RejectReason, Replace, Side};

use crate::Engine;
use crate::emit::Emitter;

impl Engine {
    /// Replaces an order. Every check is made as if the old order were gone already; when one fails, it is still there.
    pub(crate) fn replace(&mut self, replace: &Replace<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let order = &replace.order;
        let Some(old) = self.target(order.account, &replace.target) else {
            let (gate, _) = self.gate();
            gate.check_standing(order.instrument, order.account)?;
            return Err(RejectReason::UnknownOrder);
        };
        let relief = self.relief(old, order.instrument, order.side.opposite());
        let (mut gate, open) = self.gate();
        let is_duplicate = || open.find_client(order.account, &order.client_order_id).is_some_and(|found| found != old);
        let held = gate.check_and_hold(order, is_duplicate, relief.as_ref())?;
        // After this point the replacement must succeed. The gate has given back the old order's hold.
        self.close_released(old, CloseReason::Replaced, emit);
        self.execute(&held, emit);
        Ok(())
    }

    /// What an order gives up to the one that takes its place on `instrument`, whose opposite side is `opposite`.
    fn relief(&self, old: Slot, instrument: InstrumentId, opposite: Side) -> Option<Relief> {
        let order = &self.open.slab[old];
        let bid_lots = if order.terms.side == Side::Buy { order.open.lots() } else { 0 };
        let same_side = order.terms.instrument == instrument && order.terms.side == opposite;
        let opposite_best = self.best_without(instrument, opposite, same_side.then_some(old));
        Some(Relief { hold: self.hold_of(old), instrument: order.terms.instrument, bid_lots, opposite_best })
    }

    /// The best price of a side, were one of its orders not there.
    fn best_without(&self, instrument: InstrumentId, side: Side, gone: Option<Slot>) -> Option<Price> {
        let book = self.books.get(instrument.index())?;
        let is_left = |slot: Slot| Some(slot) != gone;
        book.levels(side).find(|(_, level)| book.queue(&self.open.slab, level).any(is_left)).map(|(price, _)| price)
    }
}
