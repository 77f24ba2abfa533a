//! Reads a log from its files: one that nobody writes, or one that another process writes.

use crate::batch::Batch;
use crate::durable::{DURABLE_NAME, DurableEnd};
use crate::error::{JournalError, Outcome, damaged, while_doing};
use crate::format::{Identity, SEGMENT_HEADER_BYTES, Tip};
use crate::recovery::{segment_indices, witness};
use crate::segment::Segment;
use crate::storage::{Access, Storage};
use crate::tail::{Found, Scan, Tail, find_batch, judge};
use crate::window::Window;

/// Yields the batches of a log, every checksum and the chain verified.
pub struct JournalReader<S: Storage> {
    storage: S,
    segment: Segment<S::File>,
    offset: u64,
    tip: Tip,
    is_sealed: bool,
    from_index: u64,
    window: Window,
    /// Where to stop: what a live writer told to be durable.
    live: Option<Live<S::File>>,
}

/// The end of a log that is written meanwhile.
struct Live<F> {
    file: F,
    end: Option<DurableEnd>,
}

impl<S: Storage> JournalReader<S> {
    /// Reads from an index on to the end. Nobody may be writing.
    ///
    /// # Errors
    /// When the log does not have the index, or the header of a segment is damaged.
    pub fn open(storage: S, from_index: u64) -> Outcome<Self> {
        let names = storage.list().map_err(while_doing("listing", "folder"))?;
        let indices = segment_indices(&names);
        let (first, last) = (indices.first().copied().unwrap_or(0), indices.last().copied().unwrap_or(0));
        let not_in_log = JournalError::NotInLog { index: from_index, first, last };
        let begin = indices.into_iter().rev().find(|first_index| *first_index <= from_index).ok_or(not_in_log)?;
        let segment = Segment::open(&storage, begin, Access::Read)?;
        Ok(Self {
            storage,
            tip: segment.header.tip_before(),
            segment,
            offset: SEGMENT_HEADER_BYTES as u64,
            is_sealed: false,
            from_index,
            window: Window::new(),
            live: None,
        })
    }

    /// Reads from an index on what a live writer, here or in another process, made durable.
    ///
    /// # Errors
    /// As [`JournalReader::open`].
    pub fn follow(storage: S, from_index: u64) -> Outcome<Self> {
        let file = storage.open(DURABLE_NAME, Access::Read).map_err(while_doing("opening", DURABLE_NAME))?;
        Ok(Self { live: Some(Live { file, end: None }), ..Self::open(storage, from_index)? })
    }

    /// As [`JournalReader::follow`] while a process writes, else as [`JournalReader::open`].
    ///
    /// # Errors
    /// As those.
    pub fn open_or_follow(storage: S, from_index: u64) -> Outcome<Self> {
        let is_free = storage.lock().map_err(while_doing("taking", "lock"))?.is_some();
        if is_free { Self::open(storage, from_index) } else { Self::follow(storage, from_index) }
    }

    /// The first index of the segment that is read next.
    pub(crate) fn segment_index(&self) -> u64 {
        self.segment.header.first_index
    }

    /// Which log it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.segment.header.identity()
    }

    /// Where the log stands behind what was read.
    #[must_use]
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// The last index that the writer told to be durable; `None` when nobody writes, or nothing legible was told.
    #[must_use]
    pub fn told_durable(&self) -> Option<u64> {
        let live = self.live.as_ref()?;
        DurableEnd::read(&live.file, self.identity().log_id).map(|end| end.index)
    }

    /// The file and the place in it that is read next.
    #[must_use]
    pub fn place(&self) -> (&str, u64) {
        (&self.segment.name, self.offset)
    }

    /// The next batch that has something of the index that was asked for, or behind it. `None` at the end; of a log that is
    /// written meanwhile, at the end for now.
    ///
    /// # Errors
    /// Damage, with file, place and rule.
    pub fn next_batch(&mut self) -> Outcome<Option<Batch<'_>>> {
        loop {
            let Some(length) = self.advance()? else { return Ok(None) };
            let place = self.offset - length as u64;
            if Batch::of_checked(self.window.loaded(place, length)).reaches(self.from_index) {
                return Ok(Some(Batch::of_checked(self.window.loaded(place, length))));
            }
        }
    }

    /// Goes behind the next batch and returns its length.
    fn advance(&mut self) -> Outcome<Option<usize>> {
        loop {
            let Some(end) = self.readable_end() else { return Ok(None) };
            match find_batch(&self.segment, self.offset, &self.tip, end, &mut self.window)? {
                Found::Batch(length, tip) => {
                    let batch = Batch::of_checked(self.window.loaded(self.offset, length));
                    self.is_sealed = batch.is_seal();
                    self.offset += length as u64;
                    self.tip = tip;
                    return Ok(Some(length));
                }
                Found::Blank if self.go_to_next_segment()? => {}
                Found::Blank if self.live.is_none() => return self.end_of_log(None).map(|_| None),
                Found::Blank => return Err(self.damaged("a batch must stand here, which was told to be durable")),
                Found::Bad(rule) if self.live.is_none() && !self.has_next_segment()? => {
                    return self.end_of_log(Some(rule)).map(|_| None);
                }
                Found::Bad(rule) => return Err(self.damaged(rule)),
            }
        }
    }

    fn damaged(&self, rule: &'static str) -> JournalError {
        damaged(&self.segment.name, self.offset, rule)
    }

    /// Up to where the present segment may be read; `None` when there is nothing new.
    fn readable_end(&mut self) -> Option<u64> {
        let header = &self.segment.header;
        let Some(live) = &mut self.live else { return Some(header.segment_bytes) };
        let is_new = |end: &DurableEnd| (end.segment, end.offset) > (header.first_index, self.offset);
        if !live.end.as_ref().is_some_and(is_new) {
            live.end = DurableEnd::read(&live.file, header.log_id).filter(is_new).or(live.end);
        }
        let end = live.end.filter(is_new)?;
        Some(if end.segment == header.first_index { end.offset } else { header.segment_bytes })
    }

    fn has_next_segment(&self) -> Outcome<bool> {
        let names = self.storage.list().map_err(while_doing("listing", "folder"))?;
        Ok(segment_indices(&names).into_iter().any(|first_index| first_index > self.segment.header.first_index))
    }

    /// Goes to the segment that follows, if there is one.
    fn go_to_next_segment(&mut self) -> Outcome<bool> {
        if !self.has_next_segment()? {
            return Ok(false);
        }
        let names = self.storage.list().map_err(while_doing("listing", "folder"))?;
        if !segment_indices(&names).contains(&(self.tip.index + 1)) {
            return Err(self.damaged("a batch must stand here: a later segment is there, which does not begin here"));
        }
        let next = Segment::open(&self.storage, self.tip.index + 1, Access::Read)?;
        if next.header.identity() != self.identity() || next.header.tip_before() != self.tip {
            return Err(damaged(&next.name, 0, "a segment must continue the one before"));
        }
        self.segment = next;
        self.offset = SEGMENT_HEADER_BYTES as u64;
        self.window.forget();
        Ok(true)
    }

    /// What stands behind the last batch, when all were read.
    ///
    /// # Errors
    /// Damage, with file, place and rule.
    pub fn tail(&self) -> Outcome<Tail> {
        self.end_of_log(None)
    }

    fn end_of_log(&self, broken_rule: Option<&'static str>) -> Outcome<Tail> {
        let scan = Scan { tip: self.tip, end: self.offset, last_batch: None, is_sealed: self.is_sealed, broken_rule };
        judge(&self.segment, &scan, witness(&self.storage, self.identity().log_id))
    }
}
