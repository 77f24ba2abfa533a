//! The formulas of `tests/lemmas` against the real functions: every small case, and a million random ones.

use core::num::NonZeroU32;

use tradewright_book::{Allocation, AuctionTerms, Book, Orders, ProRata, Resting, TimeWeight, uncross};
use tradewright_types::{AccountId, OrderId, Price, Quantity, Side};

const CASES: u64 = 1_000_000;
const SEED: u64 = 0x7472_6164_6577_7269;

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Each share is its formula rounded down, or more by what rounding left: less than a lot an order, given in time order.
fn check_shares(rule: Allocation, quantity: u64, opens: [u64; 3], case: &dyn core::fmt::Display) {
    let volume: u64 = opens.iter().sum();
    if quantity >= volume {
        return;
    }
    let resting = opens.map(|lots| Resting { open: Quantity::from_lots(lots), ..Resting::default() });
    let mut shares = Vec::new();
    rule.allocate(Quantity::from_lots(quantity), &resting, &mut shares);
    let shares: Vec<u64> = shares.into_iter().map(Quantity::lots).collect();
    let formula = match rule {
        Allocation::ProRata(_) => {
            opens.map(|lots| (u128::from(quantity) * u128::from(lots) / u128::from(volume)) as u64)
        }
        Allocation::TimeProRata(_) => by_time(quantity, opens),
        Allocation::PriceTime | Allocation::Steps(_) => unreachable!("neither has a formula here"),
    };
    // What rounding leaves goes to the first that has room.
    let mut left = quantity - formula.iter().sum::<u64>();
    assert!(left <= 2, "quantity={quantity} opens={opens:?} left={left} {case}");
    let expected: Vec<u64> = (opens.iter().zip(formula))
        .map(|(open, share)| {
            let more = left.min(open - share);
            left -= more;
            share + more
        })
        .collect();
    assert_eq!(shares, expected, "quantity={quantity} opens={opens:?} {rule:?} {case}");
}

/// Weight 1. Who is filled leaves the queue, and the rest of the quantity is shared anew among the rest of it.
fn by_time(quantity: u64, opens: [u64; 3]) -> [u64; 3] {
    let (mut formula, mut first, mut left) = ([0; 3], 0, quantity);
    loop {
        let volume: u128 = opens[first..].iter().map(|lots| u128::from(*lots)).sum();
        let mut ahead = volume;
        for place in first..3 {
            let behind = ahead - u128::from(opens[place]);
            formula[place] = (u128::from(left) * (ahead * ahead - behind * behind) / (volume * volume)) as u64;
            ahead = behind;
        }
        let filled = (first..3).take_while(|place| formula[*place] >= opens[*place]).count();
        if filled == 0 {
            return formula;
        }
        for place in first..first + filled {
            formula[place] = opens[place];
            left -= opens[place];
        }
        first += filled;
    }
}

#[test]
fn a_pro_rata_share_is_its_formula() {
    each_queue(|quantity, opens, case| check_shares(Allocation::ProRata(ProRata::default()), quantity, opens, case));
}

#[test]
fn a_share_by_time_is_its_formula() {
    each_queue(|quantity, opens, case| check_shares(Allocation::TimeProRata(TimeWeight::One), quantity, opens, case));
}

fn each_queue(check: impl Fn(u64, [u64; 3], &dyn core::fmt::Display)) {
    for first in 1..=7 {
        for second in 1..=7 {
            for third in 1..=7 {
                for quantity in 1..first + second + third {
                    check(quantity, [first, second, third], &"exhaustive");
                }
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let bits = 1 + random.below(34);
        let opens = [0; 3].map(|_: u64| 1 + random.below(1 << bits));
        let quantity = 1 + random.below(opens.iter().sum::<u64>() - 1);
        check(quantity, opens, &format_args!("seed={SEED:#x} case={case}"));
    }
}

const PRICES: core::ops::RangeInclusive<usize> = 1..=4;

/// The price of an auction over four prices is one at which the most trades, and of those one that leaves the least over.
fn check_auction(bids: [u64; 5], asks: [u64; 5], reference: Option<i64>, case: &dyn core::fmt::Display) {
    let (mut book, mut orders) = (Book::default(), Orders::with_capacity(8));
    for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
        for (ticks, lots) in levels.into_iter().enumerate().filter(|(_, lots)| *lots > 0) {
            let (id, open) = (OrderId(orders.len() as u64 + 1), Quantity::from_lots(lots));
            let slot = orders.insert(id, AccountId(0), open, ());
            book.rest(&mut orders, side, Price::from_ticks(ticks as i64), slot, open);
        }
    }
    let terms = AuctionTerms {
        market_buys: Quantity::ZERO,
        market_sells: Quantity::ZERO,
        reference: reference.map(Price::from_ticks),
        collar: None,
        price_increment_ticks: NonZeroU32::MIN,
    };
    let at = |price: usize| {
        let (demand, supply) = (bids[price..].iter().sum::<u64>(), asks[..=price].iter().sum::<u64>());
        (demand.min(supply), i128::from(demand) - i128::from(supply))
    };
    let most = PRICES.map(|price| at(price).0).max().unwrap_or_default();
    let least = PRICES.map(at).filter(|(lots, _)| *lots == most).map(|(_, surplus)| surplus.unsigned_abs()).min();
    match uncross(&book, &terms) {
        None => assert_eq!(most, 0, "bids={bids:?} asks={asks:?} {case}"),
        Some(found) => {
            assert_eq!(found.quantity.lots(), most, "bids={bids:?} asks={asks:?} {case}");
            let (lots, surplus) = at(found.price.ticks() as usize);
            assert_eq!((lots, surplus), (most, found.surplus_lots), "bids={bids:?} asks={asks:?} {case}");
            assert_eq!(Some(surplus.unsigned_abs()), least, "bids={bids:?} asks={asks:?} {case}");
        }
    }
}

#[test]
fn an_auction_trades_the_most_and_leaves_the_least() {
    for number in 0..3_u64.pow(8) {
        let digit = |place: u32| number / 3_u64.pow(place) % 3;
        let bids = [0, digit(0), digit(1), digit(2), digit(3)];
        let asks = [0, digit(4), digit(5), digit(6), digit(7)];
        check_auction(bids, asks, None, &"exhaustive");
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let bits = 1 + random.below(40);
        let mut levels = || {
            let mut lots = || if random.below(3) == 0 { 0 } else { random.below(1 << bits) };
            [0, lots(), lots(), lots(), lots()]
        };
        let (bids, asks) = (levels(), levels());
        let reference = (case % 2 == 0).then_some(1 + (case / 2 % 4) as i64);
        check_auction(bids, asks, reference, &format_args!("seed={SEED:#x} case={case}"));
    }
}
