"""Kill switches and restrictions as the auditor knows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.audited_orders import AuditedOrder
from tests.reference.codes import ANY, BandScope, CloseReason, CommandKind, ControlScope, Restriction, Side
from tests.reference.event import Event
from tests.reference.reject import RejectReason

BY_CONTROL = (CloseReason.KILL_SWITCH, CloseReason.RESTRICTED)
"""Why a control takes an order."""

Who = tuple[int, int]
"""The account, or 0, and the trade group, or 0."""


@dataclass(slots=True)
class AuditedControls:
    due: list[AuditedOrder] = field(default_factory=list)
    """Open orders that the command at hand must still cancel, in this order."""
    session_reason: CloseReason | None = None
    """Why the command at hand takes the orders of a session. Events do not tell which those are."""
    bands: dict[tuple[int, int, int], tuple[tuple[int, int, int], int]] = field(default_factory=dict)
    """Thresholds and expiry, by scope, account and instrument."""
    _killed: set[Who] = field(default_factory=set)
    _levels: dict[tuple[Who, int], int] = field(default_factory=dict)
    """By whom it restricts, and the instrument."""

    def learn(self, event: Event) -> None:
        """A control that took effect."""
        if event.side == ControlScope.SESSION:
            if event.open_lots == CommandKind.ENGAGE_KILL_SWITCH:
                self.session_reason = CloseReason.KILL_SWITCH
            return
        who = (event.account, event.quantity_lots)
        match event.open_lots:
            case CommandKind.ENGAGE_KILL_SWITCH:
                self._killed.add(who)
            case CommandKind.RELEASE_KILL_SWITCH:
                self._killed.discard(who)
            case _:
                self._levels[who, event.instrument] = event.order_type

    def learn_bands(self, event: Event) -> None:
        third = event.price_ticks % 2**64 | event.quantity_lots << 64
        thresholds = (event.amount, event.counter_amount, third)
        self.bands[event.side, event.account, event.instrument] = (thresholds, event.reference)

    def approvers(self, account: int, instrument: int, worth: int) -> tuple[int, int]:
        """How many an order needs, and for how long it waits for them."""
        asking = []
        for scope in ((BandScope.ACCOUNT, account, ANY), (BandScope.INSTRUMENT, 0, instrument)):
            thresholds, expiry_ns = self.bands.get(scope, ((0, 0, 0), 0))
            count = max((n for n, threshold in enumerate(thresholds, 1) if 0 < threshold < worth), default=0)
            asking += [(count, expiry_ns)] if count else []
        return max((count for count, _ in asking), default=0), min((expiry for _, expiry in asking), default=0)

    def is_killed(self, account: int, group: int) -> bool:
        return not self._killed.isdisjoint(_scopes(account, group))

    def refusal(self, account: int, group: int, instrument: int, side: Side) -> RejectReason | None:
        """Why an order must be refused now."""
        levels = [self._levels.get((who, instrument), 0) for who in _scopes(account, group)]
        if Restriction(max(levels)).forbids(side):
            return RejectReason.ACCOUNT_RESTRICTED
        return RejectReason.KILL_SWITCH_ENGAGED if self.is_killed(account, group) else None


def _scopes(account: int, group: int) -> list[Who]:
    # Account 0 is the fee account, which never trades: (0, 0) may stand for it alone.
    return [(account, 0), (0, group)] if group else [(account, 0)]
