//! Two lines with the same datagrams become one stream without gaps.
//!
//! A datagram carries messages `sequence`, `sequence + 1`, ... of one channel. The first copy of each message counts, from
//! whichever line it comes. What comes too early is kept until the messages before it are there: from the other line, by
//! retransmission, or never, when the reader starts anew from a snapshot. Pure: datagrams and the time come in.

use std::collections::BTreeMap;

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take it now, but for its first messages, which were there before. Then ask [`Arbitrator::next_kept`].
    Deliver {
        /// How many of its messages to leave out.
        skip: u64,
    },
    /// All of it was there before.
    Duplicate,
    /// Messages before it are missing: it is kept.
    Early,
    /// Messages before it are missing, and there is no room to keep it.
    Dropped,
    /// It has no message, or its numbers overflow: it is damaged.
    Damaged,
}

/// A datagram that was kept until its turn came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The sequence of its first message.
    pub sequence: u64,
    /// How many of its messages to leave out.
    pub skip: u64,
    /// Its bytes.
    pub datagram: Vec<u8>,
}

/// Messages that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first that is missing.
    pub from: u64,
    /// The first that is there again.
    pub to: u64,
    /// Since when, by the time that came with the datagrams.
    pub since_ns: u64,
}

/// What a line brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Datagrams that were the first with a message, kept ones included.
    pub first: u64,
    /// Datagrams that brought nothing new.
    pub duplicate: u64,
}

#[derive(Clone, Debug)]
struct Early {
    count: u64,
    datagram: Vec<u8>,
}

/// The order of one channel that comes on several lines.
#[derive(Clone, Debug)]
pub struct Arbitrator {
    expected: u64,
    early: BTreeMap<u64, Early>,
    early_max: usize,
    gap_since_ns: u64,
    counts: Vec<LineCounts>,
}

impl Arbitrator {
    /// A channel whose next message is `expected`, on so many lines, of which at most `early_max` datagrams are kept.
    #[must_use]
    pub fn new(expected: u64, lines: usize, early_max: usize) -> Self {
        let (early, counts) = (BTreeMap::new(), vec![LineCounts::default(); lines]);
        Self { expected, early, early_max, gap_since_ns: 0, counts }
    }

    /// Judges a datagram with messages from `sequence` on, `count` of them. What is retransmitted comes as a line too.
    ///
    /// # Panics
    /// When there is no such line.
    pub fn offer(&mut self, line: usize, sequence: u64, count: u64, datagram: &[u8], now_ns: u64) -> Verdict {
        let Some(end) = sequence.checked_add(count).filter(|_| count > 0) else { return Verdict::Damaged };
        let verdict = if end <= self.expected {
            Verdict::Duplicate
        } else if sequence <= self.expected {
            let skip = self.expected - sequence;
            self.expected = end;
            self.gap_since_ns = now_ns;
            Verdict::Deliver { skip }
        } else {
            self.keep(sequence, count, datagram, now_ns)
        };
        let counts = &mut self.counts[line];
        match verdict {
            Verdict::Deliver { .. } | Verdict::Early => counts.first += 1,
            Verdict::Duplicate => counts.duplicate += 1,
            Verdict::Dropped | Verdict::Damaged => {}
        }
        verdict
    }

    fn keep(&mut self, sequence: u64, count: u64, datagram: &[u8], now_ns: u64) -> Verdict {
        // The copy of the other line, or the same messages cut differently: what holds more is kept.
        if self.early.get(&sequence).is_some_and(|kept| kept.count >= count) {
            return Verdict::Duplicate;
        }
        let is_new = !self.early.contains_key(&sequence);
        if is_new && self.early.len() >= self.early_max {
            // Those that are needed last make room; they can be asked for again.
            match self.early.last_key_value() {
                Some((&last, _)) if last > sequence => self.early.remove(&last),
                _ => return Verdict::Dropped,
            };
        }
        if self.early.is_empty() {
            self.gap_since_ns = now_ns;
        }
        self.early.insert(sequence, Early { count, datagram: datagram.to_vec() });
        Verdict::Early
    }

    /// The next kept datagram whose turn has come. To be asked until there is none, after each delivery and after
    /// [`Arbitrator::restart`].
    pub fn next_kept(&mut self) -> Option<Kept> {
        loop {
            let entry = self.early.first_entry()?;
            let sequence = *entry.key();
            if sequence > self.expected {
                return None;
            }
            let Early { count, datagram } = entry.remove();
            let (end, skip) = (sequence + count, self.expected - sequence);
            if end > self.expected {
                self.expected = end;
                return Some(Kept { sequence, skip, datagram });
            }
        }
    }

    /// The messages that are missing before what is kept; to be asked for again once the other line had its time.
    #[must_use]
    pub fn gap(&self) -> Option<Gap> {
        let (&to, _) = self.early.first_key_value()?;
        Some(Gap { from: self.expected, to, since_ns: self.gap_since_ns })
    }

    /// Goes on at `expected`: a snapshot covers everything before.
    pub fn restart(&mut self, expected: u64, now_ns: u64) {
        self.expected = expected;
        self.gap_since_ns = now_ns;
    }

    /// The sequence of the next message.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// What each line brought.
    #[must_use]
    pub fn counts(&self) -> &[LineCounts] {
        &self.counts
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    /// Plays `line:sequence+count` words and returns what was delivered, message by message.
    fn play(arbitrator: &mut Arbitrator, words: &str) -> (Vec<u64>, Vec<Verdict>) {
        let (mut delivered, mut verdicts) = (Vec::new(), Vec::new());
        for (time, word) in words.split_whitespace().enumerate() {
            let (line, rest) = word.split_once(':').expect("line:");
            let (sequence, count) = rest.split_once('+').expect("sequence+count");
            let (sequence, count) = (sequence.parse().expect("a number"), count.parse().expect("a number"));
            let verdict = arbitrator.offer(usize::from(line == "b"), sequence, count, &[sequence as u8], time as u64);
            if let Verdict::Deliver { skip } = verdict {
                delivered.extend(sequence + skip..sequence + count);
            }
            while let Some(kept) = arbitrator.next_kept() {
                assert_eq!(kept.datagram, [kept.sequence as u8]);
                delivered.extend(kept.sequence + kept.skip..arbitrator.expected());
            }
            verdicts.push(verdict);
        }
        (delivered, verdicts)
    }

    #[test]
    fn the_first_copy_counts() {
        let mut arbitrator = Arbitrator::new(1, 2, 8);
        let (delivered, verdicts) = play(&mut arbitrator, "a:1+2 b:1+2 b:3+1 a:3+1");
        assert_eq!(delivered, [1, 2, 3]);
        assert_eq!(verdicts[1..3], [Verdict::Duplicate, Verdict::Deliver { skip: 0 }]);
        assert_eq!(arbitrator.counts(), [LineCounts { first: 1, duplicate: 1 }; 2]);
    }

    #[test]
    fn what_comes_early_waits_for_the_other_line() {
        let mut arbitrator = Arbitrator::new(1, 2, 8);
        assert_eq!(play(&mut arbitrator, "a:1+1 a:4+2 a:3+1").0, [1]);
        assert_eq!(arbitrator.gap(), Some(Gap { from: 2, to: 3, since_ns: 1 }));
        assert_eq!(play(&mut arbitrator, "b:3+1 b:2+1").0, [2, 3, 4, 5]);
        assert_eq!((arbitrator.gap(), arbitrator.expected()), (None, 6));
    }

    #[test]
    fn the_same_messages_may_be_cut_differently() {
        let mut arbitrator = Arbitrator::new(1, 2, 8);
        assert_eq!(play(&mut arbitrator, "a:1+3 b:2+4 a:8+1 b:8+3 a:7+2 b:6+1").0, (1..=10).collect::<Vec<_>>());
        assert_eq!(arbitrator.gap(), None);
    }

    #[test]
    fn what_there_is_no_room_for_is_dropped_and_the_nearest_kept() {
        let mut arbitrator = Arbitrator::new(1, 1, 2);
        let (_, verdicts) = play(&mut arbitrator, "a:5+1 a:9+1 a:12+1 a:3+1");
        assert_eq!(verdicts, [Verdict::Early, Verdict::Early, Verdict::Dropped, Verdict::Early]);
        assert_eq!(play(&mut arbitrator, "a:1+4").0, [1, 2, 3, 4, 5]);
        assert_eq!(arbitrator.gap(), None, "the one at 9 made room");
    }

    #[test]
    fn a_snapshot_closes_a_gap() {
        let mut arbitrator = Arbitrator::new(1, 1, 8);
        play(&mut arbitrator, "a:5+2 a:8+1");
        arbitrator.restart(6, 40);
        assert_eq!(arbitrator.next_kept().map(|kept| (kept.sequence, kept.skip)), Some((5, 1)));
        assert_eq!((arbitrator.next_kept(), arbitrator.expected()), (None, 7));
        assert_eq!(arbitrator.gap(), Some(Gap { from: 7, to: 8, since_ns: 40 }));
    }

    #[test]
    fn damaged_numbers_are_told() {
        let mut arbitrator = Arbitrator::new(1, 1, 8);
        assert_eq!(arbitrator.offer(0, 1, 0, &[], 0), Verdict::Damaged);
        assert_eq!(arbitrator.offer(0, u64::MAX, 1, &[], 0), Verdict::Damaged);
    }

    /// Two lines that lose, double and reorder; what both lose is asked for again.
    #[test]
    fn a_lossy_feed_arrives_whole() {
        for seed in 1..200_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut random = move |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let mut arbitrator = Arbitrator::new(1, 3, 16);
            let mut datagrams = Vec::new();
            for sequence in (1..200).step_by(3) {
                for line in 0..2 {
                    // Later by up to six datagrams, lost, or doubled.
                    let copies = [1, 1, 1, 0, 2][random(5) as usize];
                    datagrams.extend((0..copies).map(|_| (sequence + random(18), line, sequence)));
                }
            }
            datagrams.sort_unstable();
            let mut delivered = Vec::new();
            let take = |arbitrator: &mut Arbitrator, line, sequence, delivered: &mut Vec<u64>| {
                if let Verdict::Deliver { skip } = arbitrator.offer(line, sequence, 3, &[0], 0) {
                    delivered.extend(sequence + skip..sequence + 3);
                }
                while let Some(kept) = arbitrator.next_kept() {
                    delivered.extend(kept.sequence + kept.skip..arbitrator.expected());
                }
            };
            for (_, line, sequence) in datagrams {
                take(&mut arbitrator, line, sequence, &mut delivered);
                while let Some(gap) = arbitrator.gap().filter(|gap| gap.to > gap.from + 9) {
                    take(&mut arbitrator, 2, (gap.from - 1) / 3 * 3 + 1, &mut delivered);
                }
            }
            while arbitrator.expected() < 202 - 202 % 3 {
                let missing = (arbitrator.expected() - 1) / 3 * 3 + 1;
                take(&mut arbitrator, 2, missing, &mut delivered);
            }
            assert_eq!(delivered, (1..arbitrator.expected()).collect::<Vec<_>>(), "seed={seed}");
        }
    }
}
