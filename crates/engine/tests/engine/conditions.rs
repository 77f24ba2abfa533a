//! Triggers, trails, expiry, minimum quantity.

use tradewright_engine::EventBuffer;
use tradewright_types::EventKind;

use crate::common::{Venue, parse};

/// A venue in which the last trade was at 100, with asks at 101 to 105 and bids at 99 to 95 of ten lots each.
fn traded() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 1 @100          => accepted
        buy A3 1 @100           => accepted, O1 1@100
        sell A2 10 @101
        sell A2 10 @102
        sell A2 10 @103
        buy A3 10 @99
        buy A3 10 @98
        buy A3 10 @97
        ",
    );
    venue
}

#[test]
fn a_stop_limit_bid_fires_when_the_price_rises_to_it() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 5 @103 stop=102  => accepted, waits for 102
        balance A4 quote        => 999485 + 515
        waits O9                => 102
        orders A4               => O9
        book I0                 => 10@99 10@98 10@97 | 10@101 10@102 10@103
        buy A5 10 @101 ioc      => accepted, O3 10@101
        waits O9                => 102
        buy A5 1 @102 ioc       => accepted, O4 1@102, fires O9 5 at 102 by 102, O4 5@102
        balance A4 quote        => 999490 + 0
        ",
    );
}

#[test]
fn what_a_triggered_limit_order_does_not_trade_rests() {
    let mut venue = traded();
    venue.check(
        "
        sell A4 15 @98 stop=98  => accepted, waits for 98
        balance A4 base         => 999985 + 15
        sell A5 11 @98          => accepted, O6 10@99, O7 1@98, fires O9 15 at 98 by 98, O7 9@98
        book I0                 => 10@97 | 6@98 10@101 10@102 10@103
        queue I0 sell           => O9 6@98 O3 10@101 O4 10@102 O5 10@103
        ",
    );
}

#[test]
fn a_take_profit_looks_the_other_way() {
    let mut venue = traded();
    venue.check(
        "
        reference I0 100
        limits I0 down=500000 up=500000
        sell A4 2 market take=102   => accepted, waits for 102
        buy A4 2 market take=98     => accepted, waits for 98
        buy A5 11 @102 ioc          => accepted, O3 10@101, O4 1@102, fires O9 2 at 102 by 102, O6 2@99
        sell A5 9 @98 ioc           => accepted, O6 8@99, O7 1@98, fires O10 2 at 98 by 98, O4 2@102
        ",
    );
}

#[test]
fn a_cascade_is_worked_off_one_order_at_a_time_against_the_book_that_is_left() {
    let mut venue = traded();
    venue.check(
        "
        sell A4 10 @90 stop=98 ioc  => accepted, waits for 98
        sell A5 5 @90 stop=99 ioc   => accepted, waits for 99
        sell A4 5 @90 stop=97 ioc   => accepted, waits for 97
        sell A5 1 @99 ioc           => accepted, O6 1@99, fires O10 5 at 99 by 99, O6 5@99
        sell A5 5 @98 ioc           => accepted, O6 4@99, O7 1@98, fires O9 10 at 98 by 98, O7 9@98, O8 1@97, fires O11 5 at 97 by 97, O8 5@97
        book I0                     => 4@97 | 10@101 10@102 10@103
        ",
    );
}

#[test]
fn the_nearest_trigger_fires_first_and_at_one_price_the_one_that_came_first() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 1 @105 stop=102 ioc  => accepted, waits for 102
        buy A4 1 @105 stop=101 ioc  => accepted, waits for 101
        buy A5 1 @105 stop=102 ioc  => accepted, waits for 102
        buy A5 1 @105 stop=103 ioc  => accepted, waits for 103
        buy A5 11 @102 ioc          => accepted, O3 10@101, O4 1@102, fires O10 1 at 101 by 101, O4 1@102, fires O9 1 at 102 by 102, O4 1@102, fires O11 1 at 102 by 102, O4 1@102
        waits O12                   => 103
        ",
    );
}

#[test]
fn mark_and_index_prices_fire_their_own_triggers() {
    let mut venue = traded();
    venue.check(
        "
        sell A4 1 @90 stop=95 by=mark ioc    => accepted, waits for 95
        sell A4 1 @90 stop=95 by=index ioc   => accepted, waits for 95
        mark I0 96                           => set
        index I0 95                          => set, fires O10 1 at 95 by 95, O6 1@99
        mark I0 94                           => set, fires O9 1 at 95 by 94, O6 1@99
        sell A4 1 @90 stop=95 by=mark        => WouldTriggerAtOnce
        mark I0 0                            => SettingOutOfRange
        mark I7 5                            => UnknownInstrument
        ",
    );
}

#[test]
fn a_trailing_stop_follows_the_price_and_never_turns_back() {
    let mut venue = traded();
    venue.check(
        "
        sell A4 1 @80 stop=0 trail=3 ioc      => accepted, waits for 97
        buy A4 1 @120 stop=0 trail=200bp ioc  => accepted, waits for 102
        sell A4 1 @80 stop=0 trail=3 by=mark  => NoTriggerReference
        buy A5 11 @102 ioc                    => accepted, O3 10@101, O4 1@102, fires O10 1 at 102 by 102, O4 1@102
        waits O9                              => 99
        sell A5 1 @99 ioc                     => accepted, O6 1@99, fires O9 1 at 99 by 99, O6 1@99
        sell A4 1 @80 stop=90 trail=5 ioc     => accepted, waits for 90
        buy A5 1 @102 ioc                     => accepted, O4 1@102
        waits O13                             => 97
        cancel A4 O13                         => cancelled O13 1
        buy A5 1 @102 ioc                     => accepted, O4 1@102
        ",
    );
}

#[test]
fn nothing_fires_in_a_halt() {
    let mut venue = traded();
    venue.check(
        "
        sell A4 1 @90 stop=95 by=mark ioc  => accepted, waits for 95
        halt I0
        mark I0 90                         => set
        waits O9                           => 95
        resume I0
        waits O9                           => 95
        mark I0 96                         => set
        mark I0 95                         => set, fires O9 1 at 95 by 95, O6 1@99
        ",
    );
}

#[test]
fn a_triggered_order_is_checked_again() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 5 @103 stop=102             => accepted, waits for 102
        halt A4
        buy A5 11 @102 ioc                 => accepted, O3 10@101, O4 1@102, fires O9 5 at 102 by 102, expired O9 5 RefusedAtTrigger AccountHalted
        balance A4 quote                   => 1000000 + 0
        resume A4
        sell A4 5 @50 stop=90              => accepted, waits for 90
        reference I0 100
        limits I0 down=100000 up=100000
        mark I0 50
        sell A5 21 @90 ioc                 => accepted, O6 10@99, O7 10@98, O8 1@97
        buy A5 1 @90
        sell A5 10 @90 ioc                 => accepted, O8 9@97, O13 1@90, fires O11 5 at 90 by 90, expired O11 5 RefusedAtTrigger PriceOutsideBand
        ",
    );
}

#[test]
fn a_market_bid_takes_no_more_than_is_held_for_it() {
    let mut venue = traded();
    venue.check(
        "
        reference I0 100
        limits I0 down=20000 up=20000
        buy A4 5 market stop=101    => accepted, waits for 101
        balance A4 quote            => 999485 + 515
        reference I0 110
        sell A5 10 @112
        cancel-all A2               => cancelled O3 10 CancelledAll, cancelled O4 10 CancelledAll, cancelled O5 10 CancelledAll
        sell A5 3 @108
        buy A3 1 @108 ioc           => accepted, O11 1@108, fires O9 5 at 101 by 108, expired 5 NoLiquidity
        balance A4 quote            => 1000000 + 0
        ",
    );
}

#[test]
fn orders_by_date_leave_by_themselves_before_the_command_that_lets_the_time_come() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 5 @100 until=1000      => accepted, conditions
        sell A3 5 @100 until=900       => accepted, conditions
        sell A3 5 @100 until=1000      => accepted, conditions
        buy A4 5 @99 stop=100 until=1500 => accepted, waits for 100
        at 899                         =>
        at 1000                        => expired O2 5 GoodTillDate, expired O1 5 GoodTillDate, expired O3 5 GoodTillDate
        book I0                        => |
        sell A2 5 @100 until=1000      => ExpiryNotInFuture
        at 2000                        => expired O4 5 GoodTillDate
        balance A4 quote               => 1000000 + 0
        sell A2 5 @100 until=2500      => accepted, conditions
        amend A2 O5 4 @101             => amended O5 4@101 open 4
        buy A3 4 @101                  => accepted, O5 4@101
        sell A2 5 @100 until=2500      => accepted, conditions
        replace A2 O7 with sell 5 @100 post until=2600 => cancelled O7 5 Replaced, accepted, conditions
        at 3000                        => expired O8 5 GoodTillDate
        ",
    );
}

#[test]
fn a_refused_command_lets_time_pass_all_the_same() {
    let mut venue = Venue::new();
    venue.check("sell A2 5 @100 until=1000");
    venue.time_ns = 1000;
    venue.check("buy A9 1 @1 => expired O1 5 GoodTillDate, UnknownAccount");
}

#[test]
fn less_than_the_minimum_quantity_does_not_trade() {
    traded().check(
        "
        buy A4 15 @102 ioc min=15  => accepted, conditions, O3 10@101, O4 5@102
        buy A4 9 @102 ioc min=6    => accepted, conditions, expired 9 MinimumQuantity
        buy A4 9 @102 ioc min=5    => accepted, conditions, O4 5@102, expired 4 ImmediateOrCancel
        buy A4 9 @102 ioc min=10   => InvalidCombination
        buy A4 9 @102 min=5        => InvalidCombination
        ",
    );
}

#[test]
fn waiting_orders_can_be_cancelled_and_replaced() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 5 @103 stop=102 #7                  => accepted, waits for 102
        buy A4 5 @103 stop=102 #7                  => DuplicateClientOrderId
        replace A4 O9 with sell 5 @98 stop=98 #7   => cancelled O9 5 Replaced, accepted, waits for 98
        balance A4 quote                           => 1000000 + 0
        replace A4 #7 with sell 5 @104             => cancelled O10 5 Replaced, accepted
        replace A4 O11 with buy 5 @103 stop=102    => cancelled O11 5 Replaced, accepted, waits for 102
        cancel-all A4 I0 buy                       => cancelled O12 5 CancelledAll
        balance A4 quote                           => 1000000 + 0
        ",
    );
}

#[test]
fn conditions_that_cannot_be_are_refused() {
    let mut venue = traded();
    venue.check(
        "
        limits I0 tick=5
        buy A4 5 @105 stop=-1                => TriggerPriceNotPositive
        buy A4 5 @105 stop=0                 => TriggerPriceNotPositive
        buy A4 5 @105 stop=102               => TriggerPriceNotOnTick
        buy A4 5 @105 stop=100               => WouldTriggerAtOnce
        buy A4 5 @105 take=100               => WouldTriggerAtOnce
        buy A4 5 @105 take=105 trail=5       => InvalidCombination
        buy A4 5 @105 post stop=105          => InvalidCombination
        buy A4 500q market stop=105          => InvalidCombination
        buy A4 5 @105 stop=105 trail=0       => InvalidConditions
        buy A4 5 @105 stop=105 trail=10000bp => InvalidConditions
        buy A4 5 @105 trail=5                => InvalidConditions
        buy A4 5 @105 by=mark                => InvalidConditions
        buy A4 5 @105 until=0                => InvalidCombination
        buy A4 5 @105 min=0                  => InvalidCombination
        buy A9 5 @105 stop=105               => UnknownAccount
        buy A6 5 @105 stop=105               => InsufficientFunds
        rates A4 open=0
        buy A4 5 @105 stop=105 ioc           => OpenOrderLimitExceeded
        rates A4 open=5
        position A4 I0 1000004
        buy A4 5 @105 stop=105               => PositionLimitExceeded
        buy A4 4 @105 stop=105               => accepted, waits for 105
        buy A4 1 @95                         => PositionLimitExceeded
        ",
    );
}

/// Each stop fires the next one: the longest cascade is a loop, not a recursion, whatever the stack.
#[test]
fn a_cascade_of_twenty_thousand_stops_needs_no_more_stack_than_one() {
    const STOPS: usize = 20_000;
    let run = || {
        let mut engine = Venue::new().engine;
        let mut events = EventBuffer::default();
        let mut send = |line: &str| {
            events.clear();
            engine.apply(&parse(line), &mut events);
            assert_eq!(events.as_slice().iter().find(|event| event.kind == EventKind::Rejected as u8), None, "{line}");
            events.len()
        };
        send("deposit A3 quote 1000000000");
        send("sell A2 1 @30001");
        send("buy A3 1 @30001");
        for place in 0..=STOPS {
            send(&format!("buy A3 1 @{}", 30_000 - place));
        }
        for place in 0..STOPS {
            send(&format!("sell A4 1 @1 stop={} ioc", 30_000 - place));
        }
        send("sell A5 1 @30000 ioc")
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread");
    // The order, its trade; and of each stop that it fires and its trade.
    assert_eq!(thread.join().expect("no overflow"), 2 + 2 * STOPS);
}

#[test]
fn nothing_fires_in_a_halt_and_the_next_price_fires_it() {
    Venue::new().check(
        "
        sell A3 1 @100
        buy A2 1 @100
        sell A3 5 @103
        buy A4 1 @110 stop=101 by=mark   => accepted, waits for 101
        halt venue
        mark I0 105                      => set
        resume venue
        mark I0 105                      => set, fires O4 1 at 101 by 105, O3 1@103
        ",
    );
}

#[test]
fn a_market_order_that_fires_without_a_reference_expires() {
    Venue::new().check(
        "
        buy A2 1 market stop=12 by=mark  => accepted, waits for 12
        sell A2 1 market stop=12 by=mark => accepted, waits for 12
        mark I0 11                       => set, fires O2 1 at 12 by 11, expired O2 1 RefusedAtTrigger NoReferencePrice
        mark I0 12                       => set, fires O1 1 at 12 by 12, expired O1 1 RefusedAtTrigger NoReferencePrice
        balance A2 quote                 => 1000000 + 0
        balance A2 base                  => 1000000 + 0
        ",
    );
}

#[test]
fn a_waiting_market_order_is_judged_at_its_trigger_price() {
    Venue::new().check(
        "
        limits I0 up=1000000 notional_min=251
        buy A2 10 market stop=25         => NotionalBelowMinimum
        limits I0 up=1000000 notional_max=249
        buy A2 10 market stop=25         => NotionalAboveMaximum
        limits I0 up=1000000
        buy A2 10 market stop=25         => accepted, waits for 25
        balance A2 quote                 => 999500 + 500
        limits I0 up=1000000 notional_min=313
        amend A2 O1 12 @0 stop=26        => NotionalBelowMinimum
        limits I0 up=1000000 notional_max=311
        amend A2 O1 12 @0 stop=26        => NotionalAboveMaximum
        // The trigger price that it has already moves neither place nor limit, whatever the band is now.
        limits I0 up=2000000
        amend A2 O1 12 @0 stop=25        => amended O1 12@50 open 12 kept
        balance A2 quote                 => 999400 + 600
        amend A2 O1 12 @0                => AmendChangesNothing
        amend A2 O1 12 @0 stop=26        => amended O1 12@78 open 12, waits for 26
        balance A2 quote                 => 999064 + 936
        rates A2 messages=0
        amend A2 O1 13 @0                => MessageRateExceeded
        ",
    );
}

#[test]
fn a_waiting_iceberg_keeps_to_its_bound_of_peaks() {
    Venue::new().check(
        "
        buy A2 10 @20 stop=25 peak=1     => accepted, waits for 25, by 1
        amend A2 O1 10001 @20            => TooManyPeaks
        amend A2 O1 10000 @20            => amended O1 10000@20 open 10000 kept
        limits I0 lot=2
        buy A2 10 @20 peak=3             => PeakNotOnLot
        buy A2 10 @20 peak=4 range=1 seed=1 => PeakNotOnLot
        ",
    );
}

#[test]
fn what_no_account_could_pay_is_not_covered() {
    // A notional may be as large as an amount; at the edge of a band it would be larger.
    Venue::new().check(
        "
        deposit A2 quote 1000000000
        list I2 gas/quote base=1 quote=0 tick_lot=1048576 notional_max=664613997892457936451903530140172288
        buy A2 1099511627776 market stop=288230376151711744 I2  => InsufficientFunds
        reference I2 288230376151711744
        buy A2 1099511627776 @0 peg=primary I2                  => InsufficientFunds
        buy A2 1099511627776 market I2                          => InsufficientFunds
        limits I2 up=0 notional_max=664613997892457936451903530140172288
        buy A2 1 market stop=9 I2        => accepted, waits for 9
        limits I2 notional_max=664613997892457936451903530140172288
        amend A2 O1 1099511627776 @0 stop=288230376151711744 => InsufficientFunds
        ",
    );
}
