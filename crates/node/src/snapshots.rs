//! Snapshots of a running engine, written by a child of the process that has its memory as it was.

use std::path::{Path, PathBuf};

use tradewright_engine::Engine;

use crate::error::{NodeError, while_doing};

const SUFFIX: &str = ".snapshot";

/// The snapshots of a folder with the commands they stand behind, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, NodeError> {
    let doing = || format!("listing {}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(while_doing(doing()))? {
        let path = entry.map_err(while_doing(doing()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(index) = name.strip_suffix(SUFFIX).and_then(|index| index.parse().ok()) {
            found.push((index, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The name of the snapshot behind a command.
#[must_use]
pub fn path_of(directory: &Path, index: u64) -> PathBuf {
    directory.join(format!("{index:020}{SUFFIX}"))
}

/// Writes a snapshot of an engine that nobody changes meanwhile.
///
/// # Errors
/// The file cannot be written.
pub fn write(directory: &Path, engine: &Engine) -> Result<PathBuf, NodeError> {
    let path = path_of(directory, engine.sequence());
    tradewright_journal::write(&path, &tradewright_journal::encode(engine))?;
    Ok(path)
}

/// A snapshot that is being written.
#[derive(Debug)]
pub struct Pending {
    /// The command it stands behind.
    pub index: u64,
    #[cfg(target_os = "linux")]
    child: libc::pid_t,
}

#[cfg(target_os = "linux")]
mod forked {
    #![allow(unsafe_code, reason = "a child process has the state as it is, without a pause for its size")]

    use std::path::Path;

    use tradewright_engine::Engine;

    use super::{Pending, write};
    use crate::error::NodeError;

    /// Begins a snapshot of the engine as it stands. The pause is that of copying page tables.
    ///
    /// # Errors
    /// The system does not let the process have a child.
    pub fn begin(directory: &Path, engine: &Engine) -> Result<Pending, NodeError> {
        // SAFETY: `fork` has no arguments. The child runs in this function only: it allocates (glibc keeps its allocator usable
        // in the child), writes one file and leaves by `_exit`; it takes no lock that another thread may have held, and runs no
        // destructor and no exit handler.
        match unsafe { libc::fork() } {
            -1 => Err(NodeError::System { doing: "making a child".to_owned(), error: std::io::Error::last_os_error() }),
            0 => {
                // The lock of the log, sockets and rings are the parent's: a child that lives on for a moment must not keep them.
                // SAFETY: no file descriptor is used behind this but those that `write` opens.
                unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
                // The hot path goes first.
                // SAFETY: changes the priority of this process alone.
                unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
                let is_written = std::panic::catch_unwind(|| write(directory, engine).is_ok()).unwrap_or(false);
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(i32::from(!is_written)) }
            }
            child => Ok(Pending { index: engine.sequence(), child }),
        }
    }

    impl Pending {
        /// Whether it is written by now: `None` while it is not.
        #[must_use]
        pub fn outcome(&mut self) -> Option<bool> {
            let mut status = 0;
            // SAFETY: `status` is a place for an int, and the child is this process's.
            let done = unsafe { libc::waitpid(self.child, &raw mut status, libc::WNOHANG) };
            match done {
                0 => None,
                _ => Some(done == self.child && libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0),
            }
        }
    }
}

#[cfg(target_os = "linux")]
pub use forked::begin;

#[cfg(not(target_os = "linux"))]
mod in_place {
    use std::path::Path;

    use tradewright_engine::Engine;

    use super::{Pending, write};
    use crate::error::NodeError;

    /// Writes a snapshot at once: the engine waits for it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(directory: &Path, engine: &Engine) -> Result<Pending, NodeError> {
        write(directory, engine)?;
        Ok(Pending { index: engine.sequence() })
    }

    impl Pending {
        /// It is written.
        #[must_use]
        pub fn outcome(&mut self) -> Option<bool> {
            Some(true)
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use in_place::begin;
