//! Prints what the full engine costs on a workload, beside the reference ladder of the same rounds.
//!
//! `cargo run --release -p tradewright-sim --example engine -- [WORKLOAD] [OPERATIONS] [ROUNDS]`

use std::process::ExitCode;

use tradewright_sim::{
    BenchReport, BookSubject, DriveOptions, EngineSubject, ExpireMaker, ManyBooks, NoPrevention, PagedBook, Workload,
    drive, golden,
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
    if std::env::var_os("ONLY").is_some() {
        println!("{}", drive::<EngineSubject<NoPrevention>>(&tape, &options));
        return Ok(());
    }
    let book = if tape.shape.instruments == 1 {
        drive::<BookSubject<PagedBook>>(&tape, &options)
    } else {
        drive::<ManyBooks<PagedBook>>(&tape, &options)
    };
    println!("{book}");
    let engine = drive::<EngineSubject<NoPrevention>>(&tape, &options);
    println!("{engine}");
    println!("{}", drive::<EngineSubject<ExpireMaker>>(&tape, &options));
    for report in [&book, &engine] {
        match golden(workload, operations) {
            Some(golden) => report.check(golden)?,
            None if report.outcome() == tape.outcome => {}
            None => return Err(format!("{} disagrees with the generator: {:?}", report.subject, report.outcome())),
        }
    }
    Ok(())
}
