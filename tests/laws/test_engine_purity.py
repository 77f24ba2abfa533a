"""The engine has no clock, no I/O, no thread, no float, no random number, no hash order.

The compiler's lints hold these laws; here it is made sure that nobody switches them off.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ("types", "book", "ledger", "risk", "engine")
PRESENT = [crate for crate in ENGINE if (ROOT / "crates" / crate / "Cargo.toml").exists()]

DECLARED_LINTS = {
    "deny": {"clippy::float_arithmetic", "clippy::iter_over_hash_type"},
    "forbid": {"unsafe_code"},
}


@pytest.mark.parametrize("crate", PRESENT)
@pytest.mark.parametrize("level", DECLARED_LINTS)
def test_the_crate_declares_its_lints(crate: str, level: str) -> None:
    source = (ROOT / "crates" / crate / "src" / "lib.rs").read_text(encoding="utf-8")
    declared = {
        lint.strip()
        for lints in re.findall(rf"^#!\[{level}\(([^)]*)\)\]", source, re.MULTILINE)
        for lint in lints.split(",")
    }
    assert DECLARED_LINTS[level] - declared == set()


@pytest.mark.parametrize("crate", ENGINE)
@pytest.mark.parametrize("name", ["clippy.toml", ".clippy.toml"])
def test_the_crate_keeps_the_rules_of_the_root(crate: str, name: str) -> None:
    # Clippy takes the nearest file, so one here would replace the rules and not add to them.
    assert not (ROOT / "crates" / crate / name).exists()


def test_the_root_bans_what_would_make_two_runs_differ() -> None:
    rules = tomllib.loads((ROOT / "clippy.toml").read_text(encoding="utf-8"))
    banned = {rule["path"] for rule in rules["disallowed-methods"] + rules["disallowed-types"]}
    assert banned >= {
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::spawn",
        "std::collections::HashMap",
        "std::collections::HashSet",
        "rand::random",
    }
    assert all(rule["reason"] for rule in rules["disallowed-methods"] + rules["disallowed-types"])


@pytest.mark.skipif(shutil.which("cargo-clippy") is None, reason="clippy is not installed")
def test_clippy_refuses_a_clock_and_a_map_in_the_engine(tmp_path: Path) -> None:
    """A small crate stands in for one of the engine's, with the workspace's own rules above it."""
    (tmp_path / "clippy.toml").write_bytes((ROOT / "clippy.toml").read_bytes())
    crate = tmp_path / "crates" / "impure"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "impure"\nedition = "2024"\n[workspace]\n', encoding="utf-8")
    (crate / "src" / "lib.rs").write_text(
        "pub fn now() -> std::time::Instant { std::time::Instant::now() }\n"
        "pub type Balances = std::collections::HashMap<u32, u64>;\n",
        encoding="utf-8",
    )
    finished = subprocess.run(
        ["cargo", "clippy", "--offline", "--quiet"],
        cwd=crate,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "the engine has no clock" in finished.stderr
    assert "its order differs from run to run" in finished.stderr
