"""A venue in plain Python: price-time priority with dicts and a sorted list, written to be obviously right.

It stands behind the same Protocol as the engine, so that what a replay reports can be judged without the engine.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, insort

from tradewright.marketdata.replay.venue import BUY, Fill, Levels, RecordedInstrument


class NaiveVenue:
    """Orders of a level stand in a dict: its insertion order is time priority."""

    def __init__(self, instrument: RecordedInstrument | None = None) -> None:
        self.instrument = instrument
        self.time_ns = 0
        self._last_id = 0
        self._orders: dict[int, tuple[int, int]] = {}  # id -> (side, price)
        self._levels: tuple[dict[int, dict[int, int]], ...] = ({}, {})  # side -> price -> id -> open
        self._totals: tuple[dict[int, int], ...] = ({}, {})
        self._keys: tuple[list[int], ...] = ([], [])  # side -> prices, best last

    def rest(self, side: int, price: int, quantity: int) -> tuple[int, list[Fill]]:
        assert min(price, quantity) > 0, (price, quantity)
        fills = self._match(side, price, quantity)
        left = quantity - sum(fill[2] for fill in fills)
        self._last_id += 1
        if left:
            level = self._levels[side].get(price)
            if level is None:
                level = self._levels[side][price] = {}
                self._totals[side][price] = 0
                insort(self._keys[side], self._key(side, price))
            level[self._last_id] = left
            self._totals[side][price] += left
            self._orders[self._last_id] = (side, price)
        return self._last_id, fills

    def take(self, side: int, price: int, quantity: int) -> list[Fill]:
        assert min(price, quantity) > 0, (price, quantity)
        return self._match(side, price, quantity)

    def reduce(self, order_id: int, by: int) -> int:
        place = self._orders.get(order_id)
        if place is None:
            return 0
        side, price = place
        level = self._levels[side][price]
        removed = min(by, level[order_id])
        level[order_id] -= removed
        self._totals[side][price] -= removed
        if level[order_id]:
            return level[order_id]
        del level[order_id], self._orders[order_id]
        if not level:
            self._drop_level(side, price)
        return 0

    def cancel(self, order_id: int) -> int:
        was_open = self.open_quantity(order_id)
        self.reduce(order_id, was_open)
        return was_open

    def open_quantity(self, order_id: int) -> int:
        place = self._orders.get(order_id)
        return self._levels[place[0]][place[1]][order_id] if place else 0

    def depth(self, levels: int) -> tuple[Levels, Levels]:
        bids = [(key, self._totals[0][key]) for key in self._keys[0][: -levels - 1 : -1]]
        asks = [(-key, self._totals[1][-key]) for key in self._keys[1][: -levels - 1 : -1]]
        return bids, asks

    def depth_bytes(self, levels: int) -> bytes:
        flat: list[int] = []
        for side in self.depth(levels):
            for level in side:
                flat.extend(level)
            flat.extend((0, 0) * (levels - len(side)))
        return struct.pack(f"<{len(flat)}q", *flat)

    def level_quantity(self, side: int, price: int) -> int:
        return self._totals[side].get(price, 0)

    def set_time(self, time_ns: int) -> None:
        assert time_ns >= self.time_ns, (time_ns, self.time_ns)
        self.time_ns = time_ns

    def check_invariants(self) -> None:
        """Orders, levels, totals and keys tell one story, and the book is not crossed."""
        for side in (0, 1):
            assert self._keys[side] == sorted(self._key(side, price) for price in self._levels[side])
            for price, level in self._levels[side].items():
                assert min(level.values()) > 0
                assert sum(level.values()) == self._totals[side][price]
                assert all(self._orders[order_id] == (side, price) for order_id in level)
        assert len(self._orders) == sum(len(level) for side in self._levels for level in side.values())
        assert not self._keys[0] or not self._keys[1] or self._keys[0][-1] < -self._keys[1][-1]

    def _match(self, side: int, price: int, quantity: int) -> list[Fill]:
        fills: list[Fill] = []
        makers = 1 - side
        while quantity and self._keys[makers]:
            best = abs(self._keys[makers][-1])
            if best > price if side == BUY else best < price:
                break
            maker, maker_open = next(iter(self._levels[makers][best].items()))
            traded = min(quantity, maker_open)
            self.reduce(maker, traded)
            fills.append((maker, best, traded))
            quantity -= traded
        return fills

    def _drop_level(self, side: int, price: int) -> None:
        del self._levels[side][price], self._totals[side][price]
        del self._keys[side][bisect_left(self._keys[side], self._key(side, price))]

    @staticmethod
    def _key(side: int, price: int) -> int:
        return price if side == BUY else -price
