//! Amendments: another price or total quantity for an open order.

use tradewright_book::Slot;
use tradewright_risk::{Amended, Amendment, HeldOrder};
use tradewright_types::{Amend, Decoded, NewOrder, Quantity, RejectReason, Side, Size};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

impl Engine {
    /// Amends an order: less quantity at the same price keeps its place, anything else comes in again.
    pub(crate) fn amend(&mut self, amend: &Amend<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        if self.risk.halted {
            return Err(RejectReason::VenueHalted);
        }
        self.risk.account(amend.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(amend.account, &amend.target).ok_or(RejectReason::UnknownOrder)?;
        match self.open.station(slot) {
            Station::Book => {}
            Station::Trigger => return Err(RejectReason::OrderNotAmendable),
            Station::Approval => return Err(RejectReason::OrderWaitsForApproval),
        }
        let old_total = self.open.notes[slot.0 as usize].total;
        let gone = old_total - self.open.open_of(slot);
        let open = Size::Lots(amend.quantity.saturating_sub(gone));
        let order = NewOrder { price: amend.price, size: open, ..self.open.order_again(slot, amend.price) };
        let mut floor = self.floor_of(slot);
        let amendment = Amendment {
            order: &order,
            rates: floor.open.rates(slot),
            total: amend.quantity,
            gone,
            old_price: floor.price_of(slot),
            old_total,
            old_hold: floor.hold_of(slot).1,
            opposite_best: floor.market.book.best(order.side.opposite()),
            iceberg: floor.open.conditions(slot).iceberg,
        };
        let (mut gate, open) = floor.gate();
        let stake = Stake { risk: gate.risk, instrument: gate.instrument, book: gate.book, open, gone: Some(slot) };
        let approval = |limit, opposite_best| stake.approval(&order, limit, opposite_best);
        let amended = gate.check_and_hold_amendment(&amendment, approval)?;
        // After this point the amendment must succeed.
        match amended {
            Amended::Reduced => floor.reduce(slot, &amendment, emit),
            Amended::Reentered(held) => floor.reenter(slot, &held, amend.quantity, emit),
        }
        Ok(())
    }
}

impl Floor<'_> {
    /// Takes quantity from an order that keeps its place, and gives back what it no longer holds.
    fn reduce(&mut self, slot: Slot, amendment: &Amendment<'_>, emit: &mut Emitter<'_>) {
        let NewOrder { account, side, .. } = *amendment.order;
        let less = amendment.old_total - amendment.total;
        self.reduce_resting(slot, side, less);
        self.open.notes[slot.0 as usize].total = amendment.total;
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= less.lots();
        }
        let (asset, hold) = self.hold_of(slot);
        self.ledger.release(account, asset, amendment.old_hold - hold);
        emit.amended(&self.closing(slot), amendment.total, true);
    }

    /// Takes an order out of its place and through the market again, with the id, rates and rounding that it has.
    fn reenter(&mut self, slot: Slot, held: &HeldOrder<'_>, total: Quantity, emit: &mut Emitter<'_>) {
        let NewOrder { account, side, price, size, .. } = *held.order();
        let Size::Lots(open) = size else { unreachable!("Invariant: only orders by quantity rest") };
        let mut order = self.closing(slot);
        self.market.book.remove(&mut self.open.slab, side, slot);
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= order.open.lots();
        }
        (order.price, order.open) = (price, open);
        self.open.notes[slot.0 as usize].total = total;
        self.open.mark(slot);
        emit.amended(&order, total, false);

        self.open.take_in_reserve(slot);
        self.open.slab[slot].open = open;
        self.enter_again(slot, held, Quantity::ZERO, emit);
        self.work_off(emit);
    }
}
