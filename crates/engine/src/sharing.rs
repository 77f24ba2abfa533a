//! Matching where a price is shared: the orders of a level trade by the instrument's rule of allocation, not one after the
//! other.

use tradewright_book::{Allocation, Front, ProRata, Resting, Slot, Steps, TimeWeight};
use tradewright_types::{AllocationRule, AllocationTerms, Price, PriceSource, Quantity, SelfTradePrevention};

use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::{Ended, Taker};

/// A market's rule of allocation, and the room to work it out in.
#[derive(Clone, Debug)]
pub(crate) struct Sharing {
    pub(crate) terms: AllocationTerms,
    rule: Allocation,
    slots: Vec<Slot>,
    resting: Vec<Resting>,
    shares: Vec<Quantity>,
}

impl Sharing {
    /// The rule of these valid terms. `None` for price-time, which is matched without sharing.
    pub(crate) fn new(terms: AllocationTerms) -> Option<Box<Self>> {
        let pro_rata = ProRata { minimum: terms.minimum };
        let rule = match terms.rule {
            AllocationRule::PriceTime => return None,
            AllocationRule::ProRata => Allocation::ProRata(pro_rata),
            AllocationRule::Split => {
                Allocation::Steps(Steps::cme_k(None, Steps::NO_LEADS, terms.fifo_ppm, pro_rata, terms.leveling))
            }
            AllocationRule::TimeProRata => Allocation::TimeProRata(match terms.weight {
                0 => TimeWeight::Zero,
                1 => TimeWeight::One,
                _ => TimeWeight::Three,
            }),
        };
        let (slots, resting, shares) = (Vec::new(), Vec::new(), Vec::new());
        Some(Box::new(Self { terms, rule, slots, resting, shares }))
    }
}

impl Floor<'_> {
    /// Matches a taker where prices are shared or not everything is displayed, until it is done or nobody is left to trade with.
    #[inline(never)]
    pub(crate) fn take_by_level(&mut self, taker: &mut Taker, emit: &mut Emitter<'_>) -> Ended {
        while taker.has_rest() {
            let Some(front) = self.front_of_all(taker.side.opposite(), taker.limit) else {
                return Ended::Liquidity;
            };
            if self.market.sharing.is_none() || self.open.conditions(front.slot).hidden {
                match self.take_one(taker, front, emit) {
                    None => continue,
                    Some(ended) => return ended,
                }
            }
            if !self.prevent_level(taker, front.price, emit) {
                return Ended::Prevention;
            }
            let offered = self.market.book.open_at(taker.side.opposite(), front.price);
            if offered.is_zero() || !taker.has_rest() {
                continue;
            }
            let quantity = match taker.amount {
                None => taker.open.min(offered),
                Some(_) => self.payable(taker, front.price, offered),
            };
            if quantity.is_zero() {
                return Ended::Amount;
            }
            if self.trips(taker, front.price, emit) {
                return Ended::Stopped;
            }
            self.share(taker, front.price, quantity, emit);
            self.observe(front.price);
            if taker.amount.is_some() && quantity < offered {
                return Ended::Amount;
            }
        }
        Ended::Liquidity
    }

    /// Lets a taker meet its own orders of a level, in time order. Returns whether it goes on.
    fn prevent_level(&mut self, taker: &mut Taker, price: Price, emit: &mut Emitter<'_>) -> bool {
        if taker.self_trade_prevention == SelfTradePrevention::None {
            return true;
        }
        let slots = self.queue_at(taker, price);
        for slot in slots {
            if !taker.has_rest() {
                break;
            }
            let is_own = self.is_own(taker, self.open.slab[slot].account);
            if is_own && !self.prevent(taker, Front { slot, price }, emit) {
                return false;
            }
        }
        true
    }

    /// The orders that stand at a price on the side that a taker takes from.
    fn queue_at(&self, taker: &Taker, price: Price) -> Vec<Slot> {
        let (book, side) = (&self.market.book, taker.side.opposite());
        let level = book.levels(side).find(|(at, _)| *at == price);
        level.map_or(Vec::new(), |(_, level)| book.queue(&self.open.slab, level).collect())
    }

    /// Trades `quantity` at a price, shared by the rule; the trades are in time order.
    fn share(&mut self, taker: &mut Taker, price: Price, quantity: Quantity, emit: &mut Emitter<'_>) {
        let (book, side) = (&self.market.book, taker.side.opposite());
        let Some(sharing) = self.market.sharing.as_deref_mut() else { return };
        let Sharing { terms: _, rule, slots, resting, shares } = sharing;
        slots.clear();
        resting.clear();
        if let Some((_, level)) = book.levels(side).next() {
            slots.extend(book.queue(&self.open.slab, level));
        }
        let open = |slot: &Slot| Resting { open: self.open.slab[*slot].open, ..Resting::default() };
        resting.extend(slots.iter().map(open));
        rule.allocate(quantity, resting, shares);
        let count = slots.len();
        for place in 0..count {
            let (slot, share) = self
                .market
                .sharing
                .as_deref()
                .map_or((Slot::NONE, Quantity::ZERO), |sharing| (sharing.slots[place], sharing.shares[place]));
            // A rebate may have spent an amount to the last quantum before everybody has had a share.
            if !share.is_zero() && taker.has_rest() {
                self.trade_any(taker, Front { slot, price }, share, emit);
            }
        }
        self.market.instrument.set_last(price);
        if self.market.triggers.is_some() {
            self.price_came(PriceSource::Last, price);
        }
    }
}
