//! Snapshots of a running engine, written by a child of the process that has its memory as it was.
//!
//! The engine runs ahead of the disk, so a snapshot gets its name only when the log is durable up to it. Otherwise a crash could
//! leave the state behind commands that never were, and later ones would have their indices.

use std::path::{Path, PathBuf};

use tradewright_engine::Engine;
use tradewright_journal::{FolderStorage, snapshot_indices, snapshot_name};

use crate::error::{NodeError, while_doing};

/// In the name of a snapshot that waits for the log; its process follows.
const AHEAD: &str = ".ahead-";

/// The snapshots of a folder with the commands they stand behind, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, NodeError> {
    let storage = FolderStorage::open(directory).map_err(while_doing(format!("opening {}", directory.display())))?;
    let named = |index| (index, path_of(directory, index));
    Ok(snapshot_indices(&storage)?.into_iter().map(named).collect())
}

/// Where the snapshot behind a command is.
#[must_use]
pub fn path_of(directory: &Path, index: u64) -> PathBuf {
    directory.join(snapshot_name(index))
}

/// Writes a snapshot of an engine that nobody changes meanwhile, and whose last command is durable.
///
/// # Errors
/// The file cannot be written.
pub fn write(directory: &Path, engine: &Engine) -> Result<PathBuf, NodeError> {
    let path = path_of(directory, engine.sequence());
    tradewright_journal::write(&path, &tradewright_journal::encode(engine))?;
    Ok(path)
}

/// Writes a snapshot of an engine whose last command may not be durable yet.
fn write_ahead(path: &Path, engine: &Engine) -> Result<(), NodeError> {
    Ok(tradewright_journal::write(path, &tradewright_journal::encode(engine))?)
}

/// Removes what waited for the log of a process that is gone.
pub(crate) fn remove_ahead(directory: &Path) -> Result<(), NodeError> {
    let doing = || format!("listing {}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(while_doing(doing()))? {
        let path = entry.map_err(while_doing(doing()))?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(AHEAD)) {
            // A file that stays costs room and nothing else.
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

/// A snapshot that is being written.
#[derive(Debug)]
pub struct Pending {
    /// The command it stands behind.
    pub index: u64,
    ahead: PathBuf,
    path: PathBuf,
    #[cfg(target_os = "linux")]
    child: libc::pid_t,
}

impl Pending {
    /// Gives a snapshot that is written its name. The log must be durable up to it.
    ///
    /// # Errors
    /// The system's.
    pub fn publish(self) -> Result<(), NodeError> {
        let doing = || format!("naming {}", self.path.display());
        std::fs::rename(&self.ahead, &self.path).map_err(while_doing(doing()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(while_doing(doing()))
    }
}

/// The names of a snapshot of an engine: while it waits for the log, and then.
fn names(directory: &Path, engine: &Engine) -> (PathBuf, PathBuf) {
    let index = engine.sequence();
    let ahead = directory.join(format!("{}{AHEAD}{}", snapshot_name(index), std::process::id()));
    (ahead, path_of(directory, index))
}

#[cfg(target_os = "linux")]
mod forked {
    #![allow(unsafe_code, reason = "a child process has the state as it is, without a pause for its size")]

    use std::path::Path;

    use tradewright_engine::Engine;

    use super::{Pending, names, write_ahead};
    use crate::error::NodeError;

    /// Begins a snapshot of the engine as it stands. The pause is that of copying page tables.
    ///
    /// # Errors
    /// The system does not let the process have a child.
    pub fn begin(directory: &Path, engine: &Engine) -> Result<Pending, NodeError> {
        let (ahead, path) = names(directory, engine);
        // SAFETY: `fork` has no arguments. The child runs in this function only: it allocates (glibc keeps its allocator usable
        // in the child), writes one file and leaves by `_exit`; it takes no lock that another thread may have held, and runs no
        // destructor and no exit handler.
        match unsafe { libc::fork() } {
            -1 => Err(NodeError::System { doing: "making a child".to_owned(), error: std::io::Error::last_os_error() }),
            0 => {
                // The lock of the log, sockets and rings are the parent's: a child that lives on for a moment must not keep them.
                // SAFETY: no file descriptor is used behind this but those that `write_ahead` opens.
                unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
                // The hot path goes first.
                // SAFETY: changes the priority of this process alone.
                unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
                let is_written = std::panic::catch_unwind(|| write_ahead(&ahead, engine).is_ok()).unwrap_or(false);
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(i32::from(!is_written)) }
            }
            child => Ok(Pending { index: engine.sequence(), ahead, path, child }),
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

    use super::{Pending, names, write_ahead};
    use crate::error::NodeError;

    /// Writes a snapshot at once: the engine waits for it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(directory: &Path, engine: &Engine) -> Result<Pending, NodeError> {
        let (ahead, path) = names(directory, engine);
        write_ahead(&ahead, engine)?;
        Ok(Pending { index: engine.sequence(), ahead, path })
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

#[cfg(test)]
mod tests {
    use super::*;
    use tradewright_engine::EngineConfig;

    #[test]
    fn a_snapshot_has_its_name_when_it_is_published_and_not_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::new(EngineConfig::default());
        let begun = || {
            let mut pending = begin(folder.path(), &engine).expect("a child");
            let is_written = loop {
                match pending.outcome() {
                    Some(is_written) => break is_written,
                    None => std::thread::yield_now(),
                }
            };
            assert!(is_written);
            pending
        };
        let pending = begun();
        assert_eq!(list(folder.path()).expect("a folder"), []);
        pending.publish().expect("a name");
        let path = path_of(folder.path(), 0);
        assert_eq!(list(folder.path()).expect("a folder"), [(0, path.clone())]);
        drop(begun());
        remove_ahead(folder.path()).expect("a folder");
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").path()).collect();
        assert_eq!(left, [path]);
    }
}
