//! Matching: a taker against the book, price then time, at the makers' prices.

use tradewright_book::{Front, Slot};
use tradewright_ledger::{Fill, TakerSettlement};
use tradewright_types::{
    AccountId, Amount, CloseReason, EventFlags, FeeRate, OrderFlags, OrderId, Price, PriceSource, Quantity, RoundedFee,
    SelfTradePrevention, Side,
};

use crate::emit::{Emitter, Match};
use crate::floor::{Floor, Market};

/// An approved order while it takes.
#[derive(Debug)]
pub(crate) struct Taker {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) trade_group: u32,
    pub(crate) side: Side,
    /// The worst price it takes.
    pub(crate) limit: Price,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    /// What is open; zero for an order by amount.
    pub(crate) open: Quantity,
    /// The quote amount of an order by amount, or what prevention left of it.
    pub(crate) amount: Option<Amount>,
    pub(crate) rate: FeeRate,
    pub(crate) fee: RoundedFee,
    /// What self-trade prevention took.
    pub(crate) prevented: Quantity,
    /// What a transfer took out of its hold.
    pub(crate) transferred: Amount,
    pub(crate) settlement: TakerSettlement,
}

/// Why matching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nobody stands within the limit any more, or nothing is left to trade.
    Liquidity,
    /// The instrument does not trade, or not any more.
    Stopped,
    /// What is left of the amount does not pay for what the next maker offers.
    Amount,
    /// The taker is a quote whose protection was triggered.
    Protection,
    /// Self-trade prevention closed the taker.
    Prevention,
}

impl Ended {
    /// Whether what is left may rest.
    #[inline(always)]
    pub(crate) fn leaves_rest(self) -> bool {
        matches!(self, Self::Liquidity | Self::Stopped)
    }

    /// Why what is left expires that may not rest.
    #[inline(always)]
    pub(crate) fn expiry(self) -> Option<CloseReason> {
        match self {
            Self::Amount => Some(CloseReason::QuoteAmountSpent),
            Self::Protection => Some(CloseReason::QuoteProtection),
            Self::Liquidity | Self::Stopped | Self::Prevention => None,
        }
    }
}

impl Taker {
    /// What an order by amount has not spent. An ask spends its gross.
    #[inline(always)]
    pub(crate) fn unspent(&self) -> Amount {
        self.amount.map_or(Amount::ZERO, |amount| {
            amount
                - match self.side {
                    Side::Buy => self.settlement.paid(),
                    Side::Sell => self.settlement.notional_total(),
                }
        })
    }

    /// Whether anything is left to trade.
    #[inline(always)]
    pub(crate) fn has_rest(&self) -> bool {
        match self.amount {
            None => !self.open.is_zero(),
            Some(_) => self.unspent().is_positive(),
        }
    }
}

impl Floor<'_> {
    /// Matches a taker until it is done or nobody is left to trade with.
    #[inline(always)]
    pub(crate) fn take(&mut self, taker: &mut Taker, emit: &mut Emitter<'_>) -> Ended {
        if self.market.is_special {
            return self.take_specially(taker, emit);
        }
        self.take_in_time::<false>(taker, emit)
    }

    /// Matches in the order of time; guarded under a circuit breaker, and where there are lists or quotes.
    #[inline(always)]
    fn take_in_time<const GUARDED: bool>(&mut self, taker: &mut Taker, emit: &mut Emitter<'_>) -> Ended {
        let mut last = None;
        let ended = loop {
            if !taker.has_rest() {
                break Ended::Liquidity;
            }
            let Some(front) = self.market.book.front_within(taker.side.opposite(), taker.limit) else {
                break Ended::Liquidity;
            };
            let maker = &self.open.slab[front.slot];
            if taker.self_trade_prevention != SelfTradePrevention::None && self.is_own(taker, maker.account) {
                if self.prevent(taker, front, emit) {
                    continue;
                }
                break Ended::Prevention;
            }
            let offered = maker.open;
            let quantity = match taker.amount {
                None => taker.open.min(offered),
                Some(_) => self.payable(taker, front.price, offered),
            };
            if quantity.is_zero() {
                break Ended::Amount;
            }
            if GUARDED && self.trips(taker, front.price, emit) {
                break Ended::Stopped;
            }
            if GUARDED && self.market.lists > 0 {
                self.before_trade(front.slot, emit);
            }
            let quote = if GUARDED { self.quote_at(front.slot) } else { None };
            self.trade(taker, front, quantity, emit);
            if GUARDED {
                self.observe(front.price);
            }
            // A price that is there already moves nobody.
            if self.market.triggers.is_some() && last != Some(front.price) {
                self.price_came(PriceSource::Last, front.price);
            }
            last = Some(front.price);
            if GUARDED && self.protect(taker, quote, quantity, emit) {
                break Ended::Protection;
            }
            if taker.amount.is_some() && quantity < offered {
                break Ended::Amount;
            }
        };
        if let Some(price) = last {
            self.market.instrument.set_last(price);
        }
        ended
    }

    /// The same where it is not enough to look at the front of the book.
    #[cold]
    #[inline(never)]
    fn take_specially(&mut self, taker: &mut Taker, emit: &mut Emitter<'_>) -> Ended {
        if !self.market.instrument.state.trades() {
            return Ended::Stopped;
        }
        if self.market.sharing.is_some() || self.market.aside.is_some() {
            return self.take_by_level(taker, emit);
        }
        self.take_in_time::<true>(taker, emit)
    }

    /// Whether a maker is the taker itself, or of its trade group.
    #[inline(always)]
    pub(crate) fn is_own(&self, taker: &Taker, maker: AccountId) -> bool {
        maker == taker.account
            || taker.trade_group != 0 && self.risk.accounts()[maker.index()].trade_group == taker.trade_group
    }

    /// One trade with an order of the displayed book.
    #[inline(always)]
    fn trade(&mut self, taker: &mut Taker, front: Front, quantity: Quantity, emit: &mut Emitter<'_>) {
        let done = self.post_trade(taker, front, quantity, emit);
        self.shrink(front, taker.side.opposite(), quantity, done, emit);
    }

    /// Posts a trade and tells of it. Returns whether the maker has nothing left on the book.
    #[inline(always)]
    pub(crate) fn post_trade(
        &mut self,
        taker: &mut Taker,
        front: Front,
        quantity: Quantity,
        emit: &mut Emitter<'_>,
    ) -> bool {
        let Front { slot, price } = front;
        let Market { instrument, trades, .. } = &mut *self.market;
        let maker = &mut self.open.slab[slot];
        let (maker_id, maker_account, maker_done) = (maker.id, maker.account, quantity == maker.open);
        let notional = instrument.units.notional(price, quantity);
        let fill = Fill {
            maker: maker_account,
            base: instrument.units.base_amount(quantity),
            notional,
            taker_fee: taker.fee.charge(taker.rate, notional),
            maker_fee: maker.terms.maker_fee.charge(maker.terms.maker_rate, notional),
        };
        self.ledger.settle_maker(&mut taker.settlement, &fill);
        if taker.side == Side::Sell {
            *instrument.open_bids_mut(maker_account) -= quantity.lots();
        }
        if taker.amount.is_none() {
            taker.open -= quantity;
        }
        *trades += 1;
        let taker_done = EventFlags::TAKER_DONE.when(!taker.has_rest());
        emit.trade(&Match {
            instrument: self.id,
            taker: taker.id,
            taker_account: taker.account,
            maker: maker_id,
            maker_account,
            side: taker.side,
            price,
            quantity,
            open: taker.open,
            amount: fill.taker_fee,
            counter_amount: fill.maker_fee,
            flags: EventFlags::MAKER_DONE.when(maker_done).with(taker_done),
            reference: *trades,
        });
        maker_done
    }

    /// Takes what was traded from a maker; one that has nothing left goes.
    #[inline(always)]
    fn shrink(&mut self, maker: Front, side: Side, quantity: Quantity, done: bool, emit: &mut Emitter<'_>) {
        let Front { slot, price } = maker;
        let book = &mut self.market.book;
        if done {
            book.remove(&mut self.open.slab, side, slot);
            if self.open.slab[slot].terms.flags.are_plain() {
                self.forget_plain(slot);
            } else {
                self.leave_filled(slot, price, emit);
            }
        } else {
            book.reduce(&mut self.open.slab, side, slot, quantity);
            self.open.mark(slot);
        }
    }

    /// A maker that is not plain has traded all that it showed, and has left the book.
    #[cold]
    #[inline(never)]
    fn leave_filled(&mut self, slot: Slot, price: Price, emit: &mut Emitter<'_>) {
        let has_conditions = self.open.slab[slot].terms.flags.has(OrderFlags::CONDITIONS);
        if !(has_conditions && self.refresh(slot, price, emit)) {
            self.forget(slot);
        }
    }

    /// How many lots the rest of an amount pays for at `price`, rounded down to the quantity increment, but at most the
    /// `offered` ones.
    pub(crate) fn payable(&self, taker: &Taker, price: Price, offered: Quantity) -> Quantity {
        let instrument = &self.market.instrument;
        let increment = instrument.limits().quantity_increment_lots;
        let rest = taker.unspent();
        // An increment that is larger than the book's orders may be worth more than any amount.
        let fits = |increments: u64| {
            let Some(lots) = increments.checked_mul(increment) else { return false };
            let notional = instrument.value_at_worst(price, Quantity::from_lots(lots));
            notional.is_some_and(|notional| match taker.side {
                Side::Sell => notional <= rest,
                Side::Buy => notional + taker.fee.clone().charge(taker.rate, notional) <= rest,
            })
        };
        // Limits may have changed since the maker came in: then it is no multiple of the increment, and the next one counts.
        let whole = offered.lots().div_ceil(increment);
        if fits(whole) {
            return offered;
        }
        // The cost rises with the quantity, so the largest that fits is found by halving.
        let (mut most, mut too_many) = (0, whole);
        while too_many - most > 1 {
            let middle = most + (too_many - most) / 2;
            if fits(middle) { most = middle } else { too_many = middle }
        }
        Quantity::from_lots(most * increment)
    }

    /// Whether others than the taker itself offer the quantity `wanted` within its limit.
    pub(crate) fn can_fill(&self, taker: &Taker, mut wanted: Quantity) -> bool {
        // What does not trade now is not judged by what it could trade.
        if !self.market.instrument.state.trades() {
            return true;
        }
        if self.market.icebergs > 0 || self.market.aside.is_some() {
            return self.can_fill_unseen(taker, wanted);
        }
        let side = taker.side.opposite();
        let book = &self.market.book;
        let mode = taker.self_trade_prevention;
        let mut stops = self.stops(taker);
        for (price, level) in book.levels(side) {
            if !taker.side.crosses(taker.limit, price) {
                return false;
            }
            if mode == SelfTradePrevention::None {
                if stops(price) {
                    return false;
                }
                wanted = wanted.saturating_sub(level.open());
            } else {
                let closes = matches!(mode, SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth);
                let is_own = |slot: Slot| self.is_own(taker, self.open.slab[slot].account);
                // Where a price is shared, own orders of a level are met before any of it trades.
                if closes && self.market.sharing.is_some() && book.queue(&self.open.slab, level).any(is_own) {
                    return false;
                }
                for slot in book.queue(&self.open.slab, level) {
                    let maker = &self.open.slab[slot];
                    if !self.is_own(taker, maker.account) {
                        if stops(price) {
                            return false;
                        }
                        wanted = wanted.saturating_sub(maker.open);
                    } else if closes {
                        return false;
                    }
                    if wanted.is_zero() {
                        return true;
                    }
                }
            }
            if wanted.is_zero() {
                return true;
            }
        }
        false
    }
}
