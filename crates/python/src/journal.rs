//! Logs on disk, from Python: verified, proved, copied and drilled. Reports and proofs are JSON, as the command line prints them.

use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use tradewright_engine::EngineConfig;
use tradewright_journal::{
    FolderStorage, InclusionProof, JournalError, Outcome, VerifyOptions, archive_old_segments, copy_log, prove,
    prove_consistency, verify,
};
use tradewright_sim::{Acknowledge, drill, write_sample_log};

/// Verify a log: records, chain, tree and signed heads; with `replays` also checks and snapshots, by applying every command.
///
/// `public_key` is the key that must have signed every head, 64 hexadecimal digits. Returns the report as JSON. Raises OSError
/// when there is no such folder and ValueError with file, place and rule when something is wrong.
#[pyfunction]
#[pyo3(signature = (folder, *, replays=true, public_key=None))]
pub(crate) fn verify_log(
    py: Python<'_>,
    folder: PathBuf,
    replays: bool,
    public_key: Option<[u8; 32]>,
) -> PyResult<String> {
    let options = VerifyOptions { replays, public_key };
    json(py.detach(|| opened(folder).map(|log| verify(&log, options))))
}

/// Prove that the command of an index is in a log. Returns the proof as JSON. Raises as `verify_log`.
#[pyfunction]
pub(crate) fn prove_command(py: Python<'_>, folder: PathBuf, index: u64) -> PyResult<String> {
    json(py.detach(|| opened(folder).map(|log| prove(&log, index))))
}

/// Prove that a log begins with its first `size` commands. Returns the proof as JSON. Raises as `verify_log`.
#[pyfunction]
pub(crate) fn prove_log_grew(py: Python<'_>, folder: PathBuf, size: u64) -> PyResult<String> {
    json(py.detach(|| opened(folder).map(|log| prove_consistency(&log, size))))
}

/// Return whether a proof of `prove_command` holds together: record, path, root and signature.
#[pyfunction]
pub(crate) fn proof_holds(proof: &str) -> bool {
    serde_json::from_str::<InclusionProof>(proof).is_ok_and(|proof| proof.holds())
}

/// Copy a log with its archives and snapshots to a folder that has none, and read the copy back. Returns the report as JSON.
/// Raises as `verify_log`.
#[pyfunction]
pub(crate) fn copy_log_folder(py: Python<'_>, folder: PathBuf, to: PathBuf) -> PyResult<String> {
    json(py.detach(|| {
        let log = opened(folder)?;
        Ok(copy_log(&log, &FolderStorage::create(&to)?))
    }))
}

/// Compress the segments below the second newest snapshot. Returns their first indices. Raises as `verify_log`.
#[pyfunction]
pub(crate) fn archive_log(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<u64>> {
    let archived = py.detach(|| opened(folder).map(|log| archive_old_segments(&log, EngineConfig::default())));
    archived?.map_err(raised)
}

/// Write a log of simulated orders, signed by a key that everybody knows. Returns its last index.
#[pyfunction]
pub(crate) fn sample_log(py: Python<'_>, folder: PathBuf, commands: usize, segment_bytes: u64) -> PyResult<u64> {
    let written = py.detach(|| {
        let storage = FolderStorage::create(&folder)?;
        Ok::<_, std::io::Error>(write_sample_log(&storage, commands, segment_bytes))
    });
    written?.map_err(raised)
}

/// Run a drill of the log: "power-cut", "torn-write", "disk-full" or "bit-flip". Returns the report as JSON.
///
/// `acknowledges_early` is the control: it acknowledges before the sync, and must lose commands. Raises ValueError for another
/// drill.
#[pyfunction]
#[pyo3(signature = (name, *, runs, seed, acknowledges_early=false))]
pub(crate) fn drill_log(
    py: Python<'_>,
    name: &str,
    runs: u64,
    seed: u64,
    acknowledges_early: bool,
) -> PyResult<String> {
    let kind = name.parse().map_err(PyValueError::new_err)?;
    let acknowledge = if acknowledges_early { Acknowledge::BeforeSync } else { Acknowledge::AfterSync };
    json(Ok(Ok(py.detach(|| drill(kind, runs, seed, acknowledge)))))
}

fn opened(folder: PathBuf) -> std::io::Result<FolderStorage> {
    FolderStorage::open(&folder)
}

fn json<T: serde::Serialize>(made: std::io::Result<Outcome<T>>) -> PyResult<String> {
    let report = made?.map_err(raised)?;
    serde_json::to_string(&report).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn raised(error: JournalError) -> PyErr {
    let text = error.to_string();
    if matches!(error, JournalError::System { .. }) { PyOSError::new_err(text) } else { PyValueError::new_err(text) }
}
