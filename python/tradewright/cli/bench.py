"""`tradewright bench`: measurements, each beside a reference of the same run and checked against a known answer."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tradewright._core import Bench, BuildInfo, build_info
from tradewright.cli.doctor import DoctorReport
from tradewright.errors import ArgumentError, DataError, MachineError, TradewrightError

bench_app = typer.Typer(no_args_is_help=True, help="Measure, beside a reference ladder in the same run.")

OPERATIONS_DEFAULT = 3_000_000
GOOG_STEM = "GOOG_2012-06-21_34200000_57600000"


class Workload(StrEnum):
    """The shapes of market that are measured."""

    MIX60 = "mix60"
    SWING25 = "swing25"
    SWING40 = "swing40"
    FINE = "fine"
    CRASH = "crash"
    MANY = "many"
    RESTING1M = "resting1m"
    SWEEP = "sweep"
    GOOG = "goog"


class Layer(StrEnum):
    """What is measured: the bare book, the engine with money, the engine through Python."""

    BOOK = "book"
    ENGINE = "engine"
    PYTHON_BATCH = "python-batch"
    PYTHON_CALL = "python-call"
    PYTHON_DECIMAL = "python-decimal"


def register(app: typer.Typer) -> None:
    """Add the group `bench`."""
    app.add_typer(bench_app, name="bench")
    if sys.platform != "win32":
        from tradewright.cli import bench_node

        bench_node.register(bench_app)
    from tradewright.cli.bench_peers import peers

    bench_app.command("peers")(peers)


@bench_app.callback()
def _group() -> None:
    pass


@bench_app.command("matching")
def matching(
    *,
    workload: Annotated[Workload, typer.Option(help="The shape of the market.")] = Workload.MIX60,
    layer: Annotated[Layer, typer.Option(help="What is measured.")] = Layer.ENGINE,
    operations: Annotated[
        int | None, typer.Option(min=3, help="How many operations (default: 3,000,000; goog: the whole day).")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; medians are taken over them.")] = 5,
    stp: Annotated[
        bool, typer.Option("--stp", help="Orders carry self-trade prevention EXPIRE_MAKER; no answer is known for it.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(envvar="TRADEWRIGHT_DATA", help="The folder of recordings, for goog.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Match a workload and compare its outcome with the known answer.

    Floor (the driver alone), reference ladder and the layer run in interleaved rounds on one core; the figures are
    thread-CPU nanoseconds an operation over the last third, and the ratio is to the ladder of the same round.
    """
    build = build_info()
    expect_release(build)
    if stp and layer is Layer.BOOK:
        raise ArgumentError("stp", value=stp, rule="needs accounts, which the bare book does not know")
    console = Console(stderr=True)
    with console.status(f"{workload}: making the operations") as status:
        bench = _bench(workload, operations, data)
        status.update(f"{workload} through {layer}: {rounds} rounds")
        figures, outcome, answer = _measure(bench, layer, rounds=rounds, stp=stp, status=status.update)
    report: dict[str, Any] = {
        "workload": workload.value,
        "layer": layer.value,
        "operations": bench.operations,
        "rounds": rounds,
        "stp": stp,
        **outcome,
        **figures,
        "checked_against": None if stp else "published answer" if bench.is_golden else "generating book",
        "profile": build.profile,
        "machine": {
            "processor": DoctorReport.of_this_process().processor,
            "system": platform.platform(),
            "cores": os.cpu_count(),
        },
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console().print(_table(report))
    if not stp and outcome != answer:
        differing = ", ".join(
            f"{name}={outcome[name]} must be {answer[name]}" for name in answer if outcome[name] != answer[name]
        )
        raise TradewrightError(f"{layer} on {workload} is wrong after {bench.operations} operations: {differing}")


def expect_release(build: BuildInfo) -> None:
    """Refuse a build whose figures mean nothing."""
    if not build.is_release:
        raise MachineError(
            f"profile={build.profile!r} must be 'release' for figures that count: "
            "unset MATURIN_PEP517_ARGS and install again"
        )


def _bench(workload: Workload, operations: int | None, data: Path | None) -> Bench:
    if workload is not Workload.GOOG:
        return Bench(workload.value, operations or OPERATIONS_DEFAULT)
    from tradewright.marketdata.importers import lobster
    from tradewright.simulation.bench_layers import recorded_bench

    if operations is not None:
        raise ArgumentError("operations", value=operations, rule="must not be given for goog: it is the whole day")
    folder = data or Path("../shared/data")
    stem = folder / "lobster" / GOOG_STEM
    for kind in ("message", "orderbook"):
        file = Path(f"{stem}_{kind}_10.csv.zst")
        if not file.exists():
            raise DataError("is not there: name the folder of recordings with --data or TRADEWRIGHT_DATA", file=file)
    return recorded_bench(
        lobster.read_messages(f"{stem}_message_10.csv.zst"), lobster.read_book(f"{stem}_orderbook_10.csv.zst")
    )


def _measure(
    bench: Bench,
    layer: Layer,
    *,
    rounds: int,
    stp: bool,
    status: Any,  # noqa: ANN401 - rich's own callable
) -> tuple[dict[str, Any], dict[str, int | None], dict[str, int | None]]:
    """Return figures, outcome and the known answer."""
    from tradewright.simulation.bench_layers import drive_layer, outcome_of

    answer = outcome_of(bench.answer)
    if layer in (Layer.PYTHON_BATCH, Layer.PYTHON_CALL, Layer.PYTHON_DECIMAL):
        measured, outcome = drive_layer(bench, layer.value, rounds=rounds, prevents=stp, progress=status)
        return asdict(measured), outcome, answer
    figures, of_layer = bench.drive(layer.value, rounds=rounds, prevents=stp)
    names = (
        *("ns_per_op", "floor_ns_per_op", "ladder_ns_per_op", "ratio"),
        *("p50_ns", "p99_ns", "p999_ns", "max_ns", "memory_bytes", "target_cpu"),
    )
    return {name: getattr(figures, name) for name in names}, outcome_of(of_layer), answer


def _table(report: dict[str, Any]) -> Table:
    table = Table(
        title=f"{report['workload']} through {report['layer']}", caption="ns: thread CPU, last third, median of rounds"
    )
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, value in report.items():
        if isinstance(value, dict):
            value = ", ".join(str(part) for part in value.values())
        shown = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)
        table.add_row(name, shown)
    return table
