//! The client order ids of open orders.

use tradewright_book::Slot;
use tradewright_types::{AccountId, Text};

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The number, or the hash of the text.
    key: u64,
    account: AccountId,
    slot: Slot,
}

const VACANT: Entry = Entry { key: 0, account: AccountId(0), slot: Slot::NONE };
const CAPACITY_MIN: usize = 1 << 10;

/// Open orders by account and client order id. Numbers are compared whole here; for text the caller compares the whole text,
/// because only its hash is kept. At most half of the table is used.
#[derive(Clone, Debug)]
pub(crate) struct ClientIds {
    entries: Vec<Entry>,
    count: usize,
}

/// The key under which a text is kept.
pub(crate) fn text_key(text: &Text) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.as_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ hash >> 32
}

impl ClientIds {
    pub(crate) fn with_capacity(orders: usize) -> Self {
        let capacity = (orders * 2).next_power_of_two().max(CAPACITY_MIN);
        Self { entries: vec![VACANT; capacity], count: 0 }
    }

    #[inline(always)]
    fn home(&self, account: AccountId, key: u64) -> usize {
        let mixed = (key ^ u64::from(account.0).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.entries.len() - 1)
    }

    #[inline(always)]
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.entries.len() - 1)
    }

    /// The orders of an account under a key: one for a number, perhaps several for the hash of a text.
    #[inline(always)]
    pub(crate) fn candidates(&self, account: AccountId, key: u64) -> impl Iterator<Item = Slot> + '_ {
        let mut place = self.home(account, key);
        core::iter::from_fn(move || {
            loop {
                let entry = self.entries[place];
                if !entry.slot.is_some() {
                    return None;
                }
                place = self.after(place);
                if entry.key == key && entry.account == account {
                    return Some(entry.slot);
                }
            }
        })
    }

    #[inline(always)]
    pub(crate) fn insert(&mut self, account: AccountId, key: u64, slot: Slot) {
        if (self.count + 1) * 2 > self.entries.len() {
            self.grow();
        }
        self.count += 1;
        self.place(Entry { key, account, slot });
    }

    #[inline(always)]
    fn place(&mut self, entry: Entry) {
        let mut place = self.home(entry.account, entry.key);
        while self.entries[place].slot.is_some() {
            place = self.after(place);
        }
        self.entries[place] = entry;
    }

    /// Removes an order that is there. Entries behind it move up, so that no search stops early.
    #[inline(always)]
    pub(crate) fn remove(&mut self, account: AccountId, key: u64, slot: Slot) {
        let mut place = self.home(account, key);
        while self.entries[place].slot != slot {
            debug_assert!(self.entries[place].slot.is_some(), "Invariant: every client order id is in the index");
            place = self.after(place);
        }
        self.count -= 1;
        let mask = self.entries.len() - 1;
        let mut next = self.after(place);
        while self.entries[next].slot.is_some() {
            let home = self.home(self.entries[next].account, self.entries[next].key);
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
        entries.into_iter().filter(|entry| entry.slot.is_some()).for_each(|entry| self.place(entry));
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}
