//! What the engine asks of the allocator: nothing once it is warm, and little for each resting order.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; this one counts and hands on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_sim::venue::bench_set_up;
use tradewright_sim::{
    BySession, EngineSubject, ExpireMaker, NoPrevention, Prevention, Subject, Sums, Workload, commands,
};
use tradewright_types::{CommandRecord, Price, SelfTradePrevention};

/// Counts what the current thread allocates, so that tests beside each other do not disturb each other.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    LIVE_BYTES.set(LIVE_BYTES.get() + bytes);
    ALLOCATIONS.set(ALLOCATIONS.get() + u64::from(bytes > 0));
}

// SAFETY: every call is handed on to the system's allocator as it came; the counters are cells of the thread without a
// destructor, which never allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Warms an engine up with most of a workload and counts the allocations of the rest.
fn check_steady_state<P: Prevention>(workload: Workload, operations: usize) {
    let tape = workload.generate(operations);
    let mut subject = EngineSubject::<P>::fresh(&tape);
    let prepared = EngineSubject::<P>::prepare(&tape);
    let (warm_up, steady) = prepared.split_at(prepared.len() * 2 / 3);
    let mut sums = Sums::default();
    warm_up.chunks(1_000).for_each(|batch| subject.apply(batch, &mut sums));
    let before = (ALLOCATIONS.get(), LIVE_BYTES.get());
    steady.chunks(1_000).for_each(|batch| subject.apply(batch, &mut sums));
    let after = (ALLOCATIONS.get(), LIVE_BYTES.get());
    assert!(sums.fills > 0);
    assert_eq!(after, before, "{workload}: allocations and live bytes over {} commands", steady.len());
}

/// Enough in a debug build to be warm, all of it in a release build.
const OPERATIONS: usize = if cfg!(debug_assertions) { 200_000 } else { 3_000_000 };

#[test]
fn a_warm_engine_allocates_nothing() {
    check_steady_state::<NoPrevention>(Workload::Mix60, OPERATIONS);
}

#[test]
fn a_warm_engine_that_prevents_self_trades_allocates_nothing() {
    check_steady_state::<ExpireMaker>(Workload::Mix60, OPERATIONS);
}

#[test]
fn a_warm_engine_that_recognises_retries_allocates_nothing() {
    check_steady_state::<BySession>(Workload::Mix60, OPERATIONS);
}

#[test]
fn checkpoints_of_a_warm_engine_keep_nothing() {
    let tape = Workload::Mix60.generate(OPERATIONS);
    let commands = commands(tape.records(), Workload::Mix60.accounts(), SelfTradePrevention::None);
    let mut events = EventBuffer::with_capacity(1 << 12);
    let mut engine = Engine::new(EngineConfig::default());
    engine.apply_all(&bench_set_up(1, Workload::Mix60.accounts(), Price::from_ticks(100_000)), &mut events);
    let (warm_up, steady) = commands.split_at(commands.len() * 2 / 3);
    let mut apply = |batch: &[CommandRecord]| {
        engine.apply_all(batch, &mut events);
        events.clear();
        engine.checkpoint()
    };
    warm_up.chunks(4_096).for_each(|batch| {
        apply(batch);
    });
    let before = LIVE_BYTES.get();
    steady.chunks(4_096).for_each(|batch| {
        apply(batch);
    });
    assert_eq!(LIVE_BYTES.get(), before, "over {} commands", steady.len());
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a million resting orders: release builds only")]
fn a_resting_order_takes_less_than_250_bytes_all_in() {
    let tape = Workload::Resting1m.generate(0);
    let prepared = EngineSubject::<NoPrevention>::prepare(&tape);
    let before = LIVE_BYTES.get();
    let mut subject = EngineSubject::<NoPrevention>::fresh(&tape);
    prepared.chunks(1_000).for_each(|batch| subject.apply(batch, &mut Sums::default()));
    let orders = subject.finish().live;
    assert_eq!(orders, 1_000_000);
    let bytes = LIVE_BYTES.get() - before;
    println!("{} bytes an order, accounts, balances, books and event buffer included", bytes / orders as i64);
    assert!(bytes < 250 * orders as i64, "{bytes} bytes for {orders} orders");
}
