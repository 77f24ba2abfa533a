"""`tradewright verify`, `prove`, `backup` and `restore`: what an operator does with a log on disk.

Exit codes: 0 when all is right, 3 when the log is missing or damaged, with file, byte and rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tradewright import _core
from tradewright.errors import ArgumentError, DataError

Folder = Annotated[Path, typer.Argument(help="The folder of the log.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

_KEY_DIGITS = 64


def register(app: typer.Typer) -> None:
    """Add the four commands."""
    app.command("verify")(verify)
    app.command("prove")(prove)
    app.command("backup")(backup)
    app.command("restore")(restore)


def verify(
    folder: Folder,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Do not replay: leave out checks and snapshots.")] = False,
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="The key that must have signed every head, in hexadecimal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute records, chain, tree and signed heads; replay the log and compare checks and snapshots."""
    key = None if public_key is None else _key(public_key)
    _print(_report(folder, lambda: _core.verify_log(folder, replays=not quick, public_key=key)), as_json=as_json)


def prove(
    folder: Folder,
    index: Annotated[int, typer.Argument(min=1, help="The index of the command.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Prove that a command is in the log, below a signed head of its tree (RFC 9162)."""
    _print(_report(folder, lambda: _core.prove_command(folder, index)), as_json=as_json)


def backup(
    folder: Folder,
    to: Annotated[Path, typer.Argument(help="An empty folder, or one that is not there yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a log, live or not, and verify the chain of the copy."""
    _print(_report(folder, lambda: _core.copy_log_folder(folder, to)), as_json=as_json)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    to: Annotated[Path, typer.Argument(help="The folder of the node: empty, or not there yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a backup to where a node is to start from it, and verify all of the copy by replaying it."""
    copied = _report(folder, lambda: _core.copy_log_folder(folder, to))
    verified = _report(to, lambda: _core.verify_log(to))
    _print({**verified, **copied}, as_json=as_json)


def _key(text: str) -> bytes:
    rule = f"must be {_KEY_DIGITS} hexadecimal digits"
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise ArgumentError("public-key", value=text, rule=rule) from error
    if 2 * len(key) != _KEY_DIGITS:
        raise ArgumentError("public-key", value=text, rule=rule)
    return key


def _report(folder: Path, make: Callable[[], str]) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(make())
    except (OSError, ValueError) as error:
        raise DataError(str(error), file=folder) from error
    return report


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report))
        return
    width = max(len(name) for name in report)
    for name, value in report.items():
        text = "\n".join(map(str, value)) if isinstance(value, list) else value
        text = json.dumps(value) if isinstance(value, dict) else str(text)
        typer.echo(f"{name:<{width}}  {text}".replace("\n", "\n" + " " * (width + 2)))
