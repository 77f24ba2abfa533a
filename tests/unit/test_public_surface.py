from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

import tradewright

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "python.md"


def test_each_public_name_has_its_heading_in_the_reference() -> None:
    headings = re.findall(r"^### `(\w+)`$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(tradewright.__all__)


def test_public_names_are_sorted() -> None:
    assert tradewright.__all__ == sorted(tradewright.__all__)


def test_nothing_else_looks_public() -> None:
    visible = {
        name
        for name, value in vars(tradewright).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert visible == set(tradewright.__all__)


@pytest.mark.parametrize("name", tradewright.__all__)
def test_each_public_name_explains_itself(name: str) -> None:
    assert getattr(tradewright, name).__doc__
