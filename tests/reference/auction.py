"""The call auction as it is written: a table of every price, and four steps over its rows.

It has no book and no order of arrival in it: a side is a list of (price, quantity) in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

Orders = list[tuple[int, int]]
"""Price in ticks and quantity in lots of each order."""


LISTED_MAX = 5_000
"""The most ticks of which every one is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an auction depends on beside the orders with a limit."""

    market_buys: int = 0
    market_sells: int = 0
    reference_ticks: int | None = None
    collar: tuple[int, int] | None = None
    """Lowest and highest price at which it may trade."""
    increment_ticks: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What would happen at a price."""

    ticks: int
    demand: int
    supply: int

    @property
    def executable(self) -> int:
        return min(self.demand, self.supply)

    @property
    def surplus(self) -> int:
        """Positive: buyers are left over."""
        return self.demand - self.supply


def table(bids: Orders, asks: Orders, terms: Terms) -> list[Row]:
    """Every candidate: between the lowest and the highest of all prices and the reference, in the collar, on a tick."""
    reference = rounded_reference(terms)
    named = [ticks for ticks, _ in bids + asks] + ([] if reference is None else [reference])
    if not named:
        return []
    return [
        _row(bids, asks, terms, ticks)
        for ticks in _ticks(named, terms)
        if min(named) <= ticks <= max(named) and ticks % terms.increment_ticks == 0
        if terms.collar is None or terms.collar[0] <= ticks <= terms.collar[1]
    ]


def _row(bids: Orders, asks: Orders, terms: Terms, ticks: int) -> Row:
    return Row(
        ticks,
        terms.market_buys + sum(lots for limit, lots in bids if limit >= ticks),
        terms.market_sells + sum(lots for limit, lots in asks if limit <= ticks),
    )


def _ticks(named: list[int], terms: Terms) -> list[int]:
    """Every tick there is; of more than can be listed, those about which something changes."""
    if max(named) - min(named) <= LISTED_MAX:
        return list(range(min(named), max(named) + 1))
    increment = terms.increment_ticks
    ends = named + list(terms.collar or ())
    near = {ticks // increment * increment + step * increment for ticks in ends for step in (-1, 0, 1, 2)}
    return sorted(near)


def uncross(bids: Orders, asks: Orders, terms: Terms | None = None) -> Row | None:
    """The row at which the auction trades, or None when nothing can."""
    terms = terms or Terms()
    rows = table(bids, asks, terms)

    most = max((row.executable for row in rows), default=0)
    if most == 0:
        return None
    rows = [row for row in rows if row.executable == most]

    least = min(abs(row.surplus) for row in rows)
    rows = [row for row in rows if abs(row.surplus) == least]

    if all(row.surplus > 0 for row in rows):
        return rows[-1]
    if all(row.surplus < 0 for row in rows):
        return rows[0]

    reference = rounded_reference(terms)
    if reference is None:
        low, steps = rows[0].ticks, (rows[-1].ticks - rows[0].ticks) // terms.increment_ticks
        return _row(bids, asks, terms, low + steps // 2 * terms.increment_ticks)
    return min(rows, key=lambda row: abs(row.ticks - reference))


def rounded_reference(terms: Terms) -> int | None:
    if terms.reference_ticks is None:
        return None
    return terms.reference_ticks // terms.increment_ticks * terms.increment_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order in the call of an auction. Lists of them are in the order of arrival."""

    order_id: int
    lots: int
    ticks: int | None = None
    """None is a market order."""


def matches(bids: list[Waiting], asks: list[Waiting], ticks: int, quantity: int) -> list[tuple[int, int, int]]:
    """Buyer, seller and quantity of each trade: the queues of both sides, lot by lot, laid side by side."""
    # Sorting is stable: at the same price the first to arrive stays first.
    buyers = sorted(bids, key=lambda order: (order.ticks is not None, -(order.ticks or 0)))
    sellers = sorted(asks, key=lambda order: (order.ticks is not None, order.ticks or 0))
    buying = [
        order.order_id for order in buyers if order.ticks is None or order.ticks >= ticks for _ in range(order.lots)
    ]
    selling = [
        order.order_id for order in sellers if order.ticks is None or order.ticks <= ticks for _ in range(order.lots)
    ]
    trades: list[tuple[int, int, int]] = []
    for buyer, seller in list(zip(buying, selling, strict=False))[:quantity]:
        if trades and trades[-1][:2] == (buyer, seller):
            trades[-1] = (buyer, seller, trades[-1][2] + 1)
        else:
            trades.append((buyer, seller, 1))
    return trades
