//! The call of an auction: who takes part beside the book, at what price it would trade, and how it does.
//!
//! Limit orders stand on the book, which may be crossed while orders are gathered. Market orders stand in a queue of their own, and
//! so do the orders that wait for an auction to come.

use std::collections::BTreeMap;

use tradewright_book::{AuctionMatch, AuctionTerms, Book, Collar, Indicative, Orders, Slot, Uncross, matches, uncross};
use tradewright_ledger::Fill;
use tradewright_risk::{Band, HeldOrder, resting_hold};
use tradewright_types::{
    AccountId, Amount, AuctionPhase, CloseReason, EventFlags, EventKind, EventRecord, InstrumentId, InstrumentState,
    OrderFlags, OrderId, OrderType, Price, Quantity, RoundedFee, Side, Size, TimeInForce,
};

use crate::Engine;
use crate::emit::{Emitter, Match};
use crate::floor::{Floor, Market};
use crate::open_orders::{Conditional, OpenOrders, Station, Terms};

/// The orders that stand beside the book, and what is known of the price.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// Which orders for auctions only take part: those of this phase.
    pub(crate) joined: AuctionPhase,
    /// Market orders that take part, in time order: one queue a side.
    pub(crate) market_orders: Book,
    /// Orders that wait for their auction: one queue a side and time in force.
    pub(crate) later: Book,
    /// How many market bids are held at which price.
    limits: BTreeMap<Price, u32>,
    indicative: Indicative,
    told: Told,
}

/// What the last indication said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) price_ticks: i64,
    pub(crate) quantity_lots: u64,
    pub(crate) surplus_lots: i128,
}

impl Told {
    fn of(found: Option<Uncross>) -> Self {
        found.map_or(Self::default(), |found| Self {
            price_ticks: found.price.ticks(),
            quantity_lots: found.quantity.lots(),
            surplus_lots: found.surplus_lots,
        })
    }
}

/// Where all market orders of a side stand: they have no price.
const ANYWHERE: Price = Price::from_ticks(0);

/// Where the orders wait that have a time in force.
const fn waiting_place(in_force: TimeInForce) -> Price {
    Price::from_ticks(in_force as i64)
}

impl Call {
    /// Nothing is told yet.
    pub(crate) fn begin_telling(&mut self) {
        (self.indicative, self.told) = (Indicative::default(), Told::default());
    }

    pub(crate) fn told(&self) -> Told {
        self.told
    }

    pub(crate) fn restore_told(&mut self, told: Told) {
        self.told = told;
    }

    /// The books beside the book.
    pub(crate) fn books(&self) -> [&Book; 2] {
        [&self.market_orders, &self.later]
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.books().into_iter().map(Book::memory_bytes).sum()
    }

    /// Puts an order into the queue where it belongs that stands beside the book.
    pub(crate) fn take_in(&mut self, open: &mut OpenOrders, slot: Slot) {
        let (side, lots) = (open.slab[slot].terms.side, open.slab[slot].open);
        let known = *open.conditional(slot);
        if self.takes_part(&known) {
            self.market_orders.rest(&mut open.slab, side, ANYWHERE, slot, lots);
            if side == Side::Buy {
                *self.limits.entry(known.limit).or_default() += 1;
            }
        } else {
            self.later.rest(&mut open.slab, side, waiting_place(known.time_in_force), slot, lots);
        }
    }

    /// Takes an order out of the queue in which it stands beside the book.
    pub(crate) fn leave(&mut self, open: &mut OpenOrders, slot: Slot) {
        let side = open.slab[slot].terms.side;
        let known = *open.conditional(slot);
        if !self.takes_part(&known) {
            self.later.remove(&mut open.slab, side, slot);
            return;
        }
        self.market_orders.remove(&mut open.slab, side, slot);
        if side == Side::Buy
            && let Some(count) = self.limits.get_mut(&known.limit)
        {
            *count -= 1;
            if *count == 0 {
                self.limits.remove(&known.limit);
            }
        }
    }

    /// Whether an order beside the book takes part: a market order of the phase that has joined.
    fn takes_part(&self, known: &Conditional) -> bool {
        known.order_type == OrderType::Market && known.time_in_force.joins(self.joined)
    }

    /// What the auction depends on. The collar is left out where the price without it is wanted.
    fn terms(&self, market: &Market, collar: Option<Band>) -> AuctionTerms {
        let highest = self.limits.keys().next().copied().unwrap_or(Price::from_ticks(i64::MAX));
        let (low, high) = collar.map_or((Price::from_ticks(1), highest), |band| {
            (band.low.max(Price::from_ticks(1)), band.high.min(highest))
        });
        let increment = market.instrument.limits().price_increment_ticks;
        AuctionTerms {
            market_buys: self.market_orders.open_at(Side::Buy, ANYWHERE),
            market_sells: self.market_orders.open_at(Side::Sell, ANYWHERE),
            reference: market.instrument.auction_reference(),
            collar: Some(Collar { low, high }),
            price_increment_ticks: increment.try_into().expect("Invariant: an increment is not zero"),
        }
    }

    /// Panics unless the limits are those of the market bids, and the price that is kept is the one the book gives.
    pub(crate) fn check_invariants(&self, market: &Market, open: &OpenOrders) {
        let Self { joined: _, market_orders, later: _, limits, indicative, told: _ } = self;
        let mut counted: BTreeMap<Price, u32> = BTreeMap::new();
        for (_, level) in market_orders.levels(Side::Buy) {
            for slot in market_orders.queue(&open.slab, level) {
                *counted.entry(open.conditional(slot).limit).or_default() += 1;
            }
        }
        assert_eq!(*limits, counted, "Invariant: the prices that market bids are held at are known");
        if market.instrument.state == InstrumentState::Auction && gathered(market).is_none() {
            indicative.check_invariants(&market.book);
        }
    }
}

impl Floor<'_> {
    /// Lets an approved order in that is for auctions only: into the call that takes it, or to where it waits for one.
    pub(crate) fn enter_for_auction(&mut self, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        self.last_order.0 += 1;
        let id = *self.last_order;
        emit.accepted(id, held);
        let order = held.order();
        let Size::Lots(open) = order.size else { unreachable!("Invariant: orders for auctions are by quantity") };
        let joins = order.time_in_force.joins(self.session().call.joined);
        let flags = order.flags.with(OrderFlags::CONDITIONS);
        if joins && order.order_type == OrderType::Limit {
            let slot = self.open_slot(id, held, flags, open, Quantity::ZERO, RoundedFee::default());
            self.note_conditions(id, slot, held, Station::Book);
            self.take_place(slot, held.limit());
            return;
        }
        let flags = flags.with(OrderFlags::WAITING);
        let slot = self.open_slot(id, held, flags, open, Quantity::ZERO, RoundedFee::default());
        self.note_conditions(id, slot, held, Station::Auction);
        self.market.session.get_or_insert_default().call.take_in(self.open, slot);
    }

    /// Orders that wait for this phase come into the call, behind those that are there.
    pub(crate) fn join(&mut self, phase: AuctionPhase) {
        let waiting = |slot: Slot| {
            self.open.station(slot) == Station::Auction && self.open.conditional(slot).time_in_force.joins(phase)
        };
        let slots = self.by_priority(self.orders_of_sessions(waiting));
        self.unfold_icebergs();
        let call = &mut self.market.session.get_or_insert_default().call;
        slots.iter().for_each(|slot| call.leave(self.open, *slot));
        call.joined = phase;
        for slot in slots {
            self.open.renew_priority(slot);
            let Conditional { limit, order_type, .. } = *self.open.conditional(slot);
            if order_type == OrderType::Market {
                self.market.session.get_or_insert_default().call.take_in(self.open, slot);
                continue;
            }
            self.open.end_waiting(slot);
            self.take_place(slot, limit);
        }
    }

    /// The orders for auctions only leave a call that did not come to its end, and wait again.
    pub(crate) fn withdraw(&mut self) {
        let slots = self.by_priority(self.orders_of_sessions(|slot| self.in_force(slot).is_for_auction()));
        for slot in slots {
            let side = self.open.slab[slot].terms.side;
            let in_force = self.in_force(slot);
            let session = self.market.session.get_or_insert_default();
            if !in_force.joins(session.call.joined) {
                continue;
            }
            if self.open.station(slot) == Station::Auction {
                session.call.leave(self.open, slot);
            } else {
                let limit = self.market.book.price_of(&self.open.slab, side, slot);
                self.market.book.remove(&mut self.open.slab, side, slot);
                self.open.begin_waiting(slot, Station::Auction, limit);
            }
            let open = self.open.slab[slot].open;
            session.call.later.rest(&mut self.open.slab, side, waiting_place(in_force), slot, open);
        }
        self.session().call.joined = AuctionPhase::None;
    }

    fn by_priority(&self, mut slots: Vec<Slot>) -> Vec<Slot> {
        slots.sort_by_key(|slot| self.open.notes[slot.0 as usize].priority);
        slots
    }

    /// The prices at which the auction may trade, where a collar is set and there is something to lay it around.
    fn collar(&self) -> Option<Band> {
        let ppm = self.market.session.as_deref().map_or(0, |session| session.terms.collar_ppm);
        let reference = self.market.instrument.auction_reference().filter(|_| ppm > 0)?;
        Some(Band::around(reference, ppm, ppm))
    }

    /// Whether the call goes on: its price lies outside the collar, and it may.
    pub(crate) fn is_to_go_on(&self) -> bool {
        let (Some(session), Some(collar)) = (self.market.session.as_deref(), self.collar()) else { return false };
        if session.extensions >= session.terms.extensions_max {
            return false;
        }
        let gathered = gathered(self.market);
        let free = uncross(gathered.as_ref().unwrap_or(&self.market.book), &session.call.terms(self.market, None));
        free.is_some_and(|free| !collar.contains(free.price))
    }

    /// Trades the auction, ends the orders that were for it alone, and gives the price if there was one.
    pub(crate) fn uncross(&mut self, emit: &mut Emitter<'_>) -> Option<Price> {
        let collar = self.collar();
        let session = self.market.session.as_deref().expect("Invariant: a call belongs to a session");
        let (call, phase) = (&session.call, session.phase);
        let gathered = gathered(self.market);
        let found = uncross(gathered.as_ref().unwrap_or(&self.market.book), &call.terms(self.market, collar));
        let queue = |side| {
            call.market_orders.levels(side).flat_map(|(_, level)| call.market_orders.queue(&self.open.slab, level))
        };
        let pairs: Vec<AuctionMatch> = match found {
            None => Vec::new(),
            Some(found) if gathered.is_none() => {
                matches(&self.market.book, &self.open.slab, queue(Side::Buy), queue(Side::Sell), found).collect()
            }
            Some(found) => {
                // Who stands on several books is lined up first, as if all had come without a price.
                let line = |side| queue(side).chain(self.line_within(side, found.price)).collect::<Vec<_>>();
                let none = Book::default();
                matches(&none, &self.open.slab, line(Side::Buy), line(Side::Sell), found).collect()
            }
        };
        if let Some(found) = found {
            pairs.iter().for_each(|pair| self.trade_pair(pair, found.price, emit));
            self.market.instrument.set_last(found.price);
        }
        self.restart_breaker();
        emit.auction(EventKind::AuctionUncrossed, self.id, phase, Told::of(found));
        self.act_on_protections(emit);
        for slot in self.orders_of_sessions(|slot| self.in_force(slot).joins(phase)) {
            self.close_as(slot, EventKind::OrderExpired, CloseReason::AuctionEnded, emit);
        }
        self.session().call.joined = AuctionPhase::None;
        self.end_crossing(emit);
        found.map(|found| found.price)
    }

    /// Ends orders that still cross, because they meet at no price at which the auction may trade: of the two first in line, the one
    /// that came later.
    fn end_crossing(&mut self, emit: &mut Emitter<'_>) {
        let priority = |floor: &Self, slot: Slot| floor.open.notes[slot.0 as usize].priority;
        while let Some(ask) = self.market.best_of_all(Side::Sell)
            && let Some(bid) = self.front_of_all(Side::Buy, ask)
            && let Some(ask) = self.front_of_all(Side::Sell, ask)
        {
            let later = if priority(self, bid.slot) > priority(self, ask.slot) { bid.slot } else { ask.slot };
            self.close_as(later, EventKind::OrderExpired, CloseReason::OutsideCollar, emit);
        }
    }

    /// One trade of an auction. The bid is posted as the ledger posts a taker, at the rate of a maker.
    fn trade_pair(&mut self, pair: &AuctionMatch, price: Price, emit: &mut Emitter<'_>) {
        let AuctionMatch { buy, sell, quantity } = *pair;
        if self.market.lists > 0 {
            self.before_trade(buy, emit);
            self.before_trade(sell, emit);
        }
        let (limit, hold) = (self.price_of(buy), self.hold_of(buy).1);
        let units = self.market.instrument.units;
        let notional = units.notional(price, quantity);
        let bid_fee = auction_fee(&mut self.open.slab[buy].terms, notional);
        let ask_fee = auction_fee(&mut self.open.slab[sell].terms, notional);
        let (bid, ask) = (self.open.slab[buy], self.open.slab[sell]);
        let (left, ask_left) = (bid.open - quantity, ask.open - quantity);
        let keep = resting_hold(&units, Side::Buy, limit, left, bid.terms.maker_rate, bid.terms.maker_fee);
        let mut settlement = self.ledger.begin_taker(bid.account, Side::Buy, units.base, units.quote);
        let base = units.base_amount(quantity);
        let fill = Fill { maker: ask.account, base, notional, taker_fee: bid_fee, maker_fee: ask_fee };
        self.ledger.settle_maker(&mut settlement, &fill);
        self.ledger.settle_taker(&settlement, hold, keep);
        *self.market.instrument.open_bids_mut(bid.account) -= quantity.lots();
        self.market.trades += 1;
        let done = EventFlags::TAKER_DONE.when(left.is_zero()).with(EventFlags::MAKER_DONE.when(ask_left.is_zero()));
        emit.trade(&Match {
            instrument: self.id,
            taker: bid.id,
            taker_account: bid.account,
            maker: ask.id,
            maker_account: ask.account,
            side: Side::Buy,
            price,
            quantity,
            open: left,
            amount: bid_fee,
            counter_amount: ask_fee,
            flags: EventFlags::AUCTION.with(done),
            reference: self.market.trades,
        });
        self.count_in_call(buy, quantity);
        self.count_in_call(sell, quantity);
        self.shrink_in_call(buy, Side::Buy, quantity, left.is_zero());
        self.shrink_in_call(sell, Side::Sell, quantity, ask_left.is_zero());
    }

    /// Takes what was traded from an order; one that has nothing left goes.
    fn shrink_in_call(&mut self, slot: Slot, side: Side, quantity: Quantity, done: bool) {
        let station = self.open.station(slot);
        let is_beside = station == Station::Auction;
        if done && is_beside {
            self.leave_call(slot);
        } else if done {
            self.leave_book(slot);
        } else {
            let session = self.market.session.as_deref_mut().filter(|_| is_beside);
            let book = match session {
                Some(session) => &mut session.call.market_orders,
                None => self.market.shelf_mut(self.open.shelf(slot)),
            };
            book.reduce(&mut self.open.slab, side, slot, quantity);
            self.open.mark(slot);
            return;
        }
        self.forget(slot);
    }

    /// Takes an order out of where it stands beside the book.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_call(&mut self, slot: Slot) {
        self.market.session.get_or_insert_default().call.leave(self.open, slot);
    }

    /// Tells at what price the auction would trade, when that is not what was told before.
    fn tell_indication(&mut self, emit: &mut Emitter<'_>) {
        let collar = self.collar();
        let Some(session) = self.market.session.as_deref() else { return };
        let terms = session.call.terms(self.market, collar);
        let gathered = gathered(self.market);
        let Market { book, session: Some(session), .. } = &mut *self.market else { return };
        let now = Told::of(match gathered {
            None => session.call.indicative.uncross(book, &terms),
            Some(gathered) => uncross(&gathered, &terms),
        });
        if now != session.call.told {
            session.call.told = now;
            emit.auction(EventKind::AuctionIndication, self.id, session.phase, now);
        }
    }

    /// Takes note of what an event says about the book of an auction.
    fn note_event(&mut self, event: &EventRecord) {
        let Some(session) = self.market.session.as_deref_mut() else { return };
        let indicative = &mut session.call.indicative;
        let side = Side::from_code(event.side).unwrap_or(Side::Buy);
        let Some(kind) = EventKind::from_code(event.kind) else { return };
        match kind {
            EventKind::OrderAccepted | EventKind::OrderCancelled | EventKind::OrderExpired => {
                indicative.note(side, Price::from_ticks(event.price_ticks));
            }
            EventKind::OrderAmended
            | EventKind::OrderDisplay
            | EventKind::OrderRefreshed
            | EventKind::Trade
            | EventKind::MatchPrevented
            | EventKind::OrderTriggered
            | EventKind::ListUpdated
            | EventKind::InstrumentStateChanged => *indicative = Indicative::default(),
            EventKind::Rejected
            // What they say of the book is told again by its orders.
            | EventKind::QuoteAccepted
            | EventKind::QuoteProtectionTriggered
            // Nobody is released in a call, and who waits for approval does not stand in it.
            | EventKind::ApprovalRequired
            | EventKind::OrderApproved
            | EventKind::ApprovalDeclined
            | EventKind::OrderReleased
            | EventKind::ClientOrderIdText
            | EventKind::OrderConditions
            | EventKind::Deposited
            | EventKind::WithdrawalRequested
            | EventKind::WithdrawalConfirmed
            | EventKind::WithdrawalCancelled
            | EventKind::Transferred
            | EventKind::TransferSent
            | EventKind::TransferReceived
            | EventKind::TransferConfirmed
            | EventKind::SettingApplied
            | EventKind::AuctionIndication
            | EventKind::AuctionUncrossed
            | EventKind::BreakerTripped
            | EventKind::ListAccepted
            | EventKind::ListDone
            | EventKind::ClientListIdText
            | EventKind::MarketWideLevelReached
            | EventKind::OrderRepriced
            | EventKind::SessionOpened
            | EventKind::SessionNameText
            | EventKind::CommandRepeated
            | EventKind::KeyRegistered
            | EventKind::KeyRevoked
            | EventKind::KeyIdText => {}
        }
    }
}

/// The totals of all books on one, where hidden orders stand beside the displayed ones: the price depends on them too. One order
/// stands for each price.
fn gathered(market: &Market) -> Option<Book> {
    let aside = market.books_aside();
    if aside.iter().all(|book| [Side::Buy, Side::Sell].into_iter().all(|side| book.best(side).is_none())) {
        return None;
    }
    let (mut book, mut orders) = (Book::default(), Orders::<()>::with_capacity(0));
    for side in [Side::Buy, Side::Sell] {
        let mut totals: BTreeMap<Price, Quantity> = BTreeMap::new();
        for (price, level) in market.books().flat_map(|book| book.levels(side)) {
            *totals.entry(price).or_default() += level.open();
        }
        for (price, total) in totals {
            let slot = orders.insert(OrderId(1), AccountId(0), total, ());
            book.rest(&mut orders, side, price, slot, total);
        }
    }
    Some(book)
}

/// What an order pays for a trade in an auction: its maker's fee. A rebate is not paid, and the trade does not count towards one.
fn auction_fee(terms: &mut Terms, notional: Amount) -> Amount {
    if terms.maker_rate.ppm() > 0 { terms.maker_fee.charge(terms.maker_rate, notional) } else { Amount::ZERO }
}

impl Engine {
    /// Tells the prices of the auctions that this command's events have changed, by instrument.
    #[cold]
    #[inline(never)]
    pub(crate) fn tell_indications(&mut self, emit: &mut Emitter<'_>) {
        if self.open.timers.auctions() == 0 {
            return;
        }
        let mut touched = Vec::new();
        for place in 0..emit.written().len() {
            let event = emit.written()[place];
            let is_about_money = matches!(
                EventKind::from_code(event.kind),
                Some(
                    EventKind::Deposited
                        | EventKind::WithdrawalRequested
                        | EventKind::WithdrawalConfirmed
                        | EventKind::WithdrawalCancelled
                        | EventKind::Transferred
                        | EventKind::TransferSent
                        | EventKind::TransferReceived
                        | EventKind::TransferConfirmed
                )
            );
            let id = InstrumentId(event.instrument);
            let market = self.markets.get(id.index()).filter(|_| !is_about_money);
            if market.is_some_and(|market| market.instrument.state == InstrumentState::Auction) {
                self.known_floor(id).note_event(&event);
                touched.push(id);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            self.known_floor(id).tell_indication(emit);
        }
    }
}
