//! Events as messages of the feed.
//!
//! Events tell when an order comes and when it goes, but not that what is left of it came to the book: that is when its turn is
//! over and it still has something open. So the builder keeps a little of every open order, and settles those whose place is
//! not decided yet when another order meets them, or when the command is over.

use std::collections::BTreeMap;

use tradewright_engine::{Engine, OrderView};
use tradewright_types::{
    AuctionPhase, EventFlags, EventKind, EventRecord, InstrumentId, InstrumentState, OrderType, Peg, Side, TimeInForce,
};

use super::{
    Add, Auction, Delete, Execute, FeedBook, FeedMessage, Reduce, Replace, SnapshotBegin, SnapshotEnd,
    SnapshotInstrument, SnapshotOrder, State, Trade,
};
use crate::codes::BoolEnum;
use crate::order_map::NumberMap;
use crate::spec::{Block, Code};

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Station {
    /// Its turn is not over: what is left of it will rest, or not.
    Undecided,
    /// On the book, where everybody sees it.
    Shown,
    /// On the book, where nobody does.
    Hidden,
    /// Outside: for its trigger, for approval, for another order, for a price to follow.
    Waits,
    /// Outside, for an auction.
    WaitsForAuction,
    /// In an auction, without a price.
    Beside,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    station: Station,
    instrument: u32,
    side: Side,
    order_type: OrderType,
    time_in_force: TimeInForce,
    price_ticks: i64,
    open: u64,
    /// What it shows; of an order that is undecided, what it will.
    displayed: u64,
    is_iceberg: bool,
    is_hidden: bool,
    follows: bool,
    has_trigger: bool,
    /// Whether clients see it still while its turn is not over.
    is_still_shown: bool,
    /// Who came first among those that wait for an auction.
    priority: u64,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default)]
struct Market {
    state: u8,
    phase: u8,
    /// The phase whose orders take part in a call; 0 is none.
    joined: u8,
}

/// Makes messages of events. See the module.
#[derive(Clone, Debug)]
pub struct FeedBuilder {
    orders: NumberMap<u64, Order>,
    markets: BTreeMap<u32, Market>,
    /// Orders whose place is not decided, in the order of their turns.
    undecided: Vec<u64>,
    /// A list whose orders are being told: how many are left, and whether the next one waits for another.
    list_left: u64,
    list_has_working_leg: bool,
    is_first_leg: bool,
    book: FeedBook,
    next_sequence: u64,
    priorities: u64,
    index: u64,
    time_ns: u64,
}

/// Where messages go.
type Sink<'s> = &'s mut dyn FnMut(u64, FeedMessage);

impl FeedBuilder {
    /// A builder for a venue that is still empty.
    pub fn new() -> Self {
        Self {
            orders: NumberMap::default(),
            markets: BTreeMap::new(),
            undecided: Vec::new(),
            list_left: 0,
            list_has_working_leg: false,
            is_first_leg: false,
            book: FeedBook::default(),
            next_sequence: 1,
            priorities: 0,
            index: 0,
            time_ns: 0,
        }
    }

    /// A builder for an engine as it is now, whose next message has this sequence.
    pub fn of(engine: &Engine, next_sequence: u64) -> Self {
        let mut builder = Self { next_sequence, index: engine.sequence(), time_ns: engine.time_ns(), ..Self::new() };
        for view in engine.open_orders(None) {
            builder.insert_view(&view);
        }
        for place in 0..engine.instrument_count() as u32 {
            let id = InstrumentId(place);
            let state = engine.instrument(id).map_or(InstrumentState::Continuous, |instrument| instrument.state);
            let phase = engine.auction_phase(id);
            let in_call = builder.orders.values().any(|order| {
                order.instrument == place && order.station == Station::Shown && order.time_in_force.is_for_auction()
            });
            let joined = if state.is_call() || in_call { phase as u8 } else { 0 };
            builder.markets.insert(place, Market { state: state as u8, phase: phase as u8, joined });
            let last_price = engine.instrument(id).and_then(|instrument| instrument.last());
            let head = SnapshotInstrument {
                last_price: last_price.map_or(0, |price| price.ticks()).into(),
                instrument: place.into(),
                state: Code(state as u8),
                phase: Code(phase as u8),
            };
            let fits = builder.book.apply(&head.into());
            debug_assert_eq!(fits, Ok(()), "Invariant: an instrument fits to any book");
            for order in builder.orders.values_mut().filter(|order| order.instrument == place) {
                let joins = AuctionPhase::from_code(joined).is_some_and(|phase| order.time_in_force.joins(phase));
                if order.station == Station::WaitsForAuction && joins {
                    order.station = Station::Beside;
                }
            }
            for side in [Side::Buy, Side::Sell] {
                for view in engine.queue_views(id, side) {
                    let add = SnapshotOrder {
                        order: view.id.0.into(),
                        price: view.price.ticks().into(),
                        quantity: view.displayed.lots().into(),
                        instrument: place.into(),
                        side: Code(side as u8),
                    };
                    let fits = builder.book.apply(&add.into());
                    debug_assert_eq!(fits, Ok(()), "Invariant: an engine shows each order once");
                }
            }
        }
        builder
    }

    fn insert_view(&mut self, view: &OrderView<'_>) {
        let follows = view.peg.is_some_and(|peg: Peg| !peg.is_fixed);
        let station = if !view.displayed.is_zero() {
            Station::Shown
        } else if view.trigger.is_some() || view.approval.is_some() || view.is_pending {
            Station::Waits
        } else if view.time_in_force.is_for_auction() {
            Station::WaitsForAuction
        } else if view.hidden && !follows {
            Station::Hidden
        } else {
            Station::Waits
        };
        self.priorities += 1;
        self.orders.insert(
            view.id.0,
            Order {
                station,
                instrument: view.instrument.0,
                side: view.side,
                order_type: view.order_type,
                time_in_force: view.time_in_force,
                price_ticks: view.price.ticks(),
                open: view.open.lots(),
                displayed: view.displayed.lots(),
                is_iceberg: view.iceberg.is_some(),
                is_hidden: view.hidden,
                follows,
                has_trigger: view.needs_trigger,
                is_still_shown: false,
                priority: self.priorities,
            },
        );
    }

    /// The book, as the messages told it.
    pub fn book(&self) -> &FeedBook {
        &self.book
    }

    /// The sequence of the next message.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Reads an event, and gives out the messages that it makes, each with its sequence.
    pub fn read(&mut self, event: &EventRecord, tell: &mut dyn FnMut(u64, FeedMessage)) {
        (self.index, self.time_ns) = (event.sequence, event.time_ns);
        self.read_kind(event, tell);
        if EventFlags(event.flags).has(EventFlags::LAST) {
            self.settle_all(tell);
            self.list_left = 0;
        }
    }

    fn tell(&mut self, message: FeedMessage, tell: Sink<'_>) {
        let fits = self.book.apply(&message);
        debug_assert_eq!(fits, Ok(()), "Invariant: a message fits to the book: {message:?}");
        tell(self.next_sequence, message);
        self.next_sequence += 1;
    }

    fn read_kind(&mut self, event: &EventRecord, tell: Sink<'_>) {
        match EventKind::from_code(event.kind) {
            Some(EventKind::Trade) => self.traded(event, tell),
            Some(EventKind::OrderAccepted) => self.accepted(event),
            Some(EventKind::OrderCancelled | EventKind::OrderExpired) => self.closed(event.order_id, tell),
            Some(EventKind::OrderConditions) => {
                if let Some(order) = self.orders.get_mut(&event.order_id) {
                    order.has_trigger = event.order_type != 0;
                    if order.has_trigger {
                        self.leave(event.order_id, Station::Waits);
                    }
                }
            }
            Some(EventKind::OrderDisplay) => self.displayed_so(event),
            Some(EventKind::ApprovalRequired) => self.leave(event.order_id, Station::Waits),
            Some(EventKind::OrderReleased) => self.released(event.order_id),
            Some(EventKind::OrderTriggered) => {
                if let Some(order) = self.orders.get_mut(&event.order_id) {
                    order.has_trigger = false;
                }
                self.take_turn(event.order_id);
            }
            Some(EventKind::ListAccepted) => {
                self.list_left = event.quantity_lots;
                self.list_has_working_leg = event.order_type != 1;
                self.is_first_leg = true;
            }
            Some(EventKind::ListUpdated) => self.leg_started(event),
            Some(EventKind::OrderAmended) => self.amended(event, tell),
            Some(EventKind::OrderRefreshed) => self.refreshed(event, tell),
            Some(EventKind::OrderRepriced) => self.repriced(event, tell),
            Some(EventKind::MatchPrevented) => self.prevented(event, tell),
            Some(EventKind::InstrumentStateChanged) => self.state_changed(event, tell),
            Some(EventKind::AuctionIndication) => self.auction(event, BoolEnum::False, tell),
            Some(EventKind::AuctionUncrossed) => self.auction(event, BoolEnum::True, tell),
            _ => {}
        }
    }

    fn accepted(&mut self, event: &EventRecord) {
        let (Some(side), Some(order_type), Some(time_in_force)) = (
            Side::from_code(event.side),
            OrderType::from_code(event.order_type),
            TimeInForce::from_code(event.time_in_force),
        ) else {
            return;
        };
        let mut is_pending = false;
        if self.list_left > 0 {
            self.list_left -= 1;
            is_pending = self.list_has_working_leg && !self.is_first_leg;
            self.is_first_leg = false;
        }
        self.priorities += 1;
        let order = Order {
            station: if is_pending { Station::Waits } else { Station::Undecided },
            instrument: event.instrument,
            side,
            order_type,
            time_in_force,
            price_ticks: event.price_ticks,
            open: event.quantity_lots,
            displayed: 0,
            is_iceberg: false,
            is_hidden: false,
            follows: false,
            has_trigger: false,
            is_still_shown: false,
            priority: self.priorities,
        };
        self.orders.insert(event.order_id, order);
        if !is_pending {
            self.undecided.push(event.order_id);
        }
    }

    fn displayed_so(&mut self, event: &EventRecord) {
        let Some(order) = self.orders.get_mut(&event.order_id) else { return };
        order.is_hidden = event.order_type == 1;
        order.is_iceberg = event.quantity_lots > 0;
        order.follows = event.time_in_force != 0 && event.self_trade_prevention == 0;
        if order.follows {
            self.leave(event.order_id, Station::Waits);
        }
    }

    /// Takes an order out of those that are undecided, to where it waits.
    fn leave(&mut self, id: u64, station: Station) {
        self.undecided.retain(|undecided| *undecided != id);
        if let Some(order) = self.orders.get_mut(&id) {
            order.station = station;
        }
    }

    /// An order comes to the market: what is left of it is decided later.
    fn take_turn(&mut self, id: u64) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        order.is_still_shown = order.station == Station::Shown;
        order.station = Station::Undecided;
        order.displayed = 0;
        self.undecided.retain(|undecided| *undecided != id);
        self.undecided.push(id);
    }

    /// An order is approved: it comes to the market, or waits for its trigger.
    fn released(&mut self, id: u64) {
        if self.orders.get(&id).is_some_and(|order| !order.has_trigger) {
            self.take_turn(id);
        }
    }

    fn leg_started(&mut self, event: &EventRecord) {
        let Some(order) = self.orders.get_mut(&event.order_id) else { return };
        order.price_ticks = event.price_ticks;
        order.has_trigger = event.open_lots > 0;
        if !order.has_trigger {
            self.take_turn(event.order_id);
        }
    }

    /// Decides where the orders stand whose turn is over, up to and with `last`; or all of them.
    fn settle_up_to(&mut self, last: u64, taker: u64, tell: Sink<'_>) {
        let Some(place) = self.undecided.iter().position(|id| *id == last) else { return };
        let over: Vec<u64> = self.undecided.drain(..=place).collect();
        for id in over {
            if id == taker {
                self.undecided.insert(0, id);
            } else {
                self.settle(id, tell);
            }
        }
    }

    fn settle_all(&mut self, tell: Sink<'_>) {
        if self.undecided.is_empty() {
            return;
        }
        for id in core::mem::take(&mut self.undecided) {
            self.settle(id, tell);
        }
    }

    /// Puts what is left of an order where it stands now.
    fn settle(&mut self, id: u64, tell: Sink<'_>) {
        let Some(order) = self.orders.get(&id).copied() else { return };
        if order.station != Station::Undecided {
            return;
        }
        let joined = self.markets.get(&order.instrument).map_or(0, |market| market.joined);
        let joins = AuctionPhase::from_code(joined).is_some_and(|phase| order.time_in_force.joins(phase));
        let station = match (order.time_in_force.is_for_auction(), order.order_type) {
            (true, OrderType::Market) if joins => Station::Beside,
            (true, _) if !joins => Station::WaitsForAuction,
            _ if order.is_hidden => Station::Hidden,
            _ => Station::Shown,
        };
        let displayed = match (station == Station::Shown, order.is_iceberg && order.displayed > 0) {
            (false, _) => 0,
            (true, true) => order.displayed,
            (true, false) => order.open,
        };
        let settled = Order { station, displayed, is_still_shown: false, ..order };
        self.orders.insert(id, settled);
        if station == Station::Shown && displayed > 0 {
            if order.is_still_shown {
                self.tell_replace(id, &settled, tell);
            } else {
                self.tell_add(id, &settled, tell);
            }
        } else if order.is_still_shown {
            self.tell_delete(id, order.instrument, tell);
        }
    }

    fn tell_add(&mut self, id: u64, order: &Order, tell: Sink<'_>) {
        let add = Add {
            index: self.index.into(),
            time: self.time_ns.into(),
            order: id.into(),
            price: order.price_ticks.into(),
            quantity: order.displayed.into(),
            instrument: order.instrument.into(),
            side: Code(order.side as u8),
        };
        self.tell(add.into(), tell);
    }

    fn tell_replace(&mut self, id: u64, order: &Order, tell: Sink<'_>) {
        let replace = Replace {
            index: self.index.into(),
            time: self.time_ns.into(),
            order: id.into(),
            price: order.price_ticks.into(),
            quantity: order.displayed.into(),
            instrument: order.instrument.into(),
        };
        self.tell(replace.into(), tell);
    }

    fn tell_delete(&mut self, id: u64, instrument: u32, tell: Sink<'_>) {
        let (index, time) = (self.index.into(), self.time_ns.into());
        self.tell(Delete { index, time, order: id.into(), instrument: instrument.into() }.into(), tell);
    }

    fn tell_reduce(&mut self, id: u64, order: &Order, tell: Sink<'_>) {
        let reduce = Reduce {
            index: self.index.into(),
            time: self.time_ns.into(),
            order: id.into(),
            remaining: order.displayed.into(),
            instrument: order.instrument.into(),
        };
        self.tell(reduce.into(), tell);
    }

    /// An order is gone.
    fn closed(&mut self, id: u64, tell: Sink<'_>) {
        let Some(order) = self.orders.remove(&id) else { return };
        if order.station == Station::Undecided {
            self.undecided.retain(|undecided| *undecided != id);
        }
        if order.station == Station::Shown && order.displayed > 0 || order.is_still_shown {
            self.tell_delete(id, order.instrument, tell);
        }
    }

    fn traded(&mut self, event: &EventRecord, tell: Sink<'_>) {
        let flags = EventFlags(event.flags);
        if flags.has(EventFlags::AUCTION) {
            return self.traded_in_auction(event, flags, tell);
        }
        let (taker, maker) = (event.order_id, event.counter_order_id);
        self.settle_up_to(maker, taker, tell);
        self.took(event, flags, tell);
        let Some(order) = self.orders.get_mut(&maker) else { return };
        order.open = order.open.saturating_sub(event.quantity_lots);
        let (is_shown, instrument) = (order.station == Station::Shown, order.instrument);
        if is_shown {
            order.displayed = order.displayed.saturating_sub(event.quantity_lots);
        }
        let remaining = order.displayed;
        if flags.has(EventFlags::MAKER_DONE) {
            self.orders.remove(&maker);
        }
        let message: FeedMessage = if is_shown {
            Execute {
                index: self.index.into(),
                time: self.time_ns.into(),
                order: maker.into(),
                price: event.price_ticks.into(),
                quantity: event.quantity_lots.into(),
                remaining: remaining.into(),
                trade: event.reference.into(),
                instrument: instrument.into(),
                aggressor: Code(event.side),
            }
            .into()
        } else {
            self.print(event, Code(event.side)).into()
        };
        self.tell(message, tell);
    }

    /// What a trade or a prevented match takes from the taker.
    fn took(&mut self, event: &EventRecord, flags: EventFlags, tell: Sink<'_>) {
        let taker = event.order_id;
        let Some(order) = self.orders.get_mut(&taker) else { return };
        order.open = order.open.saturating_sub(event.quantity_lots);
        let (was_shown, instrument) = (order.is_still_shown, order.instrument);
        order.is_still_shown = false;
        if was_shown {
            // It has left its place: what is left of it stands elsewhere.
            self.tell_delete(taker, instrument, tell);
        }
        if flags.has(EventFlags::TAKER_DONE) {
            self.orders.remove(&taker);
            self.undecided.retain(|undecided| *undecided != taker);
        }
    }

    fn print(&self, event: &EventRecord, aggressor: Code) -> Trade {
        Trade {
            index: self.index.into(),
            time: self.time_ns.into(),
            price: event.price_ticks.into(),
            quantity: event.quantity_lots.into(),
            trade: event.reference.into(),
            instrument: event.instrument.into(),
            aggressor,
        }
    }

    fn traded_in_auction(&mut self, event: &EventRecord, flags: EventFlags, tell: Sink<'_>) {
        self.settle_all(tell);
        let trade = self.print(event, Trade::NULL.aggressor);
        self.tell(trade.into(), tell);
        let sides = [
            (event.order_id, flags.has(EventFlags::TAKER_DONE)),
            (event.counter_order_id, flags.has(EventFlags::MAKER_DONE)),
        ];
        for (id, is_done) in sides {
            self.lose(id, event.quantity_lots, is_done, tell);
        }
    }

    /// An order in its place loses a part of what it has open.
    fn lose(&mut self, id: u64, lots: u64, is_done: bool, tell: Sink<'_>) {
        if is_done {
            return self.closed(id, tell);
        }
        let Some(order) = self.orders.get_mut(&id) else { return };
        order.open = order.open.saturating_sub(lots);
        let before = order.displayed;
        // The reserve goes first.
        order.displayed = order.displayed.min(order.open);
        let order = *order;
        if order.station == Station::Shown && order.displayed != before {
            self.tell_reduce(id, &order, tell);
        }
    }

    fn prevented(&mut self, event: &EventRecord, tell: Sink<'_>) {
        let flags = EventFlags(event.flags);
        self.settle_up_to(event.counter_order_id, event.order_id, tell);
        self.took(event, flags, tell);
        if event.open_lots > 0 || flags.has(EventFlags::MAKER_DONE) {
            self.lose(event.counter_order_id, event.open_lots, flags.has(EventFlags::MAKER_DONE), tell);
        }
    }

    fn amended(&mut self, event: &EventRecord, tell: Sink<'_>) {
        let id = event.order_id;
        self.settle_up_to(id, 0, tell);
        let Some(order) = self.orders.get_mut(&id) else { return };
        order.price_ticks = event.price_ticks;
        let before = core::mem::replace(&mut order.open, event.open_lots);
        if EventFlags(event.flags).has(EventFlags::KEPT_PRIORITY) {
            let lost = before.saturating_sub(event.open_lots);
            order.open = before;
            return self.lose(id, lost, false, tell);
        }
        if matches!(order.station, Station::Shown | Station::Hidden) {
            self.take_turn(id);
        }
    }

    fn refreshed(&mut self, event: &EventRecord, tell: Sink<'_>) {
        let Some(order) = self.orders.get_mut(&event.order_id) else { return };
        let before = core::mem::replace(&mut order.displayed, event.quantity_lots);
        order.open = event.open_lots;
        let order = *order;
        if order.station != Station::Shown || before == order.displayed {
            return;
        }
        if before == 0 {
            self.tell_add(event.order_id, &order, tell);
        } else {
            self.tell_reduce(event.order_id, &order, tell);
        }
    }

    fn repriced(&mut self, event: &EventRecord, tell: Sink<'_>) {
        self.settle_all(tell);
        let id = event.order_id;
        let Some(order) = self.orders.get_mut(&id) else { return };
        let was_shown = order.station == Station::Shown;
        order.price_ticks = event.price_ticks;
        order.station = match (event.price_ticks, order.is_hidden) {
            (0, _) => Station::Waits,
            (_, true) => Station::Hidden,
            (_, false) => Station::Shown,
        };
        order.displayed = if order.station == Station::Shown { order.open } else { 0 };
        let order = *order;
        match (was_shown, order.station == Station::Shown) {
            (true, true) => self.tell_replace(id, &order, tell),
            (false, true) => self.tell_add(id, &order, tell),
            (true, false) => self.tell_delete(id, order.instrument, tell),
            (false, false) => {}
        }
    }

    fn auction(&mut self, event: &EventRecord, is_over: BoolEnum, tell: Sink<'_>) {
        self.settle_all(tell);
        let surplus = event.amount.get().clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let auction = Auction {
            index: self.index.into(),
            time: self.time_ns.into(),
            price: event.price_ticks.into(),
            quantity: event.quantity_lots.into(),
            surplus: surplus.into(),
            instrument: event.instrument.into(),
            phase: Code(event.time_in_force),
            is_over: is_over.field(),
        };
        self.tell(auction.into(), tell);
    }

    /// The state of an instrument changed: orders for auctions come into a call or leave it, icebergs show all that they have.
    fn state_changed(&mut self, event: &EventRecord, tell: Sink<'_>) {
        use InstrumentState::{Auction, Closed, Continuous, Expired, Halted, Paused, PreOpen};
        self.settle_all(tell);
        let (Some(from), Some(to)) =
            (InstrumentState::from_code(event.self_trade_prevention), InstrumentState::from_code(event.order_type))
        else {
            return;
        };
        let (instrument, phase) = (event.instrument, event.time_in_force);
        let state = State {
            index: self.index.into(),
            time: self.time_ns.into(),
            until: event.reference.into(),
            instrument: instrument.into(),
            state: Code(event.order_type),
            phase: Code(phase),
            cause: Code(event.reason as u8),
        };
        self.tell(state.into(), tell);
        let market = self.markets.entry(instrument).or_default();
        (market.state, market.phase) = (event.order_type, phase);
        let joined = market.joined;
        let goes_on = matches!(to, Halted | Paused | Expired) || to.is_call() && phase == joined;
        if matches!((from, to), (PreOpen | Auction, Continuous) | (Auction, Closed)) {
            market.joined = 0;
        } else if joined != 0 && !goes_on {
            market.joined = 0;
            self.withdraw(instrument, joined, tell);
        }
        let market = self.markets.entry(instrument).or_default();
        if to.is_call() && market.joined != phase {
            market.joined = phase;
            self.join(instrument, phase, tell);
        }
        if to == Expired {
            self.markets.entry(instrument).or_default().joined = 0;
        }
    }

    /// The orders of an instrument that `wanted` picks, those that came first before the others.
    fn pick(&self, instrument: u32, wanted: impl Fn(&Order) -> bool) -> Vec<u64> {
        let own = self.orders.iter().filter(|(_, order)| order.instrument == instrument && wanted(order));
        let mut picked: Vec<(u64, u64)> = own.map(|(id, order)| (order.priority, *id)).collect();
        picked.sort_unstable();
        picked.into_iter().map(|(_, id)| id).collect()
    }

    /// Orders for auctions only leave a call, and wait again.
    fn withdraw(&mut self, instrument: u32, joined: u8, tell: Sink<'_>) {
        let Some(phase) = AuctionPhase::from_code(joined) else { return };
        let in_call = |order: &Order| {
            matches!(order.station, Station::Shown | Station::Beside) && order.time_in_force.joins(phase)
        };
        for id in self.pick(instrument, in_call) {
            let Some(order) = self.orders.get_mut(&id) else { continue };
            let was_shown = order.station == Station::Shown;
            order.station = Station::WaitsForAuction;
            order.displayed = 0;
            if was_shown {
                self.tell_delete(id, instrument, tell);
            }
        }
    }

    /// A call begins: icebergs show all that they have, each in its place, and orders that waited for it come in.
    fn join(&mut self, instrument: u32, phase: u8, tell: Sink<'_>) {
        let Some(phase) = AuctionPhase::from_code(phase) else { return };
        for id in self.pick(instrument, |order| order.is_iceberg && order.station == Station::Shown) {
            let Some(order) = self.orders.get_mut(&id) else { continue };
            if order.displayed != order.open {
                order.displayed = order.open;
                let order = *order;
                self.tell_reduce(id, &order, tell);
            }
        }
        let waits = |order: &Order| order.station == Station::WaitsForAuction && order.time_in_force.joins(phase);
        for id in self.pick(instrument, waits) {
            self.priorities += 1;
            let priority = self.priorities;
            let Some(order) = self.orders.get_mut(&id) else { continue };
            order.priority = priority;
            if order.order_type == OrderType::Market {
                order.station = Station::Beside;
                continue;
            }
            (order.station, order.displayed) = (Station::Shown, order.open);
            let order = *order;
            self.tell_add(id, &order, tell);
        }
    }

    /// A snapshot of all that was told so far: messages for a channel of their own.
    pub fn snapshot(&self, tell: &mut dyn FnMut(FeedMessage)) {
        let sequence = self.next_sequence - 1;
        let begin = SnapshotBegin {
            sequence: sequence.into(),
            instruments: (self.markets.len() as u32).into(),
            orders: (self.book.len() as u64).into(),
        };
        tell(begin.into());
        // An instrument that was never in another state than the first one is known by its orders only.
        let mut instruments: BTreeMap<u32, Market> = self.markets.clone();
        for order in self.orders.values() {
            instruments.entry(order.instrument).or_default();
        }
        for (instrument, market) in instruments {
            let head = SnapshotInstrument {
                last_price: self.book.last_price_ticks(instrument).unwrap_or(0).into(),
                instrument: instrument.into(),
                state: Code(market.state),
                phase: Code(market.phase),
            };
            tell(head.into());
            for side in [Side::Buy, Side::Sell] {
                for order in self.book.queue(instrument, side) {
                    let order = SnapshotOrder {
                        order: order.order.into(),
                        price: order.price_ticks.into(),
                        quantity: order.lots.into(),
                        instrument: instrument.into(),
                        side: Code(side as u8),
                    };
                    tell(order.into());
                }
            }
        }
        tell(SnapshotEnd { sequence: sequence.into() }.into());
    }
}

impl Default for FeedBuilder {
    fn default() -> Self {
        Self::new()
    }
}
