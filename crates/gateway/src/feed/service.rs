//! A client's end of the feed's service: one request at a time over TCP.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tradewright_protocol::feed::{
    Datagram, DatagramKind, FeedMessage, FeedRefusal, Need, Packer, RetransmitRequest, SnapshotRequest,
};

use super::subscriber::wrong_channel;

/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_millis(250);
/// How long nothing may come before the connection is given up.
const ANSWER_MAX_NS: u64 = 5_000_000_000;
/// How long it waits before it tries again, when it failed or was told to.
const RETRY_NS: u64 = 20_000_000;
const TOO_MUCH_NS: u64 = 1_000_000_000;
/// No more messages are asked for at once.
const MESSAGES_MAX: u64 = 1 << 16;
/// So much is read at once.
const READ_BYTES: usize = 1 << 16;

/// What the service gave.
pub(super) enum Answered<'b> {
    /// A datagram for the client.
    Datagram(&'b [u8]),
    /// A snapshot is whole.
    Snapshot,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Service {
    address: SocketAddr,
    channel: u16,
    stream: Option<TcpStream>,
    asked: Option<Need>,
    /// Messages are no longer there: only a snapshot helps.
    needs_snapshot: bool,
    /// When something came last.
    heard_ns: u64,
    /// Not before this is anything asked for.
    retry_ns: u64,
    received: Vec<u8>,
}

impl Service {
    pub(super) fn new(address: SocketAddr, channel: u16) -> Self {
        Self {
            address,
            channel,
            stream: None,
            asked: None,
            needs_snapshot: false,
            heard_ns: 0,
            retry_ns: 0,
            received: Vec::new(),
        }
    }

    /// Whether nothing is expected.
    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_none()
    }

    pub(super) fn may_ask(&self, now_ns: u64) -> bool {
        self.asked.is_none() && now_ns >= self.retry_ns
    }

    /// Asks for something; when that fails, it is tried again a little later.
    pub(super) fn ask(&mut self, need: Need, now_ns: u64) {
        let need = match need {
            Need::Messages { to, .. } if self.needs_snapshot => Need::Snapshot { at_least: to },
            Need::Messages { from, to } => Need::Messages { from, to: to.min(from.saturating_add(MESSAGES_MAX - 1)) },
            Need::Snapshot { .. } => need,
        };
        if self.send(need).is_ok() {
            (self.asked, self.heard_ns) = (Some(need), now_ns);
        } else {
            self.give_up(now_ns);
        }
    }

    fn send(&mut self, need: Need) -> io::Result<()> {
        if self.stream.is_none() {
            let stream = TcpStream::connect_timeout(&self.address, CONNECT_MAX)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            self.received.clear();
            self.stream = Some(stream);
        }
        let Some(stream) = &mut self.stream else { return Err(ErrorKind::NotConnected.into()) };
        // A request is far smaller than what a socket takes at once: if it does not, the connection is of no use.
        stream.write_all(&request(self.channel, need))
    }

    fn give_up(&mut self, now_ns: u64) {
        (self.stream, self.asked, self.retry_ns) = (None, None, now_ns.saturating_add(RETRY_NS));
        self.received.clear();
    }

    /// Takes what has come. Returns how many datagrams that was.
    ///
    /// # Errors
    /// The service serves another channel.
    pub(super) fn poll(&mut self, now_ns: u64, tell: &mut dyn FnMut(Answered<'_>)) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let before = self.received.len();
        self.received.resize(before + READ_BYTES, 0);
        let read = stream.read(&mut self.received[before..]);
        self.received.truncate(before + *read.as_ref().unwrap_or(&0));
        let mut done = 0;
        match read {
            Ok(1..) => {
                self.heard_ns = now_ns;
                done = self.take(now_ns, tell)?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                if self.asked.is_some() && now_ns.saturating_sub(self.heard_ns) > ANSWER_MAX_NS {
                    self.give_up(now_ns);
                }
            }
            Ok(0) | Err(_) => self.give_up(now_ns),
        }
        Ok(done)
    }

    /// Gives out the datagrams that are whole.
    fn take(&mut self, now_ns: u64, tell: &mut dyn FnMut(Answered<'_>)) -> io::Result<usize> {
        let received = core::mem::take(&mut self.received);
        let (mut rest, mut done) = (&received[..], 0);
        while let [low, high, ..] = rest {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            if length < 2 {
                // No datagram is so short: what follows cannot be told apart.
                self.give_up(now_ns);
                return Ok(done);
            }
            if rest.len() < length {
                break;
            }
            let (datagram, behind) = rest.split_at(length);
            rest = behind;
            done += 1;
            self.answer(datagram, now_ns, tell)?;
        }
        self.received.extend_from_slice(rest);
        Ok(done)
    }

    fn answer(&mut self, bytes: &[u8], now_ns: u64, tell: &mut dyn FnMut(Answered<'_>)) -> io::Result<()> {
        // The client counts what is broken.
        let Ok(datagram) = Datagram::read(bytes) else {
            tell(Answered::Datagram(bytes));
            return Ok(());
        };
        match datagram.kind {
            DatagramKind::Service => {
                for message in datagram.messages().flatten() {
                    if let (_, FeedMessage::Refused(refused)) = message {
                        self.refused(refused.reason.0, now_ns)?;
                    }
                }
            }
            DatagramKind::Incremental => {
                tell(Answered::Datagram(bytes));
                let end = datagram.header.first_sequence.get().saturating_add(datagram.header.count.get().into());
                if let Some(Need::Messages { to, .. }) = self.asked
                    && end > to
                {
                    self.asked = None;
                }
            }
            DatagramKind::Snapshot => {
                tell(Answered::Datagram(bytes));
                let is_end = |message| matches!(message, Ok((_, FeedMessage::SnapshotEnd(_))));
                if datagram.messages().any(is_end) {
                    (self.asked, self.needs_snapshot) = (None, false);
                    tell(Answered::Snapshot);
                }
            }
        }
        Ok(())
    }

    fn refused(&mut self, reason: u8, now_ns: u64) -> io::Result<()> {
        self.asked = None;
        match FeedRefusal::from_code(reason) {
            Some(FeedRefusal::WrongChannel) => return Err(wrong_channel(self.channel)),
            Some(FeedRefusal::TooOld) => self.needs_snapshot = true,
            Some(FeedRefusal::TooMuch) => self.retry_ns = now_ns.saturating_add(TOO_MUCH_NS),
            Some(FeedRefusal::NotYet) | None => self.retry_ns = now_ns.saturating_add(RETRY_NS),
        }
        Ok(())
    }
}

/// A request as a datagram.
fn request(channel: u16, need: Need) -> Vec<u8> {
    let message: FeedMessage = match need {
        Need::Messages { from, to } => RetransmitRequest { from: from.into(), to: to.into() }.into(),
        Need::Snapshot { at_least } => SnapshotRequest { at_least: at_least.into() }.into(),
    };
    let mut bytes = Vec::new();
    let mut send = |datagram: &[u8]| bytes.extend_from_slice(datagram);
    let mut packer = Packer::new(channel, 0, DatagramKind::Service, 0);
    packer.push(&message, 0, &mut send);
    packer.flush(0, &mut send);
    bytes
}
