//! A node that runs as a process of its own, under the hands of a bench.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal};
use serde::Deserialize;
use tradewright_types::CommandRecord;
use zerocopy::IntoBytes;

/// How long a node may take for whatever it is asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a node is, as it announces it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) pid: u32,
    pub(crate) directory: PathBuf,
    pub(crate) events: PathBuf,
    pub(crate) control: PathBuf,
    pub(crate) tcp: Option<std::net::SocketAddr>,
    pub(crate) shm: Option<PathBuf>,
}

/// A node at a moment, as far as a bench looks.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Seen {
    pub(crate) applied: u64,
    pub(crate) durable: u64,
    pub(crate) events_released: u64,
    pub(crate) stages: Vec<SeenStage>,
}

/// A stage at a moment.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SeenStage {
    stage: String,
    pub(crate) count: u64,
    pub(crate) sum_ns: u64,
}

impl Seen {
    /// The stage of that name; an empty one when the node has none.
    pub(crate) fn stage(&self, name: &str) -> SeenStage {
        self.stages.iter().find(|stage| stage.stage == name).cloned().unwrap_or_default()
    }
}

/// See the module. It is ended when this is dropped.
pub(crate) struct ServedNode {
    process: Child,
    /// Kept open: a node that writes to nobody ends.
    _output: BufReader<ChildStdout>,
    place: Place,
    control: BufReader<UnixStream>,
    rings: Option<PathBuf>,
}

/// A folder for rings that no other bench has: in memory where the system has a place for that, else below `otherwise`.
pub(crate) fn rings_folder(otherwise: &Path) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("tradewright-bench-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { otherwise }.join(name)
}

impl ServedNode {
    /// Writes the configuration to a folder and starts a node with it. `rings` is removed in the end.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(
        command: &[String],
        folder: &Path,
        configuration: &str,
        rings: Option<PathBuf>,
    ) -> Result<Self, String> {
        let file = folder.join("exchange.toml");
        std::fs::write(&file, configuration).map_err(|error| format!("{}: {error}", file.display()))?;
        let (program, arguments) = command.split_first().ok_or("node: must name a program")?;
        let mut process = Command::new(program)
            .args(arguments)
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        match Self::greet(&mut process) {
            Ok((output, place, control)) => Ok(Self { process, _output: output, place, control, rings }),
            Err(error) => {
                // It may be gone already.
                let _ = process.kill();
                let _ = process.wait();
                let _ = rings.map(std::fs::remove_dir_all);
                Err(error)
            }
        }
    }

    fn greet(process: &mut Child) -> Result<(BufReader<ChildStdout>, Place, BufReader<UnixStream>), String> {
        let mut output = BufReader::new(process.stdout.take().ok_or("Invariant: the output is a pipe")?);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| format!("the node says nothing: {error}"))?;
        let place: Place =
            serde_json::from_str(&line).map_err(|error| format!("the node did not start: {line:?}: {error}"))?;
        let control =
            UnixStream::connect(&place.control).map_err(|error| format!("{}: {error}", place.control.display()))?;
        Ok((output, place, BufReader::new(control)))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// It is not; what it said stands among the errors of this process.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("the node ended: {status}")),
            Err(error) => Err(format!("the node: {error}")),
        }
    }

    /// How it is.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn status(&mut self) -> Result<Seen, String> {
        self.ask("{\"do\": \"status\"}\n")?;
        let line = self.answer()?;
        serde_json::from_str(&line).map_err(|error| format!("status: {error}"))
    }

    /// Applies commands of one record, and waits until they are durable.
    ///
    /// # Errors
    /// It refuses one, or does not answer.
    pub(crate) fn apply(&mut self, commands: &[&[CommandRecord]]) -> Result<(), String> {
        let before = self.status()?.applied;
        // Not more at once than the socket takes answers for.
        for some in commands.chunks(128) {
            let mut lines = String::new();
            for command in some {
                let digits: String = command.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                lines += &format!("{{\"do\": \"command\", \"records\": \"{digits}\"}}\n");
            }
            self.ask(&lines)?;
            for _ in some {
                let answer = self.answer()?;
                if !answer.contains("\"done\":true") {
                    return Err(format!("the node refuses a command of the set-up: {}", answer.trim()));
                }
            }
        }
        let (begin, wanted) = (Instant::now(), before + commands.len() as u64);
        loop {
            let seen = self.status()?;
            if seen.durable >= wanted && seen.durable == seen.applied {
                return Ok(());
            }
            self.check()?;
            if begin.elapsed() > PATIENCE {
                return Err(format!("durable={} must become {wanted}", seen.durable));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn ask(&mut self, lines: &str) -> Result<(), String> {
        self.control.get_mut().write_all(lines.as_bytes()).map_err(|error| format!("control socket: {error}"))
    }

    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.control.read_line(&mut line) {
            Ok(0) => Err("control socket: the node has gone".to_owned()),
            Ok(_) => Ok(line),
            Err(error) => Err(format!("control socket: {error}")),
        }
    }

    /// Lets nothing of it run until [`ServedNode::continue_process`].
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn halt_process(&self) -> Result<(), String> {
        self.signal(Signal::STOP)
    }

    /// Lets it run again.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn continue_process(&self) -> Result<(), String> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = Pid::from_child(&self.process);
        rustix::process::kill_process(pid, signal).map_err(|error| format!("the node: {error}"))
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// It did not end in order.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.ask("{\"do\": \"stop\"}\n")?;
        let ended = self.process.wait().map_err(|error| format!("the node: {error}"))?;
        if ended.success() { Ok(()) } else { Err(format!("the node did not end in order: {ended}")) }
    }

    /// When the segments that lie ready in its folder were written.
    pub(crate) fn prepared_segments(&self) -> Vec<SystemTime> {
        let directory = &self.place.directory;
        let is_ready = |name: &String| name.starts_with("prepared-") && !name.ends_with(".part");
        let written_at = |name: String| std::fs::metadata(directory.join(name)).and_then(|data| data.modified()).ok();
        names_in(directory).into_iter().filter(is_ready).filter_map(written_at).collect()
    }
}

/// The names of the segments that a log has begun.
pub(crate) fn segments(directory: &Path) -> Vec<String> {
    let mut names = names_in(directory);
    names.retain(|name| name.ends_with(".seg"));
    names.sort();
    names
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

impl Drop for ServedNode {
    fn drop(&mut self) {
        // One that is gone cannot be ended again.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.rings.take().map(std::fs::remove_dir_all);
    }
}

/// Nanoseconds of CPU that each thread of a node has used, by name, those that do nothing left out. Empty where the system does
/// not tell.
pub(crate) fn thread_cpu_ns(pid: u32) -> Vec<(String, u64)> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let read = |path: PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).ok()?.trim().to_owned();
        let used = std::fs::read_to_string(path.join("schedstat")).ok()?;
        Some((name, used.split_whitespace().next()?.parse().ok()?))
    };
    tasks.filter_map(|task| read(task.path())).filter(|(_, used_ns)| *used_ns > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_tell_what_they_used() {
        let threads = thread_cpu_ns(std::process::id());
        if Path::new("/proc/self/schedstat").exists() {
            assert!(threads.iter().any(|(_, used_ns)| *used_ns > 0), "{threads:?}");
        }
    }

    #[test]
    fn what_is_no_node_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = ServedNode::start(&["true".to_owned()], folder.path(), "", None).err().expect("it says nothing");
        assert!(error.starts_with("the node did not start"), "{error}");
        assert!(ServedNode::start(&[], folder.path(), "", None).is_err());
    }
}
