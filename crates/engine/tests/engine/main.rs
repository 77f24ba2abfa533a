//! The engine, by blotters: one file a subject, one binary for all of them.
//!
//! `common` is the venue that reads the blotters and audits the engine after every command.

mod common;

mod amending;
mod approvals;
mod auctions;
mod breakers;
mod cancelling;
mod conditions;
mod controls;
mod defects;
mod determinism;
mod events;
mod fees;
mod flow;
mod halts;
mod hidden;
mod icebergs;
mod keys;
mod lists;
mod market;
mod money;
mod pegs;
mod placing;
mod prevention;
mod protection;
mod quotes;
mod refusals;
mod replacing;
mod sessions;
mod settings;
mod shards;
mod sharing;
mod snapshots;
mod states;
mod time_in_force;
mod views;
