//! Names: what assets, instruments and accounts are called outside.

use std::collections::BTreeMap;

use tradewright_types::{AccountId, AccountKind, AssetId, EntityHash, HashTotal, InstrumentId, Name};

/// An asset's name and decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetEntry {
    /// What it is called.
    pub name: Name,
    /// How many decimal places its quantum has.
    pub scale: u8,
}

/// The names of everything. The engine needs them for nothing but uniqueness; they are part of the state so that they
/// survive a restart.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    assets: Vec<AssetEntry>,
    instruments: Vec<Name>,
    accounts: Vec<Name>,
    asset_ids: BTreeMap<Name, AssetId>,
    instrument_ids: BTreeMap<Name, InstrumentId>,
    account_ids: BTreeMap<Name, AccountId>,
    hash: HashTotal,
}

impl Registry {
    /// Every asset, by id.
    pub fn assets(&self) -> &[AssetEntry] {
        &self.assets
    }

    /// Every instrument's name, by id.
    pub fn instruments(&self) -> &[Name] {
        &self.instruments
    }

    /// Every account's name, by id.
    pub fn accounts(&self) -> &[Name] {
        &self.accounts
    }

    /// The asset of this name.
    pub fn asset(&self, name: &Name) -> Option<AssetId> {
        self.asset_ids.get(name).copied()
    }

    /// The instrument of this name.
    pub fn instrument(&self, name: &Name) -> Option<InstrumentId> {
        self.instrument_ids.get(name).copied()
    }

    /// The account of this name.
    pub fn account(&self, name: &Name) -> Option<AccountId> {
        self.account_ids.get(name).copied()
    }

    pub(crate) fn add_asset(&mut self, name: Name, scale: u8) {
        let id = self.assets.len();
        self.hash += hash_name(0x41, id, &name, scale);
        self.asset_ids.insert(name, AssetId(id as u32));
        self.assets.push(AssetEntry { name, scale });
    }

    pub(crate) fn add_instrument(&mut self, name: Name) {
        let id = self.instruments.len();
        self.hash += hash_name(0x42, id, &name, 0);
        self.instrument_ids.insert(name, InstrumentId(id as u32));
        self.instruments.push(name);
    }

    pub(crate) fn add_account(&mut self, name: Name, kind: AccountKind) {
        let id = self.accounts.len();
        self.hash += hash_name(0x43, id, &name, kind as u8);
        self.account_ids.insert(name, AccountId(id as u32));
        self.accounts.push(name);
    }

    /// Names are only ever added, so the hash is kept as they come.
    pub(crate) fn state_hash(&self) -> HashTotal {
        self.hash
    }

    pub(crate) fn check_invariants(&self) {
        let Self { assets, instruments, accounts, asset_ids, instrument_ids, account_ids, hash: _ } = self;
        assert_eq!(assets.len(), asset_ids.len(), "Invariant: asset names are unique");
        assert_eq!(instruments.len(), instrument_ids.len(), "Invariant: instrument names are unique");
        assert_eq!(accounts.len(), account_ids.len(), "Invariant: account names are unique");
    }
}

fn hash_name(thing: u64, id: usize, name: &Name, attribute: u8) -> HashTotal {
    EntityHash::new(thing).word(id as u64).word(u64::from(attribute)).bytes(name.as_str().as_bytes()).finish()
}
