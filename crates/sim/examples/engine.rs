//! Prints what the full engine costs on a workload, beside the reference ladder of the same rounds.
//!
//! `cargo run --release -p tradewright-sim --example engine -- [WORKLOAD] [OPERATIONS] [ROUNDS] [BATCH] [SUBJECT]`
//! where the subject is `book`, `engine`, `stp`, `session` or, by default, each of them.

use std::process::ExitCode;

use tradewright_sim::{
    BenchReport, BookSubject, BySession, DriveOptions, EngineSubject, ExpireMaker, ManyBooks, NoPrevention, PagedBook,
    Tape, Workload, drive, golden,
};

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
    let mut arguments = std::env::args().skip(1);
    let workload: Workload = arguments.next().as_deref().unwrap_or("mix60").parse()?;
    let number = |text: Option<String>, default: usize| {
        text.map_or(Ok(default), |text| text.parse().map_err(|_| format!("{text:?} is not a number")))
    };
    let operations = number(arguments.next(), 3_000_000)?;
    let rounds = number(arguments.next(), 5)?;
    let batch = number(arguments.next(), 256)?;
    let options = DriveOptions { rounds, batch, ..DriveOptions::default() };
    let tape = workload.generate(operations);
    println!("{}", BenchReport::HEADING);
    let subject = arguments.next().unwrap_or_default();
    let wanted = |name: &str| subject.is_empty() || subject == name;
    if wanted("book") {
        let book = if tape.shape.instruments == 1 {
            drive::<BookSubject<PagedBook>>(&tape, &options)
        } else {
            drive::<ManyBooks<PagedBook>>(&tape, &options)
        };
        show(&tape, &book)?;
    }
    if wanted("engine") {
        show(&tape, &drive::<EngineSubject<NoPrevention>>(&tape, &options))?;
    }
    if wanted("stp") {
        println!("{}", drive::<EngineSubject<ExpireMaker>>(&tape, &options));
    }
    if wanted("session") {
        show(&tape, &drive::<EngineSubject<BySession>>(&tape, &options))?;
    }
    Ok(())
}

/// Prints a report, unless its answer is wrong.
fn show(tape: &Tape, report: &BenchReport) -> Result<(), String> {
    match golden(tape.workload, tape.requested) {
        Some(golden) => report.check(golden)?,
        None if report.outcome() == tape.outcome => {}
        None => return Err(format!("{} disagrees with the generator: {:?}", report.subject, report.outcome())),
    }
    println!("{report}");
    Ok(())
}
