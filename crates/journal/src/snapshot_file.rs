//! A snapshot as bytes and as a file.
//!
//! ```text
//! head      magic (8) · format version (4) · ruleset version (4) · sequence (8) · time_ns (8) · state hash (16)
//!           · sections (4) · CRC32C of everything before it (4)
//! section   kind (4) · CRC32C of kind, length and bytes (4) · length (8) · bytes
//! ```
//!
//! All numbers are little-endian. Nothing stands behind the last section. A file is written under a temporary name, synced,
//! renamed, and its folder is synced: under the final name there is always a whole snapshot, the old one or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tradewright_engine::{Engine, EngineConfig, Section, SectionKind, SnapshotError};
use tradewright_types::{HashTotal, RULESET_VERSION};

const MAGIC: [u8; 8] = *b"TWSNAP\r\n";
const FORMAT_VERSION: u32 = 1;
const HEAD_LENGTH: usize = 56;
const SECTION_HEAD_LENGTH: usize = 16;

/// What a snapshot says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The rules that led to the state.
    pub ruleset_version: u32,
    /// The place in the log: how many commands led to the state.
    pub sequence: u64,
    /// The engine's time.
    pub time_ns: u64,
    /// The hash of the state.
    pub state_hash: HashTotal,
}

/// Why a snapshot was not written or not read. The file is named by whoever opened it.
#[derive(Debug)]
pub enum SnapshotFileError {
    /// The system refused; what was being done, and its word for why.
    System(&'static str, io::Error),
    /// The bytes do not start as a snapshot does.
    Magic,
    /// The head is damaged or cut short.
    Head,
    /// The format is not one that this build knows.
    UnknownFormat(u32),
    /// The rules are not ones that this build knows.
    UnknownRuleset(u32),
    /// The number of sections is not the known one.
    SectionCount(u32),
    /// A section is cut short.
    SectionTruncated(SectionKind),
    /// A section's bytes do not match its checksum.
    SectionDamaged(SectionKind),
    /// Another section was expected here.
    SectionOutOfOrder(SectionKind),
    /// There are bytes behind the last section.
    Surplus(usize),
    /// The sections do not make a state.
    State(SnapshotError),
    /// The state that the sections make is not the one that was saved: what differs.
    StateDiffers(&'static str),
}

impl core::fmt::Display for SnapshotFileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::System(what, error) => write!(f, "{what} failed: {error}"),
            Self::Magic => f.write_str("head: the first eight bytes must be those of a snapshot"),
            Self::Head => f.write_str("head: is damaged or cut short, its checksum must match"),
            Self::UnknownFormat(version) => {
                write!(f, "head: format version {version} must be {FORMAT_VERSION}, the one this build knows")
            }
            Self::UnknownRuleset(version) => {
                write!(f, "head: ruleset version {version} must be {RULESET_VERSION}, the one this build knows")
            }
            Self::SectionCount(count) => {
                write!(f, "head: {count} sections must be {}", SectionKind::ALL.len())
            }
            Self::SectionTruncated(kind) => write!(f, "section {kind:?}: is cut short"),
            Self::SectionDamaged(kind) => write!(f, "section {kind:?}: is damaged, its checksum must match"),
            Self::SectionOutOfOrder(kind) => {
                write!(f, "section {kind:?}: is expected here, another stands in its place")
            }
            Self::Surplus(bytes) => write!(f, "{bytes} bytes stand behind the last section, there must be none"),
            Self::State(error) => error.fmt(f),
            Self::StateDiffers(what) => write!(f, "the restored {what} must be the one in the head"),
        }
    }
}

impl core::error::Error for SnapshotFileError {}

type Outcome<T> = Result<T, SnapshotFileError>;

/// The whole state of an engine as bytes.
#[must_use]
pub fn encode(engine: &Engine) -> Vec<u8> {
    let sections = engine.snapshot();
    let mut bytes = Vec::with_capacity(HEAD_LENGTH + sections.iter().map(|part| part.bytes.len() + 16).sum::<usize>());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&RULESET_VERSION.to_le_bytes());
    bytes.extend_from_slice(&engine.sequence().to_le_bytes());
    bytes.extend_from_slice(&engine.time_ns().to_le_bytes());
    bytes.extend_from_slice(&engine.state_hash().0.to_le_bytes());
    bytes.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    for Section { kind, bytes: content } in sections {
        bytes.extend_from_slice(&(kind as u32).to_le_bytes());
        bytes.extend_from_slice(&section_checksum(kind as u32, &content).to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&content);
    }
    bytes
}

/// The engine that [`encode`] was given, verified: every checksum, then the state hash of what was restored.
///
/// # Errors
/// Names the section and the rule that it breaks.
pub fn decode(bytes: &[u8], config: EngineConfig) -> Outcome<(SnapshotHead, Engine)> {
    let (head, mut rest) = read_head(bytes)?;
    let mut sections = Vec::with_capacity(SectionKind::ALL.len());
    for kind in SectionKind::ALL {
        let (section, behind) = read_section(kind, rest)?;
        sections.push(section);
        rest = behind;
    }
    if !rest.is_empty() {
        return Err(SnapshotFileError::Surplus(rest.len()));
    }
    let engine = Engine::restore(config, &sections).map_err(SnapshotFileError::State)?;
    let restored = [
        ("sequence", engine.sequence() == head.sequence),
        ("time", engine.time_ns() == head.time_ns),
        ("state hash", engine.state_hash() == head.state_hash),
    ];
    match restored.into_iter().find(|(_, is_same)| !is_same) {
        None => Ok((head, engine)),
        Some((what, _)) => Err(SnapshotFileError::StateDiffers(what)),
    }
}

/// Writes a snapshot. Whatever stood under `path` before stays until the new one is whole and on the disk.
///
/// # Errors
/// The system's, with what was being done.
pub fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let temporary = temporary_name(path);
    let written = write_synced(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path).map_err(|error| SnapshotFileError::System("renaming", error)));
    if written.is_err() {
        // The error that counts is the first one; a file that was never made cannot be removed.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(path)
}

/// Reads and verifies a snapshot.
///
/// # Errors
/// The system's, or those of [`decode`].
pub fn read(path: &Path, config: EngineConfig) -> Outcome<(SnapshotHead, Engine)> {
    let bytes = fs::read(path).map_err(|error| SnapshotFileError::System("reading", error))?;
    decode(&bytes, config)
}

fn section_checksum(kind: u32, content: &[u8]) -> u32 {
    let head = crc32c::crc32c(&kind.to_le_bytes());
    let head = crc32c::crc32c_append(head, &(content.len() as u64).to_le_bytes());
    crc32c::crc32c_append(head, content)
}

/// Takes `N` bytes off the front.
fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(taken)
}

fn read_head(bytes: &[u8]) -> Outcome<(SnapshotHead, &[u8])> {
    let mut rest = bytes;
    if take::<8>(&mut rest) != Some(&MAGIC) {
        return Err(SnapshotFileError::Magic);
    }
    let format = u32::from_le_bytes(*take(&mut rest).ok_or(SnapshotFileError::Head)?);
    if format != FORMAT_VERSION {
        return Err(SnapshotFileError::UnknownFormat(format));
    }
    let head = bytes.get(..HEAD_LENGTH).ok_or(SnapshotFileError::Head)?;
    let (covered, checksum) = head.split_at(HEAD_LENGTH - 4);
    if crc32c::crc32c(covered).to_le_bytes() != checksum {
        return Err(SnapshotFileError::Head);
    }
    let ruleset_version = u32::from_le_bytes(field(head, 12));
    if ruleset_version != RULESET_VERSION {
        return Err(SnapshotFileError::UnknownRuleset(ruleset_version));
    }
    let sections = u32::from_le_bytes(field(head, 48));
    if sections as usize != SectionKind::ALL.len() {
        return Err(SnapshotFileError::SectionCount(sections));
    }
    let read = SnapshotHead {
        ruleset_version,
        sequence: u64::from_le_bytes(field(head, 16)),
        time_ns: u64::from_le_bytes(field(head, 24)),
        state_hash: HashTotal(u128::from_le_bytes(field(head, 32))),
    };
    Ok((read, &bytes[HEAD_LENGTH..]))
}

fn read_section(kind: SectionKind, bytes: &[u8]) -> Outcome<(Section, &[u8])> {
    let head = bytes.get(..SECTION_HEAD_LENGTH).ok_or(SnapshotFileError::SectionTruncated(kind))?;
    let (found, checksum) = (u32::from_le_bytes(field(head, 0)), u32::from_le_bytes(field(head, 4)));
    let length = u64::from_le_bytes(field(head, 8));
    if found != kind as u32 {
        return Err(SnapshotFileError::SectionOutOfOrder(kind));
    }
    let rest = &bytes[SECTION_HEAD_LENGTH..];
    let content = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (content, rest) = content.ok_or(SnapshotFileError::SectionTruncated(kind))?;
    if section_checksum(found, content) != checksum {
        return Err(SnapshotFileError::SectionDamaged(kind));
    }
    Ok((Section { kind, bytes: content.to_vec() }, rest))
}

/// The `N` bytes at a place of a head whose length was checked.
fn field<const N: usize>(head: &[u8], place: usize) -> [u8; N] {
    head[place..place + N].try_into().expect("N bytes")
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let mut file = File::create(path).map_err(|error| SnapshotFileError::System("creating", error))?;
    file.write_all(bytes).map_err(|error| SnapshotFileError::System("writing", error))?;
    file.sync_all().map_err(|error| SnapshotFileError::System("syncing", error))
}

/// Makes the new name as durable as the file. Elsewhere than on Unix a folder cannot be synced.
fn sync_folder(path: &Path) -> Outcome<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| SnapshotFileError::System("syncing the folder", error))
}

#[cfg(test)]
mod tests {
    use tradewright_engine::EventBuffer;
    use tradewright_sim::{Workload, commands, venue};
    use tradewright_types::{Price, SelfTradePrevention};

    use super::*;

    const CONFIG: EngineConfig = EngineConfig { shard: 0, epoch: 1, open_orders_expected: 16 };

    /// An engine with two instruments, three accounts and a few open orders.
    fn small_engine() -> Engine {
        let (mut engine, mut events) = (Engine::new(CONFIG), EventBuffer::default());
        engine.apply_all(&venue::bench_set_up(2, 3, Price::from_ticks(100_000)), &mut events);
        let tape = Workload::Mix60.generate(40);
        let orders = &tape.records()[4_990..];
        engine.apply_all(&commands(orders, 3, SelfTradePrevention::None), &mut events);
        assert!(engine.open_order_count() > 5);
        engine
    }

    #[test]
    fn a_snapshot_comes_back_as_it_was() {
        let engine = small_engine();
        let bytes = encode(&engine);
        let (head, restored) = decode(&bytes, CONFIG).unwrap();
        restored.check_invariants();
        assert_eq!((head.sequence, head.time_ns), (engine.sequence(), engine.time_ns()));
        assert_eq!((head.state_hash, restored.state_hash()), (engine.state_hash(), engine.state_hash()));
        assert_eq!(encode(&restored), bytes);
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let bytes = encode(&small_engine());
        let mut damaged = bytes.clone();
        for place in 0..bytes.len() {
            for bit in [0, 3, 7] {
                damaged[place] ^= 1 << bit;
                assert!(decode(&damaged, CONFIG).is_err(), "byte {place} bit {bit}");
                damaged[place] = bytes[place];
            }
        }
    }

    #[test]
    fn every_cut_and_every_surplus_is_noticed() {
        let mut bytes = encode(&small_engine());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], CONFIG).is_err(), "cut after {length} bytes");
        }
        bytes.push(0);
        let text = decode(&bytes, CONFIG).unwrap_err().to_string();
        assert_eq!(text, "1 bytes stand behind the last section, there must be none");
    }

    /// Damage behind a checksum that matches it: only the recomputed state can tell.
    #[test]
    fn a_forged_section_does_not_give_the_saved_state() {
        let bytes = encode(&small_engine());
        let balances = bytes.len() - 1;
        let mut place = HEAD_LENGTH;
        for kind in SectionKind::ALL {
            let length = u64::from_le_bytes(field(&bytes, place + 8)) as usize;
            let content = place + SECTION_HEAD_LENGTH..place + SECTION_HEAD_LENGTH + length;
            place = content.end;
            if kind != SectionKind::Balances {
                continue;
            }
            let mut forged = bytes.clone();
            forged[content.start + 8] ^= 1;
            let checksum = section_checksum(kind as u32, &forged[content.clone()]);
            forged[content.start - 12..content.start - 8].copy_from_slice(&checksum.to_le_bytes());
            let text = decode(&forged, CONFIG).unwrap_err().to_string();
            assert_eq!(text, "the restored state hash must be the one in the head");
        }
        assert_eq!(place, balances + 1);
    }

    #[test]
    fn unknown_versions_are_named() {
        let mut bytes = encode(&small_engine());
        bytes[8] = 9;
        let text = decode(&bytes, CONFIG).unwrap_err().to_string();
        assert_eq!(text, "head: format version 9 must be 1, the one this build knows");
    }

    #[test]
    fn a_file_replaces_the_one_before_and_leaves_nothing_else() {
        let folder = std::env::temp_dir().join(format!("tradewright-snapshot-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state.snapshot");
        fs::write(&path, b"the one before").unwrap();
        let engine = small_engine();
        write(&path, &encode(&engine)).unwrap();
        let (_, restored) = read(&path, CONFIG).unwrap();
        assert_eq!(restored.state_hash(), engine.state_hash());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let missing = write(&folder.join("missing").join("state"), b"").unwrap_err().to_string();
        assert!(missing.starts_with("creating failed: "), "{missing}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
