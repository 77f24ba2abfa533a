//! The engine's own lists, so that Python's enums can be held against them.

use pyo3::prelude::*;
use tradewright_types::{
    Admission, CloseReason, CommandKind, EventKind, InstrumentAction, InstrumentState, RejectReason,
};

/// Return every reject reason in precedence order: code, name, sentence.
#[pyfunction]
pub(crate) fn reject_reasons() -> Vec<(u16, &'static str, &'static str)> {
    RejectReason::ALL.iter().map(|reason| (*reason as u16, reason.name(), reason.sentence())).collect()
}

/// Return every reason for which an order closes without trading in full: code, name.
#[pyfunction]
pub(crate) fn close_reasons() -> Vec<(u16, &'static str)> {
    CloseReason::ALL.iter().map(|reason| (*reason as u16, reason.name())).collect()
}

/// Return every kind of event: code, name.
#[pyfunction]
pub(crate) fn event_kinds() -> Vec<(u8, &'static str)> {
    EventKind::ALL.iter().map(|kind| (*kind as u8, kind.name())).collect()
}

/// Return every kind of command record: code, name.
#[pyfunction]
pub(crate) fn command_kinds() -> Vec<(u8, &'static str)> {
    CommandKind::ALL.iter().map(|kind| (*kind as u8, kind.name())).collect()
}

/// Return what each state of an instrument admits: name, and for each action None, the name of a reject reason, or "waits".
#[pyfunction]
pub(crate) fn instrument_states() -> Vec<(&'static str, Vec<Option<&'static str>>)> {
    let admitted = |state: InstrumentState, action| match state.admits(action) {
        Admission::Admitted => None,
        Admission::Refused(reason) => Some(reason.name()),
        Admission::Deferred => Some("waits"),
    };
    let row = |state: &InstrumentState| {
        let cells = InstrumentAction::ALL.iter().map(|action| admitted(*state, *action)).collect();
        (state.name(), cells)
    };
    InstrumentState::ALL.iter().map(row).collect()
}
