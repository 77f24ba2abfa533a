//! A message of the feed as it lies in a ring.

use tradewright_protocol::feed::FeedRecord;
use tradewright_transport::Slot;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct FeedSlot(pub FeedRecord);

impl Slot for FeedSlot {
    const LAYOUT: &'static str = "feed";
    const VERSION: u8 = 1;
}
