//! What an order says: side, type, time in force, self-trade prevention, flags.

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// A bid.
    Buy = 0,
    /// An ask (offer).
    Sell = 1,
}

impl Side {
    /// The side a record names, if it names one.
    #[inline(always)]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Buy),
            1 => Some(Self::Sell),
            _ => None,
        }
    }

    /// The other side.
    #[inline(always)]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The better of two prices of orders of this side: the higher bid, the lower ask.
    pub fn better(self, one: crate::Price, other: crate::Price) -> crate::Price {
        match self {
            Self::Buy => one.max(other),
            Self::Sell => one.min(other),
        }
    }

    /// Whether a taker of this side with limit `limit` trades with a maker at `maker`.
    #[inline(always)]
    pub fn crosses(self, limit: crate::Price, maker: crate::Price) -> bool {
        match self {
            Self::Buy => limit >= maker,
            Self::Sell => limit <= maker,
        }
    }
}

/// What decides the price of an order (FIX 40).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OrderType {
    /// Not worse than its price.
    Limit = 1,
    /// At the best prices there are, within the price band.
    Market = 2,
}

impl OrderType {
    /// The type a record names, if this build knows it.
    #[inline(always)]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Limit),
            2 => Some(Self::Market),
            _ => None,
        }
    }
}

/// How long an order stays (FIX 59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TimeInForce {
    /// Good till cancelled.
    GoodTillCancel = 1,
    /// Immediate or cancel: what does not trade at once expires.
    ImmediateOrCancel = 2,
    /// Fill or kill: trades whole at once or not at all.
    FillOrKill = 3,
    /// Good till date: as good till cancelled, until the time in its conditions.
    GoodTillDate = 4,
    /// Day: as good till cancelled, until the instrument is closed.
    Day = 5,
    /// At the opening: for the opening auction only.
    AtOpening = 6,
    /// At the close: for the closing auction only.
    AtClose = 7,
    /// Good for auction: for the next auction only.
    GoodForAuction = 8,
}

impl TimeInForce {
    /// The time in force a record names, if this build knows it.
    #[inline(always)]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::GoodTillCancel),
            2 => Some(Self::ImmediateOrCancel),
            3 => Some(Self::FillOrKill),
            4 => Some(Self::GoodTillDate),
            5 => Some(Self::Day),
            6 => Some(Self::AtOpening),
            7 => Some(Self::AtClose),
            8 => Some(Self::GoodForAuction),
            _ => None,
        }
    }

    /// Whether what does not trade at once stays.
    #[inline(always)]
    pub const fn rests(self) -> bool {
        !matches!(self, Self::ImmediateOrCancel | Self::FillOrKill)
    }

    /// Whether it is for auctions only.
    #[inline(always)]
    pub const fn is_for_auction(self) -> bool {
        self as u8 >= Self::AtOpening as u8
    }

    /// Whether an order without conditions has to be remembered by it while it is open.
    #[inline(always)]
    pub const fn is_remembered(self) -> bool {
        self as u8 >= Self::Day as u8
    }

    /// Whether the call of this phase takes orders with it that are for auctions only.
    pub const fn joins(self, phase: crate::AuctionPhase) -> bool {
        use crate::AuctionPhase;
        match self {
            Self::GoodTillCancel | Self::ImmediateOrCancel | Self::FillOrKill | Self::GoodTillDate | Self::Day => false,
            Self::AtOpening => matches!(phase, AuctionPhase::Opening),
            Self::AtClose => matches!(phase, AuctionPhase::Closing),
            Self::GoodForAuction => !matches!(phase, AuctionPhase::None),
        }
    }
}

/// What happens instead of a trade when both orders belong to the same account or trade group. The taker's mode decides;
/// `Transfer` needs both orders to say so and is `Decrement` otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SelfTradePrevention {
    /// The trade happens.
    None = 0,
    /// What is left of the taker expires.
    ExpireTaker = 1,
    /// The maker expires and the taker goes on.
    ExpireMaker = 2,
    /// Both expire.
    ExpireBoth = 3,
    /// The smaller open quantity is taken from both.
    Decrement = 4,
    /// As `Decrement`; between two accounts of one group the base and its notional move at the maker's price, without fee.
    Transfer = 5,
}

impl SelfTradePrevention {
    /// The mode a record names, if it names one.
    #[inline(always)]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::ExpireTaker),
            2 => Some(Self::ExpireMaker),
            3 => Some(Self::ExpireBoth),
            4 => Some(Self::Decrement),
            5 => Some(Self::Transfer),
            _ => None,
        }
    }
}

/// Yes-or-no properties of an order or of the record that carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OrderFlags(pub u16);

impl OrderFlags {
    /// The order must not take: it is refused when it would trade on entry (FIX ExecInst 6).
    pub const POST_ONLY: Self = Self(1);
    /// A market order sized by a quote amount, which stands where price and quantity otherwise do.
    pub const QUOTE_AMOUNT: Self = Self(2);
    /// `order_ref` of a cancel, amend or replace is the client order id instead of the order id.
    pub const BY_CLIENT_ORDER_ID: Self = Self(4);
    /// The client order id is text, in a [`crate::TextRecord`] behind this record.
    pub const TEXT_ID: Self = Self(8);
    /// The order has conditions, in a [`crate::ConditionsRecord`] behind this record and its text.
    pub const CONDITIONS: Self = Self(16);
    /// All bits that mean something in every order.
    pub const KNOWN: Self = Self(31);
    /// Of a replacement: its two halves, the cancel and the new order, may fail apart.
    pub const ALLOW_FAILURE: Self = Self(32);
    /// Of a replacement: when the new order is one too many in its second, the old one is cancelled all the same.
    pub const CANCEL_ONLY: Self = Self(64);
    /// Of a replacement: only an order of which nothing has traded may go.
    pub const ONLY_NEW: Self = Self(128);
    /// Of a replacement: only an order of which a part has traded may go.
    pub const ONLY_PARTIALLY_FILLED: Self = Self(256);
    /// The order is a quote. Set by the engine; no command may have it.
    pub const QUOTE: Self = Self(1 << 10);
    /// The order is tied to others in a list. Set by the engine; no command may have it.
    pub const LISTED: Self = Self(1 << 12);
    /// With one of these the engine has noted more about the order than its price.
    pub const NOTED: Self = Self::CONDITIONS.with(Self::LISTED).with(Self::WAITING);
    /// The order waits, outside the book. Set by the engine; no command may have it.
    pub const WAITING: Self = Self(1 << 15);

    /// Whether nothing sets an open order with these flags apart from nearly all: it stands on the book, without conditions,
    /// and no bit of the engine's own is set.
    #[inline(always)]
    pub const fn are_plain(self) -> bool {
        const ENGINE: u16 = !((1 << 10) - 1);
        self.0 & (ENGINE | Self::CONDITIONS.0) == 0
    }

    /// Whether every bit of `wanted` is set.
    #[inline(always)]
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Whether any bit of `wanted` is set.
    #[inline(always)]
    pub const fn has_any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both sets of bits.
    #[inline(always)]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// These bits but for `fewer`.
    #[inline(always)]
    pub const fn without(self, fewer: Self) -> Self {
        Self(self.0 & !fewer.0)
    }
}
