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
    pub(super) instrument: u8,
    pub(super) side: u8,
    /// Its rung on a ladder, or [`LiveOrder::NO_RUNG`].
    pub(super) rung: u8,
    pub(super) has_text_id: bool,
    pub(super) stand: Stand,
    /// It belongs to a list.
    pub(super) tied: bool,
    /// The book does not show it.
    pub(super) hidden: bool,
    /// What does not trade at once stays on the book.
    pub(super) rests: bool,
    /// Where it stands in [`super::market::Market::orders`] or, while it waits, in [`super::market::Market::waiting`].
    pub(super) place: u32,
    /// What it waits for, or waited for.
    pub(super) guard: Guard,
}

/// Where an open order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// On the book.
    Book,
    /// On the book, at a price that follows others.
    Following,
    /// Outside the book, as long as the prices are missing that its own follows.
    Lost,
    /// Outside the book, until its trigger fires.
    Trigger,
    /// Outside the book, until another order of its list is filled.
    Turn,
    /// Outside the book, until it is approved.
    Approval,
}

impl Stand {
    /// Whether it comes to the market some time later.
    #[inline]
    pub(super) fn waits(self) -> bool {
        match self {
            Self::Book | Self::Following | Self::Lost => false,
            Self::Trigger | Self::Turn | Self::Approval => true,
        }
    }
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
        matches!(self.stand, Stand::Book | Stand::Following) && !self.hidden
    }

    /// Whether its price follows others.
    pub(super) fn follows(&self) -> bool {
        matches!(self.stand, Stand::Following | Stand::Lost)
    }

    /// Whether its owner can amend it, or put another in its place.
    pub(super) fn is_free(&self) -> bool {
        !self.tied && !self.follows() && self.stand != Stand::Approval
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
