//! How accounts stand, asked by the doors and answered by the sequencer between two rounds. Operators ask it what a name stands for.
//!
//! The answer names the command behind which it is right, and where the events of the next one begin in the ring. The doors tell
//! it between the two: so a client sees it in its place among the reports, and not before the gate let those events out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tradewright_engine::Engine;
use tradewright_gateway::ConnectionId;
use tradewright_protocol::account::{AccountStanding, AssetBalance};
use tradewright_types::{AccountId, AssetId, Name};

use crate::sequencer::Signals;

/// How long an operator waits for the sequencer: it answers when its events are in the ring.
const PATIENCE: Duration = Duration::from_secs(5);

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
    names: Receiver<Naming>,
}

/// What an operator calls an account and an asset.
#[derive(Debug)]
struct Naming {
    account: Name,
    asset: Name,
    reply: Sender<Named>,
}

/// What the engine knows by these names, and the decimal places of the asset's quantum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) account: Option<AccountId>,
    pub(crate) asset: Option<(AssetId, u8)>,
}

/// The operators' side.
#[derive(Clone, Debug)]
pub(crate) struct NameAsker {
    names: Sender<Naming>,
    signals: Arc<Signals>,
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

/// Makes all sides.
pub(crate) fn open(signals: &Arc<Signals>) -> (AccountAsker, NameAsker, AccountDesk) {
    let ((questions, asked), (answers, answered), (names, named)) = (channel(), channel(), channel());
    let asker = AccountAsker {
        questions,
        answers: answered,
        signals: Arc::clone(signals),
        next_number: 0,
        open: VecDeque::new(),
    };
    let name_asker = NameAsker { names, signals: Arc::clone(signals) };
    (asker, name_asker, AccountDesk { questions: asked, answers, early: None, names: named })
}

impl AccountDesk {
    /// A desk that nobody asks.
    #[must_use]
    pub fn closed() -> Self {
        Self { questions: channel().1, answers: channel().0, early: None, names: channel().1 }
    }

    /// Answers what was asked, and returns whether that was everything. `position` is behind all events of the engine's commands,
    /// `consumed` behind the last command of a session.
    pub(crate) fn answer(&mut self, engine: &Engine, position: u64, consumed: u64) -> bool {
        while let Ok(Naming { account, asset, reply }) = self.names.try_recv() {
            let registry = engine.registry();
            let asset = registry.asset(&asset).map(|asset| (asset, registry.assets()[asset.index()].scale));
            // An operator who is gone hears nothing.
            let _ = reply.send(Named { account: registry.account(&account), asset });
        }
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

impl NameAsker {
    /// What the engine knows by these names now. None when nobody answers.
    pub(crate) fn ask(&self, account: Name, asset: Name) -> Option<Named> {
        let (reply, answer) = channel();
        self.names.send(Naming { account, asset, reply }).ok()?;
        self.signals.is_asked.store(true, Ordering::Release);
        answer.recv_timeout(PATIENCE).ok()
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
