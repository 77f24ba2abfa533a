//! A batch: what is written, synced and chained together.
//!
//! [`BatchBuffer`] builds one in place, [`Batch`] is one that was read and checked.

use tradewright_types::CommandRecord;
use zerocopy::{FromBytes, IntoBytes};

use crate::format::{
    BATCH_HEADER_BYTES, BatchHeader, CHAIN_BYTES, Page, RECORD_HEADER_BYTES, RecordHeader, RecordKind, SECTOR, Tip,
    next_chain, record_checksum,
};

/// A batch while it is built. It keeps its memory.
pub(crate) struct BatchBuffer {
    pages: Vec<Page>,
    /// Where the next record goes.
    used: usize,
    bytes_max: usize,
    count: u32,
    /// The index that its first command has or will have.
    first_index: u64,
    first_time_ns: u64,
    /// Where the log stands behind what was put in; the chain is that before it.
    tip: Tip,
}

impl BatchBuffer {
    pub(crate) fn new(tip: Tip, bytes_max: usize) -> Self {
        Self {
            pages: Page::blank(bytes_max),
            used: BATCH_HEADER_BYTES,
            bytes_max,
            count: 0,
            first_index: tip.index + 1,
            first_time_ns: tip.time_ns,
            tip,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where the log stands behind what was put in.
    pub(crate) fn tip(&self) -> &Tip {
        &self.tip
    }

    /// How long the batch is as it stands.
    pub(crate) fn length(&self) -> usize {
        batch_bytes(self.used - BATCH_HEADER_BYTES)
    }

    #[inline(always)]
    pub(crate) fn has_room_for(&self, payload_bytes: usize) -> bool {
        batch_bytes(self.used - BATCH_HEADER_BYTES + RECORD_HEADER_BYTES + payload_bytes) <= self.bytes_max
    }

    /// Whether a command of so many bytes could be logged at all.
    pub(crate) fn could_hold(&self, payload_bytes: usize) -> bool {
        batch_bytes(RECORD_HEADER_BYTES + payload_bytes) <= self.bytes_max
    }

    /// Puts a command in, which has to be the next one. There must be room.
    #[inline(always)]
    pub(crate) fn push_command(&mut self, command: &[CommandRecord]) {
        let time_ns = command[0].header.time_ns;
        if self.tip.index < self.first_index {
            self.first_time_ns = time_ns;
        }
        self.tip.index += 1;
        self.tip.time_ns = time_ns;
        self.push(RecordKind::Command, self.tip.index, command.as_bytes());
    }

    /// Puts a record in that is no command. There must be room.
    pub(crate) fn push_note(&mut self, kind: RecordKind, index: u64, payload: &[u8]) {
        self.push(kind, index, payload);
    }

    /// The epoch of all that is put in from now on. The buffer must be empty.
    pub(crate) fn begin_epoch(&mut self, epoch: u32) {
        assert!(self.is_empty(), "Invariant: a batch has one epoch");
        self.tip.epoch = epoch;
    }

    #[inline(always)]
    fn push(&mut self, kind: RecordKind, index: u64, payload: &[u8]) {
        let length = payload.len() as u32;
        let Tip { epoch, time_ns, .. } = self.tip;
        let end = self.used + RECORD_HEADER_BYTES + payload.len();
        let record = &mut self.pages.as_mut_bytes()[self.used..end];
        let (header, body) = record.split_at_mut(RECORD_HEADER_BYTES);
        body.copy_from_slice(payload);
        let words = RecordHeader { length, crc32c: 0, epoch, kind: kind as u16, reserved: 0, index, time_ns };
        header.copy_from_slice(words.as_bytes());
        let checksum = record_checksum(length, &record[8..]);
        record[4..8].copy_from_slice(&checksum.to_le_bytes());
        self.used = end;
        self.count += 1;
    }

    /// Ends the batch: its bytes as they go to the disk, and where the log stands behind them.
    pub(crate) fn finish(&mut self, log_tag: u64) -> (&[u8], Tip) {
        let length = self.length();
        let (used, first_index) = (self.used, self.first_index);
        let header = BatchHeader {
            length: length as u32,
            record_bytes: (used - BATCH_HEADER_BYTES) as u32,
            count: self.count,
            epoch: self.tip.epoch,
            first_index,
            last_index: self.tip.index,
            first_time_ns: if self.tip.index < first_index { self.tip.time_ns } else { self.first_time_ns },
            last_time_ns: self.tip.time_ns,
            log_tag,
            ..BatchHeader::BLANK
        };
        let bytes = &mut self.pages.as_mut_bytes()[..length];
        bytes[..BATCH_HEADER_BYTES].copy_from_slice(header.sealed().as_bytes());
        let (covered, chain) = bytes.split_at_mut(length - CHAIN_BYTES);
        covered[used..].fill(0);
        let next = next_chain(&self.tip.chain, covered);
        chain.copy_from_slice(&next);
        (&self.pages.as_bytes()[..length], Tip { chain: next, ..self.tip })
    }

    /// Starts the next batch, behind `tip`.
    pub(crate) fn clear(&mut self, tip: Tip) {
        self.used = BATCH_HEADER_BYTES;
        self.count = 0;
        self.first_index = tip.index + 1;
        self.tip = tip;
    }
}

/// How long a batch is whose records have so many bytes.
#[inline(always)]
pub(crate) const fn batch_bytes(record_bytes: usize) -> usize {
    (BATCH_HEADER_BYTES + record_bytes + CHAIN_BYTES).next_multiple_of(SECTOR)
}

/// A record of a batch that was checked.
#[derive(Clone, Copy, Debug)]
pub struct Record<'b> {
    /// What stands in front of it.
    pub header: &'b RecordHeader,
    /// What it is.
    pub kind: RecordKind,
    /// Header and payload, as they lie on the disk.
    pub bytes: &'b [u8],
}

impl<'b> Record<'b> {
    /// What stands behind the header.
    #[must_use]
    pub fn payload(&self) -> &'b [u8] {
        &self.bytes[RECORD_HEADER_BYTES..]
    }

    /// The records of a command; `None` when it is none.
    #[must_use]
    pub fn command(&self) -> Option<&'b [CommandRecord]> {
        if self.kind != RecordKind::Command {
            return None;
        }
        <[CommandRecord]>::ref_from_bytes(self.payload()).ok()
    }
}

/// Takes the first record off `bytes`, or says which rule it breaks.
fn split_record(bytes: &[u8]) -> Result<(Record<'_>, &[u8]), &'static str> {
    let (header, behind) =
        RecordHeader::ref_from_prefix(bytes).map_err(|_| "the header of a record must end in its batch")?;
    let length = header.length as usize;
    if length > behind.len() || !length.is_multiple_of(8) {
        return Err("a record must end in its batch, at a multiple of eight bytes");
    }
    let (bytes, rest) = bytes.split_at(RECORD_HEADER_BYTES + length);
    if record_checksum(header.length, &bytes[8..]) != header.crc32c {
        return Err("the checksum of a record must match");
    }
    let kind = RecordKind::from_code(header.kind).ok_or("the kind of a record must be a known one")?;
    Ok((Record { header, kind, bytes }, rest))
}

/// A batch that was read and checked: every checksum, and the chain.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'b> {
    header: &'b BatchHeader,
    records: &'b [u8],
}

impl<'b> Batch<'b> {
    /// Checks the batch whose header was already checked: what breaks which rule, or the batch and where the log stands
    /// behind it.
    pub(crate) fn check(bytes: &'b [u8], tip: &Tip) -> Result<(Self, Tip), &'static str> {
        let (header, _) = BatchHeader::ref_from_prefix(bytes).expect("Invariant: the header was checked");
        let (covered, chain) = bytes.split_at(bytes.len() - CHAIN_BYTES);
        let next = next_chain(&tip.chain, covered);
        if next != chain {
            return Err("the hash at the end of a batch must be that of the chain");
        }
        let batch = Self::of_checked(bytes);
        let after = Tip { index: header.last_index, time_ns: header.last_time_ns, epoch: header.epoch, chain: next };
        batch.check_records(tip, &after).map(|()| (batch, after))
    }

    /// The batch in bytes that were checked before.
    pub(crate) fn of_checked(bytes: &'b [u8]) -> Self {
        let (header, rest) = BatchHeader::ref_from_prefix(bytes).expect("Invariant: the batch was checked");
        Self { header, records: &rest[..header.record_bytes as usize] }
    }

    /// Records have the batch's epoch, consecutive indices, and times that do not go back.
    fn check_records(&self, before: &Tip, after: &Tip) -> Result<(), &'static str> {
        let (mut rest, mut count) = (self.records, 0);
        let (mut index, mut time_ns) = (before.index, before.time_ns);
        while !rest.is_empty() {
            let (Record { header, kind, bytes }, behind) = split_record(rest)?;
            rest = behind;
            count += 1;
            if header.epoch != self.header.epoch || header.reserved != 0 {
                return Err("a record must have the epoch of its batch and no reserved bits");
            }
            if kind == RecordKind::Command {
                index += 1;
                if header.index != index || header.time_ns < time_ns || !is_whole_command(bytes) {
                    return Err(
                        "a command must have the next index, a time that does not go back, and all its records",
                    );
                }
                time_ns = header.time_ns;
            } else if header.index > index || header.time_ns != time_ns {
                return Err("a record must have an index and the time of the commands before it");
            }
        }
        if count != self.header.count || index != after.index || time_ns != after.time_ns {
            return Err("a batch must have the records that its header counts");
        }
        Ok(())
    }

    /// Whether it has a command of an index or behind it, or records that stand behind the one before.
    pub(crate) fn reaches(&self, index: u64) -> bool {
        self.last_index() >= index || self.first_index() >= index
    }

    /// Whether it closes the log.
    pub(crate) fn is_seal(&self) -> bool {
        // A seal is a record without payload, and the last one.
        let seal = self.records.len().checked_sub(RECORD_HEADER_BYTES).map(|start| &self.records[start..]);
        let header = seal.and_then(|bytes| RecordHeader::ref_from_bytes(bytes).ok());
        header.is_some_and(|header| header.kind == RecordKind::Seal as u16 && header.length == 0)
            && self.records().last().is_some_and(|record| record.kind == RecordKind::Seal)
    }

    /// The index of its first command; without commands the next one to come.
    #[must_use]
    pub fn first_index(&self) -> u64 {
        self.header.first_index
    }

    /// The last index behind it.
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.header.last_index
    }

    /// The epoch it was written in.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.header.epoch
    }

    /// All records, in their order.
    pub fn records(&self) -> impl Iterator<Item = Record<'b>> + use<'b> {
        let mut rest = self.records;
        core::iter::from_fn(move || {
            let (header, _) = RecordHeader::ref_from_prefix(rest).ok()?;
            let (bytes, behind) = rest.split_at(RECORD_HEADER_BYTES + header.length as usize);
            rest = behind;
            let kind = RecordKind::from_code(header.kind).expect("Invariant: the batch was checked");
            Some(Record { header, kind, bytes })
        })
    }

    /// Adds the commands from an index on to `out`, one behind the other, as an engine takes them.
    pub fn copy_commands(&self, from_index: u64, out: &mut Vec<CommandRecord>) {
        for record in self.records().filter(|record| record.header.index >= from_index) {
            out.extend_from_slice(record.command().unwrap_or_default());
        }
    }
}

/// Whether a command's header counts the records that there are, and tells its record's time.
fn is_whole_command(bytes: &[u8]) -> bool {
    let (header, payload) = bytes.split_at(RECORD_HEADER_BYTES);
    let Ok((first, _)) = CommandRecord::ref_from_prefix(payload) else { return false };
    usize::from(first.header.record_count) * size_of::<CommandRecord>() == payload.len()
        && first.header.time_ns.to_le_bytes() == header[24..32]
}
