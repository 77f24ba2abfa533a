//! Amendments: another price or total quantity for an open order.

use tradewright_book::Slot;
use tradewright_risk::{Amended, Amendment, HeldOrder, resting_hold};
use tradewright_types::{
    Amend, Amount, ClientOrderId, Decoded, NewOrder, OrderType, Quantity, RejectReason, Side, Size, TimeInForce,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::{Ended, Taker};

impl Engine {
    /// Amends an order: less quantity at the same price keeps its place, anything else comes in again.
    pub(crate) fn amend(&mut self, amend: &Amend<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        if self.risk.halted {
            return Err(RejectReason::VenueHalted);
        }
        self.risk.account(amend.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(amend.account, &amend.target).ok_or(RejectReason::UnknownOrder)?;
        let old = &self.open.slab[slot];
        let old_total = self.open.notes[slot.0 as usize].total;
        let gone = old_total - old.open;
        let order = NewOrder {
            account: old.account,
            instrument: old.terms.instrument,
            side: old.terms.side,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancel,
            self_trade_prevention: old.terms.self_trade_prevention,
            flags: old.terms.flags,
            price: amend.price,
            size: Size::Lots(amend.quantity.saturating_sub(gone)),
            // It keeps its place in the table of client order ids.
            client_order_id: ClientOrderId::Absent,
        };
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
        };
        let (mut gate, _) = floor.gate();
        let amended = gate.check_and_hold_amendment(&amendment)?;
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
        self.market.book.reduce(&mut self.open.slab, side, slot, less);
        self.open.notes[slot.0 as usize].total = amendment.total;
        self.open.mark(slot);
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= less.lots();
        }
        let (asset, hold) = self.hold_of(slot);
        self.ledger.release(account, asset, amendment.old_hold - hold);
        emit.amended(&self.closing(slot), amendment.total, true);
    }

    /// Takes an order out of its place and through the market again, with the id, rates and rounding that it has.
    fn reenter(&mut self, slot: Slot, held: &HeldOrder<'_>, total: Quantity, emit: &mut Emitter<'_>) {
        let NewOrder { account, side, price, size, self_trade_prevention, .. } = *held.order();
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

        let notes = self.open.notes[slot.0 as usize];
        let units = self.market.instrument.units;
        let mut taker = Taker {
            id: order.id,
            account,
            trade_group: held.trade_group(),
            side,
            limit: price,
            self_trade_prevention,
            open,
            amount: None,
            rate: held.rates().taker,
            fee: notes.taker_fee,
            prevented: notes.prevented,
            transferred: Amount::ZERO,
            settlement: self.ledger.begin_taker(account, side, units.base, units.quote),
        };
        let ended = self.take(&mut taker, emit);
        let mut keep = Amount::ZERO;
        if ended == Ended::Liquidity && taker.has_rest() {
            let priority = self.open.next_priority();
            let notes = &mut self.open.notes[slot.0 as usize];
            (notes.prevented, notes.taker_fee, notes.priority) = (taker.prevented, taker.fee, priority);
            let maker = &mut self.open.slab[slot];
            maker.open = taker.open;
            let posted = maker.terms.maker_fee;
            self.market.book.rest(&mut self.open.slab, side, price, slot, taker.open);
            if side == Side::Buy {
                *self.market.instrument.open_bids_mut(account) += taker.open.lots();
            }
            keep = resting_hold(&units, side, price, taker.open, held.rates().maker, posted);
        } else {
            self.forget(slot);
        }
        self.ledger.settle_taker(&taker.settlement, held.hold() - taker.transferred, keep);
    }
}
