//! The bench driver: replays one tape through the floor, a reference and a subject in turns, and reports ratios.
//!
//! Machines are shared and noisy. A nanosecond figure travels badly; its ratio to a reference that ran in the same
//! minute on the same core travels well, so each round runs all three and the medians are taken over rounds.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::marker::PhantomData;

use crate::book::{FreshBook, MatchingBook, Sums};
use crate::clock::{Stopwatch, thread_cpu_ns};
use crate::golden::{Golden, Outcome};
use crate::ladder::Ladder;
use crate::operation::{Operation, OperationKind};
use crate::workload::{Tape, Workload};

/// Something that can be driven: a bare book, or an engine with everything around it.
pub trait Subject: Sized {
    /// What the subject is handed: operations themselves, or its own command records.
    type Prepared: Clone;

    /// What tables call it.
    fn name() -> &'static str;

    /// A new one with room for `tape`, accounts funded and instruments listed.
    fn fresh(tape: &Tape) -> Self;

    /// Turns the tape's operations into what [`Self::apply`] takes, one for one. Untimed.
    fn prepare(tape: &Tape) -> Cow<'_, [Self::Prepared]>;

    /// Applies a batch and adds its fills to `sums`. This is what is timed: put `#[inline]` on it.
    fn apply(&mut self, batch: &[Self::Prepared], sums: &mut Sums);

    /// The state at the end, and the memory held.
    fn finish(&self) -> Finish;
}

/// What a subject ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// Best bid, of instrument 0.
    pub best_bid: Option<i64>,
    /// Best ask, of instrument 0.
    pub best_ask: Option<i64>,
    /// Resting orders.
    pub live: usize,
    /// Price levels with orders.
    pub levels: usize,
    /// Bytes held.
    pub memory_bytes: usize,
}

impl Finish {
    /// The end of a bare book.
    #[must_use]
    pub fn of<B: MatchingBook>(book: &B) -> Self {
        Self {
            best_bid: book.best_bid(),
            best_ask: book.best_ask(),
            live: book.live_count(),
            levels: book.level_count(),
            memory_bytes: book.memory_bytes(),
        }
    }

    /// What can be compared with a golden answer.
    #[must_use]
    pub const fn outcome(&self, sums: Sums) -> Outcome {
        Outcome {
            fills: sums.fills,
            filled_quantity: sums.filled_quantity,
            notional: sums.notional,
            best_bid: self.best_bid,
            best_ask: self.best_ask,
            live: self.live,
            levels: self.levels,
        }
    }
}

/// The driver alone: reads each operation and does nothing. No subject can be faster.
#[derive(Debug, Default)]
pub struct Floor {
    mixed: u64,
}

impl Subject for Floor {
    type Prepared = Operation;

    fn name() -> &'static str {
        "floor"
    }

    fn fresh(_tape: &Tape) -> Self {
        Self::default()
    }

    fn prepare(tape: &Tape) -> Cow<'_, [Operation]> {
        Cow::Borrowed(tape.records())
    }

    #[inline]
    fn apply(&mut self, batch: &[Operation], _sums: &mut Sums) {
        for operation in batch {
            let read = match operation.kind {
                OperationKind::Add => operation.price as u64 + u64::from(operation.quantity),
                OperationKind::Cancel => operation.id,
                OperationKind::ImmediateOrCancel => operation.price as u64 ^ operation.id,
            };
            self.mixed = black_box(self.mixed.wrapping_add(read));
        }
    }

    fn finish(&self) -> Finish {
        Finish::default()
    }
}

#[inline]
fn apply_to_book<B: MatchingBook>(book: &mut B, operation: &Operation, sums: &mut Sums) {
    let &Operation { kind, side, instrument: _, quantity, price, id } = operation;
    match kind {
        OperationKind::Cancel => {
            book.cancel(id);
        }
        OperationKind::Add | OperationKind::ImmediateOrCancel => {
            book.limit(id, side, price, quantity, kind == OperationKind::ImmediateOrCancel, sums);
        }
    }
}

/// A bare book as a subject, for workloads of one instrument.
pub struct BookSubject<B> {
    book: B,
}

impl<B: FreshBook> Subject for BookSubject<B> {
    type Prepared = Operation;

    fn name() -> &'static str {
        B::name()
    }

    fn fresh(tape: &Tape) -> Self {
        assert_eq!(tape.shape.instruments, 1, "Condition failed: several instruments need ManyBooks");
        Self { book: B::fresh(&tape.shape) }
    }

    fn prepare(tape: &Tape) -> Cow<'_, [Operation]> {
        Cow::Borrowed(tape.records())
    }

    #[inline]
    fn apply(&mut self, batch: &[Operation], sums: &mut Sums) {
        for operation in batch {
            apply_to_book(&mut self.book, operation, sums);
        }
    }

    fn finish(&self) -> Finish {
        Finish::of(&self.book)
    }
}

/// One bare book for each instrument. Ids are made dense by instrument beforehand, as a router in front would.
pub struct ManyBooks<B> {
    books: Vec<B>,
}

impl<B: FreshBook> Subject for ManyBooks<B> {
    type Prepared = Operation;

    fn name() -> &'static str {
        B::name()
    }

    fn fresh(tape: &Tape) -> Self {
        let mut ids = vec![0; tape.shape.instruments];
        for operation in tape.records().iter().filter(|operation| operation.kind != OperationKind::Cancel) {
            ids[usize::from(operation.instrument)] += 1;
        }
        let resting = tape.shape.resting / tape.shape.instruments;
        let shape_of = |ids| crate::book::Shape { ids, resting, instruments: 1, ..tape.shape };
        Self { books: ids.into_iter().map(|ids| B::fresh(&shape_of(ids))).collect() }
    }

    fn prepare(tape: &Tape) -> Cow<'_, [Operation]> {
        let operations = tape.records();
        let mut last_of_instrument = Vec::new();
        let mut book_id_of = vec![0];
        let mut prepared = operations.to_vec();
        for operation in &mut prepared {
            let instrument = usize::from(operation.instrument);
            if operation.kind != OperationKind::Cancel {
                if last_of_instrument.len() <= instrument {
                    last_of_instrument.resize(instrument + 1, 0);
                }
                last_of_instrument[instrument] += 1;
                assert_eq!(operation.id, book_id_of.len() as u64, "Invariant: ids of a tape are dense from 1");
                book_id_of.push(last_of_instrument[instrument]);
            }
            operation.id = book_id_of[operation.id as usize];
        }
        Cow::Owned(prepared)
    }

    #[inline]
    fn apply(&mut self, batch: &[Operation], sums: &mut Sums) {
        for operation in batch {
            apply_to_book(&mut self.books[usize::from(operation.instrument)], operation, sums);
        }
    }

    fn finish(&self) -> Finish {
        let join = |first: Finish, other: Finish| Finish {
            live: first.live + other.live,
            levels: first.levels + other.levels,
            memory_bytes: first.memory_bytes + other.memory_bytes,
            ..first
        };
        self.books.iter().map(Finish::of).reduce(join).unwrap_or_default()
    }
}

/// How to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriveOptions {
    /// Rounds of floor, reference and subject. Medians are taken over them.
    pub rounds: usize,
    /// Prepared operations handed over at once. The latency pass always hands over one.
    pub batch: usize,
    /// The core to pin to; the last one when not given, since the first serves most interrupts.
    pub core: Option<usize>,
    /// Whether to add a pass that times single operations.
    pub latency: bool,
}

impl Default for DriveOptions {
    fn default() -> Self {
        Self { rounds: 5, batch: 256, core: None, latency: true }
    }
}

/// What came out of a drive.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchReport {
    /// The subject's name.
    pub subject: &'static str,
    /// The workload.
    pub workload: Workload,
    /// Operations behind the prefill, skipped ones included.
    pub operations: usize,
    /// Fills behind the prefill.
    pub fills: u64,
    /// Lots traded.
    pub filled_quantity: u64,
    /// Sum of price x quantity.
    pub notional: u128,
    /// Best bid at the end.
    pub best_bid: Option<i64>,
    /// Best ask at the end.
    pub best_ask: Option<i64>,
    /// Resting orders at the end.
    pub live: usize,
    /// Price levels at the end.
    pub levels: usize,
    /// Bytes that the subject holds at the end.
    pub memory_bytes: usize,
    /// Thread-CPU nanoseconds an operation over the last third; the median of the rounds.
    pub ns_per_op: f64,
    /// The same for the driver alone.
    pub floor_ns_per_op: f64,
    /// The same for the reference.
    pub ladder_ns_per_op: f64,
    /// Subject over reference: the median of the rounds' ratios, not the ratio of the medians.
    pub ratio: f64,
    /// Median latency of a single operation, in nanoseconds; zero without a latency pass, as the next three.
    pub p50_ns: f64,
    /// 99 of 100 operations are faster.
    pub p99_ns: f64,
    /// 999 of 1,000 operations are faster.
    pub p999_ns: f64,
    /// The slowest operation, interrupts of the machine included.
    pub max_ns: f64,
    /// The compiler's `target-cpu`.
    pub target_cpu: &'static str,
    /// Rounds driven.
    pub rounds: usize,
    /// The core that the thread was pinned to, where the system allowed it.
    pub core: Option<usize>,
}

impl BenchReport {
    /// What can be compared with a golden answer.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        Outcome {
            fills: self.fills,
            filled_quantity: self.filled_quantity,
            notional: self.notional,
            best_bid: self.best_bid,
            best_ask: self.best_ask,
            live: self.live,
            levels: self.levels,
        }
    }

    /// Compares with a golden answer.
    ///
    /// # Errors
    /// Names both sides when they differ: the figures then belong to a wrong engine.
    pub fn check(&self, golden: &Golden) -> Result<(), String> {
        if self.outcome() == golden.outcome {
            return Ok(());
        }
        let (subject, workload, operations) = (self.subject, golden.workload, golden.operations);
        let (got, expected) = (self.outcome(), golden.outcome);
        Err(format!("{subject} on {workload} after {operations}: got {got:?}, expected {expected:?}"))
    }

    /// The heading over rows of [`fmt::Display`].
    pub const HEADING: &'static str =
        "subject          ns/op  x ladder     p50     p99   p99.9       max  memory MB   ladder    floor";
}

impl fmt::Display for BenchReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:<14} {:>7.1} {:>9.2} {:>7.0} {:>7.0} {:>7.0} {:>9.0} {:>10.1} {:>8.1} {:>8.1}",
            self.subject,
            self.ns_per_op,
            self.ratio,
            self.p50_ns,
            self.p99_ns,
            self.p999_ns,
            self.max_ns,
            self.memory_bytes as f64 / 1e6,
            self.ladder_ns_per_op,
            self.floor_ns_per_op,
        )
    }
}

/// Drives `S` against the reference ladder.
///
/// # Panics
/// When the subject's rounds differ from each other, or when `tape` is empty or `options` ask for no round or batch.
#[must_use]
pub fn drive<S: Subject>(tape: &Tape, options: &DriveOptions) -> BenchReport {
    if tape.shape.instruments == 1 {
        drive_against::<BookSubject<Ladder>, S>(tape, options)
    } else {
        drive_against::<ManyBooks<Ladder>, S>(tape, options)
    }
}

/// Drives `S` against another reference, such as the engine without the layer that is being priced.
///
/// # Panics
/// As [`drive`].
#[must_use]
pub fn drive_against<Reference: Subject, S: Subject>(tape: &Tape, options: &DriveOptions) -> BenchReport {
    assert!(!tape.operations().is_empty(), "Condition failed: the tape has no operations");
    assert!(options.rounds > 0 && options.batch > 0, "Condition failed: {options:?}, both must be at least 1");
    // A thread of its own: pinning ends with it.
    std::thread::scope(|scope| {
        let driver = scope.spawn(|| drive_pinned::<Reference, S>(tape, options));
        driver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What one round of a subject came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Thread-CPU nanoseconds an operation over the last third.
    pub ns_per_op: f64,
    /// What can be compared with a golden answer.
    pub outcome: Outcome,
    /// Bytes held at the end.
    pub memory_bytes: usize,
}

/// Drives one round of `S` on the calling thread: for those who interleave rounds of their own with it.
#[must_use]
pub fn round<S: Subject>(tape: &Tape, batch: usize) -> Round {
    let Pass { ns_per_op, sums, finish } = Replay::<S>::new(tape).throughput(batch);
    Round { ns_per_op, outcome: finish.outcome(sums), memory_bytes: finish.memory_bytes }
}

/// Where the last third of a tape starts: the part that is timed, counted from the first record of the prefill.
#[must_use]
pub fn timed_from(tape: &Tape) -> usize {
    let (prefill, operations) = (tape.prefill().len(), tape.operations().len());
    prefill + operations - operations.div_ceil(3)
}

fn drive_pinned<Reference: Subject, S: Subject>(tape: &Tape, options: &DriveOptions) -> BenchReport {
    let core = pin(options.core);
    let floor = Replay::<Floor>::new(tape);
    let reference = Replay::<Reference>::new(tape);
    let subject = Replay::<S>::new(tape);
    let (mut floor_ns, mut reference_ns, mut subject_ns, mut ratios) = (vec![], vec![], vec![], vec![]);
    let mut answer: Option<(Sums, Finish)> = None;
    for round in 0..options.rounds {
        floor_ns.push(floor.throughput(options.batch).ns_per_op);
        let reference = reference.throughput(options.batch);
        let subject = subject.throughput(options.batch);
        reference_ns.push(reference.ns_per_op);
        subject_ns.push(subject.ns_per_op);
        ratios.push(subject.ns_per_op / reference.ns_per_op);
        let (sums, _) = *answer.get_or_insert((subject.sums, subject.finish));
        assert_eq!(sums, subject.sums, "Invariant: round {round} of {} repeats the first", S::name());
    }
    let (sums, finish) = answer.expect("Invariant: at least one round");
    let latency = if options.latency { subject.latency() } else { Latency::default() };
    BenchReport {
        subject: S::name(),
        workload: tape.workload,
        operations: tape.requested,
        fills: sums.fills,
        filled_quantity: sums.filled_quantity,
        notional: sums.notional,
        best_bid: finish.best_bid,
        best_ask: finish.best_ask,
        live: finish.live,
        levels: finish.levels,
        memory_bytes: finish.memory_bytes,
        ns_per_op: median(&mut subject_ns),
        floor_ns_per_op: median(&mut floor_ns),
        ladder_ns_per_op: median(&mut reference_ns),
        ratio: median(&mut ratios),
        p50_ns: latency.p50_ns,
        p99_ns: latency.p99_ns,
        p999_ns: latency.p999_ns,
        max_ns: latency.max_ns,
        target_cpu: env!("TRADEWRIGHT_TARGET_CPU"),
        rounds: options.rounds,
        core,
    }
}

/// Pins this thread and says where to; nothing where the system does not allow it.
fn pin(wanted: Option<usize>) -> Option<usize> {
    let cores = core_affinity::get_core_ids()?;
    let core = match wanted {
        Some(id) => cores.into_iter().find(|core| core.id == id)?,
        None => cores.into_iter().next_back()?,
    };
    core_affinity::set_for_current(core).then_some(core.id)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

struct Pass {
    ns_per_op: f64,
    sums: Sums,
    finish: Finish,
}

#[derive(Default)]
struct Latency {
    p50_ns: f64,
    p99_ns: f64,
    p999_ns: f64,
    max_ns: f64,
}

/// A prepared tape, cut where the clock starts.
struct Replay<'tape, S: Subject> {
    tape: &'tape Tape,
    prepared: Cow<'tape, [S::Prepared]>,
    /// The prefill ends here.
    prefill: usize,
    /// The last third of the operations starts here.
    timed: usize,
    subject: PhantomData<S>,
}

impl<'tape, S: Subject> Replay<'tape, S> {
    fn new(tape: &'tape Tape) -> Self {
        let prepared = S::prepare(tape);
        assert_eq!(prepared.len(), tape.records().len(), "Invariant: prepared one for one");
        Self { tape, prepared, prefill: tape.prefill().len(), timed: timed_from(tape), subject: PhantomData }
    }

    /// Prefill, whose fills do not count, and the first two thirds.
    fn warm(&self, batch: usize) -> (S, Sums) {
        let mut subject = S::fresh(self.tape);
        for batch in self.prepared[..self.prefill].chunks(batch) {
            subject.apply(batch, &mut Sums::default());
        }
        let mut sums = Sums::default();
        for batch in self.prepared[self.prefill..self.timed].chunks(batch) {
            subject.apply(batch, &mut sums);
        }
        (subject, sums)
    }

    #[inline(never)]
    fn throughput(&self, batch: usize) -> Pass {
        let (mut subject, mut sums) = self.warm(batch);
        let timed = &self.prepared[self.timed..];
        let before = thread_cpu_ns();
        for batch in timed.chunks(batch) {
            subject.apply(batch, &mut sums);
        }
        let elapsed = thread_cpu_ns() - before;
        Pass { ns_per_op: elapsed as f64 / timed.len() as f64, sums, finish: subject.finish() }
    }

    #[inline(never)]
    fn latency(&self) -> Latency {
        let stopwatch = Stopwatch::start();
        let (mut subject, mut sums) = self.warm(1);
        let timed = &self.prepared[self.timed..];
        let mut ticks: Vec<u64> = vec![0; timed.len()];
        for (operation, ticks) in timed.iter().zip(&mut ticks) {
            let before = stopwatch.ticks();
            subject.apply(std::slice::from_ref(operation), &mut sums);
            let after = stopwatch.ticks();
            *ticks = stopwatch.between(before, after);
        }
        black_box(&sums);
        let ns_per_tick = stopwatch.ns_per_tick();
        ticks.sort_unstable();
        let at = |per_mille: usize| ticks[(ticks.len() * per_mille / 1_000).min(ticks.len() - 1)] as f64 * ns_per_tick;
        Latency { p50_ns: at(500), p99_ns: at(990), p999_ns: at(999), max_ns: at(1_000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::btree_book::BTreeBook;
    use crate::golden::golden;

    const QUICK: DriveOptions = DriveOptions { rounds: 2, batch: 7, core: None, latency: true };

    #[test]
    fn a_drive_reports_the_golden_answer_whatever_the_batch() {
        let tape = Workload::Mix60.generate(200_000);
        let golden = golden(Workload::Mix60, 200_000).unwrap();
        for batch in [1, 7, 1_000_000] {
            let report = drive::<BookSubject<BTreeBook>>(&tape, &DriveOptions { batch, ..QUICK });
            report.check(golden).unwrap();
            assert!(report.ns_per_op > 0.0 && report.ratio > 0.0);
            assert!(report.p50_ns <= report.p99_ns && report.p99_ns <= report.p999_ns);
            assert!(report.p999_ns <= report.max_ns);
        }
    }

    #[test]
    fn a_wrong_answer_is_named() {
        let tape = Workload::Mix60.generate(1_000);
        let report = drive::<BookSubject<Ladder>>(&tape, &QUICK);
        let error = report.check(golden(Workload::Mix60, 200_000).unwrap()).unwrap_err();
        assert!(error.starts_with("ladder on mix60 after 200000: got Outcome"), "{error}");
    }

    #[test]
    fn many_books_agree_with_the_generator() {
        let tape = Workload::Many.generate(20_000);
        // Against itself: fifty ladders take longer to make than to drive.
        type Books = ManyBooks<BTreeBook>;
        let report = drive_against::<Books, Books>(&tape, &DriveOptions { latency: false, ..QUICK });
        assert_eq!(report.outcome(), tape.outcome);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
