//! A feed on the engine's thread: what is released is told at once, without a third thread that wants a core.
//!
//! What takes long, reading the log to find where the channel stands, is done on a thread of its own meanwhile. The two hand the feed to
//! each other over a table: the engine's thread takes it when it is up to date, and puts it back when it has fallen behind or the node
//! stops.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tradewright_transport::Idle;

use super::{EVENTS_A_ROUND, Feed, REST, run};
use crate::sequencer::Signals;

/// A round of the sequencer may make more events than the feed takes at once, but not without end.
const ROUNDS_MAX: usize = 8;
/// So often is looked whether the feed lies on the table.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Where the feed lies when nobody has it.
#[derive(Clone)]
struct Table(Arc<Mutex<Option<Feed>>>);

impl Table {
    fn put(&self, feed: Feed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(feed);
    }

    fn take_if(&self, is_mine: impl FnOnce(&Feed) -> bool) -> Option<Feed> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.take_if(|feed| is_mine(feed))
    }

    /// As [`Table::take_if`], but nobody waits: somebody else may be at the table.
    fn try_take_if(&self, is_mine: impl FnOnce(&Feed) -> bool) -> Option<Feed> {
        self.0.try_lock().ok()?.take_if(|feed| is_mine(feed))
    }
}

/// The end of the engine's thread. What it has goes back to the table when it is dropped.
pub(crate) struct Guest {
    feed: Option<Feed>,
    table: Table,
}

/// The end of the thread that catches up.
pub(crate) struct Host(Table);

/// Both ends.
pub(crate) fn hand_over(feed: Feed) -> (Guest, Host) {
    let table = Table(Arc::new(Mutex::new(Some(feed))));
    (Guest { feed: None, table: table.clone() }, Host(table))
}

impl Guest {
    /// Tells what was released, if the feed is here. Returns how much there was to do.
    pub(crate) fn poll(&mut self) -> usize {
        let Self { feed: here, table } = self;
        if here.is_none() {
            *here = table.try_take_if(|feed| feed.past.is_none());
        }
        let Some(feed) = here else { return 0 };
        let mut done = 0;
        for _ in 0..ROUNDS_MAX {
            // Only the past can fail, and it is looked into elsewhere.
            let count = feed.poll().unwrap_or(0);
            done += count;
            if count < EVENTS_A_ROUND || feed.past.is_some() {
                break;
            }
        }
        if feed.past.is_some()
            && let Some(feed) = here.take()
        {
            table.put(feed);
        }
        done
    }

    /// Whether the feed is up to date and in this thread's hands.
    #[cfg(test)]
    pub(crate) fn is_here(&self) -> bool {
        self.feed.is_some()
    }

    /// Whether there is something to tell.
    pub(crate) fn is_ready(&self) -> bool {
        self.feed.as_ref().is_some_and(|feed| feed.reader.is_ready())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.take() {
            self.table.put(feed);
        }
    }
}

impl Host {
    /// Catches up whenever the feed is behind, and tells what is left when the engine's thread has ended. That thread has put the feed
    /// back before it says so.
    pub(crate) fn run(self, idle: Idle, signals: &Signals) {
        loop {
            let is_over = signals.ended.load(Ordering::Acquire);
            match self.0.take_if(|feed| is_over || feed.past.is_some()) {
                Some(feed) if is_over => return run(feed, idle, signals),
                Some(feed) => match catch_up(feed, signals) {
                    Some(feed) => self.0.put(feed),
                    None => return,
                },
                // It broke, or was never there.
                None if is_over => return,
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
    }
}

/// Reads the log until the ring of events goes on from there, or the engine's thread has ended. `None` when it cannot be read.
fn catch_up(mut feed: Feed, signals: &Signals) -> Option<Feed> {
    while feed.past.is_some() && !signals.ended.load(Ordering::Acquire) {
        match feed.poll() {
            Ok(0) => std::thread::sleep(REST),
            Ok(_) => {}
            Err(error) => {
                feed.broke(&error);
                return None;
            }
        }
    }
    Some(feed)
}
