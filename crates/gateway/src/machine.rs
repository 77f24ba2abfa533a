//! The machine of one connection: bytes and times in, bytes and commands out. It knows no socket and no clock.
//!
//! A connection begins with a logon. When that is right, the machine asks the engine to open the session, and the session is
//! live when the engine has said so. From then on every request becomes a command, or an answer that says why not. What the
//! session is told comes from its [`Outbox`](crate::outbox::Outbox), as fast as the client reads.

use tradewright_protocol::codes::{
    BoolEnum, InstrumentListRequestType, LimitResetIntervalResolution, LimitType, ResponseMode, SessionRejectReason,
};
use tradewright_protocol::commands::{self, AmendTarget, Amended, Naming, Origin, Refused};
use tradewright_protocol::frame::{
    CLIENT_FRAME_MAX, Dimension, Envelope, Frame, FrameError, FrameWriter, address, frame_length,
};
use tradewright_protocol::logon::{Key, Signed, WINDOW_MAX_US, WINDOW_US, read_logon};
use tradewright_protocol::messages::{
    AccountQuery, Heartbeat, InstrumentEntry, InstrumentEntryExtension, InstrumentList, InstrumentListRequest,
    LimitIndicatorEntry, LimitQuery, LimitResponse, Logon, LogonAck, LogonAckExtension, Logout, LogoutExtension,
    NewOrderList, NewOrderSingle, OrderAmendKeepPriorityRequest, OrderCancelRequest,
    OrderCancelRequestAndNewOrderSingle, OrderMassCancelRequest, Reject, RejectExtension, TestRequest,
};
use tradewright_protocol::raw::{RawGuard, RawView};
use tradewright_protocol::reports::{Answer, Position, Reports, RequestNames, write_refusal};
use tradewright_protocol::spec::{Block, NoExtension, Null, Template, VERSION_BASE, VERSION_EXTENDED};
use tradewright_protocol::symbols::{Symbol, Symbols};
use tradewright_types::{
    ANY, AccountId, CommandKind, CommandRecord, EventKind, EventRecord, Label, RejectReason, SettingRecord,
};
use zerocopy::FromBytes;

use crate::outbox::Cursor;
use crate::past::{Frames, Stretch};
use crate::requests::Request;
use crate::session::{MassCancel, Session, Style};
use crate::throttle::Verdict;

/// What a machine is told of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// A clock that never goes back.
    pub ns: u64,
    /// The wall clock, in microseconds since 1970.
    pub utc_us: i64,
}

/// How connections are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// What clients have to call the exchange.
    pub target: Box<[u8]>,
    /// How long a connection may take to log on.
    pub logon_timeout_ns: u64,
    /// The fewest and the most seconds between heartbeats.
    pub heartbeat_s: core::ops::RangeInclusive<u32>,
    /// So many bytes wait for the client at most before its outbox does.
    pub output_bytes_max: usize,
    /// Whether sessions may send records instead of frames.
    pub allows_raw: bool,
}

impl Default for MachineConfig {
    fn default() -> Self {
        Self {
            target: b"SPOT".as_slice().into(),
            logon_timeout_ns: 10_000_000_000,
            heartbeat_s: 1..=60,
            output_bytes_max: 1 << 18,
            allows_raw: true,
        }
    }
}

/// What a key gives its holder.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What the signature is verified with.
    pub key: Key,
    /// Whose orders. [`ANY`]: everybody's, for the venue's own gateways.
    pub account: AccountId,
    /// Whether it may send orders, or only hear of them.
    pub may_trade: bool,
    /// Whether it may ask for balances and open orders.
    pub may_read: bool,
    /// Whether the orders of its sessions stay when the connection is lost, whatever the client says.
    pub keeps_orders: bool,
    /// The accounts of which a drop copy hears besides its own.
    pub hears: Box<[AccountId]>,
}

/// The keys that are known.
pub trait Keys {
    /// The key with this id.
    fn find(&self, username: &[u8]) -> Option<Grant>;
    /// Notes a logon's signature, and returns whether it is the first time that it is seen.
    fn is_first_use(&mut self, signature: &[u8], now: Now) -> bool;
}

/// What a client is told whose order the log has no room for.
const LOG_IS_SHORT: &str = "LogSpaceExhausted: the log runs out of room; cancels pass";

/// Whether a command brings an order in, or changes one.
fn brings_orders(kind: u8) -> bool {
    CommandKind::from_code(kind).is_some_and(CommandKind::needs_living_session)
}

/// What a machine looks at.
pub struct Door<'d> {
    /// Instruments.
    pub symbols: &'d Symbols,
    /// Open orders.
    pub reports: &'d Reports,
    /// The log runs out of room: what brings orders in, or changes them, is refused; cancels pass.
    pub is_log_short: bool,
}

/// What was asked for by a logon that is right.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose session.
    pub account: AccountId,
    /// What the client calls it.
    pub name: Label,
    /// The id of the key that the logon was signed by.
    key: Box<[u8]>,
    may_trade: bool,
    may_read: bool,
    cancels_on_disconnect: bool,
    is_drop_copy: bool,
    hears: Box<[AccountId]>,
    is_raw: bool,
    is_short: bool,
    resume: Option<Position>,
    heartbeat_s: u32,
}

#[derive(Clone, Debug)]
enum State {
    AwaitingLogon,
    Opening(Opening),
    Live { opening: Opening, guard: RawGuard, source: Source },
    Closed,
}

/// Where what the session was told is taken from.
#[derive(Clone, Debug)]
enum Source {
    /// Its outbox.
    Outbox(Cursor),
    /// The log: the part that is being sent, up to where the outbox can go on. None has come at first.
    Past(Option<Stretch>),
}

/// A client's question how its account stands.
#[derive(Debug)]
enum Question {
    /// Whoever knows was not asked yet.
    Asked { request: Box<[u8]> },
    /// The answer is on its way.
    Awaited { request: Box<[u8]> },
    /// The answer, for where the client was told everything before this.
    Answered { behind: Cursor, frames: Frames },
}

/// The machine of a connection. See the module.
#[derive(Debug)]
pub struct SessionMachine {
    config: MachineConfig,
    state: State,
    version: u16,
    next_in: u32,
    next_out: u32,
    began_ns: u64,
    last_in_ns: u64,
    last_out_ns: u64,
    was_tested: bool,
    heartbeat_ns: u64,
    /// Commands that are to go to the engine, whole, in order.
    commands: Vec<CommandRecord>,
    /// How many of them have gone.
    commands_gone: usize,
    legs: Vec<CommandRecord>,
    raw: Vec<CommandRecord>,
    out: Vec<u8>,
    out_gone: usize,
    question: Option<Question>,
    reason: Option<String>,
}

/// So many records wait for the engine at most before nothing more is read.
const COMMANDS_MAX: usize = 512;

impl SessionMachine {
    /// A connection that was just made.
    pub fn new(config: MachineConfig, now: Now) -> Self {
        Self {
            config,
            state: State::AwaitingLogon,
            version: VERSION_EXTENDED,
            next_in: 1,
            next_out: 1,
            began_ns: now.ns,
            last_in_ns: now.ns,
            last_out_ns: now.ns,
            was_tested: false,
            heartbeat_ns: 0,
            commands: Vec::new(),
            commands_gone: 0,
            legs: Vec::new(),
            raw: Vec::new(),
            out: Vec::new(),
            out_gone: 0,
            question: None,
            reason: None,
        }
    }

    /// Whether it is over. What is left of the output may still be sent.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Why it is over.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What a logon asks for that waits for the engine.
    pub fn opening(&self) -> Option<&Opening> {
        match &self.state {
            State::Opening(opening) => Some(opening),
            State::AwaitingLogon | State::Live { .. } | State::Closed => None,
        }
    }

    /// The session that it is logged on as.
    pub fn session(&self) -> Option<u32> {
        match &self.state {
            State::Live { guard, .. } => Some(guard.session),
            State::AwaitingLogon | State::Opening(_) | State::Closed => None,
        }
    }

    /// Whether it was logged on with this key.
    pub fn is_of_key(&self, username: &[u8]) -> bool {
        match &self.state {
            State::Opening(opening) | State::Live { opening, .. } => &*opening.key == username,
            State::AwaitingLogon | State::Closed => false,
        }
    }

    /// Whether it takes records instead of frames.
    pub fn is_raw(&self) -> bool {
        matches!(&self.state, State::Live { opening, .. } if opening.is_raw)
    }

    /// Whether the orders of its session go when it is lost.
    pub fn cancels_on_disconnect(&self) -> bool {
        matches!(&self.state, State::Live { opening, .. } if opening.cancels_on_disconnect)
    }

    /// The next commands for the engine, whole, as many as have room in `records_max`, and how many they are.
    #[inline]
    pub fn next_commands(&self, records_max: usize) -> (&[CommandRecord], usize) {
        let waiting = &self.commands[self.commands_gone..];
        let (mut records, mut commands) = (0, 0);
        while records < waiting.len() {
            let next = CommandRecord::split_command(&waiting[records..]).0.len();
            if records + next > records_max {
                break;
            }
            records += next;
            commands += 1;
        }
        (&waiting[..records], commands)
    }

    /// All commands for the engine, whole, one behind the other.
    #[inline]
    pub fn commands(&self) -> &[CommandRecord] {
        &self.commands[self.commands_gone..]
    }

    /// So many records of them have gone.
    #[inline]
    pub fn commands_gone(&mut self, records: usize) {
        self.commands_gone += records;
        if self.commands_gone >= self.commands.len() {
            self.commands.clear();
            self.commands_gone = 0;
        }
    }

    /// What is to be sent to the client.
    #[inline]
    pub fn output(&self) -> &[u8] {
        &self.out[self.out_gone..]
    }

    /// So many bytes of it were sent.
    #[inline]
    pub fn sent(&mut self, bytes: usize) {
        self.out_gone += bytes;
        if self.out_gone >= self.out.len() {
            self.out.clear();
            self.out_gone = 0;
        }
    }

    /// Ends the connection, without a word.
    pub fn close(&mut self, reason: &str) {
        self.state = State::Closed;
        self.reason.get_or_insert_with(|| reason.to_owned());
    }

    fn envelope(&mut self, now: Now) -> Envelope {
        let seq_num = self.next_out;
        self.next_out = self.next_out.wrapping_add(1);
        self.last_out_ns = now.ns;
        Envelope { version: self.version, seq_num, sending_time_us: now.utc_us }
    }

    /// Ends the connection with a logout that says why.
    pub fn log_out(&mut self, reason: &str, expected_client_sequence: Option<u64>, now: Now) {
        if self.is_closed() {
            return;
        }
        let envelope = self.envelope(now);
        let mut extension = LogoutExtension::NULL;
        if let Some(expected) = expected_client_sequence {
            extension.expected_client_sequence = expected.into();
        }
        let mut frame = FrameWriter::new(&mut self.out, envelope, &Logout {}, &extension);
        frame.text16(reason.as_bytes());
        frame.finish();
        self.close(reason);
    }

    fn frame_broken(&mut self, error: FrameError, now: Now) {
        self.log_out(&error.to_string(), None, now);
    }

    /// Whether nothing more is to be read for now: the engine or the client has to take something first.
    fn is_full(&self) -> bool {
        self.commands.len() - self.commands_gone >= COMMANDS_MAX || self.output().len() >= self.config.output_bytes_max
    }

    /// Reads what came. Returns how many bytes of it are done with; the rest has to be given again, with more behind it.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        mut session: Option<&mut Session>,
        door: &Door<'_>,
        keys: &mut dyn Keys,
        now: Now,
    ) -> usize {
        let mut done = 0;
        while !self.is_closed() && !self.is_full() {
            let rest = &bytes[done..];
            match &self.state {
                State::Live { opening, .. } if opening.is_raw => {
                    let Some(session) = session.as_deref_mut() else { return done };
                    return done + self.receive_raw_bytes(rest, session, door, now);
                }
                // Until the engine has opened the session nothing more is read.
                State::Opening(_) => return done,
                State::AwaitingLogon | State::Live { .. } | State::Closed => {}
            }
            let length = match frame_length(rest, CLIENT_FRAME_MAX) {
                Ok(Some(length)) if length <= rest.len() => length,
                Ok(_) => return done,
                Err(error) => {
                    self.frame_broken(error, now);
                    return done;
                }
            };
            self.last_in_ns = now.ns;
            self.was_tested = false;
            let read = Frame::read(&rest[..length]);
            done += length;
            match read {
                Ok(frame) => self.read(&frame, session.as_deref_mut(), door, keys, now),
                Err(error) => self.frame_broken(error, now),
            }
        }
        done
    }

    fn read(
        &mut self,
        frame: &Frame<'_>,
        session: Option<&mut Session>,
        door: &Door<'_>,
        keys: &mut dyn Keys,
        now: Now,
    ) {
        let seq_num = frame.header.seq_num.get();
        if seq_num != self.next_in {
            let reason = format!("seqNum={seq_num} must be {}", self.next_in);
            return self.log_out(&reason, None, now);
        }
        self.next_in = self.next_in.wrapping_add(1);
        match (&self.state, session) {
            (State::AwaitingLogon, _) => self.log_on(frame, keys, now),
            (State::Live { .. }, Some(session)) => self.read_live(frame, session, door, now),
            (State::Live { .. } | State::Opening(_) | State::Closed, _) => {}
        }
    }

    fn log_on(&mut self, frame: &Frame<'_>, keys: &mut dyn Keys, now: Now) {
        match self.check_logon(frame, keys, now) {
            Ok(opening) => {
                let setting = SettingRecord {
                    header: tradewright_types::CommandHeader {
                        record_count: 2,
                        ..tradewright_types::CommandHeader::new(CommandKind::OpenSession)
                    },
                    account: opening.account.0,
                    instrument: 0,
                    scope: 0,
                    tier: 0,
                    fee_schedule: 0,
                    reserved: 0,
                    values: [0; 3],
                };
                self.commands.push(zerocopy::transmute!(setting));
                self.commands.push(CommandRecord::label(&opening.name));
                self.state = State::Opening(opening);
            }
            Err(reason) => self.log_out(&reason, None, now),
        }
    }

    /// Whether a logon is right, and what it asks for.
    fn check_logon(&mut self, frame: &Frame<'_>, keys: &mut dyn Keys, now: Now) -> Result<Opening, String> {
        let message = frame.message::<Logon>().map_err(|_| "the first message must be a logon".to_owned())?;
        let text = read_logon(&message).map_err(|error| error.to_string())?;
        let block = message.block;
        let version = frame.header.version.get();
        self.version = if version >= VERSION_EXTENDED { VERSION_EXTENDED } else { VERSION_BASE };
        let name = Label::new(text.sender).ok_or("SenderCompID must be 1 to 56 printable characters without spaces")?;
        if text.target != &*self.config.target {
            let target = String::from_utf8_lossy(&self.config.target).into_owned();
            return Err(format!("TargetCompID must be {target}"));
        }
        if block.encrypt_method.some().unwrap_or(0) != 0 {
            return Err("EncryptMethod must be 0".to_owned());
        }
        if block.reset_seq_num_flag.some() == Some(BoolEnum::False as u8) {
            return Err("ResetSeqNumFlag must be true: every connection begins with 1".to_owned());
        }
        let heartbeat_s = block.heart_bt_int.get();
        if !self.config.heartbeat_s.contains(&heartbeat_s) {
            let (least, most) = (self.config.heartbeat_s.start(), self.config.heartbeat_s.end());
            return Err(format!("HeartBtInt={heartbeat_s} must be {least} to {most}"));
        }
        let window_us = block.recv_window.some().unwrap_or(WINDOW_US);
        if window_us > WINDOW_MAX_US {
            return Err(format!("RecvWindow={window_us} must be at most {WINDOW_MAX_US}"));
        }
        let signed = Signed {
            sender: text.sender,
            target: text.target,
            seq_num: frame.header.seq_num.get(),
            sending_time_us: frame.header.sending_time.get(),
        };
        if !signed.is_timely(window_us, now.utc_us) {
            return Err("SendingTime must lie within RecvWindow of the exchange's clock".to_owned());
        }
        // One answer for whatever is wrong, so that nobody learns which keys there are.
        let wrong = || "Username and RawData must be a key and its signature".to_owned();
        let grant = keys.find(text.username).ok_or_else(wrong)?;
        if !signed.is_signed_by(&grant.key, text.signature) {
            return Err(wrong());
        }
        if !keys.is_first_use(text.signature, now) {
            return Err("this logon was used already".to_owned());
        }
        let extension = message.extension;
        let is_raw = extension.is_some_and(|extension| extension.raw_records.some() == Some(BoolEnum::True as u8));
        if is_raw && !self.config.allows_raw {
            return Err("RawRecords must be false here".to_owned());
        }
        let is_drop_copy = block.drop_copy_flag.some() == Some(BoolEnum::True as u8);
        let hears = if is_drop_copy { grant.hears } else { Box::default() };
        if is_raw && !hears.is_empty() {
            return Err("RawRecords must be false for a drop copy of other accounts".to_owned());
        }
        if !is_raw && grant.account.0 == ANY {
            // A frame names no account.
            return Err("RawRecords must be true: this key speaks for every account".to_owned());
        }
        let asks_to_keep =
            extension.is_some_and(|extension| extension.cancel_on_disconnect.some() == Some(BoolEnum::False as u8));
        let resume = extension.and_then(|extension| {
            let index = extension.resume_index.some()?;
            let k = extension.resume_event_number.some().unwrap_or(u32::MAX);
            let position = Position { index, k, shard: extension.resume_shard.some().unwrap_or(0) };
            // One trade may be two outputs of the same number here, of which the client may have seen the first alone.
            Some(if hears.is_empty() { position } else { in_front_of(position) })
        });
        Ok(Opening {
            account: grant.account,
            name,
            key: text.username.into(),
            may_trade: grant.may_trade,
            may_read: grant.may_read,
            cancels_on_disconnect: !grant.keeps_orders && !asks_to_keep,
            is_drop_copy,
            hears,
            is_raw,
            is_short: block.response_mode.some() == Some(ResponseMode::OnlyAcks as u8),
            resume,
            heartbeat_s,
        })
    }

    /// The engine has opened the session: the client may begin. `last` is the last output that was told to anybody. Returns the
    /// output behind which the client is to hear again what is no longer in the outbox: when there is a past to get it from.
    pub fn open(&mut self, session: &mut Session, last: Position, has_past: bool, now: Now) -> Option<Position> {
        let State::Opening(opening) = core::mem::replace(&mut self.state, State::Closed) else { return None };
        let guard = RawGuard { account: opening.account, session: session.id };
        session.style = match (opening.is_raw, opening.is_short) {
            (true, _) => Style::Raw(RawView::new(guard)),
            (false, true) => Style::Acks,
            (false, false) => Style::Full,
        };
        let (cursor, since) = match opening.resume {
            Some(position) => session.outbox.after(position),
            None => (session.outbox.end(), last),
        };
        let wanted = opening.resume.filter(|position| has_past && since > *position);
        let (source, since) = match wanted {
            Some(position) => (Source::Past(None), position),
            None => (Source::Outbox(cursor), since),
        };
        self.heartbeat_ns = u64::from(opening.heartbeat_s) * 1_000_000_000;
        let block = LogonAck {
            encrypt_method: 0,
            heart_bt_int: opening.heartbeat_s.into(),
            sbe_schema_id_version_deprecated: BoolEnum::False.field(),
        };
        let extension = LogonAckExtension {
            session: session.id.into(),
            account: opening.account.0.into(),
            last_client_sequence: session.last_client_sequence.into(),
            resume_shard: since.shard,
            resume_index: since.index.into(),
            resume_event_number: since.k.into(),
        };
        let envelope = self.envelope(now);
        let mut frame = FrameWriter::new(&mut self.out, envelope, &block, &extension);
        frame.text8(format!("{}-{}", session.id, now.utc_us).as_bytes());
        frame.finish();
        self.state = State::Live { opening, guard, source };
        wanted
    }

    /// The accounts of which its session hears besides its own.
    pub fn hears(&self) -> &[AccountId] {
        match &self.state {
            State::Live { opening, .. } => &opening.hears,
            State::AwaitingLogon | State::Opening(_) | State::Closed => &[],
        }
    }

    /// Whether the next part of what the session was told before may come.
    pub fn takes_past(&self) -> bool {
        match &self.state {
            State::Live { source: Source::Past(stretch), .. } => {
                stretch.as_ref().is_none_or(|stretch| stretch.frames.is_empty())
            }
            State::Live { source: Source::Outbox(_), .. }
            | State::AwaitingLogon
            | State::Opening(_)
            | State::Closed => false,
        }
    }

    /// Whether it waits for what the session was told before.
    pub fn needs_past(&self) -> bool {
        matches!(&self.state, State::Live { source: Source::Past(_), .. })
    }

    /// Whether the client was told everything before this place of the outbox.
    pub fn has_told(&self, behind: Cursor) -> bool {
        matches!(&self.state, State::Live { source: Source::Outbox(cursor), .. } if *cursor >= behind)
    }

    /// The next part of what the session was told before.
    pub fn past(&mut self, next: Stretch) {
        if let State::Live { source: Source::Past(stretch), .. } = &mut self.state {
            *stretch = Some(next);
        }
    }

    /// Sends what the session was told before, and goes on with its outbox when that meets it. `read` is the last event that
    /// the outbox may tell of.
    fn pull_past(&mut self, session: &Session, read: Position, now: Now) {
        let State::Live { source: source @ Source::Past(Some(_)), .. } = &mut self.state else { return };
        let Source::Past(Some(stretch)) = source else { return };
        while self.out.len() - self.out_gone < self.config.output_bytes_max {
            let envelope = Envelope { version: self.version, seq_num: self.next_out, sending_time_us: now.utc_us };
            let Some((frame, extension_length)) = stretch.frames.take_first() else { break };
            address(frame, extension_length, envelope, &mut self.out);
            self.next_out = self.next_out.wrapping_add(1);
            self.last_out_ns = now.ns;
        }
        if stretch.frames.is_empty() && stretch.is_met_by(&session.outbox, read) {
            *source = Source::Outbox(session.outbox.after(stretch.end()).0);
        }
    }

    /// Takes what the session was told, as long as there is room. `read` is the last event that the outbox may tell of.
    #[inline]
    pub fn pull(&mut self, session: &Session, read: Position, now: Now) {
        if self.needs_past() {
            self.pull_past(session, read, now);
        }
        let State::Live { source: Source::Outbox(cursor), .. } = &mut self.state else { return };
        let mut overrun = session.outbox.is_overrun(*cursor);
        while !overrun && self.out.len() - self.out_gone < self.config.output_bytes_max {
            let envelope = Envelope { version: self.version, seq_num: self.next_out, sending_time_us: now.utc_us };
            if let Some(Question::Answered { behind, frames }) = &mut self.question
                && *cursor >= *behind
            {
                match frames.take_first() {
                    Some((frame, extension_length)) => {
                        address(frame, extension_length, envelope, &mut self.out);
                        self.next_out = self.next_out.wrapping_add(1);
                        self.last_out_ns = now.ns;
                    }
                    None => self.question = None,
                }
                continue;
            }
            match session.outbox.next(cursor, envelope, &mut self.out) {
                Ok(true) => {
                    self.next_out = self.next_out.wrapping_add(1);
                    self.last_out_ns = now.ns;
                }
                Ok(false) => return,
                Err(_) => overrun = true,
            }
        }
        if overrun {
            // What comes next would be a gap; the client comes back and says where it was.
            self.log_out("the client reads too slowly: log on again and resume", None, now);
        }
    }

    /// Whether nobody has logged on yet.
    pub fn awaits_logon(&self) -> bool {
        matches!(self.state, State::AwaitingLogon)
    }

    /// The time for a logon counts from now on.
    pub fn begin(&mut self, now: Now) {
        (self.began_ns, self.last_in_ns) = (now.ns, now.ns);
    }

    /// Lets time pass: heartbeats, and the end of who is not heard of.
    pub fn tick(&mut self, now: Now) {
        let silent_ns = now.ns.saturating_sub(self.last_in_ns);
        match &self.state {
            State::AwaitingLogon | State::Opening(_) => {
                if now.ns.saturating_sub(self.began_ns) > self.config.logon_timeout_ns {
                    self.log_out("no logon in time", None, now);
                }
            }
            State::Live { .. } => {
                if silent_ns > 2 * self.heartbeat_ns {
                    return self.log_out("nothing was heard for two heartbeats", None, now);
                }
                if silent_ns > self.heartbeat_ns + self.heartbeat_ns / 5 && !self.was_tested {
                    self.was_tested = true;
                    let envelope = self.envelope(now);
                    let mut frame = FrameWriter::new(&mut self.out, envelope, &TestRequest {}, &NoExtension);
                    frame.text8(b"alive");
                    frame.finish();
                }
                if now.ns.saturating_sub(self.last_out_ns) >= self.heartbeat_ns {
                    self.heartbeat(b"", now);
                }
            }
            State::Closed => {}
        }
    }

    fn heartbeat(&mut self, id: &[u8], now: Now) {
        let envelope = self.envelope(now);
        let mut frame = FrameWriter::new(&mut self.out, envelope, &Heartbeat {}, &NoExtension);
        frame.text8(id);
        frame.finish();
    }

    #[inline]
    fn read_live(&mut self, frame: &Frame<'_>, session: &mut Session, door: &Door<'_>, now: Now) {
        let outcome = match frame.template() {
            NewOrderSingle::ID
            | OrderCancelRequest::ID
            | OrderCancelRequestAndNewOrderSingle::ID
            | NewOrderList::ID
            | OrderMassCancelRequest::ID
            | OrderAmendKeepPriorityRequest::ID => return self.read_request(frame, session, door, now),
            Heartbeat::ID => frame.message::<Heartbeat>().map(drop),
            TestRequest::ID => frame.message::<TestRequest>().and_then(|message| {
                let mut parts = message.parts;
                let id = parts.text8()?;
                parts.finish()?;
                self.heartbeat(id, now);
                Ok(())
            }),
            Reject::ID => frame.message::<Reject>().map(drop),
            Logout::ID => frame.message::<Logout>().map(|_| self.log_out("logged out by the client", None, now)),
            LimitQuery::ID => self.answer_limits(frame, session, now),
            InstrumentListRequest::ID => self.answer_instruments(frame, door, now),
            AccountQuery::ID if self.version >= VERSION_EXTENDED => self.ask_account(frame, session, now),
            template => Err(FrameError::UnknownTemplate { template }),
        };
        if let Err(error) = outcome {
            self.frame_broken(error, now);
        }
    }

    /// Reads a request about orders.
    fn read_request(&mut self, frame: &Frame<'_>, session: &mut Session, door: &Door<'_>, now: Now) {
        let State::Live { opening, guard, .. } = &self.state else { return };
        let (may_trade, guard) = (opening.may_trade && !opening.is_drop_copy, *guard);
        let named = match client_sequence(frame) {
            Ok(named) => named,
            Err(error) => return self.frame_broken(error, now),
        };
        let next = session.last_client_sequence + 1;
        let client_sequence = named.unwrap_or(next);
        if client_sequence > next || client_sequence == 0 {
            let reason = format!("ClientSequence={client_sequence} must be at most {next}");
            return self.log_out(&reason, Some(next), now);
        }
        let is_new = client_sequence == next;
        match session.throttle.count(now.ns) {
            Verdict::Passes => {}
            Verdict::Limited { retry_after_ns } => {
                self.reject_rate(Some(frame), Some(client_sequence), retry_after_ns, now);
                return self.use_up(session, client_sequence, is_new);
            }
            Verdict::Ends => {
                self.use_up(session, client_sequence, is_new);
                return self.log_out("RateLimited ten times in a minute", None, now);
            }
        }
        let is_cancel = [OrderCancelRequest::ID, OrderMassCancelRequest::ID].contains(&frame.template());
        if door.is_log_short && is_new && !is_cancel {
            self.reject(Some(frame), Some(client_sequence), None, LOG_IS_SHORT, now);
            return self.use_up(session, client_sequence, is_new);
        }
        let origin = Origin { account: guard.account, session: guard.session, client_sequence };
        let request = if may_trade {
            self.write_command(frame, &origin, door)
        } else {
            Err(Refused::Field { tag: 0, reason: RejectReason::AccountNotPermitted })
        };
        match request {
            Ok(Some(request)) => session.requests.note(request),
            Ok(None) => {}
            Err(Refused::Frame(error)) => return self.frame_broken(error, now),
            Err(Refused::Field { tag, reason }) => {
                self.refuse(frame, client_sequence, tag, reason, door, now);
                return self.use_up(session, client_sequence, is_new);
            }
        }
        if frame.template() == OrderMassCancelRequest::ID && is_new {
            // Its end is marked: a cancel of no order, without a number, is refused right behind it.
            session.mass_cancels.push_back(MassCancel { client_sequence, cancelled: 0 });
            self.commands.push(marker(&guard));
        }
        if is_new {
            session.last_client_sequence = client_sequence;
        }
    }

    /// Uses up the number of a request that comes to nothing, so that the next one is not a gap to the engine.
    fn use_up(&mut self, session: &mut Session, client_sequence: u64, is_new: bool) {
        if is_new {
            let mut record = CommandRecord::new(CommandKind::AdvanceTime);
            (record.header.session, record.header.client_sequence) = (session.id, client_sequence);
            self.commands.push(record);
            session.last_client_sequence = client_sequence;
        }
    }

    /// Writes the command of a request; returns what its answers have to know of it, when that is anything.
    fn write_command(
        &mut self,
        frame: &Frame<'_>,
        origin: &Origin,
        door: &Door<'_>,
    ) -> Result<Option<Request>, Refused> {
        let (symbols, out, number) = (door.symbols, &mut self.commands, origin.client_sequence);
        let noted = |naming: &Naming<'_>, order: Option<i64>, is_open| {
            let order = order.and_then(|order| u64::try_from(order).ok()).unwrap_or(0);
            Some(Request::new(number, naming, order, is_open))
        };
        match frame.template() {
            NewOrderSingle::ID => {
                let begin = out.len();
                let naming = commands::new_order(symbols, origin, &frame.message()?, out)?;
                // A number stands in the events themselves.
                let is_number = out.get(begin).is_some_and(|record| record.order_ref != 0);
                Ok(if is_number { None } else { noted(&naming, None, false) })
            }
            OrderCancelRequest::ID => {
                let message = frame.message::<OrderCancelRequest>()?;
                let naming = commands::cancel(origin, &message, out)?;
                let (order, list) = (message.block.order_id.some(), message.block.list_id.some());
                let is_order = list.is_none() && out.last().is_some();
                Ok(noted(&naming, order.or(list), is_order))
            }
            OrderCancelRequestAndNewOrderSingle::ID => {
                let message = frame.message::<OrderCancelRequestAndNewOrderSingle>()?;
                let naming = commands::replace(symbols, origin, &message, out)?;
                Ok(noted(&naming, message.block.order_id.some(), true))
            }
            NewOrderList::ID => {
                let naming = commands::new_list(symbols, origin, &frame.message()?, &mut self.legs, out)?;
                Ok(noted(&naming, None, false))
            }
            OrderMassCancelRequest::ID => {
                let naming = commands::mass_cancel(symbols, origin, &frame.message()?, out)?;
                Ok(noted(&naming, None, false))
            }
            OrderAmendKeepPriorityRequest::ID => {
                let message = frame.message::<OrderAmendKeepPriorityRequest>()?;
                let find = |target: AmendTarget<'_>| find_order(door.reports, origin.account, &target);
                let naming = commands::amend(symbols, origin, &message, find, out)?;
                Ok(noted(&naming, message.block.order_id.some(), true))
            }
            template => Err(FrameError::UnknownTemplate { template }.into()),
        }
    }

    /// Answers that a request is refused, as the engine would.
    fn refuse(
        &mut self,
        frame: &Frame<'_>,
        client_sequence: u64,
        tag: u32,
        reason: RejectReason,
        door: &Door<'_>,
        now: Now,
    ) {
        let naming = commands::naming(frame);
        let names =
            RequestNames { client_order_id: naming.client_order_id, original: naming.original, symbol: naming.symbol };
        let kind = match frame.template() {
            NewOrderSingle::ID => CommandKind::PlaceOrder,
            OrderCancelRequestAndNewOrderSingle::ID => CommandKind::ReplaceOrder,
            NewOrderList::ID => CommandKind::PlaceList,
            OrderMassCancelRequest::ID => CommandKind::CancelAll,
            OrderAmendKeepPriorityRequest::ID => CommandKind::AmendOrder,
            _ => CommandKind::CancelOrder,
        };
        let event = EventRecord {
            open_lots: kind as u64,
            reason: reason as u16,
            side: u8::MAX,
            ..EventRecord::new(EventKind::Rejected)
        };
        let _ = tag;
        let symbol = door.symbols.find(naming.symbol).ok();
        let envelope = self.envelope(now);
        let answer = Answer { client_sequence, is_again: false, ..Answer::default() };
        write_refusal(&event, symbol, names, answer, envelope, &mut self.out);
    }

    /// Refuses a request on behalf of the session: the engine never sees it. A record has no frame to name.
    fn reject(
        &mut self,
        frame: Option<&Frame<'_>>,
        client_sequence: Option<u64>,
        retry_after_ns: Option<u64>,
        reason: &str,
        now: Now,
    ) {
        let mut block = Reject { session_reject_reason: SessionRejectReason::Other.field(), ..Reject::NULL };
        let mut extension = RejectExtension::NULL;
        if let Some(client_sequence) = client_sequence {
            extension.client_sequence = client_sequence.into();
        }
        if let Some(retry_after_ns) = retry_after_ns {
            extension.retry_after = retry_after_ns.into();
        }
        let template = frame.map_or_else(String::new, |frame| {
            block.ref_seq_num = frame.header.seq_num;
            frame.template().to_string()
        });
        let envelope = self.envelope(now);
        let mut writer = FrameWriter::new(&mut self.out, envelope, &block, &extension);
        writer.text8(template.as_bytes()).text16(reason.as_bytes());
        writer.finish();
    }

    fn reject_rate(&mut self, frame: Option<&Frame<'_>>, client_sequence: Option<u64>, retry_after_ns: u64, now: Now) {
        let reason = format!("RateLimited: retry after {retry_after_ns} ns");
        self.reject(frame, client_sequence, Some(retry_after_ns), &reason, now);
    }

    fn answer_limits(&mut self, frame: &Frame<'_>, session: &Session, now: Now) -> Result<(), FrameError> {
        let mut parts = frame.message::<LimitQuery>()?.parts;
        let id = parts.text8()?;
        parts.finish()?;
        let limit = session.throttle.limit();
        let envelope = self.envelope(now);
        let mut writer = FrameWriter::new(&mut self.out, envelope, &LimitResponse {}, &NoExtension);
        writer.group(Dimension::SmallSize8, size_of::<LimitIndicatorEntry>(), 1);
        writer.entry(&LimitIndicatorEntry {
            limit_type: LimitType::MessageLimit.field(),
            limit_count: u64::from(session.throttle.messages()).into(),
            limit_max: u64::from(limit.messages_max).into(),
            limit_reset_interval: (limit.window_ns.div_ceil(1_000_000_000) as u32).into(),
            limit_reset_interval_resolution: LimitResetIntervalResolution::Second.field(),
        });
        writer.text8(id);
        writer.finish();
        Ok(())
    }

    fn answer_instruments(&mut self, frame: &Frame<'_>, door: &Door<'_>, now: Now) -> Result<(), FrameError> {
        let message = frame.message::<InstrumentListRequest>()?;
        let mut parts = message.parts;
        let (id, name) = (parts.text8()?, parts.text8()?);
        parts.finish()?;
        let is_single =
            message.block.instrument_list_request_type.0 == InstrumentListRequestType::SingleInstrument as u8;
        let found: Vec<&Symbol> =
            if is_single { door.symbols.find(name).ok().into_iter().collect() } else { door.symbols.iter().collect() };
        let envelope = self.envelope(now);
        let mut writer = FrameWriter::new(&mut self.out, envelope, &InstrumentList {}, &NoExtension);
        let is_extended = self.version >= VERSION_EXTENDED;
        let extension_length = if is_extended { size_of::<InstrumentEntryExtension>() } else { 0 };
        writer.group(Dimension::Size16, size_of::<InstrumentEntry>() + extension_length, found.len());
        for symbol in found {
            let quantity = |lots: u64| match symbol.quantity_mantissa(lots) {
                Some(mantissa) => mantissa.into(),
                None => InstrumentEntry::NULL.min_trade_vol,
            };
            let increment = i64::from(symbol.limits.price_increment_ticks);
            writer.entry(&InstrumentEntry {
                price_exponent: symbol.price_exponent,
                qty_exponent: symbol.quantity_exponent,
                min_trade_vol: quantity(symbol.limits.quantity_min.lots()),
                max_trade_vol: quantity(symbol.limits.quantity_max.lots()),
                min_qty_increment: quantity(symbol.limits.quantity_increment_lots),
                min_price_increment: match symbol.price_mantissa(increment) {
                    Some(mantissa) => mantissa.into(),
                    None => InstrumentEntry::NULL.min_price_increment,
                },
                ..InstrumentEntry::NULL
            });
            if is_extended {
                writer.entry(&InstrumentEntryExtension { instrument: symbol.id.0.into(), state: symbol.state as u8 });
            }
            writer.text8(symbol.name.as_str().as_bytes()).text8(symbol.quote.as_str().as_bytes());
        }
        writer.text8(id);
        writer.finish();
        Ok(())
    }

    /// Reads a question how the account stands. Whoever knows takes it by [`SessionMachine::take_question`].
    fn ask_account(&mut self, frame: &Frame<'_>, session: &mut Session, now: Now) -> Result<(), FrameError> {
        let mut parts = frame.message::<AccountQuery>()?.parts;
        let request = parts.text8()?;
        parts.finish()?;
        match session.throttle.count(now.ns) {
            Verdict::Passes => {}
            Verdict::Limited { retry_after_ns } => {
                self.reject_rate(Some(frame), None, retry_after_ns, now);
                return Ok(());
            }
            Verdict::Ends => {
                self.log_out("RateLimited ten times in a minute", None, now);
                return Ok(());
            }
        }
        let may_read = matches!(&self.state, State::Live { opening, .. } if opening.may_read);
        if !may_read {
            self.reject(Some(frame), None, None, "AccountNotPermitted: the key of this session may not read", now);
        } else if self.question.is_some() {
            self.reject(Some(frame), None, None, "AccountQuery: the one before is not answered yet", now);
        } else {
            self.question = Some(Question::Asked { request: request.into() });
        }
        Ok(())
    }

    /// Whether the client asks how its account stands: once for each question.
    pub fn take_question(&mut self) -> bool {
        match self.question.take() {
            Some(Question::Asked { request }) => {
                self.question = Some(Question::Awaited { request });
                true
            }
            other => {
                self.question = other;
                false
            }
        }
    }

    /// Answers how the account stands, behind everything that its session was told so far. `write` gets what the client calls its
    /// question.
    pub fn answer(&mut self, behind: Cursor, write: impl FnOnce(&[u8]) -> Frames) {
        if let Some(Question::Awaited { request }) = &self.question {
            let frames = write(request);
            self.question = Some(Question::Answered { behind, frames });
        }
    }

    fn receive_raw_bytes(&mut self, bytes: &[u8], session: &mut Session, door: &Door<'_>, now: Now) -> usize {
        let mut records = core::mem::take(&mut self.raw);
        records.clear();
        let room = COMMANDS_MAX - (self.commands.len() - self.commands_gone).min(COMMANDS_MAX);
        let chunks = bytes.chunks_exact(size_of::<CommandRecord>()).take(room + 128);
        records.extend(chunks.filter_map(|chunk| CommandRecord::read_from_bytes(chunk).ok()));
        let done = self.receive_raw(&records, session, door, now);
        self.raw = records;
        done * size_of::<CommandRecord>()
    }

    /// Reads records of a session that sends them. Returns how many are done with.
    pub fn receive_raw(
        &mut self,
        records: &[CommandRecord],
        session: &mut Session,
        door: &Door<'_>,
        now: Now,
    ) -> usize {
        let State::Live { opening, guard, .. } = &self.state else { return 0 };
        let (may_trade, guard) = (opening.may_trade && !opening.is_drop_copy, *guard);
        if !records.is_empty() {
            self.last_in_ns = now.ns;
            self.was_tested = false;
        }
        let mut done = 0;
        while !self.is_closed() && !self.is_full() {
            let rest = &records[done..];
            if rest.first().is_some_and(|record| record.header.kind == CommandKind::AdvanceTime as u8) {
                // The heartbeat of such a client.
                done += 1;
                continue;
            }
            let command = match guard.next(rest) {
                Ok(Some(command)) if may_trade => command,
                Ok(Some(_)) => {
                    self.log_out("the key of this session may not send orders", None, now);
                    break;
                }
                Ok(None) => break,
                Err(error) => {
                    self.log_out(&error.to_string(), None, now);
                    break;
                }
            };
            done += command.len();
            self.take_raw(command, session, door, now);
        }
        done
    }

    #[inline]
    fn take_raw(&mut self, command: &[CommandRecord], session: &mut Session, door: &Door<'_>, now: Now) {
        let (next, number) = (session.last_client_sequence + 1, command[0].header.client_sequence);
        if number > next || number == 0 {
            return self.log_out(&format!("client_sequence={number} must be 1 to {next}"), Some(next), now);
        }
        let is_new = number == next;
        match session.throttle.count(now.ns) {
            Verdict::Passes if door.is_log_short && is_new && brings_orders(command[0].header.kind) => {
                self.reject(None, Some(number), None, LOG_IS_SHORT, now);
                self.use_up(session, number, is_new);
            }
            Verdict::Passes => {
                self.commands.extend_from_slice(command);
                if is_new {
                    session.last_client_sequence = number;
                }
            }
            Verdict::Limited { retry_after_ns } => {
                self.reject_rate(None, Some(number), retry_after_ns, now);
                self.use_up(session, number, is_new);
            }
            Verdict::Ends => {
                self.use_up(session, number, is_new);
                self.log_out("RateLimited ten times in a minute", None, now);
            }
        }
    }

    /// Writes frames that the session was told before, as they stand.
    pub fn tell_again(&mut self, mut frames: Frames, now: Now) {
        while let Some((frame, extension_length)) = frames.take_first() {
            let envelope = self.envelope(now);
            address(frame, extension_length, envelope, &mut self.out);
        }
    }

    /// Writes a frame of the caller's making.
    pub fn tell(&mut self, now: Now, write: impl FnOnce(Envelope, &mut Vec<u8>)) {
        let envelope = self.envelope(now);
        write(envelope, &mut self.out);
    }
}

/// The last place in front of an output.
fn in_front_of(position: Position) -> Position {
    match position.k.checked_sub(1) {
        Some(k) => Position { k, ..position },
        None => Position { index: position.index.saturating_sub(1), k: u32::MAX, ..position },
    }
}

/// The order that an amendment is about.
fn find_order(reports: &Reports, account: AccountId, target: &AmendTarget<'_>) -> Option<Amended> {
    let order = match target {
        AmendTarget::Order(order) => reports.find(u64::try_from(*order).ok()?),
        AmendTarget::Client(name) => reports.find_named(account, name),
    };
    let order = order.filter(|order| order.account == account)?;
    Some(Amended { instrument: order.instrument, price_ticks: order.price_ticks })
}

/// The command that marks the end of the one before it: the engine refuses it and says by which session it came.
fn marker(guard: &RawGuard) -> CommandRecord {
    let mut record = CommandRecord { account: guard.account.0, ..CommandRecord::new(CommandKind::CancelOrder) };
    record.header.session = guard.session;
    record
}

/// Whether a refusal is that of a marker.
pub(crate) fn is_marker(event: &EventRecord) -> bool {
    event.counter_order_id == 0
        && event.reference == 0
        && event.open_lots == CommandKind::CancelOrder as u64
        && event.reason == RejectReason::UnknownOrder as u16
}

/// The client sequence that a request names, if it names one.
fn client_sequence(frame: &Frame<'_>) -> Result<Option<u64>, FrameError> {
    fn read<T: Template>(
        frame: &Frame<'_>,
        field: impl FnOnce(&T::Extension) -> Option<u64>,
    ) -> Result<Option<u64>, FrameError> {
        Ok(frame.message::<T>()?.extension.and_then(field))
    }
    match frame.template() {
        NewOrderSingle::ID => read::<NewOrderSingle>(frame, |extension| extension.client_sequence.some()),
        OrderCancelRequest::ID => read::<OrderCancelRequest>(frame, |extension| extension.client_sequence.some()),
        OrderCancelRequestAndNewOrderSingle::ID => {
            read::<OrderCancelRequestAndNewOrderSingle>(frame, |extension| extension.client_sequence.some())
        }
        NewOrderList::ID => read::<NewOrderList>(frame, |extension| extension.client_sequence.some()),
        OrderMassCancelRequest::ID => {
            read::<OrderMassCancelRequest>(frame, |extension| extension.client_sequence.some())
        }
        _ => read::<OrderAmendKeepPriorityRequest>(frame, |extension| extension.client_sequence.some()),
    }
}
