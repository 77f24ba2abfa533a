//! Lists: one order cancels another, one starts others.

use tradewright_engine::EventBuffer;
use tradewright_types::{ClientOrderId, CommandKind, CommandRecord, EventKind, OrderFlags, RejectReason};

use crate::common::{Venue, parse};

/// A venue in which the last trade was at 100, with asks at 103 to 105 and bids at 97 to 95 of ten lots each.
fn traded() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 1 @100          => accepted
        buy A3 1 @100           => accepted, O1 1@100
        sell A2 10 @103
        sell A2 10 @104
        sell A2 10 @105
        buy A3 10 @97
        buy A3 10 @96
        buy A3 10 @95
        ",
    );
    venue
}

#[test]
fn a_pair_holds_once_and_its_trade_cancels_the_stop() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 #7 / sell 5 @102 / sell 5 market stop=98   => L1 accepted, accepted, accepted, waits for 98
        balance A4 base     => 999995 + 5
        orders A4           => O9 O10
        waits O10           => 98
        book I0             => 10@97 10@96 10@95 | 5@102 10@103 10@104 10@105
        buy A5 2 @102       => accepted, cancelled O10 5 OtherLegExecuted, L1 done, O9 2@102
        balance A4 base     => 999995 + 3
        order O9            => 3 of 5 @102 prevented 0
        cancel A4 O9        => cancelled O9 3
        balance A4 base     => 999998 + 0
        ",
    );
}

#[test]
fn the_trigger_of_a_pair_cancels_its_limit() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 post / sell 5 @90 stop=98
        sell A5 1 @97 ioc   => accepted, O6 1@97, cancelled O9 5 OtherLegExecuted, L1 done, fires O10 5 at 98 by 97, O6 5@97
        balance A4 base     => 999995 + 0
        orders A4           =>
        ",
    );
}

#[test]
fn a_pair_of_bids_holds_the_larger_and_counts_once() {
    let mut venue = traded();
    venue.check(
        "
        position A4 I0 1000005
        oco A4 / buy 5 @98 / buy 5 @110 stop=101    => L1 accepted, accepted, accepted, waits for 101
        balance A4 quote    => 999450 + 550
        buy A4 1 @90        => PositionLimitExceeded
        sell A5 5 @98       => accepted, cancelled O10 5 OtherLegExecuted, L1 done, O9 5@98
        balance A4 quote    => 999510 + 0
        balance A4 base     => 1000005 + 0
        ",
    );
}

#[test]
fn two_triggers_can_be_a_pair() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @99 take=103 / sell 5 @90 stop=98    => L1 accepted, accepted, waits for 103, accepted, waits for 98
        balance A4 base     => 999995 + 5
        buy A5 1 @103 ioc   => accepted, O3 1@103, cancelled O10 5 OtherLegExecuted, L1 done, fires O9 5 at 103 by 103
        book I0             => 10@97 10@96 10@95 | 5@99 9@103 10@104 10@105
        ",
    );
}

#[test]
fn a_fired_leg_never_comes_to_the_market_when_its_pair_trades_first() {
    let mut venue = traded();
    // The sweep trades at 98, which fires the stop, then takes the limit before the stop's turn comes.
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=98
        sell A5 1 @98
        buy A3 4 @102       => accepted, O11 1@98, cancelled O10 5 OtherLegExecuted, L1 done, O9 3@102
        order O9            => 2 of 5 @102 prevented 0
        ",
    );
    // Nor is a fill-or-kill order deceived by an offer that its own first trade would take away.
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=98
        sell A5 1 @98
        buy A3 6 @102 fok   => accepted, O11 1@98, cancelled O10 5 OtherLegExecuted, L1 done, O9 5@102
        ",
    );
}

#[test]
fn the_end_of_a_leg_is_the_end_of_its_list() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=98
        cancel A4 O10       => cancelled O10 5, cancelled O9 5 ListClosed, L1 done
        oco A4 #list / sell 5 @102 #a / sell 5 market stop=98 #b => L2 accepted, list #list, accepted, #a, accepted, #b, waits for 98
        cancel-list A4 #list => cancelled O11 5, cancelled O12 5, L2 done
        cancel-list A4 #list => UnknownOrder
        oco A4 / sell 5 @102 until=50 / sell 5 market stop=98
        at 60               => expired O13 5 GoodTillDate, cancelled O14 5 ListClosed, L3 done
        oto A4 / buy 5 @98 / sell 5 @110
        cancel A4 O16       => cancelled O16 5, cancelled O15 5 ListClosed, L4 done
        oco A4 / sell 5 @102 / sell 5 market stop=98
        oto A4 / buy 5 @98 / sell 5 @110
        cancel-all A4 sell  => cancelled O17 5 CancelledAll, cancelled O18 5 ListClosed, L5 done, cancelled O20 5 CancelledAll, cancelled O19 5 ListClosed, L6 done
        oto A4 / buy 50 @98 / sell 5 @110
        cancel-list A4 L7   => cancelled O21 50, cancelled O22 5, L7 done
        cancel-list A3 L7   => UnknownOrder
        cancel-list A99 L7  => UnknownAccount
        balance A4 base     => 1000000 + 0
        balance A4 quote    => 1000000 + 0
        ",
    );
}

#[test]
fn a_pending_leg_starts_when_the_working_one_is_filled() {
    let mut venue = traded();
    venue.check(
        "
        oto A4 / buy 5 @98 / sell 5 @99     => L1 accepted, accepted, accepted
        balance A4 quote    => 999510 + 490
        balance A4 base     => 1000000 + 0
        sell A5 3 @98       => accepted, O9 3@98
        sell A5 2 @98       => accepted, O9 2@98, starts O10 5@99, L1 done
        balance A4 base     => 1000000 + 5
        queue I0 sell       => O10 5@99 O3 10@103 O4 10@104 O5 10@105
        amend A4 O10 5 @101 => amended O10 5@101 open 5
        ",
    );
}

#[test]
fn a_pending_market_order_trades_when_it_starts() {
    let mut venue = traded();
    venue.check(
        "
        oto A4 / sell 5 @103 / buy 2 market
        buy A5 15 @103      => accepted, O3 10@103, O9 5@103, starts O10 2@412103, L1 done, O4 2@104
        oto A4 / buy 2 @104 / sell 2 market => L2 accepted, accepted, accepted, O4 2@104, starts O13 2@1, L2 done, O6 2@97
        ",
    );
}

#[test]
fn a_working_leg_that_ends_otherwise_takes_the_pending_ones() {
    let mut venue = traded();
    venue.check(
        "
        oto A4 / buy 11 @103 ioc / sell 5 @110  => L1 accepted, accepted, accepted, O3 10@103, expired 1 ImmediateOrCancel, cancelled O10 5 ListClosed, L1 done
        oto A4 / buy 11 @104 fok / sell 5 @110  => L2 accepted, accepted, accepted, expired 11 FillOrKill, cancelled O12 5 ListClosed, L2 done
        oto A4 / buy 10 @104 fok / sell 5 @110  => L3 accepted, accepted, accepted, O4 10@104, starts O14 5@110, L3 done
        oto A4 / sell 5 @101 em / buy 5 @90
        buy A4 1 @101 em    => accepted, cancelled O16 5 ListClosed, L4 done, prevented O15 0/5@101 ExpireMaker
        ",
    );
}

#[test]
fn prevention_that_takes_a_part_of_a_leg_unties_it() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=98
        buy A4 2 @102 dec   => accepted, cancelled O10 5 OtherLegExecuted, L1 done, prevented O9 2/2@102 Decrement
        balance A4 base     => 999997 + 3
        oto A4 / buy 4 @102 dec / sell 4 @110  => L2 accepted, accepted, accepted, cancelled O13 4 ListClosed, L2 done, prevented O9 3/3@102 Decrement
        order O12           => 1 of 4 @102 prevented 3
        ",
    );
}

#[test]
fn a_pair_starts_when_the_working_leg_is_filled() {
    let mut venue = traded();
    venue.check(
        "
        otoco A4 / buy 5 @98 / sell 5 @102 / sell 5 market stop=95   => L1 accepted, accepted, accepted, accepted, waits for 95
        waits O11           => no
        sell A5 5 @98       => accepted, O9 5@98, starts O10 5@102, starts O11 5@1 waits for 95
        balance A4 base     => 1000000 + 5
        waits O11           => 95
        sell A5 21 @95      => accepted, O6 10@97, O7 10@96, O8 1@95, cancelled O10 5 OtherLegExecuted, L1 done, fires O11 5 at 95 by 95, O8 5@95
        balance A4 base     => 1000000 + 0
        ",
    );
}

#[test]
fn a_pending_leg_that_cannot_start_ends_the_list() {
    let mut venue = traded();
    venue.check(
        "
        oto A4 / buy 5 @98 / sell 2000000 @99
        sell A5 5 @98       => accepted, O9 5@98, expired O10 2000000 RefusedAtStart InsufficientFunds, L1 done
        otoco A4 / buy 5 @98 / sell 5 @102 / sell 5 market stop=99
        sell A5 5 @98       => accepted, O12 5@98, expired O14 5 RefusedAtStart WouldTriggerAtOnce, cancelled O13 5 ListClosed, L2 done
        otoco A4 / buy 5 @98 / sell 5 @94 / sell 5 market stop=93
        sell A5 5 @98       => accepted, O16 5@98, expired O17 5 RefusedAtStart ListPricesOutOfOrder, cancelled O18 5 ListClosed, L3 done
        balance A4 base     => 1000015 + 0
        ",
    );
}

#[test]
fn a_pair_that_meets_somebody_comes_to_the_market_alone() {
    let mut venue = traded();
    // The last trade was at 100, but somebody bids 102 since.
    venue.check(
        "
        buy A5 3 @102
        oco A4 / sell 5 @101 / sell 5 market stop=98   => L1 accepted, accepted, accepted, waits for 98, cancelled O11 5 OtherLegExecuted, L1 done, O9 3@102
        balance A4 base     => 999995 + 2
        buy A5 3 @102
        oco A4 / sell 5 @101 post / sell 5 market stop=98   => PostOnlyWouldTrade leg 1
        ",
    );
}

#[test]
fn lists_fill_lists() {
    let mut venue = traded();
    // The stop of one list trades with the working leg of another, whose pair then starts.
    venue.check(
        "
        otoco A4 / buy 5 @94 / sell 5 @102 / sell 5 market stop=90
        oco A2 / sell 35 @101 / sell 35 @94 stop=97
        sell A5 1 @97 ioc   => accepted, O6 1@97, cancelled O12 35 OtherLegExecuted, L2 done, fires O13 35 at 97 by 97, O6 9@97, O7 10@96, O8 10@95, O9 5@94, starts O10 5@102, starts O11 5@1 waits for 90
        book I0             =>  | 1@94 5@102 10@103 10@104 10@105
        ",
    );
}

#[test]
fn a_thousand_lists_on_one_trigger_price() {
    let mut venue = traded();
    let mut buffer = EventBuffer::default();
    for _ in 0..1_000 {
        let mut records = parse("oco A4 / sell 1 @102 / sell 1 @50 stop=98");
        records[0].header.time_ns = venue.time_ns;
        venue.engine.apply(&records, &mut buffer);
    }
    buffer.clear();
    venue.engine.apply(&parse("sell A5 1 @97 ioc"), &mut buffer);
    let count = |kind: EventKind| buffer.as_slice().iter().filter(|event| event.kind == kind as u8).count();
    assert_eq!((count(EventKind::ListDone), count(EventKind::OrderTriggered)), (1_000, 1_000));
    assert_eq!((count(EventKind::OrderCancelled), count(EventKind::Trade)), (1_000, 30));
    venue.engine.check_invariants();
}

#[test]
fn legs_of_a_list_are_neither_amended_nor_replaced() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=98
        oto A4 / buy 5 @98 / sell 5 @110
        amend A4 O9 3 @102              => OrderInList
        amend A4 O10 3 @102             => OrderInList
        amend A4 O12 3 @102             => OrderInList
        replace A4 O11 with buy 5 @97   => OrderInList
        replace A4 O11 allow with buy 5 @97         => accepted, OrderInList
        replace A4 O11 allow with buy 5000000 @97   => OrderInList, InsufficientFunds
        replace A4 O11 cancel-only with buy 5 @97   => OrderInList
        replace A4 O99 with buy 5 @97   => UnknownOrder
        halt I0
        amend A4 O9 3 @102              => OrderInList
        replace A4 O11 with buy 5 @97   => InstrumentHalted
        cancel A4 O11                   => cancelled O11 5, cancelled O12 5 ListClosed, L2 done
        ",
    );
}

#[test]
fn every_leg_counts() {
    let mut venue = traded();
    venue.check(
        "
        rates A4 orders=2
        otoco A4 / buy 5 @98 / sell 5 @102 / sell 5 market stop=95   => OrderRateExceeded leg 1
        at 1000000000
        oco A4 / sell 5 @102 / sell 5 market stop=98
        oco A4 / sell 5 @102 / sell 5 market stop=98                 => OrderRateExceeded leg 1
        rates A4 open=4
        otoco A4 / buy 5 @98 / sell 5 @102 / sell 5 market stop=95   => OpenOrderLimitExceeded leg 3
        otoco A4 / buy 5 @98 ioc / sell 5 @102 / sell 5 market stop=95 => L2 accepted, accepted, accepted, accepted, waits for 95, expired 5 ImmediateOrCancel, cancelled O12 5 ListClosed, cancelled O13 5 ListClosed, L2 done
        ",
    );
}

#[test]
fn a_refusal_tells_which_leg_it_is_about() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=100                => WouldTriggerAtOnce leg 2
        oco A4 / sell 5 @99 / sell 5 market stop=98                  => ListPricesOutOfOrder
        oco A4 / buy 5 @101 / buy 5 @101 stop=103                    => ListPricesOutOfOrder
        oco A4 / sell 5 @99 take=101 / sell 5 market stop=99 trail=1 => L1 accepted, accepted, waits for 101, accepted, waits for 99
        oco A4 / sell 5 @102 / sell 4 market stop=98                 => LegsDoNotFit
        oco A4 / sell 5 @102 / buy 5 market stop=103                 => LegsDoNotFit
        oco A4 / sell 5 @102 ioc / sell 5 market stop=98             => LegsDoNotFit
        oco A4 / sell 5 @102 / sell 5 @98                            => LegsDoNotFit
        oco A4 / sell 5 market stop=98 / sell 5 @102                 => LegsDoNotFit
        oto A4 / sell 5 market / sell 5 @102                         => LegsDoNotFit
        oto A4 / sell 5 @102 stop=98 / sell 5 @102                   => LegsDoNotFit
        oto A4 / sell 5 @102 / buy 100q market                       => LegsDoNotFit
        otoco A4 / buy 5 @98 / sell 5 @98 / sell 5 @102              => LegsDoNotFit
        oto A4 / sell 5 @102 day / buy 5 @98                         => LegsDoNotFit
        oto A4 / sell 5 @102 / buy 5 @98 opening                     => LegsDoNotFit
        oto A4 / sell 5 @102 hidden=1 / buy 5 @98                    => LegsDoNotFit
        oco A4 / sell 5 @102 peak=2 / sell 5 market stop=98          => LegsDoNotFit
        oto A4 / sell 5 @102 / buy 5 @98 peg=market                  => LegsDoNotFit
        oto A4 / sell 5 @102 / buy 5 @98 peg=market levels=0         => InvalidDisplay leg 2
        oto A4 / sell 5 @102 #5 / buy 5 @98 #5                       => DuplicateClientOrderId leg 2
        oto A4 #1 / sell 5 @102 / buy 5 @98 #5
        oto A4 #1 / sell 5 @102 / buy 5 @98                          => DuplicateListId
        oto A4 #2 / sell 5 @102 / buy 5 @98 #5                       => DuplicateClientOrderId leg 2
        oto A5 #1 / sell 5 @102 / buy 5 @98
        oco A4 / sell 5 @102                                         => MalformedRecords leg 2
        oco A4 / sell 5 @102 / sell 5 @90 stop=98 / sell 5 @101      => MalformedRecords
        otoco A4 / sell 5 @102 / sell 5 @90 stop=98                  => MalformedRecords leg 3
        oto A4 / sell 5 @102 / sell 5 @90 stop=98 post               => InvalidCombination leg 2
        oto A4 / sell 5 @102 / sell 0 @90                            => QuantityNotPositive leg 2
        oto A4 I7 / sell 5 @102 I7 / sell 1 @90 I7                   => UnknownInstrument leg 1
        oto A4 / sell 5 @102 / sell 1 @90 I1                         => MalformedRecords leg 2
        oto A4 / sell 3000000 @102 / sell 1 @90                      => InsufficientFunds leg 1
        oto A4 / sell 5 @102 / sell 1 @90 until=0                    => InvalidCombination leg 2
        oto A4 / sell 5 @102 / sell 1 @90 stop=-3                    => TriggerPriceNotPositive leg 2
        ",
    );
    let mut refused = |change: fn(&mut Vec<CommandRecord>)| {
        let mut records = parse("oco A4 / sell 5 @102 / sell 5 market stop=98");
        change(&mut records);
        records[0].header.record_count = records.len() as u16;
        venue.apply(&records)
    };
    let invalid = RejectReason::InvalidContingency.name();
    assert_eq!(refused(|records| records[0].order_type = 4), invalid);
    assert_eq!(refused(|records| records[0].order_type = 0), invalid);
    assert_eq!(refused(|records| records[0].side = 1), invalid);
    assert_eq!(refused(|records| records[0].time_in_force = 1), invalid);
    assert_eq!(refused(|records| records[0].self_trade_prevention = 1), invalid);
    assert_eq!(refused(|records| records[0].reserved = 1), invalid);
    assert_eq!(refused(|records| records[0].price_ticks = 1), invalid);
    assert_eq!(refused(|records| records[0].quantity_lots = 1), invalid);
    assert_eq!(refused(|records| records[0].flags = OrderFlags::POST_ONLY.0), RejectReason::InvalidFlags.name());
    assert_eq!(refused(|records| records[1].account = 5), "MalformedRecords leg 1");
    assert_eq!(refused(|records| records[1].header.kind = CommandKind::CancelOrder as u8), "MalformedRecords leg 1");
    let text = |records: &mut Vec<CommandRecord>| {
        records[0].flags = OrderFlags::TEXT_ID.0;
        records.insert(1, CommandRecord::text(&ClientOrderId::Text(b"17")).expect("a text"));
    };
    assert_eq!(refused(text), RejectReason::InvalidClientOrderId.name());
}

#[test]
fn a_fixed_peg_finds_its_price_when_its_leg_comes_in_or_starts() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @0 peg=primary levels=1 / sell 5 market stop=98 => L1 accepted, accepted, conditions, pegged, accepted, waits for 98
        queue I0 sell       => O3 10@103 O4 10@104 O9 5@104 O5 10@105
        buy A5 21 @104      => accepted, O3 10@103, O4 10@104, cancelled O10 5 OtherLegExecuted, L1 done, O9 1@104
        oto A4 / buy 2 @0 peg=market levels=0 / sell 2 @0 peg=primary levels=1 => L2 accepted, accepted, conditions, pegged, accepted, conditions, pegged, O9 2@104, starts O13 2@105, L2 done
        queue I0 sell       => O9 2@104 O5 10@105 O13 2@105
        oto A4 / buy 2 @0 peg=primary levels=0 post / sell 2 @0 peg=market levels=0 => L3 accepted, accepted, conditions, pegged, accepted, conditions, pegged
        sell A5 12 @97      => accepted, O6 10@97, O14 2@97, starts O15 2@96, L3 done, O7 2@96
        // Without a level there is no price, on entry and at the start.
        oto A4 / buy 2 @0 peg=primary levels=7 / sell 2 @110    => NoPegReference leg 1
        oco A4 / sell 2 @0 peg=market levels=0 / sell 2 market stop=90 => ListPricesOutOfOrder
        otoco A4 / buy 1 @96 / sell 1 @0 peg=primary levels=7 / sell 1 market stop=90 => L4 accepted, accepted, accepted, conditions, pegged, accepted, waits for 90
        sell A5 9 @96       => accepted, O7 8@96, O17 1@96, expired O18 1 RefusedAtStart NoPegReference, cancelled O19 1 ListClosed, L4 done
        oto A4 / buy 1 @90 / sell 1 @0 peg=primary              => LegsDoNotFit
        oco A4 / sell 1 @110 peg=primary / sell 1 market stop=90 => LegsDoNotFit
        oto A4 / buy 1 @80 peg=mid / sell 1 @110                => LegsDoNotFit
        ",
    );
}

#[test]
fn a_leg_that_betters_the_market_is_top() {
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=2 min=1
        top I0 1 100
        sell A2 10 @104
        sell A3 10 @103
        oco A4 / sell 6 @102 / sell 6 market stop=98
        sell A3 10 @102
        // In time order the leg comes first; as TOP it is served before the split, and whole.
        buy A5 6 @102       => accepted, cancelled O4 6 OtherLegExecuted, L1 done, O3 6@102
        ",
    );
}

#[test]
fn controls_take_lists_whole() {
    let mut venue = traded();
    venue.check(
        "
        otoco A4 / buy 5 @98 / sell 5 @110 / sell 5 market stop=90
        oco A4 / sell 5 @102 / sell 5 market stop=95
        restrict A4 I0 1 cancel => set, cancelled O9 5 Restricted, cancelled O10 5 ListClosed, cancelled O11 5 ListClosed, L1 done
        oto A4 / sell 5 @103 / buy 5 @90                        => AccountRestricted leg 2
        restrict A4 I0 0
        oto A4 / sell 5 @103 / buy 5 @90
        // Whichever leg is forbidden, the list goes.
        restrict A4 I0 1 cancel => set, cancelled O15 5 Restricted, cancelled O14 5 ListClosed, L3 done
        restrict A4 I0 0
        oto A4 / buy 5 @98 / sell 5 @110
        kill A4             => set, cancelled O12 5 KillSwitch, cancelled O13 5 ListClosed, L2 done, cancelled O16 5 KillSwitch, cancelled O17 5 ListClosed, L4 done
        balance A4 base     => 1000000 + 0
        balance A4 quote    => 1000000 + 0
        ",
    );
    // What a restriction forbids when it starts is refused.
    let mut venue = traded();
    venue.check(
        "
        oto A4 / buy 5 @98 / sell 5 @110
        restrict A4 I0 2    => set
        sell A5 5 @98       => accepted, O9 5@98, expired O10 5 RefusedAtStart AccountRestricted, L1 done
        ",
    );
}

#[test]
fn lists_live_through_calls_and_end_with_their_instrument() {
    let mut venue = traded();
    venue.check(
        "
        oco A4 / sell 5 @102 / sell 5 market stop=95
        oto A4 / buy 5 @98 / sell 5 @101
        state I0 auction intraday   => set, Auction Intraday
        oto A4 / buy 5 @98 / sell 5 @101                        => ImmediateInCall
        buy A5 3 @102               => accepted, would trade 3@102 -2
        // A leg that trades in an auction is executed.
        state I0 continuous         => set, cancelled O10 5 OtherLegExecuted, L1 done, O13 O9 3@102, uncrossed 3@102 -2, Continuous
        balance A4 base             => 999995 + 2
        state I0 auction intraday   => set, Auction Intraday
        sell A5 5 @98               => accepted, would trade 5@98 +0
        state I0 continuous         => set, O11 O14 5@98, uncrossed 5@98 +0, Continuous, starts O12 5@101, L2 done
        // Where nothing trades behind the auction nothing starts.
        oto A4 / buy 5 @98 / sell 5 @101
        state I0 auction closing    => set, Auction Closing
        sell A5 5 @98
        state I0 closed             => set, O15 O17 5@98, uncrossed 5@98 +0, Closed, expired O16 5 RefusedAtStart InstrumentClosed, L3 done
        state I0 preopen
        state I0 continuous
        oco A4 / sell 5 @102 / sell 5 market stop=95
        otoco A4 / buy 5 @97 / sell 5 @105 / sell 5 market stop=90
        state I0 closed
        cancel-all A2
        cancel-all A3
        cancel A4 O9
        cancel A4 O12
        state I0 expired            => set, Expired, cancelled O18 5 InstrumentExpired, cancelled O19 5 ListClosed, L4 done, cancelled O20 5 InstrumentExpired, cancelled O21 5 ListClosed, cancelled O22 5 ListClosed, L5 done
        ",
    );
}

#[test]
fn a_trade_that_a_breaker_stops_unties_nobody() {
    let mut venue = traded();
    venue.check(
        "
        breaker I0 ticks=1 slots=10 slot=10 pause=100
        oco A4 / sell 5 @102 / sell 5 market stop=98
        buy A5 5 @104       => accepted, tripped 2 @102 until 100, Paused Volatility until 100
        orders A4           => O9 O10
        at 100              => Auction Volatility until 30000000100, would trade 5@102 +0
        ",
    );
}

#[test]
fn no_leg_waits_for_approval() {
    let mut venue = Venue::new();
    venue.check(
        "
        at 100
        bands I0 100 200 wait=50
        oco A2 / sell 11 @10 / sell 11 @5 stop=7    => OrderNotApprovable leg 1
        oto A2 / buy 11 @10 / sell 1 @10            => OrderNotApprovable leg 1
        oto A2 / buy 10 @10 / sell 11 @10           => L1 accepted, accepted, accepted
        sell A3 10 @10                              => accepted, O1 10@10, expired O2 11 RefusedAtStart OrderNotApprovable, L1 done
        balance A2 base                             => 1000010 + 0
        ",
    );
}

#[test]
fn a_stop_that_starts_waits_and_counts_as_an_open_bid() {
    let mut venue = traded();
    venue.check(
        "
        position A4 I0 1000009
        oto A4 / buy 5 @98 / buy 4 @110 stop=104 => L1 accepted, accepted, accepted, waits for 104
        balance A4 quote            => 999510 + 490
        sell A5 5 @98               => accepted, O9 5@98, starts O10 4@110 waits for 104, L1 done
        balance A4 quote            => 999070 + 440
        waits O10                   => 104
        buy A4 1 @90                => PositionLimitExceeded
        buy A5 11 @104              => accepted, O3 10@103, O4 1@104, fires O10 4 at 104 by 104, O4 4@104
        balance A4 base             => 1000009 + 0
        ",
    );
}

#[test]
fn trails_follow_by_id_whenever_they_started() {
    let mut venue = traded();
    venue.check(
        "
        oto A4 / buy 5 @98 / sell 5 market stop=0 trail=2   => L1 accepted, accepted, accepted, waits for 0
        sell A5 3 @80 stop=0 trail=4                        => accepted, waits for 96
        // The leg starts last; its id is the lower one.
        sell A5 5 @98               => accepted, O9 5@98, starts O10 5@1 waits for 96, L1 done
        buy A5 1 @103               => accepted, O3 1@103
        waits O10                   => 101
        waits O11                   => 99
        // Both fire; while the second stands in line, the price of the first's trade leaves it alone.
        sell A2 1 @97               => accepted, O6 1@97, fires O10 5 at 101 by 97, O6 5@97, fires O11 3 at 99 by 97, O6 3@97
        ",
    );
}

#[test]
fn a_pending_leg_is_refused_for_what_can_be_known_before_it_starts() {
    let check = |change: &str, leg: &str, reason: &str| {
        let mut venue = Venue::new();
        venue.check(change);
        venue.check(&format!("oto A4 / sell 6 @120 / {leg} => {reason} leg 2"));
    };
    check("restrict A4 I0 1", "buy 10 @99", "AccountRestricted");
    check("limits I0 tick=5", "buy 10 @99", "PriceNotOnTick");
    check("limits I0 lot=3", "buy 10 @99", "QuantityNotOnLot");
    check("limits I0 max=9", "buy 10 @99", "QuantityAboveMaximum");
    check("limits I0 notional_max=989", "buy 10 @99", "NotionalAboveMaximum");
    check("limits I0 tick=5", "buy 10 market stop=102", "TriggerPriceNotOnTick");
    check("at 10", "buy 10 @99 until=10", "ExpiryNotInFuture");
    check("buy A4 1 @1 #1", "buy 10 @99 #1", "DuplicateClientOrderId");
    check("rates A4 open=1", "buy 10 @99", "OpenOrderLimitExceeded");
    // What needs a price, or an end of its waiting, is not asked: neither reference, band, funds nor position.
    Venue::new()
        .check("position A4 I0 1\noto A4 / sell 6 @120 / buy 2000000 market => L1 accepted, accepted, accepted");
}

#[test]
fn a_leg_that_starts_is_refused_for_what_forbids_it_then() {
    let check = |leg: &str, change: &str, reason: &str| {
        let mut venue = Venue::new();
        venue.check(&format!("oto A4 / sell 6 @90 / {leg}"));
        venue.check(change);
        let rest = if reason.is_empty() {
            "starts".to_owned()
        } else {
            format!("expired O2 10 RefusedAtStart {reason}, L1 done")
        };
        let given = venue.send("buy A3 6 @90");
        assert!(given.starts_with(&format!("accepted, O1 6@90, {rest}")), "{leg}, {change}: {given}");
        if !reason.is_empty() {
            assert_eq!(venue.engine.open_orders(None).len(), change.matches("@98").count(), "{leg}, {change}");
        }
    };
    check("buy 10 @99", "", "");
    check("buy 10 @99", "halt A4", "AccountHalted");
    check("buy 10 @99", "permit A4 6", "AccountNotPermitted");
    check("buy 10 @99", "restrict A4 I0 1", "AccountRestricted");
    check("buy 10 @99", "limits I0 notional_max=989", "NotionalAboveMaximum");
    check("buy 10 @99", "limits I0 up=0", "PriceOutsideBand");
    check("buy 10 @99", "position A4 I0 999999", "PositionLimitExceeded");
    check("buy 10 @99", "withdraw A4 quote 999999", "InsufficientFunds");
    check("buy 10 @99", "bands A4 989 wait=9", "OrderNotApprovable");
    check("buy 10 @99 post", "sell A5 1 @98", "PostOnlyWouldTrade");
    check("buy 10 market", "limits I0 up=0", "");
    check("buy 10 market stop=105", "limits I0 notional_max=1049", "NotionalAboveMaximum");
    check("buy 10 market stop=105", "limits I0 tick=2", "TriggerPriceNotOnTick");
    check("buy 10 market stop=105", "limits I0 up=1000000000", "InsufficientFunds");
    check("buy 10 market stop=105 by=mark", "limits I0 up=0\nmark I0 105", "WouldTriggerAtOnce");
    check("buy 10 @99 stop=0 trail=5 by=mark", "", "NoTriggerReference");
    check("buy 10 @99 stop=0 trail=5 by=mark", "mark I0 105", "");
    check("sell 10 @120", "", "");
    check("sell 10 @120", "withdraw A4 base 999990", "InsufficientFunds");
}
