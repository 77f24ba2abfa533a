//! Orders that wait for a price: who is next, and what happens when the price comes.
//!
//! Waiting orders stand in books of their own, one for each price source, at their trigger prices: on the side of the asks
//! those that fire when the price rises to them, on the side of the bids those that fire when it falls. So the next to fire
//! is the best of its side, and a cancel costs what it costs in any book.

use std::collections::VecDeque;

use tradewright_book::{Book, Orders, Slot};
use tradewright_risk::waiting_hold;
use tradewright_types::{
    Amount, CloseReason, ListId, OrderFlags, OrderId, Price, PriceSource, Quantity, Side, Trigger,
};

use crate::emit::Emitter;
use crate::floor::{Floor, Market};
use crate::open_orders::{OpenOrders, Station, Terms};

/// The waiting orders of one market, and the prices that only they look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Triggers {
    /// By price source.
    pub(crate) books: [Book; 3],
    /// By price source: the waiting orders that follow the price, by ascending id. Some of them may have left.
    pub(crate) trailing: [Vec<OrderId>; 3],
    pub(crate) mark: Option<Price>,
    pub(crate) index: Option<Price>,
    /// Who comes to the market when the order at work is done.
    pub(crate) line: VecDeque<Next>,
}

/// Who comes to the market next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// An order whose trigger fired.
    Fired(Fired),
    /// The legs of a list whose working leg was filled.
    Legs(ListId),
}

/// A waiting order whose trigger fired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fired {
    slot: Slot,
    /// Its id: it may be gone before its turn comes.
    id: OrderId,
    /// Its trigger price.
    trigger: Price,
    /// The price that fired it.
    price: Price,
}

/// The side of a trigger book on which an order stands that fires when the price rises, or falls.
const fn trigger_side(rises: bool) -> Side {
    if rises { Side::Sell } else { Side::Buy }
}

impl Triggers {
    /// Nobody waiting, at these prices.
    pub(crate) fn with_prices(mark: Option<Price>, index: Option<Price>) -> Self {
        Self { mark, index, ..Self::default() }
    }

    /// Puts an order into its trigger book.
    pub(crate) fn wait(&mut self, slab: &mut Orders<Terms>, slot: Slot, trigger: &Trigger, price: Price) {
        let (side, open) = (slab[slot].terms.side, slab[slot].open);
        let rises = trigger.kind.rises(side);
        self.books[trigger.source as usize].rest(slab, trigger_side(rises), price, slot, open);
        if trigger.trail.is_some() {
            // New orders have the highest id, but not one that starts with its list, was released, or is restored.
            let (trailing, id) = (&mut self.trailing[trigger.source as usize], slab[slot].id);
            let place = if trailing.last().is_none_or(|last| *last < id) {
                trailing.len()
            } else {
                trailing.partition_point(|other| *other < id)
            };
            trailing.insert(place, id);
        }
    }

    /// Bytes that waiting orders take beside their slots.
    pub(crate) fn memory_bytes(&self) -> usize {
        let trails: usize = self.trailing.iter().map(|trailing| trailing.capacity() * size_of::<OrderId>()).sum();
        self.books.iter().map(Book::memory_bytes).sum::<usize>() + trails
    }

    /// Moves an order to another trigger price, behind those that are there. A trail goes on following.
    pub(crate) fn move_to(&mut self, slab: &mut Orders<Terms>, slot: Slot, trigger: &Trigger, price: Price) {
        self.leave(slab, slot, trigger);
        let (side, open) = (slab[slot].terms.side, slab[slot].open);
        let book = &mut self.books[trigger.source as usize];
        book.rest(slab, trigger_side(trigger.kind.rises(side)), price, slot, open);
    }

    /// Gives an order another open quantity where it waits.
    pub(crate) fn resize(&mut self, slab: &mut Orders<Terms>, slot: Slot, trigger: &Trigger, open: Quantity) {
        let rises = trigger.kind.rises(slab[slot].terms.side);
        self.books[trigger.source as usize].resize(slab, trigger_side(rises), slot, open);
    }

    /// Takes an order out of its trigger book.
    pub(crate) fn leave(&mut self, slab: &mut Orders<Terms>, slot: Slot, trigger: &Trigger) {
        let rises = trigger.kind.rises(slab[slot].terms.side);
        self.books[trigger.source as usize].remove(slab, trigger_side(rises), slot);
    }

    /// The price at which a waiting order fires.
    pub(crate) fn price_of(&self, slab: &Orders<Terms>, slot: Slot, trigger: &Trigger) -> Price {
        let rises = trigger.kind.rises(slab[slot].terms.side);
        self.books[trigger.source as usize].price_of(slab, trigger_side(rises), slot)
    }
}

impl Floor<'_> {
    /// A price came: trails follow it, and the triggers that it reaches fire, the ones nearest to the price before first. What
    /// fires comes to the market when the order at work is done with it. Nothing fires in a halt.
    #[cold]
    #[inline(never)]
    pub(crate) fn price_came(&mut self, source: PriceSource, price: Price) {
        self.follow(source, price);
        if self.risk.halted || !self.market.instrument.state.trades() {
            return;
        }
        let Some(triggers) = self.market.triggers.as_deref_mut() else { return };
        let book = &mut triggers.books[source as usize];
        for side in [Side::Sell, Side::Buy] {
            while let Some(front) = book.front_within(side, price) {
                book.remove(&mut self.open.slab, side, front.slot);
                let id = self.open.slab[front.slot].id;
                triggers.line.push_back(Next::Fired(Fired { slot: front.slot, id, trigger: front.price, price }));
            }
        }
    }

    /// Moves the trailing stops that a price leaves behind.
    fn follow(&mut self, source: PriceSource, price: Price) {
        let Some(triggers) = self.market.triggers.as_deref_mut() else { return };
        if triggers.trailing[source as usize].is_empty() {
            return;
        }
        let mut trailing = core::mem::take(&mut triggers.trailing[source as usize]);
        trailing.retain(|id| {
            let Some(slot) = self.open.find(*id) else { return false };
            if self.open.station(slot) != Station::Trigger {
                return false;
            }
            let Some(trigger @ Trigger { trail: Some(trail), .. }) = self.open.conditional(slot).conditions.trigger
            else {
                return false;
            };
            if self.open.slab[slot].is_queued() {
                let side = self.open.slab[slot].terms.side;
                let (old, new) = (triggers.price_of(&self.open.slab, slot, &trigger), trail.trigger(side, price));
                if if side == Side::Buy { new < old } else { new > old } {
                    triggers.move_to(&mut self.open.slab, slot, &trigger, new);
                    self.open.renew_priority(slot);
                }
            }
            true
        });
        triggers.trailing[source as usize] = trailing;
    }

    /// Works off what fired, one order after the other, each against the book that the one before it left.
    #[inline(always)]
    pub(crate) fn work_off(&mut self, emit: &mut Emitter<'_>) {
        if self.market.triggers.is_some() {
            self.work_off_fired(emit);
        }
    }

    #[cold]
    #[inline(never)]
    fn work_off_fired(&mut self, emit: &mut Emitter<'_>) {
        while let Some(next) = self.market.triggers.as_deref_mut().and_then(|triggers| triggers.line.pop_front()) {
            match next {
                Next::Fired(fired) => self.start(fired, emit),
                Next::Legs(list) => self.start_legs(list, emit),
            }
        }
    }

    /// Brings an order to the market whose trigger fired: it is checked again, then enters as any other.
    fn start(&mut self, Fired { slot, id, trigger, price }: Fired, emit: &mut Emitter<'_>) {
        if self.open.slab[slot].id != id {
            // The other leg of its pair traded first.
            return;
        }
        if self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
            self.untie(slot, emit);
        }
        let conditional = *self.open.conditional(slot);
        let source = conditional.conditions.trigger.map_or(PriceSource::Last, |trigger| trigger.source);
        let hold = self.waiting_hold_of(slot);
        let closing = self.closing(slot);
        emit.triggered(&closing, trigger, price, source);
        let rates = self.open.rates(slot);
        let order = self.open.order_again(slot, closing.price);
        self.open.end_waiting(slot);
        if order.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) -= closing.open.lots();
        }
        let (gate, _) = self.gate();
        match gate.check_triggered(&order, rates, hold) {
            Ok(held) => self.enter_again(slot, &held, conditional.conditions.minimum.min(closing.open), emit),
            Err(reason) => {
                let asset = self.asset_of(order.side);
                self.ledger.release(order.account, asset, hold);
                emit.refused_again(&closing, CloseReason::RefusedAtTrigger, reason);
                self.forget(slot);
            }
        }
    }

    /// What a waiting order waits for.
    pub(crate) fn trigger_of(&self, slot: Slot) -> Trigger {
        self.open.conditional(slot).conditions.trigger.expect("Invariant: who waits has a trigger")
    }

    /// The price at which a waiting order fires.
    pub(crate) fn trigger_price_of(&self, slot: Slot, trigger: &Trigger) -> Price {
        let triggers = self.market.triggers.as_deref().expect("Invariant: who waits stands in a trigger book");
        triggers.price_of(&self.open.slab, slot, trigger)
    }

    /// Takes a waiting order out of its trigger book.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_triggers(&mut self, slot: Slot) {
        let trigger = self.trigger_of(slot);
        let triggers = self.market.triggers.as_deref_mut().expect("Invariant: who waits stands in a trigger book");
        // Who fired has left it, and stands in the line.
        if self.open.slab[slot].is_queued() {
            triggers.leave(&mut self.open.slab, slot, &trigger);
        }
    }

    /// What a waiting order holds.
    #[cold]
    #[inline(never)]
    pub(crate) fn waiting_hold_of(&self, slot: Slot) -> Amount {
        waiting_hold_of(self.market, self.open, slot)
    }
}

/// What a waiting order of a market holds.
pub(crate) fn waiting_hold_of(market: &Market, open: &OpenOrders, slot: Slot) -> Amount {
    let (order, conditional) = (&open.slab[slot], open.conditional(slot));
    let (rates, in_force) = (open.rates(slot), conditional.time_in_force);
    let post_only = order.terms.flags.has(OrderFlags::POST_ONLY);
    waiting_hold(&market.instrument, order.terms.side, conditional.limit, order.open, rates, in_force, post_only)
        .expect("Invariant: what was held could be")
}
