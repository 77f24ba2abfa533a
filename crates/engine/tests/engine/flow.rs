//! A seeded stream of random commands that meet each other: three accounts of a group and two outside of it, few prices, few
//! lots, every command, every prevention mode, text and numeric ids, and a third of nonsense.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::CommandRecord;

use crate::common::{Random, parse};

const SET_UP: &[&str] = &[
    "asset 0 2 quote",
    "asset 1 2 base",
    "asset 2 2 coin",
    "list I0 base/quote base=1 quote=0 tick_lot=3 base_lot=7",
    "list I1 coin/quote base=2 quote=0 lot=2 min=2",
    "open A2 client alice",
    "open A3 client bob",
    "open A4 client carol",
    "open A5 house desk",
    "open A6 house treasury",
    "fee S0 T0 100000 30000",
    "fee S0 T1 70000 -50000",
    "group A2 7",
    "group A3 7",
    "group A5 7",
    "tier A3 1",
];

/// How many commands the set-up has: its lines and the deposits.
pub(crate) const SET_UP_LENGTH: usize = SET_UP.len() + 5 * 3;

/// The set-up, then `count` random commands. Time rises by up to a tenth of a second a command.
pub(crate) fn commands(seed: u64, count: usize) -> Vec<Vec<CommandRecord>> {
    let mut random = Random(seed);
    let mut lines: Vec<String> = SET_UP.iter().map(|line| (*line).to_owned()).collect();
    for account in 2..=6 {
        for asset in ["quote", "base", "coin"] {
            lines.push(format!("deposit A{account} {asset} 4000"));
        }
    }
    // An engine goes along, so that commands can name orders that are probably open.
    let mut engine = Engine::new(EngineConfig::default());
    let mut events = EventBuffer::default();
    let mut time_ns = 0;
    let mut stream = Vec::new();
    for n in 0..lines.len() + count {
        let line = lines.get(n).cloned().unwrap_or_else(|| line(&mut random, &engine));
        let mut records = parse(&line);
        time_ns += random.below(100_000_000);
        let is_stale = random.below(200) == 0;
        records[0].header.time_ns = if is_stale { time_ns / 2 } else { time_ns };
        events.clear();
        engine.apply(&records, &mut events);
        stream.push(records);
    }
    stream
}

fn line(random: &mut Random, engine: &Engine) -> String {
    let pick = |random: &mut Random, of: &[&'static str]| of[random.below(of.len() as u64) as usize];
    let account = 2 + random.below(5);
    let instrument = random.below(2);
    // Mostly an order that is open, and its owner.
    let meant = |random: &mut Random| {
        let open = engine.open_orders(None);
        match random.below(8) {
            0 => format!("A{account} #{}", 1 + random.below(6)),
            1 => format!("A{account} #t{}", random.below(4)),
            2.. if !open.is_empty() => {
                let order = &open[random.below(open.len() as u64) as usize];
                format!("A{} O{}", order.account, order.id)
            }
            _ => format!("A{account} O{}", random.below(engine.last_order().0 + 3)),
        }
    };
    let order = |random: &mut Random| {
        let side = pick(random, &["buy", "sell"]);
        let mode = pick(random, &["", "", "et", "em", "eb", "dec", "tr", "tr"]);
        let id = match random.below(8) {
            0 => format!("#{}", 1 + random.below(6)),
            1 => format!("#t{}", random.below(4)),
            _ => String::new(),
        };
        let kind = match random.below(20) {
            0..=9 => format!("{} @{}", 1 + random.below(9), 18 + random.below(6)),
            10 | 11 => format!("{} @{} post", 1 + random.below(9), 18 + random.below(6)),
            12 | 13 => format!("{} @{} ioc", 1 + random.below(12), 16 + random.below(10)),
            14 | 15 => format!("{} @{} fok", 1 + random.below(12), 16 + random.below(10)),
            16 => format!("{} market", 1 + random.below(12)),
            17 => format!("{}q market", random.below(900)),
            _ => format!("{} @{}", random.below(200), random.below(60)),
        };
        (side, format!("{kind} {mode} {id} I{instrument}"))
    };
    match random.below(100) {
        0..=54 => {
            let (side, order) = order(random);
            format!("{side} A{account} {order}")
        }
        55..=64 => format!("cancel {}", meant(random)),
        65..=76 => {
            let meant = meant(random);
            format!("amend {meant} {} @{}", random.below(12), 17 + random.below(8))
        }
        77..=84 => {
            let meant = meant(random);
            let (side, order) = order(random);
            format!("replace {meant} with {side} {order}")
        }
        85 => format!("cancel-all A{account} {}", pick(random, &["", "I0", "I1", "buy", "sell", "I1 buy"])),
        86 => format!("withdraw A{account} {} {}", pick(random, &["quote", "base", "coin"]), random.below(300)),
        87 => format!("{} W{}", pick(random, &["confirm", "revoke"]), random.below(12)),
        88 => format!("deposit A{account} {} {}", pick(random, &["quote", "base", "coin"]), random.below(500)),
        89 => {
            let to = random.below(8);
            let kind = pick(random, &["internal", "payout", "insurance", "credit"]);
            format!("transfer A{account} A{to} quote {} {kind}", random.below(300))
        }
        90 => format!("reference I{instrument} {}", pick(random, &["0", "19", "20", "21", "22"])),
        91 => format!(
            "limits I{instrument} {}",
            pick(random, &["lot=2 min=2", "", "", "", "down=200000 up=200000", "tick=2"])
        ),
        92 => format!("fee S0 T{} {} {}", random.below(3), random.below(90_000), random.below(60_000) as i64 - 40_000),
        93 => format!("tier A{account} {}", random.below(3)),
        94 => format!("group A{account} {}", pick(random, &["0", "7", "8"])),
        95 => format!("rates A{account} orders={} messages={}", 3 + random.below(9), 4 + random.below(12)),
        96 => format!("position A{account} I{instrument} {}", 400 + random.below(800)),
        97 if random.below(4) == 0 => format!("halt {}", pick(random, &["venue", "I0", "I1", "A2", "A3", "A99"])),
        _ => format!("resume {}", pick(random, &["venue", "venue", "I0", "I1", "A2", "A3"])),
    }
}
