"""Holds an engine against the reference exchange, and shrinks what makes them differ.

    report = run(MyEngine, seed=7, commands=20_000)

raises [`Difference`] on the first event that is not the same, with the shortest list of commands that still shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from itertools import zip_longest
from typing import Any, Protocol

import numpy.typing as npt

from tests.differential.coverage import Coverage
from tests.differential.generator import generate
from tests.differential.words import in_words
from tests.reference.codes import CommandKind, EventKind, OrderFlags
from tests.reference.event import Event, pack_events, unpack_events
from tests.reference.exchange import Exchange
from tests.reference.ledger import Place
from tests.reference.records import as_rows, deposit, patched, request_withdrawal

Balances = dict[Place, tuple[int, int]]
"""Available and held by (account, asset), where either is not zero."""


class Engine(Protocol):
    """What is judged."""

    def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
        """Apply a stream of whole commands (64-byte rows) and return their events (128-byte rows) in order."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class OpenOrder:
    """An open order as both sides must see it."""

    order_id: int
    account: int
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    open_lots: int


class Inspector(Protocol):
    """Looks into an engine between commands. Optional: without one only events are compared."""

    def balances(self, engine: Any) -> Balances: ...

    def open_orders(self, engine: Any) -> list[OpenOrder]: ...

    def check_invariants(self, engine: Any) -> None:
        """Raise if the engine finds itself inconsistent."""
        ...


EngineFactory = Callable[[], Engine]


class Difference(AssertionError):
    """The engine and the reference exchange do not agree."""

    def __init__(self, message: str, commands: list[bytes]) -> None:
        super().__init__(message)
        self.commands = commands
        """The shortest list of commands that was found to show it."""


@dataclass(slots=True)
class Report:
    """What was compared without a difference."""

    commands: int
    events: int = 0
    inspections: int = 0
    coverage: Coverage = field(default_factory=Coverage)


def run(
    engine_factory: EngineFactory,
    seed: int,
    commands: int | Sequence[bytes],
    *,
    inspector: Inspector | None = None,
    inspect_every: int = 500,
    batch: int = 1,
    shrink: bool = True,
) -> Report:
    """Run a stream through both and raise [`Difference`] at the first thing that is not the same.

    `commands` is the stream, or how many to generate from `seed`. `batch` commands go to the engine in one call. States
    are compared every `inspect_every` commands and at the end.
    """
    stream = generate(seed, commands) if isinstance(commands, int) else list(commands)
    comparison = Comparison(engine_factory, inspector, inspect_every, batch)
    problem = comparison.first_problem(stream)
    if problem is None:
        return comparison.report
    at, words = problem
    shortest = stream[: at + 1]
    if shrink:
        shortest, words = _shrunk(engine_factory, inspector, shortest, words)
    blotter = "\n".join(f"  {number:>4}  {in_words(command)}" for number, command in enumerate(shortest, 1))
    head = f"seed={seed}, command {at + 1} of {len(stream)}; {len(shortest)} commands show it:"
    raise Difference(f"{head}\n{blotter}\n{words}", shortest)


class Comparison:
    """One stream through both sides."""

    def __init__(
        self, engine_factory: EngineFactory, inspector: Inspector | None, inspect_every: int, batch: int = 1
    ) -> None:
        self._engine = engine_factory()
        self._reference = Exchange()
        self._inspector = inspector
        self._inspect_every = inspect_every
        self._batch = batch
        self.report = Report(0)

    def first_problem(self, stream: Sequence[bytes]) -> tuple[int, str] | None:
        """The number of the command at which the sides differ, and how; none when they agree to the end."""
        for start in range(0, len(stream), self._batch):
            commands = stream[start : start + self._batch]
            words = self._compare(commands)
            end = start + len(commands)
            due = end == len(stream) or end // self._inspect_every > start // self._inspect_every
            if words is None and due:
                words = self._inspect()
            if words is not None:
                return end - 1, words
        return None

    def _compare(self, commands: Sequence[bytes]) -> str | None:
        rows = as_rows(commands)
        if len(commands) == 1:
            expected = self._reference.apply_command(commands[0])
            self.report.coverage.add(commands[0], expected)
        else:
            expected = self._reference.apply(rows)
        self.report.commands += len(commands)
        self.report.events += len(expected)
        try:
            got = self._engine.apply(rows)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"the engine failed: {type(error).__name__}: {error}"
        if got.tobytes() == pack_events(expected).tobytes():
            return None
        return difference_in_words(expected, unpack_events(got))

    def _inspect(self) -> str | None:
        self._reference.check_invariants()
        if self._inspector is None:
            return None
        self.report.inspections += 1
        try:
            self._inspector.check_invariants(self._engine)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"the engine's invariants: {type(error).__name__}: {error}"
        balances = self._inspector.balances(self._engine)
        if balances != self._reference.balances():
            return _differing("balance", self._reference.balances(), balances)
        expected = {order.order_id: order for order in open_orders(self._reference)}
        got = {order.order_id: order for order in self._inspector.open_orders(self._engine)}
        return None if expected == got else _differing("open order", expected, got)


def open_orders(exchange: Exchange) -> list[OpenOrder]:
    """The reference's open orders, in the form they are compared in."""
    names = [field.name for field in fields(OpenOrder)]
    return [OpenOrder(*(int(getattr(order, name)) for name in names)) for order in exchange.open_orders()]


def difference_in_words(expected: list[Event], got: list[Event]) -> str:
    """The first event that differs, and the fields in which it does."""
    for number, (ours, theirs) in enumerate(zip_longest(expected, got)):
        if ours == theirs:
            continue
        lines = [f"event {number} differs"]
        if ours is None or theirs is None or ours.kind != theirs.kind:
            lines.append(f"  reference: {'nothing' if ours is None else ours.words()}")
            lines.append(f"  engine:    {'nothing' if theirs is None else theirs.words()}")
        else:
            lines[0] += f" ({ours.kind.name})"
            for name in (field.name for field in fields(Event)):
                if getattr(ours, name) != getattr(theirs, name):
                    lines.append(f"  {name}: reference {getattr(ours, name)!r}, engine {getattr(theirs, name)!r}")
            lines.append(f"  whole: {ours.words()}")
        return "\n".join(lines)
    return "bytes differ that no field names"


def _differing(what: str, expected: dict[Any, Any], got: dict[Any, Any]) -> str:
    keys = [key for key in sorted(expected.keys() | got.keys()) if expected.get(key) != got.get(key)]
    lines = [f"  {what} {key}: reference {expected.get(key)}, engine {got.get(key)}" for key in keys[:10]]
    return "\n".join([f"states differ in {len(keys)} places", *lines])


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what it made in the stream it came from."""

    command: bytes
    order_id: int | None
    withdrawal: int | None
    available: int | None
    """Of a deposit or withdrawal that passed: what the account had available afterwards."""


def _steps(commands: Sequence[bytes]) -> list[Step]:
    exchange = Exchange()
    steps = []
    for command in commands:
        events = exchange.apply_command(command)
        available = None
        if events and events[0].kind in (EventKind.DEPOSITED, EventKind.WITHDRAWAL_REQUESTED):
            available = exchange.venue.ledger.available[events[0].account, events[0].instrument]
        steps.append(Step(command, *_made(events), available))
    return steps


def _made(events: Sequence[Event]) -> tuple[int | None, int | None]:
    orders = [event.order_id for event in events if event.kind is EventKind.ORDER_ACCEPTED]
    withdrawals = [event.reference for event in events if event.kind is EventKind.WITHDRAWAL_REQUESTED]
    return next(iter(orders), None), next(iter(withdrawals), None)


def _commands(steps: Sequence[Step]) -> list[bytes]:
    """The commands of some of the steps.

    Ids shift when steps are missing, so references follow what they referred to. Balances shift too, so deposits and
    withdrawals bring them to where they were: otherwise an order at the edge of its funds would need the whole history.
    """
    exchange = Exchange()
    order_ids: dict[int | None, int | None] = {}
    withdrawals: dict[int | None, int | None] = {}
    commands = []
    for step in steps:
        command = step.command
        kind, reference = command[0], int.from_bytes(command[56:64], "little")
        if kind in _KINDS_ABOUT_AN_ORDER and not command[36] & OrderFlags.BY_CLIENT_ORDER_ID:
            command = _referring(command, order_ids.get(reference))
        elif kind in (CommandKind.CONFIRM_WITHDRAWAL, CommandKind.CANCEL_WITHDRAWAL):
            command = _referring(command, withdrawals.get(reference))
        elif step.available is not None:
            command = _levelled(exchange, command, step.available)
        order_id, withdrawal = _made(exchange.apply_command(command))
        order_ids[step.order_id], withdrawals[step.withdrawal] = order_id, withdrawal
        commands.append(command)
    return commands


_KINDS_ABOUT_AN_ORDER = (CommandKind.CANCEL_ORDER, CommandKind.AMEND_ORDER, CommandKind.REPLACE_ORDER)


def _referring(command: bytes, reference: int | None) -> bytes:
    return command if reference is None else patched(command, 56, reference.to_bytes(8, "little"))


def _levelled(exchange: Exchange, command: bytes, available: int) -> bytes:
    """The deposit or withdrawal after which the account has so much available."""
    account, asset = int.from_bytes(command[24:28], "little"), int.from_bytes(command[28:32], "little")
    time_ns = int.from_bytes(command[16:24], "little")
    missing = available - exchange.venue.ledger.available[account, asset]
    if missing > 0:
        return deposit(account, asset, missing, time_ns=time_ns)
    return request_withdrawal(account, asset, -missing, time_ns=time_ns)


SHRINK_COMMANDS_MAX = 3_000_000
"""How many commands shrinking may run in all: about two minutes."""


def _shrunk(
    engine_factory: EngineFactory, inspector: Inspector | None, commands: list[bytes], words: str
) -> tuple[list[bytes], str]:
    """Delta debugging: drop ever smaller runs of commands as long as a difference remains."""

    def problem(steps: Sequence[Step]) -> tuple[int, str] | None:
        # Inspected after every command once streams are short: a broken state shows long before an event does.
        every = 1 if len(steps) < 200 else 50
        return Comparison(engine_factory, inspector, every).first_problem(_commands(steps))

    steps = _steps(commands)
    found = problem(steps)
    if found is None:
        # It needs the batches of the first run; the stream is shown as it is.
        return commands, words
    steps, words = steps[: found[0] + 1], found[1]
    length = max(len(steps) // 2, 1)
    budget = SHRINK_COMMANDS_MAX
    while budget > 0:
        start, dropped = 0, False
        while start < len(steps) and budget > 0:
            budget -= len(steps)
            attempt = steps[:start] + steps[start + length :]
            found = problem(attempt) if attempt else None
            if found is None:
                start += length
            else:
                steps, words, dropped = attempt[: found[0] + 1], found[1], True
        if length > 1:
            length //= 2
        elif not dropped:
            break
    return _commands(steps), words
