//! The journey of an order, from the decoded command to its last event.
//!
//! ```text
//! NewOrder ──gate──► HeldOrder ──► accepted ──► fill or kill? ──► matching ──► rests, expires or is done ──► settled
//! ```
//!
//! A [`NewOrder`] is legal in itself. The gate (`crates/risk`) checks it against everything else and holds its funds; what comes
//! out is a [`HeldOrder`], and matching takes nothing else. After the gate the order must succeed: nothing below can refuse it.

use tradewright_risk::{HeldOrder, resting_hold};
use tradewright_types::{
    Amount, CloseReason, CommandRecord, Decoded, EventKind, NewOrder, OrderId, OrderType, Quantity, RejectReason,
    RoundedFee, Side, Size, TimeInForce,
};

use crate::Engine;
use crate::emit::{Closing, Emitter};
use crate::floor::Floor;
use crate::matching::{Ended, Taker};
use crate::open_orders::{Links, Notes, Terms};

impl Engine {
    /// Places an order that is not plain.
    #[inline(never)]
    pub(crate) fn place_any(&mut self, records: &[CommandRecord], emit: &mut Emitter<'_>) -> Decoded<()> {
        self.place(&NewOrder::read(records)?, emit)
    }

    /// Places an order.
    #[inline(always)]
    pub(crate) fn place(&mut self, order: &NewOrder<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        // 1. Every check, in the order of the reject reasons; then the funds are held.
        let (mut gate, open) = floor.gate();
        let (account, client_order_id) = (order.account, order.client_order_id);
        let is_duplicate = move || open.is_client_open(account, client_order_id);
        let held = gate.check_and_hold(order, is_duplicate, None)?;
        floor.execute(&held, emit);
        Ok(())
    }
}

impl Floor<'_> {
    /// Takes an approved order through the market.
    #[inline(always)]
    pub(crate) fn execute(&mut self, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        // 2. It is accepted: it has an id, and the world hears of it.
        self.last_order.0 += 1;
        let id = *self.last_order;
        emit.accepted(id, held);
        let may_rest = held.order().time_in_force == TimeInForce::GoodTillCancel;
        if may_rest && !held.crosses() {
            // 3. With nobody to trade with it rests as it is, and holds what it goes on holding.
            let Size::Lots(open) = held.order().size else { unreachable!("Invariant: only orders by quantity rest") };
            self.rest(id, held, open, Quantity::ZERO, RoundedFee::default());
        } else {
            // A copy, so that the order of the other path need not be in memory at all.
            self.execute_as_taker(id, &held.copied_to(&mut None), emit);
        }
    }

    /// Takes an approved order through the market that trades, or does not rest.
    #[inline(never)]
    fn execute_as_taker(&mut self, id: OrderId, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        let order = held.order();
        let mut taker = self.taker(id, held);
        // 3. Fill or kill: is there enough?
        let killed = order.time_in_force == TimeInForce::FillOrKill && !self.can_fill(&taker);
        // 4. It trades with whoever stands at its limit or better.
        let ended = if killed { Ended::Liquidity } else { self.take(&mut taker, emit) };
        // 5. What is left rests, or expires.
        let mut keep = Amount::ZERO;
        if ended == Ended::Liquidity && taker.has_rest() {
            if order.time_in_force == TimeInForce::GoodTillCancel {
                self.rest(id, held, taker.open, taker.prevented, taker.fee);
                let units = &self.market.instrument.units;
                let (maker, posted) = (held.rates().maker, RoundedFee::default());
                keep = resting_hold(units, order.side, taker.limit, taker.open, maker, posted);
            } else {
                let reason = close_reason(order);
                emit.closed(EventKind::OrderExpired, &closing(&taker, order), reason, taker.unspent());
            }
        } else if ended == Ended::Amount && taker.has_rest() {
            let closing = closing(&taker, order);
            emit.closed(EventKind::OrderExpired, &closing, CloseReason::QuoteAmountSpent, taker.unspent());
        }
        // 6. The taker's side is posted; what is not kept for the rest of the order becomes available again.
        self.ledger.settle_taker(&taker.settlement, held.hold() - taker.transferred, keep);
    }

    /// An approved order as a taker.
    #[inline(always)]
    fn taker(&self, id: OrderId, held: &HeldOrder<'_>) -> Taker {
        let order = held.order();
        let units = &self.market.instrument.units;
        let (open, amount) = match order.size {
            Size::Lots(quantity) => (quantity, None),
            Size::QuoteAmount(amount) => (Quantity::ZERO, Some(amount)),
        };
        Taker {
            id,
            account: order.account,
            trade_group: held.trade_group(),
            side: order.side,
            limit: held.limit(),
            self_trade_prevention: order.self_trade_prevention,
            open,
            amount,
            rate: held.rates().taker,
            fee: RoundedFee::default(),
            prevented: Quantity::ZERO,
            transferred: Amount::ZERO,
            settlement: self.ledger.begin_taker(order.account, order.side, units.base, units.quote),
        }
    }

    /// Puts what is left of a new order on the book.
    #[inline(always)]
    fn rest(&mut self, id: OrderId, held: &HeldOrder<'_>, open: Quantity, prevented: Quantity, taker_fee: RoundedFee) {
        let (order, rates, price) = (held.order(), held.rates(), held.limit());
        let Size::Lots(total) = order.size else { unreachable!("Invariant: only orders by quantity rest") };
        let terms = Terms {
            links: Links::default(),
            instrument: order.instrument,
            maker_rate: rates.maker,
            maker_fee: RoundedFee::default(),
            side: order.side,
            self_trade_prevention: order.self_trade_prevention,
            flags: order.flags,
        };
        let priority = self.open.next_priority();
        let notes = Notes { total, prevented, priority, taker_rate: rates.taker, taker_fee };
        let slot = self.open.insert(id, order.account, open, &order.client_order_id, terms, notes);
        self.market.book.rest(&mut self.open.slab, order.side, price, slot, open);
        let account = self.risk.owner_mut(order.account);
        account.open_orders += 1;
        account.client_number_max = account.client_number_max.max(order.client_order_id.number_or_zero());
        if order.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) += open.lots();
        }
    }
}

#[inline(always)]
fn closing(taker: &Taker, order: &NewOrder<'_>) -> Closing {
    Closing {
        id: taker.id,
        account: order.account,
        instrument: order.instrument,
        side: order.side,
        price: taker.limit,
        open: taker.open,
        client_number: order.client_order_id.number_or_zero(),
    }
}

/// Why an order that found too little in the book expires.
#[inline(always)]
fn close_reason(order: &NewOrder<'_>) -> CloseReason {
    match (order.time_in_force, order.order_type) {
        (TimeInForce::FillOrKill, _) => CloseReason::FillOrKill,
        (TimeInForce::ImmediateOrCancel | TimeInForce::GoodTillCancel, OrderType::Market) => CloseReason::NoLiquidity,
        (TimeInForce::ImmediateOrCancel | TimeInForce::GoodTillCancel, OrderType::Limit) => {
            CloseReason::ImmediateOrCancel
        }
    }
}
