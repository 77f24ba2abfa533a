//! When something happens, and in which market.
//!
//! Each market has a base rate. In a Hawkes market every arrival makes further ones more likely for a while; in a
//! Poisson market it does not. The next arrival over all markets is found by thinning: rates only fall between
//! arrivals, so the last known ones are a bound, and a candidate counts with the probability that its true rate has
//! to its bound.

use crate::random::Random;

use super::draw;

/// What excitation loses in a nanosecond, as a negative power of two in Q32: a tenth of a second until it is down to
/// 1/e.
const DECAY_Q32_PER_NS: u64 = 62;
/// The same as a rate, a second, in Q16.
const DECAY_PER_SECOND: u64 = 10 << 16;
const LEAVES: usize = 64;

/// One market's rate. Rates are events in a second, with 16 bits behind the point.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    base: u64,
    excitation: u64,
    /// What one arrival adds.
    jump: u64,
    /// When `excitation` was right.
    time_ns: u64,
}

/// The arrival times of all markets, merged.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    streams: [Stream; LEAVES],
    /// Sums of the bounds: node `n` is the sum of nodes `2n` and `2n + 1`, the leaves stand at the end.
    bounds: [u64; 2 * LEAVES],
    time_ns: u64,
}

impl Arrivals {
    /// The most markets.
    pub(super) const MARKETS_MAX: usize = LEAVES;

    /// No market yet; time starts at `time_ns`.
    pub(super) fn starting_at(time_ns: u64) -> Self {
        Self { streams: [Stream::default(); LEAVES], bounds: [0; 2 * LEAVES], time_ns }
    }

    /// Gives market `index` its base rate. `children_permille` is how many further arrivals each one causes, in
    /// thousandths; 0 is Poisson, 1,000 would never calm down.
    pub(super) fn set(&mut self, index: usize, per_second: u64, children_permille: u64) {
        let jump = DECAY_PER_SECOND * children_permille / 1_000;
        self.streams[index] = Stream { base: per_second << 16, excitation: 0, jump, time_ns: self.time_ns };
        self.set_bound(index, per_second << 16);
    }

    /// The time of the last arrival.
    pub(super) fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// Lets time pass without an arrival.
    pub(super) fn advance(&mut self, nanoseconds: u64) {
        self.time_ns += nanoseconds;
    }

    /// The market of the next arrival; [`Arrivals::time_ns`] is its time.
    #[inline]
    pub(super) fn next(&mut self, random: &mut Random) -> usize {
        loop {
            let total = self.bounds[1];
            self.time_ns += (draw::exponential(random) >> 16) * 1_000_000_000 / total;
            let (index, ticket) = self.find(random.below(total));
            let stream = &mut self.streams[index];
            let passed = (self.time_ns - stream.time_ns).saturating_mul(DECAY_Q32_PER_NS);
            stream.excitation = ((u128::from(stream.excitation) * u128::from(draw::halved(passed))) >> 32) as u64;
            stream.time_ns = self.time_ns;
            let rate = stream.base + stream.excitation;
            // Below its bound the ticket is uniform: it is the coin of the thinning, too.
            let counts = ticket < rate;
            if counts {
                stream.excitation += stream.jump;
            }
            let bound = stream.base + stream.excitation;
            self.set_bound(index, bound);
            if counts {
                return index;
            }
        }
    }

    /// The leaf in which `ticket` falls, and how far into it.
    #[inline]
    fn find(&self, mut ticket: u64) -> (usize, u64) {
        let mut node = 1;
        while node < LEAVES {
            node *= 2;
            if ticket >= self.bounds[node] {
                ticket -= self.bounds[node];
                node += 1;
            }
        }
        (node - LEAVES, ticket)
    }

    #[inline]
    fn set_bound(&mut self, index: usize, bound: u64) {
        let mut node = LEAVES + index;
        let old = std::mem::replace(&mut self.bounds[node], bound);
        while node > 1 {
            node /= 2;
            self.bounds[node] = self.bounds[node] + bound - old;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(children_permille: u64, seconds: u64) -> Vec<u64> {
        let (mut arrivals, mut random) = (Arrivals::starting_at(0), Random::new(11));
        arrivals.set(0, 300, children_permille);
        arrivals.set(1, 100, children_permille);
        let mut by_tenth = vec![0; seconds as usize * 10];
        let mut first = 0;
        loop {
            let market = arrivals.next(&mut random);
            let Some(tenth) = by_tenth.get_mut((arrivals.time_ns() / 100_000_000) as usize) else { break };
            *tenth += 1;
            first += u64::from(market == 0);
        }
        let total: u64 = by_tenth.iter().sum();
        assert!(
            (first * 4).abs_diff(total * 3) < total / 20,
            "three in four are the first market's: {first} of {total}"
        );
        by_tenth
    }

    /// The variance of the counts, in percent of their mean: 100 for Poisson.
    fn dispersion(counts: &[u64]) -> u64 {
        let number = counts.len() as u64;
        let mean = counts.iter().sum::<u64>() / number;
        100 * counts.iter().map(|count| count.abs_diff(mean).pow(2)).sum::<u64>() / number / mean
    }

    #[test]
    fn poisson_arrivals_have_their_rate_and_no_memory() {
        let counts = counts(0, 100);
        let total: u64 = counts.iter().sum();
        assert!((39_000..41_000).contains(&total), "{total}");
        assert!((85..115).contains(&dispersion(&counts)), "{}", dispersion(&counts));
    }

    #[test]
    fn hawkes_arrivals_come_in_clusters() {
        let counts = counts(500, 100);
        let total: u64 = counts.iter().sum();
        assert!((76_000..84_000).contains(&total), "each arrival has one child on average: {total}");
        assert!(dispersion(&counts) > 130, "{}", dispersion(&counts));
    }
}
