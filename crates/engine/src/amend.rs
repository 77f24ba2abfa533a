//! Amendments: another price or total quantity for an open order.

use tradewright_book::Slot;
use tradewright_risk::{Amended, Amendment, HeldOrder, HeldTerms, resting_hold};
use tradewright_types::{Amend, Amount, Decoded, OrderType, Quantity, RejectReason, Side, Size, TimeInForce};

use crate::Engine;
use crate::emit::Emitter;
use crate::matching::{Ended, Taker};

impl Engine {
    /// Amends an order: less quantity at the same price keeps its place, anything else comes in again.
    pub(crate) fn amend(&mut self, amend: &Amend, emit: &mut Emitter<'_>) -> Decoded<()> {
        if self.risk.halted {
            return Err(RejectReason::VenueHalted);
        }
        self.risk.account(amend.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(amend.account, &amend.target).ok_or(RejectReason::UnknownOrder)?;
        let amendment = self.amendment(slot, amend);
        let (mut gate, _) = self.gate();
        let amended = gate.check_and_hold_amendment(&amendment)?;
        // After this point the amendment must succeed.
        match amended {
            Amended::Reduced => self.reduce(slot, &amendment, emit),
            Amended::Reentered(held) => self.reenter(slot, held, amend.quantity, emit),
        }
        Ok(())
    }

    fn amendment(&self, slot: Slot, amend: &Amend) -> Amendment {
        let order = &self.open.slab[slot];
        let old = self.closing(slot);
        let gone = order.terms.total - order.open;
        let (_, old_hold) = self.hold_of(slot);
        let terms = HeldTerms {
            account: order.account,
            trade_group: self.risk.accounts[order.account.index()].trade_group,
            instrument: order.terms.instrument,
            side: order.terms.side,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancel,
            self_trade_prevention: order.terms.self_trade_prevention,
            flags: order.terms.flags,
            limit: amend.price,
            size: Size::Lots(amend.quantity.saturating_sub(gone)),
            rates: self.open.rates(slot),
            hold: Amount::ZERO,
            client_order_id: self.open.client_order_id(slot),
        };
        Amendment {
            terms,
            total: amend.quantity,
            gone,
            old_price: old.price,
            old_total: order.terms.total,
            old_hold,
            opposite_best: self.books[order.terms.instrument.index()].best(order.terms.side.opposite()),
        }
    }

    /// Takes quantity from an order that keeps its place, and gives back what it no longer holds.
    fn reduce(&mut self, slot: Slot, amendment: &Amendment, emit: &mut Emitter<'_>) {
        let HeldTerms { account, instrument, side, .. } = amendment.terms;
        let less = amendment.old_total - amendment.total;
        self.books[instrument.index()].reduce(&mut self.open.slab, side, slot, less);
        self.open.slab[slot].terms.total = amendment.total;
        if side == Side::Buy {
            *self.risk.instrument_mut(instrument).open_bids_mut(account) -= less.lots();
        }
        let (asset, hold) = self.hold_of(slot);
        self.ledger.release(account, asset, amendment.old_hold - hold);
        emit.amended(&self.closing(slot), amendment.total, true);
    }

    /// Takes an order out of its place and through the market again, with the id, rates and rounding that it has.
    fn reenter(&mut self, slot: Slot, held: HeldOrder, total: Quantity, emit: &mut Emitter<'_>) {
        let terms = held.into_terms();
        let place = terms.instrument.index();
        let Size::Lots(open) = terms.size else { unreachable!("Invariant: only orders by quantity rest") };
        let mut order = self.closing(slot);
        self.books[place].remove(&mut self.open.slab, terms.side, slot);
        if terms.side == Side::Buy {
            *self.risk.instrument_mut(terms.instrument).open_bids_mut(terms.account) -= order.open.lots();
        }
        (order.price, order.open) = (terms.limit, open);
        self.open.slab[slot].terms.total = total;
        emit.amended(&order, total, false);

        let notes = self.open.notes[slot.0 as usize];
        let units = self.risk.instrument(terms.instrument).units;
        let mut taker = Taker {
            id: order.id,
            account: terms.account,
            trade_group: terms.trade_group,
            instrument: terms.instrument,
            side: terms.side,
            limit: terms.limit,
            self_trade_prevention: terms.self_trade_prevention,
            open,
            amount: None,
            rate: terms.rates.taker,
            fee: notes.taker_fee,
            prevented: notes.prevented,
            transferred: Amount::ZERO,
            settlement: self.ledger.begin_taker(terms.account, terms.side, units.base, units.quote),
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
            self.books[place].rest(&mut self.open.slab, terms.side, terms.limit, slot);
            if terms.side == Side::Buy {
                *self.risk.instrument_mut(terms.instrument).open_bids_mut(terms.account) += taker.open.lots();
            }
            keep = resting_hold(&units, terms.side, terms.limit, taker.open, terms.rates.maker, posted);
        } else {
            self.forget(slot);
        }
        let hold = terms.hold - taker.transferred;
        self.ledger.settle_taker(taker.settlement, hold, keep);
    }
}
