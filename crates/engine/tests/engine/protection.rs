//! Quote protection: what it counts, when it is triggered, and what it takes.

use crate::common::Venue;

#[test]
fn fills_of_quotes_trigger_it() {
    Venue::new().check(
        "
        protect A2 I0 fills=2 window=100     => set
        quote A2 I0 5@10 5@12
        sell A3 1 @10                        => accepted, O1 1@10
        // An order that is no quote does not count.
        buy A2 1 @11
        sell A3 1 @11                        => accepted, O4 1@11
        at 99
        buy A3 1 @12                         => accepted, O2 1@12, protected A2 by O2: 2 lots 2 fills, cancelled O1 4 QuoteProtection, cancelled O2 4 QuoteProtection
        quote A2 I0 5@10 5@12                => QuoteProtectionTriggered
        quote A2 I1 5@10 5@12                => quoted O7 5@10 / O8 5@12, accepted, accepted
        quote A2 I0 - -                      => quoted - / -
        buy A2 1 @11                         => accepted
        // Time does not heal it.
        at 1000
        quote A2 I0 5@10 5@12                => QuoteProtectionTriggered
        reset A2                             => set
        quote A2 I0 5@10 5@12                => QuoteProtectionTriggered
        reset A2 I0                          => set
        quote A2 I0 5@10 5@12                => quoted O10 5@10 / O11 5@12, accepted, accepted
        ",
    );
}

#[test]
fn it_comes_before_the_next_fill_of_the_sweep() {
    Venue::new().check(
        "
        protect A2 I0 lots=3 window=100
        quote A2 I0 4@10 5@12
        buy A2 5 @9
        buy A3 5 @8
        // What is left of the quote is not met any more, the account's other orders are.
        sell A4 9 @8                         => accepted, O1 4@10, protected A2 by O1: 4 lots 1 fills, cancelled O2 5 QuoteProtection, O3 5@9
        reset A2 I0
        quote A2 I0 4@10 5@12
        sell A4 2 @10                        => accepted, O6 2@10
        sell A4 9 @8                         => accepted, O6 2@10, protected A2 by O6: 4 lots 2 fills, cancelled O7 5 QuoteProtection, O4 5@8
        ",
    );
}

#[test]
fn a_window_begins_with_a_fill() {
    Venue::new().check(
        "
        protect A2 I0 fills=3 window=100
        quote A2 I0 9@10 9@12
        at 1000
        sell A3 1 @10                        => accepted, O1 1@10
        at 1099
        sell A3 1 @10                        => accepted, O1 1@10
        at 1100
        sell A3 1 @10                        => accepted, O1 1@10
        at 1199
        sell A3 1 @10                        => accepted, O1 1@10
        sell A3 1 @10                        => accepted, O1 1@10, protected A2 by O1: 3 lots 3 fills, cancelled O1 4 QuoteProtection, cancelled O2 9 QuoteProtection
        ",
    );
}

#[test]
fn over_all_instruments_it_takes_the_quotes_of_all() {
    Venue::new().check(
        "
        protect A2 lots=6 window=100
        protect A2 I0 lots=3 window=100
        quote A2 I0 9@10 9@12 I1 9@10 9@12
        sell A3 3 @10                        => accepted, O1 3@10, protected A2 by O1: 3 lots 1 fills, cancelled O1 6 QuoteProtection, cancelled O2 9 QuoteProtection
        // What is not triggered goes on counting.
        sell A3 9 @9 I1                      => accepted, O3 9@10, protected A2 by O3: 12 lots 2 fills, cancelled O4 9 QuoteProtection
        quote A2 I1 9@10 -                   => QuoteProtectionTriggered
        reset A2                             => set
        quote A2 I1 9@10 -                   => quoted O7 9@10 / -, accepted
        quote A2 I0 9@10 -                   => QuoteProtectionTriggered
        ",
    );
}

#[test]
fn quotes_elsewhere_go_when_the_order_is_done() {
    Venue::new().check(
        "
        protect A2 fills=1 window=100
        quote A2 I1 9@10 9@12 I0 9@10 9@12
        buy A4 2 @8
        sell A4 1 @8 stop=10
        // The sweep first, the stop that it fires, then the other instrument.
        sell A3 10 @8                        => accepted, O3 9@10, protected A2 by O3: 9 lots 1 fills, cancelled O4 9 QuoteProtection, O5 1@8, fires O6 1 at 10 by 10, O5 1@8, cancelled O1 9 QuoteProtection, cancelled O2 9 QuoteProtection
        ",
    );
}

#[test]
fn a_quote_that_takes_is_stopped_too() {
    Venue::new().check(
        "
        sell A3 1 @10
        sell A3 1 @10
        sell A3 9 @10
        protect A2 lots=2 window=100
        // What is left of the bid expires; what comes behind it is accepted and expires at once.
        quote A2 I1 - 1@50 I0 9@10 9@12      => quoted - / O4 1@50, quoted O5 9@10 / O6 9@12, accepted, accepted, O1 1@10, O2 1@10, protected A2 by O5: 2 lots 2 fills, expired O5 7 QuoteProtection, cancelled O4 1 QuoteProtection, accepted, expired O6 9 QuoteProtection
        balance A2 quote                     => 999980 + 0
        balance A2 base                      => 1000002 + 0
        orders A2                            =>
        ",
    );
}

#[test]
fn maker_and_taker_may_both_be_protected() {
    Venue::new().check(
        "
        protect A2 I0 fills=1 window=100
        protect A3 fills=1 window=100
        quote A2 I0 1@8 2@10
        quote A3 I0 3@10 1@12 I1 1@1 -       => quoted O3 3@10 / O4 1@12, quoted O5 1@1 / -, accepted, O2 2@10, protected A2 by O2: 2 lots 1 fills, cancelled O1 1 QuoteProtection, protected A3 by O3: 2 lots 1 fills, expired O3 1 QuoteProtection, accepted, expired O4 1 QuoteProtection, accepted, expired O5 1 QuoteProtection
        ",
    );
}

#[test]
fn a_stop_that_its_own_trade_fires_may_trigger_it() {
    Venue::new().check(
        "
        sell A3 1 @10
        sell A4 2 @9 stop=10
        protect A2 I0 fills=2 window=100
        quote A2 I0 2@10 1@12                => quoted O3 2@10 / O4 1@12, accepted, O1 1@10, fires O2 2 at 10 by 10, O3 1@10, protected A2 by O3: 2 lots 2 fills, accepted, expired O4 1 QuoteProtection
        ",
    );
}

#[test]
fn an_auction_trades_first() {
    Venue::new().check(
        "
        protect A2 lots=2 window=100
        state I0 auction opening
        quote A2 I0 6@10 6@12 I1 1@1 -
        sell A3 3 @10
        sell A4 3 @10
        state I0 continuous                  => set, O1 O4 3@10, O1 O5 3@10, uncrossed 6@10 +0, protected A2 by O1: 3 lots 1 fills, cancelled O2 6 QuoteProtection, Continuous, cancelled O3 1 QuoteProtection
        ",
    );
}

#[test]
fn where_prices_are_shared_it_comes_behind_each_share() {
    Venue::new().check(
        "
        allocation I0 rule=1
        protect A2 I0 fills=1 window=100
        quote A2 I0 - 6@12
        sell A3 6 @12
        quote A4 I0 - 6@12
        buy A5 9 @13                         => accepted, O1 3@12, protected A2 by O1: 3 lots 1 fills, cancelled O1 3 QuoteProtection, O2 3@12, O3 3@12
        // A quote that takes goes no further.
        protect A2 I0
        protect A2 I0 lots=1 window=100
        quote A2 I0 9@12 -                   => quoted O5 9@12 / -, accepted, O2 3@12, protected A2 by O5: 3 lots 1 fills, expired O5 6 QuoteProtection
        ",
    );
}

#[test]
fn terms_are_replaced_and_ended() {
    Venue::new().check(
        "
        protect A2 I0 fills=2                => SettingOutOfRange
        protect A2 I0 window=2               => SettingOutOfRange
        protect A2 I0 fills=1048577 window=2 => SettingOutOfRange
        protect A2 I0 lots=4611686018427387905 window=2 => SettingOutOfRange
        protect A2 I0 lots=1 window=4611686018427387905 => SettingOutOfRange
        protect A2 I9 lots=1 window=1        => UnknownInstrument
        protect A9 lots=1 window=1           => UnknownAccount
        reset A2 I9                          => UnknownInstrument
        reset A9                             => UnknownAccount
        reset A2                             => set
        protect A2 I0 lots=2 window=100      => set
        quote A2 I0 9@10 9@12
        sell A3 1 @10                        => accepted, O1 1@10
        // Counts begin anew.
        protect A2 I0 lots=2 window=100      => set
        sell A3 1 @10                        => accepted, O1 1@10
        sell A3 1 @10                        => accepted, O1 1@10, protected A2 by O1: 2 lots 2 fills, cancelled O1 6 QuoteProtection, cancelled O2 9 QuoteProtection
        // What was triggered stays so with other terms, and ends with its end.
        protect A2 I0 lots=20 window=100     => set
        quote A2 I0 9@10 9@12                => QuoteProtectionTriggered
        protect A2 I0                        => set
        quote A2 I0 9@10 9@12                => quoted O6 9@10 / O7 9@12, accepted, accepted
        sell A3 5 @10                        => accepted, O6 5@10
        ",
    );
}
