//! Quotes: the two-sided orders of market makers on many instruments, replaced in one command.
//!
//! A quote is a limit order with a flag. What a mass quote changes is worked out and checked as a whole before anything is; then
//! what goes or shrinks does, and then what is new comes in, one after the other. What protects whoever shows quotes stands in
//! `protection.rs`.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_book::{Book, Slot};
use tradewright_risk::{HeldOrder, QuoteCheck, resting_hold};
use tradewright_types::{
    AccountId, Amount, AssetId, CancelQuotes, ClientOrderId, CloseReason, Decoded, EventKind, InstrumentId, MassQuote,
    OrderFlags, OrderId, Price, ProtectionScope, Quantity, QuoteEntry, RejectReason, Side, Size,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::{Closing, Emitter};
use crate::floor::{Floor, Market, hold_of, price_of};
use crate::protection::{Protection, Reached};

/// The open quotes of all accounts, and their protections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quotes {
    open: BTreeMap<(AccountId, InstrumentId, Side), Slot>,
    /// The quote that comes in now, as long as it stands in no queue; 0 is none.
    pub(crate) entering: OrderId,
    pub(crate) protections: BTreeMap<ProtectionScope, Protection>,
    /// Those that were triggered and have not done their part yet.
    pub(crate) reached: Vec<Reached>,
    /// Accounts whose quotes on other instruments than the one that trades are still to go.
    pub(crate) elsewhere: BTreeSet<AccountId>,
}

impl Quotes {
    /// The open quote of an account on one side of an instrument.
    pub(crate) fn of(&self, account: AccountId, instrument: InstrumentId, side: Side) -> Option<Slot> {
        self.open.get(&(account, instrument, side)).copied()
    }

    /// The open quotes of an account.
    pub(crate) fn of_account(&self, account: AccountId) -> impl Iterator<Item = (InstrumentId, Slot)> + '_ {
        let next = AccountId(account.0 + 1);
        let from = |account| (account, InstrumentId(0), Side::Buy);
        self.open.range(from(account)..from(next)).map(|((_, instrument, _), slot)| (*instrument, *slot))
    }

    /// Notes an open quote. Returns whether there was none at its place.
    pub(crate) fn note(&mut self, account: AccountId, instrument: InstrumentId, side: Side, slot: Slot) -> bool {
        self.open.insert((account, instrument, side), slot).is_none()
    }
}

/// What becomes of one side of an account's quotes on an instrument.
#[derive(Clone, Copy, Debug)]
struct QuoteSide {
    instrument: InstrumentId,
    side: Side,
    price: Price,
    /// What is to be open; zero withdraws it.
    open: Quantity,
    /// The quote that stands there now.
    old: Option<Slot>,
    /// Whether that keeps its place.
    keeps: bool,
}

impl QuoteSide {
    /// Whether an order is to come in.
    fn enters(&self) -> bool {
        !self.open.is_zero() && !self.keeps
    }

    /// The quote that is to go.
    fn leaves(&self) -> Option<Slot> {
        self.old.filter(|_| !self.keeps)
    }
}

impl Engine {
    /// Replaces an account's quotes, on all the instruments that it names or on none.
    #[cold]
    #[inline(never)]
    pub(crate) fn mass_quote(&mut self, quote: &MassQuote, emit: &mut Emitter<'_>) -> Decoded<()> {
        let sides = self.plan_quotes(quote)?;
        self.check_quotes_together(quote, sides.as_flattened())?;
        // After this point the mass quote must succeed.
        self.tell_quotes(quote, &sides, emit);
        for side in sides.as_flattened() {
            if let Some(slot) = side.leaves() {
                self.floor_of(slot).close_as(slot, EventKind::OrderCancelled, CloseReason::QuoteReplaced, emit);
            } else if let Some(slot) = side.old {
                self.floor_of(slot).shrink_quote(slot, side.open, emit);
            }
        }
        // From here on nobody else can have what the new quotes need.
        for side in sides.as_flattened().iter().filter(|side| side.enters()) {
            let order = quote.order(side.instrument, side.side, side.price, side.open);
            self.known_floor(side.instrument).gate().0.hold_quote_cover(&order);
        }
        for side in sides.as_flattened().iter().filter(|side| side.enters()) {
            self.enter_quote(quote, side, emit);
            self.finish_protections(emit);
        }
        Ok(())
    }

    /// Cancels an account's quotes: all of them, or those on one instrument.
    #[cold]
    #[inline(never)]
    pub(crate) fn cancel_quotes(&mut self, cancel: &CancelQuotes, emit: &mut Emitter<'_>) -> Decoded<()> {
        if cancel.instrument.is_some_and(|instrument| instrument.index() >= self.markets.len()) {
            return Err(RejectReason::UnknownInstrument);
        }
        self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let own = self.open.quotes.of_account(cancel.account);
        let wanted = own.filter(|(id, _)| cancel.instrument.is_none_or(|instrument| instrument == *id));
        let slots = wanted.map(|(_, slot)| (self.open.slab[slot].id, slot)).collect();
        self.cancel_each(slots, CloseReason::CancelledAll, emit);
        Ok(())
    }

    /// Works out what becomes of both sides of each entry, and checks each by itself.
    fn plan_quotes(&mut self, quote: &MassQuote) -> Decoded<Vec<[QuoteSide; 2]>> {
        for entry in &quote.entries {
            self.markets.get(entry.instrument.index()).ok_or(RejectReason::UnknownInstrument)?;
        }
        self.risk.account(quote.account).ok_or(RejectReason::UnknownAccount)?;
        let mut sides = Vec::with_capacity(quote.entries.len());
        for entry in &quote.entries {
            let planned = self.plan_entry(quote.account, entry);
            for place in [0, 1] {
                self.check_quote_side(quote, &planned[place], &planned[1 - place])?;
            }
            sides.push(planned);
        }
        Ok(sides)
    }

    fn plan_entry(&self, account: AccountId, entry: &QuoteEntry) -> [QuoteSide; 2] {
        let QuoteEntry { instrument, bid, ask } = *entry;
        let market = &self.markets[instrument.index()];
        [(Side::Buy, bid), (Side::Sell, ask)].map(|(side, (price, open))| {
            let old = self.open.quotes.of(account, instrument, side);
            let keeps = old.is_some_and(|slot| {
                !open.is_zero() && open <= self.open.slab[slot].open && price_of(market, &self.open, slot) == price
            });
            QuoteSide { instrument, side, price, open, old, keeps }
        })
    }

    /// Checks one side of an entry; `other` is the other one.
    fn check_quote_side(&mut self, quote: &MassQuote, side: &QuoteSide, other: &QuoteSide) -> Decoded<()> {
        if side.open.is_zero() {
            return Ok(());
        }
        let order = quote.order(side.instrument, side.side, side.price, side.open);
        let freed = side.old.filter(|_| side.side == Side::Buy);
        let check = QuoteCheck {
            keeps_place: side.keeps,
            freed_bid_lots: freed.map_or(0, |slot| self.open.slab[slot].open.lots()),
            opposite_best: self.best_without(side.instrument, other.side, other.leaves()),
            is_protected: self.open.quotes.is_triggered(quote.account, side.instrument),
        };
        let mut floor = self.floor(side.instrument).expect("Invariant: the plan has seen the instrument");
        let (gate, open, market) = floor.gate_beside();
        let stake = Stake { risk: gate.risk, market, open, gone: side.old };
        gate.check_quote(&order, &check, |limit, opposite_best| stake.approval(&order, limit, opposite_best))
    }

    /// The best price of a side as if an order were gone.
    fn best_without(&self, instrument: InstrumentId, side: Side, gone: Option<Slot>) -> Option<Price> {
        let best = |book: &Book| {
            let mut levels = book.levels(side);
            let is_left = |slot: Slot| Some(slot) != gone;
            levels.find(|(_, level)| book.queue(&self.open.slab, level).any(is_left)).map(|(price, _)| price)
        };
        let market = &self.markets[instrument.index()];
        market.books().filter_map(best).reduce(|one, other| side.better(one, other))
    }

    /// Checks what all sides come to together: the places of open orders, and the funds.
    fn check_quotes_together(&mut self, quote: &MassQuote, sides: &[QuoteSide]) -> Decoded<()> {
        let entering = || sides.iter().filter(|side| side.enters());
        let Some(first) = entering().next() else { return Ok(()) };
        let leave = sides.iter().filter(|side| side.leaves().is_some()).count();
        let mut floor = self.known_floor(first.instrument);
        let (gate, _) = floor.gate();
        gate.check_quote_room(quote.account, leave, entering().count())?;
        // What is there for the new quotes, asset by asset. No balance is so large that it could not be added to.
        let mut there: BTreeMap<AssetId, Amount> = BTreeMap::new();
        let balance = |asset| self.ledger.balance(quote.account, asset).available;
        for side in sides {
            let market = &self.markets[side.instrument.index()];
            let units = &market.instrument.units;
            let asset = if side.side == Side::Buy { units.quote } else { units.base };
            let freed = side.old.map_or(Amount::ZERO, |slot| {
                let stays = if side.keeps { self.quote_hold(market, slot, side.open) } else { Amount::ZERO };
                hold_of(market, &self.open, slot).1 - stays
            });
            *there.entry(asset).or_insert_with(|| balance(asset)) += freed;
        }
        for side in entering() {
            let order = quote.order(side.instrument, side.side, side.price, side.open);
            let mut floor = self.known_floor(side.instrument);
            let (gate, _) = floor.gate();
            let (asset, cover) = gate.quote_cover(&order);
            let left = there.entry(asset).or_default();
            if *left < cover {
                return Err(RejectReason::InsufficientFunds);
            }
            *left -= cover;
        }
        Ok(())
    }

    /// What a quote would hold with so much open.
    fn quote_hold(&self, market: &Market, slot: Slot, open: Quantity) -> Amount {
        let terms = &self.open.slab[slot].terms;
        let price = price_of(market, &self.open, slot);
        resting_hold(&market.instrument.units, terms.side, price, open, terms.maker_rate, terms.maker_fee)
    }

    /// Tells of each entry, with the ids that its sides have or are about to get.
    fn tell_quotes(&self, quote: &MassQuote, sides: &[[QuoteSide; 2]], emit: &mut Emitter<'_>) {
        let mut last = self.last_order;
        for (entry, planned) in quote.entries.iter().zip(sides) {
            let ids = planned.map(|side| {
                if side.enters() {
                    last.0 += 1;
                    return last;
                }
                side.old.filter(|_| side.keeps).map_or(OrderId(0), |slot| self.open.slab[slot].id)
            });
            emit.quoted(quote.account, entry, ids);
        }
    }

    /// Lets a checked side come in, whose turn it is.
    fn enter_quote(&mut self, quote: &MassQuote, side: &QuoteSide, emit: &mut Emitter<'_>) {
        let order = quote.order(side.instrument, side.side, side.price, side.open);
        let is_protected = self.open.quotes.is_triggered(quote.account, side.instrument);
        let mut floor = self.known_floor(side.instrument);
        let held = floor.gate().0.hold_quote(&order);
        if is_protected {
            floor.expire_quote(&held, emit);
        } else {
            floor.execute_quote(&held, emit);
        }
    }
}

impl Floor<'_> {
    /// Leaves a quote no more than `open` in its place. Nothing changes when that is what it has.
    fn shrink_quote(&mut self, slot: Slot, open: Quantity, emit: &mut Emitter<'_>) {
        let order = self.open.slab[slot];
        let less = order.open - open;
        if less.is_zero() {
            return;
        }
        let (asset, old_hold) = self.hold_of(slot);
        self.reduce_resting(slot, less);
        let total = self.open.notes[slot.0 as usize].total - less;
        self.open.notes[slot.0 as usize].total = total;
        if order.terms.side == Side::Buy {
            *self.market.instrument.open_bids_mut(order.account) -= less.lots();
        }
        let (_, hold) = self.hold_of(slot);
        self.ledger.release(order.account, asset, old_hold - hold);
        emit.amended(&self.closing(slot), total, true, &ClientOrderId::Absent);
    }

    /// Takes a quote through the market.
    fn execute_quote(&mut self, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        // From here on the market takes care: trades of quotes count.
        self.market.quotes += 1;
        self.market.refresh();
        self.open.quotes.entering = OrderId(self.last_order.0 + 1);
        self.execute(held, emit);
        if core::mem::take(&mut self.open.quotes.entering) != OrderId(0) {
            // It never came to the book.
            self.market.quotes -= 1;
            self.market.refresh();
        }
    }

    /// Ends a quote at once whose protection was triggered in the same command.
    fn expire_quote(&mut self, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        self.last_order.0 += 1;
        let id = *self.last_order;
        let order = held.order();
        let Size::Lots(open) = order.size else { unreachable!("Invariant: quotes have a quantity") };
        emit.accepted(id, held);
        self.ledger.release(order.account, self.asset_of(order.side), held.hold());
        let (account, instrument, side) = (order.account, order.instrument, order.side);
        let closing = Closing { id, account, instrument, side, price: held.limit(), open, client_number: 0 };
        emit.closed(EventKind::OrderExpired, &closing, CloseReason::QuoteProtection, Amount::ZERO);
    }

    /// Notes the quote that comes in, which is about to take its place on the book.
    pub(crate) fn note_quote(&mut self, slot: Slot) {
        let order = &self.open.slab[slot];
        if order.terms.flags.has(OrderFlags::QUOTE) {
            let (account, side) = (order.account, order.terms.side);
            let is_alone = self.open.quotes.note(account, self.id, side, slot);
            assert!(is_alone, "Invariant: an account has one quote on each side");
            self.open.quotes.entering = OrderId(0);
        }
    }

    /// Forgets a quote that is about to be closed.
    pub(crate) fn forget_quote(&mut self, slot: Slot) {
        let order = &self.open.slab[slot];
        let gone = self.open.quotes.open.remove(&(order.account, self.id, order.terms.side));
        assert_eq!(gone, Some(slot), "Invariant: an open quote is known");
        self.market.quotes -= 1;
        if self.market.quotes == 0 {
            self.market.refresh();
        }
    }
}

impl Engine {
    /// Panics unless every quote is the one of its side, and nothing of a command is left undone.
    pub(crate) fn check_quote_invariants(&self) {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Quotes { open, entering, protections: _, reached, elsewhere } = &self.open.quotes;
        let quotes = || self.open.slab.iter().filter(|(_, order)| order.terms.flags.has(OrderFlags::QUOTE));
        for (slot, order) in quotes() {
            let place = (order.account, order.terms.instrument, order.terms.side);
            assert_eq!(open.get(&place), Some(&slot), "Invariant: an account has one quote on each side, and knows it");
        }
        assert_eq!(quotes().count(), open.len(), "Invariant: who is known as a quote is one");
        for (id, market) in self.markets.iter().enumerate() {
            let here = open.keys().filter(|(_, instrument, _)| instrument.index() == id).count();
            assert_eq!(here, market.quotes as usize, "Invariant: quotes are counted");
        }
        assert_eq!(*entering, OrderId(0), "Invariant: no quote comes in between two commands");
        assert!(reached.is_empty() && elsewhere.is_empty(), "Invariant: protections have done their part");
        self.check_protection_invariants();
    }
}
