"""`tradewright bench peers`: engines from package registries over the same operations, beside our book and engine.

Exit codes: 0 when every engine that ran gave the known answer, 1 when one did not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

from tradewright._core import Bench, BenchOutcome, build_info
from tradewright.cli.bench import Workload, expect_release
from tradewright.cli.exit_codes import ExitCode
from tradewright.enums import CommandKind, TimeInForce
from tradewright.errors import ArgumentError

# A Python engine takes microseconds where the others take nanoseconds: it gets fewer operations.
OPERATIONS: Final = 3_000_000
OPERATIONS_PYTHON: Final = 200_000

OURS: Final = {
    "floor": "nothing: the driver alone",
    "ladder": "limit, IOC, cancel; dense array of levels",
    "book": "limit, IOC, cancel, FOK, post-only; any price",
    "engine": "balances, holds, fees, all checks, events",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An engine from a package registry."""

    name: str
    origin: str
    carries: str


PEERS: Final = (
    Peer(name="exchange-core-book", origin="Maven", carries="book and its events"),
    Peer(name="exchange-core-full", origin="Maven", carries="balances, holds, fees"),
    Peer(name="matchcore", origin="crates.io", carries="iceberg, stop, peg"),
    Peer(name="rust_ob", origin="crates.io", carries="decimals"),
    Peer(name="lobster", origin="crates.io", carries="limit, market, cancel"),
    Peer(name="orderbook-rs", origin="crates.io", carries="concurrent, iceberg, peg"),
    Peer(name="bourse", origin="PyPI", carries="Rust book under Python"),
    Peer(name="orderly_chaos", origin="PyPI", carries="Python"),
    Peer(name="lightmatchingengine", origin="PyPI", carries="Cython"),
    Peer(name="obook", origin="PyPI", carries="Rust book under Python, events"),
)


@dataclass(slots=True, kw_only=True)
class Row:
    """What an engine came to."""

    engine: str
    origin: str
    carries: str
    operations: int
    ns_per_op: float | None = None
    """CPU nanoseconds an operation over the last million, the median of the rounds."""
    x_ladder: float | None = None
    """The median of its ratios to the reference ladder of the same round."""
    is_right: bool | None = None
    """Whether fills, quantity and notional are the known ones."""
    skipped: str | None = None
    """Why it did not run."""
    rounds: list[float] = field(default_factory=list)


def peers(
    *,
    workload: Annotated[Workload, typer.Option(help="The shape of the market.")] = Workload.MIX60,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; medians are taken over them.")] = 3,
    only: Annotated[str | None, typer.Option(help="Names of peers, with commas between them (default: all).")] = None,
    sources: Annotated[Path, typer.Option(help="The folder of their drivers.")] = Path("benches/peers"),
    build: Annotated[Path, typer.Option(help="Where they are built; kept for the next time.")] = Path("target/peers"),
    core: Annotated[int | None, typer.Option(min=0, help="The core to run on (default: the last).")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Drive engines from package registries over the same operations as our book and engine, in one run.

    Each gets one call of its own interface for one operation, and each answer is compared. What cannot be built
    here is skipped, and its row says why.
    """
    built = build_info()
    expect_release(built)
    if workload in (Workload.GOOG, Workload.MANY, Workload.RESTING1M):
        raise ArgumentError("workload", value=workload.value, rule="must be one of the published workloads of one book")
    if not (sources / "rust" / "Cargo.toml").exists():
        raise ArgumentError("sources", value=str(sources), rule="must be benches/peers of the repository")
    wanted = _wanted(only)
    build.mkdir(parents=True, exist_ok=True)
    with Console(stderr=True).status("peers") as status, _on_core(core):
        status.update(f"{workload}: making the operations")
        tapes = {size: Bench(workload.value, size) for size in (OPERATIONS, OPERATIONS_PYTHON)}
        files = {size: build.resolve() / f"{workload}-{size}.bin" for size in tapes}
        for size, tape in tapes.items():
            operations_of(tape).tofile(files[size])
        rows = [
            Row(engine=name, origin="tradewright", carries=carries, operations=OPERATIONS)
            for name, carries in OURS.items()
        ]
        runs: dict[str, list[str]] = {}
        for peer in wanted:
            size = OPERATIONS_PYTHON if peer.origin == "PyPI" else OPERATIONS
            row = Row(engine=peer.name, origin=peer.origin, carries=peer.carries, operations=size)
            rows.append(row)
            status.update(f"building {peer.name}")
            try:
                runs[peer.name] = [*_command(peer, sources, build, built.target_cpu), str(files[size])]
            except _CannotError as error:
                row.skipped = str(error)
        for number in range(rounds):
            for row in rows:
                status.update(f"round {number + 1} of {rounds}: {row.engine}")
                run_round(row, tapes[row.operations], runs.get(row.engine))
    ladder = next(row for row in rows if row.engine == "ladder")
    for row in rows:
        if row.rounds and row.skipped is None:
            row.ns_per_op = median(row.rounds)
            row.x_ladder = median(ns / of_ladder for ns, of_ladder in zip(row.rounds, ladder.rounds, strict=False))
    _print(rows, workload, built.target_cpu, markdown=markdown, as_json=as_json)
    if any(row.is_right is False for row in rows):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _wanted(only: str | None) -> list[Peer]:
    known = {peer.name: peer for peer in PEERS}
    if only is None:
        return list(PEERS)
    names = [name.strip() for name in only.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ArgumentError("only", value=name, rule=f"must be of {', '.join(known)}")
    return [known[name] for name in names]


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """Bind this process, and with it those that it starts, to one core."""
    if not hasattr(os, "sched_setaffinity"):  # not on every system
        yield
        return
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed) if core is None else core
    if chosen not in allowed:
        raise ArgumentError("core", value=chosen, rule=f"must be of {sorted(allowed)}")
    os.sched_setaffinity(0, {chosen})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


OPERATION: Final = np.dtype(
    [("kind", "u1"), ("side", "u1"), ("zero", "<u2"), ("quantity", "<u4"), ("price", "<i8"), ("order", "<u8")]
)


def operations_of(tape: Bench) -> npt.NDArray[np.void]:
    """Return prefill and operations as the drivers read them."""
    commands = tape.commands(prevents=False)
    operations = np.zeros(len(commands), OPERATION)
    is_cancel = commands["kind"] == int(CommandKind.CANCEL_ORDER)
    is_immediate = commands["time_in_force"] == int(TimeInForce.IOC)
    operations["kind"] = np.where(is_cancel, 1, np.where(is_immediate, 2, 0))
    # What a cancel has there means nothing.
    operations["side"] = np.where(is_cancel, 0, commands["side"])
    operations["quantity"] = commands["quantity_lots"]
    operations["price"] = commands["price_ticks"]
    operations["order"] = commands["order_ref"]
    return operations


class _CannotError(Exception):
    """A peer cannot be built here."""


def _command(peer: Peer, sources: Path, build: Path, target_cpu: str) -> list[str]:
    """Build a peer, unless it is, and return what runs it."""
    if peer.origin == "crates.io":
        # The flags that this package was built with.
        flags = {} if target_cpu == "generic" else {"RUSTFLAGS": f"-C target-cpu={target_cpu}"}
        target = build.resolve() / "rust"
        _call(
            *("cargo", "build", "--release", "--locked", "--quiet"),
            *("--manifest-path", str(sources / "rust" / "Cargo.toml"), "--target-dir", str(target)),
            env=flags,
        )
        return [str(target / "release" / "tradewright-peers"), peer.name]
    if peer.origin == "Maven":
        return _java(sources / "java", build.resolve() / "java", peer.name.removeprefix("exchange-core-"))
    return [
        str(_interpreter(sources / "python", build.resolve() / "python")),
        str(sources / "python" / "peers.py"),
        peer.name,
    ]


def _java(sources: Path, build: Path, path: str) -> list[str]:
    libraries, classes = build / "lib", build / "classes"
    if not (libraries / "done").exists():
        _call(
            *("mvn", "--quiet", "--batch-mode", "-f", str(sources / "pom.xml")),
            *("dependency:copy-dependencies", f"-DoutputDirectory={libraries}"),
        )
        (libraries / "done").touch()
    classes.mkdir(parents=True, exist_ok=True)
    _call("javac", "-cp", f"{libraries}/*", "-d", str(classes), str(sources / "Peer.java"))
    heap = ("-XX:+UseSerialGC", "-Xms2g", "-Xmx2g")
    return ["java", *heap, "-cp", f"{classes}:{libraries}/*", "Peer", path]


def _interpreter(sources: Path, build: Path) -> Path:
    interpreter, done = build / "bin" / "python", build / "done"
    wanted = (sources / "requirements.txt").read_text(encoding="utf-8")
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(build, ignore_errors=True)
        _call(sys.executable, "-m", "venv", str(build))
        _call(
            *(str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(sources / "requirements.txt")),
        )
        done.write_text(wanted, encoding="utf-8")
    return interpreter


def _call(*command: str, env: dict[str, str] | None = None) -> str:
    """Run a program and return what it prints. What goes wrong is why the peer is skipped."""
    try:
        done = subprocess.run(  # noqa: S603 - the drivers of the repository
            command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise _CannotError(f"{command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise _CannotError(
            f"{Path(command[0]).name} ended with {done.returncode}: {told[-1] if told else 'without a word'}"
        )
    return done.stdout


def run_round(row: Row, tape: Bench, command: list[str] | None) -> None:
    """Add a round of an engine to its row."""
    if row.skipped is not None:
        return
    if command is None:
        ns, outcome = tape.round(row.engine)
        row.rounds.append(ns)
        if row.engine != "floor":
            _judge(row, tape.answer, outcome.fills, outcome.filled_quantity, outcome.notional)
        return
    try:
        _, ns_text, *sums = _call(*command).split()[-5:]
        row.rounds.append(float(ns_text))
        _judge(row, tape.answer, *map(int, sums))
    except _CannotError as error:
        row.skipped = str(error)
    except ValueError as error:
        row.skipped = f"says what is no figure: {error}"


def _judge(row: Row, answer: BenchOutcome, *sums: int) -> None:
    is_right = sums == (answer.fills, answer.filled_quantity, answer.notional)
    row.is_right = is_right and row.is_right is not False


def _print(rows: list[Row], workload: Workload, target_cpu: str, *, markdown: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps({"workload": workload.value, "target_cpu": target_cpu, "rows": [asdict(row) for row in rows]})
        )
        return
    heads = ("engine", "from", "ns an operation", "x ladder", "answer", "carries")
    cells = [(row.engine, row.origin, *_figures(row), row.carries) for row in rows]
    if markdown:
        for line in (heads, ("---",) * len(heads), *cells):
            typer.echo(f"| {' | '.join(line)} |")
        return
    table = Table(title=f"peers on {workload}, target-cpu {target_cpu}", title_justify="left")
    for head in heads:
        table.add_column(head, justify="right" if head in ("ns an operation", "x ladder") else "left")
    for line in cells:
        table.add_row(*line)
    Console().print(table)


def _figures(row: Row) -> tuple[str, str, str]:
    if row.ns_per_op is None or row.x_ladder is None:
        return "", "", f"skipped: {row.skipped}"
    answer = {True: "right", False: "WRONG", None: ""}[row.is_right]
    digits = 1 if row.ns_per_op < 1_000 else 0
    return f"{row.ns_per_op:,.{digits}f}", f"{row.x_ladder:.2f}", answer
