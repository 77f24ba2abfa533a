"""The book of an instrument: two lists of orders, best price first, at a price what is displayed before what is hidden,
then the one that has been there longest."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reference.codes import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reference.orders import Order


def _bid_key(order: Order) -> tuple[int, bool]:
    return -order.price_ticks, order.hidden


def _ask_key(order: Order) -> tuple[int, bool]:
    return order.price_ticks, order.hidden


@dataclass(slots=True)
class Book:
    bids: list[Order] = field(default_factory=list)
    asks: list[Order] = field(default_factory=list)

    def side(self, side: Side) -> list[Order]:
        return self.bids if side is Side.BUY else self.asks

    def insert(self, order: Order) -> None:
        """Put an order behind those of its price, a displayed one before the hidden ones."""
        key = _bid_key if order.side is Side.BUY else _ask_key
        orders = self.side(order.side)
        orders.insert(bisect_right(orders, key(order), key=key), order)

    def remove(self, order: Order) -> None:
        self.side(order.side).remove(order)

    def best(self, side: Side, without: Order | None = None) -> Order | None:
        """The first order of a side, as if `without` were not there."""
        return next((order for order in self.side(side) if order is not without), None)

    def crossing(self, side: Side, limit_ticks: int) -> Iterator[Order]:
        """The opposite orders that a taker of this side would meet up to its limit, in their order."""
        for maker in self.side(side.opposite):
            if not side.crosses(limit_ticks, maker.price_ticks):
                return
            yield maker

    def displayed(self, side: Side) -> list[Order]:
        return [order for order in self.side(side) if not order.hidden]

    def referred_to(self, side: Side) -> list[Order]:
        """What pegs refer to: displayed orders that follow nothing themselves."""
        return [order for order in self.displayed(side) if not order.follows]

    def depth(self, side: Side) -> list[tuple[int, int]]:
        """Price and displayed quantity of each level, best first."""
        levels: dict[int, int] = {}
        for order in self.displayed(side):
            levels[order.price_ticks] = levels.get(order.price_ticks, 0) + order.displayed_lots
        return list(levels.items())
