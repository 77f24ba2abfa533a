//! `exchange.toml`: how the process runs, and what an empty log begins with.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use tradewright_transport::multicast::Line;
use tradewright_transport::{Placement, Scheduling, Wait};

use crate::shards::{self, ShardConfig};

/// The layout of the file that this build reads.
pub const SCHEMA: u32 = 1;

/// Why a configuration is refused: where, and what rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file as the user named it.
    pub file: PathBuf,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.message),
        }
    }
}

impl core::error::Error for ConfigError {}

/// How durable a command is before anything of it leaves the node: [`tradewright_journal::Tier`] as it is written here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierName {
    /// It is in memory: for simulations, nothing survives the process.
    Memory,
    /// It is synced to this machine's disk.
    #[default]
    LocalSync,
}

impl TierName {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::LocalSync => "local-sync",
        }
    }
}

/// What a thread does when it finds nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdleStrategy {
    /// Looks again at once: the fastest, and takes a whole core.
    Spin,
    /// Lets others run, then looks again.
    Yield,
    /// Looks for a while, then sleeps for up to a tenth of a millisecond.
    #[default]
    Park,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    schema: Spanned<u32>,
    /// The process.
    pub node: NodeConfig,
    /// The log.
    #[serde(default)]
    pub journal: JournalConfig,
    /// Which thread runs where.
    #[serde(default)]
    pub placement: PlacementConfig,
    /// The doors.
    #[serde(default)]
    pub session: SessionConfig,
    /// Market data. Left out, there is none.
    pub feed: Option<FeedConfig>,
    /// What is told to operators.
    #[serde(default)]
    pub monitoring: MonitoringConfig,
    /// What an empty log begins with.
    pub genesis: Spanned<GenesisConfig>,
    /// The shards of the node. Left out, it is one.
    #[serde(default)]
    pub shards: Vec<ShardConfig>,
}

/// `[node]`: the process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Where journal, snapshots, rings and the control socket are. Relative to the file.
    pub directory: PathBuf,
    /// Where the rings are: a folder in memory, such as one in /dev/shm. Left out, one of its own there.
    #[serde(default)]
    pub rings: Option<PathBuf>,
    /// Which shard this is.
    #[serde(default = "first_shard")]
    pub shard: Spanned<u8>,
    /// How many open orders to make room for in advance.
    #[serde(default = "orders_expected")]
    pub open_orders_expected: usize,
    /// How many events the ring keeps for its readers; a power of two.
    #[serde(default = "event_slots")]
    pub event_slots: Spanned<usize>,
    /// How many command records wait at most between sessions and the sequencer; a power of two.
    #[serde(default = "command_slots")]
    pub command_slots: Spanned<usize>,
    /// A snapshot after so many commands.
    #[serde(default = "snapshot_commands")]
    pub snapshot_commands: u64,
    /// A snapshot after so many seconds in which there were commands.
    #[serde(default = "snapshot_seconds")]
    pub snapshot_seconds: u64,
}

/// `[journal]`: the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// What an acknowledgement promises.
    pub tier: TierName,
    /// The size of a segment.
    pub segment_mib: Spanned<u64>,
    /// How many segments are kept ready.
    pub prepared: usize,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { tier: TierName::default(), segment_mib: spanned(256), prepared: 2 }
    }
}

/// `[placement]`: which thread runs where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlacementConfig {
    /// Sequencing, risk, matching, publishing.
    pub engine: ThreadConfig,
    /// Writing and syncing the log.
    pub journal: ThreadConfig,
    /// Sessions over TCP and shared memory. Left out, they share the engine's thread.
    pub sessions: Option<ThreadConfig>,
    /// Market data. Left out, it shares the engine's thread.
    pub feed: Option<ThreadConfig>,
    /// Everything that is in no hurry.
    pub background: ThreadConfig,
}

/// Where one thread runs and how it waits.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreadConfig {
    /// The core it is bound to.
    pub core: Option<Spanned<usize>>,
    /// The priority of the real-time class SCHED_FIFO; left out, the ordinary class.
    pub fifo_priority: Option<u8>,
    /// The memory node that its memory comes from.
    pub numa_node: Option<u32>,
    /// Whether its rings want huge pages.
    pub huge_pages: bool,
    /// How many microseconds its sockets look at the network card before they sleep.
    pub busy_poll_us: Option<u64>,
    /// What it does when idle.
    pub idle: IdleStrategy,
}

impl ThreadConfig {
    /// Where the thread goes.
    #[must_use]
    pub fn placement(&self) -> Placement {
        let Self { core, fifo_priority, numa_node, huge_pages, busy_poll_us, idle: _ } = self;
        Placement {
            core: core.as_ref().map(|core| *core.get_ref()),
            scheduling: fifo_priority.map_or(Scheduling::Other, |priority| Scheduling::Fifo { priority }),
            numa_node: *numa_node,
            huge_pages: *huge_pages,
            prefault: true,
            busy_poll: busy_poll_us.map(std::time::Duration::from_micros),
        }
    }

    /// How it waits.
    #[must_use]
    pub fn wait(&self) -> Wait {
        match self.idle {
            IdleStrategy::Spin => Wait::Spin,
            IdleStrategy::Yield => Wait::Yield,
            IdleStrategy::Park => Wait::Park { spins: 2_000, timeout: std::time::Duration::from_micros(100) },
        }
    }
}

/// `[session]`: the doors.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// Binary order entry over TCP.
    pub tcp: Option<TcpConfig>,
    /// Sessions over shared memory.
    pub shm: Option<ShmConfig>,
    /// How many messages a session may send in a second; the rest is refused with the time to wait.
    pub messages_per_second: Option<u32>,
    /// The file of the master key, by which secrets for HMAC are opened.
    pub master_key: Option<PathBuf>,
    /// Keys that hear of other accounts.
    #[serde(default)]
    pub drop_copy: Vec<DropCopyConfig>,
}

/// `[[session.drop_copy]]`: with this key a session that asks for a drop copy hears of these accounts besides its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropCopyConfig {
    /// The id of the key.
    pub key: String,
    /// The names of the accounts.
    pub accounts: Vec<String>,
}

/// `[session.tcp]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: Spanned<String>,
}

/// `[session.shm]`: sessions over shared memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShmConfig {
    /// The folder of the rings, such as one in /dev/shm.
    pub directory: PathBuf,
    /// The names of the links: each has rings of its own and serves one client at a time, whoever logs on.
    pub links: Vec<Spanned<String>>,
    /// How many slots of 64 bytes each ring has; a power of two.
    #[serde(default = "command_slots")]
    pub slots: Spanned<usize>,
}

/// `[feed]`: market data, order by order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedConfig {
    /// The number of the channel, which stands in every datagram.
    pub channel: u16,
    /// How many messages the ring keeps, for readers and to be given again; a power of two.
    pub ring_slots: Spanned<usize>,
    /// Address and port of the service that gives messages again, and snapshots; port 0 takes a free one.
    pub listen: Option<Spanned<String>>,
    /// Group and port of line A.
    pub a: Option<Spanned<String>>,
    /// Group and port of line B.
    pub b: Option<Spanned<String>>,
    /// The address of the interface that both lines leave by.
    pub interface: Option<Ipv4Addr>,
    /// How many routers datagrams pass, less one: 1 stays in the network.
    pub ttl: u8,
}

impl Default for FeedConfig {
    fn default() -> Self {
        let (listen, a, b, interface) = (None, None, None, None);
        Self { channel: 1, ring_slots: spanned(1 << 18), listen, a, b, interface, ttl: 1 }
    }
}

impl FeedConfig {
    /// The lines that it runs on.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let interface = self.interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let places = [&self.a, &self.b].into_iter().flatten().filter_map(|place| place.get_ref().parse().ok());
        places.map(|place: SocketAddrV4| Line { group: *place.ip(), port: place.port(), interface }).collect()
    }
}

/// `[monitoring]`: what is told to operators.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitoringConfig {
    /// Address and port of `/metrics`, `/ready` and `/live`; port 0 takes a free one.
    pub listen: Option<Spanned<String>>,
    /// One in so many commands of sessions is traced. Left out, none is.
    pub trace_one_in: Option<Spanned<u64>>,
    /// The file that traces are added to. Relative to the file; left out, `traces.jsonl` in the node's folder.
    pub traces: Option<PathBuf>,
}

/// `[genesis]`: what an empty log begins with. Afterwards the log is right, and a section that differs is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisConfig {
    /// `[[genesis.asset]]`.
    #[serde(default)]
    pub asset: Vec<Spanned<AssetConfig>>,
    /// `[[genesis.fees]]`.
    #[serde(default)]
    pub fees: Vec<Spanned<FeesConfig>>,
    /// `[[genesis.instrument]]`.
    #[serde(default)]
    pub instrument: Vec<Spanned<InstrumentConfig>>,
    /// `[[genesis.account]]`.
    #[serde(default)]
    pub account: Vec<Spanned<AccountConfig>>,
    /// `[[genesis.key]]`.
    #[serde(default)]
    pub key: Vec<Spanned<KeyConfig>>,
}

/// An asset.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetConfig {
    /// Its name.
    pub name: String,
    /// Decimal places of its smallest amount.
    #[serde(default = "decimals")]
    pub decimals: u8,
}

/// A tier of a fee schedule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeesConfig {
    /// Which schedule.
    pub schedule: u16,
    /// Which tier of it.
    #[serde(default)]
    pub tier: u8,
    /// Millionths of the notional that takers pay.
    pub taker_ppm: i32,
    /// Millionths of the notional that makers pay; below zero, a rebate.
    pub maker_ppm: i32,
}

/// A spot instrument.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// BASE/QUOTE.
    pub name: String,
    /// The smallest step of the price.
    pub tick: String,
    /// The smallest step of the quantity.
    pub lot: String,
    /// The smallest order.
    pub min_quantity: Option<String>,
    /// The largest order.
    pub max_quantity: Option<String>,
    /// The smallest order by worth.
    pub min_notional: Option<String>,
    /// The largest order by worth.
    pub max_notional: Option<String>,
    /// How far below the reference price an order may be priced.
    #[serde(default = "band")]
    pub band_down_ppm: u32,
    /// How far above the reference price an order may be priced.
    #[serde(default = "band")]
    pub band_up_ppm: u32,
    /// Its fee schedule.
    #[serde(default)]
    pub fees: u16,
    /// The reference price before the first trade.
    pub reference_price: Option<String>,
}

/// An account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Its name.
    pub name: String,
    /// Whose money it holds.
    #[serde(default)]
    pub kind: AccountKindName,
    /// Its trade group.
    #[serde(default)]
    pub group: u32,
    /// Its fee tier.
    #[serde(default)]
    pub fee_tier: u8,
    /// What it may send and keep; without it, the engine's defaults.
    pub limits: Option<LimitsConfig>,
    /// Amounts it begins with, by asset.
    #[serde(default)]
    pub deposits: std::collections::BTreeMap<String, String>,
    /// The shard that they are on. Left out, it is the first one.
    pub deposits_on: Option<Spanned<u8>>,
}

/// A key that clients log on with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Its id, which clients send as their username.
    pub id: String,
    /// The public half of an Ed25519 key: 64 hexadecimal digits.
    pub public: Option<String>,
    /// Or a secret for HMAC as `tradewright keys seal` prints it: hexadecimal digits.
    pub sealed: Option<String>,
    /// Whose it is. Left out, it is one of the venue: its gateways send orders for every account.
    pub account: Option<String>,
    /// What it permits.
    pub permissions: Vec<PermissionName>,
}

/// What a key permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "see `KeyPermissions`")]
pub enum PermissionName {
    Trade,
    Read,
    MarketMaker,
}

/// What an account may send and keep.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Open orders at one time.
    pub open_orders: u32,
    /// New orders in one second.
    pub orders_per_second: u32,
    /// Messages about orders in one second.
    pub messages_per_second: u32,
}

/// The kinds of account that a genesis opens; the venue's own two are there from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKindName {
    /// A customer's money.
    #[default]
    Client,
    /// The operator's own trading money.
    House,
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn first_shard() -> Spanned<u8> {
    spanned(0)
}

fn orders_expected() -> usize {
    1 << 16
}

fn event_slots() -> Spanned<usize> {
    spanned(1 << 20)
}

fn command_slots() -> Spanned<usize> {
    spanned(1 << 14)
}

fn snapshot_commands() -> u64 {
    1 << 24
}

fn snapshot_seconds() -> u64 {
    600
}

fn decimals() -> u8 {
    8
}

fn band() -> u32 {
    500_000
}

/// A configuration with the text it was read from, so that every complaint names its line.
#[derive(Debug)]
pub struct Source {
    file: PathBuf,
    text: String,
}

impl Source {
    /// Reads a configuration.
    ///
    /// # Errors
    /// The file cannot be read, has a key or value that this build does not know, or breaks a rule.
    pub fn load(file: &Path) -> Result<(Self, Config), ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: file.to_owned(),
            line: 0,
            message: format!("cannot be read: {error}"),
        })?;
        Self::parse(file, text)
    }

    /// Reads a configuration from its text; `file` names it in complaints, and relative folders start where it is.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub fn parse(file: &Path, text: String) -> Result<(Self, Config), ConfigError> {
        let source = Self { file: file.to_owned(), text };
        let mut config: Config = toml::from_str(&source.text)
            .map_err(|error| source.error_at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        source.check(&config)?;
        let here = file.parent().unwrap_or(Path::new(""));
        config.node.directory = here.join(&config.node.directory);
        config.session.master_key = config.session.master_key.map(|file| here.join(file));
        config.node.rings = config.node.rings.map(|rings| here.join(rings));
        let of_shards = config.shards.iter_mut().map(|shard| &mut shard.monitoring.traces);
        for traces in of_shards.chain([&mut config.monitoring.traces]).flatten() {
            *traces = here.join(&*traces);
        }
        let of_shards = config.shards.iter_mut().map(|shard| &mut shard.session.shm);
        for shm in of_shards.chain([&mut config.session.shm]).flatten() {
            shm.directory = here.join(&shm.directory);
        }
        Ok((source, config))
    }

    /// A complaint about a value of the file.
    pub fn error<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        self.error_at(value.span().start, message.into())
    }

    /// The file as it was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn error_at(&self, offset: usize, message: String) -> ConfigError {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        ConfigError { file: self.file.clone(), line, message }
    }

    fn check(&self, config: &Config) -> Result<(), ConfigError> {
        if *config.schema.get_ref() != SCHEMA {
            let found = config.schema.get_ref();
            return Err(self.error(&config.schema, format!("schema = {found}: this build reads schema = {SCHEMA}")));
        }
        shards::check(self, config)?;
        let of_shards = config.shards.iter().filter_map(|shard| shard.session.shm.as_ref());
        let shm_slots = config.session.shm.iter().chain(of_shards).map(|shm| ("slots", &shm.slots));
        let sizes = [("event_slots", &config.node.event_slots), ("command_slots", &config.node.command_slots)];
        let feeds = || config.feed.iter().chain(config.shards.iter().filter_map(|shard| shard.feed.as_ref()));
        let feed_slots = feeds().map(|feed| ("ring_slots", &feed.ring_slots));
        for (name, size) in sizes.into_iter().chain(shm_slots).chain(feed_slots) {
            let slots = *size.get_ref();
            if !slots.is_power_of_two() || !(1 << 10..=1 << 28).contains(&slots) {
                return Err(
                    self.error(size, format!("{name} = {slots}: must be a power of two from 1024 to 268435456"))
                );
            }
        }
        let mib = *config.journal.segment_mib.get_ref();
        if !(1..=4096).contains(&mib) {
            return Err(self.error(&config.journal.segment_mib, format!("segment_mib = {mib}: must be 1 to 4096")));
        }
        feeds().try_for_each(|feed| self.check_lines(feed))?;
        let monitorings = config.shards.iter().map(|shard| &shard.monitoring).chain([&config.monitoring]);
        if let Some(one_in) =
            monitorings.filter_map(|it| it.trace_one_in.as_ref()).find(|one_in| *one_in.get_ref() == 0)
        {
            return Err(self.error(one_in, "trace_one_in = 0: must be at least 1"));
        }
        let placements = config.shards.iter().filter_map(|shard| shard.placement.as_ref());
        placements.chain([&config.placement]).try_for_each(|placement| self.check_cores(placement))
    }

    fn check_cores(&self, placement: &PlacementConfig) -> Result<(), ConfigError> {
        let PlacementConfig { engine, journal, sessions, feed, background } = placement;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for core in
            [Some(engine), Some(journal), sessions.as_ref(), feed.as_ref(), Some(background)].into_iter().flatten()
        {
            if let Some(core) = &core.core
                && *core.get_ref() >= cores
            {
                let number = core.get_ref();
                return Err(
                    self.error(core, format!("core = {number}: this machine lets the process use {cores}, from 0"))
                );
            }
        }
        Ok(())
    }

    fn check_lines(&self, feed: &FeedConfig) -> Result<(), ConfigError> {
        for (name, place) in [("a", &feed.a), ("b", &feed.b)] {
            let Some(place) = place else { continue };
            let text = place.get_ref();
            if !text.parse::<SocketAddrV4>().is_ok_and(|place| place.ip().is_multicast() && place.port() > 0) {
                let rule = "must be a group from 224.0.0.0 to 239.255.255.255 and a port, such as 239.192.0.1:14310";
                return Err(self.error(place, format!("{name} = {text:?}: {rule}")));
            }
            if feed.interface.is_none() {
                return Err(self.error(place, format!("{name} = {text:?}: needs the address of its `interface`")));
            }
        }
        match (&feed.a, &feed.b) {
            (None, Some(b)) => Err(self.error(b, "b: a line B needs a line A")),
            (Some(a), Some(b)) if a.get_ref() == b.get_ref() => {
                Err(self.error(b, format!("b = {:?}: must differ from line A", b.get_ref())))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "schema = 1\n[node]\ndirectory = \"data\"\n[genesis]\n";

    fn refusal(text: &str) -> String {
        Source::parse(Path::new("exchange.toml"), text.to_owned()).expect_err("refused").to_string()
    }

    #[test]
    fn what_is_left_out_has_a_value() {
        let (_, config) = Source::parse(Path::new("/srv/exchange.toml"), PLAIN.to_owned()).expect("a legal file");
        assert_eq!(config.node.directory, Path::new("/srv/data"));
        assert_eq!(config.journal.tier, TierName::LocalSync);
        assert_eq!(*config.journal.segment_mib.get_ref(), 256);
        assert!(config.session.tcp.is_none());
    }

    #[test]
    fn a_complaint_names_its_line() {
        let with = |lines: &str| refusal(&PLAIN.replace("[genesis]", &format!("{lines}\n[genesis]")));
        assert!(with("colour = 1").starts_with("exchange.toml:4: unknown field `colour`"), "{}", with("colour = 1"));
        assert_eq!(
            with("event_slots = 1000"),
            "exchange.toml:4: event_slots = 1000: must be a power of two from 1024 to 268435456"
        );
        assert!(with("[placement.engine]\ncore = 9999").starts_with("exchange.toml:5: core = 9999: this machine"));
        let feed = |lines: &str| with(&format!("[feed]\n{lines}"));
        assert!(feed("colour = 1").starts_with("exchange.toml:5: unknown field `colour`"), "{}", feed("colour = 1"));
        assert!(feed("ring_slots = 1000").starts_with("exchange.toml:5: ring_slots = 1000: must be a power of two"));
        assert!(
            feed("a = \"127.0.0.1:14310\"").starts_with("exchange.toml:5: a = \"127.0.0.1:14310\": must be a group")
        );
        assert!(feed("a = \"239.192.0.1:14310\"").ends_with("needs the address of its `interface`"));
        let lines = "interface = \"127.0.0.1\"\na = \"239.192.0.1:9\"\nb = \"239.192.0.1:9\"";
        assert_eq!(feed(lines), "exchange.toml:7: b = \"239.192.0.1:9\": must differ from line A");
        assert!(feed("interface = \"127.0.0.1\"\nb = \"239.192.0.1:9\"").starts_with("exchange.toml:6: b: a line B"));
        assert!(with("[journal]\nsegment_mib = 0").starts_with("exchange.toml:5: segment_mib = 0: must be"));
        assert!(refusal(&PLAIN.replace("schema = 1", "schema = 2")).starts_with("exchange.toml:1: schema = 2: "));
        assert!(refusal("schema = 1\n[node\n").starts_with("exchange.toml:2: "));
        assert!(refusal("schema = 1\n").contains("missing field `node`"));
    }
}
