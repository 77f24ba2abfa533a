//! Frames: what stands around every message, and how its parts are read and written.
//!
//! A frame is a framing header (length, which counts itself, and encoding), a message header, the block, its extension, groups
//! and text. Reading is views over the bytes, writing goes to a buffer that its owner uses again: neither allocates.

use core::fmt;

use zerocopy::little_endian::{I64, U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::spec::{Block, Template, VERSION_BASE, VERSION_EXTENDED};

/// The id of the order-entry schema.
pub const SCHEMA_ID: u16 = 1;
/// The encoding type that stands for little-endian SBE.
pub const ENCODING: u16 = 0xeb50;
/// The longest frame that a client may send.
pub const CLIENT_FRAME_MAX: usize = 4_096;
/// The longest frame that the exchange sends.
pub const FRAME_MAX: usize = 1 << 20;
/// The bytes of framing and message header.
pub const HEADER_LENGTH: usize = size_of::<FrameHeader>();

/// The first 26 bytes of every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct FrameHeader {
    /// All bytes of the frame, this field included.
    pub frame_length: U32,
    /// [`ENCODING`].
    pub encoding: U16,
    /// The bytes of the block, extension included.
    pub block_length: U16,
    /// Which message it is.
    pub template: U16,
    /// [`SCHEMA_ID`].
    pub schema: U16,
    /// [`VERSION_BASE`] (or 0, which has fewer fields at the end of a report), or [`VERSION_EXTENDED`].
    pub version: U16,
    /// The connection's number of this message, from 1.
    pub seq_num: U32,
    /// When it was sent, in microseconds since 1970.
    pub sending_time: I64,
}

const _: () = assert!(HEADER_LENGTH == 26);

/// Why bytes are not a frame of this protocol. The session they came by closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The length in the header is above the most that is taken.
    TooLong {
        /// The length it gives.
        length: usize,
        /// The most.
        max: usize,
    },
    /// The length in the header is below that of the headers.
    TooShort {
        /// The length it gives.
        length: usize,
    },
    /// There are fewer or more bytes than the header's length says.
    LengthDiffers {
        /// The length it gives.
        length: usize,
        /// The bytes there are.
        bytes: usize,
    },
    /// The encoding type is another one.
    UnknownEncoding {
        /// The one it gives.
        encoding: u16,
    },
    /// The schema is another one.
    UnknownSchema {
        /// The one it gives.
        schema: u16,
    },
    /// The schema version is not one that is spoken here.
    UnknownVersion {
        /// The one it gives.
        version: u16,
    },
    /// No message that may stand here has this template.
    UnknownTemplate {
        /// The one it gives.
        template: u16,
    },
    /// A block has fewer bytes than its fields.
    BlockTooShort {
        /// The message.
        template: u16,
        /// The length it gives.
        length: usize,
        /// What the fields need.
        needed: usize,
    },
    /// A block, a group or a text goes on behind the end of the frame.
    PartBehindEnd {
        /// The message.
        template: u16,
        /// What is to come.
        needed: usize,
        /// What is left of the frame.
        left: usize,
    },
    /// A group has more entries than it may.
    TooManyEntries {
        /// The message.
        template: u16,
        /// How many it gives.
        entries: usize,
        /// The most.
        max: usize,
    },
    /// There are bytes behind the last part.
    SurplusBytes {
        /// The message.
        template: u16,
        /// How many.
        bytes: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { length, max } => write!(f, "frame_length={length} must be at most {max}"),
            Self::TooShort { length } => write!(f, "frame_length={length} must be at least {HEADER_LENGTH}"),
            Self::LengthDiffers { length, bytes } => {
                write!(f, "frame_length={length} must be the number of bytes, which is {bytes}")
            }
            Self::UnknownEncoding { encoding } => write!(f, "encoding={encoding:#06x} must be {ENCODING:#06x}"),
            Self::UnknownSchema { schema } => write!(f, "schema={schema} must be {SCHEMA_ID}"),
            Self::UnknownVersion { version } => {
                write!(f, "version={version} must be 0 to {VERSION_BASE}, or {VERSION_EXTENDED}")
            }
            Self::UnknownTemplate { template } => {
                write!(f, "template={template} must be a message that may stand here")
            }
            Self::BlockTooShort { template, length, needed } => {
                write!(f, "block_length={length} of template {template} must be at least {needed}")
            }
            Self::PartBehindEnd { template, needed, left } => {
                write!(f, "a part of {needed} bytes of template {template} must fit in the {left} that are left")
            }
            Self::TooManyEntries { template, entries, max } => {
                write!(f, "entries={entries} in a group of template {template} must be at most {max}")
            }
            Self::SurplusBytes { template, bytes } => {
                write!(f, "bytes={bytes} behind the last part of template {template} must be 0")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// How long the frame is at whose beginning `bytes` begin, when that much of it is there already that it can be told.
///
/// # Errors
/// When no frame begins so.
#[inline]
pub fn frame_length(bytes: &[u8], max: usize) -> Result<Option<usize>, FrameError> {
    let Some((head, _)) = bytes.split_first_chunk::<6>() else { return Ok(None) };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let encoding = u16::from_le_bytes([head[4], head[5]]);
    if encoding != ENCODING {
        return Err(FrameError::UnknownEncoding { encoding });
    }
    if length < HEADER_LENGTH {
        return Err(FrameError::TooShort { length });
    }
    if length > max {
        return Err(FrameError::TooLong { length, max });
    }
    Ok(Some(length))
}

/// A whole frame, of which the headers are read.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'b> {
    /// Its headers.
    pub header: &'b FrameHeader,
    body: &'b [u8],
}

impl<'b> Frame<'b> {
    /// Reads the headers of a frame that `bytes` are from the first to the last.
    ///
    /// # Errors
    /// The rule that the headers break.
    #[inline]
    pub fn read(bytes: &'b [u8]) -> Result<Self, FrameError> {
        let short = FrameError::TooShort { length: bytes.len() };
        let (header, body) = FrameHeader::ref_from_prefix(bytes).map_err(|_| short)?;
        let length = header.frame_length.get() as usize;
        if header.encoding.get() != ENCODING {
            return Err(FrameError::UnknownEncoding { encoding: header.encoding.get() });
        }
        if length != bytes.len() {
            return Err(FrameError::LengthDiffers { length, bytes: bytes.len() });
        }
        if header.schema.get() != SCHEMA_ID {
            return Err(FrameError::UnknownSchema { schema: header.schema.get() });
        }
        let version = header.version.get();
        if !matches!(version, 0..=VERSION_BASE | VERSION_EXTENDED) {
            return Err(FrameError::UnknownVersion { version });
        }
        Ok(Self { header, body })
    }

    /// Which message it is.
    #[inline]
    pub fn template(&self) -> u16 {
        self.header.template.get()
    }

    /// All that stands behind its headers: the block with what our version adds, groups, and texts.
    pub fn body(&self) -> &'b [u8] {
        self.body
    }

    /// The frame as it came.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.header.as_bytes(), self.body].concat()
    }

    /// All that stands behind its headers, to be read from the block on.
    pub(crate) fn parts(&self) -> Parts<'b> {
        Parts { bytes: self.body, template: self.template() }
    }

    /// Reads the block of the message that it is.
    ///
    /// # Errors
    /// When it is another message, or the block is too short or goes on behind the end.
    #[inline]
    pub fn message<T: Template>(&self) -> Result<Message<'b, T>, FrameError> {
        let template = self.template();
        if template != T::ID {
            return Err(FrameError::UnknownTemplate { template });
        }
        let mut parts = Parts { bytes: self.body, template };
        let length = usize::from(self.header.block_length.get());
        let (block, extension) = parts.entry::<T, T::Extension>(length)?;
        let extension = extension.filter(|_| self.header.version.get() >= VERSION_EXTENDED);
        Ok(Message { block, extension, parts })
    }
}

/// A message of which the block is read. Its groups and text follow in `parts`.
#[derive(Clone, Copy, Debug)]
pub struct Message<'b, T: Template> {
    /// The block.
    pub block: &'b T,
    /// What our version adds to it.
    pub extension: Option<&'b T::Extension>,
    /// What stands behind it.
    pub parts: Parts<'b>,
}

/// What is left of a message: groups and text, read one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'b> {
    bytes: &'b [u8],
    template: u16,
}

/// How the head of a group is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Block length of two bytes, number of one.
    Size8,
    /// Block length of one byte, number of one.
    SmallSize8,
    /// Block length of two bytes, number of two.
    Size16,
    /// Block length of one byte, number of two.
    SmallSize16,
}

impl<'b> Parts<'b> {
    #[inline]
    fn take(&mut self, needed: usize) -> Result<&'b [u8], FrameError> {
        let left = self.bytes.len();
        let Some((part, rest)) = self.bytes.split_at_checked(needed) else {
            return Err(FrameError::PartBehindEnd { template: self.template, needed, left });
        };
        self.bytes = rest;
        Ok(part)
    }

    /// So many bytes, as they stand.
    pub(crate) fn bytes(&mut self, needed: usize) -> Result<&'b [u8], FrameError> {
        self.take(needed)
    }

    #[inline]
    fn number(&mut self, bytes: usize) -> Result<usize, FrameError> {
        let part = self.take(bytes)?;
        Ok(part.iter().rfold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// Reads a text with a length of one byte.
    ///
    /// # Errors
    /// When it goes on behind the end.
    #[inline]
    pub fn text8(&mut self) -> Result<&'b [u8], FrameError> {
        let length = self.number(1)?;
        self.take(length)
    }

    /// Reads a text with a length of two bytes.
    ///
    /// # Errors
    /// When it goes on behind the end.
    #[inline]
    pub fn text16(&mut self) -> Result<&'b [u8], FrameError> {
        let length = self.number(2)?;
        self.take(length)
    }

    /// Reads the head of a group: the block length of its entries, and how many there are.
    ///
    /// # Errors
    /// When it goes on behind the end, or there are more than `max` entries.
    pub fn group(&mut self, dimension: Dimension, max: usize) -> Result<(usize, usize), FrameError> {
        let (length, entries) = match dimension {
            Dimension::Size8 => (self.number(2)?, self.number(1)?),
            Dimension::SmallSize8 => (self.number(1)?, self.number(1)?),
            Dimension::Size16 => (self.number(2)?, self.number(2)?),
            Dimension::SmallSize16 => (self.number(1)?, self.number(2)?),
        };
        if entries > max {
            return Err(FrameError::TooManyEntries { template: self.template, entries, max });
        }
        Ok((length, entries))
    }

    /// Reads the block of an entry, and its extension when it is long enough to have one.
    ///
    /// # Errors
    /// When `length` is less than the block, or goes on behind the end.
    #[inline]
    pub fn entry<B: Block, X: Block>(&mut self, length: usize) -> Result<(&'b B, Option<&'b X>), FrameError> {
        let short = FrameError::BlockTooShort { template: self.template, length, needed: size_of::<B>() };
        let bytes = self.take(length)?;
        let (block, rest) = B::ref_from_prefix(bytes).map_err(|_| short)?;
        Ok((block, X::ref_from_prefix(rest).ok().map(|(extension, _)| extension)))
    }

    /// Makes sure that everything is read.
    ///
    /// # Errors
    /// When it is not.
    #[inline]
    pub fn finish(self) -> Result<(), FrameError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(FrameError::SurplusBytes { template: self.template, bytes: self.bytes.len() })
    }
}

/// What the headers of a frame that is written say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The version: with the base version extensions are left out.
    pub version: u16,
    /// The connection's number of this message.
    pub seq_num: u32,
    /// When it is sent, in microseconds since 1970.
    pub sending_time_us: i64,
}

impl Envelope {
    /// That of a frame that is written for several sessions, and addressed to each later.
    pub const OPEN: Self = Self { version: VERSION_EXTENDED, seq_num: 0, sending_time_us: 0 };
}

/// Writes a frame at the end of a buffer.
#[derive(Debug)]
pub struct FrameWriter<'o> {
    out: &'o mut Vec<u8>,
    begin: usize,
}

impl<'o> FrameWriter<'o> {
    /// Writes the headers and the block.
    pub fn new<T: Template>(out: &'o mut Vec<u8>, envelope: Envelope, block: &T, extension: &T::Extension) -> Self {
        let begin = out.len();
        let is_extended = envelope.version >= VERSION_EXTENDED;
        let length = size_of::<T>() + if is_extended { size_of::<T::Extension>() } else { 0 };
        let header = FrameHeader {
            frame_length: U32::new(0),
            encoding: U16::new(ENCODING),
            block_length: U16::new(length as u16),
            template: U16::new(T::ID),
            schema: U16::new(SCHEMA_ID),
            version: U16::new(envelope.version),
            seq_num: U32::new(envelope.seq_num),
            sending_time: I64::new(envelope.sending_time_us),
        };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(block.as_bytes());
        if is_extended {
            out.extend_from_slice(extension.as_bytes());
        }
        Self { out, begin }
    }

    /// Writes the headers and a block with its extension, both as bytes.
    pub(crate) fn of_block(out: &'o mut Vec<u8>, envelope: Envelope, template: u16, block: &[u8]) -> Self {
        let begin = out.len();
        let header = FrameHeader {
            frame_length: U32::new(0),
            encoding: U16::new(ENCODING),
            block_length: U16::new(block.len() as u16),
            template: U16::new(template),
            schema: U16::new(SCHEMA_ID),
            version: U16::new(envelope.version),
            seq_num: U32::new(envelope.seq_num),
            sending_time: I64::new(envelope.sending_time_us),
        };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(block);
        Self { out, begin }
    }

    /// Writes a text with a length of one byte. What is longer is cut there.
    pub fn text8(&mut self, text: &[u8]) -> &mut Self {
        let text = &text[..text.len().min(usize::from(u8::MAX))];
        self.out.push(text.len() as u8);
        self.out.extend_from_slice(text);
        self
    }

    /// Writes a text with a length of two bytes. What is longer is cut there.
    pub fn text16(&mut self, text: &[u8]) -> &mut Self {
        let text = &text[..text.len().min(usize::from(u16::MAX))];
        self.out.extend_from_slice(&(text.len() as u16).to_le_bytes());
        self.out.extend_from_slice(text);
        self
    }

    /// Writes a text of two bytes' length that is put together from parts.
    pub fn text16_of(&mut self, parts: &[&[u8]]) -> &mut Self {
        let at = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        for part in parts {
            let room = usize::from(u16::MAX) - (self.out.len() - at - 2);
            self.out.extend_from_slice(&part[..part.len().min(room)]);
        }
        let length = (self.out.len() - at - 2) as u16;
        self.out[at..at + 2].copy_from_slice(&length.to_le_bytes());
        self
    }

    /// Writes the head of a group whose entries have blocks of `length` bytes.
    pub fn group(&mut self, dimension: Dimension, length: usize, entries: usize) -> &mut Self {
        let (length, entries) = ((length as u16).to_le_bytes(), (entries as u16).to_le_bytes());
        let (length_bytes, entry_bytes) = match dimension {
            Dimension::Size8 => (2, 1),
            Dimension::SmallSize8 => (1, 1),
            Dimension::Size16 => (2, 2),
            Dimension::SmallSize16 => (1, 2),
        };
        self.out.extend_from_slice(&length[..length_bytes]);
        self.out.extend_from_slice(&entries[..entry_bytes]);
        self
    }

    /// Writes the block of an entry, or a part of it.
    pub fn entry<B: Block>(&mut self, block: &B) -> &mut Self {
        self.out.extend_from_slice(block.as_bytes());
        self
    }

    /// Writes the length, now that it is known.
    pub fn finish(self) {
        let length = (self.out.len() - self.begin) as u32;
        self.out[self.begin..self.begin + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// Copies a frame that was written for nobody, addressed by `envelope`; for a client of the base version without its
/// extension, which has `extension_length` bytes. What is no frame is not copied, or as it stands.
pub fn address(frame: &[u8], extension_length: usize, envelope: Envelope, out: &mut Vec<u8>) {
    if envelope.version >= VERSION_EXTENDED {
        return address_whole(frame, envelope, out);
    }
    let Ok((header, body)) = FrameHeader::ref_from_prefix(frame) else { return };
    let block_length = usize::from(header.block_length.get());
    let Some((block, parts)) = body.split_at_checked(block_length) else { return };
    let cut = extension_length.min(block_length);
    let header = FrameHeader {
        frame_length: U32::new((frame.len() - cut) as u32),
        block_length: U16::new((block_length - cut) as u16),
        version: U16::new(envelope.version),
        seq_num: U32::new(envelope.seq_num),
        sending_time: I64::new(envelope.sending_time_us),
        ..*header
    };
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&block[..block_length - cut]);
    out.extend_from_slice(parts);
}

/// Copies a frame with its extension: it was written with one.
#[inline]
fn address_whole(frame: &[u8], envelope: Envelope, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(frame);
    if let Ok((header, _)) = FrameHeader::mut_from_prefix(&mut out[begin..]) {
        header.seq_num = U32::new(envelope.seq_num);
        header.sending_time = I64::new(envelope.sending_time_us);
    }
}
