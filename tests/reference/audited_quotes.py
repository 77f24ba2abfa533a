"""Quotes and their protections as the auditor knows them: what was announced, and what must come because of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.reference.audited_orders import AuditedOrder
from tests.reference.codes import ANY, CommandKind, Side
from tests.reference.event import Event

Scope = tuple[int, int]
"""Account, and instrument or `ANY`."""


@dataclass(slots=True)
class AuditedProtection:
    lots_max: int
    fills_max: int
    window_ns: int
    triggered: bool = False
    until_ns: int = 0
    lots: int = 0
    fills: int = 0

    def count(self, now_ns: int, lots: int) -> bool:
        """Count a fill. Returns whether it triggers."""
        if self.triggered:
            return False
        if now_ns >= self.until_ns:
            self.until_ns, self.lots, self.fills = min(now_ns + self.window_ns, 2**64 - 1), 0, 0
        self.lots, self.fills = self.lots + lots, self.fills + 1
        self.triggered = 0 < self.lots_max <= self.lots or 0 < self.fills_max <= self.fills
        return self.triggered


@dataclass(slots=True)
class AuditedQuotes:
    announced: list[tuple[int, int, Side, int, int]] = field(default_factory=list)
    """Orders that must come: id, instrument, side, price, lots."""
    changes: list[tuple[AuditedOrder, int]] = field(default_factory=list)
    """Quotes that must go, or become smaller, and what is left of them."""
    reached: list[tuple[Scope, int]] = field(default_factory=list)
    """Protections that must tell that they were triggered, and the quote that traded."""
    due: list[AuditedOrder] = field(default_factory=list)
    """Quotes that must go at once."""
    elsewhere: set[int] = field(default_factory=set)
    """Accounts all of whose quotes must go before anything else comes in."""
    protections: dict[Scope, AuditedProtection] = field(default_factory=dict)

    def learn(self, event: Event) -> None:
        """A protection was set, ended or reset."""
        scope = (event.account, event.instrument)
        before = self.protections.get(scope)
        if event.open_lots == CommandKind.RESET_QUOTE_PROTECTION:
            if before is not None:
                self.protections[scope] = AuditedProtection(before.lots_max, before.fills_max, before.window_ns)
            return
        self.protections.pop(scope, None)
        if event.reference:
            triggered = before is not None and before.triggered
            new = AuditedProtection(event.quantity_lots, event.price_ticks, event.reference, triggered)
            self.protections[scope] = new

    def is_triggered(self, order: AuditedOrder) -> bool:
        return any(self.protections[scope].triggered for scope in self._scopes(order))

    def count(self, order: AuditedOrder, lots: int, now_ns: int) -> None:
        """A trade of an order, which may be a quote."""
        for scope in self._scopes(order) if order.is_quote else ():
            if self.protections[scope].count(now_ns, lots):
                self.reached.append((scope, order.order_id))

    def _scopes(self, order: AuditedOrder) -> list[Scope]:
        both = ((order.account, order.instrument), (order.account, ANY))
        return [scope for scope in both if scope in self.protections]


def quotes_of(orders: Iterable[AuditedOrder], account: int) -> list[AuditedOrder]:
    """The open quotes of an account, by id."""
    own = (order for order in orders if order.account == account and order.is_quote)
    return sorted(own, key=lambda order: order.order_id)
