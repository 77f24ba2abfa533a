//! Raw records: the fastest way in. The client sends the command records themselves, with the ids that it resolved at logon.
//!
//! What the engine makes of them is its business. Here it is only made sure that nobody speaks for others: a command is one of a
//! trader's, of the session and the account that logged on, as whole as it says.

use core::fmt;

use tradewright_types::{
    ANY, AccountId, CommandKind, CommandRecord, EventFlags, EventKind, EventRecord, MassQuote, SCHEMA_VERSION, Wide,
};

/// Why records are not taken. The session they came by closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawError {
    /// The kind is not one of a trader's.
    KindForbidden {
        /// The kind it names.
        kind: u8,
    },
    /// The schema version is another one.
    UnknownSchemaVersion {
        /// The one it names.
        version: u8,
    },
    /// A command has no record, or more than any command has.
    RecordCountOutOfRange {
        /// How many it names.
        records: u16,
    },
    /// The session is another one.
    ForeignSession {
        /// The one it names.
        session: u32,
    },
    /// The account is another one.
    ForeignAccount {
        /// The one it names.
        account: u32,
    },
}

impl fmt::Display for RawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::KindForbidden { kind } => write!(f, "kind={kind} must be a command of a trader"),
            Self::UnknownSchemaVersion { version } => write!(f, "schema_version={version} must be {SCHEMA_VERSION}"),
            Self::RecordCountOutOfRange { records } => {
                write!(f, "record_count={records} must be 1 to {RECORDS_MAX}")
            }
            Self::ForeignSession { session } => write!(f, "session={session} must be the one that logged on"),
            Self::ForeignAccount { account } => write!(f, "account={account} must be the one that logged on"),
        }
    }
}

impl core::error::Error for RawError {}

/// The most records of a command: a mass quote with all its entries.
pub const RECORDS_MAX: u16 = 1 + MassQuote::ENTRIES_MAX as u16;

/// Who may speak: what a session is logged on as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawGuard {
    /// The account. [`ANY`] is the venue itself, whose gateways speak for every account; it is told no events, as it reads the ring.
    pub account: AccountId,
    /// The session.
    pub session: u32,
}

impl RawGuard {
    /// The records of the first command in `stream`, when all of them are there and it may be sent. `None` when more have to come.
    ///
    /// # Errors
    /// The rule that it breaks. Nothing behind it can be read then.
    #[inline]
    pub fn next<'r>(&self, stream: &'r [CommandRecord]) -> Result<Option<&'r [CommandRecord]>, RawError> {
        let Some(first) = stream.first() else { return Ok(None) };
        let header = &first.header;
        let kind = CommandKind::from_code(header.kind).filter(|kind| kind.is_order_entry());
        kind.ok_or(RawError::KindForbidden { kind: header.kind })?;
        if header.schema_version != SCHEMA_VERSION {
            return Err(RawError::UnknownSchemaVersion { version: header.schema_version });
        }
        let records = header.record_count;
        if !(1..=RECORDS_MAX).contains(&records) {
            return Err(RawError::RecordCountOutOfRange { records });
        }
        if header.session != self.session {
            return Err(RawError::ForeignSession { session: header.session });
        }
        let Some(command) = stream.get(..usize::from(records)) else { return Ok(None) };
        // Orders within lists and replacements have accounts of their own; the engine compares them, but it does not guard doors.
        for record in command {
            let is_order = record.header.kind == CommandKind::PlaceOrder as u8 || core::ptr::eq(record, first);
            if is_order && record.account != self.account.0 && self.account.0 != ANY {
                return Err(RawError::ForeignAccount { account: record.account });
            }
        }
        Ok(Some(command))
    }
}

/// The events of an account, one after the other. Whoever stands on the other side of a trade is nobody's business.
#[derive(Clone, Copy, Debug)]
pub struct RawView {
    guard: RawGuard,
    /// Whether the event before was told: its text belongs to it.
    told: bool,
}

impl RawView {
    /// What a session may see.
    pub const fn new(guard: RawGuard) -> Self {
        Self { guard, told: false }
    }

    /// The next event as the session may see it; `None` when it is not about its account, or is the answer to another session.
    pub fn read(&mut self, event: &EventRecord) -> Option<EventRecord> {
        use EventKind as Kind;
        let RawGuard { account, session } = self.guard;
        let seen = match EventKind::from_code(event.kind)? {
            Kind::Trade | Kind::MatchPrevented => self.guard.side_of(event),
            Kind::Rejected | Kind::CommandRepeated => {
                (event.counter_account == session && event.account == account.0).then_some(*event)
            }
            Kind::ClientOrderIdText | Kind::ClientListIdText | Kind::SessionNameText | Kind::KeyIdText => {
                return self.told.then_some(*event);
            }
            Kind::OrderAccepted
            | Kind::OrderCancelled
            | Kind::OrderExpired
            | Kind::OrderAmended
            | Kind::OrderConditions
            | Kind::OrderTriggered
            | Kind::OrderDisplay
            | Kind::OrderRefreshed
            | Kind::OrderRepriced
            | Kind::Deposited
            | Kind::WithdrawalRequested
            | Kind::WithdrawalConfirmed
            | Kind::WithdrawalCancelled
            | Kind::Transferred
            | Kind::TransferSent
            | Kind::TransferReceived
            | Kind::TransferConfirmed
            | Kind::ListAccepted
            | Kind::ListUpdated
            | Kind::ListDone
            | Kind::ApprovalRequired
            | Kind::OrderApproved
            | Kind::ApprovalDeclined
            | Kind::OrderReleased
            | Kind::QuoteAccepted
            | Kind::QuoteProtectionTriggered
            | Kind::SessionOpened => (event.account == account.0).then_some(*event),
            Kind::SettingApplied
            | Kind::InstrumentStateChanged
            | Kind::AuctionIndication
            | Kind::AuctionUncrossed
            | Kind::BreakerTripped
            | Kind::MarketWideLevelReached
            | Kind::KeyRegistered
            | Kind::KeyRevoked => None,
        };
        self.told = seen.is_some();
        seen
    }
}

impl RawGuard {
    /// A trade, or one that was prevented, without what is the other side's alone.
    fn side_of(&self, event: &EventRecord) -> Option<EventRecord> {
        let mut event = *event;
        match (event.account == self.account.0, event.counter_account == self.account.0) {
            (false, false) => return None,
            (true, true) => {}
            (true, false) => {
                (event.counter_account, event.counter_order_id) = (ANY, 0);
                event.counter_amount = Wide::default();
                event.flags &= !EventFlags::MAKER_DONE.0;
            }
            (false, true) => {
                (event.account, event.order_id, event.open_lots) = (ANY, 0, 0);
                event.amount = Wide::default();
                event.flags &= !EventFlags::TAKER_DONE.0;
            }
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUARD: RawGuard = RawGuard { account: AccountId(2), session: 5 };

    fn record(kind: CommandKind) -> CommandRecord {
        let mut record = CommandRecord { account: 2, ..CommandRecord::new(kind) };
        record.header.session = 5;
        record
    }

    #[test]
    fn only_the_commands_of_a_trader_pass() {
        for kind in CommandKind::ALL {
            let records = [record(*kind)];
            let passes = GUARD.next(&records);
            if kind.is_order_entry() {
                assert_eq!(passes.map(|command| command.map(<[_]>::len)), Ok(Some(1)), "{}", kind.name());
            } else {
                assert_eq!(passes, Err(RawError::KindForbidden { kind: *kind as u8 }), "{}", kind.name());
            }
        }
    }

    #[test]
    fn nobody_speaks_for_others() {
        let own = record(CommandKind::PlaceOrder);
        let foreign = CommandRecord { account: 3, ..own };
        assert_eq!(GUARD.next(&[foreign]), Err(RawError::ForeignAccount { account: 3 }));
        let mut other = own;
        other.header.session = 6;
        assert_eq!(GUARD.next(&[other]), Err(RawError::ForeignSession { session: 6 }));
        // Not within a list either.
        let mut head = record(CommandKind::PlaceList);
        head.header.record_count = 3;
        assert_eq!(GUARD.next(&[head, own, foreign]), Err(RawError::ForeignAccount { account: 3 }));
        assert_eq!(GUARD.next(&[head, own, own]).map(|command| command.map(<[_]>::len)), Ok(Some(3)));
    }

    #[test]
    fn the_venue_speaks_for_every_account_and_by_its_own_session() {
        let venue = RawGuard { account: AccountId(ANY), session: 5 };
        let order = record(CommandKind::PlaceOrder);
        let foreign = CommandRecord { account: 3, ..order };
        for command in [order, foreign] {
            assert_eq!(venue.next(&[command]).map(|command| command.map(<[_]>::len)), Ok(Some(1)));
        }
        let mut other = order;
        other.header.session = 6;
        assert_eq!(venue.next(&[other]), Err(RawError::ForeignSession { session: 6 }));
        assert_eq!(
            venue.next(&[record(CommandKind::Deposit)]),
            Err(RawError::KindForbidden { kind: CommandKind::Deposit as u8 })
        );
        let event = EventRecord { account: 2, ..EventRecord::new(EventKind::OrderAccepted) };
        assert_eq!(RawView::new(venue).read(&event), None, "it reads the ring of events");
    }

    #[test]
    fn commands_are_as_whole_as_they_say() {
        let mut head = record(CommandKind::PlaceList);
        head.header.record_count = 3;
        assert_eq!(GUARD.next(&[]), Ok(None));
        assert_eq!(GUARD.next(&[head, head]), Ok(None));
        for records in [0, RECORDS_MAX + 1] {
            head.header.record_count = records;
            assert_eq!(GUARD.next(&[head]), Err(RawError::RecordCountOutOfRange { records }));
        }
        head.header.schema_version = 9;
        assert_eq!(GUARD.next(&[head]), Err(RawError::UnknownSchemaVersion { version: 9 }));
    }

    #[test]
    fn the_other_side_of_a_trade_is_not_told() {
        let trade = EventRecord {
            account: 2,
            counter_account: 3,
            order_id: 10,
            counter_order_id: 11,
            open_lots: 4,
            amount: Wide::from(5),
            counter_amount: Wide::from(6),
            flags: EventFlags::TAKER_DONE.with(EventFlags::MAKER_DONE).0,
            ..EventRecord::new(EventKind::Trade)
        };
        let taker = RawView::new(GUARD).read(&trade).expect("its own trade");
        assert_eq!((taker.counter_account, taker.counter_order_id, taker.counter_amount), (ANY, 0, Wide::default()));
        assert_eq!(taker.flags, EventFlags::TAKER_DONE.0);
        let maker = RawView::new(RawGuard { account: AccountId(3), session: 1 }).read(&trade).expect("its own trade");
        assert_eq!((maker.account, maker.order_id, maker.amount, maker.open_lots), (ANY, 0, Wide::default(), 0));
        assert_eq!(maker.flags, EventFlags::MAKER_DONE.0);
        let mut stranger = RawView::new(RawGuard { account: AccountId(4), session: 1 });
        assert_eq!(stranger.read(&trade), None);
        // A text has no account: it goes with the event before it, whatever its bytes are.
        let text = EventRecord { account: 4, ..EventRecord::new(EventKind::ClientOrderIdText) };
        assert_eq!(stranger.read(&text), None);
        let own = EventRecord { account: 4, ..EventRecord::new(EventKind::OrderAccepted) };
        assert!(stranger.read(&own).is_some() && stranger.read(&text).is_some());
        let refused = EventRecord { account: 2, counter_account: 6, ..EventRecord::new(EventKind::Rejected) };
        assert_eq!(RawView::new(GUARD).read(&refused), None, "the answer to another session");
    }
}
