//! Market data on the side of its readers: how it lies in shared memory, and a client with its connections.

mod service;
mod slot;
mod subscriber;

pub use slot::FeedSlot;
pub use subscriber::{FeedSubscriber, SubscriberConfig, SubscriberCounts};
