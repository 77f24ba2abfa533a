//! Unsigned integers of 320 bits: what an exact time-pro-rata needs, and no more.

use core::cmp::Ordering;

const LIMBS: usize = 5;

/// A number below 2^320, its lowest 64 bits first. Nothing wraps: a result that does not fit is a bug of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide([u64; LIMBS]);

impl Wide {
    const ONE: Self = Self([1, 0, 0, 0, 0]);

    /// `base` times itself, `exponent` times over; at most 5.
    #[inline]
    pub(crate) fn power(base: u64, exponent: u32) -> Self {
        (0..exponent).fold(Self::ONE, |power, _| power.times(base))
    }

    /// The product.
    #[inline]
    pub(crate) fn times(self, factor: u64) -> Self {
        let mut carry = 0;
        let product = self.0.map(|limb| {
            let product = u128::from(limb) * u128::from(factor) + u128::from(carry);
            carry = (product >> 64) as u64;
            product as u64
        });
        assert_eq!(carry, 0, "Invariant: the product is below 2^320");
        Self(product)
    }

    /// The difference; `other` is not larger.
    #[inline]
    pub(crate) fn minus(self, other: Self) -> Self {
        let (mut difference, mut borrow) = (self.0, false);
        for (limb, other) in difference.iter_mut().zip(other.0) {
            let (without, below) = limb.overflowing_sub(other);
            let (without, below_too) = without.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (without, below | below_too);
        }
        assert!(!borrow, "Invariant: what is taken is not larger than what it is taken from");
        Self(difference)
    }

    /// How many times `divisor` goes into this whole. The divisor is above zero and below 2^256, the quotient below 2^64.
    #[inline]
    pub(crate) fn quotient(self, divisor: Self) -> u64 {
        // One step of long division in base 2^64. With the divisor's highest bit moved to the top of its place, the two
        // highest digits of the dividend by the highest of the divisor are never too small and at most two too large
        // (Knuth, volume 2, 4.3.1, theorem B).
        let shift = divisor.leading_zeros() - u64::BITS;
        let (dividend, divisor) = (self.shifted_left(shift), divisor.shifted_left(shift));
        let highest = u128::from(dividend.0[LIMBS - 1]) << 64 | u128::from(dividend.0[LIMBS - 2]);
        let estimate = highest / u128::from(divisor.0[LIMBS - 2]);
        let mut quotient = u64::try_from(estimate).unwrap_or(u64::MAX);
        while divisor.times(quotient) > dividend {
            quotient -= 1;
        }
        quotient
    }

    fn leading_zeros(self) -> u32 {
        let highest =
            (0..LIMBS).rev().find(|index| self.0[*index] != 0).expect("Invariant: nothing is divided by zero");
        (LIMBS - 1 - highest) as u32 * u64::BITS + self.0[highest].leading_zeros()
    }

    /// The number times 2^`bits`.
    fn shifted_left(self, bits: u32) -> Self {
        let (limbs, bits) = ((bits / u64::BITS) as usize, bits % u64::BITS);
        let (kept, lost) = self.0.split_at(LIMBS - limbs);
        assert!(lost.iter().all(|limb| *limb == 0), "Invariant: the quotient is below 2^64");
        let mut shifted = [0; LIMBS];
        shifted[limbs..].copy_from_slice(kept);
        // A power of two is a factor like any other; it knows how to carry.
        Self(shifted).times(1 << bits)
    }
}

impl Ord for Wide {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Wide {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = u64::MAX;

    fn wide(number: u128) -> Wide {
        Wide([number as u64, (number >> 64) as u64, 0, 0, 0])
    }

    #[test]
    fn powers_are_those_of_the_definition() {
        assert_eq!(Wide::power(7, 0), Wide::ONE);
        assert_eq!(Wide::power(3, 4), wide(81));
        assert_eq!(Wide::power(MAX, 2), wide(u128::from(MAX) * u128::from(MAX)));
        // (2^64 - 1)^4 = 2^256 - 4*2^192 + 6*2^128 - 4*2^64 + 1
        assert_eq!(Wide::power(MAX, 4), Wide([1, MAX - 3, 5, MAX - 3, 0]));
    }

    #[test]
    fn a_difference_borrows_across_all_digits() {
        let above = Wide([0, 0, 0, 0, 1]);
        assert_eq!(above.minus(Wide::ONE), Wide([MAX, MAX, MAX, MAX, 0]));
        assert_eq!(above.minus(above), wide(0));
        assert!(above > Wide([MAX, MAX, MAX, MAX, 0]));
    }

    #[test]
    #[should_panic(expected = "not larger")]
    fn a_difference_is_not_below_zero() {
        let _ = Wide::ONE.minus(wide(2));
    }

    #[test]
    #[should_panic(expected = "below 2^320")]
    fn a_product_does_not_wrap() {
        let _ = Wide([0, 0, 0, 0, 1 << 63]).times(2);
    }

    #[test]
    #[should_panic(expected = "quotient is below 2^64")]
    fn a_quotient_fits() {
        let _ = Wide([0, 0, 0, 0, 1]).quotient(Wide::ONE);
    }

    #[test]
    fn a_quotient_is_exact_to_one_unit() {
        // For every divisor and quotient: dividends at both ends of what gives that quotient, and the ones just outside.
        let lows = [1, 2, 3, 1 << 31, (1 << 32) + 1, 1 << 63, MAX - 1, MAX];
        for base in lows {
            for exponent in 1..=4 {
                for spread in [0, 1, MAX] {
                    // Divisors of all lengths, with all kinds of digits below the first.
                    let divisor = Wide::power(base, exponent);
                    let divisor =
                        if divisor > wide(u128::from(spread)) { divisor.minus(wide(spread.into())) } else { divisor };
                    for quotient in [1, 2, 1_000_003, 1 << 40, 1 << 63, MAX - 1] {
                        let exact = divisor.times(quotient);
                        let next = divisor.times(quotient + 1).minus(Wide::ONE);
                        assert_eq!(exact.quotient(divisor), quotient, "{divisor:?}");
                        assert_eq!(next.quotient(divisor), quotient, "{divisor:?}");
                        assert_eq!(exact.minus(Wide::ONE).quotient(divisor), quotient - 1, "{divisor:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn small_quotients_are_those_of_the_machine() {
        for dividend in 0..400_u128 {
            for divisor in 1..40 {
                assert_eq!(u128::from(wide(dividend).quotient(wide(divisor))), dividend / divisor);
            }
        }
    }
}
