//! How many messages a session may send.

/// A number of messages in windows of a fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The most messages in a window.
    pub messages_max: u32,
    /// How long a window is.
    pub window_ns: u64,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { messages_max: 10_000, window_ns: 1_000_000_000 }
    }
}

/// So many times a client may be told that it is too fast, in a minute, before its session ends.
pub const VIOLATIONS_MAX: usize = 10;
const VIOLATIONS_WINDOW_NS: u64 = 60_000_000_000;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Passes,
    /// It is refused; the next one may pass so much later.
    Limited {
        /// How long the window still lasts.
        retry_after_ns: u64,
    },
    /// It is refused, and the session ends: it was told often enough.
    Ends,
}

/// Counts messages and violations.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    limit: RateLimit,
    window_begin_ns: u64,
    messages: u32,
    /// When the last violations were, the oldest at `next_violation`.
    violations_ns: [Option<u64>; VIOLATIONS_MAX],
    next_violation: usize,
}

impl Throttle {
    /// A throttle that has counted nothing.
    pub const fn new(limit: RateLimit) -> Self {
        Self { limit, window_begin_ns: 0, messages: 0, violations_ns: [None; VIOLATIONS_MAX], next_violation: 0 }
    }

    /// What it is for.
    pub const fn limit(&self) -> RateLimit {
        self.limit
    }

    /// How many messages of this window there were.
    pub const fn messages(&self) -> u32 {
        self.messages
    }

    /// Counts a message.
    #[inline]
    pub fn count(&mut self, now_ns: u64) -> Verdict {
        let RateLimit { messages_max, window_ns } = self.limit;
        let age_ns = now_ns.saturating_sub(self.window_begin_ns);
        if age_ns >= window_ns {
            (self.window_begin_ns, self.messages) = (now_ns, 0);
        }
        if self.messages < messages_max {
            self.messages += 1;
            return Verdict::Passes;
        }
        self.violations_ns[self.next_violation] = Some(now_ns);
        self.next_violation = (self.next_violation + 1) % VIOLATIONS_MAX;
        // The oldest of ten, this one included.
        let oldest_ns = self.violations_ns[self.next_violation];
        if oldest_ns.is_some_and(|then_ns| now_ns.saturating_sub(then_ns) < VIOLATIONS_WINDOW_NS) {
            return Verdict::Ends;
        }
        let retry_after_ns = (self.window_begin_ns + window_ns).saturating_sub(now_ns);
        Verdict::Limited { retry_after_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[test]
    fn a_window_takes_so_many() {
        let mut throttle = Throttle::new(RateLimit { messages_max: 2, window_ns: SECOND_NS });
        let at_ns = 5 * SECOND_NS;
        assert_eq!(throttle.count(at_ns), Verdict::Passes);
        assert_eq!(throttle.count(at_ns + 300), Verdict::Passes);
        assert_eq!(throttle.count(at_ns + 400), Verdict::Limited { retry_after_ns: SECOND_NS - 400 });
        assert_eq!(throttle.count(at_ns + SECOND_NS - 1), Verdict::Limited { retry_after_ns: 1 });
        assert_eq!(throttle.count(at_ns + SECOND_NS), Verdict::Passes);
    }

    #[test]
    fn the_tenth_violation_in_a_minute_ends_the_session() {
        let mut throttle = Throttle::new(RateLimit { messages_max: 0, window_ns: SECOND_NS });
        let outcomes: Vec<bool> = (1..=10).map(|n| throttle.count(n * SECOND_NS) == Verdict::Ends).collect();
        assert_eq!(outcomes, [false, false, false, false, false, false, false, false, false, true]);
        // One each seven seconds is nine in a minute at most.
        let mut throttle = Throttle::new(RateLimit { messages_max: 0, window_ns: SECOND_NS });
        assert!((1..100).all(|n| throttle.count(n * 7 * SECOND_NS) != Verdict::Ends));
    }
}
