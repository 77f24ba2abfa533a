//! Who reads a broadcast, and how far: for the operator. The writer never looks at it.

use crate::error::RegionError;
use crate::header::{Kind, READERS_MAX, moving};
use crate::region::{Region, is_process_alive};
use crate::sync::{AcqRel, Acquire, Arc, AtomicU64, Relaxed, Release};

/// Words of an entry: process, position, polls, name.
const ENTRY_WORDS: usize = 8;
const NAME_WORDS: usize = 5;

/// A reader that shows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderStatus {
    /// What it calls itself.
    pub name: String,
    /// The process.
    pub process: u64,
    /// Whether the process is there.
    pub is_alive: bool,
    /// The position of the next slot that it reads.
    pub position: u64,
    /// How many slots are released that it has not read.
    pub lag: u64,
    /// How often it took something: a reader with a lag whose polls stand still is stuck.
    pub polls: u64,
}

/// A reader's place in the table. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Registration {
    region: Arc<Region>,
    index: usize,
}

impl Registration {
    pub(crate) fn take(region: &Arc<Region>, name: &str, position: u64) -> Result<Self, RegionError> {
        if !region.memory().is_writable() {
            return Err(RegionError::ReadOnly { role: "registered reader" });
        }
        for index in 0..READERS_MAX {
            let process = entry(region, index, 0);
            let holder = process.load(Acquire);
            let is_free = holder == 0 || !is_process_alive(holder);
            if is_free && process.compare_exchange(holder, u64::from(std::process::id()), AcqRel, Acquire).is_ok() {
                let registration = Self { region: Arc::clone(region), index };
                registration.word(1).store(position, Relaxed);
                registration.word(2).store(0, Relaxed);
                registration.write_name(name);
                return Ok(registration);
            }
        }
        Err(RegionError::ReadersMax { readers_max: READERS_MAX })
    }

    fn word(&self, field: usize) -> &AtomicU64 {
        entry(&self.region, self.index, field)
    }

    fn write_name(&self, name: &str) {
        let mut bytes = [0; NAME_WORDS * 8];
        let end = (0..=name.len().min(bytes.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
        bytes[..end].copy_from_slice(&name.as_bytes()[..end]);
        for (i, word) in bytes.chunks_exact(8).enumerate() {
            self.word(3 + i).store(u64::from_le_bytes(word.try_into().expect("Invariant: eight bytes")), Relaxed);
        }
    }

    #[inline]
    pub(crate) fn show(&self, position: u64) {
        self.word(1).store(position, Relaxed);
        let polls = self.word(2).load(Relaxed);
        self.word(2).store(polls.wrapping_add(1), Relaxed);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.word(0).store(0, Release);
    }
}

fn entry(region: &Region, index: usize, field: usize) -> &AtomicU64 {
    region.word(moving::READER_TABLE + index * ENTRY_WORDS + field)
}

impl Region {
    /// The readers of a broadcast that show themselves. Empty for other rings.
    #[must_use]
    pub fn readers(&self) -> Vec<ReaderStatus> {
        if self.shape().kind != Kind::Broadcast {
            return Vec::new();
        }
        let released = self.word(moving::RELEASED).load(Relaxed);
        let taken = (0..READERS_MAX).filter(|&index| entry(self, index, 0).load(Relaxed) != 0);
        taken.map(|index| self.reader_status(index, released)).collect()
    }

    fn reader_status(&self, index: usize, released: u64) -> ReaderStatus {
        let word = |field| entry(self, index, field).load(Relaxed);
        let name: Vec<u8> =
            (0..NAME_WORDS).flat_map(|i| word(3 + i).to_le_bytes()).take_while(|&byte| byte != 0).collect();
        let (process, position) = (word(0), word(1));
        ReaderStatus {
            name: String::from_utf8_lossy(&name).into_owned(),
            process,
            is_alive: is_process_alive(process),
            position,
            lag: released.saturating_sub(position),
            polls: word(2),
        }
    }
}
