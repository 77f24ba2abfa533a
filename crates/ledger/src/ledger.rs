//! Accounts' balances, and every way to change them but the settlement of trades.

use std::collections::BTreeMap;

use tradewright_types::{AccountId, AccountKind, Amount, AssetId, EntityHash, HashTotal, PagedTable, WithdrawalId};

use crate::{Balance, Withdrawal};

/// The available balance is smaller than what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall;

/// A balance that something may be held from.
#[derive(Debug)]
pub struct Funds<'l>(&'l mut Balance);

impl Funds<'_> {
    /// What is available.
    #[inline(always)]
    pub fn available(&self) -> Amount {
        self.0.available
    }

    /// Holds `amount` in place of `released`, which was held before. The caller has checked that it is covered.
    #[inline(always)]
    pub fn hold(self, amount: Amount, released: Amount) {
        let more = amount - released;
        debug_assert!(self.0.available >= more, "Invariant: only what is available is held");
        self.0.available -= more;
        self.0.held += more;
    }
}

/// Everything the ledger knows of one asset.
#[derive(Clone, Debug, Default)]
struct AssetBalances {
    balances: PagedTable<Balance>,
    /// Deposits less withdrawals: what all balances must add up to.
    total: Amount,
}

/// Whose money is where.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    kinds: Vec<AccountKind>,
    assets: Vec<AssetBalances>,
    withdrawals: BTreeMap<WithdrawalId, Withdrawal>,
    last_withdrawal: WithdrawalId,
}

impl Ledger {
    /// Adds the next account.
    pub fn open_account(&mut self, kind: AccountKind) {
        self.kinds.push(kind);
    }

    /// Adds the next asset.
    pub fn add_asset(&mut self) {
        self.assets.push(AssetBalances::default());
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.kinds.len()
    }

    /// How many assets there are.
    pub fn asset_count(&self) -> usize {
        self.assets.len()
    }

    /// What kind an account is, if it exists.
    #[inline(always)]
    pub fn kind(&self, account: AccountId) -> Option<AccountKind> {
        self.kinds.get(account.index()).copied()
    }

    /// What an account has of an asset.
    #[inline(always)]
    pub fn balance(&self, account: AccountId, asset: AssetId) -> &Balance {
        self.assets[asset.index()].balances.get(account.index())
    }

    #[inline(always)]
    pub(crate) fn balance_mut(&mut self, account: AccountId, asset: AssetId) -> &mut Balance {
        self.assets[asset.index()].balances.get_mut(account.index())
    }

    /// The sum of all balances of an asset.
    pub fn total(&self, asset: AssetId) -> Amount {
        self.assets[asset.index()].total
    }

    /// Brings money in.
    pub fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        self.assets[asset.index()].total += amount;
        self.balance_mut(account, asset).available += amount;
    }

    /// One balance, found once to be checked and then held from.
    #[inline(always)]
    pub fn funds(&mut self, account: AccountId, asset: AssetId) -> Funds<'_> {
        Funds(self.balance_mut(account, asset))
    }

    /// Frees a part of what is held.
    #[inline(always)]
    pub fn release(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        let balance = self.balance_mut(account, asset);
        debug_assert!(balance.held >= amount, "Invariant: only what is held is released");
        balance.held -= amount;
        balance.available += amount;
    }

    /// Moves available money between two accounts.
    ///
    /// # Errors
    /// [`Shortfall`] when the sender has too little available; then nothing has changed.
    pub fn transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), Shortfall> {
        let sender = self.balance_mut(from, asset);
        if sender.available < amount {
            return Err(Shortfall);
        }
        sender.available -= amount;
        self.balance_mut(to, asset).available += amount;
        Ok(())
    }

    /// The first phase of a withdrawal: holds the money.
    ///
    /// # Errors
    /// [`Shortfall`] when too little is available; then nothing has changed.
    pub fn request_withdrawal(&mut self, withdrawal: Withdrawal) -> Result<WithdrawalId, Shortfall> {
        let funds = self.funds(withdrawal.account, withdrawal.asset);
        if funds.available() < withdrawal.amount {
            return Err(Shortfall);
        }
        funds.hold(withdrawal.amount, Amount::ZERO);
        self.last_withdrawal.0 += 1;
        self.withdrawals.insert(self.last_withdrawal, withdrawal);
        Ok(self.last_withdrawal)
    }

    /// The second phase: the money has left. `None` when no such withdrawal is pending.
    pub fn confirm_withdrawal(&mut self, id: WithdrawalId) -> Option<Withdrawal> {
        let withdrawal = self.withdrawals.remove(&id)?;
        self.balance_mut(withdrawal.account, withdrawal.asset).held -= withdrawal.amount;
        self.assets[withdrawal.asset.index()].total -= withdrawal.amount;
        Some(withdrawal)
    }

    /// The second phase: the money stays. `None` when no such withdrawal is pending.
    pub fn cancel_withdrawal(&mut self, id: WithdrawalId) -> Option<Withdrawal> {
        let withdrawal = self.withdrawals.remove(&id)?;
        self.release(withdrawal.account, withdrawal.asset, withdrawal.amount);
        Some(withdrawal)
    }

    /// The withdrawals that wait for their second phase.
    pub fn withdrawals(&self) -> impl Iterator<Item = (WithdrawalId, &Withdrawal)> {
        self.withdrawals.iter().map(|(id, withdrawal)| (*id, withdrawal))
    }

    /// The number of the withdrawal requested last.
    pub fn last_withdrawal(&self) -> WithdrawalId {
        self.last_withdrawal
    }

    /// Every balance that is not zero, by asset and account.
    pub fn balances(&self) -> impl Iterator<Item = (AssetId, AccountId, Balance)> {
        self.assets.iter().enumerate().flat_map(|(asset, of_asset)| {
            let written = of_asset.balances.iter().filter(|(_, balance)| **balance != Balance::default());
            written.map(move |(account, balance)| (AssetId(asset as u32), AccountId(account as u32), *balance))
        })
    }

    /// Restores a balance and adds it to the asset's total.
    pub fn restore_balance(&mut self, asset: AssetId, account: AccountId, balance: Balance) {
        self.assets[asset.index()].total += balance.total();
        *self.balance_mut(account, asset) = balance;
    }

    /// Restores the pending withdrawals; their money is in the balances already.
    pub fn restore_withdrawals(
        &mut self,
        last: WithdrawalId,
        pending: impl IntoIterator<Item = (WithdrawalId, Withdrawal)>,
    ) {
        self.last_withdrawal = last;
        self.withdrawals.extend(pending);
    }

    /// Bytes that the balances take.
    pub fn memory_bytes(&self) -> usize {
        self.assets.iter().map(|asset| asset.balances.memory_bytes()).sum()
    }

    /// The hash of all balances and withdrawals, over what changed since the last checkpoint.
    pub fn state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        for (asset, of_asset) in self.assets.iter().enumerate() {
            total += of_asset.balances.state_hash(|account, balance| hash_balance(asset, account, balance));
        }
        total
    }

    /// The same, and from here on only what changes after it is looked at.
    pub fn checkpoint(&mut self) -> HashTotal {
        let mut total = self.small_state_hash();
        for (asset, of_asset) in self.assets.iter_mut().enumerate() {
            total += of_asset.balances.checkpoint(|account, balance| hash_balance(asset, account, balance));
        }
        total
    }

    /// The same, computed in full.
    pub fn full_state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        for (asset, account, balance) in self.balances() {
            total += hash_balance(asset.index(), account.index(), &balance);
        }
        total
    }

    /// The hash of what is little enough to be taken anew each time.
    fn small_state_hash(&self) -> HashTotal {
        let mut total = HashTotal::default();
        for (id, Withdrawal { account, asset, amount }) in self.withdrawals() {
            let place = EntityHash::new(0x12).word(id.0).word(u64::from(account.0)).word(u64::from(asset.0));
            total += place.amount(*amount).finish();
        }
        total += EntityHash::new(0x13).word(self.last_withdrawal.0).word(self.assets.len() as u64).finish();
        total
    }

    /// Panics unless every asset adds up, nothing is negative, and what is held for withdrawals is there.
    pub fn check_invariants(&self) {
        let Self { kinds, assets, withdrawals, last_withdrawal } = self;
        for (id, asset) in assets.iter().enumerate() {
            let AssetBalances { balances, total } = asset;
            let sum: Amount = balances.iter().map(|(_, balance)| balance.total()).sum();
            assert_eq!(sum, *total, "Invariant: balances of asset {id} add up to deposits less withdrawals");
            for (account, balance) in balances.iter() {
                assert!(balance.held >= Amount::ZERO, "Invariant: account {account} holds no less than nothing");
                if *balance != Balance::default() {
                    assert!(account < kinds.len(), "Invariant: account {account} with a balance was opened");
                }
                let may_owe = account == AccountId::FEE.index();
                assert!(may_owe || balance.available >= Amount::ZERO, "Invariant: account {account} owes nothing");
            }
        }
        for (id, withdrawal) in withdrawals {
            assert!(*id <= *last_withdrawal, "Invariant: withdrawals are numbered in order");
            let held = self.balance(withdrawal.account, withdrawal.asset).held;
            assert!(held >= withdrawal.amount, "Invariant: a pending withdrawal is held");
        }
    }
}

/// A balance of nothing has no hash: whether it was ever written does not matter.
fn hash_balance(asset: usize, account: usize, balance: &Balance) -> HashTotal {
    if *balance == Balance::default() {
        return HashTotal::default();
    }
    let place = EntityHash::new(0x11).word(asset as u64).word(account as u64);
    place.amount(balance.available).amount(balance.held).finish()
}
