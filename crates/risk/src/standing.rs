//! What stands between an account and the market.

/// What keeps an account from trading, as bits; none for nearly all. Some of them are the account's own, the others follow from
/// controls of more than the account, and are worked out again whenever those change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing(pub u8);

impl Standing {
    /// It is halted.
    pub const HALTED: Self = Self(1);
    /// Its own kill switch is engaged.
    pub const KILLED: Self = Self(2);
    /// The kill switch of its trade group is engaged.
    pub const GROUP_KILLED: Self = Self(4);
    /// It, or its trade group, is restricted on some instrument.
    pub const RESTRICTED: Self = Self(8);
    /// Some of its orders may need approval.
    pub const BANDED: Self = Self(16);

    /// Whether nothing stands between it and the market.
    #[inline(always)]
    pub const fn is_clear(self) -> bool {
        self.0 == 0
    }

    /// Whether any bit of `wanted` is set.
    #[inline(always)]
    pub const fn has_any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// These bits, with those of `bits` set or not.
    #[must_use]
    pub const fn set(self, bits: Self, on: bool) -> Self {
        if on { Self(self.0 | bits.0) } else { Self(self.0 & !bits.0) }
    }

    /// What the account does not share with anybody: the part that is state. The rest follows from it and the controls.
    pub const fn of_its_own(self) -> Self {
        Self(self.0 & (Self::HALTED.0 | Self::KILLED.0))
    }

    /// Whether it is halted.
    pub const fn is_halted(self) -> bool {
        self.has_any(Self::HALTED)
    }

    /// Whether a kill switch is engaged, its own or its trade group's.
    pub const fn is_killed(self) -> bool {
        self.has_any(Self(Self::KILLED.0 | Self::GROUP_KILLED.0))
    }
}
