//! What a thread does while its rings are empty.

use std::time::Duration;

use crate::Bell;

/// What a thread does while its rings are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Look again at once: the least delay, and a whole core. For a core that nobody else needs.
    Spin,
    /// Let others run, then look again.
    Yield,
    /// Look `spins` times, then sleep until the bell rings, at most for `timeout`.
    Park {
        /// How often to look before it sleeps.
        spins: u32,
        /// The longest sleep.
        timeout: Duration,
    },
}

/// A thread's patience: how often it found nothing to do.
#[derive(Clone, Debug)]
pub struct Idle {
    wait: Wait,
    rounds: u32,
}

impl Idle {
    /// A thread that has not waited yet.
    #[must_use]
    pub const fn new(wait: Wait) -> Self {
        Self { wait, rounds: 0 }
    }

    /// There was work: the next wait begins anew.
    #[inline]
    pub fn worked(&mut self) {
        self.rounds = 0;
    }

    /// There was none. `is_ready` is asked once more before it sleeps; it must look at every ring that rings this bell.
    #[inline]
    pub fn pause(&mut self, bell: &Bell, is_ready: impl FnMut() -> bool) {
        match self.wait {
            Wait::Spin => std::hint::spin_loop(),
            Wait::Yield => std::thread::yield_now(),
            Wait::Park { spins, timeout } => {
                self.rounds = self.rounds.saturating_add(1);
                if self.rounds <= spins {
                    std::hint::spin_loop();
                } else {
                    bell.wait(timeout, is_ready);
                }
            }
        }
    }
}
