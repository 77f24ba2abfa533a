//! Cancel-replace: one order goes and another comes, in one step or not at all.

use tradewright_book::Slot;
use tradewright_risk::Relief;
use tradewright_types::{CloseReason, Decoded, EventKind, Price, RejectReason, Replace, Side};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::hold_of;

impl Engine {
    /// Replaces an order. Every check is made as if the old order were gone already; when one fails, it is still there.
    pub(crate) fn replace(&mut self, replace: &Replace<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let order = &replace.order;
        let old = self.target(order.account, &replace.target);
        let relief = old.map(|old| self.relief(old, replace));
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let price_now = order.conditions().trigger.and_then(|trigger| floor.market.source_price(trigger.source));
        let (mut gate, open) = floor.gate();
        let Some((old, relief)) = old.zip(relief) else {
            gate.check_standing(order)?;
            return Err(RejectReason::UnknownOrder);
        };
        let is_duplicate = || open.find_client(order.account, &order.client_order_id).is_some_and(|found| found != old);
        let waiting = order.conditions().trigger.map(|trigger| trigger.source);
        let stake = Stake { risk: gate.risk, instrument: gate.instrument, book: gate.book, open, gone: Some(old) };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let (held, fires_at, need) = match waiting {
            None => {
                let (held, need) = gate.check_and_hold_closely(order, is_duplicate, Some(&relief), approval)?;
                (held, Price::default(), need)
            }
            Some(_) => gate.check_and_hold_waiting(order, is_duplicate, Some(&relief), price_now, approval)?,
        };
        // After this point the replacement must succeed. The gate has given back the old order's hold.
        self.floor_of(old).close_released(old, EventKind::OrderCancelled, CloseReason::Replaced, emit);
        let mut floor = self.floor(order.instrument).expect("Invariant: the gate has seen the instrument");
        match waiting {
            _ if need.approvers > 0 => floor.wait_for_approval(&held, fires_at, need, emit),
            None => floor.execute(&held, emit),
            Some(_) => floor.wait(&held, fires_at, emit),
        }
        Ok(())
    }

    /// What an order gives up to the one that takes its place.
    fn relief(&self, old: Slot, replace: &Replace<'_>) -> Relief {
        let (instrument, opposite) = (replace.order.instrument, replace.order.side.opposite());
        let order = &self.open.slab[old];
        let gone = |slot: Slot| slot == old;
        let market = &self.markets[order.terms.instrument.index()];
        let opposite_best = self.markets.get(instrument.index()).and_then(|market| {
            let mut levels = market.book.levels(opposite);
            levels.find(|(_, level)| !market.book.queue(&self.open.slab, level).all(gone)).map(|(price, _)| price)
        });
        Relief {
            hold: hold_of(market, &self.open, old),
            instrument: order.terms.instrument,
            bid_lots: if order.terms.side == Side::Buy { self.open.open_of(old).lots() } else { 0 },
            opposite_best,
        }
    }
}
