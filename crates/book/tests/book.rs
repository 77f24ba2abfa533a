//! A book against two maps of queues: near and far prices, at the ends of what a price can be, in any order.

use std::collections::{BTreeMap, VecDeque};

use tradewright_book::{Book, Level, Orders, Slot};
use tradewright_types::{AccountId, OrderId, Price, Quantity, Side};

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(2_685_821_657_736_338_717)) * u128::from(bound)) >> 64) as u64
    }
}

/// The naive twin of one side: a map from price to the queue there.
type Queues = BTreeMap<i64, VecDeque<(u64, Slot, u64)>>;

/// Books never cross, so bids and asks draw from prices apart from each other.
fn price(random: &mut Random, side: Side) -> i64 {
    let sign = if side == Side::Buy { -1 } else { 1 };
    match random.below(8) {
        0..=3 => sign * (1 + random.below(70) as i64),
        4 | 5 => sign * (1 + random.below(1 << 14) as i64),
        6 => sign * (1 + random.below(1 << 40) as i64),
        _ => sign * (i64::MAX - random.below(200) as i64),
    }
}

fn best(queues: &Queues, side: Side) -> Option<i64> {
    let best = if side == Side::Buy { queues.keys().next_back() } else { queues.keys().next() };
    best.copied()
}

fn compare(book: &Book, orders: &Orders<u64>, naive: &[Queues; 2], context: &str) {
    for side in [Side::Buy, Side::Sell] {
        let queues = &naive[side as usize];
        let seen: Vec<_> = book
            .levels(side)
            .map(|(price, level)| {
                assert_eq!(book.queue(orders, level).next(), Some(level.head()), "{context}");
                let queue: Vec<_> = book.queue(orders, level).map(|slot| orders[slot].id.0).collect();
                (price.ticks(), level.open().lots(), queue)
            })
            .collect();
        let mut expected: Vec<_> = queues
            .iter()
            .map(|(price, queue)| {
                let open = queue.iter().map(|(_, _, open)| open).sum::<u64>();
                (*price, open, queue.iter().map(|(id, _, _)| *id).collect::<Vec<_>>())
            })
            .collect();
        if side == Side::Buy {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{context} {side:?}");
        assert_eq!(book.side(side).level_count(), expected.len(), "{context}");
        for (price, open, _) in &expected {
            assert_eq!(book.open_at(side, Price::from_ticks(*price)).lots(), *open, "{context}");
        }
    }
}

fn check(seed: u64, steps: u64, resting: usize) {
    let mut random = Random(seed);
    let (mut book, mut orders) = (Book::default(), Orders::<u64>::with_capacity(4));
    let mut naive = [Queues::new(), Queues::new()];
    let mut live: Vec<(Side, i64, u64)> = Vec::new();
    for step in 1..=steps {
        let context = format!("seed {seed} step {step}");
        if live.is_empty() || random.below(100) < if live.len() < resting { 60 } else { 35 } {
            let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
            let (price, open) = (price(&mut random, side), 1 + random.below(50));
            let slot = orders.insert(OrderId(step), AccountId(0), Quantity::from_lots(open), step);
            book.rest(&mut orders, side, Price::from_ticks(price), slot, Quantity::from_lots(open));
            naive[side as usize].entry(price).or_default().push_back((step, slot, open));
            live.push((side, price, step));
        } else {
            let place = random.below(live.len() as u64) as usize;
            let (side, price, id) = live[place];
            let queue = naive[side as usize].get_mut(&price).expect("it is live");
            let index = queue.iter().position(|(other, _, _)| *other == id).expect("it is live");
            let (_, slot, open) = queue[index];
            assert_eq!(book.price_of(&orders, side, slot).ticks(), price, "{context}");
            if open > 1 && random.below(3) == 0 {
                let less = 1 + random.below(open - 1);
                book.reduce(&mut orders, side, slot, Quantity::from_lots(less));
                queue[index].2 -= less;
            } else {
                book.remove(&mut orders, side, slot);
                orders.remove(slot);
                queue.remove(index);
                if queue.is_empty() {
                    naive[side as usize].remove(&price);
                }
                live.swap_remove(place);
            }
        }
        for side in [Side::Buy, Side::Sell] {
            let expected = best(&naive[side as usize], side);
            assert_eq!(book.best(side).map(Price::ticks), expected, "{context}");
            let front = expected.map(|price| (naive[side as usize][&price][0].1, price));
            let limit = Price::from_ticks(if side == Side::Buy { -i64::MAX } else { i64::MAX });
            let seen = book.front_within(side, limit).map(|front| (front.slot, front.price.ticks()));
            assert_eq!(seen, front, "{context}");
            assert_eq!(book.open_at(side, Price::from_ticks(0)), Quantity::ZERO, "{context}");
        }
        assert_eq!((orders.len(), orders.is_empty()), (live.len(), live.is_empty()), "{context}");
        if step % 101 == 0 {
            compare(&book, &orders, &naive, &context);
            book.check_invariants(&orders);
            orders.check_invariants();
        }
    }
    assert!(orders.slot_count() >= live.len() && orders.memory_bytes() >= orders.slot_count() * 64);
    assert!(book.memory_bytes() > 0);
}

#[test]
fn a_crowded_book_agrees_with_two_maps() {
    check(1, 6_000, 400);
    check(2, 6_000, 1_000);
}

#[test]
fn a_book_that_empties_again_and_again_agrees_with_two_maps() {
    for seed in 3..9 {
        check(seed, 1_500, 3);
    }
}

#[test]
fn a_side_beyond_its_limit_has_no_front() {
    let (mut book, mut orders) = (Book::default(), Orders::<u64>::with_capacity(1));
    let slot = orders.insert(OrderId(1), AccountId(0), Quantity::from_lots(5), 0);
    book.rest(&mut orders, Side::Sell, Price::from_ticks(10), slot, Quantity::from_lots(5));
    assert_eq!(book.front_within(Side::Sell, Price::from_ticks(9)), None);
    assert_eq!(book.front_within(Side::Buy, Price::from_ticks(-1)), None);
    assert!(book.front_within(Side::Sell, Price::from_ticks(10)).is_some());
}

#[test]
fn memory_follows_the_orders_and_not_the_price_range() {
    // Ten thousand far jumps of a single order: pages and nodes are used again.
    let (mut book, mut orders) = (Book::default(), Orders::<u64>::with_capacity(1));
    let mut random = Random(77);
    let mut warm = 0;
    for id in 1..=10_000 {
        let price = Price::from_ticks(random.below(1 << 62) as i64);
        let slot = orders.insert(OrderId(id), AccountId(0), Quantity::from_lots(1), 0);
        book.rest(&mut orders, Side::Buy, price, slot, Quantity::from_lots(1));
        book.remove(&mut orders, Side::Buy, slot);
        orders.remove(slot);
        if id == 10 {
            warm = book.memory_bytes();
        }
    }
    book.check_invariants(&orders);
    assert_eq!((book.memory_bytes(), orders.slot_count()), (warm, 1));
}

#[test]
fn memory_is_told_in_full() {
    // Prices far apart share nothing: each has a page of 32 levels and three nodes of 64 places of its own.
    let (mut book, mut orders) = (Book::default(), Orders::<u64>::with_capacity(1));
    let mut random = Random(78);
    for id in 1..=100 {
        let slot = orders.insert(OrderId(id), AccountId(0), Quantity::from_lots(1), 0);
        let price = Price::from_ticks(random.below(1 << 62) as i64);
        book.rest(&mut orders, Side::Buy, price, slot, Quantity::from_lots(1));
    }
    let (levels, nodes) = (32 * size_of::<Level>(), 3 * 64 * size_of::<u32>());
    let given = book.memory_bytes();
    assert!(given >= 100 * (levels + nodes), "{given} bytes");
}

#[test]
fn every_open_order_can_be_changed_in_its_place() {
    let mut orders = Orders::<u64>::with_capacity(2);
    let slots = [1, 2, 3].map(|id| orders.insert(OrderId(id), AccountId(0), Quantity::from_lots(id), 10 * id));
    orders.remove(slots[1]);
    orders.iter_mut().for_each(|(_, order)| order.terms += order.id.0);
    let left: Vec<_> = orders.iter().map(|(slot, order)| (slot, order.terms)).collect();
    assert_eq!(left, [(slots[0], 11), (slots[2], 33)]);
    orders.check_invariants();
}

#[test]
#[should_panic(expected = "Invariant: the book is not crossed")]
fn a_crossed_book_is_noticed() {
    let (mut book, mut orders) = (Book::default(), Orders::<u64>::with_capacity(2));
    for (id, side, price) in [(1, Side::Buy, 10), (2, Side::Sell, 10)] {
        let slot = orders.insert(OrderId(id), AccountId(0), Quantity::from_lots(1), 0);
        book.rest(&mut orders, side, Price::from_ticks(price), slot, Quantity::from_lots(1));
    }
    book.check_invariants(&orders);
}
