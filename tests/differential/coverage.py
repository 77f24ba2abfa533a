"""What a stream has reached: commands, reject reasons, events, close reasons, prevention modes, and rarer turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.reference.codes import (
    CloseReason,
    CommandKind,
    EventFlags,
    EventKind,
    OrderFlags,
    Prevention,
    TimeInForce,
    known,
)
from tests.reference.event import Event
from tests.reference.reject import RejectReason

TURNS = (
    "amend keeps its place",
    "amend comes in again",
    "amended order takes",
    "by amount traded",
    "by amount spent to the last quantum",
    "client order id as text",
    "fill or kill filled",
    "maker rebate paid",
    "quantity above 2^39 traded",
    "replaced by one on another instrument",
    "taker rebate paid",
    "taker rebate paid by amount",
    "transfer between accounts",
    "transfer within an account decided as decrement",
)


class Coverage:
    """Counts by (topic, name)."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        for topic, names in _everything():
            for name in names:
                self.counts[topic, name] = 0

    def add(self, command: bytes, events: Iterable[Event]) -> None:
        """Count a command and what came of it."""
        kind = command[0]
        self._count("command", CommandKind(kind).name if known(CommandKind, kind) and kind < 128 else "not a command")
        accepted: Event | None = None
        replaced: Event | None = None
        amended = 0
        for event in events:
            self._count("event", event.kind.name)
            match event.kind:
                case EventKind.REJECTED:
                    self._count("reject", RejectReason(event.reason).name)
                case EventKind.ORDER_ACCEPTED:
                    accepted = event
                    if replaced is not None and replaced.instrument != event.instrument:
                        self._turn("replaced by one on another instrument")
                case EventKind.ORDER_AMENDED:
                    kept = event.has(EventFlags.KEPT_PRIORITY)
                    self._turn("amend keeps its place" if kept else "amend comes in again")
                    amended = event.order_id
                case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED:
                    self._count("close", CloseReason(event.reason).name)
                    if event.reason == CloseReason.REPLACED:
                        replaced = event
                case EventKind.MATCH_PREVENTED:
                    self._add_prevented(event, accepted)
                case EventKind.TRADE:
                    self._add_trade(event, accepted, amended)
                case EventKind.CLIENT_ORDER_ID_TEXT:
                    self._turn("client order id as text")
                case _:
                    pass

    def _add_prevented(self, event: Event, accepted: Event | None) -> None:
        mode = Prevention(event.self_trade_prevention)
        self._count("prevention", mode.name)
        if mode is Prevention.TRANSFER:
            self._turn("transfer between accounts")
        asked = accepted is not None and accepted.self_trade_prevention == Prevention.TRANSFER
        if asked and mode is Prevention.DECREMENT and event.account == event.counter_account:
            self._turn("transfer within an account decided as decrement")

    def _add_trade(self, event: Event, accepted: Event | None, amended: int) -> None:
        if event.counter_amount < 0:
            self._turn("maker rebate paid")
        if event.amount < 0:
            self._turn("taker rebate paid")
        if event.quantity_lots > 2**39:
            self._turn("quantity above 2^39 traded")
        if event.order_id == amended:
            self._turn("amended order takes")
        if accepted is None or accepted.order_id != event.order_id:
            return
        if accepted.order_flags & OrderFlags.QUOTE_AMOUNT:
            self._turn("by amount traded")
            if event.amount < 0:
                self._turn("taker rebate paid by amount")
            if event.has(EventFlags.TAKER_DONE):
                self._turn("by amount spent to the last quantum")
        if accepted.time_in_force == TimeInForce.FILL_OR_KILL and event.has(EventFlags.TAKER_DONE):
            self._turn("fill or kill filled")

    def _turn(self, name: str) -> None:
        self._count("turn", name)

    def _count(self, topic: str, name: str) -> None:
        self.counts[topic, name] += 1

    def merge(self, other: Coverage) -> None:
        self.counts.update(other.counts)

    def missing(self) -> list[str]:
        """What was never reached."""
        return [f"{topic}: {name}" for (topic, name), count in self.counts.items() if count == 0]

    def table(self) -> str:
        return "\n".join(f"{topic:<12}{name:<38}{count:>9}" for (topic, name), count in self.counts.items())


def _everything() -> list[tuple[str, list[str]]]:
    commands = [kind.name for kind in CommandKind if kind < 128]
    modes = [mode.name for mode in Prevention if mode is not Prevention.NONE]
    return [
        ("command", [*commands, "not a command"]),
        ("reject", [reason.name for reason in RejectReason]),
        ("event", [kind.name for kind in EventKind]),
        ("close", [reason.name for reason in CloseReason]),
        ("prevention", modes),
        ("turn", list(TURNS)),
    ]
