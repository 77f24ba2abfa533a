//! Dense ids. Inside the engine everything has a small number; names live at the edge.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The id as an index into a dense table.
            #[inline(always)]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An account, numbered from 0 in the order of opening. Account 0 collects fees, account 1 is the insurance fund.
    AccountId,
    u32
);
id!(
    /// An asset (a currency or a coin), numbered from 0 in the order of addition.
    AssetId,
    u32
);
id!(
    /// An instrument, numbered from 0 in the order of listing.
    InstrumentId,
    u32
);
id!(
    /// An order, numbered from 1 by the engine in the order of acceptance. Never used twice.
    OrderId,
    u64
);
id!(
    /// A list of orders, numbered from 1 by the engine in the order of acceptance. Never used twice.
    ListId,
    u64
);
id!(
    /// A trade, numbered from 1 for each instrument, without gaps.
    TradeId,
    u64
);
id!(
    /// A withdrawal, numbered from 1 by the engine.
    WithdrawalId,
    u64
);
id!(
    /// A shard: an engine with its own instruments, ledger and log, numbered by its operator.
    ShardId,
    u8
);
id!(
    /// A transfer to another shard, numbered from 1 for each of them, without gaps.
    TransferNumber,
    u64
);
id!(
    /// A session by which commands come. 0 is none: the venue itself. Those that were opened are numbered from 1 by the engine, in
    /// the order of first use of account and name; a number that was never opened is whatever its sender means by it.
    SessionId,
    u32
);

impl AccountId {
    /// The venue's account that receives fees and pays rebates. It exists from the start.
    pub const FEE: Self = Self(0);
    /// The venue's insurance fund. It exists from the start.
    pub const INSURANCE: Self = Self(1);
}
