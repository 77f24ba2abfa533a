//! The memory of one ring: made here or by another process, and checked before anything in it is believed.

#![allow(unsafe_code, reason = "reserving a file's space and asking for a process have no safe interface")]

use std::io;
use std::path::PathBuf;

use crate::error::RegionError;
use crate::header::{HEADER_BYTES, Kind, LAYOUT_VERSION, MAGIC, State, fixed, moving};
use crate::memory::Memory;
#[cfg(not(feature = "loom"))]
use crate::placement::HugePages;
use crate::slot::{Slot, hash_of};
use crate::sync::{AcqRel, Acquire, Arc, Relaxed, Release};

/// More than any machine has, and far from where sums overflow.
const LENGTH_MAX_BYTES: u64 = 1 << 46;

/// What a ring is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub(crate) kind: Kind,
    pub(crate) layout_hash: u64,
    pub(crate) slot_bytes: u32,
    /// Slots at the end that repeat the first ones, so that a message which begins before the end lies in one piece.
    pub(crate) spill: u32,
    pub(crate) capacity: u64,
}

impl Shape {
    /// A queue of `capacity` slots (a power of two), in which messages of up to `message_slots_max` slots lie in one piece.
    #[must_use]
    pub const fn queue<T: Slot>(capacity: u64, message_slots_max: u32) -> Self {
        Self::new::<T>(Kind::Queue, capacity, message_slots_max)
    }

    /// A queue for many producers of `capacity` slots (a power of two), of messages of up to `message_slots_max` slots.
    #[must_use]
    pub const fn many_queue<T: Slot>(capacity: u64, message_slots_max: u32) -> Self {
        Self::new::<T>(Kind::ManyQueue, capacity, message_slots_max)
    }

    /// A broadcast that keeps the last `capacity` slots (a power of two).
    #[must_use]
    pub const fn broadcast<T: Slot>(capacity: u64) -> Self {
        Self::new::<T>(Kind::Broadcast, capacity, 1)
    }

    /// A bell alone, for a thread that waits for several rings.
    #[must_use]
    pub const fn bell() -> Self {
        Self { kind: Kind::Bell, layout_hash: 0, slot_bytes: 8, spill: 0, capacity: 1 }
    }

    /// How many slots it has.
    #[must_use]
    pub const fn slots(&self) -> u64 {
        self.capacity
    }

    const fn new<T: Slot>(kind: Kind, capacity: u64, message_slots_max: u32) -> Self {
        let slot_bytes = size_of::<T>() as u32;
        Self { kind, layout_hash: hash_of::<T>(), slot_bytes, spill: message_slots_max.saturating_sub(1), capacity }
    }

    fn check(&self) -> Result<(), RegionError> {
        let shape = |field, value, rule| Err(RegionError::Shape { field, value, rule });
        if !self.capacity.is_power_of_two() {
            return shape("capacity", self.capacity, "must be a power of two");
        }
        if u64::from(self.spill) >= self.capacity {
            return shape("message_slots_max", u64::from(self.spill) + 1, "must be at most the capacity");
        }
        if self.slot_bytes == 0 || !self.slot_bytes.is_multiple_of(8) {
            return shape("slot_bytes", u64::from(self.slot_bytes), "must be a multiple of 8");
        }
        if self.checked_length().is_none() {
            return shape("capacity", self.capacity, "is larger than any memory");
        }
        Ok(())
    }

    fn checked_length(&self) -> Option<u64> {
        let slots = self.capacity.checked_add(u64::from(self.spill))?.checked_mul(u64::from(self.slot_bytes))?;
        let marks = if self.kind == Kind::ManyQueue { self.capacity.checked_mul(8)? } else { 0 };
        let length = slots.checked_add(marks)?.checked_add(HEADER_BYTES as u64)?;
        (length <= LENGTH_MAX_BYTES).then_some(length)
    }

    /// How many bytes the ring takes. Only for shapes that were checked.
    fn length(&self) -> usize {
        self.checked_length().expect("Invariant: the shape was checked") as usize
    }

    /// Where the marks of a queue for many begin: behind the slots.
    pub(crate) fn marks_offset(&self) -> usize {
        HEADER_BYTES + (self.capacity as usize + self.spill as usize) * self.slot_bytes as usize
    }
}

/// How the memory of a ring is got.
#[derive(Clone, Copy, Debug)]
pub struct RegionOptions {
    /// Asks for huge pages. Where the system never gives them, making the ring fails.
    pub huge_pages: bool,
    /// Touches every page now, so that nobody waits for one later.
    pub prefault: bool,
    /// Who may open the file.
    pub file_mode: u32,
    /// Nobody can change the length of the file, whoever may write to it: a peer that cuts a ring short would end every process
    /// that has it mapped. The file is then one in memory (Linux), to which the path is a link by way of the owner's process:
    /// only processes of the same user find it, and only while the owner lives.
    pub is_sealed: bool,
}

impl Default for RegionOptions {
    fn default() -> Self {
        Self { huge_pages: false, prefault: true, file_mode: 0o600, is_sealed: false }
    }
}

/// What is done with a ring that another process made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Follow a broadcast. A file that may only be read is enough.
    ReadOnly,
    /// Any side of any ring.
    ReadWrite,
}

/// The memory of one ring. Its sides are taken with `attach` of [`crate::Producer`], [`crate::Reader`] and so on; each keeps the memory alive.
#[derive(Debug)]
pub struct Region {
    memory: Memory,
    shape: Shape,
    generation: u64,
    /// The file, when there is one.
    path: Option<PathBuf>,
    /// This process made it, and closes it in the end.
    is_owner: bool,
    /// The file that only this process and its links hold.
    sealed: Option<std::fs::File>,
}

impl Region {
    /// Makes a ring in memory of this process.
    ///
    /// # Errors
    /// A shape that no ring has, or the system refuses the memory.
    pub fn in_memory(shape: Shape, options: &RegionOptions) -> Result<Arc<Self>, RegionError> {
        shape.check()?;
        let memory = private_memory(shape.length(), options)?;
        Ok(Arc::new(Self::with_header(memory, shape, None)))
    }

    fn with_header(memory: Memory, shape: Shape, path: Option<PathBuf>) -> Self {
        let generation = new_generation();
        let region = Self { memory, shape, generation, path, is_owner: true, sealed: None };
        let store = |index, value| region.word(index).store(value, Relaxed);
        store(fixed::VERSION_AND_KIND, pair(LAYOUT_VERSION, shape.kind as u32));
        store(fixed::LAYOUT_HASH, shape.layout_hash);
        store(fixed::SLOT_BYTES_AND_SPILL, pair(shape.slot_bytes, shape.spill));
        store(fixed::CAPACITY, shape.capacity);
        store(fixed::GENERATION, generation);
        store(fixed::LENGTH, shape.length() as u64);
        store(fixed::OWNER_AND_STATE, pair(std::process::id(), State::Live as u32));
        region.word(fixed::MAGIC).store(MAGIC, Release);
        region
    }

    /// What the ring is like.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A number that no other ring had in this place: after a restart of the owner it is another.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How far a broadcast is written, and how far readers see. For pictures of a ring, not for its ends.
    #[must_use]
    pub fn ends(&self) -> (u64, u64) {
        let released = self.word(moving::RELEASED).load(Relaxed);
        (self.word(moving::WRITTEN).load(Relaxed), released)
    }

    /// How many slots are taken and not given back: of a queue what its consumer has not released, of a broadcast what readers do not
    /// see yet. For pictures of a ring, not for its ends.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let released = self.word(moving::RELEASED).load(Relaxed);
        let taken = match self.shape.kind {
            Kind::ManyQueue => moving::RESERVED,
            Kind::Queue | Kind::Broadcast => moving::WRITTEN,
            Kind::Bell => return 0,
        };
        // The two are read one after the other.
        self.word(taken).load(Relaxed).saturating_sub(released).min(self.shape.capacity)
    }

    /// Whether the owner has ended or replaced the ring: nothing new will come, and a client attaches again. An owner that
    /// was killed could not say so; [`Region::is_replaced`] and [`Region::is_owner_alive`] tell.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.word(fixed::OWNER_AND_STATE).load(Relaxed) >> 32 != State::Live as u64
    }

    /// Says that nothing new will come.
    pub fn close(&self) {
        if self.memory.is_writable() {
            let owner = self.word(fixed::OWNER_AND_STATE).load(Relaxed) as u32;
            self.word(fixed::OWNER_AND_STATE).store(pair(owner, State::Closed as u32), Release);
        }
    }

    /// Whether the process that made the ring is there, as far as this process may know.
    #[must_use]
    pub fn is_owner_alive(&self) -> bool {
        is_process_alive(self.word(fixed::OWNER_AND_STATE).load(Relaxed) & u64::from(u32::MAX))
    }

    /// Whether this process made it.
    pub(crate) fn is_owner(&self) -> bool {
        self.is_owner
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    #[inline]
    pub(crate) fn word(&self, index: usize) -> &crate::sync::AtomicU64 {
        self.memory.word(index)
    }

    /// Makes sure that this is the ring that a side expects.
    pub(crate) fn expect<T: Slot>(&self, kind: Kind) -> Result<(), RegionError> {
        if self.shape.kind != kind {
            return Err(RegionError::WrongKind { found: self.shape.kind, expected: kind });
        }
        let path = || self.path.clone().unwrap_or_else(|| PathBuf::from("memory"));
        let checks = [
            ("layout_hash", self.shape.layout_hash, hash_of::<T>()),
            ("slot_bytes", u64::from(self.shape.slot_bytes), size_of::<T>() as u64),
        ];
        for (field, found, expected) in checks {
            if found != expected {
                return Err(RegionError::Layout { path: path(), field, found, expected });
            }
        }
        Ok(())
    }

    /// Takes a side that only one may have. A side whose process has ended is free.
    pub(crate) fn take_role(self: &Arc<Self>, index: usize, role: &'static str) -> Result<Role, RegionError> {
        if !self.memory.is_writable() {
            return Err(RegionError::ReadOnly { role });
        }
        let mut holder = self.word(index).load(Acquire);
        loop {
            if holder != 0 && is_process_alive(holder) {
                return Err(RegionError::RoleTaken { role, process: holder });
            }
            match self.word(index).compare_exchange(holder, u64::from(std::process::id()), AcqRel, Acquire) {
                Ok(_) => return Ok(Role { region: Arc::clone(self), index }),
                Err(now) => holder = now,
            }
        }
    }
}

#[cfg(not(feature = "loom"))]
mod files {
    use std::fs::{File, OpenOptions};
    use std::io::Read;
    use std::path::Path;

    use super::*;

    impl Region {
        /// Makes a ring in a file, best in a folder that is memory, such as `/dev/shm`. A ring that was there before is
        /// closed and replaced, so that its clients notice.
        ///
        /// # Errors
        /// A shape that no ring has, a file that is no ring or belongs to a process that lives, or the system refuses.
        pub fn create(path: impl AsRef<Path>, shape: Shape, options: &RegionOptions) -> Result<Arc<Self>, RegionError> {
            shape.check()?;
            let path = path.as_ref();
            retire(path)?;
            let mut fresh = path.as_os_str().to_owned();
            fresh.push(format!(".new-{}", std::process::id()));
            let fresh = PathBuf::from(fresh);
            let made = Self::create_as(&fresh, path, shape, options);
            if made.is_err() {
                // The first error is the one to tell.
                let _ = std::fs::remove_file(&fresh);
            }
            made
        }

        /// Makes the ring under a name of its own, and gives it the right one when it is whole.
        fn create_as(
            fresh: &Path,
            path: &Path,
            shape: Shape,
            options: &RegionOptions,
        ) -> Result<Arc<Self>, RegionError> {
            let io = |action| move |source| RegionError::Io { action, path: fresh.to_path_buf(), source };
            let file =
                if options.is_sealed { file_in_memory(options.file_mode) } else { new_file(fresh, options.file_mode) };
            let file = file.map_err(io("create the file"))?;
            reserve(&file, shape.length() as u64).map_err(io("reserve its space"))?;
            let memory = shared_memory(&file, shape.length(), options).map_err(io("map the file"))?;
            let mut region = Self::with_header(memory, shape, Some(path.to_path_buf()));
            if options.is_sealed {
                seal_and_link(&file, fresh).map_err(io("seal the file"))?;
                region.sealed = Some(file);
            }
            std::fs::rename(fresh, path).map_err(io("give the file its name"))?;
            Ok(Arc::new(region))
        }

        /// Opens a ring that another process made.
        ///
        /// # Errors
        /// The file is missing, no ring of this build, cut short, or closed.
        pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Arc<Self>, RegionError> {
            let path = path.as_ref();
            let io = |action, source| RegionError::Io { action, path: path.to_path_buf(), source };
            let file = OpenOptions::new()
                .read(true)
                .write(access == Access::ReadWrite)
                .open(path)
                .map_err(|error| io("open the file", error))?;
            let length = file.metadata().map_err(|error| io("ask for its length", error))?.len();
            let shape = read_shape(path, &file, length)?;
            let map = memmap2::MmapOptions::new().len(shape.length()).populate().to_owned();
            let map = match access {
                Access::ReadOnly => map.map_raw_read_only(&file),
                Access::ReadWrite => map.map_raw(&file),
            };
            let memory = Memory::new(map.map_err(|error| io("map the file", error))?, access == Access::ReadWrite);
            let generation = memory.word(fixed::GENERATION).load(Relaxed);
            let region =
                Self { memory, shape, generation, path: Some(path.to_path_buf()), is_owner: false, sealed: None };
            if region.is_closed() {
                return Err(RegionError::Closed { path: path.to_path_buf() });
            }
            Ok(Arc::new(region))
        }

        /// The file of the ring.
        #[must_use]
        pub fn path(&self) -> Option<&Path> {
            self.path.as_deref()
        }

        /// Whether the file holds another ring by now, or none. Asks the file system: not for busy loops.
        #[must_use]
        pub fn is_replaced(&self) -> bool {
            let Some(path) = &self.path else { return false };
            let now = File::open(path).ok().and_then(|mut file| read_header(&mut file));
            now.is_none_or(|words| words[fixed::GENERATION] != self.generation)
        }
    }

    impl Drop for Region {
        fn drop(&mut self) {
            if self.is_owner && self.path.is_some() {
                self.close();
                if let Some(path) = &self.path
                    && !self.is_replaced()
                {
                    // Nobody is left to tell that a file stays behind; the next owner replaces it.
                    let _ = std::fs::remove_file(path);
                }
            }
        }
    }

    /// Closes the ring that stands where a new one is to be, so that its clients notice.
    fn retire(path: &Path) -> Result<(), RegionError> {
        match Region::open(path, Access::ReadWrite) {
            Ok(old) if old.is_owner_alive() => {
                let process = old.word(fixed::OWNER_AND_STATE).load(Relaxed) & u64::from(u32::MAX);
                Err(RegionError::InUse { path: path.to_path_buf(), process })
            }
            Ok(old) => {
                old.close();
                Ok(())
            }
            Err(RegionError::Closed { .. }) => Ok(()),
            // A ring of an older build, or one that was cut short, may be replaced; a file of something else may not.
            Err(RegionError::Layout { field, .. }) if field != "magic" => Ok(()),
            Err(RegionError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn new_file(path: &Path, mode: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let file = match options.open(path) {
            // What a process with our number left when it was killed here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(path)?;
                options.open(path)?
            }
            other => other?,
        };
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        Ok(file)
    }

    /// A file in memory, without a name.
    #[cfg(target_os = "linux")]
    fn file_in_memory(mode: u32) -> io::Result<File> {
        use std::os::fd::FromRawFd;
        // SAFETY: the name is a constant that ends with a zero; no other memory is involved.
        let descriptor =
            unsafe { libc::memfd_create(c"tradewright-ring".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        let file = unsafe { File::from_raw_fd(descriptor) };
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        Ok(file)
    }

    /// Fixes the length of a file in memory for ever, and makes a link that leads to it.
    #[cfg(target_os = "linux")]
    fn seal_and_link(file: &File, link: &Path) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let (descriptor, seals) = (file.as_raw_fd(), libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL);
        // SAFETY: the descriptor belongs to `file`, which lives; no memory is involved.
        if unsafe { libc::fcntl(descriptor, libc::F_ADD_SEALS, seals) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let target = format!("/proc/{}/fd/{descriptor}", std::process::id());
        match std::os::unix::fs::symlink(&target, link) {
            // What a process with our number left when it was killed here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_file(link)?;
                std::os::unix::fs::symlink(target, link)
            }
            other => other,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn file_in_memory(_mode: u32) -> io::Result<File> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    #[cfg(not(target_os = "linux"))]
    fn seal_and_link(_file: &File, _link: &Path) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Takes the space now: a full folder is an error here, and would be the end of the process at the first touch later.
    fn reserve(file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)?;
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            // SAFETY: the descriptor belongs to `file`, which lives; no memory is involved.
            let errno = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length as libc::off_t) };
            if errno != 0 {
                return Err(io::Error::from_raw_os_error(errno));
            }
        }
        Ok(())
    }

    fn shared_memory(file: &File, length: usize, options: &RegionOptions) -> io::Result<Memory> {
        let mut map = memmap2::MmapOptions::new();
        map.len(length);
        if options.prefault {
            map.populate();
        }
        let map = map.map_raw(file)?;
        if options.huge_pages {
            advise_huge_pages(&map, HugePages::SharedMemory)?;
        }
        Ok(Memory::new(map, true))
    }

    fn read_header(file: &mut File) -> Option<[u64; 8]> {
        let mut bytes = [0; 64];
        file.read_exact(&mut bytes).ok()?;
        Some(std::array::from_fn(|i| {
            u64::from_le_bytes(bytes[i * 8..][..8].try_into().expect("Invariant: eight bytes"))
        }))
    }

    /// Reads the header once, from the file, and believes none of its sizes: they must be those of a ring, and fit the file.
    fn read_shape(path: &Path, file: &File, length: u64) -> Result<Shape, RegionError> {
        let layout = |field, found, expected| RegionError::Layout { path: path.to_path_buf(), field, found, expected };
        let mut file = file;
        let words = {
            let mut bytes = [0; 64];
            file.read_exact(&mut bytes).map_err(|_| layout("length", length, HEADER_BYTES as u64))?;
            std::array::from_fn::<u64, 8, _>(|i| {
                u64::from_le_bytes(bytes[i * 8..][..8].try_into().expect("Invariant: eight bytes"))
            })
        };
        let (low, high) = (|word: u64| word as u32, |word: u64| (word >> 32) as u32);
        if words[fixed::MAGIC] != MAGIC {
            return Err(layout("magic", words[fixed::MAGIC], MAGIC));
        }
        let version = low(words[fixed::VERSION_AND_KIND]);
        if version != LAYOUT_VERSION {
            return Err(layout("layout_version", u64::from(version), u64::from(LAYOUT_VERSION)));
        }
        let kind = high(words[fixed::VERSION_AND_KIND]);
        let kind = Kind::from_code(kind).ok_or_else(|| layout("kind", u64::from(kind), Kind::Bell as u64))?;
        let shape = Shape {
            kind,
            layout_hash: words[fixed::LAYOUT_HASH],
            slot_bytes: low(words[fixed::SLOT_BYTES_AND_SPILL]),
            spill: high(words[fixed::SLOT_BYTES_AND_SPILL]),
            capacity: words[fixed::CAPACITY],
        };
        shape.check()?;
        for (field, found) in [("length", words[fixed::LENGTH]), ("file_length", length)] {
            if found != shape.length() as u64 {
                return Err(layout(field, found, shape.length() as u64));
            }
        }
        Ok(shape)
    }
}

/// A side of a ring that only one may have. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Role {
    region: Arc<Region>,
    index: usize,
}

impl Role {
    #[inline]
    pub(crate) fn region(&self) -> &Arc<Region> {
        &self.region
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        self.region.word(self.index).store(0, Release);
    }
}

const fn pair(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

#[cfg(not(feature = "loom"))]
fn private_memory(length: usize, options: &RegionOptions) -> Result<Memory, RegionError> {
    let error = |action| move |source| RegionError::Io { action, path: PathBuf::from("memory"), source };
    let mut map = memmap2::MmapOptions::new();
    map.len(length);
    // Huge pages are wished for before the first touch, or they come too late.
    if options.prefault && !options.huge_pages {
        map.populate();
    }
    let map = memmap2::MmapRaw::from(map.map_anon().map_err(error("reserve it"))?);
    if options.huge_pages {
        advise_huge_pages(&map, HugePages::PrivateMemory).map_err(error("have huge pages"))?;
    }
    let memory = Memory::new(map, true);
    if options.prefault && options.huge_pages {
        for index in (0..length / 8).step_by(4096 / 8) {
            memory.word(index).store(0, Relaxed);
        }
    }
    Ok(memory)
}

#[cfg(feature = "loom")]
fn private_memory(length: usize, _options: &RegionOptions) -> Result<Memory, RegionError> {
    Ok(Memory::zeroed(length))
}

#[cfg(not(feature = "loom"))]
fn advise_huge_pages(map: &memmap2::MmapRaw, memory: HugePages) -> io::Result<()> {
    // The advice is taken everywhere, and followed only where this is switched on.
    memory.expect()?;
    #[cfg(target_os = "linux")]
    map.advise(memmap2::Advice::HugePage)?;
    let _ = map;
    Ok(())
}

/// Differs from all that this machine gave before: the time, with the process below it.
fn new_generation() -> u64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    (time ^ u64::from(std::process::id()).rotate_right(20)).max(1)
}

/// Whether there is a process of this number. One of another user counts as there.
pub(crate) fn is_process_alive(process: u64) -> bool {
    #[cfg(unix)]
    {
        let Ok(process) = libc::pid_t::try_from(process) else { return false };
        // SAFETY: signal 0 is sent to nobody, it asks whether it could be.
        let status = unsafe { libc::kill(process, 0) };
        let is_there = status == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH);
        process > 0 && is_there && !has_ended(process)
    }
    #[cfg(not(unix))]
    {
        process != 0
    }
}

/// Whether a process has ended, and only its parent has not taken notice yet.
#[cfg(target_os = "linux")]
fn has_ended(process: libc::pid_t) -> bool {
    // "1234 (name) Z ...": the name may hold anything, but is followed by the last bracket.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether a process has ended, and only its parent has not taken notice yet: this system is not asked.
#[cfg(all(unix, not(target_os = "linux")))]
fn has_ended(_: libc::pid_t) -> bool {
    false
}
