//! From files to a state: the newest good snapshot, then the log behind it.

use std::path::Path;

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{Journal, JournalConfig, JournalReader, Recovered, Storage, newest_snapshot};
use tradewright_types::CommandRecord;

use crate::clock::{CommandClock, wall_ns};
use crate::error::{NodeError, while_doing};
use crate::genesis::{GenesisCommand, is_same};

/// A state as the files give it.
pub struct Restored {
    /// The state behind the last command of the log.
    pub engine: Engine,
    /// What the log was when it was opened.
    pub recovered: Recovered,
    /// How many commands were applied again.
    pub replayed: u64,
}

/// Opens the log in a folder and brings an engine to where it ends.
///
/// # Errors
/// The log or all snapshots that it needs are damaged, or the log was begun with another genesis.
pub fn restore<S: Storage>(
    storage: &S,
    config: JournalConfig,
    engine: EngineConfig,
    genesis: &[GenesisCommand],
) -> Result<(Journal<S>, Restored), NodeError> {
    let (mut journal, recovered) = Journal::open(config, storage.clone())?;
    if journal.epoch() < engine.epoch {
        journal.begin_epoch(engine.epoch)?;
    }
    let config = EngineConfig { epoch: journal.epoch(), ..engine };
    let mut engine = newest(storage, config, recovered.tip.index)?;
    let from = engine.sequence() + 1;
    if recovered.first_index > from {
        return Err(NodeError::Replay(format!(
            "the log begins with command {}, and no good snapshot reaches command {}",
            recovered.first_index,
            recovered.first_index - 1
        )));
    }
    if recovered.first_index == 1 && recovered.tip.index > 0 {
        compare(storage.clone(), genesis)?;
    }
    let mut events = EventBuffer::default();
    let mut commands = Vec::new();
    if from <= recovered.tip.index {
        let mut reader = JournalReader::open(storage.clone(), from)?;
        while let Some(batch) = reader.next_batch()? {
            commands.clear();
            batch.copy_commands(from, &mut commands);
            engine.apply_all(&commands, &mut events);
            events.clear();
        }
    }
    if engine.sequence() != recovered.tip.index {
        let (engine, log) = (engine.sequence(), recovered.tip.index);
        return Err(NodeError::Replay(format!("the log ends with command {log}, the engine with {engine}")));
    }
    let replayed = engine.sequence() + 1 - from;
    Ok((journal, Restored { engine, recovered, replayed }))
}

/// The state of the newest snapshot that is good and not ahead of the log, or an empty one.
pub(crate) fn newest<S: Storage>(storage: &S, config: EngineConfig, last_index: u64) -> Result<Engine, NodeError> {
    let found = newest_snapshot(storage, last_index, config)?;
    for refused in found.refused {
        eprintln!("passed over: {refused}");
    }
    Ok(found.snapshot.map_or_else(|| Engine::new(config), |(_, engine)| engine))
}

/// Makes sure that the log was begun with this genesis.
fn compare<S: Storage>(storage: S, genesis: &[GenesisCommand]) -> Result<(), NodeError> {
    let mut reader = JournalReader::open(storage, 1)?;
    let mut expected = genesis.iter();
    let mut commands: Vec<CommandRecord> = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        commands.clear();
        batch.copy_commands(1, &mut commands);
        let mut rest = &commands[..];
        while !rest.is_empty() {
            let (logged, behind) = CommandRecord::split_command(rest);
            rest = behind;
            match expected.next() {
                None => return Ok(()),
                Some(command) if is_same(&command.records, logged) => {}
                Some(command) => return Err(command.differs.clone().into()),
            }
        }
    }
    // A node that died before its genesis was whole goes on with the rest of it.
    Ok(())
}

/// Begins a log: what it lacks of its genesis is logged, synced and applied, before anybody is let in.
pub(crate) fn begin<S: Storage>(
    journal: &mut Journal<S>,
    engine: &mut Engine,
    genesis: &[GenesisCommand],
) -> Result<(), NodeError> {
    let known = usize::try_from(engine.sequence()).unwrap_or(usize::MAX);
    let mut clock = CommandClock::behind(engine.time_ns());
    let mut events = EventBuffer::default();
    for command in genesis.iter().skip(known) {
        let mut records = command.records.clone();
        records[0].header.time_ns = clock.next(wall_ns());
        journal.append(&records)?;
        engine.apply_all(&records, &mut events);
    }
    journal.commit()?;
    Ok(())
}

/// Makes the folder of a node.
pub(crate) fn make_directory(directory: &Path) -> Result<(), NodeError> {
    std::fs::create_dir_all(directory).map_err(while_doing(format!("making the folder {}", directory.display())))
}
