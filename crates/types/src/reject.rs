//! Why a command was refused.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// Why a command was refused. In descending precedence: when several apply, the first is returned. A refused command
        /// changes nothing but sequence, time and counters. The codes are stable; the gaps are for reasons to come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum RejectReason {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl RejectReason {
            /// Every reason, in precedence order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name as it is written in logs and documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// The rule that was broken, in a sentence.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// The reason with this code.
            pub fn from_code(code: u16) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| *reason as u16 == code)
            }
        }
    };
}

reasons! {
    // The record itself.
    /// The record names a command that this build does not know.
    UnknownCommand = 1,
    /// The record was written for another layout version.
    UnknownSchemaVersion = 2,
    /// The command has too many, too few or the wrong records.
    MalformedRecords = 3,
    /// The command's time lies before that of an earlier command.
    Stale = 4,
    /// The kill switch is engaged for the session by which the command came.
    SessionKilled = 5,
    /// The session's number of this command is so old that its answer is no longer known.
    ClientSequenceTooOld = 6,
    /// The session's number of this command leaves out one before it.
    ClientSequenceGap = 7,
    // Its fields.
    /// The side is neither buy nor sell.
    InvalidSide = 10,
    /// The order type is not one that this build knows.
    InvalidOrderType = 11,
    /// The time in force is not one that this build knows.
    InvalidTimeInForce = 12,
    /// The self-trade prevention mode is not one of the six.
    InvalidSelfTradePrevention = 13,
    /// A flag is set that means nothing for this command.
    InvalidFlags = 14,
    /// The order's type, time in force and flags exclude each other.
    InvalidCombination = 15,
    /// The client order id is not 1 to 36 printable ASCII characters, or is a number written as text.
    InvalidClientOrderId = 16,
    /// A condition is not one that this build knows, or lies outside its range.
    InvalidConditions = 17,
    /// Only a limit order that may rest can be hidden, pegged or show itself by parts, and not all of it goes together.
    InvalidDisplay = 18,
    /// The contingency of a list is not one that this build knows, or a field that means nothing for a list is not zero.
    InvalidContingency = 19,
    // The market.
    /// No instrument has this id.
    UnknownInstrument = 20,
    /// The whole venue is halted.
    VenueHalted = 21,
    /// The instrument is halted.
    InstrumentHalted = 22,
    /// A circuit breaker has paused the instrument.
    InstrumentPaused = 23,
    /// Orders of the instrument can only be cancelled.
    InstrumentCancelOnly = 24,
    /// The instrument's session is over.
    InstrumentClosed = 25,
    /// The instrument has expired.
    InstrumentExpired = 26,
    /// An order that must trade at once cannot come while an auction gathers orders.
    ImmediateInCall = 27,
    // The account.
    /// No account has this id.
    UnknownAccount = 30,
    /// The account is halted.
    AccountHalted = 31,
    /// The account lacks the permission that this command needs.
    AccountNotPermitted = 32,
    /// The account, or its trade group, is restricted on this instrument.
    AccountRestricted = 33,
    /// The kill switch is engaged for the account or its trade group.
    KillSwitchEngaged = 34,
    /// The account has no open order, or no list, with this id.
    UnknownOrder = 35,
    /// The order is a quote, or waits for its auction, or the amendment names what it does not have: a trigger, or a price of a market order.
    OrderNotAmendable = 36,
    /// The order is tied to others in a list: it can be cancelled, but neither amended nor replaced.
    OrderInList = 37,
    /// The order waits for approval: it can be cancelled and replaced, but not amended.
    OrderWaitsForApproval = 38,
    /// The mass quote names an instrument twice.
    InstrumentQuotedTwice = 39,
    // Price and size.
    /// The price must be at least one tick.
    PriceNotPositive = 40,
    /// The price is not a multiple of the instrument's price increment.
    PriceNotOnTick = 41,
    /// The quantity must be at least one lot.
    QuantityNotPositive = 42,
    /// The quantity is not a multiple of the instrument's quantity increment.
    QuantityNotOnLot = 43,
    /// The quantity is below the instrument's minimum.
    QuantityBelowMinimum = 44,
    /// The quantity is above the instrument's maximum.
    QuantityAboveMaximum = 45,
    /// The order is worth less than the instrument's minimum.
    NotionalBelowMinimum = 46,
    /// The order is worth more than the instrument's maximum.
    NotionalAboveMaximum = 47,
    /// A market order needs a reference price or a last trade, and there is neither.
    NoReferencePrice = 48,
    /// The price lies outside the band around the reference price.
    PriceOutsideBand = 49,
    /// The new total quantity is not above what is executed and prevented already.
    QuantityNotAboveExecuted = 50,
    /// The amendment names the price and quantity that the order has already.
    AmendChangesNothing = 51,
    /// The trigger price must be at least one tick.
    TriggerPriceNotPositive = 52,
    /// The trigger price is not a multiple of the instrument's price increment.
    TriggerPriceNotOnTick = 53,
    /// A trail starts from the price that it follows, and there is none yet.
    NoTriggerReference = 54,
    /// The time at which the order is to expire is not in the future.
    ExpiryNotInFuture = 55,
    /// There is no displayed order at the price that a peg refers to.
    NoPegReference = 56,
    /// A peak, or the range of the peaks, is not a multiple of the instrument's quantity increment.
    PeakNotOnLot = 57,
    /// The largest peak is above the order's quantity.
    PeakAboveQuantity = 58,
    /// The order would be shown by more than 10,000 peaks.
    TooManyPeaks = 59,
    // Rates and limits.
    /// The account sent more messages in this second than it may.
    MessageRateExceeded = 60,
    /// The account sent more orders in this second than it may.
    OrderRateExceeded = 61,
    /// Another open order of the account has this client order id.
    DuplicateClientOrderId = 70,
    /// The account has as many open orders as it may.
    OpenOrderLimitExceeded = 71,
    /// The account would hold more of the base asset than it may, open bids included.
    PositionLimitExceeded = 72,
    /// The available balance is smaller than what this command needs.
    InsufficientFunds = 80,
    /// A post-only order would trade on entry.
    PostOnlyWouldTrade = 90,
    /// The price that the trigger looks at is there already.
    WouldTriggerAtOnce = 91,
    // Lists of orders.
    /// The prices of a pair do not lie on both sides of the price that its stop-loss looks at.
    ListPricesOutOfOrder = 92,
    /// The orders of the list are not of the kinds that its contingency needs.
    LegsDoNotFit = 93,
    /// Another list of the account has this client id.
    DuplicateListId = 94,
    // Replacements.
    /// A part of the order that was to go has traded already, and the replacement is for new orders only.
    OrderNotNew = 95,
    /// Nothing of the order that was to go has traded yet, and the replacement is for partially filled orders only.
    OrderNotPartiallyFilled = 96,
    /// A replacement for new orders only and for partially filled orders only is for none.
    RestrictionsExclude = 97,
    // Quotes.
    /// The protection of the account's quotes was triggered, and has not been reset.
    QuoteProtectionTriggered = 98,
    /// The bid of a quote is not below its ask.
    QuoteCrossesItself = 99,
    // Money and administration.
    /// No asset has this id.
    UnknownAsset = 100,
    /// The amount must be positive.
    AmountNotPositive = 101,
    /// The amount would take the venue's total of the asset above its maximum.
    AmountTooLarge = 102,
    /// A transfer needs two different accounts.
    SameAccount = 103,
    /// This kind of transfer is not allowed between these kinds of account.
    AccountKindsForbidden = 104,
    /// No pending withdrawal has this id.
    UnknownWithdrawal = 105,
    /// No key has this id.
    UnknownKey = 106,
    /// The account has as many sessions as it may.
    TooManySessions = 107,
    /// A transfer between shards needs another shard.
    SameShard = 108,
    /// No transfer with this number is in transit to this shard.
    UnknownTransfer = 109,
    /// The id is not the next free one.
    IdNotNext = 110,
    /// The name is not 1 to 32 (of a session or a key 1 to 56) printable ASCII characters without spaces.
    InvalidName = 111,
    /// Another asset, instrument, account or key has this name.
    NameTaken = 112,
    /// A setting lies outside its range.
    SettingOutOfRange = 113,
    /// Tick times lot is not a whole positive number of quote quanta.
    UnitsNotWhole = 114,
    /// A taker fee and a maker rebate of the schedule would together pay more than they collect.
    FeeScheduleNegative = 115,
    /// The rule of allocation can only change while no order stands on the book.
    BookNotEmpty = 116,
    /// The instrument cannot go from its state to that one.
    IllegalStateChange = 117,
    /// The time of a scheduled change is not in the future.
    ScheduleNotInFuture = 118,
    // Approvals.
    /// The order does not wait for approval.
    OrderNeedsNoApproval = 120,
    /// Nobody approves or declines an order of its own account or trade group.
    ApproverNotIndependent = 121,
    /// The account lacks the permission to approve.
    ApproverNotPermitted = 122,
    /// The account has approved this order already.
    AlreadyApproved = 123,
    /// The hash is not that of the order.
    ApprovalHashDiffers = 124,
    /// An order that needs approval must be given by quantity and stand alone.
    OrderNotApprovable = 125,
    /// The order as amended would need approval: replace it instead.
    AmendmentNeedsApproval = 126,
    /// TOP and lead market makers belong to the rule that splits, and the instrument has another.
    RuleHasNoSteps = 127,
    /// The lead market makers of the instrument would together be promised more than there is.
    LeadsAboveWhole = 128,
    /// The instrument has as many lead market makers as it may.
    TooManyLeads = 129,
    // Transfers between shards.
    /// The transfer with this number was received from its shard already.
    TransferAlreadyReceived = 130,
    /// The number of the transfer leaves out one before it.
    TransferGap = 131,
}

impl RejectReason {
    /// Whether a replacement that may fail in halves finds this in its new order before it cancels the old one: what stands
    /// before the account's own orders and funds.
    pub const fn is_found_before_cancel(self) -> bool {
        self as u16 <= Self::OrderRateExceeded as u16 || matches!(self, Self::AmountNotPositive)
    }
}

impl core::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
