//! Conditions of an order: what must happen before it comes to the book, and when it leaves by itself.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{CommandKind, Price, Quantity, RejectReason, SCHEMA_VERSION, Side};

/// What a trigger is for. It decides which way the price has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TriggerKind {
    /// Starts when the price has gone against the position: up to the trigger for a bid, down to it for an ask.
    StopLoss = 1,
    /// Starts when the price has gone the position's way: down to the trigger for a bid, up to it for an ask.
    TakeProfit = 2,
}

impl TriggerKind {
    /// Whether an order of this side starts when the price rises to its trigger; otherwise it starts when the price falls to it.
    pub const fn rises(self, side: Side) -> bool {
        matches!((self, side), (Self::StopLoss, Side::Buy) | (Self::TakeProfit, Side::Sell))
    }
}

/// Which price a trigger looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PriceSource {
    /// That of the last trade.
    Last = 0,
    /// The mark price, set by command.
    Mark = 1,
    /// The index price, set by command.
    Index = 2,
}

impl PriceSource {
    /// Every source, by code.
    pub const ALL: [Self; 3] = [Self::Last, Self::Mark, Self::Index];
}

/// How far a trailing stop stays behind the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trail {
    /// So many ticks.
    Ticks(u32),
    /// So many hundredths of a percent of the price, rounded down to ticks, but at least one.
    BasisPoints(u32),
}

impl Trail {
    const WHOLE: i128 = 10_000;

    /// The trigger that belongs to `price`: above it for a bid, below it for an ask; within the prices that triggers may have.
    pub fn trigger(self, side: Side, price: Price) -> Price {
        let ticks = i128::from(price.ticks());
        let distance = match self {
            Self::Ticks(ticks) => i128::from(ticks),
            Self::BasisPoints(parts) => (ticks * i128::from(parts) / Self::WHOLE).max(1),
        };
        let trigger = match side {
            Side::Buy => ticks + distance,
            Side::Sell => ticks - distance,
        };
        Price::from_ticks(trigger.clamp(1, Trigger::PRICE_MAX.ticks().into()) as i64)
    }
}

/// What must happen before an order comes to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trigger {
    /// What it is for.
    pub kind: TriggerKind,
    /// Which price it looks at.
    pub source: PriceSource,
    /// The price at which it fires. `None` for a trail that starts from the price there is.
    pub price: Option<Price>,
    /// How it follows the price.
    pub trail: Option<Trail>,
}

impl Trigger {
    /// The highest price of a trigger.
    pub const PRICE_MAX: Price = Price::from_ticks(1 << 62);
}

/// The conditions of an order. Without any it comes to the book at once and stays as its time in force says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// What must happen first.
    pub trigger: Option<Trigger>,
    /// When it expires, in nanoseconds of engine time; 0 is never.
    pub expire_time_ns: u64,
    /// What must trade at once, or nothing does; zero is no minimum.
    pub minimum: Quantity,
    /// How it shows itself by parts.
    pub iceberg: Option<Iceberg>,
    /// Whether it does not show itself at all.
    pub hidden: bool,
    /// What its price is tied to.
    pub peg: Option<Peg>,
}

impl Conditions {
    /// Whether the order's price follows others as long as it is open.
    pub const fn follows(&self) -> bool {
        matches!(self.peg, Some(Peg { is_fixed: false, .. }))
    }
}

/// Which price a peg refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PegKind {
    /// The best price of its own side.
    Primary = 1,
    /// The best price of the opposite side.
    Market = 2,
    /// The middle between the two.
    Midpoint = 3,
}

impl PegKind {
    /// The kind with this code, if this build knows it.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Primary),
            2 => Some(Self::Market),
            3 => Some(Self::Midpoint),
            _ => None,
        }
    }
}

/// A price that is tied to the best displayed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peg {
    /// Which price it refers to.
    pub kind: PegKind,
    /// Whether the price is found once, on entry; otherwise it follows.
    pub is_fixed: bool,
    /// How far from that price, away from the market: in price levels when it is fixed, in ticks when it follows.
    pub offset: u64,
}

impl Peg {
    /// The most price levels that a fixed peg may be away.
    pub const LEVELS_MAX: u64 = 100;
    /// The most ticks that a following peg may be away.
    pub const OFFSET_MAX: u64 = 1 << 62;

    /// Where a following peg of `side` stands: at its distance from the `best` displayed bid and ask, not better than its `limit`,
    /// an increment behind the `barrier`, which is the best price it must not reach, and rounded away from the market. `None` when
    /// there is nothing to refer to, or no price is left.
    pub fn price(
        self,
        side: Side,
        best: [Option<Price>; 2],
        limit: Price,
        barrier: Option<Price>,
        increment: u32,
    ) -> Option<Price> {
        // All in half ticks, in which there is a middle; of a bid, worse is less.
        let half_ticks = |price: Price| 2 * i128::from(price.ticks());
        let (own, opposite) = (best[side as usize], best[side.opposite() as usize]);
        let (step, offset) = (2 * i128::from(increment), 2 * i128::from(self.offset));
        let (from, distance) = match self.kind {
            PegKind::Primary => (half_ticks(own?), offset),
            PegKind::Market => (half_ticks(opposite?), offset.max(step)),
            PegKind::Midpoint => ((half_ticks(own?) + half_ticks(opposite?)) / 2, offset),
        };
        let barrier = barrier.map(half_ticks);
        let rounded = match side {
            Side::Buy => {
                let wanted = (from - distance).min(half_ticks(limit));
                barrier.map_or(wanted, |barrier| wanted.min(barrier - step)).div_euclid(step)
            }
            Side::Sell => {
                let wanted = (from + distance).max(half_ticks(limit));
                -(-barrier.map_or(wanted, |barrier| wanted.max(barrier + step))).div_euclid(step)
            }
        };
        let ticks = rounded * i128::from(increment);
        (1..=i128::from(Trigger::PRICE_MAX.ticks())).contains(&ticks).then_some(Price::from_ticks(ticks as i64))
    }
}

/// An order that shows only a part of itself, its peak. When that has traded, the next one comes from the reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Iceberg {
    /// The smallest peak.
    pub peak: Quantity,
    /// How much larger a peak may be. Zero: all peaks are the same.
    pub range: Quantity,
    /// Where the generator of the peaks starts.
    pub seed: u32,
}

impl Iceberg {
    /// The most peaks that an order may be shown by.
    pub const PEAKS_MAX: u64 = 10_000;

    /// Whether `total` is shown by more peaks than an order may have, when all are the smallest.
    pub const fn has_too_many_peaks(self, total: Quantity) -> bool {
        total.lots().div_ceil(self.peak.lots()) > Self::PEAKS_MAX
    }

    /// The size of the next peak, a step of `increment` lots at a time, and the generator's state behind it. The generator is
    /// SplitMix64; equal peaks draw nothing.
    pub const fn draw(self, state: u64, increment: u64) -> (Quantity, u64) {
        let steps = self.range.lots() / increment;
        if steps == 0 {
            return (self.peak, state);
        }
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let more = (mixed ^ mixed >> 31) % (steps + 1) * increment;
        (Quantity::from_lots(self.peak.lots() + more), state)
    }
}

/// The record of an order's conditions, behind the order and its text client order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ConditionsRecord {
    /// [`CommandKind::Conditions`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// A [`TriggerKind`]; 0 is none.
    pub trigger: u8,
    /// A [`PriceSource`].
    pub source: u8,
    /// 0 no trail, 1 ticks, 2 basis points.
    pub trail_unit: u8,
    /// 0 the book shows it, 1 it is hidden.
    pub display: u8,
    /// A [`PegKind`]; 0 is none.
    pub peg: u8,
    /// 0 the peg follows, 1 it is fixed on entry.
    pub peg_mode: u8,
    /// The price at which it fires; 0 with a trail: from the price there is.
    pub trigger_price_ticks: i64,
    /// How far the trigger stays behind, in the trail's unit.
    pub trail: u32,
    /// Where the generator of peaks of different sizes starts; 0 without a range.
    pub seed: u32,
    /// What must trade at once; 0 is no minimum.
    pub minimum_lots: u64,
    /// When the order expires; 0 is never.
    pub expire_time_ns: u64,
    /// What is shown of it at a time; 0 shows it whole.
    pub peak_lots: u64,
    /// How much larger a peak may be.
    pub peak_range_lots: u64,
    /// How far the peg is away from its reference: ticks, or price levels of a fixed one.
    pub peg_offset: u64,
}

const _: () = assert!(size_of::<ConditionsRecord>() == 64);

impl ConditionsRecord {
    /// A record of these conditions.
    pub fn new(conditions: &Conditions) -> Self {
        let Conditions { trigger, expire_time_ns, minimum, iceberg, hidden, peg } = *conditions;
        let Iceberg { peak, range, seed } =
            iceberg.unwrap_or(Iceberg { peak: Quantity::ZERO, range: Quantity::ZERO, seed: 0 });
        let (trail_unit, trail) = match trigger.and_then(|trigger| trigger.trail) {
            None => (0, 0),
            Some(Trail::Ticks(ticks)) => (1, ticks),
            Some(Trail::BasisPoints(parts)) => (2, parts),
        };
        Self {
            kind: CommandKind::Conditions as u8,
            schema_version: SCHEMA_VERSION,
            trigger: trigger.map_or(0, |trigger| trigger.kind as u8),
            source: trigger.map_or(0, |trigger| trigger.source as u8),
            trail_unit,
            display: hidden.into(),
            peg: peg.map_or(0, |peg| peg.kind as u8),
            peg_mode: peg.is_some_and(|peg| peg.is_fixed).into(),
            trigger_price_ticks: trigger.and_then(|trigger| trigger.price).map_or(0, Price::ticks),
            trail,
            seed,
            minimum_lots: minimum.lots(),
            expire_time_ns,
            peak_lots: peak.lots(),
            peak_range_lots: range.lots(),
            peg_offset: peg.map_or(0, |peg| peg.offset),
        }
    }

    /// Reads the conditions.
    ///
    /// # Errors
    /// [`RejectReason::InvalidConditions`] when a code is unknown, a trail out of its range, a field without meaning not zero.
    pub fn conditions(&self) -> Result<Conditions, RejectReason> {
        let invalid = RejectReason::InvalidConditions;
        let kind = match self.trigger {
            0 => None,
            1 => Some(TriggerKind::StopLoss),
            2 => Some(TriggerKind::TakeProfit),
            _ => return Err(invalid),
        };
        let source = *PriceSource::ALL.get(usize::from(self.source)).ok_or(invalid)?;
        let trail = match (self.trail_unit, self.trail) {
            (0, 0) => None,
            (1, ticks @ 1..) => Some(Trail::Ticks(ticks)),
            (2, parts @ 1..10_000) => Some(Trail::BasisPoints(parts)),
            _ => return Err(invalid),
        };
        let iceberg = match (self.peak_lots, self.peak_range_lots, self.seed) {
            (0, 0, 0) => None,
            (1.., 0, 0) | (1.., 1.., _) => Some(Iceberg {
                peak: Quantity::from_lots(self.peak_lots),
                range: Quantity::from_lots(self.peak_range_lots),
                seed: self.seed,
            }),
            _ => return Err(invalid),
        };
        let hidden = match self.display {
            0 => false,
            1 => true,
            _ => return Err(invalid),
        };
        let peg = match (PegKind::from_code(self.peg), self.peg_mode, self.peg_offset) {
            (None, 0, 0) if self.peg == 0 => None,
            (Some(kind), 0, offset @ ..=Peg::OFFSET_MAX) => Some(Peg { kind, is_fixed: false, offset }),
            (Some(kind), 1, offset @ ..=Peg::LEVELS_MAX) => Some(Peg { kind, is_fixed: true, offset }),
            _ => return Err(invalid),
        };
        let has_trigger_fields = self.source != 0 || trail.is_some() || self.trigger_price_ticks != 0;
        if kind.is_none() && has_trigger_fields || self.trigger_price_ticks > Trigger::PRICE_MAX.ticks() {
            return Err(invalid);
        }
        let price =
            Some(self.trigger_price_ticks).filter(|ticks| *ticks != 0 || trail.is_none()).map(Price::from_ticks);
        Ok(Conditions {
            trigger: kind.map(|kind| Trigger { kind, source, price, trail }),
            expire_time_ns: self.expire_time_ns,
            minimum: Quantity::from_lots(self.minimum_lots),
            iceberg,
            hidden,
            peg,
        })
    }
}
