"""Time that passes only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tradewright import commands
from tradewright._venue import Venue
from tradewright.errors import ArgumentError

_SECOND_NS = 1_000_000_000
_TIME_MAX_NS = 2**63 - 1


class VirtualClock:
    """The time of one exchange, in nanoseconds since 1970. It starts at 0 and moves by `advance` and by commands."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    @property
    def now_ns(self) -> int:
        """The time in nanoseconds."""
        return self._venue.engine.time_ns

    @property
    def now(self) -> datetime:
        """The time, to the microsecond."""
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.now_ns // 1_000)

    def advance(self, seconds: int | Decimal | timedelta = 0, *, ns: int = 0) -> int:
        """Let time pass, by seconds (whole or Decimal), a timedelta, nanoseconds, or their sum; return the new time.

        Raises:
            ArgumentError: the time to pass is negative or a float.
        """
        if isinstance(seconds, timedelta):
            passed = (seconds // timedelta(microseconds=1)) * 1_000
        elif isinstance(seconds, int | Decimal):
            passed = int(seconds * _SECOND_NS)
        else:
            raise ArgumentError(
                "seconds", value=seconds, rule="must be an int, Decimal or timedelta: a float is not exact"
            )
        if passed + ns < 0:
            raise ArgumentError("seconds", value=seconds, rule="must not take the time back")
        return self.set(self.now_ns + passed + ns)

    def set(self, time_ns: int) -> int:
        """Let time pass until `time_ns`; return it.

        Raises:
            ArgumentError: `time_ns` lies in the past.
        """
        if not self.now_ns <= time_ns <= _TIME_MAX_NS:
            rule = f"must not lie before now, {self.now_ns}, nor after 2^63 - 1"
            raise ArgumentError("time_ns", value=time_ns, rule=rule)
        self._venue.apply(commands.advance_time(time_ns), {"time_ns": time_ns})
        return time_ns

    def __repr__(self) -> str:
        return f"VirtualClock({self.now.isoformat()}, now_ns={self.now_ns})"
