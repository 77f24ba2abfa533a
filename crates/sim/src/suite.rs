//! The test suite of a book: any design passes it, or it is not a book.
//!
//! Most tests are named after a defect that was found in public engines. [`book_suite!`](crate::book_suite) makes a
//! module of them for a design. Each function panics on failure; those that draw at random print their seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::book::{FillSink, FreshBook, MatchingBook, Shape, Side, Sums};
use crate::drive::{ManyBooks, Subject};
use crate::golden::{GOLDENS, Outcome, golden};
use crate::naive_book::NaiveBook;
use crate::operation::{Operation, OperationKind, checksum};
use crate::random::Random;
use crate::workload::{Tape, Workload};

/// The room that the suite's small books get: prices 0..4,096.
pub const SHAPE: Shape = Shape { ticks: 4_096, ids: 64, resting: 64, instruments: 1 };

/// How many operations golden runs take: all of them in release builds, fewer where `cargo test` must stay quick.
pub const GOLDEN_OPERATIONS: usize = if cfg!(debug_assertions) { 200_000 } else { 3_000_000 };

/// Seeds of the random comparison with the naive book.
const RANDOM_SEEDS: u64 = if cfg!(debug_assertions) { 8 } else { 100 };

/// Makes a module `$name` with all tests of the suite for the design `$book`.
#[macro_export]
macro_rules! book_suite {
    ($name:ident, $book:ty) => {
        mod $name {
            #[allow(unused_imports, reason = "the design may be named by its full path")]
            use super::*;
            $crate::book_suite!(@behaviour $book);
            mod golden {
                #[allow(unused_imports, reason = "the design may be named by its full path")]
                use super::*;
                $crate::book_suite!(@golden $book, mix60, Mix60);
                $crate::book_suite!(@golden $book, swing25, Swing25);
                $crate::book_suite!(@golden $book, swing40, Swing40);
                $crate::book_suite!(@golden $book, fine, Fine);
                $crate::book_suite!(@golden $book, crash, Crash);
                #[test]
                #[cfg_attr(debug_assertions, ignore = "a million orders take seconds without optimisation")]
                fn resting1m() {
                    $crate::suite::golden_answers::<$book>($crate::Workload::Resting1m);
                }
                $crate::book_suite!(@golden $book, sweep, Sweep);
                $crate::book_suite!(@tests $book, golden_answer_of_many,);
            }
        }
    };
    (behaviour_only $name:ident, $book:ty) => {
        mod $name {
            #[allow(unused_imports, reason = "the design may be named by its full path")]
            use super::*;
            $crate::book_suite!(@behaviour $book);
        }
    };
    (@golden $book:ty, $name:ident, $workload:ident) => {
        #[test]
        fn $name() {
            $crate::suite::golden_answers::<$book>($crate::Workload::$workload);
        }
    };
    (@behaviour $book:ty) => {
        $crate::book_suite!(@tests $book,
            an_empty_book_has_nothing,
            trades_at_the_makers_price,
            priority_survives_a_partial_fill,
            priority_survives_a_cancel_in_the_middle,
            priority_is_arrival_not_id_or_hash,
            best_price_moves_when_its_level_is_cancelled,
            best_price_moves_when_its_level_is_filled,
            best_price_improves_with_a_better_order,
            a_replacement_that_crosses_trades,
            cancel_of_a_filled_order_is_refused,
            cancel_twice_is_refused,
            cancel_of_an_unknown_order_is_refused,
            cancel_of_an_immediate_order_is_refused,
            an_immediate_rest_does_not_rest,
            an_immediate_order_counts_all_levels,
            a_limit_stops_at_its_price,
            a_limit_rests_what_did_not_trade,
            zero_quantity_does_nothing,
            an_id_can_be_used_again_once_it_is_gone,
            a_resting_id_is_not_accepted_again,
            prices_at_the_ends_of_the_range_rest_and_trade,
            a_price_outside_the_range_is_never_dropped,
            depth_falls_with_a_partial_fill,
            depth_follows_each_change,
            a_sweep_leaves_the_book_usable,
            a_fill_of_the_front_then_a_cancel_behind_it,
            orders_of_one_moment_all_stay,
            quantities_add_up_beyond_32_bits,
            ids_beyond_the_promised_room_are_taken,
            a_random_book_agrees_with_the_naive_one,
        );
    };
    (@tests $book:ty, $($test:ident,)*) => {
        $(
            #[test]
            fn $test() {
                $crate::suite::$test::<$book>();
            }
        )*
    };
}

/// One fill as the sink saw it: maker, taker, price, quantity, maker done.
type Fill = (u64, u64, i64, u32, bool);

impl FillSink for Vec<Fill> {
    fn fill(&mut self, maker: u64, taker: u64, price: i64, quantity: u32, maker_done: bool) {
        self.push((maker, taker, price, quantity, maker_done));
    }
}

/// A book under test; every command checks the invariants.
struct Blotter<B> {
    book: B,
}

impl<B: FreshBook> Blotter<B> {
    fn new() -> Self {
        Self { book: B::fresh(&SHAPE) }
    }

    fn order(&mut self, id: u64, side: Side, (quantity, price): (u32, i64), immediate: bool) -> (Vec<Fill>, u32) {
        let mut fills = Vec::new();
        let left = self.book.limit(id, side, price, quantity, immediate, &mut fills);
        self.book.check_invariants();
        (fills, left)
    }

    /// Quantity at price, as in "buy 5 @ 100".
    fn buy(&mut self, id: u64, quantity: u32, price: i64) -> Vec<Fill> {
        self.order(id, Side::Buy, (quantity, price), false).0
    }

    fn sell(&mut self, id: u64, quantity: u32, price: i64) -> Vec<Fill> {
        self.order(id, Side::Sell, (quantity, price), false).0
    }

    fn cancel(&mut self, id: u64) -> Option<u32> {
        let open = self.book.cancel(id);
        self.book.check_invariants();
        open
    }

    fn best(&self) -> (Option<i64>, Option<i64>) {
        (self.book.best_bid(), self.book.best_ask())
    }

    fn size(&self) -> (usize, usize) {
        (self.book.live_count(), self.book.level_count())
    }
}

/// Nothing rests in a new book.
pub fn an_empty_book_has_nothing<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    assert_eq!((blotter.best(), blotter.size()), ((None, None), (0, 0)));
    assert_eq!(blotter.book.depth(Side::Buy, 100), 0);
    assert_eq!(blotter.order(1, Side::Buy, (5, 4_095), true), (vec![], 5));
    assert_eq!(blotter.order(2, Side::Sell, (5, 0), true), (vec![], 5));
    assert_eq!((blotter.best(), blotter.size()), ((None, None), (0, 0)));
}

/// Defect: trades at the taker's price.
pub fn trades_at_the_makers_price<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    assert_eq!(blotter.buy(2, 5, 110), [(1, 2, 100, 5, true)]);
    blotter.buy(3, 5, 100);
    assert_eq!(blotter.sell(4, 5, 90), [(3, 4, 100, 5, true)]);
}

/// Defect: a partly filled order loses its place.
pub fn priority_survives_a_partial_fill<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    blotter.sell(2, 5, 100);
    assert_eq!(blotter.buy(3, 2, 100), [(1, 3, 100, 2, false)]);
    assert_eq!(blotter.buy(4, 4, 100), [(1, 4, 100, 3, true), (2, 4, 100, 1, false)]);
    assert_eq!(blotter.buy(5, 4, 100), [(2, 5, 100, 4, true)]);
}

/// Defect: a cancel swaps the last order into the hole.
pub fn priority_survives_a_cancel_in_the_middle<B: FreshBook>() {
    for cancelled in 1..=4 {
        let mut blotter = Blotter::<B>::new();
        (1..=4).for_each(|id| drop(blotter.buy(id, 1, 100)));
        assert_eq!(blotter.cancel(cancelled), Some(1));
        let makers: Vec<u64> = blotter.sell(9, 3, 100).iter().map(|fill| fill.0).collect();
        let expected: Vec<u64> = (1..=4).filter(|&id| id != cancelled).collect();
        assert_eq!(makers, expected, "cancelled={cancelled}");
    }
}

/// Defect: hash order or id order instead of arrival order.
pub fn priority_is_arrival_not_id_or_hash<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    let arrival = [17, 3, 60, 1, 42, 8, 59, 2, 33, 16];
    for id in arrival {
        blotter.sell(id, 1, 100);
    }
    let makers: Vec<u64> = blotter.buy(61, 10, 100).iter().map(|fill| fill.0).collect();
    assert_eq!(makers, arrival);
}

/// Defect: the best price is stale after its level is cancelled.
pub fn best_price_moves_when_its_level_is_cancelled<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 1, 100);
    blotter.buy(2, 1, 37);
    blotter.sell(3, 1, 200);
    blotter.sell(4, 1, 3_000);
    assert_eq!(blotter.cancel(1), Some(1));
    assert_eq!(blotter.cancel(3), Some(1));
    assert_eq!(blotter.best(), (Some(37), Some(3_000)));
    assert_eq!(blotter.order(5, Side::Buy, (1, 2_999), true), (vec![], 1));
    assert_eq!(blotter.cancel(2), Some(1));
    assert_eq!(blotter.cancel(4), Some(1));
    assert_eq!((blotter.best(), blotter.size()), ((None, None), (0, 0)));
}

/// The best price is stale after its level is filled.
pub fn best_price_moves_when_its_level_is_filled<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 1, 100);
    blotter.sell(2, 1, 2_500);
    blotter.buy(3, 1, 100);
    assert_eq!(blotter.best(), (None, Some(2_500)));
    blotter.buy(4, 1, 2_500);
    assert_eq!((blotter.best(), blotter.size()), ((None, None), (0, 0)));
}

/// A better order becomes the best; a worse one does not.
pub fn best_price_improves_with_a_better_order<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    for (id, price, best) in [(1, 100, 100), (2, 90, 100), (3, 101, 101), (4, 64, 101)] {
        blotter.buy(id, 1, price);
        assert_eq!(blotter.best().0, Some(best));
    }
    for (id, price, best) in [(5, 200, 200), (6, 210, 200), (7, 192, 192), (8, 191, 191)] {
        blotter.sell(id, 1, price);
        assert_eq!(blotter.best().1, Some(best));
    }
    assert_eq!(blotter.size(), (8, 8));
}

/// Defect: a modify that crosses, cancel and new order in this trait, rests instead of trading.
pub fn a_replacement_that_crosses_trades<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 5, 90);
    blotter.sell(2, 3, 100);
    assert_eq!(blotter.cancel(1), Some(5));
    assert_eq!(blotter.buy(1, 5, 105), [(2, 1, 100, 3, true)]);
    assert_eq!((blotter.best(), blotter.size()), ((Some(105), None), (1, 1)));
    assert_eq!(blotter.cancel(1), Some(2));
}

/// Defect: cancelling a filled order is acknowledged.
pub fn cancel_of_a_filled_order_is_refused<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    blotter.buy(2, 5, 100);
    assert_eq!(blotter.cancel(1), None, "the maker is filled");
    assert_eq!(blotter.cancel(2), None, "the taker never rested");
    blotter.sell(3, 5, 100);
    assert_eq!(blotter.cancel(1), None, "its slot may be in use again");
    assert_eq!(blotter.size(), (1, 1));
}

/// Defect: a second cancel is acknowledged.
pub fn cancel_twice_is_refused<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    assert_eq!(blotter.cancel(1), Some(5));
    assert_eq!(blotter.cancel(1), None);
}

/// Defect: an unknown id is acknowledged, or read out of bounds.
pub fn cancel_of_an_unknown_order_is_refused<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    for id in [0, 2, 1 << 20, u64::from(u32::MAX), (1 << 32) + 1, u64::MAX] {
        assert_eq!(blotter.cancel(id), None, "id={id}");
    }
    assert_eq!(blotter.size(), (1, 1));
}

/// An order that never rested cannot be cancelled.
pub fn cancel_of_an_immediate_order_is_refused<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 2, 100);
    assert_eq!(blotter.order(2, Side::Buy, (5, 100), true), (vec![(1, 2, 100, 2, true)], 3));
    assert_eq!(blotter.cancel(2), None);
}

/// Defect: the rest of an IOC rests.
pub fn an_immediate_rest_does_not_rest<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 2, 100);
    assert_eq!(blotter.order(2, Side::Sell, (5, 100), true), (vec![(1, 2, 100, 2, true)], 3));
    assert_eq!((blotter.best(), blotter.size()), ((None, None), (0, 0)));
    assert_eq!(blotter.buy(3, 1, 100), []);
}

/// Defect: only the best level counts (as fill-or-kill checks do), so an order stops after it.
pub fn an_immediate_order_counts_all_levels<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 1, 100);
    blotter.sell(2, 1, 101);
    blotter.sell(3, 1, 1_700);
    let expected = vec![(1, 4, 100, 1, true), (2, 4, 101, 1, true), (3, 4, 1_700, 1, true)];
    assert_eq!(blotter.order(4, Side::Buy, (3, 1_700), true), (expected, 0));
}

/// A limit is a limit: the level behind it is not touched.
pub fn a_limit_stops_at_its_price<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 1, 100);
    blotter.buy(2, 1, 99);
    blotter.buy(3, 1, 98);
    assert_eq!(blotter.order(4, Side::Sell, (9, 99), true), (vec![(1, 4, 100, 1, true), (2, 4, 99, 1, true)], 7));
    assert_eq!(blotter.best(), (Some(98), None));
}

/// What is left of a limit rests at its own price, behind nobody.
pub fn a_limit_rests_what_did_not_trade<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 2, 100);
    blotter.sell(2, 2, 120);
    assert_eq!(blotter.order(3, Side::Buy, (5, 110), false), (vec![(1, 3, 100, 2, true)], 3));
    assert_eq!((blotter.best(), blotter.size()), ((Some(110), Some(120)), (2, 2)));
    assert_eq!(blotter.book.depth(Side::Buy, 110), 3);
    assert_eq!(blotter.sell(4, 1, 110), [(3, 4, 110, 1, false)]);
}

/// Zero lots neither trade nor rest.
pub fn zero_quantity_does_nothing<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 2, 100);
    assert_eq!(blotter.order(2, Side::Buy, (0, 100), false), (vec![], 0));
    assert_eq!(blotter.order(3, Side::Buy, (0, 50), false), (vec![], 0));
    assert_eq!((blotter.best(), blotter.size()), ((None, Some(100)), (1, 1)));
}

/// Defect: a used id leads to its dead order.
pub fn an_id_can_be_used_again_once_it_is_gone<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 5, 100);
    assert_eq!(blotter.cancel(1), Some(5));
    blotter.buy(1, 7, 80);
    assert_eq!((blotter.best(), blotter.size()), ((Some(80), None), (1, 1)));
    assert_eq!(blotter.sell(2, 7, 80), [(1, 2, 80, 7, true)]);
    blotter.sell(1, 3, 90);
    assert_eq!(blotter.cancel(1), Some(3));
}

/// Defect: a second order under a resting id overwrites the first, which then trades with nobody's quantity.
pub fn a_resting_id_is_not_accepted_again<B: FreshBook>() {
    let mut book = B::fresh(&SHAPE);
    book.limit(1, Side::Buy, 100, 5, false, &mut Sums::default());
    let again = catch_unwind(AssertUnwindSafe(|| book.limit(1, Side::Buy, 99, 5, false, &mut Sums::default())));
    assert!(again.is_err(), "the book must refuse loudly");
}

/// Prices at both ends of the range are as good as any.
pub fn prices_at_the_ends_of_the_range_rest_and_trade<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 1, 0);
    blotter.sell(2, 1, 4_095);
    assert_eq!(blotter.best(), (Some(0), Some(4_095)));
    assert_eq!(blotter.sell(3, 1, 0), [(1, 3, 0, 1, true)]);
    assert_eq!(blotter.buy(4, 1, 4_095), [(2, 4, 4_095, 1, true)]);
    assert_eq!(blotter.best(), (None, None));
    // Beyond the range a limit that never rests is still a limit.
    blotter.buy(5, 1, 7);
    blotter.sell(6, 1, 9);
    assert_eq!(blotter.order(7, Side::Sell, (1, i64::MIN), true), (vec![(5, 7, 7, 1, true)], 0));
    assert_eq!(blotter.order(8, Side::Buy, (1, i64::MAX), true), (vec![(6, 8, 9, 1, true)], 0));
}

/// Defect: a ceiling of the price domain drops orders silently. A book takes such an order, or panics.
pub fn a_price_outside_the_range_is_never_dropped<B: FreshBook>() {
    for (side, price) in [(Side::Sell, 4_096), (Side::Sell, i64::MAX), (Side::Buy, -1), (Side::Buy, i64::MIN)] {
        let mut book = B::fresh(&SHAPE);
        let taken = catch_unwind(AssertUnwindSafe(|| book.limit(1, side, price, 5, false, &mut Sums::default())));
        if taken.is_ok() {
            assert_eq!(book.depth(side, price), 5, "price={price}");
            assert_eq!(book.best_bid().or(book.best_ask()), Some(price));
            assert_eq!(book.cancel(1), Some(5));
        }
    }
}

/// Defect: depth is not reduced by a partial fill.
pub fn depth_falls_with_a_partial_fill<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.sell(1, 10, 100);
    blotter.sell(2, 10, 100);
    blotter.buy(3, 4, 100);
    assert_eq!(blotter.book.depth(Side::Sell, 100), 16);
    blotter.buy(4, 8, 100);
    assert_eq!(blotter.book.depth(Side::Sell, 100), 8);
    assert_eq!(blotter.cancel(2), Some(8));
    assert_eq!(blotter.book.depth(Side::Sell, 100), 0);
}

/// Depth is that of one side at one price.
pub fn depth_follows_each_change<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    blotter.buy(1, 3, 100);
    blotter.buy(2, 4, 100);
    blotter.buy(3, 5, 101);
    assert_eq!([99, 100, 101].map(|price| blotter.book.depth(Side::Buy, price)), [0, 7, 5]);
    assert_eq!(blotter.book.depth(Side::Sell, 100), 0);
    assert_eq!(blotter.cancel(1), Some(3));
    assert_eq!(blotter.book.depth(Side::Buy, 100), 4);
    assert_eq!(blotter.size(), (2, 2));
}

/// Defect: an iterator or a cached level is used after it was erased.
pub fn a_sweep_leaves_the_book_usable<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    for round in 0..3 {
        (0..50).for_each(|i| drop(blotter.sell(1 + i, 2, 100 + 70 * (i as i64 / 2))));
        assert_eq!(blotter.size(), (50, 25), "round={round}");
        let (fills, left) = blotter.order(60, Side::Buy, (150, 4_000), false);
        assert_eq!((fills.len(), left), (50, 50), "round={round}");
        assert_eq!((blotter.best(), blotter.size()), ((Some(4_000), None), (1, 1)), "round={round}");
        assert_eq!(blotter.cancel(60), Some(50), "round={round}");
    }
}

/// Defect: after the front is filled, a cancel in the same level hits the wrong order.
pub fn a_fill_of_the_front_then_a_cancel_behind_it<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    (1..=4).for_each(|id| drop(blotter.sell(id, id as u32, 100)));
    assert_eq!(blotter.buy(5, 1, 100), [(1, 5, 100, 1, true)]);
    assert_eq!(blotter.cancel(3), Some(3));
    assert_eq!(blotter.book.depth(Side::Sell, 100), 6);
    assert_eq!(blotter.buy(6, 6, 100), [(2, 6, 100, 2, true), (4, 6, 100, 4, true)]);
}

/// Defect: orders keyed by (price, time) overwrite each other while the clock stands still.
pub fn orders_of_one_moment_all_stay<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    (1..=40).for_each(|id| drop(blotter.buy(id, 1, 100)));
    assert_eq!((blotter.size(), blotter.book.depth(Side::Buy, 100)), ((40, 1), 40));
    (1..=40).for_each(|id| assert_eq!(blotter.cancel(id), Some(1)));
    assert_eq!(blotter.size(), (0, 0));
}

/// A level may hold more than an order can.
pub fn quantities_add_up_beyond_32_bits<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    (1..=3).for_each(|id| drop(blotter.sell(id, u32::MAX, 100)));
    assert_eq!(blotter.book.depth(Side::Sell, 100), 3 * u64::from(u32::MAX));
    assert_eq!(blotter.buy(4, u32::MAX, 100), [(1, 4, 100, u32::MAX, true)]);
    assert_eq!(blotter.book.depth(Side::Sell, 100), 2 * u64::from(u32::MAX));
}

/// The promised number of ids is a hint about room, not a limit.
pub fn ids_beyond_the_promised_room_are_taken<B: FreshBook>() {
    let mut blotter = Blotter::<B>::new();
    for id in [64, 65, 66, 1_000, 70_000] {
        assert_eq!(blotter.sell(id, 1, 100), []);
    }
    let makers: Vec<u64> = blotter.buy(70_001, 5, 100).iter().map(|fill| fill.0).collect();
    assert_eq!(makers, [64, 65, 66, 1_000, 70_000]);
}

/// Random commands against the naive book: crowded and sparse prices, all fills and the whole depth compared.
pub fn a_random_book_agrees_with_the_naive_one<B: FreshBook>() {
    for seed in 1..=RANDOM_SEEDS {
        // From many orders on few levels to few orders on many.
        let width = [3, 20, 300, 2_000][seed as usize % 4];
        agree_with_naive::<B>(seed, width, 1_000);
    }
}

fn agree_with_naive<B: FreshBook>(seed: u64, width: i64, steps: u64) {
    let mut random = Random::new(seed);
    let (mut book, mut naive) = (B::fresh(&SHAPE), NaiveBook::default());
    for step in 0..steps {
        let context = format!("seed={seed} width={width} step={step}");
        if random.chance_ppm(350_000) {
            let id = random.below(step + 1);
            assert_eq!(book.cancel(id), naive.cancel(id), "{context} id={id}");
        } else {
            let side = if random.coin() { Side::Buy } else { Side::Sell };
            let price = 2_048 + random.between(-width, width);
            let quantity = random.below(30) as u32;
            let immediate = random.chance_ppm(150_000);
            let (mut fills, mut expected) = (Vec::new(), Vec::new());
            let left = book.limit(step, side, price, quantity, immediate, &mut fills);
            let expected_left = naive.limit(step, side, price, quantity, immediate, &mut expected);
            assert_eq!((fills, left), (expected, expected_left), "{context}");
        }
        assert_eq!(book.best_bid(), naive.best_bid(), "{context}");
        assert_eq!(book.best_ask(), naive.best_ask(), "{context}");
        assert_eq!(book.live_count(), naive.live_count(), "{context}");
        if step % 250 == 249 {
            book.check_invariants();
            assert_eq!(book.level_count(), naive.level_count(), "{context}");
            for price in 2_048 - width..=2_048 + width {
                for side in [Side::Buy, Side::Sell] {
                    assert_eq!(book.depth(side, price), naive.depth(side, price), "{context} price={price}");
                }
            }
        }
    }
}

/// Replays a workload of one instrument and stops at each golden answer on the way.
///
/// The operations are checked first, so that a drifted workload is not taken for a wrong book.
pub fn golden_answers<B: FreshBook>(workload: Workload) {
    let tape = workload.generate(GOLDEN_OPERATIONS);
    check_operations(&tape);
    let mut book = B::fresh(&tape.shape);
    let mut sums = Sums::default();
    replay(&mut book, tape.prefill(), &mut sums);
    let mut done = 0;
    for golden in GOLDENS.iter().filter(|row| row.workload == workload && row.operations <= GOLDEN_OPERATIONS) {
        replay(&mut book, &tape.operations()[done..golden.operations], &mut sums);
        done = golden.operations;
        assert_eq!(Outcome::of(&book, sums), golden.outcome, "{} on {workload} after {done}", B::name());
    }
    assert_eq!(done, GOLDEN_OPERATIONS);
    book.check_invariants();
}

/// Replays [`Workload::Many`] through one book for each instrument.
pub fn golden_answer_of_many<B: FreshBook>() {
    let tape = Workload::Many.generate(GOLDEN_OPERATIONS);
    check_operations(&tape);
    let mut books = ManyBooks::<B>::fresh(&tape);
    let prepared = ManyBooks::<B>::prepare(&tape);
    let (prefill, operations) = prepared.split_at(tape.prefill().len());
    books.apply(prefill, &mut Sums::default());
    let mut sums = Sums::default();
    books.apply(operations, &mut sums);
    let golden = golden(Workload::Many, GOLDEN_OPERATIONS).expect("each workload has an answer");
    assert_eq!(books.finish().outcome(sums), golden.outcome, "{}", B::name());
}

/// The operations of a tape have not drifted, up to each golden answer on the way.
fn check_operations(tape: &Tape) {
    let (workload, requested) = (tape.workload, tape.requested);
    assert_eq!(tape.operations().len(), requested, "{workload} skips nothing, so positions are counts");
    for golden in GOLDENS.iter().filter(|row| row.workload == workload && row.operations <= requested) {
        let records = &tape.records()[..tape.prefill().len() + golden.operations];
        let drifted = checksum(records) != golden.checksum;
        assert!(!drifted, "{workload} has drifted within {} operations", golden.operations);
    }
    let last = golden(workload, requested).expect("each workload has an answer for full and for quick runs");
    assert_eq!((tape.outcome, tape.counts), (last.outcome, last.counts), "{workload}");
}

fn replay<B: MatchingBook>(book: &mut B, operations: &[Operation], sums: &mut Sums) {
    for operation in operations {
        let &Operation { kind, side, instrument: _, quantity, price, id } = operation;
        match kind {
            OperationKind::Cancel => assert!(book.cancel(id).is_some(), "Invariant: a workload cancels what rests"),
            OperationKind::Add | OperationKind::ImmediateOrCancel => {
                book.limit(id, side, price, quantity, kind == OperationKind::ImmediateOrCancel, sums);
            }
        }
    }
}
