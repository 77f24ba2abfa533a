//! The state hash.

use tradewright_types::{ClientOrderId, EntityHash, HashTotal, InstrumentId};

use crate::Engine;
use crate::floor::Market;
use crate::open_orders::Notes;

impl Engine {
    /// The hash of the logical state: equal for equal futures, whatever slots, capacities and addresses are.
    pub fn state_hash(&self) -> HashTotal {
        let Self { config: _, sequence, time_ns, last_order, registry, ledger, risk, open, markets } = self;
        let mut total =
            EntityHash::new(0x30).word(*sequence).word(*time_ns).word(last_order.0).word(open.last_priority()).finish();
        total += registry.state_hash();
        total += ledger.state_hash();
        total += risk.state_hash();
        for (id, Market { instrument, book: _, trades, prevented }) in markets.iter().enumerate() {
            total += EntityHash::new(0x31).word(id as u64).word(*trades).word(*prevented).finish();
            total += instrument.state_hash(InstrumentId(id as u32));
        }
        for (slot, order) in open.slab.iter() {
            let terms = &order.terms;
            let Notes { prevented, priority, taker_rate, taker_fee, .. } = open.notes[slot.0 as usize];
            let price = markets[terms.instrument.index()].book.price_of(&open.slab, terms.side, slot);
            let mut hash = EntityHash::new(0x32)
                .word(order.id.0)
                .word(u64::from(order.account.0) << 32 | u64::from(terms.instrument.0))
                .word(
                    u64::from(terms.side as u8) << 32
                        | u64::from(terms.self_trade_prevention as u8) << 16
                        | u64::from(terms.flags.0),
                )
                .signed(price.ticks())
                .word(order.open.lots())
                .word(terms.total.lots())
                .word(prevented.lots())
                .word(priority)
                .signed(terms.maker_rate.ppm().into())
                .signed(taker_rate.ppm().into())
                .word(u64::from(terms.maker_fee.excess_millionths()) << 32 | u64::from(taker_fee.excess_millionths()))
                .word(terms.client_key);
            if let ClientOrderId::Text(text) = open.client_order_id(slot) {
                hash = hash.bytes(text);
            }
            total += hash.finish();
        }
        total
    }
}
