//! The sessions that were opened, and what they were answered: a retry changes nothing and is told what came of the original.
//!
//! A command by such a session carries a client sequence, 1, 2, … without gaps. The answers of the last [`WINDOW`] are kept, 16
//! bytes each, from the first one on. A ring by client sequence always holds exactly those of the window, so its hash is that of
//! the state, taken by pages over what changed.

use std::collections::BTreeMap;

use tradewright_types::{
    ANY, AccountId, CommandHeader, CommandKind, CommandRecord, Decoded, EntityHash, HashTotal, Label, OrderId,
    RejectReason, SessionId,
};

use crate::emit::Emitter;
use crate::{Engine, EventBuffer};

/// How many of its last client sequences a session recognises.
pub(crate) const WINDOW: u64 = 1024;
const PAGE: usize = 32;
const PAGES: usize = WINDOW as usize / PAGE;

/// The most sessions of an account, so that nobody fills the state by signing in.
pub(crate) const SESSIONS_OF_ACCOUNT_MAX: usize = 256;

/// How many bits of a word the reason takes; the sequence has the others.
const REASON_BITS: u32 = 10;

/// What came of a command: its sequence, the first order id that it gave, and why it was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    sequence_and_reason: u64,
    first_order: OrderId,
}

const _: () = assert!(size_of::<Answer>() == 16);

impl Answer {
    #[inline(always)]
    pub(crate) fn new(sequence: u64, first_order: OrderId, reason: u16) -> Self {
        const { assert!(RejectReason::ALL[RejectReason::ALL.len() - 1] as u16 >> REASON_BITS == 0) };
        Self { sequence_and_reason: sequence << REASON_BITS | u64::from(reason), first_order }
    }

    pub(crate) const fn sequence(self) -> u64 {
        self.sequence_and_reason >> REASON_BITS
    }

    pub(crate) const fn first_order(self) -> OrderId {
        self.first_order
    }

    /// The code of a [`RejectReason`]; zero is none.
    pub(crate) const fn reason(self) -> u16 {
        (self.sequence_and_reason & ((1 << REASON_BITS) - 1)) as u16
    }
}

/// The answers by client sequence modulo [`WINDOW`], with their hashes.
#[derive(Clone, Debug)]
struct Answers {
    ring: [Answer; WINDOW as usize],
    /// What the pages hashed to at the last checkpoint, and which have changed since.
    hashes: [HashTotal; PAGES],
    changed: u32,
}

impl Answers {
    /// Made on first use. Boxed, as it is moved with its session otherwise.
    #[cold]
    #[inline(never)]
    fn new() -> Box<Self> {
        let (ring, hashes) = ([Answer::default(); WINDOW as usize], [HashTotal::default(); PAGES]);
        Box::new(Self { ring, hashes, changed: 0 })
    }

    #[inline(always)]
    fn put(&mut self, client_sequence: u64, answer: Answer) {
        let place = (client_sequence % WINDOW) as usize;
        self.ring[place] = answer;
        self.changed |= 1 << (place / PAGE);
    }

    fn page_hash(&self, session: u64, page: usize) -> HashTotal {
        let mut total = HashTotal::default();
        let answers = self.ring[page * PAGE..(page + 1) * PAGE].iter().enumerate();
        for (offset, answer) in answers.filter(|(_, answer)| answer.sequence_and_reason != 0) {
            let place = session << 16 | (page * PAGE + offset) as u64;
            let hash = EntityHash::new(0x3d).word(place).word(answer.sequence_and_reason);
            total += hash.word(answer.first_order.0).finish();
        }
        total
    }

    fn hash(&self, session: u64) -> HashTotal {
        let mut total = HashTotal::default();
        for (page, known) in self.hashes.iter().enumerate() {
            total += if self.changed & 1 << page == 0 { *known } else { self.page_hash(session, page) };
        }
        total
    }

    fn checkpoint(&mut self, session: u64) {
        for page in (0..PAGES).filter(|page| self.changed & 1 << page != 0) {
            self.hashes[page] = self.page_hash(session, page);
        }
        self.changed = 0;
    }
}

/// A session: whose it is, what it is called, and its window.
#[derive(Clone, Debug)]
struct ClientSession {
    /// The client sequence of the last command that was applied; 0 before the first.
    last: u64,
    answers: Option<Box<Answers>>,
    /// Whether `hash` is no longer right.
    is_changed: bool,
    hash: HashTotal,
    /// None is the venue's operators.
    account: Option<AccountId>,
    name: Label,
}

impl ClientSession {
    fn hash(&self, id: u64) -> HashTotal {
        let account = self.account.map_or(ANY, |account| account.0);
        let own = EntityHash::new(0x3c).word(id).word(account.into()).word(self.last).bytes(self.name.as_bytes());
        let mut total = own.finish();
        if let Some(answers) = &self.answers {
            total += answers.hash(id);
        }
        total
    }

    /// What is known of a client sequence that was applied: nothing when it is below the window.
    fn answer(&self, client_sequence: u64) -> Option<Answer> {
        let is_known = client_sequence <= self.last && self.last - client_sequence < WINDOW;
        let answers = self.answers.as_ref().filter(|_| is_known && client_sequence != 0)?;
        Some(answers.ring[(client_sequence % WINDOW) as usize])
    }
}

/// An opened session, as views and snapshots see it.
#[derive(Clone, Copy, Debug)]
pub struct SessionView<'e> {
    id: SessionId,
    session: &'e ClientSession,
}

impl<'e> SessionView<'e> {
    /// Its number.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is; none is the venue's operators.
    pub fn account(&self) -> Option<AccountId> {
        self.session.account
    }

    /// What it is called.
    pub fn name(&self) -> &'e str {
        self.session.name.as_str()
    }

    /// The client sequence of the last command that was applied; 0 before the first.
    pub fn last_client_sequence(&self) -> u64 {
        self.session.last
    }

    pub(crate) fn label(&self) -> &'e Label {
        &self.session.name
    }

    /// The answers of its window, the oldest first.
    pub(crate) fn answers(&self) -> impl Iterator<Item = Answer> + use<'e> {
        let session = self.session;
        let first = session.last.saturating_sub(WINDOW - 1).max(1);
        (first..=session.last).filter_map(|client_sequence| session.answer(client_sequence))
    }
}

/// What becomes of a command by its client sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the next one.
    New,
    /// It is not applied.
    Stopped(Stop),
}

/// Why a command is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It was applied already.
    Repeated(Answer),
    /// It is refused. The session's next client sequence is the second.
    Refused(RejectReason, u64),
}

/// The sessions that were opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    /// By number, from 1.
    sessions: Vec<ClientSession>,
    /// By account ([`ANY`] for operators) and name.
    by_name: BTreeMap<(u32, Label), SessionId>,
    /// Those whose hash is no longer right. It has room for all of them, so that noting one allocates nothing.
    changed: Vec<SessionId>,
    /// The sum of all hashes at the last checkpoint.
    hash: HashTotal,
    /// While a numbered command is applied: the last order id before it, and where its events begin.
    pub(crate) begun: Option<(OrderId, usize)>,
}

impl Sessions {
    /// How a command stands by its client sequence. `None` when its session has no window.
    #[inline(always)]
    pub(crate) fn standing(&self, header: &CommandHeader) -> Option<Standing> {
        let session = self.sessions.get((header.session as usize).wrapping_sub(1))?;
        if header.client_sequence.wrapping_sub(session.last) == 1 {
            return Some(Standing::New);
        }
        Some(Standing::Stopped(Self::stop(session, header.client_sequence)))
    }

    #[cold]
    #[inline(never)]
    fn stop(session: &ClientSession, client_sequence: u64) -> Stop {
        let next = session.last.saturating_add(1);
        if client_sequence > session.last {
            return Stop::Refused(RejectReason::ClientSequenceGap, next);
        }
        let too_old = Stop::Refused(RejectReason::ClientSequenceTooOld, next);
        session.answer(client_sequence).map_or(too_old, Stop::Repeated)
    }

    /// Notes the answer of a command that was new, when it is done.
    #[inline(always)]
    pub(crate) fn note(&mut self, header: &CommandHeader, answer: Answer) {
        let session = &mut self.sessions[header.session as usize - 1];
        session.last = header.client_sequence;
        session.answers.get_or_insert_with(Answers::new).put(header.client_sequence, answer);
        if !session.is_changed {
            session.is_changed = true;
            self.changed.push(SessionId(header.session));
        }
    }

    fn find(&self, account: Option<AccountId>, name: &Label) -> Option<SessionId> {
        self.by_name.get(&(key_of(account), *name)).copied()
    }

    fn count_of(&self, account: Option<AccountId>) -> usize {
        let least = Label::new(b"!").expect("Invariant: the least label is a label");
        let own = self.by_name.range((key_of(account), least)..);
        own.take_while(|((owner, _), _)| *owner == key_of(account)).take(SESSIONS_OF_ACCOUNT_MAX).count()
    }

    fn add(&mut self, account: Option<AccountId>, name: Label) -> SessionId {
        let id = SessionId(self.sessions.len() as u32 + 1);
        let hash = HashTotal::default();
        self.sessions.push(ClientSession { last: 0, answers: None, is_changed: true, hash, account, name });
        self.by_name.insert((key_of(account), name), id);
        self.changed.reserve(self.sessions.len() - self.changed.len());
        self.changed.push(id);
        id
    }

    /// Adds a session of a snapshot. `None` when there is one of this name, or it cannot have these answers.
    pub(crate) fn restore(
        &mut self,
        account: Option<AccountId>,
        name: Label,
        last: u64,
        answers: &[Answer],
    ) -> Option<()> {
        let in_order = answers.is_sorted_by(|one, next| one.sequence() < next.sequence());
        let fits = answers.len() as u64 == last.min(WINDOW) && last <= i64::MAX as u64;
        if !in_order || !fits || self.find(account, &name).is_some() {
            return None;
        }
        let id = self.add(account, name);
        let session = &mut self.sessions[id.index() - 1];
        session.last = last;
        let first = last - answers.len() as u64;
        for (answer, client_sequence) in answers.iter().zip(first + 1..) {
            session.answers.get_or_insert_with(Answers::new).put(client_sequence, *answer);
        }
        Some(())
    }

    pub(crate) fn view(&self, id: SessionId) -> Option<SessionView<'_>> {
        let session = self.sessions.get(id.index().wrapping_sub(1))?;
        Some(SessionView { id, session })
    }

    pub(crate) fn views(&self) -> impl ExactSizeIterator<Item = SessionView<'_>> {
        let numbered = self.sessions.iter().enumerate();
        numbered.map(|(place, session)| SessionView { id: SessionId(place as u32 + 1), session })
    }

    /// The hash of all sessions, taken over those that changed since the last checkpoint.
    pub(crate) fn state_hash(&self) -> HashTotal {
        let mut total = self.hash;
        for id in &self.changed {
            let session = &self.sessions[id.index() - 1];
            total -= session.hash;
            total += session.hash(u64::from(id.0));
        }
        total
    }

    /// From here on only what changes after it is looked at.
    pub(crate) fn checkpoint(&mut self) {
        for id in self.changed.drain(..) {
            let session = &mut self.sessions[id.index() - 1];
            self.hash -= session.hash;
            if let Some(answers) = &mut session.answers {
                answers.checkpoint(u64::from(id.0));
            }
            session.hash = session.hash(u64::from(id.0));
            self.hash += session.hash;
            session.is_changed = false;
        }
    }

    /// The hash of all sessions, computed in full.
    pub(crate) fn full_state_hash(&self) -> HashTotal {
        let mut total = HashTotal::default();
        for (session, id) in self.sessions.iter().zip(1_u64..) {
            let without_hashes = session.answers.as_ref().map(|known| Box::new(Answers { changed: !0, ..**known }));
            total += ClientSession { answers: without_hashes, ..session.clone() }.hash(id);
        }
        total
    }

    pub(crate) fn check_invariants(&self, sequence: u64, last_order: OrderId) {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Self { sessions, by_name, changed, hash: _, begun } = self;
        assert_eq!(*begun, None, "Invariant: no command is under way");
        assert_eq!(sessions.len(), by_name.len(), "Invariant: every session has a name of its own");
        for ((account, name), id) in by_name {
            let session = &sessions[id.index() - 1];
            assert_eq!((key_of(session.account), session.name), (*account, *name), "Invariant: names lead to sessions");
        }
        let not_hashed: Vec<_> = sessions.iter().zip(1..).filter(|(session, _)| session.is_changed).collect();
        let mut listed = changed.clone();
        listed.sort_unstable();
        let not_hashed: Vec<_> = not_hashed.into_iter().map(|(_, id)| SessionId(id)).collect();
        assert_eq!(not_hashed, listed, "Invariant: sessions that changed are listed");
        for view in self.views() {
            let kept = view.answers().count() as u64;
            assert_eq!(kept, view.session.last.min(WINDOW), "Invariant: a session knows the answers of its window");
            let sequences: Vec<_> = view.answers().map(Answer::sequence).collect();
            assert!(sequences.is_sorted_by(|one, next| one < next), "Invariant: answers are in the order of the log");
            let is_given = |answer: Answer| answer.sequence() <= sequence && answer.first_order() <= last_order;
            assert!(view.answers().all(is_given), "Invariant: an answer is of a command that was applied");
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let windows = self.sessions.iter().filter(|session| session.answers.is_some()).count();
        self.sessions.capacity() * size_of::<ClientSession>() + windows * size_of::<Answers>()
    }
}

const fn key_of(account: Option<AccountId>) -> u32 {
    match account {
        Some(account) => account.0,
        None => ANY,
    }
}

impl Engine {
    /// Opens a session, or finds it again.
    pub(crate) fn open_session(
        &mut self,
        account: Option<AccountId>,
        name: &Label,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        if let Some(account) = account {
            self.known_account(account)?;
        }
        let id = match self.sessions.find(account, name) {
            Some(id) => id,
            None if self.sessions.count_of(account) >= SESSIONS_OF_ACCOUNT_MAX => {
                return Err(RejectReason::TooManySessions);
            }
            None => self.sessions.add(account, *name),
        };
        let last = self.sessions.sessions[id.index() - 1].last;
        emit.session_opened(key_of(account), id, last, name);
        Ok(())
    }

    /// Tells of a command that its session's window stops. Timers that are due fire before it, as before any command.
    #[cold]
    #[inline(never)]
    pub(crate) fn stop(&mut self, kind: CommandKind, record: &CommandRecord, stop: &Stop, events: &mut EventBuffer) {
        self.sequence += 1;
        self.risk.time_ns = record.header.time_ns;
        let emit = &mut Emitter::new(events, self.sequence, self.risk.time_ns, self.config.epoch, self.config.shard);
        let is_attended = self.is_attended();
        if is_attended {
            self.fire_timers(emit);
        }
        match *stop {
            Stop::Repeated(answer) => emit.repeated(kind, record, answer),
            Stop::Refused(reason, next) => emit.refused_by_window(record, reason, next),
        }
        if is_attended {
            self.tell_indications(emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_answer_hashes_to_something_else_at_each_place() {
        let answer = Answer { sequence_and_reason: 7, ..Answer::default() };
        let hash = |place: u64| {
            let mut answers = Answers::new();
            answers.put(place, answer);
            answers.hash(1).0
        };
        let hashes: BTreeSet<u128> = (0..WINDOW).map(hash).collect();
        assert_eq!(hashes.len(), WINDOW as usize);
    }

    #[test]
    fn memory_and_hash_of_a_session_are_its_own_and_those_of_its_window() {
        let mut sessions = Sessions::default();
        sessions.add(Some(AccountId(2)), Label::new(b"desk").expect("a name"));
        let session = &mut sessions.sessions[0];
        let mut expected = session.hash(1);
        let mut answers = Answers::new();
        answers.put(1, Answer { sequence_and_reason: 7, ..Answer::default() });
        expected += answers.hash(1);
        session.answers = Some(answers);
        assert_eq!(session.hash(1), expected);
        let own = sessions.sessions.capacity() * size_of::<ClientSession>();
        assert_eq!(sessions.memory_bytes(), own + size_of::<Answers>());
    }
}
