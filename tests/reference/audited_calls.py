"""States and calls as the auditor knows them: what their events told of each instrument."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.audited_orders import AuditedOrder
from tests.reference.codes import OrderType, Phase, Side, State, TimeInForce


@dataclass(slots=True)
class AuditedCall:
    """The state of an instrument, and the orders that stand beside its book."""

    state: State = State.CONTINUOUS
    before_halt: State | None = None
    joined: Phase = Phase.NONE
    told: tuple[int, int, int] = (0, 0, 0)
    beside: list[AuditedOrder] = field(default_factory=list)
    traded: list[tuple[int, int]] = field(default_factory=list)
    """Price and quantity of the trades of the auction that is under way."""
    is_short: bool = False
    """Its last trade took less than either order had: the auction's quantity is traded."""

    def joins(self, order: AuditedOrder) -> bool:
        return TimeInForce(order.time_in_force).joins(self.joined)

    def market_orders(self, side: Side) -> list[AuditedOrder]:
        """Those that take part, as they came."""
        orders = [order for order in self.beside if order.side is side and order.order_type == OrderType.MARKET]
        return sorted((order for order in orders if self.joins(order)), key=lambda order: order.arrived)
