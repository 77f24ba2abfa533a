//! The same commands give the same events and the same state: twice, after a restart at any command, and in any build.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{CommandRecord, EntityHash, EventKind, EventRecord, HashTotal};
use zerocopy::IntoBytes;

use crate::common::Venue;
use crate::flow::commands;

const SEED: u64 = 20_261_122;
const COUNT: usize = 2_000;

fn apply(engine: &mut Engine, stream: &[Vec<CommandRecord>]) -> Vec<EventRecord> {
    let mut events = EventBuffer::default();
    stream.iter().for_each(|records| engine.apply(records, &mut events));
    events.as_slice().to_vec()
}

fn hash(events: &[EventRecord]) -> HashTotal {
    EntityHash::new(0).bytes(events.as_bytes()).finish()
}

#[test]
fn the_stream_is_the_same_in_every_build() {
    // Golden: a debug and a release build, and every platform, give these. A change of the rules changes them.
    let mut engine = Engine::new(EngineConfig::default());
    let events = apply(&mut engine, &commands(SEED, COUNT));
    engine.check_invariants();
    let counts = |kind: EventKind| events.iter().filter(|event| event.kind == kind as u8).count();
    let kinds = [EventKind::Trade, EventKind::MatchPrevented, EventKind::OrderAmended, EventKind::Rejected].map(counts);
    let given = (events.len(), kinds, hash(&events).to_string(), engine.state_hash().to_string());
    let (event_hash, state_hash) = ("2f4e03304752be2fc2eb5ac791d72c59", "66b0066ad1829bc5f16cc8cb9c633090");
    let golden = (2_641, [222, 47, 130, 746], event_hash.to_owned(), state_hash.to_owned());
    assert_eq!(given, golden, "seed {SEED}");
}

#[test]
fn two_runs_in_one_process_are_the_same() {
    let stream = commands(SEED + 1, COUNT);
    let mut first = Engine::new(EngineConfig::default());
    let mut second = Engine::new(EngineConfig { open_orders_expected: 0, ..EngineConfig::default() });
    assert_eq!(apply(&mut first, &stream).as_bytes(), apply(&mut second, &stream).as_bytes());
    assert_eq!(first.state_hash(), second.state_hash());
}

#[test]
fn a_restart_at_any_command_has_the_same_future() {
    // At each command the engine is restored from its snapshot and both go on side by side; the restored one is the next to be
    // restored, so that what a snapshot might lose adds up over the whole stream.
    let stream = commands(SEED, COUNT);
    let mut lasting = Engine::new(EngineConfig::default());
    let mut restarted = Engine::new(EngineConfig::default());
    let (mut expected, mut given) = (EventBuffer::default(), EventBuffer::default());
    for (n, records) in stream.iter().enumerate() {
        restarted = Engine::restore(EngineConfig::default(), &restarted.snapshot()).expect("a snapshot is restored");
        lasting.apply(records, &mut expected);
        restarted.apply(records, &mut given);
        assert_eq!(given.as_slice().as_bytes(), expected.as_slice().as_bytes(), "seed {SEED}, command {n}");
        assert_eq!(restarted.state_hash(), lasting.state_hash(), "seed {SEED}, command {n}");
        expected.clear();
        given.clear();
    }
    restarted.check_invariants();
}

/// At every command in a release build; a debug build takes one in so many.
const RESTART_EVERY: usize = if cfg!(debug_assertions) { 97 } else { 1 };

#[test]
fn one_restart_has_the_same_future_to_its_end() {
    let stream = commands(SEED, COUNT);
    let mut lasting = Engine::new(EngineConfig::default());
    let events = apply(&mut lasting, &stream);
    let mut engine = Engine::new(EngineConfig::default());
    let mut so_far = EventBuffer::default();
    for (n, records) in stream.iter().enumerate() {
        if n % RESTART_EVERY == 0 {
            let mut restored =
                Engine::restore(EngineConfig::default(), &engine.snapshot()).expect("a snapshot is restored");
            let future = apply(&mut restored, &stream[n..]);
            assert_eq!(future.as_bytes(), events[so_far.len()..].as_bytes(), "seed {SEED}, command {n}");
            assert_eq!(restored.state_hash(), lasting.state_hash(), "seed {SEED}, command {n}");
        }
        engine.apply(records, &mut so_far);
    }
}

#[test]
fn checkpoints_at_any_commands_leave_events_and_state_hash_alone() {
    let stream = commands(SEED + 2, COUNT);
    let mut engines = [0, 1, 7, 500].map(|every| (every, Engine::new(EngineConfig::default())));
    for (n, records) in stream.iter().enumerate() {
        let mut seen = None;
        for (every, engine) in &mut engines {
            let mut events = EventBuffer::default();
            engine.apply(records, &mut events);
            let given = (hash(events.as_slice()), engine.state_hash());
            assert_eq!(*seen.get_or_insert(given), given, "seed {}, command {n}, checkpoints {every}", SEED + 2);
            if *every > 0 && n % *every == 0 {
                assert_eq!(engine.checkpoint(), given.1, "a checkpoint is the state hash");
            }
        }
    }
    engines.iter().for_each(|(_, engine)| engine.check_invariants());
}

#[test]
fn the_auditor_agrees_with_random_streams() {
    for seed in [1, 2, 3, 4] {
        let mut venue = Venue::empty();
        for records in commands(seed, 700) {
            venue.apply(&records);
        }
    }
}

#[test]
fn the_state_hash_sees_every_command_and_every_difference() {
    let stream = commands(SEED, 500);
    let mut engine = Engine::new(EngineConfig::default());
    let mut events = EventBuffer::default();
    let mut seen = std::collections::BTreeSet::new();
    for records in &stream {
        engine.apply(records, &mut events);
        assert!(seen.insert(engine.state_hash().0), "every command changes at least the sequence");
    }
}
