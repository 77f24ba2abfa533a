"""The engine itself, in the form that the comparison judges."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from tests.differential.compare import Balances, OpenOrder
from tests.reference.codes import Side
from tradewright import _core


class RustEngine:
    """The engine as Python's binding gives it. It names epoch 0 in its events, as the reference exchange does."""

    def __init__(self) -> None:
        self._engine = _core.Engine(epoch=0, keep_events=False, open_orders_expected=64)

    def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
        return self._engine.apply(records)

    def balances(self) -> Balances:
        return {(account, asset): (available, held) for asset, account, available, held in self._engine.balances()}

    def open_orders(self) -> list[OpenOrder]:
        return [
            OpenOrder(
                order.order_id,
                order.account,
                order.instrument,
                order.side,
                order.price_ticks,
                order.total_lots,
                order.open_lots,
                order.prevented_lots,
                order.hold,
            )
            for order in self._engine.open_orders()
        ]

    def queue(self, instrument: int, side: Side) -> list[int]:
        return [order.order_id for order in self._engine.queue(instrument, side)]

    def check_invariants(self) -> None:
        self._engine.check_invariants()
