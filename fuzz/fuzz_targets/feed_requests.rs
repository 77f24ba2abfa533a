//! What clients send to the feed's service, and what a service sends to its clients: bytes that claim to be datagrams of messages
//! that are no part of a book.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewright_protocol::feed::{Datagram, FeedClient, FeedMessage, FeedRecord, FeedRefusal};
use zerocopy::FromBytes;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(datagram) = Datagram::read(bytes) {
        for message in datagram.messages().flatten() {
            if let (_, FeedMessage::Refused(refused)) = message {
                let _ = FeedRefusal::from_code(refused.reason.0);
            }
        }
    }
    // The same bytes as slots of a ring, which another process wrote.
    let mut client = FeedClient::default();
    for slot in bytes.chunks_exact(size_of::<FeedRecord>()) {
        let Ok(record) = FeedRecord::read_from_bytes(slot) else { continue };
        if let Ok(message) = record.message() {
            let _ = client.take_message(record.sequence, &message, &mut |_, _| {});
        }
        let _ = (client.need(), client.is_current());
    }
    for instrument in client.take_changed() {
        let _ = client.top(instrument);
    }
});
