//! A ring from one writer, who never waits, to any number of readers.
//!
//! What is written becomes visible only up to the released position, which another thread may move: events wait at the
//! durability gate where readers will find them. A reader that is too slow is overrun: it copies, then looks whether the
//! writer has begun to change what it copied, and learns how much it missed.
//!
//! Why a torn slot is never taken for a whole one: all words are atomic, so that reading while the writer writes is
//! defined. The writer first says how far it will write (`reserved`), then fences, then writes. The reader copies, then
//! fences, then reads `reserved`. If one word of the copy is newer than the slot, the two fences order the reader's look
//! behind the writer's word, so it sees a reservation that includes the slot, and throws the copy away.

use std::marker::PhantomData;

use crate::error::RegionError;
use crate::header::{Kind, moving};
use crate::queue::Slots;
use crate::reader_table::Registration;
use crate::region::{Region, RegionOptions, Role, Shape};
use crate::slot::Slot;
use crate::sync::{Acquire, Arc, Relaxed, Release, fence};
use crate::{Bell, Corrupt, Idle};

/// Makes a broadcast in memory of this process that keeps the last `capacity` slots (a power of two). Readers attach to
/// [`Writer::region`].
///
/// # Errors
/// A shape that no broadcast has, or the system refuses the memory.
pub fn broadcast<T: Slot>(capacity: u64) -> Result<(Writer<T>, Releaser), RegionError> {
    let region = Region::in_memory(Shape::broadcast::<T>(capacity), &RegionOptions::default())?;
    Ok((Writer::attach(&region)?, Releaser::attach(&region)?))
}

/// The writing side.
#[derive(Debug)]
pub struct Writer<T> {
    role: Role,
    slots: Slots,
    written: u64,
    slot: PhantomData<T>,
}

impl<T: Slot> Writer<T> {
    /// Takes the writing side; it goes on where the last one stopped.
    ///
    /// # Errors
    /// Another ring than a broadcast of these slots, the side is taken, or the last writer ended in the middle of a slot.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::Broadcast)?;
        let role = region.take_role(moving::WRITER_ROLE, "writer")?;
        let written = region.word(moving::WRITTEN).load(Acquire);
        let reserved = region.word(moving::RESERVED).load(Acquire);
        if reserved != written {
            let (found, cursor) = (reserved, "reserved");
            return Err(Corrupt { cursor, found, at_least: written, at_most: written }.into());
        }
        Ok(Self { role, slots: Slots::of(region), written, slot: PhantomData })
    }

    /// The ring it writes to.
    #[must_use]
    pub fn region(&self) -> &Arc<Region> {
        self.role.region()
    }

    /// Writes slots. Never waits: slots that readers have not seen are overwritten when the ring is full, be they released
    /// or not; see [`Writer::room`].
    #[inline]
    pub fn write(&mut self, slots: &[T]) {
        for slots in slots.chunks(self.slots.capacity) {
            self.write_round(slots);
        }
    }

    #[inline]
    fn write_round(&mut self, slots: &[T]) {
        let region = self.role.region();
        let end = self.written + slots.len() as u64;
        region.word(moving::RESERVED).store(end, Relaxed);
        fence(Release);
        let index = self.slots.index(self.written);
        let (front, wrapped) = slots.split_at(slots.len().min(self.slots.capacity - index));
        region.memory().store(self.slots.offset(index), front);
        region.memory().store(self.slots.offset(0), wrapped);
        region.word(moving::WRITTEN).store(end, Release);
        self.written = end;
    }

    /// The position behind the last slot written.
    #[inline]
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How many slots can be written before one is lost that was never released. Who feeds the writer stops before that.
    #[inline]
    #[must_use]
    pub fn room(&self) -> usize {
        let released = self.role.region().word(moving::RELEASED).load(Acquire);
        self.slots.capacity.saturating_sub(self.written.saturating_sub(released) as usize)
    }
}

/// The side that lets readers see what was written.
#[derive(Debug)]
pub struct Releaser {
    role: Role,
    released: u64,
    bell: Bell,
}

impl Releaser {
    /// Takes the releasing side; it goes on where the last one stopped.
    ///
    /// # Errors
    /// Another ring than a broadcast, or the side is taken.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        if region.shape().kind != Kind::Broadcast {
            return Err(RegionError::WrongKind { found: region.shape().kind, expected: Kind::Broadcast });
        }
        let role = region.take_role(moving::READER_ROLE, "releaser")?;
        let released = region.word(moving::RELEASED).load(Acquire);
        Ok(Self { role, released, bell: Bell::of_reader(region) })
    }

    /// Lets readers see what lies before `position`, as far as it is written, and returns how far they see. Never takes
    /// anything back.
    #[inline]
    pub fn release(&mut self, position: u64) -> u64 {
        let region = self.role.region();
        if position > self.released {
            let released = position.min(region.word(moving::WRITTEN).load(Acquire));
            if released > self.released {
                self.released = released;
                region.word(moving::RELEASED).store(released, Release);
                self.bell.ring();
            }
        }
        self.released
    }

    /// The end up to which readers see.
    #[inline]
    #[must_use]
    pub fn released(&self) -> u64 {
        self.released
    }

    /// The end up to which slots are written, and wait to be released.
    #[inline]
    #[must_use]
    pub fn written(&self) -> u64 {
        self.role.region().word(moving::WRITTEN).load(Acquire)
    }
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what is still there.
    Oldest,
    /// With what comes next.
    Latest,
    /// At a position, which may be gone or to come.
    At(u64),
}

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// So many slots, one behind the other from where the reader was.
    Count(usize),
    /// The reader was overrun: so many slots are gone for it. It stands behind them now, with some distance to the writer.
    Behind {
        /// How many slots it missed.
        skipped: u64,
    },
    /// Nothing new.
    Empty,
}

/// A reader. Costs the writer nothing, and may be in any process, with the file mapped for reading only.
#[derive(Debug)]
pub struct Reader<T> {
    region: Arc<Region>,
    slots: Slots,
    position: u64,
    skipped: u64,
    registration: Option<Registration>,
    bell: Bell,
    slot: PhantomData<T>,
}

impl<T: Slot> Reader<T> {
    /// Begins to follow a broadcast.
    ///
    /// # Errors
    /// Another ring than a broadcast of these slots.
    pub fn attach(region: &Arc<Region>, start: Start) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::Broadcast)?;
        let (bell, slots) = (Bell::of_reader(region), Slots::of(region));
        let (registration, region) = (None, Arc::clone(region));
        let mut reader = Self { region, slots, position: 0, skipped: 0, registration, bell, slot: PhantomData };
        reader.position = match start {
            Start::Oldest => reader.oldest().min(reader.released()),
            Start::Latest => reader.released(),
            Start::At(position) => position,
        };
        Ok(reader)
    }

    /// Shows the operator who reads and how far, in the table of the ring.
    ///
    /// # Errors
    /// The memory may only be read, or the table is full.
    pub fn register(&mut self, name: &str) -> Result<(), RegionError> {
        self.registration = Some(Registration::take(&self.region, name, self.position)?);
        Ok(())
    }

    /// The ring it reads.
    #[must_use]
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }

    /// The end up to which slots may be seen. (Acquire loads of memory that may only be read are not promised to work,
    /// relaxed ones are: hence the fence.)
    #[inline]
    #[must_use]
    pub fn released(&self) -> u64 {
        let released = self.region.word(moving::RELEASED).load(Relaxed);
        fence(Acquire);
        released
    }

    /// The first position that the writer has not begun to overwrite.
    #[inline]
    fn oldest(&self) -> u64 {
        self.region.word(moving::RESERVED).load(Relaxed).saturating_sub(self.slots.capacity as u64)
    }

    /// The position of the next slot.
    #[inline]
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many slots it missed in all.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many slots wait to be read, those that are gone included.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.released().saturating_sub(self.position)
    }

    /// Copies what is new, as far as it fits.
    #[inline]
    pub fn poll(&mut self, into: &mut [T]) -> Polled {
        let released = self.released();
        if released <= self.position || into.is_empty() {
            return Polled::Empty;
        }
        let count = ((released - self.position) as usize).min(into.len()).min(self.slots.capacity);
        if self.oldest() <= self.position {
            self.slots.copy_out(&self.region, self.position, &mut into[..count]);
        }
        if !self.is_intact(self.position) {
            return self.skip(released);
        }
        self.advance(count as u64);
        Polled::Count(count)
    }

    /// Appends what is new, at most `count_max` slots.
    pub fn poll_into(&mut self, into: &mut Vec<T>, count_max: usize) -> Polled {
        let length = into.len();
        into.resize(length + count_max.min(self.lag() as usize).min(self.slots.capacity), T::new_zeroed());
        let polled = self.poll(&mut into[length..]);
        let count = if let Polled::Count(count) = polled { count } else { 0 };
        into.truncate(length + count);
        polled
    }

    /// Whether what was copied before this call, from `position` on, was whole.
    #[inline]
    #[must_use]
    pub fn is_intact(&self, position: u64) -> bool {
        fence(Acquire);
        self.oldest() <= position
    }

    /// Goes behind what is gone, and a quarter of the ring further, or the writer would be there again at once.
    #[cold]
    fn skip(&mut self, released: u64) -> Polled {
        let to = (self.oldest() + self.slots.capacity as u64 / 4).min(released);
        let skipped = to.saturating_sub(self.position);
        self.skipped = self.skipped.saturating_add(skipped);
        self.advance(skipped);
        Polled::Behind { skipped }
    }

    #[inline]
    fn advance(&mut self, count: u64) {
        self.position += count;
        if let Some(registration) = &self.registration {
            registration.show(self.position);
        }
    }

    /// Goes to another position, back or ahead.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
        self.advance(0);
    }

    /// Whether something waits. For [`Idle::pause`].
    #[inline]
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.released() > self.position
    }

    /// Rung when something was released.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Waits for slots, once.
    pub fn pause(&self, idle: &mut Idle) {
        idle.pause(&self.bell, || self.is_ready());
    }
}

/// The next slots as they lie in the ring, for a reader that looks at them in place and verifies afterwards.
#[cfg(not(feature = "loom"))]
#[derive(Clone, Copy, Debug)]
pub struct InPlace {
    /// The position of the first.
    pub position: u64,
    /// How many lie in one piece.
    pub count: usize,
    /// Where the first lies. The writer may change it at any time.
    pub address: *const u8,
}

#[cfg(not(feature = "loom"))]
impl<T: Slot> Reader<T> {
    /// Gives out what is new as it lies in the ring, at most `count_max` slots, and goes on behind it. Whoever looks at it
    /// asks [`Reader::is_intact`] afterwards whether it was whole, and throws away what was not. `Err` when it is gone.
    ///
    /// # Errors
    /// [`Polled::Behind`] or [`Polled::Empty`], as from [`Reader::poll`].
    pub fn poll_in_place(&mut self, count_max: usize) -> Result<InPlace, Polled> {
        let released = self.released();
        if released <= self.position || count_max == 0 {
            return Err(Polled::Empty);
        }
        if self.oldest() > self.position {
            return Err(self.skip(released));
        }
        let (position, index) = (self.position, self.slots.index(self.position));
        let count = ((released - position) as usize).min(count_max).min(self.slots.capacity - index);
        self.advance(count as u64);
        let address = self.region.memory().as_ptr().wrapping_add(self.slots.offset(index));
        Ok(InPlace { position, count, address })
    }
}
