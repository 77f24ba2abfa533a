"""Random commands through the engine and the reference exchange, seed after seed, in two processes.

    python -m tests.differential.fuzz --commands 2000000

stops at the first seed on which the two differ and prints the shortest list of commands that still shows it. A seed
gives the same stream whenever it is run: `--commands N --seed S` repeats it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.differential.compare import Difference, Report, run
from tests.differential.rust_engine import RestartingEngine, RustEngine

SEED_COMMANDS = 20_000
"""How many commands of a seed are run: by then its books are as deep as they get."""
BATCHES = (1, 16, 300)
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Job:
    seed: int
    commands: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed gave: a report, or the difference in words."""

    seed: int
    report: Report | None
    difference: str = ""


def run_job(job: Job) -> Outcome:
    try:
        engine = RestartingEngine if job.seed % 4 == 0 else RustEngine
        report = run(engine, job.seed, job.commands, batch=BATCHES[job.seed % len(BATCHES)])
    except Difference as difference:
        return Outcome(job.seed, None, str(difference))
    return Outcome(job.seed, report)


def campaign(seed: int, commands: int, seed_commands: int = SEED_COMMANDS) -> Iterator[Outcome]:
    """Run seeds from `seed` on until there were so many commands; outcomes come as they are done."""
    jobs = [
        Job(seed + number, min(seed_commands, commands - start))
        for number, start in enumerate(range(0, commands, seed_commands))
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        yield from pool.imap_unordered(run_job, jobs)


def main() -> int:
    """Run a campaign and tell how it goes."""
    parser = argparse.ArgumentParser(description="Random commands through the engine and the reference exchange.")
    parser.add_argument(
        "--commands", type=int, default=2_000_000, help="how many, over all seeds (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, help="the first seed (default: a new one each time)")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed

    sys.stdout.write(f"seeds from {seed}, {SEED_COMMANDS:,} commands each\n")
    began = time.monotonic()
    total = Report()
    for outcome in campaign(seed, arguments.commands):
        if outcome.report is None:
            sys.stdout.write(
                f'\n{outcome.difference}\nagain: make fuzz ARGS="--commands {SEED_COMMANDS} --seed {outcome.seed}"\n'
            )
            return 1
        total.merge(outcome.report)
        _progress(total, arguments.commands, time.monotonic() - began)
    sys.stdout.write(f"\n{total.coverage.table()}\n")
    return 0


def _progress(total: Report, commands: int, seconds: float) -> None:
    speed = total.commands / seconds
    line = f"{total.commands:>11,} of {commands:,} commands, {total.events:,} events, {speed:,.0f}/s, {seconds:,.0f} s"
    sys.stdout.write(f"\r{line}" if sys.stdout.isatty() else f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
