//! Placing limit orders, and how they match.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{
    AccountId, ClientOrderId, CommandRecord, EventFlags, EventKind, InstrumentId, OrderFlags, OrderId,
    SelfTradePrevention, Side,
};

use crate::common::{Venue, parse};

#[test]
fn a_taker_trades_at_the_makers_price() {
    Venue::new().check(
        "
        sell A2 2 @10        => accepted
        buy  A3 3 @11        => accepted, O1 2@10
        book I0              => 1@11 |
        balance A2 quote     => 1000020 + 0
        balance A2 base      => 999998 + 0
        balance A3 quote     => 999969 + 11
        balance A3 base      => 1000002 + 0
        buy  A2 5 @12        => accepted
        sell A3 4 @9         => accepted, O3 4@12
        ",
    );
}

#[test]
fn best_price_first_then_time() {
    Venue::new().check(
        "
        sell A2 1 @11 => accepted
        sell A3 2 @10 => accepted
        sell A4 3 @10 => accepted
        sell A2 4 @12 => accepted
        queue I0 sell => O2 2@10 O3 3@10 O1 1@11 O4 4@12
        buy A5 7 @12  => accepted, O2 2@10, O3 3@10, O1 1@11, O4 1@12
        queue I0 sell => O4 3@12

        buy A2 1 @9   => accepted
        buy A3 2 @10  => accepted
        buy A4 3 @10  => accepted
        buy A2 4 @8   => accepted
        queue I0 buy  => O7 2@10 O8 3@10 O6 1@9 O9 4@8
        sell A5 7 @8  => accepted, O7 2@10, O8 3@10, O6 1@9, O9 1@8
        ",
    );
}

#[test]
fn instruments_have_books_of_their_own() {
    Venue::new().check(
        "
        sell A2 1 @10    => accepted
        buy A3 1 @10 I1  => accepted
        book I0          => | 1@10
        book I1          => 1@10 |
        sell A2 1 @10 I1 => accepted, O2 1@10
        balance A3 coin  => 1000001 + 0
        balance A2 base  => 999999 + 1
        ",
    );
}

#[test]
fn prices_far_apart_lose_no_order() {
    // Notional is limited to 2^62: the far ends of the price range with one lot.
    Venue::new().check(
        "
        deposit A6 quote 4611686018427387904
        deposit A6 base 10
        buy A6 1 @4611686018427387000  => accepted
        sell A6 1 @4611686018427387900 => accepted
        buy A3 1 @1                    => accepted
        sell A3 1 @1                   => accepted, O1 1@4611686018427387000
        book I0                        => 1@1 | 1@4611686018427387900
        ",
    );
}

#[test]
fn client_order_ids_are_free_again_when_the_order_is_closed() {
    Venue::new().check(
        "
        sell A2 2 @10 #17      => accepted
        sell A2 2 @10 #17      => DuplicateClientOrderId
        sell A2 2 @10 #16      => accepted
        sell A2 2 @10 #x-17    => accepted, #x-17
        sell A2 2 @10 #x-17    => DuplicateClientOrderId
        sell A3 2 @10 #17      => accepted
        sell A3 2 @10 #x-17    => accepted, #x-17
        buy A4 2 @10 #17       => accepted, O1 2@10
        sell A2 1 @10 #17      => accepted
        cancel A2 #x-17        => cancelled O3 2
        cancel A2 #x-17        => UnknownOrder
        sell A2 1 @11 #x-17    => accepted, #x-17
        sell A2 1 @11 ioc #x-17 => DuplicateClientOrderId
        sell A2 1 @11 ioc #99  => accepted, expired 1 ImmediateOrCancel
        sell A2 1 @11 #99      => accepted
        ",
    );
}

#[test]
fn a_text_id_may_look_like_another_accounts_hash_or_be_as_long_as_allowed() {
    let longest = "x".repeat(ClientOrderId::LENGTH_MAX);
    let mut venue = Venue::new();
    venue.check(&format!(
        "
        sell A2 2 @10 #{longest}  => accepted, #{longest}
        sell A2 2 @10 #{longest}  => DuplicateClientOrderId
        cancel A3 #{longest}      => UnknownOrder
        amend A2 #{longest} 1 @10 => amended O1 1@10 open 1 kept
        replace A2 #{longest} with sell 3 @12 #{longest} => cancelled O1 1 Replaced, accepted, #{longest}
        "
    ));
    let text = ClientOrderId::Text(longest.as_bytes());
    let view = venue.engine.client_order(AccountId(2), &text).expect("it is open");
    assert_eq!((view.id, view.client_order_id), (OrderId(2), text));
    assert!(view.flags.has(OrderFlags::TEXT_ID));
    assert_eq!(view.self_trade_prevention, SelfTradePrevention::None);
    assert_eq!(venue.engine.client_order(AccountId(2), &ClientOrderId::Absent), None);
}

#[test]
fn two_texts_of_one_hash_are_two_orders() {
    // FNV-1a gives both the same 64 bits.
    Venue::new().check(
        "
        sell A2 2 @10 #7mohtcOFVz     => accepted, #7mohtcOFVz
        sell A2 3 @10 #c1E51sSEyx     => accepted, #c1E51sSEyx
        sell A2 3 @10 #c1E51sSEyx     => DuplicateClientOrderId
        cancel A2 #7mohtcOFVz         => cancelled O1 2
        cancel A2 #7mohtcOFVz         => UnknownOrder
        cancel A2 #c1E51sSEyx         => cancelled O2 3
        ",
    );
}

#[test]
fn thousands_of_orders_are_found_by_both_of_their_ids() {
    // Beyond what the engine was made for, so that its tables grow; then closed from the middle of their chains.
    let mut engine = Venue::new().engine;
    let mut events = tradewright_engine::EventBuffer::default();
    let mut apply = |engine: &mut Engine, line: &str| {
        events.clear();
        engine.apply(&parse(line), &mut events);
        assert!(events.as_slice().iter().all(|event| event.kind != EventKind::Rejected as u8), "{line}");
        assert!(!events.is_empty());
    };
    for n in 1..=3_000_u64 {
        let (account, price) = (2 + n % 4, 500 + n % 90);
        let id = if n % 3 == 0 { format!("#t{n}") } else { format!("#{}", n * 1_000_003 % 100_000) };
        apply(&mut engine, &format!("sell A{account} 1 @{price} {id}"));
    }
    engine.check_invariants();
    for n in (1..=3_000_u64).filter(|n| n % 7 != 0) {
        let account = 2 + n % 4;
        let id = if n % 3 == 0 { format!("#t{n}") } else { format!("O{n}") };
        apply(&mut engine, &format!("cancel A{account} {id}"));
        if n % 100 == 0 {
            engine.check_invariants();
        }
    }
    engine.check_invariants();
    assert_eq!(engine.open_order_count(), 428);
    assert!(engine.memory_bytes() > 3_000 * 64);
}

#[test]
fn orders_whose_ids_share_a_chain_are_told_apart() {
    // Ids that are 4,096 apart meet in every table of up to so many heads; the ids between are used up by orders that expire.
    let mut engine = Venue::new().engine;
    let mut events = tradewright_engine::EventBuffer::default();
    let mut apply = |engine: &mut Engine, line: &str| {
        events.clear();
        engine.apply(&parse(line), &mut events);
        crate::common::describe(&events.as_slice()[0])
    };
    for id in 1..=4 * 4_096_u64 {
        let resting = id % 4_096 == 1;
        let line = if resting { format!("sell A2 1 @10 #{id}") } else { "sell A2 1 @10 ioc".to_owned() };
        assert_eq!(apply(&mut engine, &line), "accepted");
    }
    engine.check_invariants();
    for id in [1, 8_193, 4_097, 12_289] {
        assert_eq!(apply(&mut engine, &format!("cancel A2 O{id}")), format!("cancelled O{id} 1"));
        assert_eq!(apply(&mut engine, &format!("cancel A2 O{id}")), "UnknownOrder");
        engine.check_invariants();
    }
    assert_eq!(engine.open_order_count(), 0);
}

#[test]
fn events_carry_shard_epoch_and_the_orders_own_words() {
    let config = EngineConfig { shard: 3, epoch: 8, open_orders_expected: 1 };
    let venue = Venue::new();
    let mut engine = Engine::restore(config, &venue.engine.snapshot()).expect("a snapshot is restored");
    assert_eq!(engine.config(), config);
    let mut events = venue.events.clone();
    events.clear();
    engine.apply_all(&[parse("sell A2 2 @10 post em #5"), parse("buy A3 3 @10 ioc et #x")].concat(), &mut events);
    assert_eq!(events.len(), 5);
    let [sold, bought, text, trade, expired] = *events.as_slice() else { panic!("five events") };
    for event in [sold, bought, text, trade, expired] {
        assert_eq!((event.shard, event.epoch, event.schema_version), (3, 8, tradewright_types::SCHEMA_VERSION));
    }
    assert_eq!((sold.reference, sold.order_flags), (5, OrderFlags::POST_ONLY.0));
    assert_eq!((sold.side, sold.order_type, sold.time_in_force, sold.self_trade_prevention), (1, 1, 1, 2));
    assert_eq!((bought.reference, bought.order_flags, bought.time_in_force), (0, OrderFlags::TEXT_ID.0, 2));
    assert_eq!((text.order_id, text.k, text.instrument), (2, 1, 0));
    assert_eq!((trade.flags, trade.open_lots), (EventFlags::MAKER_DONE.0, 1));
    assert_eq!(EventFlags(expired.flags), EventFlags::LAST);
    assert_eq!((engine.trade_count(InstrumentId(0)), engine.last_order()), (1, OrderId(2)));
    assert_eq!(engine.best(InstrumentId(0), Side::Buy), None);
}

#[test]
fn a_stream_is_split_into_its_commands() {
    let venue = Venue::new();
    let mut engine = venue.engine.clone();
    let mut events = venue.events.clone();
    events.clear();
    // The last command claims a record that is not there: it is taken as far as the stream goes, and refused.
    let mut last = parse("sell A2 2 @10");
    last[0].header.record_count = 2;
    let stream: Vec<CommandRecord> = [parse("sell A2 2 @10 #x"), parse("cancel A2 #x"), last].concat();
    engine.apply_all(&stream, &mut events);
    let given: Vec<String> = events.as_slice().iter().map(crate::common::describe).collect();
    assert_eq!(given, ["accepted", "#x", "cancelled O1 2", "MalformedRecords"]);
    assert_eq!(engine.sequence(), venue.engine.sequence() + 3);
}

#[test]
fn a_stream_may_have_commands_that_their_sessions_numbered() {
    let mut venue = Venue::new();
    venue.check("session A2 desk => opened S1 of A2 at 0, desk");
    let numbered = |text: &str, client_sequence| {
        let mut records = parse(text);
        (records[0].header.session, records[0].header.client_sequence) = (1, client_sequence);
        records
    };
    // The first of them stands behind one without a number; one behind them is a retry.
    let commands = [
        parse("sell A3 2 @10"),
        numbered("buy A2 1 @10", 1),
        parse("sell A3 3 @11"),
        numbered("buy A2 1 @10", 1),
        numbered("buy A2 1 @10", 2),
    ];
    let (mut together, mut alone) = (venue.engine.clone(), venue.engine);
    let (mut events, mut expected) = (EventBuffer::default(), EventBuffer::default());
    together.apply_all(&commands.concat(), &mut events);
    commands.iter().for_each(|command| alone.apply(command, &mut expected));
    assert_eq!(events.as_slice(), expected.as_slice());
    assert_eq!((together.sequence(), together.state_hash()), (alone.sequence(), alone.state_hash()));
    assert_eq!(together.trade_count(InstrumentId(0)), 2, "the retry did not trade again");
}
