//! The events of an engine, kept for whoever asks later.

use std::collections::VecDeque;
use std::sync::Arc;

use tradewright_types::{EventKind, EventRecord};

use crate::records::{EventRow, rows};

/// Events of single calls go into chunks of this many, 1 MiB: large enough to make a chunk cheap, small enough to drop one.
/// Huge pages were tried under larger chunks: on a virtual machine a call then cost twice as much (500 ns instead of 280).
const CHUNK: usize = 1 << 13;
/// The first chunk is small: most exchanges of a test never fill it.
const FIRST_CHUNK: usize = 1 << 8;
const REJECTED: u8 = EventKind::Rejected as u8;
const OF_QUOTES: [u8; 2] = [EventKind::QuoteAccepted as u8, EventKind::QuoteProtectionTriggered as u8];

/// A growing log of events. Positions count from 0 over the whole life of the engine; a bounded log drops whole chunks from
/// its front, so that at least the last `events_max` events are there.
#[derive(Debug)]
pub(crate) struct EventLog {
    /// Events, and how many of them count.
    sealed: VecDeque<(Arc<Vec<EventRecord>>, usize)>,
    tail: Vec<EventRecord>,
    /// The position of the first event that is still there.
    begin: u64,
    sealed_count: u64,
    events_max: Option<u64>,
}

impl EventLog {
    pub(crate) fn new(events_max: Option<u64>) -> Self {
        Self { sealed: VecDeque::new(), tail: Vec::new(), begin: 0, sealed_count: 0, events_max }
    }

    /// The position of the first event that is still there.
    pub(crate) fn begin(&self) -> u64 {
        self.begin
    }

    /// The position behind the last event.
    pub(crate) fn end(&self) -> u64 {
        self.begin + self.sealed_count + self.tail.len() as u64
    }

    /// Keeps the events of one command or of a small batch.
    #[inline]
    pub(crate) fn extend(&mut self, events: &[EventRecord]) {
        if self.tail.len() + events.len() > self.tail.capacity() {
            self.grow(events.len());
        }
        self.tail.extend_from_slice(events);
    }

    /// Keeps the first `length` events of a large batch without copying them.
    pub(crate) fn push(&mut self, events: Arc<Vec<EventRecord>>, length: usize) {
        self.seal();
        self.sealed_count += length as u64;
        self.sealed.push_back((events, length));
        self.drop_surplus();
    }

    /// The events from `position` on.
    pub(crate) fn copy_from(&self, position: u64) -> Vec<EventRow> {
        let mut skip = position.saturating_sub(self.begin) as usize;
        let mut copied = Vec::with_capacity(self.end().saturating_sub(position.max(self.begin)) as usize);
        for chunk in self.chunks() {
            copied.extend_from_slice(&chunk[skip.min(chunk.len())..]);
            skip = skip.saturating_sub(chunk.len());
        }
        copied
    }

    /// The events from `position` on that are about an order.
    pub(crate) fn of_order(&self, order_id: u64, position: u64) -> Vec<EventRow> {
        let mut skip = position.saturating_sub(self.begin) as usize;
        let mut found = Vec::new();
        for chunk in self.chunks() {
            let rest = &chunk[skip.min(chunk.len())..];
            // A refused command has its client sequence where others have the other order.
            // What is said of quotes names orders, whose own events stand beside it.
            let is_about = |row: &&EventRow| {
                let names =
                    row.0.order_id == order_id || (row.0.counter_order_id == order_id && row.0.kind != REJECTED);
                names && !OF_QUOTES.contains(&row.0.kind)
            };
            found.extend(rest.iter().filter(is_about));
            skip = skip.saturating_sub(chunk.len());
        }
        found
    }

    /// Forgets every event; positions go on.
    pub(crate) fn clear(&mut self) {
        self.begin = self.end();
        self.sealed.clear();
        self.sealed_count = 0;
        self.tail.clear();
    }

    fn chunks(&self) -> impl Iterator<Item = &[EventRow]> {
        let sealed = self.sealed.iter().map(|(events, length)| &events[..*length]);
        sealed.chain([self.tail.as_slice()]).map(rows)
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        self.seal();
        let bound = self.events_max.map_or(CHUNK, |events_max| (events_max / 2) as usize).clamp(FIRST_CHUNK, CHUNK);
        let chunk = if self.end() == 0 { FIRST_CHUNK } else { bound };
        if self.tail.capacity() < chunk.max(room) {
            self.tail.reserve(chunk.max(room));
        }
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let chunk = std::mem::take(&mut self.tail);
            self.sealed_count += chunk.len() as u64;
            let length = chunk.len();
            self.sealed.push_back((Arc::new(chunk), length));
        }
        self.drop_surplus();
    }

    fn drop_surplus(&mut self) {
        let Some(events_max) = self.events_max else { return };
        while let Some((_, length)) = self.sealed.front() {
            let count = *length as u64;
            if self.sealed_count + self.tail.len() as u64 - count < events_max {
                return;
            }
            self.begin += count;
            self.sealed_count -= count;
            let dropped = self.sealed.pop_front();
            // The memory of a dropped chunk serves the next one: a bounded log in a steady flow allocates nothing.
            if let Some(Ok(mut chunk)) = dropped.map(|(events, _)| Arc::try_unwrap(events))
                && self.tail.capacity() == 0
            {
                chunk.clear();
                self.tail = chunk;
            }
        }
    }
}
