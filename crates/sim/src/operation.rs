//! One operation of a workload, 24 bytes, and the checksum that guards a sequence of them.

use crate::book::Side;

/// What an operation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OperationKind {
    /// A limit order; what does not trade on arrival rests.
    Add = 0,
    /// Cancels the order `id`. Side, quantity and price are zero.
    Cancel = 1,
    /// A limit order whose rest expires at once.
    ImmediateOrCancel = 2,
}

/// One operation. The layout is fixed, so that files of operations can be exchanged with other engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Operation {
    /// What is asked for.
    pub kind: OperationKind,
    /// The side of the order.
    pub side: Side,
    /// The instrument, from 0; always 0 in the workloads of a single book.
    pub instrument: u16,
    /// Quantity in lots.
    pub quantity: u32,
    /// Limit price in ticks.
    pub price: i64,
    /// The order: its own id for an add or an IOC, the order to be removed for a cancel.
    pub id: u64,
}

const _: () = assert!(size_of::<Operation>() == 24);

impl Operation {
    /// The account that owns the order, out of `accounts`. A cancel names its order's id, so it comes from the owner.
    #[inline]
    #[must_use]
    pub const fn account(&self, accounts: u64) -> u64 {
        self.id % accounts
    }

    /// The 24 bytes, little endian on every platform.
    #[must_use]
    pub fn to_le_bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[0] = self.kind as u8;
        bytes[1] = self.side as u8;
        bytes[2..4].copy_from_slice(&self.instrument.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.quantity.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.price.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.id.to_le_bytes());
        bytes
    }
}

/// FNV-1a, 64 bits, over the little-endian bytes of all operations in order.
///
/// It tells a drifted workload (another `ln`, a changed draw) from a wrong engine.
#[must_use]
pub fn checksum(operations: &[Operation]) -> u64 {
    operations
        .iter()
        .flat_map(Operation::to_le_bytes)
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_published_layout() {
        let operation = Operation {
            kind: OperationKind::ImmediateOrCancel,
            side: Side::Sell,
            instrument: 0x0403,
            quantity: 5,
            price: -2,
            id: 7,
        };
        let expected = [2, 1, 3, 4, 5, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(operation.to_le_bytes(), expected);
        assert_eq!(operation.account(4), 3);
    }

    #[test]
    fn the_checksum_of_nothing_is_the_offset_basis_and_order_counts() {
        let add = Operation { kind: OperationKind::Add, side: Side::Buy, instrument: 0, quantity: 1, price: 1, id: 1 };
        let other = Operation { id: 2, ..add };
        assert_eq!(checksum(&[]), 0xCBF2_9CE4_8422_2325);
        assert_ne!(checksum(&[add, other]), checksum(&[other, add]));
    }
}
