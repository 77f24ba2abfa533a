//! The naive twin: one vector in arrival order, scanned for everything. Too slow to be wrong; it judges the fast books.

use crate::book::{FillSink, FreshBook, MatchingBook, Shape, Side};

#[derive(Clone, Copy)]
struct Order {
    id: u64,
    side: Side,
    price: i64,
    quantity: u32,
}

/// All resting orders in arrival order.
#[derive(Default)]
pub struct NaiveBook {
    orders: Vec<Order>,
}

impl NaiveBook {
    fn prices(&self, side: Side) -> impl Iterator<Item = i64> {
        self.orders.iter().filter(move |order| order.side == side).map(|order| order.price)
    }
}

impl MatchingBook for NaiveBook {
    fn limit<S: FillSink>(
        &mut self,
        id: u64,
        side: Side,
        price: i64,
        mut quantity: u32,
        immediate: bool,
        sink: &mut S,
    ) -> u32 {
        while quantity > 0 {
            let best = match side {
                Side::Buy => self.best_ask().filter(|&ask| ask <= price),
                Side::Sell => self.best_bid().filter(|&bid| bid >= price),
            };
            let Some(best) = best else { break };
            let first =
                self.orders.iter().position(|order| order.side == side.opposite() && order.price == best).unwrap();
            let maker = &mut self.orders[first];
            let traded = maker.quantity.min(quantity);
            maker.quantity -= traded;
            quantity -= traded;
            let (maker_id, maker_done) = (maker.id, maker.quantity == 0);
            if maker_done {
                self.orders.remove(first);
            }
            sink.fill(maker_id, id, best, traded, maker_done);
        }
        if quantity > 0 && !immediate {
            assert!(
                self.orders.iter().all(|order| order.id != id),
                "Condition failed: the id is already resting: id={id}"
            );
            self.orders.push(Order { id, side, price, quantity });
        }
        quantity
    }

    fn cancel(&mut self, id: u64) -> Option<u32> {
        let index = self.orders.iter().position(|order| order.id == id)?;
        Some(self.orders.remove(index).quantity)
    }

    fn best_bid(&self) -> Option<i64> {
        self.prices(Side::Buy).max()
    }

    fn best_ask(&self) -> Option<i64> {
        self.prices(Side::Sell).min()
    }

    fn level_count(&self) -> usize {
        let mut levels: Vec<(Side, i64)> = self.orders.iter().map(|order| (order.side, order.price)).collect();
        levels.sort_unstable();
        levels.dedup();
        levels.len()
    }

    fn live_count(&self) -> usize {
        self.orders.len()
    }

    fn depth(&self, side: Side, price: i64) -> u64 {
        let at_price = self.orders.iter().filter(|order| order.side == side && order.price == price);
        at_price.map(|order| u64::from(order.quantity)).sum()
    }

    fn memory_bytes(&self) -> usize {
        self.orders.capacity() * size_of::<Order>()
    }
}

impl FreshBook for NaiveBook {
    fn name() -> &'static str {
        "naive"
    }

    fn fresh(_shape: &Shape) -> Self {
        Self::default()
    }
}
