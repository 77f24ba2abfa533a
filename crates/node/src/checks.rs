//! Checks: a hash of the events of each 4,096 commands stands in the log, so that whoever applies it again learns within so
//! many commands that he came to something else.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tradewright_journal::{CHECK_EVERY, Check};
use tradewright_transport::{Polled, Reader};
use tradewright_types::{EventRecord, HashTotal};

use crate::durability::Note;
use crate::error::NodeError;
use crate::sequencer::Signals;

/// How many events the checker takes at once.
const EVENTS_AT_ONCE: usize = 128;

/// Sums up the hashes of events, span by span: a span is what the commands up to a multiple of [`CHECK_EVERY`] did since the
/// one before.
#[derive(Clone, Debug)]
pub struct SpanHasher {
    total: HashTotal,
    /// The last command of the present span.
    end: u64,
    /// Whether every event of the present span was taken so far.
    is_whole: bool,
    /// Events were missed: the next one tells in which span.
    is_lost: bool,
}

impl SpanHasher {
    /// Takes events of the commands behind an index.
    #[must_use]
    pub fn behind(index: u64) -> Self {
        let is_whole = index.is_multiple_of(CHECK_EVERY);
        Self { total: HashTotal::default(), end: span_end(index + 1), is_whole, is_lost: false }
    }

    /// Takes the next events, and tells index and hash of each span that ended before one of them.
    pub fn take(&mut self, events: &[EventRecord], mut tell: impl FnMut(u64, HashTotal)) {
        for event in events {
            if self.is_lost {
                let end = span_end(event.sequence);
                *self = Self { total: HashTotal::default(), end, is_whole: false, is_lost: false };
            }
            if event.sequence > self.end {
                self.reach(event.sequence - 1, &mut tell);
            }
            self.total += event.replica_hash();
        }
    }

    /// Every event of the commands up to an index was taken: tells index and hash of each span that ends there or before.
    pub fn reach(&mut self, index: u64, mut tell: impl FnMut(u64, HashTotal)) {
        while self.end <= index {
            if self.is_whole && !self.is_lost {
                tell(self.end, self.total);
            }
            *self = Self { total: HashTotal::default(), end: self.end + CHECK_EVERY, is_whole: true, ..*self };
        }
    }

    /// Events were missed: nothing is told of a span that is not whole.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }
}

/// How many of its own hashes a comparison keeps for checks that come late.
const HASHES_MAX: usize = 4_096;

/// Compares the events that come out of a log with the hashes that stand in it.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    hasher: SpanHasher,
    /// Indices and hashes of its own spans, the latest last.
    hashes: VecDeque<(u64, HashTotal)>,
    agreed: u64,
}

impl Comparison {
    /// Takes events of the commands behind an index.
    pub(crate) fn behind(index: u64) -> Self {
        Self { hasher: SpanHasher::behind(index), hashes: VecDeque::new(), agreed: 0 }
    }

    /// How many checks agreed.
    pub(crate) fn agreed(&self) -> u64 {
        self.agreed
    }

    /// Takes the events of the next commands, the last of which is `index`.
    pub(crate) fn take(&mut self, events: &[EventRecord], index: u64) {
        let Self { hasher, hashes, .. } = self;
        let mut keep = |index, hash| {
            if hashes.len() == HASHES_MAX {
                hashes.pop_front();
            }
            hashes.push_back((index, hash));
        };
        hasher.take(events, &mut keep);
        hasher.reach(index, &mut keep);
    }

    /// Compares a check of the log.
    ///
    /// # Errors
    /// [`NodeError::Differs`].
    pub(crate) fn compare(&mut self, check: Check) -> Result<(), NodeError> {
        let Check { index, events_hash: Some(logged), .. } = check else { return Ok(()) };
        match self.hashes.iter().rev().find(|(known, _)| *known == index) {
            Some((_, own)) if *own == logged => self.agreed += 1,
            Some((_, own)) => return Err(NodeError::Differs { index, logged, own: *own }),
            // Its span began before the events that were taken, or it is long ago.
            None => {}
        }
        Ok(())
    }
}

/// The last command of the span that a command belongs to.
fn span_end(index: u64) -> u64 {
    index.next_multiple_of(CHECK_EVERY)
}

/// A moment for whoever is in more of a hurry: to be called every ten microseconds or so by threads that nobody waits for. Where somebody
/// wanted the core it rests so long that what it does takes a tenth of the time. Its priority alone does not do that: threads that yield
/// their core to each other yield it to this one too.
pub(crate) fn breathe() {
    const IS_WANTED: Duration = Duration::from_micros(5);
    const REST: Duration = Duration::from_micros(100);
    let begin = Instant::now();
    std::thread::yield_now();
    if begin.elapsed() > IS_WANTED {
        std::thread::sleep(REST);
    }
}

/// Hashes released events and has their checks logged. Waits for nobody and lets nobody wait: what it does not come to read in
/// time has no check.
pub(crate) fn run_checker(
    mut reader: Reader<EventRecord>,
    mut hasher: SpanHasher,
    signals: &Signals,
    notes: &mpsc::Sender<Note>,
) {
    let mut events = vec![EventRecord::default(); EVENTS_AT_ONCE];
    while !signals.stop.load(Ordering::Acquire) {
        match reader.poll(&mut events) {
            Polled::Count(count) => {
                hasher.take(&events[..count], |index, hash| {
                    // The journal's thread may be gone: then the node stops.
                    let _ = notes.send(Note::Check(Check { index, events_hash: Some(hash), state_hash: None }));
                });
                breathe();
            }
            Polled::Behind { .. } => hasher.lose(),
            Polled::Empty => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, k: u32) -> EventRecord {
        EventRecord { sequence, k, ..EventRecord::default() }
    }

    fn told(hasher: &mut SpanHasher, events: &[EventRecord]) -> Vec<(u64, HashTotal)> {
        let mut told = Vec::new();
        hasher.take(events, |index, hash| told.push((index, hash)));
        told
    }

    /// Two events for each command from `from` to `to`.
    fn events(from: u64, to: u64) -> Vec<EventRecord> {
        (from..=to).flat_map(|sequence| [event(sequence, 0), event(sequence, 1)]).collect()
    }

    #[test]
    fn spans_are_told_when_they_are_whole_whatever_the_pieces() {
        let all = events(1, 3 * CHECK_EVERY + 1);
        let whole = told(&mut SpanHasher::behind(0), &all);
        assert_eq!(whole.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3].map(|span| span * CHECK_EVERY));
        let mut hasher = SpanHasher::behind(0);
        let pieces: Vec<_> = all.chunks(7).flat_map(|piece| told(&mut hasher, piece)).collect();
        assert_eq!(pieces, whole);
        // One that began late has the same hashes from the first whole span on.
        let late = told(&mut SpanHasher::behind(9), &events(10, 3 * CHECK_EVERY + 1));
        assert_eq!(late, whole[1..]);
        let late = told(&mut SpanHasher::behind(CHECK_EVERY), &events(CHECK_EVERY + 1, 3 * CHECK_EVERY + 1));
        assert_eq!(late, whole[1..]);
    }

    #[test]
    fn one_bit_of_one_event_makes_another_hash_and_the_epoch_does_not() {
        let mut all = events(1, CHECK_EVERY + 1);
        let hash = told(&mut SpanHasher::behind(0), &all);
        all[100].epoch += 1;
        assert_eq!(told(&mut SpanHasher::behind(0), &all), hash);
        all[100].counter_amount.low ^= 1;
        assert_ne!(told(&mut SpanHasher::behind(0), &all), hash);
    }

    #[test]
    fn a_span_with_missed_events_is_not_told() {
        let all = events(1, 4 * CHECK_EVERY + 1);
        let whole = told(&mut SpanHasher::behind(0), &all);
        let mut hasher = SpanHasher::behind(0);
        let (seen, rest) = all.split_at(100);
        assert_eq!(told(&mut hasher, seen), []);
        hasher.lose();
        // It missed the end of the first span and the beginning of the second.
        assert_eq!(told(&mut hasher, &rest[2 * CHECK_EVERY as usize..]), whole[2..]);
    }

    #[test]
    fn commands_without_events_are_spans_too() {
        let mut hasher = SpanHasher::behind(0);
        let told = told(&mut hasher, &[event(1, 0), event(2 * CHECK_EVERY + 1, 0)]);
        assert_eq!(told, [(CHECK_EVERY, event(1, 0).replica_hash()), (2 * CHECK_EVERY, HashTotal::default())]);
        let mut last = Vec::new();
        hasher.reach(3 * CHECK_EVERY, |index, _| last.push(index));
        assert_eq!(last, [3 * CHECK_EVERY]);
    }
}
