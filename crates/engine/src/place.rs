//! The journey of an order, from the decoded command to its last event.
//!
//! ```text
//! NewOrder ──gate──► HeldOrder ──► accepted ──► fill or kill? ──► matching ──► rests, expires or is done ──► settled
//! ```
//!
//! A [`NewOrder`] is legal in itself. The gate (`crates/risk`) checks it against everything else and holds its funds; what comes
//! out is a [`HeldOrder`], and matching takes nothing else. After the gate the order must succeed: nothing below can refuse it.

use tradewright_risk::{HeldOrder, HeldTerms, resting_hold};
use tradewright_types::{
    Amount, ClientOrderId, CloseReason, Decoded, EventKind, NewOrder, OrderId, OrderType, Quantity, RoundedFee, Side,
    Size, TimeInForce,
};

use crate::Engine;
use crate::emit::{Accepted, Closing, Emitter};
use crate::matching::{Ended, Taker};
use crate::open_orders::{Notes, Terms};

impl Engine {
    /// Places an order.
    #[inline(always)]
    pub(crate) fn place(&mut self, order: &NewOrder, emit: &mut Emitter<'_>) -> Decoded<()> {
        // 1. Every check, in the order of the reject reasons; then the funds are held.
        let (mut gate, open) = self.gate();
        let is_duplicate = || open.find_client(order.account, &order.client_order_id).is_some();
        let held = gate.check_and_hold(order, is_duplicate, None)?;
        self.execute(held, emit);
        Ok(())
    }

    /// Takes an approved order through the market.
    #[inline(always)]
    pub(crate) fn execute(&mut self, held: HeldOrder, emit: &mut Emitter<'_>) {
        let terms = held.into_terms();
        // 2. It is accepted: it has an id, and the world hears of it.
        self.last_order.0 += 1;
        let id = self.last_order;
        emit.accepted(&accepted(id, &terms), &terms.client_order_id);
        let mut taker = self.taker(id, &terms);
        // 3. Fill or kill: is there enough?
        let killed = terms.time_in_force == TimeInForce::FillOrKill && !self.can_fill(&taker);
        // 4. It trades with whoever stands at its limit or better.
        let ended = if killed { Ended::Liquidity } else { self.take(&mut taker, emit) };
        // 5. What is left rests, or expires.
        let mut keep = Amount::ZERO;
        if ended == Ended::Liquidity && taker.has_rest() {
            if terms.time_in_force == TimeInForce::GoodTillCancel {
                keep = self.rest(&taker, &terms);
            } else {
                let reason = close_reason(&terms);
                emit.closed(EventKind::OrderExpired, &closing(&taker, &terms), reason, taker.unspent());
            }
        } else if ended == Ended::Amount && taker.has_rest() {
            let order = closing(&taker, &terms);
            emit.closed(EventKind::OrderExpired, &order, CloseReason::QuoteAmountSpent, taker.unspent());
        }
        // 6. The taker's side is posted; what is not kept for the rest of the order becomes available again.
        let hold = terms.hold - taker.transferred;
        self.ledger.settle_taker(taker.settlement, hold, keep);
    }

    /// An approved order as a taker.
    #[inline(always)]
    fn taker(&self, id: OrderId, terms: &HeldTerms) -> Taker {
        let units = self.risk.instrument(terms.instrument).units;
        Taker {
            id,
            account: terms.account,
            trade_group: terms.trade_group,
            instrument: terms.instrument,
            side: terms.side,
            limit: terms.limit,
            self_trade_prevention: terms.self_trade_prevention,
            open: match terms.size {
                Size::Lots(quantity) => quantity,
                Size::QuoteAmount(_) => Quantity::ZERO,
            },
            amount: match terms.size {
                Size::Lots(_) => None,
                Size::QuoteAmount(amount) => Some(amount),
            },
            rate: terms.rates.taker,
            fee: RoundedFee::default(),
            prevented: Quantity::ZERO,
            transferred: Amount::ZERO,
            settlement: self.ledger.begin_taker(terms.account, terms.side, units.base, units.quote),
        }
    }

    /// Puts what is left of a new order on the book. Returns what it goes on holding.
    #[inline(always)]
    fn rest(&mut self, taker: &Taker, terms: &HeldTerms) -> Amount {
        let notes = Notes {
            prevented: taker.prevented,
            priority: self.open.next_priority(),
            taker_rate: terms.rates.taker,
            taker_fee: taker.fee,
        };
        let Size::Lots(total) = terms.size else { unreachable!("Invariant: only orders by quantity rest") };
        let resting = Terms {
            client_key: 0,
            total,
            instrument: terms.instrument,
            maker_rate: terms.rates.maker,
            maker_fee: RoundedFee::default(),
            side: terms.side,
            self_trade_prevention: terms.self_trade_prevention,
            flags: terms.flags,
        };
        let client_order_id: ClientOrderId = terms.client_order_id;
        let slot = self.open.insert(taker.id, terms.account, taker.open, client_order_id, resting, notes);
        self.books[terms.instrument.index()].rest(&mut self.open.slab, terms.side, terms.limit, slot);
        self.risk.account_mut(terms.account).open_orders += 1;
        let instrument = self.risk.instrument_mut(terms.instrument);
        if terms.side == Side::Buy {
            *instrument.open_bids_mut(terms.account) += taker.open.lots();
        }
        resting_hold(&instrument.units, terms.side, terms.limit, taker.open, terms.rates.maker, RoundedFee::default())
    }
}

#[inline(always)]
fn accepted(id: OrderId, terms: &HeldTerms) -> Accepted {
    let (quantity, amount) = match terms.size {
        Size::Lots(quantity) => (quantity, Amount::ZERO),
        Size::QuoteAmount(amount) => (Quantity::ZERO, amount),
    };
    Accepted {
        id,
        account: terms.account,
        instrument: terms.instrument,
        side: terms.side,
        order_type: terms.order_type,
        time_in_force: terms.time_in_force,
        self_trade_prevention: terms.self_trade_prevention,
        flags: terms.flags,
        limit: terms.limit,
        quantity,
        amount,
        rates: terms.rates,
    }
}

#[inline(always)]
fn closing(taker: &Taker, terms: &HeldTerms) -> Closing {
    Closing {
        id: taker.id,
        account: terms.account,
        instrument: terms.instrument,
        side: terms.side,
        price: terms.limit,
        open: taker.open,
        client_number: terms.client_order_id.number_or_zero(),
    }
}

/// Why an order that found too little in the book expires.
#[inline(always)]
fn close_reason(terms: &HeldTerms) -> CloseReason {
    match (terms.time_in_force, terms.order_type) {
        (TimeInForce::FillOrKill, _) => CloseReason::FillOrKill,
        (TimeInForce::ImmediateOrCancel | TimeInForce::GoodTillCancel, OrderType::Market) => CloseReason::NoLiquidity,
        (TimeInForce::ImmediateOrCancel | TimeInForce::GoodTillCancel, OrderType::Limit) => {
            CloseReason::ImmediateOrCancel
        }
    }
}
