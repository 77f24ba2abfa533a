"""Break a sample of the matching, risk and ledger code, one small place at a time, and see whether the tests notice.

A mutant is first judged by the tests of its own crate; one that survives them, by those of all four. What survives both
must stand in `docs/internals/mutants.md` with the reason why no test can or need tell it from the code.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import Progress

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools"
OUTPUT = ROOT / "target" / "mutants"
PAGE = ROOT / "docs" / "internals" / "mutants.md"
CRATES = ("book", "ledger", "risk", "engine")
BAR_PERCENT = 95.0
TIMEOUT_S = 60
TIMEOUT_ALL_S = 600

Outcome = dict[str, Any]


def main() -> int:
    """Install cargo-mutants into .tools when it is missing, run the sample, print what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cargo-mutants-version", required=True)
    parser.add_argument("--sample", type=int, default=500, help="at least so many mutants (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which of the samples (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="at once (default: %(default)s)")
    arguments = parser.parse_args()
    version = arguments.cargo_mutants_version
    subprocess.run(
        ["cargo", "install", "--quiet", "--locked", "--root", str(TOOLS), "cargo-mutants", "--version", version],
        check=True,
    )
    packages = [f"--package=tradewright-{crate}" for crate in CRATES]
    listed = mutants(["--list", "--json", *packages], capture_output=True)
    listed.check_returncode()
    shards = max(len(json.loads(listed.stdout)) // arguments.sample, 1)
    shard = ["--shard", f"{arguments.seed % shards}/{shards}", "--sharding", "round-robin"]
    print(f"sample {arguments.seed % shards} of {shards}")
    outcomes = run([*packages, *shard], arguments.jobs, "own")
    survivors = [outcome for outcome in outcomes if outcome["summary"] == "MissedMutant"]
    if survivors:
        judge_by_all(survivors, arguments.jobs)
    return 0 if judge(outcomes) else 1


def mutants(arguments: list[str], *, capture_output: bool = False) -> subprocess.CompletedProcess[str]:
    """Run cargo-mutants."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(TOOLS / "bin"), os.environ["PATH"]])}
    command = ["cargo", "mutants", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=capture_output, text=True)


def run(arguments: list[str], jobs: int, name: str) -> list[Outcome]:
    """Run mutants and return what became of each. The sources stay as they are: it works on copies."""
    options = [f"--jobs={jobs}", "--profile=mutants", "--baseline=skip", f"--timeout={TIMEOUT_S}", "--cap-lints=true"]
    folder = OUTPUT / name
    folder.mkdir(parents=True, exist_ok=True)
    # It exits with 2 or 3 when something survived or took too long: that is not an error of the run.
    done = mutants([*arguments, *options, f"--output={folder}"])
    if done.returncode not in (0, 2, 3):
        raise SystemExit(f"cargo mutants failed with {done.returncode}")
    report = json.loads((folder / "mutants.out" / "outcomes.json").read_text(encoding="utf-8"))
    return [outcome for outcome in report["outcomes"] if isinstance(outcome["scenario"], dict)]


def judge_by_all(survivors: list[Outcome], jobs: int) -> None:
    """Give survivors the verdict of the tests of all crates.

    Each is put back into a copy of the sources by the difference that cargo-mutants noted: by itself it cannot run
    single ones again, as names do not pick among the fields that it deletes.
    """
    copies = [copy_sources(number) for number in range(jobs)]
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    with Progress() as progress, ThreadPoolExecutor(jobs) as pool:
        if not all(pool.map(passes_all, copies)):
            raise SystemExit("the tests fail before anything is broken")
        for copy in copies:
            free.put(copy)
        bar = progress.add_task("survivors, by the tests of all crates", total=len(survivors))

        def judge_one(outcome: Outcome) -> None:
            copy = free.get()
            path = copy / mutant(outcome)["file"]
            source = path.read_text(encoding="utf-8")
            difference = (OUTPUT / "own" / "mutants.out" / outcome["diff_path"]).read_text(encoding="utf-8")
            path.write_text(mutated(source, difference), encoding="utf-8")
            outcome["summary"] = "MissedMutant" if passes_all(copy) else "CaughtMutant"
            path.write_text(source, encoding="utf-8")
            free.put(copy)
            progress.advance(bar)

        list(pool.map(judge_one, survivors))


def copy_sources(number: int) -> Path:
    """Copy what the repository tracks to a folder of its own, where builds stay from one run to the next."""
    copy = OUTPUT / "all" / str(number)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    return copy


def mutated(source: str, difference: str) -> str:
    """Apply the one place of a difference."""
    lines = difference.splitlines(keepends=True)[3:]
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    if source.count(before) != 1:
        raise SystemExit(f"{difference.splitlines()[1]}: its place is not found once")
    return source.replace(before, after)


def passes_all(copy: Path) -> bool:
    """Whether the tests of all crates pass. What takes too long does not."""
    packages = [f"--package=tradewright-{crate}" for crate in CRATES]
    environment = {**os.environ, "RUSTFLAGS": "--cap-lints=allow", "CARGO_TARGET_DIR": str(copy / "target")}
    # It ends the tests, and not cargo alone.
    limit = ["timeout", "--kill-after=5", str(TIMEOUT_ALL_S)]
    command = [*limit, "cargo", "test", "--quiet", "--locked", "--profile=mutants", *packages]
    done = subprocess.run(command, check=False, cwd=copy, env=environment, capture_output=True)
    return done.returncode == 0


def mutant(outcome: Outcome) -> dict[str, Any]:
    """Return the mutant of an outcome."""
    found: dict[str, Any] = outcome["scenario"]["Mutant"]
    return found


def place(outcome: Outcome) -> str:
    """Return a mutant's name without line and column, which move."""
    return re.sub(r":\d+:\d+: ", ": ", mutant(outcome)["name"])


def judge(outcomes: list[Outcome]) -> bool:
    """Print the share that was caught in each crate, and what survived without a reason on the page."""
    explained = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    viable = [outcome for outcome in outcomes if outcome["summary"] != "Unviable"]
    missed = [outcome for outcome in viable if outcome["summary"] == "MissedMutant"]
    for crate in CRATES:
        own = [outcome for outcome in viable if mutant(outcome)["package"] == f"tradewright-{crate}"]
        survived = sum(outcome in missed for outcome in own)
        print(f"crates/{crate}: {len(own) - survived} of {len(own)} caught")
    percent = 100.0 * (len(viable) - len(missed)) / max(len(viable), 1)
    print(f"all: {len(viable) - len(missed)} of {len(viable)} caught, {percent:.1f} %")
    unexplained = [place(outcome) for outcome in missed if place(outcome) not in explained]
    for name in unexplained:
        print(f"survived without a reason: {name}")
    return percent >= BAR_PERCENT and not unexplained


if __name__ == "__main__":
    sys.exit(main())
