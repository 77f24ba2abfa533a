//! The full engine on the published workloads: every check armed, money moving, every event read. Its trades are those of a
//! bare book; with prevention on, those of a second, naive implementation.

use std::collections::{BTreeMap, VecDeque};

use tradewright_sim::suite::GOLDEN_OPERATIONS;
use tradewright_sim::{
    EngineSubject, ExpireMaker, NoPrevention, Operation, OperationKind, Outcome, Prevention, Side, Subject, Sums, Tape,
    Workload, golden,
};

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
