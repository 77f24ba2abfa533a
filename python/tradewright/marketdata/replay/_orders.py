"""The orders of a recording as a venue holds them.

Owns which venue order stands for which recorded one, in the order of each level's queue; sends the commands; judges the
maker that the venue picks for a recorded execution, and puts the makers right when it is another one. Knows no format.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tradewright.marketdata.replay.venue import BUY, SELL, Fill, ReplayVenue

ANONYMOUS = -1
"""The recorded id of quantity whose orders the recording never named."""


@dataclass(slots=True)
class _Misallocation:
    """An execution whose maker the venue and the recording name differently; waits for the comparison of its row."""

    maker: int
    side: int
    price: int
    quantity: int
    fills: list[Fill]


@dataclass(slots=True)
class ExecutionCounts:
    """What the executions came to. Rows are counted from 0."""

    realigned: int = 0
    executions: int = 0
    executions_checked: int = 0
    priority_right: int = 0
    priority_wrong_rows: list[int] = field(default_factory=list)
    unmatched: int = 0
    traded_on_arrival: int = 0


class RecordedOrders:
    """Sends recorded events to a venue and knows which of its orders is which."""

    def __init__(self, venue: ReplayVenue) -> None:
        self.venue = venue
        self.executed = ExecutionCounts()
        self._named: dict[int, tuple[int, int, int]] = {}  # recorded id -> (venue id, side, price)
        self._queues: tuple[dict[int, dict[int, int]], ...] = ({}, {})  # side -> price -> venue id -> recorded id
        self._misallocation: _Misallocation | None = None

    def rest(self, recorded_id: int, side: int, price: int, quantity: int) -> int:
        """Send a new order: the venue's id of it."""
        return self._rest(recorded_id, side, price, quantity)

    def reduce(self, recorded_id: int, side: int, price: int, quantity: int) -> None:
        """Reduce the named order, or the anonymous one at that price; count `unmatched` where there is less."""
        named = self._named.get(recorded_id)
        order_id = named[0] if named is not None else self._anonymous_at(side, price)
        if order_id == 0:
            self.executed.unmatched += 1
            return
        if named is None and self.venue.open_quantity(order_id) < quantity:
            self.executed.unmatched += 1
        if self.venue.reduce(order_id, quantity) == 0:
            self._forget(order_id, side, price)

    def execute(self, row: int, recorded_id: int, side: int, price: int, quantity: int) -> None:
        """Send the aggressor of a recorded execution and judge the maker that the venue picks."""
        counts = self.executed
        counts.executions += 1
        anonymous = self._anonymous_at(side, price)
        named = self._named.get(recorded_id)
        maker = named[0] if named is not None else anonymous
        fills = self.venue.take(SELL if side == BUY else BUY, price, quantity)
        is_right = fills == [(maker, price, quantity)]
        if price in self._queues[side] and anonymous == 0:
            counts.executions_checked += 1
            if is_right:
                counts.priority_right += 1
            else:
                counts.priority_wrong_rows.append(row)
        if is_right:
            if self.venue.open_quantity(maker) == 0:
                self._forget(maker, side, price)
        else:
            self._misallocation = _Misallocation(maker, side, price, quantity, fills)

    def open_of(self, recorded_id: int) -> int:
        """What the venue has open of a named order, 0 when nothing."""
        named = self._named.get(recorded_id)
        return 0 if named is None else self.venue.open_quantity(named[0])

    def withdraw(self, recorded_id: int) -> None:
        """Cancel a named order, if it is open."""
        named = self._named.get(recorded_id)
        if named is not None:
            self.venue.cancel(named[0])
            self._forget(*named)

    def settle(self) -> None:
        """Put the makers right after an execution that the venue gave to another order."""
        wrong, self._misallocation = self._misallocation, None
        if wrong is None:
            return
        self.executed.realigned += 1
        filled: dict[int, int] = {}
        for maker, _, quantity in wrong.fills:
            filled[maker] = filled.get(maker, 0) + quantity
        filled[wrong.maker] = filled.get(wrong.maker, 0) - wrong.quantity
        for price in {wrong.price, *(fill[1] for fill in wrong.fills)}:
            self._restore_queue(wrong.side, price, filled)

    def _restore_queue(self, side: int, price: int, filled: dict[int, int]) -> None:
        """Give every order of a level the quantity it should have, in the order of the queue."""
        queue = self._queues[side].get(price)
        if queue is None:
            return
        open_now = {order_id: self.venue.open_quantity(order_id) for order_id in queue}
        wanted = {order_id: max(0, left + filled.get(order_id, 0)) for order_id, left in open_now.items()}
        if all(wanted[order_id] <= left for order_id, left in open_now.items()):
            for order_id, left in open_now.items():
                if wanted[order_id] < left:
                    self.venue.reduce(order_id, left - wanted[order_id])
                if wanted[order_id] == 0:
                    self._forget(order_id, side, price)
            return
        # An order cannot grow without losing its place, so the whole level is entered again in its order.
        recorded = list(queue.items())
        self._drop_level(side, price)
        for order_id, recorded_id in recorded:
            if wanted[order_id]:
                self._rest(recorded_id, side, price, wanted[order_id])

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _rest(self, recorded_id: int, side: int, price: int, quantity: int) -> int:
        order_id, fills = self.venue.rest(side, price, quantity)
        if fills:
            self.executed.traded_on_arrival += 1
            for maker, at, _ in fills:
                if self.venue.open_quantity(maker) == 0:
                    self._forget(maker, SELL if side == BUY else BUY, at)
            if self.venue.open_quantity(order_id) == 0:
                return order_id
        queue = self._queues[side].get(price)
        if queue is None:
            queue = self._queues[side][price] = {}
        queue[order_id] = recorded_id
        if recorded_id != ANONYMOUS:
            self._named[recorded_id] = (order_id, side, price)
        return order_id

    def _forget(self, order_id: int, side: int, price: int) -> None:
        """Drop an order that is no longer open from the bookkeeping."""
        queue = self._queues[side].get(price, {})
        recorded_id = queue.pop(order_id, ANONYMOUS)
        if recorded_id != ANONYMOUS:
            del self._named[recorded_id]
        if not queue:
            self._queues[side].pop(price, None)

    def _anonymous_at(self, side: int, price: int) -> int:
        queue = self._queues[side].get(price)
        if queue is not None:
            for order_id, recorded_id in queue.items():
                if recorded_id == ANONYMOUS:
                    return order_id
        return 0

    def _drop_level(self, side: int, price: int) -> None:
        for order_id, recorded_id in self._queues[side].pop(price).items():
            self.venue.cancel(order_id)
            if recorded_id != ANONYMOUS:
                del self._named[recorded_id]
