//! A table over a dense id that takes memory only where it is used.

const PAGE_BITS: usize = 4;
const PAGE: usize = 1 << PAGE_BITS;

/// Values by dense id, in pages of 16 that are made on first use. An id whose page was never written reads as the default.
#[derive(Clone, Debug)]
pub struct PagedTable<T> {
    pages: Vec<Option<Box<[T; PAGE]>>>,
    unwritten: T,
}

impl<T: Copy + Default> Default for PagedTable<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), unwritten: T::default() }
    }
}

impl<T: Copy + Default> PagedTable<T> {
    /// The value of `index`.
    #[inline(always)]
    pub fn get(&self, index: usize) -> &T {
        match self.pages.get(index >> PAGE_BITS) {
            Some(Some(page)) => &page[index & (PAGE - 1)],
            _ => &self.unwritten,
        }
    }

    /// The value of `index`, to be changed.
    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> &mut T {
        let place = index >> PAGE_BITS;
        if !matches!(self.pages.get(place), Some(Some(_))) {
            self.make_page(place);
        }
        let page = self.pages[place].as_deref_mut().expect("Invariant: the page was made");
        &mut page[index & (PAGE - 1)]
    }

    #[cold]
    #[inline(never)]
    fn make_page(&mut self, place: usize) {
        if place >= self.pages.len() {
            self.pages.resize(place + 1, None);
        }
        self.pages[place] = Some(Box::new([T::default(); PAGE]));
    }

    /// Every value whose page was written, by ascending index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let written = self.pages.iter().enumerate().filter_map(|(place, page)| Some((place, page.as_deref()?)));
        written.flat_map(|(place, page)| {
            let values = page.iter().enumerate();
            values.map(move |(offset, value)| (place << PAGE_BITS | offset, value))
        })
    }

    /// Bytes that the table takes.
    pub fn memory_bytes(&self) -> usize {
        let written = self.pages.iter().flatten().count();
        self.pages.capacity() * size_of::<Option<Box<[T; PAGE]>>>() + written * size_of::<[T; PAGE]>()
    }
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
}
