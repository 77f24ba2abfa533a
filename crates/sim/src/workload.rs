//! The benchmark workloads: a prefill and a sequence of operations, generated once against a book and then replayed.
//!
//! The first five are published, with golden answers that independent engines agree on; the other three are ours.
//! Geometric distances need a natural logarithm, the only floating point of this crate that touches an operation, and a
//! checksum guards it.

use std::fmt;
use std::str::FromStr;

use crate::book::{FillSink, MatchingBook, Shape, Side, Sums};
use crate::btree_book::BTreeBook;
use crate::golden::{Counts, Outcome};
use crate::operation::{Operation, OperationKind, checksum};
use crate::random::{Random, WeightedTable};

/// A market shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// The standard: 60 % adds, 35 % cancels, 5 % IOCs around a slowly walking price; about 5,000 orders rest.
    Mix60,
    /// The centre jumps by up to 25,000 ticks each 10,000 operations.
    Swing25,
    /// The centre jumps by up to 40,000 ticks each 10,000 operations.
    Swing40,
    /// `Swing25` with ticks a hundred times finer: one order a level over millions of ticks.
    Fine,
    /// The price falls by 60 % within 2,000 operations and climbs back slowly.
    Crash,
    /// A million resting orders over some 4,000 levels; otherwise as `Mix60`.
    Resting1m,
    /// A wall of 5,000 orders around a fixed price; one operation in 64 eats some fifty levels, adds refill.
    Sweep,
    /// Fifty books as `Mix60`, the busiest traded fifty times as often as the quietest, 10,000 accounts.
    Many,
    /// A recording, made elsewhere and given to [`Tape::recorded`]; nothing generates it.
    Recorded,
}

/// Instruments of [`Workload::Many`].
const MANY_INSTRUMENTS: usize = 50;

impl Workload {
    /// All workloads, the published ones first.
    pub const ALL: [Self; 8] =
        [Self::Mix60, Self::Swing25, Self::Swing40, Self::Fine, Self::Crash, Self::Resting1m, Self::Sweep, Self::Many];

    /// The workload's name in tables and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mix60 => "mix60",
            Self::Swing25 => "swing25",
            Self::Swing40 => "swing40",
            Self::Fine => "fine",
            Self::Crash => "crash",
            Self::Resting1m => "resting1m",
            Self::Sweep => "sweep",
            Self::Many => "many",
            Self::Recorded => "recorded",
        }
    }

    /// Accounts that the orders of this workload belong to: `operation.account(workload.accounts())`.
    #[must_use]
    pub const fn accounts(self) -> u64 {
        match self {
            Self::Many => 10_000,
            Self::Mix60
            | Self::Swing25
            | Self::Swing40
            | Self::Fine
            | Self::Crash
            | Self::Resting1m
            | Self::Sweep
            | Self::Recorded => 1_000,
        }
    }

    /// The room that `operations` operations of this workload need.
    #[must_use]
    pub const fn shape(self, operations: usize) -> Shape {
        let instruments = match self {
            Self::Many => MANY_INSTRUMENTS,
            Self::Mix60
            | Self::Swing25
            | Self::Swing40
            | Self::Fine
            | Self::Crash
            | Self::Resting1m
            | Self::Sweep
            | Self::Recorded => 1,
        };
        let resting = self.prefill_per_instrument() * instruments;
        let ticks = if self.ticks_finer() > 1 { 1 << 24 } else { 1 << 18 };
        Shape { ticks, ids: resting + operations, resting, instruments }
    }

    const fn prefill_per_instrument(self) -> usize {
        match self {
            Self::Resting1m => 1_000_000,
            Self::Mix60 | Self::Swing25 | Self::Swing40 | Self::Fine | Self::Crash | Self::Sweep | Self::Many => 5_000,
            Self::Recorded => 0,
        }
    }

    /// How many ticks one tick of the standard workload becomes.
    const fn ticks_finer(self) -> i64 {
        match self {
            Self::Fine => 100,
            Self::Mix60
            | Self::Swing25
            | Self::Swing40
            | Self::Crash
            | Self::Resting1m
            | Self::Sweep
            | Self::Many
            | Self::Recorded => 1,
        }
    }

    /// The price that operation `n` is placed around; nothing where the book's own best prices lead.
    fn centre(self, n: i64) -> Option<i64> {
        let jump = |reach: i64| MIDDLE + reach * ((n / 10_000) * 7_919 % 2_001 - 1_000) / 1_000;
        match self {
            Self::Mix60 | Self::Resting1m | Self::Many | Self::Recorded => None,
            Self::Swing25 => Some(jump(25_000)),
            Self::Swing40 => Some(jump(40_000)),
            Self::Fine => Some(jump(25_000) * self.ticks_finer()),
            Self::Sweep => Some(MIDDLE),
            Self::Crash => Some(match n {
                ..=1_000_000 => MIDDLE,
                1_000_001..=1_002_000 => MIDDLE - 30 * (n - 1_000_000),
                1_002_001..=1_500_000 => 40_000,
                1_500_001..=2_000_000 => 40_000 + 60_000 * (n - 1_500_000) / 500_000,
                2_000_001.. => MIDDLE,
            }),
        }
    }

    /// Generates the prefill and `operations` operations, the same ones in every run.
    ///
    /// A cancel that finds nothing to cancel is skipped, so the tape may be shorter than `operations`.
    ///
    /// # Panics
    /// On [`Workload::Recorded`], which is not generated.
    #[must_use]
    pub fn generate(self, operations: usize) -> Tape {
        match self {
            Self::Many => generate_many(operations),
            Self::Recorded => panic!("Condition failed: a recording is not generated"),
            Self::Mix60 | Self::Swing25 | Self::Swing40 | Self::Fine | Self::Crash | Self::Resting1m | Self::Sweep => {
                generate_one(self, operations)
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|workload| workload.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("workload={name:?} is unknown, must be one of {known}")
        })
    }
}

/// A generated workload: what a driver replays.
#[derive(Clone, Debug)]
pub struct Tape {
    /// What it was generated from.
    pub workload: Workload,
    /// The room that it needs.
    pub shape: Shape,
    /// The number of operations asked for; skipped ones count.
    pub requested: usize,
    /// How many operations of each kind follow the prefill.
    pub counts: Counts,
    /// The state that the generating book ended in, prefill and operations together.
    pub outcome: Outcome,
    /// The prefill, then the operations.
    records: Vec<Operation>,
    prefill: usize,
}

impl Tape {
    /// A recording of one instrument: `prefill` orders, then operations. Ids are dense from 1 over adds and IOCs, prices lie
    /// in `0..2^18`. Its answer is that of the B-tree book.
    ///
    /// # Panics
    /// When the ids are not dense from 1.
    #[must_use]
    pub fn recorded(records: Vec<Operation>, prefill: usize) -> Self {
        let orders = records.iter().filter(|operation| operation.kind != OperationKind::Cancel);
        let ids = orders.clone().count();
        assert!(orders.map(|order| order.id).eq(1..=ids as u64), "Condition failed: ids must be dense from 1");
        let mut book = BTreeBook::new(ids);
        let (mut sums, mut counts) = (Sums::default(), Counts::default());
        for (place, operation) in records.iter().enumerate() {
            let &Operation { kind, side, quantity, price, id, .. } = operation;
            let mut untold = Sums::default();
            let sink = if place < prefill { &mut untold } else { &mut sums };
            if kind == OperationKind::Cancel {
                book.cancel(id);
            } else {
                book.limit(id, side, price, quantity, kind == OperationKind::ImmediateOrCancel, sink);
            }
            if place >= prefill {
                counts.count(kind);
            }
        }
        let shape = Shape { ticks: 1 << 18, ids, resting: 1 << 14, instruments: 1 };
        let (requested, outcome) = (records.len() - prefill, Outcome::of(&book, sums));
        Self { workload: Workload::Recorded, shape, requested, counts, outcome, records, prefill }
    }

    /// The prefill and the operations in one slice.
    #[must_use]
    pub fn records(&self) -> &[Operation] {
        &self.records
    }

    /// The orders that rest before the clock starts.
    #[must_use]
    pub fn prefill(&self) -> &[Operation] {
        &self.records[..self.prefill]
    }

    /// The operations behind the prefill.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.records[self.prefill..]
    }

    /// The checksum over prefill and operations.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        checksum(&self.records)
    }
}

/// The price that every workload starts around, in standard ticks.
const MIDDLE: i64 = 100_000;

/// A number in 0..1 with 53 random bits.
fn unit(random: &mut Random) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Failures before the first success of a trial that succeeds with probability `p`.
fn geometric(random: &mut Random, p: f64) -> i64 {
    ((1.0 - unit(random)).ln() / (1.0 - p).ln()).trunc() as i64
}

/// Live ids in an array. Removal swaps the last id in: on a cancel, and at each full fill in match order.
#[derive(Default)]
struct Live {
    ids: Vec<u64>,
    /// By id: where it stands in `ids`.
    positions: Vec<u32>,
    /// Orders of each side.
    of_side: [u64; 2],
    /// By id.
    sides: Vec<Side>,
    sums: Sums,
}

impl Live {
    fn push(&mut self, id: u64, side: Side) {
        let index = id as usize;
        if self.positions.len() <= index {
            let room = (index + 1).next_power_of_two();
            self.positions.resize(room, 0);
            self.sides.resize(room, Side::Buy);
        }
        self.positions[index] = self.ids.len() as u32;
        self.sides[index] = side;
        self.of_side[side as usize] += 1;
        self.ids.push(id);
    }

    fn remove(&mut self, id: u64) {
        let position = self.positions[id as usize];
        self.of_side[self.sides[id as usize] as usize] -= 1;
        self.ids.swap_remove(position as usize);
        if let Some(&moved) = self.ids.get(position as usize) {
            self.positions[moved as usize] = position;
        }
    }
}

impl FillSink for Live {
    fn fill(&mut self, maker: u64, taker: u64, price: i64, quantity: u32, maker_done: bool) {
        self.sums.fill(maker, taker, price, quantity, maker_done);
        if maker_done {
            self.remove(maker);
        }
    }
}

/// One book while its operations are made up. Ids are its own, dense from 1.
struct Stream {
    workload: Workload,
    /// Not the ladder, which `Fine` would cost half a gigabyte.
    book: BTreeBook,
    live: Live,
    last_id: u64,
    /// Operations so far, skipped ones included.
    n: i64,
    counts: Counts,
}

impl Stream {
    fn new(workload: Workload, ids: usize) -> Self {
        let book = BTreeBook::new(ids);
        Self { workload, book, live: Live::default(), last_id: 0, n: 0, counts: Counts::default() }
    }

    fn side(random: &mut Random) -> Side {
        if random.next_u64() & 1 == 0 { Side::Buy } else { Side::Sell }
    }

    /// A geometric distance in the ticks of this workload.
    fn distance(&self, random: &mut Random, p: f64) -> i64 {
        1 + geometric(random, p / self.workload.ticks_finer() as f64)
    }

    /// A price `distance` away from `from`, on the passive side of it.
    fn passive(side: Side, from: i64, distance: i64) -> i64 {
        match side {
            Side::Buy => from - distance,
            Side::Sell => from + distance,
        }
    }

    /// The best price of the other side, which the book-led workloads never exhaust.
    fn opposite_best(&self, side: Side) -> i64 {
        let best = match side {
            Side::Buy => self.book.best_ask(),
            Side::Sell => self.book.best_bid(),
        };
        best.expect("Invariant: neither side of a book-led workload empties")
    }

    fn enter(&mut self, kind: OperationKind, side: Side, price: i64, quantity: u32) -> Operation {
        self.last_id += 1;
        let id = self.last_id;
        let immediate = kind == OperationKind::ImmediateOrCancel;
        let left = self.book.limit(id, side, price, quantity, immediate, &mut self.live);
        if left > 0 && !immediate {
            self.live.push(id, side);
        }
        Operation { kind, side, instrument: 0, quantity, price, id }
    }

    fn prefill(&mut self, random: &mut Random, i: usize) -> Operation {
        let side = if i & 1 == 0 { Side::Buy } else { Side::Sell };
        let distance = match self.workload {
            Workload::Mix60
            | Workload::Swing25
            | Workload::Swing40
            | Workload::Fine
            | Workload::Crash
            | Workload::Many
            | Workload::Recorded => self.distance(random, 0.03),
            Workload::Resting1m | Workload::Sweep => 1 + random.remainder(2_000) as i64,
        };
        let price = Self::passive(side, MIDDLE * self.workload.ticks_finer(), distance);
        let quantity = 1 + random.remainder(100) as u32;
        self.enter(OperationKind::Add, side, price, quantity)
    }

    /// The next operation; nothing when it is skipped.
    fn step(&mut self, random: &mut Random) -> Option<Operation> {
        self.n += 1;
        let kind = match self.workload {
            Workload::Sweep => {
                if random.remainder(64) == 0 {
                    OperationKind::ImmediateOrCancel
                } else {
                    OperationKind::Add
                }
            }
            Workload::Mix60
            | Workload::Swing25
            | Workload::Swing40
            | Workload::Fine
            | Workload::Crash
            | Workload::Resting1m
            | Workload::Many
            | Workload::Recorded => match unit(random) {
                ..0.60 => OperationKind::Add,
                0.60..0.95 => OperationKind::Cancel,
                _ => OperationKind::ImmediateOrCancel,
            },
        };
        let operation = match kind {
            OperationKind::Add => self.add(random),
            OperationKind::Cancel => self.cancel(random)?,
            OperationKind::ImmediateOrCancel => self.immediate(random),
        };
        self.counts.count(kind);
        Some(operation)
    }

    fn add(&mut self, random: &mut Random) -> Operation {
        let side = Self::side(random);
        let centre = self.workload.centre(self.n);
        let distance = match self.workload {
            Workload::Mix60 | Workload::Many | Workload::Recorded => self.distance(random, 0.04),
            Workload::Swing25 | Workload::Swing40 | Workload::Fine | Workload::Crash => {
                let far = random.remainder(8) == 0;
                self.distance(random, if far { 0.0005 } else { 0.04 })
            }
            Workload::Resting1m | Workload::Sweep => 1 + random.remainder(2_000) as i64,
        };
        let quantity = 1 + random.remainder(100) as u32;
        let from = centre.unwrap_or_else(|| self.opposite_best(side));
        self.enter(OperationKind::Add, side, Self::passive(side, from, distance), quantity)
    }

    fn cancel(&mut self, random: &mut Random) -> Option<Operation> {
        if self.live.ids.is_empty() {
            return None;
        }
        let id = self.live.ids[random.remainder(self.live.ids.len() as u64) as usize];
        let open = self.book.cancel(id);
        assert!(open.is_some(), "Invariant: a live order rests");
        self.live.remove(id);
        let kind = OperationKind::Cancel;
        Some(Operation { kind, side: Side::Buy, instrument: 0, quantity: 0, price: 0, id })
    }

    fn immediate(&mut self, random: &mut Random) -> Operation {
        let side = Self::side(random);
        let live = self.live.ids.len() as u64;
        let (reach, quantity_max) = match self.workload {
            Workload::Mix60
            | Workload::Swing25
            | Workload::Swing40
            | Workload::Fine
            | Workload::Crash
            | Workload::Many
            | Workload::Recorded => (50, 505 * live / 5_000),
            // Far enough for the quantity to decide: at 50 ticks the book grows by a tenth each million operations.
            Workload::Resting1m => (2_000, 505 * live / 1_000_000),
            // Half of 2.5 lots for each order of the eaten side is what 32 adds bring back.
            Workload::Sweep => (2_000, self.live.of_side[side.opposite() as usize] * 5 / 2),
        };
        let from = self.workload.centre(self.n).unwrap_or_else(|| self.opposite_best(side));
        let price = Self::passive(side.opposite(), from, reach * self.workload.ticks_finer());
        let quantity = 1 + random.remainder(quantity_max.max(1)) as u32;
        self.enter(OperationKind::ImmediateOrCancel, side, price, quantity)
    }
}

fn generate_one(workload: Workload, operations: usize) -> Tape {
    let shape = workload.shape(operations);
    let mut random = Random::new(42);
    let mut stream = Stream::new(workload, shape.ids);
    let prefill = workload.prefill_per_instrument();
    let mut records = Vec::with_capacity(prefill + operations);
    records.extend((0..prefill).map(|i| stream.prefill(&mut random, i)));
    records.extend((0..operations).filter_map(|_| stream.step(&mut random)));
    let outcome = Outcome::of(&stream.book, stream.live.sums);
    Tape { workload, shape, requested: operations, counts: stream.counts, outcome, records, prefill }
}

/// Fifty streams of one generator. Ids are dense over the whole tape; each stream remembers which of them are its own.
fn generate_many(operations: usize) -> Tape {
    let workload = Workload::Many;
    let shape = workload.shape(operations);
    let mut random = Random::new(42);
    let mut streams: Vec<(Stream, Vec<u64>)> =
        (0..shape.instruments).map(|_| (Stream::new(workload, 0), vec![0])).collect();
    let mut last_id = 0;
    let mut records: Vec<Operation> = Vec::with_capacity(shape.resting + operations);
    let mut publish = |instrument: usize, tape_ids: &mut Vec<u64>, mut operation: Operation| {
        if operation.kind != OperationKind::Cancel {
            last_id += 1;
            tape_ids.push(last_id);
        }
        operation.id = tape_ids[operation.id as usize];
        operation.instrument = instrument as u16;
        records.push(operation);
    };
    for i in 0..workload.prefill_per_instrument() {
        for (instrument, (stream, tape_ids)) in streams.iter_mut().enumerate() {
            publish(instrument, tape_ids, stream.prefill(&mut random, i));
        }
    }
    let activity: Vec<u32> = (1..=shape.instruments as u32).map(|place| 100_000 / place).collect();
    let activity = WeightedTable::new(&activity);
    for _ in 0..operations {
        let instrument = activity.draw(&mut random);
        let (stream, tape_ids) = &mut streams[instrument];
        if let Some(operation) = stream.step(&mut random) {
            publish(instrument, tape_ids, operation);
        }
    }
    let outcome = streams.iter().map(|(stream, _)| Outcome::of(&stream.book, stream.live.sums)).reduce(Outcome::join);
    let counts = streams.iter().map(|(stream, _)| stream.counts).reduce(Counts::join);
    Tape {
        workload,
        shape,
        requested: operations,
        counts: counts.unwrap_or_default(),
        outcome: outcome.unwrap_or_default(),
        records,
        prefill: shape.resting,
    }
}
