//! Where files lie: the few operations that the journal does on a disk.
//!
//! Everything that the journal does to files goes through here, so that a test can put a disk beneath it that forgets, tears
//! and fails. Names are plain: one folder, no paths.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of files.
pub trait Storage: Clone + Send + 'static {
    /// An open file.
    type File: StoredFile;
    /// Held by the one process that writes; ends with it.
    type Lock: Send;

    /// Makes an empty file, to be read and written. One of that name is replaced.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Opens a file that is there.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;
    /// Gives a file another name. One that had it is replaced.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes what was made, renamed and removed outlive a power cut.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self) -> io::Result<()>;
    /// The names of all files, sorted.
    ///
    /// # Errors
    /// The system's.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Takes the folder for one writer. `None` when another has it.
    ///
    /// # Errors
    /// The system's.
    fn lock(&self) -> io::Result<Option<Self::Lock>>;
    /// Whether what is synced here outlives a power cut, as far as the system tells.
    ///
    /// # Errors
    /// The system's.
    fn outlives_power(&self) -> io::Result<bool>;
}

/// What an open file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read and written.
    Write,
}

/// An open file. Its methods take `&self`: places are named, there is no cursor.
pub trait StoredFile: Send {
    /// Writes all of `bytes` at a place.
    ///
    /// # Errors
    /// The system's; what is in the file is then unknown.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reads at a place and returns how many bytes it got: fewer than asked for only at the file's end.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Makes what was written outlive a power cut.
    ///
    /// # Errors
    /// The system's. It must not be tried again: the system may have forgotten what it could not write.
    fn sync_data(&self) -> io::Result<()>;
    /// How long the file is.
    ///
    /// # Errors
    /// The system's.
    fn length(&self) -> io::Result<u64>;
}

/// A folder on a real disk.
#[derive(Clone, Debug)]
pub struct FolderStorage {
    folder: Arc<Path>,
}

const LOCK_NAME: &str = "lock";

impl FolderStorage {
    /// The folder at `path`, which has to be there.
    ///
    /// # Errors
    /// When it is not, or is no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "is no folder"));
        }
        Ok(Self { folder: path.into() })
    }

    /// The folder at `path`, made if it is not there.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Self::open(path)
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The file whose lock the writer has.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.place(LOCK_NAME)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Storage for FolderStorage {
    type File = File;
    type Lock = File;

    fn create(&self, name: &str) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(true).open(self.place(name))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<File> {
        File::options().read(true).write(access == Access::Write).open(self.place(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.place(from), self.place(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.place(name))
    }

    /// Elsewhere than on Unix a folder cannot be synced.
    fn sync_folder(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&*self.folder)?.sync_all() } else { Ok(()) }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&*self.folder)? {
            // A name that is no text is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn lock(&self) -> io::Result<Option<File>> {
        lock_file(&self.place(LOCK_NAME))
    }

    fn outlives_power(&self) -> io::Result<bool> {
        outlives_power(&self.folder)
    }
}

#[cfg(unix)]
fn lock_file(path: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{FlockOperation, flock};
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn lock_file(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;
    const SHARING_VIOLATION: i32 = 32;
    match File::options().read(true).write(true).create(true).truncate(false).share_mode(0).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn outlives_power(folder: &Path) -> io::Result<bool> {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    // The field's type differs between architectures; the magic numbers are 32 bits.
    let kind = rustix::fs::statfs(folder)?.f_type as u64 & 0xffff_ffff;
    Ok(kind != TMPFS && kind != RAMFS)
}

#[cfg(not(target_os = "linux"))]
fn outlives_power(_: &Path) -> io::Result<bool> {
    Ok(true)
}

impl StoredFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        write_all_at(self, bytes, offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut got = 0;
        while got < bytes.len() {
            match read_some_at(self, &mut bytes[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn read_some_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn read_some_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, offset)
}
