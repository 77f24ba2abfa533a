//! Several shards in one process: a node for each, and a courier between them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use crate::config::{Config, Source};
use crate::control::CONTROL_SOCKET;
use crate::courier::{Round, UnderWay};
use crate::error::{NodeError, while_doing};
use crate::node::{Doorway, Node};
use crate::recovery;
use crate::serve::{Announced, Announcement, Signalled};
use crate::venue_control::VenueControl;

/// What is under way between the shards, as the courier told it last.
pub(crate) type Told = Arc<Mutex<Vec<UnderWay>>>;

/// The shards of a process. See the module.
pub struct Venue {
    directory: PathBuf,
    shards: Vec<Node>,
    /// Of the shards whose configuration opens no door. Nobody comes in by them: kept, as a node keeps its own.
    _doorways: Vec<Doorway>,
    stop: Arc<AtomicBool>,
    courier: JoinHandle<Result<(), NodeError>>,
    control: JoinHandle<()>,
    under_way: Told,
}

/// Where the shards of a process can be reached.
#[derive(Clone, Debug, Serialize)]
pub struct VenueAnnouncement {
    /// The process.
    pub pid: u32,
    /// The folder of the shards' folders.
    pub directory: PathBuf,
    /// The socket of operators, for all shards together. Each has its own besides.
    pub control: PathBuf,
    /// The shards.
    pub shards: Vec<Announcement>,
    /// How many commands were applied again at the start, over all shards.
    pub replayed: u64,
}

impl Venue {
    /// Starts the shards that a configuration names, and what is between them.
    ///
    /// # Errors
    /// One of them does not start, or they do not fit together; then none runs.
    pub fn start(source: &Source, config: &Config) -> Result<Self, NodeError> {
        recovery::make_directory(&config.node.directory)?;
        let (mut shards, mut doorways) = (Vec::new(), Vec::new());
        for of_shard in config.of_shards() {
            match Node::start(source, &of_shard) {
                Ok((node, doorway)) => {
                    shards.push(node);
                    doorways.extend(doorway);
                }
                Err(error) => {
                    // What kept it from starting is told.
                    let _ = stop_all(shards);
                    return Err(error);
                }
            }
        }
        Self::join(&config.node.directory, shards, doorways)
    }

    /// Puts courier and operators' socket between shards that run.
    fn join(directory: &Path, shards: Vec<Node>, doorways: Vec<Doorway>) -> Result<Self, NodeError> {
        let (stop, under_way) = (Arc::new(AtomicBool::new(false)), Told::default());
        match connect(directory, &shards, &stop, &under_way) {
            Ok((courier, control)) => {
                let directory = directory.to_owned();
                Ok(Self { directory, shards, _doorways: doorways, stop, courier, control, under_way })
            }
            Err(error) => {
                stop.store(true, Ordering::Release);
                let _ = stop_all(shards);
                Err(error)
            }
        }
    }

    /// The shards, as the configuration names them.
    #[must_use]
    pub fn shards(&self) -> &[Node] {
        &self.shards
    }

    /// The same, to hand them commands.
    #[must_use]
    pub fn shards_mut(&mut self) -> &mut [Node] {
        &mut self.shards
    }

    /// What is under way between the shards.
    #[must_use]
    pub fn under_way(&self) -> Vec<UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether every shard runs, and what is between them.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shards.iter().all(Node::is_running) && !self.courier.is_finished()
    }

    /// Stops matching on all shards.
    pub fn halt(&self) {
        self.shards.iter().for_each(Node::halt);
    }

    /// Stops in order.
    ///
    /// # Errors
    /// Why a shard or the courier ended, the first of them.
    pub fn stop(self) -> Result<(), NodeError> {
        self.stop.store(true, Ordering::Release);
        let courier = self.courier.join().map_err(|_| NodeError::Panicked("courier"));
        let control = self.control.join().map_err(|_| NodeError::Panicked("control"));
        // A disk that fails is told first: the courier ends because of it.
        stop_all(self.shards)?;
        courier??;
        control
    }

    /// Announces the shards, and runs them until a signal or an operator ends them.
    pub(crate) fn run(self, signalled: &Signalled, announce: impl FnOnce(&str)) -> Result<(), NodeError> {
        let announcement = VenueAnnouncement {
            pid: std::process::id(),
            directory: self.directory.clone(),
            control: self.directory.join(CONTROL_SOCKET),
            shards: self.shards.iter().map(Announcement::of).collect(),
            replayed: self.shards.iter().map(Node::replayed).sum(),
        };
        let place = Announced::write(&self.directory, &announcement, announce)?;
        while self.is_running() && !signalled.stop.load(Ordering::Acquire) {
            if signalled.halt.swap(false, Ordering::AcqRel) {
                self.halt();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        place.remove_behind(self.stop())
    }
}

/// The thread of the courier, and that of the socket.
type Between = (JoinHandle<Result<(), NodeError>>, JoinHandle<()>);

/// Starts what is between shards that run.
fn connect(directory: &Path, shards: &[Node], stop: &Arc<AtomicBool>, under_way: &Told) -> Result<Between, NodeError> {
    let round = Round::begin(shards.iter().map(|node| node.post().clone()).collect())?;
    let control = VenueControl::open(directory, shards, Arc::clone(under_way))?;
    let (told, is_over) = (Arc::clone(under_way), Arc::clone(stop));
    let carry = move || {
        let tell = |under_way| *told.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
        round.run(&is_over, tell)
    };
    let courier = std::thread::Builder::new().name("tw-courier".to_owned()).spawn(carry);
    let courier = courier.map_err(while_doing("starting tw-courier"))?;
    Ok((courier, control.run(Arc::clone(stop))?))
}

/// Stops shards in order, all of them, and tells the first error.
fn stop_all(shards: Vec<Node>) -> Result<(), NodeError> {
    for node in &shards {
        node.signals().stop.store(true, Ordering::Release);
    }
    let mut first = Ok(());
    for node in shards {
        let ended = node.stop();
        first = first.and(ended);
    }
    first
}
