//! Events: what happened, as fixed-size records.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{SCHEMA_VERSION, Wide};

macro_rules! codes {
    ($(#[$head:meta])* $enum:ident: $int:ty { $($(#[$doc:meta])+ $name:ident = $code:literal,)+ }) => {
        $(#[$head])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr($int)]
        pub enum $enum {
            $($(#[$doc])+ $name = $code,)+
        }

        impl $enum {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The value with this code, if this build knows it.
            pub const fn from_code(code: $int) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The name as it is written in logs and documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

codes! {
    /// What happened. Fields that a kind does not name are zero.
    EventKind: u8 {
        /// A command was refused and changed nothing. `reason` is the [`crate::RejectReason`]; `open_lots` the
        /// [`crate::CommandKind`]; account, instrument, side, order type, time in force, prevention mode, flags, price, quantity
        /// and `reference` (`order_ref`) repeat the record; `counter_account` is its session and `counter_order_id` its client
        /// sequence. When the new order of a replacement failed by itself, the record is the new order's. Of a command that its
        /// session's window refused, `amount` is the client sequence that comes next.
        Rejected = 1,
        /// An order was accepted. `price_ticks` is its limit (of a market order: the band's); `quantity_lots` its total (0 when
        /// sized by amount, then `amount` is it); `open_lots` holds the two fee rates, see [`EventRecord::accepted_rates`];
        /// `reference` the client order id, followed by a [`EventKind::ClientOrderIdText`] when it is text.
        OrderAccepted = 2,
        /// Two orders traded. `order_id`, `account`, `side`, `open_lots` (what the taker has left; 0 when sized by amount) and
        /// `amount` (fee) are the taker's; `counter_order_id`, `counter_account` and `counter_amount` (fee) the maker's;
        /// `reference` is the trade id. Fees are in quote quanta; negative is a rebate.
        Trade = 3,
        /// Two orders would have traded, but self-trade prevention came between. `quantity_lots` was taken from the taker,
        /// `open_lots` from the maker. `self_trade_prevention` is the mode that decided; with `TRANSFERRED` the quantity and its
        /// notional `amount` moved between the accounts. `reference` numbers the prevented matches of the instrument.
        MatchPrevented = 4,
        /// An open order was cancelled. `quantity_lots` is what was open, `reason` a [`CloseReason`].
        OrderCancelled = 5,
        /// What did not trade expired. `quantity_lots` is what was open (0 when sized by amount, then `amount` is what was not
        /// spent), `reason` a [`CloseReason`].
        OrderExpired = 6,
        /// An order was amended. `quantity_lots` is the new total, `open_lots` the new open quantity; `KEPT_PRIORITY` tells
        /// whether it kept its place. `reference` is its client order id from now on, followed by a
        /// [`EventKind::ClientOrderIdText`] when that is a new text, and by [`EventKind::OrderConditions`] when its trigger
        /// price is new.
        OrderAmended = 7,
        /// The text client order id of the order in the event before; see [`TextEventRecord`].
        ClientOrderIdText = 8,
        /// The conditions of the order in the event before. `order_type` is the [`crate::TriggerKind`] (0: none), `time_in_force`
        /// the [`crate::PriceSource`], `self_trade_prevention` the unit of the trail (0: none, 1: ticks, 2: basis points),
        /// `price_ticks` the trigger price (of a trail the first one), `quantity_lots` the trail, `open_lots` the minimum quantity,
        /// `reference` the time of expiry (0: none).
        OrderConditions = 9,
        /// A waiting order's trigger fired: it comes to the market now. `price_ticks` is the trigger price, `quantity_lots` what is
        /// open, `open_lots` the price that fired it, `time_in_force` its [`crate::PriceSource`].
        OrderTriggered = 10,
        /// How the order in the event before shows itself. `order_type` is 1 when it is hidden; of an iceberg `quantity_lots` is its peak, `open_lots` how much larger a peak may be,
        /// `reference` the seed of their generator. `time_in_force` is the [`crate::PegKind`] (0: none),
        /// `self_trade_prevention` 1 when that is fixed, `price_ticks` its offset.
        OrderDisplay = 11,
        /// An iceberg showed a new peak, behind the others at its price. `quantity_lots` is what it shows, `open_lots` what is
        /// open in all.
        OrderRefreshed = 12,
        /// A peg has another price: it moved, came to the book, or left it to wait. `price_ticks` is the new price (0: it waits),
        /// `open_lots` the old one (0: it waited), `quantity_lots` what is open.
        OrderRepriced = 13,
        /// Money came in. `instrument` is the asset.
        Deposited = 16,
        /// Money is held until it leaves. `instrument` is the asset, `reference` the withdrawal.
        WithdrawalRequested = 17,
        /// Held money left. `instrument` is the asset, `reference` the withdrawal.
        WithdrawalConfirmed = 18,
        /// Held money stays. `instrument` is the asset, `reference` the withdrawal.
        WithdrawalCancelled = 19,
        /// Money moved from `account` to `counter_account`. `instrument` is the asset, `reference` the transfer kind.
        Transferred = 20,
        /// Money left for another shard. `instrument` is the asset, `order_type` the shard, `reference` the number of the transfer.
        TransferSent = 21,
        /// Money came from another shard. `instrument` is the asset, `order_type` the shard, `reference` the number that it gave.
        TransferReceived = 22,
        /// Money that was sent is no longer in transit: it was received. `instrument` is the asset, `order_type` the shard,
        /// `reference` the number of the transfer.
        TransferConfirmed = 23,
        /// A setting took effect. `open_lots` is the [`crate::CommandKind`]; the setting's values stand in `price_ticks`,
        /// `quantity_lots` and `reference`, its scope in `side`, its tier in `order_type`, its fee schedule in `order_flags`.
        SettingApplied = 24,
        /// The state of an instrument changed. `order_type` is the [`crate::InstrumentState`], `self_trade_prevention` the one
        /// before, `time_in_force` the [`crate::AuctionPhase`], `reason` the [`crate::StateCause`], `reference` until when it lasts by
        /// itself (0: until a command or a schedule).
        InstrumentStateChanged = 25,
        /// How an auction would trade now. `price_ticks` and `quantity_lots` are zero when nothing would; `amount` is the surplus in
        /// lots: positive, buyers are left over. `time_in_force` is the [`crate::AuctionPhase`].
        AuctionIndication = 26,
        /// An auction traded, or found nothing to trade: fields as those of [`EventKind::AuctionIndication`]. Its trades stand before it.
        AuctionUncrossed = 27,
        /// A circuit breaker stopped an order: `order_id` would have traded at `price_ticks`. `order_type` is 1 for the dynamic breaker, 2
        /// for velocity; `reference` is until when trading pauses.
        BreakerTripped = 28,
        /// The index fell to a market-wide level: every instrument pauses. `order_type` is the level (1, 2 or 3), `price_ticks` the index,
        /// `reference` until when (0: the rest of the session).
        MarketWideLevelReached = 29,
        /// A list was accepted: its orders follow, each by its own events. `reference` is the list, `order_type` the
        /// [`crate::Contingency`], `quantity_lots` how many orders it has, `open_lots` the client's id of the list (0 when it gave
        /// none or text; a [`EventKind::ClientListIdText`] follows then).
        ListAccepted = 40,
        /// An order of a list starts that waited for another one. `reference` is the list, `price_ticks` the limit that it starts
        /// with, `quantity_lots` what is open, `open_lots` its first trigger price (0 without a trigger).
        ListUpdated = 41,
        /// A list ties nothing together any more. `reference` is the list, `order_type` the [`crate::Contingency`], `open_lots` the
        /// client's id of the list (0 when none or text).
        ListDone = 42,
        /// The text id that the client gave the list in the event before; see [`TextEventRecord`].
        ClientListIdText = 43,
        /// The order in the events before waits for approval. `order_type` is how many approvers it needs, `time_in_force` how many
        /// it has (none), `price_ticks` its limit, `quantity_lots` what is open, `reference` when it expires without them;
        /// `amount` and `counter_amount` are the 32 bytes of its hash.
        ApprovalRequired = 48,
        /// An order was approved, by `counter_account`. The other fields as in [`EventKind::ApprovalRequired`].
        OrderApproved = 49,
        /// An order was declined, by `counter_account`. The other fields as in [`EventKind::ApprovalRequired`].
        ApprovalDeclined = 50,
        /// An order has all its approvals: it is checked again, and comes to the market or waits for its trigger.
        OrderReleased = 51,
        /// An account's quotes on an instrument, as they are from now on. `order_id`, `price_ticks` and `quantity_lots` are the bid's,
        /// `counter_order_id`, `reference` (its price) and `open_lots` (its quantity) the ask's; 0 where there is none.
        QuoteAccepted = 56,
        /// So much of an account's quotes has traded that they are cancelled, and no more let in. `order_id` is the quote that traded,
        /// `quantity_lots` and `open_lots` are the lots and fills of the window, `reference` is its end; `order_type` is 1 when it is the
        /// lots that reached their bound, 2 when it is the fills. `instrument` is [`crate::ANY`] when all of them count together.
        QuoteProtectionTriggered = 57,
        /// A session was opened, or found again. `counter_account` is its number, `counter_order_id` its last client sequence. A
        /// [`EventKind::SessionNameText`] follows.
        SessionOpened = 64,
        /// The name of the session in the event before; see [`TextEventRecord`].
        SessionNameText = 65,
        /// A command of this session and client sequence was applied before: this one changed nothing. `reference` is the sequence of
        /// the original, `order_id` the first order id that it gave, `reason` its [`crate::RejectReason`] (0: none); `open_lots` is
        /// the [`crate::CommandKind`], `counter_account` the session and `counter_order_id` the client sequence, as in
        /// [`EventKind::Rejected`].
        CommandRepeated = 66,
        /// A key may be used from now on. `order_type` is the [`crate::KeyKind`], `quantity_lots` the [`crate::KeyPermissions`],
        /// `open_lots` its length; `amount` and `counter_amount` are the 32 bytes of a public key, or of the SHA-256 of a sealed
        /// secret. A [`EventKind::KeyIdText`] follows.
        KeyRegistered = 67,
        /// A key may not be used any more. The other fields as in [`EventKind::KeyRegistered`].
        KeyRevoked = 68,
        /// The id of the key in the event before; see [`TextEventRecord`].
        KeyIdText = 69,
    }
}

codes! {
    /// Why an order closed without trading in full.
    CloseReason: u16 {
        /// Its owner cancelled it.
        CancelledByOwner = 1,
        /// A cancel-all took it, of orders or of quotes.
        CancelledAll = 2,
        /// A cancel-replace put another order in its place.
        Replaced = 3,
        /// Immediate or cancel: what did not trade at once expired.
        ImmediateOrCancel = 10,
        /// Fill or kill: it could not trade whole.
        FillOrKill = 11,
        /// A market order found nothing more within the price band.
        NoLiquidity = 12,
        /// What is left of the quote amount does not buy (or sell) another lot.
        QuoteAmountSpent = 13,
        /// Less than the minimum quantity could trade at once.
        MinimumQuantity = 14,
        /// Its time had come.
        GoodTillDate = 15,
        /// Its trigger fired, but a check refused it then; `open_lots` is the [`crate::RejectReason`].
        RefusedAtTrigger = 16,
        /// Day, or at the close: the session is over.
        DayEnded = 24,
        /// The only auction that it was for is over.
        AuctionEnded = 25,
        /// The instrument expired.
        InstrumentExpired = 26,
        /// Trading stopped before it could trade.
        TradingStopped = 27,
        /// It would only trade at prices at which its auction may not.
        OutsideCollar = 28,
        /// The other order of its pair came to be executed.
        OtherLegExecuted = 30,
        /// Another order of its list ended, and took it along.
        ListClosed = 31,
        /// It waited for another order of its list, but a check refused it when that was filled; `open_lots` is the
        /// [`crate::RejectReason`].
        RefusedAtStart = 32,
        /// The kill switch took it.
        KillSwitch = 35,
        /// A restriction took it that forbids such orders.
        Restricted = 36,
        /// An approver declined it.
        Declined = 37,
        /// It was not approved in time.
        ApprovalExpired = 38,
        /// It was approved, but a check refused it then; `open_lots` is the [`crate::RejectReason`].
        RefusedAtRelease = 39,
        /// A cancel-replace cancelled it, but the order that was to take its place was refused.
        NotReplaced = 40,
        /// A mass quote put another quote in its place, or withdrew it.
        QuoteReplaced = 41,
        /// The protection of its account's quotes was triggered.
        QuoteProtection = 42,
        /// The session by which it came has ended.
        SessionEnded = 45,
    }
}

/// Yes-or-no properties of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventFlags(pub u8);

impl EventFlags {
    /// The last event of its command.
    pub const LAST: Self = Self(1);
    /// The taker is closed by this event.
    pub const TAKER_DONE: Self = Self(2);
    /// The maker is closed by this event.
    pub const MAKER_DONE: Self = Self(4);
    /// The amended order kept its place in the queue.
    pub const KEPT_PRIORITY: Self = Self(8);
    /// The prevented quantity moved between the accounts.
    pub const TRANSFERRED: Self = Self(16);
    /// The trade belongs to an auction: `order_id` is the bid, `counter_order_id` the ask, and both pay as makers.
    pub const AUCTION: Self = Self(32);

    /// This bit when `condition` holds, otherwise none.
    #[inline(always)]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self(0) }
    }

    /// Both sets of bits.
    #[inline(always)]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Whether every bit of `wanted` is set.
    #[inline(always)]
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// An event: 128 bytes, two cache lines. [`EventKind`] says what the fields mean for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EventRecord {
    /// An [`EventKind`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// The shard that applied the command.
    pub shard: u8,
    /// [`EventFlags`].
    pub flags: u8,
    /// The number of this event within its command, from 0.
    pub k: u32,
    /// The command's place in the shard's log, from 1. (shard, sequence, k) names an event for ever.
    pub sequence: u64,
    /// The command's logical time.
    pub time_ns: u64,
    /// The leadership epoch of the log.
    pub epoch: u32,
    /// The instrument; the asset in events about money; [`crate::ANY`] when there is none.
    pub instrument: u32,
    /// The order; in a trade the taker's.
    pub order_id: u64,
    /// The other order; in a trade the maker's.
    pub counter_order_id: u64,
    /// The account; in a trade the taker's.
    pub account: u32,
    /// The other account; in a trade the maker's.
    pub counter_account: u32,
    /// A [`crate::Side`]; in a trade the taker's.
    pub side: u8,
    /// An [`crate::OrderType`].
    pub order_type: u8,
    /// A [`crate::TimeInForce`].
    pub time_in_force: u8,
    /// A [`crate::SelfTradePrevention`].
    pub self_trade_prevention: u8,
    /// A [`crate::RejectReason`] or a [`CloseReason`].
    pub reason: u16,
    /// [`crate::OrderFlags`].
    pub order_flags: u16,
    /// Price in ticks.
    pub price_ticks: i64,
    /// Quantity in lots.
    pub quantity_lots: u64,
    /// What is open afterwards, in lots.
    pub open_lots: u64,
    /// Money in quanta; in a trade the taker's fee.
    pub amount: Wide,
    /// More money in quanta; in a trade the maker's fee.
    pub counter_amount: Wide,
    /// Trade id, client order id, withdrawal id, number of a transfer.
    pub reference: u64,
}

/// A text that belongs to the event before, such as the client order id of its order: the same 128 bytes by other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TextEventRecord {
    /// The 40 bytes that every event starts with, up to and with `order_id`.
    pub head: [u8; 40],
    /// How many bytes count.
    pub length: u64,
    /// The characters.
    pub bytes: [u8; 80],
}

const _: () = assert!(size_of::<EventRecord>() == 128 && size_of::<TextEventRecord>() == 128);

impl EventRecord {
    /// An event of `kind` with every other field zero.
    #[inline(always)]
    pub fn new(kind: EventKind) -> Self {
        Self { kind: kind as u8, schema_version: SCHEMA_VERSION, ..Self::default() }
    }

    /// The hash by which replicas compare what they did: of all bytes but the epoch, which is that of whoever applies, be it
    /// the first time or again. Hashes of several events are summed: each has the event's number in it.
    #[inline]
    pub fn replica_hash(&self) -> crate::HashTotal {
        const KIND: u64 = 0x6576_656e_7473;
        const EPOCH: usize = core::mem::offset_of!(EventRecord, epoch);
        const { assert!(EPOCH.is_multiple_of(8), "the epoch is the lower half of its word") };
        let mut words: [u64; 16] = zerocopy::transmute!(*self);
        words[EPOCH / 8] &= u64::MAX << 32;
        crate::hash::hash_words(KIND, &words)
    }

    /// How an accepted order's rates stand in `open_lots`: taker parts per million in the lower half, maker in the upper.
    #[inline(always)]
    pub const fn pack_rates(rates: crate::FeeRates) -> u64 {
        rates.taker.ppm() as u32 as u64 | (rates.maker.ppm() as u32 as u64) << 32
    }

    /// The rates of an [`EventKind::OrderAccepted`].
    #[inline(always)]
    pub const fn accepted_rates(&self) -> crate::FeeRates {
        crate::FeeRates {
            taker: crate::FeeRate::from_ppm(self.open_lots as u32 as i32),
            maker: crate::FeeRate::from_ppm((self.open_lots >> 32) as u32 as i32),
        }
    }
}
