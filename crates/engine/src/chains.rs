//! Hash chains through the slab: from a key to the orders that have it.

use tradewright_book::Slot;

const CAPACITY_MIN: usize = 1 << 10;

/// The first order of each chain; the orders themselves know the next. At most half of the heads lead anywhere, so a chain
/// is nearly always one order. Compared with a table of entries this takes four bytes a place, and removing never moves another entry.
#[derive(Clone, Debug)]
pub(crate) struct Chains {
    heads: Vec<Slot>,
}

impl Chains {
    pub(crate) fn with_capacity(orders: usize) -> Self {
        Self { heads: vec![Slot::NONE; (orders * 2).next_power_of_two().max(CAPACITY_MIN)] }
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.heads.len() - 1)
    }

    /// The first order of the chain of `hash`.
    #[inline(always)]
    pub(crate) fn first(&self, hash: u64) -> Slot {
        self.heads[self.place(hash)]
    }

    /// Puts an order at the head of its chain and returns the one that comes after it.
    #[inline(always)]
    pub(crate) fn push(&mut self, hash: u64, slot: Slot) -> Slot {
        let place = self.place(hash);
        core::mem::replace(&mut self.heads[place], slot)
    }

    /// Makes `next` the head of the chain of `hash`, whose head is removed.
    #[inline(always)]
    pub(crate) fn pop(&mut self, hash: u64, next: Slot) {
        let place = self.place(hash);
        self.heads[place] = next;
    }

    /// Whether another order beside `count` others would make the chains too long.
    #[inline(always)]
    pub(crate) fn is_full(&self, count: usize) -> bool {
        count * 2 >= self.heads.len()
    }

    /// Forgets all orders and makes room for twice as many.
    pub(crate) fn clear_and_double(&mut self) {
        let longer = self.heads.len() * 2;
        self.heads.clear();
        self.heads.resize(longer, Slot::NONE);
    }

    /// How many orders the chains hold; `next` gives the one behind another.
    pub(crate) fn count(&self, next: impl Fn(Slot) -> Slot) -> usize {
        let some = |slot: Slot| slot.is_some().then_some(slot);
        let chain = |head: &Slot| core::iter::successors(some(*head), |slot| some(next(*slot)));
        self.heads.iter().flat_map(chain).count()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_heads() {
        let mut chains = Chains::with_capacity(3_000);
        assert_eq!(chains.memory_bytes(), 8_192 * size_of::<Slot>());
        chains.clear_and_double();
        assert!(chains.memory_bytes() >= 16_384 * size_of::<Slot>());
    }
}
