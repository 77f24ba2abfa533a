"""The engine as the venue of a replay: the one place where the two meet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tradewright._rejections import rejection
from tradewright.enums import AccountKind, OrderStatus, OrderType, SelfTradePrevention, TimeInForce
from tradewright.exchange import Exchange
from tradewright.marketdata.replay.venue import Fill, Levels, RecordedInstrument, ReplayVenue

# Plain ints: the calls below are made for every row of a recording.
_GTC: Final = int(TimeInForce.GTC)
_IOC: Final = int(TimeInForce.IOC)
_LIMIT: Final = int(OrderType.LIMIT)
_TRADES_WITH_ITSELF: Final = int(SelfTradePrevention.NONE)
_REJECTED: Final = int(OrderStatus.REJECTED)
_PLENTY: Final = 10**15
"""Lots of the base asset, and units of the quote asset: no recording runs out of either."""


class EngineVenue:
    """The engine with one instrument without fees, band or limits, and two funded house accounts."""

    def __init__(self, instrument: RecordedInstrument) -> None:
        self._exchange = Exchange()
        listing = self._exchange.list_spot(
            f"{instrument.symbol}/CASH", tick=instrument.tick, lot=instrument.lot, price_band=None
        )
        accounts = [self._exchange.open_account(name, kind=AccountKind.HOUSE) for name in ("maker", "aggressor")]
        for account in accounts:
            account.deposit(listing.base.name, _PLENTY * listing.lot)
            account.deposit(listing.quote.name, _PLENTY)
        self._maker, self._aggressor = (account.id for account in accounts)
        self._instrument = listing.id
        self._engine = self._exchange.engine
        self._time_ns = 0

    def rest(self, side: int, price: int, quantity: int) -> tuple[int, list[Fill]]:
        """Send a GTC limit of the maker account."""
        return self._place(self._maker, side, price, quantity, _GTC)

    def take(self, side: int, price: int, quantity: int) -> list[Fill]:
        """Send an IOC limit of the aggressor account."""
        return self._place(self._aggressor, side, price, quantity, _IOC)[1]

    def _place(self, account: int, side: int, price: int, quantity: int, in_force: int) -> tuple[int, list[Fill]]:
        outcome = self._engine.place(
            account,
            self._instrument,
            side,
            price,
            quantity,
            in_force,
            _LIMIT,
            _TRADES_WITH_ITSELF,
            0,
            0,
            self._time_ns,
        )
        if outcome.status == _REJECTED:
            raise rejection(outcome.reason, {"price": price, "quantity": quantity, "side": side})
        return outcome.order_id, outcome.fills

    def reduce(self, order_id: int, by: int) -> int:
        """Amend an order to a lower total, which keeps its place; cancel it when nothing would be left."""
        order = self._engine.order(order_id)
        if order is None:
            return 0
        if by >= order.open_lots:
            self.cancel(order_id)
            return 0
        total = order.total_lots - by
        outcome = self._engine.amend(self._maker, order_id, order.price_ticks, total, 0, self._time_ns)
        if outcome.status == _REJECTED:
            raise rejection(outcome.reason, {"order": order_id, "quantity": total})
        return outcome.open_lots

    def cancel(self, order_id: int) -> int:
        """Remove an order: what was open, 0 when it was not."""
        was_open = self._engine.open_lots(order_id)
        if was_open:
            self._engine.cancel(self._maker, order_id, 0, self._time_ns)
        return was_open

    def open_quantity(self, order_id: int) -> int:
        """What is open of an order, 0 when it is not open."""
        return self._engine.open_lots(order_id)

    def depth(self, levels: int) -> tuple[Levels, Levels]:
        """At most `levels` levels of the bids and of the asks."""
        bids, asks = (
            [(price, quantity) for price, quantity, _ in self._engine.levels(self._instrument, side, levels)]
            for side in (0, 1)
        )
        return bids, asks

    def depth_bytes(self, levels: int) -> bytes:
        """The same as little-endian int64."""
        return self._engine.depth_bytes(self._instrument, levels)

    def level_quantity(self, side: int, price: int) -> int:
        """The total open at one price, 0 when none."""
        return self._engine.open_at(self._instrument, side, price)

    def set_time(self, time_ns: int) -> None:
        """Set the time of the commands that follow."""
        self._time_ns = time_ns

    def write_events(self, path: Path) -> int:
        """Write every event so far as Parquet: the number of events."""
        import pyarrow.parquet as parquet

        events = self._exchange.events
        parquet.write_table(events.to_arrow(), path, compression="zstd")
        return len(events)

    def check_invariants(self) -> None:
        """Recompute the engine's whole state."""
        self._engine.check_invariants()


def open_venue(instrument: RecordedInstrument) -> ReplayVenue:
    """Open the engine on one instrument with the two house accounts funded."""
    return EngineVenue(instrument)
