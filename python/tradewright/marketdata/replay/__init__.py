"""Replays of recordings through a venue: the venue drives, the recording judges.

One module a format. Every recorded event becomes commands of a :class:`ReplayVenue`; its book and its makers are
compared with the recording before anything is corrected, and every correction is counted in the report.
"""

from tradewright.marketdata.replay.venue import EventSource, RecordedInstrument, ReplayVenue, VenueFactory

__all__ = ["EventSource", "RecordedInstrument", "ReplayVenue", "VenueFactory"]
