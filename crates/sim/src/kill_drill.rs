//! The kill drill: a node is killed again and again while clients trade, and nothing that was acknowledged may be missing or doubled.
//!
//! The node runs as a process of its own, started by the command that the caller gives; clients come over TCP, log on again after
//! each kill, resume behind the last output they saw, and send again what was not acknowledged. In the end the log is applied to
//! an engine of its own: each request must be in it exactly once, with the order id that was acknowledged.
#![allow(clippy::disallowed_methods, reason = "a drill has processes, clocks and waits")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_gateway::client::{Client, ClientError, LogonOptions, output_of};
use tradewright_journal::{FolderStorage, JournalReader};
use tradewright_node::snapshots;
use tradewright_protocol::codes::{self, OrdType};
use tradewright_protocol::frame::Frame;
use tradewright_protocol::logon::{Key, Secret};
use tradewright_protocol::messages::{ExecutionReport, ExecutionReportAck, NewOrderSingle};
use tradewright_protocol::reports::{read_ack, read_execution};
use tradewright_protocol::spec::{Block, Null, Template};
use tradewright_types::EventKind;

use crate::random::Random;

pub(crate) const NAMES: [&str; 2] = ["alice", "bob"];
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// What a drill does.
#[derive(Clone, Debug)]
pub struct KillOptions {
    /// The command that runs a node; the configuration's path is added behind it. It prints its announcement as its first line.
    pub node: Vec<String>,
    /// An empty folder.
    pub directory: PathBuf,
    /// How often the node is killed.
    pub runs: u32,
    /// What is drawn.
    pub seed: u64,
    /// Whether clients may be told before the disk has it: the drill must find that out on a machine that loses power, and not by
    /// a kill, which leaves the system's cache alone.
    pub tier: &'static str,
}

/// What a drill found. All but the first two and the times must be zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KillReport {
    /// How often the node was killed.
    pub runs: u32,
    /// How many requests were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged requests that the log does not have, or has under another order id.
    pub lost: u64,
    /// Requests that the log has more than once, or acknowledgements that came twice as if they were new.
    pub doubled: u64,
    /// States that differ from a clean replay.
    pub hash_mismatches: u64,
    /// Starts that the node refused.
    pub refused: u64,
    /// From the start of the process to the first order acknowledged, in milliseconds, for each run.
    pub recovery_ms: Vec<f64>,
}

/// One client through all of its connections.
pub(crate) struct Desk {
    pub(crate) name: &'static str,
    secret: Secret,
    pub(crate) client: Option<Client>,
    last: Option<tradewright_protocol::reports::Position>,
    /// Every order that was sent, by client sequence.
    sent: Vec<NewOrderSingle>,
    /// The order ids of those that were acknowledged.
    pub(crate) acknowledged: BTreeMap<u64, i64>,
    /// Acknowledgements that came twice as if they were new, and those that came with another order id.
    doubled: u64,
    changed: u64,
    /// Something that was heard and is no report of a good order.
    refused: Option<String>,
}

impl Desk {
    pub(crate) fn new(name: &'static str, seed: u8) -> Self {
        Self {
            name,
            secret: Secret::ed25519(&[seed; 32]),
            client: None,
            last: None,
            sent: Vec::new(),
            acknowledged: BTreeMap::new(),
            doubled: 0,
            changed: 0,
            refused: None,
        }
    }

    /// Connects, logs on, resumes, and sends again what the exchange does not have.
    pub(crate) fn connect(&mut self, address: SocketAddr) -> Result<(), ClientError> {
        let mut client = Client::tcp(address)?.resuming(self.last);
        let key = format!("{}-key", self.name);
        let options = LogonOptions::new(b"DESK", key.as_bytes());
        let ack = client.log_on(&options, &self.secret, TIMEOUT)?;
        let known = ack.last_client_sequence.get();
        let acknowledged = self.acknowledged.keys().next_back().copied().unwrap_or(0);
        if acknowledged > known {
            // What was acknowledged and is not there any more is lost.
            self.changed += acknowledged - known;
        }
        // What was not acknowledged is sent again, be it in the log or not, and with it a few that were: they must come back as
        // what they were.
        let unanswered = (1..).find(|sequence| !self.acknowledged.contains_key(sequence)).unwrap_or(1);
        let from = known.saturating_sub(2).min(unanswered).max(1);
        for sequence in from..=self.sent.len() as u64 {
            let order = self.sent[sequence as usize - 1];
            client.order_as(sequence, &order, sequence.to_string().as_bytes(), b"BTCUSDT");
        }
        self.client = Some(client);
        Ok(())
    }

    /// Sends one more order and waits until it is acknowledged. Others may be before it.
    pub(crate) fn order_and_wait(&mut self, random: &mut Random) -> Result<(), ClientError> {
        let order = draw(random);
        self.sent.push(order);
        let sequence = self.sent.len() as u64;
        if let Some(client) = &mut self.client {
            client.order_as(sequence, &order, sequence.to_string().as_bytes(), b"BTCUSDT");
        }
        let begun = Instant::now();
        while !self.acknowledged.contains_key(&sequence) {
            self.trade(random, false)?;
            if begun.elapsed() > TIMEOUT {
                return Err(ClientError::Protocol("a new order is not acknowledged"));
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Sends some orders and hears what there is to hear. An error is the connection's end.
    fn trade(&mut self, random: &mut Random, is_open: bool) -> Result<(), ClientError> {
        let Some(client) = &mut self.client else { return Ok(()) };
        let waiting = self.sent.len() - self.acknowledged.len();
        if is_open && waiting < 500 {
            for _ in 0..=random.below(8) {
                let order = draw(random);
                self.sent.push(order);
                let sequence = self.sent.len() as u64;
                client.order_as(sequence, &order, sequence.to_string().as_bytes(), b"BTCUSDT");
            }
        }
        client.flush()?;
        let (acknowledged, doubled, changed) = (&mut self.acknowledged, &mut self.doubled, &mut self.changed);
        let refused = &mut self.refused;
        let received = client.receive(|frame| {
            *refused = refused.take().or_else(|| complaint(frame));
            let Some((sequence, order_id, is_again)) = acknowledgement(frame) else { return };
            match acknowledged.insert(sequence, order_id) {
                Some(before) if before != order_id => *changed += 1,
                Some(_) if !is_again => *doubled += 1,
                _ => {}
            }
        });
        self.last = client.last();
        received.map(drop)
    }

    fn is_settled(&self) -> bool {
        self.acknowledged.len() == self.sent.len()
    }
}

/// A limit order near the others, or one that trades.
fn draw(random: &mut Random) -> NewOrderSingle {
    let side = if random.below(2) == 0 { codes::Side::Buy } else { codes::Side::Sell };
    NewOrderSingle {
        price_exponent: -2,
        qty_exponent: -5,
        order_qty: (1 + random.below(100) as i64).into(),
        ord_type: OrdType::Limit.field(),
        price: (9_990 + random.below(20) as i64).into(),
        side: side.field(),
        ..NewOrderSingle::NULL
    }
}

/// The client sequence, the order id, and whether it was told before, of an answer that the order is in: the report of it, or for
/// a retry the short answer that it was taken.
fn acknowledgement(frame: &Frame<'_>) -> Option<(u64, i64, bool)> {
    let is_again = output_of(frame).is_some_and(|output| output.poss_resend.some() == Some(1));
    let (kind, order_id, name) = match frame.template() {
        ExecutionReport::ID => {
            let message = frame.message::<ExecutionReport>().ok()?;
            let name = read_execution(&message).ok()?.client_order_id;
            (message.block.exec_type.0, message.block.order_id.get(), name)
        }
        ExecutionReportAck::ID => {
            let message = frame.message::<ExecutionReportAck>().ok()?;
            let [name, ..] = read_ack(&message).ok()?;
            (message.block.exec_type.0, message.block.order_id.get(), name)
        }
        _ => return None,
    };
    // After a restart the exchange does not know the names of what it did before, but the numbers.
    let number = output_of(frame).and_then(|output| output.client_sequence.some());
    let sequence = number.or_else(|| core::str::from_utf8(name).ok()?.parse().ok())?;
    (kind == b'0').then_some((sequence, order_id, is_again))
}

/// What a frame says that has no place here: orders are never refused.
fn complaint(frame: &Frame<'_>) -> Option<String> {
    let (kind, error) = match frame.template() {
        ExecutionReport::ID => {
            let message = frame.message::<ExecutionReport>().ok()?;
            (message.block.exec_type.0, read_execution(&message).ok()?.error)
        }
        ExecutionReportAck::ID => {
            let message = frame.message::<ExecutionReportAck>().ok()?;
            let [_, _, error] = read_ack(&message).ok()?;
            (message.block.exec_type.0, error)
        }
        template => return Some(format!("a message of template {template}")),
    };
    (kind == b'8').then(|| format!("that an order is refused: {}", String::from_utf8_lossy(error)))
}

/// A node that runs.
pub(crate) struct Running {
    pub(crate) process: Child,
    output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    begun: Instant,
}

/// Where a node that has announced itself takes sessions; `None` for a replica.
fn address_in(announcement: &str) -> Option<SocketAddr> {
    announcement.split("\"tcp\":\"").nth(1)?.split('"').next()?.parse().ok()
}

impl Running {
    pub(crate) fn start(options: &KillOptions, configuration: &Path) -> Result<Self, String> {
        let (mut running, line) = Self::begin(options, configuration, &[])?;
        // A process that does not serve is ended as this is dropped.
        running.address = address_in(&line).ok_or_else(|| format!("the node did not start: {line:?}"))?;
        Ok(running)
    }

    /// Starts a process and returns the first line that it prints. Where sessions are is to be found in what it prints later.
    pub(crate) fn begin(
        options: &KillOptions,
        configuration: &Path,
        behind: &[&str],
    ) -> Result<(Self, String), String> {
        let (program, arguments) = options.node.split_first().ok_or("node: must name a program")?;
        let begun = Instant::now();
        let mut process = Command::new(program)
            .args(arguments)
            .arg(configuration)
            .args(behind)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let output = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut running = Self { process, output, address: SocketAddr::from(([127, 0, 0, 1], 0)), begun };
        let line = running.next_line()?;
        Ok((running, line))
    }

    /// The next line that the process prints.
    pub(crate) fn next_line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| format!("the node's output: {error}"))?;
        Ok(line)
    }

    /// Waits until the process announces where sessions are.
    pub(crate) fn wait_for_address(&mut self) -> Result<(), String> {
        let line = self.next_line()?;
        self.address = address_in(&line).ok_or_else(|| format!("the node did not start: {line:?}"))?;
        Ok(())
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) -> Result<(), String> {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status().map_err(|error| format!("kill: {error}"))?;
        if told.success() { Ok(()) } else { Err(format!("kill {signal} {pid}: {told}")) }
    }

    /// Ends the process, whatever it does.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.process.kill().and_then(|()| self.process.wait()).map(drop).map_err(|error| format!("kill: {error}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A drill that ends by an error leaves no process behind; one that is gone cannot be killed again.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn configuration(options: &KillOptions, desks: &[Desk]) -> String {
    let mut text = format!(
        "schema = 1\n[node]\ndirectory = \"log\"\nrings = \"rings\"\nevent_slots = 65536\nsnapshot_commands = 2000\n\
         [journal]\ntier = \"{}\"\nsegment_mib = 8\n[placement.engine]\nidle = \"yield\"\n\
         [session]\nmessages_per_second = 10_000_000\n[session.tcp]\nlisten = \"127.0.0.1:0\"\n[[genesis.asset]]\nname = \"USDT\"\n[[genesis.asset]]\nname = \"BTC\"\n\
         [[genesis.instrument]]\nname = \"BTC/USDT\"\ntick = \"0.01\"\nlot = \"0.00001\"\nreference_price = \"100\"\n",
        options.tier
    );
    for Desk { name, .. } in desks {
        text += &format!(
            "[[genesis.account]]\nname = \"{name}\"\ndeposits = {{ BTC = \"1_000_000\", USDT = \"1_000_000_000\" }}\n\
             limits = {{ open_orders = 10_000_000, orders_per_second = 1_000_000, messages_per_second = 1_000_000 }}\n"
        );
    }
    for Desk { name, secret, .. } in desks {
        let Key::Ed25519(public) = secret.key() else { continue };
        let public: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
        text += &format!(
            "[[genesis.key]]\nid = \"{name}-key\"\npublic = \"{public}\"\naccount = \"{name}\"\npermissions = [\"trade\"]\n"
        );
    }
    text
}

/// Runs the drill. `progress` is told after each kill.
///
/// # Errors
/// The node cannot be started at all, or clients get no answer.
pub fn kill_drill(options: &KillOptions, mut progress: impl FnMut(u32)) -> Result<KillReport, String> {
    let mut desks = [Desk::new(NAMES[0], 1), Desk::new(NAMES[1], 2)];
    let file = options.directory.join("exchange.toml");
    std::fs::write(&file, configuration(options, &desks)).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut random = Random::new(options.seed);
    let mut report = KillReport::default();
    for run in 0..=options.runs {
        let mut node = match Running::start(options, &file) {
            Ok(node) => node,
            Err(_) if run > 0 => {
                report.refused += 1;
                break;
            }
            Err(error) => return Err(error),
        };
        let is_last = run == options.runs;
        let lives = Duration::from_micros(5_000 + random.below(60_000));
        one_life(&mut desks, &mut node, &mut random, (!is_last).then_some(lives), &mut report)?;
        if is_last {
            stop(&mut node)?;
        } else {
            node.kill()?;
            report.runs += 1;
            progress(report.runs);
        }
        desks.iter_mut().for_each(|desk| desk.client = None);
    }
    examine(&options.directory.join("log"), &desks, &mut report)?;
    Ok(report)
}

/// Trades with a node for a while; without an end, until everything that was sent is acknowledged.
pub(crate) fn one_life(
    desks: &mut [Desk; 2],
    node: &mut Running,
    random: &mut Random,
    lives: Option<Duration>,
    report: &mut KillReport,
) -> Result<(), String> {
    for desk in desks.iter_mut() {
        desk.connect(node.address).map_err(|error| format!("{}: {error}", desk.name))?;
    }
    let before: usize = desks.iter().map(|desk| desk.acknowledged.len()).sum();
    let (begun, mut is_first) = (Instant::now(), true);
    loop {
        for desk in desks.iter_mut() {
            desk.trade(random, lives.is_some()).map_err(|error| format!("{}: {error}", desk.name))?;
            if let Some(refused) = &desk.refused {
                return Err(format!("{} heard {refused}", desk.name));
            }
        }
        let acknowledged: usize = desks.iter().map(|desk| desk.acknowledged.len()).sum();
        if is_first && acknowledged > before {
            is_first = false;
            report.recovery_ms.push(node.begun.elapsed().as_secs_f64() * 1e3);
        }
        let is_over = match lives {
            Some(lives) => begun.elapsed() >= lives && !is_first,
            None => desks.iter().all(Desk::is_settled),
        };
        if is_over {
            return Ok(());
        }
        if begun.elapsed() > TIMEOUT {
            let waits =
                |desk: &Desk| format!("{} has {} of {} answers", desk.name, desk.acknowledged.len(), desk.sent.len());
            return Err(format!(
                "clients wait for answers that do not come: {}, {}",
                waits(&desks[0]),
                waits(&desks[1])
            ));
        }
        std::thread::yield_now();
    }
}

/// Stops the node in order.
pub(crate) fn stop(node: &mut Running) -> Result<(), String> {
    node.signal("-TERM")?;
    let ended = node.process.wait().map_err(|error| format!("wait: {error}"))?;
    if ended.success() { Ok(()) } else { Err(format!("the node did not end in order: {ended}")) }
}

/// Applies the log to an engine of its own, and holds it against what clients were told.
pub(crate) fn examine(log: &Path, desks: &[Desk; 2], report: &mut KillReport) -> Result<(), String> {
    let told = |error: &dyn core::fmt::Display| format!("{}: {error}", log.display());
    let storage = FolderStorage::open(log).map_err(|error| told(&error))?;
    let mut reader = JournalReader::open(storage, 1).map_err(|error| told(&error))?;
    let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
    let mut commands = Vec::new();
    let mut orders: [BTreeMap<u64, Vec<u64>>; 2] = Default::default();
    while let Some(batch) = reader.next_batch().map_err(|error| told(&error))? {
        commands.clear();
        batch.copy_commands(1, &mut commands);
        engine.apply_all(&commands, &mut events);
        for event in events.as_slice().iter().filter(|event| event.kind == EventKind::OrderAccepted as u8) {
            // The venue's own two accounts come first.
            orders[event.account as usize - 2].entry(event.reference).or_default().push(event.order_id);
        }
        events.clear();
    }
    engine.check_invariants();
    for (desk, orders) in desks.iter().zip(&orders) {
        report.acknowledged += desk.acknowledged.len() as u64;
        report.doubled += desk.doubled + orders.values().filter(|ids| ids.len() > 1).count() as u64;
        let is_there = |(sequence, order_id): &(&u64, &i64)| {
            orders.get(*sequence).is_some_and(|ids| ids.contains(&(**order_id as u64)))
        };
        let missing = desk.acknowledged.iter().filter(|pair| !is_there(pair)).count() as u64;
        report.lost += desk.changed + missing;
    }
    let newest = snapshots::list(log).map_err(|error| told(&error))?.pop();
    let (_, path) = newest.ok_or_else(|| told(&"there is no snapshot"))?;
    let (_, state) = tradewright_journal::read(&path, EngineConfig::default()).map_err(|error| told(&error))?;
    report.hash_mismatches += u64::from(state.state_hash() != engine.state_hash());
    Ok(())
}
