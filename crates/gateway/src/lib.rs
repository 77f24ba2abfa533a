//! How clients reach the exchange.
//!
//! Owns sessions and their connections: logon, sequence numbers, retries, throttles, heartbeats, resumption, cancel on
//! disconnect; and the servers that carry them over TCP and shared memory. It refuses to know what an order may do: requests
//! become commands, and events become reports. Everything is polled, with the time as an argument: which thread does so is the
//! node's business.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

pub mod client;
pub mod feed;
mod gateway;
mod keys;
mod link;
mod machine;
mod outbox;
mod past;
mod requests;
mod session;
mod telling;
mod throttle;

pub use gateway::{CommandSink, Gateway, GatewayConfig, TcpServer, Work};
pub use keys::KeyRing;
pub use link::{Link, Received, ShmLink, TcpLink};
pub use machine::{Door, Grant, Keys, MachineConfig, Now, Opening, SessionMachine};
pub use outbox::{Cursor, Outbox, Overrun};
pub use past::{ConnectionId, Frames, Hearer, Past, Stretch, Wanted};
pub use requests::{Request, Requests};
pub use session::{MassCancel, Session, Style};
pub use throttle::{RateLimit, Throttle, VIOLATIONS_MAX, Verdict};
