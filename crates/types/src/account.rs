//! What an account is and may do.

/// Whose money an account holds. Kinds never mix except through a typed transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AccountKind {
    /// A customer's money.
    Client = 1,
    /// The operator's own trading money.
    House = 2,
    /// Collects fees and pays rebates.
    Fee = 3,
    /// Pays for losses that nobody else can.
    Insurance = 4,
}

impl AccountKind {
    /// The kind a record names, if it names one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Client),
            2 => Some(Self::House),
            3 => Some(Self::Fee),
            4 => Some(Self::Insurance),
            _ => None,
        }
    }
}

/// What a transfer is for. It decides which kinds of account may stand at its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TransferKind {
    /// Between two accounts of the same kind.
    Internal = 1,
    /// Fee income paid out to the house.
    FeePayout = 2,
    /// The house (or fee income) adds to the insurance fund.
    InsuranceContribution = 3,
    /// The house pays a client (a promotion, an incentive, a compensation).
    ClientCredit = 4,
}

impl TransferKind {
    /// The kind a record names, if it names one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Internal),
            2 => Some(Self::FeePayout),
            3 => Some(Self::InsuranceContribution),
            4 => Some(Self::ClientCredit),
            _ => None,
        }
    }

    /// Whether money may go from an account of one kind to one of another for this purpose.
    pub fn allows(self, from: AccountKind, to: AccountKind) -> bool {
        use AccountKind::{Client, Fee, House, Insurance};
        match self {
            Self::Internal => from == to,
            Self::FeePayout => from == Fee && to == House,
            Self::InsuranceContribution => matches!(from, House | Fee) && to == Insurance,
            Self::ClientCredit => from == House && to == Client,
        }
    }
}

/// What an account may do, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permissions(pub u16);

impl Permissions {
    /// May send new and amended orders. (Cancels are always allowed.)
    pub const TRADE: Self = Self(1);
    /// May take money out.
    pub const WITHDRAW: Self = Self(2);
    /// May send money to another account.
    pub const TRANSFER: Self = Self(4);
    /// May approve orders of others that need it.
    pub const APPROVE: Self = Self(8);
    /// What a new client or house account may do: everything but to approve.
    pub const INITIAL: Self = Self(7);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// Whether every bit of `wanted` is set.
    #[inline(always)]
    pub const fn allow(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}
