//! Fee rates and their rounding.

use crate::Amount;

/// A fee in parts per million of the notional. Negative is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeRate(i32);

const MILLION: u64 = 1_000_000;

impl FeeRate {
    /// The largest magnitude of a rate: the whole notional. It keeps every seller's net proceeds at or above zero.
    pub const PPM_MAX: i32 = 1_000_000;

    /// A rate of so many parts per million.
    #[inline(always)]
    pub const fn from_ppm(ppm: i32) -> Self {
        Self(ppm)
    }

    /// How many parts per million.
    #[inline(always)]
    pub const fn ppm(self) -> i32 {
        self.0
    }

    /// The rate, or zero when it is a rebate.
    #[inline(always)]
    pub fn or_zero(self) -> Self {
        Self(self.0.max(0))
    }

    /// The fee on `notional`, rounded up. For a hold: the most that a part of an order can be charged.
    #[inline(always)]
    pub fn rounded_up(self, notional: Amount) -> Amount {
        RoundedFee::default().charge(self, notional)
    }
}

/// The two rates an order carries, fixed when it is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FeeRates {
    /// Charged for what the order takes.
    pub taker: FeeRate,
    /// Charged for what the order makes. May be a rebate.
    pub maker: FeeRate,
}

/// What the rounding of the fees posted so far has left over, in millionths of a quantum.
///
/// A fee is the rounding of the *cumulative* notional, up for a charge and down for a rebate: always against the account.
/// Instead of the cumulative notional this keeps only how far the posted fee is above the exact one (`0 .. 1_000_000`),
/// which gives the same postings in four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoundedFee {
    excess_millionths: u32,
}

impl RoundedFee {
    /// Restores the remainder that [`RoundedFee::excess_millionths`] gave.
    #[inline(always)]
    pub const fn from_excess_millionths(excess_millionths: u32) -> Self {
        Self { excess_millionths }
    }

    /// How far the posted fee is above the exact one.
    #[inline(always)]
    pub const fn excess_millionths(self) -> u32 {
        self.excess_millionths
    }

    /// Posts the fee of a further `notional` (not negative) at `rate` and returns it: positive is paid by the account,
    /// negative is a rebate to it.
    #[inline(always)]
    pub fn charge(&mut self, rate: FeeRate, notional: Amount) -> Amount {
        debug_assert!(notional >= Amount::ZERO, "Invariant: a notional that is charged is not negative");
        let magnitude = u64::from(rate.0.unsigned_abs());
        let quanta = notional.quanta() as u128;
        let excess = u64::from(self.excess_millionths);
        // Below 2^40 quanta of notional the product with a rate of at most 2^20 fits 64 bits: one multiplication and a
        // division by a constant. A 128-bit division costs ten times as much.
        if quanta < 1 << 40 {
            let exact = quanta as u64 * magnitude;
            let (fee, left) = if rate.0 >= 0 {
                // The excess is below a million, so this is the ceiling of what it leaves uncovered.
                let fee = (exact + (MILLION - 1 - excess)) / MILLION;
                (fee as i64, fee * MILLION + excess - exact)
            } else {
                let rebate = (exact + excess) / MILLION;
                (-(rebate as i64), exact + excess - rebate * MILLION)
            };
            self.excess_millionths = left as u32;
            Amount::from_quanta(i128::from(fee))
        } else {
            // By value, so that the remainder need not be in memory for this.
            let (fee, posted) = self.charge_wide(rate, quanta);
            *self = posted;
            fee
        }
    }

    /// The same for any notional: whole millions of quanta have an exact fee, only the part below is rounded.
    #[cold]
    #[inline(never)]
    fn charge_wide(self, rate: FeeRate, quanta: u128) -> (Amount, Self) {
        let million = u128::from(MILLION);
        let (magnitude, excess) = (u128::from(rate.0.unsigned_abs()), u128::from(self.excess_millionths));
        let (whole, part) = (quanta / million * magnitude, quanta % million * magnitude);
        let (fee, left) = if rate.0 >= 0 {
            let fee = part.saturating_sub(excess).div_ceil(million);
            ((whole + fee) as i128, fee * million + excess - part)
        } else {
            let rebate = (part + excess) / million;
            (-((whole + rebate) as i128), part + excess - rebate * million)
        };
        (Amount::from_quanta(fee), Self { excess_millionths: left as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cumulative_rounding_is_that_of_the_sum() {
        for ppm in [-250_i32, -1, 0, 1, 200, 1000, 999_999, 1_000_000] {
            let (mut fee, mut posted, mut sum) = (RoundedFee::default(), 0_i128, 0_i128);
            for step in 1..2000_i128 {
                let notional = step * 7919 % 4001 + if step % 50 == 0 { 1 << 45 } else { 0 };
                posted += fee.charge(FeeRate::from_ppm(ppm), Amount::from_quanta(notional)).quanta();
                sum += notional;
                let exact = sum * i128::from(ppm);
                // Up for a charge, down for a rebate: both are the ceiling of the signed value.
                let rounded = exact.div_euclid(1_000_000) + i128::from(exact.rem_euclid(1_000_000) != 0);
                assert_eq!(posted, rounded, "ppm={ppm} after {step} steps");
            }
        }
    }
}
