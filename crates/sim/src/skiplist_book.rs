//! Rejected design: levels in a skip list, the usual choice of books that hope to become concurrent one day.
//!
//! Towers grow by a factor of four and their heights come from this crate's own generator: the same list in every run.
//!
//! What closed this road, x ladder: mix60 2.8, swing25 2.2, crash 2.9, fine 2.3, a million resting 2.1, sweep 3.5.

use crate::indexed_book::{IndexedBook, Level, LevelIndex};
use crate::random::Random;

/// The book over [`SkipList`].
pub type SkipListBook = IndexedBook<SkipList>;

/// Twelve levels of a fourth each serve 4^12 = 16 million price levels.
const HEIGHT_MAX: usize = 12;

/// The head's node, and the end of every chain: nothing links to the head.
const HEAD: u32 = 0;

#[derive(Clone, Copy)]
struct Node {
    rank: i64,
    level: Level,
    height: u32,
    next: [u32; HEIGHT_MAX],
}

const BLANK: Node = Node { rank: 0, level: Level::EMPTY, height: 0, next: [HEAD; HEIGHT_MAX] };

/// A skip list in an arena.
pub struct SkipList {
    /// `nodes[0]` is the head, as tall as any tower.
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// The tallest tower; searches start there.
    height: usize,
    random: Random,
}

impl SkipList {
    /// The last node before `rank` on each level.
    #[inline]
    fn predecessors(&self, rank: i64) -> [u32; HEIGHT_MAX] {
        let mut predecessors = [HEAD; HEIGHT_MAX];
        let mut at = HEAD;
        for height in (0..self.height).rev() {
            at = self.last_before(at, height, rank);
            predecessors[height] = at;
        }
        predecessors
    }

    #[inline]
    fn last_before(&self, mut at: u32, height: usize, rank: i64) -> u32 {
        loop {
            let next = self.nodes[at as usize].next[height];
            if next == HEAD || self.nodes[next as usize].rank >= rank {
                return at;
            }
            at = next;
        }
    }

    /// The first node at or behind `predecessor`'s successor if it has the rank.
    #[inline]
    fn successor_with(&self, predecessor: u32, rank: i64) -> Option<u32> {
        let next = self.nodes[predecessor as usize].next[0];
        (next != HEAD && self.nodes[next as usize].rank == rank).then_some(next)
    }

    fn insert_after(&mut self, predecessors: [u32; HEIGHT_MAX], rank: i64) -> u32 {
        // Two zero bits a storey: one tower in four reaches the next.
        let height = (1 + self.random.next_u64().trailing_zeros() as usize / 2).min(HEIGHT_MAX);
        self.height = self.height.max(height);
        let mut node = Node { rank, height: height as u32, ..BLANK };
        for (storey, &predecessor) in predecessors.iter().enumerate().take(height) {
            node.next[storey] = self.nodes[predecessor as usize].next[storey];
        }
        let inserted = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        for (storey, &predecessor) in predecessors.iter().enumerate().take(height) {
            self.nodes[predecessor as usize].next[storey] = inserted;
        }
        inserted
    }
}

impl LevelIndex for SkipList {
    const NAME: &'static str = "skiplist";

    fn new() -> Self {
        let head = Node { height: HEIGHT_MAX as u32, ..BLANK };
        Self { nodes: vec![head], free: Vec::new(), height: 0, random: Random::new(1) }
    }

    #[inline]
    fn first(&self) -> Option<(i64, u32)> {
        let first = self.nodes[HEAD as usize].next[0];
        (first != HEAD).then(|| (self.nodes[first as usize].rank, first))
    }

    #[inline]
    fn find(&self, rank: i64) -> Option<u32> {
        let mut at = HEAD;
        for height in (0..self.height).rev() {
            at = self.last_before(at, height, rank);
        }
        self.successor_with(at, rank)
    }

    #[inline]
    fn find_or_insert(&mut self, rank: i64) -> u32 {
        let predecessors = self.predecessors(rank);
        match self.successor_with(predecessors[0], rank) {
            Some(found) => found,
            None => self.insert_after(predecessors, rank),
        }
    }

    #[inline]
    fn remove(&mut self, rank: i64, level: u32) {
        let predecessors = self.predecessors(rank);
        debug_assert_eq!(self.successor_with(predecessors[0], rank), Some(level), "Invariant: a level has its rank");
        let node = self.nodes[level as usize];
        for (storey, &predecessor) in predecessors.iter().enumerate().take(node.height as usize) {
            self.nodes[predecessor as usize].next[storey] = node.next[storey];
        }
        while self.height > 0 && self.nodes[HEAD as usize].next[self.height - 1] == HEAD {
            self.height -= 1;
        }
        self.nodes[level as usize] = BLANK;
        self.free.push(level);
    }

    #[inline]
    fn level(&self, level: u32) -> &Level {
        &self.nodes[level as usize].level
    }

    #[inline]
    fn level_mut(&mut self, level: u32) -> &mut Level {
        &mut self.nodes[level as usize].level
    }

    fn len(&self) -> usize {
        self.nodes.len() - 1 - self.free.len()
    }

    fn entries(&self) -> Vec<(i64, u32)> {
        let mut at = HEAD;
        let next = || {
            at = self.nodes[at as usize].next[0];
            (at != HEAD).then(|| (self.nodes[at as usize].rank, at))
        };
        std::iter::from_fn(next).collect()
    }

    fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.free.capacity() * size_of::<u32>()
    }

    fn check_invariants(&self) {
        let Self { nodes, free, height, random: _ } = self;
        let entries = self.entries();
        assert_eq!(entries.len() + free.len() + 1, nodes.len(), "Invariant: a node is linked or free");
        assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "Invariant: ranks rise along the list");
        let tallest = entries.iter().map(|&(_, at)| nodes[at as usize].height as usize).max();
        assert_eq!(*height, tallest.unwrap_or(0), "Invariant: height is that of the tallest tower");
        for storey in 0..HEIGHT_MAX {
            let mut at = HEAD;
            for &(_, expected) in entries.iter().filter(|&&(_, at)| nodes[at as usize].height as usize > storey) {
                at = nodes[at as usize].next[storey];
                assert_eq!(at, expected, "Invariant: a storey links exactly the towers that reach it");
            }
            assert_eq!(nodes[at as usize].next[storey], HEAD, "Invariant: each storey ends");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_agrees_with_a_map_through_random_insertions_and_removals() {
        for seed in 1..=5 {
            let mut random = Random::new(seed);
            let mut list = SkipList::new();
            let mut model = BTreeMap::new();
            for step in 0..1_000 {
                let rank = random.between(-100, 100);
                match model.get(&rank) {
                    Some(&level) if random.coin() => {
                        list.remove(rank, level);
                        model.remove(&rank);
                    }
                    Some(&level) => {
                        assert_eq!(list.find_or_insert(rank), level, "seed={seed} step={step}")
                    }
                    None => {
                        model.insert(rank, list.find_or_insert(rank));
                    }
                }
                list.check_invariants();
                let expected: Vec<(i64, u32)> = model.iter().map(|(&rank, &level)| (rank, level)).collect();
                assert_eq!(list.entries(), expected, "seed={seed} step={step}");
            }
        }
    }
}
