"""The control socket of a node, from the operator's side."""

from __future__ import annotations

import socket
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec

from tradewright.errors import ArgumentError, MachineError

if TYPE_CHECKING:
    from tradewright.commands import Records

SOCKET_NAME = "control.sock"
REPLICA_SOCKET_NAME = "replica.sock"


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


class RingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A ring within a node: how many of its slots are taken.

    `sessions` and `operators` are commands that wait for the sequencer, `log` is records that wait for the disk, and
    `marks` are rounds that wait for the gate.
    """

    ring: str
    slots: int
    waiting: int


class ReaderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A reader of the ring of events that shows itself, and how many released events it has not read."""

    reader: str
    process: int
    lag: int


class SessionsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the doors: sessions ever opened, those that have a connection, and connections, logged on or not."""

    opened: int
    connected: int
    connections: int


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Market data: the sequence of the next message, the last command it knows, and what went wrong how often."""

    channel: int
    next_sequence: int
    index: int
    overruns: int
    resets: int
    datagrams_lost: int
    clients: int


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A node at a moment. Positions and indices count from the beginning of the log.

    `sessions` is None where no door is open, `feed` where there is no market data.
    """

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
    rings: list[RingStatus]
    readers: list[ReaderStatus]
    sessions: SessionsStatus | None
    feed: FeedStatus | None


class TransfersUnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers that were sent from one shard of a node to another and have not arrived.

    `refused` is why the next one is refused there, if it is: it is brought again until that is mended.
    """

    from_shard: int
    to_shard: int
    transfers: int
    refused: str | None


class VenueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The shards of a node at a moment, and what is under way between them."""

    shards: list[NodeStatus]
    transfers: list[TransfersUnderWay] = []


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer between shards: the number that it got, and whether it had arrived when the node answered."""

    number: int
    arrived: bool


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A session for order entry at a moment. `style` is how it hears: `full`, `acks`, or `raw`."""

    session: int
    account: int
    name: str
    is_connected: bool
    last_client_sequence: int
    style: str
    cancels_on_disconnect: bool


class ReplicaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A replica at a moment. `state` is `waits` (for a log), `follows`, or `promoted`; a check that differs ends it."""

    pid: int
    state: str
    epoch: int
    began_behind: int
    applied: int
    durable: int
    lag: int
    checks: int


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion did: the epoch that has begun, the last command before it, how long it took."""

    epoch: int
    applied: int
    took_ms: float


class _Control:
    """A connection to a socket that answers each line with one."""

    def __init__(self, path: Path, who: str, timeout_s: float) -> None:
        self._path = path
        self._who = who
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self._socket.close()
            raise MachineError(f"{self._path}: no {who} answers: {error.strerror or error}") from error
        self._lines = self._socket.makefile("rb")

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

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            self._socket.sendall(msgspec.json.encode(request) + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise MachineError(f"{self._path}: the {self._who} does not answer: {error}") from error
        if not line:
            raise MachineError(f"{self._path}: the {self._who} closed the connection")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "error" in answer:
            raise ArgumentError("request", value=request["do"], rule=answer["error"])
        return answer


class NodeControl(_Control):
    """A connection to the node whose folder is `directory`. Use it as a context manager, or close it.

    The folder of a node of several shards stands for all of them: `venue`, `halt`, `resume`, `snapshot`, `stop` and
    `transfer`. One of them is reached in its own folder, `shard-N`.

    Raises:
        MachineError: no node runs there, or this user may not steer it.
    """

    def __init__(self, directory: str | Path, *, timeout_s: float = 10.0) -> None:
        super().__init__(Path(directory) / SOCKET_NAME, "node", timeout_s)

    def status(self) -> NodeStatus:
        """Return how the node is.

        Raises:
            ArgumentError: it has several shards.
        """
        answer = self._ask({"do": "status"})
        if "shards" in answer:
            rule = "has several shards: ask `venue`, or take the folder of one, `shard-N`"
            raise ArgumentError("directory", value=str(self._path.parent), rule=rule)
        return msgspec.convert(answer, NodeStatus)

    def venue(self) -> VenueStatus:
        """Return how the shards of the node are; a node that is not several is one."""
        answer = self._ask({"do": "status"})
        return msgspec.convert(answer if "shards" in answer else {"shards": [answer]}, VenueStatus)

    def transfer(self, asset: str, amount: Decimal | str, *, account: str, from_shard: int, to_shard: int) -> Sent:
        """Send money of an account from one shard to another, and wait up to some seconds until it has arrived.

        Raises:
            ArgumentError: the shard refuses it, there is no such shard, or the two do not know account and asset by the
                same numbers.
        """
        about = {"account": account, "asset": asset, "amount": f"{Decimal(amount):f}"}
        request = {"do": "transfer", **about, "from_shard": from_shard, "to_shard": to_shard}
        return msgspec.convert(self._ask(request), Sent)

    def halt(self) -> int:
        """Stop matching on the whole venue, before anything that waits.

        Return the last index applied by then; of several shards the highest.
        """
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

    def sessions(self) -> list[SessionStatus]:
        """Return every session that was ever opened, connected or not."""
        return msgspec.convert(self._ask({"do": "sessions"})["sessions"], list[SessionStatus])

    def end_session(self, name: str, *, account: int | None = None) -> int:
        """End the connections of the sessions of this name, of one account if it is given. Return how many that were.

        A client may log on again: to keep it out, revoke its key.
        """
        return cast("int", self._ask({"do": "end-session", "name": name, "account": account})["ended"])

    def command(self, records: Records) -> int:
        """Hand in one command of an operator, as `tradewright.commands` makes it. What became of it is an event."""
        return self._done({"do": "command", "records": records.tobytes().hex()})

    def _done(self, request: dict[str, Any]) -> int:
        answer = self._ask(request)
        each = answer.get("shards", [answer])
        return max(cast("int", one["applied"]) for one in each)


class ReplicaControl(_Control):
    """A connection to the replica beside the node whose folder is `directory`. A context manager, as `NodeControl`.

    Raises:
        MachineError: no replica runs there, or this user may not steer it.
    """

    def __init__(self, directory: str | Path, *, timeout_s: float = 30.0) -> None:
        super().__init__(Path(directory) / REPLICA_SOCKET_NAME, "replica", timeout_s)

    def status(self) -> ReplicaStatus:
        """Return how the replica is."""
        return msgspec.convert(self._ask({"do": "status"}), ReplicaStatus)

    def promote(self, *, force: bool = False) -> Promotion:
        """Have it take over. A primary that writes is left alone and the request refused, unless `force` is set."""
        return msgspec.convert(self._ask({"do": "promote", "force": force}), Promotion)

    def stop(self) -> None:
        """Stop the replica."""
        self._ask({"do": "stop"})
