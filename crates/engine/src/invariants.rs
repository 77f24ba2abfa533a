//! What is always true.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_book::Slot;
use tradewright_types::{AccountId, Amount, AssetId, InstrumentId, InstrumentState, OrderFlags, Quantity, Side};

use crate::Engine;
use crate::floor::{Market, hold_of};
use crate::open_orders::{Notes, OpenOrders, Station};
use crate::pegs::check_pegs;
use crate::session::Session;
use crate::timers::Timer;

impl Engine {
    /// Panics unless the whole state fits together. Takes time in proportion to the state: for tests, drills and audits.
    pub fn check_invariants(&self) {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Self { config: _, sequence, last_order, registry, ledger, risk, open, sessions, keys: _, markets } = self;
        registry.check_invariants();
        sessions.check_invariants(*sequence, *last_order);
        ledger.check_invariants();
        open.check_invariants();
        risk.check_invariants();
        for market in markets {
            match market.instrument.state.trades() {
                true => market.book.check_invariants(&open.slab),
                false => market.book.check_queues(&open.slab),
            }
            assert_eq!(market.is_special, market.needs_care(), "Invariant: matching knows whether to take care");
            market.guard.iter().for_each(|guard| guard.breaker.check_invariants());
            if let Some(session) = market.session.as_deref() {
                session.call.check_invariants(market, open);
                session.call.books().into_iter().for_each(|book| book.check_queues(&open.slab));
            }
        }
        assert_eq!(markets.len(), registry.instruments().len(), "Invariant: every instrument has a name");
        assert_eq!(ledger.account_count(), risk.accounts().len(), "Invariant: every account has its limits");
        assert_eq!(ledger.account_count(), registry.accounts().len(), "Invariant: every account has a name");
        assert_eq!(ledger.asset_count(), registry.assets().len(), "Invariant: every asset has a name");
        self.check_holds();
        assert_eq!(self.state_hash(), self.full_state_hash(), "Invariant: the state hash follows the changes");

        let timed = open.slab.iter().filter(|(slot, order)| {
            let due_ns = match open.approvals.get(&order.id) {
                Some(approval) => approval.deadline_ns,
                None if order.terms.flags.has_any(OrderFlags::NOTED) => {
                    open.conditional(*slot).conditions.expire_time_ns
                }
                None => 0,
            };
            due_ns != 0 && open.timers.contains(due_ns, Timer::Order(order.id))
        });
        let of_sessions: usize = markets.iter().enumerate().map(|(id, market)| count_timers(id, market, open)).sum();
        let all = timed.count() + of_sessions;
        assert_eq!(all, open.timers.len(), "Invariant: every timer belongs to an order that expires, or to a state");
        let auctions = markets.iter().filter(|market| market.instrument.state == InstrumentState::Auction).count();
        assert_eq!(auctions, open.timers.auctions() as usize, "Invariant: auctions are counted");
        let killed_sessions = risk.controls.killed_sessions().count();
        assert_eq!(
            open.timers.has_killed_sessions(),
            killed_sessions > 0,
            "Invariant: commands are checked against killed sessions"
        );
        assert_eq!(
            open.timers.has_pegs(),
            !open.pegged.is_empty(),
            "Invariant: commands that pegs follow are attended"
        );

        for sharing in markets.iter().filter_map(|market| market.sharing.as_deref()) {
            sharing.check_invariants(open.last_priority());
        }
        self.check_quote_invariants();
        let mut queued = 0;
        let mut open_bids: BTreeMap<(InstrumentId, AccountId), u64> = BTreeMap::new();
        let mut open_orders: BTreeMap<AccountId, u32> = BTreeMap::new();
        for (place, market) in markets.iter().enumerate() {
            let Market {
                instrument: known,
                book,
                trades: _,
                prevented: _,
                triggers,
                sharing: _,
                session,
                guard: _,
                is_special: _,
                icebergs,
                quotes: _,
                of_sessions,
                aside,
                lists,
            } = market;
            let instrument = InstrumentId(place as u32);
            let is_iceberg = |slot: Slot| open.conditions(slot).iceberg.is_some();
            let own = open.slab.iter().filter(|(_, order)| order.terms.instrument == instrument);
            let counted = own.filter(|(slot, _)| is_iceberg(*slot)).count();
            assert_eq!(counted, *icebergs as usize, "Invariant: icebergs are counted");
            let is_of_sessions = |slot: Slot, flags: OrderFlags| {
                flags.has_any(OrderFlags::NOTED) && open.conditional(slot).is_of_sessions()
            };
            let own = open.slab.iter().filter(|(_, order)| order.terms.instrument == instrument);
            let counted =
                own.filter(|(slot, order)| is_of_sessions(*slot, order.terms.flags)).map(|(_, order)| order.id);
            let counted: BTreeSet<_> = counted.collect();
            assert_eq!(counted, *of_sessions, "Invariant: a market knows the orders of its sessions");
            let counted = open.lists.iter().filter(|(_, list)| list.instrument == instrument).count();
            assert_eq!(counted, *lists as usize, "Invariant: lists are counted");
            let waiting = triggers.iter().flat_map(|triggers| &triggers.books).map(|book| (book, Station::Trigger));
            let stations = [Station::Hidden, Station::Peg, Station::Peg];
            let hidden = aside.iter().flat_map(|aside| aside.books.iter().zip(stations));
            check_pegs(market, open, instrument, risk.halted);
            let beside = session.iter().flat_map(|session| session.call.books()).map(|book| (book, Station::Auction));
            if known.state.trades() {
                market.check_not_crossed();
            }
            for (book, station) in core::iter::once((book, Station::Book)).chain(waiting).chain(hidden).chain(beside) {
                book.check_queues(&open.slab);
                let waits = station == Station::Trigger;
                for (stands, (_, level)) in [Side::Buy, Side::Sell]
                    .into_iter()
                    .flat_map(|side| book.levels(side).map(move |level| (side, level)))
                {
                    let mut priority = 0;
                    for slot in book.queue(&open.slab, level) {
                        let order = &open.slab[slot];
                        let side = order.terms.side;
                        assert!(order.id <= *last_order, "Invariant: order ids are given in order");
                        assert_eq!(order.terms.instrument, instrument, "Invariant: an order stands in its own book");
                        assert!(waits || side == stands, "Invariant: an order stands on its own side");
                        assert_eq!(open.station(slot), station, "Invariant: an order knows where it stands");
                        let own = open.notes[slot.0 as usize].priority;
                        assert!(priority < own, "Invariant: queues are in the order of time");
                        priority = own;
                        queued += 1;
                        *open_orders.entry(order.account).or_default() += 1;
                        // A pair counts once.
                        if side == Side::Buy && !self.is_second_of_pair(slot) {
                            *open_bids.entry((instrument, order.account)).or_default() += open.open_of(slot).lots();
                        }
                    }
                }
            }
            let pegs = aside.iter().flat_map(|aside| aside.pegs.following.values());
            for slot in pegs.filter(|slot| !open.slab[**slot].is_queued()) {
                let order = &open.slab[*slot];
                queued += 1;
                *open_orders.entry(order.account).or_default() += 1;
                if order.terms.side == Side::Buy {
                    *open_bids.entry((instrument, order.account)).or_default() += open.open_of(*slot).lots();
                }
            }
            for slot in open.approvals.keys().filter_map(|id| open.find(*id)) {
                let order = &open.slab[slot];
                if order.terms.instrument == instrument {
                    *open_orders.entry(order.account).or_default() += 1;
                    if order.terms.side == Side::Buy {
                        *open_bids.entry((instrument, order.account)).or_default() += order.open.lots();
                    }
                }
            }
            for (account, exposure) in known.exposures.iter() {
                let bids = open_bids.get(&(instrument, AccountId(account as u32))).copied().unwrap_or(0);
                assert_eq!(exposure.open_bid_lots, bids, "Invariant: open bids are counted");
            }
        }
        for (_, order) in open.slab.iter().filter(|(slot, _)| open.station(*slot) == Station::Pending) {
            assert!(order.terms.flags.has(OrderFlags::LISTED), "Invariant: who is pending waits for a leg of its list");
            queued += 1;
            *open_orders.entry(order.account).or_default() += 1;
        }
        let waiting = open.approvals.len();
        assert_eq!(queued + waiting, open.slab.len(), "Invariant: an open order stands in a queue, or waits");
        self.check_lists();
        for (account, known) in risk.accounts().iter().enumerate() {
            let is_killed = known.standing.is_killed();
            assert!(!is_killed || known.open_orders == 0, "Invariant: a kill switch leaves no order open");
            let count = open_orders.get(&AccountId(account as u32)).copied().unwrap_or(0);
            assert_eq!(known.open_orders, count, "Invariant: open orders are counted");
        }
    }

    /// Whether an order is one of two that hold once.
    fn is_paired(&self, slot: Slot) -> bool {
        let is_listed = self.open.slab[slot].terms.flags.has(OrderFlags::LISTED);
        let list = is_listed.then(|| self.open.lists.get(self.open.conditional(slot).list)).flatten();
        list.is_some_and(|list| {
            let mut others = list.tied().filter_map(|id| self.open.find(id));
            others.all(|slot| self.open.station(slot) != Station::Pending)
        })
    }

    /// Whether an order is the stop-loss of a pair.
    fn is_second_of_pair(&self, slot: Slot) -> bool {
        self.is_paired(slot) && {
            let list = self.open.lists.get(self.open.conditional(slot).list);
            list.and_then(|list| list.tied().last()) == Some(self.open.slab[slot].id)
        }
    }

    /// Lists and legs belong together.
    fn check_lists(&self) {
        let (open, mut tied) = (&self.open, 0);
        open.lists.check_invariants();
        for (id, list) in open.lists.iter() {
            for order in list.tied() {
                tied += 1;
                let slot = open.find(order).expect("Invariant: a tied leg is open");
                let leg = &open.slab[slot];
                assert!(leg.terms.flags.has(OrderFlags::LISTED), "Invariant: a tied leg knows that it is");
                assert_eq!(open.conditional(slot).list, id, "Invariant: a leg knows its list");
                let owner = (leg.account, leg.terms.instrument);
                assert_eq!(owner, (list.account, list.instrument), "Invariant: a list has one owner and one market");
                let works = list.contingency.has_working_leg() && list.legs[0].0 != 0;
                let waits = works && order != list.legs[0];
                assert_eq!(open.station(slot) == Station::Pending, waits, "Invariant: who waits for a leg is pending");
                let Notes { total, prevented, .. } = open.notes[slot.0 as usize];
                let is_whole = leg.open == total || works && !waits && prevented == Quantity::ZERO;
                assert!(is_whole, "Invariant: a leg that lost quantity is tied to nobody");
            }
        }
        let listed = open.slab.iter().filter(|(_, order)| order.terms.flags.has(OrderFlags::LISTED)).count();
        assert_eq!(listed, tied, "Invariant: every listed order is in a list");
    }

    /// Money is held only for what rests and for withdrawals, exactly.
    fn check_holds(&self) {
        let mut holds: BTreeMap<(AssetId, AccountId), Amount> = BTreeMap::new();
        for (slot, order) in self.open.slab.iter().filter(|(slot, _)| !self.is_paired(*slot)) {
            let (asset, amount) = hold_of(&self.markets[order.terms.instrument.index()], &self.open, slot);
            *holds.entry((asset, order.account)).or_default() += amount;
        }
        for (_, list) in self.open.lists.iter() {
            let slots = list.tied().filter_map(|id| self.open.find(id)).filter(|slot| self.is_paired(*slot));
            let market = &self.markets[list.instrument.index()];
            let larger = slots.map(|slot| hold_of(market, &self.open, slot)).max_by_key(|(_, amount)| *amount);
            if let Some((asset, amount)) = larger {
                *holds.entry((asset, list.account)).or_default() += amount;
            }
        }
        for (_, withdrawal) in self.ledger.withdrawals() {
            *holds.entry((withdrawal.asset, withdrawal.account)).or_default() += withdrawal.amount;
        }
        for (asset, account, balance) in self.ledger.balances() {
            let due = holds.remove(&(asset, account)).unwrap_or_default();
            assert_eq!(
                balance.held, due,
                "Invariant: account {account} holds asset {asset} for its open orders exactly"
            );
        }
        assert!(holds.values().all(|due| *due == Amount::ZERO), "Invariant: every hold has a balance");
    }
}

/// How many timers a market's session has set. Panics when one that should be set is not.
fn count_timers(id: usize, market: &Market, open: &OpenOrders) -> usize {
    let id = InstrumentId(id as u32);
    let Some(session) = market.session.as_deref() else { return 0 };
    // Exhaustive on purpose: a new field does not compile until it is considered here.
    let Session { terms: _, phase: _, until_ns, before_halt, scheduled, extensions: _, call: _ } = session;
    let is_halted = market.instrument.state == InstrumentState::Halted;
    assert_eq!(is_halted, before_halt.is_some(), "Invariant: what is halted was something before");
    let mut timers = 0;
    if *until_ns != 0 && !is_halted {
        assert!(open.timers.contains(*until_ns, Timer::State(id)), "Invariant: a state that ends has a timer");
        timers += 1;
    }
    if let Some(scheduled) = scheduled.filter(|scheduled| scheduled.is_timed) {
        let due_ns = scheduled.change.due_ns;
        assert!(open.timers.contains(due_ns, Timer::Schedule(id)), "Invariant: a schedule has a timer");
        timers += 1;
    }
    timers
}
