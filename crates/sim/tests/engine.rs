//! The full engine on the published workloads: every check armed, money moving, every event read. Its trades are those of a
//! bare book; with prevention on, those of a second, naive implementation.

use std::collections::{BTreeMap, VecDeque};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_sim::suite::GOLDEN_OPERATIONS;
use tradewright_sim::venue::{
    Listing, account_of, bench_set_up, list_spot, set_account_limits, set_position_limit, set_reference_price,
};
use tradewright_sim::{
    EngineSubject, ExpireMaker, NoPrevention, Operation, OperationKind, Outcome, Prevention, Side, Subject, Sums, Tape,
    Workload, golden,
};
use tradewright_types::{Amount, CommandKind, CommandRecord, EventKind, OrderType, Price, RejectReason, TimeInForce};

/// What an engine gives on a tape, without its prefill's trades: there are none.
fn outcome<P: Prevention>(tape: &Tape) -> Outcome {
    let mut subject = EngineSubject::<P>::fresh(tape);
    let prepared = EngineSubject::<P>::prepare(tape);
    let mut sums = Sums::default();
    for batch in prepared.chunks(1_000) {
        subject.apply(batch, &mut sums);
    }
    subject.finish().outcome(sums)
}

fn check_golden(workload: Workload) {
    let tape = workload.generate(GOLDEN_OPERATIONS);
    let expected =
        golden(workload, GOLDEN_OPERATIONS).expect("each workload has an answer for full and for quick runs");
    assert_eq!(tape.checksum(), expected.checksum, "{workload} has drifted");
    assert_eq!(outcome::<NoPrevention>(&tape), expected.outcome, "{workload}");
}

#[test]
fn mix60_gives_the_golden_answer() {
    check_golden(Workload::Mix60);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "three million operations each: release builds only")]
fn the_moving_workloads_give_the_golden_answers() {
    for workload in [Workload::Swing25, Workload::Swing40, Workload::Fine, Workload::Crash] {
        check_golden(workload);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "three million operations each: release builds only")]
fn our_own_workloads_give_the_golden_answers() {
    for workload in [Workload::Resting1m, Workload::Sweep, Workload::Many] {
        check_golden(workload);
    }
}

/// A book in which a maker expires when a taker of its own account meets it: queues in two trees, searched from the front.
#[derive(Default)]
struct NaivePrevention {
    bids: BTreeMap<i64, VecDeque<Resting>>,
    asks: BTreeMap<i64, VecDeque<Resting>>,
    /// Where an order rests.
    places: BTreeMap<u64, (Side, i64)>,
    sums: Sums,
    expired: u64,
}

struct Resting {
    id: u64,
    account: u64,
    open: u32,
}

impl NaivePrevention {
    fn side(&mut self, side: Side) -> &mut BTreeMap<i64, VecDeque<Resting>> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The best price that a taker of `side` finds within its limit.
    fn best_for(&self, side: Side, limit: i64) -> Option<i64> {
        match side {
            Side::Buy => self.asks.keys().next().copied().filter(|ask| *ask <= limit),
            Side::Sell => self.bids.keys().next_back().copied().filter(|bid| *bid >= limit),
        }
    }

    fn apply(&mut self, operation: &Operation, accounts: u64) {
        let &Operation { kind, side, quantity, price, id, instrument: _ } = operation;
        if kind == OperationKind::Cancel {
            // What has expired already cannot be cancelled.
            if let Some((side, price)) = self.places.remove(&id) {
                self.take_out(side, price, |resting| resting.id != id);
            }
            return;
        }
        let (account, mut open) = (operation.account(accounts), quantity);
        while open > 0 {
            let Some(best) = self.best_for(side, price) else { break };
            let level = self.side(side.opposite()).get_mut(&best).expect("the best level");
            let maker = level.front_mut().expect("a level has orders");
            let traded = if maker.account == account { 0 } else { maker.open.min(open) };
            let gone = traded == 0 || traded == maker.open;
            let maker_id = maker.id;
            maker.open -= traded;
            open -= traded;
            if gone {
                self.places.remove(&maker_id);
                self.take_out(side.opposite(), best, |resting| resting.id != maker_id);
            }
            if traded == 0 {
                self.expired += 1;
            } else {
                self.sums.fills += 1;
                self.sums.filled_quantity += u64::from(traded);
                self.sums.notional += best.unsigned_abs() as u128 * u128::from(traded);
            }
        }
        if open > 0 && kind == OperationKind::Add {
            self.places.insert(id, (side, price));
            self.side(side).entry(price).or_default().push_back(Resting { id, account, open });
        }
    }

    fn take_out(&mut self, side: Side, price: i64, stays: impl FnMut(&Resting) -> bool) {
        let levels = self.side(side);
        let level = levels.get_mut(&price).expect("the order's level");
        level.retain(stays);
        if level.is_empty() {
            levels.remove(&price);
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            fills: self.sums.fills,
            filled_quantity: self.sums.filled_quantity,
            notional: self.sums.notional,
            best_bid: self.bids.keys().next_back().copied(),
            best_ask: self.asks.keys().next().copied(),
            live: self.places.len(),
            levels: self.bids.len() + self.asks.len(),
        }
    }
}

#[test]
fn mix60_with_prevention_gives_what_the_naive_book_gives() {
    let tape = Workload::Mix60.generate(GOLDEN_OPERATIONS);
    let mut naive = NaivePrevention::default();
    for operation in tape.records() {
        naive.apply(operation, Workload::Mix60.accounts());
    }
    let given = outcome::<ExpireMaker>(&tape);
    assert_eq!(given, naive.outcome());
    // Frozen: both implementations gave these.
    let (sums, best, shape, expired) = if cfg!(debug_assertions) {
        ((60_208, 2_556_595, 255_701_000_739), (100_011, 100_015), (4_838, 276), 9)
    } else {
        ((897_904, 37_904_933, 3_788_802_650_284), (99_832, 99_833), (4_785, 265), 230)
    };
    let frozen = Outcome {
        fills: sums.0,
        filled_quantity: sums.1,
        notional: sums.2,
        best_bid: Some(best.0),
        best_ask: Some(best.1),
        live: shape.0,
        levels: shape.1,
    };
    assert_eq!((given, naive.expired), (frozen, expired));
}

/// The venue of the benches with one of its limits lowered, and an order that passed before.
fn check_limit(lowered: &[CommandRecord], change: fn(&mut CommandRecord), expected: RejectReason) {
    let account = account_of(0);
    let mut order = CommandRecord {
        account: account.0,
        side: 0,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancel as u8,
        price_ticks: 100_000,
        quantity_lots: 10,
        order_ref: 1,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    };
    let mut engine = Engine::new(EngineConfig::default());
    let mut events = EventBuffer::default();
    engine.apply_all(&bench_set_up(1, 2, Price::from_ticks(100_000)), &mut events);
    engine.apply(&[order], &mut events);
    engine.apply_all(lowered, &mut events);
    assert!(events.as_slice().iter().all(|event| event.kind != EventKind::Rejected as u8), "{expected}: set up");
    events.clear();
    order.order_ref = 2;
    change(&mut order);
    engine.apply(&[order], &mut events);
    let reasons: Vec<_> = events.as_slice().iter().map(|event| RejectReason::from_code(event.reason)).collect();
    assert_eq!(reasons, [Some(expected)]);
}

/// The listing of the benches with other limits.
fn limits(change: impl FnOnce(&mut Listing)) -> [CommandRecord; 2] {
    let mut listing = Listing {
        base: 1,
        quote: 0,
        quote_quanta_per_tick_lot: 1,
        base_quanta_per_lot: 1,
        quantity_max_lots: 1 << 40,
        notional_max: Amount::from_quanta(1 << 40),
        band_down_ppm: 990_000,
        band_up_ppm: 99_000_000,
    };
    change(&mut listing);
    let [_, _, limits] = list_spot(0, "X", &listing);
    let mut head = CommandRecord::new(CommandKind::SetInstrumentLimits);
    head.header.record_count = 2;
    [head, limits]
}

#[test]
fn every_limit_of_the_benches_is_armed() {
    use RejectReason as Reason;
    let (account, same): (_, fn(&mut CommandRecord)) = (account_of(0), |_| {});
    check_limit(&limits(|listing| listing.quantity_max_lots = 9), same, Reason::QuantityAboveMaximum);
    check_limit(
        &limits(|listing| listing.notional_max = Amount::from_quanta(999_999)),
        same,
        Reason::NotionalAboveMaximum,
    );
    check_limit(&limits(|listing| listing.band_down_ppm = 0), |order| order.price_ticks -= 1, Reason::PriceOutsideBand);
    check_limit(&limits(|listing| listing.band_up_ppm = 0), |order| order.price_ticks += 1, Reason::PriceOutsideBand);
    check_limit(&[], |order| order.price_ticks = 999, Reason::PriceOutsideBand);
    check_limit(&[], |order| order.price_ticks = 10_000_001, Reason::PriceOutsideBand);
    check_limit(&[set_reference_price(0, Price::from_ticks(1))], same, Reason::PriceOutsideBand);
    check_limit(&[], |order| order.quantity_lots = (1 << 40) + 1, Reason::QuantityAboveMaximum);
    check_limit(&[], |order| order.quantity_lots = (1 << 40) / 100_000 + 1, Reason::NotionalAboveMaximum);
    check_limit(&[set_account_limits(account, 1, 9, 9)], same, Reason::OpenOrderLimitExceeded);
    check_limit(&[set_account_limits(account, 9, 1, 9)], same, Reason::OrderRateExceeded);
    check_limit(&[set_account_limits(account, 9, 9, 1)], same, Reason::MessageRateExceeded);
    check_limit(&[set_position_limit(account, 0, (1 << 50) + 19)], same, Reason::PositionLimitExceeded);
    check_limit(&[], |order| order.order_ref = 1, Reason::DuplicateClientOrderId);
}
