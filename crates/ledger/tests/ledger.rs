//! The ledger alone: every posting has two sides, and what is wrong is noticed.

use tradewright_ledger::{Balance, Fill, Ledger, ShardTransfer, Shortfall, TransferCounters, Withdrawal};
use tradewright_types::{AccountId, AccountKind, Amount, AssetId, ShardId, Side, TransferNumber, WithdrawalId};

const BASE: AssetId = AssetId(0);
const QUOTE: AssetId = AssetId(1);
const FEE: AccountId = AccountId::FEE;
const ALICE: AccountId = AccountId(2);
const BOB: AccountId = AccountId(3);

const fn amount(quanta: i128) -> Amount {
    Amount::from_quanta(quanta)
}

/// Alice and Bob with a thousand of both.
fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    for kind in [AccountKind::Fee, AccountKind::Insurance, AccountKind::Client, AccountKind::Client] {
        ledger.open_account(kind);
    }
    for asset in [BASE, QUOTE] {
        ledger.add_asset();
        for account in [ALICE, BOB] {
            ledger.deposit(account, asset, amount(1_000));
        }
    }
    ledger
}

/// Available and held.
fn check(ledger: &Ledger, account: AccountId, asset: AssetId, available: i128, held: i128) {
    let expected = Balance { available: amount(available), held: amount(held) };
    assert_eq!(*ledger.balance(account, asset), expected, "A{account} asset {asset}");
    ledger.check_invariants();
}

#[test]
fn a_buying_taker_pays_maker_and_fees() {
    let mut ledger = ledger();
    ledger.funds(BOB, BASE).hold(amount(5), Amount::ZERO);
    ledger.funds(ALICE, QUOTE).hold(amount(60), Amount::ZERO);
    let mut taker = ledger.begin_taker(ALICE, Side::Buy, BASE, QUOTE);
    for (base, notional, taker_fee, maker_fee) in [(2, 20, 2, 1), (1, 11, 1, -1)] {
        let [base, notional, taker_fee, maker_fee] = [base, notional, taker_fee, maker_fee].map(amount);
        ledger.settle_maker(&mut taker, &Fill { maker: BOB, base, notional, taker_fee, maker_fee });
    }
    assert_eq!((taker.base_total(), taker.notional_total(), taker.paid()), (amount(3), amount(31), amount(34)));
    // Twenty stay held for what rests.
    ledger.settle_taker(&taker, amount(60), amount(20));
    check(&ledger, ALICE, BASE, 1_003, 0);
    check(&ledger, ALICE, QUOTE, 946, 20);
    check(&ledger, BOB, BASE, 995, 2);
    check(&ledger, BOB, QUOTE, 1_031, 0);
    check(&ledger, FEE, QUOTE, 3, 0);
    assert_eq!(ledger.total(QUOTE), amount(2_000));
}

#[test]
fn a_selling_taker_is_paid_out_of_the_makers_hold() {
    let mut ledger = ledger();
    ledger.funds(BOB, QUOTE).hold(amount(33), Amount::ZERO);
    ledger.funds(ALICE, BASE).hold(amount(5), Amount::ZERO);
    let mut taker = ledger.begin_taker(ALICE, Side::Sell, BASE, QUOTE);
    for (base, notional, taker_fee, maker_fee) in [(2, 20, 2, 1), (1, 12, 1, -1)] {
        let [base, notional, taker_fee, maker_fee] = [base, notional, taker_fee, maker_fee].map(amount);
        ledger.settle_maker(&mut taker, &Fill { maker: BOB, base, notional, taker_fee, maker_fee });
    }
    assert_eq!(taker.paid(), amount(3));
    ledger.settle_taker(&taker, amount(5), Amount::ZERO);
    check(&ledger, ALICE, BASE, 997, 0);
    check(&ledger, ALICE, QUOTE, 1_029, 0);
    check(&ledger, BOB, BASE, 1_003, 0);
    check(&ledger, BOB, QUOTE, 968, 0);
    check(&ledger, FEE, QUOTE, 3, 0);
}

#[test]
fn a_taker_that_did_not_trade_gets_its_hold_back() {
    let mut ledger = ledger();
    ledger.funds(ALICE, QUOTE).hold(amount(60), Amount::ZERO);
    let taker = ledger.begin_taker(ALICE, Side::Buy, BASE, QUOTE);
    ledger.settle_taker(&taker, amount(60), Amount::ZERO);
    check(&ledger, ALICE, QUOTE, 1_000, 0);
    assert_eq!(ledger.balances().count(), 4, "balances that are zero are no balances");
}

#[test]
fn a_transfer_is_refused_whole() {
    let mut ledger = ledger();
    ledger.funds(ALICE, QUOTE).hold(amount(400), Amount::ZERO);
    assert_eq!(ledger.transfer(ALICE, BOB, QUOTE, amount(601)), Err(Shortfall));
    check(&ledger, ALICE, QUOTE, 600, 400);
    assert_eq!(ledger.transfer(ALICE, BOB, QUOTE, amount(600)), Ok(()));
    check(&ledger, ALICE, QUOTE, 0, 400);
    check(&ledger, BOB, QUOTE, 1_600, 0);
}

#[test]
fn a_hold_may_take_the_place_of_another() {
    let mut ledger = ledger();
    ledger.funds(ALICE, QUOTE).hold(amount(900), Amount::ZERO);
    let funds = ledger.funds(ALICE, QUOTE);
    assert_eq!(funds.available(), amount(100));
    funds.hold(amount(950), amount(900));
    check(&ledger, ALICE, QUOTE, 50, 950);
    ledger.release(ALICE, QUOTE, amount(950));
    check(&ledger, ALICE, QUOTE, 1_000, 0);
}

#[test]
fn a_withdrawal_leaves_once() {
    let mut ledger = ledger();
    let withdrawal = |quanta| Withdrawal { account: ALICE, asset: QUOTE, amount: amount(quanta) };
    assert_eq!(ledger.request_withdrawal(withdrawal(1_001)), Err(Shortfall));
    assert_eq!(ledger.request_withdrawal(withdrawal(700)), Ok(WithdrawalId(1)));
    assert_eq!(ledger.request_withdrawal(withdrawal(300)), Ok(WithdrawalId(2)));
    let hash = ledger.state_hash();
    assert_eq!(ledger.cancel_withdrawal(WithdrawalId(1)), Some(withdrawal(700)));
    assert_eq!(ledger.cancel_withdrawal(WithdrawalId(1)), None);
    assert_eq!(ledger.confirm_withdrawal(WithdrawalId(2)), Some(withdrawal(300)));
    assert_eq!(ledger.confirm_withdrawal(WithdrawalId(2)), None);
    assert_ne!(ledger.state_hash(), hash);
    check(&ledger, ALICE, QUOTE, 700, 0);
    assert_eq!((ledger.total(QUOTE), ledger.withdrawals().count()), (amount(1_700), 0));
}

#[test]
fn a_prevented_match_moves_money_without_fees() {
    let mut ledger = ledger();
    ledger.funds(ALICE, BASE).hold(amount(5), Amount::ZERO);
    ledger.funds(BOB, QUOTE).hold(amount(50), Amount::ZERO);
    ledger.settle_prevented(ALICE, BOB, (BASE, amount(5)), (QUOTE, amount(50)));
    check(&ledger, ALICE, BASE, 995, 0);
    check(&ledger, ALICE, QUOTE, 1_050, 0);
    check(&ledger, BOB, BASE, 1_005, 0);
    check(&ledger, BOB, QUOTE, 950, 0);
}

#[test]
fn the_fee_account_alone_may_owe() {
    let mut ledger = ledger();
    ledger.restore_balance(QUOTE, FEE, Balance { available: amount(-1), held: Amount::ZERO });
    ledger.check_invariants();
    assert_eq!(ledger.kind(FEE), Some(AccountKind::Fee));
    assert_eq!(ledger.kind(AccountId(9)), None);
    assert!(ledger.memory_bytes() > 0);
}

/// What `check_invariants` says about a ledger with one wrong balance.
fn check_noticed(account: AccountId, available: i128, held: i128) {
    let mut ledger = ledger();
    ledger.restore_balance(BASE, account, Balance { available: amount(available), held: amount(held) });
    ledger.check_invariants();
}

#[test]
#[should_panic(expected = "Invariant: balances of asset 0 add up")]
fn money_from_nowhere_is_noticed() {
    check_noticed(ALICE, 1_001, 0);
}

#[test]
#[should_panic(expected = "Invariant: account 1 owes nothing")]
fn a_debt_is_noticed() {
    check_noticed(AccountId::INSURANCE, -1, 1);
}

#[test]
#[should_panic(expected = "Invariant: account 1 holds no less than nothing")]
fn a_negative_hold_is_noticed() {
    check_noticed(AccountId::INSURANCE, 1, -1);
}

#[test]
#[should_panic(expected = "Invariant: account 9 with a balance was opened")]
fn a_balance_of_nobody_is_noticed() {
    check_noticed(AccountId(9), 1, 0);
}

#[test]
fn a_transfer_to_another_shard_is_in_transit_until_it_arrived() {
    let mut ledger = ledger();
    let (there, elsewhere) = (ShardId(3), ShardId(4));
    let transfer = |quanta| ShardTransfer { account: ALICE, asset: QUOTE, amount: amount(quanta) };
    assert_eq!(ledger.send_transfer(there, transfer(1_001)), Err(Shortfall));
    assert_eq!(ledger.send_transfer(there, transfer(700)), Ok(TransferNumber(1)));
    assert_eq!(ledger.send_transfer(there, transfer(200)), Ok(TransferNumber(2)));
    assert_eq!(ledger.send_transfer(elsewhere, transfer(100)), Ok(TransferNumber(1)));
    check(&ledger, ALICE, QUOTE, 0, 0);
    assert_eq!((ledger.total(QUOTE), ledger.in_transit(QUOTE)), (amount(1_000), amount(1_000)));
    let hash = ledger.state_hash();
    assert_eq!(ledger.confirm_transfer(there, TransferNumber(1)), Some(transfer(700)));
    assert_eq!(ledger.confirm_transfer(there, TransferNumber(1)), None);
    assert_eq!(ledger.confirm_transfer(elsewhere, TransferNumber(2)), None);
    assert_ne!(ledger.state_hash(), hash);
    assert_eq!(ledger.receive_transfer(there, transfer(800)), TransferNumber(1));
    check(&ledger, ALICE, QUOTE, 800, 0);
    // A hundred more came from there than went.
    assert_eq!((ledger.in_transit(QUOTE), ledger.elsewhere(QUOTE)), (amount(300), amount(-100)));
    assert_eq!((ledger.total(QUOTE), ledger.deposited(QUOTE)), (amount(1_800), amount(2_000)));
    assert_eq!(ledger.transit().with(there).sent, TransferNumber(2));
    assert_eq!(ledger.transit().with(ShardId(9)), TransferCounters::default());
    assert_eq!(ledger.state_hash(), ledger.full_state_hash());
}

#[test]
#[should_panic(expected = "Invariant: transfers to shard 3 are numbered in order")]
fn a_transfer_of_a_number_that_was_not_given_is_noticed() {
    let mut ledger = ledger();
    let transfer = ShardTransfer { account: ALICE, asset: QUOTE, amount: amount(7) };
    assert_eq!(ledger.restore_transfer(ShardId(3), TransferNumber(1), transfer), None);
    ledger.check_invariants();
}
