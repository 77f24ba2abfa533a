//! The state hash.

use tradewright_book::Slot;
use tradewright_types::{
    AccountId, AllocationTerms, ClientOrderId, ConditionsRecord, EntityHash, HashTotal, Iceberg, InstrumentId,
    OrderFlags,
};

use crate::Engine;
use crate::floor::{Market, price_of};
use crate::open_orders::{Conditional, Notes};
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
        total
    }

    /// The same; and the next hash is taken over what changes from here on.
    pub fn checkpoint(&mut self) -> HashTotal {
        let changed = self.open.changed_page_hashes(|slot| self.order_hash(slot));
        self.open.checkpoint(changed);
        self.ledger.checkpoint();
        self.risk.checkpoint();
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
        total
    }

    /// The hash of what is little enough to be taken anew each time.
    fn small_state_hash(&self) -> HashTotal {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Self { config: _, sequence, last_order, registry, ledger: _, risk: _, open, markets } = self;
        let mut total = EntityHash::new(0x30)
            .word(*sequence)
            .word(self.risk.time_ns)
            .word(last_order.0)
            .word(open.last_priority())
            .finish();
        total += registry.state_hash();
        for (
            id,
            Market { instrument: _, book: _, trades, prevented, triggers, sharing, quotes: _, icebergs: _, aside: _ },
        ) in markets.iter().enumerate()
        {
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
        let hash = if terms.flags.has(OrderFlags::CONDITIONS) { self.hash_conditional(hash, slot) } else { hash };
        match self.open.client_order_id(slot) {
            ClientOrderId::Text(text) => hash.bytes(text).finish(),
            ClientOrderId::Absent | ClientOrderId::Number(_) => hash.finish(),
        }
    }

    /// What an order's conditions add to its hash, with the price at which it fires now.
    fn hash_conditional(&self, hash: EntityHash, slot: Slot) -> EntityHash {
        let Conditional { limit: _, order_type, time_in_force, station, conditions, reserve, draws } =
            *self.open.conditional(slot);
        let market = &self.markets[self.open.slab[slot].terms.instrument.index()];
        let fires_at = conditions
            .trigger
            .zip(market.triggers.as_deref())
            .map_or(0, |(trigger, triggers)| triggers.price_of(&self.open.slab, slot, &trigger).ticks());
        let record = ConditionsRecord::new(&conditions);
        let codes = [
            order_type as u8,
            time_in_force as u8,
            record.trigger,
            record.source,
            record.trail_unit,
            station as u8,
            conditions.hidden.into(),
            0,
        ];
        let hash = hash
            .word(u64::from_le_bytes(codes))
            .word(record.trail.into())
            .signed(fires_at)
            .word(record.minimum_lots)
            .word(record.expire_time_ns);
        match conditions.iceberg {
            None => hash,
            Some(Iceberg { peak, range, seed: _ }) => {
                hash.word(peak.lots()).word(range.lots()).word(reserve.lots()).word(draws)
            }
        }
    }
}
