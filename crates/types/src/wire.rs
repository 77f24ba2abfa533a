//! Number forms inside records.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A 128-bit signed number as two 64-bit halves, so that records keep an alignment of eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Wide {
    /// The lower 64 bits.
    pub low: u64,
    /// The upper 64 bits, with the sign.
    pub high: i64,
}

impl Wide {
    /// The number itself.
    #[inline(always)]
    pub const fn get(self) -> i128 {
        (self.high as i128) << 64 | self.low as i128
    }
}

impl From<i128> for Wide {
    #[inline(always)]
    fn from(number: i128) -> Self {
        Self { low: number as u64, high: (number >> 64) as i64 }
    }
}

impl From<crate::Amount> for Wide {
    #[inline(always)]
    fn from(amount: crate::Amount) -> Self {
        amount.quanta().into()
    }
}

impl From<Wide> for crate::Amount {
    #[inline(always)]
    fn from(wide: Wide) -> Self {
        Self::from_quanta(wide.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_trip() {
        for number in [0, 1, -1, i128::MAX, i128::MIN, u64::MAX as i128, -(1_i128 << 64)] {
            assert_eq!(Wide::from(number).get(), number);
        }
    }
}
