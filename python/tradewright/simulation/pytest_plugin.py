"""Fixtures for tests against a real exchange. The plugin loads by itself wherever Tradewright is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tradewright.exchange import Exchange
    from tradewright.simulation.clock import VirtualClock


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """Yield an empty exchange at time 0; its invariants are checked when the test is over."""
    from tradewright.exchange import Exchange

    with Exchange(seed=0) as fresh:
        yield fresh
        fresh.check_invariants()


@pytest.fixture
def virtual_clock(exchange: Exchange) -> VirtualClock:
    """Return the clock of the test's exchange."""
    return exchange.clock
