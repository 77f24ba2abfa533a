//! Frames of any length in a queue of 64-byte slots: eight bytes of prefix (the length and four zeros), the bytes, zeros up
//! to the end of the last slot. A frame becomes visible whole or not at all, and is copied before anybody looks at it.

use std::fmt;

use zerocopy::{FromZeros, IntoBytes};

use crate::slot::FrameSlot;
use crate::{Bell, Consumer, Corrupt, Idle, Producer};

/// What stands before the bytes of a frame.
pub const FRAME_PREFIX_BYTES: usize = 8;

/// How many slots a frame of this length takes.
#[must_use]
pub const fn slots_of_frame(length_bytes: usize) -> usize {
    length_bytes.saturating_add(FRAME_PREFIX_BYTES).div_ceil(size_of::<FrameSlot>())
}

/// Why a frame was not sent or received. After one from a reader the ring is of no more use: the session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A frame of no bytes.
    Empty,
    /// A frame longer than the ring lets through.
    TooLong {
        /// Its length.
        length_bytes: usize,
        /// The longest there can be.
        length_bytes_max: usize,
    },
    /// The four bytes behind the length are not zero.
    PrefixNotZero {
        /// What they are.
        found: u32,
    },
    /// The peer has published fewer slots than the frame's length asks for.
    Truncated {
        /// How many slots the frame has.
        slots: usize,
        /// How many there are.
        published: usize,
    },
    /// The peer's cursor stands where it cannot.
    Corrupt(Corrupt),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("length_bytes=0 must be at least 1"),
            Self::TooLong { length_bytes, length_bytes_max } => {
                write!(f, "length_bytes={length_bytes} must be at most {length_bytes_max}")
            }
            Self::PrefixNotZero { found } => write!(f, "frame prefix={found:#x} must be zero behind the length"),
            Self::Truncated { slots, published } => {
                write!(f, "slots={slots} of a frame must be published together, {published} are")
            }
            Self::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<Corrupt> for FrameError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

const fn length_bytes_max(slots_max: usize) -> usize {
    slots_max * size_of::<FrameSlot>() - FRAME_PREFIX_BYTES
}

/// Sends frames.
#[derive(Debug)]
pub struct FrameWriter {
    producer: Producer<FrameSlot>,
}

impl FrameWriter {
    /// Sends through this queue. Its longest message is the longest frame.
    #[must_use]
    pub fn new(producer: Producer<FrameSlot>) -> Self {
        Self { producer }
    }

    /// Sends a frame, or returns false when there is no room for it.
    ///
    /// # Errors
    /// A frame that is empty or too long; the reader's cursor stands where it cannot.
    #[inline]
    pub fn send(&mut self, frame: &[u8]) -> Result<bool, FrameError> {
        let (slots, slots_max) = (slots_of_frame(frame.len()), self.producer.message_slots_max());
        if frame.is_empty() {
            return Err(FrameError::Empty);
        }
        if slots > slots_max {
            let length_bytes_max = length_bytes_max(slots_max);
            return Err(FrameError::TooLong { length_bytes: frame.len(), length_bytes_max });
        }
        let Some(claimed) = self.producer.claim(slots)? else { return Ok(false) };
        let (prefix, rest) = claimed.as_mut_bytes().split_at_mut(FRAME_PREFIX_BYTES);
        prefix.copy_from_slice(&(frame.len() as u64).to_le_bytes());
        let (bytes, padding) = rest.split_at_mut(frame.len());
        bytes.copy_from_slice(frame);
        padding.fill(0);
        self.producer.commit(slots);
        Ok(true)
    }

    /// The queue below.
    #[must_use]
    pub fn producer(&mut self) -> &mut Producer<FrameSlot> {
        &mut self.producer
    }
}

/// Receives frames.
#[derive(Debug)]
pub struct FrameReader {
    consumer: Consumer<FrameSlot>,
    /// The frame that was copied last.
    copy: Box<[FrameSlot]>,
}

impl FrameReader {
    /// Receives through this queue. Its longest message is the longest frame.
    #[must_use]
    pub fn new(consumer: Consumer<FrameSlot>) -> Self {
        let copy = vec![FrameSlot::new_zeroed(); consumer.message_slots_max()].into_boxed_slice();
        Self { consumer, copy }
    }

    /// Copies the next frame out of the ring and gives out the copy, which the peer cannot change.
    ///
    /// # Errors
    /// The peer breaks the protocol.
    #[inline]
    pub fn receive(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let published = self.consumer.depth()?;
        if published == 0 {
            return Ok(None);
        }
        // The prefix is read once, with the first slot: what the peer makes of it afterwards does not matter.
        self.consumer.copy_out_from(0, &mut self.copy[..1]);
        let length = self.check_prefix(published)?;
        let slots = slots_of_frame(length);
        self.consumer.copy_out_from(1, &mut self.copy[1..slots]);
        self.consumer.release(slots);
        Ok(Some(&self.copy.as_bytes()[FRAME_PREFIX_BYTES..][..length]))
    }

    #[inline]
    fn check_prefix(&self, published: usize) -> Result<usize, FrameError> {
        let prefix = self.copy[0].words[0];
        let (length, zeros) = (prefix as u32 as usize, (prefix >> 32) as u32);
        let slots = slots_of_frame(length);
        if zeros != 0 {
            return Err(FrameError::PrefixNotZero { found: zeros });
        }
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if slots > self.copy.len() {
            let length_bytes_max = length_bytes_max(self.copy.len());
            return Err(FrameError::TooLong { length_bytes: length, length_bytes_max });
        }
        if slots > published {
            return Err(FrameError::Truncated { slots, published });
        }
        Ok(length)
    }

    /// Rung when frames were sent.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        self.consumer.bell()
    }

    /// Waits for a frame, once.
    pub fn pause(&self, idle: &mut Idle) {
        self.consumer.pause(idle);
    }

    /// The queue below.
    #[must_use]
    pub fn consumer(&self) -> &Consumer<FrameSlot> {
        &self.consumer
    }
}
