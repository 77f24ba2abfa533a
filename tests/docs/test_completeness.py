"""The reference has everything there is, and nothing that is not."""

from __future__ import annotations

import re

import pytest

import tradewright as tw
from tests.docs.pages import COMMANDS, DOCS, REFERENCE, sections, table_rows
from tradewright import _core, commands
from tradewright._rejections import FAMILIES

README = COMMANDS / "README.md"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in COMMANDS.glob("*.md") if page != README}
KINDS = {name: code for code, name in _core.command_kinds()}
PARTS = ["Fields", "Checks", "Events", "Python"]


def code_of(text: str) -> int:
    found = re.search(r"^Code (\d+)[.,]", text, re.MULTILINE)
    assert found, "the page names no code"
    return int(found[1])


def fields_of(text: str) -> list[str]:
    """Return the fields that tables explain: first cells like `name`."""
    return [row[0].strip("`") for row in table_rows(text) if re.fullmatch(r"`[a-z_]+`", row[0])]


def test_every_command_has_its_page() -> None:
    assert sorted(PAGES) == sorted(name for name, code in KINDS.items() if code < commands.CONTINUATIONS_FROM)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_command_page_tells_all_about_its_command(name: str) -> None:
    page = PAGES[name]
    assert page.startswith(f"# `{name}`\n")
    assert code_of(page) == KINDS[name]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == PARTS
    record = re.search(r"in the record `(\w+)`:", page)
    named = _core.dtypes()[record[1]].names if record else ()
    assert set(fields_of(page)) <= set(named or ())


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_command_page_shows_both_ways_to_call(name: str) -> None:
    called = re.findall(r"`commands\.(\w+)`", PAGES[name])
    assert called
    assert all(hasattr(commands, function) for function in called)
    for owner, attribute in re.findall(r"`([A-Z]\w+)\.(\w+)`", PAGES[name]):
        assert hasattr(getattr(tw, owner), attribute), f"{owner}.{attribute}"


def test_the_overview_lists_every_command_with_its_code() -> None:
    listed = {row[1]: row[0] for row in table_rows(README.read_text(encoding="utf-8")) if row[0].isdigit()}
    assert listed == {f"[{name}]({name}.md)": str(KINDS[name]) for name in PAGES}


def test_every_record_behind_another_one_is_described() -> None:
    described = sections(README, 3)
    assert list(described) == [name for name, code in KINDS.items() if code >= commands.CONTINUATIONS_FROM]
    for name, text in described.items():
        record = re.search(r"Record\s`(\w+)`\.", text)
        assert record, name
        assert sorted(fields_of(text)) == sorted(_core.dtypes()[record[1]].names or ()), name


def test_every_field_of_an_order_is_described() -> None:
    names = set(_core.dtypes()["order"].names or ())
    header = fields_of(README.read_text(encoding="utf-8").split("## Refused")[0])
    assert header == [*(_core.dtypes()["order"].names or ())[: len(header)]]
    assert set(header) | set(fields_of(PAGES["PlaceOrder"])) == names - {"reserved"}


def test_every_reject_reason_has_its_heading_in_precedence_order() -> None:
    described = sections(REFERENCE / "reject-reasons.md", 3)
    assert list(described) == [name for _, name, _ in _core.reject_reasons()]
    for code, name, sentence in _core.reject_reasons():
        heading = f"Code {code}, raises `{FAMILIES[tw.RejectReason(code)][0].__name__}`."
        assert described[name].startswith(f"{heading}\n\n{sentence}\n\n"), name
        assert len(described[name]) > len(heading) + len(sentence) + 20, f"{name}: say how to avoid it"


def test_every_reject_reason_is_named_by_a_command() -> None:
    pages = [*PAGES.values(), README.read_text(encoding="utf-8")]
    named = {name for page in pages for name in re.findall(r"\(\.\./reject-reasons\.md#(\w+)\)", page)}
    assert named == {name.lower() for _, name, _ in _core.reject_reasons()}


def test_every_event_has_its_heading() -> None:
    described = sections(REFERENCE / "events.md", 3)
    assert {name: code_of(text) for name, text in described.items()} == {n: code for code, n in _core.event_kinds()}
    dtypes = _core.dtypes()
    for name, text in described.items():
        dtype = dtypes["text_event" if name.endswith("Text") else "event"]
        assert set(fields_of(text)) <= set(dtype.names or ()) | {"order_id"}, name


def test_every_field_of_an_event_is_explained_somewhere() -> None:
    names = set(fields_of((REFERENCE / "events.md").read_text(encoding="utf-8").split("## Columns")[0]))
    assert names == set(_core.dtypes()["event"].names or ()) | {"length", "bytes"}


def test_every_event_is_named_by_a_command() -> None:
    named = {name for page in PAGES.values() for name in re.findall(r"\(\.\./events\.md#(\w+)\)", page)}
    assert named | {"rejected"} == {name.lower() for _, name in _core.event_kinds()}


def test_every_column_of_a_frame_is_explained() -> None:
    text = (REFERENCE / "events.md").read_text(encoding="utf-8").split("## Columns")[1]
    explained = [name for row in table_rows(text) for name in re.findall(r"`(\w+)`", row[0])]
    assert explained == tw.Exchange().events.to_arrow().column_names


def test_every_close_reason_has_its_heading() -> None:
    described = sections(REFERENCE / "close-reasons.md", 3)
    assert {name: code_of(text) for name, text in described.items()} == {n: code for code, n in _core.close_reasons()}


def test_the_table_of_states_is_that_of_the_engine() -> None:
    states = (REFERENCE / "states.md").read_text(encoding="utf-8")
    told = {row[0].strip("`"): [cell.strip("`") for cell in row[1:]] for row in table_rows(states) if "`" in row[0]}
    assert told == {
        name: ["yes" if cell is None else cell for cell in cells] for name, cells in _core.instrument_states()
    }


def test_every_page_is_reached() -> None:
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    linked = set()
    for page in (DOCS.parent / "README.md", DOCS.parent / "ARCHITECTURE.md", *DOCS.rglob("*.md")):
        for link in re.findall(r"\]\(([^)#:\s]+\.md)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if target.is_relative_to(DOCS.resolve()):
                linked.add(target.relative_to(DOCS.resolve()).as_posix())
    assert pages - linked == set()


def test_the_attributes_that_the_python_page_names_are_there() -> None:
    for name, text in sections(REFERENCE / "python.md", 3).items():
        value = getattr(tw, name)
        if not isinstance(value, type) or issubclass(value, Exception):
            continue  # an exception's attributes are those of each of its instances
        fields = getattr(value, "__dataclass_fields__", {}) | dict(getattr(value, "__members__", {}))
        fields |= getattr(value, "__annotations__", {}) if issubclass(value, dict) else {}
        slots = getattr(value, "__slots__", ())
        for attribute in re.findall(r"`([a-z_]+)`", text) if len(text) < 2_000 else ():
            known = hasattr(value, attribute) or attribute in fields or attribute in slots
            assert known or attribute in OTHER_WORDS, f"{name}.{attribute}"


OTHER_WORDS = {"seed", "events_max", "ns", "float", "int", "timedelta"}
"""Words in code type on the Python page that are no attributes: arguments and builtins."""
