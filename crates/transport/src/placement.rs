//! Where a thread runs and how: its core, its scheduling class, its memory, its sockets.
//!
//! Nothing here falls back in silence: what the system refuses is an error that says what to grant.

#![allow(unsafe_code, reason = "affinity, scheduling and memory policy have no safe interface")]

use std::fmt;
use std::io;
use std::time::Duration;

use crate::RegionOptions;

/// How the system shares a core among threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduling {
    /// In turns with everybody.
    #[default]
    Other,
    /// Before everybody else, until it sleeps. A thread that spins must have a core that nobody else needs.
    Fifo {
        /// 1 to 99, the higher the sooner.
        priority: u8,
    },
    /// Behind the others, with a tenth of their share of a core that all of them want, and never at once.
    Background,
}

/// Where a thread runs and how. The default asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The core it runs on, and no other.
    pub core: Option<usize>,
    /// How it shares the core.
    pub scheduling: Scheduling,
    /// The node whose memory it gets.
    pub numa_node: Option<u32>,
    /// Rings and pools on huge pages.
    pub huge_pages: bool,
    /// Pages of rings and pools are touched before the first order.
    pub prefault: bool,
    /// How long its sockets look at the network card before they sleep.
    pub busy_poll: Option<Duration>,
}

/// A setting that the system refuses.
#[derive(Debug)]
pub struct PlacementError {
    /// The setting.
    pub setting: &'static str,
    /// What was asked for.
    pub value: String,
    /// What the system said.
    pub source: io::Error,
    /// What to grant, or to do without.
    pub grant: &'static str,
}

impl fmt::Display for PlacementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, value, source, grant } = self;
        write!(f, "{setting}={value} is refused by the system: {source}; {grant}")
    }
}

impl std::error::Error for PlacementError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Whose memory is to have huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HugePages {
    PrivateMemory,
    SharedMemory,
}

impl HugePages {
    /// Makes sure that the system gives huge pages when it is asked for them.
    pub(crate) fn expect(self) -> io::Result<()> {
        let file = match self {
            Self::PrivateMemory => "/sys/kernel/mm/transparent_hugepage/enabled",
            Self::SharedMemory => "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
        };
        let modes = std::fs::read_to_string(file)?;
        let refuses = modes.contains("[never]") || modes.contains("[deny]");
        let message = || format!("{file} is {modes:?}", modes = modes.trim());
        if refuses { Err(io::Error::new(io::ErrorKind::Unsupported, message())) } else { Ok(()) }
    }
}

const GRANT_CORE: &str = "choose a core that exists and that the process may use (taskset, cpuset), or none";
const GRANT_FIFO: &str = "grant CAP_SYS_NICE or `ulimit -r` (LimitRTPRIO= of the unit), with a priority of 1 to 99, \
     or choose scheduling other";
const GRANT_NODE: &str = "choose a memory node that exists (/sys/devices/system/node), or none";
const GRANT_HUGE_PAGES: &str = "write madvise to /sys/kernel/mm/transparent_hugepage/enabled, or do without";
const GRANT_BUSY_POLL: &str = "grant CAP_NET_ADMIN, or raise /proc/sys/net/core/busy_read, or do without";

impl Placement {
    /// Applies core, scheduling class and memory node to the calling thread, and makes sure that huge pages can be had.
    /// Memory that the thread touches first afterwards follows.
    ///
    /// # Errors
    /// The first setting that the system refuses.
    pub fn apply(&self) -> Result<(), PlacementError> {
        let refused = |setting, value: String, grant| move |source| PlacementError { setting, value, source, grant };
        if let Some(core) = self.core {
            system::run_on(core).map_err(refused("core", core.to_string(), GRANT_CORE))?;
        }
        if let Some(node) = self.numa_node {
            system::take_memory_from(node).map_err(refused("numa_node", node.to_string(), GRANT_NODE))?;
        }
        if self.huge_pages {
            HugePages::PrivateMemory.expect().map_err(refused("huge_pages", "true".to_owned(), GRANT_HUGE_PAGES))?;
        }
        // Last: from here on the thread may keep others from running.
        let class = format!("{:?}", self.scheduling);
        system::schedule(self.scheduling).map_err(refused("scheduling", class, GRANT_FIFO))
    }

    /// How this thread's rings get their memory.
    #[must_use]
    pub fn region_options(&self) -> RegionOptions {
        RegionOptions { huge_pages: self.huge_pages, prefault: self.prefault, ..RegionOptions::default() }
    }

    /// Lets a socket of this thread look at the network card for `busy_poll` before it sleeps.
    ///
    /// # Errors
    /// The system refuses.
    #[cfg(unix)]
    pub fn apply_to_socket(&self, socket: &impl std::os::fd::AsFd) -> Result<(), PlacementError> {
        let Some(time) = self.busy_poll else { return Ok(()) };
        system::busy_poll(socket.as_fd(), time).map_err(|source| PlacementError {
            setting: "busy_poll",
            value: format!("{time:?}"),
            source,
            grant: GRANT_BUSY_POLL,
        })
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{Error, Result};
    use std::mem::size_of;
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::time::Duration;

    use super::Scheduling;

    /// A tenth of the share of a thread that never said how nice it is.
    const BACKGROUND_NICE: libc::c_int = 10;

    fn check(status: libc::c_long) -> Result<()> {
        if status == 0 { Ok(()) } else { Err(Error::last_os_error()) }
    }

    pub(super) fn run_on(core: usize) -> Result<()> {
        if core >= libc::CPU_SETSIZE as usize {
            return Err(Error::from_raw_os_error(libc::EINVAL));
        }
        // SAFETY: a set of cores is plain bits, for which zero is a value, and `core` is inside it by the check above.
        let cores = unsafe {
            let mut cores: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(core, &mut cores);
            cores
        };
        // SAFETY: `cores` outlives the call and has the size that is given; 0 is the calling thread.
        check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const cores) }.into())
    }

    pub(super) fn schedule(scheduling: Scheduling) -> Result<()> {
        let (policy, priority) = match scheduling {
            Scheduling::Other => (libc::SCHED_OTHER, 0),
            Scheduling::Fifo { priority } => (libc::SCHED_FIFO, priority.into()),
            Scheduling::Background => (libc::SCHED_BATCH, 0),
        };
        let parameters = libc::sched_param { sched_priority: priority };
        // SAFETY: `parameters` outlives the call; 0 is the calling thread.
        check(unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) }.into())?;
        if scheduling != Scheduling::Background {
            return Ok(());
        }
        // SAFETY: no memory of ours is involved; 0 is the calling thread.
        check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, BACKGROUND_NICE) }.into())
    }

    pub(super) fn take_memory_from(node: u32) -> Result<()> {
        const MPOL_BIND: libc::c_int = 2;
        const NODES: usize = 1024;
        if node as usize >= NODES {
            return Err(Error::from_raw_os_error(libc::EINVAL));
        }
        let mut nodes = [0_u64; NODES / 64];
        nodes[node as usize / 64] = 1 << (node % 64);
        // SAFETY: `nodes` outlives the call and has as many bits as are given; the system takes one less than it is told.
        check(unsafe { libc::syscall(libc::SYS_set_mempolicy, MPOL_BIND, nodes.as_ptr(), NODES + 1) })
    }

    pub(super) fn busy_poll(socket: BorrowedFd<'_>, time: Duration) -> Result<()> {
        let time_us = libc::c_int::try_from(time.as_micros()).map_err(|_| Error::from_raw_os_error(libc::EINVAL))?;
        for (option, value) in [(libc::SO_BUSY_POLL, time_us), (libc::SO_PREFER_BUSY_POLL, 1)] {
            // SAFETY: the descriptor is borrowed, so it is open; `value` outlives the call and has the size that is given.
            let status = unsafe {
                libc::setsockopt(
                    socket.as_raw_fd(),
                    libc::SOL_SOCKET,
                    option,
                    (&raw const value).cast(),
                    size_of::<libc::c_int>() as libc::socklen_t,
                )
            };
            check(status.into())?;
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io::{Error, ErrorKind, Result};

    use super::Scheduling;

    fn unsupported() -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "not on this operating system"))
    }

    pub(super) fn run_on(_core: usize) -> Result<()> {
        unsupported()
    }

    pub(super) fn schedule(scheduling: Scheduling) -> Result<()> {
        if scheduling == Scheduling::Other { Ok(()) } else { unsupported() }
    }

    pub(super) fn take_memory_from(_node: u32) -> Result<()> {
        unsupported()
    }

    #[cfg(unix)]
    pub(super) fn busy_poll(_socket: std::os::fd::BorrowedFd<'_>, _time: std::time::Duration) -> Result<()> {
        unsupported()
    }
}

#[cfg(all(test, target_os = "linux", not(feature = "loom")))]
mod tests {
    use super::*;

    fn in_a_thread(placement: Placement) -> Result<(), PlacementError> {
        std::thread::spawn(move || placement.apply()).join().expect("the thread ends")
    }

    fn errno(placement: Placement) -> Option<i32> {
        in_a_thread(placement).expect_err("refused").source.raw_os_error()
    }

    #[test]
    fn a_thread_runs_on_its_core() {
        let allowed =
            (0..1024).find(|&core| in_a_thread(Placement { core: Some(core), ..Placement::default() }).is_ok());
        let core = allowed.expect("one core at least");
        std::thread::spawn(move || {
            Placement { core: Some(core), ..Placement::default() }.apply().expect("it was granted before");
            // SAFETY: takes nothing.
            assert_eq!(unsafe { libc::sched_getcpu() }, core as i32);
        })
        .join()
        .expect("the thread ends");
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_to_do() {
        for core in [1023, 1 << 20] {
            let error = in_a_thread(Placement { core: Some(core), ..Placement::default() }).expect_err("no such core");
            assert_eq!(error.source.raw_os_error(), Some(libc::EINVAL));
            let message = error.to_string();
            assert!(message.starts_with(&format!("core={core} is refused")), "{message}");
            assert!(message.contains("os error 22") && message.ends_with(GRANT_CORE), "{message}");
        }
        for node in [1023, 1 << 20] {
            assert_eq!(errno(Placement { numa_node: Some(node), ..Placement::default() }), Some(libc::EINVAL));
        }
        let class = Scheduling::Fifo { priority: 100 };
        let code = errno(Placement { scheduling: class, ..Placement::default() });
        assert!(code == Some(libc::EINVAL) || code == Some(libc::EPERM), "{code:?}");
    }

    #[test]
    fn real_time_is_granted_or_refused_by_name() {
        let wish = Placement { scheduling: Scheduling::Fifo { priority: 1 }, ..Placement::default() };
        let granted = std::thread::spawn(move || {
            wish.apply().map(|()| {
                // SAFETY: takes nothing but the number of the calling thread.
                let class = unsafe { libc::sched_getscheduler(0) };
                Placement::default().apply().expect("everybody may go back");
                class
            })
        })
        .join()
        .expect("the thread ends");
        match granted {
            Ok(class) => assert_eq!(class, libc::SCHED_FIFO),
            Err(error) => assert!(error.to_string().contains("LimitRTPRIO"), "{error}"),
        }
    }

    #[test]
    fn memory_comes_from_a_node() {
        let wish = Placement { numa_node: Some(0), ..Placement::default() };
        // Sandboxes forbid the call; a machine with memory has node 0.
        if let Err(error) = in_a_thread(wish) {
            assert_ne!(error.source.raw_os_error(), Some(libc::EINVAL), "{error}");
        }
    }

    #[test]
    fn sockets_poll_for_a_while() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        Placement::default().apply_to_socket(&socket).expect("nothing was asked for");
        let wish = Placement { busy_poll: Some(Duration::from_micros(50)), ..Placement::default() };
        if let Err(error) = wish.apply_to_socket(&socket) {
            assert_eq!(error.source.raw_os_error(), Some(libc::EPERM), "{error}");
        }
        let wish = Placement { busy_poll: Some(Duration::MAX), ..Placement::default() };
        assert!(wish.apply_to_socket(&socket).expect_err("too long").to_string().contains("busy_poll="));
    }

    #[test]
    fn huge_pages_that_the_system_never_gives_are_refused_and_not_left_out() {
        use crate::{Region, RegionOptions, Shape};
        let options = RegionOptions { huge_pages: true, ..RegionOptions::default() };
        let shape = Shape::broadcast::<u64>(1 << 20);
        let ring = Region::in_memory(shape, &options);
        assert_eq!(ring.is_ok(), HugePages::PrivateMemory.expect().is_ok(), "{:?}", ring.err());
        let path = std::env::temp_dir().join(format!("tradewright-test-{}-huge.ring", std::process::id()));
        let ring = Region::create(&path, shape, &options);
        if let Err(expected) = HugePages::SharedMemory.expect() {
            let error = ring.expect_err("switched off").to_string();
            assert!(error.contains(&expected.to_string()), "{error}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn rings_get_the_pages_that_the_placement_wants() {
        let options = Placement { huge_pages: true, ..Placement::default() }.region_options();
        assert!(options.huge_pages && !options.prefault && options.file_mode == 0o600);
    }
}
