"""What a stream knows of the venue it is drawn for: an exchange of its own, and what is open, halted or to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from tests.reference import records
from tests.reference.codes import BandScope, CommandKind, ControlScope, EventFlags, EventKind
from tests.reference.event import Event
from tests.reference.exchange import Exchange
from tests.reference.orders import ClientOrderId


@dataclass(slots=True)
class LiveOrder:
    """An order that was accepted and, as far as the events tell, not closed."""

    order_id: int
    account: int
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    client_order_id: ClientOrderId


class Floor:
    """The venue as its events tell it; deterministic in the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a stream that can be had again, not a secret
        self.courier = Random(~seed)  # noqa: S311 - of its own: what goes between shards does not change the rest of a stream
        self.seed = seed
        self.rebates = ("maker", "maker", "none", "taker")[seed % 4]
        self.is_deep = seed % 5 == 4
        """Whether books grow deep, because accounts have plenty; elsewhere funds run out all the time."""
        self.time_ns = 1
        self.exchange = Exchange()
        """Has applied every command so far."""
        self.next: list[bytes] = []
        """The commands that must follow the one at hand, the last of them first."""
        self.live: dict[int, LiveOrder] = {}
        self.withdrawals: list[int] = []
        self.lists: list[int] = []
        """The last ones, by id."""
        self.used_client_ids: list[int | bytes] = [7, b"first"]
        self.halts: list[tuple[int, int, int]] = []
        self.ends_of_controls: list[bytes] = []
        """The commands that end kill switches and restrictions."""
        self.accounts, self.assets, self.instruments = 2, 0, 0

    def observe(self, events: Iterable[Event]) -> None:
        """Learn from the events of a command what is open now."""
        for event in events:
            match event.kind:
                case EventKind.ORDER_ACCEPTED:
                    self._learn_order(event)
                case EventKind.CLIENT_ORDER_ID_TEXT:
                    if event.order_id in self.live:
                        self.live[event.order_id].client_order_id = event.text
                    self.used_client_ids.append(event.text)
                case EventKind.TRADE | EventKind.MATCH_PREVENTED:
                    if event.has(EventFlags.TAKER_DONE):
                        self.live.pop(event.order_id, None)
                    if event.has(EventFlags.MAKER_DONE):
                        self.live.pop(event.counter_order_id, None)
                case EventKind.ORDER_CANCELLED | EventKind.ORDER_EXPIRED:
                    self.live.pop(event.order_id, None)
                case EventKind.ORDER_AMENDED:
                    order = self.live[event.order_id]
                    order.price_ticks, order.quantity_lots = event.price_ticks, event.quantity_lots
                    if event.reference:
                        order.client_order_id = event.reference
                case EventKind.LIST_ACCEPTED:
                    self.lists = [*self.lists[-20:], event.reference]
                case EventKind.WITHDRAWAL_REQUESTED:
                    self.withdrawals.append(event.reference)
                case EventKind.SETTING_APPLIED:
                    self._learn_setting(event)
                case _:
                    pass

    def _learn_order(self, event: Event) -> None:
        client_order_id = event.reference or None
        self.live[event.order_id] = LiveOrder(
            event.order_id,
            event.account,
            event.instrument,
            event.side,
            event.price_ticks,
            event.quantity_lots,
            client_order_id,
        )
        if client_order_id is not None:
            self.used_client_ids.append(client_order_id)
        del self.used_client_ids[:-40]

    def _learn_setting(self, event: Event) -> None:
        scope = (event.side, event.account, event.instrument)
        match event.open_lots:
            case CommandKind.HALT:
                self.halts.append(scope)
            case CommandKind.RESUME:
                self.halts = [halt for halt in self.halts if halt != scope]
            case CommandKind.SET_APPROVAL_BANDS:
                account = event.account if event.side == BandScope.ACCOUNT else None
                end = records.set_approval_bands(account=account, instrument=event.instrument)
                self.ends_of_controls.append(end)
            case CommandKind.ENGAGE_KILL_SWITCH | CommandKind.SET_RESTRICTION:
                self.ends_of_controls.append(_end_of_control(event))
            case CommandKind.OPEN_ACCOUNT:
                self.accounts = max(self.accounts, event.account + 1)
            case CommandKind.ADD_ASSET:
                self.assets = max(self.assets, event.instrument + 1)
            case CommandKind.LIST_INSTRUMENT:
                self.instruments = max(self.instruments, event.instrument + 1)
            case _:
                pass


def _end_of_control(event: Event) -> bytes:
    names = {ControlScope.ACCOUNT: "account", ControlScope.TRADE_GROUP: "group", ControlScope.SESSION: "session"}
    scope = ControlScope(event.side)
    whom = {names[scope]: event.account if scope is ControlScope.ACCOUNT else event.quantity_lots}
    if event.open_lots == CommandKind.ENGAGE_KILL_SWITCH:
        return records.release_kill_switch(**whom)
    return records.set_restriction(event.instrument, 0, **whom)
