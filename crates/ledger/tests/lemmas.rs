//! The formulas of `tests/lemmas` against the real ledger: a million random settlements, each of two fills.

use tradewright_ledger::{Fill, Ledger};
use tradewright_types::{AccountId, AccountKind, Amount, AssetId, Side};

const BASE: AssetId = AssetId(0);
const QUOTE: AssetId = AssetId(1);
const TAKER: AccountId = AccountId(2);
const MAKERS: [AccountId; 2] = [AccountId(3), AccountId(4)];
const EVERYBODY: [AccountId; 4] = [AccountId::FEE, TAKER, MAKERS[0], MAKERS[1]];
const START: i128 = 1 << 60;
const CASES: u64 = 1_000_000;
const SEED: u64 = 0x7472_6164_6577_7269;

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> i128 {
        i128::from(self.next() % bound)
    }
}

/// A ledger in which everybody has half of each asset available and half of it held.
fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    let clients = [AccountKind::Client; 3];
    for kind in [AccountKind::Fee, AccountKind::Insurance].into_iter().chain(clients) {
        ledger.open_account(kind);
    }
    for asset in [BASE, QUOTE] {
        ledger.add_asset();
        for account in EVERYBODY {
            ledger.deposit(account, asset, Amount::from_quanta(2 * START));
            ledger.funds(account, asset).hold(Amount::from_quanta(START), Amount::ZERO);
        }
    }
    ledger
}

/// Available and held of everybody, base before quote.
fn balances(ledger: &Ledger) -> [[i128; 4]; 4] {
    EVERYBODY.map(|account| {
        let (base, quote) = (ledger.balance(account, BASE), ledger.balance(account, QUOTE));
        [base.available, base.held, quote.available, quote.held].map(Amount::quanta)
    })
}

fn check(
    ledger: &mut Ledger,
    side: Side,
    fills: [[i128; 4]; 2],
    keep: i128,
    spare: i128,
    case: &dyn core::fmt::Display,
) {
    let before = balances(ledger);
    let mut taker = ledger.begin_taker(TAKER, side, BASE, QUOTE);
    for (maker, fill) in MAKERS.into_iter().zip(fills) {
        let [base, notional, taker_fee, maker_fee] = fill.map(Amount::from_quanta);
        ledger.settle_maker(&mut taker, &Fill { maker, base, notional, taker_fee, maker_fee });
    }
    let paid = taker.paid().quanta();
    ledger.settle_taker(&taker, Amount::from_quanta(paid + keep + spare), Amount::from_quanta(keep));
    let after = balances(ledger);
    let moved: [[i128; 4]; 4] =
        core::array::from_fn(|account| core::array::from_fn(|n| after[account][n] - before[account][n]));

    let sum = |n: usize| fills[0][n] + fills[1][n];
    let (base, notional, taker_fees, maker_fees) = (sum(0), sum(1), sum(2), sum(3));
    let fees = [0, 0, taker_fees + maker_fees, 0];
    let of_taker = match side {
        Side::Buy => [base, 0, spare, -(notional + taker_fees) - spare],
        Side::Sell => [spare, -base - spare, notional - taker_fees, 0],
    };
    let of_maker = |[base, notional, _, fee]: [i128; 4]| match side {
        Side::Buy => [0, -base, notional - fee, 0],
        Side::Sell if fee > 0 => [base, 0, 0, -(notional + fee)],
        Side::Sell => [base, 0, -fee, -notional],
    };
    let formula = [fees, of_taker, of_maker(fills[0]), of_maker(fills[1])];
    assert_eq!(moved, formula, "{side:?} fills={fills:?} keep={keep} spare={spare} {case}");
    for asset in [0, 2] {
        let total: i128 = moved.iter().map(|moved| moved[asset] + moved[asset + 1]).sum();
        assert_eq!(total, 0, "{side:?} fills={fills:?} {case}");
    }
}

#[test]
fn a_settlement_is_its_formula_and_conserves_every_asset() {
    let mut ledger = ledger();
    for side in [Side::Buy, Side::Sell] {
        for notional in 1..=6 {
            for taker_fee in 0..=notional {
                for maker_fee in -taker_fee..=notional {
                    let fills = [[1, notional, taker_fee, maker_fee], [2, 1, 0, 0]];
                    (0..3).for_each(|keep| check(&mut ledger, side, fills, keep, 1, &"exhaustive"));
                }
            }
        }
    }
    let mut random = Random(SEED);
    for case in 0..CASES {
        let side = if random.next() & 1 == 0 { Side::Buy } else { Side::Sell };
        let fills = core::array::from_fn(|_| {
            let notional = 1 + random.below(1 << 40);
            let taker_fee = random.below(notional as u64 + 1);
            [
                1 + random.below(1 << 40),
                notional,
                taker_fee,
                random.below((notional + taker_fee) as u64 + 1) - taker_fee,
            ]
        });
        let (keep, spare) = (random.below(1 << 40), random.below(1 << 40));
        if case % 1_000 == 0 {
            ledger = self::ledger();
        }
        check(&mut ledger, side, fills, keep, spare, &format_args!("seed={SEED:#x} case={case}"));
    }
}

#[test]
fn a_transfer_is_its_formula_and_conserves_every_asset() {
    let mut random = Random(SEED);
    let mut ledger = ledger();
    for case in 0..CASES {
        let (base, notional) = (random.below(1 << 39), random.below(1 << 39));
        let before = balances(&ledger);
        let [seller, buyer] = if case % 2 == 0 { MAKERS } else { [MAKERS[1], MAKERS[0]] };
        let (base_moves, quote_moves) = ((BASE, Amount::from_quanta(base)), (QUOTE, Amount::from_quanta(notional)));
        ledger.settle_prevented(seller, buyer, base_moves, quote_moves);
        let after = balances(&ledger);
        for (index, account) in EVERYBODY.into_iter().enumerate() {
            let moved: [i128; 4] = core::array::from_fn(|n| after[index][n] - before[index][n]);
            let formula = match account {
                account if account == seller => [0, -base, notional, 0],
                account if account == buyer => [base, 0, 0, -notional],
                _ => [0; 4],
            };
            assert_eq!(moved, formula, "base={base} notional={notional} seed={SEED:#x} case={case}");
        }
        // What moved is held again, so that it lasts.
        ledger.funds(seller, QUOTE).hold(Amount::from_quanta(notional), Amount::ZERO);
        ledger.funds(buyer, BASE).hold(Amount::from_quanta(base), Amount::ZERO);
        if case % 1_000 == 999 {
            ledger = self::ledger();
        }
    }
}
