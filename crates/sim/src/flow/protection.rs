//! How traders guard what they have: stop-losses, take-profits, trailing stops, and orders that leave by themselves.

use tradewright_types::{
    AccountId, CommandKind, CommandRecord, Conditions, ConditionsRecord, OrderFlags, OrderType, Price, PriceSource,
    Side, TimeInForce, Trail, Trigger, TriggerKind,
};

use super::Flow;
use super::draw::PowerLaw;
use super::live::{Guard, LiveOrder};
use super::market::away;
use super::observe::{number_id, text_id};
use super::population::Population;

/// From the price to a trigger, in basis points: most are near, some several percent away.
const DISTANCES: PowerLaw = PowerLaw::with_tenths(8);
const DISTANCE_MIN: u64 = 15;
const DISTANCE_MAX: u64 = 500;
/// How long an order that is good till date is to stand, in milliseconds: a second to five minutes.
const LIFETIMES: PowerLaw = PowerLaw::with_tenths(6);
const LIFETIME_MIN: u64 = 1_000;
const LIFETIME_MAX: u64 = 300_000;
const NS_PER_MS: u64 = 1_000_000;

/// Waiting orders of one market: above it traders cancel one before they place another.
pub(super) const WAITING_MAX: usize = 40;

/// Of a hundred stop-losses, how many trail.
const TRAILS_PERCENT: u64 = 16;
/// Of a million waiting orders that are amended, how many only become smaller.
const REDUCES_PPM: u64 = 300_000;
/// Of a million resting orders, how many are good till date.
const DATED_PPM: u64 = 60_000;
/// And how many until the market closes.
const DAY_PPM: u64 = 50_000;

/// The record of `conditions`, to stand behind its order.
pub(super) fn record_of(conditions: &Conditions) -> CommandRecord {
    zerocopy::transmute!(ConditionsRecord::new(conditions))
}

impl Flow {
    /// Guards what an order of `entry` may have brought: with a stop-loss, a take-profit or both.
    pub(super) fn protect(
        &mut self,
        account: AccountId,
        market: usize,
        entry: Side,
        lots: u64,
        out: &mut Vec<CommandRecord>,
    ) {
        if self.markets[market].waiting.len() >= WAITING_MAX {
            return self.cancel_waiting(market, out);
        }
        let kind = match self.random.below(10) {
            0..5 => TriggerKind::StopLoss,
            5..7 => TriggerKind::TakeProfit,
            _ => return self.place_pair(account, market, entry, lots, out),
        };
        let (order, conditions) = self.guard(account, market, entry.opposite(), kind, lots);
        self.place_with(order, &conditions, out);
    }

    /// Puts a waiting order where the price is now: half of them as they are, the others by placing another in its stead.
    pub(super) fn move_guard(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let Some(old) = self.any_guard(market) else { return };
        if self.random.coin() {
            return self.amend_guard(market, &old, out);
        }
        let lots = self.markets[market].on_lots(old.open_lots);
        let kind = self.any_kind();
        let account = AccountId(old.account);
        let (mut new, conditions) = self.guard(account, market, Self::side_of(&old), kind, lots);
        let old = Self::about(CommandKind::ReplaceOrder, &old);
        self.client_ids += 1;
        new.flags |= OrderFlags::CONDITIONS.0;
        if Population::writes_text_ids(account) {
            new.flags |= OrderFlags::TEXT_ID.0;
            self.send_all([old, new, text_id(self.client_ids), record_of(&conditions)], out);
        } else {
            new.order_ref = number_id(self.client_ids, None);
            self.send_all([old, new, record_of(&conditions)], out);
        }
    }

    /// Moves the trigger of a waiting order to where it would be put now, or takes a part of its quantity back.
    fn amend_guard(&mut self, market: usize, old: &LiveOrder, out: &mut Vec<CommandRecord>) {
        let side = Self::side_of(old);
        let known = &self.markets[market];
        // What waits as a market order has no price of its own.
        let price_ticks = if old.rests { old.price } else { 0 };
        let amend = CommandRecord { price_ticks, ..Self::about(CommandKind::AmendOrder, old) };
        if old.open_lots > 2 * known.on_lots(0) && self.random.chance_ppm(REDUCES_PPM) {
            return self.send(CommandRecord { quantity_lots: known.on_lots(old.open_lots / 2), ..amend }, out);
        }
        let Guard { kind, source, trail_unit, trail } = old.guard;
        let rises = (kind == TriggerKind::StopLoss as u8) == (side == Side::Buy);
        let toward = if rises { Side::Sell } else { Side::Buy };
        let now = known.source_ticks(PriceSource::ALL[usize::from(source)]).unwrap_or_else(|| known.fair_ticks());
        let basis_points = DISTANCES.draw(&mut self.random, DISTANCE_MIN, DISTANCE_MAX);
        let distance = (now * basis_points as i64 / 10_000).max(known.limits.price_increment_ticks);
        let conditions = ConditionsRecord {
            trigger: kind,
            source,
            trail_unit,
            trail,
            trigger_price_ticks: known.price(toward, away(toward, now, distance)),
            ..ConditionsRecord::new(&Conditions::default())
        };
        let amend = CommandRecord { quantity_lots: old.total_lots, ..amend };
        self.send_all([amend, zerocopy::transmute!(conditions)], out);
    }

    fn any_kind(&mut self) -> TriggerKind {
        if self.random.chance_ppm(700_000) { TriggerKind::StopLoss } else { TriggerKind::TakeProfit }
    }

    /// The price that a trader looks at: mostly the last, where there is one. Who trails does not want to be carried
    /// along by each trade, and mostly looks at the mark price.
    fn any_source(&mut self, market: usize, trails: bool) -> PriceSource {
        let last_percent = if trails { 10 } else { 70 };
        let draw = self.random.below(100);
        let source = if draw < last_percent {
            PriceSource::Last
        } else if draw < 90 {
            PriceSource::Mark
        } else {
            PriceSource::Index
        };
        let is_there = self.markets[market].source_ticks(source).is_some();
        if is_there { source } else { PriceSource::Mark }
    }

    /// An order of `side` that waits until the price has moved against its owner's position, or in its favour.
    pub(super) fn guard(
        &mut self,
        account: AccountId,
        market: usize,
        side: Side,
        kind: TriggerKind,
        lots: u64,
    ) -> (CommandRecord, Conditions) {
        let basis_points = DISTANCES.draw(&mut self.random, DISTANCE_MIN, DISTANCE_MAX);
        let choice = self.random.below(100);
        let trails = kind == TriggerKind::StopLoss && choice < TRAILS_PERCENT;
        let source = self.any_source(market, trails);
        let known = &self.markets[market];
        let now = known.source_ticks(source).unwrap_or_else(|| known.best_or_fair(side));
        let distance = (now * basis_points as i64 / 10_000).max(known.limits.price_increment_ticks);
        let toward = if kind.rises(side) { Side::Sell } else { Side::Buy };
        let trigger_ticks = known.price(toward, away(toward, now, distance));
        let in_ticks = choice < TRAILS_PERCENT / 2;
        let trail = trails.then_some(if in_ticks {
            Trail::Ticks(distance as u32)
        } else {
            Trail::BasisPoints(basis_points as u32)
        });
        // Half of the trails start from the price there is.
        let starts_itself = trails && choice.is_multiple_of(2) && known.source_ticks(source).is_some();
        let price = (!starts_itself).then_some(Price::from_ticks(trigger_ticks));
        let is_market = match kind {
            TriggerKind::StopLoss => trails || choice < 65,
            TriggerKind::TakeProfit => choice < 30,
        };
        let trigger = Some(Trigger { kind, source, price, trail });
        let conditions = Conditions { trigger, ..Conditions::default() };
        if is_market {
            let order = self.limit(account, market, side, TimeInForce::ImmediateOrCancel, 0, lots);
            return (CommandRecord { order_type: OrderType::Market as u8, ..order }, conditions);
        }
        let limit_ticks = match kind {
            // Who must get out gives way a little.
            TriggerKind::StopLoss => away(side, trigger_ticks, -(distance / 4)),
            TriggerKind::TakeProfit => trigger_ticks,
        };
        let limit_ticks = self.markets[market].price(side, limit_ticks);
        let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, limit_ticks, lots);
        if self.random.chance_ppm(DATED_PPM) { self.dated(order, conditions) } else { (order, conditions) }
    }

    /// A limit order that takes the profit of what was bought or sold on the other side.
    pub(super) fn profit_limit(&mut self, account: AccountId, market: usize, side: Side, lots: u64) -> CommandRecord {
        let basis_points = DISTANCES.draw(&mut self.random, DISTANCE_MIN, DISTANCE_MAX);
        let known = &self.markets[market];
        let now = known.best_or_fair(side);
        let distance = (now * basis_points as i64 / 10_000).max(known.limits.price_increment_ticks);
        let price = known.price(side, away(side, now, distance));
        self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots)
    }

    /// `order`, to leave by itself some time later.
    pub(super) fn dated(&mut self, order: CommandRecord, conditions: Conditions) -> (CommandRecord, Conditions) {
        let lifetime_ns = LIFETIMES.draw(&mut self.random, LIFETIME_MIN, LIFETIME_MAX) * NS_PER_MS;
        let expire_time_ns = self.arrivals.time_ns() + lifetime_ns;
        let time_in_force = TimeInForce::GoodTillDate as u8;
        (CommandRecord { time_in_force, ..order }, Conditions { expire_time_ns, ..conditions })
    }

    /// Sends a new order that is good till cancelled; some are good till date or for the day instead.
    #[inline]
    pub(super) fn place_resting(&mut self, order: CommandRecord, out: &mut Vec<CommandRecord>) {
        let choice = self.random.below(1_000_000);
        if choice < DATED_PPM {
            let (order, conditions) = self.dated(order, Conditions::default());
            self.place_with(order, &conditions, out);
        } else if choice < DATED_PPM + DAY_PPM {
            self.place(CommandRecord { time_in_force: TimeInForce::Day as u8, ..order }, out);
        } else {
            self.place(order, out);
        }
    }

    /// Sends a new order with conditions under a client order id of its own.
    pub(super) fn place_with(
        &mut self,
        mut record: CommandRecord,
        conditions: &Conditions,
        out: &mut Vec<CommandRecord>,
    ) {
        self.client_ids += 1;
        record.flags |= OrderFlags::CONDITIONS.0;
        if Population::writes_text_ids(AccountId(record.account)) {
            record.flags |= OrderFlags::TEXT_ID.0;
            self.send_all([record, text_id(self.client_ids), record_of(conditions)], out);
        } else {
            record.order_ref = number_id(self.client_ids, None);
            self.send_all([record, record_of(conditions)], out);
        }
    }
}
