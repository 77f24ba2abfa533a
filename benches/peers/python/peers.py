"""Drives an engine from PyPI over a file of operations: `peers.py ENGINE FILE`. One Python call for one operation."""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CANCEL, IMMEDIATE = 1, 2
PREFILL = 5_000
TIMED = 1_000_000

Apply = Callable[[int, int, int, int, int], None]


class Sums:
    """What an engine reports."""

    def __init__(self) -> None:
        self.fills = self.quantity = self.notional = 0

    def fill(self, price: int, quantity: int) -> None:
        """Count a fill."""
        self.fills += 1
        self.quantity += quantity
        self.notional += price * quantity


def bourse(sums: Sums) -> tuple[Apply, Callable[[], None]]:
    """Return the engine's call; its fills are read at the end, and that time counts."""
    from bourse.core import OrderBook

    book, ids, clock = OrderBook(0, 1, True), {}, iter(range(1, 1 << 60))

    def apply(kind: int, side: int, quantity: int, price: int, order: int) -> None:
        book.set_time(next(clock))
        if kind == CANCEL:
            book.cancel_order(ids[order])
            return
        placed = book.place_order(side == 0, quantity, 7, price=price)
        if kind == IMMEDIATE:
            book.cancel_order(placed)
        else:
            ids[order] = placed

    def finish() -> None:
        for trade in book.get_trades():
            sums.fill(trade[2], trade[3])

    return apply, finish


def lightmatchingengine(sums: Sums) -> tuple[Apply, Callable[[], None]]:
    """Return the engine's call."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side

    engine, ids = LightMatchingEngine(), {}

    def apply(kind: int, side: int, quantity: int, price: int, order: int) -> None:
        if kind == CANCEL:
            engine.cancel_order(ids[order], "X")
            return
        placed, trades = engine.add_order("X", price, quantity, Side.BUY if side == 0 else Side.SELL)
        for trade in trades:
            if trade.order_id != placed.order_id:
                sums.fill(trade.trade_price, trade.trade_qty)
        if kind != IMMEDIATE:
            ids[order] = placed.order_id
        elif placed.leaves_qty > 0:
            engine.cancel_order(placed.order_id, "X")

    return apply, lambda: None


def orderly_chaos(sums: Sums) -> tuple[Apply, Callable[[], None]]:
    """Return the engine's call."""
    from orderly_chaos import LimitOrderBook, Side

    book = LimitOrderBook(lambda trade: sums.fill(trade.price, trade.quantity))

    def apply(kind: int, side: int, quantity: int, price: int, order: int) -> None:
        if kind == CANCEL:
            book.cancel(order)
            return
        done = book.limit(Side.BUY if side == 0 else Side.SELL, order, quantity, price)
        if kind == IMMEDIATE and done < quantity:
            book.cancel(order)

    return apply, lambda: None


def obook(sums: Sums) -> tuple[Apply, Callable[[], None]]:
    """Return the engine's call."""
    import obook as engine

    book, ids = engine.Book(4_000_000), {}

    def apply(kind: int, side: int, quantity: int, price: int, order: int) -> None:
        if kind == CANCEL:
            book.cancel(ids[order], order)
            return
        lasts = engine.IOC if kind == IMMEDIATE else engine.GTC
        placed = book.submit(order, engine.BUY if side == 0 else engine.SELL, price, quantity, engine.LIMIT, lasts)
        if kind != IMMEDIATE:
            ids[order] = placed.order_id
            return
        for event in book.events():
            if event.maker_id:
                sums.fill(event.price, event.qty)

    return apply, lambda: None


ENGINES = {engine.__name__: engine for engine in (bourse, lightmatchingengine, orderly_chaos, obook)}


def read(file: Path) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield kind, side, quantity, price and order of each operation."""
    for kind, side, _, quantity, price, order in struct.iter_unpack("<BBHIqQ", file.read_bytes()):
        yield kind, side, quantity, price, order


def main() -> None:
    """Run one engine and print its line."""
    name, file = sys.argv[1:]
    operations = list(read(Path(file)))
    sums = Sums()
    apply, finish = ENGINES[name](sums)
    timed_from, before = max(PREFILL, len(operations) - TIMED), 0
    for place, operation in enumerate(operations):
        if place == timed_from:
            before = time.thread_time_ns()
        apply(*operation)
    finish()
    ns = (time.thread_time_ns() - before) / (len(operations) - timed_from)
    sys.stdout.write(f"{name} {ns:.1f} {sums.fills} {sums.quantity} {sums.notional}\n")


if __name__ == "__main__":
    main()
