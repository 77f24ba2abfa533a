//! Names: what assets, instruments and accounts are called outside.

use std::collections::BTreeMap;

use tradewright_types::{AccountId, AssetId, EntityHash, HashTotal, InstrumentId, Name};

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
        self.asset_ids.insert(name, AssetId(self.assets.len() as u32));
        self.assets.push(AssetEntry { name, scale });
    }

    pub(crate) fn add_instrument(&mut self, name: Name) {
        self.instrument_ids.insert(name, InstrumentId(self.instruments.len() as u32));
        self.instruments.push(name);
    }

    pub(crate) fn add_account(&mut self, name: Name) {
        self.account_ids.insert(name, AccountId(self.accounts.len() as u32));
        self.accounts.push(name);
    }

    pub(crate) fn state_hash(&self) -> HashTotal {
        let Self { assets, instruments, accounts, asset_ids: _, instrument_ids: _, account_ids: _ } = self;
        let mut total = HashTotal::default();
        for (id, asset) in assets.iter().enumerate() {
            let place = EntityHash::new(0x41).word(id as u64).word(u64::from(asset.scale));
            total += place.bytes(asset.name.as_str().as_bytes()).finish();
        }
        for (kind, names) in [(0x42, instruments), (0x43, accounts)] {
            for (id, name) in names.iter().enumerate() {
                total += EntityHash::new(kind).word(id as u64).bytes(name.as_str().as_bytes()).finish();
            }
        }
        total
    }

    pub(crate) fn check_invariants(&self) {
        let Self { assets, instruments, accounts, asset_ids, instrument_ids, account_ids } = self;
        assert_eq!(assets.len(), asset_ids.len(), "Invariant: asset names are unique");
        assert_eq!(instruments.len(), instrument_ids.len(), "Invariant: instrument names are unique");
        assert_eq!(accounts.len(), account_ids.len(), "Invariant: account names are unique");
    }
}
