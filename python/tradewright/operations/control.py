"""The control socket of a node, from the operator's side."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec

from tradewright.errors import ArgumentError, MachineError

if TYPE_CHECKING:
    from tradewright.commands import Records

SOCKET_NAME = "control.sock"


class StageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How long one stage of a node takes. Times in nanoseconds, known to 3 %."""

    stage: str
    count: int
    sum_ns: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A node at a moment. Positions and indices count from the beginning of the log."""

    pid: int
    shard: int
    epoch: int
    tier: str
    uptime_s: float
    replayed: int
    applied: int
    durable: int
    hashed: int
    engine_busy_share: float
    events_written: int
    events_released: int
    event_slots: int
    is_ready: bool
    stages: list[StageStatus]


class NodeControl:
    """A connection to the node whose folder is `directory`. Use it as a context manager, or close it.

    Raises:
        MachineError: no node runs there, or this user may not steer it.
    """

    def __init__(self, directory: str | Path, *, timeout_s: float = 10.0) -> None:
        self._path = Path(directory) / SOCKET_NAME
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self._socket.close()
            raise MachineError(f"{self._path}: no node answers: {error.strerror or error}") from error
        self._lines = self._socket.makefile("rb")

    def status(self) -> NodeStatus:
        """Return how the node is."""
        return msgspec.convert(self._ask({"do": "status"}), NodeStatus)

    def halt(self) -> int:
        """Stop matching on the whole venue, before anything that waits. Return the last index applied by then."""
        return self._done({"do": "halt"})

    def resume(self) -> int:
        """Let matching go on."""
        return self._done({"do": "resume"})

    def snapshot(self) -> int:
        """Ask for a snapshot; it is written while commands go on."""
        return self._done({"do": "snapshot"})

    def stop(self) -> int:
        """Stop the node in order."""
        return self._done({"do": "stop"})

    def command(self, records: Records) -> int:
        """Hand in one command of an operator, as `tradewright.commands` makes it. What became of it is an event."""
        return self._done({"do": "command", "records": records.tobytes().hex()})

    def close(self) -> None:
        """End the connection."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _done(self, request: dict[str, str]) -> int:
        return cast("int", self._ask(request)["applied"])

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        try:
            self._socket.sendall(msgspec.json.encode(request) + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise MachineError(f"{self._path}: the node does not answer: {error}") from error
        if not line:
            raise MachineError(f"{self._path}: the node closed the connection")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "error" in answer:
            raise ArgumentError("request", value=request["do"], rule=answer["error"])
        return answer
