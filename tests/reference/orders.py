"""Orders: what was asked for, what became of it so far, what it holds, and the lists that tie them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.codes import QUOTE, Contingency, OrderFlags, OrderType, Prevention, Side, TimeInForce
from tests.reference.conditions import UNCONDITIONAL, Conditions
from tests.reference.fees import FeeRates, fee_of_fill, fee_on
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
    conditions: Conditions = UNCONDITIONAL
    session: int = 0
    """By which session it came; 0 is none."""
    trigger_ticks: int | None = None
    """The trigger price as it is now, while the order waits for it."""
    limit_ticks: int = 0
    """Of a following peg: the worst price that it may get, which is what it holds for."""
    is_placed: bool = True
    """Whether it stands in the book while it is open; a following peg may wait outside it."""
    beside: bool = False
    """Whether it stands beside the book: it waits for its auction, or is a market order in a call."""
    arrived: int = 0
    """When it came to its place: lower is earlier."""
    unfolded: bool = False
    """Whether it takes part in a call, of an iceberg with all that it has open."""
    shown_lots: int = 0
    """Of an iceberg on the book: what it shows."""
    peaks_drawn: int = 0
    in_list: OrderList | None = None
    """The list that ties it to others, while it does."""
    pending: bool = False
    """A leg of a list that has not started."""
    approvers_needed: int = 0
    """While it waits for approval."""
    approvers: list[int] = field(default_factory=list)
    approval_hash: bytes = b""
    deadline_ns: int = 0
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
    def is_quote(self) -> bool:
        return bool(self.flags & QUOTE)

    @property
    def may_rest(self) -> bool:
        return self.time_in_force.may_rest

    @property
    def waits(self) -> bool:
        """Whether its trigger has yet to bring it to the market."""
        return self.trigger_ticks is not None

    @property
    def is_second_of_pair(self) -> bool:
        return self.in_list is not None and self.in_list.is_pair and self is self.in_list.legs[1]

    @property
    def is_away(self) -> bool:
        """Whether it stands on no book: it waits for its trigger, or for approval."""
        return self.waits or self.approvers_needed > 0

    @property
    def open_lots(self) -> int:
        return self.quantity_lots - self.executed_lots - self.prevented_lots

    @property
    def displayed_lots(self) -> int:
        """What trades of it before it goes behind the others: of an iceberg what it shows."""
        return self.open_lots if self.conditions.iceberg is None or self.unfolded else self.shown_lots

    @property
    def hidden(self) -> bool:
        return self.conditions.hidden

    @property
    def seen_lots(self) -> int:
        """What the book shows of it while it stands there."""
        is_out = self.is_away or self.beside or self.pending or not self.is_placed
        return 0 if self.hidden or is_out else self.displayed_lots

    @property
    def follows(self) -> bool:
        return self.conditions.follows

    @property
    def unspent(self) -> int:
        return self.amount - self.spent

    @property
    def reference(self) -> int:
        """The client order id as events carry it: 0 when there is none or it is text."""
        return self.client_order_id if isinstance(self.client_order_id, int) else 0

    def keep_shown_within_open(self) -> None:
        """What prevention or an amendment took came from the reserve, as far as that went."""
        self.shown_lots = min(self.shown_lots, self.open_lots)

    def held_asset(self, units: Units) -> int:
        return units.quote if self.side is Side.BUY else units.base

    def hold(self, units: Units) -> int:
        """What the order holds: the most that its open quantity can still cost; while it waits, what entry needs."""
        if self.pending:
            return 0
        if self.side is Side.SELL:
            return units.base_quanta(self.open_lots)
        if self.is_away:
            return bid_cover(units, self.price_ticks, self.open_lots, self.rates, self.may_rest, self.post_only)
        price = self.limit_ticks if self.follows else self.price_ticks
        notional = units.notional(price, self.open_lots)
        return notional + fee_of_fill(self.maker_notional, notional, max(self.rates.maker_ppm, 0))


@dataclass(slots=True, eq=False)
class OrderList:
    """A list of orders that depend on each other."""

    list_id: int
    account: int
    instrument: int
    contingency: Contingency
    client_list_id: ClientOrderId
    legs: list[Order]
    """Those that it ties together, by id: without a working leg that was filled."""

    @property
    def is_pair(self) -> bool:
        """Whether both its legs stand: whichever is executed first cancels the other."""
        return not any(leg.pending for leg in self.legs)

    @property
    def number(self) -> int:
        """The client's id as events carry it: 0 when there is none or it is text."""
        return self.client_list_id if isinstance(self.client_list_id, int) else 0


def bid_cover(
    units: Units, price_ticks: int, quantity_lots: int, rates: FeeRates, may_rest: bool, post_only: bool
) -> int:
    """What a bid by quantity costs at worst. Its taker and its maker part are rounded apart: one quantum more."""
    notional = units.notional(price_ticks, quantity_lots)
    taker = 0 if post_only else rates.taker_ppm
    maker = rates.maker_ppm if may_rest else 0
    return notional + fee_on(notional, max(taker, maker, 0)) + (1 if taker > 0 and maker > 0 else 0)
