//! Cancels.

use tradewright_book::{Order, Slot};
use tradewright_types::{
    AccountId, Amount, Cancel, CancelAll, CloseReason, CommandRecord, Decoded, EventKind, OrderFlags, OrderId,
    RejectReason, Side, Target,
};

use crate::Engine;
use crate::emit::{Closing, Emitter};
use crate::floor::{Floor, held_price};
use crate::open_orders::{OpenOrders, Station};

impl Engine {
    /// Cancels an order by other means than the engine's id.
    #[inline(never)]
    pub(crate) fn cancel_any(&mut self, records: &[CommandRecord], emit: &mut Emitter<'_>) -> Decoded<()> {
        self.cancel(&Cancel::read(records)?, emit)
    }

    /// Cancels one order.
    #[inline(always)]
    pub(crate) fn cancel(&mut self, cancel: &Cancel<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(cancel.account, &cancel.target).ok_or(RejectReason::UnknownOrder)?;
        self.floor_of(slot).close(slot, CloseReason::CancelledByOwner, emit);
        Ok(())
    }

    /// Cancels an account's orders, by ascending order id.
    pub(crate) fn cancel_all(&mut self, cancel: &CancelAll, emit: &mut Emitter<'_>) -> Decoded<()> {
        if cancel.instrument.is_some_and(|instrument| instrument.index() >= self.markets.len()) {
            return Err(RejectReason::UnknownInstrument);
        }
        let account = self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let own = self.open.slab.iter().filter(|(_, order)| order.account == cancel.account);
        let slots = own
            .take(account.open_orders as usize)
            .filter(|(_, order)| {
                cancel.instrument.is_none_or(|instrument| instrument == order.terms.instrument)
                    && cancel.side.is_none_or(|side| side == order.terms.side)
            })
            .map(|(slot, order)| (order.id, slot))
            .collect();
        self.cancel_each(slots, CloseReason::CancelledAll, emit);
        Ok(())
    }

    /// Cancels open orders for one reason, by ascending order id.
    pub(crate) fn cancel_each(&mut self, mut slots: Vec<(OrderId, Slot)>, reason: CloseReason, emit: &mut Emitter<'_>) {
        slots.sort_unstable();
        for (id, slot) in slots {
            // One that went with its list is gone already.
            if self.open.slab[slot].id == id {
                self.floor_of(slot).close(slot, reason, emit);
            }
        }
    }

    /// The account's open order that a command means.
    #[inline(always)]
    pub(crate) fn target(&self, account: AccountId, target: &Target<'_>) -> Option<Slot> {
        match target {
            Target::Order(id) => self.open.find(*id).filter(|slot| self.open.slab[*slot].account == account),
            Target::Client(id) => self.open.find_client(account, id),
        }
    }
}

impl Floor<'_> {
    /// Closes an open order and gives back what it holds.
    #[inline(always)]
    fn close(&mut self, slot: Slot, reason: CloseReason, emit: &mut Emitter<'_>) {
        self.close_as(slot, EventKind::OrderCancelled, reason, emit);
    }

    /// Closes an open order with an event of this kind and gives back what it holds.
    #[inline(always)]
    pub(crate) fn close_as(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        if self.open.slab[slot].terms.flags.are_plain() {
            self.close_plain(slot, kind, reason, emit);
        } else {
            self.close_any(slot, kind, reason, emit);
        }
    }

    /// The same for an order as nearly all are: one look at its flags has answered for every place and condition.
    #[inline(always)]
    fn close_plain(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        let Order { id, open, account, terms, .. } = self.open.slab[slot];
        let (instrument, side, client_number) = (self.id, terms.side, OpenOrders::client_number(&terms));
        let price = self.market.book.price_of(&self.open.slab, side, slot);
        let hold = self.resting_hold_of(slot, price, open);
        self.ledger.release(account, self.asset_of(side), hold);
        emit.closed(kind, &Closing { id, account, instrument, side, price, open, client_number }, reason, Amount::ZERO);
        self.market.book.remove(&mut self.open.slab, side, slot);
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(account) -= open.lots();
        }
        self.forget_plain(slot);
    }

    #[cold]
    #[inline(never)]
    fn close_any(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        if self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
            return self.close_leg(slot, kind, reason, emit);
        }
        let (station, open) = self.open.standing(slot);
        let order = Closing { open, ..self.closing(slot) };
        let hold = match station {
            Station::Book | Station::Hidden | Station::Auction => self.resting_hold_of(slot, order.price, open),
            Station::Peg => self.resting_hold_of(slot, held_price(self.market, self.open, slot), open),
            Station::Trigger | Station::Approval => self.waiting_hold_of(slot),
            Station::Pending => Amount::ZERO,
        };
        self.ledger.release(order.account, self.asset_of(order.side), hold);
        self.close_told(slot, &order, station, kind, reason, emit);
    }

    /// Closes an open order whose hold was given back already.
    pub(crate) fn close_released(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        let (order, station) = (self.closing(slot), self.open.station(slot));
        self.close_told(slot, &order, station, kind, reason, emit);
    }

    /// Takes an order out of where it stands.
    pub(crate) fn leave(&mut self, slot: Slot, station: Station) {
        match station {
            Station::Book | Station::Hidden | Station::Peg => self.leave_book(slot),
            Station::Trigger => self.leave_triggers(slot),
            Station::Auction => self.leave_call(slot),
            Station::Pending => {}
            Station::Approval => _ = self.leave_approvals(slot),
        }
    }

    fn close_told(
        &mut self,
        slot: Slot,
        order: &Closing,
        station: Station,
        kind: EventKind,
        reason: CloseReason,
        emit: &mut Emitter<'_>,
    ) {
        emit.closed(kind, order, reason, Amount::ZERO);
        self.leave(slot, station);
        if order.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) -= order.open.lots();
        }
        self.forget(slot);
    }
}
