//! What a session was told, kept for a while: a client that reads slowly, or comes back, gets it from here.

use std::collections::VecDeque;

use tradewright_protocol::frame::{Envelope, address};
use tradewright_protocol::reports::Position;

/// A frame that is kept.
#[derive(Clone, Copy, Debug)]
struct Kept {
    position: Position,
    /// Where it stands among all bytes that were ever written.
    offset: u64,
    length: u32,
    /// The bytes of its extension, which clients of the base version do not get.
    extension_length: u16,
}

/// A bounded row of frames, each with the number of the output that it tells. The oldest make room.
#[derive(Debug)]
pub struct Outbox {
    bytes: Box<[u8]>,
    kept: VecDeque<Kept>,
    /// How many frames were ever written; the first that is kept has the number `count - kept.len()`.
    count: u64,
    written: u64,
    /// The last output that is no longer kept; what comes behind it is.
    forgotten: Position,
}

/// Where a reader stands: how many frames it has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(u64);

/// The next frame is no longer there: the reader was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun;

impl Outbox {
    /// The fewest bytes: room for a few of the longest frames.
    pub const BYTES_MIN: usize = 1 << 12;

    /// An outbox of so many bytes. What was told up to `since` is not in it.
    pub fn new(bytes: usize, since: Position) -> Self {
        let bytes = vec![0; bytes.max(Self::BYTES_MIN)].into_boxed_slice();
        Self { bytes, kept: VecDeque::new(), count: 0, written: 0, forgotten: since }
    }

    /// Keeps a frame. One that does not fit at all is as good as forgotten at once.
    pub fn push(&mut self, position: Position, extension_length: usize, frame: &[u8]) {
        let (capacity, length) = (self.bytes.len() as u64, frame.len() as u64);
        let place = self.written % capacity;
        if place + length > capacity {
            // A frame lies in one piece: the rest of this round stays empty.
            self.written += capacity - place;
        }
        if length > capacity {
            self.forget_before(u64::MAX);
            self.count += 1;
            self.forgotten = self.forgotten.max(position);
            return;
        }
        self.forget_before((self.written + length).saturating_sub(capacity));
        let place = (self.written % capacity) as usize;
        self.bytes[place..place + frame.len()].copy_from_slice(frame);
        let extension_length = extension_length as u16;
        self.kept.push_back(Kept { position, offset: self.written, length: frame.len() as u32, extension_length });
        self.written += length;
        self.count += 1;
    }

    /// Forgets the frames that begin before this offset: their bytes are written over.
    fn forget_before(&mut self, offset: u64) {
        while let Some(kept) = self.kept.front().filter(|kept| kept.offset < offset) {
            self.forgotten = self.forgotten.max(kept.position);
            self.kept.pop_front();
        }
    }

    /// Behind the last frame.
    pub fn end(&self) -> Cursor {
        Cursor(self.count)
    }

    fn first(&self) -> u64 {
        self.count - self.kept.len() as u64
    }

    /// Before the first frame that tells of something behind `position`; and the output behind which that is all there is: later
    /// than `position` when some is forgotten.
    pub fn after(&self, position: Position) -> (Cursor, Position) {
        let place = self.kept.partition_point(|kept| kept.position <= position);
        (Cursor(self.first() + place as u64), position.max(self.forgotten))
    }

    /// Whether the next frame is no longer there.
    #[inline]
    pub fn is_overrun(&self, cursor: Cursor) -> bool {
        cursor.0 < self.first()
    }

    /// Addresses the next frame, when there is one, and moves the cursor behind it.
    ///
    /// # Errors
    /// When it is no longer there.
    #[inline]
    pub fn next(&self, cursor: &mut Cursor, envelope: Envelope, out: &mut Vec<u8>) -> Result<bool, Overrun> {
        if cursor.0 == self.count {
            return Ok(false);
        }
        let place = cursor.0.checked_sub(self.first()).ok_or(Overrun)?;
        let kept = self.kept.get(place as usize).ok_or(Overrun)?;
        address(self.frame(kept), kept.extension_length.into(), envelope, out);
        cursor.0 += 1;
        Ok(true)
    }

    /// Gives every frame that is new to the cursor: the output, the length of its extension, the frame.
    pub fn take(&self, cursor: &mut Cursor, mut each: impl FnMut(Position, usize, &[u8])) {
        let place = cursor.0.saturating_sub(self.first()) as usize;
        for kept in self.kept.range(place.min(self.kept.len())..) {
            each(kept.position, kept.extension_length.into(), self.frame(kept));
        }
        *cursor = self.end();
    }

    /// Whether something that came of this command may have been told, and is no longer kept.
    pub fn has_forgotten(&self, index: u64) -> bool {
        self.forgotten.index >= index
    }

    /// The frames that told what came of one command, as they were kept, with the length of their extensions.
    pub fn of_command(&self, index: u64) -> impl Iterator<Item = (&[u8], usize)> {
        let place = self.kept.partition_point(|kept| kept.position.index < index);
        let kept = self.kept.range(place..).take_while(move |kept| kept.position.index == index);
        kept.map(|kept| (self.frame(kept), kept.extension_length.into()))
    }

    fn frame(&self, kept: &Kept) -> &[u8] {
        let place = (kept.offset % self.bytes.len() as u64) as usize;
        &self.bytes[place..place + kept.length as usize]
    }
}

#[cfg(test)]
mod tests {
    use tradewright_protocol::codes::{ExecType, OrdStatus};
    use tradewright_protocol::frame::{Frame, FrameWriter};
    use tradewright_protocol::messages::{ExecutionReportAck, OutputExtension};
    use tradewright_protocol::spec::Block;

    use super::*;

    fn position(index: u64) -> Position {
        Position { index, k: 0, shard: 0 }
    }

    /// A frame that names its index, with a text of this length.
    fn frame(index: u64, length: usize) -> Vec<u8> {
        let block = ExecutionReportAck {
            order_id: (index as i64).into(),
            exec_type: ExecType::New.field(),
            ord_status: OrdStatus::New.field(),
            ..ExecutionReportAck::NULL
        };
        let mut out = Vec::new();
        let mut writer = FrameWriter::new(&mut out, Envelope::OPEN, &block, &OutputExtension::NULL);
        writer.text8(b"").text8(b"").text16(&vec![b'x'; length]);
        writer.finish();
        out
    }

    fn read(outbox: &Outbox, cursor: &mut Cursor) -> Result<Vec<i64>, Overrun> {
        let mut read = Vec::new();
        let mut out = Vec::new();
        while outbox.next(cursor, Envelope::OPEN, &mut out)? {
            let message = Frame::read(&out).and_then(|frame| frame.message::<ExecutionReportAck>()).expect("a frame");
            read.push(message.block.order_id.get());
            out.clear();
        }
        Ok(read)
    }

    #[test]
    fn frames_come_back_in_order_until_they_are_written_over() {
        let mut outbox = Outbox::new(Outbox::BYTES_MIN, position(0));
        let (mut fast, mut slow) = (outbox.end(), outbox.end());
        for index in 1..=2_000_u64 {
            let bytes = frame(index, (index * 37 % 400) as usize);
            outbox.push(position(index), size_of::<OutputExtension>(), &bytes);
            assert_eq!(read(&outbox, &mut fast), Ok(vec![index as i64]));
            // Whatever is kept can be had again, up to the end.
            let (mut again, since) = outbox.after(position(index.saturating_sub(3)));
            let expected: Vec<i64> = (since.index as i64 + 1..=index as i64).collect();
            assert_eq!(read(&outbox, &mut again), Ok(expected), "from {since:?}");
            assert!(index < 20 || since.index >= index - 20, "it keeps about as much as it has room for");
        }
        assert_eq!(read(&outbox, &mut slow), Err(Overrun));
    }

    #[test]
    fn what_one_command_told_is_found() {
        let mut outbox = Outbox::new(1 << 16, position(0));
        for (index, k) in [(3, 0), (3, 1), (5, 0)] {
            outbox.push(Position { index, k, shard: 0 }, 0, &frame(index * 10 + u64::from(k), 5));
        }
        assert_eq!(outbox.of_command(3).count(), 2);
        assert_eq!(outbox.of_command(4).count(), 0);
        assert_eq!(outbox.of_command(5).count(), 1);
    }

    #[test]
    fn a_frame_that_does_not_fit_is_missed() {
        let mut outbox = Outbox::new(Outbox::BYTES_MIN, position(0));
        let mut cursor = outbox.end();
        outbox.push(position(1), 0, &frame(1, 5));
        outbox.push(position(2), 0, &frame(2, 5_000));
        assert_eq!(read(&outbox, &mut cursor), Err(Overrun));
        assert_eq!(outbox.after(position(0)).1, position(2));
    }
}
