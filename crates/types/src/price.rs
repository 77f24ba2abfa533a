//! Price.

/// A price, counted in ticks of its instrument. Signed, because spreads and some commodities trade below zero; whether an
/// instrument allows that is its own rule (spot does not).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// A price of so many ticks.
    #[inline(always)]
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// How many ticks.
    #[inline(always)]
    pub const fn ticks(self) -> i64 {
        self.0
    }
}

impl core::fmt::Display for Price {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
