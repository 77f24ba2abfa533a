//! What an account has at stake in an instrument.

/// No limit on a position: more lots than any account can have.
pub const POSITION_UNLIMITED: u64 = 1 << 62;

/// An account's open bids in an instrument, and how many lots it may come to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exposure {
    /// Lots of all its open bids.
    pub open_bid_lots: u64,
    /// The most lots of the base asset it may hold, open bids included.
    pub position_max_lots: u64,
}

impl Default for Exposure {
    fn default() -> Self {
        Self { open_bid_lots: 0, position_max_lots: POSITION_UNLIMITED }
    }
}
