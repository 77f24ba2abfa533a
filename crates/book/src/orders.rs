//! The slab of open orders.

use tradewright_types::{AccountId, OrderId, Quantity};

/// Where an open order lies in the slab. Valid until the order is removed; then the slot is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    /// No order.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether this names an order.
    #[inline(always)]
    pub const fn is_some(self) -> bool {
        self.0 != Self::NONE.0
    }
}

/// An open order. `T` is what the engine needs to know about it while it rests; with 32 bytes of that it is one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Order<T> {
    /// Its id; 0 in a free slot.
    pub id: OrderId,
    /// What is still open.
    pub open: Quantity,
    /// The order before it in the queue.
    pub(crate) previous: Slot,
    /// The order behind it in the queue; in a free slot the next free one.
    pub(crate) next: Slot,
    /// The level of its queue.
    pub(crate) level: u32,
    /// Its owner.
    pub account: AccountId,
    /// The engine's own notes.
    pub terms: T,
}

impl<T> Order<T> {
    /// Whether it stands in a queue.
    pub fn is_queued(&self) -> bool {
        self.level != u32::MAX
    }
}

/// The open orders of all books. Slots are used again last in, first out, so that they stay in the cache.
#[derive(Clone, Debug)]
pub struct Orders<T> {
    slots: Vec<Order<T>>,
    free: Slot,
    count: usize,
}

impl<T: Copy + Default> Orders<T> {
    /// An empty slab with room for `capacity` orders before it has to grow.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slots: Vec::with_capacity(capacity), free: Slot::NONE, count: 0 }
    }

    /// How many orders are open.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no order is open.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many slots there are, free ones included.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that the slab takes.
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Order<T>>()
    }

    /// The slot that the next order gets.
    #[inline(always)]
    pub fn next_slot(&mut self) -> Slot {
        if !self.free.is_some() {
            self.add_slot();
        }
        self.free
    }

    /// Takes in an order that stands in no queue yet.
    #[inline(always)]
    pub fn insert(&mut self, id: OrderId, account: AccountId, open: Quantity, terms: T) -> Slot {
        debug_assert!(id.0 != 0, "Invariant: order ids start at 1");
        let slot = self.next_slot();
        self.count += 1;
        let place = &mut self.slots[slot.0 as usize];
        self.free = place.next;
        *place = Order { id, open, previous: Slot::NONE, next: Slot::NONE, level: u32::MAX, account, terms };
        slot
    }

    #[cold]
    #[inline(never)]
    fn add_slot(&mut self) {
        self.free = Slot(u32::try_from(self.slots.len()).expect("fewer than 2^32 open orders"));
        self.slots.push(Order {
            id: OrderId(0),
            open: Quantity::ZERO,
            previous: Slot::NONE,
            next: Slot::NONE,
            level: u32::MAX,
            account: AccountId(0),
            terms: T::default(),
        });
    }

    /// Frees the slot of an order that stands in no queue any more.
    #[inline(always)]
    pub fn remove(&mut self, slot: Slot) {
        let order = &mut self.slots[slot.0 as usize];
        debug_assert!(order.id.0 != 0, "Invariant: a slot is freed once");
        order.id = OrderId(0);
        order.next = self.free;
        self.free = slot;
        self.count -= 1;
    }

    /// The open orders, in no meaningful order.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Order<T>)> {
        let slots = self.slots.iter().enumerate();
        slots.filter(|(_, order)| order.id.0 != 0).map(|(index, order)| (Slot(index as u32), order))
    }

    /// The open orders, in no meaningful order, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Order<T>)> {
        let slots = self.slots.iter_mut().enumerate();
        slots.filter(|(_, order)| order.id.0 != 0).map(|(index, order)| (Slot(index as u32), order))
    }

    /// Panics unless slots and free list account for each other.
    pub fn check_invariants(&self) {
        let Self { slots, free, count } = self;
        let live = slots.iter().filter(|order| order.id.0 != 0).count();
        assert_eq!(live, *count, "Invariant: the count is that of the occupied slots");
        let (mut slot, mut free_count) = (*free, 0);
        while slot.is_some() {
            let order = &slots[slot.0 as usize];
            assert_eq!(order.id.0, 0, "Invariant: only free slots are on the free list");
            free_count += 1;
            assert!(free_count <= slots.len(), "Invariant: the free list ends");
            slot = order.next;
        }
        assert_eq!(free_count + live, slots.len(), "Invariant: every slot is open or free");
    }
}

impl<T> core::ops::Index<Slot> for Orders<T> {
    type Output = Order<T>;
    #[inline(always)]
    fn index(&self, slot: Slot) -> &Order<T> {
        &self.slots[slot.0 as usize]
    }
}

impl<T> core::ops::IndexMut<Slot> for Orders<T> {
    #[inline(always)]
    fn index_mut(&mut self, slot: Slot) -> &mut Order<T> {
        &mut self.slots[slot.0 as usize]
    }
}
