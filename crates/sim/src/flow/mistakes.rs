//! What goes wrong between a trader and a venue: the wrong digit, the stale screen, the broken client, the full purse.

use tradewright_types::{
    AccountId, CommandKind, CommandRecord, Conditions, Contingency, Iceberg, OrderFlags, Peg, PegKind, Price,
    PriceSource, Quantity, Side, TextRecord, TimeInForce, Trail, Trigger, TriggerKind,
};

use super::Flow;
use super::live::{Guard, LiveOrder, Stand};
use super::market::away;
use super::observe::{number_id, text_id};
use super::population::Population;
use super::protection::record_of;

/// A mistake, by the reason that it is usually refused for.
#[derive(Clone, Copy, Debug)]
enum Mistake {
    OffTick,
    OffLot,
    TooSmall,
    TooLarge,
    TooCheap,
    TooExpensive,
    OutsideBand,
    NoPrice,
    NoQuantity,
    SameIdAgain,
    UnknownOrder,
    UnknownClientOrder,
    UnknownInstrument,
    UnknownAccount,
    NotPermitted,
    AmendsNothing,
    AmendsBelowExecuted,
    BeyondMeans,
    BeyondPosition,
    Burst,
    PostOnlyTakes,
    BadSide,
    BadType,
    BadTimeInForce,
    BadPrevention,
    BadFlags,
    BadCombination,
    BadText,
    MissingText,
    UnknownCommand,
    OldSchema,
    LateClock,
    AmendsWaiting,
    ReplacesNothing,
    /// It does not know that it is cut off.
    CutOff,
    Conditions(WrongConditions),
    Display(WrongDisplay),
    PegsToNothing,
    AmendsUnseen,
    List(WrongList),
}

/// What is wrong with a list of orders.
#[derive(Clone, Copy, Debug)]
enum WrongList {
    Contingency,
    Legs,
    Prices,
    SameIdAgain,
    AmendsLeg,
}

/// What is wrong with the conditions of an order.
#[derive(Clone, Copy, Debug)]
enum WrongConditions {
    OutOfRange,
    NoTriggerPrice,
    TriggerOffTick,
    TrailsNothing,
    ExpiredAlready,
    TriggersAtOnce,
}

/// What is wrong with the peaks of an iceberg.
#[derive(Clone, Copy, Debug)]
enum WrongDisplay {
    CannotRest,
    OffLot,
    AboveQuantity,
    TooMany,
}

impl Mistake {
    const ALL: [Self; 52] = [
        Self::OffTick,
        Self::OffLot,
        Self::TooSmall,
        Self::TooLarge,
        Self::TooCheap,
        Self::TooExpensive,
        Self::OutsideBand,
        Self::NoPrice,
        Self::NoQuantity,
        Self::SameIdAgain,
        Self::UnknownOrder,
        Self::UnknownClientOrder,
        Self::UnknownInstrument,
        Self::UnknownAccount,
        Self::NotPermitted,
        Self::AmendsNothing,
        Self::AmendsBelowExecuted,
        Self::BeyondMeans,
        Self::BeyondPosition,
        Self::Burst,
        Self::PostOnlyTakes,
        Self::BadSide,
        Self::BadType,
        Self::BadTimeInForce,
        Self::BadPrevention,
        Self::BadFlags,
        Self::BadCombination,
        Self::BadText,
        Self::MissingText,
        Self::UnknownCommand,
        Self::OldSchema,
        Self::LateClock,
        Self::AmendsWaiting,
        Self::ReplacesNothing,
        Self::CutOff,
        Self::Conditions(WrongConditions::OutOfRange),
        Self::Conditions(WrongConditions::NoTriggerPrice),
        Self::Conditions(WrongConditions::TriggerOffTick),
        Self::Conditions(WrongConditions::TrailsNothing),
        Self::Conditions(WrongConditions::ExpiredAlready),
        Self::Conditions(WrongConditions::TriggersAtOnce),
        Self::Display(WrongDisplay::CannotRest),
        Self::Display(WrongDisplay::OffLot),
        Self::Display(WrongDisplay::AboveQuantity),
        Self::Display(WrongDisplay::TooMany),
        Self::PegsToNothing,
        Self::AmendsUnseen,
        Self::List(WrongList::Contingency),
        Self::List(WrongList::Legs),
        Self::List(WrongList::Prices),
        Self::List(WrongList::SameIdAgain),
        Self::List(WrongList::AmendsLeg),
    ];
}

/// A code that no enumeration of the records has.
const NONSENSE: u8 = 77;

impl Flow {
    /// `account` sends something that it should not.
    pub(super) fn make_mistake(&mut self, market: usize, account: AccountId, out: &mut Vec<CommandRecord>) {
        let mistake = Mistake::ALL[self.random.below(Mistake::ALL.len() as u64) as usize];
        let side = self.coin_side();
        let known = &self.markets[market];
        let limits = known.limits;
        let price = known.price(side, away(side, known.best_or_fair(side), 10 * known.step_ticks));
        let good = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, known.lots(100));
        let order = match mistake {
            Mistake::OffTick => CommandRecord { price_ticks: price + 1, ..good },
            Mistake::OffLot => CommandRecord { quantity_lots: good.quantity_lots + 1, ..good },
            Mistake::TooSmall => CommandRecord { quantity_lots: limits.quantity_increment_lots, ..good },
            Mistake::TooLarge => {
                CommandRecord { quantity_lots: limits.quantity_max_lots + limits.quantity_increment_lots, ..good }
            }
            Mistake::TooCheap => CommandRecord { quantity_lots: limits.quantity_min_lots, ..good },
            Mistake::TooExpensive => CommandRecord { quantity_lots: known.lots(3_500_000), ..good },
            Mistake::OutsideBand => {
                let far =
                    price * limits.band_ppm / 900_000 / limits.price_increment_ticks * limits.price_increment_ticks;
                CommandRecord { price_ticks: away(side, price, far), ..good }
            }
            Mistake::NoPrice => CommandRecord { price_ticks: -price, ..good },
            Mistake::NoQuantity => CommandRecord { quantity_lots: 0, ..good },
            Mistake::SameIdAgain => return self.send_same_id(market, out),
            Mistake::UnknownOrder => {
                let order_ref = 1 + self.random.below(self.client_ids);
                return self
                    .send(CommandRecord { order_ref, ..Self::about(CommandKind::CancelOrder, &nothing(&good)) }, out);
            }
            Mistake::UnknownClientOrder => {
                let mut cancel = Self::about(CommandKind::CancelOrder, &nothing(&good));
                cancel.flags = OrderFlags::BY_CLIENT_ORDER_ID.0;
                cancel.order_ref = u64::MAX;
                return self.send(cancel, out);
            }
            Mistake::UnknownInstrument => CommandRecord { instrument: self.markets.len() as u32, ..good },
            Mistake::UnknownAccount => CommandRecord { account: self.population.nobody().0, ..good },
            Mistake::NotPermitted => CommandRecord { account: self.population.read_only(&mut self.random).0, ..good },
            Mistake::AmendsNothing => return self.amend_to(market, |order| order.total_lots, out),
            Mistake::AmendsBelowExecuted => {
                return self.amend_to(market, |order| order.total_lots - order.open_lots, out);
            }
            Mistake::BeyondMeans => CommandRecord { quantity_lots: known.lots(1_500_000), ..good },
            Mistake::BeyondPosition => return self.exceed_position(out),
            Mistake::Burst => return self.burst(out),
            Mistake::PostOnlyTakes => {
                let price_ticks = known.best_or_fair(side.opposite());
                CommandRecord { flags: OrderFlags::POST_ONLY.0, price_ticks, ..good }
            }
            Mistake::BadSide => CommandRecord { side: NONSENSE, ..good },
            Mistake::BadType => CommandRecord { order_type: NONSENSE, ..good },
            Mistake::BadTimeInForce => CommandRecord { time_in_force: NONSENSE, ..good },
            Mistake::BadPrevention => CommandRecord { self_trade_prevention: NONSENSE, ..good },
            Mistake::BadFlags => CommandRecord { flags: OrderFlags::BY_CLIENT_ORDER_ID.0, ..good },
            Mistake::BadCombination => {
                let time_in_force = TimeInForce::FillOrKill as u8;
                CommandRecord { flags: OrderFlags::POST_ONLY.0, time_in_force, ..good }
            }
            Mistake::BadText => {
                let text = text_id(self.client_ids);
                let mut text: TextRecord = zerocopy::transmute!(text);
                text.bytes[3] = b' ';
                let text = zerocopy::transmute!(text);
                return self.send_all([CommandRecord { flags: OrderFlags::TEXT_ID.0, ..good }, text], out);
            }
            Mistake::MissingText => CommandRecord { flags: OrderFlags::TEXT_ID.0, ..good },
            Mistake::UnknownCommand => {
                let mut record = good;
                record.header.kind = NONSENSE;
                record
            }
            Mistake::OldSchema => {
                let mut record = good;
                record.header.schema_version = 0;
                record
            }
            Mistake::LateClock => {
                self.send(good, out);
                if let Some(sent) = out.last_mut() {
                    sent.header.time_ns -= 1_000_000_000;
                }
                return;
            }
            Mistake::AmendsWaiting => {
                let Some(order) = self.any_guard(market) else { return };
                let amend = Self::about(CommandKind::AmendOrder, &order);
                let amend = CommandRecord { price_ticks: order.price, quantity_lots: 2 * order.total_lots, ..amend };
                // Nobody trails that far: it is not the order's trigger.
                let (kind, source) = (TriggerKind::StopLoss, PriceSource::Last);
                let trigger = Some(Trigger { kind, source, price: None, trail: Some(Trail::Ticks(u32::MAX)) });
                return self.send_all([amend, record_of(&Conditions { trigger, ..Conditions::default() })], out);
            }
            Mistake::PegsToNothing => {
                let peg = Some(Peg { kind: PegKind::Primary, is_fixed: true, offset: Peg::LEVELS_MAX });
                let order = CommandRecord { flags: OrderFlags::CONDITIONS.0, price_ticks: 0, ..good };
                return self.send_all([order, record_of(&Conditions { peg, ..Conditions::default() })], out);
            }
            Mistake::AmendsUnseen => return self.grow_unseen(out),
            Mistake::List(wrong) => return self.send_wrong_list(wrong, account, market, side, out),
            Mistake::ReplacesNothing => {
                let Some(order) = self.any_order(market) else { return };
                let excluded = OrderFlags::ONLY_NEW.with(OrderFlags::ONLY_PARTIALLY_FILLED);
                let old = CommandRecord { flags: excluded.0, ..Self::about(CommandKind::ReplaceOrder, &order) };
                return self.send_all([old, CommandRecord { account: order.account, ..good }], out);
            }
            Mistake::CutOff => {
                let Some((account, market)) = self.whom_is_cut_off() else { return };
                let known = &self.markets[market];
                let price = known.price(Side::Buy, known.best_or_fair(Side::Buy));
                self.limit(account, market, Side::Buy, TimeInForce::GoodTillCancel, price, known.lots(100))
            }
            Mistake::Display(wrong) => {
                // Where every quantity is on the grid, no peak is off it.
                let coarse = self.markets.iter().position(|known| known.limits.quantity_increment_lots > 1);
                let market = coarse.filter(|_| matches!(wrong, WrongDisplay::OffLot)).unwrap_or(market);
                return self.send_wrong_display(wrong, account, market, side, out);
            }
            Mistake::Conditions(wrong) => {
                // Where there is no index, a trail on it has nothing to follow.
                let without = self.markets.iter().position(|known| !known.has_index);
                let market = without.filter(|_| matches!(wrong, WrongConditions::TrailsNothing)).unwrap_or(market);
                return self.send_wrong_conditions(wrong, account, market, side, out);
            }
        };
        self.send(order, out);
    }

    /// Sends an order with conditions that are wrong.
    fn send_wrong_conditions(
        &mut self,
        wrong: WrongConditions,
        account: AccountId,
        market: usize,
        side: Side,
        out: &mut Vec<CommandRecord>,
    ) {
        let known = &self.markets[market];
        let mark = known.source_ticks(PriceSource::Mark).unwrap_or_else(|| known.best_or_fair(side));
        // A stop-loss bid stands above the price, an ask below it.
        let right = known.price(side.opposite(), away(side, mark, -(mark / 100)));
        let stop = |price_ticks| Trigger {
            kind: TriggerKind::StopLoss,
            source: PriceSource::Mark,
            price: Some(Price::from_ticks(price_ticks)),
            trail: None,
        };
        let mut order = self.limit(account, market, side, TimeInForce::GoodTillCancel, right, known.lots(100));
        order.flags = OrderFlags::CONDITIONS.0;
        let mut expire_time_ns = 0;
        let trigger = match wrong {
            // All of the price is not a part of it.
            WrongConditions::OutOfRange => Some(Trigger { trail: Some(Trail::BasisPoints(10_000)), ..stop(right) }),
            WrongConditions::NoTriggerPrice => Some(stop(0)),
            WrongConditions::TriggerOffTick => Some(stop(right + 1)),
            WrongConditions::TrailsNothing => {
                let trail = Some(Trail::BasisPoints(100));
                Some(Trigger { source: PriceSource::Index, price: None, trail, ..stop(right) })
            }
            WrongConditions::ExpiredAlready => {
                order.time_in_force = TimeInForce::GoodTillDate as u8;
                expire_time_ns = self.arrivals.time_ns();
                None
            }
            WrongConditions::TriggersAtOnce => Some(stop(known.price(side, away(side, mark, mark / 100)))),
        };
        let conditions = Conditions { trigger, expire_time_ns, ..Conditions::default() };
        self.send_all([order, record_of(&conditions)], out);
    }

    /// Sends an iceberg whose peaks are wrong.
    fn send_wrong_display(
        &mut self,
        wrong: WrongDisplay,
        account: AccountId,
        market: usize,
        side: Side,
        out: &mut Vec<CommandRecord>,
    ) {
        let known = &self.markets[market];
        let price = known.price(side, away(side, known.best_or_fair(side), 10 * known.step_ticks));
        let increment = known.limits.quantity_increment_lots;
        let lots = known.lots(100);
        let mut order = self.limit(account, market, side, TimeInForce::GoodTillCancel, price, lots);
        order.flags = OrderFlags::CONDITIONS.0;
        let peak = match wrong {
            WrongDisplay::CannotRest => {
                order.time_in_force = TimeInForce::ImmediateOrCancel as u8;
                lots
            }
            WrongDisplay::OffLot => increment + 1,
            WrongDisplay::AboveQuantity => lots + increment,
            WrongDisplay::TooMany => {
                order.quantity_lots = (Iceberg::PEAKS_MAX + 1) * increment;
                increment
            }
        };
        let iceberg = Iceberg { peak: Quantity::from_lots(peak), range: Quantity::ZERO, seed: 0 };
        let conditions = Conditions { iceberg: Some(iceberg), ..Conditions::default() };
        self.send_all([order, record_of(&conditions)], out);
    }

    /// Sends a list that is wrong, or amends what is tied in one.
    fn send_wrong_list(
        &mut self,
        wrong: WrongList,
        account: AccountId,
        market: usize,
        side: Side,
        out: &mut Vec<CommandRecord>,
    ) {
        let lots = self.markets[market].lots(100);
        let [mut profit, mut stop] = self.pair(account, market, side, lots);
        let mut contingency = Contingency::OneCancelsOther as u8;
        self.client_ids += 1;
        let number = self.client_ids;
        match wrong {
            WrongList::Contingency => contingency = NONSENSE,
            WrongList::Legs => stop.conditions = None,
            WrongList::Prices => {
                // It would sell below the price, and buy above it.
                let known = &self.markets[market];
                let (way_out, distance) = (side.opposite(), 10 * known.step_ticks);
                let price = known.price(way_out, away(side, known.fair_ticks(), distance));
                profit.order = self.limit(account, market, way_out, TimeInForce::GoodTillCancel, price, lots);
                profit.conditions = None;
            }
            WrongList::SameIdAgain => self.send_list(contingency, number, &[profit.clone(), stop.clone()], out),
            WrongList::AmendsLeg => {
                let waiting = self.markets[market].waiting.iter().map(|slot| *self.live.get(*slot));
                let Some(leg) = waiting.into_iter().find(|order| order.tied) else { return };
                let amend = Self::about(CommandKind::AmendOrder, &leg);
                let (price_ticks, quantity_lots) = (leg.price, leg.total_lots);
                return self.send(CommandRecord { price_ticks, quantity_lots, ..amend }, out);
            }
        }
        self.send_list(contingency, number, &[profit, stop], out);
    }

    /// Sends a new order under the id of one that is open.
    fn send_same_id(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let Some(open) = self.any_order(market) else { return };
        let (account, side) = (AccountId(open.account), Self::side_of(&open));
        let lots = self.markets[market].lots(50);
        let again = self.limit(account, market, side, TimeInForce::GoodTillCancel, open.price, lots);
        if open.has_text_id {
            self.send_all([CommandRecord { flags: OrderFlags::TEXT_ID.0, ..again }, text_id(open.client)], out);
        } else {
            self.send(CommandRecord { order_ref: open.client, ..again }, out);
        }
    }

    /// Amends an order that has traded to a total that it cannot have.
    fn amend_to(&mut self, market: usize, total: fn(&LiveOrder) -> u64, out: &mut Vec<CommandRecord>) {
        let least = self.markets[market].on_lots(0);
        for _ in 0..20 {
            let Some(order) = self.any_order(market) else { return };
            if order.is_free() && order.total_lots - order.open_lots >= least {
                let amend = Self::about(CommandKind::AmendOrder, &order);
                let record = CommandRecord { price_ticks: order.price, quantity_lots: total(&order), ..amend };
                return self.send(record, out);
            }
        }
    }

    /// Somebody whose large orders need approvers sends a small one, and makes it large.
    fn grow_unseen(&mut self, out: &mut Vec<CommandRecord>) {
        let Some((account, market)) = self.population.supervised(&mut self.random) else { return };
        // The engine looks at all that is open for each such order: one in four is enough.
        if Population::writes_text_ids(account) || self.random.below(4) > 0 {
            return;
        }
        let known = &self.markets[market];
        let price = away(Side::Buy, known.best_or_fair(Side::Buy), 10 * known.step_ticks);
        let (price_ticks, few, many) = (known.price(Side::Buy, price), known.lots(100), known.lots(3_000));
        let order = self.limit(account, market, Side::Buy, TimeInForce::GoodTillCancel, price_ticks, few);
        self.place(order, out);
        let amend = CommandRecord {
            account: account.0,
            instrument: market as u32,
            flags: OrderFlags::BY_CLIENT_ORDER_ID.0,
            price_ticks,
            quantity_lots: many,
            order_ref: number_id(self.client_ids, None),
            ..CommandRecord::new(CommandKind::AmendOrder)
        };
        self.send(amend, out);
    }

    fn exceed_position(&mut self, out: &mut Vec<CommandRecord>) {
        let (account, market) = self.population.limited(&mut self.random);
        let known = &self.markets[market];
        let price = known.price(Side::Buy, known.best_or_fair(Side::Buy));
        let order = self.limit(account, market, Side::Buy, TimeInForce::GoodTillCancel, price, known.lots(8_000));
        self.place(order, out);
    }

    /// A loop without a brake: the account sends until it runs into each of its limits.
    fn burst(&mut self, out: &mut Vec<CommandRecord>) {
        let (account, market) = self.population.narrow(&mut self.random);
        for distance in 5..13 {
            let known = &self.markets[market];
            let price = away(Side::Buy, known.best_or_fair(Side::Buy), distance * known.step_ticks);
            let price = known.price(Side::Buy, price);
            let order = self.limit(account, market, Side::Buy, TimeInForce::GoodTillCancel, price, known.lots(20));
            self.place(order, out);
        }
    }
}

/// An order of the same account that nobody has placed.
fn nothing(record: &CommandRecord) -> LiveOrder {
    LiveOrder {
        id: 0,
        price: record.price_ticks,
        open_lots: 0,
        total_lots: 0,
        client: 0,
        account: record.account,
        instrument: record.instrument as u8,
        side: record.side,
        rung: LiveOrder::NO_RUNG,
        has_text_id: false,
        stand: Stand::Book,
        tied: false,
        hidden: false,
        rests: false,
        place: 0,
        guard: Guard::default(),
    }
}
