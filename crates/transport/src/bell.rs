//! How one side of a ring sleeps until the other has something for it.
//!
//! The side that publishes looks at one word after it published; while nobody sleeps that is all it pays, not even a fence:
//! whoever goes to sleep has the system put the fence on all other cores (`membarrier`). Only the owner of the ring does that,
//! as it interrupts those cores: a client must not be able to. It, and a system without the call, may miss a wake-up once
//! in a great while, and the bounded time of every sleep makes up for it.

#![allow(unsafe_code, reason = "futex and membarrier have no safe interface")]

use std::time::Duration;

use crate::error::RegionError;
use crate::header::{Kind, moving};
use crate::region::{Region, RegionOptions, Shape};
use crate::sync::{Acquire, Arc, AtomicU64, Relaxed, Release, SeqCst, fence};

/// A bell in the memory of a ring, or one of its own for a thread that waits for several rings.
#[derive(Clone, Debug)]
pub struct Bell {
    region: Arc<Region>,
    index: usize,
}

impl Bell {
    pub(crate) fn of_reader(region: &Arc<Region>) -> Self {
        system::expect_fences();
        Self { region: Arc::clone(region), index: moving::READER_BELL }
    }

    pub(crate) fn of_writer(region: &Arc<Region>) -> Self {
        system::expect_fences();
        Self { region: Arc::clone(region), index: moving::WRITER_BELL }
    }

    /// A bell alone, in memory of this process.
    ///
    /// # Errors
    /// The system refuses the memory.
    pub fn in_memory() -> Result<Self, RegionError> {
        Ok(Self::of_reader(&Region::in_memory(Shape::bell(), &RegionOptions::default())?))
    }

    /// The bell alone in a region that [`Shape::bell`] made.
    ///
    /// # Errors
    /// The region is another kind of ring, or may only be read.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        if region.shape().kind != Kind::Bell {
            return Err(RegionError::WrongKind { found: region.shape().kind, expected: Kind::Bell });
        }
        if !region.memory().is_writable() {
            return Err(RegionError::ReadOnly { role: "bell" });
        }
        Ok(Self::of_reader(region))
    }

    /// How often it woke someone up.
    fn rings(&self) -> &AtomicU64 {
        self.region.word(self.index)
    }

    /// Not zero while someone sleeps, or did when it was last rung.
    fn sleepers(&self) -> &AtomicU64 {
        self.region.word(self.index + 1)
    }

    /// Wakes who sleeps. To be called after the work was published.
    #[inline]
    pub fn ring(&self) {
        system::light_fence();
        if self.sleepers().load(Relaxed) != 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.sleepers().store(0, Relaxed);
        self.rings().fetch_add(1, Release);
        system::wake_all(self.rings());
    }

    /// Sleeps until it is rung or `timeout` is over, unless there is work. May return early.
    pub fn wait(&self, timeout: Duration, mut is_ready: impl FnMut() -> bool) {
        if !self.region.memory().is_writable() {
            // Who may only read cannot say that he sleeps: he sleeps in short pieces.
            if !is_ready() {
                std::thread::sleep(timeout.min(Duration::from_micros(50)));
            }
            return;
        }
        let rings = self.rings().load(Acquire);
        self.sleepers().store(1, Relaxed);
        fence(SeqCst);
        if self.region.is_owner() {
            system::fence_others();
        }
        if !is_ready() {
            system::sleep(self.rings(), rings, timeout);
        }
    }
}

#[cfg(all(target_os = "linux", not(feature = "loom")))]
mod system {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};
    use std::time::Duration;

    // From <linux/membarrier.h>.
    const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
    const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: no memory of ours is involved; a command that the system does not know is refused.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Lets the fences of sleepers in any process reach the threads of this one.
    pub(super) fn expect_fences() {
        static EXPECTED: OnceLock<bool> = OnceLock::new();
        EXPECTED.get_or_init(|| membarrier(REGISTER_GLOBAL_EXPEDITED));
    }

    /// Between publishing and looking for sleepers. Their heavy fence makes it one.
    #[inline(always)]
    pub(super) fn light_fence() {
        compiler_fence(Ordering::SeqCst);
    }

    /// Between saying that one sleeps and looking for work: after it, either we see the work or its writer sees us.
    pub(super) fn fence_others() {
        membarrier(GLOBAL_EXPEDITED);
    }

    pub(super) fn wake_all(word: &AtomicU64) {
        // SAFETY: the address is that of a living word; waking does not touch it. Its low half comes first (little-endian).
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, libc::c_int::MAX) };
    }

    pub(super) fn sleep(word: &AtomicU64, expected: u64, timeout: Duration) {
        let timeout = libc::timespec {
            tv_sec: timeout.as_secs().min(60) as libc::time_t,
            tv_nsec: timeout.subsec_nanos() as libc::c_long,
        };
        // SAFETY: the address is that of a living word, of which the system reads the low half; `timeout` outlives the call.
        unsafe {
            libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected as u32, &raw const timeout);
        }
    }
}

#[cfg(not(all(target_os = "linux", not(feature = "loom"))))]
mod system {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use crate::sync::{AtomicU64, fence};

    pub(super) fn expect_fences() {}

    pub(super) fn light_fence() {
        fence(Ordering::SeqCst);
    }

    pub(super) fn fence_others() {}

    pub(super) fn wake_all(_word: &AtomicU64) {}

    /// Without a futex a sleeper looks again after a short while.
    pub(super) fn sleep(_word: &AtomicU64, _expected: u64, timeout: Duration) {
        std::thread::sleep(timeout.min(Duration::from_micros(50)));
    }
}
