"""Events of another process, from a ring that is laid out as docs/internals/rings.md says: written here by hand."""

from __future__ import annotations

import mmap
import os
import struct
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tradewright as tw
from tradewright._attach import EventFeed, attach_events
from tradewright.events import EVENT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be replaced there")

SLOTS_BEGIN = 4096
RESERVED, WRITTEN, RELEASED = 136, 128, 256
STATE = 60


def layout_hash(name: str, version: int, slot_bytes: int) -> int:
    value = 0xCBF29CE484222325
    for byte in name.encode() + bytes([version]) + slot_bytes.to_bytes(4, "little"):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


class RingFile:
    """A broadcast of events, written by the page and nothing else."""

    def __init__(self, path: Path, *, capacity: int = 8) -> None:
        self.path = path
        self.capacity = capacity
        self.written = 0
        length = SLOTS_BEGIN + capacity * EVENT.itemsize
        name = layout_hash("event", 1, EVENT.itemsize)
        header = struct.pack(
            "<8sIIQIIQQQII", b"TWRING\0\0", 1, 3, name, EVENT.itemsize, 0, capacity, 77, length, 2**31 - 1, 1
        )
        path.write_bytes(header + bytes(length - len(header)))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), length)

    def put(self, offset: int, value: int) -> None:
        self.memory[offset : offset + 8] = value.to_bytes(8, "little")

    def write(self, count: int) -> None:
        """Write and release events whose sequence is their position."""
        self.put(RESERVED, self.written + count)
        for position in range(self.written, self.written + count):
            event = np.zeros(1, EVENT)
            event["sequence"] = position
            begin = SLOTS_BEGIN + position % self.capacity * EVENT.itemsize
            self.memory[begin : begin + EVENT.itemsize] = event.tobytes()
        self.written += count
        self.put(WRITTEN, self.written)
        self.put(RELEASED, self.written)

    def close(self) -> None:
        self.memory[STATE : STATE + 4] = (2).to_bytes(4, "little")


@pytest.fixture
def ring(tmp_path: Path) -> RingFile:
    return RingFile(tmp_path / "events.ring")


def oldest(ring: RingFile) -> EventFeed:
    return attach_events(ring.path, start="oldest")


def test_events_arrive_as_they_were_written(ring: RingFile) -> None:
    feed = oldest(ring)
    assert len(feed.read()) == 0
    ring.write(6)
    events = feed.read(events_max=4)
    assert events.dtype == EVENT
    assert events["sequence"].tolist() == [0, 1, 2, 3]
    assert (feed.lag, feed.position, feed.generation) == (2, 4, 77)
    ring.write(5)
    assert feed.read()["sequence"].tolist() == [4, 5, 6, 7, 8, 9, 10]
    assert events["sequence"].tolist() == [0, 1, 2, 3], "what was read is the reader's own"


def test_a_feed_begins_where_it_is_told(ring: RingFile) -> None:
    ring.write(10)
    for start, position in (("oldest", 2), ("latest", 10), (7, 7)):
        assert attach_events(ring.path, start=start).position == position  # type: ignore[arg-type]  # a parameter of the test
    with pytest.raises(tw.DataError, match='must be "oldest", "latest" or a position'):
        attach_events(ring.path, start="yesterday")  # type: ignore[arg-type]  # what is refused at run time too


def test_a_slow_reader_learns_how_much_it_missed_and_goes_on(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.write(20)
    with pytest.raises(tw.EventsMissed, match="skipped=14") as caught:
        feed.read()
    assert (caught.value.skipped, caught.value.position, feed.events_missed) == (14, 14, 14)
    assert feed.read()["sequence"].tolist() == [14, 15, 16, 17, 18, 19]
    ring.write(20)
    with pytest.raises(tw.EventsMissed), feed.view():
        pass
    with feed.view() as events:
        assert events["sequence"][0] == feed.position - len(events)


def test_a_view_shows_the_ring_itself(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.write(6)
    with feed.view() as events:
        assert events["sequence"].tolist() == [0, 1, 2, 3, 4, 5]
        assert not events.flags.owndata
        assert not events.flags.writeable
    ring.write(4)
    with feed.view() as events:
        assert events["sequence"].tolist() == [6, 7], "up to where the ring ends"
    with feed.view() as events:
        assert events["sequence"].tolist() == [8, 9]
    with feed.view() as events:
        assert len(events) == 0


def test_a_view_that_was_overwritten_is_told(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.write(3)
    shown = []
    with pytest.raises(tw.EventsMissed) as caught, feed.view() as events:  # noqa: PT012 - it is the end that raises
        shown += events["sequence"].tolist()
        ring.write(8)
        shown += events["sequence"].tolist()
    assert shown == [0, 1, 2, 8, 9, 10]
    assert (caught.value.skipped, caught.value.position) == (3, 3)
    assert feed.read()["sequence"].tolist() == list(range(3, 11))


def test_a_view_outlives_its_feed(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.write(2)
    with feed.view() as events:
        pass
    del feed
    assert events["sequence"].tolist() == [0, 1]


def test_a_read_waits_and_lets_other_threads_run(ring: RingFile) -> None:
    feed = oldest(ring)
    started = time.monotonic()
    assert len(feed.read(timeout_s=0.02)) == 0
    assert time.monotonic() - started >= 0.02
    writer = threading.Timer(0.05, ring.write, [1])
    writer.start()
    assert feed.read(timeout_s=20)["sequence"].tolist() == [0]
    assert time.monotonic() - started < 10
    writer.join()
    with pytest.raises(ValueError, match="timeout_s=-1"):
        feed.read(timeout_s=-1)


def test_a_named_reader_shows_where_it_is(ring: RingFile) -> None:
    feed = attach_events(ring.path, start="oldest", name="surveillance")
    ring.write(6)
    feed.read(events_max=4)
    process, position, polls, name = struct.unpack_from("<QQQ40s", ring.memory, 1024)
    assert (process, position, polls) == (os.getpid(), 4, 1)
    assert name.rstrip(b"\0") == b"surveillance"
    del feed
    assert struct.unpack_from("<Q", ring.memory, 1024) == (0,)


def test_the_end_of_the_node_is_noticed(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.write(1)
    before = feed.is_closed
    ring.close()
    assert [before, feed.is_closed] == [False, True]
    assert len(feed.read(timeout_s=20)) == 1, "what was released is still there"
    with pytest.raises(tw.DataError, match="is closed"):
        oldest(ring)


def test_a_ring_that_was_replaced_is_noticed(ring: RingFile) -> None:
    feed = oldest(ring)
    ring.path.unlink()
    assert feed.is_closed


def test_a_file_that_is_no_ring_of_events_is_refused(ring: RingFile, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        attach_events(tmp_path / "missing.ring")
    ring.memory[16:24] = layout_hash("command", 1, 64).to_bytes(8, "little")
    with pytest.raises(tw.DataError, match="layout_hash="):
        attach_events(ring.path)
    (tmp_path / "letter").write_text("Dear client, " * 1000, encoding="utf-8")
    with pytest.raises(tw.DataError, match="magic="):
        attach_events(tmp_path / "letter")
