//! A session: what stays of a client between its connections.

use tradewright_protocol::raw::RawView;
use tradewright_protocol::reports::Position;
use tradewright_types::{AccountId, Label};

use crate::outbox::Outbox;
use crate::requests::Requests;
use crate::throttle::{RateLimit, Throttle};

/// How a session wants to hear of its orders.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// Every report in full.
    Full,
    /// Every report in short.
    Acks,
    /// The events themselves.
    Raw(RawView),
}

/// The cancel of all orders on an instrument, whose end is still to come.
#[derive(Clone, Copy, Debug)]
pub struct MassCancel {
    /// The session's number of it.
    pub client_sequence: u64,
    /// How many orders it took.
    pub cancelled: u64,
}

/// A session, connected or not.
#[derive(Debug)]
pub struct Session {
    /// The engine's number of it.
    pub id: u32,
    /// Whose it is.
    pub account: AccountId,
    /// What its client calls it.
    pub name: Label,
    /// The last client sequence that was sent on.
    pub last_client_sequence: u64,
    /// What it was told.
    pub outbox: Outbox,
    /// What its requests called themselves.
    pub requests: Requests,
    /// How fast it may be.
    pub throttle: Throttle,
    /// How it wants to hear.
    pub style: Style,
    /// The accounts of which it hears besides its own, and does nothing else.
    pub hears: Box<[AccountId]>,
    /// Mass cancels on their way.
    pub mass_cancels: std::collections::VecDeque<MassCancel>,
    /// The connection that it has.
    pub connection: Option<usize>,
    /// Whether its orders go when that is lost.
    pub cancels_on_disconnect: bool,
}

impl Session {
    /// A session that was told nothing yet.
    pub fn new(
        id: u32,
        account: AccountId,
        name: Label,
        outbox_bytes: usize,
        limit: RateLimit,
        since: Position,
    ) -> Self {
        Self {
            id,
            account,
            name,
            last_client_sequence: 0,
            outbox: Outbox::new(outbox_bytes, since),
            requests: Requests::default(),
            throttle: Throttle::new(limit),
            style: Style::Full,
            hears: Box::default(),
            mass_cancels: std::collections::VecDeque::new(),
            connection: None,
            cancels_on_disconnect: false,
        }
    }
}
