//! Timers: what is due at a time. They fire before the command that lets the time come, by time; at one time orders first, by id,
//! then states that end by themselves, then scheduled changes, by instrument.

use std::collections::BTreeSet;

use tradewright_book::Slot;
use tradewright_types::{CloseReason, EventKind, InstrumentId, OrderId};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An order expires.
    Order(OrderId),
    /// An instrument's state ends by itself.
    State(InstrumentId),
    /// A scheduled change of state.
    Schedule(InstrumentId),
}

/// What is due when, and whether commands have to be looked after.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    due: BTreeSet<(u64, Timer)>,
    /// From when on a command is looked after: the first time of all, or at once while an auction tells its price, pegs follow
    /// others, a protection may take quotes elsewhere, or the kill switch of a session is engaged. So a command that nothing waits
    /// for pays one comparison.
    pub(crate) attention_ns: u64,
    /// How many instruments are in an auction.
    auctions: u32,
    /// Whether there are following pegs.
    has_pegs: bool,
    /// Whether there are protections of quotes on all instruments.
    attends_quotes: bool,
    /// Whether the kill switch of a session is engaged.
    has_killed_sessions: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            due: BTreeSet::new(),
            attention_ns: u64::MAX,
            auctions: 0,
            has_pegs: false,
            attends_quotes: false,
            has_killed_sessions: false,
        }
    }
}

impl Timers {
    pub(crate) fn set(&mut self, time_ns: u64, timer: Timer) {
        self.due.insert((time_ns, timer));
        self.refresh();
    }

    pub(crate) fn remove(&mut self, time_ns: u64, timer: Timer) {
        self.due.remove(&(time_ns, timer));
        self.refresh();
    }

    /// Notes that an instrument comes into an auction, or leaves it.
    pub(crate) fn count_auction(&mut self, comes: bool) {
        if comes {
            self.auctions += 1;
        } else {
            self.auctions -= 1;
        }
        self.refresh();
    }

    /// Notes whether there are following pegs, which move behind commands.
    pub(crate) fn attend_pegs(&mut self, has_pegs: bool) {
        self.has_pegs = has_pegs;
        self.refresh();
    }

    /// Notes whether quotes on other instruments may have to go behind a command.
    pub(crate) fn attend_quotes(&mut self, attends_quotes: bool) {
        self.attends_quotes = attends_quotes;
        self.refresh();
    }

    pub(crate) fn attends_quotes(&self) -> bool {
        self.attends_quotes
    }

    pub(crate) fn has_pegs(&self) -> bool {
        self.has_pegs
    }

    /// Notes whether the kill switch of a session is engaged, which commands are checked against.
    pub(crate) fn attend_sessions(&mut self, has_killed_sessions: bool) {
        self.has_killed_sessions = has_killed_sessions;
        self.refresh();
    }

    pub(crate) fn has_killed_sessions(&self) -> bool {
        self.has_killed_sessions
    }

    pub(crate) fn auctions(&self) -> u32 {
        self.auctions
    }

    /// Takes out the first timer that is due at `now_ns`, with its time. While the venue is halted, states stay as they are.
    fn pop(&mut self, now_ns: u64, halted: bool) -> Option<(u64, Timer)> {
        let mut due = self.due.iter().take_while(|(time_ns, _)| *time_ns <= now_ns);
        let first = *due.find(|(_, timer)| !halted || matches!(timer, Timer::Order(_)))?;
        self.due.remove(&first);
        self.refresh();
        Some(first)
    }

    fn refresh(&mut self) {
        let next_ns = self.due.first().map_or(u64::MAX, |(time_ns, _)| *time_ns);
        let at_once = self.auctions > 0 || self.has_pegs || self.attends_quotes || self.has_killed_sessions;
        self.attention_ns = if at_once { 0 } else { next_ns };
    }

    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    pub(crate) fn contains(&self, time_ns: u64, timer: Timer) -> bool {
        self.due.contains(&(time_ns, timer))
    }
}

impl Engine {
    /// Fires what is due.
    pub(crate) fn fire_timers(&mut self, emit: &mut Emitter<'_>) {
        while let Some((due_ns, timer)) = self.open.timers.pop(self.risk.time_ns, self.risk.halted) {
            match timer {
                Timer::Order(id) => {
                    let slot = self.open.find(id).expect("Invariant: a timer belongs to an open order");
                    self.floor_of(slot).expire(slot, emit);
                }
                Timer::State(id) => self.known_floor(id).end_state(due_ns, emit),
                Timer::Schedule(id) => self.known_floor(id).follow_schedule(due_ns, emit),
            }
            self.finish_protections(emit);
        }
        self.move_pegs(emit);
    }

    pub(crate) fn known_floor(&mut self, id: InstrumentId) -> Floor<'_> {
        self.floor(id).expect("Invariant: a timer belongs to a listed instrument")
    }
}

impl Floor<'_> {
    /// Ends an order whose time has come.
    fn expire(&mut self, slot: Slot, emit: &mut Emitter<'_>) {
        let reason = match self.open.station(slot) {
            Station::Book | Station::Trigger | Station::Hidden | Station::Peg | Station::Auction | Station::Pending => {
                CloseReason::GoodTillDate
            }
            Station::Approval => self.reason_without_approval(slot),
        };
        self.close_as(slot, EventKind::OrderExpired, reason, emit);
    }

    /// Why an order expires that waits for approval: its own time comes before the end of waiting.
    fn reason_without_approval(&self, slot: Slot) -> CloseReason {
        let deadline_ns = self.open.approvals[&self.open.slab[slot].id].deadline_ns;
        let is_own_time = self.open.conditions(slot).expire_time_ns == deadline_ns;
        if is_own_time { CloseReason::GoodTillDate } else { CloseReason::ApprovalExpired }
    }
}
