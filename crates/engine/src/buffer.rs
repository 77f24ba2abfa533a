//! Where events are written.

use tradewright_types::EventRecord;

/// A growing buffer of events that is written in place and emptied by its reader. It keeps its memory, so that a steady flow
/// allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct EventBuffer {
    records: Vec<EventRecord>,
    length: usize,
}

impl EventBuffer {
    /// A buffer with room for `capacity` events before it has to grow.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { records: vec![EventRecord::default(); capacity], length: 0 }
    }

    /// An empty buffer over memory that [`EventBuffer::into_records`] gave: nothing is allocated or written.
    pub fn reuse(records: Vec<EventRecord>) -> Self {
        Self { records, length: 0 }
    }

    /// The memory, and how many events stand at its front. What lies behind them means nothing.
    pub fn into_records(self) -> (Vec<EventRecord>, usize) {
        (self.records, self.length)
    }

    /// The events since the buffer was last cleared.
    #[inline(always)]
    pub fn as_slice(&self) -> &[EventRecord] {
        &self.records[..self.length]
    }

    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets the events.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// The next place, to be written whole.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> &mut EventRecord {
        let place = self.length;
        self.length += 1;
        if place >= self.records.len() {
            return self.grow(place);
        }
        &mut self.records[place]
    }

    /// The event written last.
    #[inline(always)]
    pub(crate) fn last_mut(&mut self) -> Option<&mut EventRecord> {
        self.length.checked_sub(1).and_then(|last| self.records.get_mut(last))
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, place: usize) -> &mut EventRecord {
        self.records.resize((self.records.len() * 2).max(64), EventRecord::default());
        &mut self.records[place]
    }
}
