//! The open orders: the slab, and the ways to find an order in it.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_book::{Order, Orders, Slot};
use tradewright_types::{
    AccountId, ClientOrderId, Conditions, FeeRate, FeeRates, HashTotal, InstrumentId, ListId, NewOrder, OrderFlags,
    OrderId, OrderType, Peg, Price, Quantity, RoundedFee, SelfTradePrevention, SessionId, Side, Size, TimeInForce,
    Trigger,
};

use crate::approvals::Approval;
use crate::chains::Chains;
use crate::lists::Lists;
use crate::quotes::Quotes;
use crate::timers::{Timer, Timers};

/// What a fill needs to know of a resting order: the second half of its cache line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Its places in the chains, which [`OpenOrders::insert`] fills in.
    pub(crate) links: Links,
    pub(crate) instrument: InstrumentId,
    pub(crate) maker_rate: FeeRate,
    /// The rounding of the maker fees posted so far.
    pub(crate) maker_fee: RoundedFee,
    pub(crate) side: Side,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    pub(crate) flags: OrderFlags,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            links: Links::default(),
            instrument: InstrumentId(0),
            maker_rate: FeeRate::default(),
            maker_fee: RoundedFee::default(),
            side: Side::Buy,
            self_trade_prevention: SelfTradePrevention::None,
            flags: OrderFlags::default(),
        }
    }
}

const _: () = assert!(size_of::<Order<Terms>>() == 64, "an open order is one cache line");

/// How an open order is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    /// The client order id as a number, or the hash of its text; 0 is none.
    pub(crate) client_key: u64,
    next_by_id: Slot,
    next_by_client: Slot,
}

impl Default for Links {
    fn default() -> Self {
        Self { client_key: 0, next_by_id: Slot::NONE, next_by_client: Slot::NONE }
    }
}

/// What only amendments, prevention and snapshots need to know of a resting order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    /// The total quantity.
    pub(crate) total: Quantity,
    /// What self-trade prevention took.
    pub(crate) prevented: Quantity,
    /// When it came to its place: lower is earlier.
    pub(crate) priority: u64,
    pub(crate) taker_rate: FeeRate,
    /// The rounding of the taker fees posted so far.
    pub(crate) taker_fee: RoundedFee,
}

/// Where an open order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Station {
    /// On the book of its market.
    Book = 0,
    /// In a trigger book, until its price comes.
    Trigger = 1,
    /// In the book of hidden orders.
    Hidden = 2,
    /// In a book of following pegs; outside it while there is nothing to refer to.
    Peg = 3,
    /// Beside the book: until its auction comes, or as a market order in a call.
    Auction = 4,
    /// Nowhere yet: it starts when another order of its list is filled.
    Pending = 5,
    /// Nowhere: it waits for approval.
    Approval = 6,
}

/// A book of a market in which orders stand at the prices at which they trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// The displayed one.
    Book,
    /// That of hidden orders with prices of their own.
    Hidden,
    /// That of displayed following pegs.
    Pegs,
    /// That of hidden following pegs.
    HiddenPegs,
}

impl Shelf {
    /// That of an order at this station with these conditions.
    pub(crate) const fn of(station: Station, conditions: &Conditions) -> Self {
        match station {
            Station::Book | Station::Trigger | Station::Auction | Station::Pending | Station::Approval => Self::Book,
            Station::Hidden => Self::Hidden,
            Station::Peg if conditions.hidden => Self::HiddenPegs,
            Station::Peg => Self::Pegs,
        }
    }
}

impl Station {
    /// Where an order with these conditions stands when it has come to the market.
    pub(crate) const fn at_market(conditions: &Conditions) -> Self {
        match conditions.peg {
            Some(Peg { is_fixed: false, .. }) => Self::Peg,
            Some(_) | None if conditions.hidden => Self::Hidden,
            Some(_) | None => Self::Book,
        }
    }

    /// The order's flags for standing here.
    pub(crate) const fn flags(self, flags: OrderFlags) -> OrderFlags {
        match self {
            Self::Book => flags.without(OrderFlags::WAITING),
            Self::Trigger | Self::Hidden | Self::Peg | Self::Auction | Self::Pending | Self::Approval => {
                flags.with(OrderFlags::WAITING)
            }
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Book),
            1 => Some(Self::Trigger),
            2 => Some(Self::Hidden),
            3 => Some(Self::Peg),
            4 => Some(Self::Auction),
            5 => Some(Self::Pending),
            6 => Some(Self::Approval),
            _ => None,
        }
    }
}

/// What the engine needs to know of an open order that has conditions, or is tied to others in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditional {
    /// Its limit while it waits: its own, or of a market order the worst price that is held for.
    pub(crate) limit: Price,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    /// Where it stands: with [`OrderFlags::WAITING`] anywhere but on the book.
    pub(crate) station: Station,
    /// Its conditions; a trigger that fired is gone.
    pub(crate) conditions: Conditions,
    /// What an iceberg has open and does not show; zero while it waits.
    pub(crate) reserve: Quantity,
    /// The state of the generator of its peaks.
    pub(crate) draws: u64,
    /// With [`OrderFlags::LISTED`] its list.
    pub(crate) list: ListId,
}

impl Conditional {
    /// Whether a change of its instrument's state may end it, move it or show it anew.
    pub(crate) fn is_of_sessions(&self) -> bool {
        self.time_in_force.is_remembered() || self.conditions.iceberg.is_some()
    }

    const NONE: Self = Self {
        limit: Price::from_ticks(0),
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancel,
        station: Station::Book,
        conditions: Conditions {
            trigger: None,
            expire_time_ns: 0,
            minimum: Quantity::ZERO,
            iceberg: None,
            hidden: false,
            peg: None,
        },
        reserve: Quantity::ZERO,
        draws: 0,
        list: ListId(0),
    };
}

/// The open orders of all instruments.
#[derive(Clone, Debug)]
pub(crate) struct OpenOrders {
    pub(crate) slab: Orders<Terms>,
    /// By slot.
    pub(crate) notes: Vec<Notes>,
    /// Text client order ids by slot, for the orders that have [`OrderFlags::TEXT_ID`]; as long as the highest such slot.
    texts: Vec<Text>,
    /// By slot, for the orders that have one of [`OrderFlags::NOTED`]; as long as the highest such slot.
    conditionals: Vec<Conditional>,
    /// By which session the order with this id came, by slot; as long as the highest slot of an order that came by one. What stands
    /// here of another order is old.
    sessions: Vec<(OrderId, SessionId)>,
    by_id: Chains,
    by_client: Chains,
    last_priority: u64,
    /// Those that wait for approval.
    pub(crate) approvals: BTreeMap<OrderId, Approval>,
    /// When which of them expire.
    pub(crate) timers: Timers,
    /// The markets that have following pegs.
    pub(crate) pegged: BTreeSet<InstrumentId>,
    /// The quotes, and what protects them.
    pub(crate) quotes: Quotes,
    /// Which of them depend on each other.
    pub(crate) lists: Lists,
    /// Whether a page of 64 slots may have changed since the last checkpoint.
    changed: Vec<bool>,
    /// What each of these pages hashed to at the last checkpoint.
    page_hashes: Vec<HashTotal>,
    pages_hash: HashTotal,
}

/// How many slots are hashed together.
const PAGE: usize = 64;

/// A text client order id.
#[derive(Clone, Copy, Debug)]
struct Text {
    length: u8,
    bytes: [u8; Text::LENGTH_MAX],
}

impl Text {
    const LENGTH_MAX: usize = 39;
    const EMPTY: Self = Self { length: 0, bytes: [0; Self::LENGTH_MAX] };
}

/// Ids rise one by one, so an id is its own hash: new orders go to neighbouring heads.
#[inline(always)]
const fn id_hash(id: OrderId) -> u64 {
    id.0
}

/// Numbers come from clients and may be anything: they are mixed with the account.
#[inline(always)]
const fn client_hash(account: AccountId, key: u64) -> u64 {
    (key ^ (account.0 as u64).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// The key of a text: a hash that is never 0.
fn text_key(text: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    text.iter().fold(0xcbf2_9ce4_8422_2325, mix) | 1 << 63
}

/// What an order with this client order id is found by; 0 for none.
#[inline(always)]
fn client_key(id: &ClientOrderId<'_>) -> u64 {
    match id {
        ClientOrderId::Text(text) => text_key(text),
        ClientOrderId::Absent | ClientOrderId::Number(_) => id.number_or_zero(),
    }
}

impl OpenOrders {
    pub(crate) fn with_capacity(orders: usize) -> Self {
        Self {
            slab: Orders::with_capacity(orders),
            notes: Vec::with_capacity(orders),
            texts: Vec::new(),
            conditionals: Vec::new(),
            sessions: Vec::new(),
            by_id: Chains::with_capacity(orders),
            by_client: Chains::with_capacity(orders),
            last_priority: 0,
            approvals: BTreeMap::new(),
            timers: Timers::default(),
            pegged: BTreeSet::new(),
            quotes: Quotes::default(),
            lists: Lists::default(),
            changed: Vec::new(),
            page_hashes: Vec::new(),
            pages_hash: HashTotal::default(),
        }
    }

    /// Notes that an order changes.
    #[inline(always)]
    pub(crate) fn mark(&mut self, slot: Slot) {
        self.changed[slot.0 as usize / PAGE] = true;
    }

    /// The hash of all orders, over what changed since the last checkpoint; `hash` is that of one order.
    pub(crate) fn state_hash(&self, hash: impl Fn(Slot) -> HashTotal) -> HashTotal {
        let mut total = self.pages_hash;
        for page in self.changed_pages() {
            total -= self.page_hashes[page];
            total += self.page_hash(page, &hash);
        }
        total
    }

    /// The hashes of the pages that changed since the last checkpoint.
    pub(crate) fn changed_page_hashes(&self, hash: impl Fn(Slot) -> HashTotal) -> Vec<(usize, HashTotal)> {
        self.changed_pages().map(|page| (page, self.page_hash(page, &hash))).collect()
    }

    /// Takes these hashes over: from here on only what changes after them is looked at.
    pub(crate) fn checkpoint(&mut self, changed: Vec<(usize, HashTotal)>) {
        for (page, hash) in changed {
            self.pages_hash -= core::mem::replace(&mut self.page_hashes[page], hash);
            self.pages_hash += hash;
        }
        self.changed.fill(false);
    }

    fn changed_pages(&self) -> impl Iterator<Item = usize> + '_ {
        self.changed.iter().enumerate().filter(|(_, changed)| **changed).map(|(page, _)| page)
    }

    fn page_hash(&self, page: usize, hash: impl Fn(Slot) -> HashTotal) -> HashTotal {
        let mut total = HashTotal::default();
        let end = self.slab.slot_count().min((page + 1) * PAGE);
        for slot in (page * PAGE..end).map(|index| Slot(index as u32)) {
            if self.slab[slot].id != OrderId(0) {
                total += hash(slot);
            }
        }
        total
    }

    /// The order with this id, if it is open.
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId) -> Option<Slot> {
        let mut slot = self.by_id.first(id_hash(id));
        while slot.is_some() {
            if self.slab[slot].id == id {
                return Some(slot);
            }
            slot = self.slab[slot].terms.links.next_by_id;
        }
        None
    }

    /// Reads the first order that may have this id, so that it is in the cache when it is looked for.
    #[inline(always)]
    pub(crate) fn touch(&self, id: OrderId) -> u64 {
        let slot = self.by_id.first(id_hash(id));
        if slot.is_some() { self.slab[slot].id.0 } else { 0 }
    }

    /// The account's open order with this client order id.
    #[inline(always)]
    pub(crate) fn find_client(&self, account: AccountId, id: &ClientOrderId<'_>) -> Option<Slot> {
        let (key, is_text) = match id {
            ClientOrderId::Absent => return None,
            ClientOrderId::Number(number) => (number.get(), false),
            ClientOrderId::Text(text) => (text_key(text), true),
        };
        let mut slot = self.by_client.first(client_hash(account, key));
        while slot.is_some() {
            let Order { account: owner, terms, .. } = &self.slab[slot];
            let same =
                terms.links.client_key == key && *owner == account && terms.flags.has(OrderFlags::TEXT_ID) == is_text;
            if same && (!is_text || self.client_order_id(slot) == *id) {
                return Some(slot);
            }
            slot = self.slab[slot].terms.links.next_by_client;
        }
        None
    }

    /// Whether an open order of the account has this client order id. Rarely asked: see `client_number_max`.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_client_open(&self, account: AccountId, id: ClientOrderId<'_>) -> bool {
        self.find_client(account, &id).is_some()
    }

    /// The client order id of an open order.
    pub(crate) fn client_order_id(&self, slot: Slot) -> ClientOrderId<'_> {
        let terms = &self.slab[slot].terms;
        if terms.flags.has(OrderFlags::TEXT_ID) {
            let text = &self.texts[slot.0 as usize];
            ClientOrderId::Text(&text.bytes[..usize::from(text.length)])
        } else {
            ClientOrderId::from_number(terms.links.client_key)
        }
    }

    /// The client order id of an open order as events give it: the number, 0 for text.
    #[inline(always)]
    pub(crate) fn client_number(terms: &Terms) -> u64 {
        if terms.flags.has(OrderFlags::TEXT_ID) { 0 } else { terms.links.client_key }
    }

    /// What is known of an open order with conditions.
    pub(crate) fn conditional(&self, slot: Slot) -> &Conditional {
        &self.conditionals[slot.0 as usize]
    }

    /// The conditions of an open order; none when it has none.
    pub(crate) fn conditions(&self, slot: Slot) -> Conditions {
        let has_conditions = self.slab[slot].terms.flags.has(OrderFlags::CONDITIONS);
        if has_conditions { self.conditional(slot).conditions } else { Conditions::default() }
    }

    /// By which session an open order came; 0 is none.
    pub(crate) fn session(&self, slot: Slot) -> SessionId {
        match self.sessions.get(slot.0 as usize) {
            Some((id, session)) if *id == self.slab[slot].id => *session,
            Some(_) | None => SessionId(0),
        }
    }

    /// Notes by which session an open order came.
    #[inline(never)]
    pub(crate) fn note_session(&mut self, slot: Slot, session: SessionId) {
        let place = slot.0 as usize;
        if self.sessions.len() <= place {
            self.sessions.resize(place + 1, (OrderId(0), SessionId(0)));
        }
        self.sessions[place] = (self.slab[slot].id, session);
        self.mark(slot);
    }

    /// Lets an order that left the book show all that it has open.
    pub(crate) fn take_in_reserve(&mut self, slot: Slot) {
        if self.slab[slot].terms.flags.has(OrderFlags::CONDITIONS) {
            let reserve = core::mem::take(&mut self.conditional_mut(slot).reserve);
            self.slab[slot].open += reserve;
        }
    }

    /// Notes the conditions of an open order.
    pub(crate) fn note_conditional(&mut self, slot: Slot, conditional: Conditional) {
        let place = slot.0 as usize;
        if self.conditionals.len() <= place {
            self.conditionals.resize(place + 1, Conditional::NONE);
        }
        self.conditionals[place] = conditional;
        self.mark(slot);
    }

    /// What is known of an open order with conditions, to be changed.
    pub(crate) fn conditional_mut(&mut self, slot: Slot) -> &mut Conditional {
        self.mark(slot);
        &mut self.conditionals[slot.0 as usize]
    }

    /// What an order has open in all: what it shows, and the reserve of an iceberg.
    #[inline(always)]
    pub(crate) fn open_of(&self, slot: Slot) -> Quantity {
        let order = &self.slab[slot];
        if order.terms.flags.has(OrderFlags::CONDITIONS) { self.open_of_conditional(slot) } else { order.open }
    }

    #[cold]
    #[inline(never)]
    fn open_of_conditional(&self, slot: Slot) -> Quantity {
        self.slab[slot].open + self.conditional(slot).reserve
    }

    /// Where an order stands, and what it has open in all.
    #[inline(always)]
    pub(crate) fn standing(&self, slot: Slot) -> (Station, Quantity) {
        const SPECIAL: u16 = OrderFlags::CONDITIONS.0 | OrderFlags::WAITING.0;
        let order = &self.slab[slot];
        if order.terms.flags.0 & SPECIAL == 0 { (Station::Book, order.open) } else { self.standing_special(slot) }
    }

    #[cold]
    #[inline(never)]
    fn standing_special(&self, slot: Slot) -> (Station, Quantity) {
        (self.station(slot), self.open_of(slot))
    }

    /// Where an order stands.
    #[inline(always)]
    pub(crate) fn station(&self, slot: Slot) -> Station {
        if self.slab[slot].terms.flags.has(OrderFlags::WAITING) {
            self.conditional(slot).station
        } else {
            Station::Book
        }
    }

    /// In which book an order stands when it stands in one.
    #[inline(always)]
    pub(crate) fn shelf(&self, slot: Slot) -> Shelf {
        match self.station(slot) {
            Station::Book => Shelf::Book,
            station @ (Station::Trigger
            | Station::Hidden
            | Station::Peg
            | Station::Auction
            | Station::Pending
            | Station::Approval) => Shelf::of(station, &self.conditional(slot).conditions),
        }
    }

    /// Notes that an order has left the book and waits elsewhere.
    pub(crate) fn begin_waiting(&mut self, slot: Slot, station: Station, limit: Price) {
        let terms = &mut self.slab[slot].terms;
        terms.flags = terms.flags.with(OrderFlags::WAITING);
        let conditional = &mut self.conditionals[slot.0 as usize];
        (conditional.station, conditional.limit) = (station, limit);
        self.mark(slot);
    }

    /// Notes the limit and the trigger that a waiting order has from now on.
    pub(crate) fn amend_waiting(&mut self, slot: Slot, limit: Price, trigger: Option<Trigger>) {
        let conditional = &mut self.conditionals[slot.0 as usize];
        conditional.limit = limit;
        conditional.conditions.trigger = trigger.or(conditional.conditions.trigger);
        self.mark(slot);
    }

    /// Notes that an order comes to the market: its trigger fired, or its auction began.
    pub(crate) fn end_waiting(&mut self, slot: Slot) {
        let conditional = &mut self.conditionals[slot.0 as usize];
        let station = Station::at_market(&conditional.conditions);
        (conditional.station, conditional.conditions.trigger) = (station, None);
        let terms = &mut self.slab[slot].terms;
        terms.flags = station.flags(terms.flags);
        self.mark(slot);
    }

    /// Keeps whether commands are attended to because protections may take quotes elsewhere behind them.
    pub(crate) fn attend_quotes(&mut self) {
        self.timers.attend_quotes(self.quotes.reaches_elsewhere());
    }

    /// Notes the limit that a pending order starts with.
    pub(crate) fn note_limit(&mut self, slot: Slot, limit: Price) {
        self.conditionals[slot.0 as usize].limit = limit;
    }

    /// Notes that an order stands elsewhere now.
    pub(crate) fn settle(&mut self, slot: Slot, station: Station, limit: Price) {
        let conditional = &mut self.conditionals[slot.0 as usize];
        (conditional.station, conditional.limit) = (station, limit);
        let terms = &mut self.slab[slot].terms;
        terms.flags = station.flags(terms.flags);
        self.renew_priority(slot);
    }

    /// Notes that an order is tied to others.
    pub(crate) fn tie(&mut self, slot: Slot, list: ListId) {
        self.conditionals[slot.0 as usize].list = list;
        self.mark(slot);
    }

    /// Notes that an order is not tied to others any more.
    pub(crate) fn untie(&mut self, slot: Slot) {
        self.conditionals[slot.0 as usize].list = ListId(0);
        let terms = &mut self.slab[slot].terms;
        terms.flags = terms.flags.without(OrderFlags::LISTED);
        self.mark(slot);
    }

    /// Gives an order that moved the next place in time.
    pub(crate) fn renew_priority(&mut self, slot: Slot) {
        self.notes[slot.0 as usize].priority = self.next_priority();
        self.mark(slot);
    }

    /// An open order as if it came in again, at `price`, without conditions. It keeps its place in the table of client order ids.
    pub(crate) fn order_again(&self, slot: Slot, price: Price) -> NewOrder<'static> {
        let Order { account, terms, .. } = self.slab[slot];
        let open = self.open_of(slot);
        let is_noted = terms.flags.has_any(OrderFlags::NOTED);
        let known = if is_noted { *self.conditional(slot) } else { Conditional::NONE };
        let Conditional { order_type, time_in_force, .. } = known;
        NewOrder {
            account,
            instrument: terms.instrument,
            side: terms.side,
            order_type,
            time_in_force,
            self_trade_prevention: terms.self_trade_prevention,
            flags: terms.flags.without(OrderFlags::WAITING).without(OrderFlags::LISTED),
            price,
            size: Size::Lots(open),
            client_order_id: ClientOrderId::Absent,
            conditions_record: None,
        }
    }

    /// Takes in an order, which then can be found. Its `terms` lack only the links.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        id: OrderId,
        account: AccountId,
        open: Quantity,
        client_order_id: &ClientOrderId<'_>,
        mut terms: Terms,
        notes: Notes,
    ) -> Slot {
        let client_key = client_key(client_order_id);
        let slot = self.slab.next_slot();
        let next_by_id = self.by_id.push(id_hash(id), slot);
        let mut next_by_client = Slot::NONE;
        if client_key != 0 {
            next_by_client = self.by_client.push(client_hash(account, client_key), slot);
        }
        terms.links = Links { client_key, next_by_id, next_by_client };
        self.slab.insert(id, account, open, terms);
        match self.notes.get_mut(slot.0 as usize) {
            Some(place) => *place = notes,
            None => self.add_notes(notes),
        }
        self.mark(slot);
        if let ClientOrderId::Text(text) = client_order_id {
            self.note_text(slot, text);
        }
        slot
    }

    #[cold]
    #[inline(never)]
    fn add_notes(&mut self, notes: Notes) {
        if self.notes.len() == self.page_hashes.len() * PAGE {
            self.page_hashes.push(HashTotal::default());
            self.changed.push(false);
        }
        self.notes.push(notes);
        if self.by_id.is_full(self.slab.slot_count()) {
            self.grow();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_text(&mut self, slot: Slot, text: &[u8]) {
        let place = slot.0 as usize;
        if self.texts.len() <= place {
            self.texts.resize(place + 1, Text::EMPTY);
        }
        let mut bytes = [0; Text::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text);
        self.texts[place] = Text { length: text.len() as u8, bytes };
    }

    /// Gives an open order another client order id.
    #[cold]
    #[inline(never)]
    pub(crate) fn rename(&mut self, slot: Slot, id: &ClientOrderId<'_>) {
        let Order { account, terms: Terms { links, .. }, .. } = self.slab[slot];
        if links.client_key != 0 {
            let hash = client_hash(account, links.client_key);
            if self.by_client.first(hash) == slot {
                self.by_client.pop(hash, links.next_by_client);
            } else {
                self.unlink_by_client(hash, slot, links.next_by_client);
            }
        }
        let client_key = client_key(id);
        let mut next_by_client = Slot::NONE;
        if client_key != 0 {
            next_by_client = self.by_client.push(client_hash(account, client_key), slot);
        }
        let terms = &mut self.slab[slot].terms;
        terms.links = Links { client_key, next_by_client, ..links };
        terms.flags = terms.flags.without(OrderFlags::TEXT_ID);
        if let ClientOrderId::Text(text) = id {
            terms.flags = terms.flags.with(OrderFlags::TEXT_ID);
            self.note_text(slot, text);
        }
        self.mark(slot);
    }

    /// Forgets an order that stands in no queue any more.
    #[inline(always)]
    pub(crate) fn remove(&mut self, slot: Slot) {
        self.mark(slot);
        let Order { id, account, terms: Terms { links, .. }, .. } = self.slab[slot];
        let Links { client_key, next_by_id, next_by_client } = links;
        let hash = id_hash(id);
        if self.by_id.first(hash) == slot {
            self.by_id.pop(hash, next_by_id);
        } else {
            self.unlink_by_id(hash, slot, next_by_id);
        }
        if client_key != 0 {
            let hash = client_hash(account, client_key);
            if self.by_client.first(hash) == slot {
                self.by_client.pop(hash, next_by_client);
            } else {
                self.unlink_by_client(hash, slot, next_by_client);
            }
        }
        self.slab.remove(slot);
    }

    #[inline(never)]
    fn unlink_by_id(&mut self, hash: u64, gone: Slot, next: Slot) {
        let mut slot = self.by_id.first(hash);
        while self.slab[slot].terms.links.next_by_id != gone {
            slot = self.slab[slot].terms.links.next_by_id;
        }
        self.slab[slot].terms.links.next_by_id = next;
    }

    #[inline(never)]
    fn unlink_by_client(&mut self, hash: u64, gone: Slot, next: Slot) {
        let mut slot = self.by_client.first(hash);
        while self.slab[slot].terms.links.next_by_client != gone {
            slot = self.slab[slot].terms.links.next_by_client;
        }
        self.slab[slot].terms.links.next_by_client = next;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.by_id.clear_and_double();
        self.by_client.clear_and_double();
        for (slot, order) in self.slab.iter_mut() {
            let Order { id, account, terms: Terms { links, .. }, .. } = order;
            links.next_by_id = self.by_id.push(id_hash(*id), slot);
            if links.client_key != 0 {
                links.next_by_client = self.by_client.push(client_hash(*account, links.client_key), slot);
            }
        }
    }

    /// The next place in time.
    #[inline(always)]
    pub(crate) fn next_priority(&mut self) -> u64 {
        self.last_priority += 1;
        self.last_priority
    }

    pub(crate) fn last_priority(&self) -> u64 {
        self.last_priority
    }

    pub(crate) fn set_last_priority(&mut self, priority: u64) {
        self.last_priority = priority;
    }

    /// The rates that an open order carries.
    pub(crate) fn rates(&self, slot: Slot) -> FeeRates {
        FeeRates { taker: self.notes[slot.0 as usize].taker_rate, maker: self.slab[slot].terms.maker_rate }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.slab.memory_bytes()
            + self.notes.capacity() * size_of::<Notes>()
            + self.texts.capacity() * size_of::<Text>()
            + self.conditionals.capacity() * size_of::<Conditional>()
            + self.sessions.capacity() * size_of::<(OrderId, SessionId)>()
            + self.by_id.memory_bytes()
            + self.by_client.memory_bytes()
            + self.lists.memory_bytes()
            + self.page_hashes.capacity() * size_of::<HashTotal>()
    }

    /// Panics unless slab and chains account for each other.
    pub(crate) fn check_invariants(&self) {
        let Self {
            slab,
            notes,
            texts: _,
            conditionals: _,
            sessions: _,
            by_id,
            by_client,
            last_priority,
            approvals,
            timers: _,
            pegged: _,
            quotes: _,
            lists: _,
            changed,
            page_hashes,
            pages_hash,
        } = self;
        slab.check_invariants();
        assert_eq!(page_hashes.len(), slab.slot_count().div_ceil(PAGE), "Invariant: every page of slots has a hash");
        assert_eq!(changed.len(), page_hashes.len(), "Invariant: every page of slots may have changed or not");
        let mut total = HashTotal::default();
        page_hashes.iter().for_each(|hash| total += *hash);
        assert_eq!(total, *pages_hash, "Invariant: the pages' hashes add up");
        let linked = by_id.count(|slot| slab[slot].terms.links.next_by_id);
        assert_eq!(linked, slab.len(), "Invariant: every open order is in a chain of ids");
        let mut named = 0;
        for (slot, order) in slab.iter() {
            assert_eq!(self.find(order.id), Some(slot), "Invariant: an open order is found by its id");
            let id = self.client_order_id(slot);
            if id != ClientOrderId::Absent {
                named += 1;
                let found = self.find_client(order.account, &id);
                assert_eq!(found, Some(slot), "Invariant: an open order is found by its client order id");
            }
            let Notes { total, prevented, priority, .. } = notes[slot.0 as usize];
            assert!(priority <= *last_priority, "Invariant: places in time are numbered in order");
            assert!(prevented + self.open_of(slot) <= total, "Invariant: original - executed - prevented = open");
        }
        for (id, Approval { needed, approvers, deadline_ns, .. }) in approvals {
            let slot = self.find(*id).expect("Invariant: what waits for approval is open");
            assert_eq!(self.station(slot), Station::Approval, "Invariant: an order knows where it stands");
            assert!(approvers.len() < usize::from(*needed), "Invariant: who has all approvals waits no longer");
            assert!(
                self.timers.contains(*deadline_ns, Timer::Order(*id)),
                "Invariant: nobody waits for approval for ever"
            );
            let expires = self.conditions(slot).expire_time_ns;
            assert!(expires == 0 || *deadline_ns <= expires, "Invariant: an order waits no longer than it may stay");
        }
        let linked = by_client.count(|slot| slab[slot].terms.links.next_by_client);
        assert_eq!(linked, named, "Invariant: client order ids belong to open orders");
    }
}

#[cfg(test)]
mod tests {
    use tradewright_types::Contingency;

    use super::*;
    use crate::lists::{List, ListName};

    #[test]
    fn memory_counts_each_table_by_what_it_takes() {
        let mut open = OpenOrders::with_capacity(16);
        let chains = open.by_id.memory_bytes() + open.by_client.memory_bytes();
        let mut before = open.slab.memory_bytes() + open.notes.capacity() * size_of::<Notes>() + chains;
        assert_eq!(open.memory_bytes(), before);
        let mut took = |open: &OpenOrders| {
            let now = open.memory_bytes();
            now - core::mem::replace(&mut before, now)
        };
        open.texts = Vec::with_capacity(10);
        assert_eq!(took(&open), 10 * size_of::<Text>());
        open.conditionals = Vec::with_capacity(11);
        assert_eq!(took(&open), 11 * size_of::<Conditional>());
        open.sessions = Vec::with_capacity(12);
        assert_eq!(took(&open), 12 * size_of::<(OrderId, SessionId)>());
        open.page_hashes = Vec::with_capacity(13);
        assert_eq!(took(&open), 13 * size_of::<HashTotal>());
        let list = List {
            account: AccountId(1),
            instrument: InstrumentId(0),
            contingency: Contingency::OneCancelsOther,
            name: ListName::Absent,
            legs: [OrderId(1), OrderId(2), OrderId(0)],
        };
        open.lists.insert(ListId(1), list);
        assert_eq!(took(&open), size_of::<(ListId, List)>());
    }

    #[test]
    fn behind_a_checkpoint_only_what_changes_is_looked_at_again() {
        let mut open = OpenOrders::with_capacity(16);
        open.changed = vec![true, true];
        open.page_hashes = vec![HashTotal(3), HashTotal(4)];
        open.pages_hash = HashTotal(7);
        open.checkpoint(vec![(0, HashTotal(30)), (1, HashTotal(40))]);
        let looked_at = |_| -> HashTotal { unreachable!("no order is open") };
        assert_eq!(open.changed_page_hashes(looked_at), []);
        assert_eq!(open.state_hash(looked_at), HashTotal(70));
        open.mark(Slot(0));
        assert_eq!(open.changed_page_hashes(looked_at), [(0, HashTotal::default())]);
        assert_eq!(open.state_hash(looked_at), HashTotal(40));
    }
}
