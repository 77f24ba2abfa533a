//! Commands: what a record asks for, and how it is read.
//!
//! A command is one record or several; the first one's `record_count` says how many. All records are 64 bytes, one cache
//! line. The plain order is one record. A text client order id, the conditions of an order (triggers, pegs, icebergs, expiry)
//! and the legs of a list are further records behind it, so that the common case stays small in rings and journals.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute_ref};

use crate::{
    ANY, AccountId, Amount, ClientOrderId, Conditions, ConditionsRecord, InstrumentId, KeyMaterial, Label, OrderFlags,
    OrderId, OrderType, Peg, PegKind, Price, Quantity, RejectReason, SCHEMA_VERSION, SelfTradePrevention, Side,
    TimeInForce, Trigger, TriggerKind, Wide,
};

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $code:literal,)+) => {
        /// What a command does. Codes from 128 are records that stand behind another one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum CommandKind {
            $($(#[$doc])+ $name = $code,)+
        }

        impl CommandKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The kind with this code, if this build knows it.
            #[inline(always)]
            pub const fn from_code(code: u8) -> Option<Self> {
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

kinds! {
    /// Lets time pass.
    AdvanceTime = 1,
    /// Adds an asset.
    AddAsset = 3,
    /// Lists an instrument; followed by its units and its limits.
    ListInstrument = 4,
    /// Replaces an instrument's limits; followed by them.
    SetInstrumentLimits = 5,
    /// Sets (or, with price 0, removes) the reference price of an instrument's band.
    SetReferencePrice = 6,
    /// Sets one tier of a fee schedule.
    SetFeeTier = 7,
    /// Opens an account.
    OpenAccount = 8,
    /// Sets an account's limits on open orders and rates.
    SetAccountLimits = 9,
    /// Moves an account to another fee tier.
    SetAccountFeeTier = 10,
    /// Puts an account into a trade group (0 is none). Self-trade prevention treats a group as one account.
    SetTradeGroup = 11,
    /// Sets what an account may do.
    SetPermissions = 12,
    /// Limits an account's position in an instrument.
    SetPositionLimit = 13,
    /// Halts the venue, an instrument or an account.
    Halt = 14,
    /// Ends a halt.
    Resume = 15,
    /// Sets the mark price of an instrument, for the triggers that look at it.
    SetMarkPrice = 16,
    /// Sets the index price of an instrument, for the triggers that look at it.
    SetIndexPrice = 17,
    /// Chooses how an instrument shares what comes in among the orders of one price.
    SetAllocation = 18,
    /// Takes an instrument to another state.
    SetInstrumentState = 19,
    /// Takes an instrument to another state at a time to come.
    ScheduleInstrumentState = 20,
    /// Sets how the auctions of an instrument end.
    SetAuctionTerms = 21,
    /// Sets the circuit breaker of an instrument; followed by its numbers.
    SetBreaker = 22,
    /// Sets (or, with price 0, removes) the close that the market-wide levels refer to, and begins their session.
    SetMarketReference = 23,
    /// Sets the index that the market-wide levels look at.
    SetMarketLevel = 24,
    /// Brings money in.
    Deposit = 32,
    /// Holds money that is to leave.
    RequestWithdrawal = 33,
    /// The held money has left.
    ConfirmWithdrawal = 34,
    /// The held money stays.
    CancelWithdrawal = 35,
    /// Moves money between accounts.
    Transfer = 36,
    /// Sends money of an account to another shard.
    SendTransfer = 37,
    /// Takes in what another shard sent.
    ReceiveTransfer = 38,
    /// What was sent has been taken in.
    ConfirmTransfer = 39,
    /// Cancels every order of an account or a trade group, and lets no more in.
    EngageKillSwitch = 40,
    /// Ends that.
    ReleaseKillSwitch = 41,
    /// Restricts what an account or a trade group may do on an instrument.
    SetRestriction = 42,
    /// Sets above which worth the orders on an instrument or of an account need approvers; followed by the bands.
    SetApprovalBands = 43,
    /// Approves an order that waits for it; followed by its hash.
    ApproveOrder = 44,
    /// Declines an order that waits for approval.
    DeclineOrder = 45,
    /// Sets which part an account gets as a lead market maker of an instrument.
    SetLead = 46,
    /// Sets how much of an account's quotes may trade in a time before they are cancelled.
    SetQuoteProtection = 47,
    /// Lets an account quote again whose protection was triggered.
    ResetQuoteProtection = 48,
    /// Sets the privilege of the order that bettered the market.
    SetTop = 49,
    /// Cancels every order that came by a session: its connection is gone.
    EndSession = 50,
    /// Opens a session of an account, or finds it again; followed by its name.
    OpenSession = 51,
    /// Registers a key; followed by its id and its bytes.
    RegisterKey = 52,
    /// Revokes a key; followed by its id.
    RevokeKey = 53,
    /// Places an order.
    PlaceOrder = 64,
    /// Cancels an order.
    CancelOrder = 65,
    /// Cancels an account's orders, on all instruments and sides or on one.
    CancelAll = 66,
    /// Changes price or total quantity of an order.
    AmendOrder = 67,
    /// Cancels an order and places another in one step; followed by the new order.
    ReplaceOrder = 68,
    /// Places a list of orders that depend on each other; followed by them.
    PlaceList = 69,
    /// Cancels a list of orders.
    CancelList = 70,
    /// Replaces an account's quotes, both sides on many instruments; followed by an entry for each.
    MassQuote = 71,
    /// Cancels an account's quotes, on all instruments or on one.
    CancelQuotes = 72,
    /// A text client order id, or a name; belongs to the record before it.
    Text = 128,
    /// An instrument's units.
    InstrumentUnits = 129,
    /// An instrument's limits.
    InstrumentLimits = 130,
    /// The conditions of the order before it.
    Conditions = 131,
    /// An entry of the mass quote before it.
    QuoteEntry = 134,
    /// An instrument's circuit breaker.
    Breaker = 135,
    /// The hash of the order that is approved.
    ApprovalHash = 133,
    /// Approval bands.
    ApprovalBands = 138,
    /// The bytes of the key before it, laid out as a text.
    KeyBytes = 139,
}

impl CommandKind {
    /// Whether this is a record that stands behind another one.
    #[inline(always)]
    pub const fn is_continuation(self) -> bool {
        self as u8 >= Self::Text as u8
    }

    /// Whether this is a message of a trader about its orders: these are counted against the message rate.
    #[inline(always)]
    pub const fn is_order_entry(self) -> bool {
        let code = self as u8;
        code >= Self::PlaceOrder as u8 && code <= Self::CancelQuotes as u8
    }

    /// Whether the kill switch of its session refuses it: it brings orders in, or changes them.
    pub const fn needs_living_session(self) -> bool {
        matches!(self, Self::PlaceOrder | Self::AmendOrder | Self::ReplaceOrder | Self::PlaceList | Self::MassQuote)
    }
}

/// The first 24 bytes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CommandHeader {
    /// A [`CommandKind`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// How many records the command has, this one included.
    pub record_count: u16,
    /// Whose retries are recognised together, when it was opened; 0 is the venue itself.
    pub session: u32,
    /// The session's own number of this command, without gaps from 1; 0 is none.
    pub client_sequence: u64,
    /// Logical time in nanoseconds. Never goes back.
    pub time_ns: u64,
}

impl CommandHeader {
    /// The header of a command of one record, with time 0 and no session.
    pub const fn new(kind: CommandKind) -> Self {
        Self {
            kind: kind as u8,
            schema_version: SCHEMA_VERSION,
            record_count: 1,
            session: 0,
            client_sequence: 0,
            time_ns: 0,
        }
    }
}

/// A record as order commands read it; other commands view the same 64 bytes by their own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CommandRecord {
    /// What, when and whose.
    pub header: CommandHeader,
    /// The account that acts.
    pub account: u32,
    /// The instrument. Cancel, amend and replace find it by the order and ignore this. [`ANY`] in a cancel-all.
    pub instrument: u32,
    /// A [`Side`]; 255 is both in a cancel-all.
    pub side: u8,
    /// An [`OrderType`].
    pub order_type: u8,
    /// A [`TimeInForce`].
    pub time_in_force: u8,
    /// A [`SelfTradePrevention`].
    pub self_trade_prevention: u8,
    /// [`OrderFlags`].
    pub flags: u16,
    /// Zero.
    pub reserved: u16,
    /// Limit price. Zero for a market order. With [`OrderFlags::QUOTE_AMOUNT`] the lower half of the amount.
    pub price_ticks: i64,
    /// Quantity; the new total in an amend. With [`OrderFlags::QUOTE_AMOUNT`] the upper half of the amount.
    pub quantity_lots: u64,
    /// The client order id of a new order (0: none); otherwise the order that is meant.
    pub order_ref: u64,
}

/// A text that belongs to the record before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TextRecord {
    /// [`CommandKind::Text`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// How many bytes count.
    pub length: u8,
    /// Zero.
    pub reserved: [u8; 5],
    /// The characters.
    pub bytes: [u8; 56],
}

const _: () = assert!(size_of::<CommandRecord>() == 64 && size_of::<TextRecord>() == 64);

impl TextRecord {
    /// The bytes that count, when the record is of this kind and has as many as it says.
    ///
    /// # Errors
    /// [`RejectReason::MalformedRecords`] for another kind, and for a length beyond the record.
    pub(crate) fn bytes_of(&self, kind: CommandKind) -> Decoded<&[u8]> {
        let bytes = self.bytes.get(..usize::from(self.length)).filter(|_| self.kind == kind as u8);
        bytes.ok_or(RejectReason::MalformedRecords)
    }

    /// The client order id that it writes.
    fn client_order_id(&self) -> Decoded<ClientOrderId<'_>> {
        let text = self.bytes.get(..usize::from(self.length));
        text.and_then(ClientOrderId::parse).ok_or(RejectReason::InvalidClientOrderId)
    }
}

/// The side code that stands for both in a cancel-all.
const BOTH_SIDES: u8 = 255;

/// How much an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many lots.
    Lots(Quantity),
    /// As many lots as this much of the quote asset gives.
    QuoteAmount(Amount),
}

/// A new order, decoded: fields are legal in themselves and fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder<'r> {
    /// Who sends it.
    pub account: AccountId,
    /// On which instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit or market.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// What happens instead of a trade with oneself.
    pub self_trade_prevention: SelfTradePrevention,
    /// Post-only and the like.
    pub flags: OrderFlags,
    /// The limit; zero for a market order.
    pub price: Price,
    /// How much.
    pub size: Size,
    /// The client's own id.
    pub client_order_id: ClientOrderId<'r>,
    /// Its conditions, if it has any: see [`NewOrder::conditions`].
    pub conditions_record: Option<&'r ConditionsRecord>,
}

/// Which of the account's open orders is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'r> {
    /// The engine's id.
    Order(OrderId),
    /// The client's id.
    Client(ClientOrderId<'r>),
}

/// A cancel, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel<'r> {
    /// Whose order.
    pub account: AccountId,
    /// Which one.
    pub target: Target<'r>,
}

/// A cancel-all, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelAll {
    /// Whose orders.
    pub account: AccountId,
    /// On one instrument, or on all.
    pub instrument: Option<InstrumentId>,
    /// On one side, or on both.
    pub side: Option<Side>,
}

/// A cancel-replace, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replace<'r> {
    /// The order that goes.
    pub target: Target<'r>,
    /// The order that comes.
    pub order: NewOrder<'r>,
    /// [`OrderFlags::ALLOW_FAILURE`] and the like.
    pub modes: OrderFlags,
    /// The record of the order that comes.
    pub order_record: &'r CommandRecord,
}

/// An amendment, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend<'r> {
    /// Whose order.
    pub account: AccountId,
    /// Which one.
    pub target: Target<'r>,
    /// The new price.
    pub price: Price,
    /// The new total quantity.
    pub quantity: Quantity,
    /// The new client order id; absent when it keeps the one that it has.
    pub client_order_id: ClientOrderId<'r>,
    /// The new trigger, of which the price may differ from the one that the order has.
    pub trigger: Option<Trigger>,
}

/// What reading a record gives.
pub type Decoded<T> = Result<T, RejectReason>;

impl CommandRecord {
    /// An empty record of this kind.
    pub const fn new(kind: CommandKind) -> Self {
        Self {
            header: CommandHeader::new(kind),
            account: 0,
            instrument: 0,
            side: 0,
            order_type: 0,
            time_in_force: 0,
            self_trade_prevention: 0,
            flags: 0,
            reserved: 0,
            price_ticks: 0,
            quantity_lots: 0,
            order_ref: 0,
        }
    }

    /// The quote amount that stands where price and quantity otherwise do.
    #[inline]
    pub const fn quote_amount(&self) -> Amount {
        Amount::from_quanta(Wide { low: self.price_ticks as u64, high: self.quantity_lots as i64 }.get())
    }

    /// Puts a quote amount where price and quantity otherwise stand.
    pub fn set_quote_amount(&mut self, amount: Amount) {
        let wide = Wide::from(amount);
        self.price_ticks = wide.low as i64;
        self.quantity_lots = wide.high as u64;
    }

    /// The records of the first command in `stream`, and what follows it. A count that cannot be is taken as far as the
    /// stream goes; decoding then refuses the command.
    #[inline(always)]
    pub fn split_command(stream: &[Self]) -> (&[Self], &[Self]) {
        match stream {
            [first, ..] if first.header.record_count > 1 => {
                stream.split_at(usize::from(first.header.record_count).min(stream.len()))
            }
            [] => (stream, stream),
            [_, ..] => stream.split_at(1),
        }
    }

    /// A text record for `id`, when it needs one.
    pub fn text(id: &ClientOrderId<'_>) -> Option<Self> {
        let ClientOrderId::Text(text) = id else { return None };
        Some(Self::bytes_record(CommandKind::Text, text))
    }

    /// A record that names a session or a key.
    pub fn label(label: &Label) -> Self {
        Self::bytes_record(CommandKind::Text, label.as_bytes())
    }

    /// The records of a key's bytes.
    pub fn key_bytes(key: &KeyMaterial) -> impl Iterator<Item = Self> + '_ {
        key.as_bytes().chunks(Label::LENGTH_MAX).map(|part| Self::bytes_record(CommandKind::KeyBytes, part))
    }

    fn bytes_record(kind: CommandKind, part: &[u8]) -> Self {
        let mut record = TextRecord {
            kind: kind as u8,
            schema_version: SCHEMA_VERSION,
            length: part.len() as u8,
            reserved: [0; 5],
            bytes: [0; 56],
        };
        record.bytes[..part.len()].copy_from_slice(part);
        zerocopy::transmute!(record)
    }

    #[inline(always)]
    pub(crate) fn flags(&self, allowed: OrderFlags) -> Decoded<OrderFlags> {
        if self.flags & !allowed.0 == 0 { Ok(OrderFlags(self.flags)) } else { Err(RejectReason::InvalidFlags) }
    }

    /// Reads `order_ref`, or the text record behind this one, and returns the records that follow.
    #[inline(always)]
    pub(crate) fn client_order_id<'r>(&self, rest: &'r [Self]) -> Decoded<(ClientOrderId<'r>, &'r [Self])> {
        if self.flags & OrderFlags::TEXT_ID.0 == 0 {
            return Ok((ClientOrderId::from_number(self.order_ref), rest));
        }
        let (first, rest) = rest.split_first().ok_or(RejectReason::MalformedRecords)?;
        let record: &TextRecord = transmute_ref!(first);
        if record.kind != CommandKind::Text as u8 || self.order_ref != 0 {
            return Err(RejectReason::MalformedRecords);
        }
        match record.client_order_id()? {
            id @ ClientOrderId::Text(_) => Ok((id, rest)),
            ClientOrderId::Absent | ClientOrderId::Number(_) => Err(RejectReason::InvalidClientOrderId),
        }
    }

    #[inline(always)]
    pub(crate) fn target<'r>(&self, rest: &'r [Self]) -> Decoded<(Target<'r>, &'r [Self])> {
        self.target_with(rest, OrderFlags::default())
    }

    /// Reads which order is meant, from a record that may have `more` flags.
    #[inline(always)]
    fn target_with<'r>(&self, rest: &'r [Self], more: OrderFlags) -> Decoded<(Target<'r>, &'r [Self])> {
        let flags = self.flags(OrderFlags::BY_CLIENT_ORDER_ID.with(OrderFlags::TEXT_ID).with(more))?;
        if flags.has(OrderFlags::BY_CLIENT_ORDER_ID) {
            let (id, rest) = self.client_order_id(rest)?;
            Ok((Target::Client(id), rest))
        } else if flags.has(OrderFlags::TEXT_ID) {
            Err(RejectReason::InvalidFlags)
        } else {
            Ok((Target::Order(OrderId(self.order_ref)), rest))
        }
    }
}

impl<'r> NewOrder<'r> {
    /// Reads a new order from its records and returns those that follow.
    #[inline(always)]
    pub(crate) fn decode(records: &'r [CommandRecord]) -> Decoded<(Self, &'r [CommandRecord])> {
        let (record, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
        let side = Side::from_code(record.side).ok_or(RejectReason::InvalidSide)?;
        let order_type = OrderType::from_code(record.order_type).ok_or(RejectReason::InvalidOrderType)?;
        let time_in_force = TimeInForce::from_code(record.time_in_force).ok_or(RejectReason::InvalidTimeInForce)?;
        let self_trade_prevention = SelfTradePrevention::from_code(record.self_trade_prevention)
            .ok_or(RejectReason::InvalidSelfTradePrevention)?;
        let allowed = OrderFlags::POST_ONLY.with(OrderFlags::QUOTE_AMOUNT).with(OrderFlags::TEXT_ID);
        let flags = record.flags(allowed.with(OrderFlags::CONDITIONS))?;
        let (price, size) = if flags.has(OrderFlags::QUOTE_AMOUNT) {
            (Price::default(), Size::QuoteAmount(record.quote_amount()))
        } else {
            (Price::from_ticks(record.price_ticks), Size::Lots(Quantity::from_lots(record.quantity_lots)))
        };
        let order = Self {
            account: AccountId(record.account),
            instrument: InstrumentId(record.instrument),
            side,
            order_type,
            time_in_force,
            self_trade_prevention,
            flags,
            price,
            size,
            client_order_id: ClientOrderId::Absent,
            conditions_record: None,
        };
        if !order.is_consistent() {
            return Err(RejectReason::InvalidCombination);
        }
        let (client_order_id, rest) = record.client_order_id(rest)?;
        let order = Self { client_order_id, ..order };
        if flags.has(OrderFlags::CONDITIONS) {
            return order.decode_conditions(rest);
        }
        if time_in_force == TimeInForce::GoodTillDate {
            return Err(RejectReason::InvalidCombination);
        }
        Ok((order, rest))
    }

    /// Reads the conditions of an order that has the flag.
    #[cold]
    #[inline(never)]
    fn decode_conditions(self, records: &'r [CommandRecord]) -> Decoded<(Self, &'r [CommandRecord])> {
        let (first, rest) = records.split_first().ok_or(RejectReason::MalformedRecords)?;
        let record: &ConditionsRecord = transmute_ref!(first);
        if record.kind != CommandKind::Conditions as u8 {
            return Err(RejectReason::MalformedRecords);
        }
        record.conditions()?;
        let order = Self { conditions_record: Some(record), ..self };
        if !order.has_fitting_conditions() {
            return Err(RejectReason::InvalidCombination);
        }
        if order.may_be_displayed_so() { Ok((order, rest)) } else { Err(RejectReason::InvalidDisplay) }
    }

    /// What must happen first, and when it leaves by itself.
    #[inline(always)]
    pub fn conditions(&self) -> Conditions {
        let read = |record: &ConditionsRecord| record.conditions().expect("Invariant: the order was read");
        self.conditions_record.map_or(Conditions::default(), read)
    }

    /// Whether there are any conditions, and they fit to the order.
    fn has_fitting_conditions(&self) -> bool {
        let Conditions { trigger, expire_time_ns, minimum, iceberg, hidden, peg } = self.conditions();
        let is_dated = self.time_in_force == TimeInForce::GoodTillDate;
        let minimum_fits = match self.size {
            _ if minimum.is_zero() => true,
            Size::Lots(quantity) => self.time_in_force == TimeInForce::ImmediateOrCancel && minimum <= quantity,
            Size::QuoteAmount(_) => false,
        };
        let trigger_fits = trigger.is_none_or(|trigger| {
            matches!(self.size, Size::Lots(_))
                && !self.flags.has(OrderFlags::POST_ONLY)
                && !self.time_in_force.is_for_auction()
                && (trigger.trail.is_none() || trigger.kind == TriggerKind::StopLoss)
        });
        let has_any = trigger.is_some()
            || expire_time_ns != 0
            || !minimum.is_zero()
            || iceberg.is_some()
            || hidden
            || peg.is_some();
        is_dated == (expire_time_ns != 0) && minimum_fits && trigger_fits && has_any
    }

    /// Whether an order that is hidden, shows itself by parts or is pegged is one that can stand on the book, and what it says of
    /// that goes together.
    fn may_be_displayed_so(&self) -> bool {
        let Conditions { trigger, iceberg, hidden, peg, .. } = self.conditions();
        if iceberg.is_none() && !hidden && peg.is_none() {
            return true;
        }
        let peg_fits = peg.is_none_or(|Peg { kind, is_fixed, offset: _ }| {
            let fixed_fits = self.price == Price::default()
                && match kind {
                    PegKind::Primary => true,
                    PegKind::Market => !self.flags.has(OrderFlags::POST_ONLY),
                    PegKind::Midpoint => false,
                };
            trigger.is_none() && if is_fixed { fixed_fits } else { iceberg.is_none() }
        });
        let rests = self.order_type == OrderType::Limit && self.time_in_force.rests();
        let rests = rests && !self.time_in_force.is_for_auction();
        rests && !(hidden && iceberg.is_some()) && peg_fits
    }

    /// Whether type, time in force, flags and prevention mode fit together.
    #[inline(always)]
    fn is_consistent(&self) -> bool {
        use SelfTradePrevention::{Decrement, Transfer};
        match (self.order_type, self.size) {
            (OrderType::Limit, Size::QuoteAmount(_)) => false,
            (OrderType::Limit, Size::Lots(_)) => {
                let in_force = self.time_in_force;
                !self.flags.has(OrderFlags::POST_ONLY) || in_force.rests() && !in_force.is_for_auction()
            }
            (OrderType::Market, Size::Lots(_)) => {
                (!self.time_in_force.rests() || self.time_in_force.is_for_auction())
                    && !self.flags.has(OrderFlags::POST_ONLY)
                    && self.price == Price::default()
            }
            // Decrementing needs an open quantity on both sides; an amount has none.
            (OrderType::Market, Size::QuoteAmount(_)) => {
                self.time_in_force == TimeInForce::ImmediateOrCancel
                    && !self.flags.has(OrderFlags::POST_ONLY)
                    && !matches!(self.self_trade_prevention, Decrement | Transfer)
            }
        }
    }
}

/// The first four bytes of a command of one record.
const fn envelope_of_one(kind: CommandKind) -> u32 {
    u32::from_le_bytes([kind as u8, SCHEMA_VERSION, 1, 0])
}

const PLACE_ORDER: u32 = envelope_of_one(CommandKind::PlaceOrder);
const CANCEL_ORDER: u32 = envelope_of_one(CommandKind::CancelOrder);

/// Reads the envelope of a command: what it is, and whether its records are all there.
///
/// # Errors
/// The envelope's reasons, in precedence order.
#[inline(always)]
pub fn read_envelope(records: &[CommandRecord]) -> Decoded<CommandKind> {
    if let [CommandRecord { header, .. }] = records {
        // The two that are nearly all, by one comparison.
        let [low, high] = header.record_count.to_le_bytes();
        match u32::from_le_bytes([header.kind, header.schema_version, low, high]) {
            PLACE_ORDER => return Ok(CommandKind::PlaceOrder),
            CANCEL_ORDER => return Ok(CommandKind::CancelOrder),
            _ => {}
        }
    }
    read_any_envelope(records)
}

#[inline(never)]
fn read_any_envelope(records: &[CommandRecord]) -> Decoded<CommandKind> {
    let first = records.first().ok_or(RejectReason::MalformedRecords)?;
    let kind = CommandKind::from_code(first.header.kind).ok_or(RejectReason::UnknownCommand)?;
    if kind.is_continuation() {
        return Err(RejectReason::UnknownCommand);
    }
    if first.header.schema_version != SCHEMA_VERSION {
        return Err(RejectReason::UnknownSchemaVersion);
    }
    if usize::from(first.header.record_count) != records.len() {
        return Err(RejectReason::MalformedRecords);
    }
    Ok(kind)
}

#[inline(always)]
pub(crate) fn ensure_read(rest: &[CommandRecord]) -> Decoded<()> {
    if rest.is_empty() { Ok(()) } else { Err(RejectReason::MalformedRecords) }
}

impl<'r> NewOrder<'r> {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    #[inline(always)]
    pub fn read(records: &'r [CommandRecord]) -> Decoded<Self> {
        let (order, rest) = Self::decode(records)?;
        ensure_read(rest)?;
        Ok(order)
    }
}

impl NewOrder<'_> {
    /// Reads the order that nearly all are: a limit order by quantity, good till cancel, without flags, in one record. `None`
    /// for any other, and for one that is not legal: [`NewOrder::read`] then tells.
    ///
    /// One comparison stands for the checks of the fields; and what follows is compiled for such an order alone.
    #[inline(always)]
    pub fn read_plain(records: &[CommandRecord]) -> Option<Self> {
        const SHAPE: u64 = shape([0, OrderType::Limit as u8, TimeInForce::GoodTillCancel as u8, 0]);
        const FREE: u64 = shape([1, 0, 0, 7]);
        let [record] = records else { return None };
        let CommandRecord { side, order_type, time_in_force, self_trade_prevention, flags, reserved, .. } = *record;
        let shape = shape([side, order_type, time_in_force, self_trade_prevention])
            | u64::from(flags) << 32
            | u64::from(reserved) << 48;
        if shape & !FREE != SHAPE {
            return None;
        }
        Some(Self {
            account: AccountId(record.account),
            instrument: InstrumentId(record.instrument),
            side: if side == Side::Buy as u8 { Side::Buy } else { Side::Sell },
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancel,
            self_trade_prevention: SelfTradePrevention::from_code(self_trade_prevention)?,
            flags: OrderFlags::default(),
            price: Price::from_ticks(record.price_ticks),
            size: Size::Lots(Quantity::from_lots(record.quantity_lots)),
            client_order_id: ClientOrderId::from_number(record.order_ref),
            conditions_record: None,
        })
    }
}

/// The bytes from a record's side on, as one number.
#[inline(always)]
const fn shape([side, order_type, time_in_force, self_trade_prevention]: [u8; 4]) -> u64 {
    u64::from_le_bytes([side, order_type, time_in_force, self_trade_prevention, 0, 0, 0, 0])
}

impl Cancel<'_> {
    /// Reads the cancel that nearly all are: by the engine's order id, in one record. `None` for any other, and for one that is
    /// not legal: [`Cancel::read`] then tells.
    #[inline(always)]
    pub fn read_plain(records: &[CommandRecord]) -> Option<Self> {
        match records {
            [CommandRecord { flags: 0, account, order_ref, .. }] => {
                Some(Self { account: AccountId(*account), target: Target::Order(OrderId(*order_ref)) })
            }
            _ => None,
        }
    }
}

impl<'r> Cancel<'r> {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    #[inline(always)]
    pub fn read(records: &'r [CommandRecord]) -> Decoded<Self> {
        let (target, rest) = records[0].target(&records[1..])?;
        ensure_read(rest)?;
        Ok(Self { account: AccountId(records[0].account), target })
    }
}

impl CancelAll {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &[CommandRecord]) -> Decoded<Self> {
        let first = &records[0];
        let side = match first.side {
            BOTH_SIDES => None,
            code => Some(Side::from_code(code).ok_or(RejectReason::InvalidSide)?),
        };
        first.flags(OrderFlags::default())?;
        ensure_read(&records[1..])?;
        let instrument = (first.instrument != ANY).then_some(InstrumentId(first.instrument));
        Ok(Self { account: AccountId(first.account), instrument, side })
    }
}

impl<'r> Amend<'r> {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &'r [CommandRecord]) -> Decoded<Self> {
        let first = &records[0];
        let (target, rest) = first.target(&records[1..])?;
        let (client_order_id, rest) = match rest.split_first() {
            Some((record, behind)) if record.header.kind == CommandKind::Text as u8 => {
                let record: &TextRecord = transmute_ref!(record);
                (record.client_order_id()?, behind)
            }
            Some(_) | None => (ClientOrderId::Absent, rest),
        };
        let (trigger, rest) = match rest.split_first() {
            Some((record, behind)) if record.header.kind == CommandKind::Conditions as u8 => {
                let record: &ConditionsRecord = transmute_ref!(record);
                (Some(record.conditions()?.trigger.ok_or(RejectReason::InvalidCombination)?), behind)
            }
            Some(_) | None => (None, rest),
        };
        ensure_read(rest)?;
        let (price, quantity) = (Price::from_ticks(first.price_ticks), Quantity::from_lots(first.quantity_lots));
        Ok(Self { account: AccountId(first.account), target, price, quantity, client_order_id, trigger })
    }
}

/// What only a replacement may say.
const REPLACE_MODES: OrderFlags = OrderFlags::ALLOW_FAILURE
    .with(OrderFlags::CANCEL_ONLY)
    .with(OrderFlags::ONLY_NEW)
    .with(OrderFlags::ONLY_PARTIALLY_FILLED);

impl<'r> Replace<'r> {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &'r [CommandRecord]) -> Decoded<Self> {
        let first = &records[0];
        let (target, rest) = first.target_with(&records[1..], REPLACE_MODES)?;
        let modes = OrderFlags(first.flags & REPLACE_MODES.0);
        if modes.has(OrderFlags::ONLY_NEW.with(OrderFlags::ONLY_PARTIALLY_FILLED)) {
            return Err(RejectReason::RestrictionsExclude);
        }
        let order_record = rest.first().ok_or(RejectReason::MalformedRecords)?;
        if order_record.header.kind != CommandKind::PlaceOrder as u8 || order_record.account != first.account {
            return Err(RejectReason::MalformedRecords);
        }
        let (order, rest) = NewOrder::decode(rest)?;
        ensure_read(rest)?;
        Ok(Self { target, order, modes, order_record })
    }
}
