//! Sessions as clients live them, over an engine that answers at once.

mod connections;
mod logons;
mod requests;
mod servers;
mod venue;
