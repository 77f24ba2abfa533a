//! Segments: the files that hold the batches.
//!
//! A segment is filled with zeros before it is used, under the name of a prepared one, so that writing into it never changes
//! its length. It gets its own name, that of its first index, when its header is written.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zerocopy::{FromZeros, IntoBytes};

use crate::archive::unpack;
use crate::error::{JournalError, Outcome, damaged, while_doing};
use crate::format::{Identity, SEGMENT_HEADER_BYTES, SegmentHeader, Tip};
use crate::storage::{Access, Storage, StoredFile};

const SEGMENT_SUFFIX: &str = ".seg";
const ARCHIVE_SUFFIX: &str = ".seg.zst";
const PREPARED_PREFIX: &str = "prepared-";
/// A file under such a name was never finished.
pub(crate) const PART_SUFFIX: &str = ".part";
/// How much of a segment is filled and synced at once.
const FILL_BYTES: u64 = 8 << 20;
static ZEROS: [u8; 1 << 18] = [0; 1 << 18];

/// The name of the segment that begins with an index.
pub(crate) fn segment_name(first_index: u64) -> String {
    format!("{first_index:020}{SEGMENT_SUFFIX}")
}

/// The name of the archive of that segment.
pub(crate) fn archive_name(first_index: u64) -> String {
    format!("{first_index:020}{ARCHIVE_SUFFIX}")
}

/// The first index of the segment of this name, if it is one.
pub(crate) fn index_of_segment(name: &str) -> Option<u64> {
    index_in_name(name, "", SEGMENT_SUFFIX)
}

/// The first index of the segment whose archive has this name, if it is one.
pub(crate) fn index_of_archive(name: &str) -> Option<u64> {
    index_in_name(name, "", ARCHIVE_SUFFIX)
}

/// The index in a name of twenty digits between a prefix and a suffix.
pub(crate) fn index_in_name(name: &str, prefix: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
    if digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// A segment that is open, its header checked.
pub(crate) struct Segment<F> {
    pub(crate) name: String,
    pub(crate) file: SegmentFile<F>,
    pub(crate) header: SegmentHeader,
}

/// Where the bytes of a segment are.
pub(crate) enum SegmentFile<F> {
    /// In their file.
    Disk(F),
    /// Unpacked from an archive, to be read only.
    Archive(Vec<u8>),
}

impl<F: StoredFile> StoredFile for SegmentFile<F> {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Disk(file) => file.write_at(bytes, offset),
            Self::Archive(_) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Disk(file) => file.read_at(bytes, offset),
            Self::Archive(unpacked) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(unpacked.len());
                let got = bytes.len().min(unpacked.len() - from);
                bytes[..got].copy_from_slice(&unpacked[from..from + got]);
                Ok(got)
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match self {
            Self::Disk(file) => file.sync_data(),
            Self::Archive(_) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    fn length(&self) -> io::Result<u64> {
        match self {
            Self::Disk(file) => file.length(),
            Self::Archive(unpacked) => Ok(unpacked.len() as u64),
        }
    }
}

impl<F: StoredFile> Segment<F> {
    /// Opens the segment that begins with an index.
    pub(crate) fn open<S: Storage<File = F>>(storage: &S, first_index: u64, access: Access) -> Outcome<Self> {
        let mut name = segment_name(first_index);
        let file = match storage.open(&name, access) {
            Ok(file) => SegmentFile::Disk(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && access == Access::Read => {
                name = archive_name(first_index);
                SegmentFile::Archive(unpack(storage, &name)?)
            }
            Err(error) => return Err(while_doing("opening", &name)(error)),
        };
        let header = read_header(&file, &name)?;
        if header.first_index != first_index {
            return Err(damaged(&name, 0, "a segment must be named after its first index"));
        }
        Ok(Self { name, file, header })
    }
}

/// Reads and checks the header of a segment.
pub(crate) fn read_header<F: StoredFile>(file: &F, name: &str) -> Outcome<SegmentHeader> {
    let mut header = SegmentHeader::new_zeroed();
    let got = file.read_at(header.as_mut_bytes(), 0).map_err(while_doing("reading", name))?;
    if got < SEGMENT_HEADER_BYTES {
        return Err(damaged(name, got as u64, "a segment must have its header"));
    }
    header.check(name)?;
    let length = file.length().map_err(while_doing("measuring", name))?;
    if length != header.segment_bytes {
        return Err(damaged(name, length, "a segment must be as long as its header says"));
    }
    Ok(header)
}

/// Makes segments ready ahead of their use; shared by the writer, who takes them, and whoever prepares them.
pub(crate) struct Supply<S> {
    storage: S,
    segment_bytes: u64,
    shelf: Arc<Mutex<Shelf>>,
}

/// The names of what is ready. A number is never given twice, so that preparing one never meets the taking of another.
#[derive(Default)]
struct Shelf {
    ready: VecDeque<String>,
    last_number: u32,
}

impl<S: Storage> Clone for Supply<S> {
    fn clone(&self) -> Self {
        let Self { storage, segment_bytes, shelf } = self;
        Self { storage: storage.clone(), segment_bytes: *segment_bytes, shelf: Arc::clone(shelf) }
    }
}

impl<S: Storage> Supply<S> {
    /// Finds the prepared segments that an earlier process left, and removes what it did not finish.
    pub(crate) fn open(storage: S, segment_bytes: u64, names: &[String]) -> Outcome<Self> {
        let mut shelf = Shelf::default();
        for name in names {
            let number = name.strip_prefix(PREPARED_PREFIX).and_then(|number| number.parse::<u32>().ok());
            shelf.last_number = shelf.last_number.max(number.unwrap_or(0));
            if number.is_some() && length_of(&storage, name)? == segment_bytes {
                shelf.ready.push_back(name.clone());
            } else if number.is_some() || name.ends_with(PART_SUFFIX) {
                storage.remove(name).map_err(while_doing("removing", name))?;
            }
        }
        Ok(Self { storage, segment_bytes, shelf: Arc::new(Mutex::new(shelf)) })
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().ready.len()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // A list of names is whole at any moment, whoever panicked.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one more segment ready: zeros to its end, on the disk.
    pub(crate) fn prepare(&self) -> Outcome<()> {
        let name = self.free_name();
        let part = format!("{name}{PART_SUFFIX}");
        let made = self.fill(&part).and_then(|()| {
            self.storage.rename(&part, &name).map_err(while_doing("renaming", &part))?;
            self.storage.sync_folder().map_err(while_doing("syncing the folder for", &name))
        });
        if made.is_err() {
            // The error that counts is the first one; what is left is removed at the next start, if not now.
            let _ = self.storage.remove(&part);
        }
        made?;
        self.lock().ready.push_back(name);
        Ok(())
    }

    fn free_name(&self) -> String {
        let mut shelf = self.lock();
        shelf.last_number += 1;
        format!("{PREPARED_PREFIX}{}", shelf.last_number)
    }

    fn fill(&self, name: &str) -> Outcome<()> {
        let file = self.storage.create(name).map_err(while_doing("creating", name))?;
        // By parts: one sync of a whole segment would hold the journal's own syncs up.
        let mut from = 0;
        while from < self.segment_bytes {
            let to = (from + FILL_BYTES).min(self.segment_bytes);
            fill_with_zeros(&file, name, from, to)?;
            file.sync_data().map_err(while_doing("syncing", name))?;
            from = to;
        }
        Ok(())
    }

    /// Turns a prepared segment into the one that follows `tip`. What fails here leaves the disk in an unknown state.
    pub(crate) fn take(&self, identity: Identity, tip: &Tip, batch_bytes_max: u64) -> Outcome<Segment<S::File>> {
        let prepared = self.lock().ready.pop_front().ok_or(JournalError::LogSpaceExhausted)?;
        let name = segment_name(tip.index + 1);
        let header = SegmentHeader::new(identity, tip, self.segment_bytes, batch_bytes_max);
        let file = self.storage.open(&prepared, Access::Write).map_err(while_doing("opening", &prepared))?;
        file.write_at(header.as_bytes(), 0).map_err(while_doing("writing the header of", &prepared))?;
        file.sync_data().map_err(while_doing("syncing", &prepared))?;
        self.storage.rename(&prepared, &name).map_err(while_doing("renaming", &prepared))?;
        self.storage.sync_folder().map_err(while_doing("syncing the folder for", &name))?;
        Ok(Segment { name, file: SegmentFile::Disk(file), header })
    }
}

fn length_of<S: Storage>(storage: &S, name: &str) -> Outcome<u64> {
    let file = storage.open(name, Access::Read).map_err(while_doing("opening", name))?;
    file.length().map_err(while_doing("measuring", name))
}

/// Overwrites a part of a file with zeros.
pub(crate) fn fill_with_zeros<F: StoredFile>(file: &F, name: &str, from: u64, to: u64) -> Outcome<()> {
    let mut offset = from;
    while offset < to {
        let bytes = (to - offset).min(ZEROS.len() as u64);
        file.write_at(&ZEROS[..bytes as usize], offset).map_err(while_doing("writing zeros to", name))?;
        offset += bytes;
    }
    Ok(())
}
