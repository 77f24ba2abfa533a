//! Cancels.

use tradewright_book::Slot;
use tradewright_risk::resting_hold;
use tradewright_types::{
    AccountId, Amount, AssetId, Cancel, CancelAll, CloseReason, Decoded, EventKind, Price, RejectReason, Side, Target,
};

use crate::Engine;
use crate::emit::{Closing, Emitter};
use crate::open_orders::OpenOrders;

impl Engine {
    /// Cancels one order.
    #[inline(always)]
    pub(crate) fn cancel(&mut self, cancel: &Cancel<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.target(cancel.account, &cancel.target).ok_or(RejectReason::UnknownOrder)?;
        self.close(slot, CloseReason::CancelledByOwner, emit);
        Ok(())
    }

    /// Cancels an account's orders, by ascending order id.
    pub(crate) fn cancel_all(&mut self, cancel: &CancelAll, emit: &mut Emitter<'_>) -> Decoded<()> {
        if cancel.instrument.is_some_and(|instrument| instrument.index() >= self.books.len()) {
            return Err(RejectReason::UnknownInstrument);
        }
        let account = self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let own = self.open.slab.iter().filter(|(_, order)| order.account == cancel.account);
        let mut slots: Vec<_> = own
            .take(account.open_orders as usize)
            .filter(|(_, order)| {
                cancel.instrument.is_none_or(|instrument| instrument == order.terms.instrument)
                    && cancel.side.is_none_or(|side| side == order.terms.side)
            })
            .map(|(slot, order)| (order.id, slot))
            .collect();
        slots.sort_unstable();
        for (_, slot) in slots {
            self.close(slot, CloseReason::CancelledAll, emit);
        }
        Ok(())
    }

    /// The account's open order that a command means.
    #[inline(always)]
    pub(crate) fn target(&self, account: AccountId, target: &Target<'_>) -> Option<Slot> {
        match target {
            Target::Order(id) => self.open.find(*id).filter(|slot| self.open.slab[*slot].account == account),
            Target::Client(id) => self.open.find_client(account, id),
        }
    }

    /// What an open order holds, and of which asset.
    #[inline(always)]
    pub(crate) fn hold_of(&self, slot: Slot) -> (AssetId, Amount) {
        let order = &self.open.slab[slot];
        let units = &self.risk.instrument(order.terms.instrument).units;
        let side = order.terms.side;
        let price = self.books[order.terms.instrument.index()].price_of(&self.open.slab, side, slot);
        let asset = if side == Side::Buy { units.quote } else { units.base };
        (asset, resting_hold(units, side, price, order.open, order.terms.maker_rate, order.terms.maker_fee))
    }

    /// An open order as its events tell it.
    #[inline(always)]
    pub(crate) fn closing(&self, slot: Slot) -> Closing {
        let order = &self.open.slab[slot];
        let terms = &order.terms;
        Closing {
            id: order.id,
            account: order.account,
            instrument: terms.instrument,
            side: terms.side,
            price: self.books[terms.instrument.index()].price_of(&self.open.slab, terms.side, slot),
            open: order.open,
            client_number: OpenOrders::client_number(terms),
        }
    }

    /// Closes an open order and gives back what it holds.
    #[inline(always)]
    fn close(&mut self, slot: Slot, reason: CloseReason, emit: &mut Emitter<'_>) {
        let order = &self.open.slab[slot];
        let (account, side, open, terms) = (order.account, order.terms.side, order.open, &order.terms);
        let price = self.books[terms.instrument.index()].price_of(&self.open.slab, side, slot);
        let units = &self.risk.instrument(terms.instrument).units;
        let hold = resting_hold(units, side, price, open, terms.maker_rate, terms.maker_fee);
        let asset = if side == Side::Buy { units.quote } else { units.base };
        self.ledger.release(account, asset, hold);
        self.close_at(slot, price, reason, emit);
    }

    /// Closes an open order whose hold was given back already.
    pub(crate) fn close_released(&mut self, slot: Slot, reason: CloseReason, emit: &mut Emitter<'_>) {
        let price = self.closing(slot).price;
        self.close_at(slot, price, reason, emit);
    }

    #[inline(always)]
    fn close_at(&mut self, slot: Slot, price: Price, reason: CloseReason, emit: &mut Emitter<'_>) {
        let order = &self.open.slab[slot];
        let closing = Closing {
            id: order.id,
            account: order.account,
            instrument: order.terms.instrument,
            side: order.terms.side,
            price,
            open: order.open,
            client_number: OpenOrders::client_number(&order.terms),
        };
        emit.closed(EventKind::OrderCancelled, &closing, reason, Amount::ZERO);
        self.books[closing.instrument.index()].remove(&mut self.open.slab, closing.side, slot);
        if closing.side == Side::Buy {
            *self.risk.instrument_mut(closing.instrument).open_bids_mut(closing.account) -= closing.open.lots();
        }
        self.forget(slot);
    }
}
