"""Orders as the auditor knows them: what their events told, and which of those that wait must come next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reference.codes import QUOTE, OrderFlags, OrderType, PriceSource, Side, TimeInForce, TrailUnit, TriggerKind
from tests.reference.conditions import Trail
from tests.reference.event import Event
from tests.reference.fees import FeeRates

if TYPE_CHECKING:
    from tests.reference.audited_lists import AuditedList


@dataclass(slots=True, eq=False)
class AuditedOrder:
    """An order as its events tell it."""

    order_id: int
    account: int
    instrument: int
    side: Side
    order_type: int
    time_in_force: int
    prevention: int
    flags: int
    price: int
    open: int
    total: int
    unspent: int
    rates: FeeRates
    client_order_id: int | bytes | None
    taker_notional: int = 0
    maker_notional: int = 0
    met_a_maker: bool = False
    must_stop: bool = False
    trigger: int | None = None
    """The trigger price as it must be now, while the order waits."""
    trigger_kind: int = 0
    source: int = 0
    trail: Trail | None = None
    minimum: int = 0
    expire_time_ns: int = 0
    limit_is_untold: bool = False
    """Of a market order that fired: the band at that time is in no event, unless the order expires."""
    unfolded: bool = False
    """An iceberg that takes part in a call with all that it has open."""
    beside: bool = False
    """It stands beside the book: it waits for its auction, or is a market order in a call."""
    arrived: int = 0
    must_be_refused: bool = False
    """It fired, but its account may not trade."""
    lost_a_quote: bool = False
    """A quote that it could have taken went, because its trade triggered a protection."""
    worst_traded: int | None = None
    needed: int = 0
    """How many approvers it waits for."""
    approvers: list[int] = field(default_factory=list)
    deadline_ns: int = 0
    hash_words: tuple[int, int] = (0, 0)
    shown: int = 0
    """Of an iceberg on the book."""
    peak: int = 0
    """0 unless it is an iceberg."""
    peak_range: int = 0
    hidden: bool = False
    is_fixed: bool = False
    """A fixed peg."""
    follows: bool = False
    is_placed: bool = True
    """Whether it stands in the book; a following peg may wait outside it."""
    limit: int = 0
    """Of a following peg: what it holds for."""
    list_id: int | None = None
    """The list that ties it to others."""
    pending: bool = False
    """It waits for another order of its list."""
    stands: bool = False
    """A leg that is on the book or waits for its trigger."""
    given_trigger: int = 0
    """Of a pending order."""

    @property
    def by_amount(self) -> bool:
        return bool(self.flags & OrderFlags.QUOTE_AMOUNT)

    @property
    def is_quote(self) -> bool:
        return bool(self.flags & QUOTE)

    @property
    def may_rest(self) -> bool:
        return self.time_in_force not in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)

    @property
    def is_for_auction(self) -> bool:
        return TimeInForce(self.time_in_force).is_for_auction

    @property
    def waits(self) -> bool:
        return self.trigger is not None

    @property
    def is_away(self) -> bool:
        """Whether it stands on no book."""
        return self.waits or self.needed > 0

    @property
    def due_ns(self) -> int:
        """When it leaves by itself; 0 is never."""
        return self.deadline_ns if self.needed else self.expire_time_ns

    @property
    def rises(self) -> bool:
        return (self.trigger_kind == TriggerKind.STOP_LOSS) == (self.side is Side.BUY)

    @property
    def bound(self) -> int:
        """The worst price at which it may trade, as far as events tell."""
        return 1 if self.limit_is_untold and self.side is Side.SELL else self.price

    @property
    def displayed(self) -> int:
        """What trades of it before it goes behind the others."""
        return self.shown if self.peak else self.open

    @property
    def sort_key(self) -> tuple[int, bool]:
        return (-self.price if self.side is Side.BUY else self.price), self.hidden

    def learn_conditions(self, event: Event) -> None:
        self.trigger = event.price_ticks if event.order_type and not self.pending else None
        self.given_trigger = event.price_ticks
        self.trigger_kind, self.source = event.order_type, event.time_in_force
        self.minimum, self.expire_time_ns = event.open_lots, event.reference
        if event.self_trade_prevention:
            self.trail = Trail(TrailUnit(event.self_trade_prevention), event.quantity_lots)

    def come_to_market(self) -> None:
        self.trigger = None
        # An amendment while it waited may have left less than its minimum.
        self.minimum = min(self.minimum, self.total)
        self.limit_is_untold = self.order_type == OrderType.MARKET


@dataclass(slots=True)
class AuditedWaiting:
    """Orders that wait, and those that fired, in the order in which they must come to the market."""

    line: list[tuple[AuditedOrder | AuditedList, int]] = field(default_factory=list)
    """With the price that fired each; and lists whose other legs start."""
    _waiting: list[AuditedOrder] = field(default_factory=list)
    """In the order in which they came to their trigger prices."""
    _prices: dict[tuple[int, int], int] = field(default_factory=dict)
    """By instrument and source."""

    def add(self, order: AuditedOrder) -> None:
        self._waiting.append(order)

    def remove(self, order: AuditedOrder) -> None:
        if order in self._waiting:
            self._waiting.remove(order)
        else:
            self.line = [turn for turn in self.line if turn[0] is not order]

    def price(self, order: AuditedOrder) -> int | None:
        """The price that an order looks at."""
        return self._prices.get((order.instrument, order.source))

    def is_there(self, order: AuditedOrder) -> bool:
        """Whether the price that the order waits for is there already."""
        price = self.price(order)
        return price is not None and _reaches(order, price)

    def see(self, instrument: int, source: PriceSource, price: int, *, halted: bool) -> None:
        """A price of a source: trails follow, and what it reaches joins the line, unless there is a halt."""
        self._prices[instrument, source] = price
        watching = [order for order in self._waiting if (order.instrument, order.source) == (instrument, source)]
        for order in sorted(watching, key=lambda order: order.order_id):
            if order.trail is not None and order.trigger is not None:
                trigger = order.trail.trigger_ticks(order.side, price)
                if (trigger - order.trigger) * (1 if order.side is Side.SELL else -1) > 0:
                    order.trigger = trigger
                    self._waiting.remove(order)
                    self._waiting.append(order)
        if halted:
            return
        fired = [order for order in self._waiting if order in watching and _reaches(order, price)]
        fired.sort(key=lambda order: (not order.rises, (order.trigger or 0) * (1 if order.rises else -1)))
        for order in fired:
            self._waiting.remove(order)
            self.line.append((order, price))


def _reaches(order: AuditedOrder, price: int) -> bool:
    if order.trigger is None:
        return False
    return price >= order.trigger if order.rises else price <= order.trigger
