//! The journal: takes commands in their order, and tells when they are durable.
//!
//! One thread owns it. What waits is put into one batch, which is written by one call and synced by one call; the longer a sync
//! takes, the more waits for the next.

use tradewright_types::CommandRecord;

use crate::batch::BatchBuffer;
use crate::durable::{DURABLE_NAME, DurableEnd, Tier};
use crate::error::{JournalError, MalformedCommand, Outcome, damaged, while_doing};
use crate::format::{Identity, LogId, RecordKind, SEGMENT_HEADER_BYTES, Tip};
use crate::notes::{CHECK_EVERY, Check, TreeHead};
use crate::recovery::{Recovered, begin, check_tier, disk_segment_indices, recover, segment_indices};
use crate::segment::{Segment, Supply};
use crate::storage::{Access, Storage, StoredFile};

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The shard whose commands these are.
    pub shard: u8,
    /// When a commit is safe.
    pub tier: Tier,
    /// How long a segment is.
    pub segment_bytes: u64,
    /// How long a batch may be. A command that does not fit is refused.
    pub batch_bytes_max: usize,
    /// How many segments are kept ready.
    pub prepared_segments: usize,
    /// The id of the log, if it is new; drawn when there is none here.
    pub log_id: Option<LogId>,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            shard: 0,
            tier: Tier::LocalSync,
            segment_bytes: 256 << 20,
            batch_bytes_max: 5 << 20,
            prepared_segments: 2,
            log_id: None,
        }
    }
}

impl JournalConfig {
    fn check(&self) -> Outcome<()> {
        let segment = (SEGMENT_HEADER_BYTES + self.batch_bytes_max) as u64;
        let rules = [
            ("batch_bytes_max", self.batch_bytes_max as u64, self.batch_bytes_max >= 4_096, "must be at least 4096"),
            ("segment_bytes", self.segment_bytes, self.segment_bytes >= segment, "must hold the longest batch"),
            ("segment_bytes", self.segment_bytes, self.segment_bytes.is_multiple_of(4_096), "must be whole pages"),
            ("prepared_segments", self.prepared_segments as u64, self.prepared_segments > 0, "must be at least 1"),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            None => Ok(()),
            Some((name, value, _, rule)) => Err(JournalError::Setting { name, value, rule }),
        }
    }
}

/// Makes segments ready ahead of their use, on a thread that has time for it.
pub struct Preparer<S> {
    supply: Supply<S>,
    wanted: usize,
    /// Fewer than half were left: it makes more until all are there.
    is_filling: bool,
}

impl<S: Storage> Preparer<S> {
    /// Makes one segment ready if half of the wanted ones are used up, or if it is on the way from there to all of them. Returns
    /// whether it did. Zeros go to the same disk as the log: a burst that half of the segments take does not meet them.
    ///
    /// # Errors
    /// The system's: it may be tried again, the log is not harmed. While none is ready the log has no room behind its last
    /// segment.
    pub fn prepare(&mut self) -> Outcome<bool> {
        let count = self.supply.count();
        self.is_filling = count <= self.wanted / 2 || (self.is_filling && count < self.wanted);
        if self.is_filling {
            self.supply.prepare()?;
        }
        Ok(self.is_filling)
    }
}

/// The room that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What the last segment still takes.
    pub segment_bytes: u64,
    /// How many segments are ready behind it.
    pub prepared_segments: usize,
}

/// The log of one shard, open for writing.
pub struct Journal<S: Storage> {
    tier: Tier,
    identity: Identity,
    batch_bytes_max: u64,
    supply: Supply<S>,
    wanted: usize,
    segment: Segment<S::File>,
    /// Where in the segment the next batch goes.
    end: u64,
    /// Where the log stands behind what was written.
    tip: Tip,
    buffer: BatchBuffer,
    durable_file: S::File,
    /// A write or a sync failed: nobody knows what is on the disk.
    is_poisoned: bool,
    /// The epoch that was last told as a leadership, see [`crate::CommandLog`].
    told_epoch: Option<u32>,
    /// Held as long as the journal lives.
    _lock: S::Lock,
}

impl<S: Storage> Journal<S> {
    /// Opens the log in a folder, or makes it there.
    ///
    /// # Errors
    /// When another process has it, and when its last segment is damaged: with file, place and rule.
    pub fn open(config: JournalConfig, storage: S) -> Outcome<(Self, Recovered)> {
        config.check()?;
        check_tier(&storage, config.tier)?;
        let lock = storage.lock().map_err(while_doing("taking", "lock"))?.ok_or(JournalError::Locked)?;
        let names = storage.list().map_err(while_doing("listing", "folder"))?;
        let supply = Supply::open(storage.clone(), config.segment_bytes, &names)?;
        let indices = disk_segment_indices(&names);
        let first_index = segment_indices(&names).first().copied();
        if indices.is_empty() && first_index.is_some() {
            return Err(damaged("folder", 0, "a log whose segments are archived must have its last segment"));
        }
        let start = if indices.is_empty() {
            begin(&supply, config.shard, config.log_id, config.batch_bytes_max as u64)?
        } else {
            recover(&storage, &indices, config.shard)?
        };
        // Written over, not made anew: readers have it open.
        let durable_file = match storage.open(DURABLE_NAME, Access::Write) {
            Ok(file) => file,
            Err(_) => storage.create(DURABLE_NAME).map_err(while_doing("creating", DURABLE_NAME))?,
        };
        let Recovered { identity, tip, .. } = start.recovered;
        // The last segment may have been made with a smaller limit.
        let batch_bytes_max = config.batch_bytes_max.min(start.segment.header.batch_bytes_max as usize);
        let mut journal = Self {
            tier: config.tier,
            identity,
            batch_bytes_max: config.batch_bytes_max as u64,
            supply,
            wanted: config.prepared_segments,
            segment: start.segment,
            end: start.end,
            tip,
            buffer: BatchBuffer::new(tip, batch_bytes_max),
            durable_file,
            is_poisoned: false,
            told_epoch: None,
            _lock: lock,
        };
        journal.publish()?;
        let first_index = first_index.unwrap_or(1);
        Ok((journal, Recovered { first_index, ..start.recovered }))
    }

    /// Which log it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The last index that was appended.
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.buffer.tip().index
    }

    /// The last index that is as durable as the tier says.
    #[must_use]
    pub fn durable_index(&self) -> u64 {
        self.tip.index
    }

    /// The epoch of what is appended next.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.buffer.tip().epoch
    }

    /// Where the log stands behind what is durable.
    #[must_use]
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// The room that is left. With no segment prepared and little left in this one, new orders should be refused.
    #[must_use]
    pub fn space(&self) -> Space {
        let segment_bytes = self.segment.header.segment_bytes - self.end;
        Space { segment_bytes, prepared_segments: self.supply.count() }
    }

    /// What makes segments ready, to be called on another thread.
    #[must_use]
    pub fn preparer(&self) -> Preparer<S> {
        Preparer { supply: self.supply.clone(), wanted: self.wanted, is_filling: true }
    }

    /// Appends commands: whole ones, in their order, times set. They get the next indices. When the batch is full it is committed
    /// on the way.
    ///
    /// # Errors
    /// On a malformed command: those before it are appended. Otherwise as [`Journal::commit`].
    pub fn append(&mut self, mut commands: &[CommandRecord]) -> Outcome<()> {
        self.ensure_alive()?;
        while !commands.is_empty() {
            let count = whole_command(commands, self.buffer.tip().time_ns)?;
            let (command, rest) = commands.split_at(count);
            if !self.buffer.has_room_for(size_of_val(command)) {
                self.make_room_for(command)?;
            }
            self.buffer.push_command(command);
            commands = rest;
        }
        Ok(())
    }

    #[cold]
    fn make_room_for(&mut self, command: &[CommandRecord]) -> Outcome<()> {
        if !self.buffer.could_hold(size_of_val(command)) {
            return Err(JournalError::CommandTooLong { records: command.len() });
        }
        self.commit().map(drop)
    }

    /// Appends what the state's hash was at an index.
    ///
    /// # Errors
    /// When the index is none of a check, or ahead of the log; and as [`Journal::commit`], when the batch is full.
    pub fn append_check(&mut self, check: &Check) -> Outcome<()> {
        if !check.index.is_multiple_of(CHECK_EVERY) {
            let rule = "must be one at which checks stand, a multiple of 4096";
            return Err(JournalError::Setting { name: "index", value: check.index, rule });
        }
        self.append_note(RecordKind::Check, check.index, &check.to_bytes())
    }

    /// Appends a signed head of the tree.
    ///
    /// # Errors
    /// As [`Journal::commit`], when the batch is full.
    pub fn append_tree_head(&mut self, head: &TreeHead) -> Outcome<()> {
        self.append_note(RecordKind::TreeHead, self.last_index(), &head.to_bytes())
    }

    fn append_note(&mut self, kind: RecordKind, index: u64, payload: &[u8]) -> Outcome<()> {
        self.ensure_alive()?;
        if index > self.last_index() {
            let rule = "must be the index of a command in the log";
            return Err(JournalError::Setting { name: "index", value: index, rule });
        }
        if !self.buffer.has_room_for(payload.len()) {
            self.commit()?;
        }
        self.buffer.push_note(kind, index, payload);
        Ok(())
    }

    /// Begins an epoch: what was appended is committed in the old one, and the beginning of the new one is committed too.
    ///
    /// # Errors
    /// When the epoch is not a later one; otherwise as [`Journal::commit`].
    pub fn begin_epoch(&mut self, epoch: u32) -> Outcome<()> {
        self.commit()?;
        if epoch <= self.epoch() {
            let rule = "must be after the epoch of the log";
            return Err(JournalError::Setting { name: "epoch", value: epoch.into(), rule });
        }
        self.buffer.begin_epoch(epoch);
        self.append_note(RecordKind::Epoch, self.last_index(), &[])?;
        self.commit().map(drop)
    }

    /// Closes the log in order: from now on anything that fails to be read at its end is damage.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub fn seal(mut self) -> Outcome<Tip> {
        self.append_note(RecordKind::Seal, self.last_index(), &[])?;
        self.commit()?;
        Ok(self.tip)
    }

    /// Writes and syncs what was appended, and returns the last durable index.
    ///
    /// # Errors
    /// [`JournalError::LogSpaceExhausted`] when no segment is prepared: what was appended stays, and the call may be repeated. Any
    /// other error poisons the journal for good, as then nobody knows what is on the disk.
    pub fn commit(&mut self) -> Outcome<u64> {
        self.ensure_alive()?;
        if self.buffer.is_empty() {
            return Ok(self.tip.index);
        }
        let committed = self.write_batch();
        self.is_poisoned = matches!(&committed, Err(error) if !matches!(error, JournalError::LogSpaceExhausted));
        committed
    }

    /// The epoch, if it was not told yet.
    pub(crate) fn take_untold_epoch(&mut self) -> Option<u32> {
        let epoch = self.epoch();
        (self.told_epoch.replace(epoch) != Some(epoch)).then_some(epoch)
    }

    fn ensure_alive(&self) -> Outcome<()> {
        if self.is_poisoned { Err(JournalError::Poisoned) } else { Ok(()) }
    }

    fn write_batch(&mut self) -> Outcome<u64> {
        if self.end + self.buffer.length() as u64 > self.segment.header.segment_bytes {
            self.begin_segment()?;
        }
        let (bytes, tip) = self.buffer.finish(self.identity.tag());
        let Segment { name, file, .. } = &self.segment;
        file.write_at(bytes, self.end).map_err(while_doing("writing", name))?;
        if self.tier == Tier::LocalSync {
            file.sync_data().map_err(while_doing("syncing", name))?;
        }
        // After this point the batch is as durable as the tier says.
        self.end += bytes.len() as u64;
        self.tip = tip;
        self.buffer.clear(tip);
        self.publish()?;
        Ok(tip.index)
    }

    fn begin_segment(&mut self) -> Outcome<()> {
        if self.tip.index < self.segment.header.first_index {
            let rule = "must hold at least one command: segments are named after their first";
            return Err(JournalError::Setting {
                name: "segment_bytes",
                value: self.segment.header.segment_bytes,
                rule,
            });
        }
        self.segment = self.supply.take(self.identity, &self.tip, self.batch_bytes_max)?;
        self.end = SEGMENT_HEADER_BYTES as u64;
        Ok(())
    }

    /// Tells other processes how far the log may be read.
    fn publish(&mut self) -> Outcome<()> {
        let place = (self.segment.header.first_index, self.end);
        let end = DurableEnd::new(self.identity.log_id, self.tip.index, place, self.tip.epoch, self.tier);
        end.write(&self.durable_file)
    }
}

/// How many records the first command has, if it can be logged behind one of `last_time_ns`.
///
/// Whoever sequences commands asks this before: what cannot be logged must not be applied either.
///
/// # Errors
/// What is wrong with it.
#[inline(always)]
pub fn whole_command(commands: &[CommandRecord], last_time_ns: u64) -> Result<usize, MalformedCommand> {
    let Some(first) = commands.first() else { return Err(MalformedCommand::RecordCount(0)) };
    let count = usize::from(first.header.record_count);
    if count == 0 || count > commands.len() {
        return Err(MalformedCommand::RecordCount(first.header.record_count));
    }
    if let Some(place) = commands[..count].iter().position(|record| record.header.kind == 0) {
        return Err(MalformedCommand::BlankRecord(place));
    }
    if first.header.time_ns < last_time_ns {
        return Err(MalformedCommand::TimeWentBack { time_ns: first.header.time_ns, last_time_ns });
    }
    Ok(count)
}
