//! Circuit breakers: a trade that trips does not happen, and nothing goes around that.

use crate::common::Venue;

/// A venue with a last price of 100, asks from 101 up and bids from 99 down, and a breaker of five ticks at once.
fn guarded() -> Venue {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A3 1 @100
        buy A2 1 @100               => accepted, O1 1@100
        sell A3 2 @103
        sell A3 2 @106
        buy A4 2 @97
        buy A4 2 @94
        terms I0 call=50
        breaker I0 ticks=5 slots=10 slot=10 pause=100 => set
        ",
    );
    venue
}

#[test]
fn an_order_that_goes_too_far_stops_and_rests() {
    let mut venue = guarded();
    venue.check(
        "
        buy A2 5 @107               => accepted, O3 2@103, tripped 2 @106 until 100, Paused Volatility until 100
        book I0                     => 3@107 2@97 2@94 | 2@106
        buy A2 1 @90                => InstrumentPaused
        cancel A4 O6                => cancelled O6 2
        at 99                       =>
        at 100                      => Auction Volatility until 150, would trade 2@107 +1
        at 150                      => O7 O4 2@107, uncrossed 2@107 +1, Continuous
        // The windows begin anew with the price of the auction.
        sell A3 1 @107              => accepted, O7 1@107
        ",
    );
}

#[test]
fn an_order_that_may_not_rest_expires() {
    let mut venue = guarded();
    venue.check(
        "
        buy A2 5 @107 ioc           => accepted, O3 2@103, tripped 2 @106 until 100, Paused Volatility until 100, expired 3 TradingStopped
        ",
    );
    let mut venue = guarded();
    venue.check(
        "
        limits I0 down=500000 up=500000
        buy A2 1000q market         => accepted, O3 2@103, tripped 2 @106 until 100, Paused Volatility until 100, expired unspent 794 TradingStopped
        ",
    );
}

#[test]
fn fill_or_kill_looks_no_further_than_the_breaker() {
    let mut venue = guarded();
    venue.check(
        "
        buy A2 3 @107 fok           => accepted, expired 3 FillOrKill
        buy A2 3 @107 ioc min=3     => accepted, conditions, expired 3 MinimumQuantity
        buy A2 2 @107 fok           => accepted, O3 2@103
        sell A2 3 @90 fok           => accepted, expired 3 FillOrKill
        allocation I1 rule=1
        ",
    );
}

#[test]
fn what_was_fired_before_the_stop_does_not_trade() {
    let mut venue = guarded();
    venue.check(
        "
        buy A5 1 @107 stop=103      => accepted, waits for 103
        buy A5 1 @107 stop=103 ioc  => accepted, waits for 103
        buy A2 5 @107               => accepted, O3 2@103, tripped 2 @106 until 100, Paused Volatility until 100, fires O7 1 at 103 by 103, fires O8 1 at 103 by 103, expired 1 TradingStopped
        queue I0 buy                => O9 3@107 O7 1@107 O5 2@97 O6 2@94
        ",
    );
}

#[test]
fn nothing_goes_around_a_pause() {
    let commands = [
        "buy A4 5 @106",
        "buy A4 5 @106 ioc",
        "buy A4 5 market",
        "buy A4 5 @106 fok",
        "buy A4 700q market",
        "amend A4 O5 2 @106",
        "replace A4 O5 with buy 2 @106",
        "buy A4 1 @106 auction",
        "buy A4 1 @107 stop=106",
        "mark I0 106",
        "index I0 106",
        "reference I0 106",
        "limits I0 tick=1",
        "allocation I1 rule=1",
        "resume I0",
        "resume venue",
        "state I0 continuous",
        "state I0 auction intraday",
        "state I0 preopen",
        "state I0 cancelonly",
        "state I0 paused",
        "state I0 halted",
        "schedule I0 continuous none 60",
        "schedule I0 auction closing 60",
        "breaker I0",
        "breaker I0 ticks=1000 slots=1 slot=1 pause=1",
        "close 0",
        "level 5",
        "terms I0 call=0",
        "permit A4 7",
        "tier A4 1",
        "group A4 1",
        "position A4 I0 100",
        "rates A4 open=1",
        "fee S0 T0 0 0",
        "cancel A3 O4",
        "at 99",
    ];
    for command in commands {
        let mut venue = guarded();
        // A limit order of A5 that waits, too.
        venue.check("buy A5 1 @107 stop=106 by=mark\nbuy A2 5 @107");
        let given = venue.send(command);
        assert!(!given.contains('@') || given.starts_with("cancelled"), "{command}: {given}");
        let state = venue.send("halt I0");
        assert!(["set, Halted", "set"].contains(&state.as_str()), "{command}: {state}");
        venue.check("resume I0 => set, Paused Volatility until 100");
        // One tick before its end it is still there.
        venue.check("at 99");
        venue.check("buy A4 5 @106 => InstrumentPaused");
    }
}

#[test]
fn the_dynamic_breaker_goes_by_a_share_of_the_settlement() {
    // 3.5 % of 11,160 ticks of 0.25 are 390.
    let mut venue = Venue::new();
    venue.check(
        "
        sell A3 1 @11000
        buy A2 1 @11000             => accepted, O1 1@11000
        breaker I0 settlement=11160 share=35000 pause=120000000000 closing=300000000000 short=5000000000 => set
        sell A3 1 @11390
        sell A3 1 @11391
        buy A2 1 @11391             => accepted, O3 1@11390
        buy A2 1 @11391             => accepted, tripped 1 @11391 until 120000000000, Paused Volatility until 120000000000
        // In the last five minutes before the close the pause is short.
        at 120000000000             => Auction Volatility until 150000000000, would trade 1@11391 +0
        at 150000000000             => O6 O4 1@11391, uncrossed 1@11391 +0, Continuous
        schedule I0 closed none 450000000000
        sell A3 1 @11000            => accepted
        buy A2 1 @11000             => accepted, tripped 1 @11000 until 155000000000, Paused Volatility until 155000000000
        ",
    );
}

#[test]
fn the_whole_market_pauses_at_its_levels() {
    let mut venue = guarded();
    venue.check(
        "
        halt I1
        close 4000                  => set
        level 3721                  => set
        level 3720                  => set, level 1 until 900000000000, Paused Volatility until 900000000000, Halted until 900000000000
        // Once a session.
        level 3719                  => set
        resume I1                   => set, Paused Volatility until 900000000000
        list I2 gas/quote base=1 quote=0 => set, Paused Volatility until 900000000000
        state I0 closed             => set, Closed
        state I0 preopen            => IllegalStateChange
        at 1000                     =>
        level 3480                  => set, level 2 until 900000001000, Paused Volatility until 900000001000, Paused Volatility until 900000001000
        at 900000001000             => Auction Volatility until 930000001000, Auction Volatility until 930000001000
        state I0 preopen            => set, PreOpen Opening
        level 3200                  => set, level 3 until 0, Paused Opening, Paused Volatility, Paused Volatility
        at 999999999999999          =>
        state I0 closed             => set, Closed
        state I0 preopen            => IllegalStateChange
        close 3000                  => set
        state I0 preopen            => set, PreOpen Opening
        ",
    );
}

#[test]
fn a_call_that_is_interrupted_goes_on_behind_the_pause() {
    let mut venue = guarded();
    venue.check(
        "
        close 100
        state I0 auction closing    => set, Auction Closing
        buy A2 1 @106 close         => accepted, would trade 1@103 -1
        level 93                    => set, level 1 until 900000000000, Paused Closing until 900000000000, Paused Volatility until 900000000000
        at 900000000000             => Auction Closing until 900000000050, Auction Volatility until 930000000000, would trade 1@103 -1
        at 900000000050             => O7 O3 1@103, uncrossed 1@103 -1, Continuous
        ",
    );
}

#[test]
fn numbers_of_a_breaker_fit_together() {
    Venue::new().check(
        "
        breaker I9                                    => UnknownInstrument
        breaker I0 share=5 pause=1                    => SettingOutOfRange
        breaker I0 settlement=5 pause=1               => SettingOutOfRange
        breaker I0 ticks=5 slots=1 pause=1            => SettingOutOfRange
        breaker I0 ticks=5 slots=1001 slot=1 pause=1  => SettingOutOfRange
        breaker I0 ticks=5 slots=1 slot=1             => SettingOutOfRange
        breaker I0 pause=1                            => SettingOutOfRange
        breaker I0 ticks=5 slots=1 slot=1 pause=1 closing=1 => SettingOutOfRange
        breaker I0 settlement=-5 share=5 pause=1      => SettingOutOfRange
        breaker I0 ticks=5 slots=1 slot=1 pause=1     => set
        breaker I0                                    => set
        close -1                                      => SettingOutOfRange
        level 0                                       => SettingOutOfRange
        level 5                                       => set
        ",
    );
}

#[test]
fn a_shared_price_trips_too() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A3 1 @100
        buy A2 1 @100
        allocation I0 rule=1
        breaker I0 ticks=5 slots=10 slot=10 pause=100
        sell A3 2 @105
        sell A4 2 @105
        sell A3 2 @106
        buy A2 7 @107               => accepted, O3 2@105, O4 2@105, tripped 2 @106 until 100, Paused Volatility until 100
        ",
    );
}

#[test]
fn of_two_pauses_of_the_whole_market_the_later_end_counts() {
    Venue::new().check(
        "
        close 100
        level 93                    => set, level 1 until 900000000000, Paused Volatility until 900000000000, Paused Volatility until 900000000000
        // The rest of the session is later than any time, whichever came first.
        level 80                    => set, level 3 until 0, Paused Volatility, Paused Volatility
        close 100                   => set
        level 93                    => set, level 1 until 900000000000, Paused Volatility, Paused Volatility
        ",
    );
    Venue::new().check(
        "
        close 100
        level 93
        halt I0                     => set, Halted
        at 10                       =>
        level 87                    => set, level 2 until 900000000010, Halted until 900000000010, Paused Volatility until 900000000010
        resume I0                   => set, Paused Volatility until 900000000010
        ",
    );
}

#[test]
fn only_a_schedule_that_closes_shortens_a_pause() {
    let check = |schedule: &str, until: &str| {
        let mut venue = Venue::new();
        venue.check(&format!(
            "
            sell A3 1 @100
            buy A2 1 @100
            sell A3 1 @110
            breaker I0 ticks=5 slots=10 slot=10 pause=100 closing=1000 short=7
            schedule I0 {schedule}
            buy A2 1 @110           => accepted, tripped 2 @110 until {until}, Paused Volatility until {until}
            "
        ));
    };
    check("auction intraday 500", "100");
    check("auction closing 500", "7");
    check("closed none 1000", "7");
    check("closed none 1001", "100");
}

#[test]
fn fill_or_kill_beside_own_orders_looks_no_further_than_the_breaker() {
    let mut venue = guarded();
    venue.check(
        "
        buy A2 3 @107 fok em        => accepted, expired 3 FillOrKill
        buy A2 2 @107 fok em        => accepted, O3 2@103
        ",
    );
}
