//! How a node is set up for a bench, and the venue that it is given.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tradewright_gateway::client::{Client, LogonOptions};
use tradewright_protocol::logon::{Key, Secret};
use tradewright_protocol::messages::LogonAckExtension;
use tradewright_transport::{Placement, Wait};
use tradewright_types::{ANY, AccountId, CommandRecord, KeyPermissions, Label, Price, set_up};

use super::records::Drive;
use super::served::{PATIENCE, ServedNode, rings_folder};
use crate::venue;

/// How commands reach the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Records of 64 bytes through a session's ring in shared memory.
    Records,
    /// Frames through a session's rings in shared memory.
    ShmFrames,
    /// Frames over TCP.
    Tcp,
}

impl Route {
    /// As reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "shm-records",
            Self::ShmFrames => "shm-frames",
            Self::Tcp => "tcp-frames",
        }
    }
}

/// The cores that threads are bound to; `None` leaves them to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    /// The engine's thread, and that of the copier which stands in for the node.
    pub engine: Option<usize>,
    /// The journal's thread.
    pub journal: Option<usize>,
    /// Sessions and the feed on threads of their own, on this core. Without, they share the engine's.
    pub sessions: Option<usize>,
    /// All threads of the client.
    pub client: Option<usize>,
}

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The command that runs a node; the configuration's path is added behind it. Its first line is the announcement.
    pub node: Vec<String>,
    /// An empty folder on the disk that the log is to be on.
    pub directory: PathBuf,
    /// Memory or local-sync.
    pub tier: String,
    /// What threads do that find nothing, in the node, in the client and in the copier: spin, yield or park.
    pub idle: String,
    /// Where threads run.
    pub cores: Cores,
    /// The size of a segment of the log.
    pub segment_mib: u64,
    /// How many segments are made ready before the clock starts.
    pub prepared: usize,
    /// Slots of each of the session's rings.
    pub link_slots: u64,
    /// Slots of the ring of events.
    pub event_slots: u64,
    /// Whether the node publishes market data.
    pub has_feed: bool,
}

const LINK: &str = "bench";
const VENUE_KEY: &[u8] = b"venue";
const TRADER_KEY: &[u8] = b"trader";
const SECOND_KEY: &[u8] = b"second";

impl Setting {
    /// A node as the benches run it.
    #[must_use]
    pub fn new(node: Vec<String>, directory: PathBuf) -> Self {
        Self {
            node,
            directory,
            tier: "local-sync".to_owned(),
            idle: "yield".to_owned(),
            cores: Cores::default(),
            segment_mib: 256,
            prepared: 2,
            link_slots: 1 << 14,
            event_slots: 1 << 20,
            has_feed: false,
        }
    }

    /// What threads do that find nothing.
    ///
    /// # Errors
    /// It is none of the three.
    pub(crate) fn wait(&self) -> Result<Wait, String> {
        match self.idle.as_str() {
            "spin" => Ok(Wait::Spin),
            "yield" => Ok(Wait::Yield),
            // As `idle = "park"` means it in a configuration.
            "park" => Ok(Wait::Park { spins: 2_000, timeout: Duration::from_micros(100) }),
            other => Err(format!("idle={other:?} must be spin, yield or park")),
        }
    }

    /// How the client's threads, or those of a copier, are driven.
    ///
    /// # Errors
    /// As [`Setting::wait`].
    pub(crate) fn drive(&self, core: Option<usize>, window: u64) -> Result<Drive, String> {
        Ok(Drive { wait: self.wait()?, placement: Placement { core, ..Placement::default() }, window })
    }

    /// The configuration of the node. Everything is as it is by default but what a bench sets.
    fn configuration(&self, rings: &Path) -> String {
        let Self { tier, idle, cores, segment_mib, prepared, link_slots, event_slots, .. } = self;
        let thread = |name: &str, core: Option<usize>| {
            let core = core.map_or_else(String::new, |core| format!("core = {core}\n"));
            format!("[placement.{name}]\nidle = \"{idle}\"\n{core}")
        };
        // Where sessions have a thread of their own, so has the feed.
        let feed_place = cores.sessions.map_or_else(String::new, |core| thread("feed", Some(core)));
        let feed = if self.has_feed { format!("{feed_place}[feed]\n") } else { String::new() };
        let sessions = cores.sessions.map_or_else(String::new, |core| thread("sessions", Some(core)));
        format!(
            "schema = 1\n[node]\ndirectory = \"log\"\nrings = {rings:?}\nevent_slots = {event_slots}\n\
             [journal]\ntier = {tier:?}\nsegment_mib = {segment_mib}\nprepared = {prepared}\n\
             {}{}{sessions}{feed}\
             [session]\nmessages_per_second = 4_000_000_000\n[session.tcp]\nlisten = \"127.0.0.1:0\"\n\
             [session.shm]\ndirectory = {:?}\nlinks = [\"{LINK}\"]\nslots = {link_slots}\n\
             [monitoring]\nlisten = \"127.0.0.1:0\"\n[genesis]\n",
            thread("engine", cores.engine),
            thread("journal", cores.journal),
            rings.join("links"),
        )
    }
}

/// A node with the venue of the benches in it, and with its segments ready.
pub(crate) struct Venue {
    pub(crate) node: ServedNode,
    /// How fast the node made segments ready, when it made more than one.
    pub(crate) prepare_bytes_per_s: f64,
}

impl Venue {
    /// Starts the node, waits for its segments, and opens the venue with so many accounts.
    ///
    /// # Errors
    /// The node does not start, or does not do what it is asked.
    pub(crate) fn open(setting: &Setting, accounts: u64) -> Result<Self, String> {
        let rings = rings_folder(&setting.directory);
        let configuration = setting.configuration(&rings);
        let mut node = ServedNode::start(&setting.node, &setting.directory, &configuration, Some(rings))?;
        let prepare_bytes_per_s = await_segments(&mut node, setting)?;
        let set_up = venue::bench_set_up(1, accounts, Price::from_ticks(100_000));
        let mut commands = split(&set_up);
        let mut keys = vec![register(VENUE_KEY, AccountId(ANY)), register(TRADER_KEY, venue::account_of(0))];
        if accounts > 1 {
            keys.push(register(SECOND_KEY, venue::account_of(1)));
        }
        commands.extend(keys.iter().map(<[CommandRecord; 3]>::as_slice));
        node.apply(&commands)?;
        Ok(Self { node, prepare_bytes_per_s })
    }

    /// Connects and logs on: for records as the venue, for frames as its first account.
    ///
    /// # Errors
    /// The node does not let it in.
    pub(crate) fn log_on(&self, route: Route) -> Result<(Client, LogonAckExtension), String> {
        self.log_on_with(route, if route == Route::Records { VENUE_KEY } else { TRADER_KEY })
    }

    /// Connects and logs on as the first account, which hears of its orders.
    ///
    /// # Errors
    /// The node does not let it in.
    pub(crate) fn log_on_as_trader(&self, route: Route) -> Result<(Client, LogonAckExtension), String> {
        self.log_on_with(route, TRADER_KEY)
    }

    /// Connects over TCP and logs on as the second account; as often as it takes, while its last connection is not over yet.
    ///
    /// # Errors
    /// The node does not let it in.
    pub(crate) fn log_on_second(&self) -> Result<Client, String> {
        let begin = Instant::now();
        loop {
            match self.log_on_with(Route::Tcp, SECOND_KEY) {
                Ok((client, _)) => return Ok(client),
                Err(error) if begin.elapsed() > PATIENCE => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn log_on_with(&self, route: Route, key: &[u8]) -> Result<(Client, LogonAckExtension), String> {
        let place = self.node.place();
        let client = match (route, &place.shm, place.tcp) {
            (Route::Records | Route::ShmFrames, Some(folder), _) => Client::shm(folder, LINK),
            (Route::Tcp, _, Some(address)) => Client::tcp(address),
            (Route::Records | Route::ShmFrames | Route::Tcp, _, _) => {
                return Err("the node has no such door".to_owned());
            }
        };
        let mut client = client.map_err(|error| error.to_string())?;
        let raw = route == Route::Records;
        let options = LogonOptions { raw, heartbeat_s: 60, ..LogonOptions::new(b"BENCH", key) };
        let ack = client.log_on(&options, &secret(), PATIENCE).map_err(|error| error.to_string())?;
        Ok((client, ack))
    }
}

/// Waits until as many segments lie ready as were asked for; returns how fast they came.
fn await_segments(node: &mut ServedNode, setting: &Setting) -> Result<f64, String> {
    let (mut seen, mut last) = (0, Instant::now());
    loop {
        let written_at = node.prepared_segments();
        if written_at.len() >= setting.prepared {
            return Ok(prepare_bytes_per_s(&written_at, setting.segment_mib));
        }
        if written_at.len() > seen {
            (seen, last) = (written_at.len(), Instant::now());
        }
        node.check()?;
        if last.elapsed() > PATIENCE {
            return Err(format!("prepared={seen} segments must become {}", setting.prepared));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How fast segments came whose last bytes were written at these times: the first one's beginning is not known.
fn prepare_bytes_per_s(written_at: &[SystemTime], segment_mib: u64) -> f64 {
    let (first, last) = (written_at.iter().min(), written_at.iter().max());
    let lasted = first.zip(last).and_then(|(first, last)| last.duration_since(*first).ok());
    match lasted {
        Some(lasted) if !lasted.is_zero() => {
            ((written_at.len() as u64 - 1) * (segment_mib << 20)) as f64 / lasted.as_secs_f64()
        }
        _ => 0.0,
    }
}

fn register(id: &[u8], account: AccountId) -> [CommandRecord; 3] {
    let id = Label::new(id).expect("Invariant: it is one word of ASCII");
    let Key::Ed25519(public) = secret().key() else { unreachable!("Invariant: the bench signs by Ed25519") };
    set_up::register_public_key(&id, account, KeyPermissions::TRADE, &public)
}

/// Signs on to a node that lives as long as the bench does, on a machine that is the bench's own.
fn secret() -> Secret {
    Secret::ed25519(&[0x42; 32])
}

/// The commands that records are, each whole.
pub(crate) fn split(mut records: &[CommandRecord]) -> Vec<&[CommandRecord]> {
    let mut found = Vec::new();
    while !records.is_empty() {
        let (command, behind) = CommandRecord::split_command(records);
        found.push(command);
        records = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use tradewright_node::config::Source;

    use super::*;

    #[test]
    fn its_configuration_is_a_legal_one() {
        let cores = Cores { engine: Some(0), journal: Some(1), sessions: Some(1), client: None };
        for cores in [Cores::default(), cores] {
            let has_feed = cores.sessions.is_some();
            let setting = Setting { cores, has_feed, ..Setting::new(Vec::new(), PathBuf::from("/tmp/bench")) };
            let text = setting.configuration(Path::new("/dev/shm/bench"));
            let (_, config) = Source::parse(Path::new("/tmp/bench/exchange.toml"), text).expect("a legal file");
            assert_eq!(config.node.rings.as_deref(), Some(Path::new("/dev/shm/bench")));
            assert_eq!(config.placement.sessions.is_some(), cores.sessions.is_some());
        }
    }

    #[test]
    fn segments_come_as_fast_as_the_times_between_them_tell() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(prepare_bytes_per_s(&[at(14), at(10), at(12)], 8), f64::from(4 << 20));
        assert_eq!((prepare_bytes_per_s(&[at(3)], 8), prepare_bytes_per_s(&[], 8)), (0.0, 0.0));
    }

    #[test]
    fn a_way_to_wait_that_nobody_knows_is_told() {
        let setting = Setting { idle: "sleep".to_owned(), ..Setting::new(Vec::new(), PathBuf::new()) };
        assert_eq!(setting.wait(), Err("idle=\"sleep\" must be spin, yield or park".to_owned()));
    }
}
