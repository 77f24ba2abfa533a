//! Deposits, withdrawals, transfers.

use tradewright_types::{AccountId, AccountKind, AssetId};

use crate::common::Venue;

#[test]
fn money_comes_in_and_leaves_in_two_phases() {
    let mut venue = Venue::poor();
    venue.check(
        "
        deposit A2 quote 100     => deposited
        withdraw A2 quote 60     => W1 requested
        balance A2 quote         => 40 + 60
        withdraw A2 quote 41     => InsufficientFunds
        withdraw A2 quote 40     => W2 requested
        buy A2 1 @1              => InsufficientFunds
        revoke W1                => W1 cancelled
        balance A2 quote         => 60 + 40
        confirm W2               => W2 confirmed
        balance A2 quote         => 60 + 0
        confirm W2               => UnknownWithdrawal
        revoke W2                => UnknownWithdrawal
        confirm W1               => UnknownWithdrawal
        revoke W9                => UnknownWithdrawal
        confirm W0               => UnknownWithdrawal
        withdraw A2 quote 60     => W3 requested
        confirm W3               => W3 confirmed
        balance A2 quote         => 0 + 0
        ",
    );
    assert_eq!(venue.engine.ledger().total(AssetId(0)).quanta(), 0);
    assert_eq!(venue.engine.ledger().last_withdrawal().0, 3);
}

#[test]
fn deposits_are_positive_and_the_venue_holds_at_most_2_to_the_120() {
    let most = 1_i128 << 120;
    Venue::poor().check(&format!(
        "
        deposit A99 quote 1      => UnknownAccount
        deposit A2 X9 1          => UnknownAsset
        deposit A2 X9 0          => UnknownAsset
        deposit A2 quote 0       => AmountNotPositive
        deposit A2 quote -5      => AmountNotPositive
        deposit A2 quote {}      => AmountTooLarge
        deposit A2 quote {most}  => deposited
        deposit A3 quote 1       => AmountTooLarge
        deposit A3 base {most}   => deposited
        withdraw A2 quote 1      => W1 requested
        deposit A3 quote 1       => AmountTooLarge
        confirm W1               => W1 confirmed
        deposit A3 quote 1       => deposited
        ",
        most + 1
    ));
}

#[test]
fn withdrawals_name_what_is_wrong_with_them() {
    Venue::poor().check(
        "
        deposit A2 quote 10
        deposit A0 quote 10
        withdraw A99 X9 -1      => UnknownAccount
        permit A2 5
        withdraw A2 X9 -1       => AccountNotPermitted
        withdraw A0 quote 5     => AccountNotPermitted
        permit A2 2
        // An unknown asset or amount has no balance to compare: these come before the funds.
        withdraw A2 X9 -1       => UnknownAsset
        withdraw A2 quote -1    => AmountNotPositive
        withdraw A2 quote 0     => AmountNotPositive
        withdraw A2 quote 11    => InsufficientFunds
        withdraw A2 quote 10    => W1 requested
        ",
    );
}

#[test]
fn what_is_held_for_orders_cannot_leave() {
    Venue::poor().check(
        "
        deposit A2 quote 100
        buy A2 9 @10                      => accepted
        withdraw A2 quote 11              => InsufficientFunds
        transfer A2 A3 quote 11 internal  => InsufficientFunds
        withdraw A2 quote 10              => W1 requested
        cancel A2 O1                      => cancelled O1 9
        balance A2 quote                  => 90 + 10
        ",
    );
}

#[test]
fn transfers_name_what_is_wrong_with_them() {
    Venue::poor().check(
        "
        deposit A2 quote 10
        transfer A2 A3 quote 5 9           => SettingOutOfRange
        transfer A99 A3 X9 5 internal      => UnknownAccount
        transfer A2 A99 X9 5 internal      => UnknownAccount
        permit A2 3
        transfer A2 A2 X9 0 internal       => AccountNotPermitted
        permit A2 4
        transfer A2 A2 X9 0 internal       => UnknownAsset
        transfer A2 A2 quote 0 internal    => AmountNotPositive
        transfer A2 A2 quote -1 internal   => AmountNotPositive
        transfer A2 A2 quote 11 credit     => InsufficientFunds
        transfer A2 A2 quote 10 credit     => SameAccount
        transfer A2 A3 quote 10 credit     => AccountKindsForbidden
        transfer A2 A3 quote 10 internal   => transferred
        // The receiver needs no permission, halted or not.
        permit A2 0
        halt A2
        transfer A3 A2 quote 4 internal    => transferred
        balance A2 quote                   => 4 + 0
        balance A3 quote                   => 6 + 0
        ",
    );
}

#[test]
fn kinds_of_account_mix_only_by_their_own_transfers() {
    let mut venue = Venue::poor();
    // Client, client, house, house, fee, insurance.
    let accounts = [2, 3, 7, 8, 0, 1];
    for account in accounts {
        venue.check(&format!("deposit A{account} quote 1000000"));
    }
    let kind = |account: u32| venue.engine.ledger().kind(AccountId(account)).expect("an account");
    let kinds: Vec<_> = accounts.iter().map(|account| (*account, kind(*account))).collect();
    use AccountKind::{Client, Fee, House, Insurance};
    for (from, from_kind) in &kinds {
        for (to, to_kind) in kinds.iter().filter(|(to, _)| to != from) {
            for transfer in ["internal", "payout", "insurance", "credit"] {
                let allowed = match (transfer, from_kind, to_kind) {
                    ("internal", from, to) => from == to,
                    ("payout", Fee, House) | ("insurance", House | Fee, Insurance) | ("credit", House, Client) => true,
                    _ => false,
                };
                let answer = if allowed { "transferred" } else { "AccountKindsForbidden" };
                venue.check(&format!("transfer A{from} A{to} quote 5 {transfer} => {answer}"));
            }
        }
    }
}

#[test]
fn fee_and_insurance_accounts_never_trade_or_withdraw() {
    Venue::new().check(
        "
        deposit A0 quote 100
        deposit A1 quote 100
        buy A0 1 @1       => AccountNotPermitted
        buy A1 1 @1       => AccountNotPermitted
        withdraw A1 quote 1 => AccountNotPermitted
        transfer A0 A7 quote 40 payout      => transferred
        transfer A0 A1 quote 40 insurance   => transferred
        transfer A7 A2 quote 30 credit      => transferred
        ",
    );
}

#[test]
fn fees_collected_can_be_paid_out() {
    Venue::new().check(
        "
        fee S0 T0 100000 100000
        sell A2 3 @10     => accepted
        buy A3 3 @10      => accepted, O1 3@10 fee 3/3
        transfer A0 A7 quote 7 payout  => InsufficientFunds
        transfer A0 A7 quote 6 payout  => transferred
        balance A0 quote  => 0 + 0
        balance A7 quote  => 6 + 0
        ",
    );
}

#[test]
fn lots_and_ticks_have_the_listed_worth() {
    Venue::new().check(
        "
        list I2 coarse base=1 quote=0 tick_lot=7 base_lot=100
        sell A2 3 @10 I2   => accepted
        balance A2 base    => 999700 + 300
        buy A3 2 @11 I2    => accepted, O1 2@10
        balance A3 base    => 1000200 + 0
        balance A3 quote   => 999860 + 0
        balance A2 quote   => 1000140 + 0
        reference I2 10
        // 210 pay for three lots, one is left; then 140 of unspent money would pay for two more.
        buy A3 210q market I2 => accepted, O1 1@10, expired unspent 140 NoLiquidity
        position A3 I2 10005
        buy A3 2 @1 I2     => accepted
        buy A3 1 @1 I2     => PositionLimitExceeded
        ",
    );
}
