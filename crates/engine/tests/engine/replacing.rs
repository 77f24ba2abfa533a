//! Cancel-replace: all or nothing, or in two halves.

use crate::common::{Venue, parse};

#[test]
fn one_goes_and_another_comes() {
    Venue::new().check(
        "
        sell A2 5 @10                     => accepted
        replace A2 O1 with sell 4 @11     => cancelled O1 5 Replaced, accepted
        queue I0 sell                     => O2 4@11
        replace A2 O2 with buy 4 @9       => cancelled O2 4 Replaced, accepted
        book I0                           => 4@9 |
        balance A2 base                   => 1000000 + 0
        replace A2 O3 with buy 4 @9 I1    => cancelled O3 4 Replaced, accepted
        book I0                           => |
        book I1                           => 4@9 |
        ",
    );
}

#[test]
fn the_new_order_trades_expires_or_is_killed_like_any_other() {
    Venue::new().check(
        "
        reference I0 10
        sell A3 2 @10                          => accepted
        buy A2 5 @9                            => accepted
        replace A2 O2 with buy 3 @10 ioc       => cancelled O2 5 Replaced, accepted, O1 2@10, expired 1 ImmediateOrCancel
        sell A3 2 @10                          => accepted
        buy A2 5 @9                            => accepted
        replace A2 O5 with buy 3 @10 fok       => cancelled O5 5 Replaced, accepted, expired 3 FillOrKill
        buy A2 5 @9                            => accepted
        replace A2 O7 with buy 25q market      => cancelled O7 5 Replaced, accepted, O4 2@10, expired unspent 5 NoLiquidity
        orders A2                              =>
        ",
    );
}

#[test]
fn when_a_check_fails_the_old_order_is_still_there() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        buy A3 1 @1                       => InsufficientFunds
        buy A2 10 @10 #5                  => accepted
        replace A2 O1 with buy 11 @10     => InsufficientFunds
        replace A2 O1 with buy 0 @10      => QuantityNotPositive
        replace A2 O1 with sell 1 @20     => InsufficientFunds
        replace A2 O9 with buy 1 @10      => UnknownOrder
        replace A3 O1 with buy 1 @10      => UnknownOrder
        order O1                          => 10 of 10 @10 prevented 0
        replace A2 #5 with buy 20 @5      => cancelled O1 10 Replaced, accepted
        balance A2 quote                  => 0 + 100
        ",
    );
}

#[test]
fn the_client_order_id_may_be_used_again_at_once() {
    Venue::new().check(
        "
        buy A2 1 @10 #5                      => accepted
        buy A2 1 @9 #6                       => accepted
        replace A2 #5 with buy 1 @8 #6       => DuplicateClientOrderId
        replace A2 #5 with buy 1 @8 #5       => cancelled O1 1 Replaced, accepted
        replace A2 #5 with buy 1 @8 #five    => cancelled O3 1 Replaced, accepted, #five
        replace A2 #five with buy 2 @8 #five => cancelled O4 1 Replaced, accepted, #five
        replace A2 #five with buy 2 @7 #6    => DuplicateClientOrderId
        replace A2 O5 with buy 2 @7 #5       => cancelled O5 2 Replaced, accepted
        ",
    );
}

#[test]
fn the_old_orders_place_counts_as_free() {
    Venue::new().check(
        "
        rates A2 open=1
        buy A2 1 @10                       => accepted
        buy A2 1 @10                       => OpenOrderLimitExceeded
        replace A2 O1 with buy 1 @11       => cancelled O1 1 Replaced, accepted
        rates A2 open=0
        replace A2 O2 with buy 1 @12       => OpenOrderLimitExceeded
        // What cannot rest needs no place.
        replace A2 O2 with buy 1 @12 ioc   => cancelled O2 1 Replaced, accepted, expired 1 ImmediateOrCancel
        ",
    );
}

#[test]
fn the_old_bid_does_not_count_towards_the_position() {
    Venue::new().check(
        "
        position A2 I0 1000010
        position A2 I1 1000010
        buy A2 10 @10                      => accepted
        replace A2 O1 with buy 11 @10      => PositionLimitExceeded
        replace A2 O1 with buy 10 @11      => cancelled O1 10 Replaced, accepted
        // On another instrument it frees nothing.
        buy A2 10 @10 I1                   => accepted
        replace A2 O2 with buy 1 @10 I1    => PositionLimitExceeded
        sell A2 1 @20                      => accepted
        replace A2 O4 with buy 1 @9        => PositionLimitExceeded
        ",
    );
}

#[test]
fn the_old_hold_counts_when_it_is_of_the_same_asset() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        deposit A2 base 10
        buy A2 10 @10                      => accepted
        // Quote is quote on every instrument.
        replace A2 O1 with buy 20 @5 I1    => cancelled O1 10 Replaced, accepted
        replace A2 O2 with sell 11 @20     => InsufficientFunds
        replace A2 O2 with sell 10 @20     => cancelled O2 20 Replaced, accepted
        balance A2 quote                   => 100 + 0
        balance A2 base                    => 0 + 10
        replace A2 O3 with sell 10 @21     => cancelled O3 10 Replaced, accepted
        replace A2 O4 with buy 10 @10      => cancelled O4 10 Replaced, accepted
        balance A2 base                    => 10 + 0
        ",
    );
}

#[test]
fn the_old_order_is_no_opposite_order() {
    Venue::new().check(
        "
        sell A2 5 @10                         => accepted
        replace A2 O1 with buy 5 @10 post     => cancelled O1 5 Replaced, accepted
        replace A2 O2 with sell 5 @10 post et => cancelled O2 5 Replaced, accepted
        sell A3 5 @10                         => accepted
        replace A2 O3 with buy 5 @10 post     => PostOnlyWouldTrade
        sell A2 5 @9                          => accepted
        replace A2 O5 with buy 5 @9 post      => cancelled O5 5 Replaced, accepted
        ",
    );
}

#[test]
fn a_bid_by_amount_is_judged_by_the_best_ask_that_is_left() {
    // 40 buy five lots at 8 and four at 10; one more than four is too many.
    let check = |command: &str, answer: &str| {
        Venue::new().check(&format!(
            "
            reference I0 10
            position A2 I0 1000004
            sell A2 5 @8     => accepted
            sell A3 5 @10    => accepted
            {command}        => {answer}
            "
        ));
    };
    check("buy A2 40q market", "PositionLimitExceeded");
    check("buy A2 39q market et", "accepted, prevented O1 0/0@8 ExpireTaker unspent 39");
    check("replace A2 O1 with buy 40q market", "cancelled O1 5 Replaced, accepted, O2 4@10");
    check("replace A2 O1 with buy 50q market", "PositionLimitExceeded");
}

#[test]
fn it_counts_as_a_message_and_an_order() {
    Venue::new().check(
        "
        buy A2 1 @10                     => accepted
        rates A2 orders=2
        replace A2 O1 with buy 1 @11     => cancelled O1 1 Replaced, accepted
        replace A2 O2 with buy 1 @12     => OrderRateExceeded
        rates A2 messages=4
        replace A2 O2 with buy 1 @12     => cancelled O2 1 Replaced, accepted
        replace A2 O3 with buy 1 @13     => MessageRateExceeded
        at 1000000000
        replace A2 O3 with buy 1 @13     => cancelled O3 1 Replaced, accepted
        ",
    );
}

#[test]
fn an_unknown_old_order_comes_after_the_standing_of_market_and_account() {
    Venue::new().check(
        "
        replace A2 O9 with buy 0 @10 I9    => UnknownInstrument
        halt I0
        replace A2 O9 with buy 0 @10       => InstrumentHalted
        halt venue
        replace A2 O9 with buy 0 @10       => VenueHalted
        resume venue
        resume I0
        replace A99 O9 with buy 0 @10      => UnknownAccount
        halt A2
        replace A2 O9 with buy 0 @10       => AccountHalted
        resume A2
        permit A2 6
        replace A2 O9 with buy 0 @10       => AccountNotPermitted
        permit A2 7
        replace A2 O9 with buy 0 @10       => UnknownOrder
        ",
    );
}

#[test]
fn both_records_must_be_of_one_account_and_the_second_a_new_order() {
    let mut venue = Venue::new();
    venue.check("buy A2 1 @10 => accepted");
    let good = parse("replace A2 O1 with buy 1 @11");
    let mut other_account = good.clone();
    other_account[1].account = 3;
    let mut other_kind = good.clone();
    other_kind[1].header.kind = 65;
    let mut alone = good[..1].to_vec();
    alone[0].header.record_count = 1;
    for records in [other_account, other_kind, alone] {
        assert_eq!(venue.apply(&records), "MalformedRecords");
    }
    assert_eq!(venue.apply(&good), "cancelled O1 1 Replaced, accepted");
}

#[test]
fn two_halves_fail_apart() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        buy A2 5 @10 #1                             => accepted
        // The old order is unknown: the new one comes all the same.
        replace A2 O9 allow with buy 5 @10          => accepted, UnknownOrder
        // The new one fails behind the filters: the old one is gone all the same.
        replace A2 O1 allow with buy 6 @10          => cancelled O1 5 NotReplaced, InsufficientFunds
        replace A2 O1 allow with buy 11 @10         => UnknownOrder, InsufficientFunds
        balance A2 quote                            => 50 + 50
        replace A2 O2 allow with buy 10 @10         => cancelled O2 5 Replaced, accepted
        balance A2 quote                            => 0 + 100
        ",
    );
}

#[test]
fn what_is_found_before_the_cancel_refuses_both_halves() {
    Venue::new().check(
        "
        buy A2 5 @10 #1                             => accepted
        replace A2 O1 allow with buy 5 @0           => PriceNotPositive
        replace A2 O9 allow with buy 0 @9           => QuantityNotPositive
        replace A2 O1 allow with buy 0q market      => AmountNotPositive
        replace A2 O1 allow with buy 5 @9 I7        => UnknownInstrument
        halt I0
        replace A2 O1 allow with buy 5 @9           => InstrumentHalted
        resume I0
        rates A2 orders=0
        replace A2 O1 allow with buy 5 @9           => OrderRateExceeded
        replace A2 O9 allow with buy 5 @9           => OrderRateExceeded
        replace A2 O1 with buy 5 @9                 => OrderRateExceeded
        order O1                                    => 5 of 5 @10 prevented 0
        ",
    );
}

#[test]
fn one_order_too_many_may_still_cancel() {
    Venue::new().check(
        "
        buy A2 5 @10                                     => accepted
        buy A2 5 @10                                     => accepted
        rates A2 orders=0
        replace A2 O9 cancel-only with buy 5 @9          => UnknownOrder
        replace A2 O1 cancel-only with buy 5 @0          => PriceNotPositive
        replace A2 O1 cancel-only with buy 5 @9          => cancelled O1 5 NotReplaced, OrderRateExceeded
        replace A2 O1 cancel-only allow with buy 5 @9    => UnknownOrder, OrderRateExceeded
        replace A2 O2 cancel-only allow with buy 5 @9    => cancelled O2 5 NotReplaced, OrderRateExceeded
        rates A2 messages=0
        replace A2 O2 cancel-only allow with buy 5 @9    => MessageRateExceeded
        ",
    );
}

#[test]
fn a_replacement_may_be_for_some_orders_only() {
    Venue::new().check(
        "
        buy A2 5 @10                                     => accepted
        replace A2 O1 partial with buy 5 @9              => OrderNotPartiallyFilled
        replace A2 O1 partial with buy 5 @0              => OrderNotPartiallyFilled
        replace A2 O1 new partial with buy 5 @9          => RestrictionsExclude
        // What prevention took has not traded.
        sell A2 1 @10 dec                                => accepted, prevented O1 1/1@10 Decrement
        replace A2 O1 partial allow with buy 2 @8        => accepted, OrderNotPartiallyFilled
        sell A3 1 @10                                    => accepted, O1 1@10
        replace A2 O1 new with buy 5 @9                  => OrderNotNew
        replace A2 O1 new allow with sell 1 @9           => accepted, O1 1@10, OrderNotNew
        replace A2 O1 partial with buy 4 @9              => cancelled O1 2 Replaced, accepted
        replace A2 O6 new allow with buy 4 @9            => cancelled O6 4 Replaced, accepted
        ",
    );
}

#[test]
fn what_takes_the_place_may_wait_for_an_auction_or_follow_the_market() {
    Venue::new().check(
        "
        buy A3 1 @15
        buy A2 10 @10
        sell A2 10 @20
        replace A2 O2 with buy 5 @9 auction         => cancelled O2 10 Replaced, accepted
        replace A2 O3 with buy 5 @9 auction         => cancelled O3 10 Replaced, accepted
        balance A2 quote                            => 999910 + 90
        replace A2 O4 with buy 5 @80 peg=primary    => cancelled O4 5 Replaced, accepted, conditions, pegged, moves O6 5@15
        replace A2 O5 with sell 5 @95 peg=primary   => cancelled O5 5 Replaced, accepted, conditions, pegged
        balance A2 quote                            => 999600 + 400
        balance A2 base                             => 999995 + 5
        ",
    );
}

#[test]
fn a_replacement_of_any_kind_is_checked_as_that_kind() {
    Venue::new().check(
        "
        buy A2 10 @15
        position A2 I0 1000005
        replace A2 O1 with buy 10 @20 peg=primary  => PositionLimitExceeded
        replace A2 O1 with buy 10 @20 auction      => PositionLimitExceeded
        replace A2 O1 with buy 10 @20 stop=25      => PositionLimitExceeded
        balance A2 quote                           => 999850 + 150
        position A2 I0 1000010
        replace A2 O1 with buy 10 @20 peg=primary  => cancelled O1 10 Replaced, accepted, conditions, pegged
        replace A2 O2 with buy 10 @20 auction      => cancelled O2 10 Replaced, accepted
        replace A2 O3 with buy 10 @20 stop=25      => cancelled O3 10 Replaced, accepted, waits for 25
        balance A2 quote                           => 999800 + 200
        // From one side to the other: what goes is of another asset than what comes.
        replace A2 O4 with sell 10 @20 peg=primary => cancelled O4 10 Replaced, accepted, conditions, pegged
        balance A2 quote                           => 1000000 + 0
        replace A2 O5 with buy 10 @20 stop=25      => cancelled O5 10 Replaced, accepted, waits for 25
        balance A2 base                            => 1000000 + 0
        replace A2 O6 with sell 10 @20 auction     => cancelled O6 10 Replaced, accepted
        balance A2 quote                           => 1000000 + 0
        balance A2 base                            => 999990 + 10
        ",
    );
}

#[test]
fn a_replacement_of_any_kind_is_paid_by_what_goes() {
    let mut venue = Venue::poor();
    venue.check(
        "
        deposit A6 quote 100
        buy A6 10 @10                              => accepted
        replace A6 O1 with buy 10 @10 stop=12      => cancelled O1 10 Replaced, accepted, waits for 12
        replace A6 O2 with buy 10 @10 peg=primary  => cancelled O2 10 Replaced, accepted, conditions, pegged
        replace A6 O3 with buy 10 @10 auction      => cancelled O3 10 Replaced, accepted
        replace A6 O4 with buy 10 @10 stop=12      => cancelled O4 10 Replaced, accepted, waits for 12
        replace A6 O5 with buy 11 @10 stop=12      => InsufficientFunds
        replace A6 O5 with buy 11 @10 peg=primary  => InsufficientFunds
        replace A6 O5 with buy 11 @10 auction      => InsufficientFunds
        replace A6 O5 with buy 10 @10              => cancelled O5 10 Replaced, accepted
        balance A6 quote                           => 0 + 100
        ",
    );
}
