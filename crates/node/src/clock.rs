//! The time that commands carry.

use std::time::{SystemTime, UNIX_EPOCH};

/// Gives each command its time: that of the wall, but never one that was given before.
#[derive(Clone, Copy, Debug)]
pub struct CommandClock {
    last_ns: u64,
}

impl CommandClock {
    /// A clock that goes on behind the last command of a log.
    #[must_use]
    pub const fn behind(last_ns: u64) -> Self {
        Self { last_ns }
    }

    /// The time of the next command, when the wall says `wall_ns`.
    #[inline]
    pub fn next(&mut self, wall_ns: u64) -> u64 {
        self.last_ns = wall_ns.max(self.last_ns + 1);
        self.last_ns
    }

    /// The time that was given last.
    #[must_use]
    pub const fn last_ns(&self) -> u64 {
        self.last_ns
    }
}

/// Nanoseconds since 1970 by the wall clock.
///
/// # Panics
/// When the system's clock stands before 1970.
#[must_use]
pub fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock behind 1970");
    u64::try_from(since.as_nanos()).expect("a clock before 2554")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_stands_or_goes_back() {
        let mut clock = CommandClock::behind(100);
        assert_eq!([clock.next(90), clock.next(200), clock.next(200), clock.next(150)], [101, 200, 201, 202]);
        assert_eq!(clock.last_ns(), 202);
    }
}
