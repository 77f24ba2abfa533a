"""The page of the command line names each option and field there is, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import typer

from tests.docs.pages import DOCS, REFERENCE, ROOT, table_rows
from tradewright.cli.main import build_app
from tradewright.marketdata.replay import bitstamp, cme_mbo, itch, lobster

CLI = (REFERENCE / "cli.md").read_text(encoding="utf-8")
PAGES = CLI + (REFERENCE / "demo.md").read_text(encoding="utf-8")


def commands(command: Any, path: str = "tradewright") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own
    """Yield every command that does something, with its whole name."""
    group = getattr(command, "commands", None)
    if group is None:
        yield path, command
        return
    for name, each in group.items():
        yield from commands(each, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(build_app())))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_on_the_page(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    named = set(re.findall(r"--[a-z][a-z-]*", PAGES)) | {"--help"}
    assert options <= named


def test_every_option_on_the_page_exists() -> None:
    options = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"(?<=[`\[ ])--[a-z][a-z-]*", PAGES))
    assert named - options == {"--help"}


def test_every_command_is_on_the_page() -> None:
    assert [name for name in COMMANDS if name.removeprefix("tradewright ") not in CLI] == []


@pytest.mark.parametrize("page", ["README.md", "docs/performance.md", "docs/tutorial.md"])
def test_every_command_that_a_page_names_can_be_typed(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    typed = re.findall(r"`(?:uv run )?(tradewright [^`]+)`", text)
    typed += [f"tradewright bench {rest}" for rest in re.findall(r'^ +make bench ARGS="(.+)"$', text, re.MULTILINE)]
    assert typed
    for line in typed:
        name = next((name for name in COMMANDS if re.match(rf"{name}( |$)", line)), None)
        assert name, line
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", line)) - options == set(), line


def test_the_fields_of_a_replay_are_those_of_its_report() -> None:
    reports = [value for module in (lobster, itch, bitstamp, cme_mbo) for value in vars(module).values()]
    classes = [report for report in reports if isinstance(report, type) and is_dataclass(report)]
    known = {field.name for report in classes for field in fields(report)}
    table = CLI.split("## `tradewright replay`")[1].split("## Exit")[0]
    named = {name for row in table_rows(table) for name in re.findall(r"`([a-z_]+)`", row[0])}
    assert named
    assert named - known == set()


def test_the_batch_of_a_bench_is_the_one_the_page_names() -> None:
    source = (ROOT / "crates" / "python" / "src" / "bench.rs").read_text(encoding="utf-8")
    batch = re.search(r"^const BATCH: usize = (\d+);", source, re.MULTILINE)
    assert batch
    assert f"**Batches of {batch[1]}**" in (DOCS / "performance.md").read_text(encoding="utf-8")
