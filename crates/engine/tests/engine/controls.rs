//! Kill switches and restrictions: whom they reach, what they take, and when they begin and end.

use crate::common::Venue;

#[test]
fn a_kill_switch_takes_every_open_order_and_lets_no_more_in() {
    Venue::new().check(
        "
        buy A2 5 @10
        buy A3 1 @9
        sell A2 5 @20 I1
        buy A2 3 @30 stop=25
        kill A2                          => set, cancelled O1 5 KillSwitch, cancelled O3 5 KillSwitch, cancelled O4 3 KillSwitch
        balance A2 quote                 => 1000000 + 0
        balance A2 coin                  => 1000000 + 0
        buy A2 5 @10                     => KillSwitchEngaged
        sell A2 5 @20 I1                 => KillSwitchEngaged
        buy A2 5 @10 ioc                 => KillSwitchEngaged
        buy A2 5 @30 stop=25             => KillSwitchEngaged
        amend A2 O1 6 @10                => UnknownOrder
        replace A2 O1 with buy 1 @9      => KillSwitchEngaged
        // What stands for others does not matter, and money and cancels pass.
        buy A3 5 @10                     => accepted
        withdraw A2 quote 5              => W1 requested
        deposit A2 quote 5               => deposited
        cancel A2 O1                     => UnknownOrder
        cancel-all A2                    =>
        // Once more takes nothing; what is over is over.
        kill A2                          => set
        release A2                       => set
        release A2                       => set
        buy A2 5 @10                     => accepted
        ",
    );
}

#[test]
fn the_kill_switch_of_a_group_reaches_its_members_and_who_joins_it() {
    Venue::new().check(
        "
        group A2 7
        group A3 7
        buy A2 5 @10
        buy A3 5 @11
        buy A4 5 @12
        kill G7                          => set, cancelled O1 5 KillSwitch, cancelled O2 5 KillSwitch
        buy A2 5 @10                     => KillSwitchEngaged
        buy A3 5 @10                     => KillSwitchEngaged
        buy A4 5 @13                     => accepted
        // Who joins loses its orders; who leaves is free.
        group A4 7                       => set, cancelled O3 5 KillSwitch, cancelled O4 5 KillSwitch
        group A2 0                       => set
        buy A2 5 @10                     => accepted
        // Two switches: both must be released.
        kill A3                          => set
        release G7                       => set
        buy A3 1 @5                      => KillSwitchEngaged
        buy A4 1 @5                      => accepted
        release A3                       => set
        buy A3 1 @5                      => accepted
        // A group without members has a switch as well.
        kill G9                          => set
        group A5 9                       => set
        buy A5 1 @5                      => KillSwitchEngaged
        ",
    );
}

#[test]
fn the_kill_switch_of_a_session_takes_what_came_by_it() {
    Venue::new().check(
        "
        S5 buy A2 5 @10
        S5 sell A3 5 @20 I1
        S6 buy A2 5 @9
        S0 buy A2 5 @8
        S5 buy A2 3 @30 stop=25
        S5 buy A2 3 @11 hidden=1
        S5 replace A2 O3 with buy 4 @9   => cancelled O3 5 Replaced, accepted
        S6 amend A2 O1 4 @10             => amended O1 4@10 open 4 kept
        kill S5                          => set, cancelled O1 4 KillSwitch, cancelled O2 5 KillSwitch, cancelled O5 3 KillSwitch, cancelled O6 3 KillSwitch, cancelled O7 4 KillSwitch
        orders A2                        => O4
        // It lets no order in and none be changed, and that comes before what else is wrong with it; the rest passes.
        S5 buy A2 5 @10                  => SessionKilled
        S5 buy A99 5 @10 ioc             => SessionKilled
        S5 amend A2 O4 4 @8              => SessionKilled
        S5 replace A2 O4 with buy 4 @7   => SessionKilled
        S6 buy A2 5 @10                  => accepted
        S5 deposit A2 quote 5            => deposited
        S5 cancel A2 O4                  => cancelled O4 5
        S5 cancel-all A2                 => cancelled O8 5 CancelledAll
        kill S5                          => set
        release S6                       => set
        release S5                       => set
        S5 buy A2 5 @10                  => accepted
        // The switches of an account and of a session are two things.
        kill A2                          => set, cancelled O9 5 KillSwitch
        kill S5                          => set
        S5 buy A2 5 @10                  => SessionKilled
        S5 buy A3 5 @10                  => SessionKilled
        release S5                       => set
        S5 buy A2 5 @10                  => KillSwitchEngaged
        ",
    );
}

#[test]
fn a_session_that_ends_takes_its_orders_along() {
    Venue::new().check(
        "
        S5 buy A2 5 @10
        S5 sell A3 5 @20
        S6 buy A2 5 @9
        S5 buy A2 2 @20                  => accepted, O2 2@20
        S5 buy A4 3 @30 stop=25
        halt venue
        end S5                           => set, cancelled O1 5 SessionEnded, cancelled O2 3 SessionEnded, cancelled O5 3 SessionEnded
        end S5                           => set
        resume venue
        balance A4 quote                 => 1000000 + 0
        orders A2                        => O3
        // It may come back, and its number begins again with nothing.
        S5 buy A2 5 @10                  => accepted
        end S6                           => set, cancelled O3 5 SessionEnded
        end S5                           => set, cancelled O6 5 SessionEnded
        // A slot that had an order of a session is free for one of none.
        S0 buy A2 5 @10
        S0 buy A2 5 @10
        end S5                           => set
        end S6                           => set
        ",
    );
}

#[test]
fn the_legs_of_a_list_came_by_its_session() {
    Venue::new().check(
        "
        S5 oto A2 / buy 5 @10 / sell 5 @20
        S6 oco A3 / sell 5 @30 / sell 5 @5 stop=8
        // The pending leg starts, by another's session.
        S6 sell A3 5 @10                 => accepted, O1 5@10, starts O2 5@20, L1 done
        end S5                           => set, cancelled O2 5 SessionEnded
        // One leg takes the list along, whatever took it.
        kill S6                          => set, cancelled O3 5 KillSwitch, cancelled O4 5 ListClosed, L2 done
        S6 oto A2 / buy 5 @10 / sell 5 @20 => SessionKilled
        ",
    );
}

#[test]
fn a_triggered_order_stays_with_its_session() {
    Venue::new().check(
        "
        S5 buy A2 3 @30 stop=25
        S6 sell A3 1 @25
        S6 buy A4 1 @25                  => accepted, O2 1@25, fires O1 3 at 25 by 25
        S6 amend A2 O1 4 @31             => amended O1 4@31 open 4
        end S5                           => set, cancelled O1 4 SessionEnded
        ",
    );
}

#[test]
fn who_is_halted_or_may_not_trade_hears_that_first() {
    Venue::new().check(
        "
        kill A2
        restrict A2 I0 2
        permit A2 6
        halt A2
        buy A2 1 @5      => AccountHalted
        resume A2
        buy A2 1 @5      => AccountNotPermitted
        permit A2 7
        buy A2 1 @5      => AccountRestricted
        restrict A2 I0 0
        buy A2 1 @5      => KillSwitchEngaged
        release A2
        buy A2 1 @5      => accepted
        ",
    );
}

#[test]
fn who_may_only_sell_sends_no_bids() {
    Venue::new().check(
        "
        buy A2 5 @10
        sell A2 5 @20
        restrict A2 I0 1                 => set
        buy A2 1 @10                     => AccountRestricted
        sell A2 1 @20                    => accepted
        buy A2 1 @10 I1                  => accepted
        // What is there stays, and trades; it is only not amended, down neither.
        sell A3 1 @10                    => accepted, O1 1@10
        amend A2 O1 4 @10                => AccountRestricted
        amend A2 O2 6 @20                => amended O2 6@20 open 6
        replace A2 O2 with buy 1 @9      => AccountRestricted
        replace A2 O1 with sell 1 @30    => cancelled O1 4 Replaced, accepted
        restrict A2 I0 0                 => set
        buy A2 1 @10                     => accepted
        ",
    );
}

#[test]
fn a_restriction_takes_what_it_forbids_when_it_is_told_to() {
    Venue::new().check(
        "
        group A2 7
        group A3 7
        buy A2 5 @10
        sell A2 5 @20
        buy A3 5 @11
        buy A3 2 @30 stop=25
        buy A3 5 @11 I1
        buy A4 5 @11
        restrict G7 I0 1 cancel          => set, cancelled O1 5 Restricted, cancelled O3 5 Restricted, cancelled O4 2 Restricted
        restrict A2 I0 2 cancel          => set, cancelled O2 5 Restricted
        // The stricter of the two counts.
        sell A2 1 @20                    => AccountRestricted
        sell A3 1 @20                    => accepted
        restrict A2 I0 1 cancel          => set
        sell A2 1 @20                    => accepted
        restrict A2 I0 0 cancel          => set
        buy A2 1 @9                      => AccountRestricted
        // The group's goes with the group.
        group A2 0                       => set
        buy A2 1 @9                      => accepted
        ",
    );
}

#[test]
fn a_restricted_order_that_fires_is_refused() {
    Venue::new().check(
        "
        mark I0 20
        buy A2 2 @30 stop=25 by=mark
        sell A2 2 @10 stop=15 by=mark
        restrict A2 I0 1
        mark I0 25       => set, fires O1 2 at 25 by 25, expired O1 2 RefusedAtTrigger AccountRestricted
        mark I0 15       => set, fires O2 2 at 15 by 15
        book I0          => | 2@10
        ",
    );
}

#[test]
fn scopes_and_levels_that_are_not_there() {
    Venue::new().check(
        "
        kill A99              => UnknownAccount
        release A99           => UnknownAccount
        kill G0               => SettingOutOfRange
        kill 0                => SettingOutOfRange
        kill 1                => SettingOutOfRange
        kill 4                => SettingOutOfRange
        release 5             => SettingOutOfRange
        restrict A2 I0 3      => SettingOutOfRange
        restrict G0 I0 1      => SettingOutOfRange
        restrict A99 I9 3     => SettingOutOfRange
        restrict A99 I9 1     => UnknownInstrument
        restrict A99 I0 1     => UnknownAccount
        // The venue's own accounts have one too, though they never trade.
        kill A0               => set
        ",
    );
}

#[test]
fn a_snapshot_keeps_the_controls() {
    let mut venue = Venue::new();
    venue.check("group A2 7\nkill G7\nkill A3\nrestrict A4 I0 1\nrestrict G8 I1 2\nhalt A5");
    let sections = venue.engine.snapshot();
    let mut restored =
        tradewright_engine::Engine::restore(venue.engine.config(), &sections).expect("a snapshot is restored");
    assert_eq!(restored.state_hash(), venue.engine.state_hash());
    core::mem::swap(&mut venue.engine, &mut restored);
    venue.check(
        "
        buy A2 1 @5        => KillSwitchEngaged
        buy A3 1 @5        => KillSwitchEngaged
        buy A4 1 @5        => AccountRestricted
        buy A5 1 @5        => AccountHalted
        group A4 8
        sell A4 1 @5 I1    => AccountRestricted
        ",
    );
    // The hash tells each of them apart.
    let mut hashes = std::collections::BTreeSet::new();
    for control in
        ["kill A2", "kill G2", "kill A3", "restrict A2 I0 1", "restrict A2 I0 2", "restrict G2 I0 1", "halt A2"]
    {
        let mut venue = Venue::new();
        venue.check(control);
        assert!(hashes.insert(venue.engine.state_hash().0), "{control}");
    }
}
