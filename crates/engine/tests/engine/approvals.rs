//! Approvals: which orders wait for them, who gives them, and that there is no way around.

use sha2::{Digest, Sha256};
use tradewright_types::{ApprovalHashRecord, CommandRecord, EventKind, EventRecord};
use zerocopy::IntoBytes;

use crate::common::{Venue, parse};

/// A venue in which A5 and A6 may approve, and orders on I0 need one approver above 100 and two above 200, for 50 ns.
fn banded() -> Venue {
    let mut venue = Venue::new();
    venue.check("at 100\npermit A5 15\npermit A6 8\npermit A7 15\nbands I0 100 200 wait=50");
    venue
}

#[test]
fn an_order_above_a_band_waits_outside_the_book() {
    banded().check(
        "
        buy A2 10 @10            => accepted
        buy A3 11 @10            => accepted, needs 1
        book I0                  => 10@10 |
        balance A3 quote         => 999890 + 110
        // Others do not see it.
        sell A4 10 @10 ioc       => accepted, O1 10@10
        amend A3 O2 12 @10       => OrderWaitsForApproval
        approve A5 O2            => approved 1 of 1, released O2
        book I0                  => 11@10 |
        approve A6 O2            => OrderNeedsNoApproval
        sell A4 1 @10            => accepted, O2 1@10
        ",
    );
}

#[test]
fn priority_starts_with_the_release() {
    banded().check(
        "
        buy A2 11 @10            => accepted, needs 1
        buy A3 10 @10            => accepted
        approve A5 O1            => approved 1 of 1, released O1
        queue I0 buy             => O2 10@10 O1 11@10
        ",
    );
}

#[test]
fn the_set_number_of_different_approvers_releases_it() {
    banded().check(
        "
        sell A2 21 @10           => accepted, needs 2
        approve A5 O1            => approved 1 of 2
        approve A5 O1            => AlreadyApproved
        book I0                  => |
        approve A6 O1            => approved 2 of 2, released O1
        book I0                  => | 21@10
        ",
    );
}

#[test]
fn a_released_order_trades_as_any_other() {
    banded().check(
        "
        sell A3 5 @10
        buy A2 11 @10 ioc        => accepted, needs 1
        buy A2 11 @10            => accepted, needs 2
        reference I0 10
        limits I0 up=0
        buy A4 5 market          => accepted, O1 5@10
        approve A5 O2            => approved 1 of 1, released O2, expired 11 ImmediateOrCancel
        sell A3 4 @10
        approve A5 O3            => approved 1 of 2
        approve A6 O3            => approved 2 of 2, released O3, O5 4@10
        book I0                  => 7@10 |
        ",
    );
}

#[test]
fn who_may_approve() {
    let mut venue = banded();
    venue.check(
        "
        group A3 7
        permit A3 15
        permit A2 15
        buy A2 11 @10            => accepted, needs 1
        approve A2 O1            => ApproverNotIndependent
        group A2 7
        approve A3 O1            => ApproverNotIndependent
        approve A4 O1            => ApproverNotPermitted
        approve A99 O1           => UnknownAccount
        approve A5 O9            => UnknownOrder
        halt A5
        approve A5 O1            => AccountHalted
        resume A5
        kill A5
        approve A5 O1            => KillSwitchEngaged
        release A5
        halt I0
        approve A5 O1            => InstrumentHalted
        halt venue
        approve A5 O1            => VenueHalted
        resume venue
        resume I0
        ",
    );
    let mut wrong = parse("approve A5 O1");
    wrong[0].header.time_ns = venue.time_ns;
    assert_eq!(venue.apply(&wrong), "ApprovalHashDiffers");
    wrong.truncate(1);
    wrong[0].header.record_count = 1;
    assert_eq!(venue.apply(&wrong), "MalformedRecords");
    venue.check("approve A5 O1 => approved 1 of 1, released O1");
}

#[test]
fn an_order_may_be_declined_cancelled_or_run_out_of_time() {
    banded().check(
        "
        buy A2 11 @10            => accepted, needs 1
        decline A4 O1            => ApproverNotPermitted
        decline A2 O1            => ApproverNotIndependent
        decline A5 O1            => declined by A5, cancelled O1 11 Declined
        decline A5 O1            => UnknownOrder
        balance A2 quote         => 1000000 + 0
        buy A2 11 @10            => accepted, needs 1
        cancel A2 O2             => cancelled O2 11
        buy A2 11 @10            => accepted, needs 1
        cancel-all A2            => cancelled O3 11 CancelledAll
        buy A2 11 @10            => accepted, needs 1
        at 149                   =>
        buy A3 1 @9              => accepted
        at 150                   => expired O4 11 ApprovalExpired
        decline A5 O5            => OrderNeedsNoApproval
        // Its own time comes first, or at the same time.
        buy A2 11 @10 until=180  => accepted, conditions, needs 1
        at 180                   => expired O6 11 GoodTillDate
        buy A2 11 @10 until=230  => accepted, conditions, needs 1
        at 230                   => expired O7 11 GoodTillDate
        buy A2 11 @10 until=290  => accepted, conditions, needs 1
        approve A5 O8            => approved 1 of 1, released O8
        at 289                   =>
        at 290                   => expired O8 11 GoodTillDate
        ",
    );
}

#[test]
fn splitting_does_not_avoid_a_band() {
    banded().check(
        "
        group A2 7
        group A3 7
        buy A2 5 @10             => accepted
        buy A3 5 @10             => accepted
        buy A2 1 @1              => accepted, needs 1
        // The other side, another instrument and others do not count.
        sell A2 10 @20           => accepted, needs 1
        sell A2 5 @20            => accepted, needs 2
        buy A2 9 @10 I1          => accepted
        buy A4 10 @10            => accepted
        cancel A3 O2
        cancel A2 O3
        buy A2 5 @10             => accepted
        // An account that leaves the group counts alone.
        group A3 0
        buy A3 10 @10            => accepted
        ",
    );
}

#[test]
fn an_ask_is_worth_what_it_may_trade_at() {
    banded().check(
        "
        buy A3 10 @10
        sell A2 11 @1            => accepted, needs 1
        cancel A2 O2
        reference I0 50
        sell A2 3 @40            => accepted, needs 1
        cancel A2 O3
        sell A2 2 @40            => accepted
        ",
    );
}

#[test]
fn the_larger_answer_of_account_and_instrument_counts() {
    banded().check(
        "
        bands A2 50 60 70 wait=20   => set
        buy A2 5 @10             => accepted
        cancel A2 O1
        buy A2 6 @10             => accepted, needs 1
        cancel A2 O2
        buy A2 8 @10             => accepted, needs 3
        at 120                   => expired O3 8 ApprovalExpired
        buy A2 11 @10            => accepted, needs 3
        // Both ask for somebody, and the shorter time counts.
        at 140                   => expired O4 11 ApprovalExpired
        bands A2 0 500 wait=20   => set
        buy A2 11 @10            => accepted, needs 1
        at 189                   =>
        at 190                   => expired O5 11 ApprovalExpired
        // Bands that end take nothing back.
        buy A2 11 @10            => accepted, needs 1
        bands A2                 => set
        bands I0                 => set
        buy A2 99 @10            => accepted
        approve A5 O6            => approved 1 of 1, released O6
        // Those of an account count on every instrument.
        bands A2 50 wait=20
        buy A2 6 @10 I1          => accepted, needs 1
        ",
    );
}

#[test]
fn at_release_every_check_is_made_again() {
    let refused = [
        ("halt A2", "AccountHalted"),
        ("permit A2 6", "AccountNotPermitted"),
        ("restrict A2 I0 1", "AccountRestricted"),
        ("limits I0 tick=3", "PriceNotOnTick"),
        ("limits I0 lot=7", "QuantityNotOnLot"),
        ("limits I0 min=12", "QuantityBelowMinimum"),
        ("limits I0 max=10", "QuantityAboveMaximum"),
        ("limits I0 notional_min=111", "NotionalBelowMinimum"),
        ("limits I0 notional_max=109", "NotionalAboveMaximum"),
        ("limits I0 down=1000 up=1000\nreference I0 20", "PriceOutsideBand"),
        ("position A2 I0 10", "PositionLimitExceeded"),
        ("sell A3 1 @10", "PostOnlyWouldTrade"),
    ];
    for (change, reason) in refused {
        let mut venue = banded();
        venue.check("transfer A2 A3 base 1000000 internal\nbuy A2 11 @10 post => accepted, needs 1");
        venue.check(change);
        venue.check(&format!("approve A5 O1 => approved 1 of 1, released O1, expired O1 11 RefusedAtRelease {reason}"));
        venue.check("balance A2 quote => 1000000 + 0");
    }
    // A kill switch has taken it.
    banded().check("buy A2 11 @10\nkill A2 => set, cancelled O1 11 KillSwitch\napprove A5 O1 => UnknownOrder");
    // A market order without a price any more, and one whose bid is capped by what is held.
    banded().check(
        "
        reference I0 10
        limits I0 up=100000
        buy A2 11 market         => accepted, needs 1
        buy A3 11 market         => accepted, needs 1
        sell A2 12 market        => accepted, needs 1
        reference I0 0
        sell A4 1 @12
        sell A4 8 @11
        approve A5 O1            => approved 1 of 1, released O1, expired O1 11 RefusedAtRelease NoReferencePrice
        reference I0 12
        approve A5 O2            => approved 1 of 1, released O2, O5 8@11, expired 3 NoLiquidity
        approve A5 O3            => approved 1 of 1, released O3, expired 12 NoLiquidity
        ",
    );
}

#[test]
fn a_stop_above_the_band_is_approved_first_and_then_waits() {
    banded().check(
        "
        mark I0 10
        buy A2 11 @20 stop=15 by=mark            => accepted, waits for 15, needs 2
        sell A2 3 @5 stop=8 by=mark              => accepted, waits for 8
        waits O1                                 => no
        // The price passes it by.
        mark I0 15                               => set
        mark I0 9                                => set
        approve A5 O1                            => approved 1 of 2
        approve A6 O1                            => approved 2 of 2, released O1
        waits O1                                 => 15
        amend A2 O1 12 @20                       => AmendmentNeedsApproval
        amend A2 O1 10 @20                       => amended O1 10@20 open 10 kept
        mark I0 15                               => set, fires O1 10 at 15 by 15
        book I0                                  => 10@20 |
        // One whose price is there is refused.
        buy A3 11 @20 stop=16 by=mark            => accepted, waits for 16, needs 2
        mark I0 17                               => set
        approve A5 O3                            => approved 1 of 2
        approve A6 O3                            => approved 2 of 2, released O3, expired O3 11 RefusedAtRelease WouldTriggerAtOnce
        // A trail follows from its release on.
        buy A3 11 @50 stop=0 trail=2 by=mark            => accepted, waits for 19, needs 2
        mark I0 10                               => set
        approve A5 O4                            => approved 1 of 2
        approve A6 O4                            => approved 2 of 2, released O4
        waits O4                                 => 19
        mark I0 9                                => set
        waits O4                                 => 11
        ",
    );
}

#[test]
fn there_is_no_way_around() {
    banded().check(
        "
        // By replacement, with what goes not counted.
        buy A2 10 @10
        replace A2 O1 with buy 11 @10            => cancelled O1 10 Replaced, accepted, needs 1
        replace A2 O2 with buy 10 @10            => cancelled O2 11 Replaced, accepted
        // By amendment: up, or to another price; down is free.
        amend A2 O3 11 @10                       => AmendmentNeedsApproval
        amend A2 O3 10 @11                       => AmendmentNeedsApproval
        amend A2 O3 9 @11                        => amended O3 9@11 open 9
        amend A2 O3 8 @11                        => amended O3 8@11 open 8 kept
        // By amount, at the market, at once, by parts, by a trigger.
        reference I0 10
        buy A3 101q market                       => OrderNotApprovable
        buy A3 100q market                       => accepted, expired unspent 100 NoLiquidity
        sell A3 101q market                      => OrderNotApprovable
        limits I0 up=0 down=0
        buy A3 11 market                         => accepted, needs 1
        cancel A3 O5
        buy A3 11 @10 fok                        => accepted, needs 1
        cancel A3 O6
        buy A3 11 @10 peak=1                     => accepted, conditions, by 1, needs 1
        cancel A3 O7
        buy A3 11 @10 stop=11                    => accepted, waits for 11, needs 1
        cancel A3 O8
        buy A3 11 @10 until=1000                 => accepted, conditions, needs 1
        cancel A3 O9
        replace A3 O9 with buy 1 @10             => UnknownOrder
        // A reduction of what was approved is free, any other amendment is not.
        buy A3 11 @10                            => accepted, needs 1
        approve A5 O10                           => approved 1 of 1, released O10
        amend A3 O10 12 @10                      => AmendmentNeedsApproval
        amend A3 O10 10 @10                      => amended O10 10@10 open 10 kept
        ",
    );
}

#[test]
fn an_iceberg_shows_its_first_peak_at_its_release() {
    banded().check(
        "
        buy A2 11 @10 peak=2     => accepted, conditions, by 2, needs 1
        book I0                  => |
        approve A5 O1            => approved 1 of 1, released O1, shows O1 2 of 11@10
        book I0                  => 2@10 |
        ",
    );
}

#[test]
fn bands_that_cannot_be() {
    banded().check(
        "
        bands I9 100 wait=50             => UnknownInstrument
        bands A99 100 wait=50            => UnknownAccount
        bands 0 100 wait=50              => SettingOutOfRange
        bands 3 100 wait=50              => SettingOutOfRange
        bands I0 -1 wait=50              => SettingOutOfRange
        bands I0 100 100 wait=50         => SettingOutOfRange
        bands I0 100 0 50 wait=50        => SettingOutOfRange
        bands I0 100                     => SettingOutOfRange
        bands I0 wait=50                 => SettingOutOfRange
        bands I0 100 wait=4611686018427387905  => SettingOutOfRange
        bands I0 100 wait=4611686018427387904  => set
        bands I0 0 100 200 wait=1        => set
        bands I0 1329227995784915872903807060280344577 wait=1  => SettingOutOfRange
        bands I0 1329227995784915872903807060280344576 wait=1  => set
        ",
    );
}

/// The hash that the events of the last command tell.
fn told(venue: &Venue) -> [u8; 32] {
    let of_approval = |event: &&EventRecord| event.kind == EventKind::ApprovalRequired as u8;
    let event = venue.events.as_slice().iter().find(of_approval).expect("an order that needs approval");
    let mut hash = [0; 32];
    hash.copy_from_slice(&event.as_bytes()[88..120]);
    hash
}

#[test]
fn the_hash_is_that_of_the_records_that_were_sent() {
    let orders = [
        "buy A2 11 @10",
        "sell A2 11 @12 #17",
        "buy A2 11 @10 #text post tr",
        "buy A2 11 @10 until=1000",
        "buy A2 11 @10 #text stop=11 ioc",
    ];
    for order in orders {
        let mut venue = banded();
        let records = parse(order);
        venue.check(order);
        let mut sent = 1_u64.to_le_bytes().to_vec();
        sent.extend_from_slice(&records[0].as_bytes()[24..]);
        records[1..].iter().for_each(|record: &CommandRecord| sent.extend_from_slice(record.as_bytes()));
        let hash: [u8; 32] = Sha256::digest(&sent).into();
        assert_eq!(told(&venue), hash, "{order}");
        assert_eq!(
            venue.engine.order(tradewright_types::OrderId(1)).and_then(|view| view.approval).map(|a| *a.hash),
            Some(hash)
        );
    }
    // The second of two equal orders is another one.
    let mut venue = banded();
    venue.check("buy A2 11 @10");
    let first = told(&venue);
    venue.check("buy A3 11 @10\nbuy A2 11 @10");
    assert_ne!(first, told(&venue));
    let mut replayed = parse("approve A5 O3");
    replayed[0].header.time_ns = venue.time_ns;
    replayed[1] = zerocopy::transmute!(ApprovalHashRecord::new(first));
    assert_eq!(venue.apply(&replayed), "ApprovalHashDiffers");
}

/// A refusal for each reason of approvals.
pub(crate) fn refusals() -> Vec<String> {
    let mut venue = banded();
    venue.check("buy A2 11 @10\nbuy A3 21 @10\nbuy A4 1 @10\napprove A5 O2");
    let mut hash = parse("approve A6 O2");
    hash[0].header.time_ns = venue.time_ns;
    let mut given: Vec<String> = [
        "amend A2 O1 12 @10",
        "approve A5 O3",
        "approve A2 O1",
        "approve A4 O1",
        "approve A5 O2",
        "buy A4 1000q market",
        "amend A4 O3 11 @10",
    ]
    .into_iter()
    .map(|command| {
        if command.ends_with("market") {
            venue.check("reference I0 10");
        }
        venue.send(command)
    })
    .collect();
    given.push(venue.apply(&hash));
    given
}

#[test]
fn a_day_order_is_one_before_and_behind_its_release() {
    banded().check(
        "
        buy A2 11 @10 day        => accepted, needs 1
        buy A3 11 @10 day        => accepted, needs 1
        approve A5 O1            => approved 1 of 1, released O1
        state I0 closed          => set, Closed, expired O1 11 DayEnded, expired O2 11 DayEnded
        orders A2                =>
        ",
    );
}

/// What comes of a stop at 15 that is released after a change.
fn released_after(order: &str, change: &str) -> (Venue, String) {
    let mut venue = banded();
    venue.check("limits I0 up=0 down=0\ntransfer A2 A3 base 999980 internal");
    let approvals = if order.contains('@') { 2 } else { 1 };
    venue.check(&format!("{order} stop=15 by=mark => accepted, waits for 15, needs {approvals}"));
    venue.check(change);
    (5..5 + approvals).for_each(|approver| drop(venue.send(&format!("approve A{approver} O1"))));
    let answer = venue.events.as_slice().iter().map(crate::common::describe).collect::<Vec<_>>().join(", ");
    (venue, answer)
}

#[test]
fn the_worth_of_a_stop_at_its_release_is_that_at_its_limit_or_else_where_it_fires() {
    for (order, change, passes) in [
        ("buy A2 11 @20", "limits I0 notional_min=200", true),
        ("buy A2 11 market", "limits I0 notional_min=200", false),
        ("buy A2 11 @20", "limits I0 notional_max=200", false),
        ("buy A2 11 market", "limits I0 notional_max=200", true),
    ] {
        let (venue, answer) = released_after(order, change);
        assert_eq!(venue.engine.open_order_count() == 1, passes, "{order}, {change}: {answer}");
        assert_eq!(answer.ends_with("released O1"), passes, "{order}, {change}: {answer}");
    }
}

#[test]
fn a_stop_is_checked_again_at_its_release() {
    // A change, and the reason why it is refused then: of a bid, and of an ask.
    let changes = [
        ("halt A2", "AccountHalted", "AccountHalted"),
        ("permit A2 6", "AccountNotPermitted", "AccountNotPermitted"),
        ("restrict A2 I0 1", "AccountRestricted", ""),
        ("limits I0 tick=4", "TriggerPriceNotOnTick", "TriggerPriceNotOnTick"),
        ("limits I0 lot=7", "QuantityNotOnLot", "QuantityNotOnLot"),
        ("limits I0 min=12", "QuantityBelowMinimum", "QuantityBelowMinimum"),
        ("limits I0 max=10", "QuantityAboveMaximum", "QuantityAboveMaximum"),
        ("limits I0 notional_min=221", "NotionalBelowMinimum", "NotionalBelowMinimum"),
        ("limits I0 notional_max=164", "NotionalAboveMaximum", "NotionalAboveMaximum"),
        ("position A2 I0 10", "PositionLimitExceeded", ""),
        ("mark I0 15", "WouldTriggerAtOnce", "WouldTriggerAtOnce"),
        ("mark I0 14", "", "WouldTriggerAtOnce"),
        ("mark I0 16", "WouldTriggerAtOnce", ""),
    ];
    for order in ["buy A2 11 @20", "buy A2 11 market", "sell A2 11 @20", "sell A2 11 market"] {
        for (change, of_a_bid, of_an_ask) in changes {
            let reason = if order.starts_with("buy") { of_a_bid } else { of_an_ask };
            let (mut venue, answer) = released_after(order, change);
            let held = venue.engine.open_order_count();
            if reason.is_empty() {
                assert!(answer.ends_with("released O1") && held == 1, "{order}, {change}: {answer}");
            } else {
                let end = format!("released O1, expired O1 11 RefusedAtRelease {reason}");
                assert!(answer.ends_with(&end) && held == 0, "{order}, {change}: {answer}");
                venue.check("balance A2 quote => 1000000 + 0\nbalance A2 base => 20 + 0");
            }
        }
    }
}

#[test]
fn an_ask_that_is_refused_at_its_release_gives_its_base_back() {
    banded().check(
        "
        sell A2 11 @10           => accepted, needs 1
        balance A2 base          => 999989 + 11
        limits I0 lot=7
        approve A5 O1            => approved 1 of 1, released O1, expired O1 11 RefusedAtRelease QuantityNotOnLot
        balance A2 base          => 1000000 + 0
        decline A5 O1            => UnknownOrder
        decline A99 O1           => UnknownAccount
        ",
    );
}
