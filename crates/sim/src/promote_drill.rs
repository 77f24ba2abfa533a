//! The promotion drill: the replica of a node takes over again and again while clients trade, from a primary that was killed and from
//! one that was stopped and goes on later. Nothing that was acknowledged may be missing or doubled.
//!
//! Clients, what they hold and how the log is judged in the end are those of the kill drill. A promoted replica is the primary of the
//! next run.
#![allow(clippy::disallowed_methods, reason = "a drill has processes, clocks and waits")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use tradewright_node::REPLICA_SOCKET;

use crate::kill_drill::{
    Desk, KillOptions, KillReport, NAMES, Running, TIMEOUT, configuration, examine, one_life, stop,
};
use crate::random::Random;

/// Runs the drill. In every second run the primary is stopped and resumed, in the others it is killed. `recovery_ms` is from the
/// request to promote until a new order is acknowledged.
///
/// # Errors
/// A process cannot be started at all, or clients get no answer.
pub fn promote_drill(options: &KillOptions) -> Result<KillReport, String> {
    let mut desks = [Desk::new(NAMES[0], 1), Desk::new(NAMES[1], 2)];
    let file = options.directory.join("exchange.toml");
    std::fs::write(&file, configuration(options, &desks)).map_err(|error| format!("{}: {error}", file.display()))?;
    let log = options.directory.join("log");
    let mut random = Random::new(options.seed);
    let mut report = KillReport::default();
    let mut ignored = KillReport::default();
    let mut primary = Running::start(options, &file)?;
    for run in 0..options.runs {
        let (mut replica, _) = Running::begin(options, &file, &["--replica"])?;
        let lives = Duration::from_micros(5_000 + random.below(60_000));
        one_life(&mut desks, &mut primary, &mut random, Some(lives), &mut ignored)?;
        let is_killed = run % 2 == 0;
        if is_killed {
            primary.kill()?;
        } else {
            primary.signal("-STOP")?;
        }
        let begun = Instant::now();
        if let Err(refused) = promote(&log) {
            report.refused += 1;
            return Err(format!("run {run}: the promotion is refused: {refused}"));
        }
        replica.wait_for_address()?;
        let desk = &mut desks[0];
        desk.client = None;
        desk.connect(replica.address).map_err(|error| format!("{}: {error}", desk.name))?;
        desk.order_and_wait(&mut random).map_err(|error| format!("{}: {error}", desk.name))?;
        report.recovery_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        if !is_killed {
            // It was ended while it stood still, or goes by itself as soon as it looks; it writes nothing more.
            let _ = primary.signal("-CONT");
            wait_for_end(&mut primary)?;
        }
        desks.iter_mut().for_each(|desk| desk.client = None);
        report.runs += 1;
        primary = replica;
    }
    one_life(&mut desks, &mut primary, &mut random, None, &mut ignored)?;
    stop(&mut primary)?;
    examine(&log, &desks, &mut report)?;
    Ok(report)
}

/// Asks the replica of a log to take over, and waits until it has.
fn promote(log: &Path) -> Result<(), String> {
    let path = log.join(REPLICA_SOCKET);
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut stream = UnixStream::connect(&path).map_err(told)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(told)?;
    stream.write_all(b"{\"do\": \"promote\"}\n").map_err(told)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(told)?;
    if answer.contains("\"done\":true") { Ok(()) } else { Err(answer) }
}

/// Waits until a process that was overtaken is gone.
fn wait_for_end(node: &mut Running) -> Result<(), String> {
    let begun = Instant::now();
    while node.process.try_wait().map_err(|error| format!("wait: {error}"))?.is_none() {
        if begun.elapsed() > TIMEOUT {
            return Err("a primary that was overtaken goes on".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
