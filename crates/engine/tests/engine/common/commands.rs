//! Commands as a blotter writes them.
//!
//! ```text
//! buy A2 3 @11 [ioc|fok|day|opening|close|auction] [post] [et|em|eb|dec|tr] [#17|#text] [I1]      buy A2 3 market        buy A2 100q market
//!     [stop=12|take=12] [by=mark|index] [trail=3|trail=50bp] [until=1000] [min=2] [peak=3 range=4 seed=5|hidden=1] [peg=primary|market|mid away=2|levels=1]      mark I0 12      index I0 12
//! state I0 auction closing     schedule I0 closed none 77 [window] [draw]     schedule I0 none
//! terms I0 collar=10000 extension=50 extensions=2 call=100
//! breaker I0 settlement=2000 share=35000 ticks=5 slots=2 slot=10 pause=100 closing=50 short=5
//! close 4000              level 3700
//! allocation I0 rule=1 [min=2] [fifo=400000] [level=1] [weight=3]      top I0 10 100      lead I0 A2 400000
//! quote A2 [post] [et|em|eb|dec|tr] I0 5@10 3@12 I1 - 3@12      cancel-quotes A2 [I0]
//! protect A2 [I0] [lots=5] [fills=2] [window=100]      reset A2 [I0]
//! oco A2 [#17|#text] [I1] / sell 5 @110 / sell 5 market stop=90        oto, otoco        cancel-list A2 L1|#17
//! cancel A2 O1|#17        cancel-all A2 [I0] [buy|sell]        amend A2 O1|#17 5 @12 [#new] [stop=9 ...]
//! replace A2 O1|#17 [allow] [cancel-only] [new] [partial] with sell 3 @12
//! deposit A2 quote 5      withdraw A2 quote 5      confirm W1      revoke W1      transfer A2 A3 quote 5 internal
//! halt venue|I0|A2        resume ...        reference I0 100        fee S0 T0 1000 -200        limits I0 tick=5 ...
//! tier A2 1               group A2 7        permit A2 3             rates A2 open=1 orders=2 messages=3
//! kill A2|G7|S9           release ...       end S9                  S5 buy ...: by session 5 instead of 9; S5:3: its third
//! session A2|any NAME     key any|A2 NAME KIND PERMISSIONS BYTE LENGTH      revoke-key NAME
//! position A2 I0 5        at 1000           asset 0 8 name          list I0 name base=1 quote=0 ...      open A2 client name
//! ```

use tradewright_types::{
    ANY, Amount, ApprovalBands, ApprovalBandsRecord, ApprovalHashRecord, BreakerRecord, BreakerTerms, ClientOrderId,
    CommandKind, CommandRecord, Conditions, ConditionsRecord, InstrumentId, InstrumentLimitsRecord, KeyMaterial,
    MoneyRecord, OrderFlags, OrderType, Price, Quantity, QuoteEntry, QuoteEntryRecord, SCHEMA_VERSION,
    SelfTradePrevention, SettingRecord, TextRecord, TimeInForce, TransferKind, Wide,
};
use zerocopy::transmute;

use super::records::{Units, command, listing, money, named, setting, wide_limits};

/// The number in `A2`, `I0`, `O7`.
pub(crate) fn number(word: &str, letter: char) -> u32 {
    let digits = word.strip_prefix(letter).unwrap_or_else(|| panic!("{word} is not {letter} and a number"));
    digits.parse().unwrap_or_else(|_| panic!("{word} is not {letter} and a number"))
}

/// An asset's id.
pub(crate) fn asset(word: &str) -> u32 {
    match word {
        "quote" => 0,
        "base" => 1,
        "coin" => 2,
        other => number(other, 'X'),
    }
}

fn value<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word} is not a number"))
}

/// An account, or `any` for the venue's operators.
fn anybody(word: &str) -> u32 {
    if word == "any" { ANY } else { number(word, 'A') }
}

/// A name behind a command, right or not.
fn label(name: &str) -> CommandRecord {
    let mut record = TextRecord {
        kind: CommandKind::Text as u8,
        schema_version: SCHEMA_VERSION,
        length: name.len() as u8,
        reserved: [0; 5],
        bytes: [0; 56],
    };
    let length = name.len().min(56);
    record.bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    transmute!(record)
}

/// The records of a command.
pub(crate) fn parse(line: &str) -> Vec<CommandRecord> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[0] {
        "buy" | "sell" => command(order(words[1], words[0], &words[2..])),
        "cancel" => target(CommandKind::CancelOrder, words[1], words[2]),
        "cancel-all" => vec![cancel_all(&words)],
        "cancel-quotes" => vec![cancel_quotes(&words)],
        "quote" => quote(&words),
        "amend" => {
            let mut records = target(CommandKind::AmendOrder, words[1], words[2]);
            (records[0].quantity_lots, records[0].price_ticks) = (value(words[3]), price(words[4]));
            let (names, conditions): (Vec<&str>, Vec<&str>) = words[5..].iter().partition(|word| word.starts_with('#'));
            records.extend(names.iter().map(|name| text(&name[1..])));
            if !conditions.is_empty() {
                let mut record = ConditionsRecord::new(&Conditions::default());
                for (name, text) in conditions.iter().filter_map(|word| word.split_once('=')) {
                    condition(&mut record, name, text);
                }
                records.push(transmute!(record));
            }
            command(records)
        }
        "replace" => {
            let mut records = target(CommandKind::ReplaceOrder, words[1], words[2]);
            let with = words.iter().position(|word| *word == "with").expect("`with` and the new order");
            for mode in &words[3..with] {
                records[0].flags |= match *mode {
                    "allow" => OrderFlags::ALLOW_FAILURE.0,
                    "cancel-only" => OrderFlags::CANCEL_ONLY.0,
                    "new" => OrderFlags::ONLY_NEW.0,
                    "partial" => OrderFlags::ONLY_PARTIALLY_FILLED.0,
                    other => panic!("there is no mode {other}"),
                };
            }
            records.extend(order(words[1], words[with + 1], &words[with + 2..]));
            command(records)
        }
        "oco" | "oto" | "otoco" => list_of_orders(line),
        "cancel-list" => {
            let mut records = target(CommandKind::CancelList, words[1], &words[2].replacen('L', "O", 1));
            records[0].header.record_count = records.len() as u16;
            records
        }
        "deposit" | "withdraw" | "confirm" | "revoke" | "transfer" | "send" | "receive" | "arrived" => {
            vec![transmute!(money_record(&words))]
        }
        "asset" => vec![named(CommandKind::AddAsset, value(words[1]), value(words[2]), 0, words[3])],
        "open" => {
            let kind = match words[2] {
                "client" => 1,
                "house" => 2,
                "fee" => 3,
                "insurance" => 4,
                other => value(other),
            };
            vec![named(CommandKind::OpenAccount, number(words[1], 'A'), kind, 0, words[3])]
        }
        "bands" => bands(&words),
        "session" => {
            let first = SettingRecord { account: anybody(words[1]), ..setting(CommandKind::OpenSession) };
            command(vec![transmute!(first), label(words[2])])
        }
        "key" => {
            let (byte, length): (u8, usize) = (value(words[5]), value(words[6]));
            let first = SettingRecord {
                account: anybody(words[1]),
                tier: value(words[3]),
                values: [value(words[4]), length as u64, 0],
                ..setting(CommandKind::RegisterKey)
            };
            let key = KeyMaterial::new(&vec![byte; length.min(96)]).expect("a key");
            let bytes = CommandRecord::key_bytes(&key);
            command([transmute!(first), label(words[2])].into_iter().chain(bytes).collect())
        }
        "revoke-key" => command(vec![transmute!(setting(CommandKind::RevokeKey)), label(words[1])]),
        // The hash is put in by the venue, which knows the order.
        "approve" | "decline" => {
            let kind = if words[0] == "approve" { CommandKind::ApproveOrder } else { CommandKind::DeclineOrder };
            let (account, order_ref) = (number(words[1], 'A'), number(words[2], 'O').into());
            let record = CommandRecord { account, order_ref, ..CommandRecord::new(kind) };
            let hash = (words[0] == "approve").then(|| transmute!(ApprovalHashRecord::new([0; 32])));
            command(core::iter::once(record).chain(hash).collect())
        }
        "list" => list(&words),
        "breaker" => {
            let head = SettingRecord { instrument: number(words[1], 'I'), ..setting(CommandKind::SetBreaker) };
            command(vec![transmute!(head), transmute!(breaker(&words[2..]))])
        }
        "limits" => {
            let head = SettingRecord { instrument: number(words[1], 'I'), ..setting(CommandKind::SetInstrumentLimits) };
            command(vec![transmute!(head), transmute!(limits(&words[2..]))])
        }
        _ => vec![transmute!(setting_record(&words))],
    }
}

/// `oco A2 #17 / sell 5 @110 / sell 5 market stop=90`
fn list_of_orders(line: &str) -> Vec<CommandRecord> {
    let mut parts = line.split(" / ");
    let head: Vec<&str> = parts.next().expect("a head").split_whitespace().collect();
    let mut first = CommandRecord {
        account: number(head[1], 'A'),
        order_type: match head[0] {
            "oco" => 1,
            "oto" => 2,
            _ => 3,
        },
        ..CommandRecord::new(CommandKind::PlaceList)
    };
    let mut text = None;
    for word in &head[2..] {
        match word.starts_with('I') {
            true => first.instrument = number(word, 'I'),
            false => text = client_order_id(&mut first, word),
        }
    }
    let mut records: Vec<CommandRecord> = core::iter::once(first).chain(text).collect();
    for part in parts {
        let words: Vec<&str> = part.split_whitespace().collect();
        let leg = order(head[1], words[0], &words[1..]);
        records.extend(leg);
    }
    command(records)
}

fn price(word: &str) -> i64 {
    value(word.strip_prefix('@').unwrap_or_else(|| panic!("{word} is not @ and a price")))
}

/// A text record as it stands.
fn text(text: &str) -> CommandRecord {
    CommandRecord::text(&ClientOrderId::Text(text.as_bytes())).expect("a text has a record")
}

fn client_order_id(record: &mut CommandRecord, word: &str) -> Option<CommandRecord> {
    let text = &word[1..];
    match ClientOrderId::parse(text.as_bytes()) {
        Some(ClientOrderId::Number(number)) => {
            record.order_ref = number.get();
            None
        }
        Some(id @ ClientOrderId::Text(_)) => {
            record.flags |= OrderFlags::TEXT_ID.0;
            CommandRecord::text(&id)
        }
        _ => panic!("{word} is not # and a client order id"),
    }
}

fn order(account: &str, side: &str, words: &[&str]) -> Vec<CommandRecord> {
    let mut record = CommandRecord {
        account: number(account, 'A'),
        side: u8::from(side == "sell"),
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancel as u8,
        ..CommandRecord::new(CommandKind::PlaceOrder)
    };
    match words[0].strip_suffix('q') {
        Some(amount) => {
            record.set_quote_amount(Amount::from_quanta(value(amount)));
            record.flags |= OrderFlags::QUOTE_AMOUNT.0;
        }
        None => record.quantity_lots = value(words[0]),
    }
    let mut text = None;
    let mut conditions = ConditionsRecord::new(&Conditions::default());
    for word in &words[1..] {
        if let Some((name, text)) = word.split_once('=') {
            record.flags |= OrderFlags::CONDITIONS.0;
            condition(&mut conditions, name, text);
            if name == "until" {
                record.time_in_force = TimeInForce::GoodTillDate as u8;
            }
            continue;
        }
        match (*word, prevention(word)) {
            (_, Some(mode)) => record.self_trade_prevention = mode as u8,
            ("market", _) => {
                record.order_type = OrderType::Market as u8;
                record.time_in_force = TimeInForce::ImmediateOrCancel as u8;
            }
            ("day", _) => record.time_in_force = TimeInForce::Day as u8,
            ("opening", _) => record.time_in_force = TimeInForce::AtOpening as u8,
            ("close", _) => record.time_in_force = TimeInForce::AtClose as u8,
            ("auction", _) => record.time_in_force = TimeInForce::GoodForAuction as u8,
            ("ioc", _) => record.time_in_force = TimeInForce::ImmediateOrCancel as u8,
            ("fok", _) => record.time_in_force = TimeInForce::FillOrKill as u8,
            ("post", _) => record.flags |= OrderFlags::POST_ONLY.0,
            (word, _) if word.starts_with('#') => text = client_order_id(&mut record, word),
            (word, _) if word.starts_with('I') => record.instrument = number(word, 'I'),
            (word, _) => record.price_ticks = price(word),
        }
    }
    let conditions = (record.flags & OrderFlags::CONDITIONS.0 != 0).then(|| transmute!(conditions));
    core::iter::once(record).chain(text).chain(conditions).collect()
}

fn condition(record: &mut ConditionsRecord, name: &str, text: &str) {
    match name {
        "stop" | "take" => {
            record.trigger = if name == "stop" { 1 } else { 2 };
            record.trigger_price_ticks = value(text);
        }
        "by" => record.source = if text == "mark" { 1 } else { 2 },
        "trail" => {
            let parts = text.strip_suffix("bp");
            (record.trail_unit, record.trail) = (if parts.is_some() { 2 } else { 1 }, value(parts.unwrap_or(text)));
        }
        "until" => record.expire_time_ns = value(text),
        "min" => record.minimum_lots = value(text),
        "peak" => record.peak_lots = value(text),
        "hidden" => record.display = value(text),
        "peg" => {
            record.peg = match text {
                "primary" => 1,
                "market" => 2,
                "mid" => 3,
                other => value(other),
            }
        }
        "away" => record.peg_offset = value(text),
        "levels" => (record.peg_mode, record.peg_offset) = (1, value(text)),
        "range" => record.peak_range_lots = value(text),
        "seed" => record.seed = value(text),
        other => panic!("there is no condition {other}"),
    }
}

fn target(kind: CommandKind, account: &str, meant: &str) -> Vec<CommandRecord> {
    let mut record = CommandRecord { account: number(account, 'A'), ..CommandRecord::new(kind) };
    let mut text = None;
    if meant.starts_with('#') {
        record.flags |= OrderFlags::BY_CLIENT_ORDER_ID.0;
        text = client_order_id(&mut record, meant);
    } else {
        record.order_ref = number(meant, 'O').into();
    }
    command(core::iter::once(record).chain(text).collect())
}

fn cancel_all(words: &[&str]) -> CommandRecord {
    let mut record = CommandRecord {
        account: number(words[1], 'A'),
        instrument: ANY,
        side: 255,
        ..CommandRecord::new(CommandKind::CancelAll)
    };
    for word in &words[2..] {
        match *word {
            "buy" => record.side = 0,
            "sell" => record.side = 1,
            instrument => record.instrument = number(instrument, 'I'),
        }
    }
    record
}

fn cancel_quotes(words: &[&str]) -> CommandRecord {
    let instrument = words.get(2).map_or(ANY, |word| number(word, 'I'));
    CommandRecord { account: number(words[1], 'A'), instrument, ..CommandRecord::new(CommandKind::CancelQuotes) }
}

/// `5@10`, or `-` for none.
fn quoted(word: &str) -> (Price, Quantity) {
    let (lots, ticks) = word.split_once('@').unwrap_or(("0", "0"));
    (Price::from_ticks(value(ticks)), Quantity::from_lots(value(lots)))
}

fn quote(words: &[&str]) -> Vec<CommandRecord> {
    let mut first = CommandRecord { account: number(words[1], 'A'), ..CommandRecord::new(CommandKind::MassQuote) };
    let entries = words.iter().position(|word| word.starts_with('I')).unwrap_or(words.len());
    for word in &words[2..entries] {
        match prevention(word) {
            Some(mode) => first.self_trade_prevention = mode as u8,
            None => first.flags |= OrderFlags::POST_ONLY.0,
        }
    }
    let entries = words[entries..].chunks(3).map(|entry| {
        let instrument = InstrumentId(number(entry[0], 'I'));
        transmute!(QuoteEntryRecord::new(&QuoteEntry { instrument, bid: quoted(entry[1]), ask: quoted(entry[2]) }))
    });
    command(core::iter::once(first).chain(entries).collect())
}

/// A prevention mode by its short name.
fn prevention(word: &str) -> Option<SelfTradePrevention> {
    match word {
        "et" => Some(SelfTradePrevention::ExpireTaker),
        "em" => Some(SelfTradePrevention::ExpireMaker),
        "eb" => Some(SelfTradePrevention::ExpireBoth),
        "dec" => Some(SelfTradePrevention::Decrement),
        "tr" => Some(SelfTradePrevention::Transfer),
        _ => None,
    }
}

fn money_record(words: &[&str]) -> MoneyRecord {
    match words[0] {
        "deposit" => money(CommandKind::Deposit, number(words[1], 'A'), asset(words[2]), value(words[3])),
        "withdraw" => money(CommandKind::RequestWithdrawal, number(words[1], 'A'), asset(words[2]), value(words[3])),
        "transfer" => {
            let kind = match words[5] {
                "internal" => TransferKind::Internal as u8,
                "payout" => TransferKind::FeePayout as u8,
                "insurance" => TransferKind::InsuranceContribution as u8,
                "credit" => TransferKind::ClientCredit as u8,
                other => value(other),
            };
            let from = money(CommandKind::Transfer, number(words[1], 'A'), asset(words[3]), value(words[4]));
            MoneyRecord { counter_account: number(words[2], 'A'), transfer_kind: kind, ..from }
        }
        // `send A2 quote 5 Y3`, `receive A2 quote 5 Y3 1`, `arrived Y3 1`.
        "send" | "receive" => {
            let kind = if words[0] == "send" { CommandKind::SendTransfer } else { CommandKind::ReceiveTransfer };
            let record = money(kind, number(words[1], 'A'), asset(words[2]), value(words[3]));
            let withdrawal = words.get(5).map_or(0, |word| value(word));
            MoneyRecord { counter_account: number(words[4], 'Y'), withdrawal, ..record }
        }
        "arrived" => {
            let record = money(CommandKind::ConfirmTransfer, 0, 0, 0);
            MoneyRecord { counter_account: number(words[1], 'Y'), withdrawal: value(words[2]), ..record }
        }
        other => {
            let confirms = other == "confirm";
            let kind = if confirms { CommandKind::ConfirmWithdrawal } else { CommandKind::CancelWithdrawal };
            MoneyRecord { withdrawal: number(words[1], 'W').into(), ..money(kind, 0, 0, 0) }
        }
    }
}

/// `bands I0 100 200 300 wait=50`: thresholds that are not named are none.
fn bands(words: &[&str]) -> Vec<CommandRecord> {
    let head = setting(CommandKind::SetApprovalBands);
    let head = match words[1].chars().next() {
        Some('I') => SettingRecord { scope: 1, instrument: number(words[1], 'I'), ..head },
        Some('A') => SettingRecord { scope: 2, account: number(words[1], 'A'), ..head },
        _ => SettingRecord { scope: value(words[1]), ..head },
    };
    let mut bands = ApprovalBands::default();
    for (place, word) in words[2..].iter().enumerate() {
        match word.strip_prefix("wait=") {
            Some(text) => bands.expiry_ns = value(text),
            None => bands.thresholds[place] = Amount::from_quanta(value(word)),
        }
    }
    command(vec![transmute!(head), transmute!(ApprovalBandsRecord::new(&bands))])
}

fn breaker(words: &[&str]) -> BreakerRecord {
    let mut record = BreakerRecord::new(&BreakerTerms::default());
    for word in words {
        let (name, text) = word.split_once('=').unwrap_or_else(|| panic!("{word} is not name=value"));
        match name {
            "settlement" => record.settlement_ticks = value(text),
            "share" => record.share_ppm = value(text),
            "ticks" => record.velocity_ticks = value(text),
            "slots" => record.velocity_slots = value(text),
            "slot" => record.velocity_slot_ns = value(text),
            "pause" => record.pause_ns = value(text),
            "closing" => record.closing_ns = value(text),
            "short" => record.closing_pause_ns = value(text),
            other => panic!("there is no number {other}"),
        }
    }
    record
}

fn limits(words: &[&str]) -> InstrumentLimitsRecord {
    let mut limits = wide_limits();
    for word in words {
        let (name, text) = word.split_once('=').unwrap_or_else(|| panic!("{word} is not name=value"));
        match name {
            "tick" => limits.price_increment_ticks = value(text),
            "lot" => limits.quantity_increment_lots = value(text),
            "min" => limits.quantity_min_lots = value(text),
            "max" => limits.quantity_max_lots = value(text),
            "notional_min" => limits.notional_min_quanta = value(text),
            "notional_max" => limits.notional_max = Wide::from(value::<i128>(text)),
            "down" => limits.band_down_ppm = value(text),
            "up" => limits.band_up_ppm = value(text),
            other => panic!("there is no limit {other}"),
        }
    }
    limits
}

fn list(words: &[&str]) -> Vec<CommandRecord> {
    let mut of = Units { base: 1, quote: 0, quote_quanta_per_tick_lot: 1, base_quanta_per_lot: 1 };
    let (mut schedule, mut rest) = (0, Vec::new());
    for word in &words[3..] {
        match word.split_once('=') {
            Some(("base", text)) => of.base = value(text),
            Some(("quote", text)) => of.quote = value(text),
            Some(("tick_lot", text)) => of.quote_quanta_per_tick_lot = value(text),
            Some(("base_lot", text)) => of.base_quanta_per_lot = value(text),
            Some(("schedule", text)) => schedule = value(text),
            _ => rest.push(*word),
        }
    }
    listing(number(words[1], 'I'), words[2], schedule, of, limits(&rest))
}

/// A state such as `auction closing`, `closed`, or its code and that of a phase.
fn with_state(words: &[&str], record: SettingRecord) -> SettingRecord {
    let state = match words[1] {
        "none" | "continuous" => 0,
        "halted" => 1,
        "preopen" => 2,
        "auction" => 3,
        "paused" => 4,
        "cancelonly" => 5,
        "closed" => 6,
        "expired" => 7,
        other => value(other),
    };
    let phase = match words.get(2).copied().unwrap_or("none") {
        "none" => 0,
        "opening" => 1,
        "intraday" => 2,
        "closing" => 3,
        other => value(other),
    };
    SettingRecord { instrument: number(words[0], 'I'), scope: state, tier: phase, ..record }
}

fn setting_record(words: &[&str]) -> SettingRecord {
    let scope = |record: SettingRecord| match words[1].chars().next() {
        Some('I') => SettingRecord { scope: 1, instrument: number(words[1], 'I'), ..record },
        Some('A') => SettingRecord { scope: 2, account: number(words[1], 'A'), ..record },
        _ => SettingRecord { scope: if words[1] == "venue" { 0 } else { value(words[1]) }, ..record },
    };
    // `A2` is an account, `G7` a trade group, `S9` a session.
    let control = |record: SettingRecord| match words[1].chars().next() {
        Some('A') => SettingRecord { scope: 2, account: number(words[1], 'A'), ..record },
        Some('G') => SettingRecord { scope: 3, values: [number(words[1], 'G').into(), 0, 0], ..record },
        Some('S') => SettingRecord { scope: 4, values: [number(words[1], 'S').into(), 0, 0], ..record },
        _ => SettingRecord { scope: value(words[1]), ..record },
    };
    let of_account = |kind, values| SettingRecord { account: number(words[1], 'A'), values, ..setting(kind) };
    match words[0] {
        "at" => setting(CommandKind::AdvanceTime),
        "halt" => scope(setting(CommandKind::Halt)),
        "resume" => scope(setting(CommandKind::Resume)),
        "kill" => control(setting(CommandKind::EngageKillSwitch)),
        "end" => SettingRecord { values: [number(words[1], 'S').into(), 0, 0], ..setting(CommandKind::EndSession) },
        "release" => control(setting(CommandKind::ReleaseKillSwitch)),
        "restrict" => {
            let record = control(setting(CommandKind::SetRestriction));
            let cancels = u64::from(words.get(4) == Some(&"cancel"));
            let values = [record.values[0], cancels, 0];
            SettingRecord { instrument: number(words[2], 'I'), tier: value(words[3]), values, ..record }
        }
        "mark" | "index" => SettingRecord {
            instrument: number(words[1], 'I'),
            values: [value::<i64>(words[2]) as u64, 0, 0],
            ..setting(if words[0] == "mark" { CommandKind::SetMarkPrice } else { CommandKind::SetIndexPrice })
        },
        "state" => with_state(&words[1..], setting(CommandKind::SetInstrumentState)),
        "schedule" => {
            let mut record = with_state(&words[1..], setting(CommandKind::ScheduleInstrumentState));
            for (place, word) in words.iter().skip(4).enumerate() {
                record.values[place] = value(word);
            }
            record
        }
        "terms" => {
            let mut record =
                SettingRecord { instrument: number(words[1], 'I'), ..setting(CommandKind::SetAuctionTerms) };
            for word in &words[2..] {
                match word.split_once('=') {
                    Some(("collar", text)) => record.values[0] = value(text),
                    Some(("extension", text)) => record.values[1] = value(text),
                    Some(("call", text)) => record.values[2] = value(text),
                    Some(("extensions", text)) => record.tier = value(text),
                    _ => panic!("there is no term {word}"),
                }
            }
            record
        }
        "allocation" => {
            let mut record = SettingRecord { instrument: number(words[1], 'I'), ..setting(CommandKind::SetAllocation) };
            for word in &words[2..] {
                match word.split_once('=') {
                    Some(("rule", text)) => record.scope = value(text),
                    Some(("weight", text)) => record.tier = value(text),
                    Some(("min", text)) => record.values[0] = value(text),
                    Some(("fifo", text)) => record.values[1] = value(text),
                    Some(("level", text)) => record.values[2] = value(text),
                    _ => panic!("there is no number {word}"),
                }
            }
            record
        }
        "top" => SettingRecord {
            instrument: number(words[1], 'I'),
            values: [value(words[2]), value(words[3]), 0],
            ..setting(CommandKind::SetTop)
        },
        "lead" => SettingRecord {
            account: number(words[2], 'A'),
            instrument: number(words[1], 'I'),
            values: [value(words[3]), 0, 0],
            ..setting(CommandKind::SetLead)
        },
        "protect" | "reset" => {
            let kind =
                if words[0] == "reset" { CommandKind::ResetQuoteProtection } else { CommandKind::SetQuoteProtection };
            let mut record = SettingRecord { instrument: ANY, ..of_account(kind, [0; 3]) };
            for word in &words[2..] {
                match word.split_once('=') {
                    None => record.instrument = number(word, 'I'),
                    Some(("lots", text)) => record.values[0] = value(text),
                    Some(("fills", text)) => record.values[1] = value(text),
                    Some(("window", text)) => record.values[2] = value(text),
                    _ => panic!("there is no bound {word}"),
                }
            }
            record
        }
        "reference" => SettingRecord {
            instrument: number(words[1], 'I'),
            values: [value::<i64>(words[2]) as u64, 0, 0],
            ..setting(CommandKind::SetReferencePrice)
        },
        "close" | "level" => SettingRecord {
            values: [value::<i64>(words[1]) as u64, 0, 0],
            ..setting(if words[0] == "close" { CommandKind::SetMarketReference } else { CommandKind::SetMarketLevel })
        },
        "fee" => SettingRecord {
            fee_schedule: number(words[1], 'S') as u16,
            tier: number(words[2], 'T') as u8,
            values: [value::<i64>(words[3]) as u64, value::<i64>(words[4]) as u64, 0],
            ..setting(CommandKind::SetFeeTier)
        },
        "tier" => SettingRecord { tier: value(words[2]), ..of_account(CommandKind::SetAccountFeeTier, [0; 3]) },
        "group" => of_account(CommandKind::SetTradeGroup, [value(words[2]), 0, 0]),
        "permit" => of_account(CommandKind::SetPermissions, [value(words[2]), 0, 0]),
        "rates" => {
            let mut values = [u64::from(u32::MAX); 3];
            for word in &words[2..] {
                match word.split_once('=') {
                    Some(("open", text)) => values[0] = value(text),
                    Some(("orders", text)) => values[1] = value(text),
                    Some(("messages", text)) => values[2] = value(text),
                    _ => panic!("there is no limit {word}"),
                }
            }
            of_account(CommandKind::SetAccountLimits, values)
        }
        "position" => SettingRecord {
            instrument: number(words[2], 'I'),
            ..of_account(CommandKind::SetPositionLimit, [value(words[3]), 0, 0])
        },
        other => panic!("there is no command {other}"),
    }
}
