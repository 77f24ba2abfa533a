//! A queue from one producer to one consumer.

#![allow(unsafe_code, reason = "slots are one side's alone between two moves of a cursor, which no borrow shows")]

use std::marker::PhantomData;

use crate::error::{Corrupt, RegionError};
use crate::header::{HEADER_BYTES, Kind, moving};
use crate::region::{Region, RegionOptions, Role, Shape};
use crate::slot::Slot;
use crate::sync::{Acquire, Arc, Relaxed, Release};
use crate::{Bell, Idle};

/// Makes a queue in memory of this process: `capacity` slots (a power of two), in which messages of up to
/// `message_slots_max` slots lie in one piece.
///
/// # Errors
/// A shape that no queue has, or the system refuses the memory.
pub fn queue<T: Slot>(capacity: u64, message_slots_max: u32) -> Result<(Producer<T>, Consumer<T>), RegionError> {
    let region = Region::in_memory(Shape::queue::<T>(capacity, message_slots_max), &RegionOptions::default())?;
    Ok((Producer::attach(&region)?, Consumer::attach(&region)?))
}

/// No ring gets this far, and no sum of a position and a capacity overflows.
pub(crate) const POSITION_MAX: u64 = 1 << 62;

/// Where the slots of a ring lie, known once and never read again: the header belongs to both sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub(crate) capacity: usize,
    pub(crate) spill: usize,
    slot_bytes: usize,
}

impl Slots {
    pub(crate) fn of(region: &Region) -> Self {
        let shape = region.shape();
        Self { capacity: shape.capacity as usize, spill: shape.spill as usize, slot_bytes: shape.slot_bytes as usize }
    }

    #[inline]
    pub(crate) fn index(&self, position: u64) -> usize {
        position as usize & (self.capacity - 1)
    }

    #[inline]
    pub(crate) fn offset(&self, index: usize) -> usize {
        HEADER_BYTES + index * self.slot_bytes
    }

    /// Copies slots in from `position` on, in two pieces where the ring ends, and repeats behind the end what belongs there.
    ///
    /// # Safety
    /// Nobody else touches the slots from `position` on.
    #[inline]
    pub(crate) unsafe fn copy_in<T: Slot>(&self, region: &Region, position: u64, slots: &[T]) {
        let index = self.index(position);
        let (front, wrapped) = slots.split_at(slots.len().min(self.capacity - index));
        for (index, piece) in [(index, front), (0, wrapped)] {
            // SAFETY: these are the slots of the positions, by the caller's promise nobody else's.
            unsafe { region.memory().copy_in(self.offset(index), piece) };
            if index < self.spill {
                let repeated = &piece[..piece.len().min(self.spill - index)];
                // SAFETY: a slot of the spill belongs to the same position as the one that it repeats.
                unsafe { region.memory().copy_in(self.offset(self.capacity + index), repeated) };
            }
        }
    }

    /// Copies slots out from `position` on, word by word.
    #[inline]
    pub(crate) fn copy_out<T: Slot>(&self, region: &Region, position: u64, into: &mut [T]) {
        let index = self.index(position);
        let (front, wrapped) = into.split_at_mut(into.len().min(self.capacity - index));
        region.memory().load(self.offset(index), front);
        region.memory().load(self.offset(0), wrapped);
    }

    /// How many slots from `position` on lie in one piece.
    #[inline]
    pub(crate) fn contiguous(&self, position: u64) -> usize {
        self.capacity - self.index(position) + self.spill
    }
}

/// Reads the other side's cursor and makes sure that it stands where it can.
#[inline]
pub(crate) fn read_cursor(
    region: &Region,
    word: usize,
    cursor: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, Corrupt> {
    let found = region.word(word).load(Acquire);
    if range.contains(&found) {
        return Ok(found);
    }
    Err(Corrupt { cursor, found, at_least: *range.start(), at_most: *range.end() })
}

/// The writing side of a queue.
#[derive(Debug)]
pub struct Producer<T> {
    role: Role,
    slots: Slots,
    /// The end up to which slots are published.
    written: u64,
    /// Where the consumer was when it was last looked for.
    consumed: u64,
    /// How many slots behind `written` were given out for writing.
    claimed: usize,
    bell: Bell,
    space_bell: Bell,
    slot: PhantomData<T>,
}

impl<T: Slot> Producer<T> {
    /// Takes the writing side; it goes on where the last one stopped.
    ///
    /// # Errors
    /// Another ring than a queue of these slots, or the side is taken.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::Queue)?;
        let role = region.take_role(moving::WRITER_ROLE, "producer")?;
        let slots = Slots::of(region);
        let written = read_cursor(region, moving::WRITTEN, "written", 0..=POSITION_MAX)?;
        let least = written.saturating_sub(slots.capacity as u64);
        let consumed = read_cursor(region, moving::RELEASED, "consumed", least..=written)?;
        let (bell, space_bell) = (Bell::of_reader(region), Bell::of_writer(region));
        Ok(Self { role, slots, written, consumed, claimed: 0, bell, space_bell, slot: PhantomData })
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
        self.role.region()
    }

    /// How many slots can be written now, as far as is known without asking. Asks when that is fewer than `wanted`.
    #[inline]
    fn room(&mut self, wanted: usize) -> Result<usize, Corrupt> {
        let room = self.slots.capacity - (self.written - self.consumed) as usize;
        if room >= wanted {
            return Ok(room);
        }
        self.consumed = read_cursor(self.role.region(), moving::RELEASED, "consumed", self.consumed..=self.written)?;
        Ok(self.slots.capacity - (self.written - self.consumed) as usize)
    }

    /// How many slots can be written now.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    pub fn free(&mut self) -> Result<usize, Corrupt> {
        self.room(usize::MAX)
    }

    /// Writes and publishes as many of the slots as there is room for, and returns how many.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    #[inline]
    pub fn push_slice(&mut self, slots: &[T]) -> Result<usize, Corrupt> {
        let count = self.room(slots.len())?.min(slots.len());
        // SAFETY: the consumer is done with these slots: its cursor says so, and it has no say over more than the ring.
        unsafe { self.slots.copy_in(self.role.region(), self.written, &slots[..count]) };
        self.publish(count);
        Ok(count)
    }

    /// Writes and publishes all of the slots, or none when there is no room, and returns whether it did.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    #[inline]
    pub fn push_whole(&mut self, slots: &[T]) -> Result<bool, Corrupt> {
        Ok(self.room(slots.len())? >= slots.len() && self.push_slice(slots)? == slots.len())
    }

    #[inline]
    fn publish(&mut self, count: usize) {
        if count > 0 {
            self.claimed = 0;
            self.written += count as u64;
            self.role.region().word(moving::WRITTEN).store(self.written, Release);
            self.bell.ring();
        }
    }

    /// How many slots a message has at most.
    #[cfg(not(feature = "loom"))]
    pub(crate) fn message_slots_max(&self) -> usize {
        self.slots.spill + 1
    }

    /// The position behind the last published slot.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How many slots the consumer has not released.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    pub fn depth(&mut self) -> Result<usize, Corrupt> {
        Ok(self.slots.capacity - self.free()?)
    }

    /// Waits for room, once.
    pub fn pause(&mut self, idle: &mut Idle) {
        let (region, seen) = (self.role.region(), self.consumed);
        idle.pause(&self.space_bell, || region.word(moving::RELEASED).load(Relaxed) != seen);
    }
}

#[cfg(not(feature = "loom"))]
impl<T: Slot> Producer<T> {
    /// Gives out the next `count` slots for writing, in one piece, or `None` when there is no room. What stands in them is
    /// old. [`Producer::commit`] publishes them.
    ///
    /// # Errors
    /// The consumer's cursor stands where it cannot.
    ///
    /// # Panics
    /// When `count` is more than the messages of this queue may have.
    #[inline]
    pub fn claim(&mut self, count: usize) -> Result<Option<&mut [T]>, Corrupt> {
        assert!(count <= self.slots.spill + 1, "{count} slots are not one message: at most {}", self.slots.spill + 1);
        if self.room(count)? < count {
            return Ok(None);
        }
        self.claimed = count;
        let offset = self.slots.offset(self.slots.index(self.written));
        // SAFETY: the consumer is done with these slots; what lies behind the end of the ring is their repetition.
        Ok(Some(unsafe { self.role.region().memory().slots_mut(offset, count) }))
    }

    /// Publishes the first `count` of the slots that were given out.
    ///
    /// # Panics
    /// When fewer were given out.
    #[inline]
    pub fn commit(&mut self, count: usize) {
        assert!(count <= self.claimed, "{count} slots were not given out, {} were", self.claimed);
        let (index, region) = (self.slots.index(self.written), self.role.region());
        if index < self.slots.spill || index + count > self.slots.capacity {
            let offset = self.slots.offset(index);
            // SAFETY: the slots that were given out, whose reference ended with the borrow of `self`. The copies go to other
            // slots: from the front to the spill or from the spill to the front.
            unsafe {
                let written: &[T] = region.memory().slots(offset, count);
                let (front, beyond) = written.split_at(count.min(self.slots.capacity - index));
                if index < self.slots.spill {
                    let repeated = &front[..front.len().min(self.slots.spill - index)];
                    region.memory().copy_in(self.slots.offset(self.slots.capacity + index), repeated);
                }
                region.memory().copy_in(self.slots.offset(0), beyond);
            }
        }
        self.publish(count);
    }
}

/// The reading side of a queue.
#[derive(Debug)]
pub struct Consumer<T> {
    role: Role,
    slots: Slots,
    /// The end up to which slots are released.
    consumed: u64,
    /// Where the producer was when it was last looked for.
    written: u64,
    bell: Bell,
    space_bell: Bell,
    slot: PhantomData<T>,
}

impl<T: Slot> Consumer<T> {
    /// Takes the reading side; it goes on where the last one stopped.
    ///
    /// # Errors
    /// Another ring than a queue of these slots, or the side is taken.
    pub fn attach(region: &Arc<Region>) -> Result<Self, RegionError> {
        region.expect::<T>(Kind::Queue)?;
        let role = region.take_role(moving::READER_ROLE, "consumer")?;
        let slots = Slots::of(region);
        let consumed = read_cursor(region, moving::RELEASED, "consumed", 0..=POSITION_MAX)?;
        let most = consumed + slots.capacity as u64;
        let written = read_cursor(region, moving::WRITTEN, "written", consumed..=most)?;
        let (bell, space_bell) = (Bell::of_reader(region), Bell::of_writer(region));
        Ok(Self { role, slots, consumed, written, bell, space_bell, slot: PhantomData })
    }

    /// The ring it reads from.
    #[must_use]
    pub fn region(&self) -> &Arc<Region> {
        self.role.region()
    }

    /// How many slots wait to be read.
    ///
    /// # Errors
    /// The producer's cursor stands where it cannot.
    #[inline]
    pub fn depth(&mut self) -> Result<usize, Corrupt> {
        let most = self.consumed + self.slots.capacity as u64;
        self.written = read_cursor(self.role.region(), moving::WRITTEN, "written", self.written..=most)?;
        Ok((self.written - self.consumed) as usize)
    }

    /// Copies out and releases as many slots as wait and fit, and returns how many. The copy is the reader's own: for what
    /// a peer writes that is not trusted.
    ///
    /// # Errors
    /// The producer's cursor stands where it cannot.
    #[inline]
    pub fn pop_slice(&mut self, into: &mut [T]) -> Result<usize, Corrupt> {
        let count = self.copy_out(into)?;
        self.release(count);
        Ok(count)
    }

    /// Copies out as many slots as wait and fit without releasing them, and returns how many.
    #[inline]
    fn copy_out(&mut self, into: &mut [T]) -> Result<usize, Corrupt> {
        let count = self.depth()?.min(into.len());
        self.copy_out_from(0, &mut into[..count]);
        Ok(count)
    }

    /// Copies out slots that were seen to wait, from the one behind `skipped` others on.
    #[inline]
    pub(crate) fn copy_out_from(&self, skipped: usize, into: &mut [T]) {
        self.slots.copy_out(self.role.region(), self.consumed + skipped as u64, into);
    }

    /// How many slots a message has at most.
    pub(crate) fn message_slots_max(&self) -> usize {
        self.slots.spill + 1
    }

    /// Gives the first `count` of the slots that wait back to the producer.
    ///
    /// # Panics
    /// When fewer were seen to wait.
    #[inline]
    pub fn release(&mut self, count: usize) {
        let waiting = self.written - self.consumed;
        assert!(count as u64 <= waiting, "{count} slots cannot be released, {waiting} were seen");
        if count > 0 {
            self.consumed += count as u64;
            self.role.region().word(moving::RELEASED).store(self.consumed, Release);
            self.space_bell.ring();
        }
    }

    /// The position behind the last slot that was released.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether something waits that was not there when this side last looked. For [`Idle::pause`].
    #[inline]
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.role.region().word(moving::WRITTEN).load(Relaxed) != self.consumed
    }

    /// Rung when something was published.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Waits for slots, once.
    pub fn pause(&self, idle: &mut Idle) {
        idle.pause(&self.bell, || self.is_ready());
    }
}

#[cfg(not(feature = "loom"))]
impl<T: Slot> Consumer<T> {
    /// What waits, in one piece: everything, or up to where the ring ends; the rest comes after a release. A message that
    /// begins before the end is whole. Takes no step but one read of a cursor.
    ///
    /// The slots are those of the ring: a producer in another process that breaks the protocol can change them while they
    /// are read. Where it is not trusted, [`Consumer::pop_slice`] copies.
    ///
    /// # Errors
    /// The producer's cursor stands where it cannot.
    #[inline]
    pub fn readable(&mut self) -> Result<&[T], Corrupt> {
        let count = self.depth()?.min(self.slots.contiguous(self.consumed));
        let offset = self.slots.offset(self.slots.index(self.consumed));
        // SAFETY: the producer does not write to these slots before they are released, which borrows `self` exclusively.
        Ok(unsafe { self.role.region().memory().slots(offset, count) })
    }
}
