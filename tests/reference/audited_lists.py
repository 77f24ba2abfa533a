"""Lists as the auditor knows them: who is tied to whom, and what must come next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.reference.audited_orders import AuditedOrder
from tests.reference.codes import CloseReason, Contingency
from tests.reference.event import Event

_BY_LISTS = (CloseReason.OTHER_LEG_EXECUTED, CloseReason.LIST_CLOSED)


@dataclass(slots=True, eq=False)
class AuditedList:
    """A list as its events tell it."""

    list_id: int
    account: int
    instrument: int
    contingency: Contingency
    client_list_id: int | bytes | None
    legs: list[AuditedOrder] = field(default_factory=list)
    """Those that it ties together, by id."""
    is_arriving: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether all its legs have been told."""
        return not self.is_arriving or len(self.legs) == self.contingency.leg_count

    @property
    def is_pair(self) -> bool:
        return not self.is_arriving and not any(leg.pending for leg in self.legs)


@dataclass(slots=True)
class Ending:
    """A list that is coming to its end: its other legs are cancelled, then it is done."""

    of: AuditedList
    reason: int
    """Why its legs are cancelled from here on."""
    keeps_one: bool
    """Whether a leg goes on alone, because it is about to be executed or to lose quantity."""
    by_timer: bool = False
    last_id: int = 0


class AuditedLists:
    """The lists that tie orders together, and the one that is at an end just now."""

    def __init__(self, require: Callable[[bool, str, Event], None]) -> None:
        self._require = require
        self.lists: dict[int, AuditedList] = {}
        self._accepted = 0
        self.arriving: AuditedList | None = None
        self.starting: AuditedList | None = None
        """Its pending legs are told one after the other."""
        self.ending: Ending | None = None
        self.must_act: set[int] = set()
        """Legs whose others were cancelled for their sake: they must come to be executed, or lose quantity, now."""

    def accept(self, event: Event) -> None:
        self._accepted += 1
        self._require(event.reference == self._accepted, "list ids are consecutive", event)
        contingency = Contingency(event.order_type)
        self._require(event.quantity_lots == contingency.leg_count, "a list has as many legs as it needs", event)
        name = event.open_lots or None
        self.arriving = AuditedList(event.reference, event.account, event.instrument, contingency, name)
        self._unique(event)

    def name(self, event: Event) -> None:
        assert self.arriving is not None
        self.arriving.client_list_id = event.text
        self._unique(event)

    def _unique(self, event: Event) -> None:
        new = self.arriving
        assert new is not None
        mine = [each.client_list_id for each in self.lists.values() if each.account == new.account]
        is_new = new.client_list_id is None or new.client_list_id not in mine
        self._require(is_new, "a client's list id is unique among the account's lists", event)

    def list_of(self, order: AuditedOrder) -> AuditedList | None:
        return None if order.list_id is None else self.lists[order.list_id]

    def partner_of(self, order: AuditedOrder) -> AuditedOrder | None:
        """The other leg of a pair that stands."""
        tied = self.list_of(order)
        if tied is None or order.pending:
            return None
        return next((leg for leg in tied.legs if leg is not order and not leg.pending and leg.stands), None)

    def before_event(self, event: Event, closes: bool) -> None:
        """What a list that ends, or a leg that must act, has to say about the next event."""
        if self.ending is not None:
            self._require(closes, "a list that ends cancels its other legs, and is done", event)
            return
        if self.must_act and not closes:
            acts = {event.order_id, event.counter_order_id}
            self._require(self.must_act <= acts, "a leg goes on alone because something happens to it", event)
            self.must_act = set()

    def leave(self, order: AuditedOrder, event: Event, *, by_timer: bool) -> None:
        """A tied leg was closed by its last event."""
        tied = self.list_of(order)
        if tied is None:
            return
        is_by_list = event.reason in _BY_LISTS
        if self.ending is None:
            reason = event.reason if is_by_list or event.reason == CloseReason.CANCELLED_BY_OWNER else 0
            keeps_one = is_by_list
            if event.reason == CloseReason.OTHER_LEG_EXECUTED:
                paired = tied.contingency.has_pair and len(tied.legs) == 2
                self._require(paired, "only a pair has another leg", event)
            self.ending = Ending(tied, reason, keeps_one, by_timer)
        else:
            ending = self.ending
            self._require(tied is ending.of, "one list ends after the other", event)
            due = {CloseReason.LIST_CLOSED, ending.reason} if not ending.keeps_one else {ending.reason}
            self._require(event.reason in due, "a list takes its legs along for one reason", event)
            rises = order.order_id > ending.last_id
            self._require(rises, "legs are taken along by order id", event)
        if is_by_list or (event.reason == CloseReason.CANCELLED_BY_OWNER and self.ending.last_id):
            self.ending.last_id = order.order_id
        tied.legs.remove(order)
        order.list_id = None

    def done(self, event: Event) -> AuditedOrder | None:
        """A list ties nothing together any more. Returns the leg that goes on alone."""
        tied = self.lists.pop(event.reference, None)
        self._require(tied is not None, "a list is done once", event)
        assert tied is not None
        told = (event.account, event.instrument, event.order_type)
        self._require(told == (tied.account, tied.instrument, tied.contingency), "a list keeps what it said", event)
        number = tied.client_list_id if isinstance(tied.client_list_id, int) else 0
        self._require(event.open_lots == number, "a list keeps its client id", event)
        ending, self.ending = self.ending, None
        started = self.starting is tied and len(tied.legs) == 1 and ending is None
        ends = ending is not None and ending.of is tied
        self._require(started or ends, "a list is done when something untied it", event)
        keeps = started or (ending is not None and ending.keeps_one)
        self._require(len(tied.legs) == int(keeps), "a list that is done ties nothing together", event)
        self.starting = None if self.starting is tied else self.starting
        for leg in tied.legs:
            leg.list_id = None
            if not started:
                self.must_act.add(leg.order_id)
        return tied.legs[0] if tied.legs else None
