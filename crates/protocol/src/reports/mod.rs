//! Events as the reports that clients get: what happened to an order, with all that the client wants to hear again.
//!
//! [`Reports`] keeps what reports need of each open order of the accounts that somebody follows, fed by the events in their order. It
//! gives values; who has to hear of them, and in which frames, is the session's.

mod open_order;
mod opening;
mod write;

use std::collections::BTreeMap;

use tradewright_engine::Engine;
use tradewright_types::{
    ANY, AccountId, CloseReason, Contingency, EventFlags, EventKind, EventRecord, InstrumentId, RejectReason, Side,
    TextEventRecord,
};

pub use open_order::{ClientId, OpenOrder, Standing, Terms};
pub use opening::Opening;
pub use write::{
    Answer, ExecutionText, RequestNames, TradeFee, read_ack, read_execution, write_ack, write_execution,
    write_list_status, write_mass_cancelled, write_order_status, write_refusal,
};

use crate::order_map::NumberMap;

/// The number of an output: an event, or a place before or behind one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The place of the command in its shard's log.
    pub index: u64,
    /// The event of the command.
    pub k: u32,
    /// The shard.
    pub shard: u8,
}

impl Position {
    /// That of an event.
    #[inline]
    pub const fn of(event: &EventRecord) -> Self {
        Self { index: event.sequence, k: event.k, shard: event.shard }
    }
}

/// A trade as one of its sides sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// At which price.
    pub price_ticks: i64,
    /// How much.
    pub lots: u64,
    /// The trade.
    pub trade: u64,
    /// What it cost, in quanta of the quote asset; negative is a rebate.
    pub fee_quanta: i128,
    /// Whether this side took.
    pub is_aggressor: bool,
    /// Whether it belongs to an auction.
    pub is_auction: bool,
}

/// A trade with oneself that did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prevented {
    /// At which price it would have.
    pub price_ticks: i64,
    /// What this order lost.
    pub lots: u64,
    /// The number of the prevented match.
    pub number: u64,
    /// The other order.
    pub counter_order: u64,
    /// Whether this order was there before the other one came.
    pub is_maker: bool,
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It was accepted.
    Accepted,
    /// It came to the market: its trigger fired, it started, or it was released.
    Started,
    /// It traded.
    Traded(Fill),
    /// Self-trade prevention took from it.
    Prevented(Prevented),
    /// It has another quantity, price or name.
    Amended,
    /// Its price follows others, and moved; 0 is nowhere.
    Repriced,
    /// It was cancelled.
    Cancelled(Option<CloseReason>),
    /// It expired. The reason is that of a check that refused it late.
    Expired(Option<CloseReason>, Option<RejectReason>),
}

/// A report about an order.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'r> {
    /// The number of the output.
    pub position: Position,
    /// The engine's time.
    pub time_ns: u64,
    /// What happened.
    pub happening: Happening,
    /// The order as it is now.
    pub order: &'r OpenOrder,
    /// What it was called before; empty when that did not change.
    pub original: ClientId,
    /// Whether it is closed.
    pub is_closed: bool,
}

/// A report about a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReport {
    /// The number of the output.
    pub position: Position,
    /// The engine's time.
    pub time_ns: u64,
    /// Its owner.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its id.
    pub list: u64,
    /// The client's id of it.
    pub client_id: ClientId,
    /// How its orders depend on each other.
    pub contingency: Contingency,
    /// Its orders.
    pub orders: Vec<(u64, ClientId)>,
    /// Whether it is over.
    pub is_done: bool,
}

/// What events say to clients.
#[derive(Clone, Copy, Debug)]
pub enum Report<'r> {
    /// About an order, for its account.
    Execution(Execution<'r>),
    /// About a list, for its account.
    List(&'r ListReport),
    /// A command was refused: for the session in `counter_account` of the event.
    Refused(&'r EventRecord),
}

/// An order or an amendment that was told, of which more is to come with the next events.
#[derive(Clone, Copy, Debug)]
struct Told {
    slot: u32,
    position: Position,
    time_ns: u64,
    happening: Happening,
    original: ClientId,
}

/// A list whose orders are being told.
#[derive(Clone, Debug)]
struct Gathering {
    report: ListReport,
    orders_left: u64,
}

/// What reports need of each open order of the accounts that are followed. See the module.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// By account. Most events of a venue are about accounts of which nobody hears here: they cost one look.
    is_followed: Vec<bool>,
    orders: Vec<OpenOrder>,
    free: Vec<u32>,
    slots: NumberMap<u64, u32>,
    lists: BTreeMap<u64, ListReport>,
    told: Option<Told>,
    gathering: Option<Gathering>,
    last: Position,
}

impl Reports {
    /// Reports that follow no account yet, and go on behind what an engine has done.
    pub fn behind(engine: &Engine) -> Self {
        let last = Position { index: engine.sequence(), k: u32::MAX, shard: engine.config().shard };
        Self { last, ..Self::default() }
    }

    /// Follows accounts from here on. An opening is of the last command that was read; of accounts that are followed already there
    /// is nothing to learn.
    pub fn follow(&mut self, opening: Opening) {
        let Opening { accounts, orders, lists, .. } = opening;
        let new = |reports: &Self, account: AccountId| !reports.follows(account.0);
        for order in orders {
            if new(self, order.account) {
                self.insert(order);
            }
        }
        for list in lists {
            if new(self, list.account) {
                self.lists.insert(list.list, list);
            }
        }
        // The venue has sessions too, which are no account's.
        for account in accounts.into_iter().filter(|account| *account != ANY) {
            let place = account as usize;
            if self.is_followed.len() <= place {
                self.is_followed.resize(place + 1, false);
            }
            self.is_followed[place] = true;
        }
    }

    #[inline]
    fn follows(&self, account: u32) -> bool {
        self.is_followed.get(account as usize).copied().unwrap_or(false)
    }

    /// Whether an event may say anything to those who hear of the accounts that are followed.
    #[inline]
    fn concerns(&self, kind: Option<EventKind>, event: &EventRecord) -> bool {
        match kind {
            // Of the session that sent what was refused.
            Some(EventKind::Rejected) => true,
            Some(EventKind::Trade | EventKind::MatchPrevented) => {
                self.follows(event.account) || self.follows(event.counter_account)
            }
            // A text has no account: it goes with the event before it.
            Some(EventKind::ClientOrderIdText | EventKind::ClientListIdText) => {
                self.told.is_some() || self.gathering.is_some()
            }
            _ => self.follows(event.account),
        }
    }

    /// The number of the last event that was read.
    pub fn last(&self) -> Position {
        self.last
    }

    /// An open order by its id.
    #[inline]
    pub fn find(&self, order: u64) -> Option<&OpenOrder> {
        self.slots.get(&order).map(|slot| &self.orders[*slot as usize])
    }

    /// An open order of an account by the client's id. It looks at all there are: for requests that are rare.
    pub fn find_named(&self, account: AccountId, name: &[u8]) -> Option<&OpenOrder> {
        self.of_account(account).find(|order| order.client_id.as_bytes() == name)
    }

    /// How many orders are open.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The open orders of an account, in no order. It looks at all there are.
    pub fn of_account(&self, account: AccountId) -> impl Iterator<Item = &OpenOrder> {
        let orders = self.slots.values().map(|slot| &self.orders[*slot as usize]);
        orders.filter(move |order| order.account == account)
    }

    fn insert(&mut self, order: OpenOrder) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.orders[slot as usize] = order;
                slot
            }
            None => {
                self.orders.push(order);
                (self.orders.len() - 1) as u32
            }
        };
        self.slots.insert(order.id, slot);
        slot
    }

    fn remove(&mut self, order: u64) {
        if let Some(slot) = self.slots.remove(&order) {
            self.free.push(slot);
        }
    }

    /// Reads an event and tells what it says to clients.
    #[inline]
    pub fn read(&mut self, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        let kind = EventKind::from_code(event.kind);
        self.last = Position::of(event);
        if !self.concerns(kind, event) {
            // An order of somebody else within this command: what was kept back has no more to come.
            self.flush(tell);
        } else if (self.told.is_some() || self.gathering.is_some()) && !self.learn(kind, event, tell) {
            // It told more of an order, and nothing else.
        } else {
            self.read_kind(kind, event, tell);
        }
        if EventFlags(event.flags).has(EventFlags::LAST) {
            self.flush(tell);
        }
    }

    /// Reads what may belong to an order that was just told. Returns whether the event is still to be read.
    fn learn(&mut self, kind: Option<EventKind>, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) -> bool {
        if kind == Some(EventKind::ClientListIdText)
            && let Some(gathering) = &mut self.gathering
        {
            gathering.report.client_id = text_of(event);
            return false;
        }
        if let Some(told) = &mut self.told
            && let Some(order) = self.orders.get_mut(told.slot as usize)
            && order.id == event.order_id
        {
            match kind {
                Some(EventKind::ClientOrderIdText) => {
                    if told.happening == Happening::Amended {
                        told.original = order.client_id;
                    }
                    order.client_id = text_of(event);
                    return false;
                }
                Some(EventKind::OrderConditions) => {
                    order.terms.learn_conditions(event);
                    if event.order_type != 0 && order.standing == Standing::Working {
                        order.standing = Standing::Waiting;
                    }
                    return false;
                }
                Some(EventKind::OrderDisplay) => {
                    order.terms.learn_display(event);
                    if order.terms.peg != 0 && !order.terms.peg_is_fixed {
                        order.standing = Standing::Waiting;
                    }
                    return false;
                }
                Some(EventKind::ApprovalRequired) => {
                    order.standing = Standing::Pending;
                    return false;
                }
                _ => {}
            }
        }
        let gathers = self.gathering.as_ref().is_some_and(|gathering| gathering.orders_left > 0);
        if kind == Some(EventKind::OrderAccepted) && gathers {
            self.flush_told(tell);
        } else {
            self.flush(tell);
        }
        true
    }

    /// Tells what was kept back for more to come.
    fn flush(&mut self, tell: &mut impl FnMut(&Report<'_>)) {
        self.flush_told(tell);
        if let Some(Gathering { report, .. }) = self.gathering.take() {
            tell(&Report::List(&report));
            self.lists.insert(report.list, report);
        }
    }

    fn flush_told(&mut self, tell: &mut impl FnMut(&Report<'_>)) {
        let Some(Told { slot, position, time_ns, happening, original }) = self.told.take() else { return };
        let order = &self.orders[slot as usize];
        if let Some(Gathering { report, .. }) = &mut self.gathering {
            report.orders.push((order.id, order.client_id));
        }
        tell(&Report::Execution(Execution { position, time_ns, happening, order, original, is_closed: false }));
    }

    #[inline]
    fn read_kind(&mut self, kind: Option<EventKind>, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        match kind {
            Some(EventKind::Trade) => self.traded(event, tell),
            Some(EventKind::OrderAccepted) => self.accepted(event),
            Some(EventKind::OrderCancelled) => {
                let happening = Happening::Cancelled(CloseReason::from_code(event.reason));
                self.happened(event, event.order_id, happening, true, tell);
            }
            Some(EventKind::OrderExpired) => {
                let refused = RejectReason::from_code(event.open_lots as u16);
                let happening = Happening::Expired(CloseReason::from_code(event.reason), refused);
                self.happened(event, event.order_id, happening, true, tell);
            }
            Some(EventKind::Rejected) => tell(&Report::Refused(event)),
            Some(EventKind::MatchPrevented) => self.prevented(event, tell),
            Some(EventKind::OrderAmended) => self.amended(event),
            Some(EventKind::OrderTriggered | EventKind::OrderReleased) => {
                self.stand(event.order_id, Standing::Working);
                self.happened(event, event.order_id, Happening::Started, false, tell);
            }
            Some(EventKind::OrderRepriced) => {
                if let Some(order) = self.order_mut(event.order_id) {
                    order.price_ticks = event.price_ticks;
                    order.standing = if event.price_ticks == 0 { Standing::Waiting } else { Standing::Working };
                }
                self.happened(event, event.order_id, Happening::Repriced, false, tell);
            }
            Some(EventKind::ListAccepted) => self.list_accepted(event),
            Some(EventKind::ListUpdated) => self.leg_started(event, tell),
            Some(EventKind::ListDone) => self.list_done(event, tell),
            _ => {}
        }
    }

    fn order_mut(&mut self, order: u64) -> Option<&mut OpenOrder> {
        self.slots.get(&order).map(|slot| &mut self.orders[*slot as usize])
    }

    fn stand(&mut self, order: u64, standing: Standing) {
        if let Some(order) = self.order_mut(order) {
            order.standing = standing;
        }
    }

    /// Tells what happened to an order, and forgets it when it is closed.
    #[inline]
    fn happened(
        &mut self,
        event: &EventRecord,
        order: u64,
        happening: Happening,
        is_closed: bool,
        tell: &mut impl FnMut(&Report<'_>),
    ) {
        let Some(slot) = self.slots.get(&order).copied() else { return };
        let (position, original) = (Position::of(event), ClientId::default());
        let order = &self.orders[slot as usize];
        let id = order.id;
        tell(&Report::Execution(Execution { position, time_ns: event.time_ns, happening, order, original, is_closed }));
        if is_closed {
            self.remove(id);
        }
    }

    #[inline]
    fn accepted(&mut self, event: &EventRecord) {
        let (list, is_pending) = match &mut self.gathering {
            Some(Gathering { report, orders_left }) if *orders_left > 0 && report.account.0 == event.account => {
                *orders_left -= 1;
                (report.list, !report.orders.is_empty() && report.contingency.has_working_leg())
            }
            Some(_) | None => (0, false),
        };
        // An event of another build tells nothing that can be understood; the sessions refuse such a stream before.
        let Ok(order) = OpenOrder::accepted(event, list, is_pending) else { return };
        let slot = self.insert(order);
        self.told = Some(Told {
            slot,
            position: Position::of(event),
            time_ns: event.time_ns,
            happening: Happening::Accepted,
            original: ClientId::default(),
        });
    }

    fn amended(&mut self, event: &EventRecord) {
        let Some(slot) = self.slots.get(&event.order_id).copied() else { return };
        let order = &mut self.orders[slot as usize];
        order.price_ticks = event.price_ticks;
        order.total_lots = event.quantity_lots;
        let mut original = ClientId::default();
        if event.reference != 0 {
            let renamed = ClientId::of_number(event.reference);
            if renamed != order.client_id {
                original = order.client_id;
                order.client_id = renamed;
            }
        }
        let (position, time_ns) = (Position::of(event), event.time_ns);
        self.told = Some(Told { slot, position, time_ns, happening: Happening::Amended, original });
    }

    #[inline]
    fn traded(&mut self, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        let flags = EventFlags(event.flags);
        let is_auction = flags.has(EventFlags::AUCTION);
        let fill = Fill {
            price_ticks: event.price_ticks,
            lots: event.quantity_lots,
            trade: event.reference,
            fee_quanta: event.amount.get(),
            is_aggressor: !is_auction,
            is_auction,
        };
        self.filled(event, event.order_id, fill, flags.has(EventFlags::TAKER_DONE), tell);
        let fill = Fill { fee_quanta: event.counter_amount.get(), is_aggressor: false, ..fill };
        self.filled(event, event.counter_order_id, fill, flags.has(EventFlags::MAKER_DONE), tell);
    }

    #[inline]
    fn filled(
        &mut self,
        event: &EventRecord,
        order: u64,
        fill: Fill,
        is_closed: bool,
        tell: &mut impl FnMut(&Report<'_>),
    ) {
        let Some(open) = self.order_mut(order) else { return };
        open.executed_lots += fill.lots;
        let raw = i128::from(fill.price_ticks) * i128::from(fill.lots);
        open.executed_raw = open.executed_raw.map(|before| before + raw);
        open.standing = Standing::Working;
        self.happened(event, order, Happening::Traded(fill), is_closed, tell);
    }

    fn prevented(&mut self, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        let flags = EventFlags(event.flags);
        let sides = [
            (event.order_id, event.counter_order_id, event.quantity_lots, flags.has(EventFlags::TAKER_DONE)),
            (event.counter_order_id, event.order_id, event.open_lots, flags.has(EventFlags::MAKER_DONE)),
        ];
        for (is_maker, (order, counter_order, lots, is_closed)) in [false, true].into_iter().zip(sides) {
            let Some(open) = self.order_mut(order) else { continue };
            open.prevented_lots += lots;
            let (price_ticks, number) = (event.price_ticks, event.reference);
            let prevented = Prevented { price_ticks, lots, number, counter_order, is_maker };
            if lots > 0 || is_closed {
                self.happened(event, order, Happening::Prevented(prevented), is_closed, tell);
            }
        }
    }

    fn list_accepted(&mut self, event: &EventRecord) {
        let Some(contingency) = Contingency::from_code(event.order_type) else { return };
        let report = ListReport {
            position: Position::of(event),
            time_ns: event.time_ns,
            account: AccountId(event.account),
            instrument: InstrumentId(event.instrument),
            list: event.reference,
            client_id: ClientId::of_number(event.open_lots),
            contingency,
            orders: Vec::with_capacity(contingency.leg_count()),
            is_done: false,
        };
        self.gathering = Some(Gathering { report, orders_left: event.quantity_lots });
    }

    fn leg_started(&mut self, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        if let Some(order) = self.order_mut(event.order_id) {
            order.standing = if event.open_lots > 0 { Standing::Waiting } else { Standing::Working };
            order.price_ticks = event.price_ticks;
            if event.open_lots > 0 {
                order.terms.trigger_price_ticks = event.open_lots as i64;
            }
        }
        self.happened(event, event.order_id, Happening::Started, false, tell);
    }

    fn list_done(&mut self, event: &EventRecord, tell: &mut impl FnMut(&Report<'_>)) {
        let Some(mut report) = self.lists.remove(&event.reference) else { return };
        (report.position, report.time_ns, report.is_done) = (Position::of(event), event.time_ns, true);
        for (order, _) in &report.orders {
            if let Some(slot) = self.slots.get(order) {
                self.orders[*slot as usize].list = 0;
            }
        }
        tell(&Report::List(&report));
    }
}

/// The text of an event that is one.
fn text_of(event: &EventRecord) -> ClientId {
    let record: &TextEventRecord = zerocopy::transmute_ref!(event);
    let length = usize::try_from(record.length).unwrap_or(usize::MAX).min(record.bytes.len());
    ClientId::new(&record.bytes[..length])
}

/// The side of an order as the schema writes it.
fn side_code(side: Side) -> crate::codes::Side {
    match side {
        Side::Buy => crate::codes::Side::Buy,
        Side::Sell => crate::codes::Side::Sell,
    }
}
