//! How traders with much to do show little of it, or nothing.

use tradewright_types::{AccountId, CommandRecord, Conditions, Iceberg, Quantity, Side, TimeInForce};

use super::Flow;
use super::draw::PowerLaw;
use super::market::away;
use super::traders::ORDERS_MAX;

/// Sizes of what is worked off behind a peak, in dollars.
const LARGE: PowerLaw = PowerLaw::with_tenths(15);
const LARGE_MIN: u64 = 8_000;
const LARGE_MAX: u64 = 200_000;
/// Every tenth market is one in which orders hide: each trade there has to look for them.
const DARK_EVERY: usize = 10;
pub(super) const DARK_FIRST: usize = 3;
/// Sizes of what is hidden.
const HIDDEN: PowerLaw = PowerLaw::with_tenths(13);
const HIDDEN_MIN: u64 = 500;
const HIDDEN_MAX: u64 = 50_000;
/// By how many peaks an order is shown, about.
const PEAKS_MIN: u64 = 4;
const PEAKS_MORE: u64 = 12;

impl Flow {
    /// Rests an order that nobody sees, as near to the middle of the best prices as its side allows. Where that is not the
    /// custom, it rests like any other.
    pub(super) fn hide(&mut self, account: AccountId, market: usize, side: Side, out: &mut Vec<CommandRecord>) {
        if market % DARK_EVERY != DARK_FIRST {
            return self.rest(account, market, side, out);
        }
        if self.markets[market].orders.len() >= ORDERS_MAX {
            return self.cancel_any(market, out);
        }
        let dollars = HIDDEN.draw(&mut self.random, HIDDEN_MIN, HIDDEN_MAX);
        let known = &self.markets[market];
        let middle = (known.best_or_fair(Side::Buy) + known.best_or_fair(Side::Sell)) / 2;
        let price = known.price(side, known.behind_opposite(side, middle));
        let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, known.lots(dollars));
        self.place_with(order, &Conditions { hidden: true, ..Conditions::default() }, out);
    }

    /// Rests a large order near the best price, by peaks. Every second one has peaks of different sizes.
    pub(super) fn show_by_peaks(
        &mut self,
        account: AccountId,
        market: usize,
        side: Side,
        out: &mut Vec<CommandRecord>,
    ) {
        if self.markets[market].orders.len() >= ORDERS_MAX {
            return;
        }
        let dollars = LARGE.draw(&mut self.random, LARGE_MIN, LARGE_MAX);
        let steps = self.random.below(3) as i64;
        let peaks = PEAKS_MIN + self.random.below(PEAKS_MORE);
        let known = &self.markets[market];
        let price = known.behind_opposite(side, away(side, known.best_or_fair(side), steps * known.step_ticks));
        let (price, lots) = (known.price(side, price), known.lots(dollars));
        let increment = known.limits.quantity_increment_lots;
        let peak = (lots / peaks / increment).max(1) * increment;
        let varies = self.random.coin();
        let (range, seed) =
            if varies { (peak / 2 / increment * increment, self.random.next_u64() as u32) } else { (0, 0) };
        let seed = if range == 0 { 0 } else { seed };
        let iceberg = Iceberg { peak: Quantity::from_lots(peak), range: Quantity::from_lots(range), seed };
        let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
        self.place_with(order, &Conditions { iceberg: Some(iceberg), ..Conditions::default() }, out);
    }
}
