"""The engine against the reference exchange: event for event, balance for balance, over random commands.

`make fuzz` does the same for longer.
"""

from __future__ import annotations

import pytest

from tests.differential.compare import EngineFactory, Report, run
from tests.differential.fuzz import campaign
from tests.differential.rust_engine import RestartingEngine, RustEngine

COMMANDS = 200_000
SEED_COMMANDS = 5_000


@pytest.fixture(scope="module")
def report() -> Report:
    total = Report()
    for outcome in campaign(0, COMMANDS, SEED_COMMANDS):
        if outcome.report is None:
            pytest.fail(outcome.difference, pytrace=False)
        total.merge(outcome.report)
    return total


def test_the_engine_agrees_with_the_reference_exchange(report: Report) -> None:
    assert report.commands >= COMMANDS
    assert report.events > report.commands
    assert report.inspections > COMMANDS // 1_000


def test_the_streams_reach_every_rule(report: Report) -> None:
    assert report.coverage.missing() == [], report.coverage.table()


@pytest.mark.parametrize("engine", [RustEngine, RestartingEngine])
def test_states_agree_after_every_command(engine: EngineFactory) -> None:
    report = run(engine, 1_000, 1_000, inspect_every=1)
    assert report.inspections > 1_000
