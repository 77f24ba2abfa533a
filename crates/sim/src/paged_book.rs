//! The exchange's own book behind the traits of this crate, so that it runs the same suite and the same driver.

use tradewright_book::{Book, Orders, Slot};
use tradewright_types::{AccountId, OrderId, Price, Quantity};

use crate::book::{FillSink, FreshBook, MatchingBook, Shape, Side};

/// The book of `crates/book`, matched without money. Ids lead to slots through an array, as the reference ladder's do.
#[derive(Debug)]
pub struct PagedBook {
    book: Book,
    orders: Orders<Side>,
    slots: Vec<Slot>,
}

#[expect(clippy::derivable_impls, reason = "a side has no natural default; the slab needs some value")]
impl Default for Side {
    fn default() -> Self {
        Self::Buy
    }
}

#[inline(always)]
const fn book_side(side: Side) -> tradewright_types::Side {
    match side {
        Side::Buy => tradewright_types::Side::Buy,
        Side::Sell => tradewright_types::Side::Sell,
    }
}

impl MatchingBook for PagedBook {
    #[inline]
    fn limit<S: FillSink>(
        &mut self,
        id: u64,
        side: Side,
        price: i64,
        quantity: u32,
        immediate: bool,
        sink: &mut S,
    ) -> u32 {
        let (price, opposite) = (Price::from_ticks(price), book_side(side.opposite()));
        let mut open = Quantity::from_lots(u64::from(quantity));
        while !open.is_zero() {
            let Some(front) = self.book.front_within(opposite, price) else { break };
            let maker = &self.orders[front.slot];
            let (maker_id, fill) = (maker.id.0 - 1, maker.open.min(open));
            let done = fill == maker.open;
            open -= fill;
            if done {
                self.book.remove(&mut self.orders, opposite, front.slot);
                self.orders.remove(front.slot);
                self.slots[maker_id as usize] = Slot::NONE;
            } else {
                self.book.reduce(&mut self.orders, opposite, front.slot, fill);
            }
            sink.fill(maker_id, id, front.price.ticks(), fill.lots() as u32, done);
        }
        if !open.is_zero() && !immediate {
            // The suite numbers from 0, the slab from 1.
            let slot = self.orders.insert(OrderId(id + 1), AccountId(0), open, side);
            self.book.rest(&mut self.orders, book_side(side), price, slot, open);
            if self.slots.len() <= id as usize {
                self.slots.resize(id as usize * 2, Slot::NONE);
            }
            assert!(!self.slots[id as usize].is_some(), "Condition failed: id={id} is resting already");
            self.slots[id as usize] = slot;
        }
        open.lots() as u32
    }

    #[inline]
    fn cancel(&mut self, id: u64) -> Option<u32> {
        let slot = *self.slots.get(id as usize).filter(|slot| slot.is_some())?;
        let order = &self.orders[slot];
        let (open, side) = (order.open, order.terms);
        self.book.remove(&mut self.orders, book_side(side), slot);
        self.orders.remove(slot);
        self.slots[id as usize] = Slot::NONE;
        Some(open.lots() as u32)
    }

    fn best_bid(&self) -> Option<i64> {
        self.book.best(tradewright_types::Side::Buy).map(Price::ticks)
    }

    fn best_ask(&self) -> Option<i64> {
        self.book.best(tradewright_types::Side::Sell).map(Price::ticks)
    }

    fn level_count(&self) -> usize {
        use tradewright_types::Side::{Buy, Sell};
        self.book.side(Buy).level_count() + self.book.side(Sell).level_count()
    }

    fn live_count(&self) -> usize {
        self.orders.len()
    }

    fn depth(&self, side: Side, price: i64) -> u64 {
        self.book.open_at(book_side(side), Price::from_ticks(price)).lots()
    }

    /// The book and its orders. The array from ids to slots belongs to the driver, as with the ladder's users.
    fn memory_bytes(&self) -> usize {
        self.book.memory_bytes() + self.orders.memory_bytes()
    }

    fn check_invariants(&self) {
        self.orders.check_invariants();
        self.book.check_invariants(&self.orders);
    }
}

impl FreshBook for PagedBook {
    fn name() -> &'static str {
        "book"
    }

    fn fresh(shape: &Shape) -> Self {
        Self {
            book: Book::default(),
            orders: Orders::with_capacity(shape.resting),
            slots: vec![Slot::NONE; shape.ids + 1],
        }
    }
}
