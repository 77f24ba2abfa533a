//! The fence: how a process that has been overtaken learns it, and how one that cannot learn it is ended.
//!
//! The file `epoch` in the node's folder holds one number in shared memory, the latest epoch that anybody claims. The journal's
//! thread looks at it before each write and before each release; whoever takes over raises it first. Between a look and the
//! write that follows a process can be stopped for any time: that gap is closed by the lock of the log, which the system takes
//! from a process only when all its threads are gone. So whoever takes over writes only with the lock, and if the holder does
//! not let go of it by himself, he is killed and his end awaited.
#![allow(unsafe_code, reason = "a number that two processes share is a reference into mapped memory")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{NodeError, while_doing};

/// The file of the number.
pub(crate) const EPOCH_FILE: &str = "epoch";
const FILE_BYTES: u64 = 4_096;

/// See the module. A clone looks at the same number.
#[derive(Clone, Debug)]
pub struct Fence {
    map: Arc<memmap2::MmapRaw>,
    epoch: u32,
}

impl Fence {
    /// The fence of a folder, for a process that leads in no epoch yet.
    ///
    /// # Errors
    /// The system's.
    pub fn open(directory: &Path) -> Result<Self, NodeError> {
        let path = directory.join(EPOCH_FILE);
        let doing = || format!("opening {}", path.display());
        let mut options = File::options();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(while_doing(doing()))?;
        if file.metadata().map_err(while_doing(doing()))?.len() < FILE_BYTES {
            file.set_len(FILE_BYTES).map_err(while_doing(doing()))?;
        }
        let map = memmap2::MmapOptions::new().len(FILE_BYTES as usize).map_raw(&file).map_err(while_doing(doing()))?;
        Ok(Self { map: Arc::new(map), epoch: 0 })
    }

    fn latest(&self) -> &AtomicU64 {
        // SAFETY: the mapping begins at a page, so the word is aligned, and it is longer than a word; it lives as long as `self`.
        // Every process touches the word by atomic operations alone, and nobody shortens the file.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().cast()) }
    }

    /// Leads in an epoch from now on. Only whoever has the lock of the log may do this.
    #[must_use]
    pub fn held(self, epoch: u32) -> Self {
        self.latest().store(u64::from(epoch), Ordering::SeqCst);
        Self { epoch, ..self }
    }

    /// Claims an epoch: whoever leads in an earlier one writes and releases nothing more once he has looked.
    pub fn claim(&self, epoch: u32) {
        self.latest().fetch_max(u64::from(epoch), Ordering::SeqCst);
    }

    /// Makes sure that nobody has claimed a later epoch.
    ///
    /// # Errors
    /// [`NodeError::Overtaken`] when somebody has.
    #[inline]
    pub fn check(&self) -> Result<(), NodeError> {
        let latest = self.latest().load(Ordering::Acquire);
        if latest <= u64::from(self.epoch) { Ok(()) } else { Err(NodeError::Overtaken { epoch: self.epoch, latest }) }
    }
}

/// The process that has the lock of a folder, if it is known.
#[cfg(target_os = "linux")]
pub(crate) fn holder(lock: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(lock).ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; who waits has an arrow in the second place.
    let pids = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["FLOCK", _, "WRITE", pid, place, ..] = words.get(1..)? else { return None };
        let is_it = place.rsplit(':').next()?.parse() == Ok(file.ino());
        if is_it { pid.parse().ok() } else { None }
    });
    // Another file system may have a file of this number: the holder has this one open.
    let has_open = |pid: &u32| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| std::fs::metadata(entry.path()).ok())
            .any(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    pids.into_iter().find(has_open)
}

/// The process that has the lock of a folder: this system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn holder(_: &Path) -> Option<u32> {
    None
}

/// Kills the process that has a lock, be it stopped or not. It has the lock until its last thread is gone.
///
/// # Errors
/// It is not known, is this one, or may not be killed by this user.
#[cfg(target_os = "linux")]
pub(crate) fn kill_holder(lock: &Path) -> Result<(), NodeError> {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let Some(pid) = holder(lock).filter(|pid| *pid != std::process::id()) else {
        return Err(NodeError::Unfenced { process: None, error: std::io::ErrorKind::NotFound.into() });
    };
    let failed = |error: rustix::io::Errno| NodeError::Unfenced { process: Some(pid), error: error.into() };
    let raw = Pid::from_raw(pid.cast_signed()).ok_or_else(|| failed(rustix::io::Errno::SRCH))?;
    let process = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    // The descriptor stands for one process whatever becomes of its number: asked again, it is the holder or nobody is harmed.
    if holder(lock) != Some(pid) {
        return Ok(());
    }
    match pidfd_send_signal(&process, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Kills nobody: this system does not tell who has a lock.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(crate) fn kill_holder(_: &Path) -> Result<(), NodeError> {
    Err(NodeError::Unfenced { process: None, error: std::io::ErrorKind::Unsupported.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_seen_by_whoever_leads_and_taken_back_by_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let leader = Fence::open(folder.path()).expect("a fence").held(3);
        let other = Fence::open(folder.path()).expect("a fence");
        assert!(leader.check().is_ok());
        other.claim(3);
        assert!(leader.check().is_ok());
        other.claim(4);
        other.claim(2);
        let Err(overtaken) = leader.clone().check() else { panic!("it does not see it") };
        assert_eq!(
            overtaken.to_string(),
            "overtaken: another process claims epoch 4, this one led in epoch 3 and writes nothing more"
        );
        assert!(other.held(4).check().is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_holder_of_a_lock_is_found_and_this_process_is_not_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        assert_eq!(holder(&path), None);
        let file = File::create(&path).expect("a file");
        assert_eq!(holder(&path), None);
        file.lock().expect("a lock");
        assert_eq!(holder(&path), Some(std::process::id()));
        assert!(matches!(kill_holder(&path), Err(NodeError::Unfenced { process: None, .. })));
    }
}
