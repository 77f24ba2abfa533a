//! Events, field by field: what each tells is what the rulebook says, and nothing else.

use core::fmt::Write;

use tradewright_types::{ANY, EventFlags, EventKind, EventRecord, TextEventRecord};

use crate::common::Venue;

/// An event as `Kind field=value ...`: every field that is not zero, but for those that every event has.
fn fields(event: &EventRecord) -> String {
    let kind = EventKind::from_code(event.kind).expect("a known event");
    let mut text = format!("{kind:?}");
    if matches!(kind, EventKind::ClientOrderIdText | EventKind::ClientListIdText) {
        let record: &TextEventRecord = zerocopy::transmute_ref!(event);
        let id = str::from_utf8(&record.bytes[..record.length as usize]).expect("ASCII");
        write!(text, " order_id={} text={id}", event.order_id).expect("a text");
        return text;
    }
    // Exhaustive on purpose: a new field does not compile until it is considered here.
    let &EventRecord {
        kind: _,
        schema_version: _,
        shard: _,
        flags,
        k: _,
        sequence: _,
        time_ns: _,
        epoch: _,
        instrument,
        order_id,
        counter_order_id,
        account,
        counter_account,
        side,
        order_type,
        time_in_force,
        self_trade_prevention,
        order_flags,
        reason,
        price_ticks,
        quantity_lots,
        open_lots,
        amount,
        counter_amount,
        reference,
        ..
    } = event;
    let mut tell = |name: &str, value: i128| {
        if value != 0 {
            write!(text, " {name}={value}").expect("a text");
        }
    };
    tell("order_id", order_id.into());
    tell("counter_order_id", counter_order_id.into());
    tell("account", account.into());
    tell("counter_account", counter_account.into());
    tell("instrument", if instrument == ANY { -1 } else { instrument.into() });
    tell("side", side.into());
    tell("order_type", order_type.into());
    tell("time_in_force", time_in_force.into());
    tell("self_trade_prevention", self_trade_prevention.into());
    tell("order_flags", order_flags.into());
    tell("reason", reason.into());
    tell("price_ticks", price_ticks.into());
    tell("quantity_lots", quantity_lots.into());
    tell("open_lots", open_lots.into());
    tell("amount", amount.get());
    tell("counter_amount", counter_amount.get());
    tell("reference", reference.into());
    tell("flags", i128::from(flags & !EventFlags::LAST.0));
    text
}

/// Reads a blotter: a line that is indented further is an event of the command above it.
fn check(venue: &mut Venue, blotter: &str) {
    let mut told: Vec<String> = Vec::new();
    for line in blotter.lines().filter(|line| !line.trim().is_empty()) {
        match line.trim().strip_prefix("- ") {
            Some(expected) => {
                assert!(!told.is_empty(), "`{expected}` is not told");
                assert_eq!(told.remove(0), expected);
            }
            None => {
                assert!(told.is_empty(), "told too, before `{}`: {told:#?}", line.trim());
                venue.send(line.trim());
                told = venue.events.as_slice().iter().map(fields).collect();
            }
        }
    }
    assert!(told.is_empty(), "told too: {told:#?}");
}

#[test]
fn what_events_of_settings_and_money_and_orders_tell() {
    let mut venue = Venue::new();
    check(
        &mut venue,
        "
        fee S0 T0 1000 500
            - SettingApplied instrument=-1 price_ticks=1000 quantity_lots=500 open_lots=7
        asset 3 5 gas
            - SettingApplied instrument=3 quantity_lots=5 open_lots=3
        list I2 gas/quote base=3 quote=0 schedule=7
            - SettingApplied instrument=2 order_type=1 order_flags=7 open_lots=4
        open A9 house judy
            - SettingApplied account=9 instrument=-1 order_type=2 open_lots=8
        limits I1 tick=2
            - SettingApplied instrument=1 open_lots=5
        reference I1 50
            - SettingApplied instrument=1 price_ticks=50 open_lots=6
        mark I1 51
            - SettingApplied instrument=1 price_ticks=51 open_lots=16
        index I1 52
            - SettingApplied instrument=1 price_ticks=52 open_lots=17
        allocation I1 rule=2 min=3 fifo=1000 level=1
            - SettingApplied instrument=1 side=2 price_ticks=1000 quantity_lots=3 open_lots=18 reference=1
        allocation I2 rule=3 weight=3
            - SettingApplied instrument=2 side=3 order_type=3 open_lots=18
        top I1 4 100
            - SettingApplied instrument=1 quantity_lots=4 open_lots=49 reference=100
        lead I1 A3 7000
            - SettingApplied account=3 instrument=1 price_ticks=7000 open_lots=46
        protect A5 I1 lots=900 fills=8 window=77
            - SettingApplied account=5 instrument=1 price_ticks=8 quantity_lots=900 open_lots=47 reference=77
        protect A5 fills=8 window=77
            - SettingApplied account=5 instrument=-1 price_ticks=8 open_lots=47 reference=77
        reset A5 I1
            - SettingApplied account=5 instrument=1 open_lots=48
        reset A5
            - SettingApplied account=5 instrument=-1 open_lots=48
        tier A6 0
            - SettingApplied account=6 instrument=-1 open_lots=10
        group A6 9
            - SettingApplied account=6 instrument=-1 quantity_lots=9 open_lots=11
        rates A6 open=5 orders=6 messages=7
            - SettingApplied account=6 instrument=-1 price_ticks=5 quantity_lots=6 open_lots=9 reference=7
        permit A6 15
            - SettingApplied account=6 instrument=-1 quantity_lots=15 open_lots=12
        position A6 I1 99
            - SettingApplied account=6 instrument=1 quantity_lots=99 open_lots=13
        halt A7
            - SettingApplied account=7 instrument=-1 side=2 open_lots=14
        resume A7
            - SettingApplied account=7 instrument=-1 side=2 open_lots=15
        halt venue
            - SettingApplied instrument=-1 open_lots=14
        resume venue
            - SettingApplied instrument=-1 open_lots=15
        halt I2
            - SettingApplied instrument=2 side=1 open_lots=14
            - InstrumentStateChanged instrument=2 order_type=1 reason=3
        resume I2
            - SettingApplied instrument=2 side=1 open_lots=15
            - InstrumentStateChanged instrument=2 self_trade_prevention=1 reason=4
        kill G8
            - SettingApplied instrument=-1 side=3 quantity_lots=8 open_lots=40
        kill S3
            - SettingApplied instrument=-1 side=4 quantity_lots=3 open_lots=40
        kill A8
            - SettingApplied account=8 instrument=-1 side=2 open_lots=40
        release A8
            - SettingApplied account=8 instrument=-1 side=2 open_lots=41
        end S4
            - SettingApplied instrument=-1 quantity_lots=4 open_lots=50
        restrict A8 I1 1
            - SettingApplied account=8 instrument=1 side=2 order_type=1 open_lots=42
        restrict G8 I1 2 cancel
            - SettingApplied instrument=1 side=3 order_type=2 quantity_lots=8 open_lots=42 reference=1
        terms I1 collar=1000 extension=50 extensions=2 call=60
            - SettingApplied instrument=1 order_type=2 price_ticks=1000 quantity_lots=50 open_lots=21 reference=60
        breaker I1 settlement=2000 share=35000 ticks=5 slots=2 slot=10 pause=100 closing=50 short=5
            - SettingApplied instrument=1 price_ticks=2000 quantity_lots=35000 open_lots=22 reference=5
        bands I2 100 200 300 wait=50
            - SettingApplied instrument=2 side=1 price_ticks=300 open_lots=43 amount=100 counter_amount=200 reference=50
        bands A6 7 wait=60
            - SettingApplied account=6 instrument=-1 side=2 open_lots=43 amount=7 reference=60
        bands A6
            - SettingApplied account=6 instrument=-1 side=2 open_lots=43
        schedule I2 auction closing 900
            - SettingApplied instrument=2 side=3 order_type=3 price_ticks=900 open_lots=20
        state I2 preopen
            - SettingApplied instrument=2 side=2 open_lots=19
            - InstrumentStateChanged instrument=2 order_type=2 time_in_force=1 reason=1
        at 5
        deposit A6 quote 500
            - Deposited account=6 amount=500
        withdraw A6 quote 60
            - WithdrawalRequested account=6 amount=60 reference=1
        confirm W1
            - WithdrawalConfirmed account=6 amount=60 reference=1
        withdraw A6 quote 61
            - WithdrawalRequested account=6 amount=61 reference=2
        revoke W2
            - WithdrawalCancelled account=6 amount=61 reference=2
        transfer A6 A2 quote 5 internal
            - Transferred account=6 counter_account=2 amount=5 reference=1
        send A6 quote 9 Y3
            - TransferSent account=6 order_type=3 amount=9 reference=1
        arrived Y3 1
            - TransferConfirmed account=6 order_type=3 amount=9 reference=1
        receive A6 quote 9 Y3 1
            - TransferReceived account=6 order_type=3 amount=9 reference=1
        ",
    );
    check(
        &mut venue,
        "
        S6 sell A2 50 @2000 #17 em
            - OrderAccepted order_id=1 account=2 side=1 order_type=1 time_in_force=1 self_trade_prevention=2 price_ticks=2000 quantity_lots=50 open_lots=2147483649000 reference=17
        S6 sell A3 40 @2000 #text tr
            - OrderAccepted order_id=2 account=3 side=1 order_type=1 time_in_force=1 self_trade_prevention=5 order_flags=8 price_ticks=2000 quantity_lots=40 open_lots=2147483649000
            - ClientOrderIdText order_id=2 text=text
        buy A4 60 @2000 ioc et #5
            - OrderAccepted order_id=3 account=4 order_type=1 time_in_force=2 self_trade_prevention=1 price_ticks=2000 quantity_lots=60 open_lots=2147483649000 reference=5
            - Trade order_id=3 counter_order_id=1 account=4 counter_account=2 price_ticks=2000 quantity_lots=50 open_lots=10 amount=100 counter_amount=50 reference=1 flags=4
            - Trade order_id=3 counter_order_id=2 account=4 counter_account=3 price_ticks=2000 quantity_lots=10 amount=20 counter_amount=10 reference=2 flags=2
        buy A4 300000q market
            - OrderAccepted order_id=4 account=4 order_type=2 time_in_force=2 order_flags=2 price_ticks=8002000 open_lots=2147483649000 amount=300000
            - Trade order_id=4 counter_order_id=2 account=4 counter_account=3 price_ticks=2000 quantity_lots=30 amount=60 counter_amount=30 reference=3 flags=4
            - OrderExpired order_id=4 account=4 reason=12 price_ticks=8002000 amount=239940
        buy A4 0 @5 #4 ioc em post
            - Rejected counter_order_id=80 account=4 counter_account=9 order_type=1 time_in_force=2 self_trade_prevention=2 order_flags=1 reason=15 price_ticks=5 open_lots=64 reference=4
        cancel A9 O77
            - Rejected counter_order_id=81 account=9 counter_account=9 reason=35 open_lots=65 reference=77
        buy A2 1 @1990 stop=2010 trail=3 by=mark until=700 #6
            - OrderAccepted order_id=5 account=2 order_type=1 time_in_force=4 order_flags=16 price_ticks=1990 quantity_lots=1 open_lots=2147483649000 reference=6
            - OrderConditions order_id=5 account=2 order_type=1 time_in_force=1 self_trade_prevention=1 price_ticks=2010 quantity_lots=3 reference=700
        sell A2 5 @2100 hidden=1 min=0
            - OrderAccepted order_id=6 account=2 side=1 order_type=1 time_in_force=1 order_flags=16 price_ticks=2100 quantity_lots=5 open_lots=2147483649000
            - OrderConditions order_id=6 account=2 side=1
            - OrderDisplay order_id=6 account=2 side=1 order_type=1
        sell A2 50 @2100 peak=5 range=4 seed=9 #8
            - OrderAccepted order_id=7 account=2 side=1 order_type=1 time_in_force=1 order_flags=16 price_ticks=2100 quantity_lots=50 open_lots=2147483649000 reference=8
            - OrderConditions order_id=7 account=2 side=1
            - OrderDisplay order_id=7 account=2 side=1 quantity_lots=5 open_lots=4 reference=9
            - OrderRefreshed order_id=7 account=2 side=1 price_ticks=2100 quantity_lots=8 open_lots=50 reference=8
        buy A5 3 @2200 peg=primary away=2 #9
            - OrderAccepted order_id=8 account=5 order_type=1 time_in_force=1 order_flags=16 price_ticks=2200 quantity_lots=3 open_lots=2147483649000 reference=9
            - OrderConditions order_id=8 account=5
            - OrderDisplay order_id=8 account=5 time_in_force=1 price_ticks=2
        buy A5 4 @0 peg=market levels=0
            - OrderAccepted order_id=9 account=5 order_type=1 time_in_force=1 order_flags=16 price_ticks=2100 quantity_lots=4 open_lots=2147483649000
            - OrderConditions order_id=9 account=5
            - OrderDisplay order_id=9 account=5 time_in_force=2 self_trade_prevention=1
            - Trade order_id=9 counter_order_id=7 account=5 counter_account=2 price_ticks=2100 quantity_lots=4 amount=9 counter_amount=5 reference=4 flags=2
        buy A4 1 @2000 ioc min=1
            - OrderAccepted order_id=10 account=4 order_type=1 time_in_force=2 order_flags=16 price_ticks=2000 quantity_lots=1 open_lots=2147483649000
            - OrderConditions order_id=10 account=4 open_lots=1
            - OrderExpired order_id=10 account=4 reason=14 price_ticks=2000 quantity_lots=1
        sell A4 2 @1980 dec
            - OrderAccepted order_id=11 account=4 side=1 order_type=1 time_in_force=1 self_trade_prevention=4 price_ticks=1980 quantity_lots=2 open_lots=2147483649000
        buy A4 1 @1980 dec #3
            - OrderAccepted order_id=12 account=4 order_type=1 time_in_force=1 self_trade_prevention=4 price_ticks=1980 quantity_lots=1 open_lots=2147483649000 reference=3
            - MatchPrevented order_id=12 counter_order_id=11 account=4 counter_account=4 self_trade_prevention=4 price_ticks=1980 quantity_lots=1 open_lots=1 reference=1 flags=2
        amend A4 O11 5 @1980
            - OrderAmended order_id=11 account=4 side=1 price_ticks=1980 quantity_lots=5 open_lots=4
        amend A4 O11 3 @1980 #33
            - OrderAmended order_id=11 account=4 side=1 price_ticks=1980 quantity_lots=3 open_lots=2 reference=33 flags=8
        amend A4 #33 3 @1979 #texts
            - OrderAmended order_id=11 account=4 side=1 price_ticks=1979 quantity_lots=3 open_lots=2
            - ClientOrderIdText order_id=11 text=texts
        cancel A4 O11
            - OrderCancelled order_id=11 account=4 side=1 reason=1 price_ticks=1979 quantity_lots=2
        mark I0 2010
            - SettingApplied price_ticks=2010 open_lots=16
            - OrderTriggered order_id=5 account=2 time_in_force=1 price_ticks=2010 quantity_lots=1 open_lots=2010 reference=6
            - OrderRepriced order_id=8 account=5 price_ticks=1988 quantity_lots=3 reference=9
        buy A4 20 @2100
            - OrderAccepted order_id=13 account=4 order_type=1 time_in_force=1 price_ticks=2100 quantity_lots=20 open_lots=2147483649000
            - Trade order_id=13 counter_order_id=7 account=4 counter_account=2 price_ticks=2100 quantity_lots=4 open_lots=16 amount=9 counter_amount=4 reference=5
            - OrderRefreshed order_id=7 account=2 side=1 price_ticks=2100 quantity_lots=6 open_lots=42 reference=8
            - Trade order_id=13 counter_order_id=7 account=4 counter_account=2 price_ticks=2100 quantity_lots=6 open_lots=10 amount=12 counter_amount=6 reference=6
            - OrderRefreshed order_id=7 account=2 side=1 price_ticks=2100 quantity_lots=8 open_lots=36 reference=8
            - Trade order_id=13 counter_order_id=7 account=4 counter_account=2 price_ticks=2100 quantity_lots=8 open_lots=2 amount=17 counter_amount=9 reference=7
            - OrderRefreshed order_id=7 account=2 side=1 price_ticks=2100 quantity_lots=9 open_lots=28 reference=8
            - Trade order_id=13 counter_order_id=7 account=4 counter_account=2 price_ticks=2100 quantity_lots=2 amount=4 counter_amount=2 reference=8 flags=2
        oco A4 #7 / sell 3 @2200 #71 / sell 3 @1900 stop=1950
            - ListAccepted account=4 order_type=1 quantity_lots=2 open_lots=7 reference=1
            - OrderAccepted order_id=14 account=4 side=1 order_type=1 time_in_force=1 price_ticks=2200 quantity_lots=3 open_lots=2147483649000 reference=71
            - OrderAccepted order_id=15 account=4 side=1 order_type=1 time_in_force=1 order_flags=16 price_ticks=1900 quantity_lots=3 open_lots=2147483649000
            - OrderConditions order_id=15 account=4 side=1 order_type=1 price_ticks=1950
        cancel-list A4 L1
            - OrderCancelled order_id=14 account=4 side=1 reason=1 price_ticks=2200 quantity_lots=3 reference=71
            - OrderCancelled order_id=15 account=4 side=1 reason=1 price_ticks=1900 quantity_lots=3
            - ListDone account=4 order_type=1 open_lots=7 reference=1
        oto A4 #list / buy 3 @1980 / sell 3 @2200
            - ListAccepted account=4 order_type=2 order_flags=8 quantity_lots=2 reference=2
            - ClientListIdText order_id=0 text=list
            - OrderAccepted order_id=16 account=4 order_type=1 time_in_force=1 price_ticks=1980 quantity_lots=3 open_lots=2147483649000
            - OrderAccepted order_id=17 account=4 side=1 order_type=1 time_in_force=1 price_ticks=2200 quantity_lots=3 open_lots=2147483649000
        sell A3 3 @1980
            - OrderAccepted order_id=18 account=3 side=1 order_type=1 time_in_force=1 price_ticks=1980 quantity_lots=3 open_lots=2147483649000
            - Trade order_id=18 counter_order_id=5 account=3 counter_account=2 side=1 price_ticks=1990 quantity_lots=1 open_lots=2 amount=2 counter_amount=1 reference=9 flags=4
            - Trade order_id=18 counter_order_id=8 account=3 counter_account=5 side=1 price_ticks=1988 quantity_lots=2 amount=4 counter_amount=2 reference=10 flags=2
            - OrderRepriced order_id=8 account=5 price_ticks=1978 quantity_lots=1 open_lots=1988 reference=9
        oto A4 / buy 3 @1500 / sell 3 @2200 stop=1400
            - ListAccepted account=4 order_type=2 quantity_lots=2 reference=3
            - OrderAccepted order_id=19 account=4 order_type=1 time_in_force=1 price_ticks=1500 quantity_lots=3 open_lots=2147483649000
            - OrderAccepted order_id=20 account=4 side=1 order_type=1 time_in_force=1 order_flags=16 price_ticks=2200 quantity_lots=3 open_lots=2147483649000
            - OrderConditions order_id=20 account=4 side=1 order_type=1 price_ticks=1400
        sell A3 3 @1500
            - OrderAccepted order_id=21 account=3 side=1 order_type=1 time_in_force=1 price_ticks=1500 quantity_lots=3 open_lots=2147483649000
            - Trade order_id=21 counter_order_id=16 account=3 counter_account=4 side=1 price_ticks=1980 quantity_lots=3 amount=6 counter_amount=3 reference=11 flags=6
            - ListUpdated order_id=17 account=4 side=1 price_ticks=2200 quantity_lots=3 reference=2
            - ListDone account=4 order_type=2 reference=2
            - OrderRepriced order_id=8 account=5 price_ticks=1498 quantity_lots=1 open_lots=1978 reference=9
        sell A3 3 @1500
            - OrderAccepted order_id=22 account=3 side=1 order_type=1 time_in_force=1 price_ticks=1500 quantity_lots=3 open_lots=2147483649000
            - Trade order_id=22 counter_order_id=19 account=3 counter_account=4 side=1 price_ticks=1500 quantity_lots=3 amount=5 counter_amount=3 reference=12 flags=6
            - ListUpdated order_id=20 account=4 side=1 price_ticks=2200 quantity_lots=3 open_lots=1400 reference=3
            - ListDone account=4 order_type=2 reference=3
            - OrderRepriced order_id=8 account=5 quantity_lots=1 open_lots=1498 reference=9
        otoco A4 / sell 1 @5 / buy 1 @4 / buy 0 @9 stop=8
            - Rejected counter_order_id=103 account=4 counter_account=9 order_type=3 reason=93 open_lots=69
        quote A5 I0 2@1400 3@2300 I1 4@40 -
            - QuoteAccepted order_id=23 counter_order_id=24 account=5 price_ticks=1400 quantity_lots=2 open_lots=3 reference=2300
            - QuoteAccepted order_id=25 account=5 instrument=1 price_ticks=40 quantity_lots=4
            - OrderAccepted order_id=23 account=5 order_type=1 time_in_force=1 order_flags=1024 price_ticks=1400 quantity_lots=2 open_lots=2147483649000
            - OrderAccepted order_id=24 account=5 side=1 order_type=1 time_in_force=1 order_flags=1024 price_ticks=2300 quantity_lots=3 open_lots=2147483649000
            - OrderAccepted order_id=25 account=5 instrument=1 order_type=1 time_in_force=1 order_flags=1024 price_ticks=40 quantity_lots=4 open_lots=2147483649000
            - OrderRepriced order_id=8 account=5 price_ticks=1398 quantity_lots=1 reference=9
        quote A5 I0 1@1400 -
            - QuoteAccepted order_id=23 account=5 price_ticks=1400 quantity_lots=1
            - OrderAmended order_id=23 account=5 price_ticks=1400 quantity_lots=1 open_lots=1 flags=8
            - OrderCancelled order_id=24 account=5 side=1 reason=41 price_ticks=2300 quantity_lots=3
        cancel-quotes A5
            - OrderCancelled order_id=23 account=5 reason=2 price_ticks=1400 quantity_lots=1
            - OrderCancelled order_id=25 account=5 instrument=1 reason=2 price_ticks=40 quantity_lots=4
            - OrderRepriced order_id=8 account=5 quantity_lots=1 open_lots=1398 reference=9
        kill A3
            - SettingApplied account=3 instrument=-1 side=2 open_lots=40
        ",
    );
}

#[test]
fn what_events_of_approvals_protection_breakers_and_auctions_tell() {
    check(
        &mut Venue::new(),
        "
        sell A3 1 @100
            - OrderAccepted order_id=1 account=3 side=1 order_type=1 time_in_force=1 price_ticks=100 quantity_lots=1
        buy A2 1 @100
            - OrderAccepted order_id=2 account=2 order_type=1 time_in_force=1 price_ticks=100 quantity_lots=1
            - Trade order_id=2 counter_order_id=1 account=2 counter_account=3 price_ticks=100 quantity_lots=1 reference=1 flags=6
        permit A5 15
            - SettingApplied account=5 instrument=-1 quantity_lots=15 open_lots=12
        permit A6 15
            - SettingApplied account=6 instrument=-1 quantity_lots=15 open_lots=12
        bands I0 500 900 wait=50
            - SettingApplied side=1 open_lots=43 amount=500 counter_amount=900 reference=50
        buy A2 10 @95 #6
            - OrderAccepted order_id=3 account=2 order_type=1 time_in_force=1 price_ticks=95 quantity_lots=10 reference=6
            - ApprovalRequired order_id=3 account=2 order_type=2 price_ticks=95 quantity_lots=10 amount=83974838329100899811433294892218545571 counter_amount=-167059786694307530763871989251124997095 reference=50
        approve A5 O3
            - OrderApproved order_id=3 account=2 counter_account=5 order_type=2 time_in_force=1 price_ticks=95 quantity_lots=10 amount=83974838329100899811433294892218545571 counter_amount=-167059786694307530763871989251124997095 reference=50
        approve A6 O3
            - OrderApproved order_id=3 account=2 counter_account=6 order_type=2 time_in_force=2 price_ticks=95 quantity_lots=10 amount=83974838329100899811433294892218545571 counter_amount=-167059786694307530763871989251124997095 reference=50
            - OrderReleased order_id=3 account=2 price_ticks=95 quantity_lots=10 reference=6
        buy A2 6 @96
            - OrderAccepted order_id=4 account=2 order_type=1 time_in_force=1 price_ticks=96 quantity_lots=6
            - ApprovalRequired order_id=4 account=2 order_type=2 price_ticks=96 quantity_lots=6 amount=144600819363176193221874816147720182368 counter_amount=-88969527156974611164337412449891596959 reference=50
        decline A5 O4
            - ApprovalDeclined order_id=4 account=2 counter_account=5 order_type=2 price_ticks=96 quantity_lots=6 amount=144600819363176193221874816147720182368 counter_amount=-88969527156974611164337412449891596959 reference=50
            - OrderCancelled order_id=4 account=2 reason=37 price_ticks=96 quantity_lots=6
        sell A4 5 @101 stop=98
            - OrderAccepted order_id=5 account=4 side=1 order_type=1 time_in_force=1 order_flags=16 price_ticks=101 quantity_lots=5
            - OrderConditions order_id=5 account=4 side=1 order_type=1 price_ticks=98
            - ApprovalRequired order_id=5 account=4 side=1 order_type=1 price_ticks=101 quantity_lots=5 amount=138340644396211892525630332314443116485 counter_amount=-88238357578049382170797166303568061689 reference=50
        limits I0 lot=7
            - SettingApplied open_lots=5
        approve A5 O5
            - OrderApproved order_id=5 account=4 counter_account=5 side=1 order_type=1 time_in_force=1 price_ticks=101 quantity_lots=5 amount=138340644396211892525630332314443116485 counter_amount=-88238357578049382170797166303568061689 reference=50
            - OrderReleased order_id=5 account=4 side=1 price_ticks=101 quantity_lots=5
            - OrderExpired order_id=5 account=4 side=1 reason=39 price_ticks=101 quantity_lots=5 open_lots=43
        bands I0
            - SettingApplied side=1 open_lots=43
        limits I0
            - SettingApplied open_lots=5
        protect A4 I0 fills=1 window=9
            - SettingApplied account=4 price_ticks=1 open_lots=47 reference=9
        quote A4 I0 2@90 2@110
            - QuoteAccepted order_id=6 counter_order_id=7 account=4 price_ticks=90 quantity_lots=2 open_lots=2 reference=110
            - OrderAccepted order_id=6 account=4 order_type=1 time_in_force=1 order_flags=1024 price_ticks=90 quantity_lots=2
            - OrderAccepted order_id=7 account=4 side=1 order_type=1 time_in_force=1 order_flags=1024 price_ticks=110 quantity_lots=2
        buy A3 1 @110
            - OrderAccepted order_id=8 account=3 order_type=1 time_in_force=1 price_ticks=110 quantity_lots=1
            - Trade order_id=8 counter_order_id=7 account=3 counter_account=4 price_ticks=110 quantity_lots=1 reference=2 flags=2
            - QuoteProtectionTriggered order_id=7 account=4 order_type=2 quantity_lots=1 open_lots=1 reference=9
            - OrderCancelled order_id=6 account=4 reason=42 price_ticks=90 quantity_lots=2
            - OrderCancelled order_id=7 account=4 side=1 reason=42 price_ticks=110 quantity_lots=1
        breaker I0 ticks=5 slots=10 slot=10 pause=100
            - SettingApplied open_lots=22 reference=5
        sell A2 4 @116
            - OrderAccepted order_id=9 account=2 side=1 order_type=1 time_in_force=1 price_ticks=116 quantity_lots=4
        terms I0 call=50
            - SettingApplied open_lots=21 reference=50
        buy A3 1 @116
            - OrderAccepted order_id=10 account=3 order_type=1 time_in_force=1 price_ticks=116 quantity_lots=1
            - BreakerTripped order_id=10 account=3 order_type=2 price_ticks=116 reference=100
            - InstrumentStateChanged order_type=4 time_in_force=4 reason=5 reference=100
        at 100
            - InstrumentStateChanged order_type=3 time_in_force=4 self_trade_prevention=4 reason=7 reference=150
            - AuctionIndication time_in_force=4 price_ticks=116 quantity_lots=1 amount=-3
        buy A3 4 @115 auction
            - OrderAccepted order_id=11 account=3 order_type=1 time_in_force=8 price_ticks=115 quantity_lots=4
        sell A2 3 @115
            - OrderAccepted order_id=12 account=2 side=1 order_type=1 time_in_force=1 price_ticks=115 quantity_lots=3
            - AuctionIndication time_in_force=4 price_ticks=115 quantity_lots=3 amount=2
        at 150
            - Trade order_id=10 counter_order_id=12 account=3 counter_account=2 price_ticks=115 quantity_lots=1 reference=3 flags=34
            - Trade order_id=11 counter_order_id=12 account=3 counter_account=2 price_ticks=115 quantity_lots=2 open_lots=2 reference=4 flags=36
            - AuctionUncrossed time_in_force=4 price_ticks=115 quantity_lots=3 amount=2
            - OrderExpired order_id=11 account=3 reason=25 price_ticks=115 quantity_lots=2
            - InstrumentStateChanged self_trade_prevention=3 reason=8
        close 100
            - SettingApplied instrument=-1 price_ticks=100 open_lots=23
        level 92
            - SettingApplied instrument=-1 price_ticks=92 open_lots=24
            - MarketWideLevelReached instrument=-1 order_type=1 price_ticks=92 reference=900000000150
            - InstrumentStateChanged order_type=4 time_in_force=4 reason=6 reference=900000000150
            - InstrumentStateChanged instrument=1 order_type=4 time_in_force=4 reason=6 reference=900000000150
        state I1 closed
            - SettingApplied instrument=1 side=6 open_lots=19
            - InstrumentStateChanged instrument=1 order_type=6 self_trade_prevention=4 reason=1
        ",
    );
    check(
        &mut Venue::new(),
        "
        buy A3 1 @100 I1
            - OrderAccepted order_id=1 account=3 instrument=1 order_type=1 time_in_force=1 price_ticks=100 quantity_lots=1
        sell A2 1 @100 I1
            - OrderAccepted order_id=2 account=2 instrument=1 side=1 order_type=1 time_in_force=1 price_ticks=100 quantity_lots=1
            - Trade order_id=2 counter_order_id=1 account=2 counter_account=3 instrument=1 side=1 price_ticks=100 quantity_lots=1 reference=1 flags=6
        buy A3 1 @94 I1
            - OrderAccepted order_id=3 account=3 instrument=1 order_type=1 time_in_force=1 price_ticks=94 quantity_lots=1
        breaker I1 ticks=5 slots=10 slot=10 pause=100
            - SettingApplied instrument=1 open_lots=22 reference=5
        sell A2 1 @94 #7 I1
            - OrderAccepted order_id=4 account=2 instrument=1 side=1 order_type=1 time_in_force=1 price_ticks=94 quantity_lots=1 reference=7
            - BreakerTripped order_id=4 account=2 instrument=1 side=1 order_type=2 price_ticks=94 reference=100
            - InstrumentStateChanged instrument=1 order_type=4 time_in_force=4 reason=5 reference=100
        at 100
            - InstrumentStateChanged instrument=1 order_type=3 time_in_force=4 self_trade_prevention=4 reason=7 reference=30000000100
            - AuctionIndication instrument=1 time_in_force=4 price_ticks=94 quantity_lots=1
        buy A2 1 @90 I1
            - OrderAccepted order_id=5 account=2 instrument=1 order_type=1 time_in_force=1 price_ticks=90 quantity_lots=1
        buy A2 7 @1 hidden=1
            - OrderAccepted order_id=6 account=2 order_type=1 time_in_force=1 order_flags=16 price_ticks=1 quantity_lots=7
            - OrderConditions order_id=6 account=2
            - OrderDisplay order_id=6 account=2 order_type=1
        ",
    );
}
