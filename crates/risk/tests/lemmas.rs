//! The formulas of `tests/lemmas` against the real functions: every small case, and a million random ones.

use core::num::{NonZeroU32, NonZeroU64};

use tradewright_risk::{Band, FeeSchedules, MarketWideLevel, MoveLimit, Window, entry_hold, resting_hold};
use tradewright_types::{Amount, AssetId, FeeRate, FeeRates, InstrumentUnits, Price, Quantity, RoundedFee, Side};

const MILLION: i128 = 1_000_000;
const CASES: u64 = 1_000_000;
const SEED: u64 = 0x7472_6164_6577_7269;
const UNITS: InstrumentUnits =
    InstrumentUnits { base: AssetId(0), quote: AssetId(1), quote_quanta_per_tick_lot: 1, base_quanta_per_lot: 3 };

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

    fn rate(&mut self) -> i32 {
        self.below(2_000_001) as i32 - 1_000_000
    }
}

fn ceiling(exact: i128) -> i128 {
    (exact + MILLION - 1).div_euclid(MILLION)
}

fn held(notional: u64, rate: FeeRate, posted: RoundedFee) -> i128 {
    resting_hold(&UNITS, Side::Buy, Price::from_ticks(1), Quantity::from_lots(notional), rate, posted).quanta()
}

/// A bid's hold is its formula, and a fill takes exactly what the hold gives up.
fn check_resting(filled: u64, rests: u64, ppm: i32, excess: u32, case: &dyn core::fmt::Display) {
    let rate = FeeRate::from_ppm(ppm);
    let mut posted = RoundedFee::from_excess_millionths(excess);
    let notional = i128::from(filled + rests);
    let before = held(filled + rests, rate, posted);
    let fee = (notional * i128::from(ppm.max(0)) + MILLION - 1 - i128::from(excess)).div_euclid(MILLION);
    let formula = if ppm > 0 { notional + fee } else { notional };
    assert_eq!(before, formula, "filled={filled} rests={rests} ppm={ppm} excess={excess} {case}");
    let charged = posted.charge(rate, Amount::from_quanta(i128::from(filled))).quanta().max(0);
    let gives_up = before - held(rests, rate, posted);
    assert_eq!(
        gives_up,
        i128::from(filled) + charged,
        "filled={filled} rests={rests} ppm={ppm} excess={excess} {case}"
    );
}

/// An entry hold is its formula, and covers a split into a taker and a maker part.
fn check_entry(taken: u64, made: u64, (taker, maker): (i32, i32), flags: u64, case: &dyn core::fmt::Display) {
    let (may_take, may_rest) = (flags & 1 != 0, flags & 2 != 0);
    let rates = FeeRates { taker: FeeRate::from_ppm(taker), maker: FeeRate::from_ppm(maker) };
    let notional = i128::from(taken + made);
    let hold = entry_hold(Amount::from_quanta(notional), rates, may_take, may_rest).quanta();
    let (t, m) = (if may_take { taker.max(0) } else { 0 }, if may_rest { maker.max(0) } else { 0 });
    let formula = notional + ceiling(notional * i128::from(t.max(m))) + i128::from(t > 0 && m > 0);
    assert_eq!(hold, formula, "taken={taken} made={made} {taker}/{maker} {flags} {case}");
    if (may_take || taken == 0) && (may_rest || made == 0) {
        let fee = |notional: u64, ppm: i32| ceiling(i128::from(notional) * i128::from(ppm.max(0)));
        let cost = notional + fee(taken, taker) + fee(made, maker);
        assert!(cost <= hold, "cost={cost} hold={hold} taken={taken} made={made} {taker}/{maker} {flags} {case}");
    }
}

/// The ends are the outermost prices that the parts allow, and a price is in the band when it lies between them.
fn check_band(reference: i64, down: u32, up: u32, case: &dyn core::fmt::Display) {
    let band = Band::around(Price::from_ticks(reference), down, up);
    let kept = i128::from(reference) * (MILLION - i128::from(down).min(MILLION));
    let most = i128::from(reference) * (MILLION + i128::from(up));
    for end in [band.low.ticks(), band.high.ticks()] {
        for price in [end.saturating_sub(1), end, end.saturating_add(1)] {
            let inside = kept <= i128::from(price) * MILLION && i128::from(price) * MILLION <= most;
            let contains = band.contains(Price::from_ticks(price));
            assert_eq!(contains, inside, "reference={reference} -{down} +{up} price={price} {case}");
        }
    }
}

#[test]
fn a_resting_hold_is_its_formula_and_covers_its_fills() {
    for ppm in [-1_000_000, -1, 0, 1, 2, 333_333, 500_000, 999_999, 1_000_000] {
        for filled in 0..=20 {
            for rests in 0..=20 {
                for excess in [0, 1, 500_000, 999_999] {
                    check_resting(filled, rests, ppm, excess, &"exhaustive");
                }
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let shift = random.below(40);
        let (filled, rests) = (random.below(1 << 40) >> shift, random.below(1 << 40) >> shift);
        let (ppm, excess) = (random.rate(), random.below(1_000_000) as u32);
        check_resting(filled, rests, ppm, excess, &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn an_entry_hold_is_its_formula_and_covers_any_split() {
    let some = [-1_000_000, -1, 0, 1, 333_333, 500_000, 1_000_000];
    for taken in 0..=12 {
        for made in 0..=12 {
            for (taker, maker) in some.iter().flat_map(|&taker| some.map(|maker| (taker, maker))) {
                (0..4).for_each(|flags| check_entry(taken, made, (taker, maker), flags, &"exhaustive"));
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let shift = random.below(40);
        let (taken, made) = (random.below(1 << 40) >> shift, random.below(1 << 40) >> shift);
        let rates = (random.rate(), random.rate());
        check_entry(taken, made, rates, random.below(4), &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn a_band_is_its_formula() {
    for reference in 1..=60 {
        for down in [0, 1, 16_666, 16_667, 500_000, 999_999, 1_000_000, u32::MAX] {
            for up in [0, 1, 16_666, 16_667, 500_000, 1_000_000, u32::MAX] {
                check_band(reference, down, up, &"exhaustive");
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let reference = (random.next() >> (1 + random.below(63))).max(1) as i64;
        let (down, up) =
            ((random.next() >> (32 + random.below(32))) as u32, (random.next() >> (32 + random.below(32))) as u32);
        check_band(reference, down, up, &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn a_schedule_covers_rebates_when_the_rates_add_up_to_nothing_or_more() {
    let mut random = Random(SEED);
    for case in 0..20_000 {
        let (taker, maker) = (random.rate() / 1_000, random.rate() / 1_000);
        let rates = |taker, maker| FeeRates { taker: FeeRate::from_ppm(taker), maker: FeeRate::from_ppm(maker) };
        let covered = FeeSchedules::default().covers_rebates(0, 0, rates(taker, maker), core::iter::empty());
        assert_eq!(covered, taker + maker >= 0, "taker={taker} maker={maker} seed={SEED:#x} case={case}");
    }
}

/// A window that never forgets: no price is ever too old.
const ENDLESS: Window = Window { slot_ns: NonZeroU64::MAX, slots: NonZeroU32::MIN };

#[test]
fn a_window_never_spans_more_than_its_limit() {
    let mut random = Random(SEED);
    let (mut limit, mut most) = (MoveLimit::new(NonZeroU64::MIN, ENDLESS), 1);
    let (mut prices, mut ends) = (0, (0, 0));
    for case in 0..CASES {
        if prices == 0 {
            prices = 1 + random.below(20);
            let bits = 1 + random.below(30);
            most = 1 + random.below(1 << bits) as i64;
            limit = MoveLimit::new(NonZeroU64::new(most as u64).expect("at least a tick"), ENDLESS);
            let first = 1 + random.below(1 << 31) as i64;
            limit.observe(0, Price::from_ticks(first));
            ends = (first, first);
        }
        prices -= 1;
        let band = limit.band(0).expect("the window has a price");
        let formula = (ends.1 - most, ends.0 + most);
        assert_eq!((band.low.ticks(), band.high.ticks()), formula, "seed={SEED:#x} case={case}");
        assert!(band.low.ticks() <= ends.0 && ends.1 <= band.high.ticks(), "seed={SEED:#x} case={case}");
        // Any price that does not trip, its ends included.
        let price = band.low.ticks() + random.below((band.high.ticks() - band.low.ticks() + 1) as u64) as i64;
        assert!(band.contains(Price::from_ticks(price)), "seed={SEED:#x} case={case}");
        limit.observe(0, Price::from_ticks(price));
        ends = (ends.0.min(price), ends.1.max(price));
        assert!(ends.1 - ends.0 <= most, "seed={SEED:#x} case={case} price={price}");
    }
}

/// The level that an index has reached, by the formula: 0 for none.
fn level(index: i64, close: i64) -> u8 {
    let fallen = |percent: i128| close > 0 && i128::from(close - index) * 100 >= i128::from(close) * percent;
    u8::from(fallen(7)) + u8::from(fallen(13)) + u8::from(fallen(20))
}

fn check_level(index: i64, close: i64, case: &dyn core::fmt::Display) {
    let reached = MarketWideLevel::newly_reached(Price::from_ticks(index), Price::from_ticks(close), None);
    assert_eq!(reached.map_or(0, |level| level as u8), level(index, close), "index={index} close={close} {case}");
}

#[test]
fn a_level_is_its_formula() {
    for close in 0..=200 {
        (0..=close + 3).for_each(|index| check_level(index, close, &"exhaustive"));
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let bits = 1 + random.below(50);
        let close = random.below(1 << bits) as i64;
        // Mostly within the fall that counts.
        let index = close - (close / 100 * random.below(25) as i64) - random.below(3) as i64 + 1;
        check_level(index, close, &format_args!("seed={SEED:#x} case={case}"));
    }
}
