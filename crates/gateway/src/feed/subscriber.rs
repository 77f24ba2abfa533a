//! A client of a channel with its connections: the lines A and B or the ring in shared memory, and the service that gives what
//! was lost.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradewright_protocol::feed::{ChannelHeader, FeedBook, FeedClient, FeedError, FeedMessage, Need, Taken, TopOfBook};
use tradewright_transport::multicast::{DATAGRAM_BYTES_MAX, Line, Receiver};
use tradewright_transport::{Access, Polled, Reader, Region, RegionError, Start};
use zerocopy::FromBytes;

use super::FeedSlot;
use super::service::{Answered, Service};

/// So many datagrams are taken of each line in a round.
const DATAGRAMS_A_ROUND: usize = 64;
/// So many messages are taken of a ring in a round.
const MESSAGES_A_ROUND: usize = 1 << 12;
/// So often a ring that gives nothing is asked whether it is still the one.
const LOOK_EVERY_NS: u64 = 50_000_000;
/// A ring that tells of less than is known for so long is that of a channel that begins anew.
const RESTARTED_AFTER_NS: u64 = 1_000_000_000;

/// What a subscriber is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberConfig {
    /// The number of the channel.
    pub channel: u16,
    /// Where messages are given again, and snapshots. Without it a subscriber has to be there from the first message on.
    pub service: Option<SocketAddr>,
    /// How long the other line has to bring what is missing before it is asked for.
    pub patience_ns: u64,
    /// How many bytes may wait in the system for each line.
    pub receive_buffer_bytes: usize,
}

impl Default for SubscriberConfig {
    fn default() -> Self {
        Self { channel: 1, service: None, patience_ns: 2_000_000, receive_buffer_bytes: 4 << 20 }
    }
}

/// How a subscriber does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriberCounts {
    /// Messages that were applied.
    pub applied: u64,
    /// Datagrams that are no part of a feed, or did not fit to the book.
    pub broken: u64,
    /// Times that messages were asked for again.
    pub asked_again: u64,
    /// Snapshots that were taken.
    pub snapshots: u64,
    /// Messages that the ring lost because this reader was too slow.
    pub overrun: u64,
    /// Times that the channel began anew.
    pub restarts: u64,
}

enum Source {
    Lines { receivers: Vec<Receiver>, buffer: Box<[u8; DATAGRAM_BYTES_MAX]> },
    Ring(Ring),
}

struct Ring {
    path: PathBuf,
    reader: Reader<FeedSlot>,
    slots: Vec<FeedSlot>,
    /// The last sequence that was read.
    last: u64,
    looked_ns: u64,
    behind_since_ns: Option<u64>,
}

/// See the module. Everything is polled, and nothing waits but a connection to the service that is being made.
pub struct FeedSubscriber {
    client: FeedClient,
    channel: u16,
    source: Source,
    service: Option<Service>,
    patience_ns: u64,
    /// The first message that is missing, and since when.
    missing: Option<(u64, u64)>,
    counts: SubscriberCounts,
}

impl FeedSubscriber {
    /// Joins one or two lines.
    ///
    /// # Errors
    /// A group is none, or the system refuses.
    pub fn over_lines(lines: &[Line], config: &SubscriberConfig) -> io::Result<Self> {
        let join = |line: &Line| Receiver::join(*line, config.receive_buffer_bytes);
        let receivers = lines.iter().map(join).collect::<io::Result<_>>()?;
        Ok(Self::new(Source::Lines { receivers, buffer: Box::new([0; DATAGRAM_BYTES_MAX]) }, config))
    }

    /// Attaches to a ring, which may be one that can only be read.
    ///
    /// # Errors
    /// The file cannot be had, or is no ring of market data.
    pub fn over_ring(path: &Path, config: &SubscriberConfig) -> Result<Self, RegionError> {
        let reader = Reader::attach(&Region::open(path, Access::ReadOnly)?, Start::Oldest)?;
        let (slots, path) = (Vec::with_capacity(MESSAGES_A_ROUND), path.to_owned());
        let ring = Ring { path, reader, slots, last: 0, looked_ns: 0, behind_since_ns: None };
        Ok(Self::new(Source::Ring(ring), config))
    }

    fn new(source: Source, config: &SubscriberConfig) -> Self {
        Self {
            client: FeedClient::default(),
            channel: config.channel,
            source,
            service: config.service.map(|address| Service::new(address, config.channel)),
            patience_ns: config.patience_ns,
            missing: None,
            counts: SubscriberCounts::default(),
        }
    }

    /// The book, as far as it is known without a gap.
    pub fn book(&self) -> &FeedBook {
        self.client.book()
    }

    /// The next sequence that it needs; `None` before it knows where the channel is.
    pub fn next_sequence(&self) -> Option<u64> {
        self.client.next_sequence()
    }

    /// Whether nothing is missing of what was heard of.
    pub fn is_current(&self) -> bool {
        self.client.is_current()
    }

    /// How it does.
    pub fn counts(&self) -> SubscriberCounts {
        self.counts
    }

    /// The tops of the instruments that changed since this was asked last, each once and as it is now: whoever asks rarely gets
    /// no backlog.
    pub fn take_tops(&mut self, into: &mut Vec<TopOfBook>) {
        let changed = self.client.take_changed();
        into.extend(changed.into_iter().map(|instrument| self.client.top(instrument)));
    }

    /// An instrument in a few numbers.
    pub fn top(&self, instrument: u32) -> TopOfBook {
        self.client.top(instrument)
    }

    /// Takes what has come, asks for what is missing, and tells each message in its turn. Returns how much there was; a call
    /// that returns 0 may be followed by a pause.
    ///
    /// # Errors
    /// A line is broken, or the service serves another channel. What is lost or damaged on the way is no error: it is counted,
    /// and asked for again.
    pub fn poll(&mut self, now_ns: u64, tell: &mut dyn FnMut(u64, &FeedMessage)) -> io::Result<usize> {
        let done = match self.source {
            Source::Lines { .. } => self.poll_lines(tell)?,
            Source::Ring(_) => self.poll_ring(now_ns, tell),
        };
        Ok(done + self.poll_service(now_ns, tell)?)
    }

    fn poll_lines(&mut self, tell: &mut dyn FnMut(u64, &FeedMessage)) -> io::Result<usize> {
        let Self { source: Source::Lines { receivers, buffer }, client, channel, counts, .. } = self else {
            return Ok(0);
        };
        let mut done = 0;
        for receiver in receivers {
            for _ in 0..DATAGRAMS_A_ROUND {
                let Some(length) = receiver.receive(&mut buffer[..])? else { break };
                done += 1;
                let datagram = &buffer[..length];
                if channel_of(datagram) == Some(*channel) {
                    count(counts, client.take_telling(datagram, tell));
                }
            }
        }
        Ok(done)
    }

    fn poll_ring(&mut self, now_ns: u64, tell: &mut dyn FnMut(u64, &FeedMessage)) -> usize {
        let Self { source: Source::Ring(ring), client, counts, .. } = self else { return 0 };
        ring.slots.clear();
        match ring.reader.poll_into(&mut ring.slots, MESSAGES_A_ROUND) {
            Polled::Empty => {
                if now_ns.saturating_sub(ring.looked_ns) >= LOOK_EVERY_NS {
                    ring.looked_ns = now_ns;
                    ring.look(now_ns, client, counts);
                }
                0
            }
            Polled::Behind { skipped } => {
                counts.overrun += skipped;
                1
            }
            Polled::Count(taken) => {
                for FeedSlot(record) in &ring.slots {
                    ring.last = record.sequence;
                    let message = record.message();
                    let applied = message.and_then(|message| client.take_message(record.sequence, &message, tell));
                    match applied {
                        Ok(applied) => counts.applied += applied,
                        Err(_) => counts.broken += 1,
                    }
                }
                taken
            }
        }
    }

    /// Asks the service for what is missing, and takes what it gives.
    fn poll_service(&mut self, now_ns: u64, tell: &mut dyn FnMut(u64, &FeedMessage)) -> io::Result<usize> {
        let Self { client, service: Some(service), counts, missing, patience_ns, .. } = self else { return Ok(0) };
        let need = client.need();
        if need.is_none() && service.is_idle() {
            *missing = None;
            return Ok(0);
        }
        if let Some(need) = need
            && service.may_ask(now_ns)
        {
            let first = if let Need::Messages { from, .. } = need { from } else { 0 };
            let since_ns = match *missing {
                Some((known, since_ns)) if known == first => since_ns,
                _ => now_ns,
            };
            *missing = Some((first, since_ns));
            // The other line may have it. A snapshot comes from nowhere else.
            if first == 0 || now_ns.saturating_sub(since_ns) >= *patience_ns {
                service.ask(need, now_ns);
                counts.asked_again += u64::from(first > 0);
            }
        }
        service.poll(now_ns, &mut |answered| match answered {
            Answered::Datagram(datagram) => count(counts, client.take_telling(datagram, tell)),
            Answered::Snapshot => counts.snapshots += 1,
        })
    }
}

impl Ring {
    /// Nothing comes: perhaps the node was started again, and there is another ring by now.
    fn look(&mut self, now_ns: u64, client: &mut FeedClient, counts: &mut SubscriberCounts) {
        let region: &Arc<Region> = self.reader.region();
        if region.is_closed() || region.is_replaced() {
            let fresh =
                Region::open(&self.path, Access::ReadOnly).and_then(|ring| Reader::attach(&ring, Start::Oldest));
            // Until the node is there again there is no other ring.
            if let Ok(reader) = fresh {
                (self.reader, self.last, self.behind_since_ns) = (reader, 0, None);
            }
            return;
        }
        // A channel that counts from less than is known has begun anew; one that is still counting up to there has not.
        let is_behind = self.last > 0 && client.next_sequence().is_some_and(|next| self.last + 1 < next);
        match (is_behind, self.behind_since_ns) {
            (false, _) => self.behind_since_ns = None,
            (true, None) => self.behind_since_ns = Some(now_ns),
            (true, Some(since_ns)) if now_ns.saturating_sub(since_ns) >= RESTARTED_AFTER_NS => {
                client.restart();
                counts.restarts += 1;
                self.behind_since_ns = None;
            }
            (true, Some(_)) => {}
        }
    }
}

fn channel_of(datagram: &[u8]) -> Option<u16> {
    ChannelHeader::ref_from_prefix(datagram).ok().map(|(header, _)| header.channel.get())
}

fn count(counts: &mut SubscriberCounts, taken: Result<Taken, FeedError>) {
    match taken {
        Ok(Taken::Applied(applied)) => counts.applied += applied,
        Ok(Taken::Restarted) => counts.restarts += 1,
        Ok(Taken::Known | Taken::Waits { .. } | Taken::Snapshot | Taken::Service) => {}
        Err(_) => counts.broken += 1,
    }
}

/// The service serves another channel.
pub(super) fn wrong_channel(channel: u16) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, format!("channel={channel} must be that of the service"))
}
