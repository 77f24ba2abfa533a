//! What clients hear, held against the engine while a whole market runs through it.

mod feed;
mod market;
mod reports;
