//! Controls over accounts: who a control is for, and what a restriction forbids.

use crate::{AccountId, SessionId, Side};

/// Which accounts a control is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlScope {
    /// One account.
    Account(AccountId),
    /// Every account that is in this trade group, from 1.
    TradeGroup(u32),
}

impl ControlScope {
    /// The code that records and events carry. It goes on where those of [`crate::HaltScope`] end.
    pub const fn code(self) -> u8 {
        match self {
            Self::Account(_) => 2,
            Self::TradeGroup(_) => 3,
        }
    }

    /// The account and the group as records and events carry them: the one that is not meant is zero.
    pub const fn ids(self) -> (u32, u32) {
        match self {
            Self::Account(account) => (account.0, 0),
            Self::TradeGroup(group) => (0, group),
        }
    }
}

/// What a kill switch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillScope {
    /// The orders of these accounts, by whatever session they come.
    Accounts(ControlScope),
    /// The orders that come by this session, of whatever account they are.
    Session(SessionId),
}

impl KillScope {
    /// The code that records and events carry.
    pub const fn code(self) -> u8 {
        match self {
            Self::Accounts(scope) => scope.code(),
            Self::Session(_) => 4,
        }
    }

    /// The account, and the group or session, as records and events carry them: what is not meant is zero.
    pub const fn ids(self) -> (u32, u32) {
        match self {
            Self::Accounts(scope) => scope.ids(),
            Self::Session(session) => (0, session.0),
        }
    }
}

/// What accounts may not do on an instrument, from nothing to everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Restriction {
    /// Nothing is restricted.
    #[default]
    None = 0,
    /// No bids: a position may only become smaller.
    SellOnly = 1,
    /// No orders at all.
    NoTrading = 2,
}

impl Restriction {
    /// The restriction a record names, if it names one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::SellOnly),
            2 => Some(Self::NoTrading),
            _ => None,
        }
    }

    /// Whether an order of this side is forbidden.
    pub const fn forbids(self, side: Side) -> bool {
        match self {
            Self::None => false,
            Self::SellOnly => matches!(side, Side::Buy),
            Self::NoTrading => true,
        }
    }
}
