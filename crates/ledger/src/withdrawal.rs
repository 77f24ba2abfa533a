//! A withdrawal that waits for its second phase.

use tradewright_types::{AccountId, Amount, AssetId};

/// Money that is held until it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Withdrawal {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
}
