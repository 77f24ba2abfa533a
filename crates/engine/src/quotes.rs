//! Mass quotes: the two-sided quotes of a market maker on many instruments, replaced in one command.
//!
//! A quote is a limit order with a flag. What is changed is worked out and checked as a whole before anything is; then all that goes
//! or shrinks does, and then what is new comes in, one after the other.

use std::collections::BTreeMap;

use tradewright_book::{Book, Slot};
use tradewright_risk::{QuoteCheck, resting_hold};
use tradewright_types::{
    AccountId, Amount, AssetId, CancelQuotes, ClientOrderId, CloseReason, Decoded, EventKind, InstrumentId, MassQuote,
    OrderFlags, OrderId, Price, Quantity, QuoteEntry, RejectReason, Side,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::{Floor, Market, hold_of, price_of};

/// The quotes of one market, by account: the order of each side that was last one. Ids are given once, so one that has closed
/// names nobody.
pub(crate) type Quotes = BTreeMap<AccountId, [OrderId; 2]>;

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
    pub(crate) fn mass_quote(&mut self, quote: &MassQuote, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.risk.account(quote.account).ok_or(RejectReason::UnknownAccount)?;
        let mut sides = Vec::with_capacity(quote.entries.len() * 2);
        for entry in &quote.entries {
            self.plan_entry(quote, entry, &mut sides)?;
        }
        self.check_quotes_together(quote, &sides)?;
        // After this point the mass quote must succeed.
        for side in &sides {
            if let Some(slot) = side.leaves() {
                self.floor_of(slot).close_as(slot, EventKind::OrderCancelled, CloseReason::QuoteReplaced, emit);
            } else if let Some(slot) = side.old {
                self.floor_of(slot).shrink_quote(slot, side.open, emit);
            }
        }
        for side in sides.iter().filter(|side| side.enters()) {
            let order = quote.order(side.instrument, side.side, side.price, side.open);
            let mut floor = self.floor(side.instrument).expect("Invariant: the plan has seen the instrument");
            let (mut gate, _) = floor.gate();
            let held = gate.hold_quote(&order);
            let id = OrderId(floor.last_order.0 + 1);
            floor.execute(&held, emit);
            let quotes = floor.market.quotes.get_or_insert_default();
            quotes.entry(quote.account).or_insert([OrderId(0); 2])[side.side as usize] = id;
        }
        Ok(())
    }

    /// Cancels an account's quotes: all of them, or those on one instrument.
    #[cold]
    pub(crate) fn cancel_quotes(&mut self, cancel: &CancelQuotes, emit: &mut Emitter<'_>) -> Decoded<()> {
        if cancel.instrument.is_some_and(|instrument| instrument.index() >= self.markets.len()) {
            return Err(RejectReason::UnknownInstrument);
        }
        self.risk.account(cancel.account).ok_or(RejectReason::UnknownAccount)?;
        let wanted = |place: &usize| cancel.instrument.is_none_or(|instrument| instrument.index() == *place);
        let mut slots: Vec<(OrderId, Slot)> = (0..self.markets.len())
            .filter(wanted)
            .flat_map(|place| [Side::Buy, Side::Sell].map(|side| (InstrumentId(place as u32), side)))
            .filter_map(|(instrument, side)| self.quote_of(cancel.account, instrument, side))
            .map(|slot| (self.open.slab[slot].id, slot))
            .collect();
        slots.sort_unstable();
        for (_, slot) in slots {
            self.floor_of(slot).close_as(slot, EventKind::OrderCancelled, CloseReason::QuotesCancelled, emit);
        }
        Ok(())
    }

    /// The quote that an account has on one side of an instrument.
    fn quote_of(&self, account: AccountId, instrument: InstrumentId, side: Side) -> Option<Slot> {
        let quotes = self.markets.get(instrument.index())?.quotes.as_deref()?;
        self.open.find(quotes.get(&account)?[side as usize])
    }

    /// Works out and checks what becomes of both sides of an entry.
    fn plan_entry(&mut self, quote: &MassQuote, entry: &QuoteEntry, sides: &mut Vec<QuoteSide>) -> Decoded<()> {
        let QuoteEntry { instrument, bid, ask } = *entry;
        self.markets.get(instrument.index()).ok_or(RejectReason::UnknownInstrument)?;
        let planned = [(Side::Buy, bid), (Side::Sell, ask)].map(|(side, (price, open))| {
            let old = self.quote_of(quote.account, instrument, side);
            let keeps = old.is_some_and(|slot| {
                let stands = price_of(&self.markets[instrument.index()], &self.open, slot);
                stands == price && !open.is_zero() && open <= self.open.slab[slot].open
            });
            QuoteSide { instrument, side, price, open, old, keeps }
        });
        for (place, side) in planned.iter().enumerate().filter(|(_, side)| !side.open.is_zero()) {
            let order = quote.order(instrument, side.side, side.price, side.open);
            let check = QuoteCheck {
                keeps_place: side.keeps,
                freed_bid_lots: match side.side {
                    Side::Buy => side.old.map_or(0, |slot| self.open.slab[slot].open.lots()),
                    Side::Sell => 0,
                },
                opposite_best: self.best_without(instrument, side.side.opposite(), planned[1 - place].leaves()),
            };
            let mut floor = self.floor(instrument).expect("Invariant: it is known");
            floor.gate().0.check_quote(&order, &check)?;
        }
        sides.extend(planned);
        Ok(())
    }

    /// The best price of a side as if an order were gone.
    fn best_without(&self, instrument: InstrumentId, side: Side, gone: Option<Slot>) -> Option<Price> {
        let market = &self.markets[instrument.index()];
        let best = |book: &Book| {
            let mut levels = book.levels(side);
            let others = |level| book.queue(&self.open.slab, level).any(|slot| Some(slot) != gone);
            levels.find(|(_, level)| others(level)).map(|(price, _)| price)
        };
        market.books().filter_map(best).reduce(|one, other| side.better(one, other))
    }

    /// Checks what all sides come to together: the places of open orders, and the funds.
    fn check_quotes_together(&mut self, quote: &MassQuote, sides: &[QuoteSide]) -> Decoded<()> {
        let account = quote.account;
        let leave = sides.iter().filter(|side| side.leaves().is_some()).count();
        let enter = sides.iter().filter(|side| side.enters()).count();
        let mut needed: BTreeMap<AssetId, Amount> = BTreeMap::new();
        for side in sides {
            let market = &self.markets[side.instrument.index()];
            if let Some(slot) = side.old {
                let (asset, hold) = hold_of(market, &self.open, slot);
                let stays = if side.keeps { self.quote_hold(market, slot, side.open) } else { Amount::ZERO };
                *needed.entry(asset).or_default() += stays - hold;
            }
        }
        if enter > 0 {
            let known = &self.risk.accounts()[account.index()];
            let others = known.open_orders as usize - leave;
            let room = others + enter <= known.limits.open_orders_max as usize
                && self.open.slab.len() - leave + enter <= tradewright_risk::ORDERS_MAX;
            if !room {
                return Err(RejectReason::OpenOrderLimitExceeded);
            }
        }
        for side in sides.iter().filter(|side| side.enters()) {
            let mut floor = self.floor(side.instrument).expect("Invariant: the plan has seen the instrument");
            let (gate, _) = floor.gate();
            let order = quote.order(side.instrument, side.side, side.price, side.open);
            let (asset, cover) = gate.quote_cover(&order);
            *needed.entry(asset).or_default() += cover;
        }
        let covered = |(asset, needed): (&AssetId, &Amount)| self.ledger.balance(account, *asset).available >= *needed;
        if enter > 0 && !needed.iter().all(covered) { Err(RejectReason::InsufficientFunds) } else { Ok(()) }
    }

    /// What a quote would hold with so much open.
    fn quote_hold(&self, market: &Market, slot: Slot, open: Quantity) -> Amount {
        let terms = &self.open.slab[slot].terms;
        let price = price_of(market, &self.open, slot);
        resting_hold(&market.instrument.units, terms.side, price, open, terms.maker_rate, terms.maker_fee)
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
}

impl Market {
    /// Notes a restored order, which may be a quote.
    pub(crate) fn note_restored_quote(&mut self, account: AccountId, side: Side, id: OrderId, flags: OrderFlags) {
        if flags.has(OrderFlags::QUOTE) {
            let quotes = self.quotes.get_or_insert_default();
            quotes.entry(account).or_insert([OrderId(0); 2])[side as usize] = id;
        }
    }
}

impl Engine {
    /// Panics unless every quote is the one of its side, and every quote of a side is one.
    pub(crate) fn check_quote_invariants(&self) {
        for (slot, order) in self.open.slab.iter() {
            let is_quote = order.terms.flags.has(OrderFlags::QUOTE);
            let known = self.quote_of(order.account, order.terms.instrument, order.terms.side);
            assert_eq!(is_quote, known == Some(slot), "Invariant: an account has a quote a side, and knows it");
        }
    }
}
