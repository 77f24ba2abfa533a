//! Quotes: both sides of many instruments in one command, and what protects whoever shows them.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute_ref};

use crate::{
    ANY, AccountId, ClientOrderId, CommandKind, CommandRecord, Decoded, InstrumentId, NewOrder, OrderFlags, OrderType,
    Price, Quantity, RejectReason, SCHEMA_VERSION, SelfTradePrevention, Side, Size, TimeInForce,
};

/// An entry of a mass quote, behind its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QuoteEntryRecord {
    /// [`CommandKind::QuoteEntry`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// Zero.
    pub reserved: u16,
    /// The instrument.
    pub instrument: u32,
    /// The price of the bid.
    pub bid_price_ticks: i64,
    /// What the bid is to have open; zero withdraws it.
    pub bid_lots: u64,
    /// The price of the ask.
    pub ask_price_ticks: i64,
    /// What the ask is to have open; zero withdraws it.
    pub ask_lots: u64,
    /// Zero.
    pub reserved_words: [u64; 3],
}

const _: () = assert!(size_of::<QuoteEntryRecord>() == 64);

impl QuoteEntryRecord {
    /// A record of this entry.
    pub const fn new(entry: &QuoteEntry) -> Self {
        let QuoteEntry { instrument, bid, ask } = entry;
        Self {
            kind: CommandKind::QuoteEntry as u8,
            schema_version: SCHEMA_VERSION,
            reserved: 0,
            instrument: instrument.0,
            bid_price_ticks: bid.0.ticks(),
            bid_lots: bid.1.lots(),
            ask_price_ticks: ask.0.ticks(),
            ask_lots: ask.1.lots(),
            reserved_words: [0; 3],
        }
    }

    /// The entry that it writes, when it is one.
    fn entry(&self) -> Option<QuoteEntry> {
        let is_entry = self.kind == CommandKind::QuoteEntry as u8;
        (is_entry && self.reserved == 0 && self.reserved_words == [0; 3]).then_some(QuoteEntry {
            instrument: InstrumentId(self.instrument),
            bid: (Price::from_ticks(self.bid_price_ticks), Quantity::from_lots(self.bid_lots)),
            ask: (Price::from_ticks(self.ask_price_ticks), Quantity::from_lots(self.ask_lots)),
        })
    }
}

/// What an account wants to quote on an instrument: a price and what is to be open at it. Zero lots withdraw a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteEntry {
    /// Where.
    pub instrument: InstrumentId,
    /// The bid.
    pub bid: (Price, Quantity),
    /// The ask.
    pub ask: (Price, Quantity),
}

/// A mass quote, decoded: its entries are legal in themselves and together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassQuote {
    /// Whose quotes.
    pub account: AccountId,
    /// What happens instead of a trade with oneself.
    pub self_trade_prevention: SelfTradePrevention,
    /// Post-only, or nothing.
    pub flags: OrderFlags,
    /// What it wants where, each instrument once.
    pub entries: Vec<QuoteEntry>,
}

/// A cancel of quotes, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelQuotes {
    /// Whose quotes.
    pub account: AccountId,
    /// On one instrument, or on all.
    pub instrument: Option<InstrumentId>,
}

impl MassQuote {
    /// The most entries that one has.
    pub const ENTRIES_MAX: usize = 128;

    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in the order in which the fields are read.
    pub fn read(records: &[CommandRecord]) -> Decoded<Self> {
        let (first, behind) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
        let self_trade_prevention = SelfTradePrevention::from_code(first.self_trade_prevention)
            .ok_or(RejectReason::InvalidSelfTradePrevention)?;
        let flags = first.flags(OrderFlags::POST_ONLY)?;
        if behind.is_empty() || behind.len() > Self::ENTRIES_MAX {
            return Err(RejectReason::MalformedRecords);
        }
        let entry = |record| {
            let record: &QuoteEntryRecord = transmute_ref!(record);
            record.entry().ok_or(RejectReason::MalformedRecords)
        };
        let entries = behind.iter().map(entry).collect::<Decoded<Vec<QuoteEntry>>>()?;
        let mut named: Vec<InstrumentId> = entries.iter().map(|entry| entry.instrument).collect();
        named.sort_unstable();
        if !named.is_sorted_by(|one, other| one < other) {
            return Err(RejectReason::InstrumentQuotedTwice);
        }
        let crosses =
            |entry: &QuoteEntry| !entry.bid.1.is_zero() && !entry.ask.1.is_zero() && entry.bid.0 >= entry.ask.0;
        if entries.iter().any(crosses) {
            return Err(RejectReason::QuoteCrossesItself);
        }
        Ok(Self { account: AccountId(first.account), self_trade_prevention, flags, entries })
    }

    /// For how many orders a mass quote counts, whether it can be read or not: one for each side with lots.
    pub fn count_orders(records: &[CommandRecord]) -> u32 {
        let sides = |record| {
            let QuoteEntryRecord { kind, bid_lots, ask_lots, .. }: &QuoteEntryRecord = transmute_ref!(record);
            let is_entry = *kind == CommandKind::QuoteEntry as u8;
            u32::from(is_entry && *bid_lots > 0) + u32::from(is_entry && *ask_lots > 0)
        };
        records.iter().skip(1).map(sides).sum()
    }

    /// One side of an entry as the order that it is.
    pub const fn order(&self, instrument: InstrumentId, side: Side, price: Price, open: Quantity) -> NewOrder<'static> {
        NewOrder {
            account: self.account,
            instrument,
            side,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancel,
            self_trade_prevention: self.self_trade_prevention,
            flags: self.flags.with(OrderFlags::QUOTE),
            price,
            size: Size::Lots(open),
            client_order_id: ClientOrderId::Absent,
            conditions_record: None,
        }
    }
}

impl CancelQuotes {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &[CommandRecord]) -> Decoded<Self> {
        let first = &records[0];
        first.flags(OrderFlags::default())?;
        if records.len() > 1 {
            return Err(RejectReason::MalformedRecords);
        }
        let instrument = (first.instrument != ANY).then_some(InstrumentId(first.instrument));
        Ok(Self { account: AccountId(first.account), instrument })
    }
}

/// Whose quotes a protection is for, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtectionScope {
    /// Whose.
    pub account: AccountId,
    /// On one instrument, or on all of them together. One comes before all.
    instrument: InstrumentId,
}

impl ProtectionScope {
    /// The scope that a record names.
    pub const fn of(account: AccountId, instrument: u32) -> Self {
        Self { account, instrument: InstrumentId(instrument) }
    }

    /// The instrument as records and events carry it.
    pub const fn code(self) -> u32 {
        self.instrument.0
    }

    /// The instrument, when it is for one.
    pub const fn instrument(self) -> Option<InstrumentId> {
        if self.instrument.0 == ANY { None } else { Some(self.instrument) }
    }
}

/// How much of an account's quotes may trade in a window. At least one of the bounds is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtectionTerms {
    /// How many lots trigger it; 0 is no bound.
    pub lots_max: u64,
    /// How many fills trigger it; 0 is no bound.
    pub fills_max: u64,
    /// How long a window is.
    pub window_ns: u64,
}

impl ProtectionTerms {
    /// The most fills that a bound may name: together they have less than 2^64 lots.
    pub const FILLS_MAX: u64 = 1 << 20;

    /// The terms with these lots, fills and nanoseconds; none with three zeros.
    ///
    /// # Errors
    /// When they lie out of their ranges, or there is a bound without a window or the other way round.
    pub fn read([lots_max, fills_max, window_ns]: [u64; 3]) -> Decoded<Option<Self>> {
        let is_bounded = lots_max > 0 || fills_max > 0;
        let fits = lots_max <= 1 << 62 && fills_max <= Self::FILLS_MAX && window_ns <= 1 << 62;
        if !fits || is_bounded != (window_ns > 0) {
            return Err(RejectReason::SettingOutOfRange);
        }
        Ok(is_bounded.then_some(Self { lots_max, fills_max, window_ns }))
    }
}
