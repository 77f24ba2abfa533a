//! What risk knows of an instrument.

use tradewright_types::{
    Amount, EntityHash, HashTotal, InstrumentId, InstrumentKind, InstrumentLimits, InstrumentState, InstrumentUnits,
    PagedTable, Price, Quantity, RawNotional,
};

use crate::{Band, Exposure};

/// An instrument: its units, limits, state and reference, and what each account has at stake in it.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// What kind of product it is.
    pub kind: InstrumentKind,
    /// How ticks and lots turn into money.
    pub units: InstrumentUnits,
    limits: InstrumentLimits,
    /// Which fee schedule it uses.
    pub fee_schedule: u16,
    /// What it does with orders.
    pub state: InstrumentState,
    reference: Option<Price>,
    last: Option<Price>,
    /// The band around the reference, or around the last trade when none is set.
    band: Option<Band>,
    /// The notional limits in ticks x lots, so that they are compared before anything is multiplied.
    raw_min: RawNotional,
    raw_max: RawNotional,
    /// What each account has at stake.
    pub exposures: PagedTable<Exposure>,
}

impl Instrument {
    /// A new instrument, open for trading, without reference or last price.
    pub fn new(kind: InstrumentKind, units: InstrumentUnits, fee_schedule: u16, limits: InstrumentLimits) -> Self {
        let mut instrument = Self {
            kind,
            units,
            limits,
            fee_schedule,
            state: InstrumentState::Continuous,
            reference: None,
            last: None,
            band: None,
            raw_min: RawNotional::default(),
            raw_max: RawNotional::default(),
            exposures: PagedTable::default(),
        };
        instrument.set_limits(limits);
        instrument
    }

    /// Its limits.
    #[inline(always)]
    pub fn limits(&self) -> &InstrumentLimits {
        &self.limits
    }

    /// Replaces its limits. Open orders keep what they have.
    pub fn set_limits(&mut self, limits: InstrumentLimits) {
        let unit = i128::from(self.units.quote_quanta_per_tick_lot);
        self.raw_min = RawNotional((limits.notional_min.quanta() as u128).div_ceil(unit as u128) as i128);
        self.raw_max = RawNotional(limits.notional_max.quanta() / unit);
        self.limits = limits;
        self.refresh_band();
    }

    /// The price that was set for the band.
    pub fn reference(&self) -> Option<Price> {
        self.reference
    }

    /// The price of the last trade.
    pub fn last(&self) -> Option<Price> {
        self.last
    }

    /// What the band lies around: the reference that was set, else the last trade.
    #[inline(always)]
    pub fn band_reference(&self) -> Option<Price> {
        self.reference.or(self.last)
    }

    /// What an auction goes by: the last trade, else the reference that was set.
    pub fn auction_reference(&self) -> Option<Price> {
        self.last.or(self.reference)
    }

    /// Sets or removes the reference price.
    pub fn set_reference(&mut self, price: Option<Price>) {
        self.reference = price;
        self.refresh_band();
    }

    /// Notes the price of the last trade of a command.
    #[inline(always)]
    pub fn set_last(&mut self, price: Price) {
        self.last = Some(price);
        if self.reference.is_none() {
            self.refresh_band();
        }
    }

    /// Restores reference and last price.
    pub fn restore_prices(&mut self, reference: Option<Price>, last: Option<Price>) {
        (self.reference, self.last) = (reference, last);
        self.refresh_band();
    }

    fn refresh_band(&mut self) {
        self.band = self.band_reference().map(|price| self.band_around(price));
    }

    /// The band as it would be around a price.
    pub fn band_around(&self, price: Price) -> Band {
        Band::around(price, self.limits.band_down_ppm, self.limits.band_up_ppm)
    }

    /// The prices that orders may have, if there is a reference.
    #[inline(always)]
    pub fn band(&self) -> Option<&Band> {
        self.band.as_ref()
    }

    /// Whether an order of this notional is too small (`Less`), too large (`Greater`) or neither.
    #[inline(always)]
    pub fn compare_notional(&self, raw: RawNotional) -> core::cmp::Ordering {
        if raw < self.raw_min {
            core::cmp::Ordering::Less
        } else if raw > self.raw_max {
            core::cmp::Ordering::Greater
        } else {
            core::cmp::Ordering::Equal
        }
    }

    /// The money of `quantity` at a price for which no limit has checked it; `None` when that is more than any account can have.
    #[inline(always)]
    pub fn value_at_worst(&self, price: Price, quantity: Quantity) -> Option<Amount> {
        let raw = RawNotional::of(price, quantity);
        let most = Amount::MAX.quanta() / i128::from(self.units.quote_quanta_per_tick_lot);
        (raw.0 <= most).then(|| self.units.value(raw))
    }

    /// How many lots `amount` is at `price`, without fees. More than any order may have, where units are small.
    pub fn lots_for(&self, amount: Amount, price: Price) -> i128 {
        amount.quanta() / (i128::from(price.ticks()) * i128::from(self.units.quote_quanta_per_tick_lot))
    }

    /// The base asset of as many lots as `amount` is at `price`. `None` when that is no lot, or more than any account can have.
    pub fn base_for(&self, amount: Amount, price: Price) -> Option<Amount> {
        let base = self.lots_for(amount, price).checked_mul(i128::from(self.units.base_quanta_per_lot))?;
        Some(Amount::from_quanta(base)).filter(|base| base.is_positive() && *base <= Amount::MAX)
    }

    /// `quantity` rounded down to the quantity increment.
    #[inline(always)]
    pub fn whole_lots(&self, quantity: Quantity) -> Quantity {
        match self.limits.quantity_increment_lots {
            1 => quantity,
            increment => Quantity::from_lots(quantity.lots() - quantity.lots() % increment),
        }
    }

    /// The hash of everything, for the instrument with this id, over what changed since the last checkpoint.
    pub fn state_hash(&self, id: InstrumentId) -> HashTotal {
        let mut total = self.small_state_hash(id);
        total += self.exposures.state_hash(|account, exposure| hash_exposure(id, account, exposure));
        total
    }

    /// The same, and from here on only what changes after it is looked at.
    pub fn checkpoint(&mut self, id: InstrumentId) -> HashTotal {
        let mut total = self.small_state_hash(id);
        total += self.exposures.checkpoint(|account, exposure| hash_exposure(id, account, exposure));
        total
    }

    /// The same, computed in full.
    pub fn full_state_hash(&self, id: InstrumentId) -> HashTotal {
        let mut total = self.small_state_hash(id);
        self.exposures.iter().for_each(|(account, exposure)| total += hash_exposure(id, account, exposure));
        total
    }

    /// The hash of what is little enough to be taken anew each time.
    fn small_state_hash(&self, id: InstrumentId) -> HashTotal {
        let (units, limits) = (&self.units, &self.limits);
        let price = |price: Option<Price>| price.map_or(i64::MIN, Price::ticks);
        EntityHash::new(0x22)
            .word(u64::from(id.0))
            .word(self.kind as u64)
            .word(u64::from(units.base.0) << 32 | u64::from(units.quote.0))
            .word(units.quote_quanta_per_tick_lot)
            .word(units.base_quanta_per_lot)
            .word(u64::from(limits.price_increment_ticks) << 32 | u64::from(self.fee_schedule))
            .word(limits.quantity_increment_lots)
            .word(limits.quantity_min.lots())
            .word(limits.quantity_max.lots())
            .amount(limits.notional_min)
            .amount(limits.notional_max)
            .word(u64::from(limits.band_down_ppm) << 32 | u64::from(limits.band_up_ppm))
            .word(self.state as u64)
            .signed(price(self.reference))
            .signed(price(self.last))
            .finish()
    }

    /// An account's open bids in lots, to be changed.
    #[inline(always)]
    pub fn open_bids_mut(&mut self, account: tradewright_types::AccountId) -> &mut u64 {
        &mut self.exposures.get_mut(account.index()).open_bid_lots
    }
}

/// An account with nothing at stake and no limit has no hash: whether it was ever written does not matter.
fn hash_exposure(id: InstrumentId, account: usize, exposure: &Exposure) -> HashTotal {
    if *exposure == Exposure::default() {
        return HashTotal::default();
    }
    let place = EntityHash::new(0x23).word(u64::from(id.0)).word(account as u64);
    place.word(exposure.open_bid_lots).word(exposure.position_max_lots).finish()
}
