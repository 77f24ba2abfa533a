//! Matching where a price is shared: the orders of a level trade by the instrument's rule of allocation, not one after the
//! other.

use tradewright_book::{Allocation, Front, ProRata, Resting, Slot, Steps, TimeWeight, Top};
use tradewright_types::{
    AccountId, AllocationRule, AllocationTerms, Decoded, Price, PriceSource, Quantity, RejectReason,
    SelfTradePrevention, Side, TopTerms,
};

use crate::aside::displayed_at;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::{Ended, Taker};

/// A market's rule of allocation, and the room to work it out in.
#[derive(Clone, Debug)]
pub(crate) struct Sharing {
    pub(crate) terms: AllocationTerms,
    /// The privilege of the order that bettered the market.
    pub(crate) top: Option<TopTerms>,
    /// The place in time of the order of each side that has it; 0 is none. A place is given once, and who loses it has another:
    /// so an order that is closed, or that stands elsewhere, is no TOP order any more.
    pub(crate) top_priorities: [u64; 2],
    /// What each lead market maker gets, by ascending account.
    pub(crate) leads: Vec<(AccountId, u32)>,
    rule: Allocation,
    slots: Vec<Slot>,
    resting: Vec<Resting>,
    shares: Vec<Quantity>,
}

impl Sharing {
    /// The rule of these valid terms. `None` for price-time, which is matched without sharing.
    pub(crate) fn new(terms: AllocationTerms) -> Option<Box<Self>> {
        let rule = match terms.rule {
            AllocationRule::PriceTime => return None,
            AllocationRule::ProRata => Allocation::ProRata(ProRata { minimum: terms.minimum }),
            AllocationRule::Split => Allocation::PriceTime,
            AllocationRule::TimeProRata => Allocation::TimeProRata(match terms.weight {
                0 => TimeWeight::Zero,
                1 => TimeWeight::One,
                _ => TimeWeight::Three,
            }),
        };
        let (slots, resting, shares, leads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut sharing = Self { terms, top: None, top_priorities: [0; 2], leads, rule, slots, resting, shares };
        sharing.refresh_steps();
        Some(Box::new(sharing))
    }

    /// Whether the rule has steps for TOP and lead market makers.
    pub(crate) fn has_steps(&self) -> bool {
        self.terms.rule == AllocationRule::Split
    }

    /// Sets or removes the privilege of the order that bettered the market. Nobody stands on the book.
    pub(crate) fn set_top(&mut self, top: Option<TopTerms>) {
        (self.top, self.top_priorities) = (top, [0; 2]);
        self.refresh_steps();
    }

    /// Sets what a lead market maker gets; with nothing it is none.
    ///
    /// # Errors
    /// When all together are promised too much, or there are too many.
    pub(crate) fn set_lead(&mut self, account: AccountId, share_ppm: u32) -> Decoded<()> {
        let mut leads = self.leads.clone();
        leads.retain(|(lead, _)| *lead != account);
        if share_ppm > 0 {
            let place = leads.partition_point(|(lead, _)| *lead < account);
            leads.insert(place, (account, share_ppm));
        }
        if leads.iter().map(|(_, ppm)| u64::from(*ppm)).sum::<u64>() > 1_000_000 {
            return Err(RejectReason::LeadsAboveWhole);
        }
        if leads.len() > Steps::LEADS_MAX {
            return Err(RejectReason::TooManyLeads);
        }
        self.leads = leads;
        self.refresh_steps();
        Ok(())
    }

    /// Works the steps of the rule out anew.
    fn refresh_steps(&mut self) {
        if !self.has_steps() {
            return;
        }
        let Self { terms, top, leads, .. } = self;
        let top = top.map(|TopTerms { minimum, maximum }| Top { minimum, maximum });
        let mut leads_ppm = Steps::NO_LEADS;
        for (place, (_, ppm)) in leads_ppm.iter_mut().zip(leads) {
            *place = *ppm;
        }
        let pro_rata = ProRata { minimum: terms.minimum };
        self.rule = Allocation::Steps(Steps::cme_k(top, leads_ppm, terms.fifo_ppm, pro_rata, terms.leveling));
    }

    /// Notes that an order takes its place with `open` lots at a price that betters its side: it is TOP now, if it is large enough.
    /// In a call nobody becomes TOP, but whoever betters the price ends it.
    fn better(&mut self, is_call: bool, side: Side, open: Quantity, priority: u64) {
        let admitted = !is_call && self.top.is_some_and(|top| open >= top.minimum);
        self.top_priorities[side as usize] = if admitted { priority } else { 0 };
    }

    pub(crate) fn check_invariants(&self, last_priority: u64) {
        let Self { terms: _, top, top_priorities, leads, rule, slots: _, resting: _, shares: _ } = self;
        rule.check().expect("Invariant: a rule of allocation makes sense");
        assert!(
            self.has_steps() || top.is_none() && leads.is_empty(),
            "Invariant: only a rule with steps has TOP and leads"
        );
        let given = |priority: &u64| *priority <= last_priority && (*priority == 0 || top.is_some());
        assert!(top_priorities.iter().all(given), "Invariant: TOP is an order that came to its place");
        assert!(leads.is_sorted_by(|(a, _), (b, _)| a < b), "Invariant: an account is lead once");
    }
}

impl Floor<'_> {
    /// An order is about to take its place on the book where prices are shared: it may better the market.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_top(&mut self, slot: Slot, price: Price) {
        let side = self.open.slab[slot].terms.side;
        let best = self.market.book.best(side);
        // A price is better than another one of its side when the other would cross it.
        let betters = best.is_none_or(|best| best != price && side.crosses(price, best));
        let is_call = self.is_gathering();
        if let Some(sharing) = self.market.sharing.as_deref_mut()
            && sharing.top.is_some()
            && betters
        {
            sharing.better(is_call, side, self.open.slab[slot].open, self.open.notes[slot.0 as usize].priority);
        }
    }

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
            let offered = self.displayed_open_at(taker.side.opposite(), front.price);
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
            let is_protected = self.share(taker, front.price, quantity, emit);
            self.observe(front.price);
            if is_protected {
                return Ended::Protection;
            }
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

    /// The displayed orders at a price on the side that a taker takes from.
    fn queue_at(&self, taker: &Taker, price: Price) -> Vec<Slot> {
        displayed_at(self.market, self.open, taker.side.opposite(), price)
    }

    /// Trades `quantity` at a price, shared by the rule; the trades are in time order. Returns whether the taker's protection ended it.
    fn share(&mut self, taker: &mut Taker, price: Price, quantity: Quantity, emit: &mut Emitter<'_>) -> bool {
        let queue = self.queue_at(taker, price);
        let Some(sharing) = self.market.sharing.as_deref_mut() else { return false };
        let Sharing { terms: _, top: _, top_priorities, leads, rule, slots, resting, shares } = sharing;
        slots.clear();
        resting.clear();
        slots.extend(queue);
        let top_priority = top_priorities[taker.side.opposite() as usize];
        let as_resting = |slot: &Slot| {
            let order = &self.open.slab[*slot];
            let lead = leads.binary_search_by_key(&order.account, |(lead, _)| *lead).ok();
            Resting {
                open: order.open,
                is_top: self.open.notes[slot.0 as usize].priority == top_priority,
                lead: lead.map(|lead| lead as u8),
            }
        };
        resting.extend(slots.iter().map(as_resting));
        rule.allocate(quantity, resting, shares);
        let count = slots.len();
        let mut is_protected = false;
        let mut has_come = false;
        for place in 0..count {
            let (slot, share) = self
                .market
                .sharing
                .as_deref()
                .map_or((Slot::NONE, Quantity::ZERO), |sharing| (sharing.slots[place], sharing.shares[place]));
            // A rebate may have spent an amount to the last quantum before everybody has had a share.
            if !share.is_zero() && taker.has_rest() {
                let quote = self.quote_at(slot);
                self.trade_any(taker, Front { slot, price }, share, emit);
                if self.market.triggers.is_some() && !has_come {
                    self.price_came(PriceSource::Last, price);
                }
                has_come = true;
                is_protected = self.protect(taker, quote, share, emit);
                if is_protected {
                    break;
                }
            }
        }
        self.market.instrument.set_last(price);
        is_protected
    }
}
