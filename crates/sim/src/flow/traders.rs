//! What a trader does when its turn comes.

use tradewright_types::{
    AccountId, Amount, CommandKind, CommandRecord, Conditions, OrderFlags, OrderType, Quantity, SelfTradePrevention,
    Side, TimeInForce,
};

use super::Flow;
use super::draw::{self, PowerLaw};
use super::live::{LiveOrder, Stand};
use super::market::{RUNGS, Rung, away};
use super::observe::{number_id, text_id};
use super::population::{Character, Population};
use super::protection::WAITING_MAX;

/// Sizes of ordinary orders; those of market makers are more alike.
const SIZES: PowerLaw = PowerLaw::with_tenths(13);
const QUOTED_SIZES: PowerLaw = PowerLaw::with_tenths(25);

/// Orders of one market that are not on ladders: above it traders cancel before they place.
pub(super) const ORDERS_MAX: usize = 320;

/// Of a million entries, how many are guarded at once.
const RETAIL_PROTECTS_PPM: u64 = 150_000;
const MOMENTUM_PROTECTS_PPM: u64 = 150_000;
/// And how many bring their ways out along.
const MOMENTUM_PAIRS_PPM: u64 = 60_000;
const RESTS_WITH_STOP_PPM: u64 = 15_000;
/// Of a million cancels, how many are of orders that wait, and how many of those are of whole lists.
const CANCELS_WAITING_PPM: u64 = 150_000;
const CANCELS_LISTS_PPM: u64 = 50_000;

/// Of a hundred looks at a rung, those below this replace an order in two halves when they replace it.
const REPLACES_IN_HALVES_PERCENT: u64 = 50;
/// Of a million replacements, how many have a mode, and of reductions, how many give the order a new name.
const MODES_PPM: u64 = 150_000;
const RENAMES_PPM: u64 = 50_000;

/// The maker, the side and the place on its ladder of a rung.
fn parts(rung: usize) -> (usize, Side, usize) {
    let side = if (rung / RUNGS).is_multiple_of(2) { Side::Buy } else { Side::Sell };
    (rung / RUNGS / 2, side, rung % RUNGS)
}

fn rung_of(maker: usize, side: Side, place: usize) -> usize {
    (maker * 2 + side as usize) * RUNGS + place
}

impl Flow {
    /// Somebody in `market` acts. Of a hundred turns, 52 are market makers'.
    #[inline]
    pub(super) fn trade(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if let Some((base, quote)) = self.leaders[market] {
            let (base, quote) = (self.markets[base].ratio(), quote.map(|quote| self.markets[quote].ratio()));
            self.markets[market].follow(base, quote);
        }
        self.markets[market].step_fair(&mut self.random);
        let state = self.markets[market].state;
        if !state.trades() {
            if state.is_call() {
                return self.act_in_call(market, out);
            }
            if !self.random.chance_ppm(100_000) {
                // Most see that nothing comes in, and wait; some take their orders back.
                if self.random.chance_ppm(200_000) {
                    self.cancel_any(market, out);
                }
                return;
            }
        }
        match self.random.below(100) {
            0..52 => self.make_market(market, out),
            52..73 => self.act_as_retail(market, out),
            73..85 => self.act_as_taker(market, out),
            85..91 => self.act_on_momentum(market, out),
            _ => self.act_as_noise(market, out),
        }
    }

    /// A limit order, not yet numbered.
    #[inline]
    pub(super) fn limit(
        &self,
        account: AccountId,
        market: usize,
        side: Side,
        time_in_force: TimeInForce,
        price_ticks: i64,
        quantity_lots: u64,
    ) -> CommandRecord {
        CommandRecord {
            account: account.0,
            instrument: market as u32,
            side: side as u8,
            order_type: OrderType::Limit as u8,
            time_in_force: time_in_force as u8,
            self_trade_prevention: self.population.prevention(account) as u8,
            price_ticks,
            quantity_lots,
            ..CommandRecord::new(CommandKind::PlaceOrder)
        }
    }

    /// A market order by quantity.
    fn market_order(&self, account: AccountId, market: usize, side: Side, quantity_lots: u64) -> CommandRecord {
        CommandRecord {
            order_type: OrderType::Market as u8,
            ..self.limit(account, market, side, TimeInForce::ImmediateOrCancel, 0, quantity_lots)
        }
    }

    /// A market order for `dollars` of the quote asset.
    fn market_order_by_amount(&self, account: AccountId, market: usize, side: Side, dollars: u64) -> CommandRecord {
        let mut record = self.market_order(account, market, side, 0);
        record.flags = OrderFlags::QUOTE_AMOUNT.0;
        let quanta = dollars * self.markets[market].quanta_per_dollar;
        record.set_quote_amount(Amount::from_quanta(i128::from(quanta)));
        // Nothing can be decremented where there is no quantity.
        if record.self_trade_prevention >= SelfTradePrevention::Decrement as u8 {
            record.self_trade_prevention = SelfTradePrevention::ExpireMaker as u8;
        }
        record
    }

    /// A command about `order` of its owner, by the engine's id.
    pub(super) fn about(kind: CommandKind, order: &LiveOrder) -> CommandRecord {
        CommandRecord {
            account: order.account,
            instrument: u32::from(order.instrument),
            side: order.side,
            order_ref: order.id,
            ..CommandRecord::new(kind)
        }
    }

    pub(super) fn side_of(order: &LiveOrder) -> Side {
        if order.side == Side::Buy as u8 { Side::Buy } else { Side::Sell }
    }

    pub(super) fn coin_side(&mut self) -> Side {
        if self.random.coin() { Side::Buy } else { Side::Sell }
    }

    // Market makers.

    /// The first order of a rung.
    pub(super) fn open_rung(&mut self, market: usize, rung: usize, out: &mut Vec<CommandRecord>) {
        let price = self.rung_price(market, rung);
        self.quote(market, rung, price, out);
    }

    /// A market maker looks at one price of its ladder, and now and then at more.
    pub(super) fn make_market(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let maker = self.random.below(Population::MAKERS as u64) as usize;
        if self.is_lost(market, maker) {
            return;
        }
        // The prices near the best are looked at most.
        let place = self.random.below(RUNGS as u64).min(self.random.below(RUNGS as u64)) as usize;
        let side = self.coin_side();
        match self.random.below(1_000) {
            0..952 => {}
            952 => return self.peg(self.population.maker(market, maker), market, side, out),
            953..955 => return self.show_by_peaks(self.population.maker(market, maker), market, side, out),
            955..985 => return self.hedge(market, maker, out),
            985..997 => return self.refill(market, maker, out),
            _ => return self.pull_quotes(market, maker, out),
        }
        let rung = rung_of(maker, side, place);
        let target = self.rung_price(market, rung);
        match self.markets[market].rungs[rung] {
            Rung::Pending => {}
            Rung::Empty => {
                if !self.take_stale_price(market, maker, side.opposite(), out) {
                    self.quote(market, rung, target, out);
                }
            }
            Rung::Live(slot) => self.adjust(market, rung, slot, target, out),
        }
    }

    /// Where the order of a rung should stand now.
    fn rung_price(&mut self, market: usize, rung: usize) -> i64 {
        let (_, side, place) = parts(rung);
        let market = &self.markets[market];
        let step = market.step_ticks;
        let jitter = self.random.below(step as u64) as i64;
        let target = away(side, market.fair_ticks(), step * (place as i64 * 2 + 1) + jitter);
        // Some quote in haste and do not look at what stands against them.
        let target = if self.random.chance_ppm(3_000) { target } else { market.behind_opposite(side, target) };
        market.price(side, target)
    }

    fn rung_lots(&mut self, market: usize, rung: usize) -> u64 {
        let (_, _, place) = parts(rung);
        let dollars = QUOTED_SIZES.draw(&mut self.random, 1_500 * (place as u64 + 1), 100_000);
        self.markets[market].lots(dollars)
    }

    fn rung_order(&mut self, market: usize, rung: usize, price: i64) -> CommandRecord {
        let (maker, side, _) = parts(rung);
        let account = self.population.maker(market, maker);
        let lots = self.rung_lots(market, rung);
        self.client_ids += 1;
        CommandRecord {
            flags: OrderFlags::POST_ONLY.0,
            order_ref: number_id(self.client_ids, Some(rung)),
            ..self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots)
        }
    }

    fn quote(&mut self, market: usize, rung: usize, price: i64, out: &mut Vec<CommandRecord>) {
        let record = self.rung_order(market, rung, price);
        self.markets[market].rungs[rung] = Rung::Pending;
        self.send(record, out);
    }

    /// The order of a rung stands where it was put: it follows the price, or makes room.
    fn adjust(&mut self, market: usize, rung: usize, slot: u32, target: i64, out: &mut Vec<CommandRecord>) {
        let order = *self.live.get(slot);
        let far = (order.price - target).abs() >= 2 * self.markets[market].step_ticks;
        let choice = self.random.below(100);
        let record = if far && choice < 40 {
            let lots = if order.open_lots * 2 < order.total_lots {
                // What was traded is quoted again.
                let lots = self.rung_lots(market, rung);
                self.markets[market].on_lots(order.total_lots - order.open_lots + lots)
            } else {
                order.total_lots
            };
            CommandRecord { price_ticks: target, quantity_lots: lots, ..Self::about(CommandKind::AmendOrder, &order) }
        } else if far && choice < 65 {
            let new = self.rung_order(market, rung, target);
            self.markets[market].rungs[rung] = Rung::Pending;
            let mut old = Self::about(CommandKind::ReplaceOrder, &order);
            if choice < REPLACES_IN_HALVES_PERCENT {
                // It wants to be away from the old price, and at the new one, whatever becomes of the other half.
                old.flags = OrderFlags::ALLOW_FAILURE.0;
            }
            return self.send_all([old, new], out);
        } else if far || choice < 25 {
            Self::about(CommandKind::CancelOrder, &order)
        } else if choice < 40 {
            let lots = order.total_lots - order.open_lots + order.open_lots * 3 / 4;
            CommandRecord {
                price_ticks: order.price,
                quantity_lots: self.markets[market].on_lots(lots),
                ..Self::about(CommandKind::AmendOrder, &order)
            }
        } else {
            return;
        };
        self.markets[market].rungs[rung] = Rung::Pending;
        self.send(record, out);
    }

    /// Takes a price on `against` that the fair value has left behind. Whether there was one.
    fn take_stale_price(&mut self, market: usize, maker: usize, against: Side, out: &mut Vec<CommandRecord>) -> bool {
        let known = &self.markets[market];
        let side = against.opposite();
        let edge = away(side, known.fair_ticks(), known.step_ticks);
        let Some(price) = known.best(against) else { return false };
        let is_stale = match side {
            Side::Buy => price < edge,
            Side::Sell => price > edge,
        };
        if is_stale {
            self.take(market, maker, side, price, out);
        }
        is_stale
    }

    /// A market maker takes: orders of its own desk may stand in its way.
    fn take(&mut self, market: usize, maker: usize, side: Side, price: i64, out: &mut Vec<CommandRecord>) {
        if self.markets[market].state.is_call() {
            return;
        }
        let account = self.population.maker(market, maker);
        let dollars = SIZES.draw(&mut self.random, 500, 50_000);
        let lots = self.markets[market].lots(dollars);
        let price = self.markets[market].price(side, price);
        let order = self.limit(account, market, side, TimeInForce::ImmediateOrCancel, price, lots);
        self.place(order, out);
    }

    fn hedge(&mut self, market: usize, maker: usize, out: &mut Vec<CommandRecord>) {
        let side = self.coin_side();
        let price = self.markets[market].best_or_fair(side.opposite());
        self.take(market, maker, side, price, out);
    }

    /// Quotes every price of a ladder that is empty.
    fn refill(&mut self, market: usize, maker: usize, out: &mut Vec<CommandRecord>) {
        for rung in rung_of(maker, Side::Buy, 0)..rung_of(maker + 1, Side::Buy, 0) {
            if self.markets[market].rungs[rung] == Rung::Empty {
                let price = self.rung_price(market, rung);
                self.quote(market, rung, price, out);
            }
        }
    }

    /// Takes a whole ladder back, or one side of it, and quotes anew.
    fn pull_quotes(&mut self, market: usize, maker: usize, out: &mut Vec<CommandRecord>) {
        let both = 255;
        let side = self.random.below(3) as u8;
        self.send(
            CommandRecord {
                account: self.population.maker(market, maker).0,
                instrument: market as u32,
                side: if side == 2 { both } else { side },
                ..CommandRecord::new(CommandKind::CancelAll)
            },
            out,
        );
        for place in 0..RUNGS {
            for (code, rung_side) in [(0, Side::Buy), (1, Side::Sell)] {
                let rung = rung_of(maker, rung_side, place);
                if (side == 2 || side == code) && matches!(self.markets[market].rungs[rung], Rung::Live(_)) {
                    let price = self.rung_price(market, rung);
                    self.quote(market, rung, price, out);
                }
            }
        }
    }

    // Everybody else.

    fn act_as_retail(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let account = self.population.trader(&mut self.random, market, Character::Retail);
        let side = self.coin_side();
        match self.random.below(100) {
            0 => self.act_for_auction(market, side, out),
            1..3 => self.peg(account, market, side, out),
            3..40 => self.rest(account, market, side, out),
            40..52 => self.hide(account, market, side, out),
            52..64 => {
                let dollars = SIZES.draw(&mut self.random, 25, 5_000);
                let lots = self.markets[market].lots(dollars);
                let order = self.market_order(account, market, side, lots);
                self.place(order, out);
                if self.random.chance_ppm(RETAIL_PROTECTS_PPM) {
                    self.protect(account, market, side, lots, out);
                }
            }
            64..72 => {
                let dollars = SIZES.draw(&mut self.random, 25, 5_000);
                let order = self.market_order_by_amount(account, market, side, dollars);
                self.place(order, out);
                if self.random.chance_ppm(RETAIL_PROTECTS_PPM) {
                    let lots = self.markets[market].lots(dollars);
                    self.protect(account, market, side, lots, out);
                }
            }
            72..89 => self.cancel_any(market, out),
            89 => self.move_guard(market, out),
            _ => self.amend_any(market, out),
        }
    }

    /// A limit order that is meant to wait: behind the best price, sometimes before it.
    pub(super) fn rest(&mut self, account: AccountId, market: usize, side: Side, out: &mut Vec<CommandRecord>) {
        if self.markets[market].orders.len() >= ORDERS_MAX {
            return self.cancel_any(market, out);
        }
        let dollars = SIZES.draw(&mut self.random, 50, 20_000);
        let distance = draw::geometric(&mut self.random, 8) as i64;
        let step = self.markets[market].step_ticks;
        let jitter = self.random.below(step as u64) as i64;
        let improves = self.random.chance_ppm(200_000);
        let known = &self.markets[market];
        let price = if improves {
            away(side, known.best_or_fair(side), -step)
        } else {
            away(side, known.best_or_fair(side), distance * step + jitter)
        };
        let (price, lots) = (known.price(side, price), known.lots(dollars));
        let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
        if self.random.chance_ppm(RESTS_WITH_STOP_PPM) && self.markets[market].waiting.len() < WAITING_MAX {
            self.enter_with_stop(market, order, out);
        } else {
            self.place_resting(order, out);
        }
    }

    fn act_as_taker(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let account = self.population.trader(&mut self.random, market, Character::Taker);
        if self.random.chance_ppm(80_000) {
            self.markets[market].leaning = self.coin_side();
        }
        let side = self.markets[market].leaning;
        let known = &self.markets[market];
        let reach = draw::geometric(&mut self.random, 2) as i64 * known.step_ticks;
        let price = known.price(side, away(side, known.best_or_fair(side.opposite()), -reach));
        let order = match self.random.below(100) {
            0..2 => {
                // A block is worth it when half of it is there.
                let lots = known.lots(SIZES.draw(&mut self.random, 4_000, 100_000));
                let order = self.limit(account, market, side, TimeInForce::ImmediateOrCancel, price, lots);
                let minimum = Quantity::from_lots(lots / 2);
                return self.place_with(order, &Conditions { minimum, ..Conditions::default() }, out);
            }
            2..4 => return self.show_by_peaks(account, market, side, out),
            4..62 => {
                let lots = known.lots(SIZES.draw(&mut self.random, 150, 150_000));
                self.limit(account, market, side, TimeInForce::ImmediateOrCancel, price, lots)
            }
            62..78 => {
                let lots = known.lots(SIZES.draw(&mut self.random, 150, 15_000));
                self.limit(account, market, side, TimeInForce::FillOrKill, price, lots)
            }
            78..92 => {
                let lots = known.lots(SIZES.draw(&mut self.random, 150, 50_000));
                self.market_order(account, market, side, lots)
            }
            _ => {
                let dollars = SIZES.draw(&mut self.random, 150, 50_000);
                self.market_order_by_amount(account, market, side, dollars)
            }
        };
        self.place(order, out);
    }

    fn act_on_momentum(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let account = self.population.trader(&mut self.random, market, Character::Momentum);
        let known = &self.markets[market];
        let side = known.trend();
        let price = known.price(side, known.best_or_fair(side.opposite()));
        let lots = known.lots(SIZES.draw(&mut self.random, 200, 30_000));
        // Half of them leave what they did not get as a bid in the market.
        let rests = self.random.coin() && known.orders.len() < ORDERS_MAX;
        if self.random.chance_ppm(MOMENTUM_PAIRS_PPM) && known.waiting.len() < WAITING_MAX {
            let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
            return self.enter_with_pair(market, order, out);
        }
        if rests {
            let order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
            self.place_resting(order, out);
        } else {
            let order = self.limit(account, market, side, TimeInForce::ImmediateOrCancel, price, lots);
            self.place(order, out);
        }
        if self.random.chance_ppm(MOMENTUM_PROTECTS_PPM) {
            self.protect(account, market, side, lots, out);
        }
    }

    fn act_as_noise(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let account = self.population.trader(&mut self.random, market, Character::Noise);
        match self.random.below(100) {
            0..30 => {
                let side = self.coin_side();
                self.rest(account, market, side, out);
            }
            30..52 => self.cancel_any(market, out),
            52..70 => self.amend_any(market, out),
            70..87 => self.replace_any(market, out),
            87 => self.move_guard(market, out),
            _ => self.make_mistake(market, account, out),
        }
    }

    /// Any order of the market that is on the book, but not on a ladder.
    pub(super) fn any_order(&mut self, market: usize) -> Option<LiveOrder> {
        let orders = &self.markets[market].orders;
        let slot = *orders.get(self.random.below(orders.len().max(1) as u64) as usize)?;
        Some(*self.live.get(slot))
    }

    /// Any order of the market that waits: for its trigger, for its turn, for approval.
    pub(super) fn any_waiting(&mut self, market: usize) -> Option<LiveOrder> {
        let waiting = &self.markets[market].waiting;
        let slot = *waiting.get(self.random.below(waiting.len().max(1) as u64) as usize)?;
        Some(*self.live.get(slot))
    }

    /// The same, when it waits for its trigger and is tied to no other.
    pub(super) fn any_guard(&mut self, market: usize) -> Option<LiveOrder> {
        self.any_waiting(market).filter(|order| order.stand == Stand::Trigger && !order.tied)
    }

    /// Some cancel what waits, most what is on the book.
    pub(super) fn cancel_any(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.random.chance_ppm(CANCELS_WAITING_PPM) {
            self.cancel_waiting(market, out);
        } else if let Some(order) = self.any_order(market) {
            self.cancel(&order, out);
        }
    }

    pub(super) fn cancel_waiting(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.random.chance_ppm(CANCELS_LISTS_PPM) {
            self.cancel_a_list(out);
        } else if let Some(order) = self.any_waiting(market) {
            self.cancel(&order, out);
        }
    }

    fn cancel(&mut self, order: &LiveOrder, out: &mut Vec<CommandRecord>) {
        let mut record = Self::about(CommandKind::CancelOrder, order);
        if order.client != 0 && !order.has_text_id && self.random.chance_ppm(300_000) {
            record.flags = OrderFlags::BY_CLIENT_ORDER_ID.0;
            record.order_ref = order.client;
        } else if order.has_text_id {
            record.flags = OrderFlags::BY_CLIENT_ORDER_ID.with(OrderFlags::TEXT_ID).0;
            record.order_ref = 0;
            return self.send_all([record, text_id(order.client)], out);
        }
        self.send(record, out);
    }

    /// Half of the amendments take quantity back, the others go after the price.
    fn amend_any(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let Some(order) = self.any_order(market).filter(LiveOrder::is_free) else { return };
        let known = &self.markets[market];
        let side = Self::side_of(&order);
        let record = CommandRecord { price_ticks: order.price, ..Self::about(CommandKind::AmendOrder, &order) };
        let least = known.on_lots(0);
        let record = if self.random.coin() && order.open_lots > 2 * least {
            let lots = order.total_lots - order.open_lots + order.open_lots / 2;
            let record = CommandRecord { quantity_lots: known.on_lots(lots), ..record };
            if self.random.chance_ppm(RENAMES_PPM) {
                self.client_ids += 1;
                return self.send_all([record, text_id(self.client_ids)], out);
            }
            record
        } else {
            let step = known.step_ticks;
            let distance = draw::geometric(&mut self.random, 4) as i64 * step;
            let price = known.behind_opposite(side, away(side, known.best_or_fair(side), distance));
            CommandRecord { price_ticks: known.price(side, price), quantity_lots: order.total_lots, ..record }
        };
        self.send(record, out);
    }

    fn replace_any(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let Some(order) = self.any_order(market).filter(LiveOrder::is_free) else { return };
        let account = AccountId(order.account);
        let side = Self::side_of(&order);
        let known = &self.markets[market];
        let distance = draw::geometric(&mut self.random, 6) as i64 * known.step_ticks;
        let price = known.price(side, away(side, known.best_or_fair(side), distance));
        let lots = known.on_lots(order.open_lots);
        self.client_ids += 1;
        let mut new = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
        let mut old = Self::about(CommandKind::ReplaceOrder, &order);
        if self.random.chance_ppm(MODES_PPM) {
            let modes = [
                OrderFlags::ALLOW_FAILURE,
                OrderFlags::CANCEL_ONLY,
                OrderFlags::ONLY_NEW,
                OrderFlags::ONLY_PARTIALLY_FILLED,
            ];
            old.flags = modes[self.random.below(modes.len() as u64) as usize].0;
        }
        if Population::writes_text_ids(account) {
            new.flags = OrderFlags::TEXT_ID.0;
            self.send_all([old, new, text_id(self.client_ids)], out);
        } else {
            new.order_ref = number_id(self.client_ids, None);
            self.send_all([old, new], out);
        }
    }
}
