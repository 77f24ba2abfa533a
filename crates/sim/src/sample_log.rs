//! A log of simulated orders on a real disk, for tests and for rehearsing what an operator does with one.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_journal::{
    CHECK_EVERY, Check, FolderStorage, Journal, JournalConfig, JournalError, Tier, TreeHasher, write_snapshot,
};
use tradewright_types::{CommandRecord, Price, SelfTradePrevention};

use crate::{Workload, commands, venue};

/// Commands a batch.
const BATCH: usize = 256;
/// Signs what the log holds. Everybody knows it: what it signs proves nothing to anybody.
const SAMPLE_KEY: [u8; 32] = *b"the well-known key of the sample";

/// Writes a log of at least so many commands, with checks, signed heads and two snapshots, closed in order. Returns its last
/// index.
///
/// # Errors
/// Those of the journal.
pub fn write_sample_log(storage: &FolderStorage, commands_min: usize, segment_bytes: u64) -> Result<u64, JournalError> {
    let config = JournalConfig {
        tier: Tier::Memory,
        segment_bytes,
        batch_bytes_max: JournalConfig::default().batch_bytes_max.min(segment_bytes as usize / 4),
        ..JournalConfig::default()
    };
    let (mut log, _) = Journal::open(config, storage.clone())?;
    let mut hasher = TreeHasher::open(storage.clone(), SAMPLE_KEY)?;
    let mut engine = Engine::new(EngineConfig::default());
    let (mut events, mut preparer) = (EventBuffer::default(), log.preparer());
    let mut tape = venue::bench_set_up(1, 2, Price::from_ticks(100_000));
    let orders = Workload::Mix60.generate(commands_min);
    tape.extend(commands(&orders.records()[..commands_min], 2, SelfTradePrevention::None));
    let mut stream = &tape[..];
    while !stream.is_empty() {
        let before = engine.sequence();
        for _ in 0..BATCH {
            let (command, rest) = CommandRecord::split_command(stream);
            if command.is_empty() {
                break;
            }
            log.append(command)?;
            engine.apply(command, &mut events);
            events.clear();
            if engine.sequence().is_multiple_of(CHECK_EVERY) {
                let state_hash = Some(engine.checkpoint());
                log.append_check(&Check { index: engine.sequence(), events_hash: None, state_hash })?;
            }
            stream = rest;
        }
        while preparer.prepare()? {}
        log.commit()?;
        hasher.poll(usize::MAX, || ())?;
        if let Some(head) = hasher.sign() {
            log.append_tree_head(&head)?;
        }
        let middle = commands_min as u64 / 2;
        if (before..engine.sequence()).contains(&middle) || stream.is_empty() {
            write_snapshot(storage, &engine)?;
        }
    }
    log.seal().map(|tip| tip.index)
}
