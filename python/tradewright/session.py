"""Who may send commands: sessions, and the keys that sign in."""

from __future__ import annotations

from dataclasses import dataclass

from tradewright.enums import KeyKind, KeyPermissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An opened session. Its commands are numbered from 1 without gaps, and one that is sent again is recognised."""

    number: int
    account: str | None
    """None is the venue's operators."""
    name: str
    last_client_sequence: int
    """The number of its last command that was applied; 0 before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that may be used. The exchange keeps it; who lets people in checks their signatures with it."""

    key_id: str
    account: str | None
    """None is an operator's."""
    kind: KeyKind
    permissions: KeyPermissions
    material: bytes
    """The public key, or the sealed secret."""
