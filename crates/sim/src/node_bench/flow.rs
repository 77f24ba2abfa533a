//! What the threads of a bench tell each other while commands flow, and the part of it that is timed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::served::{Seen, ServedNode, thread_cpu_ns};

/// Counters of a run. Each is written by one thread.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Commands whose events, or reports, were read.
    pub(crate) commands: AtomicU64,
    /// Events, or reports, that were read.
    pub(crate) events: AtomicU64,
    /// How many commands there are in all; not known before the last was sent.
    total: AtomicU64,
    stop: AtomicBool,
    is_broken: AtomicBool,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            commands: AtomicU64::new(0),
            events: AtomicU64::new(0),
            total: AtomicU64::new(u64::MAX),
            stop: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
        }
    }
}

impl Flow {
    pub(crate) fn count(&self, commands: u64, events: u64) {
        self.events.store(events, Ordering::Relaxed);
        self.commands.store(commands, Ordering::Release);
    }

    /// Nothing more is to be sent.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// So many commands were sent, and no more will be.
    pub(crate) fn end(&self, sent: u64) {
        self.total.store(sent, Ordering::Release);
    }

    /// Whether all that was sent was read.
    pub(crate) fn is_over(&self, read: u64) -> bool {
        read >= self.total.load(Ordering::Acquire)
    }

    /// A thread cannot go on: the others end too.
    pub(crate) fn break_off(&self) {
        self.is_broken.store(true, Ordering::Release);
        self.stop();
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }
}

/// Breaks a run off when its thread ends in any way but the right one: the others would wait for ever.
pub(crate) struct BreakOff<'f>(pub(crate) Option<&'f Flow>);

impl BreakOff<'_> {
    /// The thread has done what it was for.
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for BreakOff<'_> {
    fn drop(&mut self) {
        self.0.inspect(|flow| flow.break_off());
    }
}

/// Notices that nothing moves any more. Asks the clock only now and then.
#[derive(Debug)]
pub(crate) struct Stall {
    rounds: u32,
    since: Option<Instant>,
    longest: Duration,
}

impl Stall {
    pub(crate) fn after(longest: Duration) -> Self {
        Self { rounds: 0, since: None, longest }
    }

    #[inline]
    pub(crate) fn moved(&mut self) {
        (self.rounds, self.since) = (0, None);
    }

    /// One more round without anything. Returns whether it has been too long.
    #[inline]
    pub(crate) fn idles(&mut self) -> bool {
        self.rounds = self.rounds.wrapping_add(1);
        if !self.rounds.is_multiple_of(256) {
            return false;
        }
        self.since.get_or_insert_with(Instant::now).elapsed() > self.longest
    }
}

/// The part of a run that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timed {
    pub(crate) elapsed_s: f64,
    pub(crate) commands: u64,
    /// Events, or reports.
    pub(crate) events: u64,
    pub(crate) before: Seen,
    pub(crate) after: Seen,
    /// The share of a core that each thread of the node had.
    pub(crate) cpu_shares: Vec<(String, f64)>,
}

impl Timed {
    pub(crate) fn commands_per_s(&self) -> f64 {
        self.commands as f64 / self.elapsed_s
    }

    /// How much of the time went into one stage, and how often it was gone through.
    pub(crate) fn stage(&self, name: &str) -> (f64, u64) {
        let (before, after) = (self.before.stage(name), self.after.stage(name));
        let spent_s = after.sum_ns.saturating_sub(before.sum_ns) as f64 / 1e9;
        (spent_s / self.elapsed_s, after.count.saturating_sub(before.count))
    }
}

/// Lets commands flow for a while, then takes the time; looks at the node's state at both ends.
///
/// # Errors
/// The node is gone, or the run was broken off.
pub(crate) fn time(
    flow: &Flow,
    mut node: Option<&mut ServedNode>,
    warm_up: Duration,
    lasts: Duration,
) -> Result<Timed, String> {
    let look = |node: &mut Option<&mut ServedNode>| match node {
        Some(node) => Ok((node.status()?, thread_cpu_ns(node.place().pid))),
        None => Ok::<_, String>((Seen::default(), Vec::new())),
    };
    wait(flow, warm_up)?;
    let (before, cpu_before) = look(&mut node)?;
    let (commands, events) = (flow.commands.load(Ordering::Acquire), flow.events.load(Ordering::Relaxed));
    let begin = Instant::now();
    wait(flow, lasts)?;
    let commands = flow.commands.load(Ordering::Acquire) - commands;
    let events = flow.events.load(Ordering::Relaxed) - events;
    let elapsed_s = begin.elapsed().as_secs_f64();
    let (after, cpu_after) = look(&mut node)?;
    let share = |(name, used_ns): (String, u64)| {
        let before_ns = cpu_before.iter().find(|(other, _)| *other == name).map_or(0, |(_, used_ns)| *used_ns);
        (name, used_ns.saturating_sub(before_ns) as f64 / 1e9 / elapsed_s)
    };
    let cpu_shares = cpu_after.into_iter().map(share).collect();
    Ok(Timed { elapsed_s, commands, events, before, after, cpu_shares })
}

fn wait(flow: &Flow, lasts: Duration) -> Result<(), String> {
    let end = Instant::now() + lasts;
    loop {
        if flow.is_broken() {
            return Err("the run was broken off".to_owned());
        }
        match end.checked_duration_since(Instant::now()) {
            Some(left) => std::thread::sleep(left.min(Duration::from_millis(20))),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_over_when_all_that_was_sent_was_read() {
        let flow = Flow::default();
        assert!(!flow.is_over(1 << 40));
        flow.end(3);
        assert!(!flow.is_over(2) && flow.is_over(3));
    }

    #[test]
    fn a_thread_that_ends_early_breaks_the_run_off() {
        let flow = Flow::default();
        BreakOff(Some(&flow)).disarm();
        assert!(!flow.is_broken());
        drop(BreakOff(Some(&flow)));
        assert!(flow.is_broken() && flow.is_stopping());
        assert!(time(&flow, None, Duration::ZERO, Duration::ZERO).is_err());
    }

    #[test]
    fn only_what_flows_within_the_time_counts() {
        let flow = Flow::default();
        flow.count(100, 200);
        let timed = std::thread::scope(|scope| {
            let timed = scope.spawn(|| time(&flow, None, Duration::ZERO, Duration::from_millis(200)));
            std::thread::sleep(Duration::from_millis(50));
            flow.count(150, 300);
            timed.join().expect("no bug").expect("a run")
        });
        assert_eq!((timed.commands, timed.events), (50, 100));
        assert!(timed.commands_per_s() > 0.0 && timed.elapsed_s >= 0.2);
    }
}
