//! An auditor: it knows nothing but the events, recomputes from them what every order and every balance must be, and
//! compares that with the engine after each command.

use std::collections::BTreeMap;

use tradewright_engine::Engine;
use tradewright_ledger::Ledger;
use tradewright_types::{
    AccountId, AllocationRule, Amount, AssetId, AuctionPhase, CloseReason, EventFlags, EventKind, EventRecord,
    InstrumentId, InstrumentState, OrderFlags, OrderType, Price, Quantity, Side, TimeInForce,
};

/// What the events say about an order.
#[derive(Clone, Debug)]
struct Shadow {
    account: u32,
    instrument: u32,
    side: Side,
    price: i64,
    time_in_force: u8,
    total: u64,
    executed: u64,
    prevented: u64,
    /// Sized by this quote amount.
    amount: Option<i128>,
    taker_ppm: i32,
    maker_ppm: i32,
    taker_notional: i128,
    maker_notional: i128,
    taker_fees: i128,
    /// When it came to its place.
    arrival: u64,
    /// A market order.
    is_market: bool,
    /// An iceberg that takes part in a call with all that it has open.
    in_call: bool,
    /// Whether it stands beside the book, for an auction.
    beside: bool,
    /// Whether it waits for its trigger.
    waits: bool,
    /// Of an iceberg on the book, what it shows.
    shown: Option<u64>,
    /// Whether its price follows others: what it holds for is then its limit.
    limit: Option<i64>,
    /// Whether the book does not show it.
    hidden: bool,
    /// Its smallest and its largest peak.
    peaks: Option<(u64, u64)>,
    /// How many approvers it waits for; 0 when it waits for none.
    needed: u8,
    approvers: Vec<u32>,
    post_only: bool,
    /// Whether its trigger fired, or it was released: a market order's limit is then no longer the one it was accepted with.
    fired: bool,
    /// Its list, while that ties it to others.
    list: Option<u64>,
    /// Whether it waits for another order of its list.
    pending: bool,
}

impl Shadow {
    fn open(&self) -> u64 {
        self.total - self.executed - self.prevented
    }

    /// What the book shows of it.
    fn shows(&self) -> u64 {
        let shows_nothing = self.is_away() || self.beside || self.hidden;
        self.shown.unwrap_or(if shows_nothing { 0 } else { self.open() })
    }

    /// Whether it stands on no book: it waits for its trigger, for approval, or for another order of its list.
    fn is_away(&self) -> bool {
        self.waits || self.needed > 0 || self.pending
    }

    fn unspent(&self) -> i128 {
        let fees = if self.side == Side::Buy { self.taker_fees } else { 0 };
        self.amount.map_or(0, |amount| amount - self.taker_notional - fees)
    }

    fn is_done(&self) -> bool {
        if self.amount.is_some() { self.unspent() == 0 } else { self.open() == 0 }
    }
}

/// What the events say about everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audit {
    orders: BTreeMap<u64, Shadow>,
    /// By asset and account, held money included.
    totals: BTreeMap<(u32, u32), i128>,
    withdrawals: BTreeMap<u64, (u32, u32, i128)>,
    /// In transit, by shard and number: asset, account, amount.
    in_transit: BTreeMap<(u8, u64), (u32, u32, i128)>,
    /// The numbers given last, by shard: to what was sent, of what was received.
    transfers: BTreeMap<u8, (u64, u64)>,
    /// Deposits less withdrawals, by asset.
    deposited: BTreeMap<u32, i128>,
    /// Received by others less received from others, by asset.
    elsewhere: BTreeMap<u32, i128>,
    trades: BTreeMap<u32, u64>,
    prevented: BTreeMap<u32, u64>,
    /// The list that is coming in: its id, how many of its orders are still to come, and whether the next ones are pending.
    /// Whether the list that came in last has a working leg.
    works: bool,
    arriving: Option<(u64, u64, bool)>,
    last_list: u64,
    /// The phase whose orders take part in a call, by instrument.
    joined: BTreeMap<u32, AuctionPhase>,
    last_order: u64,
    last_withdrawal: u64,
    arrivals: u64,
}

/// The fee on a cumulative notional: up for a charge, down for a rebate.
fn fee(notional: i128, ppm: i32) -> i128 {
    -(-notional * i128::from(ppm)).div_euclid(1_000_000)
}

/// Whether an order ends by itself for this reason; otherwise a command takes it.
fn expires(reason: CloseReason) -> bool {
    match reason {
        CloseReason::CancelledByOwner
        | CloseReason::CancelledAll
        | CloseReason::Replaced
        | CloseReason::InstrumentExpired
        | CloseReason::NotReplaced
        | CloseReason::KillSwitch
        | CloseReason::SessionEnded
        | CloseReason::OtherLegExecuted
        | CloseReason::ListClosed
        | CloseReason::Restricted
        | CloseReason::QuoteReplaced
        | CloseReason::Declined => false,
        CloseReason::ImmediateOrCancel
        | CloseReason::FillOrKill
        | CloseReason::NoLiquidity
        | CloseReason::QuoteAmountSpent
        | CloseReason::MinimumQuantity
        | CloseReason::GoodTillDate
        | CloseReason::RefusedAtTrigger
        | CloseReason::RefusedAtStart
        | CloseReason::ApprovalExpired
        | CloseReason::RefusedAtRelease
        | CloseReason::DayEnded
        | CloseReason::AuctionEnded
        | CloseReason::TradingStopped
        | CloseReason::OutsideCollar => true,
        // What stands is cancelled, what comes in expires.
        CloseReason::QuoteProtection => unreachable!("it does both"),
    }
}

fn side(event: &EventRecord) -> Side {
    Side::from_code(event.side).expect("a side")
}

impl Audit {
    /// Reads the events of one command.
    pub(crate) fn read(&mut self, engine: &Engine, events: &[EventRecord]) {
        for (k, event) in events.iter().enumerate() {
            assert_eq!(event.k as usize, k, "events are numbered within their command");
            assert_eq!(event.sequence, engine.sequence(), "events carry their command's number");
            assert_eq!(event.time_ns, engine.time_ns(), "events carry their command's time");
            let is_last = EventFlags(event.flags).has(EventFlags::LAST);
            assert_eq!(is_last, k + 1 == events.len(), "the last event says so");
            self.read_one(engine, event);
        }
    }

    fn read_one(&mut self, engine: &Engine, event: &EventRecord) {
        let amount = event.amount.get();
        let asset = event.instrument;
        match EventKind::from_code(event.kind).expect("a known event") {
            EventKind::Rejected
            | EventKind::ClientListIdText
            | EventKind::ClientOrderIdText
            | EventKind::SettingApplied
            | EventKind::AuctionIndication
            | EventKind::QuoteAccepted
            | EventKind::QuoteProtectionTriggered
            | EventKind::SessionOpened
            | EventKind::SessionNameText
            | EventKind::CommandRepeated
            | EventKind::KeyRegistered
            | EventKind::KeyRevoked
            | EventKind::KeyIdText
            | EventKind::BreakerTripped
            | EventKind::MarketWideLevelReached => {}
            EventKind::AuctionUncrossed => {
                // What is left of its own orders expires next.
                self.joined.remove(&event.instrument);
            }
            EventKind::InstrumentStateChanged => self.state_changed(event),
            EventKind::ListAccepted => {
                self.last_list += 1;
                assert_eq!(event.reference, self.last_list, "lists are numbered in order");
                self.arriving = Some((event.reference, event.quantity_lots, false));
                assert_eq!(event.quantity_lots, if event.order_type == 3 { 3 } else { 2 });
                self.works = event.order_type != 1;
            }
            EventKind::ListUpdated => {
                self.arrivals += 1;
                let order = self.orders.get_mut(&event.order_id).expect("only open orders start");
                assert!(order.pending && order.list == Some(event.reference), "who starts was pending");
                assert_eq!(
                    (order.account, order.side, order.open()),
                    (event.account, side(event), event.quantity_lots)
                );
                (order.pending, order.price, order.arrival) = (false, event.price_ticks, self.arrivals);
                order.waits = event.open_lots != 0;
            }
            EventKind::ListDone => {
                let tied: Vec<_> =
                    self.orders.values_mut().filter(|order| order.list == Some(event.reference)).collect();
                assert!(tied.len() <= 1, "a list is done when it ties nothing together");
                tied.into_iter().for_each(|order| order.list = None);
            }
            EventKind::OrderConditions => {
                let order = self.orders.get_mut(&event.order_id).expect("only open orders have conditions");
                assert_eq!((order.account, order.side), (event.account, side(event)));
                order.waits = event.order_type != 0 && !order.pending;
            }
            EventKind::OrderDisplay => {
                let order = self.orders.get_mut(&event.order_id).expect("only open orders are displayed");
                assert_eq!((order.account, order.side), (event.account, side(event)));
                order.hidden = event.order_type == 1;
                let peaks = (event.quantity_lots, event.quantity_lots + event.open_lots);
                order.peaks = (event.quantity_lots > 0).then_some(peaks);
                order.in_call = self.joined.contains_key(&event.instrument) && !order.waits;
                if event.time_in_force != 0 && event.self_trade_prevention == 0 {
                    (order.limit, order.waits) = (Some(order.price), true);
                }
            }
            EventKind::OrderRepriced => {
                self.arrivals += 1;
                let order = self.orders.get_mut(&event.order_id).expect("only open orders move");
                assert_eq!((order.account, order.side), (event.account, side(event)));
                let before = if order.waits { 0 } else { order.price };
                assert_eq!((before, order.open()), (event.open_lots as i64, event.quantity_lots));
                assert_ne!(before, event.price_ticks, "a peg that stays has no event");
                let limit = order.limit.expect("only pegs move");
                (order.waits, order.arrival) = (event.price_ticks == 0, self.arrivals);
                order.price = if order.waits { limit } else { event.price_ticks };
                let is_within = if order.side == Side::Buy { order.price <= limit } else { order.price >= limit };
                assert!(is_within, "a peg keeps its limit");
            }
            EventKind::OrderRefreshed => {
                let order = self.orders.get_mut(&event.order_id).expect("only open orders show a peak");
                // Behind a call it keeps its place.
                let stays = core::mem::take(&mut order.in_call);
                self.arrivals += u64::from(!stays);
                assert_eq!((order.account, order.side, order.price), (event.account, side(event), event.price_ticks));
                assert_eq!((order.open(), order.waits), (event.open_lots, false));
                assert!(order.shown.is_none_or(|shown| shown == 0), "a peak follows when the one before has traded");
                let (least, most) = order.peaks.expect("only icebergs have peaks");
                assert!(event.quantity_lots <= most && event.quantity_lots >= least.min(order.open()));
                order.shown = Some(event.quantity_lots);
                if !stays {
                    order.arrival = self.arrivals;
                }
            }
            EventKind::OrderTriggered => {
                self.arrivals += 1;
                let order = self.orders.get_mut(&event.order_id).expect("only open orders fire");
                assert_eq!((order.account, order.side, order.waits), (event.account, side(event), true));
                assert_eq!(order.open(), event.quantity_lots);
                (order.waits, order.fired, order.arrival) = (false, true, self.arrivals);
            }
            EventKind::ApprovalRequired => {
                let order = self.orders.get_mut(&event.order_id).expect("only accepted orders wait for approval");
                assert_eq!(
                    (order.account, order.side, order.open()),
                    (event.account, side(event), event.quantity_lots)
                );
                (order.approvers, order.needed) = (Vec::new(), event.order_type);
            }
            EventKind::OrderApproved => {
                let order = self.orders.get_mut(&event.order_id).expect("only open orders are approved");
                assert!(!order.approvers.contains(&event.counter_account) && event.counter_account != order.account);
                order.approvers.push(event.counter_account);
                let told = (event.time_in_force, event.order_type);
                assert_eq!(told, (order.approvers.len() as u8, order.needed), "approvals are counted");
            }
            EventKind::ApprovalDeclined => assert!(self.orders[&event.order_id].needed > 0),
            EventKind::OrderReleased => {
                self.arrivals += 1;
                let order = self.orders.get_mut(&event.order_id).expect("only open orders are released");
                assert_eq!(order.approvers.len(), usize::from(order.needed), "who is released has all approvals");
                (order.needed, order.arrival) = (0, self.arrivals);
                order.fired = !order.waits;
            }
            EventKind::OrderAccepted => self.accepted(event),
            EventKind::Trade if EventFlags(event.flags).has(EventFlags::AUCTION) => self.auctioned(engine, event),
            EventKind::Trade => self.traded(engine, event),
            EventKind::MatchPrevented => self.match_prevented(engine, event),
            EventKind::OrderCancelled | EventKind::OrderExpired => {
                let order = self.orders.remove(&event.order_id).expect("only open orders close");
                assert_eq!((order.account, order.instrument), (event.account, event.instrument));
                assert_eq!(order.side, side(event));
                let was_pending = order.pending && order.is_market;
                assert!(order.price == event.price_ticks || order.fired && order.is_market || was_pending);
                let open = if order.amount.is_some() { 0 } else { order.open() };
                assert_eq!((open, order.unspent()), (event.quantity_lots, amount), "O{} closes with", event.order_id);
                let reason = *CloseReason::ALL.iter().find(|reason| **reason as u16 == event.reason).expect("a reason");
                let does_both = reason == CloseReason::QuoteProtection;
                assert!(does_both || expires(reason) == (event.kind == EventKind::OrderExpired as u8));
            }
            EventKind::OrderAmended => {
                let order = self.orders.get_mut(&event.order_id).expect("only open orders are amended");
                let kept = EventFlags(event.flags).has(EventFlags::KEPT_PRIORITY);
                let is_reduction = order.price == event.price_ticks && event.quantity_lots <= order.total;
                assert!(kept == is_reduction || order.waits, "only a reduction keeps its place");
                (order.price, order.total) = (event.price_ticks, event.quantity_lots);
                assert_eq!(order.open(), event.open_lots);
                order.shown = order.shown.map(|shown| shown.min(order.open())).filter(|_| kept);
                if !kept && !order.waits {
                    self.arrivals += 1;
                    order.arrival = self.arrivals;
                }
            }
            EventKind::Deposited => {
                *self.totals.entry((asset, event.account)).or_default() += amount;
                *self.deposited.entry(asset).or_default() += amount;
            }
            EventKind::WithdrawalRequested => {
                self.last_withdrawal += 1;
                assert_eq!(event.reference, self.last_withdrawal, "withdrawals are numbered in order");
                self.withdrawals.insert(event.reference, (asset, event.account, amount));
            }
            EventKind::WithdrawalConfirmed => {
                let pending = self.withdrawals.remove(&event.reference);
                assert_eq!(pending, Some((asset, event.account, amount)));
                *self.totals.entry((asset, event.account)).or_default() -= amount;
                *self.deposited.entry(asset).or_default() -= amount;
            }
            EventKind::WithdrawalCancelled => {
                let pending = self.withdrawals.remove(&event.reference);
                assert_eq!(pending, Some((asset, event.account, amount)));
            }
            EventKind::Transferred => self.moves(asset, event.account, event.counter_account, amount),
            EventKind::TransferSent => {
                let (sent, _) = self.transfers.entry(event.order_type).or_default();
                *sent += 1;
                assert_eq!(event.reference, *sent, "transfers to a shard are numbered in order");
                self.in_transit.insert((event.order_type, *sent), (asset, event.account, amount));
                *self.totals.entry((asset, event.account)).or_default() -= amount;
            }
            EventKind::TransferReceived => {
                let (_, received) = self.transfers.entry(event.order_type).or_default();
                *received += 1;
                assert_eq!(event.reference, *received, "transfers from a shard are received in order, each once");
                *self.totals.entry((asset, event.account)).or_default() += amount;
                *self.elsewhere.entry(asset).or_default() -= amount;
            }
            EventKind::TransferConfirmed => {
                let pending = self.in_transit.remove(&(event.order_type, event.reference));
                assert_eq!(pending, Some((asset, event.account, amount)), "what arrives was in transit");
                *self.elsewhere.entry(asset).or_default() += amount;
            }
        }
    }

    /// Orders for auctions come into a call, or leave it.
    fn state_changed(&mut self, event: &EventRecord) {
        let to = InstrumentState::from_code(event.order_type).expect("a state");
        let phase = AuctionPhase::from_code(event.time_in_force).expect("a phase");
        let joined = self.joined.get(&event.instrument).copied().unwrap_or_default();
        let keeps = matches!(to, InstrumentState::Halted | InstrumentState::Paused | InstrumentState::Expired);
        let instrument = event.instrument;
        let joins = |order: &Shadow, phase| {
            order.instrument == instrument
                && TimeInForce::from_code(order.time_in_force).is_some_and(|in_force| in_force.joins(phase))
        };
        if joined != AuctionPhase::None && !keeps && !(to.is_call() && phase == joined) {
            self.orders.values_mut().filter(|order| joins(order, joined)).for_each(|order| order.beside = true);
            self.joined.remove(&instrument);
        }
        if to.is_call() || joined != AuctionPhase::None && keeps {
            let here = self.orders.values_mut().filter(|order| order.instrument == instrument);
            for order in here.filter(|order| order.peaks.is_some() && !order.waits) {
                (order.in_call, order.shown) = (true, None);
            }
        }
        if to.is_call() && phase != joined {
            self.joined.insert(instrument, phase);
            let mut coming: Vec<_> = self.orders.values_mut().filter(|order| joins(order, phase)).collect();
            coming.sort_by_key(|order| order.arrival);
            for order in coming {
                self.arrivals += 1;
                (order.arrival, order.beside) = (self.arrivals, order.is_market);
            }
        }
    }

    fn accepted(&mut self, event: &EventRecord) {
        self.last_order += 1;
        self.arrivals += 1;
        assert_eq!(event.order_id, self.last_order, "orders are numbered in order");
        let rates = event.accepted_rates();
        let by_amount = OrderFlags(event.order_flags).has(OrderFlags::QUOTE_AMOUNT);
        let joined = self.joined.get(&event.instrument).copied().unwrap_or_default();
        let in_force = TimeInForce::from_code(event.time_in_force).expect("a time in force");
        let is_market = event.order_type == OrderType::Market as u8;
        let order = Shadow {
            in_call: false,
            beside: in_force.is_for_auction() && (is_market || !in_force.joins(joined)),
            account: event.account,
            instrument: event.instrument,
            side: side(event),
            price: event.price_ticks,
            time_in_force: event.time_in_force,
            total: event.quantity_lots,
            executed: 0,
            prevented: 0,
            amount: by_amount.then(|| event.amount.get()),
            taker_ppm: rates.taker.ppm(),
            maker_ppm: rates.maker.ppm(),
            taker_notional: 0,
            maker_notional: 0,
            taker_fees: 0,
            arrival: self.arrivals,
            is_market,
            waits: false,
            needed: 0,
            approvers: Vec::new(),
            post_only: OrderFlags(event.order_flags).has(OrderFlags::POST_ONLY),
            shown: None,
            limit: None,
            hidden: false,
            peaks: None,
            fired: false,
            list: None,
            pending: false,
        };
        let order = match self.arriving {
            None => order,
            Some((list, left, pending)) => {
                self.arriving = (left > 1).then_some((list, left - 1, self.works));
                Shadow { list: Some(list), pending, ..order }
            }
        };
        self.orders.insert(event.order_id, order);
    }

    fn moves(&mut self, asset: u32, from: u32, to: u32, amount: i128) {
        *self.totals.entry((asset, from)).or_default() -= amount;
        *self.totals.entry((asset, to)).or_default() += amount;
    }

    /// Who is first in line for a taker of `side` on `instrument`.
    fn front(&self, instrument: u32, side: Side) -> Option<u64> {
        let stands =
            |order: &Shadow| order.instrument == instrument && order.side != side && !order.is_away() && !order.beside;
        let makers = self.orders.iter().filter(|(_, order)| stands(order));
        makers
            .min_by_key(|(_, order)| {
                (if side == Side::Buy { order.price } else { -order.price }, order.hidden, order.arrival)
            })
            .map(|(id, _)| *id)
    }

    fn traded(&mut self, engine: &Engine, event: &EventRecord) {
        let number = self.trades.entry(event.instrument).or_default();
        *number += 1;
        assert_eq!(event.reference, *number, "trades of an instrument are numbered without gaps");
        let first = self.front(event.instrument, side(event)).expect("somebody stands there");
        if engine.allocation(InstrumentId(event.instrument)).rule == AllocationRule::PriceTime {
            assert_eq!(first, event.counter_order_id, "the maker is the first in line");
        } else {
            assert_eq!(self.orders[&first].price, event.price_ticks, "the maker stands at the best price");
        }
        let units = engine.instrument(InstrumentId(event.instrument)).expect("it is listed").units;
        let notional = units.notional(Price::from_ticks(event.price_ticks), Quantity::from_lots(event.quantity_lots));
        let base = units.base_amount(Quantity::from_lots(event.quantity_lots));

        let taker = self.orders.get_mut(&event.order_id).expect("the taker is open");
        assert_eq!((taker.account, taker.side), (event.account, side(event)));
        let crosses = taker.side.crosses(Price::from_ticks(taker.price), Price::from_ticks(event.price_ticks));
        assert!(crosses || taker.fired && taker.is_market && taker.side == Side::Sell);
        let before = fee(taker.taker_notional, taker.taker_ppm);
        taker.taker_notional += notional.quanta();
        let taker_fee = fee(taker.taker_notional, taker.taker_ppm) - before;
        assert_eq!(event.amount.get(), taker_fee, "the taker's fee is the rounding of its cumulative notional");
        taker.taker_fees += taker_fee;
        if taker.amount.is_some() {
            assert_eq!(event.open_lots, 0);
            assert!(taker.unspent() >= 0, "an order by amount spends no more than that");
        } else {
            taker.executed += event.quantity_lots;
            assert_eq!(event.open_lots, taker.open());
        }
        let taker = taker.clone();

        let maker = self.orders.get_mut(&event.counter_order_id).expect("the maker is open");
        assert_eq!(maker.account, event.counter_account);
        assert_eq!(maker.price, event.price_ticks, "trades are at the maker's price");
        let before = fee(maker.maker_notional, maker.maker_ppm);
        maker.maker_notional += notional.quanta();
        let maker_fee = fee(maker.maker_notional, maker.maker_ppm) - before;
        assert_eq!(event.counter_amount.get(), maker_fee, "the maker's fee is the rounding of its cumulative notional");
        maker.executed += event.quantity_lots;
        if let Some(shown) = &mut maker.shown {
            *shown = shown.checked_sub(event.quantity_lots).expect("an iceberg trades what it shows");
        }
        let maker_done = maker.open() == 0;

        let (buyer, seller) = match taker.side {
            Side::Buy => (event.account, event.counter_account),
            Side::Sell => (event.counter_account, event.account),
        };
        self.moves(units.base.0, seller, buyer, base.quanta());
        self.moves(units.quote.0, buyer, seller, notional.quanta());
        self.moves(units.quote.0, event.account, AccountId::FEE.0, taker_fee);
        self.moves(units.quote.0, event.counter_account, AccountId::FEE.0, maker_fee);
        self.close(event, taker.is_done(), maker_done);
    }

    /// A trade of an auction: both pay as makers, and no rebate is paid.
    fn auctioned(&mut self, engine: &Engine, event: &EventRecord) {
        let number = self.trades.entry(event.instrument).or_default();
        *number += 1;
        assert_eq!(event.reference, *number, "trades of an instrument are numbered without gaps");
        assert_eq!(side(event), Side::Buy, "the bid is named first");
        let units = engine.instrument(InstrumentId(event.instrument)).expect("it is listed").units;
        let quantity = Quantity::from_lots(event.quantity_lots);
        let notional = units.notional(Price::from_ticks(event.price_ticks), quantity).quanta();
        let parties = [
            (event.order_id, event.account, Side::Buy, event.amount.get()),
            (event.counter_order_id, event.counter_account, Side::Sell, event.counter_amount.get()),
        ];
        let done = parties.map(|(id, account, side, charged)| {
            let order = self.orders.get_mut(&id).expect("both orders are open");
            assert_eq!((order.account, order.side), (account, side));
            let within = side.crosses(Price::from_ticks(order.price), Price::from_ticks(event.price_ticks));
            assert!(within || order.is_market && side == Side::Sell, "the auction keeps to the limits of O{id}");
            let before = fee(order.maker_notional, order.maker_ppm);
            if order.maker_ppm > 0 {
                order.maker_notional += notional;
            }
            assert_eq!(charged, fee(order.maker_notional, order.maker_ppm) - before, "O{id} pays as a maker");
            order.executed += event.quantity_lots;
            (order.open(), charged)
        });
        assert_eq!(event.open_lots, done[0].0);
        self.moves(units.base.0, event.counter_account, event.account, units.base_amount(quantity).quanta());
        self.moves(units.quote.0, event.account, event.counter_account, notional);
        self.moves(units.quote.0, event.account, AccountId::FEE.0, done[0].1);
        self.moves(units.quote.0, event.counter_account, AccountId::FEE.0, done[1].1);
        self.close(event, done[0].0 == 0, done[1].0 == 0);
    }

    fn match_prevented(&mut self, engine: &Engine, event: &EventRecord) {
        let number = self.prevented.entry(event.instrument).or_default();
        *number += 1;
        assert_eq!(event.reference, *number, "prevented matches of an instrument are numbered without gaps");
        let first = self.front(event.instrument, side(event)).expect("somebody stands there");
        let is_shared = engine.allocation(InstrumentId(event.instrument)).rule != AllocationRule::PriceTime;
        assert!(is_shared || first == event.counter_order_id, "the maker is the first in line");
        let flags = EventFlags(event.flags);
        let taker = self.orders.get_mut(&event.order_id).expect("the taker is open");
        taker.prevented += event.quantity_lots;
        let taker_done = if taker.amount.is_some() {
            if flags.has(EventFlags::TAKER_DONE) {
                assert_eq!(event.amount.get(), taker.unspent());
            }
            flags.has(EventFlags::TAKER_DONE)
        } else {
            taker.open() == 0
        };
        let maker = self.orders.get_mut(&event.counter_order_id).expect("the maker is open");
        assert_eq!((maker.price, maker.account), (event.price_ticks, event.counter_account));
        maker.prevented += event.open_lots;
        maker.shown = maker.shown.map(|shown| shown.min(maker.open()));
        let maker_done = maker.open() == 0;
        if flags.has(EventFlags::TRANSFERRED) {
            let units = engine.instrument(InstrumentId(event.instrument)).expect("it is listed").units;
            let quantity = Quantity::from_lots(event.quantity_lots);
            let notional = units.notional(Price::from_ticks(event.price_ticks), quantity);
            assert_eq!(event.amount.get(), notional.quanta());
            let (buyer, seller) = match side(event) {
                Side::Buy => (event.account, event.counter_account),
                Side::Sell => (event.counter_account, event.account),
            };
            self.moves(units.base.0, seller, buyer, units.base_amount(quantity).quanta());
            self.moves(units.quote.0, buyer, seller, notional.quanta());
        }
        self.close(event, taker_done, maker_done);
    }

    /// Removes what a match closed; its flags must say the same.
    fn close(&mut self, event: &EventRecord, taker_done: bool, maker_done: bool) {
        let flags = EventFlags(event.flags);
        assert_eq!(flags.has(EventFlags::TAKER_DONE), taker_done, "TAKER_DONE of {event:?}");
        assert_eq!(flags.has(EventFlags::MAKER_DONE), maker_done, "MAKER_DONE of {event:?}");
        if taker_done {
            self.orders.remove(&event.order_id);
        }
        if maker_done {
            self.orders.remove(&event.counter_order_id);
        }
    }

    /// Compares the engine with what its events said.
    pub(crate) fn compare(&self, engine: &Engine) {
        let views = engine.open_orders(None);
        assert_eq!(views.len(), self.orders.len(), "open orders are those that the events left open");
        let mut held: BTreeMap<(u32, u32), i128> = BTreeMap::new();
        let mut lists: BTreeMap<u64, (u32, u32, i128)> = BTreeMap::new();
        for (view, (id, order)) in views.iter().zip(&self.orders) {
            let rests = TimeInForce::from_code(order.time_in_force).is_some_and(TimeInForce::rests);
            assert!(rests || order.is_away(), "O{id} rests or waits");
            assert_eq!(
                (view.list.map(|list| list.0), view.is_pending),
                (order.list, order.pending),
                "O{id} in its list"
            );
            assert_eq!(
                view.trigger.is_some(),
                order.waits && order.needed == 0 && order.limit.is_none(),
                "O{id} waits"
            );
            assert_eq!(view.approval.is_some(), order.needed > 0, "O{id} waits for approval");
            let seen = (view.id.0, view.account.0, view.instrument.0, view.side, view.price.ticks());
            assert_eq!(seen, (*id, order.account, order.instrument, order.side, order.price));
            let seen = (view.total.lots(), view.open.lots(), view.prevented.lots());
            assert_eq!(seen, (order.total, order.open(), order.prevented), "O{id}");
            assert_eq!(view.displayed.lots(), order.shows(), "O{id} shows");
            assert!(order.shows() > 0 || order.is_away() || order.beside || order.hidden, "O{id} shows nothing");
            assert_eq!(engine.order(view.id), Some(*view), "O{id} is found by its id");
            let units = engine.instrument(view.instrument).expect("it is listed").units;
            let hold = match order.side {
                _ if order.pending => (units.quote.0, 0),
                Side::Sell => (units.base.0, units.base_amount(view.open).quanta()),
                Side::Buy if order.is_away() && order.limit.is_none() => {
                    let notional = units.notional(view.price, view.open).quanta();
                    let taker = if order.post_only { 0 } else { order.taker_ppm.max(0) };
                    let (taker, maker) = (taker, if rests { order.maker_ppm.max(0) } else { 0 });
                    let rounding = i128::from(taker > 0 && maker > 0);
                    (units.quote.0, notional + fee(notional, taker.max(maker)) + rounding)
                }
                Side::Buy => {
                    let held_for = order.limit.map_or(view.price, Price::from_ticks);
                    let notional = units.notional(held_for, view.open).quanta();
                    let maker = order.maker_ppm.max(0);
                    let fees = fee(order.maker_notional + notional, maker) - fee(order.maker_notional, maker);
                    (units.quote.0, notional + fees)
                }
            };
            assert_eq!(view.hold.quanta(), hold.1, "O{id} holds what it can still cost, to the quantum");
            if let Some(list) = order.list {
                // What stands of a list holds once.
                let once = lists.entry(list).or_insert((hold.0, order.account, 0));
                if hold.1 > once.2 {
                    *once = (hold.0, order.account, hold.1);
                }
                continue;
            }
            *held.entry((hold.0, order.account)).or_default() += hold.1;
        }
        for (asset, account, amount) in lists.values() {
            *held.entry((*asset, *account)).or_default() += amount;
        }
        assert_eq!(engine.order_lists(None).len(), lists.len(), "a list lives as long as it ties orders together");
        for (asset, account, amount) in self.withdrawals.values() {
            *held.entry((*asset, *account)).or_default() += amount;
        }
        self.compare_transit(engine.ledger());
        for asset in 0..engine.ledger().asset_count() as u32 {
            for account in 0..engine.ledger().account_count() as u32 {
                let balance = engine.ledger().balance(AccountId(account), AssetId(asset));
                let due = |of: &BTreeMap<(u32, u32), i128>| of.get(&(asset, account)).copied().unwrap_or_default();
                let seen = (balance.total().quanta(), balance.held.quanta());
                assert_eq!(seen, (due(&self.totals), due(&held)), "balance and hold of A{account} in asset {asset}");
            }
        }
        for instrument in 0..engine.instrument_count() as u32 {
            self.compare_book(engine, InstrumentId(instrument));
        }
    }

    /// What is here, in transit and elsewhere is what was deposited.
    fn compare_transit(&self, ledger: &Ledger) {
        let in_transit = ledger.transit().pending().map(|(to, number, transfer)| {
            ((to.0, number.0), (transfer.asset.0, transfer.account.0, transfer.amount.quanta()))
        });
        assert_eq!(in_transit.collect::<BTreeMap<_, _>>(), self.in_transit, "in transit");
        let counters = ledger.transit().counters();
        let counters = counters.map(|(shard, counters)| (shard.0, (counters.sent.0, counters.received.0)));
        assert_eq!(counters.collect::<BTreeMap<_, _>>(), self.transfers, "numbers between shards");
        for asset in 0..ledger.asset_count() as u32 {
            let of_asset = |amounts: &BTreeMap<u32, i128>| amounts.get(&asset).copied().unwrap_or_default();
            let totals = self.totals.iter().filter(|((of, _), _)| *of == asset);
            let here: i128 = totals.map(|(_, amount)| amount).sum();
            let in_transit = self.in_transit.values().filter(|(of, _, _)| *of == asset);
            let in_transit: i128 = in_transit.map(|(_, _, amount)| amount).sum();
            let all = here + in_transit + of_asset(&self.elsewhere);
            assert_eq!(all, of_asset(&self.deposited), "asset {asset} adds up to what was deposited");
            let id = AssetId(asset);
            let seen = [ledger.total(id), ledger.in_transit(id), ledger.elsewhere(id), ledger.deposited(id)];
            let due = [here, in_transit, of_asset(&self.elsewhere), of_asset(&self.deposited)];
            assert_eq!(seen.map(Amount::quanta), due, "asset {asset}: here, in transit, elsewhere, deposited");
        }
    }

    fn compare_book(&self, engine: &Engine, instrument: InstrumentId) {
        let level_counts = engine.level_counts(instrument);
        for (side, level_count) in [(Side::Buy, level_counts.0), (Side::Sell, level_counts.1)] {
            let own = |order: &Shadow| {
                order.instrument == instrument.0
                    && order.side == side
                    && !order.is_away()
                    && !order.beside
                    && !order.hidden
            };
            let mut queue: Vec<_> = self.orders.iter().filter(|(_, order)| own(order)).collect();
            let rank = |price: i64| if side == Side::Buy { -price } else { price };
            queue.sort_by_key(|(_, order)| (rank(order.price), order.arrival));
            let ids: Vec<u64> = queue.iter().map(|(id, _)| **id).collect();
            let seen: Vec<u64> = engine.queue_views(instrument, side).map(|view| view.id.0).collect();
            assert_eq!(seen, ids, "queue of {side:?}");
            let best = queue.first().map(|(_, order)| Price::from_ticks(order.price));
            assert_eq!(engine.best(instrument, side), best, "best of {side:?}");
            let mut levels: BTreeMap<i64, (u64, u32)> = BTreeMap::new();
            for (_, order) in &queue {
                let level = levels.entry(rank(order.price)).or_default();
                *level = (level.0 + order.shows(), level.1 + 1);
            }
            let seen: Vec<_> = engine
                .level_views(instrument, side)
                .map(|level| (rank(level.price.ticks()), (level.quantity.lots(), level.orders)))
                .collect();
            assert_eq!(seen, levels.iter().map(|(rank, level)| (*rank, *level)).collect::<Vec<_>>());
            assert_eq!(level_count, levels.len());
            for (price, quantity) in engine.depth(instrument, side) {
                assert_eq!(engine.open_at(instrument, side, price), quantity);
            }
        }
        let trades = self.trades.get(&instrument.0).copied().unwrap_or_default();
        assert_eq!(engine.trade_count(instrument), trades);
    }
}
