//! What happens to the legs of lists: they are placed together, one's execution cancels or starts another, one's end takes the
//! others along.
//!
//! A leg that waits for another one is *pending*: it stands nowhere and holds nothing. Two legs that both stand are a *pair*, and
//! hold once: the larger of what each would hold alone.

use tradewright_book::Slot;
use tradewright_risk::{CheckedLeg, HeldOrder};
use tradewright_types::{
    Amount, CancelList, CloseReason, CommandRecord, Conditions, Decoded, EventKind, FeeRates, LegRefused, ListId,
    NewList, NewOrder, OrderFlags, OrderId, Price, Quantity, RejectReason, RoundedFee, Side, Size,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::lists::{List, ListName};
use crate::open_orders::{Conditional, Links, Notes, Station, Terms};
use crate::timers::Timer;
use crate::triggers::Next;

/// A pending leg as it starts.
#[derive(Clone, Copy, Debug)]
struct Starting {
    slot: Slot,
    order: NewOrder<'static>,
    conditions: Conditions,
    rates: FeeRates,
}

impl Engine {
    /// Places a list: all its orders or none.
    #[inline(never)]
    pub(crate) fn place_list(&mut self, records: &[CommandRecord], emit: &mut Emitter<'_>) {
        if let Err(refused) = self.try_place_list(records, emit) {
            emit.refused(&records[0], refused);
        }
    }

    fn try_place_list(&mut self, records: &[CommandRecord], emit: &mut Emitter<'_>) -> Result<(), LegRefused> {
        let list = NewList::read(records)?;
        let unknown = LegRefused { reason: RejectReason::UnknownInstrument, leg: 1 };
        let mut floor = self.floor(list.instrument).ok_or(unknown)?;
        let orders = floor.priced_legs(&list);
        let legs = floor.check_list(&list, &orders)?;
        // After this point the list must succeed.
        floor.accept_list(&list, &legs, emit);
        Ok(())
    }

    /// Cancels a list: every order that it ties together.
    pub(crate) fn cancel_list(&mut self, cancel: &CancelList<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let id = self.open.lists.find(cancel.account, &cancel.target).ok_or(RejectReason::UnknownOrder)?;
        let instrument = self.open.lists.get(id).expect("Invariant: a list that is found is there").instrument;
        let mut floor = self.floor(instrument).expect("Invariant: a list's instrument exists");
        floor.end_list(id, None, CloseReason::CancelledByOwner, emit);
        Ok(())
    }
}

impl Floor<'_> {
    /// The legs of a list with the prices that they have: a fixed peg that is pending finds its own when it starts.
    fn priced_legs<'r>(&mut self, list: &NewList<'r>) -> Vec<Decoded<NewOrder<'r>>> {
        let legs = list.legs().iter().enumerate();
        legs.map(|(place, leg)| if list.is_pending(place) { Ok(*leg) } else { self.priced(leg, None) }).collect()
    }

    /// Checks every leg of a list as if it were alone, then the list. `orders` are its legs with their prices.
    fn check_list<'l>(
        &mut self,
        list: &NewList<'_>,
        orders: &'l [Decoded<NewOrder<'_>>],
    ) -> Result<Vec<CheckedLeg<'l>>, LegRefused> {
        let mut legs = Vec::with_capacity(3);
        let mut legs_before = 0;
        for (place, order) in orders.iter().enumerate() {
            let refused = |reason| LegRefused { reason, leg: place as u8 + 1 };
            let order = order.as_ref().map_err(|reason| refused(*reason))?;
            let is_pending = list.is_pending(place);
            let price_now = self.price_now(&order.conditions());
            let (mut gate, open, market) = self.gate_beside();
            gate.legs_before = legs_before;
            let stake = Stake { risk: gate.risk, market, open, gone: None };
            let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
            let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
            let checked = match is_pending {
                true => gate.check_pending(order, is_duplicate),
                false => gate.check_leg(order, is_duplicate, price_now, approval),
            };
            legs.push(checked.map_err(refused)?);
            let stays = is_pending || order.time_in_force.rests() || order.conditions().trigger.is_some();
            legs_before += usize::from(stays);
        }
        if !self.market.instrument.state.trades() {
            return Err(RejectReason::ImmediateInCall.into());
        }
        if let ([first, second], false) = (legs.as_slice(), list.contingency.has_working_leg()) {
            let price_now = self.price_now(&list.legs()[1].conditions());
            self.gate().0.check_pair(&[*first, *second], price_now)?;
        }
        let is_taken = self.open.lists.named(list.account, &list.client_list_id).is_some();
        if is_taken { Err(RejectReason::DuplicateListId.into()) } else { Ok(legs) }
    }

    /// The price that a trigger looks at.
    fn price_now(&self, conditions: &Conditions) -> Option<Price> {
        conditions.trigger.and_then(|trigger| self.market.source_price(trigger.source))
    }

    /// Accepts a list, and lets those of its legs come in that wait for nobody.
    fn accept_list(&mut self, list: &NewList<'_>, legs: &[CheckedLeg<'_>], emit: &mut Emitter<'_>) {
        // The line of those who start stands there.
        self.market.triggers.get_or_insert_default();
        let id = self.open.lists.next_id();
        emit.list_accepted(id, list);
        let (mut ids, mut slots) = ([OrderId(0); 3], [Slot::NONE; 3]);
        for (place, (order, leg)) in list.legs().iter().zip(legs).enumerate() {
            self.last_order.0 += 1;
            ids[place] = *self.last_order;
            emit.leg_accepted(ids[place], order, leg);
            slots[place] = self.open_leg(id, ids[place], order, leg);
        }
        let NewList { account, instrument, contingency, .. } = *list;
        let name = ListName::new(&list.client_list_id);
        self.keep_list(id, List { account, instrument, contingency, name, legs: ids });
        if contingency.has_working_leg() {
            let held = self.gate().0.hold_leg(&legs[0]);
            self.open.settle(slots[0], Station::Book, held.limit());
            self.enter_again(slots[0], &held, list.legs()[0].conditions().minimum, emit);
        } else {
            self.stand_or_enter([slots[0], slots[1]], &[legs[0], legs[1]], emit);
        }
        self.work_off(emit);
    }

    fn keep_list(&mut self, id: ListId, list: List) {
        self.open.lists.insert(id, list);
        self.market.lists += 1;
        self.market.refresh();
    }

    /// Takes out a list, which ties nothing together any more.
    fn remove_list(&mut self, id: ListId) -> List {
        self.market.lists -= 1;
        self.market.refresh();
        self.open.lists.remove(id).expect("Invariant: the list of a leg is there")
    }

    /// Makes an accepted leg an open order, which is pending for now.
    fn open_leg(&mut self, list: ListId, id: OrderId, order: &NewOrder<'_>, leg: &CheckedLeg<'_>) -> Slot {
        let Size::Lots(total) = order.size else { unreachable!("Invariant: a leg has a quantity") };
        let terms = Terms {
            links: Links::default(),
            instrument: order.instrument,
            maker_rate: leg.rates().maker,
            maker_fee: RoundedFee::default(),
            side: order.side,
            self_trade_prevention: order.self_trade_prevention,
            flags: order.flags.with(OrderFlags::WAITING).with(OrderFlags::LISTED),
        };
        let (priority, taker_rate) = (self.open.next_priority(), leg.rates().taker);
        let notes = Notes { total, prevented: Quantity::ZERO, priority, taker_rate, taker_fee: RoundedFee::default() };
        let slot = self.open.insert(id, order.account, total, &order.client_order_id, terms, notes);
        let account = self.risk.owner_mut(order.account);
        account.open_orders += 1;
        account.client_number_max = account.client_number_max.max(order.client_order_id.number_or_zero());
        let &NewOrder { order_type, time_in_force, .. } = order;
        let (limit, station, conditions) = (leg.limit(), Station::Pending, order.conditions());
        let (reserve, draws) = (Quantity::ZERO, 0);
        let conditional = Conditional { limit, order_type, time_in_force, station, conditions, reserve, draws, list };
        self.open.note_conditional(slot, conditional);
        if conditions.expire_time_ns != 0 {
            self.open.timers.set(conditions.expire_time_ns, Timer::Order(id));
        }
        slot
    }

    /// Lets a pair stand; or, when its first leg meets somebody, lets that come to the market alone.
    fn stand_or_enter(&mut self, slots: [Slot; 2], legs: &[CheckedLeg<'_>; 2], emit: &mut Emitter<'_>) {
        if legs[0].crosses() {
            self.untie_because(slots[0], CloseReason::OtherLegExecuted, emit);
            let held = self.gate().0.hold_leg(&legs[0]);
            self.open.settle(slots[0], Station::Book, held.limit());
            return self.enter_again(slots[0], &held, Quantity::ZERO, emit);
        }
        let held = self.gate().0.hold_pair(legs);
        for ((slot, leg), held) in slots.into_iter().zip(legs).zip(&held) {
            self.stand_or_wait(slot, held, leg.fires_at(), emit);
        }
        self.count_open_bids(slots[0]);
    }

    /// Puts a leg on the book, where it meets nobody, or lets it wait for its trigger.
    fn stand_or_wait(&mut self, slot: Slot, held: &HeldOrder<'_>, fires_at: Price, emit: &mut Emitter<'_>) {
        let (limit, conditions) = (held.limit(), self.open.conditional(slot).conditions);
        match conditions.trigger {
            None => {
                self.open.settle(slot, Station::Book, limit);
                self.stand(slot, limit, emit);
            }
            Some(trigger) => {
                self.open.settle(slot, Station::Trigger, limit);
                let triggers = self.market.triggers.get_or_insert_default();
                triggers.wait(&mut self.open.slab, slot, &trigger, fires_at);
            }
        }
    }

    /// Counts what an order that stands may buy. A pair is counted once.
    fn count_open_bids(&mut self, slot: Slot) {
        let order = &self.open.slab[slot];
        if order.terms.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) += order.open.lots();
        }
    }

    /// A maker is about to trade: the other leg of its pair goes.
    #[cold]
    #[inline(never)]
    pub(crate) fn before_trade(&mut self, maker: Slot, emit: &mut Emitter<'_>) {
        if self.open.slab[maker].terms.flags.has(OrderFlags::LISTED) && self.is_paired(maker) {
            self.untie(maker, emit);
        }
    }

    /// An order is about to lose quantity to self-trade prevention: whoever depends on it goes.
    #[cold]
    #[inline(never)]
    pub(crate) fn before_loss(&mut self, order: OrderId, quantity: Quantity, emit: &mut Emitter<'_>) {
        let Some(slot) = self.open.find(order) else { return };
        if !quantity.is_zero() && self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
            self.untie(slot, emit);
        }
    }

    /// Whether a leg that stands is one of a pair, and not the one that others wait for.
    fn is_paired(&self, slot: Slot) -> bool {
        let list = self.open.lists.get(self.open.conditional(slot).list);
        list.is_some_and(|list| !list.contingency.has_working_leg() || list.legs[0] == OrderId(0))
    }

    /// Ends a list but for one of its legs, which goes on alone with what it holds by itself.
    pub(crate) fn untie(&mut self, kept: Slot, emit: &mut Emitter<'_>) {
        let paired = self.is_paired(kept);
        self.untie_because(kept, if paired { CloseReason::OtherLegExecuted } else { CloseReason::ListClosed }, emit);
    }

    fn untie_because(&mut self, kept: Slot, reason: CloseReason, emit: &mut Emitter<'_>) {
        let list_id = self.open.conditional(kept).list;
        let kept_id = self.open.slab[kept].id;
        let list = self.remove_list(list_id);
        for id in list.tied().filter(|id| *id != kept_id) {
            let slot = self.open.find(id).expect("Invariant: a tied leg is open");
            // Of a pair both hold once; who is pending holds nothing.
            let (asset, hold) = self.hold_of(slot);
            if hold.is_positive() {
                let more = hold - self.hold_of(kept).1;
                if more.is_positive() {
                    self.ledger.release(list.account, asset, more);
                }
            }
            self.drop_leg(slot, EventKind::OrderCancelled, reason, emit);
        }
        self.open.untie(kept);
        emit.list_done(list_id, &list);
    }

    /// Closes a leg, and with it the others of its list.
    pub(crate) fn close_leg(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        let list = self.open.conditional(slot).list;
        self.end_list(list, Some((slot, kind, reason)), CloseReason::ListClosed, emit);
    }

    /// Ends a list with all its legs: one of them `first`, for a reason of its own.
    fn end_list(
        &mut self,
        id: ListId,
        first: Option<(Slot, EventKind, CloseReason)>,
        reason: CloseReason,
        emit: &mut Emitter<'_>,
    ) {
        let list = self.remove_list(id);
        let slots: Vec<Slot> =
            list.tied().map(|id| self.open.find(id).expect("Invariant: a tied leg is open")).collect();
        // What they hold together, and count together as open bids: those that stand count once.
        let standing = slots.iter().copied().filter(|slot| self.open.station(*slot) != Station::Pending);
        if let Some((asset, hold)) = standing.clone().map(|slot| self.hold_of(slot)).max_by_key(|(_, hold)| *hold) {
            self.ledger.release(list.account, asset, hold);
        }
        if let Some(slot) = standing.clone().next()
            && self.open.slab[slot].terms.side == Side::Buy
        {
            *self.market.instrument.open_bids_mut(list.account) -= self.open.slab[slot].open.lots();
        }
        if let Some((slot, kind, reason)) = first {
            self.drop_leg(slot, kind, reason, emit);
        }
        for slot in slots {
            if first.is_none_or(|(first, ..)| first != slot) {
                self.drop_leg(slot, EventKind::OrderCancelled, reason, emit);
            }
        }
        emit.list_done(id, &list);
    }

    /// Closes a leg whose money and open bids are seen to.
    fn drop_leg(&mut self, slot: Slot, kind: EventKind, reason: CloseReason, emit: &mut Emitter<'_>) {
        let (closing, station) = (self.closing(slot), self.open.station(slot));
        emit.closed(kind, &closing, reason, Amount::ZERO);
        self.leave(slot, station);
        self.open.untie(slot);
        self.forget(slot);
    }

    /// The working leg of a list was filled: the others start when the order at work is done.
    pub(crate) fn working_leg_filled(&mut self, slot: Slot) {
        let list = self.open.conditional(slot).list;
        self.open.lists.leave_first(list);
        self.market.triggers.get_or_insert_default().line.push_back(Next::Legs(list));
    }

    /// Starts the pending legs of a list, which are checked now.
    pub(crate) fn start_legs(&mut self, id: ListId, emit: &mut Emitter<'_>) {
        let Some(list) = self.open.lists.get(id).copied() else { return };
        let starting: Vec<Starting> = list.tied().map(|leg| self.starting(leg)).collect();
        let legs = match self.check_start(&starting) {
            Ok(legs) => legs,
            Err((place, reason)) => return self.refuse_start(id, &starting, place, reason, emit),
        };
        for (leg, checked) in starting.iter().zip(&legs) {
            self.open.note_limit(leg.slot, checked.limit());
            emit.list_updated(id, &self.closing(leg.slot), checked);
        }
        if let ([first, second], [first_leg, second_leg]) = (starting.as_slice(), legs.as_slice()) {
            return self.stand_or_enter([first.slot, second.slot], &[*first_leg, *second_leg], emit);
        }
        let (slot, leg) = (starting[0].slot, legs[0]);
        self.remove_list(id);
        self.open.untie(slot);
        emit.list_done(id, &list);
        let held = self.gate().0.hold_leg(&leg);
        if starting[0].conditions.trigger.is_some() {
            self.stand_or_wait(slot, &held, leg.fires_at(), emit);
            self.count_open_bids(slot);
        } else {
            self.open.settle(slot, Station::Book, held.limit());
            self.enter_again(slot, &held, starting[0].conditions.minimum, emit);
        }
    }

    fn starting(&self, leg: OrderId) -> Starting {
        let slot = self.open.find(leg).expect("Invariant: a tied leg is open");
        let &Conditional { limit, conditions, .. } = self.open.conditional(slot);
        let side = self.open.slab[slot].terms.side;
        let limit = match conditions.peg {
            None => limit,
            Some(peg) => self.market.fixed_price(self.open, side, peg, None).unwrap_or_default(),
        };
        Starting { slot, order: self.open.order_again(slot, limit), conditions, rates: self.open.rates(slot) }
    }

    /// Checks legs that start; otherwise tells which of them is refused, and why.
    fn check_start<'s>(&mut self, starting: &'s [Starting]) -> Result<Vec<CheckedLeg<'s>>, (usize, RejectReason)> {
        let mut legs = Vec::with_capacity(2);
        for (place, leg) in starting.iter().enumerate() {
            let price_now = self.price_now(&leg.conditions);
            let (gate, open, market) = self.gate_beside();
            let stake = Stake { risk: gate.risk, market, open, gone: Some(leg.slot) };
            let approval = |limit, opposite_best| stake.approval(&leg.order, limit, opposite_best);
            let checked = gate.check_started(&leg.order, &leg.conditions, leg.rates, price_now, approval);
            legs.push(checked.map_err(|reason| (place, reason))?);
        }
        if let [first, second] = legs.as_slice() {
            let price_now = self.price_now(&starting[1].conditions);
            self.gate().0.check_pair(&[*first, *second], price_now).map_err(|reason| (0, reason))?;
        }
        Ok(legs)
    }

    /// Ends a list whose pending legs cannot start.
    fn refuse_start(
        &mut self,
        id: ListId,
        starting: &[Starting],
        place: usize,
        reason: RejectReason,
        emit: &mut Emitter<'_>,
    ) {
        let list = self.remove_list(id);
        let slot = starting[place].slot;
        emit.refused_again(&self.closing(slot), CloseReason::RefusedAtStart, reason);
        self.open.untie(slot);
        self.forget(slot);
        for other in starting.iter().filter(|leg| leg.slot != slot) {
            self.drop_leg(other.slot, EventKind::OrderCancelled, CloseReason::ListClosed, emit);
        }
        emit.list_done(id, &list);
    }
}
