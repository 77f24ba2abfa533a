"""Where the recordings are, and which venues they are replayed on.

Recordings are never part of the repository: they are looked for in $TRADEWRIGHT_DATA, else in ../shared/data beside
it. Without them the tests that need one are skipped, with the reason. The naive venue replays whole recordings only
with TRADEWRIGHT_REPLAY_NAIVE=full; the engine always does.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.replay.naive_venue import NaiveVenue
from tradewright.marketdata.replay.engine import open_venue
from tradewright.marketdata.replay.venue import VenueFactory

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the recordings."""
    named = os.environ.get("TRADEWRIGHT_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not (folder / "lobster").is_dir():
        pytest.skip("no recordings: set TRADEWRIGHT_DATA, or put them into ../shared/data")
    return folder


@pytest.fixture(params=["naive", "engine"])
def venue(request: pytest.FixtureRequest) -> VenueFactory:
    """Every venue there is."""
    return _factory(request.param)


@pytest.fixture(params=["naive", "engine"])
def full_venue(request: pytest.FixtureRequest) -> VenueFactory:
    """Every venue that is meant to replay a whole recording in this run."""
    if request.param == "naive" and os.environ.get("TRADEWRIGHT_REPLAY_NAIVE") != "full":
        pytest.skip("the naive venue replays whole recordings only with TRADEWRIGHT_REPLAY_NAIVE=full")
    return _factory(request.param)


def _factory(name: str) -> VenueFactory:
    return NaiveVenue if name == "naive" else open_venue
