//! The journey of an order, from the decoded command to its last event.
//!
//! ```text
//! NewOrder ──gate──► HeldOrder ──► accepted ──► fill or kill? ──► matching ──► rests, expires or is done ──► settled
//! ```
//!
//! A [`NewOrder`] is legal in itself. The gate (`crates/risk`) checks it against everything else and holds its funds; what comes
//! out is a [`HeldOrder`], and matching takes nothing else. After the gate the order must succeed: nothing below can refuse it.

use tradewright_book::Slot;
use tradewright_risk::{HeldOrder, Refusal, resting_hold};
use tradewright_types::{
    Amount, CloseReason, CommandRecord, Conditions, Decoded, EventKind, ListId, NewOrder, OrderFlags, OrderId,
    OrderType, Peg, Price, Quantity, RejectReason, RoundedFee, Side, Size, TimeInForce, Trigger,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::{Closing, Emitter};
use crate::floor::Floor;
use crate::matching::{Ended, Taker};
use crate::open_orders::{Conditional, Links, Notes, Station, Terms};
use crate::timers::Timer;

impl Engine {
    /// Places an order that is not plain.
    #[inline(never)]
    pub(crate) fn place_any(&mut self, records: &[CommandRecord], emit: &mut Emitter<'_>) -> Decoded<()> {
        let order = NewOrder::read(records)?;
        let Conditions { trigger, peg, .. } = order.conditions();
        match (trigger, peg) {
            (None, None) if order.time_in_force.is_for_auction() => self.place_for_auction(&order, emit),
            (None, None) => self.place(&order, emit),
            (Some(trigger), _) => self.place_waiting(&order, &trigger, emit),
            (None, Some(Peg { is_fixed: true, .. })) => {
                let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
                let priced = floor.priced(&order, None)?;
                self.place(&priced, emit)
            }
            (None, Some(Peg { is_fixed: false, .. })) => self.place_following(&order, emit),
        }
    }

    /// Places an order that is for auctions only.
    fn place_for_auction(&mut self, order: &NewOrder<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let (mut gate, open, market) = floor.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: None };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let held = gate.check_and_hold_for_auction(order, is_duplicate, None, approval)?;
        floor.enter_for_auction(&held, emit);
        Ok(())
    }

    /// Places an order that waits for its trigger.
    fn place_waiting(&mut self, order: &NewOrder<'_>, trigger: &Trigger, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let price_now = floor.market.source_price(trigger.source);
        let (mut gate, open, market) = floor.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: None };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let (held, fires_at, need) = gate.check_and_hold_waiting(order, is_duplicate, None, price_now, approval)?;
        if need.approvers == 0 {
            floor.wait(&held, fires_at, emit);
        } else {
            floor.wait_for_approval(&held, fires_at, need, emit);
        }
        Ok(())
    }

    /// Places an order.
    #[inline(always)]
    pub(crate) fn place(&mut self, order: &NewOrder<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        // 1. Every check, in the order of the reject reasons; then the funds are held.
        let (mut gate, open) = floor.gate();
        let (account, client_order_id) = (order.account, order.client_order_id);
        let is_duplicate = move || open.is_client_open(account, client_order_id);
        let held = match gate.check_and_hold(order, is_duplicate) {
            Ok(held) => held,
            Err(Refusal::For(reason)) => return Err(reason),
            // A copy, so that the order of the other path need not be in memory at all.
            Err(Refusal::LookClosely) => return self.place_closely(*order, emit),
        };
        floor.execute(&held, emit);
        Ok(())
    }

    /// Places an order of an account for which something is special: it may need approval.
    #[cold]
    #[inline(never)]
    fn place_closely(&mut self, order: NewOrder<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let order = &order;
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let (mut gate, open, market) = floor.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: None };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let (held, need) = gate.check_and_hold_closely(order, is_duplicate, None, approval)?;
        if need.approvers == 0 {
            floor.execute(&held, emit);
        } else {
            floor.wait_for_approval(&held, Price::default(), need, emit);
        }
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
        if held.order().flags.has(OrderFlags::CONDITIONS) {
            emit.conditions(id, held.order(), Price::default());
        }
        let may_rest = held.order().time_in_force.rests();
        if may_rest && !held.crosses() {
            // 3. With nobody to trade with it rests as it is, and holds what it goes on holding.
            let Size::Lots(open) = held.order().size else { unreachable!("Invariant: only orders by quantity rest") };
            self.rest(id, held, open, Quantity::ZERO, RoundedFee::default(), emit);
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
        let killed = self.is_killed(order.time_in_force, order.conditions().minimum, &taker);
        // 4. It trades with whoever stands at its limit or better.
        let ended = if killed { Ended::Liquidity } else { self.take(&mut taker, emit) };
        // 5. What is left rests, or expires.
        let mut keep = Amount::ZERO;
        if !taker.has_rest() {
        } else if ended.leaves_rest() {
            if order.time_in_force.rests() {
                self.rest(id, held, taker.open, taker.prevented, taker.fee, emit);
                let units = &self.market.instrument.units;
                let (maker, posted) = (held.rates().maker, RoundedFee::default());
                keep = resting_hold(units, order.side, taker.limit, taker.open, maker, posted);
            } else {
                let reason = close_reason(order, ended, killed);
                emit.closed(EventKind::OrderExpired, &closing(&taker, order), reason, taker.unspent());
            }
        } else if let Some(reason) = ended.expiry() {
            emit.closed(EventKind::OrderExpired, &closing(&taker, order), reason, taker.unspent());
        }
        // 6. The taker's side is posted; what is not kept for the rest of the order becomes available again.
        self.ledger.settle_taker(&taker.settlement, held.hold() - taker.transferred, keep);
        // 7. Orders that waited for the prices it made come to the market behind it.
        self.work_off(emit);
    }

    /// Whether an order wants more at once than there is for it.
    #[inline(always)]
    pub(crate) fn is_killed(&self, time_in_force: TimeInForce, minimum: Quantity, taker: &Taker) -> bool {
        time_in_force == TimeInForce::FillOrKill && !self.can_fill(taker, taker.open)
            || !minimum.is_zero() && !self.can_fill(taker, minimum)
    }

    /// Lets an approved order wait for its trigger.
    pub(crate) fn wait(&mut self, held: &HeldOrder<'_>, fires_at: Price, emit: &mut Emitter<'_>) {
        self.last_order.0 += 1;
        let id = *self.last_order;
        emit.accepted(id, held);
        emit.conditions(id, held.order(), fires_at);
        let trigger = held.order().conditions().trigger.expect("Invariant: who waits has a trigger");
        let Size::Lots(open) = held.order().size else { unreachable!("Invariant: only orders by quantity wait") };
        let slot = self.open_slot(id, held, held.order().flags, open, Quantity::ZERO, RoundedFee::default());
        self.note_conditions(id, slot, held, Station::Trigger);
        let triggers = self.market.triggers.get_or_insert_default();
        triggers.wait(&mut self.open.slab, slot, &trigger, fires_at);
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
    fn rest(
        &mut self,
        id: OrderId,
        held: &HeldOrder<'_>,
        open: Quantity,
        prevented: Quantity,
        taker_fee: RoundedFee,
        emit: &mut Emitter<'_>,
    ) {
        let order = held.order();
        let remembered = order.time_in_force.is_remembered();
        let flags = if remembered { order.flags.with(OrderFlags::CONDITIONS) } else { order.flags };
        let slot = self.open_slot(id, held, flags, open, prevented, taker_fee);
        if flags.has(OrderFlags::CONDITIONS) {
            self.note_conditions(id, slot, held, Station::at_market(&order.conditions()));
            self.stand(slot, held.limit(), emit);
        } else {
            if self.market.is_special {
                self.note_top(slot, held.limit());
                self.note_quote(slot);
            }
            self.market.book.rest(&mut self.open.slab, order.side, held.limit(), slot, open);
        }
    }

    /// Makes an approved order an open one, which stands nowhere yet; its conditions are still to be noted.
    #[inline(always)]
    pub(crate) fn open_slot(
        &mut self,
        id: OrderId,
        held: &HeldOrder<'_>,
        flags: OrderFlags,
        open: Quantity,
        prevented: Quantity,
        taker_fee: RoundedFee,
    ) -> Slot {
        let (order, rates) = (held.order(), held.rates());
        let Size::Lots(total) = order.size else { unreachable!("Invariant: only orders by quantity rest") };
        let terms = Terms {
            links: Links::default(),
            instrument: order.instrument,
            maker_rate: rates.maker,
            maker_fee: RoundedFee::default(),
            side: order.side,
            self_trade_prevention: order.self_trade_prevention,
            flags,
        };
        let priority = self.open.next_priority();
        let notes = Notes { total, prevented, priority, taker_rate: rates.taker, taker_fee };
        let slot = self.open.insert(id, order.account, open, &order.client_order_id, terms, notes);
        let account = self.risk.owner_mut(order.account);
        account.open_orders += 1;
        account.client_number_max = account.client_number_max.max(order.client_order_id.number_or_zero());
        if order.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) += open.lots();
        }
        slot
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn note_conditions(&mut self, id: OrderId, slot: Slot, held: &HeldOrder<'_>, station: Station) {
        let &NewOrder { order_type, time_in_force, .. } = held.order();
        let conditions = held.order().conditions();
        let (limit, reserve) = (held.limit(), Quantity::ZERO);
        let draws = conditions.iceberg.map_or(0, |iceberg| iceberg.seed.into());
        let list = ListId(0);
        let conditional = Conditional { limit, order_type, time_in_force, station, conditions, reserve, draws, list };
        self.open.note_conditional(slot, conditional);
        let terms = &mut self.open.slab[slot].terms;
        terms.flags = station.flags(terms.flags);
        if conditions.iceberg.is_some() {
            self.market.icebergs += 1;
        }
        if conditional.is_of_sessions() {
            self.market.of_sessions.insert(id);
        }
        // Whoever waits for approval has one timer: that of whichever time comes first.
        if conditions.expire_time_ns != 0 && station != Station::Approval {
            self.open.timers.set(conditions.expire_time_ns, Timer::Order(id));
        }
    }
}

#[inline(always)]
pub(crate) fn closing(taker: &Taker, order: &NewOrder<'_>) -> Closing {
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
pub(crate) fn close_reason(order: &NewOrder<'_>, ended: Ended, killed: bool) -> CloseReason {
    match (order.time_in_force, order.order_type) {
        _ if ended == Ended::Stopped => CloseReason::TradingStopped,
        (TimeInForce::FillOrKill, _) => CloseReason::FillOrKill,
        _ if killed => CloseReason::MinimumQuantity,
        (_, OrderType::Market) => CloseReason::NoLiquidity,
        (_, OrderType::Limit) => CloseReason::ImmediateOrCancel,
    }
}
