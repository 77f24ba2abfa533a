//! The bytes of the log: headers as they lie on the disk.
//!
//! ```text
//! segment   header (4,096) · batches · zeros to its end
//! batch     header (64) · records · zeros · chain (32); a multiple of 512 bytes long
//! record    header (32) · payload, a multiple of 8 bytes long
//! ```
//!
//! All numbers are little-endian. docs/internals/journal-format.md says why it is so.

use sha2::{Digest, Sha256};
use tradewright_types::RULESET_VERSION;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::error::{JournalError, Outcome, damaged};

/// What a disk writes whole or not at all. Batches begin and end at multiples of it, so that none shares one with another.
pub(crate) const SECTOR: usize = 512;
pub(crate) const SEGMENT_HEADER_BYTES: usize = 4_096;
pub(crate) const BATCH_HEADER_BYTES: usize = 64;
pub(crate) const RECORD_HEADER_BYTES: usize = 32;
pub(crate) const CHAIN_BYTES: usize = 32;

const SEGMENT_MAGIC: [u8; 8] = *b"TWJSEG\r\n";
const BATCH_MAGIC: u32 = u32::from_le_bytes(*b"TWB1");
pub(crate) const FORMAT_VERSION: u32 = 1;

/// A link of the hash chain, or a hash of the tree.
pub type Hash = [u8; 32];

/// Names a log for ever: drawn when it is made.
pub type LogId = [u8; 16];

/// Memory that batches are built and read in: aligned as records need it.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
pub(crate) struct Page([u8; 4_096]);

impl Page {
    pub(crate) fn blank(bytes: usize) -> Vec<Self> {
        vec![Self([0; 4_096]); bytes.div_ceil(size_of::<Self>())]
    }
}

const RESERVED_WORDS: usize = (SEGMENT_HEADER_BYTES - 112) / 8;

/// What stands in front of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SegmentHeader {
    magic: [u8; 8],
    format_version: u32,
    ruleset_version: u32,
    pub(crate) log_id: LogId,
    /// The first index that may stand in it.
    pub(crate) first_index: u64,
    /// The time of the last command before it.
    pub(crate) last_time_ns: u64,
    /// How long the file is.
    pub(crate) segment_bytes: u64,
    /// How long a batch in it may be.
    pub(crate) batch_bytes_max: u64,
    /// The chain of the last batch before it.
    pub(crate) previous_chain: Hash,
    /// The epoch of the last batch before it.
    pub(crate) epoch: u32,
    pub(crate) shard: u32,
    reserved: [[u8; 8]; RESERVED_WORDS],
    reserved_end: u32,
    crc32c: u32,
}

const _: () = assert!(size_of::<SegmentHeader>() == SEGMENT_HEADER_BYTES);

/// Where a log stands: what the next batch has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The last index.
    pub index: u64,
    /// Its time.
    pub time_ns: u64,
    /// The epoch.
    pub epoch: u32,
    /// The chain.
    pub chain: Hash,
}

/// What all segments of a log have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn when the log is made.
    pub log_id: LogId,
    /// The shard whose commands these are.
    pub shard: u8,
}

impl Identity {
    /// Where a new log stands.
    pub(crate) fn genesis(self) -> Tip {
        let hash = Sha256::new().chain_update(b"tradewright journal 1\n").chain_update(self.log_id);
        let chain = hash.chain_update([self.shard]).finalize().into();
        Tip { index: 0, time_ns: 0, epoch: 0, chain }
    }

    /// Marks the batches of a log, so that nothing that a client sends can look like one.
    pub(crate) fn tag(self) -> u64 {
        u64::from_le_bytes(self.log_id[..8].try_into().expect("8 of 16 bytes"))
    }
}

impl SegmentHeader {
    pub(crate) fn new(identity: Identity, tip: &Tip, segment_bytes: u64, batch_bytes_max: u64) -> Self {
        let mut header = Self {
            magic: SEGMENT_MAGIC,
            format_version: FORMAT_VERSION,
            ruleset_version: RULESET_VERSION,
            log_id: identity.log_id,
            first_index: tip.index + 1,
            last_time_ns: tip.time_ns,
            segment_bytes,
            batch_bytes_max,
            previous_chain: tip.chain,
            epoch: tip.epoch,
            shard: u32::from(identity.shard),
            reserved: [[0; 8]; RESERVED_WORDS],
            reserved_end: 0,
            crc32c: 0,
        };
        header.crc32c = header.checksum();
        header
    }

    fn checksum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[..SEGMENT_HEADER_BYTES - 4])
    }

    /// Checks a header that was read from `file`.
    ///
    /// # Errors
    /// Damage, or a version that this build does not know.
    pub(crate) fn check(&self, file: &str) -> Outcome<()> {
        if self.magic != SEGMENT_MAGIC {
            return Err(damaged(file, 0, "the first eight bytes must be those of a segment"));
        }
        if self.checksum() != self.crc32c {
            return Err(damaged(file, 0, "the checksum of the segment's header must match"));
        }
        let known =
            [("format", self.format_version, FORMAT_VERSION), ("ruleset", self.ruleset_version, RULESET_VERSION)];
        match known.into_iter().find(|(_, found, known)| found != known) {
            None => Ok(()),
            Some((what, found, known)) => {
                Err(JournalError::UnknownVersion { file: file.to_owned(), what, found, known })
            }
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { log_id: self.log_id, shard: self.shard as u8 }
    }

    /// Where the log stood before this segment.
    pub(crate) fn tip_before(&self) -> Tip {
        let Self { first_index, last_time_ns, epoch, previous_chain, .. } = *self;
        Tip { index: first_index - 1, time_ns: last_time_ns, epoch, chain: previous_chain }
    }
}

/// What stands in front of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct BatchHeader {
    pub(crate) magic: u32,
    /// Of the rest of this header.
    pub(crate) crc32c: u32,
    /// How long the batch is, from this header to the end of its chain.
    pub(crate) length: u32,
    /// How long its records are.
    pub(crate) record_bytes: u32,
    /// How many records.
    pub(crate) count: u32,
    pub(crate) epoch: u32,
    /// The index of its first command; without commands the next one to come.
    pub(crate) first_index: u64,
    /// The last index behind it.
    pub(crate) last_index: u64,
    pub(crate) first_time_ns: u64,
    pub(crate) last_time_ns: u64,
    pub(crate) log_tag: u64,
}

const _: () = assert!(size_of::<BatchHeader>() == BATCH_HEADER_BYTES);

impl BatchHeader {
    pub(crate) const BLANK: Self = Self {
        magic: BATCH_MAGIC,
        crc32c: 0,
        length: 0,
        record_bytes: 0,
        count: 0,
        epoch: 0,
        first_index: 0,
        last_index: 0,
        first_time_ns: 0,
        last_time_ns: 0,
        log_tag: 0,
    };

    pub(crate) fn sealed(mut self) -> Self {
        self.crc32c = self.checksum();
        self
    }

    fn checksum(&self) -> u32 {
        crc32c::crc32c(&self.as_bytes()[8..])
    }

    /// Whether this is the header of some batch of the log, wherever it stands.
    pub(crate) fn is_of(&self, log_tag: u64) -> bool {
        self.magic == BATCH_MAGIC && self.log_tag == log_tag && self.crc32c == self.checksum()
    }

    /// The rule that it breaks as the batch behind `tip`, with `room_bytes` left in the segment.
    pub(crate) fn broken_rule(&self, tip: &Tip, log_tag: u64, room_bytes: u64) -> Option<&'static str> {
        let length = self.length as usize;
        let frame = BATCH_HEADER_BYTES + CHAIN_BYTES;
        let rules = [
            (self.is_of(log_tag), "the header of a batch must have its checksum and the mark of this log"),
            (u64::from(self.length) <= room_bytes, "a batch must end in its segment"),
            (length.is_multiple_of(SECTOR), "a batch must be a whole number of sectors long"),
            (
                (self.record_bytes as usize + frame).next_multiple_of(SECTOR) == length,
                "a batch must be as long as its records need",
            ),
            (self.epoch >= tip.epoch, "the epoch of a batch must not be before that of the one before"),
            (self.first_index == tip.index + 1, "a batch must begin behind the last index of the one before"),
            (self.last_index >= tip.index, "the last index of a batch must not be before its first"),
            (self.first_time_ns >= tip.time_ns, "the time of a batch must not be before that of the one before"),
            (self.last_time_ns >= self.first_time_ns, "the last time of a batch must not be before its first"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, rule)| rule)
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordKind {
    /// A command: its 64-byte records.
    Command = 1,
    /// What the state's hash was at an index.
    Check = 2,
    /// A new epoch begins with this batch.
    Epoch = 3,
    /// A signed head of the tree.
    TreeHead = 4,
    /// The log was closed in order; nothing follows until it is opened again.
    Seal = 5,
}

impl RecordKind {
    /// The kind with this code.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::Command),
            2 => Some(Self::Check),
            3 => Some(Self::Epoch),
            4 => Some(Self::TreeHead),
            5 => Some(Self::Seal),
            _ => None,
        }
    }
}

/// What stands in front of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RecordHeader {
    /// How long the payload is.
    pub length: u32,
    /// Of the length, the rest of this header and the payload.
    pub crc32c: u32,
    /// The leadership epoch.
    pub epoch: u32,
    /// A [`RecordKind`].
    pub kind: u16,
    /// Zero.
    pub reserved: u16,
    /// Of a command its own index; of a check the one it is about; of any other record the last one before it.
    pub index: u64,
    /// Of a command its own time; of any other record that of the last command before it.
    pub time_ns: u64,
}

const _: () = assert!(size_of::<RecordHeader>() == RECORD_HEADER_BYTES);

/// The checksum of a record: `covered` is everything behind the checksum itself.
#[inline(always)]
pub(crate) fn record_checksum(length: u32, covered: &[u8]) -> u32 {
    crc32c::crc32c_append(length, covered)
}

/// The link of the chain behind a batch: `covered` is the batch up to its chain.
pub(crate) fn next_chain(previous: &Hash, covered: &[u8]) -> Hash {
    Sha256::new().chain_update(previous).chain_update(covered).finalize().into()
}
