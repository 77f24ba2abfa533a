"""`tradewright serve`, its replica, and what an operator does with them: status, top, halt, promote and others."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from tradewright.cli.exit_codes import ExitCode
from tradewright.errors import ConfigError, MachineError, TradewrightError
from tradewright.operations import NodeControl, NodeStatus, ReplicaControl, VenueStatus

RESTARTS_MAX: Final = 5
RESTART_WINDOW_S: Final = 60.0
RESTART_PAUSE_S: Final = 0.2

Directory = Annotated[Path, typer.Argument(help="The node's folder, as `directory` in its configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]


sessions_app = typer.Typer(no_args_is_help=True, help="See who is logged on to a node, and end connections.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("replica")(replica)
    app.command("promote")(promote)
    app.command("status")(status)
    app.command("top")(top)
    app.command("halt")(halt)
    app.command("resume")(resume)
    app.command("snapshot")(snapshot)
    app.command("stop")(stop)
    app.command("transfer")(transfer)
    app.add_typer(sessions_app, name="sessions")


def serve(
    file: Annotated[Path, typer.Argument(help="exchange.toml")],
    *,
    as_json: AsJson = False,
) -> None:
    """Run an exchange as a process, and start it again if it dies. SIGTERM stops it in order, SIGUSR1 halts it."""
    supervisor = _Supervisor(file, as_json=as_json)
    raise typer.Exit(supervisor.run())


def replica(
    file: Annotated[Path, typer.Argument(help="exchange.toml, the same as the node's")],
    *,
    as_json: AsJson = False,
) -> None:
    """Follow the log of a node on this machine, compare what comes out, and take over when promoted."""
    supervisor = _Supervisor(file, as_json=as_json, is_replica=True)
    raise typer.Exit(supervisor.run())


def promote(
    directory: Directory,
    *,
    force: Annotated[bool, typer.Option("--force", help="End a primary that is alive and writes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have the replica take over from a node that is dead, stopped, or stands still."""
    with ReplicaControl(directory) as follower:
        promotion = follower.promote(force=force)
    if as_json:
        typer.echo(msgspec.json.encode(promotion).decode())
    else:
        typer.echo(
            f"epoch {promotion.epoch} begins behind command {promotion.applied:,}, after {promotion.took_ms:,.0f} ms"
        )


def run_node(file: Path, *, is_replica: bool) -> None:
    """Be the node, or its replica: what `serve` and `replica` start as a process of its own."""
    from tradewright._core import serve_node, serve_replica

    def announce(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        (serve_replica if is_replica else serve_node)(file, announce)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise MachineError(str(error)) from error


class _Supervisor:
    """Keeps one node alive. A replica that ends is not started again: why it did must be looked at."""

    def __init__(self, file: Path, *, as_json: bool, is_replica: bool = False) -> None:
        self._file = file
        self._as_json = as_json
        self._is_replica = is_replica
        self._has_served = False
        self._node: subprocess.Popen[str] | None = None
        self._is_stopping = False

    def run(self) -> int:
        """Run until the node ends for good, and return its exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, self._pass_on)
        deaths: deque[float] = deque(maxlen=RESTARTS_MAX)
        while True:
            code = self._run_once()
            if self._is_stopping or code == ExitCode.OK or not self._has_served:
                return code
            deaths.append(time.monotonic())
            if len(deaths) == RESTARTS_MAX and deaths[-1] - deaths[0] < RESTART_WINDOW_S:
                typer.echo(f"tradewright: the node died {RESTARTS_MAX} times within a minute; giving up", err=True)
                return code
            typer.echo(f"tradewright: the node ended with {code}; starting it again", err=True)
            time.sleep(RESTART_PAUSE_S)

    def _run_once(self) -> int:
        command = [sys.executable, "-m", "tradewright.cli.node", str(self._file)]
        if self._is_replica:
            command.append("--replica")
        self._has_served = False
        # A group of its own: a Ctrl-C of the terminal reaches it once, through us.
        self._node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603 - this interpreter, on the user's file
        assert self._node.stdout is not None
        # On a thread, as the output may outlive the node: a snapshot is written by a child of its own.
        reader = threading.Thread(target=self._read, args=(self._node.stdout,), daemon=True)
        reader.start()
        code = self._node.wait()
        reader.join(timeout=1.0)
        return code

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._announce(line)

    def _announce(self, line: str) -> None:
        place = json.loads(line)
        # A replica that serves was promoted: should it die, it is started again as the node that it is.
        self._is_replica &= "replica" in place
        self._has_served = not self._is_replica
        if self._as_json:
            typer.echo(line.rstrip())
            return
        if self._is_replica:
            typer.echo(f"following {place['directory']} (process {place['pid']})")
            typer.echo(f"  control  {place['replica']}")
            return
        typer.echo(f"serving {place['directory']} (process {place['pid']}, {place['replayed']:,} commands replayed)")
        typer.echo(f"  control  {place['control']}")
        for shard in place.get("shards", [place]):
            typer.echo(f"  events   {shard['events']}")
            if shard["monitoring"]:
                typer.echo(f"  metrics  http://{shard['monitoring']}/metrics")

    def _pass_on(self, number: int, _frame: object) -> None:
        self._is_stopping |= number != signal.SIGUSR1
        if self._node is not None:
            with contextlib.suppress(ProcessLookupError):
                self._node.send_signal(number)


def status(
    directory: Directory,
    *,
    of_replica: Annotated[bool, typer.Option("--replica", help="Of the replica beside it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a node is."""
    if of_replica:
        with ReplicaControl(directory) as follower:
            found = follower.status()
        if as_json:
            typer.echo(msgspec.json.encode(found).decode())
            return
        typer.echo(
            f"replica {found.pid} {found.state}: applied {found.applied:,} of {found.durable:,}, "
            f"{found.checks:,} checks agreed, epoch {found.epoch}"
        )
        return
    with NodeControl(directory) as node:
        venue = node.venue()
    if as_json:
        # A node of one shard is what it was before there could be several.
        typer.echo(msgspec.json.encode(venue if len(venue.shards) > 1 else venue.shards[0]).decode())
    else:
        Console().print(_pictures(venue, None, 0.0))


def top(
    directory: Directory,
    *,
    every_s: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 0.5,
) -> None:
    """Watch a node: rates, latencies of its stages, fill of its rings. Ctrl-C ends it."""
    with NodeControl(directory) as node, Live(refresh_per_second=10) as live, contextlib.suppress(KeyboardInterrupt):
        before = node.venue()
        while True:
            time.sleep(every_s)
            now = node.venue()
            live.update(_pictures(now, before, every_s))
            before = now


def halt(directory: Directory) -> None:
    """Stop matching on the whole venue, before anything that waits."""
    with NodeControl(directory) as node:
        typer.echo(f"halted behind command {node.halt():,}")


def resume(directory: Directory) -> None:
    """Let matching go on."""
    with NodeControl(directory) as node:
        node.resume()
    typer.echo("resumed")


def snapshot(directory: Directory) -> None:
    """Have a snapshot written while commands go on."""
    with NodeControl(directory) as node:
        node.snapshot()
    typer.echo("a snapshot is being written")


def stop(directory: Directory) -> None:
    """Stop a node in order: it finishes what it has, writes a snapshot and closes its log."""
    with NodeControl(directory) as node:
        node.stop()
    typer.echo("stopping")


def transfer(
    directory: Directory,
    *,
    account: Annotated[str, typer.Option("--account", help="Whose money, by the name on both shards.")],
    asset: Annotated[str, typer.Option("--asset", help="Of which asset.")],
    amount: Annotated[str, typer.Option("--amount", help="How much, as a decimal number.")],
    from_shard: Annotated[int, typer.Option("--from-shard", help="The shard that it is on.")],
    to_shard: Annotated[int, typer.Option("--to-shard", help="The shard that it goes to.")],
    as_json: AsJson = False,
) -> None:
    """Send money of an account from one shard of a node to another."""
    with NodeControl(directory) as node:
        sent = node.transfer(asset, amount, account=account, from_shard=from_shard, to_shard=to_shard)
    if as_json:
        typer.echo(msgspec.json.encode(sent).decode())
        return
    state = "has arrived" if sent.arrived else "is under way"
    typer.echo(f"transfer {sent.number} from shard {from_shard} to shard {to_shard} {state}")


@sessions_app.command("list")
def list_sessions(directory: Directory, *, as_json: AsJson = False) -> None:
    """Show every session that was ever opened, connected or not."""
    with NodeControl(directory) as node:
        sessions = node.sessions()
    if as_json:
        typer.echo(msgspec.json.encode(sessions).decode())
        return
    table = Table()
    for column in ("session", "account", "name", "connected", "last sequence", "hears", "on disconnect"):
        table.add_column(column)
    for each in sessions:
        is_there, orders = "yes" if each.is_connected else "", "cancel" if each.cancels_on_disconnect else "keep"
        numbers = (str(each.session), str(each.account), each.name, is_there, f"{each.last_client_sequence:,}")
        table.add_row(*numbers, each.style, orders if each.is_connected else "")
    Console().print(table)


@sessions_app.command("end")
def end_session(
    directory: Directory,
    name: Annotated[str, typer.Argument(help="What the client calls its session.")],
    *,
    account: Annotated[int | None, typer.Option("--account", help="Of this account only.")] = None,
) -> None:
    """End the connections of the sessions of a name. Their orders go or stay as each was told at logon."""
    with NodeControl(directory) as node:
        ended = node.end_session(name, account=account)
    typer.echo(f"ended {ended} connection{'' if ended == 1 else 's'}")
    if ended == 0:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _pictures(now: VenueStatus, before: VenueStatus | None, seconds: float) -> Group:
    """Return every shard as a table, and what is under way between them as lines."""
    earlier: list[NodeStatus | None] = [None] * len(now.shards) if before is None else [*before.shards]
    tables = [_picture(shard, known, seconds) for shard, known in zip(now.shards, earlier, strict=True)]
    lines = [
        f"{each.transfers:,} transfers under way from shard {each.from_shard} to shard {each.to_shard}"
        + (f", the next one is refused there: {each.refused}" if each.refused else "")
        for each in now.transfers
    ]
    return Group(*tables, *lines)


def _picture(now: NodeStatus, before: NodeStatus | None, seconds: float) -> Group:
    """Return the node as tables; with an earlier look also the rates between the two."""
    table = Table(title=f"node {now.pid}, shard {now.shard}, epoch {now.epoch}, {now.tier}", title_justify="left")
    for column in ("stage", "count", "p50 us", "p90 us", "p99 us", "p99.9 us", "max us"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in now.stages:
        times = (stage.p50_ns, stage.p90_ns, stage.p99_ns, stage.p999_ns, stage.max_ns)
        table.add_row(stage.stage, f"{stage.count:,}", *(f"{value / 1e3:,.1f}" for value in times))
    waiting = now.events_written - now.events_released
    rate = "" if before is None else f"{(now.applied - before.applied) / seconds:,.0f} commands/s, "
    table.caption = (
        f"{rate}applied {now.applied:,}, durable {now.durable:,}, in the tree {now.hashed:,}, "
        f"events {now.events_released:,} ({waiting:,} wait of {now.event_slots:,}), busy {now.engine_busy_share:.0%}"
    )
    return Group(table, _rings(now), *_doors(now, before, seconds))


def _rings(now: NodeStatus) -> Table:
    """Return how full the rings are, and how far their readers lag."""
    table = Table(title="rings", title_justify="left")
    for column in ("ring", "waiting", "of", "full"):
        table.add_column(column, justify="left" if column == "ring" else "right")
    for ring in now.rings:
        table.add_row(ring.ring, f"{ring.waiting:,}", f"{ring.slots:,}", f"{ring.waiting / ring.slots:.0%}")
    for reader in now.readers:
        name = reader.reader if reader.process == now.pid else f"{reader.reader} ({reader.process})"
        lag = f"{reader.lag / now.event_slots:.0%}"
        table.add_row(f"events, read by {name}", f"{reader.lag:,}", f"{now.event_slots:,}", lag)
    return table


def _doors(now: NodeStatus, before: NodeStatus | None, seconds: float) -> Iterator[str]:
    """Yield a line about sessions and one about market data, where there are any."""
    if now.sessions is not None:
        here = now.sessions
        yield f"sessions: {here.connected:,} connected of {here.opened:,}, {here.connections:,} connections"
    if now.feed is not None:
        feed = now.feed
        rate = ""
        if before is not None and before.feed is not None:
            rate = f"{(feed.next_sequence - before.feed.next_sequence) / seconds:,.0f} messages/s, "
        yield (
            f"feed {feed.channel}: {rate}next {feed.next_sequence:,}, behind command {feed.index:,}, "
            f"{feed.clients:,} clients, {feed.overruns:,} overruns, {feed.resets:,} resets, "
            f"{feed.datagrams_lost:,} datagrams lost"
        )


if __name__ == "__main__":
    try:
        run_node(Path(sys.argv[1]), is_replica="--replica" in sys.argv[2:])
    except TradewrightError as error:
        sys.stderr.write(f"tradewright: {error}\n")
        sys.exit(ExitCode.of(error))
