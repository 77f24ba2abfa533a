//! Where the channel stood, so that a start need not count all messages since the first command.
//!
//! A file of eight entries, written in turns and never synced: one that a power cut took is missed by nobody, as the log says
//! the same. An entry that fails its checksum, is ahead of the log, or names another time than the log is passed over.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{NodeError, while_doing};

/// The file in the node's folder.
pub(crate) const SEQUENCES_FILE: &str = "feed.sequences";
const MAGIC: &[u8; 8] = b"TWFEEDSQ";
const ENTRIES: u64 = 8;
const ENTRY_BYTES: usize = 40;

/// Where the channel stood behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The command.
    pub(crate) index: u64,
    /// Its time.
    pub(crate) time_ns: u64,
    /// The sequence of the first message behind it.
    pub(crate) next_sequence: u64,
}

impl Mark {
    /// Before the first command.
    pub(crate) const fn first() -> Self {
        Self { index: 0, time_ns: 0, next_sequence: 1 }
    }

    /// Magic, index, time, sequence, and the sum of them that guards against what is torn; five words.
    pub(super) fn encode(self) -> [u8; ENTRY_BYTES] {
        let words = [u64::from_le_bytes(*MAGIC), self.index, self.time_ns, self.next_sequence];
        let mut bytes = [0; ENTRY_BYTES];
        for (place, word) in words.into_iter().chain([guard(words)]).enumerate() {
            bytes[place * 8..][..8].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let word = |place: usize| {
            let bytes = &bytes[place * 8..][..8];
            u64::from_le_bytes(bytes.try_into().expect("Invariant: eight bytes"))
        };
        let words = [word(0), word(1), word(2), word(3)];
        let is_whole = words[0] == u64::from_le_bytes(*MAGIC) && word(4) == guard(words) && words[3] > 0;
        is_whole.then_some(Self { index: words[1], time_ns: words[2], next_sequence: words[3] })
    }
}

/// FNV-1a over words.
fn guard(words: [u64; 4]) -> u64 {
    words.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3))
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Sequences {
    file: File,
    marks: Vec<Mark>,
    next_entry: u64,
}

impl Sequences {
    /// Opens the file of a folder, and makes it when it is not there.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn open(directory: &Path) -> Result<Self, NodeError> {
        let path = directory.join(SEQUENCES_FILE);
        let doing = || format!("opening {}", path.display());
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(while_doing(doing()))?;
        let mut marks = Vec::new();
        let mut newest = (0, 0);
        for entry in 0..ENTRIES {
            let mut bytes = [0; ENTRY_BYTES];
            // What is not there yet reads as nothing.
            if file.read_exact_at(&mut bytes, entry * ENTRY_BYTES as u64).is_err() {
                continue;
            }
            if let Some(mark) = Mark::decode(&bytes) {
                newest = newest.max((mark.index, entry + 1));
                marks.push(mark);
            }
        }
        Ok(Self { file, marks, next_entry: newest.1 })
    }

    /// The newest mark that is not ahead of a command.
    pub(crate) fn newest(&self, index_max: u64) -> Option<Mark> {
        self.marks.iter().filter(|mark| mark.index <= index_max).max_by_key(|mark| mark.index).copied()
    }

    /// Notes a mark in the place of the oldest.
    pub(crate) fn note(&mut self, mark: Mark) {
        // Without the note the next start counts further back: that is all that is lost.
        let _ = self.file.write_all_at(&mark.encode(), self.next_entry % ENTRIES * ENTRY_BYTES as u64);
        self.next_entry += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(index: u64) -> Mark {
        Mark { index, time_ns: index * 10, next_sequence: index * 3 + 1 }
    }

    #[test]
    fn the_newest_mark_that_the_log_reaches_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Sequences::open(folder.path()).expect("a file");
        assert_eq!(open().newest(u64::MAX), None);
        let mut sequences = open();
        for index in 1..=11 {
            sequences.note(mark(index));
        }
        assert_eq!(open().newest(u64::MAX), Some(mark(11)));
        assert_eq!(open().newest(9), Some(mark(9)), "the log ends earlier");
        assert_eq!(open().newest(3), None, "it was written over");
        open().note(mark(12));
        assert_eq!((open().newest(u64::MAX), open().newest(11)), (Some(mark(12)), Some(mark(11))));
        assert_eq!(open().newest(4), None, "the oldest made room");
    }

    #[test]
    fn a_damaged_mark_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sequences = Sequences::open(folder.path()).expect("a file");
        sequences.note(mark(1));
        sequences.note(mark(2));
        let path = folder.path().join(SEQUENCES_FILE);
        let whole = std::fs::read(&path).expect("a file");
        for place in ENTRY_BYTES..2 * ENTRY_BYTES {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            std::fs::write(&path, &bytes).expect("a file");
            assert_eq!(Sequences::open(folder.path()).expect("a file").newest(u64::MAX), Some(mark(1)), "{place}");
        }
        std::fs::write(&path, &whole[..ENTRY_BYTES + 7]).expect("a file");
        assert_eq!(Sequences::open(folder.path()).expect("a file").newest(u64::MAX), Some(mark(1)));
    }
}
