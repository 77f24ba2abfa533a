//! Money.

use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Money, counted in quanta of its asset. 128 bits, because an asset with 18 decimals passes 64 bits at nine coins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most of one asset that a venue may hold. No sum of balances can overflow 128 bits below it.
    pub const MAX: Self = Self(1 << 120);

    /// So many quanta.
    #[inline(always)]
    pub const fn from_quanta(quanta: i128) -> Self {
        Self(quanta)
    }

    /// How many quanta.
    #[inline(always)]
    pub const fn quanta(self) -> i128 {
        self.0
    }

    /// Whether this is more than nothing.
    #[inline(always)]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Add for Amount {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl core::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl core::fmt::Display for Amount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// Price times quantity in ticks x lots, before the instrument's units turn it into money. The product of two 64-bit
/// numbers always fits, so limits are compared in this unit before anything is multiplied further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawNotional(pub i128);

impl RawNotional {
    /// The product of a price and a quantity.
    #[inline(always)]
    pub fn of(price: crate::Price, quantity: crate::Quantity) -> Self {
        Self(i128::from(price.ticks()) * i128::from(quantity.lots()))
    }
}
