"""The bench: refuses a build that does not count, and its loops give the known answers."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

import tradewright as tw
from tradewright._core import Bench
from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app
from tradewright.simulation import bench_layers
from tradewright.simulation.bench_layers import drive_layer, outcome_of


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), ["bench", "matching", *arguments])


@pytest.mark.parametrize("layer", list(bench_layers.RUNS))
@pytest.mark.parametrize("workload", ["mix60", "swing40", "fine", "crash", "many"])
def test_the_layers_of_python_give_the_answer(layer: str, workload: str) -> None:
    tape = Bench(workload, 20_000)
    told: list[str] = []
    # The reference ladder of `fine` and `many` takes long to make: no rounds of it here.
    if workload in ("fine", "many"):
        done = bench_layers.RUNS[layer](tape, tape.commands(prevents=False), prevents=False, times_calls=False)
        assert bench_layers.outcome_of_pass(done) == outcome_of(tape.answer)
        return
    figures, outcome = drive_layer(tape, layer, rounds=1, prevents=False, progress=told.append)
    assert outcome == outcome_of(tape.answer)
    assert figures.ns_per_op > 0
    assert figures.p50_ns <= figures.p99_ns <= figures.p999_ns <= figures.max_ns
    assert told[-1] == "latencies"


@pytest.mark.parametrize("layer", ["book", "engine"])
def test_the_layers_of_rust_give_the_published_answer(layer: str) -> None:
    tape = Bench("mix60", 200_000)
    assert tape.is_golden
    _, outcome = tape.drive(layer, rounds=1, prevents=False)
    assert outcome == tape.answer


def test_a_build_without_optimisation_is_refused() -> None:
    result = bench("--operations", "1000", "--rounds", "1", "--json")
    if not tw.build_info().is_release:
        assert result.exit_code == ExitCode.ENVIRONMENT
        assert "must be 'release'" in result.stderr
        return
    assert result.exit_code == ExitCode.OK
    report = json.loads(result.stdout)
    assert {
        "fills",
        "filled_quantity",
        "notional",
        "best_bid",
        "best_ask",
        "ns_per_op",
        "p50_ns",
        "p99_ns",
        "p999_ns",
    } <= set(report)
    assert {"max_ns", "memory_bytes", "floor_ns_per_op", "ladder_ns_per_op", "ratio", "target_cpu"} <= set(report)
