//! A client of a channel: it puts the datagrams in order, notices what is missing, and joins late by a snapshot.

use std::collections::BTreeMap;

use super::{Datagram, DatagramKind, FeedBook, FeedError, FeedMessage};

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
}

/// A client of a channel. See the module.
#[derive(Clone, Debug, Default)]
pub struct FeedClient {
    book: FeedBook,
    /// The next sequence; 0 before anything is known.
    next: u64,
    /// What came too early, by sequence.
    waiting: BTreeMap<u64, FeedMessage>,
    /// The snapshot that comes in: the sequence it goes up to, its book, and the next message of it.
    snapshot: Option<(u64, FeedBook, u64)>,
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

    /// The sequences that are missing before what has come already.
    pub fn gap(&self) -> Option<core::ops::Range<u64>> {
        let first = *self.waiting.keys().next()?;
        (self.next > 0).then_some(self.next..first)
    }

    /// Takes a datagram in, of either line: what is there twice is left out.
    ///
    /// # Errors
    /// When it is broken, or does not fit to the book; the client then needs a snapshot.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Taken, FeedError> {
        let datagram = Datagram::read(bytes)?;
        match datagram.kind {
            DatagramKind::Incremental => self.take_incremental(&datagram),
            DatagramKind::Snapshot => self.take_snapshot(&datagram),
        }
    }

    fn take_incremental(&mut self, datagram: &Datagram<'_>) -> Result<Taken, FeedError> {
        for message in datagram.messages() {
            let (sequence, message) = message?;
            if sequence >= self.next && self.waiting.len() < Self::WAITING_MAX {
                self.waiting.insert(sequence, message);
            }
        }
        // A heartbeat tells that something is missing, too.
        let first = datagram.header.first_sequence.get();
        let applied = self.advance()?;
        Ok(match applied {
            0 if self.next == 0 || first > self.next => Taken::Waits { expected: self.next },
            0 => Taken::Known,
            applied => Taken::Applied(applied),
        })
    }

    /// Applies what waits, as long as nothing is missing.
    fn advance(&mut self) -> Result<u64, FeedError> {
        let mut applied = 0;
        while self.next > 0
            && let Some(message) = self.waiting.remove(&self.next)
        {
            if let Err(error) = self.book.apply(&message) {
                // The book is wrong: nothing is known until a snapshot comes.
                (self.next, self.book) = (0, FeedBook::default());
                return Err(error);
            }
            self.next += 1;
            applied += 1;
        }
        Ok(applied)
    }

    fn take_snapshot(&mut self, datagram: &Datagram<'_>) -> Result<Taken, FeedError> {
        for message in datagram.messages() {
            let (number, message) = message?;
            if let FeedMessage::SnapshotBegin(begin) = &message {
                // It is of use only when it goes further than what is known, and something is missing.
                let is_of_use = self.next == 0 || begin.sequence.get() >= self.next;
                self.snapshot = is_of_use.then(|| (begin.sequence.get(), FeedBook::default(), 1));
            }
            let Some((sequence, book, next)) = &mut self.snapshot else { continue };
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
                let last = *sequence;
                if let Some((_, book, _)) = self.snapshot.take() {
                    (self.book, self.next) = (book, last + 1);
                }
                self.waiting = self.waiting.split_off(&self.next);
                return Ok(Taken::Applied(1 + self.advance()?));
            }
        }
        Ok(Taken::Snapshot)
    }
}
