//! A node as this process.

use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use tradewright_node::{MasterKey, NodeError, SECRET_BYTES_MAX};
use tradewright_sim::{KillOptions, KillReport, halt_drill, kill_drill, promote_drill};

/// Run a node until a signal or an operator stops it. `announce` is called with one line of JSON when it takes commands.
///
/// Raises ValueError when the configuration breaks a rule, OSError when the machine does not give what it asks for, RuntimeError
/// when the log is damaged or a thread failed.
#[pyfunction]
pub(crate) fn serve_node(py: Python<'_>, file: PathBuf, announce: Py<PyAny>) -> PyResult<()> {
    let mut told = Ok(());
    let served = py.detach(|| {
        tradewright_node::serve(&file, |line| {
            told = Python::attach(|py| announce.call1(py, (line,)).map(drop));
        })
    });
    told?;
    served.map_err(raised)
}

/// Follow the log of a node until this process is promoted, then be the node. `announce` is called with one line of JSON when it
/// begins to follow, and with one as of `serve_node` when it takes commands.
///
/// Raises what `serve_node` raises, and RuntimeError when events differ from those of the primary.
#[pyfunction]
pub(crate) fn serve_replica(py: Python<'_>, file: PathBuf, announce: Py<PyAny>) -> PyResult<()> {
    let mut told = Ok(());
    let served = py.detach(|| {
        tradewright_node::serve_replica(&file, |line| {
            let now = Python::attach(|py| announce.call1(py, (line,)).map(drop));
            if told.is_ok() {
                told = now;
            }
        })
    });
    told?;
    served.map_err(raised)
}

/// The exception of an error.
fn raised(error: NodeError) -> PyErr {
    let message = error.to_string();
    match error {
        NodeError::Config(_) => PyValueError::new_err(message),
        NodeError::Region(_) | NodeError::System { .. } | NodeError::Placement { .. } => PyOSError::new_err(message),
        NodeError::Journal(_)
        | NodeError::Snapshot(_)
        | NodeError::Ring(_)
        | NodeError::Replay(_)
        | NodeError::Overtaken { .. }
        | NodeError::Alive { .. }
        | NodeError::Unfenced { .. }
        | NodeError::Differs { .. }
        | NodeError::Panicked(_) => PyRuntimeError::new_err(message),
    }
}

/// Seal the secret of the key `key_id` by a master key of 32 bytes, for a configuration or a `RegisterKey` command. Raises ValueError
/// for a secret that is empty or too long.
#[pyfunction]
pub(crate) fn seal_secret(master_key: [u8; 32], key_id: &str, secret: &[u8]) -> PyResult<Vec<u8>> {
    let sealed = MasterKey::new(&master_key).seal(key_id.as_bytes(), secret).map_err(raised)?;
    sealed.ok_or_else(|| PyValueError::new_err(format!("must be 1 to {SECRET_BYTES_MAX} bytes")))
}

/// Kill a node again and again while clients trade; see `tradewright drill kill`. Return the report as JSON.
#[pyfunction]
#[pyo3(signature = (node, directory, *, runs, seed))]
pub(crate) fn drill_kill(
    py: Python<'_>,
    node: Vec<String>,
    directory: PathBuf,
    runs: u32,
    seed: u64,
) -> PyResult<String> {
    let options = KillOptions { node, directory, runs, seed, tier: "local-sync" };
    let report = py.detach(|| kill_drill(&options, |_| {})).map_err(PyRuntimeError::new_err)?;
    Ok(report_of(report))
}

/// Have the replica of a node take over again and again while clients trade; see `tradewright drill promote`. Return the report
/// as JSON.
#[pyfunction]
#[pyo3(signature = (node, directory, *, runs, seed))]
pub(crate) fn drill_promote(
    py: Python<'_>,
    node: Vec<String>,
    directory: PathBuf,
    runs: u32,
    seed: u64,
) -> PyResult<String> {
    let options = KillOptions { node, directory, runs, seed, tier: "local-sync" };
    let report = py.detach(|| promote_drill(&options)).map_err(PyRuntimeError::new_err)?;
    Ok(report_of(report))
}

fn report_of(report: KillReport) -> String {
    let mut times = report.recovery_ms;
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get(((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1))).copied();
    format!(
        r#"{{"runs": {}, "acknowledged": {}, "lost": {}, "doubled": {}, "hash_mismatches": {}, "refused": {}, "recovery_ms_p50": {:.3}, "recovery_ms_max": {:.3}}}"#,
        report.runs,
        report.acknowledged,
        report.lost,
        report.doubled,
        report.hash_mismatches,
        report.refused,
        at(0.5).unwrap_or(0.0),
        at(1.0).unwrap_or(0.0),
    )
}

/// Halt a node under full load again and again; see `tradewright drill halt`. Return the report as JSON.
#[pyfunction]
#[pyo3(signature = (directory, *, runs, seed, tier, fifo_priority=None))]
pub(crate) fn drill_halt(
    py: Python<'_>,
    directory: PathBuf,
    runs: u32,
    seed: u64,
    tier: String,
    fifo_priority: Option<u8>,
) -> PyResult<String> {
    let drill = || halt_drill(&directory, runs, seed, &tier, fifo_priority);
    let report = py.detach(drill).map_err(PyRuntimeError::new_err)?;
    let times = &report.halt_us;
    let at = |part: f64| times.get(((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1))).copied();
    Ok(format!(
        r#"{{"runs": {}, "lost": 0, "doubled": {}, "hash_mismatches": {}, "halt_us_p50": {:.1}, "halt_us_p99": {:.1}, "halt_us_max": {:.1}, "commands": {}}}"#,
        report.runs,
        report.traded_while_halted,
        report.hash_mismatches,
        at(0.5).unwrap_or(0.0),
        at(0.99).unwrap_or(0.0),
        at(1.0).unwrap_or(0.0),
        report.commands,
    ))
}
