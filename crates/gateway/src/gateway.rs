//! The gateway: connections on one side, commands and events on the other.
//!
//! [`Gateway::poll`] moves bytes and commands, [`Gateway::event`] tells sessions what happened. Both are called by whatever
//! thread the node has for it.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};

use tradewright_engine::Engine;
use tradewright_protocol::codes::{ExecType, OrdStatus};
use tradewright_protocol::frame::{Envelope, FrameWriter, HEADER_LENGTH};
use tradewright_protocol::messages::{ExecutionReportAck, OutputExtension, RawEvent};
use tradewright_protocol::order_map::NumberMap;
use tradewright_protocol::reports::{
    Answer, ClientId, Execution, Happening, ListReport, Position, Report, Reports, RequestNames, write_ack,
    write_execution, write_list_status, write_mass_cancelled, write_refusal,
};
use tradewright_protocol::spec::{Block, EventBytes, NoExtension};
use tradewright_protocol::symbols::Symbols;
use tradewright_types::{
    AccountId, CloseReason, CommandHeader, CommandKind, CommandRecord, EventFlags, EventKind, EventRecord,
    InstrumentId, Label, RejectReason, SettingRecord, TextEventRecord,
};

use crate::keys::KeyRing;
use crate::link::{Link, Received, TcpLink};
use crate::machine::{Door, MachineConfig, Now, SessionMachine, is_marker};
use crate::requests::Request;
use crate::session::{Session, Style};
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
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            machine: MachineConfig::default(),
            outbox_bytes: 1 << 20,
            rate_limit: RateLimit::default(),
            connections_max: 1_024,
        }
    }
}

/// Where commands go.
pub trait CommandSink {
    /// Takes a whole command, or returns false when there is no room: it is tried again with the next poll.
    fn push(&mut self, command: &[CommandRecord]) -> bool;
}

impl CommandSink for tradewright_transport::ManyProducer<CommandRecord> {
    fn push(&mut self, command: &[CommandRecord]) -> bool {
        self.push_whole(command).unwrap_or(false)
    }
}

impl CommandSink for tradewright_transport::Producer<CommandRecord> {
    fn push(&mut self, command: &[CommandRecord]) -> bool {
        self.push_whole(command).unwrap_or(false)
    }
}

impl CommandSink for Vec<CommandRecord> {
    fn push(&mut self, command: &[CommandRecord]) -> bool {
        self.extend_from_slice(command);
        true
    }
}

struct Connection {
    machine: SessionMachine,
    link: Box<dyn Link>,
    input: Vec<u8>,
    /// Whether its session was told that it is gone.
    is_left: bool,
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

/// The sessions of a gateway, connected or not.
#[derive(Default)]
struct Sessions {
    all: Vec<Session>,
    by_id: NumberMap<u32, usize>,
    by_account: NumberMap<u32, Vec<usize>>,
    /// Those that hear events themselves.
    raw: Vec<usize>,
}

impl Sessions {
    /// Notes how a session wants to hear from now on.
    fn note_style(&mut self, place: usize) {
        self.raw.retain(|raw| *raw != place);
        if matches!(self.all[place].style, Style::Raw(_)) {
            self.raw.push(place);
        }
    }

    fn find(&mut self, id: u32) -> Option<&mut Session> {
        self.by_id.get(&id).map(|place| &mut self.all[*place])
    }

    fn insert(&mut self, session: Session) -> usize {
        let place = self.all.len();
        self.by_id.insert(session.id, place);
        self.by_account.entry(session.account.0).or_default().push(place);
        self.all.push(session);
        place
    }
}

/// The gateway. See the module.
pub struct Gateway {
    config: GatewayConfig,
    keys: KeyRing,
    symbols: Symbols,
    reports: Reports,
    sessions: Sessions,
    connections: Vec<Option<Connection>>,
    /// The session that the event before told of: its name comes next.
    opened: Option<EventRecord>,
    /// Commands about connections that are gone.
    left: VecDeque<CommandRecord>,
    frame: Vec<u8>,
    ticked_ns: u64,
    now: Now,
}

/// Heartbeats and the like are looked after so often.
const TICK_NS: u64 = 1_000_000;

impl Gateway {
    /// A gateway to an engine as it is now: the events behind that are to be told by [`Gateway::event`].
    pub fn new(config: GatewayConfig, keys: KeyRing, engine: &Engine) -> Self {
        let reports = Reports::of(engine);
        let mut sessions = Sessions::default();
        for view in engine.sessions() {
            if let (Some(account), Some(name)) = (view.account(), Label::new(view.name().as_bytes())) {
                let id = view.id().0;
                let mut session =
                    Session::new(id, account, name, config.outbox_bytes, config.rate_limit, reports.last());
                session.last_client_sequence = view.last_client_sequence();
                sessions.insert(session);
            }
        }
        Self {
            config,
            keys,
            symbols: Symbols::of(engine),
            reports,
            sessions,
            connections: Vec::new(),
            opened: None,
            left: VecDeque::new(),
            frame: Vec::new(),
            ticked_ns: 0,
            now: Now::default(),
        }
    }

    /// The keys that clients log on with.
    pub fn keys(&mut self) -> &mut KeyRing {
        &mut self.keys
    }

    /// The instruments that clients can name. Whoever lists one tells it here.
    pub fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    /// The open orders, as far as events told.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// The sessions there are, connected or not.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions.all
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

    /// Ends a session's connection, as an operator may want to.
    pub fn disconnect(&mut self, session: u32, reason: &str, now: Now) -> bool {
        let place = self.sessions.find(session).and_then(|session| session.connection);
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
        let Connection { machine, link, input, .. } = connection;
        if !machine.is_closed() && input.len() < INPUT_MAX {
            match link.receive(input, machine.is_raw()) {
                Ok(Received::Bytes(bytes)) => work.bytes_in += bytes,
                Ok(Received::HungUp) => machine.close("the client hung up"),
                Err(error) => machine.close(&error.to_string()),
            }
        }
        let mut session = machine.session().and_then(|id| self.sessions.find(id));
        if !input.is_empty() {
            let door = Door { symbols: &self.symbols, reports: &self.reports };
            let done = machine.receive(input, session.as_deref_mut(), &door, &mut self.keys, now);
            input.drain(..done);
        }
        while let Some(command) = machine.command() {
            let records = command.len();
            if !sink.push(command) {
                break;
            }
            machine.commands_gone(records);
            work.commands += 1;
        }
        if ticks {
            machine.tick(now);
        }
        if let Some(session) = session {
            machine.pull(session, now);
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
        if connection.machine.command().is_some() {
            return true;
        }
        if !connection.is_left {
            connection.is_left = true;
            work.ended += 1;
            if let Some(session) = self.sessions.all.iter_mut().find(|session| session.connection == Some(place)) {
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
            Some(EventKind::Rejected) if is_marker(event) && self.mass_cancelled(event) => {}
            _ => self.tell(event),
        }
    }

    /// A session was opened: whoever waits for it may begin.
    fn session_opened(&mut self, text: &EventRecord) {
        let Some(event) = self.opened.take() else { return };
        let text: &TextEventRecord = zerocopy::transmute_ref!(text);
        let length = usize::try_from(text.length).unwrap_or(0).min(text.bytes.len());
        let Some(name) = Label::new(&text.bytes[..length]) else { return };
        let (id, account) = (event.counter_account, AccountId(event.account));
        let waits = |connection: &Option<Connection>| {
            let opening = connection.as_ref().and_then(|connection| connection.machine.opening());
            opening.is_some_and(|opening| opening.account == account && opening.name == name)
        };
        let place = self.connections.iter().position(waits);
        if !self.sessions.by_id.contains_key(&id) {
            let (bytes, limit) = (self.config.outbox_bytes, self.config.rate_limit);
            self.sessions.insert(Session::new(id, account, name, bytes, limit, self.reports.last()));
        }
        let Some(session) = self.sessions.find(id) else { return };
        let Some((place, Some(connection))) = place.map(|place| (place, &mut self.connections[place])) else {
            // Somebody else opened it.
            return;
        };
        if session.connection.is_some() {
            return connection.machine.log_out("the session has a connection already", None, self.now);
        }
        session.last_client_sequence = event.counter_order_id;
        session.connection = Some(place);
        connection.machine.open(session, self.reports.last(), self.now);
        session.cancels_on_disconnect = connection.machine.cancels_on_disconnect();
        if let Some(place) = self.sessions.by_id.get(&id).copied() {
            self.sessions.note_style(place);
        }
    }

    /// Tells sessions what an event says.
    #[inline]
    fn tell(&mut self, event: &EventRecord) {
        let Self { reports, sessions, symbols, frame, .. } = self;
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
        let refused = event.kind == EventKind::Rejected as u8
            && event.reason == RejectReason::ClientSequenceGap as u16
            && event.counter_order_id != 0;
        if refused {
            let expected = u64::try_from(event.amount.get()).ok();
            let place = self.sessions.find(event.counter_account).and_then(|session| session.connection);
            if let Some(Some(connection)) = place.and_then(|place| self.connections.get_mut(place)) {
                connection.machine.log_out("ClientSequence leaves out one before it", expected, self.now);
            }
        }
    }

    /// The mark behind a mass cancel: what it took is known now. Returns whether it was one.
    fn mass_cancelled(&mut self, event: &EventRecord) -> bool {
        let Some(session) = self.sessions.find(event.counter_account) else { return false };
        let Some(done) = session.mass_cancels.pop_front() else { return false };
        let request = session.requests.find(done.client_sequence).copied();
        let (client_id, symbol) = request.map_or_else(Default::default, |request| (request.client_id, request.symbol));
        let names = RequestNames { client_order_id: client_id.as_bytes(), symbol: symbol.as_bytes(), original: b"" };
        let answer = Answer { client_sequence: done.client_sequence, is_again: false };
        let position = (Position::of(event), event.time_ns);
        self.frame.clear();
        write_mass_cancelled(names, position, done.cancelled, answer, Envelope::OPEN, &mut self.frame);
        session.outbox.push(Position::of(event), size_of::<OutputExtension>(), &self.frame);
        true
    }

    /// A command came again: its session hears again what came of it.
    fn repeated(&mut self, event: &EventRecord) {
        let now = self.now;
        let Some(session) = self.sessions.find(event.counter_account) else { return };
        let Some(Some(connection)) = session.connection.map(|place| &mut self.connections[place]) else { return };
        let machine = &mut connection.machine;
        if let Style::Raw(_) = session.style {
            // Not a part of what is told once and for all.
            write_raw(event, &mut self.frame);
            machine.tell_again([(self.frame.clone(), 0)].into_iter(), now);
        }
        let again: Vec<(Vec<u8>, usize)> = session
            .outbox
            .of_command(event.reference)
            .map(|(frame, extension_length)| (mark_again(frame, extension_length), extension_length))
            .collect();
        if !again.is_empty() || matches!(session.style, Style::Raw(_)) {
            return machine.tell_again(again.into_iter(), now);
        }
        let answer = Answer { client_sequence: event.counter_order_id, is_again: true };
        let request = session.requests.find(event.counter_order_id);
        let (name, original, symbol) = request
            .map_or_else(Default::default, |request: &Request| (request.client_id, request.original, request.symbol));
        let names =
            RequestNames { client_order_id: name.as_bytes(), original: original.as_bytes(), symbol: symbol.as_bytes() };
        if event.reason != 0 {
            let symbol = symbol_of(request, &self.symbols);
            return machine.tell(now, |envelope, out| {
                write_refusal(&unnumbered(event), symbol, names, answer, envelope, out);
            });
        }
        let order = self.reports.find(event.order_id);
        let known = order.and_then(|order| self.symbols.get(order.instrument).map(|symbol| (order, symbol)));
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

/// A refusal of which the number of the output is not known any more.
fn unnumbered(event: &EventRecord) -> EventRecord {
    EventRecord {
        open_lots: event.open_lots,
        reason: event.reason,
        side: u8::MAX,
        ..EventRecord::new(EventKind::Rejected)
    }
}

fn symbol_of<'s>(request: Option<&Request>, symbols: &'s Symbols) -> Option<&'s tradewright_protocol::symbols::Symbol> {
    symbols.find(request?.symbol.as_bytes()).ok()
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

/// A frame with the mark that it was sent before: the last byte of its extension.
fn mark_again(frame: &[u8], extension_length: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let block_length = usize::from(u16::from_le_bytes([frame[6], frame[7]]));
    if extension_length == size_of::<OutputExtension>()
        && let Some(byte) = frame.get_mut(HEADER_LENGTH + block_length - 1)
    {
        *byte = tradewright_protocol::codes::BoolEnum::True as u8;
    }
    frame
}

fn write_raw(event: &EventRecord, frame: &mut Vec<u8>) {
    frame.clear();
    let block = RawEvent { event: EventBytes(zerocopy::transmute!(*event)) };
    FrameWriter::new(frame, Envelope::OPEN, &block, &NoExtension).finish();
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

#[inline]
fn tell_execution(execution: &Execution<'_>, sessions: &mut Sessions, symbols: &Symbols, frame: &mut Vec<u8>) {
    let Sessions { all, by_account, .. } = sessions;
    let Some(places) = by_account.get(&execution.order.account.0) else { return };
    let Some(symbol) = symbols.get(execution.order.instrument) else { return };
    for place in places {
        let session = &mut all[*place];
        let mut answer = Answer::default();
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
            write_list_status(list, symbol, Answer::default(), Envelope::OPEN, frame);
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
    let answer = Answer { client_sequence, is_again: false };
    frame.clear();
    write_refusal(event, symbol, names, answer, Envelope::OPEN, frame);
    let extension_length = match CommandKind::from_code(event.open_lots as u8) {
        Some(kind) if kind.is_order_entry() => size_of::<OutputExtension>(),
        _ => size_of::<tradewright_protocol::messages::RejectExtension>(),
    };
    session.outbox.push(Position::of(event), extension_length, frame);
    // The other half of a replacement may still tell.
    if EventFlags(event.flags).has(EventFlags::LAST) {
        session.requests.close(client_sequence);
    }
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
