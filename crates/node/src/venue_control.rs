//! The operators' socket of several shards: what is asked of all of them, and transfers between them.
//!
//! It takes lines as the socket of a shard does, hands them to each of those, and gives their answers together. What is meant
//! for one shard is asked at its own socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tradewright_transport::{Polled, Reader, Start};
use tradewright_types::{
    AccountId, Amount, AssetId, CommandKind, CommandRecord, EventKind, EventRecord, Name, RejectReason, ShardId, set_up,
};

use crate::control::{CONTROL_SOCKET, answer_lines, listen};
use crate::courier::{Post, UnderWay};
use crate::decimal::Decimal;
use crate::error::{NodeError, while_doing};
use crate::node::Node;
use crate::venue::Told;

/// How long a transfer may take to leave, and then to arrive, before the operator is told that it has not yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an operator asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    /// How are the shards?
    Status,
    /// Stop matching on all of them, now.
    Halt,
    /// Let matching go on.
    Resume,
    /// Write a snapshot of each.
    Snapshot,
    /// Stop in order.
    Stop,
    /// Money of an account goes to another shard.
    Transfer(Transfer),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    account: String,
    asset: String,
    /// A decimal number.
    amount: String,
    from_shard: u8,
    to_shard: u8,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Shards {
        /// What each of them answered.
        shards: Vec<serde_json::Value>,
        /// What is under way between them.
        transfers: Vec<UnderWay>,
    },
    Sent {
        /// The number that the sending shard gave.
        number: u64,
        /// Whether it is known to have arrived.
        arrived: bool,
    },
    Refused {
        error: String,
    },
}

/// A shard as operators see it.
#[derive(Clone)]
struct Known {
    shard: u8,
    socket: PathBuf,
    post: Post,
}

/// A socket that listens.
pub(crate) struct VenueControl {
    listener: UnixListener,
    path: PathBuf,
    shards: Arc<Vec<Known>>,
    under_way: Told,
}

impl VenueControl {
    /// Makes the socket in the folder of the shards' folders.
    pub(crate) fn open(directory: &Path, shards: &[Node], under_way: Told) -> Result<Self, NodeError> {
        let path = directory.join(CONTROL_SOCKET);
        let known = shards.iter().map(|node| Known {
            shard: node.post().engine.shard,
            socket: node.directory().join(CONTROL_SOCKET),
            post: node.post().clone(),
        });
        // The locks of the logs say that nobody else is here.
        Ok(Self { listener: listen(&path)?, path, shards: Arc::new(known.collect()), under_way })
    }

    /// Answers until told to stop, a thread for each operator.
    pub(crate) fn run(self, stop: Arc<AtomicBool>) -> Result<JoinHandle<()>, NodeError> {
        let work = move || {
            while !stop.load(Ordering::Acquire) {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        let (shards, under_way) = (Arc::clone(&self.shards), Arc::clone(&self.under_way));
                        let serve = move || answer_lines(stream, |line| answer(line, &shards, &under_way));
                        // Without a thread for him the operator sees his connection close, and asks again.
                        let _ = std::thread::Builder::new().name("tw-operator".to_owned()).spawn(serve);
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
            let _ = std::fs::remove_file(&self.path);
        };
        std::thread::Builder::new()
            .name("tw-control".to_owned())
            .spawn(work)
            .map_err(while_doing("starting tw-control"))
    }
}

fn answer(line: &str, shards: &[Known], under_way: &Told) -> Answer {
    let done = match serde_json::from_str(line) {
        Ok(Request::Transfer(transfer)) => send(&transfer, shards),
        Ok(Request::Status | Request::Halt | Request::Resume | Request::Snapshot | Request::Stop) => {
            ask_all(line, shards).map(|shards| {
                let transfers = under_way.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Answer::Shards { shards, transfers }
            })
        }
        Err(error) => Err(format!("request: {error}; what is meant for one shard is asked in its folder, shard-N")),
    };
    done.unwrap_or_else(|error| Answer::Refused { error })
}

/// Asks every shard the same, all of them before the first answer is awaited.
fn ask_all(line: &str, shards: &[Known]) -> Result<Vec<serde_json::Value>, String> {
    let failed = |shard: u8, error: &dyn core::fmt::Display| format!("shard {shard} does not answer: {error}");
    let asked: Vec<(u8, UnixStream)> = shards
        .iter()
        .map(|Known { shard, socket, .. }| {
            let ask = || -> std::io::Result<UnixStream> {
                let mut stream = UnixStream::connect(socket)?;
                stream.set_read_timeout(Some(2 * PATIENCE))?;
                stream.write_all(format!("{}\n", line.trim_end()).as_bytes())?;
                Ok(stream)
            };
            ask().map(|stream| (*shard, stream)).map_err(|error| failed(*shard, &error))
        })
        .collect::<Result<_, _>>()?;
    asked
        .into_iter()
        .map(|(shard, stream)| {
            let mut text = String::new();
            BufReader::new(stream).read_line(&mut text).map_err(|error| failed(shard, &error))?;
            serde_json::from_str(&text).map_err(|error| failed(shard, &error))
        })
        .collect()
}

/// Sends money from shard to shard, and waits a while for it to arrive.
fn send(transfer: &Transfer, shards: &[Known]) -> Result<Answer, String> {
    let Transfer { account, asset, amount, from_shard, to_shard } = transfer;
    let known = |name: &str, shard: u8| {
        let found = shards.iter().find(|known| known.shard == shard);
        found.ok_or_else(|| format!("{name}={shard}: there is no such shard"))
    };
    let (from, to) = (known("from_shard", *from_shard)?, known("to_shard", *to_shard)?);
    let (account_id, asset_id, scale) = find(account, asset, from)?;
    if to_shard != from_shard && find(account, asset, to)? != (account_id, asset_id, scale) {
        let rule = "the shards must have both by the same numbers";
        return Err(format!("account={account:?}, asset={asset:?}: {rule}, or the money would be another's there"));
    }
    let quanta = Decimal::parse(amount).and_then(|amount| amount.quanta(scale).ok());
    let rule = format!("must be a decimal number of at most {scale} digits behind the point");
    let amount = Amount::from_quanta(quanta.ok_or_else(|| format!("amount={amount:?}: {rule}"))?);
    let record = set_up::send_transfer(ShardId(*to_shard), account_id, asset_id, amount);

    let mut events = Events::from_now_on(&from.post)?;
    push(&from.post, &record)?;
    let sent = events.wait(|event| is_about(event, *to_shard, account_id, asset_id, amount))?;
    let Some(sent) = sent else { return Err("the shard has not taken it yet: see its status".to_owned()) };
    if let Some(reason) = RejectReason::from_code(sent.reason) {
        return Err(format!("{}: {}", reason.name(), reason.sentence()));
    }
    let arrived = events.wait(|event| {
        let kind = (event.kind, event.order_type, event.reference);
        kind == (EventKind::TransferConfirmed as u8, *to_shard, sent.reference)
    })?;
    Ok(Answer::Sent { number: sent.reference, arrived: arrived.is_some() })
}

/// What a shard knows by the names of an account and an asset, and the decimal places of the asset's quantum.
fn find(account: &str, asset: &str, at: &Known) -> Result<(AccountId, AssetId, u8), String> {
    let shard = at.shard;
    let unknown = |field: &str, name: &str| format!("{field}={name:?} is unknown on shard {shard}");
    let account_name = Name::read(account).ok_or_else(|| unknown("account", account))?;
    let asset_name = Name::read(asset).ok_or_else(|| unknown("asset", asset))?;
    let named = at.post.names.ask(account_name, asset_name);
    let named = named.ok_or_else(|| format!("shard {shard} does not answer"))?;
    let account_id = named.account.ok_or_else(|| unknown("account", account))?;
    let (asset_id, scale) = named.asset.ok_or_else(|| unknown("asset", asset))?;
    Ok((account_id, asset_id, scale))
}

/// Whether an event says what became of a transfer.
fn is_about(event: &EventRecord, to_shard: u8, account: AccountId, asset: AssetId, amount: Amount) -> bool {
    let is_sent = event.kind == EventKind::TransferSent as u8
        && (event.order_type, event.instrument) == (to_shard, asset.0)
        && Amount::from(event.amount) == amount;
    let is_refused = event.kind == EventKind::Rejected as u8 && event.open_lots == CommandKind::SendTransfer as u64;
    event.account == account.0 && (is_sent || is_refused)
}

fn push(post: &Post, record: &CommandRecord) -> Result<(), String> {
    let (mut operators, begin) = (post.operators.clone(), Instant::now());
    while begin.elapsed() < PATIENCE {
        if operators.push_whole(&[*record]).map_err(|error| error.to_string())? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(50));
    }
    Err("the shard takes no commands".to_owned())
}

/// What a shard releases from now on.
struct Events {
    reader: Reader<EventRecord>,
    read: Vec<EventRecord>,
}

impl Events {
    fn from_now_on(post: &Post) -> Result<Self, String> {
        let reader = Reader::attach(&post.events, Start::Latest).map_err(|error| error.to_string())?;
        Ok(Self { reader, read: Vec::new() })
    }

    /// The next event of a kind, if it comes while somebody waits.
    fn wait(&mut self, is_it: impl Fn(&EventRecord) -> bool) -> Result<Option<EventRecord>, String> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(place) = self.read.iter().position(&is_it) {
                let found = self.read[place];
                self.read.drain(..=place);
                return Ok(Some(found));
            }
            self.read.clear();
            match self.reader.poll_into(&mut self.read, 1 << 12) {
                Polled::Empty => std::thread::sleep(Duration::from_micros(200)),
                Polled::Count(_) => {}
                Polled::Behind { .. } => {
                    return Err("more was going on than could be watched: see the status".to_owned());
                }
            }
        }
        Ok(None)
    }
}
