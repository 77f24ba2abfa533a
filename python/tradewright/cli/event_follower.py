"""A process that follows the events of a node, slowly or fast: what `tradewright bench disturb` starts and kills."""

from __future__ import annotations

import sys
import time

from tradewright._core import EventReader


def follow(path: str, sleeps_ms: float) -> None:
    """Read batch by batch until the ring is closed, and sleep after each."""
    reader = EventReader(path, start="latest", name="bench")
    while not reader.is_closed:
        # A few at a time: the slow one falls behind and is overrun, which is its own affair.
        reader.poll(256 if sleeps_ms else 65_536, timeout_s=0.01)
        if sleeps_ms:
            time.sleep(sleeps_ms / 1_000)


if __name__ == "__main__":
    follow(sys.argv[1], float(sys.argv[2]))
