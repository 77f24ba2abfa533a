//! The Python extension `tradewright._core`.
//!
//! Owns the conversion between Python values and the crates below it. Knows no rule of the
//! exchange: a decision found here belongs in a crate further up the list.

mod allocation;
mod bench;
mod build_info;
mod demo;
mod engine;
mod event_log;
mod event_reader;
mod journal;
#[cfg(unix)]
mod market_data;
#[cfg(unix)]
mod node;
#[cfg(unix)]
mod node_bench;
mod order_entry;
mod outcome;
mod records;
mod tables;
mod views;

#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::allocation::allocate;
    #[pymodule_export]
    use crate::bench::{Bench, BenchFigures, BenchOutcome};
    #[pymodule_export]
    use crate::build_info::{BuildInfo, build_info};
    #[pymodule_export]
    use crate::demo::{Demo, DemoMarket, DemoProgress, DemoSummary, DemoTrade};
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::event_reader::EventReader;
    #[pymodule_export]
    use crate::journal::{
        archive_log, copy_log_folder, drill_log, proof_holds, prove_command, prove_log_grew, sample_log, verify_log,
    };
    #[cfg(unix)]
    #[pymodule_export]
    use crate::market_data::MarketDataReader;
    #[cfg(unix)]
    #[pymodule_export]
    use crate::node::{drill_halt, drill_kill, drill_promote, seal_secret, serve_node, serve_replica};
    #[cfg(unix)]
    #[pymodule_export]
    use crate::node_bench::{bench_disturb, bench_pipe, bench_wire};
    #[pymodule_export]
    use crate::order_entry::{OrderEntryConnection, ed25519_public};
    #[pymodule_export]
    use crate::outcome::Outcome;
    #[pymodule_export]
    use crate::records::dtypes;
    #[pymodule_export]
    use crate::tables::{close_reasons, command_kinds, event_kinds, instrument_states, reject_reasons};
    #[pymodule_export]
    use crate::views::{AccountView, InstrumentView, ListView, OrderView};
}
