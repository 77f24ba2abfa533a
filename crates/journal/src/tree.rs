//! The Merkle tree of RFC 9162 over the commands of a log: leaf `n` is the record of index `n + 1`, header and payload.

use core::ops::Range;

use sha2::{Digest, Sha256};

use crate::format::Hash;

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The right edge of a growing tree: the roots of the whole trees that it consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The largest first: one for each bit of the size.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree that stood at `size` with these peaks. `None` when there are not as many as there have to be.
    #[must_use]
    pub fn resume(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (size.count_ones() as usize == peaks.len()).then_some(Self { size, peaks })
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each whole tree as large as the one that grows joins it.
        for _ in 0..self.size.trailing_ones() {
            node = node_hash(&self.peaks.pop().expect("Invariant: a peak for each bit"), &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the whole trees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Sha256::digest([]).into() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The largest power of two below `size`.
fn split_of(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The leaves under each hash of the inclusion proof for leaf `index` in a tree of `size`, nearest first.
///
/// # Panics
/// When the tree has no such leaf.
#[must_use]
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    assert!(index < size, "Condition failed: a tree of {size} has no leaf {index}");
    let (mut ranges, mut within) = (Vec::new(), 0..size);
    while within.end - within.start > 1 {
        let middle = within.start + split_of(within.end - within.start);
        if index < middle {
            ranges.push(middle..within.end);
            within.end = middle;
        } else {
            ranges.push(within.start..middle);
            within.start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The leaves under each hash of the proof that the tree of `size` begins with the one of `first` leaves.
///
/// # Panics
/// When `first` is 0 or above `size`.
#[must_use]
pub fn consistency_ranges(first: u64, size: u64) -> Vec<Range<u64>> {
    assert!(0 < first && first <= size, "Condition failed: first={first} must be from 1 to {size}");
    let (mut ranges, mut within, mut is_known) = (Vec::new(), 0..size, true);
    while first < within.end {
        let middle = within.start + split_of(within.end - within.start);
        if first <= middle {
            ranges.push(middle..within.end);
            within.end = middle;
        } else {
            ranges.push(within.start..middle);
            within.start = middle;
            is_known = false;
        }
    }
    if !is_known {
        ranges.push(within);
    }
    ranges.reverse();
    ranges
}

/// Gathers the roots over ranges of leaves while the leaves pass by.
pub struct RangeRoots {
    ranges: Vec<(Range<u64>, Frontier)>,
}

impl RangeRoots {
    /// Over these ranges.
    #[must_use]
    pub fn new(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        Self { ranges: ranges.into_iter().map(|range| (range, Frontier::default())).collect() }
    }

    /// Takes in a leaf. They have to come in their order.
    pub fn push(&mut self, index: u64, leaf: Hash) {
        for (range, frontier) in &mut self.ranges {
            if range.contains(&index) {
                frontier.push(leaf);
            }
        }
    }

    /// The roots, when all leaves were there.
    #[must_use]
    pub fn finish(self) -> Option<Vec<Hash>> {
        let is_whole = |(range, frontier): &(Range<u64>, Frontier)| frontier.size() == range.end - range.start;
        self.ranges.iter().all(is_whole).then(|| self.ranges.iter().map(|(_, frontier)| frontier.root()).collect())
    }
}

/// Whether `path` proves that `leaf` is leaf `index` of the tree of `size` with this root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn is_included(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `path` proves that the tree of `size` begins with the one of `first` leaves (RFC 9162, 2.1.4.2).
#[must_use]
pub fn is_consistent(first: u64, size: u64, path: &[Hash], first_root: &Hash, root: &Hash) -> bool {
    if first == size {
        return path.is_empty() && first_root == root;
    }
    if first == 0 || first > size {
        return false;
    }
    let (mut node, mut last) = (first - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut steps = path.iter();
    // A tree that is whole is its own start.
    let Some(start) = (if first.is_power_of_two() { Some(first_root) } else { steps.next() }) else { return false };
    let (mut first_hash, mut hash) = (*start, *start);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            first_hash = node_hash(step, &first_hash);
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && first_hash == *first_root && hash == *root
}
