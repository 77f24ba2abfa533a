//! The two sides of a book.

use tradewright_types::{Price, Quantity, Side};

use crate::{Ladder, Level, Orders, Slot};

/// The order that is next in line on one side, and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// The order.
    pub slot: Slot,
    /// Its price.
    pub price: Price,
}

/// The book of one instrument.
#[derive(Clone, Debug)]
pub struct Book {
    sides: [Ladder; 2],
}

impl Default for Book {
    fn default() -> Self {
        Self { sides: [Ladder::bids(), Ladder::asks()] }
    }
}

impl Book {
    /// One side.
    #[inline(always)]
    pub fn side(&self, side: Side) -> &Ladder {
        &self.sides[side as usize]
    }

    /// The best price of one side.
    #[inline(always)]
    pub fn best(&self, side: Side) -> Option<Price> {
        self.side(side).best_price()
    }

    /// The order on `side` that is next in line, if its price is at `limit` or better for the other side.
    #[inline(always)]
    pub fn front_within(&self, side: Side, limit: Price) -> Option<Front> {
        self.side(side).best_within(limit).map(|(price, level)| Front { slot: level.head, price })
    }

    /// The price at which an order stands.
    #[inline(always)]
    pub fn price_of<T>(&self, orders: &Orders<T>, side: Side, slot: Slot) -> Price {
        self.side(side).price_of(orders[slot].level)
    }

    /// Puts an order whose open quantity is `open` behind the others at `price`.
    #[inline(always)]
    pub fn rest<T>(&mut self, orders: &mut Orders<T>, side: Side, price: Price, slot: Slot, open: Quantity) {
        let ladder = &mut self.sides[side as usize];
        let index = ladder.level_at(price);
        let level = ladder.level_mut(index);
        let tail = core::mem::replace(&mut level.tail, slot);
        level.open += open;
        if tail.is_some() {
            orders[tail].next = slot;
        } else {
            level.head = slot;
            ladder.occupy(price, index);
        }
        let order = &mut orders[slot];
        debug_assert_eq!(order.open, open, "Invariant: the level adds up what its orders have open");
        (order.previous, order.next, order.level) = (tail, Slot::NONE, index);
    }

    /// Takes an order out of its queue. It keeps its slot.
    #[inline(always)]
    pub fn remove<T>(&mut self, orders: &mut Orders<T>, side: Side, slot: Slot) {
        let ladder = &mut self.sides[side as usize];
        let order = &mut orders[slot];
        let (previous, next, index, open) = (order.previous, order.next, order.level, order.open);
        order.level = u32::MAX;
        let level = ladder.level_mut(index);
        level.open -= open;
        if previous.is_some() {
            orders[previous].next = next;
        } else {
            level.head = next;
        }
        if next.is_some() {
            orders[next].previous = previous;
        } else {
            level.tail = previous;
        }
        if !level.head.is_some() {
            ladder.vacate(index);
        }
    }

    /// Takes `quantity` from an order that keeps its place; at least one lot is left.
    #[inline(always)]
    pub fn reduce<T>(&mut self, orders: &mut Orders<T>, side: Side, slot: Slot, quantity: Quantity) {
        let order = &mut orders[slot];
        debug_assert!(quantity < order.open, "Invariant: an order that loses everything is removed, not reduced");
        order.open -= quantity;
        self.sides[side as usize].level_mut(order.level).open -= quantity;
    }

    /// Gives an order another open quantity, at least one lot, in its place.
    pub fn resize<T>(&mut self, orders: &mut Orders<T>, side: Side, slot: Slot, open: Quantity) {
        let order = &mut orders[slot];
        debug_assert!(!open.is_zero(), "Invariant: an order that loses everything is removed, not reduced");
        let level = self.sides[side as usize].level_mut(order.level);
        level.open -= order.open;
        level.open += open;
        order.open = open;
    }

    /// The levels of one side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, &Level)> {
        self.side(side).iter()
    }

    /// The orders of a level, the one that has been there longest first.
    pub fn queue<'b, T>(&'b self, orders: &'b Orders<T>, level: &Level) -> impl Iterator<Item = Slot> + 'b {
        let some = |slot: Slot| slot.is_some().then_some(slot);
        core::iter::successors(some(level.head), move |slot| some(orders[*slot].next))
    }

    /// The orders at `price`, the one that has been there longest first.
    pub fn queue_at<'b, T>(
        &'b self,
        orders: &'b Orders<T>,
        side: Side,
        price: Price,
    ) -> impl Iterator<Item = Slot> + 'b {
        let ladder = self.side(side);
        ladder.find(price).into_iter().flat_map(move |index| self.queue(orders, ladder.level(index)))
    }

    /// What stands at `price`.
    pub fn open_at(&self, side: Side, price: Price) -> Quantity {
        let ladder = self.side(side);
        ladder.find(price).map_or(Quantity::ZERO, |index| ladder.level(index).open)
    }

    /// Bytes that both ladders take.
    pub fn memory_bytes(&self) -> usize {
        self.sides.iter().map(Ladder::memory_bytes).sum()
    }

    /// Panics unless queues, levels and ladders agree and the book is not crossed.
    pub fn check_invariants<T: Copy + Default>(&self, orders: &Orders<T>) {
        self.check_queues(orders);
        if let (Some(bid), Some(ask)) = (self.best(Side::Buy), self.best(Side::Sell)) {
            assert!(bid < ask, "Invariant: the book is not crossed: bid {bid}, ask {ask}");
        }
    }

    /// Panics unless queues, levels and ladders agree. All that is true of a book in the call of an auction, which may be
    /// crossed; in continuous trading [`Book::check_invariants`] holds.
    pub fn check_queues<T: Copy + Default>(&self, orders: &Orders<T>) {
        let Self { sides } = self;
        sides.iter().for_each(Ladder::check_invariants);
        for side in [Side::Buy, Side::Sell] {
            for (price, level) in self.levels(side) {
                let (mut sum, mut last) = (Quantity::ZERO, Slot::NONE);
                for slot in self.queue(orders, level) {
                    let order = &orders[slot];
                    assert!(!order.open.is_zero(), "Invariant: an open order has an open quantity");
                    assert_eq!(order.previous, last, "Invariant: queues are linked both ways");
                    assert_eq!(self.price_of(orders, side, slot), price, "Invariant: an order knows its level");
                    sum += order.open;
                    last = slot;
                }
                assert_eq!(last, level.tail, "Invariant: a level knows its last order");
                assert_eq!(sum, level.open, "Invariant: a level's quantity is that of its orders");
            }
        }
    }
}
