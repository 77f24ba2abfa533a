//! The checks of orders that are legs of a list. Each leg is checked as if it were alone; what the list needs is held once they
//! have all passed.

use tradewright_types::{
    Amount, AssetId, Conditions, FeeRates, NewOrder, OrderFlags, OrderType, Price, RejectReason, RoundedFee, Side, Size,
};

use super::{
    Checked, Gate, HeldOrder, check_account, check_client_order_id, check_notional, check_order_rates, check_price,
    check_price_band, check_quantity, check_trigger, ensure, is_there, market_limit_around,
};
use crate::hold::{bid_hold, waiting_hold};
use crate::{ApprovalNeed, entry_hold};

/// A leg that passed its checks. Nothing is held for it yet.
#[derive(Clone, Copy, Debug)]
pub struct CheckedLeg<'o> {
    order: &'o NewOrder<'o>,
    limit: Price,
    fires_at: Price,
    rates: FeeRates,
    trade_group: u32,
    crosses: bool,
    needs: Amount,
}

impl CheckedLeg<'_> {
    /// The worst price it may trade at; zero for a market order that does not start yet.
    pub fn limit(&self) -> Price {
        self.limit
    }

    /// Its first trigger price; zero without a trigger, and for a trail that does not start yet.
    pub fn fires_at(&self) -> Price {
        self.fires_at
    }

    /// Its fee rates.
    pub fn rates(&self) -> FeeRates {
        self.rates
    }

    /// Whether somebody stands at its limit or better, when it comes to the book.
    pub fn crosses(&self) -> bool {
        self.crosses
    }
}

impl Gate<'_> {
    /// Checks a leg that comes to the market, or waits for its trigger, with its list. `price_now` is that of its trigger's source;
    /// nobody is asked to approve a leg, so one that `approval` has to be given for is refused.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order. Nothing has changed in any case.
    pub fn check_leg<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        price_now: Option<Price>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<CheckedLeg<'o>> {
        let (held, fires_at, need) = match order.conditions().trigger {
            None => {
                let (held, need) = self.check_and_hold_closely(order, is_duplicate, None, approval)?;
                (held, Price::default(), need)
            }
            Some(_) => self.check_and_hold_waiting(order, is_duplicate, None, price_now, approval)?,
        };
        let HeldOrder { order, limit, rates, trade_group, crosses, hold: needs } = held;
        // The other legs are checked as if this one were not there.
        self.ledger.release(order.account, self.asset_of(order.side), needs);
        ensure(need.approvers == 0, RejectReason::OrderNotApprovable)?;
        Ok(CheckedLeg { order, limit, fires_at, rates, trade_group, crosses, needs })
    }

    /// Checks a leg that is to wait for another one, for what can be known before it starts.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order.
    pub fn check_pending<'o>(
        &self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
    ) -> Checked<CheckedLeg<'o>> {
        let instrument = self.instrument;
        self.check_standing(order)?;
        let account = check_account(self.risk, order)?;
        let quantity = lots_of(order);
        // A peg finds its price when it starts.
        let has_price = order.order_type == OrderType::Limit && order.conditions().peg.is_none();
        if has_price {
            check_price(instrument, order.price)?;
        }
        check_quantity(instrument, quantity)?;
        if has_price {
            check_notional(instrument, order.price, quantity)?;
        }
        let given = order.conditions().trigger.filter(|trigger| trigger.price.is_some());
        let fires_at = match given {
            None => Price::default(),
            Some(trigger) => check_trigger(instrument, order.side, &trigger, None)?,
        };
        self.check_conditions(order)?;
        check_order_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        self.check_open_orders(account, None)?;
        let rates = self.risk.fees.rates(instrument.fee_schedule, account.fee_tier);
        let (trade_group, needs) = (account.trade_group, Amount::ZERO);
        Ok(CheckedLeg { order, limit: order.price, fires_at, rates, trade_group, crosses: false, needs })
    }

    /// Checks a leg that starts now: `order` as it was accepted, a peg with the price that it found, with `conditions` and `rates`.
    /// `price_now` is that of its trigger's source.
    ///
    /// # Errors
    /// The first reason that applies.
    pub fn check_started<'o>(
        &self,
        order: &'o NewOrder<'o>,
        conditions: &Conditions,
        rates: FeeRates,
        price_now: Option<Price>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<CheckedLeg<'o>> {
        let instrument = self.instrument;
        self.check_standing(order)?;
        let account = check_account(self.risk, order)?;
        ensure(conditions.peg.is_none() || order.price != Price::default(), RejectReason::NoPegReference)?;
        let quantity = lots_of(order);
        let (limit, fires_at) = match &conditions.trigger {
            None => (check_price_band(instrument, order, quantity)?, Price::default()),
            Some(trigger) => {
                let fires_at = check_trigger(instrument, order.side, trigger, price_now)?;
                let limit = match order.order_type {
                    OrderType::Limit => order.price,
                    OrderType::Market => {
                        check_notional(instrument, fires_at, quantity)?;
                        market_limit_around(instrument, order.side, fires_at)
                    }
                };
                (limit, fires_at)
            }
        };
        if order.side == Side::Buy {
            self.check_position(instrument, order.account, quantity.lots(), 0)?;
        }
        let opposite_best = self.best(order.side.opposite());
        let meets = opposite_best.is_some_and(|best| order.side.crosses(limit, best));
        let crosses = meets && conditions.trigger.is_none();
        let post_only = order.flags.has(OrderFlags::POST_ONLY);
        let available = self.ledger.balance(order.account, self.asset_of(order.side)).available;
        let mut needs = match (order.side, conditions.trigger) {
            (Side::Sell, _) => instrument.units.base_amount(quantity),
            (Side::Buy, Some(_)) => {
                waiting_hold(instrument, order.side, limit, quantity, rates, order.time_in_force, false)
                    .ok_or(RejectReason::InsufficientFunds)?
            }
            (Side::Buy, None) => {
                let value = instrument.value_at_worst(limit, quantity).ok_or(RejectReason::InsufficientFunds)?;
                entry_hold(value, rates, !post_only, order.time_in_force.rests())
            }
        };
        ensure(available >= needs, RejectReason::InsufficientFunds)?;
        ensure(!(post_only && crosses), RejectReason::PostOnlyWouldTrade)?;
        if let Some(trigger) = conditions.trigger {
            ensure(!is_there(order.side, &trigger, fires_at, price_now), RejectReason::WouldTriggerAtOnce)?;
        } else if order.side == Side::Buy && order.time_in_force.rests() && !crosses {
            // It meets nobody and rests as it is.
            needs = bid_hold(instrument.units.notional(limit, quantity), rates.maker, RoundedFee::default());
        }
        ensure(approval(limit, opposite_best).approvers == 0, RejectReason::OrderNotApprovable)?;
        let trade_group = account.trade_group;
        Ok(CheckedLeg { order, limit, fires_at, rates, trade_group, crosses, needs })
    }

    /// Checks that the prices of a pair lie on both sides of `price_now`, which its stop-loss looks at.
    ///
    /// # Errors
    /// [`RejectReason::ListPricesOutOfOrder`].
    pub fn check_pair(&self, [first, stop]: &[CheckedLeg<'_>; 2], price_now: Option<Price>) -> Checked {
        let waits = first.fires_at != Price::default();
        let price = if waits { first.fires_at } else { first.limit };
        let is_beyond = |other: Price| match first.order.side {
            Side::Sell => price > other,
            Side::Buy => price < other,
        };
        let in_order = is_beyond(stop.fires_at) && (waits || price_now.is_none_or(is_beyond));
        ensure(in_order, RejectReason::ListPricesOutOfOrder)
    }

    /// Holds what a leg needs that is by itself.
    pub fn hold_leg<'o>(&mut self, leg: &CheckedLeg<'o>) -> HeldOrder<'o> {
        let asset = self.asset_of(leg.order.side);
        self.ledger.funds(leg.order.account, asset).hold(leg.needs, Amount::ZERO);
        held(leg)
    }

    /// Holds what a pair needs: once, the larger of the two.
    pub fn hold_pair<'o>(&mut self, pair: &[CheckedLeg<'o>; 2]) -> [HeldOrder<'o>; 2] {
        let [first, second] = pair;
        let asset = self.asset_of(first.order.side);
        self.ledger.funds(first.order.account, asset).hold(first.needs.max(second.needs), Amount::ZERO);
        [held(first), held(second)]
    }

    fn asset_of(&self, side: Side) -> AssetId {
        let units = &self.instrument.units;
        if side == Side::Buy { units.quote } else { units.base }
    }
}

fn held<'o>(leg: &CheckedLeg<'o>) -> HeldOrder<'o> {
    let CheckedLeg { order, limit, fires_at: _, rates, trade_group, crosses, needs: hold } = *leg;
    HeldOrder { order, limit, rates, trade_group, crosses, hold }
}

fn lots_of(order: &NewOrder<'_>) -> tradewright_types::Quantity {
    let Size::Lots(quantity) = order.size else { unreachable!("Invariant: a leg has a quantity") };
    quantity
}
