//! Golden answers. Those of the published workloads are what independent engines agree on; those of our own are what all
//! designs of this crate agree on. A row also names the checksum of the operations that lead to it.

use crate::book::{MatchingBook, Sums};
use crate::operation::OperationKind;
use crate::workload::Workload;

/// What a replay is compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Number of fills.
    pub fills: u64,
    /// Lots traded.
    pub filled_quantity: u64,
    /// Sum of price x quantity.
    pub notional: u128,
    /// Best bid; of instrument 0 where there are several.
    pub best_bid: Option<i64>,
    /// Best ask; of instrument 0 where there are several.
    pub best_ask: Option<i64>,
    /// Resting orders.
    pub live: usize,
    /// Price levels with orders.
    pub levels: usize,
}

impl Outcome {
    /// The state of a book, and what it has traded.
    #[must_use]
    pub fn of<B: MatchingBook>(book: &B, sums: Sums) -> Self {
        Self {
            fills: sums.fills,
            filled_quantity: sums.filled_quantity,
            notional: sums.notional,
            best_bid: book.best_bid(),
            best_ask: book.best_ask(),
            live: book.live_count(),
            levels: book.level_count(),
        }
    }

    /// Two instruments together; the best prices stay those of the first.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            fills: self.fills + other.fills,
            filled_quantity: self.filled_quantity + other.filled_quantity,
            notional: self.notional + other.notional,
            live: self.live + other.live,
            levels: self.levels + other.levels,
            ..self
        }
    }
}

/// How many operations there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Limit orders.
    pub adds: u64,
    /// Cancels.
    pub cancels: u64,
    /// Immediate-or-cancel orders.
    pub iocs: u64,
}

impl Counts {
    pub(crate) fn count(&mut self, kind: OperationKind) {
        match kind {
            OperationKind::Add => self.adds += 1,
            OperationKind::Cancel => self.cancels += 1,
            OperationKind::ImmediateOrCancel => self.iocs += 1,
        }
    }

    pub(crate) fn join(self, other: Self) -> Self {
        Self { adds: self.adds + other.adds, cancels: self.cancels + other.cancels, iocs: self.iocs + other.iocs }
    }
}

/// The state of a workload after its prefill and a number of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Golden {
    /// The workload.
    pub workload: Workload,
    /// Operations since the prefill, skipped ones included.
    pub operations: usize,
    /// Fills since the first operation, and the book.
    pub outcome: Outcome,
    /// The operations by kind.
    pub counts: Counts,
    /// [`checksum`](crate::checksum) of prefill and operations.
    pub checksum: u64,
}

/// The golden answer of `workload` after `operations` operations, if there is one.
#[must_use]
pub fn golden(workload: Workload, operations: usize) -> Option<&'static Golden> {
    GOLDENS.iter().find(|golden| golden.workload == workload && golden.operations == operations)
}

/// One row of the table below.
const fn row(
    workload: Workload,
    operations: usize,
    (fills, filled_quantity, notional): (u64, u64, u128),
    (best_bid, best_ask): (i64, i64),
    (live, levels): (usize, usize),
    (adds, cancels, iocs): (u64, u64, u64),
    checksum: u64,
) -> Golden {
    let (best_bid, best_ask) = (Some(best_bid), Some(best_ask));
    Golden {
        workload,
        operations,
        outcome: Outcome { fills, filled_quantity, notional, best_bid, best_ask, live, levels },
        counts: Counts { adds, cancels, iocs },
        checksum,
    }
}

/// All golden answers: fills, quantity, notional; best prices; live orders, levels; adds, cancels, IOCs; checksum.
#[rustfmt::skip]
pub const GOLDENS: &[Golden] = &[
    row(Workload::Mix60, 0, (0, 0, 0), (99_999, 100_001), (5_000, 316), (0, 0, 0), 0x5223_C560_30CE_8266),
    row(Workload::Mix60, 200_000, (60_211, 2_556_595, 255_701_000_140), (100_011, 100_015), (4_839, 276), (120_456, 69_880, 9_664), 0xF3B7_E183_0C2E_C41E),
    row(Workload::Mix60, 1_000_000, (299_085, 12_637_936, 1_263_744_370_067), (99_993, 99_995), (5_136, 294), (600_503, 349_897, 49_600), 0xB1C6_1AC3_C1BF_D5BD),
    row(Workload::Mix60, 2_000_000, (598_354, 25_267_675, 2_526_573_620_175), (99_960, 99_961), (5_142, 269), (1_200_553, 699_762, 99_685), 0x4FB3_AF4A_A38E_527B),
    row(Workload::Mix60, 3_000_000, (897_891, 37_904_933, 3_788_802_658_774), (99_832, 99_833), (4_785, 265), (1_800_479, 1_049_663, 149_858), 0x1DFD_B3B8_01D8_53D2),
    row(Workload::Swing25, 200_000, (61_075, 1_811_210, 186_054_315_675), (84_649, 84_651), (2_625, 716), (120_313, 69_645, 10_042), 0xDC12_D6E8_99A7_E43B),
    row(Workload::Swing25, 3_000_000, (874_362, 25_828_837, 2_588_086_328_773), (89_949, 89_953), (2_463, 696), (1_800_338, 1_049_874, 149_788), 0x1132_945A_15A2_5AE5),
    row(Workload::Swing40, 200_000, (61_117, 1_796_192, 187_573_304_384), (75_439, 75_443), (2_594, 683), (120_313, 69_645, 10_042), 0xEA2C_5959_9FA4_DF15),
    row(Workload::Swing40, 3_000_000, (874_390, 25_651_873, 2_575_464_798_424), (83_919, 83_923), (2_397, 668), (1_800_338, 1_049_874, 149_788), 0x2679_31EB_5CE8_4447),
    row(Workload::Fine, 200_000, (61_088, 1_809_262, 18_588_666_215_812), (8_464_970, 8_465_082), (2_625, 2_454), (120_313, 69_645, 10_042), 0x75CB_88D3_5552_54A6),
    row(Workload::Fine, 3_000_000, (874_410, 25_816_257, 258_729_008_119_513), (8_994_935, 8_995_208), (2_465, 2_297), (1_800_338, 1_049_874, 149_788), 0xABD5_DB73_80F6_0871),
    row(Workload::Crash, 200_000, (60_601, 2_566_623, 256_662_172_596), (99_999, 100_002), (4_908, 1_199), (120_313, 69_645, 10_042), 0xBE01_D455_7A12_B322),
    row(Workload::Crash, 3_000_000, (895_663, 34_694_854, 2_997_122_690_117), (99_999, 100_003), (4_892, 1_168), (1_800_338, 1_049_874, 149_788), 0x1D72_DD1B_10A1_852A),
    row(Workload::Resting1m, 200_000, (59_601, 2_507_259, 250_725_140_775), (99_911, 100_089), (1_000_389, 3_928), (120_174, 69_906, 9_920), 0x4ACC_EFBD_4E96_8601),
    row(Workload::Resting1m, 3_000_000, (897_932, 37_896_921, 3_789_709_894_475), (99_428, 99_806), (1_000_002, 4_016), (1_800_265, 1_049_531, 150_204), 0x9DA3_60FC_8034_EBB3),
    row(Workload::Sweep, 200_000, (199_571, 9_928_919, 992_900_444_133), (99_992, 100_028), (5_375, 966), (196_828, 0, 3_172), 0x4435_6A09_06C2_949E),
    row(Workload::Sweep, 3_000_000, (2_998_931, 149_080_644, 14_907_916_163_313), (99_961, 100_027), (5_130, 699), (2_952_833, 0, 47_167), 0x08E9_7549_909B_3093),
    row(Workload::Many, 200_000, (59_415, 2_507_946, 250_792_810_436), (99_997, 100_000), (250_306, 15_621), (119_994, 70_040, 9_966), 0x4482_0FC6_6D7E_B537),
    row(Workload::Many, 3_000_000, (895_267, 37_814_666, 3_781_436_120_774), (99_987, 99_988), (249_542, 14_077), (1_798_675, 1_051_100, 150_225), 0x0912_F34D_9306_CCA3),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_has_an_answer_for_quick_and_for_full_runs() {
        for workload in Workload::ALL {
            assert!(golden(workload, 200_000).is_some(), "{workload}");
            assert!(golden(workload, 3_000_000).is_some(), "{workload}");
        }
        assert_eq!(golden(Workload::Mix60, 1), None);
    }
}
