//! How far the log is durable, told to other processes by a small file that the writer overwrites behind each commit.
//!
//! It is not synced: after a power cut it may tell less than there is, or nothing. It never tells more.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::error::{Outcome, while_doing};
use crate::format::LogId;
use crate::storage::{Access, Storage, StoredFile};

pub(crate) const DURABLE_NAME: &str = "durable";
const MAGIC: [u8; 8] = *b"TWJDUR\r\n";

/// When what is committed is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// When it is in memory: a simulation. Promises nothing after a kill.
    Memory,
    /// When this machine has synced it.
    LocalSync,
}

/// Up to where the log may be read by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DurableEnd {
    magic: [u8; 8],
    log_id: LogId,
    /// The last durable index.
    pub(crate) index: u64,
    /// The first index of the segment that holds the end.
    pub(crate) segment: u64,
    /// Where in it the last durable batch ends.
    pub(crate) offset: u64,
    pub(crate) epoch: u32,
    is_synced: u32,
    reserved: u32,
    crc32c: u32,
}

const _: () = assert!(size_of::<DurableEnd>() == 64);

impl DurableEnd {
    pub(crate) fn new(log_id: LogId, index: u64, (segment, offset): (u64, u64), epoch: u32, tier: Tier) -> Self {
        let is_synced = u32::from(tier == Tier::LocalSync);
        let mut end = Self { magic: MAGIC, log_id, index, segment, offset, epoch, is_synced, reserved: 0, crc32c: 0 };
        end.crc32c = end.checksum();
        end
    }

    fn checksum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..60])
    }

    /// Whether a batch at this place was told to be on the disk.
    pub(crate) fn covers(&self, segment: u64, offset: u64) -> bool {
        self.is_synced == 1 && (self.segment, self.offset) > (segment, offset)
    }

    /// Reads what was told last. `None` when nothing legible was, of this log.
    pub(crate) fn read<F: StoredFile>(file: &F, log_id: LogId) -> Option<Self> {
        // The writer may be in the middle of it: then the checksum fails, and another look helps.
        (0..16).find_map(|_| {
            let mut end = Self::new_zeroed();
            let is_whole = file.read_at(end.as_mut_bytes(), 0).is_ok_and(|got| got == size_of::<Self>());
            (is_whole && end.magic == MAGIC && end.log_id == log_id && end.crc32c == end.checksum()).then_some(end)
        })
    }

    /// What was told last in a folder.
    pub(crate) fn read_in<S: Storage>(storage: &S, log_id: LogId) -> Option<Self> {
        storage.open(DURABLE_NAME, Access::Read).ok().and_then(|file| Self::read(&file, log_id))
    }

    pub(crate) fn write<F: StoredFile>(&self, file: &F) -> Outcome<()> {
        file.write_at(self.as_bytes(), 0).map_err(while_doing("writing", DURABLE_NAME))
    }
}
