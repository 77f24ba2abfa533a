//! The keys that clients log on with at the doors, as the log grants and takes them.
//!
//! Events tell that a key was registered, and of a sealed secret no more than its hash. What it is stands in the command: the
//! sequencer tells it in front of the event, and it counts from the event on.

use std::collections::BTreeMap;
use std::io;

use tradewright_engine::{Engine, Key as RegisteredKey};
use tradewright_gateway::{Grant, KeyRing};
use tradewright_protocol::logon::Key;
use tradewright_types::{
    ANY, AccountId, EventKind, EventRecord, KeyKind, KeyMaterial, KeyPermissions, Label, TextEventRecord,
};
use zerocopy::transmute_ref;

use crate::config::SessionConfig;
use crate::error::{NodeError, while_doing};
use crate::sealed::MasterKey;

/// A key as a command registers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The index of the command.
    pub index: u64,
    /// The id that clients send as their username.
    pub id: Label,
    /// Whose it is; none is the venue's.
    pub account: Option<AccountId>,
    /// What it is.
    pub kind: KeyKind,
    /// What it permits.
    pub permissions: KeyPermissions,
    /// The public key, or the sealed secret.
    pub material: KeyMaterial,
}

/// What became of a key.
pub(crate) enum KeyChange {
    /// Clients log on with it from now on.
    Granted(Label, Grant),
    /// Nobody does any more.
    Revoked(Label),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct DoorKeys {
    master: Option<MasterKey>,
    /// Of which accounts a drop copy with a key hears besides its own, by the id of the key.
    copies: BTreeMap<String, Box<[AccountId]>>,
    /// Registrations whose events are still to come.
    registrations: Vec<Registration>,
    /// A key that the event before told of: its id comes next.
    before: Option<EventRecord>,
}

impl DoorKeys {
    /// The keys as an engine has them.
    ///
    /// # Errors
    /// The master key cannot be read, or a drop copy names an account that there is none of.
    pub(crate) fn open(config: &SessionConfig, engine: &Engine) -> Result<(Self, KeyRing), NodeError> {
        let master = MasterKey::read(config.master_key.as_deref())?;
        let copies = copies_of(config, engine)?;
        let keys = Self { master, copies, registrations: Vec::new(), before: None };
        let mut ring = KeyRing::default();
        ring.expect(keys.copies.values().flatten().copied());
        for (id, RegisteredKey { account, kind, permissions, material }) in engine.keys() {
            let key = Registration {
                index: 0,
                id: *id,
                account: *account,
                kind: *kind,
                permissions: *permissions,
                material: *material,
            };
            if let Some(grant) = keys.grant(&key) {
                ring.insert(id.as_bytes(), grant);
            }
        }
        Ok((keys, ring))
    }

    /// A command registers a key: its event comes, unless the engine refuses it.
    pub(crate) fn registered(&mut self, registration: Registration) {
        self.registrations.push(registration);
    }

    /// Reads an event that was released.
    #[inline]
    pub(crate) fn follow(&mut self, event: &EventRecord) -> Option<KeyChange> {
        const REGISTERED: u8 = EventKind::KeyRegistered as u8;
        const REVOKED: u8 = EventKind::KeyRevoked as u8;
        const ID: u8 = EventKind::KeyIdText as u8;
        match event.kind {
            REGISTERED | REVOKED => {
                self.before = Some(*event);
                None
            }
            ID => self.named(event),
            _ => None,
        }
    }

    /// The id of the key that the event before told of.
    fn named(&mut self, event: &EventRecord) -> Option<KeyChange> {
        let key = self.before.take()?;
        let text: &TextEventRecord = transmute_ref!(event);
        let length = usize::try_from(text.length).map_or(0, |length| length.min(text.bytes.len()));
        let id = Label::new(&text.bytes[..length])?;
        let registered = self.registrations.iter().find(|registered| registered.index == key.sequence).copied();
        self.registrations.retain(|registered| registered.index > key.sequence);
        let granted = registered.filter(|_| key.kind == EventKind::KeyRegistered as u8);
        Some(match granted.and_then(|registered| self.grant(&registered)) {
            Some(grant) => KeyChange::Granted(id, grant),
            None => KeyChange::Revoked(id),
        })
    }

    /// What a key gives at these doors. A key without an account is one of the venue: its gateways send orders for every account,
    /// and these stay when a gateway is lost.
    fn grant(&self, registered: &Registration) -> Option<Grant> {
        let Registration { index: _, id, account, kind, permissions, material } = registered;
        let key = match kind {
            KeyKind::Ed25519 => Key::Ed25519(material.as_bytes().try_into().ok()?),
            KeyKind::SealedHmac => Key::Hmac(self.open_secret(id, material.as_bytes())?.into()),
        };
        let may_trade = permissions.allow(KeyPermissions::TRADE);
        let may_read = permissions.allow(KeyPermissions::READ);
        let (account, keeps_orders) = match account {
            Some(account) => (*account, false),
            // Whoever runs the venue does it over the control socket.
            None if may_trade => (AccountId(ANY), true),
            None => return None,
        };
        let hears = self.copies.get(id.as_str()).cloned().unwrap_or_default();
        Some(Grant { key, account, may_trade, may_read, keeps_orders, hears })
    }

    /// The secret of a key, when this venue has the master key that it was sealed by.
    fn open_secret(&self, id: &Label, sealed: &[u8]) -> Option<Vec<u8>> {
        let name = id.as_str();
        let Some(master) = &self.master else {
            eprintln!("key {name}: is sealed, and this node has no master key: nobody can log on with it");
            return None;
        };
        let secret = master.open(id.as_bytes(), sealed);
        if secret.is_none() {
            eprintln!("key {name}: the master key does not open it: nobody can log on with it");
        }
        secret
    }
}

/// The accounts of which keys may hear by a drop copy, as the configuration says.
fn copies_of(config: &SessionConfig, engine: &Engine) -> Result<BTreeMap<String, Box<[AccountId]>>, NodeError> {
    let mut copies: BTreeMap<String, Vec<AccountId>> = BTreeMap::new();
    for copy in &config.drop_copy {
        let accounts = copies.entry(copy.key.clone()).or_default();
        for name in &copy.accounts {
            let known = engine.registry().accounts().iter().position(|account| account.as_str() == name);
            let known = known.ok_or_else(|| io::Error::other("there is no such account")).map_err(while_doing(
                format!("session.drop_copy of key {:?}: finding the account {name:?}", copy.key),
            ))?;
            accounts.push(AccountId(known as u32));
        }
    }
    Ok(copies.into_iter().map(|(key, accounts)| (key, accounts.into())).collect())
}
