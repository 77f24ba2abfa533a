//! The way of single commands through the stages, stamped by each stage as they pass.
//!
//! A sampled command has a place in a small ring that the stages share. Commands never overtake each other, so a stage needs to
//! know no more than how many samples have passed it; and it looks at the next one only when the stage before has let one
//! through. Without traces one command at a time is on its way: the next is sampled when the doors have told what came of it.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use tradewright_types::CommandRecord;

/// So many samples are on their way at most. A command that finds no place is not traced.
const SAMPLES_MAX: u64 = 256;

/// What is known of a sampled command. Times are those of the wall clock; 0 is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamps {
    /// Behind its last record in the queue of the sessions' commands.
    pub(crate) position: u64,
    /// Whether it is to be told of as a trace; else it counts in the histograms only.
    pub(crate) is_traced: bool,
    pub(crate) kind: u8,
    pub(crate) session: u32,
    pub(crate) client_sequence: u64,
    /// When the doors began the round that read it.
    pub(crate) came_ns: u64,
    /// When it went to the sequencer.
    pub(crate) handed_in_ns: u64,
    pub(crate) sequenced_ns: u64,
    pub(crate) applied_ns: u64,
    /// When the log had it; in tier memory nobody waits for that.
    pub(crate) durable_ns: u64,
    /// When its events could be seen.
    pub(crate) released_ns: u64,
    /// When the doors had sent what came of it.
    pub(crate) told_ns: u64,
    /// Its place in the log.
    pub(crate) index: u64,
}

const WORDS: usize = 12;

#[derive(Debug, Default)]
struct Place([AtomicU64; WORDS]);

impl Place {
    const POSITION: usize = 0;
    const HEAD: usize = 1;
    const CLIENT_SEQUENCE: usize = 2;
    const CAME: usize = 3;
    const HANDED_IN: usize = 4;
    const SEQUENCED: usize = 5;
    const APPLIED: usize = 6;
    const DURABLE: usize = 7;
    const RELEASED: usize = 8;
    const INDEX: usize = 9;

    fn get(&self, word: usize) -> u64 {
        self.0[word].load(Relaxed)
    }

    fn set(&self, word: usize, value: u64) {
        self.0[word].store(value, Relaxed);
    }

    fn begin(&self, stamps: &Stamps) {
        let head = u64::from(stamps.session) << 32 | u64::from(stamps.kind) << 8 | u64::from(stamps.is_traced);
        for (word, value) in [
            (Self::POSITION, stamps.position),
            (Self::HEAD, head),
            (Self::CLIENT_SEQUENCE, stamps.client_sequence),
            (Self::CAME, stamps.came_ns),
            (Self::HANDED_IN, stamps.handed_in_ns),
            (Self::DURABLE, 0),
        ] {
            self.set(word, value);
        }
    }

    fn read(&self, told_ns: u64) -> Stamps {
        let head = self.get(Self::HEAD);
        Stamps {
            position: self.get(Self::POSITION),
            is_traced: head & 1 == 1,
            kind: (head >> 8) as u8,
            session: (head >> 32) as u32,
            client_sequence: self.get(Self::CLIENT_SEQUENCE),
            came_ns: self.get(Self::CAME),
            handed_in_ns: self.get(Self::HANDED_IN),
            sequenced_ns: self.get(Self::SEQUENCED),
            applied_ns: self.get(Self::APPLIED),
            durable_ns: self.get(Self::DURABLE),
            released_ns: self.get(Self::RELEASED),
            told_ns,
            index: self.get(Self::INDEX),
        }
    }
}

/// See the module. Each count has one writer: `begun` and `told` the doors, `sequenced` the engine's thread, `released` whoever
/// opens the gate.
#[derive(Debug)]
pub(crate) struct Passage {
    places: Box<[Place]>,
    begun: AtomicU64,
    sequenced: AtomicU64,
    released: AtomicU64,
    told: AtomicU64,
}

impl Default for Passage {
    fn default() -> Self {
        Self {
            places: (0..SAMPLES_MAX).map(|_| Place::default()).collect(),
            begun: AtomicU64::new(0),
            sequenced: AtomicU64::new(0),
            released: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }
}

impl Passage {
    fn place(&self, number: u64) -> &Place {
        &self.places[(number % SAMPLES_MAX) as usize]
    }

    /// Whether no sample is on its way. For the doors.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.begun.load(Relaxed) == self.told.load(Relaxed)
    }

    /// The doors are about to hand this command in. Returns whether there was a place for it.
    pub(crate) fn begin(&self, stamps: &Stamps) -> bool {
        let begun = self.begun.load(Relaxed);
        let has_place = begun - self.told.load(Relaxed) < SAMPLES_MAX;
        if has_place {
            self.place(begun).begin(stamps);
            self.begun.store(begun + 1, Release);
        }
        has_place
    }

    /// Whether the sequencer has to look for a sample.
    #[inline]
    pub(crate) fn is_awaited(&self) -> bool {
        self.begun.load(Relaxed) != self.sequenced.load(Relaxed)
    }

    /// The sequencer took `batch` from position `begin` of the queue, and applied it: its first command has the index
    /// `first_index`. `waited` is told how long each sample waited in the queue.
    pub(crate) fn sequenced(
        &self,
        (begin, batch): (u64, &[CommandRecord]),
        first_index: u64,
        (sequenced_ns, applied_ns): (u64, u64),
        mut waited: impl FnMut(u64),
    ) {
        let (begun, mut passed) = (self.begun.load(Acquire), self.sequenced.load(Relaxed));
        let (mut end, mut index) = (0, first_index);
        while passed < begun {
            let place = self.place(passed);
            let wanted = place.get(Place::POSITION).saturating_sub(begin);
            if wanted > batch.len() as u64 {
                break;
            }
            while let Some(command) = batch.get(end) {
                let records = usize::from(command.header.record_count).max(1);
                if (end + records) as u64 >= wanted {
                    break;
                }
                end += records;
                index += 1;
            }
            place.set(Place::INDEX, index);
            place.set(Place::SEQUENCED, sequenced_ns);
            place.set(Place::APPLIED, applied_ns);
            waited(sequenced_ns.saturating_sub(place.get(Place::HANDED_IN)));
            passed += 1;
        }
        self.sequenced.store(passed, Release);
    }

    /// The gate let the events of all commands up to `index` through.
    #[inline]
    pub(crate) fn released(&self, index: u64, durable_ns: u64, released_ns: u64) {
        let mut passed = self.released.load(Relaxed);
        if passed == self.sequenced.load(Acquire) {
            return;
        }
        while passed < self.sequenced.load(Acquire) {
            let place = self.place(passed);
            if place.get(Place::INDEX) > index {
                break;
            }
            place.set(Place::DURABLE, durable_ns);
            place.set(Place::RELEASED, released_ns);
            passed += 1;
        }
        self.released.store(passed, Release);
    }

    /// Whether the gate let a sample through of which the doors have not told. For the doors.
    #[inline]
    pub(crate) fn is_to_tell(&self) -> bool {
        self.told.load(Relaxed) != self.released.load(Relaxed)
    }

    /// The doors have told what came of all commands up to `index`: gives the samples among them, whose places are free then.
    pub(crate) fn told(&self, index: u64, told_ns: u64, mut each: impl FnMut(Stamps)) {
        let (released, mut passed) = (self.released.load(Acquire), self.told.load(Relaxed));
        while passed < released && self.place(passed).get(Place::INDEX) <= index {
            each(self.place(passed).read(told_ns));
            passed += 1;
        }
        self.told.store(passed, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tradewright_types::CommandKind;

    use super::*;

    /// Commands of so many records each.
    fn batch(lengths: &[u16]) -> Vec<CommandRecord> {
        let mut batch = Vec::new();
        for length in lengths {
            let mut first = CommandRecord::new(CommandKind::PlaceOrder);
            first.header.record_count = *length;
            batch.push(first);
            batch.extend((1..*length).map(|_| CommandRecord::new(CommandKind::Text)));
        }
        batch
    }

    fn sample(position: u64) -> Stamps {
        Stamps { position, is_traced: true, kind: 1, session: 7, client_sequence: position, ..Stamps::default() }
    }

    fn told(passage: &Passage, index: u64) -> Vec<(u64, u64)> {
        let mut told = Vec::new();
        passage.told(index, 99, |stamps| told.push((stamps.position, stamps.index)));
        told
    }

    #[test]
    fn each_sample_is_given_its_own_index_and_passes_in_order() {
        let passage = Passage::default();
        assert!(passage.is_empty() && !passage.is_awaited());
        // The queue has commands of 1, 3, 1, 2 and 1 records, of which the second, third and last are sampled.
        for position in [4, 5, 8] {
            assert!(passage.begin(&Stamps { came_ns: 10, handed_in_ns: 15, ..sample(position) }));
        }
        assert!(passage.is_awaited());
        let mut waited = Vec::new();
        passage.sequenced((0, &batch(&[1, 3])), 41, (20, 22), |ns| waited.push(ns));
        assert_eq!(waited, [5]);
        assert!(told(&passage, 100).is_empty(), "the gate has not let it through");
        passage.released(41, 30, 31);
        assert!(!passage.is_to_tell());
        passage.sequenced((4, &batch(&[1, 2, 1])), 43, (23, 24), |_| {});
        assert!(!passage.is_awaited());
        passage.released(44, 32, 33);
        assert!(passage.is_to_tell());
        assert_eq!(told(&passage, 42), [(4, 42)]);
        assert_eq!(told(&passage, 100), [(5, 43)]);
        passage.released(45, 34, 35);
        let mut last = Stamps::default();
        passage.told(45, 50, |stamps| last = stamps);
        let expected = Stamps {
            came_ns: 10,
            handed_in_ns: 15,
            sequenced_ns: 23,
            applied_ns: 24,
            durable_ns: 34,
            released_ns: 35,
            told_ns: 50,
            index: 45,
            ..sample(8)
        };
        assert_eq!(last, expected);
        assert!(passage.is_empty());
    }

    #[test]
    fn what_has_no_place_is_left_out_and_the_rest_goes_on() {
        let passage = Passage::default();
        for round in 0..3 {
            let first = round * SAMPLES_MAX;
            let taken = (1..=SAMPLES_MAX + 9).filter(|number| passage.begin(&sample(first + number))).count();
            assert_eq!(taken as u64, SAMPLES_MAX);
            let commands = batch(&vec![1; SAMPLES_MAX as usize]);
            passage.sequenced((first, &commands), first + 1, (0, 0), |_| {});
            passage.released(first + SAMPLES_MAX, 0, 0);
            let told = told(&passage, first + SAMPLES_MAX);
            let expected: Vec<_> = (first + 1..=first + SAMPLES_MAX).map(|number| (number, number)).collect();
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn threads_hand_samples_on_without_a_lock() {
        const COMMANDS: u64 = 200_000;
        let passage = Passage::default();
        let handed_in = AtomicU64::new(0);
        let applied = AtomicU64::new(0);
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut taken = 0;
                while taken < COMMANDS {
                    let until = handed_in.load(Acquire);
                    if until > taken && passage.is_awaited() {
                        let commands = batch(&vec![1; (until - taken) as usize]);
                        passage.sequenced((taken, &commands), taken + 1, (taken, until), |_| {});
                    }
                    taken = until;
                    applied.store(taken, Release);
                    std::hint::spin_loop();
                }
            });
            scope.spawn(|| {
                let mut released = 0;
                while released < COMMANDS {
                    released = applied.load(Acquire);
                    passage.released(released, released, released);
                    std::hint::spin_loop();
                }
            });
            let (mut seen, mut position) = (0, 0);
            while position < COMMANDS || !passage.is_empty() {
                if position < COMMANDS {
                    position += 1;
                    if position % 3 == 0 {
                        passage.begin(&sample(position));
                    }
                    handed_in.store(position, Release);
                }
                passage.told(COMMANDS, 0, |stamps| {
                    assert_eq!(stamps.index, stamps.position, "commands have one record each");
                    assert!(stamps.released_ns >= stamps.index);
                    seen += 1;
                });
            }
            seen
        });
        assert!(seen > 100, "{seen}");
    }
}
