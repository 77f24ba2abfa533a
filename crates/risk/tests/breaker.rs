//! Circuit breakers: the exchange's own numbers, each decision at its edge, and the window against a list of all prices.

use core::num::{NonZeroU32, NonZeroU64};

use tradewright_risk::{
    Band, Breaker, MarketWide, MarketWideLevel, MoveLimit, PauseRule, RollingPrices, Trip, Window, variant_ticks,
};
use tradewright_types::{Price, Side};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

const fn price(ticks: i64) -> Price {
    Price::from_ticks(ticks)
}

fn window(slot_ns: u64, slots: u32) -> Window {
    Window { slot_ns: NonZeroU64::new(slot_ns).expect("a slot"), slots: NonZeroU32::new(slots).expect("slots") }
}

fn limit(ticks: u64, window: Window) -> MoveLimit {
    MoveLimit::new(NonZeroU64::new(ticks).expect("a limit"), window)
}

#[test]
fn the_variant_is_a_share_of_the_settlement_rounded_down() {
    let check = |settlement, ppm, increment, expected: u64| {
        let increment = NonZeroU32::new(increment).expect("an increment");
        let given = variant_ticks(price(settlement), ppm, increment).map_or(0, NonZeroU64::get);
        assert_eq!(given, expected, "{settlement} {ppm} {increment}");
    };
    // CME: a settlement of 2,790.00 at 3.5 % is 97.65, with a tick of 0.25 it is 97.50. In ticks of 0.25, then of 0.01.
    check(11_160, 35_000, 1, 390);
    check(279_000, 35_000, 25, 9_750);
    check(279_000, 35_000, 1, 9_765);
    check(-279_000, 35_000, 25, 9_750);
    check(100, 1_000_000, 1, 100);
    check(0, 35_000, 1, 0);
    check(28, 35_000, 1, 0);
    check(29, 35_000, 1, 1);
    check(1_000, 35_000, 36, 0);
    check(i64::MIN, u32::MAX, 1, u64::MAX);
}

#[test]
fn the_band_hangs_between_high_and_low() {
    let mut dynamic = limit(390, Window::HOUR);
    let check = |dynamic: &mut MoveLimit, now_ns, expected: Option<(i64, i64)>| {
        let expected = expected.map(|(low, high)| Band { low: price(low), high: price(high) });
        assert_eq!(dynamic.band(now_ns), expected, "at {now_ns}");
        dynamic.check_invariants();
    };
    check(&mut dynamic, 0, None);
    dynamic.observe(0, price(11_160));
    check(&mut dynamic, 0, Some((10_770, 11_550)));
    dynamic.observe(10 * MINUTE, price(11_260));
    check(&mut dynamic, 10 * MINUTE, Some((10_870, 11_550)));
    dynamic.observe(20 * MINUTE, price(11_060));
    check(&mut dynamic, 20 * MINUTE, Some((10_870, 11_450)));
    // The high of minute 10 leaves after minute 70, and with it the highest is that of minute 20.
    check(&mut dynamic, 70 * MINUTE, Some((10_870, 11_450)));
    check(&mut dynamic, 70 * MINUTE + 10 * SECOND, Some((10_670, 11_450)));
    check(&mut dynamic, 81 * MINUTE, None);
    dynamic.observe(81 * MINUTE, price(5));
    dynamic.restart();
    check(&mut dynamic, 81 * MINUTE, None);
}

#[test]
fn a_band_ends_where_prices_end() {
    let mut far = limit(u64::MAX, Window::HOUR);
    far.observe(0, price(7));
    assert_eq!(far.band(0), Some(Band { low: price(i64::MIN), high: price(i64::MAX) }));
}

#[test]
fn a_price_counts_for_the_window_and_less_than_a_slot_more() {
    for (seen_ns, window) in [(0, window(10, 6)), (7, window(10, 6)), (9, window(10, 6)), (5, window(1, 60))] {
        let mut prices = RollingPrices::new(window);
        prices.observe(seen_ns, price(1));
        let length_ns = window.slot_ns.get() * u64::from(window.slots.get());
        assert!(prices.clone().range(seen_ns + length_ns).is_some());
        assert!(prices.clone().range(seen_ns + length_ns + window.slot_ns.get()).is_none());
    }
}

#[test]
fn a_trade_outside_the_band_trips() {
    let mut breaker = Breaker::new(Some(limit(390, Window::HOUR)), None);
    let mut judge = |now_ns, ticks| breaker.judge_trade(now_ns, price(ticks));
    assert_eq!(judge(0, 1), None, "any price may be the first");
    breaker.observe(0, price(11_160));
    let mut judge = |now_ns, ticks| breaker.judge_trade(now_ns, price(ticks));
    assert_eq!([10_769, 10_770, 11_550, 11_551].map(|ticks| judge(HOUR, ticks).is_some()), [true, false, false, true]);
    assert_eq!(judge(HOUR, 10_769), Some(Trip::Dynamic));
    breaker.restart();
    assert_eq!(breaker.judge_trade(HOUR, price(10_769)), None, "the window restarted");
    breaker.observe(HOUR, price(10_769));
    assert_eq!(breaker.judge_trade(HOUR, price(11_160)), Some(Trip::Dynamic));
    assert_eq!(breaker.judge_trade(HOUR, price(11_159)), None);
}

#[test]
fn an_order_trips_only_towards_the_market() {
    let mut breaker = Breaker::new(Some(limit(10, Window::HOUR)), None);
    breaker.observe(0, price(100));
    let mut judge = |side, ticks| breaker.judge_order(0, side, price(ticks)).is_some();
    assert_eq!([1, 90, 110, 111, i64::MAX].map(|ticks| judge(Side::Buy, ticks)), [false, false, false, true, true]);
    assert_eq!([i64::MAX, 110, 90, 89, 1].map(|ticks| judge(Side::Sell, ticks)), [false, false, false, true, true]);
}

#[test]
fn velocity_is_too_many_ticks_within_a_moment() {
    let mut breaker = Breaker::new(Some(limit(100, Window::HOUR)), Some(limit(6, window(SECOND / 10, 10))));
    for (now_ns, ticks) in [(0, 1_000), (SECOND / 2, 1_003), (SECOND, 1_006)] {
        assert_eq!(breaker.judge_trade(now_ns, price(ticks)), None, "{ticks}");
        breaker.observe(now_ns, price(ticks));
        breaker.check_invariants();
    }
    assert_eq!(breaker.judge_trade(SECOND, price(1_007)), Some(Trip::Velocity));
    assert_eq!(breaker.judge_trade(SECOND + SECOND / 10, price(1_009)), None, "the first price has left");
    assert_eq!(breaker.judge_trade(SECOND + SECOND / 10, price(1_010)), Some(Trip::Velocity));
    assert_eq!(breaker.judge_trade(SECOND, price(1_101)), Some(Trip::Dynamic), "both: the first");
    assert_eq!(breaker.judge_trade(HOUR, price(1_100)), None, "slowly, as far as the hour allows");
    assert_eq!(Breaker::default().judge_trade(0, price(1)), None);
}

#[test]
fn a_pause_is_short_near_the_close() {
    let check = |now_ns, close_ns, expected_ns| assert_eq!(PauseRule::CME.pause_ns(now_ns, close_ns), expected_ns);
    check(HOUR, None, 2 * MINUTE);
    check(HOUR, Some(HOUR + 5 * MINUTE + 1), 2 * MINUTE);
    check(HOUR, Some(HOUR + 5 * MINUTE), 5 * SECOND);
    check(HOUR, Some(HOUR), 5 * SECOND);
}

#[test]
fn the_market_wide_levels_are_7_13_and_20_percent() {
    use MarketWideLevel::{One, Three, Two};
    let check = |index, close, reached, expected| {
        let given = MarketWideLevel::newly_reached(price(index), price(close), reached);
        assert_eq!(given, expected, "{index} after {close}, {reached:?} reached");
    };
    for (index, level) in [
        (20_000, None),
        (9_301, None),
        (9_300, Some(One)),
        (8_701, Some(One)),
        (8_700, Some(Two)),
        (8_001, Some(Two)),
        (8_000, Some(Three)),
        (0, Some(Three)),
        (-50, Some(Three)),
    ] {
        check(index, 10_000, None, level);
    }
    // Each level once a session; a fall may skip one.
    check(9_000, 10_000, Some(One), None);
    check(8_600, 10_000, Some(One), Some(Two));
    check(7_000, 10_000, Some(One), Some(Three));
    check(9_000, 10_000, Some(Two), None);
    check(1, 10_000, Some(Three), None);
    // 7 % of 101 are 7.07 ticks: a fall of 7 is not enough.
    check(94, 101, None, None);
    check(93, 101, None, Some(One));
    check(5, 0, None, None);
    check(-5, -4, None, None);
    check(i64::MIN, i64::MAX, None, Some(Three));
    assert_eq!([One, Two, Three].map(MarketWideLevel::pause_ns), [Some(15 * MINUTE), Some(15 * MINUTE), None]);
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(2_685_821_657_736_338_717)) * u128::from(bound)) >> 64) as u64
    }
}

#[test]
fn the_window_agrees_with_a_list_of_all_prices() {
    for seed in 1..=300 {
        let random = &mut Random(seed);
        let window = window(1 + random.below(20), 1 + random.below(30) as u32);
        let (slot_ns, slots) = (window.slot_ns.get(), u64::from(window.slots.get()));
        let (mut prices, mut all) = (RollingPrices::new(window), Vec::<(u64, Price)>::new());
        let (mut now_ns, mut ticks) = (random.below(1_000), 0);
        for _ in 0..400 {
            now_ns += match random.below(60) {
                0 => random.below(2 * slot_ns * slots),
                1..=30 => random.below(slot_ns + 1),
                _ => 0,
            };
            match random.below(40) {
                0 => {
                    prices.restart();
                    all.clear();
                }
                1..=5 => {}
                _ => {
                    // A walk: long ways down and up fill the window with prices that may still count.
                    ticks += random.below(5) as i64 - if (now_ns / (slot_ns * slots)) % 2 == 0 { 1 } else { 3 };
                    prices.observe(now_ns, price(ticks));
                    all.push((now_ns, price(ticks)));
                }
            }
            prices.check_invariants();
            let counts = |(seen_ns, _): &&(u64, Price)| seen_ns / slot_ns + slots >= now_ns / slot_ns;
            let in_window = || all.iter().filter(counts).map(|(_, price)| *price);
            assert_eq!(prices.range(now_ns), in_window().min().zip(in_window().max()), "seed {seed} at {now_ns}");
        }
    }
}

#[test]
fn what_was_judged_before_it_was_observed_always_leaves_a_band() {
    for seed in 1..=100 {
        let random = &mut Random(seed);
        let mut breaker = Breaker::new(Some(limit(20, window(7, 50))), Some(limit(5, window(2, 5))));
        let (mut now_ns, mut last, mut trips) = (0, 1_000, [0, 0]);
        for _ in 0..1_000 {
            now_ns += random.below(4);
            let ticks = last + random.below(15) as i64 - 7;
            match breaker.judge_trade(now_ns, price(ticks)) {
                None => {
                    breaker.observe(now_ns, price(ticks));
                    last = ticks;
                }
                Some(trip) => trips[trip as usize] += 1,
            }
            assert_eq!(
                breaker.judge_trade(now_ns, price(last)),
                None,
                "seed {seed}: what has just traded may trade again"
            );
            breaker.check_invariants();
        }
        assert!(trips[0] > 0 && trips[1] > 0, "seed {seed}: {trips:?}");
    }
}

#[test]
fn a_window_that_was_kept_goes_on_where_it_was() {
    for seed in 1..=50 {
        let random = &mut Random(seed);
        let window = window(7, 9);
        let (mut kept, mut now_ns) = (RollingPrices::new(window), 0);
        for _ in 0..200 {
            now_ns += random.below(9);
            kept.observe(now_ns, price(100 + random.below(40) as i64));
            let mut restored = RollingPrices::new(window);
            assert!(restored.restore(kept.seen(now_ns)), "seed {seed} at {now_ns}");
            restored.check_invariants();
            assert_eq!(restored.range(now_ns), kept.range(now_ns), "seed {seed} at {now_ns}");
            assert_eq!(restored.seen(now_ns), kept.seen(now_ns), "seed {seed} at {now_ns}");
        }
    }
}

#[test]
fn a_window_that_cannot_be_is_not_restored() {
    let mut prices = RollingPrices::new(window(10, 2));
    prices.observe(0, price(5));
    let list = |entries: &[(u64, i64)]| entries.iter().map(|&(slot, ticks)| (slot, price(ticks))).collect::<Vec<_>>();
    let mut check = |highs: &[(u64, i64)], lows: &[(u64, i64)], is_right: bool| {
        let before = prices.seen(0);
        assert_eq!(prices.restore([list(highs), list(lows)]), is_right, "{highs:?} {lows:?}");
        if !is_right {
            assert_eq!(prices.seen(0), before, "nothing has changed");
        }
    };
    check(&[(0, 9), (1, 9)], &[(0, 1)], false);
    check(&[(0, 9), (0, 8)], &[(0, 1)], false);
    check(&[(1, 9), (0, 8)], &[(0, 1)], false);
    check(&[(0, 8), (1, 9)], &[(0, 1)], false);
    check(&[(0, 9)], &[(0, 1), (1, 1)], false);
    check(&[(0, 9)], &[(0, 1), (0, 2)], false);
    check(&[(0, 9)], &[(1, 1), (0, 2)], false);
    check(&[(0, 9)], &[(0, 2), (1, 1)], false);
    check(&[], &[(0, 1)], false);
    check(&[(0, 9)], &[], false);
    // Two slots and what has passed of the third: no more than three prices.
    check(&[(0, 9), (1, 8), (2, 7), (3, 6)], &[(3, 1)], false);
    check(&[(3, 9)], &[(0, 1), (1, 2), (2, 3), (3, 4)], false);
    check(&[(0, 9), (1, 8), (2, 7)], &[(2, 1)], true);
    check(&[], &[], true);
}

#[test]
fn a_taker_reaches_as_far_as_both_limits_let_it() {
    let (both, window) = ([Side::Buy, Side::Sell], window(10, 5));
    let reach = |breaker: &Breaker, first: i64| both.map(|side| breaker.reach(0, side, price(first)).map(Price::ticks));
    let none = Breaker::new(None, None);
    assert_eq!(reach(&none, 100), [Some(i64::MAX), Some(i64::MIN)]);
    // Nothing has traded yet: the first price is the window.
    let mut breaker = Breaker::new(Some(limit(20, window)), Some(limit(5, window)));
    assert_eq!(reach(&breaker, 100), [Some(105), Some(95)]);
    breaker.observe(0, price(100));
    assert_eq!(reach(&breaker, 103), [Some(105), Some(98)]);
    assert_eq!(reach(&breaker, 97), [Some(102), Some(95)]);
    assert_eq!(reach(&breaker, 105), [Some(105), Some(100)]);
    assert_eq!(reach(&breaker, 106), [None, None]);
    assert_eq!(reach(&breaker, 94), [None, None]);
    // Whichever of the two is narrower decides.
    let mut breaker = Breaker::new(Some(limit(3, window)), Some(limit(5, window)));
    breaker.observe(0, price(100));
    assert_eq!(reach(&breaker, 101), [Some(103), Some(98)]);
    assert_eq!(reach(&breaker, 104), [None, None]);
}

#[test]
fn levels_and_the_whole_market_have_their_codes_and_times() {
    let codes = (0..=4).map(MarketWideLevel::from_code).collect::<Vec<_>>();
    use MarketWideLevel::{One, Three, Two};
    assert_eq!(codes, [None, Some(One), Some(Two), Some(Three), None]);
    let check = |reached, until_ns, now_ns, expected: bool| {
        assert_eq!(MarketWide { close: None, reached, until_ns }.is_paused(now_ns), expected, "{until_ns} {now_ns}");
    };
    check(None, 0, 5, false);
    check(None, 10, 5, false);
    check(Some(One), 10, 9, true);
    check(Some(One), 10, 10, false);
    check(Some(Three), 0, u64::MAX, true);
}
