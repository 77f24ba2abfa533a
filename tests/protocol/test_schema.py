"""The order-entry schema has the ids, types and offsets of the dialect, and adds its own only behind them.

`schema/order-entry.xml` is held against the structs by `crates/protocol/tests/schema.rs`; here it is held against the
layout that was computed from the dialect's own files. That layout is not part of the repository: it is looked for in
$TRADEWRIGHT_DATA, else in ../shared/data beside the repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
SBE = "{http://fixprotocol.io/2016/sbe}"
EXTENDED = 100
"""The version from which on fields and codes are ours."""
OWN_TEMPLATES = {"AccountQuery", "AccountSnapshot", "RawEvent"}

Lines = list[str]


def layout() -> str:
    folder = Path(os.environ.get("TRADEWRIGHT_DATA") or ROOT.parent / "shared" / "data")
    file = folder / "reference" / "fixsbe-layout.txt"
    if not file.exists():
        pytest.skip("no layout of the dialect: set TRADEWRIGHT_DATA, or put it into ../shared/data")
    return file.read_text(encoding="utf-8").split("# schema spot_stream")[0]


def schema() -> ElementTree.Element:
    return ElementTree.parse(ROOT / "schema" / "order-entry.xml").getroot()  # noqa: S314 - it is our own file


def is_ours(element: ElementTree.Element) -> bool:
    return int(element.get("sinceVersion", "0")) >= EXTENDED


def parts(element: ElementTree.Element) -> Iterator[str]:
    """Yield what is in a block as the layout writes it, without what is ours."""
    fields = []
    for field in element.findall("field"):
        if is_ours(field):
            continue
        optional = "?" if field.get("presence") == "optional" else ""
        since = f" since {field.get('sinceVersion')}" if field.get("sinceVersion") else ""
        fields.append(
            f"{field.get('id')} {field.get('name')} {field.get('type')}@{field.get('offset')}{optional}{since}"
        )
    if fields:
        yield "; ".join(fields)
    for group in element.findall("group"):
        yield f"group {group.get('id')} {group.get('name')} ({group.get('dimensionType')}):"
        yield from parts(group)
    for data in element.findall("data"):
        yield f"data {data.get('id')} {data.get('name')} {data.get('type')}"


def messages(text: str) -> dict[str, Lines]:
    found: dict[str, Lines] = {}
    lines: Lines = []
    for line in text.splitlines():
        if line.startswith("message "):
            lines = []
            found[line] = lines
        elif line.startswith(" "):
            lines.append(line.strip())
    return found


def test_messages_are_those_of_the_dialect() -> None:
    theirs = messages(layout())
    ours = {
        f"message {message.get('name')} template {message.get('id')} block {message.get('blockLength')}": list(
            parts(message)
        )
        for message in schema().findall(f"{SBE}message")
        if message.get("name") not in OWN_TEMPLATES
    }
    assert len(ours) == 23
    for head, lines in ours.items():
        assert head in theirs
        assert lines == theirs[head], head


def test_enumerations_are_those_of_the_dialect() -> None:
    theirs = dict(re.findall(r"^enum (\w+) (\(\w+\): .*)$", layout(), re.MULTILINE))
    for enumeration in schema().iter("enum"):
        values = [value for value in enumeration.findall("validValue") if not is_ours(value)]
        codes = " ".join(f"{value.get('name')}={value.text}" for value in values)
        name = enumeration.get("name")
        assert name is not None
        if values:
            assert f"({enumeration.get('encodingType')}): {codes}" == theirs[name]
        else:
            assert name not in theirs, "an enumeration of ours has a name of its own"


def test_types_are_those_of_the_dialect() -> None:
    theirs = re.search(r"^types: (.*)$", layout(), re.MULTILINE)
    assert theirs is not None
    known = theirs[1].split("; ")
    for kind in schema().findall("types/type"):
        if kind.get("name") != "eventRecord":
            assert f"{kind.get('name')} {kind.get('primitiveType')}" in known
    for composite in schema().iter("composite"):
        members = [f"{member.get('name')}:{member.get('primitiveType') or member.get('type')}" for member in composite]
        assert f"{composite.get('name')} {{{' '.join(members)}}}" in known
