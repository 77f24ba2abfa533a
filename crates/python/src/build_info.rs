//! How the extension was built. The values are recorded by `build.rs`.

use pyo3::prelude::*;

/// How the compiled extension was built. A figure without these facts cannot be compared.
#[pyclass(frozen, get_all, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct BuildInfo {
    /// The version of the package.
    version: &'static str,
    /// The Cargo profile: "release" in wheels, "fast" in an editable install.
    profile: &'static str,
    /// The target triple.
    target: &'static str,
    /// The processor the compiler may assume; "generic" is the oldest of the target.
    target_cpu: &'static str,
    /// The version line of the compiler.
    rustc: &'static str,
    /// The git commit, or "unknown" outside a clone.
    commit: &'static str,
}

#[pymethods]
impl BuildInfo {
    /// Whether measurements of this build count: it was compiled under the release profile.
    #[getter]
    fn is_release(&self) -> bool {
        self.profile == "release"
    }

    fn __repr__(&self) -> String {
        let Self { version, profile, target, target_cpu, rustc, commit } = self;
        format!(
            "BuildInfo(version={version:?}, profile={profile:?}, target={target:?}, \
             target_cpu={target_cpu:?}, rustc={rustc:?}, commit={commit:?})"
        )
    }
}

/// Return how the compiled extension was built.
#[pyfunction]
pub(crate) fn build_info() -> BuildInfo {
    BuildInfo {
        version: env!("CARGO_PKG_VERSION"),
        profile: env!("TRADEWRIGHT_PROFILE"),
        target: env!("TRADEWRIGHT_TARGET"),
        target_cpu: env!("TRADEWRIGHT_TARGET_CPU"),
        rustc: env!("TRADEWRIGHT_RUSTC"),
        commit: env!("TRADEWRIGHT_COMMIT"),
    }
}
