//! A book over any ordered index of price levels: what the designs that lost have in common.
//!
//! Orders are kept as in the ladder, in a table indexed by id and linked into queues, so that a comparison shows the
//! cost of the price index alone. An index sees *ranks*: prices turned so that the best one of either side is the
//! smallest.

use crate::book::{FillSink, FreshBook, MatchingBook, Shape, Side};

/// No order, no level, no node.
pub(crate) const NONE: u32 = u32::MAX;

/// A queue of orders at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) quantity: u64,
}

impl Level {
    pub(crate) const EMPTY: Self = Self { head: NONE, tail: NONE, quantity: 0 };
}

/// An ordered index of levels by rank. A level keeps its handle until it is removed.
pub trait LevelIndex {
    /// What tables call a book with this index.
    const NAME: &'static str;

    /// An empty index.
    fn new() -> Self;

    /// The smallest rank and its level. Called for each order: it must be cheap.
    fn first(&self) -> Option<(i64, u32)>;

    /// The level of `rank`, if there is one.
    fn find(&self, rank: i64) -> Option<u32>;

    /// The level of `rank`, made empty when there was none.
    fn find_or_insert(&mut self, rank: i64) -> u32;

    /// Removes `level`, which has the rank `rank`.
    fn remove(&mut self, rank: i64, level: u32);

    /// A level by its handle.
    fn level(&self, level: u32) -> &Level;

    /// A level by its handle, to be changed.
    fn level_mut(&mut self, level: u32) -> &mut Level;

    /// Number of levels.
    fn len(&self) -> usize;

    /// Whether there is no level.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All ranks and levels in order. Slow; for tests.
    fn entries(&self) -> Vec<(i64, u32)>;

    /// Bytes held, spare capacity included.
    fn memory_bytes(&self) -> usize;

    /// Panics where the structure's own rules are broken. Slow; for tests.
    fn check_invariants(&self);
}

#[derive(Clone, Copy)]
struct Order {
    price: i64,
    /// Zero when the order does not rest.
    quantity: u32,
    previous: u32,
    next: u32,
    level: u32,
    side: Side,
}

const NO_ORDER: Order = Order { price: 0, quantity: 0, previous: NONE, next: NONE, level: NONE, side: Side::Buy };

/// Smaller is better, on both sides. Its own inverse; `!price` cannot overflow as `-price` can.
#[inline]
const fn rank(side: Side, price: i64) -> i64 {
    match side {
        Side::Buy => !price,
        Side::Sell => price,
    }
}

/// A book whose levels are found through `I`.
pub struct IndexedBook<I> {
    /// One index a side.
    levels: [I; 2],
    /// Indexed by id.
    orders: Vec<Order>,
    live: usize,
}

impl<I: LevelIndex> IndexedBook<I> {
    /// An empty book with ids up to `ids` paid for in advance.
    #[must_use]
    pub fn new(ids: usize) -> Self {
        Self { levels: [I::new(), I::new()], orders: vec![NO_ORDER; ids + 1], live: 0 }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, id: u64) {
        assert!(id < u64::from(NONE), "Condition failed: id={id}, must be below 2^32 - 1");
        self.orders.resize((id as usize + 1).next_power_of_two(), NO_ORDER);
    }

    /// Takes an order out of its queue, and its level out of the index when it was the last.
    #[inline]
    fn unlink(&mut self, id: u32) {
        let order = self.orders[id as usize];
        let levels = &mut self.levels[order.side as usize];
        let level = levels.level_mut(order.level);
        if order.previous == NONE {
            level.head = order.next;
        } else {
            self.orders[order.previous as usize].next = order.next;
        }
        if order.next == NONE {
            level.tail = order.previous;
        } else {
            self.orders[order.next as usize].previous = order.previous;
        }
        level.quantity -= u64::from(order.quantity);
        if level.head == NONE {
            levels.remove(rank(order.side, order.price), order.level);
        }
        self.orders[id as usize].quantity = 0;
        self.live -= 1;
    }

    #[inline]
    fn rest(&mut self, id: u64, side: Side, price: i64, quantity: u32) {
        if id as usize >= self.orders.len() {
            self.grow(id);
        }
        assert!(self.orders[id as usize].quantity == 0, "Condition failed: the id is already resting");
        let levels = &mut self.levels[side as usize];
        let handle = levels.find_or_insert(rank(side, price));
        let level = levels.level_mut(handle);
        let tail = level.tail;
        level.tail = id as u32;
        level.quantity += u64::from(quantity);
        if tail == NONE {
            level.head = id as u32;
        } else {
            self.orders[tail as usize].next = id as u32;
        }
        self.orders[id as usize] = Order { price, quantity, previous: tail, next: NONE, level: handle, side };
        self.live += 1;
    }

    fn best(&self, side: Side) -> Option<i64> {
        self.levels[side as usize].first().map(|(best, _)| rank(side, best))
    }
}

impl<I: LevelIndex> MatchingBook for IndexedBook<I> {
    #[inline]
    fn limit<S: FillSink>(
        &mut self,
        id: u64,
        side: Side,
        price: i64,
        mut quantity: u32,
        immediate: bool,
        sink: &mut S,
    ) -> u32 {
        let against = side.opposite();
        let worst = rank(against, price);
        while quantity > 0 {
            let levels = &mut self.levels[against as usize];
            let Some((best, handle)) = levels.first().filter(|&(best, _)| best <= worst) else {
                break;
            };
            let level = levels.level_mut(handle);
            let maker = level.head;
            let order = &mut self.orders[maker as usize];
            let traded = order.quantity.min(quantity);
            quantity -= traded;
            let maker_done = traded == order.quantity;
            if maker_done {
                self.unlink(maker);
            } else {
                order.quantity -= traded;
                level.quantity -= u64::from(traded);
            }
            sink.fill(u64::from(maker), id, rank(against, best), traded, maker_done);
        }
        if quantity > 0 && !immediate {
            self.rest(id, side, price, quantity);
        }
        quantity
    }

    #[inline]
    fn cancel(&mut self, id: u64) -> Option<u32> {
        let open = self.orders.get(id as usize)?.quantity;
        if open == 0 {
            return None;
        }
        self.unlink(id as u32);
        Some(open)
    }

    #[inline]
    fn best_bid(&self) -> Option<i64> {
        self.best(Side::Buy)
    }

    #[inline]
    fn best_ask(&self) -> Option<i64> {
        self.best(Side::Sell)
    }

    fn level_count(&self) -> usize {
        self.levels.iter().map(LevelIndex::len).sum()
    }

    fn live_count(&self) -> usize {
        self.live
    }

    fn depth(&self, side: Side, price: i64) -> u64 {
        let levels = &self.levels[side as usize];
        levels.find(rank(side, price)).map_or(0, |handle| levels.level(handle).quantity)
    }

    fn memory_bytes(&self) -> usize {
        let levels: usize = self.levels.iter().map(LevelIndex::memory_bytes).sum();
        levels + self.orders.capacity() * size_of::<Order>()
    }

    fn check_invariants(&self) {
        let Self { levels, orders, live } = self;
        let mut linked = 0;
        for side in [Side::Buy, Side::Sell] {
            let index = &levels[side as usize];
            index.check_invariants();
            let entries = index.entries();
            assert_eq!(index.len(), entries.len(), "Invariant: len counts the entries");
            assert_eq!(index.first(), entries.first().copied(), "Invariant: first is the smallest entry");
            assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "Invariant: ranks rise");
            for (at_rank, handle) in entries {
                assert_eq!(index.find(at_rank), Some(handle), "Invariant: an entry is found by its rank");
                let level = index.level(handle);
                assert_ne!(level.head, NONE, "Invariant: an indexed level has orders");
                let (mut quantity, mut previous, mut at) = (0, NONE, level.head);
                while at != NONE {
                    let order = &orders[at as usize];
                    assert_eq!((order.side, order.price), (side, rank(side, at_rank)), "Invariant: at its price");
                    assert_eq!((order.level, order.previous), (handle, previous), "Invariant: links agree both ways");
                    assert!(order.quantity > 0, "Invariant: a resting order has a quantity");
                    quantity += u64::from(order.quantity);
                    linked += 1;
                    (previous, at) = (at, order.next);
                }
                assert_eq!(level.tail, previous, "Invariant: the tail is the last order");
                assert_eq!(level.quantity, quantity, "Invariant: a level's quantity is the sum of its orders");
            }
        }
        assert_eq!(*live, linked, "Invariant: each live order is in one queue");
        let with_quantity = orders.iter().filter(|order| order.quantity > 0).count();
        assert_eq!(*live, with_quantity, "Invariant: only live orders have a quantity");
    }
}

impl<I: LevelIndex> FreshBook for IndexedBook<I> {
    fn name() -> &'static str {
        I::NAME
    }

    fn fresh(shape: &Shape) -> Self {
        Self::new(shape.ids)
    }
}
