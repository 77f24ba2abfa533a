//! The Python extension `tradewright._core`.
//!
//! Owns the conversion between Python values and the crates below it. Knows no rule of the
//! exchange: a decision found here belongs in a crate further up the list.

mod build_info;

#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::build_info::{BuildInfo, build_info};
}
