//! The formulas of `tests/lemmas` against the real functions: every small case, and a million random ones.

use tradewright_types::{Amount, AssetId, FeeRate, InstrumentUnits, Price, Quantity, RawNotional, RoundedFee};

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
