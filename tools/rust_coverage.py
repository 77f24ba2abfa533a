"""Measure which lines and branches of the Rust crates their tests reach, and hold the engine to its bar."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOLS = Path(".tools")
BAR_PERCENT = 99.0
BAR_CRATES = ("book", "ledger", "risk", "engine")


def main() -> int:
    """Install cargo-llvm-cov into .tools when it is missing, then print the coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cargo-llvm-cov-version", required=True)
    arguments = parser.parse_args()

    llvm = find_llvm()
    if llvm is None:
        print(
            f"Rust coverage needs the LLVM {llvm_major()} that belongs to this rustc: install "
            f"Debian's llvm-{llvm_major()}, or set LLVM_COV and LLVM_PROFDATA.",
            file=sys.stderr,
        )
        return 1
    subprocess.run(
        [
            *("cargo", "install", "--quiet", "--locked", "--root", str(TOOLS)),
            *("cargo-llvm-cov", "--version", arguments.cargo_llvm_cov_version),
        ],
        check=True,
    )
    path = os.pathsep.join([str((TOOLS / "bin").resolve()), os.environ["PATH"]])
    # Branches are counted behind a switch that a stable compiler only opens this way.
    environment = {**os.environ, **llvm, "PATH": path, "RUSTC_BOOTSTRAP": "1"}
    measured = subprocess.run(
        ["cargo", "llvm-cov", "--locked", "--branch", "--no-report"], check=False, env=environment
    )
    if measured.returncode != 0:
        return measured.returncode
    report = ["cargo", "llvm-cov", "report"]
    subprocess.run([*report, "--summary-only"], check=True, env=environment)
    export = subprocess.run([*report, "--json"], check=True, env=environment, capture_output=True, text=True)
    return 0 if reaches_bar(json.loads(export.stdout)["data"][0]["files"]) else 1


def reaches_bar(files: list[dict[str, Any]]) -> bool:
    """Print the line coverage of each crate that has a bar, with the lines that no test reaches."""
    reached = True
    for crate in BAR_CRATES:
        lines = covered = 0
        missed: list[str] = []
        for file in files:
            path = Path(file["filename"])
            if path.parts[-3:-1] != (crate, "src"):
                continue
            summary = file["summary"]["lines"]
            lines += summary["count"]
            covered += summary["covered"]
            if summary["covered"] < summary["count"]:
                missed += [f"{path.name}:{line}" for line in missed_lines(file["segments"])]
        percent = 100.0 * covered / lines if lines else 0.0
        reached = reached and percent >= BAR_PERCENT
        verdict = "" if percent >= BAR_PERCENT else f", below {BAR_PERCENT:.0f}"
        print(f"crates/{crate}: {percent:.2f} % of {lines} lines{verdict}")
        if missed:
            print(f"  not reached: {', '.join(missed)}")
    return reached


def missed_lines(segments: list[list[Any]]) -> list[int]:
    """Return the lines on which a region begins that was never run."""
    return sorted(
        {line for line, _, count, has_count, is_entry, _ in segments if has_count and is_entry and count == 0}
    )


def find_llvm() -> dict[str, str] | None:
    """Return the tools that read this compiler's profiles; others fail on the format."""
    if "LLVM_COV" in os.environ and "LLVM_PROFDATA" in os.environ:
        return {}
    major = llvm_major()
    search = os.pathsep.join([os.environ["PATH"], f"/usr/lib/llvm-{major}/bin"])
    tools = {}
    for variable, name in (("LLVM_COV", "llvm-cov"), ("LLVM_PROFDATA", "llvm-profdata")):
        tool = shutil.which(f"{name}-{major}", path=search)
        if tool is None:
            return None
        tools[variable] = tool
    return tools


def llvm_major() -> str:
    """Return the major version of the LLVM inside rustc."""
    version = subprocess.run(["rustc", "--version", "--verbose"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"^LLVM version: (\d+)", version, re.MULTILINE)
    return match[1] if match else "unknown"


if __name__ == "__main__":
    sys.exit(main())
