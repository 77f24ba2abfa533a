//! The engine: the whole state, and the one way to change it.

use tradewright_ledger::Ledger;
use tradewright_risk::{AccountRisk, Risk};
use tradewright_types::{
    AccountId, AccountKind, Amend, Cancel, CancelAll, CancelList, CancelQuotes, CommandHeader, CommandKind,
    CommandRecord, Decoded, EventKind, MassQuote, Name, NewOrder, OrderId, RejectReason, Replace, Setting, Side,
    read_envelope,
};

use crate::emit::Emitter;
use crate::floor::Market;
use crate::keys::Keys;
use crate::open_orders::OpenOrders;
use crate::sessions::{Answer, Sessions, Standing};
use crate::{EventBuffer, Registry};

/// What an engine is made with. None of it changes what commands do, but that a shard sends nothing to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// The shard that events name.
    pub shard: u8,
    /// The leadership epoch that events name.
    pub epoch: u32,
    /// Open orders to make room for in advance.
    pub open_orders_expected: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { shard: 0, epoch: 1, open_orders_expected: 1 << 13 }
    }
}

/// The exchange's state. [`Engine::apply`] is the only way to change it.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) config: EngineConfig,
    /// How many commands were applied.
    pub(crate) sequence: u64,
    pub(crate) last_order: OrderId,
    pub(crate) registry: Registry,
    pub(crate) ledger: Ledger,
    pub(crate) risk: Risk,
    pub(crate) open: OpenOrders,
    pub(crate) sessions: Sessions,
    pub(crate) keys: Keys,
    /// By instrument.
    pub(crate) markets: Vec<Market>,
}

impl Engine {
    /// An empty exchange with the venue's own two accounts.
    pub fn new(config: EngineConfig) -> Self {
        let mut engine = Self::without_accounts(config);
        for (name, kind) in [("fees", AccountKind::Fee), ("insurance", AccountKind::Insurance)] {
            let mut field = [0; Name::LENGTH_MAX];
            field[..name.len()].copy_from_slice(name.as_bytes());
            engine.registry.add_account(Name::new(&field, name.len() as u8).expect("a legal name"), kind);
            engine.ledger.open_account(kind);
            engine.risk.add_account(AccountRisk::new(kind));
        }
        engine
    }

    pub(crate) fn without_accounts(config: EngineConfig) -> Self {
        Self {
            config,
            sequence: 0,
            last_order: OrderId(0),
            registry: Registry::default(),
            ledger: Ledger::default(),
            risk: Risk::default(),
            open: OpenOrders::with_capacity(config.open_orders_expected),
            sessions: Sessions::default(),
            keys: Keys::default(),
            markets: Vec::new(),
        }
    }

    /// Applies one command: all of its records. Its events are added to `events`.
    ///
    /// # Panics
    /// When `records` is empty, and when the state is broken (a bug, never the command's fault).
    pub fn apply(&mut self, records: &[CommandRecord], events: &mut EventBuffer) {
        if records[0].header.client_sequence == 0 {
            self.apply_one(records, events);
        } else {
            self.apply_numbered(records, events);
        }
    }

    /// Applies a stream of commands one after the other.
    ///
    /// # Panics
    /// As [`Engine::apply`].
    pub fn apply_all(&mut self, mut stream: &[CommandRecord], events: &mut EventBuffer) {
        // That sessions may have numbered some costs the others one comparison, as long as the loop has nothing else in it.
        while let [CommandRecord { header: CommandHeader { client_sequence: 0, .. }, .. }, ..] = stream {
            let (records, rest) = CommandRecord::split_command(stream);
            if let [next, ..] = rest {
                self.touch(next);
            }
            self.apply_any(records, events);
            stream = rest;
        }
        if !stream.is_empty() {
            self.apply_rest(stream, events);
        }
    }

    /// Applies a stream in which there are commands that their sessions numbered.
    #[inline(never)]
    fn apply_rest(&mut self, mut stream: &[CommandRecord], events: &mut EventBuffer) {
        while !stream.is_empty() {
            let (records, rest) = CommandRecord::split_command(stream);
            if let [next, ..] = rest {
                self.touch(next);
            }
            self.apply(records, events);
            stream = rest;
        }
    }

    /// Applies a command that has a client sequence, unless its session's window stops it.
    #[inline(never)]
    fn apply_numbered(&mut self, records: &[CommandRecord], events: &mut EventBuffer) {
        let first = &records[0];
        let kind = read_envelope(records).ok().filter(|_| first.header.time_ns >= self.risk.time_ns);
        let standing = kind.zip(self.sessions.standing(&first.header));
        if let Some((kind, Standing::Stopped(stop))) = standing {
            return self.stop(kind, first, &stop, events);
        }
        let (before, begin) = (self.last_order, events.len());
        self.apply_one(records, events);
        if standing.is_some() {
            let first_order = if self.last_order == before { OrderId(0) } else { OrderId(before.0 + 1) };
            let mut own = events.as_slice()[begin..].iter();
            let refusal = own.find(|event| event.kind == EventKind::Rejected as u8).map_or(0, |event| event.reason);
            self.sessions.note(&first.header, Answer::new(self.sequence, first_order, refusal));
        }
    }

    /// The same code for a command that stands alone and for one that is numbered: it is compiled once for them, and once more
    /// into the loop over a stream.
    #[inline(never)]
    fn apply_one(&mut self, records: &[CommandRecord], events: &mut EventBuffer) {
        self.apply_any(records, events);
    }

    #[inline(always)]
    fn apply_any(&mut self, records: &[CommandRecord], events: &mut EventBuffer) {
        self.sequence += 1;
        let first = &records[0];
        let envelope = read_envelope(records);
        let is_stale = first.header.time_ns < self.risk.time_ns;
        if envelope.is_ok() && !is_stale {
            self.risk.time_ns = first.header.time_ns;
        }
        let mut emit = Emitter::new(events, self.sequence, self.risk.time_ns, self.config.epoch, self.config.shard);
        let outcome = match envelope {
            Ok(_) if is_stale => Err(RejectReason::Stale),
            // The two that are nearly all come first.
            Ok(CommandKind::PlaceOrder) => {
                if self.is_attended() {
                    return self.apply_attended(CommandKind::PlaceOrder, records, &mut emit);
                }
                self.count_message(first, 1);
                let placed = match NewOrder::read_plain(records) {
                    Some(order @ NewOrder { side: Side::Buy, .. }) => self.place(&order, &mut emit),
                    Some(order) => self.place(&NewOrder { side: Side::Sell, ..order }, &mut emit),
                    // It may be the first that follows others: from there on commands are attended.
                    None => self.place_any(records, &mut emit).inspect(|()| self.move_pegs(&mut emit)),
                };
                match placed {
                    Ok(()) if first.header.session != 0 => {
                        return self.note_session(OrderId(self.last_order.0 - 1), first);
                    }
                    placed => placed,
                }
            }
            Ok(CommandKind::CancelOrder) => {
                if self.is_attended() {
                    return self.apply_attended(CommandKind::CancelOrder, records, &mut emit);
                }
                self.count_message(first, 0);
                match Cancel::read_plain(records) {
                    Some(cancel) => self.cancel(&cancel, &mut emit),
                    None => self.cancel_any(records, &mut emit),
                }
            }
            Ok(kind) if self.is_attended() => return self.apply_attended(kind, records, &mut emit),
            Ok(kind) => {
                let before = self.last_order;
                let outcome = self.dispatch(kind, records, &mut emit).inspect(|()| {
                    self.move_pegs(&mut emit);
                    // It may have begun an auction: from there on commands are attended.
                    self.tell_indications(&mut emit);
                });
                if first.header.session != 0 {
                    self.note_session(before, first);
                }
                outcome
            }
            Err(reason) => Err(reason),
        };
        if let Err(reason) = outcome {
            emit.rejected(first, reason);
        }
    }

    /// Whether something is due before a command of this time, or auctions have something to tell or pegs move behind it.
    #[inline(always)]
    pub(crate) fn is_attended(&self) -> bool {
        self.risk.time_ns >= self.open.timers.attention_ns
    }

    /// Applies a command before which something is due, or behind which auctions have something to tell or pegs move.
    #[cold]
    #[inline(never)]
    fn apply_attended(&mut self, kind: CommandKind, records: &[CommandRecord], emit: &mut Emitter<'_>) {
        self.fire_timers(emit);
        let before = self.last_order;
        let outcome = if let Err(killed) = self.check_session(kind, &records[0]) {
            self.count_any(kind, records);
            Err(killed)
        } else if kind == CommandKind::PlaceOrder {
            self.count_message(&records[0], 1);
            self.place_any(records, emit)
        } else if kind == CommandKind::CancelOrder {
            self.count_message(&records[0], 0);
            self.cancel_any(records, emit)
        } else {
            self.dispatch(kind, records, emit)
        };
        if records[0].header.session != 0 {
            self.note_session(before, &records[0]);
        }
        match outcome {
            Ok(()) => {
                self.finish_protections(emit);
                self.move_pegs(emit);
            }
            Err(reason) => emit.rejected(&records[0], reason),
        }
        self.tell_indications(emit);
    }

    /// Reads the order that the next command cancels, so that it is in the cache by then. Changes nothing.
    #[inline(always)]
    fn touch(&self, next: &CommandRecord) {
        if next.header.kind == CommandKind::CancelOrder as u8 {
            core::hint::black_box(self.open.touch(OrderId(next.order_ref)));
        }
    }

    #[inline(never)]
    fn dispatch(&mut self, kind: CommandKind, records: &[CommandRecord], emit: &mut Emitter<'_>) -> Decoded<()> {
        if kind.is_order_entry() {
            self.count_any(kind, records);
        }
        match kind {
            CommandKind::CancelAll => self.cancel_all(&CancelAll::read(records)?, emit),
            CommandKind::AmendOrder => self.amend(&Amend::read(records)?, emit),
            CommandKind::ReplaceOrder => self.replace(&Replace::read(records)?, &records[0], emit),
            CommandKind::PlaceList => {
                self.place_list(records, emit);
                Ok(())
            }
            CommandKind::CancelList => self.cancel_list(&CancelList::read(records)?, emit),
            CommandKind::MassQuote => self.mass_quote(&MassQuote::read(records)?, emit),
            CommandKind::CancelQuotes => self.cancel_quotes(&CancelQuotes::read(records)?, emit),
            CommandKind::AdvanceTime
            | CommandKind::AddAsset
            | CommandKind::ListInstrument
            | CommandKind::SetInstrumentLimits
            | CommandKind::SetReferencePrice
            | CommandKind::SetFeeTier
            | CommandKind::OpenAccount
            | CommandKind::SetAccountLimits
            | CommandKind::SetAccountFeeTier
            | CommandKind::SetTradeGroup
            | CommandKind::SetPermissions
            | CommandKind::SetPositionLimit
            | CommandKind::Halt
            | CommandKind::Resume
            | CommandKind::SetMarkPrice
            | CommandKind::SetIndexPrice
            | CommandKind::SetAllocation
            | CommandKind::SetInstrumentState
            | CommandKind::ScheduleInstrumentState
            | CommandKind::SetAuctionTerms
            | CommandKind::SetBreaker
            | CommandKind::SetMarketReference
            | CommandKind::SetMarketLevel
            | CommandKind::SetTop
            | CommandKind::SetQuoteProtection
            | CommandKind::ResetQuoteProtection
            | CommandKind::SetLead
            | CommandKind::EndSession
            | CommandKind::OpenSession
            | CommandKind::RegisterKey
            | CommandKind::RevokeKey
            | CommandKind::Deposit
            | CommandKind::RequestWithdrawal
            | CommandKind::ConfirmWithdrawal
            | CommandKind::CancelWithdrawal
            | CommandKind::Transfer
            | CommandKind::SendTransfer
            | CommandKind::ReceiveTransfer
            | CommandKind::ConfirmTransfer
            | CommandKind::EngageKillSwitch
            | CommandKind::ReleaseKillSwitch
            | CommandKind::SetRestriction
            | CommandKind::SetApprovalBands
            | CommandKind::ApproveOrder
            | CommandKind::DeclineOrder => self.set(&Setting::read(kind, records)?, emit),
            CommandKind::PlaceOrder
            | CommandKind::CancelOrder
            | CommandKind::Text
            | CommandKind::InstrumentUnits
            | CommandKind::InstrumentLimits
            | CommandKind::Conditions
            | CommandKind::ApprovalHash
            | CommandKind::ApprovalBands
            | CommandKind::QuoteEntry
            | CommandKind::KeyBytes
            | CommandKind::Breaker => unreachable!("Invariant: neither is left to be dispatched"),
        }
    }

    /// Counts a message of any kind.
    fn count_any(&mut self, kind: CommandKind, records: &[CommandRecord]) {
        let first = &records[0];
        let count = if kind == CommandKind::PlaceList {
            let is_leg = |record: &&CommandRecord| record.header.kind == CommandKind::PlaceOrder as u8;
            records[1..].iter().filter(is_leg).count() as u32
        } else if kind == CommandKind::MassQuote {
            MassQuote::count_orders(records)
        } else {
            let orders = matches!(kind, CommandKind::PlaceOrder | CommandKind::ReplaceOrder);
            return self.count_message(first, orders.into());
        };
        let now_ns = self.risk.time_ns;
        if let Some(account) = self.risk.account_mut(AccountId(first.account)) {
            account.count_orders(now_ns, count);
        }
    }

    /// Counts a message against the rates of its account, whatever becomes of it.
    #[inline(always)]
    fn count_message(&mut self, record: &CommandRecord, orders: u32) {
        let now_ns = self.risk.time_ns;
        if let Some(account) = self.risk.account_mut(AccountId(record.account)) {
            account.count_message(now_ns, orders);
        }
    }
}
