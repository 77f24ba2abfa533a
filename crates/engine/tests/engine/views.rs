//! What an engine shows of its markets between two commands.

use tradewright_types::{
    AccountId, AuctionPhase, InstrumentId, InstrumentState, Price, PriceSource, Quantity, ScheduledState,
};

use crate::common::Venue;

const MARKET: InstrumentId = InstrumentId(0);

#[test]
fn a_market_shows_its_auction_and_its_schedule() {
    let mut venue = Venue::new();
    assert_eq!(venue.engine.auction_phase(MARKET), AuctionPhase::None);
    assert_eq!(venue.engine.scheduled_state(MARKET), None);
    assert_eq!((venue.engine.state_until_ns(MARKET), venue.engine.indication(MARKET)), (0, None));
    venue.check("state I0 auction closing\nbuy A2 5 @12\nsell A3 2 @10\nschedule I0 closed none 50");
    assert_eq!(venue.engine.auction_phase(MARKET), AuctionPhase::Closing);
    let indication = venue.engine.indication(MARKET);
    assert_eq!(indication, Some((Price::from_ticks(12), Quantity::from_lots(2), 3)));
    let change = ScheduledState { due_ns: 50, state: InstrumentState::Closed, phase: AuctionPhase::None };
    assert_eq!(venue.engine.scheduled_state(MARKET), Some(change));
    venue.check("at 50");
    assert_eq!((venue.engine.scheduled_state(MARKET), venue.engine.indication(MARKET)), (None, None));
}

#[test]
fn a_pause_shows_when_it_ends() {
    let mut venue = Venue::new();
    venue.check("close 100\nlevel 90");
    assert_eq!(venue.engine.state_until_ns(MARKET), 900_000_000_000);
    assert_eq!(venue.engine.auction_phase(MARKET), AuctionPhase::Volatility);
    venue.check("halt I0");
    assert_eq!(venue.engine.state_until_ns(MARKET), 0);
}

#[test]
fn a_rule_of_allocation_shows_its_steps() {
    let mut venue = Venue::new();
    assert_eq!((venue.engine.top(MARKET), venue.engine.leads(MARKET)), (None, [].as_slice()));
    venue.check("allocation I0 rule=2\ntop I0 10 100\nlead I0 A3 400000\nlead I0 A2 100000");
    let top = venue.engine.top(MARKET).expect("a privilege");
    assert_eq!((top.minimum.lots(), top.maximum.lots()), (10, 100));
    assert_eq!(venue.engine.leads(MARKET), [(AccountId(2), 100_000), (AccountId(3), 400_000)]);
}

#[test]
fn a_market_shows_the_prices_that_triggers_look_at() {
    let mut venue = Venue::new();
    let prices = |venue: &Venue| {
        [PriceSource::Last, PriceSource::Mark, PriceSource::Index]
            .map(|source| venue.engine.source_price(MARKET, source).map(Price::ticks))
    };
    assert_eq!(prices(&venue), [None, None, None]);
    venue.check("sell A3 1 @20\nbuy A2 1 @20\nmark I0 21\nindex I0 22");
    assert_eq!(prices(&venue), [Some(20), Some(21), Some(22)]);
    assert_eq!(venue.engine.source_price(InstrumentId(9), PriceSource::Last), None);
}
