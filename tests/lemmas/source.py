"""The source of a Rust function, and the hash under which somebody last held it against its lemmas.

`python -m tests.lemmas.source` lists the functions that changed since; `--accept NAME` notes that one was looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACCEPTED = Path(__file__).with_name("sources.txt")

_COMMENT_OR_TEXT = re.compile(r"""//[^\n]*|/\*.*?\*/|("(?:\\.|[^"\\])*")""", re.DOTALL)
_ATTRIBUTE = re.compile(r"#!?\[[^\]]*\]")


def source(place: str) -> str:
    """Return a function or constant (`crates/.../file.rs Type::name` or `file.rs name`), comments and spacing left out.

    Raises:
        LookupError: there is none of this name, or several.
    """
    file, _, name = place.partition(" ")
    text = _COMMENT_OR_TEXT.sub(lambda found: found[1] or "", (ROOT / file).read_text(encoding="utf-8"))
    owner, _, item = name.rpartition("::")
    scopes = [text]
    if owner:
        heads = re.finditer(rf"^impl\b[^{{;]*\b{owner}\b[^{{;]*\{{", text, re.MULTILINE)
        scopes = [text[head.start() : _end_of_block(text, head.end() - 1)] for head in heads]
    found = []
    for scope in scopes:
        # A signature has no semicolon but in the type of an array.
        heads = re.finditer(rf"\bfn {item}\b(?:[^{{;]|; \d+\])*\{{", scope)
        found += [scope[head.start() : _end_of_block(scope, head.end() - 1)] for head in heads]
        found += [head[0] for head in re.finditer(rf"\bconst {item}\b[^;]*;", scope)]
    if len(found) != 1:
        raise LookupError(f"{place}: found {len(found)} times, must be once; has it moved or got another name?")
    return " ".join(_ATTRIBUTE.sub("", found[0]).split())


def _end_of_block(text: str, begin: int) -> int:
    depth = 0
    for position in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    raise LookupError("a block without an end")


def fingerprint(place: str) -> str:
    """Return the hash of a function's source."""
    return hashlib.sha256(source(place).encode()).hexdigest()[:16]


def accepted() -> dict[str, str]:
    """Return the hash of each function as it was when its lemmas were last looked at."""
    lines = ACCEPTED.read_text(encoding="utf-8").splitlines() if ACCEPTED.exists() else []
    return {place: digest for digest, place in (line.split(" ", 1) for line in lines)}


def _places() -> list[str]:
    from tests.lemmas.catalogue import LEMMAS

    return sorted({place for lemma in LEMMAS for place in lemma.functions})


def main() -> int:
    """List what changed; note what was looked at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", metavar="NAME", action="append", default=[], help="a function, or `all`")
    names = parser.parse_args().accept
    now, before = {place: fingerprint(place) for place in _places()}, accepted()
    kept = {}
    for place, digest in now.items():
        is_named = "all" in names or any(place.endswith((f" {name}", f"::{name}")) for name in names)
        kept[place] = digest if is_named else before.get(place, "-" * 16)
    ACCEPTED.write_text("".join(f"{digest} {place}\n" for place, digest in kept.items()), encoding="utf-8")
    changed = [place for place in now if kept[place] != now[place]]
    for place in changed:
        sys.stdout.write(f"changed: {place}\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
