//! Prints how many commands pass through a whole node: `tradewright bench pipe` without Python.
//!
//! `cargo run --release -p tradewright-sim --example pipe -- FOLDER [TIER] [SECONDS] [IDLE] [ROUTE] [PREPARED]`
//!
//! FOLDER is made anew; a log on a disk that keeps what it syncs needs one there. ROUTE is records (the default), frames or tcp. The
//! node is this program again, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tradewright_sim::node_bench::{PipeOptions, Route, Setting, pipe_bench};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, file] = &arguments[..]
        && serve == "--serve"
    {
        let announce = |line: &str| println!("{line}");
        return tradewright_node::serve(Path::new(file), announce).map_err(|error| error.to_string());
    }
    let word = |place: usize, otherwise: &'static str| arguments.get(place).map_or(otherwise, String::as_str);
    let number = |place, otherwise| {
        let text: &str = word(place, otherwise);
        text.parse::<f64>().map_err(|_| format!("{text:?} must be a number"))
    };
    let folder =
        PathBuf::from(arguments.first().ok_or("usage: pipe FOLDER [TIER] [SECONDS] [IDLE] [ROUTE] [PREPARED]")?);
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let setting = Setting {
        tier: word(1, "local-sync").to_owned(),
        idle: word(3, "yield").to_owned(),
        prepared: number(5, "16")? as usize,
        ..Setting::new(vec![this.display().to_string(), "--serve".to_owned()], folder)
    };
    let route = match word(4, "records") {
        "records" => Route::Records,
        "frames" => Route::ShmFrames,
        "tcp" => Route::Tcp,
        other => return Err(format!("{other:?} must be records, frames or tcp")),
    };
    let options = PipeOptions { setting, route, seconds: number(2, "10")?, operations: 1_000_000, window: 0 };
    let report = pipe_bench(&options, |doing| eprintln!("{doing}"))?;
    println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    Ok(())
}
