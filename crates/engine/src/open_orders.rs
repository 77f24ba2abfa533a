//! The open orders: the slab, and the ways to find an order in it.

use tradewright_book::{Order, Orders, Slot};
use tradewright_types::{
    AccountId, ClientOrderId, FeeRate, FeeRates, InstrumentId, OrderFlags, OrderId, Quantity, RoundedFee,
    SelfTradePrevention, Side, Text,
};

use crate::client_ids::{ClientIds, text_key};
use crate::order_index::OrderIndex;

/// What a fill needs to know of a resting order: the second half of its cache line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The client order id as a number, or the hash of its text; 0 is none.
    pub(crate) client_key: u64,
    /// The total quantity.
    pub(crate) total: Quantity,
    pub(crate) instrument: InstrumentId,
    pub(crate) maker_rate: FeeRate,
    /// The rounding of the maker fees posted so far.
    pub(crate) maker_fee: RoundedFee,
    pub(crate) side: Side,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    pub(crate) flags: OrderFlags,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            client_key: 0,
            total: Quantity::ZERO,
            instrument: InstrumentId(0),
            maker_rate: FeeRate::default(),
            maker_fee: RoundedFee::default(),
            side: Side::Buy,
            self_trade_prevention: SelfTradePrevention::None,
            flags: OrderFlags::default(),
        }
    }
}

const _: () = assert!(size_of::<Order<Terms>>() == 64, "an open order is one cache line");

/// What only amendments, prevention and snapshots need to know of a resting order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// What self-trade prevention took.
    pub(crate) prevented: Quantity,
    /// When it came to its place: lower is earlier.
    pub(crate) priority: u64,
    pub(crate) taker_rate: FeeRate,
    /// The rounding of the taker fees posted so far.
    pub(crate) taker_fee: RoundedFee,
}

/// The open orders of all instruments.
#[derive(Clone, Debug)]
pub(crate) struct OpenOrders {
    pub(crate) slab: Orders<Terms>,
    /// By slot.
    pub(crate) notes: Vec<Notes>,
    /// Text client order ids by slot, for the orders that have [`OrderFlags::TEXT_ID`]; as long as the highest such slot.
    texts: Vec<ClientOrderId>,
    index: OrderIndex,
    client_ids: ClientIds,
    last_priority: u64,
}

impl OpenOrders {
    pub(crate) fn with_capacity(orders: usize) -> Self {
        Self {
            slab: Orders::with_capacity(orders),
            notes: Vec::with_capacity(orders),
            texts: Vec::new(),
            index: OrderIndex::with_capacity(orders),
            client_ids: ClientIds::with_capacity(orders),
            last_priority: 0,
        }
    }

    /// The order with this id, if it is open.
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId) -> Option<Slot> {
        self.index.candidates(id).find(|slot| self.slab[*slot].id == id)
    }

    /// The account's open order with this client order id.
    #[inline(always)]
    pub(crate) fn find_client(&self, account: AccountId, id: &ClientOrderId) -> Option<Slot> {
        match id {
            ClientOrderId::Absent => None,
            ClientOrderId::Number(number) => {
                let mut found = self.client_ids.candidates(account, number.get());
                found.find(|slot| !self.slab[*slot].terms.flags.has(OrderFlags::TEXT_ID))
            }
            ClientOrderId::Text(text) => {
                let mut found = self.client_ids.candidates(account, text_key(text));
                found.find(|slot| self.client_order_id(*slot) == *id)
            }
        }
    }

    /// The client order id of an open order.
    pub(crate) fn client_order_id(&self, slot: Slot) -> ClientOrderId {
        let terms = &self.slab[slot].terms;
        if terms.flags.has(OrderFlags::TEXT_ID) {
            self.texts[slot.0 as usize]
        } else {
            ClientOrderId::from_number(terms.client_key)
        }
    }

    /// The client order id of an open order as events give it: the number, 0 for text.
    #[inline(always)]
    pub(crate) fn client_number(terms: &Terms) -> u64 {
        if terms.flags.has(OrderFlags::TEXT_ID) { 0 } else { terms.client_key }
    }

    /// Takes in an order, which then can be found. Its `terms` lack only the client key.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        id: OrderId,
        account: AccountId,
        open: Quantity,
        client_order_id: ClientOrderId,
        mut terms: Terms,
        notes: Notes,
    ) -> Slot {
        terms.client_key = match &client_order_id {
            ClientOrderId::Text(text) => text_key(text),
            number @ (ClientOrderId::Absent | ClientOrderId::Number(_)) => number.number_or_zero(),
        };
        let slot = self.slab.insert(id, account, open, terms);
        match self.notes.get_mut(slot.0 as usize) {
            Some(place) => *place = notes,
            None => self.notes.push(notes),
        }
        self.index.insert(id, slot);
        if client_order_id != ClientOrderId::Absent {
            self.client_ids.insert(account, terms.client_key, slot);
            if terms.flags.has(OrderFlags::TEXT_ID) {
                self.note_text(slot, client_order_id);
            }
        }
        slot
    }

    #[cold]
    fn note_text(&mut self, slot: Slot, id: ClientOrderId) {
        let place = slot.0 as usize;
        if self.texts.len() <= place {
            self.texts.resize(place + 1, ClientOrderId::Absent);
        }
        self.texts[place] = id;
    }

    /// Forgets an order that stands in no queue any more.
    #[inline(always)]
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Order { id, account, terms, .. } = self.slab[slot];
        self.index.remove(id, slot);
        if terms.client_key != 0 || terms.flags.has(OrderFlags::TEXT_ID) {
            self.client_ids.remove(account, terms.client_key, slot);
        }
        self.slab.remove(slot);
    }

    /// The next place in time.
    #[inline(always)]
    pub(crate) fn next_priority(&mut self) -> u64 {
        self.last_priority += 1;
        self.last_priority
    }

    pub(crate) fn last_priority(&self) -> u64 {
        self.last_priority
    }

    pub(crate) fn set_last_priority(&mut self, priority: u64) {
        self.last_priority = priority;
    }

    /// The rates that an open order carries.
    pub(crate) fn rates(&self, slot: Slot) -> FeeRates {
        FeeRates { taker: self.notes[slot.0 as usize].taker_rate, maker: self.slab[slot].terms.maker_rate }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.slab.memory_bytes()
            + self.notes.capacity() * size_of::<Notes>()
            + self.texts.capacity() * size_of::<ClientOrderId>()
            + self.index.memory_bytes()
            + self.client_ids.memory_bytes()
    }

    /// Panics unless slab and indices account for each other.
    pub(crate) fn check_invariants(&self) {
        let Self { slab, notes, texts: _, index, client_ids, last_priority } = self;
        slab.check_invariants();
        assert_eq!(index.len(), slab.len(), "Invariant: every open order is in the index once");
        let mut named = 0;
        for (slot, order) in slab.iter() {
            assert_eq!(self.find(order.id), Some(slot), "Invariant: an open order is found by its id");
            let id = self.client_order_id(slot);
            if id != ClientOrderId::Absent {
                named += 1;
                let found = self.find_client(order.account, &id);
                assert_eq!(found, Some(slot), "Invariant: an open order is found by its client order id");
            }
            let Notes { prevented, priority, taker_rate: _, taker_fee: _ } = notes[slot.0 as usize];
            assert!(priority <= *last_priority, "Invariant: places in time are numbered in order");
            assert!(prevented + order.open <= order.terms.total, "Invariant: original - executed - prevented = open");
        }
        assert_eq!(client_ids.len(), named, "Invariant: client order ids belong to open orders");
    }
}

/// A text, if the id is one.
pub(crate) fn text_of(id: &ClientOrderId) -> Option<&Text> {
    match id {
        ClientOrderId::Text(text) => Some(text),
        ClientOrderId::Absent | ClientOrderId::Number(_) => None,
    }
}
