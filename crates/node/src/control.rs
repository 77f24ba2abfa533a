//! The control socket: how an operator on this machine talks to a node. One line of JSON in, one line out.
//!
//! Who may open the socket may do everything: its file has mode 0600. A halt does not queue: it sets the flag that the sequencer
//! reads before it takes anything else.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tradewright_transport::ManyProducer;
use tradewright_types::{CommandRecord, HaltScope, set_up};
use zerocopy::IntoBytes;

use crate::error::{NodeError, while_doing};
use crate::front_desk::{FrontDesk, SessionStatus};
use crate::node::COMMAND_RECORDS_MAX;
use crate::status::{Status, StatusSource};

/// The socket in the node's folder.
pub const CONTROL_SOCKET: &str = "control.sock";
const LINE_BYTES_MAX: u64 = 1 << 20;

/// What an operator asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    /// How are you?
    Status,
    /// Stop matching, now.
    Halt,
    /// Let matching go on.
    Resume,
    /// Write a snapshot.
    Snapshot,
    /// Stop in order.
    Stop,
    /// Who is there?
    Sessions,
    /// The connections of the sessions of a name are to end.
    EndSession {
        /// What its client calls it.
        name: String,
        /// Of this account only.
        account: Option<u32>,
    },
    /// Apply a command: its records as hexadecimal digits.
    Command {
        /// The digits.
        records: String,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Status(Box<Status>),
    Sessions {
        sessions: Vec<SessionStatus>,
    },
    Ended {
        ended: usize,
    },
    Done {
        done: bool,
        /// An index behind which the request takes effect: what is told later with a higher one has seen it.
        applied: u64,
    },
    Refused {
        error: String,
    },
}

/// A control socket that listens.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    source: StatusSource,
    operators: ManyProducer<CommandRecord>,
    front_desk: FrontDesk,
}

impl Control {
    /// Makes the socket in a folder.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn open(
        directory: &Path,
        source: StatusSource,
        operators: ManyProducer<CommandRecord>,
        front_desk: FrontDesk,
    ) -> Result<Self, NodeError> {
        let path = directory.join(CONTROL_SOCKET);
        // The lock of the log says that nobody else is here: what stands there was left by a node that was killed.
        Ok(Self { listener: listen(&path)?, path, source, operators, front_desk })
    }

    /// Answers until the node stops, a thread for each operator.
    pub(crate) fn run(self) -> Result<JoinHandle<()>, NodeError> {
        std::thread::Builder::new()
            .name("tw-control".to_owned())
            .spawn(move || {
                while self.source.is_live() {
                    match self.listener.accept() {
                        Ok((stream, _)) => {
                            let (source, operators) = (self.source.clone(), self.operators.clone());
                            let front_desk = self.front_desk.clone();
                            // Without a thread for him the operator sees his connection close, and asks again.
                            let _ = std::thread::Builder::new()
                                .name("tw-operator".to_owned())
                                .spawn(move || serve(stream, &source, operators, &front_desk));
                        }
                        Err(_) => std::thread::sleep(Duration::from_millis(2)),
                    }
                }
                let _ = std::fs::remove_file(&self.path);
            })
            .map_err(while_doing("starting tw-control"))
    }
}

/// Makes a socket that only its owner may open, in place of what stands there.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, NodeError> {
    let doing = || format!("making the socket {}", path.display());
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(while_doing(doing()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(while_doing(doing()))?;
    listener.set_nonblocking(true).map_err(while_doing(doing()))?;
    Ok(listener)
}

fn serve(
    stream: UnixStream,
    source: &StatusSource,
    mut operators: ManyProducer<CommandRecord>,
    front_desk: &FrontDesk,
) {
    answer_lines(stream, |line| match serde_json::from_str(line) {
        Ok(request) => act(&request, source, &mut operators, front_desk),
        Err(error) => Answer::Refused { error: format!("request: {error}") },
    });
}

/// Answers each line with a line, until the other side has no more.
pub(crate) fn answer_lines<A: Serialize>(stream: UnixStream, mut answer: impl FnMut(&str) -> A) {
    let Ok(mut writer) = stream.try_clone() else { return };
    if stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(60)))).is_err() {
        return;
    }
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        match std::io::Read::take(&mut reader, LINE_BYTES_MAX).read_line(&mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let mut text = serde_json::to_string(&answer(&line)).expect("Invariant: an answer is text");
        text.push('\n');
        if writer.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn act(
    request: &Request,
    source: &StatusSource,
    operators: &mut ManyProducer<CommandRecord>,
    front_desk: &FrontDesk,
) -> Answer {
    let signals = &source.signals;
    match request {
        Request::Status => return Answer::Status(Box::new(source.read())),
        Request::Halt => {
            signals.halt.store(true, Ordering::Release);
            let begin = Instant::now();
            while signals.halt.load(Ordering::Acquire) && source.is_live() && begin.elapsed() < Duration::from_secs(5) {
                std::hint::spin_loop();
            }
        }
        Request::Resume => return send(&[set_up::resume(HaltScope::Venue)], source, operators),
        Request::Snapshot => signals.snapshot.store(true, Ordering::Release),
        Request::Stop => signals.stop.store(true, Ordering::Release),
        Request::Sessions => {
            return match front_desk.list() {
                Some(sessions) => Answer::Sessions { sessions },
                None => no_doors(),
            };
        }
        Request::EndSession { name, account } => {
            return match front_desk.end(name.clone(), *account) {
                Some(ended) => Answer::Ended { ended },
                None => no_doors(),
            };
        }
        Request::Command { records } => {
            return match read_command(records) {
                Ok(records) => send(&records, source, operators),
                Err(error) => Answer::Refused { error },
            };
        }
    }
    Answer::Done { done: true, applied: signals.applied.load(Ordering::Acquire) }
}

fn no_doors() -> Answer {
    Answer::Refused { error: "no door for sessions is open here".to_owned() }
}

fn send(records: &[CommandRecord], source: &StatusSource, operators: &mut ManyProducer<CommandRecord>) -> Answer {
    while source.is_live() {
        match operators.push_whole(records) {
            Ok(true) => return Answer::Done { done: true, applied: source.signals.applied.load(Ordering::Acquire) },
            Ok(false) => std::thread::sleep(Duration::from_micros(50)),
            Err(error) => return Answer::Refused { error: error.to_string() },
        }
    }
    Answer::Refused { error: "the node is stopping".to_owned() }
}

/// Reads one whole command from hexadecimal digits.
fn read_command(digits: &str) -> Result<Vec<CommandRecord>, String> {
    let bytes: Option<Vec<u8>> = (digits.len().is_multiple_of(2) && digits.is_ascii())
        .then(|| (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect())
        .flatten();
    let bytes = bytes.ok_or("records: must be hexadecimal digits, two a byte")?;
    let mut records = vec![set_up::advance_time(); bytes.len() / size_of::<CommandRecord>()];
    if size_of_val(&records[..]) != bytes.len() || records.is_empty() {
        return Err(format!("records: {} bytes must be whole records of 64", bytes.len()));
    }
    records.as_mut_bytes().copy_from_slice(&bytes);
    if records.len() > COMMAND_RECORDS_MAX as usize {
        return Err(format!("records: {} must be at most {COMMAND_RECORDS_MAX}", records.len()));
    }
    match tradewright_journal::whole_command(&records, 0) {
        Ok(count) if count == records.len() => Ok(records),
        Ok(count) => Err(format!("records: {} must be one command, the first has {count}", records.len())),
        Err(error) => Err(format!("records: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_whole_or_refused() {
        let halt = set_up::halt(HaltScope::Venue);
        let digits: String = halt.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(read_command(&digits), Ok(vec![halt]));
        for (bad, complaint) in [
            ("", "records: 0 bytes must be whole records of 64"),
            ("0", "records: must be hexadecimal digits, two a byte"),
            ("zz", "records: must be hexadecimal digits, two a byte"),
            ("éé", "records: must be hexadecimal digits, two a byte"),
            ("00", "records: 1 bytes must be whole records of 64"),
        ] {
            assert_eq!(read_command(bad), Err(complaint.to_owned()), "{bad}");
        }
        assert!(read_command(&digits.repeat(2)).is_err_and(|error| error.contains("2 must be one command")));
        assert!(read_command(&"00".repeat(64)).is_err());
    }
}
