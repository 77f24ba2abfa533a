//! An open order comes to the market: one that was amended, or one whose trigger fired.

use tradewright_book::Slot;
use tradewright_risk::{HeldOrder, resting_hold};
use tradewright_types::{Amount, CloseReason, EventKind, OrderFlags, Quantity, Side, Size};

use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::{Ended, Taker};
use crate::place::{close_reason, closing};

impl Floor<'_> {
    /// Takes an open order that stands in no queue through the market, with the id, rates and rounding that it has. Its open
    /// bids are not counted while it does. What its trades fire is left to the caller: a cascade must not nest.
    pub(crate) fn enter_again(&mut self, slot: Slot, held: &HeldOrder<'_>, minimum: Quantity, emit: &mut Emitter<'_>) {
        let order = held.order();
        let (account, side, limit) = (order.account, order.side, held.limit());
        let Size::Lots(open) = order.size else { unreachable!("Invariant: an open order has a quantity") };
        let notes = self.open.notes[slot.0 as usize];
        let units = self.market.instrument.units;
        let mut taker = Taker {
            id: self.open.slab[slot].id,
            account,
            trade_group: held.trade_group(),
            side,
            limit,
            self_trade_prevention: order.self_trade_prevention,
            open,
            amount: None,
            rate: held.rates().taker,
            fee: notes.taker_fee,
            prevented: notes.prevented,
            transferred: Amount::ZERO,
            settlement: self.ledger.begin_taker(account, side, units.base, units.quote),
        };
        let killed = self.is_killed(order.time_in_force, minimum, &taker);
        let ended = if killed { Ended::Liquidity } else { self.take(&mut taker, emit) };
        let mut keep = Amount::ZERO;
        if ended.leaves_rest() && taker.has_rest() && order.time_in_force.rests() {
            self.rest_again(slot, &taker, emit);
            let posted = self.open.slab[slot].terms.maker_fee;
            keep = resting_hold(&units, side, limit, taker.open, held.rates().maker, posted);
        } else {
            if ended.leaves_rest() && taker.has_rest() {
                let mut closing = closing(&taker, order);
                closing.client_number = crate::open_orders::OpenOrders::client_number(&self.open.slab[slot].terms);
                let reason: CloseReason = close_reason(order, ended, killed);
                emit.closed(EventKind::OrderExpired, &closing, reason, Amount::ZERO);
                if self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
                    self.untie(slot, emit);
                }
            }
            self.forget(slot);
        }
        self.ledger.settle_taker(&taker.settlement, held.hold() - taker.transferred, keep);
    }

    /// Puts what is left of an open order on the book, behind the others at its limit.
    fn rest_again(&mut self, slot: Slot, taker: &Taker, emit: &mut Emitter<'_>) {
        let priority = self.open.next_priority();
        let notes = &mut self.open.notes[slot.0 as usize];
        (notes.prevented, notes.taker_fee, notes.priority) = (taker.prevented, taker.fee, priority);
        self.open.slab[slot].open = taker.open;
        self.open.mark(slot);
        self.stand(slot, taker.limit, emit);
        if taker.side == Side::Buy {
            *self.market.instrument.open_bids_mut(taker.account) += taker.open.lots();
        }
    }
}
