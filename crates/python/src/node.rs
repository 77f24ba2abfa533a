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
    served.map_err(|error| {
        let message = error.to_string();
        match error {
            NodeError::Config(_) => PyValueError::new_err(message),
            NodeError::Region(_) | NodeError::System { .. } | NodeError::Placement { .. } => {
                PyOSError::new_err(message)
            }
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
    })
}
