"""The engine itself, in the form that the comparison judges."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from tests.differential.compare import Balances, OpenOrder
from tests.reference.codes import Side
from tradewright import _core


class RustEngine:
    """The engine as Python's binding gives it."""

    def __init__(self) -> None:
        self._engine = _core.Engine(keep_events=False, open_orders_expected=64)

    def apply(self, records: npt.NDArray[Any], /) -> npt.NDArray[Any]:
        events = self._engine.apply(records)
        # The reference exchange has no epochs.
        events["epoch"] -= 1
        return events

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
                order.trigger_price_ticks,
                order.expire_time_ns,
                order.displayed_lots,
                order.session,
                order.list_id,
                order.is_pending,
            )
            for order in self._engine.open_orders()
        ]

    def lists(self) -> dict[int, list[int]]:
        return {each.list_id: each.order_ids for each in self._engine.order_lists()}

    def queue(self, instrument: int, side: Side) -> list[int]:
        return [order.order_id for order in self._engine.queue(instrument, side)]

    def check_invariants(self) -> None:
        self._engine.check_invariants()


class RestartingEngine(RustEngine):
    """The engine as its snapshots give it: each time it is looked into, a restored one goes on in its place."""

    def check_invariants(self) -> None:
        super().check_invariants()
        restored = _core.Engine.restore(self._engine.snapshot(), keep_events=False)
        assert restored.state_hash == self._engine.state_hash, "a restored engine has the state of its snapshot"
        self._engine = restored
        super().check_invariants()
