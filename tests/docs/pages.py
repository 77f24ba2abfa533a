"""Reads the code of the pages and runs it.

A page's ```python blocks run in order in one namespace. A ```text block behind one shows what it prints, to the letter;
a block that has none behind it prints nothing.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
COMMANDS = REFERENCE / "commands"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A block of Python with what the page says it prints."""

    page: Path
    line: int
    code: str
    output: str

    def run(self, namespace: dict[str, Any]) -> str:
        """Run it and return what it prints."""
        printed = io.StringIO()
        # The empty lines make a traceback name the line of the page.
        code = compile("\n" * self.line + self.code, str(self.page), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)  # noqa: S102 - the project's own page
        return printed.getvalue()


def examples(page: Path) -> Iterator[Example]:
    """Yield the examples of a page in order."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    for place, fence in enumerate(fences):
        if fence[1] != "python":
            continue
        after = fences[place + 1] if place + 1 < len(fences) else None
        # Only a block that follows at once is the output.
        follows = after is not None and after[1] == "text" and not text[fence.end() : after.start()].strip()
        output = after[2] if after is not None and follows else ""
        yield Example(page=page, line=text.count("\n", 0, fence.start()) + 1, code=fence[2], output=output)


def sections(page: Path, level: int) -> dict[str, str]:
    """Return the text under each heading `### `Name`` of this level, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    parts = re.split(rf"^{'#' * level} `(\w+)`$", text, flags=re.MULTILINE)
    ends = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE)
    return {name: ends.split(body)[0].strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of every table row, headings and rules left out."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    rules = [place for place, row in enumerate(rows) if set("".join(row)) <= set("-:|")]
    unwanted = {place - 1 for place in rules} | set(rules)
    return [row for place, row in enumerate(rows) if place not in unwanted]
