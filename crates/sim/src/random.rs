//! The one generator of this crate. It owns integers only: the same stream on every platform and build.
//!
//! The natural logarithm that the benchmark workloads need lives with them, not here.

/// xorshift64*: 64 bits of state, a multiplication at the end. Fast, seedable, and not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts the stream of `seed`. Zero, which the generator cannot leave, is replaced by a fixed constant.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: if seed == 0 { 0x9E37_79B9_7F4A_7C15 } else { seed } }
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(2_685_821_657_736_338_717)
    }

    /// A number below `bound`, by remainder. The published workloads are defined with it; its bias is below
    /// `bound` / 2^64.
    ///
    /// # Panics
    /// When `bound` is zero.
    #[inline]
    pub const fn remainder(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// A number below `bound`, by multiplication: cheaper than a division, and it uses the better, upper bits.
    ///
    /// # Panics
    /// When `bound` is zero: there is no such number.
    #[inline]
    pub const fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "Condition failed: bound=0, must be at least 1");
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A number between `low` and `high`, both inclusive.
    ///
    /// # Panics
    /// When `low` is above `high`, or when they span all 64 bits.
    #[inline]
    pub const fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "Condition failed: low must not be above high");
        low.wrapping_add(self.below(high.abs_diff(low) + 1) as i64)
    }

    /// True in `parts_per_million` of a million draws.
    #[inline]
    pub const fn chance_ppm(&mut self, parts_per_million: u64) -> bool {
        self.below(1_000_000) < parts_per_million
    }

    /// A coin.
    #[inline]
    pub const fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// A generator for a part of the simulation, so that one part's draws do not move the others.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::new(self.next_u64())
    }
}

/// Draws an index in proportion to integer weights.
#[derive(Clone, Debug)]
pub struct WeightedTable {
    /// Running totals: `cumulative[i]` is the weight of all entries up to and including `i`.
    cumulative: Vec<u64>,
}

impl WeightedTable {
    /// Builds the table. An entry of weight zero is never drawn.
    ///
    /// # Panics
    /// When all weights are zero: nothing could be drawn.
    #[must_use]
    pub fn new(weights: &[u32]) -> Self {
        let mut total = 0;
        let cumulative: Vec<u64> = weights
            .iter()
            .map(|&weight| {
                total += u64::from(weight);
                total
            })
            .collect();
        assert!(total > 0, "Condition failed: {weights:?} has no weight above zero");
        Self { cumulative }
    }

    /// Draws an index.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> usize {
        let total = self.cumulative[self.cumulative.len() - 1];
        let ticket = random.below(total);
        self.cumulative.partition_point(|&up_to_here| up_to_here <= ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_seed_42_never_changes() {
        let mut random = Random::new(42);
        let first: Vec<u64> = (0..4).map(|_| random.next_u64()).collect();
        assert_eq!(
            first,
            [
                6_255_019_084_209_693_600,
                14_430_073_426_741_505_498,
                14_575_455_857_230_217_846,
                17_414_512_882_241_728_735
            ]
        );
    }

    #[test]
    fn seed_zero_still_moves() {
        let mut random = Random::new(0);
        assert_ne!(random.next_u64(), random.next_u64());
    }

    #[test]
    fn bounds_are_inclusive_where_they_say_so() {
        let mut random = Random::new(7);
        let (mut low_seen, mut high_seen) = (false, false);
        for _ in 0..1_000 {
            let drawn = random.between(-2, 2);
            assert!((-2..=2).contains(&drawn));
            low_seen |= drawn == -2;
            high_seen |= drawn == 2;
            assert!(random.below(3) < 3);
            assert_eq!(random.between(5, 5), 5);
        }
        assert!(low_seen && high_seen);
        assert!(!random.chance_ppm(0));
        assert!(random.chance_ppm(1_000_000));
    }

    #[test]
    fn a_table_draws_in_proportion_and_never_a_zero_weight() {
        let table = WeightedTable::new(&[0, 1, 0, 3]);
        let mut random = Random::new(3);
        let mut drawn = [0; 4];
        for _ in 0..40_000 {
            drawn[table.draw(&mut random)] += 1;
        }
        assert_eq!((drawn[0], drawn[2]), (0, 0));
        assert!((9_500..10_500).contains(&drawn[1]), "{drawn:?}");
    }
}
