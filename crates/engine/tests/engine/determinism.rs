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

#[test]
fn the_state_hash_tells_apart_whatever_one_command_may_do() {
    let mut venue = Venue::new();
    venue.check(
        "
        sell A2 1 @10
        buy A3 1 @10
        permit A5 15
        bands I1 10 20 wait=9
        quote A5 I0 2@7 2@30
        ",
    );
    let settings = "
        rates A2 open=5 | rates A2 orders=5 | rates A2 messages=5 | rates A3 open=5 | tier A2 1 | tier A2 2 | group A2 1
        group A3 1 | permit A2 1 | permit A2 2 | halt A2 | halt A3 | halt venue | halt I0 | halt I1 | kill A2 | kill A3 | kill G1
        kill G2 | kill S1 | kill S2 | position A2 I0 5 | position A2 I1 5 | position A3 I0 5 | reference I0 5 | reference I1 5
        mark I0 5 | mark I1 5 | index I0 5 | restrict A2 I0 1 | restrict A2 I0 2 | restrict A2 I1 1 | restrict A3 I0 1
        restrict G2 I0 1 | restrict G3 I0 1 | fee S0 T0 9 5 | fee S0 T0 5 9 | fee S0 T1 9 5 | fee S1 T0 9 5 | close 5 | close 6
        limits I1 tick=2 | limits I1 lot=2 | limits I1 min=2 | limits I1 max=2 | limits I1 notional_min=2
        limits I1 notional_max=2 | limits I1 down=2 | limits I1 up=2 | limits I0 tick=2 | terms I0 collar=5 | terms I0 extension=5
        terms I0 call=5 | terms I0 collar=5 extension=5 extensions=2 | schedule I0 closed none 500 | schedule I0 closed none 501
        schedule I0 auction closing 500 | schedule I0 auction intraday 500 | state I0 preopen | state I0 cancelonly
        state I0 auction closing | state I0 auction intraday | bands I0 5 wait=9 | bands I0 6 wait=9 | bands I0 5 wait=8
        bands I0 5 6 wait=9 | bands A2 5 wait=9 | bands A3 5 wait=9 | allocation I1 rule=1 | allocation I1 rule=1 min=2
        allocation I1 rule=2 | allocation I1 rule=2 fifo=5 | allocation I1 rule=2 level=1 | allocation I1 rule=3
        allocation I1 rule=3 weight=1 | allocation I1 rule=3 weight=3 | breaker I0 ticks=5 slots=2 slot=10 pause=100
        breaker I0 ticks=6 slots=2 slot=10 pause=100 | breaker I0 ticks=5 slots=3 slot=10 pause=100
        breaker I0 ticks=5 slots=2 slot=11 pause=100 | breaker I0 ticks=5 slots=2 slot=10 pause=101
        breaker I0 settlement=2000 share=35000 pause=100 | breaker I0 settlement=2000 share=35000 pause=100 closing=9 short=1
        protect A5 I0 lots=5 window=9 | protect A5 I0 fills=5 window=9 | protect A5 I0 lots=5 window=8 | protect A5 lots=5 window=9
        protect A4 I0 lots=5 window=9 | withdraw A2 quote 5 | withdraw A2 quote 6 | withdraw A3 quote 5 | withdraw A2 base 5
        deposit A2 quote 5 | deposit A2 base 5 | deposit A3 quote 5 | transfer A2 A3 quote 5 internal
        asset 3 0 gas | asset 3 1 gas | asset 3 0 gold | open A9 client judy | open A9 house judy | open A9 client jude
        list I2 gas/quote base=1 quote=0 | list I2 gas/quote base=2 quote=0 | list I2 gas/quote base=1 quote=2
        list I2 gas/quote base=1 quote=0 tick_lot=2 | list I2 gas/quote base=1 quote=0 base_lot=2
        list I2 gas/quote base=1 quote=0 schedule=2 | list I2 gold/quote base=1 quote=0
    ";
    let orders = "
        buy A2 5 @9 | buy A2 6 @9 | buy A2 5 @8 | buy A3 5 @9 | buy A2 5 @9 I1 | sell A2 5 @11 | buy A2 5 @9 post | buy A2 5 @9 em
        buy A2 5 @9 dec | buy A2 5 @9 #1 | buy A2 5 @9 #2 | buy A2 5 @9 #x | buy A2 5 @9 #y | buy A2 5 @9 day | buy A2 5 @9 until=50
        buy A2 5 @9 until=51 | buy A2 5 @9 auction | buy A2 5 @9 opening | buy A2 5 @9 close | buy A2 5 @9 hidden=1
        buy A2 5 @9 peak=2 | buy A2 5 @9 peak=3 | buy A2 5 @9 peak=2 range=1 seed=1 | buy A2 5 @9 peak=2 range=1 seed=2
        buy A2 5 @9 peg=primary | buy A2 5 @9 peg=primary away=1 | buy A2 5 @9 peg=market | buy A2 5 @9 peg=mid
        buy A2 5 @9 stop=12 | buy A2 5 @9 stop=13 | buy A2 5 @9 take=8 | buy A2 5 @9 stop=12 by=mark | buy A2 5 @9 stop=12 by=index
        buy A2 5 @9 stop=12 trail=1 | buy A2 5 @9 stop=12 trail=2 | buy A2 5 @9 stop=12 trail=1bp | buy A2 5 @9 stop=12 ioc
        buy A2 5 @9 stop=12 fok | buy A2 5 @9 stop=12 ioc min=2 | S4 buy A2 5 @9 | S5 buy A2 5 @9 | buy A3 50 @9 I1
        buy A3 51 @9 I1 | quote A2 I0 5@9 - | quote A3 I0 5@9 - | quote A5 I0 1@7 2@30 | quote A5 I0 2@7 -
        oco A2 / sell 5 @20 / sell 5 @5 stop=8 | oco A2 #1 / sell 5 @20 / sell 5 @5 stop=8 | oco A2 #x / sell 5 @20 / sell 5 @5 stop=8
        oto A2 / sell 5 @20 / sell 5 @5 stop=8 | oto A2 / sell 5 @20 / sell 5 @5 stop=9 | cancel-quotes A5 | amend A5 O3 1 @7
    ";
    let mut seen = std::collections::BTreeMap::new();
    for command in
        settings.split(['|', '\n']).chain(orders.split(['|', '\n'])).map(str::trim).filter(|text| !text.is_empty())
    {
        let mut venue = venue.clone();
        let answer = venue.send(command);
        if let Some(other) = seen.insert(venue.engine.state_hash().0, command) {
            panic!("`{command}` ({answer}) and `{other}` leave the same state");
        }
        // What changed last is told from what was there at the last checkpoint, too.
        let (given, mut engine) = (venue.engine.state_hash(), venue.engine.clone());
        assert_eq!(engine.checkpoint(), given, "{command}");
        assert_eq!(engine.state_hash(), given, "{command}");
    }
}

#[test]
fn the_state_hash_tells_apart_top_leads_and_whose_bands_there_are() {
    let mut venue = Venue::new();
    venue.check("allocation I0 rule=2 => set");
    let mut seen = std::collections::BTreeMap::new();
    for command in [
        "at 0",
        "top I0 1 5",
        "top I0 2 5",
        "top I0 1 6",
        "lead I0 A2 1000",
        "lead I0 A3 1000",
        "lead I0 A2 2000",
        "bands I0 5 wait=9",
        "bands I1 5 wait=9",
        "bands A2 5 wait=9",
    ] {
        let mut venue = venue.clone();
        assert!(["", "set"].contains(&venue.send(command).as_str()), "{command}");
        if let Some(other) = seen.insert(venue.engine.state_hash().0, command) {
            panic!("`{command}` and `{other}` leave the same state");
        }
    }
}
