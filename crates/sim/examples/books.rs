//! Prints what each book design costs on a workload, beside the reference ladder of the same rounds.
//!
//! `cargo run --release -p tradewright-sim --example books -- [WORKLOAD] [OPERATIONS] [ROUNDS]`

use std::process::ExitCode;

use tradewright_sim::{
    BTreeBook, BenchReport, BookSubject, DriveOptions, EngineSubject, FreshBook, Ladder, ManyBooks, NoPrevention,
    PagedBook, RbTreeBook, SkipListBook, Tape, Workload, drive, golden,
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
    let operations = number(arguments.next(), 3_000_000)?;
    let rounds = number(arguments.next(), 5)?;
    let options = DriveOptions { rounds, ..DriveOptions::default() };

    let tape = workload.generate(operations);
    println!("{workload}: {:?}", tape.outcome);
    println!("{:?}, checksum {:#018x}", tape.counts, tape.checksum());
    println!("{}", BenchReport::HEADING);
    measure::<Ladder>(&tape, &options)?;
    measure::<PagedBook>(&tape, &options)?;
    println!("{}", drive::<EngineSubject<NoPrevention>>(&tape, &options));
    measure::<BTreeBook>(&tape, &options)?;
    measure::<RbTreeBook>(&tape, &options)?;
    let report = measure::<SkipListBook>(&tape, &options)?;
    println!("target-cpu {}, core {:?}, median of {} rounds", report.target_cpu, report.core, report.rounds);
    Ok(())
}

/// Drives one design, refuses a wrong answer, and prints its row.
fn measure<B: FreshBook>(tape: &Tape, options: &DriveOptions) -> Result<BenchReport, String> {
    let report = if tape.shape.instruments == 1 {
        drive::<BookSubject<B>>(tape, options)
    } else {
        drive::<ManyBooks<B>>(tape, options)
    };
    match golden(tape.workload, tape.requested) {
        Some(golden) => report.check(golden)?,
        None if report.outcome() == tape.outcome => {}
        None => {
            return Err(format!("{} disagrees with the generator: {:?}", report.subject, report.outcome()));
        }
    }
    println!("{report}");
    Ok(report)
}

fn number(argument: Option<String>, default: usize) -> Result<usize, String> {
    let Some(text) = argument else {
        return Ok(default);
    };
    let number = text.replace('_', "").parse().map_err(|error| format!("argument={text:?}: {error}"))?;
    if number == 0 { Err(format!("argument={text:?}: must be at least 1")) } else { Ok(number) }
}
