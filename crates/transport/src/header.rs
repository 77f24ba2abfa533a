//! Where things stand in a ring's memory, in bytes from its start. `docs/internals/rings.md` is the same for readers, and
//! a test compares the two.

/// The first eight bytes of every ring, `TWRING` and two zeros.
pub const MAGIC: u64 = u64::from_le_bytes(*b"TWRING\0\0");
/// The version of this layout. A ring of another version is refused.
pub const LAYOUT_VERSION: u32 = 1;
/// How many readers of a broadcast can show where they are.
pub const READERS_MAX: usize = 48;
/// Where the slots begin.
#[cfg(not(feature = "loom"))]
pub const HEADER_BYTES: usize = 4096;
/// Where the slots begin in a model: it has no table of readers, as each word costs the model checker time.
#[cfg(feature = "loom")]
pub const HEADER_BYTES: usize = 768;

/// What kind of ring lies in the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// One producer, one consumer: [`crate::Producer`], [`crate::Consumer`].
    Queue = 1,
    /// Many producers, one consumer: [`crate::ManyProducer`], [`crate::ManyConsumer`].
    ManyQueue = 2,
    /// One writer, any number of readers: [`crate::Writer`], [`crate::Reader`].
    Broadcast = 3,
    /// No slots at all, only a bell.
    Bell = 4,
}

impl Kind {
    pub(crate) const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Queue),
            2 => Some(Self::ManyQueue),
            3 => Some(Self::Broadcast),
            4 => Some(Self::Bell),
            _ => None,
        }
    }
}

/// Word indices of the fields that never change once the ring is live.
pub(crate) mod fixed {
    pub(crate) const MAGIC: usize = 0;
    /// Low half: layout version; high half: kind.
    pub(crate) const VERSION_AND_KIND: usize = 1;
    pub(crate) const LAYOUT_HASH: usize = 2;
    /// Low half: bytes of a slot; high half: slots of spill.
    pub(crate) const SLOT_BYTES_AND_SPILL: usize = 3;
    pub(crate) const CAPACITY: usize = 4;
    pub(crate) const GENERATION: usize = 5;
    pub(crate) const LENGTH: usize = 6;
    /// Low half: the process that made the ring; high half: [`super::State`].
    pub(crate) const OWNER_AND_STATE: usize = 7;
}

/// Word indices of the fields that change, each group on cache lines of its own: two lines apart, as processors fetch
/// pairs.
pub(crate) mod moving {
    /// The end up to which slots are published. Only the writing side stores it.
    pub(crate) const WRITTEN: usize = 128 / 8;
    /// Of a broadcast, the end up to which slots may be changing; of a queue for many, the end up to which they are taken.
    pub(crate) const RESERVED: usize = 136 / 8;
    /// Of a queue, the end up to which the consumer is done; of a broadcast, the end up to which readers may see.
    pub(crate) const RELEASED: usize = 256 / 8;
    /// Rung after something was published.
    pub(crate) const READER_BELL: usize = 384 / 8;
    /// Rung after something was consumed.
    pub(crate) const WRITER_BELL: usize = 512 / 8;
    /// The process that holds the writing side.
    pub(crate) const WRITER_ROLE: usize = 640 / 8;
    /// The process that holds the reading side of a queue, the releasing side of a broadcast.
    pub(crate) const READER_ROLE: usize = 648 / 8;
    /// [`super::READERS_MAX`] entries of eight words.
    pub(crate) const READER_TABLE: usize = 1024 / 8;
}

/// How far a ring's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Live = 1,
    /// Its owner ended or another ring took its place: nothing new will come.
    Closed = 2,
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_offset() {
        let page = include_str!("../../../docs/internals/rings.md");
        let fields = [
            ("magic", fixed::MAGIC * 8, 8),
            ("layout_version", fixed::VERSION_AND_KIND * 8, 4),
            ("kind", fixed::VERSION_AND_KIND * 8 + 4, 4),
            ("layout_hash", fixed::LAYOUT_HASH * 8, 8),
            ("slot_bytes", fixed::SLOT_BYTES_AND_SPILL * 8, 4),
            ("spill", fixed::SLOT_BYTES_AND_SPILL * 8 + 4, 4),
            ("capacity", fixed::CAPACITY * 8, 8),
            ("generation", fixed::GENERATION * 8, 8),
            ("length", fixed::LENGTH * 8, 8),
            ("owner", fixed::OWNER_AND_STATE * 8, 4),
            ("state", fixed::OWNER_AND_STATE * 8 + 4, 4),
            ("written", moving::WRITTEN * 8, 8),
            ("reserved", moving::RESERVED * 8, 8),
            ("released", moving::RELEASED * 8, 8),
            ("reader_bell", moving::READER_BELL * 8, 16),
            ("writer_bell", moving::WRITER_BELL * 8, 16),
            ("writer_role", moving::WRITER_ROLE * 8, 8),
            ("reader_role", moving::READER_ROLE * 8, 8),
            ("reader_table", moving::READER_TABLE * 8, READERS_MAX * 64),
        ];
        for (field, offset, bytes) in fields {
            assert!(page.contains(&format!("| {offset} | {bytes} | `{field}` |")), "{field} is at {offset}");
        }
        assert!(page.contains(&format!("| {HEADER_BYTES} | | `slots` |")));
        let rows = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
        assert_eq!(rows.count(), fields.len() + 1, "a field is on the page alone");
    }
}
