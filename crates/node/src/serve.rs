//! A node as a process: it runs until a signal or an operator ends it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use crate::config::Source;
use crate::control::CONTROL_SOCKET;
use crate::error::{NodeError, while_doing};
use crate::feed::FeedPlace;
use crate::node::{EVENTS_RING, Node};
use crate::venue::Venue;

/// What clients on this machine need to know; also in the node's folder, as long as it runs.
pub const ANNOUNCEMENT_FILE: &str = "node.json";

/// Where a node can be reached.
#[derive(Clone, Debug, Serialize)]
pub struct Announcement {
    /// The process.
    pub pid: u32,
    /// The folder of the log.
    pub directory: PathBuf,
    /// The ring of events.
    pub events: PathBuf,
    /// The socket of operators.
    pub control: PathBuf,
    /// The address of sessions over TCP.
    pub tcp: Option<SocketAddr>,
    /// The folder of the rings of sessions over shared memory.
    pub shm: Option<PathBuf>,
    /// Market data.
    pub feed: Option<FeedPlace>,
    /// The address of `/metrics`.
    pub monitoring: Option<SocketAddr>,
    /// How many commands were applied again at the start.
    pub replayed: u64,
}

/// What the signals of this process ask for.
pub(crate) struct Signalled {
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) halt: Arc<AtomicBool>,
}

impl Signalled {
    /// From now on SIGTERM and SIGINT stop, SIGUSR1 halts matching.
    pub(crate) fn listen() -> Result<Self, NodeError> {
        let (stop, halt) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for (signal, flag) in [(SIGTERM, &stop), (SIGINT, &stop), (SIGUSR1, &halt)] {
            signal_hook::flag::register(signal, Arc::clone(flag)).map_err(while_doing("waiting for signals"))?;
        }
        Ok(Self { stop, halt })
    }
}

/// Runs a node until SIGTERM, SIGINT or an operator stops it. SIGUSR1 halts matching.
///
/// # Errors
/// Why it did not start, or did not end in order.
pub fn serve(file: &Path, announce: impl FnOnce(&str)) -> Result<(), NodeError> {
    let (source, config) = Source::load(file)?;
    let signalled = Signalled::listen()?;
    if !config.shards.is_empty() {
        return Venue::start(&source, &config)?.run(&signalled, announce);
    }
    let (node, _door) = Node::start(&source, &config)?;
    run(node, &signalled, announce)
}

/// Announces a node, and runs it to its end.
pub(crate) fn run(node: Node, signalled: &Signalled, announce: impl FnOnce(&str)) -> Result<(), NodeError> {
    let place = Announced::write(node.directory(), &Announcement::of(&node), announce)?;
    while node.is_running() && !signalled.stop.load(Ordering::Acquire) {
        if signalled.halt.swap(false, Ordering::AcqRel) {
            node.halt();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    place.remove_behind(node.stop())
}

impl Announcement {
    /// Where a node can be reached.
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            pid: std::process::id(),
            directory: node.directory().to_owned(),
            events: node.rings().join(EVENTS_RING),
            control: node.directory().join(CONTROL_SOCKET),
            tcp: node.tcp(),
            shm: node.shm().map(Path::to_owned),
            feed: node.market_data().cloned(),
            monitoring: node.monitoring(),
            replayed: node.replayed(),
        }
    }
}

/// An announcement that stands in its folder.
pub(crate) struct Announced(PathBuf);

impl Announced {
    /// Writes an announcement, and tells it.
    pub(crate) fn write(
        directory: &Path,
        announcement: &impl Serialize,
        announce: impl FnOnce(&str),
    ) -> Result<Self, NodeError> {
        let text = serde_json::to_string(announcement).expect("Invariant: an announcement is text");
        let place = directory.join(ANNOUNCEMENT_FILE);
        std::fs::write(&place, &text).map_err(while_doing(format!("writing {}", place.display())))?;
        announce(&text);
        Ok(Self(place))
    }

    /// Removes the file when the node has ended, but where another process goes on in its place.
    pub(crate) fn remove_behind(self, ended: Result<(), NodeError>) -> Result<(), NodeError> {
        if !matches!(ended, Err(NodeError::Overtaken { .. })) {
            // A file of a node that is gone helps nobody; that it cannot be removed harms nobody.
            let _ = std::fs::remove_file(&self.0);
        }
        ended
    }
}
