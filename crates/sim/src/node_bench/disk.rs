//! What the disk itself can do: the floor under a log that syncs.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::quantile;

/// Sequential writes of one size, each synced.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DiskFloor {
    pub(crate) bytes_per_s: f64,
    pub(crate) write_and_sync_p50_us: f64,
}

/// The file lies ready as a segment does: filled with zeros, synced, its length fixed.
const FILE_BYTES: usize = 64 << 20;

/// Writes batches one behind the other into a file of `folder`, with an fdatasync behind each.
///
/// # Errors
/// The system's.
pub(crate) fn disk_floor(folder: &Path, batch_bytes: usize, lasts: Duration) -> io::Result<DiskFloor> {
    let batch_bytes = batch_bytes.clamp(512, FILE_BYTES).next_multiple_of(512);
    let path = folder.join("disk-floor");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    file.write_all_at(&vec![0; FILE_BYTES.next_multiple_of(batch_bytes)], 0)?;
    file.sync_all()?;
    let batch: Vec<u8> = (0..batch_bytes).map(|at| (at % 251) as u8 + 1).collect();
    let (mut offset, mut bytes, mut times_us) = (0, 0_u64, Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < lasts || times_us.is_empty() {
        let before = Instant::now();
        file.write_all_at(&batch, offset)?;
        file.sync_data()?;
        times_us.push(before.elapsed().as_secs_f64() * 1e6);
        bytes += batch_bytes as u64;
        offset = (offset + batch_bytes as u64) % FILE_BYTES.next_multiple_of(batch_bytes) as u64;
    }
    let bytes_per_s = bytes as f64 / begin.elapsed().as_secs_f64();
    drop(file);
    std::fs::remove_file(&path)?;
    times_us.sort_by(f64::total_cmp);
    Ok(DiskFloor { bytes_per_s, write_and_sync_p50_us: quantile(&times_us, 0.5) })
}

/// What kind of file system a folder lies on, by the mount that holds it.
pub(crate) fn file_system(folder: &Path) -> String {
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let holds = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (point, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
        whole.starts_with(&point).then_some((point.len(), kind))
    };
    // The last of equal points hides those before it.
    let holder = mounts.lines().filter_map(holds).max_by_key(|(length, _)| *length);
    holder.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_written_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let floor = disk_floor(folder.path(), 4_096, Duration::from_millis(5)).expect("a disk");
        assert!(floor.bytes_per_s > 0.0 && floor.write_and_sync_p50_us > 0.0, "{floor:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
        assert!(disk_floor(&folder.path().join("none"), 512, Duration::ZERO).is_err());
    }

    #[test]
    fn a_file_system_has_a_name() {
        if Path::new("/proc/self/mounts").exists() {
            assert_ne!(file_system(&std::env::temp_dir()), "unknown");
            assert_eq!(file_system(Path::new("/proc/self")), "proc");
        }
    }
}
