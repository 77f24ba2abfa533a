"""Damaged recordings: each is refused with its file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tradewright import DataError
from tradewright.marketdata.importers import bitstamp, cme_mbo, itch_csv, lobster

MESSAGE = "34200.015105074,4,15818974,4,5794000,1\n"
BOOK = "5802300,100,5794000,496\n"
RECORD = "2,1,682,A,B,4799000000000,2,6412777162812,40\n"
ORDER = '{"price": "236.47", "amount": "2.00000000", "datetime": "1430438404", "id": 65595247, "order_type": 0}'
ITCH_HEADER = ",".join([*itch_csv.EVENT_COLUMNS, *(f"{column}_1" for column in itch_csv.LEVEL_COLUMNS)]) + "\n"
ITCH = "1,2,3,34200000245396,34200.000245396,D,3,9795461,,100,,163.35,,,-1,14,AAPL,163.34,185.0,163.24,1849.0\n"

READERS: dict[str, Callable[[Path], Any]] = {
    "message": lobster.read_messages,
    "book": lobster.read_book,
    "record": cme_mbo.read_records,
    "log": bitstamp.read_log,
    "itch": itch_csv.read_events,
}


def cme(row: str) -> str:
    return cme_mbo.HEADER + "\n" + RECORD + row


@pytest.mark.parametrize(
    ("reader", "text", "line", "problem"),
    [
        ("message", MESSAGE + "34201,1,2,3\n", 2, "4 columns, expected 6"),
        ("message", MESSAGE + MESSAGE + "34201,1,2,3,400,1,7\n", 3, "7 columns, expected 6"),
        ("message", MESSAGE + "\n", 2, "1 columns, expected 6"),
        ("message", MESSAGE + "34201,9,2,3,400,1\n", 2, "column 2 is no message type"),
        ("message", MESSAGE + "34201,1,2,3.5,400,1\n", 2, "column 4 is not an integer: '3.5'"),
        ("message", MESSAGE + "34201,1,x2,3,400,1\n", 2, "column 3 is not an integer: 'x2'"),
        ("message", MESSAGE + "34201,1,,3,400,1\n", 2, "column 3 is not an integer: ''"),
        ("message", MESSAGE + "34201,1,99999999999999999999,3,400,1\n", 2, "column 3 is not an integer"),
        ("message", MESSAGE + "34201,1,9999999999999999999,3,400,1\n", 2, "column 3 is not an integer"),
        ("message", MESSAGE + "3.4e4,1,2,3,400,1\n", 2, "column 1 is not a decimal"),
        ("message", MESSAGE + "34.2.1,1,2,3,400,1\n", 2, "column 1 is not a decimal"),
        ("message", MESSAGE + "34201,1,2,0,400,1\n", 2, "column 4 must be above zero"),
        ("message", MESSAGE + "34201,1,2,3,-400,1\n", 2, "column 5 must be above zero"),
        ("message", MESSAGE + "34201,1,2,3,400,0\n", 2, "column 6 must be 1 or -1"),
        ("message", "", None, "is empty"),
        ("message", "\n", 1, "no rows"),
        ("book", "1,2,3\n", 1, "3 columns, expected four for each level"),
        ("book", BOOK + "5802300,100,5794000\n", 2, "3 columns, expected 4"),
        ("book", BOOK + "5802300,1 0,5794000,496\n", 2, "column 2 is not an integer: '1 0'"),
        ("book", BOOK + "5802300,+1,5794000,496\n", 2, "column 2 is not an integer: '+1'"),
        ("book", BOOK + "5802300,1-0,5794000,496\n", 2, "column 2 is not an integer"),
        ("book", BOOK + "5802300,100,,496\n", 2, "column 3 is not an integer"),
        ("book", BOOK + "5802300,100,5794000,-496\n", 2, "column 4 must be above zero"),
        ("book", BOOK + "5802300,100,5794000,0\n", 2, "must be above zero"),
        ("record", RECORD, 1, "header must be"),
        ("record", cme_mbo.HEADER + "\n", 2, "no rows"),
        ("record", cme("2,1,682,Z,B,47,2,64,40\n"), 3, "column 4 must be one of A, M, C, F, T, R: 'Z'"),
        ("record", cme("2,1,682,A,N,47,2,64,40\n"), 3, "column 5 must be B or A"),
        ("record", cme("2,1,682,A,B,47,0,64,40\n"), 3, "column 7 must be above zero"),
        ("record", cme("2,1,682,A,B,47,2,64\n"), 3, "8 columns, expected 9"),
        ("log", f"1 order_created {ORDER}\n1 order_created\n", 2, "2 parts, expected time, event and JSON"),
        ("log", f"x order_created {ORDER}\n", 1, "time is not an integer"),
        ("log", f"1 order_vanished {ORDER}\n", 1, "event is unknown: 'order_vanished'"),
        ("log", f"1 order_created {ORDER[:-9]}\n", 1, "JSON is damaged"),
        ("log", "1 order_created []\n", 1, "JSON is no object"),
        ("log", '1 order_created {"price": "1"}\n', 1, "is missing"),
        ("log", "1 order_created " + ORDER.replace("236.47", "236.475") + "\n", 1, "more than 2 decimals"),
        ("log", "1 order_created " + ORDER.replace("65595247", "6.5") + "\n", 1, "is not an integer"),
        ("log", "1 order_created " + ORDER.replace('"order_type": 0', '"order_type": 2') + "\n", 1, "0 or 1"),
        ("itch", ITCH, 1, "is not the header"),
        ("itch", ITCH_HEADER + ITCH.replace(",D,", ",Q,"), 2, "column 6 must be one of"),
        ("itch", ITCH_HEADER + ITCH + ITCH.replace("163.35", "163.35123"), 3, "column 12 is not a decimal"),
        ("itch", ITCH_HEADER + ITCH.replace("185.0", "185.5"), 2, "column 19 is not a decimal"),
        ("itch", ITCH_HEADER + ITCH.replace(",D,", ",U,"), 2, "column 9 must be given for U"),
    ],
)
def test_damage_is_named(tmp_path: Path, reader: str, text: str, line: int | None, problem: str) -> None:
    file = tmp_path / "recording.csv"
    file.write_text(text)
    with pytest.raises(DataError) as raised:
        READERS[reader](file)
    assert (raised.value.file, raised.value.line) == (file, line)
    assert problem in raised.value.problem


def test_a_frame_that_is_cut_short_or_damaged_is_refused(tmp_path: Path) -> None:
    packed = zstandard.ZstdCompressor(write_checksum=True).compress((MESSAGE * 1000).encode())
    file = tmp_path / "message.csv.zst"
    file.write_bytes(packed)
    assert len(lobster.read_messages(file)) == 1000
    file.write_bytes(packed + packed)
    assert len(lobster.read_messages(file)) == 2000
    file.write_bytes(packed[:-5])
    with pytest.raises(DataError, match="cut short"):
        lobster.read_messages(file)
    file.write_bytes(packed[:-4] + b"0000")
    with pytest.raises(DataError, match="damaged"):
        lobster.read_messages(file)
    file.write_text(MESSAGE)
    with pytest.raises(DataError, match="no zstd file"):
        lobster.read_messages(file)


def test_a_file_that_is_not_there_is_bad_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        lobster.read_book(tmp_path / "none.csv")


def test_times_are_exact(tmp_path: Path) -> None:
    file = tmp_path / "message.csv"
    times = ["34200", "34200.5", "34200.000000001", "35821.088778456004", "57599.871751084"]
    file.write_text("".join(f"{time},1,2,3,400,1\r\n" for time in times))
    assert lobster.read_messages(file).time_ns.tolist() == [
        34200 * 10**9,
        34200_500_000_000,
        34200_000_000_001,
        35821_088_778_456,
        57599_871_751_084,
    ]


def test_dummy_levels_are_no_levels(tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_text("100,5,90,6,9999999999,0,-9999999999,0\n")
    assert lobster.read_book(file).sides(0) == ([(90, 6)], [(100, 5)])


def test_float_text_of_the_bitstamp_feed_means_the_nearest_unit(tmp_path: Path) -> None:
    file = tmp_path / "orders.log"
    file.write_text('5 trade {"price": 236.61000000000001, "amount": 9.9999999999999995e-07, "id": 8}\n')
    assert bitstamp.read_log(file) == [bitstamp.BitstampTrade(1, 5, 8, 23661, 100)]
