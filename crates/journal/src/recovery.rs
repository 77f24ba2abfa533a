//! What a start finds, and what it puts in order before the log takes more.

use crate::durable::{DurableEnd, Tier};
use crate::error::{JournalError, Outcome, damaged, while_doing};
use crate::format::{Hash, Identity, LogId, SECTOR, Tip};
use crate::segment::{PART_SUFFIX, Segment, Supply, fill_with_zeros, index_of_archive, index_of_segment};
use crate::storage::{Access, Storage, StoredFile};
use crate::tail::{Scan, Tail, Witness, judge, scan};
use crate::window::Window;

/// Tells behind which seal the log was opened again: 32 bytes of chain, and their checksum.
const REOPENED_NAME: &str = "reopened";

/// What a log was when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Which log it is.
    pub identity: Identity,
    /// Where it stands.
    pub tip: Tip,
    /// The first index of the oldest segment that is there.
    pub first_index: u64,
    /// What stood behind the last good batch. A torn write is gone by now.
    pub tail: Tail,
    /// Whether there was nothing before.
    pub is_new: bool,
}

/// The last segment of a log that is in order, and what was found.
pub(crate) struct Start<F> {
    pub(crate) segment: Segment<F>,
    pub(crate) end: u64,
    pub(crate) recovered: Recovered,
}

/// The first indices of the segments in a folder, archives among them, in order.
pub(crate) fn segment_indices(names: &[String]) -> Vec<u64> {
    let index = |name: &String| index_of_segment(name).or_else(|| index_of_archive(name));
    let mut indices: Vec<u64> = names.iter().filter_map(index).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// The same without archives.
pub(crate) fn disk_segment_indices(names: &[String]) -> Vec<u64> {
    names.iter().filter_map(|name| index_of_segment(name)).collect()
}

/// Makes a log where none is.
pub(crate) fn begin<S: Storage>(
    supply: &Supply<S>,
    shard: u8,
    log_id: Option<LogId>,
    batch_bytes_max: u64,
) -> Outcome<Start<S::File>> {
    let identity = Identity { log_id: log_id.map_or_else(draw_log_id, Ok)?, shard };
    let tip = identity.genesis();
    if supply.count() == 0 {
        supply.prepare()?;
    }
    let segment = supply.take(identity, &tip, batch_bytes_max)?;
    let end = size_of_val(&segment.header) as u64;
    let recovered = Recovered { identity, tip, first_index: 1, tail: Tail::Clean, is_new: true };
    Ok(Start { segment, end, recovered })
}

fn draw_log_id() -> Outcome<LogId> {
    let mut id = LogId::default();
    let drawn = getrandom::fill(&mut id).map_err(std::io::Error::from);
    drawn.map_err(while_doing("drawing the id of a log", "random source")).map(|()| id)
}

/// Finds the end of the log in its last segment, and puts what stands behind in order.
pub(crate) fn recover<S: Storage>(storage: &S, indices: &[u64], shard: u8) -> Outcome<Start<S::File>> {
    let last = *indices.last().expect("Invariant: there is a segment");
    let segment = Segment::open(storage, last, Access::Write)?;
    let identity = segment.header.identity();
    check_headers(storage, indices, identity)?;
    if identity.shard != shard {
        let rule = "must be the shard of the log in this folder";
        return Err(JournalError::Setting { name: "shard", value: shard.into(), rule });
    }
    let mut window = Window::new();
    let found = scan(&segment, &mut window)?;
    let tail = judge(&segment, &found, witness(storage, identity.log_id))?;
    put_in_order(&segment, &found, &tail, &mut window)?;
    if tail == Tail::Sealed {
        note_reopened(storage, &found.tip.chain)?;
    }
    let recovered = Recovered { identity, tip: found.tip, first_index: indices[0], tail, is_new: false };
    Ok(Start { segment, end: found.end, recovered })
}

/// What is known from the other files about the end of a log.
pub(crate) fn witness<S: Storage>(storage: &S, log_id: LogId) -> Witness {
    Witness { durable: DurableEnd::read_in(storage, log_id), reopened: read_reopened(storage) }
}

/// All segments must be of one log.
fn check_headers<S: Storage>(storage: &S, indices: &[u64], identity: Identity) -> Outcome<()> {
    for first_index in indices {
        let segment = Segment::open(storage, *first_index, Access::Read)?;
        if segment.header.identity() != identity {
            return Err(damaged(&segment.name, 0, "all segments of a folder must be of one log"));
        }
    }
    Ok(())
}

/// Writes zeros over a torn write, and the last batch anew. The latter because a sync that failed may have left in memory what
/// never came to the disk: what is taken for written must be written.
fn put_in_order<F: StoredFile>(segment: &Segment<F>, found: &Scan, tail: &Tail, window: &mut Window) -> Outcome<()> {
    let Segment { name, file, header } = segment;
    if matches!(tail, Tail::Torn { .. }) {
        let to = (found.end + header.batch_bytes_max.next_multiple_of(SECTOR as u64)).min(header.segment_bytes);
        fill_with_zeros(file, name, found.end, to)?;
    }
    let from = found.last_batch.unwrap_or(0);
    let length = (found.end - from) as usize;
    window.forget();
    let bytes = window.bytes(file, from, length, found.end).map_err(while_doing("reading", name))?;
    file.write_at(bytes, from).map_err(while_doing("writing the last batch of", name))?;
    file.sync_data().map_err(while_doing("syncing", name))
}

fn read_reopened<S: Storage>(storage: &S) -> Option<Hash> {
    let file = storage.open(REOPENED_NAME, Access::Read).ok()?;
    let mut bytes = [0; 36];
    let is_whole = file.read_at(&mut bytes, 0).is_ok_and(|got| got == bytes.len());
    let (chain, checksum) = bytes.split_first_chunk::<32>().expect("36 bytes");
    (is_whole && crc32c::crc32c(chain).to_le_bytes() == checksum).then_some(*chain)
}

/// From now on a torn write behind this seal is no damage.
fn note_reopened<S: Storage>(storage: &S, chain: &Hash) -> Outcome<()> {
    let mut bytes = chain.to_vec();
    bytes.extend_from_slice(&crc32c::crc32c(chain).to_le_bytes());
    write_whole(storage, REOPENED_NAME, &bytes)
}

/// Writes a file so that under its name there is always a whole one, the old or the new.
pub(crate) fn write_whole<S: Storage>(storage: &S, name: &str, bytes: &[u8]) -> Outcome<()> {
    let part = format!("{name}{PART_SUFFIX}");
    let write = || {
        let file = storage.create(&part).map_err(while_doing("creating", &part))?;
        file.write_at(bytes, 0).map_err(while_doing("writing", &part))?;
        file.sync_data().map_err(while_doing("syncing", &part))?;
        storage.rename(&part, name).map_err(while_doing("renaming", &part))?;
        storage.sync_folder().map_err(while_doing("syncing the folder for", name))
    };
    let written = write();
    if written.is_err() {
        // The error that counts is the first one; what is left is removed at the next start.
        let _ = storage.remove(&part);
    }
    written
}

/// Whether the folder can keep what this tier promises.
pub(crate) fn check_tier<S: Storage>(storage: &S, tier: Tier) -> Outcome<()> {
    if tier == Tier::LocalSync && !storage.outlives_power().map_err(while_doing("asking for the kind of", "folder"))? {
        let rule = "promises to outlive a power cut, which a folder in memory cannot";
        return Err(JournalError::Setting { name: "tier", value: tier as u64, rule });
    }
    Ok(())
}
