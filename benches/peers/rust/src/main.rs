//! Drives an engine from crates.io over a file of operations: `tradewright-peers ENGINE FILE`.

use std::sync::{Arc, Mutex};

/// One operation, as it stands in the file.
#[derive(Clone, Copy)]
struct Operation {
    kind: u8,
    side: u8,
    quantity: u32,
    price: i64,
    id: u64,
}

const CANCEL: u8 = 1;
const IMMEDIATE: u8 = 2;
const BUY: u8 = 0;
const PREFILL: usize = 5_000;
/// What counts is the last of so many.
const TIMED: usize = 1_000_000;

/// What an engine reports.
#[derive(Clone, Copy, Default)]
struct Sums {
    fills: u64,
    quantity: u64,
    notional: u64,
}

impl Sums {
    fn fill(&mut self, price: u64, quantity: u64) {
        self.fills += 1;
        self.quantity += quantity;
        self.notional += price * quantity;
    }
}

fn load(path: &str) -> Vec<Operation> {
    let bytes = std::fs::read(path).expect("the file of operations");
    let operations = bytes.chunks_exact(24).map(|bytes| Operation {
        kind: bytes[0],
        side: bytes[1],
        quantity: u32::from_le_bytes(bytes[4..8].try_into().expect("4 bytes")),
        price: i64::from_le_bytes(bytes[8..16].try_into().expect("8 bytes")),
        id: u64::from_le_bytes(bytes[16..24].try_into().expect("8 bytes")),
    });
    operations.collect()
}

fn cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid, and the clock's id is a constant of the platform.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Runs an engine, takes the time, and prints the line.
fn drive(name: &str, operations: &[Operation], mut apply: impl FnMut(usize, &Operation, &mut Sums)) {
    let mut sums = Sums::default();
    let timed_from = operations.len().saturating_sub(TIMED).max(PREFILL);
    let mut before = 0;
    for (place, operation) in operations.iter().enumerate() {
        if place == timed_from {
            before = cpu_ns();
        }
        apply(place, operation, &mut sums);
        if place + 1 == PREFILL {
            sums = Sums::default();
        }
    }
    let ns = (cpu_ns() - before) as f64 / (operations.len() - timed_from) as f64;
    println!("{name} {ns:.1} {} {} {}", sums.fills, sums.quantity, sums.notional);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let operations = load(&arguments[2]);
    match arguments[1].as_str() {
        "matchcore" => matchcore(&operations),
        "orderbook-rs" => orderbook_rs(&operations),
        "lobster" => lobster(&operations),
        "rust_ob" => rust_ob(&operations),
        other => panic!("{other} is no engine of this program"),
    }
}

fn matchcore(operations: &[Operation]) {
    use matchcore::*;
    let mut number_of = vec![0; operations.len() + 1];
    let command = |(number, operation): (usize, &Operation)| {
        let kind = if operation.kind == CANCEL {
            let order_id = OrderId(number_of[operation.id as usize]);
            CommandKind::Cancel(CancelCmd { order_id, order_kind: OrderKind::Limit })
        } else {
            number_of[operation.id as usize] = number as u64;
            let side = if operation.side == BUY { Side::Buy } else { Side::Sell };
            let time_in_force = if operation.kind == IMMEDIATE { TimeInForce::Ioc } else { TimeInForce::Gtc };
            let quantity = QuantityPolicy::Standard { quantity: Quantity(operation.quantity.into()) };
            let flags = OrderFlags::new(side, false, time_in_force);
            CommandKind::Submit(SubmitCmd {
                order: NewOrder::Limit(LimitOrder::new(Price(operation.price as u64), quantity, flags)),
            })
        };
        let meta =
            CommandMeta { sequence_number: SequenceNumber(number as u64), timestamp: Timestamp(number as u64) };
        Command { meta, kind }
    };
    let commands: Vec<Command> = operations.iter().enumerate().map(command).collect();
    let mut book = OrderBook::new("X");
    drive("matchcore", operations, |place, _, sums| match book.execute(&commands[place]) {
        CommandOutcome::Applied(CommandReport::Submit(effects)) => {
            if let Some(result) = effects.target_order().match_result() {
                for trade in result.trades() {
                    sums.fill(trade.price().0, trade.quantity().0);
                }
            }
        }
        CommandOutcome::Applied(_) => {}
        CommandOutcome::Rejected(reason) => panic!("{reason}"),
    });
}

fn orderbook_rs(operations: &[Operation]) {
    use orderbook_rs::{Id, OrderBook, Side, TimeInForce};
    let heard = Arc::new(Mutex::new(Sums::default()));
    let listener = Arc::clone(&heard);
    let mut book: OrderBook<()> = OrderBook::new("X");
    book.set_trade_listener(Arc::new(move |trade| {
        let mut sums = listener.lock().expect("one thread");
        for trade in trade.match_result.trades().as_vec() {
            sums.fill(trade.price().as_u128() as u64, trade.quantity().as_u64());
        }
    }));
    drive("orderbook-rs", operations, |_, operation, sums| {
        let id = Id::from_u64(operation.id);
        if operation.kind == CANCEL {
            book.cancel_order(id).expect("an order that rests");
            return;
        }
        let side = if operation.side == BUY { Side::Buy } else { Side::Sell };
        let is_immediate = operation.kind == IMMEDIATE;
        let time_in_force = if is_immediate { TimeInForce::Ioc } else { TimeInForce::Gtc };
        let (price, quantity) = (operation.price as u128, operation.quantity.into());
        let placed = book.add_limit_order(id, price, quantity, side, time_in_force, None);
        if !is_immediate {
            placed.expect("an order that rests");
        }
        *sums = *heard.lock().expect("one thread");
    });
}

fn lobster(operations: &[Operation]) {
    use lobster::{OrderBook, OrderEvent, OrderType, Side};
    let mut book = OrderBook::new(20_000, 64, false);
    drive("lobster", operations, |_, operation, sums| {
        let id = operation.id.into();
        if operation.kind == CANCEL {
            book.execute(OrderType::Cancel { id });
            return;
        }
        let side = if operation.side == BUY { Side::Bid } else { Side::Ask };
        let (qty, price) = (operation.quantity.into(), operation.price as u64);
        let (fills, rests) = match book.execute(OrderType::Limit { id, side, qty, price }) {
            OrderEvent::Filled { fills, .. } => (fills, false),
            OrderEvent::PartiallyFilled { fills, .. } => (fills, true),
            _ => (Vec::new(), true),
        };
        for fill in fills {
            sums.fill(fill.price, fill.qty);
        }
        // It has no order that is immediate or cancelled.
        if operation.kind == IMMEDIATE && rests {
            book.execute(OrderType::Cancel { id });
        }
    });
}

fn rust_ob(operations: &[Operation]) {
    use rust_decimal::prelude::{Decimal, ToPrimitive};
    use rust_ob::{OrderBook, Side};
    let mut book: OrderBook<u64> = OrderBook::new();
    drive("rust_ob", operations, |_, operation, sums| {
        let id = operation.id;
        if operation.kind == CANCEL {
            book.cancel_order(id).expect("an order that rests");
            return;
        }
        let side = if operation.side == BUY { Side::Buy } else { Side::Sell };
        let (price, quantity) = (Decimal::from(operation.price), Decimal::from(operation.quantity));
        let matches = book.process_limit_order(id, side, price, quantity).expect("a legal order");
        let mut filled = 0;
        for part in matches.iter().filter(|part| part.order != id) {
            let quantity = part.quantity.to_u64().expect("a whole number");
            filled += quantity;
            sums.fills += 1;
            sums.quantity += quantity;
            sums.notional += part.cost.abs().to_u64().expect("a whole number");
        }
        if operation.kind == IMMEDIATE && filled < operation.quantity.into() {
            // It has no order that is immediate or cancelled; one that found nobody may not be there.
            let _ = book.cancel_order(id);
        }
    });
}
