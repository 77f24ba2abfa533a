//! What risk knows of accounts and fees.

use tradewright_types::{AccountId, EntityHash, HashTotal, Price};

use crate::{AccountRisk, Controls, FeeSchedules, MarketWide};

/// Accounts and fees as risk sees them.
#[derive(Clone, Debug, Default)]
pub struct Risk {
    pub(crate) accounts: Vec<AccountRisk>,
    /// What each account hashed to at the last checkpoint.
    account_hashes: Vec<HashTotal>,
    accounts_hash: HashTotal,
    /// Rates by schedule and tier.
    pub fees: FeeSchedules,
    /// Kill switches and restrictions that are not one account's alone.
    pub controls: Controls,
    /// Whether everything is halted.
    pub halted: bool,
    /// The market-wide levels.
    pub market_wide: MarketWide,
    /// The engine's time, in nanoseconds: what rates and times of expiry are judged by.
    pub time_ns: u64,
}

impl Risk {
    /// Every account, by id.
    pub fn accounts(&self) -> &[AccountRisk] {
        &self.accounts
    }

    /// An account, if it exists.
    #[inline(always)]
    pub fn account(&self, account: AccountId) -> Option<&AccountRisk> {
        self.accounts.get(account.index())
    }

    /// An account, if it exists, to be changed.
    #[inline(always)]
    pub fn account_mut(&mut self, account: AccountId) -> Option<&mut AccountRisk> {
        let known = self.accounts.get_mut(account.index())?;
        known.changed = true;
        Some(known)
    }

    /// The account of an open order, to be changed.
    ///
    /// # Panics
    /// When there is no such account.
    #[inline(always)]
    pub fn owner_mut(&mut self, account: AccountId) -> &mut AccountRisk {
        let owner = &mut self.accounts[account.index()];
        owner.changed = true;
        owner
    }

    /// Adds the next account.
    pub fn add_account(&mut self, account: AccountRisk) {
        let id = AccountId(self.accounts.len() as u32);
        self.accounts.push(account);
        crate::controls::refresh_standing(&self.controls, id, &mut self.accounts[id.index()]);
        self.account_hashes.push(HashTotal::default());
    }

    /// Bytes that the accounts take.
    pub fn memory_bytes(&self) -> usize {
        self.accounts.capacity() * size_of::<AccountRisk>() + self.account_hashes.capacity() * size_of::<HashTotal>()
    }

    /// The hash of everything, over what changed since the last checkpoint.
    pub fn state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        total += self.accounts_hash;
        for (id, account) in self.accounts.iter().enumerate().filter(|(_, account)| account.changed) {
            total -= self.account_hashes[id];
            total += account.state_hash(id as u64);
        }
        total
    }

    /// The same, and from here on only what changes after it is looked at.
    pub fn checkpoint(&mut self) -> HashTotal {
        let Self { accounts, account_hashes, accounts_hash, .. } = self;
        for (id, (account, hash)) in accounts.iter_mut().zip(account_hashes).enumerate() {
            if account.changed {
                *accounts_hash -= *hash;
                *hash = account.state_hash(id as u64);
                *accounts_hash += *hash;
                account.changed = false;
            }
        }
        let mut total = self.small_state_hash();
        total += self.accounts_hash;
        total
    }

    /// The same, computed in full.
    pub fn full_state_hash(&self) -> HashTotal {
        let mut total = self.small_state_hash();
        for (id, account) in self.accounts.iter().enumerate() {
            total += account.state_hash(id as u64);
        }
        total
    }

    /// The hash of what is little enough to be taken anew each time.
    fn small_state_hash(&self) -> HashTotal {
        let Self { accounts: _, account_hashes: _, accounts_hash: _, fees, controls, halted, market_wide, time_ns: _ } =
            self;
        let mut total = EntityHash::new(0x20).word(u64::from(*halted)).finish();
        total += controls.state_hash();
        if *market_wide != MarketWide::default() {
            let MarketWide { close, reached, until_ns } = *market_wide;
            let hash = EntityHash::new(0x28).signed(close.map_or(0, Price::ticks));
            total += hash.word(reached.map_or(0, |level| level as u64)).word(until_ns).finish();
        }
        for (schedule, tier, rates) in fees.iter() {
            let place = EntityHash::new(0x24).word(u64::from(schedule)).word(u64::from(tier));
            total += place.signed(rates.taker.ppm().into()).signed(rates.maker.ppm().into()).finish();
        }
        total
    }
}
