//! A part of a file in memory, aligned as batches need it.

use std::io;

use zerocopy::{FromBytes, IntoBytes};

use crate::format::{BATCH_HEADER_BYTES, BatchHeader, Page};
use crate::storage::StoredFile;

/// How much is read at once.
const READ_BYTES: usize = 1 << 20;

/// What lies at a place of a file, read ahead.
pub(crate) struct Window {
    pages: Vec<Page>,
    offset: u64,
    /// How much of the pages came from the file.
    filled: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { pages: Page::blank(READ_BYTES), offset: 0, filled: 0 }
    }

    /// Forgets what was read: the file is another one, or was written since.
    pub(crate) fn forget(&mut self) {
        self.filled = 0;
    }

    /// Makes sure that `length` bytes at `offset` are there, as far as the file has them before `end`.
    fn load<F: StoredFile>(&mut self, file: &F, offset: u64, length: usize, end: u64) -> io::Result<()> {
        let is_there = offset >= self.offset && offset + length as u64 <= self.offset + self.filled as u64;
        if is_there {
            return Ok(());
        }
        let wanted = length.max(READ_BYTES).min(usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX));
        if wanted > self.pages.as_bytes().len() {
            self.pages = Page::blank(wanted);
        }
        self.filled = 0;
        self.filled = file.read_at(&mut self.pages.as_mut_bytes()[..wanted], offset)?;
        self.offset = offset;
        Ok(())
    }

    /// The bytes at a place, fewer where the file or `end` comes before.
    pub(crate) fn bytes<F: StoredFile>(&mut self, file: &F, offset: u64, length: usize, end: u64) -> io::Result<&[u8]> {
        self.load(file, offset, length, end)?;
        Ok(self.loaded(offset, length))
    }

    /// The bytes at a place that was loaded.
    pub(crate) fn loaded(&self, offset: u64, length: usize) -> &[u8] {
        let from = (offset - self.offset) as usize;
        &self.pages.as_bytes()[from.min(self.filled)..(from + length).min(self.filled)]
    }

    /// The header of a batch at a place; `None` where the file or `end` comes before.
    pub(crate) fn batch_header<F: StoredFile>(
        &mut self,
        file: &F,
        offset: u64,
        end: u64,
    ) -> io::Result<Option<BatchHeader>> {
        let bytes = self.bytes(file, offset, BATCH_HEADER_BYTES, end)?;
        Ok(BatchHeader::read_from_bytes(bytes).ok())
    }
}
