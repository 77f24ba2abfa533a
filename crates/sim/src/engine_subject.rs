//! The full engine under the bench driver: every check armed, money moving, every event written and read.

use std::borrow::Cow;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{
    ANY, CommandKind, CommandRecord, EventKind, EventRecord, InstrumentId, Label, OrderType, Price,
    SelfTradePrevention, TimeInForce,
};

use crate::book::Sums;
use crate::drive::{Finish, Subject};
use crate::operation::{Operation, OperationKind};
use crate::venue;
use crate::workload::{Tape, Workload};

/// Which prevention mode the orders of a bench carry.
pub trait Prevention {
    /// The mode.
    const MODE: SelfTradePrevention;
    /// What tables call the subject.
    const NAME: &'static str;
    /// Whether the commands come by an opened session that numbers them.
    const IS_NUMBERED: bool = false;
}

/// No prevention: the answers are those of a bare book.
#[derive(Clone, Copy, Debug)]
pub struct NoPrevention;

impl Prevention for NoPrevention {
    const MODE: SelfTradePrevention = SelfTradePrevention::None;
    const NAME: &'static str = "engine";
}

/// The maker expires when a taker of the same account meets it.
#[derive(Clone, Copy, Debug)]
pub struct ExpireMaker;

impl Prevention for ExpireMaker {
    const MODE: SelfTradePrevention = SelfTradePrevention::ExpireMaker;
    const NAME: &'static str = "engine-stp";
}

/// No prevention; every command has a session and its number, as those have that come over a wire.
#[derive(Clone, Copy, Debug)]
pub struct BySession;

impl Prevention for BySession {
    const MODE: SelfTradePrevention = SelfTradePrevention::None;
    const NAME: &'static str = "engine-session";
    const IS_NUMBERED: bool = true;
}

/// The engine with one thousand (for `many`, ten thousand) funded accounts.
#[derive(Debug)]
pub struct EngineSubject<P> {
    engine: Engine,
    events: EventBuffer,
    checksum: u64,
    prevention: std::marker::PhantomData<P>,
}

/// What every command of a workload is sent by: its account, and the time between two commands.
const NS_PER_COMMAND: u64 = 100;

/// Turns the operations of a tape into command records, one for one.
#[must_use]
pub fn commands(operations: &[Operation], accounts: u64, mode: SelfTradePrevention) -> Vec<CommandRecord> {
    let time_after_set_up = venue::SET_UP_TIME_NS;
    let record = |(n, operation): (usize, &Operation)| {
        let account = venue::account_of(operation.account(accounts));
        let mut record = match operation.kind {
            OperationKind::Cancel => CommandRecord::new(CommandKind::CancelOrder),
            OperationKind::Add | OperationKind::ImmediateOrCancel => CommandRecord {
                side: operation.side as u8,
                order_type: OrderType::Limit as u8,
                time_in_force: if operation.kind == OperationKind::Add {
                    TimeInForce::GoodTillCancel as u8
                } else {
                    TimeInForce::ImmediateOrCancel as u8
                },
                self_trade_prevention: mode as u8,
                price_ticks: operation.price,
                quantity_lots: u64::from(operation.quantity),
                ..CommandRecord::new(CommandKind::PlaceOrder)
            },
        };
        record.account = account.0;
        record.instrument = u32::from(operation.instrument);
        // Of a new order the client order id, of a cancel the engine's: the workloads number their orders as the engine does.
        record.order_ref = operation.id;
        record.header.time_ns = time_after_set_up + (n as u64 + 1) * NS_PER_COMMAND;
        record
    };
    operations.iter().enumerate().map(record).collect()
}

impl<P: Prevention> EngineSubject<P> {
    /// Reads every event: its numbers into the checksum, its trades into the sums.
    #[inline]
    fn read_events(&mut self, sums: &mut Sums) {
        for event in self.events.as_slice() {
            self.checksum = self.checksum.rotate_left(1) ^ words_of(event);
            if event.kind == EventKind::Trade as u8 {
                sums.fills += 1;
                sums.filled_quantity += event.quantity_lots;
                sums.notional += u128::from((event.price_ticks as u64).wrapping_mul(event.quantity_lots));
            }
        }
        self.events.clear();
    }
}

/// What a reader needs of every event to follow the venue: which event of which command, about which order, how much.
#[inline(always)]
fn words_of(event: &EventRecord) -> u64 {
    event.sequence ^ u64::from(event.k) ^ event.order_id ^ event.quantity_lots ^ event.reference
}

impl<P: Prevention> Subject for EngineSubject<P> {
    type Prepared = CommandRecord;

    fn name() -> &'static str {
        P::NAME
    }

    fn fresh(tape: &Tape) -> Self {
        let mut events = EventBuffer::with_capacity(1 << 12);
        let config = EngineConfig { open_orders_expected: tape.shape.resting, ..EngineConfig::default() };
        let mut engine = Engine::new(config);
        let scale = if tape.workload == Workload::Fine { 100 } else { 1 };
        let set_up =
            venue::bench_set_up(tape.shape.instruments, tape.workload.accounts(), Price::from_ticks(100_000 * scale));
        engine.apply_all(&set_up, &mut events);
        if P::IS_NUMBERED {
            let name = Label::new(b"bench").expect("Invariant: it is one word of ASCII");
            let mut first = CommandRecord { account: ANY, ..CommandRecord::new(CommandKind::OpenSession) };
            (first.header.record_count, first.header.time_ns) = (2, venue::SET_UP_TIME_NS);
            engine.apply(&[first, CommandRecord::label(&name)], &mut events);
        }
        let refused = events.as_slice().iter().find(|event| event.kind == EventKind::Rejected as u8);
        assert_eq!(refused, None, "Invariant: the set-up of the bench is accepted");
        events.clear();
        Self { engine, events, checksum: 0, prevention: std::marker::PhantomData }
    }

    fn prepare(tape: &Tape) -> Cow<'_, [CommandRecord]> {
        let mut commands = commands(tape.records(), tape.workload.accounts(), P::MODE);
        if P::IS_NUMBERED {
            for (record, number) in commands.iter_mut().zip(1..) {
                (record.header.session, record.header.client_sequence) = (1, number);
            }
        }
        Cow::Owned(commands)
    }

    #[inline]
    fn apply(&mut self, batch: &[CommandRecord], sums: &mut Sums) {
        self.engine.apply_all(batch, &mut self.events);
        self.read_events(sums);
    }

    fn finish(&self) -> Finish {
        std::hint::black_box(self.checksum);
        let first = InstrumentId(0);
        let best = |side| self.engine.best(first, side).map(Price::ticks);
        let instruments = 0..self.engine.instrument_count() as u32;
        let levels = instruments.map(|instrument| self.engine.level_counts(InstrumentId(instrument)));
        Finish {
            best_bid: best(tradewright_types::Side::Buy),
            best_ask: best(tradewright_types::Side::Sell),
            live: self.engine.open_order_count(),
            levels: levels.map(|(bids, asks)| bids + asks).sum(),
            memory_bytes: self.engine.memory_bytes(),
        }
    }
}
