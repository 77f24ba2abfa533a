//! Timers: what is due at a time. They fire before the command that lets the time come, by time and then by order id.

use std::collections::BTreeSet;

use tradewright_book::Slot;
use tradewright_types::{CloseReason, EventKind, OrderId};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::open_orders::Station;

/// Orders by the time at which they expire.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    due: BTreeSet<(u64, OrderId)>,
    /// The first time of all, so that a command that nothing waits for pays one comparison.
    pub(crate) next_ns: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self { due: BTreeSet::new(), next_ns: u64::MAX }
    }
}

impl Timers {
    pub(crate) fn set(&mut self, time_ns: u64, order: OrderId) {
        self.due.insert((time_ns, order));
        self.refresh();
    }

    pub(crate) fn remove(&mut self, time_ns: u64, order: OrderId) {
        self.due.remove(&(time_ns, order));
        self.refresh();
    }

    /// Takes out the first timer that is due at `now_ns`.
    fn pop(&mut self, now_ns: u64) -> Option<OrderId> {
        let (time_ns, order) = *self.due.first()?;
        if time_ns > now_ns {
            return None;
        }
        self.due.pop_first();
        self.refresh();
        Some(order)
    }

    fn refresh(&mut self) {
        self.next_ns = self.due.first().map_or(u64::MAX, |(time_ns, _)| *time_ns);
    }

    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    pub(crate) fn contains(&self, time_ns: u64, order: OrderId) -> bool {
        self.due.contains(&(time_ns, order))
    }
}

impl Engine {
    /// Fires what is due.
    #[cold]
    #[inline(never)]
    pub(crate) fn fire_timers(&mut self, emit: &mut Emitter<'_>) {
        while let Some(id) = self.open.timers.pop(self.risk.time_ns) {
            let slot = self.open.find(id).expect("Invariant: a timer belongs to an open order");
            self.floor_of(slot).expire(slot, emit);
        }
    }
}

impl Floor<'_> {
    /// Ends an order whose time has come.
    fn expire(&mut self, slot: Slot, emit: &mut Emitter<'_>) {
        let reason = match self.open.station(slot) {
            Station::Book | Station::Trigger | Station::Hidden => CloseReason::GoodTillDate,
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
