//! The gateway: connections on one side, commands and events on the other.
//!
//! [`Gateway::poll`] moves bytes and commands, [`Gateway::event`] tells sessions what happened. Both are called by whatever
//! thread the node has for it.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};

use tradewright_engine::Engine;
use tradewright_protocol::account::{AccountStanding, write_account};
use tradewright_protocol::codes::{ExecType, OrdStatus};
use tradewright_protocol::frame::{Envelope, FrameWriter, HEADER_LENGTH};
use tradewright_protocol::messages::{ExecutionReportAck, OutputExtension};
use tradewright_protocol::reports::{
    Answer, ClientId, Execution, Happening, Opening, Position, Reports, RequestNames, write_execution,
    write_order_status, write_refusal,
};
use tradewright_protocol::spec::Block;
use tradewright_protocol::symbols::Symbols;
use tradewright_types::{
    AccountId, CommandHeader, CommandKind, CommandRecord, EventKind, EventRecord, InstrumentId, InstrumentState, Label,
    RejectReason, SettingRecord, TextEventRecord,
};

use crate::keys::KeyRing;
use crate::link::{Link, Received, TcpLink};
use crate::machine::{Door, MachineConfig, Now, SessionMachine};
use crate::outbox::Cursor;
use crate::past::{ConnectionId, Frames, Hearer, Stretch, Wanted};
use crate::requests::Request;
use crate::session::{Session, Style};
use crate::telling::{Telling, symbol_of, write_raw};
use crate::throttle::RateLimit;

/// How a gateway is.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// How connections are held.
    pub machine: MachineConfig,
    /// So many bytes of what it was told are kept for each session.
    pub outbox_bytes: usize,
    /// How fast a session may be.
    pub rate_limit: RateLimit,
    /// So many connections are taken at most.
    pub connections_max: usize,
    /// Whether somebody looks after [`Gateway::wanted`]: gives sessions from the log what is no longer kept here.
    pub has_past: bool,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            machine: MachineConfig::default(),
            outbox_bytes: 1 << 20,
            rate_limit: RateLimit::default(),
            connections_max: 1_024,
            has_past: false,
        }
    }
}

/// So many records go to the engine at once, as many as the longest command may have.
const RECORDS_AT_ONCE: usize = 512;

/// Where commands go.
pub trait CommandSink {
    /// Takes whole commands, or returns false when there is no room for all: they are tried again with the next poll.
    fn push(&mut self, commands: &[CommandRecord]) -> bool;
}

impl CommandSink for tradewright_transport::Producer<CommandRecord> {
    fn push(&mut self, commands: &[CommandRecord]) -> bool {
        self.push_whole(commands).unwrap_or(false)
    }
}

impl CommandSink for Vec<CommandRecord> {
    fn push(&mut self, commands: &[CommandRecord]) -> bool {
        self.extend_from_slice(commands);
        true
    }
}

struct Connection {
    machine: SessionMachine,
    link: Box<dyn Link>,
    input: Vec<u8>,
    /// Whether its session was told that it is gone.
    is_left: bool,
    /// None before or after has the same: that of a place is given to whoever comes next.
    number: u64,
}

/// What a poll did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes that came.
    pub bytes_in: usize,
    /// Commands that went to the engine.
    pub commands: usize,
    /// Bytes that were sent.
    pub bytes_out: usize,
    /// Connections that ended.
    pub ended: usize,
}

impl Work {
    /// Whether there was any.
    pub fn is_some(&self) -> bool {
        *self != Self::default()
    }
}

/// The gateway. See the module.
pub struct Gateway {
    config: GatewayConfig,
    keys: KeyRing,
    telling: Telling,
    connections: Vec<Option<Connection>>,
    next_number: u64,
    /// What is no longer kept here, for whoever gets it from the log.
    wanted: VecDeque<Wanted>,
    /// Questions how accounts stand, for whoever knows.
    questions: VecDeque<(ConnectionId, AccountId)>,
    /// Answers to repeated requests, until their clients have heard the first ones.
    again: VecDeque<Again>,
    /// The session that the event before told of: its name comes next.
    opened: Option<EventRecord>,
    /// What accounts had open when their first session was opened, until its event comes.
    openings: VecDeque<Opening>,
    /// Commands about connections that are gone.
    left: VecDeque<CommandRecord>,
    /// The log runs out of room.
    is_log_short: bool,
    ticked_ns: u64,
    now: Now,
}

/// Heartbeats and the like are looked after so often.
const TICK_NS: u64 = 1_000_000;

impl Gateway {
    /// A gateway to an engine as it is now: the events behind that are to be told by [`Gateway::event`]. It follows the orders of
    /// accounts that have sessions or are heard by drop copies.
    pub fn new(config: GatewayConfig, keys: KeyRing, engine: &Engine) -> Self {
        let mut telling = Telling::new(Symbols::of(engine), Reports::behind(engine));
        let with_session = engine.sessions().filter_map(|session| session.account());
        telling.reports.follow(Opening::of(engine, with_session.chain(keys.heard())));
        for view in engine.sessions() {
            if let (Some(account), Some(name)) = (view.account(), Label::new(view.name().as_bytes())) {
                let id = view.id().0;
                let mut session =
                    Session::new(id, account, name, config.outbox_bytes, config.rate_limit, telling.reports.last());
                session.last_client_sequence = view.last_client_sequence();
                telling.sessions.insert(session);
            }
        }
        Self {
            config,
            keys,
            telling,
            connections: Vec::new(),
            next_number: 0,
            wanted: VecDeque::new(),
            questions: VecDeque::new(),
            again: VecDeque::new(),
            opened: None,
            openings: VecDeque::new(),
            left: VecDeque::new(),
            is_log_short: false,
            ticked_ns: 0,
            now: Now::default(),
        }
    }

    /// The keys that clients log on with.
    pub fn keys(&mut self) -> &mut KeyRing {
        &mut self.keys
    }

    /// Takes a key away, and ends the connections that were made with it.
    pub fn revoke_key(&mut self, username: &[u8], now: Now) {
        self.keys.remove(username);
        for connection in self.connections.iter_mut().flatten() {
            if connection.machine.is_of_key(username) {
                connection.machine.log_out("its key was revoked", None, now);
            }
        }
    }

    /// The instruments that clients can name. Whoever lists one tells it here.
    pub fn symbols(&mut self) -> &mut Symbols {
        &mut self.telling.symbols
    }

    /// What an account has open behind the command that opened its first session, if it is anything. Whoever sees the engine tells it
    /// here before the events of that command.
    pub fn opens(&mut self, opening: Opening) {
        self.openings.push_back(opening);
    }

    /// While the log runs out of room, new orders and changes are refused; cancels pass.
    pub fn set_log_short(&mut self, is_log_short: bool) {
        self.is_log_short = is_log_short;
    }

    /// The open orders, as far as events told.
    pub fn reports(&self) -> &Reports {
        &self.telling.reports
    }

    /// The sessions there are, connected or not.
    pub fn sessions(&self) -> &[Session] {
        &self.telling.sessions.all
    }

    /// How many connections there are.
    pub fn connection_count(&self) -> usize {
        self.connections.iter().flatten().count()
    }

    /// Takes a connection. Returns false when there are as many as there may be.
    pub fn connect(&mut self, link: Box<dyn Link>, now: Now) -> bool {
        let connection = Connection {
            machine: SessionMachine::new(self.config.machine.clone(), now),
            link,
            input: Vec::new(),
            is_left: false,
            number: self.number(),
        };
        if let Some(free) = self.connections.iter_mut().find(|place| place.is_none()) {
            *free = Some(connection);
            return true;
        }
        if self.connections.len() >= self.config.connections_max {
            return false;
        }
        self.connections.push(Some(connection));
        true
    }

    /// The number of the next connection.
    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Ends a session's connection, as an operator may want to.
    pub fn disconnect(&mut self, session: u32, reason: &str, now: Now) -> bool {
        let place = self.telling.sessions.find(session).and_then(|session| session.connection);
        let Some(Some(connection)) = place.and_then(|place| self.connections.get_mut(place)) else { return false };
        connection.machine.log_out(reason, None, now);
        true
    }

    /// Reads what clients sent, sends what they are told.
    pub fn poll(&mut self, sink: &mut dyn CommandSink, now: Now) -> Work {
        self.now = now;
        let mut work = Work::default();
        while let Some(command) = self.left.front() {
            if !sink.push(core::slice::from_ref(command)) {
                break;
            }
            self.left.pop_front();
            work.commands += 1;
        }
        for again in core::mem::take(&mut self.again) {
            self.tell_again(again);
        }
        let ticks = now.ns.saturating_sub(self.ticked_ns) >= TICK_NS;
        if ticks {
            self.ticked_ns = now.ns;
        }
        for place in 0..self.connections.len() {
            if let Some(mut connection) = self.connections[place].take() {
                let stays = self.poll_connection(place, &mut connection, sink, ticks, &mut work);
                if stays {
                    self.connections[place] = Some(connection);
                }
            }
        }
        work
    }

    /// Tells an answer again, when its client has heard it for the first time; until then it waits.
    fn tell_again(&mut self, again: Again) {
        let now = self.now;
        let Some(connection) = self.connection(again.connection) else { return };
        if !connection.machine.has_told(again.behind) {
            return self.again.push_back(again);
        }
        match again.answer {
            AnswerAgain::Frames(frames) => connection.machine.tell_again(frames, now),
            AnswerAgain::Short(event) => self.answer_in_short(again.connection, &event),
        }
    }

    /// Answers again behind everything that the session was told so far.
    fn answer_later(&mut self, connection: ConnectionId, session: u32, answer: AnswerAgain) {
        if let Some(session) = self.telling.sessions.find(session) {
            self.again.push_back(Again { connection, behind: session.outbox.end(), answer });
        }
    }

    /// Whether the connection stays.
    fn poll_connection(
        &mut self,
        place: usize,
        connection: &mut Connection,
        sink: &mut dyn CommandSink,
        ticks: bool,
        work: &mut Work,
    ) -> bool {
        const INPUT_MAX: usize = 1 << 17;
        let now = self.now;
        let Connection { machine, link, input, number, .. } = connection;
        if !machine.is_closed() && input.len() < INPUT_MAX {
            match link.receive(input, machine.is_raw()) {
                Ok(Received::Bytes(bytes)) => work.bytes_in += bytes,
                Ok(Received::HungUp) => machine.close("the client hung up"),
                Err(error) => machine.close(&error.to_string()),
            }
        }
        if link.is_permanent() && machine.awaits_logon() && input.is_empty() {
            // It waits for its next client as long as that takes; what it told nobody, the next one would read.
            machine.begin(now);
        }
        let Telling { sessions, symbols, reports, .. } = &mut self.telling;
        let mut session = machine.session().and_then(|id| sessions.find(id));
        if !input.is_empty() {
            let door = Door { symbols, reports, is_log_short: self.is_log_short };
            let done = machine.receive(input, session.as_deref_mut(), &door, &mut self.keys, now);
            input.drain(..done);
        }
        while let (records @ [_, ..], commands) = machine.next_commands(RECORDS_AT_ONCE) {
            let count = records.len();
            if !sink.push(records) {
                break;
            }
            machine.commands_gone(count);
            work.commands += commands;
        }
        // Behind all that the client sent before.
        if let Some(session) = session.as_deref()
            && machine.commands().is_empty()
            && machine.take_question()
        {
            self.questions.push_back((ConnectionId { place, number: *number }, session.account));
        }
        if ticks {
            machine.tick(now);
        }
        if let Some(session) = session {
            machine.pull(session, reports.last(), now);
        }
        let output = machine.output();
        if !output.is_empty() {
            match link.send(output) {
                Ok(bytes) => {
                    machine.sent(bytes);
                    work.bytes_out += bytes;
                }
                Err(error) => machine.close(&error.to_string()),
            }
        }
        if machine.is_closed() { self.finish(place, connection, work) } else { true }
    }

    /// A connection that is over: its commands have gone first. Returns whether it stays for a while, or for the next client.
    fn finish(&mut self, place: usize, connection: &mut Connection, work: &mut Work) -> bool {
        if !connection.machine.commands().is_empty() {
            return true;
        }
        if !connection.is_left {
            connection.is_left = true;
            work.ended += 1;
            if let Some(session) =
                self.telling.sessions.all.iter_mut().find(|session| session.connection == Some(place))
            {
                session.connection = None;
                if session.cancels_on_disconnect {
                    self.left.push_back(end_session(session.id));
                }
            }
        }
        if connection.link.is_permanent() {
            // The same queues serve whoever comes next, once the last word is out.
            if connection.machine.output().is_empty() {
                connection.machine = SessionMachine::new(self.config.machine.clone(), self.now);
                connection.input.clear();
                connection.is_left = false;
                connection.number = self.number();
            }
            return true;
        }
        false
    }

    /// Reads an event that was released. To be called for each, in their order.
    pub fn event(&mut self, event: &EventRecord, now: Now) {
        self.now = now;
        match EventKind::from_code(event.kind) {
            Some(EventKind::SessionOpened) => {
                self.opened = Some(*event);
                self.tell(event);
            }
            Some(EventKind::SessionNameText) => {
                self.tell(event);
                self.session_opened(event);
            }
            Some(EventKind::CommandRepeated) => self.repeated(event),
            Some(EventKind::InstrumentStateChanged) => {
                if let Some(state) = InstrumentState::from_code(event.order_type) {
                    self.telling.symbols.set_state(InstrumentId(event.instrument), state);
                }
                self.tell(event);
            }
            _ => self.tell(event),
        }
    }

    #[inline]
    fn tell(&mut self, event: &EventRecord) {
        self.telling.event(event);
        let refused = event.kind == EventKind::Rejected as u8
            && event.reason == RejectReason::ClientSequenceGap as u16
            && event.counter_order_id != 0;
        if refused {
            let expected = u64::try_from(event.amount.get()).ok();
            let place = self.telling.sessions.find(event.counter_account).and_then(|session| session.connection);
            if let Some(Some(connection)) = place.and_then(|place| self.connections.get_mut(place)) {
                connection.machine.log_out("ClientSequence leaves out one before it", expected, self.now);
            }
        }
    }

    /// A session was opened: whoever waits for it may begin.
    fn session_opened(&mut self, text: &EventRecord) {
        let Some(event) = self.opened.take() else { return };
        let text: &TextEventRecord = zerocopy::transmute_ref!(text);
        let length = usize::try_from(text.length).unwrap_or(0).min(text.bytes.len());
        let Some(name) = Label::new(&text.bytes[..length]) else { return };
        let (id, account) = (event.counter_account, AccountId(event.account));
        self.follow(account, event.sequence);
        let waits = |connection: &Option<Connection>| {
            let opening = connection.as_ref().and_then(|connection| connection.machine.opening());
            opening.is_some_and(|opening| opening.account == account && opening.name == name)
        };
        let place = self.connections.iter().position(waits);
        let Telling { sessions, reports, .. } = &mut self.telling;
        if sessions.place_of(id).is_none() {
            let (bytes, limit) = (self.config.outbox_bytes, self.config.rate_limit);
            sessions.insert(Session::new(id, account, name, bytes, limit, reports.last()));
        }
        let Some(session_place) = sessions.place_of(id) else { return };
        let session = &mut sessions.all[session_place];
        let Some((place, Some(connection))) = place.map(|place| (place, &mut self.connections[place])) else {
            // Somebody else opened it.
            return;
        };
        if session.connection.is_some() {
            return connection.machine.log_out("the session has a connection already", None, self.now);
        }
        session.last_client_sequence = event.counter_order_id;
        session.connection = Some(place);
        let after = connection.machine.open(session, reports.last(), self.config.has_past, self.now);
        session.cancels_on_disconnect = connection.machine.cancels_on_disconnect();
        let hears = connection.machine.hears().to_vec();
        sessions.note_style(session_place);
        sessions.hear(session_place, &hears);
        if let Some(after) = after {
            let connection = ConnectionId { place, number: connection.number };
            let hearer = Hearer::of(&sessions.all[session_place]);
            self.wanted.push_back(Wanted::Since { connection, hearer, after });
        }
    }

    /// Follows an account from a command on.
    fn follow(&mut self, account: AccountId, index: u64) {
        while self.openings.front().is_some_and(|opening| opening.index < index) {
            self.openings.pop_front();
        }
        let is_told = self.openings.front().is_some_and(|opening| opening.index == index);
        let told = if is_told { self.openings.pop_front() } else { None };
        self.telling.reports.follow(told.unwrap_or_else(|| Opening::empty(account)));
    }

    /// What a session is to hear that is no longer kept here. Whoever takes it brings it by [`Gateway::past`] and
    /// [`Gateway::answer_again`].
    pub fn wanted(&mut self) -> Option<Wanted> {
        self.wanted.pop_front()
    }

    /// A session as one that asks for its past.
    pub fn hearer(&mut self, session: u32) -> Option<Hearer> {
        self.telling.sessions.find(session).map(|session| Hearer::of(session))
    }

    /// A question how an account stands, and the connection that it came by. Whoever knows answers by [`Gateway::tell_account`].
    pub fn question(&mut self) -> Option<(ConnectionId, AccountId)> {
        self.questions.pop_front()
    }

    /// Tells how an account stands, when every event up to the standing's command was given to [`Gateway::event`], and none behind.
    pub fn tell_account(&mut self, id: ConnectionId, standing: &AccountStanding) {
        let connection = self.connections.get_mut(id.place).and_then(Option::as_mut);
        let Some(connection) = connection.filter(|connection| connection.number == id.number) else { return };
        let Telling { sessions, reports, symbols, .. } = &mut self.telling;
        let Some(session) = connection.machine.session().and_then(|session| sessions.find(session)) else { return };
        if session.account != standing.account {
            return;
        }
        connection.machine.answer(session.outbox.end(), |request| {
            let mut orders: Vec<_> = reports
                .of_account(standing.account)
                .filter_map(|order| Some((order, symbols.get(order.instrument)?)))
                .collect();
            orders.sort_unstable_by_key(|(order, _)| order.id);
            let mut frames = Frames::default();
            write_account(standing, request, orders.len(), Envelope::OPEN, |frame| frames.push(0, frame));
            let mut out = Vec::new();
            for (order, symbol) in orders {
                out.clear();
                write_order_status(order, symbol, Envelope::OPEN, &mut out);
                frames.push(size_of::<OutputExtension>(), &out);
            }
            frames
        });
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(id.place)?.as_mut();
        connection.filter(|connection| connection.number == id.number && !connection.machine.is_closed())
    }

    /// Whether a connection takes the next part of its session's past. `None` when it needs no more of it, or is gone.
    pub fn takes_past(&mut self, id: ConnectionId) -> Option<bool> {
        let machine = &self.connection(id)?.machine;
        machine.needs_past().then(|| machine.takes_past())
    }

    /// The next part of what the session of a connection was told before.
    pub fn past(&mut self, id: ConnectionId, stretch: Stretch) {
        if let Some(connection) = self.connection(id) {
            connection.machine.past(stretch);
        }
    }

    /// The past of a connection's session cannot be had.
    pub fn past_is_lost(&mut self, id: ConnectionId, reason: &str, now: Now) {
        if let Some(connection) = self.connection(id) {
            connection.machine.log_out(reason, None, now);
        }
    }

    /// What a request was answered that was repeated, as far as the log has it.
    pub fn answer_again(&mut self, id: ConnectionId, repeated: &EventRecord, frames: Frames) {
        let is_known = !frames.is_empty();
        let answer =
            if is_known { AnswerAgain::Frames(marked(frames)) } else { AnswerAgain::Short(Box::new(*repeated)) };
        self.answer_later(id, repeated.counter_account, answer);
    }

    /// A command came again: its session hears again what came of it.
    fn repeated(&mut self, event: &EventRecord) {
        let Some(session) = self.telling.sessions.find(event.counter_account) else { return };
        let Some(place) = session.connection else { return };
        let Some(connection) = &mut self.connections[place] else { return };
        let id = ConnectionId { place, number: connection.number };
        let behind = session.outbox.end();
        if let Style::Raw(_) = session.style {
            // Not a part of what is told once and for all.
            let (mut frame, mut frames) = (Vec::new(), Frames::default());
            write_raw(event, &mut frame);
            frames.push(0, &frame);
            self.again.push_back(Again { connection: id, behind, answer: AnswerAgain::Frames(frames) });
        }
        let mut again = Frames::default();
        for (frame, extension_length) in session.outbox.of_command(event.reference) {
            again.push(extension_length, frame);
        }
        if again.is_empty() && self.config.has_past && session.outbox.has_forgotten(event.reference) {
            return self.wanted.push_back(Wanted::Again { connection: id, repeated: *event });
        }
        self.answer_again(id, event, again);
    }

    /// Answers a command that came again by what is known without the log.
    fn answer_in_short(&mut self, id: ConnectionId, event: &EventRecord) {
        let now = self.now;
        let Some(Some(connection)) = self.connections.get_mut(id.place) else { return };
        if connection.number != id.number || connection.machine.is_closed() {
            return;
        }
        let machine = &mut connection.machine;
        let Telling { sessions, reports, symbols, .. } = &mut self.telling;
        let Some(session) = sessions.find(event.counter_account) else { return };
        if matches!(session.style, Style::Raw(_)) {
            return;
        }
        let answer = Answer { client_sequence: event.counter_order_id, is_again: true, ..Answer::default() };
        let request = session.requests.find(event.counter_order_id);
        let (name, original, symbol) = request
            .map_or_else(Default::default, |request: &Request| (request.client_id, request.original, request.symbol));
        let names =
            RequestNames { client_order_id: name.as_bytes(), original: original.as_bytes(), symbol: symbol.as_bytes() };
        if event.reason != 0 {
            let symbol = symbol_of(request, symbols);
            return machine.tell(now, |envelope, out| {
                write_refusal(&unnumbered(event), symbol, names, answer, envelope, out);
            });
        }
        let order = reports.find(event.order_id);
        let known = order.and_then(|order| symbols.get(order.instrument).map(|symbol| (order, symbol)));
        machine.tell(now, |envelope, out| match known {
            Some((order, symbol)) => {
                let execution = Execution {
                    position: Position { index: event.reference, k: 0, shard: event.shard },
                    time_ns: order.accepted_ns,
                    happening: Happening::Accepted,
                    order,
                    original: ClientId::default(),
                    is_closed: false,
                };
                write_execution(&execution, symbol, None, answer, envelope, out);
            }
            None => write_done(event, names, out, envelope),
        });
    }
}

/// An answer to a request that came again.
struct Again {
    connection: ConnectionId,
    /// What its client is to hear first: the first answer is there, or in the past that comes before.
    behind: Cursor,
    answer: AnswerAgain,
}

enum AnswerAgain {
    /// As it was told, with the mark of a repeated one.
    Frames(Frames),
    /// By what is known without the log.
    Short(Box<EventRecord>),
}

/// A refusal of which the number of the output is not known any more.
fn unnumbered(event: &EventRecord) -> EventRecord {
    EventRecord {
        open_lots: event.open_lots,
        reason: event.reason,
        side: u8::MAX,
        ..EventRecord::new(EventKind::Rejected)
    }
}

/// What is left to say of a command that was accepted, and of which nothing else is known any more.
fn write_done(event: &EventRecord, names: RequestNames<'_>, out: &mut Vec<u8>, envelope: Envelope) {
    let block = ExecutionReportAck {
        order_id: match event.order_id {
            0 => ExecutionReportAck::NULL.order_id,
            order => (order as i64).into(),
        },
        exec_type: ExecType::New.field(),
        ord_status: OrdStatus::New.field(),
        ..ExecutionReportAck::NULL
    };
    let extension = OutputExtension {
        index: event.reference.into(),
        client_sequence: event.counter_order_id.into(),
        poss_resend: tradewright_protocol::codes::BoolEnum::True.field(),
        ..OutputExtension::NULL
    };
    let mut frame = FrameWriter::new(out, envelope, &block, &extension);
    frame.text8(names.client_order_id).text8(names.symbol).text16(b"");
    frame.finish();
}

/// The frames with the mark that they were sent before: the last byte of their extension.
fn marked(mut frames: Frames) -> Frames {
    let mut marked = Frames::default();
    while let Some((frame, extension_length)) = frames.take_first() {
        let mut frame = frame.to_vec();
        let block_length = usize::from(u16::from_le_bytes([frame[6], frame[7]]));
        if extension_length == size_of::<OutputExtension>()
            && let Some(byte) = frame.get_mut(HEADER_LENGTH + block_length - 1)
        {
            *byte = tradewright_protocol::codes::BoolEnum::True as u8;
        }
        marked.push(extension_length, &frame);
    }
    marked
}

fn end_session(session: u32) -> CommandRecord {
    zerocopy::transmute!(SettingRecord {
        header: CommandHeader::new(CommandKind::EndSession),
        account: 0,
        instrument: 0,
        scope: 0,
        tier: 0,
        fee_schedule: 0,
        reserved: 0,
        values: [session.into(), 0, 0],
    })
}

/// Takes connections over TCP.
#[derive(Debug)]
pub struct TcpServer {
    listener: TcpListener,
}

impl TcpServer {
    /// Listens at an address.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes the connections that wait. Returns how many.
    ///
    /// # Errors
    /// When the listener is broken; that a client left before it was taken is no error.
    pub fn poll(&mut self, gateway: &mut Gateway, now: Now) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // What cannot be set up, or is one too many, is closed by being dropped.
                    if let Ok(link) = TcpLink::new(stream) {
                        taken += usize::from(gateway.connect(Box::new(link), now));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(taken),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
