//! Rejected design: levels in a red-black tree, as books in C++ get from `std::map` and in Java from `TreeMap`.
//!
//! Nodes live in an arena and are linked by index. Rotations and deletion relink nodes and never copy one into another,
//! so that an order can remember its level; the smallest node is kept beside the root.
//!
//! What closed this road, x ladder: mix60 2.1, swing25 1.6, crash 2.4, fine 1.3, a million resting 1.4, sweep 2.9. It
//! beats the B-tree where levels come and go one order at a time (`fine`): an order knows its level without a search.

use crate::indexed_book::{IndexedBook, Level, LevelIndex};

/// The book over [`RedBlackTree`].
pub type RbTreeBook = IndexedBook<RedBlackTree>;

/// The sentinel: every missing child and the root's parent. It is black, and its parent is scratch during a deletion.
const NIL: u32 = 0;

const LEFT: usize = 0;
const RIGHT: usize = 1;

#[derive(Clone, Copy)]
struct Node {
    rank: i64,
    level: Level,
    parent: u32,
    /// Smaller ranks left, larger ones right.
    children: [u32; 2],
    red: bool,
}

const BLANK: Node = Node { rank: 0, level: Level::EMPTY, parent: NIL, children: [NIL; 2], red: false };

/// A red-black tree in an arena.
pub struct RedBlackTree {
    /// `nodes[0]` is the sentinel.
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    /// The smallest node, or the sentinel.
    smallest: u32,
}

impl RedBlackTree {
    #[inline]
    fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    #[inline]
    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }

    #[inline]
    fn child(&self, at: u32, direction: usize) -> u32 {
        self.node(at).children[direction]
    }

    #[inline]
    fn is_red(&self, at: u32) -> bool {
        self.node(at).red
    }

    /// Which child of its parent `at` is.
    #[inline]
    fn direction_of(&self, at: u32) -> usize {
        if self.child(self.node(at).parent, LEFT) == at { LEFT } else { RIGHT }
    }

    /// Puts `new` where `old` hangs. The sentinel's parent is set as well: deletion climbs from it.
    #[inline]
    fn replace(&mut self, old: u32, new: u32) {
        let parent = self.node(old).parent;
        if parent == NIL {
            self.root = new;
        } else {
            let direction = self.direction_of(old);
            self.node_mut(parent).children[direction] = new;
        }
        self.node_mut(new).parent = parent;
    }

    /// Moves `at` down in `direction`; its other child takes its place.
    fn rotate(&mut self, at: u32, direction: usize) {
        let riser = self.child(at, 1 - direction);
        debug_assert_ne!(riser, NIL, "Invariant: only a node can rise");
        let between = self.child(riser, direction);
        self.node_mut(at).children[1 - direction] = between;
        if between != NIL {
            self.node_mut(between).parent = at;
        }
        self.replace(at, riser);
        self.node_mut(riser).children[direction] = at;
        self.node_mut(at).parent = riser;
    }

    fn take_node(&mut self, node: Node) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        }
    }

    /// Hangs a red leaf under `parent` and restores the colours.
    fn insert_at(&mut self, parent: u32, direction: usize, rank: i64) -> u32 {
        let inserted = self.take_node(Node { rank, parent, red: true, ..BLANK });
        if parent == NIL {
            self.root = inserted;
        } else {
            self.node_mut(parent).children[direction] = inserted;
        }
        if self.smallest == NIL || rank < self.node(self.smallest).rank {
            self.smallest = inserted;
        }
        self.repair_after_insert(inserted);
        inserted
    }

    /// A red node may have a red parent: push the conflict up, or rotate it away.
    fn repair_after_insert(&mut self, mut at: u32) {
        while self.is_red(self.node(at).parent) {
            let mut parent = self.node(at).parent;
            let grandparent = self.node(parent).parent;
            let direction = self.direction_of(parent);
            let uncle = self.child(grandparent, 1 - direction);
            if self.is_red(uncle) {
                self.node_mut(parent).red = false;
                self.node_mut(uncle).red = false;
                self.node_mut(grandparent).red = true;
                at = grandparent;
                continue;
            }
            if self.direction_of(at) != direction {
                // An inner grandchild first becomes an outer one.
                self.rotate(parent, direction);
                parent = at;
            }
            self.node_mut(parent).red = false;
            self.node_mut(grandparent).red = true;
            self.rotate(grandparent, 1 - direction);
            break;
        }
        let root = self.root;
        self.node_mut(root).red = false;
    }

    fn leftmost(&self, mut at: u32) -> u32 {
        while self.child(at, LEFT) != NIL {
            at = self.child(at, LEFT);
        }
        at
    }

    /// The next larger node, or the sentinel.
    fn successor(&self, mut at: u32) -> u32 {
        if self.child(at, RIGHT) != NIL {
            return self.leftmost(self.child(at, RIGHT));
        }
        loop {
            let parent = self.node(at).parent;
            if parent == NIL || self.child(parent, LEFT) == at {
                return parent;
            }
            at = parent;
        }
    }

    fn delete(&mut self, doomed: u32) {
        if self.smallest == doomed {
            self.smallest = self.successor(doomed);
        }
        let [left, right] = self.node(doomed).children;
        // `heir` moves into the place where a node goes missing; that node's colour decides about repairs.
        let (heir, lost_black) = if left == NIL || right == NIL {
            let heir = if left == NIL { right } else { left };
            self.replace(doomed, heir);
            (heir, !self.is_red(doomed))
        } else {
            let next = self.leftmost(right);
            let heir = self.child(next, RIGHT);
            let lost_black = !self.is_red(next);
            if next == right {
                self.node_mut(heir).parent = next;
            } else {
                self.replace(next, heir);
                self.node_mut(next).children[RIGHT] = right;
                self.node_mut(right).parent = next;
            }
            self.replace(doomed, next);
            self.node_mut(next).children[LEFT] = left;
            self.node_mut(left).parent = next;
            self.node_mut(next).red = self.is_red(doomed);
            (heir, lost_black)
        };
        if lost_black {
            self.repair_after_delete(heir);
        }
        self.node_mut(NIL).parent = NIL;
        *self.node_mut(doomed) = BLANK;
        self.free.push(doomed);
    }

    /// The paths through `at` are one black node short: borrow it from the sibling, or push the lack up.
    fn repair_after_delete(&mut self, mut at: u32) {
        while at != self.root && !self.is_red(at) {
            let parent = self.node(at).parent;
            let direction = self.direction_of(at);
            let mut sibling = self.child(parent, 1 - direction);
            if self.is_red(sibling) {
                self.node_mut(sibling).red = false;
                self.node_mut(parent).red = true;
                self.rotate(parent, direction);
                sibling = self.child(parent, 1 - direction);
            }
            let near = self.child(sibling, direction);
            let far = self.child(sibling, 1 - direction);
            if !self.is_red(near) && !self.is_red(far) {
                self.node_mut(sibling).red = true;
                at = parent;
                continue;
            }
            if !self.is_red(far) {
                self.node_mut(near).red = false;
                self.node_mut(sibling).red = true;
                self.rotate(sibling, 1 - direction);
                sibling = near;
            }
            self.node_mut(sibling).red = self.is_red(parent);
            self.node_mut(parent).red = false;
            let far = self.child(sibling, 1 - direction);
            self.node_mut(far).red = false;
            self.rotate(parent, direction);
            at = self.root;
        }
        self.node_mut(at).red = false;
    }

    /// Visits a subtree in order; returns how many black nodes each of its paths has.
    fn visit(&self, at: u32, parent: u32, entries: &mut Vec<(i64, u32)>) -> usize {
        if at == NIL {
            return 1;
        }
        let node = self.node(at);
        assert_eq!(node.parent, parent, "Invariant: parent and child agree");
        assert!(!(node.red && self.is_red(parent)), "Invariant: a red node has a black parent");
        let left = self.visit(node.children[LEFT], at, entries);
        entries.push((node.rank, at));
        let right = self.visit(node.children[RIGHT], at, entries);
        assert_eq!(left, right, "Invariant: all paths have the same number of black nodes");
        left + usize::from(!node.red)
    }
}

impl LevelIndex for RedBlackTree {
    const NAME: &'static str = "rbtree";

    fn new() -> Self {
        Self { nodes: vec![BLANK], free: Vec::new(), root: NIL, smallest: NIL }
    }

    #[inline]
    fn first(&self) -> Option<(i64, u32)> {
        (self.smallest != NIL).then(|| (self.node(self.smallest).rank, self.smallest))
    }

    #[inline]
    fn find(&self, rank: i64) -> Option<u32> {
        let mut at = self.root;
        while at != NIL {
            let node = self.node(at);
            if node.rank == rank {
                return Some(at);
            }
            at = node.children[usize::from(rank > node.rank)];
        }
        None
    }

    #[inline]
    fn find_or_insert(&mut self, rank: i64) -> u32 {
        let (mut at, mut parent, mut direction) = (self.root, NIL, LEFT);
        while at != NIL {
            let node = self.node(at);
            if node.rank == rank {
                return at;
            }
            direction = usize::from(rank > node.rank);
            parent = at;
            at = node.children[direction];
        }
        self.insert_at(parent, direction, rank)
    }

    #[inline]
    fn remove(&mut self, rank: i64, level: u32) {
        debug_assert_eq!(self.node(level).rank, rank, "Invariant: a level has its rank");
        self.delete(level);
    }

    #[inline]
    fn level(&self, level: u32) -> &Level {
        &self.node(level).level
    }

    #[inline]
    fn level_mut(&mut self, level: u32) -> &mut Level {
        &mut self.node_mut(level).level
    }

    fn len(&self) -> usize {
        self.nodes.len() - 1 - self.free.len()
    }

    fn entries(&self) -> Vec<(i64, u32)> {
        let mut entries = Vec::with_capacity(self.len());
        self.visit(self.root, NIL, &mut entries);
        entries
    }

    fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.free.capacity() * size_of::<u32>()
    }

    fn check_invariants(&self) {
        let Self { nodes, free, root, smallest } = self;
        let entries = self.entries(); // Checks links, colours and black heights on its way.
        assert_eq!(entries.len() + free.len() + 1, nodes.len(), "Invariant: a node is linked or free");
        assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "Invariant: ranks rise from left to right");
        assert_eq!(*smallest, entries.first().map_or(NIL, |&(_, at)| at), "Invariant: smallest is the leftmost node");
        assert!(!self.is_red(*root), "Invariant: the root is black");
        let sentinel = &nodes[NIL as usize];
        assert!(
            !sentinel.red && sentinel.parent == NIL && sentinel.children == [NIL; 2],
            "Invariant: a clean sentinel"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeMap;

    #[test]
    fn it_stays_a_red_black_tree_through_random_insertions_and_removals() {
        for seed in 1..=5 {
            let mut random = Random::new(seed);
            let mut tree = RedBlackTree::new();
            let mut model = BTreeMap::new();
            for step in 0..1_000 {
                let rank = random.between(-100, 100);
                match model.get(&rank) {
                    Some(&level) if random.coin() => {
                        tree.remove(rank, level);
                        model.remove(&rank);
                    }
                    Some(&level) => {
                        assert_eq!(tree.find_or_insert(rank), level, "seed={seed} step={step}")
                    }
                    None => {
                        model.insert(rank, tree.find_or_insert(rank));
                    }
                }
                tree.check_invariants();
                let expected: Vec<(i64, u32)> = model.iter().map(|(&rank, &level)| (rank, level)).collect();
                assert_eq!(tree.entries(), expected, "seed={seed} step={step}");
            }
        }
    }

    #[test]
    fn rising_and_falling_insertions_stay_shallow() {
        let mut tree = RedBlackTree::new();
        for rank in 0..1_024 {
            tree.find_or_insert(rank);
            tree.find_or_insert(-rank);
        }
        tree.check_invariants();
        let depth = |mut at: u32| std::iter::from_fn(|| (at != NIL).then(|| at = tree.node(at).parent)).count();
        let deepest = tree.entries().iter().map(|&(_, at)| depth(at)).max();
        assert!(deepest <= Some(22), "2 * log2(n + 1) bounds the depth: {deepest:?}");
    }
}
