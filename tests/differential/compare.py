"""Holds an engine against the reference exchange and the auditor, and shrinks what makes them differ.

    report = run(MyEngine, seed=7, commands=20_000)

raises [`Difference`] on the first event that is not the same, with the shortest list of commands that still shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice, zip_longest
from typing import Any, Protocol

import numpy.typing as npt

from tests.differential.coverage import Coverage
from tests.differential.generator import Generator
from tests.differential.words import in_words
from tests.reference.auditor import AuditError, Auditor
from tests.reference.codes import CommandKind, EventKind, OrderFlags, Side
from tests.reference.decoding import read_header
from tests.reference.event import Event, pack_events, unpack_events
from tests.reference.exchange import Exchange
from tests.reference.instruments import Units
from tests.reference.ledger import Place
from tests.reference.records import RECORD_BYTES, as_rows, deposit, patched, request_withdrawal, with_header
from tests.reference.sessions import numbered_by

Balances = dict[Place, tuple[int, int]]
"""Available and held by (account, asset), where either is not zero."""


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
    prevented_lots: int
    hold: int
    trigger_price_ticks: int | None
    """None unless it waits for its trigger."""
    expire_time_ns: int | None
    displayed_lots: int
    session: int
    list_id: int | None
    """The list that ties it to others."""
    is_pending: bool
    """Whether it waits for another order of its list."""


class Engine(Protocol):
    """What is judged."""

    def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
        """Apply a stream of whole commands (64-byte rows) and return their events (128-byte rows) in order."""
        ...

    def balances(self) -> Balances: ...

    def open_orders(self) -> list[OpenOrder]: ...

    def lists(self) -> dict[int, list[int]]:
        """The orders that each list ties together, by id."""
        ...

    def queue(self, instrument: int, side: Side) -> list[int]:
        """The ids of one side's orders in the order in which they would trade."""
        ...

    def check_invariants(self) -> None:
        """Raise if the engine finds itself inconsistent."""
        ...


EngineFactory = Callable[[], Engine]
Step = tuple[bytes, list[Event]]
"""A command and what the reference exchange answers."""


class Difference(AssertionError):
    """The engine and the reference exchange do not agree."""

    def __init__(self, message: str, commands: list[bytes]) -> None:
        super().__init__(message)
        self.commands = commands
        """The shortest list of commands that was found to show it."""


@dataclass(slots=True)
class Report:
    """What was compared without a difference."""

    commands: int = 0
    events: int = 0
    inspections: int = 0
    coverage: Coverage = field(default_factory=Coverage)

    def merge(self, other: Report) -> None:
        self.commands += other.commands
        self.events += other.events
        self.inspections += other.inspections
        self.coverage.merge(other.coverage)


def run(
    engine_factory: EngineFactory,
    seed: int,
    commands: int | Sequence[bytes],
    *,
    inspect_every: int = 500,
    batch: int = 1,
    shrink: bool = True,
) -> Report:
    """Run a stream through both and raise [`Difference`] at the first thing that is not the same.

    `commands` is the stream, or how many to generate from `seed`. `batch` commands go to the engine in one call. States
    are compared every `inspect_every` commands and at the end.
    """
    if isinstance(commands, int):
        # The generator watches a reference exchange of its own anyway.
        generator = Generator(seed)
        exchange, steps = generator.exchange, generator.steps(commands)
    else:
        exchange = Exchange()
        steps = _steps_of(exchange, commands)
    comparison = Comparison(engine_factory, exchange, inspect_every, batch)
    words = comparison.first_problem(steps)
    if words is None:
        return comparison.report
    found_at = len(comparison.seen)
    shortest = comparison.seen
    if shrink:
        shortest, words = _shrunk(engine_factory, shortest, words)
    blotter = "\n".join(f"  {number:>4}  {in_words(command)}" for number, command in enumerate(shortest, 1))
    head = f"seed={seed}, command {found_at}; {len(shortest)} commands show it:"
    raise Difference(f"{head}\n{blotter}\n{words}", shortest)


def _steps_of(exchange: Exchange, commands: Iterable[bytes]) -> Iterator[Step]:
    return ((command, exchange.apply_command(command)) for command in commands)


class Comparison:
    """One stream through both sides."""

    def __init__(
        self, engine_factory: EngineFactory, exchange: Exchange, inspect_every: int = 1, batch: int = 1
    ) -> None:
        self._engine = engine_factory()
        self._exchange = exchange
        self._units: dict[int, Units] = {}
        self._auditor = Auditor(self._units)
        self._inspect_every = inspect_every
        self._batch = batch
        self.seen: list[bytes] = []
        """The commands so far."""
        self.report = Report()

    def first_problem(self, steps: Iterator[Step]) -> str | None:
        """How the sides differ after the last command that was seen; none when they agree to the end."""
        while batch := list(_batch(steps, self._batch)):
            before = len(self.seen)
            self.seen += [command for command, _ in batch]
            words = self._compare(batch)
            if words is None and len(self.seen) // self._inspect_every > before // self._inspect_every:
                words = self._inspect()
            if words is not None:
                return words
        return self._inspect()

    def _compare(self, batch: list[Step]) -> str | None:
        expected = [event for _, events in batch for event in events]
        for command, events in batch:
            self.report.coverage.add(command, events)
        self.report.commands += len(batch)
        self.report.events += len(expected)
        try:
            got = self._engine.apply(as_rows(command for command, _ in batch))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic is not an Exception, and it is what is looked for
            return f"the engine failed: {type(error).__name__}: {error}"
        if got.tobytes() != pack_events(expected).tobytes():
            return difference_in_words(expected, unpack_events(got))
        for instrument in self._exchange.venue.instruments[len(self._units) :]:
            self._units[instrument.id] = instrument.units
        try:
            self._auditor.audit(expected)
        except AuditError as error:
            return f"the auditor: {error}"
        return None

    def _inspect(self) -> str | None:
        """Compare the states."""
        self.report.inspections += 1
        exchange, engine = self._exchange, self._engine
        exchange.check_invariants()
        try:
            engine.check_invariants()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            return f"the engine's invariants: {type(error).__name__}: {error}"
        try:
            self._auditor.finish()
        except AuditError as error:
            return f"the auditor: {error}"
        sides = [(instrument.id, side) for instrument in exchange.venue.instruments for side in Side]
        orders, engines = open_orders(exchange), engine.open_orders()
        ids = [order.order_id for order in orders]
        pairs: list[tuple[str, dict[Any, Any], dict[Any, Any]]] = [
            ("balance", exchange.balances(), engine.balances()),
            ("audited balance", exchange.balances(), self._auditor.balances()),
            ("open order", _by_id(orders), _by_id(engines)),
            ("audited open orders", {"ids": ids}, {"ids": self._auditor.open_orders()}),
            ("list", lists(exchange), engine.lists()),
            (
                "queue",
                {
                    place: [order.order_id for order in exchange.venue.instruments[place[0]].book.displayed(place[1])]
                    for place in sides
                },
                {place: engine.queue(*place) for place in sides},
            ),
        ]
        return next((_differing(what, ours, theirs) for what, ours, theirs in pairs if ours != theirs), None)


def _batch(steps: Iterator[Step], size: int) -> Iterator[Step]:
    """The next commands that may go in one call: one that claims too many records would swallow those behind it."""
    for command, events in islice(steps, size):
        yield command, events
        if int.from_bytes(command[2:4], "little") * RECORD_BYTES > len(command):
            return


def open_orders(exchange: Exchange) -> list[OpenOrder]:
    """The reference's open orders, in the form they are compared in."""
    return [
        OpenOrder(
            order.order_id,
            order.account,
            order.instrument,
            order.side,
            order.price_ticks,
            order.quantity_lots,
            order.open_lots,
            order.prevented_lots,
            order.hold(exchange.venue.instruments[order.instrument].units),
            None if order.approvers_needed else order.trigger_ticks,
            order.conditions.expire_time_ns or None,
            order.seen_lots,
            order.session,
            None if order.in_list is None else order.in_list.list_id,
            order.pending,
        )
        for order in exchange.open_orders()
    ]


def lists(exchange: Exchange) -> dict[int, list[int]]:
    """The reference's lists, in the form they are compared in."""
    return {each.list_id: [leg.order_id for leg in each.legs] for each in exchange.venue.lists}


def _by_id(orders: Iterable[OpenOrder]) -> dict[int, OpenOrder]:
    return {order.order_id: order for order in orders}


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
            both = [(field.name, getattr(ours, field.name), getattr(theirs, field.name)) for field in fields(Event)]
            lines += [f"  {name}: reference {mine!r}, engine {other!r}" for name, mine, other in both if mine != other]
            lines.append(f"  whole: {ours.words()}")
        return "\n".join(lines)
    return "bytes differ that no field names"


def _differing(what: str, expected: dict[Any, Any], got: dict[Any, Any]) -> str:
    keys = [key for key in sorted(expected.keys() | got.keys(), key=str) if expected.get(key) != got.get(key)]
    lines = [f"  {what} {key}: reference {expected.get(key)}, engine {got.get(key)}" for key in keys[:10]]
    return "\n".join([f"states differ in {len(keys)} places", *lines])


@dataclass(frozen=True, slots=True)
class Made:
    """A command, and what it made in the stream it came from."""

    command: bytes
    order_ids: list[int]
    list_id: int | None
    withdrawal: int | None
    available: int | None
    """Of a deposit or withdrawal that passed: what the account had available afterwards."""
    ahead: int | None
    """Of a command that its session numbered: how far it was ahead of the session's last one."""


def _what_was_made(commands: Sequence[bytes]) -> list[Made]:
    exchange = Exchange()
    steps = []
    for command in commands:
        header = read_header(command)
        session = numbered_by(exchange.venue, header)
        ahead = None if session is None else header.client_sequence - len(session.answers)
        events = exchange.apply_command(command)
        available = None
        # Events of timers may stand in front.
        if events and events[-1].kind in (EventKind.DEPOSITED, EventKind.WITHDRAWAL_REQUESTED):
            available = exchange.venue.ledger.available[events[-1].account, events[-1].instrument]
        steps.append(Made(command, *_made(events), available, ahead))
    return steps


def _made(events: Sequence[Event]) -> tuple[list[int], int | None, int | None]:
    orders = [event.order_id for event in events if event.kind is EventKind.ORDER_ACCEPTED]
    lists = [event.reference for event in events if event.kind is EventKind.LIST_ACCEPTED]
    withdrawals = [event.reference for event in events if event.kind is EventKind.WITHDRAWAL_REQUESTED]
    return orders, next(iter(lists), None), next(iter(withdrawals), None)


def _commands(steps: Sequence[Made]) -> list[bytes]:
    """The commands of some of the steps.

    Ids shift when steps are missing, so references follow what they referred to, and so do the numbers of sessions.
    Balances shift too, so deposits and withdrawals bring them to where they were: otherwise an order at the edge of its
    funds would need the whole history.
    """
    exchange = Exchange()
    order_ids: dict[int, int] = {}
    list_ids: dict[int | None, int | None] = {}
    withdrawals: dict[int | None, int | None] = {}
    commands = []
    for step in steps:
        command = step.command
        kind, reference = command[0], int.from_bytes(command[56:64], "little")
        if kind in _KINDS_ABOUT_AN_ORDER and not command[36] & OrderFlags.BY_CLIENT_ORDER_ID:
            command = _referring(command, order_ids.get(reference))
            command = _signed(exchange, command)
        elif kind == CommandKind.CANCEL_LIST and not command[36] & OrderFlags.BY_CLIENT_ORDER_ID:
            command = _referring(command, list_ids.get(reference))
        elif kind in (CommandKind.CONFIRM_WITHDRAWAL, CommandKind.CANCEL_WITHDRAWAL):
            command = _referring(command, withdrawals.get(reference))
        elif step.available is not None:
            command = _levelled(exchange, command, step.available)
        command = _numbered(exchange, command, step.ahead)
        orders, list_id, withdrawal = _made(exchange.apply_command(command))
        order_ids |= dict(zip(step.order_ids, orders, strict=False))
        list_ids[step.list_id], withdrawals[step.withdrawal] = list_id, withdrawal
        commands.append(command)
    return commands


_KINDS_ABOUT_AN_ORDER = (
    CommandKind.CANCEL_ORDER,
    CommandKind.AMEND_ORDER,
    CommandKind.REPLACE_ORDER,
    CommandKind.APPROVE_ORDER,
    CommandKind.DECLINE_ORDER,
)


def _referring(command: bytes, reference: int | None) -> bytes:
    return command if reference is None else patched(command, 56, reference.to_bytes(8, "little"))


def _signed(exchange: Exchange, command: bytes) -> bytes:
    """An approval of whatever order it names now: the hash is that of the order's id too."""
    order_id = int.from_bytes(command[56:64], "little")
    order = next((order for order in exchange.venue.unapproved if order.order_id == order_id), None)
    is_approval = command[0] == CommandKind.APPROVE_ORDER and len(command) == 2 * RECORD_BYTES
    return patched(command, 72, order.approval_hash) if is_approval and order is not None else command


def _numbered(exchange: Exchange, command: bytes, ahead: int | None) -> bytes:
    """The command with the number that is as far ahead of its session's last one."""
    session = None if ahead is None else numbered_by(exchange.venue, read_header(command))
    if session is None or ahead is None:
        return command
    return with_header(command, client_sequence=max(len(session.answers) + ahead, 1))


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


def _shrunk(engine_factory: EngineFactory, commands: list[bytes], words: str) -> tuple[list[bytes], str]:
    """Shrink as long as it helps: what is left has ids of its own, by which more of it can go."""
    while True:
        shorter, words = _shrunk_once(engine_factory, commands, words)
        if len(shorter) >= len(commands):
            return shorter, words
        commands = shorter


def _shrunk_once(engine_factory: EngineFactory, commands: list[bytes], words: str) -> tuple[list[bytes], str]:
    """Delta debugging: drop ever smaller runs of commands as long as a difference remains."""

    def problem(steps: Sequence[Made]) -> tuple[int, str] | None:
        # Inspected after every command once streams are short: a broken state shows long before an event does.
        exchange = Exchange()
        comparison = Comparison(engine_factory, exchange, 1 if len(steps) < 200 else 50)
        words = comparison.first_problem(_steps_of(exchange, _commands(steps)))
        return None if words is None else (len(comparison.seen), words)

    steps = _what_was_made(commands)
    found = problem(steps)
    if found is None:
        # It needs the batches of the first run; the stream is shown as it is.
        return commands, words
    steps, words = steps[: found[0]], found[1]
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
                steps, words, dropped = attempt[: found[0]], found[1], True
        if length > 1:
            length //= 2
        elif not dropped:
            break
    return _commands(steps), words
