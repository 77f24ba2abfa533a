//! A venue that reads blotters: `buy A2 3 @11 => accepted, O1 2@10`.
//!
//! After every command an auditor that knows only the events recomputes every order, hold and balance; the engine checks its
//! invariants; a snapshot is restored and must have the same state hash; and a refused command must have changed nothing.
//!
//! Accounts are `A2`, `A3`, ... (`A0` collects fees, `A1` insures), instruments `I0` and `I1`, orders `O1`, `O2`, ... in the
//! order of acceptance, client order ids `#17` or `#text`, withdrawals `W1`. In an answer `O1 2@10` is a trade of two lots with
//! the maker O1 at 10, with ` fee T/M` when a fee is not zero; `prevented O1 2/3@10 Mode` is a prevented match that takes two
//! lots from the taker and three from the maker.

pub(crate) mod audit;
pub(crate) mod commands;
pub(crate) mod records;

use tradewright_engine::{Engine, EngineConfig, EventBuffer, Section, SectionKind};
use tradewright_types::{
    ANY, AccountId, ApprovalHashRecord, AssetId, AuctionPhase, CloseReason, CommandKind, CommandRecord, EventFlags,
    EventKind, EventRecord, InstrumentId, InstrumentState, OrderFlags, OrderId, RejectReason, SelfTradePrevention,
    Side, TextEventRecord,
};

use audit::Audit;
pub(crate) use commands::parse;

/// An engine under audit.
#[derive(Clone, Debug)]
pub(crate) struct Venue {
    pub(crate) engine: Engine,
    pub(crate) events: EventBuffer,
    audit: Audit,
    pub(crate) time_ns: u64,
    client_sequence: u64,
}

/// Clients A2 to A6, house accounts A7 and A8; assets `quote`, `base` and `coin`; instruments I0 (base) and I1 (coin), in which
/// a lot is a quantum and a tick of a lot is a quantum. No fees, no band, no limits, no money.
const SET_UP: &str = "
    asset 0 8 quote
    asset 1 8 base
    asset 2 8 coin
    list I0 base/quote base=1 quote=0
    list I1 coin/quote base=2 quote=0
    open A2 client alice
    open A3 client bob
    open A4 client carol
    open A5 client dave
    open A6 client erin
    open A7 house desk
    open A8 house treasury
";

impl Venue {
    /// A venue in which nobody has money.
    pub(crate) fn poor() -> Self {
        let mut venue = Self::empty();
        venue.check(SET_UP);
        venue
    }

    /// A venue in which A2 to A5 have a million of everything.
    pub(crate) fn new() -> Self {
        let mut venue = Self::poor();
        for account in 2..=5 {
            for asset in ["quote", "base", "coin"] {
                venue.check(&format!("deposit A{account} {asset} 1000000"));
            }
        }
        venue
    }

    /// A venue with the two accounts that every venue has.
    pub(crate) fn empty() -> Self {
        let config = EngineConfig { open_orders_expected: 16, ..EngineConfig::default() };
        Self {
            engine: Engine::new(config),
            events: EventBuffer::default(),
            audit: Audit::default(),
            time_ns: 0,
            client_sequence: 0,
        }
    }

    /// Reads a blotter: in each line a command and, behind `=>`, its answer. A command without an answer must be accepted.
    pub(crate) fn check(&mut self, blotter: &str) {
        for line in blotter.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
            let (command, answer) = match line.split_once("=>") {
                Some((command, answer)) => (command.trim(), Some(answer.trim())),
                None => (line, None),
            };
            let given = self.look(command).unwrap_or_else(|| self.send(command));
            match answer {
                Some(answer) => assert_eq!(given, answer, "answer to `{command}`"),
                None => assert_eq!(RejectReason::ALL.iter().find(|reason| reason.name() == given), None, "`{command}`"),
            }
        }
    }

    /// Sends a command and returns its answer.
    pub(crate) fn send(&mut self, command: &str) -> String {
        if let Some(time) = command.strip_prefix("at ") {
            self.time_ns = time.parse().expect("a time in nanoseconds");
        }
        let (session, command) = match command.split_once(' ') {
            Some((session, command)) if session.starts_with('S') => (session, command),
            Some(_) | None => ("S9", command),
        };
        let mut records = parse(command);
        records[0].header.time_ns = self.time_ns;
        self.sign(&mut records);
        match session.split_once(':') {
            // As its session numbered it; `S5` is numbered by the venue, across all sessions.
            Some((session, number)) => {
                records[0].header.session = commands::number(session, 'S');
                self.apply_numbered(&records, number.parse().expect("a client sequence"))
            }
            None => {
                records[0].header.session = commands::number(session, 'S');
                self.apply(&records)
            }
        }
    }

    /// Puts the hash of the order into an approval.
    fn sign(&self, records: &mut [CommandRecord]) {
        if let [first, second] = records
            && first.header.kind == CommandKind::ApproveOrder as u8
            && let Some(approval) = self.engine.order(OrderId(first.order_ref)).and_then(|view| view.approval)
        {
            *second = zerocopy::transmute!(ApprovalHashRecord::new(*approval.hash));
        }
    }

    /// Applies records as they stand and returns the answer.
    pub(crate) fn apply(&mut self, records: &[CommandRecord]) -> String {
        self.client_sequence += 1;
        self.apply_numbered(records, self.client_sequence)
    }

    fn apply_numbered(&mut self, records: &[CommandRecord], client_sequence: u64) -> String {
        let mut records = records.to_vec();
        records[0].header.client_sequence = client_sequence;
        let session = records[0].header.session;
        let before = self.engine.snapshot();
        // The state hash is taken over what changed since: now one command, now two or three.
        if self.engine.sequence() % 3 != 1 {
            let hash = self.engine.state_hash();
            assert_eq!(self.engine.checkpoint(), hash, "a checkpoint does not change the state hash");
        }
        self.events.clear();
        self.engine.apply(&records, &mut self.events);
        let events = self.events.as_slice().to_vec();
        self.check_state(&events, &before);
        let halves = OrderFlags::ALLOW_FAILURE.with(OrderFlags::CANCEL_ONLY);
        let may_part = records[0].header.kind == CommandKind::ReplaceOrder as u8 && records[0].flags & halves.0 != 0;
        for refusal in events.iter().filter(|event| event.kind == EventKind::Rejected as u8) {
            if may_part && refusal.open_lots == CommandKind::PlaceOrder as u64 {
                let half = records.iter_mut().find(|record| record.header.kind == CommandKind::PlaceOrder as u8);
                let half = half.expect("the new order's record");
                (half.header.session, half.header.client_sequence) = (session, client_sequence);
                check_refusal(half, refusal);
                continue;
            }
            check_refusal(&records[0], refusal);
            if may_part && events.len() > 1 {
                continue;
            }
            // Timers fire before the command, whatever becomes of it, and auctions tell their prices behind it.
            let told = |event: &&EventRecord| event.kind == EventKind::AuctionIndication as u8;
            let last = events.iter().rfind(|event| !told(event)).map(|event| event.k);
            assert_eq!(last, Some(refusal.k), "nothing comes of a refused command");
            if events.len() == 1 {
                let after = normalised(&self.engine.snapshot());
                assert_eq!(after, normalised(&before), "a refused command changes nothing");
            }
        }
        let answers: Vec<String> = events.iter().map(describe).collect();
        answers.join(", ")
    }

    fn check_state(&mut self, events: &[EventRecord], before: &[Section]) {
        self.audit.read(&self.engine, events);
        self.audit.compare(&self.engine);
        self.engine.check_invariants();
        let after = self.engine.snapshot();
        let restored = Engine::restore(self.engine.config(), &after).expect("a snapshot is restored");
        restored.check_invariants();
        assert_eq!(restored.state_hash(), self.engine.state_hash(), "a snapshot keeps the state hash");
        assert_eq!(restored.snapshot(), after, "a snapshot of the restored engine is the same");
        assert_ne!(before, after, "every command has its number");
    }

    /// Answers a line that only looks: `balance A2 quote`, `book I0`, `queue I0 buy`, `order O1`, `waits O1`, `orders A2`.
    fn look(&self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[0] {
            "balance" => {
                let account = AccountId(commands::number(words[1], 'A'));
                let balance = self.engine.ledger().balance(account, AssetId(commands::asset(words[2])));
                format!("{} + {}", balance.available, balance.held)
            }
            "book" => {
                let instrument = InstrumentId(commands::number(words[1], 'I'));
                let side = |side| {
                    let levels = self.engine.level_views(instrument, side);
                    levels.map(|level| format!("{}@{}", level.quantity, level.price)).collect::<Vec<_>>().join(" ")
                };
                format!("{} | {}", side(Side::Buy), side(Side::Sell)).trim().to_owned()
            }
            "queue" => {
                let instrument = InstrumentId(commands::number(words[1], 'I'));
                let side = if words[2] == "buy" { Side::Buy } else { Side::Sell };
                let queue = self.engine.queue_views(instrument, side);
                queue
                    .map(|view| format!("O{} {}@{}", view.id, view.displayed, view.price))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            "order" => match self.engine.order(OrderId(commands::number(words[1], 'O').into())) {
                None => "none".to_owned(),
                Some(view) => {
                    format!("{} of {} @{} prevented {}", view.open, view.total, view.price, view.prevented)
                }
            },
            "waits" => {
                match self.engine.order(OrderId(commands::number(words[1], 'O').into())).map(|view| view.trigger) {
                    Some(Some((_, price))) => price.to_string(),
                    _ => "no".to_owned(),
                }
            }
            "orders" => {
                let views = self.engine.open_orders(Some(AccountId(commands::number(words[1], 'A'))));
                views.iter().map(|view| format!("O{}", view.id)).collect::<Vec<_>>().join(" ")
            }
            _ => return None,
        };
        Some(answer)
    }
}

/// A refusal repeats the record that was refused.
fn check_refusal(record: &CommandRecord, event: &EventRecord) {
    assert_eq!((event.counter_account, event.counter_order_id), (record.header.session, record.header.client_sequence));
    assert_eq!((event.account, event.open_lots), (record.account, u64::from(record.header.kind)));
    let expected = if CommandKind::from_code(record.header.kind).is_some_and(CommandKind::is_order_entry) {
        (record.instrument, record.side, record.flags, record.price_ticks, record.quantity_lots, record.order_ref)
    } else {
        (tradewright_types::ANY, 0, 0, 0, 0, 0)
    };
    let given =
        (event.instrument, event.side, event.order_flags, event.price_ticks, event.quantity_lots, event.reference);
    assert_eq!(given, expected, "a refusal repeats its record");
}

/// A snapshot without what a refused command may change: sequence, time and the accounts' counters.
pub(crate) fn normalised(sections: &[Section]) -> Vec<Section> {
    let mut sections = sections.to_vec();
    for section in &mut sections {
        match section.kind {
            SectionKind::Engine => section.bytes[4..20].fill(0),
            SectionKind::Accounts => {
                let mut place = 0;
                while place < section.bytes.len() {
                    // Name, kind and three limits; then messages, orders and the window's end; then ten bytes more.
                    place += 1 + usize::from(section.bytes[place]) + 1 + 12;
                    section.bytes[place..place + 16].fill(0);
                    place += 16 + 10;
                }
            }
            SectionKind::Assets
            | SectionKind::Instruments
            | SectionKind::Fees
            | SectionKind::Balances
            | SectionKind::Withdrawals
            | SectionKind::Orders
            | SectionKind::Controls
            | SectionKind::Keys
            | SectionKind::Transfers => {}
            // Numbers are used up by what is refused.
            SectionKind::Sessions => section.bytes.clear(),
        }
    }
    sections
}

/// An event as a blotter tells it.
pub(crate) fn describe(event: &EventRecord) -> String {
    let price = event.price_ticks;
    let (quantity, amount) = (event.quantity_lots, event.amount.get());
    let close = || {
        let reason = CloseReason::ALL.iter().find(|reason| **reason as u16 == event.reason).expect("a close reason");
        let rest = if quantity == 0 { format!("unspent {amount}") } else { quantity.to_string() };
        (rest, reason.name())
    };
    match EventKind::from_code(event.kind).expect("a known event") {
        EventKind::Rejected => {
            let reason = RejectReason::from_code(event.reason).expect("a reject reason");
            let name = reason.name();
            if matches!(reason, RejectReason::ClientSequenceGap | RejectReason::ClientSequenceTooOld) {
                return format!("{name} next {amount}");
            }
            if amount == 0 { name.to_owned() } else { format!("{name} leg {amount}") }
        }
        EventKind::OrderAccepted => "accepted".to_owned(),
        EventKind::Trade => {
            let fees = (amount, event.counter_amount.get());
            let fees = if fees == (0, 0) { String::new() } else { format!(" fee {}/{}", fees.0, fees.1) };
            if EventFlags(event.flags).has(EventFlags::AUCTION) {
                return format!("O{} O{} {quantity}@{price}{fees}", event.order_id, event.counter_order_id);
            }
            format!("O{} {quantity}@{price}{fees}", event.counter_order_id)
        }
        EventKind::MatchPrevented => {
            let mode = SelfTradePrevention::from_code(event.self_trade_prevention).expect("a prevention mode");
            let moved = EventFlags(event.flags).has(EventFlags::TRANSFERRED);
            let more = match (moved, amount) {
                (true, _) => format!(" moved {amount}"),
                (false, 0) => String::new(),
                (false, _) => format!(" unspent {amount}"),
            };
            format!("prevented O{} {quantity}/{}@{price} {mode:?}{more}", event.counter_order_id, event.open_lots)
        }
        EventKind::OrderCancelled => {
            let (rest, reason) = close();
            let reason = if reason == "CancelledByOwner" { String::new() } else { format!(" {reason}") };
            format!("cancelled O{} {rest}{reason}", event.order_id)
        }
        EventKind::OrderExpired => {
            let (rest, reason) = close();
            // Of other orders than the one that the command is about, the id too; and why a trigger's check refused.
            let own =
                event.reason < CloseReason::GoodTillDate as u16 || event.reason == CloseReason::TradingStopped as u16;
            let id = if own { String::new() } else { format!("O{} ", event.order_id) };
            let why =
                RejectReason::from_code(event.open_lots as u16).map_or(String::new(), |why| format!(" {}", why.name()));
            format!("expired {id}{rest} {reason}{why}")
        }
        EventKind::OrderConditions => match event.order_type {
            0 => "conditions".to_owned(),
            _ => format!("waits for {price}"),
        },
        EventKind::OrderRepriced if price == 0 => format!("waits O{} from {}", event.order_id, event.open_lots),
        EventKind::OrderRepriced => format!("moves O{} {quantity}@{price}", event.order_id),
        EventKind::OrderDisplay if event.time_in_force != 0 => "pegged".to_owned(),
        EventKind::OrderDisplay if event.order_type == 1 => "hidden".to_owned(),
        EventKind::OrderDisplay => format!("by {quantity}"),
        EventKind::OrderRefreshed => format!("shows O{} {quantity} of {}@{price}", event.order_id, event.open_lots),
        EventKind::OrderTriggered => format!("fires O{} {quantity} at {price} by {}", event.order_id, event.open_lots),
        EventKind::OrderAmended => {
            let kept = if EventFlags(event.flags).has(EventFlags::KEPT_PRIORITY) { " kept" } else { "" };
            format!("amended O{} {quantity}@{price} open {}{kept}", event.order_id, event.open_lots)
        }
        EventKind::ClientOrderIdText => {
            let text: &TextEventRecord = zerocopy::transmute_ref!(event);
            format!("#{}", str::from_utf8(&text.bytes[..text.length as usize]).expect("ASCII"))
        }
        EventKind::Deposited => "deposited".to_owned(),
        EventKind::WithdrawalRequested => format!("W{} requested", event.reference),
        EventKind::WithdrawalConfirmed => format!("W{} confirmed", event.reference),
        EventKind::WithdrawalCancelled => format!("W{} cancelled", event.reference),
        EventKind::Transferred => "transferred".to_owned(),
        EventKind::TransferSent => format!("sent {} to Y{}", event.reference, event.order_type),
        EventKind::TransferReceived => format!("received {} from Y{}", event.reference, event.order_type),
        EventKind::TransferConfirmed => format!("arrived {} at Y{}", event.reference, event.order_type),
        EventKind::SettingApplied => "set".to_owned(),
        EventKind::ListAccepted => format!("L{} accepted", event.reference),
        EventKind::ListUpdated => match event.open_lots {
            0 => format!("starts O{} {quantity}@{price}", event.order_id),
            trigger => format!("starts O{} {quantity}@{price} waits for {trigger}", event.order_id),
        },
        EventKind::ListDone => format!("L{} done", event.reference),
        EventKind::ClientListIdText => {
            let text: &TextEventRecord = zerocopy::transmute_ref!(event);
            format!("list #{}", str::from_utf8(&text.bytes[..text.length as usize]).expect("ASCII"))
        }
        EventKind::InstrumentStateChanged => {
            let state = InstrumentState::from_code(event.order_type).expect("a state").name();
            let phase = AuctionPhase::from_code(event.time_in_force).expect("a phase");
            let phase = if phase == AuctionPhase::None { String::new() } else { format!(" {}", phase.name()) };
            let until = if event.reference == 0 { String::new() } else { format!(" until {}", event.reference) };
            format!("{state}{phase}{until}")
        }
        EventKind::AuctionIndication => format!("would trade {quantity}@{price} {amount:+}"),
        EventKind::BreakerTripped => format!("tripped {} @{price} until {}", event.order_type, event.reference),
        EventKind::MarketWideLevelReached => format!("level {} until {}", event.order_type, event.reference),
        EventKind::AuctionUncrossed => format!("uncrossed {quantity}@{price} {amount:+}"),
        EventKind::ApprovalRequired => format!("needs {}", event.order_type),
        EventKind::OrderApproved => format!("approved {} of {}", event.time_in_force, event.order_type),
        EventKind::ApprovalDeclined => format!("declined by A{}", event.counter_account),
        EventKind::OrderReleased => format!("released O{}", event.order_id),
        EventKind::QuoteAccepted => {
            let side = |id: u64, lots: u64, price: i64| {
                if id == 0 { "-".to_owned() } else { format!("O{id} {lots}@{price}") }
            };
            let bid = side(event.order_id, quantity, price);
            format!("quoted {bid} / {}", side(event.counter_order_id, event.open_lots, event.reference as i64))
        }
        EventKind::SessionOpened if event.account == ANY => {
            format!("opened S{} of operators at {}", event.counter_account, event.counter_order_id)
        }
        EventKind::SessionOpened => {
            let (session, last) = (event.counter_account, event.counter_order_id);
            format!("opened S{session} of A{} at {last}", event.account)
        }
        EventKind::CommandRepeated => {
            let reason = RejectReason::from_code(event.reason).map_or("accepted", RejectReason::name);
            let order = if event.order_id == 0 { String::new() } else { format!(" O{}", event.order_id) };
            format!("repeats {reason}{order}")
        }
        EventKind::KeyRegistered => {
            format!("key {} {} {} bytes", event.order_type, event.quantity_lots, event.open_lots)
        }
        EventKind::KeyRevoked => "revoked".to_owned(),
        EventKind::SessionNameText | EventKind::KeyIdText => {
            let text: &TextEventRecord = zerocopy::transmute_ref!(event);
            str::from_utf8(&text.bytes[..text.length as usize]).expect("ASCII").to_owned()
        }
        EventKind::QuoteProtectionTriggered => {
            format!("protected A{} by O{}: {quantity} lots {} fills", event.account, event.order_id, event.open_lots)
        }
    }
}

/// xorshift64*.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(2_685_821_657_736_338_717)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}
