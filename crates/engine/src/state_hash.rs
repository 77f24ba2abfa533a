//! The state hash.

use tradewright_book::Slot;
use tradewright_types::{
    AccountId, AllocationTerms, Amount, BreakerRecord, CallTerms, ClientOrderId, ConditionsRecord, EntityHash,
    HashTotal, Iceberg, InstrumentId, ListId, OrderFlags, Price, ProtectionTerms, SessionId,
};

use crate::Engine;
use crate::approvals::Approval;
use crate::floor::{Market, price_of};
use crate::guard::Guard;
use crate::open_orders::{Conditional, Notes, Station};
use crate::protection::Protection;
use crate::session::Session;
use crate::sharing::Sharing;

impl Engine {
    /// The hash of the logical state: equal for equal futures, whatever slots, capacities and addresses are. It is taken over
    /// what changed since the last [`Engine::checkpoint`].
    pub fn state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        total += self.ledger.state_hash();
        total += self.risk.state_hash();
        for (id, market) in self.markets.iter().enumerate() {
            total += market.instrument.state_hash(InstrumentId(id as u32));
        }
        total += self.open.state_hash(|slot| self.order_hash(slot));
        total += self.open.lists.state_hash();
        total += self.sessions.state_hash();
        total += self.keys.state_hash();
        total
    }

    /// The same; and the next hash is taken over what changes from here on.
    pub fn checkpoint(&mut self) -> HashTotal {
        let changed = self.open.changed_page_hashes(|slot| self.order_hash(slot));
        self.open.checkpoint(changed);
        self.ledger.checkpoint();
        self.risk.checkpoint();
        self.sessions.checkpoint();
        for (id, market) in self.markets.iter_mut().enumerate() {
            market.instrument.checkpoint(InstrumentId(id as u32));
        }
        self.state_hash()
    }

    /// The same, computed in full.
    pub(crate) fn full_state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        total += self.ledger.full_state_hash();
        total += self.risk.full_state_hash();
        for (id, market) in self.markets.iter().enumerate() {
            total += market.instrument.full_state_hash(InstrumentId(id as u32));
        }
        self.open.slab.iter().for_each(|(slot, _)| total += self.order_hash(slot));
        total += self.open.lists.full_state_hash();
        total += self.sessions.full_state_hash();
        total += self.keys.full_state_hash();
        total
    }

    /// The hash of what is little enough to be taken anew each time.
    fn small_state_hash(&self) -> HashTotal {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Self { config: _, sequence, last_order, registry, ledger: _, risk: _, open, sessions: _, keys: _, markets } =
            self;
        let mut total = EntityHash::new(0x30)
            .word(*sequence)
            .word(self.risk.time_ns)
            .word(last_order.0)
            .word(open.last_priority())
            .finish();
        total += registry.state_hash();
        for (id, Approval { needed, deadline_ns, hash, fires_at, approvers }) in &open.approvals {
            let known = EntityHash::new(0x37).word(id.0).word(u64::from(*needed)).word(*deadline_ns).bytes(hash);
            let known = known.signed(fires_at.ticks()).word(approvers.len() as u64);
            total += approvers.iter().fold(known, |known, approver| known.word(approver.0.into())).finish();
        }
        for (scope, protection) in &open.quotes.protections {
            let Protection { terms, until_ns, lots, fills, is_triggered } = *protection;
            let ProtectionTerms { lots_max, fills_max, window_ns } = terms;
            let scope = u64::from(scope.account.0) << 32 | u64::from(scope.code());
            let hash = EntityHash::new(0x3b).word(scope).word(lots_max).word(fills_max).word(window_ns);
            total += hash.word(until_ns).word(lots).word(fills).word(is_triggered.into()).finish();
        }
        for (id, market) in markets.iter().enumerate() {
            let Market {
                instrument: _,
                book: _,
                trades,
                prevented,
                triggers,
                sharing,
                session,
                guard,
                is_special: _,
                icebergs: _,
                quotes: _,
                of_sessions: _,
                aside: _,
                lists: _,
            } = market;
            if let Some(guard) = guard.as_deref() {
                total += hash_guard(id as u64, guard, self.risk.time_ns);
            }
            if let Some(session) = session.as_deref() {
                total += hash_session(id as u64, session);
            }
            total += EntityHash::new(0x31).word(id as u64).word(*trades).word(*prevented).finish();
            if let Some(sharing) = sharing.as_deref() {
                let Sharing { terms, top, top_priorities, leads, .. } = sharing;
                let AllocationTerms { rule, weight, minimum, fifo_ppm, leveling } = *terms;
                let codes = [rule as u8, weight, leveling.into(), 0, 0, 0, 0, 0];
                let hash = EntityHash::new(0x34).word(id as u64).word(u64::from_le_bytes(codes));
                total += hash.word(minimum.lots()).word(fifo_ppm.into()).finish();
                if top.is_some() || !leads.is_empty() {
                    let (least, most) = top.map_or((0, 0), |top| (top.minimum.lots(), top.maximum.lots()));
                    let [bid, ask] = *top_priorities;
                    let hash = EntityHash::new(0x39).word(id as u64).word(least).word(most).word(bid).word(ask);
                    let of_lead = |(account, ppm): &(AccountId, u32)| u64::from(account.0) << 32 | u64::from(*ppm);
                    total += leads.iter().map(of_lead).fold(hash, EntityHash::word).finish();
                }
            }
            for (source, price) in triggers.iter().flat_map(|triggers| [triggers.mark, triggers.index]).enumerate() {
                let price =
                    price.map(|price| EntityHash::new(0x33).word(id as u64).word(source as u64).signed(price.ticks()));
                price.into_iter().for_each(|price| total += price.finish());
            }
        }
        total
    }

    fn order_hash(&self, slot: Slot) -> HashTotal {
        let order = &self.open.slab[slot];
        let terms = &order.terms;
        let Notes { total, prevented, priority, taker_rate, taker_fee, .. } = self.open.notes[slot.0 as usize];
        let market = &self.markets[terms.instrument.index()];
        let price = price_of(market, &self.open, slot);
        let kinds = u64::from(terms.side as u8) << 32 | u64::from(terms.self_trade_prevention as u8) << 16;
        let excess = (terms.maker_fee.excess_millionths(), taker_fee.excess_millionths());
        let hash = EntityHash::new(0x32)
            .word(order.id.0)
            .word(u64::from(order.account.0) << 32 | u64::from(terms.instrument.0))
            .word(kinds | u64::from(terms.flags.0))
            .signed(price.ticks())
            .word(order.open.lots())
            .word(total.lots())
            .word(prevented.lots())
            .word(priority)
            .signed(terms.maker_rate.ppm().into())
            .signed(taker_rate.ppm().into())
            .word(u64::from(excess.0) << 32 | u64::from(excess.1))
            .word(terms.links.client_key);
        let hash = if terms.flags.has_any(OrderFlags::NOTED) { self.hash_conditional(hash, slot) } else { hash };
        let hash = match self.open.session(slot) {
            SessionId(0) => hash,
            SessionId(session) => hash.word(u64::from(session)),
        };
        match self.open.client_order_id(slot) {
            ClientOrderId::Text(text) => hash.bytes(text).finish(),
            ClientOrderId::Absent | ClientOrderId::Number(_) => hash.finish(),
        }
    }

    /// What an order's conditions add to its hash, with the price at which it fires now.
    fn hash_conditional(&self, hash: EntityHash, slot: Slot) -> EntityHash {
        let Conditional { limit, order_type, time_in_force, station, conditions, reserve, draws, list } =
            *self.open.conditional(slot);
        let market = &self.markets[self.open.slab[slot].terms.instrument.index()];
        let fires_at = match (conditions.trigger, station, market.triggers.as_deref()) {
            (Some(trigger), Station::Trigger, Some(triggers)) => triggers.price_of(&self.open.slab, slot, &trigger),
            (Some(trigger), Station::Pending, _) => trigger.price.unwrap_or_default(),
            (None | Some(_), _, _) => Price::default(),
        };
        let record = ConditionsRecord::new(&conditions);
        let codes = [
            order_type as u8,
            time_in_force as u8,
            record.trigger,
            record.source,
            record.trail_unit,
            station as u8,
            conditions.hidden.into(),
            record.peg | record.peg_mode << 4,
        ];
        let hash = hash
            .word(u64::from_le_bytes(codes))
            .word(record.trail.into())
            .signed(fires_at.ticks())
            .word(record.minimum_lots)
            .word(record.expire_time_ns);
        let hash = match conditions.peg {
            None => hash,
            Some(peg) => hash.word(peg.offset).signed(limit.ticks()),
        };
        let hash = if list == ListId(0) { hash } else { hash.word(list.0) };
        match conditions.iceberg {
            None => hash,
            Some(Iceberg { peak, range, seed: _ }) => {
                hash.word(peak.lots()).word(range.lots()).word(reserve.lots()).word(draws)
            }
        }
    }
}

/// The hash of what belongs to an instrument's state.
fn hash_session(id: u64, session: &Session) -> HashTotal {
    // Exhaustive on purpose: a new field does not compile until it is considered here.
    let Session { terms, phase, until_ns, before_halt, scheduled, extensions, call } = session;
    let CallTerms { collar_ppm, extension_ns, extensions_max, call_ns } = *terms;
    let before = before_halt.map_or(u8::MAX, |state| state as u8);
    let (due_ns, state, scheduled_phase, is_timed) = scheduled.map_or((0, 0, 0, false), |scheduled| {
        let change = scheduled.change;
        (change.due_ns, change.state as u8, change.phase as u8, scheduled.is_timed)
    });
    let codes =
        [*phase as u8, before, state, scheduled_phase, is_timed.into(), *extensions, extensions_max, call.joined as u8];
    let told = call.told();
    EntityHash::new(0x35)
        .word(id)
        .word(u64::from_le_bytes(codes))
        .word(collar_ppm.into())
        .word(extension_ns)
        .word(call_ns)
        .word(*until_ns)
        .word(due_ns)
        .signed(told.price_ticks)
        .word(told.quantity_lots)
        .amount(Amount::from_quanta(told.surplus_lots))
        .finish()
}

/// The hash of a breaker: its numbers, and the prices that its windows have now.
fn hash_guard(id: u64, guard: &Guard, now_ns: u64) -> HashTotal {
    let Guard { terms, variant_ticks, breaker } = guard;
    let record = BreakerRecord::new(terms);
    let mut hash = EntityHash::new(0x36).word(id).bytes(zerocopy::IntoBytes::as_bytes(&record)).word(*variant_ticks);
    for window in breaker.windows().into_iter().flatten() {
        for ends in window.seen(now_ns) {
            hash = hash.word(ends.len() as u64);
            hash = ends.into_iter().fold(hash, |hash, (slot, price)| hash.word(slot).signed(price.ticks()));
        }
    }
    hash.finish()
}
