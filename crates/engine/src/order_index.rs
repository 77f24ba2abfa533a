//! From an order id to its slot.

use tradewright_book::Slot;
use tradewright_types::OrderId;

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The lower half of the id. The slab knows the whole.
    id: u32,
    slot: Slot,
}

const VACANT: Entry = Entry { id: 0, slot: Slot::NONE };
const CAPACITY_MIN: usize = 1 << 10;

/// Open orders by id. Ids rise one by one, so an id is its own hash: new orders go to neighbouring entries, and an entry is only
/// shared when an order stays open for as many orders as the table is long. At most half of it is used.
#[derive(Clone, Debug)]
pub(crate) struct OrderIndex {
    entries: Vec<Entry>,
    count: usize,
}

impl OrderIndex {
    pub(crate) fn with_capacity(orders: usize) -> Self {
        let capacity = (orders * 2).next_power_of_two().max(CAPACITY_MIN);
        Self { entries: vec![VACANT; capacity], count: 0 }
    }

    #[inline(always)]
    fn home(&self, id: u32) -> usize {
        id as usize & (self.entries.len() - 1)
    }

    #[inline(always)]
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.entries.len() - 1)
    }

    /// The slot of an order; the caller compares the whole id there, because only its lower half is kept here.
    #[inline(always)]
    pub(crate) fn candidates(&self, id: OrderId) -> impl Iterator<Item = Slot> + '_ {
        let low = id.0 as u32;
        let mut place = self.home(low);
        core::iter::from_fn(move || {
            loop {
                let entry = self.entries[place];
                if !entry.slot.is_some() {
                    return None;
                }
                place = self.after(place);
                if entry.id == low {
                    return Some(entry.slot);
                }
            }
        })
    }

    #[inline(always)]
    pub(crate) fn insert(&mut self, id: OrderId, slot: Slot) {
        if (self.count + 1) * 2 > self.entries.len() {
            self.grow();
        }
        self.count += 1;
        let mut place = self.home(id.0 as u32);
        while self.entries[place].slot.is_some() {
            place = self.after(place);
        }
        self.entries[place] = Entry { id: id.0 as u32, slot };
    }

    /// Removes an order that is there. Entries behind it move up, so that no search stops early.
    #[inline(always)]
    pub(crate) fn remove(&mut self, id: OrderId, slot: Slot) {
        let mut place = self.home(id.0 as u32);
        while self.entries[place].slot != slot {
            debug_assert!(self.entries[place].slot.is_some(), "Invariant: every open order is in the index");
            place = self.after(place);
        }
        self.count -= 1;
        let mask = self.entries.len() - 1;
        let mut next = self.after(place);
        while self.entries[next].slot.is_some() {
            let home = self.home(self.entries[next].id);
            // An entry may move up unless its home lies between the gap and itself.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(place) & mask) {
                self.entries[place] = self.entries[next];
                place = next;
            }
            next = self.after(next);
        }
        self.entries[place] = VACANT;
    }

    #[cold]
    fn grow(&mut self) {
        let longer = vec![VACANT; self.entries.len() * 2];
        let entries = core::mem::replace(&mut self.entries, longer);
        for entry in entries.into_iter().filter(|entry| entry.slot.is_some()) {
            let mut place = self.home(entry.id);
            while self.entries[place].slot.is_some() {
                place = self.after(place);
            }
            self.entries[place] = entry;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn agrees_with_a_map() {
        let mut index = OrderIndex::with_capacity(0);
        let mut model = BTreeMap::new();
        let mut random = 88_172_645_463_325_252_u64;
        for step in 1..200_000_u64 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Ids far apart that share a home, and ids 2^32 apart that share their lower half.
            let id = OrderId(if random.is_multiple_of(8) { step + (1 << 32) } else { step + random % 3 * 1024 });
            let slot = Slot(step as u32);
            if *model.entry(id).or_insert(slot) == slot {
                index.insert(id, slot);
            }
            if !random.is_multiple_of(3) {
                let pick = *model.keys().nth(random as usize % model.len().min(20)).expect("not empty");
                let slot = model.remove(&pick).expect("picked from it");
                index.remove(pick, slot);
            }
            assert_eq!(index.len(), model.len());
            if step.is_multiple_of(1000) {
                for (id, slot) in &model {
                    assert!(index.candidates(*id).any(|candidate| candidate == *slot), "{id} after {step}");
                }
            }
            if model.len() > 3000 {
                for (id, slot) in core::mem::take(&mut model) {
                    index.remove(id, slot);
                }
            }
        }
    }
}
