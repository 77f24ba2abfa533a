//! Measures the journal alone: commands of one record through append and commit, and read back.
//!
//! `cargo run --release -p tradewright-sim --example journal -- FOLDER [COMMANDS] [BATCH] [memory]`
//!
//! Every figure is of one thread: copying, a checksum for each record, the hash chain, one write and one sync for each batch.
//! Segments are prepared before the clock starts. The folder decides what a sync costs: name a real disk.

use std::path::Path;
use std::time::Instant;

use tradewright_journal::{FolderStorage, Journal, JournalConfig, JournalReader, Tier};
use tradewright_sim::{Workload, commands, thread_cpu_ns};
use tradewright_types::SelfTradePrevention;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, otherwise: usize| arguments.get(place).map_or(Ok(otherwise), |text| text.parse());
    let folder = arguments.first().ok_or("name a folder to write to")?;
    let (total, batch) = (number(1, 4_000_000)?, number(2, 8_192)?);
    let tier = if arguments.iter().any(|word| word == "memory") { Tier::Memory } else { Tier::LocalSync };
    let storage = FolderStorage::create(&Path::new(folder).join("journal-bench"))?;

    let tape = Workload::Mix60.generate(1_000_000);
    let mut stream = commands(tape.records(), 1_000, SelfTradePrevention::None);
    stream.truncate(1_000_000 / batch * batch);
    let segments = (total * 100).div_ceil(256 << 20) + 1;
    let config = JournalConfig { tier, prepared_segments: segments, ..JournalConfig::default() };
    let (mut journal, _) = Journal::open(config, storage.clone())?;
    let prepare_started = Instant::now();
    let mut preparer = journal.preparer();
    while preparer.prepare()? {}
    let prepared = prepare_started.elapsed();

    let (mut sent, mut syncs_ns) = (0, Vec::new());
    let (started, cpu) = (Instant::now(), thread_cpu_ns());
    let mut pass_ns = 0;
    'passes: loop {
        for chunk in stream.chunks_mut(batch) {
            for command in chunk.iter_mut() {
                command.header.time_ns = pass_ns;
                pass_ns += 1;
            }
            let begun = Instant::now();
            journal.append(chunk)?;
            journal.commit()?;
            syncs_ns.push(begun.elapsed().as_nanos() as u64);
            sent += chunk.len();
            if sent >= total {
                break 'passes;
            }
        }
    }
    let (elapsed, cpu_ns) = (started.elapsed(), thread_cpu_ns() - cpu);
    syncs_ns.sort_unstable();
    let tip = *journal.tip();
    drop(journal);

    let reading = Instant::now();
    let mut reader = JournalReader::open(storage.clone(), 1)?;
    while reader.next_batch()?.is_some() {}
    assert_eq!(*reader.tip(), tip, "what was read is what was written");
    let read = reading.elapsed();
    std::fs::remove_dir_all(storage.path())?;
    let rate = |elapsed: std::time::Duration| sent as f64 / elapsed.as_secs_f64() / 1e6;
    println!("{sent} commands, batches of {batch}, tier {tier:?}");
    println!(
        "write   {:6.2} M commands/s, {:5.1} ns of this thread's CPU a command",
        rate(elapsed),
        cpu_ns as f64 / sent as f64
    );
    println!(
        "batch   p50 {:6.1} us, p99 {:6.1} us",
        syncs_ns[syncs_ns.len() / 2] as f64 / 1e3,
        syncs_ns[syncs_ns.len() * 99 / 100] as f64 / 1e3
    );
    println!("read    {:6.2} M commands/s", rate(read));
    println!("prepare {:6.1} MiB/s", segments as f64 * 256.0 / prepared.as_secs_f64());
    Ok(())
}
