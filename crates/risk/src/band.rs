//! The price band.

use tradewright_types::Price;

const MILLION: u128 = 1_000_000;

/// The prices that orders may have, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    /// The lowest.
    pub low: Price,
    /// The highest.
    pub high: Price,
}

impl Band {
    /// The band around a positive reference price: rounded inwards, so that it is never wider than its parts per million say.
    pub fn around(reference: Price, down_ppm: u32, up_ppm: u32) -> Self {
        let ticks = u128::from(reference.ticks().unsigned_abs());
        let low = (ticks * (MILLION - u128::from(down_ppm).min(MILLION))).div_ceil(MILLION);
        let high = ticks * (MILLION + u128::from(up_ppm)) / MILLION;
        let price = |ticks: u128| Price::from_ticks(i64::try_from(ticks).unwrap_or(i64::MAX));
        Self { low: price(low), high: price(high) }
    }

    /// Whether `price` lies in it.
    #[inline(always)]
    pub fn contains(&self, price: Price) -> bool {
        self.low <= price && price <= self.high
    }
}
