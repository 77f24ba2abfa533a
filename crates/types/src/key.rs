//! Keys: who may sign in, and what for. The engine keeps them; signatures are verified at the edge.

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// An Ed25519 public key.
    Ed25519 = 1,
    /// A secret for HMAC, sealed by the venue's master key.
    SealedHmac = 2,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Ed25519, Self::SealedHmac];

    /// The kind a record names, if it names one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Ed25519),
            2 => Some(Self::SealedHmac),
            _ => None,
        }
    }

    /// Whether such a key can have this many bytes.
    pub const fn fits(self, length: usize) -> bool {
        match self {
            Self::Ed25519 => length == 32,
            Self::SealedHmac => length >= 1 && length <= KeyMaterial::LENGTH_MAX,
        }
    }
}

/// What the holder of a key may do, as bits. The edge enforces it; what the account may do is asked besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPermissions(pub u16);

impl KeyPermissions {
    /// Send and cancel orders.
    pub const TRADE: Self = Self(1);
    /// Read the account's orders and balances.
    pub const READ: Self = Self(2);
    /// Quote.
    pub const MARKET_MAKER: Self = Self(4);
    /// Run the venue: list, open, set, halt.
    pub const OPERATOR: Self = Self(8);
    /// Set limits, engage kill switches.
    pub const RISK_OFFICER: Self = Self(16);
    /// Approve orders.
    pub const APPROVER: Self = Self(32);
    /// Read everything, change nothing.
    pub const AUDITOR: Self = Self(64);
    /// All of them.
    pub const ALL: Self = Self(127);

    /// The permissions that a record names: some, and none that this build does not know.
    pub fn from_bits(bits: u64) -> Option<Self> {
        let bits = u16::try_from(bits).ok().filter(|bits| *bits != 0 && bits & !Self::ALL.0 == 0);
        bits.map(Self)
    }

    /// Whether all bits of `wanted` are set.
    pub const fn allow(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// The bytes of a key: public, or sealed. Never a secret that anybody could use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyMaterial {
    /// What lies behind the key is zero.
    bytes: [u8; KeyMaterial::LENGTH_MAX],
    length: u8,
}

impl KeyMaterial {
    /// The most bytes.
    pub const LENGTH_MAX: usize = 96;

    /// Takes the bytes of a key. `None` when there are too many.
    pub fn new(key: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self { bytes, length: key.len() as u8 })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl core::fmt::Debug for KeyMaterial {
    /// Only how long it is: a sealed secret does not belong in logs.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_length_of_its_kind() {
        let lengths = |kind: KeyKind| (0..200).filter(|length| kind.fits(*length)).collect::<Vec<_>>();
        assert_eq!(lengths(KeyKind::Ed25519), [32]);
        assert_eq!(lengths(KeyKind::SealedHmac), (1..=96).collect::<Vec<_>>());
        assert_eq!(KeyMaterial::new(&[7; 97]), None);
        assert_eq!(KeyMaterial::new(&[7; 96]).expect("it fits").as_bytes(), [7; 96]);
        KeyKind::ALL.iter().for_each(|kind| assert_eq!(KeyKind::from_code(*kind as u8), Some(*kind)));
    }

    #[test]
    fn permissions_are_known_bits() {
        assert_eq!(KeyPermissions::from_bits(0), None);
        assert_eq!(KeyPermissions::from_bits(128), None);
        assert_eq!(KeyPermissions::from_bits(1 << 16 | 1), None);
        assert!(KeyPermissions::from_bits(127).is_some_and(|all| all.allow(KeyPermissions::AUDITOR)));
        assert!(!KeyPermissions::TRADE.allow(KeyPermissions::READ));
    }
}
