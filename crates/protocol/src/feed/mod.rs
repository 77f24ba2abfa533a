//! The market-data feed: order by order, one gap-free sequence a channel.
//!
//! [`FeedBuilder`] makes messages of events, [`FeedBook`] makes the book of messages again, on the client's side.
//! What nobody is to see, hidden orders and reserves of icebergs, is told by no message until it trades.

mod book;
mod builder;
mod client;
mod messages;

use core::fmt;

pub use book::{FeedBook, FeedLevel, FeedOrder};
pub use builder::FeedBuilder;
pub use client::{FeedClient, Need, Taken, TopOfBook};
pub use messages::{
    Add, Auction, ChannelHeader, DATAGRAM_MAX, Datagram, DatagramKind, Delete, Execute, FEED_MESSAGES, FEED_SCHEMA_ID,
    FEED_VERSION, FeedMessage, FeedRecord, FeedRefusal, MessageHead, Packer, Reduce, Refused, Replace,
    RetransmitRequest, SnapshotBegin, SnapshotEnd, SnapshotInstrument, SnapshotOrder, SnapshotRequest, State, Trade,
};

/// Why bytes are no part of a feed, or a message does not fit to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// There are fewer or more bytes than the datagram's length says.
    LengthDiffers {
        /// The length it gives.
        length: usize,
        /// The bytes there are.
        bytes: usize,
    },
    /// The datagram is of a kind that is not known.
    UnknownKind {
        /// The kind it gives.
        kind: u8,
    },
    /// A message goes on behind the end of its datagram, or is shorter than its block.
    MessageBehindEnd {
        /// The length it gives.
        length: usize,
        /// What is left of the datagram.
        left: usize,
    },
    /// There are bytes behind the last message.
    SurplusBytes {
        /// How many.
        bytes: usize,
    },
    /// The schema is another one.
    UnknownSchema {
        /// The one it gives.
        schema: u16,
    },
    /// The template is not known.
    UnknownTemplate {
        /// The one it gives.
        template: u16,
    },
    /// A block has fewer bytes than its fields.
    BlockTooShort {
        /// The message.
        template: u16,
        /// The bytes there are.
        length: usize,
    },
    /// The order is not on the book.
    UnknownOrder {
        /// The one it names.
        order: u64,
    },
    /// The order is on the book already.
    OrderTwice {
        /// The one it names.
        order: u64,
    },
    /// The side is neither buy nor sell, or a quantity is zero.
    FieldOutOfRange {
        /// The message.
        template: u16,
    },
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LengthDiffers { length, bytes } => {
                write!(f, "length={length} must be the number of bytes, which is {bytes}")
            }
            Self::UnknownKind { kind } => write!(f, "kind={kind} must be 0, 1 or 2"),
            Self::MessageBehindEnd { length, left } => {
                write!(f, "length={length} of a message must hold its block and fit in the {left} bytes that are left")
            }
            Self::SurplusBytes { bytes } => write!(f, "bytes={bytes} behind the last message must be 0"),
            Self::UnknownSchema { schema } => write!(f, "schema={schema} must be {FEED_SCHEMA_ID}"),
            Self::UnknownTemplate { template } => write!(f, "template={template} must be a message of the feed"),
            Self::BlockTooShort { template, length } => {
                write!(f, "block_length={length} of template {template} must hold its fields")
            }
            Self::UnknownOrder { order } => write!(f, "order={order} must be on the book"),
            Self::OrderTwice { order } => write!(f, "order={order} must not be on the book yet"),
            Self::FieldOutOfRange { template } => {
                write!(f, "side and quantity of template {template} must be those of an order")
            }
        }
    }
}

impl core::error::Error for FeedError {}
