//! Accounts' balances, and every way to change them but the settlement of trades.

use std::collections::BTreeMap;

use tradewright_types::{
    AccountId, AccountKind, Amount, AssetId, EntityHash, HashTotal, PagedTable, ShardId, TransferNumber, WithdrawalId,
};

use crate::{Balance, ShardTransfer, TransferCounters, Transit, Withdrawal};

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
    /// Deposits less withdrawals: what all balances, what is in transit and what is elsewhere must add up to.
    deposited: Amount,
    /// Sent to other shards, and not confirmed.
    in_transit: Amount,
    /// Sent to other shards and confirmed, less what was received from them: less than nothing when more came than left.
    elsewhere: Amount,
}

/// Whose money is where.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    kinds: Vec<AccountKind>,
    assets: Vec<AssetBalances>,
    withdrawals: BTreeMap<WithdrawalId, Withdrawal>,
    last_withdrawal: WithdrawalId,
    transit: Transit,
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
        let AssetBalances { balances: _, deposited, in_transit, elsewhere } = &self.assets[asset.index()];
        *deposited - *in_transit - *elsewhere
    }

    /// What is in transit to other shards, of an asset.
    pub fn in_transit(&self, asset: AssetId) -> Amount {
        self.assets[asset.index()].in_transit
    }

    /// What other shards have of this one's deposits and do not owe to their own, of an asset: negative when it is the other
    /// way round. Over all shards it adds up to what was received and is still in transit to whoever sent it, with a minus.
    pub fn elsewhere(&self, asset: AssetId) -> Amount {
        self.assets[asset.index()].elsewhere
    }

    /// Deposits less withdrawals of an asset, on this shard.
    pub fn deposited(&self, asset: AssetId) -> Amount {
        self.assets[asset.index()].deposited
    }

    /// Brings money in.
    pub fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        self.assets[asset.index()].deposited += amount;
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
        self.assets[withdrawal.asset.index()].deposited -= withdrawal.amount;
        Some(withdrawal)
    }

    /// The second phase: the money stays. `None` when no such withdrawal is pending.
    pub fn cancel_withdrawal(&mut self, id: WithdrawalId) -> Option<Withdrawal> {
        let withdrawal = self.withdrawals.remove(&id)?;
        self.release(withdrawal.account, withdrawal.asset, withdrawal.amount);
        Some(withdrawal)
    }

    /// The first step of a transfer to another shard: the money is in transit.
    ///
    /// # Errors
    /// [`Shortfall`] when too little is available; then nothing has changed.
    pub fn send_transfer(&mut self, to: ShardId, transfer: ShardTransfer) -> Result<TransferNumber, Shortfall> {
        let ShardTransfer { account, asset, amount } = transfer;
        let sender = self.balance_mut(account, asset);
        if sender.available < amount {
            return Err(Shortfall);
        }
        sender.available -= amount;
        self.assets[asset.index()].in_transit += amount;
        Ok(self.transit.send(to, transfer))
    }

    /// The second step, on the other shard: the money is there. The caller has made sure that its number is the next one.
    pub fn receive_transfer(&mut self, from: ShardId, transfer: ShardTransfer) -> TransferNumber {
        let ShardTransfer { account, asset, amount } = transfer;
        self.assets[asset.index()].elsewhere -= amount;
        self.balance_mut(account, asset).available += amount;
        self.transit.receive(from)
    }

    /// The money is no longer in transit: it was received. `None` when no such transfer is.
    pub fn confirm_transfer(&mut self, to: ShardId, number: TransferNumber) -> Option<ShardTransfer> {
        let transfer = self.transit.confirm(to, number)?;
        let of_asset = &mut self.assets[transfer.asset.index()];
        of_asset.in_transit -= transfer.amount;
        of_asset.elsewhere += transfer.amount;
        Some(transfer)
    }

    /// What is in transit to other shards, and how far each of them is.
    pub fn transit(&self) -> &Transit {
        &self.transit
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

    /// Restores a balance and adds it to what was deposited of the asset.
    pub fn restore_balance(&mut self, asset: AssetId, account: AccountId, balance: Balance) {
        self.assets[asset.index()].deposited += balance.total();
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

    /// Restores what is elsewhere of an asset, and adds it to what was deposited.
    pub fn restore_elsewhere(&mut self, asset: AssetId, amount: Amount) {
        let of_asset = &mut self.assets[asset.index()];
        of_asset.elsewhere += amount;
        of_asset.deposited += amount;
    }

    /// Restores the last numbers between here and another shard. `None` when they cannot be.
    pub fn restore_counters(&mut self, shard: ShardId, counters: TransferCounters) -> Option<()> {
        self.transit.restore_counters(shard, counters)
    }

    /// Restores a transfer in transit, and adds it to what was deposited. `None` when it cannot be.
    pub fn restore_transfer(&mut self, to: ShardId, number: TransferNumber, transfer: ShardTransfer) -> Option<()> {
        let of_asset = &mut self.assets[transfer.asset.index()];
        of_asset.in_transit += transfer.amount;
        of_asset.deposited += transfer.amount;
        self.transit.restore(to, number, transfer)
    }

    /// Bytes that the balances take.
    pub fn memory_bytes(&self) -> usize {
        self.assets.iter().map(|asset| asset.balances.memory_bytes()).sum()
    }

    /// The hash of all balances, withdrawals and transfers, over what changed since the last checkpoint.
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
        total += self.transit.state_hash();
        for (asset, of_asset) in self.assets.iter().enumerate().filter(|(_, asset)| asset.elsewhere != Amount::ZERO) {
            total += EntityHash::new(0x16).word(asset as u64).amount(of_asset.elsewhere).finish();
        }
        total
    }

    /// Panics unless every asset adds up, nothing is negative, and what is held for withdrawals is there.
    pub fn check_invariants(&self) {
        let Self { kinds, assets, withdrawals, last_withdrawal, transit } = self;
        transit.check_invariants();
        for (id, asset) in assets.iter().enumerate() {
            let AssetBalances { balances, deposited, in_transit, elsewhere } = asset;
            let sum: Amount = balances.iter().map(|(_, balance)| balance.total()).sum();
            let all = sum + *in_transit + *elsewhere;
            assert_eq!(all, *deposited, "Invariant: balances of asset {id} add up to deposits less withdrawals");
            let pending = transit.pending().filter(|(_, _, transfer)| transfer.asset.index() == id);
            let pending: Amount = pending.map(|(_, _, transfer)| transfer.amount).sum();
            assert_eq!(pending, *in_transit, "Invariant: transfers of asset {id} add up to what is in transit");
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
