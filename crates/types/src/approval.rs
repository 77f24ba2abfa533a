//! Approvals: above which worth an order needs whom, and the records that say so.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{AccountId, Amount, CommandKind, InstrumentId, SCHEMA_VERSION, Wide};

/// What approval bands are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BandScope {
    /// Every order on an instrument.
    Instrument(InstrumentId),
    /// Every order of an account.
    Account(AccountId),
}

/// How many approvers an order needs by what it is worth, and how long it waits for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApprovalBands {
    /// Above the first one approver is needed, above the second two, above the third three. Zero is no threshold.
    pub thresholds: [Amount; 3],
    /// How long an order waits, in nanoseconds of engine time.
    pub expiry_ns: u64,
}

impl ApprovalBands {
    /// The longest that an order waits.
    pub const EXPIRY_MAX_NS: u64 = 1 << 62;

    /// Whether no order needs anybody.
    pub fn are_off(&self) -> bool {
        self.thresholds == [Amount::ZERO; 3]
    }

    /// Whether thresholds and expiry may be: those that are set rise, and there is a time to wait exactly when there is one.
    pub fn are_valid(&self) -> bool {
        let mut above = Amount::ZERO;
        let rise = self.thresholds.iter().filter(|threshold| **threshold != Amount::ZERO).all(|threshold| {
            let rises = *threshold > above;
            above = *threshold;
            rises
        });
        let waits = (self.expiry_ns != 0) != self.are_off() && self.expiry_ns <= Self::EXPIRY_MAX_NS;
        rise && above <= Amount::MAX && waits
    }

    /// How many approvers an order needs that is worth so many quanta.
    pub fn approvers(&self, worth: u128) -> u8 {
        let is_above = |threshold: &Amount| *threshold != Amount::ZERO && worth > threshold.quanta().unsigned_abs();
        self.thresholds.iter().rposition(is_above).map_or(0, |place| place as u8 + 1)
    }
}

/// Follows a [`CommandKind::SetApprovalBands`]: the bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ApprovalBandsRecord {
    /// [`CommandKind::ApprovalBands`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// Above it one approver is needed.
    pub first: Wide,
    /// Above it two are.
    pub second: Wide,
    /// Above it three are.
    pub third: Wide,
    /// How long an order waits for them.
    pub expiry_ns: u64,
}

impl ApprovalBandsRecord {
    /// A record of these bands.
    pub fn new(bands: &ApprovalBands) -> Self {
        let [first, second, third] = bands.thresholds.map(Wide::from);
        let (kind, expiry_ns) = (CommandKind::ApprovalBands as u8, bands.expiry_ns);
        Self { kind, schema_version: SCHEMA_VERSION, reserved: [0; 6], first, second, third, expiry_ns }
    }

    /// The bands it says.
    pub fn bands(&self) -> ApprovalBands {
        let thresholds = [self.first, self.second, self.third].map(Amount::from);
        ApprovalBands { thresholds, expiry_ns: self.expiry_ns }
    }
}

/// Follows a [`CommandKind::ApproveOrder`]: the hash of the order that is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ApprovalHashRecord {
    /// [`CommandKind::ApprovalHash`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// Zero.
    pub reserved: [u8; 6],
    /// SHA-256 of the order: see the rulebook.
    pub hash: [u8; 32],
    /// Zero; room for a signature's key.
    pub reserved_bytes: [u8; 24],
}

impl ApprovalHashRecord {
    /// A record of this hash.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self {
            kind: CommandKind::ApprovalHash as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 6],
            hash,
            reserved_bytes: [0; 24],
        }
    }
}

const _: () = assert!(size_of::<ApprovalBandsRecord>() == 64 && size_of::<ApprovalHashRecord>() == 64);
