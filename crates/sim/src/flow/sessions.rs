//! The sessions of the markets: openings, auctions, closings, breakers, and the day on which everything falls.

use std::collections::VecDeque;

use tradewright_types::{
    AccountId, AuctionPhase, BreakerRecord, BreakerTerms, CallTerms, CommandKind, CommandRecord, EventRecord,
    InstrumentState, OrderType, Price, Side, TimeInForce,
};

use super::Flow;
use super::draw::{self, PowerLaw};
use super::market::{Market, away};
use super::population::Character;
use super::records;
use super::traders::ORDERS_MAX;

const NS_PER_MS: u64 = 1_000_000;
/// How long auctions gather orders, and the part of it that is left to chance.
const CALL_NS: u64 = 120 * NS_PER_MS;
const CALL_MORE_NS: u64 = 60 * NS_PER_MS;
/// Markets that begin with an opening auction, and when those end.
const OPENS_EVERY: usize = 6;
const OPENING_ENDS_NS: u64 = 1_500 * NS_PER_MS;
/// Markets with a circuit breaker, and how far their prices may go at once and within the hour.
const BREAKER_EVERY: usize = 10;
const BREAKER_FIRST: usize = 6;
const VELOCITY_PART: i64 = 600;
const HOUR_PPM: u32 = 200_000;
const PAUSE_NS: u64 = 100 * NS_PER_MS;
/// How many arrivals a market stays closed for.
const CLOSED_ARRIVALS: u64 = 1_500;

/// The index of all markets at their close, the level at which it is mostly, and the one that stops them all.
const INDEX_CLOSE: i64 = 10_000;
const INDEX_CALM: i64 = 9_800;
const INDEX_FALLEN: i64 = 9_250;
/// Everything falls once, behind so many orders, and stands still for a quarter of an hour.
const FALLS_AT: u64 = 150_000;
const STANDSTILL_NS: u64 = 15 * 60 * 1_000 * NS_PER_MS;

/// Sizes in auctions, in dollars.
const SIZES: PowerLaw = PowerLaw::with_tenths(13);

/// What is still to be done about sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    arrivals: u64,
    /// Markets that admit nothing, and the arrival at which they open again.
    shut: VecDeque<(usize, u64)>,
    has_fallen: bool,
}

impl Flow {
    /// The terms of a market's auctions, its breaker, and its first state.
    pub(super) fn set_up_sessions(&self, commands: &mut Vec<CommandRecord>) {
        commands.push(records::market_index(CommandKind::SetMarketReference, INDEX_CLOSE));
        for (id, market) in self.markets.iter().enumerate() {
            let (extension_ns, call_ns) = (CALL_NS / 2, CALL_NS);
            let terms = CallTerms { collar_ppm: 30_000, extension_ns, extensions_max: 2, call_ns };
            commands.push(records::auction_terms(id, &terms));
            if id % BREAKER_EVERY == BREAKER_FIRST {
                let settlement = Price::from_ticks(market.reference_ticks);
                let velocity_ticks = (market.reference_ticks / VELOCITY_PART) as u64;
                let (velocity_slots, velocity_slot_ns) = (5, CALL_NS / 4);
                let breaker = BreakerTerms {
                    settlement,
                    share_ppm: HOUR_PPM,
                    velocity_ticks,
                    velocity_slots,
                    velocity_slot_ns,
                    pause_ns: PAUSE_NS,
                    ..BreakerTerms::default()
                };
                commands.extend([records::set_breaker(id), zerocopy::transmute!(BreakerRecord::new(&breaker))]);
            }
            if id % OPENS_EVERY == OPENS_EVERY - 1 {
                let (state, phase) = if id % 2 == 0 {
                    (InstrumentState::PreOpen, AuctionPhase::None)
                } else {
                    (InstrumentState::Auction, AuctionPhase::Opening)
                };
                commands.push(records::set_state(id, state, phase));
                commands.push(records::schedule_state(id, InstrumentState::Continuous, [OPENING_ENDS_NS, 0, 0]));
            }
        }
    }

    /// The state of a market changed.
    #[cold]
    pub(super) fn see_state(&mut self, event: &EventRecord) {
        let market = event.instrument as usize;
        let state =
            InstrumentState::from_code(event.order_type).expect("Invariant: the engine tells states that it has");
        self.markets[market].state = state;
        if matches!(state, InstrumentState::Closed | InstrumentState::CancelOnly) {
            self.sessions.shut.push_back((market, self.sessions.arrivals + CLOSED_ARRIVALS));
        }
    }

    /// Opens what was shut for long enough.
    #[inline]
    pub(super) fn keep_sessions(&mut self, out: &mut Vec<CommandRecord>) {
        self.sessions.arrivals += 1;
        if let Some((market, due)) = self.sessions.shut.front().copied()
            && due <= self.sessions.arrivals
        {
            self.sessions.shut.pop_front();
            self.open_again(market, out);
        }
        if self.orders_sent >= FALLS_AT && !self.sessions.has_fallen {
            self.fall(out);
        }
    }

    fn open_again(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        match self.markets[market].state {
            InstrumentState::Closed => self.call(market, InstrumentState::PreOpen, AuctionPhase::None, out),
            InstrumentState::CancelOnly | InstrumentState::Halted => {
                self.call(market, InstrumentState::Auction, AuctionPhase::Intraday, out);
            }
            InstrumentState::Continuous
            | InstrumentState::PreOpen
            | InstrumentState::Auction
            | InstrumentState::Paused
            | InstrumentState::Expired => {}
        }
    }

    /// Takes a market into a call that leads to continuous trading, at a time that nobody knows exactly.
    pub(super) fn call(
        &mut self,
        market: usize,
        state: InstrumentState,
        phase: AuctionPhase,
        out: &mut Vec<CommandRecord>,
    ) {
        self.send(records::set_state(market, state, phase), out);
        self.schedule(market, InstrumentState::Continuous, out);
    }

    fn schedule(&mut self, market: usize, state: InstrumentState, out: &mut Vec<CommandRecord>) {
        let times = [self.arrivals.time_ns() + CALL_NS, CALL_MORE_NS, self.random.next_u64()];
        self.send(records::schedule_state(market, state, times), out);
    }

    /// An auction in the middle of the day.
    pub(super) fn hold_auction(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].state.trades() {
            self.call(market, InstrumentState::Auction, AuctionPhase::Intraday, out);
        }
    }

    /// The end of a market's day, by a closing auction. It opens again soon.
    pub(super) fn close(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].state.trades() {
            self.send(records::set_state(market, InstrumentState::Auction, AuctionPhase::Closing), out);
            self.schedule(market, InstrumentState::Closed, out);
        }
    }

    /// Only cancels pass for a while.
    pub(super) fn let_cancel_only(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].state.trades() {
            self.send(records::set_state(market, InstrumentState::CancelOnly, AuctionPhase::None), out);
        }
    }

    /// The index moves a little.
    pub(super) fn index_level(&mut self) -> CommandRecord {
        records::market_index(CommandKind::SetMarketLevel, INDEX_CALM + self.random.below(400) as i64)
    }

    /// The whole market falls below the first level, and everybody waits until its pause is over.
    #[cold]
    fn fall(&mut self, out: &mut Vec<CommandRecord>) {
        self.sessions.has_fallen = true;
        self.send(records::market_index(CommandKind::SetMarketLevel, INDEX_FALLEN), out);
        self.arrivals.advance(STANDSTILL_NS);
        self.markets.iter_mut().for_each(Market::fall);
        self.send(records::market_index(CommandKind::SetMarketReference, INDEX_CLOSE), out);
    }

    /// Opens what is in a call or shut, so that a finished flow leaves an open venue.
    pub(super) fn end_calls(&mut self, out: &mut Vec<CommandRecord>) {
        for market in 0..self.markets.len() {
            let phase = AuctionPhase::None;
            match self.markets[market].state {
                InstrumentState::Closed | InstrumentState::CancelOnly => {
                    self.send(records::set_state(market, InstrumentState::PreOpen, phase), out);
                }
                InstrumentState::PreOpen | InstrumentState::Auction => {}
                InstrumentState::Continuous
                | InstrumentState::Halted
                | InstrumentState::Paused
                | InstrumentState::Expired => continue,
            }
            self.send(records::set_state(market, InstrumentState::Continuous, phase), out);
        }
    }

    /// Somebody acts while an auction gathers orders.
    pub(super) fn act_in_call(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let side = self.coin_side();
        match self.random.below(100) {
            0..50 => self.make_market(market, out),
            50..76 => {
                let account = self.population.trader(&mut self.random, market, Character::Retail);
                self.bid_in_call(account, market, side, TimeInForce::GoodTillCancel, out);
            }
            76..88 => self.act_for_auction(market, side, out),
            88..96 => self.cancel_any(market, out),
            _ => {
                // It has not seen that nothing trades.
                let account = self.population.trader(&mut self.random, market, Character::Noise);
                self.bid_in_call(account, market, side, TimeInForce::ImmediateOrCancel, out);
            }
        }
    }

    /// An order that is for auctions only: now, or when the next one comes. One in four takes any price.
    pub(super) fn act_for_auction(&mut self, market: usize, side: Side, out: &mut Vec<CommandRecord>) {
        let account = self.population.trader(&mut self.random, market, Character::Taker);
        let time_in_force = match self.random.below(8) {
            0 => TimeInForce::AtOpening,
            1 => TimeInForce::AtClose,
            _ => TimeInForce::GoodForAuction,
        };
        if self.random.below(4) > 0 {
            return self.bid_in_call(account, market, side, time_in_force, out);
        }
        if self.markets[market].orders.len() >= ORDERS_MAX {
            return self.cancel_any(market, out);
        }
        let dollars = SIZES.draw(&mut self.random, 100, 20_000);
        let order = self.limit(account, market, side, time_in_force, 0, self.markets[market].lots(dollars));
        self.place(CommandRecord { order_type: OrderType::Market as u8, ..order }, out);
    }

    /// A limit order around the fair value, on either side of it.
    fn bid_in_call(
        &mut self,
        account: AccountId,
        market: usize,
        side: Side,
        time_in_force: TimeInForce,
        out: &mut Vec<CommandRecord>,
    ) {
        if self.markets[market].orders.len() >= ORDERS_MAX {
            return self.cancel_any(market, out);
        }
        let dollars = SIZES.draw(&mut self.random, 100, 20_000);
        let steps = draw::geometric(&mut self.random, 4) as i64 - 3;
        let known = &self.markets[market];
        let price = known.price(side, away(side, known.fair_ticks(), steps * known.step_ticks));
        let order = self.limit(account, market, side, time_in_force, price, known.lots(dollars));
        self.place(order, out);
    }
}
