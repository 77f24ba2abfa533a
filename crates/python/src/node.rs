//! A node as this process.

use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use tradewright_node::NodeError;

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
