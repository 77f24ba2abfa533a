//! The demo's flow, command by command.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_sim::flow::{Flow, FlowConfig};
use tradewright_types::{CommandRecord, EventRecord};

/// Runs a market: `look` sees the engine after each command, with the command and its events.
pub(crate) fn run(config: FlowConfig, mut look: impl FnMut(&Engine, &[CommandRecord], &[EventRecord])) {
    let mut flow = Flow::new(config);
    let mut engine = Engine::new(EngineConfig::default());
    let (mut batch, mut events) = (EventBuffer::default(), EventBuffer::default());
    let mut commands = flow.set_up();
    loop {
        batch.clear();
        let mut seen: Vec<EventRecord> = Vec::new();
        let mut stream = commands.as_slice();
        while !stream.is_empty() {
            let (records, rest) = CommandRecord::split_command(stream);
            events.clear();
            engine.apply(records, &mut events);
            look(&engine, records, events.as_slice());
            seen.extend_from_slice(events.as_slice());
            stream = rest;
        }
        commands.clear();
        if flow.is_done() {
            return;
        }
        flow.next_batch(&seen, &mut commands);
    }
}
