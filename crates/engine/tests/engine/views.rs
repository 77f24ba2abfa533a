//! What an engine shows of its markets between two commands.

use tradewright_engine::EventBuffer;
use tradewright_types::{
    AccountId, AuctionPhase, ClientOrderId, Contingency, InstrumentId, InstrumentState, ListId, OrderId, Price,
    PriceSource, ProtectionScope, ProtectionTerms, Quantity, ScheduledState, Side,
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

#[test]
fn an_engine_shows_lists_and_the_ids_that_their_clients_gave() {
    let mut venue = Venue::new();
    venue.check("oco A2 #17 / sell 1 @20 / sell 1 @5 stop=10\noto A3 #name / sell 1 @20 / buy 1 @10\noto A3 / sell 1 @20 / buy 1 @10");
    let lists = |account| venue.engine.order_lists(account);
    assert_eq!(lists(None).iter().map(|list| list.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(lists(Some(AccountId(3))).iter().map(|list| list.id.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(lists(Some(AccountId(4))).len(), 0);
    let names: Vec<_> = lists(None).iter().map(|list| format!("{:?}", list.client_list_id())).collect();
    let text = format!("{:?}", ClientOrderId::Text(b"name"));
    assert_eq!(names, [format!("{:?}", ClientOrderId::from_number(17)), text, "Absent".to_owned()]);
    let first = venue.engine.order_list(ListId(1)).expect("it ties two orders");
    assert_eq!(
        (first.account, first.instrument, first.contingency),
        (AccountId(2), MARKET, Contingency::OneCancelsOther)
    );
    assert_eq!(first.orders, [OrderId(1), OrderId(2)]);
    assert!(venue.engine.order_list(ListId(4)).is_none());
}

#[test]
fn an_engine_shows_protections_and_levels() {
    let mut venue = Venue::new();
    venue.check("protect A2 I0 fills=1 window=9\nquote A2 I0 2@10 3@12 I1 1@7 -\nsell A3 1 @14\nsell A3 1 @14");
    let of = |venue: &Venue, instrument| venue.engine.quote_protection(ProtectionScope::of(AccountId(2), instrument));
    let terms = ProtectionTerms { lots_max: 0, fills_max: 1, window_ns: 9 };
    assert_eq!(of(&venue, 0), Some((terms, false)));
    assert_eq!(of(&venue, 1), None);
    let levels: Vec<_> =
        venue.engine.levels(MARKET, Side::Sell).map(|(price, level)| (price.ticks(), level.open().lots())).collect();
    assert_eq!(levels, [(12, 3), (14, 2)]);
    venue.check("buy A3 1 @12");
    assert_eq!(of(&venue, 0), Some((terms, true)));
}

#[test]
fn memory_grows_with_what_there_is() {
    let mut venue = Venue::new();
    let mut before = venue.engine.memory_bytes();
    let (accounts, risk) = (venue.engine.registry().accounts().len(), venue.engine.risk().memory_bytes());
    assert!(risk > 64 * accounts && before > risk, "{risk} for {accounts} accounts, {before} in all");
    let commands = ["buy A2 1 @10", "buy A2 1 @9 stop=12", "buy A2 1 @9 hidden=1", "buy A2 1 @9 auction"];
    for command in commands {
        venue.check(command);
        let now = venue.engine.memory_bytes();
        assert!(now > before, "{command}: {now} after {before}");
        assert!(now < 1 << 24, "{command}: {now} of a venue with a handful of orders");
        before = now;
    }
}

#[test]
fn a_buffer_gives_its_memory_away_and_takes_it_again() {
    let buffer = EventBuffer::with_capacity(2);
    assert!(buffer.is_empty());
    let (records, length) = buffer.into_records();
    assert_eq!((records.len(), length), (2, 0));
    let mut venue = Venue::new();
    venue.events = EventBuffer::reuse(records);
    venue.check("sell A2 5 @10\nbuy A3 5 @10 #x");
    let told = venue.events.as_slice().to_vec();
    assert_eq!(told.len(), 3);
    let (records, length) = core::mem::take(&mut venue.events).into_records();
    assert_eq!((&records[..length], length), (told.as_slice(), 3));
    // The memory is twice what it was whenever it is too small, so that a cascade does not copy it again and again.
    assert_eq!(records.len(), 64);
    venue.events = EventBuffer::reuse(records);
    (0..65).for_each(|_| _ = venue.send("sell A2 1 @10"));
    venue.check("buy A3 65 @10");
    let (records, length) = core::mem::take(&mut venue.events).into_records();
    assert_eq!((records.len(), length), (128, 66));
}
