//! Records that are no commands: what they say.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use tradewright_types::HashTotal;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Hash, Identity};
use crate::tree::Frontier;

/// Checks stand at multiples of this index, so that whoever verifies a log knows where to keep hashes.
pub const CHECK_EVERY: u64 = 4_096;

/// What a hash was when the command of an index was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// A multiple of [`CHECK_EVERY`].
    pub index: u64,
    /// Of the events since the last check.
    pub events_hash: Option<HashTotal>,
    /// Of the state.
    pub state_hash: Option<HashTotal>,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct CheckPayload {
    /// Bit 0: with the events' hash; bit 1: with the state's.
    present: u64,
    events_hash: [u8; 16],
    state_hash: [u8; 16],
}

impl Check {
    pub(crate) fn to_bytes(self) -> [u8; 40] {
        let bytes = |hash: Option<HashTotal>| hash.unwrap_or_default().0.to_le_bytes();
        let present = u64::from(self.events_hash.is_some()) | u64::from(self.state_hash.is_some()) << 1;
        let (events_hash, state_hash) = (bytes(self.events_hash), bytes(self.state_hash));
        zerocopy::transmute!(CheckPayload { present, events_hash, state_hash })
    }

    /// Reads the payload of a check. `None` when it is none.
    #[must_use]
    pub fn read(index: u64, payload: &[u8]) -> Option<Self> {
        let CheckPayload { present, events_hash, state_hash } = CheckPayload::read_from_bytes(payload).ok()?;
        let hash = |bit: u32, bytes| (present >> bit & 1 == 1).then_some(HashTotal(u128::from_le_bytes(bytes)));
        Some(Self { index, events_hash: hash(0, events_hash), state_hash: hash(1, state_hash) })
    }
}

/// A head of the tree over the commands of a log, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// What the tree holds: the commands up to this index.
    pub tree_size: u64,
    /// When it was signed, by the log's time.
    pub time_ns: u64,
    /// The root.
    pub root: Hash,
    /// Whose signature it is.
    pub public_key: [u8; 32],
    /// Over [`TreeHead::signed_bytes`].
    pub signature: [u8; 64],
    /// The hashes of the whole trees that it consists of, the largest first: from these the tree grows on after a start.
    pub peaks: Vec<Hash>,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct TreeHeadPayload {
    tree_size: u64,
    time_ns: u64,
    root: Hash,
    public_key: [u8; 32],
    signature: [u8; 64],
}

impl TreeHead {
    /// Signs the tree as it stands.
    pub(crate) fn sign(identity: Identity, frontier: &Frontier, time_ns: u64, key: &SigningKey) -> Self {
        let mut head = Self {
            tree_size: frontier.size(),
            time_ns,
            root: frontier.root(),
            public_key: key.verifying_key().to_bytes(),
            signature: [0; 64],
            peaks: frontier.peaks().to_vec(),
        };
        head.signature = key.sign(&head.signed_bytes(identity)).to_bytes();
        head
    }

    /// What is signed: a line that says what it is, then log, shard, size, time and root.
    #[must_use]
    pub fn signed_bytes(&self, identity: Identity) -> Vec<u8> {
        let mut bytes = b"tradewright tree head 1\n".to_vec();
        bytes.extend_from_slice(&identity.log_id);
        bytes.extend_from_slice(&u32::from(identity.shard).to_le_bytes());
        bytes.extend_from_slice(&self.tree_size.to_le_bytes());
        bytes.extend_from_slice(&self.time_ns.to_le_bytes());
        bytes.extend_from_slice(&self.root);
        bytes
    }

    /// Whether its own key signed it. Whose key that is, the caller has to know.
    #[must_use]
    pub fn is_signed(&self, identity: Identity) -> bool {
        let signature = Signature::from_bytes(&self.signature);
        VerifyingKey::from_bytes(&self.public_key)
            .is_ok_and(|key| key.verify_strict(&self.signed_bytes(identity), &signature).is_ok())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Self { tree_size, time_ns, root, public_key, signature, peaks } = self;
        let fixed = TreeHeadPayload {
            tree_size: *tree_size,
            time_ns: *time_ns,
            root: *root,
            public_key: *public_key,
            signature: *signature,
        };
        let mut bytes = fixed.as_bytes().to_vec();
        bytes.extend_from_slice(peaks.as_bytes());
        bytes
    }

    /// Reads the payload of a tree head. `None` when it is none.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (fixed, peaks) = TreeHeadPayload::read_from_prefix(payload).ok()?;
        let peaks = <[Hash]>::ref_from_bytes(peaks).ok()?;
        let TreeHeadPayload { tree_size, time_ns, root, public_key, signature } = fixed;
        let is_whole = peaks.len() == tree_size.count_ones() as usize;
        is_whole.then(|| Self { tree_size, time_ns, root, public_key, signature, peaks: peaks.to_vec() })
    }
}
