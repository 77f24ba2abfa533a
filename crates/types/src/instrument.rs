//! What an instrument is: its units and its limits.

use crate::{Amount, AssetId, Price, Quantity, RawNotional};

/// What kind of product an instrument is. It decides what an order costs and what a trade moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum InstrumentKind {
    /// Base asset against quote asset, delivered at once.
    Spot = 1,
}

impl InstrumentKind {
    /// The kind a record names, if this build knows it.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Spot),
            _ => None,
        }
    }
}

/// How ticks and lots turn into money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstrumentUnits {
    /// What is bought and sold.
    pub base: AssetId,
    /// What prices, fees and profits are counted in.
    pub quote: AssetId,
    /// Quote quanta of one lot at one tick. A whole number, or the instrument is not listed.
    pub quote_quanta_per_tick_lot: u64,
    /// Base quanta of one lot.
    pub base_quanta_per_lot: u64,
}

impl InstrumentUnits {
    /// The money that `quantity` is worth at `price`.
    ///
    /// The product cannot overflow for an order that passed the notional limit ([`InstrumentLimits::notional_max`] is at
    /// most [`Amount::MAX`]).
    #[inline(always)]
    pub fn notional(&self, price: Price, quantity: Quantity) -> Amount {
        self.value(RawNotional::of(price, quantity))
    }

    /// The money of a raw notional.
    #[inline(always)]
    pub fn value(&self, raw: RawNotional) -> Amount {
        Amount::from_quanta(raw.0 * i128::from(self.quote_quanta_per_tick_lot))
    }

    /// The base asset of `quantity`.
    #[inline(always)]
    pub fn base_amount(&self, quantity: Quantity) -> Amount {
        Amount::from_quanta(i128::from(quantity.lots()) * i128::from(self.base_quanta_per_lot))
    }
}

/// What an instrument accepts. Bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstrumentLimits {
    /// A price must be a multiple of this many ticks.
    pub price_increment_ticks: u32,
    /// A quantity must be a multiple of this many lots.
    pub quantity_increment_lots: u64,
    /// The smallest order.
    pub quantity_min: Quantity,
    /// The largest order, at most [`Quantity::MAX`].
    pub quantity_max: Quantity,
    /// The smallest order by value.
    pub notional_min: Amount,
    /// The largest order by value, at most [`Amount::MAX`].
    pub notional_max: Amount,
    /// How far below the reference price an order may be priced.
    pub band_down_ppm: u32,
    /// How far above the reference price an order may be priced.
    pub band_up_ppm: u32,
}

impl InstrumentLimits {
    /// Whether an instrument can have these limits.
    pub fn are_valid(&self) -> bool {
        self.price_increment_ticks > 0
            && self.quantity_increment_lots > 0
            && !self.quantity_min.is_zero()
            && self.quantity_min <= self.quantity_max
            && self.quantity_max <= Quantity::MAX
            && self.notional_min <= self.notional_max
            && self.notional_max.quanta() <= Amount::MAX.quanta() / 2
            && self.band_down_ppm <= 1_000_000
    }
}
