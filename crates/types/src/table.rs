//! A table over a dense id that takes memory only where it is used.

const PAGE_BITS: usize = 4;
const PAGE: usize = 1 << PAGE_BITS;
/// The page of the ids that were never written. It keeps its defaults.
const UNWRITTEN: u32 = 0;

/// Values by dense id, in pages of 16 that are made on first use. An id whose page was never written reads as the default.
#[derive(Clone, Debug)]
pub struct PagedTable<T> {
    directory: Vec<u32>,
    pages: Vec<[T; PAGE]>,
}

impl<T: Copy + Default> Default for PagedTable<T> {
    fn default() -> Self {
        Self { directory: Vec::new(), pages: vec![[T::default(); PAGE]] }
    }
}

impl<T: Copy + Default> PagedTable<T> {
    #[inline(always)]
    fn page(&self, index: usize) -> usize {
        self.directory.get(index >> PAGE_BITS).copied().unwrap_or(UNWRITTEN) as usize
    }

    /// The value of `index`.
    #[inline(always)]
    pub fn get(&self, index: usize) -> &T {
        &self.pages[self.page(index)][index & (PAGE - 1)]
    }

    /// The value of `index`, to be changed.
    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> &mut T {
        let mut page = self.page(index);
        if page == UNWRITTEN as usize {
            page = self.make_page(index >> PAGE_BITS);
        }
        &mut self.pages[page][index & (PAGE - 1)]
    }

    #[cold]
    #[inline(never)]
    fn make_page(&mut self, place: usize) -> usize {
        if place >= self.directory.len() {
            self.directory.resize(place + 1, UNWRITTEN);
        }
        let page = self.pages.len();
        self.pages.push([T::default(); PAGE]);
        self.directory[place] = page as u32;
        page
    }

    /// Every value whose page was written, by ascending index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let written = self.directory.iter().enumerate().filter(|(_, page)| **page != UNWRITTEN);
        written.flat_map(|(place, page)| {
            let values = self.pages[*page as usize].iter().enumerate();
            values.map(move |(offset, value)| (place << PAGE_BITS | offset, value))
        })
    }

    /// Bytes that the table takes.
    pub fn memory_bytes(&self) -> usize {
        self.directory.capacity() * size_of::<u32>() + self.pages.capacity() * size_of::<[T; PAGE]>()
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
