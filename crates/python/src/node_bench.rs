//! Benches of a node for Python. Reports are JSON, as the command line prints them.

use std::path::PathBuf;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use serde::Serialize;
use tradewright_sim::node_bench::{
    Cores, DisturbOptions, PipeOptions, Route, Setting, WireOptions, disturb_bench, pipe_bench, wire_bench,
};

/// How a bench sets up its node.
#[derive(Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct NodeSetting {
    node: Vec<String>,
    directory: PathBuf,
    tier: String,
    idle: String,
    engine_core: Option<usize>,
    journal_core: Option<usize>,
    sessions_core: Option<usize>,
    client_core: Option<usize>,
    segment_mib: u64,
    prepared: usize,
}

impl From<NodeSetting> for Setting {
    fn from(setting: NodeSetting) -> Self {
        let cores = Cores {
            engine: setting.engine_core,
            journal: setting.journal_core,
            sessions: setting.sessions_core,
            client: setting.client_core,
        };
        Self {
            tier: setting.tier,
            idle: setting.idle,
            cores,
            segment_mib: setting.segment_mib,
            prepared: setting.prepared,
            ..Self::new(setting.node, setting.directory)
        }
    }
}

fn route_of(name: &str) -> PyResult<Route> {
    let routes = [Route::Records, Route::ShmFrames, Route::Tcp];
    routes.into_iter().find(|route| route.name() == name).ok_or_else(|| {
        let known = routes.map(Route::name).join(", ");
        PyValueError::new_err(format!("route={name:?} is unknown, must be one of {known}"))
    })
}

/// Measure how many commands pass through a node; see `tradewright bench pipe`. `progress` is told what is being done.
#[pyfunction]
#[pyo3(signature = (
    setting: "dict[str, object]", route, *, seconds, operations, window, progress
))]
pub(crate) fn bench_pipe(
    py: Python<'_>,
    setting: NodeSetting,
    route: &str,
    seconds: f64,
    operations: usize,
    window: u64,
    progress: Py<PyAny>,
) -> PyResult<String> {
    let options = PipeOptions { setting: setting.into(), route: route_of(route)?, seconds, operations, window };
    run(py, &progress, |tell| pipe_bench(&options, tell))
}

/// Measure how long an order takes through a node; see `tradewright bench wire`. `progress` is told what is being done.
#[pyfunction]
#[pyo3(signature = (
    setting: "dict[str, object]", route, *, rate, seconds, rounds, operations, window, hlog, soak_interval_s,
    progress
))]
#[expect(clippy::too_many_arguments, reason = "each has a name where it is called")]
pub(crate) fn bench_wire(
    py: Python<'_>,
    setting: NodeSetting,
    route: &str,
    rate: f64,
    seconds: f64,
    rounds: u32,
    operations: usize,
    window: u64,
    hlog: Option<PathBuf>,
    soak_interval_s: Option<f64>,
    progress: Py<PyAny>,
) -> PyResult<String> {
    let (setting, route) = (setting.into(), route_of(route)?);
    let options = WireOptions { setting, route, rate, seconds, rounds, operations, window, hlog, soak_interval_s };
    run(py, &progress, |tell| wire_bench(&options, tell))
}

/// See whether slow, killed and stuck readers and clients are felt by others; see `tradewright bench disturb`. `progress` is told what is
/// being done.
#[pyfunction]
#[pyo3(signature = (
    setting: "dict[str, object]", route, *, rate, seconds, pairs, operations, reader,
    progress
))]
#[expect(clippy::too_many_arguments, reason = "each has a name where it is called")]
pub(crate) fn bench_disturb(
    py: Python<'_>,
    setting: NodeSetting,
    route: &str,
    rate: f64,
    seconds: f64,
    pairs: u32,
    operations: usize,
    reader: Vec<String>,
    progress: Py<PyAny>,
) -> PyResult<String> {
    let (setting, route) = (setting.into(), route_of(route)?);
    let options = DisturbOptions { setting, route, rate, seconds, pairs, operations, reader };
    run(py, &progress, |tell| disturb_bench(&options, tell))
}

/// Runs a bench with the interpreter's lock released but while `progress` is told, and returns its report as JSON.
fn run<R: Serialize + Send>(
    py: Python<'_>,
    progress: &Py<PyAny>,
    bench: impl FnOnce(&mut (dyn FnMut(&str) + Send)) -> Result<R, String> + Send,
) -> PyResult<String> {
    let mut told = Ok(());
    let report = py.detach(|| {
        bench(&mut |doing: &str| {
            let now = Python::attach(|py| progress.call1(py, (doing,)).map(drop));
            if told.is_ok() {
                told = now;
            }
        })
    });
    told?;
    let report = report.map_err(PyRuntimeError::new_err)?;
    serde_json::to_string(&report).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
