"""Orders: what was asked for, what became of it so far, and what it holds."""

from dataclasses import dataclass

from tests.reference.codes import OrderFlags, OrderType, Prevention, Side, TimeInForce
from tests.reference.fees import FeeRates, fee_of_fill
from tests.reference.instruments import Units

ClientOrderId = int | bytes | None
"""A number from 1, a text, or none."""


@dataclass(slots=True, eq=False)
class Order:
    """An accepted order."""

    order_id: int
    account: int
    instrument: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    prevention: Prevention
    flags: int
    price_ticks: int
    quantity_lots: int
    """The total; 0 when the order is sized by amount."""
    amount: int
    """The quote amount; 0 when the order is sized by quantity."""
    client_order_id: ClientOrderId
    rates: FeeRates
    executed_lots: int = 0
    prevented_lots: int = 0
    taker_notional: int = 0
    """Everything it traded as taker: the fee of the taker part is rounded on this."""
    maker_notional: int = 0
    spent: int = 0
    """By amount: what a bid paid with its fee, what an ask got before it."""

    @property
    def by_amount(self) -> bool:
        return bool(self.flags & OrderFlags.QUOTE_AMOUNT)

    @property
    def post_only(self) -> bool:
        return bool(self.flags & OrderFlags.POST_ONLY)

    @property
    def may_rest(self) -> bool:
        return self.time_in_force is TimeInForce.GOOD_TILL_CANCEL

    @property
    def open_lots(self) -> int:
        return self.quantity_lots - self.executed_lots - self.prevented_lots

    @property
    def unspent(self) -> int:
        return self.amount - self.spent

    @property
    def reference(self) -> int:
        """The client order id as events carry it: 0 when there is none or it is text."""
        return self.client_order_id if isinstance(self.client_order_id, int) else 0

    def held_asset(self, units: Units) -> int:
        return units.quote if self.side is Side.BUY else units.base

    def hold(self, units: Units) -> int:
        """What the order holds while it rests: the most that its open quantity can still cost."""
        if self.side is Side.SELL:
            return units.base_quanta(self.open_lots)
        notional = units.notional(self.price_ticks, self.open_lots)
        return notional + fee_of_fill(self.maker_notional, notional, max(self.rates.maker_ppm, 0))
