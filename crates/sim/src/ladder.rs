//! The reference ladder: the yardstick that every figure is divided by.
//!
//! A dense array of levels a side, a 64-ary tree of occupancy bits above it, orders indexed by their id. It carries no
//! money, knows only prices inside its array, and pays for its speed in memory: half a gigabyte for `fine`.

use crate::book::{FillSink, FreshBook, MatchingBook, Shape, Side};

/// No order.
const NONE: u32 = u32::MAX;

/// Four levels of 64 children reach 2^24 ticks.
const TREE_HEIGHT: usize = 4;

#[derive(Clone, Copy)]
struct Order {
    price: i64,
    /// Zero when the order does not rest.
    quantity: u32,
    previous: u32,
    next: u32,
    side: Side,
}

const NO_ORDER: Order = Order { price: 0, quantity: 0, previous: NONE, next: NONE, side: Side::Buy };

/// A queue of orders at one price: 16 bytes, four a cache line.
#[derive(Clone, Copy)]
struct Level {
    head: u32,
    tail: u32,
    quantity: u64,
}

const EMPTY: Level = Level { head: NONE, tail: NONE, quantity: 0 };

/// Which levels hold orders. Bit `i` of a word says that its child `i` is not empty.
struct Occupancy {
    words: [Vec<u64>; TREE_HEIGHT],
}

impl Occupancy {
    fn new(ticks: usize) -> Self {
        let mut width = ticks;
        Self {
            words: std::array::from_fn(|_| {
                width = width.div_ceil(64).max(1);
                vec![0; width]
            }),
        }
    }

    #[inline]
    fn set(&mut self, mut index: usize) {
        for words in &mut self.words {
            let word = &mut words[index / 64];
            let before = *word;
            *word = before | 1 << (index % 64);
            if before != 0 {
                return; // The parents know already.
            }
            index /= 64;
        }
    }

    #[inline]
    fn clear(&mut self, mut index: usize) {
        for words in &mut self.words {
            let word = &mut words[index / 64];
            *word &= !(1 << (index % 64));
            if *word != 0 {
                return;
            }
            index /= 64;
        }
    }

    /// The nearest occupied index above `index`.
    #[inline]
    fn above(&self, mut index: usize) -> Option<usize> {
        for height in 0..TREE_HEIGHT {
            let (word, bit) = (index / 64, index % 64);
            let higher = self.words[height][word] & (u64::MAX << bit << 1);
            if higher != 0 {
                let mut found = word * 64 + higher.trailing_zeros() as usize;
                for below in (0..height).rev() {
                    found = found * 64 + self.words[below][found].trailing_zeros() as usize;
                }
                return Some(found);
            }
            index = word;
        }
        None
    }

    /// The nearest occupied index below `index`.
    #[inline]
    fn below(&self, mut index: usize) -> Option<usize> {
        for height in 0..TREE_HEIGHT {
            let (word, bit) = (index / 64, index % 64);
            let lower = self.words[height][word] & ((1 << bit) - 1);
            if lower != 0 {
                let mut found = word * 64 + 63 - lower.leading_zeros() as usize;
                for below in (0..height).rev() {
                    found = found * 64 + 63 - self.words[below][found].leading_zeros() as usize;
                }
                return Some(found);
            }
            index = word;
        }
        None
    }
}

/// The reference ladder. Prices lie in `0..ticks`; ids grow the order table, so they should be dense.
pub struct Ladder {
    levels: [Vec<Level>; 2],
    occupancy: [Occupancy; 2],
    /// Index of the best level: -1 without bids, `ticks` without asks.
    best: [i64; 2],
    orders: Vec<Order>,
    live: usize,
}

impl Ladder {
    /// An empty ladder for prices `0..ticks`, with ids up to `ids` paid for in advance.
    ///
    /// # Panics
    /// When `ticks` is above 2^24, the reach of the occupancy tree.
    #[must_use]
    pub fn new(ticks: usize, ids: usize) -> Self {
        assert!(ticks <= 1 << 24, "Condition failed: ticks={ticks}, must be at most 2^24");
        Self {
            levels: [vec![EMPTY; ticks], vec![EMPTY; ticks]],
            occupancy: [Occupancy::new(ticks), Occupancy::new(ticks)],
            best: [-1, ticks as i64],
            orders: vec![NO_ORDER; ids + 1],
            live: 0,
        }
    }

    #[inline]
    fn ticks(&self) -> usize {
        self.levels[0].len()
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
        let side = order.side as usize;
        let index = order.price as usize;
        if order.previous == NONE {
            self.levels[side][index].head = order.next;
        } else {
            self.orders[order.previous as usize].next = order.next;
        }
        if order.next == NONE {
            self.levels[side][index].tail = order.previous;
        } else {
            self.orders[order.next as usize].previous = order.previous;
        }
        let level = &mut self.levels[side][index];
        level.quantity -= u64::from(order.quantity);
        let emptied = level.head == NONE;
        self.orders[id as usize].quantity = 0;
        self.live -= 1;
        if emptied {
            self.occupancy[side].clear(index);
            if self.best[side] == index as i64 {
                self.best[side] = match order.side {
                    Side::Buy => self.occupancy[side].below(index).map_or(-1, |found| found as i64),
                    Side::Sell => self.occupancy[side].above(index).map_or(self.ticks() as i64, |found| found as i64),
                };
            }
        }
    }

    #[inline]
    fn rest(&mut self, id: u64, side: Side, price: i64, quantity: u32) {
        let index = price as usize;
        if id as usize >= self.orders.len() {
            self.grow(id);
        }
        let level = &mut self.levels[side as usize][index];
        let tail = level.tail;
        level.tail = id as u32;
        level.quantity += u64::from(quantity);
        let order = &mut self.orders[id as usize];
        assert!(order.quantity == 0, "Condition failed: the id is already resting");
        *order = Order { price, quantity, previous: tail, next: NONE, side };
        if tail == NONE {
            level.head = id as u32;
            self.occupancy[side as usize].set(index);
        } else {
            self.orders[tail as usize].next = id as u32;
        }
        self.live += 1;
        let best = &mut self.best[side as usize];
        match side {
            Side::Buy => *best = price.max(*best),
            Side::Sell => *best = price.min(*best),
        }
    }

    /// Walks every queue and compares it with what is kept: levels with orders, bits with levels, best with bits.
    fn check(&self) {
        let Self { levels, occupancy, best, orders, live } = self;
        let mut linked = 0;
        for side in [Side::Buy, Side::Sell] {
            let mut occupied = Vec::new();
            for (index, level) in levels[side as usize].iter().enumerate() {
                let (mut quantity, mut previous, mut at) = (0, NONE, level.head);
                while at != NONE {
                    let order = &orders[at as usize];
                    assert_eq!((order.side, order.price), (side, index as i64), "Invariant: an order is at its price");
                    assert_eq!(order.previous, previous, "Invariant: links agree both ways");
                    assert!(order.quantity > 0, "Invariant: a resting order has a quantity");
                    quantity += u64::from(order.quantity);
                    linked += 1;
                    (previous, at) = (at, order.next);
                }
                assert_eq!(level.tail, previous, "Invariant: the tail is the last order");
                assert_eq!(level.quantity, quantity, "Invariant: a level's quantity is the sum of its orders");
                let bit = occupancy[side as usize].words[0][index / 64] >> (index % 64) & 1 == 1;
                assert_eq!(bit, level.head != NONE, "Invariant: a bit for each level with orders");
                if bit {
                    occupied.push(index as i64);
                }
            }
            let expected = match side {
                Side::Buy => occupied.last().copied().unwrap_or(-1),
                Side::Sell => occupied.first().copied().unwrap_or(self.ticks() as i64),
            };
            assert_eq!(best[side as usize], expected, "Invariant: best is the end of the occupied levels");
            for height in 1..TREE_HEIGHT {
                for (index, &child) in occupancy[side as usize].words[height - 1].iter().enumerate() {
                    let bit = occupancy[side as usize].words[height][index / 64] >> (index % 64) & 1 == 1;
                    assert_eq!(bit, child != 0, "Invariant: a parent's bit says that the child is not empty");
                }
            }
        }
        assert_eq!(*live, linked, "Invariant: each live order is in one queue");
        let with_quantity = orders.iter().filter(|order| order.quantity > 0).count();
        assert_eq!(*live, with_quantity, "Invariant: only live orders have a quantity");
    }
}

impl MatchingBook for Ladder {
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
        assert!(
            immediate || (price as u64) < self.ticks() as u64,
            "Condition failed: the price is outside the ladder's array"
        );
        let against = side.opposite() as usize;
        while quantity > 0 {
            let best = self.best[against];
            let crosses = match side {
                Side::Buy => best <= price && best < self.ticks() as i64,
                Side::Sell => best >= price && best >= 0,
            };
            if !crosses {
                break;
            }
            let level = &mut self.levels[against][best as usize];
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
            sink.fill(u64::from(maker), id, best, traded, maker_done);
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
        (self.best[0] >= 0).then_some(self.best[0])
    }

    #[inline]
    fn best_ask(&self) -> Option<i64> {
        (self.best[1] < self.ticks() as i64).then_some(self.best[1])
    }

    fn level_count(&self) -> usize {
        self.occupancy.iter().flat_map(|tree| &tree.words[0]).map(|word| word.count_ones() as usize).sum()
    }

    fn live_count(&self) -> usize {
        self.live
    }

    fn depth(&self, side: Side, price: i64) -> u64 {
        usize::try_from(price).ok().and_then(|index| self.levels[side as usize].get(index)).map_or(0, |l| l.quantity)
    }

    fn memory_bytes(&self) -> usize {
        let levels: usize = self.levels.iter().map(|levels| levels.capacity() * size_of::<Level>()).sum();
        let words: usize = self.occupancy.iter().flat_map(|tree| &tree.words).map(|words| words.capacity() * 8).sum();
        levels + words + self.orders.capacity() * size_of::<Order>()
    }

    fn check_invariants(&self) {
        self.check();
    }
}

impl FreshBook for Ladder {
    fn name() -> &'static str {
        "ladder"
    }

    fn fresh(shape: &Shape) -> Self {
        Self::new(shape.ticks, shape.ids)
    }
}
