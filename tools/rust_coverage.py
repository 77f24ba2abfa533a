"""Measure which lines and branches of the Rust crates their tests reach."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(".tools")


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
    command = ["cargo", "llvm-cov", "--locked", "--branch", "--summary-only"]
    return subprocess.run(command, check=False, env=environment).returncode


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
