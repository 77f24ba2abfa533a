//! A disk in memory that forgets, tears and fails, for the journal to stand on.
//!
//! It keeps apart what was written and what was synced. A *cut* of the power leaves what was synced, and of everything else,
//! sector by sector and name by name, whatever the seed says: none, all or any part. A failure can be set for the n-th call.
//! After a sync that failed the disk behaves as real ones do: the data are still read back, and are taken for written.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewright_journal::{Access, Storage, StoredFile};

use crate::Random;

const SECTOR: usize = 512;

/// Which call fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How many calls that change something succeed before.
    pub after_calls: u64,
    /// What the failing call says.
    pub kind: FailureKind,
    /// Whether all later calls that need the same fail too; otherwise only this one does.
    pub lasts: bool,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No space is left: writes and new files fail, of a write the first half may be done.
    NoSpace,
    /// The device fails.
    Device,
    /// The power is gone: nothing is synced any more. See [`FaultyStorage::after_cut`].
    Power,
}

impl FailureKind {
    fn error(self) -> io::Error {
        match self {
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::Device => io::Error::other("the device failed (set by the test)"),
            Self::Power => io::Error::other("the power is gone (set by the test)"),
        }
    }
}

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Any part, by sectors and names.
    Any,
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    /// What a process reads.
    seen: Vec<u8>,
    /// What is on the disk.
    synced: Vec<u8>,
    /// The sectors that differ, as far as the disk knows.
    dirty: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Made(String, usize),
    Renamed(String, String, usize),
    Removed(String),
}

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// Since the folder was synced.
    name_changes: Vec<NameChange>,
    calls: u64,
    failure: Option<Failure>,
    is_locked: bool,
}

/// What a call needs of the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Space,
    Device,
}

impl Disk {
    /// Counts a call that changes something, and fails it when that was set.
    fn count(&mut self, need: Need) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        let Some(Failure { after_calls, kind, lasts }) = self.failure else { return Ok(()) };
        let is_hit = call == after_calls || lasts && call > after_calls;
        if is_hit && (kind != FailureKind::NoSpace || need == Need::Space) { Err(kind.error()) } else { Ok(()) }
    }

    fn is_without_power(&self) -> bool {
        self.failure.is_some_and(|failure| failure.kind == FailureKind::Power)
    }

    fn inode_of(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultyStorage {
    disk: Arc<Mutex<Disk>>,
}

impl FaultyStorage {
    /// An empty disk that does not fail.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls changed something so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.disk().calls
    }

    /// Lets a call fail from now on, or none.
    pub fn fail(&self, failure: Option<Failure>) {
        self.disk().failure = failure;
    }

    /// What another process finds after a kill: everything that was written, synced or not. The failure is over.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let disk = self.disk();
        let copy = Disk {
            inodes: disk.inodes.clone(),
            names: disk.names.clone(),
            synced_names: disk.synced_names.clone(),
            name_changes: disk.name_changes.clone(),
            ..Disk::default()
        };
        Self { disk: Arc::new(Mutex::new(copy)) }
    }

    /// What is on the disk after the power was cut.
    #[must_use]
    pub fn after_cut(&self, cut: Cut, random: &mut Random) -> Self {
        let disk = self.disk();
        // A cut has its own mood, so that few, many and nearly all survive equally often.
        let odds = match cut {
            Cut::Any => random.below(17),
            Cut::Nothing => 0,
            Cut::Everything => 16,
        };
        let mut keeps = || random.below(16) < odds;
        let mut names = disk.synced_names.clone();
        for change in disk.name_changes.iter().filter(|_| keeps()) {
            apply_change(&mut names, change);
        }
        let inodes = disk.inodes.iter().map(|inode| inode.after_cut(&mut keeps)).collect();
        let after = Disk { inodes, synced_names: names.clone(), names, ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(after)) }
    }

    /// The bytes of a file, as they are read.
    ///
    /// # Panics
    /// When there is no such file.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let disk = self.disk();
        disk.inodes[disk.names[name]].seen.clone()
    }

    /// Changes the bytes of a file on the disk itself.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn alter(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names[name];
        let inode = &mut disk.inodes[inode];
        change(&mut inode.seen);
        inode.synced = inode.seen.clone();
        inode.dirty.clear();
    }
}

fn apply_change(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Made(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        NameChange::Renamed(from, to, inode) => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
        NameChange::Removed(name) => {
            names.remove(name);
        }
    }
}

impl Inode {
    fn after_cut(&self, keeps: &mut impl FnMut() -> bool) -> Self {
        let mut left = self.synced.clone();
        for sector in &self.dirty {
            let (from, to) = (sector * SECTOR, ((sector + 1) * SECTOR).min(self.seen.len()));
            if from < to && keeps() {
                if left.len() < to {
                    left.resize(to, 0);
                }
                left[from..to].copy_from_slice(&self.seen[from..to]);
            }
        }
        Self { seen: left.clone(), synced: left, dirty: BTreeSet::new() }
    }

    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[offset..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.dirty.extend(offset / SECTOR..=(end - 1) / SECTOR);
        }
    }

    fn sync(&mut self) {
        self.synced.resize(self.seen.len(), 0);
        for sector in core::mem::take(&mut self.dirty) {
            let (from, to) = (sector * SECTOR, ((sector + 1) * SECTOR).min(self.seen.len()));
            self.synced[from..to].copy_from_slice(&self.seen[from..to]);
        }
    }
}

/// A file of a [`FaultyStorage`].
#[derive(Debug)]
pub struct FaultyFile {
    storage: FaultyStorage,
    inode: usize,
}

/// Gives the folder back when it is dropped.
#[derive(Debug)]
pub struct FaultyLock(FaultyStorage);

impl Drop for FaultyLock {
    fn drop(&mut self) {
        self.0.disk().is_locked = false;
    }
}

impl Storage for FaultyStorage {
    type File = FaultyFile;
    type Lock = FaultyLock;

    fn create(&self, name: &str) -> io::Result<FaultyFile> {
        let mut disk = self.disk();
        disk.count(Need::Space)?;
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        disk.names.insert(name.to_owned(), inode);
        disk.name_changes.push(NameChange::Made(name.to_owned(), inode));
        Ok(FaultyFile { storage: self.clone(), inode })
    }

    fn open(&self, name: &str, _: Access) -> io::Result<FaultyFile> {
        let inode = self.disk().inode_of(name)?;
        Ok(FaultyFile { storage: self.clone(), inode })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.count(Need::Device)?;
        let inode = disk.inode_of(from)?;
        disk.names.remove(from);
        disk.names.insert(to.to_owned(), inode);
        disk.name_changes.push(NameChange::Renamed(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.count(Need::Device)?;
        disk.inode_of(name)?;
        disk.names.remove(name);
        disk.name_changes.push(NameChange::Removed(name.to_owned()));
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.count(Need::Device)?;
        disk.name_changes.clear();
        disk.synced_names = disk.names.clone();
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.disk().names.keys().cloned().collect())
    }

    fn lock(&self) -> io::Result<Option<FaultyLock>> {
        let mut disk = self.disk();
        let was_locked = core::mem::replace(&mut disk.is_locked, true);
        Ok((!was_locked).then(|| FaultyLock(self.clone())))
    }

    fn outlives_power(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl StoredFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let counted = disk.count(Need::Space);
        // Without power any part may arrive: the cut decides, sector by sector.
        let is_whole = counted.is_ok() || disk.is_without_power();
        let written = if is_whole { bytes } else { &bytes[..bytes.len() / 2] };
        disk.inodes[self.inode].write(written, offset as usize);
        counted
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.storage.disk();
        let seen = &disk.inodes[self.inode].seen;
        let from = (offset as usize).min(seen.len());
        let got = bytes.len().min(seen.len() - from);
        bytes[..got].copy_from_slice(&seen[from..from + got]);
        Ok(got)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let counted = disk.count(Need::Device);
        let is_without_power = disk.is_without_power();
        let inode = &mut disk.inodes[self.inode];
        if counted.is_err() && is_without_power {
            return counted;
        }
        if counted.is_err() {
            // What could not be written is forgotten: it is read back, taken for written, and not on the disk.
            inode.dirty.clear();
        } else {
            inode.sync();
        }
        counted
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.storage.disk().inodes[self.inode].seen.len() as u64)
    }
}
