//! Mass quotes: both sides of many instruments in one command.

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

    const fn entry(&self) -> QuoteEntry {
        QuoteEntry {
            instrument: InstrumentId(self.instrument),
            bid: (Price::from_ticks(self.bid_price_ticks), Quantity::from_lots(self.bid_lots)),
            ask: (Price::from_ticks(self.ask_price_ticks), Quantity::from_lots(self.ask_lots)),
        }
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

/// A mass quote, decoded: entries are legal in themselves.
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
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &[CommandRecord]) -> Decoded<Self> {
        let first = &records[0];
        let self_trade_prevention = SelfTradePrevention::from_code(first.self_trade_prevention)
            .ok_or(RejectReason::InvalidSelfTradePrevention)?;
        if first.flags & !OrderFlags::POST_ONLY.0 != 0 {
            return Err(RejectReason::InvalidFlags);
        }
        let mut entries: Vec<QuoteEntry> = Vec::with_capacity(records.len());
        for record in &records[1..] {
            let record: &QuoteEntryRecord = transmute_ref!(record);
            if record.kind != CommandKind::QuoteEntry as u8 {
                return Err(RejectReason::MalformedRecords);
            }
            entries.push(record.entry());
        }
        if entries.is_empty() {
            return Err(RejectReason::MalformedRecords);
        }
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
        let (account, flags) = (AccountId(first.account), OrderFlags(first.flags));
        Ok(Self { account, self_trade_prevention, flags, entries })
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
        if first.flags != 0 {
            return Err(RejectReason::InvalidFlags);
        }
        if records.len() > 1 {
            return Err(RejectReason::MalformedRecords);
        }
        let instrument = (first.instrument != ANY).then_some(InstrumentId(first.instrument));
        Ok(Self { account: AccountId(first.account), instrument })
    }
}
