//! Prints what a hop over a ring costs between two threads and between two processes, and how much passes.
//!
//! `cargo run --release -p tradewright-sim --example rings -- [CORE CORE]`

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use tradewright_sim::{RingBenchError, RingOptions, RingPair, quantile, ring_bench};
use tradewright_transport::{Placement, Wait};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [word, path, core] if word == "echo" => echo(Path::new(path), core.parse().ok()),
        _ => show(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rings: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The other process.
fn echo(path: &Path, core: Option<usize>) -> Result<(), RingBenchError> {
    Placement { core, ..Placement::default() }.apply()?;
    Ok(RingPair::open(path)?.echo(Wait::Spin)?)
}

fn show(arguments: &[String]) -> Result<(), RingBenchError> {
    let core = |index: usize| arguments.get(index).and_then(|text| text.parse().ok());
    let options = RingOptions { cores: [core(0), core(1)], ..RingOptions::default() };
    let figures = ring_bench(&options)?;
    println!(
        "threads    hop p50 {:.0} ns, p99 {:.0}, p99.9 {:.0}, max {:.0}",
        figures.hop_p50_ns, figures.hop_p99_ns, figures.hop_p999_ns, figures.hop_max_ns
    );
    println!("queue      {:.1} M commands/s", figures.queue_per_second / 1e6);
    println!(
        "broadcast  {:.1} M events/s, {} of {} skipped by the reader",
        figures.broadcast_per_second / 1e6,
        figures.broadcast_skipped,
        options.slots
    );
    println!("           {:.1} M events/s when the writer waits for the reader", figures.followed_per_second / 1e6);
    let hops = between_processes(&options)?;
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|share| quantile(&hops, share));
    println!("processes  hop p50 {p50:.0} ns, p99 {p99:.0}, p99.9 {p999:.0}, max {max:.0}");
    Ok(())
}

fn between_processes(options: &RingOptions) -> Result<Vec<f64>, RingBenchError> {
    let folder = if Path::new("/dev/shm").exists() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
    let path = folder.join(format!("tradewright-bench-{}", std::process::id()));
    let pair = RingPair::create(&path)?;
    let core = options.cores[0].map_or_else(|| "any".to_owned(), |core| core.to_string());
    Placement { core: options.cores[1], ..Placement::default() }.apply()?;
    let mut other = Command::new(std::env::current_exe().expect("Invariant: this program has a file"))
        .args(["echo".as_ref(), path.as_os_str(), core.as_ref()])
        .spawn()
        .expect("Invariant: this program can be started once more");
    let watch = std::thread::spawn(move || {
        let status = other.wait().expect("Invariant: the other process is ours");
        if !status.success() {
            // Nobody answers any more, so the measurement would never end.
            eprintln!("rings: the other process failed: {status}");
            std::process::exit(1);
        }
    });
    let hops = pair.hops(options.hops, options.wait);
    watch.join().expect("Invariant: waiting does not panic");
    Ok(hops?)
}
