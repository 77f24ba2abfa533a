"""Bitstamp live order logs through a venue.

Every `order_created` is posted and trades on arrival where the venue says so; no aggressor is made. `order_changed` and
`order_deleted` then set what is open, and count where the venue differed: less is taken off with priority kept, a new
price is sent like a new order, and more is posted again unless it would trade. A change after a delete is ignored.
Nothing is known of the book before the first line, so the published books are compared only from `compare_from_s` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Final

from tradewright.marketdata.importers.bitstamp import BitstampBook, BitstampEvent, BitstampOrder, OrderEvent
from tradewright.marketdata.replay.venue import (
    BUY,
    CONDITIONS,
    PROGRESS_ROWS,
    SELL,
    Progress,
    RecordedInstrument,
    ReplayVenue,
    VenueFactory,
    no_progress,
)

COMPARE_FROM_S: Final = 10_800
NS_PER_MS: Final = 1_000_000

LEVELS_RIGHT_MIN: Final = (2_343, 2_360)
"""The share of published levels that must be right: orders from before the log stay unknown for hours."""


@dataclass(slots=True, kw_only=True)
class OrderCounts:
    """How often the log and the venue met, and how often they differed."""

    created: int = 0
    traded_on_arrival: int = 0
    created_after_delete: int = 0
    changed: int = 0
    changed_differed: int = 0
    changed_price: int = 0
    change_unknown: int = 0
    change_after_delete: int = 0
    deleted: int = 0
    deleted_differed: int = 0
    delete_unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BitstampReport:
    """What the replay of a log came to.

    The venue *differed* when its open quantity was not the recorded one before it was set: for an aggressor this is
    the rule, since it fills at once what the log reports fill by fill. `best_checked` counts either side of every
    published book, `levels_checked` its levels. `seconds` is the time of the replay itself, without parsing.
    """

    rows: int
    books: int
    best_checked: int
    best_right: int
    levels_checked: int
    levels_right: int
    created: int
    traded_on_arrival: int
    created_after_delete: int
    changed: int
    changed_differed: int
    changed_price: int
    change_unknown: int
    change_after_delete: int
    deleted: int
    deleted_differed: int
    delete_unknown: int
    rows_per_s: int
    seconds: float
    conditions: str = CONDITIONS

    @property
    def is_right(self) -> bool:
        """Every best price is right, and of the levels the share that an unknown start allows."""
        right, of = LEVELS_RIGHT_MIN
        return self.best_right == self.best_checked and self.levels_right * of >= self.levels_checked * right


def replay_bitstamp(
    events: list[BitstampEvent],
    open_venue: VenueFactory,
    *,
    compare_from_s: int = COMPARE_FROM_S,
    progress: Progress = no_progress,
) -> BitstampReport:
    """Replay a log and compare the published books from `compare_from_s` seconds after its first line."""
    venue = open_venue(RecordedInstrument(symbol="BTC/USD", tick="0.01", lot="0.00000001"))
    orders = _Orders(venue)
    compare_from_ms = events[0].time_ms + 1000 * compare_from_s if events else 0
    books = best_checked = best_right = levels_checked = levels_right = 0
    now_ms = 0
    started = perf_counter()
    for row, event in enumerate(events):
        now_ms = max(now_ms, event.time_ms)
        venue.set_time(now_ms * NS_PER_MS)
        if isinstance(event, BitstampOrder):
            orders.apply(event)
        elif isinstance(event, BitstampBook) and event.time_ms >= compare_from_ms:
            books += 1
            for side, have, want in zip((BUY, SELL), venue.depth(1), (event.bids, event.asks), strict=True):
                best_checked += 1
                best_right += [price for price, _ in have] == [price for price, _ in want[:1]]
                levels_checked += len(want)
                levels_right += sum(venue.level_quantity(side, price) == quantity for price, quantity in want)
        if not row % PROGRESS_ROWS:
            progress(row, len(events))
    seconds = perf_counter() - started
    progress(len(events), len(events))
    counts = orders.counts
    return BitstampReport(
        rows=len(events),
        books=books,
        best_checked=best_checked,
        best_right=best_right,
        levels_checked=levels_checked,
        levels_right=levels_right,
        created=counts.created,
        traded_on_arrival=counts.traded_on_arrival,
        created_after_delete=counts.created_after_delete,
        changed=counts.changed,
        changed_differed=counts.changed_differed,
        changed_price=counts.changed_price,
        change_unknown=counts.change_unknown,
        change_after_delete=counts.change_after_delete,
        deleted=counts.deleted,
        deleted_differed=counts.deleted_differed,
        delete_unknown=counts.delete_unknown,
        rows_per_s=round(len(events) / seconds) if seconds else 0,
        seconds=round(seconds, 3),
    )


class _Orders:
    """The recorded orders as the venue holds them."""

    def __init__(self, venue: ReplayVenue) -> None:
        self.venue = venue
        self.counts = OrderCounts()
        self._posted: dict[int, tuple[int, int]] = {}  # recorded id -> (venue id, price)
        self._deleted: set[int] = set()

    def apply(self, event: BitstampOrder) -> None:
        if event.event is OrderEvent.CREATED:
            self._create(event)
        elif event.event is OrderEvent.CHANGED:
            self._change(event)
        else:
            self._delete(event)

    def _create(self, event: BitstampOrder) -> None:
        self.counts.created += 1
        self.counts.traded_on_arrival += self._post(event)
        if event.order_id in self._deleted:
            # The feed is out of order here: the order was gone before its creation was reported.
            self.counts.created_after_delete += 1
            self.venue.cancel(self._posted.pop(event.order_id)[0])

    def _change(self, event: BitstampOrder) -> None:
        if event.order_id in self._deleted:
            self.counts.change_after_delete += 1
            return
        self.counts.changed += 1
        posted = self._posted.get(event.order_id)
        if posted is None:
            self.counts.change_unknown += 1
            self._post(event)
            return
        order_id, price = posted
        is_open = self.venue.open_quantity(order_id)
        self.counts.changed_differed += is_open != event.quantity
        if price != event.price:
            self.counts.changed_price += 1
            self.venue.cancel(order_id)
            self._post(event)
        elif is_open > event.quantity:
            self.venue.reduce(order_id, is_open - event.quantity)
        elif is_open < event.quantity and not self._would_trade(event.side, event.price):
            self.venue.cancel(order_id)
            self._post(event)

    def _delete(self, event: BitstampOrder) -> None:
        self.counts.deleted += 1
        self._deleted.add(event.order_id)
        posted = self._posted.pop(event.order_id, None)
        if posted is None:
            self.counts.delete_unknown += 1
            return
        self.counts.deleted_differed += self.venue.cancel(posted[0]) != event.quantity

    def _post(self, event: BitstampOrder) -> bool:
        """Send what the log says is open of an order: whether it traded on arrival."""
        if event.quantity == 0:
            self._posted[event.order_id] = (0, event.price)
            return False
        order_id, fills = self.venue.rest(event.side, event.price, event.quantity)
        self._posted[event.order_id] = (order_id, event.price)
        return bool(fills)

    def _would_trade(self, side: int, price: int) -> bool:
        bids, asks = self.venue.depth(1)
        if side == BUY:
            return bool(asks) and price >= asks[0][0]
        return bool(bids) and price <= bids[0][0]
