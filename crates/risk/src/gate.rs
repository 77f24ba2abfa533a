//! The gate: every check that stands before a trade, in the order of the reject reasons.

mod legs;

use core::cmp::Ordering;

use tradewright_book::Book;
use tradewright_ledger::Ledger;
use tradewright_types::{
    AccountId, Admission, Amount, AssetId, ClientOrderId, Conditions, FeeRates, Iceberg, InstrumentAction,
    InstrumentId, InstrumentState, NewOrder, OrderFlags, OrderType, Permissions, Price, Quantity, RawNotional,
    RejectReason, RoundedFee, Side, Size, Trigger,
};

use crate::hold::{bid_hold, resting_hold, waiting_hold};
use crate::{AccountRisk, ApprovalNeed, Instrument, Risk, entry_hold};

pub use legs::CheckedLeg;

/// The most orders that can be open at once in one engine. One less than 2^24: together they have less than 2^64 lots open
/// ([`Quantity::MAX`] each), so that every sum keeps within 64 bits.
pub const ORDERS_MAX: usize = (1 << 24) - 1;

/// The proof that an order passed every check and that its funds are held, with what the checks found out. Only [`Gate`] can
/// make one, and it is spent by matching it.
#[derive(Debug)]
#[must_use = "the funds of this order are held"]
pub struct HeldOrder<'o> {
    order: &'o NewOrder<'o>,
    limit: Price,
    rates: FeeRates,
    trade_group: u32,
    crosses: bool,
    hold: Amount,
}

impl<'o> HeldOrder<'o> {
    /// The order itself.
    #[inline(always)]
    pub fn order(&self) -> &'o NewOrder<'o> {
        self.order
    }

    /// The same proof over a copy of the order, which is put into `place`.
    #[inline(always)]
    pub fn copied_to<'c>(&self, place: &'c mut Option<NewOrder<'o>>) -> HeldOrder<'c>
    where
        'o: 'c,
    {
        let Self { order, limit, rates, trade_group, crosses, hold } = *self;
        HeldOrder { order: place.insert(*order), limit, rates, trade_group, crosses, hold }
    }

    /// The worst price it may trade at: its own, or for a market order the band's.
    #[inline(always)]
    pub fn limit(&self) -> Price {
        self.limit
    }

    /// Its fee rates.
    #[inline(always)]
    pub fn rates(&self) -> FeeRates {
        self.rates
    }

    /// Its owner's trade group.
    #[inline(always)]
    pub fn trade_group(&self) -> u32 {
        self.trade_group
    }

    /// Whether somebody stands at its limit or better with whom it trades. In the call of an auction nobody does.
    #[inline(always)]
    pub fn crosses(&self) -> bool {
        self.crosses
    }

    /// What is held for it: quote for a bid, base for an ask. Of an order that crosses nobody and rests, what it holds while it
    /// rests; of any other, what its worst price may cost.
    #[inline(always)]
    pub fn hold(&self) -> Amount {
        self.hold
    }
}

/// What an order that is about to go gives up to the one that takes its place.
#[derive(Clone, Copy, Debug)]
pub struct Relief {
    /// Its hold, and of which asset.
    pub hold: (AssetId, Amount),
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its open quantity, when it is a bid.
    pub bid_lots: u64,
    /// The best price on the new order's opposite side without it.
    pub opposite_best: Option<Price>,
}

/// The gate, opened for one instrument.
#[derive(Debug)]
pub struct Gate<'e> {
    /// Accounts, fees and the state of the venue.
    pub risk: &'e Risk,
    /// The instrument.
    pub instrument: &'e Instrument,
    /// Its book.
    pub book: &'e Book,
    /// The books of what stands beside it: orders that are not displayed. Mostly there are none.
    pub aside: Option<&'e [Book]>,
    /// Balances.
    pub ledger: &'e mut Ledger,
    /// How many orders are open in the engine.
    pub open_orders: usize,
    /// How many legs of the same list were checked before that will be open beside this order.
    pub legs_before: usize,
}

type Checked<T = ()> = Result<T, RejectReason>;

/// Why the gate did not let an order through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A check refused it.
    For(RejectReason),
    /// Something is special about its account: [`Gate::check_and_hold_closely`] decides.
    LookClosely,
}

impl From<RejectReason> for Refusal {
    #[inline(always)]
    fn from(reason: RejectReason) -> Self {
        Self::For(reason)
    }
}

/// Tells the compiler that the way here is rarely taken.
#[cold]
const fn rarely() {}

#[inline(always)]
fn ensure(condition: bool, otherwise: RejectReason) -> Checked {
    if condition {
        Ok(())
    } else {
        rarely();
        Err(otherwise)
    }
}

impl Gate<'_> {
    /// Checks a new order of an account for which nothing is special, and holds its funds. `is_duplicate` tells whether another open order of the account has its client
    /// order id; `relief` is what the order gives up that it replaces.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order, or that the account is to be looked at closely; then nothing has
    /// changed.
    #[inline(always)]
    pub fn check_and_hold<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
    ) -> Result<HeldOrder<'o>, Refusal> {
        let (held, _) = self.check_all::<false>(order, is_duplicate, None, |_, _| ApprovalNeed::default())?;
        Ok(held)
    }

    /// Checks any new order and holds its funds: what entry needs, when it is to wait for approval. `relief` is what the order
    /// gives up that it replaces; `approval` says who must approve an order with this limit, against this best opposite price.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order; then nothing has changed.
    ///
    /// # Panics
    /// Never: what looks closely is not sent back to be looked at closely.
    #[cold]
    #[inline(never)]
    pub fn check_and_hold_closely<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<(HeldOrder<'o>, ApprovalNeed)> {
        self.check_all::<true>(order, is_duplicate, relief, approval).map_err(|refusal| match refusal {
            Refusal::For(reason) => reason,
            Refusal::LookClosely => unreachable!("Invariant: this is the close look"),
        })
    }

    #[inline(always)]
    fn check_all<'o, const CLOSELY: bool>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Result<(HeldOrder<'o>, ApprovalNeed), Refusal> {
        let (risk, instrument) = (self.risk, self.instrument);
        ensure(!risk.halted, RejectReason::VenueHalted)?;
        if !instrument.state.trades() {
            // By its action, so that the order need not be in memory for this.
            check_admission(instrument.state, entry(order.time_in_force.rests()))?;
        }
        let account = if CLOSELY {
            check_account(risk, order)?
        } else {
            let account = risk.account(order.account).ok_or(RejectReason::UnknownAccount)?;
            if !account.standing.is_clear() {
                rarely();
                return Err(Refusal::LookClosely);
            }
            ensure(account.permissions.allow(Permissions::TRADE), RejectReason::AccountNotPermitted)?;
            account
        };
        let limit = match order.size {
            Size::Lots(quantity) => {
                if order.order_type == OrderType::Limit {
                    check_price(instrument, order.price)?;
                }
                check_quantity(instrument, quantity)?;
                check_price_band(instrument, order, quantity)?
            }
            Size::QuoteAmount(amount) => {
                ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
                let limits = instrument.limits();
                ensure(amount >= limits.notional_min, RejectReason::NotionalBelowMinimum)?;
                ensure(amount <= limits.notional_max, RejectReason::NotionalAboveMaximum)?;
                market_limit(instrument, order.side)?
            }
        };
        self.check_conditions(order)?;
        check_order_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        let may_rest = order.time_in_force.rests();
        if may_rest {
            self.check_open_orders(account, relief)?;
        }
        let opposite_best = match relief {
            None => self.best(order.side.opposite()),
            Some(relief) => relief.opposite_best,
        };
        if order.side == Side::Buy {
            let lots = match order.size {
                Size::Lots(quantity) => quantity.lots(),
                Size::QuoteAmount(amount) => {
                    let lots = opposite_best.map_or(0, |ask| instrument.lots_for(amount, ask));
                    // No limit is that high.
                    u64::try_from(lots).map_err(|_| RejectReason::PositionLimitExceeded)?
                }
            };
            let freed =
                relief.filter(|relief| relief.instrument == order.instrument).map_or(0, |relief| relief.bid_lots);
            self.check_position(instrument, order.account, lots, freed)?;
        }
        let rates = risk.fees.rates(instrument.fee_schedule, account.fee_tier);
        let post_only = order.flags.has(OrderFlags::POST_ONLY);
        let units = &instrument.units;
        let crosses = opposite_best.is_some_and(|best| order.side.crosses(limit, best)) && instrument.state.trades();
        // What it must be covered for, and what it holds: the two differ for an order that meets nobody and rests as it is.
        let rests = may_rest && !crosses;
        let (asset, value) = match (order.side, order.size) {
            (Side::Buy, Size::Lots(quantity)) if order.order_type == OrderType::Market => {
                let value = instrument.value_at_worst(limit, quantity);
                (units.quote, value.ok_or(RejectReason::InsufficientFunds)?)
            }
            (Side::Buy, Size::Lots(quantity)) => (units.quote, units.notional(limit, quantity)),
            (Side::Buy, Size::QuoteAmount(amount)) => (units.quote, amount),
            (Side::Sell, Size::Lots(quantity)) => (units.base, units.base_amount(quantity)),
            (Side::Sell, Size::QuoteAmount(amount)) => {
                (units.base, instrument.base_for(amount, limit).ok_or(RejectReason::InsufficientFunds)?)
            }
        };
        let same_asset = relief.filter(|relief| relief.hold.0 == asset).map_or(Amount::ZERO, |relief| relief.hold.1);
        let funds = self.ledger.funds(order.account, asset);
        let available = funds.available() + same_asset;
        let pays_fee = order.side == Side::Buy && matches!(order.size, Size::Lots(_));
        let hold = if pays_fee {
            // No fee is above the notional, so twice the notional (and the roundings) covers any: the exact sum is needed only
            // when the account has less, or when the order is to hold it.
            let ample = available >= value + value + Amount::from_quanta(2);
            if !ample || !rests {
                let needed = entry_hold(value, rates, !post_only, may_rest);
                ensure(available >= needed, RejectReason::InsufficientFunds)?;
                if rests { bid_hold(value, rates.maker, RoundedFee::default()) } else { needed }
            } else {
                bid_hold(value, rates.maker, RoundedFee::default())
            }
        } else {
            ensure(available >= value, RejectReason::InsufficientFunds)?;
            value
        };
        ensure(!(post_only && crosses), RejectReason::PostOnlyWouldTrade)?;
        let need = approval(limit, opposite_best);
        let hold = if CLOSELY && need.approvers > 0 {
            let is_pegged = order.conditions().peg.is_some();
            ensure(matches!(order.size, Size::Lots(_)) && !is_pegged, RejectReason::OrderNotApprovable)?;
            if order.side == Side::Buy { entry_hold(value, rates, !post_only, may_rest) } else { value }
        } else {
            hold
        };

        // After this point the order must succeed.
        funds.hold(hold, same_asset);
        if let Some(relief) = relief.filter(|relief| relief.hold.0 != asset) {
            self.ledger.release(order.account, relief.hold.0, relief.hold.1);
        }
        Ok((HeldOrder { order, limit, rates, trade_group: account.trade_group, crosses, hold }, need))
    }

    /// Checks an order that is to wait for its trigger and holds its funds: what its worst price may cost, as a taker or a maker.
    /// Gives the price at which it fires beside the proof; its limit is the worst price that is held for.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order; then nothing has changed.
    ///
    /// # Panics
    /// When the order has no trigger.
    pub fn check_and_hold_waiting<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        price_now: Option<Price>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<(HeldOrder<'o>, Price, ApprovalNeed)> {
        let (risk, instrument) = (self.risk, self.instrument);
        let (Some(trigger), Size::Lots(quantity)) = (order.conditions().trigger, order.size) else {
            unreachable!("Invariant: only orders by quantity have triggers")
        };
        ensure(!risk.halted, RejectReason::VenueHalted)?;
        check_state(instrument.state, order)?;
        let account = check_account(risk, order)?;
        let is_limit = order.order_type == OrderType::Limit;
        if is_limit {
            check_price(instrument, order.price)?;
        }
        check_quantity(instrument, quantity)?;
        if is_limit {
            check_notional(instrument, order.price, quantity)?;
        }
        let fires_at = check_trigger(instrument, order.side, &trigger, price_now)?;
        if !is_limit {
            check_notional(instrument, fires_at, quantity)?;
        }
        self.check_conditions(order)?;
        check_order_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        self.check_open_orders(account, relief)?;
        if order.side == Side::Buy {
            let freed =
                relief.filter(|relief| relief.instrument == order.instrument).map_or(0, |relief| relief.bid_lots);
            self.check_position(instrument, order.account, quantity.lots(), freed)?;
        }
        let rates = risk.fees.rates(instrument.fee_schedule, account.fee_tier);
        let limit = if is_limit { order.price } else { market_limit_around(instrument, order.side, fires_at) };
        let hold = waiting_hold(instrument, order.side, limit, quantity, rates, order.time_in_force, false)
            .ok_or(RejectReason::InsufficientFunds)?;
        let opposite_best = match relief {
            None => self.best(order.side.opposite()),
            Some(relief) => relief.opposite_best,
        };
        let asset = if order.side == Side::Buy { instrument.units.quote } else { instrument.units.base };
        let same_asset = relief.filter(|relief| relief.hold.0 == asset).map_or(Amount::ZERO, |relief| relief.hold.1);
        let funds = self.ledger.funds(order.account, asset);
        ensure(funds.available() + same_asset >= hold, RejectReason::InsufficientFunds)?;
        ensure(!is_there(order.side, &trigger, fires_at, price_now), RejectReason::WouldTriggerAtOnce)?;
        let need = approval(limit, opposite_best);

        // After this point the order must succeed.
        funds.hold(hold, same_asset);
        if let Some(relief) = relief.filter(|relief| relief.hold.0 != asset) {
            self.ledger.release(order.account, relief.hold.0, relief.hold.1);
        }
        let trade_group = account.trade_group;
        Ok((HeldOrder { order, limit, rates, trade_group, crosses: false, hold }, fires_at, need))
    }

    /// Checks an order that is for auctions only and holds its funds: what it holds while it rests at its limit. Nothing trades on
    /// entry, so nothing else has to be covered.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order; then nothing has changed.
    pub fn check_and_hold_for_auction<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<HeldOrder<'o>> {
        let (risk, instrument) = (self.risk, self.instrument);
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: orders for auctions are by quantity") };
        ensure(!risk.halted, RejectReason::VenueHalted)?;
        check_state(instrument.state, order)?;
        check_account(risk, order)?;
        if order.order_type == OrderType::Limit {
            check_price(instrument, order.price)?;
        }
        check_quantity(instrument, quantity)?;
        let limit = check_price_band(instrument, order, quantity)?;
        self.check_and_hold_as_maker(order, quantity, limit, is_duplicate, relief, approval)
    }

    /// Checks an order whose price is to follow others, and holds its funds: what its limit may cost as a maker, which it is always.
    /// The limit is its own price; without one the band's edge, as of a market order.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order; then nothing has changed.
    ///
    /// # Panics
    /// When the order is one by amount.
    pub fn check_and_hold_following<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<HeldOrder<'o>> {
        let (risk, instrument) = (self.risk, self.instrument);
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: only orders by quantity are pegged") };
        ensure(!risk.halted, RejectReason::VenueHalted)?;
        check_state(instrument.state, order)?;
        check_account(risk, order)?;
        let has_price = order.price != Price::default();
        if has_price {
            check_price(instrument, order.price)?;
        }
        check_quantity(instrument, quantity)?;
        let limit = if has_price {
            check_notional(instrument, order.price, quantity)?;
            let inside = instrument.band().is_none_or(|band| band.contains(order.price));
            ensure(inside, RejectReason::PriceOutsideBand)?;
            order.price
        } else {
            let limit = market_limit(instrument, order.side)?;
            let reference = instrument.band_reference().ok_or(RejectReason::NoReferencePrice)?;
            check_notional(instrument, reference, quantity)?;
            limit
        };
        self.check_and_hold_as_maker(order, quantity, limit, is_duplicate, relief, approval)
    }

    /// The rest of the checks of an order that comes to the market as a maker or not at all, and the hold of what its limit may
    /// cost then.
    fn check_and_hold_as_maker<'o>(
        &mut self,
        order: &'o NewOrder<'o>,
        quantity: Quantity,
        limit: Price,
        is_duplicate: impl FnOnce() -> bool,
        relief: Option<&Relief>,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<HeldOrder<'o>> {
        let (risk, instrument) = (self.risk, self.instrument);
        let account = &risk.accounts()[order.account.index()];
        self.check_conditions(order)?;
        check_order_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        self.check_open_orders(account, relief)?;
        if order.side == Side::Buy {
            let freed =
                relief.filter(|relief| relief.instrument == order.instrument).map_or(0, |relief| relief.bid_lots);
            self.check_position(instrument, order.account, quantity.lots(), freed)?;
        }
        let rates = risk.fees.rates(instrument.fee_schedule, account.fee_tier);
        let (asset, hold) = match order.side {
            Side::Buy => {
                let value = instrument.value_at_worst(limit, quantity).ok_or(RejectReason::InsufficientFunds)?;
                (instrument.units.quote, bid_hold(value, rates.maker, RoundedFee::default()))
            }
            Side::Sell => (instrument.units.base, instrument.units.base_amount(quantity)),
        };
        let same_asset = relief.filter(|relief| relief.hold.0 == asset).map_or(Amount::ZERO, |relief| relief.hold.1);
        let opposite_best = match relief {
            None => self.best(order.side.opposite()),
            Some(relief) => relief.opposite_best,
        };
        let funds = self.ledger.funds(order.account, asset);
        ensure(funds.available() + same_asset >= hold, RejectReason::InsufficientFunds)?;
        ensure(approval(limit, opposite_best).approvers == 0, RejectReason::OrderNotApprovable)?;

        // After this point the order must succeed.
        funds.hold(hold, same_asset);
        if let Some(relief) = relief.filter(|relief| relief.hold.0 != asset) {
            self.ledger.release(order.account, relief.hold.0, relief.hold.1);
        }
        let trade_group = account.trade_group;
        Ok(HeldOrder { order, limit, rates, trade_group, crosses: false, hold })
    }

    /// Why an order is refused that would have been priced by others, and there are none: the first reason that does not ask for
    /// its price.
    ///
    /// # Errors
    /// Always.
    pub fn refuse_unpriced(&self, order: &NewOrder<'_>) -> Checked {
        self.check_standing(order)?;
        if let Size::Lots(quantity) = order.size {
            check_quantity(self.instrument, quantity)?;
        }
        let expires = order.conditions().expire_time_ns;
        ensure(expires == 0 || expires > self.risk.time_ns, RejectReason::ExpiryNotInFuture)?;
        Err(RejectReason::NoPegReference)
    }

    /// Checks a waiting order again whose trigger fired: `order` as it comes to the market, its price the worst that `hold`
    /// covers.
    ///
    /// # Errors
    /// The first reason that applies; nothing has changed in any case.
    pub fn check_triggered<'o>(
        &self,
        order: &'o NewOrder<'o>,
        rates: FeeRates,
        hold: Amount,
    ) -> Checked<HeldOrder<'o>> {
        let account = check_account(self.risk, order)?;
        let limit = match (order.order_type, order.side) {
            (OrderType::Limit, _) => {
                let inside = self.instrument.band().is_none_or(|band| band.contains(order.price));
                ensure(inside, RejectReason::PriceOutsideBand)?;
                order.price
            }
            (OrderType::Market, Side::Buy) => market_limit(self.instrument, order.side)?.min(order.price),
            (OrderType::Market, Side::Sell) => market_limit(self.instrument, order.side)?,
        };
        let opposite_best = self.best(order.side.opposite());
        let crosses = opposite_best.is_some_and(|best| order.side.crosses(limit, best));
        Ok(HeldOrder { order, limit, rates, trade_group: account.trade_group, crosses, hold })
    }

    /// Checks an order again that has all its approvals: `order` as it comes to the market, its price the worst that `hold` covers.
    /// Its own open bids are counted still.
    ///
    /// # Errors
    /// The first reason that applies; nothing has changed in any case.
    pub fn check_released<'o>(&self, order: &'o NewOrder<'o>, rates: FeeRates, hold: Amount) -> Checked<HeldOrder<'o>> {
        let quantity = self.check_again(order)?;
        let limit = check_price_band(self.instrument, order, quantity)?;
        let limit = if order.side == Side::Buy { limit.min(order.price) } else { limit };
        self.check_own_position(order, quantity)?;
        let opposite_best = self.best(order.side.opposite());
        let crosses = opposite_best.is_some_and(|best| order.side.crosses(limit, best));
        ensure(!(order.flags.has(OrderFlags::POST_ONLY) && crosses), RejectReason::PostOnlyWouldTrade)?;
        let trade_group = self.risk.accounts()[order.account.index()].trade_group;
        Ok(HeldOrder { order, limit, rates, trade_group, crosses, hold })
    }

    /// Checks an order again that has all its approvals and is to wait for its trigger now.
    ///
    /// # Errors
    /// The first reason that applies.
    pub fn check_released_waiting(
        &self,
        order: &NewOrder<'_>,
        trigger: &Trigger,
        fires_at: Price,
        price_now: Option<Price>,
    ) -> Checked {
        let quantity = self.check_again(order)?;
        let is_limit = order.order_type == OrderType::Limit;
        if is_limit {
            check_notional(self.instrument, order.price, quantity)?;
        }
        if trigger.price.is_some() {
            check_trigger(self.instrument, order.side, trigger, price_now)?;
        }
        if !is_limit {
            check_notional(self.instrument, fires_at, quantity)?;
        }
        self.check_own_position(order, quantity)?;
        ensure(!is_there(order.side, trigger, fires_at, price_now), RejectReason::WouldTriggerAtOnce)
    }

    /// The checks of a released order up to its quantity.
    fn check_again(&self, order: &NewOrder<'_>) -> Checked<Quantity> {
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: only orders by quantity are approved") };
        check_account(self.risk, order)?;
        if order.order_type == OrderType::Limit {
            check_price(self.instrument, order.price)?;
        }
        check_quantity(self.instrument, quantity)?;
        Ok(quantity)
    }

    fn check_own_position(&self, order: &NewOrder<'_>, quantity: Quantity) -> Checked {
        match order.side {
            Side::Buy => self.check_position(self.instrument, order.account, quantity.lots(), quantity.lots()),
            Side::Sell => Ok(()),
        }
    }

    /// The best price of a side, displayed or not.
    #[inline(always)]
    fn best(&self, side: Side) -> Option<Price> {
        // By its parts, so that the gate need not be in memory for this.
        match self.aside {
            None => self.book.best(side),
            Some(aside) => best_of_all(self.book, aside, side),
        }
    }

    #[inline(always)]
    fn check_conditions(&self, order: &NewOrder<'_>) -> Checked {
        if order.conditions_record.is_some() { self.check_known_conditions(order) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn check_known_conditions(&self, order: &NewOrder<'_>) -> Checked {
        let Conditions { trigger: _, expire_time_ns: expires, minimum: _, iceberg, hidden: _, peg: _ } =
            order.conditions();
        ensure(expires == 0 || expires > self.risk.time_ns, RejectReason::ExpiryNotInFuture)?;
        match (iceberg, order.size) {
            (Some(iceberg), Size::Lots(quantity)) => check_iceberg(self.instrument, iceberg, quantity),
            (Some(_), Size::QuoteAmount(_)) | (None, _) => Ok(()),
        }
    }

    #[inline(always)]
    fn check_open_orders(&self, account: &AccountRisk, relief: Option<&Relief>) -> Checked {
        let others = account.open_orders as usize + self.legs_before - usize::from(relief.is_some());
        let room = others < account.limits.open_orders_max as usize
            && self.open_orders + self.legs_before - usize::from(relief.is_some()) < ORDERS_MAX;
        ensure(room, RejectReason::OpenOrderLimitExceeded)
    }

    /// Whether the instrument is open and the account may trade: the checks that come before the order itself.
    ///
    /// # Errors
    /// The first reason that applies.
    pub fn check_standing(&self, order: &NewOrder<'_>) -> Checked {
        ensure(!self.risk.halted, RejectReason::VenueHalted)?;
        check_state(self.instrument.state, order)?;
        check_account(self.risk, order)?;
        Ok(())
    }

    /// Whether `lots` more bids, with `freed` lots of bids gone, keep the account within its position limit.
    #[inline(always)]
    pub(crate) fn check_position(&self, instrument: &Instrument, account: AccountId, lots: u64, freed: u64) -> Checked {
        let exposure = instrument.exposures.get(account.index());
        let within = (exposure.open_bid_lots - freed)
            .checked_add(lots)
            .and_then(|bids| exposure.position_max_lots.checked_sub(bids))
            .is_some_and(|room| {
                let base = self.ledger.balance(account, instrument.units.base).total();
                base <= instrument.units.base_amount(Quantity::from_lots(room))
            });
        ensure(within, RejectReason::PositionLimitExceeded)
    }
}

/// An amendment that is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Amendment<'o> {
    /// The order as it would come in again: at its new price, with its new open quantity, and with its new client order id if
    /// that changes.
    pub order: &'o NewOrder<'o>,
    /// The rates it has.
    pub rates: FeeRates,
    /// The new total quantity.
    pub total: Quantity,
    /// What was executed and prevented so far.
    pub gone: Quantity,
    /// The price now.
    pub old_price: Price,
    /// The total quantity now.
    pub old_total: Quantity,
    /// What it holds now.
    pub old_hold: Amount,
    /// The best price on its opposite side.
    pub opposite_best: Option<Price>,
    /// How it shows itself by parts.
    pub iceberg: Option<Iceberg>,
}

/// What the gate decided about an amendment.
#[derive(Debug)]
pub enum Amended<'o> {
    /// The same price and no more quantity: the order keeps its place.
    Reduced,
    /// The order leaves its place and comes in again.
    Reentered(HeldOrder<'o>),
}

impl Gate<'_> {
    /// Checks an amendment of an open order. For anything but a reduction the old hold is released and the new one made.
    /// `is_duplicate` tells whether another open order of the account has its new client order id.
    ///
    /// # Errors
    /// The first reason that applies; then nothing has changed.
    pub fn check_and_hold_amendment<'o>(
        &mut self,
        amendment: &Amendment<'o>,
        is_duplicate: impl FnOnce() -> bool,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<Amended<'o>> {
        let Amendment { order, rates, total, gone, old_price, old_total, old_hold, opposite_best, iceberg } =
            *amendment;
        let (risk, instrument) = (self.risk, self.instrument);
        check_state(instrument.state, order)?;
        let account = check_account(risk, order)?;
        check_price(instrument, order.price)?;
        check_quantity(instrument, total)?;
        check_notional(instrument, order.price, total)?;
        let renames = order.client_order_id != ClientOrderId::Absent;
        let reduction = order.price == old_price && (total < old_total || renames && total == old_total);
        if !reduction {
            let inside = instrument.band().is_none_or(|band| band.contains(order.price));
            ensure(inside, RejectReason::PriceOutsideBand)?;
        }
        ensure(total > gone, RejectReason::QuantityNotAboveExecuted)?;
        let changes = order.price != old_price || total != old_total || renames;
        ensure(changes, RejectReason::AmendChangesNothing)?;
        let too_many = iceberg.is_some_and(|iceberg| iceberg.has_too_many_peaks(total));
        ensure(!too_many, RejectReason::TooManyPeaks)?;
        check_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        if reduction {
            return Ok(Amended::Reduced);
        }
        let (open, old_open) = (total - gone, old_total - gone);
        if order.side == Side::Buy {
            self.check_position(instrument, order.account, open.lots(), old_open.lots())?;
        }
        let post_only = order.flags.has(OrderFlags::POST_ONLY);
        let (asset, hold) = match order.side {
            Side::Buy => {
                let notional = instrument.units.notional(order.price, open);
                (instrument.units.quote, entry_hold(notional, rates, !post_only, true))
            }
            Side::Sell => (instrument.units.base, instrument.units.base_amount(open)),
        };
        let crosses =
            opposite_best.is_some_and(|best| order.side.crosses(order.price, best)) && instrument.state.trades();
        let funds = self.ledger.funds(order.account, asset);
        ensure(funds.available() + old_hold >= hold, RejectReason::InsufficientFunds)?;
        ensure(!(post_only && crosses), RejectReason::PostOnlyWouldTrade)?;
        let need = approval(order.price, opposite_best);
        ensure(need.approvers == 0, RejectReason::AmendmentNeedsApproval)?;

        // After this point the amendment must succeed.
        funds.hold(hold, old_hold);
        let trade_group = account.trade_group;
        Ok(Amended::Reentered(HeldOrder { order, limit: order.price, rates, trade_group, crosses, hold }))
    }
}

/// One side of a mass quote that is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct QuoteCheck {
    /// Whether its quote stands there already, and keeps its place with no more than it has open.
    pub keeps_place: bool,
    /// The open quantity of the bid that leaves for it.
    pub freed_bid_lots: u64,
    /// The best price on its opposite side, without the account's own quotes that leave.
    pub opposite_best: Option<Price>,
    /// Whether the protection of the account's quotes was triggered here.
    pub is_protected: bool,
}

impl Gate<'_> {
    /// Checks one side of a mass quote by itself. What all sides come to together, places of open orders and funds, is checked by
    /// whoever sees all of them. `approval` is asked as for any order.
    ///
    /// # Errors
    /// The first reason that applies, in precedence order. Nothing has changed in any case.
    pub fn check_quote(
        &self,
        order: &NewOrder<'_>,
        check: &QuoteCheck,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked {
        let QuoteCheck { keeps_place, freed_bid_lots, opposite_best, is_protected } = *check;
        let instrument = self.instrument;
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: quotes have a quantity") };
        self.check_standing(order)?;
        check_price(instrument, order.price)?;
        check_quantity(instrument, quantity)?;
        if keeps_place {
            check_notional(instrument, order.price, quantity)?;
        } else {
            check_price_band(instrument, order, quantity)?;
        }
        check_order_rates(&self.risk.accounts()[order.account.index()])?;
        if keeps_place {
            return Ok(());
        }
        if order.side == Side::Buy {
            self.check_position(instrument, order.account, quantity.lots(), freed_bid_lots)?;
        }
        let crosses =
            opposite_best.is_some_and(|best| order.side.crosses(order.price, best)) && instrument.state.trades();
        ensure(!(order.flags.has(OrderFlags::POST_ONLY) && crosses), RejectReason::PostOnlyWouldTrade)?;
        ensure(!is_protected, RejectReason::QuoteProtectionTriggered)?;
        let need = approval(order.price, opposite_best);
        ensure(need.approvers == 0, RejectReason::OrderNotApprovable)
    }

    /// What a side of a mass quote must be covered with, and in which asset.
    pub fn quote_cover(&self, order: &NewOrder<'_>) -> (AssetId, Amount) {
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: quotes have a quantity") };
        let units = &self.instrument.units;
        match order.side {
            Side::Buy => {
                let takes = !order.flags.has(OrderFlags::POST_ONLY);
                let notional = units.notional(order.price, quantity);
                (units.quote, entry_hold(notional, self.quote_rates(order), takes, true))
            }
            Side::Sell => (units.base, units.base_amount(quantity)),
        }
    }

    fn quote_rates(&self, order: &NewOrder<'_>) -> FeeRates {
        let tier = self.risk.accounts()[order.account.index()].fee_tier;
        self.risk.fees.rates(self.instrument.fee_schedule, tier)
    }

    /// Holds what a side of a mass quote must be covered with, until its turn comes. All of it was checked.
    pub fn hold_quote_cover(&mut self, order: &NewOrder<'_>) {
        let (asset, cover) = self.quote_cover(order);
        self.ledger.funds(order.account, asset).hold(cover, Amount::ZERO);
    }

    /// Holds the funds of one side of a mass quote whose turn it is, in place of what it was covered with.
    pub fn hold_quote<'o>(&mut self, order: &'o NewOrder<'o>) -> HeldOrder<'o> {
        let rates = self.quote_rates(order);
        let (asset, cover) = self.quote_cover(order);
        let best = self.best(order.side.opposite());
        let crosses = best.is_some_and(|best| order.side.crosses(order.price, best)) && self.instrument.state.trades();
        let Size::Lots(quantity) = order.size else { unreachable!("Invariant: quotes have a quantity") };
        let units = &self.instrument.units;
        let hold = if crosses {
            cover
        } else {
            resting_hold(units, order.side, order.price, quantity, rates.maker, RoundedFee::default())
        };
        self.ledger.funds(order.account, asset).hold(hold, cover);
        let trade_group = self.risk.accounts()[order.account.index()].trade_group;
        HeldOrder { order, limit: order.price, rates, trade_group, crosses, hold }
    }

    /// Whether so many more orders can be open, when `leave` of the account's have left.
    ///
    /// # Errors
    /// When the account or the engine would have too many.
    pub fn check_quote_room(&self, account: AccountId, leave: usize, enter: usize) -> Checked {
        let account = &self.risk.accounts()[account.index()];
        let others = account.open_orders as usize - leave;
        let room =
            others + enter <= account.limits.open_orders_max as usize && self.open_orders - leave + enter <= ORDERS_MAX;
        ensure(room, RejectReason::OpenOrderLimitExceeded)
    }
}

/// Whether an instrument in this state lets an order come in.
fn check_state(state: InstrumentState, order: &NewOrder<'_>) -> Checked {
    check_admission(state, entry(order.time_in_force.rests() || order.conditions().trigger.is_some()))
}

/// What an order wants that can wait, or has to trade at once.
#[inline(always)]
fn entry(can_wait: bool) -> InstrumentAction {
    if can_wait { InstrumentAction::Enter } else { InstrumentAction::EnterAtOnce }
}

#[cold]
#[inline(never)]
fn check_admission(state: InstrumentState, action: InstrumentAction) -> Checked {
    match state.admits(action) {
        Admission::Admitted | Admission::Deferred => Ok(()),
        Admission::Refused(reason) => Err(reason),
    }
}

/// What an amendment has to know of an order that waits for its trigger.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// The trigger that the amendment names, if it names one.
    pub trigger: Option<Trigger>,
    /// The price at which the order fires now.
    pub fires_at: Price,
    /// The price of its source.
    pub price_now: Option<Price>,
}

/// What the gate decided about an amendment of an order that waits: its new limit, and where it fires from now on.
#[derive(Clone, Copy, Debug)]
pub struct WaitsAgain {
    /// The worst price that is held for.
    pub limit: Price,
    /// The price at which it fires.
    pub fires_at: Price,
}

impl Gate<'_> {
    /// Checks an amendment of an order that waits for its trigger. The old hold is released and the new one made.
    ///
    /// # Errors
    /// The first reason that applies; then nothing has changed.
    pub fn check_and_hold_waiting_amendment(
        &mut self,
        amendment: &Amendment<'_>,
        waits: &Waits,
        is_duplicate: impl FnOnce() -> bool,
        approval: impl FnOnce(Price, Option<Price>) -> ApprovalNeed,
    ) -> Checked<WaitsAgain> {
        let Amendment { order, rates, total, gone, old_price, old_total, old_hold, opposite_best, iceberg } =
            *amendment;
        let (risk, instrument) = (self.risk, self.instrument);
        check_admission(instrument.state, InstrumentAction::Enter)?;
        let account = check_account(risk, order)?;
        let is_limit = order.order_type == OrderType::Limit;
        if is_limit {
            check_price(instrument, order.price)?;
        }
        check_quantity(instrument, total)?;
        if is_limit {
            check_notional(instrument, order.price, total)?;
        }
        let fires_at = match &waits.trigger {
            None => waits.fires_at,
            Some(trigger) => check_trigger(instrument, order.side, trigger, waits.price_now)?,
        };
        if !is_limit {
            check_notional(instrument, fires_at, total)?;
        }
        ensure(total > gone, RejectReason::QuantityNotAboveExecuted)?;
        let moves = fires_at != waits.fires_at;
        let limit = if is_limit {
            order.price
        } else if moves {
            market_limit_around(instrument, order.side, fires_at)
        } else {
            old_price
        };
        let renames = order.client_order_id != ClientOrderId::Absent;
        let changes = limit != old_price || total != old_total || moves || renames;
        ensure(changes, RejectReason::AmendChangesNothing)?;
        let too_many = iceberg.is_some_and(|iceberg| iceberg.has_too_many_peaks(total));
        ensure(!too_many, RejectReason::TooManyPeaks)?;
        check_rates(account)?;
        check_client_order_id(account, order, is_duplicate)?;
        let (open, old_open) = (total - gone, old_total - gone);
        let reduction = limit == old_price && !moves && total <= old_total;
        if order.side == Side::Buy && !reduction {
            self.check_position(instrument, order.account, open.lots(), old_open.lots())?;
        }
        let hold = waiting_hold(instrument, order.side, limit, open, rates, order.time_in_force, false)
            .ok_or(RejectReason::InsufficientFunds)?;
        let asset = if order.side == Side::Buy { instrument.units.quote } else { instrument.units.base };
        let funds = self.ledger.funds(order.account, asset);
        ensure(funds.available() + old_hold >= hold, RejectReason::InsufficientFunds)?;
        if let Some(trigger) = &waits.trigger
            && moves
        {
            ensure(!is_there(order.side, trigger, fires_at, waits.price_now), RejectReason::WouldTriggerAtOnce)?;
        }

        let need = if reduction { ApprovalNeed::default() } else { approval(limit, opposite_best) };
        ensure(need.approvers == 0, RejectReason::AmendmentNeedsApproval)?;

        // After this point the amendment must succeed.
        funds.hold(hold, old_hold);
        Ok(WaitsAgain { limit, fires_at })
    }
}

/// The limit of a market order that fires at a price: the edge of the band around that.
fn market_limit_around(instrument: &Instrument, side: Side, fires_at: Price) -> Price {
    let band = instrument.band_around(fires_at);
    match side {
        Side::Buy => band.high,
        Side::Sell => band.low.max(Price::from_ticks(1)),
    }
}

/// Whether the price that a trigger waits for is there already.
fn is_there(side: Side, trigger: &Trigger, fires_at: Price, price_now: Option<Price>) -> bool {
    let rises = trigger.kind.rises(side);
    price_now.is_some_and(|now| if rises { now >= fires_at } else { now <= fires_at })
}

/// The best price of a side over several books.
#[cold]
#[inline(never)]
fn best_of_all(book: &Book, aside: &[Book], side: Side) -> Option<Price> {
    let books = core::iter::once(book).chain(aside);
    books.filter_map(|book| book.best(side)).reduce(|best, price| side.better(best, price))
}

/// Whether an order's account exists and may trade, for all that halts, permissions, restrictions and kill switches say.
#[inline(always)]
fn check_account<'r>(risk: &'r Risk, order: &NewOrder<'_>) -> Checked<&'r AccountRisk> {
    let account = risk.account(order.account).ok_or(RejectReason::UnknownAccount)?;
    if !account.standing.is_clear() {
        check_controls(risk, order.account, order.instrument, order.side)?;
    }
    ensure(account.permissions.allow(Permissions::TRADE), RejectReason::AccountNotPermitted)?;
    Ok(account)
}

/// What an account may not do for which something is not as it is for nearly all.
#[cold]
#[inline(never)]
fn check_controls(risk: &Risk, id: AccountId, instrument: InstrumentId, side: Side) -> Checked {
    let account = &risk.accounts()[id.index()];
    ensure(!account.standing.is_halted(), RejectReason::AccountHalted)?;
    ensure(account.permissions.allow(Permissions::TRADE), RejectReason::AccountNotPermitted)?;
    let restriction = risk.controls.restriction(id, account.trade_group, instrument);
    ensure(!restriction.forbids(side), RejectReason::AccountRestricted)?;
    ensure(!account.standing.is_killed(), RejectReason::KillSwitchEngaged)
}

#[inline(always)]
fn check_price(instrument: &Instrument, price: Price) -> Checked {
    ensure(price.ticks() > 0, RejectReason::PriceNotPositive)?;
    let increment = i64::from(instrument.limits().price_increment_ticks);
    ensure(increment == 1 || price.ticks() % increment == 0, RejectReason::PriceNotOnTick)
}

#[inline(always)]
fn check_quantity(instrument: &Instrument, quantity: Quantity) -> Checked {
    let limits = instrument.limits();
    ensure(!quantity.is_zero(), RejectReason::QuantityNotPositive)?;
    ensure(instrument.whole_lots(quantity) == quantity, RejectReason::QuantityNotOnLot)?;
    ensure(quantity >= limits.quantity_min, RejectReason::QuantityBelowMinimum)?;
    ensure(quantity <= limits.quantity_max, RejectReason::QuantityAboveMaximum)
}

fn check_iceberg(instrument: &Instrument, iceberg: Iceberg, quantity: Quantity) -> Checked {
    let Iceberg { peak, range, seed: _ } = iceberg;
    let on_lot = instrument.whole_lots(peak) == peak && instrument.whole_lots(range) == range;
    ensure(on_lot, RejectReason::PeakNotOnLot)?;
    ensure(peak.lots().saturating_add(range.lots()) <= quantity.lots(), RejectReason::PeakAboveQuantity)?;
    ensure(!iceberg.has_too_many_peaks(quantity), RejectReason::TooManyPeaks)
}

#[inline(always)]
fn check_notional(instrument: &Instrument, price: Price, quantity: Quantity) -> Checked {
    match instrument.compare_notional(RawNotional::of(price, quantity)) {
        Ordering::Less => Err(RejectReason::NotionalBelowMinimum),
        Ordering::Greater => Err(RejectReason::NotionalAboveMaximum),
        Ordering::Equal => Ok(()),
    }
}

/// Checks notional and band of an order by quantity, and gives the worst price it may trade at.
#[inline(always)]
fn check_price_band(instrument: &Instrument, order: &NewOrder<'_>, quantity: Quantity) -> Checked<Price> {
    match order.order_type {
        OrderType::Limit => {
            check_notional(instrument, order.price, quantity)?;
            let inside = instrument.band().is_none_or(|band| band.contains(order.price));
            ensure(inside, RejectReason::PriceOutsideBand)?;
            Ok(order.price)
        }
        OrderType::Market => {
            let limit = market_limit(instrument, order.side)?;
            let reference = instrument.band_reference().ok_or(RejectReason::NoReferencePrice)?;
            check_notional(instrument, reference, quantity)?;
            Ok(limit)
        }
    }
}

/// A market order's limit: the edge of the band.
fn market_limit(instrument: &Instrument, side: Side) -> Checked<Price> {
    let band = instrument.band().ok_or(RejectReason::NoReferencePrice)?;
    Ok(match side {
        Side::Buy => band.high,
        Side::Sell => band.low.max(Price::from_ticks(1)),
    })
}

/// Checks a trigger, and gives the price at which it fires.
fn check_trigger(instrument: &Instrument, side: Side, trigger: &Trigger, price_now: Option<Price>) -> Checked<Price> {
    if let Some(price) = trigger.price {
        ensure(price.ticks() > 0, RejectReason::TriggerPriceNotPositive)?;
        let increment = i64::from(instrument.limits().price_increment_ticks);
        ensure(price.ticks() % increment == 0, RejectReason::TriggerPriceNotOnTick)?;
        return Ok(price);
    }
    let trail = trigger.trail.expect("Invariant: a trigger has a price or a trail");
    Ok(trail.trigger(side, price_now.ok_or(RejectReason::NoTriggerReference)?))
}

#[inline(always)]
fn check_order_rates(account: &AccountRisk) -> Checked {
    check_rates(account)?;
    ensure(account.orders <= account.limits.orders_per_second_max, RejectReason::OrderRateExceeded)
}

#[inline(always)]
fn check_client_order_id(account: &AccountRisk, order: &NewOrder<'_>, is_duplicate: impl FnOnce() -> bool) -> Checked {
    let may_be_known = match order.client_order_id {
        ClientOrderId::Absent => false,
        ClientOrderId::Number(number) => number.get() <= account.client_number_max,
        ClientOrderId::Text(_) => true,
    };
    ensure(!(may_be_known && is_duplicate()), RejectReason::DuplicateClientOrderId)
}

#[inline(always)]
fn check_rates(account: &AccountRisk) -> Checked {
    ensure(account.messages <= account.limits.messages_per_second_max, RejectReason::MessageRateExceeded)
}
