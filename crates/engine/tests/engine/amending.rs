//! Amendments.

use tradewright_types::{ClientOrderId, CommandRecord};

use crate::common::{Venue, parse};

#[test]
fn a_reduction_keeps_its_place() {
    Venue::new().check(
        "
        sell A2 5 @10      => accepted
        sell A3 5 @10      => accepted
        amend A2 O1 2 @10  => amended O1 2@10 open 2 kept
        balance A2 base    => 999998 + 2
        buy A4 3 @10       => accepted, O1 2@10, O2 1@10
        buy A4 5 @9        => accepted
        buy A5 5 @9        => accepted
        amend A4 O4 1 @9   => amended O4 1@9 open 1 kept
        balance A4 quote   => 999961 + 9
        sell A2 2 @9       => accepted, O4 1@9, O5 1@9
        ",
    );
}

#[test]
fn a_reduction_names_the_total_and_not_the_rest() {
    Venue::new().check(
        "
        sell A2 5 @10      => accepted
        buy A3 2 @10       => accepted, O1 2@10
        amend A2 O1 4 @10  => amended O1 4@10 open 2 kept
        order O1           => 2 of 4 @10 prevented 0
        amend A2 O1 2 @10  => QuantityNotAboveExecuted
        amend A2 O1 1 @10  => QuantityNotAboveExecuted
        amend A2 O1 4 @10  => AmendChangesNothing
        amend A2 O1 3 @10  => amended O1 3@10 open 1 kept
        ",
    );
}

#[test]
fn anything_else_loses_its_place() {
    Venue::new().check(
        "
        sell A2 2 @10      => accepted
        sell A3 2 @10      => accepted
        amend A2 O1 3 @10  => amended O1 3@10 open 3
        queue I0 sell      => O2 2@10 O1 3@10
        amend A3 O2 2 @11  => amended O2 2@11 open 2
        amend A3 O2 2 @10  => amended O2 2@10 open 2
        queue I0 sell      => O1 3@10 O2 2@10
        // Less at another price is no reduction.
        amend A2 O1 1 @11  => amended O1 1@11 open 1
        amend A2 O1 1 @10  => amended O1 1@10 open 1
        queue I0 sell      => O2 2@10 O1 1@10
        balance A2 base    => 999999 + 1
        ",
    );
}

#[test]
fn an_amendment_that_crosses_trades_as_taker_at_the_makers_price() {
    Venue::new().check(
        "
        fee S0 T0 100000 50000
        sell A2 3 @20       => accepted
        sell A2 3 @21       => accepted
        buy A3 5 @10 #8     => accepted
        amend A3 #8 5 @20   => amended O3 5@20 open 5, O1 3@20 fee 6/3
        queue I0 buy        => O3 2@20
        // The rest is held as a maker: 40 and a fee of 2.
        balance A3 quote    => 999892 + 42
        amend A3 O3 6 @21   => amended O3 6@21 open 3, O2 3@21 fee 7/4
        book I0             => |
        cancel A3 #8        => UnknownOrder
        buy A3 1 @10 #8     => accepted
        ",
    );
}

#[test]
fn its_fees_go_on_where_they_were() {
    // A fee of a quarter of a quantum a lot: eight lots cost two, in whatever steps and roles.
    Venue::new().check(
        "
        fee S0 T0 250000 250000
        sell A2 1 @1       => accepted
        sell A2 1 @2       => accepted
        buy A3 2 @1        => accepted, O1 1@1 fee 1/1
        order O3           => 1 of 2 @1 prevented 0
        // As a taker it has paid one for one; three are covered by it up to four.
        amend A3 O3 2 @2   => amended O3 2@2 open 1, O2 1@2 fee 0/1
        sell A2 1 @1       => accepted
        buy A3 4 @1        => accepted, O4 1@1 fee 1/1
        sell A2 2 @1       => accepted, O5 2@1 fee 1/1
        // The maker part keeps its rounding over the amendment: 2 of 4 quarters are paid for.
        amend A3 O5 6 @1   => amended O5 6@1 open 3
        balance A3 quote   => 999987 + 4
        sell A2 2 @1       => accepted, O5 2@1 fee 1/0
        ",
    );
}

#[test]
fn it_keeps_its_rates() {
    Venue::new().check(
        "
        fee S0 T0 100000 50000
        fee S0 T1 200000 100000
        sell A2 2 @20      => accepted
        buy A3 2 @10       => accepted
        tier A3 1
        amend A3 O2 2 @20  => amended O2 2@20 open 2, O1 2@20 fee 4/2
        ",
    );
}

#[test]
fn what_was_prevented_counts_as_gone() {
    Venue::new().check(
        "
        sell A2 5 @10      => accepted
        buy A2 2 @10 dec   => accepted, prevented O1 2/2@10 Decrement
        buy A3 1 @10       => accepted, O1 1@10
        order O1           => 2 of 5 @10 prevented 2
        amend A2 O1 3 @10  => QuantityNotAboveExecuted
        amend A2 O1 4 @10  => amended O1 4@10 open 1 kept
        amend A2 O1 9 @11  => amended O1 9@11 open 6
        order O1           => 6 of 9 @11 prevented 2
        ",
    );
}

#[test]
fn its_own_prevention_mode_decides_when_it_crosses() {
    Venue::new().check(
        "
        sell A2 3 @20         => accepted
        buy A2 5 @10 et       => accepted
        amend A2 O2 5 @20     => amended O2 5@20 open 5, prevented O1 5/0@20 ExpireTaker
        orders A2             => O1
        buy A2 5 @10 dec      => accepted
        amend A2 O3 5 @20     => amended O3 5@20 open 5, prevented O1 3/3@20 Decrement
        order O3              => 2 of 5 @20 prevented 3
        amend A2 O3 3 @20     => QuantityNotAboveExecuted
        sell A2 9 @30         => accepted
        buy A2 5 @10 eb       => accepted
        amend A2 O5 6 @30     => amended O5 6@30 open 6, prevented O4 6/9@30 ExpireBoth
        orders A2             => O3
        ",
    );
}

#[test]
fn a_post_only_order_stays_one() {
    Venue::new().check(
        "
        sell A2 3 @20           => accepted
        buy A3 5 @10 post       => accepted
        amend A3 O2 5 @20       => PostOnlyWouldTrade
        amend A3 O2 5 @19       => amended O2 5@19 open 5
        amend A3 O2 4 @19       => amended O2 4@19 open 4 kept
        ",
    );
}

#[test]
fn its_old_hold_counts_as_available() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        deposit A2 base 10
        buy A2 10 @10       => accepted
        balance A2 quote    => 0 + 100
        amend A2 O1 11 @10  => InsufficientFunds
        amend A2 O1 5 @20   => amended O1 5@20 open 5
        amend A2 O1 20 @5   => amended O1 20@5 open 20
        sell A2 10 @30      => accepted
        amend A2 O2 11 @30  => InsufficientFunds
        amend A2 O2 10 @31  => amended O2 10@31 open 10
        ",
    );
}

#[test]
fn the_position_limit_counts_the_new_rest_in_place_of_the_old() {
    Venue::new().check(
        "
        position A2 I0 1000010
        buy A2 10 @10       => accepted
        buy A2 1 @10        => PositionLimitExceeded
        amend A2 O1 11 @10  => PositionLimitExceeded
        amend A2 O1 10 @11  => amended O1 10@11 open 10
        sell A3 4 @11       => accepted, O1 4@11
        amend A2 O1 10 @12  => amended O1 10@12 open 6
        amend A2 O1 11 @12  => PositionLimitExceeded
        // Below what is held already: a reduction passes all the same.
        position A2 I0 5
        amend A2 O1 9 @12   => amended O1 9@12 open 5 kept
        amend A2 O1 9 @13   => PositionLimitExceeded
        ",
    );
}

#[test]
fn a_reduction_passes_the_band_and_nothing_else_does() {
    Venue::new().check(
        "
        sell A2 5 @10       => accepted
        reference I0 100
        limits I0 down=500000 up=500000
        amend A2 O1 4 @10   => amended O1 4@10 open 4 kept
        amend A2 O1 5 @10   => PriceOutsideBand
        amend A2 O1 4 @151  => PriceOutsideBand
        amend A2 O1 4 @150  => amended O1 4@150 open 4
        ",
    );
}

#[test]
fn the_new_price_and_total_must_be_within_the_limits() {
    Venue::new().check(
        "
        limits I0 tick=5 lot=2 min=4 max=20 notional_min=60 notional_max=400
        sell A2 10 @10      => accepted
        buy A3 7 @10 ioc    => QuantityNotOnLot
        amend A2 O1 10 @0   => PriceNotPositive
        amend A2 O1 10 @-5  => PriceNotPositive
        amend A2 O1 10 @11  => PriceNotOnTick
        amend A2 O1 0 @10   => QuantityNotPositive
        amend A2 O1 9 @10   => QuantityNotOnLot
        amend A2 O1 2 @10   => QuantityBelowMinimum
        amend A2 O1 22 @10  => QuantityAboveMaximum
        amend A2 O1 4 @10   => NotionalBelowMinimum
        amend A2 O1 20 @25  => NotionalAboveMaximum
        amend A2 O1 10 @10  => AmendChangesNothing
        amend A2 O1 6 @10   => amended O1 6@10 open 6 kept
        ",
    );
}

#[test]
fn only_the_owner_amends_only_what_is_open() {
    Venue::new().check(
        "
        sell A2 5 @10 #x   => accepted, #x
        amend A3 O1 4 @10  => UnknownOrder
        amend A3 #x 4 @10  => UnknownOrder
        amend A2 O9 4 @10  => UnknownOrder
        amend A99 O1 4 @10 => UnknownAccount
        amend A2 #x 4 @10  => amended O1 4@10 open 4 kept
        buy A3 4 @10       => accepted, O1 4@10
        amend A2 #x 3 @10  => UnknownOrder
        ",
    );
}

#[test]
fn an_order_may_get_another_client_order_id() {
    Venue::new().check(
        "
        buy A2 5 @10 #5                 => accepted
        buy A2 5 @10 #six               => accepted, #six
        amend A2 O1 5 @10               => AmendChangesNothing
        amend A2 O1 5 @10 #5            => AmendChangesNothing
        amend A2 O1 5 @10 #six          => DuplicateClientOrderId
        amend A2 O1 5 @10 #7            => amended O1 5@10 open 5 kept
        amend A2 #7 4 @10 #seven        => amended O1 4@10 open 4 kept, #seven
        amend A2 #seven 4 @11 #5        => amended O1 4@11 open 4
        amend A2 #six 5 @10 #5          => DuplicateClientOrderId
        buy A2 1 @9 #seven              => accepted, #seven
        buy A2 1 @9 #5                  => DuplicateClientOrderId
        amend A2 O2 5 @10 #5            => DuplicateClientOrderId
        cancel A2 #5                    => cancelled O1 4
        amend A2 #six 5 @10 #5          => amended O2 5@10 open 5 kept
        buy A3 1 @9 #5                  => accepted
        ",
    );
}

#[test]
fn a_new_client_order_id_is_checked_and_follows_a_text() {
    let mut venue = Venue::new();
    venue.check("buy A2 5 @10 #old => accepted, #old");
    for wrong in ["", "has space"] {
        let mut records = parse("amend A2 #old 5 @10 #x");
        records[2] = CommandRecord::text(&ClientOrderId::Text(wrong.as_bytes())).expect("a text has a record");
        assert_eq!(venue.apply(&records), "InvalidClientOrderId");
    }
    let mut records = parse("amend A2 #old 5 @10 #x stop=9");
    records.swap(2, 3);
    assert_eq!(venue.apply(&records), "MalformedRecords");
    venue.check("amend A2 #old 4 @9 #0 => amended O1 4@9 open 4, #0");
}

#[test]
fn an_order_that_waits_is_amended_where_it_waits() {
    Venue::poor().check(
        "
        deposit A2 quote 1000
        deposit A3 base 10
        deposit A4 quote 1000
        sell A3 1 @100                          => accepted
        buy A4 1 @100                           => accepted, O1 1@100
        buy A2 2 @110 stop=105                  => accepted, waits for 105
        buy A2 1 @110 stop=105                  => accepted, waits for 105
        balance A2 quote                        => 670 + 330
        amend A2 O3 2 @110                      => AmendChangesNothing
        // Price and quantity change in place, and the hold with them.
        amend A2 O3 3 @111                      => amended O3 3@111 open 3 kept
        balance A2 quote                        => 557 + 443
        amend A2 O3 9 @111                      => InsufficientFunds
        amend A2 O3 1 @111 #7                   => amended O3 1@111 open 1 kept
        balance A2 quote                        => 779 + 221
        amend A2 #7 1 @111 stop=105             => AmendChangesNothing
        // A new trigger price takes it behind those that wait there.
        amend A2 O3 1 @111 stop=106             => amended O3 1@111 open 1, waits for 106
        amend A2 O3 1 @111 stop=105             => amended O3 1@111 open 1, waits for 105
        waits O3                                => 105
        sell A3 3 @105                          => accepted
        buy A4 1 @105                           => accepted, O5 1@105, fires O4 1 at 105 by 105, O5 1@105, fires O3 1 at 105 by 105, O5 1@105
        balance A2 quote                        => 790 + 0
        ",
    );
}

#[test]
fn an_amendment_must_fit_the_order_that_waits() {
    Venue::new().check(
        "
        sell A3 1 @100                          => accepted
        buy A4 1 @100                           => accepted, O1 1@100
        buy A2 2 @90                            => accepted
        amend A2 O3 2 @90 stop=105              => OrderNotAmendable
        buy A2 2 @110 stop=105                  => accepted, waits for 105
        amend A2 O4 2 @110 take=105             => OrderNotAmendable
        amend A2 O4 2 @110 stop=105 by=mark     => OrderNotAmendable
        amend A2 O4 2 @110 stop=105 trail=3     => OrderNotAmendable
        amend A2 O4 2 @110 until=5              => InvalidCombination
        amend A2 O4 2 @110 stop=0               => TriggerPriceNotPositive
        amend A2 O4 2 @0 stop=0                 => PriceNotPositive
        amend A2 O4 0 @110                      => QuantityNotPositive
        amend A2 O4 2 @110 stop=100             => WouldTriggerAtOnce
        amend A2 O4 2 @110 stop=99              => WouldTriggerAtOnce
        sell A3 2 market stop=95                => accepted, waits for 95
        amend A3 O5 2 @94                       => OrderNotAmendable
        amend A3 O5 3 @0 stop=96                => amended O5 3@1 open 3, waits for 96
        balance A3 base                         => 999996 + 3
        halt I0
        amend A3 O5 2 @0                        => InstrumentHalted
        amend A3 O5 2 @1                        => OrderNotAmendable
        ",
    );
}

#[test]
fn a_trail_goes_on_from_its_amended_trigger() {
    Venue::new().check(
        "
        sell A3 1 @100                          => accepted
        buy A4 1 @100                           => accepted, O1 1@100
        sell A3 2 @90 stop=0 trail=5            => accepted, waits for 95
        amend A3 O3 2 @90 stop=97               => OrderNotAmendable
        amend A3 O3 2 @90 stop=97 trail=5       => amended O3 2@90 open 2, waits for 97
        sell A5 2 @103                          => accepted
        buy A4 1 @103                           => accepted, O4 1@103
        waits O3                                => 98
        amend A3 O3 2 @90 stop=90 trail=5       => amended O3 2@90 open 2, waits for 90
        buy A4 1 @103                           => accepted, O4 1@103
        waits O3                                => 98
        // Without a price it starts from the one there is.
        amend A3 O3 2 @90 stop=0 trail=5        => AmendChangesNothing
        amend A3 O3 2 @90 stop=97 trail=5       => amended O3 2@90 open 2, waits for 97
        amend A3 O3 1 @90 stop=0 trail=5        => amended O3 1@90 open 1, waits for 98
        ",
    );
}

#[test]
fn a_minimum_above_the_amended_total_is_the_total() {
    Venue::new().check(
        "
        sell A3 1 @100                          => accepted
        buy A4 1 @100                           => accepted, O1 1@100
        buy A2 5 @110 ioc stop=105 min=4        => accepted, waits for 105
        amend A2 O3 2 @110                      => amended O3 2@110 open 2 kept
        sell A3 3 @105                          => accepted
        buy A4 1 @105                           => accepted, O4 1@105, fires O3 2 at 105 by 105, O4 2@105
        ",
    );
}

#[test]
fn orders_are_found_by_the_ids_that_they_have_now() {
    // So many that several of them share each place of the table.
    let mut venue = Venue::new();
    for number in 1..=100 {
        venue.check(&format!("sell A2 2 @{} #{number}", 1_000 + number));
    }
    for number in (1..=100).rev() {
        let price = 1_000 + number;
        venue.check(&format!("amend A2 #{number} 2 @{price} #{}", number + 1_000));
        assert_eq!(venue.send(&format!("amend A2 #{number} 1 @{price}")), "UnknownOrder");
    }
    for number in 1..=100 {
        venue.check(&format!("sell A2 2 @{} #{number} => accepted", 2_000 + number));
        venue.check(&format!("cancel A2 #{} => cancelled O{number} 2", number + 1_000));
    }
}
