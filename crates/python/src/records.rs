//! Records as rows of numpy arrays: their dtypes, and the way in and out.

#![allow(unsafe_code, reason = "numpy hands out pointers, and asks for a promise about the layout of its rows")]

use std::sync::Arc;

use numpy::{Element, PyArray1, PyArrayDescr, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use tradewright_types::{
    ApprovalBandsRecord, ApprovalHashRecord, BreakerRecord, CommandRecord, ConditionsRecord, EventRecord,
    InstrumentLimitsRecord, InstrumentUnitsRecord, MoneyRecord, NamedRecord, QuoteEntryRecord, SettingRecord,
    TextEventRecord, TextRecord,
};

/// A field of a record: name, numpy format, offset.
type Field = (&'static str, &'static str, usize);

macro_rules! layout {
    ($record:ident { $($name:ident $(.$part:ident)? $(as $shown:literal)?: $format:literal),+ $(,)? }) => {
        &[$((
            layout!(@name $name $(.$part)? $(as $shown)?),
            $format,
            core::mem::offset_of!($record, $name $(.$part)?),
        ),)+]
    };
    (@name $name:ident . $part:ident) => { stringify!($part) };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $(.$part:ident)? as $shown:literal) => { $shown };
}

const HEADER: &[Field] = layout!(CommandRecord {
    header.kind: "u1",
    header.schema_version: "u1",
    header.record_count: "<u2",
    header.session: "<u4",
    header.client_sequence: "<u8",
    header.time_ns: "<u8",
});

const ORDER: &[Field] = layout!(CommandRecord {
    account: "<u4",
    instrument: "<u4",
    side: "u1",
    order_type: "u1",
    time_in_force: "u1",
    self_trade_prevention: "u1",
    flags: "<u2",
    reserved: "<u2",
    price_ticks: "<i8",
    quantity_lots: "<u8",
    order_ref: "<u8",
});

const NAMED: &[Field] =
    layout!(NamedRecord { id: "<u4", attribute: "u1", name_length: "u1", fee_schedule: "<u2", name: "S32" });

const SETTING: &[Field] = layout!(SettingRecord {
    account: "<u4",
    instrument: "<u4",
    scope: "u1",
    tier: "u1",
    fee_schedule: "<u2",
    values: "(3,)<u8",
});

const MONEY: &[Field] = layout!(MoneyRecord {
    account: "<u4",
    asset: "<u4",
    counter_account: "<u4",
    transfer_kind: "u1",
    amount.low as "amount_low": "<u8",
    amount.high as "amount_high": "<i8",
    withdrawal: "<u8",
});

const TEXT: &[Field] = layout!(TextRecord { kind: "u1", schema_version: "u1", length: "u1", bytes: "S56" });

const BREAKER: &[Field] = layout!(BreakerRecord {
    kind: "u1",
    schema_version: "u1",
    velocity_slots: "<u2",
    share_ppm: "<u4",
    settlement_ticks: "<i8",
    velocity_ticks: "<u8",
    velocity_slot_ns: "<u8",
    pause_ns: "<u8",
    closing_ns: "<u8",
    closing_pause_ns: "<u8",
});

const APPROVAL_BANDS: &[Field] = layout!(ApprovalBandsRecord {
    kind: "u1",
    schema_version: "u1",
    first.low as "first_low": "<u8",
    first.high as "first_high": "<i8",
    second.low as "second_low": "<u8",
    second.high as "second_high": "<i8",
    third.low as "third_low": "<u8",
    third.high as "third_high": "<i8",
    expiry_ns: "<u8",
});

const APPROVAL_HASH: &[Field] = layout!(ApprovalHashRecord { kind: "u1", schema_version: "u1", hash: "V32" });

const QUOTE_ENTRY: &[Field] = layout!(QuoteEntryRecord {
    kind: "u1",
    schema_version: "u1",
    instrument: "<u4",
    bid_price_ticks: "<i8",
    bid_lots: "<u8",
    ask_price_ticks: "<i8",
    ask_lots: "<u8",
});

const CONDITIONS: &[Field] = layout!(ConditionsRecord {
    kind: "u1",
    schema_version: "u1",
    trigger: "u1",
    source: "u1",
    trail_unit: "u1",
    display: "u1",
    peg: "u1",
    peg_mode: "u1",
    trigger_price_ticks: "<i8",
    trail: "<u4",
    seed: "<u4",
    minimum_lots: "<u8",
    expire_time_ns: "<u8",
    peak_lots: "<u8",
    peak_range_lots: "<u8",
    peg_offset: "<u8",
});

const UNITS: &[Field] = layout!(InstrumentUnitsRecord {
    kind: "u1",
    schema_version: "u1",
    base: "<u4",
    quote: "<u4",
    quote_quanta_per_tick_lot: "<u8",
    base_quanta_per_lot: "<u8",
});

const LIMITS: &[Field] = layout!(InstrumentLimitsRecord {
    kind: "u1",
    schema_version: "u1",
    price_increment_ticks: "<u4",
    band_down_ppm: "<u4",
    band_up_ppm: "<u4",
    quantity_increment_lots: "<u8",
    quantity_min_lots: "<u8",
    quantity_max_lots: "<u8",
    notional_min_quanta: "<u8",
    notional_max.low as "notional_max_low": "<u8",
    notional_max.high as "notional_max_high": "<i8",
});

const EVENT: &[Field] = layout!(EventRecord {
    kind: "u1",
    schema_version: "u1",
    shard: "u1",
    flags: "u1",
    k: "<u4",
    sequence: "<u8",
    time_ns: "<u8",
    epoch: "<u4",
    instrument: "<u4",
    order_id: "<u8",
    counter_order_id: "<u8",
    account: "<u4",
    counter_account: "<u4",
    side: "u1",
    order_type: "u1",
    time_in_force: "u1",
    self_trade_prevention: "u1",
    reason: "<u2",
    order_flags: "<u2",
    price_ticks: "<i8",
    quantity_lots: "<u8",
    open_lots: "<u8",
    amount.low as "amount_low": "<u8",
    amount.high as "amount_high": "<i8",
    counter_amount.low as "counter_amount_low": "<u8",
    counter_amount.high as "counter_amount_high": "<i8",
    reference: "<u8",
});

const TEXT_EVENT: &[Field] = layout!(TextEventRecord { length: "<u8", bytes: "S80" });

/// Every way to look at a record. All but the last two are commands' records of 64 bytes.
const LAYOUTS: &[(&str, &[&[Field]], usize)] = &[
    ("order", &[HEADER, ORDER], size_of::<CommandRecord>()),
    ("named", &[HEADER, NAMED], size_of::<NamedRecord>()),
    ("setting", &[HEADER, SETTING], size_of::<SettingRecord>()),
    ("money", &[HEADER, MONEY], size_of::<MoneyRecord>()),
    ("text", &[TEXT], size_of::<TextRecord>()),
    ("conditions", &[CONDITIONS], size_of::<ConditionsRecord>()),
    ("quote_entry", &[QUOTE_ENTRY], size_of::<QuoteEntryRecord>()),
    ("breaker", &[BREAKER], size_of::<BreakerRecord>()),
    ("approval_hash", &[APPROVAL_HASH], size_of::<ApprovalHashRecord>()),
    ("approval_bands", &[APPROVAL_BANDS], size_of::<ApprovalBandsRecord>()),
    ("units", &[UNITS], size_of::<InstrumentUnitsRecord>()),
    ("limits", &[LIMITS], size_of::<InstrumentLimitsRecord>()),
    ("event", &[EVENT], size_of::<EventRecord>()),
    ("text_event", &[TEXT_EVENT], size_of::<TextEventRecord>()),
];

fn descriptor<'py>(py: Python<'py>, groups: &[&[Field]], itemsize: usize) -> PyResult<Bound<'py, PyArrayDescr>> {
    let fields = || groups.iter().copied().flatten();
    let description = PyDict::new(py);
    description.set_item("names", PyList::new(py, fields().map(|field| field.0))?)?;
    description.set_item("formats", PyList::new(py, fields().map(|field| field.1))?)?;
    description.set_item("offsets", PyList::new(py, fields().map(|field| field.2))?)?;
    description.set_item("itemsize", itemsize)?;
    PyArrayDescr::new(py, description)
}

/// Return the numpy dtype of each record by its name; the offsets are the compiler's.
#[pyfunction]
#[pyo3(signature = () -> "dict[str, numpy.dtype[numpy.void]]")]
pub(crate) fn dtypes(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let by_name = PyDict::new(py);
    for (name, groups, itemsize) in LAYOUTS {
        by_name.set_item(name, descriptor(py, groups, *itemsize)?)?;
    }
    Ok(by_name)
}

/// An event as a row of a numpy array.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct EventRow(pub(crate) EventRecord);

// SAFETY: the record is plain data without padding, and the dtype has its size and the offsets of its fields.
unsafe impl Element for EventRow {
    const IS_COPY: bool = true;

    fn get_dtype(py: Python<'_>) -> Bound<'_, PyArrayDescr> {
        static DESCRIPTOR: PyOnceLock<Py<PyArrayDescr>> = PyOnceLock::new();
        let make = || descriptor(py, &[EVENT], size_of::<EventRecord>()).expect("a legal dtype").unbind();
        DESCRIPTOR.get_or_init(py, make).bind(py).clone()
    }

    fn clone_ref(&self, _py: Python<'_>) -> Self {
        *self
    }
}

/// Events as rows: the same memory by another name.
pub(crate) fn rows(events: &[EventRecord]) -> &[EventRow] {
    // SAFETY: `EventRow` is a transparent wrapper of `EventRecord`.
    unsafe { core::slice::from_raw_parts(events.as_ptr().cast(), events.len()) }
}

/// A command as a row of a numpy array.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct CommandRow(CommandRecord);

// SAFETY: as for `EventRow`.
unsafe impl Element for CommandRow {
    const IS_COPY: bool = true;

    fn get_dtype(py: Python<'_>) -> Bound<'_, PyArrayDescr> {
        descriptor(py, &[HEADER, ORDER], size_of::<CommandRecord>()).expect("a legal dtype")
    }

    fn clone_ref(&self, _py: Python<'_>) -> Self {
        *self
    }
}

/// A numpy array of commands.
pub(crate) fn commands_array(py: Python<'_>, commands: Vec<CommandRecord>) -> Bound<'_, PyArray1<CommandRow>> {
    PyArray1::from_vec(py, commands.into_iter().map(CommandRow).collect())
}

/// A numpy array of events; the rows move into it.
pub(crate) fn array_of(py: Python<'_>, rows: Vec<EventRow>) -> Bound<'_, PyArray1<EventRow>> {
    PyArray1::from_vec(py, rows)
}

/// Keeps rows alive while a numpy array shows them.
#[pyclass(frozen)]
struct SharedRows(#[expect(dead_code, reason = "held, not read: the array has the pointer")] Arc<Vec<EventRecord>>);

/// A numpy array of the first `length` events, which others may hold too. Only the sole holder may write.
pub(crate) fn shared_array(
    py: Python<'_>,
    events: Arc<Vec<EventRecord>>,
    length: usize,
    is_writable: bool,
) -> PyResult<Bound<'_, PyArray1<EventRow>>> {
    let view = numpy::ndarray::aview1(rows(&events[..length]));
    // SAFETY: the array keeps the owner of the rows alive, and the rows never move. Rust reads and writes them again only when
    // this owner is gone, or never writes them and the array is read-only.
    let array =
        unsafe { PyArray1::borrow_from_array(&view, Bound::new(py, SharedRows(Arc::clone(&events)))?.into_any()) };
    if !is_writable {
        array.call_method1("setflags", (false,))?;
    }
    Ok(array)
}

/// Commands that stand in memory that Python owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandsIn<'a> {
    bytes: &'a [u8],
}

impl<'a> CommandsIn<'a> {
    /// The rows of `array`: contiguous, 64 bytes each.
    pub(crate) fn array(argument: &str, array: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        let array = array.cast::<PyUntypedArray>().map_err(|_| {
            let found = array.get_type();
            PyTypeError::new_err(format!("{argument} must be a numpy array of command records, found {found}"))
        })?;
        let itemsize = array.dtype_itemsize();
        if itemsize != size_of::<CommandRecord>() {
            return Err(PyValueError::new_err(format!("{argument}.itemsize={itemsize} must be 64")));
        }
        if !array.is_c_contiguous() {
            return Err(PyValueError::new_err(format!("{argument} must be C-contiguous")));
        }
        let length = array.len() * itemsize;
        if length == 0 {
            return Ok(Self { bytes: &[] });
        }
        // SAFETY: a contiguous array of `length` bytes, which the reference keeps alive. Another thread could write to it while
        // it is read: a record may then be torn, which is why each is copied before anything is decided by it.
        let bytes = unsafe { core::slice::from_raw_parts((*array.as_array_ptr()).fields.data.cast::<u8>(), length) };
        Ok(Self { bytes })
    }

    /// How many records there are.
    pub(crate) fn len(self) -> usize {
        self.bytes.len() / size_of::<CommandRecord>()
    }

    /// Copies records from `begin` on into `into`, as many as fit.
    #[inline]
    pub(crate) fn copy(self, begin: usize, into: &mut [CommandRecord]) -> usize {
        let bytes = zerocopy::IntoBytes::as_mut_bytes(into);
        let rest = &self.bytes[begin * size_of::<CommandRecord>()..];
        let length = rest.len().min(bytes.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        length / size_of::<CommandRecord>()
    }

    /// The records where they lie, if they are aligned. Only while the interpreter's lock keeps other threads from writing there.
    pub(crate) fn in_place(self) -> Option<&'a [CommandRecord]> {
        zerocopy::FromBytes::ref_from_bytes(self.bytes).ok()
    }
}

trait ItemSize {
    fn dtype_itemsize(&self) -> usize;
}

impl ItemSize for Bound<'_, PyUntypedArray> {
    fn dtype_itemsize(&self) -> usize {
        numpy::PyArrayDescrMethods::itemsize(&self.dtype())
    }
}
