//! A client's side of a session, for programs in Rust: over TCP, or over shared memory of the same machine.
//!
//! It keeps the numbers that a session has (frames of the connection, client sequences of the session, the last output seen), so that a
//! client that lost its connection logs on again and misses nothing. It never waits but in [`Client::log_on`].
#![allow(clippy::disallowed_methods, reason = "a client has the clock of its machine")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tradewright_protocol::codes::BoolEnum;
use tradewright_protocol::described::{self, NotWritten, Value};
use tradewright_protocol::frame::{Envelope, FRAME_MAX, Frame, FrameWriter as FrameBuilder, frame_length};
use tradewright_protocol::logon::{LogonRequest, Secret};
use tradewright_protocol::messages::{
    AccountQuery, Heartbeat, LogonAck, LogonAckExtension, LogonExtension, Logout, NewOrderSingle, OrderExtension,
    OutputExtension, RawEvent, RequestExtension, TestRequest,
};
use tradewright_protocol::reports::Position;
use tradewright_protocol::spec::{Block, NoExtension, Null, Template, VERSION_EXTENDED};
use tradewright_transport::{Access, Consumer, FrameReader, FrameWriter, Producer, Region};
use tradewright_types::{CommandRecord, EventKind, EventRecord};

/// Why a client cannot go on.
#[derive(Debug)]
pub enum ClientError {
    /// The connection is broken, or the other side does not answer in time.
    Connection(io::Error),
    /// The exchange ended the session, with its words.
    LoggedOut(String),
    /// What came is no frame that this client knows.
    Protocol(&'static str),
}

impl core::fmt::Display for ClientError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "connection: {error}"),
            Self::LoggedOut(text) => write!(f, "logged out: {text}"),
            Self::Protocol(rule) => write!(f, "frame: {rule}"),
        }
    }
}

impl core::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

enum Wire {
    Tcp { stream: TcpStream, buffer: Box<[u8]> },
    Shm(Box<ShmWire>),
}

struct ShmWire {
    requests: FrameWriter,
    records: Producer<CommandRecord>,
    reports: FrameReader,
}

/// Who logs on, and how.
#[derive(Clone, Copy, Debug)]
pub struct LogonOptions<'c> {
    /// What the client calls its session.
    pub session: &'c [u8],
    /// The id of its key.
    pub username: &'c [u8],
    /// What it calls the exchange.
    pub target: &'c [u8],
    /// How often it wants to be heard of.
    pub heartbeat_s: u32,
    /// Whether its orders are cancelled when the connection is lost.
    pub cancel_on_disconnect: bool,
    /// Whether it only hears of the account's orders, and sends none.
    pub is_drop_copy: bool,
    /// Whether it sends command records instead of frames, and hears events instead of reports.
    pub raw: bool,
}

impl<'c> LogonOptions<'c> {
    /// A session that keeps its orders.
    #[must_use]
    pub fn new(session: &'c [u8], username: &'c [u8]) -> Self {
        Self {
            session,
            username,
            target: b"SPOT",
            heartbeat_s: 30,
            cancel_on_disconnect: false,
            is_drop_copy: false,
            raw: false,
        }
    }
}

/// The client. See the module.
pub struct Client {
    wire: Wire,
    out: Vec<u8>,
    input: Vec<u8>,
    next_out: u32,
    next_sequence: u64,
    last: Option<Position>,
}

impl Client {
    /// Connects over TCP.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn tcp(address: SocketAddr) -> Result<Self, ClientError> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self::over(Wire::Tcp { stream, buffer: vec![0; 1 << 16].into_boxed_slice() }))
    }

    /// Takes a link in shared memory: the rings of that name in the folder.
    ///
    /// # Errors
    /// There is no such link, another client has it, or this user may not.
    pub fn shm(directory: &Path, name: &str) -> Result<Self, ClientError> {
        let broken = |error: tradewright_transport::RegionError| io::Error::other(error.to_string());
        let open = |ending: &str| Region::open(directory.join(format!("{name}.{ending}")), Access::ReadWrite);
        let (requests, records, reports) = (open("requests"), open("records"), open("reports"));
        let (requests, records, reports) =
            (requests.map_err(broken)?, records.map_err(broken)?, reports.map_err(broken)?);
        Ok(Self::over(Wire::Shm(Box::new(ShmWire {
            requests: FrameWriter::new(Producer::attach(&requests).map_err(broken)?),
            records: Producer::attach(&records).map_err(broken)?,
            reports: FrameReader::new(Consumer::attach(&reports).map_err(broken)?),
        }))))
    }

    fn over(wire: Wire) -> Self {
        Self { wire, out: Vec::new(), input: Vec::new(), next_out: 1, next_sequence: 1, last: None }
    }

    /// Goes on as a client that has seen outputs up to `last`: what came behind is told again after the logon.
    #[must_use]
    pub fn resuming(mut self, last: Option<Position>) -> Self {
        self.resume(last);
        self
    }

    /// As [`Client::resuming`].
    pub fn resume(&mut self, last: Option<Position>) {
        self.last = last;
    }

    /// The last output that was seen.
    #[must_use]
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    /// The client sequence of the next request.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Logs on and waits for the answer. What came behind it is given by the next [`Client::receive`].
    ///
    /// # Errors
    /// The exchange refuses, or does not answer within `timeout`.
    pub fn log_on(
        &mut self,
        options: &LogonOptions<'_>,
        secret: &Secret,
        timeout: Duration,
    ) -> Result<LogonAckExtension, ClientError> {
        let flag = |holds: bool| if holds { BoolEnum::True.field() } else { BoolEnum::False.field() };
        let mut request = LogonRequest::new(options.session, options.target, options.username);
        request.heartbeat_s = options.heartbeat_s;
        if options.is_drop_copy {
            request.block.drop_copy_flag = BoolEnum::True.field();
        }
        request.extension = LogonExtension {
            cancel_on_disconnect: flag(options.cancel_on_disconnect),
            raw_records: flag(options.raw),
            ..LogonExtension::NULL
        };
        if let Some(Position { index, k, shard }) = self.last {
            request.extension.resume_shard = shard;
            request.extension.resume_index = index.into();
            request.extension.resume_event_number = k.into();
        }
        let envelope = self.envelope();
        request.write(envelope, secret, &mut self.out);
        let begin = Instant::now();
        loop {
            self.flush()?;
            let mut answer = None;
            self.receive_while(|frame| {
                if let Ok(message) = frame.message::<LogonAck>() {
                    answer = Some(message.extension.copied().unwrap_or(LogonAckExtension::NULL));
                }
                answer.is_none()
            })?;
            if let Some(answer) = answer {
                self.next_sequence = answer.last_client_sequence.get() + 1;
                if let Some(index) = answer.resume_index.some() {
                    // Behind this everything comes: also again what an earlier client left in its queue of shared memory.
                    let k = answer.resume_event_number.get();
                    self.last = Some(Position { index, k, shard: answer.resume_shard });
                }
                return Ok(answer);
            }
            if begin.elapsed() > timeout {
                return Err(io::Error::new(ErrorKind::TimedOut, "no answer to the logon").into());
            }
            std::thread::yield_now();
        }
    }

    /// Places an order under the next client sequence, which it returns. It goes out with [`Client::flush`].
    pub fn order(&mut self, order: &NewOrderSingle, id: &[u8], symbol: &[u8]) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.order_as(sequence, order, id, symbol);
        sequence
    }

    /// Places an order under a client sequence that may have been used: a retry.
    pub fn order_as(&mut self, client_sequence: u64, order: &NewOrderSingle, id: &[u8], symbol: &[u8]) {
        let extension = OrderExtension { client_sequence: client_sequence.into(), ..OrderExtension::NULL };
        self.message(order, &extension, &[id, symbol]);
    }

    /// Sends any other request under the next client sequence, which it returns.
    pub fn request<T: Template<Extension = RequestExtension>>(&mut self, block: &T, texts: &[&[u8]]) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.message(block, &RequestExtension { client_sequence: sequence.into() }, texts);
        sequence
    }

    /// Asks how the account of the session stands. `request` comes back with the answer: an `AccountSnapshot` or more, then an execution
    /// report of kind `OrderStatus` for each open order. See `tradewright_protocol::account`.
    pub fn ask_account(&mut self, request: &[u8]) {
        self.message(&AccountQuery {}, &NoExtension, &[request]);
    }

    /// Writes a frame to what goes out next.
    pub fn message<T: Template>(&mut self, block: &T, extension: &T::Extension, texts: &[&[u8]]) {
        let envelope = self.envelope();
        let mut frame = FrameBuilder::new(&mut self.out, envelope, block, extension);
        for text in texts {
            frame.text8(text);
        }
        frame.finish();
    }

    /// Writes a message by the names of its schema to what goes out next.
    ///
    /// # Errors
    /// The field that it does not have, or whose value does not fit.
    pub fn described(&mut self, message: &str, fields: &[(&str, Value<'_>)]) -> Result<(), NotWritten> {
        let next_out = self.next_out;
        let envelope = self.envelope();
        let written = described::write(message, fields, envelope, &mut self.out);
        if written.is_err() {
            self.next_out = next_out;
        }
        written
    }

    /// Sends command records of a session that is raw, as many whole commands as there is room for, and returns how many records
    /// went. Over shared memory only.
    ///
    /// # Errors
    /// The ring is broken, or the connection is none over shared memory.
    pub fn records(&mut self, commands: &[CommandRecord]) -> Result<usize, ClientError> {
        match &mut self.wire {
            Wire::Shm(shm) => {
                let went = shm.records.push_whole(commands).map_err(|error| io::Error::other(error.to_string()))?;
                Ok(if went { commands.len() } else { 0 })
            }
            Wire::Tcp { .. } => Err(ClientError::Protocol("records go over shared memory")),
        }
    }

    /// The ring that the records of a session over shared memory go through, for who writes them in place. What goes in has to be
    /// whole commands.
    #[must_use]
    pub fn record_ring(&mut self) -> Option<&mut Producer<CommandRecord>> {
        match &mut self.wire {
            Wire::Shm(shm) => Some(&mut shm.records),
            Wire::Tcp { .. } => None,
        }
    }

    /// Takes frames that were written before, to go out behind what waits. Their numbers have to follow those of this client: of the
    /// connection from [`Client::next_number`] on, of the session from [`Client::next_sequence`] on, each by one.
    pub fn written(&mut self, frames: &[u8], count: u32) {
        self.out.extend_from_slice(frames);
        self.next_out += count;
        self.next_sequence += u64::from(count);
    }

    /// The connection's number of the next frame.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.next_out
    }

    /// Sends what was written, as much as goes without waiting. Returns whether all of it went.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn flush(&mut self) -> Result<bool, ClientError> {
        let mut sent = 0;
        match &mut self.wire {
            Wire::Tcp { stream, .. } => {
                while sent < self.out.len() {
                    match stream.write(&self.out[sent..]) {
                        Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                        Ok(bytes) => sent += bytes,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Wire::Shm(shm) => {
                while let Ok(Some(length)) = frame_length(&self.out[sent..], FRAME_MAX) {
                    let went = shm.requests.send(&self.out[sent..sent + length]);
                    if !went.map_err(|error| io::Error::other(error.to_string()))? {
                        break;
                    }
                    sent += length;
                }
            }
        }
        self.out.drain(..sent);
        Ok(self.out.is_empty())
    }

    /// Gives every frame that came to `each`, and returns how many. Test requests are answered, heartbeats passed over.
    ///
    /// # Errors
    /// The connection is broken, the exchange logged the client out, or what came is no frame.
    pub fn receive(&mut self, mut each: impl FnMut(&Frame<'_>)) -> Result<usize, ClientError> {
        self.receive_while(|frame| {
            each(frame);
            true
        })
    }

    fn receive_while(&mut self, mut each: impl FnMut(&Frame<'_>) -> bool) -> Result<usize, ClientError> {
        self.read()?;
        let input = core::mem::take(&mut self.input);
        let (mut done, mut count, mut goes_on, mut ended) = (0, 0, true, None);
        while goes_on && ended.is_none() {
            let length =
                frame_length(&input[done..], FRAME_MAX).map_err(|_| ClientError::Protocol("its length is illegal"))?;
            let Some(bytes) = length.and_then(|length| input.get(done..done + length)) else { break };
            let frame = Frame::read(bytes).map_err(|_| ClientError::Protocol("its head is illegal"))?;
            done += bytes.len();
            match frame.template() {
                Heartbeat::ID => {}
                TestRequest::ID => {
                    let text = frame.message::<TestRequest>().ok().and_then(|message| {
                        let mut parts = message.parts;
                        parts.text8().ok().map(<[u8]>::to_vec)
                    });
                    self.message(&Heartbeat::NULL, &NoExtension, &[&text.unwrap_or_default()]);
                }
                Logout::ID => ended = Some(logout_text(&frame)),
                _ => {
                    self.note(&frame);
                    count += 1;
                    goes_on = each(&frame);
                }
            }
        }
        self.input = input;
        self.input.drain(..done);
        ended.map_or(Ok(count), |text| Err(ClientError::LoggedOut(text)))
    }

    /// Reads what has come.
    fn read(&mut self) -> Result<(), ClientError> {
        match &mut self.wire {
            Wire::Tcp { stream, buffer } => loop {
                match stream.read(buffer) {
                    Ok(0) if self.input.is_empty() => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                    Ok(0) => return Ok(()),
                    Ok(bytes) => {
                        self.input.extend_from_slice(&buffer[..bytes]);
                        if bytes < buffer.len() {
                            return Ok(());
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            },
            Wire::Shm(shm) => {
                while let Some(frame) = shm.reports.receive().map_err(|error| io::Error::other(error.to_string()))? {
                    self.input.extend_from_slice(frame);
                }
                if self.input.is_empty() && shm.reports.consumer().region().is_closed() {
                    let gone = "the node has ended or started again: its rings are others now";
                    return Err(io::Error::new(ErrorKind::ConnectionAborted, gone).into());
                }
                Ok(())
            }
        }
    }

    /// Notes the number of an output, for the next logon.
    fn note(&mut self, frame: &Frame<'_>) {
        let position = if let Some(output) = output_of(frame) {
            output.index.some().map(|index| Position { index, k: output.event_number.get(), shard: output.shard })
        } else if let Ok(message) = frame.message::<RawEvent>() {
            let event: EventRecord = zerocopy::transmute!(message.block.event.0);
            // That a command was repeated is told to whoever repeats it, at any time.
            (event.kind != EventKind::CommandRepeated as u8).then(|| Position::of(&event))
        } else {
            None
        };
        self.last = self.last.max(position);
    }

    fn envelope(&mut self) -> Envelope {
        let seq_num = self.next_out;
        self.next_out += 1;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Envelope { version: VERSION_EXTENDED, seq_num, sending_time_us: since.as_micros() as i64 }
    }
}

/// What the exchange says beside a report: its number, and whether it was told before.
#[must_use]
pub fn output_of<'f>(frame: &Frame<'f>) -> Option<&'f OutputExtension> {
    use tradewright_protocol::messages::{
        ExecutionReport, ExecutionReportAck, ListStatus, OrderAmendReject, OrderCancelReject, OrderMassCancelReport,
    };
    match frame.template() {
        ExecutionReport::ID => frame.message::<ExecutionReport>().ok()?.extension,
        ExecutionReportAck::ID => frame.message::<ExecutionReportAck>().ok()?.extension,
        OrderCancelReject::ID => frame.message::<OrderCancelReject>().ok()?.extension,
        OrderAmendReject::ID => frame.message::<OrderAmendReject>().ok()?.extension,
        OrderMassCancelReport::ID => frame.message::<OrderMassCancelReport>().ok()?.extension,
        ListStatus::ID => frame.message::<ListStatus>().ok()?.extension,
        _ => None,
    }
}

fn logout_text(frame: &Frame<'_>) -> String {
    let text = frame.message::<Logout>().ok().and_then(|message| {
        let mut parts = message.parts;
        parts.text16().ok().map(|text| String::from_utf8_lossy(text).into_owned())
    });
    text.unwrap_or_default()
}
