"""The engine as the venue of a replay: the one place where the two meet."""

from __future__ import annotations

from tradewright.marketdata.replay.venue import RecordedInstrument, ReplayVenue


class EngineMissingError(RuntimeError):
    """The engine is not part of this installation."""


def open_venue(instrument: RecordedInstrument) -> ReplayVenue:
    """Open the engine on one instrument with the two house accounts funded.

    Raises `EngineMissingError` while the binding does not offer a replay venue.
    """
    raise EngineMissingError(f"no engine to replay {instrument.symbol} on")
