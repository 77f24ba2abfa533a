//! What events say to sessions: each report goes into the outbox of whoever has to hear it.
//!
//! The same code tells what happens now and, from the log, what happened before ([`Past`](crate::Past)): so a client cannot see
//! which of the two it got.

use tradewright_protocol::frame::{Envelope, FrameWriter};
use tradewright_protocol::messages::{OutputExtension, RawEvent, RejectExtension};
use tradewright_protocol::order_map::NumberMap;
use tradewright_protocol::reports::{
    Answer, ClientId, Execution, Happening, ListReport, Position, Report, Reports, RequestNames, write_ack,
    write_execution, write_list_status, write_mass_cancelled, write_refusal,
};
use tradewright_protocol::spec::{EventBytes, NoExtension};
use tradewright_protocol::symbols::{Symbol, Symbols};
use tradewright_types::{ANY, AccountId, CloseReason, CommandKind, EventFlags, EventKind, EventRecord, InstrumentId};

use crate::machine::is_marker;
use crate::requests::Request;
use crate::session::{Session, Style};

/// The sessions that are told, connected or not.
#[derive(Default)]
pub(crate) struct Sessions {
    pub(crate) all: Vec<Session>,
    by_id: NumberMap<u32, usize>,
    by_account: NumberMap<u32, Vec<usize>>,
    /// Those that are told events themselves. The venue's are not: they read the ring.
    raw: Vec<usize>,
}

impl Sessions {
    /// Notes how a session wants to hear from now on.
    pub(crate) fn note_style(&mut self, place: usize) {
        self.raw.retain(|raw| *raw != place);
        let session = &self.all[place];
        if matches!(session.style, Style::Raw(_)) && session.account.0 != ANY {
            self.raw.push(place);
        }
    }

    /// Notes of which accounts a session hears besides its own, from now on.
    pub(crate) fn hear(&mut self, place: usize, accounts: &[AccountId]) {
        let session = &mut self.all[place];
        let before = core::mem::replace(&mut session.hears, accounts.into());
        for account in &before {
            if let Some(places) = self.by_account.get_mut(&account.0) {
                places.retain(|heard| *heard != place);
            }
        }
        for account in accounts {
            let places = self.by_account.entry(account.0).or_default();
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }

    pub(crate) fn find(&mut self, id: u32) -> Option<&mut Session> {
        self.by_id.get(&id).map(|place| &mut self.all[*place])
    }

    pub(crate) fn place_of(&self, id: u32) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn insert(&mut self, session: Session) -> usize {
        let place = self.all.len();
        self.by_id.insert(session.id, place);
        self.by_account.entry(session.account.0).or_default().push(place);
        self.all.push(session);
        place
    }
}

/// See the module.
pub(crate) struct Telling {
    pub(crate) symbols: Symbols,
    pub(crate) reports: Reports,
    pub(crate) sessions: Sessions,
    frame: Vec<u8>,
}

impl Telling {
    pub(crate) fn new(symbols: Symbols, reports: Reports) -> Self {
        Self { symbols, reports, sessions: Sessions::default(), frame: Vec::new() }
    }

    /// Tells sessions what an event says.
    #[inline]
    pub(crate) fn event(&mut self, event: &EventRecord) {
        let is_end = event.kind == EventKind::Rejected as u8 && is_marker(event) && self.mass_cancelled(event);
        if !is_end {
            self.tell(event);
        }
    }

    #[inline]
    fn tell(&mut self, event: &EventRecord) {
        let Self { reports, sessions, symbols, frame } = self;
        let Sessions { all, raw, .. } = &mut *sessions;
        for place in raw {
            let session = &mut all[*place];
            if let Style::Raw(view) = &mut session.style
                && let Some(seen) = view.read(event)
            {
                write_raw(&seen, frame);
                session.outbox.push(Position::of(event), 0, frame);
            }
        }
        reports.read(event, &mut |report| match report {
            Report::Execution(execution) => tell_execution(execution, sessions, symbols, frame),
            Report::List(list) => tell_list(list, sessions, symbols, frame),
            Report::Refused(event) => tell_refusal(event, sessions, symbols, frame),
        });
    }

    /// The mark behind a mass cancel: what it took is known now. Returns whether it was one.
    fn mass_cancelled(&mut self, event: &EventRecord) -> bool {
        let Some(session) = self.sessions.find(event.counter_account) else { return false };
        let Some(done) = session.mass_cancels.pop_front() else { return false };
        let request = session.requests.find(done.client_sequence).copied();
        let (client_id, symbol) = request.map_or_else(Default::default, |request| (request.client_id, request.symbol));
        let names = RequestNames { client_order_id: client_id.as_bytes(), symbol: symbol.as_bytes(), original: b"" };
        let answer = Answer { client_sequence: done.client_sequence, is_again: false, ..Answer::default() };
        let position = (Position::of(event), event.time_ns);
        self.frame.clear();
        write_mass_cancelled(names, position, done.cancelled, answer, Envelope::OPEN, &mut self.frame);
        session.outbox.push(Position::of(event), size_of::<OutputExtension>(), &self.frame);
        true
    }
}

pub(crate) fn symbol_of<'s>(request: Option<&Request>, symbols: &'s Symbols) -> Option<&'s Symbol> {
    symbols.find(request?.symbol.as_bytes()).ok()
}

pub(crate) fn write_raw(event: &EventRecord, frame: &mut Vec<u8>) {
    frame.clear();
    let block = RawEvent { event: EventBytes(zerocopy::transmute!(*event)) };
    FrameWriter::new(frame, Envelope::OPEN, &block, &NoExtension).finish();
}

/// Whether a request of the owner brought this about, so that the report is its answer.
fn is_answer(happening: &Happening) -> bool {
    match happening {
        Happening::Amended => true,
        Happening::Cancelled(reason) => {
            matches!(reason, Some(CloseReason::CancelledByOwner | CloseReason::Replaced | CloseReason::NotReplaced))
        }
        Happening::Accepted
        | Happening::Started
        | Happening::Traded(_)
        | Happening::Prevented(_)
        | Happening::Repriced
        | Happening::Expired(..) => false,
    }
}

/// Whose report it is, for a session that hears of several accounts.
#[inline]
fn account_of(session: &Session, account: AccountId) -> Option<AccountId> {
    (!session.hears.is_empty()).then_some(account)
}

#[inline]
fn tell_execution(execution: &Execution<'_>, sessions: &mut Sessions, symbols: &Symbols, frame: &mut Vec<u8>) {
    let Sessions { all, by_account, .. } = sessions;
    let Some(places) = by_account.get(&execution.order.account.0) else { return };
    let Some(symbol) = symbols.get(execution.order.instrument) else { return };
    for place in places {
        let session = &mut all[*place];
        let mut answer = Answer { account: account_of(session, execution.order.account), ..Answer::default() };
        let mut name = ClientId::default();
        if is_answer(&execution.happening)
            && let Some(request) = session.requests.answer(execution.order)
        {
            answer.client_sequence = request.client_sequence;
            let is_replaced = !request.cancel.as_bytes().is_empty();
            name = if is_replaced { request.cancel } else { request.client_id };
        }
        if execution.happening == Happening::Cancelled(Some(CloseReason::CancelledAll))
            && let Some(mass_cancel) = session.mass_cancels.front_mut()
        {
            mass_cancel.cancelled += 1;
        }
        let is_renamed = execution.happening == Happening::Amended || name == execution.order.client_id;
        let names =
            (!is_renamed).then_some(RequestNames { client_order_id: name.as_bytes(), original: b"", symbol: b"" });
        frame.clear();
        match session.style {
            Style::Full => write_execution(execution, symbol, names, answer, Envelope::OPEN, frame),
            Style::Acks => write_ack(execution, symbol, names, answer, Envelope::OPEN, frame),
            Style::Raw(_) => continue,
        }
        session.outbox.push(execution.position, size_of::<OutputExtension>(), frame);
    }
}

fn tell_list(list: &ListReport, sessions: &mut Sessions, symbols: &Symbols, frame: &mut Vec<u8>) {
    let Sessions { all, by_account, .. } = sessions;
    let Some(places) = by_account.get(&list.account.0) else { return };
    let Some(symbol) = symbols.get(list.instrument) else { return };
    for place in places {
        let session = &mut all[*place];
        if !matches!(session.style, Style::Raw(_)) {
            frame.clear();
            let answer = Answer { account: account_of(session, list.account), ..Answer::default() };
            write_list_status(list, symbol, answer, Envelope::OPEN, frame);
            session.outbox.push(list.position, size_of::<OutputExtension>(), frame);
        }
    }
}

fn tell_refusal(event: &EventRecord, sessions: &mut Sessions, symbols: &Symbols, frame: &mut Vec<u8>) {
    let Some(session) = sessions.find(event.counter_account) else { return };
    // A number that was never opened is whatever its sender means by it.
    if session.account.0 != event.account || matches!(session.style, Style::Raw(_)) {
        return;
    }
    let client_sequence = event.counter_order_id;
    let is_cancel = event.open_lots == CommandKind::ReplaceOrder as u64;
    let request = session.requests.find(client_sequence).copied();
    let names = request.unwrap_or_else(|| Request::new(client_sequence, &Default::default(), 0, false));
    let is_replaced = is_cancel && !names.cancel.as_bytes().is_empty();
    let name = if is_replaced { names.cancel } else { names.client_id };
    let symbol = symbol_of(request.as_ref(), symbols).or_else(|| symbols.get(InstrumentId(event.instrument)));
    let names = RequestNames {
        client_order_id: name.as_bytes(),
        original: names.original.as_bytes(),
        symbol: names.symbol.as_bytes(),
    };
    let answer = Answer { client_sequence, is_again: false, ..Answer::default() };
    frame.clear();
    write_refusal(event, symbol, names, answer, Envelope::OPEN, frame);
    let extension_length = match CommandKind::from_code(event.open_lots as u8) {
        Some(kind) if kind.is_order_entry() => size_of::<OutputExtension>(),
        _ => size_of::<RejectExtension>(),
    };
    session.outbox.push(Position::of(event), extension_length, frame);
    // The other half of a replacement may still tell.
    if EventFlags(event.flags).has(EventFlags::LAST) {
        session.requests.close(client_sequence);
    }
}
