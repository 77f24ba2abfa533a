//! Requests of clients, from their bytes to the commands that the engine reads.

mod commands;
mod frames;
mod mutation;
mod venue;
mod written;
