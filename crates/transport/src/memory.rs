//! The memory under a ring: a row of words, and slots in it.

#![cfg_attr(
    not(feature = "loom"),
    allow(
        unsafe_code,
        reason = "mapped memory has no references of its own: they are made here, within checked bounds"
    )
)]

use zerocopy::IntoBytes;

use crate::slot::Slot;
use crate::sync::{AtomicU64, Relaxed};

/// A row of 64-bit words, in mapped memory.
#[cfg(not(feature = "loom"))]
#[derive(Debug)]
pub(crate) struct Memory {
    map: memmap2::MmapRaw,
    is_writable: bool,
}

#[cfg(not(feature = "loom"))]
impl Memory {
    pub(crate) fn new(map: memmap2::MmapRaw, is_writable: bool) -> Self {
        Self { map, is_writable }
    }

    pub(crate) fn length(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.is_writable
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.map.as_ptr()
    }

    #[inline]
    fn words(&self, first: usize, count: usize) -> &[AtomicU64] {
        assert!(
            first <= self.length() / 8 && count <= self.length() / 8 - first,
            "Invariant: words are inside the ring"
        );
        // SAFETY: the mapping begins at a page, so words are aligned; they are inside by the check above; the mapping lives
        // as long as `self`. Other threads and processes touch the first words (the header) by atomic operations alone, and
        // slots by these or by the references of `slots` and `slots_mut`, whose callers answer for nobody touching them
        // here at the same time. Storing to a mapping for reading is prevented by the roles: none can be taken on it.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast::<AtomicU64>().add(first), count) }
    }

    /// The slots that begin `offset` bytes from the start.
    ///
    /// # Safety
    /// Until the reference is gone nobody writes to these slots. (A process that breaks the protocol of the ring can; every
    /// pattern of bits is a value of `T`, so what is read is then wrong and the bounds still hold.)
    #[inline]
    pub(crate) unsafe fn slots<T: Slot>(&self, offset: usize, count: usize) -> &[T] {
        self.check_bounds::<T>(offset, count);
        // SAFETY: aligned, since pages are and `offset` is a multiple of eight; inside, by the check; `T` takes all bits;
        // nobody writes, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(offset).cast::<T>(), count) }
    }

    /// The slots that begin `offset` bytes from the start, for writing.
    ///
    /// # Safety
    /// Until the reference is gone nobody else reads or writes these slots.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the ring gives slots to one side; the borrow checker cannot see which")]
    pub(crate) unsafe fn slots_mut<T: Slot>(&self, offset: usize, count: usize) -> &mut [T] {
        self.check_bounds::<T>(offset, count);
        // SAFETY: as in `slots`, and nobody else has these slots, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(offset).cast::<T>(), count) }
    }

    /// Copies slots in, at full speed.
    ///
    /// # Safety
    /// As for `slots_mut`.
    #[inline]
    pub(crate) unsafe fn copy_in<T: Slot>(&self, offset: usize, slots: &[T]) {
        // SAFETY: by the caller's promise.
        unsafe { self.slots_mut(offset, slots.len()) }.copy_from_slice(slots);
    }

    #[inline]
    fn check_bounds<T: Slot>(&self, offset: usize, count: usize) {
        let end = count.checked_mul(size_of::<T>()).and_then(|length| offset.checked_add(length));
        assert!(offset.is_multiple_of(8) && end.is_some_and(|end| end <= self.length()), "Invariant: slots are inside");
    }
}

/// A row of words that the model checker watches.
#[cfg(feature = "loom")]
#[derive(Debug)]
pub(crate) struct Memory {
    words: Vec<AtomicU64>,
}

#[cfg(feature = "loom")]
impl Memory {
    pub(crate) fn zeroed(length: usize) -> Self {
        Self { words: (0..length / 8).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn length(&self) -> usize {
        self.words.len() * 8
    }

    pub(crate) fn is_writable(&self) -> bool {
        true
    }

    fn words(&self, first: usize, count: usize) -> &[AtomicU64] {
        &self.words[first..first + count]
    }

    /// In a model slots are words like all others: where a cursor is published or read too weakly, old ones come back.
    #[allow(unsafe_code, reason = "has the signature of the real one")]
    pub(crate) unsafe fn copy_in<T: Slot>(&self, offset: usize, slots: &[T]) {
        self.store(offset, slots);
    }
}

impl Memory {
    #[inline]
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        &self.words(index, 1)[0]
    }

    /// Copies slots in, word by word, for readers that may look at the same time.
    #[inline]
    pub(crate) fn store<T: Slot>(&self, offset: usize, slots: &[T]) {
        let bytes = slots.as_bytes();
        for (word, bytes) in self.words(offset / 8, bytes.len() / 8).iter().zip(bytes.chunks_exact(8)) {
            word.store(u64::from_ne_bytes(bytes.try_into().expect("Invariant: eight bytes")), Relaxed);
        }
    }

    /// Copies slots out, word by word, while a writer may change them. Whether they are whole is for the caller to find out.
    #[inline]
    pub(crate) fn load<T: Slot>(&self, offset: usize, into: &mut [T]) {
        let bytes = into.as_mut_bytes();
        for (word, bytes) in self.words(offset / 8, bytes.len() / 8).iter().zip(bytes.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
    }
}
