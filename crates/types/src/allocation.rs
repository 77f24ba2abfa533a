//! How an instrument shares what comes in, as a command says it. The arithmetic is the book's.

use crate::{Decoded, Quantity, RejectReason};

/// The rules of allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AllocationRule {
    /// First come, first served.
    #[default]
    PriceTime = 0,
    /// In proportion to what is open.
    ProRata = 1,
    /// A part in time order, the rest in proportion to what is open, then perhaps a lot each for those who got nothing.
    Split = 2,
    /// In proportion to what is open, those who came first more so.
    TimeProRata = 3,
}

impl AllocationRule {
    /// The rule with this code, if this build knows it.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::PriceTime),
            1 => Some(Self::ProRata),
            2 => Some(Self::Split),
            3 => Some(Self::TimeProRata),
            _ => None,
        }
    }
}

/// A rule with its numbers. What a rule does not name is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllocationTerms {
    /// The rule.
    pub rule: AllocationRule,
    /// Of time-pro-rata: how much more the first lots of the queue count, 0, 1 or 3.
    pub weight: u8,
    /// Of pro-rata and split: a pro-rata share below this is none.
    pub minimum: Quantity,
    /// Of split: the part that goes in time order.
    pub fifo_ppm: u32,
    /// Of split: whether those who got nothing get a lot each, in time order.
    pub leveling: bool,
}

impl AllocationTerms {
    /// Whether the numbers belong to the rule and lie in their ranges.
    pub fn is_valid(&self) -> bool {
        let Self { rule, weight, minimum, fifo_ppm, leveling } = *self;
        let weight_fits = match rule {
            AllocationRule::TimeProRata => matches!(weight, 0 | 1 | 3),
            AllocationRule::PriceTime | AllocationRule::ProRata | AllocationRule::Split => weight == 0,
        };
        let has_pro_rata = matches!(rule, AllocationRule::ProRata | AllocationRule::Split);
        let is_split = rule == AllocationRule::Split;
        weight_fits
            && (minimum.is_zero() || has_pro_rata && minimum <= Quantity::MAX)
            && (fifo_ppm == 0 || is_split && fifo_ppm <= 1_000_000)
            && (!leveling || is_split)
    }
}

/// The privilege of the order that bettered the market, TOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopTerms {
    /// The smallest order that wins it.
    pub minimum: Quantity,
    /// The most that it gets of one incoming order before all others.
    pub maximum: Quantity,
}

impl TopTerms {
    /// The privilege with these numbers of lots, none with two zeros.
    ///
    /// # Errors
    /// When they lie out of their ranges.
    pub fn read(minimum: u64, maximum: u64) -> Decoded<Option<Self>> {
        let (minimum, maximum) = (Quantity::from_lots(minimum), Quantity::from_lots(maximum));
        if minimum > maximum || maximum > Quantity::MAX {
            return Err(RejectReason::SettingOutOfRange);
        }
        Ok((!maximum.is_zero()).then_some(Self { minimum, maximum }))
    }
}
