//! The service of the feed: messages that are asked for again, and snapshots, over TCP.
//!
//! A connection carries datagrams, each of which begins with its length. Everything is polled; nothing waits for a client, and
//! each has a bound of its own on what it may ask for and on what is kept for it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tradewright_gateway::feed::FeedSlot;
use tradewright_protocol::feed::{
    Datagram, DatagramKind, FeedBuilder, FeedMessage, FeedRefusal, Packer, Refused, RetransmitRequest, SnapshotRequest,
};
use tradewright_protocol::spec::Code;
use tradewright_transport::{Polled, Reader, Region, Start};

use super::{FeedCounts, Outlet};
use crate::clock::wall_ns;
use crate::error::{NodeError, while_doing};

/// No more clients at once.
const CLIENTS_MAX: usize = 64;
/// So many bytes wait at most for a client to take them, snapshots left out, which all clients share.
const WAITING_BYTES_MAX: usize = 1 << 17;
/// A request is one datagram with one message.
const REQUEST_BYTES_MAX: usize = 128;
/// What a client may ask for in a second.
const REQUESTS_A_SECOND: u32 = 100;
const MESSAGES_A_SECOND: u64 = 1 << 20;
const SNAPSHOTS_A_SECOND: u32 = 2;
/// A client that takes or asks nothing for so long is disconnected.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// So many messages are read from the ring at once.
const MESSAGES_A_ROUND: usize = 512;
/// A snapshot serves everybody who asks within so long.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(1);
/// Making snapshots takes at most one part in so many of the feed's time.
const SNAPSHOT_SHARE: u32 = 20;
/// So many snapshots are kept at most, while clients are still taking them.
const SNAPSHOTS_MAX: usize = 3;

/// A snapshot as datagrams, one behind the other.
#[derive(Debug)]
struct Snapshot {
    /// The sequence that it goes up to.
    last: u64,
    made: Instant,
    bytes: Vec<u8>,
}

/// See the module.
pub(super) struct Door {
    listener: TcpListener,
    channel: u16,
    epoch: u32,
    clients: Vec<Client>,
    reader: Reader<FeedSlot>,
    snapshots: Vec<Arc<Snapshot>>,
    /// Not before this is the next one made.
    next_snapshot: Instant,
    counts: Arc<FeedCounts>,
}

impl Door {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be had.
    pub(super) fn open(
        listen: &str,
        channel: u16,
        epoch: u32,
        ring: &Arc<Region>,
        counts: &Arc<FeedCounts>,
    ) -> Result<Self, NodeError> {
        let doing = || format!("listening on {listen} for the feed");
        let bind = || {
            let address: SocketAddr = listen.parse().map_err(|_| io::Error::other("must be an address and a port"))?;
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        Ok(Self {
            listener: bind().map_err(while_doing(doing()))?,
            channel,
            epoch,
            clients: Vec::new(),
            reader: Reader::attach(ring, Start::Latest)?,
            snapshots: Vec::new(),
            next_snapshot: Instant::now(),
            counts: Arc::clone(counts),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Does one round for every client, and returns how many had something to do.
    pub(super) fn poll(&mut self, builder: &FeedBuilder, outlet: &Outlet, now: Instant) -> usize {
        self.accept(now);
        let mut clients = core::mem::take(&mut self.clients);
        let mut done = 0;
        clients.retain_mut(|client| match self.serve(client, builder, outlet, now) {
            Ok(worked) => {
                done += usize::from(worked);
                now - client.active < IDLE_MAX
            }
            Err(_) => false,
        });
        self.clients = clients;
        self.counts.clients.store(self.clients.len() as u64, Ordering::Relaxed);
        done
    }

    fn accept(&mut self, now: Instant) {
        // One a round: who connects without end holds up nobody else.
        let Ok((stream, _)) = self.listener.accept() else { return };
        let is_set = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_ok();
        if is_set && self.clients.len() < CLIENTS_MAX {
            self.clients.push(Client::new(stream, now));
        }
    }

    /// Reads, answers and sends for one client.
    fn serve(&mut self, client: &mut Client, builder: &FeedBuilder, outlet: &Outlet, now: Instant) -> io::Result<bool> {
        let mut worked = false;
        if client.job.is_none() && client.out.is_empty() {
            client.receive()?;
            if let Some(request) = client.request(self.channel)? {
                (worked, client.active) = (true, now);
                self.begin(client, request, outlet, now);
            }
        }
        worked |= self.go_on(client, builder, outlet, now);
        if client.send()? {
            (worked, client.active) = (true, now);
        }
        Ok(worked)
    }

    /// Takes a request, or refuses it.
    fn begin(&self, client: &mut Client, request: Request, outlet: &Outlet, now: Instant) {
        let (oldest, next) = (outlet.oldest_sequence(), outlet.next_sequence());
        let refusal = match request {
            Request::OtherChannel => Some(FeedRefusal::WrongChannel),
            Request::Messages { from, to } if to < from || to >= next => Some(FeedRefusal::NotYet),
            Request::Messages { from, .. } if from < oldest => Some(FeedRefusal::TooOld),
            Request::Messages { from, to } if !client.share.takes(now, to - from + 1, 0) => Some(FeedRefusal::TooMuch),
            Request::Snapshot { .. } if !client.share.takes(now, 0, 1) => Some(FeedRefusal::TooMuch),
            Request::Messages { from, to } => {
                client.job = Some(Job::Messages { next: from, to });
                None
            }
            Request::Snapshot { at_least } => {
                client.job = Some(Job::Waits { at_least: at_least.min(next - 1) });
                None
            }
        };
        if let Some(reason) = refusal {
            let from = if let Request::Messages { from, .. } = request { from } else { 0 };
            self.refuse(client, from, outlet, reason);
        }
    }

    fn refuse(&self, client: &mut Client, from: u64, outlet: &Outlet, reason: FeedRefusal) {
        let refused = Refused {
            from: from.into(),
            oldest: outlet.oldest_sequence().into(),
            next: outlet.next_sequence().into(),
            reason: Code(reason as u8),
        };
        let mut packer = Packer::new(self.channel, self.epoch, DatagramKind::Service, 0);
        let mut send = |datagram: &[u8]| client.out.extend_from_slice(datagram);
        packer.push(&refused.into(), wall_ns(), &mut send);
        packer.flush(wall_ns(), &mut send);
    }

    /// Goes on with what a client asked for, as far as there is room. Returns whether it did.
    fn go_on(&mut self, client: &mut Client, builder: &FeedBuilder, outlet: &Outlet, now: Instant) -> bool {
        match client.job {
            None | Some(Job::Snapshot { .. }) => false,
            Some(Job::Waits { at_least }) => {
                let snapshot = self.snapshot(at_least, builder, outlet, now);
                let is_there = snapshot.is_some();
                if let Some(snapshot) = snapshot {
                    client.job = Some(Job::Snapshot { snapshot, sent: 0 });
                }
                is_there
            }
            Some(Job::Messages { next, to }) => {
                if client.out.len() + MESSAGES_A_ROUND * 100 > WAITING_BYTES_MAX {
                    return false;
                }
                match self.pack(client, next, to, outlet) {
                    Some(next) => client.job = (next <= to).then_some(Job::Messages { next, to }),
                    None => {
                        client.job = None;
                        self.refuse(client, next, outlet, FeedRefusal::TooOld);
                    }
                }
                true
            }
        }
    }

    /// Packs messages of the ring for a client, and returns the sequence behind them. `None` when they are gone.
    fn pack(&mut self, client: &mut Client, next: u64, to: u64, outlet: &Outlet) -> Option<u64> {
        if next < outlet.oldest_sequence() {
            return None;
        }
        self.reader.seek(outlet.position(next));
        let mut slots = Vec::new();
        let count = usize::try_from(to - next + 1).unwrap_or(usize::MAX).min(MESSAGES_A_ROUND);
        let Polled::Count(_) = self.reader.poll_into(&mut slots, count) else { return None };
        let mut packer = Packer::new(self.channel, self.epoch, DatagramKind::Incremental, next);
        let mut send = |datagram: &[u8]| client.out.extend_from_slice(datagram);
        let mut published_ns = 0;
        for (sequence, slot) in (next..).zip(&slots) {
            let Ok(message) = slot.0.message() else { return None };
            debug_assert_eq!(slot.0.sequence, sequence, "Invariant: slots follow each other");
            if slot.0.published_ns != published_ns {
                packer.flush(published_ns, &mut send);
                published_ns = slot.0.published_ns;
            }
            packer.push(&message, published_ns, &mut send);
        }
        packer.flush(published_ns, &mut send);
        Some(next + slots.len() as u64)
    }

    /// A snapshot that goes at least up to a sequence, and from which the ring goes on. `None` while it has to wait.
    fn snapshot(
        &mut self,
        at_least: u64,
        builder: &FeedBuilder,
        outlet: &Outlet,
        now: Instant,
    ) -> Option<Arc<Snapshot>> {
        // Whoever takes it needs time before what follows is overwritten.
        let oldest = outlet.oldest_sequence().max(outlet.next_sequence().saturating_sub(outlet.capacity() / 2));
        let is_of_use = |snapshot: &Snapshot| snapshot.last >= at_least && snapshot.last + 1 >= oldest;
        let newest = self.snapshots.last().filter(|snapshot| is_of_use(snapshot));
        if let Some(snapshot) = newest.filter(|snapshot| now - snapshot.made < SNAPSHOT_AGE_MAX) {
            return Some(Arc::clone(snapshot));
        }
        self.snapshots.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        if now < self.next_snapshot || self.snapshots.len() >= SNAPSHOTS_MAX {
            return None;
        }
        let snapshot = Arc::new(self.make(builder, now));
        self.next_snapshot = now + now.elapsed() * SNAPSHOT_SHARE;
        self.snapshots.push(Arc::clone(&snapshot));
        Some(snapshot)
    }

    fn make(&self, builder: &FeedBuilder, now: Instant) -> Snapshot {
        let mut bytes = Vec::new();
        let mut packer = Packer::new(self.channel, self.epoch, DatagramKind::Snapshot, 1);
        let published_ns = wall_ns();
        let mut send = |datagram: &[u8]| bytes.extend_from_slice(datagram);
        builder.snapshot(&mut |message| packer.push(&message, published_ns, &mut send));
        packer.flush(published_ns, &mut send);
        Snapshot { last: builder.next_sequence() - 1, made: now, bytes }
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Messages { from: u64, to: u64 },
    Snapshot { at_least: u64 },
    OtherChannel,
}

impl Request {
    /// Reads a request of the channel.
    ///
    /// # Errors
    /// It is none.
    fn read(bytes: &[u8], channel: u16) -> io::Result<Self> {
        let broken = |error: tradewright_protocol::feed::FeedError| io::Error::new(ErrorKind::InvalidData, error);
        let datagram = Datagram::read(bytes).map_err(broken)?;
        if datagram.header.channel.get() != channel {
            return Ok(Self::OtherChannel);
        }
        let mut messages = datagram.messages();
        let message = messages.next().transpose().map_err(broken)?;
        if datagram.kind != DatagramKind::Service || messages.next().is_some() {
            return Err(ErrorKind::InvalidData.into());
        }
        match message {
            Some((_, FeedMessage::RetransmitRequest(RetransmitRequest { from, to }))) => {
                Ok(Self::Messages { from: from.get(), to: to.get() })
            }
            Some((_, FeedMessage::SnapshotRequest(SnapshotRequest { at_least }))) => {
                Ok(Self::Snapshot { at_least: at_least.get() })
            }
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }
}

/// What a client is being given.
#[derive(Debug)]
enum Job {
    Messages { next: u64, to: u64 },
    Waits { at_least: u64 },
    Snapshot { snapshot: Arc<Snapshot>, sent: usize },
}

/// What a client asked for within a second.
#[derive(Debug)]
struct Share {
    since: Instant,
    requests: u32,
    messages: u64,
    snapshots: u32,
}

impl Share {
    /// Counts a request, and returns whether it is within bounds.
    fn takes(&mut self, now: Instant, messages: u64, snapshots: u32) -> bool {
        if now - self.since >= Duration::from_secs(1) {
            *self = Self { since: now, requests: 0, messages: 0, snapshots: 0 };
        }
        self.requests += 1;
        // The first request of a second may be for more than a second's share.
        let is_within = self.requests <= REQUESTS_A_SECOND
            && (self.messages == 0 || self.messages.saturating_add(messages) <= MESSAGES_A_SECOND)
            && self.snapshots + snapshots <= SNAPSHOTS_A_SECOND;
        if is_within {
            self.messages = self.messages.saturating_add(messages);
            self.snapshots += snapshots;
        }
        is_within
    }
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
    /// What waits to be sent; what stands before `sent` is gone already.
    out: Vec<u8>,
    sent: usize,
    job: Option<Job>,
    share: Share,
    active: Instant,
}

impl Client {
    fn new(stream: TcpStream, now: Instant) -> Self {
        Self {
            stream,
            received: Vec::new(),
            out: Vec::new(),
            sent: 0,
            job: None,
            share: Share { since: now, requests: 0, messages: 0, snapshots: 0 },
            active: now,
        }
    }

    /// Takes what has come, no more than a request. The rest waits in the system, and holds up the client alone.
    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; REQUEST_BYTES_MAX];
        let room = REQUEST_BYTES_MAX - self.received.len();
        match self.stream.read(&mut buffer[..room]) {
            Ok(0) if room > 0 => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if is_for_later(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next request, if it is whole.
    fn request(&mut self, channel: u16) -> io::Result<Option<Request>> {
        let [low, high, ..] = self.received[..] else { return Ok(None) };
        let length = usize::from(u16::from_le_bytes([low, high]));
        if !(28..=REQUEST_BYTES_MAX).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.received.len() < length {
            return Ok(None);
        }
        let bytes: Vec<u8> = self.received.drain(..length).collect();
        Request::read(&bytes, channel).map(Some)
    }

    /// Sends what goes without waiting, and returns whether anything went.
    fn send(&mut self) -> io::Result<bool> {
        let mut has_sent = false;
        if self.sent < self.out.len() {
            let count = write(&mut self.stream, &self.out[self.sent..])?;
            (self.sent, has_sent) = (self.sent + count, count > 0);
            if self.sent == self.out.len() {
                self.out.clear();
                self.sent = 0;
            }
        }
        if self.out.is_empty()
            && let Some(Job::Snapshot { snapshot, sent }) = &mut self.job
        {
            let rest = &snapshot.bytes[*sent..];
            let count = write(&mut self.stream, &rest[..rest.len().min(WAITING_BYTES_MAX)])?;
            (*sent, has_sent) = (*sent + count, has_sent || count > 0);
            if *sent == snapshot.bytes.len() {
                self.job = None;
            }
        }
        Ok(has_sent)
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
        Ok(count) => Ok(count),
        Err(error) if is_for_later(&error) => Ok(0),
        Err(error) => Err(error),
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
