"""What ARCHITECTURE.md and the internals point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

PAGES = [ROOT / "ARCHITECTURE.md", *sorted((DOCS / "internals").glob("*.md"))]
ARCHITECTURE = PAGES[0].read_text(encoding="utf-8")


def named_paths(page: Path) -> set[str]:
    return set(re.findall(r"`((?:crates|tests|python|docs|tools)/[\w./-]+)`", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_on_the_page_exists(page: Path) -> None:
    assert [path for path in sorted(named_paths(page)) if not (ROOT / path).exists()] == []


def test_every_room_has_its_sentence() -> None:
    rooms = [f"crates/{manifest.parent.name}" for manifest in ROOT.glob("crates/*/Cargo.toml")]
    rooms += [
        package.parent.relative_to(ROOT).as_posix()
        for package in (ROOT / "python" / "tradewright").rglob("__init__.py")
        if len(package.relative_to(ROOT / "python").parts) <= 3
    ]
    assert [room for room in rooms if f"| `{room}` |" not in ARCHITECTURE] == []


def test_the_journey_names_types_that_exist() -> None:
    journey = ARCHITECTURE.split("## The journey of an order")[1].split("\n## ")[0]
    sources = "".join(source.read_text(encoding="utf-8") for source in ROOT.glob("crates/*/src/*.rs"))
    for name in re.findall(r"`([A-Z][a-z]\w+)`", journey):
        assert re.search(rf"\b(struct|enum) {name}\b", sources), name


def test_every_law_has_its_row() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+)\. ", ARCHITECTURE, re.MULTILINE)] == list(range(1, 11))
