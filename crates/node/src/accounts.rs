//! How accounts stand, asked by the doors and answered by the sequencer between two rounds.
//!
//! The answer names the command behind which it is right, and where the events of the next one begin in the ring. The doors tell
//! it between the two: so a client sees it in its place among the reports, and not before the gate let those events out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};

use tradewright_engine::Engine;
use tradewright_gateway::ConnectionId;
use tradewright_protocol::account::{AccountStanding, AssetBalance};
use tradewright_types::{AccountId, AssetId};

use crate::sequencer::Signals;

/// A question.
#[derive(Clone, Copy, Debug)]
struct Question {
    number: u64,
    account: AccountId,
    /// Commands of sessions that were handed in before this place of their queue belong to what is told.
    behind: u64,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    number: u64,
    /// Behind the last event in the ring that the standing knows of.
    position: u64,
    standing: AccountStanding,
}

/// The sequencer's side.
#[derive(Debug)]
pub struct AccountDesk {
    questions: Receiver<Question>,
    answers: Sender<Answer>,
    /// A question that came before the commands that it is to know of.
    early: Option<Question>,
}

/// The doors' side.
#[derive(Debug)]
pub(crate) struct AccountAsker {
    questions: Sender<Question>,
    answers: Receiver<Answer>,
    signals: Arc<Signals>,
    next_number: u64,
    /// What was asked and is not told yet, in the order of the questions, which is that of the answers.
    open: VecDeque<Open>,
}

#[derive(Debug)]
struct Open {
    number: u64,
    connection: ConnectionId,
    account: AccountId,
    behind: u64,
    answer: Option<Answer>,
}

/// Makes both sides.
pub(crate) fn open(signals: &Arc<Signals>) -> (AccountAsker, AccountDesk) {
    let ((questions, asked), (answers, answered)) = (channel(), channel());
    let asker = AccountAsker {
        questions,
        answers: answered,
        signals: Arc::clone(signals),
        next_number: 0,
        open: VecDeque::new(),
    };
    (asker, AccountDesk { questions: asked, answers, early: None })
}

impl AccountDesk {
    /// A desk that nobody asks.
    #[must_use]
    pub fn closed() -> Self {
        Self { questions: channel().1, answers: channel().0, early: None }
    }

    /// Answers what was asked, and returns whether that was everything. `position` is behind all events of the engine's commands,
    /// `consumed` behind the last command of a session.
    pub(crate) fn answer(&mut self, engine: &Engine, position: u64, consumed: u64) -> bool {
        while let Some(question) = self.early.take().or_else(|| self.questions.try_recv().ok()) {
            if question.behind > consumed {
                self.early = Some(question);
                return false;
            }
            let standing = standing_of(engine, question.account);
            // Doors that are gone hear nothing.
            let _ = self.answers.send(Answer { number: question.number, position, standing });
        }
        true
    }
}

fn standing_of(engine: &Engine, account: AccountId) -> AccountStanding {
    let assets = engine.registry().assets().iter().zip(0..);
    let balances = assets.map(|(entry, number)| {
        let balance = engine.ledger().balance(account, AssetId(number));
        AssetBalance {
            asset: AssetId(number),
            name: entry.name,
            scale: entry.scale,
            available_quanta: balance.available.quanta(),
            held_quanta: balance.held.quanta(),
        }
    });
    AccountStanding {
        account,
        shard: engine.config().shard,
        index: engine.sequence(),
        time_ns: engine.time_ns(),
        balances: balances.collect(),
    }
}

impl AccountAsker {
    /// Asks how the account of a connection stands, when everything before a place of the sessions' queue is done.
    pub(crate) fn ask(&mut self, connection: ConnectionId, account: AccountId, behind: u64) {
        let number = self.send(account, behind);
        self.open.push_back(Open { number, connection, account, behind, answer: None });
    }

    fn send(&mut self, account: AccountId, behind: u64) -> u64 {
        self.next_number += 1;
        // Without a sequencer the node is stopping.
        let _ = self.questions.send(Question { number: self.next_number, account, behind });
        self.signals.is_asked.store(true, Ordering::Release);
        self.next_number
    }

    /// Asks again: the doors went past the places where the answers are right.
    pub(crate) fn ask_again(&mut self) {
        for mut open in core::mem::take(&mut self.open) {
            (open.number, open.answer) = (self.send(open.account, open.behind), None);
            self.open.push_back(open);
        }
    }

    /// The next answer that is right in front of an event at `position` of the ring or before it, when every event in front of that was
    /// read from the ring before this is called: the place where it is right, and what it says.
    pub(crate) fn before(&mut self, position: u64) -> Option<(u64, ConnectionId, AccountStanding)> {
        if self.open.is_empty() {
            return None;
        }
        while let Ok(answer) = self.answers.try_recv() {
            // That of a question that was asked again belongs to nobody.
            if let Some(open) = self.open.iter_mut().find(|open| open.number == answer.number) {
                open.answer = Some(answer);
            }
        }
        let is_due = self.open.front()?.answer.as_ref().is_some_and(|answer| answer.position <= position);
        let open = is_due.then(|| self.open.pop_front()).flatten()?;
        let answer = open.answer?;
        Some((answer.position, open.connection, answer.standing))
    }
}
