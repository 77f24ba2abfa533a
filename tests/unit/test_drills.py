"""Nodes that are killed and halted on purpose lose nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tradewright import _core

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a node needs a system of the Unix family")


def test_a_killed_node_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    node = [sys.executable, "-m", "tradewright.cli.node"]
    report = json.loads(_core.drill_kill(node, tmp_path, runs=10, seed=7))
    assert (report["runs"], report["refused"]) == (10, 0)
    assert report["acknowledged"] > 100
    assert (report["lost"], report["doubled"], report["hash_mismatches"]) == (0, 0, 0), report


def test_a_replica_that_takes_over_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    node = [sys.executable, "-m", "tradewright.cli.node"]
    report = json.loads(_core.drill_promote(node, tmp_path, runs=2, seed=7))
    assert (report["runs"], report["refused"]) == (2, 0)
    assert report["acknowledged"] > 20
    assert (report["lost"], report["doubled"], report["hash_mismatches"]) == (0, 0, 0), report
    # A second is the bar on a machine of its own; `tradewright drill promote` tells how long it takes.
    assert report["recovery_ms_max"] < 10_000, report


def test_a_halt_comes_before_what_waits(tmp_path: Path) -> None:
    report = json.loads(_core.drill_halt(tmp_path, runs=50, seed=7, tier="local-sync"))
    assert (report["lost"], report["doubled"], report["hash_mismatches"]) == (0, 0, 0), report
    # The longest one is a question of who else wants the cores; `tradewright drill halt` tells it.
    assert report["halt_us_p50"] < 100_000, report
