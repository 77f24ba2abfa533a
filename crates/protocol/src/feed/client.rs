//! A client of a channel: it puts messages in order, notices what is missing, and joins late by a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_types::Side;

use super::{Datagram, DatagramKind, FeedBook, FeedError, FeedLevel, FeedMessage};

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many of its messages were applied.
    Applied(u64),
    /// Everything in it was known.
    Known,
    /// It waits for what is missing before it: from `expected` on.
    Waits {
        /// The next sequence that is needed.
        expected: u64,
    },
    /// It belongs to a snapshot that is not needed, or is not whole yet.
    Snapshot,
    /// The channel counts from an earlier sequence now: what was known is worth nothing, and a snapshot is needed.
    Restarted,
    /// It is not about the channel's messages.
    Service,
}

/// What a client lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The messages with these sequences, both included.
    Messages {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// A snapshot that goes at least up to a sequence.
    Snapshot {
        /// The sequence.
        at_least: u64,
    },
}

/// An instrument in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopOfBook {
    /// The instrument.
    pub instrument: u32,
    /// The best bid.
    pub bid: Option<FeedLevel>,
    /// The best ask.
    pub ask: Option<FeedLevel>,
    /// The price of the last trade that was heard of.
    pub last_price_ticks: Option<i64>,
    /// The last sequence of the channel that is in it.
    pub sequence: u64,
}

/// A client of a channel. See the module.
#[derive(Clone, Debug, Default)]
pub struct FeedClient {
    book: FeedBook,
    /// The next sequence; 0 before anything is known.
    next: u64,
    /// The next sequence of the channel, as far as it was heard of.
    end: u64,
    /// When what was applied last was published.
    published_ns: u64,
    /// What came too early, by sequence.
    waiting: BTreeMap<u64, FeedMessage>,
    /// The snapshot that comes in.
    snapshot: Option<Incoming>,
    changed: BTreeSet<u32>,
}

/// A snapshot that is not whole yet.
#[derive(Clone, Debug)]
struct Incoming {
    /// The sequence that it goes up to.
    last: u64,
    book: FeedBook,
    /// The next message of it.
    next: u64,
}

impl FeedClient {
    /// So many messages wait at most for one that is missing; what is more is dropped, and comes with a snapshot.
    pub const WAITING_MAX: usize = 1 << 16;

    /// A client that is there from the beginning of the channel.
    pub fn from_beginning() -> Self {
        Self { next: 1, ..Self::default() }
    }

    /// The book, as far as it is known without a gap.
    pub fn book(&self) -> &FeedBook {
        &self.book
    }

    /// The next sequence that it needs; `None` before a snapshot told where the channel is.
    pub fn next_sequence(&self) -> Option<u64> {
        (self.next > 0).then_some(self.next)
    }

    /// Whether nothing is missing of what was heard of.
    pub fn is_current(&self) -> bool {
        self.next > 0 && self.next >= self.end
    }

    /// The sequences that are missing before what has come already, or was heard of.
    pub fn gap(&self) -> Option<core::ops::Range<u64>> {
        let first = self.waiting.keys().next().copied().unwrap_or(self.end);
        (self.next > 0 && self.next < first).then_some(self.next..first)
    }

    /// What it lacks, if anything.
    pub fn need(&self) -> Option<Need> {
        if self.next == 0 {
            // What waits is of use only behind a snapshot that reaches it.
            let first = self.waiting.keys().next().copied().unwrap_or(1);
            return Some(Need::Snapshot { at_least: first.saturating_sub(1) });
        }
        self.gap().map(|gap| Need::Messages { from: gap.start, to: gap.end - 1 })
    }

    /// The instruments whose book, last price or state changed since this was asked last, each once. Whoever looks rarely sees
    /// the latest and no backlog.
    pub fn take_changed(&mut self) -> BTreeSet<u32> {
        core::mem::take(&mut self.changed)
    }

    /// An instrument in a few numbers.
    pub fn top(&self, instrument: u32) -> TopOfBook {
        TopOfBook {
            instrument,
            bid: self.book.best(instrument, Side::Buy),
            ask: self.book.best(instrument, Side::Sell),
            last_price_ticks: self.book.last_price_ticks(instrument),
            sequence: self.next.saturating_sub(1),
        }
    }

    /// Forgets everything: messages were lost that nobody gives again, or the channel is another one.
    pub fn restart(&mut self) {
        self.touch_all();
        *self = Self { changed: core::mem::take(&mut self.changed), ..Self::default() };
    }

    /// Takes a datagram in, of either line: what is there twice is left out.
    ///
    /// # Errors
    /// When it is broken, or does not fit to the book; the client then needs a snapshot.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Taken, FeedError> {
        self.take_telling(bytes, &mut |_, _| {})
    }

    /// As [`FeedClient::take`], and tells each message of the channel when its turn has come. What a snapshot holds is not told.
    ///
    /// # Errors
    /// As [`FeedClient::take`].
    pub fn take_telling(&mut self, bytes: &[u8], tell: &mut dyn FnMut(u64, &FeedMessage)) -> Result<Taken, FeedError> {
        let datagram = Datagram::read(bytes)?;
        match datagram.kind {
            DatagramKind::Incremental => self.take_incremental(&datagram, tell),
            DatagramKind::Snapshot => self.take_snapshot(&datagram, tell),
            DatagramKind::Service => Ok(Taken::Service),
        }
    }

    fn take_incremental(
        &mut self,
        datagram: &Datagram<'_>,
        tell: &mut dyn FnMut(u64, &FeedMessage),
    ) -> Result<Taken, FeedError> {
        let first = datagram.header.first_sequence.get();
        let published_ns = datagram.header.published.get();
        if datagram.header.count.get() == 0 {
            // A heartbeat that was sent behind what is known, and tells of less: the publisher has begun anew.
            if first < self.next && published_ns > self.published_ns {
                self.restart();
                self.end = first;
                return Ok(Taken::Restarted);
            }
            self.end = self.end.max(first);
            // The channel has yet to begin.
            if self.next == 0 && first == 1 {
                self.next = 1;
            }
        }
        let mut applied = 0;
        for message in datagram.messages() {
            let (sequence, message) = message?;
            let before = self.next;
            applied += self.take_message(sequence, &message, tell)?;
            if self.next != before {
                self.published_ns = self.published_ns.max(published_ns);
            }
        }
        Ok(match applied {
            0 if self.next == 0 || first > self.next => Taken::Waits { expected: self.next },
            0 => Taken::Known,
            applied => Taken::Applied(applied),
        })
    }

    /// Takes one message in, wherever it comes from, and returns how many could be applied then.
    ///
    /// # Errors
    /// When a message does not fit to the book; the client then needs a snapshot.
    pub fn take_message(
        &mut self,
        sequence: u64,
        message: &FeedMessage,
        tell: &mut dyn FnMut(u64, &FeedMessage),
    ) -> Result<u64, FeedError> {
        self.end = self.end.max(sequence.saturating_add(1));
        if self.next == 0 && sequence == 1 {
            // Before the first message there is nothing to know.
            self.next = 1;
        }
        if sequence < self.next {
            return Ok(0);
        }
        if sequence == self.next && self.next > 0 {
            self.apply(message, tell)?;
            return Ok(1 + self.advance(tell)?);
        }
        if self.waiting.len() < Self::WAITING_MAX {
            self.waiting.insert(sequence, *message);
        }
        Ok(0)
    }

    fn apply(&mut self, message: &FeedMessage, tell: &mut dyn FnMut(u64, &FeedMessage)) -> Result<(), FeedError> {
        if let Err(error) = self.book.apply(message) {
            // The book is wrong: nothing is known until a snapshot comes.
            self.touch_all();
            (self.next, self.book) = (0, FeedBook::default());
            return Err(error);
        }
        if let Some(instrument) = message.instrument() {
            self.changed.insert(instrument);
        }
        tell(self.next, message);
        self.next += 1;
        Ok(())
    }

    /// Applies what waits, as long as nothing is missing.
    fn advance(&mut self, tell: &mut dyn FnMut(u64, &FeedMessage)) -> Result<u64, FeedError> {
        let mut applied = 0;
        while let Some(first) = self.waiting.first_entry()
            && *first.key() <= self.next
        {
            let (sequence, message) = first.remove_entry();
            if sequence == self.next {
                self.apply(&message, tell)?;
                applied += 1;
            }
        }
        Ok(applied)
    }

    fn take_snapshot(
        &mut self,
        datagram: &Datagram<'_>,
        tell: &mut dyn FnMut(u64, &FeedMessage),
    ) -> Result<Taken, FeedError> {
        for message in datagram.messages() {
            let (number, message) = message?;
            if let FeedMessage::SnapshotBegin(begin) = &message {
                // It is of use only when it goes further than what is known, and something is missing.
                let last = begin.sequence.get();
                let is_of_use = last < 1 << 63 && (self.next == 0 || last >= self.next);
                self.snapshot = is_of_use.then(|| Incoming { last, book: FeedBook::default(), next: 1 });
            }
            let Some(Incoming { last, book, next }) = &mut self.snapshot else { continue };
            if number != *next {
                // A part of it is lost: the next one may be whole.
                self.snapshot = None;
                continue;
            }
            *next += 1;
            if let Err(error) = book.apply(&message) {
                self.snapshot = None;
                return Err(error);
            }
            if let FeedMessage::SnapshotEnd(_) = message {
                let next = *last + 1;
                self.touch_all();
                if let Some(Incoming { book, .. }) = self.snapshot.take() {
                    (self.book, self.next) = (book, next);
                }
                (self.end, self.published_ns) = (self.end.max(next), datagram.header.published.get());
                self.touch_all();
                return Ok(Taken::Applied(1 + self.advance(tell)?));
            }
        }
        Ok(Taken::Snapshot)
    }

    /// Every instrument of the book is another one from now on.
    fn touch_all(&mut self) {
        self.changed.extend(self.book.instruments().map(|(instrument, _, _)| instrument));
        self.changed.extend(self.book.listed());
    }
}
