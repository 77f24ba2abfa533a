from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_names_the_oldest_versions_that_work() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    python = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"Rust {cargo['workspace']['package']['rust-version']} or later" in readme
    assert f"Python {python['project']['requires-python'].removeprefix('>=')} or later" in readme
