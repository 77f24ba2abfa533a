//! How long each stage takes: counts that their thread writes and anybody reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::passage::Passage;

/// Values below this have a bucket each.
const LINEAR: u64 = 32;
/// Buckets between a power of two and the next: a value is known to 3 %.
const STEPS: usize = 32;
const BUCKETS: usize = LINEAR as usize + STEPS * 59;

/// A histogram of nanoseconds with one writer. Writing is two plain additions in memory of its thread; reading never disturbs
/// it, and may see a value that has not reached the sum yet.
#[derive(Debug)]
pub struct StageHistogram {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for StageHistogram {
    fn default() -> Self {
        Self {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }
}

impl StageHistogram {
    /// Counts `count` values of `value_ns`.
    #[inline]
    pub fn record(&self, value_ns: u64, count: u64) {
        // One writer: a load and a store are enough, and cost no lock on the bus.
        let add = |cell: &AtomicU64, by: u64| cell.store(cell.load(Relaxed).wrapping_add(by), Relaxed);
        add(&self.counts[bucket(value_ns)], count);
        add(&self.sum, value_ns.wrapping_mul(count));
        if value_ns > self.max.load(Relaxed) {
            self.max.store(value_ns, Relaxed);
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> StageSummary {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let total = counts.iter().sum();
        let max_ns = self.max.load(Relaxed);
        let at = |part: f64| {
            let wanted = (total as f64 * part).ceil().max(1.0) as u64;
            let mut below = 0;
            let found = counts.iter().position(|count| {
                below += count;
                below >= wanted
            });
            found.map_or(0, upper_ns).min(max_ns)
        };
        StageSummary {
            count: total,
            sum_ns: self.sum.load(Relaxed),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns,
        }
    }
}

/// A histogram in a few numbers, each known to 3 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StageSummary {
    pub count: u64,
    pub sum_ns: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p999_ns: u64,
    pub max_ns: u64,
}

#[inline]
fn bucket(value: u64) -> usize {
    if value < LINEAR {
        return value as usize;
    }
    let power = 63 - value.leading_zeros() as usize;
    let step = (value >> (power - 5)) as usize & (STEPS - 1);
    LINEAR as usize + (power - 5) * STEPS + step
}

/// The largest value of a bucket.
fn upper_ns(bucket: usize) -> u64 {
    if bucket < LINEAR as usize {
        return bucket as u64;
    }
    let (power, step) = ((bucket - LINEAR as usize) / STEPS, (bucket - LINEAR as usize) % STEPS);
    let next = (STEPS + step + 1) as u128;
    u64::try_from((next << power) - 1).unwrap_or(u64::MAX)
}

/// The stages of a node, in the order in which a command passes them.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// From the beginning of the doors' round that read a command until it went to the sequencer. Sampled.
    pub gateway: Arc<StageHistogram>,
    /// From there until the sequencer gave it its time. Sampled.
    pub queue: Arc<StageHistogram>,
    /// Risk and matching, a batch divided by its commands.
    pub apply: Arc<StageHistogram>,
    /// Framing, writing and syncing one batch of the log.
    pub journal: Arc<StageHistogram>,
    /// From the time of a batch's first command until its events may be read.
    pub gate: Arc<StageHistogram>,
    /// From there until the doors had sent what came of a command. Sampled.
    pub publish: Arc<StageHistogram>,
    /// The commands that are sampled.
    pub(crate) passage: Arc<Passage>,
}

impl Stages {
    /// Every stage with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &StageHistogram); 6] {
        let Self { gateway, queue, apply, journal, gate, publish, passage: _ } = self;
        [
            ("gateway", gateway),
            ("queue", queue),
            ("apply", apply),
            ("journal", journal),
            ("gate", gate),
            ("publish", publish),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_it_says() {
        let mut last = 0;
        for value in (0..2_000).chain((11..64).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 7])) {
            let bucket = bucket(value);
            assert!(bucket < BUCKETS && bucket >= last, "{value}");
            assert!(upper_ns(bucket) >= value, "{value}");
            assert!(upper_ns(bucket) as f64 <= value as f64 * 1.04 + 1.0, "{value}");
            last = bucket;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_three_percent() {
        let histogram = StageHistogram::default();
        for value in 1..=10_000 {
            histogram.record(value, 2);
        }
        let StageSummary { count, sum_ns, p50_ns, p99_ns, p999_ns, max_ns, .. } = histogram.read();
        assert_eq!((count, sum_ns, max_ns), (20_000, 100_010_000, 10_000));
        for (found, exact) in [(p50_ns, 5_000.0), (p99_ns, 9_900.0), (p999_ns, 9_990.0)] {
            assert!((found as f64 / exact - 1.0).abs() < 0.04, "{found} {exact}");
        }
        assert_eq!(StageHistogram::default().read(), StageSummary::default());
    }
}
