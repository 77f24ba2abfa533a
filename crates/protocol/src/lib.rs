//! Bytes to commands, events to bytes.
//!
//! Owns the binary order entry (SBE frames with the dialect's layout), the reports, the logon signatures and the market-data
//! feed. It refuses to know sockets, threads and clocks: bytes and times are arguments. Whatever the bytes are, reading them
//! gives a value or an error that names the rule; it never panics and never reads outside of them.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod account;
pub mod codes;
pub mod commands;
pub mod decimal;
pub mod described;
pub mod feed;
pub mod frame;
pub mod logon;
pub mod messages;
pub mod order_map;
pub mod raw;
pub mod reports;
pub mod spec;
pub mod symbols;
