//! Mass quotes: what they take and bring, what keeps its place, that they are whole or nothing.

use tradewright_types::{CommandKind, CommandRecord, OrderFlags, QuoteEntryRecord};

use crate::common::{Venue, parse};

#[test]
fn a_mass_quote_brings_both_sides_of_each_instrument() {
    Venue::new().check(
        "
        quote A2 I0 5@10 4@12 I1 - 3@20      => quoted O1 5@10 / O2 4@12, quoted - / O3 3@20, accepted, accepted, accepted
        book I0                              => 5@10 | 4@12
        book I1                              => | 3@20
        balance A2 quote                     => 999950 + 50
        balance A2 base                      => 999996 + 4
        balance A2 coin                      => 999997 + 3
        // They are orders: whoever comes trades with them.
        sell A3 2 @10                        => accepted, O1 2@10
        order O1                             => 3 of 5 @10 prevented 0
        ",
    );
}

#[test]
fn what_has_not_changed_for_the_worse_keeps_its_place() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12
        buy A3 1 @10
        sell A3 1 @12
        // The same price and no more: in its place, told when it is less.
        quote A2 I0 5@10 3@12    => quoted O1 5@10 / O2 3@12, amended O2 3@12 open 3 kept
        queue I0 buy             => O1 5@10 O3 1@10
        queue I0 sell            => O2 3@12 O4 1@12
        balance A2 base          => 999997 + 3
        // More, or another price: behind the others.
        quote A2 I0 6@10 3@13    => quoted O5 6@10 / O6 3@13, cancelled O1 5 QuoteReplaced, cancelled O2 3 QuoteReplaced, accepted, accepted
        queue I0 buy             => O3 1@10 O5 6@10
        queue I0 sell            => O4 1@12 O6 3@13
        // What has traded is gone: as much as before is more than there is.
        sell A4 2 @10            => accepted, O3 1@10, O5 1@10
        quote A2 I0 5@10 3@13    => quoted O5 5@10 / O6 3@13
        quote A2 I0 4@10 3@13    => quoted O5 4@10 / O6 3@13, amended O5 5@10 open 4 kept
        order O5                 => 4 of 5 @10 prevented 0
        // One side goes, then the other.
        quote A2 I0 4@10 -       => quoted O5 4@10 / -, cancelled O6 3 QuoteReplaced
        quote A2 I0 - -          => quoted - / -, cancelled O5 4 QuoteReplaced
        quote A2 I0 - -          => quoted - / -
        balance A2 quote         => 999990 + 0
        ",
    );
}

#[test]
fn what_leaves_leaves_before_anything_comes() {
    // The new bid would meet the old ask, and the new quotes the funds of the old ones.
    let mut venue = Venue::poor();
    venue.check(
        "
        deposit A6 quote 100
        deposit A6 base 5
        quote A6 I0 10@10 5@11               => quoted O1 10@10 / O2 5@11, accepted, accepted
        quote A6 post I0 9@11 5@12           => quoted O3 9@11 / O4 5@12, cancelled O1 10 QuoteReplaced, cancelled O2 5 QuoteReplaced, accepted, accepted
        quote A6 I0 10@11 5@12               => InsufficientFunds
        // From one instrument to another.
        quote A6 I1 10@10 - I0 - 5@13        => quoted O5 10@10 / -, quoted - / O6 5@13, cancelled O3 9 QuoteReplaced, cancelled O4 5 QuoteReplaced, accepted, accepted
        // Each alone is covered, both together are not.
        quote A6 I0 5@10 5@13 I1 6@10 -      => InsufficientFunds
        quote A6 I0 5@10 5@13 I1 5@10 -      => quoted O7 5@10 / O6 5@13, quoted O5 5@10 / -, amended O5 5@10 open 5 kept, accepted
        balance A6 quote                     => 0 + 100
        ",
    );
}

#[test]
fn quotes_take_what_they_cross_unless_they_may_not() {
    Venue::new().check(
        "
        sell A3 2 @14
        buy A3 2 @10
        fee S0 T0 1000 500
        quote A2 post I0 1@9 1@10        => PostOnlyWouldTrade
        quote A2 post I0 1@14 1@20       => PostOnlyWouldTrade
        quote A2 I0 5@14 5@15            => quoted O3 5@14 / O4 5@15, accepted, O1 2@14 fee 1/0, accepted
        book I0                          => 3@14 2@10 | 5@15
        quote A2 I0 - 5@10               => quoted - / O5 5@10, cancelled O3 3 QuoteReplaced, cancelled O4 5 QuoteReplaced, accepted, O2 2@10 fee 1/0
        book I0                          => | 3@10
        // With itself by the mode that it names; own orders may be met as any other's without one.
        buy A2 1 @10                     => accepted, O5 1@10 fee 1/1
        buy A2 1 @9
        quote A2 em I0 - 4@9             => quoted - / O8 4@9, cancelled O5 2 QuoteReplaced, accepted, prevented O7 0/1@9 ExpireMaker
        ",
    );
}

#[test]
fn stops_fire_between_two_sides() {
    Venue::new().check(
        "
        sell A3 1 @11
        buy A4 3 @13 stop=11
        // The bid trades, the stop comes in behind it and rests; then the ask meets it.
        quote A2 I0 1@11 2@12            => quoted O3 1@11 / O4 2@12, accepted, O1 1@11, fires O2 3 at 11 by 11, accepted, O2 2@13
        ",
    );
}

#[test]
fn what_starts_between_two_sides_finds_no_more_than_is_left() {
    // The bid fills the working leg; the pending one would need what the second entry is about to.
    let mut venue = Venue::poor();
    venue.check(
        "
        deposit A6 quote 60
        deposit A6 base 5
        oto A6 / sell 1 @10 / buy 5 @10
        quote A6 I0 1@10 - I1 5@10 -     => quoted O3 1@10 / -, quoted O4 5@10 / -, accepted, O1 1@10, expired O2 5 RefusedAtStart InsufficientFunds, L1 done, accepted
        balance A6 quote                 => 10 + 50
        ",
    );
}

#[test]
fn the_bids_of_a_pair_count_once_for_the_position() {
    Venue::poor().check(
        "
        deposit A2 quote 100000
        position A2 I0 10
        oco A2 / buy 6 @10 / buy 6 @30 stop=25
        quote A2 I0 5@9 -        => PositionLimitExceeded
        quote A2 I0 4@9 -        => quoted O3 4@9 / -, accepted
        quote A2 I0 4@8 -        => quoted O4 4@8 / -, cancelled O3 4 QuoteReplaced, accepted
        ",
    );
}

#[test]
fn a_mass_quote_is_refused_whole() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12
        quote A2 I0 6@10 5@12 I9 1@1 1@2     => UnknownInstrument
        quote A9 I0 6@10 5@12                => UnknownAccount
        quote A9 I9 6@10 5@12                => UnknownInstrument
        quote A2 I0 6@10 5@12 I0 6@10 5@12   => InstrumentQuotedTwice
        quote A2 I0 6@12 5@12                => QuoteCrossesItself
        quote A2 I0 6@12 5@11 I0 - -         => InstrumentQuotedTwice
        quote A2 I0 - 5@-1                   => PriceNotPositive
        limits I0 tick=5
        quote A2 I1 6@10 5@12 I0 5@10 5@12   => PriceNotOnTick
        limits I0 lot=5
        quote A2 I1 6@10 5@12 I0 5@10 4@12   => QuantityNotOnLot
        limits I0 min=3
        quote A2 I0 5@10 2@12                => QuantityBelowMinimum
        limits I0
        // The first side that fails decides, whatever is wrong behind it.
        quote A2 I1 - 5@0 I0 6@10 5@12       => PriceNotPositive
        position A2 I0 1000005
        quote A2 I0 6@10 5@12                => PositionLimitExceeded
        quote A2 I0 5@11 5@12                => quoted O3 5@11 / O2 5@12, cancelled O1 5 QuoteReplaced, accepted
        position A2 I0 1000000
        quote A2 I0 4@11 5@12                => quoted O3 4@11 / O2 5@12, amended O3 4@11 open 4 kept
        rates A2 open=2
        quote A2 I1 1@1 -                    => OpenOrderLimitExceeded
        quote A2 I1 1@1 - I0 - 5@12          => quoted O4 1@1 / -, quoted - / O2 5@12, cancelled O3 4 QuoteReplaced, accepted
        ",
    );
}

#[test]
fn records_that_are_no_entries_are_refused() {
    let mut venue = Venue::new();
    let quote = |change: &dyn Fn(&mut Vec<CommandRecord>)| {
        let mut records = parse("quote A2 I0 5@10 5@12 I1 5@10 5@12");
        change(&mut records);
        records[0].header.record_count = records.len() as u16;
        records
    };
    let entry = |records: &mut Vec<CommandRecord>| -> QuoteEntryRecord { zerocopy::transmute!(records[1]) };
    assert_eq!(venue.apply(&quote(&|records| records.truncate(1))), "MalformedRecords");
    assert_eq!(venue.apply(&quote(&|records| records[2] = records[0])), "MalformedRecords");
    assert_eq!(venue.apply(&quote(&|records| records[0].self_trade_prevention = 6)), "InvalidSelfTradePrevention");
    for flag in [OrderFlags::QUOTE, OrderFlags::CONDITIONS, OrderFlags::TEXT_ID] {
        assert_eq!(venue.apply(&quote(&|records| records[0].flags = flag.0)), "InvalidFlags");
    }
    let reserved = |records: &mut Vec<CommandRecord>| {
        records[1] = zerocopy::transmute!(QuoteEntryRecord { reserved_words: [0, 0, 1], ..entry(records) });
    };
    assert_eq!(venue.apply(&quote(&reserved)), "MalformedRecords");
    let reserved = |records: &mut Vec<CommandRecord>| {
        records[1] = zerocopy::transmute!(QuoteEntryRecord { reserved: 1, ..entry(records) });
    };
    assert_eq!(venue.apply(&quote(&reserved)), "MalformedRecords");
    // As many as there may be, and one more.
    let many = |count: u32| {
        quote(&|records| {
            let first = entry(records);
            records.truncate(1);
            let numbered =
                |instrument| -> CommandRecord { zerocopy::transmute!(QuoteEntryRecord { instrument, ..first }) };
            records.extend((0..count).map(numbered));
        })
    };
    assert_eq!(venue.apply(&many(128)), "UnknownInstrument");
    assert_eq!(venue.apply(&many(129)), "MalformedRecords");
    let cancel = CommandRecord { account: 2, flags: 1, ..CommandRecord::new(CommandKind::CancelQuotes) };
    assert_eq!(venue.apply(&[cancel]), "InvalidFlags");
    let mut surplus = vec![CommandRecord { flags: 0, ..cancel }; 2];
    surplus[0].header.record_count = 2;
    assert_eq!(venue.apply(&surplus), "MalformedRecords");
}

#[test]
fn states_halts_and_controls_stop_quotes_but_not_their_withdrawal() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12 I1 5@10 5@12
        halt venue
        quote A2 I0 4@10 -               => VenueHalted
        quote A2 I0 - -                  => quoted - / -, cancelled O1 5 QuoteReplaced, cancelled O2 5 QuoteReplaced
        resume venue
        state I0 closed
        quote A2 I0 5@10 5@12            => InstrumentClosed
        state I0 halted
        quote A2 I1 4@10 - I0 5@10 5@12  => InstrumentHalted
        halt A2
        quote A2 I1 5@10 5@12            => AccountHalted
        resume A2
        permit A2 6
        quote A2 I1 5@10 5@12            => AccountNotPermitted
        permit A2 7
        restrict A2 I1 1
        quote A2 I1 5@10 5@12            => AccountRestricted
        quote A2 I1 - 5@12               => quoted - / O4 5@12, cancelled O3 5 QuoteReplaced
        kill A2                          => set, cancelled O4 5 KillSwitch
        quote A2 I1 - 5@12               => KillSwitchEngaged
        quote A2 I1 - -                  => quoted - / -
        release A2
        quote A2 I1 - 5@12               => quoted - / O5 5@12, accepted
        state I1 expired                 => set, Expired, cancelled O5 5 InstrumentExpired
        quote A2 I1 - 5@12               => InstrumentExpired
        ",
    );
}

#[test]
fn quotes_belong_to_the_session_by_which_they_came() {
    Venue::new().check(
        "
        S5 quote A2 I0 5@10 5@12 I1 5@10 -
        // What keeps its place stays with its session.
        S6 quote A2 I0 5@10 6@13         => quoted O1 5@10 / O4 6@13, cancelled O2 5 QuoteReplaced, accepted
        end S5                           => set, cancelled O1 5 SessionEnded, cancelled O3 5 SessionEnded
        kill S6                          => set, cancelled O4 6 KillSwitch
        S6 quote A2 I0 - -               => SessionKilled
        S6 quote A2 I9 - -               => SessionKilled
        S6 cancel-quotes A2              =>
        S0 quote A2 I0 5@10 -            => quoted O5 5@10 / -, accepted
        S6 cancel-quotes A2              => cancelled O5 5 CancelledAll
        ",
    );
}

#[test]
fn a_band_is_for_what_comes_in() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12
        limits I0 down=100000 up=100000
        reference I0 20
        quote A2 I0 5@10 6@12            => PriceOutsideBand
        quote A2 I0 4@10 5@12            => quoted O1 4@10 / O2 5@12, amended O1 4@10 open 4 kept
        quote A2 I0 4@18 5@22            => quoted O3 4@18 / O4 5@22, cancelled O1 4 QuoteReplaced, cancelled O2 5 QuoteReplaced, accepted, accepted
        ",
    );
}

#[test]
fn what_would_need_approval_is_refused() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12
        bands A2 100 wait=50
        quote A2 I0 10@10 5@12           => quoted O3 10@10 / O2 5@12, cancelled O1 5 QuoteReplaced, accepted
        quote A2 I1 1@10 - I0 10@10 9@12 => OrderNotApprovable
        quote A2 I0 11@10 5@12           => OrderNotApprovable
        // What is open counts, but for the quote that goes; less of it needs nobody.
        buy A2 1 @20                     => accepted, needs 1
        quote A2 I0 9@10 5@12            => quoted O3 9@10 / O2 5@12, amended O3 9@10 open 9 kept
        quote A2 I0 9@11 5@12            => OrderNotApprovable
        ",
    );
}

#[test]
fn it_counts_as_one_message_and_as_many_orders_as_it_has_sides() {
    Venue::new().check(
        "
        rates A2 open=99 orders=4 messages=3
        quote A2 I0 5@10 5@12 I1 5@10 -  => quoted O1 5@10 / O2 5@12, quoted O3 5@10 / -, accepted, accepted, accepted
        quote A2 I0 5@10 5@12            => OrderRateExceeded
        quote A2 I0 - -                  => quoted - / -, cancelled O1 5 QuoteReplaced, cancelled O2 5 QuoteReplaced
        quote A2 I0 5@10 -               => MessageRateExceeded
        cancel-quotes A2                 => cancelled O3 5 CancelledAll
        at 1000000000
        // Refused ones count too, when they cannot even be read.
        quote A2 I0 5@10 5@9 I1 1@1 1@2  => QuoteCrossesItself
        quote A2 I0 5@10 -               => OrderRateExceeded
        ",
    );
}

#[test]
fn a_quote_is_cancelled_and_replaced_but_not_amended() {
    Venue::new().check(
        "
        quote A2 I0 5@10 5@12 I1 5@10 5@12
        amend A2 O1 4 @10                => OrderNotAmendable
        cancel A3 O1                     => UnknownOrder
        cancel A2 O1                     => cancelled O1 5
        quote A2 I0 4@10 5@12            => quoted O5 4@10 / O2 5@12, accepted
        // The order that takes its place is no quote.
        replace A2 O5 with buy 4 @10     => cancelled O5 4 Replaced, accepted
        quote A2 I0 4@10 -               => quoted O7 4@10 / -, cancelled O2 5 QuoteReplaced, accepted
        queue I0 buy                     => O6 4@10 O7 4@10
        cancel-quotes A3                 =>
        cancel-quotes A2 I9              => UnknownInstrument
        cancel-quotes A9                 => UnknownAccount
        cancel-quotes A2 I1              => cancelled O3 5 CancelledAll, cancelled O4 5 CancelledAll
        quote A2 I1 - 5@12
        halt venue
        cancel-quotes A2                 => cancelled O7 4 CancelledAll, cancelled O8 5 CancelledAll
        resume venue
        orders A2                        => O6
        quote A2 I1 5@10 5@12
        cancel-all A2 I1                 => cancelled O9 5 CancelledAll, cancelled O10 5 CancelledAll
        quote A2 I1 5@10 5@12            => quoted O11 5@10 / O12 5@12, accepted, accepted
        ",
    );
}

#[test]
fn quotes_gather_in_calls_and_trade_in_auctions() {
    Venue::new().check(
        "
        buy A3 2 @20
        state I0 auction opening
        quote A2 post I0 5@10 5@12       => quoted O2 5@10 / O3 5@12, accepted, accepted, would trade 2@12 -3
        quote A2 post I0 5@10 4@12       => quoted O2 5@10 / O3 4@12, amended O3 4@12 open 4 kept, would trade 2@12 -2
        state I0 continuous              => set, O1 O3 2@12, uncrossed 2@12 -2, Continuous
        book I0                          => 5@10 | 2@12
        ",
    );
}

#[test]
fn a_breaker_between_two_sides_lets_the_other_rest() {
    Venue::new().check(
        "
        sell A3 1 @10
        sell A3 1 @20
        buy A4 1 @10
        breaker I0 ticks=5 slots=2 slot=10 pause=100
        // The bid trips; it rests across the ask, and so does the ask across nobody.
        quote A2 I0 2@20 1@21            => quoted O4 2@20 / O5 1@21, accepted, tripped 2 @20 until 100, Paused Volatility until 100, accepted
        book I0                          => 2@20 | 1@20 1@21
        quote A2 I0 - -                  => quoted - / -, cancelled O4 2 QuoteReplaced, cancelled O5 1 QuoteReplaced
        ",
    );
}

#[test]
fn quotes_share_prices_and_stand_beside_hidden_orders_and_pegs() {
    Venue::new().check(
        "
        allocation I0 rule=1
        quote A2 I0 - 6@12
        quote A3 I0 - 6@12
        sell A4 2 @12 hidden=1           => accepted, conditions, hidden
        buy A5 6 @12                     => accepted, O1 3@12, O2 3@12
        buy A5 8 @12                     => accepted, O1 3@12, O2 3@12, O3 2@12
        ",
    );
}

#[test]
fn the_position_of_each_bid_is_judged_by_itself_before_any_trades() {
    Venue::new().check(
        "
        list I2 gas/quote base=1 quote=0
        position A2 I0 1000005
        position A2 I2 1000005
        sell A3 5 @10
        sell A3 5 @10 I2
        quote A2 I0 6@10 - I2 5@10 -     => PositionLimitExceeded
        quote A2 I0 5@10 - I2 5@10 -     => quoted O3 5@10 / -, quoted O4 5@10 / -, accepted, O1 5@10, accepted, O2 5@10
        balance A2 base                  => 1000010 + 0
        quote A2 I0 1@10 -               => PositionLimitExceeded
        ",
    );
}
