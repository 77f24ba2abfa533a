//! The shell around an engine: threads, rings, the sequencer, the durability gate.
//!
//! Owns what the engine must not know: clocks, files, sockets, cores. Decides nothing about orders and money: that is the
//! engine's, and everything that changes it is a command in the log.

pub mod config;
mod decimal;
pub mod genesis;
