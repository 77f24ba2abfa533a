"""The state hash is a sum over entities: each kind has a tag of its own, so that none can pass for another."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

CRATES = Path(__file__).parents[2] / "crates"


def test_every_kind_of_entity_has_a_tag_of_its_own() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(CRATES.glob("*/src/*.rs"))]
    tags = Counter(tag for text in texts for tag in re.findall(r"EntityHash::new\((0x[0-9a-f]+)\)", text))
    assert len(tags) > 20
    assert {tag: count for tag, count in tags.items() if count > 1} == {}
