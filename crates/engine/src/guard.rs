//! Circuit breakers at work: a trade that would trip one does not happen, and trading pauses; then an auction finds the price.

use core::num::{NonZeroU32, NonZeroU64};

use tradewright_risk::{Breaker, MarketWide, MarketWideLevel, MoveLimit, PauseRule, Trip, Window, variant_ticks};
use tradewright_types::{
    AuctionPhase, BreakerTerms, CommandKind, Decoded, InstrumentId, InstrumentState, Price, RejectReason, Side,
    StateCause,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Floor;
use crate::matching::Taker;

/// The breaker of a market.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) terms: BreakerTerms,
    /// How far the dynamic breaker lets a price move: the increment of the time when it was set is in it.
    pub(crate) variant_ticks: u64,
    pub(crate) breaker: Breaker,
}

impl Guard {
    /// The breaker of these valid terms. `None` where they name none.
    pub(crate) fn new(terms: BreakerTerms, variant_ticks: u64) -> Option<Box<Self>> {
        if terms.pause_ns == 0 {
            return None;
        }
        let dynamic = NonZeroU64::new(variant_ticks).map(|ticks| MoveLimit::new(ticks, Window::HOUR));
        let window = NonZeroU64::new(terms.velocity_slot_ns).zip(NonZeroU32::new(terms.velocity_slots.into()));
        let velocity = NonZeroU64::new(terms.velocity_ticks)
            .zip(window)
            .map(|(ticks, (slot_ns, slots))| MoveLimit::new(ticks, Window { slot_ns, slots }));
        Some(Box::new(Self { terms, variant_ticks, breaker: Breaker::new(dynamic, velocity) }))
    }

    fn pause_rule(&self) -> PauseRule {
        let BreakerTerms { pause_ns, closing_ns, closing_pause_ns, .. } = self.terms;
        PauseRule { pause_ns, closing_ns, closing_pause_ns }
    }
}

/// The later of two ends of a pause; 0 is never.
fn later(first_ns: u64, second_ns: u64) -> u64 {
    if first_ns == 0 || second_ns == 0 { 0 } else { first_ns.max(second_ns) }
}

impl Floor<'_> {
    /// Sets the breaker. Its windows begin with the last price.
    pub(crate) fn set_breaker(&mut self, terms: BreakerTerms) {
        let increment = self.market.instrument.limits().price_increment_ticks;
        let increment = NonZeroU32::new(increment).expect("Invariant: an increment is not zero");
        let variant = variant_ticks(terms.settlement, terms.share_ppm, increment).map_or(0, NonZeroU64::get);
        self.market.guard = Guard::new(terms, variant);
        self.restart_breaker();
        self.market.refresh();
    }

    /// Lets the windows begin anew, with the last price.
    pub(crate) fn restart_breaker(&mut self) {
        let (now_ns, last) = (self.risk.time_ns, self.market.instrument.last());
        let Some(guard) = self.market.guard.as_deref_mut() else { return };
        guard.breaker.restart();
        last.into_iter().for_each(|price| guard.breaker.observe(now_ns, price));
    }

    /// Whether a trade at `price` does not happen: then trading pauses.
    pub(crate) fn trips(&mut self, taker: &Taker, price: Price, emit: &mut Emitter<'_>) -> bool {
        let now_ns = self.risk.time_ns;
        let Some(guard) = self.market.guard.as_deref_mut() else { return false };
        let Some(trip) = guard.breaker.judge_trade(now_ns, price) else { return false };
        let rule = guard.pause_rule();
        let until_ns = now_ns.saturating_add(rule.pause_ns(now_ns, self.close_ns()));
        let code = match trip {
            Trip::Dynamic => 1,
            Trip::Velocity => 2,
        };
        emit.tripped(self.id, taker, price, code, until_ns);
        self.change_state(InstrumentState::Paused, AuctionPhase::Volatility, until_ns, StateCause::Breaker, emit);
        true
    }

    /// Takes note of the price of a trade.
    pub(crate) fn observe(&mut self, price: Price) {
        let now_ns = self.risk.time_ns;
        if let Some(guard) = self.market.guard.as_deref_mut() {
            guard.breaker.observe(now_ns, price);
        }
    }

    /// When the session closes, as far as that is scheduled: by the closing auction or without one.
    fn close_ns(&self) -> Option<u64> {
        let change = self.market.session.as_deref()?.scheduled?.change;
        let closes = change.state == InstrumentState::Closed || change.phase == AuctionPhase::Closing;
        closes.then_some(change.due_ns)
    }

    /// The worst price that a taker of this side can reach that trades at `first` to begin with. `None`: it cannot even do that.
    pub(crate) fn reach(&self, side: Side, first: Price) -> Option<Price> {
        match self.market.guard.as_deref() {
            Some(guard) => guard.breaker.reach(self.risk.time_ns, side, first),
            None if side == Side::Buy => Some(Price::from_ticks(i64::MAX)),
            None => Some(Price::from_ticks(i64::MIN)),
        }
    }

    /// Tells whether a breaker would stop a taker before it trades at a price; to be asked at each price at which it would, in order.
    pub(crate) fn stops(&self, taker: &Taker) -> impl FnMut(Price) -> bool {
        let side = taker.side;
        let mut reach = None;
        move |price| {
            let reach = *reach.get_or_insert_with(|| self.reach(side, price));
            !reach.is_some_and(|worst| side.crosses(worst, price))
        }
    }

    /// Pauses with the whole market. A call that is interrupted goes on behind the pause.
    fn pause_with_market(&mut self, pause_until_ns: u64, emit: &mut Emitter<'_>) {
        use InstrumentState::{Auction, CancelOnly, Closed, Continuous, Expired, Halted, Paused, PreOpen};
        let state = self.market.instrument.state;
        let session = self.session();
        let phase_behind = |state: InstrumentState, phase| match state {
            PreOpen | Auction | Paused => phase,
            Continuous | Halted | CancelOnly | Closed | Expired => AuctionPhase::Volatility,
        };
        match state {
            Closed | Expired => {}
            Continuous | PreOpen | Auction | CancelOnly => {
                let phase = phase_behind(state, session.phase);
                self.change_state(Paused, phase, pause_until_ns, StateCause::MarketWide, emit);
            }
            Paused => {
                let until_ns = later(session.until_ns, pause_until_ns);
                let phase = session.phase;
                self.change_state(Paused, phase, until_ns, StateCause::MarketWide, emit);
            }
            Halted => {
                // It is as if it had been paused when it was halted.
                let before = session.before_halt.expect("Invariant: a halted instrument was something before");
                if matches!(before, Closed | Expired) {
                    return;
                }
                session.phase = phase_behind(before, session.phase);
                session.until_ns =
                    if before == Paused { later(session.until_ns, pause_until_ns) } else { pause_until_ns };
                session.before_halt = Some(Paused);
                let until_ns = session.until_ns;
                emit.state_changed(self.id, (Halted, Halted), AuctionPhase::None, StateCause::MarketWide, until_ns);
            }
        }
    }
}

impl Engine {
    /// Begins a session of the market-wide levels.
    pub(crate) fn set_market_reference(&mut self, close: Option<Price>, emit: &mut Emitter<'_>) {
        self.risk.market_wide = MarketWide { close, reached: None, until_ns: 0 };
        let ticks = close.map_or(0, |close| close.ticks() as u64);
        emit.setting(CommandKind::SetMarketReference, (0, tradewright_types::ANY), [ticks, 0, 0], (0, 0, 0));
    }

    /// The index moved: perhaps it has newly reached a level, and everything pauses.
    pub(crate) fn set_market_level(&mut self, index: Price, emit: &mut Emitter<'_>) {
        let now_ns = self.risk.time_ns;
        emit.setting(CommandKind::SetMarketLevel, (0, tradewright_types::ANY), [index.ticks() as u64, 0, 0], (0, 0, 0));
        let MarketWide { close, reached, .. } = self.risk.market_wide;
        let Some(level) = close.and_then(|close| MarketWideLevel::newly_reached(index, close, reached)) else { return };
        let until_ns = level.pause_ns().map_or(0, |pause_ns| now_ns.saturating_add(pause_ns));
        self.risk.market_wide = MarketWide { close, reached: Some(level), until_ns };
        emit.market_wide(level as u8, index, until_ns);
        for place in 0..self.markets.len() {
            self.known_floor(InstrumentId(place as u32)).pause_with_market(until_ns, emit);
        }
    }

    /// An instrument that is listed while the whole market pauses, pauses with it.
    pub(crate) fn list_into_pause(&mut self, id: InstrumentId, emit: &mut Emitter<'_>) {
        let MarketWide { until_ns, .. } = self.risk.market_wide;
        if self.risk.market_wide.is_paused(self.risk.time_ns) {
            self.known_floor(id).pause_with_market(until_ns, emit);
        }
    }

    pub(crate) fn set_breaker(&mut self, id: InstrumentId, terms: BreakerTerms, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.floor(id).ok_or(RejectReason::UnknownInstrument)?.set_breaker(terms);
        let BreakerTerms { settlement, share_ppm, velocity_ticks, .. } = terms;
        let values = [settlement.ticks() as u64, share_ppm.into(), velocity_ticks];
        emit.setting(CommandKind::SetBreaker, (0, id.0), values, (0, 0, 0));
        Ok(())
    }
}
