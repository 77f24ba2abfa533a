"""`tradewright drill`: harm a log on purpose and see that nothing acknowledged is lost.

Exit codes: 0 when nothing was lost, doubled or changed, 1 when something was.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from tradewright import _core
from tradewright.cli.exit_codes import ExitCode

drill_app = typer.Typer(no_args_is_help=True, help="Harm a log on purpose and see that nothing acknowledged is lost.")

Runs = Annotated[int, typer.Option("--runs", min=1, help="How many runs.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same runs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the group `drill`."""
    app.add_typer(drill_app, name="drill")


@drill_app.command("power-cut")
def power_cut(
    *,
    runs: Runs = 200,
    seed: Seed = 7,
    control: Annotated[
        bool, typer.Option("--control", help="Acknowledge before the sync: this must lose commands.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Cut the power at any call: what was not synced is kept, dropped or torn, by sectors and names."""
    _finish(
        "power-cut", _core.drill_log("power-cut", runs=runs, seed=seed, acknowledges_early=control), as_json=as_json
    )


@drill_app.command("torn-write")
def torn_write(*, runs: Runs = 200, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Cut the last write at some byte."""
    _finish("torn-write", _core.drill_log("torn-write", runs=runs, seed=seed), as_json=as_json)


@drill_app.command("disk-full")
def disk_full(*, runs: Runs = 200, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Let the disk be full, or fail, from some call on."""
    _finish("disk-full", _core.drill_log("disk-full", runs=runs, seed=seed), as_json=as_json)


@drill_app.command("bit-flip")
def bit_flip(*, runs: Runs = 200, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Flip a bit of what was written."""
    _finish("bit-flip", _core.drill_log("bit-flip", runs=runs, seed=seed), as_json=as_json)


@drill_app.command("kill")
def kill(*, runs: Runs = 200, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Kill a node at random moments while clients trade over TCP, and start it again."""
    node = [sys.executable, "-m", "tradewright.cli.node"]
    with tempfile.TemporaryDirectory(prefix="tradewright-drill-") as folder:
        _finish("kill", _core.drill_kill(node, Path(folder), runs=runs, seed=seed), as_json=as_json)


@drill_app.command("promote")
def promote(*, runs: Runs = 20, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Kill a node, or stop it and let it go on later, and have its replica take over while clients trade over TCP."""
    node = [sys.executable, "-m", "tradewright.cli.node"]
    with tempfile.TemporaryDirectory(prefix="tradewright-drill-") as folder:
        _finish("promote", _core.drill_promote(node, Path(folder), runs=runs, seed=seed), as_json=as_json)


@drill_app.command("halt")
def halt(
    *,
    runs: Runs = 1_000,
    seed: Seed = 7,
    tier: Annotated[str, typer.Option("--tier", help="memory or local-sync")] = "local-sync",
    fifo: Annotated[
        int | None, typer.Option("--fifo", min=1, max=98, help="fifo_priority of the engine's thread (none)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Halt matching under full load, and take the time until nothing trades any more."""
    with tempfile.TemporaryDirectory(prefix="tradewright-drill-") as folder:
        report = _core.drill_halt(Path(folder), runs=runs, seed=seed, tier=tier, fifo_priority=fifo)
        _finish("halt", report, as_json=as_json)


def _finish(name: str, report_text: str, *, as_json: bool) -> None:
    report: dict[str, Any] = json.loads(report_text)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        typer.echo(f"drill {name}: " + ", ".join(f"{key} {_shown(value)}" for key, value in report.items()))
    if report["lost"] or report["doubled"] or report["hash_mismatches"]:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
