"""Real recordings through every venue: the figures are normative."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tests.replay.naive_venue import NaiveVenue
from tradewright.marketdata.importers import bitstamp, cme_mbo, itch_csv, lobster
from tradewright.marketdata.replay.bitstamp import replay_bitstamp
from tradewright.marketdata.replay.cme_mbo import replay_cme
from tradewright.marketdata.replay.itch import replay_itch
from tradewright.marketdata.replay.lobster import LobsterReport, replay_lobster, replay_lobster_seeded
from tradewright.marketdata.replay.venue import Fill, VenueFactory

GOOG_PREFIX_ROWS = 10_000
T = TypeVar("T", lobster.LobsterMessages, lobster.LobsterBook)


def first_rows(columns: T, rows: int) -> T:
    """The same recording, cut after `rows` rows."""
    arrays = {field.name: getattr(columns, field.name) for field in fields(columns)}
    cut: dict[str, Any] = {name: array[:rows] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return replace(columns, **cut)


def goog(data: Path, levels: int = 10) -> tuple[lobster.LobsterMessages, lobster.LobsterBook]:
    stem = data / "lobster" / "GOOG_2012-06-21_34200000_57600000"
    return lobster.read_messages(f"{stem}_message_{levels}.csv.zst"), lobster.read_book(
        f"{stem}_orderbook_{levels}.csv.zst"
    )


def check(report: object, **expected: object) -> None:
    assert {name: getattr(report, name) for name in expected} == expected


def test_goog_prefix(data: Path, venue: VenueFactory) -> None:
    messages, book = goog(data)
    report = replay_lobster(first_rows(messages, GOOG_PREFIX_ROWS), first_rows(book, GOOG_PREFIX_ROWS), venue)
    check(report, rows=10_000, rows_right=10_000, first_mismatches=[], priority_wrong_rows=[], realigned=0)
    assert report.executions_checked > 0
    assert report.is_right


def test_goog_10_levels(data: Path, full_venue: VenueFactory) -> None:
    check(
        replay_lobster(*goog(data), full_venue),
        rows=147_916,
        rows_right=147_916,
        first_mismatches=[],
        revealed=44_451,
        realigned=5,
        executions=7_765,
        executions_checked=6_949,
        priority_right=6_944,
        priority_wrong_rows=[69_773, 131_725, 131_726, 131_727, 145_471],
    )


def test_aapl_level_1(data: Path, full_venue: VenueFactory) -> None:
    stem = data / "lobster" / "AAPL_2012-06-21_34200000_57600000"
    report = replay_lobster(
        lobster.read_messages(f"{stem}_message_1.csv.zst"),
        lobster.read_book(f"{stem}_orderbook_1.csv.zst"),
        full_venue,
    )
    check(report, rows=118_497, rows_right=118_497, revealed=30_071)


def test_aapl_seeded_with_50_levels(data: Path, full_venue: VenueFactory) -> None:
    folder = data / "lobster"
    report = replay_lobster_seeded(
        lobster.read_messages(folder / "AAPL_2012-06-21_34200000_37800000_message_50.csv.zst"),
        lobster.read_book(folder / "AAPL_2012-06-21_first672rows_orderbook_50.csv.zst"),
        lobster.read_messages(folder / "AAPL_2012-06-21_34200000_57600000_message_1.csv.zst"),
        lobster.read_book(folder / "AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.zst"),
        full_venue,
    )
    check(report, messages=91_997, rows=672, rows_right=672, best_rows=25_641)
    assert report.best_right >= 25_623
    assert report.is_right


def test_msft_50_levels(data: Path, venue: VenueFactory) -> None:
    stem = data / "lobster" / "MSFT_2012-06-21_from36002_1000rows"
    report = replay_lobster(
        lobster.read_messages(f"{stem}_message_50.csv.zst"), lobster.read_book(f"{stem}_orderbook_50.csv.zst"), venue
    )
    check(report, rows=1_000, rows_right=1_000, priority_wrong_rows=[])


def test_itch(data: Path, venue: VenueFactory) -> None:
    # The market gives back 17 executions to old orders that it had entered anew (events 351 to 377, in the order of
    # their ids) behind a younger one: the feed alone cannot show that they kept their places.
    events = itch_csv.read_events(data / "itch_events" / "AAPL_2019-01-30_rows1-6000.csv.zst")
    check(
        replay_itch(events, venue),
        rows=6_000,
        rows_right=6_000,
        first_mismatches=[],
        executions=649,
        executions_checked=451,
        priority_right=434,
    )


def test_bitstamp(data: Path, full_venue: VenueFactory) -> None:
    events = bitstamp.read_log(data / "crypto_l3" / "bitstamp_btcusd_2015-05-01_part1.log.zst")
    report = replay_bitstamp(events, full_venue)
    check(
        report,
        best_checked=118,
        best_right=118,
        levels_checked=2_360,
        created=16_407,
        traded_on_arrival=239,
        change_after_delete=1,
    )
    assert report.levels_right >= 2_343
    assert report.is_right


def test_cme(data: Path, full_venue: VenueFactory) -> None:
    report = replay_cme(cme_mbo.read_records(data / "cme_mbo" / "esh4_20231225.csv.zst"), full_venue)
    check(
        report,
        rows=68_792,
        opening_ns=1_703_545_200 * 10**9,
        fills=6_336,
        fills_out_of_queue_order=779,
        fills_at_another_price=132,
        at_another_price_by_kind={"aggressor_was_resting": 107, "uncrossing": 25},
        traded_on_arrival=0,
    )
    assert sum(report.out_of_queue_order_by_kind.values()) == 779
    assert report.levels_right == report.levels_checked > 0
    assert report.is_right


# -- a venue that is wrong must not pass ----------------------------------------------------------------------------


class YoungestFirst(NaiveVenue):
    """Gives a level's executions to its youngest order."""

    def _match(self, side: int, price: int, quantity: int) -> list[Fill]:
        for level in self._levels[1 - side].values():
            for order_id in reversed(list(level)[:-1]):
                level[order_id] = level.pop(order_id)
        return super()._match(side, price, quantity)


class LosesALot(NaiveVenue):
    """Takes one lot too many off when it reduces."""

    def reduce(self, order_id: int, by: int) -> int:
        return super().reduce(order_id, by + 1)


def prefix(data: Path, venue: VenueFactory) -> LobsterReport:
    messages, book = goog(data, levels=1)
    return replay_lobster(first_rows(messages, 3_000), first_rows(book, 3_000), venue)


def test_wrong_priority_is_counted_and_the_book_goes_on(data: Path) -> None:
    report = prefix(data, YoungestFirst)
    assert report.priority_right < report.executions_checked
    assert report.realigned >= report.executions_checked - report.priority_right
    assert report.rows_right == report.rows, "the totals of a level do not depend on its maker"


def test_wrong_quantity_is_a_mismatch_that_is_not_corrected(data: Path) -> None:
    report = prefix(data, LosesALot)
    assert not report.is_right
    assert report.first_mismatches
    assert report.rows_right < report.rows - len(report.first_mismatches)
