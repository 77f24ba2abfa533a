//! A balance.

use tradewright_types::Amount;

/// What an account has of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Balance {
    /// Free to use.
    pub available: Amount,
    /// Promised: to open orders and pending withdrawals.
    pub held: Amount,
}

impl Balance {
    /// Everything.
    #[inline(always)]
    pub fn total(&self) -> Amount {
        self.available + self.held
    }
}
