//! Self-trade prevention: six modes, both sides, whoever is bigger.

use crate::common::Venue;

const MODES: [&str; 6] = ["", "et", "em", "eb", "dec", "tr"];

/// What a mode takes from taker and maker, as the rulebook's table says.
fn losses(mode: &str, taker: u64, maker: u64) -> (u64, u64) {
    let smaller = taker.min(maker);
    match mode {
        "et" => (taker, 0),
        "em" => (0, maker),
        "eb" => (taker, maker),
        "dec" | "tr" => (smaller, smaller),
        other => panic!("no prevention mode {other}"),
    }
}

/// What a mode is within one account: TRANSFER needs two.
fn decided(mode: &str) -> &'static str {
    match mode {
        "et" => "ExpireTaker",
        "em" => "ExpireMaker",
        "eb" => "ExpireBoth",
        "dec" | "tr" => "Decrement",
        other => panic!("no prevention mode {other}"),
    }
}

/// A maker of `maker` lots whose own taker of `taker` lots meets it; both are good till cancelled, neither has traded.
fn check_pair(mode: &str, taker_side: &str, taker: u64, maker: u64) {
    let mut venue = Venue::new();
    let maker_side = if taker_side == "buy" { "sell" } else { "buy" };
    venue.check(&format!("{maker_side} A2 {maker} @10 {mode}"));
    let case = format!("{taker_side} A2 {taker} @10 {mode}");
    if mode.is_empty() {
        venue.check(&format!("{case} => accepted, O1 {}@10", taker.min(maker)));
        let totals = "1000000 + 0";
        if taker == maker {
            venue.check(&format!("balance A2 quote => {totals}\nbalance A2 base => {totals}"));
        }
        return;
    }
    let (from_taker, from_maker) = losses(mode, taker, maker);
    venue.check(&format!("{case} => accepted, prevented O1 {from_taker}/{from_maker}@10 {}", decided(mode)));
    for (order, original, prevented) in [(1, maker, from_maker), (2, taker, from_taker)] {
        let expected = match original - prevented {
            0 => "none".to_owned(),
            open => format!("{open} of {original} @10 prevented {prevented}"),
        };
        // original - executed - prevented = open, with nothing executed.
        let given = if order == 2 && mode == "et" { "none" } else { &expected };
        venue.check(&format!("order O{order} => {given}"));
    }
    // All that was lost is free again: what is held is what rests.
    let rests = (maker - from_maker) + (taker - from_taker);
    let side = if maker > from_maker { maker_side } else { taker_side };
    let asset = if side == "buy" { ("quote", rests * 10) } else { ("base", rests) };
    venue.check(&format!("balance A2 {} => {} + {}", asset.0, 1_000_000 - asset.1, asset.1));
}

#[test]
fn every_mode_on_both_sides_whoever_is_bigger() {
    for mode in MODES {
        for side in ["buy", "sell"] {
            for (taker, maker) in [(3, 5), (5, 3), (4, 4)] {
                check_pair(mode, side, taker, maker);
            }
        }
    }
}

#[test]
fn the_takers_mode_decides() {
    for maker_mode in MODES {
        let mut venue = Venue::new();
        venue.check(&format!(
            "
            sell A2 3 @10 {maker_mode} => accepted
            buy A2 2 @10 et            => accepted, prevented O1 2/0@10 ExpireTaker
            buy A2 2 @10 dec           => accepted, prevented O1 2/2@10 Decrement
            buy A2 2 @10 em            => accepted, prevented O1 0/1@10 ExpireMaker
            orders A2                  => O4
            "
        ));
        let mut venue = Venue::new();
        venue.check(&format!("sell A2 3 @10 {maker_mode} => accepted"));
        venue.check("buy A2 2 @10 => accepted, O1 2@10");
    }
}

#[test]
fn a_transfer_needs_both_orders_to_want_it() {
    for maker_mode in MODES {
        let mut venue = Venue::new();
        venue.check("group A2 7\ngroup A3 7");
        venue.check(&format!("sell A2 3 @10 {maker_mode} => accepted"));
        let answer = if maker_mode == "tr" { "Transfer moved 20" } else { "Decrement" };
        venue.check(&format!("buy A3 2 @10 tr => accepted, prevented O1 2/2@10 {answer}"));
    }
}

#[test]
fn earlier_fills_are_kept() {
    let check = |mode: &str, answer: &str, left: &str| {
        let mut venue = Venue::new();
        venue.check("sell A3 2 @10\nsell A2 2 @10\nsell A4 2 @10");
        venue.check(&format!("buy A2 5 @10 {mode} => accepted, O1 2@10, {answer}"));
        venue.check(&format!("queue I0 sell => {left}"));
        venue.check("balance A3 quote => 1000020 + 0");
    };
    check("", "O2 2@10, O3 1@10", "O3 1@10");
    check("et", "prevented O2 3/0@10 ExpireTaker", "O2 2@10 O3 2@10");
    check("em", "prevented O2 0/2@10 ExpireMaker, O3 2@10", "");
    check("eb", "prevented O2 3/2@10 ExpireBoth", "O3 2@10");
    check("dec", "prevented O2 2/2@10 Decrement, O3 1@10", "O3 1@10");
    check("tr", "prevented O2 2/2@10 Decrement, O3 1@10", "O3 1@10");
}

#[test]
fn an_expired_taker_does_not_rest_and_has_no_second_event() {
    Venue::new().check(
        "
        sell A2 2 @10        => accepted
        buy A2 5 @10 ioc et  => accepted, prevented O1 5/0@10 ExpireTaker
        buy A2 5 @10 eb      => accepted, prevented O1 5/2@10 ExpireBoth
        book I0              => |
        // What a mode leaves of an IOC expires as always.
        sell A2 2 @10        => accepted
        buy A2 5 @10 ioc dec => accepted, prevented O4 2/2@10 Decrement, expired 3 ImmediateOrCancel
        ",
    );
}

#[test]
fn own_means_account_or_trade_group() {
    Venue::new().check(
        "
        sell A2 1 @10      => accepted
        sell A2 1 @10      => accepted
        sell A2 1 @10      => accepted
        // No group is no group in common.
        buy A3 1 @10 em    => accepted, O1 1@10
        group A2 7
        group A3 8
        buy A3 1 @10 em    => accepted, O2 1@10
        group A3 7
        buy A3 1 @10 em    => accepted, prevented O3 0/1@10 ExpireMaker
        orders A3          => O6
        // The house is no different.
        deposit A7 base 10
        group A7 7
        sell A7 1 @10 dec  => accepted, prevented O6 1/1@10 Decrement
        group A7 0
        buy A3 1 @10       => accepted
        sell A7 1 @10 dec  => accepted, O8 1@10
        ",
    );
}

#[test]
fn a_transfer_moves_base_and_notional_at_the_makers_price_without_fee() {
    Venue::new().check(
        "
        fee S0 T0 100000 50000
        group A2 7
        group A3 7
        reference I0 100
        sell A2 3 @10 tr     => accepted
        buy A3 5 @12 tr      => accepted, prevented O1 3/3@10 Transfer moved 30
        balance A2 quote     => 1000030 + 0
        balance A2 base      => 999997 + 0
        balance A3 base      => 1000003 + 0
        // 2@12 rest with a maker's fee of 2 held.
        balance A3 quote     => 999944 + 26
        balance A0 quote     => 0 + 0
        // A maker bid pays out of its hold, and the fee part that is not needed comes back.
        sell A2 1 @11 tr     => accepted, prevented O2 1/1@12 Transfer moved 12
        balance A3 quote     => 999945 + 13
        balance A2 quote     => 1000042 + 0
        sell A2 4 @11 tr     => accepted, prevented O2 1/1@12 Transfer moved 12
        balance A3 quote     => 999946 + 0
        queue I0 sell        => O4 3@11
        order O4             => 3 of 4 @11 prevented 1
        ",
    );
}

#[test]
fn a_transfer_of_a_partly_filled_maker_keeps_its_hold_exact() {
    // Seven lots at 3 with a fee of 10 %: 21 and 3. The auditor checks the hold after each step.
    Venue::new().check(
        "
        fee S0 T0 0 100000
        group A2 7
        group A3 7
        buy A3 7 @3 tr       => accepted
        balance A3 quote     => 999976 + 24
        sell A4 1 @3         => accepted, O1 1@3 fee 0/1
        balance A3 quote     => 999976 + 20
        sell A2 2 @3 tr      => accepted, prevented O1 2/2@3 Transfer moved 6
        balance A3 quote     => 999977 + 13
        sell A4 1 @3         => accepted, O1 1@3
        sell A2 1 @3 dec     => accepted, prevented O1 1/1@3 Decrement
        sell A4 2 @3         => accepted, O1 2@3 fee 0/1
        balance A3 quote     => 999980 + 0
        ",
    );
}

#[test]
fn a_transfer_is_no_trade() {
    Venue::new().check(
        "
        group A2 7
        group A3 7
        sell A2 3 @10 tr   => accepted
        buy A3 3 @10 tr    => accepted, prevented O1 3/3@10 Transfer moved 30
        // No last price, so no market orders.
        buy A4 1 market    => NoReferencePrice
        ",
    );
}

#[test]
fn orders_by_amount_know_four_modes() {
    let check = |mode: &str, answer: &str| {
        let mut venue = Venue::new();
        venue.check("reference I0 10\nsell A3 2 @10\nsell A2 2 @10\nsell A4 2 @10");
        venue.check(&format!("buy A2 45q market {mode} => {answer}"));
    };
    check("", "accepted, O1 2@10, O2 2@10, expired unspent 5 QuoteAmountSpent");
    check("et", "accepted, O1 2@10, prevented O2 0/0@10 ExpireTaker unspent 25");
    check("em", "accepted, O1 2@10, prevented O2 0/2@10 ExpireMaker, O3 2@10, expired unspent 5 NoLiquidity");
    check("eb", "accepted, O1 2@10, prevented O2 0/2@10 ExpireBoth unspent 25");
    check("dec", "InvalidCombination");
    check("tr", "InvalidCombination");
    let check = |mode: &str, answer: &str| {
        let mut venue = Venue::new();
        venue.check("reference I0 10\nbuy A3 2 @10\nbuy A2 2 @10\nbuy A4 2 @10");
        venue.check(&format!("sell A2 45q market {mode} => {answer}"));
    };
    check("", "accepted, O1 2@10, O2 2@10, expired unspent 5 QuoteAmountSpent");
    check("et", "accepted, O1 2@10, prevented O2 0/0@10 ExpireTaker unspent 25");
    check("em", "accepted, O1 2@10, prevented O2 0/2@10 ExpireMaker, O3 2@10, expired unspent 5 NoLiquidity");
    check("eb", "accepted, O1 2@10, prevented O2 0/2@10 ExpireBoth unspent 25");
}

#[test]
fn prevention_frees_the_makers_position_and_client_order_id() {
    Venue::new().check(
        "
        position A2 I0 1000005
        buy A2 5 @10 #1    => accepted
        buy A2 1 @10       => PositionLimitExceeded
        sell A2 3 @10 dec  => accepted, prevented O1 3/3@10 Decrement
        buy A2 3 @9        => accepted
        buy A2 1 @9        => PositionLimitExceeded
        sell A2 3 @10 em   => accepted, prevented O1 0/2@10 ExpireMaker
        buy A2 2 @9 #1     => accepted
        ",
    );
}

#[test]
fn many_own_makers_in_a_row_are_all_met() {
    Venue::new().check(
        "
        sell A2 1 @10 => accepted
        sell A2 2 @11 => accepted
        sell A2 3 @12 => accepted
        buy A2 5 @12 em => accepted, prevented O1 0/1@10 ExpireMaker, prevented O2 0/2@11 ExpireMaker, prevented O3 0/3@12 ExpireMaker
        queue I0 buy  => O4 5@12
        sell A2 1 @12 dec => accepted, prevented O4 1/1@12 Decrement
        sell A2 6 @12 dec => accepted, prevented O4 4/4@12 Decrement
        order O6      => 2 of 6 @12 prevented 4
        ",
    );
}
