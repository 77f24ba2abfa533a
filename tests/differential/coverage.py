"""What a stream has reached: commands, reject reasons, events, close reasons, prevention modes, and rarer turns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.reference.codes import (
    CloseReason,
    CommandKind,
    Display,
    EventFlags,
    EventKind,
    OrderFlags,
    Prevention,
    PriceSource,
    Side,
    TimeInForce,
    known,
)
from tests.reference.event import Event
from tests.reference.reject import RejectReason

TURNS = (
    "a price was shared",
    "a price was shared where there are leads",
    "a price was shared where there is TOP",
    "a price was shared with an iceberg",
    "a hidden order came to its book by a trigger",
    "a hidden order traded",
    "a hidden order traded where prices are shared",
    "a hidden taker",
    "an amended hidden order",
    "an amended iceberg keeps its place",
    "fill or kill filled from hidden orders",
    "prevention met a hidden order",
    "an iceberg came to the book by a trigger",
    "an iceberg showed its next peak",
    "an iceberg showed its last peak",
    "an iceberg trades as a taker",
    "fill or kill filled from a reserve",
    "peaks of different sizes",
    "prevention took from a reserve",
    "a cascade of three",
    "a kill switch took several orders",
    "a kill switch took a waiting order",
    "a kill switch took who joined its group",
    "a restriction took an order",
    "a trail moved its trigger",
    "a triggered order rests",
    "amend keeps its place",
    "amend comes in again",
    "amend names a new id",
    "amend names a new id as text",
    "cancel fails, new order does not",
    "cancel does not fail, new order does",
    "cancelled alone by the order rate",
    "cancelled alone for lack of funds",
    "both halves fail",
    "amended order takes",
    "by amount traded",
    "by amount spent to the last quantum",
    "client order id as text",
    "fill or kill filled",
    "good till date amended",
    "minimum quantity filled",
    "maker rebate paid",
    "quantity above 2^39 traded",
    "replaced by one on another instrument",
    "replaced while it waits",
    "several timers",
    "several wait at one trigger price",
    "taker rebate paid",
    "taker rebate paid by amount",
    "transfer between accounts",
    "timer before a refusal",
    "transfer within an account decided as decrement",
    "triggered by the index price",
    "triggered by the last trade",
    "triggered by the mark price",
    "triggered market bid at the held price",
    "triggered market bid below it",
    "triggered order takes",
    "waiting order amended in place",
    "waiting order amended to another trigger price",
    "waiting order cancelled",
    "waiting order expired by date",
)

AT_TRIGGER = (
    RejectReason.ACCOUNT_HALTED,
    RejectReason.ACCOUNT_NOT_PERMITTED,
    RejectReason.ACCOUNT_RESTRICTED,
    RejectReason.NO_REFERENCE_PRICE,
    RejectReason.PRICE_OUTSIDE_BAND,
)
"""Why an order can be refused when its trigger fires."""


@dataclass(slots=True)
class Conditional:
    """What the events have told of an order with conditions."""

    order_type: int
    minimum_lots: int
    first_trigger_ticks: int
    expires: bool
    price_ticks: int
    waits: bool


class Coverage:
    """Counts by (topic, name). One for each stream, as it follows the orders that wait; merge them afterwards."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._conditional: dict[int, Conditional] = {}
        """By order id."""
        self._peaks: dict[int, list[int]] = {}
        """Of icebergs, by order id: the peaks that they have shown."""
        self._hidden: set[int] = set()
        self._shared: set[int] = set()
        self._topped: set[int] = set()
        self._leads: defaultdict[int, set[int]] = defaultdict(set)
        """Instruments whose prices are shared."""
        for topic, names in _everything():
            for name in names:
                self.counts[topic, name] = 0

    def add(self, command: bytes, events: Sequence[Event]) -> None:
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
                    if event.k > 0:
                        self._turn("timer before a refusal")
                case EventKind.ORDER_ACCEPTED:
                    accepted = event
                    if replaced is not None and replaced.instrument != event.instrument:
                        self._turn("replaced by one on another instrument")
                case EventKind.ORDER_CONDITIONS if accepted is not None:
                    self._learn_conditions(event, accepted)
                case EventKind.ORDER_CONDITIONS:
                    # An amendment moved its trigger price.
                    self._conditional[event.order_id].first_trigger_ticks = event.price_ticks
                case EventKind.ORDER_DISPLAY if event.order_type == Display.HIDDEN:
                    self._hidden.add(event.order_id)
                case EventKind.ORDER_DISPLAY:
                    self._peaks[event.order_id] = []
                case EventKind.SETTING_APPLIED:
                    self._add_setting(event)
                case EventKind.ORDER_REFRESHED:
                    self._add_peak(event)
                case EventKind.ORDER_TRIGGERED:
                    self._add_triggered(event)
                case EventKind.ORDER_AMENDED:
                    kept = event.has(EventFlags.KEPT_PRIORITY)
                    waits = event.order_id in self._conditional and self._conditional[event.order_id].waits
                    if waits:
                        self._conditional[event.order_id].price_ticks = event.price_ticks
                        elsewhere = "waiting order amended to another trigger price"
                        self._turn("waiting order amended in place" if kept else elsewhere)
                    else:
                        self._turn("amend keeps its place" if kept else "amend comes in again")
                    amended = event.order_id
                    if event.order_id in self._hidden:
                        self._turn("an amended hidden order")
                    if kept and event.order_id in self._peaks:
                        self._turn("an amended iceberg keeps its place")
                    if event.order_id in self._conditional and self._conditional[event.order_id].expires:
                        self._turn("good till date amended")
                case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED:
                    self._add_closed(event)
                    if event.reason == CloseReason.REPLACED:
                        replaced = event
                case EventKind.MATCH_PREVENTED:
                    self._add_prevented(event, accepted)
                case EventKind.TRADE:
                    self._add_trade(event, accepted, amended)
                case EventKind.CLIENT_ORDER_ID_TEXT:
                    self._turn("amend names a new id as text" if amended else "client order id as text")
                case _:
                    pass
        self._add_whole(events)
        if kind == CommandKind.REPLACE_ORDER:
            self._add_halves(events)
        if amended and len(command) > 64 and CommandKind.TEXT in command[64::64]:
            self._turn("amend names a new id")

    def _add_halves(self, events: Sequence[Event]) -> None:
        """What became of the two halves of a replacement."""
        refused = [event for event in events if event.kind is EventKind.REJECTED]
        if not refused or len(events) == 1:
            return
        if len(refused) > 1:
            self._turn("both halves fail")
        elif refused[0].open_lots == CommandKind.PLACE_ORDER:
            self._turn("cancel does not fail, new order does")
            if refused[0].reason == RejectReason.ORDER_RATE_EXCEEDED:
                self._turn("cancelled alone by the order rate")
            if refused[0].reason == RejectReason.INSUFFICIENT_FUNDS:
                self._turn("cancelled alone for lack of funds")
        elif any(event.kind is EventKind.ORDER_ACCEPTED for event in events):
            self._turn("cancel fails, new order does not")

    def _add_setting(self, event: Event) -> None:
        """Learn how an instrument shares its prices."""
        match event.open_lots:
            case CommandKind.SET_ALLOCATION:
                (self._shared.add if event.side else self._shared.discard)(event.instrument)
                self._topped.discard(event.instrument)
                self._leads.pop(event.instrument, None)
            case CommandKind.SET_TOP:
                (self._topped.add if event.reference else self._topped.discard)(event.instrument)
            case CommandKind.SET_LEAD:
                leads = self._leads[event.instrument]
                (leads.add if event.price_ticks else leads.discard)(event.account)
            case _:
                pass

    def _add_whole(self, events: Sequence[Event]) -> None:
        """Turns that a command's events show together."""
        if len(events) < 2:
            return
        trades = [event for event in events if event.kind is EventKind.TRADE]
        for first, second in pairwise(trades):
            # Whoever is first in line is taken whole before the next one gets anything, unless they share.
            same = (first.order_id, first.price_ticks) == (second.order_id, second.price_ticks)
            refreshed = any(
                event.kind is EventKind.ORDER_REFRESHED and first.k < event.k < second.k for event in events
            )
            if same and not first.has(EventFlags.MAKER_DONE) and not refreshed:
                self._turn("a price was shared")
                if first.instrument in self._topped:
                    self._turn("a price was shared where there is TOP")
                if {first.counter_account, second.counter_account} & self._leads[first.instrument]:
                    self._turn("a price was shared where there are leads")
                if {first.counter_order_id, second.counter_order_id} & self._peaks.keys():
                    self._turn("a price was shared with an iceberg")
        killed = [event for event in events if event.reason == CloseReason.KILL_SWITCH and _closes(event)]
        if len(killed) > 1:
            self._turn("a kill switch took several orders")
        joined = any(event.open_lots == CommandKind.SET_TRADE_GROUP for event in events if _sets(event))
        if killed and joined:
            self._turn("a kill switch took who joined its group")
        if any(event.reason == CloseReason.RESTRICTED for event in events if _closes(event)):
            self._turn("a restriction took an order")
        triggered = [event for event in events if event.kind is EventKind.ORDER_TRIGGERED]
        if len(triggered) >= 3 and len({event.open_lots for event in triggered}) >= 2:
            self._turn("a cascade of three")
        places = {(event.instrument, event.time_in_force, event.price_ticks, event.open_lots) for event in triggered}
        if len(places) < len(triggered):
            self._turn("several wait at one trigger price")
        timers = [event for event in events if event.kind is EventKind.ORDER_EXPIRED]
        if sum(event.reason == CloseReason.GOOD_TILL_DATE for event in timers) > 1:
            self._turn("several timers")
        for event, following in pairwise([*events, None]):
            if event is None or event.kind is not EventKind.ORDER_TRIGGERED:
                continue
            if following is None or following.kind is EventKind.ORDER_TRIGGERED:
                self._turn("a triggered order rests")

    def _learn_conditions(self, event: Event, accepted: Event) -> None:
        has_trigger = event.order_type != 0
        self._conditional[event.order_id] = Conditional(
            accepted.order_type,
            event.open_lots,
            event.price_ticks,
            event.reference != 0,
            accepted.price_ticks,
            has_trigger,
        )

    def _add_peak(self, event: Event) -> None:
        peaks = self._peaks[event.order_id]
        if peaks:
            last = event.quantity_lots == event.open_lots
            self._turn("an iceberg showed its last peak" if last else "an iceberg showed its next peak")
            if not last and event.quantity_lots != peaks[-1]:
                self._turn("peaks of different sizes")
        elif self._conditional[event.order_id].first_trigger_ticks:
            self._turn("an iceberg came to the book by a trigger")
        peaks.append(event.quantity_lots)

    def _add_triggered(self, event: Event) -> None:
        self._turn(
            {
                PriceSource.LAST: "triggered by the last trade",
                PriceSource.MARK: "triggered by the mark price",
                PriceSource.INDEX: "triggered by the index price",
            }[PriceSource(event.time_in_force)]
        )
        order = self._conditional[event.order_id]
        order.waits = False
        if event.order_id in self._hidden:
            self._turn("a hidden order came to its book by a trigger")
        if event.price_ticks != order.first_trigger_ticks:
            self._turn("a trail moved its trigger")

    def _add_closed(self, event: Event) -> None:
        self._count("close", CloseReason(event.reason).name)
        if event.reason == CloseReason.REFUSED_AT_TRIGGER:
            self._count("at trigger", RejectReason(event.open_lots).name)
        order = self._conditional.pop(event.order_id, None)
        if order is None:
            return
        if order.waits:
            if event.reason == CloseReason.REPLACED:
                self._turn("replaced while it waits")
            is_timer = event.reason == CloseReason.GOOD_TILL_DATE
            if event.reason == CloseReason.KILL_SWITCH:
                self._turn("a kill switch took a waiting order")
            self._turn("waiting order expired by date" if is_timer else "waiting order cancelled")
        elif event.reason == CloseReason.NO_LIQUIDITY and event.side == Side.BUY and order.first_trigger_ticks:
            at_the_cap = event.price_ticks == order.price_ticks
            self._turn("triggered market bid at the held price" if at_the_cap else "triggered market bid below it")

    def _add_prevented(self, event: Event, accepted: Event | None) -> None:
        mode = Prevention(event.self_trade_prevention)
        self._count("prevention", mode.name)
        if mode is Prevention.TRANSFER:
            self._turn("transfer between accounts")
        if event.counter_order_id in self._hidden:
            self._turn("prevention met a hidden order")
        peaks = self._peaks.get(event.counter_order_id)
        if peaks and event.open_lots and not event.has(EventFlags.MAKER_DONE):
            self._turn("prevention took from a reserve")
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
        if event.order_id in self._peaks:
            self._turn("an iceberg trades as a taker")
        if event.order_id in self._hidden:
            self._turn("a hidden taker")
        if event.counter_order_id in self._hidden:
            self._turn("a hidden order traded")
            if event.instrument in self._shared:
                self._turn("a hidden order traded where prices are shared")
        order = self._conditional.get(event.order_id)
        if order is not None and order.first_trigger_ticks:
            self._turn("triggered order takes")
        if order is not None and order.minimum_lots:
            self._turn("minimum quantity filled")
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
            if event.counter_order_id in self._hidden:
                self._turn("fill or kill filled from hidden orders")
            peaks = self._peaks.get(event.counter_order_id, [])
            if len(peaks) > 1 and accepted.quantity_lots > peaks[-1]:
                self._turn("fill or kill filled from a reserve")

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


def _closes(event: Event) -> bool:
    return event.kind in (EventKind.ORDER_CANCELLED, EventKind.ORDER_EXPIRED)


def _sets(event: Event) -> bool:
    return event.kind is EventKind.SETTING_APPLIED


def _everything() -> list[tuple[str, list[str]]]:
    commands = [kind.name for kind in CommandKind if kind < 128]
    modes = [mode.name for mode in Prevention if mode is not Prevention.NONE]
    return [
        ("command", [*commands, "not a command"]),
        ("reject", [reason.name for reason in RejectReason]),
        ("at trigger", [reason.name for reason in AT_TRIGGER]),
        ("event", [kind.name for kind in EventKind]),
        ("close", [reason.name for reason in CloseReason]),
        ("prevention", modes),
        ("turn", list(TURNS)),
    ]
