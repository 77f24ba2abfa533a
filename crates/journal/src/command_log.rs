//! The log as the node sees it, whether one machine keeps it or several do.

use tradewright_types::CommandRecord;

use crate::error::Outcome;
use crate::journal::Journal;
use crate::storage::Storage;

/// A change of who may append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// This node appends from now on, in this epoch.
    Gained {
        /// The epoch of what is appended.
        epoch: u32,
    },
    /// Another node does: what was appended and not committed is to be thrown away.
    Lost,
}

/// A sequence of commands that is agreed on.
pub trait CommandLog {
    /// Appends whole commands and returns the index of the last one.
    ///
    /// # Errors
    /// When they are malformed, or this node may not append.
    fn append(&mut self, commands: &[CommandRecord]) -> Outcome<u64>;

    /// Works on making what was appended as durable as the tier says, and returns the last index that is.
    ///
    /// # Errors
    /// When the log is broken: nothing behind the last committed index may leave the node.
    fn commit(&mut self) -> Outcome<u64>;

    /// The last committed index.
    fn committed_index(&self) -> u64;

    /// The epoch of what is appended.
    fn epoch(&self) -> u32;

    /// The next change of leadership that was not told yet.
    fn next_leadership(&mut self) -> Option<Leadership>;
}

/// A group of one: it leads from the start.
impl<S: Storage> CommandLog for Journal<S> {
    fn append(&mut self, commands: &[CommandRecord]) -> Outcome<u64> {
        Self::append(self, commands).map(|()| self.last_index())
    }

    fn commit(&mut self) -> Outcome<u64> {
        Self::commit(self)
    }

    fn committed_index(&self) -> u64 {
        self.durable_index()
    }

    fn epoch(&self) -> u32 {
        Self::epoch(self)
    }

    fn next_leadership(&mut self) -> Option<Leadership> {
        self.take_untold_epoch().map(|epoch| Leadership::Gained { epoch })
    }
}
