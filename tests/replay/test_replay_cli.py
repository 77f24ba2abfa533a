"""The commands: exit codes, JSON names, the hook for events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.replay.naive_venue import NaiveVenue
from tradewright.cli import replay as cli
from tradewright.cli.main import build_app

NAMES = [
    "rows",
    "rows_right",
    "first_mismatches",
    "revealed",
    "realigned",
    "executions",
    "executions_checked",
    "priority_right",
    "priority_wrong_rows",
    "rows_per_s",
    "seconds",
]


class KeepsEvents(NaiveVenue):
    def write_events(self, path: Path) -> int:
        path.write_bytes(b"events")
        return 1


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(cli, "venue_factory", NaiveVenue)
    return CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    messages, book = tmp_path / "message.csv", tmp_path / "book.csv"
    messages.write_text("34200,1,1,3,990000,1\n34201,3,1,3,990000,1\n")
    book.write_text("1000000,5,990000,3\n1000000,5,-9999999999,0\n")
    return str(messages), str(book)


def test_right(runner: CliRunner, files: tuple[str, str]) -> None:
    messages, book = files
    result = runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book, "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert [name for name in report if name != "conditions"] == NAMES
    assert (report["rows"], report["rows_right"]) == (2, 2)
    assert "right" in runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book]).stdout


def test_mismatch(runner: CliRunner, files: tuple[str, str]) -> None:
    messages, book = files
    Path(book).write_text("1000000,5,990000,3\n1000000,6,-9999999999,0\n")
    result = runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book, "--json"])
    assert (result.exit_code, json.loads(result.stdout)["first_mismatches"]) == (1, [2])


def test_bad_data(runner: CliRunner, files: tuple[str, str]) -> None:
    messages, book = files
    Path(book).write_text("1000000,5,990000,3\n")
    result = runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book])
    assert (result.exit_code, "1 rows" in result.stderr) == (3, True)
    Path(messages).write_text("34200,8,1,3,990000,1\n")
    result = runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book])
    assert (result.exit_code, f"{messages}:1: column 2" in result.stderr) == (3, True)


def test_usage(runner: CliRunner, files: tuple[str, str]) -> None:
    messages, book = files
    assert runner.invoke(build_app(), ["replay", "lobster", messages]).exit_code == 2
    assert (
        runner.invoke(build_app(), ["replay", "lobster", messages, "--book", book, "--seed-book", book]).exit_code == 2
    )


def test_events(runner: CliRunner, files: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages, book = files
    out = tmp_path / "events.parquet"
    arguments = ["replay", "lobster", messages, "--book", book, "--events", str(out)]
    assert runner.invoke(build_app(), arguments).exit_code == 2, "the naive venue keeps no events"
    monkeypatch.setattr(cli, "venue_factory", KeepsEvents)
    assert runner.invoke(build_app(), arguments).exit_code == 0
    assert out.read_bytes() == b"events"


def test_every_format_has_a_command(runner: CliRunner, data: Path) -> None:
    for command, file in (
        ("itch", "itch_events/AAPL_2019-01-30_rows1-6000.csv.zst"),
        ("bitstamp", "crypto_l3/bitstamp_btcusd_2015-05-01_part1.log.zst"),
        ("cme-mbo", "cme_mbo/esh4_20231225.csv.zst"),
    ):
        result = runner.invoke(build_app(), ["replay", command, str(data / file), "--json"])
        assert result.exit_code == 0, result.stdout
        assert json.loads(result.stdout)["rows"] > 0
        assert "replay" in runner.invoke(build_app(), ["replay", command, str(data / file)]).stdout
