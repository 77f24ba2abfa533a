//! Cancel-replace: one order goes and another comes, in one step or not at all, or in two halves that may fail apart.

use tradewright_book::{Book, Slot};
use tradewright_risk::{ApprovalNeed, HeldOrder, Relief};
use tradewright_types::{
    CloseReason, CommandRecord, Decoded, EventKind, NewOrder, OrderFlags, Price, RejectReason, Replace, Side,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::{Floor, hold_of};
use crate::open_orders::Notes;

impl Engine {
    /// Replaces an order. Every check is made as if the old order were gone already. When one fails, it is still there, unless
    /// the command lets its halves fail apart.
    pub(crate) fn replace(
        &mut self,
        replace: &Replace<'_>,
        first: &CommandRecord,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let order = &replace.order;
        let allows_failure = replace.modes.has(OrderFlags::ALLOW_FAILURE);
        let old = self.target(order.account, &replace.target).ok_or(RejectReason::UnknownOrder);
        let old = old.and_then(|old| self.check_restriction(old, replace.modes).map(|()| old));
        let relief = old.map(|old| self.relief(old, replace));
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        if let Err(reason) = old
            && !allows_failure
        {
            floor.gate().0.check_standing(order)?;
            return Err(reason);
        }
        let priced = floor.priced(order, old.ok());
        let new = priced.as_ref().map_err(|reason| *reason);
        match (old, new.and_then(|order| floor.check_replacement(order, old.ok(), relief.as_ref().ok()))) {
            (Ok(old), Ok(checked)) => {
                // After this point the replacement must succeed. The gate has given back the old order's hold.
                self.floor_of(old).close_released(old, EventKind::OrderCancelled, CloseReason::Replaced, emit);
                let mut floor = self.floor(order.instrument).expect("Invariant: the gate has seen the instrument");
                floor.enter_checked(&checked, emit);
                Ok(())
            }
            (Err(reason), Ok(checked)) => {
                floor.enter_checked(&checked, emit);
                self.finish_protections(emit);
                emit.rejected(first, reason);
                Ok(())
            }
            (old, Err(reason)) => self.replace_in_part(old, reason, replace, first, emit),
        }
    }

    /// The new order of a replacement was refused: its other half may still be done, or fail by itself.
    #[cold]
    fn replace_in_part(
        &mut self,
        old: Decoded<Slot>,
        reason: RejectReason,
        replace: &Replace<'_>,
        first: &CommandRecord,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let is_one_too_many = reason == RejectReason::OrderRateExceeded && replace.modes.has(OrderFlags::CANCEL_ONLY);
        let parts = replace.modes.has(OrderFlags::ALLOW_FAILURE) && !reason.is_found_before_cancel();
        if !parts && !is_one_too_many {
            return Err(reason);
        }
        match old {
            Ok(old) => self.floor_of(old).close_as(old, EventKind::OrderCancelled, CloseReason::NotReplaced, emit),
            Err(why) => emit.rejected(first, why),
        }
        emit.rejected_half(&first.header, replace.order_record, reason);
        Ok(())
    }

    /// Whether an order may go that is tied to nobody, and that only new ones, or only partially filled ones, may.
    fn check_restriction(&self, old: Slot, modes: OrderFlags) -> Decoded<()> {
        if self.open.slab[old].terms.flags.has(OrderFlags::LISTED) {
            return Err(RejectReason::OrderInList);
        }
        let Notes { total, prevented, .. } = self.open.notes[old.0 as usize];
        let has_traded = total - prevented != self.open.open_of(old);
        if modes.has(OrderFlags::ONLY_NEW) && has_traded {
            Err(RejectReason::OrderNotNew)
        } else if modes.has(OrderFlags::ONLY_PARTIALLY_FILLED) && !has_traded {
            Err(RejectReason::OrderNotPartiallyFilled)
        } else {
            Ok(())
        }
    }

    /// What an order gives up to the one that takes its place.
    fn relief(&self, old: Slot, replace: &Replace<'_>) -> Relief {
        let (instrument, opposite) = (replace.order.instrument, replace.order.side.opposite());
        let order = &self.open.slab[old];
        let gone = |slot: Slot| slot == old;
        let market = &self.markets[order.terms.instrument.index()];
        let opposite_best = self.markets.get(instrument.index()).and_then(|market| {
            let best = |book: &Book| {
                let mut levels = book.levels(opposite);
                levels.find(|(_, level)| !book.queue(&self.open.slab, level).all(gone)).map(|(price, _)| price)
            };
            market.books().filter_map(best).reduce(|one, other| opposite.better(one, other))
        });
        Relief {
            hold: hold_of(market, &self.open, old),
            instrument: order.terms.instrument,
            bid_lots: if order.terms.side == Side::Buy { self.open.open_of(old).lots() } else { 0 },
            opposite_best,
        }
    }
}

/// A checked order, where it fires if it is to wait for its trigger, and who must approve it first.
type Checked<'o> = (HeldOrder<'o>, Option<Price>, ApprovalNeed);

impl Floor<'_> {
    /// Checks the new order of a replacement, as if `old` were gone.
    fn check_replacement<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        old: Option<Slot>,
        relief: Option<&Relief>,
    ) -> Decoded<Checked<'o>> {
        let trigger = order.conditions().trigger;
        let price_now = trigger.and_then(|trigger| self.market.source_price(trigger.source));
        let (mut gate, open, market) = self.gate_beside();
        let stake = Stake { risk: gate.risk, market, open, gone: old };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let is_duplicate = || {
            let found = open.find_client(order.account, &order.client_order_id);
            found.is_some() && found != old
        };
        match trigger {
            None if order.conditions().follows() => {
                let held = gate.check_and_hold_following(order, is_duplicate, relief, approval)?;
                Ok((held, None, ApprovalNeed::default()))
            }
            None if order.time_in_force.is_for_auction() => {
                let held = gate.check_and_hold_for_auction(order, is_duplicate, relief, approval)?;
                Ok((held, None, ApprovalNeed::default()))
            }
            None => {
                let (held, need) = gate.check_and_hold_closely(order, is_duplicate, relief, approval)?;
                Ok((held, None, need))
            }
            Some(_) => {
                let (held, fires_at, need) =
                    gate.check_and_hold_waiting(order, is_duplicate, relief, price_now, approval)?;
                Ok((held, Some(fires_at), need))
            }
        }
    }

    fn enter_checked(&mut self, (held, fires_at, need): &Checked<'_>, emit: &mut Emitter<'_>) {
        match fires_at {
            _ if need.approvers > 0 => self.wait_for_approval(held, fires_at.unwrap_or_default(), *need, emit),
            None if held.order().conditions().follows() => self.begin_following(held, emit),
            None if held.order().time_in_force.is_for_auction() => self.enter_for_auction(held, emit),
            None => self.execute(held, emit),
            Some(fires_at) => self.wait(held, *fires_at, emit),
        }
    }
}
