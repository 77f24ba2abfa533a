//! How records move between threads and processes.
//!
//! Owns the rings (one to one, many to one, one to all) in memory of the process or in shared memory, how their ends wait
//! for each other, where threads run, and the datagrams of the feed. Refuses to know what a record says.
//!
//! All ring memory is a row of 64-bit words. What two threads or processes may touch at the same time is only ever touched
//! by atomic words; plain references are handed out for slots that the protocol of the ring gives to one side alone. The
//! layout stands in `docs/internals/rings.md`.

#![cfg_attr(feature = "loom", allow(dead_code, reason = "a model has no files and no slots in place"))]

mod arbitration;
mod bell;
mod broadcast;
mod error;
#[cfg(not(feature = "loom"))]
mod frames;
mod header;
mod many_queue;
mod memory;
pub mod multicast;
mod placement;
mod queue;
mod reader_table;
mod region;
mod slot;
mod sync;
mod wait;

pub use arbitration::{Arbitrator, Gap, Kept, LineCounts, Verdict};
pub use bell::Bell;
#[cfg(not(feature = "loom"))]
pub use broadcast::InPlace;
pub use broadcast::{Polled, Reader, Releaser, Start, Writer, broadcast};
pub use error::{Corrupt, RegionError};
#[cfg(not(feature = "loom"))]
pub use frames::{FRAME_PREFIX_BYTES, FrameError, FrameReader, FrameWriter, slots_of_frame};
pub use header::{HEADER_BYTES, Kind, LAYOUT_VERSION, MAGIC, READERS_MAX};
pub use many_queue::{ManyConsumer, ManyProducer, many_queue};
pub use placement::{Placement, PlacementError, Scheduling};
pub use queue::{Consumer, Producer, queue};
pub use reader_table::ReaderStatus;
pub use region::{Access, Region, RegionOptions, Shape};
pub use slot::{FrameSlot, Slot, layout_hash};
pub use wait::{Idle, Wait};
