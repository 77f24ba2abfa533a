//! Market orders by amount, where prices, units and increments are at their edges.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{
    Amount, CommandHeader, CommandKind, CommandRecord, EventKind, EventRecord, InstrumentLimitsRecord,
    InstrumentUnitsRecord, MoneyRecord, Name, NamedRecord, OrderFlags, OrderType, RejectReason, SCHEMA_VERSION,
    SelfTradePrevention, SettingRecord, Side, TimeInForce, Wide,
};
use zerocopy::transmute;

const BASE: u32 = 0;
const QUOTE: u32 = 1;
const BUYER: u32 = 2;
const SELLER: u32 = 3;

/// A venue with one instrument, on which a lot at a tick is a quantum, and two clients.
struct Venue(Engine);

impl Venue {
    fn new() -> Self {
        let mut venue = Self(Engine::new(EngineConfig::default()));
        venue.apply(&[named(CommandKind::AddAsset, BASE, 0, "BASE")]);
        venue.apply(&[named(CommandKind::AddAsset, QUOTE, 0, "QUOTE")]);
        let units = InstrumentUnitsRecord {
            kind: CommandKind::InstrumentUnits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 6],
            base: BASE,
            quote: QUOTE,
            quote_quanta_per_tick_lot: 1,
            base_quanta_per_lot: 1,
            reserved_values: [0; 4],
        };
        let mut first = named(CommandKind::ListInstrument, 0, 1, "BASE/QUOTE");
        first.header.record_count = 3;
        venue.apply(&[first, transmute!(units), limits(1)]);
        venue.apply(&[named(CommandKind::OpenAccount, BUYER, 1, "buyer")]);
        venue.apply(&[named(CommandKind::OpenAccount, SELLER, 1, "seller")]);
        venue
    }

    fn apply(&mut self, records: &[CommandRecord]) -> Vec<EventRecord> {
        let mut events = EventBuffer::with_capacity(16);
        self.0.apply(records, &mut events);
        self.0.check_invariants();
        events.as_slice().to_vec()
    }

    /// Applies a command that must not be refused.
    fn pass(&mut self, records: &[CommandRecord]) -> Vec<EventRecord> {
        let events = self.apply(records);
        assert!(events.iter().all(|event| event.kind != EventKind::Rejected as u8), "{events:?}");
        events
    }

    fn deposit(&mut self, account: u32, asset: u32, quanta: i128) {
        let header = CommandHeader::new(CommandKind::Deposit);
        let amount = Wide::from(Amount::from_quanta(quanta));
        let (counter_account, transfer_kind, reserved, withdrawal) = (0, 0, [0; 3], 0);
        let record =
            MoneyRecord { header, account, asset, counter_account, transfer_kind, reserved, amount, withdrawal };
        self.pass(&[transmute!(record)]);
    }

    fn set(&mut self, kind: CommandKind, values: [u64; 3]) {
        let header = CommandHeader::new(kind);
        let (account, instrument, scope, tier, fee_schedule, reserved) = (0, 0, 0, 0, 0, 0);
        let record = SettingRecord { header, account, instrument, scope, tier, fee_schedule, reserved, values };
        self.pass(&[transmute!(record)]);
    }

    fn limits(&mut self, quantity_increment_lots: u64) {
        let mut first = CommandRecord::new(CommandKind::SetInstrumentLimits);
        first.header.record_count = 2;
        self.pass(&[first, limits(quantity_increment_lots)]);
    }

    fn limit(&mut self, account: u32, side: Side, quantity_lots: u64, price_ticks: i64) {
        let mut record = order(account, side, OrderType::Limit, TimeInForce::GoodTillCancel);
        (record.quantity_lots, record.price_ticks) = (quantity_lots, price_ticks);
        self.pass(&[record]);
    }

    fn by_amount(&mut self, account: u32, side: Side, quanta: i128) -> Vec<EventRecord> {
        let mut record = order(account, side, OrderType::Market, TimeInForce::ImmediateOrCancel);
        record.flags = OrderFlags::QUOTE_AMOUNT.0;
        record.set_quote_amount(Amount::from_quanta(quanta));
        self.apply(&[record])
    }
}

fn order(account: u32, side: Side, order_type: OrderType, time_in_force: TimeInForce) -> CommandRecord {
    CommandRecord {
        account,
        side: side as u8,
        order_type: order_type as u8,
        time_in_force: time_in_force as u8,
        self_trade_prevention: SelfTradePrevention::None as u8,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    }
}

fn named(kind: CommandKind, id: u32, attribute: u8, name: &str) -> CommandRecord {
    let mut field = [0; Name::LENGTH_MAX];
    field[..name.len()].copy_from_slice(name.as_bytes());
    let (header, name_length) = (CommandHeader::new(kind), name.len() as u8);
    transmute!(NamedRecord { header, id, attribute, name_length, fee_schedule: 0, name: field })
}

fn limits(quantity_increment_lots: u64) -> CommandRecord {
    transmute!(InstrumentLimitsRecord {
        kind: CommandKind::InstrumentLimits as u8,
        schema_version: SCHEMA_VERSION,
        reserved: [0; 2],
        price_increment_ticks: 1,
        band_down_ppm: 1_000_000,
        band_up_ppm: 1_000_000,
        quantity_increment_lots,
        quantity_min_lots: quantity_increment_lots,
        quantity_max_lots: 1 << 40,
        notional_min_quanta: 0,
        notional_max: Wide::from(Amount::from_quanta(1 << 119)),
    })
}

fn kinds(events: &[EventRecord]) -> Vec<EventKind> {
    events.iter().map(|event| EventKind::from_code(event.kind).expect("a known kind")).collect()
}

#[test]
fn an_ask_by_amount_may_be_for_more_lots_than_64_bits_count() {
    for lots in [1 << 61, 1 << 62, 1 << 64, 1 << 100] {
        let mut venue = Venue::new();
        venue.set(CommandKind::SetReferencePrice, [1, 0, 0]);
        venue.deposit(SELLER, BASE, lots - 1);
        let refused = venue.by_amount(SELLER, Side::Sell, lots);
        assert_eq!(refused[0].reason, RejectReason::InsufficientFunds as u16, "{lots} lots");
        venue.deposit(SELLER, BASE, 1);
        venue.deposit(BUYER, QUOTE, 7);
        venue.limit(BUYER, Side::Buy, 7, 1);
        let events = venue.by_amount(SELLER, Side::Sell, lots);
        assert_eq!(
            kinds(&events),
            [EventKind::OrderAccepted, EventKind::Trade, EventKind::OrderExpired],
            "{lots} lots"
        );
        assert_eq!(Amount::from(events[2].amount).quanta(), lots - 7);
    }
}

#[test]
fn a_bid_by_amount_may_reach_the_highest_position_limit() {
    for (lots, kind) in
        [((1 << 62) + 1, EventKind::Rejected), (1 << 62, EventKind::OrderAccepted), (1 << 64, EventKind::Rejected)]
    {
        let mut venue = Venue::new();
        venue.set(CommandKind::SetReferencePrice, [1, 0, 0]);
        venue.deposit(SELLER, BASE, 7);
        venue.deposit(BUYER, QUOTE, lots);
        venue.limit(SELLER, Side::Sell, 7, 1);
        let events = venue.by_amount(BUYER, Side::Buy, lots);
        assert_eq!(kinds(&events)[0], kind, "{lots} lots");
    }
}

#[test]
fn an_amount_is_rounded_to_the_increment_before_the_offer_bounds_it() {
    // The offer of 10 lots came in before the increment was 3: the amount pays for 11, which is 9 in whole increments, or for
    // 12, of which 10 are there.
    for (side, maker, taker) in [(Side::Buy, SELLER, BUYER), (Side::Sell, BUYER, SELLER)] {
        for (amount, lots) in [(1_199, 9), (1_200, 10), (300, 3), (299, 0)] {
            let mut venue = Venue::new();
            venue.set(CommandKind::SetReferencePrice, [100, 0, 0]);
            venue.deposit(SELLER, BASE, 2_000);
            venue.deposit(BUYER, QUOTE, 2_000);
            venue.limit(maker, side.opposite(), 10, 100);
            venue.limits(3);
            let events = venue.by_amount(taker, side, amount);
            let traded: u64 = events
                .iter()
                .filter(|event| event.kind == EventKind::Trade as u8)
                .map(|event| event.quantity_lots)
                .sum();
            assert_eq!(traded, lots, "{side:?} for {amount}");
        }
    }
}

#[test]
fn an_increment_may_be_worth_more_than_any_amount() {
    let mut venue = Venue::new();
    venue.set(CommandKind::SetReferencePrice, [1 << 61, 0, 0]);
    venue.deposit(SELLER, BASE, 10);
    venue.deposit(BUYER, QUOTE, 1 << 100);
    venue.limit(SELLER, Side::Sell, 10, 1 << 61);
    venue.limits(1 << 40);
    let events = venue.by_amount(BUYER, Side::Buy, 1 << 100);
    assert_eq!(kinds(&events), [EventKind::OrderAccepted, EventKind::OrderExpired]);
}

#[test]
fn a_takers_rebate_pays_for_lots_too() {
    // Ten lots cost 1000 less a rebate of 100, and the maker a fee of 200.
    let mut venue = Venue::new();
    venue.set(CommandKind::SetFeeTier, [-100_000_i64 as u64, 200_000, 0]);
    venue.set(CommandKind::SetReferencePrice, [100, 0, 0]);
    venue.deposit(SELLER, BASE, 10);
    venue.deposit(BUYER, QUOTE, 900);
    venue.limit(SELLER, Side::Sell, 10, 100);
    let events = venue.by_amount(BUYER, Side::Buy, 900);
    assert_eq!(kinds(&events), [EventKind::OrderAccepted, EventKind::Trade]);
    assert_eq!((events[1].quantity_lots, Amount::from(events[1].amount).quanta()), (10, -100));
}
