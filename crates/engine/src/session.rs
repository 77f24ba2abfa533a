//! The state of an instrument: what takes it to another one, and what that does to its orders.

use tradewright_book::Slot;
use tradewright_types::{
    AuctionPhase, CallTerms, CloseReason, EventKind, InstrumentState, OrderFlags, OrderId, PriceSource, ScheduledState,
    StateCause, TimeInForce,
};

use crate::call::Call;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::timers::Timer;

/// What belongs to an instrument's state. None until it leaves continuous trading for the first time, or is told how to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) terms: CallTerms,
    /// Which call it is in; while it pauses, the one that follows.
    pub(crate) phase: AuctionPhase,
    /// When its state ends by itself; 0 is never. A halt keeps it for the state before.
    pub(crate) until_ns: u64,
    /// Where it was before it was halted.
    pub(crate) before_halt: Option<InstrumentState>,
    pub(crate) scheduled: Option<Scheduled>,
    /// How often its call went on.
    pub(crate) extensions: u8,
    pub(crate) call: Call,
}

/// A scheduled change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled {
    pub(crate) change: ScheduledState,
    /// Whether its timer is set. When it was not legal at its time, it waits for the next change of state.
    pub(crate) is_timed: bool,
}

impl Session {
    /// The phase that events tell of a state.
    pub(crate) fn told_phase(&self, state: InstrumentState) -> AuctionPhase {
        match state {
            InstrumentState::PreOpen | InstrumentState::Auction | InstrumentState::Paused => self.phase,
            InstrumentState::Continuous
            | InstrumentState::Halted
            | InstrumentState::CancelOnly
            | InstrumentState::Closed
            | InstrumentState::Expired => AuctionPhase::None,
        }
    }

    /// Bytes beside its own.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.call.memory_bytes()
    }
}

/// The phase of the call that a command or a schedule opens.
const fn phase_of(state: InstrumentState, named: AuctionPhase) -> AuctionPhase {
    match state {
        InstrumentState::PreOpen => AuctionPhase::Opening,
        InstrumentState::Continuous
        | InstrumentState::Halted
        | InstrumentState::Auction
        | InstrumentState::Paused
        | InstrumentState::CancelOnly
        | InstrumentState::Closed
        | InstrumentState::Expired => named,
    }
}

/// Whether a change of state ends a call by its auction.
pub(crate) const fn uncrosses(from: InstrumentState, to: InstrumentState) -> bool {
    use InstrumentState::{Auction, Closed, Continuous, PreOpen};
    matches!((from, to), (PreOpen | Auction, Continuous) | (Auction, Closed))
}

impl Floor<'_> {
    pub(crate) fn session(&mut self) -> &mut Session {
        self.market.session.get_or_insert_default()
    }

    /// Whether a command or a schedule may take the instrument to a state.
    pub(crate) fn may_become(&self, to: InstrumentState, phase: AuctionPhase) -> bool {
        let before = self.market.session.as_deref().and_then(|session| session.before_halt);
        let starts = matches!(to, InstrumentState::Continuous | InstrumentState::PreOpen | InstrumentState::Auction);
        if starts && self.risk.market_wide.is_paused(self.risk.time_ns) {
            return false;
        }
        self.market.instrument.state.may_become(to, phase, before == Some(InstrumentState::Paused))
    }

    /// Takes the instrument to a state by command or schedule.
    pub(crate) fn become_state(
        &mut self,
        to: InstrumentState,
        phase: AuctionPhase,
        cause: StateCause,
        emit: &mut Emitter<'_>,
    ) {
        self.change_state(to, phase_of(to, phase), 0, cause, emit);
    }

    /// Halts the instrument; what it was is kept for the resume.
    pub(crate) fn halt(&mut self, emit: &mut Emitter<'_>) {
        self.change_state(InstrumentState::Halted, AuctionPhase::None, 0, StateCause::Halt, emit);
    }

    /// Ends a halt: the instrument is again what it was.
    pub(crate) fn resume(&mut self, emit: &mut Emitter<'_>) {
        let &mut Session { before_halt, phase, until_ns, .. } = self.session();
        let before = before_halt.expect("Invariant: a halted instrument was something before");
        self.change_state(before, phase, until_ns, StateCause::Resume, emit);
    }

    /// Notes what the instrument is to become, or that it is to become nothing. What was noted before is forgotten.
    pub(crate) fn schedule(&mut self, change: Option<ScheduledState>) {
        let id = self.id;
        if let Some(Scheduled { change, is_timed: true }) = self.session().scheduled {
            self.open.timers.remove(change.due_ns, Timer::Schedule(id));
        }
        self.session().scheduled = change.map(|change| Scheduled { change, is_timed: true });
        if let Some(change) = change {
            self.open.timers.set(change.due_ns, Timer::Schedule(id));
        }
    }

    /// A scheduled change is due. One that is not legal now waits for the next change of state.
    pub(crate) fn follow_schedule(&mut self, due_ns: u64, emit: &mut Emitter<'_>) {
        let scheduled = self.session().scheduled.expect("Invariant: a schedule's timer is set for a schedule");
        let ScheduledState { state, phase, .. } = scheduled.change;
        if !self.may_become(state, phase) {
            self.session().scheduled = Some(Scheduled { is_timed: false, ..scheduled });
            return;
        }
        if self.market.instrument.state == InstrumentState::Auction
            && uncrosses(InstrumentState::Auction, state)
            && self.is_to_go_on()
        {
            let due_ns = due_ns.saturating_add(self.session().terms.extension_ns);
            self.session().scheduled = None;
            self.schedule(Some(ScheduledState { due_ns, state, phase }));
            self.go_on(due_ns, emit);
            return;
        }
        self.session().scheduled = None;
        self.become_state(state, phase, StateCause::Schedule, emit);
    }

    /// The state ends by itself: a pause goes on to its auction, an auction to continuous trading.
    pub(crate) fn end_state(&mut self, due_ns: u64, emit: &mut Emitter<'_>) {
        let &mut Session { terms, phase, .. } = self.session();
        if self.market.instrument.state == InstrumentState::Paused {
            let until_ns = due_ns.saturating_add(terms.call_ns);
            self.session().until_ns = 0;
            self.change_state(InstrumentState::Auction, phase, until_ns, StateCause::PauseOver, emit);
        } else if self.is_to_go_on() {
            let until_ns = due_ns.saturating_add(terms.extension_ns);
            self.session().until_ns = until_ns;
            self.open.timers.set(until_ns, Timer::State(self.id));
            self.go_on(until_ns, emit);
        } else {
            self.session().until_ns = 0;
            self.change_state(InstrumentState::Continuous, AuctionPhase::None, 0, StateCause::CallOver, emit);
        }
    }

    /// Tells that the call goes on.
    fn go_on(&mut self, until_ns: u64, emit: &mut Emitter<'_>) {
        let state = self.market.instrument.state;
        let session = self.session();
        session.extensions += 1;
        let phase = session.phase;
        emit.state_changed(self.id, (state, state), phase, StateCause::Extended, until_ns);
    }

    /// Takes the instrument to a state: uncrosses what it leaves, tells, gathers or clears the orders.
    pub(crate) fn change_state(
        &mut self,
        to: InstrumentState,
        phase: AuctionPhase,
        until_ns: u64,
        cause: StateCause,
        emit: &mut Emitter<'_>,
    ) {
        use InstrumentState::{Closed, Expired, Halted, Paused};
        let from = self.market.instrument.state;
        let joined = self.session().call.joined;
        let uncrosses = uncrosses(from, to);
        let goes_on = matches!(to, Halted | Paused | Expired) || to.is_call() && phase == joined;
        let mut traded = None;
        if uncrosses {
            traded = self.uncross(emit);
        } else if joined != AuctionPhase::None && !goes_on {
            self.withdraw();
        }
        self.enter_state(from, to, phase, until_ns);
        let told = self.session().told_phase(to);
        emit.state_changed(self.id, (from, to), told, cause, until_ns);
        if !to.trades() {
            self.withdraw_pegs(emit);
        }
        if joined != AuctionPhase::None && self.session().call.joined == AuctionPhase::None && !to.is_call() {
            self.fold_icebergs(emit);
        }
        if to.is_call() && self.session().call.joined != phase {
            self.session().extensions = 0;
            self.join(phase);
        }
        if to == Closed {
            self.end_day(emit);
        } else if to == Expired {
            self.end_for_ever(emit);
        }
        if let Some(price) = traded {
            if self.market.triggers.is_some() {
                self.price_came(PriceSource::Last, price);
            }
            self.work_off(emit);
        }
    }

    /// Makes the state another one: timers, and what goes with it.
    fn enter_state(&mut self, from: InstrumentState, to: InstrumentState, phase: AuctionPhase, until_ns: u64) {
        let id = self.id;
        let session = self.market.session.get_or_insert_default();
        let timers = &mut self.open.timers;
        if from != InstrumentState::Halted && session.until_ns != 0 {
            timers.remove(session.until_ns, Timer::State(id));
        }
        if to == InstrumentState::Halted {
            session.before_halt = Some(from);
        } else {
            (session.before_halt, session.phase, session.until_ns) = (None, phase, until_ns);
            if until_ns != 0 {
                timers.set(until_ns, Timer::State(id));
            }
        }
        if from == InstrumentState::Auction {
            timers.count_auction(false);
        }
        if to == InstrumentState::Auction {
            timers.count_auction(true);
            session.call.begin_telling();
        }
        // What was scheduled and not legal before may be so now.
        if let Some(scheduled) = session.scheduled.as_mut() {
            if to == InstrumentState::Expired {
                timers.remove(scheduled.change.due_ns, Timer::Schedule(id));
                session.scheduled = None;
            } else {
                scheduled.is_timed = true;
                timers.set(scheduled.change.due_ns, Timer::Schedule(id));
            }
        }
        self.market.instrument.state = to;
        self.market.refresh();
    }

    /// The instrument's icebergs and orders for a day or an auction that `wanted` picks, by id.
    pub(crate) fn orders_of_sessions(&self, wanted: impl Fn(Slot) -> bool) -> Vec<Slot> {
        let find = |id: &OrderId| self.open.find(*id).expect("Invariant: an order of a session is open");
        self.market.of_sessions.iter().map(find).filter(|slot| wanted(*slot)).collect()
    }

    /// The time in force of an open order.
    pub(crate) fn in_force(&self, slot: Slot) -> TimeInForce {
        if self.open.slab[slot].terms.flags.has(OrderFlags::CONDITIONS) {
            self.open.conditional(slot).time_in_force
        } else {
            TimeInForce::GoodTillCancel
        }
    }

    fn end_day(&mut self, emit: &mut Emitter<'_>) {
        let ends = |slot| matches!(self.in_force(slot), TimeInForce::Day | TimeInForce::AtClose);
        for slot in self.orders_of_sessions(ends) {
            self.close_as(slot, EventKind::OrderExpired, CloseReason::DayEnded, emit);
        }
    }

    fn end_for_ever(&mut self, emit: &mut Emitter<'_>) {
        let own = self.open.slab.iter().filter(|(_, order)| order.terms.instrument == self.id);
        let mut own: Vec<_> = own.map(|(slot, order)| (order.id, slot)).collect();
        own.sort_unstable();
        for (id, slot) in own {
            // One that went with its list is gone already.
            if self.open.slab[slot].id == id {
                self.close_as(slot, EventKind::OrderCancelled, CloseReason::InstrumentExpired, emit);
            }
        }
        self.session().call.joined = AuctionPhase::None;
    }
}
