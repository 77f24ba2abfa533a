//! The key registry: who may sign in, and what for. It verifies nothing: the edge does, with what stands here.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tradewright_types::{
    ANY, AccountId, Decoded, EntityHash, EventKind, HashTotal, KeyKind, KeyMaterial, KeyPermissions, Label,
    RejectReason,
};

use crate::Engine;
use crate::emit::Emitter;

/// A key that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose it is; none is an operator's.
    pub account: Option<AccountId>,
    /// What it is.
    pub kind: KeyKind,
    /// What it permits.
    pub permissions: KeyPermissions,
    /// The public key, or the sealed secret.
    pub material: KeyMaterial,
}

impl Key {
    /// What events tell of the key: a public key as it is, of a sealed secret its SHA-256.
    pub fn fingerprint(&self) -> [u8; 32] {
        let bytes = self.material.as_bytes();
        match self.kind {
            KeyKind::Ed25519 => bytes.try_into().expect("Invariant: a public key has 32 bytes"),
            KeyKind::SealedHmac => Sha256::digest(bytes).into(),
        }
    }

    fn hash(&self, id: &Label) -> HashTotal {
        let account = self.account.map_or(ANY, |account| account.0);
        let codes = u64::from(self.permissions.0) << 8 | self.kind as u64;
        let hash = EntityHash::new(0x3e).word(account.into()).word(codes).bytes(id.as_bytes());
        hash.bytes(self.material.as_bytes()).finish()
    }
}

/// The keys that may be used, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    keys: BTreeMap<Label, Key>,
    hash: HashTotal,
}

impl Keys {
    pub(crate) fn get(&self, id: &Label) -> Option<&Key> {
        self.keys.get(id)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Label, &Key)> {
        self.keys.iter()
    }

    /// Adds a key. `None` when there is one with this id.
    pub(crate) fn add(&mut self, id: Label, key: Key) -> Option<()> {
        if self.keys.contains_key(&id) {
            return None;
        }
        self.hash += key.hash(&id);
        self.keys.insert(id, key);
        Some(())
    }

    fn remove(&mut self, id: &Label) -> Option<Key> {
        let key = self.keys.remove(id)?;
        self.hash -= key.hash(id);
        Some(key)
    }

    /// Keys change rarely: their hash is kept as they come and go.
    pub(crate) fn state_hash(&self) -> HashTotal {
        self.hash
    }

    pub(crate) fn full_state_hash(&self) -> HashTotal {
        let mut total = HashTotal::default();
        self.keys.iter().for_each(|(id, key)| total += key.hash(id));
        total
    }
}

impl Engine {
    pub(crate) fn register_key(&mut self, id: &Label, key: &Key, emit: &mut Emitter<'_>) -> Decoded<()> {
        if let Some(account) = key.account {
            self.known_account(account)?;
        }
        self.keys.add(*id, *key).ok_or(RejectReason::NameTaken)?;
        emit.key(EventKind::KeyRegistered, id, key);
        Ok(())
    }

    pub(crate) fn revoke_key(&mut self, id: &Label, emit: &mut Emitter<'_>) -> Decoded<()> {
        let key = self.keys.remove(id).ok_or(RejectReason::UnknownKey)?;
        emit.key(EventKind::KeyRevoked, id, &key);
        Ok(())
    }
}
