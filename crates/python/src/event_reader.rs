//! The events that another process broadcasts, followed through a file in shared memory.

#![allow(unsafe_code, reason = "numpy shows the ring's memory in place")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use numpy::PyArray1;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use tradewright_transport::{Access, Idle, InPlace, Polled, Reader, Region, RegionError, Start, Wait};
use tradewright_types::EventRecord;

use crate::records::{EventRow, array_of};

/// How long one sleep lasts while a call waits; the interpreter's lock is free meanwhile.
const NAP: Duration = Duration::from_millis(10);

/// Keeps the ring's memory mapped while a numpy array shows it.
#[pyclass(frozen)]
struct SharedRing(#[expect(dead_code, reason = "held, not read: the array has the pointer")] Arc<Region>);

/// Follows the events that another process broadcasts through a file in shared memory.
///
/// Costs the writer nothing. A reader that is too slow is overrun, and told how many events it missed.
#[pyclass(module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct EventReader {
    reader: Reader<EventRecord>,
}

impl EventReader {
    /// Waits until there is something, the ring is closed or the time is over, and returns whether there is.
    fn wait(&self, timeout: Duration) -> bool {
        let ends = Instant::now() + timeout;
        let mut idle = Idle::new(Wait::Park { spins: 1_000, timeout: NAP.min(timeout) });
        while !self.reader.is_ready() {
            if Instant::now() >= ends || self.reader.region().is_closed() {
                return self.reader.is_ready();
            }
            self.reader.pause(&mut idle);
        }
        true
    }
}

#[pymethods]
impl EventReader {
    /// Open the ring. `start` is "oldest", "latest" or a position. A `name` shows the reader in the operator's table, for
    /// which the file must be writable. Raises OSError when the file cannot be had, ValueError when it is no ring of events
    /// or closed.
    #[new]
    #[pyo3(signature = (path, *, start = None, name = None))]
    fn new(path: PathBuf, start: Option<StartAt>, name: Option<&str>) -> PyResult<Self> {
        let access = if name.is_some() { Access::ReadWrite } else { Access::ReadOnly };
        let start = start.map_or(Ok(Start::Latest), StartAt::read)?;
        let region = Region::open(path, access).map_err(to_python)?;
        let mut reader = Reader::attach(&region, start).map_err(to_python)?;
        if let Some(name) = name {
            reader.register(name).map_err(to_python)?;
        }
        Ok(Self { reader })
    }

    /// Take a copy of what is new, at most `count_max` events. Waits up to `timeout_s` for something new. Whether some were
    /// missed before it shows in `skipped`.
    #[pyo3(signature = (count_max = 65_536, *, timeout_s = 0.0) -> "numpy.typing.NDArray[numpy.void]")]
    fn poll<'py>(
        &mut self,
        py: Python<'py>,
        count_max: usize,
        timeout_s: f64,
    ) -> PyResult<Bound<'py, PyArray1<EventRow>>> {
        let timeout = seconds(timeout_s)?;
        let events = py.detach(|| {
            let mut events = Vec::new();
            if self.wait(timeout) {
                while let Polled::Behind { .. } = self.reader.poll_into(&mut events, count_max) {}
            }
            events
        });
        Ok(array_of(py, events.into_iter().map(EventRow).collect()))
    }

    /// Show what is new where it lies, at most `count_max` events, up to where the ring ends. Whether some were missed before it
    /// shows in `skipped`. The writer may change what is shown: ask `is_intact` with the position of the first when done, and
    /// throw away what was made of it when it is not.
    #[pyo3(signature = (count_max = 65_536) -> "numpy.typing.NDArray[numpy.void]")]
    fn view<'py>(&mut self, py: Python<'py>, count_max: usize) -> PyResult<Bound<'py, PyArray1<EventRow>>> {
        loop {
            match self.reader.poll_in_place(count_max) {
                Ok(found) => return in_place(py, self.reader.region(), found),
                Err(Polled::Behind { .. }) => {}
                Err(Polled::Empty | Polled::Count(_)) => return Ok(array_of(py, Vec::new())),
            }
        }
    }

    /// Return whether everything from `position` on was whole until now.
    fn is_intact(&self, position: u64) -> bool {
        self.reader.is_intact(position)
    }

    /// Go to another position, back or ahead.
    fn seek(&mut self, position: u64) {
        self.reader.seek(position);
    }

    /// The position of the next event.
    #[getter]
    fn position(&self) -> u64 {
        self.reader.position()
    }

    /// How many events wait to be read, those that are gone included.
    #[getter]
    fn lag(&self) -> u64 {
        self.reader.lag()
    }

    /// How many events it missed in all.
    #[getter]
    fn skipped(&self) -> u64 {
        self.reader.skipped()
    }

    /// The number of the ring: another one after each start of the node.
    #[getter]
    fn generation(&self) -> u64 {
        self.reader.region().generation()
    }

    /// Whether the node has ended or started again: nothing new will come, and a reader attaches again.
    #[getter]
    fn is_closed(&self) -> bool {
        let region = self.reader.region();
        region.is_closed() || region.is_replaced()
    }
}

/// Where a reader begins, as Python says it.
#[derive(FromPyObject)]
enum StartAt {
    Position(u64),
    Word(String),
}

impl StartAt {
    fn read(self) -> PyResult<Start> {
        match self {
            Self::Position(position) => Ok(Start::At(position)),
            Self::Word(word) => match word.as_str() {
                "oldest" => Ok(Start::Oldest),
                "latest" => Ok(Start::Latest),
                _ => Err(PyValueError::new_err(format!("start={word:?} must be \"oldest\", \"latest\" or a position"))),
            },
        }
    }
}

fn seconds(timeout_s: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout_s)
        .ok()
        .filter(|timeout| timeout.as_secs() <= 86_400)
        .ok_or_else(|| PyValueError::new_err(format!("timeout_s={timeout_s} must be from 0 to 86400")))
}

/// A numpy array over the ring's memory, for reading only.
fn in_place<'py>(py: Python<'py>, region: &Arc<Region>, found: InPlace) -> PyResult<Bound<'py, PyArray1<EventRow>>> {
    let owner = Bound::new(py, SharedRing(Arc::clone(region)))?.into_any();
    // SAFETY: the address is that of `count` slots in a mapping that `owner` keeps; slots are aligned and all bits are values.
    // Rust does not read through this view: it goes to numpy, which reads plain memory while the writer may change it, as the
    // caller is told, who asks afterwards whether it did.
    let view = unsafe { numpy::ndarray::ArrayView1::from_shape_ptr(found.count, found.address.cast::<EventRow>()) };
    // SAFETY: `owner` keeps the memory mapped as long as the array lives.
    let array = unsafe { PyArray1::borrow_from_array(&view, owner) };
    // The mapping may be one for reading, where a write would end the process.
    array.call_method1("setflags", (false,))?;
    Ok(array)
}

fn to_python(error: RegionError) -> PyErr {
    let RegionError::Io { source, .. } = &error else { return PyValueError::new_err(error.to_string()) };
    match source.raw_os_error() {
        // With the number Python makes FileNotFoundError and its like.
        Some(number) => PyOSError::new_err((number, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}
