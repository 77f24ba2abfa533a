//! What operators ask the doors: who is there, and that somebody goes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde::Serialize;

/// How long the doors have for an answer: they look after each round.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct SessionStatus {
    /// Its number.
    pub session: u32,
    /// Its account.
    pub account: u32,
    /// What its client calls it.
    pub name: String,
    /// Whether it has a connection.
    pub is_connected: bool,
    /// The last client sequence that was sent on.
    pub last_client_sequence: u64,
    /// How it hears: `full`, `acks`, or `raw`.
    pub style: &'static str,
    /// Whether its orders are cancelled when its connection is lost.
    pub cancels_on_disconnect: bool,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// Who is there?
    List(Sender<Vec<SessionStatus>>),
    /// The connections of the sessions of this name are to end; of one account, when it is named. The answer is how many did.
    End { name: String, account: Option<u32>, reply: Sender<usize> },
}

/// The operators' side.
#[derive(Clone, Debug)]
pub(crate) struct FrontDesk(Sender<Question>);

/// Makes both sides.
pub(crate) fn open() -> (FrontDesk, Receiver<Question>) {
    let (questions, asked) = channel();
    (FrontDesk(questions), asked)
}

impl FrontDesk {
    /// Every session that was ever opened. None where no door is open.
    pub(crate) fn list(&self) -> Option<Vec<SessionStatus>> {
        let (reply, answer) = channel();
        self.0.send(Question::List(reply)).ok()?;
        answer.recv_timeout(PATIENCE).ok()
    }

    /// Ends connections, and tells how many.
    pub(crate) fn end(&self, name: String, account: Option<u32>) -> Option<usize> {
        let (reply, answer) = channel();
        self.0.send(Question::End { name, account, reply }).ok()?;
        answer.recv_timeout(PATIENCE).ok()
    }
}
