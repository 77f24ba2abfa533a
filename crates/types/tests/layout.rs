//! The records, byte by byte: ring slot, journal record and numpy row are these. Whoever changes a line here changes a
//! format on disk and needs another schema version.

use core::mem::offset_of;

use tradewright_types::{
    AccountKind, ApprovalBandsRecord, ApprovalHashRecord, AuctionPhase, BreakerRecord, CloseReason, CommandHeader,
    CommandKind, CommandRecord, Contingency, EventFlags, EventKind, EventRecord, InstrumentKind,
    InstrumentLimitsRecord, InstrumentState, InstrumentUnitsRecord, MoneyRecord, NamedRecord, OrderFlags, OrderType,
    Permissions, QuoteEntryRecord, RULESET_VERSION, RejectReason, Restriction, SCHEMA_VERSION, SelfTradePrevention,
    SettingRecord, Side, StateCause, TextEventRecord, TextRecord, TimeInForce, TransferKind, Wide,
};
use zerocopy::{FromBytes, IntoBytes};

/// Compares a record with its table: name, offset and size of each field, and that nothing lies between them.
macro_rules! layout {
    ($test:ident: $record:ident, $size:literal bytes { $($field:ident: $offset:literal + $length:literal,)+ }) => {
        #[test]
        fn $test() {
            fn size_of_field<T>(_: fn(&$record) -> &T) -> usize {
                size_of::<T>()
            }
            assert_eq!((size_of::<$record>(), align_of::<$record>()), ($size, 8.min(align_of::<$record>())));
            let mut end = 0;
            $(
                assert_eq!(offset_of!($record, $field), $offset, stringify!($field));
                assert_eq!(size_of_field(|record| &record.$field), $length, stringify!($field));
                assert_eq!(end, $offset, "nothing lies before {}", stringify!($field));
                end = $offset + $length;
            )+
            assert_eq!(end, $size, "nothing lies behind the last field");
            // Exhaustive: a new field does not compile until it stands in the table.
            let $record { $($field: _,)+ } = $record::read_from_bytes(&[0; $size]).expect("all zero is a record");
        }
    };
}

layout!(command_header: CommandHeader, 24 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    record_count: 2 + 2,
    session: 4 + 4,
    client_sequence: 8 + 8,
    time_ns: 16 + 8,
});

layout!(command_record: CommandRecord, 64 bytes {
    header: 0 + 24,
    account: 24 + 4,
    instrument: 28 + 4,
    side: 32 + 1,
    order_type: 33 + 1,
    time_in_force: 34 + 1,
    self_trade_prevention: 35 + 1,
    flags: 36 + 2,
    reserved: 38 + 2,
    price_ticks: 40 + 8,
    quantity_lots: 48 + 8,
    order_ref: 56 + 8,
});

layout!(text_record: TextRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    length: 2 + 1,
    reserved: 3 + 5,
    bytes: 8 + 56,
});

layout!(named_record: NamedRecord, 64 bytes {
    header: 0 + 24,
    id: 24 + 4,
    attribute: 28 + 1,
    name_length: 29 + 1,
    fee_schedule: 30 + 2,
    name: 32 + 32,
});

layout!(setting_record: SettingRecord, 64 bytes {
    header: 0 + 24,
    account: 24 + 4,
    instrument: 28 + 4,
    scope: 32 + 1,
    tier: 33 + 1,
    fee_schedule: 34 + 2,
    reserved: 36 + 4,
    values: 40 + 24,
});

layout!(money_record: MoneyRecord, 64 bytes {
    header: 0 + 24,
    account: 24 + 4,
    asset: 28 + 4,
    counter_account: 32 + 4,
    transfer_kind: 36 + 1,
    reserved: 37 + 3,
    amount: 40 + 16,
    withdrawal: 56 + 8,
});

layout!(instrument_units_record: InstrumentUnitsRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    reserved: 2 + 6,
    base: 8 + 4,
    quote: 12 + 4,
    quote_quanta_per_tick_lot: 16 + 8,
    base_quanta_per_lot: 24 + 8,
    reserved_values: 32 + 32,
});

layout!(instrument_limits_record: InstrumentLimitsRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    reserved: 2 + 2,
    price_increment_ticks: 4 + 4,
    band_down_ppm: 8 + 4,
    band_up_ppm: 12 + 4,
    quantity_increment_lots: 16 + 8,
    quantity_min_lots: 24 + 8,
    quantity_max_lots: 32 + 8,
    notional_min_quanta: 40 + 8,
    notional_max: 48 + 16,
});

layout!(breaker_record: BreakerRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    velocity_slots: 2 + 2,
    share_ppm: 4 + 4,
    settlement_ticks: 8 + 8,
    velocity_ticks: 16 + 8,
    velocity_slot_ns: 24 + 8,
    pause_ns: 32 + 8,
    closing_ns: 40 + 8,
    closing_pause_ns: 48 + 8,
    reserved: 56 + 8,
});

layout!(approval_bands_record: ApprovalBandsRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    reserved: 2 + 6,
    first: 8 + 16,
    second: 24 + 16,
    third: 40 + 16,
    expiry_ns: 56 + 8,
});

layout!(approval_hash_record: ApprovalHashRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    reserved: 2 + 6,
    hash: 8 + 32,
    reserved_bytes: 40 + 24,
});

layout!(quote_entry_record: QuoteEntryRecord, 64 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    reserved: 2 + 2,
    instrument: 4 + 4,
    bid_price_ticks: 8 + 8,
    bid_lots: 16 + 8,
    ask_price_ticks: 24 + 8,
    ask_lots: 32 + 8,
    reserved_words: 40 + 24,
});

layout!(event_record: EventRecord, 128 bytes {
    kind: 0 + 1,
    schema_version: 1 + 1,
    shard: 2 + 1,
    flags: 3 + 1,
    k: 4 + 4,
    sequence: 8 + 8,
    time_ns: 16 + 8,
    epoch: 24 + 4,
    instrument: 28 + 4,
    order_id: 32 + 8,
    counter_order_id: 40 + 8,
    account: 48 + 4,
    counter_account: 52 + 4,
    side: 56 + 1,
    order_type: 57 + 1,
    time_in_force: 58 + 1,
    self_trade_prevention: 59 + 1,
    reason: 60 + 2,
    order_flags: 62 + 2,
    price_ticks: 64 + 8,
    quantity_lots: 72 + 8,
    open_lots: 80 + 8,
    amount: 88 + 16,
    counter_amount: 104 + 16,
    reference: 120 + 8,
});

layout!(text_event_record: TextEventRecord, 128 bytes {
    head: 0 + 40,
    length: 40 + 8,
    bytes: 48 + 80,
});

layout!(wide: Wide, 16 bytes {
    low: 0 + 8,
    high: 8 + 8,
});

/// Compares codes with names, both ways.
macro_rules! codes {
    ($test:ident: $enum:ident as $int:ty { $($name:ident = $code:literal,)+ }) => {
        #[test]
        fn $test() {
            let known = [$(($code, $enum::$name),)+];
            for (code, value) in known {
                assert_eq!(value as $int, code, stringify!($enum));
            }
            for code in 0..=<$int>::MAX {
                let expected = known.iter().find(|(known, _)| *known == code).map(|(_, value)| *value);
                assert_eq!($enum::from_code(code), expected, "code {code}");
            }
            // Exhaustive: a new value does not compile until it stands in the table.
            match known[0].1 {
                $($enum::$name => {})+
            }
        }
    };
}

codes!(codes_of_command_kind: CommandKind as u8 {
    AdvanceTime = 1,
    AddAsset = 3,
    ListInstrument = 4,
    SetInstrumentLimits = 5,
    SetReferencePrice = 6,
    SetFeeTier = 7,
    OpenAccount = 8,
    SetAccountLimits = 9,
    SetAccountFeeTier = 10,
    SetTradeGroup = 11,
    SetPermissions = 12,
    SetPositionLimit = 13,
    Halt = 14,
    Resume = 15,
    SetMarkPrice = 16,
    SetIndexPrice = 17,
    SetAllocation = 18,
    SetInstrumentState = 19,
    ScheduleInstrumentState = 20,
    SetAuctionTerms = 21,
    SetBreaker = 22,
    SetMarketReference = 23,
    SetMarketLevel = 24,
    Deposit = 32,
    RequestWithdrawal = 33,
    ConfirmWithdrawal = 34,
    CancelWithdrawal = 35,
    Transfer = 36,
    SendTransfer = 37,
    ReceiveTransfer = 38,
    ConfirmTransfer = 39,
    EngageKillSwitch = 40,
    ReleaseKillSwitch = 41,
    SetRestriction = 42,
    SetApprovalBands = 43,
    ApproveOrder = 44,
    DeclineOrder = 45,
    SetLead = 46,
    SetQuoteProtection = 47,
    ResetQuoteProtection = 48,
    SetTop = 49,
    EndSession = 50,
    OpenSession = 51,
    RegisterKey = 52,
    RevokeKey = 53,
    PlaceOrder = 64,
    CancelOrder = 65,
    CancelAll = 66,
    AmendOrder = 67,
    ReplaceOrder = 68,
    PlaceList = 69,
    CancelList = 70,
    MassQuote = 71,
    CancelQuotes = 72,
    Text = 128,
    InstrumentUnits = 129,
    InstrumentLimits = 130,
    Conditions = 131,
    QuoteEntry = 134,
    Breaker = 135,
    ApprovalHash = 133,
    ApprovalBands = 138,
    KeyBytes = 139,
});

codes!(codes_of_event_kind: EventKind as u8 {
    Rejected = 1,
    OrderAccepted = 2,
    Trade = 3,
    MatchPrevented = 4,
    OrderCancelled = 5,
    OrderExpired = 6,
    OrderAmended = 7,
    ClientOrderIdText = 8,
    OrderConditions = 9,
    OrderTriggered = 10,
    OrderDisplay = 11,
    OrderRefreshed = 12,
    OrderRepriced = 13,
    Deposited = 16,
    WithdrawalRequested = 17,
    WithdrawalConfirmed = 18,
    WithdrawalCancelled = 19,
    Transferred = 20,
    TransferSent = 21,
    TransferReceived = 22,
    TransferConfirmed = 23,
    SettingApplied = 24,
    InstrumentStateChanged = 25,
    AuctionIndication = 26,
    AuctionUncrossed = 27,
    BreakerTripped = 28,
    MarketWideLevelReached = 29,
    ListAccepted = 40,
    ListUpdated = 41,
    ListDone = 42,
    ClientListIdText = 43,
    ApprovalRequired = 48,
    OrderApproved = 49,
    ApprovalDeclined = 50,
    OrderReleased = 51,
    QuoteAccepted = 56,
    QuoteProtectionTriggered = 57,
    SessionOpened = 64,
    SessionNameText = 65,
    CommandRepeated = 66,
    KeyRegistered = 67,
    KeyRevoked = 68,
    KeyIdText = 69,
});

codes!(codes_of_close_reason: CloseReason as u16 {
    CancelledByOwner = 1,
    CancelledAll = 2,
    Replaced = 3,
    ImmediateOrCancel = 10,
    FillOrKill = 11,
    NoLiquidity = 12,
    QuoteAmountSpent = 13,
    MinimumQuantity = 14,
    GoodTillDate = 15,
    RefusedAtTrigger = 16,
    DayEnded = 24,
    AuctionEnded = 25,
    InstrumentExpired = 26,
    TradingStopped = 27,
    OutsideCollar = 28,
    OtherLegExecuted = 30,
    ListClosed = 31,
    RefusedAtStart = 32,
    KillSwitch = 35,
    Restricted = 36,
    Declined = 37,
    ApprovalExpired = 38,
    RefusedAtRelease = 39,
    NotReplaced = 40,
    QuoteReplaced = 41,
    QuoteProtection = 42,
    SessionEnded = 45,
});

codes!(codes_of_reject_reason: RejectReason as u16 {
    UnknownCommand = 1,
    UnknownSchemaVersion = 2,
    MalformedRecords = 3,
    Stale = 4,
    SessionKilled = 5,
    ClientSequenceTooOld = 6,
    ClientSequenceGap = 7,
    InvalidSide = 10,
    InvalidOrderType = 11,
    InvalidTimeInForce = 12,
    InvalidSelfTradePrevention = 13,
    InvalidFlags = 14,
    InvalidCombination = 15,
    InvalidClientOrderId = 16,
    InvalidConditions = 17,
    InvalidDisplay = 18,
    InvalidContingency = 19,
    UnknownInstrument = 20,
    VenueHalted = 21,
    InstrumentHalted = 22,
    InstrumentPaused = 23,
    InstrumentCancelOnly = 24,
    InstrumentClosed = 25,
    InstrumentExpired = 26,
    ImmediateInCall = 27,
    UnknownAccount = 30,
    AccountHalted = 31,
    AccountNotPermitted = 32,
    AccountRestricted = 33,
    KillSwitchEngaged = 34,
    UnknownOrder = 35,
    OrderNotAmendable = 36,
    OrderInList = 37,
    OrderWaitsForApproval = 38,
    InstrumentQuotedTwice = 39,
    PriceNotPositive = 40,
    PriceNotOnTick = 41,
    QuantityNotPositive = 42,
    QuantityNotOnLot = 43,
    QuantityBelowMinimum = 44,
    QuantityAboveMaximum = 45,
    NotionalBelowMinimum = 46,
    NotionalAboveMaximum = 47,
    NoReferencePrice = 48,
    PriceOutsideBand = 49,
    QuantityNotAboveExecuted = 50,
    AmendChangesNothing = 51,
    TriggerPriceNotPositive = 52,
    TriggerPriceNotOnTick = 53,
    NoTriggerReference = 54,
    ExpiryNotInFuture = 55,
    NoPegReference = 56,
    PeakNotOnLot = 57,
    PeakAboveQuantity = 58,
    TooManyPeaks = 59,
    MessageRateExceeded = 60,
    OrderRateExceeded = 61,
    DuplicateClientOrderId = 70,
    OpenOrderLimitExceeded = 71,
    PositionLimitExceeded = 72,
    InsufficientFunds = 80,
    PostOnlyWouldTrade = 90,
    WouldTriggerAtOnce = 91,
    ListPricesOutOfOrder = 92,
    LegsDoNotFit = 93,
    DuplicateListId = 94,
    OrderNotNew = 95,
    OrderNotPartiallyFilled = 96,
    RestrictionsExclude = 97,
    QuoteProtectionTriggered = 98,
    QuoteCrossesItself = 99,
    UnknownAsset = 100,
    AmountNotPositive = 101,
    AmountTooLarge = 102,
    SameAccount = 103,
    AccountKindsForbidden = 104,
    UnknownWithdrawal = 105,
    UnknownKey = 106,
    TooManySessions = 107,
    SameShard = 108,
    UnknownTransfer = 109,
    IdNotNext = 110,
    InvalidName = 111,
    NameTaken = 112,
    SettingOutOfRange = 113,
    UnitsNotWhole = 114,
    FeeScheduleNegative = 115,
    BookNotEmpty = 116,
    IllegalStateChange = 117,
    ScheduleNotInFuture = 118,
    OrderNeedsNoApproval = 120,
    ApproverNotIndependent = 121,
    ApproverNotPermitted = 122,
    AlreadyApproved = 123,
    ApprovalHashDiffers = 124,
    OrderNotApprovable = 125,
    AmendmentNeedsApproval = 126,
    RuleHasNoSteps = 127,
    LeadsAboveWhole = 128,
    TooManyLeads = 129,
    TransferAlreadyReceived = 130,
    TransferGap = 131,
});

codes!(codes_of_side: Side as u8 {
    Buy = 0,
    Sell = 1,
});

codes!(codes_of_order_type: OrderType as u8 {
    Limit = 1,
    Market = 2,
});

codes!(codes_of_time_in_force: TimeInForce as u8 {
    GoodTillCancel = 1,
    ImmediateOrCancel = 2,
    FillOrKill = 3,
    GoodTillDate = 4,
    Day = 5,
    AtOpening = 6,
    AtClose = 7,
    GoodForAuction = 8,
});

codes!(codes_of_instrument_state: InstrumentState as u8 {
    Continuous = 0,
    Halted = 1,
    PreOpen = 2,
    Auction = 3,
    Paused = 4,
    CancelOnly = 5,
    Closed = 6,
    Expired = 7,
});

codes!(codes_of_auction_phase: AuctionPhase as u8 {
    None = 0,
    Opening = 1,
    Intraday = 2,
    Closing = 3,
    Volatility = 4,
});

codes!(codes_of_state_cause: StateCause as u8 {
    Command = 1,
    Schedule = 2,
    Halt = 3,
    Resume = 4,
    Breaker = 5,
    MarketWide = 6,
    PauseOver = 7,
    CallOver = 8,
    Extended = 9,
});

codes!(codes_of_self_trade_prevention: SelfTradePrevention as u8 {
    None = 0,
    ExpireTaker = 1,
    ExpireMaker = 2,
    ExpireBoth = 3,
    Decrement = 4,
    Transfer = 5,
});

codes!(codes_of_contingency: Contingency as u8 {
    OneCancelsOther = 1,
    OneTriggersOther = 2,
    OneTriggersPair = 3,
});

codes!(codes_of_instrument_kind: InstrumentKind as u8 {
    Spot = 1,
});

codes!(codes_of_account_kind: AccountKind as u8 {
    Client = 1,
    House = 2,
    Fee = 3,
    Insurance = 4,
});

codes!(codes_of_transfer_kind: TransferKind as u8 {
    Internal = 1,
    FeePayout = 2,
    InsuranceContribution = 3,
    ClientCredit = 4,
});

codes!(codes_of_restriction: Restriction as u8 {
    None = 0,
    SellOnly = 1,
    NoTrading = 2,
});

#[test]
fn bits_and_versions() {
    let order = [
        OrderFlags::POST_ONLY,
        OrderFlags::QUOTE_AMOUNT,
        OrderFlags::BY_CLIENT_ORDER_ID,
        OrderFlags::TEXT_ID,
        OrderFlags::CONDITIONS,
    ];
    assert_eq!(order.map(|flag| flag.0), [1, 2, 4, 8, 16]);
    assert_eq!(OrderFlags::KNOWN, order.into_iter().fold(OrderFlags::default(), OrderFlags::with));
    let event = [
        EventFlags::LAST,
        EventFlags::TAKER_DONE,
        EventFlags::MAKER_DONE,
        EventFlags::KEPT_PRIORITY,
        EventFlags::TRANSFERRED,
        EventFlags::AUCTION,
    ];
    assert_eq!(event.map(|flag| flag.0), [1, 2, 4, 8, 16, 32]);
    let permissions = [Permissions::TRADE, Permissions::WITHDRAW, Permissions::TRANSFER, Permissions::APPROVE];
    assert_eq!(permissions.map(|permission| permission.0), [1, 2, 4, 8]);
    assert_eq!((Permissions::INITIAL.0, Permissions::ALL.0), (7, 15));
    assert_eq!((SCHEMA_VERSION, RULESET_VERSION), (1, 1));
}

#[test]
fn names_are_those_of_the_values() {
    for reason in RejectReason::ALL {
        assert_eq!(reason.name(), format!("{reason:?}"));
        assert_eq!(reason.to_string(), reason.name());
        assert!(reason.sentence().ends_with('.') && !reason.sentence().starts_with(' '), "{reason}");
    }
    assert!(RejectReason::ALL.is_sorted(), "reasons stand in precedence order");
    for kind in CommandKind::ALL {
        assert_eq!(kind.name(), format!("{kind:?}"));
    }
    for kind in EventKind::ALL {
        assert_eq!(kind.name(), format!("{kind:?}"));
    }
    for reason in CloseReason::ALL {
        assert_eq!(reason.name(), format!("{reason:?}"));
    }
}

/// A row as numpy reads it: the offsets are those of a packed little-endian dtype, so no padding is ever written.
#[test]
fn an_event_is_128_little_endian_bytes() {
    let event = EventRecord {
        flags: EventFlags::LAST.0,
        k: 0x0403_0201,
        sequence: 0x0807_0605_0403_0201,
        side: Side::Sell as u8,
        reason: 0x0201,
        price_ticks: -2,
        amount: Wide::from(-(1_i128 << 64)),
        reference: 0x11,
        ..EventRecord::new(EventKind::Trade)
    };
    let bytes = event.as_bytes();
    assert_eq!(bytes.len(), 128);
    assert_eq!(bytes[..16], [3, 1, 0, 1, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(bytes[56..64], [1, 0, 0, 0, 1, 2, 0, 0]);
    assert_eq!(bytes[64..72], [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(bytes[88..96], [0; 8]);
    assert_eq!(bytes[96..104], [0xff; 8]);
    assert_eq!(bytes[120..], [0x11, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(EventRecord::read_from_bytes(bytes).expect("128 bytes are an event"), event);
}

#[test]
fn a_command_is_64_little_endian_bytes() {
    let mut record = CommandRecord::new(CommandKind::PlaceOrder);
    record.header.time_ns = 0x0807_0605_0403_0201;
    (record.account, record.instrument, record.side, record.order_ref) = (5, 6, Side::Sell as u8, 9);
    let bytes = record.as_bytes();
    assert_eq!(bytes.len(), 64);
    assert_eq!(bytes[..4], [64, 1, 1, 0]);
    assert_eq!(bytes[16..24], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(bytes[24..33], [5, 0, 0, 0, 6, 0, 0, 0, 1]);
    assert_eq!(bytes[56..], [9, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn all_other_records_view_the_head_of_a_command() {
    // A text stands behind the head of an event; an event's text behind its order id.
    assert_eq!(offset_of!(TextEventRecord, length), offset_of!(EventRecord, counter_order_id));
    assert_eq!(offset_of!(NamedRecord, header), offset_of!(CommandRecord, header));
    assert_eq!(offset_of!(SettingRecord, account), offset_of!(CommandRecord, account));
    assert_eq!(offset_of!(MoneyRecord, account), offset_of!(CommandRecord, account));
    assert_eq!(offset_of!(CommandHeader, kind), offset_of!(TextRecord, kind));
    assert_eq!(offset_of!(CommandHeader, schema_version), offset_of!(TextRecord, schema_version));
    assert_eq!(offset_of!(InstrumentUnitsRecord, kind), offset_of!(InstrumentLimitsRecord, kind));
}

#[test]
fn rates_are_packed_with_their_signs() {
    use tradewright_types::{FeeRate, FeeRates};
    let rates = FeeRates { taker: FeeRate::from_ppm(1_000_000), maker: FeeRate::from_ppm(-1) };
    let event = EventRecord { open_lots: EventRecord::pack_rates(rates), ..EventRecord::default() };
    assert_eq!(event.open_lots, 0xffff_ffff_000f_4240);
    assert_eq!(event.accepted_rates(), rates);
}
