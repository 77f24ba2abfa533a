//! A table over a dense id that takes memory only where it is used.

use crate::HashTotal;

const PAGE_BITS: usize = 4;
const PAGE: usize = 1 << PAGE_BITS;

/// Sixteen values, what they hashed to at the last checkpoint, and whether they may have changed since.
#[derive(Clone, Debug)]
struct Page<T> {
    changed: bool,
    hash: HashTotal,
    values: [T; PAGE],
}

/// Values by dense id, in pages of 16 that are made on first use. An id whose page was never written reads as the default.
///
/// A page remembers whether it was given out to be changed, so that the hash of the table is taken over what changed.
#[derive(Clone, Debug)]
pub struct PagedTable<T> {
    pages: Vec<Option<Box<Page<T>>>>,
    unwritten: T,
    hash: HashTotal,
}

impl<T: Copy + Default> Default for PagedTable<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), unwritten: T::default(), hash: HashTotal::default() }
    }
}

impl<T: Copy + Default> PagedTable<T> {
    /// The value of `index`.
    #[inline(always)]
    pub fn get(&self, index: usize) -> &T {
        match self.pages.get(index >> PAGE_BITS) {
            Some(Some(page)) => &page.values[index & (PAGE - 1)],
            _ => &self.unwritten,
        }
    }

    /// The value of `index`, to be changed.
    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> &mut T {
        let place = index >> PAGE_BITS;
        if !matches!(self.pages.get(place), Some(Some(_))) {
            // Returns by itself, so that the way past here need not ask again whether there is a page.
            return self.make_page(index);
        }
        self.page_mut(index)
    }

    #[inline(always)]
    fn page_mut(&mut self, index: usize) -> &mut T {
        let page = self.pages[index >> PAGE_BITS].as_deref_mut().expect("Invariant: the page was made");
        page.changed = true;
        &mut page.values[index & (PAGE - 1)]
    }

    #[cold]
    #[inline(never)]
    fn make_page(&mut self, index: usize) -> &mut T {
        let place = index >> PAGE_BITS;
        if place >= self.pages.len() {
            self.pages.resize(place + 1, None);
        }
        let page = Page { changed: true, hash: HashTotal::default(), values: [T::default(); PAGE] };
        self.pages[place] = Some(Box::new(page));
        self.page_mut(index)
    }

    /// Every value whose page was written, by ascending index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let written = self.pages.iter().enumerate().filter_map(|(place, page)| Some((place, page.as_deref()?)));
        written.flat_map(|(place, page)| {
            let values = page.values.iter().enumerate();
            values.map(move |(offset, value)| (place << PAGE_BITS | offset, value))
        })
    }

    /// The hash of the table: the sum of `hash` over its values, taken over the pages that changed since the last checkpoint.
    pub fn state_hash(&self, hash: impl Fn(usize, &T) -> HashTotal) -> HashTotal {
        let mut total = self.hash;
        for (place, page) in self.pages.iter().enumerate() {
            if let Some(page) = page.as_deref().filter(|page| page.changed) {
                total -= page.hash;
                total += hash_of(place, &page.values, &hash);
            }
        }
        total
    }

    /// The same, and from here on only what changes after it is looked at.
    pub fn checkpoint(&mut self, hash: impl Fn(usize, &T) -> HashTotal) -> HashTotal {
        for (place, page) in self.pages.iter_mut().enumerate() {
            if let Some(page) = page.as_deref_mut().filter(|page| page.changed) {
                self.hash -= page.hash;
                page.hash = hash_of(place, &page.values, &hash);
                self.hash += page.hash;
                page.changed = false;
            }
        }
        self.hash
    }

    /// Bytes that the table takes.
    pub fn memory_bytes(&self) -> usize {
        let written = self.pages.iter().flatten().count();
        self.pages.capacity() * size_of::<Option<Box<Page<T>>>>() + written * size_of::<Page<T>>()
    }
}

fn hash_of<T>(place: usize, values: &[T; PAGE], hash: impl Fn(usize, &T) -> HashTotal) -> HashTotal {
    let mut total = HashTotal::default();
    for (offset, value) in values.iter().enumerate() {
        total += hash(place << PAGE_BITS | offset, value);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written() {
        let mut table = PagedTable::<u64>::default();
        assert_eq!(*table.get(1_000_000), 0);
        *table.get_mut(1_000_000) = 7;
        *table.get_mut(3) = 1;
        let read = [1_000_000, 3, 4, 17].map(|index| *table.get(index));
        assert_eq!(read, [7, 1, 0, 0]);
        let written: Vec<_> = table.iter().filter(|(_, value)| **value != 0).map(|(i, v)| (i, *v)).collect();
        assert_eq!(written, [(3, 1), (1_000_000, 7)]);
    }

    #[test]
    fn the_hash_follows_the_changes() {
        let hash = |index: usize, value: &u64| HashTotal(index as u128 * 1000 + u128::from(*value));
        let mut table = PagedTable::<u64>::default();
        for step in 0..100_u64 {
            *table.get_mut((step * 37 % 90) as usize) += step;
            let mut full = HashTotal::default();
            table.iter().for_each(|(index, value)| full += hash(index, value));
            assert_eq!(table.state_hash(hash), full);
            if step % 7 == 0 {
                assert_eq!(table.checkpoint(hash), full);
            }
        }
    }
}
