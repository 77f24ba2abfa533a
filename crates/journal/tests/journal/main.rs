//! The log as others use it: written, synced, recovered, read; on a disk that forgets, tears and fails.

mod common;
mod cuts;
mod damage;
mod failures;
mod following;
mod keeping;
mod proofs;
mod writing;
