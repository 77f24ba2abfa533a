//! Approvals: orders that wait for somebody else's word.
//!
//! Such an order stands in no queue. What is known of it beside its conditions is here, by its id: bands are few, and what is
//! above them is rare.

use sha2::{Digest, Sha256};
use tradewright_book::Slot;
use tradewright_risk::{ApprovalNeed, HeldOrder, Risk};
use tradewright_types::{
    AccountId, Admission, ApprovalBands, BandScope, CloseReason, CommandKind, CommandRecord, Conditions,
    ConditionsRecord, Decoded, EventKind, InstrumentAction, NewOrder, OrderFlags, OrderId, Permissions, Price,
    Quantity, RejectReason, RoundedFee, Side, Size, Trigger,
};
use zerocopy::IntoBytes;

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::{Floor, Market, price_of};
use crate::open_orders::{OpenOrders, Station};
use crate::timers::Timer;

/// What is known of an order that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    /// How many approvers it needs.
    pub(crate) needed: u8,
    /// When it expires without them.
    pub(crate) deadline_ns: u64,
    /// What they approve.
    pub(crate) hash: [u8; 32],
    /// Its first trigger price; zero without a trigger.
    pub(crate) fires_at: Price,
    /// Who has approved it, in this order.
    pub(crate) approvers: Vec<AccountId>,
}

/// SHA-256 of the canonical order: its id, then its record from the account on, its text and its conditions.
pub(crate) fn hash_of(id: OrderId, order: &NewOrder<'_>) -> [u8; 32] {
    let Size::Lots(quantity) = order.size else { unreachable!("Invariant: only orders by quantity are approved") };
    let record = CommandRecord {
        account: order.account.0,
        instrument: order.instrument.0,
        side: order.side as u8,
        order_type: order.order_type as u8,
        time_in_force: order.time_in_force as u8,
        self_trade_prevention: order.self_trade_prevention as u8,
        flags: order.flags.0,
        price_ticks: order.price.ticks(),
        quantity_lots: quantity.lots(),
        order_ref: order.client_order_id.number_or_zero(),
        ..CommandRecord::new(CommandKind::PlaceOrder)
    };
    let mut hash = Sha256::new().chain_update(id.0.to_le_bytes()).chain_update(&record.as_bytes()[24..]);
    if let Some(text) = CommandRecord::text(&order.client_order_id) {
        hash.update(text.as_bytes());
    }
    if order.flags.has(OrderFlags::CONDITIONS) {
        hash.update(ConditionsRecord::new(&order.conditions()).as_bytes());
    }
    hash.finalize().into()
}

/// Looks at what the owner of an order has at stake on its side of its instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stake<'e> {
    pub(crate) risk: &'e Risk,
    pub(crate) market: &'e Market,
    pub(crate) open: &'e OpenOrders,
    /// The order that goes, or is amended: it does not count.
    pub(crate) gone: Option<Slot>,
}

impl Stake<'_> {
    /// How many approvers an order needs that would have `lots` open at `limit`, with this best price on the opposite side.
    pub(crate) fn approval(&self, order: &NewOrder<'_>, limit: Price, opposite_best: Option<Price>) -> ApprovalNeed {
        let (controls, unit) =
            (&self.risk.controls, u128::from(self.market.instrument.units.quote_quanta_per_tick_lot));
        controls.approval(order.account, order.instrument, || {
            let (lots, amount) = match order.size {
                Size::Lots(quantity) => (quantity, 0),
                Size::QuoteAmount(amount) => (Quantity::ZERO, amount.quanta().unsigned_abs()),
            };
            // What no amount can be is above any band.
            self.raw_worth(order, limit, lots, opposite_best).saturating_mul(unit).saturating_add(amount)
        })
    }

    /// What the order is worth, and all that its owner's group has open on that side, in ticks times lots.
    fn raw_worth(&self, order: &NewOrder<'_>, limit: Price, lots: Quantity, opposite_best: Option<Price>) -> u128 {
        let Self { risk, market, open, gone } = *self;
        // An ask may trade above its limit: at what is bid now, or at what the market's price is.
        let least = match order.side {
            Side::Buy => Price::from_ticks(0),
            Side::Sell => opposite_best.max(market.instrument.band_reference()).unwrap_or_default(),
        };
        let raw = |price: Price, lots: Quantity| {
            u128::from(price.max(least).ticks().unsigned_abs()) * u128::from(lots.lots())
        };
        let group = risk.accounts()[order.account.index()].trade_group;
        let is_of_owner = |account: AccountId| {
            account == order.account || group != 0 && risk.accounts()[account.index()].trade_group == group
        };
        let others = open.slab.iter().filter(|(slot, other)| {
            Some(*slot) != gone
                && other.terms.instrument == order.instrument
                && other.terms.side == order.side
                && is_of_owner(other.account)
        });
        others.fold(raw(limit, lots), |total, (slot, _)| {
            total.saturating_add(raw(price_of(market, open, slot), open.open_of(slot)))
        })
    }
}

impl Floor<'_> {
    /// Lets an accepted order wait for approval.
    #[cold]
    #[inline(never)]
    pub(crate) fn wait_for_approval(
        &mut self,
        held: &HeldOrder<'_>,
        fires_at: Price,
        need: ApprovalNeed,
        emit: &mut Emitter<'_>,
    ) {
        self.last_order.0 += 1;
        let id = *self.last_order;
        let order = held.order();
        emit.accepted(id, held);
        if order.flags.has(OrderFlags::CONDITIONS) {
            emit.conditions(id, order, fires_at);
        }
        let Size::Lots(open) = order.size else { unreachable!("Invariant: only orders by quantity are approved") };
        // Its time in force has to be remembered behind the release, too.
        let remembered = order.time_in_force.is_remembered();
        let flags = if remembered { order.flags.with(OrderFlags::CONDITIONS) } else { order.flags };
        let flags = flags.with(OrderFlags::WAITING);
        let slot = self.open_slot(id, held, flags, open, Quantity::ZERO, RoundedFee::default());
        self.note_conditions(id, slot, held, Station::Approval);
        let mut deadline_ns = self.risk.time_ns.saturating_add(need.expiry_ns);
        let Conditions { expire_time_ns, .. } = order.conditions();
        if expire_time_ns != 0 {
            deadline_ns = deadline_ns.min(expire_time_ns);
        }
        let (needed, hash) = (need.approvers, hash_of(id, order));
        let approval = Approval { needed, deadline_ns, hash, fires_at, approvers: Vec::new() };
        emit.approval(EventKind::ApprovalRequired, &self.closing(slot), &approval, AccountId(0));
        self.open.timers.set(deadline_ns, Timer::Order(id));
        self.open.approvals.insert(id, approval);
    }

    /// Takes an order out of those that wait for approval.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_approvals(&mut self, slot: Slot) -> Approval {
        let id = self.open.slab[slot].id;
        let approval = self.open.approvals.remove(&id).expect("Invariant: an order that waits for approval is known");
        self.open.timers.remove(approval.deadline_ns, Timer::Order(id));
        approval
    }

    /// Lets an order go on that has all its approvals: it is checked again, then it comes to the market or waits for its trigger.
    fn release(&mut self, slot: Slot, emit: &mut Emitter<'_>) {
        let Approval { fires_at, .. } = self.leave_approvals(slot);
        let hold = self.waiting_hold_of(slot);
        let closing = self.closing(slot);
        emit.released(&closing);
        let Conditions { trigger, expire_time_ns, minimum, .. } = self.open.conditional(slot).conditions;
        if expire_time_ns != 0 {
            self.open.timers.set(expire_time_ns, Timer::Order(closing.id));
        }
        let rates = self.open.rates(slot);
        let order = self.open.order_again(slot, closing.price);
        let refusal = if let Some(trigger) = trigger {
            self.release_to_trigger(slot, &order, &trigger, fires_at).err()
        } else {
            let (gate, _) = self.gate();
            let checked = gate.check_released(&order, rates, hold);
            self.open.end_waiting(slot);
            if order.side == Side::Buy {
                *self.market.instrument.open_bids_mut(order.account) -= closing.open.lots();
            }
            match checked {
                Ok(held) => {
                    self.enter_again(slot, &held, minimum, emit);
                    None
                }
                Err(reason) => {
                    if order.side == Side::Buy {
                        *self.market.instrument.open_bids_mut(order.account) += closing.open.lots();
                    }
                    Some(reason)
                }
            }
        };
        if let Some(reason) = refusal {
            self.ledger.release(order.account, self.asset_of(order.side), hold);
            if order.side == Side::Buy {
                *self.market.instrument.open_bids_mut(order.account) -= closing.open.lots();
            }
            emit.refused_again(&closing, CloseReason::RefusedAtRelease, reason);
            self.forget(slot);
        }
        self.work_off(emit);
    }

    /// Lets a released order wait for its trigger, if every check still lets it.
    fn release_to_trigger(
        &mut self,
        slot: Slot,
        order: &NewOrder<'_>,
        trigger: &Trigger,
        fires_at: Price,
    ) -> Decoded<()> {
        let price_now = self.market.source_price(trigger.source);
        let (gate, _) = self.gate();
        gate.check_released_waiting(order, trigger, fires_at, price_now)?;
        self.open.conditional_mut(slot).station = Station::Trigger;
        self.open.renew_priority(slot);
        let triggers = self.market.triggers.get_or_insert_default();
        triggers.wait(&mut self.open.slab, slot, trigger, fires_at);
        Ok(())
    }
}

impl Engine {
    /// Sets approval bands.
    pub(crate) fn set_approval_bands(
        &mut self,
        scope: BandScope,
        bands: ApprovalBands,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let (code, account, instrument) = match scope {
            BandScope::Instrument(instrument) => {
                self.known_instrument(instrument)?;
                (1, 0, instrument.0)
            }
            BandScope::Account(account) => {
                self.known_account(account)?;
                (2, account.0, tradewright_types::ANY)
            }
        };
        self.risk.set_bands(scope, bands);
        emit.bands((code, account, instrument), &bands);
        Ok(())
    }

    /// Approves an order. The last approval that it needs releases it.
    pub(crate) fn approve(
        &mut self,
        approver: AccountId,
        order: OrderId,
        hash: &[u8; 32],
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        if self.risk.halted {
            return Err(RejectReason::VenueHalted);
        }
        let standing = self.risk.account(approver).ok_or(RejectReason::UnknownAccount)?.standing;
        let slot = self.open.find(order).ok_or(RejectReason::UnknownOrder)?;
        // A release is for continuous trading: what does not trade at once lets nobody be released.
        let state = self.markets[self.open.slab[slot].terms.instrument.index()].instrument.state;
        if let Admission::Refused(reason) = state.admits(InstrumentAction::EnterAtOnce) {
            return Err(reason);
        }
        if standing.is_halted() {
            return Err(RejectReason::AccountHalted);
        }
        if standing.is_killed() {
            return Err(RejectReason::KillSwitchEngaged);
        }
        self.check_approver(approver, slot)?;
        let known = &self.open.approvals[&order];
        if known.approvers.contains(&approver) {
            return Err(RejectReason::AlreadyApproved);
        }
        if known.hash != *hash {
            return Err(RejectReason::ApprovalHashDiffers);
        }
        // After this point the approval must succeed.
        let mut floor = self.floor_of(slot);
        let closing = floor.closing(slot);
        let known = floor.open.approvals.get_mut(&order).expect("Invariant: it was checked");
        known.approvers.push(approver);
        emit.approval(EventKind::OrderApproved, &closing, known, approver);
        if known.approvers.len() == usize::from(known.needed) {
            floor.release(slot, emit);
        }
        Ok(())
    }

    /// Declines an order: it is cancelled.
    pub(crate) fn decline(&mut self, approver: AccountId, order: OrderId, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.risk.account(approver).ok_or(RejectReason::UnknownAccount)?;
        let slot = self.open.find(order).ok_or(RejectReason::UnknownOrder)?;
        self.check_approver(approver, slot)?;
        let mut floor = self.floor_of(slot);
        emit.approval(EventKind::ApprovalDeclined, &floor.closing(slot), &floor.open.approvals[&order], approver);
        floor.close_as(slot, EventKind::OrderCancelled, CloseReason::Declined, emit);
        Ok(())
    }

    /// Whether an order waits for approval, and the account may give it.
    fn check_approver(&self, approver: AccountId, slot: Slot) -> Decoded<()> {
        if self.open.station(slot) != Station::Approval {
            return Err(RejectReason::OrderNeedsNoApproval);
        }
        let (owner, own) = (self.open.slab[slot].account, self.risk.accounts()[approver.index()]);
        let group = self.risk.accounts()[owner.index()].trade_group;
        if owner == approver || group != 0 && group == own.trade_group {
            return Err(RejectReason::ApproverNotIndependent);
        }
        if own.permissions.allow(Permissions::APPROVE) { Ok(()) } else { Err(RejectReason::ApproverNotPermitted) }
    }
}
