//! How traders with much to do show little of it.

use tradewright_types::{AccountId, CommandRecord, Conditions, Iceberg, Quantity, Side, TimeInForce};

use super::Flow;
use super::draw::PowerLaw;
use super::market::away;
use super::traders::ORDERS_MAX;

/// Sizes of what is worked off behind a peak, in dollars.
const LARGE: PowerLaw = PowerLaw::with_tenths(15);
const LARGE_MIN: u64 = 8_000;
const LARGE_MAX: u64 = 200_000;
/// By how many peaks an order is shown, about.
const PEAKS_MIN: u64 = 4;
const PEAKS_MORE: u64 = 12;

impl Flow {
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
