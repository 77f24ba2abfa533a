"""Feed every decoder that reads what strangers send with bytes that nobody meant, and see whether one panics.

Each target of `fuzz/` runs for so many seconds from the seeds in `fuzz/corpus`. What is found on the way stays in
`target/fuzz/corpus`, and the next run goes on from there. A panic is printed with the input that brought it about.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools"
FUZZ = ROOT / "fuzz"
CORPUS = ROOT / "target" / "fuzz" / "corpus"
INPUT_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a target ended, and what it said."""

    target: str
    passed: bool
    inputs: int
    said: str


def main() -> int:
    """Install cargo-fuzz into .tools when it is missing, build all targets, run each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cargo-fuzz-version", required=True)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once (default: %(default)s)")
    parser.add_argument("targets", nargs="*", help="which (default: all)")
    arguments = parser.parse_args()
    targets = chosen(arguments.targets)
    install = ["cargo", "install", "--quiet", "--locked", "--root", str(TOOLS), "cargo-fuzz"]
    subprocess.run([*install, "--version", arguments.cargo_fuzz_version], check=True)
    for target in targets:
        fuzz(["build", target]).check_returncode()
    with Progress(transient=True) as progress, ThreadPoolExecutor(arguments.jobs) as pool:
        rounds = -(-len(targets) // arguments.jobs)
        bar = progress.add_task("decoders", total=rounds * arguments.seconds)
        running = [pool.submit(run, target, arguments.seconds) for target in targets]
        while not all(one.done() for one in running):
            time.sleep(1)
            progress.advance(bar)
        outcomes = [one.result() for one in running]
    for outcome in outcomes:
        print(f"{outcome.target:14} {outcome.inputs:12,} inputs, {'no panic' if outcome.passed else 'FAILED'}")
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        print(f"\n{outcome.target}:\n{outcome.said}", file=sys.stderr)
    return 1 if failed else 0


def chosen(wanted: list[str]) -> list[str]:
    """Return the targets that are meant."""
    manifest = tomllib.loads((FUZZ / "Cargo.toml").read_text())
    known = [binary["name"] for binary in manifest["bin"]]
    if unknown := sorted(set(wanted) - set(known)):
        sys.exit(f"targets={unknown} must be among {known}")
    return wanted or known


def fuzz(arguments: list[str], *, is_captured: bool = False) -> subprocess.CompletedProcess[str]:
    """Run cargo-fuzz. Instrumentation is behind a switch that a stable compiler only opens this way."""
    path = os.pathsep.join([str(TOOLS / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "RUSTC_BOOTSTRAP": "1"}
    return subprocess.run(
        ["cargo", "fuzz", *arguments], check=False, cwd=ROOT, env=environment, text=True, capture_output=is_captured
    )


def run(target: str, seconds: int) -> Outcome:
    """Run one target."""
    found = CORPUS / target
    found.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", "-print_final_stats=1"]
    done = fuzz(["run", target, str(found), str(FUZZ / "corpus" / target), "--", *limits], is_captured=True)
    count = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    tail = "\n".join(done.stderr.splitlines()[-40:])
    # A target that ran nothing has shown nothing.
    inputs = int(count[1]) if count else 0
    return Outcome(target, passed=done.returncode == 0 and inputs > 0, inputs=inputs, said=tail)


if __name__ == "__main__":
    sys.exit(main())
