//! Call auctions: prices, trades, money, indications, collars, the orders that are for them alone.

use crate::common::Venue;

/// Orders of A2 to buy and of A3 to sell in a call, and what its uncross gives.
fn check_auction(bids: &[(i64, u64)], asks: &[(i64, u64)], expected: &str) {
    let mut venue = Venue::new();
    venue.check("deposit A2 quote 1000000000\nstate I0 auction opening");
    for (price, lots) in bids {
        venue.check(&format!("buy A2 {lots} @{price}"));
    }
    for (price, lots) in asks {
        venue.check(&format!("sell A3 {lots} @{price}"));
    }
    let answer = venue.send("state I0 continuous");
    assert!(answer.contains(&format!("uncrossed {expected}, Continuous")), "{answer}");
}

#[test]
fn the_printed_vectors() {
    check_auction(
        &[(640, 500), (639, 500), (639, 500), (634, 1_000), (633, 500)],
        &[(610, 1_000), (640, 500), (641, 520), (642, 550), (643, 519)],
        "1000@639 +500",
    );
    check_auction(&[(101, 50), (100, 30), (99, 20)], &[(99, 40), (100, 30), (102, 50)], "70@100 +10");
    let bids = [
        (13_000, 45),
        (12_900, 95),
        (12_800, 25),
        (12_700, 35),
        (12_600, 25),
        (12_500, 55),
        (12_400, 200),
        (12_300, 80),
        (12_200, 60),
    ];
    let asks = [
        (12_200, 10),
        (12_300, 125),
        (12_400, 155),
        (12_500, 90),
        (12_600, 20),
        (12_700, 10),
        (12_800, 15),
        (12_900, 10),
        (13_000, 50),
        (13_100, 35),
    ];
    check_auction(&bids, &asks, "290@12400 +190");
}

/// A venue with a last price of 10 and a band of a half around it.
fn traded() -> Venue {
    let mut venue = Venue::new();
    venue.check("sell A3 1 @10\nbuy A2 1 @10\nlimits I0 down=500000 up=500000");
    venue
}

#[test]
fn orders_gather_and_trade_at_one_price() {
    let mut venue = traded();
    venue.check(
        "
        state I0 preopen        => set, PreOpen Opening
        buy A2 5 @12            => accepted
        sell A3 2 @9            => accepted
        sell A4 2 @11           => accepted
        buy A2 1 @12 ioc        => ImmediateInCall
        buy A2 1 @12 post       => accepted
        amend A2 O6 1 @9        => amended O6 1@9 open 1
        book I0                 => 5@12 1@9 | 2@9 2@11
        state I0 auction opening => set, Auction Opening, would trade 4@12 +1
        cancel A4 O5            => cancelled O5 2, would trade 2@12 +3
        // Nothing changed, and nothing is told.
        buy A5 1 @5             => accepted
        sell A5 1 @15           => accepted
        buy A9 1 @5             => UnknownAccount
        state I0 continuous     => set, O3 O4 2@12, uncrossed 2@12 +3, Continuous
        book I0                 => 3@12 1@9 1@5 | 1@15
        balance A2 quote        => 999921 + 45
        balance A3 quote        => 1000034 + 0
        ",
    );
}

#[test]
fn what_a_bid_did_not_cost_is_available_again_and_both_pay_as_makers() {
    let mut venue = Venue::new();
    venue.check(
        "
        fee S0 T0 5000 1000
        fee S0 T1 5000 -500
        tier A3 1
        state I0 auction intraday => set, Auction Intraday
        buy A2 700 @100         => accepted
        balance A2 quote        => 929930 + 70070
        sell A3 300 @90         => accepted, would trade 300@100 +400
        sell A4 300 @91         => accepted, would trade 600@100 +100
        // The seller with a rebate gets none; the other two pay a thousandth.
        state I0 continuous     => set, O1 O2 300@100 fee 30/0, O1 O3 300@100 fee 30/30, uncrossed 600@100 +100, Continuous
        balance A2 quote        => 929930 + 10010
        balance A3 quote        => 1030000 + 0
        balance A4 quote        => 1029970 + 0
        balance A0 quote        => 90 + 0
        ",
    );
}

#[test]
fn a_price_below_the_limit_gives_money_back() {
    Venue::new().check(
        "
        fee S0 T0 3000 1500
        reference I0 50
        state I0 auction intraday
        buy A2 10 @80           => accepted
        balance A2 quote        => 999198 + 802
        sell A3 4 @40           => accepted, would trade 4@80 +6
        sell A4 6 @41           => accepted, would trade 10@50 +0
        state I0 continuous     => set, O1 O2 4@50 fee 1/1, O1 O3 6@50 fee 0/1, uncrossed 10@50 +0, Continuous
        balance A2 quote        => 999499 + 0
        ",
    );
}

#[test]
fn market_orders_stand_beside_the_book_and_trade_first() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 3 market auction     => accepted
        waits O3                    => no
        balance A2 quote            => 999945 + 45
        buy A5 4 market opening     => accepted
        state I0 auction intraday   => set, Auction Intraday
        buy A4 5 @12                => accepted
        sell A3 2 @9                => accepted, would trade 2@12 +6
        sell A3 1 market auction    => accepted, would trade 3@12 +5
        amend A2 O3 2 @0            => OrderNotAmendable
        sell A3 8 @11               => accepted, would trade 8@11 -3
        book I0                     => 5@12 | 2@9 8@11
        state I0 continuous         => set, O3 O7 1@11, O3 O6 2@11, O5 O8 5@11, uncrossed 8@11 -3, Continuous
        orders A5                   => O4
        balance A2 quote            => 999957 + 0
        ",
    );
}

#[test]
fn market_orders_alone_trade_at_the_reference() {
    let mut venue = traded();
    venue.check(
        "
        state I0 auction intraday   => set, Auction Intraday
        buy A2 3 market auction     => accepted
        sell A3 5 market auction    => accepted, would trade 3@10 -2
        state I0 continuous         => set, O3 O4 3@10, uncrossed 3@10 -2, expired O4 2 AuctionEnded, Continuous
        ",
    );
    Venue::new().check(
        "
        state I0 auction intraday
        buy A2 3 market auction     => NoReferencePrice
        ",
    );
}

#[test]
fn no_auction_is_dearer_than_a_market_bid_is_held_for() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 3 market auction     => accepted
        reference I0 30
        limits I0 down=900000 up=900000
        state I0 auction intraday
        sell A3 3 @40               => accepted
        // 15 is the most that O3 is held for: nobody meets there, though the two would meet at 40.
        state I0 continuous         => set, uncrossed 0@0 +0, expired O3 3 AuctionEnded, Continuous
        ",
    );
}

#[test]
fn each_auction_takes_its_own_orders() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 1 @12 opening        => accepted
        buy A2 2 @12 close          => accepted
        buy A2 4 @12 auction        => accepted
        orders A2                   => O3 O4 O5
        balance A2 quote            => 999906 + 84
        book I0                     => |
        sell A3 1 @9                => accepted
        state I0 auction closing    => set, Auction Closing, would trade 1@12 +5
        buy A2 8 @12 opening        => accepted
        buy A2 16 @12 close         => accepted, would trade 1@12 +21
        queue I0 buy                => O4 2@12 O5 4@12 O8 16@12
        state I0 continuous         => set, O4 O6 1@12, uncrossed 1@12 +21, expired O4 1 AuctionEnded, expired O5 4 AuctionEnded, expired O8 16 AuctionEnded, Continuous
        orders A2                   => O3 O7
        sell A3 3 @9                => accepted
        state I0 preopen            => set, PreOpen Opening
        queue I0 buy                => O3 1@12 O7 8@12
        state I0 continuous         => set, O3 O9 1@12, O7 O9 2@12, uncrossed 3@12 +6, expired O7 6 AuctionEnded, Continuous
        ",
    );
}

#[test]
fn orders_leave_a_call_that_comes_to_no_end_and_wait_again() {
    let mut venue = traded();
    venue.check(
        "
        state I0 preopen
        buy A2 1 @12 opening        => accepted
        buy A2 2 market opening     => accepted
        buy A2 4 @12                => accepted
        amend A2 O3 3 @11           => amended O3 3@11 open 3
        state I0 cancelonly         => set, CancelOnly
        queue I0 buy                => O5 4@12
        orders A2                   => O3 O4 O5
        cancel A2 O4                => cancelled O4 2
        state I0 auction intraday   => set, Auction Intraday
        queue I0 buy                => O5 4@12
        state I0 continuous         => set, uncrossed 0@0 +0, Continuous
        state I0 auction opening    => set, Auction Opening
        queue I0 buy                => O5 4@12 O3 3@11
        ",
    );
}

#[test]
fn own_orders_may_meet_in_an_auction() {
    let mut venue = traded();
    venue.check(
        "
        state I0 auction intraday
        buy A2 3 @11 eb             => accepted
        sell A2 3 @9 eb             => accepted, would trade 3@10 +0
        state I0 continuous         => set, O3 O4 3@10, uncrossed 3@10 +0, Continuous
        balance A2 quote            => 999990 + 0
        balance A2 base             => 1000001 + 0
        ",
    );
}

#[test]
fn triggers_fire_on_the_price_of_the_auction() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 2 @14 stop=12        => accepted, waits for 12
        sell A5 2 @8 stop=0 trail=1        => accepted, waits for 9
        state I0 auction intraday
        buy A2 3 @12                => accepted
        sell A3 5 @12               => accepted, would trade 3@12 -2
        mark I0 12                  => set
        state I0 continuous         => set, O5 O6 3@12, uncrossed 3@12 -2, Continuous, fires O3 2 at 12 by 12, O6 2@12
        waits O4                    => 11
        ",
    );
}

#[test]
fn an_auction_that_closes_trades_and_fires_nothing() {
    let mut venue = traded();
    venue.check(
        "
        buy A4 2 @14 stop=12        => accepted, waits for 12
        buy A4 2 @14 stop=0 trail=3        => accepted, waits for 13
        state I0 auction closing
        buy A2 3 @12 day            => accepted
        sell A3 2 @12 close         => accepted, would trade 2@12 +1
        state I0 closed             => set, O5 O6 2@12, uncrossed 2@12 +1, Closed, expired O5 1 DayEnded
        waits O3                    => 12
        waits O4                    => 13
        ",
    );
}

#[test]
fn a_price_outside_the_collar_extends_the_call_and_is_held_inside_at_last() {
    let mut venue = traded();
    venue.check(
        "
        terms I0 collar=200000 extension=50 extensions=2 call=1000
        state I0 auction intraday   => set, Auction Intraday
        schedule I0 continuous none 100 => set
        buy A2 3 @14                => accepted
        sell A3 2 @9                => accepted, would trade 2@12 +1
        at 100                      => Auction Intraday until 150
        at 149                      =>
        at 150                      => Auction Intraday until 200
        at 200                      => O3 O4 2@12, uncrossed 2@12 +1, Continuous
        state I0 auction intraday
        sell A3 1 @13               => accepted, would trade 1@13 +0
        ",
    );
}

#[test]
fn a_call_that_was_halted_goes_on_where_it_was() {
    let mut venue = traded();
    venue.check(
        "
        terms I0 collar=200000 extension=50 extensions=1 call=1000
        state I0 auction intraday   => set, Auction Intraday
        schedule I0 continuous none 100 => set
        buy A2 3 @14                => accepted
        sell A3 2 @9                => accepted, would trade 2@12 +1
        at 100                      => Auction Intraday until 150
        state I0 halted             => set, Halted
        state I0 auction intraday   => set, Auction Intraday, would trade 2@12 +1
        schedule I0 continuous none 200 => set
        // It was extended as often as it may be, before it was halted.
        at 200                      => O3 O4 2@12, uncrossed 2@12 +1, Continuous
        ",
    );
}

#[test]
fn by_command_a_call_ends_inside_its_collar_at_once() {
    let mut venue = traded();
    venue.check(
        "
        terms I0 collar=200000 extension=50 extensions=2 call=1000
        state I0 auction intraday
        buy A2 3 @14                => accepted
        sell A3 2 @13               => accepted
        sell A3 2 @12               => accepted, would trade 2@12 +1
        // What meets only outside: the one that came later of the first two goes.
        state I0 continuous         => set, O3 O5 2@12, uncrossed 2@12 +1, expired O4 2 OutsideCollar, Continuous
        book I0                     => 1@14 |
        ",
    );
}

#[test]
fn orders_for_auctions_are_limit_or_market_and_nothing_else() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 1 @9 post auction        => InvalidCombination
        buy A2 1 @9 auction stop=12     => InvalidCombination
        buy A2 1 @9 opening min=1       => InvalidCombination
        buy A2 20q market close         => InvalidCombination
        buy A2 1 market day             => InvalidCombination
        buy A2 1 @9 post day            => accepted
        buy A2 1 @16 auction            => PriceOutsideBand
        buy A2 1 @0 auction             => PriceNotPositive
        buy A2 66666 @15 auction        => InsufficientFunds
        rates A2 open=1
        buy A2 1 @9 auction             => OpenOrderLimitExceeded
        ",
    );
}

#[test]
fn an_order_for_auctions_can_be_cancelled_and_replaced() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 5 @12 auction            => accepted
        amend A2 O3 4 @12               => OrderNotAmendable
        replace A2 O3 with buy 4 market close => cancelled O3 5 Replaced, accepted
        replace A2 O4 with buy 4 @11 day => cancelled O4 4 Replaced, accepted
        replace A2 O5 with buy 2 @11 opening => cancelled O5 4 Replaced, accepted
        cancel-all A2                   => cancelled O6 2 CancelledAll
        balance A2 quote                => 999990 + 0
        ",
    );
}

#[test]
fn prices_are_not_shared_in_an_auction() {
    let mut venue = Venue::new();
    venue.check(
        "
        allocation I0 rule=1
        state I0 auction intraday
        buy A2 3 @10                    => accepted
        buy A4 3 @10                    => accepted
        sell A3 4 @10                   => accepted, would trade 4@10 +2
        state I0 continuous             => set, O1 O3 3@10, O2 O3 1@10, uncrossed 4@10 +2, Continuous
        ",
    );
}

#[test]
fn hidden_orders_take_part_behind_what_is_displayed() {
    let mut venue = traded();
    venue.check(
        "
        sell A3 2 @11 hidden=1
        sell A3 2 @11
        state I0 auction intraday  => set, Auction Intraday
        buy A2 3 @12 hidden=1      => accepted, conditions, hidden, would trade 3@11 -1
        state I0 continuous        => set, O5 O4 2@11, O5 O3 1@11, uncrossed 3@11 -1, Continuous
        book I0                    =>  |
        // What meets at no price that the collar lets trade ends, hidden or not.
        terms I0 collar=100000
        state I0 auction intraday
        sell A3 2 @13 hidden=1
        buy A2 2 @15 hidden=1
        state I0 continuous        => set, O7 O3 1@12, uncrossed 1@12 +1, expired O7 1 OutsideCollar, Continuous
        ",
    );
}

#[test]
fn the_lowest_limit_of_market_bids_counts_as_long_as_one_has_it() {
    let mut venue = traded();
    venue.check(
        "
        buy A2 3 market auction     => accepted
        buy A4 2 market auction     => accepted
        reference I0 30
        state I0 auction intraday
        sell A3 4 @15               => accepted, would trade 4@15 +1
        cancel A2 O3                => cancelled O3 3, would trade 2@15 -2
        sell A3 1 @16               => accepted
        buy A2 1 @40                => accepted, would trade 3@15 -1
        // The dearer ask finds its buyer when nobody may pay less.
        cancel A3 O5                => cancelled O5 4, would trade 0@0 +0
        cancel A4 O4                => cancelled O4 2, would trade 1@16 +0
        ",
    );
}

#[test]
fn what_a_schedule_does_to_a_call_depends_on_where_it_goes() {
    // Away from trading nothing is uncrossed; and an instrument that has expired has no schedule.
    let mut venue = traded();
    venue.check(
        "
        state I0 auction intraday
        buy A2 1 @10
        sell A3 1 @10               => accepted, would trade 1@10 +0
        schedule I0 cancelonly none 50
        at 50                       => CancelOnly
        book I0                     => 1@10 | 1@10
        schedule I0 closed none 60
        state I0 expired            => set, Expired, cancelled O3 1 InstrumentExpired, cancelled O4 1 InstrumentExpired
        at 60                       =>
        ",
    );
}

#[test]
fn a_call_behind_a_pause_is_extended_too() {
    Venue::new().check(
        "
        sell A3 1 @100
        buy A2 1 @100
        sell A3 1 @110
        terms I0 collar=20000 extension=30 extensions=1 call=50
        breaker I0 ticks=5 slots=10 slot=10 pause=100
        buy A2 1 @110               => accepted, tripped 2 @110 until 100, Paused Volatility until 100
        at 100                      => Auction Volatility until 150
        at 150                      => Auction Volatility until 180
        at 180                      => uncrossed 0@0 +0, expired O4 1 OutsideCollar, Continuous
        ",
    );
}

#[test]
fn the_queue_of_market_orders_counts_as_memory() {
    let mut venue = Venue::new();
    // What an order needs beside its queue is there already.
    venue.check("reference I0 10\nstate I0 auction opening");
    venue.send("buy A2 1 @10 auction");
    venue.send("cancel A2 O1");
    let before = venue.engine.memory_bytes();
    assert_eq!(venue.send("buy A2 1 market auction"), "accepted");
    assert!(venue.engine.memory_bytes() > before);
}
