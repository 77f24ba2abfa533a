//! The price of an auction: published examples, the cases of each step one by one, and a judge that tries every price.

use core::num::NonZeroU32;
use std::collections::BTreeMap;

use tradewright_book::{AuctionMatch, AuctionTerms, Book, Collar, Indicative, Orders, Slot, Uncross, matches, uncross};
use tradewright_types::{AccountId, OrderId, Price, Quantity, Side};

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(2_685_821_657_736_338_717)) * u128::from(bound)) >> 64) as u64
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }
}

/// A book in the call of an auction, and the market orders that wait beside it.
struct Call {
    book: Book,
    orders: Orders<u64>,
    last_id: u64,
}

impl Call {
    fn new() -> Self {
        Self { book: Book::default(), orders: Orders::with_capacity(16), last_id: 0 }
    }

    fn of(bids: &[(i64, u64)], asks: &[(i64, u64)]) -> Self {
        let mut call = Self::new();
        for (ticks, lots) in bids {
            call.rest(Side::Buy, *ticks, *lots);
        }
        for (ticks, lots) in asks {
            call.rest(Side::Sell, *ticks, *lots);
        }
        call.book.check_queues(&call.orders);
        call
    }

    /// A market order: it stands in no queue.
    fn market(&mut self, lots: u64) -> Slot {
        self.last_id += 1;
        self.orders.insert(OrderId(self.last_id), AccountId(0), Quantity::from_lots(lots), 0)
    }

    fn rest(&mut self, side: Side, ticks: i64, lots: u64) -> Slot {
        let slot = self.market(lots);
        self.book.rest(&mut self.orders, side, Price::from_ticks(ticks), slot, Quantity::from_lots(lots));
        slot
    }

    fn depth(&self, side: Side) -> Vec<(i64, u64)> {
        self.book.levels(side).map(|(price, level)| (price.ticks(), level.open().lots())).collect()
    }
}

/// Terms in plain numbers.
#[derive(Clone, Copy, Debug)]
struct Terms {
    buys: u64,
    sells: u64,
    reference: Option<i64>,
    collar: Option<(i64, i64)>,
    increment: u32,
}

const PLAIN: Terms = Terms { buys: 0, sells: 0, reference: None, collar: None, increment: 1 };

impl Terms {
    fn given(self) -> AuctionTerms {
        let Self { buys, sells, reference, collar, increment } = self;
        let price = Price::from_ticks;
        AuctionTerms {
            market_buys: Quantity::from_lots(buys),
            market_sells: Quantity::from_lots(sells),
            reference: reference.map(price),
            collar: collar.map(|(low, high)| Collar { low: price(low), high: price(high) }),
            price_increment_ticks: NonZeroU32::new(increment).expect("an increment"),
        }
    }
}

type Answer = Option<(i64, u64, i128)>;

fn plain(uncross: Option<Uncross>) -> Answer {
    uncross.map(|uncross| (uncross.price.ticks(), uncross.quantity.lots(), uncross.surplus_lots))
}

/// The rule as it is written, at every price.
fn judge(bids: &[(i64, u64)], asks: &[(i64, u64)], terms: Terms) -> Answer {
    let increment = i64::from(terms.increment);
    let reference = terms.reference.map(|ticks| ticks.div_euclid(increment) * increment);
    let prices = || bids.iter().chain(asks).map(|(ticks, _)| *ticks).chain(reference);
    let (lowest, highest) = (prices().min()?, prices().max()?);
    let (floor, cap) = terms.collar.unwrap_or((i64::MIN, i64::MAX));
    let sum = |levels: &mut dyn Iterator<Item = &(i64, u64)>| levels.map(|(_, lots)| lots).sum::<u64>();
    let candidates: Vec<(i64, u64, i128)> = (lowest..=highest)
        .filter(|ticks| ticks % increment == 0 && floor <= *ticks && *ticks <= cap)
        .map(|ticks| {
            let demand = terms.buys + sum(&mut bids.iter().filter(|(limit, _)| *limit >= ticks));
            let supply = terms.sells + sum(&mut asks.iter().filter(|(limit, _)| *limit <= ticks));
            (ticks, demand.min(supply), i128::from(demand) - i128::from(supply))
        })
        .collect();
    let most = candidates.iter().map(|(_, quantity, _)| *quantity).max().filter(|quantity| *quantity > 0)?;
    let trade_most = || candidates.iter().filter(|(_, quantity, _)| *quantity == most);
    let least = trade_most().map(|(_, _, surplus)| surplus.abs()).min()?;
    let remain: Vec<_> = trade_most().filter(|(_, _, surplus)| surplus.abs() == least).collect();
    let (first, last) = (remain[0].0, remain[remain.len() - 1].0);
    let ticks = if remain.iter().all(|(_, _, surplus)| *surplus > 0) {
        last
    } else if remain.iter().all(|(_, _, surplus)| *surplus < 0) {
        first
    } else {
        let middle = first + ((last - first) / 2).div_euclid(increment) * increment;
        reference.map_or(middle, |reference| reference.clamp(first, last))
    };
    candidates.into_iter().find(|candidate| candidate.0 == ticks)
}

#[track_caller]
fn check(bids: &[(i64, u64)], asks: &[(i64, u64)], terms: Terms, expected: Answer) {
    let call = Call::of(bids, asks);
    assert_eq!(plain(uncross(&call.book, &terms.given())), expected, "{terms:?}");
    assert_eq!(judge(bids, asks, terms), expected, "the judge, {terms:?}");
}

/// UNSW's ASX-style example, in cents. From 6.35 to 6.39 trade 1,000 with 500 left to buy: the pressure lifts the price to
/// the highest of them.
const ASX_BIDS: [(i64, u64); 5] = [(640, 500), (639, 500), (639, 500), (634, 1_000), (633, 500)];
const ASX_ASKS: [(i64, u64); 5] = [(610, 1_000), (640, 500), (641, 520), (642, 550), (643, 519)];

#[test]
fn buyers_left_over_lift_the_price_to_the_highest() {
    check(&ASX_BIDS, &ASX_ASKS, PLAIN, Some((639, 1_000, 500)));
    for reference in [1, 610, 637, 640, 9_999] {
        check(&ASX_BIDS, &ASX_ASKS, Terms { reference: Some(reference), ..PLAIN }, Some((639, 1_000, 500)));
    }
}

#[test]
fn sellers_left_over_press_the_price_to_the_lowest() {
    // The same book in a mirror at 6.40.
    let mirror = |levels: &[(i64, u64)]| levels.iter().map(|(ticks, lots)| (1_280 - ticks, *lots)).collect::<Vec<_>>();
    check(&mirror(&ASX_ASKS), &mirror(&ASX_BIDS), PLAIN, Some((641, 1_000, -500)));
    // Between the orders: one tick above the bid that would not sell all the same.
    check(&[(105, 10), (99, 90)], &[(90, 40)], PLAIN, Some((99, 40, 60)));
    check(&[(110, 40)], &[(95, 10), (101, 90)], PLAIN, Some((101, 40, -60)));
}

#[test]
fn the_most_that_can_trade_comes_first() {
    check(&[(101, 50), (100, 30), (99, 20)], &[(99, 40), (100, 30), (102, 50)], PLAIN, Some((100, 70, 10)));
    // MarketGrid's table, a tick for a dollar: 480 want to buy at 12,400 and 290 to sell.
    let bids = [
        (13_000, 45),
        (12_900, 95),
        (12_800, 25),
        (12_700, 35),
        (12_600, 25),
        (12_500, 55),
        (12_400, 200),
        (12_300, 80),
        (12_200, 60),
    ];
    let asks = [
        (12_200, 10),
        (12_300, 125),
        (12_400, 155),
        (12_500, 90),
        (12_600, 20),
        (12_700, 10),
        (12_800, 15),
        (12_900, 10),
        (13_000, 50),
        (13_100, 35),
    ];
    check(&bids, &asks, PLAIN, Some((12_400, 290, 190)));
    check(&bids, &asks, Terms { increment: 100, ..PLAIN }, Some((12_400, 290, 190)));
}

#[test]
fn nothing_trades_where_nobody_meets() {
    check(&[], &[], PLAIN, None);
    check(&[], &[], Terms { reference: Some(5), ..PLAIN }, None);
    check(&[(10, 5)], &[], PLAIN, None);
    check(&[], &[(10, 5)], Terms { reference: Some(20), ..PLAIN }, None);
    check(&[(10, 5)], &[(11, 5)], Terms { reference: Some(10), ..PLAIN }, None);
}

#[test]
fn one_tick_is_enough() {
    check(&[(10, 5)], &[(10, 5)], PLAIN, Some((10, 5, 0)));
    check(&[(10, 5)], &[(10, 3)], Terms { reference: Some(99), ..PLAIN }, Some((10, 3, 2)));
    check(&[(-10, 5)], &[(-10, 8)], Terms { reference: Some(0), ..PLAIN }, Some((-10, 5, -3)));
}

#[test]
fn with_nobody_left_over_the_reference_decides() {
    let check = |reference, price| {
        check(&[(110, 5), (99, 7)], &[(90, 5), (106, 7)], Terms { reference, ..PLAIN }, Some((price, 5, 0)));
    };
    check(Some(50), 100);
    check(Some(100), 100);
    check(Some(103), 103);
    check(Some(105), 105);
    check(Some(500), 105);
    check(None, 102);
}

#[test]
fn with_as_many_left_over_on_either_side_the_reference_decides() {
    // From 97 to 100 seven are left to buy, from 101 to 104 seven to sell.
    let check = |reference, price, surplus| {
        let (bids, asks) = ([(110, 5), (100, 7), (96, 1)], [(90, 5), (101, 7), (105, 1)]);
        check(&bids, &asks, Terms { reference, ..PLAIN }, Some((price, 5, surplus)));
    };
    check(Some(1), 97, 7);
    check(Some(99), 99, 7);
    check(Some(100), 100, 7);
    check(Some(101), 101, -7);
    check(Some(104), 104, -7);
    check(Some(999), 104, -7);
    check(None, 100, 7);
}

#[test]
fn a_collar_cuts_the_range() {
    let collar = |low, high| Terms { reference: Some(103), collar: Some((low, high)), ..PLAIN };
    let (bids, asks) = ([(110, 5), (99, 7)], [(90, 5), (106, 7)]);
    check(&bids, &asks, collar(0, 200), Some((103, 5, 0)));
    check(&bids, &asks, collar(104, 108), Some((104, 5, 0)));
    check(&bids, &asks, collar(95, 101), Some((101, 5, 0)));
    // Only prices that are worse than the best remain.
    check(&bids, &asks, collar(107, 108), Some((107, 5, -7)));
    check(&bids, &asks, collar(92, 95), Some((95, 5, 7)));
    // Where nobody sells, nothing trades; apart from the orders or upside down there is no candidate.
    check(&bids, &asks, collar(80, 89), None);
    check(&bids, &asks, collar(200, 300), None);
    check(&bids, &asks, collar(104, 103), None);
}

#[test]
fn market_orders_alone_trade_at_the_reference() {
    let market = |buys, sells, reference| Terms { buys, sells, reference, ..PLAIN };
    check(&[], &[], market(5, 5, None), None);
    check(&[], &[], market(5, 0, Some(100)), None);
    check(&[], &[], market(5, 5, Some(100)), Some((100, 5, 0)));
    check(&[], &[], market(8, 5, Some(100)), Some((100, 5, 3)));
    check(&[], &[], Terms { increment: 8, ..market(5, 8, Some(100)) }, Some((96, 5, -3)));
    check(&[], &[], Terms { collar: Some((101, 200)), ..market(5, 5, Some(100)) }, None);
}

#[test]
fn market_orders_meet_everybody() {
    let market = |buys, sells, reference| Terms { buys, sells, reference, ..PLAIN };
    // Buyers at any price are left over: the price goes as high as an order or the reference.
    check(&[], &[(90, 50), (95, 10)], market(100, 0, None), Some((95, 60, 40)));
    check(&[], &[(90, 50)], market(100, 0, Some(80)), Some((90, 50, 50)));
    check(&[], &[(90, 50)], market(100, 0, Some(120)), Some((120, 50, 50)));
    check(&[(80, 10), (95, 5)], &[], market(0, 100, None), Some((80, 15, -85)));
    check(&[(95, 5)], &[], market(0, 100, Some(60)), Some((60, 5, -95)));
    // A stray order does not drag balanced market orders away from the reference.
    check(&[], &[(1_000, 5)], market(100, 100, Some(85)), Some((85, 100, 0)));
    // As much as the first ask wants: the next one starts where nobody is left over any more.
    check(&[(70, 9)], &[(90, 50), (95, 10)], market(50, 0, Some(200)), Some((94, 50, 0)));
    check(&[(70, 9)], &[(90, 50), (95, 10)], market(20, 30, Some(75)), Some((70, 29, -1)));
}

#[test]
fn candidates_are_multiples_of_the_increment() {
    let by_ten = |reference| Terms { reference, increment: 10, ..PLAIN };
    // Orders between two increments stop at the one that they allow.
    check(&[(108, 5)], &[(92, 5)], by_ten(Some(109)), Some((100, 5, 0)));
    check(&[(109, 5), (108, 2)], &[(91, 7)], by_ten(None), Some((100, 7, 0)));
    check(&[(109, 5)], &[(101, 5)], by_ten(None), None);
    check(&[(140, 5)], &[(100, 5)], by_ten(Some(129)), Some((120, 5, 0)));
    check(&[(140, 5)], &[(100, 5)], by_ten(None), Some((120, 5, 0)));
    check(&[(130, 5)], &[(100, 5)], by_ten(None), Some((110, 5, 0)));
    check(&[(-95, 5)], &[(-138, 5)], by_ten(Some(-111)), Some((-120, 5, 0)));
}

#[test]
fn prices_and_quantities_may_be_as_large_as_they_get() {
    let call = Call::of(&[(i64::MAX, 1 << 40)], &[(i64::MIN, 1 << 40)]);
    let terms = |reference, market_buys| {
        let terms = Terms { reference, increment: 1, ..PLAIN }.given();
        AuctionTerms { market_buys: Quantity::from_lots(market_buys), ..terms }
    };
    let answer = |reference, buys| plain(uncross(&call.book, &terms(reference, buys)));
    assert_eq!(answer(Some(7), 0), Some((7, 1 << 40, 0)));
    assert_eq!(answer(None, 0), Some((-1, 1 << 40, 0)));
    assert_eq!(answer(Some(7), (1 << 63) - 1), Some((i64::MAX, 1 << 40, (1 << 63) - 1)));
    assert_eq!(answer(Some(7), u64::MAX - (1 << 40)), Some((i64::MAX, 1 << 40, i128::from(u64::MAX - (1 << 40)))));
}

/// Every book of up to four levels a side at the same four or eight prices, with every kind of terms.
#[test]
fn every_tiny_book_agrees_with_the_judge() {
    let mut judged = 0_u64;
    for shape in 0..3_u32.pow(8) {
        let lots = |place: u32| u64::from(shape / 3_u32.pow(place) % 3);
        let side = |first: u32, ticks: [i64; 4]| -> Vec<(i64, u64)> {
            (0..4).map(|place| (ticks[place as usize], lots(first + place))).filter(|(_, lots)| *lots > 0).collect()
        };
        let (bids, asks) = (side(0, [5, 4, 3, 2]), side(4, [2, 3, 4, 5]));
        let call = Call::of(&bids, &asks);
        for (buys, sells) in [(0, 0), (1, 0), (0, 2), (3, 1), (1, 4)] {
            for reference in [None, Some(1), Some(4), Some(7)] {
                for (collar, increment) in
                    [(None, 1), (Some((3, 4)), 1), (Some((4, 6)), 1), (None, 2), (Some((0, 4)), 3)]
                {
                    let terms = Terms { buys, sells, reference, collar, increment };
                    let given = plain(uncross(&call.book, &terms.given()));
                    assert_eq!(given, judge(&bids, &asks, terms), "{bids:?} {asks:?} {terms:?}");
                    judged += 1;
                }
            }
        }
    }
    assert_eq!(judged, 6_561 * 5 * 4 * 5);
}

fn random_terms(random: &mut Random) -> Terms {
    let mut market = |chance| if random.below(chance) == 0 { random.below(40) } else { 0 };
    let (buys, sells) = (market(3), market(3));
    Terms {
        buys,
        sells,
        reference: (random.below(3) > 0).then(|| random.between(-60, 60)),
        collar: (random.below(3) == 0).then(|| (random.between(-60, 20), random.between(-20, 60))),
        increment: [1, 1, 1, 2, 3, 7, 20][random.below(7) as usize],
    }
}

#[test]
fn random_books_agree_with_the_judge() {
    let (mut traded, mut drawn) = (0, [0; 3]);
    for seed in 1..=20_000 {
        let random = &mut Random(seed);
        let spread = random.between(0, 40);
        let increment = [1, 1, 2, 5][random.below(4) as usize];
        let mut side = |centre: i64| -> Vec<(i64, u64)> {
            let count = random.below(7);
            // Few quantities, so that sides are often equal.
            (0..count)
                .map(|_| (random.between(centre - 20, centre + 20) / increment * increment, 1 + random.below(4) * 3))
                .collect()
        };
        let (bids, asks) = (side(spread - 10), side(10 - spread));
        let terms = random_terms(random);
        let call = Call::of(&bids, &asks);
        let given = plain(uncross(&call.book, &terms.given()));
        assert_eq!(given, judge(&bids, &asks, terms), "seed {seed}: {bids:?} {asks:?} {terms:?}");
        if let Some((_, _, surplus)) = given {
            traded += 1;
            drawn[(surplus.signum() + 1) as usize] += 1;
        }
    }
    assert!(traded > 10_000 && drawn.iter().all(|count| *count > 1_000), "{traded} traded, by surplus {drawn:?}");
}

#[test]
fn the_indicative_is_what_the_book_gives_and_rests_while_it_may() {
    let (mut kept, mut asked) = (0_u32, 0_u32);
    for seed in 1..=400 {
        let random = &mut Random(seed);
        let (mut call, mut indicative) = (Call::new(), Indicative::default());
        let mut open: Vec<(Side, Slot)> = Vec::new();
        let mut terms = random_terms(random);
        let reach = random.between(3, 40);
        for _ in 0..250 {
            match random.below(20) {
                0 => terms = random_terms(random),
                1..=9 if !open.is_empty() => {
                    let (side, slot) = open.swap_remove(random.below(open.len() as u64) as usize);
                    indicative.note(side, call.book.price_of(&call.orders, side, slot));
                    if call.orders[slot].open > Quantity::from_lots(1) && random.below(3) == 0 {
                        call.book.reduce(&mut call.orders, side, slot, Quantity::from_lots(1));
                        open.push((side, slot));
                    } else {
                        call.book.remove(&mut call.orders, side, slot);
                        call.orders.remove(slot);
                    }
                }
                _ => {
                    let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
                    let ticks = random.between(-reach, reach);
                    open.push((side, call.rest(side, ticks, 1 + random.below(3))));
                    indicative.note(side, Price::from_ticks(ticks));
                }
            }
            let given = terms.given();
            (kept, asked) = (kept + u32::from(indicative.is_current(&given)), asked + 1);
            let fresh = uncross(&call.book, &given);
            assert_eq!(indicative.uncross(&call.book, &given), fresh, "seed {seed}");
            assert_eq!(plain(fresh), judge(&call.depth(Side::Buy), &call.depth(Side::Sell), terms), "seed {seed}");
            indicative.check_invariants(&call.book);
        }
        call.book.check_queues(&call.orders);
    }
    assert!(kept * 6 > asked, "kept {kept} of {asked}");
}

#[test]
#[should_panic(expected = "Invariant: every change that matters was noted")]
fn a_change_that_was_not_noted_is_found() {
    let mut call = Call::of(&[(100, 5)], &[(95, 5)]);
    let mut indicative = Indicative::default();
    indicative.uncross(&call.book, &PLAIN.given());
    indicative.check_invariants(&call.book);
    call.rest(Side::Buy, 101, 1);
    indicative.check_invariants(&call.book);
}

#[test]
fn orders_deep_in_the_book_leave_the_indicative_alone() {
    let mut call = Call::of(&[(100, 5), (90, 1), (80, 1)], &[(95, 5), (105, 1), (115, 1)]);
    let (mut indicative, terms) = (Indicative::default(), PLAIN.given());
    assert!(!indicative.is_current(&terms));
    assert_eq!(plain(indicative.uncross(&call.book, &terms)), Some((97, 5, 0)));
    let mut noted = |indicative: &mut Indicative, side, ticks| {
        call.rest(side, ticks, 1);
        indicative.note(side, Price::from_ticks(ticks));
        let current = indicative.is_current(&terms);
        indicative.uncross(&call.book, &terms);
        current
    };
    assert!(noted(&mut indicative, Side::Buy, 79));
    assert!(noted(&mut indicative, Side::Sell, 116));
    assert!(!noted(&mut indicative, Side::Buy, 90));
    assert!(!noted(&mut indicative, Side::Sell, 96));
    assert!(!indicative.is_current(&Terms { reference: Some(1), ..PLAIN }.given()));
}

#[test]
fn market_orders_come_first_then_the_best_price_then_the_oldest() {
    let mut call = Call::new();
    let m1 = call.market(3);
    let b1 = call.rest(Side::Buy, 100, 4);
    let b2 = call.rest(Side::Buy, 101, 2);
    let b3 = call.rest(Side::Buy, 100, 6);
    let b4 = call.rest(Side::Buy, 99, 50);
    let s1 = call.rest(Side::Sell, 98, 5);
    let s2 = call.rest(Side::Sell, 97, 1);
    let m2 = call.market(2);
    let m3 = call.market(1);
    let s3 = call.rest(Side::Sell, 100, 2);
    let s4 = call.rest(Side::Sell, 101, 50);
    let terms = Terms { buys: 3, sells: 3, ..PLAIN }.given();
    let uncross = uncross(&call.book, &terms).expect("the sides meet");
    assert_eq!(plain(Some(uncross)), Some((100, 11, 4)));
    let given = matches(&call.book, &call.orders, [m1], [m2, m3], uncross);
    let given: Vec<_> = given.map(|AuctionMatch { buy, sell, quantity }| (buy, sell, quantity.lots())).collect();
    assert_eq!(given, [(m1, m2, 2), (m1, m3, 1), (b2, s2, 1), (b2, s1, 1), (b1, s1, 4), (b3, s3, 2)]);
    // Neither the bid below nor the ask above had a part in it.
    assert!(given.iter().all(|(buy, sell, _)| *buy != b4 && *sell != s4));
}

#[test]
fn what_matches_is_what_was_promised() {
    for seed in 1..=3_000 {
        let random = &mut Random(seed);
        let mut call = Call::new();
        let mut market = [Vec::new(), Vec::new()];
        for _ in 0..random.below(14) {
            let (side, lots) = (if random.below(2) == 0 { Side::Buy } else { Side::Sell }, 1 + random.below(9));
            if random.below(5) == 0 {
                market[side as usize].push(call.market(lots));
            } else {
                call.rest(side, random.between(-9, 9), lots);
            }
        }
        let waiting = |side: Side| market[side as usize].iter().map(|slot| call.orders[*slot].open.lots()).sum();
        let terms = Terms { buys: waiting(Side::Buy), sells: waiting(Side::Sell), ..random_terms(random) };
        let Some(uncross) = uncross(&call.book, &terms.given()) else { continue };
        let [buys, sells] = &market;
        let given: Vec<_> =
            matches(&call.book, &call.orders, buys.iter().copied(), sells.iter().copied(), uncross).collect();
        let mut filled: BTreeMap<Slot, u64> = BTreeMap::new();
        for AuctionMatch { buy, sell, quantity } in &given {
            assert!(!quantity.is_zero(), "seed {seed}");
            *filled.entry(*buy).or_default() += quantity.lots();
            *filled.entry(*sell).or_default() += quantity.lots();
        }
        assert_eq!(given.iter().map(|pair| pair.quantity.lots()).sum::<u64>(), uncross.quantity.lots(), "seed {seed}");
        // In the order of the queue all are filled whole, then at most one in part, then nobody.
        for side in [Side::Buy, Side::Sell] {
            let limits = call.book.levels(side).flat_map(|(_, level)| call.book.queue(&call.orders, level));
            let queue = market[side as usize].iter().copied().chain(limits);
            let mut left = uncross.quantity.lots();
            for slot in queue {
                let due = left.min(call.orders[slot].open.lots());
                assert_eq!(filled.get(&slot).copied().unwrap_or(0), due, "seed {seed}");
                left -= due;
            }
        }
    }
}

#[test]
#[should_panic(expected = "Condition failed: the orders have less open than the auction trades")]
fn market_orders_that_were_counted_must_be_given() {
    let mut call = Call::of(&[], &[(10, 5)]);
    call.market(5);
    let uncross = uncross(&call.book, &Terms { buys: 5, ..PLAIN }.given()).expect("the sides meet");
    matches(&call.book, &call.orders, [], [], uncross).for_each(drop);
}
