//! Quantity.

use core::ops::{Add, AddAssign, Sub, SubAssign};

/// A quantity, counted in lots of its instrument (base asset for spot, contracts for derivatives).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u64);

impl Quantity {
    /// No lots.
    pub const ZERO: Self = Self(0);
    /// The largest quantity of one order. With fewer than 2^24 open orders no sum over a book can pass 64 bits.
    pub const MAX: Self = Self(1 << 40);

    /// A quantity of so many lots.
    #[inline(always)]
    pub const fn from_lots(lots: u64) -> Self {
        Self(lots)
    }

    /// How many lots.
    #[inline(always)]
    pub const fn lots(self) -> u64 {
        self.0
    }

    /// Whether there are no lots.
    #[inline(always)]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The difference, or zero when `other` is larger.
    #[inline(always)]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Quantity {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Quantity {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        debug_assert!(self.0 >= other.0, "Invariant: a quantity never goes below zero");
        Self(self.0 - other.0)
    }
}

impl AddAssign for Quantity {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl core::fmt::Display for Quantity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
