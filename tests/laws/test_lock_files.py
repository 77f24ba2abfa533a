"""A lock file names the public source of each package, never a copy that only some can reach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOSTS = {
    "Cargo.lock": {"github.com"},  # the registry's index, by its canonical name
    "uv.lock": {"pypi.org", "files.pythonhosted.org"},
    "web/package-lock.json": {"registry.npmjs.org", "opencollective.com", "github.com"},
}


@pytest.mark.parametrize("name", [name for name in HOSTS if (ROOT / name).exists()])
def test_only_canonical_hosts(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r"[a-z+]+://([^/\"'\s]+)", text))
    assert hosts <= HOSTS[name]


def test_every_crate_comes_from_the_public_registry() -> None:
    sources = set(re.findall(r'^source = "(.+)"$', (ROOT / "Cargo.lock").read_text(), re.MULTILINE))
    assert sources == {"registry+https://github.com/rust-lang/crates.io-index"}
