//! `[[shards]]`: which shard of a node has which instruments, and where it is reached.
//!
//! A shard is a whole node: a log in a folder of its own, an engine, doors, market data. Nothing is shared but the process. Accounts,
//! assets, fee schedules and keys stand in each of them by the same numbers; an instrument stands in one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::config::{
    Config, ConfigError, FeedConfig, GenesisConfig, MonitoringConfig, PlacementConfig, SessionConfig, ShmConfig,
    Source, TcpConfig,
};

/// A shard of the node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardConfig {
    /// Its number, which its events and its folder have.
    pub number: Spanned<u8>,
    /// The names of its instruments.
    pub instruments: Vec<Spanned<String>>,
    /// Its doors.
    #[serde(default)]
    pub session: ShardSessionConfig,
    /// Its market data. Left out, there is none.
    pub feed: Option<FeedConfig>,
    /// Where its threads run. Left out, as `[placement]` says.
    pub placement: Option<PlacementConfig>,
    /// What is told of it to operators.
    #[serde(default)]
    pub monitoring: MonitoringConfig,
}

/// `[shards.session]`: where the doors of a shard are. What else is about sessions stands in `[session]`, for all of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShardSessionConfig {
    /// Binary order entry over TCP.
    pub tcp: Option<TcpConfig>,
    /// Sessions over shared memory.
    pub shm: Option<ShmConfig>,
}

/// The sections that belong to one shard: with several, each has its own.
#[derive(Deserialize)]
struct OfOneShard {
    feed: Option<Spanned<IgnoredAny>>,
    #[serde(default)]
    session: Doors,
    #[serde(default)]
    monitoring: Monitored,
}

#[derive(Default, Deserialize)]
struct Doors {
    tcp: Option<Spanned<IgnoredAny>>,
    shm: Option<Spanned<IgnoredAny>>,
}

#[derive(Default, Deserialize)]
struct Monitored {
    listen: Option<Spanned<IgnoredAny>>,
    trace_one_in: Option<Spanned<IgnoredAny>>,
    traces: Option<Spanned<IgnoredAny>>,
}

/// Refuses what does not go together.
pub(crate) fn check(source: &Source, config: &Config) -> Result<(), ConfigError> {
    if config.shards.is_empty() {
        return check_deposits(source, config);
    }
    check_sections(source, config)?;
    let mut numbers: Vec<u8> = Vec::new();
    let mut channels: Vec<u16> = Vec::new();
    let (mut folders, mut traces) = (Vec::new(), Vec::new());
    for ShardConfig { number, session, feed, monitoring, .. } in &config.shards {
        let shard = *number.get_ref();
        if numbers.contains(&shard) {
            return Err(source.error(number, format!("number = {shard}: two shards have it")));
        }
        numbers.push(shard);
        if let Some(channel) = feed.as_ref().map(|feed| feed.channel) {
            if channels.contains(&channel) {
                let rule = "two shards send on it; each needs its own";
                return Err(source.error(number, format!("number = {shard}: channel = {channel}: {rule}")));
            }
            channels.push(channel);
        }
        if let Some(folder) = session.shm.as_ref().map(|shm| &shm.directory) {
            if folders.contains(&folder) {
                let folder = folder.display();
                let message = format!("number = {shard}: two shards have their sessions in the folder {folder}");
                return Err(source.error(number, message));
            }
            folders.push(folder);
        }
        if let Some(file) = &monitoring.traces {
            if traces.contains(&file) {
                let message = format!("number = {shard}: two shards add their traces to the file {}", file.display());
                return Err(source.error(number, message));
            }
            traces.push(file);
        }
    }
    check_instruments(source, config)?;
    check_deposits(source, config)
}

/// Every instrument stands in one shard, and every shard names instruments that there are.
fn check_instruments(source: &Source, config: &Config) -> Result<(), ConfigError> {
    let genesis = config.genesis.get_ref();
    let listed = || genesis.instrument.iter().map(|entry| &entry.get_ref().name);
    let mut owners: BTreeMap<&str, u8> = BTreeMap::new();
    for ShardConfig { number, instruments, .. } in &config.shards {
        for name in instruments {
            let shown = name.get_ref();
            if !listed().any(|known| known == shown) {
                let message = format!("instruments: {shown:?}: the genesis lists no such instrument");
                return Err(source.error(name, message));
            }
            if let Some(owner) = owners.insert(shown, *number.get_ref()) {
                return Err(source.error(name, format!("instruments: {shown:?}: shard {owner} has it already")));
            }
        }
    }
    match genesis.instrument.iter().find(|entry| !owners.contains_key(entry.get_ref().name.as_str())) {
        None => Ok(()),
        Some(entry) => {
            let name = &entry.get_ref().name;
            Err(source.error(entry, format!("name = {name:?}: is an instrument of no shard")))
        }
    }
}

fn check_deposits(source: &Source, config: &Config) -> Result<(), ConfigError> {
    let is_there = |shard: u8| match &config.shards[..] {
        [] => shard == *config.node.shard.get_ref(),
        shards => shards.iter().any(|known| *known.number.get_ref() == shard),
    };
    let accounts = config.genesis.get_ref().account.iter();
    let mut homes = accounts.filter_map(|entry| entry.get_ref().deposits_on.as_ref());
    match homes.find(|shard| !is_there(*shard.get_ref())) {
        None => Ok(()),
        Some(shard) => Err(source.error(shard, format!("deposits_on = {}: there is no such shard", shard.get_ref()))),
    }
}

/// What belongs to one shard may not stand beside several.
fn check_sections(source: &Source, config: &Config) -> Result<(), ConfigError> {
    let number = &config.node.shard;
    if *number.get_ref() != 0 {
        let message = format!("shard = {}: with [[shards]] each has its `number`", number.get_ref());
        return Err(source.error(number, message));
    }
    // It was read before, so it can be read again.
    let Ok(OfOneShard { feed, session, monitoring }) = toml::from_str(source.text()) else { return Ok(()) };
    let sections = [
        (feed, "[feed]", "[shards.feed]"),
        (session.tcp, "[session.tcp]", "[shards.session.tcp]"),
        (session.shm, "[session.shm]", "[shards.session.shm]"),
        (monitoring.listen, "[monitoring] listen", "[shards.monitoring]"),
        (monitoring.trace_one_in, "[monitoring] trace_one_in", "[shards.monitoring]"),
        (monitoring.traces, "[monitoring] traces", "[shards.monitoring]"),
    ];
    match sections.into_iter().find_map(|(place, name, instead)| place.map(|place| (place, name, instead))) {
        None => Ok(()),
        Some((place, name, instead)) => {
            Err(source.error(&place, format!("{name}: with [[shards]] each has its own, as {instead}")))
        }
    }
}

impl Config {
    /// The configuration of each shard as that of a node of its own; none when there is one shard, which this is.
    #[must_use]
    pub fn of_shards(&self) -> Vec<Self> {
        self.shards.iter().map(|shard| self.of_shard(shard)).collect()
    }

    fn of_shard(&self, shard: &ShardConfig) -> Self {
        let ShardConfig { number, instruments, session, feed, placement, monitoring } = shard;
        let folder = format!("shard-{}", number.get_ref());
        let mut config = self.clone();
        config.shards.clear();
        config.node.shard = number.clone();
        config.node.directory.push(&folder);
        config.node.rings = self.node.rings.as_ref().map(|rings| rings.join(&folder));
        let ShardSessionConfig { tcp, shm } = session.clone();
        config.session = SessionConfig { tcp, shm, ..config.session };
        config.feed.clone_from(feed);
        config.placement = placement.as_ref().unwrap_or(&self.placement).clone();
        config.monitoring = monitoring.clone();
        let GenesisConfig { instrument, account, .. } = config.genesis.get_mut();
        instrument.retain(|entry| instruments.iter().any(|name| *name.get_ref() == entry.get_ref().name));
        let first = self.shards.first().map_or(0, |first| *first.number.get_ref());
        for account in account.iter_mut().map(Spanned::get_mut) {
            let home = account.deposits_on.as_ref().map_or(first, |shard| *shard.get_ref());
            if home != *number.get_ref() {
                account.deposits.clear();
            }
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const VENUE: &str = r#"schema = 1
[node]
directory = "data"
[[shards]]
number = 1
instruments = ["BTC/USDT"]
session.tcp.listen = "127.0.0.1:4001"
feed = { channel = 7 }
monitoring = { trace_one_in = 100, traces = "a.jsonl" }
[[shards]]
number = 4
instruments = ["ETH/USDT"]
session.shm = { directory = "links", links = ["a"] }
feed = { channel = 8 }
monitoring = { traces = "b.jsonl" }
[[genesis.asset]]
name = "USDT"
[[genesis.asset]]
name = "BTC"
[[genesis.asset]]
name = "ETH"
[[genesis.instrument]]
name = "BTC/USDT"
tick = "0.01"
lot = "0.00001"
[[genesis.instrument]]
name = "ETH/USDT"
tick = "0.01"
lot = "0.0001"
[[genesis.account]]
name = "alice"
deposits = { USDT = "5" }
[[genesis.account]]
name = "bob"
deposits = { USDT = "6" }
deposits_on = 4
"#;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Source::parse(Path::new("/srv/exchange.toml"), text.to_owned()).map(|(_, config)| config)
    }

    #[test]
    fn each_shard_is_a_node_of_its_own() {
        let config = parse(VENUE).expect("a legal file");
        let shards = config.of_shards();
        let [one, four] = &shards[..] else { panic!("two shards") };
        assert_eq!((*one.node.shard.get_ref(), *four.node.shard.get_ref()), (1, 4));
        assert_eq!(one.node.directory, Path::new("/srv/data/shard-1"));
        assert_eq!(four.node.directory, Path::new("/srv/data/shard-4"));
        let listed = |config: &Config| {
            let instruments = &config.genesis.get_ref().instrument;
            instruments.iter().map(|entry| entry.get_ref().name.clone()).collect::<Vec<_>>()
        };
        assert_eq!((listed(one), listed(four)), (vec!["BTC/USDT".to_owned()], vec!["ETH/USDT".to_owned()]));
        let deposits = |config: &Config| {
            let accounts = &config.genesis.get_ref().account;
            accounts.iter().map(|entry| entry.get_ref().deposits.len()).collect::<Vec<_>>()
        };
        // Money is on one shard: whoever has not said which begins on the first.
        assert_eq!((deposits(one), deposits(four)), (vec![1, 0], vec![0, 1]));
        assert!(one.session.tcp.is_some() && four.session.tcp.is_none());
        let links = four.session.shm.as_ref().map(|shm| shm.directory.as_path());
        assert_eq!(links, Some(Path::new("/srv/links")));
        assert_eq!(four.feed.as_ref().map(|feed| feed.channel), Some(8));
        let traces = |config: &Config| config.monitoring.traces.clone();
        assert_eq!(traces(one).as_deref(), Some(Path::new("/srv/a.jsonl")));
        assert_eq!(traces(four).as_deref(), Some(Path::new("/srv/b.jsonl")));
        assert!(one.monitoring.trace_one_in.is_some() && four.monitoring.trace_one_in.is_none());
        assert!(one.shards.is_empty(), "a node of one shard has no shards");
    }

    #[test]
    fn a_node_of_one_shard_has_none() {
        let text = "schema = 1\n[node]\ndirectory = \"data\"\nshard = 3\n[genesis]\n";
        assert!(parse(text).expect("a legal file").of_shards().is_empty());
    }

    #[test]
    fn a_complaint_names_line_value_and_rule() {
        for (from, to, complaint) in [
            ("number = 4", "number = 1", "11: number = 1: two shards have it"),
            ("[\"ETH/USDT\"]", "[\"BTC/USDT\"]", "12: instruments: \"BTC/USDT\": shard 1 has it already"),
            ("[\"ETH/USDT\"]", "[\"SOL/USDT\"]", "12: instruments: \"SOL/USDT\": the genesis lists no such instrument"),
            ("[\"ETH/USDT\"]", "[]", "26: name = \"ETH/USDT\": is an instrument of no shard"),
            ("channel = 8", "channel = 7", "11: number = 4: channel = 7: two shards send on it; each needs its own"),
            ("deposits_on = 4", "deposits_on = 2", "36: deposits_on = 2: there is no such shard"),
            ("[[genesis.asset]]\nname = \"USDT\"", "[feed]\n[[genesis.asset]]\nname = \"USDT\"", "16: [feed]: with"),
            ("directory = \"data\"", "directory = \"data\"\nshard = 2", "4: shard = 2: with [[shards]] each has"),
            (
                "[[genesis.asset]]\nname = \"USDT\"",
                "[session.tcp]\nlisten = \"127.0.0.1:0\"\n[[genesis.asset]]\nname = \"USDT\"",
                "16: [session.tcp]: with [[shards]] each has its own, as [shards.session.tcp]",
            ),
            (
                "[[genesis.asset]]\nname = \"USDT\"",
                "[monitoring]\ntrace_one_in = 5\n[[genesis.asset]]\nname = \"USDT\"",
                "17: [monitoring] trace_one_in: with [[shards]] each has its own, as [shards.monitoring]",
            ),
            ("\"b.jsonl\"", "\"a.jsonl\"", "11: number = 4: two shards add their traces to the file a.jsonl"),
            ("trace_one_in = 100", "trace_one_in = 0", "9: trace_one_in = 0: must be at least 1"),
        ] {
            assert!(VENUE.contains(from));
            let refused = parse(&VENUE.replacen(from, to, 1)).expect_err("refused").to_string();
            let begins = format!("/srv/exchange.toml:{complaint}");
            assert!(refused.starts_with(&begins), "{refused:?} does not begin with {begins:?}");
        }
    }
}
