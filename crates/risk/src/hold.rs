//! What an order holds. A product that is not paid with price times quantity has its own branch here.

use tradewright_types::{Amount, FeeRate, FeeRates, InstrumentUnits, Price, Quantity, RoundedFee, Side, TimeInForce};

use crate::Instrument;

/// What a resting order holds: of a bid, exactly what its open quantity can still cost as a maker, the rounding of the fees
/// posted so far included; of an ask, its open quantity. In quanta of the quote or the base asset.
#[inline(always)]
pub fn resting_hold(
    units: &InstrumentUnits,
    side: Side,
    price: Price,
    open: Quantity,
    maker: FeeRate,
    posted: RoundedFee,
) -> Amount {
    match side {
        Side::Sell => units.base_amount(open),
        Side::Buy => bid_hold(units.notional(price, open), maker, posted),
    }
}

/// What a resting bid holds whose open quantity is worth `notional`.
#[inline(always)]
pub(crate) fn bid_hold(notional: Amount, maker: FeeRate, mut posted: RoundedFee) -> Amount {
    if maker.ppm() > 0 { notional + posted.charge(maker, notional) } else { notional }
}

/// What a bid worth `notional` at its limit must be covered with on entry: the notional and the fee at the higher of the rates
/// that it can be charged. When it can be charged both, its two parts are rounded apart, which can cost one quantum more.
#[inline(always)]
pub fn entry_hold(notional: Amount, rates: FeeRates, may_take: bool, may_rest: bool) -> Amount {
    let taker = if may_take { rates.taker.or_zero() } else { FeeRate::default() };
    let maker = if may_rest { rates.maker.or_zero() } else { FeeRate::default() };
    let both = taker.ppm() > 0 && maker.ppm() > 0;
    notional + taker.max(maker).rounded_up(notional) + Amount::from_quanta(i128::from(both))
}

/// What an order holds that waits for its trigger or for approval: what its worst price may cost. `None` when that is
/// more than any account can have.
pub fn waiting_hold(
    instrument: &Instrument,
    side: Side,
    limit: Price,
    open: Quantity,
    rates: FeeRates,
    time_in_force: TimeInForce,
    post_only: bool,
) -> Option<Amount> {
    match side {
        Side::Sell => Some(instrument.units.base_amount(open)),
        Side::Buy => {
            let value = instrument.value_at_worst(limit, open)?;
            Some(entry_hold(value, rates, !post_only, time_in_force.rests()))
        }
    }
}
