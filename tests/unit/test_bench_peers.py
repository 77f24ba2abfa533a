"""The bench of peers: its file of operations, its judgement, and what it says of a peer that cannot be had."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import tradewright as tw
from tradewright._core import Bench
from tradewright.cli import bench_peers
from tradewright.cli.bench_peers import Row
from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app

ROOT = Path(__file__).parents[2]


def row(tape: Bench) -> Row:
    return Row(engine="echo", origin="here", carries="", operations=tape.operations)


def test_the_file_of_operations_is_what_a_driver_reads(tmp_path: Path) -> None:
    tape = Bench("mix60", 2_000)
    file = tmp_path / "operations.bin"
    bench_peers.operations_of(tape).tofile(file)
    assert file.stat().st_size == 24 * (tape.prefill + tape.operations)
    # A book of a few lines reads it as the drivers do, and comes to the answer.
    spec = spec_from_file_location("peers", ROOT / "benches" / "peers" / "python" / "peers.py")
    assert spec
    assert spec.loader
    peers = module_from_spec(spec)
    spec.loader.exec_module(peers)
    sums = peers.Sums()
    best: dict[int, dict[int, list[list[int]]]] = {0: {}, 1: {}}
    places: dict[int, tuple[int, int]] = {}
    for kind, side, quantity, price, order in peers.read(file):
        if kind == peers.CANCEL:
            own_side, own_price = places[order]
            best[own_side][own_price] = [each for each in best[own_side][own_price] if each[0] != order]
            continue
        against = best[1 - side]
        for level in sorted(against, reverse=side == 1):
            while quantity and against[level] and (level <= price if side == 0 else level >= price):
                maker = against[level][0]
                traded = min(quantity, maker[1])
                sums.fill(level, traded)
                quantity, maker[1] = quantity - traded, maker[1] - traded
                if not maker[1]:
                    against[level].pop(0)
        if quantity and kind != peers.IMMEDIATE:
            best[side].setdefault(price, []).append([order, quantity])
            places[order] = (side, price)
    answer = tape.answer
    assert (sums.fills, sums.quantity, sums.notional) == (answer.fills, answer.filled_quantity, answer.notional)


def test_an_answer_is_judged_and_stays_wrong() -> None:
    tape = Bench("mix60", 1_000)
    right = f"echo 12.5 {tape.answer.fills} {tape.answer.filled_quantity} {tape.answer.notional}"
    says = row(tape)
    bench_peers.run_round(says, tape, [sys.executable, "-c", f"print({right!r})"])
    assert (says.rounds, says.is_right) == ([12.5], True)
    bench_peers.run_round(says, tape, [sys.executable, "-c", "print('echo 12.5 1 2 3')"])
    bench_peers.run_round(says, tape, [sys.executable, "-c", f"print({right!r})"])
    assert (len(says.rounds), says.is_right) == (3, False)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/no/such/program"], "/no/such/program: No such file or directory"),
        ([sys.executable, "-c", "import sys; sys.exit('broken')"], "ended with 1: broken"),
        ([sys.executable, "-c", "print('nonsense')"], "says what is no figure"),
    ],
)
def test_a_peer_that_does_not_run_is_skipped_and_says_why(command: list[str], why: str) -> None:
    tape = Bench("mix60", 1_000)
    says = row(tape)
    bench_peers.run_round(says, tape, command)
    assert says.skipped is not None
    assert why in says.skipped
    bench_peers.run_round(says, tape, command)
    assert says.rounds == []


def test_ours_stand_beside_a_peer_that_cannot_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_peers, "OPERATIONS", 3_000)
    monkeypatch.setattr(bench_peers, "OPERATIONS_PYTHON", 3_000)
    sources = tmp_path / "peers"
    (sources / "rust").mkdir(parents=True)
    (sources / "rust" / "Cargo.toml").write_text("[nonsense", encoding="utf-8")
    arguments = ["bench", "peers", "--only", "matchcore", "--rounds", "1", "--sources", str(sources)]
    arguments += ["--build", str(tmp_path / "build")]
    result = CliRunner().invoke(build_app(), [*arguments, "--json"])
    if not tw.build_info().is_release:
        assert result.exit_code == ExitCode.ENVIRONMENT
        return
    assert result.exit_code == ExitCode.OK, result.output
    rows = {each["engine"]: each for each in json.loads(result.stdout)["rows"]}
    assert list(rows) == ["floor", "ladder", "book", "engine", "matchcore"]
    assert rows["matchcore"]["skipped"].startswith("cargo ")
    assert rows["ladder"]["x_ladder"] == 1.0
    assert all(rows[name]["is_right"] for name in ("ladder", "book", "engine"))
    shown = CliRunner().invoke(build_app(), [*arguments, "--markdown"])
    assert "| matchcore | crates.io |  |  | skipped: cargo " in shown.stdout


def test_what_is_no_peer_is_refused(tmp_path: Path) -> None:
    if not tw.build_info().is_release:
        pytest.skip("refused before anything else is looked at")
    unknown = CliRunner().invoke(build_app(), ["bench", "peers", "--only", "nobody"])
    assert "only='nobody' must be of exchange-core-book" in unknown.stderr
    nowhere = CliRunner().invoke(build_app(), ["bench", "peers", "--sources", str(tmp_path)])
    assert "must be benches/peers of the repository" in nowhere.stderr


def test_the_versions_of_all_peers_are_fixed() -> None:
    folder = ROOT / "benches" / "peers"
    assert 'name = "matchcore"' in (folder / "rust" / "Cargo.lock").read_text(encoding="utf-8")
    assert "<version>0.5.3</version>" in (folder / "java" / "pom.xml").read_text(encoding="utf-8")
    requirements = (folder / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert all(f"{name}==" in requirements for name in ("bourse", "lightmatchingengine", "obook", "orderly-chaos"))
    assert np.dtype(bench_peers.OPERATION).itemsize == 24
