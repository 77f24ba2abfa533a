"""`tradewright keys`: master keys, and secrets for HMAC that are sealed by them.

A secret is shown once, when it is made; what is kept of it opens by the master key alone.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from tradewright import _core
from tradewright.errors import ArgumentError, MachineError

MASTER_KEY_VARIABLE = "TRADEWRIGHT_MASTER_KEY"
MASTER_KEY_DIGITS = 64
OWNER_ONLY = 0o600

keys_app = typer.Typer(no_args_is_help=True, help="Make master keys, and secrets for HMAC that are sealed by them.")


def register(app: typer.Typer) -> None:
    """Add the group `keys`."""
    app.add_typer(keys_app, name="keys")


@keys_app.command("master")
def master(file: Annotated[Path, typer.Argument(help="The file to make. There must be none.")]) -> None:
    """Make a master key in a file that only its owner may read."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise MachineError(f"{file}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        made.write(secrets.token_hex(MASTER_KEY_DIGITS // 2) + "\n")
    typer.echo(f"{file}: name it as session.master_key in the configuration")


@keys_app.command("seal")
def seal(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key: what clients send as Username.")],
    *,
    master_file: Annotated[
        Path | None,
        typer.Option("--master", help=f"The file of the master key; else the variable {MASTER_KEY_VARIABLE}."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Draw a secret, show it once, and print it sealed."""
    secret = secrets.token_hex(32)
    sealed = bytes(_core.seal_secret(_master_key(master_file), key_id, secret.encode())).hex()
    if as_json:
        typer.echo(json.dumps({"id": key_id, "secret": secret, "sealed": sealed}))
    else:
        typer.echo(f"secret (for the client; it is not shown again): {secret}")
        typer.echo(f'[[genesis.key]]\nid = "{key_id}"\nsealed = "{sealed}"')


def _master_key(file: Path | None) -> bytes:
    if file is None:
        place, text = MASTER_KEY_VARIABLE, os.environ.get(MASTER_KEY_VARIABLE, "")
    else:
        place = str(file)
        try:
            if file.stat().st_mode & 0o077:
                raise MachineError(f"{file}: must be a file that only its owner may read (mode 0600)")
            text = file.read_text(encoding="ascii")
        except OSError as error:
            raise MachineError(f"{file}: {error.strerror}") from error
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_DIGITS // 2:
        raise ArgumentError("master", value=place, rule=f"must hold {MASTER_KEY_DIGITS} hexadecimal digits")
    return key
