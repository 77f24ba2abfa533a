"""`tradewright bench pipe`, `wire` and `disturb`: a whole node, measured from another process, beside its floors.

Exit codes: 0 when the figures count, 1 when something was refused, missed or not answered.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from tradewright import _core
from tradewright.cli.bench import expect_release
from tradewright.cli.exit_codes import ExitCode
from tradewright.errors import ArgumentError, MachineError

# What a log takes for a record of one command, and what no node of ours exceeds: segments are made ready for that much.
LOG_BYTES_PER_COMMAND: Final = 104
SOAK_INTERVAL_S: Final = 60.0
COMMANDS_PER_S_MOST: Final = {"shm-records": 10_000_000, "shm-frames": 4_000_000, "tcp-frames": 4_000_000}


class Transport(StrEnum):
    """How a client reaches the node."""

    SHM = "shm"
    TCP = "tcp"


class Tier(StrEnum):
    """What an acknowledgement promises."""

    MEMORY = "memory"
    LOCAL_SYNC = "local-sync"


class Idle(StrEnum):
    """What threads do that find nothing."""

    SPIN = "spin"
    YIELD = "yield"
    PARK = "park"


def register(bench_app: typer.Typer) -> None:
    """Add the benches of a node to the group `bench`."""
    bench_app.command("pipe")(pipe)
    bench_app.command("wire")(wire)
    bench_app.command("disturb")(disturb)


TransportOption = Annotated[Transport, typer.Option(help="How commands reach the node.")]
TierOption = Annotated[Tier, typer.Option(help="What an acknowledgement promises.")]
IdleOption = Annotated[
    Idle,
    typer.Option(help="What threads do that find nothing: in the node, the client and the copier."),
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option(help="Where the log is to be (default: the folder for temporary files)."),
]
Core = Annotated[int | None, typer.Option(min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def pipe(
    *,
    transport: TransportOption = Transport.SHM,
    frames: Annotated[
        bool, typer.Option("--frames", help="Frames over shared memory instead of command records.")
    ] = False,
    tier: TierOption = Tier.LOCAL_SYNC,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long the clock runs.")] = 10.0,
    operations: Annotated[
        int, typer.Option(min=100, help="Operations of mix60 in a lap; the lap is sent over and over.")
    ] = 1_000_000,
    window: Annotated[
        int, typer.Option(min=0, help="How many commands may be on their way; 0: as many as the transport takes.")
    ] = 0,
    idle: IdleOption = Idle.YIELD,
    engine_core: Core = None,
    journal_core: Core = None,
    sessions_core: Core = None,
    client_core: Core = None,
    directory: DirectoryOption = None,
    segment_mib: Annotated[int, typer.Option(min=1, max=4_096, help="The size of a segment of the log.")] = 256,
    prepared: Annotated[
        int | None, typer.Option(min=1, help="Segments that are ready before the clock starts (default: enough).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how many commands pass through a node: in, sequenced, logged, applied, released, read by another process.

    mix60 with accounts, closed loop. The floor is the same commands through the same rings, or sockets, to a server
    that only copies. With fewer segments than the run needs (--prepared 2) the figure is the one that lasts.
    """
    expect_release(_core.build_info())
    over_shm = "shm-frames" if frames else "shm-records"
    route = "tcp-frames" if transport is Transport.TCP else over_shm
    cores = Cores(engine=engine_core, journal=journal_core, sessions=sessions_core, client=client_core)
    with _folder(directory) as folder, Console(stderr=True).status("bench pipe") as status, _told():
        ready = prepared or _segments_for(seconds, COMMANDS_PER_S_MOST[route], segment_mib, folder)
        text = _core.bench_pipe(
            _setting(folder, tier, idle, cores, segment_mib=segment_mib, prepared=ready),
            route,
            seconds=seconds,
            operations=operations,
            window=window,
            progress=status.update,
        )
    report = json.loads(text)
    _show("pipe", report, as_json=as_json)
    if report["refused"] or report["events_skipped"] or report["sent"] != report["acknowledged"]:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def wire(
    *,
    transport: TransportOption = Transport.SHM,
    records: Annotated[
        bool,
        typer.Option("--records", help="Command records over shared memory; answers are events."),
    ] = False,
    tier: TierOption = Tier.LOCAL_SYNC,
    rate: Annotated[
        float,
        typer.Option(min=0, help="Orders a second; 0: a closed loop of --window orders."),
    ] = 100_000.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long the clock runs, over all rounds.")] = 10.0,
    rounds: Annotated[int, typer.Option(min=1, help="Pairs of a run through the node and one through the copier.")] = 5,
    soak: Annotated[
        float | None, typer.Option(min=1, help="Run so many seconds through the node alone, with a line a minute.")
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="Orders on their way in a closed loop.")] = 1_024,
    operations: Annotated[int, typer.Option(min=100, help="Operations of mix60 in a lap.")] = 200_000,
    idle: IdleOption = Idle.YIELD,
    engine_core: Core = None,
    journal_core: Core = None,
    sessions_core: Core = None,
    client_core: Core = None,
    directory: DirectoryOption = None,
    hlog: Annotated[
        Path | None, typer.Option(help="Write the histograms there, for the tools of HdrHistogram.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the distributions into this folder, as PNG and as HTML (extra `plots`).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how long an order takes at a set rate, from when it was meant to go until its report was read.

    mix60 with accounts, open loop: a late answer counts from when its order was meant to go (corrected for coordinated
    omission). The echo is the same generator, rate, frames, wait strategy and cores against a server that only copies,
    in pairs with the node; the node does not run meanwhile.
    """
    expect_release(_core.build_info())
    draw = _plotter(plot)
    over_shm = "shm-records" if records else "shm-frames"
    route = "tcp-frames" if transport is Transport.TCP else over_shm
    cores = Cores(engine=engine_core, journal=journal_core, sessions=sessions_core, client=client_core)
    console = Console(stderr=True)
    with _folder(directory) as folder, console.status("bench wire") as status, _told():
        text = _core.bench_wire(
            _setting(folder, tier, idle, cores, segment_mib=256, prepared=2),
            route,
            rate=rate,
            seconds=soak or seconds,
            rounds=rounds,
            operations=operations,
            window=window,
            hlog=hlog,
            soak_interval_s=None if soak is None else SOAK_INTERVAL_S,
            progress=status.update if soak is None else console.print,
        )
    report = json.loads(text)
    curves = report.pop("curves")
    if draw is not None:
        draw(curves, report)
    _show("wire", report, as_json=as_json)
    if report["refused"] or report["sent"] != report["acknowledged"]:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def disturb(
    *,
    transport: TransportOption = Transport.SHM,
    tier: TierOption = Tier.MEMORY,
    rate: Annotated[float, typer.Option(min=1, help="Orders a second.")] = 50_000.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each run lasts.")] = 3.0,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of a run without and one with the disturbance.")] = 5,
    operations: Annotated[int, typer.Option(min=100, help="Operations of mix60 in a lap.")] = 200_000,
    idle: IdleOption = Idle.YIELD,
    engine_core: Core = None,
    journal_core: Core = None,
    sessions_core: Core = None,
    client_core: Core = None,
    directory: DirectoryOption = None,
    as_json: AsJson = False,
) -> None:
    """See whether a slow reader, readers that are killed, and a client that no longer reads are felt by the others.

    Orders at a set rate, in interleaved pairs with and without the disturbance. It holds when the p99 moves less than a
    tenth; where the p99 without it moves by more already, p50 and the engine's time for a command are looked at.
    """
    expect_release(_core.build_info())
    route = "tcp-frames" if transport is Transport.TCP else "shm-frames"
    cores = Cores(engine=engine_core, journal=journal_core, sessions=sessions_core, client=client_core)
    with _folder(directory) as folder, Console(stderr=True).status("bench disturb") as status, _told():
        text = _core.bench_disturb(
            _setting(folder, tier, idle, cores, segment_mib=256, prepared=2),
            route,
            rate=rate,
            seconds=seconds,
            pairs=pairs,
            operations=operations,
            reader=[sys.executable, "-m", "tradewright.cli.event_follower"],
            progress=status.update,
        )
    report = json.loads(text)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _show_rows(report)
    if report["sent"] != report["acknowledged"] or not all(row["holds"] for row in report["rows"]):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _show_rows(report: dict[str, Any]) -> None:
    title = f"bench disturb, {report['tier']}, {report['rate']:,.0f} orders/s, {report['pairs']} pairs"
    table = Table(title=title, title_justify="left")
    for name in report["rows"][0]:
        table.add_column(name, justify="left" if name in ("name", "gated_by") else "right")
    for row in report["rows"]:
        table.add_row(*(f"{value:,.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """The cores that threads are bound to; None leaves them to the system."""

    engine: int | None
    journal: int | None
    sessions: int | None
    client: int | None


def _setting(
    folder: Path, tier: Tier, idle: Idle, cores: Cores, *, segment_mib: int, prepared: int
) -> dict[str, object]:
    return {
        "node": [sys.executable, "-m", "tradewright.cli.node"],
        "directory": str(folder),
        "tier": tier.value,
        "idle": idle.value,
        "engine_core": cores.engine,
        "journal_core": cores.journal,
        "sessions_core": cores.sessions,
        "client_core": cores.client,
        "segment_mib": segment_mib,
        "prepared": prepared,
    }


@contextmanager
def _told() -> Iterator[None]:
    """What a bench cannot do is a fault of the machine or of the node, in one sentence."""
    try:
        yield
    except RuntimeError as error:
        raise MachineError(str(error)) from error


@contextmanager
def _folder(directory: Path | None) -> Iterator[Path]:
    """A folder of its own, which is removed in the end."""
    if directory is not None and not directory.is_dir():
        raise ArgumentError("directory", value=str(directory), rule="must be a folder")
    with tempfile.TemporaryDirectory(prefix="tradewright-bench-", dir=directory) as folder:
        yield Path(folder)


def _segments_for(seconds: float, commands_per_s: float, segment_mib: int, folder: Path) -> int:
    """Return how many segments a run needs at most, as far as half of the free disk goes."""
    wanted = (seconds * 1.2 + 1.0) * commands_per_s * LOG_BYTES_PER_COMMAND
    room = shutil.disk_usage(folder).free / 2
    return max(1, math.ceil(min(wanted, room) / (segment_mib << 20)))


def _plotter(folder: Path | None) -> Callable[[list[dict[str, Any]], dict[str, Any]], None] | None:
    """Return what draws into a folder. What it needs is missed before the bench runs, not behind it."""
    if folder is None:
        return None
    try:
        from tradewright.cli import bench_plots
    except ImportError as error:
        raise ArgumentError(
            "plot", value=str(folder), rule=f"needs the extra `plots` ({error.name} is missing)"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    return partial(bench_plots.draw, folder)


def _show(name: str, report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report))
        return
    table = Table(title=f"bench {name}", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for field, value in report.items():
        if field == "cpu_shares":
            table.add_row(field, ", ".join(f"{part} {share:.0%}" for part, share in value))
        elif isinstance(value, list):
            table.add_row(field, ", ".join(f"{part:,.1f}" for part in value))
        elif isinstance(value, float):
            table.add_row(field, f"{value:,.2f}")
        else:
            table.add_row(field, f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)
