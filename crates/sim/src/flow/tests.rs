//! The flow as a whole, against the engine.

use tradewright_types::{CommandKind, RejectReason};

use super::{Demo, FlowConfig, MarketView};

/// The state after 20,000 orders of seed 7. The same on every platform and build; it changes only when the flow, the
/// rules or the definition of the state hash do.
const GOLDEN_SEED_7: &str = "5f8e02fc29e92f20899f1d81caa29de6";

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
    let hashes: std::collections::BTreeSet<String> = (0..20).map(|seed| run(config(seed), 100).state_hash()).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn the_smallest_venue_works() {
    let config = FlowConfig { seed: 3, orders: 3_000, accounts: FlowConfig::ACCOUNTS_MIN, instruments: 1 };
    assert!(run(config, 500).summary().progress.trades > 500);
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
        assert!(bid < ask, "{view:?}");
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
    ];
    let sent = |kind: &CommandKind| summary.commands_by_kind.iter().any(|(sent, _)| sent == kind);
    let missing: Vec<_> = CommandKind::ALL
        .iter()
        .filter(|kind| !kind.is_continuation() && !set_up_only.contains(kind) && !sent(kind))
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
    ];
    let met = |reason: &RejectReason| summary.rejects_by_reason.iter().any(|(met, _)| met == reason);
    let missing: Vec<_> = RejectReason::ALL.iter().filter(|reason| !not_met.contains(reason) && !met(reason)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(summary.orders_by_class.iter().all(|(_, count)| *count > 1_000), "{:?}", summary.orders_by_class);
}
