//! What requests called themselves, so that their answers can say it: events do not name a cancel, and not the text of an order
//! that was refused.

use std::collections::VecDeque;

use tradewright_protocol::commands::Naming;
use tradewright_protocol::reports::{ClientId, OpenOrder};

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
    /// Whether it cancels or amends an order, which has not told yet.
    pub is_open: bool,
}

/// A cancel or amendment on its way: its number, and the order that it names by the exchange's id.
#[derive(Clone, Copy, Debug)]
struct Open {
    client_sequence: u64,
    order: u64,
}

/// The last requests of a session that their answers need.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// Each at the place of its client sequence; made with the first.
    requests: Vec<Option<Request>>,
    open: VecDeque<Open>,
}

impl Requests {
    /// As many as the engine recognises retries of.
    const COUNT_MAX: usize = 1_024;
    /// So many cancels and amendments may be on their way at a time; what is more is answered by the order's own name.
    const OPEN_MAX: usize = 64;

    const fn place(client_sequence: u64) -> usize {
        (client_sequence % Self::COUNT_MAX as u64) as usize
    }

    /// Notes a request. One that was noted already is not noted again.
    pub fn note(&mut self, request: Request) {
        if self.requests.is_empty() {
            self.requests.resize(Self::COUNT_MAX, None);
        }
        let Request { client_sequence, order, is_open, .. } = request;
        let place = &mut self.requests[Self::place(client_sequence)];
        if place.as_ref().is_some_and(|noted| noted.client_sequence >= client_sequence) {
            return;
        }
        *place = Some(request);
        if is_open {
            if self.open.len() == Self::OPEN_MAX {
                self.open.pop_front();
            }
            self.open.push_back(Open { client_sequence, order });
        }
    }

    /// The request with this number.
    #[inline]
    pub fn find(&self, client_sequence: u64) -> Option<&Request> {
        let request = self.requests.get(Self::place(client_sequence))?.as_ref();
        request.filter(|request| request.client_sequence == client_sequence)
    }

    /// The request that cancelled or amended this order, if the session knows of one; it is answered by that.
    #[inline]
    pub fn answer(&mut self, order: &OpenOrder) -> Option<&Request> {
        if self.open.is_empty() {
            return None;
        }
        let is_about = |open: &Open| match open.order {
            0 => self.find(open.client_sequence).is_some_and(|request| request.original == order.client_id),
            id => id == order.id,
        };
        let place = self.open.iter().position(is_about)?;
        let open = self.open.remove(place)?;
        self.find(open.client_sequence)
    }

    /// The request is answered.
    pub fn close(&mut self, client_sequence: u64) {
        if let Some(place) = self.open.iter().position(|open| open.client_sequence == client_sequence) {
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
            is_open,
        }
    }
}
