"""Run every fuzz target of fuzz/ for a while."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TOOLS = Path(".tools")


def main() -> int:
    """Install cargo-fuzz into .tools when it is missing, then run target after target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, required=True, help="time for each target")
    parser.add_argument("--cargo-fuzz-version", required=True)
    arguments = parser.parse_args()

    if not Path("fuzz/Cargo.toml").exists():
        print("There is no fuzz target yet: fuzz/Cargo.toml does not exist.", file=sys.stderr)
        return 1

    subprocess.run(
        [
            *("cargo", "install", "--quiet", "--locked", "--root", str(TOOLS)),
            *("cargo-fuzz", "--version", arguments.cargo_fuzz_version),
        ],
        check=True,
    )
    # The sanitizers are behind a switch that a stable compiler only opens this way.
    path = os.pathsep.join([str((TOOLS / "bin").resolve()), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "RUSTC_BOOTSTRAP": "1"}
    targets = subprocess.run(
        ["cargo", "fuzz", "list"], check=True, capture_output=True, text=True, env=environment
    ).stdout.split()
    for target in targets:
        print(f"fuzzing {target} for {arguments.seconds} s", flush=True)
        limit = f"-max_total_time={arguments.seconds}"
        run = subprocess.run(["cargo", "fuzz", "run", target, "--", limit], check=False, env=environment)
        if run.returncode != 0:
            return run.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
