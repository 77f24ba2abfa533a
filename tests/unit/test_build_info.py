from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import tradewright

ROOT = Path(__file__).parents[2]


def test_version_is_the_one_in_cargo_toml() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert tradewright.build_info().version == cargo["workspace"]["package"]["version"]


def test_profile_is_a_profile_of_the_workspace() -> None:
    build = tradewright.build_info()
    assert build.profile in {"release", "fast"}
    assert build.is_release == (build.profile == "release")


def test_target_cpu_and_compiler_are_known() -> None:
    build = tradewright.build_info()
    assert build.target.count("-") >= 2
    assert build.target_cpu
    assert build.rustc.startswith("rustc 1.")


def test_commit_is_the_one_checked_out() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert tradewright.build_info().commit == head


def test_is_frozen_and_prints_all_its_fields() -> None:
    build = tradewright.build_info()
    with pytest.raises(AttributeError):
        build.version = "2"  # type: ignore[misc]  # what is refused at run time too
    fields = re.findall(r"(\w+)=", repr(build))
    assert fields == ["version", "profile", "target", "target_cpu", "rustc", "commit"]
