//! Datagrams of the feed, as many as the bytes have: each begins with its length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewright_protocol::feed::FeedClient;
use tradewright_types::Side;

fuzz_target!(|bytes: &[u8]| {
    let (mut early, mut late) = (FeedClient::from_beginning(), FeedClient::default());
    let mut rest = bytes;
    while let [low, high, ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).clamp(2, rest.len());
        let (datagram, behind) = rest.split_at(length);
        let _ = (early.take(datagram), late.take(datagram));
        rest = behind;
    }
    for book in [early.book(), late.book()] {
        for instrument in 0..3 {
            for side in [Side::Buy, Side::Sell] {
                let orders: u64 = book.levels(instrument, side).map(|level| u64::from(level.orders)).sum();
                assert_eq!(orders, book.queue(instrument, side).count() as u64);
            }
        }
    }
});
