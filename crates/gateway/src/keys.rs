//! The keys that clients may log on with, and the logons that were used.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tradewright_types::AccountId;

use crate::machine::{Grant, Keys, Now};

/// Keys by their ids.
#[derive(Debug, Default)]
pub struct KeyRing {
    grants: BTreeMap<Box<[u8]>, Grant>,
    /// Accounts of which keys may hear that are yet to come.
    expected: Vec<AccountId>,
    used: BTreeSet<Box<[u8]>>,
    /// When the used ones were, oldest first.
    used_at: VecDeque<(i64, Box<[u8]>)>,
}

/// A logon is too old by itself after this: the longest window, and how far a clock may be ahead.
const REMEMBERED_US: i64 = 62_000_000;

impl KeyRing {
    /// Adds a key, or replaces it.
    pub fn insert(&mut self, username: &[u8], grant: Grant) {
        self.grants.insert(username.into(), grant);
    }

    /// Keys may come that hear of these accounts by a drop copy.
    pub fn expect(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        self.expected.extend(accounts);
    }

    /// The accounts of which somebody may hear by a drop copy, now or later.
    pub fn heard(&self) -> impl Iterator<Item = AccountId> {
        let granted = self.grants.values().flat_map(|grant| grant.hears.iter().copied());
        granted.chain(self.expected.iter().copied())
    }

    /// Takes a key away. Connections that were made with it are the gateway's to end.
    pub fn remove(&mut self, username: &[u8]) {
        self.grants.remove(username);
    }
}

impl Keys for KeyRing {
    fn find(&self, username: &[u8]) -> Option<Grant> {
        self.grants.get(username).cloned()
    }

    fn is_first_use(&mut self, signature: &[u8], now: Now) -> bool {
        while let Some((at_us, old)) = self.used_at.front() {
            if now.utc_us.saturating_sub(*at_us) < REMEMBERED_US {
                break;
            }
            self.used.remove(old);
            self.used_at.pop_front();
        }
        let is_first = self.used.insert(signature.into());
        if is_first {
            self.used_at.push_back((now.utc_us, signature.into()));
        }
        is_first
    }
}
