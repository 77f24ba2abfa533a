//! One side of a book: the levels, and which of them is best.
//!
//! A price becomes a *rank*, a 64-bit number that is the smaller the better the price is, so that both sides run the same
//! code. Ranks are split into a page (the lowest bits), three tree nodes of 64 children, and a region:
//!
//! ```text
//! rank  = region .. | root | middle | leaf | place in page
//!             41    |   6  |    6   |   6  |      5 bits
//! ```
//!
//! Pages and nodes exist only where there are orders and are used again when they empty, so memory follows the orders and
//! not the price range: there is no price too far away. Each page and node knows which of its children are occupied, so the
//! next best level is a few `trailing_zeros` away at any tick density. The pages and leaves that were used last are
//! remembered; orders near each other find their page in one step.

use tradewright_types::{Price, Quantity};

use crate::Slot;

/// Pages of 32 levels: of 16, 32 and 64 the one that is never far from the best, from 5,000 orders on 275 levels to 2,300
/// levels of one order each over millions of ticks.
const PAGE_BITS: u32 = 5;
const PAGE_LEVELS: usize = 1 << PAGE_BITS;
const NODE_BITS: u32 = 6;
const NODE_CHILDREN: usize = 1 << NODE_BITS;
/// Nodes between a region and its pages.
const HEIGHT: u32 = 3;
const NONE: u32 = u32::MAX;

/// One price: its queue and what stands there in all.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub(crate) head: Slot,
    pub(crate) tail: Slot,
    pub(crate) open: Quantity,
}

impl Level {
    const EMPTY: Self = Self { head: Slot::NONE, tail: Slot::NONE, open: Quantity::ZERO };

    /// The order that has been here longest.
    pub fn head(&self) -> Slot {
        self.head
    }

    /// What is open at this price in all.
    pub fn open(&self) -> Quantity {
        self.open
    }
}

/// A page of levels: what is known about it; its levels lie in [`Ladder::levels`].
#[derive(Clone, Copy, Debug)]
struct Page {
    occupied: u64,
    /// The rank of its levels without the lowest bits.
    key: u64,
    /// Its leaf; on the free list the next free page.
    parent: u32,
}

#[derive(Clone, Debug)]
struct Node {
    occupied: u64,
    /// The node above it; on the free list the next free node. [`NONE`] for a root.
    parent: u32,
    /// Its place in the node above; for a root unused.
    place: u32,
    children: [u32; NODE_CHILDREN],
}

/// A stretch of 2^23 ranks with a tree of its own. Most books have one or two.
#[derive(Clone, Copy, Debug)]
struct Region {
    key: u64,
    root: u32,
}

/// A page or leaf that need not be looked up from the top.
#[derive(Clone, Copy, Debug)]
struct Recent {
    key: u64,
    index: u32,
}

impl Recent {
    /// No key is that high: keys have at most 59 bits.
    const NONE: Self = Self { key: u64::MAX, index: NONE };
}

/// How many pages are remembered: enough for those around the best of a dense book.
const RECENT_PAGES: usize = 16;
/// How many leaves are remembered: enough for those around the best of a book of fine ticks.
const RECENT_LEAVES: usize = 8;

/// One side of a book.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// What turns a price into a rank: bids are flipped, so that the highest has the lowest rank.
    flip: u64,
    best: u32,
    best_rank: u64,
    /// The pages that were used last, by the lowest bits of their keys.
    recent_pages: [Recent; RECENT_PAGES],
    /// The leaves that were used last, by the lowest bits of their keys.
    recent_leaves: [Recent; RECENT_LEAVES],
    /// 32 to a page, in the order of the pages.
    levels: Vec<Level>,
    pages: Vec<Page>,
    nodes: Vec<Node>,
    regions: Vec<Region>,
    free_page: u32,
    free_node: u32,
    level_count: usize,
}

impl Ladder {
    /// The side on which the highest price is best.
    pub fn bids() -> Self {
        Self::new(u64::MAX >> 1)
    }

    /// The side on which the lowest price is best.
    pub fn asks() -> Self {
        Self::new(1 << 63)
    }

    fn new(flip: u64) -> Self {
        Self {
            flip,
            best: NONE,
            best_rank: u64::MAX,
            recent_pages: [Recent::NONE; RECENT_PAGES],
            recent_leaves: [Recent::NONE; RECENT_LEAVES],
            levels: Vec::new(),
            pages: Vec::new(),
            nodes: Vec::new(),
            regions: Vec::new(),
            free_page: NONE,
            free_node: NONE,
            level_count: 0,
        }
    }

    #[inline(always)]
    fn rank(&self, price: Price) -> u64 {
        price.ticks() as u64 ^ self.flip
    }

    #[inline(always)]
    fn price(&self, rank: u64) -> Price {
        Price::from_ticks((rank ^ self.flip) as i64)
    }

    /// The best price.
    #[inline(always)]
    pub fn best_price(&self) -> Option<Price> {
        (self.best != NONE).then(|| self.price(self.best_rank))
    }

    /// The best level and its price, if it is at `limit` or better.
    #[inline(always)]
    pub(crate) fn best_within(&self, limit: Price) -> Option<(Price, &Level)> {
        (self.best != NONE && self.best_rank <= self.rank(limit))
            .then(|| (self.price(self.best_rank), &self.levels[self.best as usize]))
    }

    /// The worst price, looked up from the top.
    pub fn worst_price(&self) -> Option<Price> {
        let last = |occupied: u64| occupied.ilog2();
        let mut child = self.regions.last()?.root;
        for _ in 0..HEIGHT {
            let node = &self.nodes[child as usize];
            child = node.children[last(node.occupied) as usize];
        }
        Some(self.price_of(child << PAGE_BITS | last(self.pages[child as usize].occupied)))
    }

    /// How many prices have orders.
    pub fn level_count(&self) -> usize {
        self.level_count
    }

    /// Bytes that the ladder takes.
    pub fn memory_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Level>()
            + self.pages.capacity() * size_of::<Page>()
            + self.nodes.capacity() * size_of::<Node>()
            + self.regions.capacity() * size_of::<Region>()
    }

    #[inline(always)]
    pub(crate) fn level(&self, index: u32) -> &Level {
        &self.levels[index as usize]
    }

    #[inline(always)]
    pub(crate) fn level_mut(&mut self, index: u32) -> &mut Level {
        &mut self.levels[index as usize]
    }

    /// The price of a level.
    #[inline(always)]
    pub(crate) fn price_of(&self, level: u32) -> Price {
        self.price(self.rank_of(level))
    }

    #[inline(always)]
    fn rank_of(&self, level: u32) -> u64 {
        self.pages[(level >> PAGE_BITS) as usize].key << PAGE_BITS | u64::from(level) & (PAGE_LEVELS as u64 - 1)
    }

    /// The level at `price`, made if need be. One that is empty must be occupied.
    #[inline(always)]
    pub(crate) fn level_at(&mut self, price: Price) -> u32 {
        let rank = self.rank(price);
        let key = rank >> PAGE_BITS;
        let recent = self.recent_pages[key as usize & (RECENT_PAGES - 1)];
        let page = if recent.key == key { recent.index } else { self.find_or_make_page(rank) };
        page << PAGE_BITS | rank as u32 & (PAGE_LEVELS as u32 - 1)
    }

    /// The page of a rank, looked up from its leaf.
    #[inline(always)]
    fn find_or_make_page(&mut self, rank: u64) -> u32 {
        let leaf_key = rank >> (PAGE_BITS + NODE_BITS);
        let recent = self.recent_leaves[leaf_key as usize & (RECENT_LEAVES - 1)];
        let leaf = if recent.key == leaf_key { recent.index } else { self.find_or_make_leaf(leaf_key) };
        let child = (rank >> PAGE_BITS) as usize & (NODE_CHILDREN - 1);
        let node = &self.nodes[leaf as usize];
        if node.occupied >> child & 1 == 1 {
            let page = node.children[child];
            let key = rank >> PAGE_BITS;
            self.recent_pages[key as usize & (RECENT_PAGES - 1)] = Recent { key, index: page };
            page
        } else {
            self.make_page(leaf, rank >> PAGE_BITS)
        }
    }

    /// Marks the level at `price` as occupied, which was empty.
    #[inline(always)]
    pub(crate) fn occupy(&mut self, price: Price, level: u32) {
        let rank = self.rank(price);
        self.pages[(level >> PAGE_BITS) as usize].occupied |= 1 << (level & (PAGE_LEVELS as u32 - 1));
        self.level_count += 1;
        if rank < self.best_rank || self.best == NONE {
            self.best = level;
            self.best_rank = rank;
        }
    }

    /// The level at `price`, if it is occupied.
    pub(crate) fn find(&self, price: Price) -> Option<u32> {
        let rank = self.rank(price);
        let region =
            self.regions.binary_search_by_key(&(rank >> (PAGE_BITS + HEIGHT * NODE_BITS)), |region| region.key);
        let mut child = self.regions[region.ok()?].root;
        for height in (0..HEIGHT).rev() {
            let place = (rank >> (PAGE_BITS + height * NODE_BITS)) as usize & (NODE_CHILDREN - 1);
            let node = &self.nodes[child as usize];
            if node.occupied >> place & 1 == 0 {
                return None;
            }
            child = node.children[place];
        }
        let place = rank as usize & (PAGE_LEVELS - 1);
        let occupied = self.pages[child as usize].occupied >> place & 1 == 1;
        occupied.then_some(child << PAGE_BITS | place as u32)
    }

    /// Marks a level as empty; the best level moves on if it was the best.
    #[inline(always)]
    pub(crate) fn vacate(&mut self, level: u32) {
        let index = level >> PAGE_BITS;
        let page = &mut self.pages[index as usize];
        page.occupied &= !(1 << (level & (PAGE_LEVELS as u32 - 1)));
        self.level_count -= 1;
        let occupied = page.occupied;
        if occupied == 0 {
            self.free_page(index);
            if level == self.best {
                self.best = self.first();
                self.best_rank = if self.best == NONE { u64::MAX } else { self.rank_of(self.best) };
            }
        } else if level == self.best {
            let place = occupied.trailing_zeros();
            self.best = index << PAGE_BITS | place;
            self.best_rank = self.best_rank & !(PAGE_LEVELS as u64 - 1) | u64::from(place);
        }
    }

    /// The best level of all, looked up from the top.
    fn first(&self) -> u32 {
        self.regions.first().map_or(NONE, |region| self.first_below(region.root, HEIGHT))
    }

    /// The best level below a node that has `height` nodes on the way to a page, itself included.
    #[inline(always)]
    fn first_below(&self, mut child: u32, height: u32) -> u32 {
        for _ in 0..height {
            let node = &self.nodes[child as usize];
            child = node.children[node.occupied.trailing_zeros() as usize];
        }
        child << PAGE_BITS | self.pages[child as usize].occupied.trailing_zeros()
    }

    /// The next occupied level that is worse than `level`.
    fn after(&self, level: u32) -> Option<u32> {
        let above = |occupied: u64, place: u32| occupied & (u64::MAX << place << 1);
        let page = &self.pages[(level >> PAGE_BITS) as usize];
        let later = above(page.occupied, level & (PAGE_LEVELS as u32 - 1));
        if later != 0 {
            return Some(level & !(PAGE_LEVELS as u32 - 1) | later.trailing_zeros());
        }
        let (mut index, mut place) = (page.parent, page.key as u32 & (NODE_CHILDREN as u32 - 1));
        for height in 0..HEIGHT {
            let node = &self.nodes[index as usize];
            let later = above(node.occupied, place);
            if later != 0 {
                return Some(self.first_below(node.children[later.trailing_zeros() as usize], height));
            }
            (index, place) = (node.parent, node.place);
        }
        let key = page.key >> (HEIGHT * NODE_BITS);
        let next = self.regions.partition_point(|region| region.key <= key);
        self.regions.get(next).map(|region| self.first_below(region.root, HEIGHT))
    }

    /// The occupied levels with their prices, best first.
    pub fn iter(&self) -> impl Iterator<Item = (Price, &Level)> {
        let first = (self.best != NONE).then_some(self.best);
        core::iter::successors(first, |level| self.after(*level)).map(|level| (self.price_of(level), self.level(level)))
    }

    #[inline(never)]
    fn find_or_make_leaf(&mut self, leaf_key: u64) -> u32 {
        let region_key = leaf_key >> ((HEIGHT - 1) * NODE_BITS);
        let mut index = match self.regions.binary_search_by_key(&region_key, |region| region.key) {
            Ok(found) => self.regions[found].root,
            Err(place) => {
                let root = self.make_node(NONE, 0);
                self.regions.insert(place, Region { key: region_key, root });
                root
            }
        };
        for height in (0..HEIGHT - 1).rev() {
            let place = (leaf_key >> (height * NODE_BITS)) as u32 & (NODE_CHILDREN as u32 - 1);
            let node = &self.nodes[index as usize];
            index = if node.occupied >> place & 1 == 1 {
                node.children[place as usize]
            } else {
                let child = self.make_node(index, place);
                let node = &mut self.nodes[index as usize];
                node.occupied |= 1 << place;
                node.children[place as usize] = child;
                child
            };
        }
        self.recent_leaves[leaf_key as usize & (RECENT_LEAVES - 1)] = Recent { key: leaf_key, index };
        index
    }

    fn make_node(&mut self, parent: u32, place: u32) -> u32 {
        if self.free_node != NONE {
            let index = self.free_node;
            let node = &mut self.nodes[index as usize];
            self.free_node = node.parent;
            (node.parent, node.place) = (parent, place);
            index
        } else {
            self.nodes.push(Node { occupied: 0, parent, place, children: [NONE; NODE_CHILDREN] });
            self.nodes.len() as u32 - 1
        }
    }

    #[inline(never)]
    fn make_page(&mut self, leaf: u32, key: u64) -> u32 {
        let page = Page { occupied: 0, key, parent: leaf };
        let index = if self.free_page != NONE {
            let index = self.free_page;
            self.free_page = self.pages[index as usize].parent;
            self.pages[index as usize] = page;
            index
        } else {
            self.pages.push(page);
            self.levels.resize(self.levels.len() + PAGE_LEVELS, Level::EMPTY);
            self.pages.len() as u32 - 1
        };
        let node = &mut self.nodes[leaf as usize];
        let place = key as usize & (NODE_CHILDREN - 1);
        node.occupied |= 1 << place;
        node.children[place] = index;
        index
    }

    /// Takes an empty page, and the nodes that it leaves empty, out of the tree.
    #[inline(never)]
    fn free_page(&mut self, index: u32) {
        let page = &mut self.pages[index as usize];
        let (key, mut parent) = (page.key, page.parent);
        page.parent = self.free_page;
        self.free_page = index;
        let recent = &mut self.recent_pages[key as usize & (RECENT_PAGES - 1)];
        if recent.index == index {
            *recent = Recent::NONE;
        }
        let mut place = key as u32 & (NODE_CHILDREN as u32 - 1);
        while parent != NONE {
            let node = &mut self.nodes[parent as usize];
            node.occupied &= !(1 << place);
            if node.occupied != 0 {
                return;
            }
            let above = node.parent;
            place = node.place;
            node.parent = self.free_node;
            self.free_node = parent;
            let recent = &mut self.recent_leaves[(key >> NODE_BITS) as usize & (RECENT_LEAVES - 1)];
            if recent.index == parent {
                *recent = Recent::NONE;
            }
            parent = above;
        }
        let region_key = key >> (HEIGHT * NODE_BITS);
        self.regions.retain(|region| region.key != region_key);
    }

    /// Panics unless tree, pages and levels agree.
    pub fn check_invariants(&self) {
        let Self {
            flip: _,
            best,
            best_rank,
            recent_pages,
            recent_leaves,
            levels,
            pages,
            nodes,
            regions,
            free_page,
            free_node,
            level_count,
        } = self;
        assert_eq!(levels.len(), pages.len() * PAGE_LEVELS, "Invariant: every page has its levels");
        let occupied = levels.iter().filter(|level| level.head.is_some()).count();
        assert_eq!(occupied, *level_count, "Invariant: the count is that of the occupied levels");
        let in_tree: Vec<u32> =
            core::iter::successors((*best != NONE).then_some(*best), |level| self.after(*level)).collect();
        assert_eq!(in_tree.len(), *level_count, "Invariant: the tree leads to every occupied level");
        assert_eq!(*best, self.first(), "Invariant: the best level is the first of the tree");
        assert_eq!(
            *best_rank,
            if *best == NONE { u64::MAX } else { self.rank_of(*best) },
            "Invariant: the best rank is its"
        );
        let worst = in_tree.last().map(|level| self.price_of(*level));
        assert_eq!(self.worst_price(), worst, "Invariant: the worst price is the last of the tree");
        for pair in in_tree.windows(2) {
            assert!(self.rank_of(pair[0]) < self.rank_of(pair[1]), "Invariant: levels come best first");
        }
        for level in &in_tree {
            assert_eq!(self.find(self.price_of(*level)), Some(*level), "Invariant: a level is found by its price");
        }
        for recent in recent_pages.iter().filter(|recent| recent.index != NONE) {
            assert!(pages[recent.index as usize].key == recent.key, "Invariant: a remembered page is in the tree");
            assert!(pages[recent.index as usize].occupied != 0, "Invariant: a remembered page has orders");
        }
        for recent in recent_leaves.iter().filter(|recent| recent.index != NONE) {
            assert!(nodes[recent.index as usize].occupied != 0, "Invariant: a remembered leaf is in the tree");
        }
        assert!(regions.is_sorted_by(|a, b| a.key < b.key), "Invariant: regions come in order");
        let free_pages = core::iter::successors((*free_page != NONE).then_some(*free_page), |index| {
            Some(pages[*index as usize].parent).filter(|next| *next != NONE)
        });
        let used_pages = pages.iter().filter(|page| page.occupied != 0).count();
        assert_eq!(free_pages.count() + used_pages, pages.len(), "Invariant: every page is used or free");
        let free_nodes = core::iter::successors((*free_node != NONE).then_some(*free_node), |index| {
            Some(nodes[*index as usize].parent).filter(|next| *next != NONE)
        });
        let used_nodes = nodes.iter().filter(|node| node.occupied != 0).count();
        assert_eq!(free_nodes.count() + used_nodes, nodes.len(), "Invariant: every node is used or free");
    }
}
