//! Where a segment's good batches end, and what stands there: nothing, a write that was cut short, or damage.
//!
//! A disk writes a sector whole or not at all, segments are zeros before they are written, and at most one batch is not synced.
//! So a cut leaves a batch with at least one sector still zero, and behind it nothing. Everything else is damage, and a damaged
//! batch may have been acknowledged: it is never cut off.

use zerocopy::{FromBytes, IntoBytes};

use crate::batch::Batch;
use crate::durable::DurableEnd;
use crate::error::{Outcome, damaged, while_doing};
use crate::format::{BATCH_HEADER_BYTES, BatchHeader, CHAIN_BYTES, Hash, SECTOR, SEGMENT_HEADER_BYTES, Tip};
use crate::segment::Segment;
use crate::storage::StoredFile;
use crate::window::Window;

/// What stood behind the last good batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: the log ends with a whole batch.
    Clean,
    /// Nothing, and the log was closed in order.
    Sealed,
    /// A write that was cut short.
    Torn {
        /// The file.
        file: String,
        /// Where the write began.
        offset: u64,
    },
}

/// What is found at a place where a batch may begin.
pub(crate) enum Found {
    /// A good batch of this length, and where the log stands behind it.
    Batch(usize, Tip),
    /// Zeros, as far as a batch header reaches; or the end of the segment.
    Blank,
    /// A batch that breaks this rule.
    Bad(&'static str),
}

/// Reads and checks what stands at a place of a segment.
pub(crate) fn find_batch<F: StoredFile>(
    segment: &Segment<F>,
    offset: u64,
    tip: &Tip,
    end: u64,
    window: &mut Window,
) -> Outcome<Found> {
    let reading = || while_doing("reading", &segment.name);
    let Some(header) = window.batch_header(&segment.file, offset, end).map_err(reading())? else {
        return Ok(Found::Blank);
    };
    if header.as_bytes().iter().all(|byte| *byte == 0) {
        return Ok(Found::Blank);
    }
    let room_bytes = (end - offset).min(segment.header.batch_bytes_max);
    if let Some(rule) = header.broken_rule(tip, segment.header.identity().tag(), room_bytes) {
        return Ok(Found::Bad(rule));
    }
    let length = header.length as usize;
    let bytes = window.bytes(&segment.file, offset, length, end).map_err(reading())?;
    if bytes.len() < length {
        return Ok(Found::Bad("a batch must end in its segment"));
    }
    Ok(Batch::check(bytes, tip).map_or_else(Found::Bad, |(_, after)| Found::Batch(length, after)))
}

/// Where the good batches of a segment end.
pub(crate) struct Scan {
    /// Where the log stands behind them.
    pub(crate) tip: Tip,
    /// Where the next batch goes.
    pub(crate) end: u64,
    /// Where the last one begins, if there is one.
    pub(crate) last_batch: Option<u64>,
    /// Whether the last record is a seal.
    pub(crate) is_sealed: bool,
    /// The rule that what follows breaks, if it looks like a batch.
    pub(crate) broken_rule: Option<&'static str>,
}

/// Reads a segment up to the first place that holds no good batch.
pub(crate) fn scan<F: StoredFile>(segment: &Segment<F>, window: &mut Window) -> Outcome<Scan> {
    let mut scan = Scan {
        tip: segment.header.tip_before(),
        end: SEGMENT_HEADER_BYTES as u64,
        last_batch: None,
        is_sealed: false,
        broken_rule: None,
    };
    window.forget();
    loop {
        match find_batch(segment, scan.end, &scan.tip, segment.header.segment_bytes, window)? {
            Found::Batch(length, tip) => {
                let batch = Batch::of_checked(window.loaded(scan.end, length));
                scan.is_sealed = batch.is_seal();
                scan.last_batch = Some(scan.end);
                scan.end += length as u64;
                scan.tip = tip;
            }
            Found::Blank => return Ok(scan),
            Found::Bad(rule) => return Ok(Scan { broken_rule: Some(rule), ..scan }),
        }
    }
}

/// What is known from elsewhere about the end of a log.
#[derive(Clone, Copy)]
pub(crate) struct Witness {
    /// What was told to be durable.
    pub(crate) durable: Option<DurableEnd>,
    /// The chain at the seal behind which the log was opened again.
    pub(crate) reopened: Option<Hash>,
}

/// Judges what stands behind the good batches of the last segment.
///
/// # Errors
/// Names the place and the rule when it is damage.
pub(crate) fn judge<F: StoredFile>(segment: &Segment<F>, scan: &Scan, witness: Witness) -> Outcome<Tail> {
    let rule = scan.broken_rule.unwrap_or("zeros must stand behind the last batch, or a batch");
    let refuse = |rule| Err(damaged(&segment.name, scan.end, rule));
    let first_index = segment.header.first_index;
    if witness.durable.is_some_and(|durable| durable.covers(first_index, scan.end)) {
        return refuse(scan.broken_rule.unwrap_or("a batch must stand here, which was told to be on the disk"));
    }
    let rest = Rest::look_at(segment, scan.end)?;
    let Some(last_written) = rest.last_written else {
        return Ok(if scan.is_sealed { Tail::Sealed } else { Tail::Clean });
    };
    if scan.is_sealed && witness.reopened != Some(scan.tip.chain) {
        return refuse("nothing must stand behind a seal");
    }
    if rest.is_torn(scan.end, last_written) {
        Ok(Tail::Torn { file: segment.name.clone(), offset: scan.end })
    } else {
        refuse(rule)
    }
}

/// What is left of a segment behind its good batches.
struct Rest {
    /// Where the last byte stands that is not zero.
    last_written: Option<u64>,
    /// The first sector, where the header of a batch would stand.
    first_sector: Vec<u8>,
    /// How long the batch says it is, if its header is good.
    length: Option<u64>,
    /// Whether a sector of the batch is zero; of one without a header, the first one.
    has_zero_sector: bool,
    /// Whether the header of a batch of this log stands further behind.
    has_batch_behind: bool,
    batch_bytes_max: u64,
}

impl Rest {
    fn look_at<F: StoredFile>(segment: &Segment<F>, from: u64) -> Outcome<Self> {
        let header = &segment.header;
        let (mut window, tag) = (Window::new(), header.identity().tag());
        let mut rest = Self {
            last_written: None,
            first_sector: Vec::new(),
            length: None,
            has_zero_sector: false,
            has_batch_behind: false,
            batch_bytes_max: header.batch_bytes_max,
        };
        let mut offset = from;
        while offset < header.segment_bytes {
            let bytes = window.bytes(&segment.file, offset, SECTOR, header.segment_bytes);
            let sector = bytes.map_err(while_doing("reading", &segment.name))?;
            if offset == from {
                rest.first_sector = sector.to_vec();
            }
            let batch = BatchHeader::read_from_prefix(sector).ok().map(|(header, _)| header);
            let batch = batch.filter(|batch| batch.is_of(tag));
            match batch {
                Some(batch) if offset == from => rest.length = Some(u64::from(batch.length)),
                Some(_) => rest.has_batch_behind = true,
                None => {}
            }
            let last_written = if sector == [0; SECTOR] { None } else { sector.iter().rposition(|byte| *byte != 0) };
            match last_written {
                Some(place) => rest.last_written = Some(offset + place as u64),
                None if offset < from + rest.length.unwrap_or(SECTOR as u64) => rest.has_zero_sector = true,
                None => {}
            }
            offset += SECTOR as u64;
        }
        Ok(rest)
    }

    /// Whether all this is what one write leaves that was cut short.
    fn is_torn(&self, from: u64, last_written: u64) -> bool {
        let extent = self.length.unwrap_or(self.batch_bytes_max);
        if self.has_batch_behind || last_written >= from + extent {
            return false;
        }
        match self.length {
            // Its end was never written: of a batch that is whole a hash stands there, which is never zero.
            Some(length) => self.has_zero_sector || last_written < from + length - CHAIN_BYTES as u64,
            // Its header was never written, or only in part and nothing behind it.
            None => self.has_zero_sector || last_written < from + BATCH_HEADER_BYTES as u64,
        }
    }
}
