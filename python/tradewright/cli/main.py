"""Entry point of the command `tradewright`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

import typer
from typer.core import TyperGroup

from tradewright.cli.exit_codes import ExitCode
from tradewright.errors import TradewrightError

# A new command group is a module in this package with `register(app)`, and its name here.
COMMAND_GROUPS = ("bench", "demo", "doctor", "drill", "keys", "log", "node", "replay")


class CommandGroup(Protocol):
    """What a module of this package offers."""

    def register(self, app: typer.Typer) -> None:
        """Add the group's commands to `app`."""


class _SentenceGroup(TyperGroup):
    """Ends an expected error with one sentence and its exit code. A bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - what a command returns is its own affair
        try:
            return super().invoke(ctx)
        except TradewrightError as error:
            typer.echo(f"tradewright: {error}", err=True)
            raise typer.Exit(ExitCode.of(error)) from error


def build_app() -> typer.Typer:
    """Return the whole command line, every group registered."""
    app = typer.Typer(
        name="tradewright",
        cls=_SentenceGroup,
        help="An exchange you can run, embed and trust.",
        epilog="Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in ExitCode),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    # A callback makes this a group of commands even while only one is registered.
    app.callback()(_root)
    for name in COMMAND_GROUPS:
        group = cast("CommandGroup", import_module(f"tradewright.cli.{name}"))
        group.register(app)
    return app


def main() -> None:
    """Run the command line on the arguments of the process."""
    build_app()()


def _root() -> None:
    pass


if __name__ == "__main__":
    main()
