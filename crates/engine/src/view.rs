//! Looking at the state without changing it.

use tradewright_book::{Book, Level, Slot};
use tradewright_ledger::Ledger;
use tradewright_risk::{Instrument, Risk};
use tradewright_types::{
    AccountId, AllocationTerms, Amount, AuctionPhase, ClientOrderId, Conditions, Contingency, Iceberg, InstrumentId,
    InstrumentState, Label, ListId, OrderFlags, OrderId, OrderType, Peg, Price, PriceSource, ProtectionScope,
    ProtectionTerms, Quantity, ScheduledState, SelfTradePrevention, SessionId, Side, TimeInForce, TopTerms, Trigger,
};

use crate::aside::displayed_at;
use crate::floor::{Market, hold_of, price_of};
use crate::keys::Key;
use crate::lists::{List, ListName};
use crate::open_orders::Station;
use crate::session::Session;
use crate::sessions::SessionView;
use crate::triggers::Triggers;
use crate::{Engine, EngineConfig, Registry};

/// A price of a book, with what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelView {
    /// The price.
    pub price: Price,
    /// What is open there in all.
    pub quantity: Quantity,
    /// How many orders that is.
    pub orders: u32,
}

/// What an order waits for that waits for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalView<'e> {
    /// How many approvers it needs.
    pub needed: u8,
    /// Who has approved it so far.
    pub approvers: &'e [AccountId],
    /// When it expires without them.
    pub deadline_ns: u64,
    /// What they approve: SHA-256 of the canonical order.
    pub hash: &'e [u8; 32],
}

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView<'e> {
    /// Its id.
    pub id: OrderId,
    /// Its owner.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// Its total quantity.
    pub total: Quantity,
    /// What is open.
    pub open: Quantity,
    /// What of it the book shows; zero while it waits.
    pub displayed: Quantity,
    /// What self-trade prevention took.
    pub prevented: Quantity,
    /// Its prevention mode.
    pub self_trade_prevention: SelfTradePrevention,
    /// Its flags.
    pub flags: OrderFlags,
    /// The client's id.
    pub client_order_id: ClientOrderId<'e>,
    /// What it holds: quote for a bid, base for an ask.
    pub hold: Amount,
    /// What decides its price.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// The trigger it waits for, and the price at which that fires now.
    pub trigger: Option<(Trigger, Price)>,
    /// When it expires; 0 is never.
    pub expire_time_ns: u64,
    /// What it waits for, when it waits for approval.
    pub approval: Option<ApprovalView<'e>>,
    /// How it shows itself by parts.
    pub iceberg: Option<Iceberg>,
    /// Whether it does not show itself at all.
    pub hidden: bool,
    /// What its price is tied to.
    pub peg: Option<Peg>,
    /// By which session it came; 0 is none.
    pub session: SessionId,
    /// The list that ties it to others.
    pub list: Option<ListId>,
    /// Whether it waits for another order of its list.
    pub is_pending: bool,
    /// Whether a trigger has to fire before it comes to the market, now or when it has started or is approved.
    pub needs_trigger: bool,
}

/// A list that ties orders together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// Its id.
    pub id: ListId,
    /// Its owner.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// How its orders depend on each other.
    pub contingency: Contingency,
    /// The orders that it ties together, by ascending id.
    pub orders: Vec<OrderId>,
    name: ListName,
}

impl ListView {
    /// The id that the client gave it.
    pub fn client_list_id(&self) -> ClientOrderId<'_> {
        self.name.client_list_id()
    }
}

fn list_view(id: ListId, list: &List) -> ListView {
    let List { account, instrument, contingency, name, legs: _ } = *list;
    ListView { id, account, instrument, contingency, orders: list.tied().collect(), name }
}

impl Engine {
    /// What it was made with.
    pub fn config(&self) -> EngineConfig {
        self.config
    }

    /// From now on events name a later epoch: the node has become the one that leads.
    pub fn begin_epoch(&mut self, epoch: u32) {
        self.config.epoch = epoch;
    }

    /// How many commands were applied.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The engine's time.
    pub fn time_ns(&self) -> u64 {
        self.risk.time_ns
    }

    /// The id of the order accepted last.
    pub fn last_order(&self) -> OrderId {
        self.last_order
    }

    /// The sessions that were opened, by number.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = SessionView<'_>> {
        self.sessions.views()
    }

    /// An opened session.
    pub fn session(&self, id: SessionId) -> Option<SessionView<'_>> {
        self.sessions.view(id)
    }

    /// The keys that may be used, by id.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = (&Label, &Key)> {
        self.keys.iter()
    }

    /// The key with this id.
    pub fn key(&self, id: &Label) -> Option<&Key> {
        self.keys.get(id)
    }

    /// The names of everything.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Balances.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Limits, states, rates.
    pub fn risk(&self) -> &Risk {
        &self.risk
    }

    /// How many instruments there are.
    pub fn instrument_count(&self) -> usize {
        self.markets.len()
    }

    /// An instrument: its units, limits, state and prices.
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.markets.get(id.index()).map(|market| &market.instrument)
    }

    /// How an instrument shares what comes in among the orders of one price.
    pub fn allocation(&self, instrument: InstrumentId) -> AllocationTerms {
        let sharing = self.markets[instrument.index()].sharing.as_deref();
        sharing.map_or(AllocationTerms::default(), |sharing| sharing.terms)
    }

    /// The protection of quotes of this scope, and whether it was triggered.
    pub fn quote_protection(&self, scope: ProtectionScope) -> Option<(ProtectionTerms, bool)> {
        let protection = self.open.quotes.protections.get(&scope)?;
        Some((protection.terms, protection.is_triggered))
    }

    /// The privilege of the order that bettered the market, where the rule of allocation has it.
    pub fn top(&self, instrument: InstrumentId) -> Option<TopTerms> {
        self.markets[instrument.index()].sharing.as_deref()?.top
    }

    /// What each lead market maker of an instrument gets, in parts per million, by ascending account.
    pub fn leads(&self, instrument: InstrumentId) -> &[(AccountId, u32)] {
        self.markets[instrument.index()].sharing.as_deref().map_or(&[], |sharing| sharing.leads.as_slice())
    }

    /// Which auction an instrument is in, or goes on to from a pause.
    pub fn auction_phase(&self, instrument: InstrumentId) -> AuctionPhase {
        let market = &self.markets[instrument.index()];
        let state = market.instrument.state;
        market.session.as_deref().map_or(AuctionPhase::None, |session| session.told_phase(state))
    }

    /// When the state of an instrument ends by itself; 0 is never.
    pub fn state_until_ns(&self, instrument: InstrumentId) -> u64 {
        let market = &self.markets[instrument.index()];
        let lasts = market.instrument.state != InstrumentState::Halted;
        market.session.as_deref().filter(|_| lasts).map_or(0, |session| session.until_ns)
    }

    /// The change of state that is scheduled for an instrument.
    pub fn scheduled_state(&self, instrument: InstrumentId) -> Option<ScheduledState> {
        Some(self.markets[instrument.index()].session.as_deref()?.scheduled?.change)
    }

    /// What the last indication of an auction said: price in ticks, quantity, surplus in lots. `None` outside auctions, and when nothing
    /// would trade.
    pub fn indication(&self, instrument: InstrumentId) -> Option<(Price, Quantity, i128)> {
        let market = &self.markets[instrument.index()];
        let told = market.session.as_deref()?.call.told();
        let tells = market.instrument.state == InstrumentState::Auction && told.quantity_lots > 0;
        let quantity = Quantity::from_lots(told.quantity_lots);
        tells.then_some((Price::from_ticks(told.price_ticks), quantity, told.surplus_lots))
    }

    /// The price that triggers with this source look at.
    pub fn source_price(&self, instrument: InstrumentId, source: PriceSource) -> Option<Price> {
        self.markets.get(instrument.index())?.source_price(source)
    }

    /// How many orders are open.
    pub fn open_order_count(&self) -> usize {
        self.open.slab.len()
    }

    /// How many prices of an instrument have orders, bids and asks.
    pub fn level_counts(&self, instrument: InstrumentId) -> (usize, usize) {
        let count = |side| self.level_views(instrument, side).count();
        let market = &self.markets[instrument.index()];
        if market.aside.is_some() {
            return (count(Side::Buy), count(Side::Sell));
        }
        (market.book.side(Side::Buy).level_count(), market.book.side(Side::Sell).level_count())
    }

    /// How many trades an instrument has seen.
    pub fn trade_count(&self, instrument: InstrumentId) -> u64 {
        self.markets[instrument.index()].trades
    }

    /// The best displayed price of one side.
    pub fn best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let best = |book: &Book| book.best(side);
        self.markets[instrument.index()].displayed().filter_map(best).reduce(|one, other| side.better(one, other))
    }

    /// The levels of one side, best first, without following pegs: [`Engine::level_views`] has these too.
    pub fn levels(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = (Price, &Level)> {
        self.markets[instrument.index()].book.levels(side)
    }

    /// The levels of one side with their number of orders, best first.
    pub fn level_views(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = LevelView> {
        let slab = &self.open.slab;
        let count = |(book, level): (&Book, Option<&Level>)| level.map_or(0, |level| book.queue(slab, level).count());
        self.merged(instrument, side).map(move |(price, levels)| LevelView {
            price,
            quantity: levels.iter().flat_map(|(_, level)| *level).fold(Quantity::ZERO, |sum, level| sum + level.open()),
            orders: levels.iter().map(|part| count(*part)).sum::<usize>() as u32,
        })
    }

    /// The displayed price levels of one side and what stands there, best first.
    pub fn depth(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = (Price, Quantity)> {
        let open = |sum, (_, level): &(&Book, Option<&Level>)| sum + level.map_or(Quantity::ZERO, Level::open);
        self.merged(instrument, side).map(move |(price, levels)| (price, levels.iter().fold(Quantity::ZERO, open)))
    }

    /// The displayed levels of one side by price, best first, with their books.
    fn merged(
        &self,
        instrument: InstrumentId,
        side: Side,
    ) -> impl Iterator<Item = (Price, Vec<(&Book, Option<&Level>)>)> {
        let market = &self.markets[instrument.index()];
        let mut levels: Vec<_> = market.displayed().map(|book| (book, book.levels(side).peekable())).collect();
        core::iter::from_fn(move || {
            let nearest = levels.iter_mut().filter_map(|(_, levels)| levels.peek().map(|(price, _)| *price));
            let price = nearest.reduce(|one, other| side.better(one, other))?;
            let here = levels.iter_mut().map(|(book, levels)| {
                let level = levels.next_if(|(next, _)| *next == price);
                (*book, level.map(|(_, level)| level))
            });
            Some((price, here.collect()))
        })
    }

    /// What stands at one price.
    pub fn open_at(&self, instrument: InstrumentId, side: Side, price: Price) -> Quantity {
        let books = self.markets[instrument.index()].displayed();
        books.fold(Quantity::ZERO, |sum, book| sum + book.open_at(side, price))
    }

    /// The orders of one side in the order in which they would trade.
    pub fn queue_views(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = OrderView<'_>> {
        let market = &self.markets[instrument.index()];
        let slots = self.level_views(instrument, side);
        let slots = slots.flat_map(move |level| displayed_at(market, &self.open, side, level.price));
        slots.map(|slot| self.view(slot))
    }

    /// An open order.
    pub fn order(&self, id: OrderId) -> Option<OrderView<'_>> {
        self.open.find(id).map(|slot| self.view(slot))
    }

    /// An account's open order by its client order id.
    pub fn client_order(&self, account: AccountId, id: &ClientOrderId<'_>) -> Option<OrderView<'_>> {
        self.open.find_client(account, id).map(|slot| self.view(slot))
    }

    /// The open orders, of one account or of all, by ascending id.
    pub fn open_orders(&self, account: Option<AccountId>) -> Vec<OrderView<'_>> {
        let wanted = |owner| account.is_none_or(|account| account == owner);
        let slots = self.open.slab.iter().filter(|(_, order)| wanted(order.account));
        let mut views: Vec<_> = slots.map(|(slot, _)| self.view(slot)).collect();
        views.sort_unstable_by_key(|view| view.id);
        views
    }

    /// A list that ties orders together.
    pub fn order_list(&self, id: ListId) -> Option<ListView> {
        self.open.lists.get(id).map(|list| list_view(id, list))
    }

    /// The lists that tie orders together, of one account or of all, by ascending id.
    pub fn order_lists(&self, account: Option<AccountId>) -> Vec<ListView> {
        let wanted = |list: &List| account.is_none_or(|account| account == list.account);
        self.open.lists.iter().filter(|(_, list)| wanted(list)).map(|(id, list)| list_view(id, list)).collect()
    }

    pub(crate) fn view(&self, slot: Slot) -> OrderView<'_> {
        let order = &self.open.slab[slot];
        let market = &self.markets[order.terms.instrument.index()];
        let again = self.open.order_again(slot, Price::default());
        let waits_for = match self.open.station(slot) {
            Station::Book
            | Station::Hidden
            | Station::Peg
            | Station::Auction
            | Station::Pending
            | Station::Approval => None,
            Station::Trigger => self.open.conditional(slot).conditions.trigger,
        };
        // Times in force are remembered where conditions are, but are none.
        let is_conditional = again.flags.has(OrderFlags::CONDITIONS)
            && self.open.conditional(slot).conditions != Conditions::default()
            || !again.time_in_force.is_remembered();
        let triggers = market.triggers.as_deref();
        let trigger = waits_for
            .zip(triggers)
            .map(|(trigger, triggers)| (trigger, triggers.price_of(&self.open.slab, slot, &trigger)));
        OrderView {
            id: order.id,
            account: order.account,
            instrument: order.terms.instrument,
            side: order.terms.side,
            price: price_of(market, &self.open, slot),
            total: self.open.notes[slot.0 as usize].total,
            open: self.open.open_of(slot),
            displayed: match self.open.station(slot) {
                Station::Book => order.open,
                Station::Peg if order.is_queued() && !self.open.conditions(slot).hidden => order.open,
                Station::Trigger
                | Station::Hidden
                | Station::Peg
                | Station::Auction
                | Station::Pending
                | Station::Approval => Quantity::ZERO,
            },
            prevented: self.open.notes[slot.0 as usize].prevented,
            self_trade_prevention: order.terms.self_trade_prevention,
            flags: if is_conditional { again.flags } else { again.flags.without(OrderFlags::CONDITIONS) },
            client_order_id: self.open.client_order_id(slot),
            hold: hold_of(market, &self.open, slot).1,
            order_type: again.order_type,
            time_in_force: again.time_in_force,
            trigger,
            list: if order.terms.flags.has(OrderFlags::LISTED) { Some(self.open.conditional(slot).list) } else { None },
            is_pending: self.open.station(slot) == Station::Pending,
            needs_trigger: match self.open.station(slot) {
                Station::Trigger | Station::Pending | Station::Approval => self.open.conditions(slot).trigger.is_some(),
                Station::Book | Station::Hidden | Station::Peg | Station::Auction => false,
            },
            expire_time_ns: self.open.conditions(slot).expire_time_ns,
            approval: self.open.approvals.get(&order.id).map(|approval| ApprovalView {
                needed: approval.needed,
                approvers: &approval.approvers,
                deadline_ns: approval.deadline_ns,
                hash: &approval.hash,
            }),
            iceberg: self.open.conditions(slot).iceberg,
            hidden: self.open.conditions(slot).hidden,
            peg: self.open.conditions(slot).peg,
            session: self.open.session(slot),
        }
    }

    /// Bytes of all open orders, books and balances.
    pub fn memory_bytes(&self) -> usize {
        let of_market = |market: &Market| {
            let waiting = market.triggers.as_deref().map_or(0, Triggers::memory_bytes);
            let session = market.session.as_deref().map_or(0, Session::memory_bytes);
            let aside = market.books().map(Book::memory_bytes).sum::<usize>();
            aside + market.instrument.exposures.memory_bytes() + waiting + session
        };
        let markets: usize = self.markets.iter().map(of_market).sum();
        markets
            + self.sessions.memory_bytes()
            + self.open.memory_bytes()
            + self.ledger.memory_bytes()
            + self.risk.memory_bytes()
    }
}
