//! The open orders, as the events tell of them.

/// Stands for "no place".
const NONE: u32 = u32::MAX;

/// An open order.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveOrder {
    pub(super) id: u64,
    pub(super) price: i64,
    pub(super) open_lots: u64,
    /// What the engine calls the total quantity.
    pub(super) total_lots: u64,
    /// The client order id: a number, or what follows the word in a text.
    pub(super) client: u64,
    pub(super) account: u32,
    pub(super) instrument: u16,
    pub(super) side: u8,
    /// Its rung on a ladder, or [`LiveOrder::NO_RUNG`].
    pub(super) rung: u8,
    pub(super) has_text_id: bool,
    /// It waits for its trigger, outside the book.
    pub(super) waits: bool,
    /// The book does not show it.
    pub(super) hidden: bool,
    /// What does not trade at once stays on the book.
    pub(super) rests: bool,
    /// Where it stands in [`super::market::Market::orders`] or, while it waits, in [`super::market::Market::waiting`].
    pub(super) place: u32,
    /// What it waits for, or waited for.
    pub(super) guard: Guard,
}

/// The trigger of an order but for its price, in the codes of the records. All zero: it has none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guard {
    pub(super) kind: u8,
    pub(super) source: u8,
    pub(super) trail_unit: u8,
    pub(super) trail: u32,
}

impl LiveOrder {
    pub(super) const NO_RUNG: u8 = u8::MAX;

    /// Whether it stands at a level that the book shows.
    #[inline]
    pub(super) fn is_shown(&self) -> bool {
        !self.waits && !self.hidden
    }
}

const _: () = assert!(size_of::<LiveOrder>() == 64, "one cache line");

/// All open orders in a slab, found by order id. Order ids are dense, so the index is a table: four bytes for every
/// order there ever was.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveOrders {
    slab: Vec<LiveOrder>,
    free: Vec<u32>,
    by_id: Vec<u32>,
}

impl LiveOrders {
    pub(super) fn insert(&mut self, order: LiveOrder) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slab[slot as usize] = order;
                slot
            }
            None => {
                self.slab.push(order);
                self.slab.len() as u32 - 1
            }
        };
        let id = order.id as usize;
        if self.by_id.len() <= id {
            self.by_id.resize(id + 1, NONE);
        }
        self.by_id[id] = slot;
        slot
    }

    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        self.by_id.get(id as usize).copied().filter(|slot| *slot != NONE)
    }

    pub(super) fn remove(&mut self, slot: u32) -> LiveOrder {
        let order = self.slab[slot as usize];
        self.by_id[order.id as usize] = NONE;
        self.free.push(slot);
        order
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> &LiveOrder {
        &self.slab[slot as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut LiveOrder {
        &mut self.slab[slot as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len() - self.free.len()
    }
}
