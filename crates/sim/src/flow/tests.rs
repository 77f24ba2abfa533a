//! The flow as a whole, against the engine.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{CloseReason, CommandKind, CommandRecord, EventKind, InstrumentId, RejectReason, Side};

use super::live::Stand;
use super::market::Market;
use super::{Demo, Flow, FlowConfig, MarketView};

/// The state after 20,000 orders of seed 7. The same on every platform and build; it changes only when the flow, the
/// rules or the definition of the state hash do.
const GOLDEN_SEED_7: &str = "aa933975d9b779b7e242691a4da81d9f";

fn run(config: FlowConfig, step: u64) -> Demo {
    let mut demo = Demo::new(config);
    while !demo.step(step).is_done {}
    demo
}

fn small(seed: u64) -> FlowConfig {
    FlowConfig { seed, orders: 20_000, ..FlowConfig::default() }
}

#[test]
fn the_state_after_seed_7_never_changes() {
    let demo = run(small(7), u64::MAX);
    let summary = demo.summary();
    assert_eq!(summary.state_hash, GOLDEN_SEED_7);
    assert_eq!(summary.progress.orders, 20_000);
    assert_eq!(summary.orders_by_class.iter().map(|(_, count)| count).sum::<u64>(), 20_000);
    let by_kind: u64 = summary.commands_by_kind.iter().map(|(_, count)| count).sum();
    let unknown = summary.rejects_by_reason.iter().find(|(reason, _)| *reason == RejectReason::UnknownCommand);
    assert_eq!(by_kind + unknown.map_or(0, |(_, count)| *count), summary.progress.commands);
    assert_eq!(summary.rejects_by_reason.iter().map(|(_, count)| count).sum::<u64>(), summary.progress.rejects);
}

#[test]
fn the_steps_do_not_change_the_stream() {
    let config = FlowConfig { orders: 5_000, accounts: 300, instruments: 12, ..FlowConfig::default() };
    let hashes: Vec<String> = [1, 64, 1_000, u64::MAX].map(|step| run(config, step).state_hash()).into();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[test]
fn another_seed_is_another_market() {
    let config = |seed| FlowConfig { seed, orders: 2_000, accounts: 100, instruments: 5 };
    let hashes: BTreeSet<String> = (0..20).map(|seed| run(config(seed), 100).state_hash()).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn the_smallest_venue_works() {
    let config = FlowConfig { seed: 3, orders: 3_000, accounts: FlowConfig::ACCOUNTS_MIN, instruments: 1 };
    assert!(run(config, 500).summary().progress.trades > 500);
}

#[test]
fn waiting_orders_stand_at_no_level_and_leave_in_every_way() {
    let config = FlowConfig { orders: 150_000, accounts: 500, instruments: 12, ..FlowConfig::default() };
    let mut flow = Flow::new(config);
    let mut engine = Engine::new(EngineConfig::default());
    let mut events = EventBuffer::with_capacity(1 << 12);
    engine.apply_all(&flow.set_up(), &mut events);
    events.clear();
    let mut commands: Vec<CommandRecord> = Vec::new();
    let mut closed: BTreeMap<u16, u64> = BTreeMap::new();
    let mut triggered_by_source = [0; 3];
    let mut trails = 0;
    let (mut batches, mut following) = (0, 0);
    while !flow.is_done() {
        flow.next_batch(events.as_slice(), &mut commands);
        events.clear();
        batches += 1;
        if batches % 20 == 0 {
            following += check_books(&flow, &engine);
        }
        engine.apply_all(&commands, &mut events);
        commands.clear();
        for event in events.as_slice() {
            match EventKind::from_code(event.kind) {
                Some(EventKind::OrderCancelled | EventKind::OrderExpired) => {
                    *closed.entry(event.reason).or_default() += 1;
                }
                Some(EventKind::OrderTriggered) => triggered_by_source[usize::from(event.time_in_force)] += 1,
                Some(EventKind::OrderConditions) => trails += u64::from(event.self_trade_prevention != 0),
                _ => {}
            }
        }
    }
    flow.next_batch(events.as_slice(), &mut commands);
    // The books do not run dry within the band, and hardly anybody is halted when a trigger fires.
    // No market expires, hardly any auction ends far away from the price, breakers trip seldom, what is approved still passes its
    // checks, and nobody sends quotes.
    let not_met = [
        CloseReason::NoLiquidity,
        CloseReason::RefusedAtTrigger,
        CloseReason::RefusedAtRelease,
        CloseReason::InstrumentExpired,
        CloseReason::OutsideCollar,
        CloseReason::TradingStopped,
        CloseReason::QuoteReplaced,
        CloseReason::QuoteProtection,
    ];
    for reason in CloseReason::ALL.iter().filter(|reason| !not_met.contains(reason)) {
        assert!(closed.contains_key(&(*reason as u16)), "{reason:?} {closed:?}");
    }
    assert!(triggered_by_source.iter().all(|count| *count > 0), "{triggered_by_source:?}");
    assert!(trails > 50, "{trails}");
    check_books(&flow, &engine);
    assert!(following > 0, "some looked while orders followed others");
    assert!(flow.markets.iter().any(|market| !market.waiting.is_empty()));
}

/// Checks that the flow knows the open orders, and where trading goes on the displayed prices. Returns how many orders follow
/// others on the book.
fn check_books(flow: &Flow, engine: &Engine) -> usize {
    assert_eq!(flow.live_orders(), engine.open_order_count());
    let trades = |(_, market): &(usize, &Market)| market.state.trades();
    for (id, market) in flow.markets.iter().enumerate().filter(trades) {
        for side in [Side::Buy, Side::Sell] {
            let levels = engine.level_views(InstrumentId(id as u32), side).map(|level| level.price.ticks());
            let mut known = market.prices(side);
            known.sort_unstable();
            let mut stand: Vec<i64> = levels.collect();
            stand.sort_unstable();
            assert_eq!(known, stand, "market {id} {side:?}");
        }
    }
    let orders = flow.markets.iter().flat_map(|market| &market.orders);
    orders.filter(|slot| flow.live.get(**slot).stand == Stand::Following).count()
}

/// What a market went through, looked at every thousand commands.
#[derive(Clone, Copy, Default)]
struct Watch {
    looks: u32,
    one_sided: u32,
}

impl Watch {
    fn look(&mut self, view: &MarketView) {
        self.looks += 1;
        let (Some(bid), Some(ask)) = (view.bid_ticks, view.ask_ticks) else {
            self.one_sided += 1;
            return;
        };
        // In a call nothing trades, whatever crosses, and no breaker lets trade what would go too far.
        assert!(bid < ask || !view.state.trades(), "{view:?}");
    }
}

#[test]
fn two_hundred_thousand_orders_meet_every_rule_and_leave_the_books_two_sided() {
    let config = FlowConfig { orders: 200_000, ..FlowConfig::default() };
    let mut demo = Demo::new(config);
    let mut watches = vec![Watch::default(); config.instruments];
    while !demo.step(1_000).is_done {
        for (watch, view) in watches.iter_mut().zip(demo.markets()) {
            watch.look(&view);
        }
    }
    let summary = demo.summary();
    for (watch, info) in watches.iter().zip(demo.market_infos()) {
        assert!(watch.one_sided * 100 <= watch.looks, "{}: {} of {}", info.symbol, watch.one_sided, watch.looks);
    }
    assert!(demo.markets().iter().all(|view| view.trades > 50));
    assert_eq!(demo.flow().live_orders(), summary.progress.open_orders, "the flow knows its orders");

    // Most of what traders send is accepted, and most cancels find their order.
    assert!(summary.progress.rejects * 30 < summary.progress.commands, "{summary:?}");

    let set_up_only = [
        CommandKind::AddAsset,
        CommandKind::ListInstrument,
        CommandKind::OpenAccount,
        CommandKind::SetTradeGroup,
        CommandKind::SetPositionLimit,
        CommandKind::SetAllocation,
        CommandKind::SetApprovalBands,
        CommandKind::SetAuctionTerms,
        CommandKind::SetBreaker,
        CommandKind::SetTop,
        CommandKind::SetLead,
        // Nobody sends mass quotes.
        CommandKind::MassQuote,
        CommandKind::CancelQuotes,
        CommandKind::SetQuoteProtection,
        CommandKind::ResetQuoteProtection,
        // Nobody opens sessions or registers keys.
        CommandKind::OpenSession,
        CommandKind::RegisterKey,
        CommandKind::RevokeKey,
        // There is one shard.
        CommandKind::SendTransfer,
        CommandKind::ReceiveTransfer,
        CommandKind::ConfirmTransfer,
    ];
    let sent = |kind: &CommandKind| summary.commands_by_kind.iter().any(|(sent, _)| sent == kind);
    let missing: Vec<_> = CommandKind::ALL
        .iter()
        .filter(|kind| !kind.is_continuation() && !sent(kind))
        .filter(|kind| !set_up_only.contains(kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");

    // What only the set-up, a market without a price or an absurd amount can run into.
    let not_met = [
        RejectReason::NoReferencePrice,
        RejectReason::AmountTooLarge,
        RejectReason::IdNotNext,
        RejectReason::InvalidName,
        RejectReason::NameTaken,
        RejectReason::SettingOutOfRange,
        RejectReason::UnitsNotWhole,
        RejectReason::FeeScheduleNegative,
        RejectReason::BookNotEmpty,
        // No market expires.
        RejectReason::InstrumentExpired,
        // Rules of allocation are set before anybody trades.
        RejectReason::RuleHasNoSteps,
        RejectReason::LeadsAboveWhole,
        RejectReason::TooManyLeads,
        // Nobody sends mass quotes.
        RejectReason::InstrumentQuotedTwice,
        RejectReason::QuoteProtectionTriggered,
        RejectReason::QuoteCrossesItself,
        // Nobody opens sessions, registers keys or sends a command twice.
        RejectReason::ClientSequenceTooOld,
        RejectReason::ClientSequenceGap,
        RejectReason::UnknownKey,
        RejectReason::TooManySessions,
        // There is one shard.
        RejectReason::SameShard,
        RejectReason::UnknownTransfer,
        RejectReason::TransferAlreadyReceived,
        RejectReason::TransferGap,
    ];
    let met = |reason: &RejectReason| summary.rejects_by_reason.iter().any(|(met, _)| met == reason);
    let missing: Vec<_> = RejectReason::ALL.iter().filter(|reason| !not_met.contains(reason) && !met(reason)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let told = |kind: &EventKind| summary.events_by_kind.iter().any(|(told, _)| told == kind);
    // Nobody sends mass quotes, nobody opens sessions or registers keys, and there is one shard.
    let not_told = [
        EventKind::QuoteAccepted,
        EventKind::QuoteProtectionTriggered,
        EventKind::SessionOpened,
        EventKind::SessionNameText,
        EventKind::CommandRepeated,
        EventKind::KeyRegistered,
        EventKind::KeyRevoked,
        EventKind::KeyIdText,
        EventKind::TransferSent,
        EventKind::TransferReceived,
        EventKind::TransferConfirmed,
    ];
    let silent: Vec<_> = EventKind::ALL.iter().filter(|kind| !told(kind) && !not_told.contains(kind)).collect();
    assert!(silent.is_empty(), "{silent:?}");
    assert!(summary.orders_by_class.iter().all(|(_, count)| *count > 500), "{:?}", summary.orders_by_class);
}
