//! What sessions were told before, made again: by a replay of the log, through the same code that told it first.
//!
//! Whoever applies the log again gives commands and events here, in their order, and gets the frames of the sessions that ask.
//! What stands in no log is taken from what a session still knows of its requests: what a cancel called itself.

use std::collections::VecDeque;

use tradewright_engine::Engine;
use tradewright_protocol::raw::{RawGuard, RawView};
use tradewright_protocol::reports::{ClientId, Opening, Position, Reports};
use tradewright_protocol::symbols::Symbols;
use tradewright_types::{
    Amend, Cancel, CancelAll, CancelList, ClientOrderId, CommandKind, CommandRecord, EventKind, EventRecord,
    InstrumentId, NewList, NewOrder, Replace, SessionId, Target, read_envelope,
};

use crate::outbox::{Cursor, Outbox};
use crate::requests::{Request, Requests};
use crate::session::{MassCancel, Session, Style};
use crate::telling::{Sessions, Telling};
use crate::throttle::RateLimit;

/// Frames that a session was told, as they are kept: to be addressed to a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Length, and how much of it is the extension.
    lengths: VecDeque<(u32, u16)>,
    begin: usize,
}

impl Frames {
    /// Adds a frame.
    pub fn push(&mut self, extension_length: usize, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.lengths.push_back((frame.len() as u32, extension_length as u16));
    }

    /// Takes the first frame, with the length of its extension.
    pub fn take_first(&mut self) -> Option<(&[u8], usize)> {
        let (length, extension_length) = self.lengths.pop_front()?;
        let begin = self.begin;
        self.begin += length as usize;
        Some((&self.bytes[begin..self.begin], extension_length.into()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// How many bytes they have.
    pub fn length(&self) -> usize {
        self.bytes.len() - self.begin
    }
}

/// A session that asks for its past, as it is now.
#[derive(Clone, Debug)]
pub struct Hearer {
    /// The engine's number of it.
    pub session: u32,
    account: tradewright_types::AccountId,
    name: tradewright_types::Label,
    is_raw: bool,
    is_short: bool,
    hears: Box<[tradewright_types::AccountId]>,
    /// What it knows of its last requests.
    requests: Requests,
}

impl Hearer {
    /// Of a session.
    pub fn of(session: &Session) -> Self {
        Self {
            session: session.id,
            account: session.account,
            name: session.name,
            is_raw: matches!(session.style, Style::Raw(_)),
            is_short: matches!(session.style, Style::Acks),
            hears: session.hears.clone(),
            requests: session.requests.clone(),
        }
    }

    fn style(&self) -> Style {
        let guard = RawGuard { account: self.account, session: self.session };
        match (self.is_raw, self.is_short) {
            (true, _) => Style::Raw(RawView::new(guard)),
            (false, true) => Style::Acks,
            (false, false) => Style::Full,
        }
    }
}

/// See the module.
pub struct Past {
    telling: Telling,
    /// What each session knows of its requests, and how far its outbox was read.
    hearers: Vec<(Requests, Cursor)>,
}

/// Each event's frames are taken before the next one: one event tells a session of an order, an old one of a pair, and a list.
const OUTBOX_BYTES: usize = 1 << 16;

impl Past {
    /// Begins where an engine stands: what is told is told of the commands behind.
    pub fn new(hearers: impl IntoIterator<Item = Hearer>, engine: &Engine) -> Self {
        let mut telling = Telling::new(Symbols::of(engine), Reports::behind(engine));
        let hearers: Vec<Hearer> = hearers.into_iter().collect();
        let heard = hearers.iter().flat_map(|hearer| hearer.hears.iter().copied().chain([hearer.account]));
        telling.reports.follow(Opening::of(engine, heard));
        let mut known = Vec::new();
        for hearer in hearers {
            let Hearer { session: id, account, name, .. } = hearer;
            let hears = hearer.hears.clone();
            let mut session =
                Session::new(id, account, name, OUTBOX_BYTES, RateLimit::default(), telling.reports.last());
            session.style = hearer.style();
            session.last_client_sequence =
                engine.session(SessionId(id)).map_or(0, |session| session.last_client_sequence());
            known.push((hearer.requests, session.outbox.end()));
            let place = telling.sessions.insert(session);
            telling.sessions.note_style(place);
            telling.sessions.hear(place, &hears);
        }
        Self { telling, hearers: known }
    }

    /// An instrument was listed.
    pub fn listed(&mut self, engine: &Engine) {
        self.telling.symbols = Symbols::of(engine);
    }

    /// Reads a command. Its events come next.
    pub fn command(&mut self, records: &[CommandRecord]) {
        let Self { telling, hearers } = self;
        let Telling { sessions, symbols, .. } = telling;
        let [first, ..] = records else { return };
        let number = first.header.client_sequence;
        let Some(place) = sessions.place_of(first.header.session).filter(|_| number != 0) else { return };
        let session = &mut sessions.all[place];
        if number <= session.last_client_sequence {
            // A retry: it has no events of its own.
            return;
        }
        session.last_client_sequence = number;
        let known = hearers[place].0.find(number).copied();
        if let Some(request) = known.or_else(|| request_of(number, records, symbols)) {
            session.requests.note(request);
        }
        if first.header.kind == CommandKind::CancelAll as u8 && !matches!(session.style, Style::Raw(_)) {
            session.mass_cancels.push_back(MassCancel { client_sequence: number, cancelled: 0 });
        }
    }

    /// Reads an event and gives the frames that can be told now: the session, the output, the length of its extension, the frame.
    pub fn event(&mut self, event: &EventRecord, mut told: impl FnMut(u32, Position, usize, &[u8])) {
        if event.kind != EventKind::CommandRepeated as u8 {
            self.telling.event(event);
        }
        let Sessions { all, .. } = &self.telling.sessions;
        for (session, (_, cursor)) in all.iter().zip(&mut self.hearers) {
            session.outbox.take(cursor, |position, length, frame| told(session.id, position, length, frame));
        }
    }

    /// The number of the last event that was read.
    pub fn last(&self) -> Position {
        self.telling.reports.last()
    }
}

/// A request as its command names it: without what a cancel called itself, which stands in no log.
#[expect(clippy::wildcard_enum_match_arm, reason = "a kind that the door makes no command of is no request")]
fn request_of(number: u64, records: &[CommandRecord], symbols: &Symbols) -> Option<Request> {
    let instrument = |id: InstrumentId| {
        symbols.get(id).map_or_else(ClientId::default, |symbol| ClientId::new(symbol.name.as_str().as_bytes()))
    };
    let named = |client_id: ClientOrderId<'_>, target: Option<Target<'_>>, symbol: ClientId, is_open: bool| {
        let (order, original) = match target {
            None => (0, ClientId::default()),
            Some(Target::Order(order)) => (order.0, ClientId::default()),
            Some(Target::Client(id)) => (0, ClientId::of(&id)),
        };
        let client_id = ClientId::of(&client_id);
        Request { client_sequence: number, client_id, original, cancel: ClientId::default(), order, symbol, is_open }
    };
    let absent = ClientOrderId::Absent;
    Some(match read_envelope(records).ok()? {
        CommandKind::PlaceOrder => {
            let order = NewOrder::read(records).ok()?;
            named(order.client_order_id, None, instrument(order.instrument), false)
        }
        CommandKind::CancelOrder => named(absent, Some(Cancel::read(records).ok()?.target), ClientId::default(), true),
        CommandKind::CancelList => {
            named(absent, Some(CancelList::read(records).ok()?.target), ClientId::default(), false)
        }
        CommandKind::ReplaceOrder => {
            let replace = Replace::read(records).ok()?;
            let order = replace.order;
            named(order.client_order_id, Some(replace.target), instrument(order.instrument), true)
        }
        CommandKind::AmendOrder => {
            let amend = Amend::read(records).ok()?;
            named(amend.client_order_id, Some(amend.target), ClientId::default(), true)
        }
        CommandKind::PlaceList => {
            let list = NewList::read(records).ok()?;
            named(list.client_list_id, None, instrument(list.instrument), false)
        }
        CommandKind::CancelAll => {
            let all = CancelAll::read(records).ok()?;
            named(absent, None, all.instrument.map_or_else(ClientId::default, instrument), false)
        }
        _ => return None,
    })
}

/// How a session's past is to be gone through.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A client came back and has seen outputs up to `after`: what came behind it, until the outbox goes on.
    Since {
        /// Where it goes.
        connection: ConnectionId,
        /// Who asks.
        hearer: Hearer,
        /// The last output that it has seen.
        after: Position,
    },
    /// A client repeats a request: what it was answered.
    Again {
        /// Where it goes.
        connection: ConnectionId,
        /// That a command was repeated, as the engine says it: `reference` is the command's place in the log.
        repeated: EventRecord,
    },
}

/// A connection, for as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    pub(crate) place: usize,
    pub(crate) number: u64,
}

/// A part of what a session was told.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// The frames, of which all are behind those of the part before.
    pub frames: Frames,
    /// Every command up to this one was looked at.
    pub reached: u64,
    /// The last event of these.
    pub last: Position,
}

impl Stretch {
    /// Where it ends: behind every output of the last command.
    pub(crate) fn end(&self) -> Position {
        Position { index: self.reached, k: u32::MAX, shard: self.last.shard }
    }

    /// Whether an outbox goes on without a gap, for a gateway that has read the events up to `read`.
    pub(crate) fn is_met_by(&self, outbox: &Outbox, read: Position) -> bool {
        read >= self.last && outbox.after(self.end()).1 == self.end()
    }
}
