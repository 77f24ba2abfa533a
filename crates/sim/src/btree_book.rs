//! Rejected design: levels in the standard library's `BTreeMap`, the first thing that most engines reach for.
//!
//! What closed this road, x ladder: mix60 2.0, swing25 1.6, crash 2.2, fine 1.5, a million resting 1.4, sweep 3.0.

use std::collections::BTreeMap;

use crate::indexed_book::{IndexedBook, Level, LevelIndex};

/// The book over [`BTreeIndex`].
pub type BTreeBook = IndexedBook<BTreeIndex>;

/// Ranks in a `BTreeMap`, levels in a slab, and the first entry kept beside them.
pub struct BTreeIndex {
    by_rank: BTreeMap<i64, u32>,
    slab: Vec<Level>,
    free: Vec<u32>,
    /// The map's first entry. Kept, because the map walks down its left edge for it.
    first: Option<(i64, u32)>,
}

impl LevelIndex for BTreeIndex {
    const NAME: &'static str = "btree";

    fn new() -> Self {
        Self { by_rank: BTreeMap::new(), slab: Vec::new(), free: Vec::new(), first: None }
    }

    #[inline]
    fn first(&self) -> Option<(i64, u32)> {
        self.first
    }

    #[inline]
    fn find(&self, rank: i64) -> Option<u32> {
        self.by_rank.get(&rank).copied()
    }

    #[inline]
    fn find_or_insert(&mut self, rank: i64) -> u32 {
        let Self { by_rank, slab, free, first } = self;
        let level = *by_rank.entry(rank).or_insert_with(|| match free.pop() {
            Some(level) => level,
            None => {
                slab.push(Level::EMPTY);
                slab.len() as u32 - 1
            }
        });
        if first.is_none_or(|(best, _)| rank < best) {
            *first = Some((rank, level));
        }
        level
    }

    #[inline]
    fn remove(&mut self, rank: i64, level: u32) {
        let removed = self.by_rank.remove(&rank);
        debug_assert_eq!(removed, Some(level), "Invariant: a rank leads to its level");
        self.slab[level as usize] = Level::EMPTY;
        self.free.push(level);
        if self.first == Some((rank, level)) {
            self.first = self.by_rank.first_key_value().map(|(&rank, &level)| (rank, level));
        }
    }

    #[inline]
    fn level(&self, level: u32) -> &Level {
        &self.slab[level as usize]
    }

    #[inline]
    fn level_mut(&mut self, level: u32) -> &mut Level {
        &mut self.slab[level as usize]
    }

    fn len(&self) -> usize {
        self.by_rank.len()
    }

    fn entries(&self) -> Vec<(i64, u32)> {
        self.by_rank.iter().map(|(&rank, &level)| (rank, level)).collect()
    }

    fn memory_bytes(&self) -> usize {
        // The map does not tell what it holds. Its nodes have 11 places and are two thirds full on average.
        let nodes = self.by_rank.len() * (size_of::<i64>() + size_of::<u32>()) * 3 / 2;
        nodes + self.slab.capacity() * size_of::<Level>() + self.free.capacity() * size_of::<u32>()
    }

    fn check_invariants(&self) {
        let Self { by_rank, slab, free, first } = self;
        assert_eq!(slab.len(), by_rank.len() + free.len(), "Invariant: a slot is either used or free");
        let smallest = by_rank.first_key_value().map(|(&rank, &level)| (rank, level));
        assert_eq!(*first, smallest, "Invariant: the kept first entry is the map's");
        assert!(
            free.iter().all(|&level| slab[level as usize] == Level::EMPTY),
            "Invariant: a free slot holds an empty level"
        );
    }
}
