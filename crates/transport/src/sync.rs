//! The atomics of the rings: the processor's, or those of the model checker.

#[cfg(feature = "loom")]
pub(crate) use loom::sync::atomic::{AtomicU64, fence};
#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::atomic::{AtomicU64, fence};

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
