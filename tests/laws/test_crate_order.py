"""A crate may depend only on the crates before it, and the engine on nobody else's code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ORDER = (
    *("types", "book", "ledger", "risk", "engine"),
    *("journal", "transport", "protocol", "gateway", "node", "sim", "python"),
)
ENGINE = ORDER[:5]
ENGINE_THIRD_PARTY = {"zerocopy", "sha2"}
"""Records as bytes; the hash that approvals are bound to, which nobody should write anew."""
PREFIX = "tradewright-"

CRATES = sorted(manifest.parent.name for manifest in ROOT.glob("crates/*/Cargo.toml"))


def manifest(crate: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "crates" / crate / "Cargo.toml").read_text(encoding="utf-8"))


def tables(manifest: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the dependency tables of a kind, those for one platform only included."""
    yield manifest.get(kind, {})
    for platform in manifest.get("target", {}).values():
        yield platform.get(kind, {})


def packages(crate: str, *kinds: str) -> set[str]:
    """Return the real package names behind the dependencies, whatever they are renamed to."""
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]
    found = set()
    for kind in kinds:
        for table in tables(manifest(crate), kind):
            for name, dependency in table.items():
                declared = dependency
                if isinstance(dependency, dict) and dependency.get("workspace"):
                    declared = workspace["dependencies"][name]
                renamed = declared.get("package") if isinstance(declared, dict) else None
                found.add(renamed or name)
    return found


def test_every_crate_has_its_place() -> None:
    assert [crate for crate in CRATES if crate not in ORDER] == []


@pytest.mark.parametrize("crate", CRATES)
def test_a_crate_is_named_after_its_folder(crate: str) -> None:
    assert manifest(crate)["package"]["name"] == PREFIX + crate


@pytest.mark.parametrize("crate", CRATES)
def test_a_crate_depends_only_on_crates_before_it(crate: str) -> None:
    before = {PREFIX + name for name in ORDER[: ORDER.index(crate)]}
    own = {package for package in packages(crate, "dependencies", "build-dependencies") if package.startswith(PREFIX)}
    assert own - before == set()


@pytest.mark.parametrize("crate", [crate for crate in CRATES if crate in ENGINE])
def test_the_engine_runs_on_its_own_code(crate: str) -> None:
    foreign = {
        package for package in packages(crate, "dependencies", "build-dependencies") if not package.startswith(PREFIX)
    }
    assert foreign - ENGINE_THIRD_PARTY == set()


def test_cargo_test_covers_every_crate_but_the_bindings() -> None:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]
    covered = {Path(member).name for member in workspace["default-members"]}
    assert set(CRATES) - covered == {"python"}
