"""Small recordings written by hand: each shows one rule of the replay."""

from __future__ import annotations

from pathlib import Path

from tests.replay.naive_venue import NaiveVenue
from tradewright.marketdata.importers import bitstamp, cme_mbo, lobster
from tradewright.marketdata.replay.bitstamp import BitstampReport, replay_bitstamp
from tradewright.marketdata.replay.cme_mbo import CmeReport, replay_cme
from tradewright.marketdata.replay.lobster import LobsterReport, replay_lobster

NO_ASK, NO_BID = "9999999999,0", "-9999999999,0"


def lobster_replay(folder: Path, *rows: tuple[str, str], levels: int | None = None) -> LobsterReport:
    """Replay rows of (message without time, book)."""
    messages, book = folder / "message.csv", folder / "book.csv"
    messages.write_text("".join(f"{34200 + at}.5,{message}\n" for at, (message, _) in enumerate(rows)))
    book.write_text("".join(f"{row}\n" for _, row in rows))
    return replay_lobster(lobster.read_messages(messages), lobster.read_book(book), NaiveVenue, levels=levels)


def test_a_level_that_becomes_visible_enters_and_one_that_leaves_is_cancelled(tmp_path: Path) -> None:
    report = lobster_replay(
        tmp_path,
        ("5,0,10,999900,1", "1000000,5,990000,7"),  # a hidden execution: the seed is the row itself
        ("1,11,3,995000,1", "1000000,5,995000,3"),  # 99.00 leaves the window and is cancelled
        ("4,11,3,995000,1", "1000000,5,990000,9"),  # ... so all of it comes back as one anonymous order
        ("2,77,4,990000,1", "1000000,5,990000,5"),  # an unknown id reduces the anonymous order
    )
    assert (report.rows, report.rows_right, report.revealed) == (4, 4, 1)
    assert (report.executions, report.executions_checked, report.priority_right) == (1, 1, 1)


def test_the_seed_is_row_one_with_message_one_undone(tmp_path: Path) -> None:
    report = lobster_replay(
        tmp_path,
        ("4,50,4,990000,1", "1000000,5,990000,7"),  # 11 were there: the anonymous order is the maker
        ("4,50,7,990000,1", f"1000000,5,{NO_BID}"),
    )
    assert (report.rows_right, report.executions, report.executions_checked) == (2, 2, 0)


def test_another_maker_is_counted_then_put_right(tmp_path: Path) -> None:
    report = lobster_replay(
        tmp_path,
        ("1,1,3,990000,1", f"{NO_ASK},990000,3"),
        ("1,2,3,990000,1", f"{NO_ASK},990000,6"),
        ("4,2,2,990000,1", f"{NO_ASK},990000,4"),  # the recording hits the younger order
        ("4,1,3,990000,1", f"{NO_ASK},990000,1"),  # and then all of the older one, which got its lots back
        ("3,2,1,990000,1", f"{NO_ASK},{NO_BID}"),
    )
    assert report.rows_right == 5
    assert (report.priority_right, report.priority_wrong_rows, report.realigned) == (1, [3], 1)


def test_a_mismatch_stays_one(tmp_path: Path) -> None:
    report = lobster_replay(
        tmp_path,
        ("5,0,10,999900,1", "1000000,5,990000,7"),
        ("2,77,4,990000,1", "1000000,5,990000,2"),  # 7 - 4 is not 2
        ("5,0,10,999900,1", "1000000,5,990000,2"),
    )
    assert (report.rows_right, report.first_mismatches, report.is_right) == (1, [2, 3], False)


def test_fewer_levels_are_compared_on_demand(tmp_path: Path) -> None:
    rows = (
        ("5,0,10,999900,1", "1000000,5,990000,7,1000100,5,980000,2"),
        ("1,1,4,990000,1", "1000000,5,990000,11,1000100,5,980000,3"),  # the second level changed without a message
    )
    assert lobster_replay(tmp_path, *rows).rows_right == 1
    assert lobster_replay(tmp_path, *rows, levels=1).rows_right == 2


def bitstamp_replay(folder: Path, *lines: str) -> BitstampReport:
    file = folder / "orders.log"
    file.write_text("".join(f"{1000 + at} {line}\n" for at, line in enumerate(lines)))
    return replay_bitstamp(bitstamp.read_log(file), NaiveVenue, compare_from_s=0)


def order(event: str, order_id: int, order_type: int, price: str, amount: str) -> str:
    return f'order_{event} {{"price": "{price}", "amount": "{amount}", "id": {order_id}, "order_type": {order_type}}}'


def test_an_order_that_crosses_trades_on_arrival_and_the_log_confirms_it(tmp_path: Path) -> None:
    report = bitstamp_replay(
        tmp_path,
        order("created", 1, 1, "10.00", "2.00000000"),
        order("created", 2, 0, "10.00", "1.50000000"),
        order("changed", 1, 1, "10.00", "0.50000000"),
        order("deleted", 2, 0, "10.00", "0.00000000"),
        'order_book {"bids": [], "asks": [["10.00", "0.5"]]}',
        order("deleted", 1, 1, "10.00", "0.50000000"),
        order("changed", 1, 1, "10.00", "0.40000000"),
        'order_book {"bids": [], "asks": []}',
        'trade {"price": 10.0, "amount": 1.5000000000000002, "id": 1}',
    )
    assert (report.traded_on_arrival, report.changed_differed, report.deleted_differed) == (1, 0, 0)
    assert (report.change_after_delete, report.best_checked, report.best_right) == (1, 4, 4)
    assert (report.levels_checked, report.levels_right) == (1, 1)


def cme_replay(folder: Path, *rows: str) -> CmeReport:
    """Replay rows of `action,side,price in whole units,size,order id,flags`."""
    lines = [cme_mbo.HEADER]
    for at, row in enumerate(rows, start=1):
        action, side, price, size, order_id, flags = row.split(",")
        lines.append(f"{at},{at},{at},{action},{side},{price}000000000,{size},{order_id},{flags}")
    file = folder / "records.csv"
    file.write_text("\n".join(lines) + "\n")
    return replay_cme(cme_mbo.read_records(file), NaiveVenue)


def test_fills_are_judged_by_the_queue_and_a_larger_size_loses_its_place(tmp_path: Path) -> None:
    report = cme_replay(
        tmp_path,
        "A,B,10,2,1,130",
        "A,B,10,2,2,130",
        "A,B,10,2,3,130",
        "T,A,10,2,90,0",  # opens: 1, 2 and 3 are seeded in this order
        "F,B,10,2,1,0",
        "C,B,10,2,1,130",
        "M,B,10,3,2,130",  # a larger size goes to the back
        "T,A,10,1,91,0",
        "F,B,10,1,3,0",
        "M,B,10,1,3,130",
        "T,A,10,1,92,0",
        "F,B,10,1,2,0",  # out of order: 3 is ahead
        "M,B,10,2,2,130",
    )
    assert (report.seeded_orders, report.fills, report.fills_out_of_queue_order) == (3, 3, 1)
    assert report.out_of_queue_order_by_kind == {"other": 1}
    assert (report.venue_maker_differs, report.levels_right, report.is_right) == (1, report.levels_checked, True)
    assert report.feed_checks["modify_size_up"] == 1


def test_a_record_of_an_unknown_order_is_a_breach(tmp_path: Path) -> None:
    report = cme_replay(tmp_path, "A,B,10,2,1,130", "T,A,10,1,90,130", "C,B,10,2,5,130")
    assert report.feed_checks["cancel_unknown_id"] == 1
    assert not report.is_right


def test_the_cancels_of_self_trade_prevention_come_before_the_order_that_caused_them(tmp_path: Path) -> None:
    report = cme_replay(
        tmp_path, "A,A,11,1,1,130", "T,A,10,1,90,130", "A,B,11,1,2,0", "C,A,11,1,1,130", "C,B,11,1,2,130"
    )
    assert (report.cancels_brought_forward, report.traded_on_arrival, report.is_right) == (1, 0, True)
