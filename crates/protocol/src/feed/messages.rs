//! The messages of the feed, and the datagrams that they are packed in.

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::FeedError;
use crate::spec::{Block, Code, FieldSpec, MessageSpec, block};

/// The id of the feed's schema.
pub const FEED_SCHEMA_ID: u16 = 2;
/// Its version.
pub const FEED_VERSION: u16 = 0;
/// The most bytes of a datagram: it goes through an Ethernet frame in one piece.
pub const DATAGRAM_MAX: usize = 1_400;

block! {
    /// An order stands on the book from now on, behind the others at its price. Template 1.
    Add {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        order: U64 = (3, "Order", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        side: Code = (7, "Side", "feedSide", Required, 0),
    }
}

block! {
    /// An order on the book traded. With nothing remaining it is gone from there. Template 2.
    Execute {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        order: U64 = (3, "Order", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        remaining: U64 = (8, "RemainingLots", "uint64", Required, 0),
        trade: U64 = (9, "Trade", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        aggressor: Code = (10, "AggressorSide", "feedSide", Required, 0),
    }
}

block! {
    /// An order shows another quantity from now on, in its place. More than before only when a call ends or begins. Template 3.
    Reduce {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        order: U64 = (3, "Order", "uint64", Required, 0),
        remaining: U64 = (8, "RemainingLots", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
    }
}

block! {
    /// An order left the book. Template 4.
    Delete {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        order: U64 = (3, "Order", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
    }
}

block! {
    /// An order has another price or quantity, and stands behind the others at its price. Template 5.
    Replace {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        order: U64 = (3, "Order", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
    }
}

block! {
    /// A trade in which no order that was shown had a part as such: with a hidden order, or in an auction. Template 6.
    Trade {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        trade: U64 = (9, "Trade", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        aggressor: Code = (10, "AggressorSide", "feedSide", Optional, 0),
    }
}

block! {
    /// The state of an instrument changed. Codes are those of the records. Template 7.
    State {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        until: U64 = (11, "UntilTime", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        state: Code = (12, "State", "instrumentState", Required, 0),
        phase: Code = (13, "Phase", "auctionPhase", Required, 0),
        cause: Code = (14, "Cause", "stateCause", Required, 0),
    }
}

block! {
    /// How an auction would trade now, or how it did. Template 8.
    Auction {
        index: U64 = (1, "Index", "uint64", Required, 0),
        time: U64 = (2, "Time", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        surplus: I64 = (15, "SurplusLots", "int64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        phase: Code = (13, "Phase", "auctionPhase", Required, 0),
        is_over: Code = (16, "IsOver", "boolEnum", Required, 0),
    }
}

block! {
    /// A snapshot of the channel begins: all that was told up to a sequence. Template 9.
    SnapshotBegin {
        sequence: U64 = (17, "LastSequence", "uint64", Required, 0),
        instruments: U32 = (18, "Instruments", "uint32", Required, 0),
        orders: U64 = (19, "Orders", "uint64", Required, 0),
    }
}

block! {
    /// An instrument of a snapshot; its orders follow. The last price is 0 when it never traded. Template 10.
    SnapshotInstrument {
        last_price: I64 = (26, "LastPriceTicks", "int64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        state: Code = (12, "State", "instrumentState", Required, 0),
        phase: Code = (13, "Phase", "auctionPhase", Required, 0),
    }
}

block! {
    /// An order of a snapshot: bids, then asks; the best price first, then the order in which they trade. Template 11.
    SnapshotOrder {
        order: U64 = (3, "Order", "uint64", Required, 0),
        price: I64 = (4, "PriceTicks", "int64", Required, 0),
        quantity: U64 = (5, "QuantityLots", "uint64", Required, 0),
        instrument: U32 = (6, "Instrument", "uint32", Required, 0),
        side: Code = (7, "Side", "feedSide", Required, 0),
    }
}

block! {
    /// A snapshot ends. Template 12.
    SnapshotEnd {
        sequence: U64 = (17, "LastSequence", "uint64", Required, 0),
    }
}

block! {
    /// Asks for messages again, the first and the last of them included. Template 13.
    RetransmitRequest {
        from: U64 = (20, "FromSequence", "uint64", Required, 0),
        to: U64 = (21, "ToSequence", "uint64", Required, 0),
    }
}

block! {
    /// Asks for a snapshot that goes at least up to a sequence. Template 14.
    SnapshotRequest {
        at_least: U64 = (22, "AtLeastSequence", "uint64", Required, 0),
    }
}

block! {
    /// A request is refused. Template 15.
    Refused {
        from: U64 = (20, "FromSequence", "uint64", Required, 0),
        oldest: U64 = (23, "OldestSequence", "uint64", Required, 0),
        next: U64 = (24, "NextSequence", "uint64", Required, 0),
        reason: Code = (25, "Refusal", "feedRefusal", Required, 0),
    }
}

/// Why a request to the feed's service is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FeedRefusal {
    /// The first message that was asked for is no longer kept: a snapshot is needed.
    TooOld = 1,
    /// The last message that was asked for is still to come, or lies before the first.
    NotYet = 2,
    /// Another channel was asked for.
    WrongChannel = 3,
    /// The client asked for more than its share: it may ask again in a second.
    TooMuch = 4,
}

impl FeedRefusal {
    /// The refusal with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::TooOld),
            2 => Some(Self::NotYet),
            3 => Some(Self::WrongChannel),
            4 => Some(Self::TooMuch),
            _ => None,
        }
    }
}

/// What a message of the feed says.
macro_rules! feed_messages {
    ($($name:ident = $template:literal,)+) => {
        /// A message of the feed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FeedMessage {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name($name),
            )+
        }

        impl FeedMessage {
            /// Its template id.
            pub const fn template(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $template,)+
                }
            }

            /// The bytes of its block.
            pub fn block(&self) -> &[u8] {
                match self {
                    $(Self::$name(block) => block.as_bytes(),)+
                }
            }

            /// Reads the block of a template. What a newer version has behind it is left out.
            ///
            /// # Errors
            /// When the template is unknown, or the block too short.
            pub fn read(template: u16, bytes: &[u8]) -> Result<Self, FeedError> {
                match template {
                    $($template => match $name::read_from_prefix(bytes) {
                        Ok((block, _)) => Ok(Self::$name(block)),
                        Err(_) => Err(FeedError::BlockTooShort { template, length: bytes.len() }),
                    },)+
                    _ => Err(FeedError::UnknownTemplate { template }),
                }
            }
        }

        $(
            impl From<$name> for FeedMessage {
                fn from(block: $name) -> Self {
                    Self::$name(block)
                }
            }
        )+

        /// Every message of the schema.
        pub const FEED_MESSAGES: &[&MessageSpec] = &[$(&MessageSpec {
            name: stringify!($name),
            template: $template,
            block_length: size_of::<$name>(),
            fields: <$name as Block>::FIELDS,
            extension: NO_FIELDS,
            extension_length: 0,
            groups: &[],
            data: &[],
        },)+];
    };
}

const NO_FIELDS: &[FieldSpec] = &[];

feed_messages! {
    Add = 1,
    Execute = 2,
    Reduce = 3,
    Delete = 4,
    Replace = 5,
    Trade = 6,
    State = 7,
    Auction = 8,
    SnapshotBegin = 9,
    SnapshotInstrument = 10,
    SnapshotOrder = 11,
    SnapshotEnd = 12,
    RetransmitRequest = 13,
    SnapshotRequest = 14,
    Refused = 15,
}

impl FeedMessage {
    /// The instrument that it is about, if it is about one.
    pub const fn instrument(&self) -> Option<u32> {
        match self {
            Self::Add(Add { instrument, .. })
            | Self::Execute(Execute { instrument, .. })
            | Self::Reduce(Reduce { instrument, .. })
            | Self::Delete(Delete { instrument, .. })
            | Self::Replace(Replace { instrument, .. })
            | Self::Trade(Trade { instrument, .. })
            | Self::State(State { instrument, .. })
            | Self::Auction(Auction { instrument, .. })
            | Self::SnapshotInstrument(SnapshotInstrument { instrument, .. })
            | Self::SnapshotOrder(SnapshotOrder { instrument, .. }) => Some(instrument.get()),
            Self::SnapshotBegin(_)
            | Self::SnapshotEnd(_)
            | Self::RetransmitRequest(_)
            | Self::SnapshotRequest(_)
            | Self::Refused(_) => None,
        }
    }
}

/// A message in a slot of a fixed size, as it lies in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FeedRecord {
    /// The channel's number of it, from 1.
    pub sequence: u64,
    /// When it was published, in nanoseconds of the publisher's clock.
    pub published_ns: u64,
    /// Its template id.
    pub template: u16,
    /// How many bytes of the block count.
    pub length: u16,
    /// Zero.
    pub reserved: u32,
    /// The block.
    pub block: [u8; 64],
}

const _: () = assert!(size_of::<FeedRecord>() == 88 && size_of::<Execute>() <= 64);

impl FeedRecord {
    /// The record of a message.
    pub fn new(sequence: u64, published_ns: u64, message: &FeedMessage) -> Self {
        let bytes = message.block();
        let mut block = [0; 64];
        block[..bytes.len()].copy_from_slice(bytes);
        let (template, length) = (message.template(), bytes.len() as u16);
        Self { sequence, published_ns, template, length, reserved: 0, block }
    }

    /// The message.
    ///
    /// # Errors
    /// As [`FeedMessage::read`].
    pub fn message(&self) -> Result<FeedMessage, FeedError> {
        let length = usize::from(self.length).min(self.block.len());
        FeedMessage::read(self.template, &self.block[..length])
    }
}

/// What a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DatagramKind {
    /// The channel as it goes on.
    Incremental = 0,
    /// A part of a snapshot; its sequences count within the snapshot, from 1.
    Snapshot = 1,
    /// A request to the feed's service, or its refusal; its sequence is 0.
    Service = 2,
}

/// The first bytes of every datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ChannelHeader {
    /// All bytes of the datagram, this field included.
    pub length: U16,
    /// Which channel.
    pub channel: U16,
    /// How many messages. None is a heartbeat.
    pub count: U16,
    /// A [`DatagramKind`].
    pub kind: u8,
    /// Zero.
    pub reserved: u8,
    /// The leadership epoch of the log.
    pub epoch: U32,
    /// The sequence of the first message; of a heartbeat the next one.
    pub first_sequence: U64,
    /// When it was published, in nanoseconds of the publisher's clock.
    pub published: U64,
}

/// What stands before every message of a datagram: all its bytes, this field included, then the head that SBE has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct MessageHead {
    /// All bytes of the message, this field included.
    pub length: U16,
    /// The bytes of the block.
    pub block_length: U16,
    /// The template id.
    pub template: U16,
    /// [`FEED_SCHEMA_ID`].
    pub schema: U16,
    /// [`FEED_VERSION`].
    pub version: U16,
}

const _: () = assert!(size_of::<ChannelHeader>() == 28 && size_of::<MessageHead>() == 10);

/// A datagram, of which the header is read.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'b> {
    /// Its header.
    pub header: &'b ChannelHeader,
    /// What it is for.
    pub kind: DatagramKind,
    messages: &'b [u8],
}

impl<'b> Datagram<'b> {
    /// Reads the header of a datagram that `bytes` are from the first to the last.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn read(bytes: &'b [u8]) -> Result<Self, FeedError> {
        let short = FeedError::LengthDiffers { length: 0, bytes: bytes.len() };
        let (header, messages) = ChannelHeader::ref_from_prefix(bytes).map_err(|_| short)?;
        let length = usize::from(header.length.get());
        if length != bytes.len() {
            return Err(FeedError::LengthDiffers { length, bytes: bytes.len() });
        }
        let kind = match header.kind {
            0 => DatagramKind::Incremental,
            1 => DatagramKind::Snapshot,
            2 => DatagramKind::Service,
            kind => return Err(FeedError::UnknownKind { kind }),
        };
        Ok(Self { header, kind, messages })
    }

    /// Its messages, each with its sequence. The first that is broken ends them.
    pub fn messages(&self) -> impl Iterator<Item = Result<(u64, FeedMessage), FeedError>> + 'b {
        let (mut rest, mut left) = (self.messages, self.header.count.get());
        let mut sequence = self.header.first_sequence.get();
        core::iter::from_fn(move || {
            if left == 0 {
                let surplus = core::mem::take(&mut rest).len();
                return (surplus > 0).then_some(Err(FeedError::SurplusBytes { bytes: surplus }));
            }
            left -= 1;
            let read = read_message(rest);
            match read {
                Ok((message, behind)) => {
                    rest = behind;
                    let number = sequence;
                    sequence = sequence.wrapping_add(1);
                    Some(Ok((number, message)))
                }
                Err(error) => {
                    (left, rest) = (0, &[]);
                    Some(Err(error))
                }
            }
        })
    }
}

fn read_message(bytes: &[u8]) -> Result<(FeedMessage, &[u8]), FeedError> {
    let left = bytes.len();
    let (head, _) = MessageHead::ref_from_prefix(bytes)
        .map_err(|_| FeedError::MessageBehindEnd { length: size_of::<MessageHead>(), left })?;
    let length = usize::from(head.length.get());
    let block_length = usize::from(head.block_length.get());
    if length > left || length < size_of::<MessageHead>() + block_length {
        return Err(FeedError::MessageBehindEnd { length, left });
    }
    if head.schema.get() != FEED_SCHEMA_ID {
        return Err(FeedError::UnknownSchema { schema: head.schema.get() });
    }
    let (message, rest) = bytes.split_at(length);
    let block = &message[size_of::<MessageHead>()..][..block_length];
    Ok((FeedMessage::read(head.template.get(), block)?, rest))
}

/// Packs messages in datagrams.
#[derive(Clone, Debug)]
pub struct Packer {
    channel: u16,
    epoch: u32,
    kind: DatagramKind,
    bytes: Vec<u8>,
    count: u16,
    next_sequence: u64,
}

impl Packer {
    /// A packer whose next message has this sequence.
    pub fn new(channel: u16, epoch: u32, kind: DatagramKind, next_sequence: u64) -> Self {
        let mut packer =
            Self { channel, epoch, kind, bytes: Vec::with_capacity(DATAGRAM_MAX), count: 0, next_sequence };
        packer.bytes.resize(size_of::<ChannelHeader>(), 0);
        packer
    }

    /// The sequence of the next message.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence + u64::from(self.count)
    }

    /// Goes on with another sequence; what is packed must have been given out.
    pub fn restart(&mut self, next_sequence: u64) {
        debug_assert_eq!(self.count, 0, "Invariant: nothing is packed");
        self.next_sequence = next_sequence;
    }

    /// Adds a message; a datagram that it does not fit in is given out first.
    pub fn push(&mut self, message: &FeedMessage, published_ns: u64, send: &mut impl FnMut(&[u8])) {
        let block = message.block();
        let length = size_of::<MessageHead>() + block.len();
        if self.bytes.len() + length > DATAGRAM_MAX {
            self.flush(published_ns, send);
        }
        let head = MessageHead {
            length: U16::new(length as u16),
            block_length: U16::new(block.len() as u16),
            template: U16::new(message.template()),
            schema: U16::new(FEED_SCHEMA_ID),
            version: U16::new(FEED_VERSION),
        };
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(block);
        self.count += 1;
    }

    /// Gives out what is there, if anything is.
    pub fn flush(&mut self, published_ns: u64, send: &mut impl FnMut(&[u8])) {
        if self.count > 0 {
            self.give(published_ns, send);
        }
    }

    /// Gives out a heartbeat: a datagram without messages, that says which one comes next.
    pub fn heartbeat(&mut self, published_ns: u64, send: &mut impl FnMut(&[u8])) {
        self.flush(published_ns, send);
        self.give(published_ns, send);
    }

    fn give(&mut self, published_ns: u64, send: &mut impl FnMut(&[u8])) {
        let header = ChannelHeader {
            length: U16::new(self.bytes.len() as u16),
            channel: U16::new(self.channel),
            count: U16::new(self.count),
            kind: self.kind as u8,
            reserved: 0,
            epoch: U32::new(self.epoch),
            first_sequence: U64::new(self.next_sequence),
            published: U64::new(published_ns),
        };
        let (head, _) = self.bytes.split_at_mut(size_of::<ChannelHeader>());
        head.copy_from_slice(header.as_bytes());
        send(&self.bytes);
        self.next_sequence += u64::from(self.count);
        self.count = 0;
        self.bytes.truncate(size_of::<ChannelHeader>());
    }
}
