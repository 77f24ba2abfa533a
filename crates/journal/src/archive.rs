//! Old segments, compressed; and whole logs, copied.

use serde::Serialize;
use tradewright_engine::EngineConfig;

use crate::error::{JournalError, Outcome, damaged, while_doing};
use crate::format::SEGMENT_HEADER_BYTES;
use crate::hex::to_hex;
use crate::reader::JournalReader;
use crate::recovery::{disk_segment_indices, segment_indices, write_whole};
use crate::segment::{Segment, archive_name, fill_with_zeros, segment_name};
use crate::snapshots::{read_file, read_snapshot, snapshot_indices, snapshot_name};
use crate::storage::{Access, Storage, StoredFile};

const COMPRESSION_LEVEL: i32 = 3;

/// Compresses the segments that lie wholly below the second newest of the snapshots that can be read: two ways to start must
/// not need them. Returns their first indices. Readers read them as before.
///
/// # Errors
/// Damage, or the system's; then the segment is still there.
pub fn archive_old_segments<S: Storage>(storage: &S, config: EngineConfig) -> Outcome<Vec<u64>> {
    archive_old_segments_until(storage, config, || false)
}

/// The same, ended before the next segment when `is_over`.
///
/// # Errors
/// As [`archive_old_segments`].
pub fn archive_old_segments_until<S: Storage>(
    storage: &S,
    config: EngineConfig,
    is_over: impl Fn() -> bool,
) -> Outcome<Vec<u64>> {
    let names = storage.list().map_err(while_doing("listing", "folder"))?;
    let indices = disk_segment_indices(&names);
    let Some(bound) = second_newest_snapshot(storage, config)?.filter(|_| indices.len() > 1) else {
        return Ok(Vec::new());
    };
    let is_old = |pair: &&[u64]| pair[1] - 1 <= bound;
    let old = indices.windows(2).filter(is_old).map(|pair| pair[0]);
    let mut archived = Vec::new();
    for first_index in old.take_while(|_| !is_over()) {
        archive(storage, first_index)?;
        archived.push(first_index);
    }
    Ok(archived)
}

/// The second newest of the snapshots that can be read: only so many are looked at.
fn second_newest_snapshot<S: Storage>(storage: &S, config: EngineConfig) -> Outcome<Option<u64>> {
    let indices = snapshot_indices(storage)?.into_iter().rev();
    Ok(indices.filter(|index| read_snapshot(storage, *index, config).is_ok()).nth(1))
}

fn archive<S: Storage>(storage: &S, first_index: u64) -> Outcome<()> {
    let (name, archive) = (segment_name(first_index), archive_name(first_index));
    let bytes = read_file(storage, &name)?;
    let packed = zstd::bulk::compress(&bytes, COMPRESSION_LEVEL).map_err(while_doing("compressing", &name))?;
    write_whole(storage, &archive, &packed)?;
    // It goes only when the other can be read back.
    if unpack(storage, &archive)? != bytes {
        return Err(damaged(&archive, 0, "an archive must be what was compressed"));
    }
    storage.remove(&name).map_err(while_doing("removing", &name))?;
    storage.sync_folder().map_err(while_doing("syncing the folder for", &archive))
}

/// The bytes of the segment in an archive.
pub(crate) fn unpack<S: Storage>(storage: &S, archive: &str) -> Outcome<Vec<u8>> {
    /// Longer ones are not made: what claims to be is damaged.
    const SEGMENT_BYTES_MAX: usize = 1 << 32;
    let packed = read_file(storage, archive)?;
    let broken = || damaged(archive, 0, "an archive must unpack to a segment");
    let claimed = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten().ok_or_else(broken)?;
    let length = usize::try_from(claimed).ok().filter(|length| *length <= SEGMENT_BYTES_MAX).ok_or_else(broken)?;
    let bytes = zstd::bulk::decompress(&packed, length).map_err(|_| broken())?;
    if bytes.len() < SEGMENT_HEADER_BYTES { Err(broken()) } else { Ok(bytes) }
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// Segments, archives among them.
    pub segments: usize,
    /// Snapshots.
    pub snapshots: usize,
    /// The last index of the copy.
    pub last_index: u64,
    /// The chain behind it.
    pub chain: String,
}

/// Copies a log with its archives and snapshots into an empty folder, and reads the copy back: every checksum, and the chain. A
/// log that is being written is copied up to what is durable.
///
/// # Errors
/// When the folder has a log, or the log is damaged.
pub fn copy_log<S: Storage, T: Storage>(from: &S, to: &T) -> Outcome<CopyReport> {
    let there = to.list().map_err(while_doing("listing", "the folder to copy to"))?;
    if let Some(name) = there.iter().find(|name| !segment_indices(core::slice::from_ref(*name)).is_empty()) {
        return Err(damaged(name, 0, "a log is copied to a folder that has none"));
    }
    // Where the copy ends is settled first; snapshots of later commands stay behind.
    let names = from.list().map_err(while_doing("listing", "the folder to copy from"))?;
    let indices = segment_indices(&names);
    let first = indices.first().copied().ok_or(JournalError::NotInLog { index: 1, first: 0, last: 0 })?;
    let mut reader = JournalReader::open_or_follow(from.clone(), first)?;
    while reader.next_batch()?.is_some() {}
    let (tip, end) = (*reader.tip(), reader.place().1);
    let last = reader.segment_index();
    for first_index in indices.iter().copied().filter(|first_index| *first_index <= last) {
        copy_segment(from, to, first_index, (first_index == last).then_some(end))?;
    }
    let snapshots: Vec<u64> = snapshot_indices(from)?.into_iter().filter(|index| *index <= tip.index).collect();
    for index in &snapshots {
        write_whole(to, &snapshot_name(*index), &read_file(from, &snapshot_name(*index))?)?;
    }
    let mut copy = JournalReader::open(to.clone(), first)?;
    while copy.next_batch()?.is_some() {}
    copy.tail()?;
    if *copy.tip() != tip {
        let (file, offset) = copy.place();
        return Err(damaged(file, offset, "a copy must end where the log does"));
    }
    let segments = indices.iter().filter(|first_index| **first_index <= last).count();
    Ok(CopyReport { segments, snapshots: snapshots.len(), last_index: tip.index, chain: to_hex(&tip.chain) })
}

/// Copies a segment, the last one up to its end.
fn copy_segment<S: Storage, T: Storage>(from: &S, to: &T, first_index: u64, end: Option<u64>) -> Outcome<()> {
    let (name, archive) = (segment_name(first_index), archive_name(first_index));
    let names = from.list().map_err(while_doing("listing", "the folder to copy from"))?;
    if !names.contains(&name) {
        return write_whole(to, &archive, &read_file(from, &archive)?);
    }
    let segment = Segment::open(from, first_index, Access::Read)?;
    let length = segment.header.segment_bytes;
    let mut bytes = vec![0; end.unwrap_or(length) as usize];
    segment.file.read_at(&mut bytes, 0).map_err(while_doing("reading", &name))?;
    let part = format!("{name}.part");
    let file = to.create(&part).map_err(while_doing("creating", &part))?;
    file.write_at(&bytes, 0).map_err(while_doing("writing", &part))?;
    fill_with_zeros(&file, &part, bytes.len() as u64, length)?;
    file.sync_data().map_err(while_doing("syncing", &part))?;
    to.rename(&part, &name).map_err(while_doing("renaming", &part))?;
    to.sync_folder().map_err(while_doing("syncing the folder for", &name))
}
