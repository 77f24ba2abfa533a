"""`tradewright replay`: real recordings through the matching engine, judged row by row.

Exit codes: 0 when everything is right by the rules of the format, 1 when something is not, 3 when a file is damaged or
not what it should be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tradewright.cli.exit_codes import ExitCode
from tradewright.marketdata.importers import bitstamp, cme_mbo, itch_csv, lobster
from tradewright.marketdata.replay.bitstamp import COMPARE_FROM_S, replay_bitstamp
from tradewright.marketdata.replay.cme_mbo import replay_cme
from tradewright.marketdata.replay.engine import open_venue as open_engine_venue
from tradewright.marketdata.replay.itch import replay_itch
from tradewright.marketdata.replay.lobster import replay_lobster, replay_lobster_seeded
from tradewright.marketdata.replay.venue import (
    EventSource,
    RecordedInstrument,
    ReplayVenue,
    VenueFactory,
)
from tradewright.marketdata.replay.venue import Progress as ShowProgress

replay_app = typer.Typer(no_args_is_help=True, help="Replay real recordings through the matching engine.")


def register(app: typer.Typer) -> None:
    """Add the group `replay`."""
    app.add_typer(replay_app, name="replay")


venue_factory: VenueFactory = open_engine_venue
"""Opens the venue of a replay; the tests put another one here."""

Levels = Annotated[int | None, typer.Option("--levels", min=1, help="Compare this many levels (default: all).")]
Events = Annotated[Path | None, typer.Option("--events", help="Write the engine's events to this Parquet file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


class Report(Protocol):
    """What every replay returns: a frozen dataclass that knows whether all is right."""

    @property
    def is_right(self) -> bool:
        """Everything is right by the rules of the format."""
        ...


@replay_app.command("lobster")
def lobster_command(
    messages: Annotated[Path, typer.Argument(help="LOBSTER message file, plain or .zst.")],
    book: Annotated[Path | None, typer.Option("--book", help="Its order book file, compared row by row.")] = None,
    levels: Levels = None,
    seed_book: Annotated[Path | None, typer.Option("--seed-book", help="A deep book file; its row 1 seeds.")] = None,
    check_messages: Annotated[Path | None, typer.Option("--check-messages", help="Level-1 message file.")] = None,
    check_book: Annotated[Path | None, typer.Option("--check-book", help="Level-1 book file.")] = None,
    events: Events = None,
    as_json: AsJson = False,
) -> None:
    """Replay LOBSTER messages: with --book every row, with --seed-book the best bid and offer of the check files."""
    with _session("lobster", events) as (open_venue, show):
        if book is not None and not (seed_book or check_messages or check_book):
            report: Report = replay_lobster(
                lobster.read_messages(messages), lobster.read_book(book), open_venue, levels=levels, progress=show
            )
        elif book is None and seed_book and check_messages and check_book:
            report = replay_lobster_seeded(
                lobster.read_messages(messages),
                lobster.read_book(seed_book),
                lobster.read_messages(check_messages),
                lobster.read_book(check_book),
                open_venue,
                progress=show,
            )
        else:
            raise typer.BadParameter("give --book, or all of --seed-book, --check-messages and --check-book")
    _finish("lobster", report, as_json=as_json)


@replay_app.command("itch")
def itch_command(
    file: Annotated[Path, typer.Argument(help="ITCH book events as CSV, plain or .zst.")],
    levels: Levels = None,
    events: Events = None,
    as_json: AsJson = False,
) -> None:
    """Replay ITCH book events and compare the book after each."""
    with _session("itch", events) as (open_venue, show):
        report = replay_itch(itch_csv.read_events(file), open_venue, levels=levels, progress=show)
    _finish("itch", report, as_json=as_json)


@replay_app.command("bitstamp")
def bitstamp_command(
    file: Annotated[Path, typer.Argument(help="Bitstamp live order log, plain or .zst.")],
    compare_from_s: Annotated[
        int, typer.Option("--compare-from-s", min=0, help="Compare books from so many seconds after the first line.")
    ] = COMPARE_FROM_S,
    events: Events = None,
    as_json: AsJson = False,
) -> None:
    """Replay a Bitstamp order log: created orders trade where the engine says so."""
    with _session("bitstamp", events) as (open_venue, show):
        report = replay_bitstamp(bitstamp.read_log(file), open_venue, compare_from_s=compare_from_s, progress=show)
    _finish("bitstamp", report, as_json=as_json)


@replay_app.command("cme-mbo")
def cme_mbo_command(
    file: Annotated[Path, typer.Argument(help="CME market-by-order records as CSV, plain or .zst.")],
    events: Events = None,
    as_json: AsJson = False,
) -> None:
    """Replay CME market-by-order records from the opening on, and count fills out of order by kind."""
    with _session("cme-mbo", events) as (open_venue, show):
        report = replay_cme(cme_mbo.read_records(file), open_venue, progress=show)
    _finish("cme-mbo", report, as_json=as_json)


@contextmanager
def _session(name: str, events: Path | None) -> Iterator[tuple[VenueFactory, ShowProgress]]:
    """Open venues that are asked for their events at the end, show progress."""
    errors = Console(stderr=True)
    opened: list[ReplayVenue] = []

    def open_venue(instrument: RecordedInstrument) -> ReplayVenue:
        venue = venue_factory(instrument)
        if events is not None and not isinstance(venue, EventSource):
            raise typer.BadParameter("this venue keeps no events", param_hint="--events")
        opened.append(venue)
        return venue

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with bar:
        task = bar.add_task(name, total=None)
        yield open_venue, lambda done, total: bar.update(task, completed=done, total=total)
    for venue in opened:
        if events is not None and isinstance(venue, EventSource):
            count = venue.write_events(events)
            errors.print(f"{count} events written to {events}", markup=False, highlight=False, soft_wrap=True)


def _finish(name: str, report: Report, *, as_json: bool) -> None:
    fields: dict[str, Any] = asdict(report)  # type: ignore[call-overload]  # every report is a dataclass, which a Protocol cannot say
    if as_json:
        typer.echo(json.dumps(fields))
    else:
        _print_table(name, fields, is_right=report.is_right)
    if not report.is_right:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _print_table(name: str, fields: dict[str, Any], *, is_right: bool) -> None:
    table = Table(title=f"replay {name}: {'right' if is_right else 'WRONG'}", caption=fields.pop("conditions"))
    table.add_column("what")
    table.add_column("count", justify="right")
    for label, value in fields.items():
        if isinstance(value, dict):
            table.add_row(label, "", style="dim")
            for kind, count in value.items():
                table.add_row(f"  {kind}", f"{count:,}")
        elif isinstance(value, list):
            table.add_row(label, ", ".join(map(str, value[:10])) + (", ..." if len(value) > 10 else "") or "-")
        else:
            table.add_row(label, f"{value:,}")
    Console().print(table)
