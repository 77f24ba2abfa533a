//! The measuring side for Python: tapes, rounds and whole drives of `sim`.

use numpy::PyArray1;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewright_sim::{
    BookSubject, DriveOptions, EngineSubject, ExpireMaker, Floor, Ladder, ManyBooks, NoPrevention, Operation,
    OperationKind, Outcome, PagedBook, Round, Side, Tape, Workload, commands, drive, golden, round, timed_from, venue,
};
use tradewright_types::{Price, SelfTradePrevention};

use crate::records::{CommandRow, commands_array};

/// Operations handed over at once.
const BATCH: usize = 64;

/// What a run of a workload comes to, to be compared with the answer that is known.
#[pyclass(frozen, get_all, eq, module = "tradewright._core")]
#[derive(Debug, PartialEq)]
pub(crate) struct BenchOutcome {
    /// Fills behind the prefill.
    fills: u64,
    /// Lots traded.
    filled_quantity: u64,
    /// Sum of price x quantity.
    notional: u128,
    /// Best bid at the end, of instrument 0.
    best_bid: Option<i64>,
    /// Best ask at the end, of instrument 0.
    best_ask: Option<i64>,
    /// Resting orders at the end.
    live: usize,
    /// Price levels at the end.
    levels: usize,
}

impl From<Outcome> for BenchOutcome {
    fn from(outcome: Outcome) -> Self {
        let Outcome { fills, filled_quantity, notional, best_bid, best_ask, live, levels } = outcome;
        Self { fills, filled_quantity, notional, best_bid, best_ask, live, levels }
    }
}

/// The figures of a drive: floor, reference ladder and subject in interleaved rounds.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct BenchFigures {
    /// Thread-CPU nanoseconds an operation over the last third; the median of the rounds.
    ns_per_op: f64,
    /// The same for the driver alone.
    floor_ns_per_op: f64,
    /// The same for the reference ladder.
    ladder_ns_per_op: f64,
    /// Subject over ladder: the median of the rounds' ratios.
    ratio: f64,
    /// Median latency of a single operation.
    p50_ns: f64,
    /// 99 of 100 operations are faster.
    p99_ns: f64,
    /// 999 of 1,000 operations are faster.
    p999_ns: f64,
    /// The slowest operation.
    max_ns: f64,
    /// Bytes that the subject holds at the end.
    memory_bytes: usize,
    /// The compiler's target-cpu.
    target_cpu: &'static str,
}

/// A workload: its operations, and what any right engine makes of them.
#[pyclass(frozen, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct Bench {
    tape: Tape,
}

fn mode(prevents: bool) -> SelfTradePrevention {
    if prevents { SelfTradePrevention::ExpireMaker } else { SelfTradePrevention::None }
}

#[pymethods]
impl Bench {
    /// Generate a workload: the same one in every run.
    #[new]
    fn new(py: Python<'_>, workload: &str, operations: usize) -> PyResult<Self> {
        let workload: Workload = workload.parse().map_err(PyValueError::new_err)?;
        Ok(Self { tape: py.detach(|| workload.generate(operations)) })
    }

    /// Take a recording of one instrument: kinds 0 add, 1 cancel, 2 immediate or cancel; ids dense from 1.
    #[staticmethod]
    #[pyo3(signature = (
        kinds: "numpy.typing.NDArray[numpy.uint8]", sides: "numpy.typing.NDArray[numpy.uint8]",
        prices: "numpy.typing.NDArray[numpy.int64]", quantities: "numpy.typing.NDArray[numpy.uint32]",
        ids: "numpy.typing.NDArray[numpy.uint64]", prefill
    ))]
    fn recorded(
        kinds: PyReadonlyArray1<'_, u8>,
        sides: PyReadonlyArray1<'_, u8>,
        prices: PyReadonlyArray1<'_, i64>,
        quantities: PyReadonlyArray1<'_, u32>,
        ids: PyReadonlyArray1<'_, u64>,
        prefill: usize,
    ) -> PyResult<Self> {
        let (kinds, sides) = (kinds.as_array(), sides.as_array());
        let (prices, quantities, ids) = (prices.as_array(), quantities.as_array(), ids.as_array());
        let lengths = [sides.len(), prices.len(), quantities.len(), ids.len()];
        if lengths.iter().any(|length| *length != kinds.len()) || prefill > kinds.len() {
            return Err(PyValueError::new_err("the columns must have one length, and prefill lie within it"));
        }
        let operation = |row: usize| Operation {
            kind: match kinds[row] {
                0 => OperationKind::Add,
                1 => OperationKind::Cancel,
                _ => OperationKind::ImmediateOrCancel,
            },
            side: if sides[row] == 0 { Side::Buy } else { Side::Sell },
            instrument: 0,
            quantity: quantities[row],
            price: prices[row],
            id: ids[row],
        };
        Ok(Self { tape: Tape::recorded((0..kinds.len()).map(operation).collect(), prefill) })
    }

    /// What any right engine makes of it: the published answer where there is one, else the generating book's.
    #[getter]
    fn answer(&self) -> BenchOutcome {
        let published = golden(self.tape.workload, self.tape.requested);
        published.map_or(self.tape.outcome, |golden| golden.outcome).into()
    }

    /// Whether the answer is a published one.
    #[getter]
    fn is_golden(&self) -> bool {
        golden(self.tape.workload, self.tape.requested).is_some()
    }

    /// How many operations there are behind the prefill.
    #[getter]
    fn operations(&self) -> usize {
        self.tape.operations().len()
    }

    /// How many commands lead to the state that is measured from.
    #[getter]
    fn prefill(&self) -> usize {
        self.tape.prefill().len()
    }

    /// Where the last third starts, prefill included.
    #[getter]
    fn timed_from(&self) -> usize {
        timed_from(&self.tape)
    }

    /// Return the commands that set the venue up: markets, accounts, money, and limits that are never reached.
    #[pyo3(signature = () -> "numpy.typing.NDArray[numpy.void]")]
    fn set_up<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<CommandRow>> {
        let reference = if self.tape.workload == Workload::Fine { 10_000_000 } else { 100_000 };
        let accounts = self.tape.workload.accounts();
        commands_array(py, venue::bench_set_up(self.tape.shape.instruments, accounts, Price::from_ticks(reference)))
    }

    /// Return prefill and operations as commands.
    #[pyo3(signature = (*, prevents) -> "numpy.typing.NDArray[numpy.void]")]
    fn commands<'py>(&self, py: Python<'py>, prevents: bool) -> Bound<'py, PyArray1<CommandRow>> {
        commands_array(py, commands(self.tape.records(), self.tape.workload.accounts(), mode(prevents)))
    }

    /// Drive floor, ladder and a layer ("book" or "engine") in interleaved rounds.
    #[pyo3(signature = (layer, *, rounds, prevents))]
    fn drive(
        &self,
        py: Python<'_>,
        layer: &str,
        rounds: usize,
        prevents: bool,
    ) -> PyResult<(BenchFigures, BenchOutcome)> {
        let options = DriveOptions { rounds, batch: BATCH, ..DriveOptions::default() };
        let (tape, is_single) = (&self.tape, self.tape.shape.instruments == 1);
        let report = py.detach(|| match (layer, is_single, prevents) {
            ("book", true, _) => Ok(drive::<BookSubject<PagedBook>>(tape, &options)),
            ("book", false, _) => Ok(drive::<ManyBooks<PagedBook>>(tape, &options)),
            ("engine", _, false) => Ok(drive::<EngineSubject<NoPrevention>>(tape, &options)),
            ("engine", _, true) => Ok(drive::<EngineSubject<ExpireMaker>>(tape, &options)),
            _ => Err(PyValueError::new_err(format!("layer={layer:?} must be \"book\" or \"engine\""))),
        })?;
        let figures = BenchFigures {
            ns_per_op: report.ns_per_op,
            floor_ns_per_op: report.floor_ns_per_op,
            ladder_ns_per_op: report.ladder_ns_per_op,
            ratio: report.ratio,
            p50_ns: report.p50_ns,
            p99_ns: report.p99_ns,
            p999_ns: report.p999_ns,
            max_ns: report.max_ns,
            memory_bytes: report.memory_bytes,
            target_cpu: report.target_cpu,
        };
        Ok((figures, report.outcome().into()))
    }

    /// Drive one round of "floor", "ladder", "book" or "engine" on this thread: nanoseconds an operation, and the outcome.
    #[pyo3(signature = (subject, *, prevents=false))]
    fn round(&self, subject: &str, prevents: bool) -> PyResult<(f64, BenchOutcome)> {
        let (tape, is_single) = (&self.tape, self.tape.shape.instruments == 1);
        let Round { ns_per_op, outcome, .. } = match (subject, is_single, prevents) {
            ("floor", ..) => round::<Floor>(tape, BATCH),
            ("ladder", true, _) => round::<BookSubject<Ladder>>(tape, BATCH),
            ("ladder", false, _) => round::<ManyBooks<Ladder>>(tape, BATCH),
            ("book", true, _) => round::<BookSubject<PagedBook>>(tape, BATCH),
            ("book", false, _) => round::<ManyBooks<PagedBook>>(tape, BATCH),
            ("engine", _, false) => round::<EngineSubject<NoPrevention>>(tape, BATCH),
            ("engine", _, true) => round::<EngineSubject<ExpireMaker>>(tape, BATCH),
            _ => {
                let text = format!("subject={subject:?} must be \"floor\", \"ladder\", \"book\" or \"engine\"");
                return Err(PyValueError::new_err(text));
            }
        };
        Ok((ns_per_op, outcome.into()))
    }
}
