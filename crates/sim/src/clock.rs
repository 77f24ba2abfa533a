//! The clocks of the driver: CPU time of this thread for throughput, and a stopwatch that can time a single operation.

#![allow(unsafe_code, reason = "the system's CPU clock and the time-stamp counter have no safe interface")]

use std::time::Instant;

/// CPU time that this thread has used, in nanoseconds. Time during which another process had the core does not count.
#[cfg(unix)]
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that outlives the call, and the clock id is a constant of the platform.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "Invariant: each unix has a CPU clock for threads");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Wall time since the first call, in nanoseconds: this platform has no CPU clock for threads in its standard library.
#[cfg(not(unix))]
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Times single operations: a fenced time-stamp counter on x86-64, the monotonic clock elsewhere.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    started: Instant,
    started_ticks: u64,
    /// Ticks between two readings with nothing between them.
    own_ticks: u64,
}

impl Stopwatch {
    /// Starts the stopwatch and measures what reading it costs.
    #[must_use]
    pub fn start() -> Self {
        let mut stopwatch = Self { started: Instant::now(), started_ticks: 0, own_ticks: u64::MAX };
        for _ in 0..10_000 {
            let before = stopwatch.ticks();
            let after = stopwatch.ticks();
            stopwatch.own_ticks = stopwatch.own_ticks.min(after - before);
        }
        stopwatch.started = Instant::now();
        stopwatch.started_ticks = stopwatch.ticks();
        stopwatch
    }

    /// Reads the counter. Nothing moves across the reading in either direction.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    #[must_use]
    pub fn ticks(&self) -> u64 {
        use std::arch::x86_64::{__rdtscp, _mm_lfence};
        let mut core = 0;
        // SAFETY: SSE2 belongs to x86-64, every such processor since 2008 has rdtscp, and `core` is valid.
        unsafe {
            _mm_lfence();
            let ticks = __rdtscp(&raw mut core);
            _mm_lfence();
            ticks
        }
    }

    /// Reads the clock, in nanoseconds.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Ticks from `before` to `after`, without the stopwatch's own cost.
    #[inline]
    #[must_use]
    pub const fn between(&self, before: u64, after: u64) -> u64 {
        after.saturating_sub(before).saturating_sub(self.own_ticks)
    }

    /// Nanoseconds in a tick, judged by the time since the start: the longer ago, the better.
    #[must_use]
    pub fn ns_per_tick(&self) -> f64 {
        let (elapsed, ticks) = (self.started.elapsed(), self.ticks());
        elapsed.as_nanos() as f64 / ticks.saturating_sub(self.started_ticks).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_on_both_clocks() {
        let stopwatch = Stopwatch::start();
        let (cpu_before, before) = (thread_cpu_ns(), stopwatch.ticks());
        let sum = (0..1_000_000_u64).fold(0, |sum, i| std::hint::black_box(sum ^ i));
        std::hint::black_box(sum);
        assert!(thread_cpu_ns() > cpu_before);
        assert!(stopwatch.between(before, stopwatch.ticks()) > 0);
        assert!(stopwatch.ns_per_tick() > 0.0);
    }
}
