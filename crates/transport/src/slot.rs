//! What may lie in a slot of a ring.

use tradewright_types::{CommandRecord, EventRecord, SCHEMA_VERSION};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A fixed-size record without padding, for which every pattern of bits is a value: what a peer writes may be wrong, but
/// reading it is always defined. Its size is a multiple of eight bytes and its alignment at most eight.
pub trait Slot: FromBytes + IntoBytes + Immutable + Copy + Send + 'static {
    /// The name of the layout. Another name, version or size is another layout.
    const LAYOUT: &'static str;
    /// The version of the layout.
    const VERSION: u8 = SCHEMA_VERSION;
}

impl Slot for CommandRecord {
    const LAYOUT: &'static str = "command";
}

impl Slot for EventRecord {
    const LAYOUT: &'static str = "event";
}

impl Slot for u64 {
    const LAYOUT: &'static str = "u64";
}

/// 64 bytes of a frame; see [`crate::FrameWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FrameSlot {
    /// Eight words, so that the slot is aligned as all slots are.
    pub words: [u64; 8],
}

impl Slot for FrameSlot {
    const LAYOUT: &'static str = "frame";
    const VERSION: u8 = 1;
}

/// The hash of a layout, FNV-1a with 64 bits over its name, its version and its size as four bytes, little-endian. Both
/// ends of a ring compare it before they touch a slot.
#[must_use]
pub const fn layout_hash(name: &str, version: u8, slot_bytes: u32) -> u64 {
    let mut hash = hash_bytes(0xcbf2_9ce4_8422_2325, name.as_bytes());
    hash = hash_bytes(hash, &[version]);
    hash_bytes(hash, &slot_bytes.to_le_bytes())
}

const fn hash_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// The layout hash of a type of slots. Does not compile for a type that cannot be copied word by word.
pub(crate) const fn hash_of<T: Slot>() -> u64 {
    const {
        assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(8), "a slot is a row of 64-bit words");
        assert!(align_of::<T>() <= 8, "slots are aligned to eight bytes");
    }
    layout_hash(T::LAYOUT, T::VERSION, size_of::<T>() as u32)
}
