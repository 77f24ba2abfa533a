//! Amendments: another price, total quantity or client order id for an open order, another trigger price for a waiting one.

use tradewright_book::Slot;
use tradewright_risk::{Amended, Amendment, HeldOrder, Waits, WaitsAgain};
use tradewright_types::{
    Amend, ClientOrderId, Decoded, NewOrder, OrderFlags, OrderType, Price, Quantity, RejectReason, Side, Size, Trigger,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

impl Engine {
    /// Amends an order: no more quantity at the same price keeps its place, anything else comes in again.
    pub(crate) fn amend(&mut self, amend: &Amend<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        if self.risk.halted {
            return Err(RejectReason::VenueHalted);
        }
        self.risk.account(amend.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(amend.account, &amend.target).ok_or(RejectReason::UnknownOrder)?;
        if self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
            return Err(RejectReason::OrderInList);
        }
        match self.open.station(slot) {
            _ if self.open.slab[slot].terms.flags.has(OrderFlags::QUOTE) => Err(RejectReason::OrderNotAmendable),
            Station::Book | Station::Hidden if amend.trigger.is_some() => Err(RejectReason::OrderNotAmendable),
            Station::Book | Station::Hidden => self.floor_of(slot).amend_resting(slot, amend, emit),
            Station::Trigger => self.floor_of(slot).amend_waiting(slot, amend, emit),
            Station::Peg | Station::Auction => Err(RejectReason::OrderNotAmendable),
            Station::Pending => unreachable!("Invariant: only legs of a list are pending"),
            Station::Approval => Err(RejectReason::OrderWaitsForApproval),
        }
    }
}

impl Floor<'_> {
    fn amend_resting(&mut self, slot: Slot, amend: &Amend<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let gone = self.open.notes[slot.0 as usize].total - self.open.open_of(slot);
        let order = self.order_amended(slot, amend, gone);
        let amendment = self.amendment(slot, amend, &order, gone);
        let (mut gate, open, market) = self.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: Some(slot) };
        let approval = |limit, opposite_best| stake.approval(&order, limit, opposite_best);
        let amended = gate.check_and_hold_amendment(&amendment, is_duplicate, approval)?;
        // After this point the amendment must succeed.
        self.rename(slot, &order.client_order_id);
        match amended {
            Amended::Reduced => self.reduce(slot, &amendment, emit),
            Amended::Reentered(held) => self.reenter(slot, &held, amend.quantity, emit),
        }
        Ok(())
    }

    /// Amends an order where it waits for its trigger.
    #[cold]
    #[inline(never)]
    fn amend_waiting(&mut self, slot: Slot, amend: &Amend<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let own = self.trigger_of(slot);
        let order_type = self.open.conditional(slot).order_type;
        let fits = amend.trigger.is_none_or(|new| Trigger { price: own.price, ..new } == own);
        if !fits || order_type == OrderType::Market && amend.price != Price::default() {
            return Err(RejectReason::OrderNotAmendable);
        }
        let gone = self.open.notes[slot.0 as usize].total - self.open.open_of(slot);
        let order = self.order_amended(slot, amend, gone);
        let amendment = self.amendment(slot, amend, &order, gone);
        let waits = Waits {
            trigger: amend.trigger,
            fires_at: self.trigger_price_of(slot, &own),
            price_now: self.market.source_price(own.source),
        };
        let (mut gate, open, market) = self.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: Some(slot) };
        let approval = |limit, opposite_best| stake.approval(&order, limit, opposite_best);
        let again = gate.check_and_hold_waiting_amendment(&amendment, &waits, is_duplicate, approval)?;
        // After this point the amendment must succeed.
        self.rename(slot, &order.client_order_id);
        let moves = again.fires_at != waits.fires_at;
        self.wait_again(slot, &amendment, again, amend.trigger.filter(|_| moves));
        emit.amended(&self.closing(slot), amend.quantity, !moves, &order.client_order_id);
        if moves {
            let place = (order.account, self.id, order.side);
            emit.conditions_of(self.open.slab[slot].id, place, &self.open.conditional(slot).conditions, again.fires_at);
        }
        Ok(())
    }

    /// An open order as it would come in again after an amendment, `gone` of it being executed or prevented.
    fn order_amended<'r>(&self, slot: Slot, amend: &Amend<'r>, gone: Quantity) -> NewOrder<'r> {
        let changes = amend.client_order_id != self.open.client_order_id(slot);
        let client_order_id = if changes { amend.client_order_id } else { ClientOrderId::Absent };
        let size = Size::Lots(amend.quantity.saturating_sub(gone));
        NewOrder { size, client_order_id, ..self.open.order_again(slot, amend.price) }
    }

    fn amendment<'o>(&self, slot: Slot, amend: &Amend<'_>, order: &'o NewOrder<'o>, gone: Quantity) -> Amendment<'o> {
        Amendment {
            order,
            rates: self.open.rates(slot),
            total: amend.quantity,
            gone,
            old_price: self.price_of(slot),
            old_total: self.open.notes[slot.0 as usize].total,
            old_hold: self.hold_of(slot).1,
            opposite_best: self.market.best_of_all(order.side.opposite()),
            iceberg: self.open.conditions(slot).iceberg,
        }
    }

    /// Gives an order its new client order id, if there is one.
    fn rename(&mut self, slot: Slot, id: &ClientOrderId<'_>) {
        if *id != ClientOrderId::Absent {
            self.open.rename(slot, id);
            let owner = self.risk.owner_mut(self.open.slab[slot].account);
            owner.client_number_max = owner.client_number_max.max(id.number_or_zero());
        }
    }

    /// Lets an order wait with what an amendment made of it; `trigger` is its new one, if its trigger price changes.
    fn wait_again(&mut self, slot: Slot, amendment: &Amendment<'_>, again: WaitsAgain, trigger: Option<Trigger>) {
        let old_open = self.open.open_of(slot);
        let open = amendment.total - amendment.gone;
        let own = self.trigger_of(slot);
        let triggers = self.market.triggers.as_deref_mut().expect("Invariant: who waits stands in a trigger book");
        triggers.resize(&mut self.open.slab, slot, &own, open);
        if trigger.is_some() {
            triggers.move_to(&mut self.open.slab, slot, &own, again.fires_at);
            self.open.renew_priority(slot);
        }
        self.open.notes[slot.0 as usize].total = amendment.total;
        self.open.amend_waiting(slot, again.limit, trigger);
        if amendment.order.side == Side::Buy {
            let bids = self.market.instrument.open_bids_mut(amendment.order.account);
            *bids = *bids - old_open.lots() + open.lots();
        }
    }

    /// Takes quantity from an order that keeps its place, and gives back what it no longer holds.
    fn reduce(&mut self, slot: Slot, amendment: &Amendment<'_>, emit: &mut Emitter<'_>) {
        let NewOrder { account, side, client_order_id, .. } = *amendment.order;
        let less = amendment.old_total - amendment.total;
        self.reduce_resting(slot, less);
        self.open.notes[slot.0 as usize].total = amendment.total;
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= less.lots();
        }
        let (asset, hold) = self.hold_of(slot);
        self.ledger.release(account, asset, amendment.old_hold - hold);
        emit.amended(&self.closing(slot), amendment.total, true, &client_order_id);
    }

    /// Takes an order out of its place and through the market again, with the id, rates and rounding that it has.
    fn reenter(&mut self, slot: Slot, held: &HeldOrder<'_>, total: Quantity, emit: &mut Emitter<'_>) {
        let NewOrder { account, side, price, size, client_order_id, .. } = *held.order();
        let Size::Lots(open) = size else { unreachable!("Invariant: only orders by quantity rest") };
        let mut order = self.closing(slot);
        self.leave_book(slot);
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= order.open.lots();
        }
        (order.price, order.open) = (price, open);
        self.open.notes[slot.0 as usize].total = total;
        self.open.mark(slot);
        emit.amended(&order, total, false, &client_order_id);

        self.open.take_in_reserve(slot);
        self.open.slab[slot].open = open;
        self.enter_again(slot, held, Quantity::ZERO, emit);
        self.work_off(emit);
    }
}
