//! The trading floor: one market, with what its trades touch.

use std::collections::BTreeSet;

use tradewright_book::{Book, Order, Slot};
use tradewright_ledger::Ledger;
use tradewright_risk::{Gate, Instrument, Risk, resting_hold};
use tradewright_types::{Amount, AssetId, InstrumentId, OrderFlags, OrderId, Price, PriceSource, Quantity, Side};

use crate::Engine;
use crate::aside::Aside;
use crate::emit::Closing;
use crate::guard::Guard;
use crate::open_orders::{OpenOrders, Station};
use crate::session::Session;
use crate::sharing::Sharing;
use crate::timers::Timer;
use crate::triggers::{Triggers, waiting_hold_of};

/// An instrument with its book, and the numbers it gives out.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) instrument: Instrument,
    pub(crate) book: Book,
    pub(crate) trades: u64,
    pub(crate) prevented: u64,
    /// The orders that wait for a price. None until the first one comes.
    pub(crate) triggers: Option<Box<Triggers>>,
    /// How a price is shared, when it is not first come, first served.
    pub(crate) sharing: Option<Box<Sharing>>,
    /// What belongs to its state. None while it has always been in continuous trading.
    pub(crate) session: Option<Box<Session>>,
    /// Its circuit breaker, if one is set.
    pub(crate) guard: Option<Box<Guard>>,
    /// Whether matching has to look at more than the front of the book: see [`Market::refresh`].
    pub(crate) is_special: bool,
    /// How many of its open orders are icebergs: with none, what a level shows is all that stands there.
    pub(crate) icebergs: u32,
    /// How many of its open orders are quotes, the one included that comes in.
    pub(crate) quotes: u32,
    /// Its open orders that a change of state may end, move or show anew: icebergs, and those that are for a day or an auction. So
    /// nobody has to look for them among all orders.
    pub(crate) of_sessions: BTreeSet<OrderId>,
    /// What stands beside the displayed book. None until the first such order comes.
    pub(crate) aside: Option<Box<Aside>>,
    /// How many lists tie orders of it together.
    pub(crate) lists: u32,
}

impl Market {
    pub(crate) fn new(instrument: Instrument) -> Self {
        Self {
            instrument,
            book: Book::default(),
            trades: 0,
            prevented: 0,
            triggers: None,
            sharing: None,
            session: None,
            guard: None,
            is_special: false,
            icebergs: 0,
            quotes: 0,
            of_sessions: BTreeSet::new(),
            aside: None,
            lists: 0,
        }
    }

    /// Keeps the one flag that matching looks at: to be called when the state, the rule of allocation, the breaker or the number of
    /// lists changes, or the first quote comes or the last one goes.
    pub(crate) fn refresh(&mut self) {
        self.is_special = self.needs_care();
    }

    /// Whether orders do not simply trade with the front of the book.
    pub(crate) fn needs_care(&self) -> bool {
        let is_shared = self.sharing.is_some() || self.aside.is_some();
        let is_tied = self.lists > 0 || self.quotes > 0;
        is_shared || is_tied || self.guard.is_some() || !self.instrument.state.trades()
    }

    /// The price that a source has now.
    pub(crate) fn source_price(&self, source: PriceSource) -> Option<Price> {
        let triggers = self.triggers.as_deref();
        match source {
            PriceSource::Last => self.instrument.last(),
            PriceSource::Mark => triggers.and_then(|triggers| triggers.mark),
            PriceSource::Index => triggers.and_then(|triggers| triggers.index),
        }
    }
}

/// The engine while it works on one market: found once for each command.
#[derive(Debug)]
pub(crate) struct Floor<'e> {
    pub(crate) id: InstrumentId,
    pub(crate) market: &'e mut Market,
    pub(crate) risk: &'e mut Risk,
    pub(crate) ledger: &'e mut Ledger,
    pub(crate) open: &'e mut OpenOrders,
    pub(crate) last_order: &'e mut OrderId,
}

impl Engine {
    /// The floor of an instrument, if it exists.
    #[inline(always)]
    pub(crate) fn floor(&mut self, id: InstrumentId) -> Option<Floor<'_>> {
        let Self { markets, risk, ledger, open, last_order, .. } = self;
        let market = markets.get_mut(id.index())?;
        Some(Floor { id, market, risk, ledger, open, last_order })
    }

    /// The floor of an open order.
    #[inline(always)]
    pub(crate) fn floor_of(&mut self, slot: Slot) -> Floor<'_> {
        let id = self.open.slab[slot].terms.instrument;
        self.floor(id).expect("Invariant: an open order's instrument exists")
    }
}

impl Floor<'_> {
    /// The gate that every order passes, and the open orders beside it.
    #[inline(always)]
    pub(crate) fn gate(&mut self) -> (Gate<'_>, &OpenOrders) {
        let Market { instrument, book, .. } = &*self.market;
        let (risk, open_orders) = (&*self.risk, self.open.slab.len());
        let aside = self.market.aside.as_deref().map(Aside::books);
        (Gate { risk, instrument, book, aside, ledger: self.ledger, open_orders, legs_before: 0 }, self.open)
    }

    /// The same, with the market beside them.
    pub(crate) fn gate_beside(&mut self) -> (Gate<'_>, &OpenOrders, &Market) {
        let market = &*self.market;
        let (risk, open_orders) = (&*self.risk, self.open.slab.len());
        let aside = market.aside.as_deref().map(Aside::books);
        let (instrument, book) = (&market.instrument, &market.book);
        let gate = Gate { risk, instrument, book, aside, ledger: self.ledger, open_orders, legs_before: 0 };
        (gate, self.open, market)
    }

    /// The price at which an order stands; of a waiting one its limit.
    #[inline(always)]
    pub(crate) fn price_of(&self, slot: Slot) -> Price {
        price_of(self.market, self.open, slot)
    }

    /// What an order of this side pays with.
    #[inline(always)]
    pub(crate) fn asset_of(&self, side: Side) -> AssetId {
        let units = &self.market.instrument.units;
        if side == Side::Buy { units.quote } else { units.base }
    }

    /// What an order holds that stands in the book at `price` and has `open` lots open in all.
    #[inline(always)]
    pub(crate) fn resting_hold_of(&self, slot: Slot, price: Price, open: Quantity) -> Amount {
        let Order { terms, .. } = &self.open.slab[slot];
        resting_hold(&self.market.instrument.units, terms.side, price, open, terms.maker_rate, terms.maker_fee)
    }

    /// What an open order holds, and of which asset.
    #[inline(always)]
    pub(crate) fn hold_of(&self, slot: Slot) -> (AssetId, Amount) {
        hold_of(self.market, self.open, slot)
    }

    /// An open order as its events tell it.
    #[inline(always)]
    pub(crate) fn closing(&self, slot: Slot) -> Closing {
        self.closing_at(slot, self.price_of(slot))
    }

    /// The same of an order that stands, or is about to stand, at `price`.
    #[inline(always)]
    pub(crate) fn closing_at(&self, slot: Slot, price: Price) -> Closing {
        let order = &self.open.slab[slot];
        Closing {
            id: order.id,
            account: order.account,
            instrument: self.id,
            side: order.terms.side,
            price,
            open: self.open.open_of(slot),
            client_number: OpenOrders::client_number(&order.terms),
        }
    }

    /// Forgets an order that has left its book: its ids are free, its owner may open another.
    #[inline(always)]
    pub(crate) fn forget(&mut self, slot: Slot) {
        if !self.open.slab[slot].terms.flags.are_plain() {
            self.forget_noted(slot);
        }
        self.forget_plain(slot);
    }

    /// The same, where nothing but its ids and its owner knows of the order.
    #[inline(always)]
    pub(crate) fn forget_plain(&mut self, slot: Slot) {
        self.risk.owner_mut(self.open.slab[slot].account).open_orders -= 1;
        self.open.remove(slot);
    }

    #[cold]
    #[inline(never)]
    fn forget_noted(&mut self, slot: Slot) {
        if self.open.slab[slot].terms.flags.has(OrderFlags::QUOTE) {
            self.forget_quote(slot);
        }
        if !self.open.slab[slot].terms.flags.has_any(OrderFlags::NOTED) {
            return;
        }
        let (id, expires) = (self.open.slab[slot].id, self.open.conditional(slot).conditions.expire_time_ns);
        if expires != 0 {
            self.open.timers.remove(expires, Timer::Order(id));
        }
        if self.open.conditional(slot).conditions.iceberg.is_some() {
            self.market.icebergs -= 1;
        }
        if self.open.conditional(slot).is_of_sessions() {
            self.market.of_sessions.remove(&id);
        }
        if self.open.conditional(slot).station == Station::Peg {
            self.forget_peg(id);
        }
        // Whoever ends otherwise is untied before.
        if self.open.slab[slot].terms.flags.has(OrderFlags::LISTED) {
            self.working_leg_filled(slot);
        }
    }
}

/// The price at which an order of a market stands; of a waiting one its limit.
#[inline(always)]
pub(crate) fn price_of(market: &Market, open: &OpenOrders, slot: Slot) -> Price {
    let terms = &open.slab[slot].terms;
    if terms.flags.has(OrderFlags::WAITING) {
        return price_beside(market, open, slot);
    }
    market.book.price_of(&open.slab, terms.side, slot)
}

/// The price that an order holds for: a following peg for its limit, any other for the price at which it stands.
pub(crate) fn held_price(market: &Market, open: &OpenOrders, slot: Slot) -> Price {
    match open.station(slot) {
        Station::Peg => open.conditional(slot).limit,
        Station::Book
        | Station::Trigger
        | Station::Hidden
        | Station::Auction
        | Station::Pending
        | Station::Approval => price_of(market, open, slot),
    }
}

/// The price of an order that does not stand on the displayed book.
#[cold]
#[inline(never)]
fn price_beside(market: &Market, open: &OpenOrders, slot: Slot) -> Price {
    match open.station(slot) {
        Station::Book | Station::Trigger | Station::Auction | Station::Pending | Station::Approval => {
            open.conditional(slot).limit
        }
        Station::Peg if !open.slab[slot].is_queued() => open.conditional(slot).limit,
        Station::Hidden | Station::Peg => {
            market.shelf(open.shelf(slot)).price_of(&open.slab, open.slab[slot].terms.side, slot)
        }
    }
}

/// What an open order of a market holds, and of which asset.
#[inline(always)]
pub(crate) fn hold_of(market: &Market, open: &OpenOrders, slot: Slot) -> (AssetId, Amount) {
    let order = &open.slab[slot];
    let (units, side) = (&market.instrument.units, order.terms.side);
    let asset = if side == Side::Buy { units.quote } else { units.base };
    match open.station(slot) {
        // Nothing trades when the auction of one that waits begins: it holds what a resting order holds.
        Station::Book | Station::Hidden | Station::Peg | Station::Auction => {}
        Station::Trigger | Station::Approval => return (asset, waiting_hold_of(market, open, slot)),
        Station::Pending => return (asset, Amount::ZERO),
    }
    let price = held_price(market, open, slot);
    (asset, resting_hold(units, side, price, open.open_of(slot), order.terms.maker_rate, order.terms.maker_fee))
}
