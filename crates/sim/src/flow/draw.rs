//! What the flow draws besides plain numbers: exponential times, power laws, geometric distances, a bell curve.
//!
//! Fractions are fixed-point with 32 bits behind the point ("Q32"). The two tables are computed by the compiler from
//! integer square roots and squarings alone, so that every platform has the same ones; between their entries a straight
//! line is good to five digits.

use crate::random::Random;

/// One, in Q32.
pub(super) const ONE: u64 = 1 << 32;

const CELLS: usize = 256;
/// Working precision of the tables: 62 bits behind the point.
const FINE_BITS: u32 = 62;
const FINE_ONE: u128 = 1 << FINE_BITS;
/// The natural logarithm of 2, in Q32.
const LN_2: u64 = 2_977_044_472;
/// The binary logarithm of e, in Q32.
const LOG2_E: u64 = 6_196_328_019;

/// ln(1 + i / 256), in Q32.
static LOGARITHMS: [u64; CELLS + 1] = logarithms();
/// 2^(-i / 256), in Q32.
static HALVINGS: [u64; CELLS + 1] = halvings();

/// The largest number whose square is not above `value`, bit by bit.
const fn square_root(value: u128) -> u128 {
    let (mut root, mut bit) = (0, 1_u128 << 63);
    while bit > 0 {
        if (root | bit) * (root | bit) <= value {
            root |= bit;
        }
        bit >>= 1;
    }
    root
}

/// Each squaring of a number between 1 and 2 gives one more binary digit of its logarithm.
const fn logarithms() -> [u64; CELLS + 1] {
    let mut table = [0; CELLS + 1];
    let mut cell = 0;
    while cell < CELLS {
        let mut x = FINE_ONE + (FINE_ONE >> 8) * cell as u128;
        let (mut binary, mut digits) = (0_u64, 0);
        while digits < 32 {
            x = (x * x) >> FINE_BITS;
            binary <<= 1;
            if x >= 2 * FINE_ONE {
                x >>= 1;
                binary |= 1;
            }
            digits += 1;
        }
        table[cell] = ((binary as u128 * LN_2 as u128) >> 32) as u64;
        cell += 1;
    }
    table[CELLS] = LN_2;
    table
}

/// The square root of a half, its square root, and so on: their products are all the powers that are needed.
const fn halvings() -> [u64; CELLS + 1] {
    let mut table = [0; CELLS + 1];
    let mut cell = 0;
    while cell <= CELLS {
        let (mut power, mut root, mut bit) = (FINE_ONE, FINE_ONE >> 1, CELLS);
        while bit > 0 {
            if cell & bit != 0 {
                power = (power * root) >> FINE_BITS;
            }
            root = square_root(root << FINE_BITS);
            bit >>= 1;
        }
        table[cell] = (power >> (FINE_BITS - 32)) as u64;
        cell += 1;
    }
    table
}

/// An exponential variate with mean 1, in Q32: minus the logarithm of a uniform number.
#[inline]
pub(super) fn exponential(random: &mut Random) -> u64 {
    let uniform = random.next_u64() | 1;
    let zeros = uniform.leading_zeros();
    // The digits behind the leading one: the uniform number is (1 + fraction) / 2^(zeros + 1).
    let fraction = (uniform << zeros) << 1;
    let (cell, within) = ((fraction >> 56) as usize, fraction >> 24 & (ONE - 1));
    let (low, high) = (LOGARITHMS[cell], LOGARITHMS[cell + 1]);
    let logarithm = low + (((high - low) * within) >> 32);
    u64::from(zeros + 1) * LN_2 - logarithm
}

/// 2^-exponent, both in Q32.
#[inline]
pub(super) fn halved(exponent: u64) -> u64 {
    let (cell, within) = ((exponent >> 24 & 0xFF) as usize, (exponent & 0xFF_FFFF) << 8);
    let (high, low) = (HALVINGS[cell], HALVINGS[cell + 1]);
    let value = high - (((high - low) * within) >> 32);
    value.checked_shr((exponent >> 32) as u32).unwrap_or(0)
}

/// The tail of a power law: how fast large values become rare.
#[derive(Clone, Copy, Debug)]
pub(super) struct PowerLaw {
    /// log2(e) / exponent, in Q32.
    stretch: u64,
}

impl PowerLaw {
    /// The law in which a value `x` times as large is `x^(tenths / 10)` times as rare.
    pub(super) const fn with_tenths(tenths: u64) -> Self {
        Self { stretch: LOG2_E * 10 / tenths }
    }

    /// A value of at least `minimum`, and at most `maximum`.
    #[inline]
    pub(super) fn draw(self, random: &mut Random, minimum: u64, maximum: u64) -> u64 {
        let exponent = ((exponential(random) >> 8) * (self.stretch >> 8)) >> 16;
        let (doublings, rest) = (exponent >> 32, exponent & (ONE - 1));
        if doublings > 20 {
            return maximum;
        }
        // 2^exponent is taken as a halving from the next whole doubling.
        let value = ((minimum * halved(ONE - rest)) >> 31) << doublings;
        value.min(maximum)
    }
}

/// A geometric number: 0 is the most likely, `mean` about the average.
#[inline]
pub(super) fn geometric(random: &mut Random, mean: u64) -> u64 {
    (exponential(random) * mean) >> 32
}

/// A number around zero with standard deviation 4: the balance of 64 coins, halved.
#[inline]
pub(super) fn bell(random: &mut Random) -> i64 {
    i64::from(random.next_u64().count_ones()) - 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hit_known_values() {
        // ln 1.5, 2^-0.5 and 2^-0.25, by any calculator.
        assert_eq!(LOGARITHMS[128], 1_741_459_378);
        assert_eq!(HALVINGS[128], 3_037_000_499);
        assert_eq!(HALVINGS[64], 3_611_622_602);
        assert_eq!((HALVINGS[0], HALVINGS[256], halved(3 * ONE)), (ONE, ONE / 2, ONE / 8));
        assert_eq!(halved(200 * ONE), 0);
    }

    #[test]
    fn means_and_tails_are_those_of_their_laws() {
        let mut random = Random::new(5);
        let draws = 200_000;
        let mean = (0..draws).map(|_| exponential(&mut random)).sum::<u64>() / draws;
        assert!(mean.abs_diff(ONE) < ONE / 100, "{mean}");
        let mean = (0..draws).map(|_| geometric(&mut random, 100)).sum::<u64>() / draws;
        assert!((97..=101).contains(&mean), "{mean}");
        let spread = (0..draws).map(|_| bell(&mut random).pow(2)).sum::<i64>() / draws as i64;
        assert!((15..=16).contains(&spread), "{spread}");

        // With exponent 1.5 a value eight times as large is 22.6 times as rare.
        let law = PowerLaw::with_tenths(15);
        let sizes: Vec<u64> = (0..draws).map(|_| law.draw(&mut random, 1_000, 1_000_000)).collect();
        assert!(sizes.iter().all(|size| (999..=1_000_000).contains(size)));
        let large = sizes.iter().filter(|size| **size >= 8_000).count() as u64;
        assert!((draws / 24..draws / 21).contains(&large), "{large}");
    }
}
