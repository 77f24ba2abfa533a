//! The formulas of `tests/lemmas` against the real functions: every small case, and a million random ones.

use tradewright_types::{
    Amount, ApprovalBands, AssetId, FeeRate, Iceberg, InstrumentUnits, Peg, PegKind, Price, Quantity, RawNotional,
    RoundedFee, Side,
};

const MILLION: i128 = 1_000_000;
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

    /// A number of up to so many bits: each length is as likely as any other.
    fn bits(&mut self, bits_max: u32) -> i128 {
        let wide = (u128::from(self.next()) << 64 | u128::from(self.next())) >> 1;
        let bits = (self.next() % u64::from(bits_max + 1)) as u32;
        (wide & ((1 << bits) - 1)) as i128
    }
}

/// Posts one notional, and compares fee and remainder with the lemma's `charged` and `rebated`.
fn check(ppm: i32, notional: i128, excess: u32, case: &dyn core::fmt::Display) {
    let mut fee = RoundedFee::from_excess_millionths(excess);
    let posted = fee.charge(FeeRate::from_ppm(ppm), Amount::from_quanta(notional)).quanta();
    let (exact, before) = (notional * i128::from(ppm.unsigned_abs()), i128::from(excess));
    let (formula, left) = if ppm >= 0 {
        let fee = (exact + (MILLION - 1 - before)).div_euclid(MILLION);
        (fee, fee * MILLION + before - exact)
    } else {
        let rebate = (exact + before).div_euclid(MILLION);
        (-rebate, exact + before - rebate * MILLION)
    };
    let now = i128::from(fee.excess_millionths());
    assert_eq!((posted, now), (formula, left), "ppm={ppm} notional={notional} excess={excess} {case}");
}

#[test]
fn a_charge_is_its_formula() {
    for ppm in (-12..=12).chain([-1_000_000, -999_999, 999_999, 1_000_000]) {
        for notional in 0..=60 {
            for excess in [0, 1, 2, 499_999, 500_000, 999_940, 999_998, 999_999] {
                check(ppm, notional, excess, &"exhaustive");
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let ppm = (random.next() % 2_000_001) as i32 - 1_000_000;
        // Both paths, and the edge between them.
        let notional = match case % 4 {
            0 => (1 << 40) - 2 + i128::from(random.next() % 4),
            _ => random.bits(106),
        };
        let excess = (random.next() % 1_000_000) as u32;
        check(ppm, notional, excess, &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn a_notional_is_its_formula() {
    let check = |price: i64, lots: u64, unit: u64, case: &dyn core::fmt::Display| {
        let units = InstrumentUnits {
            base: AssetId(0),
            quote: AssetId(1),
            quote_quanta_per_tick_lot: unit,
            base_quanta_per_lot: unit,
        };
        let (price, quantity) = (Price::from_ticks(price), Quantity::from_lots(lots));
        let raw = i128::from(price.ticks()) * i128::from(lots);
        assert_eq!(RawNotional::of(price, quantity).0, raw, "price={price} lots={lots} {case}");
        let base = i128::from(lots) * i128::from(unit);
        assert_eq!(units.base_amount(quantity).quanta(), base, "lots={lots} unit={unit} {case}");
        if let Some(money) = raw.checked_mul(i128::from(unit)) {
            assert_eq!(units.notional(price, quantity).quanta(), money, "price={price} lots={lots} unit={unit} {case}");
        }
    };
    for price in -20..=20 {
        for lots in 0..=20 {
            for unit in 1..=20 {
                check(price, lots, unit, &"exhaustive");
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let price = random.bits(63) as i64 * if random.next() & 1 == 0 { 1 } else { -1 };
        let (lots, unit) = (random.bits(40) as u64, random.bits(63) as u64 + 1);
        check(price, lots, unit, &format_args!("seed={SEED:#x} case={case}"));
    }
    assert_eq!(
        RawNotional::of(Price::from_ticks(i64::MIN), Quantity::from_lots(u64::MAX)).0,
        i128::from(i64::MIN) * i128::from(u64::MAX)
    );
}

#[test]
fn a_peak_is_its_formula() {
    let check = |peak: u64, range: u64, increment: u64, state: u64, case: &dyn core::fmt::Display| {
        let iceberg = Iceberg { peak: Quantity::from_lots(peak), range: Quantity::from_lots(range), seed: 0 };
        let (drawn, _) = iceberg.draw(state, increment);
        let more = drawn.lots() - peak;
        let fits = more.is_multiple_of(increment) && more / increment <= range / increment;
        assert!(fits, "peak={peak} range={range} increment={increment} state={state} {case}");
        more / increment
    };
    for (range, increment) in (0..=12).flat_map(|range| (1..=4).map(move |increment| (range, increment))) {
        let mut reached = std::collections::BTreeSet::new();
        for state in 0..400 {
            reached.insert(check(5, range, increment, state, &"exhaustive"));
        }
        assert_eq!(reached.len() as u64, range / increment + 1, "every step is drawn: range={range} {increment}");
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let (peak, range) = (1 + random.bits(40) as u64, random.bits(40) as u64);
        let increment = 1 + random.bits(20) as u64;
        check(peak, range, increment, random.next(), &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn the_bound_on_peaks_is_its_formula() {
    let mut random = Random(SEED);
    for case in 0..CASES {
        let (peak, total) = (1 + random.bits(30) as u64, 1 + random.bits(40) as u64);
        let iceberg = Iceberg { peak: Quantity::from_lots(peak), range: Quantity::ZERO, seed: 0 };
        let many = i128::from(total) > i128::from(peak) * i128::from(Iceberg::PEAKS_MAX);
        let given = iceberg.has_too_many_peaks(Quantity::from_lots(total));
        assert_eq!(given, many, "peak={peak} total={total} seed={SEED:#x} case={case}");
    }
}

/// Where a peg belongs, in half ticks: of an ask the mirror image of what it is of a bid.
fn check_peg(
    peg: Peg,
    best: [i64; 2],
    limit: i64,
    barrier: Option<i64>,
    increment: u32,
    case: &dyn core::fmt::Display,
) {
    for side in [Side::Buy, Side::Sell] {
        let [own, opposite] = if side == Side::Buy { best } else { [best[1], best[0]] }.map(i128::from);
        let sign = if side == Side::Buy { 1 } else { -1 };
        let (step, offset) = (2 * i128::from(increment), 2 * i128::from(peg.offset));
        let wants = match peg.kind {
            PegKind::Primary => sign * 2 * own - offset,
            PegKind::Market => sign * 2 * opposite - if offset > step { offset } else { step },
            PegKind::Midpoint => sign * (own + opposite) - offset,
        };
        let parts =
            [Some(wants), Some(sign * 2 * i128::from(limit)), barrier.map(|at| sign * 2 * i128::from(at) - step)];
        let wanted = parts.into_iter().flatten().min().expect("two parts at least");
        let ticks = sign * wanted.div_euclid(step) * i128::from(increment);
        let expected = (1..=1_i128 << 62).contains(&ticks).then(|| Price::from_ticks(ticks as i64));
        let prices = best.map(|price| Some(Price::from_ticks(price)));
        let (limit, barrier) = (Price::from_ticks(limit), barrier.map(Price::from_ticks));
        let given = peg.price(side, prices, limit, barrier, increment);
        assert_eq!(given, expected, "{peg:?} {side:?} {best:?} {limit:?} {barrier:?} increment={increment} {case}");
    }
}

#[test]
fn a_peg_is_its_formula() {
    let kinds = [PegKind::Primary, PegKind::Market, PegKind::Midpoint];
    for kind in kinds {
        for (offset, increment) in (0..=3).flat_map(|offset| (1..=3).map(move |increment| (offset, increment))) {
            let peg = Peg { kind, is_fixed: false, offset };
            for (bid, ask) in (1..=9).flat_map(|bid| (bid + 1..=10).map(move |ask| (bid, ask))) {
                for limit in 1..=11 {
                    for barrier in [None, Some(2), Some(5), Some(10)] {
                        check_peg(peg, [bid, ask], limit, barrier, increment, &"exhaustive");
                    }
                }
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let kind = kinds[(random.next() % 3) as usize];
        let peg = Peg { kind, is_fixed: false, offset: random.bits(62) as u64 };
        let mut price = || 1 + random.bits(61) as i64;
        let (bid, ask, limit, barrier) = (price(), price(), price(), price());
        let barrier = (case % 3 != 0).then_some(barrier);
        let increment = 1 + random.bits(31) as u32;
        check_peg(peg, [bid, ask], limit, barrier, increment, &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn the_number_of_approvers_is_its_formula() {
    let check = |thresholds: [i128; 3], worth: u128, case: &dyn core::fmt::Display| {
        let bands = ApprovalBands { thresholds: thresholds.map(Amount::from_quanta), expiry_ns: 1 };
        let passed = |place: usize| thresholds[place] != 0 && worth > thresholds[place] as u128;
        let formula = [2, 1, 0].into_iter().find(|place| passed(*place)).map_or(0, |place| place as u8 + 1);
        assert_eq!(bands.approvers(worth), formula, "{thresholds:?} worth={worth} {case}");
        let set: Vec<i128> = thresholds.into_iter().filter(|threshold| *threshold != 0).collect();
        let rise = set.windows(2).all(|pair| pair[0] < pair[1]) && set.iter().all(|threshold| *threshold > 0);
        let in_range = set.iter().all(|threshold| *threshold <= Amount::MAX.quanta());
        assert_eq!(bands.are_valid(), rise && in_range && !set.is_empty(), "{thresholds:?} {case}");
    };
    let all =
        (0..=4).flat_map(|first| (0..=4).flat_map(move |second| (0..=4).map(move |third| [first, second, third])));
    for thresholds in all {
        (0..=5).for_each(|worth| check(thresholds, worth, &"exhaustive"));
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let mut threshold = || if case % 5 == 0 { random.bits(4) } else { random.bits(122) };
        let thresholds = [threshold(), threshold(), threshold()];
        let near = thresholds[(random.next() % 3) as usize] + i128::from(random.next() % 3);
        let worth = if case % 2 == 0 { near } else { random.bits(122) };
        check(thresholds, worth as u128, &format_args!("seed={SEED:#x} case={case}"));
    }
}
