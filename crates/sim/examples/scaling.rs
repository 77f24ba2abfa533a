//! Prints what a rule costs an order at full size and at a hundredth of it: a cascade of stops, sweeps of a shared price,
//! icebergs that show their next peaks, a new best price that following pegs follow, an auction, and a mass quote that moves
//! both sides of so many instruments; and what an indication costs a command.
//!
//! `cargo run --release -p tradewright-sim --example scaling -- [ROUNDS]`
//!
//! Each figure is the time of one command, divided by the orders that it moves: the median of the rounds, on copies of the same
//! engine. Both sizes move as many orders in a round and write as many events, one behind the other: so both find as little of them
//! in the caches, and what is compared is the rule and not the memory.

use std::process::ExitCode;
use std::time::Instant;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_sim::venue;
use tradewright_types::{
    AllocationRule, AuctionPhase, CommandHeader, CommandKind, CommandRecord, Conditions, ConditionsRecord, EventKind,
    Iceberg, InstrumentId, InstrumentState, OrderFlags, OrderType, Peg, PegKind, Price, PriceSource, Quantity,
    QuoteEntry, QuoteEntryRecord, SettingRecord, Side, TimeInForce, Trigger, TriggerKind,
};
use zerocopy::transmute;

const ACCOUNTS: u64 = 100;
/// Highest price; the cascade runs down from it, a tick a stop.
const TOP: i64 = 1_000_000;

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(21);
    println!("{:<28} {:>9} {:>12} {:>9} {:>12} {:>7}", "rule", "orders", "ns/order", "orders", "ns/order", "ratio");
    show("stop cascade", 100_000, rounds, cascade);
    show("pro-rata sweep", 1_000, rounds, |orders| shared(orders, AllocationRule::ProRata, 0));
    show("time-pro-rata sweep, weight 3", 1_000, rounds, |orders| shared(orders, AllocationRule::TimeProRata, 3));
    show("iceberg refresh", 100_000, rounds, icebergs);
    show("best price under pegs", 1_000, rounds, pegs);
    show("auction", 100_000, rounds, auction);
    show_quotes(100, rounds);
    show_indications(rounds);
    ExitCode::SUCCESS
}

/// Measures a rule at `full` orders and at a hundredth.
fn show(name: &str, full: u64, rounds: usize, rule: impl Fn(u64) -> (Engine, CommandRecord)) {
    let moved = full.max(10_000);
    let (small, large) = (measure(full / 100, moved, rounds, &rule), measure(full, moved, rounds, &rule));
    println!("{name:<28} {:>9} {small:>12.1} {full:>9} {large:>12.1} {:>7.2}", full / 100, large / small);
}

/// Nanoseconds an order of the command that the rule ends with, over as many copies as move so many orders.
fn measure(orders: u64, moved: u64, rounds: usize, rule: &impl Fn(u64) -> (Engine, CommandRecord)) -> f64 {
    let (engine, command) = rule(orders);
    let copies = (moved / orders).max(1) as usize;
    let mut buffer = EventBuffer::with_capacity(moved as usize * 8 + 64 * copies);
    let mut figures: Vec<f64> = (0..rounds)
        .map(|_| {
            let mut engines = vec![engine.clone(); copies];
            buffer.clear();
            let begin = Instant::now();
            for engine in &mut engines {
                engine.apply(&[command], &mut buffer);
            }
            let elapsed = begin.elapsed().as_nanos() as f64 / (copies as u64 * orders) as f64;
            let moves = [EventKind::Trade as u8, EventKind::OrderRepriced as u8];
            let moved = buffer.as_slice().iter().filter(|event| moves.contains(&event.kind)).count();
            let wanted = copies as u64 * orders / 2;
            assert!(moved as u64 >= wanted, "Invariant: the command moves its orders, {moved} of {wanted}");
            elapsed
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn limit(account: u64, side: Side, time_in_force: TimeInForce, price: i64, lots: u64) -> CommandRecord {
    CommandRecord {
        account: venue::account_of(account % ACCOUNTS).0,
        side: side as u8,
        order_type: OrderType::Limit as u8,
        time_in_force: time_in_force as u8,
        price_ticks: price,
        quantity_lots: lots,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    }
}

/// An engine after `commands`, all of which it accepts.
fn engine_after(commands: &[CommandRecord]) -> Engine {
    engine_of(1, commands)
}

/// The same with so many instruments.
fn engine_of(instruments: u64, commands: &[CommandRecord]) -> Engine {
    let mut events = EventBuffer::default();
    let mut engine = Engine::new(EngineConfig { open_orders_expected: commands.len(), ..EngineConfig::default() });
    engine.apply_all(&venue::bench_set_up(instruments as usize, ACCOUNTS, Price::from_ticks(TOP)), &mut events);
    let commands: Vec<_> = commands
        .iter()
        .map(|record| {
            let mut record = *record;
            if record.header.kind < CommandKind::Text as u8 {
                record.header.time_ns = venue::SET_UP_TIME_NS;
            }
            record
        })
        .collect();
    engine.apply_all(&commands, &mut events);
    let refused = events.as_slice().iter().find(|event| event.kind == EventKind::Rejected as u8);
    assert_eq!(refused, None, "Invariant: the state of the bench is accepted");
    engine.check_invariants();
    engine
}

/// A bid of a lot at each price, and a stop below each that sells a lot: the first trade lets all of them fire, one by the other.
fn cascade(orders: u64) -> (Engine, CommandRecord) {
    let mut commands = Vec::new();
    for place in 0..=orders {
        commands.push(limit(place, Side::Buy, TimeInForce::GoodTillCancel, TOP - place as i64, 1));
    }
    commands.push(limit(1, Side::Sell, TimeInForce::GoodTillCancel, TOP + 1, 1));
    commands.push(limit(2, Side::Buy, TimeInForce::ImmediateOrCancel, TOP + 1, 1));
    for place in 0..orders {
        let price = Some(Price::from_ticks(TOP - place as i64));
        let trigger = Trigger { kind: TriggerKind::StopLoss, source: PriceSource::Last, price, trail: None };
        let conditions = Conditions { trigger: Some(trigger), ..Conditions::default() };
        let mut stop = limit(place + 7, Side::Sell, TimeInForce::ImmediateOrCancel, 100_000, 1);
        stop.flags = OrderFlags::CONDITIONS.0;
        stop.header.record_count = 2;
        commands.extend([stop, transmute!(ConditionsRecord::new(&conditions))]);
    }
    let mut first = limit(3, Side::Sell, TimeInForce::ImmediateOrCancel, TOP, 1);
    first.header.time_ns = venue::SET_UP_TIME_NS;
    (engine_after(&commands), first)
}

/// So many icebergs of two peaks at one price, and a bid that takes them all: each shows itself twice.
fn icebergs(orders: u64) -> (Engine, CommandRecord) {
    let iceberg = Iceberg { peak: Quantity::from_lots(1), range: Quantity::ZERO, seed: 0 };
    let conditions = Conditions { iceberg: Some(iceberg), ..Conditions::default() };
    let mut commands = Vec::new();
    for place in 0..orders {
        let mut ask = limit(place, Side::Sell, TimeInForce::GoodTillCancel, TOP, 2);
        ask.flags = OrderFlags::CONDITIONS.0;
        ask.header.record_count = 2;
        commands.extend([ask, transmute!(ConditionsRecord::new(&conditions))]);
    }
    let mut taker = limit(5, Side::Buy, TimeInForce::ImmediateOrCancel, TOP, 2 * orders);
    taker.header.time_ns = venue::SET_UP_TIME_NS;
    (engine_after(&commands), taker)
}

/// So many bids that follow the best bid, and a better one: all of them move.
fn pegs(orders: u64) -> (Engine, CommandRecord) {
    let peg = Peg { kind: PegKind::Primary, is_fixed: false, offset: 0 };
    let conditions = Conditions { peg: Some(peg), ..Conditions::default() };
    let mut commands = vec![limit(1, Side::Buy, TimeInForce::GoodTillCancel, TOP - 10, 1)];
    for place in 0..orders {
        let mut bid = limit(place, Side::Buy, TimeInForce::GoodTillCancel, TOP, 1);
        bid.flags = OrderFlags::CONDITIONS.0;
        bid.header.record_count = 2;
        commands.extend([bid, transmute!(ConditionsRecord::new(&conditions))]);
    }
    let mut better = limit(5, Side::Buy, TimeInForce::GoodTillCancel, TOP - 9, 1);
    better.header.time_ns = venue::SET_UP_TIME_NS;
    (engine_after(&commands), better)
}

/// So many orders in a call, half of them bids, at a thousand prices of which three quarters meet, and the command that ends it.
fn auction(orders: u64) -> (Engine, CommandRecord) {
    let state = |state: InstrumentState, phase: AuctionPhase| SettingRecord {
        header: CommandHeader { time_ns: venue::SET_UP_TIME_NS, ..CommandHeader::new(CommandKind::SetInstrumentState) },
        account: 0,
        instrument: 0,
        scope: state as u8,
        tier: phase as u8,
        fee_schedule: 0,
        reserved: 0,
        values: [0; 3],
    };
    let mut commands: Vec<CommandRecord> = vec![transmute!(state(InstrumentState::Auction, AuctionPhase::Opening))];
    for place in 0..orders {
        let side = if place % 2 == 0 { Side::Buy } else { Side::Sell };
        let above = (place * 7_919 % 1_000) as i64 - 250;
        let price = TOP + if side == Side::Buy { above } else { -above };
        commands.push(limit(place, side, TimeInForce::GoodTillCancel, price, 1 + place / 2 * 31 % 50));
    }
    (engine_after(&commands), transmute!(state(InstrumentState::Continuous, AuctionPhase::None)))
}

/// Prints what an entry of a mass quote costs that moves both sides, of `full` instruments and of one, by an account that quotes
/// them all among the orders of others.
fn show_quotes(full: u64, rounds: usize) {
    let quote = |instruments: u64, away: i64| {
        let mut head = CommandRecord { account: venue::account_of(7).0, ..CommandRecord::new(CommandKind::MassQuote) };
        head.header.record_count = instruments as u16 + 1;
        head.header.time_ns = venue::SET_UP_TIME_NS;
        let side = |price: i64| (Price::from_ticks(price), Quantity::from_lots(5));
        let entry = |id: u64| -> CommandRecord {
            let (bid, ask) = (side(TOP - away), side(TOP + away));
            transmute!(QuoteEntryRecord::new(&QuoteEntry { instrument: InstrumentId(id as u32), bid, ask }))
        };
        std::iter::once(head).chain((0..instruments).map(entry)).collect::<Vec<_>>()
    };
    let mut commands = Vec::new();
    for place in 0..full * 20 {
        let side = if place % 2 == 0 { Side::Buy } else { Side::Sell };
        let away = 1 + (place / full) as i64 / 2 % 5;
        let price = if side == Side::Buy { TOP - away } else { TOP + away };
        let instrument = (place / 20) as u32;
        commands.push(CommandRecord { instrument, ..limit(place, side, TimeInForce::GoodTillCancel, price, 10) });
    }
    commands.extend(quote(full, 3));
    let engine = engine_of(full, &commands);
    let cost = |instruments: u64| {
        let (mut engine, mut buffer) = (engine.clone(), EventBuffer::with_capacity(full as usize * 8));
        let commands = [quote(instruments, 2), quote(instruments, 3)];
        let times = 1 + 200 / instruments;
        let mut figures: Vec<f64> = (0..rounds)
            .map(|_| {
                let begin = Instant::now();
                for command in commands.iter().cycle().take(2 * times as usize) {
                    buffer.clear();
                    engine.apply(command, &mut buffer);
                    assert_eq!(buffer.as_slice().len() as u64, 5 * instruments, "Invariant: both sides move");
                }
                begin.elapsed().as_nanos() as f64 / (2 * times * instruments) as f64
            })
            .collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let (small, large) = (cost(1), cost(full));
    println!("{:<28} {:>9} {small:>12.1} {full:>9} {large:>12.1} {:>7.2}", "mass quote", 1, large / small);
}

/// Prints what a command costs that changes the price of an auction, and one that does not, in a call of many orders.
fn show_indications(rounds: usize) {
    for orders in [1_000, 100_000] {
        let (engine, _) = auction(orders);
        let cost = |price: i64| {
            let mut buffer = EventBuffer::with_capacity(64);
            let mut engine = engine.clone();
            let mut figures: Vec<f64> = (0..rounds * 10)
                .map(|place| {
                    let mut order = limit(place as u64, Side::Buy, TimeInForce::GoodTillCancel, price, 1);
                    order.header.time_ns = venue::SET_UP_TIME_NS;
                    buffer.clear();
                    let begin = Instant::now();
                    engine.apply(&[order], &mut buffer);
                    begin.elapsed().as_nanos() as f64
                })
                .collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let (near, far) = (cost(TOP + 700), cost(TOP - 5_000));
        println!(
            "indication in a call of {orders:>6}: {near:>9.0} ns a command that changes it, {far:>7.0} ns another"
        );
    }
}

/// So many asks at one price that is shared, and a bid for half of what stands there.
fn shared(orders: u64, rule: AllocationRule, weight: u8) -> (Engine, CommandRecord) {
    let setting = SettingRecord {
        header: CommandHeader::new(CommandKind::SetAllocation),
        account: 0,
        instrument: 0,
        scope: rule as u8,
        tier: weight,
        fee_schedule: 0,
        reserved: 0,
        values: [0; 3],
    };
    let mut commands: Vec<CommandRecord> = vec![transmute!(setting)];
    let lots = |place: u64| 1_000 + place * 7_919 % 1_000;
    for place in 0..orders {
        commands.push(limit(place, Side::Sell, TimeInForce::GoodTillCancel, TOP, lots(place)));
    }
    let half = (0..orders).map(lots).sum::<u64>() / 2;
    let mut taker = limit(5, Side::Buy, TimeInForce::ImmediateOrCancel, TOP, half);
    taker.header.time_ns = venue::SET_UP_TIME_NS;
    (engine_after(&commands), taker)
}
