//! Refusals: every reason is reached, the lower code wins, each limit refuses when it is lowered. That a refused command
//! changes nothing is checked by the venue after each of them.

use std::collections::BTreeSet;

use tradewright_types::{
    ClientOrderId, CommandKind, CommandRecord, ConditionsRecord, OrderFlags, QuoteEntryRecord, RejectReason,
    TimeInForce,
};

use crate::common::{Random, Venue, parse};
use crate::flow::{SET_UP_LENGTH, commands};

/// One way to break a rule: lines before the command, limits to be lowered, lines after that, and a change to the command.
struct Violation {
    reason: RejectReason,
    before: &'static str,
    limits: &'static str,
    rates: &'static str,
    after: &'static str,
    change: fn(&mut Vec<CommandRecord>),
}

/// A violation by the state alone.
fn by_state(reason: RejectReason, before: &'static str, after: &'static str) -> Violation {
    Violation { reason, before, limits: "", rates: "", after, change: |_| {} }
}

/// A violation by the command alone.
fn by_command(reason: RejectReason, change: fn(&mut Vec<CommandRecord>)) -> Violation {
    Violation { change, ..by_state(reason, "", "") }
}

/// A violation of the instrument's limits.
fn by_limits(reason: RejectReason, limits: &'static str) -> Violation {
    Violation { limits, ..by_state(reason, "", "") }
}

/// A violation of the account's limits.
fn by_rates(reason: RejectReason, rates: &'static str) -> Violation {
    Violation { rates, ..by_state(reason, "", "") }
}

/// What may be wrong with `buy A2 10 @20 #1`, by ascending code.
fn violations_of_a_new_order() -> Vec<Violation> {
    use RejectReason as Reason;
    vec![
        by_command(Reason::UnknownCommand, |records| records[0].header.kind = CommandKind::Text as u8),
        by_command(Reason::UnknownSchemaVersion, |records| records[0].header.schema_version = 9),
        by_command(Reason::MalformedRecords, |records| records[0].header.record_count = 7),
        by_command(Reason::Stale, |records| records[0].header.time_ns = 99),
        by_state(Reason::SessionKilled, "", "kill S9"),
        by_command(Reason::InvalidSide, |records| records[0].side = 2),
        by_command(Reason::InvalidOrderType, |records| records[0].order_type = 0),
        by_command(Reason::InvalidTimeInForce, |records| records[0].time_in_force = 9),
        by_command(Reason::InvalidSelfTradePrevention, |records| records[0].self_trade_prevention = 6),
        by_command(Reason::InvalidFlags, |records| records[0].flags |= OrderFlags::BY_CLIENT_ORDER_ID.0),
        by_command(Reason::InvalidCombination, |records| {
            records[0].flags |= OrderFlags::POST_ONLY.0;
            records[0].time_in_force = TimeInForce::ImmediateOrCancel as u8;
        }),
        by_command(Reason::InvalidClientOrderId, |records| {
            // A number written as text.
            records[0].flags |= OrderFlags::TEXT_ID.0;
            records[0].order_ref = 0;
            records.extend(CommandRecord::text(&ClientOrderId::Text(b"17")));
            records[0].header.record_count = 2;
        }),
        by_command(Reason::UnknownInstrument, |records| records[0].instrument = 99),
        by_state(Reason::VenueHalted, "", "halt venue"),
        by_state(Reason::InstrumentHalted, "", "halt I0"),
        by_state(Reason::InstrumentPaused, "", "close 100\nlevel 90"),
        by_state(Reason::InstrumentCancelOnly, "", "state I0 cancelonly"),
        by_state(Reason::InstrumentClosed, "", "state I0 closed"),
        by_state(Reason::InstrumentExpired, "", "state I0 expired"),
        by_command(Reason::UnknownAccount, |records| records[0].account = 99),
        by_state(Reason::AccountHalted, "", "halt A2"),
        by_state(Reason::AccountNotPermitted, "", "permit A2 6"),
        by_state(Reason::AccountRestricted, "", "restrict A2 I0 1"),
        by_state(Reason::KillSwitchEngaged, "", "kill A2"),
        by_command(Reason::PriceNotPositive, |records| records[0].price_ticks = -20),
        by_limits(Reason::PriceNotOnTick, "tick=7"),
        by_command(Reason::QuantityNotPositive, |records| records[0].quantity_lots = 0),
        by_limits(Reason::QuantityNotOnLot, "lot=3"),
        by_limits(Reason::QuantityBelowMinimum, "min=11"),
        by_limits(Reason::QuantityAboveMaximum, "max=9"),
        by_limits(Reason::NotionalBelowMinimum, "notional_min=201"),
        by_limits(Reason::NotionalAboveMaximum, "notional_max=199"),
        Violation { limits: "down=500000", ..by_state(Reason::PriceOutsideBand, "", "reference I0 100") },
        by_rates(Reason::MessageRateExceeded, "messages=0"),
        by_rates(Reason::OrderRateExceeded, "orders=0"),
        by_state(Reason::DuplicateClientOrderId, "buy A2 4 @10 #1", ""),
        by_rates(Reason::OpenOrderLimitExceeded, "open=0"),
        by_state(Reason::PositionLimitExceeded, "", "position A2 I0 9"),
        by_state(Reason::InsufficientFunds, "", "withdraw A2 quote 900"),
        Violation {
            change: |records| records[0].flags |= OrderFlags::POST_ONLY.0,
            ..by_state(Reason::PostOnlyWouldTrade, "sell A3 4 @20", "")
        },
    ]
}

/// The conditions of the last record.
fn conditions(records: &mut [CommandRecord]) -> &mut ConditionsRecord {
    zerocopy::transmute_mut!(records.last_mut().expect("a record"))
}

/// What may be wrong with `buy A2 10 @20 #1 stop=25`, by ascending code.
fn violations_of_a_waiting_order() -> Vec<Violation> {
    use RejectReason as Reason;
    let checked = |reason| {
        ![Reason::InvalidClientOrderId, Reason::PriceOutsideBand, Reason::PostOnlyWouldTrade].contains(&reason)
    };
    let mut violations = violations_of_a_new_order();
    violations.retain(|violation| checked(violation.reason));
    violations.extend([
        by_command(Reason::InvalidConditions, |records| conditions(records).source = 3),
        by_command(Reason::TriggerPriceNotPositive, |records| conditions(records).trigger_price_ticks = -25),
        Violation {
            change: |records| conditions(records).trigger_price_ticks = 26,
            ..by_limits(Reason::TriggerPriceNotOnTick, "tick=5")
        },
        by_command(Reason::NoTriggerReference, |records| {
            let record = conditions(records);
            (record.trigger_price_ticks, record.trail_unit, record.trail) = (0, 1, 5);
        }),
        by_command(Reason::ExpiryNotInFuture, |records| {
            records[0].time_in_force = TimeInForce::GoodTillDate as u8;
            conditions(records).expire_time_ns = 100;
        }),
        by_state(Reason::WouldTriggerAtOnce, "sell A3 1 @25\nbuy A2 1 @25", ""),
    ]);
    violations.sort_by_key(|violation| violation.reason as u16);
    violations
}

/// What may be wrong with `buy A2 10 @20 #1 peak=4`, by ascending code.
fn violations_of_an_iceberg() -> Vec<Violation> {
    use RejectReason as Reason;
    let mut violations = violations_of_a_new_order();
    violations.retain(|violation| {
        ![Reason::InvalidClientOrderId, Reason::QuantityNotOnLot, Reason::PostOnlyWouldTrade]
            .contains(&violation.reason)
    });
    violations.extend([
        by_command(Reason::InvalidConditions, |records| conditions(records).seed = 3),
        by_command(Reason::InvalidDisplay, |records| {
            records[0].time_in_force = TimeInForce::ImmediateOrCancel as u8;
        }),
        Violation {
            change: |records| conditions(records).peak_range_lots = 1,
            ..by_limits(Reason::PeakNotOnLot, "lot=2")
        },
        by_command(Reason::PeakAboveQuantity, |records| conditions(records).peak_lots = 12),
    ]);
    violations.sort_by_key(|violation| violation.reason as u16);
    violations
}

/// What may be wrong with `buy A2 10 @20 #1 auction`, by ascending code.
fn violations_of_an_order_for_auctions() -> Vec<Violation> {
    use RejectReason as Reason;
    let mut violations = violations_of_a_new_order();
    violations.retain(|violation| violation.reason != Reason::PostOnlyWouldTrade);
    violations.push(by_state(Reason::OrderNotApprovable, "", "bands I0 100 wait=9"));
    violations
}

/// What may be wrong with `buy A2 10 @20 #1 peg=primary`, by ascending code.
fn violations_of_a_following_peg() -> Vec<Violation> {
    use RejectReason as Reason;
    let mut violations = violations_of_a_new_order();
    // It is always a maker, and its text would stand in front of its conditions.
    violations
        .retain(|violation| ![Reason::InvalidClientOrderId, Reason::PostOnlyWouldTrade].contains(&violation.reason));
    violations.extend([
        by_command(Reason::InvalidConditions, |records| conditions(records).peg_mode = 2),
        by_command(Reason::InvalidDisplay, |records| conditions(records).peak_lots = 4),
        by_command(Reason::ExpiryNotInFuture, |records| {
            records[0].time_in_force = TimeInForce::GoodTillDate as u8;
            conditions(records).expire_time_ns = 100;
        }),
        by_state(Reason::OrderNotApprovable, "", "bands I0 100 wait=9"),
    ]);
    violations.sort_by_key(|violation| violation.reason as u16);
    violations
}

/// The entry of a mass quote.
fn entry(records: &mut [CommandRecord]) -> &mut QuoteEntryRecord {
    zerocopy::transmute_mut!(&mut records[1])
}

/// What may be wrong with `quote A2 I0 10@20 -`, by the rulebook's order.
fn violations_of_a_quote() -> Vec<Violation> {
    use RejectReason as Reason;
    let mut violations = vec![
        by_command(Reason::InvalidSelfTradePrevention, |records| records[0].self_trade_prevention = 6),
        by_command(Reason::InvalidFlags, |records| records[0].flags |= OrderFlags::TEXT_ID.0),
        by_command(Reason::UnknownInstrument, |records| entry(records).instrument = 99),
        by_command(Reason::UnknownAccount, |records| records[0].account = 99),
    ];
    let changed = [
        by_command(Reason::PriceNotPositive, |records| entry(records).bid_price_ticks = -20),
        Violation {
            change: |records| records[0].flags |= OrderFlags::POST_ONLY.0,
            ..by_state(Reason::PostOnlyWouldTrade, "sell A3 4 @20", "")
        },
        by_state(
            Reason::QuoteProtectionTriggered,
            "protect A2 I0 fills=1 window=9\nquote A2 I0 1@5 -\nsell A3 1 @5",
            "",
        ),
        by_state(Reason::OrderNotApprovable, "", "bands I0 100 wait=9"),
    ];
    // As any order, but that none of its quotes has a client order id or is at nothing: that withdraws.
    let mut of_each_side = violations_of_a_new_order();
    of_each_side.retain(|violation| {
        let Violation { reason, before: _, limits, rates, after, change: _ } = violation;
        *reason >= Reason::VenueHalted && !(limits.is_empty() && rates.is_empty() && after.is_empty())
    });
    of_each_side.extend(changed);
    of_each_side.sort_by_key(|violation| {
        // Room and funds are for all sides together, behind those of each.
        let is_for_all = [Reason::OpenOrderLimitExceeded, Reason::InsufficientFunds].contains(&violation.reason);
        (is_for_all, violation.reason as u16)
    });
    violations.extend(of_each_side);
    violations
}

/// What may be wrong with `buy A2 10 @0 #1 peg=primary levels=0`, by ascending code.
fn violations_of_a_fixed_peg() -> Vec<Violation> {
    use RejectReason as Reason;
    vec![
        by_command(Reason::InvalidConditions, |records| conditions(records).peg_offset = 101),
        by_command(Reason::InvalidDisplay, |records| conditions(records).peg = 3),
        by_command(Reason::UnknownInstrument, |records| records[0].instrument = 99),
        by_state(Reason::VenueHalted, "", "halt venue"),
        by_command(Reason::QuantityNotPositive, |records| records[0].quantity_lots = 0),
        by_command(Reason::ExpiryNotInFuture, |records| {
            records[0].time_in_force = TimeInForce::GoodTillDate as u8;
            conditions(records).expire_time_ns = 100;
        }),
        by_command(Reason::NoPegReference, |_| {}),
    ]
}

/// What may be wrong with `amend A2 O1 12 @20` when O1 is `buy 10 @15 post`, by the rulebook's order.
fn violations_of_an_amendment() -> Vec<Violation> {
    use RejectReason as Reason;
    vec![
        by_state(Reason::VenueHalted, "", "halt venue"),
        by_command(Reason::UnknownAccount, |records| records[0].account = 99),
        by_command(Reason::UnknownOrder, |records| records[0].order_ref = 99),
        by_state(Reason::InstrumentHalted, "", "halt I0"),
        by_state(Reason::AccountHalted, "", "halt A2"),
        by_state(Reason::AccountNotPermitted, "", "permit A2 6"),
        by_state(Reason::AccountRestricted, "", "group A2 7\nrestrict G7 I0 1"),
        by_command(Reason::PriceNotPositive, |records| records[0].price_ticks = -20),
        by_limits(Reason::PriceNotOnTick, "tick=7"),
        by_command(Reason::QuantityNotPositive, |records| records[0].quantity_lots = 0),
        by_limits(Reason::QuantityNotOnLot, "lot=7"),
        by_limits(Reason::QuantityBelowMinimum, "min=14"),
        by_limits(Reason::QuantityAboveMaximum, "max=3"),
        by_limits(Reason::NotionalBelowMinimum, "notional_min=241"),
        by_limits(Reason::NotionalAboveMaximum, "notional_max=59"),
        Violation { limits: "down=500000", ..by_state(Reason::PriceOutsideBand, "", "reference I0 100") },
        Violation {
            change: |records| records[0].quantity_lots = 4,
            ..by_state(Reason::QuantityNotAboveExecuted, "sell A3 4 @15", "")
        },
        by_command(Reason::AmendChangesNothing, |records| {
            (records[0].quantity_lots, records[0].price_ticks) = (10, 15);
        }),
        by_rates(Reason::MessageRateExceeded, "messages=0"),
        by_state(Reason::PositionLimitExceeded, "", "position A2 I0 11"),
        by_state(Reason::InsufficientFunds, "", "withdraw A2 quote 800"),
        by_state(Reason::PostOnlyWouldTrade, "sell A3 4 @20", ""),
    ]
}

/// What may be wrong with `amend A2 O1 12 @20 #1 stop=26` when O1 is `buy 10 @15 stop=30`, by the rulebook's order.
fn violations_of_a_waiting_amendment() -> Vec<Violation> {
    use RejectReason as Reason;
    let differs = [Reason::UnknownOrder, Reason::PriceOutsideBand, Reason::PostOnlyWouldTrade];
    let common = |violation: &Violation| !differs.contains(&violation.reason);
    let (mut early, mut late): (Vec<_>, Vec<_>) = violations_of_an_amendment()
        .into_iter()
        .filter(common)
        .partition(|violation| violation.reason < Reason::QuantityNotAboveExecuted);
    // Halts of the instrument and the account come behind what the order has.
    let behind = early.iter().position(|violation| violation.reason == Reason::InstrumentHalted).expect("a halt");
    early.insert(behind, by_command(Reason::UnknownOrder, |records| records[0].order_ref = 99));
    early.insert(behind + 1, by_command(Reason::OrderNotAmendable, |records| conditions(records).trigger = 2));
    early.push(by_command(Reason::TriggerPriceNotPositive, |records| conditions(records).trigger_price_ticks = -25));
    early.push(Violation {
        change: |records| conditions(records).trigger_price_ticks = 26,
        ..by_limits(Reason::TriggerPriceNotOnTick, "tick=5")
    });
    // Nothing of it has traded: its total cannot be too low without being none.
    late.retain(|violation| violation.reason != Reason::QuantityNotAboveExecuted);
    for violation in &mut late {
        if violation.reason == Reason::AmendChangesNothing {
            violation.change = |records| {
                (records[0].quantity_lots, records[0].price_ticks) = (10, 15);
                conditions(records).trigger_price_ticks = 30;
                records.remove(1);
                records[0].header.record_count = 2;
            };
        }
    }
    let at_once = "sell A3 1 @28\nbuy A2 1 @28";
    late.push(by_state(Reason::DuplicateClientOrderId, "buy A2 4 @10 #1", ""));
    late.sort_by_key(|violation| violation.reason as u16);
    late.push(by_state(Reason::WouldTriggerAtOnce, at_once, ""));
    early.extend(late);
    early
}

/// Breaks the rules of `violations`, the first with the last word, and returns the answer to `command`.
fn answer(first: &str, command: &str, violations: &[&Violation]) -> String {
    let mut venue = Venue::poor();
    venue.check("deposit A2 quote 1000\ndeposit A3 base 20\nat 100");
    venue.check(first);
    let join = |part: fn(&Violation) -> &'static str| {
        violations.iter().map(|violation| part(violation)).collect::<Vec<_>>().join(" ")
    };
    violations.iter().for_each(|violation| venue.check(violation.before));
    venue.check(&format!("limits I0 {}", join(|violation| violation.limits)));
    venue.check(&format!("rates A2 {}", join(|violation| violation.rates)));
    violations.iter().for_each(|violation| venue.check(violation.after));
    let mut records = parse(command);
    (records[0].header.session, records[0].header.time_ns) = (9, venue.time_ns);
    violations.iter().rev().for_each(|violation| (violation.change)(&mut records));
    venue.apply(&records)
}

/// Rules that no command can break both.
fn exclude_each_other(a: RejectReason, b: RejectReason) -> bool {
    use RejectReason as Reason;
    let pairs = [
        (Reason::QuantityBelowMinimum, Reason::QuantityAboveMaximum),
        (Reason::NotionalBelowMinimum, Reason::NotionalAboveMaximum),
        // One state.
        (Reason::InstrumentHalted, Reason::InstrumentPaused),
        (Reason::InstrumentHalted, Reason::InstrumentCancelOnly),
        (Reason::InstrumentHalted, Reason::InstrumentClosed),
        (Reason::InstrumentHalted, Reason::InstrumentExpired),
        (Reason::InstrumentPaused, Reason::InstrumentCancelOnly),
        (Reason::InstrumentPaused, Reason::InstrumentClosed),
        (Reason::InstrumentPaused, Reason::InstrumentExpired),
        (Reason::InstrumentCancelOnly, Reason::InstrumentClosed),
        (Reason::InstrumentCancelOnly, Reason::InstrumentExpired),
        (Reason::InstrumentClosed, Reason::InstrumentExpired),
        // An expired instrument has no orders, and no duplicates.
        (Reason::InstrumentExpired, Reason::DuplicateClientOrderId),
        // One price, one tick, and one last trade.
        (Reason::PriceNotOnTick, Reason::TriggerPriceNotOnTick),
        (Reason::TriggerPriceNotPositive, Reason::TriggerPriceNotOnTick),
        (Reason::TriggerPriceNotPositive, Reason::NoTriggerReference),
        (Reason::TriggerPriceNotOnTick, Reason::NoTriggerReference),
        (Reason::NoTriggerReference, Reason::WouldTriggerAtOnce),
    ];
    pairs.contains(&(a, b))
}

/// Breaks each rule alone, and each two of them together: the one that comes first is given.
fn check_precedence(first: &str, command: &str, violations: &[Violation]) {
    for (place, violation) in violations.iter().enumerate() {
        assert_eq!(answer(first, command, &[violation]), violation.reason.name());
        for later in &violations[place + 1..] {
            if !exclude_each_other(violation.reason, later.reason) {
                let given = answer(first, command, &[violation, later]);
                assert_eq!(given, violation.reason.name(), "{} and {}", violation.reason, later.reason);
            }
        }
    }
}

#[test]
fn of_two_reasons_of_a_waiting_order_the_lower_code_is_given() {
    check_precedence("", "buy A2 10 @20 #1 stop=25", &violations_of_a_waiting_order());
}

#[test]
fn of_two_reasons_of_a_new_order_the_lower_code_is_given() {
    let violations = violations_of_a_new_order();
    assert!(violations.is_sorted_by(|a, b| a.reason < b.reason), "the table is in the order of the codes");
    assert_eq!(answer("", "buy A2 10 @20 #1", &[]), "accepted");
    check_precedence("", "buy A2 10 @20 #1", &violations);
}

#[test]
fn of_two_reasons_of_an_amendment_the_rulebooks_first_is_given() {
    let first = "buy A2 10 @15 post";
    assert_eq!(answer(first, "amend A2 O1 12 @20", &[]), "amended O1 12@20 open 12");
    check_precedence(first, "amend A2 O1 12 @20", &violations_of_an_amendment());
}

#[test]
fn of_two_reasons_of_a_waiting_amendment_the_rulebooks_first_is_given() {
    let (first, command) = ("buy A2 10 @15 stop=30", "amend A2 O1 12 @20 #1 stop=26");
    assert_eq!(answer(first, command, &[]), "amended O1 12@20 open 12, waits for 26");
    check_precedence(first, command, &violations_of_a_waiting_amendment());
}

#[test]
fn of_two_reasons_of_an_order_for_auctions_the_lower_code_is_given() {
    assert_eq!(answer("", "buy A2 10 @20 #1 auction", &[]), "accepted");
    check_precedence("", "buy A2 10 @20 #1 auction", &violations_of_an_order_for_auctions());
}

#[test]
fn of_two_reasons_of_a_following_peg_the_lower_code_is_given() {
    assert_eq!(answer("", "buy A2 10 @20 #1 peg=primary", &[]), "accepted, conditions, pegged");
    check_precedence("", "buy A2 10 @20 #1 peg=primary", &violations_of_a_following_peg());
}

#[test]
fn of_two_reasons_of_a_quote_the_rulebooks_first_is_given() {
    assert_eq!(answer("", "quote A2 I0 10@20 -", &[]), "quoted O1 10@20 / -, accepted");
    check_precedence("", "quote A2 I0 10@20 -", &violations_of_a_quote());
}

#[test]
fn a_replacement_is_refused_for_what_the_new_order_is_refused_for() {
    // The old order is not in the way of any of them, and gives up too little to help.
    let (first, command) = ("buy A2 1 @1", "replace A2 O1 with buy 10 @20 #1");
    assert_eq!(answer(first, command, &[]), "cancelled O1 1 Replaced, accepted");
    let of_the_new_order = violations_of_a_new_order();
    let by_state = of_the_new_order.iter().filter(|violation| violation.reason >= RejectReason::VenueHalted);
    for violation in by_state {
        let mut records = parse(command);
        let mut new_order = records.split_off(1);
        (violation.change)(&mut new_order);
        records.extend(new_order);
        // An unknown account has no order to replace.
        if violation.reason != RejectReason::UnknownAccount {
            let Violation { reason, before, limits, rates, after, change: _ } = violation;
            let mut venue = Venue::poor();
            venue.check("deposit A2 quote 1000\ndeposit A3 base 20\nat 100");
            venue.check(first);
            venue.check(before);
            venue.check(&format!("limits I0 {limits}\nrates A2 {rates}"));
            venue.check(after);
            records[0].header.time_ns = venue.time_ns;
            assert_eq!(venue.apply(&records), reason.name());
        }
    }
}

#[test]
fn market_orders_have_an_order_of_their_own() {
    // Without a reference there is no notional: 48 comes before 46 and 47 for an order by quantity.
    Venue::new().check(
        "
        limits I0 notional_min=100 notional_max=200 up=0 down=0
        buy A2 1 market        => NoReferencePrice
        buy A2 1000 market     => NoReferencePrice
        reference I0 10
        buy A2 9 market        => NotionalBelowMinimum
        buy A2 21 market       => NotionalAboveMaximum
        buy A2 20 market       => accepted, expired 20 NoLiquidity
        // By amount the notional is the amount.
        reference I0 0
        buy A2 0q market       => AmountNotPositive
        buy A2 -5q market      => AmountNotPositive
        buy A2 99q market      => NotionalBelowMinimum
        buy A2 201q market     => NotionalAboveMaximum
        buy A2 200q market     => NoReferencePrice
        // Neither tick nor lot nor quantity limits are for it.
        limits I0 tick=7 lot=50 min=50 max=100
        reference I0 10
        buy A2 55q market      => accepted, expired unspent 55 NoLiquidity
        ",
    );
}

#[test]
fn records_that_do_not_belong_together_are_malformed() {
    let mut venue = Venue::new();
    venue.check("buy A2 1 @1 #x");
    let text = parse("buy A2 1 @1 #y");
    let mut with_number = text.clone();
    with_number[0].order_ref = 5;
    let mut without_text = text.clone();
    without_text.truncate(1);
    without_text[0].header.record_count = 1;
    let mut not_text = text.clone();
    not_text[1] = parse("buy A2 1 @1")[0];
    let mut surplus = parse("cancel A2 O1");
    surplus.push(surplus[0]);
    surplus[0].header.record_count = 2;
    let mut surplus_all = parse("cancel-all A2");
    surplus_all.push(surplus_all[0]);
    surplus_all[0].header.record_count = 2;
    let mut surplus_amend = parse("amend A2 O1 2 @1");
    surplus_amend.push(surplus_amend[0]);
    surplus_amend[0].header.record_count = 2;
    let mut surplus_order = parse("buy A2 1 @1");
    surplus_order.push(surplus_order[0]);
    surplus_order[0].header.record_count = 2;
    let mut surplus_replace = parse("replace A2 O1 with buy 1 @1");
    surplus_replace.push(surplus_replace[1]);
    surplus_replace[0].header.record_count = 3;
    let none = {
        let mut records = parse("cancel A2 O1");
        records[0].header.record_count = 0;
        records
    };
    for records in
        [with_number, without_text, not_text, surplus, surplus_all, surplus_amend, surplus_order, surplus_replace, none]
    {
        assert_eq!(venue.apply(&records), "MalformedRecords");
    }
    // A text that is too long for its record, empty, too long for an id, or not printable.
    for (length, byte) in [(57, b'x'), (0, b'x'), (37, b'x'), (3, b' '), (3, 0x7f)] {
        let mut records = text.clone();
        let record: &mut tradewright_types::TextRecord = zerocopy::transmute_mut!(&mut records[1]);
        record.length = length;
        record.bytes = [byte; 56];
        assert_eq!(venue.apply(&records), "InvalidClientOrderId");
    }
    // A text id without the flag that an id is meant; a flag that means nothing for a cancel-all; a side that is none.
    let mut lone_text = parse("cancel A2 #x");
    lone_text[0].flags = OrderFlags::TEXT_ID.0;
    assert_eq!(venue.apply(&lone_text), "InvalidFlags");
    let mut flagged = parse("cancel-all A2");
    flagged[0].flags = OrderFlags::TEXT_ID.0;
    assert_eq!(venue.apply(&flagged), "InvalidFlags");
    let mut sideways = parse("cancel-all A2");
    sideways[0].side = 7;
    assert_eq!(venue.apply(&sideways), "InvalidSide");
    // A client order id of 0 names no order.
    let mut nameless = parse("cancel A2 O0");
    nameless[0].flags = OrderFlags::BY_CLIENT_ORDER_ID.0;
    assert_eq!(venue.apply(&nameless), "UnknownOrder");
}

#[test]
fn combinations_that_exclude_each_other_are_refused() {
    Venue::new().check(
        "
        reference I0 10
        buy A2 1 @10 ioc post      => InvalidCombination
        buy A2 1 @10 fok post      => InvalidCombination
        buy A2 1 @10 market        => InvalidCombination
        buy A2 1 market post       => InvalidCombination
        buy A2 10q @0              => InvalidCombination
        buy A2 10q market fok      => InvalidCombination
        buy A2 10q market post     => InvalidCombination
        buy A2 10q market dec      => InvalidCombination
        buy A2 10q market tr       => InvalidCombination
        ",
    );
    let mut venue = Venue::new();
    let mut resting = parse("buy A2 1 market");
    resting[0].time_in_force = TimeInForce::GoodTillCancel as u8;
    assert_eq!(venue.apply(&resting), "InvalidCombination");
}

#[test]
fn a_stale_command_is_not_counted_and_does_not_move_time() {
    let mut venue = Venue::new();
    venue.check("at 1000000000\nrates A2 messages=2");
    let mut stale = parse("buy A2 1 @1");
    stale[0].header.time_ns = 999_999_999;
    for _ in 0..5 {
        assert_eq!(venue.apply(&stale), "Stale");
    }
    let mut unreadable = parse("buy A2 1 @1");
    unreadable[0].header.time_ns = 5_000_000_000;
    unreadable[0].header.schema_version = 0;
    assert_eq!(venue.apply(&unreadable), "UnknownSchemaVersion");
    assert_eq!(venue.engine.time_ns(), 1_000_000_000);
    venue.check(
        "
        buy A2 0 @1       => QuantityNotPositive
        buy A2 1 @1       => accepted
        cancel A2 O9      => UnknownOrder
        buy A2 1 @1       => MessageRateExceeded
        ",
    );
}

#[test]
fn rates_count_in_whole_seconds_of_engine_time() {
    Venue::new().check(
        "
        rates A2 orders=2 messages=5
        at 999999998
        buy A2 1 @1         => accepted
        buy A2 1 @1         => accepted
        buy A2 1 @1         => OrderRateExceeded
        // An amendment and a cancel are messages and no orders.
        amend A2 O1 2 @1    => amended O1 2@1 open 2
        cancel A2 O2        => cancelled O2 1
        // Cancels are counted and never refused for it; what comes after is.
        cancel A2 O1        => cancelled O1 2
        amend A2 O1 3 @1    => UnknownOrder
        buy A2 1 @1         => MessageRateExceeded
        at 999999999
        buy A2 1 @1         => MessageRateExceeded
        buy A3 1 @1         => accepted
        at 1000000000
        buy A2 1 @1         => accepted
        buy A2 1 @1         => accepted
        buy A2 1 @1         => OrderRateExceeded
        // Nobody sends for two seconds and a half.
        at 3500000000
        buy A2 1 @1         => accepted
        at 18446744073709551615
        buy A2 1 @1         => accepted
        buy A2 1 @1         => accepted
        ",
    );
}

#[test]
fn every_reason_is_reached() {
    let mut reached = BTreeSet::new();
    let mut reach = |given: &str| {
        reached.insert(RejectReason::ALL.iter().copied().find(|reason| reason.name() == given).expect("a reason"));
    };
    for violation in violations_of_a_new_order() {
        reach(&answer("", "buy A2 10 @20 #1", &[&violation]));
    }
    for violation in violations_of_a_waiting_order() {
        reach(&answer("", "buy A2 10 @20 #1 stop=25", &[&violation]));
    }
    for violation in violations_of_an_iceberg() {
        reach(&answer("", "buy A2 10 @20 #1 peak=4", &[&violation]));
    }
    reach(&Venue::new().send("buy A2 10001 @20 peak=1"));
    for violation in violations_of_a_fixed_peg() {
        reach(&answer("", "buy A2 10 @0 #1 peg=primary levels=0", &[&violation]));
    }
    let mut venue = Venue::new();
    venue.check("buy A2 1 @20");
    reach(&venue.send("allocation I0 rule=1"));
    reach(&Venue::new().send("top I0 0 1"));
    let mut venue = Venue::new();
    venue.check("allocation I0 rule=2\nlead I0 A2 1000000\nopen A9 client judy\nopen A10 client mallory");
    reach(&venue.send("lead I0 A3 1"));
    (2..=9).for_each(|account| venue.check(&format!("lead I0 A{account} 1")));
    reach(&venue.send("lead I0 A10 1"));
    let mut venue = Venue::new();
    venue.check("buy A2 10 @20 stop=25");
    reach(&venue.send("amend A2 O1 12 @20 take=25"));
    for (command, expected) in [
        ("replace A2 O1 partial with buy 1 @20", "OrderNotPartiallyFilled"),
        ("replace A2 O1 new partial with buy 1 @20", "RestrictionsExclude"),
    ] {
        assert_eq!(venue.send(command), expected, "{command}");
        reach(expected);
    }
    let mut venue = Venue::new();
    venue.check("buy A2 10 @20\nsell A3 1 @20");
    reach(&venue.send("replace A2 O1 new with buy 1 @20"));
    for violation in violations_of_an_amendment() {
        reach(&answer("buy A2 10 @15 post", "amend A2 O1 12 @20", &[&violation]));
    }
    reach(&Venue::new().send("quote A2 I0 1@9 1@11 I0 1@9 1@11"));
    reach(&Venue::new().send("quote A2 I0 1@11 1@11"));
    let mut venue = Venue::new();
    venue.check("protect A2 fills=1 window=9\nquote A2 I0 1@9 1@11\nsell A3 1 @9");
    reach(&venue.send("quote A2 I0 1@9 1@11"));
    let mut venue = Venue::new();
    venue.check("oco A2 #1 / sell 1 @20 / sell 1 @5 stop=10");
    reach(&venue.send("amend A2 O1 12 @20"));
    reach(&venue.send("oco A2 / sell 1 @20 / sell 1 @5 stop=30"));
    reach(&venue.send("oco A2 / sell 1 @20 / sell 1 @30"));
    reach(&venue.send("oco A2 #1 / sell 1 @20 / sell 1 @5 stop=10"));
    let mut records = parse("oto A2 / sell 1 @20 / sell 1 @30");
    records[0].order_type = 9;
    reach(&venue.apply(&records));
    crate::approvals::refusals().into_iter().for_each(|given| reach(&given));
    let most = (1_i128 << 120) + 1;
    let rest = [
        ("buy A2 1 market", "NoReferencePrice"),
        ("deposit A2 X9 1", "UnknownAsset"),
        ("deposit A2 quote 0", "AmountNotPositive"),
        (&format!("deposit A2 quote {most}"), "AmountTooLarge"),
        ("transfer A2 A2 quote 1 internal", "SameAccount"),
        ("transfer A2 A7 quote 1 internal", "AccountKindsForbidden"),
        ("confirm W1", "UnknownWithdrawal"),
        ("send A2 quote 1 Y0", "SameShard"),
        ("arrived Y1 1", "UnknownTransfer"),
        ("receive A2 quote 1 Y1 0", "TransferAlreadyReceived"),
        ("receive A2 quote 1 Y1 2", "TransferGap"),
        ("asset 9 0 gas", "IdNotNext"),
        ("asset 3 0 g\u{7f}s", "InvalidName"),
        ("asset 3 0 coin", "NameTaken"),
        ("asset 3 31 gas", "SettingOutOfRange"),
        ("list I2 gas base=1 quote=0 tick_lot=0", "UnitsNotWhole"),
        ("fee S0 T0 1 -2", "FeeScheduleNegative"),
        ("state I0 paused", "IllegalStateChange"),
    ];
    for (command, expected) in rest {
        let given = Venue::new().send(command);
        assert_eq!(given, expected, "{command}");
        reach(&given);
    }
    let mut venue = Venue::new();
    venue.check("state I0 preopen\nat 5");
    reach(&venue.send("buy A2 1 @20 ioc"));
    reach(&venue.send("schedule I0 closed none 5"));
    // `crate::sessions` and `crate::keys` have these in their blotters, with the numbers that they tell.
    let elsewhere = [
        RejectReason::ClientSequenceTooOld,
        RejectReason::ClientSequenceGap,
        RejectReason::UnknownKey,
        RejectReason::TooManySessions,
    ];
    reached.extend(elsewhere);
    let missing: Vec<_> = RejectReason::ALL.iter().filter(|reason| !reached.contains(reason)).collect();
    assert!(missing.is_empty(), "no test reaches {missing:?}");
}

#[test]
fn names_are_one_to_32_printable_characters() {
    let long = "n".repeat(32);
    let mut venue = Venue::new();
    venue.check(&format!("asset 3 0 {long} => set"));
    for (length, byte) in [(0, b'x'), (33, b'x'), (255, b'x'), (3, b' '), (3, 0), (3, 0x80)] {
        let mut records = parse("open A9 client frank");
        let record: &mut tradewright_types::NamedRecord = zerocopy::transmute_mut!(&mut records[0]);
        (record.name, record.name_length) = ([byte; 32], length);
        assert_eq!(venue.apply(&records), "InvalidName");
    }
}

#[test]
fn commands_that_only_stand_behind_others_are_unknown() {
    let mut venue = Venue::new();
    for kind in [
        CommandKind::Text,
        CommandKind::InstrumentUnits,
        CommandKind::InstrumentLimits,
        CommandKind::Conditions,
        CommandKind::Breaker,
        CommandKind::ApprovalHash,
        CommandKind::ApprovalBands,
        CommandKind::QuoteEntry,
    ] {
        assert_eq!(venue.apply(&[CommandRecord::new(kind)]), "UnknownCommand");
        assert!(kind.is_continuation());
    }
    for code in (0..=255_u8).filter(|code| CommandKind::from_code(*code).is_none()) {
        let mut record = CommandRecord::new(CommandKind::AdvanceTime);
        record.header.kind = code;
        assert_eq!(venue.apply(&[record]), "UnknownCommand");
    }
}

/// Commands of a random stream with bits flipped anywhere but in their time: whatever they say now, nothing breaks, and what is
/// refused changes nothing.
fn check_garbage(seed: u64, count: usize) {
    let mut random = Random(seed ^ 0x5eed);
    let mut venue = Venue::empty();
    for (n, mut records) in commands(seed, count).into_iter().enumerate() {
        let time_ns = records[0].header.time_ns;
        if n > SET_UP_LENGTH && random.below(3) > 0 {
            let place = random.below(records.len() as u64) as usize;
            let words: &mut [u64; 8] = zerocopy::transmute_mut!(&mut records[place]);
            for _ in 0..=random.below(3) {
                words[random.below(8) as usize] ^= 1 << random.below(64);
            }
        }
        records[0].header.time_ns = time_ns;
        venue.apply(&records);
    }
}

#[test]
fn garbage_breaks_nothing() {
    for seed in 100..106 {
        check_garbage(seed, 400);
    }
}
