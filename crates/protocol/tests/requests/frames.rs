use tradewright_protocol::commands::Refused;
use tradewright_protocol::frame::{
    CLIENT_FRAME_MAX, Envelope, Frame, FrameError, HEADER_LENGTH, address, frame_length,
};
use tradewright_protocol::messages::{NewOrderSingle, OrderExtension};
use tradewright_protocol::spec::{Block, VERSION_BASE};

use crate::commands::read;
use crate::venue::symbols;
use crate::written::{self, buy};

fn bytes() -> Vec<u8> {
    written::new_order(&buy(), &OrderExtension { client_sequence: 5.into(), ..OrderExtension::NULL }, "17", "BTCUSDT")
}

/// The frame with other bytes at a place, and what its reading says.
fn broken(place: usize, with: &[u8]) -> FrameError {
    let mut bytes = bytes();
    bytes[place..place + with.len()].copy_from_slice(with);
    match read(&symbols(), &bytes) {
        Err(Refused::Frame(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_length_is_told_as_soon_as_it_is_there() {
    let bytes = bytes();
    for end in 0..6 {
        assert_eq!(frame_length(&bytes[..end], CLIENT_FRAME_MAX), Ok(None));
    }
    assert_eq!(frame_length(&bytes[..6], CLIENT_FRAME_MAX), Ok(Some(bytes.len())));
    let head = |length: u32, encoding: u16| [length.to_le_bytes().as_slice(), &encoding.to_le_bytes()].concat();
    let max = CLIENT_FRAME_MAX;
    assert_eq!(frame_length(&head(25, 0xeb50), max), Err(FrameError::TooShort { length: 25 }));
    assert_eq!(frame_length(&head(4_097, 0xeb50), max), Err(FrameError::TooLong { length: 4_097, max }));
    assert_eq!(frame_length(&head(100, 0x50eb), max), Err(FrameError::UnknownEncoding { encoding: 0x50eb }));
}

#[test]
fn headers_are_checked_one_by_one() {
    let length = bytes().len();
    assert_eq!(broken(4, &[0]), FrameError::UnknownEncoding { encoding: 0xeb00 });
    let longer = (length as u32 + 1).to_le_bytes();
    assert_eq!(broken(0, &longer), FrameError::LengthDiffers { length: length + 1, bytes: length });
    assert_eq!(broken(10, &[2]), FrameError::UnknownSchema { schema: 2 });
    assert_eq!(broken(12, &[2]), FrameError::UnknownVersion { version: 2 });
    assert_eq!(broken(12, &[101]), FrameError::UnknownVersion { version: 101 });
    assert_eq!(broken(8, &[77]), FrameError::UnknownTemplate { template: 77 });
    let needed = size_of::<NewOrderSingle>();
    assert_eq!(broken(6, &[75]), FrameError::BlockTooShort { template: 99, length: 75, needed });
    let left = length - 26;
    assert_eq!(broken(6, &[255, 0]), FrameError::PartBehindEnd { template: 99, needed: 255, left });
    // The text's length: one more than there is, one less.
    assert_eq!(broken(length - 8, &[8]), FrameError::PartBehindEnd { template: 99, needed: 8, left: 7 });
    assert_eq!(broken(length - 8, &[6]), FrameError::SurplusBytes { template: 99, bytes: 1 });
}

#[test]
fn every_error_names_the_field_the_value_and_the_rule() {
    for (error, text) in [
        (FrameError::TooLong { length: 9, max: 5 }, "frame_length=9 must be at most 5"),
        (FrameError::UnknownTemplate { template: 9 }, "template=9 must be a message that may stand here"),
        (FrameError::UnknownVersion { version: 9 }, "version=9 must be 0 to 1, or 100"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_truncated_frame_is_refused_wherever_it_ends() {
    let whole = bytes();
    for end in 0..whole.len() {
        let mut bytes = whole[..end].to_vec();
        assert!(matches!(read(&symbols(), &bytes), Err(Refused::Frame(_))), "cut at {end}");
        if let Some(length) = bytes.get_mut(0..4) {
            length.copy_from_slice(&(end as u32).to_le_bytes());
        }
        assert!(matches!(read(&symbols(), &bytes), Err(Refused::Frame(_))), "cut at {end}, and lied about");
    }
}

#[test]
fn extensions_are_there_from_their_version_on() {
    let extended = bytes();
    let frame = Frame::read(&extended).expect("a frame");
    let message = frame.message::<NewOrderSingle>().expect("an order");
    assert_eq!(message.extension.map(|extension| extension.client_sequence.get()), Some(5));
    // For a client of the base version it is cut out, and everything else stays.
    let envelope = Envelope { version: VERSION_BASE, seq_num: 7, sending_time_us: 99 };
    let mut plain = Vec::new();
    address(&extended, size_of::<OrderExtension>(), envelope, &mut plain);
    assert_eq!(plain.len(), extended.len() - size_of::<OrderExtension>());
    let frame = Frame::read(&plain).expect("a frame");
    assert_eq!((frame.header.seq_num.get(), frame.header.sending_time.get()), (7, 99));
    let message = frame.message::<NewOrderSingle>().expect("an order");
    assert_eq!((*message.block, message.extension), (buy(), None));
    assert_eq!(read(&symbols(), &plain).expect("a command").len(), 1);
    // What ends within its block is no frame.
    for end in 0..HEADER_LENGTH + size_of::<NewOrderSingle>() + size_of::<OrderExtension>() {
        let mut nothing = Vec::new();
        address(&extended[..end], size_of::<OrderExtension>(), envelope, &mut nothing);
        assert!(nothing.is_empty(), "cut at {end}: {nothing:?}");
    }
}
