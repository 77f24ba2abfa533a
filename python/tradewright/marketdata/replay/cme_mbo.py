"""CME market-by-order recordings through a venue.

Up to the opening the book may be crossed: it is only kept as published, and so is the uncrossing. The book as it stands
after the uncrossing seeds the venue, order by order, in queue order. From there on A rests; M at a new price or of a
larger size is sent anew and loses its place, M of a smaller size reduces; C takes off. Every fill of a resting order
sends an IOC of the opposite side at the price and size of the fill, and the venue's maker is compared.

The feed reports fills before the book updates they cause, sometimes several messages before. So each fill is judged
twice: by the *published* book, less the fills of the same message (`fills_out_of_queue_order`), and by the venue
(`venue_maker_differs`), which knows every earlier fill.

Rows are counted from 1: row n stands on line n + 1 of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from time import perf_counter
from typing import Final

import numpy as np

from tradewright.marketdata.importers._table import Int64Array
from tradewright.marketdata.importers.cme_mbo import FLAG_LAST, FLAG_SNAPSHOT, UNDEFINED_PRICE, CmeRecords
from tradewright.marketdata.replay._orders import RecordedOrders
from tradewright.marketdata.replay.venue import (
    BUY,
    CONDITIONS,
    PROGRESS_ROWS,
    SELL,
    Progress,
    RecordedInstrument,
    VenueFactory,
    no_progress,
)

ADD, MODIFY, CANCEL, FILL, TRADE, CLEAR = (ord(letter) for letter in "AMCFTR")
SIDES: Final = {ord("B"): BUY, ord("A"): SELL}
PRICE_DIGITS: Final = 9
FIRST_ROWS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CmeReport:
    """What the replay of a record file came to.

    `feed_checks` count what the records claim of each other; the keys in `BREACHES` must stay zero. The kinds of fills
    out of queue order, first match: `aggressor_was_resting` (the feed shows the aggressor's own order in the book),
    `ahead_filled_by_earlier_message` (only the published book is behind; the venue picks the recorded maker),
    `ahead_withdrawn_in_same_event` (the order ahead is cancelled without a fill, as self-trade prevention does),
    `reserve_refreshed` (the order ahead or the maker was refilled after a fill, which costs it its place),
    `ahead_filled_in_same_event` (the same fills in another order), `other`.
    `levels_checked` counts the levels touched by an event whose total is compared at the event's end. `seconds` is
    the time of the replay itself, without parsing.
    """

    rows: int
    opening_ns: int
    seeded_orders: int
    feed_checks: dict[str, int]
    fills: int
    fills_uncrossing: int
    fills_out_of_queue_order: int
    out_of_queue_order_by_kind: dict[str, int]
    fills_at_another_price: int
    at_another_price_by_kind: dict[str, int]
    venue_maker_differs: int
    realigned: int
    traded_on_arrival: int
    cancels_brought_forward: int
    levels_checked: int
    levels_right: int
    first_mismatches: list[int]
    rows_per_s: int
    seconds: float
    conditions: str = CONDITIONS

    @property
    def is_right(self) -> bool:
        """The feed is consistent and the venue's book follows it; fills out of order are counted, not judged."""
        breaches = sum(self.feed_checks.get(key, 0) for key in BREACHES)
        return breaches == 0 and self.traded_on_arrival == 0 and self.levels_right == self.levels_checked


BREACHES: Final = (
    "add_known_id",
    "modify_unknown_id",
    "modify_other_side",
    "cancel_unknown_id",
    "cancel_more_than_left",
    "fill_unknown_id",
)


@dataclass(slots=True)
class _Published:
    side: int
    price: int
    size: int
    is_refreshed: bool = False


class _PublishedBook:
    """The book exactly as the records say, crossed or not, and what they claim that it contradicts."""

    def __init__(self) -> None:
        self.orders: dict[int, _Published] = {}
        self.queues: dict[tuple[int, int], dict[int, None]] = {}
        self.totals: Counter[tuple[int, int]] = Counter()
        self.checks: Counter[str] = Counter()

    def clear(self) -> None:
        self.orders.clear()
        self.queues.clear()
        self.totals.clear()

    def add(self, order_id: int, side: int, price: int, size: int, *, is_snapshot: bool) -> None:
        known = self.orders.get(order_id)
        if known is not None:
            repeats = is_snapshot and (known.side, known.price, known.size) == (side, price, size)
            self.checks["snapshot_repeated" if repeats else "add_known_id"] += 1
            if repeats:
                return
            self._leave(order_id, known)
        self.checks["added"] += 1
        self.orders[order_id] = order = _Published(side, price, size)
        self._join(order_id, order)

    def modify(self, order_id: int, side: int, price: int, size: int) -> None:
        order = self.orders.get(order_id)
        if order is None:
            self.checks["modify_unknown_id"] += 1
            self.add(order_id, side, price, size, is_snapshot=False)
            return
        if side != order.side:
            self.checks["modify_other_side"] += 1
        if price != order.price:
            self.checks["modify_price"] += 1
        elif size > order.size:
            self.checks["modify_size_up"] += 1
        elif size < order.size:
            self.checks["modify_size_down"] += 1
        else:
            self.checks["modify_same"] += 1
        if (side, price) == (order.side, order.price) and size <= order.size:
            self.totals[side, price] += size - order.size
            order.size = size
            return
        self._leave(order_id, order)
        order.side, order.price, order.size = side, price, size
        self._join(order_id, order)

    def cancel(self, order_id: int, size: int) -> None:
        order = self.orders.get(order_id)
        if order is None:
            self.checks["cancel_unknown_id"] += 1
            return
        if size > order.size:
            self.checks["cancel_more_than_left"] += 1
        if size >= order.size:
            self.checks["cancelled"] += 1
            self._leave(order_id, order)
            del self.orders[order_id]
        else:
            self.checks["cancelled_in_part"] += 1
            self.totals[order.side, order.price] -= size
            order.size -= size

    def _join(self, order_id: int, order: _Published) -> None:
        self.queues.setdefault((order.side, order.price), {})[order_id] = None
        self.totals[order.side, order.price] += order.size

    def _leave(self, order_id: int, order: _Published) -> None:
        del self.queues[order.side, order.price][order_id]
        self.totals[order.side, order.price] -= order.size


def replay_cme(records: CmeRecords, open_venue: VenueFactory, *, progress: Progress = no_progress) -> CmeReport:
    """Replay a record file, from the opening on through a venue."""
    replay = _Replay(records, open_venue)
    started = perf_counter()
    for row in range(len(records)):
        replay.apply(row)
        if not row % PROGRESS_ROWS:
            progress(row, len(records))
    seconds = perf_counter() - started
    progress(len(records), len(records))
    return replay.report(seconds)


def _of_event(records: CmeRecords, rows: Int64Array) -> Iterator[tuple[int, int]]:
    """(event time, order id) of the rows."""
    return zip(records.event_ns[rows].tolist(), records.order_id[rows].tolist(), strict=True)


class _Replay:
    def __init__(self, records: CmeRecords, open_venue: VenueFactory) -> None:
        priced = records.price[(records.price != UNDEFINED_PRICE) & (records.price > 0)]
        unit = int(np.gcd.reduce(priced)) if priced.size else 1
        tick = format(Decimal(unit).scaleb(-PRICE_DIGITS).normalize(), "f")
        self.orders = RecordedOrders(open_venue(RecordedInstrument(symbol="RECORDED", tick=tick, lot="1")))
        self.book = _PublishedBook()
        self._action = records.action.tolist()
        self._side = records.side.tolist()
        self._price = (records.price // unit).tolist()
        self._size = records.size.tolist()
        self._order_id = records.order_id.tolist()
        self._flags = records.flags.tolist()
        self._sequence = records.sequence.tolist()
        self._event_ns = records.event_ns.tolist()
        self._received_ns = np.maximum.accumulate(records.received_ns).tolist()
        cancels = np.flatnonzero(records.action == CANCEL)
        fills = np.flatnonzero(records.action == FILL)
        self._filled_in_event = set(_of_event(records, fills))
        self._withdrawn = set(_of_event(records, cancels)) - self._filled_in_event
        trades = np.flatnonzero(records.action == TRADE)
        self.opening_ns = int(records.event_ns[trades[0]]) if trades.size else int(records.event_ns[-1]) + 1
        self._seed_row = self._first_row_of_continuous_trading(records)
        self.seeded_orders = 0
        self.fills = self.fills_uncrossing = self.out_of_order = self.maker_differs = 0
        self.out_of_order_kinds: Counter[str] = Counter()
        self.other_price_kinds: Counter[str] = Counter()
        self.levels_checked = self.levels_right = 0
        self.first_mismatches: list[int] = []
        self.cancels_brought_forward = 0
        self._aggressor = 0
        self._touched: set[tuple[int, int]] = set()
        self._filled: dict[int, int] = {}  # fills of the message `_filled_sequence`, by recorded id
        self._filled_sequence = -1

    def _first_row_of_continuous_trading(self, records: CmeRecords) -> int:
        """The row after the uncrossing: a first trade without an aggressor's side is one, up to its event's end."""
        trades = np.flatnonzero(records.action == TRADE)
        if not trades.size:
            return len(records)
        first = int(trades[0])
        if int(records.side[first]) in SIDES:
            return first
        ends = np.flatnonzero((records.flags[first:] & FLAG_LAST) != 0)
        return first + int(ends[0]) + 1 if ends.size else len(records)

    def apply(self, row: int) -> None:
        """Check one record against the published book, send what it stands for, and compare at an event's end."""
        if row == self._seed_row:
            self._seed()
        is_open = row >= self._seed_row
        if is_open:
            self.orders.venue.set_time(self._received_ns[row])
        action = self._action[row]
        if action == FILL:
            self._fill(row, is_open=is_open)
        elif action == TRADE:
            self._aggressor = self._order_id[row]
        elif action == CLEAR:
            self._clear()
        else:
            self._update(row, action, is_open=is_open)
        if is_open and self._flags[row] & FLAG_LAST:
            self._compare(row)

    def _seed(self) -> None:
        self.orders.venue.set_time(self._received_ns[self._seed_row])
        for (side, price), queue in self.book.queues.items():
            for order_id in queue:
                self.orders.rest(order_id, side, price, self.book.orders[order_id].size)
                self.seeded_orders += 1

    def _clear(self) -> None:
        for order_id in self.book.orders:
            self.orders.withdraw(order_id)
        self.book.clear()

    def _update(self, row: int, action: int, *, is_open: bool) -> None:
        order_id, price, size = self._order_id[row], self._price[row], self._size[row]
        side = SIDES[self._side[row]]
        before = self.book.orders.get(order_id)
        if before is not None:
            self._touched.add((before.side, before.price))
        place = (before.side, before.price) if before is not None else None
        if action == ADD:
            self.book.add(order_id, side, price, size, is_snapshot=bool(self._flags[row] & FLAG_SNAPSHOT))
        elif action == MODIFY:
            self.book.modify(order_id, side, price, size)
        else:
            self.book.cancel(order_id, size)
        if not is_open:
            return
        if action != CANCEL and not self._flags[row] & FLAG_LAST:
            self._bring_cancels_forward(row)
        after = self.book.orders.get(order_id)
        venue_open = self.orders.open_of(order_id)
        if after is None:
            self.orders.withdraw(order_id)
            return
        self._touched.add((after.side, after.price))
        if venue_open and (place != (after.side, after.price) or after.size > venue_open):
            self.orders.withdraw(order_id)
            self.orders.rest(order_id, after.side, after.price, after.size)
        elif venue_open == 0:
            after.is_refreshed = place is not None
            self.orders.rest(order_id, after.side, after.price, after.size)
        elif after.size < venue_open:
            self.orders.reduce(order_id, after.side, after.price, venue_open - after.size)

    def _bring_cancels_forward(self, row: int) -> None:
        """Take off what the rest of this event cancels before the venue sees the order of this row.

        Self-trade prevention publishes the new order first and then the cancels of what it would have traded with.
        """
        for later in range(row + 1, len(self._action)):
            if self._action[later] == CANCEL:
                order = self.book.orders.get(self._order_id[later])
                if order is not None and self._size[later] >= order.size:
                    self.orders.withdraw(self._order_id[later])
                    self.cancels_brought_forward += 1
            if self._flags[later] & FLAG_LAST:
                return

    def _fill(self, row: int, *, is_open: bool) -> None:
        order_id, price, size = self._order_id[row], self._price[row], self._size[row]
        order = self.book.orders.get(order_id)
        is_uncrossing = self._side[row] not in SIDES
        if is_uncrossing:
            self.fills_uncrossing += 1
        else:
            self.fills += 1
        if order is None:
            self.book.checks["fill_of_unshown_order" if is_uncrossing else "fill_unknown_id"] += 1
            return
        if size > order.size:
            self.book.checks["fill_more_than_left"] += 1
        is_aggressor = order_id == self._aggressor
        if price != order.price:
            kind = "uncrossing" if is_uncrossing else "aggressor_was_resting" if is_aggressor else "other"
            self.other_price_kinds[kind] += 1
        if is_uncrossing or not is_open:
            return
        ahead = self._ahead_in_published_queue(row, order_id, order)
        self._touched.add((order.side, order.price))
        if is_aggressor:
            # The feed shows the aggressor's own order in the book: its fill is no fill of a maker.
            self.orders.reduce(order_id, order.side, order.price, size)
            venue_agrees = False
        else:
            realigned = self.orders.executed.realigned
            self.orders.execute(row, order_id, order.side, price, size)
            self.orders.settle()
            venue_agrees = self.orders.executed.realigned == realigned
            self.maker_differs += not venue_agrees
        if ahead is not None:
            self.out_of_order += 1
            self.out_of_order_kinds[self._kind(row, order, ahead, is_aggressor, venue_agrees)] += 1

    def _ahead_in_published_queue(self, row: int, order_id: int, order: _Published) -> int | None:
        """The order that the published queue puts before this one, less what this message already filled."""
        if self._sequence[row] != self._filled_sequence:
            self._filled_sequence = self._sequence[row]
            self._filled.clear()
        first: int | None = None
        for candidate in self.book.queues[order.side, order.price]:
            if self._filled.get(candidate, 0) < self.book.orders[candidate].size:
                first = candidate
                break
        self._filled[order_id] = self._filled.get(order_id, 0) + self._size[row]
        if first == order_id:
            return None
        return order_id if first is None else first

    def _kind(self, row: int, order: _Published, ahead: int, is_aggressor: bool, venue_agrees: bool) -> str:
        if is_aggressor:
            return "aggressor_was_resting"
        if venue_agrees:
            return "ahead_filled_by_earlier_message"
        if (self._event_ns[row], ahead) in self._withdrawn:
            return "ahead_withdrawn_in_same_event"
        if order.is_refreshed or self.book.orders[ahead].is_refreshed:
            return "reserve_refreshed"
        if (self._event_ns[row], ahead) in self._filled_in_event:
            return "ahead_filled_in_same_event"
        return "other"

    def _compare(self, row: int) -> None:
        is_right = True
        for side, price in self._touched:
            self.levels_checked += 1
            if self.orders.venue.level_quantity(side, price) == self.book.totals[side, price]:
                self.levels_right += 1
            else:
                is_right = False
        if not is_right and len(self.first_mismatches) < FIRST_ROWS_MAX:
            self.first_mismatches.append(row + 1)
        self._touched.clear()

    def report(self, seconds: float) -> CmeReport:
        """Everything counted so far."""
        executed = self.orders.executed
        return CmeReport(
            rows=len(self._action),
            opening_ns=self.opening_ns,
            seeded_orders=self.seeded_orders,
            feed_checks=dict(sorted(self.book.checks.items())),
            fills=self.fills,
            fills_uncrossing=self.fills_uncrossing,
            fills_out_of_queue_order=self.out_of_order,
            out_of_queue_order_by_kind=dict(sorted(self.out_of_order_kinds.items())),
            fills_at_another_price=sum(self.other_price_kinds.values()),
            at_another_price_by_kind=dict(sorted(self.other_price_kinds.items())),
            venue_maker_differs=self.maker_differs,
            realigned=executed.realigned,
            traded_on_arrival=executed.traded_on_arrival,
            cancels_brought_forward=self.cancels_brought_forward,
            levels_checked=self.levels_checked,
            levels_right=self.levels_right,
            first_mismatches=self.first_mismatches,
            rows_per_s=round(len(self._action) / seconds) if seconds else 0,
            seconds=round(seconds, 3),
        )
