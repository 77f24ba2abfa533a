"""The systemd unit starts a command that exists, with options that the system knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app

UNIT = Path(__file__).parents[2] / "deploy" / "tradewright.service"


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def test_it_starts_a_command_that_exists() -> None:
    [command] = values("ExecStart")
    program, name, _file = command.split()
    assert Path(program).name == "tradewright"
    assert name in {command.name for command in build_app().registered_commands}


def test_what_a_restart_cannot_mend_is_not_restarted() -> None:
    [codes] = values("RestartPreventExitStatus")
    lasting = {ExitCode.USAGE, ExitCode.BAD_DATA, ExitCode.ENVIRONMENT}
    assert {int(code) for code in codes.split()} == {int(code) for code in lasting}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_system_knows_every_option(tmp_path: Path) -> None:
    # Its program and its user are not on this machine: what it says of them is none of the unit's faults.
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/usr/local/bin/tradewright", "/bin/true")
    unit.write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(verify, check=False, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert not said
    unit.write_text(text + "NoSuchOption=1\n", encoding="utf-8")
    done = subprocess.run(verify, check=False, capture_output=True, text=True)
    assert any("NoSuchOption" in line for line in done.stderr.splitlines())
