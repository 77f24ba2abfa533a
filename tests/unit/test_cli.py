from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import tradewright as tw
from tradewright.cli import _grants
from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def run(*arguments: str, app: typer.Typer | None = None) -> Result:
    return CliRunner().invoke(app or build_app(), list(arguments))


def doctor_json() -> dict[str, Any]:
    result = run("doctor", "--json")
    assert result.exit_code == ExitCode.OK
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_doctor_reports_the_build_that_is_running() -> None:
    report, build = doctor_json(), tw.build_info()
    assert report["version"] == build.version
    assert report["commit"] == build.commit
    assert report["profile"] == build.profile
    assert report["release_build"] is build.is_release


def test_doctor_reports_the_machine() -> None:
    report = doctor_json()
    assert 1 <= report["cores_granted"] <= report["cores"] == os.cpu_count()
    if sys.platform == "linux":
        assert report["cores_granted"] == len(os.sched_getaffinity(0))
        assert 0 < report["memory_available_bytes"] <= report["memory_bytes"]


def test_doctor_prints_lines_for_a_person() -> None:
    result = run("doctor")
    assert result.exit_code == ExitCode.OK
    assert re.search(r"^cores +\d+ of \d+ granted", result.stdout, re.MULTILINE)


def test_doctor_says_what_a_node_is_granted_and_what_the_lack_costs() -> None:
    granted = {grant["name"]: grant for grant in doctor_json()["grants"]}
    assert set(granted) >= {"cores", "isolated cores", "real-time class", "huge pages", "room for rings", "clock"}
    assert all(grant["value"] and grant["cost"] for grant in granted.values())
    text = run("doctor").stdout
    for grant in granted.values():
        # The cost is told where it is paid, and nowhere else.
        assert (grant["cost"] in text) is (grant["is_granted"] is False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these files")
def test_a_grant_is_read_from_what_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "sys/devices/system/cpu/isolated": "2-3\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
        "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
        "sys/devices/system/node/node0/cpulist": "0-1",
        "sys/devices/system/node/node1/cpulist": "2-3",
        "sys/devices/system/node/online": "0-1",
        "proc/meminfo": "HugePages_Free:       12\n",
        "proc/cpuinfo": "flags : fpu constant_tsc nonstop_tsc\n",
        "proc/self/status": "CapEff:\t0000000000801000\n",
        "proc/sys/net/core/busy_read": "0\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(_grants, "_SYS", tmp_path / "sys")
    monkeypatch.setattr(_grants, "_PROC", tmp_path / "proc")
    found = {grant.name: grant for grant in _grants.grants(cores_granted=2, shared_memory_bytes=64 * 2**20)}
    shown = {name: (grant.value, grant.is_granted) for name, grant in found.items() if name != "locked memory"}
    assert shown == {
        "cores": ("2 of 4 wanted", False),
        "isolated cores": ("2-3", True),
        "real-time class": ("priority up to 99", True),
        "huge pages": ("never", False),
        "reserved huge pages": ("12 free", True),
        "room for rings": ("64 MiB", False),
        "clock": ("hpet, steady cycle counter", False),
        "memory nodes": ("2", True),
        "busy poll": ("0 us by default, may be raised", True),
    }


def test_doctor_can_insist_on_a_release_build() -> None:
    result = run("doctor", "--require-release")
    if tw.build_info().is_release:
        assert result.exit_code == ExitCode.OK
    else:
        assert result.exit_code == ExitCode.ENVIRONMENT
        assert "must be 'release'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (tw.CommandRejected("market_halted", sentence="The market is halted."), 1),
        (tw.ArgumentError("seed", value=-1, rule="must not be negative"), 2),
        (tw.ConfigError("fee_ppm=2000000 must be below 1000000"), 2),
        (tw.DataError("is not gzip", file=Path("trades.csv.gz")), 3),
        (tw.MachineError("memory_limit_bytes=1 must be at least 2"), 4),
        (tw.TradewrightError("the state hashes differ"), 1),
    ],
)
def test_an_expected_error_ends_as_one_sentence_and_its_code(error: tw.TradewrightError, code: int) -> None:
    app = build_app()

    @app.command("fail")
    def fail() -> None:
        raise error

    result = run("fail", app=app)
    assert result.exit_code == code
    assert result.stderr == f"tradewright: {error}\n"
    assert result.stdout == ""


def test_a_bug_keeps_its_traceback() -> None:
    app = build_app()

    @app.command("fail")
    def fail() -> None:
        raise ZeroDivisionError

    assert isinstance(run("fail", app=app).exception, ZeroDivisionError)


def test_a_wrong_option_is_a_usage_error() -> None:
    result = run("doctor", "--no-such-option")
    assert result.exit_code == ExitCode.USAGE
    assert "--no-such-option" in result.stderr


def test_the_installed_command_starts() -> None:
    command = [sys.executable, "-c", "from tradewright.cli.main import main; main()", "doctor"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (ExitCode.OK, "")


def test_the_reference_lists_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d) \| (.+) \|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]


def test_the_reference_lists_every_command() -> None:
    overview = REFERENCE.read_text(encoding="utf-8").split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", overview, re.MULTILINE)
    listed = re.findall(r"`(\w+)`", " ".join(cells))
    command = typer.main.get_command(build_app())
    assert sorted(listed) == sorted(command.commands)  # type: ignore[attr-defined]  # a group of commands has them
