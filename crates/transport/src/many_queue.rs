//! A queue from many producers to one consumer, for messages of one or several slots: where sessions meet.
//!
//! A producer takes the slots of a whole message at once, writes them, and then marks the first: the mark is the position
//! behind the message, so that marks of earlier rounds are always too small. Nobody waits for a slower producer but the
//! consumer, and no message is ever seen in part. A producer that ends between taking and marking stops the queue: its
//! producers are threads of one process, which end together. Clients in other processes have a queue each.

#![allow(unsafe_code, reason = "slots are one side's alone between two moves of a cursor, which no borrow shows")]

use std::marker::PhantomData;

use crate::Bell;
use crate::Idle;
use crate::error::{Corrupt, RegionError};
use crate::header::{Kind, moving};
use crate::queue::{POSITION_MAX, Slots, read_cursor};
use crate::region::{Region, RegionOptions, Role, Shape};
use crate::slot::Slot;
use crate::sync::{Acquire, Arc, AtomicU64, Relaxed, Release};

/// Makes a queue for many producers in memory of this process: `capacity` slots (a power of two), messages of up to
/// `message_slots_max` slots. More producers are clones of the first.
///
/// # Errors
/// A shape that no queue has, or the system refuses the memory.
pub fn many_queue<T: Slot>(
    capacity: u64,
    message_slots_max: u32,
) -> Result<(ManyProducer<T>, ManyConsumer<T>), RegionError> {
    let region = Region::in_memory(Shape::many_queue::<T>(capacity, message_slots_max), &RegionOptions::default())?;
    Ok((ManyProducer::attach(&region)?, ManyConsumer::attach(&region)?))
}

/// The mark of the message that begins at `position`.
#[inline]
fn mark<'a>(region: &'a Region, slots: &Slots, position: u64) -> &'a AtomicU64 {
    region.word(region.shape().marks_offset() / 8 + slots.index(position))
}

/// One of the writing sides.
#[derive(Clone, Debug)]
pub struct ManyProducer<T> {
    region: Arc<Region>,
    slots: Slots,
    /// Where the consumer was when it was last looked for.
    consumed: u64,
    bell: Bell,
    space_bell: Bell,
    slot: PhantomData<T>,
}

impl<T: Slot> ManyProducer<T> {
    /// Joins the producers.
    ///
    /// # Errors
    /// Another ring than a queue for many of these slots, or memory that may only be read.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::ManyQueue)?;
        if !region.memory().is_writable() {
            return Err(RegionError::ReadOnly { role: "producer" });
        }
        let consumed = read_cursor(region, moving::RELEASED, "consumed", 0..=POSITION_MAX)?;
        let (bell, space_bell) = (Bell::of_reader(region), Bell::of_writer(region));
        let (region, slots) = (Arc::clone(region), Slots::of(region));
        Ok(Self { region, slots, consumed, bell, space_bell, slot: PhantomData })
    }

    /// Rings this bell from now on instead of the queue's own: the one of a thread that waits for several queues.
    #[must_use]
    pub fn ringing(mut self, bell: &Bell) -> Self {
        self.bell = bell.clone();
        self
    }

    /// The ring it writes to.
    #[must_use]
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }

    /// Writes and publishes a message, or returns false when there is no room for all of it.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    ///
    /// # Panics
    /// When the message has no slot, or more than the messages of this queue may have.
    #[inline]
    pub fn push_whole(&mut self, message: &[T]) -> Result<bool, Corrupt> {
        let most = self.slots.spill + 1;
        assert!((1..=most).contains(&message.len()), "{} slots are not one message: 1 to {most}", message.len());
        let Some(start) = self.take(message.len() as u64)? else { return Ok(false) };
        // SAFETY: these positions were taken by us alone, and the consumer is done with their slots.
        unsafe { self.slots.copy_in(&self.region, start, message) };
        mark(&self.region, &self.slots, start).store(start + message.len() as u64, Release);
        self.bell.ring();
        Ok(true)
    }

    /// Takes the next `count` positions, if the consumer is done with their slots.
    #[inline]
    fn take(&mut self, count: u64) -> Result<Option<u64>, Corrupt> {
        let reserved = self.region.word(moving::RESERVED);
        let mut start = reserved.load(Relaxed);
        loop {
            if start > POSITION_MAX {
                return Err(Corrupt { cursor: "reserved", found: start, at_least: 0, at_most: POSITION_MAX });
            }
            // A start that others have taken already may stand behind the consumer; the exchange below finds out.
            if (start + count).saturating_sub(self.consumed) > self.slots.capacity as u64 {
                let least = self.consumed;
                self.consumed = read_cursor(&self.region, moving::RELEASED, "consumed", least..=POSITION_MAX)?;
                start = reserved.load(Relaxed);
                // Whoever sees what is consumed sees that it was taken before.
                if self.consumed > start {
                    let (found, cursor) = (self.consumed, "consumed");
                    return Err(Corrupt { cursor, found, at_least: least, at_most: start });
                }
                if start + count - self.consumed > self.slots.capacity as u64 {
                    return Ok(None);
                }
            }
            match reserved.compare_exchange_weak(start, start + count, Relaxed, Relaxed) {
                Ok(_) => return Ok(Some(start)),
                Err(now) => start = now,
            }
        }
    }

    /// How many slots are taken and not released, now or a moment ago.
    #[must_use]
    pub fn depth(&self) -> usize {
        let released = self.region.word(moving::RELEASED).load(Acquire);
        (self.region.word(moving::RESERVED).load(Relaxed).saturating_sub(released) as usize).min(self.slots.capacity)
    }

    /// Waits for room, once.
    pub fn pause(&self, idle: &mut Idle) {
        let seen = self.consumed;
        idle.pause(&self.space_bell, || self.region.word(moving::RELEASED).load(Relaxed) != seen);
    }
}

/// The reading side.
#[derive(Debug)]
pub struct ManyConsumer<T> {
    role: Role,
    slots: Slots,
    /// The end up to which slots are released.
    consumed: u64,
    /// The end of the whole messages that were seen.
    seen: u64,
    bell: Bell,
    space_bell: Bell,
    slot: PhantomData<T>,
}

impl<T: Slot> ManyConsumer<T> {
    /// Takes the reading side; it goes on where the last one stopped.
    ///
    /// # Errors
    /// Another ring than a queue for many of these slots, or the side is taken.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::ManyQueue)?;
        let role = region.take_role(moving::READER_ROLE, "consumer")?;
        let consumed = read_cursor(region, moving::RELEASED, "consumed", 0..=POSITION_MAX)?;
        let (bell, space_bell) = (Bell::of_reader(region), Bell::of_writer(region));
        let slots = Slots::of(region);
        Ok(Self { role, slots, consumed, seen: consumed, bell, space_bell, slot: PhantomData })
    }

    /// The ring it reads from.
    #[must_use]
    pub fn region(&self) -> &Arc<Region> {
        self.role.region()
    }

    /// How many slots the message at `position` has: none until it is whole.
    #[inline]
    fn message_slots(&self, position: u64) -> Result<usize, Corrupt> {
        let end = mark(self.role.region(), &self.slots, position).load(Acquire);
        let slots = end.saturating_sub(position) as usize;
        if slots > self.slots.spill + 1 {
            let at_most = position + self.slots.spill as u64 + 1;
            return Err(Corrupt { cursor: "mark", found: end, at_least: 0, at_most });
        }
        Ok(slots)
    }

    /// Copies out and releases as many whole messages as wait and fit, and returns how many slots they have.
    ///
    /// # Errors
    /// A mark stands where it cannot.
    pub fn pop_slice(&mut self, into: &mut [T]) -> Result<usize, Corrupt> {
        let mut count = 0;
        loop {
            let slots = self.message_slots(self.consumed + count as u64)?;
            if slots == 0 || count + slots > into.len() {
                break;
            }
            count += slots;
        }
        self.seen = self.seen.max(self.consumed + count as u64);
        self.slots.copy_out(self.role.region(), self.consumed, &mut into[..count]);
        self.release(count);
        Ok(count)
    }

    /// Gives the first `count` of the slots that were seen back to the producers: whole messages.
    ///
    /// # Panics
    /// When fewer were seen.
    #[inline]
    pub fn release(&mut self, count: usize) {
        let waiting = self.seen - self.consumed;
        assert!(count as u64 <= waiting, "{count} slots cannot be released, {waiting} were seen");
        if count > 0 {
            self.consumed += count as u64;
            self.role.region().word(moving::RELEASED).store(self.consumed, Release);
            self.space_bell.ring();
        }
    }

    /// How many slots are taken and not released: messages that are being written count too.
    #[must_use]
    pub fn depth(&self) -> usize {
        let reserved = self.role.region().word(moving::RESERVED).load(Relaxed);
        (reserved.saturating_sub(self.consumed) as usize).min(self.slots.capacity)
    }

    /// Whether the next message is whole. For [`Idle::pause`].
    #[inline]
    #[must_use]
    pub fn is_ready(&self) -> bool {
        mark(self.role.region(), &self.slots, self.consumed).load(Relaxed) > self.consumed
    }

    /// Rung when a message was published.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Waits for a message, once.
    pub fn pause(&self, idle: &mut Idle) {
        idle.pause(&self.bell, || self.is_ready());
    }
}

#[cfg(not(feature = "loom"))]
impl<T: Slot> ManyConsumer<T> {
    /// The whole messages that wait, in one piece, up to where the ring ends; the rest comes after a release.
    ///
    /// # Errors
    /// A mark stands where it cannot.
    #[inline]
    pub fn readable(&mut self) -> Result<&[T], Corrupt> {
        let index = self.slots.index(self.consumed);
        let mut count = 0;
        while index + count < self.slots.capacity && count < self.slots.capacity {
            let slots = self.message_slots(self.consumed + count as u64)?;
            if slots == 0 {
                break;
            }
            count += slots;
        }
        self.seen = self.consumed + count as u64;
        // SAFETY: marked messages are written in full, and nobody writes to their slots before they are released, which
        // borrows `self` exclusively. The last one may reach into the spill, which repeats what lies at the front.
        Ok(unsafe { self.role.region().memory().slots(self.slots.offset(index), count) })
    }
}
