//! Quote protection: when so much of an account's quotes has traded in a window, the rest of them goes and no more come in.
//!
//! Fills are counted where matching takes care (`Market::is_special`): a market without quotes pays nothing for it.

use tradewright_book::Slot;
use tradewright_types::{
    AccountId, CloseReason, Decoded, EventKind, InstrumentId, OrderFlags, OrderId, ProtectionScope, ProtectionTerms,
    Quantity, RejectReason,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::Taker;
use crate::quotes::Quotes;

/// A protection, and what counts towards it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Protection {
    /// Its bounds.
    pub terms: ProtectionTerms,
    /// When the window ends that counts now, or did last; 0 before the first.
    pub until_ns: u64,
    /// The lots of the window.
    pub lots: u64,
    /// The fills of the window.
    pub fills: u64,
    /// Whether it was triggered, and has not been reset.
    pub is_triggered: bool,
}

/// A protection that was triggered, and the quote whose trade did it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) scope: ProtectionScope,
    pub(crate) quote: OrderId,
}

impl Protection {
    /// A protection that has counted nothing yet.
    pub(crate) fn new(terms: ProtectionTerms, is_triggered: bool) -> Self {
        Self { terms, until_ns: 0, lots: 0, fills: 0, is_triggered }
    }

    /// Counts a fill. Returns whether it triggers.
    fn count(&mut self, now_ns: u64, lots: Quantity) -> bool {
        if self.is_triggered {
            return false;
        }
        if now_ns >= self.until_ns {
            self.until_ns = now_ns.saturating_add(self.terms.window_ns);
            (self.lots, self.fills) = (0, 0);
        }
        self.fills += 1;
        self.lots += lots.lots();
        self.is_triggered = self.has_lots() || self.terms.fills_max > 0 && self.fills >= self.terms.fills_max;
        self.is_triggered
    }

    /// Whether the lots of the window are at their bound.
    pub(crate) fn has_lots(&self) -> bool {
        self.terms.lots_max > 0 && self.lots >= self.terms.lots_max
    }
}

/// The scopes in which a quote is, that of its instrument first.
fn scopes(account: AccountId, instrument: InstrumentId) -> [ProtectionScope; 2] {
    [instrument.0, tradewright_types::ANY].map(|code| ProtectionScope::of(account, code))
}

impl Quotes {
    /// Whether a protection lets no quotes of an account come in on an instrument.
    pub(crate) fn is_triggered(&self, account: AccountId, instrument: InstrumentId) -> bool {
        !self.protections.is_empty()
            && scopes(account, instrument)
                .iter()
                .any(|scope| self.protections.get(scope).is_some_and(|protection| protection.is_triggered))
    }

    /// Counts a trade of a quote.
    fn count_fill(
        &mut self,
        quote: OrderId,
        account: AccountId,
        instrument: InstrumentId,
        now_ns: u64,
        lots: Quantity,
    ) {
        for scope in scopes(account, instrument) {
            let protection = self.protections.get_mut(&scope);
            if protection.is_some_and(|protection| protection.count(now_ns, lots)) {
                self.reached.push(Reached { scope, quote });
            }
        }
    }

    /// Whether there is a protection over all instruments of an account.
    pub(crate) fn reaches_elsewhere(&self) -> bool {
        self.protections.keys().any(|scope| scope.instrument().is_none())
    }
}

impl Floor<'_> {
    /// A maker that is a quote, by its id and account.
    #[inline(always)]
    pub(crate) fn quote_at(&self, slot: Slot) -> Option<(OrderId, AccountId)> {
        let order = &self.open.slab[slot];
        order.terms.flags.has(OrderFlags::QUOTE).then_some((order.id, order.account))
    }

    /// A taker has traded, with a quote or as one: protections that this reaches do their part. Returns whether the taker is done
    /// with for that.
    #[inline(always)]
    pub(crate) fn protect(
        &mut self,
        taker: &Taker,
        maker: Option<(OrderId, AccountId)>,
        lots: Quantity,
        emit: &mut Emitter<'_>,
    ) -> bool {
        !self.open.quotes.protections.is_empty() && self.protect_quotes(taker, maker, lots, emit)
    }

    #[cold]
    #[inline(never)]
    fn protect_quotes(
        &mut self,
        taker: &Taker,
        maker: Option<(OrderId, AccountId)>,
        lots: Quantity,
        emit: &mut Emitter<'_>,
    ) -> bool {
        let is_quote = taker.id == self.open.quotes.entering;
        for (quote, account) in maker.into_iter().chain(is_quote.then_some((taker.id, taker.account))) {
            self.open.quotes.count_fill(quote, account, self.id, self.risk.time_ns, lots);
        }
        self.act_on_protections(emit);
        is_quote && self.open.quotes.is_triggered(taker.account, self.id)
    }

    /// Counts a trade of an auction. What it reaches does its part when all of them have happened.
    pub(crate) fn count_in_call(&mut self, slot: Slot, lots: Quantity) {
        if let Some((quote, account)) = self.quote_at(slot) {
            self.open.quotes.count_fill(quote, account, self.id, self.risk.time_ns, lots);
        }
    }

    /// Protections that were triggered do their part here; what it is elsewhere is noted.
    pub(crate) fn act_on_protections(&mut self, emit: &mut Emitter<'_>) {
        for Reached { scope, quote } in core::mem::take(&mut self.open.quotes.reached) {
            let account = scope.account;
            emit.protection_triggered(scope, quote, &self.open.quotes.protections[&scope]);
            let own = self.open.quotes.of_account(account).filter(|(instrument, _)| *instrument == self.id);
            let mut slots: Vec<_> = own.map(|(_, slot)| (self.open.slab[slot].id, slot)).collect();
            slots.sort_unstable();
            for (_, slot) in slots {
                self.close_as(slot, EventKind::OrderCancelled, CloseReason::QuoteProtection, emit);
            }
            if scope.instrument().is_none() {
                self.open.quotes.elsewhere.insert(account);
            }
        }
    }
}

impl Engine {
    /// The quotes that a triggered protection takes on other instruments than the one that traded.
    #[inline(always)]
    pub(crate) fn finish_protections(&mut self, emit: &mut Emitter<'_>) {
        if !self.open.quotes.elsewhere.is_empty() {
            self.cancel_elsewhere(emit);
        }
    }

    #[cold]
    #[inline(never)]
    fn cancel_elsewhere(&mut self, emit: &mut Emitter<'_>) {
        while let Some(account) = self.open.quotes.elsewhere.pop_first() {
            let own = self.open.quotes.of_account(account);
            let slots = own.map(|(_, slot)| (self.open.slab[slot].id, slot)).collect();
            self.cancel_each(slots, CloseReason::QuoteProtection, emit);
        }
    }

    /// Sets a protection, or ends it.
    pub(crate) fn set_quote_protection(
        &mut self,
        scope: ProtectionScope,
        terms: Option<ProtectionTerms>,
    ) -> Decoded<()> {
        self.check_protection_scope(scope)?;
        let protections = &mut self.open.quotes.protections;
        let is_triggered = protections.remove(&scope).is_some_and(|before| before.is_triggered);
        if let Some(terms) = terms {
            protections.insert(scope, Protection::new(terms, is_triggered));
        }
        self.open.attend_quotes();
        Ok(())
    }

    /// Lets an account quote again whose protection was triggered.
    pub(crate) fn reset_quote_protection(&mut self, scope: ProtectionScope) -> Decoded<()> {
        self.check_protection_scope(scope)?;
        if let Some(protection) = self.open.quotes.protections.get_mut(&scope) {
            *protection = Protection::new(protection.terms, false);
        }
        Ok(())
    }

    fn check_protection_scope(&mut self, scope: ProtectionScope) -> Decoded<()> {
        if let Some(instrument) = scope.instrument() {
            self.markets.get(instrument.index()).ok_or(RejectReason::UnknownInstrument)?;
        }
        self.risk.account(scope.account).map(|_| ()).ok_or(RejectReason::UnknownAccount)
    }

    /// Panics unless protections are over what exists, and are attended to.
    pub(crate) fn check_protection_invariants(&self) {
        let quotes = &self.open.quotes;
        for scope in quotes.protections.keys() {
            assert!(self.risk.account(scope.account).is_some(), "Invariant: a protection is somebody's");
            let is_known = scope.instrument().is_none_or(|instrument| instrument.index() < self.markets.len());
            assert!(is_known, "Invariant: a protection is for an instrument that there is");
        }
        let attended = self.open.timers.attends_quotes();
        assert_eq!(attended, quotes.reaches_elsewhere(), "Invariant: commands that protections follow are attended");
    }
}
