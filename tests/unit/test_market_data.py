"""Market data of a node that is another process: its ring, its service, its lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

import tradewright as tw
from tests.unit.test_node import ALICE, CONFIGURATION, Served
from tradewright import commands
from tradewright.cli.main import build_app
from tradewright.marketdata.live import MESSAGE, MarketData, MessageKind
from tradewright.operations import NodeControl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a node needs a system of the Unix family")

FEED = """\
[feed]
listen = "127.0.0.1:0"
interface = "127.0.0.1"
a = "239.192.7.5:24315"
b = "239.192.7.6:24315"
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, Any]]:
    (tmp_path / "exchange.toml").write_text(CONFIGURATION + FEED, encoding="utf-8")
    served = Served(tmp_path)
    yield served.place
    served.stop()


def order(side: tw.Side, price_ticks: int, quantity_lots: int) -> npt.NDArray[np.void]:
    return commands.place(
        account=ALICE,
        instrument=0,
        side=side,
        self_trade_prevention=tw.SelfTradePrevention.NONE,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
    )


def read_until(data: MarketData, count: int) -> npt.NDArray[np.void]:
    """Read until so many messages are there."""
    messages = np.empty(0, MESSAGE)
    ends = time.monotonic() + 20
    while len(messages) < count:
        assert time.monotonic() < ends, messages
        messages = np.concatenate([messages, data.read(timeout_s=0.5)])
    return messages


def catch_up(data: MarketData, next_sequence: int) -> None:
    ends = time.monotonic() + 20
    while data.next_sequence != next_sequence:
        assert time.monotonic() < ends, data.counts
        data.read(timeout_s=0.05)


def test_a_reader_of_the_ring_sees_each_message_and_keeps_the_book(place: dict[str, Any]) -> None:
    feed = place["feed"]
    data = MarketData.over_ring(feed["ring"], service=feed["service"])
    with NodeControl(place["directory"]) as node:
        node.command(order(tw.Side.SELL, 10_010, 1_000))
        node.command(order(tw.Side.SELL, 10_020, 500))
        node.command(order(tw.Side.BUY, 9_990, 700))
        node.command(order(tw.Side.BUY, 10_010, 400))
    messages = read_until(data, 4)
    assert list(messages["sequence"]) == [1, 2, 3, 4]
    assert list(messages["kind"]) == [MessageKind.ADD] * 3 + [MessageKind.EXECUTE]
    assert list(messages["price_ticks"]) == [10_010, 10_020, 9_990, 10_010]
    assert messages["remaining_lots"][3] == 600
    assert (np.diff(messages["time_ns"].astype(np.int64)) > 0).all()
    (top,) = data.tops()
    assert (top.bid, top.ask) == (data.levels(0, tw.Side.BUY)[0], data.levels(0, tw.Side.SELL)[0])
    assert top.ask is not None
    assert (top.ask.price_ticks, top.ask.lots, top.ask.orders, top.last_price_ticks) == (10_010, 600, 1, 10_010)
    assert data.tops() == []
    assert [(each.price_ticks, each.lots) for each in data.orders(0, tw.Side.SELL)] == [(10_010, 600), (10_020, 500)]
    assert data.is_current


def test_who_joins_the_lines_late_takes_a_snapshot(place: dict[str, Any]) -> None:
    feed = place["feed"]
    with NodeControl(place["directory"]) as node:
        for price in range(10_001, 10_021):
            node.command(order(tw.Side.SELL, price, 100))
        lines = [line.partition("@")[0] for line in feed["lines"]]
        data = MarketData.over_lines(lines, interface="127.0.0.1", service=feed["service"])
        catch_up(data, 21)
        assert data.counts["snapshots"] == 1
        assert data.top(0).ask == data.levels(0, tw.Side.SELL)[0]
        node.command(order(tw.Side.BUY, 10_001, 100))
    (execution,) = read_until(data, 1)
    assert (execution["kind"], execution["remaining_lots"]) == (MessageKind.EXECUTE, 0)
    assert len(data.orders(0, tw.Side.SELL)) == 19


def test_what_is_no_place_for_market_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MarketData.over_ring(tmp_path / "none.ring")
    (tmp_path / "short.ring").write_bytes(b"no ring")
    with pytest.raises(tw.DataError):
        MarketData.over_ring(tmp_path / "short.ring")
    with pytest.raises(tw.ArgumentError, match="must be a group and a port"):
        MarketData.over_lines(["here"], interface="127.0.0.1")
    with pytest.raises(OSError, match="must be from"):
        MarketData.over_lines(["127.0.0.1:9"], interface="127.0.0.1")


def test_a_message_is_as_long_as_its_dtype_says() -> None:
    assert MESSAGE.itemsize == 96


def test_an_operator_sees_how_market_data_does(place: dict[str, Any]) -> None:
    with NodeControl(place["directory"]) as node:
        node.command(order(tw.Side.SELL, 10_010, 1_000))
        ends = time.monotonic() + 20
        while (status := node.status()).feed is None or status.feed.next_sequence < 2:
            assert time.monotonic() < ends, status.feed
        assert (status.feed.channel, status.feed.next_sequence, status.feed.resets) == (1, 2, 0)
        assert {reader.reader for reader in status.readers} == {"checks", "feed"}
    shown = CliRunner().invoke(build_app(), ["status", place["directory"]])
    assert shown.exit_code == 0
    assert "feed 1: next 2, behind command" in shown.output
    assert "events, read by feed" in shown.output
