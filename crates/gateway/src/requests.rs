//! What requests called themselves, so that their answers can say it: events do not name a cancel, and not the text of an order
//! that was refused.

use std::collections::VecDeque;

use tradewright_protocol::commands::Naming;
use tradewright_protocol::reports::{ClientId, OpenOrder};
use tradewright_types::InstrumentId;

/// A request that was sent on.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The session's number of it.
    pub client_sequence: u64,
    /// ClOrdID.
    pub client_id: ClientId,
    /// OrigClOrdID.
    pub original: ClientId,
    /// What the cancel of a replacement is called.
    pub cancel: ClientId,
    /// The order that it is about; 0 when it named none.
    pub order: u64,
    /// The instrument, as the client named it.
    pub symbol: ClientId,
    /// The instrument.
    pub instrument: Option<InstrumentId>,
    /// Whether it cancels or amends an order, which has not told yet.
    pub is_open: bool,
}

/// The last requests of a session that their answers need.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// By ascending client sequence.
    requests: VecDeque<Request>,
    /// The client sequences of those that are open.
    open: VecDeque<u64>,
}

impl Requests {
    /// As many as the engine recognises retries of.
    const COUNT_MAX: usize = 1_024;
    /// So many cancels and amendments may be on their way at a time; what is more is answered by the order's own name.
    const OPEN_MAX: usize = 64;

    /// Notes a request.
    pub fn note(&mut self, request: Request) {
        if self.requests.back().is_some_and(|last| last.client_sequence >= request.client_sequence) {
            return;
        }
        if self.requests.len() == Self::COUNT_MAX {
            self.requests.pop_front();
        }
        if request.is_open {
            if self.open.len() == Self::OPEN_MAX {
                self.open.pop_front();
            }
            self.open.push_back(request.client_sequence);
        }
        self.requests.push_back(request);
    }

    /// The request with this number.
    pub fn find(&self, client_sequence: u64) -> Option<&Request> {
        let place = self.requests.binary_search_by_key(&client_sequence, |request| request.client_sequence);
        self.requests.get(place.ok()?)
    }

    /// The request that cancelled or amended this order, if the session knows of one; it is answered by that.
    #[inline]
    pub fn answer(&mut self, order: &OpenOrder) -> Option<&Request> {
        if self.open.is_empty() {
            return None;
        }
        let is_about = |client_sequence: &u64| {
            let request = self.find(*client_sequence);
            request.is_some_and(|request| match request.order {
                0 => request.original == order.client_id || request.original.as_bytes().is_empty(),
                id => id == order.id,
            })
        };
        let place = self.open.iter().position(is_about)?;
        let client_sequence = self.open.remove(place)?;
        self.find(client_sequence)
    }

    /// The request is answered.
    pub fn close(&mut self, client_sequence: u64) {
        if let Some(place) = self.open.iter().position(|open| *open == client_sequence) {
            self.open.remove(place);
        }
    }
}

impl Request {
    /// A request as its frame named it.
    pub fn new(client_sequence: u64, naming: &Naming<'_>, order: u64, is_open: bool) -> Self {
        Self {
            client_sequence,
            client_id: ClientId::new(naming.client_order_id),
            original: ClientId::new(naming.original),
            cancel: ClientId::new(naming.cancel),
            order,
            symbol: ClientId::new(naming.symbol),
            instrument: None,
            is_open,
        }
    }
}
