//! What a hop over a ring costs: the floor under every latency that two threads or processes share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Instant;

use tradewright_transport::{
    Bell, Consumer, Idle, Placement, PlacementError, Polled, Producer, Reader, Region, RegionError, RegionOptions,
    Releaser, Shape, Start, Wait, Writer,
};
use tradewright_types::{CommandRecord, EventRecord};
use zerocopy::FromZeros;

use crate::Stopwatch;

/// As large as a session's ring: 256 KiB of commands.
const QUEUE_SLOTS: u64 = 1 << 12;
/// 8 MiB of events.
const BROADCAST_SLOTS: u64 = 1 << 16;
const BATCH: usize = 64;
/// Round trips before the clock runs.
const WARM_UP: usize = 1_000;

/// What a hop costs one way, and how much passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RingFigures {
    /// Half a round trip of one command, median.
    pub hop_p50_ns: f64,
    /// The 99th percentile.
    pub hop_p99_ns: f64,
    /// The 99.9th percentile.
    pub hop_p999_ns: f64,
    /// The slowest.
    pub hop_max_ns: f64,
    /// Commands a second over a queue, in batches of up to 64.
    pub queue_per_second: f64,
    /// Events a second written to a broadcast that one reader follows, in batches of up to 64.
    pub broadcast_per_second: f64,
    /// How many of those events the reader missed.
    pub broadcast_skipped: u64,
    /// Events a second when the writer is held back to what the reader can follow: none is missed.
    pub followed_per_second: f64,
}

/// How the rings are driven.
#[derive(Clone, Copy, Debug)]
pub struct RingOptions {
    /// The cores of both ends; `None` leaves them to the system.
    pub cores: [Option<usize>; 2],
    /// What an end does that finds nothing.
    pub wait: Wait,
    /// Round trips.
    pub hops: usize,
    /// Slots that pass in the two measurements of throughput.
    pub slots: u64,
}

impl Default for RingOptions {
    fn default() -> Self {
        Self { cores: [None; 2], wait: Wait::Spin, hops: 100_000, slots: 10_000_000 }
    }
}

/// Why nothing was measured.
#[derive(Debug)]
pub enum RingBenchError {
    /// A ring could not be made.
    Region(RegionError),
    /// A core could not be had.
    Placement(PlacementError),
}

impl std::fmt::Display for RingBenchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Region(error) => error.fmt(f),
            Self::Placement(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RingBenchError {}

impl From<RegionError> for RingBenchError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl From<PlacementError> for RingBenchError {
    fn from(error: PlacementError) -> Self {
        Self::Placement(error)
    }
}

/// Two queues, there and back.
pub struct RingPair {
    there: Arc<Region>,
    back: Arc<Region>,
}

impl RingPair {
    /// In memory of this process.
    ///
    /// # Errors
    /// The system refuses the memory.
    pub fn in_memory() -> Result<Self, RegionError> {
        let shape = Shape::queue::<CommandRecord>(QUEUE_SLOTS, 1);
        let make = || Region::in_memory(shape, &RegionOptions::default());
        Ok(Self { there: make()?, back: make()? })
    }

    /// In two files, made here: the other process opens them with [`RingPair::open`].
    ///
    /// # Errors
    /// The system refuses the files.
    pub fn create(path: &std::path::Path) -> Result<Self, RegionError> {
        let shape = Shape::queue::<CommandRecord>(QUEUE_SLOTS, 1);
        let make = |end| Region::create(path.with_extension(end), shape, &RegionOptions::default());
        Ok(Self { there: make("there")?, back: make("back")? })
    }

    /// What another process made.
    ///
    /// # Errors
    /// The files are not there, or no rings.
    pub fn open(path: &std::path::Path) -> Result<Self, RegionError> {
        let open = |end| Region::open(path.with_extension(end), tradewright_transport::Access::ReadWrite);
        Ok(Self { there: open("there")?, back: open("back")? })
    }

    /// Sends every command back until one comes whose order id is `u64::MAX`.
    ///
    /// # Errors
    /// A side of a ring is taken.
    pub fn echo(&self, wait: Wait) -> Result<(), RegionError> {
        let mut from = Consumer::<CommandRecord>::attach(&self.there)?;
        let mut to = Producer::<CommandRecord>::attach(&self.back)?;
        let mut idle = Idle::new(wait);
        loop {
            let records = from.readable()?;
            let count = to.push_slice(records)?;
            let is_last = records[..count].last().is_some_and(|record| record.order_ref == u64::MAX);
            from.release(count);
            if is_last {
                return Ok(());
            }
            if count == 0 {
                from.pause(&mut idle);
            } else {
                idle.worked();
            }
        }
    }

    /// Sends single commands and waits for each to come back; returns half of each round trip in nanoseconds, sorted. Ends
    /// the echo.
    ///
    /// # Errors
    /// A side of a ring is taken.
    pub fn hops(&self, hops: usize, wait: Wait) -> Result<Vec<f64>, RegionError> {
        let mut to = Producer::<CommandRecord>::attach(&self.there)?;
        let mut from = Consumer::<CommandRecord>::attach(&self.back)?;
        let (stopwatch, mut idle) = (Stopwatch::start(), Idle::new(wait));
        let mut ticks = Vec::with_capacity(hops);
        for number in 0..hops + WARM_UP {
            let mut record = CommandRecord::new_zeroed();
            record.order_ref = number as u64;
            let before = stopwatch.ticks();
            to.push_slice(&[record])?;
            let back = loop {
                if let [back, ..] = from.readable()? {
                    break *back;
                }
                from.pause(&mut idle);
            };
            let after = stopwatch.ticks();
            from.release(1);
            idle.worked();
            assert_eq!(back.order_ref, number as u64, "Invariant: the echo sends back what came");
            if number >= WARM_UP {
                ticks.push(stopwatch.between(before, after));
            }
        }
        let mut last = CommandRecord::new_zeroed();
        last.order_ref = u64::MAX;
        to.push_slice(&[last])?;
        let ns_per_tick = stopwatch.ns_per_tick();
        let mut hops: Vec<f64> = ticks.iter().map(|&ticks| ticks as f64 * ns_per_tick / 2.0).collect();
        hops.sort_by(f64::total_cmp);
        Ok(hops)
    }
}

/// Measures rings between two threads.
///
/// # Errors
/// A core or memory is refused.
pub fn ring_bench(options: &RingOptions) -> Result<RingFigures, RingBenchError> {
    let pair = RingPair::in_memory()?;
    let hops = together(options, || pair.echo(options.wait), || pair.hops(options.hops, options.wait))?;
    let queue_per_second = queue_rate(options)?;
    let (broadcast_per_second, broadcast_skipped) = broadcast_rate(options, u64::MAX)?;
    let (followed_per_second, missed) = broadcast_rate(options, BROADCAST_SLOTS / 2)?;
    assert_eq!(missed, 0, "Invariant: the writer waited");
    let [hop_p50_ns, hop_p99_ns, hop_p999_ns, hop_max_ns] = [0.5, 0.99, 0.999, 1.0].map(|share| quantile(&hops, share));
    Ok(RingFigures {
        hop_p50_ns,
        hop_p99_ns,
        hop_p999_ns,
        hop_max_ns,
        queue_per_second,
        broadcast_per_second,
        broadcast_skipped,
        followed_per_second,
    })
}

/// The value below which `share` of the sorted values lie.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(index.saturating_sub(1)).or(sorted.last()).copied().unwrap_or(0.0)
}

/// Runs both ends on threads of their own, placed, and returns what the second found.
fn together<T: Send>(
    options: &RingOptions,
    first: impl FnOnce() -> Result<(), RegionError> + Send,
    second: impl FnOnce() -> Result<T, RegionError> + Send,
) -> Result<T, RingBenchError> {
    let [here, there] = options.cores.map(|core| Placement { core, ..Placement::default() });
    // Tried before, in a thread of its own: an end that could not start would leave the other waiting.
    for placement in [here, there] {
        thread::scope(|scope| scope.spawn(|| placement.apply()).join().expect("Invariant: placing does not panic"))?;
    }
    thread::scope(|scope| {
        let first = scope.spawn(move || -> Result<(), RingBenchError> {
            here.apply()?;
            Ok(first()?)
        });
        let second = scope.spawn(move || -> Result<T, RingBenchError> {
            there.apply()?;
            Ok(second()?)
        });
        let found = second.join().expect("Invariant: the ends do not panic");
        first.join().expect("Invariant: the ends do not panic")?;
        found
    })
}

fn queue_rate(options: &RingOptions) -> Result<f64, RingBenchError> {
    let (mut producer, mut consumer) = tradewright_transport::queue::<CommandRecord>(QUEUE_SLOTS, 1)?;
    let (slots, wait) = (options.slots, options.wait);
    let write = move || {
        let mut idle = Idle::new(wait);
        let batch = [CommandRecord::new_zeroed(); BATCH];
        let mut left = slots;
        while left > 0 {
            let count = producer.push_slice(&batch[..left.min(BATCH as u64) as usize])?;
            left -= count as u64;
            if count == 0 {
                producer.pause(&mut idle);
            } else {
                idle.worked();
            }
        }
        Ok(())
    };
    let read = move || {
        let (mut idle, mut left, mut sum, mut started) = (Idle::new(wait), slots, 0_u64, None);
        while left > 0 {
            let records = consumer.readable()?;
            // Every record is looked at, as whoever takes it would.
            sum = records.iter().fold(sum, |sum, record| sum.wrapping_add(record.order_ref));
            let count = records.len();
            consumer.release(count);
            left -= count as u64;
            if count == 0 {
                consumer.pause(&mut idle);
            } else {
                started.get_or_insert_with(Instant::now);
                idle.worked();
            }
        }
        std::hint::black_box(sum);
        Ok(started.map_or(0.0, |started| slots as f64 / started.elapsed().as_secs_f64()))
    };
    together(options, write, read)
}

/// Events a second that were written and either read or missed, and how many were missed. The writer waits while the reader is
/// `lag_max` events behind.
fn broadcast_rate(options: &RingOptions, lag_max: u64) -> Result<(f64, u64), RingBenchError> {
    let region = Region::in_memory(Shape::broadcast::<EventRecord>(BROADCAST_SLOTS), &RegionOptions::default())?;
    let (mut writer, mut releaser) = (Writer::<EventRecord>::attach(&region)?, Releaser::attach(&region)?);
    let mut reader = Reader::<EventRecord>::attach(&region, Start::Oldest)?;
    let patience = Bell::in_memory()?;
    let (slots, wait) = (options.slots, options.wait);
    let read = AtomicU64::new(0);
    let follow = || {
        let (mut idle, mut into) = (Idle::new(wait), vec![EventRecord::default(); 1024]);
        while reader.position() < slots {
            match reader.poll(&mut into) {
                Polled::Empty => reader.pause(&mut idle),
                Polled::Count(_) | Polled::Behind { .. } => idle.worked(),
            }
            read.store(reader.position(), Relaxed);
        }
        Ok(reader.skipped())
    };
    let mut rate = 0.0;
    let write = || {
        let batch = [EventRecord::default(); BATCH];
        let started = Instant::now();
        let mut left = slots;
        while left > 0 {
            while writer.written() - read.load(Relaxed) > lag_max {
                Idle::new(wait).pause(&patience, || false);
            }
            writer.write(&batch[..left.min(BATCH as u64) as usize]);
            left = slots - writer.written();
            releaser.release(writer.written());
        }
        rate = slots as f64 / started.elapsed().as_secs_f64();
        Ok(())
    };
    let skipped = together(options, write, follow)?;
    Ok((rate, skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_passes_and_every_figure_is_there() {
        let options = RingOptions { wait: Wait::Yield, hops: 200, slots: 200_000, ..RingOptions::default() };
        let figures = ring_bench(&options).expect("two threads and some memory");
        assert!(figures.hop_p50_ns > 0.0 && figures.hop_p50_ns <= figures.hop_p99_ns);
        assert!(figures.hop_p99_ns <= figures.hop_p999_ns && figures.hop_p999_ns <= figures.hop_max_ns);
        assert!(figures.queue_per_second > 0.0 && figures.broadcast_per_second > 0.0);
        assert!(figures.followed_per_second > 0.0);
        assert!(figures.broadcast_skipped <= options.slots);
    }

    #[test]
    fn a_core_that_does_not_exist_is_told_and_nothing_hangs() {
        let options = RingOptions { cores: [Some(1 << 20), None], ..RingOptions::default() };
        let error = ring_bench(&options).expect_err("no such core");
        assert!(matches!(error, RingBenchError::Placement(_)), "{error}");
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.99, 0.999, 1.0].map(|share| quantile(&sorted, share)), [50.0, 99.0, 100.0, 100.0]);
        assert_eq!((quantile(&[7.0], 0.5), quantile(&[], 0.5)), (7.0, 0.0));
    }
}
