//! How traders tie their prices to those of others: once, or for as long as they stand.

use tradewright_types::{AccountId, CommandRecord, Conditions, Peg, PegKind, Side, TimeInForce};

use super::Flow;
use super::display::DARK_FIRST;
use super::draw::PowerLaw;
use super::market::away;
use super::population::Population;
use super::traders::ORDERS_MAX;

/// Sizes of pegged orders, in dollars.
const SIZES: PowerLaw = PowerLaw::with_tenths(13);
const SIZE_MIN: u64 = 100;
const SIZE_MAX: u64 = 20_000;
/// How long orders follow others: as long as one does, the engine asks behind each command where it belongs.
const FOLLOWS_NS: u64 = 200_000_000;

impl Flow {
    /// Rests an order at the price that others have now.
    pub(super) fn peg(&mut self, account: AccountId, market: usize, side: Side, out: &mut Vec<CommandRecord>) {
        let known = &self.markets[market];
        if known.orders.len() >= ORDERS_MAX {
            return self.cancel_any(market, out);
        }
        let dollars = SIZES.draw(&mut self.random, SIZE_MIN, SIZE_MAX);
        let order =
            self.limit(account, market, side, TimeInForce::GoodTillCancel, 0, self.markets[market].lots(dollars));
        let (kind, levels) = if self.random.below(4) == 0 { (PegKind::Market, 2) } else { (PegKind::Primary, 6) };
        let peg = Some(Peg { kind, is_fixed: true, offset: self.random.below(levels) });
        self.place_with(order, &Conditions { peg, ..Conditions::default() }, out);
    }

    /// A market maker lets orders follow the best prices for a moment, on both sides and in each way. Some are hidden, half go
    /// only so far.
    pub(super) fn follow(&mut self, out: &mut Vec<CommandRecord>) {
        // Where orders hide, each trade has to look for more than the displayed ones already.
        let market = DARK_FIRST;
        if market >= self.markets.len() {
            return;
        }
        let maker = self.random.below(Population::MAKERS as u64) as usize;
        let account = self.population.maker(market, maker);
        let expire_time_ns = self.arrivals.time_ns() + FOLLOWS_NS;
        for kind in [PegKind::Primary, PegKind::Market, PegKind::Midpoint] {
            for side in [Side::Buy, Side::Sell] {
                let dollars = SIZES.draw(&mut self.random, SIZE_MIN, SIZE_MAX);
                let (steps, is_bounded, is_hidden) =
                    (self.random.below(4), self.random.coin(), self.random.below(4) == 0);
                let known = &self.markets[market];
                let farthest = known.price(side, away(side, known.fair_ticks(), -known.step_ticks));
                let price_ticks = if is_bounded { farthest } else { 0 };
                let lots = known.lots(dollars);
                let peg = Some(Peg { kind, is_fixed: false, offset: steps * known.step_ticks as u64 });
                let order = self.limit(account, market, side, TimeInForce::GoodTillDate, price_ticks, lots);
                let conditions = Conditions { peg, hidden: is_hidden, expire_time_ns, ..Conditions::default() };
                self.place_with(order, &conditions, out);
            }
        }
    }
}
