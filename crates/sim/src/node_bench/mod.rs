//! Benches of a whole node: a process of its own, driven by this one, beside servers that do nothing but copy.
#![allow(clippy::disallowed_methods, reason = "a bench has processes, threads and clocks")]

mod disk;
mod disturb;
mod engine_thread;
mod flow;
mod frames;
mod hlog;
mod lap;
mod pipe;
mod records;
mod served;
mod setting;
mod wire;

pub use disturb::{DisturbOptions, DisturbReport, DisturbRow, Disturbance, disturb_bench};
pub use pipe::{PipeOptions, PipeReport, pipe_bench};
pub use setting::{Cores, Route, Setting};
pub use wire::{Curve, WireOptions, WireReport, wire_bench};
