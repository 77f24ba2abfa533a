"""What the objects of one exchange share: its engine, its ids' meaning, and how a refusal becomes an exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from tradewright import commands
from tradewright._core import Engine, Outcome
from tradewright._decimal import Number, quantum, times, units, within
from tradewright._rejections import rejection
from tradewright.enums import CloseReason, EventKind, OrderStatus
from tradewright.errors import ArgumentError, ConfigError
from tradewright.events import Events, Names

if TYPE_CHECKING:
    from tradewright.account import Account, Asset
    from tradewright.instrument import Instrument
    from tradewright.order import Order

AMOUNT_MAX = 2**127 - 1
_BY_TIME = (CloseReason.GOOD_TILL_DATE, CloseReason.APPROVAL_EXPIRED)
REJECTED = int(OrderStatus.REJECTED)


class Venue:
    """One engine with the objects that stand for its ids."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_closed = False
        self.assets: dict[str, Asset] = {}
        self.assets_by_id: list[Asset] = []
        self.instruments: dict[str, Instrument] = {}
        self.instruments_by_id: list[Instrument] = []
        self.accounts: dict[str, Account] = {}
        self.accounts_by_id: list[Account] = []
        self.orders: WeakValueDictionary[int, Order] = WeakValueDictionary()

    # -- commands ------------------------------------------------------------------------------------------------

    def live(self) -> Engine:
        """Return the engine while it takes commands."""
        if self.is_closed:
            raise ConfigError("the exchange is closed: it takes no more commands")
        return self.engine

    def apply(self, records: commands.Records, arguments: Mapping[str, object]) -> np.void | None:
        """Apply one command; return its first event. A refusal is raised, with the call's arguments in its text."""
        events = without_timers(self.live().apply(self.stamped(records)))
        if not len(events):
            return None
        first: np.void = events[0]
        if first["kind"] == EventKind.REJECTED:
            raise rejection(int(first["reason"]), arguments)
        return first

    def events_of(self, records: commands.Records, arguments: Mapping[str, object]) -> npt.NDArray[np.void]:
        """Apply one command; return its events, those of timers included. A refusal is raised."""
        events: npt.NDArray[np.void] = self.live().apply(self.stamped(records))
        refusals = events[events["kind"] == EventKind.REJECTED]
        if len(refusals):
            raise rejection(int(refusals[0]["reason"]), arguments)
        return events

    def apply_legs(
        self, records: commands.Records, arguments: Mapping[str, object], legs: Sequence[Mapping[str, object]]
    ) -> npt.NDArray[np.void]:
        """Apply one command of several orders; return its events. A refusal names the order that it is about."""
        events = without_timers(self.live().apply(self.stamped(records)))
        first: np.void = events[0]
        if first["kind"] == EventKind.REJECTED:
            leg = int(first["amount_low"])
            raise rejection(int(first["reason"]), {**arguments, **(legs[leg - 1] if leg else {})})
        return events

    def cancelled_by(self, records: commands.Records, arguments: Mapping[str, object]) -> int:
        """Apply one command; return how many orders it cancelled. A refusal is raised."""
        events = self.live().apply(self.stamped(records))
        if events[-1]["kind"] == EventKind.REJECTED:
            raise rejection(int(events[-1]["reason"]), arguments)
        return int((events["kind"] == EventKind.ORDER_CANCELLED).sum())

    def execute(self, records: commands.Records, arguments: Mapping[str, object]) -> Outcome:
        """Apply one order command of several records."""
        return self.checked(self.live().execute(self.stamped(records)), arguments)

    @staticmethod
    def checked(outcome: Outcome, arguments: Mapping[str, object]) -> Outcome:
        """Return an accepted outcome; raise the exception of any other."""
        if outcome.status == REJECTED:
            raise rejection(outcome.reason, arguments)
        return outcome

    def stamped(self, records: commands.Records) -> commands.Records:
        """Return the records with the exchange's time in every command that has none."""
        now = self.engine.time_ns
        if not now:
            return records
        # Only the first record of a command has a header; in those behind it these bytes mean something else.
        is_header = _first_records(records)
        unstamped = is_header & (records["time_ns"] == 0)
        if not unstamped.any():
            return records
        records = records.copy()
        records["time_ns"][unstamped] = now
        return records

    # -- names ---------------------------------------------------------------------------------------------------

    def asset(self, name: str) -> Asset:
        """Return the asset of this name."""
        return known("asset", name, self.assets)

    def names(self) -> Names:
        """Return what ids stand for now."""
        return Names(
            assets=tuple((asset.name, asset.scale) for asset in self.assets_by_id),
            instruments=tuple((each.name, each.tick, each.lot, each.quote.id) for each in self.instruments_by_id),
            accounts=tuple(account.name for account in self.accounts_by_id),
        )

    def events(self, array: npt.NDArray[np.void]) -> Events:
        """Return events with the names of now."""
        return Events(array, self.names())

    # -- amounts -------------------------------------------------------------------------------------------------

    @staticmethod
    def quanta(argument: str, value: Number, asset: Asset) -> int:
        """Return an amount of an asset as the engine counts it."""
        whole = units(argument, value, quantum(asset.scale), f"smallest amount of {asset.name},")
        return within(argument, value, whole, low=-AMOUNT_MAX, high=AMOUNT_MAX)

    @staticmethod
    def amount(quanta: int, asset: Asset) -> Decimal:
        """Return quanta of an asset as people write them."""
        return times(quanta, quantum(asset.scale))


Thing = TypeVar("Thing")


def known(argument: str, name: str, things: Mapping[str, Thing]) -> Thing:
    """Return the thing of this name.

    Raises:
        ArgumentError: there is none; the text names a few that there are.
    """
    thing = things.get(name)
    if thing is None:
        few = ", ".join(list(things)[:5]) or "none so far"
        raise ArgumentError(argument, value=name, rule=f"is unknown; there are: {few}")
    return thing


def _first_records(records: commands.Records) -> npt.NDArray[np.bool_]:
    """Tell which records start a command."""
    if (records["record_count"] == 1).all() and (records["kind"] < commands.CONTINUATIONS_FROM).all():
        return np.ones(len(records), dtype=bool)
    is_first = np.zeros(len(records), dtype=bool)
    counts = records["record_count"].tolist()
    place = 0
    while place < len(counts):
        is_first[place] = True
        place += max(1, counts[place])
    return is_first


def without_timers(events: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the events of one command but for those in front, of orders whose time came with it and of their lists."""
    is_due = (events["kind"] == EventKind.ORDER_EXPIRED) & np.isin(events["reason"], _BY_TIME)
    taken_along = (events["kind"] == EventKind.ORDER_CANCELLED) & (events["reason"] == CloseReason.LIST_CLOSED)
    own = np.flatnonzero(~(is_due | taken_along | (events["kind"] == EventKind.LIST_DONE)))
    kept: npt.NDArray[np.void] = events[own[0] :] if len(own) else events[:0]
    return kept
